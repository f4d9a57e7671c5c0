/* num/composite/change.h - why a score changed between two periods, in parts that add up to the
 * change exactly and depend on no order:
 *
 *   restatement    the earlier period as it is known today, less as it was published then
 *   indicators     the areas' own values (what they count)
 *   denominators   what the values are divided by (residents, vehicles)
 *   normalisation  the yardstick: minimum, maximum, mean, sd or goalposts
 *   weights        the weights and the means
 *
 * The last four are Shapley values (Shapley 1953; Shorrocks 2013, "Decomposition procedures for
 * distributional analysis", eq. 7): the index is worked out for all 16 mixtures of the two periods'
 * values, denominators, yardsticks and weights, and a factor's part is its mean effect over all
 * orders of changing them one after the other. Within a part the indicators' shares are the exact
 * differences of contribution.h. Imputation and treatment are done anew for each mixture of values
 * and denominators, so what they do lies in those two parts. Pure. */
#ifndef NUM_COMPOSITE_CHANGE_H
#define NUM_COMPOSITE_CHANGE_H
#include "num/composite/composite.h"

enum change_factor {
    CHANGE_INDICATORS,
    CHANGE_DENOMINATORS,
    CHANGE_NORMALISATION,
    CHANGE_WEIGHTS,
    CHANGE_FACTORS
};
const char *change_name(enum change_factor f);

/* One period: the same areas in the same order, the same indicators and nodes in both. No panels:
 * each period by itself (data->period and unit are not looked at). */
struct change_side {
    const struct composite_data *data;
    const struct composite_tree *tree;
    const struct composite_spec *spec;
};

struct change_result {
    size_t n_area, n_node;
    const double *before, *after;       /* n_area: scores; NaN missing */
    const double *restated;             /* n_area: before - published; 0 when nothing was given */
    const double *part[CHANGE_FACTORS]; /* n_area each; NaN where a mixture has no score */
    /* n_node x n_area: of the first three factors by node (indicators and those above), or NULL
     * when the means allow none; NaN where an indicator is there in one period only. */
    const double *by_node[CHANGE_WEIGHTS];
};

/* published: n_area scores of the earlier period as they were told then (NaN: none), or NULL. The
 * parts and restated add up to after - published (without one: after - before) to 1e-12 of the
 * scores. Errors: those of composite_run; ERR_INVALID names an indicator whose normalisation has no
 * yardstick to keep (ranks, percentiles, Borda, classes by quantile compare the areas with each
 * other), or that is left out in one of the periods only; ERR_LIMIT. 16 evaluations and 4 runs. */
enum err_code change_decompose(const struct change_side *before, const struct change_side *after,
                               const double *published, const struct num_run *run, struct arena *a,
                               struct change_result *out, struct err *err) NODISCARD;
#endif
