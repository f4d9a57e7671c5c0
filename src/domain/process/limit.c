#include "domain/process/limit.h"

#include <string.h>

#include "domain/process/clock.h"

const struct time_limit *limit_of(const struct case_class *cls, const struct state_def *state) {
    if (!state->clock) return NULL;
    for (size_t i = 0; cls != NULL && i < cls->n_limits; i++) {
        if (strcmp(cls->limits[i].state, state->name) == 0) return &cls->limits[i];
    }
    return state->limit.n_milli > 0 ? &state->limit : NULL;
}

void limit_start(const struct engine *e, struct case_row *r, const struct case_class *cls,
                 const struct state_def *state, int64_t at_us) {
    const struct time_limit *l = limit_of(cls, state);
    case_set(e, r, CASE_state_since, cell_int(at_us));
    case_set(e, r, CASE_overdue, cell_int(0));
    clock_fresh(e, r);
    if (l == NULL) {
        case_set(e, r, CASE_due_at, cell_null());
        case_set(e, r, CASE_yellow_at, cell_null());
        case_set(e, r, CASE_unconfirmed_due, cell_int(0));
        return;
    }
    bool unconfirmed = false;
    int64_t due = work_deadline(e->calendar, at_us, l->n_milli, l->unit, &unconfirmed);
    /* Yellow from 80 % of the limit on: practice named in the domain facts, 1.4. */
    int64_t yellow = work_deadline(e->calendar, at_us, (l->n_milli * 4 + 4) / 5, l->unit, NULL);
    case_set(e, r, CASE_due_at, cell_int(due));
    case_set(e, r, CASE_yellow_at, cell_int(yellow));
    case_set(e, r, CASE_unconfirmed_due, cell_int(unconfirmed ? 1 : 0));
}
