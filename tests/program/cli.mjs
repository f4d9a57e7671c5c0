/** The command line: exit codes, locate, imports, demo. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { emptyCity, equal, fresh, gezhi, gezhiOk, makeDemo, must, PACKS, serving, SHARED, skip, test, WORK } from './lib.mjs';

test('wrong use exits 2, failure exits 1, help exits 0', () => {
  const none = join(WORK, 'no-such-folder');
  const rows = [
    [[], 2], [['--help'], 0], [['--version'], 0], [['fly'], 2], [['import', 'nothing'], 2],
    [['init'], 2], [['init', '--help'], 0], [['init', '--data', none, '--codes', 'xx'], null], [['init', '--nonsense', '1'], 2],
    [['serve'], 2], [['serve', '--data', none, '--port', 'x'], 2], [['serve', '--data', none], 1],
    [['import', 'areas', '--data', none], 2], [['import', 'areas', '/no/file', '--data', none, '--name', 'n'], 1], [['import', 'cells', 'x', '--data', none, '--name', 'n'], 2],
    [['locate', '--data', none], 2], [['locate', '--data', none, '--layer', 'x'], 1], [['locate', '--help'], 0],
    [['verify'], 2], [['verify', '--data', none], 1], [['backup', '--data', none], 2], [['backup', join(WORK, 'b'), '--data', none], 1],
    [['restore', '--data', none], 2], [['restore', '/no/file', '--data', none], 1],
    [['demo'], 2], [['demo', '--data', none, '--until', 'soon'], 2], [['demo', '--data', none, '--cells', '-5'], null],
    [['pack'], 2], [['pack', 'check', none], 1], [['pack', 'show', '--help'], 0], [['user'], 2],
  ];
  for (const [args, code] of rows) {
    const r = gezhi(args, { input: '', timeout: 20_000 });
    must(code === null ? r.code === 1 || r.code === 2 : r.code === code, `gezhi ${args.join(' ')}: exit ${r.code}, expected ${code ?? '1 or 2'}: ${r.err.slice(0, 200)}`);
    if (r.code !== 0) must(r.err.trim().length > 0, `gezhi ${args.join(' ')} says nothing`);
  }
  must(!existsSync(none), 'a failed command made a folder');
  const dir = emptyCity();
  equal(gezhi(['init', '--data', dir, '--packs', PACKS]).code, 1, 'init over a city');
});

const SQUARES = (rows) => JSON.stringify({ type: 'FeatureCollection', features: rows.map(([code, name, x, y, w = 1]) => ({ type: 'Feature', properties: { code, name }, geometry: { type: 'Polygon', coordinates: [[[x, y], [x + w, y], [x + w, y + w], [x, y + w], [x, y]]] } })) });
function squareCity() {
  const dir = emptyCity(), areas = `${fresh('areas')}.geojson`, cells = `${fresh('cells')}.geojson`;
  writeFileSync(areas, SQUARES([['A', '甲区', 10, 10, 2], ['B', '乙区', 12, 10, 2]]));
  writeFileSync(cells, SQUARES([['c1', 'One', 10, 10], ['c2', 'Two', 11, 10], ['c3', 'Three', 12, 10], ['c4', 'Four', 10, 11]]));
  const a = gezhiOk(['import', 'areas', areas, '--data', dir, '--code', 'code', '--name', 'name', '--level', 'county']);
  must(a.out.startsWith('read 2, added 2'), a.out);
  const c = gezhiOk(['import', 'cells', cells, '--data', dir, '--layer', 'grid', '--code', 'code', '--name', 'name']);
  must(c.out.startsWith('read 4, added 4'), c.out);
  return { dir, areas, cells };
}

test('import areas and cells: parents by shape, twice adds nothing, bad shapes named, nothing half-imported', async () => {
  const { dir, cells } = squareCity();
  const again = gezhiOk(['import', 'cells', cells, '--data', dir, '--layer', 'grid', '--code', 'code', '--name', 'name']);
  must(/added 0/.test(again.out), again.out);
  const bow = `${fresh('bow')}.geojson`;
  const good = JSON.parse(SQUARES([['d1', 'Good', 13, 10]]));
  good.features.push({ type: 'Feature', properties: { code: 'd2', name: 'Bow tie' }, geometry: { type: 'Polygon', coordinates: [[[13, 11], [14, 12], [14, 11], [13, 12], [13, 11]]] } });
  writeFileSync(bow, JSON.stringify(good));
  const bad = gezhi(['import', 'cells', bow, '--data', dir, '--layer', 'grid', '--code', 'code', '--name', 'name']);
  equal(bad.code, 1, 'an invalid shape');
  must(/d2|Bow tie/.test(bad.err), `the bad shape is named: ${bad.err}`);
  await serving(dir, async (stranger) => {
    equal((await stranger.get('/api/v1/city')).json.cells, 4, 'cells after a failed import');
    const c = (await stranger.get('/api/v1/cells/c3')).json;
    equal(c.county?.code, 'B', 'the parent by shape');
  });
  gezhiOk(['import', 'cells', bow, '--data', dir, '--layer', 'grid', '--code', 'code', '--name', 'name', '--repair']);
  const missing = gezhi(['import', 'areas', cells, '--data', dir, '--name', 'no_such_field']);
  equal(missing.code, 1, 'a field that is not there');
  must(missing.err.includes('no_such_field'), missing.err);
});

test('locate: columns added, outside empty, borders by the rule, bad rows kept and listed, prefix', () => {
  const { dir } = squareCity();
  const at = ['--data', dir, '--layer', 'grid'];
  const csv = 'id,lon,lat,note\n1,10.5,10.5,"a, b"\n2,99,10,out\n3,x,10,bad\n4,11,10.5,border\n5,10.5,11,border\n6,11.5,10.5,"line\nbreak"\n7,10.5,95,bad\n';
  const errors = `${fresh('errors')}.txt`;
  const r = gezhi(['locate', ...at, '--errors', errors], { input: csv });
  equal(r.code, 0, `exit: ${r.err}`);
  const rows = r.out.replace(/\r\n/g, '\n');
  equal(rows.split('\n')[0], 'id,lon,lat,note,code,name', 'the head');
  for (const line of ['1,10.5,10.5,"a, b",c1,One', '2,99,10,out,,', '3,x,10,bad,,', '4,11,10.5,border,c2,Two', '5,10.5,11,border,c4,Four', 'break",c2,Two', '7,10.5,95,bad,,']) must(rows.includes(line), `${line} is not in\n${rows}`);
  must(/\b2\b/.test(r.err), `two bad rows are counted: ${r.err}`);
  const listed = readFileSync(errors, 'utf8');
  must(listed.includes('3,x,10,bad') && listed.includes('7,10.5,95,bad') && !listed.includes('2,99,10,out'), listed);
  const have = 'lon,lat,code\n10.5,10.5,z\n';
  equal(gezhi(['locate', ...at], { input: have }).code, 2, 'a column of that name is there');
  const p = gezhi(['locate', ...at, '--prefix', 'g_'], { input: have });
  must(p.code === 0 && p.out.replace(/\r\n/g, '\n') === 'lon,lat,code,g_code,g_name\n10.5,10.5,z,c1,One\n', p.out);
  must(gezhi(['locate', ...at], { input: 'a,b\n1,2\n' }).code !== 0, 'no lon and lat');
  must(gezhi(['locate', ...at], { input: '' }).code !== 0, 'nothing at all');
  equal(gezhi(['locate', '--data', dir, '--layer', 'no-such'], { input: csv }).code, 1, 'no such layer');
  const file = `${fresh('in')}.csv`;
  writeFileSync(file, csv);
  equal(gezhi(['locate', ...at, '--in', file]).out, r.out, '--in FILE');
});

test('Boston: points in neighbourhoods as expected', () => {
  const dir311 = join(SHARED, 'data/01-service-requests'), shapes = join(SHARED, 'data/02-boundaries/boston_neighborhoods.geojson');
  if (!existsSync(shapes)) skip('the shared data are not here');
  const dir = emptyCity(['--timezone', 'America/New_York']);
  const name = /"(name|Name|neighborhood|BlockGr2020_ctr_neighb_name)":/.exec(readFileSync(shapes, 'utf8'))?.[1];
  must(name, 'a name column');
  gezhiOk(['import', 'cells', shapes, '--data', dir, '--layer', 'neighbourhood', '--name', name, '--repair']);
  const gz = join(dir311, 'boston_311_2011H2.csv.gz'), raw = spawnSync('gzip', ['-dc', gz], { maxBuffer: 1 << 28 }).stdout.toString('utf8');
  const nl = raw.indexOf('\n');
  const head = raw.slice(0, nl).replace(/\blongitude\b/i, 'lon').replace(/\blatitude\b/i, 'lat');
  const r = gezhi(['locate', '--data', dir, '--layer', 'neighbourhood', '--prefix', 'cell_'], { input: head + raw.slice(nl) });
  equal(r.code, 0, r.err);
  const expected = readFileSync(join(dir311, 'boston_expected_point_in_polygon.csv'), 'utf8').trim().split(/\r?\n/).slice(1).map((l) => l.split(','));
  const counts = new Map();
  for (const line of r.out.split(/\r?\n/).slice(1)) {
    if (!line) continue;
    const n = /,([^,]*)$/.exec(line)?.[1].replace(/^"|"$/g, '');
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  for (const [n, count] of expected.map((row) => [row[0].replace(/^"|"$/g, ''), Number(row[row.length - 1])])) {
    if (!Number.isFinite(count)) continue;
    const key = counts.has(n) ? n : /out|none|unmatched|^$/i.test(n) ? '' : n;
    equal(counts.get(key) ?? 0, count, `points in ${n || 'none'}`);
  }
});

test('demo: the same seed and date make the same city; another seed another', () => {
  const a = makeDemo(), b = makeDemo(), c = makeDemo(['--seed', '8']);
  equal(readFileSync(join(a, 'planted.json'), 'utf8'), readFileSync(join(b, 'planted.json'), 'utf8'), 'planted.json');
  must(readFileSync(join(a, 'planted.json'), 'utf8') !== readFileSync(join(c, 'planted.json'), 'utf8'), 'another seed, the same planted.json');
  const ask = (dir) => gezhi(['export', 'cases', '--data', dir, '--format', 'ndjson']);
  if (gezhi(['export', 'cases', '--help']).code !== 0) {
    const cases = (dir) => spawnSync('sqlite3', [join(dir, 'gezhi.db'), 'SELECT code, class, state, lon, lat, opened_at, closed_at, due_at, cell, unit FROM case_ ORDER BY code'], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
    must(cases(a).length > 1000 && cases(a) === cases(b), 'the cases differ');
    return;
  }
  must(ask(a).out.length > 1000 && ask(a).out === ask(b).out, 'gezhi export cases differs');
  must(ask(a).out !== ask(c).out, 'another seed, the same cases');
});

test('erase: how to reach the people of a case goes, then all their words; the proofs stay', () => {
  const dir = join(WORK, 'erase');
  equal(gezhi(['demo', '--data', dir, '--packs', PACKS, '--cells', '40', '--cases', '100', '--quiet']).code, 0, 'demo');
  const rows = gezhi(['export', 'cases', '--data', dir, '--format', 'ndjson']).out.trim().split('\n').map((l) => JSON.parse(l));
  const code = rows[5].code ?? rows[5].case?.code;
  equal(gezhi(['erase', code, '--data', dir]).code, 2, 'a reason is needed');
  equal(gezhi(['erase', '990199-010101-99999', '--reason', 'asked', '--data', dir]).code, 1, 'an unknown case');
  const all = gezhi(['erase', code, '--reason', 'asked by the person', '--all', '--data', dir]);
  equal(all.code, 0, all.err);
  must(Number(/erased (\d+) values/.exec(all.out)?.[1]) > 0, all.out);
  const v = JSON.parse(gezhi(['verify', '--data', dir, '--json']).out);
  must(v.ok && v.erased > 0, JSON.stringify(v));
});
