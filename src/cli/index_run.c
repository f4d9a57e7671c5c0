/* gezhi index run: an index of a city for a period, from what its folder holds now or held then. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "domain/measure/backtest_json.h"
#include "domain/measure/definitions.h"
#include "domain/measure/index_json.h"
#include "store/statements.h"

static const int64_t day_us = 86400000000;
enum { RUN_ARENA = 1 << 30 };

struct run_args {
    const char *data, *index, *period, *level;
    int64_t as_of, draws, seed;
    bool json;
};
struct running {
    const struct run_args *args;
    struct folder f;
    const struct grid *grid;
    struct arena *a;
    const struct atoms *atoms;
    const struct definitions *definitions;
    const struct index_def *def;
    struct cube *cube;
    int64_t seq, at_us; /* of the last journal row that counts */
    struct period period;
    int level;
};

/* The highest level of the index that has more than one area, unless one is named. */
static enum err_code choose_level(struct running *r, struct err *err) {
    if (r->args->level != NULL) {
        r->level = area_level_parse(r->args->level);
        if (r->level >= 0 && (r->def->levels & (1u << (unsigned)r->level)) != 0) return ERR_OK;
        return err_fail(err, ERR_INVALID, "index %s is not formed for the level \"%.40s\"",
                        r->def->name, r->args->level);
    }
    for (r->level = LEVEL_CITY; r->level < LEVEL_COMMUNITY; r->level++) {
        size_t n = 0;
        for (size_t i = 0; i < r->grid->n_areas; i++) n += r->grid->areas[i].level == r->level;
        if (n > 1 && (r->def->levels & (1u << (unsigned)r->level)) != 0) break;
    }
    return ERR_OK;
}

static enum err_code last_row(struct running *r, struct err *err) {
    struct cell p[3] = {cell_int(1), cell_int(r->args->as_of - 1), cell_int(1)};
    bool past = r->args->as_of > 0, has = false;
    struct cursor *c = NULL;
    TRY(db_query(r->f.look, stmt_sql(past ? STMT_JOURNAL_AFTER : STMT_JOURNAL_LAST), p,
                 past ? 3 : 1, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && has) {
        r->seq = cursor_int(c, 0);
        r->at_us = cursor_int(c, 1);
    }
    cursor_close(c);
    if (rc == ERR_OK && (!has || (past && r->seq != r->args->as_of)))
        rc = err_fail(err, ERR_INVALID, "the journal has no row %lld", (long long)r->args->as_of);
    return rc;
}

static enum err_code prepare(struct running *r, struct err *err) {
    TRY(folder_look(r->args->data, &r->f, err));
    TRY(grid_build(r->f.look, 1, r->f.packs, NULL, &r->grid, err));
    TRY(atoms_new(r->a, r->f.packs, r->grid->tz, &r->atoms, err));
    TRY(last_row(r, err));
    TRY(definitions_build_as_of(r->f.look, 1, r->f.packs, r->args->as_of, &r->definitions, err));
    const struct index_set *s = r->definitions->indices;
    TRY(period_parse(r->args->period, &r->period, err));
    r->def = index_find_at(s, r->args->index, r->period.from);
    if (r->def == NULL)
        return err_fail(err, ERR_INVALID, "the packs have no index \"%.40s\"; the first is %s",
                        r->args->index, s->n == 0 ? "none" : s->index[0].name);
    if ((r->def->periods & (1u << (unsigned)r->period.kind)) == 0)
        return err_fail(err, ERR_INVALID, "index %s is not formed for such a period", r->def->name);
    TRY(choose_level(r, err));
    return r->args->as_of > 0 ? measure_as_of(r->f.look, 1, r->atoms, r->seq, &r->cube, err)
                              : measure_recompute(r->f.look, 1, r->atoms, &r->cube, err);
}

static int32_t local_day(const struct tz *tz, int64_t at_us) {
    int64_t local = tz_to_local(tz, at_us);
    return (int32_t)((local - (((local % day_us) + day_us) % day_us)) / day_us);
}

static void print_text(const struct index_view *v) {
    size_t top = v->def->n_nodes - 1;
    (void)printf("%s, %zu areas\n", v->def->title.en, v->n);
    for (size_t k = 0; k < v->n; k++) {
        size_t j = v->order[k];
        double value = v->value[top * v->n + j];
        const struct grid_area *a = v->areas->area[j];
        if (isnan(value)) {
            (void)printf("   -  %s %s: no value\n", a->code, a->name);
            continue;
        }
        int band = index_band_of(v->def, value, -1);
        (void)printf("%4u  %s %s: %.1f %s", v->rank[j], a->code, a->name, value,
                     band < 0 ? "" : v->def->band[band].name);
        if (v->interval != NULL)
            (void)printf(", rank %u to %u under %zu choices", v->interval[j].low,
                         v->interval[j].high, v->n_draws);
        (void)printf("%s\n", v->too_small[j] != 0 ? ", too small for this period" : "");
    }
}

static enum err_code form_and_print(struct running *r, struct err *err) {
    struct index_view v;
    struct value_query q = {.atoms = r->atoms,
                            .cube = r->cube,
                            .db = r->f.look,
                            .ledger = 1,
                            .as_of_seq = r->args->as_of,
                            .period = r->period};
    struct clock now = clock_system();
    q.today = local_day(r->grid->tz, r->args->as_of > 0 ? r->at_us : clock_now_us(&now));
    TRY(area_view_new(r->a, r->grid, r->level, r->cube, &q.areas, err));
    struct index_ask ask = {
        .def = r->def, .n_draws = (size_t)r->args->draws, .seed = (uint64_t)r->args->seed};
    TRY(index_form(&q, &ask, r->a, &v, err));
    if (!r->args->json) {
        print_text(&v);
        return ERR_OK;
    }
    struct buf b;
    struct jw w;
    struct index_told told = {r->seq, q.today, "provisional", NULL};
    buf_init(&b, (size_t)256 << 20);
    jw_init(&w, &b);
    index_view_json(&w, &v, &told);
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) (void)puts(buf_text(&b));
    buf_deinit(&b);
    return rc;
}

int cli_index_run(int argc, char **argv) {
    struct run_args a = {.draws = 1000, .seed = 1};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder; a server may hold it"},
        {"index", OPT_STR, &a.index, true, "NAME", "as the packs name it, such as safety"},
        {"period", OPT_STR, &a.period, true, "P",
         "a day 2026-08-05, ten days 2026-08-T1, a month 2026-08 or a year 2026"},
        {"level", OPT_STR, &a.level, false, "LEVEL", "city, county, town or community"},
        {"as-of", OPT_INT, &a.as_of, false, "SEQ", "as it was known after that journal row"},
        {"draws", OPT_INT, &a.draws, false, "N", "draws for rank intervals, 0 for none (1000)"},
        {"seed", OPT_INT, &a.seed, false, "N", "of the draws (1)"},
        {"json", OPT_FLAG, &a.json, false, NULL, "for a program"}};
    const struct opt_command cmd = {
        .name = "index run",
        .opts = opts,
        .n_opts = 8,
        .summary = "Form an index of a city for a period, with ranks under doubt.",
        .example = "gezhi index run --data build/demo --index safety --period 2026-10"};
    struct err err = {0};
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    if (a.draws < 0 || a.draws > 100000 || a.as_of < 0) {
        (void)err_fail(&err, ERR_INVALID, "--draws takes 0 to 100000, --as-of a journal row");
        return cli_usage(&cmd, &err);
    }
    struct running r = {.args = &a, .a = arena_new(RUN_ARENA)};
    enum err_code rc = r.a == NULL ? err_fail(&err, ERR_NOMEM, "index") : prepare(&r, &err);
    if (rc == ERR_OK) rc = form_and_print(&r, &err);
    cube_free(r.cube);
    definitions_unref(r.definitions);
    grid_unref(r.grid);
    if (r.f.arena != NULL) folder_close(&r.f);
    arena_free(r.a);
    return rc == ERR_OK ? 0 : cli_fail("index run", &err);
}

/* ---- back-test */

static void print_backtest(const struct backtest *b) {
    (void)printf(
        "%s: %s, %zu areas, %zu months, fitted on %zu; judged on %zu rows with %zu events\n",
        b->def->title.en, b->def->outcome->title.en, b->n_areas, b->n_months, b->n_fit_months,
        b->n_rows, b->n_events);
    for (size_t i = 0; i < b->n; i++) {
        const struct backtest_row *x = &b->row[i];
        const char *name = x->node != NULL                  ? x->node->name
                           : x->kind == BACKTEST_LAST_COUNT ? "(last month's count)"
                                                            : "(population only)";
        if (!x->judged)
            (void)printf("  %-28s not judged: %s\n", name, x->why == NULL ? "" : x->why);
        else if (x->kind != BACKTEST_INDICATOR)
            (void)printf("  %-28s AUC %.3f\n", name, x->auc);
        else
            (void)printf("  %-28s AUC %.3f, best baseline %.3f, p %.3f%s\n", name, x->auc,
                         x->baseline_auc, x->p, x->better ? ", better" : "");
    }
    (void)printf("%s\n", b->verdict == BACKTEST_TOO_LITTLE ? "too little to judge by"
                         : b->verdict == BACKTEST_NONE_BETTER
                             ? "no indicator foresaw more than the baselines"
                             : "some indicators foresaw more than the baselines");
}

static enum err_code backtest_and_print(struct running *r, struct err *err) {
    struct clock now = clock_system();
    struct backtest b;
    struct value_query q = {
        .atoms = r->atoms, .cube = r->cube, .db = r->f.look, .ledger = 1, .period = r->period};
    q.today = local_day(r->grid->tz, clock_now_us(&now));
    TRY(area_view_new(r->a, r->grid, r->level, r->cube, &q.areas, err));
    TRY(backtest_run(&q, r->def, r->a, &b, err));
    if (!r->args->json) {
        print_backtest(&b);
        return ERR_OK;
    }
    struct buf out;
    struct jw w;
    buf_init(&out, (size_t)16 << 20);
    jw_init(&w, &out);
    backtest_json(&w, &b);
    enum err_code rc = buf_check(&out, err);
    if (rc == ERR_OK) (void)puts(buf_text(&out));
    buf_deinit(&out);
    return rc;
}

/* The last month whose next one is over. */
static void last_judged(char out[PERIOD_TEXT]) {
    struct clock now = clock_system();
    struct period p = period_of(PERIOD_MONTH, (int32_t)(clock_now_us(&now) / day_us));
    p = period_step(&p, -2);
    period_format(&p, out);
}

int cli_index_backtest(int argc, char **argv) {
    char last[PERIOD_TEXT];
    struct run_args a = {.period = last};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder; a server may hold it"},
        {"index", OPT_STR, &a.index, true, "NAME", "an index that names an outcome"},
        {"level", OPT_STR, &a.level, false, "LEVEL", "city, county, town or community"},
        {"month", OPT_STR, &a.period, false, "P", "the last month to foresee from"},
        {"json", OPT_FLAG, &a.json, false, NULL, "for a program"}};
    const struct opt_command cmd = {
        .name = "index backtest",
        .opts = opts,
        .n_opts = 5,
        .summary = "Which indicators of a month foresaw serious cases of the next, by area.",
        .example = "gezhi index backtest --data build/demo --index safety --json"};
    struct err err = {0};
    last_judged(last);
    int done = cli_parse(&cmd, argc, argv);
    if (done != CLI_GO_ON) return done;
    struct running r = {.args = &a, .a = arena_new(RUN_ARENA)};
    enum err_code rc = r.a == NULL ? err_fail(&err, ERR_NOMEM, "index") : prepare(&r, &err);
    if (rc == ERR_OK && r.period.kind != PERIOD_MONTH)
        rc = err_fail(&err, ERR_INVALID, "--month takes a month such as 2026-08");
    if (rc == ERR_OK) rc = backtest_and_print(&r, &err);
    cube_free(r.cube);
    definitions_unref(r.definitions);
    grid_unref(r.grid);
    if (r.f.arena != NULL) folder_close(&r.f);
    arena_free(r.a);
    return rc == ERR_OK ? 0 : cli_fail("index backtest", &err);
}
