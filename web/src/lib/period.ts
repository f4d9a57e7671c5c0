/** Periods of figures as the server writes them: `2026-08-05`, `2026-08-T2`, `2026-08`, `2026`. Pure. */

export type PeriodKind = 'day' | 'ten_day' | 'month' | 'year';
export const PERIOD_KINDS: readonly PeriodKind[] = ['day', 'ten_day', 'month', 'year'];

export interface Period {
  kind: PeriodKind;
  year: number;
  /** 1 to 12; 1 for a year. */
  month: number;
  /** Day of the month, or 1 to 3 for ten days; 1 otherwise. */
  part: number;
}

const two = (n: number): string => String(n).padStart(2, '0');

export function parsePeriod(text: string): Period | null {
  const m = /^(\d{4})(?:-(\d{2})(?:-(?:T([1-3])|(\d{2})))?)?$/.exec(text);
  if (!m) return null;
  const year = Number(m[1]);
  const month = m[2] ? Number(m[2]) : 1;
  if (month < 1 || month > 12) return null;
  if (m[3]) return { kind: 'ten_day', year, month, part: Number(m[3]) };
  if (!m[4]) return { kind: m[2] ? 'month' : 'year', year, month, part: 1 };
  const day = Number(m[4]);
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate() ? { kind: 'day', year, month, part: day } : null;
}
export function formatPeriod(p: Period): string {
  if (p.kind === 'year') return String(p.year);
  const month = `${p.year}-${two(p.month)}`;
  return p.kind === 'month' ? month : p.kind === 'ten_day' ? `${month}-T${p.part}` : `${month}-${two(p.part)}`;
}
/** n periods later of the same kind; n below 0: earlier. */
export function stepPeriod(p: Period, n: number): Period {
  if (p.kind === 'year') return { ...p, year: p.year + n };
  if (p.kind === 'day') {
    const d = new Date(Date.UTC(p.year, p.month - 1, p.part + n));
    return { kind: 'day', year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, part: d.getUTCDate() };
  }
  const per = p.kind === 'ten_day' ? 3 : 1;
  const at = (p.year * 12 + p.month - 1) * per + (p.part - 1) + n;
  const months = Math.floor(at / per);
  return { ...p, year: Math.floor(months / 12), month: (months % 12) + 1, part: (at % per) + 1 };
}
/** First day, `2026-08-11`. Texts of days compare like the days. */
export function firstDay(p: Period): string {
  return `${p.year}-${two(p.month)}-${two(p.kind === 'day' ? p.part : p.kind === 'ten_day' ? p.part * 10 - 9 : 1)}`;
}
export function lastDay(p: Period): string {
  if (p.kind === 'day') return firstDay(p);
  const month = p.kind === 'year' ? 12 : p.month;
  if (p.kind === 'ten_day' && p.part < 3) return `${p.year}-${two(month)}-${two(p.part * 10)}`;
  return `${p.year}-${two(month)}-${two(new Date(Date.UTC(p.year, month, 0)).getUTCDate())}`;
}
/** The period of a kind that holds a day. */
export function periodOf(kind: PeriodKind, day: string): Period {
  const [year, month, d] = day.split('-').map(Number);
  const part = kind === 'day' ? d : kind === 'ten_day' ? Math.min(3, Math.ceil(d / 10)) : 1;
  return { kind, year, month: kind === 'year' ? 1 : month, part };
}
/** The same stretch of time in another kind: a longer one holds it, of shorter ones the last that is over by `today`. */
export function changeKind(p: Period, kind: PeriodKind, today: string): Period {
  const end = lastDay(p);
  const to = periodOf(kind, end < today ? end : today);
  return lastDay(to) < today || firstDay(to) <= firstDay(p) ? to : stepPeriod(to, -1);
}
/** The next longer kind among those that are formed; null when there is none. */
export function longerKind(kind: PeriodKind, formed: readonly string[]): PeriodKind | null {
  return PERIOD_KINDS.slice(PERIOD_KINDS.indexOf(kind) + 1).find((k) => formed.includes(k)) ?? null;
}

/** "October 2026", "1–10 October 2026", "5 October 2026"; "2026年10月", "2026年10月上旬", "2026年10月5日". */
export function periodWords(text: string, locale: string): string {
  const p = parsePeriod(text);
  if (!p) return text;
  if (locale !== 'en') {
    if (p.kind === 'year') return `${p.year}年`;
    const month = `${p.year}年${p.month}月`;
    return p.kind === 'month' ? month : p.kind === 'day' ? `${month}${p.part}日` : month + '上中下'[p.part - 1] + '旬';
  }
  if (p.kind === 'year') return String(p.year);
  const month = `${new Intl.DateTimeFormat('en-GB', { month: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(p.year, p.month - 1, 1)))} ${p.year}`;
  if (p.kind === 'month') return month;
  const from = Number(firstDay(p).slice(8));
  return p.kind === 'day' ? `${from} ${month}` : `${from}–${Number(lastDay(p).slice(8))} ${month}`;
}
/** Short enough for an axis: "10/26", "10-2", "5.10." would need a key; so month and year, or day and month. */
export function periodTick(text: string): string {
  const p = parsePeriod(text);
  if (!p) return text;
  if (p.kind === 'year') return String(p.year);
  if (p.kind === 'month') return `${two(p.month)}/${String(p.year).slice(2)}`;
  return firstDay(p).slice(5);
}
