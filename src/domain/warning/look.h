/* domain/warning/look.h - what a page shows beside a warning, formed when it is asked for from the
 * cases of the last months, guards applied as in the rules: its series day by day, and how places
 * like it fared. Runs on a reader's thread. */
#ifndef DOMAIN_WARNING_LOOK_H
#define DOMAIN_WARNING_LOOK_H
#include "domain/grid/grid.h"
#include "domain/warning/warning.h"

enum { LOOK_DAYS = 56, LOOK_BASE = 28, LOOK_SIMILAR = 8 };
struct look_day {
    int32_t day;
    double observed;
    double expected; /* mean of the LOOK_BASE days before; NaN when there are none */
    double upper;    /* that and three standard deviations, at least those of a Poisson count */
};
struct look_place {
    const char *area, *name, *name_en;
    double observed; /* in the window of the warning */
    double expected; /* from the LOOK_BASE days before it */
    double rate;     /* observed over expected; NaN when nothing was expected */
};
struct warn_look {
    struct look_day day[LOOK_DAYS];
    size_t n_days;
    struct look_place place[LOOK_SIMILAR];
    size_t n_places;
};
/* Nothing is formed where rules over figures alone raised it: no reports lie behind it.
 * The places that are compared are of the level of the warning's own area (towns for a town; of the
 * city's counties for the whole city), those with the nearest usual load first. Cost: one read of
 * the cases of 120 days. */
enum err_code warn_look(const struct engine *e, const struct warn_set *set, struct db *db,
                        const struct grid *g, const struct warn_kept *k, struct arena *a,
                        struct warn_look *out, struct err *err) NODISCARD;
#endif
