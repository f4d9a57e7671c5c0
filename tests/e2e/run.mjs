/**
 * The page in a real browser, against a running server with a demo city.
 * node tests/e2e/run.mjs --base http://127.0.0.1:PORT --accounts FILE [--only WORD] [--shots DIR]
 */
import { api, axe, must, options, overflow, Run, settled, workerReady } from './lib.mjs';
import { emergencyWalks } from './emergency_walks.mjs';
import { briefingWalks } from './briefing_walks.mjs';
import { indexWalks } from './index_walks.mjs';
import { warningWalks } from './warning_walks.mjs';
import { carryOn, makeMove, pointOfWorker, report } from './walks.mjs';

const o = options();
const run = new Run(o);
const base = o.base;
await run.start();
async function end() {
  await run.stop();
  console.log(`${run.passed} passed, ${run.failed} failed`);
  process.exit(run.failed ? 1 : 0);
}
if (o.later) {
  await warningWalks(run, base);
  await end();
}

const STREET = ['accept', 'file', 'dispatch', 'handle', 'verify', 'close'];
const DISPUTE = ['triage', 'accept', 'agree', 'follow_up', 'close'];
const WORDS = { 'zh-CN': { class: '垃圾', text: '路边垃圾堆了两天，有异味。', note: '已到现场处理完毕。' }, en: { class: 'refuse', text: 'Refuse has been lying here for two days.', note: 'Done on the spot.' } };
const STAFF = ['verifier', 'operator', 'worker', 'department', 'supervisor'];
const closed = (c) => Boolean(c.closed);

let place = null;
async function workerPlace(open) {
  if (!place) {
    const c = await open({ as: 'worker' });
    const p = await c.newPage();
    await p.goto(base + '/work');
    place = await pointOfWorker(p, run.account('worker').name);
    await c.close();
  }
  return place;
}
async function staffPages(open, locale, roles = STAFF) {
  const pages = [];
  for (const role of roles) {
    if (!run.roles.has(role)) continue;
    const c = await open({ as: role, locale });
    const p = await c.newPage();
    await p.goto(base + '/work');
    pages.push([role, p]);
  }
  return pages;
}

for (const locale of ['zh-CN', 'en']) {
  await run.test(`whole way of one report (${locale}, resident at 360 px)`, async ({ open }) => {
    const at = await workerPlace(open);
    const phone = await open({ locale, width: 360, height: 740, at, touch: true });
    const p = await phone.newPage();
    const mine = await report(p, base, locale, { word: WORDS[locale].class, text: WORDS[locale].text });
    must(/-/.test(mine.code), `no case code: ${mine.code}`);
    must(mine.word?.length === 8, `no follow word: ${mine.word}`);
    must(mine.link === `/f/${mine.code}#${mine.word}`, `link ${mine.link}`);
    const pages = await staffPages(open, locale);
    const made = await carryOn(pages, base, mine.code, STREET, WORDS[locale].note, closed);
    const did = (m) => made.find((x) => x.endsWith(' ' + m))?.split(' ')[0];
    must(did('dispatch') && did('handle') && did('verify'), `moves made: ${made.join(', ')}`);
    must(did('handle') !== did('verify'), `${did('handle')} both handled and verified`);
    await p.goto(base + mine.link);
    await settled(p);
    must((await p.textContent('main')).includes(WORDS[locale].text), 'own text is not shown');
    must((await p.locator('.route > li').count()) >= 5, 'the route is short');
    const rate = p.locator('form', { has: p.locator('button[data-move=rate]') });
    await rate.locator('input[type=radio][value="5"]').check();
    await rate.locator('button[type=submit]').click();
    await p.waitForSelector('.note.good');
    const [, operator] = pages[0];
    const c = await api(operator, `/api/v1/cases/${mine.code}`);
    must(c.score === 5, `score is ${c.score}`);
    must((await overflow(p)) <= 0, 'the follow page is wider than the phone');
  });
}

await run.test('dispute with two parties, each sees its own part', async ({ open }) => {
  const phone = await open({ width: 390, height: 800 });
  const p = await phone.newPage();
  await p.goto(base + '/');
  await p.click('[data-test=no-danger]');
  await p.fill('main input[type=search]', '邻里');
  await p.locator('main ul button.choice').first().click();
  const at = await workerPlace(open);
  const { community } = await api(p, `/api/v1/locate?lon=${at[0]}&lat=${at[1]}`);
  await p.getByLabel('街道、乡镇或社区').fill(community.name);
  await p.getByRole('button', { name: '搜索' }).click();
  await p.getByRole('button', { name: community.name, exact: true }).first().click();
  await p.waitForSelector('main .note.good');
  must((await overflow(p)) <= 0, 'the choice of a community is wider than the phone');
  if (run.o.shots) await p.screenshot({ path: `${run.o.shots}/dispute-where.png`, fullPage: true });
  await p.click('[data-test=place-next]');
  await p.fill('main textarea >> nth=0', '楼上漏水，协商未果。');
  const names = p.getByLabel('称呼');
  await names.nth(0).fill('三楼王先生');
  await names.nth(1).fill('四楼李女士');
  await p.getByLabel(/^怎么说/).nth(0).fill('天花板一直滴水。');
  await p.getByLabel(/^怎么说/).nth(1).fill('管道是公用的。');
  await p.click('[data-test=send]');
  await p.waitForSelector('[data-test=word]');
  const code = (await p.textContent('[data-test=code]')).trim();
  const words = await p.locator('[data-test=party-word]').evaluateAll((list) => list.map((e) => e.dataset.word));
  must(words.length === 2 && words[0] !== words[1], `words of the parties: ${words.join(', ')}`);
  const stranger = await api(p, `/api/v1/public/cases/${code}`);
  must(stranger.failed === 404, 'a private case answers the public');
  const pages = await staffPages(open, 'zh-CN', ['mediator', 'operator', 'supervisor']);
  const stands = (await api(pages[0][1], `/api/v1/cases/${code}`)).community;
  must(stands === community.code, `the dispute stands in ${stands}`);
  const made = await carryOn(pages, base, code, DISPUTE, '双方到场调解。', closed);
  must(made.includes('mediator agree') && made.some((m) => m.endsWith('follow_up')), `moves made: ${made.join(', ')}`);
  const mediator = pages.find(([role]) => role === 'mediator')[1];
  await mediator.goto(`${base}/cases/${code}/print`);
  await settled(mediator);
  const sheet = await mediator.textContent('[data-test=agreement]');
  for (const word of ['三楼王先生', '四楼李女士', '双方到场调解。', code]) must(sheet.includes(word), `the agreement lacks ${word}`);
  for (const own of ['天花板一直滴水', '管道是公用的']) must(!sheet.includes(own), 'the agreement tells one side what the other told');
  if (run.o.shots) {
    await mediator.emulateMedia({ media: 'print' });
    await mediator.pdf({ path: `${run.o.shots}/agreement.pdf`, format: 'A4' });
  }
  const parts = ['天花板一直滴水', '管道是公用的'];
  for (const [i, word] of words.entries()) {
    const other = await open({ width: 390, height: 800 });
    const q = await other.newPage();
    await q.goto(`${base}/f/${code}#${word}`);
    await settled(q);
    const seen = await q.textContent('main');
    must(seen.includes(parts[i]), `party ${i + 1} does not see its own part`);
    must(!seen.includes(parts[1 - i]), `party ${i + 1} sees the part of the other`);
  }
});

const PUBLIC = [['danger', '/'], ['what', '/?step=what'], ['follow', '/follow'], ['cell', '/cell'], ['safety', '/safety'], ['signin', '/signin'], ['setup', '/setup'], ['reset', '/reset'], ['lost', '/nothing-here']];
const BY_ROLE = {
  operator: ['/desk', '/work', '/map', '/cases', '/cells', '/posts', '/areas', '/account', '/notices'],
  worker: ['/work'],
  system_admin: ['/admin/accounts', '/admin/roles', '/admin/packs', '/areas'],
  audit_admin: ['/admin/audit'],
};
async function oneCase(page) {
  const r = await api(page, '/api/v1/cases?limit=1');
  return r.items?.[0]?.code;
}
/** Every screen, with a function that looks at it. */
async function screens(open, more, look) {
  const c = await open(more);
  const p = await c.newPage();
  for (const [name, path] of PUBLIC) {
    await p.goto(base + path);
    await settled(p);
    await look(p, name);
  }
  await p.goto(base + '/');
  await p.click('[data-test=no-danger]');
  await p.locator('main input[type=search]').waitFor();
  await p.fill('main input[type=search]', more.locale === 'en' ? 'refuse' : '垃圾');
  await look(p, 'what, searching');
  await p.locator('main ul button.choice').first().click();
  await p.locator('[data-test=place-next]').waitFor();
  await look(p, 'where');
  await p.locator('main button[aria-expanded]').first().click();
  await p.waitForSelector('.holder[data-ready=yes]');
  await look(p, 'where, map open');
  await p.locator('main button', { hasText: more.locale === 'en' ? 'Choose the place under the cross' : '选十字中心的位置' }).click();
  await p.click('[data-test=place-next]');
  await p.locator('[data-test=send]').waitFor();
  await p.click('[data-test=send]');
  await p.waitForSelector('.error');
  await look(p, 'details, with an error');
  for (const [role, paths] of Object.entries(BY_ROLE)) {
    if (!run.roles.has(role)) continue;
    const sc = await open({ ...more, as: role });
    const sp = await sc.newPage();
    for (const path of paths) {
      await sp.goto(base + path);
      await settled(sp);
      if (path === '/map') await sp.waitForSelector('.command[data-ready=yes]');
      await look(sp, path);
      if (path === '/map') {
        await sp.click('[data-test=as-list]');
        await look(sp, 'map, list');
        await sp.goto(base + '/map?wall=1');
        await sp.waitForSelector('.command[data-ready=yes]');
        await look(sp, 'map, wall');
      }
    }
    if (role === 'operator') {
      const code = await oneCase(sp);
      for (const path of [`/cases/${code}`, `/cases/${code}/print`, `/desk?case=${code}`]) {
        await sp.goto(base + path);
        await settled(sp);
        await look(sp, path.replace(code, 'CODE'));
      }
    }
  }
}
/** Each look walks by itself, mostly waiting: they walk side by side. */
async function lookEverywhere(name, more, look) {
  await run.test(name, async ({ open }) => {
    const found = [];
    await screens(open, more, async (p, at) => {
      for (const what of await look(p)) found.push(`${at}: ${what}`);
    });
    must(found.length === 0, found.join(' || '));
  });
}
const wide = async (p) => {
  const px = await overflow(p);
  return px > 0 ? [`${px} px`] : [];
};
const looks = ['zh-CN', 'en'].flatMap((locale) => [
  lookEverywhere(`axe finds nothing (${locale})`, { locale, width: 1440 }, async (p) =>
    [await axe(p), (await p.title()) ? '' : 'no title', (await p.getAttribute('html', 'lang')) === locale ? '' : 'wrong language'].filter(Boolean)),
  lookEverywhere(`no sideways scroll at 360 px (${locale})`, { locale, width: 360, height: 740 }, wide),
]);
await Promise.all([
  ...looks,
  lookEverywhere('no sideways scroll at 360 px with large text', { locale: 'en', width: 360, height: 740, large: true }, async (p) =>
    [...(await wide(p)), ...((await p.getAttribute('html', 'data-text')) === 'large' ? [] : ['not large'])]),
]);

await run.test('keyboard alone: a report from the first page to the code', async ({ open }) => {
  const at = await workerPlace(open);
  const c = await open({ locale: 'en', at });
  const p = await c.newPage();
  await p.goto(base + '/');
  await settled(p);
  // Tab until the wanted element has the focus; everything must be reachable that way.
  const reach = async (selector) => {
    for (let i = 0; i < 80; i++) {
      if (await p.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
      await p.keyboard.press('Tab');
    }
    throw new Error(`${selector} is not reached by Tab`);
  };
  await p.keyboard.press('Tab');
  must(await p.evaluate(() => document.activeElement?.classList.contains('skip')), 'the first stop is not the skip link');
  await p.keyboard.press('Enter');
  must(await p.evaluate(() => document.activeElement?.id === 'main'), 'the skip link does not lead to the content');
  await reach('[data-test=no-danger]');
  await p.keyboard.press('Enter');
  await p.waitForFunction(() => document.activeElement?.tagName === 'H1');
  await reach('main input[type=search]');
  await p.keyboard.type('refuse');
  await reach('main ul button.choice');
  await p.keyboard.press('Enter');
  await p.waitForSelector('[data-test=place-next]');
  await reach('main input[type=text]');
  await p.keyboard.type('House 12');
  await p.keyboard.press('Tab');
  await p.keyboard.press('Enter');
  await p.waitForSelector('.note.good');
  await reach('[data-test=place-next]');
  await p.keyboard.press('Enter');
  await p.waitForSelector('[data-test=send]');
  await reach('main textarea');
  await p.keyboard.type('Refuse beside the gate.');
  await reach('[data-test=send]');
  await p.keyboard.press('Enter');
  await p.waitForSelector('[data-test=code]');
  await p.waitForFunction(() => document.activeElement?.tagName === 'H1');
});

await run.test('command map: a new case appears without reload within a second', async ({ open }) => {
  const at = await workerPlace(open);
  const staff = await open({ as: 'operator', locale: 'en' });
  const map = await staff.newPage();
  await map.goto(base + '/map');
  await map.waitForSelector('.command[data-ready=yes]');
  await map.waitForSelector('.strip .chip.green');
  let loads = 0;
  map.on('framenavigated', () => (loads += 1));
  // Both pages note the moment themselves, so that the driver's own way does not count; the best of three, since the machine may be busy.
  await map.evaluate(() => {
    window.seen = {};
    new MutationObserver(() => {
      for (const e of document.querySelectorAll('[data-test=feed-item]')) window.seen[e.dataset.code] ??= Date.now();
    }).observe(document.body, { childList: true, subtree: true });
  });
  const c = await open({ locale: 'en', at });
  const p = await c.newPage();
  const took = [];
  for (let i = 0; i < 3; i++) {
    const mine = await report(p, base, 'en', { word: 'refuse', text: 'Seen on the map at once.' });
    const replied = await p.evaluate(() => window.performance.timeOrigin + window.performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/api/v1/cases')).pop().responseEnd);
    await map.waitForSelector(`[data-test=feed-item][data-code="${mine.code}"]`, { timeout: 10_000 });
    took.push(Math.round((await map.evaluate((k) => window.seen[k], mine.code)) - replied));
    if (took[i] < 1000) break;
  }
  console.log(`# on the map after ${took.join(', ')} ms`);
  must(Math.min(...took) < 1000, `it took ${took.join(', ')} ms after the reply`);
  must(loads === 0, 'the page was loaded anew');
});

await run.test('eight tabs share one event stream', async ({ open }) => {
  const c = await open({ as: 'operator' });
  const tabs = [];
  for (let i = 0; i < 8; i++) {
    const p = await c.newPage();
    await p.goto(base + '/work');
    await settled(p);
    tabs.push(p);
  }
  await tabs[0].waitForTimeout(1500);
  const sse = await tabs[0].evaluate(async () => {
    const r = await fetch('/metrics', { cache: 'no-store' });
    return r.ok ? r.text() : '';
  });
  const own = await Promise.all(tabs.map((t) => t.evaluate(() => performance.getEntriesByType('resource').filter((e) => e.name.includes('/api/v1/events')).length)));
  must(own.reduce((a, b) => a + b, 0) === 0, `tabs opened streams of their own: ${own.join(' ')}`);
  const m = /^gezhi_sse_clients(?:\{[^}]*\})?\s+(\d+)/m.exec(sse);
  if (m) must(Number(m[1]) === 1, `the server counts ${m[1]} streams`);
  for (const t of tabs) must(await t.evaluate(() => document.querySelector('main h1') !== null), 'a tab is broken');
});

await run.test('without shared workers one tab carries the stream for all, and another takes over', async ({ open }) => {
  const at = await workerPlace(open);
  // Signed in elsewhere: a page with a shared worker in the same browser would carry a stream of its own.
  await (await open({ as: 'operator', locale: 'en' })).close();
  const c = await open({ as: 'operator', locale: 'en' });
  await c.addInitScript(() => delete window.SharedWorker);
  const tabs = [];
  for (let i = 0; i < 3; i++) {
    const p = await c.newPage();
    await p.goto(base + '/map');
    await p.waitForSelector('.command[data-ready=yes]');
    tabs.push(p);
  }
  const clients = async () => Number(/^gezhi_sse_clients(?:\{[^}]*\})?\s+(\d+)/m.exec(await tabs[2].evaluate(() => fetch('/metrics').then((r) => r.text())))?.[1] ?? -1);
  await tabs[0].waitForSelector('.strip .chip.green');
  for (let i = 0; i < 20 && (await clients()) > 1; i++) await tabs[0].waitForTimeout(500);
  must((await clients()) <= 1, `${await clients()} streams`);
  const phone = await open({ locale: 'en', at });
  const p = await phone.newPage();
  const first = await report(p, base, 'en', { word: 'refuse', text: 'For three tabs.' });
  for (const t of tabs) await t.waitForSelector(`[data-test=feed-item][data-code="${first.code}"]`, { timeout: 5000 });
  await tabs[0].close();
  await tabs[1].waitForTimeout(1500);
  const second = await report(p, base, 'en', { word: 'refuse', text: 'For the two that are left.' });
  for (const t of tabs.slice(1)) await t.waitForSelector(`[data-test=feed-item][data-code="${second.code}"]`, { timeout: 5000 });
});

/** The case once it is as awaited, or as it stands after 20 s: what was kept goes out when the line is back, not at once. */
async function reached(page, code, ready) {
  for (let i = 0; ; i++) {
    const x = await api(page, `/api/v1/cases/${code}`);
    if (ready(x) || i >= 40) return x;
    await page.waitForTimeout(500);
  }
}
await run.test('without a line: a report and a move wait, and go out later', async ({ open }) => {
  const at = await workerPlace(open);
  const c = await open({ locale: 'en', at, width: 390 });
  const p = await c.newPage();
  await p.goto(base + '/');
  await settled(p);
  await workerReady(p);
  await p.click('[data-test=no-danger]');
  await p.fill('main input[type=search]', 'refuse');
  await p.locator('main ul button.choice').first().click();
  await p.getByRole('button', { name: 'Use my position' }).click();
  await p.waitForSelector('.note.good');
  await p.click('[data-test=place-next]');
  await p.fill('main textarea', 'Written without a line.');
  await p.waitForTimeout(600);
  await c.setOffline(true);
  await p.reload();
  await p.waitForSelector('main textarea');
  must((await p.inputValue('main textarea')) === 'Written without a line.', 'the draft is gone after a reload without a line');
  await p.click('[data-test=send]');
  await p.waitForSelector('[data-test=outbox]');
  await c.setOffline(false);
  await p.waitForSelector('[data-test=code]', { timeout: 20_000 });
  const code = (await p.textContent('[data-test=code]')).trim();

  const pages = await staffPages(open, 'en', ['operator']);
  await carryOn(pages, base, code, ['accept', 'order_confirm'], 'Please look.', (x) => x.state === 'confirming');
  const doers = await staffPages(open, 'en', ['worker', 'department']);
  const looks = doers[0][1];
  await looks.goto(`${base}/cases/${code}`);
  await settled(looks);
  await workerReady(looks);
  await looks.context().setOffline(true);
  await looks.click('[data-choose=confirm]');
  await looks.locator('form textarea').first().fill('Seen without a line.');
  await looks.click('button[data-move=confirm]');
  await looks.waitForSelector('[data-test=queued-move]');
  await looks.context().setOffline(false);
  await reached(pages[0][1], code, (x) => x.state !== 'confirming');
  await pages[0][1].goto(`${base}/cases/${code}`);
  await pages[0][1].waitForSelector('[data-test=answer]');
  must((await pages[0][1].textContent('[data-test=answer]')).includes('Seen without a line.'), 'the desk does not read what the worker saw');
  await carryOn(pages, base, code, ['file', 'dispatch'], 'Please do.', (x) => x.moves?.every((m) => !['accept', 'file', 'dispatch'].includes(m.name)));
  let done = false;
  for (const [, w] of doers) {
    const x = await api(w, `/api/v1/cases/${code}`);
    if (x.failed || !x.moves?.some((m) => m.name === 'handle')) continue;
    await w.goto(`${base}/cases/${code}`);
    await settled(w);
    await workerReady(w);
    await w.context().setOffline(true);
    await w.setInputFiles('input[type=file]', []).catch(() => undefined);
    await w.click('[data-choose=handle]');
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const file = w.locator('form input[type=file]');
    if (await file.count()) await file.first().setInputFiles({ name: 'after.png', mimeType: 'image/png', buffer: png });
    for (const a of await w.locator('form textarea').all()) await a.fill('Done without a line.');
    await w.click('button[data-move=handle]');
    await w.waitForSelector('[data-test=queued-move]');
    await w.goto(base + '/work').catch(() => undefined);
    await w.waitForSelector('[data-test=kept]');
    await w.context().setOffline(false);
    const after = await reached(pages[0][1], code, (x) => x.state === 'handled');
    must(after.result?.note === 'Done without a line.', `the note was lost: ${JSON.stringify(after.result)} ${after.state}`);
    done = true;
    break;
  }
  must(done, 'nobody was offered to handle the case');
});

await run.test('two people, one case: the second is told what changed', async ({ open }) => {
  const at = await workerPlace(open);
  const c = await open({ locale: 'en', at });
  const mine = await report(await c.newPage(), base, 'en', { word: 'refuse', text: 'Two people work on it.' });
  const one = (await staffPages(open, 'en', ['operator']))[0][1];
  const two = (await staffPages(open, 'en', ['operator']))[0][1];
  for (const p of [one, two]) {
    await p.goto(`${base}/cases/${mine.code}`);
    await settled(p);
  }
  const first = (await api(one, `/api/v1/cases/${mine.code}`)).moves.map((m) => m.name).find((m) => STREET.includes(m));
  await two.click(`[data-choose="${first}"]`);
  for (const a of await two.locator('form textarea').all()) await a.fill('My words stay.');
  await makeMove(one, first, 'First.');
  await two.click(`button[data-move="${first}"]`);
  await two.waitForSelector('[data-test=conflict]');
});

await run.test('print view: no navigation, everything on it', async ({ open }) => {
  const c = await open({ as: 'operator' });
  const p = await c.newPage();
  await p.goto(base + '/work');
  const code = await oneCase(p);
  await p.goto(`${base}/cases/${code}/print`);
  await settled(p);
  await p.emulateMedia({ media: 'print' });
  must((await p.locator('header.top').count()) === 0, 'there is a header');
  must(!(await p.locator('.no-print').first().isVisible()), 'buttons would be printed');
  must((await p.textContent('article')).includes(code), 'the code is missing');
  const pdf = await p.pdf({ format: 'A4', preferCSSPageSize: true });
  must(pdf.length > 5000, 'the PDF is empty');
});

await run.test('a photo of the report is shown to its reporter, and to nobody without the word', async ({ open }) => {
  const at = await workerPlace(open);
  const c = await open({ locale: 'en', at, width: 390 });
  const p = await c.newPage();
  await p.goto(base + '/');
  await p.click('[data-test=no-danger]');
  await p.fill('main input[type=search]', 'refuse');
  await p.locator('main ul button.choice').first().click();
  await p.getByRole('button', { name: 'Use my position' }).click();
  await p.waitForSelector('.note.good');
  await p.click('[data-test=place-next]');
  await p.fill('main textarea', 'With a photo.');
  // A picture as a camera gives it: larger than what is sent.
  const big = await p.evaluate(async () => {
    const k = document.createElement('canvas');
    k.width = 3000;
    k.height = 2000;
    const g = k.getContext('2d');
    for (let i = 0; i < 300; i++) {
      g.fillStyle = `hsl(${i * 7} 70% 50%)`;
      g.fillRect((i * 97) % 2900, (i * 61) % 1900, 160, 120);
    }
    const b = await new Promise((r) => k.toBlob(r, 'image/jpeg', 0.95));
    return Array.from(new Uint8Array(await b.arrayBuffer()));
  });
  await p.setInputFiles('main input[type=file]', { name: 'street.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(big) });
  await p.waitForSelector('main figure img');
  await p.click('[data-test=send]');
  await p.waitForSelector('[data-test=word]');
  const code = (await p.textContent('[data-test=code]')).trim();
  await p.goto(base + (await p.getAttribute('[data-test=follow-link]', 'href')));
  await settled(p);
  const image = p.locator('main .photos img').first();
  await image.scrollIntoViewIfNeeded();
  await p.waitForFunction(() => (document.querySelector('main .photos img')?.naturalWidth ?? 0) > 0);
  await p.click('main .photos button');
  await p.waitForFunction(() => (document.querySelector('dialog img')?.naturalWidth ?? 0) > 1000);
  must((await p.evaluate(() => document.querySelector('dialog img').naturalWidth)) <= 2048, 'the photo was not made smaller');
  await p.keyboard.press('Escape');
  await p.waitForSelector('dialog', { state: 'detached' });
  const src = (await image.getAttribute('src')).replace(/[?&]ticket=[^&]*/, '');
  const bare = await p.evaluate((u) => fetch(u).then((r) => r.status), src);
  must(bare === 401 || bare === 403 || bare === 404, `the photo answers ${bare} to a stranger`);
  const pub = await api(p, `/api/v1/public/cases/${code}`);
  must(!pub.description && !pub.photos?.length, 'text or photos are public before they were released');
});

await run.test('administration: an account is made, gets its first password by link, and signs in', async ({ open }) => {
  const c = await open({ as: 'system_admin', locale: 'en' });
  const p = await c.newPage();
  await p.goto(base + '/admin/accounts');
  await settled(p);
  await p.getByRole('button', { name: 'New account' }).click();
  const name = `walk${Date.now() % 1e8}`;
  const box = p.locator('dialog');
  await box.getByLabel('Account', { exact: true }).fill(name);
  await box.getByLabel('Shown name').fill('Walk Test');
  await box.getByLabel('Role').selectOption('verifier');
  await box.getByRole('button', { name: 'Save' }).click();
  await p.waitForSelector('.note.good');
  await p.getByLabel('Find an account').fill(name);
  await p.getByRole('button', { name: `Edit ${name}` }).click();
  await p.getByRole('button', { name: 'Make a reset link' }).click();
  const link = (await p.locator('dialog .link').textContent()).trim();
  const d = await open({ locale: 'en' });
  const q = await d.newPage();
  await q.goto(link);
  const secret = 'a calm long phrase 7';
  await q.getByLabel('New password', { exact: true }).fill(secret);
  await q.getByLabel('New password again').fill(secret);
  await q.getByRole('button', { name: 'Save the new password' }).click();
  await q.waitForSelector('.note.good');
  await run.signIn(q, { name, password: secret });
  must((await q.getByRole('link', { name: 'My work' }).count()) > 0, 'the new verifier has no work page');
  must((await q.getByRole('link', { name: 'Accounts' }).count()) === 0, 'the new verifier sees the accounts');
});

await run.test('posts: cover for a leave is arranged and ended', async ({ open }) => {
  const c = await open({ as: 'operator', locale: 'en' });
  const p = await c.newPage();
  await p.goto(base + '/posts');
  const posts = await api(p, `/api/v1/posts?account=${run.account('worker').name}`);
  const post = posts.items.find((x) => x.cell);
  const edit = async (cover, until) => {
    await p.goto(`${base}/posts?cell=${post.cell}`);
    await settled(p);
    await p.getByRole('button', { name: /^Edit/ }).first().click();
    await p.locator('dialog').getByLabel('Cover', { exact: true }).fill(cover);
    await p.locator('dialog').getByLabel('Cover until').fill(until);
    await p.locator('dialog').getByRole('button', { name: 'Save' }).click();
    await p.waitForSelector('.wrap > .note.good');
    return (await api(p, `/api/v1/posts?cell=${post.cell}`)).items[0];
  };
  const covered = await edit(run.account('verifier').name, '2099-01-31');
  must(covered.cover?.account === run.account('verifier').name, `cover is ${JSON.stringify(covered.cover)}`);
  const ended = await edit('', '');
  must(!ended.cover, `cover is still ${JSON.stringify(ended.cover)}`);
});

await run.test('search: two Chinese characters find cases', async ({ open }) => {
  const c = await open({ as: 'operator' });
  const p = await c.newPage();
  await p.goto(base + '/cases');
  await settled(p);
  await p.fill('[data-test=q]', '垃圾');
  await p.keyboard.press('Enter');
  await p.waitForURL(/q=/);
  await settled(p);
  must((await p.locator('table.list tbody tr').count()) > 0, 'nothing found');
});

await run.test('a stranger is sent to the sign-in and back', async ({ open }) => {
  const c = await open({});
  const p = await c.newPage();
  await p.goto(base + '/desk');
  await p.waitForURL(/signin/);
  const a = run.account('operator');
  await p.fill('input[name=username]', a.name);
  await p.fill('input[name=password]', 'wrong password');
  await p.click('main button[type=submit]');
  await p.waitForSelector('.note.bad');
  await p.fill('input[name=password]', a.password);
  await p.click('main button[type=submit]');
  await p.waitForURL(/\/desk/);
});

// Before the walks that put another index in force.
await warningWalks(run, base);
await indexWalks(run, base);
await briefingWalks(run, base);
await emergencyWalks(run, base, workerPlace);

await run.test('first screen of a resident stays small', async ({ open }) => {
  const c = await open({ locale: 'en', width: 390 });
  const p = await c.newPage();
  const cdp = await c.newCDPSession(p);
  await cdp.send('Network.enable');
  await cdp.send('Network.setBypassServiceWorker', { bypass: true });
  let bytes = 0;
  cdp.on('Network.loadingFinished', (e) => (bytes += e.encodedDataLength));
  await p.goto(base + '/');
  await settled(p);
  console.log(`# first screen: ${Math.round(bytes / 1024)} kB`);
  must(bytes < 300 * 1024, `${Math.round(bytes / 1024)} kB`);
});

await run.test('no request to any other host', async () => {
  const own = new URL(base).host;
  const others = [...run.hosts].filter((h) => h !== own);
  must(others.length === 0, others.join(', '));
});

await end();
