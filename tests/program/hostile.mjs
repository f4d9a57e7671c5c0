/** Clients that are broken, slow or ill-meant: the server answers or closes, and stays up. */
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { emptyCity, equal, must, raw, serve, sleep, test } from './lib.mjs';
import { Client } from './lib.mjs';

let server = null;
async function target() {
  server ??= await serve(emptyCity());
  return server;
}
async function alive(s) {
  must(s.exit === null, `the server ended: ${JSON.stringify(s.exit)} ${s.err.slice(-500)}`);
  equal((await new Client(s).get('/healthz')).status, 200, 'healthz');
}

test('garbage: 400 or closed, never down', async () => {
  const s = await target();
  const bits = [
    randomBytes(4096), Buffer.alloc(65536), Buffer.from('GET\r\n\r\n'), Buffer.from('GET / HTTP/9.9\r\n\r\n'), Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1'),
    Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'), Buffer.from('GET / HTTP/1.1\r\nHost : a\r\n\r\n'), Buffer.from('GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n'),
    Buffer.from('POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'), Buffer.from('POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    Buffer.from('POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'), Buffer.from('POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  ];
  for (const b of bits) {
    const r = await raw(s.port, b, { ms: 1500, end: true });
    const status = r.text === '' ? 'closed' : r.text.slice(9, 12);
    must(status === 'closed' || /^[45]/.test(status), `${JSON.stringify(b.subarray(0, 60).toString('latin1'))}: ${r.text.slice(0, 60)}`);
  }
  for (let i = 0; i < 60; i++) await raw(s.port, randomBytes(1 + Math.floor(Math.random() * 2000)), { ms: 300, end: true });
  await alive(s);
});

test('oversized: long lines, many headers, large bodies', async () => {
  const s = await target();
  const cases = [
    [`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, /^4(14|31|00|13)/],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'b'.repeat(300_000)}\r\n\r\n`, /^4(31|00|13)/],
    [`GET / HTTP/1.1\r\nHost: a\r\n${Array.from({ length: 5000 }, (_, i) => `X${i}: 1`).join('\r\n')}\r\n\r\n`, /^4(31|00|13)/],
    ['POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n', /^413/],
    ['POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 999999999999999999999999\r\n\r\n', /^4(13|00)/],
  ];
  for (const [text, status] of cases) {
    const r = await raw(s.port, text, { ms: 4000 });
    must(r.text === '' || status.test(r.text.slice(9, 12)), `${text.slice(0, 40)}: ${r.text.slice(0, 60)}`);
  }
  const deep = `{"class":${'['.repeat(50_000)}`;
  const r = await raw(s.port, `POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${deep.length}\r\n\r\n${deep}`, { ms: 3000 });
  must(/^4(00|22)/.test(r.text.slice(9, 12)), `deep JSON: ${r.text.slice(0, 80)}`);
  await alive(s);
});

test('slow: two hundred connections that drip headers do not keep others out', async () => {
  const s = await target();
  const drips = [];
  for (let i = 0; i < 200; i++) {
    const c = net.connect(s.port, '127.0.0.1');
    c.on('error', () => undefined);
    c.on('data', () => undefined);
    c.write('GET / HTTP/1.1\r\nHost: a\r\n');
    drips.push(c);
  }
  for (let round = 0; round < 5; round++) {
    for (const c of drips) if (!c.destroyed) c.write(`X-${round}: `);
    const start = Date.now();
    await alive(s);
    must(Date.now() - start < 3000, `healthz took ${Date.now() - start} ms`);
    await sleep(200);
  }
  for (const c of drips) c.destroy();
  await alive(s);
});

test('pipelining: answers in order; byte by byte; half-closed', async () => {
  const s = await target();
  const one = (p) => `GET ${p} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const many = Array.from({ length: 40 }, (_, i) => one(i % 2 ? '/healthz' : '/api/v1/nothing')).join('') + 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const r = await raw(s.port, many, { ms: 8000 });
  const statuses = [...r.text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((m) => m[1]);
  equal(statuses, Array.from({ length: 41 }, (_, i) => (i % 2 || i === 40 ? '200' : '404')), 'statuses in order');
  const slow = await raw(s.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', { ms: 8000, step: 1 });
  must(slow.text.startsWith('HTTP/1.1 200'), `byte by byte: ${slow.text.slice(0, 60)}`);
  const half = await raw(s.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', { ms: 4000, end: true });
  must(half.text === '' || half.text.startsWith('HTTP/1.1 200'), `half-closed: ${half.text.slice(0, 60)}`);
  await raw(s.port, 'POST /api/v1/cases HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"cl', { ms: 500, end: true });
  for (let i = 0; i < 300; i++) {
    const c = net.connect(s.port, '127.0.0.1');
    c.on('error', () => undefined);
    c.write(one('/api/v1/city'));
    c.destroy();
  }
  await alive(s);
  await s.stop();
  equal(s.exit, { code: 0, signal: null }, 'the exit after all this');
});
