#!/bin/sh
# Locating points and writing vector tiles, ours and GEOS on the same cells and points in one process.
# Needs a C compiler, libgeos-dev and libjson-c-dev. Prints a table and, with --json, the raw objects. When other work
# shares the machine the figures are lower: the load is printed beside them.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
base="src/base/mem.c src/base/arena.c src/base/err.c src/base/buf.c src/base/json.c src/base/val.c src/base/utf8.c"
base="$base src/base/civil.c src/base/tz.c src/base/file.c"
build() { # build NAME: bench/NAME.c as the release build would
    # shellcheck disable=SC2086
    ${CC:-cc} -std=gnu17 -O2 -g -DNDEBUG -D_GNU_SOURCE -ffp-contract=off -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
        $(pkg-config --cflags json-c) -Isrc -Itests/unit/geo "bench/$1.c" tests/unit/geo/partition.c \
        src/geo/crs.c src/geo/orient.c src/geo/polygon.c src/geo/locate.c src/geo/locate_build.c src/geo/mvt.c $base \
        -o "$out/$1" -lgeos_c $(pkg-config --libs json-c) -lm
}
build locate
build locate_tile
rounds=${ROUNDS:-7}
{
    "$out/locate" 160 125 42 4000000 "$rounds" # the target: 20,000 cells of 46 points
    "$out/locate" 320 315 42 4000000 "$rounds" # five times that
    "$out/locate" 40 25 42 4000000 "$rounds"   # a town
    "$out/locate_tile" 160 125 42 "$rounds"
} >"$out/result"
if [ "${1:-}" = "--json" ]; then
    cat "$out/result"
    exit 0
fi
awk '
function get(name) { return match($0, "\"" name "\":[0-9.e+-]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
/"questions"/ {
    if (!said++) printf "%8s %7s %22s %12s %10s %9s %8s %8s\n", "cells", "points", "ours Mpoints/s", "in batches", "GEOS", "ratio", "build s", "index MB"
    printf "%8s %7s %6.1f (%5.1f to %5.1f) %12.1f %10.3f %8.0fx %8.3f %8.1f\n", get("cells"), get("points_a_cell"), \
        get("mpoints_s"), get("mpoints_s_min"), get("mpoints_s_max"), get("mpoints_s_batch"), get("geos_mpoints_s"), \
        get("mpoints_s") / get("geos_mpoints_s"), get("build_s"), get("index_mb")
    if (get("differs") != 0) { print "GEOS differs on " get("differs") " points"; bad = 1 }
    next
}
{
    n = split($0, part, "\"z")
    for (i = 2; i <= n; i++) {
        $0 = part[i]
        printf "tile of zoom %s: %s cells, %s bytes, %s ms (%s to %s)\n", substr($0, 1, index($0, "\"") - 1), \
            get("cells"), get("bytes"), get("ms"), get("ms_min"), get("ms_max")
    }
}
END { exit bad }' "$out/result"
echo "processor time of one thread; medians of $rounds rounds; load $(cut -d' ' -f1 /proc/loadavg) on $(nproc) processors"
