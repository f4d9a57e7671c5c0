// An include points only to a floor below: floors.txt. Our headers are named from src/ ("geo/locate.h").
import { readFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { blank, files, lineOf, report } from './source.mjs';

const allowed = new Map();
for (const line of readFileSync(new URL('floors.txt', import.meta.url), 'utf8').split('\n')) {
  const m = line.match(/^([^#:\s]+):\s*(.*)$/);
  if (m) allowed.set(m[1], m[2].split(/\s+/).filter(Boolean));
}
const may = (from, to) => from === to || (allowed.get(from) ?? []).some((a) => a === '*' || a === to || (a.endsWith('/*') && to.startsWith(a.slice(0, -1))));

const findings = [];
for (const file of files('src')) {
  const inside = file.slice('src/'.length);
  const floor = dirname(inside) === '.' ? inside : dirname(inside);
  if (!allowed.has(floor)) {
    findings.push(`${file}: the folder "${floor}" is not in tools/lint/floors.txt`);
    continue;
  }
  const text = blank(readFileSync(file, 'utf8'), { literals: false });
  for (const m of text.matchAll(/^[ \t]*#[ \t]*include[ \t]+"([^"]+)"/gm)) {
    const where = `${file}:${lineOf(text, m.index)}`;
    const target = m[1];
    if (/^(\.\.\/)+decl\/\w+\.def$/.test(target)) continue;
    if (!existsSync(`src/${target}`)) {
      if (target.startsWith('.') || existsSync(`${dirname(file)}/${target}`)) findings.push(`${where}: write "${target}" from src/, as in "base/err.h"`);
      continue; // a generated header
    }
    const to = dirname(target);
    if (!may(floor, to)) findings.push(`${where}: ${floor} may not include ${to} ("${target}")`);
  }
}
report(findings);
