/* study/composite/audit_inside.h - what the reports of an audit share. */
#ifndef STUDY_COMPOSITE_AUDIT_INSIDE_H
#define STUDY_COMPOSITE_AUDIT_INSIDE_H
#include "study/composite/audit.h"

/* Reference areas of a normalisation as columns of what was run. */
enum err_code audit_move_reference(const struct index_study *s, struct composite_normalise *n,
                                   struct arena *a, struct err *err) NODISCARD;

/* area counts the ranked ones, node the tree's. */
const char *audit_area_code(const struct audit *t, size_t area);
const char *audit_area_name(const struct audit *t, size_t area);
double audit_value(const struct audit *t, size_t node, size_t area); /* NaN: missing */
double audit_part(const struct audit *t, size_t node, size_t area);  /* t->part is there */
const char *audit_state_name(enum corr_state s);

/* Pairs of areas, and those whose order holds in at least the share of the draws asked for. */
struct audit_pairs {
    size_t of, held;
};
struct audit_pairs audit_count_pairs(const struct audit *t);
#endif
