/* num/scan/pass.h - one scan of one data set: inside scan.c. */
#ifndef NUM_SCAN_PASS_H
#define NUM_SCAN_PASS_H
#include "num/scan/kernel.h"

struct scan_pass {
    const struct scan_data *data;
    const struct scan_options *options;
    const struct num_run *run;
    struct arena *a;
    int64_t total;          /* cases */
    const double *expected; /* n_places x n_slots as kernels take it; NULL but for Poisson */
    const double *size;     /* n_places */
    double total_size;
    struct scan_zones zones;
    struct scan_kernel kernel;
    struct scan_best *best;
    size_t n_best;
    size_t *chosen; /* of best, strongest first */
    size_t n_chosen;
    double *maxima;
    uint32_t n_maxima;
    bool stopped_early;
    enum scan_gumbel gumbel;
    enum scan_p_mode p_mode;       /* of p_value */
    double gumbel_mu, gumbel_beta; /* NaN when it is not fitted */
};
/* Windows, the best of each list, the clusters to tell and the replicas. data stays borrowed. */
enum err_code scan_pass_run(struct scan_pass *p, struct err *err) NODISCARD;
/* The chosen clusters, most of them `max`. Arena-owned. */
enum err_code scan_pass_clusters(const struct scan_pass *p, size_t iteration,
                                 struct scan_cluster *out, struct err *err) NODISCARD;
/* A kernel of the pass's analysis over other data with the same places, totals and windows. */
enum err_code scan_pass_kernel(const struct scan_pass *p, const struct scan_data *data,
                               struct arena *a, struct scan_kernel *out, struct err *err) NODISCARD;

/* Which windows are told: sorted by statistic (ties: fewer places, then the earlier list), the
 * best of each centre, sets of places that were told left out, then the rule of overlap. chosen
 * holds n_best. */
enum err_code scan_choose(const struct scan_data *data, const struct scan_options *options,
                          const struct scan_zones *zones, const struct scan_best *best,
                          size_t n_best, size_t *chosen, size_t *n_chosen,
                          struct err *err) NODISCARD;

/* location_f of scan.h, n_places. */
enum err_code scan_location_f(const struct scan_pass *p, double *out, struct err *err) NODISCARD;
#endif
