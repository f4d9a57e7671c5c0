/** Residents' surveys: what is taken and refused, what is told, and that the index stands on it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { equal, gezhi, gezhiOk, goldenShape, must, PACKS, problem, readAccounts, serving, test, WORK } from './lib.mjs';
import { signedIn } from './api.mjs';

/** A city with several towns, the same for both tests. */
let city = null;
function townsCity() {
  const dir = join(WORK, 'survey-city');
  city ??= { dir, accounts: readAccounts(gezhiOk(['demo', '--data', dir, '--packs', PACKS, '--cells', '400', '--cases', '100', '--quiet']).out) };
  return city;
}
const HEAD = 'area,outcome,sample,sex,age,safe,satisfied';
const AGES = ['16-34', '35-54', '55-over'];
/** n answers of a town, every `unsafe`-th one unsafe, and as many refusals. */
function wave(town, n, unsafe, from = 0) {
  const rows = [];
  for (let i = 0; i < n; i++) {
    const safe = i % unsafe === 0 ? 'unsafe' : 'safe';
    rows.push(`${town},completed,${from + i + 1},${i % 2 ? 'male' : 'female'},${AGES[i % 3]},${safe},satisfied`);
    rows.push(`${town},refused,${from + n + i + 1},,,,`);
  }
  return rows;
}
const put = (name, rows) => {
  const file = join(WORK, name);
  writeFileSync(file, `${rows.join('\n')}\n`);
  return file;
};
const take = (file, dir, more = []) => gezhi(['import', 'survey', file, '--survey', 'safety', '--wave', '2026-09', '--data', dir, ...more]);

test('survey: the demo city has waves, told with interval, and the indicator stands on them', async () => {
  const { dir, accounts } = townsCity();
  await serving(dir, async (stranger) => {
    problem(await stranger.get('/api/v1/surveys'), 401, 'UNAUTHORIZED');
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const list = (await supervisor.get('/api/v1/surveys')).json;
    goldenShape('surveys', list);
    const s = list.items.find((x) => x.survey === 'safety');
    must(s.waves.length === 5 && s.waves[0].wave > s.waves[4].wave, 'five waves, the newest first');
    const path = `/api/v1/surveys/safety/waves/${s.waves[0].wave}`;
    const told = (await supervisor.get(path)).json;
    goldenShape('survey-wave', told);
    equal(Object.values(told.outcomes).reduce((a, b) => a + b, 0), told.drawn, 'everybody drawn has an outcome');
    const { completed, partial, refused, no_contact, other, unknown } = told.outcomes;
    must(Math.abs(told.response_rate - (100 * completed) / (completed + partial + refused + no_contact + other + unknown)) < 1e-9, 'RR1');
    const safe = told.questions.find((q) => q.question === 'safe');
    equal(safe.feeds, 'survey_safe', 'feeds');
    const towns = safe.areas.filter((a) => a.level === 'town');
    const values = (await supervisor.get(`/api/v1/indicators/survey_safe/values?period=${s.waves[0].wave}&level=town`)).json.areas;
    for (const t of towns) {
      must(t.low < t.value && t.value < t.high && t.n_effective <= t.n && t.n <= t.drawn, JSON.stringify(t));
      equal(values.find((v) => v.area === t.area).value, t.value, 'the indicator tells the survey');
    }
    must(towns.length > 1 && towns.every((t) => t.enough), 'towns');
    problem(await supervisor.get('/api/v1/surveys/safety/waves/1999'), 404, 'NOT_FOUND');
    problem(await supervisor.get('/api/v1/surveys/nothing/waves/2026'), 404, 'NOT_FOUND');
  });
});

test('import survey: whole or not at all, no names or numbers, few answers not told', async () => {
  const { dir, accounts } = townsCity();
  let towns = [];
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    towns = (await supervisor.get('/api/v1/areas?level=town&limit=100')).json.items.map((a) => a.code);
  });
  const [a, b] = towns;
  // A column for who was called, or one that Gezhi refuses, ends it; an undeclared one too.
  for (const [column, why] of [['phone', /names, telephone numbers/], ['姓名', /names, telephone numbers/], ['face_id', /refuses to hold/], ['mood', /has no column/]]) {
    const r = take(put('survey-bad.csv', [`${HEAD},${column}`, ...wave(a, 2, 2).map((x) => `${x},x`)]), dir);
    equal(r.code, 1, column);
    must(why.test(r.err), `${column}: ${r.err}`);
  }
  // One bad row, and nothing is written; the errors say which and why.
  const errors = join(WORK, 'survey-errors.csv');
  const bad = take(put('survey-bad.csv', [HEAD, ...wave(a, 30, 10), `${a},completed,9999,female,16-34,13800000000,satisfied`, `${a},called,1,,,,`, `${a},refused,13800000000,,,,`]), dir, ['--errors', errors]);
  equal([bad.code, JSON.parse(bad.out).rejected, JSON.parse(bad.out).wave], [1, 3, null], 'rejected');
  must(/not among its answers/.test(readFileSync(errors, 'utf8')) && /six digits/.test(readFileSync(errors, 'utf8')), 'reasons');
  // 60 answers in one town and 5 in another: the five are not told, nor is what they could be had from.
  const file = put('survey.csv', [HEAD, ...wave(a, 60, 10), ...wave(b, 5, 5, 500)]);
  const tried = gezhi(['import', 'survey', file, '--survey', 'safety', '--wave', '2026-09', '--data', dir, '--dry-run', '--json']);
  equal(tried.code, 0, `${tried.err} ${tried.out}`);
  const dry = JSON.parse(tried.out);
  equal([dry.drawn, dry.answers, dry.response_rate, dry.wave], [130, 65, 50, 'new'], 'dry run');
  equal(JSON.parse(take(file, dir, ['--json']).out).wave, 'new', 'first');
  equal(JSON.parse(take(file, dir, ['--json']).out).wave, 'unchanged', 'again');
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const told = (await supervisor.get('/api/v1/surveys/safety/waves/2026-09')).json;
    const of = (code) => told.questions.find((q) => q.question === 'safe').areas.find((x) => x.area === code);
    equal([of(b).state, of(b).value, of(b).low, of(b).n], ['below_floor', null, null, 5], 'five answers');
    equal([of(a).state, of(a).value], ['below_floor', null], 'its neighbour, by which the five could be had');
    must(told.questions[0].areas.some((x) => x.level === 'city' && x.value !== null), 'the city is told');
    must(told.weights.joined >= 1, 'the five are weighed with their neighbours');
  });
  // More answers restate the wave; fewer cannot take back what was told.
  const more = put('survey-more.csv', [HEAD, ...wave(a, 60, 10), ...wave(b, 80, 4, 500)]);
  equal(JSON.parse(take(more, dir, ['--json']).out).wave, 'restated', 'more');
  const fewer = take(file, dir, ['--json']);
  must(fewer.code === 1 && /a wave is given whole/.test(fewer.err), fewer.err);
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const told = (await supervisor.get('/api/v1/surveys/safety/waves/2026-09')).json;
    const t = told.questions.find((q) => q.question === 'safe').areas.find((x) => x.area === b);
    // Ages and sexes are as even as the rows: nothing to weigh for within a town, 60 of 80 say safe.
    must(Math.abs(t.value - 75) < 3 && t.low > 60 && t.high < 85, JSON.stringify(t));
    equal(t.state, 'ok', 'enough');
  });
});
