#!/bin/sh
# Survival models, ours and R's package survival on the same made-up table, processor time of one thread. GEZHI names the
# program (a release build); R is asked only when it is there.
set -eu
cd "$(dirname "$0")/.."
gezhi=${GEZHI:-build/gezhi}
n=${ROWS:-60000}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
awk -v n="$n" 'function u() { s = (s * 1103515245 + 12345) % 2147483648; return (int(s / 65536) + 0.5) / 32768 }
BEGIN {
    s = 7; print "id,start,stop,event,count,exposure,x1,x2,m,year"
    for (i = 0; i < n; i++) {
        a = int(u() * 600) / 10; x1 = int((u() + u() + u() - 1.5) * 1000) / 500; x2 = u() < 0.4; m = int(u() * 5)
        h = 0.02 * exp(0.5 * x1 - 0.7 * x2 + 0.2 * m)
        e = u() < h
        printf "%d,%.1f,%.1f,%d,%d,1,%.3f,%d,k%d,%d\n", int(i / 10), a, a + 1, e, e, x1, x2, m, 2010 + i % 10
    }
}' >"$out/t.csv"
# Processor seconds (user) of a command, least of three.
seconds() {
    best=
    for _ in 1 2 3; do
        t=$( { time -p "$@" >/dev/null 2>"$out/err"; } 2>&1 | awk '/^user/ { print $2 }')
        [ -n "$best" ] && [ "$(awk "BEGIN { print ($t >= $best) }")" = 1 ] || best=$t
    done
    echo "$best"
}
fit() { seconds "$gezhi" risk fit --threads 1 --json --data "$out/t.csv" --terms "x1 x2 m" "$@"; }
printf '%s\n' "made-up table of $n rows, 6 columns; seconds include reading the CSV, robust errors and the test of proportional hazards"
printf '%-34s %8s\n' "" gezhi
printf '%-34s %8s\n' "Cox, Efron, (start, stop], cluster" "$(fit --model cox --response event --start start --stop stop --cluster id)"
printf '%-34s %8s\n' "Cox, Breslow, strata" "$(fit --model cox --response event --start start --stop stop --strata m --terms 'x1 x2' --ties breslow)"
printf '%-34s %8s\n' "Weibull" "$(fit --model weibull --response event --stop stop)"
if command -v Rscript >/dev/null 2>&1 && Rscript -e 'library(survival)' >/dev/null 2>&1; then
    cat >"$out/b.R" <<'R'
suppressMessages(library(survival))
path <- commandArgs(TRUE)[1]
t <- function(e) min(sapply(1:3, function(i) system.time(eval(e, globalenv()))[["user.self"]]))
read <- t(quote(d <- read.csv(path)))
d <- read.csv(path)
cat(sprintf("R %s, survival %s (reading the CSV %.2f s, counted in each row)\n", getRversion(), packageVersion("survival"), read))
row <- function(name, v) cat(sprintf("%-34s %8.2f\n", name, v + read))
row("Cox, Efron, (start, stop], cluster", t(quote({ f <- coxph(Surv(start, stop, event) ~ x1 + x2 + m, d, cluster = id); z <- cox.zph(f) })))
row("Cox, Breslow, strata", t(quote({ f <- coxph(Surv(start, stop, event) ~ x1 + x2 + strata(m), d, ties = "breslow"); z <- cox.zph(f) })))
row("Weibull", t(quote(survreg(Surv(stop, event) ~ x1 + x2 + m, d))))
R
    Rscript "$out/b.R" "$out/t.csv"
else
    echo "R with the package survival is not installed: ours alone"
fi
