// What the checks share: the list of C files, and their text with comments and literals blanked.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// Paths of our C sources and headers below the given folders: what git knows, and what is new and not ignored.
export function files(...folders) {
  const out = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '--', ...folders], { encoding: 'utf8' });
  const seen = new Set(out.split('\n').filter((f) => /\.[ch]$/.test(f)));
  return [...seen].filter((f) => { try { readFileSync(f); return true; } catch { return false; } }).sort();
}

// The text with each comment (when `comments`) and the inside of each literal (when `literals`) as blanks. Lines stay.
export function blank(text, { comments = true, literals = true } = {}) {
  const parts = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/g;
  return text.replace(parts, (part) => {
    const isComment = part.startsWith('/*') || part.startsWith('//');
    if (isComment ? !comments : !literals) return part;
    const gone = part.replace(/[^\n]/g, ' ');
    return isComment ? gone : part[0] + gone.slice(1, -1) + part[0];
  });
}

export const lineOf = (text, at) => text.slice(0, at).split('\n').length;

// The allow list NAME.allow: lines "PATH:WHAT NUMBER-OR-REASON..."; a line that nothing needs any more is a finding.
export class AllowList {
  constructor(path) {
    this.path = path;
    this.rows = new Map();
    this.used = new Set();
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const m = line.match(/^(\S+)\s+(.+)$/);
      if (m && !line.startsWith('#')) this.rows.set(m[1], m[2].trim());
    }
  }
  get(key) {
    if (this.rows.has(key)) this.used.add(key);
    return this.rows.get(key);
  }
  stale() {
    return [...this.rows.keys()].filter((k) => !this.used.has(k)).map((k) => `${this.path}: "${k}" is not needed any more: remove it`);
  }
}

export function report(findings) {
  for (const f of findings) console.log(f);
  process.exit(findings.length === 0 ? 0 : 1);
}
