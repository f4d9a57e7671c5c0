/** Areas, cells, posts, units, tiles. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { commonServer, equal, fresh, goldenShape, must, problem, skip, test } from './lib.mjs';

test('areas: the tree, filters, one area', async () => {
  const { stranger } = await commonServer();
  const top = (await stranger.get('/api/v1/areas')).json.items;
  must(top.length === 1 && top[0].parent === null, JSON.stringify(top));
  const walk = async (a) => {
    const below = (await stranger.get(`/api/v1/areas?parent=${a.code}&limit=500`)).json.items;
    equal(below.length, a.children, `children of ${a.code}`);
    return 1 + (await Promise.all(below.map(walk))).reduce((x, y) => x + y, 0);
  };
  equal(await walk(top[0]), (await stranger.get('/api/v1/city')).json.areas, 'areas in the tree');
  const towns = (await stranger.get('/api/v1/areas?level=town')).json.items;
  must(towns.length > 0 && towns.every((a) => a.level === 'town'), 'level=town');
  const one = await stranger.get(`/api/v1/areas/${towns[0].code}`);
  must(one.json.code === towns[0].code, one.text);
  must((await stranger.get(`/api/v1/areas?q=${encodeURIComponent(towns[0].name)}`)).json.items.some((a) => a.code === towns[0].code), 'q finds by name');
  problem(await stranger.get('/api/v1/areas/000000'), 404, 'NOT_FOUND');
  goldenShape('areas', towns);
  goldenShape('area', one.json);
});

/** Edges that one shape has and no neighbour has the other way round; of a city without gaps they are its outline. */
function rim(features) {
  const edges = new Map();
  for (const f of features) {
    for (const part of f.geometry.type === 'Polygon' ? [f.geometry.coordinates] : f.geometry.coordinates) {
      for (const ring of part) for (let i = 0; i + 1 < ring.length; i++) edges.set(`${ring[i]}|${ring[i + 1]}`, [`${ring[i]}`, `${ring[i + 1]}`]);
    }
  }
  return [...edges.values()].filter(([a, b]) => !edges.has(`${b}|${a}`));
}
test('areas: shapes of a level tile the city without gaps', async () => {
  const { stranger } = await commonServer();
  for (const level of ['county', 'town', 'community']) {
    const r = await stranger.get(`/api/v1/areas/shapes?level=${level}`);
    const areas = (await stranger.get(`/api/v1/areas?level=${level}&limit=500`)).json.items;
    equal(r.json.features.map((f) => f.id), areas.map((a) => a.code), `areas of level ${level}`);
    must(r.json.features.every((f) => f.geometry && f.properties.label), `${level}: a shape is missing`);
    const open = rim(r.json.features), next = new Map(open.map(([a, b]) => [a, b]));
    let at = open[0][0], steps = 0;
    do at = next.get(at); while (++steps < open.length && at !== open[0][0]);
    equal([steps, at], [open.length, open[0][0]], `${level}: the edges without a neighbour are not one closed outline`);
    const again = await stranger.get(`/api/v1/areas/shapes?level=${level}`, { 'If-None-Match': r.headers.etag });
    equal([again.status, again.text], [304, ''], 'asked again with its ETag');
  }
  problem(await stranger.get('/api/v1/areas/shapes?level=street'), 422, 'INVALID');
});

test('cells: card, list, paging, no_post', async () => {
  const { stranger, who } = await commonServer();
  const op = await who('supervisor');
  const rows = [];
  for (let after = ''; ; ) {
    const r = (await op.get(`/api/v1/cells?limit=13${after ? `&after=${after}` : ''}`)).json;
    rows.push(...r.items);
    if (!r.next) break;
    after = r.next;
  }
  equal(new Set(rows.map((c) => c.code)).size, rows.length, 'no cell twice');
  equal(rows.length, (await stranger.get('/api/v1/city')).json.cells, 'all cells');
  const bare = (await op.get('/api/v1/cells?no_post=1&limit=500')).json.items;
  must(bare.length < rows.length && bare.every((c) => c.post === null || !c.post.on_duty), 'no_post=1');
  const town = rows[0].town.code;
  const part = (await op.get(`/api/v1/cells?area=${town}&limit=500`)).json.items;
  equal(part.map((c) => c.code).sort(), rows.filter((c) => c.town.code === town).map((c) => c.code).sort(), 'area=');
  const card = await stranger.get(`/api/v1/cells/${rows[0].code}`);
  equal(card.json.code, rows[0].code, 'the public card');
  goldenShape('cells', rows);
  goldenShape('cell', card.json);
  problem(await stranger.get('/api/v1/cells/nothing'), 404, 'NOT_FOUND');
  problem(await stranger.get('/api/v1/cells'), 401, 'UNAUTHORIZED');
  goldenShape('locate', (await stranger.get(`/api/v1/locate?lon=${(card.json.bbox[0] + card.json.bbox[2]) / 2}&lat=${(card.json.bbox[1] + card.json.bbox[3]) / 2}`)).json);
  equal((await stranger.get('/api/v1/locate?lon=0&lat=0')).json, { cell: null }, 'outside');
  problem(await stranger.get('/api/v1/locate?lon=200&lat=0'), 422, 'INVALID');
});

test('posts: make, change with If-Match, cover, refuse another area', async () => {
  const { who } = await commonServer();
  const op = await who('operator'), worker = await who('worker');
  const list = (await op.get('/api/v1/posts?limit=500')).json.items;
  must(list.length > 0, 'posts');
  goldenShape('posts', list);
  const cell = list.find((p) => p.cell).cell;
  const made = await op.post('/api/v1/posts', { title: '试验岗', cell, account: worker.account.name, duties: 'urban', phone: '0512-1' });
  must(made.status === 201 && made.headers.etag === '"1"', `${made.status} ${made.text}`);
  const path = `/api/v1/posts/${made.json.id}`;
  problem(await op.patch(path, { phone: '0512-2' }), 428, 'NEED_MATCH');
  problem(await op.patch(path, { phone: '0512-2' }, { 'If-Match': '"9"' }), 412, 'STALE');
  const changed = await op.patch(path, { phone: '0512-2', cover: { account: op.account.name, until: '2027-01-01T00:00:00Z' } }, { 'If-Match': '"1"' });
  must(changed.status === 200 && changed.headers.etag === '"2"', `${changed.status} ${changed.text}`);
  // At once: whoever saves and looks reads what he saved.
  const seen = (await op.get(`/api/v1/posts?cell=${cell}`)).json.items.find((p) => p.id === made.json.id);
  must(seen, 'the post is not in the list');
  equal([seen.phone, seen.cover.account, seen.version], ['0512-2', op.account.name, 2], 'the changed post');
  problem(await op.patch(path, { account: 'nobody-of-this-name' }, { 'If-Match': '"2"' }), 422, 'INVALID');
  problem(await op.post('/api/v1/posts', { title: 'x' }), 422, 'INVALID');
  problem(await worker.post('/api/v1/posts', { title: 'x', cell }), 403, 'FORBIDDEN');
  const end = await op.patch(path, { cover: null, account: null }, { 'If-Match': '"2"' });
  must(end.status === 200, end.text);
});

test('units: shape, codes apart', async () => {
  const { who } = await commonServer();
  const units = (await (await who('operator')).get('/api/v1/units')).json.items;
  must(units.length > 3 && new Set(units.map((u) => u.code)).size === units.length, `${units.length} units`);
  goldenShape('units', units);
});

/** Column and row of the tile of a point. */
export function tileOf(lon, lat, z) {
  const n = 2 ** z, r = (lat * Math.PI) / 180;
  return [Math.floor(((lon + 180) / 360) * n), Math.floor(((1 - Math.log(Math.tan(r) + 1 / Math.cos(r)) / Math.PI) / 2) * n)];
}

test('tiles: cells and cases, read back by OGR', async () => {
  const { stranger, who } = await commonServer();
  if (spawnSync('ogr2ogr', ['--version']).status !== 0) skip('ogr2ogr is not installed');
  const op = await who('supervisor');
  const c = (await op.get('/api/v1/cases?limit=50')).json.items.find((x) => x.lon !== null && !x.private);
  const read = async (client, layer, z) => {
    const [x, y] = tileOf(c.lon, c.lat, z);
    const r = await client.get(`/tiles/${layer}/${z}/${x}/${y}.mvt`);
    must(r.status === 200 && r.type === 'application/vnd.mapbox-vector-tile', `${layer}: ${r.status} ${r.type}`);
    const file = `${fresh('tile')}.mvt`;
    writeFileSync(file, r.bytes);
    const names = spawnSync('ogrinfo', ['-q', '-oo', `X=${x}`, '-oo', `Y=${y}`, '-oo', `Z=${z}`, file], { encoding: 'utf8' }).stdout;
    const out = {};
    for (const m of names.matchAll(/^\d+: (\S+)/gm)) {
      const js = spawnSync('ogr2ogr', ['-f', 'GeoJSON', '-t_srs', 'EPSG:4326', '/vsistdout/', file, m[1], '-oo', `X=${x}`, '-oo', `Y=${y}`, '-oo', `Z=${z}`], { encoding: 'utf8', maxBuffer: 1 << 28 });
      must(js.status === 0, js.stderr);
      out[m[1]] = JSON.parse(js.stdout).features;
    }
    return out;
  };
  const cells = await read(stranger, 'cells', 13);
  must(cells.cells.some((f) => f.properties.code === c.cell.code), 'the cell of a case is in its tile');
  must(cells.areas.length > 0, 'areas');
  const cases = await read(op, 'cases', 15);
  const f = cases.cases.find((x) => x.properties.code === c.code);
  must(f && Math.abs(f.geometry.coordinates[0] - c.lon) < 1e-4 && Math.abs(f.geometry.coordinates[1] - c.lat) < 1e-4, `the case lies at ${JSON.stringify(f?.geometry)}, not ${c.lon} ${c.lat}`);
  equal([f.properties.class, f.properties.state], [c.class, c.state], 'its properties');
  problem(await stranger.get('/tiles/cases/10/855/412.mvt'), 401, 'UNAUTHORIZED');
  problem(await stranger.get('/tiles/cells/99/1/1.mvt'), 404, 'NOT_FOUND');
  problem(await stranger.get('/tiles/nothing/10/1/1.mvt'), 404, 'NOT_FOUND');
  must((await stranger.get('/tiles/cells/10/1/1.mvt')).status === 204, 'an empty tile is 204');
});
