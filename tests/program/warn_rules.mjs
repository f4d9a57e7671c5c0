/** Rules of warnings: what run and replay tell, the rules by page with how good each was, and one thing told by many as one case. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonServer, demoCity, equal, gezhi, gezhiOk, golden, goldenShape, must, problem, serving, test } from './lib.mjs';
import { signedIn, STREET, workerPoint } from './api.mjs';

const RULES = `rules:
  - rule: burst
    title: {en: Burst, zh: 突发}
    method: threshold
    level: city
    window: 3
    raise: 6
    clear: 2
    min: 3
    color: orange
  - rule: cluster
    title: {en: Cluster, zh: 聚集}
    by: group
    level: point
    method: scan
    min: 3
    replicas: 199
    recurrence: 100
    color: yellow
  - rule: index_red
    title: {en: Index, zh: 指数}
    method: index_color
    index: safety
    band: red
    level: town
    period: month
    color: blue
  - rule: in_time
    title: {en: In time, zh: 按期}
    method: indicator
    indicator: closed_in_time
    level: city
    period: month
    raise: 70
    clear: 90
    color: blue
`;
const at = (dir) => join(dir, 'packs/safety-index/warnings/rules.yaml');
/** Nine digits: libraries of mathematics differ in the last bit. */
const rounded = (v) => (typeof v === 'number' ? Number(v.toPrecision(9)) : Array.isArray(v) ? v.map(rounded) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, rounded(x)])) : v);
const told = (args) => rounded(JSON.parse(gezhiOk(args).out));

test('warn: what run and replay tell, the same every time, a rule alone, and what is wrong', () => {
  const { dir } = demoCity();
  writeFileSync(at(dir), RULES.replace('closed_in_time', 'city_in_time'));
  const replay = told(['warn', 'replay', '--data', dir, '--from', '2026-06-05', '--to', '2026-07-02', '--json']);
  const methods = new Set(replay.warnings.flatMap((w) => w.signals.map((s) => s.method)));
  must(['threshold', 'index_color'].every((m) => methods.has(m)), `methods: ${[...methods]}`);
  golden('warn-replay', replay);
  const day = replay.warnings.find((w) => w.rules.includes('burst')).raised;
  const run = told(['warn', 'run', '--data', dir, '--day', day, '--json']);
  golden('warn-run', run);
  equal(told(['warn', 'run', '--data', dir, '--day', day, '--json']), run, 'again');
  const alone = told(['warn', 'run', '--data', dir, '--day', day, '--rule', 'burst', '--json']);
  equal(alone.warnings.flatMap((w) => w.rules), ['burst'], 'one rule');
  must(/burst: \d+ cases since/.test(gezhiOk(['warn', 'run', '--data', dir, '--day', day]).out), 'in words');
  /* As of the first journal row there was no figure yet, so no colour. */
  const early = told(['warn', 'run', '--data', dir, '--day', '2026-07-20', '--rule', 'index_red', '--as-of', '1', '--json']);
  equal([early.warnings.length, told(['warn', 'run', '--data', dir, '--day', '2026-07-20', '--rule', 'index_red', '--json']).warnings.length > 0], [0, true], 'as of');
  equal(gezhi(['warn', 'run', '--data', dir, '--day', day, '--rule', 'nothing']).code, 1, 'no such rule');
  writeFileSync(at(dir), RULES);
  const bad = gezhi(['warn', 'run', '--data', dir, '--day', day]);
  must(bad.code === 1 && /rules\.yaml:\d+: there is no such indicator: "closed_in_time"/.test(bad.err), bad.err);
  equal(gezhi(['pack', 'check', join(dir, 'packs')]).code, 1, 'pack check');
});

test('warning rules: by page, held against the reader, switched off, and how good each was', async () => {
  const { dir, accounts } = demoCity();
  /* The demo city has its nights recorded up to its end: one more day, at which several places hold, and a week in which nothing is reported. */
  writeFileSync(at(dir), RULES.replace('closed_in_time', 'city_in_time').replace('level: city\n    window: 3\n    raise: 6\n    clear: 2\n    min: 3', 'level: community\n    by: class\n    window: 7\n    raise: 1\n    clear: 0\n    min: 1'));
  gezhiOk(['warn', 'record', '--data', dir, '--from', '2026-11-01', '--to', '2026-11-12', '--rule', 'burst', '--backdate']);
  await serving(dir, async (stranger) => {
    const p = await signedIn(stranger, accounts, ['supervisor', 'analyst', 'worker', 'verifier', 'operator']);
    const list = async (who = p.analyst) => (await who.get('/api/v1/warnings/rules')).json.rules;
    const rule = async (name) => (await list()).find((r) => r.name === name);
    const put = (name, yaml, who = p.analyst) => who.call('PUT', `/api/v1/warnings/rules/${name}`, { json: { yaml } });
    problem(await p.worker.get('/api/v1/warnings/rules'), 403, 'FORBIDDEN');
    goldenShape('warning-rules', await list());

    const items = (await p.supervisor.get('/api/v1/warnings?rule=burst&open=true')).json.items;
    must(items.length >= 2, `warnings of the rule: ${items.length}`);
    let q = (await rule('burst')).quality;
    equal([q.raised, q.open, q.closed, q.false, q.false_share, q.acted_share], [items.length, items.length, 0, 0, null, null], 'nothing ended');
    equal((await p.analyst.move(items[0].code, 'call_false', { reason: 'a market day' })).status, 200, 'called false');
    const unit = (await p.supervisor.get('/api/v1/units')).json.items[0].code;
    for (const [who, move, inputs] of [[p.analyst, 'acknowledge', {}], [p.analyst, 'study', { finding: 'rain' }], [p.analyst, 'measure', { unit, measures: 'drains' }], [p.supervisor, 'evidence', { note: 'done' }], [p.verifier, 'verify', {}], [p.supervisor, 'close', {}]]) {
      const r = await who.move(items[1].code, move, inputs);
      must(r.status === 200, `${move}: ${r.status} ${r.text.slice(0, 200)}`);
    }
    q = (await rule('burst')).quality;
    equal([q.raised, q.open, q.closed, q.false, q.false_share, q.acted_share], [items.length, items.length - 2, 1, 1, 0.5, 0.5], 'one of two was false');
    must(q.lead_days_median >= 0 && q.delay_days_median === 6 && q.acknowledge_hours_median > 0, JSON.stringify(q));

    const shipped = (await rule('burst')).yaml;
    must(shipped.startsWith('rules:\n  - rule: burst\n') && shipped.endsWith('color: orange\n'), shipped);
    const higher = shipped.replace('raise: 1', 'raise: 60');
    problem(await put('burst', higher, p.operator), 403, 'FORBIDDEN');
    const torn = problem(await put('burst', shipped.replace('raise: 1', 'raise: 0')), 422, 'INVALID');
    must(/warnings\/burst:2: a threshold needs/.test(JSON.stringify((await put('burst', shipped.replace('raise: 1', 'raise: 0'))).json)), JSON.stringify(torn));
    problem(await put('other', shipped), 422, 'INVALID');
    problem(await put('index_red', (await rule('index_red')).yaml.replace('band: red', 'band: black')), 422, 'INVALID');
    problem(await put('Bad-Name', shipped), 422, 'INVALID');
    problem(await put('fair', 'events:\n  - event: fair\n    title: {en: F, zh: 节}\n    from: "2026-03-03"\n    to: "2026-03-04"\n'), 422, 'INVALID');
    equal((await put('burst', higher)).json, { name: 'burst', version: 1, off: false }, 'put in force');
    let now = await rule('burst');
    equal([now.source, now.by, now.yaml, now.pack_yaml, now.off], ['page', accounts.analyst.name, higher, shipped, false], 'by page');
    equal(now.quality.raised, items.length, 'what it raised before stays its own');
    equal((await put('mine', shipped.replace('burst', 'mine'))).status, 200, 'a rule of the page alone');
    equal([(await rule('mine')).file, (await rule('mine')).pack_yaml], [null, null], 'no pack has it');

    problem(await p.operator.call('DELETE', '/api/v1/warnings/rules/burst'), 403, 'FORBIDDEN');
    problem(await p.analyst.call('DELETE', '/api/v1/warnings/rules/nothing'), 404, 'NOT_FOUND');
    for (const name of ['burst', 'mine']) equal((await p.analyst.call('DELETE', `/api/v1/warnings/rules/${name}`)).status, 200, 'off');
    now = await rule('burst');
    equal([now.off, now.yaml, (await rule('mine')).off], [true, shipped, true], 'told as off');
    problem(await p.analyst.call('DELETE', '/api/v1/warnings/rules/burst'), 404, 'NOT_FOUND');
    equal((await put('burst', shipped)).status, 200, 'on again');
    equal((await rule('burst')).off, false, 'on again');
  });
});

test('one thing told by many is one case: joined by the desk, counted once a person, first in its order', async () => {
  const { who, stranger } = await commonServer();
  const [worker, op] = [await who('worker'), await who('operator')];
  const { lon, lat } = await workerPoint(worker);
  const tell = async (n, contact) => (await stranger.post('/api/v1/cases', { class: STREET, lon: lon + n * 1e-6, lat, description: 'the same lamp', contact })).json;
  const first = await tell(0, '10000000001');
  equal((await op.get(`/api/v1/cases/${first.code}`)).json.reporters, 1, 'alone');
  const others = [];
  for (let i = 1; i <= 3; i++) others.push(await tell(i, `1000000000${Math.min(i + 1, 3)}`)); /* the last two are of one person */
  for (const o of others) {
    const done = await op.move(o.code, 'join', { same_as: first.code });
    equal([done.status, done.json.state, done.json.duplicate_of], [200, 'joined', first.code], done.text.slice(0, 200));
  }
  const now = (await op.get(`/api/v1/cases/${first.code}`)).json;
  equal([now.reporters, now.urgency.level], [3, 1], 'three people, the first level');
  problem(await op.move((await tell(9, '')).code, 'join', { same_as: others[0].code }), 422, 'INVALID');
  const order = (await op.get('/api/v1/cases?sort=reporters&open=1')).json.items;
  equal([order[0].code, order[0].reporters], [first.code, 3], 'first in its order');
  problem(await stranger.get('/api/v1/public/cases?sort=reporters'), 422, 'INVALID');
  const followed = (await stranger.post('/api/v1/follow', { code: others[0].code, word: others[0].secret })).json;
  must(JSON.stringify(followed).includes('Handled together with another report'), 'the reporter is told');
  equal(followed.case.joined_to.code, first.code, 'and where to see how it goes on');
  const alone = (await stranger.post('/api/v1/follow', { code: first.code, word: first.secret })).json;
  equal(alone.case.joined_to, null, 'the one that is handled was joined to none');
});
