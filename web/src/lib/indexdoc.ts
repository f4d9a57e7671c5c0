/** The text of an index as an outline that a person edits, and back. Pure. */
import type { Indicator } from './measure';
import type { Text } from './types';

/** How the weights of a list are had: typed, by judgements in pairs, or worked out from the scores of each period. */
export type Weigh = 'given' | 'ahp' | 'entropy' | 'pca' | 'bod';
export const WEIGHS: readonly Weigh[] = ['given', 'ahp', 'entropy', 'pca', 'bod'];
export type Curve = '' | 'log' | 'box_cox';
export const CURVES: readonly Curve[] = ['', 'log', 'box_cox'];
/** How values of an indicator are bent before they become scores. null: not set. */
export interface Treat {
  curve: Curve;
  shift: number | null;
  lambda: number | null;
  winsorise: number | null;
}
export interface DocNode {
  /** Of this page only: rows keep their identity while they move. */
  id: number;
  kind: 'group' | 'indicator';
  name: string;
  title: Text;
  weight: number;
  low: number;
  high: number;
  treat: Treat;
  /** Of the children. */
  weigh: Weigh;
  /** Pairwise judgements over the children in their order; only with `ahp`. */
  ahp: number[][] | null;
  /** Judgements that contradict each other are kept all the same. */
  accept: boolean;
  /** Least and greatest share of a child; only with `bod`. */
  least: number | null;
  most: number | null;
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
/** A word, or the power of a power mean. */
export type Mean = 'arithmetic' | 'geometric' | 'harmonic' | number;
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
  /** Means that ranks are tried with too; none: only the one of the lowest level. */
  doubt_means: Mean[];
  /** Names of indicators, or '': what a back-test asks whether it was foreseen, and what stands for the size of an area. */
  outcome: string;
  population: string;
  /** From the bottom up; the last holds for all levels above. */
  means: Mean[];
  bands: DocBand[];
  root: DocNode;
  /** Keys of the text that the outline has no row for: they are kept as they are. */
  rest: Record<string, unknown>;
  /** Remarks of the text by the row that they stand above. */
  remarks: Record<string, string[]>;
}
const KNOWN = ['index', 'title', 'stands_for', 'version', 'valid_from', 'levels', 'periods', 'missing', 'mean', 'hysteresis', 'doubt', 'bands', 'groups', 'indicators', 'ahp', 'weights', 'outcome', 'population'];

let last = 0;
export const newId = (): number => ++last;

type Raw = Record<string, unknown>;
const list = (v: unknown): Raw[] => (Array.isArray(v) ? (v as Raw[]) : []);
const text = (v: unknown): Text => {
  const t = (typeof v === 'object' && v ? v : {}) as Partial<Text>;
  return typeof v === 'string' ? { en: v, zh: v } : { en: String(t.en ?? ''), zh: String(t.zh ?? '') };
};
const number = (v: unknown, other: number): number => (typeof v === 'number' && Number.isFinite(v) ? v : other);
const maybe = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null);
const map = (v: unknown): Raw => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Raw) : {});
const mean = (v: unknown): Mean => (MEANS.includes(v as Mean) ? (v as Mean) : typeof map(v).power === 'number' ? (map(v).power as number) : 'arithmetic');

function nodeOf(v: Raw, kind: DocNode['kind']): DocNode {
  const children = kind === 'group' ? [...list(v.indicators).map((x) => nodeOf(x, 'indicator')), ...list(v.groups).map((x) => nodeOf(x, 'group'))] : [];
  const treat = map(v.treat);
  const w = Array.isArray(v.ahp) ? { method: 'ahp', pairwise: v.ahp } : map(v.weights);
  const pairwise = Array.isArray(w.pairwise) && w.pairwise.length === children.length ? (w.pairwise as number[][]) : null;
  const weigh = WEIGHS.find((m) => m === w.method) ?? 'given';
  return {
    id: newId(),
    kind,
    name: String(v[kind] ?? ''),
    title: text(v.title),
    weight: number(v.weight, 1),
    low: number(v.low, NaN),
    high: number(v.high, NaN),
    treat: { curve: CURVES.find((c) => c === treat.curve) ?? '', shift: maybe(treat.shift), lambda: maybe(treat.lambda), winsorise: maybe(treat.winsorise) },
    weigh: weigh === 'ahp' && !pairwise ? 'given' : weigh,
    ahp: pairwise,
    accept: 'accept_inconsistent' in w && w.accept_inconsistent === true,
    least: 'least' in w ? maybe(w.least) : null,
    most: 'most' in w ? maybe(w.most) : null,
    children,
  };
}
/** Where a remark begins in a line, outside of quoted words; -1: nowhere. */
function remarkAt(line: string): number {
  let quote = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quote) {
      if (c === '\\' && quote === '"') i += 1;
      else if (c === quote) quote = '';
    } else if ((c === '"' || c === "'") && !/\w/.test(line[i - 1] ?? '')) quote = c;
    else if (c === '#' && (i === 0 || /\s/.test(line[i - 1]))) return i;
  }
  return -1;
}
/** What a line begins: a field of the head, a group, an indicator, a colour; '' for any other line. */
function rowOf(line: string): string {
  const item = /^\s*-\s+\{?\s*(group|indicator|band):\s*["']?([^"',}#]+?)["']?\s*(?:[,}#]|$)/.exec(line);
  if (item) return `${item[1]} ${item[2]}`;
  return /^(\w+):/.exec(line)?.[1] ?? '';
}
/** All remarks (`# ...`) of a text; those at the end of a line stand above it from now on. */
export function remarksOf(text: string): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  let waiting: string[] = [];
  /** Lines deeper than this belong to a text that was opened with | or >. */
  let block = -1;
  for (const line of text.split('\n')) {
    const depth = line.search(/\S/);
    if (depth < 0 || (block >= 0 && depth > block)) continue;
    block = -1;
    const at = remarkAt(line);
    if (at >= 0) waiting.push(line.slice(at + 1).trim());
    const key = rowOf(line);
    if (key && waiting.length) {
      out[key] = [...(out[key] ?? []), ...waiting];
      waiting = [];
    }
    if (/[:\s][|>][+-]?\s*$/.test(at >= 0 ? line.slice(0, at) : line)) block = depth;
  }
  if (waiting.length) out[''] = waiting;
  return out;
}
/** What the server read from the text. The text itself is asked only for its remarks. */
export function readDoc(v: Raw, yaml = ''): IndexDoc {
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
    outcome: String(v.outcome ?? ''),
    population: String(v.population ?? ''),
    means: Array.isArray(v.mean) ? v.mean.map(mean) : [mean(v.mean)],
    bands: list(v.bands).map((b) => ({ id: newId(), band: String(b.band ?? ''), title: text(b.title), color: String(b.color ?? ''), severity: number(b.severity, 0), from: number(b.from, 0) })),
    root: nodeOf({ ...v, group: v.index }, 'group'),
    rest: Object.fromEntries(Object.entries(v).filter(([k]) => !KNOWN.includes(k))),
    remarks: remarksOf(yaml),
  };
}

/** Quoted whenever YAML could take it for something else. */
function scalar(v: string | number): string {
  if (typeof v === 'number') return Number.isFinite(v) ? String(v) : '""';
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(v) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(v) ? v : JSON.stringify(v);
}
const meanText = (m: Mean): string => (typeof m === 'number' ? `{power: ${m}}` : m);
/** `, key: value` for what is set. */
function extra(pairs: [string, string | number | null][]): string {
  return pairs.filter(([, v]) => v !== null && v !== '').map(([k, v]) => `, ${k}: ${scalar(v!)}`).join('');
}
function treatText(t: Treat): string {
  const inside = extra([['curve', t.curve], ['shift', t.shift], ['lambda', t.lambda], ['winsorise', t.winsorise]]).slice(2);
  return inside ? `, treat: {${inside}}` : '';
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
  const told = new Set<string>();
  const put = (key: string, line: string): void => {
    const what = rowOf(line);
    if (what && !told.has(what)) {
      told.add(what);
      for (const r of d.remarks[what] ?? []) {
        lines.push(' '.repeat(Math.max(0, line.search(/\S/))) + (r ? '# ' + r : '#'));
        row.push(key);
      }
    }
    lines.push(line);
    row.push(key);
  };
  const node = (n: DocNode, pad: string): void => {
    const key = `n${n.id}`;
    if (n.kind === 'indicator') {
      put(key, `${pad}- {indicator: ${scalar(n.name)}, weight: ${scalar(n.weight)}, low: ${scalar(n.low)}, high: ${scalar(n.high)}${treatText(n.treat)}}`);
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
    if (n.weigh === 'ahp' && n.ahp) {
      put(key, `${pad}weights:`);
      put(key, `${pad}  method: ahp`);
      if (n.accept) put(key, `${pad}  accept_inconsistent: true`);
      put(key, `${pad}  pairwise:`);
      for (const r of n.ahp) put(key, `${pad}    - [${r.map(String).join(', ')}]`);
    } else if (n.weigh !== 'given') put(key, `${pad}weights: {method: ${n.weigh}${n.weigh === 'bod' ? extra([['least', n.least], ['most', n.most]]) : ''}}`);
  };
  put('index', `index: ${scalar(d.index)}`);
  put('title', `title: ${both(d.title)}`);
  put('stands_for', `stands_for: ${both(d.stands_for)}`);
  put('version', `version: ${d.version}`);
  put('valid_from', `valid_from: ${JSON.stringify(d.valid_from)}`);
  put('levels', `levels: [${d.levels.join(', ')}]`);
  put('periods', `periods: [${d.periods.join(', ')}]`);
  put('missing', `missing: ${scalar(d.missing)}`);
  put('mean', `mean: [${d.means.map(meanText).join(', ')}]`);
  put('hysteresis', `hysteresis: ${scalar(d.hysteresis)}`);
  put('doubt', `doubt: {weights: ${scalar(d.doubt_weights)}${d.doubt_means.length ? `, means: [${d.doubt_means.map(meanText).join(', ')}]` : ''}}`);
  if (d.outcome) put('outcome', `outcome: ${scalar(d.outcome)}`);
  if (d.population) put('population', `population: ${scalar(d.population)}`);
  for (const [k, v] of Object.entries(d.rest)) put(k, `${k}: ${JSON.stringify(v)}`);
  put('bands', 'bands:');
  for (const b of d.bands) put(`b${b.id}`, `  - {band: ${scalar(b.band)}, title: ${both(b.title)}, color: ${JSON.stringify(b.color)}, severity: ${scalar(b.severity)}, from: ${scalar(b.from)}}`);
  children(d.root, '');
  for (const r of d.remarks[''] ?? []) put('', r ? '# ' + r : '#');
  return { text: lines.join('\n') + '\n', row };
}

/** The outline may stand for a text: the server finds nothing wrong with it, or the outline itself has written it, faults and all. */
export function outlineOf(reply: { ok: boolean; doc: Raw | null }, yaml: string): IndexDoc | null {
  if (!reply.doc) return null;
  const d = readDoc(reply.doc, yaml);
  return reply.ok || writeDoc(d).text === yaml ? d : null;
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
/** A group or colour gets another name: its remarks go along. */
export function renamed(d: IndexDoc, kind: 'group' | 'band', from: string, to: string): void {
  const own = d.remarks[`${kind} ${from}`];
  if (!own || from === to) return;
  d.remarks[`${kind} ${to}`] = own;
  delete d.remarks[`${kind} ${from}`];
}
/** A list whose rows change has no judgements any more: the weights they gave stay. */
function forget(n: DocNode): void {
  n.ahp = null;
  if (n.weigh === 'ahp') n.weigh = 'given';
}
export function remove(root: DocNode, id: number): void {
  const p = parentOf(root, id);
  if (!p) return;
  p.children = p.children.filter((c) => c.id !== id);
  forget(p);
}
export function add(parent: DocNode, n: DocNode): void {
  parent.children.push(n);
  forget(parent);
  order(parent);
}
const plain = (): Pick<DocNode, 'treat' | 'weigh' | 'ahp' | 'accept' | 'least' | 'most' | 'children'> => ({ treat: { curve: '', shift: null, lambda: null, winsorise: null }, weigh: 'given', ahp: null, accept: false, least: null, most: null, children: [] });
export function newIndicator(i: Indicator): DocNode {
  return { id: newId(), kind: 'indicator', name: i.indicator, title: i.title, weight: 1, low: 0, high: 100, ...plain() };
}
export function newGroup(name: string, title: Text): DocNode {
  return { id: newId(), kind: 'group', name, title, weight: 1, low: NaN, high: NaN, ...plain() };
}
/** May be a term: it is good or bad by itself, and does not fall when fewer people report. */
export function mayBeTerm(i: Indicator): boolean {
  return i.direction !== 'neither' && !i.moves_with_reporting;
}
/** Counts something, so that it can stand for what is to be foreseen, or for a size. */
export function isNumber(i: Indicator): boolean {
  return ['count', 'sum', 'total', 'distinct', 'figure'].includes(i.measure);
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
