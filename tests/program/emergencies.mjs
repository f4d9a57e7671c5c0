/** Clocks that stand: asked and approved for one case, declared and approved for many. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoCity, equal, fresh, gezhiOk, must, PACKS, problem, readAccounts, serving, sleep, test } from './lib.mjs';
import { signedIn, STREET, workerPoint } from './api.mjs';

const in10days = () => new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10);

async function dispatched(stranger, people, at) {
  const c = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x' })).json;
  await people.operator.move(c.code, 'accept', {});
  await people.operator.move(c.code, 'file', {});
  const d = await people.operator.move(c.code, 'dispatch', { unit: people.department.account.unit });
  must(d.status === 200, `dispatch: ${d.text.slice(0, 200)}`);
  return { ...c, due: d.json.due };
}
/** Until `found` says yes; the ticker goes through the cases within two seconds. */
async function until(what, found) {
  for (let i = 0; i < 150; i++) {
    const r = await found();
    if (r) return r;
    await sleep(100);
  }
  throw new Error(`${what}: not within 15 s`);
}

test('a suspension is asked, approved by another, told to the reporter without its reason, and ended', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const people = await signedIn(stranger, accounts, ['worker', 'operator', 'department', 'supervisor']);
    const at = await workerPoint(people.worker);
    const c = await dispatched(stranger, people, at);
    const asked = await people.department.move(c.code, 'ask_suspend', { reason: 'SECRETreason', until: in10days() });
    equal([asked.status, asked.json.asked.what, asked.json.light], [200, 'pause', 'green'], 'asked');
    equal((await people.department.move(c.code, 'suspend', {})).status, 403, 'the department approves nothing');
    const waits = (await people.operator.get('/api/v1/cases?asked=1')).json.items.map((x) => x.code);
    must(waits.includes(c.code), 'it waits for an answer');
    must((await people.operator.get('/api/v1/counts')).json.asked >= 1, 'it is counted');
    const stands = (await people.operator.move(c.code, 'suspend', {})).json;
    equal([stands.light, stands.due, stands.paused.why, stands.suspensions], ['paused', null, 'suspended', 1], 'it stands');
    must(stands.paused.left_minutes > 0, 'with what was left');
    must((await people.operator.get('/api/v1/cases?light=paused')).json.items.some((x) => x.code === c.code), 'listed as standing');
    must(!(await people.operator.get('/api/v1/cases?light=green&limit=500')).json.items.some((x) => x.code === c.code), 'not listed as in time');
    equal((await people.operator.get('/api/v1/counts')).json.by_light.paused, 1, 'counted as standing');
    const told = await stranger.post('/api/v1/follow', { code: c.code, word: c.secret });
    equal(told.json.case.paused.why, 'suspended', 'the reporter is told');
    must(!told.text.includes('SECRETreason'), 'the reason of the department is not public');
    must(!told.text.includes('left_minutes'), 'nor the inside of the clock');
    const open = (await stranger.get(`/api/v1/public/cases/${c.code}`)).json;
    equal([open.paused.why, open.due], ['suspended', null], 'the public is told');
    const runs = (await people.department.move(c.code, 'resume', {})).json;
    equal([runs.light, runs.paused], ['green', null], 'it runs again');
    const late = Math.abs(new Date(runs.due) - new Date(c.due));
    must(late < 3_600_000 * 20, `due ${runs.due}, was ${c.due}`);
    const more = await people.department.move(c.code, 'ask_extension', { reason: 'y', days: 3 });
    equal(more.status, 200, 'more time is asked');
    const longer = (await people.supervisor.move(c.code, 'extend', {})).json;
    must(new Date(longer.due) > new Date(runs.due), 'and given');
    const step = longer.route.find((s) => s.move === 'ask_extension');
    equal([step.days, step.reason, step.actor], [3, 'y', people.department.account.name], 'what was asked and by whom stays in the log');
  });
});

test('an emergency: declared by one, approved by another, clocks stand and go on', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const people = await signedIn(stranger, accounts, ['worker', 'operator', 'department', 'supervisor', 'leader', 'system_admin', 'audit_admin']);
    const { worker, operator, supervisor, leader } = people;
    const at = await workerPoint(worker);
    const town = (await stranger.get(`/api/v1/locate?lon=${at.lon}&lat=${at.lat}`)).json.community.code;
    const body = { title: 'Heavy rain', area: town, classes: ['event-01'], reason: 'streets under water' };
    problem(await stranger.get('/api/v1/emergencies'), 401, 'UNAUTHORIZED');
    problem(await worker.post('/api/v1/emergencies', body), 403, 'FORBIDDEN');
    problem(await people.system_admin.get('/api/v1/emergencies'), 403, 'FORBIDDEN');
    problem(await operator.post('/api/v1/emergencies', { ...body, area: 'nowhere' }), 422, 'INVALID');
    problem(await operator.post('/api/v1/emergencies', { ...body, classes: ['event-77'] }), 422, 'INVALID');
    problem(await operator.post('/api/v1/emergencies', { ...body, classes: 'event-01' }), 422, 'INVALID');
    problem(await operator.post('/api/v1/emergencies', { ...body, color: 'red' }), 422, 'INVALID');
    const c = await dispatched(stranger, people, at);
    const preview = (await operator.get(`/api/v1/emergencies/preview?area=${town}&classes=event-01`)).json;
    must(preview.n_covered >= 1, `${preview.n_covered} clocks would stand`);
    const declared = await operator.post('/api/v1/emergencies', body);
    equal([declared.status, declared.json.state, declared.json.n_covered, declared.json.may_approve], [201, 'declared', preview.n_covered, false], 'declared');
    const { id } = declared.json;
    equal((await operator.get(`/api/v1/cases/${c.code}`)).json.light, 'green', 'declared is not approved');
    problem(await operator.post(`/api/v1/emergencies/${id}/approve`, {}), 403, 'FORBIDDEN');
    problem(await worker.post(`/api/v1/emergencies/${id}/end`, {}), 403, 'FORBIDDEN');
    problem(await leader.post('/api/v1/emergencies/999999/approve', {}), 404, 'NOT_FOUND');
    must((await leader.get('/api/v1/notices')).json.items.some((n) => n.kind === 'emergency'), 'who approves is told');
    /* A leader of another community sees nothing of it. */
    const other = (await stranger.get('/api/v1/areas?level=community&limit=50')).json.items.map((a) => a.code).find((x) => x !== town);
    must(other, 'the demo city has two communities');
    await people.system_admin.post('/api/v1/accounts', { name: 'far', role: 'leader', area: other, password: 'a long pass phrase 1' });
    const first = await stranger.as({ name: 'far', password: 'a long pass phrase 1' });
    await first.post('/api/v1/password', { old: 'a long pass phrase 1', new: 'a long pass phrase 2' });
    const far = await stranger.as({ name: 'far', password: 'a long pass phrase 2' });
    equal((await far.get('/api/v1/emergencies')).json.items, [], 'the neighbour');
    problem(await far.post(`/api/v1/emergencies/${id}/approve`, {}), 404, 'NOT_FOUND');
    problem(await far.post(`/api/v1/emergencies/${id}/end`, {}), 404, 'NOT_FOUND');
    const approved = await leader.post(`/api/v1/emergencies/${id}/approve`, {});
    equal([approved.status, approved.json.state, approved.json.approved_by], [200, 'paused', leader.account.name], 'approved');
    problem(await leader.post(`/api/v1/emergencies/${id}/approve`, {}), 409, 'CONFLICT');
    const held = await until('the clocks stand', async () => (await operator.get('/api/v1/emergencies?open=true')).json.items.find((e) => e.id === id && !e.working));
    equal([held.n_paused, held.n_standing], [preview.n_covered, preview.n_covered], 'as many as were told');
    const stands = (await operator.get(`/api/v1/cases/${c.code}`)).json;
    equal([stands.light, stands.paused.why, stands.paused.emergency], ['paused', 'emergency', id], 'the case stands');
    must(stands.route.some((s) => s.move === 'emergency_pause' && s.public), 'and its log says so');
    const fresh = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'y' })).json;
    equal([fresh.due, (await stranger.get(`/api/v1/public/cases/${fresh.code}`)).json.paused.why], [null, 'emergency'], 'what comes in now stands');
    equal((await supervisor.post(`/api/v1/emergencies/${id}/end`, {})).json.state, 'ended', 'ended');
    await until('the clocks run', async () => (await operator.get('/api/v1/emergencies')).json.items.find((e) => e.id === id && !e.working));
    const runs = (await operator.get(`/api/v1/cases/${c.code}`)).json;
    equal([runs.light, runs.paused], ['green', null], 'it runs');
    const shift = new Date(runs.due) - new Date(c.due);
    must(shift >= 0 && shift < 3_600_000 * 20, `due ${runs.due}, was ${c.due}`);
    must((await stranger.get(`/api/v1/public/cases/${fresh.code}`)).json.due !== null, 'the new one runs too');
    equal((await operator.get('/api/v1/emergencies?open=true')).json.items.filter((e) => e.id === id), [], 'no longer open');
    problem(await operator.post(`/api/v1/emergencies/${id}/end`, {}), 409, 'CONFLICT');
    const audit = (await people.audit_admin.get('/api/v1/audit?type=emergency&limit=50')).json.items.map((r) => `${r.command} ${r.actor}`);
    for (const line of [`emergency.declare ${operator.account.name}`, `emergency.approve ${leader.account.name}`, `emergency.end ${supervisor.account.name}`]) must(audit.includes(line), `the audit list lacks ${line}: ${audit}`);
  });
});

/** The packs as a folder has them that was made before clocks could stand and reports were confirmed on the spot. */
function packsOfBefore() {
  const dir = fresh('packs');
  cpSync(PACKS, dir, { recursive: true });
  const edit = (file, f) => writeFileSync(join(dir, file), f(readFileSync(join(dir, file), 'utf8')));
  const without = (re) => (text) => text.split('\n').filter((l) => !re.test(l)).join('\n');
  edit('cases/types/case.yaml', without(/name: (paused_|clock_left|clock_stood|emergency|asked|suspended_at|suspensions|extensions)|columns: \[(paused_|emergency|asked)/));
  edit('cases/types/step.yaml', without(/name: (until|days),/));
  edit('cases/types/case.yaml', without(/name: confirm/));
  edit('cases/indicators/flow.yaml', without(/indicator: (suspended|extended|extension_rate),/));
  edit('cases/indicators/flow.yaml', (text) => text.replace(/measure: count, type: case(, filter: '[^']*')?, time: confirm_due_at, basis: due, direction: neither, version: 2, valid_from: "[^"]*", history: [^\]]*\]/g, 'measure: figure, direction: neither'));
  edit('cases/processes/street.yaml', (text) => text.slice(0, text.indexOf('  # 核实:')) + text.slice(text.indexOf('  - name: filed\n')));
  edit('cases/processes/street.yaml', (text) => text.slice(0, text.indexOf('  # Once each time')) + text.slice(text.indexOf('  - name: file\n')));
  for (const p of ['street', 'dispute']) edit(`cases/processes/${p}.yaml`, (text) => text.slice(0, text.indexOf('  # 挂账')) + text.slice(text.indexOf('  - name: rate\n')));
  return dir;
}

test('a folder whose packs know of no standing clock and no confirmation runs as before, and takes them over', async () => {
  const dir = fresh('before');
  const out = gezhiOk(['demo', '--data', dir, '--packs', packsOfBefore(), '--cells', '100', '--cases', '100', '--seed', '7', '--until', '2026-11-01', '--quiet']).out;
  await serving(dir, async (stranger) => {
    const people = await signedIn(stranger, readAccounts(out), ['worker', 'operator', 'department', 'leader']);
    const at = await workerPoint(people.worker);
    const c = await dispatched(stranger, people, at);
    const seen = (await people.department.get(`/api/v1/cases/${c.code}`)).json;
    equal([seen.light, seen.paused, seen.asked], ['green', null, null], 'the case');
    must(!seen.moves.some((m) => m.name.startsWith('ask_')), 'nothing is offered that it cannot hold');
    equal((await people.operator.get('/api/v1/cases?light=paused')).json.items, [], 'nothing stands');
    equal((await people.operator.get('/api/v1/counts')).json.by_light.paused, 0, 'nothing is counted');
    const area = (await stranger.get(`/api/v1/locate?lon=${at.lon}&lat=${at.lat}`)).json.community.code;
    const { id } = (await people.operator.post('/api/v1/emergencies', { title: 'x', area, classes: ['event-01'], reason: 'y' })).json;
    problem(await people.leader.post(`/api/v1/emergencies/${id}/approve`, {}), 409, 'CONFLICT');
    const fresh = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x' })).json;
    const moves = (await people.operator.move(fresh.code, 'accept', {})).json.moves.map((m) => m.name);
    must(moves.includes('file') && !moves.includes('order_confirm'), `the desk decides: ${moves}`);
  });
  // What came by file stays in the ledger; with packs that count it from the flow, the flow is what is told.
  const figures = join(dir, 'figures.csv');
  writeFileSync(figures, 'indicator,area,period,value\ndue_verify,990100000000,2026-10,500\n');
  must(gezhiOk(['import', 'indicators', figures, '--data', dir]).out.includes('1'), 'the figure is taken');
  const ask = async (analyst) => (await analyst.get('/api/v1/indicators/due_verify/values?period=2026-10&level=city')).json.areas[0].value;
  await serving(dir, async (stranger) => equal(await ask(await stranger.as(readAccounts(out).analyst)), 500, 'by file'));
  cpSync(PACKS, join(dir, 'packs'), { recursive: true });
  await serving(dir, async (stranger) => {
    const people = await signedIn(stranger, readAccounts(out), ['worker', 'operator', 'analyst']);
    equal(await ask(people.analyst), 0, 'from the flow');
    const at = await workerPoint(people.worker);
    const c = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x' })).json;
    await people.operator.move(c.code, 'accept', {});
    await people.operator.move(c.code, 'order_confirm', {});
    equal((await people.worker.move(c.code, 'confirm', {})).json.state, 'accepted', 'confirmed');
  });
});
