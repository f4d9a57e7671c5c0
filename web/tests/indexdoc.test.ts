import { describe, expect, it } from 'vitest';
import { add, equalMatrix, groupsOf, heightOf, judged, judgement, newGroup, newIndicator, nextVersion, outlineOf, pairs, parentOf, posts, readDoc, remarksOf, remove, renamed, setPost, shares, shift, stepOf, toEdit, writeDoc, type Definition, type IndexDoc } from '../src/lib/indexdoc';
import { readFileSync } from 'node:fs';
import { FAULTS, faultWords } from '../src/lib/faults';
import type { Indicator } from '../src/lib/measure';
import en from '../src/locales/en/edit';
import { readYaml } from './yaml';
import { layout, pathOf, readShapes, roomAt } from '../src/lib/shapes';
import { places, recoloured, type TriedArea } from '../src/lib/tryout';

const raw = {
  index: 'safety',
  title: { en: 'Safety: "the" index', zh: '平安指数' },
  stands_for: { en: 'One sentence.', zh: '一句话。' },
  version: 3,
  valid_from: '2026-01-01',
  levels: ['city', 'town'],
  periods: ['day', 'month'],
  missing: 0.5,
  mean: ['arithmetic', { power: 0.5 }],
  hysteresis: 1,
  outcome: 'serious_crimes',
  population: 'residents',
  freeze: { month: 5 },
  doubt: { weights: 0.25, means: ['arithmetic'] },
  bands: [{ band: 'red', title: { en: 'Poor', zh: '较差' }, color: '#b3261e', severity: 1, from: 0 }, { band: 'green', title: { en: 'Good', zh: '优' }, color: '#1b6e3c', severity: 0, from: 80 }],
  groups: [
    { group: 'order', title: { en: 'Order', zh: '治安' }, weight: 0.6, indicators: [{ indicator: 'a', weight: 2, low: 0, high: 0.6, treat: { curve: 'log', shift: 1 } }, { indicator: 'b', weight: 1, low: 10, high: 90 }] },
    { group: 'on', title: { en: 'Two', zh: '二' }, weight: 0.4, weights: { method: 'bod', least: 0.1 }, indicators: [{ indicator: 'c', weight: 1, low: -5, high: 5 }] },
  ],
};
const doc = (): IndexDoc => readDoc(raw as unknown as Record<string, unknown>);
const ind = (indicator: string, direction: Indicator['direction'] = 'more_is_worse'): Indicator => ({ indicator, direction, title: { en: indicator, zh: indicator } }) as unknown as Indicator;

describe('the outline of an index', () => {
  it('is written as text whose every row is found by its line', () => {
    const d = doc();
    const w = writeDoc(d);
    const lines = w.text.split('\n');
    expect(w.row.length).toBe(lines.length);
    const at = (part: string): string => w.row[lines.findIndex((l) => l.includes(part)) + 1];
    expect(at('indicator: b')).toBe(`n${d.root.children[0].children[1].id}`);
    expect(at('band: green')).toBe(`b${d.bands[1].id}`);
    expect(at('version:')).toBe('version');
    expect(lines).toContain('title: {en: "Safety: \\"the\\" index", zh: "平安指数"}');
    // What the outline has no row for is not lost.
    expect(lines).toContain('outcome: serious_crimes');
    expect(lines).toContain('freeze: {"month":5}');
    // A word that YAML takes for yes or no is quoted.
    expect(lines).toContain('  - group: "on"');
    expect(lines).toContain('mean: [arithmetic, {power: 0.5}]');
    expect(lines).toContain('      - {indicator: a, weight: 2, low: 0, high: 0.6, treat: {curve: log, shift: 1}}');
    expect(lines).toContain('    weights: {method: bod, least: 0.1}');
    expect(writeDoc(doc()).text).toBe(w.text);
  });
  it('knows shares of the whole, heights and groups', () => {
    const d = doc();
    const s = shares(d.root);
    const [order, two] = d.root.children;
    expect([s.get(order.id), s.get(order.children[0].id), s.get(two.children[0].id)].map((x) => Math.round((x ?? 0) * 1000))).toEqual([600, 400, 400]);
    expect(heightOf(d.root)).toBe(2);
    expect(groupsOf(d.root).map((g) => g.name)).toEqual(['safety', 'order', 'on']);
  });
  it('rows move among their kind and take their judgements along; a changed list has none any more', () => {
    const d = doc();
    const order = d.root.children[0];
    order.weigh = 'ahp';
    order.ahp = [[1, 3], [1 / 3, 1]];
    const [a, b] = order.children.map((c) => c.id);
    expect(shift(d.root, b, -1)).toBe(true);
    expect(order.children.map((c) => c.name)).toEqual(['b', 'a']);
    expect(order.ahp).toEqual([[1, 1 / 3], [3, 1]]);
    expect(writeDoc(d).text).toContain('      pairwise:\n        - [1, 0.3333333333333333]\n        - [3, 1]');
    expect(shift(d.root, b, -1)).toBe(false);
    remove(d.root, a);
    expect([order.ahp, order.weigh, parentOf(d.root, a)]).toEqual([null, 'given', null]);
    add(d.root, newGroup('g', { en: 'G', zh: '组' }));
    add(d.root, newIndicator(ind('z')));
    expect(d.root.children.map((c) => c.name)).toEqual(['z', 'order', 'on', 'g']);
    expect(shift(d.root, d.root.children[1].id, -1)).toBe(false);
  });
  it('goalposts are where 0 and 100 points are, whatever the direction', () => {
    const n = { ...newIndicator(ind('a')), low: 1, high: 5 };
    expect(posts(n, 'more_is_worse')).toEqual({ worst: 5, best: 1 });
    setPost(n, 'worst', 9, 'more_is_worse');
    setPost(n, 'best', 2, 'more_is_worse');
    expect([n.low, n.high]).toEqual([2, 9]);
    expect(posts(n, 'more_is_better')).toEqual({ worst: 2, best: 9 });
  });
  it('judgements go from nine times as much to a ninth, and back', () => {
    for (let s = -8; s <= 8; s++) expect(stepOf(judgement(s))).toBe(s);
    const m = judged(equalMatrix(3), 0, 2, 4);
    expect([m[0][2], m[2][0], m[0][1]]).toEqual([5, 0.2, 1]);
    expect(pairs(4).length).toBe(6);
  });
  it('edits the draft, else what is in force, and counts versions on', () => {
    const def = (version: number, state: Definition['state'], name = 'safety'): Definition => ({ name, source: 'page', version, state, valid_from: null, yaml: `v${version}` });
    const items = [def(1, 'in_force'), def(4, 'in_force'), def(2, 'withdrawn'), def(9, 'in_force', 'other')];
    expect(toEdit(items, 'safety')?.yaml).toBe('v4');
    expect(toEdit([...items, def(0, 'draft')], 'safety')?.yaml).toBe('v0');
    expect(toEdit(items, 'none')).toBe(null);
    expect(nextVersion(items, 'safety')).toBe(5);
  });
  it('tells who would change places and colours', () => {
    const side = (rank: number | null, band: string | null): TriedArea['tried'] => ({ value: rank === null ? null : 50, band, rank });
    const area = (name: string, tried: TriedArea['tried'], was: TriedArea['in_force']): TriedArea => ({ area: name, name, tried, in_force: was });
    const list = [area('a', side(1, 'green'), side(4, 'green')), area('b', side(2, 'red'), side(1, 'green')), area('c', side(3, 'red'), side(3, 'red')), area('d', side(null, null), side(2, 'red')), area('e', side(5, 'red'), null)];
    expect(places(list).map((x) => [x.area.area, x.by])).toEqual([['a', 3], ['b', -1]]);
    expect(recoloured(list).map((x) => x.area)).toEqual(['b', 'd']);
  });
});

describe('text and outline', () => {
  type Any = Record<string, unknown>;
  /** The same with what stands for "not said" said: what two texts have to agree in. */
  const full = (v: Any): Any => {
    const children = (x: Any): Any => ({
      indicators: ((x.indicators ?? []) as Any[]).map((y) => ({ weight: 1, treat: {}, ...y })),
      groups: ((x.groups ?? []) as Any[]).map((y): Any => ({ weight: 1, ...y, ...children(y) })),
      weights: x.weights ?? (x.ahp ? { method: 'ahp', pairwise: x.ahp } : { method: 'given' }),
      ahp: undefined,
    });
    return { missing: 0.6, hysteresis: 0, valid_from: '', ...v, doubt: { weights: 0.25, ...(v.doubt as Any) }, mean: Array.isArray(v.mean) ? v.mean : [v.mean ?? 'arithmetic'], ...children(v) };
  };
  const leaf = raw.groups[0].indicators[0];
  const grouped = (more: Any): Any => ({ ...raw, groups: [{ ...raw.groups[0], ...more }, raw.groups[1]] });
  const inside = (more: Any): Any => grouped({ indicators: [{ ...leaf, ...more }, raw.groups[0].indicators[1]] });
  /** Every key that the server reads, with a value of its own. */
  const CASES: [string, Any][] = [
    ['index', { index: 'other' }],
    ['title', { title: { en: 'Yes: "no" # that', zh: '是' } }],
    ['stands_for', { stands_for: { en: 'A \\ backslash', zh: '又' } }],
    ['version', { version: 12 }],
    ['valid_from', { valid_from: '2027-02-01' }],
    ['levels', { levels: ['community'] }],
    ['periods', { periods: ['ten_day', 'year'] }],
    ['missing', { missing: 0.35 }],
    ['mean', { mean: 'geometric' }],
    ['mean, by level', { mean: ['harmonic', { power: -2.5 }, 'geometric'] }],
    ['hysteresis', { hysteresis: 2.5 }],
    ['doubt.weights', { doubt: { weights: 0.4 } }],
    ['doubt.means', { doubt: { weights: 0.1, means: ['harmonic', { power: 0.5 }, 'geometric'] } }],
    ['outcome', { outcome: 'fires' }],
    ['population', { population: 'vehicles' }],
    ['no outcome', { outcome: undefined, population: undefined }],
    ['bands', { bands: [{ band: 'no', title: { en: 'B', zh: '乙' }, color: '#ABCDEF', severity: 4, from: -3.5 }, { band: 'also no', title: { en: 'C', zh: '丙' }, color: '#000000', severity: 4, from: 60 }] }],
    ['indicators of the index itself', { indicators: [{ indicator: 'z', weight: 3, low: 1, high: 2 }] }],
    ['weights of the index itself', { weights: { method: 'entropy' } }],
    ['ahp, the older form', { ahp: [[1, 3], [1 / 3, 1]] }],
    ['group', grouped({ group: 'true' })],
    ['title of a group', grouped({ title: { en: 'O: "x"', zh: '序' } })],
    ['weight of a group', grouped({ weight: 0.25 })],
    ['groups in groups', grouped({ groups: [{ group: 'deep', title: { en: 'D', zh: '深' }, weight: 2, indicators: [{ indicator: 'q', low: 0, high: 1 }] }] })],
    ['weights: ahp', grouped({ weights: { method: 'ahp', accept_inconsistent: true, pairwise: [[1, 9], [1 / 9, 1]] } })],
    ['weights: pca', grouped({ weights: { method: 'pca' } })],
    ['weights: bod', grouped({ weights: { method: 'bod', least: 0.05, most: 0.8 } })],
    ['indicator', inside({ indicator: 'no' })],
    ['weight', inside({ weight: 0.125 })],
    ['low, high', inside({ low: -1.5, high: 1e6 })],
    ['treat.curve, shift', inside({ treat: { curve: 'log', shift: 0.5 } })],
    ['treat.lambda', inside({ treat: { curve: 'box_cox', shift: 2, lambda: -0.5 } })],
    ['treat.winsorise', inside({ treat: { winsorise: 4 } })],
  ];
  it.each(CASES)('keep %s', (_, more) => {
    const v = Object.fromEntries(Object.entries({ ...raw, ...more }).filter(([, x]) => x !== undefined));
    const d = readDoc(v);
    const text = writeDoc(d).text;
    const back = readYaml(text) as Any;
    expect(full(back)).toEqual(full(v));
    // And from that text once more, to the letter.
    expect(writeDoc(readDoc(back, text)).text).toBe(text);
  });
  it('name every key that the server knows', () => {
    const c = ['index_read.c', 'index_text.c'].map((f) => readFileSync(new URL(`../../src/domain/measure/${f}`, import.meta.url), 'utf8')).join('\n');
    const keys = new Set<string>();
    for (const m of c.matchAll(/keys\[\] = \{([^}]*)\}/g)) for (const w of m[1].matchAll(/"(\w+)"/g)) keys.add(w[1]);
    expect(keys.size).toBeGreaterThan(30);
    const told = JSON.stringify(CASES.map(([, v]) => v)) + JSON.stringify(raw);
    expect([...keys].filter((k) => !told.includes(`"${k}":`))).toEqual([]);
  });
  it('a text with a fault is an outline only where the outline wrote it', () => {
    const d = doc();
    d.root.children[0].children[0].high = -1;
    const own = writeDoc(d).text;
    expect(outlineOf({ ok: false, doc: readYaml(own) as Any }, own)?.root.children[0].children[0].high).toBe(-1);
    const typed = own.replace('weight: 2,', 'wieght: 2,');
    expect(outlineOf({ ok: false, doc: readYaml(typed) as Any }, typed)).toBe(null);
    expect(outlineOf({ ok: false, doc: null }, own)).toBe(null);
    expect(outlineOf({ ok: true, doc: raw as unknown as Any }, 'anything')?.outcome).toBe('serious_crimes');
  });
  it('remarks stay with their rows', () => {
    const text = ['# the index of the city', '# second line', 'index: safety  # its name', 'stands_for:', '  en: |', '    # no remark', '  zh: "a # b"', 'bands:', "  - {band: red, color: '#b3261e'} # the worst", 'groups:', '  # what people fear', '  - group: order', '    indicators:', '      # by the police', '      - {indicator: a, weight: 2}', '# end'].join('\n');
    expect(remarksOf(text)).toEqual({ index: ['the index of the city', 'second line', 'its name'], 'band red': ['the worst'], 'group order': ['what people fear'], 'indicator a': ['by the police'], '': ['end'] });
    const d = readDoc(raw as unknown as Any, text);
    const w = writeDoc(d);
    const lines = w.text.split('\n');
    expect(lines.slice(0, 4)).toEqual(['# the index of the city', '# second line', '# its name', 'index: safety']);
    expect(lines[lines.indexOf('  - group: order') - 1]).toBe('  # what people fear');
    expect(lines[lines.findIndex((l) => l.includes('indicator: a')) - 1]).toBe('      # by the police');
    expect(w.row.length).toBe(lines.length);
    expect(w.row[lines.findIndex((l) => l.includes('indicator: a')) + 1]).toBe(`n${d.root.children[0].children[0].id}`);
    expect(writeDoc(readDoc(raw as unknown as Any, w.text)).text).toBe(w.text);
    renamed(d, 'group', 'order', 'peace');
    d.root.children[0].name = 'peace';
    expect(writeDoc(d).text).toContain('  # what people fear\n  - group: peace');
  });
  it('what the server finds wrong has words here', () => {
    const c = ['index_read.c', 'index_text.c', 'document.c'].map((f) => readFileSync(new URL(`../../src/domain/measure/${f}`, import.meta.url), 'utf8')).join('\n');
    const said = [...c.matchAll(/(?:fault\(\s*(?:r|doc),[^"]*"|"%s:%d: )((?:[^"\\]|\\.)+)"/g)].map((m) => m[1].replace(/\\"/g, '"')).filter((x) => x.includes(' ') && !x.startsWith('%'));
    expect(said.length).toBeGreaterThan(25);
    for (const x of said) expect([x, FAULTS.some(([begin]) => x.startsWith(begin))]).toEqual([x, true]);
    const words = en.ie.fault as Record<string, string>;
    for (const [, key] of FAULTS) expect(words[key]).toBeTruthy();
    expect(faultWords('"missing": expected a number from 0 to 1, found 2')).toEqual({ key: 'range', with: { key: 'missing', low: '0', high: '1', found: '2' } });
    expect(faultWords('"low": expected a number, found text')).toEqual({ key: 'type', with: { key: 'low' }, wanted: 'number' });
    expect(faultWords('"wieght" is not known here; did you mean "weight"?')).toEqual({ key: 'unknown_near', with: { key: 'wieght', near: 'weight' } });
    expect(faultWords('there is no such indicator: "fyres"')).toEqual({ key: 'no_indicator', with: { found: 'fyres' } });
    expect(faultWords('order: the weights below it sum to 0')).toEqual({ key: 'weights_zero', with: { found: 'order' } });
    expect(faultWords('something new')).toBe(null);
  });
});

describe('shapes of areas', () => {
  const square = (x: number, y: number, id: string) => ({ id, properties: { name: id, label: [x + 0.5, y + 0.5] as [number, number] }, geometry: { type: 'Polygon', coordinates: [[[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1], [x, y]]] } });
  const shapes = readShapes([square(0, 0, 'a'), square(1, 0, 'b'), { id: 'c', properties: { name: 'c', label: null }, geometry: null }]);
  it('keeps the whole inside the box, north up, and neighbours on one line', () => {
    const l = layout(shapes, 212, 400, 6);
    expect(l?.width).toBe(212);
    expect(l?.at(0, 1)[0]).toBeCloseTo(6, 1);
    expect(l?.at(2, 0)[0]).toBeCloseTo(206, 1);
    expect((l?.at(0, 0)[1] ?? 0) > (l?.at(0, 1)[1] ?? 0)).toBe(true);
    const [a, b] = shapes.map((s) => (l ? pathOf(s, l) : ''));
    expect(a).toMatch(/^M[\d. ]+(L[\d. ]+){3}Z$/);
    expect(b.includes(a.split('L')[1])).toBe(true);
    expect(l ? roomAt(shapes[0], l) : 0).toBeCloseTo(100, 0);
    expect(l ? roomAt(shapes[2], l) : 1).toBe(0);
  });
  it('has no layout without any shape', () => {
    expect(layout(shapes.slice(2), 200, 200)).toBe(null);
  });
});
