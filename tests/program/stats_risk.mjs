/** gezhi risk: golden JSON of the samples, saved models, wrong use, malformed input. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fresh, gezhi, gezhiOk, must, ROOT, test } from './lib.mjs';

const sample = (name) => join(ROOT, 'samples', name);
const golden = (name) => join(ROOT, 'tests/golden/stats', name);
const COMMANDS = ['prepare', 'fit', 'predict', 'evaluate', 'curve', 'incidents', 'pavement'];

/** Equal JSON; numbers to 1e-7 relative, for the last digits follow the library of mathematics. */
function close(found, expected, where) {
  if (typeof found === 'number' && typeof expected === 'number') {
    must(Math.abs(found - expected) <= 1e-7 * Math.max(1e-3, Math.abs(expected)), `${where}: found ${found}, expected ${expected}`);
  } else if (found !== null && expected !== null && typeof found === 'object' && typeof expected === 'object') {
    equal(Object.keys(found), Object.keys(expected), `${where}: members`);
    for (const k of Object.keys(expected)) close(found[k], expected[k], `${where}.${k}`);
  } else equal(found, expected, where);
}
function checkGolden(name, args) {
  const r = JSON.parse(gezhiOk(['risk', ...args, '--json']).out);
  mkdirSync(join(ROOT, 'tests/golden/stats'), { recursive: true });
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden(name), `${JSON.stringify(r, null, 1)}\n`);
  close(r, JSON.parse(readFileSync(golden(name), 'utf8')), name);
  return r;
}
const MAINS = ['--data', sample('risk_mains.csv')];

test('risk: help of each command ends with an example that runs', () => {
  for (const c of COMMANDS) {
    const out = gezhiOk(['risk', c, '--help']).out;
    const example = out.trimEnd().split('\n').at(-1).match(/^example: gezhi (.*)$/);
    must(example !== null, `risk ${c} --help: ${out.slice(-200)}`);
    const args = example[1].split(' ').map((a) => (a.startsWith('samples/') ? join(ROOT, a) : a));
    const at = args.indexOf('--out');
    if (at >= 0) args[at + 1] = fresh('out');
    gezhiOk(args);
  }
});

test('risk: golden JSON of the samples', () => {
  const p = checkGolden('risk_poisson.json', ['fit', ...MAINS, '--spec', sample('risk_poisson.yaml'), '--threads', '2']);
  equal(Object.keys(p), ['model', 'rows', 'missing_rows', 'events', 'converged', 'verified', 'robust', 'calibrated', 'iterations', 'log_likelihood',
    'log_likelihood_null', 'aic', 'coefficients', 'parameters', 'tests', 'notes', 'evaluation'], 'members of a fit');
  equal(p.evaluation.how, 'held_out_years', 'how');
  equal(p.evaluation.baselines.map((b) => b.name), ['age only', "last year's count"], 'baselines');
  must(p.evaluation.baselines.every((b) => b.usable && /^(Better|NO BETTER) than/.test(b.sentence)), 'sentences');
  equal(p.evaluation.periods.map((y) => y.period), ['2021', '2022', '2023'], 'years held out');
  const c = checkGolden('risk_cox.json', ['fit', ...MAINS, '--spec', sample('risk_cox.yaml')]);
  must(c.tests.some((t) => t.name === 'proportional_hazards global'), 'test of proportional hazards');
  checkGolden('risk_weibull.json', ['fit', ...MAINS, '--spec', sample('risk_cox.yaml'), '--model', 'weibull']);
  const l = checkGolden('risk_leyp.json', ['fit', ...MAINS, '--spec', sample('risk_cox.yaml'), '--model', 'leyp', '--response', 'count',
    '--terms', 'log(length) material', '--earlier', 'earlier']);
  must(l.verified === false && l.notes.some((n) => n.flag === 'not_verified'), 'LEYP is not verified');
  equal(checkGolden('risk_hawkes.json', ['incidents', '--data', sample('risk_incidents.csv'), '--time', 'day']).model, 'hawkes', 'model');
  equal(checkGolden('risk_etas.json', ['incidents', '--data', sample('risk_incidents.csv'), '--time', 'day', '--x', 'x', '--y', 'y', '--area', '25000000']).verified, false, 'ETAS');
  checkGolden('risk_pavement.json', ['pavement', '--data', sample('risk_pavement.csv'), '--config', sample('risk_pavement.yaml')]);
  checkGolden('risk_pavement_ratio.json', ['pavement', '--data', sample('risk_pavement.csv'), '--config', sample('risk_pavement_ratio.yaml')]);
});

test('risk: curves of survival and of repeated failures', () => {
  const pumps = ['curve', '--data', sample('risk_pumps.csv'), '--time', 'hours', '--event', 'failed', '--group', 'maker'];
  const k = checkGolden('risk_curve.json', pumps);
  equal(Object.keys(k), ['model', 'verified', 'late_entry', 'rows', 'events', 'level', 'groups', 'log_rank', 'notes'], 'members of curves');
  equal([k.model, k.verified, k.groups.map((g) => g.group)], ['kaplan_meier', true, ['Aster', 'Birch', 'Cedar']], 'curves');
  must(/^log-rank: chi-squared 4\.2344, df 2, p 0\.1204$/m.test(gezhiOk(['risk', ...pumps]).out), 'the report');
  const m = checkGolden('risk_curve_unit.json', ['curve', ...MAINS, '--start', 'age_start', '--time', 'age_stop', '--event', 'count', '--unit', 'id', '--group', 'material']);
  equal([m.model, m.units, m.events, 'log_rank' in m], ['mean_cumulative_function', 160, 119, false], 'mean cumulative function');
  must(m.notes.some((n) => n.flag === 'few_at_risk' && n.group === 'cast iron'), 'note');
});

test('risk: prepare makes the sample table, and tells what did not join', () => {
  const out = fresh('mains');
  const r = JSON.parse(gezhiOk(['risk', 'prepare', '--spec', sample('risk_prepare.yaml'), '--out', out, '--json']).out);
  equal([r.assets, r.events, r.events_not_joined, r.events_counted, r.rows], [160, 122, 3, 119, 1600], 'counts');
  equal(readFileSync(out, 'utf8'), readFileSync(sample('risk_mains.csv'), 'utf8'), 'the table');
});

test('risk: a saved model predicts and is judged as it was when fitted', () => {
  const model = fresh('model.json');
  const fit = JSON.parse(gezhiOk(['risk', 'fit', ...MAINS, '--spec', sample('risk_poisson.yaml'), '--save', model, '--json']).out);
  const again = JSON.parse(gezhiOk(['risk', 'evaluate', '--model', model, ...MAINS, '--json']).out);
  equal(again.model.auc, fit.evaluation.model.auc, 'AUC');
  equal(again.model.top_by_length, fit.evaluation.model.top_by_length, 'hit rates by length');
  const csv = gezhiOk(['risk', 'predict', '--model', model, ...MAINS, '--top', '7']).out.trim().split('\n');
  equal([csv.length, csv[0], csv[7].split(',')[3]], [8, 'id,expected,chance,rank', '7'], 'prediction');
  const numbers = csv.slice(1).map((l) => Number(l.split(',')[1]));
  must(numbers.every((v, i) => i === 0 || v <= numbers[i - 1]), 'highest first');
  for (const threads of ['1', '4'])
    equal(gezhiOk(['risk', 'fit', ...MAINS, '--spec', sample('risk_poisson.yaml'), '--model', 'trees', '--family', 'poisson', '--threads', threads, '--json']).out,
      gezhiOk(['risk', 'fit', ...MAINS, '--spec', sample('risk_poisson.yaml'), '--model', 'trees', '--family', 'poisson', '--threads', '2', '--json']).out, 'same bits');
});

test('risk: without years held out nothing is claimed', () => {
  const r = JSON.parse(gezhiOk(['risk', 'fit', ...MAINS, '--model', 'logistic', '--response', 'event', '--terms', 'age', '--json']).out);
  equal(r.evaluation, null, 'evaluation');
  must(r.notes.some((n) => n.flag === 'not_evaluated'), 'note');
});

test('risk: malformed input names file, line and column; wrong use ends with 2', () => {
  const write = (name, text) => {
    const f = fresh(name);
    writeFileSync(f, text);
    return f;
  };
  const fit = (text, more = []) => ['risk', 'fit', '--data', write('t.csv', text), '--model', 'poisson', '--response', 'y', '--terms', 'x', ...more];
  const rows = [
    [fit('y,x\n1,2\n-1,3\n'), /t\.csv[^:]*:3: column y/],
    [fit('y,x\n1,2\nq,3\n'), /t\.csv[^:]*:3: column y/],
    [fit('y,x\n1,2\n2,3,4\n'), /t\.csv[^:]*:3/],
    [fit('y,z\n1,2\n'), /column "?x/],
    [fit('y,x\n'), /no rows/],
    [fit('y,x\n0,1\n0,2\n'), /no row fitted to has an event/],
    [fit('y,x\n1,0\n0,2\n', ['--terms', 'log(x)']), /t\.csv[^:]*:2: log\(x\)/],
    [fit('y,x,e\n1,0,0\n0,2,1\n', ['--exposure', 'e']), /t\.csv[^:]*:2: column e/],
    [fit('y,x,a,b\n1,0,3,3\n0,2,1,2\n', ['--model', 'cox', '--start', 'a', '--stop', 'b']), /t\.csv[^:]*:2: column b/],
    [['risk', 'fit', '--spec', write('s.yaml', 'modle: cox\n'), '--data', sample('risk_mains.csv')], /s\.yaml[^:]*:1:1: .*did you mean "model"/],
    [['risk', 'fit', '--spec', write('s.yaml', 'model: [cox\n'), '--data', sample('risk_mains.csv')], /s\.yaml[^:]*:\d+:\d+/],
    [['risk', 'fit', ...MAINS, '--model', 'poisson', '--response', 'count', '--terms', 'age', '--split', 'year', '--train-to', '2020'], /baseline/],
    [['risk', 'prepare', '--spec', write('p.yaml', 'assets: {file: a}\n'), '--out', fresh('o')], /"events" is missing/],
    [['risk', 'predict', '--model', write('m.json', '{"format":"x"}'), ...MAINS], /not a risk model/],
    [['risk', 'predict', '--model', write('m.json', '{'), ...MAINS], /m\.json[^:]*: not a risk model: JSON, byte/],
    [['risk', 'evaluate', '--model', write('m.json', '{"format":1}'), ...MAINS], /m\.json[^:]*: not a risk model: "format"/],
    [['risk', 'predict', '--model', sample('scan.cas'), ...MAINS], /scan\.cas: not a risk model/],
    [['risk', 'curve', '--data', write('k.csv', 't,e\n4,1\n5,9\n'), '--time', 't', '--event', 'e'], /k\.csv[^:]*:3: column e: expected 1/],
    [['risk', 'curve', '--data', write('k.csv', 't,e\n4,1\n?,0\n'), '--time', 't', '--event', 'e'], /k\.csv[^:]*:3: column t/],
    [['risk', 'incidents', '--data', write('i.csv', 'day\n1\nyesterday\n3\n'), '--time', 'day'], /i\.csv[^:]*:3: column day/],
    [['risk', 'pavement', '--data', sample('risk_pavement.csv'), '--config', write('c.yaml', 'columns: {section: s}\n')], /c\.yaml[^:]*:1:\d+/],
    [['risk', 'fit', '--data', '/nowhere.csv', '--model', 'cox', '--response', 'y', '--stop', 't', '--terms', 'x'], /nowhere\.csv/],
  ];
  for (const [args, said] of rows) {
    const r = gezhi(args);
    equal(r.code, 1, `${args.join(' ')} ended (${r.err})`);
    must(said.test(r.err) && r.err.startsWith(`gezhi risk ${args[1]}: `), `${args.join(' ')}: ${r.err}`);
    equal(r.out, '', 'nothing on standard output');
  }
  for (const args of [['fit', '--modle', 'cox'], ['predict'], ['fit', '--seed', 'x'], ['evaluate', '--model'], ['incidents', 'extra', '--data', 'x'], ['curve', '--data', 'x', '--time', 't']])
    equal(gezhi(['risk', ...args]).code, 2, `risk ${args.join(' ')}`);
  equal(gezhi(['risk']).code, 2, 'risk alone');
});
