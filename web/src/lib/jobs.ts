import { get } from './api';
import { listen, streamIsLive } from './stream/client';
import type { StreamMessage } from './stream/core';

export interface Job {
  id: number;
  state: 'queued' | 'running' | 'done' | 'failed';
  done: number;
  total: number;
  text: string;
  result: Record<string, number> | null;
}
/** What following a job needs of the page: handed in, so that a test can play the server. */
export interface JobParts {
  look(id: number): Promise<Job>;
  listen(f: (m: StreamMessage) => void): () => void;
  live(): boolean;
  later(f: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
}
export const POLL_MS = 600;
/** A line that stands and is silent so long may be held back on its way. */
export const SILENT_MS = 20_000;

const page: JobParts = {
  look: (id) => get<Job>('/api/v1/jobs/' + encodeURIComponent(String(id))),
  listen,
  live: streamIsLive,
  later: (f, ms) => setTimeout(f, ms),
  cancel: (t) => clearTimeout(t as number),
};

/**
 * Tells how far a job is until it has ended. The event stream brings it; only while there is no line does the page ask again and
 * again. `end` fails when the job is not known (any more).
 */
export function followJob(id: number, hear: (j: Job) => void, parts: JobParts = page): { end: Promise<Job | null>; stop(): void } {
  let over = false;
  let timer: unknown = null;
  let heard = 0;
  let settle: (j: Job | null) => void = () => undefined;
  let fail: (e: unknown) => void = () => undefined;
  const end = new Promise<Job | null>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  const off = parts.listen((m) => {
    if (m.type === 'job' && (m.data as Job | null)?.id === id) take(m.data as Job);
    // What was told while the line was away is not told again.
    else if (m.type === 'state' || m.type === 'reset') void look();
  });
  function close(): void {
    over = true;
    off();
    if (timer !== null) parts.cancel(timer);
    timer = null;
  }
  function wait(): void {
    if (timer !== null) parts.cancel(timer);
    timer = over ? null : parts.later(() => void look(), parts.live() ? SILENT_MS : POLL_MS);
  }
  function take(j: Job): void {
    if (over) return;
    heard += 1;
    hear(j);
    if (j.state === 'done' || j.state === 'failed') {
      close();
      settle(j);
    } else wait();
  }
  async function look(): Promise<void> {
    const before = heard;
    try {
      const j = await parts.look(id);
      // An answer that was overtaken by the stream is older than what is shown.
      if (before === heard || j.state === 'done' || j.state === 'failed') take(j);
    } catch (e) {
      if (over) return;
      close();
      fail(e);
    }
  }
  void look();
  return {
    end,
    stop() {
      if (over) return;
      close();
      settle(null);
    },
  };
}
