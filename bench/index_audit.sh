#!/bin/sh
# The audit of a large index (123 indicators, 1,500 areas, 10,000 draws): CPU and wall seconds of each part on 1 and 2 threads, a
# what-if re-rank, and base R doing the same ranks of the same kind of draws (weights shaken by 25 %, one matrix product for all,
# rank() each, quantile() each area) on one thread. Needs a C compiler.
# Usage: bench/index_audit.sh [DRAWS]
set -eu
cd "$(dirname "$0")/.."
draws=${1:-10000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "machine: $(nproc) cores, load average $(cut -d' ' -f1 /proc/loadavg) before; $(date -u +%Y-%m-%d)"
base="src/base/arena.c src/base/buf.c src/base/err.c src/base/mem.c src/base/pool.c src/base/rng.c"
# shellcheck disable=SC2086
${CC:-cc} -std=gnu17 -O2 -g -D_GNU_SOURCE -ffp-contract=off -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Isrc \
    bench/index_audit.c src/num/composite/*.c src/num/core/*.c $base -o "$dir/index_audit" \
    -llapacke -llapack -lblas -lnlopt -lm -lpthread
"$dir/index_audit" 1 "$draws"
"$dir/index_audit" 2 "$draws"
command -v Rscript >/dev/null || { echo "peer: R is not installed here"; exit 0; }
cat >"$dir/peer.R" <<'R'
n <- 1500; m <- 123; draws <- as.integer(commandArgs(TRUE)[1])
set.seed(1)
x <- matrix(runif(n * m), m, n)
t <- system.time({
  w <- matrix(runif(draws * m, 0.75, 1.25), draws, m)
  score <- (w / rowSums(w)) %*% x
  rank <- t(apply(-score, 1, rank, ties.method = "min"))
  band <- apply(rank, 2, quantile, c(0.05, 0.5, 0.95), type = 1)
})
cat(sprintf("peer: base R %s, %d draws, one level of weights: wall %.2f s, CPU %.2f s\n", getRversion(), draws, t[[3]], t[[1]] + t[[2]]))
R
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 Rscript "$dir/peer.R" "$draws"
