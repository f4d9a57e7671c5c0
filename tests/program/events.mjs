/** The live stream: within rights, resumable. */
import { commonServer, equal, events, goldenShape, must, problem, test } from './lib.mjs';
import { DISPUTE, pointOutside, STREET, workerPoint } from './api.mjs';

test('events: a report is seen within a second, resumed by Last-Event-ID and ?after=', async () => {
  const { stranger, who, server } = await commonServer();
  const op = await who('supervisor'), worker = await who('worker');
  const at = await workerPoint(worker);
  const report = async (text) => (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: text })).json.code;
  problem(await stranger.get('/api/v1/events'), 401, 'UNAUTHORIZED');
  const e = events(server.port, '/api/v1/events', op.headers);
  await e.ready;
  must(e.status === 200 && e.headers['content-type'].startsWith('text/event-stream'), `${e.status}`);
  const a = await report('first');
  const start = Date.now();
  const first = await e.until((f) => f.event === 'case' && f.data.code === a);
  const took = Date.now() - start;
  must(took < 1000, `seen after ${took} ms`);
  must(String(first.data.seq) === first.id, 'the id is the sequence');
  goldenShape('event', first.data);
  must(!JSON.stringify(first).includes('description'), 'no text in the stream');
  const b = await report('second');
  await e.until((f) => f.data.code === b);
  for (const [path, headers] of [['/api/v1/events', { 'Last-Event-ID': first.id }], [`/api/v1/events?after=${first.id}`, {}]]) {
    const r = events(server.port, path, { ...op.headers, ...headers });
    await r.ready;
    await r.until((f) => f.data.code === b);
    must(!r.frames.some((f) => f.event === 'case' && f.id === first.id), 'what was seen is not sent again');
    r.close();
  }
  e.close();
  const old = events(server.port, '/api/v1/events?after=1', op.headers);
  await old.ready;
  await old.until((f) => f.event === 'reset');
  old.close();
});

test('events: nothing of a private case or of another place for a worker', async () => {
  const { stranger, who, server } = await commonServer();
  const op = await who('supervisor'), worker = await who('worker');
  const at = await workerPoint(worker);
  const mine = events(server.port, '/api/v1/events', worker.headers), all = events(server.port, '/api/v1/events', op.headers);
  await Promise.all([mine.ready, all.ready]);
  const secret = (await stranger.post('/api/v1/cases', { class: DISPUTE, lon: at.lon, lat: at.lat, description: 'private' })).json.code;
  const cells = (await op.get('/api/v1/cells?limit=500')).json.items;
  const own = new Set((await worker.get(`/api/v1/posts?account=${worker.account.name}`)).json.items.map((p) => p.cell));
  const far = await pointOutside(stranger, cells, own);
  const elsewhere = (await stranger.post('/api/v1/cases', { class: STREET, ...far, description: 'far' })).json.code;
  const here = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'here' })).json.code;
  await mine.until((f) => f.data.code === here);
  await all.until((f) => f.data.code === here);
  await all.until((f) => f.data.code === secret);
  await all.until((f) => f.data.code === elsewhere);
  equal(mine.frames.filter((f) => f.event === 'case' && [secret, elsewhere].includes(f.data.code)).length, 0, 'frames the worker may not see');
  mine.close();
  all.close();
});
