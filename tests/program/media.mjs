/** Photos: taken in, stripped, refused, given out by right. */
import { demoCity, form, goldenShape, withExif, must, PNG, problem, serving, test } from './lib.mjs';
import { STREET, workerPoint } from './api.mjs';

test('photos: taken, metadata gone, seen by right only', async () => {
  const { dir, accounts } = demoCity();
  await serving(dir, async (stranger) => {
    const worker = await stranger.as(accounts.worker), op = await stranger.as(accounts.operator);
    const send = (file, o) => stranger.call('POST', '/api/v1/media', form(file, o));
    const mark = 'PLANTED-OWNER-OF-THE-PHONE';
    const png = await send(PNG, { name: 'a.png', type: 'image/png' });
    must(png.status === 201, `${png.status} ${png.text}`);
    const jpeg = (await stranger.get(`/api/v1/media/${png.json.media}?size=full`)).bytes;
    must(jpeg.readUInt16BE(0) === 0xffd8, 'what is kept is a JPEG');
    const r = await send(withExif(jpeg, mark));
    must(r.status === 201, `${r.status} ${r.text}`);
    goldenShape('media', r.json);
    const own = await stranger.get(`/api/v1/media/${r.json.media}?size=full`);
    must(own.status === 200 && own.type === 'image/jpeg' && !own.bytes.includes(mark) && !own.bytes.includes('Exif'), `own photo: ${own.status}`);
    must(!own.headers['content-type'].includes('html') && own.headers['x-content-type-options'] === 'nosniff', 'nosniff');
    const at = await workerPoint(worker);
    const made = (await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'with a photo', media: [r.json.media] })).json;
    must(made.code, 'a report with a photo');
    const taken = await stranger.post('/api/v1/cases', { class: STREET, lon: at.lon, lat: at.lat, description: 'again', media: [r.json.media] });
    problem(taken, 422, 'INVALID');
    const photo = (await op.get(`/api/v1/cases/${made.code}`)).json.photos[0];
    must((await op.get(photo.url)).status === 200 && (await op.get(photo.thumb)).status === 200, 'staff sees it');
    must((await stranger.get(`/api/v1/media/${photo.media}`)).status === 404, 'a stranger does not');
    must((await stranger.get(`/api/v1/media/${r.json.media}`)).status === 404, 'nor by the token, once it belongs to a case');
    const follow = (await stranger.post('/api/v1/follow', { code: made.code, word: made.secret })).json;
    must((await stranger.get(follow.case.photos[0].url)).status === 200, 'the reporter does, by a ticket');
    must((await stranger.get(follow.case.photos[0].url.replace(/ticket=\d/, 'ticket=9'))).status === 404, 'a changed ticket');
    const seen = await op.get(`/api/v1/cases/${made.code}`);
    const released = await op.post(`/api/v1/cases/${made.code}/release`, {}, { 'If-Match': seen.headers.etag });
    if (released.status === 200) must((await stranger.get(`/api/v1/media/${photo.media}`)).status === 200, 'released: everybody sees it');
  });
});

test('photos: wrong type 415, broken 4xx, none 422', async () => {
  const { dir } = demoCity();
  await serving(dir, async (stranger) => {
    const send = (file, o) => stranger.call('POST', '/api/v1/media', form(file, o));
    problem(await send(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), { name: 'a.svg', type: 'image/svg+xml' }), 415, 'UNSUPPORTED');
    problem(await send(Buffer.from('%PDF-1.4 nothing'), { name: 'a.jpg' }), 415, 'UNSUPPORTED');
    const cut = await send(PNG.subarray(0, 40), { name: 'a.png', type: 'image/png' });
    must(cut.status >= 400 && cut.status < 500, `a cut PNG: ${cut.status}`);
    problem(await send(PNG, { field: 'other' }), 422, 'INVALID');
    const not = await stranger.post('/api/v1/media', { file: 'x' });
    must([400, 415, 422].includes(not.status), `JSON instead of a form: ${not.status}`);
    must((await stranger.get('/healthz')).status === 200, 'still serving');
    problem(await stranger.get('/api/v1/media/0123456789abcdef0123456789abcdef'), 404, 'NOT_FOUND');
    must([400, 404].includes((await stranger.get('/api/v1/media/..%2f..%2fkeys%2fsecret')).status), 'a path in a name');
  });
});
