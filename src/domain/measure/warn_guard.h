/* domain/measure/warn_guard.h - rows that must not raise a warning, each with the guard that held
 * it back. Every guard looks at rows up to the day only, so later rows change nothing. Pure. */
#ifndef DOMAIN_MEASURE_WARN_GUARD_H
#define DOMAIN_MEASURE_WARN_GUARD_H
#include "domain/measure/warn_rows.h"

enum warn_held {
    WARN_KEPT = 0,
    WARN_DEFAULT_POINT, /* many reports of many classes on exactly one point */
    WARN_BATCH,         /* many rows of one source with one instant */
    WARN_REPEAT,        /* one account about one thing and place; one exact point within minutes */
    WARN_NEW_CHANNEL,   /* a channel without a past to hold it against */
    WARN_EXPECTED,      /* an event of the calendar */
    WARN_JOINED,        /* joined to an earlier case: one thing told by many is one case */
    WARN_N_HELD
};
const char *warn_held_name(enum warn_held h); /* "kept" "default_point" "batch" ... */

/* Rows [low, high) as of a day; why[i - low] is enum warn_held of row i. */
struct warn_view {
    const struct warn_rows *rows;
    const struct warn_set *set;
    int32_t day;
    size_t low, high;
    uint8_t *why;
    const uint32_t *group; /* by class: the first class of its kind and major class */
};
/* Rows of the `history` days up to the day, all guards applied. Arena-owned.
 * O(rows up to the day). */
enum err_code warn_view_new(struct arena *a, const struct warn_rows *rows,
                            const struct warn_set *set, int32_t day, int32_t history,
                            struct warn_view *out, struct err *err) NODISCARD;
/* The guards one by one; a row that is held back already keeps its reason. */
enum err_code warn_guard_point(struct warn_view *v, struct err *err) NODISCARD;
enum err_code warn_guard_batch(struct warn_view *v, struct err *err) NODISCARD;
enum err_code warn_guard_repeat(struct warn_view *v, struct err *err) NODISCARD;
enum err_code warn_guard_channel(struct warn_view *v, struct err *err) NODISCARD;
void warn_guard_events(struct warn_view *v);

/* A declared emergency: of what it covers every report counts, only the default point is held back,
 * and rules over figures wait until it is over. */
struct warn_emergency {
    int64_t from_us, to_us; /* [from, to); INT64_MAX: it lasts */
    const char *area;       /* code of an area; "": the whole city */
    const bool *classes;    /* by class of the packs; NULL: all */
};
/* Lets go what other guards held of rows that were reported while one lasted and that it covers. */
void warn_guard_lift(struct warn_view *v, const struct warn_emergency *e, size_t n);
/* Whether one lasts at the end of the local day. */
bool warn_emergency_lasts(const struct warn_emergency *e, size_t n, const struct tz *tz,
                          int32_t day);
#endif
