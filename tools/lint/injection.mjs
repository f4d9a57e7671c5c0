// SQL, HTML and XML are not made by formatting text into them (after Fossil's codecheck1): values are bound or go
// through the escaping writer. A call that formats only what we have checked ourselves says so inside its brackets:
//   buf_printf(b, "ALTER TABLE %s ADD ...", /* safe: name from the checked pack */ name);
import { readFileSync } from 'node:fs';
import { blank, files, lineOf, report } from './source.mjs';

const printf = /(?<![\w.>])(buf_printf|arena_printf|snprintf|fprintf|printf|dprintf|asprintf|sqlite3_mprintf|sqlite3_snprintf)\s*\(/g;
const sql = /\b(SELECT\s.*\bFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)|WHERE\s|ORDER\s+BY|SAVEPOINT|PRAGMA|ATTACH)\b/i;
const markup = /<\/?[A-Za-z][\w:-]*[^<>]*>|<\/?[A-Za-z][\w:-]*(\s+[\w:-]+=)/;
const textConversion = /%[-+ #0]*(\*|\d+)?(\.(\*|\d+))?(s|c|ls)/;

// The end of a call whose opening bracket is at `open`, in text without comments and literals.
function closing(plain, open) {
  let depth = 0;
  for (let i = open; i < plain.length; i++) {
    if (plain[i] === '(') depth++;
    if (plain[i] === ')' && --depth === 0) return i;
  }
  return plain.length;
}

const findings = [];
for (const file of files('src', 'tools', 'bench')) {
  const raw = readFileSync(file, 'utf8');
  const plain = blank(raw);
  for (const m of plain.matchAll(printf)) {
    const end = closing(plain, m.index + m[0].length - 1);
    const call = raw.slice(m.index, end);
    if (/\/\*\s*safe:\s*\S/.test(call)) continue;
    // All literals of the call count as the format: what stands in the arguments is rarely SQL.
    const literal = [...call.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map((l) => l[1]).join('');
    if (!textConversion.test(literal)) continue;
    const kind = sql.test(literal) ? 'SQL' : markup.test(literal.replace(/\\"/g, '"')) ? 'markup' : '';
    if (kind) findings.push(`${file}:${lineOf(raw, m.index)}: ${m[1]} formats text into ${kind}: bind or escape it, or say /* safe: why */`);
  }
}
report(findings);
