import type { CaseEvent } from './types';

/** Cases that changed since the tiles were drawn: drawn on top of them, one point a case, the newest state only. */
export class LiveCases {
  private readonly events = new Map<string, CaseEvent>();

  take(e: CaseEvent): void {
    const old = this.events.get(e.code);
    if (old && old.seq > e.seq) return;
    this.events.set(e.code, e);
  }
  size(): number {
    return this.events.size;
  }
  newest(): number {
    let n = 0;
    this.events.forEach((e) => (n = Math.max(n, e.seq)));
    return n;
  }
  /** Forgets what happened up to this sequence number: fresh tiles hold it. */
  dropUntil(seq: number): void {
    for (const [code, e] of Array.from(this.events)) if (e.seq <= seq) this.events.delete(code);
  }
  /** All changed cases, also closed ones: their old point in the tiles has to go. */
  codes(): string[] {
    return Array.from(this.events.keys());
  }
  geojson(): object {
    return {
      type: 'FeatureCollection',
      features: Array.from(this.events.values())
        .filter((e) => e.lon != null && e.lat != null && e.open !== false)
        .map((e) => ({
          type: 'Feature',
          geometry: { type: 'Point', coordinates: [e.lon, e.lat] },
          properties: { code: e.code, class: e.class, state: e.state, light: e.light ?? 'none', urgent: Boolean(e.urgent) },
        })),
    };
  }
}
