/* The last complete months of the broadest index, frozen as a server does by itself and signed off
 * by the demo's leader, so that the public page has something to show at the first look. */
#include "domain/measure/definitions.h"
#include "domain/measure/index_due.h"
#include "domain/measure/index_freeze.h"
#include "domain/warning/run.h"
#include "sim/demo_inside.h"

enum { VIEW_ARENA = 1 << 28, DRAWS = 1000, SEED = 1 };
static const char leader[] = "leader1";

struct signing {
    struct demo *d;
    const struct grid *grid;
    const struct index_set *all;
    const struct index_def *def;
    const struct atoms *atoms;
    struct cube *cube;
    struct db *db;
    int64_t seq;
    int32_t today;
};

static enum err_code freeze_and_sign(struct signing *s, struct freeze *f, struct err *err) {
    char period[PERIOD_TEXT], hash[65];
    unsigned char of_view[32];
    struct publish p = {f->view->def->name, period, leader, f->view->areas->level, hash};
    struct command freeze = {
        .name = "index.freeze", .actor = "system", .apply = freeze_apply, .arg = f};
    struct command sign = {
        .name = "index.publish", .actor = leader, .apply = publish_apply, .arg = &p};
    period_format(&f->view->period, period);
    index_view_hash(f->view, of_view);
    index_hash_text(of_view, hash);
    TRY(ledger_run(s->d->folder->ledger, &freeze, NULL, NULL, err));
    return ledger_run(s->d->folder->ledger, &sign, NULL, NULL, err);
}

static enum err_code sign_level(struct signing *s, const struct period *month, int level,
                                struct err *err) {
    const struct index_def *def = index_find_at(s->all, s->def->name, month->from);
    struct arena *a = arena_new(VIEW_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "demo");
    struct value_query q = {.atoms = s->atoms,
                            .cube = s->cube,
                            .db = s->db,
                            .ledger = 1,
                            .period = *month,
                            .today = s->today};
    struct index_ask ask = {.def = def, .n_draws = DRAWS, .seed = SEED};
    struct index_view view;
    struct freeze freeze = {.view = &view, .data_seq = s->seq, .today = s->today, .seed = SEED};
    enum err_code rc = area_view_new(a, s->grid, level, s->cube, &q.areas, err);
    bool there = rc == ERR_OK && q.areas->n > 0;
    if (there) rc = index_form(&q, &ask, a, &view, err);
    if (there && rc == ERR_OK) rc = freeze_and_sign(s, &freeze, err);
    arena_free(a);
    return rc;
}

/* The oldest month first: colours follow those of the month before. The last one, which every page
 * opens with, is left to whoever tries out signing. */
static enum err_code sign_months(struct signing *s, struct err *err) {
    static const int levels[] = {LEVEL_CITY, LEVEL_TOWN};
    const struct period now = period_of(PERIOD_MONTH, s->today), last = period_step(&now, -1);
    struct period due[INDEX_DUE_MAX];
    size_t n = index_due_periods(s->d->folder->packs, s->all, s->def->name, s->today, due);
    for (size_t i = n; i-- > 0;)
        for (size_t k = 0; k < 2; k++)
            if (due[i].kind == PERIOD_MONTH && due[i].from < last.from &&
                (s->def->levels & (1u << (unsigned)levels[k])) != 0)
                TRY(sign_level(s, &due[i], levels[k], err));
    return ERR_OK;
}

enum err_code demo_write_signed(struct demo *d, struct err *err) {
    const struct definitions *defs = NULL;
    struct reader *r = NULL;
    struct signing s = {.d = d, .today = warn_local_day(d->folder->tz, d->until_us)};
    TRY(ledger_read_begin(d->folder->ledger, &r, err));
    s.db = reader_db(r);
    s.seq = reader_seq(r);
    s.grid = grid_ref(d->engine->grid);
    enum err_code rc = definitions_build(s.db, 1, d->folder->packs, &defs, err);
    for (size_t i = 0; rc == ERR_OK && i < defs->indices->n; i++)
        if (s.def == NULL || defs->indices->index[i].n_leaves > s.def->n_leaves)
            s.def = &defs->indices->index[i];
    if (rc == ERR_OK) s.all = defs->indices;
    if (s.def != NULL) rc = atoms_new(d->a, d->folder->packs, d->folder->tz, &s.atoms, err);
    if (s.def != NULL && rc == ERR_OK) rc = measure_recompute(s.db, 1, s.atoms, &s.cube, err);
    if (s.def != NULL && rc == ERR_OK) rc = sign_months(&s, err);
    cube_free(s.cube);
    definitions_unref(defs);
    grid_unref(s.grid);
    ledger_read_end(r);
    return rc;
}
