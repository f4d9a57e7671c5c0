/* The spatial scan by brute force: every window listed from its definition, every ratio computed by
 * its formula. For small data only. */
#ifndef TEST_NUM_SCAN_ORACLE_H
#define TEST_NUM_SCAN_ORACLE_H
#include "../base/testing.h"

#include "num/scan/scan.h"

enum { ORACLE_MOST = 64 }; /* places */

struct oracle {
    const struct scan_data *data;
    const struct scan_options *options;
    double size[ORACLE_MOST], total_size;
    double expected[ORACLE_MOST]; /* scaled to the total; Poisson */
    double persons[ORACLE_MOST];
    double cases[ORACLE_MOST], total;
    double all_persons;
};
/* The best window of one data set. */
struct oracle_found {
    double llr, expected;
    double observed;
    uint32_t place[ORACLE_MOST];
    size_t n;
    size_t n_zones;
};
void oracle_init(struct oracle *o, const struct scan_data *data,
                 const struct scan_options *options);
/* cases: n_places; NULL: the data's own. */
void oracle_scan(const struct oracle *o, const double *cases, struct oracle_found *out);
/* Distance as the windows take it: plane, sphere (km), network. */
double oracle_distance(const struct oracle *o, double x, double y, double px, double py,
                       double shape, double angle);

/* A made-up city of n places in a square. */
struct city {
    size_t n;
    double x[ORACLE_MOST], y[ORACLE_MOST], expected[ORACLE_MOST];
    struct scan_count cases[ORACLE_MOST], controls[ORACLE_MOST];
    struct scan_data data;
};
enum city_kind {
    CITY_RANDOM = 0,
    CITY_GRID = 1,  /* whole coordinates: many equal distances */
    CITY_ZEROS = 2, /* some places without people */
    CITY_SPHERE = 4,
    CITY_BERNOULLI = 8
};
void city_make(struct city *c, size_t n, unsigned kind, size_t n_cases, uint64_t seed);
#endif
