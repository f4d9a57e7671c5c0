/**
 * Figures from outside for the community with the most cases, so that it has a score of its own before the walks begin: CSV on standard output.
 * node tests/e2e/figures.mjs FOLDER | gezhi import indicators - --data FOLDER
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const database = join(process.argv[2], 'gezhi.db');
const area = execFileSync('sqlite3', ['-readonly', database, "SELECT community FROM case_ WHERE community <> '' GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1"]).toString().trim();
const now = new Date();
const month = (n) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + n, 15)).toISOString().slice(0, 7);
const figures = { serious_crimes: 0, fires: 1, hazards_due: 20, hazards_removed: 18, food_samples: 40, food_failed: 1 };
const rows = [-1, 0, 1].flatMap((n) => Object.entries(figures).map(([name, value]) => `${name},${area},${month(n)},${value}`));
process.stdout.write(['indicator,area,period,value', ...rows, ...[-1, 0, 1].map((n) => month(n).slice(0, 4)).filter((y, i, all) => all.indexOf(y) === i).map((y) => `residents,${area},${y},9000`)].join('\n') + '\n');
