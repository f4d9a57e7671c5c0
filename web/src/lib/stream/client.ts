import { StreamCore, type StreamMessage } from './core';

/**
 * The page's end of the event stream. A shared worker carries it where there is one; else the tab that holds the lock
 * "gezhi-stream" carries it and tells the others over a BroadcastChannel; with neither, each tab carries its own.
 */
type Listener = (m: StreamMessage) => void;
export type Carrier = 'worker' | 'leader' | 'own';

const listeners = new Set<Listener>();
let started = false;
let begin: () => void = () => undefined;
let end: () => void = () => undefined;
let carrier: Carrier | null = null;
let live = false;

function tell(m: StreamMessage): void {
  if (m.type === 'state') live = Boolean(m.data);
  listeners.forEach((f) => f(m));
}

function ownCore(send: (m: StreamMessage) => void): StreamCore {
  return new StreamCore({
    open: (url) => new EventSource(url, { withCredentials: true }),
    send,
    later: (f, ms) => setTimeout(f, ms),
    cancel: (t) => clearTimeout(t as number),
  });
}

function byWorker(): boolean {
  if (typeof SharedWorker === 'undefined') return false;
  let worker: SharedWorker;
  try {
    worker = new SharedWorker(new URL('./shared.ts', import.meta.url), { type: 'module', name: 'gezhi-stream' });
  } catch {
    return false;
  }
  worker.port.onmessage = (e: MessageEvent) => tell(e.data as StreamMessage);
  worker.port.start();
  let beat: ReturnType<typeof setInterval> | null = null;
  begin = () => {
    worker.port.postMessage('start');
    beat ??= setInterval(() => worker.port.postMessage('start'), 45_000);
  };
  end = () => {
    if (beat) clearInterval(beat);
    beat = null;
    worker.port.postMessage('stop');
    worker.port.postMessage('bye');
  };
  window.addEventListener('pagehide', () => worker.port.postMessage('bye'));
  window.addEventListener('pageshow', (e) => {
    if (e.persisted && started) worker.port.postMessage('start');
  });
  carrier = 'worker';
  return true;
}

function byLeader(): boolean {
  if (!('locks' in navigator) || typeof BroadcastChannel === 'undefined') return false;
  const channel = new BroadcastChannel('gezhi-stream');
  channel.onmessage = (e: MessageEvent) => tell(e.data as StreamMessage);
  let release: (() => void) | null = null;
  let waiting: AbortController | null = null;
  begin = () => {
    if (waiting) return;
    waiting = new AbortController();
    navigator.locks
      .request('gezhi-stream', { signal: waiting.signal }, () => {
        const core = ownCore((m) => {
          tell(m);
          channel.postMessage(m);
        });
        core.start();
        return new Promise<void>((resolve) => {
          release = () => {
            core.stop();
            resolve();
          };
        });
      })
      .catch(() => undefined);
  };
  end = () => {
    waiting?.abort();
    waiting = null;
    release?.();
    release = null;
  };
  carrier = 'leader';
  return true;
}

function alone(): void {
  const core = ownCore(tell);
  begin = () => core.start();
  end = () => core.stop();
  carrier = 'own';
}

/** Starts listening; a second call does nothing. Call after signing in. */
export function startStream(): Carrier {
  if (!carrier && !byWorker() && !byLeader()) alone();
  if (!started) {
    started = true;
    begin();
  }
  return carrier ?? 'own';
}
/** Ends the stream for all tabs of this browser. Call when signing out. */
export function stopStream(): void {
  if (!started) return;
  started = false;
  end();
}
/** Whether the line stands now. */
export function streamIsLive(): boolean {
  return live;
}
/** Hears every message until the returned function is called. */
export function listen(f: Listener): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}
