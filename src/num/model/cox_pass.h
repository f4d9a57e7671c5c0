/* num/model/cox_pass.h - inside of the Cox model: one pass over the event times of all strata, in
 * falling time, with running sums over those at risk. */
#ifndef NUM_MODEL_COX_PASS_H
#define NUM_MODEL_COX_PASS_H
#include "num/model/cox.h"

/* A distinct event time of a stratum. The running sums hold by_stop[.. add_to) less
 * by_start[.. drop_to) (both of the stratum, falling). */
struct cox_time {
    double t;
    size_t add_to, drop_to;
    size_t death_from, death_to; /* in death[] */
};
struct cox_plan {
    const struct model_survival *d;
    size_t n, p, n_strata, n_times, n_deaths;
    bool efron;
    double *x;                    /* n x p, centred, divided by scale */
    double *mean, *scale;         /* p */
    const double *offset;         /* NULL: 0 */
    uint32_t *stratum;            /* n, dense */
    uint32_t *by_stop, *by_start; /* by stratum, falling; by_start NULL without late entry */
    size_t *first_row;            /* n_strata + 1, in by_stop and by_start */
    size_t *first_time;           /* n_strata + 1, in time[] */
    struct cox_time *time;        /* by stratum, falling time */
    uint32_t *death;              /* row numbers */
    double *risk;                 /* n: exp(eta - shift), of the last pass */
    double *sums;                 /* working space */
};

/* What a pass fills; NULL members are left alone. */
struct cox_out {
    double loglik;
    double *u;       /* p: score */
    double *info;    /* p x p, whole */
    const double *g; /* n_times: with it, u2, info_g, info_gg below are weighted by g and g^2 */
    double *u2, *info_g, *info_gg;
    double *hazard;   /* n_times: jump for the risk as it is scaled */
    double *x_hazard; /* n_times x p: mean x times the jump */
    double *late;     /* n_times: what a death of this time is not exposed to (Efron) */
    double *x_late;   /* n_times x p */
    double *x_mean;   /* n_times x p: mean x of those at risk */
};

enum err_code cox_plan_make(struct arena *a, const struct model_cox_spec *spec,
                            const struct num_run *run, struct cox_plan *plan,
                            struct err *err) NODISCARD;
/* beta: p, for the scaled x. *shift receives what was taken from the linear predictor before exp.
 * false when the predictor overflows or a risk set has no weight: the step was too long. */
bool cox_pass(const struct cox_plan *plan, const double *beta, struct cox_out *out, double *shift);
#endif
