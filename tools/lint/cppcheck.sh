#!/bin/sh
# cppcheck: warnings and portability. Headers are seen through the sources that include them.
set -eu
. tools/lint/list.sh
list=$(mktemp)
trap 'rm -f "$list"' EXIT INT TERM
c_files src bench tools | grep '\.c$' >"$list" || true
# Library descriptions tell it which functions of the C library return or free what.
cppcheck --quiet --std=c11 --language=c --platform=unix64 -j "${LINT_JOBS:-2}" --enable=warning,portability --inline-suppr \
    --library=posix,gnu -D_GNU_SOURCE -D__x86_64__ -Isrc --suppress=missingIncludeSystem \
    --suppressions-list=tools/lint/cppcheck.suppress --template='{file}:{line}: {severity}: {message} [{id}]' \
    --error-exitcode=1 --file-list="$list" 2>&1
