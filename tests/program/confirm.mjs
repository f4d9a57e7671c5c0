/** 核实: before filing, the desk sends the worker of the cell to look; it comes back to the desk. */
import { commonServer, equal, must, problem, test } from './lib.mjs';
import { STREET, workerPoint } from './api.mjs';

test('a case is confirmed on the spot before filing: who sees it, who is told, whose turn it is', async () => {
  const { stranger, who } = await commonServer();
  const [worker, operator, department] = [await who('worker'), await who('operator'), await who('department')];
  const at = await workerPoint(worker);
  const report = async () => {
    const c = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x' })).json;
    await operator.move(c.code, 'accept', {});
    return c;
  };
  const mine = async (p) => (await p.get('/api/v1/cases?mine=1&limit=500')).json.items.map((x) => x.code);
  const c = await report();
  const before = (await operator.get(`/api/v1/cases/${c.code}`)).json;
  const out = await operator.move(c.code, 'order_confirm', { note: 'behind the gate' });
  equal([out.status, out.json.state, out.json.stage, out.json.holder], [200, 'confirming', 'confirm', null], 'ordered');
  must((await mine(worker)).includes(c.code), 'it waits for the worker');
  must(!(await mine(operator)).includes(c.code), 'and no longer for the desk');
  must((await operator.get('/api/v1/cases?stage=confirm&open=1')).json.items.some((x) => x.code === c.code), 'the desk sees what is out');
  must((await worker.get('/api/v1/notices')).json.items.some((n) => n.case === c.code && n.kind === 'order_confirm'), 'the worker is told');
  problem(await operator.move(c.code, 'file', {}), 409, 'CONFLICT');
  problem(await operator.move(c.code, 'confirm', {}), 403, 'FORBIDDEN');
  problem(await department.get(`/api/v1/cases/${c.code}`), 404, 'NOT_FOUND');
  equal((await stranger.get(`/api/v1/public/cases/${c.code}`)).json.state_title.zh, '正在核实', 'the public reads');
  const told = (await stranger.post('/api/v1/follow', { code: c.code, word: c.secret })).json;
  equal([told.case.state_title.zh, told.route.at(-1).move], ['正在核实', 'order_confirm'], 'the reporter reads');
  const there = (await stranger.get(`/open311/v2/requests/${c.code}.json`)).json[0];
  equal([there.status, there.status_notes], ['open', '正在核实'], 'Open311 says');
  const offered = (await worker.get(`/api/v1/cases/${c.code}`)).json.moves.map((m) => m.name);
  must(offered.includes('confirm') && offered.includes('deny'), `the worker is offered ${offered}`);
  const back = await worker.move(c.code, 'confirm', { note: 'two metres of it' });
  equal([back.status, back.json.state], [200, 'accepted'], 'answered');
  must((await mine(operator)).includes(c.code), 'it waits for the desk again');
  /* The desk has what it had left: the minutes of this test, not a fresh limit. */
  const later = new Date(back.json.due) - new Date(before.due);
  must(later >= 0 && later < 600_000, `due ${before.due}, then ${back.json.due}`);
  const again = back.json.moves ?? (await operator.get(`/api/v1/cases/${c.code}`)).json.moves;
  must(!again.some((m) => m.name === 'order_confirm' && !m.why_not), 'it is not asked twice');
  equal((await operator.move(c.code, 'file', {})).json.state, 'filed', 'filed');

  const d = await report();
  await operator.move(d.code, 'order_confirm', {});
  problem(await worker.move(d.code, 'deny', {}), 422, 'INVALID');
  equal((await worker.move(d.code, 'deny', { note: 'nothing there' })).json.state, 'accepted', 'not so');
  equal((await operator.move(d.code, 'refuse', { reason: 'nothing there', goto: 'report again' })).json.state, 'refused', 'refused');

  const e = await report();
  await operator.move(e.code, 'order_confirm', {});
  equal((await operator.move(e.code, 'take_back', {})).json.state, 'accepted', 'taken back');
  const twice = (await operator.get(`/api/v1/cases/${e.code}`)).json.moves.find((m) => m.name === 'order_confirm');
  must(twice && !twice.why_not, 'nobody had gone: it can be ordered again');
});
