/** Following a job: the stream brings it, polling only while there is no line, and nothing is missed in between. */
import { describe, expect, it } from 'vitest';
import { followJob, POLL_MS, SILENT_MS, type Job, type JobParts } from '../src/lib/jobs';
import type { StreamMessage } from '../src/lib/stream/core';

const job = (state: Job['state'], done = 0, id = 7): Job => ({ id, state, done, total: 3, text: '', result: null });
const settled = (): Promise<void> => new Promise((r) => setTimeout(r, 0));

function server(live: boolean) {
  const s = {
    live,
    now: job('running'),
    gone: false,
    looks: 0,
    timers: new Map<number, { f: () => void; ms: number }>(),
    listeners: new Set<(m: StreamMessage) => void>(),
    told: [] as string[],
    say: (m: StreamMessage) => s.listeners.forEach((f) => f(m)),
    /** Lets the one timer that waits run; tells how long it was to wait. */
    pass(): number {
      expect(s.timers.size).toBe(1);
      const [id, { f, ms }] = [...s.timers][0];
      s.timers.delete(id);
      f();
      return ms;
    },
  };
  const parts: JobParts = {
    look: async () => {
      s.looks += 1;
      if (s.gone) throw new Error('404');
      return s.now;
    },
    listen: (f) => {
      s.listeners.add(f);
      return () => s.listeners.delete(f);
    },
    live: () => s.live,
    later: (f, ms) => {
      const id = Math.random();
      s.timers.set(id, { f, ms });
      return id;
    },
    cancel: (t) => s.timers.delete(t as number),
  };
  return { s, parts, hear: (j: Job) => s.told.push(`${j.state} ${j.done}`) };
}

describe('following a job', () => {
  it('asks once and then only listens while the line stands', async () => {
    const { s, parts, hear } = server(true);
    const f = followJob(7, hear, parts);
    await settled();
    s.say({ type: 'job', data: job('running', 2, 8) });
    s.say({ type: 'job', data: job('running', 2) });
    expect([...s.timers.values()][0].ms).toBe(SILENT_MS);
    s.say({ type: 'job', data: job('done', 3) });
    expect((await f.end)?.state).toBe('done');
    expect(s.told).toEqual(['running 0', 'running 2', 'done 3']);
    expect([s.looks, s.timers.size, s.listeners.size]).toEqual([1, 0, 0]);
  });
  it('asks again and again while there is no line', async () => {
    const { s, parts, hear } = server(false);
    const f = followJob(7, hear, parts);
    await settled();
    s.now = job('running', 1);
    expect(s.pass()).toBe(POLL_MS);
    await settled();
    s.now = job('failed', 1);
    s.pass();
    expect((await f.end)?.state).toBe('failed');
    expect(s.told).toEqual(['running 0', 'running 1', 'failed 1']);
  });
  it('looks when the line comes back, since nothing is told twice', async () => {
    const { s, parts, hear } = server(true);
    const f = followJob(7, hear, parts);
    await settled();
    s.now = job('done', 3);
    s.say({ type: 'state', data: true });
    expect((await f.end)?.done).toBe(3);
  });
  it('an answer that the stream overtook does not go back', async () => {
    const { s, parts, hear } = server(true);
    const f = followJob(7, hear, parts);
    s.say({ type: 'job', data: job('running', 2) });
    await settled();
    expect(s.told).toEqual(['running 2']);
    f.stop();
    expect(await f.end).toBeNull();
    expect([s.timers.size, s.listeners.size]).toEqual([0, 0]);
  });
  it('fails when the job is not known any more', async () => {
    const { s, parts, hear } = server(true);
    s.gone = true;
    await expect(followJob(7, hear, parts).end).rejects.toThrow('404');
    expect([s.timers.size, s.listeners.size]).toEqual([0, 0]);
  });
});
