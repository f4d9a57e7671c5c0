/* gezhi warn record: what the night does, on a folder that no server holds. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "domain/measure/definitions.h"
#include "domain/warning/run.h"

enum { MAX_DAYS = 3660, ENGINE_ARENA = 1 << 28 };

struct record_args {
    const char *data, *day, *from, *to, *rule;
    int64_t seed;
    bool json, backdate;
};
struct recording_run {
    const struct record_args *args;
    struct folder f;
    struct arena *a;
    struct grid_service *grid;
    struct engine *engine;
    const struct definitions *definitions;
    struct pool *pool;
    int32_t from, to;
    struct buf days; /* JSON, with --json */
    struct jw w;
    size_t raised;
};

static enum err_code day_of(const char *text, const char *what, int32_t *out, struct err *err) {
    int64_t day = 0;
    if (text == NULL) return err_fail(err, ERR_INVALID, "--day, or --from and --to, are needed");
    if (!civil_date_parse(text, &day))
        return err_fail(err, ERR_INVALID, "--%s is no date such as 2026-08-05: \"%.40s\"", what,
                        text);
    *out = (int32_t)day;
    return ERR_OK;
}

static enum err_code prepare(struct recording_run *r, struct err *err) {
    struct reader *reader = NULL;
    TRY(folder_open(r->args->data, 2, NULL, &r->f, err));
    TRY(grid_open(r->f.ledger, r->f.packs, &r->grid, err));
    TRY(engine_new(r->a, r->f.packs, r->f.tz, ledger_secret(r->f.ledger), r->grid, &r->engine,
                   err));
    TRY(ledger_read_begin(r->f.ledger, &reader, err));
    enum err_code rc = definitions_build(reader_db(reader), 1, r->f.packs, &r->definitions, err);
    ledger_read_end(reader);
    TRY(rc);
    return pool_new(0, &r->pool, err);
}

static void told(void *ctx, int32_t day, const struct warn_record *rec) {
    struct recording_run *r = ctx;
    char text[16];
    civil_date_format(day, text);
    r->raised += rec->n_raised;
    if (!r->args->json) {
        (void)printf("%s: %zu signals, %zu raised, %zu went on, %zu cleared, %zu joined, %zu "
                     "supervised%s\n",
                     text, rec->day->n, rec->n_raised, rec->n_went_on, rec->n_cleared,
                     rec->n_joined, rec->n_supervised, rec->changed ? "" : "; as before");
        (void)fflush(stdout);
        return;
    }
    jw_obj(&r->w);
    jw_kstr(&r->w, "day", text);
    jw_kint(&r->w, "signals", (int64_t)rec->day->n);
    jw_kint(&r->w, "raised", (int64_t)rec->n_raised);
    jw_kint(&r->w, "went_on", (int64_t)rec->n_went_on);
    jw_kint(&r->w, "cleared", (int64_t)rec->n_cleared);
    jw_kint(&r->w, "joined", (int64_t)rec->n_joined);
    jw_kint(&r->w, "supervised", (int64_t)rec->n_supervised);
    jw_kbool(&r->w, "changed", rec->changed);
    jw_end(&r->w, '}');
}

static enum err_code record(struct recording_run *r, struct err *err) {
    const struct warn_set *set = r->definitions->warnings;
    struct num_run run = {
        .parallel = pool_run, .pool = r->pool, .n_threads = pool_threads(r->pool)};
    struct warn_run w = {.ledger = r->f.ledger,
                         .engine = r->engine,
                         .set = set,
                         .seed = (uint64_t)r->args->seed,
                         .run = &run,
                         .indices = r->definitions->indices,
                         .backdate = r->args->backdate,
                         .told = told,
                         .ctx = r};
    if (r->args->rule != NULL) {
        w.only = warn_find(set, r->args->rule);
        if (w.only == NULL)
            return err_fail(err, ERR_INVALID, "there is no rule \"%.40s\"; the first is %s",
                            r->args->rule, set->n_rules == 0 ? "none" : set->rule[0].name);
    }
    jw_init(&r->w, &r->days);
    jw_obj(&r->w);
    jw_key(&r->w, "days");
    jw_arr(&r->w);
    TRY(warn_run_days(&w, r->from, r->to, err));
    jw_end(&r->w, ']');
    jw_end(&r->w, '}');
    if (r->args->json) {
        TRY(buf_check(&r->days, err));
        (void)puts(buf_text(&r->days));
    } else {
        (void)printf("%zu warnings in %d days\n", r->raised, r->to - r->from + 1);
    }
    return ERR_OK;
}

/* In reverse order of making; the ledger ends before the grid that follows it. */
static void close_all(struct recording_run *r) {
    pool_free(r->pool);
    definitions_unref(r->definitions);
    if (r->f.ledger != NULL) ledger_close(r->f.ledger);
    r->f.ledger = NULL;
    grid_close(r->grid);
    if (r->f.arena != NULL) folder_close(&r->f);
    buf_deinit(&r->days);
    arena_free(r->a);
}

int cli_warn_record(int argc, char **argv) {
    struct record_args a = {.seed = 1};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder; no server may hold it"},
        {"day", OPT_STR, &a.day, false, "DATE", "one day"},
        {"from", OPT_STR, &a.from, false, "DATE", "first day"},
        {"to", OPT_STR, &a.to, false, "DATE", "last day"},
        {"rule", OPT_STR, &a.rule, false, "NAME", "one rule alone"},
        {"seed", OPT_INT, &a.seed, false, "N", "of the replicas of scans (1)"},
        {"backdate", OPT_FLAG, &a.backdate, false, NULL,
         "open cases in the night after their day, to fill a folder with its past"},
        {"json", OPT_FLAG, &a.json, false, NULL, "for a program"}};
    const struct opt_command cmd = {
        .name = "warn record",
        .opts = opts,
        .n_opts = 8,
        .summary = "Record what the rules find, day by day: warnings become cases. The same day "
                   "again changes nothing.",
        .example = "gezhi warn record --data build/demo --day 2026-07-09"};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct recording_run r = {.args = &a};
    struct err err = {0};
    const char *from = a.day != NULL ? a.day : a.from, *to = a.day != NULL ? a.day : a.to;
    enum err_code rc = day_of(from, a.day != NULL ? "day" : "from", &r.from, &err);
    if (rc == ERR_OK) rc = day_of(to, a.day != NULL ? "day" : "to", &r.to, &err);
    if (rc == ERR_OK && (r.to < r.from || r.to - r.from > MAX_DAYS))
        rc = err_fail(&err, ERR_INVALID, "--to lies before --from, or more than ten years later");
    if (rc != ERR_OK) return cli_usage(&cmd, &err);
    buf_init(&r.days, 16 << 20);
    r.a = arena_new(ENGINE_ARENA);
    rc = r.a == NULL ? err_fail(&err, ERR_NOMEM, "warnings") : prepare(&r, &err);
    if (rc == ERR_OK) rc = record(&r, &err);
    close_all(&r);
    return rc == ERR_OK ? 0 : cli_fail("warn record", &err);
}
