import { BIN, count, runAll, stopCommon } from './lib.mjs';
import { existsSync } from 'node:fs';

if (!existsSync(BIN)) {
  console.log(`FAILED program there is no ${BIN}; tools/build makes it`);
  process.exit(1);
}
for (const part of ['cli', 'api', 'places', 'accounts', 'media', 'events', 'rights', 'refusals', 'durability', 'hostile', 'stats_alarm', 'stats_index_audit', 'stats_scan', 'stats_index', 'stats_risk', 'index', 'survey', 'table', 'emergencies', 'confirm', 'definitions', 'briefing', 'warn_rules', 'warnings']) await import(`./${part}.mjs`);
await runAll();
await stopCommon();
console.log(`${count.ok} passed, ${count.failed} failed`);
process.exit(count.failed ? 1 : 0);
