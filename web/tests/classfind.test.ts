import { readFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findClasses, groupClasses } from '../src/lib/classfind';
import { home, staffLinks } from '../src/lib/nav';
import type { CaseClass } from '../src/lib/types';

const one = (kind: string, code: string, zh: string, en: string, major = '01'): CaseClass => ({
  id: `${kind}-${code}`, kind, code, title: { zh, en }, major: { code: major, zh: '市容环境', en: 'City appearance' }, needs_place: true, urgent: false, private: false, process: 'street',
});
const list = [
  one('component', '0103', '雨水井盖', 'Storm-drain manhole cover'),
  one('event', '0102', '暴露垃圾', 'Exposed refuse'),
  one('event', '0110', '道路破损', 'Damaged road surface'),
  one('dispute', '02', '邻里纠纷', 'Neighbours'),
];

describe('finding a class in one’s own words', () => {
  it('by title, code and common words, in both languages', () => {
    expect(findClasses(list, '垃圾')[0].id).toBe('event-0102');
    expect(findClasses(list, '0110')[0].id).toBe('event-0110');
    expect(findClasses(list, 'pothole')[0].id).toBe('event-0110');
    expect(findClasses(list, '楼上漏水')[0].id).toBe('dispute-02');
    expect(findClasses(list, 'Manhole')[0].id).toBe('component-0103');
    expect(findClasses(list, '路上有坑').map((c) => c.id)).toContain('event-0110');
  });
  it('finds nothing for nothing', () => {
    expect(findClasses(list, '  ')).toEqual([]);
    expect(findClasses(list, 'qqqq')).toEqual([]);
  });
  it('finds each class of the shipped lists by its own titles', () => {
    const shared = resolve(import.meta.dirname, '../../../shared/design/codes/gbt30428_events.csv');
    if (!existsSync(shared)) return;
    const rows = readFileSync(shared, 'utf8').trim().split('\n').slice(1).map((l) => l.split(',')).filter((r) => r[0] && r[3] === 'event');
    const all = rows.map((r) => one('event', r[0], r[1], r[2]));
    for (const c of all) expect(findClasses(all, c.title.zh)[0].title.zh).toContain(c.title.zh);
  });
  it('groups with what people report most first', () => expect(groupClasses(list).map((g) => g.kind)).toEqual(['event', 'dispute', 'component']));
});

describe('links follow the grants, not the name of a role', () => {
  const can = (...have: string[]) => (...names: string[]) => names.some((n) => have.includes(n));
  it('a worker has no desk, an operator starts there, administrators see no cases', () => {
    expect(staffLinks(can('case.read', 'case.move', 'count.read', 'grid.read')).map((l) => l.to)).not.toContain('/desk');
    expect(home(can('case.read', 'case.move', 'count.read', 'grid.read', 'post.manage'))).toBe('/desk');
    const admin = staffLinks(can('account.read', 'account.manage', 'grid.read', 'pack.read')).map((l) => l.to);
    expect(admin).toContain('/admin/accounts');
    expect(admin).not.toContain('/cases');
    expect(home(can('audit.read'))).toBe('/admin/audit');
    expect(home(can())).toBe('/account');
  });
});
