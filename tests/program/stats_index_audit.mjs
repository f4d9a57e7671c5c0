/** gezhi index audit: golden JSON of the sample, exact sums, threads, wrong use, malformed input. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, fresh, gezhi, gezhiOk, must, ROOT, SHARED, skip, test } from './lib.mjs';

const sample = (name) => join(ROOT, 'samples', name);
const GOLDEN = join(ROOT, 'tests/golden/stats/index_audit.json');
const FILES = ['--data', sample('index_data.csv'), '--meta', sample('index_meta.csv')];
const BASE = ['index', 'audit', ...FILES, '--spec', sample('index_audit.yaml')];
const ALL = [...BASE, '--area', 'D05', '--what-if', 'Theft=5,Fires=0', '--before', sample('index_data_before.csv')];
const audit = (args) => JSON.parse(gezhiOk([...args, '--json']).out);
const near = (a, b, within, what) => must(Math.abs(a - b) <= within, `${what}: ${a} and ${b}`);

/** Numbers to 1e-9 relative; counts of draws may differ where a last bit decides between equal scores. */
function close(found, expected, where) {
  if (typeof found === 'number' && typeof expected === 'number') {
    must(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${where}: found ${found}, expected ${expected}`);
  } else if (found !== null && expected !== null && typeof found === 'object' && typeof expected === 'object') {
    equal(Object.keys(found), Object.keys(expected), `${where}: members`);
    for (const k of Object.keys(expected)) close(found[k], expected[k], `${where}.${k}`);
  } else equal(found, expected, where);
}

test('index audit: golden JSON of the sample', () => {
  const r = audit(ALL);
  must(r.elapsed_ms > 0, 'elapsed_ms');
  delete r.elapsed_ms;
  mkdirSync(join(ROOT, 'tests/golden/stats'), { recursive: true });
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(r, null, 1)}\n`);
  close(r, JSON.parse(readFileSync(GOLDEN, 'utf8')), 'index_audit.json');
});

test('index audit: parts add up, bands hold the nominal rank, marks are the neighbours that swap', () => {
  const r = audit(ALL);
  equal(r.areas, 12, 'areas');
  const of = Object.fromEntries(r.contributions.nodes.map((n) => [n.node, n]));
  const sum = (level) => r.contributions.nodes.filter((n) => n.level === level).reduce((s, n) => s + n.part, 0);
  for (const level of [1, 2]) near(sum(level), of.Safety.part, 1e-10, `parts of level ${level}`);
  near(of.Safety.part, of.Safety.value, 0, 'the index');
  for (const a of r.change.areas) {
    const parts = a.restatement + a.indicators + a.denominators + a.normalisation + a.weights;
    near(a.before + parts, a.after, 1e-10, `change of ${a.area}`);
    for (const f of a.area === 'D05' ? ['indicators', 'denominators', 'normalisation'] : [])
      near(a.by_node.slice(0, 8).reduce((s, n) => s + n[f], 0), a[f], 1e-10, `${f} by indicator`);
  }
  must(r.change.areas.some((a) => Math.abs(a.denominators) > 0.1) && r.change.areas.every((a) => a.weights === 0), 'what changed has parts');
  const ranked = [...r.ranks.areas].sort((a, b) => a.rank - b.rank);
  for (const a of ranked) must(a.min <= a.low && a.low <= a.median && a.median <= a.high && a.high <= a.max && a.draws === 4000, JSON.stringify(a));
  for (const p of r.not_distinguishable.pairs) {
    const k = ranked.findIndex((a) => a.area === p.above);
    equal(ranked[k + 1].area, p.under, 'the pair are neighbours');
    must(p.holds < 0.9, 'held');
  }
  equal(r.dominance.against.length, 11, 'the chosen area against all others');
  for (const p of r.dominance.against) must(p.above + p.under <= 1, 'shares');
  equal(r.sensitivity.map((s) => s.outcome), ['mean_shift', 'rank'], 'outcomes');
  for (const s of r.sensitivity) for (const i of s.inputs) must(i.total_low <= i.total && i.total <= i.total_high && i.total > -0.05, JSON.stringify(i));
  equal([r.ranks.verified, r.weights.verified, r.change.verified, r.contributions.verified], [true, false, false, false], 'verified');
});

test('index audit: threads and other tables change no byte of the ranks; seeds do', () => {
  const clean = (args) => { const r = audit(args); delete r.elapsed_ms; return JSON.stringify(r); };
  const one = clean([...ALL, '--threads', '1']);
  for (const n of ['2', '4']) equal(clean([...ALL, '--threads', n]), one, `${n} threads`);
  must(clean([...ALL, '--seed', '2']) !== one, 'another seed, another draw');
  const file = (name) => `${fresh(name)}.csv`;
  const out = { ranks: file('ranks'), pairs: file('pairs'), contributions: file('parts'), correlations: file('corr'), change: file('change') };
  const r = JSON.parse(gezhiOk([...ALL, '--json', ...Object.entries(out).flatMap(([k, v]) => [`--${k}`, v])]).out);
  const rows = (path) => readFileSync(path, 'utf8').trim().split('\n').map((l) => l.split(','));
  equal(rows(out.ranks).length, 13, 'ranks');
  equal(rows(out.ranks)[1][3], '1', 'best first');
  equal(rows(out.pairs).length - 1, r.dominance.pairs, 'pairs');
  for (const p of rows(out.pairs).slice(1)) must(Number(p[2]) >= 0.97, p.join());
  equal(rows(out.contributions).length, 1 + 12 * 13, 'parts of all nodes of all areas');
  equal(rows(out.correlations).length, 1 + 28, 'pairs of indicators');
  equal(rows(out.change).length, 13, 'changes');
});

test('index audit: what-if is the index under those weights; published scores are the start', () => {
  const r = audit(ALL);
  const meta = `${fresh('meta')}.csv`;
  const text = readFileSync(sample('index_meta.csv'), 'utf8').replace('Thefts,-1,2', 'Thefts,-1,5').replace('Fires,Fires,-1,2', 'Fires,Fires,-1,0');
  writeFileSync(meta, text);
  const other = JSON.parse(gezhiOk(['index', '--data', sample('index_data.csv'), '--meta', meta, '--spec', sample('index_audit.yaml'), '--json']).out);
  for (const a of r.what_if.areas) {
    const want = other.areas.find((o) => (o.area ?? o.code ?? o.uCode) === a.area);
    equal(a.rank, want.rank, `what-if rank of ${a.area}`);
    near(a.score, want.score, 1e-9, `what-if score of ${a.area}`);
  }
  equal(r.what_if.moved, r.what_if.areas.filter((a) => a.rank !== a.rank_before).length, 'moved');
  const mean = audit([...BASE, '--what-if-mean', 'harmonic']).what_if;
  must(mean.areas_compared === 12, 'other means');
  const published = `${fresh('published')}.csv`;
  writeFileSync(published, 'uCode,score\nD01,70\nD02,50.5\n');
  const c = audit([...ALL, '--published', published]).change;
  const d1 = c.areas.find((a) => a.area === 'D01');
  near(d1.before, 70, 1e-12, 'published');
  must(Math.abs(d1.restatement) > 1, 'restated');
  equal(c.areas.find((a) => a.area === 'D03').before, null, 'not published');
});

test('index audit: two periods of other areas, weights and goalposts', () => {
  const lines = readFileSync(sample('index_data_before.csv'), 'utf8').trim().split('\n');
  const data = `${fresh('before')}.csv`, meta = `${fresh('meta')}.csv`, spec = `${fresh('spec')}.yaml`;
  writeFileSync(data, [lines[0], ...lines.slice(2).reverse(), lines[1].replace('D01', 'D77')].join('\n'));
  writeFileSync(meta, readFileSync(sample('index_meta.csv'), 'utf8').replace('Thefts,-1,2', 'Thefts,-1,4'));
  const args = [...BASE, '--draws', '200', '--before', data];
  const plain = audit(args).change;
  equal([plain.areas.length, plain.areas_only_before, plain.areas_only_after], [11, 1, 1], 'areas in both');
  const other = audit([...args, '--before-meta', meta]).change;
  must(other.areas.every((a) => Math.abs(a.weights) > 1e-6), 'other weights have a part');
  for (const a of other.areas) near(a.before + a.indicators + a.denominators + a.normalisation + a.weights, a.after, 1e-10, a.area);
  // The same goalposts in both periods: the yardstick does not move; the earlier ones narrower: it does.
  const posts = (theft) => `group: Zone\nimpute: {method: group_mean}\nnormalise: {method: goalposts, goalposts: {Theft: [0, ${theft}], Fraud: [0, 0.01], Fires: [0, 0.002], FireDrills: [0, 0.001], RoadDeaths: [0, 0.0005], Signals: [0, 100], Disputes: [0, 0.01], Mediated: [0, 100]}}\naudit: {draws: 50, sobol: false}\n`;
  const now = `${fresh('spec')}.yaml`;
  writeFileSync(now, posts(0.01));
  writeFileSync(spec, posts(0.02));
  const fixed = ['index', 'audit', ...FILES, '--spec', now, '--before', sample('index_data_before.csv')];
  for (const a of audit(fixed).change.areas) near(a.normalisation, 0, 1e-12, `yardstick of ${a.area}`);
  must(audit([...fixed, '--before-spec', spec]).change.areas.some((a) => Math.abs(a.normalisation) > 0.1), 'moved goalposts');
  const ranks = `${fresh('spec')}.yaml`;
  writeFileSync(ranks, 'impute: {method: mean}\nnormalise: {method: rank}\naudit: {draws: 50, sobol: false}\n');
  const no = gezhi(['index', 'audit', ...FILES, '--spec', ranks, '--before', sample('index_data_before.csv')]);
  must(no.code === 1 && no.err.includes('yardstick') && no.err.includes('Theft'), no.err);
  writeFileSync(data, 'uCode,Theft\nD01,3\n');
  equal(gezhi([...BASE, '--before', data]).code, 1, 'an earlier period without the indicators');
});

test('index audit: wrong use 2, failure 1 with file and line, help with its example', () => {
  const help = gezhiOk(['index', 'audit', '--help']).out;
  const example = help.split('\n').find((l) => l.includes('gezhi index audit --data samples/'));
  must(example !== undefined, help);
  const words = example.slice(example.indexOf('index audit')).trim().split(' ').map((w) => (w.startsWith('samples/') ? join(ROOT, w) : w));
  gezhiOk([...words, '--draws', '50']);
  must(gezhiOk([...words, '--draws', '50', '--lang', 'zh', '--area', 'D05', '--what-if', 'Theft=5']).out.includes('Safety 的审查：8 项指标，12 个地区'), 'the report in Chinese');
  const spec = (text) => { const f = `${fresh('spec')}.yaml`; writeFileSync(f, text); return ['index', 'audit', ...FILES, '--spec', f]; };
  const rows = [
    [['index', 'audit'], 2, 'data'], [[...BASE, '--draws', '0'], 2, 'draws'], [[...BASE, '--nonsense'], 2, 'nonsense'],
    [[...BASE, '--published', sample('index_data.csv')], 2, '--before'], [[...BASE, '--threads', '-3'], 2, 'threads'], [[...BASE, '--lang', 'fr'], 2, 'en or zh'],
    [[...BASE, '--area', 'D99'], 1, 'D99'], [[...BASE, '--what-if', 'Nothing=1'], 1, 'Nothing'], [[...BASE, '--what-if', 'Theft'], 1, 'Theft'],
    [[...BASE, '--what-if', 'Theft=-1'], 1, 'weight'], [[...BASE, '--what-if-mean', 'golden'], 1, 'golden'],
    [['index', 'audit', ...FILES, '--spec', '/no/spec'], 1, '/no/spec'],
    [spec('index: 1\naudit:\n  draws: many\n'), 1, '.yaml:3:'], [spec('index: 1\naudit: [1]\n'), 1, '.yaml:2:'],
    [spec('audit:\n  choices:\n    noise: {amount: 4}\n'), 1, '.yaml:3:'], [spec('audit:\n  choices:\n    leave_out: [Nowhere]\n'), 1, 'Nowhere'],
    [spec('audit:\n  choices:\n    weights: []\n'), 1, 'weights'], [spec('audit:\n  choices:\n    weights: [{method: benefit_of_doubt}]\n'), 1, 'aggregate'],
    [spec('audit:\n  choices:\n    wheights: [1]\n'), 1, 'wheights'], [spec('audit:\n  sobol: {sample: soup}\n'), 1, 'soup'],
    [spec('audit:\n  choices:\n    treat: [{method: none}]\n'), 1, 'alternative'],
    [spec('impute: {method: mean}\naudit:\n  choices:\n    normalise: [{method: z, mean: 0, sd: 1}, {method: rank}]\n    aggregate: [{method: arithmetic}, {method: geometric}]\n'), 1, 'geometric'],
  ];
  for (const [args, code, word] of rows) {
    const r = gezhi(args);
    equal(r.code, code, `gezhi ${args.join(' ')}: ${r.err.slice(0, 200)}`);
    must(r.err.includes(word), `gezhi ${args.join(' ')}: "${r.err.trim()}" does not name ${word}`);
  }
});

test('index audit: COINr example in a whole run, first rank as published', () => {
  const dir = join(SHARED, 'data/03-reference/composite-asem');
  if (!existsSync(dir)) skip(`${dir} is not here`);
  const spec = `${fresh('asem')}.yaml`;
  writeFileSync(spec, 'group: EurAsia_group\nimpute: {method: group_mean}\ntreat: {method: winsorise, otherwise: log_ct}\nnormalise: {method: min_max, range: [0, 100]}\naudit: {draws: 500, sobol: false}\n');
  const r = audit(['index', 'audit', '--data', join(dir, 'asem_iData.csv'), '--meta', join(dir, 'asem_iMeta.csv'), '--spec', spec]);
  equal([r.areas, r.indicators, r.ranks.assumed_choices, r.sensitivity.length], [51, 49, true, 0], 'the example');
  const first = r.ranks.areas.find((a) => a.rank === 1);
  equal(first.area, 'CHE', 'first');
  near(first.score, 68.38372424762796, 1e-6, 'its score');
  must(first.high <= 3, `its band ${first.low} to ${first.high}`);
});
