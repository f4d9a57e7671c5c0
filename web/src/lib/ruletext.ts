/** The few common keys of a warning rule in its YAML text, read and set line by line: comments and all the rest stay as they are. Pure. */

/** Keys that the form knows, in the order of the form; each is one line `key: value`. */
export const FIELDS = ['color', 'min', 'recurrence', 'alpha', 'raise', 'clear', 'ratio', 'window', 'history', 'max_days', 'max_radius_m', 'gap_times', 'periods', 'look'] as const;
export type Field = (typeof FIELDS)[number];
/** Those that the method reads. */
const BY_METHOD: Record<string, readonly Field[]> = {
  scan: ['recurrence', 'max_days', 'max_radius_m', 'history'],
  threshold: ['raise', 'clear', 'window'],
  change: ['ratio', 'alpha', 'window', 'history'],
  silence: ['gap_times', 'alpha', 'history'],
  cusum: ['history'],
  ears_c1: ['alpha', 'history'],
  ears_c2: ['alpha', 'history'],
  ears_c3: ['alpha', 'history'],
  farrington_flexible: ['alpha'],
  indicator: ['raise', 'clear', 'periods', 'look'],
  index_color: ['look'],
  overdue_share: ['raise', 'clear', 'window'],
};
/** They judge a value, not a number of cases. */
const ON_FIGURES = ['indicator', 'index_color'];
export function fieldsOf(method: string): Field[] {
  return ['color', ...(ON_FIGURES.includes(method) ? [] : (['min'] as const)), ...(BY_METHOD[method] ?? [])];
}

function lineOf(key: string): RegExp {
  return new RegExp(`^(\\s*(?:-\\s+)?${key}:[ \\t]*)([^#\\r\\n]*?)([ \\t]*(?:#.*)?)$`, 'm');
}
/** The value of a key as it stands, without quotes; null when the text does not have it on a line of its own. */
export function readField(yaml: string, key: string): string | null {
  const m = lineOf(key).exec(yaml);
  return m ? m[2].trim().replace(/^(["'])(.*)\1$/, '$2') : null;
}
/** The text with the key set. A key that is missing is added below the rule's name, as far in as the others; an empty value takes the line out. */
export function writeField(yaml: string, key: string, value: string): string {
  const line = lineOf(key);
  const clean = value.trim();
  if (line.test(yaml)) {
    if (clean !== '') return yaml.replace(line, (_, before: string, __, after: string) => (before.endsWith(' ') ? before : `${before} `) + clean + after);
    // The line that opens a list entry carries the dash and has to stay.
    return yaml.replace(new RegExp(`^[ \\t]*${key}:.*(?:\\r?\\n|$)`, 'm'), '');
  }
  if (clean === '') return yaml;
  const name = /^([ \t]*)(-[ \t]+)?rule:.*$/m.exec(yaml);
  if (!name) return `${yaml.replace(/\s*$/, '')}\n${key}: ${clean}\n`;
  const indent = name[1] + ' '.repeat(name[2]?.length ?? 0);
  const at = name.index + name[0].length;
  return `${yaml.slice(0, at)}\n${indent}${key}: ${clean}${yaml.slice(at)}`;
}
/** The reason why a value cannot be meant; null when it can. The server checks the rest. */
export function wrongField(key: Field, value: string): 'number' | 'positive' | 'share' | null {
  const v = value.trim();
  if (key === 'color' || v === '') return null;
  const n = Number(v);
  if (!Number.isFinite(n)) return 'number';
  if (key === 'alpha') return n > 0 && n < 1 ? null : 'share';
  if (key === 'clear') return n >= 0 ? null : 'positive';
  return n > 0 ? null : 'positive';
}
