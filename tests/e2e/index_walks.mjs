/** The index in a real browser: read, doubted, taken apart, tried out, frozen, signed off, and seen by a stranger. */
import { api, axe, must, overflow, settled } from './lib.mjs';

const LOOK = ['/index', '/index?wall=1', '/index?level=community', '/indicators', '/indicators/disputes_in_time?period=2026&level=town', '/indicators/survey_safe', '/index/safety/backtest?level=community'];
/** A value as the page writes it: whole points where the server tells no more. */
const shown = (v) => (Number.isInteger(v) ? String(v) : v.toFixed(1));
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
  const c = await open({ ...more, as: 'analyst' });
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
  await p.goto(`${base}/index/safety/edit`);
  await settled(p);
  await p.waitForSelector('[data-test=places]');
  await look(p, 'the editor');
  if (more.locale === 'en') return;
  await p.locator('[data-test=pairs]').last().click();
  await p.waitForSelector('[data-test=consistency]');
  await look(p, 'weights by pairs');
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
      must(rows[i].includes(a.name_en) && rows[i].includes(shown(a.value)), `row ${i}: ${rows[i]}`);
      must(rows[i].includes(v.bands.find((b) => b.band === a.band).title.en), `row ${i} has no word for its colour`);
      must(rows[i].includes('Not distinguishable') === (i + 1 < scored.length && a.above_next < 0.9), `row ${i}: doubt is not told as it is`);
    });
    must((await p.locator('[data-test=freeze]').count()) === 0, 'somebody without the right is offered to freeze');
    await p.locator('[data-test=ranking] tbody tr a').first().click();
    await p.waitForURL(/\/index\/safety\//);
    await settled(p);
    must((await p.textContent('[data-test=sentence]')).startsWith(shown(scored[0].value)), 'the sentence does not begin with the value');
    const one = await api(p, `/api/v1/indices/safety/areas/${scored[0].area}?period=${v.period}`);
    const points = (await p.locator('[data-test=contributions] tbody tr.group td:last-child').allTextContents()).map(number).filter((x) => !Number.isNaN(x));
    const sum = points.reduce((a, b) => a + b, 0);
    // What is held back is missing in the sum, and only then.
    must(one.rounded ? sum < scored[0].value + 1 : Math.abs(sum - scored[0].value) < 0.06 * points.length, `groups add up to ${sum}, the value is ${scored[0].value}`);
    const steps = await p.locator('[data-test=waterfall] tbody tr td:last-child').allTextContents();
    must((steps.length > 0) === (one.moved !== null && one.value !== null && one.before !== null), 'the waterfall stands where there is nothing to share out, or not where there is');
    if (steps.length) {
      const [from, ...by] = steps.map((x) => number(/[+−]?[\d.]+/.exec(x)[0]));
      const to = by.pop();
      must(Math.abs(from + by.reduce((a, b) => a + b, 0) - to) < 0.06 * by.length + (one.moved.rounded ? 0.6 : 0), `the steps lead from ${from} to ${from + by.reduce((a, b) => a + b, 0)}, not to ${to}`);
    }
    must((await p.locator('.trend table tbody tr').count()) === 13, 'the trend has not 13 periods');
    await p.locator('a', { hasText: 'Back to the index' }).click();
    await p.waitForURL((u) => u.pathname === '/index' && u.searchParams.get('period') === v.period);
    await p.waitForSelector('[data-test=area-map] [data-area]');
    must((await p.locator('[data-test=area-map] [data-area]').count()) === v.areas.length, 'areas are missing on the map');
    await p.hover('[data-test=ranking] tbody tr:last-child td a');
    must((await p.textContent('[data-test=map-told]')).includes(scored.at(-1).name_en), 'the row that is pointed at is not told on the map');
    await p.click(`[data-test=area-map] [data-area="${scored[0].area}"]`);
    await p.waitForURL((u) => u.pathname === `/index/safety/${scored[0].area}`);
    await settled(p);
    await p.waitForSelector('[data-test=area-map] [data-area]');
    await p.click(`[data-test=area-map] [data-area="${scored[1].area}"]`);
    await p.waitForSelector('[data-test=compared]');
    must((await p.textContent('[data-test=compared]')).includes(scored[1].name_en), 'the area chosen on the map is not compared with');
  });

  await run.test('index: the editor: a fault at its field, what would follow, pairs, a draft, and in force from a day on', async ({ open }) => {
    const c = await open({ as: 'analyst', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index/safety/edit`);
    await settled(p);
    const state = (w) => p.waitForFunction((x) => document.querySelector('[data-test=edit-state]')?.textContent.includes(x), w);
    const checked = (w) => p.waitForFunction((x) => document.querySelector('[data-test=check]')?.textContent.includes(x), w);
    await state('version 1');
    const row = p.locator('[data-node=hazards_in_time] > .line');
    const best = row.locator('[data-test=best]');
    await best.fill('10');
    await best.press('Tab');
    await checked('1 fault');
    must((await p.locator('[data-node=hazards_in_time] > [data-test=fault]').count()) === 1, 'the fault is not at its field');
    must(await p.locator('[data-test=enforce]').isDisabled(), 'what has a fault can be put in force');
    await best.fill('100');
    await best.press('Tab');
    await checked('Nothing is wrong');
    const group = p.locator('[data-node=city_management] > .line [data-test=weight]').first();
    await group.fill('3');
    await group.press('Tab');
    await checked('Checking');
    await checked('Nothing is wrong');
    const preview = await p.locator('[data-test=preview] tbody tr').allTextContents();
    must(preview.some((x) => /(\S+) → (\S+)/.test(x) && /(\S+) → (\S+)/.exec(x)[1] !== /(\S+) → (\S+)/.exec(x)[2]), `another weight, the same values: ${preview}`);
    const fire = p.locator('[data-node=fire_work]');
    await fire.locator('details', { hasText: 'comparing' }).last().locator('summary').click();
    await fire.locator('[data-test=pairs]').click();
    await p.locator('[data-test=pair]').first().press('Home');
    await p.waitForFunction(() => document.querySelector('[data-test=pair-weights]')?.textContent.includes('90.0'));
    await p.click('[data-test=take-pairs]');
    must(await fire.locator('[data-node=fire_rate] > .line [data-test=weight]').isDisabled(), 'weights by pairs can be typed over');
    await checked('Nothing is wrong');
    await p.selectOption('[data-test=outcome]', 'fires');
    await p.check('[data-mean=harmonic]');
    await checked('Nothing is wrong');
    await p.click('[data-test=as-text]');
    const text = await p.inputValue('[data-test=yaml]');
    must(/^outcome: fires$/m.test(text) && /^population: residents$/m.test(text) && text.includes('means: [arithmetic, harmonic]') && text.includes('pairwise:') && text.startsWith('# '), 'the text has lost something');
    await p.fill('[data-test=yaml]', text.replace('population: residents', 'populaton: residents'));
    await p.getByRole('button', { name: 'Outline' }).click();
    await p.waitForSelector('[data-test=cannot]');
    must((await p.textContent('[data-test=head-fault]')).includes('Do you mean "population"?'), 'the fault of a text is not told in words');
    await p.fill('[data-test=yaml]', text.replace('population: residents', 'population: nobody'));
    await p.getByRole('button', { name: 'Outline' }).click();
    await p.locator('.field', { has: p.locator('[data-test=population]') }).locator('.error', { hasText: 'There is no indicator "nobody"' }).waitFor();
    await p.selectOption('[data-test=population]', 'residents');
    await checked('Nothing is wrong');
    await p.click('[data-test=save-draft]');
    await state('Draft');
    await p.reload();
    await settled(p);
    await state('Draft');
    must((await p.inputValue('[data-node=city_management] > .line [data-test=weight]')) === '3', 'the draft has not been kept');
    await checked('Nothing is wrong');
    await p.click('[data-test=enforce]');
    must((await p.inputValue('[data-test=version]')) === '2', 'the next version is not offered');
    await p.click('[data-test=enforce-now]');
    await state('version 2');
    const now = await api(p, '/api/v1/indices/safety/values?level=town');
    must(now.version === 1, `a month before that day is formed by version ${now.version}`);
  });

  await run.test('index: what foresaw what is told plainly, and a value leads to its cases', async ({ open }) => {
    const c = await open({ as: 'supervisor', locale: 'en' });
    const p = await c.newPage();
    await p.goto(`${base}/index/safety/backtest?level=community`);
    await settled(p);
    const b = await api(p, '/api/v1/indices/safety/backtest?level=community');
    const said = await p.textContent('[data-test=verdict]');
    must({ too_little: /too little data/, none_better: /No indicator foresaw/, some_better: /^Better than/ }[b.verdict].test(said.trim()), `${b.verdict}: ${said}`);
    await p.goto(`${base}/indicators/city_in_time?level=town`);
    await settled(p);
    await p.locator('[data-test=open-cases]').first().click();
    await p.waitForSelector('[data-test=cases] tbody tr');
    const v = await api(p, '/api/v1/indicators/city_in_time/values?level=town');
    const list = await api(p, `/api/v1/indicators/city_in_time/values/${v.areas[0].area}/cases?limit=200&period=${v.period}`);
    must(list.items.length + list.others === v.areas[0].denominator, `${list.items.length} cases and ${list.others} others behind ${v.areas[0].denominator}`);
    await p.locator('[data-test=cases] tbody tr a').first().click();
    await p.waitForURL(/\/cases\//);
    await settled(p);
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
    // A city where nothing is signed off yet.
    const none = '**/api/v1/public/indices';
    await q.route(none, async (r) => {
      const list = await (await r.fetch()).json();
      await r.fulfill({ json: { ...list, items: list.items.map((d) => ({ ...d, published: [] })) } });
    });
    await q.goto(base + '/');
    await q.getByRole('link', { name: 'Safety of the city' }).first().click();
    await q.waitForURL(/\/safety/);
    await settled(q);
    await q.waitForSelector('[data-test=nothing]');
    must(!(await axe(q)), `axe, nothing signed off: ${await axe(q)}`);
    await q.unroute(none);
    // The demo's leader signed months that are complete; the last one is for this walk.
    await q.reload();
    await settled(q);
    const earlier = await q.textContent('[data-test=whole]');
    must(/\d/.test(earlier) && (await q.locator('[data-test=place]').count()) > 0, `the demo shows nothing to a stranger: ${earlier}`);
    must((await q.locator('.trend table tbody tr').count()) > 0, 'no table stands behind the trend');
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
    must((await q.textContent('[data-test=whole]')) === earlier, 'what nobody has signed is shown');
    await done('freeze', 'Nothing has changed');
    must((await p.locator('[data-test=late]').count()) === 0, 'late data is told where none came');
    await done('publish', 'open to the public');
    await state('Signed off');
    await q.reload();
    await settled(q);
    const places = await q.locator('[data-test=place]').allTextContents();
    must(places.length === v.areas.length, `${places.length} places for ${v.areas.length} areas`);
    const signed = await api(q, `/api/v1/public/indices/safety/values?level=town&period=${v.period}`);
    for (const a of signed.areas) {
      const name = v.areas.find((x) => x.area === a.area).name_en;
      must(a.value === null || places.some((x) => x.includes(name) && (a.too_small || x.includes(shown(a.value)))), `${name} is not shown with its value`);
    }
    await q.locator('[data-test=place] button').first().click();
    await q.waitForSelector('[data-test=one]');
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
    // Earlier months stand below it, each with its own check sum.
    const own = lines.filter((l) => l.includes(`,${v.period},`));
    must(own.length === v.areas.length && lines.length > own.length + 1, `${own.length} of ${lines.length - 1} lines of data for ${v.areas.length} areas`);
    must(own.every((l) => l.includes(v.hash)) && lines.every((l, i) => i === 0 || /[0-9a-f]{64}/.test(l)), 'a line of data does not name its check sum');
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
