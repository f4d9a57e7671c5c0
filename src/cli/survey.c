/* gezhi import survey */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "domain/measure/survey_import.h"

enum { SURVEY_ARENA = 1 << 30 };

struct survey_args {
    const char *file, *data, *survey, *wave, *errors;
    bool dry_run, json;
};
struct surveying {
    const struct survey_args *args;
    struct folder f;
    const struct grid *grid;
    struct arena *a;
    struct survey_import in;
    struct survey_table table;
    struct survey_result result;
    struct survey_put put;
};

/* ---- what is printed */

static void print_shares(const struct surveying *s) {
    const struct survey_result *r = &s->result;
    for (size_t q = 0; q < r->def->n_questions; q++) {
        (void)fprintf(stderr, "%s (%s), per cent\n", r->def->question[q].title.en,
                      r->def->question[q].name);
        for (size_t k = 0; k < r->n_areas; k++) {
            const struct survey_told *t = &r->told[q * r->n_areas + k];
            if (t->told)
                (void)fprintf(stderr,
                              "  %-14s %5.1f  95 %% %5.1f to %5.1f  %5zu answers as good as "
                              "%.0f%s\n",
                              t->area->code, 100 * t->share.value, 100 * t->share.low,
                              100 * t->share.high, t->share.n, t->share.n_effective,
                              t->enough ? "" : "  too few to say anything");
            else
                (void)fprintf(stderr, "  %-14s     -  too few answers to be told\n", t->area->code);
        }
    }
}

static void print_counts(const struct surveying *s) {
    static const char *const changes[] = {"new", "unchanged", "restated"};
    const struct survey_result *r = &s->result;
    bool formed = r->def != NULL;
    struct buf b;
    struct jw w;
    buf_init(&b, 4096);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kint(&w, "read", s->table.read);
    jw_kint(&w, "rejected", s->table.rejected);
    jw_kint(&w, "drawn", (int64_t)s->table.rows.n);
    jw_kint(&w, "answers", formed ? (int64_t)r->count[SURVEY_COMPLETED] : 0);
    jw_kdouble(&w, "response_rate", formed ? 100 * r->rates.response : NAN);
    jw_kdouble(&w, "design_effect", formed ? r->effect : NAN);
    jw_kint(&w, "trimmed", formed ? (int64_t)r->weights.n_trimmed : 0);
    jw_kint(&w, "joined", formed ? (int64_t)r->weights.n_joined : 0);
    jw_kstr(&w, "wave", formed ? changes[s->put.change - 1] : NULL);
    jw_kint(&w, "shares_changed", (int64_t)s->put.n_changed);
    jw_end(&w, '}');
    (void)printf("%s\n", buf_text(&b));
    buf_deinit(&b);
    if (s->args->json) return;
    if (s->table.rejected > 0)
        (void)fprintf(stderr, "nothing was written: a wave is taken whole or not at all%s\n",
                      s->args->errors == NULL ? "; --errors OUT.csv keeps the rejected rows" : "");
    else if (s->args->dry_run)
        (void)fprintf(stderr, "nothing was written: --dry-run\n");
}

/* ---- the work */

static enum err_code find_survey(struct surveying *s, struct err *err) {
    const struct survey_set *set = NULL;
    TRY(survey_load(s->a, s->f.packs, &set, err));
    s->in.def = survey_find(set, s->args->survey);
    if (s->in.def == NULL)
        return err_fail(err, ERR_INVALID, "the packs of the folder have no survey \"%.60s\"",
                        s->args->survey);
    TRY(period_parse(s->args->wave, &s->in.wave, err));
    return (s->in.def->waves & (1u << (unsigned)s->in.wave.kind)) != 0
               ? ERR_OK
               : err_fail(err, ERR_INVALID, "survey %s has no waves for such a period: %s",
                          s->in.def->name, s->args->wave);
}

static enum err_code open_files(struct surveying *s, struct err *err) {
    const struct survey_args *a = s->args;
    s->in.name = a->file;
    s->in.in = strcmp(a->file, "-") == 0 ? stdin : fopen(a->file, "r");
    if (s->in.in == NULL) return err_fail(err, ERR_IO, "cannot open %s", a->file);
    if (a->errors == NULL) return ERR_OK;
    s->in.rejected = fopen(a->errors, "w");
    return s->in.rejected != NULL ? ERR_OK : err_fail(err, ERR_IO, "cannot open %s", a->errors);
}

static enum err_code close_files(struct surveying *s, enum err_code rc, struct err *err) {
    if (s->in.in != NULL && s->in.in != stdin) (void)fclose(s->in.in);
    if (s->in.rejected != NULL && fclose(s->in.rejected) != 0 && rc == ERR_OK)
        rc = err_fail(err, ERR_IO, "cannot write %s", s->args->errors);
    return rc;
}

static enum err_code form_and_put(struct surveying *s, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(s->f.ledger, &r, err));
    enum err_code rc = survey_form(s->in.def, &s->in.wave, s->grid, reader_db(r), &s->table.rows,
                                   s->a, &s->result, err);
    ledger_read_end(r);
    if (rc != ERR_OK) return rc;
    s->put = (struct survey_put){
        .result = &s->result, .file_hash = s->table.hash, .dry_run = s->args->dry_run};
    struct command c = {
        .name = "survey.import", .actor = "import", .apply = survey_put_apply, .arg = &s->put};
    return ledger_run(s->f.ledger, &c, NULL, NULL, err);
}

static enum err_code run(struct surveying *s, struct err *err) {
    struct reader *r = NULL;
    s->a = arena_new(SURVEY_ARENA);
    if (s->a == NULL) return err_fail(err, ERR_NOMEM, "survey");
    TRY(find_survey(s, err));
    TRY(ledger_read_begin(s->f.ledger, &r, err));
    enum err_code rc = grid_build(reader_db(r), 1, s->f.packs, NULL, &s->grid, err);
    ledger_read_end(r);
    TRY(rc);
    rc = open_files(s, err);
    if (rc == ERR_OK) rc = survey_table_read(&s->in, s->grid, s->a, &s->table, err);
    TRY(close_files(s, rc, err));
    if (s->table.rejected > 0) return ERR_OK;
    TRY(form_and_put(s, err));
    if (!s->args->json) print_shares(s);
    return ERR_OK;
}

int cli_import_survey(int argc, char **argv) {
    struct survey_args a = {0};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder"},
        {"survey", OPT_STR, &a.survey, true, "NAME", "which survey of the packs"},
        {"wave", OPT_STR, &a.wave, true, "PERIOD", "2026-10 or 2026"},
        {"dry-run", OPT_FLAG, &a.dry_run, false, NULL, "weigh and tell, write nothing"},
        {"errors", OPT_STR, &a.errors, false, "OUT.csv", "rejected rows, each with its reason"},
        {"json", OPT_FLAG, &a.json, false, NULL, "print nothing but the counts"}};
    const struct opt_command cmd = {
        .name = "import survey",
        .positional = "FILE.csv",
        .min_args = 1,
        .max_args = 1,
        .opts = opts,
        .n_opts = 6,
        .summary = "Import a wave of a residents' survey: a row a drawn person, "
                   "area,outcome[,sample][,weight], strata and answers. Only weighted shares are "
                   "kept.",
        .example = "gezhi import survey samples/survey.csv --survey safety --wave 2026-10 --data "
                   "build/demo --dry-run"};
    struct err err = {0};
    struct surveying s = {.args = &a};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    a.file = argv[0];
    if (folder_open(a.data, 2, NULL, &s.f, &err) != ERR_OK) return cli_fail("import survey", &err);
    enum err_code rc = run(&s, &err);
    grid_unref(s.grid);
    folder_close(&s.f);
    if (rc == ERR_OK) print_counts(&s);
    arena_free(s.a);
    if (rc != ERR_OK) return cli_fail("import survey", &err);
    return s.table.rejected > 0 ? 1 : 0;
}
