#include "domain/process/confirm.h"

#include <string.h>

#include "domain/process/clock.h"
#include "domain/process/stage.h"

bool confirm_state(const struct state_def *s) { return strcmp(s->stage, "confirm") == 0; }

const char *confirm_worker(const struct engine *e, const struct grid *g, const struct case_row *r,
                           int64_t now_us) {
    int cell = grid_cell_index(g, case_text(e, r, CASE_layer), case_text(e, r, CASE_cell));
    int post = cell == GRID_NONE ? GRID_NONE : g->cells[cell].post;
    return post == GRID_NONE ? "" : grid_post_account(&g->posts[post], now_us);
}

bool confirm_orders(const struct process_def *p, const struct move_def *m) {
    const struct state_def *to = m->to == NULL ? NULL : process_state(p, m->to);
    return to != NULL && confirm_state(to);
}

bool confirm_allows(const struct engine *e, const struct grid *g, const struct case_row *r,
                    int64_t now_us, struct text *why) {
    struct text barred = {NULL, NULL};
    if (case_int(e, r, CASE_private) != 0)
        barred = (struct text){"A private case is shown to no grid worker.",
                               "不公开的案件不向网格员显示，不能下达核实。"};
    else if (confirm_worker(e, g, r, now_us)[0] == '\0')
        barred = (struct text){"Its cell has no worker who could go and see.",
                               "所在网格无人值守，无法下达核实。"};
    if (why != NULL && barred.en != NULL) *why = barred;
    return barred.en == NULL;
}

static void put_by(const struct engine *e, struct case_row *r, int64_t at_us) {
    int64_t left = 0;
    bool runs = clock_left(e, r, at_us, &left);
    case_set(e, r, CASE_confirm_left_us, runs ? cell_int(left) : cell_null());
    case_set(e, r, CASE_confirmed_at, cell_null());
    if (runs && left >= 0) stage_due(e, r, cell_null());
}

static void take_up(const struct engine *e, struct case_row *r, struct confirm_turn *turn,
                    int64_t at_us) {
    bool late = case_has(e, r, CASE_confirm_due_at) && case_int(e, r, CASE_confirm_due_at) < at_us;
    if (!late && !case_has(e, r, CASE_confirmed_at))
        case_set(e, r, CASE_confirm_due_at, cell_null());
    turn->desk_has = case_has(e, r, CASE_confirm_left_us);
    turn->desk_left = case_int(e, r, CASE_confirm_left_us);
    turn->desk_due = case_int(e, r, CASE_file_due_at);
    case_set(e, r, CASE_confirm_left_us, cell_null());
}

struct confirm_turn confirm_before(const struct engine *e, struct case_row *r,
                                   const struct state_def *from, const struct state_def *to,
                                   int64_t at_us) {
    struct confirm_turn turn = {.out = confirm_state(to) && !confirm_state(from),
                                .back = confirm_state(from) && !confirm_state(to)};
    if (turn.out) put_by(e, r, at_us);
    if (turn.back) take_up(e, r, &turn, at_us);
    turn.desk_has = turn.desk_has && strcmp(to->stage, "file") == 0;
    return turn;
}

void confirm_after(const struct engine *e, struct case_row *r, const struct confirm_turn *turn,
                   int64_t at_us) {
    /* Whoever holds the cell answers: with a name here, a new worker or a cover would not see it.
     */
    if (turn->out) case_set(e, r, CASE_holder, cell_null());
    if (turn->back && turn->desk_has) clock_take_up(e, r, turn->desk_left, turn->desk_due, at_us);
}
