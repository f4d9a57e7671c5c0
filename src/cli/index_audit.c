/* gezhi index audit */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "study/composite/audit.h"

struct audit_args {
    struct index_files files, before;
    struct audit_wish wish;
    const char *published, *ranks, *pairs, *parts, *correlations, *change, *lang;
    int64_t threads;
    bool json;
};

static enum err_code check_args(const struct audit_args *g, struct err *err) {
    if (g->wish.draws != -1 && (g->wish.draws < 1 || g->wish.draws > AUDIT_MAX_DRAWS))
        return err_fail(err, ERR_INVALID, "--draws: expected 1 to %d", AUDIT_MAX_DRAWS);
    if (g->wish.seed < -1) return err_fail(err, ERR_INVALID, "--seed: expected 0 or more");
    if (g->threads < 0 || g->threads > 64)
        return err_fail(err, ERR_INVALID, "--threads: expected 0 to 64");
    if (g->lang != NULL && strcmp(g->lang, "en") != 0 && strcmp(g->lang, "zh") != 0)
        return err_fail(err, ERR_INVALID, "--lang \"%.20s\": expected en or zh", g->lang);
    bool earlier = g->before.data != NULL;
    if (!earlier && (g->before.meta != NULL || g->before.spec != NULL || g->published != NULL ||
                     g->before.denominators != NULL || g->change != NULL))
        return err_fail(err, ERR_INVALID,
                        "--before-meta, --before-spec, --before-denominators, --published and "
                        "--change go with --before");
    return ERR_OK;
}

static enum err_code write_table(const char *path, const struct audit *t,
                                 void (*table)(const struct audit *, struct buf *),
                                 struct err *err) {
    if (path == NULL) return ERR_OK;
    struct buf out;
    buf_init(&out, (size_t)2 << 30);
    table(t, &out);
    enum err_code rc = cli_write(path, &out, err);
    buf_deinit(&out);
    return rc;
}

static enum err_code write_all(const struct audit_args *g, const struct audit *t, double elapsed_ms,
                               struct err *err) {
    TRY(write_table(g->ranks, t, audit_ranks_csv, err));
    TRY(write_table(g->pairs, t, audit_pairs_csv, err));
    TRY(write_table(g->parts, t, audit_parts_csv, err));
    TRY(write_table(g->correlations, t, audit_correlations_csv, err));
    TRY(write_table(g->change, t, audit_change_csv, err));
    struct buf out;
    buf_init(&out, (size_t)2 << 30);
    if (g->json)
        audit_json(t, elapsed_ms, &out);
    else
        audit_text(t, g->lang != NULL && strcmp(g->lang, "zh") == 0, &out);
    enum err_code rc = cli_print(&out, err);
    buf_deinit(&out);
    return rc;
}

/* The earlier period, when there is one; what is not given for it is the later one's. */
static enum err_code compare(const struct audit_args *g, const struct index_study *after,
                             const struct num_run *run, struct arena *a, struct audit_change *out,
                             struct err *err) {
    struct index_study *before = ARENA_NEW(a, struct index_study, 1);
    const struct table *published = NULL;
    struct index_files files = g->before;
    if (before == NULL) return err_fail(err, ERR_NOMEM, "no memory");
    if (files.meta == NULL) files.meta = g->files.meta;
    if (files.spec == NULL) files.spec = g->files.spec;
    if (files.denominators == NULL) files.denominators = g->files.denominators;
    TRY(index_study_load(&files, a, before, err));
    TRY(index_study_run(before, run, a, err));
    if (g->published != NULL) TRY(table_load(a, g->published, 0, INDEX_MAX_ROWS, &published, err));
    return audit_change_run(before, after, published, run, a, out, err);
}

static enum err_code run_audit(const struct audit_args *g, struct pool *pool, struct arena *a,
                               struct err *err) {
    int64_t from_us = clock_mono_us();
    struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = pool_threads(pool)};
    struct index_study study;
    struct audit audit;
    struct audit_change change;
    TRY(index_study_load(&g->files, a, &study, err));
    TRY(index_study_run(&study, &run, a, err));
    TRY(audit_run(&study, &g->wish, &run, a, &audit, err));
    if (g->before.data != NULL) {
        TRY(compare(g, &study, &run, a, &change, err));
        audit.change = &change;
    }
    return write_all(g, &audit, 1e-3 * (double)(clock_mono_us() - from_us), err);
}

static int run_command(struct audit_args *g) {
    struct err err = {0};
    struct pool *pool = NULL;
    struct arena *a = arena_new(SIZE_MAX / 2);
    g->wish.pairs = g->pairs != NULL;
    g->wish.correlations = g->correlations != NULL;
    enum err_code rc = a == NULL ? err_fail(&err, ERR_NOMEM, "no memory")
                                 : pool_new((size_t)g->threads, &pool, &err);
    if (rc == ERR_OK) rc = run_audit(g, pool, a, &err);
    pool_free(pool);
    arena_free(a);
    return rc == ERR_OK ? 0 : cli_fail("index audit", &err);
}

int cli_index_audit(int argc, char **argv) {
    struct audit_args g = {.wish = {.draws = -1, .seed = -1}};
    const struct opt opts[] = {
        {"data", OPT_STR, &g.files.data, true, "FILE", "iData: uCode and a column an indicator"},
        {"meta", OPT_STR, &g.files.meta, true, "FILE", "iMeta: the framework"},
        {"spec", OPT_STR, &g.files.spec, false, "FILE",
         "YAML: the choices; under \"audit\" what could have been chosen otherwise (without it: "
         "weights +-25 %, one indicator left out)"},
        {"denominators", OPT_STR, &g.files.denominators, false, "FILE",
         "uCode and a column a denominator; those in the data without it"},
        {"draws", OPT_INT, &g.wish.draws, false, "N", "draws of the choices (10000)"},
        {"seed", OPT_INT, &g.wish.seed, false, "N", "of the draws (1)"},
        {"area", OPT_STR, &g.wish.area, false, "CODE",
         "this one closer: contributions, pairs, what decides its rank"},
        {"what-if", OPT_STR, &g.wish.what_if, false, "CODE=W,...",
         "other weights of indicators or nodes; 0 leaves out"},
        {"what-if-mean", OPT_STR, &g.wish.what_if_mean, false, "M",
         "arithmetic, geometric or harmonic means at all levels"},
        {"before", OPT_STR, &g.before.data, false, "FILE",
         "iData of an earlier period: why scores changed"},
        {"before-meta", OPT_STR, &g.before.meta, false, "FILE", "its framework, if other"},
        {"before-spec", OPT_STR, &g.before.spec, false, "FILE", "its choices, if other"},
        {"before-denominators", OPT_STR, &g.before.denominators, false, "FILE",
         "its denominators, if other"},
        {"published", OPT_STR, &g.published, false, "FILE",
         "uCode, score: the earlier scores as they were published"},
        {"ranks", OPT_STR, &g.ranks, false, "FILE", "write ranks and their bands as CSV"},
        {"pairs", OPT_STR, &g.pairs, false, "FILE",
         "write the pairs whose order holds in nearly all draws as CSV"},
        {"contributions", OPT_STR, &g.parts, false, "FILE",
         "write what each score is made of as CSV"},
        {"correlations", OPT_STR, &g.correlations, false, "FILE",
         "write the correlations of all indicators as CSV"},
        {"change", OPT_STR, &g.change, false, "FILE", "write the parts of the changes as CSV"},
        {"threads", OPT_INT, &g.threads, false, "N", "how many (all cores)"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"},
        {"lang", OPT_STR, &g.lang, false, "en|zh", "language of the report (en)"}};
    const struct opt_command cmd = {
        "index audit",
        NULL,
        0,
        0,
        opts,
        sizeof opts / sizeof opts[0],
        "How sure the ranks of a composite index are, and what its scores are made of.",
        "gezhi index audit --data samples/index_data.csv --meta "
        "samples/index_meta.csv --spec samples/index_audit.yaml"};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (check_args(&g, &err) != ERR_OK) return cli_usage(&cmd, &err);
    return run_command(&g);
}
