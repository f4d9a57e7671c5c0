/** Clocks that stand: an emergency from its declaration to its end, and a suspension that is asked for and approved. */
import { api, axe, must, overflow, settled } from './lib.mjs';
import { carryOn, report } from './walks.mjs';

const KIND = 'event-01';

/** Waits until `found` gives something: the cases are gone through in the background. */
async function until(what, found) {
  for (let i = 0; i < 200; i++) {
    const x = await found();
    if (x) return x;
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`${what}: not within 20 s`);
}
async function page(open, base, as, path, more = {}) {
  const c = await open({ as, locale: 'en', ...more });
  const p = await c.newPage();
  await p.goto(base + path);
  await settled(p);
  return p;
}
async function shot(run, p, name) {
  if (run.o.shots) await p.screenshot({ path: `${run.o.shots}/${name}.png`, fullPage: true });
}
/** A report with its case, by a resident at the worker's place. */
async function newCase(open, base, at) {
  const c = await open({ locale: 'en', width: 390, height: 800, at, touch: true });
  const p = await c.newPage();
  return { p, ...(await report(p, base, 'en', { word: 'refuse', text: 'Refuse has been lying here for two days.' })) };
}

export async function emergencyWalks(run, base, workerPlace) {
  await run.test('emergency: declared by the desk, approved by a leader, a case shows that its clock stands, and ends', async ({ open }) => {
    const mine = await newCase(open, base, await workerPlace(open));
    const desk = await page(open, base, 'operator', '/emergencies');
    await shot(run, desk, 'emergencies-empty');
    await desk.click('[data-test=new]');
    await desk.waitForSelector('[data-input=area-0]');
    await desk.fill('[data-input=title]', 'Heavy rain');
    await desk.click('button[type=submit]');
    must((await desk.locator('[role=alert]').count()) >= 2, 'what is missing is not told');
    await desk.check(`[data-kind="${KIND}"]`);
    await desk.fill('[data-input=reason]', 'Streets stand under water.');
    const told = Number(/(\d+)/.exec(await desk.locator('[data-test=preview] .strong').textContent())[1]);
    must(told >= 1, `it says that ${told} clocks would stand`);
    must((await axe(desk)) === '', `declaring: ${await axe(desk)}`);
    await shot(run, desk, 'emergencies-declare');
    await desk.click('form[data-test=declare] button[type=submit]');
    await desk.waitForSelector('[data-state=declared]');
    must((await desk.locator('[data-state=declared] [data-test=approve]').count()) === 0, 'who declared is offered to approve');
    must((await api(desk, `/api/v1/cases/${mine.code}`)).light !== 'paused', 'declared is not approved');

    const leader = await page(open, base, 'leader', '/index');
    await leader.click('[data-banner=declared] a');
    await leader.waitForSelector('[data-state=declared]');
    await leader.click('[data-test=approve]');
    await shot(run, leader, 'emergencies-approve');
    await leader.click('[data-test=yes-approve]');
    await leader.waitForSelector('[data-state=paused]');
    await until('the clocks stand', async () => (await api(desk, '/api/v1/emergencies?open=true')).items.find((e) => e.state === 'paused' && !e.working));

    await desk.goto(`${base}/cases/${mine.code}`);
    await settled(desk);
    must((await desk.getAttribute('[data-test=paused]', 'data-why')) === 'emergency', 'the case does not say why its clock stands');
    must((await desk.locator('[data-banner=paused]').count()) === 1, 'no line tells that an emergency is in force');
    must((await desk.locator('main .chip.paused').first().textContent()).trim() === 'clock stands', 'the light');
    await shot(run, desk, 'case-emergency');
    must((await axe(desk)) === '', `a case that stands: ${await axe(desk)}`);
    await mine.p.goto(base + mine.link);
    await settled(mine.p);
    must((await mine.p.getAttribute('[data-test=paused]', 'data-why')) === 'emergency', 'the resident is not told');
    must((await overflow(mine.p)) <= 0, 'the resident must scroll sideways');
    await shot(run, mine.p, 'follow-emergency');

    await desk.goto(base + '/emergencies');
    await settled(desk);
    must((await axe(desk)) === '', `in force: ${await axe(desk)}`);
    await shot(run, desk, 'emergencies-in-force');
    await desk.click('[data-state=paused] [data-test=end]');
    await desk.click('[data-test=yes-end]');
    await desk.waitForSelector('table [data-emergency]');
    const runs = await until('the clock runs', async () => {
      const c = await api(desk, `/api/v1/cases/${mine.code}`);
      return c.paused === null && c.due ? c : null;
    });
    must(runs.route.some((s) => s.move === 'emergency_pause') && runs.route.some((s) => s.move === 'emergency_resume'), 'the log lacks the pause');
  });

  await run.test('a suspension is asked for by the unit and approved at the desk', async ({ open }) => {
    const mine = await newCase(open, base, await workerPlace(open));
    const desk = await page(open, base, 'operator', '/desk');
    const unit = await page(open, base, 'department', '/work', { width: 390, height: 800 });
    const own = (await api(unit, '/api/v1/session')).account.unit;
    await carryOn([['operator', desk]], base, mine.code, ['accept', 'file'], 'x', (c) => c.state === 'filed');
    await desk.goto(`${base}/cases/${mine.code}`);
    await desk.click('[data-choose=dispatch]');
    await desk.selectOption('select[data-input=unit]', own);
    await desk.click('button[data-move=dispatch]');
    await desk.waitForSelector('[data-state=dispatched]');
    await unit.goto(`${base}/cases/${mine.code}`);
    await settled(unit);
    await unit.click('[data-choose=ask_suspend]');
    await unit.fill('[data-input=reason]', 'A part must be ordered.');
    await unit.fill('[data-input=until]', new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10));
    must((await overflow(unit)) <= 0, 'asking scrolls sideways');
    await shot(run, unit, 'ask-suspend');
    await unit.click('button[data-move=ask_suspend]');
    await unit.waitForSelector('[data-test=asked]');
    await desk.goto(base + '/desk');
    await settled(desk);
    await desk.click(`[data-test=requests] [data-code="${mine.code}"]`);
    await desk.waitForSelector('[data-choose=suspend]');
    await shot(run, desk, 'desk-request');
    must((await axe(desk)) === '', `the desk: ${await axe(desk)}`);
    await desk.click('[data-choose=suspend]');
    await desk.click('button[data-move=suspend]');
    // The desk goes on to its next case; the unit sees the answer by itself.
    await unit.waitForSelector('[data-test=paused][data-why=suspended]');
    const work = await page(open, base, 'department', '/work');
    must((await work.locator(`main [data-code="${mine.code}"] .chip.paused`).count()) === 1, 'the work list does not show that the clock stands');
    await shot(run, work, 'work-standing');
    // It goes on, and more time is asked for and given.
    await unit.click('[data-choose=resume]');
    await unit.click('button[data-move=resume]');
    await unit.waitForSelector('[data-choose=ask_extension]');
    const before = await api(unit, `/api/v1/cases/${mine.code}`);
    await unit.click('[data-choose=ask_extension]');
    await unit.fill('[data-input=reason]', 'The ground is frozen.');
    await unit.fill('[data-input=days]', '3');
    await unit.click('button[data-move=ask_extension]');
    await unit.waitForSelector('[data-test=asked]');
    await desk.goto(`${base}/cases/${mine.code}`);
    await settled(desk);
    await desk.click('[data-choose=extend]');
    await desk.click('button[data-move=extend]');
    await desk.waitForSelector('[data-test=said]');
    const after = await api(desk, `/api/v1/cases/${mine.code}`);
    must(after.extensions === 1 && new Date(after.due) > new Date(before.due), `due ${before.due}, then ${after.due}`);
  });
}
