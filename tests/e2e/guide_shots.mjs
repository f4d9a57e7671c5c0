/**
 * The pictures of warnings, supervision and briefings in docs/guides, in both languages, taken from a running server after the walks (so that there is a warning of a burst to show):
 * node tests/e2e/guide_shots.mjs --base URL --accounts FILE --shots docs/guides/img
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { api, must, options, Run, settled } from './lib.mjs';

const MOST = 120_000;
const o = options();
must(o.shots, 'say where to: --shots DIR');
const run = new Run(o);
await run.start();

/** No picture is larger than a guide should carry: it is cut at the bottom until it fits. */
async function shoot(page, name, locale) {
  await page.waitForTimeout(1500);
  for (let height = 860; height >= 300; height -= 60) {
    const png = await page.screenshot({ clip: { x: 0, y: 0, width: 1160, height } });
    if (png.length > MOST) continue;
    writeFileSync(join(o.shots, `${name}-${locale === 'en' ? 'en' : 'zh'}.png`), png);
    console.log(`${name} ${locale} ${Math.round(png.length / 1000)} kB, ${height} px high`);
    return;
  }
  throw new Error(`${name}: even a strip is larger than ${MOST} bytes`);
}
async function pageOf(role, locale) {
  const c = await run.context({ as: role, locale, width: 1160, height: 900 });
  return c.newPage();
}

for (const locale of ['zh-CN', 'en']) {
  const boss = await pageOf('supervisor', locale);
  const go = async (p, path) => {
    await p.goto(o.base + path);
    await settled(p);
  };
  const v = await api(boss, '/api/v1/indices/safety/values?level=town');
  await go(boss, '/warnings');
  await shoot(boss, 'warnings', locale);
  const list = (await api(boss, '/api/v1/warnings?limit=100')).items;
  must(list.length, 'there is no warning to show: let the walks of warnings run first');
  const one = list.find((w) => w.rules.some((r) => r.name === 'cluster') && w.supervision) ?? list.find((w) => w.supervision) ?? list[0];
  await go(boss, `/warnings/${one.code}`);
  await shoot(boss, 'warning', locale);
  await boss.locator('main .map').first().scrollIntoViewIfNeeded().catch(() => undefined);
  await boss.evaluate(() => document.querySelector('main .map')?.closest('section')?.scrollIntoView());
  await shoot(boss, 'warning-where', locale);
  await go(boss, '/supervision');
  await shoot(boss, 'supervision', locale);
  const task = (await api(boss, '/api/v1/supervisions?open=all&limit=1')).items[0];
  must(task, 'nothing is under supervision');
  await go(boss, `/supervision/${task.code}/letter`);
  await shoot(boss, 'letter', locale);
  const analyst = await pageOf('analyst', locale);
  await go(analyst, '/warnings/rules');
  await shoot(analyst, 'rules', locale);
  const id = await boss.evaluate(async (period) => {
    const { csrf } = await (await fetch('/api/v1/session')).json();
    const r = await fetch('/api/v1/briefings', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf, 'Idempotency-Key': crypto.randomUUID() }, body: JSON.stringify({ period }) });
    return (await r.json()).id;
  }, v.period);
  must(id, 'no briefing was formed');
  await go(boss, `/briefings/${id}`);
  await shoot(boss, 'briefing', locale);
}
await run.stop();
