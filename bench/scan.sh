#!/bin/bash
# The purely spatial scan (Poisson, circles up to half of the city, one thread): set-up and processor milliseconds a replica, and
# those of SaTScan on the same files when SATSCAN names its command-line program (slope of the user time between two numbers of
# replicas, standard Monte Carlo, one process).
# Usage: bench/scan.sh [N ...]    5000 20000    SATSCAN=/path/to/satscan
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 5000 20000
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p build
cmake --preset release >"$dir/cmake.log" 2>&1 || { cat "$dir/cmake.log" >&2; exit 1; }
ninja -C build/release num_scan >"$dir/ninja.log" 2>&1 || { tail -n 30 "$dir/ninja.log" >&2; exit 1; }
lib=build/release/src
# shellcheck disable=SC2046
${CC:-cc} -std=gnu17 -O2 -g -Isrc bench/scan_spatial.c -o "$dir/scan" "$lib/num/scan/libnum_scan.a" \
    "$lib/num/core/libnum_core.a" "$lib/base/libbase.a" $(pkg-config --libs json-c yaml-0.1 libsodium libxxhash) -lpthread -lm
parameters() { # replicas
    printf '%s\n' '[Input]' "CaseFile=$dir/city.cas" PrecisionCaseTimes=0 StartDate=2000/1/1 EndDate=2000/12/31 \
        "PopulationFile=$dir/city.pop" "CoordinatesFile=$dir/city.geo" CoordinatesType=0 \
        '[Analysis]' AnalysisType=1 ModelType=0 ScanAreas=1 TimeAggregationUnits=0 '[Output]' "ResultsFile=$dir/city.txt" \
        '[Spatial Window]' MaxSpatialSizeInPopulationAtRisk=50 '[Inference]' PValueReportType=1 "MonteCarloReps=$1" \
        '[Spatial Output]' LaunchMapViewer=n ReportGiniClusters=n \
        '[Run Options]' NumberParallelProcesses=1 LogRunToHistoryFile=n '[System]' Version=10.3.1 >"$dir/city.prm"
}
satscan() { # replicas: user seconds
    parameters "$1"
    { TIMEFORMAT=%U; time "$SATSCAN" "$dir/city.prm" >/dev/null 2>&1; } 2>&1
}
grep -m 1 'model name' /proc/cpuinfo | sed 's/.*: //'
for n in "$@"; do
    replicas=$((n > 10000 ? 1024 : 2560))
    "$dir/scan" "$n" "$replicas" "$dir/city"
    if [ -z "${SATSCAN:-}" ]; then
        echo "  SaTScan was not run: SATSCAN names no program"
        continue
    fi
    few=9 many=$((n > 10000 ? 19 : 99))
    awk -v a="$(satscan $few)" -v b="$(satscan $many)" -v d=$((many - few)) \
        'BEGIN {printf "  SaTScan: %.1f ms a replica, set-up about %.1f s\n", (b - a) / d * 1000, a - (b - a) / d * 9}'
done
echo "processor time of one thread; load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) processors"
