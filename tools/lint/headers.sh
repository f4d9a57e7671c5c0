#!/bin/sh
# Each header compiles alone, and twice.
set -eu
. tools/lint/list.sh
status=0
for h in $(c_files src | grep '\.h$'); do
    inside=${h#src/}
    printf '#include "%s"\n#include "%s"\n' "$inside" "$inside" |
        gcc -x c -std=gnu17 -D_GNU_SOURCE -Isrc -Wall -Wextra -Wpedantic -Wstrict-prototypes -Wundef -Werror -fsyntax-only - ||
        { echo "$h: does not compile alone"; status=1; }
done
exit $status
