/**
 * One event stream for all tabs. The core owns the EventSource; who carries the core (a shared worker, or the one tab that holds a
 * lock) is decided in client.ts. Pure of the page: everything it needs is handed in, so that a test can play the server.
 */
export interface StreamMessage {
  type: 'case' | 'notice' | 'job' | 'reset' | 'state';
  /** Parsed data of the event; for `state` whether the line stands. */
  data: unknown;
}
export interface SourceLike {
  onopen: ((e: Event) => void) | null;
  onerror: ((e: Event) => void) | null;
  readonly readyState: number;
  addEventListener(type: string, f: (e: MessageEvent) => void): void;
  close(): void;
}
export interface CoreParts {
  open(url: string): SourceLike;
  send(m: StreamMessage): void;
  later(f: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
}

const CLOSED = 2;

export class StreamCore {
  private readonly parts: CoreParts;
  private source: SourceLike | null = null;
  private last = '';
  private fails = 0;
  private timer: unknown = null;
  private wanted = false;
  live = false;

  constructor(parts: CoreParts) {
    this.parts = parts;
  }

  /** Opens the line if it is not open. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.fails = 0;
    this.connect();
  }
  /** Closes the line and forgets where it was: another account may come. */
  stop(): void {
    this.wanted = false;
    this.last = '';
    if (this.timer !== null) this.parts.cancel(this.timer);
    this.timer = null;
    this.source?.close();
    this.source = null;
    this.setLive(false);
  }

  private connect(): void {
    const s = this.parts.open(this.last ? `/api/v1/events?after=${encodeURIComponent(this.last)}` : '/api/v1/events');
    this.source = s;
    s.onopen = () => {
      this.fails = 0;
      this.setLive(true);
    };
    s.onerror = () => {
      if (this.source !== s) return;
      this.setLive(false);
      // The browser itself tries again while it is connecting; a refused answer closes the source for good.
      if (s.readyState === CLOSED && this.wanted) {
        s.close();
        this.source = null;
        this.fails += 1;
        this.timer = this.parts.later(
          () => {
            this.timer = null;
            if (this.wanted && !this.source) this.connect();
          },
          Math.min(60_000, 1000 * 2 ** this.fails),
        );
      }
    };
    for (const type of ['case', 'notice', 'job', 'reset'] as const) {
      s.addEventListener(type, (e) => {
        if (e.lastEventId) this.last = e.lastEventId;
        let data: unknown = null;
        try {
          data = e.data ? JSON.parse(String(e.data)) : null;
        } catch {
          return;
        }
        if (Array.isArray(data)) for (const one of data) this.parts.send({ type, data: one });
        else this.parts.send({ type, data });
      });
    }
  }
  private setLive(live: boolean): void {
    if (this.live === live) return;
    this.live = live;
    this.parts.send({ type: 'state', data: live });
  }
}
