/** Reads the part of YAML that the editor of indices writes: block maps and lists, flow maps and lists, plain and quoted words. For tests. */

function flow(s: string): unknown {
  let i = 0;
  const space = (): void => {
    while (s[i] === ' ') i += 1;
  };
  const word = (ends: string): unknown => {
    space();
    if (s[i] === '"') {
      let j = i + 1;
      while (s[j] !== '"') j += s[j] === '\\' ? 2 : 1;
      const out: unknown = JSON.parse(s.slice(i, j + 1));
      i = j + 1;
      return out;
    }
    let j = i;
    while (j < s.length && !ends.includes(s[j])) j += 1;
    const w = s.slice(i, j).trim();
    i = j;
    return w !== '' && !Number.isNaN(Number(w)) ? Number(w) : w === 'true' ? true : w === 'false' ? false : w;
  };
  const value = (ends: string): unknown => {
    space();
    if (s[i] !== '{' && s[i] !== '[') return word(ends);
    const isMap = s[i] === '{';
    const map: Record<string, unknown> = {};
    const list: unknown[] = [];
    i += 1;
    for (space(); s[i] !== '}' && s[i] !== ']'; space()) {
      if (isMap) {
        const key = String(word(':'));
        i += 1;
        map[key] = value(',}');
      } else list.push(value(',]'));
      space();
      if (s[i] === ',') i += 1;
    }
    i += 1;
    return isMap ? map : list;
  };
  return value('');
}
export function readYaml(text: string): unknown {
  const lines = text.split('\n').filter((l) => l.trim() && !l.trim().startsWith('#')).map((l) => ({ depth: l.search(/\S/), text: l.trim() }));
  let at = 0;
  const block = (depth: number): unknown => {
    const list: unknown[] = [];
    const map: Record<string, unknown> = {};
    while (at < lines.length && lines[at].depth === depth) {
      const l = lines[at];
      if (l.text.startsWith('- ') && !/^- \w+:/.test(l.text)) {
        list.push(flow(l.text.slice(2)));
        at += 1;
      } else if (l.text.startsWith('- ')) {
        lines[at] = { depth: depth + 2, text: l.text.slice(2) };
        list.push(block(depth + 2));
      } else {
        const [, key, rest] = /^(\w+):\s*(.*)$/.exec(l.text)!;
        at += 1;
        map[key] = rest !== '' ? flow(rest) : at < lines.length && lines[at].depth > depth ? block(lines[at].depth) : null;
      }
    }
    return list.length ? list : map;
  };
  return lines.length ? block(lines[0].depth) : null;
}
