/** What the server finds wrong with the text of an index, as words of the page. Pure. */

/** How the server begins what it says, and the text of the page (`ie.fault.*`). What it found there follows behind. */
export const FAULTS: readonly (readonly [string, string])[] = [
  ['expected a list of words in', 'words'],
  ['this word is not known here', 'word'],
  ['too many nodes', 'nodes'],
  ['there is no such indicator', 'no_indicator'],
  ['an indicator that is neither better nor worse cannot be a term', 'neither'],
  ['this indicator moves with how much people report', 'effort'],
  ['"low" must lie below "high"', 'posts'],
  ['groups are nested too deep', 'deep'],
  ['there is neither an indicator nor a group here', 'empty_group'],
  ['this name stands twice in the tree', 'twice'],
  ['an empty list', 'means'],
  ['one to three means', 'means'],
  ['expected one to eight "bands"', 'bands'],
  ['expected a colour such as "#1a6fb5"', 'colour'],
  ['"valid_from" is no date', 'date'],
  ['expected numbers above 0', 'judged'],
  ['expected a row a child', 'judged'],
  ['expected a square matrix', 'judged'],
  ['ahp needs its judgements in', 'judged'],
  ['pairwise comparison takes at most 15 children', 'judged_many'],
  ['the judgements contradict each other', 'torn'],
  ['expected given, ahp, entropy, pca or bod', 'method'],
  ['these shares cannot add up to 1', 'shares'],
  ['only ahp takes judgements', 'only_ahp'],
  ['expected log or box_cox', 'curve'],
  ['"low" and "shift" together must be above 0 for', 'curve_low'],
  ['a power mean needs a power that is not 0', 'power'],
  ['expected arithmetic, geometric or harmonic, or {power: p}', 'mean'],
  ['expected a map of', 'map'],
  ['a title {en: ..., zh: ...} is missing', 'title'],
];
const WANTED: Record<string, string> = { 'a number': 'number', 'an integer': 'integer', text: 'text', 'true or false': 'bool' };

/** Key and values of the words, and the key of what was wanted instead; null for what is not known here: then the server's own words stand. */
export function faultWords(said: string): { key: string; with: Record<string, string>; wanted?: string } | null {
  const range = /^"(.+?)": expected an? (?:number|integer) from (\S+) to (\S+), found (\S+)$/.exec(said);
  if (range) return { key: 'range', with: { key: range[1], low: range[2], high: range[3], found: range[4] } };
  const long = /^"(.+?)": expected at most \d+ bytes/.exec(said);
  if (long) return { key: 'too_long', with: { key: long[1] } };
  const type = /^"(.+?)": expected (.+?), found .+$/.exec(said);
  if (type && WANTED[type[2]]) return { key: 'type', with: { key: type[1] }, wanted: WANTED[type[2]] };
  const none = /^"(.+?)" is missing: expected/.exec(said);
  if (none) return { key: 'missing_key', with: { key: none[1] } };
  const unknown = /^"(.+?)" is not known here(?:; did you mean "(.+?)"\?)?$/.exec(said);
  if (unknown) return { key: unknown[2] ? 'unknown_near' : 'unknown_key', with: { key: unknown[1], near: unknown[2] ?? '' } };
  const zero = /(?:^|: )([^: ]+): the weights below it sum to 0$/.exec(said);
  if (zero) return { key: 'weights_zero', with: { found: zero[1] } };
  const f = FAULTS.find(([begin]) => said.startsWith(begin));
  if (!f) return null;
  const found = f[1] === 'torn' ? /ratio ([\d.]+)/.exec(said)?.[1] : /: "([^"]*)"$/.exec(said)?.[1];
  return { key: f[1], with: { found: found ?? '' } };
}
