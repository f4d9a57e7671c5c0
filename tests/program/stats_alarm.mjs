/** gezhi alarm and gezhi alarm evaluate: golden JSON of the samples, CSV, pictures, wrong use, malformed input. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fresh, gezhi, gezhiOk, must, ROOT, test } from './lib.mjs';

const sample = (name) => join(ROOT, 'samples', name);
const golden = (name) => join(ROOT, 'tests/golden/stats', name);

/** Equal JSON, numbers to 1e-9 relative: libraries of mathematics differ in the last bit. */
function close(found, expected, where) {
  if (typeof found === 'number' && typeof expected === 'number') {
    must(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${where}: found ${found}, expected ${expected}`);
  } else if (found !== null && expected !== null && typeof found === 'object' && typeof expected === 'object') {
    equal(Object.keys(found), Object.keys(expected), `${where}: members`);
    for (const k of Object.keys(expected)) close(found[k], expected[k], `${where}.${k}`);
  } else equal(found, expected, where);
}
function checkGolden(name, args) {
  const r = JSON.parse(gezhiOk(args).out);
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden(name), `${JSON.stringify(r, null, 1)}\n`);
  close(r, JSON.parse(readFileSync(golden(name), 'utf8')), name);
  return r;
}
const WEEKLY = ['alarm', '--series', sample('alarm_weekly.csv')];
const DAILY = ['alarm', '--series', sample('alarm_outbreaks.csv')];

test('alarm: golden JSON of the samples by each method', () => {
  mkdirSync(join(ROOT, 'tests/golden/stats'), { recursive: true });
  const rows = [
    ['alarm_flexible.json', [...WEEKLY, '--method', 'farrington-flexible', '--years', '3', '--last', '20']],
    ['alarm_classic.json', [...WEEKLY, '--method', 'farrington', '--years', '4', '--last', '6', '--by-date', 'no']],
    ['alarm_population.json', [...WEEKLY, '--method', 'farrington-flexible', '--years', '3', '--last', '5', '--population-offset', 'yes', '--threshold', 'muan']],
    ['alarm_c2.json', [...DAILY, '--method', 'c2', '--from', '2024-11-15']],
    ['alarm_c3.json', [...DAILY, '--method', 'c3', '--last', '9', '--published', 'yes']],
    ['alarm_cusum.json', [...DAILY, '--method', 'cusum', '--history', '320', '--transform', 'pearsonNegBin', '--dispersion', '0.1']],
    ['alarm_glr.json', [...DAILY, '--method', 'glr', '--history', '315', '--dispersion', '0.05']],
    ['alarm_bayes.json', [...DAILY, '--method', 'bayes1', '--last', '8', '--holidays', sample('alarm_holidays.csv')]],
    ['alarm_ewma.json', [...DAILY, '--method', 'ewma', '--last', '8', '--weekday-weeks', '6']],
  ];
  for (const [name, args] of rows) {
    const r = checkGolden(name, [...args, '--json']);
    must(r.groups.length === 2 && r.groups.every((g) => g.dates.length > 0), `${name}: groups`);
    for (const g of r.groups) {
      equal(g.alarms, g.dates.filter((d) => d.alarm).length, `${name}: alarms of ${g.group}`);
      for (const d of g.dates) {
        equal(Object.keys(d).slice(0, 8), ['date', 'observed', 'expected', 'upper', 'alarm', 'score', 'p_value', 'state'], 'members of a date');
        must((d.upper === null) === (d.state !== 'ok'), `${name}: ${JSON.stringify(d)}`);
      }
    }
    equal(r.verified, !/bayes|ewma|c3/.test(name), `${name}: verified`);
  }
});

test('alarm: CSV and JSON say the same, threads change no byte, rows may come in any order', () => {
  const args = [...WEEKLY, '--method', 'farrington-flexible', '--years', '3', '--last', '40'];
  const json = gezhiOk([...args, '--json', '--threads', '1']).out;
  for (const n of ['2', '4']) equal(gezhiOk([...args, '--json', '--threads', n]).out, json, `${n} threads`);
  const lines = readFileSync(sample('alarm_weekly.csv'), 'utf8').trim().split('\n');
  const turned = `${fresh('turned')}.csv`;
  writeFileSync(turned, [lines[0], ...lines.slice(1).reverse()].join('\n'));
  equal(gezhiOk(['alarm', '--series', turned, ...args.slice(3), '--json']).out, json, 'rows turned round');
  const csv = gezhiOk([...args, '--csv', '-']).out.trim().split('\n');
  equal(csv[0], 'group,date,observed,expected,upper,alarm,score,p_value,state', 'the head');
  const flat = JSON.parse(json).groups.flatMap((g) => g.dates.map((d) => [g.group, d.date, d.observed, d.expected, d.upper, d.alarm ? 1 : 0, d.score, d.p_value, d.state]));
  equal(csv.slice(1).map((l) => l.split(',').map((x) => (x === '' ? null : Number.isNaN(Number(x)) ? x : Number(x)))), flat, 'rows');
});

test('alarm: the report and the pictures', () => {
  const svg = fresh('plot');
  const r = gezhiOk([...WEEKLY, '--method', 'farrington-flexible', '--years', '3', '--last', '20', '--svg', `${svg}.svg`]);
  must(/^farrington-flexible: 2 groups, 40 dates judged, 4 alarms/.test(r.out), r.out);
  must(/2024-07-08\s+31\s.*ALARM/.test(r.out), r.out);
  for (const [n, name] of [[1, 'North'], [2, 'South']]) {
    const text = readFileSync(`${svg}-${n}.svg`, 'utf8');
    must(text.startsWith('<svg ') && text.includes(`<title id="t">${name}`) && text.includes('<desc ') && text.endsWith('</svg>\n'), `picture ${n}`);
  }
  must(!existsSync(`${svg}.svg`), 'one picture a group');
  const short = gezhiOk([...WEEKLY, '--method', 'farrington-flexible', '--years', '9', '--last', '1']);
  must(short.out.includes('not-enough-history'), short.out);
  const zh = gezhiOk([...WEEKLY, '--method', 'farrington-flexible', '--years', '3', '--last', '20', '--lang', 'zh']).out;
  must(zh.startsWith('farrington-flexible: 2 个组, 40 个日期已判断, 4 次报警') && /2024-07-08\s+31\s.*报警/.test(zh), zh);
  must(gezhiOk([...WEEKLY, '--method', 'ewma', '--history', '9999', '--lang', 'zh']).out.includes('没有历史足够的日期'), 'nothing to judge is said');
});

test('alarm evaluate: golden JSON, several methods', () => {
  const args = ['alarm', 'evaluate', '--series', sample('alarm_outbreaks.csv'), '--method', 'c1,c3,cusum,ewma,bayes1'];
  const r = checkGolden('alarm_evaluate.json', [...args, '--json']);
  equal(r.methods.map((m) => m.method), ['c1', 'c3', 'cusum', 'ewma', 'bayes1'], 'methods');
  for (const m of r.methods) {
    for (const k of ['judged', 'quiet', 'false_alarms', 'outbreaks', 'found']) equal(m[k], m.groups.reduce((s, g) => s + g[k], 0), `${m.method}: ${k} adds up`);
    close(m.false_alarm_rate, m.false_alarms / m.quiet, 'rate');
  }
  must(gezhiOk(args).out.includes('cusum by group') && gezhiOk([...args, '--lang', 'zh']).out.includes('误报率'), 'the report');
});

test('alarm: wrong use ends with 2, malformed input with 1 and its place', () => {
  for (const second of [[], ['evaluate']]) {
    const help = gezhiOk(['alarm', ...second, '--help']).out;
    must(/example: gezhi alarm .*samples\/alarm_/.test(help), help.slice(-200));
  }
  const use = [
    [[], /--series/], [['--series', 'x'], /--method/], [['--method', 'c1'], /--series/],
    [['--series', 'x', '--method', 'c9'], /expected one of c1/], [['--series', 'x', '--method', 'c1', '--k', '1'], /--k means nothing to c1/],
    [['--series', 'x', '--method', 'c1', '--baseline', '2'], /baseline: expected 3 to 365/], [['--series', 'x', '--method', 'c1', '--alpha', '7'], /alpha/],
    [['--series', 'x', '--method', 'c1,c2'], /one method/], [['--series', 'x', '--method', 'c1', '--gaps', 'fill'], /--gaps/],
    [['--series', 'x', '--method', 'c1', '--from', '2024-01-01', '--last', '3'], /exclude/], [['--series', 'x', '--method', 'farrington', '--holidays', 'y'], /--holidays/],
    [['--series', 'x', '--method', 'farrington', '--trend', 'maybe'], /yes or no/], [['--series', 'x', '--method', 'c1', '--lang', 'fr'], /expected en or zh/],
  ];
  for (const [args, says] of use) {
    const r = gezhi(['alarm', ...args]);
    must(r.code === 2 && says.test(r.err), `alarm ${args.join(' ')}: ${r.code} ${r.err.slice(0, 300)}`);
  }
  const bad = [
    ['date,count\n2024-01-01,1\n2024-01-02,many\n', [], /bad.*\.csv:3: column count: expected a whole number.*many/],
    ['date,count\n2024-01-01,1\n2024-01-01,2\n', [], /\.csv:3: column date.*line 2.*--duplicates/],
    ['date,count\n2024-01-01,1\n2024-01-02,1\n2024-01-05,2\n', [], /\.csv:4: column date.*2 missing.*--gaps/],
    ['date,cases\n2024-01-01,1\n', [], /count.*cases/s],
    ['date,count\n2024-01-01,1\n2024-01-02,"x\n', [], /\.csv:3:12: a quote opens here/],
    ['date,count\n2024-01-01,1\n', ['--from', 'soon'], /--from/],
    ['date,count\n2024-01-01,1\n', ['--population', 'p'], /\bp\b/],
  ];
  for (const [text, args, says] of bad) {
    const file = `${fresh('bad')}.csv`;
    writeFileSync(file, text);
    const r = gezhi(['alarm', '--series', file, '--method', 'c1', ...args]);
    must(r.code === 1 && says.test(r.err), `${JSON.stringify(text)}: ${r.code} ${r.err}`);
    if (/--gaps|--duplicates/.test(r.err)) gezhiOk(['alarm', '--series', file, '--method', 'c1', '--gaps', 'zero', '--duplicates', 'sum']);
  }
  equal(gezhi(['alarm', '--series', '/no/such.csv', '--method', 'c1']).code, 1, 'no file');
  const days = gezhi([...DAILY, '--method', 'farrington']);
  must(days.code === 1 && /weeks/.test(days.err), days.err);
  const none = gezhi(['alarm', 'evaluate', '--series', sample('alarm_weekly.csv'), '--method', 'c1']);
  must(none.code === 1 && /state/.test(none.err), none.err);
});
