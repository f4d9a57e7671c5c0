import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import enBriefing from '../src/locales/en/briefing';
import enEdit from '../src/locales/en/edit';
import enEmergency from '../src/locales/en/emergency';
import enIndex from '../src/locales/en/index';
import enPublic from '../src/locales/en/public';
import enStaff from '../src/locales/en/staff';
import enWarnings from '../src/locales/en/warnings';
import zhBriefing from '../src/locales/zh-CN/briefing';
import zhEdit from '../src/locales/zh-CN/edit';
import zhEmergency from '../src/locales/zh-CN/emergency';
import zhIndex from '../src/locales/zh-CN/index';
import zhPublic from '../src/locales/zh-CN/public';
import zhStaff from '../src/locales/zh-CN/staff';
import zhWarnings from '../src/locales/zh-CN/warnings';
import { firstLocale } from '../src/i18n';

type Tree = { [k: string]: string | Tree };
function flat(t: Tree, at = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [k, v] of Object.entries(t)) {
    const key = at ? `${at}.${k}` : k;
    if (typeof v === 'string') out.set(key, v);
    else for (const [kk, vv] of flat(v, key)) out.set(kk, vv);
  }
  return out;
}
function files(dir: string): string[] {
  return readdirSync(dir).flatMap((f) => {
    const p = join(dir, f);
    if (statSync(p).isDirectory()) return f === 'locales' ? [] : files(p);
    return /\.(vue|ts)$/.test(f) ? [p] : [];
  });
}
const slots = (s: string): string[] => Array.from(new Set(s.match(/\{\w+\}/g) ?? [])).sort();

const zh = { public: flat(zhPublic), staff: flat(zhStaff), index: flat(zhIndex), edit: flat(zhEdit), warnings: flat(zhWarnings), briefing: flat(zhBriefing), emergency: flat(zhEmergency) };
const en = { public: flat(enPublic), staff: flat(enStaff), index: flat(enIndex), edit: flat(enEdit), warnings: flat(enWarnings), briefing: flat(enBriefing), emergency: flat(enEmergency) };

describe('texts', () => {
  for (const part of ['public', 'staff', 'index', 'edit', 'warnings', 'briefing', 'emergency'] as const) {
    it(`${part}: both languages have the same keys and the same slots`, () => {
      expect(Array.from(zh[part].keys()).sort()).toEqual(Array.from(en[part].keys()).sort());
      for (const [key, text] of zh[part]) {
        expect(text.trim(), key).not.toBe('');
        expect(slots(en[part].get(key) ?? ''), key).toEqual(slots(text));
      }
    });
    it(`${part}: Chinese texts are Chinese, English ones are not`, () => {
      for (const [key, text] of en[part]) expect(/[\u4e00-\u9fff]/.test(text), key).toBe(false);
      for (const [key, text] of zh[part]) expect(/[\u4e00-\u9fff]/.test(text) || /^Open311$/.test(text) || /^[^\p{L}]+$/u.test(text), key).toBe(true);
    });
  }
  it('every key that the page asks for exists', () => {
    const all = new Set([...zh.public.keys(), ...zh.staff.keys(), ...zh.index.keys(), ...zh.edit.keys(), ...zh.warnings.keys(), ...zh.briefing.keys(), ...zh.emergency.keys()]);
    const missing: string[] = [];
    let asked = 0;
    for (const f of files(resolve(import.meta.dirname, '../src'))) {
      const source = readFileSync(f, 'utf8');
      for (const m of source.matchAll(/\bt\(\s*'([a-z0-9_]+(?:\.[a-z0-9_]+)*)'\s*[,)]/g)) {
        asked += 1;
        if (!all.has(m[1])) missing.push(`${f}: ${m[1]}`);
      }
      for (const m of source.matchAll(/\bt\([^()']*\? '([a-z_]+\.[a-z_]+)' : '([a-z_]+\.[a-z_]+)'/g)) {
        for (const k of [m[1], m[2]]) if (!all.has(k)) missing.push(`${f}: ${k}`);
      }
      for (const m of source.matchAll(/'((?:title|nav)\.[a-z_]+)'/g)) if (!all.has(m[1])) missing.push(`${f}: ${m[1]}`);
    }
    expect(missing).toEqual([]);
    expect(asked).toBeGreaterThan(300);
  });
  it('a resident needs the public texts only', () => {
    const residents = ['ReportView', 'FollowView', 'SignInView', 'SetupView', 'ResetView', 'LostView', 'CellCardView'].map((v) => `views/${v}.vue`);
    const parts = ['DoneCard', 'ClassPicker', 'PlacePicker', 'PartiesForm', 'PhotoInput', 'PhotoGrid', 'MoveForm', 'RouteList', 'MapView', 'AppFooter', 'ErrorNote', 'LightMark'].map((v) => `components/${v}.vue`);
    const missing: string[] = [];
    for (const f of [...residents, ...parts]) {
      const source = readFileSync(resolve(import.meta.dirname, '../src', f), 'utf8');
      for (const m of source.matchAll(/\bt\(\s*'([a-z0-9_]+(?:\.[a-z0-9_]+)*)'\s*[,)]/g)) if (!zh.public.has(m[1])) missing.push(`${f}: ${m[1]}`);
    }
    expect(missing).toEqual([]);
  });
  it('takes the language that was chosen, then the browser, then Chinese', () => {
    expect(firstLocale('en', ['zh-CN'])).toBe('en');
    expect(firstLocale(null, ['fr', 'en-US'])).toBe('en');
    expect(firstLocale(null, ['zh-TW'])).toBe('zh-CN');
    expect(firstLocale('xx', [])).toBe('zh-CN');
  });
});
