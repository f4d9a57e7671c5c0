/** What Gezhi refuses to hold (scope, "What Gezhi refuses"): each line is tried as a field of a pack, as a class and over the API. */
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commonServer, equal, fresh, gezhi, must, PACKS, test } from './lib.mjs';
import { STREET, workerPoint } from './api.mjs';

/** Line of the table, and names under which a city may ask for it. */
const LINES = [
  ['movements of a resident', ['resident_track', 'movement_trace', '行动轨迹', 'person_location_history']],
  ['recognising persons on the street', ['face_id', 'gait_feature', 'plate_number_recognition', '人脸识别结果', 'petition_history', '上访次数']],
  ['sound and private rooms', ['audio_recording', '录音', 'bedroom_camera']],
  ['score of a resident', ['credit_score', 'resident_points', '信用分', '居民积分']],
  ['registers of persons', ['key_person', '重点人员', 'blacklist']],
  ['ranking of one worker', ['worker_ranking', 'worker_penalty', '网格员排名']],
  ['state secrets', ['secret_level', '密级']],
];
/** Shipped packs with a field added to the case type. */
function withField(name) {
  const dir = fresh('packs');
  cpSync(PACKS, dir, { recursive: true });
  const file = join(dir, 'cases/types/case.yaml');
  const ascii = /^[a-z_]+$/.test(name);
  const field = `  - name: ${ascii ? name : 'city_extra'}\n    title: {en: "${ascii ? name.replaceAll('_', ' ') : 'Extra'}", zh: "${ascii ? '附加' : name}"}\n    kind: text\n    max: 100\n    sensitivity: internal\n`;
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf('fields:\n') + 'fields:\n'.length;
  must(at > 10, 'case.yaml has fields');
  writeFileSync(file, text.slice(0, at) + field + text.slice(at));
  return dir;
}

test('a harmless field of a city loads (or the refusals below would prove nothing)', () => {
  const r = gezhi(['pack', 'check', withField('street_lamp_number')]);
  equal([r.code, r.err], [0, ''], 'pack check');
});
for (const [line, names] of LINES) {
  test(`refused in a pack: ${line}`, () => {
    for (const name of names) {
      const r = gezhi(['pack', 'check', withField(name)]);
      must(r.code === 1, `a field "${name}" loads`);
      must(/case\.yaml:\d+/.test(r.err) && /refuse|does not hold|scope/i.test(r.err), `"${name}": ${r.err}`);
    }
  });
}
test('refused as an input of a move and as the name of a type', () => {
  for (const name of LINES.map(([, n]) => n[0])) {
    const dir = fresh('packs');
    cpSync(PACKS, dir, { recursive: true });
    const file = join(dir, 'cases/processes/street.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('inputs:\n', `inputs:\n  - {name: ${name}, kind: text, max: 100, title: {en: ${name.replaceAll('_', ' ')}, zh: 附加}}\n`));
    const r = gezhi(['pack', 'check', dir]);
    must(r.code === 1 && /street\.yaml:\d+/.test(r.err) && /refuse|does not hold|scope/i.test(r.err), `an input "${name}": ${r.err}`);
  }
});
test('refused over the API: no field takes it', async () => {
  const { stranger, who } = await commonServer();
  const at = await workerPoint(await who('worker'));
  for (const name of LINES.flatMap(([, n]) => n)) {
    for (const body of [{ [name]: 'x' }, { fields: { [name]: 'x' } }]) {
      const r = await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'x', ...body });
      must(r.status === 422, `${JSON.stringify(body)}: ${r.status}`);
    }
  }
});
test('an unknown key, a wrong kind and a broken file are told with file and line', () => {
  const dir = fresh('packs');
  cpSync(PACKS, dir, { recursive: true });
  appendFileSync(join(dir, 'cases/types/case.yaml'), 'sevrity: 1\n');
  const a = gezhi(['pack', 'check', dir]);
  must(a.code === 1 && /case\.yaml:\d+/.test(a.err + a.out) && (a.err + a.out).includes('sevrity'), a.err + a.out);
  writeFileSync(join(dir, 'cases/types/case.yaml'), 'type: [\n');
  const b = gezhi(['pack', 'check', dir]);
  must(b.code === 1 && /case\.yaml:\d+/.test(b.err + b.out), b.err + b.out);
  const empty = fresh('nothing');
  mkdirSync(empty);
  equal(readdirSync(empty).length, 0, 'an empty folder');
  equal(gezhi(['pack', 'check', empty]).code, 1, 'no pack at all');
});
