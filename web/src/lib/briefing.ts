/** Briefings: the shapes of the replies, and what is reckoned from them for a screen. Pure. */
import type { Band, HistoryPoint, ValueState, WhyStep } from './measure';
import type { Text } from './types';

export type BriefingState = 'draft' | 'signed' | 'withdrawn';
export interface BriefingItem {
  id: number;
  kind: 'day' | 'ten_day' | 'month';
  period: string;
  index: string;
  area: string;
  name: string;
  name_en?: string | null;
  title: Text;
  sentence: Text;
  data_seq: number;
  hash: string;
  state: BriefingState;
  formed_by: string;
  formed_at: string;
  signed_by: string | null;
  signed_at: string | null;
  note: string | null;
}
export interface BriefingList {
  items: BriefingItem[];
  next: number | null;
}
export interface BriefingStep {
  node: string;
  title: Text;
  change: number;
  raw: number | null;
  raw_before: number | null;
  state: ValueState;
  unit: Text;
}
export interface BriefingArea {
  area: string;
  name: string;
  name_en?: string | null;
  value: number | null;
  before: number | null;
  change: number | null;
  band: string | null;
  too_small: boolean;
  /** Only where it is told apart from the ranks beside it. */
  rank: number | null;
  rank_low?: number;
  rank_high?: number;
}
export interface BriefingWarning {
  code: string;
  title: Text;
  color: 'red' | 'orange' | 'yellow' | 'blue';
  area: string | null;
  name: string | null;
  name_en?: string | null;
  raised: string;
  state: Text;
  outcome: 'open' | 'closed' | 'false';
  days: number;
  overdue: boolean;
}
export interface BriefingUnit {
  unit: string;
  name: string;
  name_en?: string | null;
  open: number;
  overdue: number;
  longest_days: number;
}
export interface BriefingRisk {
  kind: 'indicator' | 'warning' | 'class' | 'late';
  text: Text;
  node?: string;
  code?: string;
}
export interface BriefingShape {
  area: string;
  label: [number, number];
  rings: number[][];
}
interface Sentences {
  sentences: Text[];
}
export interface BriefingDocument {
  format: number;
  title: Text;
  period: string;
  period_title: Text;
  before_title: Text;
  invented: boolean;
  data_seq: number;
  data_at: string;
  as_of: string;
  level: string;
  index: { index: string; title: Text; stands_for: Text; version: number; bands: Band[] };
  head: Sentences & { value: number | null; before: number | null; change: number | null; band: string | null; too_small: boolean; shared: boolean };
  moved: Sentences & { steps: BriefingStep[]; rest: number; n_rest: number };
  trend: HistoryPoint[];
  areas: (Sentences & { level: string; ranked: number; items: BriefingArea[] }) | null;
  warnings: Sentences & { items: BriefingWarning[] };
  supervision: Sentences & { units: BriefingUnit[] };
  risks: BriefingRisk[];
  done: Sentences;
  quality: Sentences & { restated: { period: string; value: number | null; times: number; note: string | null }[] };
  map: { width: number; height: number; areas: BriefingShape[] } | null;
}
export interface Briefing extends BriefingItem {
  may_sign: boolean;
  document: BriefingDocument;
}

/** Steps as the waterfall plot takes them, what is told together as the last. */
export function steps(moved: BriefingDocument['moved'], before: number): WhyStep[] {
  const none: Text = { en: '', zh: '' };
  const all = moved.steps.map((s) => ({ node: s.node, title: s.title, change: s.change, why: 'indicator' as const }));
  let at = before;
  return [...all, ...(moved.n_rest ? [{ node: '', title: none, change: moved.rest, why: 'rest' as const }] : [])].map((s) => {
    const from = at;
    at += s.change;
    return { ...s, from, to: at };
  });
}
export const hasValues = (list: readonly { value: number | null }[] | null | undefined): boolean => Boolean(list?.some((x) => x.value !== null));
/** The ring of a shape as an SVG path; even-odd filling leaves its holes open. */
export function path(shape: BriefingShape): string {
  return shape.rings
    .filter((r) => r.length >= 6)
    .map((r) => {
      let d = '';
      for (let i = 0; i + 1 < r.length; i += 2) d += `${i ? 'L' : 'M'}${r[i]} ${r[i + 1]}`;
      return d + 'Z';
    })
    .join('');
}
/** Drafts first, since they wait for somebody; then what was signed; what was withdrawn last. */
export function sections(items: readonly BriefingItem[]): { state: BriefingState; items: BriefingItem[] }[] {
  return (['draft', 'signed', 'withdrawn'] as const).map((state) => ({ state, items: items.filter((x) => x.state === state) })).filter((x) => x.items.length > 0);
}
