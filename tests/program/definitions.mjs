/** Indices by page: what is wrong is told by line, a preview ranks all areas, and old periods keep their formula. */
import { commonServer, equal, must, problem, test } from './lib.mjs';

const AT = '/api/v1/indices';
const shipped = async (who) => (await who.get('/api/v1/definitions/indices')).json.items.find((d) => d.name === 'safety' && d.source === 'pack');
const versionOf = async (who, period) => (await who.get(`${AT}/trial/values?period=${period}&level=town&draws=0`)).json.version;

test('definitions: faults by line, a preview, a draft, and a version from a day on', async () => {
  const { who } = await commonServer();
  const [analyst, worker, supervisor] = [await who('analyst'), await who('worker'), await who('supervisor')];
  problem(await worker.get('/api/v1/definitions/warnings'), 403, 'FORBIDDEN');
  problem(await analyst.get('/api/v1/definitions/nothing'), 404, 'NOT_FOUND');
  const { yaml, version, file } = await shipped(analyst);
  equal([version, file.startsWith('safety-index/')], [1, true], 'the shipped one');

  const wrong = (await analyst.post(`${AT}/check`, { yaml: yaml.replace('low: 0, high: 0.6', 'low: 2, high: 0.6') })).json;
  const line = yaml.split('\n').findIndex((l) => l.includes('serious_crime_rate')) + 1;
  equal([wrong.ok, wrong.faults[0].line, wrong.preview], [false, line, null], wrong.faults[0].text);
  const torn = (await analyst.post(`${AT}/check`, { yaml: 'index: [' })).json;
  must(!torn.ok && torn.faults[0].line >= 1, `a torn text: ${JSON.stringify(torn)}`);

  const harder = yaml.replace('{indicator: hazards_in_time, weight: 1, low: 50,', '{indicator: hazards_in_time, weight: 1, low: 0,');
  must(harder !== yaml, 'the text was changed');
  const tried = (await analyst.post(`${AT}/check`, { yaml: harder, period: '2026-10', level: 'community' })).json;
  must(tried.ok && tried.preview.areas.length > 1, `a preview of all areas: ${JSON.stringify(tried).slice(0, 300)}`);
  must(tried.preview.areas.every((a) => a.in_force.rank !== undefined), 'beside the one in force');
  problem(await supervisor.post(`${AT}/check`, { yaml }), 403, 'FORBIDDEN');

  const trial = yaml.replace('index: safety\n', 'index: trial\n');
  const enforce = (name, body) => analyst.post(`${AT}/${name}/enforce`, body);
  problem(await enforce('trial', { version: 1, valid_from: '2026-01-01' }), 404, 'NOT_FOUND');
  problem(await enforce('other', { version: 1, valid_from: '2026-01-01', yaml: trial }), 422, 'INVALID');
  equal((await enforce('trial', { version: 1, valid_from: '2026-01-01', yaml: trial })).status, 200, 'the first version');
  equal((await analyst.call('PUT', `${AT}/trial/draft`, { json: { yaml: harder.replace('index: safety\n', 'index: trial\n') } })).status, 200, 'draft');
  problem(await enforce('trial', { version: 1, valid_from: '2026-06-01' }), 409, 'CONFLICT');
  problem(await enforce('trial', { version: 2, valid_from: '2025-06-01' }), 422, 'INVALID');
  problem(await enforce('trial', { version: 2, valid_from: '2026-06-01', yaml: 'index: trial' }), 422, 'INVALID');
  problem(await supervisor.post(`${AT}/trial/enforce`, { version: 2, valid_from: '2026-06-01' }), 403, 'FORBIDDEN');
  const done = await enforce('trial', { version: 2, valid_from: '2026-06-01' });
  equal([done.status, done.json.version], [200, 2], done.text);
  problem(await enforce('trial', { version: 3, valid_from: '2026-06-01' }), 404, 'NOT_FOUND');

  equal([await versionOf(analyst, '2026-05'), await versionOf(analyst, '2026-06')], [1, 2], 'the formula of each period');
  equal((await analyst.get(AT)).json.items.find((d) => d.index === 'trial').version, 2, 'the one of today');
  const mine = (await analyst.get('/api/v1/definitions/indices')).json.items.find((d) => d.name === 'trial' && d.version === 2);
  equal([mine.source, mine.state, mine.valid_from, mine.yaml.includes('version: 2\n')], ['page', 'in_force', '2026-06-01', true], 'kept with its day');
});
