#include "domain/process/clock.h"

#include <string.h>

#include "base/civil.h"
#include "domain/process/limit.h"
#include "domain/process/stage.h"

static const int64_t day_us = INT64_C(86400000000);

/* The unit that the case's limit is counted in; plain time for a state whose pack has lost it. */
static enum work_unit unit_of(const struct engine *e, const struct case_row *r) {
    const struct process_def *p = pack_process(e->packs, case_text(e, r, CASE_process));
    const struct state_def *s = p == NULL ? NULL : process_state(p, case_text(e, r, CASE_state));
    const struct time_limit *l =
        s == NULL ? NULL : limit_of(pack_class(e->packs, case_text(e, r, CASE_class)), s);
    return l == NULL ? WORK_URGENT_HOUR : l->unit;
}

bool clock_stands(const struct engine *e, const struct case_row *r) {
    return case_has(e, r, CASE_paused_at);
}

bool clock_suspended(const struct engine *e, const struct case_row *r) {
    return strcmp(case_text(e, r, CASE_paused_why), "suspended") == 0;
}

int64_t clock_emergency(const struct engine *e, const struct case_row *r) {
    return case_int(e, r, CASE_emergency);
}

/* The reminder comes when a fifth of the whole limit is left, as limit_start sets it. */
static void set_due(const struct engine *e, struct case_row *r, int64_t due_us, int64_t used_us,
                    int64_t left_us, int64_t at_us, bool unconfirmed) {
    enum work_unit unit = unit_of(e, r);
    int64_t until_yellow = left_us - (used_us + left_us) / 5;
    int64_t yellow = until_yellow > 0 ? work_after_us(e->calendar, at_us, until_yellow, unit, NULL)
                                      : (at_us < due_us ? at_us : due_us);
    case_set(e, r, CASE_due_at, cell_int(due_us));
    case_set(e, r, CASE_yellow_at, cell_int(yellow));
    case_set(e, r, CASE_unconfirmed_due, cell_int(unconfirmed ? 1 : 0));
    stage_due(e, r, cell_int(due_us));
}

/* Time of the unit that the clock has run in this state. */
static int64_t run_us(const struct engine *e, const struct case_row *r, int64_t at_us) {
    return work_time_us(e->calendar, case_int(e, r, CASE_state_since), at_us, unit_of(e, r)) -
           case_int(e, r, CASE_clock_stood_us);
}

static void stop(const struct engine *e, struct case_row *r, int64_t at_us) {
    if (clock_stands(e, r)) return;
    case_set(e, r, CASE_paused_at, cell_int(at_us));
    if (!case_has(e, r, CASE_due_at)) return;
    int64_t due = case_int(e, r, CASE_due_at);
    case_set(e, r, CASE_paused_due_at, cell_int(due));
    case_set(e, r, CASE_clock_left_us,
             cell_int(work_time_us(e->calendar, at_us, due, unit_of(e, r))));
    /* It may be marked late between the moment it stops at and the command that says so. */
    if (due > at_us) {
        stage_due(e, r, cell_null());
        case_set(e, r, CASE_overdue, cell_int(0));
    }
    case_set(e, r, CASE_due_at, cell_null());
    case_set(e, r, CASE_yellow_at, cell_null());
}

static void go_on(const struct engine *e, struct case_row *r, int64_t at_us) {
    int64_t since = case_int(e, r, CASE_paused_at), stood = case_int(e, r, CASE_clock_stood_us);
    int64_t used = run_us(e, r, since);
    enum work_unit unit = unit_of(e, r);
    if (at_us < since) at_us = since;
    case_set(e, r, CASE_clock_stood_us,
             cell_int(stood + work_time_us(e->calendar, since, at_us, unit)));
    if (case_has(e, r, CASE_paused_due_at)) {
        int64_t left = case_int(e, r, CASE_clock_left_us);
        int64_t due = case_int(e, r, CASE_paused_due_at);
        bool unconfirmed = case_int(e, r, CASE_unconfirmed_due) != 0;
        if (left > 0) due = work_after_us(e->calendar, at_us, left, unit, &unconfirmed);
        set_due(e, r, due, used, left, at_us, unconfirmed);
    }
    static const enum case_field gone[] = {CASE_paused_at, CASE_paused_until, CASE_paused_why,
                                           CASE_paused_due_at, CASE_clock_left_us};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) case_set(e, r, gone[i], cell_null());
}

void clock_suspend(const struct engine *e, struct case_row *r, int64_t until_us, int64_t at_us) {
    stop(e, r, at_us);
    case_set(e, r, CASE_paused_why, cell_text("suspended"));
    case_set(e, r, CASE_paused_until, cell_int(until_us));
}

void clock_hold(const struct engine *e, struct case_row *r, int64_t emergency, int64_t at_us) {
    stop(e, r, at_us);
    case_set(e, r, CASE_emergency, cell_int(emergency));
    if (!clock_suspended(e, r)) case_set(e, r, CASE_paused_why, cell_text("emergency"));
}

void clock_unsuspend(const struct engine *e, struct case_row *r, int64_t at_us, bool *goes_on) {
    *goes_on = clock_emergency(e, r) == 0;
    case_set(e, r, CASE_paused_until, cell_null());
    if (*goes_on)
        go_on(e, r, at_us);
    else
        case_set(e, r, CASE_paused_why, cell_text("emergency"));
}

void clock_let_go(const struct engine *e, struct case_row *r, int64_t at_us, bool *goes_on) {
    *goes_on = clock_stands(e, r) && !clock_suspended(e, r);
    case_set(e, r, CASE_emergency, cell_null());
    if (*goes_on) go_on(e, r, at_us);
}

static void extend_standing(const struct engine *e, struct case_row *r, int64_t days) {
    int64_t due =
        work_deadline(e->calendar, case_int(e, r, CASE_paused_due_at), days * 1000, WORK_DAY, NULL);
    int64_t stopped = case_int(e, r, CASE_paused_at);
    int64_t left = work_time_us(e->calendar, stopped, due, unit_of(e, r));
    case_set(e, r, CASE_paused_due_at, cell_int(due));
    case_set(e, r, CASE_clock_left_us, cell_int(left));
    if (left > 0) {
        case_set(e, r, CASE_overdue, cell_int(0));
        stage_due(e, r, cell_null());
    } else {
        stage_due(e, r, cell_int(due));
    }
}

void clock_extend(const struct engine *e, struct case_row *r, int64_t days, int64_t at_us) {
    if (case_has(e, r, CASE_paused_due_at)) {
        extend_standing(e, r, days);
        return;
    }
    if (!case_has(e, r, CASE_due_at)) return;
    bool unconfirmed = false;
    int64_t due = work_deadline(e->calendar, case_int(e, r, CASE_due_at), days * 1000, WORK_DAY,
                                &unconfirmed);
    int64_t left = work_time_us(e->calendar, at_us, due, unit_of(e, r));
    set_due(e, r, due, run_us(e, r, at_us), left, at_us, unconfirmed);
    if (due >= at_us) case_set(e, r, CASE_overdue, cell_int(0));
}

bool clock_left(const struct engine *e, const struct case_row *r, int64_t at_us, int64_t *left_us) {
    bool stands = case_has(e, r, CASE_paused_due_at);
    if (!stands && !case_has(e, r, CASE_due_at)) return false;
    int64_t due = case_int(e, r, stands ? CASE_paused_due_at : CASE_due_at);
    int64_t since = stands ? case_int(e, r, CASE_paused_at) : at_us;
    *left_us = due > since ? work_time_us(e->calendar, since, due, unit_of(e, r)) : -1;
    return true;
}

void clock_take_up(const struct engine *e, struct case_row *r, int64_t left_us, int64_t due_us,
                   int64_t at_us) {
    enum work_unit unit = unit_of(e, r);
    int64_t whole = work_time_us(e->calendar, at_us, case_int(e, r, CASE_due_at), unit);
    bool unconfirmed = false;
    int64_t due = left_us > 0 ? work_after_us(e->calendar, at_us, left_us, unit, &unconfirmed)
                              : (left_us < 0 ? due_us : at_us);
    int64_t left = left_us > 0 ? left_us : 0;
    set_due(e, r, due, whole > left ? whole - left : 0, left, at_us, unconfirmed);
    case_set(e, r, CASE_overdue, cell_int(left_us < 0 ? 1 : 0));
}

static void nothing_asked(const struct engine *e, struct case_row *r) {
    static const enum case_field gone[] = {CASE_asked, CASE_asked_by, CASE_asked_until,
                                           CASE_asked_days};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) case_set(e, r, gone[i], cell_null());
}

void clock_fresh(const struct engine *e, struct case_row *r) {
    static const enum case_field gone[] = {CASE_paused_at,     CASE_paused_until,  CASE_paused_why,
                                           CASE_paused_due_at, CASE_clock_left_us, CASE_emergency};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) case_set(e, r, gone[i], cell_null());
    case_set(e, r, CASE_clock_stood_us, cell_int(0));
    nothing_asked(e, r);
}

enum err_code clock_cover(const struct engine *e, struct tx *tx, struct case_row *r, int64_t at_us,
                          struct err *err) {
    int64_t emergency = 0;
    /* Where nothing runs, nothing is stopped: a closed case waits for nobody. */
    if (!e->clocks_stop || e->holder.covering == NULL || !case_has(e, r, CASE_due_at))
        return ERR_OK;
    TRY(e->holder.covering(e->holder.ctx, tx, e, r, &emergency, err));
    if (emergency != 0) clock_hold(e, r, emergency, at_us);
    return ERR_OK;
}

int64_t clock_used(const struct engine *e, const struct case_row *r, const struct time_limit *l,
                   int64_t at_us) {
    if (l == NULL) return 0;
    int64_t end = clock_stands(e, r) ? case_int(e, r, CASE_paused_at) : at_us;
    int64_t used = work_time_us(e->calendar, case_int(e, r, CASE_state_since), end, l->unit) -
                   case_int(e, r, CASE_clock_stood_us);
    return used <= 0 ? 0 : used / (work_unit_us(e->calendar, l->unit) / 1000);
}

bool clock_step_title(const char *move, struct text *out) {
    static const struct {
        const char *move;
        struct text title;
    } steps[] = {{CLOCK_STEP_DATE, {"The date has come: the clock runs again", "到期恢复计时"}},
                 {CLOCK_STEP_PAUSE, {"Emergency: the clock stands", "应急状态：暂停计时"}},
                 {CLOCK_STEP_RESUME,
                  {"The emergency is over: the clock runs again", "应急状态结束：恢复计时"}}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strcmp(move, steps[i].move) != 0) continue;
        *out = steps[i].title;
        return true;
    }
    return false;
}

/* ---- asking and answering ---- */

static bool asks(const struct engine *e, const struct case_row *r, const char *what) {
    return strcmp(case_text(e, r, CASE_asked), what) == 0;
}

static bool may_ask(const struct engine *e, const struct case_row *r, int64_t at_us,
                    struct text *why) {
    if (clock_stands(e, r) || case_has(e, r, CASE_asked) || !case_has(e, r, CASE_due_at))
        return false;
    if (case_int(e, r, CASE_due_at) >= at_us && case_int(e, r, CASE_overdue) == 0) return true;
    if (why != NULL)
        *why = (struct text){"The limit has passed: a pause or more time is asked for before it.",
                             "已超过时限：挂账、延期须在时限届满前申请。"};
    return false;
}

bool clock_allows(const struct engine *e, const struct case_row *r, const struct move_def *m,
                  int64_t at_us, struct text *why) {
    if (m->clock == CLOCK_NONE) return true;
    if (!e->clocks_stop) return false;
    switch (m->clock) {
    case CLOCK_ASK_PAUSE:
    case CLOCK_ASK_EXTEND:
        return may_ask(e, r, at_us, why);
    case CLOCK_PAUSE:
        return asks(e, r, "pause");
    case CLOCK_EXTEND:
        return asks(e, r, "extend");
    case CLOCK_REFUSE:
        return case_has(e, r, CASE_asked);
    case CLOCK_RESUME:
        return clock_suspended(e, r);
    case CLOCK_NONE:
        break;
    }
    return true;
}

/* The date is a local day; the clock goes on with its first minute. */
static enum err_code read_until(const struct engine *e, const struct val *inputs, int64_t at_us,
                                int64_t *until_us, struct err *err) {
    const struct val *v = val_get(inputs, "until");
    int64_t day = 0;
    if (v == NULL || v->type != VAL_STR || !civil_date_parse(v->u.s, &day)) {
        (void)err_fail(err, ERR_INVALID, "\"until\": expected a date such as 2026-12-31");
        return err_field(err, ERR_INVALID, "/until");
    }
    *until_us = tz_to_utc(e->tz, day * day_us);
    if (*until_us > at_us) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "\"until\": expected a day after today");
    return err_field(err, ERR_INVALID, "/until");
}

static enum err_code ask(const struct engine *e, struct case_row *r, const struct move_def *m,
                         const char *actor, const struct val *inputs, int64_t at_us,
                         int64_t *until_us, int64_t *days, struct err *err) {
    bool pause = m->clock == CLOCK_ASK_PAUSE;
    if (pause)
        TRY(read_until(e, inputs, at_us, until_us, err));
    else
        TRY(val_int(inputs, "days", true, 1, CLOCK_MAX_DAYS, days, err));
    case_set(e, r, CASE_asked, cell_text(pause ? "pause" : "extend"));
    case_set(e, r, CASE_asked_by, cell_text(actor));
    case_set(e, r, CASE_asked_until, pause ? cell_int(*until_us) : cell_null());
    case_set(e, r, CASE_asked_days, pause ? cell_null() : cell_int(*days));
    return ERR_OK;
}

static enum err_code grant_pause(const struct engine *e, struct case_row *r, int64_t at_us,
                                 int64_t *until_us, struct err *err) {
    *until_us = case_int(e, r, CASE_asked_until);
    if (*until_us <= at_us)
        return err_fail(err, ERR_CONFLICT,
                        "the date that was asked for has come: refuse, and ask again");
    nothing_asked(e, r);
    clock_suspend(e, r, *until_us, at_us);
    case_set(e, r, CASE_suspended_at, cell_int(at_us));
    return ERR_OK;
}

enum err_code clock_move(const struct engine *e, struct case_row *r, const struct move_def *m,
                         const char *actor, const struct val *inputs, int64_t at_us,
                         int64_t *until_us, int64_t *days, struct err *err) {
    bool goes_on = false;
    *until_us = 0;
    *days = 0;
    switch (m->clock) {
    case CLOCK_ASK_PAUSE:
    case CLOCK_ASK_EXTEND:
        return ask(e, r, m, actor, inputs, at_us, until_us, days, err);
    case CLOCK_PAUSE:
        return grant_pause(e, r, at_us, until_us, err);
    case CLOCK_EXTEND:
        *days = case_int(e, r, CASE_asked_days);
        nothing_asked(e, r);
        clock_extend(e, r, *days, at_us);
        return ERR_OK;
    case CLOCK_REFUSE:
        nothing_asked(e, r);
        return ERR_OK;
    case CLOCK_RESUME:
        clock_unsuspend(e, r, at_us, &goes_on);
        return ERR_OK;
    case CLOCK_NONE:
        break;
    }
    return ERR_OK;
}
