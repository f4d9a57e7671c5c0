#!/bin/bash
# gezhi alarm on many made-up weekly series: CPU seconds (user) a method, reading the file included, and for Farrington's flexible
# method the time a judged week beside the R package surveillance, when Rscript and the package are there.
# Usage: bench/alarm.sh [SERIES] [RUNS]    10000 series of 520 weeks, median of 3    GEZHI_BIN: the program (build/gezhi)
set -eu
cd "$(dirname "$0")/.."
series=${1:-10000}
runs=${2:-3}
bin=${GEZHI_BIN:-build/gezhi}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
awk -v n="$series" 'BEGIN {
    srand(7); print "date,count,group"
    for (w = 0; w < 520; w++) day[w] = strftime("%Y-%m-%d", 1389009600 + w * 604800, 1)
    for (g = 0; g < n; g++) { level = 1 + 20 * rand()
        for (w = 0; w < 520; w++) { m = level * (1 + 0.4 * cos(w * 0.1204)); l = exp(-m); k = 0; p = rand()
            while (p > l) { k++; p *= rand() }
            printf "%s,%d,g%05d\n", day[w], k, g } } }' >"$dir/many.csv"
user() { # seconds of CPU in user mode, median of the runs
    for _ in $(seq "$runs"); do
        { TIMEFORMAT=%U; time "$bin" "$@" >/dev/null; } 2>&1
    done | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}
grep -m 1 'model name' /proc/cpuinfo | sed 's/.*: //'
echo "$series series of 520 weeks, CPU seconds (user), one thread, median of $runs"
base=$(user alarm --series "$dir/many.csv" --method c1 --last 0 --threads 1)
echo "reading the file and nothing else: $base"
row() { # name, judged dates a series, options
    local name=$1 judged=$2 t
    shift 2
    t=$(user alarm --series "$dir/many.csv" --threads 1 "$@")
    awk -v name="$name" -v t="$t" -v b="$base" -v n="$series" -v j="$judged" \
        'BEGIN {d = t - b; printf "%-44s %8.2f s, less reading %8.2f s, %9.3f us a judged date\n", name, t, d, d / n / j * 1e6}'
}
row "c1, every week, every date written as CSV" 520 --method c1 --csv -
row "c1, every week (as all below: alarms told)" 520 --method c1
row "cusum, after 52 weeks" 468 --method cusum
row "lr, after 52 weeks" 468 --method lr
row "ewma, after 52 weeks" 468 --method ewma
row "bayes2, every week" 520 --method bayes2
row "farrington-flexible, the newest week" 1 --method farrington-flexible --last 1
row "farrington-flexible, the newest year" 52 --method farrington-flexible --last 52
row "farrington 1996, the newest year" 52 --method farrington --last 52
if command -v Rscript >/dev/null && Rscript -e 'quit(status = !requireNamespace("surveillance", quietly = TRUE))' >/dev/null 2>&1; then
    head -n 5201 "$dir/many.csv" >"$dir/few.csv"
    Rscript bench/alarm.R "$dir/few.csv"
    few() { user alarm --series "$dir/few.csv" --threads 1 --csv /dev/null "$@"; }
    awk -v a="$(few --method farrington-flexible --last 52)" -v b="$(few --method c1 --last 0)" \
        'BEGIN {printf "gezhi on the same 10 series, farrington-flexible, 52 weeks each: %.3f ms a week\n", (a - b) / 520 * 1000}'
else
    echo "surveillance: skipped, Rscript or the package is not there"
fi
