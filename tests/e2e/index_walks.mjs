/** The index in a real browser: read, doubted, taken apart, tried out, frozen, signed off, and seen by a stranger. */
import { api, axe, must, overflow, settled } from './lib.mjs';

const LOOK = ['/index', '/index?level=community', '/indicators', '/indicators/disputes_in_time?period=2026&level=town', '/indicators/fire_rate'];
const number = (text) => Number(text.replace('−', '-').replace('+', ''));

async function towns(page) {
  const v = await api(page, '/api/v1/indices/safety/values?level=town');
  must(!v.failed && v.areas.some((a) => a.value !== null), 'no town has a score in the demo city');
  return v;
}
/** Tab until the wanted element has the focus. */
async function reach(p, selector) {
  for (let i = 0; i < 120; i++) {
    if (await p.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    await p.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached by Tab`);
}
async function openWhatIf(p) {
  await p.click('[data-test=what-if]');
  await p.locator('input[type=range]').first().waitFor();
}

/** Every index screen of staff, at a width and in a language. */
async function screens(open, base, more, look) {
  const c = await open({ ...more, as: 'supervisor' });
  const p = await c.newPage();
  for (const path of LOOK) {
    await p.goto(base + path);
    await settled(p);
    await look(p, path);
  }
  const v = await towns(p);
  const [one, two] = v.areas;
  await p.goto(`${base}/index/safety/${one.area}?period=${v.period}&with=${two.area}`);
  await settled(p);
  await p.waitForSelector('[data-test=compared]');
  for (const d of await p.locator('main details summary').all()) await d.click();
  await look(p, 'one area, compared, tables open');
  await p.goto(`${base}/index?level=town&period=${v.period}`);
  await settled(p);
  await openWhatIf(p);
  await p.locator('input[type=range]').first().press('End');
  await p.waitForSelector('[data-test=what-if-table]');
  await look(p, 'what if');
  // With a score of 0 somewhere there is no such mean: that is said in plain words.
  await p.locator('select').last().selectOption('geometric');
  await p.waitForFunction(() => document.querySelector('[data-test=no-mean]') ?? (document.querySelector('[data-test=what-if-table]') && !document.querySelector('[data-test=moved] .spinner')));
  await look(p, 'what if, another mean');
  await p.click('[data-test=freeze]');
  await p.waitForSelector('dialog');
  await look(p, 'the question before freezing');
}

export async function indexWalks(run, base) {
  for (const locale of ['zh-CN', 'en']) {
    await run.test(`index: axe finds nothing, nothing scrolls sideways at 360 px (${locale})`, async ({ open }) => {
      const found = [];
      await screens(open, base, { locale, width: 1440 }, async (p, name) => {
        const v = await axe(p);
        if (v) found.push(`${name}: ${v}`);
      });
      await screens(open, base, { locale, width: 360, height: 740 }, async (p, name) => {
        const px = await overflow(p);
        if (px > 0) found.push(`${name}: ${px} px`);
      });
      must(found.length === 0, found.join(' || '));
    });
  }

  await run.test('index: the ranking is the server\'s, an area is explained, its parts add up', async ({ open }) => {
    const c = await open({ as: 'operator', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index?level=town`);
    await settled(p);
    const v = await towns(p);
    const scored = v.areas.filter((a) => a.value !== null);
    const rows = await p.locator('[data-test=ranking] tbody tr').allTextContents();
    must(rows.length === scored.length, `${rows.length} rows for ${scored.length} areas`);
    scored.forEach((a, i) => {
      must(rows[i].includes(a.name_en) && rows[i].includes(a.value.toFixed(1)), `row ${i}: ${rows[i]}`);
      must(rows[i].includes(v.bands.find((b) => b.band === a.band).title.en), `row ${i} has no word for its colour`);
      must(rows[i].includes('Not distinguishable') === (i + 1 < scored.length && a.above_next < 0.9), `row ${i}: doubt is not told as it is`);
    });
    must((await p.locator('[data-test=freeze]').count()) === 0, 'somebody without the right is offered to freeze');
    await p.locator('[data-test=ranking] tbody tr a').first().click();
    await p.waitForURL(/\/index\/safety\//);
    await settled(p);
    must((await p.textContent('[data-test=sentence]')).startsWith(scored[0].value.toFixed(1)), 'the sentence does not begin with the value');
    const points = await p.locator('[data-test=contributions] tbody tr.group td:last-child').allTextContents();
    const sum = points.map(number).filter((x) => !Number.isNaN(x)).reduce((a, b) => a + b, 0);
    must(Math.abs(sum - scored[0].value) < 0.06 * points.length, `groups add up to ${sum}, the value is ${scored[0].value}`);
    const one = await api(p, `/api/v1/indices/safety/areas/${scored[0].area}?period=${v.period}`);
    const moves = one.parts.filter((x) => x.state && x.change !== null);
    must((await p.locator('[data-test=waterfall]').count()) === (moves.length ? 1 : 0), 'the waterfall stands where there is nothing to share out, or not where there is');
    must((await p.locator('.trend table tbody tr').count()) === 13, 'the trend has not 13 periods');
    await p.locator('a', { hasText: 'Back to the index' }).click();
    await p.waitForURL((u) => u.pathname === '/index' && u.searchParams.get('period') === v.period);
  });

  await run.test('index: keyboard alone: other period, what if, and out of the question again', async ({ open }) => {
    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index?level=town`);
    await settled(p);
    const v = await towns(p);
    const words = await p.textContent('[data-test=period]');
    await reach(p, '[data-test=previous]');
    await p.keyboard.press('Enter');
    await p.waitForFunction((w) => document.querySelector('[data-test=period]').textContent !== w, words);
    await settled(p);
    must(await p.evaluate(() => document.activeElement?.matches('[data-test=previous]')), 'the focus is lost after a step');
    await reach(p, '[data-test=next]');
    await p.keyboard.press('Enter');
    await p.waitForFunction((w) => document.querySelector('[data-test=period]').textContent === w, words);
    await settled(p);
    await reach(p, '[data-test=freeze]');
    await p.keyboard.press('Enter');
    await p.waitForSelector('dialog');
    must(await p.evaluate(() => document.activeElement?.closest('dialog') !== null), 'the focus is not in the question');
    await p.keyboard.press('Escape');
    await p.waitForSelector('dialog', { state: 'detached' });
    must(await p.evaluate(() => document.activeElement?.matches('[data-test=freeze]')), 'the focus does not come back');
    await reach(p, '[data-test=what-if]');
    await p.keyboard.press('Enter');
    await reach(p, 'input[type=range]');
    await p.keyboard.press('End');
    await p.waitForSelector('[data-test=what-if-table]');
    must((await p.locator('[data-test=what-if-table] tbody tr').count()) === v.areas.filter((a) => a.value !== null).length, 'areas are missing in the table');
    await reach(p, '[data-test=reset]');
    await p.keyboard.press('Enter');
    await p.waitForSelector('[data-test=what-if-table]', { state: 'detached' });
    const after = await towns(p);
    must(after.hash === v.hash && after.formula_hash === v.formula_hash, 'trying out has changed the index');
  });

  await run.test('index: an indicator says what it is, and what may not be told', async ({ open }) => {
    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/indicators`);
    await settled(p);
    await p.fill('[data-test=find]', 'Disputes settled');
    await p.locator('main table a').first().click();
    await p.waitForURL(/disputes_in_time/);
    await settled(p);
    must((await p.textContent('main')).includes('process == "dispute"'), 'the condition is not shown');
    await p.goto(`${base}/indicators/disputes_in_time?level=town`);
    await settled(p);
    const v = await api(p, '/api/v1/indicators/disputes_in_time/values?level=town');
    const hidden = v.areas.filter((a) => a.state === 'below_floor').length;
    const told = (await p.locator('[data-test=by-area] tbody tr').allTextContents()).filter((x) => x.includes('fewer than ten: not told')).length;
    must(told === hidden, `${hidden} figures are hidden, ${told} say so`);
    await p.goto(`${base}/indicators/no_such_thing`);
    await settled(p);
    await p.waitForSelector('[role=alert]');
  });

  await run.test('index: frozen and signed off by the supervisor, then seen by a stranger', async ({ open }) => {
    const outside = await open({ locale: 'en' });
    const q = await outside.newPage();
    await q.goto(base + '/');
    await q.getByRole('link', { name: 'Safety of the city' }).first().click();
    await q.waitForURL(/\/safety/);
    await settled(q);
    await q.waitForSelector('[data-test=nothing]');
    must(!(await axe(q)), `axe, nothing signed off: ${await axe(q)}`);
    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index?level=town`);
    await settled(p);
    const v = await towns(p);
    const state = (word) => p.waitForFunction((w) => document.querySelector('[data-test=state]')?.textContent.includes(w), word);
    const done = async (button, word) => {
      await p.click(`[data-test=${button}]`);
      await p.click('[data-test=confirm]');
      await p.waitForFunction((w) => document.querySelector('[data-test=done]')?.textContent.includes(w), word);
    };
    await state('Provisional');
    must((await p.locator('[data-test=publish]').count()) === 0, 'what is not frozen can be signed off');
    await done('freeze', 'Frozen.');
    await state('Frozen');
    await q.reload();
    await settled(q);
    await q.waitForSelector('[data-test=nothing]');
    await done('freeze', 'Nothing has changed');
    must((await p.locator('[data-test=late]').count()) === 0, 'late data is told where none came');
    await done('publish', 'open to the public');
    await state('Signed off');
    await q.reload();
    await settled(q);
    const places = await q.locator('[data-test=place]').allTextContents();
    must(places.length === v.areas.length, `${places.length} places for ${v.areas.length} areas`);
    for (const a of v.areas) must(a.value === null || places.some((x) => x.includes(a.name_en) && (a.too_small || x.includes(a.value.toFixed(1)))), `${a.name_en} is not shown with its value`);
    must((await q.locator('[data-test=tiers]').count()) === 0, 'ranks are shown before somebody asked');
    await q.click('[data-test=ranks]');
    await q.waitForSelector('[data-test=tiers]');
    const ranked = await q.locator('[data-test=tiers] li').allTextContents();
    for (const line of ranked) must(/^Rank \d+: [^,]+$/.test(line.trim()) || line.includes('not distinguishable'), `a rank that is not one: ${line}`);
    must(!(await axe(q)), `axe, signed off: ${await axe(q)}`);
    const [file] = await Promise.all([q.waitForEvent('download'), q.click('[data-test=csv]')]);
    const stream = await file.createReadStream();
    let text = '';
    for await (const part of stream) text += part;
    const lines = text.trim().split('\r\n');
    must(lines.length === v.areas.length + 1, `${lines.length - 1} lines of data for ${v.areas.length} areas`);
    must(lines.every((l, i) => i === 0 || l.includes(v.hash)), 'a line of data does not name its check sum');
    for (const locale of ['zh-CN', 'en']) {
      const phone = await open({ locale, width: 360, height: 740 });
      const s = await phone.newPage();
      await s.goto(base + '/safety');
      await settled(s);
      must((await overflow(s)) <= 0, `the public page is wider than the phone (${locale})`);
      must(!(await axe(s)), `axe, phone, ${locale}: ${await axe(s)}`);
    }
    await q.emulateMedia({ media: 'print' });
    must(!(await q.locator('[data-test=csv]').isVisible()), 'buttons would be printed');
  });
}
