/* num/scan/kernel.h - what differs between purely spatial, temporal and space-time scans: finding
 * the best window of each list in the data, and the maximum over all windows in a set of replicas.
 * scan.c asks; spatial.c and space_time.c answer. */
#ifndef NUM_SCAN_KERNEL_H
#define NUM_SCAN_KERNEL_H
#include "num/scan/zones.h"

/* The best window of one list. llr < 0: none qualifies. */
struct scan_best {
    double llr, expected;
    int64_t observed;
    uint32_t len; /* members of the list taken in; 0: all places (purely temporal window) */
    uint32_t slot_first, slot_last;
    bool low;
};

struct scan_kernel {
    void *self;
    /* best: zones->n_lists items (one for a temporal scan); one more after them when
     * options->also_temporal, for the windows over all places. */
    enum err_code (*observe)(void *self, const struct num_run *run, struct scan_best *best,
                             struct err *err);
    /* Maxima of replicas first .. first + n - 1; replica r draws only from rng_new(seed, r), so
     * that neither threads nor batches matter. at_least: the caller only needs maxima above it
     * exactly (0: all of them); a smaller maximum may be told as any value below it. */
    enum err_code (*replicate)(void *self, const struct num_run *run, uint64_t seed, uint32_t first,
                               uint32_t n, double at_least, double *maxima, struct err *err);
};

/* Arena-owned kernels over borrowed data and zones. expected is n_places x n_slots, scaled to the
 * total of cases (Poisson) and rounded to a step so small a power of two that any sum of it is
 * exact in double: a set of places gives the same bits in any order. NULL for the other models. */
enum err_code scan_spatial_kernel(const struct scan_data *data, const struct scan_options *options,
                                  const struct scan_zones *zones, const double *expected,
                                  const struct num_run *run, struct arena *a,
                                  struct scan_kernel *out, struct err *err) NODISCARD;
/* Temporal and space-time, all models. */
enum err_code scan_space_time_kernel(const struct scan_data *data,
                                     const struct scan_options *options,
                                     const struct scan_zones *zones, const double *expected,
                                     const struct num_run *run, struct arena *a,
                                     struct scan_kernel *out, struct err *err) NODISCARD;
#endif
