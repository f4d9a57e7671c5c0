#include "domain/process/step.h"

enum err_code step_add(const struct engine *e, struct tx *tx, const struct case_row *r,
                       const struct step *s, struct err *err) {
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
    int64_t id = 0;
    return tx_insert(tx, t, cells, &id, err);
}
