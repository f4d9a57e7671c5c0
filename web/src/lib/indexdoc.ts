/** The text of an index as an outline that a person edits, and back. Pure. */
import type { Indicator } from './measure';
import type { Text } from './types';

export interface DocNode {
  /** Of this page only: rows keep their identity while they move. */
  id: number;
  kind: 'group' | 'indicator';
  name: string;
  title: Text;
  weight: number;
  low: number;
  high: number;
  /** Pairwise judgements over the children in their order; they give the weights. */
  ahp: number[][] | null;
  children: DocNode[];
}
export interface DocBand {
  id: number;
  band: string;
  title: Text;
  color: string;
  severity: number;
  from: number;
}
export type Mean = 'arithmetic' | 'geometric' | 'harmonic';
export const MEANS: readonly Mean[] = ['arithmetic', 'geometric', 'harmonic'];
export interface IndexDoc {
  index: string;
  title: Text;
  stands_for: Text;
  version: number;
  valid_from: string;
  levels: string[];
  periods: string[];
  missing: number;
  hysteresis: number;
  doubt_weights: number;
  doubt_means: Mean[];
  /** From the bottom up; the last holds for all levels above. */
  means: Mean[];
  bands: DocBand[];
  root: DocNode;
}

let last = 0;
export const newId = (): number => ++last;

type Raw = Record<string, unknown>;
const list = (v: unknown): Raw[] => (Array.isArray(v) ? (v as Raw[]) : []);
const text = (v: unknown): Text => {
  const t = (typeof v === 'object' && v ? v : {}) as Partial<Text>;
  return typeof v === 'string' ? { en: v, zh: v } : { en: String(t.en ?? ''), zh: String(t.zh ?? '') };
};
const number = (v: unknown, other: number): number => (typeof v === 'number' && Number.isFinite(v) ? v : other);
const mean = (v: unknown): Mean => (MEANS.includes(v as Mean) ? (v as Mean) : 'arithmetic');

function nodeOf(v: Raw, kind: DocNode['kind']): DocNode {
  const children = kind === 'group' ? [...list(v.indicators).map((x) => nodeOf(x, 'indicator')), ...list(v.groups).map((x) => nodeOf(x, 'group'))] : [];
  return {
    id: newId(),
    kind,
    name: String(v[kind] ?? ''),
    title: text(v.title),
    weight: number(v.weight, 1),
    low: number(v.low, NaN),
    high: number(v.high, NaN),
    ahp: Array.isArray(v.ahp) && v.ahp.length === children.length ? (v.ahp as number[][]) : null,
    children,
  };
}
/** What the server read from the text. */
export function readDoc(v: Raw): IndexDoc {
  const doubt = (v.doubt ?? {}) as Raw;
  return {
    index: String(v.index ?? ''),
    title: text(v.title),
    stands_for: text(v.stands_for),
    version: number(v.version, 1),
    valid_from: String(v.valid_from ?? ''),
    levels: list(v.levels).map(String),
    periods: list(v.periods).map(String),
    missing: number(v.missing, 0.6),
    hysteresis: number(v.hysteresis, 0),
    doubt_weights: number(doubt.weights, 0.25),
    doubt_means: Array.isArray(doubt.means) ? doubt.means.map(mean) : [],
    means: Array.isArray(v.mean) ? v.mean.map(mean) : [mean(v.mean)],
    bands: list(v.bands).map((b) => ({ id: newId(), band: String(b.band ?? ''), title: text(b.title), color: String(b.color ?? ''), severity: number(b.severity, 0), from: number(b.from, 0) })),
    root: nodeOf({ ...v, group: v.index }, 'group'),
  };
}

/** Quoted whenever YAML could take it for something else. */
function scalar(v: string | number): string {
  if (typeof v === 'number') return Number.isFinite(v) ? String(v) : '""';
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(v) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(v) ? v : JSON.stringify(v);
}
const both = (t: Text): string => `{en: ${JSON.stringify(t.en)}, zh: ${JSON.stringify(t.zh)}}`;
export interface Written {
  text: string;
  /** Which row a line of the text belongs to: `n12` a node, `b3` a colour, else the name of a field of the head. */
  row: string[];
}
/** The text that the server reads. Each row of the outline is on lines of its own, so that a fault finds its row. */
export function writeDoc(d: IndexDoc): Written {
  const lines: string[] = [];
  const row: string[] = [''];
  const put = (key: string, line: string): void => {
    lines.push(line);
    row.push(key);
  };
  const node = (n: DocNode, pad: string): void => {
    const key = `n${n.id}`;
    if (n.kind === 'indicator') {
      put(key, `${pad}- {indicator: ${scalar(n.name)}, weight: ${scalar(n.weight)}, low: ${scalar(n.low)}, high: ${scalar(n.high)}}`);
      return;
    }
    put(key, `${pad}- group: ${scalar(n.name)}`);
    put(key, `${pad}  title: ${both(n.title)}`);
    put(key, `${pad}  weight: ${scalar(n.weight)}`);
    children(n, pad + '  ');
  };
  const children = (n: DocNode, pad: string): void => {
    const key = `n${n.id}`;
    for (const [word, kind] of [['indicators', 'indicator'], ['groups', 'group']] as const) {
      const some = n.children.filter((c) => c.kind === kind);
      if (!some.length) continue;
      put(key, `${pad}${word}:`);
      for (const c of some) node(c, pad + '  ');
    }
    if (!n.ahp) return;
    put(key, `${pad}ahp:`);
    for (const r of n.ahp) put(key, `${pad}  - [${r.map(String).join(', ')}]`);
  };
  put('index', `index: ${scalar(d.index)}`);
  put('title', `title: ${both(d.title)}`);
  put('stands_for', `stands_for: ${both(d.stands_for)}`);
  put('version', `version: ${d.version}`);
  put('valid_from', `valid_from: ${JSON.stringify(d.valid_from)}`);
  put('levels', `levels: [${d.levels.join(', ')}]`);
  put('periods', `periods: [${d.periods.join(', ')}]`);
  put('missing', `missing: ${scalar(d.missing)}`);
  put('mean', `mean: [${d.means.join(', ')}]`);
  put('hysteresis', `hysteresis: ${scalar(d.hysteresis)}`);
  put('doubt', `doubt: {weights: ${scalar(d.doubt_weights)}${d.doubt_means.length ? `, means: [${d.doubt_means.join(', ')}]` : ''}}`);
  put('bands', 'bands:');
  for (const b of d.bands) put(`b${b.id}`, `  - {band: ${scalar(b.band)}, title: ${both(b.title)}, color: ${JSON.stringify(b.color)}, severity: ${scalar(b.severity)}, from: ${scalar(b.from)}}`);
  children(d.root, '');
  return { text: lines.join('\n') + '\n', row };
}

/* ---- what a person does to the outline */

/** Every node under a root with its parent, in the order of the outline. */
export function walk(root: DocNode, f: (n: DocNode, parent: DocNode, depth: number) => void, depth = 1): void {
  for (const c of root.children) {
    f(c, root, depth);
    walk(c, f, depth + 1);
  }
}
export function groupsOf(root: DocNode): DocNode[] {
  const out = [root];
  walk(root, (n) => n.kind === 'group' && out.push(n));
  return out;
}
export function parentOf(root: DocNode, id: number): DocNode | null {
  let found: DocNode | null = root.children.some((c) => c.id === id) ? root : null;
  walk(root, (n) => {
    if (n.children.some((c) => c.id === id)) found = n;
  });
  return found;
}
/** Levels of means: 1 joins the indicators of the deepest groups, the highest joins what stands directly under the index. */
export function heightOf(n: DocNode): number {
  return n.kind === 'indicator' ? 0 : 1 + Math.max(0, ...n.children.map(heightOf));
}
/** Share of the whole, 0 to 1, that each node carries by its weight among its siblings. */
export function shares(root: DocNode): Map<number, number> {
  const out = new Map<number, number>();
  const down = (n: DocNode, whole: number): void => {
    const sum = n.children.reduce((s, c) => s + Math.max(0, c.weight || 0), 0);
    for (const c of n.children) {
      const share = sum > 0 ? (whole * Math.max(0, c.weight || 0)) / sum : 0;
      out.set(c.id, share);
      down(c, share);
    }
  };
  down(root, 1);
  return out;
}
/** Indicators stand before groups, as the text has them; pairwise judgements go with their rows. */
function order(n: DocNode): void {
  const at = n.children.map((c, i) => ({ c, i })).sort((a, b) => Number(a.c.kind === 'group') - Number(b.c.kind === 'group') || a.i - b.i);
  if (n.ahp) n.ahp = at.map((x) => at.map((y) => n.ahp![x.i][y.i]));
  n.children = at.map((x) => x.c);
}
/** One place up or down among the siblings of its kind; false at the end. */
export function shift(root: DocNode, id: number, by: -1 | 1): boolean {
  const p = parentOf(root, id);
  if (!p) return false;
  const i = p.children.findIndex((c) => c.id === id);
  const j = i + by;
  if (!p.children[j] || p.children[j].kind !== p.children[i].kind) return false;
  const swap = <T>(a: T[]): void => {
    [a[i], a[j]] = [a[j], a[i]];
  };
  swap(p.children);
  if (p.ahp) {
    swap(p.ahp);
    p.ahp.forEach(swap);
  }
  return true;
}
/** A group whose children change has no judgements any more: the weights they gave stay. */
export function remove(root: DocNode, id: number): void {
  const p = parentOf(root, id);
  if (!p) return;
  p.children = p.children.filter((c) => c.id !== id);
  p.ahp = null;
}
export function add(parent: DocNode, n: DocNode): void {
  parent.children.push(n);
  parent.ahp = null;
  order(parent);
}
export function newIndicator(i: Indicator): DocNode {
  return { id: newId(), kind: 'indicator', name: i.indicator, title: i.title, weight: 1, low: 0, high: 100, ahp: null, children: [] };
}
export function newGroup(name: string, title: Text): DocNode {
  return { id: newId(), kind: 'group', name, title, weight: 1, low: NaN, high: NaN, ahp: null, children: [] };
}
/** May be a term: it is good or bad by itself, and does not fall when fewer people report. */
export function mayBeTerm(i: Indicator): boolean {
  return i.direction !== 'neither' && !i.moves_with_reporting;
}
/** The goalposts as a person thinks of them: where 0 points are and where 100. */
export function posts(n: { low: number; high: number }, direction: Indicator['direction'] | undefined): { worst: number; best: number } {
  return direction === 'more_is_worse' ? { worst: n.high, best: n.low } : { worst: n.low, best: n.high };
}
export function setPost(n: DocNode, which: 'worst' | 'best', v: number, direction: Indicator['direction'] | undefined): void {
  if ((which === 'worst') === (direction === 'more_is_worse')) n.high = v;
  else n.low = v;
}

/* ---- pairwise judgements */

/** -8..8 of a slider: 0 is equal, 8 says that the first counts nine times as much. */
export function judgement(step: number): number {
  return step >= 0 ? 1 + step : 1 / (1 - step);
}
export function stepOf(judged: number): number {
  if (!(judged > 0)) return 0;
  return judged >= 1 ? Math.min(8, Math.round(judged) - 1) : -Math.min(8, Math.round(1 / judged) - 1);
}
export function equalMatrix(n: number): number[][] {
  return Array.from({ length: n }, () => Array.from({ length: n }, () => 1));
}
/** A copy with one judgement and its reverse set. */
export function judged(m: readonly number[][], i: number, j: number, step: number): number[][] {
  const out = m.map((r) => [...r]);
  out[i][j] = judgement(step);
  out[j][i] = judgement(-step);
  return out;
}
/** All pairs, each once. */
export function pairs(n: number): [number, number][] {
  const out: [number, number][] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) out.push([i, j]);
  return out;
}

/* ---- what is in force, and what comes next */

export interface Definition {
  name: string;
  source: 'pack' | 'page';
  file?: string;
  version: number;
  state: 'draft' | 'in_force' | 'withdrawn' | 'off';
  valid_from: string | null;
  by?: string;
  at?: string;
  yaml: string;
}
/** The draft, or what was put in force last; null when there is nothing of the name. */
export function toEdit(items: readonly Definition[], name: string): Definition | null {
  const own = items.filter((d) => d.name === name);
  return own.find((d) => d.state === 'draft') ?? own.filter((d) => d.state === 'in_force').sort((a, b) => b.version - a.version)[0] ?? null;
}
export function nextVersion(items: readonly Definition[], name: string): number {
  return 1 + Math.max(0, ...items.filter((d) => d.name === name).map((d) => d.version));
}
