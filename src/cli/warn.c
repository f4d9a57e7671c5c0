/* gezhi warn: the rules of the packs over a city's cases, for one day or day by day as if live. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "domain/grid/folder.h"
#include "domain/grid/grid.h"
#include "domain/measure/definitions.h"
#include "domain/measure/warn_merge.h"
#include "domain/warning/run.h"

enum { WARN_ARENA = 1 << 30, MOST_CASES = 1000, WEEK = 7 };

struct warn_args {
    const char *data, *day, *from, *to, *rule;
    int64_t seed, as_of; /* journal row; 0: as stored now */
    bool json;
};
struct warning_run {
    const struct warn_args *args;
    struct folder f;
    struct arena *a;
    const struct grid *grid;
    const struct definitions *definitions;
    const struct warn_set *set;
    const struct warn_rule *only;
    const struct warn_emergency *emergency;
    size_t n_emergencies;
    const struct atoms *atoms;
    struct cube *cube; /* NULL: no rule asks for figures */
    struct warn_rows rows;
    struct warn_board board;
    struct pool *pool;
    struct num_run run;
    int32_t from, to;
};

static enum err_code day_of(const char *text, const char *what, int32_t *out, struct err *err) {
    int64_t day = 0;
    if (!civil_date_parse(text, &day))
        return err_fail(err, ERR_INVALID, "--%s is no date such as 2026-08-05: \"%.40s\"", what,
                        text);
    *out = (int32_t)day;
    return ERR_OK;
}

static enum err_code prepare_figures(struct warning_run *r, struct err *err) {
    bool any = false;
    for (size_t i = 0; i < r->set->n_rules; i++)
        any |= warn_by_figures(r->set->rule[i].method) &&
               (r->only == NULL || r->only == &r->set->rule[i]);
    if (!any) return ERR_OK;
    TRY(atoms_new(r->a, r->f.packs, r->grid->tz, &r->atoms, err));
    return r->args->as_of > 0 ? measure_as_of(r->f.look, 1, r->atoms, r->args->as_of, &r->cube, err)
                              : measure_recompute(r->f.look, 1, r->atoms, &r->cube, err);
}

static enum err_code prepare(struct warning_run *r, struct err *err) {
    TRY(folder_look(r->args->data, &r->f, err));
    TRY(grid_build(r->f.look, 1, r->f.packs, NULL, &r->grid, err));
    TRY(definitions_build(r->f.look, 1, r->f.packs, &r->definitions, err));
    r->set = r->definitions->warnings;
    if (r->args->rule != NULL) {
        r->only = warn_find(r->set, r->args->rule);
        if (r->only == NULL)
            return err_fail(err, ERR_INVALID, "the packs have no rule \"%.40s\"; the first is %s",
                            r->args->rule, r->set->n_rules == 0 ? "none" : r->set->rule[0].name);
    }
    TRY(warn_emergencies(r->f.look, r->f.packs, r->a, &r->emergency, &r->n_emergencies, err));
    TRY(prepare_figures(r, err));
    warn_rows_init(&r->rows, r->a, r->f.packs, r->grid->tz);
    TRY(warn_rows_load_for(&r->rows, r->f.look, 1, r->set, r->from, r->to, err));
    warn_board_init(&r->board, r->a, &r->rows, r->set->merge_days);
    TRY(pool_new(0, &r->pool, err));
    r->run =
        (struct num_run){.parallel = pool_run, .pool = r->pool, .n_threads = pool_threads(r->pool)};
    return ERR_OK;
}

static void print_figure(const struct warn_signal *s, const char *from) {
    (void)printf("    %s: %g since %s, raised at %g%s%s, %s\n", s->rule->name, s->observed, from,
                 s->expected, s->band == NULL ? "" : ", ", s->band == NULL ? "" : s->band,
                 s->place[0]);
}

static void print_signal(const struct warning_run *r, const struct warn_signal *s) {
    char from[16];
    civil_date_format(s->from, from);
    if (warn_by_figures(s->rule->method)) {
        print_figure(s, from);
        return;
    }
    (void)printf("    %s: %.0f cases since %s, %.1f expected", s->rule->name, s->observed, from,
                 s->expected);
    if (s->cls != WARN_ANY_CLASS) (void)printf(", %s", r->rows.packs->classes[s->cls].title.en);
    if (s->n_places > 0) (void)printf(", %s%s", s->place[0], s->n_places > 1 ? " ..." : "");
    if (s->radius_m > 0) (void)printf(", %.0f m around %.4f,%.4f", s->radius_m, s->lat, s->lon);
    if (s->recurrence == s->recurrence)
        (void)printf(", by chance once in %.0f days", s->recurrence);
    size_t held = 0;
    for (int k = 1; k < WARN_N_HELD; k++) held += s->held[k];
    if (held > 0) (void)printf("; %zu more were held back", held);
    (void)printf("\n");
}

static void print_warning(const struct warning_run *r, const struct warning *x) {
    char raised[16], last[16];
    civil_date_format(x->raised, raised);
    civil_date_format(x->last, last);
    (void)printf("%zu %s, raised %s, last %s, %zu signals\n", x->number, warn_color_name(x->color),
                 raised, last, x->n);
    for (size_t i = 0; i < x->n; i++)
        if (x->signal[i]->day == x->raised) print_signal(r, x->signal[i]);
}

static enum err_code day_figures(const struct warning_run *r, int32_t day, struct warn_figures *out,
                                 struct err *err) {
    const struct warn_source src = {.db = r->f.look,
                                    .ledger = 1,
                                    .as_of_seq = r->args->as_of,
                                    .atoms = r->atoms,
                                    .cube = r->cube,
                                    .grid = r->grid,
                                    .indices = r->definitions->indices,
                                    .packs = r->f.packs,
                                    .tz = r->grid->tz};
    *out = (struct warn_figures){0};
    return r->cube == NULL ? ERR_OK : warn_figures_form(&src, r->set, r->only, day, r->a, out, err);
}

static enum err_code walk(struct warning_run *r, size_t held[WARN_N_HELD], size_t *raised,
                          struct err *err) {
    for (int32_t day = r->from; day <= r->to; day++) {
        struct warn_day d;
        struct warn_figures figures;
        TRY(day_figures(r, day, &figures, err));
        struct warn_ask ask = {.rows = &r->rows,
                               .figures = &figures,
                               .emergency = r->emergency,
                               .n_emergencies = r->n_emergencies,
                               .set = r->set,
                               .only = r->only,
                               .day = day,
                               .seed = (uint64_t)r->args->seed,
                               .run = &r->run};
        size_t n_new = 0;
        TRY(warn_day_form(&ask, r->a, &d, err));
        TRY(warn_board_add(&r->board, &d, &n_new, err));
        for (int k = 0; k < WARN_N_HELD; k++) held[k] += d.held[k];
        raised[(day - r->from) / WEEK] += n_new;
    }
    return ERR_OK;
}

static enum err_code print_json(const struct warning_run *r, const size_t held[WARN_N_HELD],
                                const size_t *raised, size_t n_weeks, struct err *err) {
    char from[16], to[16];
    struct buf b;
    struct jw w;
    buf_init(&b, (size_t)512 << 20);
    jw_init(&w, &b);
    civil_date_format(r->from, from);
    civil_date_format(r->to, to);
    jw_obj(&w);
    jw_kstr(&w, "from", from);
    jw_kstr(&w, "to", to);
    jw_kint(&w, "kept", (int64_t)held[WARN_KEPT]);
    warn_held_json(&w, held);
    jw_key(&w, "raised_a_week");
    jw_arr(&w);
    for (size_t i = 0; i < n_weeks; i++) jw_int(&w, (int64_t)raised[i]);
    jw_end(&w, ']');
    jw_key(&w, "warnings");
    jw_arr(&w);
    for (size_t i = 0; i < r->board.n; i++)
        if (r->board.warning[i]->into == NULL)
            warn_warning_json(&w, &r->rows, r->board.warning[i], false, MOST_CASES);
    jw_end(&w, ']');
    jw_end(&w, '}');
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) (void)puts(buf_text(&b));
    buf_deinit(&b);
    return rc;
}

static enum err_code form_and_print(struct warning_run *r, struct err *err) {
    size_t held[WARN_N_HELD] = {0}, n_weeks = (size_t)(r->to - r->from) / WEEK + 1, n = 0;
    size_t *raised = ARENA_NEW(r->a, size_t, n_weeks);
    if (raised == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(walk(r, held, raised, err));
    if (r->args->json) return print_json(r, held, raised, n_weeks, err);
    for (size_t i = 0; i < r->board.n; i++) {
        if (r->board.warning[i]->into != NULL) continue;
        print_warning(r, r->board.warning[i]);
        n++;
    }
    (void)printf("%zu warnings in %d days; rows held back:", n, r->to - r->from + 1);
    for (int k = 1; k < WARN_N_HELD; k++)
        (void)printf(" %s %zu", warn_held_name((enum warn_held)k), held[k]);
    (void)printf("\n");
    return ERR_OK;
}

static int run(const struct opt_command *cmd, const struct warn_args *a) {
    struct warning_run r = {.args = a};
    struct err err = {0};
    const char *from = a->day != NULL ? a->day : a->from, *to = a->day != NULL ? a->day : a->to;
    enum err_code rc = day_of(from, a->day != NULL ? "day" : "from", &r.from, &err);
    if (rc == ERR_OK) rc = day_of(to, a->day != NULL ? "day" : "to", &r.to, &err);
    if (rc == ERR_OK && (r.to < r.from || r.to - r.from > 3660))
        rc = err_fail(&err, ERR_INVALID, "--to lies before --from, or more than ten years later");
    if (rc != ERR_OK) return cli_usage(cmd, &err);
    r.a = arena_new(WARN_ARENA);
    rc = r.a == NULL ? err_fail(&err, ERR_NOMEM, "warnings") : prepare(&r, &err);
    if (rc == ERR_OK) rc = form_and_print(&r, &err);
    pool_free(r.pool);
    warn_rows_free(&r.rows);
    cube_free(r.cube);
    definitions_unref(r.definitions);
    grid_unref(r.grid);
    if (r.f.arena != NULL) folder_close(&r.f);
    arena_free(r.a);
    return rc == ERR_OK ? 0 : cli_fail(cmd->name, &err);
}

int cli_warn_run(int argc, char **argv) {
    struct warn_args a = {.seed = 1};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder; a server may hold it"},
        {"day", OPT_STR, &a.day, true, "DATE", "the last day that is looked at"},
        {"rule", OPT_STR, &a.rule, false, "NAME", "one rule of the packs alone"},
        {"seed", OPT_INT, &a.seed, false, "N", "of the replicas of scans (1)"},
        {"as-of", OPT_INT, &a.as_of, false, "SEQ", "figures as after that journal row"},
        {"json", OPT_FLAG, &a.json, false, NULL, "for a program"}};
    const struct opt_command cmd = {.name = "warn run",
                                    .opts = opts,
                                    .n_opts = 6,
                                    .summary = "What the rules of the packs find on a day.",
                                    .example = "gezhi warn run --data build/demo --day 2026-07-09"};
    int done = cli_parse(&cmd, argc, argv);
    return done != CLI_GO_ON ? done : run(&cmd, &a);
}

int cli_warn_replay(int argc, char **argv) {
    struct warn_args a = {.seed = 1};
    const struct opt opts[] = {
        {"data", OPT_STR, &a.data, true, "DIR", "the city's folder; a server may hold it"},
        {"from", OPT_STR, &a.from, true, "DATE", "first day"},
        {"to", OPT_STR, &a.to, true, "DATE", "last day"},
        {"rule", OPT_STR, &a.rule, false, "NAME", "one rule of the packs alone"},
        {"seed", OPT_INT, &a.seed, false, "N", "of the replicas of scans (1)"},
        {"json", OPT_FLAG, &a.json, false, NULL, "for a program"}};
    const struct opt_command cmd = {
        .name = "warn replay",
        .opts = opts,
        .n_opts = 6,
        .summary = "Walk day by day as if live, each day with the cases reported until then, and "
                   "tell what would have been raised.",
        .example = "gezhi warn replay --data build/demo --from 2026-07-01 --to 2026-07-31"};
    int done = cli_parse(&cmd, argc, argv);
    return done != CLI_GO_ON ? done : run(&cmd, &a);
}
