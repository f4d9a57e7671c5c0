/* domain/measure/warn_merge.h - several signals of one cause are one warning: the same days, and a
 * common class and places that touch, or one spot, or first raised in the whole city on one day.
 * Holds no rows of its own; the arena it was made with keeps everything, signals are borrowed. Not
 * safe from several threads. */
#ifndef DOMAIN_MEASURE_WARN_MERGE_H
#define DOMAIN_MEASURE_WARN_MERGE_H
#include "base/json.h"
#include "domain/measure/warn_day.h"

struct warning {
    size_t number;              /* from 1, in the order they were raised */
    const struct warning *into; /* joined to an older one later; NULL: stands for itself */
    int32_t raised, last;       /* first and last day with a signal */
    int color;                  /* the highest of its signals */
    const struct warn_signal **signal;
    size_t n, cap;
};
struct warn_board {
    struct arena *a;
    const struct warn_rows *rows;
    double merge_days;
    struct warning **warning;
    size_t n, cap;
};
void warn_board_init(struct warn_board *b, struct arena *a, const struct warn_rows *rows,
                     double merge_days);
/* Take in a day's signals; days must not go back. *n_new: warnings raised by them that stand for
 * themselves. Errors: ERR_NOMEM. O(signals x signals of the warnings that are still open). */
enum err_code warn_board_add(struct warn_board *b, const struct warn_day *d, size_t *n_new,
                             struct err *err) NODISCARD;
/* Whether two signals have one cause. */
bool warn_same_cause(const struct warn_rows *rows, const struct warn_signal *x,
                     const struct warn_signal *y, double merge_days);

/* {"rule","title","color","level","method","day","from","class","group","band","periods"
 * (figures),"places","lon","lat",
 * "radius_m","observed","expected","p","recurrence_days","series","held":{...},"cases":[...]}: at
 * most `most` cases, "n_cases" tells how many there are. */
void warn_signal_json(struct jw *w, const struct warn_rows *rows, const struct warn_signal *s,
                      size_t most);
/* "held": {"default_point": n, ...} */
void warn_held_json(struct jw *w, const size_t held[WARN_N_HELD]);
/* {"warning","raised","last","color","rules":[...],"signals":[...]}: its signals of the last day,
 * or all of them. */
void warn_warning_json(struct jw *w, const struct warn_rows *rows, const struct warning *x,
                       bool all, size_t most);
#endif
