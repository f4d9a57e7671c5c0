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
# Its summary ("N warnings generated") counts what is suppressed too, and is left out.
broken=0
echo "$files" | xargs -P "${LINT_JOBS:-2}" -n 3 clang-tidy -p "$build" --quiet >"$out" 2>/dev/null || broken=1
# A header's finding appears once a source that includes it: once is enough. Allowed findings go with their notes.
awk -v root="$root/" -v whole="${LINT_CHANGED:-0}" -v broken="$broken" '
    FILENAME ~ /tidy.allow$/ { if ($0 !~ /^#/ && NF > 1) allowed[$1] = 1; next }
    /: (error|warning): .*\[[^]]*\]$/ {
        findings++
        check = $0; sub(/.*\[/, "", check); sub(/[],].*/, "", check)
        path = $0; sub(/:.*/, "", path); sub(root, "", path)
        key = path ":" check
        if (key in allowed) { used[key] = 1; show = 0 } else { show = !seen[$0]++; bad = 1 }
    }
    show
    END {
        if (whole != 1) for (k in allowed) if (!(k in used)) { print "tools/lint/tidy.allow: \"" k "\" is not needed any more: remove it"; bad = 1 }
        if (broken && !findings) { print "clang-tidy could not read the files"; bad = 1 }
        exit bad
    }' tools/lint/tidy.allow "$out"
