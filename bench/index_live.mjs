/** The client of bench/index_live.sh. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

const [rounds, bin, cells, cases] = [Number(process.argv[2]), process.argv[3], process.argv[4], process.argv[5]];
const dir = mkdtempSync(join(tmpdir(), 'gezhi-live-'));
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let port = 0;
const headers = {};

function ask(method, path, json) {
  return new Promise((done, fail) => {
    const body = json === undefined ? null : JSON.stringify(json);
    const h = { ...headers, ...(body ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } : {}) };
    const from = process.hrtime.bigint();
    const req = http.request({ agent, host: '127.0.0.1', port, method, path, headers: h }, (res) => {
      const parts = [];
      res.on('data', (d) => parts.push(d));
      res.on('end', () => {
        const ms = Number(process.hrtime.bigint() - from) / 1e6;
        const text = Buffer.concat(parts).toString();
        if (res.statusCode >= 300) return fail(new Error(`${method} ${path}: ${res.statusCode} ${text.slice(0, 200)}`));
        done({ ms, json: JSON.parse(text), headers: res.headers });
      });
    });
    req.on('error', fail);
    req.end(body ?? undefined);
  });
}
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
/** Processor seconds of the server so far: on a shared machine they say more than the clock. */
function cpu() {
  const f = readFileSync(`/proc/${server.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(f[11]) + Number(f[12])) / 100;
}
function tell(name, ms, used) {
  ms.sort((a, b) => a - b);
  console.log(`${name.padEnd(10)} median ${at(ms, 0.5).toFixed(2)} ms, 95 % below ${at(ms, 0.95).toFixed(2)} ms (${ms.length} rounds)${used === undefined ? '' : `, ${((1000 * used) / ms.length).toFixed(0)} ms of the server's processor time each`}`);
  return at(ms, 0.5);
}

const accounts = execFileSync(bin, ['demo', '--data', join(dir, 'city'), '--packs', 'packs', '--cells', cells, '--cases', cases, '--seed', '1', '--quiet'], { encoding: 'utf8', maxBuffer: 1 << 26 });
const server = spawn(bin, ['serve', '--data', join(dir, 'city'), '--port', '0'], { stdio: ['ignore', 'pipe', 'ignore'] });
try {
  port = await new Promise((done) => {
    let out = '';
    server.stdout.on('data', (d) => {
      out += d;
      const m = /^ready http:\/\/[^:]+:(\d+)\/$/m.exec(out);
      if (m) done(Number(m[1]));
    });
  });
  const [, name, password] = /^account supervisor (\S+) (\S+)$/m.exec(accounts);
  const session = await ask('POST', '/api/v1/session', { name, password });
  headers.Cookie = session.headers['set-cookie'][0].split(';')[0];
  headers['X-CSRF-Token'] = session.json.csrf;
  const [w, s, e, n] = (await ask('GET', '/api/v1/city')).json.bbox;
  const now = new Date();
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: (await ask('GET', '/api/v1/city')).json.timezone ?? 'Asia/Shanghai' }).format(now);
  const values = `/api/v1/indicators/reported/values?period=${day}&level=community`;
  const sum = (r) => r.json.areas.reduce((x, a) => x + (a.numerator ?? a.value ?? 0), 0);
  const report = [], read = [], seen = [];
  for (let k = 0; k < rounds; k++) {
    const before = await ask('GET', values);
    read.push(before.ms);
    const lon = w + (e - w) * (0.4 + 0.2 * ((k * 7) % 10) / 10), lat = s + (n - s) * (0.4 + 0.2 * ((k * 3) % 10) / 10);
    const sent = await ask('POST', '/api/v1/cases', { class: 'event-0102', lon, lat, description: `bench ${k}` });
    report.push(sent.ms);
    const after = await ask('GET', values);
    if (sum(after) <= sum(before)) throw new Error(`round ${k}: the report is not in the figure`);
    seen.push(after.ms);
  }
  const index = [], whatIf = [], doubt = [];
  const period = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
  let areas = 0, used = [];
  const each = async (times, ms, work) => {
    const from = cpu();
    for (let k = 0; k < times; k++) ms.push((await work(k)).ms);
    used.push(cpu() - from);
  };
  const times = Math.max(5, rounds / 10), values_of = (draws) => ask('GET', `/api/v1/indices/safety/values?period=${period}&level=community&draws=${draws}`);
  areas = (await values_of(0)).json.areas.length;
  await each(times, index, () => values_of(0));
  await each(times, whatIf, (k) => ask('POST', '/api/v1/indices/safety/what-if', { period, level: 'community', weights: { public_order: 0.1 + k / 100 } }));
  await each(times, doubt, () => values_of(1000));
  console.log(`machine: ${cpus().length} cores, load average ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; ${day}; ${cells} cells, ${cases} cases, ${areas} communities`);
  tell('report', report);
  const bare = tell('read', read), with_new = tell('seen', seen);
  console.log(`the follower adds ${(with_new - bare).toFixed(2)} ms to the read (medians)`);
  tell('index', index, used[0]);
  tell('what-if', whatIf, used[1]);
  tell('doubt', doubt, used[2]);
} finally {
  server.kill('SIGTERM');
  await new Promise((r) => server.on('exit', r));
  rmSync(dir, { recursive: true, force: true });
}
