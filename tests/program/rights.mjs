/** Who sees what: strangers, neighbours, reporters, parties, handlers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonServer, demoCity, equal, must, ROOT, serving, test } from './lib.mjs';
import { carry, DISPUTE, pointOutside, signedIn, STREET, workerPoint } from './api.mjs';
import { tileOf } from './places.mjs';

const PLANTED = ['PLANTEDdescription', 'PLANTEDcontact', 'PLANTEDplace', 'PLANTEDparty', 'PLANTEDstatement', 'PLANTEDprivate', 'PLANTEDstaffnote', 'PLANTEDname'];

/** A city with planted words in every personal place: one street case that was handled, one dispute. */
async function plant(stranger, people) {
  const at = await workerPoint(people.worker);
  const street = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, place: 'PLANTEDplace', description: 'PLANTEDdescription', contact: 'PLANTEDcontact' })).json;
  const unit = people.department.account.unit;
  await people.operator.move(street.code, 'accept', { note: 'PLANTEDstaffnote' });
  await people.operator.move(street.code, 'file', { note: 'PLANTEDstaffnote' });
  await people.operator.move(street.code, 'dispatch', { unit, note: 'PLANTEDstaffnote' });
  const handled = await people.department.move(street.code, 'handle', { note: 'PLANTEDstaffnote' });
  must(handled.status === 200, `handle: ${handled.text.slice(0, 200)}`);
  const dispute = (await stranger.post('/api/v1/cases', {
    class: DISPUTE, lon: at.lon, lat: at.lat, place: 'PLANTEDplace', description: 'PLANTEDprivate', contact: 'PLANTEDcontact',
    parties: [{ kind: 'applicant', name: 'PLANTEDparty1', contact: 'PLANTEDcontact', statement: 'PLANTEDstatement1' }, { kind: 'respondent', name: 'PLANTEDparty2', statement: 'PLANTEDstatement2' }],
  })).json;
  return { at, street, dispute };
}
function clean(r, what) {
  for (const word of PLANTED) must(!r.text.includes(word) && !r.bytes.includes(word), `${what} tells ${word}`);
}
/** What a stranger asks of each public route; a route that is public and not here fails the test. */
function publicAsks({ at, street, dispute }) {
  const near = `${at.lon - 0.01},${at.lat - 0.01},${at.lon + 0.01},${at.lat + 0.01}`;
  const [x, y] = tileOf(at.lon, at.lat, 15);
  return {
    'POST /api/v1/session': [['POST', '/api/v1/session', { name: 'somebody', password: 'x' }]],
    'GET /api/v1/session': [['GET', '/api/v1/session']],
    'POST /api/v1/password/reset': [['POST', '/api/v1/password/reset', { token: 'x', new: 'a long pass phrase 1' }]],
    'POST /api/v1/setup': [['POST', '/api/v1/setup', { token: 'x', name: 'x', password: 'a long pass phrase 1' }]],
    'POST /api/v1/cases': [['POST', '/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'another' }]],
    'GET /api/v1/cases/similar': [['GET', `/api/v1/cases/similar?class=${STREET}&lon=${at.lon}&lat=${at.lat}`], ['GET', `/api/v1/cases/similar?class=${DISPUTE}&lon=${at.lon}&lat=${at.lat}`]],
    'GET /api/v1/city': [['GET', '/api/v1/city']],
    'GET /api/v1/classes': [['GET', '/api/v1/classes']],
    'GET /api/v1/locate': [['GET', `/api/v1/locate?lon=${at.lon}&lat=${at.lat}`]],
    'GET /api/v1/public/cases': ['', `&class=${STREET}`, `&class=${DISPUTE}`, `&bbox=${near}`, '&q=PLANTEDdescription', '&private=1', '&area=990101', '&sort=due', '&format=csv', '&format=geojson', '&format=ndjson'].map((q) => ['GET', `/api/v1/public/cases?limit=500${q}`]),
    'GET /api/v1/public/cases/{code}': [['GET', `/api/v1/public/cases/${street.code}`], ['GET', `/api/v1/public/cases/${dispute.code}`]],
    'POST /api/v1/follow': [['POST', '/api/v1/follow', { code: dispute.code, word: 'AAAAAAAA' }]],
    'POST /api/v1/follow/{move}': [['POST', '/api/v1/follow/withdraw', { code: dispute.code, word: 'AAAAAAAA' }]],
    'GET /api/v1/areas': [['GET', '/api/v1/areas?level=community']],
    'GET /api/v1/areas/shapes': [['GET', '/api/v1/areas/shapes?level=community']],
    'GET /api/v1/areas/{code}': [['GET', '/api/v1/areas/990101']],
    'GET /api/v1/cells/{code}': [['GET', `/api/v1/cells/${at.cell}`]],
    'GET /api/v1/public/indices': [['GET', '/api/v1/public/indices']],
    'GET /api/v1/public/indices/{name}/values': [['GET', '/api/v1/public/indices/safety/values?period=2026-10&level=town']],
    'POST /api/v1/media': [['POST', '/api/v1/media', {}]],
    'GET /api/v1/media/{name}': [['GET', '/api/v1/media/0123456789abcdef0123456789abcdef']],
    'GET /tiles/{layer}/{z}/{x}/{y}.mvt': ['cells', 'cases', 'public-cases'].map((l) => ['GET', `/tiles/${l}/15/${x}/${y}.mvt`]),
    'GET /basemap/{layer}/{z}/{x}/{y}': [['GET', `/basemap/street/15/${x}/${y}`]],
    'GET /api/v1/openapi.json': [['GET', '/api/v1/openapi.json']],
    'GET /healthz': [['GET', '/healthz']],
    'GET /metrics': [['GET', '/metrics']],
    ...open311Asks(street, dispute),
  };
}
function open311Asks(street, dispute) {
  const out = {};
  for (const f of ['json', 'xml']) {
    out[`GET /open311/v2/services.${f}`] = [['GET', `/open311/v2/services.${f}`]];
    out[`GET /open311/v2/services/{code}.${f}`] = [['GET', `/open311/v2/services/${STREET}.${f}`]];
    out[`GET /open311/v2/requests.${f}`] = [['GET', `/open311/v2/requests.${f}`], ['GET', `/open311/v2/requests.${f}?service_code=${DISPUTE}`], ['GET', `/open311/v2/requests.${f}?service_request_id=${street.code},${dispute.code}`]];
    out[`GET /open311/v2/requests/{id}.${f}`] = [street, dispute].map((c) => ['GET', `/open311/v2/requests/${c.code}.${f}`]);
    out[`POST /open311/v2/requests.${f}`] = [['POST', `/open311/v2/requests.${f}`, {}]];
    out[`GET /open311/v2/tokens/{t}.${f}`] = [['GET', `/open311/v2/tokens/1.${f}`]];
  }
  return out;
}
/** Routes of decl/routes.def, with who may. */
function routes() {
  const text = readFileSync(join(ROOT, 'decl/routes.def'), 'utf8');
  return [...text.matchAll(/^X\((\w+), "([^"]+)", (\w+), (\w+),/gm)].map((m) => ({ method: m[1], path: m[2], handler: m[3], who: m[4] }));
}
/** The asks of a route; names of parts do not matter, and one row may serve both formats of Open311. */
function asksOf(asks, r) {
  const plain = (s) => s.replace(/\{\w+\}/g, '{}').replace(/\.(json|xml|\{\})$/, '');
  const keys = Object.keys(asks).filter((k) => plain(k) === plain(`${r.method} ${r.path}`));
  return keys.length ? keys.flatMap((k) => asks[k]) : null;
}

test('a stranger reads every public route and finds nothing personal or private', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger, server) => {
    const people = await signedIn(stranger, accounts, ['worker', 'operator', 'department']);
    const planted = await plant(stranger, people);
    const asks = publicAsks(planted);
    const all = routes();
    must(all.length > 40, `only ${all.length} rows read from decl/routes.def`);
    let asked = 0;
    for (const r of all.filter((x) => x.who === 'PUBLIC')) {
      const list = asksOf(asks, r);
      must(list, `the public route ${r.method} ${r.path} has no entry in this test`);
      for (const [method, path, json] of list) {
        const a = await stranger.call(method, path, { json });
        must(a.status < 500, `${method} ${path}: ${a.status}`);
        clean(a, `${method} ${path}`);
        must(!a.text.includes(planted.dispute.code) || path.includes(planted.dispute.code) || json?.code === planted.dispute.code, `${method} ${path} names the private case`);
        must(!a.text.includes(people.operator.account.name), `${method} ${path} names an account`);
        asked += 1;
      }
    }
    for (const r of all.filter((x) => x.who !== 'PUBLIC')) {
      const path = r.path.replace(/\{\w+\}/g, 'x');
      const a = await stranger.call(r.method, path, { json: r.method === 'GET' || r.method === 'DELETE' ? undefined : {} });
      must(a.status === 401, `a stranger at ${r.method} ${path}: ${a.status}`);
    }
    must(asked > 30, `${asked} questions`);
    for (const word of [...PLANTED, planted.street.secret, planted.dispute.secret]) must(!(server.out + server.err).includes(word), `the log holds ${word}`);
  });
});

test('a private case and a code never given answer alike', async () => {
  const { stranger, who } = await commonServer();
  const d = (await stranger.post('/api/v1/cases', { class: DISPUTE, description: 'x' })).json;
  const unknown = d.code.replace(/\d{5}$/, '99999');
  const a = await stranger.get(`/api/v1/public/cases/${d.code}`), b = await stranger.get(`/api/v1/public/cases/${unknown}`);
  equal([a.status, a.text.replaceAll(d.code, 'CODE')], [b.status, b.text.replaceAll(unknown, 'CODE')], 'public case');
  const f = (code) => stranger.post('/api/v1/follow', { code, word: 'ABCDEFGH' });
  const fa = await f(d.code), fb = await f(unknown);
  equal([fa.status, fa.text], [fb.status, fb.text], 'follow with a wrong word');
  const w = await who('worker');
  const wa = await w.get(`/api/v1/cases/${d.code}`), wb = await w.get(`/api/v1/cases/${unknown}`);
  equal([wa.status, wa.text.replaceAll(d.code, 'CODE')], [wb.status, wb.text.replaceAll(unknown, 'CODE')], 'a worker');
  const drop = (h) => Object.fromEntries(Object.entries(h).filter(([k]) => !['date', 'content-length'].includes(k)));
  equal(drop(a.headers), drop(b.headers), 'headers');
});

test('a walk over all serials of a day with random words learns nothing and is slowed down', async () => {
  const { dir, accounts } = demoCity();
  /* From an address that is not the city's own: a trusted proxy names it. */
  await serving(dir, async (stranger) => {
    const at = await workerPoint(await stranger.as(accounts.worker));
    const real = [];
    for (let i = 0; i < 6; i++) real.push((await stranger.post('/api/v1/cases', { class: i % 2 ? DISPUTE : STREET, lon: at.lon, lat: at.lat, description: 'walked' })).json);
    const prefix = real[0].code.slice(0, -5);
    const abc = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const word = () => Array.from({ length: 8 }, () => abc[Math.floor(Math.random() * 32)]).join('');
    const answers = new Map();
    let slowed = 0;
    for (let i = 0; i < 400; i++) {
      const r = await stranger.post('/api/v1/follow', { code: `${prefix}${String(i % 40).padStart(5, '0')}`, word: word() }, { 'X-Forwarded-For': `198.51.100.${1 + Math.floor(i / 25)}` });
      if (r.status === 429) slowed += 1;
      else answers.set(`${r.status} ${r.text}`, (answers.get(`${r.status} ${r.text}`) ?? 0) + 1);
    }
    equal(answers.size, 1, 'different answers to wrong words');
    must([...answers.keys()][0].startsWith('404 '), [...answers.keys()][0]);
    must(slowed > 0, 'nobody was slowed down');
    const own = await stranger.post('/api/v1/follow', { code: real[0].code, word: real[0].secret }, { 'X-Forwarded-For': '203.0.113.9' });
    must(own.status === 200, `the reporter is locked out by the walk: ${own.status} ${own.text}`);
  }, { args: ['--trusted-proxies', '127.0.0.1'] });
});

test('a rounded place cannot be made finer: by boxes, tiles or neighbours of a point', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const people = await signedIn(stranger, accounts, ['worker']);
    const at = await workerPoint(people.worker);
    /* Two reports in one square of the rounding, at different places: whatever is asked, both answer alike. */
    const first = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'a' })).json;
    const shown = (await stranger.get(`/api/v1/public/cases/${first.code}`)).json;
    must(shown.exact === false, 'this class is rounded');
    const spots = [[-0.4, -0.4], [0.4, 0.4], [0.4, -0.4], [-0.1, 0.3]].map(([x, y]) => [shown.lon + (x * 50) / (111320 * Math.cos((shown.lat * Math.PI) / 180)), shown.lat + (y * 50) / 111320]);
    const codes = [];
    for (const [lon, lat] of spots) {
      const c = (await stranger.post('/api/v1/cases', { class: STREET, lon, lat, description: 'b' })).json;
      const p = (await stranger.get(`/api/v1/public/cases/${c.code}`)).json;
      equal([p.lon, p.lat], [shown.lon, shown.lat], 'all in one square');
      codes.push(c.code);
    }
    const all = (list) => codes.map((c) => list.includes(c));
    const alike = (found, what) => must(new Set(found).size === 1, `${what} tells the places of one square apart: ${found}`);
    for (let k = 0; k < 160; k++) {
      const w = shown.lon - 0.0008 + (k % 16) * 0.0001, s = shown.lat - 0.0008 + Math.floor(k / 16) * 0.00015;
      const r = (await stranger.get(`/api/v1/public/cases?limit=500&class=${STREET}&bbox=${w},${s},${w + 0.003},${s + 0.003}`)).json.items.map((c) => c.code);
      alike(all(r), `bbox ${w},${s}`);
    }
    for (const z of [16, 18, 19, 20, 21, 22]) {
      for (const [lon, lat] of spots) {
        const [x, y] = tileOf(lon, lat, z);
        const r = await stranger.get(`/tiles/public-cases/${z}/${x}/${y}.mvt`);
        alike(all(codes.filter((c) => r.bytes.includes(c))), `tile ${z}/${x}/${y}`);
      }
    }
    for (let k = -12; k <= 12; k++) {
      const r = (await stranger.get(`/api/v1/cases/similar?class=${STREET}&lon=${shown.lon}&lat=${shown.lat + k * 0.0001}`)).json.items;
      const told = codes.map((c) => r.find((x) => x.code === c)?.distance_m ?? 'none');
      alike(told, `similar at ${k}`);
    }
  });
});

test('a neighbour sees nothing of a case, an owner does', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const p = await signedIn(stranger, accounts, ['worker', 'operator', 'department', 'system_admin', 'supervisor']);
    const at = await workerPoint(p.worker);
    const cells = (await p.supervisor.get('/api/v1/cells?limit=500')).json.items;
    const own = new Set((await p.worker.get(`/api/v1/posts?account=${p.worker.account.name}`)).json.items.map((x) => x.cell));
    const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'NEIGHBOUR' })).json;
    const elsewhere = (await stranger.post('/api/v1/cases', { class: STREET, ...(await pointOutside(stranger, cells, own)), description: 'ELSEWHERE' })).json;
    await carry(made.code, { operator: p.operator, unit: p.department.account.unit }, 'dispatch');
    const units = (await p.operator.get('/api/v1/units')).json.items;
    const communities = (await stranger.get('/api/v1/areas?level=community')).json.items;
    const here = (await stranger.get(`/api/v1/locate?lon=${at.lon}&lat=${at.lat}`)).json;
    const add = async (name, more) => {
      const r = await p.system_admin.post('/api/v1/accounts', { name, password: 'given pass phrase 1', ...more });
      must(r.status === 201, `${name}: ${r.status} ${r.text}`);
      const c = await stranger.as({ name, password: 'given pass phrase 1' });
      must((await c.post('/api/v1/password', { old: 'given pass phrase 1', new: `own pass phrase of ${name}` })).status === 204, name);
      return stranger.as({ name, password: `own pass phrase of ${name}` });
    };
    const neighbours = {
      'an operator of another area': await add('op-far', { role: 'operator', area: communities.find((t) => t.code !== here.community.code).code }),
      'a worker of no cell': await add('worker-far', { role: 'worker', area: here.town.code }),
      'a department of another unit': await add('dep-far', { role: 'department', unit: units.find((u) => u.code !== p.department.account.unit).code }),
    };
    for (const [who, c] of Object.entries(neighbours)) {
      equal((await c.get(`/api/v1/cases/${made.code}`)).status, 404, `${who}: the case`);
      equal((await c.get(`/api/v1/cases?q=${made.code}`)).json.items.length, 0, `${who}: the search`);
      must(!(await c.get('/api/v1/cases?limit=500')).text.includes(made.code), `${who}: the list`);
      must(!(await c.get('/api/v1/cases?limit=500&format=csv')).text.includes(made.code), `${who}: the file`);
      for (const path of ['suggest', 'contact?purpose=x']) must([403, 404].includes((await c.get(`/api/v1/cases/${made.code}/${path}`)).status), `${who}: ${path}`);
      const m = await c.post(`/api/v1/cases/${made.code}/handle`, { note: 'x' }, { 'If-Match': '"4"' });
      must([403, 404].includes(m.status), `${who}: a move gets ${m.status}`);
      const [x, y] = tileOf(at.lon, at.lat, 15);
      must(!(await c.get(`/tiles/cases/15/${x}/${y}.mvt`)).bytes.includes(made.code), `${who}: the tile`);
    }
    for (const who of ['operator', 'department', 'worker']) equal((await p[who].get(`/api/v1/cases/${made.code}`)).status, 200, `${who} sees it`);
    equal((await p.worker.get(`/api/v1/cases/${elsewhere.code}`)).status, 404, 'the worker of another cell');
    equal((await p.department.get(`/api/v1/cases/${elsewhere.code}`)).status, 404, 'a department before it is dispatched');
    for (const who of ['system_admin']) must([403].includes((await p[who].get('/api/v1/cases')).status), `${who} sees cases`);
  });
});

test('the handler cannot verify, not even in another role', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const p = await signedIn(stranger, accounts, ['worker', 'operator', 'department', 'verifier', 'supervisor', 'system_admin']);
    const at = await workerPoint(p.worker);
    const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x' })).json;
    await carry(made.code, { operator: p.operator, handler: p.department, unit: p.department.account.unit }, 'handle');
    const refused = await p.department.move(made.code, 'verify');
    must([403, 404, 409].includes(refused.status), `the handler verifies: ${refused.status}`);
    const dep = await p.system_admin.get(`/api/v1/accounts/${p.department.account.name}`);
    const changed = await p.system_admin.patch(`/api/v1/accounts/${p.department.account.name}`, { role: 'verifier', area: p.operator.account.area, unit: null }, { 'If-Match': dep.headers.etag });
    must(changed.status === 200, changed.text);
    const again = await stranger.as(accounts.department);
    equal(again.account.role, 'verifier', 'the new role');
    const still = await again.move(made.code, 'verify');
    must([403, 409].includes(still.status), `the handler verifies in another role: ${still.status} ${still.text.slice(0, 200)}`);
    equal((await p.verifier.move(made.code, 'verify')).status, 200, 'another verifies');
  });
});

test('reporter and parties: each sees its own part only', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const p = await signedIn(stranger, accounts, ['operator', 'mediator', 'worker']);
    const made = (await stranger.post('/api/v1/cases', {
      class: DISPUTE, description: 'REPORTERTEXT', contact: 'REPORTERCONTACT',
      parties: [{ kind: 'applicant', name: 'NAMEONE', contact: 'CONTACTONE', statement: 'PARTONE' }, { kind: 'respondent', name: 'NAMETWO', contact: 'CONTACTTWO', statement: 'PARTTWO' }],
    })).json;
    const [one, two] = made.party_words.map((w) => w.secret);
    const see = (word) => stranger.post('/api/v1/follow', { code: made.code, word });
    const a = await see(one), b = await see(two), r = await see(made.secret);
    equal([a.status, b.status, r.status], [200, 200, 200], 'the three words open the case');
    equal([a.json.as, b.json.as, r.json.as], ['party', 'party', 'reporter'], 'as');
    must(a.json.parties.length === 1 && a.json.parties[0].statement === 'PARTONE' && a.json.parties[0].name === 'NAMEONE', `party one: ${JSON.stringify(a.json.parties)}`);
    must(b.json.parties.length === 1 && b.json.parties[0].statement === 'PARTTWO', `party two: ${JSON.stringify(b.json.parties)}`);
    for (const [r2, own, other] of [[a, 'ONE', 'TWO'], [b, 'TWO', 'ONE']]) {
      must(r2.text.includes(`PART${own}`), 'its own part');
      for (const w of [`PART${other}`, `NAME${other}`, `CONTACT${other}`, 'REPORTERTEXT', 'REPORTERCONTACT']) must(!r2.text.includes(w), `a party sees ${w}`);
    }
    must(r.text.includes('REPORTERTEXT'), 'the reporter sees own text');
    for (const w of ['PARTTWO', 'NAMETWO', 'PARTONE']) must(!r.text.includes(w), `the reporter sees ${w}`);
    const cross = await stranger.post('/api/v1/follow/rate', { code: made.code, word: one, score: 1 });
    must(cross.status >= 400, 'a party cannot rate');
    equal((await p.worker.get(`/api/v1/cases/${made.code}`)).status, 404, 'a worker without the right to private cases');
    const lists = await p.worker.get('/api/v1/cases?limit=500');
    must(!lists.text.includes(made.code), 'nor in the list');
    must((await p.mediator.get(`/api/v1/cases/${made.code}`)).status === 200, 'the mediator');
  });
});

test('the reporter rates and reopens by the word; a wrong word does nothing', async () => {
  const { stranger, who } = await commonServer();
  const [worker, operator, department, verifier] = await Promise.all(['worker', 'operator', 'department', 'verifier'].map(who));
  const at = await workerPoint(worker);
  const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'mine' })).json;
  const early = await stranger.post('/api/v1/follow/rate', { code: made.code, word: made.secret, score: 3 });
  must([403, 409].includes(early.status), `rated before the end: ${early.status}`);
  await carry(made.code, { operator, handler: department, verifier, unit: department.account.unit });
  const wrong = made.secret.replace(/./, (c) => (c === 'A' ? 'B' : 'A'));
  equal((await stranger.post('/api/v1/follow/rate', { code: made.code, word: wrong, score: 1 })).status, 404, 'a wrong word');
  must((await stranger.post('/api/v1/follow/rate', { code: made.code, word: made.secret, score: 9 })).status === 422, 'a score of nine');
  const typed = `${made.secret.slice(0, 4).toLowerCase()} ${made.secret.slice(4)}`;
  equal((await stranger.post('/api/v1/follow/rate', { code: made.code, word: typed, score: 2 })).status, 200, 'typed in small letters with a blank');
  equal((await operator.get(`/api/v1/cases/${made.code}`)).json.score, 2, 'the score');
  equal((await stranger.post('/api/v1/follow/reopen', { code: made.code, word: made.secret, reason: 'not done' })).status, 200, 'reopened');
  equal((await operator.get(`/api/v1/cases/${made.code}`)).json.closed, null, 'open again');
});
