/** gezhi index: golden JSON of the sample, every stage, warnings, the ASEM index, wrong use, malformed input. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fresh, gezhi, gezhiOk, must, ROOT, SHARED, skip, test } from './lib.mjs';

const sample = (name) => join(ROOT, 'samples', name);
const GOLDEN = join(ROOT, 'tests/golden/stats/index.json');
const FILES = ['--data', sample('index_data.csv'), '--meta', sample('index_meta.csv')];
const BASE = ['index', ...FILES, '--spec', sample('index_spec.yaml')];
const STAGES = ['raw', 'denominated', 'imputed', 'screened', 'treated', 'normalised', 'weights', 'aggregated'];

function file(name, text) {
  const path = `${fresh('index')}-${name}`;
  writeFileSync(path, text);
  return path;
}
const spec = (text) => file('spec.yaml', text);

/** Equal JSON, numbers to 1e-9 relative: libraries of mathematics differ in the last bit. */
function close(found, expected, where) {
  if (typeof found === 'number' && typeof expected === 'number') {
    must(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${where}: found ${found}, expected ${expected}`);
  } else if (found !== null && expected !== null && typeof found === 'object' && typeof expected === 'object') {
    equal(Object.keys(found), Object.keys(expected), `${where}: members`);
    for (const k of Object.keys(expected)) close(found[k], expected[k], `${where}.${k}`);
  } else equal(found, expected, where);
}

test('index: golden JSON of the sample', () => {
  const r = JSON.parse(gezhiOk([...BASE, '--json']).out);
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(r, null, 1)}\n`);
  close(r, JSON.parse(readFileSync(GOLDEN, 'utf8')), 'index.json');
  equal(r.areas.map((a) => a.rank), [...Array(12).keys()].map((k) => k + 1), 'ranks in order');
});

test('index: every stage as JSON and CSV, the report in two languages', () => {
  for (const stage of STAGES) {
    const r = JSON.parse(gezhiOk([...BASE, '--json', '--stage', stage]).out);
    equal(r.stage, stage, 'stage');
    const lines = gezhiOk([...BASE, '--stage', stage]).out.trim().split('\n');
    equal(lines.length, stage === 'weights' ? 14 : 13, `${stage}: rows`);
    if (stage === 'weights') continue;
    const head = lines[0].split(',').slice(2);
    equal(head, Object.keys(r.areas[0].values), `${stage}: columns`);
    for (const [k, line] of lines.slice(1).entries()) {
      const cells = line.split(',').slice(2).map((c) => (c === '' ? null : Number(c)));
      equal(cells, head.map((h) => r.areas[k].values[h]), `${stage}: ${r.areas[k].code}`);
    }
  }
  const scores = gezhiOk([...BASE, '--csv']).out.trim().split('\n');
  must(scores[0] === 'uCode,uName,Rank,Safety,Order,Fire,Traffic,Peace', scores[0]);
  must(scores[1].startsWith('D06,Park,1,'), scores[1]);
  must(/^1 +Park +78\.7710$/m.test(gezhiOk(BASE).out), 'report');
  must(gezhiOk([...BASE, '--lang', 'zh']).out.includes('排名'), 'Chinese report');
});

test('index: contradicting judgements are warned of, what tells nothing is left out and told', () => {
  const wild = spec('weights: {levels: [equal, ahp], comparisons: {Safety: [[1, 9, "1/9", 1], ["1/9", 1, 9, 1], [9, "1/9", 1, 1], [1, 1, 1, 1]]}}\n');
  const r = gezhiOk(['index', ...FILES, '--spec', wild, '--json']);
  must(r.err.includes('consistency ratio') && r.err.includes('above 0.1'), r.err);
  equal(JSON.parse(r.out).comparisons[0].inconsistent, true, 'inconsistent');
  const flat = file('data.csv', readFileSync(sample('index_data.csv'), 'utf8').replace(/^(D.*),[\d.]+$/gm, '$1,90'));
  const told = JSON.parse(gezhiOk(['index', '--data', flat, '--meta', sample('index_meta.csv'), '--json']).out);
  equal(told.dropped, [{ code: 'Mediated', reason: 'constant' }], 'dropped');
  equal(told.nodes.find((n) => n.code === 'Disputes').weight, 1, 'its sibling takes its weight');
  const bare = file('bare.csv', readFileSync(sample('index_data.csv'), 'utf8').replace(/^(([^,]*,){3})[^,]*,/gm, '$1'));
  equal(gezhi(['index', '--data', bare, '--meta', sample('index_meta.csv')]).code, 1, 'no column to divide by');
  const plain = JSON.parse(gezhiOk(['index', '--data', bare, '--meta', sample('index_meta.csv'), '--spec', spec('denominate: false\n'), '--json']).out);
  equal(plain.areas.length, 12, 'nothing to divide by');
  const out = JSON.parse(gezhiOk(['index', ...FILES, '--spec', spec('screen: {min_share: 1}\n'), '--json']).out);
  equal(out.screened_out, ['D04', 'D11'], 'screened out');
  equal(out.areas.length, 10, 'areas left');
});

test('index: the ASEM index as COINr has it', () => {
  const dir = join(SHARED, 'data/03-reference/composite-asem');
  if (!existsSync(dir)) skip('no shared data');
  const choices = 'group: EurAsia_group\nimpute: {method: group_mean}\nscreen: {min_share: 0.9, when: after_imputation}\ntreat: {method: winsorise, otherwise: log_ct}\n';
  const args = ['index', '--meta', join(dir, 'asem_iMeta.csv'), '--spec'];
  const rows = gezhiOk([...args, spec(choices), '--data', join(dir, 'asem_iData.csv'), '--csv']).out.trim().split('\n').slice(1).map((l) => l.split(','));
  const want = readFileSync(join(dir, 'asem_results_ranked.csv'), 'utf8').trim().split('\n').slice(1).map((l) => l.replace(/"/g, '').split(','));
  equal(rows.map((r) => r[0]), want.map((w) => w[0]), 'order');
  for (const [k, r] of rows.entries()) must(Math.abs(r[4] / want[k][3] - 1) < 1e-9, `${r[0]}: ${r[4]}, expected ${want[k][3]}`);
  const panel = gezhiOk([...args, spec(`${choices}time: 2018\n`), '--data', join(dir, 'asem_iData_panel.csv'), '--csv']).out;
  equal(panel.split('\n').slice(1).map((l) => l.split(',')[0]).filter(Boolean), want.map((w) => w[0]), 'one time of the panel');
});

test('index: wrong use ends with 2, malformed input with 1 and its place', () => {
  for (const [args, word] of [
    [['index'], '--data'], [['index', '--data', 'x'], '--meta'], [['index', ...FILES, '--stage', 'stage'], '--stage "stage": expected one of raw'],
    [['index', ...FILES, '--json', '--csv'], 'not both'], [['index', ...FILES, '--lang', 'fr'], 'expected en or zh'], [['index', ...FILES, 'more'], ''], [['index', ...FILES, '--specs', 'x'], '--spec'],
  ]) {
    const r = gezhi(args);
    equal(r.code, 2, args.join(' '));
    must(r.err.includes(word) && r.out === '', `${args.join(' ')}: ${r.err}`);
  }
  const data = readFileSync(sample('index_data.csv'), 'utf8'), meta = readFileSync(sample('index_meta.csv'), 'utf8');
  for (const [kind, text, word] of [
    ['data', data.replace('402,310', '4o2,310'), ':2: column Theft: expected a number, found "4o2" (area D01)'],
    ['data', data.replace('D02,', 'D01,'), ':3: column uCode: expected an area that no row above has'],
    ['data', data.replace('Theft,', 'Thefts,'), 'Theft'],
    ['data', data.replace('84200', '0'), 'Theft, D01: denominator 0, expected above 0'],
    ['meta', meta.replace('1,Theft,Thefts,-1', '1,Theft,Thefts,5'), ':2: column Direction: expected'],
    ['meta', meta.replace('Order,Indicator', 'Ordre,Indicator'), ':2: column Parent: expected the iCode of an aggregate, found "Ordre"'],
    ['spec', 'treat:\n  metod: log\n', ':2:3: unknown key "metod"; did you mean "method"?'],
    ['spec', 'aggregate: {method: geometric}\n', 'above 0, found 0'],
  ]) {
    const bad = file(`${kind}.${kind === 'spec' ? 'yaml' : 'csv'}`, text);
    const args = { data: sample('index_data.csv'), meta: sample('index_meta.csv'), [kind]: bad };
    const r = gezhi(['index', ...Object.entries(args).flatMap(([k, v]) => [`--${k}`, v])]);
    equal(r.code, 1, `${kind}: ${word}`);
    must(r.err.includes(word) && r.out === '', `${kind}: ${r.err}, expected ${word}`);
  }
  equal(gezhi(['index', '--data', '/no/file', '--meta', sample('index_meta.csv')]).code, 1, 'no file');
  const help = gezhi(['index', '--help']);
  equal(help.code, 0, '--help');
  must(help.out.includes('example: gezhi index --data samples/index_data.csv'), help.out);
});
