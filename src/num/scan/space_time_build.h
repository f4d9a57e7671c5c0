/* num/scan/space_time_build.h - from data and zones to the tables of the space-time kernel. */
#ifndef NUM_SCAN_SPACE_TIME_BUILD_H
#define NUM_SCAN_SPACE_TIME_BUILD_H
#include "num/scan/space_time.h"

/* Everything of *out is the arena's or borrowed. Errors as scan_space_time_kernel. Cost: places x
 * slots, items of the zones (tail windows, not permutation: x lengths), and the tables of
 * thresholds. */
enum err_code st_build(const struct scan_data *data, const struct scan_options *options,
                       const struct scan_zones *zones, const double *expected,
                       const struct num_run *run, struct arena *a, struct st_kernel *out,
                       struct err *err) NODISCARD;
/* Parts of it. What the measure of a window can be for one unit of key and lane of a row. */
struct st_extremes {
    double *low, *high;             /* ST_BUCKETS x n_pad */
    double *whole_low, *whole_high; /* ST_BUCKETS */
};
enum err_code st_build_measure(const struct scan_data *data, const double *expected,
                               struct arena *a, struct st_kernel *k, double **key,
                               struct err *err) NODISCARD;
enum err_code st_build_rows(const struct st_extremes *x, struct arena *a, struct st_kernel *k,
                            struct err *err) NODISCARD;
/* Logarithms for windows anywhere, from the extremes of keys and shares. */
enum err_code st_build_logs(struct arena *a, struct st_kernel *k, struct err *err) NODISCARD;
enum err_code st_build_draw(const struct scan_data *data, const double *expected, struct arena *a,
                            struct st_kernel *k, struct err *err) NODISCARD;
#endif
