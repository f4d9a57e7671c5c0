// Functions that this code base does not use. Exceptions stand in banned.allow as "PATH:FUNCTION REASON".
import { readFileSync } from 'node:fs';
import { AllowList, blank, files, lineOf, report } from './source.mjs';

const everywhere = {
  'strcpy strcat stpcpy sprintf vsprintf gets strncpy strncat': 'does not know the size of its target: use struct buf or snprintf',
  'atoi atol atoll atof': 'cannot fail: use strtoll or strtod and check',
  'strtok localtime gmtime ctime asctime': 'keeps state between threads',
  'rand srand random srandom drand48': 'base/rng.h or base/hash.h',
  'system popen': 'starts a shell',
  'alloca': 'the stack has no limit check',
  'tmpnam tempnam mktemp': 'races with others',
};
const inSrc = {
  'malloc calloc realloc free strdup strndup asprintf vasprintf reallocarray': 'memory goes through base/mem.h or an arena',
  'time gettimeofday clock_gettime': 'time is an argument: base/clock.h',
  'setlocale putenv setenv': 'process-wide state',
};

const allow = new AllowList('tools/lint/banned.allow');
const findings = [];
function check(file, table) {
  const text = blank(readFileSync(file, 'utf8'));
  for (const [names, why] of Object.entries(table)) {
    const calls = new RegExp(`(?<![\\w.>])(${names.split(' ').join('|')})\\s*\\(`, 'g');
    for (const m of text.matchAll(calls))
      if (allow.get(`${file}:${m[1]}`) === undefined) findings.push(`${file}:${lineOf(text, m.index)}: ${m[1]}: ${why}`);
  }
}
for (const file of files('src', 'tests', 'bench', 'tools')) {
  check(file, everywhere);
  if (file.startsWith('src/')) check(file, inSrc);
  const raw = readFileSync(file, 'utf8');
  for (const m of raw.matchAll(/\b(TODO(?!\(#\d+\))|FIXME|XXX|HACK)\b/g))
    findings.push(`${file}:${lineOf(raw, m.index)}: ${m[1]}: open an issue instead`);
}
report([...findings, ...allow.stale()]);
