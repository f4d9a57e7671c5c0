#!/bin/sh
# Regression, penalties and trees on a made-up table of 100,000 rows and 20 columns, beside R (glm, MASS, glmnet) and scikit-learn on
# the same numbers, where they are installed (Debian: r-base-core, r-cran-mass, r-cran-glmnet, python3-sklearn). Processor seconds of
# one thread. Needs a C compiler.
# Usage: bench/models.sh
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "machine: $(nproc) cores, load average $(cut -d' ' -f1 /proc/loadavg) before; $(date -u +%Y-%m-%d)"
base="src/base/arena.c src/base/err.c src/base/mem.c src/base/rng.c"
model="auc calibrate elastic elastic_cv evaluate glm glm_check glm_core negbin separation top tree_bins tree_grow trees"
sources=
for m in $model; do sources="$sources src/num/model/$m.c"; done
multiarch=$(${CC:-cc} -print-multiarch)
# shellcheck disable=SC2086
${CC:-cc} -std=gnu17 -O2 -g -D_GNU_SOURCE -ffp-contract=off -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Isrc bench/models.c $sources \
    src/num/core/*.c $base -o "$dir/models" /usr/lib/"$multiarch"/liblapacke.a /usr/lib/"$multiarch"/lapack/liblapack.a \
    /usr/lib/"$multiarch"/blas/libblas.a -l:libgfortran.so.5 -lnlopt -lm -lpthread
"$dir/models" "$dir/table"
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
if command -v Rscript >/dev/null; then
    cat >"$dir/peer.R" <<'R'
f <- file(commandArgs(TRUE)[1], "rb"); n <- 100000; p <- 20
count <- readBin(f, "double", n); event <- readBin(f, "double", n); x <- matrix(readBin(f, "double", n * p), n, p)[, -1]
cpu <- function(t) t[[1]] + t[[2]]
t <- system.time(g <- glm.fit(cbind(1, x), event, family = binomial()))
cat(sprintf("R glm.fit           CPU %6.2f s   x1 %.9f\n", cpu(t), coef(g)[2]))
if (requireNamespace("MASS", quietly = TRUE)) {
  t <- system.time(g <- MASS::glm.nb(count ~ x))
  cat(sprintf("R MASS::glm.nb      CPU %6.2f s   x1 %.9f theta %.9f\n", cpu(t), coef(g)[2], g$theta))
}
if (requireNamespace("glmnet", quietly = TRUE)) {
  glmnet::glmnet.control(fdev = 0, devmax = 1) # all 100 penalties
  for (th in c(1e-7, 1e-14)) {
    t <- system.time(g <- glmnet::glmnet(x, event, family = "binomial", thresh = th))
    cat(sprintf("R glmnet %.0e      CPU %6.2f s   x1 at the 50th %.9f\n", th, cpu(t), g$beta[1, 50]))
  }
}
R
    Rscript "$dir/peer.R" "$dir/table"
else
    echo "peer: R is not installed here"
fi
cat >"$dir/peer.py" <<'PY'
import sys, time
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
v = np.fromfile(sys.argv[1]); n = 100000
event = v[n:2 * n]; x = v[2 * n:].reshape(20, n).T
t = time.process_time()
HistGradientBoostingClassifier(learning_rate=0.1, max_iter=100, max_leaf_nodes=8, early_stopping=False).fit(x, event)
print("scikit-learn hist   CPU %6.2f s" % (time.process_time() - t))
PY
if /usr/bin/python3 -c 'import sklearn' 2>/dev/null; then
    /usr/bin/python3 "$dir/peer.py" "$dir/table"
else
    echo "peer: scikit-learn is not installed here"
fi
