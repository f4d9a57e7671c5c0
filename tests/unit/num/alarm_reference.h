/* Reading reference tables of the alarm tests and telling how many digits agree. */
#ifndef TEST_NUM_ALARM_REFERENCE_H
#define TEST_NUM_ALARM_REFERENCE_H
#include "../base/testing.h"
#include "num/alarm/alarm.h"
#include "study/table/table.h"

/* A table below the source folder; NULL when the file is not there (a test then skips, saying
 * so). */
const struct table *reference_table(struct arena *a, const char *path);
/* A column as numbers, NaN where empty or NA. */
double *reference_column(struct arena *a, const struct table *t, const char *name);
int64_t *reference_counts(struct arena *a, const struct table *t, const char *name);
/* TRUE, FALSE, 0, 1 or NA as 0, 1. */
bool reference_flag(const struct table *t, size_t row, const char *name);
int32_t *reference_days(struct arena *a, const struct table *t, const char *name);

/* The worst disagreement of one quantity over many comparisons. */
struct agreement {
    const char *what;
    double tolerance, worst; /* relative, of numbers above 1e-9 in size; else absolute */
    size_t n, bad;
};
void agree(struct agreement *g, double ours, double theirs);
/* Print "digits CASE QUANTITY 9.1 (n)" and fail when something was beyond the tolerance, or when
 * nothing was compared. */
void agree_end(const struct agreement *g, const char *where);

struct alarm_point *run_one(struct arena *a, const struct alarm_spec *s,
                            const struct alarm_series *x);
#endif
