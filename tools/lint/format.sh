#!/bin/sh
# The layout is the formatter's: nothing to discuss.
set -eu
. tools/lint/list.sh
c_files src tests bench tools | xargs -r clang-format --dry-run -Werror
