import { describe, expect, it } from 'vitest';
import { fieldsOf, readField, writeField, wrongField } from '../src/lib/ruletext';
import {
  about, boxOf, byNeed, byUnit, columns, countTicks, daysOf, enoughClosed, heldRows, inSentence, lastByRule, levelName, OPEN_STATES, overBand, rarity, ring, roundRadius, sawShape, strongest,
  type Color, type Signal, type Supervision,
} from '../src/lib/warn';

const item = (code: string, color: Color, due_at: string | null = null, raised = '2026-07-01') => ({ code, color, due_at, raised });
const signal = (more: Partial<Signal>): Signal => ({ rule: 'r', title: { en: 'R', zh: '则' }, color: 'yellow', level: 'city', method: 'ears_c2', day: '2026-07-03', from: '2026-07-03', observed: 5, expected: 1, ...more });
const task = (code: string, unit: string | null, due_at: string | null): Supervision => ({ code, about: 'A', level: 'notice', unit, unit_name: unit, opened_at: '2026-07-01T00:00:00Z', due_at, state: 'notice', waited_days: 1, version: 1 });

describe('the board of warnings', () => {
  it('what waits for me comes first, then the colour, then the limit', () => {
    const list = [item('a', 'yellow'), item('b', 'red', '2026-07-09T00:00:00Z'), item('c', 'red', '2026-07-05T00:00:00Z'), item('d', 'blue')];
    expect(byNeed(list, new Set()).map((x) => x.code)).toEqual(['c', 'b', 'a', 'd']);
    expect(byNeed(list, new Set(['d'])).map((x) => x.code)).toEqual(['d', 'c', 'b', 'a']);
    expect(byNeed([item('old', 'red', null, '2026-06-01'), item('new', 'red', null, '2026-07-01')], new Set()).map((x) => x.code)).toEqual(['new', 'old']);
  });
  it('a state that is not known keeps its warnings', () => {
    const c = columns([{ state: 'raised' }, { state: 'strange' }, { state: 'verified' }], OPEN_STATES);
    expect(c.map((x) => [x.state, x.items.length])).toEqual([['raised', 1], ['acknowledged', 0], ['studied', 0], ['measured', 0], ['evidenced', 0], ['verified', 1], ['strange', 1]]);
  });
});
describe('what a rule saw', () => {
  it('days of a window count both ends, over the change of a month and of summer time', () => {
    expect(daysOf('2026-07-03', '2026-07-03')).toBe(1);
    expect(daysOf('2026-03-28', '2026-03-30')).toBe(3);
    expect(daysOf('2026-06-30T00:00:00Z', '2026-07-01T23:00:00Z')).toBe(2);
  });
  it('how rare, in the unit that a person uses', () => {
    expect(rarity(null)).toBeNull();
    expect(rarity(Number.NaN)).toBeNull();
    expect(rarity(0.2)).toEqual({ unit: 'days', n: 1 });
    expect(rarity(45)).toEqual({ unit: 'days', n: 45 });
    expect(rarity(365)).toEqual({ unit: 'months', n: 12 });
    expect(rarity(1461)).toEqual({ unit: 'years', n: 4 });
    expect(rarity(1e12)).toEqual({ unit: 'rarer', n: 100 });
  });
  it('an expected number below one is not rounded to nothing', () => {
    expect(about(0.2)).toEqual({ key: 'less', n: 1 });
    expect(about(0.9)).toEqual({ key: 'about', n: 1 });
    expect(about(12.4)).toEqual({ key: 'about', n: 12 });
    expect(about(null)).toBeNull();
  });
  it('a radius is a length to pace out', () => {
    expect(roundRadius(0)).toBe(0);
    expect(roundRadius(3)).toBe(10);
    expect(roundRadius(296)).toBe(300);
    expect(roundRadius(1234)).toBe(1250);
  });
  it('the sentence follows the method and the place', () => {
    expect(sawShape(signal({ method: 'silence', level: 'community', places: ['c1'] }))).toBe('silence');
    expect(sawShape(signal({ method: 'scan', level: 'point', lon: 118, lat: 32 }))).toBe('circle');
    expect(sawShape(signal({ method: 'threshold', level: 'town', places: ['t1'] }))).toBe('place');
    expect(sawShape(signal({ places: [] }))).toBe('city');
    expect(sawShape(signal({ method: 'change', level: 'point', places: [], lon: 118, lat: 32 }))).toBe('circle');
    expect(['index_color', 'overdue_share', 'indicator'].map((method) => sawShape(signal({ method, level: 'town', places: ['t1'] })))).toEqual(['band', 'late', 'figure']);
    expect(sawShape(signal({ level: 'city', places: ['320000'] }))).toBe('city');
  });
  it('a class title inside an English sentence', () => {
    expect(inSentence('Street tree')).toBe('street tree');
    expect(inSentence('EV charging')).toBe('EV charging');
    expect(inSentence('行道树')).toBe('行道树');
  });
  it('one signal a rule: that of the last day, the strongest of it', () => {
    const list = [signal({ rule: 'x', day: '2026-07-01', observed: 50 }), signal({ rule: 'x', day: '2026-07-03', observed: 7 }), signal({ rule: 'x', day: '2026-07-03', observed: 9 }), signal({ rule: 'y', color: 'red' })];
    expect(lastByRule(list).map((s) => [s.rule, s.observed])).toEqual([['y', 5], ['x', 9]]);
    expect(strongest([signal({ recurrence_days: 10 }), signal({ recurrence_days: 400 })])[0].recurrence_days).toBe(400);
  });
  it('what the guards removed leaves out what they let through', () => {
    expect(heldRows({ kept: 90, repeat: 2, batch: 0, default_point: 5 })).toEqual([{ guard: 'default_point', n: 5 }, { guard: 'repeat', n: 2 }]);
    expect(heldRows(null)).toEqual([]);
  });
});
describe('supervision', () => {
  it('units that are late come first, without a unit last', () => {
    const now = Date.parse('2026-07-10T00:00:00Z');
    const g = byUnit([task('1', null, '2026-07-20T00:00:00Z'), task('2', 'u1', '2026-07-15T00:00:00Z'), task('3', 'u2', '2026-07-09T00:00:00Z'), task('4', 'u2', '2026-07-01T00:00:00Z'), task('5', 'u1', null)], now);
    expect(g.map((x) => [x.unit, x.overdue, x.items.map((i) => i.code).join('')])).toEqual([['u2', 2, '43'], ['u1', 0, '25'], ['', 0, '1']]);
  });
  it('levels as number or as word', () => {
    expect([levelName(1), levelName(2), levelName(3), levelName(9), levelName('letter'), levelName('?')]).toEqual(['notice', 'letter', 'check', 'check', 'letter', 'notice']);
  });
  it('under ten closed warnings nothing is said of a rule', () => {
    const q = { raised: 30, closed: 8, false: 1, open: 21, false_share: 0.1, lead_days_median: 2, acted_share: 0.5 };
    expect(enoughClosed(q)).toBe(false);
    expect(enoughClosed({ ...q, closed: 9 })).toBe(true);
    expect(enoughClosed(null)).toBe(false);
  });
});
describe('what is drawn', () => {
  it('a circle is closed and as wide as it says', () => {
    const r = ring(118.8, 32, 300);
    expect(r[0]).toEqual(r[r.length - 1]);
    const [w, s, e, n] = boxOf(r) ?? [0, 0, 0, 0];
    expect(((n - s) * 111_320) / 2).toBeCloseTo(300, 0);
    expect(((e - w) * 111_320 * Math.cos((32 * Math.PI) / 180)) / 2).toBeCloseTo(300, 0);
    expect(boxOf([])).toBeNull();
  });
  it('an axis of counts has few whole steps and reaches the top', () => {
    for (const top of [0, 1, 3, 4, 7, 12, 99, 708]) {
      const k = countTicks(top);
      expect(k[0]).toBe(0);
      expect(k[k.length - 1]).toBeGreaterThanOrEqual(Math.max(1, top));
      expect(k.length).toBeLessThanOrEqual(6);
      expect(k.every((v) => Number.isInteger(v))).toBe(true);
    }
  });
  it('days over the band', () => {
    const d = (day: string, observed: number, upper: number | null) => ({ day, observed, expected: 1, upper });
    expect(overBand([d('1', 3, 3), d('2', 4, 3), d('3', 9, null)]).map((x) => x.day)).toEqual(['2']);
  });
});
describe('the text of a rule', () => {
  const yaml = 'rules:\n  - rule: cluster\n    title: {en: Cluster, zh: 聚集}\n    method: scan # prospective\n    min: 5   # fewest\n    color: "yellow"\n';
  it('reads a value without quotes and comments', () => {
    expect(readField(yaml, 'min')).toBe('5');
    expect(readField(yaml, 'color')).toBe('yellow');
    expect(readField(yaml, 'method')).toBe('scan');
    expect(readField(yaml, 'rule')).toBe('cluster');
    expect(readField(yaml, 'alpha')).toBeNull();
  });
  it('sets one line and nothing else', () => {
    const next = writeField(yaml, 'min', '8');
    expect(next).toBe(yaml.replace('min: 5', 'min: 8'));
    expect(readField(writeField(next, 'color', 'red'), 'color')).toBe('red');
  });
  it('adds what is missing where the others stand, and takes out what is emptied', () => {
    const more = writeField(yaml, 'recurrence', '365');
    expect(more).toContain('  - rule: cluster\n    recurrence: 365\n    title:');
    expect(writeField(more, 'recurrence', '')).toBe(yaml);
    expect(writeField('rule: x\nmethod: scan\n', 'min', '3')).toBe('rule: x\nmin: 3\nmethod: scan\n');
    expect(writeField(yaml, 'alpha', ' ')).toBe(yaml);
  });
  it('a key is not found inside another', () => {
    expect(readField('rule: x\nmax_days: 7\n', 'days')).toBeNull();
    expect(writeField('rule: x\nmin: \n', 'min', '4')).toBe('rule: x\nmin: 4\n');
  });
  it('fields by method, and values that cannot be meant', () => {
    expect(fieldsOf('scan')).toContain('recurrence');
    expect(fieldsOf('silence')).not.toContain('recurrence');
    expect(fieldsOf('index_color')).toEqual(['color', 'look']);
    expect(fieldsOf('unknown')).toEqual(['color', 'min']);
    expect([wrongField('min', 'x'), wrongField('min', '0'), wrongField('alpha', '2'), wrongField('clear', '0'), wrongField('alpha', '0.01'), wrongField('min', '')]).toEqual(['number', 'positive', 'share', null, null, null]);
  });
});
