/** Briefings: formed as drafts, signed by who may, told to who reads them; the same by the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoCity, emptyCity, equal, gezhi, gezhiOk, goldenShape, must, problem, serving, test, WORK } from './lib.mjs';
import { signedIn } from './api.mjs';

const PERIOD = '2026-10';

test('briefings: a draft, the right hash, a signature, then for every reader', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor, operator, analyst, worker, leader } = await signedIn(stranger, accounts, ['supervisor', 'operator', 'analyst', 'worker', 'leader']);
    problem(await stranger.get('/api/v1/briefings'), 401, 'UNAUTHORIZED');
    problem(await worker.get('/api/v1/briefings'), 403, 'FORBIDDEN');
    equal((await leader.get('/api/v1/briefings')).json, { items: [], next: null }, 'nothing yet');
    problem(await operator.post('/api/v1/briefings', { period: PERIOD }), 403, 'FORBIDDEN');
    problem(await analyst.post('/api/v1/briefings', { period: '2026-13' }), 422, 'INVALID');
    problem(await analyst.post('/api/v1/briefings', { period: PERIOD, area: 'nowhere' }), 422, 'INVALID');
    problem(await analyst.post('/api/v1/briefings', { period: PERIOD, index: 'nothing' }), 404, 'NOT_FOUND');
    const made = await analyst.post('/api/v1/briefings', { period: PERIOD });
    equal(made.status, 201, 'a draft');
    const path = `/api/v1/briefings/${made.json.id}`;
    const draft = (await leader.get(path)).json;
    // Which lists are empty goes with the city's data: the members are held, two deep.
    const members = (v, deep) => (deep === 0 || v === null || typeof v !== 'object' || Array.isArray(v) ? 'any' : Object.fromEntries(Object.entries(v).map(([k, x]) => [k, members(x, deep - 1)])));
    goldenShape('briefing', { ...draft, document: members(draft.document, 2) });
    equal([draft.state, draft.kind, draft.period, draft.formed_by], ['draft', 'month', PERIOD, accounts.analyst.name], 'the draft');
    must(!JSON.stringify(draft.document).includes('"numerator"'), 'single counts of indicators are told');
    // A draft is for those who prepare and sign.
    problem(await operator.get(path), 404, 'NOT_FOUND');
    problem(await operator.get(`${path}/pdf?lang=en`), 404, 'NOT_FOUND');
    equal((await operator.get('/api/v1/briefings')).json.items, [], 'drafts in the list of a reader');
    problem(await analyst.post(`${path}/sign`, { hash: draft.hash }), 403, 'FORBIDDEN');
    problem(await stranger.post(`${path}/sign`, { hash: draft.hash }), 401, 'UNAUTHORIZED');
    problem(await leader.post(`${path}/sign`, { hash: '0'.repeat(64) }), 412, 'STALE');
    equal((await leader.post(`${path}/sign`, { hash: draft.hash, note: 'Look at food first.' })).json, { state: 'signed' }, 'signed');
    problem(await leader.post(`${path}/sign`, { hash: draft.hash }), 409, 'CONFLICT');
    const seen = (await operator.get(path)).json;
    equal([seen.state, seen.signed_by, seen.note, seen.hash, seen.may_sign], ['signed', accounts.leader.name, 'Look at food first.', draft.hash, false], 'what a reader sees');
    must((await operator.get('/api/v1/notices')).json.items.some((n) => n.kind === 'briefing_signed'), 'the reader was told of it');
    const pdf = await operator.get(`${path}/pdf?lang=en`);
    equal([pdf.status, pdf.headers['content-type'], pdf.text.slice(0, 5)], [200, 'application/pdf', '%PDF-'], 'the PDF');
    must(/attachment; filename="briefing-month-2026-10-\d+-en\.pdf"/.test(pdf.headers['content-disposition']), pdf.headers['content-disposition']);
    problem(await operator.get(`${path}/pdf?lang=xx`), 422, 'INVALID');
    problem(await operator.post(`${path}/withdraw`, { note: 'why' }), 403, 'FORBIDDEN');
    problem(await supervisor.post(`${path}/withdraw`, {}), 422, 'INVALID');
    equal((await supervisor.post(`${path}/withdraw`, { note: 'A figure was wrong.' })).json, { state: 'withdrawn' }, 'withdrawn');
    problem(await operator.get(path), 404, 'NOT_FOUND');
    problem(await leader.get('/api/v1/briefings/0'), 404, 'NOT_FOUND');
    problem(await leader.get('/api/v1/briefings/99999999999999999999'), 404, 'NOT_FOUND');
    const list = (await leader.get('/api/v1/briefings?kind=month&state=withdrawn')).json.items;
    equal([list.length, list[0].id, 'document' in list[0]], [1, made.json.id, false], 'the list');
  });
  // What was signed and withdrawn is in the proof.
  gezhiOk(['verify', '--data', dir]);
});

test('briefing: the command line forms the same, twice the same bytes', async () => {
  const { dir } = demoCity();
  const form = () => gezhiOk(['briefing', '--data', dir, '--kind', 'month', '--period', PERIOD, '--json']).out;
  const first = form();
  equal(form(), first, 'the document');
  const doc = JSON.parse(first);
  equal([doc.kind, doc.period, doc.invented], ['month', PERIOD, true], 'the document');
  must(doc.head.sentences.length > 0 && doc.areas.items.length > 1 && doc.map.areas.length === doc.areas.items.length, 'the parts of it');
  const told = Math.abs(doc.moved.steps.reduce((s, x) => s + x.change, doc.moved.rest) - doc.head.change);
  must(!doc.head.shared || told < 0.05 * (doc.moved.steps.length + 3), `the steps miss the change by ${told}`);
  const pdf = (name, lang) => {
    const file = join(WORK, name);
    gezhiOk(['briefing', '--data', dir, '--period', PERIOD, '--lang', lang, '--pdf', file]);
    return readFileSync(file);
  };
  const zh = pdf('zh.pdf', 'zh-CN');
  must(zh.subarray(0, 5).toString() === '%PDF-' && zh.equals(pdf('zh2.pdf', 'zh-CN')), 'the same PDF');
  must(!zh.equals(pdf('en.pdf', 'en')), 'the languages differ');
  const at = (args) => gezhi(['briefing', '--data', dir, ...args]);
  equal(at(['--period', PERIOD]).code, 2, 'without an output');
  equal(at(['--period', PERIOD, '--pdf', 'x', '--lang', 'fr']).code, 2, 'another language');
  must(/no such period/.test(at(['--period', PERIOD, '--kind', 'day', '--json']).err), 'a kind that does not fit');
  must(/no such area/.test(at(['--period', PERIOD, '--area', '1', '--json']).err), 'an area that is not there');
});

test('briefing: a city without areas has none', () => {
  const r = gezhi(['briefing', '--data', emptyCity(), '--period', PERIOD, '--json']);
  equal(r.code, 1, 'exit');
  must(/there is no such area/.test(r.err), r.err);
});
