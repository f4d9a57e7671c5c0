/**
 * A stand-in for the server: for work on the page and for the page's own tests, never part of the product.
 * Everything in it is invented and lives in memory. Usage: node mock/server.mjs [--port 8090]
 */
import { createServer } from 'node:http';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const port = Number(process.argv[process.argv.indexOf('--port') + 1]) || 8090;
const dist = fileURLToPath(new URL('../dist', import.meta.url));
const T = (zh, en) => ({ zh, en });
const now = () => new Date().toISOString();
const later = (h) => new Date(Date.now() + h * 3600_000).toISOString();

const major = { 1: { code: '01', zh: '市容环境', en: 'City appearance and environment' }, 5: { code: '05', zh: '街面秩序', en: 'Street order' }, p: { code: '01', zh: '公用设施', en: 'Public utilities' }, d: { code: '01', zh: '矛盾纠纷', en: 'Disputes' } };
const cls = (kind, code, zh, en, m, more = {}) => ({ id: `${kind}-${code}`, kind, code, title: T(zh, en), major: major[m], process: 'street', needs_place: true, urgent: false, private: false, public_asset: kind === 'component', ...more });
const classes = [
  cls('event', '0102', '暴露垃圾', 'Exposed refuse', 1),
  cls('event', '0104', '道路不洁', 'Dirty road', 1),
  cls('event', '0110', '道路破损', 'Damaged road surface', 1),
  cls('event', '0501', '无照经营游商', 'Unlicensed vendor', 5),
  cls('component', '0102', '污水井盖', 'Sewage manhole cover', 'p', { urgent: true }),
  cls('component', '0120', '路灯', 'Street lamp', 'p'),
  cls('dispute', '02', '邻里纠纷', 'Neighbours', 'd', { process: 'dispute', needs_place: false, private: true }),
];
const units = [
  { code: 'u1', name: T('城管一大队', 'City management team 1'), area: '320699', duties: 'city' },
  { code: 'u2', name: T('市政设施处', 'Municipal works'), area: '320699', duties: 'works' },
];
const states = { reported: ['已上报', 'Reported', 'collect'], filed: ['已立案', 'Filed', 'file'], dispatched: ['已派遣', 'Dispatched', 'dispatch'], handled: ['待核查', 'To be checked', 'verify'], verified: ['已核查', 'Checked', 'verify'], closed: ['已结案', 'Closed', 'close'], refused: ['不予受理', 'Refused', 'collect'] };
const text = (name, required = true) => ({ name, kind: 'text', required, title: { note: T('说明', 'Note'), reason: T('理由', 'Reason'), goto: T('应向何处反映', 'Where to go instead') }[name], min: 0, max: 2000 });
const moves = {
  file: { from: ['reported'], to: 'filed', who: ['operator'], title: T('立案', 'File'), inputs: [text('note', false)] },
  refuse: { from: ['reported'], to: 'refused', who: ['operator'], title: T('不予受理', 'Refuse'), inputs: [{ name: 'unit', kind: 'unit', required: true, title: T('责任单位', 'Unit') }, text('reason'), text('goto')] },
  dispatch: { from: ['filed'], to: 'dispatched', who: ['operator'], title: T('派遣', 'Dispatch'), inputs: [{ name: 'unit', kind: 'unit', required: true, title: T('责任单位', 'Unit') }, text('note', false)] },
  release: { from: ['reported', 'filed', 'dispatched'], to: null, who: ['operator'], title: T('公开内容', 'Release'), inputs: [] },
  handle: { from: ['dispatched'], to: 'handled', who: ['worker', 'department'], title: T('处置完成', 'Handled'), inputs: [text('note'), { name: 'photos', kind: 'photos', required: false, title: T('照片', 'Photos') }] },
  return: { from: ['dispatched'], to: 'filed', who: ['worker', 'department'], title: T('退回', 'Return'), inputs: [text('reason')] },
  verify: { from: ['handled'], to: 'verified', who: ['verifier', 'operator'], title: T('核查通过', 'Check passed'), inputs: [text('note', false)] },
  rework: { from: ['handled'], to: 'dispatched', who: ['verifier', 'operator'], title: T('返工', 'Rework'), inputs: [text('reason')] },
  close: { from: ['verified'], to: 'closed', who: ['operator'], title: T('结案', 'Close'), inputs: [text('note', false)] },
  rate: { from: ['closed'], to: null, who: ['reporter'], title: T('评价', 'Rate'), inputs: [{ name: 'score', kind: 'score', required: true, min: 1, max: 5 }, text('note', false)] },
  reopen: { from: ['closed'], to: 'filed', who: ['reporter'], title: T('要求重办', 'Ask for it to be done again'), inputs: [text('reason')] },
};
const staff = ['case.read', 'case.move', 'grid.read', 'count.read'];
const grants = { operator: [...staff, 'case.report', 'case.export', 'case.contact', 'post.manage'], worker: [...staff, 'case.report'], verifier: staff, department: [...staff, 'case.contact'], system_admin: ['account.read', 'account.manage', 'grid.read', 'grid.manage', 'pack.read', 'pack.manage'], audit_admin: ['audit.read', 'pack.read'] };
const titles = { operator: T('受理派遣员', 'Desk operator'), worker: T('网格员', 'Grid worker'), verifier: T('核查员', 'Verifier'), department: T('处置单位', 'Department staff'), system_admin: T('系统管理员', 'System administrator'), audit_admin: T('审计管理员', 'Audit administrator') };
const accounts = new Map(Object.keys(grants).map((r) => [r, { name: r, display: { operator: '王秀兰', worker: '李建国', verifier: '赵敏', department: '陈师傅', system_admin: '系统管理员', audit_admin: '审计员' }[r], role: r, role_title: titles[r], area: null, unit: r === 'department' ? 'u1' : null, state: 'active', version: 1, grants: grants[r], must_change: false }]));
const words = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const newWord = () => Array.from({ length: 8 }, () => words[Math.floor(Math.random() * 32)]).join('');

const cases = new Map();
let seq = 0;
const streams = new Set();
function step(c, move, who, more = {}) {
  const last = c.route[c.route.length - 1];
  c.route.push({ at: now(), move, title: moves[move]?.title ?? T('已上报', 'Reported'), from: last?.to ?? null, to: c.state, state: c.state, who, actor: null, unit: c.unit ? c.unit.name : { zh: null, en: null }, note: null, reason: null, photos: [], due: c.due, public: true, ...more });
}
function announce(c, move) {
  seq += 1;
  const e = { seq, code: c.code, class: c.class, state: c.state, light: c.light, lon: c.lon, lat: c.lat, cell: c.cell?.code, county: c.county, urgent: c.urgent, open: !c.closed, move, at: now() };
  for (const s of streams) s.write(`id: ${seq}\nevent: case\ndata: ${JSON.stringify(e)}\n\n`);
}
function report(b, at = now()) {
  const k = classes.find((x) => x.id === b.class);
  const n = String(cases.size + 1).padStart(4, '0');
  const c = { id: cases.size + 1, code: `320699-20261122-${n}`, word: newWord(), version: 1, class: k.id, class_title: k.title, process: k.process, state: 'reported', channel: b.channel ?? 'web', lon: b.lon ?? null, lat: b.lat ?? null, place: b.place ?? null, description: b.description, contact: b.contact ?? null, cell: b.lon ? { code: '320699001001007', name: '青石社区第七网格' } : null, community: b.lon ? '320699001001' : null, town: '320699001', county: '320699', unit: null, post: b.lon ? { id: 7, title: '网格员', worker: '李建国' } : null, opened: at, closed: null, due: later(2), light: 'green', urgent: k.urgent, private: k.private, released: false, photos: (b.media ?? []).map((m) => ({ media: m, thumb: `/api/v1/media/${m}?size=thumb` })), result: { note: null, photos: [] }, returns: 0, reworks: 0, escalated: 0, score: null, route: [], parties: b.parties ?? [] };
  cases.set(c.code, c);
  step(c, 'report', T('居民', 'Resident'));
  return c;
}
for (let i = 0; i < 24; i++) {
  const k = classes[i % 6];
  const c = report({ class: k.id, lon: 120.9 + (i % 6) * 0.01, lat: 32.0 + (i % 5) * 0.01, place: ['青石路 12 号门口', '桃源小区东门', '河滨公园北侧'][i % 3], description: ['路边垃圾堆了两天，有异味。', '路面有一个坑，骑车容易摔倒。', '井盖松动，车一过就响。'][i % 3] }, later(-i * 3));
  c.due = later([-5, 1, 6, 30][i % 4]);
  c.light = ['red', 'yellow', 'green', 'green'][i % 4];
  if (i % 3) c.state = ['filed', 'dispatched', 'handled'][i % 3];
}

const view = (c, role) => ({ ...c, word: undefined, contact: undefined, state_title: T(...states[c.state]), stage: states[c.state][2], moves: offered(c, role), similar: [] });
const offered = (c, role) => Object.entries(moves).filter(([, m]) => m.who.includes(role) && m.from.includes(c.state) && !(m.title.en === 'Rate' && c.score)).map(([name, m]) => ({ name, title: m.title, inputs: m.inputs }));
function make(c, name, role, body) {
  const m = moves[name];
  if (m.to) c.state = m.to;
  if (name === 'dispatch') c.unit = units.find((u) => u.code === body.unit);
  if (name === 'release') c.released = true;
  if (name === 'rate') c.score = body.score;
  if (name === 'handle') c.result = { note: body.note, photos: (body.photos ?? []).map((x) => ({ media: x, thumb: `/api/v1/media/${x}?size=thumb` })) };
  if (c.state === 'closed' || c.state === 'refused') Object.assign(c, { closed: now(), light: null });
  c.version += 1;
  step(c, name, titles[role] ?? T('上报人', 'Reporter'), { note: body.note ?? null, reason: body.reason ?? null, actor: role });
  announce(c, name);
}

const media = new Map();
const sessions = new Map();
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.webmanifest': 'application/manifest+json', '.txt': 'text/plain' };
const CSP = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

async function raw(req) {
  const parts = [];
  for await (const p of req) parts.push(p);
  return Buffer.concat(parts);
}
function send(res, status, body, headers = {}) {
  res.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json', ...headers });
  res.end(body === undefined ? '' : JSON.stringify(body));
}
const problem = (res, status, title, title_zh) => send(res, status, { type: 'about:blank', title, title_zh, status, code: 'X' });

async function api(req, res, url) {
  const p = url.pathname.replace('/api/v1', '');
  const me = accounts.get(sessions.get(/sid=(\w+)/.exec(req.headers.cookie ?? '')?.[1]));
  const session = () => ({ account: me ?? null, csrf: me ? 'token' : undefined });
  const page = (items) => send(res, 200, { items, next: null });
  if (p === '/media' && req.method === 'POST') {
    const b = await raw(req);
    const at = b.indexOf('\r\n\r\n') + 4;
    const token = newWord().toLowerCase() + newWord().toLowerCase();
    media.set(token, b.subarray(at, b.lastIndexOf('\r\n--')));
    return send(res, 201, { media: token, width: 1, height: 1, thumb: `/api/v1/media/${token}?size=thumb` });
  }
  const body = req.method === 'GET' ? {} : JSON.parse((await raw(req)).toString() || '{}');
  let m;
  if (p === '/city') return send(res, 200, { name: '云河市', invented: true, timezone: 'Asia/Shanghai', centre: [120.92, 32.02], bbox: [120.86, 31.98, 121.0, 32.08], levels: [], layers: ['social'], basemap: false, locales: ['zh-CN', 'en'] });
  if (p === '/classes') return send(res, 200, { items: classes, fields: [] });
  if (p === '/locate') return send(res, 200, { cell: { code: '320699001001007', name: '青石社区第七网格', layer: 'social' }, community: { code: '320699001001', name: '青石社区', name_en: 'Qingshi' }, town: { code: '320699001', name: '河滨街道', name_en: 'Hebin' }, county: { code: '320699', name: '云东区', name_en: 'Yundong' }, post: { title: '网格员', worker: '李建国', phone: '0513-5550007', on_duty: true } });
  if (p === '/areas') return page([{ code: '320699001001', name: '青石社区', name_en: 'Qingshi', level: 'community', parent: '320699001', children: 0, bbox: [120.9, 32.0, 120.94, 32.04] }, { code: '320699', name: '云东区', name_en: 'Yundong', level: 'county', parent: null, children: 4, bbox: [120.88, 32.0, 120.96, 32.06] }]);
  if ((m = /^\/areas\/(.+)$/.exec(p))) return send(res, 200, { code: m[1], name: '青石社区', name_en: 'Qingshi', level: 'community', parent: null, children: 0 });
  if (p === '/session' && req.method === 'GET') return send(res, 200, session());
  if (p === '/session' && req.method === 'POST') {
    if (!accounts.has(body.name) || body.password !== 'demo-password') return problem(res, 401, 'Wrong.', '不对。');
    const id = newWord();
    sessions.set(id, body.name);
    return send(res, 200, { account: accounts.get(body.name), csrf: 'token' }, { 'Set-Cookie': `sid=${id}; HttpOnly; Path=/; SameSite=Strict` });
  }
  if (p === '/session') {
    sessions.delete(/sid=(\w+)/.exec(req.headers.cookie ?? '')?.[1]);
    return send(res, 204);
  }
  if (p === '/cases/similar') return page([...cases.values()].filter((c) => c.class === url.searchParams.get('class') && !c.closed).slice(0, 2).map((c) => ({ code: c.code, class: c.class, state: c.state, distance_m: 40, opened: c.opened })));
  if (p === '/cases' && req.method === 'POST') {
    const c = report(body);
    announce(c, 'report');
    return send(res, 201, { id: c.id, code: c.code, secret: c.word, state: c.state, cell: c.cell, post: c.post, due: c.due, link: `/f/${c.code}#${c.word}`, party_words: body.parties?.map((x) => ({ kind: x.kind, name: x.name, secret: newWord() })) });
  }
  if ((m = /^\/public\/cases\/(.+)$/.exec(p))) {
    const c = cases.get(m[1]);
    return c && !c.private ? send(res, 200, { code: c.code, class: c.class, class_title: c.class_title, state: c.state, state_title: T(...states[c.state]), opened: c.opened, closed: c.closed, due: c.due, unit: c.unit }) : problem(res, 404, 'None.', '没有。');
  }
  if ((m = /^\/follow(?:\/(\w+))?$/.exec(p))) {
    const c = cases.get(body.code);
    if (!c || c.word !== body.word) return problem(res, 404, 'None.', '没有。');
    if (m[1]) make(c, m[1], 'reporter', body);
    return send(res, 200, { case: view(c, ''), route: c.route.map((s) => ({ ...s, actor: undefined })), moves: offered(c, 'reporter'), parties: c.parties, as: 'reporter' });
  }
  if ((m = /^\/media\/(\w+)$/.exec(p))) {
    res.writeHead(media.has(m[1]) ? 200 : 404, { 'Content-Type': 'image/jpeg' });
    return res.end(media.get(m[1]));
  }
  if (!me) return problem(res, 401, 'Please sign in.', '请先登录。');
  if (p === '/events') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write(': hello\n\n');
    streams.add(res);
    req.on('close', () => streams.delete(res));
    return undefined;
  }
  if (p === '/cases') {
    const q = url.searchParams;
    let list = [...cases.values()].filter((c) => (!q.get('q') || `${c.code}${c.place}${c.description}${c.class_title.zh}`.includes(q.get('q'))) && (!q.get('light') || c.light === q.get('light')) && (!q.get('class') || c.class === q.get('class')));
    if (q.get('mine')) list = list.filter((c) => offered(c, me.role).length);
    if (q.get('sort') === 'due') list.sort((a, b) => a.due.localeCompare(b.due));
    else list.sort((a, b) => b.opened.localeCompare(a.opened));
    return page(list.slice(0, 50).map((c) => ({ ...view(c, me.role), route: undefined, moves: undefined })));
  }
  if ((m = /^\/cases\/([^/]+)(?:\/(\w+))?$/.exec(p))) {
    const c = cases.get(m[1]);
    if (!c) return problem(res, 404, 'None.', '没有。');
    if (m[2] === 'suggest') return send(res, 200, { units: [{ code: 'u1', name: units[0].name, why: T('该单位在此区域承担该类事项的职责。', 'This unit has the duty for the class in this area.') }], post: c.post, similar: [] });
    if (m[2] === 'contact') return send(res, 200, { contact: c.contact, purpose: url.searchParams.get('purpose') });
    if (m[2]) {
      if (!req.headers['if-match']) return problem(res, 428, 'If-Match.', '缺版本。');
      if (req.headers['if-match'] !== `"${c.version}"`) return problem(res, 412, 'Stale.', '已变。');
      if (!offered(c, me.role).some((x) => x.name === m[2])) return problem(res, 403, 'No.', '不可。');
      make(c, m[2], me.role, body);
    }
    return send(res, 200, view(c, me.role), { ETag: `"${c.version}"` });
  }
  if (p === '/counts') {
    const open = [...cases.values()].filter((c) => !c.closed);
    const n = (l) => open.filter((c) => c.light === l).length;
    return send(res, 200, { open: open.length, by_state: {}, by_light: { green: n('green'), yellow: n('yellow'), red: n('red') }, today: { reported: 9, closed: 4 }, overdue: n('red'), no_post_cells: 2 });
  }
  if (p === '/units') return page(units);
  if (p === '/cells') return page([{ code: '320699001001009', name: '青石社区第九网格', layer: 'social', community: { code: '1', name: '青石社区', name_en: 'Qingshi' }, town: { code: '2', name: '河滨街道', name_en: 'Hebin' }, county: { code: '3', name: '云东区', name_en: 'Yundong' }, post: null }]);
  if (p === '/posts') return page([{ id: 7, version: 1, title: '网格员', cell: '320699001001007', cell_name: '青石社区第七网格', area: null, account: 'worker', worker: '李建国', duties: '', hours: '08:30-17:30', phone: '0513-5550007', cover: null }, { id: 8, version: 1, title: '网格员', cell: '320699001001009', cell_name: '青石社区第九网格', area: null, account: null, worker: null, duties: '', hours: '', phone: '', cover: null }]);
  if (p === '/notices') return send(res, 200, { items: [{ id: 2, at: now(), kind: 'dispatched', case: '320699-20261122-0002', text: T('案件 320699-20261122-0002 已派给您。', 'Case 320699-20261122-0002 was given to you.'), read: false }], unread: 1, next: null });
  if (p === '/sessions') return page([{ id: 1, since: now(), last: now(), agent: 'Chromium', address: '127.0.0.1', current: true }]);
  if (p === '/tokens') return page([]);
  if (p === '/roles') return page(Object.keys(grants).map((r) => ({ name: r, title: titles[r], grants: grants[r] })));
  if (p === '/accounts') return page([...accounts.values()]);
  if (p === '/audit') return page([{ seq: 4, at: now(), actor: 'operator', behalf: null, purpose: null, command: 'case.file', type: 'case', id: 3, version: 2 }]);
  return send(res, req.method === 'GET' ? 404 : 200, {});
}

createServer((req, res) => {
  const url = new URL(req.url, 'http://x');
  if (url.pathname.startsWith('/api/')) {
    api(req, res, url).catch((e) => problem(res, 500, String(e), String(e)));
    return;
  }
  if (/^\/(tiles|basemap)\//.test(url.pathname)) {
    res.writeHead(204);
    res.end();
    return;
  }
  let file = join(dist, normalize(url.pathname));
  if (!existsSync(file) || !statSync(file).isFile()) {
    if (url.pathname.startsWith('/assets/')) {
      res.writeHead(404);
      res.end();
      return;
    }
    file = join(dist, 'index.html');
  }
  res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP, 'Cache-Control': url.pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' });
  createReadStream(file).pipe(res);
}).listen(port, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${port}/`));
