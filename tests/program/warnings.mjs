/** Warnings as cases: recorded by a job with progress, worked to their end, seen by whom they concern; and by the command line. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, Client, emptyCity, equal, events, gezhi, gezhiOk, goldenShape, makeDemo, must, problem, serving, sleep, test } from './lib.mjs';

const RULES = `rules:
  - rule: burst
    title: {en: Burst, zh: 突发}
    watch: {classes: [event-0201]}
    by: class
    method: threshold
    level: city
    raise: 5
    clear: 2
    min: 3
    color: red
  - rule: quarrels
    title: {en: Quarrels, zh: 纠纷增多}
    watch: {classes: [dispute-01]}
    by: class
    method: threshold
    level: city
    raise: 5
    clear: 2
    min: 3
    color: blue
`;
const PASSWORD = 'a good pass phrase';
const ROLES = ['operator', 'supervisor', 'analyst', 'leader', 'verifier', 'department', 'mediator', 'worker'];

/** A city without areas, with one account a role and one rule that six reports set off. */
function smallCity() {
  const dir = emptyCity();
  writeFileSync(join(dir, 'packs/safety-index/warnings/rules.yaml'), RULES);
  for (const role of ROLES) gezhiOk(['user', 'add', role, '--role', role, '--data', dir], { input: `${PASSWORD}\n` });
  return dir;
}
async function people(stranger) {
  const out = {};
  for (const role of ROLES) out[role] = await stranger.as({ name: role, password: PASSWORD });
  return out;
}
async function finished(client, id) {
  for (let i = 0; i < 600; i++) {
    const r = await client.get(`/api/v1/jobs/${id}`);
    must(r.status === 200, `job ${id}: ${r.status}`);
    if (['done', 'failed'].includes(r.json.state)) return r.json;
    await sleep(50);
  }
  throw new Error('the job does not end');
}
async function record(client, body = {}) {
  const r = await client.post('/api/v1/warnings/run', body);
  must(r.status === 202, `run: ${r.status} ${r.text}`);
  return finished(client, r.json.job);
}
const burst = async (client) => {
  for (let i = 0; i < 6; i++) {
    const r = await client.post('/api/v1/cases', { class: 'event-0201', lon: 119.05 + i / 500, lat: 30.05, description: '路面破损' });
    must(r.status === 201, `report: ${r.status} ${r.text}`);
  }
};
async function move(client, code, name, inputs = {}) {
  const version = (await client.get(`/api/v1/cases/${code}`)).json?.version ?? 1;
  return client.post(`/api/v1/cases/${code}/${name}`, inputs, { 'If-Match': `"${version}"` });
}
const moved = async (client, code, name, inputs) => {
  const r = await move(client, code, name, inputs);
  must(r.status === 200, `${name}: ${r.status} ${r.text.slice(0, 300)}`);
  return r.json;
};

test('warnings: a job records them; each is a case of its own that closes only on evidence', async () => {
  await serving(smallCity(), async (stranger) => {
    const p = await people(stranger);
    await burst(p.operator);
    problem(await p.operator.post('/api/v1/warnings/run', {}), 403, 'FORBIDDEN');
    problem(await p.analyst.post('/api/v1/warnings/run', { day: '2999-01-01' }), 422, 'INVALID');
    const job = await record(p.analyst);
    equal([job.state, job.result.raised, job.result.supervised, job.done, job.total], ['done', 1, 1, 1, 1], 'the job');
    goldenShape('job', job);
    problem(await p.operator.get(`/api/v1/jobs/${job.id}`), 404, 'NOT_FOUND');
    problem(await p.analyst.get('/api/v1/jobs/999999'), 404, 'NOT_FOUND');
    const again = await record(p.supervisor);
    equal([again.result.raised, again.result.went_on], [0, 0], 'the same day again');
    problem(await p.analyst.post('/api/v1/warnings/run', { day: '2020-01-01' }), 409, 'CONFLICT');

    const list = (await p.analyst.get('/api/v1/warnings?open=true&color=red&rule=burst&state=raised')).json;
    goldenShape('warnings', list);
    equal([list.items.length, list.items[0].color, list.items[0].holds, list.items[0].supervision.level, list.items[0].observed], [1, 'red', true, 1, 6], 'the warning');
    for (const q of ['color=blue', 'rule=other', 'state=closed', 'open=false']) equal((await p.analyst.get(`/api/v1/warnings?${q}`)).json.items, [], q);
    problem(await p.analyst.get('/api/v1/warnings?color=green'), 422, 'INVALID');
    problem(await p.analyst.get('/api/v1/warnings?area=nowhere'), 422, 'INVALID');
    const { code } = list.items[0];
    const one = (await p.analyst.get(`/api/v1/warnings/${code}`)).json;
    goldenShape('warning', one);
    equal([one.cases.length, one.n_cases, one.signals[0].rule, 'cases' in one.signals[0]], [6, 6, 'burst', false], 'one warning');
    equal(one.series.at(-1).observed, 6, 'the last day of the series');
    must((await p.analyst.get('/api/v1/notices')).json.items.some((n) => n.case === code), 'the analyst was not told');
    must((await p.supervisor.get('/api/v1/notices')).json.items.some((n) => n.case === code), 'red: the supervisor was not told');

    const mine = (await p.analyst.get('/api/v1/cases?mine=1')).json.items.map((c) => c.code);
    equal(mine, [code], 'what waits for the analyst');
    await moved(p.analyst, code, 'acknowledge');
    await moved(p.analyst, code, 'study', { finding: '施工破坏路面' });
    problem(await move(p.analyst, code, 'measure', { measures: '修补' }), 422, 'INVALID');
    await moved(p.supervisor, code, 'evidence').then(() => must(false, 'evidence before measures'), () => {});
    problem(await move(p.verifier, code, 'acknowledge'), 403, 'FORBIDDEN');
    await moved(p.analyst, code, 'call_false', { reason: '试验' });
    await moved(p.supervisor, code, 'reopen', { reason: '有误' });
    const offered = (await p.supervisor.get(`/api/v1/cases/${code}`)).json;
    must(offered.route.some((s) => s.move === 'call_false' && s.reason === '试验'), 'the route lost the reason');
    equal((await p.analyst.get(`/api/v1/warnings/${code}`)).json.finding, '施工破坏路面', 'the finding');

    const sup = (await p.supervisor.get('/api/v1/supervisions')).json;
    goldenShape('supervisions', sup);
    equal([sup.items.length, sup.items[0].about, sup.items[0].level], [1, code, 1], 'supervision');
    problem(await p.analyst.post('/api/v1/supervisions', { about: code, text: '请说明', level: 2 }), 403, 'FORBIDDEN');
    problem(await p.supervisor.post('/api/v1/supervisions', { about: 'X-1', text: '请说明' }), 422, 'INVALID');
    problem(await p.operator.post('/api/v1/supervisions', { about: code, text: '请说明' }), 403, 'FORBIDDEN');
    const made = await p.leader.post('/api/v1/supervisions', { about: code, text: '请说明', level: 3, due_days: 2 });
    equal([made.status, made.json.state, made.json.level], [201, 'check', 3], 'a check by hand');
    equal((await p.analyst.get(`/api/v1/warnings/${code}`)).json.supervisions.length, 2, 'supervisions of the warning');
  });
});

/** The job's words in the stream go to who started it and to whose rights cover it, in order, and to nobody else. */
test('warnings: how far a job is, over the stream', async () => {
  const dir = smallCity();
  let job = null;
  await serving(dir, async (stranger, server) => {
    const p = await people(stranger);
    const heard = Object.fromEntries(['analyst', 'supervisor', 'operator', 'worker', 'department'].map((r) => [r, events(server.port, '/api/v1/events', p[r].headers)]));
    await Promise.all(Object.values(heard).map((e) => e.ready));
    job = await record(p.analyst);
    for (const role of ['analyst', 'supervisor']) {
      const last = await heard[role].until((f) => f.event === 'job' && f.data.state === 'done');
      equal(last.data, job, `what the ${role} heard and what the job tells`);
      const states = heard[role].frames.filter((f) => f.event === 'job').map((f) => f.data.state);
      equal([...states].sort((a, b) => ['running', 'done'].indexOf(a) - ['running', 'done'].indexOf(b)), states, 'the order');
    }
    /* What comes later shows that what came before was kept back, not only late. */
    await burst(p.operator);
    for (const role of ['operator']) await heard[role].until((f) => f.event === 'case');
    for (const role of ['operator', 'worker', 'department']) equal(heard[role].frames.filter((f) => f.event === 'job'), [], `jobs heard by the ${role}`);
    for (const e of Object.values(heard)) e.close();
  });
  await serving(dir, async (stranger) => {
    const analyst = await stranger.as({ name: 'analyst', password: PASSWORD });
    const lost = await analyst.get(`/api/v1/jobs/${job.id}`);
    problem(lost, 404, 'NOT_FOUND');
    must(lost.json.detail.includes('restarted') && lost.json.detail.includes('start it again'), lost.text);
    must((await record(analyst)).id > job.id, 'the number of a job came again');
  });
});

test('warnings: seen by who reads warnings within the scope, by no stranger and on no map', async () => {
  await serving(smallCity(), async (stranger) => {
    const p = await people(stranger);
    await burst(p.operator);
    await record(p.analyst);
    const { code } = (await p.analyst.get('/api/v1/warnings')).json.items[0];
    for (const path of ['/api/v1/warnings', `/api/v1/warnings/${code}`, '/api/v1/supervisions', '/api/v1/jobs/1']) {
      problem(await stranger.get(path), 401, 'UNAUTHORIZED');
      if (path.includes('job')) continue;
      problem(await p.mediator.get(path), 403, 'FORBIDDEN');
      problem(await p.worker.get(path), 403, 'FORBIDDEN');
    }
    for (const role of ['operator', 'supervisor', 'leader', 'verifier']) equal((await p[role].get(`/api/v1/warnings/${code}`)).status, 200, role);
    /* A department without the unit, and a mediator who sees every private case. */
    for (const role of ['department', 'mediator', 'worker']) problem(await p[role].get(`/api/v1/cases/${code}`), 404, 'NOT_FOUND');
    problem(await p.department.get(`/api/v1/warnings/${code}`), 404, 'NOT_FOUND');
    equal((await p.department.get('/api/v1/warnings')).json.items, [], 'warnings of a department');
    for (const path of [`/api/v1/public/cases/${code}`, `/open311/v2/requests/${code}.json`]) equal((await stranger.get(path)).status, 404, path);
    for (const path of ['/api/v1/public/cases', '/open311/v2/requests.json', '/open311/v2/services.json', '/api/v1/classes']) must(!(await stranger.get(path)).text.includes('task-'), `${path} tells of tasks`);
    equal((await stranger.post('/api/v1/follow', { code, word: 'AAAAAAAA' })).status, (await stranger.post('/api/v1/follow', { code: '990101-261122-99999', word: 'AAAAAAAA' })).status, 'following a task and following nothing');
    for (const who of [stranger, p.supervisor]) problem(await who.post('/api/v1/cases', { class: 'task-warning', description: 'x' }), 422, 'INVALID');
    const listed = (await p.supervisor.get('/api/v1/cases?limit=200')).json.items;
    equal([listed.length, listed.every((c) => c.class === 'event-0201')], [6, true], 'the list of cases');
    equal((await p.supervisor.get('/api/v1/cases?process=warning')).json.items.map((c) => c.code), [code], 'asked for by process');
    equal((await p.supervisor.get('/api/v1/counts')).json.open, 6, 'counts');
    const all = (await p.supervisor.get('/api/v1/cases?process=street,warning,supervision')).json.items.length;
    equal(all, 8, 'with what was left out');
    /* A rise of private cases too is told, as one warning with the other; its cases to those who may see each of them. */
    const quarrels = [];
    for (let i = 0; i < 6; i++) quarrels.push((await stranger.post('/api/v1/cases', { class: 'dispute-01', description: 'x' })).json.code);
    await record(p.analyst);
    const other = (await p.analyst.get('/api/v1/warnings?rule=quarrels')).json.items[0].code;
    let kept = 0;
    for (const role of ['operator', 'supervisor', 'leader', 'verifier', 'analyst']) {
      const mine = [];
      for (const c of [...listed.map((x) => x.code), ...quarrels].sort()) if ((await p[role].get(`/api/v1/cases/${c}`)).status === 200) mine.push(c);
      const one = (await p[role].get(`/api/v1/warnings/${other}`)).json;
      equal([one.n_cases, one.cases.map((c) => c.code).sort()], [12, mine], `${role}: the cases behind it`);
      kept += 12 - mine.length;
    }
    must(kept > 0, 'everybody sees private cases: the test sees nothing');
  });
});

test('warn record: day by day, the same day again changes nothing, killed in the middle it goes on', async () => {
  const dir = makeDemo(['--seed', '3']);
  const told = JSON.parse(gezhiOk(['warn', 'record', '--data', dir, '--day', '2026-11-01', '--json']).out);
  goldenShape('warn-record', told);
  equal([told.days.length, told.days[0].day, told.days[0].changed], [1, '2026-11-01', true], 'first time');
  const again = JSON.parse(gezhiOk(['warn', 'record', '--data', dir, '--day', '2026-11-01', '--json']).out);
  equal([again.days[0].changed, again.days[0].raised], [false, 0], 'again');
  const back = gezhi(['warn', 'record', '--data', dir, '--day', '2026-10-15']);
  must(back.code === 1 && back.err.includes('days go forward'), back.err);
  equal(gezhi(['warn', 'record', '--data', dir]).code, 2, 'no day');
  equal(gezhi(['warn', 'record', '--data', dir, '--day', 'soon']).code, 2, 'no date');
  equal(gezhi(['warn', 'record', '--data', dir, '--day', '2026-11-02', '--rule', 'nothing']).code, 1, 'no rule');

  const child = spawn(BIN, ['warn', 'record', '--data', dir, '--from', '2026-11-02', '--to', '2027-03-31']);
  let out = '';
  await new Promise((done) => {
    child.on('exit', done);
    child.stdout.on('data', (d) => {
      out += d;
      if (out.split('\n').length > 4) child.kill('SIGKILL');
    });
  });
  const days = out.split('\n').filter((l) => /^\d{4}-\d\d-\d\d:/.test(l)).map((l) => l.slice(0, 10));
  must(days.length >= 3, `it told ${JSON.stringify(out)}`);
  gezhiOk(['verify', '--data', dir]);
  const next = JSON.parse(gezhiOk(['warn', 'record', '--data', dir, '--from', '2027-03-31', '--to', '2027-04-01', '--json']).out);
  equal(next.days.map((d) => d.changed), [true, true], 'after the kill');
  gezhiOk(['verify', '--data', dir]);
});
