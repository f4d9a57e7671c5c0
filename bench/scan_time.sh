#!/bin/sh
# Space-time scans: processor milliseconds a replica on one thread, and a city's nightly scan on two. With SATSCAN naming
# the program (its batch version), the same data go through it, too: its cost a replica is the slope between two numbers of
# replicas. Usage: bench/scan_time.sh [--json]    ROUNDS (3): the median of so many is told. QUICK=1 leaves out what takes
# minutes. The data of New York City are read from SHARED (../shared/data) and left out when they are not there.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
rounds=${ROUNDS:-3}
shared=${SHARED:-../shared/data}
flags="-std=gnu17 -O2 -g -DNDEBUG -D_GNU_SOURCE -ffp-contract=off -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -Isrc"
compile() { # compile SOURCE [FLAG...]
    source=$1
    shift
    # shellcheck disable=SC2086
    ${CC:-cc} $flags "$@" -c "$source" -o "$out/$(basename "$source" .c).o"
}
for s in mem arena err rng pool; do compile "src/base/$s.c"; done
compile src/num/core/run.c
for s in zones near network window flexible draw; do compile "src/num/scan/$s.c"; done
for s in src/num/scan/space_time*.c; do
    case $s in
    *_avx2.c) if [ "$(uname -m)" = x86_64 ]; then compile "$s" -O3 -mavx2; else compile "$s" -O3; fi ;;
    *_walk*) compile "$s" -O3 ;;
    *) compile "$s" ;;
    esac
done
compile bench/scan_time.c
${CC:-cc} -pie "$out"/*.o -o "$out/scan_time" -lm -lpthread

run() { # run CASE LOCATIONS REPLICAS THREADS [DIR]: the round of median cost
    i=0
    while [ $i -lt "$rounds" ]; do
        "$out/scan_time" "$@" <"${input:-/dev/null}"
        i=$((i + 1))
    done | sed 's/.*"replica_cpu_ms":\([0-9.]*\).*/\1 &/' | sort -n | sed -n "$(((rounds + 1) / 2))s/^[^ ]* //p"
}
nyc() { # places and cases of the fever data as lines "place slot n x y"
    awk 'NR == FNR { if (!($1 in id)) { id[$1] = n++; y[$1] = $2; x[$1] = $3; print id[$1], 0, 0, x[$1], y[$1] } next }
        { split($3, d, "/"); print id[$1], d[3] - 1, $2, x[$1], y[$1] }' \
        "$shared/reference/scan/NYCfever.geo" "$shared/reference/scan/NYCfever.cas"
}
mkdir "$out/5000" "$out/20000"
{
    run poisson-prospective 5000 50 1 "$out/5000"
    run permutation-prospective 5000 50 1
    run permutation-retrospective 5000 3 1
    run poisson-prospective 20000 8 1 "$out/20000"
    run permutation-prospective 20000 8 1
    if [ -r "$shared/reference/scan/NYCfever.cas" ]; then
        nyc >"$out/nyc"
        input=$out/nyc
        run nyc-retrospective 0 999 1
        run nyc-prospective 0 999 1
        input=
    fi
    if [ "${QUICK:-0}" = 0 ]; then
        rounds=1
        run poisson-prospective 20000 999 2 # a night
    fi
} >"$out/result"
if [ "${1:-}" = --json ]; then
    cat "$out/result"
    exit 0
fi

# ---- SaTScan on the same data ----
parameters() { # parameters CASE LOCATIONS REPLICAS
    d=$out/$2
    model=2 analysis=4
    case $1 in poisson*) model=0 ;; esac
    case $1 in *retrospective) analysis=3 ;; esac
    printf '[Input]\nCaseFile=%s/city.cas\nPopulationFile=%s\nCoordinatesFile=%s/city.geo\nCoordinatesType=0\n' "$d" \
        "$([ $model = 0 ] && echo "$d/city.pop")" "$d"
    printf 'PrecisionCaseTimes=3\nStartDate=2025/1/1\nEndDate=2025/12/31\n[Analysis]\nAnalysisType=%s\n' "$analysis"
    printf 'ModelType=%s\nScanAreas=1\nTimeAggregationUnits=3\nTimeAggregationLength=1\nMonteCarloReps=%s\n' $model "$3"
    printf '[Output]\nResultsFile=%s/result.txt\nOutputGoogleEarthKML=n\nOutputShapefiles=n\n' "$d"
    printf '[Temporal Window]\nMaxTemporalSizeInterpretation=1\nMaxTemporalSize=28\n'
    printf '[Spatial Window]\nMaxSpatialSizeInPopulationAtRisk=5\n[Space and Time Adjustments]\n'
    printf '[Inference]\nPValueReportType=1\nProspectiveStartDate=2025/12/31\n[Power Evaluations]\n'
    printf '[Run Options]\nNumberParallelProcesses=1\nExecutionType=0\nLogRunToHistoryFile=n\n'
}
peer_seconds() { # peer_seconds CASE LOCATIONS REPLICAS: processor seconds
    parameters "$1" "$2" "$3" >"$out/run.prm"
    bash -c 'TIMEFORMAT="%U %S"; time "$0" "$1" >/dev/null 2>&1' "$SATSCAN" "$out/run.prm" 2>&1 |
        awk '{ s = $1 + $2 } END { print s }'
}
peer() { # peer CASE LOCATIONS FEW MANY: milliseconds a replica
    few=$(peer_seconds "$1" "$2" "$3")
    many=$(peer_seconds "$1" "$2" "$4")
    echo "{\"case\":\"$1\",\"locations\":$2,\"threads\":1,\"satscan_ms\":$(echo "$few $many" | awk -v a="$3" -v b="$4" '{ print ($2 - $1) / (b - a) * 1000 }')}"
}
if [ -n "${SATSCAN:-}" ]; then
    {
        peer poisson-prospective 5000 9 49
        peer permutation-prospective 5000 9 49
        if [ "${QUICK:-0}" = 0 ]; then peer poisson-prospective 20000 1 5; fi
    } >>"$out/result"
fi
awk '
function get(name) { return match($0, "\"" name "\":\"?[^,\"}]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
{ gsub(/:"/, ":"); key = get("case") " " get("locations") " " get("threads") }
/satscan_ms/ { peer[key] = get("satscan_ms"); next }
{ order[++n] = key; ms[key] = get("replica_cpu_ms"); zones[key] = get("zones"); setup[key] = get("zones_cpu_s") + get("tables_cpu_s")
  data[key] = get("data_cpu_s"); wall[key] = get("wall_999_s"); llr[key] = get("llr"); count[key] = get("replicas"); all[key] = get("wall_s") }
END {
    printf "%-26s %9s %7s %10s %8s %8s %12s %11s %7s\n", "case", "locations", "threads", "zones", "set-up s", "data s", "CPU ms/rep", "SaTScan ms", "ratio"
    for (i = 1; i <= n; i++) {
        split(order[i], part, " "); k = order[i]
        printf "%-26s %9s %7s %10s %8.3f %8.3f %12.4f %11s %7s\n", part[1], part[2], part[3], zones[k], setup[k], data[k], ms[k], \
            (k in peer) ? peer[k] : "-", (k in peer) ? sprintf("%.0f", peer[k] / ms[k]) : "-"
        if (part[3] == 2) night = sprintf("the night of 20,000 cells, 28 days, 5 %%, %s replicas on two threads: %.1f s wall in all, %.1f s of processor time", count[k], all[k], \
            setup[k] + data[k] + ms[k] * count[k] / 1000)
    }
    if (night != "") print night
}' "$out/result"
echo "medians of $rounds; load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) processors"
