/** gezhi scan: golden JSON of the samples, files that it writes, wrong use, malformed input, cancel. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { BIN, equal, fresh, gezhi, gezhiOk, must, ROOT, SHARED, skip, sleep, test } from './lib.mjs';

const sample = (name) => join(ROOT, 'samples', name);
const golden = (name) => join(ROOT, 'tests/golden/stats', name);
const PLACES = ['--geo', sample('scan_places.csv')];
const CITY = ['scan', '--cases', sample('scan_cases.csv'), '--population', sample('scan_population.csv'), '--covariates', 'age', ...PLACES];
const PERIOD = ['--start', '2026-01-01', '--end', '2026-03-25'];
const TIME = [...PERIOD, '--analysis', 'space-time', '--max-time', '28', '--max-size', '0.25'];

function file(name, text) {
  const path = `${fresh('scan')}-${name}`;
  writeFileSync(path, text);
  return path;
}

/** Equal JSON but for elapsed_ms, numbers to 1e-9 relative: libraries of mathematics differ in the last bit. */
function close(found, expected, where) {
  if (typeof found === 'number' && typeof expected === 'number') {
    must(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${where}: found ${found}, expected ${expected}`);
  } else if (found !== null && expected !== null && typeof found === 'object' && typeof expected === 'object') {
    equal(Object.keys(found), Object.keys(expected), `${where}: members`);
    for (const k of Object.keys(expected)) if (k !== 'elapsed_ms') close(found[k], expected[k], `${where}.${k}`);
  } else equal(found, expected, where);
}
function checkGolden(name, args) {
  const r = JSON.parse(gezhiOk([...args, '--json']).out);
  must(Number.isInteger(r.elapsed_ms) && r.elapsed_ms >= 0, `${name}: elapsed_ms`);
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden(name), `${JSON.stringify({ ...r, elapsed_ms: 0 }, null, 1)}\n`);
  close(r, JSON.parse(readFileSync(golden(name), 'utf8')), name);
  return r;
}

test('scan: golden JSON of the samples by each model and analysis', () => {
  mkdirSync(join(ROOT, 'tests/golden/stats'), { recursive: true });
  const cases = readFileSync(sample('scan_cases.csv'), 'utf8');
  const bare = file('bare.csv', cases.split('\n').map((l) => l.split(',').slice(0, 3).join(',')).join('\n'));
  const controls = file('controls.csv', `id,date,controls\n${readFileSync(sample('scan_places.csv'), 'utf8').trim().split('\n').slice(1).map((l, i) => `${l.split(',')[0]},2026-02-0${1 + (i % 9)},${5 + (i * 7) % 11}`).join('\n')}\n`);
  const rows = [
    ['scan_prm.json', ['scan', '--prm', sample('scan.prm')]],
    ['scan_space_time.json', [...CITY, ...TIME]],
    ['scan_spatial_both.json', [...CITY, ...PERIOD, '--precision', 'day', '--rates', 'both', '--overlap', 'any', '--max-clusters', '5']],
    ['scan_temporal.json', [...CITY, ...PERIOD, '--analysis', 'temporal', '--length', '7']],
    ['scan_prospective.json', ['scan', '--cases', bare, ...PLACES, '--model', 'permutation', '--analysis', 'space-time', '--prospective', '--start', '2026-01-01', '--end', '2026-03-14', '--relaxed', '--max-radius', '4', '--max-time', '14']],
    ['scan_bernoulli.json', ['scan', '--cases', bare, '--controls', controls, ...PLACES, '--model', 'bernoulli', ...PERIOD, '--precision', 'day', '--p-mode', 'sequential', '--replicas', '4999']],
    ['scan_iterative.json', [...CITY, ...PERIOD, '--precision', 'day', '--iterative', '--iterate-p', '0.9', '--max-clusters', '3', '--p-mode', 'gumbel', '--replicas', '499']],
  ];
  for (const [name, args] of rows) {
    const r = checkGolden(name, args);
    must(r.clusters.length > 0, `${name}: clusters`);
    for (const [i, c] of r.clusters.entries()) {
      equal(c.rank, i + 1, `${name}: rank`);
      must(c.locations.length > 0 && c.p_value > 0 && c.p_value <= 1, `${name}: ${JSON.stringify(c)}`);
      must((c.recurrence_days !== null) === r.prospective, `${name}: recurrence`);
    }
    equal(r.verified, r.unverified.length === 0, `${name}: verified`);
  }
  const r = JSON.parse(readFileSync(golden('scan_space_time.json'), 'utf8'));
  equal(r.clusters[0].locations, ['G20', 'G21', 'G12', 'G13'], 'the planted cluster');
});

test('scan: the same bytes on 1, 2 and 4 threads and from the parameter file', () => {
  const same = (args) => gezhiOk([...args, '--json']).out.replace(/"elapsed_ms":\d+/, '');
  const one = same([...CITY, ...TIME, '--threads', '1']);
  for (const n of ['2', '4']) equal(same([...CITY, ...TIME, '--threads', n]), one, `${n} threads`);
  equal(same(['scan', '--prm', sample('scan.prm')]), one, '--prm');
  must(same([...CITY, ...TIME, '--seed', '2']) !== one, 'another seed, the same bytes');
});

test('scan: report in English and Chinese, GeoJSON, CSV', () => {
  const geo = `${fresh('clusters')}.geojson`, csv = `${fresh('locations')}.csv`;
  const r = gezhiOk([...CITY, ...TIME, '--geojson', geo, '--csv', csv]);
  for (const line of ['Space-time scan, Poisson model, looking for high rates', '1. G20, G21, G12, G13', 'time 2026-03-08 to 2026-03-17', 'log likelihood ratio 28.324037, p 0.001']) must(r.out.includes(line), `${line} is not in\n${r.out}`);
  const zh = gezhiOk([...CITY, ...TIME, '--lang', 'zh']).out;
  must(zh.includes('时空扫描') && zh.includes('相对危险度'), zh);
  const map = JSON.parse(readFileSync(geo, 'utf8'));
  equal(map.type, 'FeatureCollection', 'GeoJSON');
  must(map.features.some((f) => f.geometry.type === 'Polygon') && map.features.some((f) => f.properties.location === 'G20'), 'features');
  const rows = readFileSync(csv, 'utf8').trim().split('\n');
  equal(rows.length, 49, 'rows');
  must(rows.find((l) => l.startsWith('G20,')).includes(',1,2026-03-08,2026-03-17,'), 'the cluster of G20');
});

test('scan: the samples of SaTScan by their own parameter files', () => {
  const dir = join(SHARED, 'data/03-reference/scan-satscan-samples');
  if (!existsSync(dir)) skip('the shared data are not here');
  for (const [prm, first, llr] of [['NewMexicoSpaceTimePoisson.prm', 'Torrance', 10.979758], ['NYCSpaceTimePermutation.prm', '11418', 3.845418], ['NHumbersideSpatialBernoulli.prm', null, 4.836516]]) {
    const r = JSON.parse(gezhiOk(['scan', '--prm', join(dir, prm), '--json']).out);
    must(Math.abs(r.clusters[0].llr - llr) < 1e-6, `${prm}: llr ${r.clusters[0].llr}`);
    if (first !== null) equal(r.clusters[0].locations[0], first, prm);
    equal(r.p_mode, 'standard', prm);
    equal(r.replicas_run, 999, prm);
  }
});

test('scan: --help ends with an example that runs', () => {
  const help = gezhiOk(['scan', '--help']).out;
  const example = help.trim().split('\n').at(-1);
  must(example.startsWith('example: gezhi scan '), example);
  for (const option of ['--prm FILE', '--location-f', '--ellipse-shapes', '--threads N', '--lang en|zh']) must(help.includes(option), `${option} is not in the help`);
  const args = example.slice('example: gezhi '.length).split(' ').map((a) => (a.startsWith('samples/') ? join(ROOT, a) : a));
  must(gezhiOk([...args, '--replicas', '19']).out.includes('1. '), 'the example');
});

test('scan: wrong use ends with 2', () => {
  const rows = [
    [['scan'], /--cases/], [['scan', '--nonsense'], /nonsense/], [[...CITY, '--model', 'gauss'], /poisson, bernoulli, permutation/], [[...CITY, '--model', 'bernoulli'], /--controls/],
    [[...CITY, '--rates', 'some'], /high, low, both/], [[...CITY, '--max-size', '0.7'], /0\.5/], [[...CITY, '--replicas', '-2'], /--replicas/], [[...CITY, '--seed', '-2'], /--seed/],
    [[...CITY, '--prospective'], /prospective/], [[...CITY, '--shape', 'flexible'], /--edges/], [[...CITY, '--start', '2026-01-01'], /start and its end/], [[...CITY, '--lang', 'fr'], /en or zh/],
    [[...CITY, '--max-time', '3', '--max-time-percent', '20'], /not both/], [[...CITY, '--shape', 'ellipse', '--ellipse-shapes', '0.5'], /shapes over 1/], [[...CITY, '--threads', '0'], /--threads/],
    [['scan', '--cases', 'c', ...PLACES], /--population/], [[...CITY.slice(0, -2)], /--geo/], [[...CITY, '--analysis', 'space-time', '--precision', 'none'], /--precision/],
  ];
  for (const [args, what] of rows) {
    const r = gezhi(args);
    must(r.code === 2 && what.test(r.err), `gezhi ${args.slice(-4).join(' ')}: ${r.code} ${r.err}`);
  }
});

test('scan: malformed input ends with 1 and names file, line and column', () => {
  const good = { cases: 'A 3\nB 1\n', population: 'A unspecified 50\nB unspecified 70\n', geo: 'A 0 0\nB 3 4\n' };
  const run = (change) => {
    const f = { ...good, ...change };
    return gezhi(['scan', '--cases', file('c.cas', f.cases), '--population', file('p.pop', f.population), '--geo', file('g.geo', f.geo), '--coordinates', 'plane', '--replicas', '9']);
  };
  equal(run({}).code, 0, 'the good one');
  const rows = [
    [{ cases: 'A x\n' }, /c\.cas:1:3: cases: expected a whole number/], [{ cases: 'A 1\nZ 1\n' }, /c\.cas:2:1: id: expected a place/], [{ cases: '' }, /c\.cas:1:1: there are no cases/],
    [{ cases: 'A 1 m\n' }, /c\.cas:1:5: covariate/], [{ cases: 'A "1\n' }, /c\.cas:1:3: a quoted field does not end/], [{ cases: 'A 1\nB\u0000 2\n' }, /c\.cas:2:2: a NUL byte/],
    [{ population: 'A unspecified -5\n' }, /p\.pop:1:15: population/], [{ population: 'A 2001\/13 5\nB 2001 3\n' }, /p\.pop:1:3: date: expected a date/], [{ population: 'A unspecified 5\n' }, /place "B" has 1 cases, but no population/],
    [{ geo: 'A 0\n' }, /g\.geo:1:4: y is missing/], [{ geo: 'A 0 0\nA 1 1\nB 0 0\n' }, /g\.geo:2:1: id: expected each id at one position/], [{ geo: 'A 0 0 7\nB 1 1\n' }, /g\.geo:1:7: field/],
  ];
  for (const [change, what] of rows) {
    const r = run(change);
    must(r.code === 1 && what.test(r.err), `${JSON.stringify(change)}: ${r.code} ${r.err}`);
  }
  const csv = gezhi(['scan', '--cases', file('c.csv', 'id,cases\nG01,2\nG02,many\n'), '--population', sample('scan_population.csv'), ...PLACES, ...PERIOD]);
  must(csv.code === 1 && /c\.csv:3: column cases: .*"many"/.test(csv.err), csv.err);
  must(gezhi([...CITY, '--columns', 'id=nowhere', '--geo', '/no/such/file.csv']).code === 1, 'no such file');
});

test('scan: a parameter file names everything that is not supported', () => {
  const prm = file('x.prm', '[Input]\nCaseFile=c.cas\n[Analysis]\nAnalysisType=5\nModelType=4\n[Output]\nOutputShapefiles=y\n[Inference]\nAdjustForEarlierAnalyses=y\nInvented=1\n');
  const r = gezhi(['scan', '--prm', prm]);
  equal(r.code, 1, r.err);
  for (const line of [':4: [Analysis] AnalysisType=5: not supported', ':5: [Analysis] ModelType=4: not supported', ':7: [Output] OutputShapefiles=y: an output that gezhi does not write', ':9: [Inference] AdjustForEarlierAnalyses=y: not supported', ':10: [Inference] Invented=1: an unknown parameter', '5 parameters are not supported']) must(r.err.includes(line), `${line} is not in\n${r.err}`);
  const text = readFileSync(sample('scan.prm'), 'utf8').replaceAll('=scan.', `=${ROOT}/samples/scan.`);
  const asks = file('asks.prm', `${text}[Output]\nOutputGoogleMaps=y\n`);
  equal(gezhi(['scan', '--prm', asks]).code, 1, 'an output that is not written');
  const left = gezhi(['scan', '--prm', asks, '--skip-outputs', '--replicas', '9']);
  must(left.code === 0 && left.err.includes('OutputGoogleMaps=y: an output that gezhi does not write, left out'), left.err);
  const bad = gezhi(['scan', '--prm', file('y.prm', '[Input\n')]);
  must(bad.code === 1 && /y\.prm:1:7: a section's name does not end/.test(bad.err), bad.err);
});

test('scan: an interrupt ends it cleanly', async () => {
  const out = `${fresh('never')}.geojson`;
  const p = spawn(BIN, [...CITY, ...PERIOD, '--analysis', 'space-time', '--replicas', '999999', '--geojson', out], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  p.stderr.on('data', (d) => { err += d; });
  const ended = new Promise((done) => p.on('close', (code, signal) => done({ code, signal })));
  await sleep(1500);
  p.kill('SIGINT');
  const late = sleep(20_000).then(() => ({ code: 'late' }));
  const r = await Promise.race([ended, late]);
  if (r.code === 'late') p.kill('SIGKILL');
  equal(r, { code: 1, signal: null }, `after SIGINT: ${err}`);
  must(/stopped by a signal/.test(err) && !existsSync(out), err);
});
