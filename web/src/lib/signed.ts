/** What was signed off. The server answers one period and level at a time; its list says which of them there are. */
import { asProblem, get, withQuery } from './api';
import type { IndexDef, PublicValues } from './measure';
import { formatPeriod, lastDay, parsePeriod, periodOf, stepPeriod, type Period } from './period';

export interface Signed {
  index: string;
  level: string;
  /** Levels that are signed off for the first period, this one among them. */
  levels: string[];
  /** The period that was asked for first, then those before it, newest first. */
  series: PublicValues[];
}
type Read = (index: string, level: string, period: string) => Promise<PublicValues | null>;

const BEFORE = 12;
const SEARCH = 6;

async function read(index: string, level: string, period: string): Promise<PublicValues | null> {
  try {
    return await get<PublicValues>(withQuery(`/api/v1/public/indices/${encodeURIComponent(index)}/values`, { period, level }));
  } catch (e) {
    if (asProblem(e).status === 404) return null;
    throw e;
  }
}
/** Asks only for what the list names as signed off. */
function listed(indices: readonly IndexDef[], ask: Read): Read {
  return async (index, level, period) => {
    const known = indices.find((d) => d.index === index)?.published;
    return known && !known.some((k) => k.level === level && k.period === period) ? null : ask(index, level, period);
  };
}
async function withPast(def: IndexDef, first: PublicValues, ask: Read): Promise<Signed> {
  const at = parsePeriod(first.period);
  const past = at ? Array.from({ length: BEFORE }, (_, k) => formatPeriod(stepPeriod(at, -k - 1))) : [];
  const [rest, levels] = await Promise.all([
    Promise.all(past.map((p) => ask(first.index, first.level, p))),
    Promise.all(def.levels.map(async (l) => (l === first.level || (await ask(first.index, l, first.period)) ? l : ''))),
  ]);
  return { index: first.index, level: first.level, levels: levels.filter(Boolean), series: [first, ...rest.filter((x): x is PublicValues => x !== null)] };
}
/** One period that somebody named, with those before it; null when it is not signed off. */
export async function readSigned(indices: readonly IndexDef[], index: string, level: string, period: string, ask: Read = read): Promise<Signed | null> {
  const def = indices.find((d) => d.index === index && d.levels.includes(level));
  const known = listed(indices, ask);
  const first = def && parsePeriod(period) ? await known(index, level, period) : null;
  return def && first ? withPast(def, first, known) : null;
}
/** The newest month that is signed off, by the level that tells most; else the newest year. Broad indices come first. */
export async function findSigned(indices: readonly IndexDef[], today: string, ask: Read = read): Promise<Signed | null> {
  const known = listed(indices, ask);
  const broad = [...indices].sort((a, b) => b.nodes.length - a.nodes.length);
  const tries: Period[] = [];
  for (const kind of ['month', 'year'] as const) {
    let p = periodOf(kind, today);
    if (lastDay(p) >= today) p = stepPeriod(p, -1);
    for (let k = 0; k < (kind === 'month' ? SEARCH : 2); k++) tries.push(stepPeriod(p, -k));
  }
  for (const p of tries) {
    const asks = broad.filter((d) => d.periods.includes(p.kind)).flatMap((d) => levelsOf(d).map((l) => known(d.index, l, formatPeriod(p))));
    const first = (await Promise.all(asks)).find((x) => x !== null);
    const def = indices.find((d) => d.index === first?.index);
    if (def && first) return withPast(def, first, known);
  }
  return null;
}
/** Towns first: counties are few, communities often too small, the city is one. */
function levelsOf(d: IndexDef): string[] {
  const order = ['town', 'county', 'community', 'city'];
  return [...d.levels].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}
