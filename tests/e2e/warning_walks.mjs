/** Warnings in a real browser: a burst of reports from outside, the index it moves, the warning it raises, the work on it to its end, and what of it is told to whom. */
import { Buffer } from 'node:buffer';
import { axe, must, overflow, settled } from './lib.mjs';
import { makeMove } from './walks.mjs';

/* A main bursts: refuse is washed onto the pavements around, which many report; the water itself is an emergency with hours for a deadline. */
const REFUSE = 'event-0102';
const WATER = 'event-0402';
const BURST = 16;
const RULES = ['cluster', 'surge'];

/** A person by the interface alone, for what the walk only needs done. */
async function client(run, role) {
  const a = run.account(role);
  const base = run.o.base;
  const json = { 'Content-Type': 'application/json', Accept: 'application/json' };
  const s = await fetch(`${base}/api/v1/session`, { method: 'POST', headers: json, body: JSON.stringify({ name: a.name, password: a.password }) });
  must(s.ok, `${role} cannot sign in: ${s.status}`);
  const cookie = s.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  const session = await s.json();
  const ask = async (method, path, body, version) => {
    const r = await fetch(base + path, { method, headers: { ...json, cookie, 'X-CSRF-Token': session.csrf, 'Idempotency-Key': `${Math.random()}${Date.now()}`, ...(version === undefined ? {} : { 'If-Match': `"${version}"` }) }, body: body && JSON.stringify(body) });
    return { status: r.status, json: await r.json().catch(() => null) };
  };
  const get = async (path) => {
    const r = await ask('GET', path);
    must(r.status === 200, `GET ${path}: ${r.status}`);
    return r.json;
  };
  return { account: session.account, ask, get };
}

/** Neighbours report by another application, each from a place of its own. */
async function burst(base, at, service, n) {
  const codes = [];
  for (let i = 0; i < n; i++) {
    const turn = i * 2.4;
    const r = 0.0012 * Math.sqrt((i + 1) / n);
    const body = new URLSearchParams({ service_code: service, lat: (at.lat + r * Math.sin(turn)).toFixed(6), long: (at.lon + r * Math.cos(turn)).toFixed(6), description: `Seen by neighbour ${i + 1}.` });
    const x = await fetch(`${base}/open311/v2/requests.json`, { method: 'POST', body });
    const list = await x.json();
    must(x.status === 201 && list[0]?.service_request_id, `Open311 answers ${x.status}`);
    codes.push(list[0].service_request_id);
  }
  return codes;
}
/** Somebody carries a case on as far as the wanted moves lead. */
async function carry(who, code, inputs) {
  for (const move of Object.keys(inputs)) {
    const c = await who.get(`/api/v1/cases/${code}`);
    if (!c.moves.some((m) => m.name === move && !m.why_not)) continue;
    const r = await who.ask('POST', `/api/v1/cases/${code}/${move}`, inputs[move], c.version);
    must(r.status === 200, `${move} of ${code}: ${r.status} ${JSON.stringify(r.json)}`);
  }
}
async function warningOf(who, codes) {
  const list = (await who.get('/api/v1/warnings?open=true&limit=100')).items.filter((w) => w.rules.some((r) => RULES.includes(r.name)));
  for (const w of list) {
    const one = await who.get(`/api/v1/warnings/${w.code}`);
    if (one.cases.some((c) => codes.includes(c.code))) return one;
  }
  return null;
}
/** A form of a move with a unit, texts and a photo. */
async function fillMove(p, move, { unit, text, photo }) {
  await p.click(`[data-choose="${move}"]`);
  const form = p.locator('form', { has: p.locator(`button[data-move="${move}"]`) });
  await form.waitFor();
  if (unit) await form.locator('select[data-input=unit]').selectOption(unit);
  for (const area of await form.locator('textarea').all()) await area.fill(text);
  if (photo) {
    await form.locator('input[type=file]').setInputFiles({ name: 'after.png', mimeType: 'image/png', buffer: photo });
    await form.locator('figure img').waitFor();
  }
  await p.click(`button[data-move="${move}"]`);
  await p.waitForSelector('[data-test=said]');
  await settled(p);
}
async function picture(p) {
  const data = await p.evaluate(async () => {
    const k = document.createElement('canvas');
    k.width = 320;
    k.height = 240;
    const g = k.getContext('2d');
    for (const [colour, y, h] of [['#b9d7ea', 0, 120], ['#8a9a7b', 120, 30], ['#9aa0a6', 150, 90]]) {
      g.fillStyle = colour;
      g.fillRect(0, y, 320, h);
    }
    const b = await new Promise((r) => k.toBlob(r, 'image/png'));
    return Array.from(new Uint8Array(await b.arrayBuffer()));
  });
  return Buffer.from(data);
}

async function screens(open, base, more, code, letter, look) {
  const c = await open({ ...more, as: 'supervisor' });
  const p = await c.newPage();
  for (const path of ['/warnings', '/warnings?closed=1', '/warnings?color=blue&rule=none', '/warnings?wall=1', '/supervision', '/warnings/rules', `/supervision/${letter}/letter`, '/desk']) {
    await p.goto(base + path);
    await settled(p);
    await look(p, path);
  }
  await p.goto(base + '/warnings');
  await settled(p);
  await p.click('[data-test=run]');
  await p.locator('[data-test=run-box]').waitFor();
  await look(p, 'run box');
  await p.goto(`${base}/warnings/${code}`);
  await settled(p);
  for (const d of await p.locator('main details summary').all()) await d.click();
  await look(p, 'one warning, tables open');
  await p.click('[data-test=supervise]');
  await p.waitForSelector('dialog');
  await p.click('[data-test=sv-send]');
  await p.waitForSelector('dialog [role=alert]');
  await look(p, 'supervise, with what is missing');
  await p.goto(base + '/warnings/rules');
  await settled(p);
  await p.locator('[data-test=edit-rule]').first().click();
  await p.waitForSelector('[data-test=yaml]');
  await look(p, 'a rule being changed');
}

export async function warningWalks(run, base) {
  if (run.o.later) return laterWalks(run, base);
  const seen = { code: null, letter: null };

  await run.test('warnings: a burst by Open311 moves the index, raises a warning, is worked on with evidence, and told', async ({ open }) => {
    const desk = await client(run, 'operator');
    const boss = await client(run, 'supervisor');
    const department = await client(run, 'department');
    // The community that the walk's figures from outside are for has a score.
    const { today } = await boss.get('/api/v1/indices/safety/values?level=city');
    const period = today.slice(0, 7);
    const values = `/api/v1/indices/safety/values?level=community&period=${period}`;
    const now = await boss.get(values);
    const near = now.areas.find((a) => a.value !== null);
    must(near, 'no community has a score: figures from outside are missing, see tests/e2e/run');
    const [known] = (await desk.get(`/api/v1/cases?area=${near.area}&class=${REFUSE}&limit=1`)).items;
    must(known, `no case of ${REFUSE} in ${near.area}`);

    const codes = await burst(base, known, REFUSE, BURST);
    // Half of the water is dealt with at once, the rest waits for its deadline.
    for (const [i, code] of (await burst(base, known, WATER, 6)).entries()) {
      await carry(desk, code, { accept: {}, file: {}, dispatch: { unit: department.account.unit } });
      if (i % 2) await carry(department, code, { handle: { note: 'Shut off.' } });
    }
    let is = near;
    for (let i = 0; i < 50 && is.value === near.value; i++) {
      await new Promise((wait) => setTimeout(wait, 100));
      is = (await boss.get(values)).areas.find((a) => a.area === near.area);
    }
    must(is.value !== near.value, `the index stays at ${is.value}`);

    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index/safety/${near.area}?period=${period}`);
    await settled(p);
    const why = await p.textContent('main');
    must(Number(await p.textContent('.big-value')) === is.value, 'the page shows another value');
    must(/Hours until an emergency is handled/.test(why) && (await p.locator('[data-test=sentence]').count()) === 1, 'the page does not say why');

    await p.goto(base + '/warnings');
    await settled(p);
    await p.click('[data-test=run]');
    await p.click('[data-test=run-now]');
    await p.waitForSelector('[data-test=job][data-state=done]', { timeout: 60_000 });
    const w = await warningOf(boss, codes);
    must(w, 'the burst raised no warning');
    seen.code = w.code;
    await p.waitForSelector(`[data-test=board] [data-state=raised] [data-code="${w.code}"]`);
    const n = await open({ as: 'analyst', locale: 'en', width: 390 });
    const o = await n.newPage();
    await o.goto(base + '/warnings');
    await settled(o);
    must((await o.textContent(`[data-code="${w.code}"]`)).includes('Waits for you'), 'the analyst is not told that it waits');
    await n.close();
    await p.click(`[data-code="${w.code}"]`);
    await p.waitForURL(`**/warnings/${w.code}`);
    await settled(p);
    const saw = await p.textContent('[data-test=saw]');
    must(/\d+ cases of exposed refuse/.test(saw) && saw.includes('expected'), `the sentence is: ${saw}`);
    const shown = await p.locator('[data-test=cases] tbody tr').allTextContents();
    must(codes.every((x) => shown.some((row) => row.includes(x))), 'reports of the burst are missing among its cases');
    must((await p.locator('.series table tbody tr').count()) === w.series.length && w.series.length > 20, 'the table of days is not the series');

    await makeMove(p, 'acknowledge', '已接收。');
    await makeMove(p, 'study', '同一条街十六户上报：水管破裂，垃圾被冲上路面。');
    await fillMove(p, 'measure', { unit: department.account.unit, text: '当日清运，约谈承包单位。' });
    must((await p.textContent('[data-test=measures]')).includes('当日清运'), 'the measures are not shown');
    await p.click('[data-test=supervise]');
    await p.locator('dialog input[name=level]').nth(1).check();
    await p.selectOption('[data-test=sv-unit]', department.account.unit);
    await p.fill('[data-test=sv-text]', '请清理该路段，并附照片答复。');
    await p.click('[data-test=sv-send]');
    await p.waitForSelector('[data-test=said-supervision]');
    const task = (await boss.get(`/api/v1/warnings/${w.code}`)).supervisions.find((s) => s.unit === department.account.unit && s.level > 1);
    must(task?.level === 2 && task.text.startsWith('请清理该路段'), `supervision is ${JSON.stringify(task)}`);
    seen.letter = task.code;

    const d = await open({ as: 'department', locale: 'en' });
    const q = await d.newPage();
    await q.goto(`${base}/cases/${w.code}`);
    await q.waitForURL(`**/warnings/${w.code}`);
    await settled(q);
    must((await q.locator('[data-test=supervise]').count()) === 0, 'a department is offered to supervise');
    await fillMove(q, 'evidence', { text: '已清运完毕，路面干净。', photo: await picture(q) });
    must((await q.locator('[data-choose=verify]').count()) === 0, 'who gave the evidence is offered to verify it');
    await q.goto(base + '/supervision');
    await settled(q);
    must((await q.textContent('main')).includes(task.code), 'the unit does not see what it owes');

    const v = await open({ as: 'verifier', locale: 'en' });
    const r = await v.newPage();
    await r.goto(`${base}/warnings/${w.code}`);
    await settled(r);
    await makeMove(r, 'verify', '现场核查属实。');

    await p.goto(`${base}/warnings/${w.code}`);
    await settled(p);
    must((await p.locator('[data-test=evidence] img').count()) === 1, 'the photo of the evidence is not shown');
    must((await p.getAttribute('[data-test=holds]', 'data-holds')) === 'true' && (await p.locator('[data-choose=close]').count()) === 0, 'it may be closed while its rules still fire');
    must((await p.textContent('[data-barred=close]')).includes('no longer fire'), 'it is not said why it cannot be closed');
    const forced = await boss.ask('POST', `/api/v1/cases/${w.code}/close`, {}, (await boss.get(`/api/v1/cases/${w.code}`)).version);
    must(forced.status >= 400, `closing answers ${forced.status}`);
    must((await boss.get(`/api/v1/warnings/${w.code}`)).state === 'verified', 'it did not stay verified');

    const made = await boss.ask('POST', '/api/v1/briefings', { period: today });
    must([200, 201].includes(made.status), `the briefing answers ${made.status} ${JSON.stringify(made.json)}`);
    const told = JSON.stringify((await boss.get(`/api/v1/briefings/${made.json.id}`)).document.warnings);
    must(told.includes(w.code), `the briefing does not tell it: ${told.slice(0, 300)}`);

    const outside = await open({ locale: 'en' });
    const s = await outside.newPage();
    await s.goto(base + '/safety');
    await settled(s);
    must(!(await s.textContent('main')).includes(w.code), 'the public page tells the warning');
    for (const at of [`/api/v1/public/cases/${w.code}`, `/open311/v2/requests/${w.code}.json`, `/api/v1/public/cases/${task.code}`]) must((await fetch(base + at)).status === 404, `${at} answers a stranger`);
    for (const at of [`/api/v1/warnings/${w.code}`, '/api/v1/supervisions']) must((await fetch(base + at)).status === 401, `${at} answers a stranger`);
    const one = await (await fetch(`${base}/api/v1/public/cases/${codes[0]}`)).json();
    must(one.state && !one.description && one.exact === false, `a report is told too exactly: ${JSON.stringify(one)}`);
  });

  await run.test('warnings: a rule is changed by page, refused where it is wrong, switched off and on', async ({ open }) => {
    const c = await open({ as: 'analyst', locale: 'en' });
    const p = await c.newPage();
    await p.goto(base + '/warnings/rules');
    await settled(p);
    const card = p.locator('[data-rule=season]');
    await card.locator('[data-test=edit-rule]').click();
    await card.locator('[data-field=min]').fill('many');
    await card.locator('[data-field=min]').press('Tab');
    await card.locator('.error').waitFor();
    must(await card.locator('[data-test=save-rule]').isDisabled(), 'a word for a number may be saved');
    await card.locator('[data-field=min]').fill('21');
    await card.locator('[data-field=min]').press('Tab');
    const text = await card.locator('[data-test=yaml]').inputValue();
    must(/min: 21\b/.test(text), `the field does not write into the text: ${text}`);
    await card.locator('[data-test=yaml]').fill(text + '\n    mim: 3\n');
    await card.locator('[data-test=save-rule]').click();
    await card.locator('.note.bad').waitFor();
    await card.locator('[data-test=yaml]').fill(text);
    await card.locator('[data-test=save-rule]').click();
    await p.waitForSelector('[data-test=said]');
    must((await card.textContent()).includes('Changed on this page'), 'the rule is still the one of the pack');
    await card.locator('[data-test=ask-off]').click();
    await card.locator('[data-test=switch-off]').click();
    await card.locator('[data-test=off]').waitFor();
    await card.locator('[data-test=switch-on]').click();
    await card.locator('[data-test=off]').waitFor({ state: 'detached' });
    const v = await open({ as: 'verifier', locale: 'en' });
    const q = await v.newPage();
    await q.goto(base + '/warnings/rules');
    await settled(q);
    must((await q.locator('[data-rule]').count()) > 3 && (await q.locator('[data-test=edit-rule]').count()) === 0, 'who may only read is offered to change');
  });

  await run.test('warnings: a letter prints clean, and opens from the page of any case', async ({ open }) => {
    const c = await open({ as: 'supervisor' });
    const p = await c.newPage();
    must(seen.letter, 'there is no letter');
    await p.goto(`${base}/supervision/${seen.letter}/letter`);
    await p.waitForSelector('[data-test=letter]');
    await p.emulateMedia({ media: 'print' });
    const text = await p.textContent('[data-test=letter]');
    must(text.includes('督办函') && text.includes(seen.letter) && text.includes('请清理该路段') && text.includes('签收人'), `the letter says: ${text}`);
    must(!(await p.locator('.no-print').first().isVisible()), 'buttons would be printed');
    must((await p.pdf({ format: 'A4', preferCSSPageSize: true })).length > 5000, 'the PDF is empty');
    await p.emulateMedia({ media: 'screen' });
    const boss = await client(run, 'supervisor');
    const [one] = (await boss.get('/api/v1/cases?open=1&limit=1')).items;
    await p.goto(`${base}/cases/${one.code}`);
    await settled(p);
    await p.click('[data-test=supervise]');
    await p.waitForSelector('[data-test=sv-unit]');
    await p.locator('[data-test=sv-unit]').selectOption({ index: 1 });
    await p.fill('[data-test=sv-text]', '请查明原因。');
    await p.click('[data-test=sv-send]');
    await p.waitForSelector('[data-test=supervised]');
    must((await boss.get('/api/v1/supervisions?open=true')).items.some((s) => s.about === one.code && s.text === '请查明原因。'), 'nothing was opened');
  });

  for (const locale of ['zh-CN', 'en']) {
    await run.test(`warnings: axe finds nothing, nothing scrolls sideways at 360 px (${locale})`, async ({ open }) => {
      const boss = await client(run, 'supervisor');
      const code = seen.code ?? (await boss.get('/api/v1/warnings?limit=1')).items[0].code;
      const letter = seen.letter ?? (await boss.get('/api/v1/supervisions?open=all&limit=1')).items[0].code;
      const found = [];
      // One way through: each screen is looked at broad, then made narrow.
      await screens(open, base, { locale, width: 1440 }, code, letter, async (p, name) => {
        const v = await axe(p);
        if (v) found.push(`${name}: ${v}`);
        await p.setViewportSize({ width: 360, height: 740 });
        await p.waitForTimeout(150);
        const px = await overflow(p);
        if (px > 0) found.push(`${name}: ${px} px`);
        await p.setViewportSize({ width: 1440, height: 900 });
      });
      must(found.length === 0, found.join(' || '));
    });
  }
}

/** In a folder whose nights were recorded further with nothing new in them (tests/e2e/run): the rules no longer fire. */
async function laterWalks(run, base) {
  await run.test('warnings, days later: the condition has cleared, it closes on its evidence, and counts for its rules', async ({ open }) => {
    const boss = await client(run, 'supervisor');
    const w = (await boss.get('/api/v1/warnings?open=true&state=verified&limit=100')).items.find((x) => x.rules.some((r) => RULES.includes(r.name)));
    must(w, 'no warning waits to be closed');
    must(w.holds === false, 'its condition still holds');
    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/warnings/${w.code}`);
    await settled(p);
    must((await p.textContent('.route')).includes('no longer fire'), 'the log does not tell when it cleared');
    const rule = async () => (await boss.get('/api/v1/warnings/rules')).rules.find((r) => r.name === w.rules[0].name).quality;
    const before = await rule();
    await makeMove(p, 'close', 'Done.');
    await p.goto(`${base}/warnings?closed=1`);
    await settled(p);
    await p.waitForSelector(`[data-test=board] [data-state=closed] [data-code="${w.code}"]`);
    const after = await rule();
    must(after.closed === before.closed + 1 && after.open === before.open - 1, `the rule counts ${JSON.stringify(after)} after ${JSON.stringify(before)}`);
  });
}
