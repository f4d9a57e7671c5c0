/* Small random data for the space-time kernel, and the slow way to its answers. */
#ifndef TEST_NUM_SCAN_TIME_ORACLE_H
#define TEST_NUM_SCAN_TIME_ORACLE_H
#include "base/rng.h"
#include "num/scan/kernel.h"

struct toy {
    struct scan_data data;
    struct scan_options options;
    struct scan_zones zones;
    double *expected; /* Poisson */
    struct scan_count *cases, *controls;
    size_t n_case;
};
/* What the data are to be like; the rest is drawn. */
struct toy_wish {
    enum scan_model model;
    enum scan_analysis analysis;
    enum scan_rates rates;
    bool prospective;
    size_t n_places, n_slots, n_case;
    bool spatial, temporal; /* also_ */
    bool weights, first_len, uneven;
    uint32_t heavy; /* cases a row; 0: one, now and then two */
};
struct toy toy_new(struct arena *a, struct rng *r, const struct toy_wish *w);
/* The best window of list `list` (zones.n_lists: over all places) among all, with cases as counts
 * place x slot. llr -1 when there is none. */
struct scan_best toy_best(const struct toy *t, const double *count, size_t list);
/* The same, of one window only: len members (0: all places), slots first .. last. */
struct scan_best toy_window(const struct toy *t, const double *count, size_t list, size_t len,
                            size_t first, size_t last);
/* place x slot counts of rows; arena-owned. */
double *toy_grid(const struct toy *t, struct arena *a, const struct scan_count *rows, size_t n);
#endif
