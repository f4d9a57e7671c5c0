/** Briefings in a real browser: nothing yet, formed, looked at, signed off, printed, told to a reader, taken back. */
import { api, axe, must, overflow, settled } from './lib.mjs';

const PERIOD_TAIL = /briefing-month-\d{4}-\d{2}-\d+-(zh-CN|en)\.pdf/;

/** Forms last month's briefing of the city by the page and leaves it open. */
async function form(p, base) {
  await p.goto(`${base}/briefings`);
  await settled(p);
  await p.click('[data-test=form]');
  await p.locator('dialog [data-test=area] option').nth(1).waitFor({ state: 'attached' });
  await p.click('[data-test=form-now]');
  await p.waitForURL(/\/briefings\/\d+$/);
  await p.waitForSelector('[data-test=risks]');
  await settled(p);
}
async function look(p, name, found) {
  const wide = await overflow(p);
  if (wide > 0) found.push(`${name}: ${wide} px too wide`);
  const a = await axe(p);
  if (a) found.push(`${name}: ${a}`);
}

export async function briefingWalks(run, base) {
  await run.test('briefings: formed by an analyst, signed by a leader, printed, read by the desk, withdrawn', async ({ open }) => {
    const analyst = await (await open({ as: 'analyst', locale: 'zh-CN' })).newPage();
    await form(analyst, base);
    const path = new URL(analyst.url()).pathname;
    must(!(await analyst.locator('[data-test=sign]').count()), 'an analyst is offered to sign');
    const desk = await (await open({ as: 'operator', locale: 'en' })).newPage();
    await desk.goto(base + '/briefings');
    await settled(desk);
    must(!(await desk.locator(`a[href="${path}"]`).count()), 'the desk sees a draft');
    const leader = await (await open({ as: 'leader', locale: 'en' })).newPage();
    await leader.goto(base + path);
    await leader.waitForSelector('[data-test=sign]');
    const said = await leader.textContent('[data-test=sentence]');
    must(/Safety Index \d/.test(said), `the first sentence is "${said}"`);
    must((await leader.locator('[data-test=areas] table tbody tr').count()) > 1, 'no table of areas');
    must((await leader.locator('[data-test=areas] svg path').count()) > 1, 'no map of areas');
    await leader.click('[data-test=sign]');
    await leader.fill('dialog textarea', 'Look at food first.');
    await leader.click('[data-test=confirm]');
    await leader.waitForSelector('[data-test=done]');
    await leader.waitForFunction(() => document.querySelector('[data-test=state]')?.classList.contains('green'));
    must((await leader.textContent('[data-test=note]')).includes('Look at food first.'), 'the remark is not shown');
    for (const p of [leader, analyst]) {
      await p.reload();
      await p.waitForSelector('[data-test=pdf]');
      const [file] = await Promise.all([p.waitForEvent('download'), p.click('[data-test=pdf]')]);
      must(PERIOD_TAIL.test(file.suggestedFilename()), file.suggestedFilename());
      const bytes = [];
      for await (const part of await file.createReadStream()) bytes.push(part);
      must(Buffer.concat(bytes).subarray(0, 5).toString() === '%PDF-', 'the file is no PDF');
    }
    await desk.goto(base + '/briefings');
    await desk.click(`[data-test=signed] a[href="${path}"]`);
    await desk.waitForSelector('[data-test=risks]');
    must(!(await desk.locator('[data-test=withdraw]').count()), 'the desk is offered to withdraw');
    must((await api(desk, '/api/v1/notices')).items.some((n) => n.kind === 'briefing_signed'), 'the desk was not told');
    await leader.click('[data-test=withdraw]');
    await leader.fill('dialog textarea', 'A figure was wrong.');
    await leader.click('[data-test=confirm]');
    await leader.waitForFunction(() => document.querySelector('[data-test=state]')?.classList.contains('red'));
  });

  for (const locale of ['zh-CN', 'en']) {
    await run.test(`briefings: axe finds nothing, nothing scrolls sideways at 360 px (${locale})`, async ({ open }) => {
      const found = [];
      const p = await (await open({ as: 'supervisor', locale })).newPage();
      await form(p, base);
      for (const d of await p.locator('main details summary').all()) await d.click();
      await look(p, 'one, wide', found);
      await p.setViewportSize({ width: 360, height: 740 });
      await look(p, 'one, 360 px', found);
      await p.click('[data-test=sign]');
      await p.waitForSelector('dialog');
      await look(p, 'the question before signing', found);
      await p.keyboard.press('Escape');
      await p.goto(base + '/briefings');
      await p.waitForSelector('[data-test=draft]');
      await look(p, 'the list, 360 px', found);
      await p.goto(base + '/briefings?kind=day');
      await settled(p);
      await look(p, 'a list with nothing in it', found);
      must(found.length === 0, found.join(' || '));
    });
  }
}
