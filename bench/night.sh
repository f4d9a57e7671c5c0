#!/bin/bash
# A city's night: all rules of the packs over one day (gezhi warn run) on demo cities of CELLS cells with CASES cases in the year, and on
# the same city with ten times as many. Prints wall time, processor time and memory of the run, medians of RUNS; the making of the
# city is not counted.
# Usage: bench/night.sh [CELLS CASES]...    5000 20000    GEZHI_BIN: the program (build/gezhi); TIMES: "1 10"; RUNS: 3
set -eu
cd "$(dirname "$0")/.."
bin=${GEZHI_BIN:-build/gezhi}
runs=${RUNS:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
[ $# -gt 0 ] || set -- 5000 20000
day=2026-10-31
echo "machine: $(nproc) cores, load average $(cut -d' ' -f1-3 /proc/loadavg); $(date -u +%Y-%m-%d)"
while [ $# -ge 2 ]; do
    for times in ${TIMES:-1 10}; do
        cases=$(($2 * times))
        rm -rf "$dir/city"
        "$bin" demo --data "$dir/city" --packs packs --cells "$1" --cases "$cases" --seed 1 --until 2026-11-01 --quiet >/dev/null
        for _ in $(seq "$runs"); do
            /usr/bin/time -f '%e %U %S %M' -o "$dir/t" "$bin" warn run --data "$dir/city" --day "$day" --json >"$dir/out"
            tail -n 1 "$dir/t"
        done | sort -n -k2 | awk -v c="$1" -v n="$cases" '{ v[NR] = $0 } END { split(v[int((NR + 1) / 2)], m, " ");
            printf "%d cells, %d cases a year: %.1f s wall, %.1f s of processor time, %.0f MB\n", c, n, m[1], m[2] + m[3], m[4] / 1024 }'
    done
    shift 2
done
