import { describe, expect, it } from 'vitest';
import { hasValues, path, sections, steps, type BriefingItem, type BriefingStep } from '../src/lib/briefing';

const item = (id: number, state: BriefingItem['state']): BriefingItem => ({ id, state }) as BriefingItem;

describe('briefings', () => {
  it('puts what waits for somebody first and leaves empty groups out', () => {
    const s = sections([item(5, 'signed'), item(4, 'draft'), item(3, 'signed')]);
    expect(s.map((g) => [g.state, g.items.map((x) => x.id)])).toEqual([['draft', [4]], ['signed', [5, 3]]]);
    expect(sections([])).toEqual([]);
  });
  it('draws rings with their holes, and leaves out what is no area', () => {
    expect(path({ area: 'a', label: [0, 0], rings: [[0, 0, 10, 0, 10, 10], [2, 2, 3, 2, 3, 3], [1, 1, 2, 2]] })).toBe('M0 0L10 0L10 10ZM2 2L3 2L3 3Z');
  });
  it('hands steps to the plot, what is told together as the last', () => {
    const step: BriefingStep = { node: 'n', title: { en: 'N', zh: '数' }, change: 1.5, raw: 2, raw_before: 1, state: 'ok', unit: { en: '%', zh: '%' } };
    const made = steps({ steps: [step, { ...step, node: 'm', change: -2 }], rest: -0.4, n_rest: 3, sentences: [] }, 80);
    expect(made.map((x) => [x.node, x.why, x.from, x.to])).toEqual([['n', 'indicator', 80, 81.5], ['m', 'indicator', 81.5, 79.5], ['', 'rest', 79.5, 79.1]]);
    expect(steps({ steps: [step], rest: 0, n_rest: 0, sentences: [] }, 80)).toHaveLength(1);
  });
  it('knows whether there is anything to draw', () => {
    expect(hasValues([{ value: null }, { value: 0 }])).toBe(true);
    expect(hasValues([{ value: null }])).toBe(false);
    expect(hasValues(null)).toBe(false);
  });
});
