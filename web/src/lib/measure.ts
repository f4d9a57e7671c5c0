/** Index values: the shapes of the replies, and what is reckoned from them for a screen. Pure. */
import type { Text } from './types';

export interface Band {
  band: string;
  title: Text;
  color: string;
  severity: number;
  from: number;
}
export interface IndexNode {
  node: string;
  title: Text;
  group: string | null;
  weight: number;
  indicator: boolean;
}
export interface IndexDef {
  index: string;
  title: Text;
  stands_for: Text;
  version: number;
  valid_from: string;
  formula_hash: string;
  levels: string[];
  periods: string[];
  bands: Band[];
  nodes: IndexNode[];
  /** What is signed off; only the public list tells it. */
  published?: { period: string; level: string }[];
}
export type ValueState = 'ok' | 'no_cases' | 'no_data' | 'too_small' | 'below_floor';
export interface Part {
  node: string;
  title: Text;
  group: string | null;
  weight: number;
  value: number | null;
  part: number | null;
  raw?: number | null;
  numerator?: number | null;
  denominator?: number | null;
  state?: ValueState;
}
export interface AreaValue {
  area: string;
  name: string;
  name_en?: string | null;
  value: number | null;
  band: string | null;
  rank: number | null;
  rank_low?: number;
  rank_high?: number;
  above_next?: number;
  too_small: boolean;
  /** In whole points, since something below it may not be told. */
  rounded?: boolean;
  parts: Part[];
}
export interface IndexValues {
  index: string;
  title: Text;
  stands_for: Text;
  version: number;
  period: string;
  level: string;
  data_seq: number;
  today: string;
  state: 'provisional' | 'frozen' | 'published' | 'what_if';
  /** Of the copy that is kept; another than `hash` when late data came since. */
  frozen_hash?: string | null;
  formula_hash: string;
  hash: string;
  draws: number;
  bands: Band[];
  areas: AreaValue[];
}
export interface Moved {
  node: string;
  title: Text;
  group: string | null;
  weight: number;
  part: number | null;
  before: number | null;
  change: number | null;
  /** How the weights of its children are had, when not given. */
  weights_by?: string;
  raw?: number | null;
  raw_before?: number | null;
  state?: ValueState;
  unit?: Text;
}
/** Why an index moved, in parts that add up to `to - from`. */
export interface Moves {
  from: number;
  to: number;
  /** Something below may not be told: all of it in whole points. */
  rounded: boolean;
  restatement: number;
  fell_out: number;
  came_in: number;
  indicators: number;
  denominators: number;
  formula: number;
  version_from: number;
  version_to: number;
  by: { node: string; title: Text; told: boolean; indicator: number | null; denominator: number | null; formula: number | null; entered: number | null }[];
}
export interface HistoryPoint {
  period: string;
  /** Where the value lies in 90 % of the draws of what is in doubt. */
  low?: number | null;
  high?: number | null;
  /** Formula version; another than its neighbour's does not compare. */
  version?: number;
  value: number | null;
  band: string | null;
  too_small?: boolean;
  frozen?: number | null;
  restated?: number;
}
export interface IndexArea {
  index: string;
  title: Text;
  area: string;
  name: string;
  name_en?: string | null;
  period: string;
  level: string;
  data_seq: number;
  value: number | null;
  before: number | null;
  rank: number;
  too_small: boolean;
  /** Told in whole points, since something below it may not be told. */
  rounded?: boolean;
  /** The next longer period in which the area can be told. */
  longer_period?: string | null;
  version?: number;
  bands: Band[];
  parts: Moved[];
  moved?: Moves | null;
  history: HistoryPoint[];
}
export interface Indicator {
  indicator: string;
  title: Text;
  explain: Text;
  unit: Text;
  pack: string;
  measure: string;
  basis: string;
  direction: 'more_is_worse' | 'neither' | 'more_is_better';
  moves_with_reporting: boolean;
  guarded: boolean;
  enough: number;
  owner: string | null;
  lag_days: number;
  version: number;
  type: string | null;
  filter: string | null;
  part: string | null;
  time: string | null;
  of: string | null;
  to: string | null;
  per: number;
  terms: { indicator: string; weight: number }[];
  history: { version: number; from: string; note: string | null }[];
}
export interface IndicatorValues {
  indicator: string;
  title: Text;
  unit: Text;
  basis: string;
  period: string;
  level: string;
  data_seq: number;
  areas: { area: string; name: string; name_en?: string | null; state: ValueState; value: number | null; numerator: number | null; denominator: number | null; shrunk?: number | null; effort?: number | null }[];
}
export interface PublicArea {
  area: string;
  value: number | null;
  band: string | null;
  too_small: boolean;
  rank_low?: number;
  rank_high?: number;
  parts_told: boolean;
  parts: { node: string; part: number | null }[];
}
export interface PublicValues {
  index: string;
  title: Text;
  stands_for: Text;
  period: string;
  level: string;
  data_seq: number;
  hash: string;
  note: string | null;
  published_at: string;
  bands: Band[];
  areas: PublicArea[];
}

/** Below this share of draws two neighbours in a ranking are not told apart. */
export const TOLD_APART = 0.9;

const one = (v: number, digits: number): string => {
  const s = Math.abs(v).toFixed(digits);
  return Number(s) === 0 ? s : (v < 0 ? '−' : '') + s;
};
/** "92.1"; a dash for nothing. */
export function num(v: number | null | undefined, digits = 1): string {
  return v === null || v === undefined ? '–' : one(v, digits);
}
/** A value of an index: "92.1", and "92" where the server tells whole points only, since something below may not be told. */
export function score(v: number | null | undefined): string {
  return num(v, typeof v === 'number' && Number.isInteger(v) ? 0 : 1);
}
/** "+1.2", "−0.4", "0.0". */
export function signed(v: number | null | undefined, digits = 1): string {
  if (v === null || v === undefined) return '–';
  const s = one(v, digits);
  return v > 0 && Number(s) !== 0 ? '+' + s : s;
}
/** The difference of two values of an index: "+1.2"; "+1" where both are told in whole points only. */
export function difference(now: number, was: number): string {
  return signed(now - was, Number.isInteger(now) && Number.isInteger(was) ? 0 : 1);
}
/** A measured value with as many places as say something: 12345, 88.7, 0.32. */
export function figure(v: number | null | undefined): string {
  if (v === null || v === undefined) return '–';
  const size = Math.abs(v);
  return one(v, Number.isInteger(v) ? 0 : size >= 100 ? 0 : size >= 1 ? 1 : 2);
}
/** What a value was formed from: "93 ÷ 99". A figure from outside was divided by nobody here: its denominator is only the base that it rests on. */
export function formedFrom(measure: string | undefined, numerator: number | null | undefined, denominator: number | null | undefined): { text: string; base: boolean } {
  if (numerator === null || numerator === undefined) return { text: '', base: false };
  if (denominator === null || denominator === undefined) return { text: figure(numerator), base: false };
  return measure === 'figure' ? { text: figure(denominator), base: true } : { text: `${figure(numerator)} ÷ ${figure(denominator)}`, base: false };
}
/** Cases of the city lie behind it: itself or something that it is formed of counts them. */
export function countsCases(i: Indicator, all: readonly Indicator[], depth = 0): boolean {
  const parts = [i.of, i.to, ...i.terms.map((x) => x.indicator)].filter((x): x is string => Boolean(x));
  if (!parts.length) return i.measure !== 'figure';
  return depth < 8 && parts.some((name) => all.some((x) => x.indicator === name && countsCases(x, all, depth + 1)));
}
export function areaName(a: { name: string; name_en?: string | null }, locale: string): string {
  return locale === 'en' ? a.name_en || a.name : a.name;
}
export function bandOf(bands: readonly Band[], name: string | null): Band | null {
  return bands.find((b) => b.band === name) ?? null;
}
/** Some colour is another than the value alone would give: it holds until the value is well beyond the border. */
export function holds(bands: readonly Band[], areas: readonly { value: number | null; band: string | null }[]): boolean {
  const order = [...bands].sort((a, b) => b.from - a.from);
  return areas.some((a) => a.value !== null && a.band !== null && (order.find((b) => a.value! >= b.from) ?? order[order.length - 1])?.band !== a.band);
}
/** The index that is shown first: the one with the most indicators is the broad one. */
export function firstIndex<T extends { nodes: { indicator: boolean }[] }>(list: readonly T[]): T | null {
  const size = (d: T): number => d.nodes.filter((n) => n.indicator).length;
  return list.reduce<T | null>((best, d) => (best === null || size(d) > size(best) ? d : best), null);
}
/** Why an area has no score: how many indicators miss a value, by reason. */
export function missing(parts: readonly Part[]): { state: ValueState; n: number }[] {
  const states: ValueState[] = ['no_data', 'no_cases', 'too_small', 'below_floor'];
  return states.map((state) => ({ state, n: parts.filter((p) => p.state === state).length })).filter((x) => x.n > 0);
}

export interface Step {
  node: string;
  title: Text;
  change: number;
  from: number;
  to: number;
}
export type Why = 'restatement' | 'indicator' | 'denominator' | 'fell_out' | 'came_in' | 'formula' | 'rest';
export interface WhyStep extends Step {
  why: Why;
}
/**
 * The change as steps from the earlier value to the later: late data first, then indicators by size, what they are divided by, what fell
 * out or came in, and the formula. What is under half a tenth, and what may not be told, comes together as the rest.
 */
export function whySteps(m: Moves): WhyStep[] {
  const none: Text = { en: '', zh: '' };
  const raw: { node: string; title: Text; change: number; why: Why }[] = [];
  raw.push({ node: '', title: none, change: m.restatement, why: 'restatement' });
  const leaves = m.by.filter((x) => x.told);
  for (const x of [...leaves].sort((a, b) => Math.abs(b.indicator ?? 0) - Math.abs(a.indicator ?? 0))) raw.push({ node: x.node, title: x.title, change: x.indicator ?? 0, why: 'indicator' });
  for (const x of [...leaves].sort((a, b) => Math.abs(b.denominator ?? 0) - Math.abs(a.denominator ?? 0))) raw.push({ node: x.node, title: x.title, change: x.denominator ?? 0, why: 'denominator' });
  if (!leaves.length) raw.push({ node: '', title: none, change: m.indicators, why: 'indicator' }, { node: '', title: none, change: m.denominators, why: 'denominator' });
  raw.push({ node: '', title: none, change: m.fell_out, why: 'fell_out' }, { node: '', title: none, change: m.came_in, why: 'came_in' }, { node: '', title: none, change: m.formula, why: 'formula' });
  let at = m.from;
  const steps = raw.filter((x) => Math.abs(x.change) >= 0.05).map((x) => {
    const from = at;
    at += x.change;
    return { ...x, from, to: at };
  });
  const rest = m.to - at;
  if (Math.abs(rest) >= 0.005) steps.push({ node: '', title: none, change: rest, why: 'rest', from: at, to: m.to });
  return steps;
}
/** The same where only the change of each indicator is known. */
export function partSteps(parts: readonly Moved[], before: number, now: number): WhyStep[] {
  const by = parts.filter((p) => p.state !== undefined && p.change !== null).map((p) => ({ node: p.node, title: p.title, told: true, indicator: p.change, denominator: 0, formula: 0, entered: 0 }));
  return whySteps({ from: before, to: now, rounded: false, restatement: 0, fell_out: 0, came_in: 0, indicators: 0, denominators: 0, formula: 0, version_from: 0, version_to: 0, by });
}
/** The stretch of the scale that a plot shows: whole tens around the values, at least twenty wide. */
export function stretch(values: readonly (number | null)[]): [number, number] {
  const v = values.filter((x): x is number => x !== null);
  if (!v.length) return [0, 100];
  let low = Math.max(0, Math.floor((Math.min(...v) - 2) / 10) * 10);
  let high = Math.min(100, Math.ceil((Math.max(...v) + 2) / 10) * 10);
  if (high - low < 20) low = Math.max(0, high - 20);
  if (high - low < 20) high = Math.min(100, low + 20);
  return [low, high];
}

export interface Tier {
  low: number;
  high: number;
  areas: string[];
}
/** Areas in tiers: within one the bands of their ranks overlap, so that they are not told apart. */
export function tiers(areas: readonly { area: string; rank_low?: number; rank_high?: number }[]): Tier[] {
  const ranked = areas.filter((a) => a.rank_low !== undefined && a.rank_high !== undefined).sort((a, b) => (a.rank_low ?? 0) - (b.rank_low ?? 0) || (a.rank_high ?? 0) - (b.rank_high ?? 0));
  const out: Tier[] = [];
  for (const a of ranked) {
    const last = out[out.length - 1];
    if (last && (a.rank_low ?? 0) <= last.high) {
      last.areas.push(a.area);
      last.high = Math.max(last.high, a.rank_high ?? 0);
    } else out.push({ low: a.rank_low ?? 0, high: a.rank_high ?? 0, areas: [a.area] });
  }
  return out;
}
export interface GroupPoints {
  node: string;
  points: number;
  of: number;
}
/** Points that each group brings, and how many it could, largest loss first. Groups without a value carry no weight. */
export function groupPoints(parts: readonly { node: string; part: number | null }[], nodes: readonly IndexNode[]): GroupPoints[] {
  const weight = new Map(nodes.map((n) => [n.node, n.weight]));
  const told = parts.filter((p) => p.part !== null && weight.has(p.node));
  const sum = told.reduce((s, p) => s + (weight.get(p.node) ?? 0), 0);
  if (!(sum > 0)) return [];
  return told
    .map((p) => ({ node: p.node, points: p.part ?? 0, of: (100 * (weight.get(p.node) ?? 0)) / sum }))
    .sort((a, b) => b.of - b.points - (a.of - a.points));
}
/** Fields with a comma, quote or line break are quoted; what a spreadsheet would take for a formula is led by a quote mark. */
export function csv(rows: readonly (string | number | null)[][]): string {
  const cell = (v: string | number | null): string => {
    if (v === null) return '';
    const s = typeof v === 'string' && /^[=+\-@\t]/.test(v) ? `'${v}` : String(v);
    return /[",\r\n]/.test(s) ? `"${s.replace(/"/g, '""')}"` : s;
  };
  return '\ufeff' + rows.map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n';
}
