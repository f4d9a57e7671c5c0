#!/bin/sh
# Draws of a composite index: 51 areas by 49 indicators as in the ASEM example, and 123 indicators of 1,500 areas, both with
# ranks; processor time of one thread. Needs a C compiler.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
num="src/num/composite/aggregate.c src/num/composite/bod.c src/num/composite/normalise.c src/num/composite/outrank.c"
num="$num src/num/composite/ranks.c src/num/composite/tree.c src/num/core/linear.c src/num/core/run.c"
base="src/base/mem.c src/base/arena.c src/base/err.c src/base/rng.c src/base/buf.c"
# shellcheck disable=SC2086
${CC:-cc} -std=gnu17 -O2 -g -DNDEBUG -D_GNU_SOURCE -ffp-contract=off -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Isrc \
    bench/index.c $num $base -o "$out/index" -lm
{
    "$out/index" 49 51 "${DRAWS:-20000}"
    "$out/index" 123 1500 "${DRAWS:-2000}"
    "$out/index" 123 1500 "${DRAWS:-500}" 0.05
} >"$out/result"
if [ "${1:-}" = "--json" ]; then
    cat "$out/result"
    exit 0
fi
sed 's/[{}"]//g; s/,check.*//; s/,/  /g' "$out/result"
echo "load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) processors"
