/** What the walks share: the browser, signed-in pages, a list of every host that was asked, and the count of results. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const TEXTS = {
  'zh-CN': { noDanger: '没有，继续上报', next: '下一步', send: '提交', follow: '查进度', rate: '评价', position: '用我现在的位置' },
  en: { noDanger: 'No, go on to report', next: 'Next', send: 'Send', follow: 'Follow a report', rate: 'Rate', position: 'Use my position' },
};

export function options() {
  const arg = (name, other) => {
    const i = process.argv.indexOf(name);
    return i > 0 ? process.argv[i + 1] : other;
  };
  return {
    base: (arg('--base', 'http://127.0.0.1:8080') ?? '').replace(/\/$/, ''),
    accounts: arg('--accounts', ''),
    only: arg('--only', ''),
    chromium: arg('--chromium', process.env.CHROMIUM ?? '/usr/bin/chromium'),
    shots: arg('--shots', ''),
    later: process.argv.includes('--later'),
  };
}

/** Lines `account ROLE NAME PASSWORD` as role -> list of {role, name, password}. */
export function readAccounts(file) {
  const roles = new Map();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const m = /^\s*account\s+(\S+)\s+(\S+)\s+(\S+)/.exec(line);
    if (m) roles.set(m[1], [...(roles.get(m[1]) ?? []), { role: m[1], name: m[2], password: m[3] }]);
  }
  return roles;
}

export class Run {
  constructor(o) {
    this.o = o;
    this.passed = 0;
    this.failed = 0;
    this.hosts = new Set();
    this.roles = readAccounts(o.accounts);
    this.states = new Map();
  }
  async start() {
    this.browser = await chromium.launch({
      executablePath: this.o.chromium,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
  }
  async stop() {
    await this.browser.close();
  }
  account(role) {
    const a = this.roles.get(role)?.[0];
    if (!a) throw new Error(`no account of role ${role} in ${this.o.accounts}`);
    return a;
  }
  async test(name, f) {
    if (this.o.only && !this.o.only.split(',').some((w) => name.includes(w))) return;
    const contexts = [];
    const open = async (more = {}) => {
      const c = await this.context(more);
      contexts.push(c);
      return c;
    };
    try {
      await f({ open, base: this.o.base });
      this.passed += 1;
      console.log(`ok ${name}`);
    } catch (e) {
      this.failed += 1;
      console.log(`FAILED ${name} ${String(e?.message ?? e).replace(/\s+/g, ' ').slice(0, 600)}`);
      if (this.o.shots) {
        for (const [i, c] of contexts.entries()) for (const [k, p] of c.pages().entries()) await p.screenshot({ path: `${this.o.shots}/failed-${name.replace(/\W+/g, '-')}-${i}-${k}.png` }).catch(() => undefined);
      }
    } finally {
      for (const c of contexts) await c.close().catch(() => undefined);
    }
  }
  /** A browser of one person. `as`: role to sign in. */
  async context({ locale = 'zh-CN', width = 1440, height = 900, as = null, at = null, touch = false, large = false } = {}) {
    const key = as ? `${as}|${locale}` : null;
    const c = await this.browser.newContext({
      viewport: { width, height },
      locale,
      hasTouch: touch,
      ...(key && this.states.has(key) ? { storageState: this.states.get(key) } : {}),
      ...(at ? { geolocation: { longitude: at[0], latitude: at[1] }, permissions: ['geolocation'] } : {}),
    });
    c.setDefaultTimeout(15_000);
    c.on('request', (r) => {
      const u = new URL(r.url());
      if (u.protocol.startsWith('http')) this.hosts.add(u.host);
    });
    await c.addInitScript(([l, big]) => {
      try {
        if (big) localStorage.setItem('gezhi.large', '1');
        if (!localStorage.getItem('gezhi.locale')) localStorage.setItem('gezhi.locale', l);
      } catch {
        return;
      }
    }, [locale, large]);
    if (as && !this.states.has(key)) {
      const p = await c.newPage();
      await this.signIn(p, this.account(as));
      this.states.set(key, await c.storageState());
      await p.close();
    }
    return c;
  }
  async signIn(p, a) {
    await p.goto(this.o.base + '/signin');
    await p.fill('input[name=username]', a.name);
    await p.fill('input[name=password]', a.password);
    await p.click('main button[type=submit]');
    await p.waitForURL((u) => !u.pathname.startsWith('/signin'));
    await p.waitForSelector('main h1');
  }
}

export function must(ok, why) {
  if (!ok) throw new Error(why);
}

/** axe on the page as it is; the text of the violations, empty when there is none. */
export async function axe(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const r = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return r.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' ; ')}`);
  });
  return found.join(' | ');
}

/** Pixels by which the page is wider than its window. */
export async function overflow(page) {
  return page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - document.documentElement.clientWidth);
}

/** JSON of the server as this page's person. */
export async function api(page, path) {
  return page.evaluate(async (p) => {
    const r = await fetch(p, { headers: { Accept: 'application/json' }, credentials: 'same-origin' });
    return r.ok ? r.json() : { failed: r.status };
  }, path);
}

export async function settled(page) {
  await page.waitForSelector('main h1', { state: 'attached' });
  // Nothing is loading now, and still nothing a moment later.
  for (let calm = 0; calm < 2; calm++) {
    await page.waitForFunction(() => !document.querySelector('main .spinner'), null, { timeout: 20_000 });
    await page.waitForTimeout(120);
  }
}

/** The worker that keeps the page is installed: a list with a file that is not there would leave it waiting for ever. */
export async function workerReady(page) {
  const ready = await page.evaluate(() => Promise.race([navigator.serviceWorker.ready.then(() => true), new Promise((done) => setTimeout(() => done(false), 15_000))]));
  must(ready, 'the worker that keeps the page was not installed within 15 s');
}
