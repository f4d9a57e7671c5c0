/** What the code declares must stand in the documents, and what the documents point to must be there. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const bin = process.env.GEZHI_BIN ?? 'build/gezhi';
const text = (path) => readFileSync(path, 'utf8');
const markdown = (dir) =>
  readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
    const path = join(dir, e.name);
    if (e.isDirectory()) return markdown(path);
    return e.name.endsWith('.md') ? [path] : [];
  });
const documents = [...readdirSync('.').filter((f) => f.endsWith('.md')), ...markdown('docs')];
let failed = 0;

/** Runs a check that returns what is wrong, one text each. */
function check(name, find) {
  let wrong;
  try {
    wrong = find();
  } catch (e) {
    wrong = [String(e.message).split('\n')[0]];
  }
  if (wrong.length === 0) {
    console.log(`ok ${name}`);
    return;
  }
  failed++;
  console.log(`FAILED ${name} ${wrong.slice(0, 12).join('; ')}${wrong.length > 12 ? ` and ${wrong.length - 12} more` : ''}`);
}

/** Rows X(...) of a .def file, as the text between the brackets. */
const rows = (file) => [...text(file).matchAll(/^X\((.*)\)$/gm)].map((m) => m[1]);

function need(found, least, what) {
  if (found.length < least) throw new Error(`only ${found.length} ${what} were read: has the form of the file changed?`);
  return found;
}

check('every route stands in docs/api.md', () => {
  const api = text('docs/api.md');
  const routes = need(rows('decl/routes.def'), 40, 'routes').map((r) => /^(\w+), "([^"]+)"/.exec(r));
  return routes.filter(([, method, path]) => !new RegExp(`\`${method} ${path.replace(/[{}.]/g, '\\$&')}[\`?[]`).test(api)).map(([, method, path]) => `${method} ${path}`);
});

check('docs/api.md names no route that is not there', () => {
  const known = new Set(rows('decl/routes.def').map((r) => /^(\w+), "([^"]+)"/.exec(r)).map(([, m, p]) => `${m} ${p}`));
  const said = [...text('docs/api.md').matchAll(/`(GET|POST|PATCH|PUT|DELETE) (\/[^`?[\s]*)/g)].map((m) => `${m[1]} ${m[2]}`);
  return need(said, 40, 'calls').filter((s) => !known.has(s));
});

check('every error code stands in docs/api.md', () => {
  const api = text('docs/api.md');
  return need(rows('decl/errors.def'), 15, 'codes')
    .map((r) => /^(\w+), (\d+)/.exec(r))
    .filter(([, code, status]) => !api.includes(`| \`${code}\` | ${status} |`))
    .map(([, code, status]) => `${code} ${status}`);
});

check('every permission stands in a document', () => {
  const all = documents.map(text).join('\n');
  return need(rows('decl/permissions.def'), 10, 'permissions')
    .map((r) => /"([^"]+)"/.exec(r)[1])
    .filter((p) => !all.includes(`\`${p}\``));
});

check('every subcommand stands in a document', () => {
  const all = documents.map(text).join('\n').replace(/\s+/g, ' ');
  const help = execFileSync(bin, ['--help'], { encoding: 'utf8' });
  const commands = [...help.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}\S/gm)].map((m) => m[1]);
  return need(commands, 8, 'subcommands').filter((c) => !all.includes(`gezhi ${c}`));
});

check('every role has a guide in both languages', () => {
  const roles = need([...text('packs/city/roles.yaml').matchAll(/^\s+- role: (\w+)$/gm)].map((m) => m[1]), 8, 'roles');
  const index = text('docs/guides/README.md');
  return roles.flatMap((r) => {
    const path = `docs/guides/${r.replaceAll('_', '-')}.md`;
    if (!existsSync(path)) return [`${path} is missing`];
    const guide = text(path);
    const wrong = [];
    const [, zh = '', en = ''] = guide.split(/^## (?:中文|English)$/m);
    if ((zh.match(/[\u4e00-\u9fff]/g) ?? []).length < 200) wrong.push(`${path} has no Chinese part`);
    if ((en.match(/[a-z]+/gi) ?? []).length < 120) wrong.push(`${path} has no English part`);
    if (!index.includes(path.replace('docs/guides/', ''))) wrong.push(`${path} is not in the index`);
    return wrong;
  });
});

check('every record of a decision stands in the index', () => {
  const index = text('docs/adr/README.md');
  return readdirSync('docs/adr').filter((f) => /^\d{4}-.*\.md$/.test(f) && !index.includes(`(${f})`));
});

check('every relative link and picture is there', () =>
  documents.flatMap((file) => {
    const plain = text(file).replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
    return [...plain.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)]
      .map((m) => m[1])
      .filter((to) => !/^[a-z]+:/i.test(to))
      .flatMap((to) => {
        const [path, anchor] = to.split('#');
        const target = path === '' ? file : normalize(join(dirname(file), path));
        if (!existsSync(target)) return [`${file}: ${to}`];
        if (!anchor || !target.endsWith('.md')) return [];
        const heads = [...text(target).matchAll(/^#+ (.*)$/gm)].map((m) => m[1].toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-'));
        return heads.includes(decodeURIComponent(anchor)) ? [] : [`${file}: ${to} (no such heading)`];
      });
  }),
);

check('every file of this repository that a document names is there', () =>
  documents.flatMap((file) =>
    [...text(file).matchAll(/`((?:src|decl|packs|tests|bench|tools|docs|web)\/[A-Za-z0-9_./-]+)`/g)]
      .map((m) => m[1].replace(/[.,]$/, ''))
      .filter((path) => !existsSync(path))
      .map((path) => `${file}: ${path}`),
  ),
);

process.exitCode = failed === 0 ? 0 : 1;
