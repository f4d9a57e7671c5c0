#!/bin/bash
# Durable reports per second: a demo city, the release program, 64 connections that post reports, without and with 50 screens
# that follow live. Prints the median of RUNS runs each with spread, CPU microseconds of the server a report, and the peer:
# PostgreSQL inserting the same row with 64 clients (pgbench), when it is installed.
# Usage: bench/report.sh [SECONDS] [RUNS]    GEZHI_BIN: the program (build/gezhi); PACKS: the packs (without safety-index: what a
# report costs without the followers of its indicators)
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-10}
runs=${2:-3}
bin=${GEZHI_BIN:-build/gezhi}
dir=$(mktemp -d)
pid=
clean() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    [ -f "$dir/pg/postmaster.pid" ] && kill "$(head -n 1 "$dir/pg/postmaster.pid")" && sleep 1
    rm -rf "$dir"
}
trap clean EXIT
cc -O2 -Wall -o "$dir/report" bench/report.c
"$bin" demo --data "$dir/city" --packs "${PACKS:-packs}" --cells "${CELLS:-5000}" --cases 1000 --seed 1 --quiet >"$dir/accounts"
"$bin" serve --data "$dir/city" --port 0 >"$dir/out" 2>"$dir/log" &
pid=$!
for _ in $(seq 200); do grep -q '^ready ' "$dir/out" && break; sleep 0.1; done
base=$(sed -n 's/^ready \(.*\)\/$/\1/p' "$dir/out")
[ -n "$base" ] || { cat "$dir/log"; exit 1; }
port=${base##*:}
# The middle of the city, where there are cells.
read -r w s e n < <(curl -s "$base/api/v1/city" | sed -n 's/.*"bbox":\[\([^]]*\)\].*/\1/p' | tr , ' ' |
    awk '{dx = ($3 - $1) / 4; dy = ($4 - $2) / 4; print $1 + dx, $2 + dy, $3 - dx, $4 - dy}')
read -r name password < <(awk '$2 == "supervisor" {print $3, $4; exit}' "$dir/accounts")
cookie=$(curl -s -o /dev/null -D - -X POST "$base/api/v1/session" -H 'Content-Type: application/json' \
    -d "{\"name\":\"$name\",\"password\":\"$password\"}" | sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\).*/\1/p')
ticks=$(getconf CLK_TCK)
cpu() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$pid/stat"; }

field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
measure() { # screens, name of the result file
    local before after line
    before=$(cpu)
    if [ "$1" = 0 ]; then line=$("$dir/report" "$port" "$seconds" 64 "$w" "$s" "$e" "$n")
    else line=$("$dir/report" "$port" "$seconds" 64 "$w" "$s" "$e" "$n" "$1" "$cookie"); fi
    after=$(cpu)
    echo "$line" | awk -v ticks="$ticks" -v t="$((after - before))" -v ps="$(echo "$line" | field per_second)" -v n="$(echo "$line" | field reports)" \
        -v p50="$(echo "$line" | field p50_ms)" -v p99="$(echo "$line" | field p99_ms)" -v bad="$(echo "$line" | field bad)" -v fr="$(echo "$line" | field frames)" \
        '{print ps, p50, p99, t / ticks * 1e6 / n, bad, fr}' >>"$dir/$2"
}
summary() { # title, file
    sort -n "$dir/$2" | awk -v title="$1" '{v[NR] = $0; split($0, a, " "); lo = NR == 1 ? a[1] : lo; hi = a[1]; bad += a[5]}
        END {split(v[int((NR + 1) / 2)], m, " ");
             printf "%-28s %7.0f reports/s (%.0f to %.0f), p50 %.1f ms, p99 %.1f ms, server CPU %.0f us a report, %d not taken, %d frames\n", title, m[1], lo, hi, m[2], m[3], m[4], bad, m[6]}'
}
echo "machine: $(nproc) cores, load average $(cut -d' ' -f1 /proc/loadavg) before; $(date -u +%Y-%m-%d); $seconds s a run, $runs runs"
"$dir/report" "$port" 1 64 "$w" "$s" "$e" "$n" >/dev/null # warm
for _ in $(seq "$runs"); do
    measure 0 alone
    measure 50 screens
done
summary "64 connections" alone
summary "64 connections, 50 screens" screens
kill "$pid" && wait "$pid" || true
pid=
"$bin" verify --data "$dir/city"

# ---- the peer
pgbin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
if [ -z "$pgbin" ] || ! id postgres >/dev/null 2>&1; then
    echo "peer: PostgreSQL is not installed here"
    exit 0
fi
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
chmod 755 "$dir"
mkdir "$dir/pg" && { [ "$(id -u)" != 0 ] || chown postgres "$dir/pg"; }
as_postgres "$pgbin/initdb" -A trust -D "$dir/pg" >/dev/null
as_postgres "$pgbin/pg_ctl" -D "$dir/pg" -w -l "$dir/pg/log" -o "-k $dir/pg -c listen_addresses='' -c max_connections=100" start >/dev/null
sql() { as_postgres "$pgbin/psql" -q -h "$dir/pg" -U postgres "$@"; }
sql -c "CREATE TABLE cases (id bigserial PRIMARY KEY, code text UNIQUE, class text, state text, lon float8, lat float8, place text, description text, contact text, cell text, opened timestamptz DEFAULT now());
        CREATE INDEX ON cases (state, opened); CREATE INDEX ON cases (cell, opened); CREATE TABLE steps (id bigserial PRIMARY KEY, case_id bigint, move text, at timestamptz DEFAULT now()); CREATE INDEX ON steps (case_id);"
cat >"$dir/pg.sql" <<'SQL'
\set lon random(119000000, 120000000)
\set lat random(32000000, 33000000)
WITH c AS (INSERT INTO cases (code, class, state, lon, lat, place, description, contact, cell) VALUES (gen_random_uuid()::text, 'event-0102', 'reported', :lon / 1e6, :lat / 1e6, 'in front of house 12', 'Refuse has been lying here for two days, and it is getting more.', '13800000000', (:lon % 5000)::text) RETURNING id) INSERT INTO steps (case_id, move) SELECT id, 'report' FROM c;
SQL
chmod 644 "$dir/pg.sql"
for _ in $(seq "$runs"); do
    as_postgres "$pgbin/pgbench" -h "$dir/pg" -U postgres -n -M prepared -c 64 -j 2 -T "$seconds" -f "$dir/pg.sql" postgres 2>/dev/null |
        awk '/^tps/ {t = $3} /latency average/ {l = $4} END {print t, l}'
done | sort -n | awk '{v[NR] = $1; l[NR] = $2} END {m = int((NR + 1) / 2); printf "peer: PostgreSQL, row and step in one durable statement, 64 clients, no HTTP, no rules: %.0f/s (%.0f to %.0f), mean %.1f ms\n", v[m], v[1], v[NR], l[m]}'
