/** Cases over the API: reports, lists, paging, moves, representations, problems, repeats. */
import { commonServer, demoCity, equal, goldenShape, must, problem, request, serving, test } from './lib.mjs';

export const STREET = 'event-0102';
export const DISPUTE = 'dispute-01';

/** A point in a cell of the worker of the demo city, and that cell's code. */
export async function workerPoint(worker) {
  const posts = (await worker.get(`/api/v1/posts?account=${worker.account.name}`)).json.items;
  for (const p of posts.filter((x) => x.cell)) {
    const b = (await worker.get(`/api/v1/cells/${p.cell}`)).json.bbox;
    for (let i = 1; i < 10; i++) {
      for (let k = 1; k < 10; k++) {
        const lon = b[0] + ((b[2] - b[0]) * i) / 10, lat = b[1] + ((b[3] - b[1]) * k) / 10;
        const at = (await worker.get(`/api/v1/locate?lon=${lon}&lat=${lat}`)).json;
        if (at.cell?.code === p.cell) return { lon, lat, cell: p.cell, county: at.county.code };
      }
    }
  }
  throw new Error('no point in a cell of the worker');
}
/** A point in a cell that is not one of `own`. */
export async function pointOutside(stranger, cells, own) {
  for (const c of cells.filter((x) => !own.has(x.code))) {
    const lon = (c.bbox[0] + c.bbox[2]) / 2, lat = (c.bbox[1] + c.bbox[3]) / 2;
    const at = (await stranger.get(`/api/v1/locate?lon=${lon}&lat=${lat}`)).json;
    if (at.cell?.code === c.code) return { lon, lat };
  }
  throw new Error('no point in another cell');
}
/** Carries a street case to its end: who makes which move. */
export async function carry(code, people, upTo = 'close') {
  const way = [['operator', 'accept', {}], ['operator', 'file', {}], ['operator', 'dispatch', {}], ['handler', 'handle', { note: 'done' }], ['verifier', 'verify', {}], ['operator', 'close', {}]];
  let last = null;
  for (const [who, move, inputs] of way) {
    const more = { ...inputs };
    if (move === 'dispatch' && people.unit) more.unit = people.unit;
    last = await people[who].move(code, move, more);
    must(last.status === 200, `${move}: ${last.status} ${last.text.slice(0, 300)}`);
    if (move === upTo) return last;
  }
  return last;
}
export async function signedIn(stranger, accounts, roles) {
  const people = {};
  for (const r of roles) people[r] = await stranger.as(accounts[r]);
  return people;
}
async function allPages(client, path, limit = 7) {
  const rows = [];
  for (let after = '', n = 0; n < 500; n++) {
    const r = await client.get(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    must(r.status === 200, `${path}: ${r.status} ${r.text}`);
    must(r.json.items.length <= limit, `${r.json.items.length} rows in a page of ${limit}`);
    rows.push(...r.json.items);
    after = r.json.next;
    if (!after) return rows;
  }
  throw new Error(`${path}: the pages do not end`);
}

test('report: 201 with Location, ETag and the promised shape', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const worker = await stranger.as(accounts.worker);
    const at = await workerPoint(worker);
    const r = await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: '路边有垃圾', contact: '13800000000', place: '十二号门口' });
    must(r.status === 201, `${r.status} ${r.text}`);
    must(r.headers.location === `/api/v1/cases/${r.json.code}`, `Location ${r.headers.location}`);
    must(r.headers.etag === '"1"', `ETag ${r.headers.etag}`);
    must(/^\d{6}-\d{6}-\d{5}$/.test(r.json.code), `code ${r.json.code}`);
    must(/^[A-Z2-7]{8}$/.test(r.json.secret), `follow word ${r.json.secret}`);
    must(r.json.cell.code === at.cell, `cell ${r.json.cell.code}, expected ${at.cell}`);
    must(r.json.post.worker, 'somebody is on duty');
    must(r.json.link === `/f/${r.json.code}#${r.json.secret}`, `link ${r.json.link}`);
    must(Date.parse(r.json.due) > Date.now(), `due ${r.json.due}`);
    goldenShape('report', r.json);
    const two = await stranger.post('/api/v1/cases', { class: DISPUTE, description: 'a quarrel', parties: [{ kind: 'applicant', name: '甲', statement: 'first' }, { kind: 'respondent', name: '乙', statement: 'second' }] });
    must(two.status === 201 && two.json.cell === null && two.json.party_words.length === 2, two.text);
    goldenShape('report-dispute', two.json);
    // No place, but a community: it stands there, and who governs there sees it.
    const { community } = (await stranger.get(`/api/v1/locate?lon=${at.lon}&lat=${at.lat}`)).json;
    const quarrel = { class: DISPUTE, description: 'a quarrel', parties: [{ name: '甲' }, { name: '乙' }] };
    const three = await stranger.post('/api/v1/cases', { ...quarrel, area: community.code });
    must(three.status === 201 && three.json.cell === null, three.text);
    const seen = (await (await stranger.as(accounts.operator)).get(`/api/v1/cases/${three.json.code}`)).json;
    equal([seen.community, seen.lon, seen.lat], [community.code, null, null], 'where the dispute stands');
    const nowhere = problem(await stranger.post('/api/v1/cases', { ...quarrel, area: '999999' }), 422, 'INVALID');
    equal(nowhere.json.pointer, '/area', 'the field that is wrong');
    problem(await stranger.post('/api/v1/cases', { ...quarrel, area: community.code, lon: at.lon, lat: at.lat }), 422, 'INVALID');
    // What needs a point is not reported by an area alone.
    equal(problem(await stranger.post('/api/v1/cases', { class: STREET, area: community.code, description: 'x' }), 422, 'INVALID').json.pointer, '/lon', 'a point is asked for');
  });
});

test('lists: each filter, sort and page', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const op = await stranger.as(accounts.supervisor);
    const all = await allPages(op, '/api/v1/cases', 37);
    must(all.length > 50, `only ${all.length} cases`);
    equal(new Set(all.map((c) => c.code)).size, all.length, 'no case twice');
    equal((await op.get('/api/v1/cases')).json.items.length, Math.min(50, all.length), 'the page has fifty rows');
    const first = (await op.get('/api/v1/cases?limit=3')).json;
    must(typeof first.next === 'string' && first.items.length === 3, 'a first page names the next');
    goldenShape('case-list', (await op.get('/api/v1/cases?limit=500')).json.items);
    const some = (k) => all.map(k).find((x) => x);
    const filters = [
      ['state', some((c) => c.state), (c, v) => c.state === v], ['stage', some((c) => c.stage), (c, v) => c.stage === v],
      ['class', some((c) => c.class), (c, v) => c.class === v], ['cell', some((c) => c.cell?.code), (c, v) => c.cell?.code === v],
      ['unit', some((c) => c.unit?.code), (c, v) => c.unit?.code === v], ['area', some((c) => c.town), (c, v) => c.town === v],
      ['light', 'red', (c) => c.light === 'red'],
    ];
    for (const [name, value, holds] of filters) {
      const got = await allPages(op, `/api/v1/cases?${name}=${encodeURIComponent(value)}`, 50);
      equal(got.map((c) => c.code).sort(), all.filter((c) => holds(c, value)).map((c) => c.code).sort(), `filter ${name}=${value}`);
    }
    const mid = all[Math.floor(all.length / 2)].opened;
    const early = await allPages(op, `/api/v1/cases?to=${mid}`, 100), late = await allPages(op, `/api/v1/cases?from=${mid}`, 100);
    must(early.length + late.length === all.length && early.every((c) => c.opened <= mid) && late.every((c) => c.opened >= mid), `from/to: ${early.length} + ${late.length} of ${all.length}`);
    const here = all.filter((c) => c.lon !== null), box = [here[0].lon - 0.02, here[0].lat - 0.02, here[0].lon + 0.02, here[0].lat + 0.02];
    const inBox = await allPages(op, `/api/v1/cases?bbox=${box.join(',')}`, 50);
    equal(inBox.map((c) => c.code).sort(), here.filter((c) => c.lon >= box[0] && c.lon <= box[2] && c.lat >= box[1] && c.lat <= box[3]).map((c) => c.code).sort(), 'bbox');
    for (const [sort, key, down] of [['-opened', 'opened', true], ['opened', 'opened', false], ['due', 'due', false]]) {
      const rows = await allPages(op, `/api/v1/cases?sort=${sort}`, 11);
      must(rows.every((c, i) => i === 0 || (down ? rows[i - 1][key] >= c[key] : rows[i - 1][key] <= c[key])), `sort=${sort} is not in order`);
      if (key === 'opened') equal(rows.map((c) => c.code).sort(), all.map((c) => c.code).sort(), `all pages of sort=${sort}`);
    }
    const words = await op.get(`/api/v1/cases?q=${encodeURIComponent('垃圾')}&limit=500`);
    must(words.status === 200, words.text);
    must(words.json.items.length > 0 && words.json.items.length < all.length, `q=垃圾 finds ${words.json.items.length} of ${all.length}`);
    equal((await op.get(`/api/v1/cases?q=${all[3].code}`)).json.items.map((c) => c.code), [all[3].code], 'q=CODE');
    const mine = await allPages(op, '/api/v1/cases?mine=1', 50);
    must(mine.every((c) => !c.closed) || mine.length < all.length, 'mine=1');
    for (const bad of ['limit=0', 'limit=501', 'sort=x', 'after=x', 'bbox=1,2', 'bbox=a,b,c,d', 'from=yesterday', 'light=blue', 'area=nowhere']) problem(await op.get(`/api/v1/cases?${bad}`), 422, 'INVALID');
    const pub = await allPages(stranger, '/api/v1/public/cases', 23);
    equal(new Set(pub.map((c) => c.code)).size, pub.length, 'public pages repeat nothing');
    goldenShape('public-case-list', pub);
    goldenShape('public-case', (await stranger.get(`/api/v1/public/cases/${pub[0].code}`)).json);
  });
});

test('lists: JSON, CSV, GeoJSON, NDJSON; 406', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const op = await stranger.as(accounts.operator);
    const json = (await op.get('/api/v1/cases?limit=20')).json.items;
    const csv = await op.get('/api/v1/cases?limit=20', { Accept: 'text/csv' });
    must(csv.type === 'text/csv', csv.type);
    const lines = csv.text.trimEnd().split('\r\n').length > 1 ? csv.text.trimEnd().split('\r\n') : csv.text.trimEnd().split('\n');
    equal(lines.length, json.length + 1, 'a row a case and a head');
    equal(lines.slice(1).map((l) => l.split(',')[0]), json.map((c) => c.code), 'codes');
    must(csv.headers['x-next'], 'X-Next names the next page');
    const geo = await op.get('/api/v1/cases?limit=20', { Accept: 'application/geo+json' });
    must(geo.type === 'application/geo+json' && geo.json.type === 'FeatureCollection', geo.type);
    equal(geo.json.features.map((f) => f.properties.code), json.map((c) => c.code), 'features');
    must(geo.json.features.every((f, i) => (json[i].lon === null ? f.geometry === null : f.geometry.coordinates[0] === json[i].lon)), 'geometry');
    goldenShape('case-geojson', geo.json);
    const nd = await op.get('/api/v1/cases?limit=20', { Accept: 'application/x-ndjson' });
    equal(nd.text.trimEnd().split('\n').map((l) => JSON.parse(l).code), json.map((c) => c.code), 'NDJSON');
    problem(await op.get('/api/v1/cases', { Accept: 'application/pdf' }), 406, 'NOT_ACCEPTABLE');
    problem(await stranger.get('/api/v1/public/cases', { Accept: 'image/png' }), 406, 'NOT_ACCEPTABLE');
  });
});

test('formulas in a report do not become formulas in CSV', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const worker = await stranger.as(accounts.worker);
    const at = await workerPoint(worker);
    await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x', place: '=HYPERLINK("http://a")', channel: 'patrol' });
    problem(await worker.get('/api/v1/cases?limit=5', { Accept: 'text/csv' }), 403, 'FORBIDDEN');
    const operator = await stranger.as(accounts.operator);
    const csv = (await operator.get('/api/v1/cases?limit=5', { Accept: 'text/csv' })).text;
    const mine = (await operator.get('/api/v1/cases?limit=1')).json.items[0];
    must(mine.place.startsWith('=HYPERLINK') && mine.channel === 'web', `a stranger's channel is ${mine.channel}`);
    must(csv.includes('HYPERLINK') && !/(^|,)"?=HYPERLINK/m.test(csv), csv.slice(0, 400));
  });
});

test('moves: the whole way, If-Match 428 and 412, what may not be is 409 or 403', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const p = await signedIn(stranger, accounts, ['worker', 'operator', 'department', 'verifier', 'supervisor']);
    const at = await workerPoint(p.worker);
    const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'the whole way' })).json;
    const path = `/api/v1/cases/${made.code}`;
    const one = await p.operator.get(path);
    must(one.headers.etag === '"1"', `ETag ${one.headers.etag}`);
    equal(one.json.moves.map((m) => m.name).includes('accept'), true, 'accept is offered');
    problem(await p.operator.post(`${path}/accept`, {}), 428, 'NEED_MATCH');
    problem(await p.operator.post(`${path}/accept`, {}, { 'If-Match': '"7"' }), 412, 'STALE');
    problem(await p.operator.post(`${path}/accept`, {}, { 'If-Match': 'x' }), 422, 'INVALID');
    const bad = await p.operator.post(`${path}/close`, {}, { 'If-Match': '"1"' });
    must([403, 409].includes(bad.status), `close at once: ${bad.status}`);
    const unknown = await p.operator.post(`${path}/fly`, {}, { 'If-Match': '"1"' });
    must([404, 409, 422].includes(unknown.status) && unknown.type === 'application/problem+json', `unknown move: ${unknown.status}`);
    problem(await p.operator.post(`${path}/accept`, { nonsense: 1 }, { 'If-Match': '"1"' }), 422, 'INVALID');
    const unit = (await p.operator.get(`${path}/suggest`)).json;
    goldenShape('suggest', unit);
    const people = { ...p, handler: p.department, unit: unit.units[0].code };
    let handler = p.department;
    if (p.department.account.unit !== unit.units[0].code) {
      people.unit = p.department.account.unit;
      handler = p.department;
    }
    people.handler = handler;
    const end = await carry(made.code, people);
    must(end.json.state === 'closed' && end.json.closed, end.text.slice(0, 300));
    must(end.headers.etag === `"${end.json.version}"`, `ETag ${end.headers.etag}`);
    equal(end.json.route.map((s) => s.move), ['report', 'accept', 'file', 'dispatch', 'handle', 'verify', 'close'], 'route');
    goldenShape('case', end.json);
    const rated = await stranger.post('/api/v1/follow/rate', { code: made.code, word: made.secret, score: 5 });
    must(rated.status === 200 && rated.json.case.state === 'rated', rated.text.slice(0, 300));
    goldenShape('follow', rated.json);
    const again = await stranger.post('/api/v1/follow/reopen', { code: made.code, word: made.secret, reason: 'it came back' });
    must(again.status === 200 && !again.json.case.closed, again.text.slice(0, 300));
  });
});

test('Idempotency-Key: the same request gets the same reply with its secret, another one 422', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const at = await workerPoint(await stranger.as(accounts.worker));
    const body = { class: STREET, lon: at.lon, lat: at.lat, description: 'once' };
    const key = { 'Idempotency-Key': 'test-key-0001' };
    const a = await stranger.post('/api/v1/cases', body, key), b = await stranger.post('/api/v1/cases', body, key);
    must(a.status === 201 && b.status === 201, `${a.status} ${b.status}`);
    equal([b.text, b.headers.location, b.headers.etag], [a.text, a.headers.location, a.headers.etag], 'the second reply');
    problem(await stranger.post('/api/v1/cases', { ...body, description: 'twice' }, key), 422, 'INVALID');
    problem(await stranger.post('/api/v1/cases', body, { 'Idempotency-Key': 'short' }), 422, 'INVALID');
    const many = await Promise.all(Array.from({ length: 12 }, () => stranger.post('/api/v1/cases', body, { 'Idempotency-Key': 'test-key-0002' })));
    const made = many.filter((r) => r.status === 201);
    must(made.length >= 1 && new Set(made.map((r) => r.text)).size === 1, 'twelve at once make one case');
    for (const r of many.filter((x) => x.status !== 201)) problem(r, 409, 'CONFLICT');
    const op = await stranger.as(accounts.operator);
    const code = a.json.code;
    const m = () => op.post(`/api/v1/cases/${code}/accept`, {}, { 'If-Match': '"1"', 'Idempotency-Key': 'move-key-0001' });
    const first = await m(), second = await m();
    must(first.status === 200 && second.status === 200 && first.text === second.text, `${first.status} ${second.status}`);
  });
});

test('problems: 400 401 403 404 405 413 415 422 in one form', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const worker = await stranger.as(accounts.worker);
    const json = { 'Content-Type': 'application/json' };
    const report = (body, headers) => stranger.call('POST', '/api/v1/cases', { body, headers: headers ?? json });
    problem(await report('{"class":'), 400, 'SYNTAX');
    problem(await stranger.get('/api/v1/cases'), 401, 'UNAUTHORIZED');
    problem(await worker.get('/api/v1/accounts'), 403, 'FORBIDDEN');
    problem(await stranger.get('/api/v1/nothing'), 404, 'NOT_FOUND');
    problem(await worker.get('/api/v1/cases/990101-200101-00001'), 404, 'NOT_FOUND');
    const method = problem(await stranger.call('DELETE', '/api/v1/city'), 405, 'METHOD');
    must(method.status === 405, 'method');
    problem(await report('class=x', { 'Content-Type': 'text/plain' }), 415, 'UNSUPPORTED');
    problem(await report(JSON.stringify({ class: STREET })), 422, 'INVALID');
    for (const [body, pointer] of [[{ class: 'no-such' }, '/class'], [{ class: STREET, lon: 200, lat: 1 }, '/lon'], [{ class: STREET, lon: 1, lat: 'x' }, '/lat'], [{ class: STREET, lon: 119.2, lat: 32.8, description: 5 }, '/description'], [{ class: STREET, lon: 119.2, lat: 32.8, media: ['nope'] }, '/media']]) {
      const r = problem(await stranger.post('/api/v1/cases', body), 422, 'INVALID');
      equal(r.json.pointer, pointer, `pointer of ${JSON.stringify(body)}`);
    }
    goldenShape('problem', (await stranger.post('/api/v1/cases', { class: 'x' })).json);
    const cookie = new Map([['Cookie', worker.headers.Cookie]]);
    problem(await request(stranger.port, 'DELETE', '/api/v1/session', { headers: Object.fromEntries(cookie) }), 403, 'FORBIDDEN');
    const big = await report(JSON.stringify({ class: STREET, description: 'x'.repeat(40 << 20) })).catch((e) => ({ status: 413, closed: e.message }));
    must(big.status === 413, `a body of 40 MB: ${big.status}`);
  });
});

test('counts and classes: shape; counts agree with the list', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const op = await stranger.as(accounts.supervisor);
    const c = (await op.get('/api/v1/counts')).json;
    const open = await allPages(op, '/api/v1/cases?open=1', 100);
    equal(c.open, open.length, 'open');
    for (const [state, n] of Object.entries(c.by_state)) equal(n, open.filter((x) => x.state === state).length, `state ${state}`);
    goldenShape('counts', { ...c, by_state: null });
    goldenShape('classes', (await stranger.get('/api/v1/classes')).json);
    goldenShape('city', (await stranger.get('/api/v1/city')).json);
    problem(await stranger.get('/api/v1/counts'), 401, 'UNAUTHORIZED');
  });
});

test('the page opens without a line later: every file that its worker keeps is there', async () => {
  const { stranger } = await commonServer();
  const worker = await stranger.get('/sw.js');
  equal(worker.status, 200, 'the worker');
  const files = JSON.parse(/const FILES = (\[.*?\]);/.exec(worker.text)[1]);
  must(files.length > 50 && files[0] === '/', `${files.length} files`);
  for (const f of files) equal((await stranger.get(f)).status, 200, f);
});
