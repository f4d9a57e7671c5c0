/* num/model/survdata.h - the shape of survival data that Kaplan-Meier, Cox and the recurrent-event
 * estimates share: rows (start, stop] with an event at stop or none (the counting process form of
 * Andersen & Gill 1982). One asset may have many rows: time-varying values, several events, late
 * entry (left truncation) are all told by start. All arrays are borrowed. */
#ifndef NUM_MODEL_SURVDATA_H
#define NUM_MODEL_SURVDATA_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct model_survival {
    size_t n;
    const double *start;        /* n, start < stop; NULL: under watch from the beginning */
    const double *stop;         /* n, finite */
    const unsigned char *event; /* n: 1 when the event happened at stop, 0 when watching ended (mean
                                   cumulative function and power law: more when several did) */
    const double *weight;       /* n, >= 0; NULL: 1 each */
    const uint32_t *stratum;    /* n, any numbers; NULL: one stratum */
    const uint32_t *cluster;    /* n: rows of one asset share a number; NULL: each row alone */
};

/* ERR_INVALID names the first row (1-based) that breaks the shape; also when n is 0.
 * most_events: largest event[i] (1, or up to 255 where several at once are meant). */
enum err_code model_survival_check(const struct model_survival *d, unsigned most_events,
                                   struct err *err) NODISCARD;

/* Indices 0..n-1 by rising key, equal keys by index. The array is the arena's. O(n log n). */
enum err_code model_order(struct arena *a, const double *key, size_t n, uint32_t **order,
                          struct err *err) NODISCARD;

/* Dense numbers 0..*n_groups-1 of the labels, in rising order of label. labels NULL: all 0. */
enum err_code model_dense_groups(struct arena *a, const uint32_t *labels, size_t n,
                                 uint32_t **group, size_t *n_groups, struct err *err) NODISCARD;
#endif
