/* num/model/exposure.h - from assets and their dated events to rows at risk: one row an asset and
 * year (or, for models of single events, cut at each event too), with the age span, the time
 * watched, what happened, and what had happened before that year began. Nothing of the year itself
 * or later enters the history columns. Pure, any thread; days are counted since 1970-01-01. */
#ifndef NUM_MODEL_EXPOSURE_H
#define NUM_MODEL_EXPOSURE_H
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define MODEL_EVER INT32_MAX

struct model_asset {
    int32_t laid;    /* day the asset came into being */
    int32_t removed; /* first day it no longer was; MODEL_EVER: it stands */
};
struct model_asset_event {
    uint32_t asset; /* 0..n_assets-1 */
    int32_t day;
};
struct model_exposure_spec {
    int from_year, to_year; /* first and last year of complete records; years by the calendar */
    int32_t last_day;       /* records end with this day; MODEL_EVER: with to_year */
    bool cut_at_events;     /* also end a row at each event (two on one day: one event) */
    int recent_years;       /* window of n_recent, such as 5 */
};
struct model_exposure_row {
    uint32_t asset;
    int year;
    double age_start, age_stop; /* years of 365.25 days since laid; age_start < age_stop */
    double exposure;            /* years watched in this row */
    uint32_t count;             /* events within the row */
    uint32_t earlier; /* events since from_year before the row's year (cut rows: before the row) */
    uint32_t last_year; /* events in the calendar year before */
    uint32_t recent;    /* events in the recent_years years before */
    double since_last;  /* years from the last event to the row's start; -1: none since from_year */
};
struct model_exposure {
    size_t n_rows;
    struct model_exposure_row *row; /* by asset, then time */
    size_t n_counted;               /* events that fell in a row */
    size_t n_before_laid;           /* events of an asset on a day before it was laid: left out */
    size_t n_after_removed, n_outside; /* after removal; before from_year or after the last day */
    size_t n_never;                    /* assets that give no row */
};
/* Errors: ERR_INVALID (years, an event of no asset), ERR_LIMIT (more than 2^31 rows), ERR_NOMEM.
 * O((assets x years) + events log events). Survivor bias: assets that were taken out
 * before the table was drawn are not in it, and cannot be counted here. */
enum err_code model_exposure_make(struct arena *a, const struct model_asset *assets,
                                  size_t n_assets, const struct model_asset_event *events,
                                  size_t n_events, const struct model_exposure_spec *spec,
                                  struct model_exposure *out, struct err *err) NODISCARD;
#endif
