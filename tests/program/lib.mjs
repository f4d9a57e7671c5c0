/** What the tests of the program share: cities, servers, an HTTP client, results, expected shapes. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = resolve(process.env.GEZHI_BIN ?? join(ROOT, 'build/gezhi'));
export const PACKS = join(ROOT, 'packs');
export const SHARED = join(ROOT, '../shared');
export const WORK = mkdtempSync(join(tmpdir(), 'gezhi-program-'));
const GOLDEN = join(ROOT, 'tests/golden/api');

/* ---- results ---- */

const only = process.argv.slice(2);
const tests = [];
export const count = { ok: 0, failed: 0 };

/** Registers a test; `run` may call skip(why). */
export function test(name, run) {
  tests.push({ name, run });
}
class Skipped extends Error {}
export function skip(why) {
  throw new Skipped(why);
}
export function must(ok, why) {
  if (!ok) throw new Error(why);
}
export function equal(found, expected, what) {
  const f = JSON.stringify(found), e = JSON.stringify(expected);
  if (f !== e) throw new Error(`${what}: found ${f?.slice(0, 300)}, expected ${e?.slice(0, 300)}`);
}
export async function runAll() {
  for (const t of tests) {
    if (only.length && !only.some((w) => t.name.includes(w))) continue;
    try {
      await t.run();
      count.ok += 1;
      console.log(`ok ${t.name}`);
    } catch (e) {
      if (e instanceof Skipped) {
        console.log(`skipped ${t.name}: ${e.message}`);
        continue;
      }
      count.failed += 1;
      console.log(`FAILED ${t.name} ${String(e?.stack ?? e).replace(/\s+/g, ' ').slice(0, 900)}`);
    }
  }
}

/* ---- the program ---- */

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Runs the program to its end. */
export function gezhi(args, { input, env, timeout = 120_000 } = {}) {
  const r = spawnSync(BIN, args, { input, encoding: 'utf8', timeout, maxBuffer: 1 << 28, env: { ...process.env, ...env } });
  return { code: r.status, out: r.stdout ?? '', err: r.stderr ?? '' };
}
export function gezhiOk(args, o) {
  const r = gezhi(args, o);
  must(r.code === 0, `gezhi ${args.join(' ')} ended with ${r.code}: ${r.err.trim()}`);
  return r;
}

let dirs = 0;
export const fresh = (name) => join(WORK, `${name}-${dirs++}`);

/** An empty city. */
export function emptyCity(more = []) {
  const dir = fresh('empty');
  gezhiOk(['init', '--data', dir, '--packs', PACKS, '--name', '试验市', ...more]);
  return dir;
}

const DEMO = ['--cells', '120', '--cases', '300', '--seed', '7', '--until', '2026-11-01', '--quiet'];
let demo = null;
/** A copy of one small demo city, with its accounts by role. */
export function demoCity() {
  if (!demo) {
    const dir = fresh('demo');
    demo = { dir, accounts: readAccounts(gezhiOk(['demo', '--data', dir, '--packs', PACKS, ...DEMO]).out) };
  }
  const copy = fresh('city');
  cpSync(demo.dir, copy, { recursive: true });
  return { dir: copy, accounts: demo.accounts };
}
export function makeDemo(more = []) {
  const dir = fresh('made');
  gezhiOk(['demo', '--data', dir, '--packs', PACKS, ...DEMO, ...more]);
  return dir;
}
export function readAccounts(text) {
  const roles = {};
  for (const m of text.matchAll(/^account (\S+) (\S+) (\S+)$/gm)) roles[m[1]] ??= { name: m[2], password: m[3] };
  return roles;
}

const running = new Set();
process.on('exit', () => {
  for (const s of running) s.child.kill('SIGKILL');
  if (process.env.KEEP === undefined) rmSync(WORK, { recursive: true, force: true });
});

/** Starts a server on a free port and waits for its "ready" line. */
export async function serve(dir, { args = [], env = {}, wrap = null } = {}) {
  const argv = [BIN, 'serve', '--data', dir, '--port', '0', ...args];
  const full = wrap ? [...wrap, ...argv] : argv;
  const child = spawn(full[0], full.slice(1), { env: { ...process.env, GEZHI_LOG: 'info', ...env } });
  const s = { child, dir, out: '', err: '', exit: null };
  running.add(s);
  child.stdout.on('data', (d) => (s.out += d));
  child.stderr.on('data', (d) => (s.err += d));
  s.ended = new Promise((r) => child.on('exit', (code, signal) => {
    s.exit = { code, signal };
    running.delete(s);
    r(s.exit);
  }));
  for (let i = 0; i < 600 && !/^ready /m.test(s.out); i++) {
    if (s.exit) throw new Error(`the server ended with ${JSON.stringify(s.exit)}: ${s.err.slice(-600)}`);
    await sleep(50);
  }
  const m = /^ready http:\/\/([^:\s]+):(\d+)\/$/m.exec(s.out);
  must(m, `no ready line in ${JSON.stringify(s.out)}`);
  s.port = Number(m[2]);
  s.base = `http://127.0.0.1:${s.port}`;
  s.stop = async (signal = 'SIGTERM') => {
    if (!s.exit) child.kill(signal);
    const end = await Promise.race([s.ended, sleep(20_000)]);
    must(end, 'the server does not stop');
    return end;
  };
  return s;
}
/** Starts a server, runs f(client of a stranger, server), stops it. */
export async function serving(dir, f, o) {
  const s = await serve(dir, o);
  try {
    return await f(new Client(s), s);
  } finally {
    await s.stop();
  }
}

let common = null;
/** One server with the demo city for all tests that do no harm to one another; people are signed in once. */
export async function commonServer() {
  if (!common) {
    const { dir, accounts } = demoCity();
    const server = await serve(dir);
    const stranger = new Client(server);
    const people = {};
    common = { server, dir, accounts, stranger, who: async (role) => (people[role] ??= await stranger.as(accounts[role])) };
  }
  return common;
}
export async function stopCommon() {
  if (common) await common.server.stop();
}

/* ---- HTTP ---- */

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

export function request(port, method, path, { headers = {}, body } = {}) {
  return new Promise((done, fail) => {
    const data = body === undefined ? null : Buffer.isBuffer(body) ? body : Buffer.from(body);
    const req = http.request({ agent, host: '127.0.0.1', port, method, path, headers: { ...(data ? { 'Content-Length': data.length } : {}), ...headers } }, (res) => {
      const parts = [];
      res.on('data', (d) => parts.push(d));
      res.on('error', fail);
      res.on('end', () => {
        const bytes = Buffer.concat(parts);
        const type = (res.headers['content-type'] ?? '').split(';')[0];
        const r = { status: res.statusCode, headers: res.headers, type, bytes, text: bytes.toString('utf8'), json: null };
        if (/json$/.test(type)) {
          try {
            r.json = JSON.parse(r.text);
          } catch {
            r.json = undefined;
          }
        }
        done(r);
      });
    });
    req.setTimeout(30_000, () => req.destroy(new Error(`no answer to ${method} ${path}`)));
    req.on('error', fail);
    req.end(data ?? undefined);
  });
}

/** A person (or a stranger) towards one server. */
export class Client {
  constructor(server) {
    this.port = server.port;
    this.server = server;
    this.headers = {};
  }
  call(method, path, { headers = {}, body, json } = {}) {
    const h = { ...this.headers, ...headers };
    if (json !== undefined) h['Content-Type'] ??= 'application/json';
    return request(this.port, method, path, { headers: h, body: json === undefined ? body : JSON.stringify(json) });
  }
  get(path, headers) {
    return this.call('GET', path, { headers });
  }
  post(path, json, headers) {
    return this.call('POST', path, { json, headers });
  }
  patch(path, json, headers) {
    return this.call('PATCH', path, { json, headers });
  }
  /** Signs in; the result is a client of that person. */
  async as({ name, password }) {
    const r = await this.post('/api/v1/session', { name, password });
    must(r.status === 200, `sign-in of ${name}: ${r.status} ${r.text}`);
    const c = new Client(this.server);
    c.headers = { Cookie: r.headers['set-cookie'][0].split(';')[0], 'X-CSRF-Token': r.json.csrf };
    c.account = r.json.account;
    return c;
  }
  /** Makes a move with the version the case has now. */
  async move(code, move, inputs = {}) {
    const now = await this.get(`/api/v1/cases/${code}`);
    must(now.status === 200, `GET ${code}: ${now.status} ${now.text.slice(0, 200)}`);
    return this.post(`/api/v1/cases/${code}/${move}`, inputs, { 'If-Match': now.headers.etag });
  }
}
export function problem(r, status, code) {
  must(r.status === status, `status ${r.status} ${r.text.slice(0, 300)}, expected ${status}`);
  must(r.type === 'application/problem+json', `type ${r.type}`);
  equal([r.json.type, r.json.status, r.json.code], ['about:blank', status, code], 'problem');
  must(r.json.title && r.json.title_zh, 'a problem has titles in both languages');
  return r;
}

/** Bytes to the server, whatever comes back within `ms` (or until it closes). */
export function raw(port, bytes, { ms = 3000, end = false, step = 0 } = {}) {
  return new Promise((done) => {
    const s = net.connect(port, '127.0.0.1');
    let text = '';
    const finish = (closed) => {
      s.destroy();
      done({ text, closed });
    };
    const timer = setTimeout(() => finish(false), ms);
    s.on('data', (d) => (text += d.toString('latin1')));
    s.on('error', () => undefined);
    s.on('close', () => {
      clearTimeout(timer);
      finish(true);
    });
    s.on('connect', async () => {
      if (step) {
        for (let i = 0; i < bytes.length && !s.destroyed; i += step) {
          s.write(bytes.slice(i, i + step));
          await sleep(5);
        }
      } else s.write(bytes);
      if (end) s.end();
    });
  });
}

/** A reader of server-sent events. */
export function events(port, path, headers = {}) {
  const e = { frames: [], status: 0, close: null, waiting: [] };
  e.ready = new Promise((done, fail) => {
    const req = http.get({ host: '127.0.0.1', port, path, headers: { Accept: 'text/event-stream', ...headers } }, (res) => {
      e.status = res.statusCode;
      e.headers = res.headers;
      let rest = '';
      res.setEncoding('utf8');
      res.on('data', (d) => {
        rest += d;
        for (let i = rest.indexOf('\n\n'); i >= 0; i = rest.indexOf('\n\n')) {
          const f = {};
          for (const line of rest.slice(0, i).split('\n')) {
            const m = /^(\w*):\s?(.*)$/.exec(line);
            if (m && m[1]) f[m[1]] = (f[m[1]] ? f[m[1]] + '\n' : '') + m[2];
          }
          rest = rest.slice(i + 2);
          if (f.data !== undefined) e.frames.push({ ...f, data: JSON.parse(f.data) });
        }
      });
      res.on('error', () => undefined);
      done(e);
    });
    req.on('error', fail);
    e.close = () => req.destroy();
  });
  /** The first frame for which f holds. */
  e.until = async (f, ms = 8000) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(25)) {
      const found = e.frames.find(f);
      if (found) return found;
    }
    throw new Error(`no such event within ${ms} ms; ${e.frames.length} frames: ${JSON.stringify(e.frames.slice(-3))}`);
  };
  return e;
}

/* ---- expected shapes ---- */

/** Names and types of what is there; the elements of a list are laid over one another. */
export function shape(v) {
  if (v === null) return 'null';
  if (Array.isArray(v)) return v.length ? [v.map(shape).reduce(merge)] : [];
  if (typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, shape(x)]));
  return typeof v;
}
function merge(a, b) {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const text = (x) => (typeof x === 'string' ? x.split('|') : null);
  if (text(a) && text(b)) return [...new Set([...text(a), ...text(b)])].sort().join('|');
  if (Array.isArray(a) && Array.isArray(b)) return a.length === 0 ? b : b.length === 0 ? a : [merge(a[0], b[0])];
  if (text(a) || text(b)) {
    const [t, o] = text(a) ? [a, b] : [b, a];
    return t === 'null' ? { '?': o } : o['?'] ? { '?': o['?'] } : o;
  }
  const pa = a['?'] ?? a, pb = b['?'] ?? b;
  const out = {};
  for (const k of new Set([...Object.keys(pa), ...Object.keys(pb)])) {
    out[k] = k in pa && k in pb ? merge(pa[k], pb[k]) : pa[k] ?? pb[k];
  }
  return a['?'] || b['?'] ? { '?': out } : out;
}
/** Compares with tests/golden/api/NAME.json; UPDATE_GOLDEN=1 writes it. */
export function golden(name, value) {
  const file = join(GOLDEN, `${name}.json`);
  const text = JSON.stringify(value, null, 2) + '\n';
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, text);
    return;
  }
  must(existsSync(file), `there is no ${name}.json; UPDATE_GOLDEN=1 writes it`);
  const expected = readFileSync(file, 'utf8');
  if (expected === text) return;
  const a = expected.split('\n'), b = text.split('\n');
  const i = a.findIndex((line, k) => line !== b[k]);
  throw new Error(`${name}.json differs in line ${i + 1}: expected ${a[i]?.trim()}, found ${b[i]?.trim()}`);
}
export const goldenShape = (name, value) => golden(name, shape(value));

export const sha = (s) => createHash('sha256').update(s).digest('hex');

/** The JPEG with an EXIF part that names `marker`. */
export function withExif(jpeg, marker) {
  const text = Buffer.from(`${marker}\0`);
  const tiff = Buffer.alloc(8 + 2 + 12 + 4);
  tiff.write('II*\0', 0, 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(1, 8);
  tiff.writeUInt16LE(0x010e, 10); /* image description */
  tiff.writeUInt16LE(2, 12);
  tiff.writeUInt32LE(text.length, 14);
  tiff.writeUInt32LE(26, 18);
  const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, text]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xffe1, 0);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}
export function form(file, { name = 'photo.jpg', type = 'image/jpeg', field = 'file' } = {}) {
  const b = 'gezhi-test-boundary';
  const body = Buffer.concat([
    Buffer.from(`--${b}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${b}--\r\n`),
  ]);
  return { body, headers: { 'Content-Type': `multipart/form-data; boundary=${b}` } };
}
export const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
