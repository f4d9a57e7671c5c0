/** What a back-test says, in the order and the numbers that a person reads. Pure. */
import type { Text } from './types';

export interface BacktestRow {
  kind: 'last_count' | 'population' | 'indicator';
  indicator: string | null;
  title?: Text;
  judged: boolean;
  why_not: string | null;
  rows_fitted: number;
  rows_judged: number;
  coefficient: number | null;
  auc: number | null;
  brier: number | null;
  calibration_slope: number | null;
  baseline_auc: number | null;
  p: number | null;
  gain: number | null;
  gain_p: number | null;
  better: boolean;
}
export interface Backtest {
  index: string;
  version: number;
  outcome: string;
  outcome_title: Text;
  level: string;
  areas: number;
  months: number;
  months_fitted: number;
  first: string;
  last_fitted: string;
  last: string;
  rows: number;
  events: number;
  verdict: 'too_little' | 'none_better' | 'some_better';
  items: BacktestRow[];
}
/** Baselines first, then indicators by how well they told the areas apart; what could not be judged comes last. */
export function foresaw(rows: readonly BacktestRow[]): BacktestRow[] {
  const place = (r: BacktestRow): number => (r.kind !== 'indicator' ? 0 : r.judged ? 1 : 2);
  return [...rows].sort((a, b) => place(a) - place(b) || (b.auc ?? 0) - (a.auc ?? 0));
}
/** Of a hundred pairs of a place with and one without serious cases, in how many the right one was thought the likelier. */
export function hits(auc: number | null): string {
  return auc === null ? '–' : String(Math.round(auc * 100));
}
