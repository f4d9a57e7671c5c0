/* num/scan/scan.h - scan statistics: the cluster of places and time that the null hypothesis
 * explains worst, and how often chance does as well.
 *
 * Sources: Kulldorff 1997 "A spatial scan statistic" (Poisson: eq. 4, Bernoulli: eq. 3);
 * Kulldorff 2001 (prospective); Kulldorff et al. 2005 (space-time permutation); Dwass 1957 (Monte
 * Carlo rank); Abrams, Kleinman, Kulldorff 2010 (Gumbel); Besag & Clifford 1991 (sequential);
 * Tango & Takahashi 2005 (flexible shapes); Zhang, Assuncao, Kulldorff 2010 (iterative);
 * Oliveira et al. 2011 (F function).
 *
 * Pure: no I/O, no clock, no state. The same input, options and seed give the same bits on any
 * number of threads. */
#ifndef NUM_SCAN_SCAN_H
#define NUM_SCAN_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "num/core/run.h"

enum scan_model { SCAN_POISSON, SCAN_BERNOULLI, SCAN_PERMUTATION };
enum scan_analysis { SCAN_SPATIAL, SCAN_TEMPORAL, SCAN_SPACE_TIME };
enum scan_rates { SCAN_HIGH = 1, SCAN_LOW = 2, SCAN_BOTH = 3 };
/* How a p-value was got; named in every result. */
enum scan_p_mode { SCAN_P_STANDARD, SCAN_P_SEQUENTIAL, SCAN_P_GUMBEL };
/* Whether a Gumbel curve stands for the maxima of the replicas. It is of a continuous quantity:
 * with few cases the maxima are a handful of numbers and its tail is far off (1e-67 where the rank
 * is 0.01 was seen), so it is refused, by name. */
enum scan_gumbel {
    SCAN_GUMBEL_FITTED,
    SCAN_GUMBEL_FEW_REPLICAS, /* fewer than SCAN_GUMBEL_LEAST */
    SCAN_GUMBEL_NO_SPREAD,    /* all maxima are alike */
    SCAN_GUMBEL_FEW_VALUES,   /* a quarter of the replicas, but at least SCAN_GUMBEL_LEAST and at
                               * most SCAN_GUMBEL_VALUES, must be different ones; fewer are */
    SCAN_GUMBEL_COMMON_VALUE  /* one of them is that of more than a third of the replicas */
};
enum { SCAN_GUMBEL_LEAST = 20, SCAN_GUMBEL_VALUES = 50 };
/* Which weaker clusters are told besides the strongest (SaTScan's names). */
enum scan_overlap {
    SCAN_NO_OVERLAP,         /* shares no place with a stronger one */
    SCAN_NO_CENTER_IN_OTHER, /* neither its centre in a stronger one nor that one's in it */
    SCAN_NO_CENTER_IN_MORE,  /* its centre in no stronger one */
    SCAN_NO_CENTER_IN_LESS,  /* no stronger one's centre in it */
    SCAN_NO_PAIRS_IN_EACH,   /* not its centre in a stronger one and that one's in it */
    SCAN_ANY_OVERLAP,        /* the best of each centre */
    SCAN_ONLY_MOST_LIKELY
};
enum scan_metric {
    SCAN_PLANE,   /* x, y in one unit; Euclid */
    SCAN_SPHERE,  /* x longitude, y latitude in degrees; great circles, km */
    SCAN_NETWORK, /* shortest way along edges */
    SCAN_LISTED   /* neighbours of each centre are given in order */
};
enum scan_shape { SCAN_CIRCLE, SCAN_ELLIPSE, SCAN_FLEXIBLE };
/* Most slots of a study period: 54 years of days. Windows anywhere in time grow with the square of
 * the slots; one wrong date would otherwise be a scan that does not end. */
enum { SCAN_MAX_SLOTS = 20000 };

/* Cases (or controls) of one place in one time slot. Slots count from 0. */
struct scan_count {
    uint32_t place, slot, n;
};
struct scan_edge {
    uint32_t from, to;
    double length; /* >= 0 */
};
/* A multiplicity of coordinates: candidate centres apart from places are the grid. */
struct scan_points {
    size_t n;
    const double *x, *y;
};

/* Everything is borrowed. Places are distinct positions: ids that share a position are one place
 * (the caller keeps the names); a place may have several positions (several locations files):
 * then place_of names the place of each point. */
struct scan_data {
    enum scan_model model;
    size_t n_places;
    size_t n_slots;   /* of the study period, at most SCAN_MAX_SLOTS; 1 for a purely spatial one */
    double slot_days; /* days a slot, for recurrence intervals; 0 when there are no dates */

    enum scan_metric metric;
    struct scan_points points;     /* n_places of them unless place_of is given */
    const uint32_t *place_of;      /* points.n, or NULL: point i is place i */
    bool all_points;               /* a place is in when all its points are; else when one is */
    const bool *left_out;          /* n_places: as if not there (they have no cases); NULL: none */
    struct scan_points grid;       /* centres; n = 0: the places themselves */
    const struct scan_edge *edges; /* SCAN_NETWORK, SCAN_FLEXIBLE: undirected */
    size_t n_edges;
    const size_t *list_first;   /* SCAN_LISTED: n_places + 1 offsets into list_place */
    const uint32_t *list_place; /* nearest first, the centre itself first of all; a place told
                                 * again is passed over */

    const struct scan_count *cases;
    size_t n_cases;                    /* rows, not cases */
    const struct scan_count *controls; /* SCAN_BERNOULLI */
    size_t n_controls;
    /* SCAN_POISSON: expected cases under the null, n_places x n_slots row-major (already adjusted
     * for covariates; scan_expected.h), any scale: it is brought to the total of cases. */
    const double *expected;
    /* What the maximum size is a share of, a place (population); NULL: expected, cases + controls
     * or cases by model. */
    const double *size;
};

struct scan_options {
    enum scan_analysis analysis;
    bool prospective; /* windows end in the last slot */
    enum scan_rates rates;
    enum scan_shape shape;
    double max_size;   /* share of size in a window, (0, 0.5]; 0: 0.5 */
    double max_radius; /* in the metric's unit; 0: no limit */
    /* Ellipses: pairs of shape (long : short axis, > 1) and number of angles; circles are always
     * in. Exponent of the penalty: the statistic of an ellipse of shape s is multiplied by
     * (4s / (s+1)^2)^penalty; 0 none, 0.5 medium, 1 strong (Kulldorff et al. 2006, eq. 3). */
    const double *ellipse_shape;
    const unsigned *ellipse_angles;
    size_t n_ellipses;
    double ellipse_penalty;
    size_t flexible_k;           /* most places in a flexible window, <= 20 */
    size_t min_slots, max_slots; /* lengths of a window in time; 0: 1 and half the period */
    bool also_spatial;           /* space-time: windows over the whole period too */
    bool also_temporal;          /* space-time: windows over all places too */
    unsigned min_cases;          /* in a high-rate window; 0: 2 */

    uint32_t replicas;
    uint64_t seed;
    enum scan_p_mode p_mode;
    uint32_t stop_after; /* sequential: exceedances of the strongest; 0: (replicas + 1) / 20 */

    enum scan_overlap overlap;
    size_t max_clusters; /* 0: 100 */
    bool iterative;      /* take the strongest out and scan again while p <= iterate_p */
    double iterate_p;
    bool location_f; /* Oliveira's F for each place; not of an iterative scan */
};

struct scan_cluster {
    uint32_t center;      /* place, or grid point when there is a grid */
    double radius;        /* of a circle; of an ellipse the short axis; 0 for flexible */
    double ellipse_shape; /* 1 for a circle */
    double ellipse_angle; /* radians */
    bool low;             /* fewer cases than expected */
    size_t n_places;
    const uint32_t *places;       /* in the order of distance from the centre, ties as scanned */
    size_t slot_first, slot_last; /* inclusive */
    int64_t observed;
    double expected;
    double relative_risk; /* NaN for the permutation model; INFINITY when all cases are in it */
    double llr;           /* or the test statistic of the permutation model */
    uint32_t rank_in;     /* replicas at or above, + 1 */
    /* rank_in / (replicas_run + 1); (rank_in - 1) / replicas_run when it stopped early (Besag and
     * Clifford 1991); the Gumbel one in that mode where it is fitted; NaN without replicas. */
    double p_value;
    enum scan_p_mode p_mode; /* of p_value; that of the result but for an iterative scan, in which
                              * the curve of one round may be refused and that of another not */
    double p_gumbel;         /* NaN when it is not fitted */
    double recurrence_days;  /* prospective: slot_days / p; NaN otherwise */
    size_t iteration;        /* iterative scan: 1.. */
};

struct scan_result {
    int64_t total_cases;
    size_t n_zones;        /* places of the windows, times counted out */
    uint32_t replicas_run; /* fewer than asked for when it stopped early */
    bool stopped_early;
    /* The mode asked for; SCAN_P_STANDARD for SCAN_P_GUMBEL when gumbel is not SCAN_GUMBEL_FITTED.
     * An iterative scan tells these of its first round. */
    enum scan_p_mode p_mode;
    enum scan_gumbel gumbel;
    double gumbel_mu, gumbel_beta; /* NaN when it is not fitted */
    size_t n_clusters;
    const struct scan_cluster *clusters; /* strongest first */
    const double *location_f;            /* n_places, or NULL: share of bootstrap samples with
                                          * the place in their strongest significant window */
    const double *replica_max;           /* replicas_run, in the order of replicas */
};

/* Results are arena-owned. Errors: ERR_INVALID (a size, limit or combination; no cases), ERR_LIMIT
 * (memory, slots), ERR_NOMEM, ERR_TIMEOUT (stopped). Cost: docs/statistics.md. */
enum err_code scan_run(const struct scan_data *data, const struct scan_options *options,
                       const struct num_run *run, struct arena *a, struct scan_result *out,
                       struct err *err) NODISCARD;
#endif
