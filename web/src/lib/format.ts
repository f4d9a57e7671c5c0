/** Times, codes and distances in words a person reads. Pure: `now` is always given. */

export type LocaleName = 'zh-CN' | 'en';

const formats = new Map<string, Intl.DateTimeFormat>();
function formatter(locale: string, zone: string | undefined, kind: 'time' | 'day' | 'full'): Intl.DateTimeFormat {
  const key = `${locale}|${zone ?? ''}|${kind}`;
  let f = formats.get(key);
  if (!f) {
    const o: Intl.DateTimeFormatOptions =
      kind === 'time'
        ? { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
        : kind === 'day'
          ? { month: 'short', day: 'numeric', weekday: 'short' }
          : { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    try {
      f = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { ...o, timeZone: zone });
    } catch {
      f = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, o);
    }
    formats.set(key, f);
  }
  return f;
}

function parse(iso: string | null | undefined): Date | null {
  if (!iso) return null;
  const d = new Date(iso);
  return Number.isNaN(d.getTime()) ? null : d;
}

/** "2026年11月22日 19:42" or "22 Nov 2026, 19:42", in the city's zone. Empty for no time. */
export function dateTime(iso: string | null | undefined, locale: string, zone?: string): string {
  const d = parse(iso);
  return d ? formatter(locale, zone, 'full').format(d) : '';
}
/** Day and time without the year, for lists. */
export function shortTime(iso: string | null | undefined, locale: string, zone?: string): string {
  const d = parse(iso);
  return d ? `${formatter(locale, zone, 'day').format(d)} ${formatter(locale, zone, 'time').format(d)}` : '';
}

export interface Words {
  key: string;
  n: number;
}
/** How long in the largest fitting unit; rounds down, never below one minute. */
export function span(ms: number): { unit: 'minute' | 'hour' | 'day'; n: number } {
  const minutes = Math.max(1, Math.floor(ms / 60_000));
  if (minutes < 90) return { unit: 'minute', n: minutes };
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return { unit: 'hour', n: hours };
  return { unit: 'day', n: Math.floor(hours / 24) };
}
/** Message key and count for a deadline: `due.in_hour` 2, `due.over_day` 3. Null without a deadline. */
export function dueWords(due: string | null | undefined, now: number): Words | null {
  const d = parse(due);
  if (!d) return null;
  const left = d.getTime() - now;
  const s = span(Math.abs(left));
  return { key: `due.${left >= 0 ? 'in' : 'over'}_${s.unit}`, n: s.n };
}
/** Message key and count for a moment in the past: `ago.hour` 2; `ago.now` under a minute. */
export function agoWords(at: string | null | undefined, now: number): Words | null {
  const d = parse(at);
  if (!d) return null;
  const ms = now - d.getTime();
  if (ms < 60_000) return { key: 'ago.now', n: 0 };
  const s = span(ms);
  return { key: `ago.${s.unit}`, n: s.n };
}

/** Groups of four, easier to read and to type: "ABCD EFGH". Leaves the parts of a case code alone. */
export function spaced(code: string): string {
  if (code.includes('-')) return code;
  return code.replace(/(.{4})(?=.)/g, '$1 ');
}
/** One character after another, so that a screen reader spells it. */
export function spelled(code: string): string {
  return Array.from(code.replace(/\s+/g, '')).join(' ');
}
/** What a person typed or pasted, as the server knows it: a case code or a follow word. */
export function tidyCode(text: string): string {
  return text
    .normalize('NFKC')
    .trim()
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/\s+/g, '')
    .toUpperCase();
}
/** A follow word as typed: spaces and hyphens between its groups do not count. */
export function tidyWord(text: string): string {
  return tidyCode(text).replace(/-/g, '');
}

export function distance(m: number, locale: string): string {
  if (m < 1000) return locale === 'en' ? `${Math.round(m)} m` : `${Math.round(m)} 米`;
  const km = (m / 1000).toFixed(1);
  return locale === 'en' ? `${km} km` : `${km} 公里`;
}
/** "Chrome, Android" out of what a browser says of itself; its own words where they are not known. */
export function browserName(agent: string): string {
  const find = (rows: [RegExp, string][]): string => rows.find(([r]) => r.test(agent))?.[1] ?? '';
  const browser = find([[/MicroMessenger/, 'WeChat'], [/Edg/, 'Edge'], [/Firefox/, 'Firefox'], [/Chrom(e|ium)/, 'Chrome'], [/Safari/, 'Safari']]);
  const system = find([[/HarmonyOS/, 'HarmonyOS'], [/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS/, 'macOS'], [/Linux/, 'Linux']]);
  return browser ? [browser, system].filter(Boolean).join(', ') : agent;
}
/** Degrees with five decimals, about a metre. */
export function degrees(lon: number, lat: number): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}
