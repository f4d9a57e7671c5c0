#!/bin/sh
# clang-tidy over the files that the build folder knows (its compile_commands.json). With LINT_CHANGED=1 only over
# changed ones; a changed header then stands for the sources that include it.
#   tidy.sh BUILD_DIR
set -eu
. tools/lint/list.sh
build=$1
db=$build/compile_commands.json
if [ ! -f "$db" ]; then
    echo "$db is missing: configure a build folder first"
    exit 1
fi
root=$(pwd -P)
known=$(sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$db" | sed "s|^$root/||" | grep -E '^(src|tests|bench|tools)/' | sort -u)
if [ "${LINT_CHANGED:-0}" = 1 ]; then
    changed=$(changed_files src tests bench tools)
    for h in $(echo "$changed" | grep '\.h$' || true); do
        changed="$changed
$(grep -lF "#include \"${h#src/}\"" $known || true)"
    done
    files=$(printf '%s\n' "$known" "" "$(echo "$changed" | sort -u)" | awk 'NF == 0 { second = 1; next } !second { known[$0] = 1; next } known[$0]')
else
    files=$known
fi
if [ -z "$files" ]; then exit 0; fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT INT TERM
status=0
# Its summary ("N warnings generated") counts what is suppressed too, and is left out.
echo "$files" | xargs -P "${LINT_JOBS:-2}" -n 3 clang-tidy -p "$build" --quiet >"$out" 2>/dev/null || status=1
# A header's finding appears once a source that includes it.
awk '/: (error|warning): / { show = !seen[$0]++ } show' "$out"
exit $status
