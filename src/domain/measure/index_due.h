/* domain/measure/index_due.h - which ended periods of an index are complete: over, and longer ago
 * than the longest lag of what it is formed from. Pure. */
#ifndef DOMAIN_MEASURE_INDEX_DUE_H
#define DOMAIN_MEASURE_INDEX_DUE_H
#include "domain/measure/index_def.h"

/* Days after a period's end until its figures are complete: the longest lag of its indicators and
 * of those that they are formed from. */
int64_t index_lag_days(const struct pack_set *packs, const struct index_def *d);
enum { INDEX_DUE_MAX = 16 };
/* Complete periods to be frozen, the newest first of each kind: seven days, three ten-day periods,
 * three months, one year; of an index with other versions those that begin under this one. Older
 * ones are a person's decision. n <= INDEX_DUE_MAX. */
size_t index_due_periods(const struct pack_set *packs, const struct index_set *all,
                         const char *index, int32_t today, struct period out[INDEX_DUE_MAX]);
#endif
