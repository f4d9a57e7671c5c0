/* domain/measure/warn_figure.h - what rules over figures find on a day: indicators, colours of
 * indices, overdue shares, by area or unit. Formed before the day's signals, since it needs the
 * cube and the tables; the rest of a day is pure. */
#ifndef DOMAIN_MEASURE_WARN_FIGURE_H
#define DOMAIN_MEASURE_WARN_FIGURE_H
#include "domain/measure/index_def.h"
#include "domain/measure/measure.h"
#include "domain/measure/value.h"
#include "domain/measure/warn_def.h"

struct warn_source {
    struct db *db;
    int64_t ledger;
    int64_t as_of_seq; /* 0: as stored now; else the journal row that `cube` stands at: exact */
    const struct atoms *atoms;
    const struct cube *cube; /* borrowed meanwhile; NULL: `measure` is borrowed rule by rule */
    struct measure *measure;
    const struct grid *grid;
    const struct index_set *indices; /* NULL: rules on colours say nothing */
    const struct pack_set *packs;
    const struct tz *tz;
};
/* A rule that holds at a place. */
struct warn_figure {
    const struct warn_rule *rule;
    const char *place, *name; /* code and name of the area or unit */
    double lon, lat;          /* middle of an area's box; NaN: none */
    int32_t from, to;         /* first and last day of what was judged last */
    double value, limit;      /* the value, and where the rule is raised */
    const char *band;         /* index colour: the band now; else NULL */
    size_t periods;           /* in a row that it holds, of those looked at */
    size_t n_places;          /* how many places the rule looked at */
};
struct warn_figures {
    const struct warn_figure *figure; /* by rule and place */
    size_t n;
};
/* `only` NULL: every rule. Arena-owned. What is judged is the last period over by the end of `day`
 * (of an indicator with a lag: the last one that is complete by then). Errors: those of values,
 * indices and the store. Cost: look x indicators of the rule, each as value_form. */
enum err_code warn_figures_form(const struct warn_source *src, const struct warn_set *set,
                                const struct warn_rule *only, int32_t day, struct arena *a,
                                struct warn_figures *out, struct err *err) NODISCARD;
/* Whether the indices that rules name exist, with the band, level and period. ERR_INVALID naming
 * file and line. */
enum err_code warn_check_indices(const struct warn_set *set, const struct index_set *indices,
                                 struct err *err) NODISCARD;

/* The state after a value, by the rule of every threshold: raised at `raise`, until `clear` is
 * reached; bad is above when raise > clear, else below. NaN changes nothing. */
bool warn_state_next(bool on, double value, double raise, double clear);

/* warn_overdue.c: shares by place; pure but for reading rows. Room as warn_figures_form has. */
struct warn_found {
    struct arena *a;
    struct warn_figure *figure;
    size_t n, cap;
};
enum err_code warn_found_add(struct warn_found *f, const struct warn_figure *x,
                             struct err *err) NODISCARD;
enum err_code warn_overdue_form(const struct warn_source *src, const struct warn_rule *r,
                                int32_t day, struct warn_found *out, struct err *err) NODISCARD;
#endif
