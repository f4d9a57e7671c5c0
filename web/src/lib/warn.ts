/** Warnings and supervision: the shapes of the replies, and what is reckoned from them for a screen. Pure. */
import type { Light, Text } from './types';

export type Color = 'red' | 'orange' | 'yellow' | 'blue';
/** Most severe first. */
export const COLORS: readonly Color[] = ['red', 'orange', 'yellow', 'blue'];
/** In the order in which a warning goes through them. */
export const OPEN_STATES = ['raised', 'acknowledged', 'studied', 'measured', 'evidenced', 'verified'] as const;
export const CLOSED_STATES = ['closed', 'false', 'joined'] as const;
export type Level = 'notice' | 'letter' | 'check';
export const LEVELS: readonly Level[] = ['notice', 'letter', 'check'];

export interface RuleRef {
  name: string;
  title: Text;
}
export interface Warning {
  code: string;
  title: Text | string;
  state: string;
  state_title?: Text;
  color: Color;
  rules: RuleRef[];
  raised: string;
  last: string;
  area: string | null;
  area_name?: Text | string | null;
  lon: number | null;
  lat: number | null;
  radius_m: number | null;
  observed: number | null;
  expected: number | null;
  holds: boolean;
  due_at?: string | null;
  light?: Light;
  holder_kind?: string | null;
  unit?: string | null;
  unit_name?: Text | string | null;
  supervision: { code: string; level: Level | number } | null;
  n_cases?: number;
  version: number;
}
export interface Signal {
  rule: string;
  title: Text;
  color: Color;
  level: string;
  method: string;
  day: string;
  from: string;
  class?: string | null;
  class_title?: Text;
  group?: string | null;
  band?: string | null;
  /** Figures: for so many periods in a row. */
  periods?: number;
  places?: string[];
  lon?: number | null;
  lat?: number | null;
  radius_m?: number | null;
  observed: number;
  expected: number | null;
  p?: number | null;
  recurrence_days?: number | null;
  held?: Record<string, number>;
  cases?: string[];
  n_cases?: number;
}
export interface SeriesDay {
  day: string;
  observed: number;
  expected: number | null;
  upper: number | null;
}
export interface WarnCase {
  code: string;
  class: string;
  title?: Text | string | null;
  state: string;
  state_title?: Text;
  opened_at: string;
  lon: number | null;
  lat: number | null;
}
export interface LikePlace {
  area: string;
  name: Text | string;
  observed: number;
  expected: number | null;
  rate: number | null;
}
export interface Past {
  code: string;
  raised: string;
  outcome: string;
}
export interface WarningOne extends Omit<Warning, 'n_cases'> {
  finding?: string | null;
  measures?: string | null;
  signals: Signal[];
  held: Record<string, number>;
  series: SeriesDay[];
  cases: WarnCase[];
  n_cases: number;
  similar: LikePlace[];
  supervisions: Supervision[];
  past: Past[];
}
export interface Supervision {
  code: string;
  about: string;
  about_title?: Text | string;
  about_process?: string;
  level: Level | number;
  level_title?: Text;
  unit: string | null;
  unit_name?: Text | string | null;
  text?: string | null;
  answer?: string | null;
  opened_at: string;
  due_at: string | null;
  light?: Light;
  state: string;
  state_title?: Text;
  waited_days: number;
  version: number;
}
export interface Quality {
  raised: number;
  closed: number;
  false: number;
  open: number;
  false_share: number | null;
  lead_days_median: number | null;
  delay_days_median?: number | null;
  acknowledge_hours_median?: number | null;
  acted_share: number | null;
}
export interface WarnRule {
  name: string;
  title: Text;
  color: Color;
  method: string;
  level: string;
  off: boolean;
  file: string | null;
  source: 'pack' | 'page';
  by?: string | null;
  at?: string | null;
  yaml: string;
  pack_yaml?: string | null;
  quality: Quality | null;
}

/** Number of the level in practice: 1 notice, 2 letter, 3 three-level check; the server may send either. */
export function levelName(level: Level | number | string): Level {
  if (typeof level === 'number') return LEVELS[Math.min(Math.max(Math.trunc(level), 1), 3) - 1];
  return (LEVELS as readonly string[]).includes(level) ? (level as Level) : 'notice';
}
const severity = (c: string): number => {
  const i = COLORS.indexOf(c as Color);
  return i < 0 ? COLORS.length : i;
};
const time = (iso: string | null | undefined): number => (iso ? new Date(iso).getTime() : Number.POSITIVE_INFINITY);

/** What waits for this person first, then the most severe colour, then the nearest limit, then the newest. */
export function byNeed<T extends Pick<Warning, 'code' | 'color' | 'due_at' | 'raised'>>(items: readonly T[], mine: ReadonlySet<string>): T[] {
  return [...items].sort(
    (a, b) =>
      Number(mine.has(b.code)) - Number(mine.has(a.code)) ||
      severity(a.color) - severity(b.color) ||
      (time(a.due_at) === time(b.due_at) ? 0 : time(a.due_at) - time(b.due_at)) ||
      b.raised.localeCompare(a.raised) ||
      a.code.localeCompare(b.code),
  );
}
export interface Column<T> {
  state: string;
  items: T[];
}
/** One column a state in the order of the process; states that a process does not name come last, so that nothing is lost. */
export function columns<T extends { state: string }>(items: readonly T[], order: readonly string[]): Column<T>[] {
  const known = order.map((state) => ({ state, items: items.filter((x) => x.state === state) }));
  const other = Array.from(new Set(items.map((x) => x.state))).filter((s) => !order.includes(s));
  return [...known, ...other.map((state) => ({ state, items: items.filter((x) => x.state === state) }))];
}

/** Whole days from one local day to another; the day itself is one. */
export function daysOf(from: string, day: string): number {
  const n = Math.round((Date.parse(day.slice(0, 10)) - Date.parse(from.slice(0, 10))) / 86_400_000) + 1;
  return Number.isFinite(n) ? Math.max(1, n) : 1;
}
/** Beyond this many years a number would say more than a method knows. */
const MOST_YEARS = 100;
/** How rare chance makes it: unit and count for "once in 4 years". Null when the method cannot say. */
export function rarity(days: number | null | undefined): { unit: 'days' | 'months' | 'years' | 'rarer'; n: number } | null {
  if (days === null || days === undefined || !(days > 0)) return null;
  if (days < 60) return { unit: 'days', n: Math.max(1, Math.round(days)) };
  if (days < 730) return { unit: 'months', n: Math.round(days / 30.44) };
  const years = Math.round(days / 365.25);
  return years > MOST_YEARS ? { unit: 'rarer', n: MOST_YEARS } : { unit: 'years', n: years };
}
/** An expected number as a person says it: a whole one, under one as "fewer than 1". */
export function about(expected: number | null | undefined): { key: 'less' | 'about'; n: number } | null {
  if (expected === null || expected === undefined || !Number.isFinite(expected)) return null;
  return expected < 0.75 ? { key: 'less', n: 1 } : { key: 'about', n: Math.round(expected) };
}
/** Radius in steps that a person paces out: 0 for a point, else tens of metres below 500 and fifties above. */
export function roundRadius(m: number): number {
  if (!(m > 0)) return 0;
  const step = m < 500 ? 10 : 50;
  return Math.max(step, Math.round(m / step) * step);
}
export type SawShape = 'silence' | 'circle' | 'place' | 'city' | 'band' | 'late' | 'figure';
/** Which sentence fits a signal. */
export function sawShape(s: Pick<Signal, 'method' | 'level' | 'radius_m' | 'places' | 'lon'>): SawShape {
  if (s.method === 'silence') return 'silence';
  if (s.method === 'index_color') return 'band';
  if (s.method === 'overdue_share') return 'late';
  if (s.method === 'indicator') return 'figure';
  if (s.method === 'scan' && s.lon !== null && s.lon !== undefined) return 'circle';
  if (s.level === 'city') return 'city';
  if (s.places?.length) return 'place';
  return s.lon !== null && s.lon !== undefined ? 'circle' : 'city';
}
/** Class titles stand inside a sentence in English: "Street tree" becomes "street tree", "EV charging" stays. */
export function inSentence(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? title[0].toLowerCase() + title.slice(1) : title;
}

/** Signals most telling first: severe colour, then rare, then many. */
export function strongest(signals: readonly Signal[]): Signal[] {
  return [...signals].sort(
    (a, b) => severity(a.color) - severity(b.color) || (b.recurrence_days ?? 0) - (a.recurrence_days ?? 0) || b.observed - a.observed || a.rule.localeCompare(b.rule),
  );
}
/** One entry a rule: the strongest of its last day. */
export function lastByRule(signals: readonly Signal[]): Signal[] {
  const out = new Map<string, Signal>();
  for (const s of strongest(signals)) {
    const old = out.get(s.rule);
    if (!old || s.day > old.day) out.set(s.rule, s);
  }
  return strongest(Array.from(out.values()));
}
/** What the guards removed, largest first; "kept" is none of them. */
export function heldRows(held: Record<string, number> | null | undefined): { guard: string; n: number }[] {
  return Object.entries(held ?? {})
    .filter(([guard, n]) => guard !== 'kept' && n > 0)
    .map(([guard, n]) => ({ guard, n }))
    .sort((a, b) => b.n - a.n || a.guard.localeCompare(b.guard));
}

export interface UnitGroup {
  unit: string;
  name: Text | string | null;
  items: Supervision[];
  overdue: number;
}
/** Whether a limit has passed. */
export function isOver(due: string | null | undefined, now: number): boolean {
  return due !== null && due !== undefined && new Date(due).getTime() < now;
}
/** Supervision by the unit that owes it: units with overdue ones first, in each the nearest limit first; without a unit last. */
export function byUnit(items: readonly Supervision[], now: number): UnitGroup[] {
  const groups = new Map<string, UnitGroup>();
  for (const s of items) {
    const g = groups.get(s.unit ?? '') ?? { unit: s.unit ?? '', name: s.unit_name ?? null, items: [], overdue: 0 };
    g.items.push(s);
    if (isOver(s.due_at, now)) g.overdue += 1;
    groups.set(g.unit, g);
  }
  for (const g of groups.values()) g.items.sort((a, b) => (time(a.due_at) === time(b.due_at) ? a.code.localeCompare(b.code) : time(a.due_at) - time(b.due_at)));
  return Array.from(groups.values()).sort(
    (a, b) => b.overdue - a.overdue || Number(a.unit === '') - Number(b.unit === '') || (time(a.items[0].due_at) === time(b.items[0].due_at) ? a.unit.localeCompare(b.unit) : time(a.items[0].due_at) - time(b.items[0].due_at)),
  );
}

/** Ended warnings (closed or called false) below which shares of a rule say nothing. */
export const ENOUGH_CLOSED = 10;
export function enoughClosed(q: Quality | null | undefined): boolean {
  return (q?.closed ?? 0) + (q?.false ?? 0) >= ENOUGH_CLOSED;
}

/** A circle as a ring of the map, metres to degrees at its latitude. */
export function ring(lon: number, lat: number, radius_m: number, corners = 64): [number, number][] {
  const dLat = radius_m / 111_320;
  const dLon = dLat / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
  const out: [number, number][] = [];
  for (let i = 0; i <= corners; i++) {
    const a = ((i % corners) * 2 * Math.PI) / corners;
    out.push([lon + dLon * Math.cos(a), lat + dLat * Math.sin(a)]);
  }
  return out;
}
/** The box around circle and points, for the first view of the map; null when there is nothing to show. */
export function boxOf(points: readonly (readonly [number, number])[]): [number, number, number, number] | null {
  if (!points.length) return null;
  const lons = points.map((p) => p[0]);
  const lats = points.map((p) => p[1]);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** Steps of an axis of counts from 0: at most five, whole numbers. */
export function countTicks(top: number): number[] {
  const high = Math.max(1, Math.ceil(top));
  const raw = high / 4;
  const size = Math.pow(10, Math.floor(Math.log10(Math.max(1, raw))));
  const step = Math.max(1, [1, 2, 5, 10].map((k) => k * size).find((s) => s >= raw) ?? 1);
  const out: number[] = [];
  for (let v = 0; v < high + step; v += step) out.push(v);
  return out;
}
/** Days on which more came than the band allows. */
export function overBand(series: readonly SeriesDay[]): SeriesDay[] {
  return series.filter((d) => d.upper !== null && d.observed > d.upper);
}
