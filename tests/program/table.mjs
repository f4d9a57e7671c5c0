/** The same numbers as CSV and as a spreadsheet: compared with the JSON, cell by cell. */
import { inflateRawSync } from 'node:zlib';
import { demoCity, equal, must, problem, serving, test } from './lib.mjs';
import { signedIn } from './api.mjs';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** Members of a zip file by name. */
function unzip(bytes) {
  const out = new Map();
  let at = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  must(at >= 0, 'this is no zip file');
  const n = bytes.readUInt16LE(at + 10);
  at = bytes.readUInt32LE(at + 16);
  for (let i = 0; i < n; i++) {
    const [method, packed, nameLength, extra, comment, local] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32), bytes.readUInt32LE(at + 42)];
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const body = bytes.subarray(from, from + packed);
    out.set(name, (method === 0 ? body : inflateRawSync(body)).toString('utf8'));
    at += 46 + nameLength + extra + comment;
  }
  return out;
}
const plain = (s) => s.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&apos;/g, "'").replace(/&amp;/g, '&');
/** Sheets of a workbook: name to rows of cells, numbers as numbers, what is empty as null. */
function sheets(bytes) {
  const zip = unzip(bytes), out = new Map();
  for (const text of zip.values()) must(!/<f[ >]/.test(text), 'there is a formula in it');
  must(![...zip.keys()].some((k) => /vba|externalLink|hyperlink/i.test(k)), 'there is more than cells in it');
  const names = [...zip.get('xl/workbook.xml').matchAll(/<sheet name="([^"]*)"/g)].map((m) => plain(m[1]));
  const shared = [...(zip.get('xl/sharedStrings.xml') ?? '').matchAll(/<si><t[^>]*>([\s\S]*?)<\/t><\/si>/g)].map((m) => plain(m[1]));
  names.forEach((name, i) => {
    const rows = [];
    for (const r of zip.get(`xl/worksheets/sheet${i + 1}.xml`).matchAll(/<row r="(\d+)"[^>]*?(?:\/>|>([\s\S]*?)<\/row>)/g)) {
      const row = [];
      for (const c of (r[2] ?? '').matchAll(/<c r="([A-Z]+)\d+"([^>]*?)(?:\/>|>([\s\S]*?)<\/c>)/g)) {
        const col = [...c[1]].reduce((s, x) => s * 26 + x.charCodeAt(0) - 64, 0) - 1;
        const text = /<(?:v|t)[^>]*>([\s\S]*?)<\/(?:v|t)>/.exec(c[3] ?? '')?.[1];
        row[col] = text === undefined ? null : /t="s"/.test(c[2]) ? shared[Number(text)] : /t="inlineStr"|t="str"/.test(c[2]) ? plain(text) : Number(text);
      }
      rows[Number(r[1]) - 1] = row;
    }
    out.set(name, rows);
  });
  return out;
}
function csvRows(text) {
  return text.trim().split('\n').map((line) => [...line.matchAll(/("([^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) => m[1]).slice(0, -1).map((x) => (x.startsWith('"') ? x.slice(1, -1).replace(/""/g, '"') : x)));
}
/** Both tables tell what the JSON tells: plain members and the parts. */
async function compare(client, path, kind) {
  const json = (await client.get(path)).json;
  const csv = await client.get(`${path}&format=csv`);
  equal([csv.status, csv.headers['content-type']], [200, 'text/csv; charset=utf-8'], 'csv');
  const book = await client.get(path, { Accept: XLSX, 'Accept-Language': 'en' });
  equal([book.status, book.headers['content-type']], [200, XLSX], 'xlsx');
  must(/attachment; filename="[a-z_]+\.xlsx"/.test(book.headers['content-disposition']), book.headers['content-disposition']);
  const all = sheets(book.bytes), [head, ...rows] = all.get('Values'), [csvHead, ...csvBody] = csvRows(csv.text);
  equal([rows.length, csvBody.length], [json.areas.length, json.areas.length], 'rows');
  equal(csvHead.slice(0, head.length), head, 'columns');
  let numbers = 0, empty = 0;
  json.areas.forEach((area, i) => {
    head.forEach((column, k) => {
      const [key, ...node] = column.split('.');
      const want = node.length === 0 ? area[key] : area.parts.find((p) => p.node === node.join('.'))?.[key];
      if (key === 'name' && !('name' in area)) return;
      const cell = rows[i][k] ?? null, text = csvBody[i][k];
      if (want === undefined || want === null) {
        equal([cell, text], [null, ''], `${kind} ${column}: nothing is told`);
        empty += 1;
      } else if (typeof want === 'number') {
        // A spreadsheet keeps sixteen digits.
        must(Math.abs(cell - want) <= 1e-14 * Math.abs(want) && Number(text) === want, `${kind} ${column}: ${cell} and ${text}, not ${want}`);
        numbers += 1;
      } else equal([cell, text], [String(want), String(want)], `${kind} ${column}`);
    });
    equal(csvBody[i].slice(head.length), ['period', 'level', 'data_seq'].map((x) => String(json[x])), 'what each row says of itself');
  });
  const method = new Map([...all.entries()][1][1].filter((r) => r).map((r) => [r[0], r[1]]));
  equal([method.get('period'), method.get('data_seq')], [json.period, json.data_seq], 'method');
  must(method.has('floor'), 'the floor is told');
  return { json, numbers, empty, method };
}

test('tables: CSV and XLSX tell what the JSON tells, and nothing of what is held back', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const { supervisor } = await signedIn(stranger, accounts, ['supervisor']);
    const period = (await supervisor.get('/api/v1/indices/safety/values?level=town&draws=0')).json.period;
    const index = await compare(supervisor, `/api/v1/indices/safety/values?period=${period}&level=town&draws=100`, 'index');
    must(index.numbers > 20 && [...index.method.keys()].some((k) => k.startsWith('node ')), 'the tree stands on the sheet Method');
    const guarded = await compare(supervisor, `/api/v1/indicators/disputes_due/values?period=${period}&level=community`, 'indicator');
    must(guarded.json.areas.some((a) => a.state === 'below_floor') && guarded.empty > 3, 'nothing is held back: the test sees nothing');
    const frozen = (await supervisor.post('/api/v1/indices/safety/freeze', { period, level: 'town' })).json;
    equal((await supervisor.post('/api/v1/indices/safety/publish', { period, level: 'town', hash: frozen.hash })).status, 200, 'publish');
    const open = await compare(stranger, `/api/v1/public/indices/safety/values?period=${period}&level=town`, 'public');
    equal(open.method.get('hash'), frozen.hash, 'which figures they are');
    must(![...open.method.values()].some((v) => String(v).includes('serious_crime')), 'the public sees no single figures');
    problem(await stranger.get(`/api/v1/indices/safety/values?period=${period}&format=xlsx`), 401, 'UNAUTHORIZED');
    problem(await supervisor.get(`/api/v1/indices/safety/values?period=${period}&format=ods`), 406, 'NOT_ACCEPTABLE');
    const cases = await stranger.get('/api/v1/public/cases?limit=20&format=xlsx');
    const list = (await stranger.get('/api/v1/public/cases?limit=20')).json.items, [head, ...rows] = [...sheets(cases.bytes).values()][0];
    equal(rows.map((r) => r[head.indexOf('code')]), list.map((x) => x.code), 'cases');
  });
});
