#include "domain/process/step.h"

enum err_code step_add(const struct engine *e, struct tx *tx, const struct case_row *r,
                       const struct step *s, struct case_history *history, struct err *err) {
    const struct table *t = &e->step_type->table;
    struct cell *cells = ARENA_NEW(tx_arena(tx), struct cell, t->n_cols);
    if (cells == NULL) return err_fail(err, ERR_NOMEM, "step");
    const int *col = e->step_col;
    cells[col[STEP_case_id]] = cell_int(r->id);
    cells[col[STEP_move]] = cell_text(s->move);
    cells[col[STEP_from_state]] = cell_text(s->from);
    cells[col[STEP_to_state]] = cell_text(s->to);
    cells[col[STEP_at]] = cell_int(s->at_us);
    cells[col[STEP_actor]] = cell_text(s->actor);
    cells[col[STEP_role]] = cell_text(s->role);
    cells[col[STEP_unit]] = r->cells[e->case_col[CASE_unit]];
    cells[col[STEP_post]] = r->cells[e->case_col[CASE_post]];
    cells[col[STEP_note]] = cell_text(s->note);
    cells[col[STEP_reason]] = cell_text(s->reason);
    cells[col[STEP_photos]] = cell_text(s->photos);
    cells[col[STEP_elapsed_milli]] = cell_int(s->elapsed_milli);
    cells[col[STEP_due_at]] = r->cells[e->case_col[CASE_due_at]];
    cells[col[STEP_public]] = cell_int(s->is_public ? 1 : 0);
    cells[col[STEP_counts_as]] = cell_text(s->counts_as);
    if (s->until_us != 0 && col[STEP_until] >= 0) cells[col[STEP_until]] = cell_int(s->until_us);
    if (s->days != 0 && col[STEP_days] >= 0) cells[col[STEP_days]] = cell_int(s->days);
    int64_t id = 0;
    if (history == NULL) return tx_insert(tx, t, cells, &id, err);
    if (history->n_steps == HISTORY_MAX_STEPS)
        return err_fail(err, ERR_LIMIT, "a case has more than %d steps", HISTORY_MAX_STEPS);
    history->steps[history->n_steps++] = cells;
    return ERR_OK;
}

enum err_code case_history_write(const struct engine *e, struct tx *tx, struct case_row *r,
                                 struct case_history *h, struct err *err) {
    TRY(tx_insert(tx, &e->case_type->table, r->cells, &r->id, err));
    r->version = 1;
    int64_t id = 0;
    for (size_t i = 0; i < h->n_parties; i++) {
        h->parties[i][e->party_col[PARTY_case_id]] = cell_int(r->id);
        id = 0;
        TRY(tx_insert(tx, &e->party_type->table, h->parties[i], &id, err));
    }
    for (size_t i = 0; i < h->n_steps; i++) {
        h->steps[i][e->step_col[STEP_case_id]] = cell_int(r->id);
        id = 0;
        TRY(tx_insert(tx, &e->step_type->table, h->steps[i], &id, err));
    }
    return ERR_OK;
}
