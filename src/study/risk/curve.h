/* study/risk/curve.h - gezhi risk curve: what a table of lives says without a model. Kaplan-Meier,
 * Nelson-Aalen and the log-rank test; with a column of units, several events each, the mean
 * cumulative function. The mathematics is num/model/kaplan.h and num/model/recurrent.h. */
#ifndef STUDY_RISK_CURVE_H
#define STUDY_RISK_CURVE_H
#include "base/buf.h"
#include "num/model/kaplan.h"
#include "num/model/recurrent.h"
#include "study/table/table.h"

enum { RISK_CURVE_GROUPS = 100 };

/* Columns; time and event are required. */
struct risk_curve_spec {
    const char *start; /* age at the beginning of a row; NULL: see time */
    const char *time;  /* age at its end. Without start a row begins at 0, with unit where the
                          unit's row before it ended */
    const char *event; /* 0 or 1; with unit how many, 0 to 255 */
    const char *group; /* NULL: one group */
    const char *unit;  /* NULL: a row is a life, Kaplan-Meier; else the mean cumulative function */
};
struct risk_curve_group {
    const char *name; /* NULL without a group column */
    size_t n, n_units, n_events;
    struct model_km km;   /* without unit */
    struct model_mcf mcf; /* with unit */
};
struct risk_curve {
    bool recurrent; /* mean cumulative function */
    bool late_entry;
    bool verified; /* false: a log-rank test with late entry, which no peer computed for us */
    double level;  /* of the limits */
    size_t n_groups, n, n_units, n_events;
    struct risk_curve_group group[RISK_CURVE_GROUPS]; /* by name */
    bool has_logrank;                                 /* observed, expected: by group */
    bool no_logrank; /* groups are there, but no event happened while two were at risk */
    struct model_logrank logrank;
};
/* Errors: ERR_INVALID by file, line and column (no number; an end that is not after the start; a
 * row that overlaps another of its unit; a unit in two groups; an empty name), more than
 * RISK_CURVE_GROUPS groups, no rows; ERR_NOMEM. Pure, any thread. Cost: O(n log n), with unit
 * O(n x different event times). */
enum err_code risk_curve_study(struct arena *a, const struct table *t,
                               const struct risk_curve_spec *s, struct risk_curve *out,
                               struct err *err) NODISCARD;
void risk_curve_json(const struct risk_curve *r, struct buf *b);
/* At most about thirty lines a group; the JSON has all. */
void risk_curve_text(const struct risk_curve *r, struct buf *b);
#endif
