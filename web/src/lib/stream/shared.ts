/// <reference lib="webworker" />
import { StreamCore, type StreamMessage } from './core';

/** The shared worker: one for all tabs of this browser, so that eight open tabs cost the server one connection. */
interface Tab {
  port: MessagePort;
  seen: number;
}
const tabs = new Set<Tab>();
const SILENT = 180_000;

const core = new StreamCore({
  open: (url) => new EventSource(url, { withCredentials: true }),
  send: (m: StreamMessage) => tabs.forEach((t) => t.port.postMessage(m)),
  later: (f, ms) => setTimeout(f, ms),
  cancel: (t) => clearTimeout(t as number),
});

function remove(t: Tab): void {
  tabs.delete(t);
  if (tabs.size === 0) core.stop();
}

(self as unknown as SharedWorkerGlobalScope).onconnect = (e: MessageEvent) => {
  const tab: Tab = { port: e.ports[0], seen: Date.now() };
  tab.port.onmessage = (m: MessageEvent) => {
    tab.seen = Date.now();
    if (m.data === 'start') {
      tabs.add(tab);
      core.start();
      tab.port.postMessage({ type: 'state', data: core.live } satisfies StreamMessage);
    } else if (m.data === 'bye') {
      remove(tab);
    } else if (m.data === 'stop') {
      core.stop();
    }
  };
  tab.port.start();
};

// A tab that crashed says no goodbye.
setInterval(() => {
  const now = Date.now();
  tabs.forEach((t) => {
    if (now - t.seen > SILENT) remove(t);
  });
}, 30_000);
