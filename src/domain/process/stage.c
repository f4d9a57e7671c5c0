#include "domain/process/stage.h"

#include <string.h>

/* Reaching a stage gives the time of what it ends (the stage "dispatch" begins when the case was
 * filed) and the deadline of what it begins. */
static const struct stage_row {
    const char *stage;
    enum case_field reached, due; /* CASE_N: none */
} stages[] = {
    {"collect", CASE_N, CASE_accept_due_at},
    {"file", CASE_accepted_at, CASE_file_due_at},
    {"confirm", CASE_N, CASE_confirm_due_at},
    {"dispatch", CASE_filed_at, CASE_dispatch_due_at},
    {"handle", CASE_dispatched_at, CASE_promised_at},
    {"feedback", CASE_handled_at, CASE_verify_due_at},
    {"verify", CASE_verified_at, CASE_N},
};

/* 准确派遣: never moved to a second department. */
static void note_unit(const struct engine *e, struct case_row *r) {
    const char *unit = case_text(e, r, CASE_unit), *first = case_text(e, r, CASE_first_unit);
    if (unit[0] == '\0') return;
    if (first[0] == '\0')
        case_set(e, r, CASE_first_unit, r->cells[e->case_col[CASE_unit]]);
    else if (strcmp(first, unit) != 0)
        case_set(e, r, CASE_misdispatched, cell_int(1));
}

void stage_due(const struct engine *e, struct case_row *r, struct cell due) {
    const char *stage = case_text(e, r, CASE_stage);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strcmp(stage, stages[i].stage) == 0 && stages[i].due != CASE_N)
            case_set(e, r, stages[i].due, due);
}

void stage_enter(const struct engine *e, struct case_row *r, const struct state_def *state,
                 bool back, int64_t at_us) {
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        const struct stage_row *s = &stages[i];
        if (strcmp(state->stage, s->stage) != 0) continue;
        bool before = back && s->reached != CASE_N && case_has(e, r, s->reached);
        if (s->reached != CASE_N && !before) case_set(e, r, s->reached, cell_int(at_us));
        if (s->due != CASE_N) case_set(e, r, s->due, r->cells[e->case_col[CASE_due_at]]);
    }
    if (strcmp(state->stage, "handle") == 0) note_unit(e, r);
    /* A closed case that is rated keeps the time it was closed. */
    if (!state->final)
        case_set(e, r, CASE_closed_at, cell_null());
    else if (!case_has(e, r, CASE_closed_at))
        case_set(e, r, CASE_closed_at, cell_int(at_us));
}
