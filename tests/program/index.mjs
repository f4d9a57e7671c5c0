/** Indicators and indices over the API and the command line: what is told, to whom, and that it adds up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonServer, demoCity, emptyCity, equal, gezhi, gezhiOk, goldenShape, must, problem, serving, sleep, test, WORK } from './lib.mjs';
import { signedIn } from './api.mjs';

/** The month before the demo's last, by the city's own figures. */
async function lastMonth(client) {
  const r = await client.get('/api/v1/indices/safety/values?level=town&draws=0');
  must(r.status === 200, `${r.status} ${r.text.slice(0, 200)}`);
  return r.json.period;
}
const monthBefore = (p) => new Date(Date.UTC(Number(p.slice(0, 4)), Number(p.slice(5)) - 2, 1)).toISOString().slice(0, 7);
/** The page of an area tells no figure that the list hides, of this period or the one before; how many it hides. */
function asTold(one, listed, earlier) {
  const away = (x) => new Set((x?.parts ?? []).filter((p) => p.state === 'below_floor').map((p) => p.node));
  const now = away(listed), then = away(earlier);
  for (const p of one.parts.filter((x) => 'state' in x)) {
    if (now.has(p.node)) equal([p.state, p.raw], ['below_floor', null], `${one.area} ${p.node}: told on its page`);
    if (now.has(p.node) && p.weight > 0) equal([p.value, p.part, p.change], [null, null, null], `${one.area} ${p.node}: its score`);
    if (then.has(p.node)) equal(p.raw_before, null, `${one.area} ${p.node}: the figure of the month before`);
  }
  for (const x of (one.moved?.by ?? []).filter((x) => (now.has(x.node) || then.has(x.node)) && one.parts.some((p) => p.node === x.node && p.weight > 0)))
    equal([x.told, x.indicator, x.denominator, x.formula, x.entered], [false, null, null, null, null], `${one.area} ${x.node}: its part of the change`);
  if (one.moved?.rounded) for (const k of ['from', 'to', 'restatement', 'fell_out', 'came_in', 'indicators', 'denominators', 'formula']) must(Number.isInteger(one.moved[k]), `${one.area}: ${k} tells more than whole points`);
  return now.size + then.size;
}
const near = (a, b) => Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

test('indices: parts add up to the value, changes to the change', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const period = await lastMonth(supervisor);
    const values = await supervisor.get(`/api/v1/indices/safety/values?period=${period}&level=town&draws=200`);
    goldenShape('index-values', values.json);
    goldenShape('indicators', (await supervisor.get('/api/v1/indicators')).json);
    goldenShape('indices', (await supervisor.get('/api/v1/indices')).json);
    let scored = 0, hidden = 0;
    const before = (await supervisor.get(`/api/v1/indices/safety/values?period=${monthBefore(period)}&level=town&draws=0`)).json;
    for (const a of values.json.areas.filter((x) => x.value !== null)) {
      const leaves = a.parts.filter((p) => 'state' in p && p.part !== null);
      const away = a.parts.filter((p) => p.state === 'below_floor' && p.weight > 0);
      must(away.every((p) => p.raw === null && p.part === null && p.value === null), `${a.area}: the score of a hidden figure is its figure`);
      if (a.rounded) must(Number.isInteger(a.value), `${a.area}: ${a.value} tells more than whole points`);
      else must(near(leaves.reduce((s, p) => s + p.part, 0), a.value), `${a.area}: the parts add to ${leaves.reduce((s, p) => s + p.part, 0)}, not ${a.value}`);
      const one = (await supervisor.get(`/api/v1/indices/safety/areas/${a.area}?period=${period}`)).json;
      must(near(one.value, a.value), 'the page of the area tells another value');
      if (scored === 0) goldenShape('index-area', one);
      hidden += asTold(one, a, before?.areas.find((x) => x.area === a.area));
      const m = one.moved;
      const parts = m === null ? 0 : m.restatement + m.fell_out + m.came_in + m.indicators + m.denominators + m.formula;
      if (m !== null) must(m.rounded ? Math.abs(parts - (m.to - m.from)) <= 4 : near(parts, m.to - m.from), `${a.area}: the parts add to ${parts}, not ${m.to - m.from}`);
      scored += 1;
    }
    must(scored >= 1, `${scored} towns have a score`);
    must(hidden >= 1, 'nothing is below the floor: the test sees nothing');
    const dropped = await supervisor.post('/api/v1/indices/safety/what-if', { period, level: 'town', weights: { public_order: 0 } });
    must(dropped.status === 200 && dropped.json.areas.every((a) => a.parts.find((p) => p.node === 'public_order').weight === 0), 'the dropped group still weighs');
    problem(await supervisor.post('/api/v1/indices/safety/what-if', { weights: { nothing: 1 } }), 422, 'INVALID');
    problem(await supervisor.get('/api/v1/indices/safety/values?period=2026-13'), 422, 'INVALID');
    problem(await supervisor.get('/api/v1/indices/nothing/values'), 404, 'NOT_FOUND');
  });
});

test('indices: frozen, restated by late data, signed off by a person, then public', async () => {
  const { dir, accounts } = demoCity();
  let hash = '', period = '', town = '';
  await serving(dir, async (stranger) => {
    const { supervisor, operator } = await signedIn(stranger, accounts, ['supervisor', 'operator']);
    period = await lastMonth(supervisor);
    const path = `/api/v1/public/indices/safety/values?period=${period}&level=town`;
    problem(await operator.post('/api/v1/indices/safety/freeze', { period, level: 'town' }), 403, 'FORBIDDEN');
    const first = await supervisor.post('/api/v1/indices/safety/freeze', { period, level: 'town' });
    equal([first.status, first.json.outcome], [200, 'new'], 'freeze');
    equal((await supervisor.post('/api/v1/indices/safety/freeze', { period, level: 'town' })).json.outcome, 'unchanged', 'again');
    problem(await stranger.get(path), 404, 'NOT_FOUND');
    problem(await supervisor.post('/api/v1/indices/safety/publish', { period, level: 'town', hash: '0'.repeat(64) }), 412, 'STALE');
    equal((await supervisor.post('/api/v1/indices/safety/publish', { period, level: 'town', hash: first.json.hash })).status, 200, 'publish');
    const listed = (await stranger.get('/api/v1/public/indices')).json.items.find((d) => d.index === 'safety').published;
    equal(listed.filter((x) => x.period === period), [{ period, level: 'town' }], 'what is signed off');
    const shown = await stranger.get(path);
    goldenShape('public-index', shown.json);
    must(!shown.text.includes('numerator') && !shown.text.includes('serious_crime_rate'), 'the public sees single figures');
    hash = first.json.hash;
    town = shown.json.areas[0].area;
  });
  const file = join(WORK, 'late.csv');
  writeFileSync(file, `indicator,area,period,value\nfires,${town},${period},40\n`);
  const counts = JSON.parse(gezhiOk(['import', 'indicators', file, '--data', dir, '--json']).out);
  equal([counts.read, counts.restated], [1, 1], 'late figure');
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const again = await supervisor.post('/api/v1/indices/safety/freeze', { period, level: 'town', note: 'late report of the fire service' });
    equal([again.json.outcome, again.json.areas_changed], ['restated', 1], 'restated');
    must(again.json.hash !== hash, 'the hash has not moved');
    // The signature was for other figures.
    problem(await stranger.get(`/api/v1/public/indices/safety/values?period=${period}&level=town`), 404, 'NOT_FOUND');
  });
});

test('indices: the demo city has months that its leader signed, the last one not; a new city has none', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor, audit_admin: audit } = await signedIn(stranger, accounts, ['supervisor', 'audit_admin']);
    const last = await lastMonth(supervisor);
    const listed = (await stranger.get('/api/v1/public/indices')).json.items.find((d) => d.index === 'safety').published;
    must(listed.length >= 4 && ['city', 'town'].every((l) => listed.filter((x) => x.level === l).length === listed.length / 2), JSON.stringify(listed));
    must(listed.every((x) => x.period < last), `${last} is signed already`);
    for (const x of listed) equal((await stranger.get(`/api/v1/public/indices/safety/values?period=${x.period}&level=${x.level}`)).status, 200, `${x.period} ${x.level}`);
    const rows = (await audit.get('/api/v1/audit?actor=leader1&limit=100')).json.items;
    equal(rows.filter((r) => r.command === 'index.publish').length, listed.length, 'signatures in the audit');
  });
  await serving(emptyCity(), async (stranger) => {
    const items = (await stranger.get('/api/v1/public/indices')).json.items;
    must(items.length > 0 && items.every((d) => d.published.length === 0), 'something is signed off in a new city');
  });
});

test('indicators: a guarded figure below the floor cannot be had by subtraction', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const period = await lastMonth(supervisor);
    const parents = new Map((await supervisor.get('/api/v1/areas?level=community&limit=500')).json.items.map((a) => [a.code, a.parent]));
    const towns = (await supervisor.get(`/api/v1/indicators/disputes_due/values?period=${period}&level=community`)).json.areas;
    const hidden = towns.filter((a) => a.state === 'below_floor');
    const families = Map.groupBy ? Map.groupBy(towns, (a) => parents.get(a.area)) : towns.reduce((m, a) => m.set(parents.get(a.area), [...(m.get(parents.get(a.area)) ?? []), a]), new Map());
    for (const [, family] of families) {
      const away = family.filter((a) => a.state === 'below_floor').length;
      must(away !== 1 || family.length === 1, 'one figure alone is hidden: the sum of the others gives it');
    }
    must(hidden.every((a) => a.value === null && a.numerator === null && a.denominator === null), 'a hidden figure is told');
    must(towns.length > 3 && hidden.length > 1, 'nothing is hidden: the test sees nothing');
  });
});

test('indicators: guarded figures are told by month, by year only where all months are, and never by day', async () => {
  const { who } = await commonServer();
  const supervisor = await who('supervisor');
  const told = async (period) => (await supervisor.get(`/api/v1/indicators/disputes_due/values?period=${period}&level=county`)).json.areas;
  for (const period of ['2026-10-05', '2026-10-T1']) must((await told(period)).every((a) => a.state === 'below_floor' && a.value === null), period);
  const months = await Promise.all([...Array(11).keys()].map((k) => told(`2026-${String(k + 1).padStart(2, '0')}`)));
  for (const [i, year] of (await told('2026')).entries()) {
    const hidden = months.some((m) => m[i].state === 'below_floor');
    if (hidden) equal(year.state, 'below_floor', `${year.area}: its year with a hidden month`);
  }
});

test('import indicators: dry run, rejected rows, and nothing twice', async () => {
  const dir = emptyCity();
  const file = join(WORK, 'figures.csv'), errors = join(WORK, 'figures-rejected.csv');
  writeFileSync(file, 'indicator,area,period,value\nresidents,nowhere,2025,5\nclosed,nowhere,2025,5\n');
  const dry = gezhi(['import', 'indicators', file, '--data', dir, '--dry-run', '--errors', errors]);
  equal(dry.code, 1, 'rejected rows end with 1');
  must(/"rejected":2/.test(dry.out), dry.out);
  writeFileSync(file, 'indicator,area,value\nresidents,x,5\n');
  const wrong = gezhi(['import', 'indicators', file, '--data', dir]);
  equal(wrong.code, 1, 'a missing column');
  must(/figures\.csv:1: there is no column "period"/.test(wrong.err), wrong.err);
});

test('index run: the same as the API, also as it was known then', async () => {
  const { dir } = demoCity();
  const now = JSON.parse(gezhiOk(['index', 'run', '--data', dir, '--index', 'safety', '--period', '2026-10', '--level', 'town', '--json']).out);
  const then = JSON.parse(gezhiOk(['index', 'run', '--data', dir, '--index', 'safety', '--period', '2026-10', '--level', 'town', '--as-of', String(now.data_seq), '--json']).out);
  equal(then.hash, now.hash, 'hash from the journal');
  equal(then.areas.map((a) => a.value), now.areas.map((a) => a.value), 'values');
  const early = JSON.parse(gezhiOk(['index', 'run', '--data', dir, '--index', 'safety', '--period', '2026-10', '--level', 'town', '--as-of', '2', '--json']).out);
  must(early.areas.every((a) => a.value === null), 'before anything was known there is no score');
  const wrong = gezhi(['index', 'run', '--data', dir, '--index', 'safty', '--period', '2026-10']);
  equal(wrong.code, 1, 'an unknown index');
  equal(gezhi(['index', 'run', '--data', dir, '--index', 'safety', '--period', '2026-10', '--draws', 'many']).code, 2, 'wrong use');
});

test('indices: pairwise comparison tells weights and what contradicts', async () => {
  const { who } = await commonServer();
  const analyst = await who('analyst');
  const ask = (pairwise) => analyst.post('/api/v1/indices/ahp', { pairwise });
  const fits = (await ask([[1, 2, 6], [0.5, 1, 3], [1 / 6, 1 / 3, 1]])).json;
  must(fits.weights.every((w, i) => Math.abs(w - [0.6, 0.3, 0.1][i]) < 1e-9) && fits.consistency_ratio < 1e-9 && !fits.inconsistent, JSON.stringify(fits));
  equal(fits.most_inconsistent, [], 'nothing contradicts');
  const torn = (await ask([[1, 5, 1 / 5], [1 / 5, 1, 5], [5, 1 / 5, 1]])).json;
  must(torn.inconsistent && torn.consistency_ratio > 0.1 && torn.most_inconsistent.length === 3 && torn.most_inconsistent[0].factor > 4, JSON.stringify(torn));
  problem(await ask([[1, 2], [0.4, 1]]), 422, 'INVALID');
  problem(await ask([[1, 2], [0, 1]]), 422, 'INVALID');
  problem(await ask([[1, 2]]), 422, 'INVALID');
});

test('indicators: a value leads down to its cases, for whom they are, and tells how good its rows are', async () => {
  const { who } = await commonServer();
  const [supervisor, department, leader] = [await who('supervisor'), await who('department'), await who('leader')];
  const period = '2026-10', name = 'city_in_time';
  const areas = (await supervisor.get(`/api/v1/indicators/${name}/values?period=${period}&level=county`)).json.areas;
  const area = areas.toSorted((a, b) => b.denominator - a.denominator)[0];
  must(area.denominator > 2, `only ${area.denominator} cases`);
  const path = `/api/v1/indicators/${name}/values/${area.area}/cases?period=${period}`;
  const rows = [];
  for (let after = 0; after !== null;) {
    const r = (await supervisor.get(`${path}&limit=2&after=${after}`)).json;
    must(r.items.length <= 2, 'a page');
    rows.push(...r.items);
    after = r.next;
  }
  equal([rows.length, rows.filter((x) => x.in_numerator).length], [area.denominator, area.numerator], 'the cases are the figure');
  equal(new Set(rows.map((x) => x.code)).size, rows.length, 'each once');
  const seen = (await department.get(`${path}&limit=200`)).json;
  must(seen.items.length < rows.length, `a department sees ${seen.items.length} of ${rows.length}`);
  const others = rows.length - seen.items.length;
  equal(seen.others, others >= 10 ? others : null, 'how many others there are');
  for (const x of seen.items) equal((await department.get(`/api/v1/cases/${x.code}`)).status, 200, x.code);
  problem(await supervisor.get(`/api/v1/indicators/${name}/values/999999/cases`), 404, 'NOT_FOUND');
  const q = (await leader.get(`/api/v1/indicators/${name}/quality?period=${period}`)).json;
  goldenShape('indicator-quality', q);
  must(q.components[0].rows >= rows.length && q.components[0].without_time >= 0, JSON.stringify(q));
  const f = (await leader.get(`/api/v1/indicators/fire_rate/quality?period=${period}`)).json;
  must(f.components.some((x) => x.source === 'figures' && x.last_import !== null), JSON.stringify(f.components));
});

test('indices: what is over and complete is frozen by itself, unsigned', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    let state = '';
    for (let k = 0; k < 150 && state !== 'frozen'; k++) {
      state = (await supervisor.get('/api/v1/indices/safety/values?period=2026-09&level=county&draws=0')).json.state;
      if (state !== 'frozen') await sleep(200);
    }
    equal(state, 'frozen', 'a month that is over, and its lag too');
    equal((await supervisor.get('/api/v1/indices/safety/values?period=2026-11&level=county&draws=0')).json.state, 'provisional', 'a month that is not');
    equal((await supervisor.post('/api/v1/indices/safety/freeze', { period: '2026-09', level: 'county' })).json.outcome, 'unchanged', 'a person finds the same');
  }, { args: ['--freeze-after', '1'] });
});

test('indices: a back-test tells whether anything was foreseen, and says so when not', async () => {
  const { dir, accounts } = demoCity();
  const out = JSON.parse(gezhiOk(['index', 'backtest', '--data', dir, '--index', 'safety', '--level', 'community', '--month', '2026-09', '--json']).out);
  goldenShape('index-backtest', out);
  must(['too_little', 'none_better', 'some_better'].includes(out.verdict), out.verdict);
  equal(out.items.slice(0, 2).map((x) => x.kind), ['last_count', 'population'], 'the baselines');
  must(out.items.every((x) => x.judged === (x.auc !== null) && (x.judged || x.why_not)), 'what was not judged says why');
  if (out.verdict !== 'some_better') must(out.items.every((x) => !x.better), 'none is called better');
  must(gezhiOk(['index', 'backtest', '--data', dir, '--index', 'safety', '--level', 'community']).out.trim().split('\n').length > 5, 'as a text');
  must(gezhi(['index', 'backtest', '--data', dir, '--index', 'dujiangyan']).err.includes('names no outcome'), 'an index without an outcome');
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const r = (await supervisor.get('/api/v1/indices/safety/backtest?level=community')).json;
    equal([r.index, r.outcome, r.items.length], ['safety', 'urgent_cases', out.items.length], 'the same by API');
    problem(await supervisor.get('/api/v1/indices/dujiangyan/backtest'), 422, 'INVALID');
  });
});
