#!/bin/sh
# The checks find what they are for: each is run on a small tree with one fault of every kind it knows, and on a clean one.
set -eu
here=$(pwd -P)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT INT TERM
cd "$tree"
git init -q .
mkdir -p src/base src/geo src/net tests bench tools decl
cp -R "$here/tools/lint" tools/lint
cp "$here/.clang-format" "$here/.clang-tidy" .
printf '# none\n' >tools/lint/banned.allow
printf '# none\n' >tools/lint/sizes.allow
printf '# none\n' >tools/lint/tidy.allow
status=0

# expect CHECK TEXT: the check fails and says TEXT. passes CHECK: it does not fail.
expect() {
    if out=$(tools/lint/run . "$1" 2>&1); then
        echo "selftest: $1 passes where it should say \"$2\""
        status=1
    elif ! printf '%s\n' "$out" | grep -qF -- "$2"; then
        printf 'selftest: %s does not say "%s":\n%s\n' "$1" "$2" "$out"
        status=1
    fi
}
passes() {
    if ! out=$(tools/lint/run . "$1" 2>&1); then
        printf 'selftest: %s fails on a clean tree:\n%s\n' "$1" "$out"
        status=1
    fi
}

cat >src/base/a.h <<'END'
#ifndef BASE_A_H
#define BASE_A_H
#include <stddef.h>
/* A comment may name malloc(), strcpy( and "base/../x". */
size_t a_size(const char *s);
#endif
END
cat >src/base/a.c <<'END'
#include "base/a.h"

#include <string.h>

size_t a_size(const char *s) { return s[0] == '"' ? 0 : strlen(s); /* atoi( */ }
END
for check in format includes banned sizes injection headers cppcheck; do passes $check; done

echo 'int   f( void );' >src/base/b.c
expect format 'src/base/b.c:1'
printf '#include "geo/c.h"\n#include "a.h"\n' >src/base/b.c
: >src/geo/c.h
expect includes 'src/base/b.c:1: base may not include geo ("geo/c.h")'
expect includes 'src/base/b.c:2: write "a.h" from src/'
mkdir -p src/util
: >src/util/u.h
expect includes 'the folder "util" is not in'
rm -r src/util

printf '#include <stdlib.h>\nint f(const char *s);\nint f(const char *s) { return atoi(s) + (int)sizeof "malloc("; }\n' >src/base/b.c
expect banned 'src/base/b.c:3: atoi'
printf 'void *f(void) {\n    return malloc (3); // FIXME\n}\n' >src/base/b.c
expect banned 'src/base/b.c:2: malloc'
expect banned 'src/base/b.c:2: FIXME'
echo 'src/base/b.c:calloc it is the door' >tools/lint/banned.allow
expect banned '"src/base/b.c:calloc" is not needed any more'
printf '# none\n' >tools/lint/banned.allow

awk 'BEGIN { print "static int\nlong_one(int a,\n         int b) {"; for (i = 0; i < 60; i++) print "    a++;"; print "}" }' >src/base/b.c
expect sizes 'src/base/b.c:long_one: a function of 64 lines'
echo 'src/base/b.c:long_one 64 one switch over all kinds' >tools/lint/sizes.allow
passes sizes
echo 'src/base/b.c:long_one 70 one switch over all kinds' >tools/lint/sizes.allow
expect sizes 'has shrunk: write 64'
echo 'src/base/b.c:long_one 63 one switch over all kinds' >tools/lint/sizes.allow
expect sizes 'a function of 64 lines (at most 63)'
awk 'BEGIN { for (i = 0; i < 801; i++) print "int v" i ";" }' >src/base/b.c
expect sizes 'src/base/b.c: a file of 801 lines'
expect sizes '"src/base/b.c:long_one" is not needed any more'
printf '# none\n' >tools/lint/sizes.allow

cat >src/base/b.c <<'END'
void f(void) {
    buf_printf(b, "SELECT a "
                  "FROM t WHERE b = '%s'", name);
    buf_printf(b, "<code class=\"x\">%s</code>", text);
    buf_printf(b, "ALTER TABLE %s", /* safe: from the checked pack */ name);
    buf_printf(b, "SELECT a FROM t LIMIT %d", n);
    buf_printf(b, "expected %s, found a < b and %s", x, y);
}
END
expect injection 'src/base/b.c:2: buf_printf formats text into SQL'
expect injection 'src/base/b.c:4: buf_printf formats text into markup'
if [ "$(tools/lint/run . injection | grep -c 'src/base/b.c')" != 2 ]; then
    echo "selftest: injection reports what is safe"
    status=1
fi

echo 'struct s { size_t n; };' >src/base/b.h
: >src/base/b.c
expect headers 'src/base/b.h: does not compile alone'
rm src/base/b.h
printf 'int f(void);\nint f(void) {\n    int a[2] = {0, 1};\n    return a[2];\n}\n' >src/base/b.c
expect cppcheck 'src/base/b.c:4: error:'

printf 'int f(int a);\nint f(int a) {\n    int *p = 0;\n    if (a > 3) return *p;\n    return a;\n}\n' >src/base/b.c
printf '[{\n"directory": "%s",\n"command": "cc -Isrc -c src/base/b.c",\n"file": "%s/src/base/b.c"\n}]\n' "$tree" "$(pwd -P)" |
    sed 's/^"/  "/' >compile_commands.json
expect tidy 'core.NullDereference'
echo 'src/base/b.c:clang-analyzer-core.NullDereference it is for the test' >tools/lint/tidy.allow
passes tidy
echo 'src/base/b.c:clang-analyzer-core.DivideZero it is for the test' >>tools/lint/tidy.allow
expect tidy '"src/base/b.c:clang-analyzer-core.DivideZero" is not needed any more'
printf '# none\n' >tools/lint/tidy.allow
git add -A
git -c user.name=lint -c user.email=lint@example.invalid commit -q -m clean
if ! LINT_CHANGED=1 tools/lint/run . tidy >/dev/null; then
    echo "selftest: LINT_CHANGED=1 looks at files that did not change"
    status=1
fi
exit $status
