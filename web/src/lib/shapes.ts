/** Borders of areas for small maps: read once per level, and laid out in pixels. */
import { Problem } from './api';

export interface AreaShape {
  code: string;
  name: string;
  name_en?: string | null;
  label: [number, number] | null;
  /** Rings of all parts, degrees; holes among them (even-odd). */
  rings: [number, number][][];
}
interface Feature {
  id: string;
  properties: { name: string; name_en?: string | null; label: [number, number] | null };
  geometry: { type: string; coordinates: unknown } | null;
}

export function readShapes(features: readonly Feature[]): AreaShape[] {
  return features.map((f) => {
    const g = f.geometry;
    const parts = !g ? [] : g.type === 'Polygon' ? [g.coordinates as [number, number][][]] : (g.coordinates as [number, number][][][]);
    return { code: f.id, name: f.properties.name, name_en: f.properties.name_en, label: f.properties.label, rings: ([] as [number, number][][]).concat(...parts) };
  });
}

const kept = new Map<string, Promise<AreaShape[]>>();
/** Shapes of a level; the browser's cache and the ETag keep a second look cheap. A failure is not kept. */
export function loadShapes(level: string): Promise<AreaShape[]> {
  let p = kept.get(level);
  if (!p) {
    p = fetch(`/api/v1/areas/shapes?level=${encodeURIComponent(level)}`, { headers: { Accept: 'application/json' }, credentials: 'same-origin' }).then(async (r) => {
      if (!r.ok) throw new Problem(r.status, {});
      return readShapes(((await r.json()) as { features: Feature[] }).features);
    });
    p.catch(() => kept.delete(level));
    kept.set(level, p);
  }
  return p;
}

export interface Layout {
  width: number;
  height: number;
  /** Degrees to pixels. */
  at(lon: number, lat: number): [number, number];
}
/** North up, a degree of longitude shortened by the latitude, the whole of it inside the box with a margin. */
export function layout(shapes: readonly AreaShape[], width: number, most: number, margin = 6): Layout | null {
  let [w, s, e, n] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const shape of shapes) {
    for (const ring of shape.rings) {
      for (const [x, y] of ring) {
        w = Math.min(w, x);
        e = Math.max(e, x);
        s = Math.min(s, y);
        n = Math.max(n, y);
      }
    }
  }
  if (!(e > w) || !(n > s)) return null;
  const squeeze = Math.cos((((s + n) / 2) * Math.PI) / 180);
  const wide = (e - w) * squeeze;
  const scale = Math.min((width - 2 * margin) / wide, (most - 2 * margin) / (n - s));
  const height = Math.round((n - s) * scale + 2 * margin);
  const left = (width - wide * scale) / 2;
  return { width, height, at: (lon, lat) => [left + (lon - w) * squeeze * scale, margin + (n - lat) * scale] };
}
/** An SVG path of all rings, to a tenth of a pixel. */
export function pathOf(shape: AreaShape, l: Layout): string {
  const text = (v: number): string => String(Math.round(v * 10) / 10);
  return shape.rings
    .map((ring) => 'M' + ring.slice(0, -1).map(([x, y]) => l.at(x, y).map(text).join(' ')).join('L') + 'Z')
    .join('');
}
/** How wide a text may be at the label point, in pixels: the stretch of the parallel inside the shape. */
export function roomAt(shape: AreaShape, l: Layout): number {
  if (!shape.label) return 0;
  const [cx, cy] = l.at(shape.label[0], shape.label[1]);
  let left = -Infinity;
  let right = Infinity;
  for (const ring of shape.rings) {
    for (let i = 0; i + 1 < ring.length; i++) {
      const [ax, ay] = l.at(ring[i][0], ring[i][1]);
      const [bx, by] = l.at(ring[i + 1][0], ring[i + 1][1]);
      if (ay <= cy === by <= cy) continue;
      const x = ax + ((cy - ay) / (by - ay)) * (bx - ax);
      if (x <= cx) left = Math.max(left, x);
      else right = Math.min(right, x);
    }
  }
  return right - left < Infinity ? 2 * Math.min(right - cx, cx - left) : 0;
}
