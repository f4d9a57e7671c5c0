/** What the public page says of signed-off values. Pure. */
import { groupPoints, type GroupPoints, type HistoryPoint, type IndexNode, type PublicArea, type PublicValues } from './measure';
import { firstDay, formatPeriod, parsePeriod, stepPeriod } from './period';

export interface Subject extends GroupPoints {
  /** Points more or fewer than in the period before; null where that one does not tell. */
  change: number | null;
}
/** The subjects of an area, those that cost most points first, each with what changed since the period before. */
export function subjects(now: PublicArea | null, before: PublicArea | null, groups: readonly IndexNode[]): Subject[] {
  if (!now?.parts_told) return [];
  const was = new Map(before?.parts_told ? groupPoints(before.parts, groups).map((g) => [g.node, g]) : []);
  return groupPoints(now.parts, groups).map((g) => {
    const b = was.get(g.node);
    // Another set of subjects carries other weights: points do not compare then.
    return { ...g, change: b && Math.abs(b.of - g.of) < 1e-6 ? g.points - b.points : null };
  });
}
/** The signed periods of one area as a row without holes: one that was never signed off stays empty. */
export function historyOf(series: readonly PublicValues[], area: string): HistoryPoint[] {
  const first = parsePeriod(series[series.length - 1]?.period ?? '');
  const last = parsePeriod(series[0]?.period ?? '');
  const out: HistoryPoint[] = [];
  for (let p = first; p && last && firstDay(p) <= firstDay(last); p = stepPeriod(p, 1)) {
    const text = formatPeriod(p);
    const v = series.find((s) => s.period === text);
    const x = v?.areas.find((a) => a.area === area);
    out.push({ period: text, value: x?.value ?? null, band: x?.band ?? null, too_small: x?.too_small, restated: v?.note ? 1 : 0 });
  }
  return out;
}
export interface Turn {
  better: string[];
  worse: string[];
  same: string[];
}
/** Areas by whether they stand better or worse than in the period before, by more than `by` points. */
export function turned(now: readonly PublicArea[], before: readonly PublicArea[], by = 1): Turn {
  const was = new Map(before.map((a) => [a.area, a]));
  const out: Turn = { better: [], worse: [], same: [] };
  for (const a of now) {
    const b = was.get(a.area);
    if (a.value === null || a.too_small || !b || b.value === null || b.too_small) continue;
    const c = a.value - b.value;
    (c > by ? out.better : c < -by ? out.worse : out.same).push(a.area);
  }
  return out;
}
