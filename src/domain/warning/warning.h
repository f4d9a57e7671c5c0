/* domain/warning/warning.h - a warning as a case of its own: the day's signals open cases of the
 * process "warning", go on with those that run, and tell when their condition has cleared. What
 * people do with them are moves of the process. docs/warnings.md.
 *
 * Functions with a struct tx run inside a command on the writer thread. */
#ifndef DOMAIN_WARNING_WARNING_H
#define DOMAIN_WARNING_WARNING_H
#include "domain/process/engine.h"
#include "domain/warning/kept.h"

#define WARNING_CLASS "task-warning"
#define SUPERVISION_CLASS "task-supervision"
#define WARNING_PROCESS "warning"
#define SUPERVISION_PROCESS "supervision"

/* A day's signals against the warnings that run. */
struct warn_record {
    const struct engine *engine;
    const struct warn_set *set;
    const struct warn_day *day; /* formed from the rows of its view */
    int64_t at_us;              /* when cases open and moves are made; 0: now */
    int64_t data_seq;           /* journal sequence that the rows were read at */
    uint64_t seed;
    /* What was done. */
    size_t n_raised, n_went_on, n_cleared, n_joined, n_supervised;
    bool changed; /* false: the day was recorded like this before */
};
/* Record one day: open new warnings, go on with running ones (last day, signals, a higher colour by
 * the move "worsen"), clear the condition of those whose rules are silent for merge_days ("clear";
 * a threshold has its own level for that, so it clears on the first day without it), join those
 * that turned out to be one cause. A red one opens a supervision. The same day again changes
 * nothing. All of it or nothing. Errors: ERR_CONFLICT a later day is recorded already;
 * ERR_INVALID the packs have no process "warning". Cost: signals x signals of the open warnings. */
enum err_code warn_record_apply(struct tx *tx, struct warn_record *r, struct err *err) NODISCARD;

/* The last recorded day; *found is false when there is none. */
enum err_code warn_last_day(struct db *db, int32_t *day, bool *found, struct err *err) NODISCARD;

/* Supervise a case: a notice (1), a letter (2), a check by three levels (3). */
struct supervise {
    const struct engine *engine;
    const struct case_row *about;
    const char *unit; /* code; "": by nobody yet */
    const char *text; /* what is asked; without personal data */
    int level;
    int64_t due_days;            /* working days; 0: the process's own limit */
    const struct principal *who; /* NULL: the program itself */
    int64_t at_us;               /* 0: now */
};
/* Opens the case and, above level 1, makes the moves that lead there. Errors: ERR_FORBIDDEN the
 * role may not; ERR_INVALID with the field. */
enum err_code warn_supervise(struct tx *tx, const struct supervise *in, struct case_row *out,
                             struct err *err) NODISCARD;
/* The highest level (1..3) of supervisions about a case, 0 when there is none; open_only leaves out
 * closed ones. */
enum err_code warn_supervised(const struct engine *e, struct db *db, struct arena *a, int64_t about,
                              bool open_only, int *level, struct err *err) NODISCARD;
/* The code of the newest open supervision about a case; NULL: none. Arena-owned. */
enum err_code warn_supervision_of(const struct engine *e, struct db *db, struct arena *a,
                                  int64_t about, const char **code, struct err *err) NODISCARD;
/* "notice" "letter" "check", and back; 0 for another word. */
const char *supervision_level_name(int level);
int supervision_level_parse(const char *text);
struct text supervision_level_title(int level);

/* Tell who must act on a task in its state now: accounts of the role that its state waits for,
 * whose area or unit it lies in, at most WARN_MAX_TOLD. `also`: another role that is told, or
 * NULL. `by` is not told. */
enum { WARN_MAX_TOLD = 40 };
enum err_code warn_tell(struct tx *tx, const struct engine *e, const struct case_row *r,
                        const char *kind, const char *also, const char *by,
                        struct err *err) NODISCARD;

/* Tell of a move that the clock made because the time ran out: who must act now, the supervisors,
 * who opened it, and the leaders where it lies with the supervisors already or at the highest
 * level. At most WARN_MAX_TOLD. */
enum err_code warn_tell_late(struct tx *tx, const struct engine *e, const struct case_row *r,
                             const char *move, struct err *err) NODISCARD;

/* A field of the case that only tasks have: "condition_holds", "color", "about",
 * "supervision_level", "finding", "measures". ERR_INVALID when the packs lack it. */
enum err_code task_field(const struct engine *e, const char *name, int *col,
                         struct err *err) NODISCARD;
const char *task_text(const struct engine *e, const struct case_row *r, const char *name);
#endif
