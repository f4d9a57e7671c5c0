import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newItem, pause, stored, trySend, type OutItem } from '../src/lib/outbox';

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
}
let sent: Sent[] = [];
let answers: ((s: Sent) => Response | null)[] = [];
const reply = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' } });

beforeEach(() => {
  sent = [];
  answers = [];
  vi.stubGlobal('fetch', async (url: string, o: RequestInit) => {
    const s: Sent = { url, method: String(o.method), headers: o.headers as Record<string, string>, body: typeof o.body === 'string' ? JSON.parse(o.body) : o.body };
    sent.push(s);
    const a = answers.shift();
    const r = a ? a(s) : null;
    if (!r) throw new TypeError('no line');
    return r;
  });
});
afterEach(() => vi.unstubAllGlobals());

const report = (photos: OutItem['photos'] = []): OutItem =>
  newItem({ kind: 'report', account: null, label: 'x', report: { class: 'event-0102', description: 'text' }, photos }, 1000);
const move = (): OutItem => newItem({ kind: 'move', account: 'w', label: 'x', move: { code: 'C-1', move: 'handle', inputs: { note: 'n' }, version: 4 }, photos: [] }, 1000);
const ours = async (i: OutItem): Promise<OutItem[]> => (await stored()).filter((x) => x.id === i.id);

describe('the outbox loses nothing', () => {
  it('keeps a report without a line and sends it later under the same key', async () => {
    const i = report();
    expect(await trySend(i, () => 5000)).toBeNull();
    expect(i.state).toBe('waiting');
    expect(i.next).toBe(5000 + pause(1));
    expect(await ours(i)).toHaveLength(1);
    answers = [() => reply(201, { code: 'A', secret: 'B' })];
    const r = await trySend(i, () => 9000);
    expect(r?.kind).toBe('report');
    expect(sent[0].headers['Idempotency-Key']).toBe(i.id);
    expect(sent[1].headers['Idempotency-Key']).toBe(i.id);
    expect(await ours(i)).toHaveLength(0);
  });
  it('sends photos first, once, and renews tokens that grew old', async () => {
    const i = report([{ field: 'media', name: 'a.jpg', blob: new Blob(['x']) }]);
    answers = [() => reply(201, { media: 't1' }), () => null];
    expect(await trySend(i, () => 0 + 1)).toBeNull();
    answers = [() => reply(201, { code: 'A' })];
    expect(await trySend(i, () => 60_000)).not.toBeNull();
    expect(sent.map((s) => s.url)).toEqual(['/api/v1/media', '/api/v1/cases', '/api/v1/cases']);
    expect((sent[2].body as { media: string[] }).media).toEqual(['t1']);

    const old = report([{ field: 'media', name: 'a.jpg', blob: new Blob(['x']), token: 't0', at: 1 }]);
    answers = [() => reply(201, { media: 't2' }), () => reply(201, { code: 'A' })];
    await trySend(old, () => 3_600_000);
    expect((sent[sent.length - 1].body as { media: string[] }).media).toEqual(['t2']);
  });
  it('a stale version becomes a question, a fault in the form a refusal, a busy server a wait', async () => {
    const stale = move();
    answers = [() => reply(412, { title: 'stale' })];
    await trySend(stale);
    expect(stale.state).toBe('conflict');
    expect(sent[0].headers['If-Match']).toBe('"4"');
    const wrong = move();
    answers = [() => reply(422, { title: 'wrong' })];
    await trySend(wrong);
    expect(wrong.state).toBe('refused');
    for (const status of [401, 429, 500, 503]) {
      const busy = move();
      answers = [() => reply(status, {})];
      await trySend(busy);
      expect(busy.state, String(status)).toBe('waiting');
    }
  });
  it('a conflict that stays ends as a refusal', async () => {
    const i = move();
    for (let n = 0; n < 6; n++) {
      answers = [() => reply(409, {})];
      await trySend(i);
    }
    expect(i.state).toBe('refused');
  });
  it('waits longer each time, five minutes at most', () => {
    expect(pause(1)).toBe(2000);
    expect(pause(3)).toBe(8000);
    expect(pause(50)).toBe(300_000);
  });
});
