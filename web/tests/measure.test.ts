import { describe, expect, it } from 'vitest';
import { countsCases, csv, difference, figure, firstIndex, formedFrom, groupPoints, holds, num, partSteps, signed, stretch, tiers, whySteps, type IndexDef, type IndexNode, type Indicator, type Moved, type Moves, type PublicArea, type PublicValues } from '../src/lib/measure';
import { changeKind, firstDay, formatPeriod, lastDay, longerKind, parsePeriod, periodOf, periodWords, stepPeriod, type Period } from '../src/lib/period';
import { historyOf, subjects, turned } from '../src/lib/public';
import { findSigned, readSigned } from '../src/lib/signed';

const p = (text: string): Period => {
  const x = parsePeriod(text);
  if (!x) throw new Error(text);
  return x;
};
const step = (text: string, n: number): string => formatPeriod(stepPeriod(p(text), n));

describe('periods', () => {
  it('reads what the server writes, and nothing else', () => {
    for (const t of ['2026', '2026-08', '2026-08-T2', '2026-08-05', '2024-02-29']) expect(formatPeriod(p(t))).toBe(t);
    for (const t of ['', '26', '2026-13', '2026-00', '2026-02-29', '2026-08-T4', '2026-08-32', '2026-8']) expect(parsePeriod(t), t).toBe(null);
  });
  it('steps over the ends of months and years, and back', () => {
    expect(step('2026-12', 1)).toBe('2027-01');
    expect(step('2026-01-T1', -1)).toBe('2025-12-T3');
    expect(step('2026-03-01', -1)).toBe('2026-02-28');
    expect(step('2026', -3)).toBe('2023');
    for (const t of ['2026-01', '2026-02-T3', '2026-12-31', '2026']) for (let n = -40; n <= 40; n++) expect(step(step(t, n), -n)).toBe(t);
  });
  it('knows first and last days, and the period of a day', () => {
    expect([firstDay(p('2024-02-T3')), lastDay(p('2024-02-T3'))]).toEqual(['2024-02-21', '2024-02-29']);
    expect(lastDay(p('2026-04'))).toBe('2026-04-30');
    expect(formatPeriod(periodOf('ten_day', '2026-01-31'))).toBe('2026-01-T3');
    expect(formatPeriod(periodOf('ten_day', '2026-01-20'))).toBe('2026-01-T2');
  });
  it('changes the kind: longer ones hold the period, of shorter ones the last that is over', () => {
    const to = (t: string, k: Parameters<typeof changeKind>[1], today = '2026-11-23'): string => formatPeriod(changeKind(p(t), k, today));
    expect(to('2026-10', 'year')).toBe('2026');
    expect(to('2026-10', 'day')).toBe('2026-10-31');
    expect(to('2026-10', 'ten_day')).toBe('2026-10-T3');
    expect(to('2026', 'month')).toBe('2026-10');
    expect(to('2026-11', 'day')).toBe('2026-11-22');
    expect(to('2026-11-05', 'month')).toBe('2026-11');
    expect(longerKind('ten_day', ['month', 'year'])).toBe('month');
    expect(longerKind('day', ['day', 'year'])).toBe('year');
    expect(longerKind('year', ['day', 'year'])).toBe(null);
  });
  it('speaks both languages', () => {
    expect(periodWords('2026-10-T1', 'en')).toBe('1–10 October 2026');
    expect(periodWords('2024-02-T3', 'en')).toBe('21–29 February 2024');
    expect(periodWords('2026-10-T3', 'zh-CN')).toBe('2026年10月下旬');
    expect(periodWords('2026-10-05', 'zh-CN')).toBe('2026年10月5日');
  });
});

describe('figures', () => {
  it('writes signs that are read, and no minus zero', () => {
    expect([num(-1.24), num(null), num(-0.01), signed(0.04), signed(-0.04), signed(3.25), signed(-2)]).toEqual(['−1.2', '–', '0.0', '0.0', '0.0', '+3.3', '−2.0']);
    expect([figure(94073), figure(0.3189), figure(88.73), figure(123.4), figure(0)]).toEqual(['94073', '0.32', '88.7', '123', '0']);
  });
  it('a waterfall starts before, ends now, and names every cause', () => {
    const leaf = (node: string, indicator: number, denominator = 0): Moves['by'][number] => ({ node, title: { en: node, zh: node }, told: true, indicator, denominator, formula: 0, entered: 0 });
    const m: Moves = { from: 80, to: 81.2, rounded: false, restatement: -0.5, fell_out: 0, came_in: 0.3, indicators: 1.54, denominators: -0.14, formula: 0, version_from: 1, version_to: 1, by: [leaf('a', 0.04), leaf('b', -2), leaf('c', 3.5, -0.14)] };
    const w = whySteps(m);
    expect(w.map((s) => [s.why, s.node])).toEqual([['restatement', ''], ['indicator', 'c'], ['indicator', 'b'], ['denominator', 'c'], ['came_in', ''], ['rest', '']]);
    w.forEach((s, k) => expect(s.from).toBeCloseTo(k ? w[k - 1].to : 80, 10));
    expect(w.at(-1)?.to).toBe(81.2);
    expect(w.reduce((x, s) => x + s.change, 0)).toBeCloseTo(1.2, 10);
  });
  it('what may not be told is in the rest or in whole points, never beside its name', () => {
    const hidden = { node: 'x', title: { en: 'x', zh: 'x' }, told: false, indicator: null, denominator: null, formula: null, entered: null };
    const open = { node: 'y', title: { en: 'y', zh: 'y' }, told: true, indicator: -1, denominator: 0, formula: 0, entered: 0 };
    const m: Moves = { from: 70, to: 72, rounded: false, restatement: 0, fell_out: 0, came_in: 0, indicators: 2, denominators: 0, formula: 0, version_from: 1, version_to: 2, by: [hidden, open] };
    expect(whySteps(m).map((s) => [s.why, s.node, s.change])).toEqual([['indicator', 'y', -1], ['rest', '', 3]]);
    expect(whySteps({ ...m, by: [hidden] }).map((s) => [s.why, s.node, s.change])).toEqual([['indicator', '', 2]]);
  });
  it('changes of indicators alone make a waterfall too', () => {
    const leaf = (node: string, change: number | null): Moved => ({ node, title: { en: node, zh: node }, group: 'g', weight: 1, part: 1, before: 1, change, state: 'ok' });
    const w = partSteps([leaf('a', 0.04), leaf('b', -2), leaf('c', 3.5), leaf('d', null), { ...leaf('g', 1.54), state: undefined }], 80, 81.54);
    expect(w.map((s) => [s.why, s.node, Number(s.to.toFixed(2))])).toEqual([['indicator', 'c', 83.5], ['indicator', 'b', 81.5], ['rest', '', 81.54]]);
  });
  it('a plot shows whole tens around the values', () => {
    expect(stretch([92.1, 88.8])).toEqual([80, 100]);
    expect(stretch([null])).toEqual([0, 100]);
    expect(stretch([3])).toEqual([0, 20]);
    expect(stretch([55, 57.2])).toEqual([40, 60]);
  });
  it('areas whose rank bands overlap stand in one tier', () => {
    const a = (area: string, rank_low: number, rank_high: number): { area: string; rank_low: number; rank_high: number } => ({ area, rank_low, rank_high });
    expect(tiers([a('d', 4, 4), a('a', 1, 2), a('b', 1, 3), a('c', 2, 3), { area: 'x', rank_low: 5, rank_high: 5 }]).map((t) => [t.low, t.high, t.areas])).toEqual([
      [1, 3, ['a', 'b', 'c']],
      [4, 4, ['d']],
      [5, 5, ['x']],
    ]);
    expect(tiers([{ area: 'n' }])).toEqual([]);
  });
  it('points of groups are out of a hundred over those that have a value', () => {
    const n = (node: string, weight: number): IndexNode => ({ node, title: { en: node, zh: node }, group: null, weight, indicator: false });
    const g = groupPoints([{ node: 'a', part: 30 }, { node: 'b', part: 20 }, { node: 'c', part: null }], [n('a', 0.3), n('b', 0.3), n('c', 0.4)]);
    expect(g.map((x) => [x.node, x.points, x.of])).toEqual([['b', 20, 50], ['a', 30, 50]]);
  });
  it('CSV keeps commas, quotes and what would be a formula', () => {
    expect(csv([['a,b', 'c"d', null, -1.5], ['=x()', '+1', '墨河镇', 2]])).toBe('\ufeff"a,b","c""d",,-1.5\r\n\'=x(),\'+1,墨河镇,2\r\n');
  });
});

describe('what a value rests on', () => {
  const ind = (indicator: string, measure: string, more: Partial<Indicator> = {}): Indicator => ({ indicator, measure, of: null, to: null, terms: [], ...more }) as unknown as Indicator;
  it('a count over another, or the base of a figure that was divided elsewhere', () => {
    expect(formedFrom('share', 93, 99)).toEqual({ text: '93 ÷ 99', base: false });
    expect(formedFrom('count', 12, null)).toEqual({ text: '12', base: false });
    expect(formedFrom('figure', 96.6, 186)).toEqual({ text: '186', base: true });
    expect(formedFrom('share', null, 99)).toEqual({ text: '', base: false });
  });
  it('cases lie behind what counts them, however deep, and never behind figures from outside', () => {
    const all = [ind('cases', 'count'), ind('residents', 'figure'), ind('rate', 'ratio', { of: 'cases', to: 'residents' }), ind('fires', 'figure'), ind('fire_rate', 'ratio', { of: 'fires', to: 'residents' }), ind('sum', 'total', { terms: [{ indicator: 'fires', weight: 1 }, { indicator: 'rate', weight: 2 }] }), ind('loop', 'against', { of: 'loop' })];
    expect(all.map((i) => countsCases(i, all))).toEqual([true, false, true, false, false, true, false]);
  });
  it('differences of whole points are whole, and colours that are held are noticed', () => {
    expect([difference(77, 68), difference(77.2, 68), difference(68, 77), difference(70, 70)]).toEqual(['+9', '+9.2', '−9', '0']);
    const bands = [{ band: 'red', from: 0 }, { band: 'green', from: 70 }] as unknown as Parameters<typeof holds>[0];
    expect(holds(bands, [{ value: 70.5, band: 'green' }, { value: 20, band: 'red' }, { value: null, band: null }])).toBe(false);
    expect(holds(bands, [{ value: 70.5, band: 'red' }])).toBe(true);
  });
});

describe('what is signed off', () => {
  const def = (index: string, levels: string[], n: number): IndexDef => ({ index, levels, periods: ['month', 'year'], nodes: Array.from({ length: n }, () => ({ indicator: true })) }) as unknown as IndexDef;
  const list = [def('small', ['city', 'town'], 2), def('broad', ['city', 'county', 'town'], 5)];
  const server = (signed: string[]) => {
    const asked: string[] = [];
    return { asked, ask: async (index: string, level: string, period: string) => {
      asked.push(`${index} ${level} ${period}`);
      return signed.includes(`${index} ${level} ${period}`) ? ({ index, level, period } as PublicValues) : null;
    } };
  };
  it('takes the newest month, the broad index, towns before the city, and what was before', async () => {
    const s = server(['small town 2026-09', 'broad city 2026-09', 'broad town 2026-09', 'broad town 2026-07', 'broad town 2026-11']);
    const f = await findSigned(list, '2026-11-23', s.ask);
    expect([f?.index, f?.level, f?.levels, f?.series.map((v) => v.period)]).toEqual(['broad', 'town', ['city', 'town'], ['2026-09', '2026-07']]);
  });
  it('ends after half a year and two years when there is nothing', async () => {
    const s = server([]);
    expect(await findSigned(list, '2026-11-23', s.ask)).toBe(null);
    expect(s.asked.length).toBe(8 * 5);
    expect(s.asked.at(-1)).toContain('2024');
  });
  it('one that is named is found or not, never another', async () => {
    const s = server(['broad town 2026-09']);
    expect((await readSigned(list, 'broad', 'town', '2026-09', s.ask))?.series.length).toBe(1);
    expect(await readSigned(list, 'broad', 'town', '2026-08', s.ask)).toBe(null);
    expect(await readSigned(list, 'broad', 'village', '2026-09', s.ask)).toBe(null);
  });
  it('the broad index is shown first', () => {
    expect(firstIndex(list)?.index).toBe('broad');
    expect(firstIndex([])).toBe(null);
  });
});

describe('what the public reads', () => {
  const group = (node: string, weight: number): IndexNode => ({ node, title: { en: node, zh: node }, group: null, weight, indicator: false });
  const groups = [group('a', 0.6), group('b', 0.4)];
  const area = (value: number | null, parts: [string, number | null][] | null, more: Partial<PublicArea> = {}): PublicArea => ({ area: '1', value, band: null, too_small: false, parts_told: parts !== null, parts: (parts ?? []).map(([node, part]) => ({ node, part })), ...more });
  it('subjects come by what they cost, with what changed where that compares', () => {
    const list = subjects(area(70, [['a', 50], ['b', 20]]), area(68, [['a', 52], ['b', 16]]), groups);
    expect(list.map((s) => [s.node, s.points, Math.round(s.of), s.change])).toEqual([['b', 20, 40, 4], ['a', 50, 60, -2]]);
    expect(subjects(area(70, [['a', 50], ['b', 20]]), area(80, [['a', 80], ['b', null]]), groups).map((s) => s.change)).toEqual([null, null]);
    expect(subjects(area(70, null), null, groups)).toEqual([]);
  });
  it('a period that was never signed off stays a hole', () => {
    const v = (period: string, value: number): PublicValues => ({ period, note: null, areas: [area(value, null)] }) as unknown as PublicValues;
    expect(historyOf([v('2026-10', 80), v('2026-08', 70)], '1').map((h) => [h.period, h.value])).toEqual([['2026-08', 70], ['2026-09', null], ['2026-10', 80]]);
    expect(historyOf([], '1')).toEqual([]);
  });
  it('areas that are too small have not turned', () => {
    const now = [area(80, null), area(60, null, { area: '2' }), area(71, null, { area: '3' }), area(50, null, { area: '4', too_small: true })];
    const was = [area(70, null), area(70, null, { area: '2' }), area(70.5, null, { area: '3' }), area(90, null, { area: '4' })];
    expect(turned(now, was)).toEqual({ better: ['1'], worse: ['2'], same: ['3'] });
  });
});
