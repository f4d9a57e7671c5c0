/** The ways of people through the page, used by several tests. */
import { api, must, settled, TEXTS } from './lib.mjs';

/** A point in a cell of the signed-in worker: the centre of the box of the cell, moved until the server names that cell. */
export async function pointOfWorker(page, name) {
  const posts = await api(page, `/api/v1/posts?account=${encodeURIComponent(name)}`);
  const post = (posts.items ?? []).find((p) => p.account === name && p.cell) ?? (posts.items ?? []).find((p) => p.cell);
  must(post, `no post of ${name}`);
  const cell = await api(page, `/api/v1/cells/${encodeURIComponent(post.cell)}`);
  const b = cell.bbox ?? [120.9, 32.0, 120.94, 32.04];
  for (const [fx, fy] of [[0.5, 0.5], [0.35, 0.5], [0.65, 0.5], [0.5, 0.35], [0.5, 0.65], [0.3, 0.3], [0.7, 0.7], [0.3, 0.7], [0.7, 0.3]]) {
    const at = [b[0] + (b[2] - b[0]) * fx, b[1] + (b[3] - b[1]) * fy];
    const l = await api(page, `/api/v1/locate?lon=${at[0]}&lat=${at[1]}`);
    if (l.cell?.code === post.cell) return at;
  }
  throw new Error(`no point found inside cell ${post.cell}`);
}

/** A resident reports at the place where the device says it is. Returns code and word. */
export async function report(page, base, locale, { word, text, choose = 0 }) {
  const t = TEXTS[locale];
  await page.goto(base + '/');
  await page.click('[data-test=no-danger]');
  await page.fill('main input[type=search]', word);
  await page.locator('main ul button.choice').nth(choose).click();
  await page.getByRole('button', { name: t.position }).click();
  await page.waitForSelector('.note.good');
  await page.locator('main input[type=text]').first().fill(locale === 'en' ? 'In front of house 12' : '十二号门口');
  await page.click('[data-test=place-next]');
  await page.fill('main textarea', text);
  await page.click('[data-test=send]');
  await page.waitForSelector('[data-test=word]');
  return {
    code: (await page.textContent('[data-test=code]')).trim(),
    word: await page.getAttribute('[data-test=word]', 'data-word'),
    link: await page.getAttribute('[data-test=follow-link]', 'href'),
  };
}

/** Fills whatever the form of the chosen move asks for, and sends it. */
export async function makeMove(page, move, text) {
  await page.click(`[data-choose="${move}"]`);
  const form = page.locator('form', { has: page.locator(`button[data-move="${move}"]`) });
  await form.waitFor();
  for (const area of await form.locator('textarea').all()) await area.fill(text);
  for (const input of await form.locator('input[data-input]').all()) if (!(await input.inputValue())) await input.fill(text);
  for (const select of await form.locator('select').all()) {
    if (await select.inputValue()) continue;
    const values = await select.locator('option').evaluateAll((list) => list.map((o) => o.value).filter(Boolean));
    if (values.length) await select.selectOption(values[0]);
  }
  await page.click(`button[data-move="${move}"]`);
  await page.waitForSelector('[data-test=said]');
}

/**
 * Staff carry a case on until it is closed: at each turn the first role that is offered one of the wanted moves makes it.
 * Returns the list of "role move".
 */
export async function carryOn(pages, base, code, wanted, text, isDone) {
  const made = [];
  for (let turn = 0; turn < 14; turn++) {
    let moved = false;
    for (const [role, page] of pages) {
      const c = await api(page, `/api/v1/cases/${encodeURIComponent(code)}`);
      if (c.failed) continue;
      if (isDone(c)) return made;
      const names = (c.moves ?? []).filter((m) => !m.why_not).map((m) => m.name);
      const name = wanted.find((w) => names.includes(w) && !made.includes(`${role} ${w}`));
      if (!name) continue;
      await page.goto(`${base}/cases/${code}`);
      await settled(page);
      await makeMove(page, name, text);
      made.push(`${role} ${name}`);
      moved = true;
      break;
    }
    if (!moved) break;
  }
  for (const [, page] of pages) {
    const c = await api(page, `/api/v1/cases/${encodeURIComponent(code)}`);
    if (!c.failed && isDone(c)) return made;
  }
  throw new Error(`the case stands still after: ${made.join(', ')}`);
}
