/* gezhi demo */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "sim/demo.h"

/* The end of the invented year: midnight of a day in the demo city's zone. */
static enum err_code read_date(const char *text, int64_t *us, struct err *err) {
    int64_t days;
    if (!civil_date_parse(text, &days))
        return err_fail(err, ERR_INVALID, "--until \"%s\": expected a date such as 2026-11-01",
                        text);
    *us = (days * 86400 - 28800) * 1000000;
    return ERR_OK;
}

int cli_demo(int argc, char **argv) {
    const char *data = NULL, *packs = NULL, *until = NULL;
    int64_t seed = 1, cells = 5000, cases = 100000;
    bool quiet = false;
    const struct opt opts[] = {
        {"data", OPT_STR, &data, true, "DIR", "the folder to make"},
        {"seed", OPT_INT, &seed, false, "N", "1"},
        {"until", OPT_STR, &until, false, "DATE", "last day of the year of cases (now)"},
        {"cells", OPT_INT, &cells, false, "N", "grid cells (5000)"},
        {"cases", OPT_INT, &cases, false, "N", "cases of the year (100000)"},
        {"packs", OPT_STR, &packs, false, "DIR", "packs to copy instead of the shipped ones"},
        {"quiet", OPT_FLAG, &quiet, false, NULL, "no progress"}};
    const struct opt_command cmd = {
        "demo", NULL, 0, 0, opts, 7, "Make the invented demo city. Prints one account a role.",
        NULL};
    struct err err = {0};
    struct demo_options o = {.accounts = stdout};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (until != NULL && read_date(until, &o.until_us, &err) != ERR_OK)
        return cli_usage(&cmd, &err);
    struct arena *a = arena_new(1 << 20);
    o.dir = data;
    o.packs_dir = packs;
    o.helper_dir = a == NULL ? NULL : folder_helpers(a);
    o.seed = seed;
    o.n_cells = cells;
    o.n_cases = cases;
    o.progress = quiet ? NULL : stderr;
    enum err_code rc = demo_make(&o, &err);
    arena_free(a);
    return rc == ERR_OK ? 0 : cli_fail("demo", &err);
}
