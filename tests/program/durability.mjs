/** Nothing that was acknowledged is lost; a folder has one server; backup, upgrade, disks that are full or cannot be written. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { BIN, Client, demoCity, emptyCity, equal, fresh, gezhi, gezhiOk, must, request, serve, serving, skip, sleep, test, WORK } from './lib.mjs';
import { STREET, workerPoint } from './api.mjs';

const sqlite = (dir, sql) => spawnSync('sqlite3', [join(dir, 'gezhi.db'), sql], { encoding: 'utf8' });
const verify = (dir, more = []) => {
  const r = gezhi(['verify', '--data', dir, '--json', ...more]);
  let json = null;
  try {
    json = JSON.parse(r.out);
  } catch {
    json = null;
  }
  return { ...r, json };
};

/** Sixteen connections that report until told to stop; every acknowledged code goes to `codes`. */
function load(port, at, codes, flag) {
  const one = async (k) => {
    for (let i = 0; !flag.stop; i++) {
      const body = JSON.stringify({ class: STREET, lon: at.lon, lat: at.lat, description: `load ${k} ${i}`, contact: `138${k}` });
      try {
        const r = await request(port, 'POST', '/api/v1/cases', { headers: { 'Content-Type': 'application/json' }, body });
        if (r.status === 201) codes.push(r.json.code);
        else if (r.status < 500) flag.odd = `${r.status} ${r.text}`;
      } catch {
        return;
      }
    }
  };
  return Promise.all(Array.from({ length: 16 }, (_, k) => one(k)));
}

test('twenty kill -9 under load: no acknowledged report is lost, the ledger verifies', async () => {
  const { dir, accounts } = demoCity();
  let at = null;
  const codes = [];
  for (let round = 0; round < 20; round++) {
    const server = await serve(dir);
    const stranger = new Client(server);
    at ??= await workerPoint(await stranger.as(accounts.worker));
    const flag = { stop: false, odd: null };
    const before = codes.length;
    const busy = load(server.port, at, codes, flag);
    await sleep(60 + Math.random() * 500);
    for (let i = 0; i < 200 && codes.length === before; i++) await sleep(20);
    server.child.kill('SIGKILL');
    await server.ended;
    flag.stop = true;
    await busy;
    must(!flag.odd, `an answer under load: ${flag.odd}`);
    must(codes.length > before, `round ${round}: nothing was acknowledged`);
  }
  equal(new Set(codes).size, codes.length, 'a code was given twice');
  await serving(dir, async (stranger) => {
    const op = await stranger.as(accounts.supervisor);
    const found = new Set();
    for (let after = ''; ; ) {
      const r = (await op.get(`/api/v1/cases?limit=500&class=${STREET}${after ? `&after=${after}` : ''}`)).json;
      for (const c of r.items) found.add(c.code);
      if (!r.next) break;
      after = r.next;
    }
    const lost = codes.filter((c) => !found.has(c));
    equal(lost.length, 0, `acknowledged reports lost (of ${codes.length}), such as ${lost[0]}`);
  });
  const v = verify(dir);
  must(v.code === 0 && v.json.ok && v.json.first_bad === null, `${v.out} ${v.err}`);
  console.log(`# ${codes.length} reports acknowledged over 20 kills`);
});

test('a second server on one folder refuses; so does a folder of a newer program; nothing is changed', async () => {
  const { dir } = demoCity();
  await serving(dir, async () => {
    const two = gezhi(['serve', '--data', dir, '--port', '0'], { timeout: 10_000 });
    equal(two.code, 1, 'a second server');
    must(two.err.includes(dir) || /another|in use|held|lock/i.test(two.err), two.err);
  });
  const newer = fresh('newer');
  cpSync(dir, newer, { recursive: true });
  const tables = sqlite(newer, "SELECT name FROM sqlite_master WHERE name LIKE '%meta%' OR name LIKE '%setting%'").stdout;
  const version = Number(sqlite(newer, 'PRAGMA user_version').stdout);
  must(version > 0, `user_version is ${version}; tables ${tables}`);
  sqlite(newer, `PRAGMA user_version = ${version + 1000}`);
  const r = gezhi(['serve', '--data', newer, '--port', '0'], { timeout: 10_000 });
  equal(r.code, 1, 'a newer folder');
  must(/newer/i.test(r.err), r.err);
  equal(Number(sqlite(newer, 'PRAGMA user_version').stdout), version + 1000, 'the newer folder was changed');
  writeFileSync(join(newer, 'gezhi.db'), 'this is no database at all, just some words of text');
  const bad = gezhi(['serve', '--data', newer, '--port', '0'], { timeout: 10_000 });
  equal(bad.code, 1, 'a damaged folder');
  must(bad.err.trim().length > 10, bad.err);
  equal(readFileSync(join(newer, 'gezhi.db'), 'utf8'), 'this is no database at all, just some words of text', 'the damaged file was changed');
  equal(gezhi(['serve', '--data', join(WORK, 'no-such'), '--port', '0'], { timeout: 10_000 }).code, 1, 'no folder');
});

test('a changed row is found by verify', async () => {
  const { dir } = demoCity();
  equal(verify(dir).code, 0, 'before');
  const done = sqlite(dir, "UPDATE case_ SET state = 'closed' WHERE id = (SELECT MIN(id) FROM case_ WHERE state <> 'closed')");
  equal(done.status, 0, `sqlite3: ${done.stderr}`);
  const v = verify(dir);
  equal(v.code, 1, 'verify of a changed row');
  must(v.json.ok === false && v.json.first_bad.table && v.json.first_bad.reason, v.out);
});

test('backup while serving, restore, verify; the keys apart', async () => {
  const { dir, accounts } = demoCity();
  const file = fresh('backup'), back = fresh('restored');
  const codes = [];
  await serving(dir, async (stranger, server) => {
    const at = await workerPoint(await stranger.as(accounts.worker));
    const flag = { stop: false };
    const busy = load(server.port, at, codes, flag);
    await sleep(300);
    const before = codes.length;
    const r = await new Promise((done) => setImmediate(() => done(gezhi(['backup', file, '--data', dir]))));
    flag.stop = true;
    await busy;
    equal(r.code, 0, `backup: ${r.err}`);
    codes.length = before;
  });
  gezhiOk(['restore', file, '--data', back, '--keys', join(dir, 'keys')]);
  const v = verify(back);
  must(v.code === 0 && v.json.ok, `${v.out} ${v.err}`);
  await serving(back, async (stranger) => {
    const op = await stranger.as(accounts.supervisor);
    for (const c of codes.slice(-20)) equal((await op.get(`/api/v1/cases/${c}`)).status, 200, `${c}, acknowledged before the backup`);
  });
  equal(gezhi(['restore', file, '--data', back]).code, 1, 'restore over a city');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, bytes.length - 1000));
  equal(gezhi(['restore', file, '--data', fresh('cut')]).code, 1, 'a cut backup');
});

test('SIGTERM drains and exits 0; a request under way is answered; a busy port is named', async () => {
  const dir = emptyCity();
  const s = await serve(dir);
  const slow = net.connect(s.port, '127.0.0.1');
  let text = '';
  slow.on('data', (d) => (text += d));
  slow.on('error', () => undefined);
  await new Promise((r) => slow.on('connect', r));
  slow.write('GET /api/v1/city HTTP/1.1\r\nHost: a\r\n');
  await sleep(100);
  s.child.kill('SIGTERM');
  await sleep(100);
  slow.write('\r\n');
  const end = await Promise.race([s.ended, sleep(15_000)]);
  equal(end, { code: 0, signal: null }, 'the exit');
  must(text === '' || text.startsWith('HTTP/1.1 200'), `the request under way: ${text.slice(0, 80)}`);
  slow.destroy();
  await serving(dir, async (_, server) => {
    const other = emptyCity();
    const r = gezhi(['serve', '--data', other, '--port', String(server.port)], { timeout: 10_000 });
    equal(r.code, 1, 'a busy port');
    must(r.err.includes(String(server.port)), r.err);
  });
});

/** Runs a server on a small file system of its own. */
async function onSmallDisk(f) {
  const can = spawnSync('unshare', ['-m', 'true']);
  if (can.status !== 0) skip('unshare -m is not permitted here');
  const { dir, accounts } = demoCity();
  const disk = fresh('disk');
  mkdirSync(disk);
  const s = await serve(join(disk, 'city'), { wrap: ['unshare', '-m', 'sh', '-c', `mount -t tmpfs -o size=32m gezhi '${disk}' && cp -r '${dir}' '${disk}/city' && exec "$0" "$@"`] });
  const inside = (command) => spawnSync('nsenter', ['-t', String(s.child.pid), '-m', 'sh', '-c', command], { encoding: 'utf8' });
  try {
    const stranger = new Client(s);
    const at = await workerPoint(await stranger.as(accounts.worker));
    await f({ stranger, server: s, inside, disk, report: () => stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x'.repeat(1500) }) });
  } finally {
    await s.stop();
  }
}

test('a full disk: a clear error, reading goes on, and it recovers', async () => {
  await onSmallDisk(async ({ stranger, inside, disk, report }) => {
    equal((await report()).status, 201, 'before');
    inside(`dd if=/dev/zero of='${disk}/fill' bs=64k 2>/dev/null`);
    let bad = null;
    for (let i = 0; i < 4000 && !bad; i++) {
      const r = await report();
      if (r.status !== 201) bad = r;
    }
    must(bad, 'the disk did not fill');
    must([503, 507].includes(bad.status) && bad.type === 'application/problem+json', `${bad.status} ${bad.text}`);
    must([200, 503].includes((await stranger.get('/healthz')).status), 'health');
    equal((await stranger.get('/api/v1/public/cases?limit=5')).status, 200, 'reading goes on');
    inside(`rm '${disk}/fill'`);
    let good = null;
    for (let i = 0; i < 100 && good?.status !== 201; i++) {
      good = await report();
      if (good.status !== 201) await sleep(100);
    }
    equal(good.status, 201, `after room was made: ${good.text.slice(0, 200)}`);
  });
});

test('a disk that cannot be written: serving is refused with the reason, verify still works', () => {
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) skip('unshare -m is not permitted here');
  const { dir } = demoCity();
  const disk = fresh('disk');
  mkdirSync(disk);
  const on = (command) => spawnSync('unshare', ['-m', 'sh', '-c', `mount -t tmpfs -o size=64m gezhi '${disk}' && cp -r '${dir}' '${disk}/city' && mount -o remount,ro '${disk}' && ${command}`], { encoding: 'utf8', timeout: 60_000 });
  const r = on(`timeout 20 '${BIN}' serve --data '${disk}/city' --port 0`);
  equal(r.status, 1, `serve on a read-only disk: ${r.stdout} ${r.stderr}`);
  must(/read-only|cannot write|not writable/i.test(r.stderr), r.stderr);
  const v = on(`'${BIN}' verify --data '${disk}/city'`);
  equal(v.status, 0, `verify on a read-only disk: ${v.stdout} ${v.stderr}`);
});
