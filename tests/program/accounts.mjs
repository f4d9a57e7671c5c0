/** Signing in, accounts, tokens, the first administrator, notices, audit. */
import { Client, demoCity, emptyCity, equal, commonServer, gezhi, gezhiOk, goldenShape, must, problem, serving, test } from './lib.mjs';
import { carry, STREET, workerPoint } from './api.mjs';

test('first run: an empty city prints a token once; it makes the administrator and then no more', async () => {
  const dir = emptyCity();
  await serving(dir, async (stranger, server) => {
    const text = server.out + server.err;
    const word = /setup_[a-z2-7]{32,}/.exec(text)?.[0];
    must(word, `no token printed: ${text.slice(0, 800)}`);
    problem(await stranger.post('/api/v1/setup', { token: 'setup_' + 'a'.repeat(52), name: 'chief', password: 'a long enough pass phrase' }), 401, 'UNAUTHORIZED');
    const weak = await stranger.post('/api/v1/setup', { token: word, name: 'chief', password: 'short' });
    must(weak.status === 422, `a weak password: ${weak.status}`);
    const r = await stranger.post('/api/v1/setup', { token: word, name: 'chief', password: 'a long enough pass phrase' });
    must(r.status === 201 && r.headers['set-cookie'], `${r.status} ${r.text}`);
    equal(r.json.account.role, 'system_admin', 'the role of the first account');
    goldenShape('setup', r.json);
    const again = await stranger.post('/api/v1/setup', { token: word, name: 'second', password: 'a long enough pass phrase' });
    must([401, 403, 404, 409].includes(again.status), `the token again: ${again.status}`);
    const me = await stranger.as({ name: 'chief', password: 'a long enough pass phrase' });
    must((await me.get('/api/v1/accounts')).json.items.length === 1, 'one account');
  });
  await serving(dir, async (stranger, server) => {
    must(!/setup_/.test(server.out + server.err), 'no token once there is an administrator');
    await stranger.as({ name: 'chief', password: 'a long enough pass phrase' });
  });
});

test('accounts: make, change, reset of the password, must change, disable', async () => {
  const { stranger, who } = await commonServer();
  const admin = await who('system_admin'), op = await who('operator');
  const made = await admin.post('/api/v1/accounts', { name: 'new-worker', display: '新网格员', role: 'worker', area: op.account.area, password: 'first pass phrase 1' });
  must(made.status === 201 && made.headers.location === '/api/v1/accounts/new-worker', `${made.status} ${made.text}`);
  goldenShape('account', made.json);
  const taken = await admin.post('/api/v1/accounts', { name: 'new-worker', role: 'worker' });
  must(taken.status === 409 || taken.status === 422, `the same name: ${taken.status}`);
  const bad = await admin.post('/api/v1/accounts', { name: 'other', role: 'king' });
  must(bad.status === 422, `an unknown role: ${bad.status}`);
  problem(await op.post('/api/v1/accounts', { name: 'x', role: 'worker' }), 403, 'FORBIDDEN');
  const w = await stranger.as({ name: 'new-worker', password: 'first pass phrase 1' });
  must(w.account.must_change === true, 'whoever made the account knows the password');
  problem(await w.get('/api/v1/cases'), 403, 'FORBIDDEN');
  problem(await w.post('/api/v1/password', { old: 'wrong', new: 'my own pass phrase 2' }), 422, 'INVALID');
  must((await w.post('/api/v1/password', { old: 'first pass phrase 1', new: 'my own pass phrase 2' })).status === 204, 'own password');
  const w2 = await stranger.as({ name: 'new-worker', password: 'my own pass phrase 2' });
  must((await w2.get('/api/v1/cases')).status === 200, 'works after the change');
  const reset = await admin.post('/api/v1/accounts/new-worker/reset', {});
  must(reset.status === 200 && reset.json.token, reset.text);
  const used = await stranger.post('/api/v1/password/reset', { token: reset.json.token, new: 'third pass phrase 3' });
  must(used.status === 204, `${used.status} ${used.text}`);
  must((await stranger.post('/api/v1/password/reset', { token: reset.json.token, new: 'third pass phrase 4' })).status >= 400, 'a reset token works once');
  const w3 = await stranger.as({ name: 'new-worker', password: 'third pass phrase 3' });
  const now = await admin.get('/api/v1/accounts/new-worker');
  problem(await admin.patch('/api/v1/accounts/new-worker', { state: 'disabled' }), 428, 'NEED_MATCH');
  problem(await admin.patch('/api/v1/accounts/new-worker', { state: 'disabled' }, { 'If-Match': '"99"' }), 412, 'STALE');
  const off = await admin.patch('/api/v1/accounts/new-worker', { state: 'disabled' }, { 'If-Match': now.headers.etag });
  must(off.status === 200 && off.json.state === 'disabled', off.text);
  must((await w3.get('/api/v1/cases')).status === 401, 'a disabled account is signed out');
  must((await stranger.post('/api/v1/session', { name: 'new-worker', password: 'third pass phrase 3' })).status === 401, 'and cannot come back');
});

test('sessions: list, end one, sign out; tokens need no CSRF header', async () => {
  const { stranger, accounts, who } = await commonServer();
  const a = await stranger.as(accounts.verifier), b = await stranger.as(accounts.verifier);
  const list = (await a.get('/api/v1/sessions')).json.items;
  must(list.length >= 2 && list.filter((s) => s.current).length === 1, JSON.stringify(list));
  goldenShape('sessions', list);
  const other = list.find((s) => !s.current);
  must((await a.call('DELETE', `/api/v1/sessions/${other.id}`)).status === 204, 'end the other');
  must((await b.get('/api/v1/sessions')).status === 401, 'it is over');
  const t = await a.post('/api/v1/tokens', { name: 'batch' });
  must(t.status === 201 && t.json.token, t.text);
  goldenShape('token', t.json);
  const bearer = new Client(stranger.server);
  bearer.headers = { Authorization: `Bearer ${t.json.token}` };
  must((await bearer.get('/api/v1/cases?limit=1')).status === 200, 'the token reads');
  const tokens = (await bearer.get('/api/v1/tokens')).json;
  must(tokens.items.every((x) => x.token === undefined), 'the text of a token is shown once');
  must((await a.call('DELETE', `/api/v1/tokens/${t.json.id}`)).status === 204, 'drop it');
  must((await bearer.get('/api/v1/cases?limit=1')).status === 401, 'a dropped token');
  must((await a.call('DELETE', '/api/v1/session')).status === 204, 'sign out');
  must((await a.get('/api/v1/sessions')).status === 401, 'signed out');
  equal((await stranger.get('/api/v1/session')).json.account, null, 'a stranger');
  goldenShape('session', (await (await who('operator')).get('/api/v1/session')).json);
});

test('wrong passwords: the same answer for a name that is not there, then 429; lifted by the security administrator', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const name = accounts.verifier.name;
    const a = problem(await stranger.post('/api/v1/session', { name, password: 'wrong' }), 401, 'UNAUTHORIZED');
    const b = problem(await stranger.post('/api/v1/session', { name: 'nobody-here', password: 'wrong' }), 401, 'UNAUTHORIZED');
    equal(a.text, b.text, 'known and unknown name');
    let last = null;
    for (let i = 0; i < 14 && last?.status !== 429; i++) last = await stranger.post('/api/v1/session', { name, password: 'wrong' });
    problem(last, 429, 'TOO_MANY');
    must(last.headers['retry-after'], 'Retry-After');
    const sec = await stranger.as(accounts.security_admin);
    must((await sec.get('/api/v1/lockouts')).json.items.some((x) => x.name === name), 'it is listed');
    must((await sec.call('DELETE', `/api/v1/lockouts/${name}`)).status === 204, 'lifted');
    await stranger.as(accounts.verifier);
  });
});

test('roles: the three administrators are apart', async () => {
  const { who } = await commonServer();
  goldenShape('roles', (await (await who('operator')).get('/api/v1/roles')).json.items);
  const may = { system_admin: ['/api/v1/accounts'], security_admin: ['/api/v1/lockouts', '/api/v1/accounts'], audit_admin: ['/api/v1/audit'] };
  for (const [role, paths] of Object.entries(may)) {
    const c = await who(role);
    for (const path of ['/api/v1/accounts', '/api/v1/lockouts', '/api/v1/audit', '/api/v1/cases', '/api/v1/counts']) {
      const r = await c.get(path);
      must(r.status === (paths.includes(path) ? 200 : 403), `${role} ${path}: ${r.status}`);
    }
  }
});

test('notices and audit: who is told, who did what', async () => {
  const { stranger, who } = await commonServer();
  const worker = await who('worker'), op = await who('operator'), audit = await who('audit_admin');
  const at = await workerPoint(worker);
  const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'notice', contact: '13900001111' })).json;
  const department = await who('department');
  await carry(made.code, { operator: op, unit: department.account.unit }, 'dispatch');
  const seen = (await op.get(`/api/v1/cases/${made.code}/contact?purpose=${encodeURIComponent('call back')}`));
  equal(seen.json, { contact: '13900001111', purpose: 'call back' }, 'contact for a purpose');
  const no = await op.get(`/api/v1/cases/${made.code}/contact`);
  must(no.status === 422, `without a purpose: ${no.status}`);
  const rows = (await audit.get('/api/v1/audit?limit=500')).json;
  goldenShape('audit', rows.items);
  must(rows.items.some((r) => r.purpose === 'call back' && r.actor === op.account.name), 'the purpose is in the audit');
  must(rows.items.some((r) => r.command === 'case.accept' && r.actor === op.account.name), 'the move is in the audit');
  must(!JSON.stringify(rows).includes('13900001111'), 'no personal value in the audit');
  must((await audit.get(`/api/v1/audit?actor=${op.account.name}`)).json.items.every((r) => r.actor === op.account.name), 'actor=');
  const found = [];
  for (const role of ['operator', 'worker', 'department', 'verifier', 'supervisor']) {
    const n = (await (await who(role)).get('/api/v1/notices')).json;
    // A draft of a briefing comes by the clock, in a slow run before this.
    found.push(...n.items.filter((x) => x.kind !== 'briefing_draft'));
    if (n.items.length) {
      must((await (await who(role)).post('/api/v1/notices/read', { upto: n.items[0].id })).status === 204, 'read');
      equal((await (await who(role)).get('/api/v1/notices')).json.unread, 0, 'unread');
    }
  }
  must(found.length > 0, 'nobody was told of anything');
  goldenShape('notices', found);
});

test('gezhi user: add, token, list, and misuse', async () => {
  const dir = emptyCity();
  const add = gezhi(['user', 'add', 'anna', '--role', 'system_admin', '--data', dir], { input: 'a good pass phrase\n' });
  must(add.code === 0, add.err);
  equal(gezhi(['user', 'add', 'x'], { input: '' }).code, 2, 'no --role');
  equal(gezhi(['user', 'add', 'x', '--role', 'king', '--data', dir], { input: 'a good pass phrase\n' }).code, 1, 'unknown role');
  const token = gezhiOk(['user', 'token', 'anna', '--data', dir]).out.trim().split(/\s+/).pop();
  await serving(dir, async (stranger) => {
    const c = new Client(stranger.server);
    c.headers = { Authorization: `Bearer ${token}` };
    must((await c.get('/api/v1/accounts')).status === 200, 'the token works');
    equal(gezhi(['user', 'add', 'bert', '--role', 'worker', '--data', dir], { input: 'a good pass phrase\n' }).code, 1, 'while a server holds the folder');
  });
});
