// A file has at most 800 lines, a function at most 60. Exceptions stand in sizes.allow as "PATH[:FUNCTION] LINES REASON"
// with the present number of lines: it may shrink (then the number is lowered) and never grow.
import { readFileSync } from 'node:fs';
import { AllowList, blank, files, report } from './source.mjs';

const MAX_FILE = 800, MAX_FUNCTION = 60;
const allow = new AllowList('tools/lint/sizes.allow');
const findings = [];

function check(key, lines, max, what) {
  if (lines <= max) return; // an entry for it is then stale, which is reported at the end
  const entry = allow.get(key);
  const limit = entry === undefined ? max : Number.parseInt(entry, 10);
  if (entry !== undefined && !/^\d+\s+\S/.test(entry)) findings.push(`${allow.path}: "${key}" needs a number and a reason`);
  if (lines > limit) findings.push(`${key}: ${what} of ${lines} lines (at most ${limit})`);
  if (lines < limit) findings.push(`${allow.path}: "${key}" has shrunk: write ${lines}`);
}

// The layout of clang-format makes functions easy to find: the head begins in column 0 and the end is a lone brace.
function* functions(lines) {
  for (let i = 0; i < lines.length; i++) {
    if (!/^[A-Za-z_]/.test(lines[i])) continue;
    let head = '', j = i;
    while (j < lines.length && j < i + 20) {
      head += ' ' + lines[j];
      if (/[;{}]\s*$/.test(lines[j])) break;
      j++;
    }
    if (!/\{\s*$/.test(head) || !head.includes('(') || head.includes('=')) continue;
    let end = j;
    while (end < lines.length && lines[end] !== '}') end++;
    const name = head.match(/(\w+)\s*\(/);
    yield { name: name ? name[1] : head.trim(), lines: end - i + 1 };
    i = end;
  }
}

for (const file of files('src', 'tests', 'bench', 'tools')) {
  const raw = readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
  check(file, raw.length, MAX_FILE, 'a file');
  const lines = blank(raw.join('\n')).split('\n').map((l) => l.trimEnd());
  for (const f of functions(lines)) check(`${file}:${f.name}`, f.lines, MAX_FUNCTION, 'a function');
}
report([...findings, ...allow.stale()]);
