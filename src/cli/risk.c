/* gezhi risk prepare, fit, predict, evaluate */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/risk_command.h"
#include "study/risk/prepare.h"
#include "study/risk/study.h"

enum { MAX_FIELDS = 40 };

/* "FILE" beside the spec that names it, unless it is a path of its own. */
static const char *beside(struct arena *a, const char *spec, const char *file) {
    const char *slash = strrchr(spec, '/');
    if (slash == NULL || file[0] == '/') return file;
    char *dir = arena_dup(a, spec, (size_t)(slash - spec));
    return dir == NULL ? NULL : file_join(a, dir, file);
}

/* ---- prepare ---- */

struct prepare_args {
    const char *spec, *out;
    bool json;
};

static enum err_code prepare(struct arena *a, void *args, struct buf *b, struct err *err) {
    const struct prepare_args *g = args;
    struct risk_prepare_spec spec;
    struct risk_prepared done;
    const struct table *assets = NULL, *events = NULL;
    TRY(file_read(g->spec, b, err));
    TRY(risk_prepare_parse(a, g->spec, buf_text(b), b->n, &spec, err));
    const char *one = beside(a, g->spec, spec.assets), *two = beside(a, g->spec, spec.events);
    if (one == NULL || two == NULL) return err_fail(err, ERR_NOMEM, "paths");
    TRY(table_load(a, one, 0, RISK_MAX_ROWS, &assets, err));
    TRY(table_load(a, two, 0, RISK_MAX_ROWS, &events, err));
    TRY(risk_prepare(a, &spec, assets, events, &done, err));
    buf_clear(b);
    TRY(risk_prepared_csv(&spec, assets, &done, b, err));
    TRY(cli_write(g->out, b, err));
    buf_clear(b);
    if (g->json)
        risk_prepared_json(&spec, &done, b);
    else
        risk_prepared_text(&spec, &done, b);
    if (g->json) buf_char(b, '\n');
    return cli_print(b, err);
}

int cli_risk_prepare(int argc, char **argv) {
    struct prepare_args g = {0};
    const struct opt opts[] = {
        {"spec", OPT_STR, &g.spec, true, "FILE", "YAML: the assets, the events, the years"},
        {"out", OPT_STR, &g.out, true, "FILE", "the table to write, one row an asset and year"},
        {"json", OPT_FLAG, &g.json, false, NULL, "tell what was joined as JSON"}};
    const struct opt_command cmd = {
        "risk prepare",
        NULL,
        0,
        0,
        opts,
        3,
        "Join assets and their dated events into rows at risk: exposure, age, events of the year "
        "and before it.",
        "gezhi risk prepare --spec samples/risk_prepare.yaml --out /tmp/mains.csv"};
    return risk_command(&cmd, argc, argv, prepare, &g);
}

/* ---- fit ---- */

struct fit_args {
    const char *data, *spec, *save;
    int64_t threads;
    bool json;
    struct risk_spec given, none; /* what the options say over what the spec says */
};

/* The options win over the YAML, where they were given. */
static void overlay(const struct fit_args *g, struct risk_spec *s) {
    for (size_t k = 0; k < risk_n_fields; k++) {
        const char *from = (const char *)&g->given + risk_fields[k].at;
        const char *zero = (const char *)&g->none + risk_fields[k].at;
        char *to = (char *)s + risk_fields[k].at;
        size_t n = risk_fields[k].kind == RISK_TEXT  ? sizeof(const char *)
                   : risk_fields[k].kind == RISK_INT ? sizeof(int64_t)
                                                     : sizeof(double);
        if (memcmp(from, zero, n) != 0) memcpy(to, from, n);
    }
}

static enum err_code fit_with(struct arena *a, const struct fit_args *g, struct buf *b,
                              struct pool *pool, struct err *err) {
    struct risk_spec spec;
    struct risk_result result;
    const struct table *t = NULL;
    const char *data = g->data, *named = NULL;
    risk_spec_init(&spec);
    if (g->spec != NULL) {
        TRY(file_read(g->spec, b, err));
        TRY(risk_spec_parse(a, g->spec, buf_text(b), b->n, &spec, &named, err));
        if (data == NULL && named != NULL) data = beside(a, g->spec, named);
    }
    overlay(g, &spec);
    if (data == NULL)
        return err_fail(err, ERR_INVALID,
                        "there are no data: give --data, or \"data\" in the spec");
    TRY(table_load(a, data, 0, RISK_MAX_ROWS, &t, err));
    struct num_run run = {.parallel = pool_run,
                          .pool = pool,
                          .n_threads = pool_threads(pool),
                          .max_bytes = RISK_MOST_MEMORY};
    TRY(risk_study(a, t, &spec, &run, &result, err));
    buf_clear(b);
    if (g->save != NULL) {
        risk_model_write(&result, b);
        TRY(cli_write(g->save, b, err));
        buf_clear(b);
    }
    if (g->json) {
        risk_report_json(&result, b);
        buf_char(b, '\n');
    } else {
        risk_report_text(&result, b);
    }
    return cli_print(b, err);
}

static enum err_code fit(struct arena *a, void *args, struct buf *b, struct err *err) {
    const struct fit_args *g = args;
    struct pool *pool = NULL;
    if (g->threads < 0 || g->threads > 64)
        return err_fail(err, ERR_INVALID, "--threads: expected 0 to 64");
    TRY(pool_new((size_t)g->threads, &pool, err));
    enum err_code rc = fit_with(a, g, b, pool, err);
    pool_free(pool);
    return rc;
}

int cli_risk_fit(int argc, char **argv) {
    struct fit_args g = {0};
    struct opt opts[MAX_FIELDS + 8] = {
        {"data", OPT_STR, &g.data, false, "FILE", "CSV with a row an asset and year"},
        {"spec", OPT_STR, &g.spec, false, "FILE", "YAML with the fields below, as train_to"},
        {"save", OPT_STR, &g.save, false, "FILE", "write the model, for predict and evaluate"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"},
        {"threads", OPT_INT, &g.threads, false, "N", "how many (all cores)"}};
    size_t n = 5;
    risk_spec_init(&g.given);
    risk_spec_init(&g.none);
    for (size_t k = 0; k < risk_n_fields && n < sizeof opts / sizeof opts[0]; k++) {
        const struct risk_field *f = &risk_fields[k];
        enum opt_kind kind = f->kind == RISK_TEXT  ? OPT_STR
                             : f->kind == RISK_INT ? OPT_INT
                                                   : OPT_DOUBLE;
        opts[n++] =
            (struct opt){f->option, kind, (char *)&g.given + f->at, false, f->value, f->help};
    }
    const struct opt_command cmd = {
        "risk fit",
        NULL,
        0,
        0,
        opts,
        n,
        "Fit a failure model; evaluate it on held-out years beside the baselines \"age only\" and "
        "\"last year's count\".",
        "gezhi risk fit --data samples/risk_mains.csv --spec samples/risk_poisson.yaml"};
    return risk_command(&cmd, argc, argv, fit, &g);
}

/* ---- predict, evaluate ---- */

static enum err_code load_model(struct arena *a, const char *path, struct buf *file,
                                struct risk_result *out, struct err *err) {
    TRY(file_read(path, file, err));
    TRY(risk_model_parse(a, path, buf_text(file), file->n, out, err));
    buf_clear(file);
    return ERR_OK;
}

struct predict_args {
    const char *model, *data, *out;
    int64_t top;
    bool json;
};

static enum err_code predict(struct arena *a, void *args, struct buf *file, struct err *err) {
    const struct predict_args *g = args;
    struct risk_result saved;
    const struct table *t = NULL;
    size_t n_missing = 0, n_unseen = 0;
    if (g->top < 0) return err_fail(err, ERR_INVALID, "--top: expected 0 or more");
    TRY(load_model(a, g->model, file, &saved, err));
    TRY(table_load(a, g->data, 0, RISK_MAX_ROWS, &t, err));
    TRY(risk_predict_csv(a, &saved, t, (size_t)g->top, file, &n_missing, &n_unseen, err));
    if (n_missing > 0)
        (void)fprintf(stderr, "note missing_rows: %zu rows have no score\n", n_missing);
    if (n_unseen > 0)
        (void)fprintf(
            stderr,
            "note unseen_levels: %zu cells hold a level the model was not fitted to; they "
            "count as the first level\n",
            n_unseen);
    return cli_write(g->out, file, err);
}

static enum err_code evaluate(struct arena *a, void *args, struct buf *file, struct err *err) {
    const struct predict_args *g = args;
    struct risk_result saved;
    struct risk_evaluation e;
    const struct table *t = NULL;
    struct jw w;
    TRY(load_model(a, g->model, file, &saved, err));
    TRY(table_load(a, g->data, 0, RISK_MAX_ROWS, &t, err));
    TRY(risk_study_again(a, t, &saved, &e, err));
    if (g->json) {
        jw_init(&w, file);
        risk_evaluation_json(&e, &w);
        buf_char(file, '\n');
    } else {
        risk_evaluation_text(&e, file);
    }
    return cli_print(file, err);
}

int cli_risk_predict(int argc, char **argv) {
    struct predict_args g = {0};
    const struct opt opts[] = {
        {"model", OPT_STR, &g.model, true, "FILE", "a model saved by risk fit"},
        {"data", OPT_STR, &g.data, true, "FILE", "CSV with the columns the model needs"},
        {"out", OPT_STR, &g.out, false, "FILE", "where to write (standard output)"},
        {"top", OPT_INT, &g.top, false, "N", "only the N highest"}};
    const struct opt_command cmd = {
        "risk predict",
        NULL,
        0,
        0,
        opts,
        4,
        "Score rows by a saved model: CSV id, expected, chance, rank, the highest first.",
        "gezhi risk predict --model samples/risk_model.json --data samples/risk_mains.csv --top "
        "10"};
    return risk_command(&cmd, argc, argv, predict, &g);
}

int cli_risk_evaluate(int argc, char **argv) {
    struct predict_args g = {0};
    const struct opt opts[] = {
        {"model", OPT_STR, &g.model, true, "FILE", "a model saved by risk fit"},
        {"data", OPT_STR, &g.data, true, "FILE", "CSV of later years, with what happened"},
        {"json", OPT_FLAG, &g.json, false, NULL, "JSON instead of the report"}};
    const struct opt_command cmd = {
        "risk evaluate",
        NULL,
        0,
        0,
        opts,
        3,
        "Judge a saved model by years it was not fitted to, beside the baselines.",
        "gezhi risk evaluate --model samples/risk_model.json --data samples/risk_mains.csv"};
    return risk_command(&cmd, argc, argv, evaluate, &g);
}
