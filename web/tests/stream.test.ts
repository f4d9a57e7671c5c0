import { describe, expect, it } from 'vitest';
import { StreamCore, type SourceLike, type StreamMessage } from '../src/lib/stream/core';
import { LiveCases } from '../src/lib/livecases';
import type { CaseEvent } from '../src/lib/types';

class Source implements SourceLike {
  onopen: ((e: Event) => void) | null = null;
  onerror: ((e: Event) => void) | null = null;
  readyState = 0;
  closed = false;
  readonly handlers = new Map<string, (e: MessageEvent) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, f: (e: MessageEvent) => void): void {
    this.handlers.set(type, f);
  }
  close(): void {
    this.closed = true;
  }
  say(type: string, id: string, data: unknown): void {
    this.handlers.get(type)?.({ lastEventId: id, data: typeof data === 'string' ? data : JSON.stringify(data) } as MessageEvent);
  }
}
function world(): { core: StreamCore; sources: Source[]; told: StreamMessage[]; timers: { f: () => void; ms: number }[] } {
  const sources: Source[] = [];
  const told: StreamMessage[] = [];
  const timers: { f: () => void; ms: number }[] = [];
  const core = new StreamCore({
    open: (url) => {
      const s = new Source(url);
      sources.push(s);
      return s;
    },
    send: (m) => told.push(m),
    later: (f, ms) => timers.push({ f, ms }),
    cancel: () => (timers.length = 0),
  });
  return { core, sources, told, timers };
}

describe('the shared event stream', () => {
  it('opens one line however often it is started, and passes events on', () => {
    const w = world();
    w.core.start();
    w.core.start();
    expect(w.sources).toHaveLength(1);
    w.sources[0].onopen?.({} as Event);
    w.sources[0].say('case', '7', { code: 'A' });
    w.sources[0].say('notice', '8', [{ id: 1 }, { id: 2 }]);
    w.sources[0].say('case', '9', 'not json');
    expect(w.told).toEqual([
      { type: 'state', data: true },
      { type: 'case', data: { code: 'A' } },
      { type: 'notice', data: { id: 1 } },
      { type: 'notice', data: { id: 2 } },
    ]);
  });
  it('goes on after the last event when the server refused for a while, with longer pauses', () => {
    const w = world();
    w.core.start();
    w.sources[0].say('case', '41', { code: 'A' });
    w.sources[0].readyState = 2;
    w.sources[0].onerror?.({} as Event);
    expect(w.timers[0].ms).toBe(2000);
    w.timers[0].f();
    expect(w.sources[1].url).toBe('/api/v1/events?after=41');
    w.sources[1].readyState = 2;
    w.sources[1].onerror?.({} as Event);
    expect(w.timers[1].ms).toBe(4000);
  });
  it('leaves a line alone that the browser itself reopens', () => {
    const w = world();
    w.core.start();
    w.sources[0].readyState = 0;
    w.sources[0].onerror?.({} as Event);
    expect(w.timers).toHaveLength(0);
    expect(w.sources).toHaveLength(1);
  });
  it('forgets its place when it is stopped', () => {
    const w = world();
    w.core.start();
    w.sources[0].say('case', '41', {});
    w.core.stop();
    expect(w.sources[0].closed).toBe(true);
    w.core.start();
    expect(w.sources[1].url).toBe('/api/v1/events');
  });
});

describe('live cases over tiles', () => {
  const event = (seq: number, code: string, more: Partial<CaseEvent> = {}): CaseEvent => ({ seq, code, class: 'c', state: 's', light: 'green', lon: 1, lat: 2, move: 'm', at: '', ...more });
  it('keeps the newest state of a case, whatever the order', () => {
    const l = new LiveCases();
    l.take(event(5, 'A', { state: 'new' }));
    l.take(event(3, 'A', { state: 'old' }));
    expect(JSON.stringify(l.geojson())).toContain('new');
    expect(l.size()).toBe(1);
  });
  it('a closed case leaves the map, and its old point too', () => {
    const l = new LiveCases();
    l.take(event(1, 'A', { open: false }));
    l.take(event(2, 'B', { lon: null }));
    expect((l.geojson() as { features: unknown[] }).features).toHaveLength(0);
    expect(l.codes()).toEqual(['A', 'B']);
  });
  it('forgets what fresh tiles hold', () => {
    const l = new LiveCases();
    l.take(event(1, 'A'));
    l.take(event(9, 'B'));
    l.dropUntil(8);
    expect(l.codes()).toEqual(['B']);
    expect(l.newest()).toBe(9);
  });
});
