/* num/model/cox.h - Cox's proportional hazards h(t | x) = h0(t) exp(x'b): partial likelihood with
 * ties by Efron or Breslow, strata, late entry and time-varying values by rows (start, stop],
 * recurrent events (Andersen-Gill; Prentice-Williams-Peterson by a stratum an event number) with
 * cluster-robust variance, Breslow baseline, residuals, the test of proportional hazards and
 * concordance. Pure, any thread.
 * Sources: Cox 1972, 1975; Breslow 1974; Efron 1977; Andersen & Gill 1982; Lin & Wei 1989 (robust
 * variance); Schoenfeld 1982; Grambsch & Therneau 1994 (the test, here as the exact score test of
 * x g(t)); Harrell et al. 1982 (concordance). */
#ifndef NUM_MODEL_COX_H
#define NUM_MODEL_COX_H
#include <stdbool.h>

#include "num/core/run.h"
#include "num/model/survdata.h"

enum model_ties { MODEL_TIES_EFRON, MODEL_TIES_BRESLOW };

struct model_cox_spec {
    const struct model_survival *data;
    const double *x;      /* data->n x p, row-major, finite */
    size_t p;             /* 1..500 */
    const double *offset; /* n, added to x'b; NULL: 0 */
    enum model_ties ties;
    size_t max_iterations; /* 0: 30 */
};

struct model_cox_coef {
    double coef, se;  /* se by the information; 0 and 0 when aliased */
    double robust_se; /* by clusters when data->cluster is given, else equal to se */
    double z, p;      /* Wald, by robust_se */
    bool aliased;     /* a linear combination of earlier columns (within strata): left out, 0 */
    bool monotone;    /* the likelihood still rises as it goes to infinity: no finite estimate */
};

/* Baseline: one row a stratum and event time, strata in rising order, time rising in each. */
struct model_cox_base {
    uint32_t stratum; /* as the caller numbered it */
    double time;
    double hazard, cumulative; /* at x = 0, offset 0 */
};

struct model_cox {
    size_t n, n_events,
        n_tied; /* n_tied: events that share their time (and stratum) with another */
    size_t p, rank, iterations;
    bool converged;    /* false: the last step still moved; nothing below is to be trusted */
    bool any_monotone; /* some coefficient is monotone */
    bool robust;       /* robust_se is by clusters */
    size_t n_clusters;
    double loglik_null, loglik;
    double lr_test, wald_test, score_test; /* all with rank degrees of freedom */
    double lr_p, wald_p, score_p;
    double concordance;          /* 1/2 when no pair can be compared */
    struct model_cox_coef *coef; /* p */
    double *variance;            /* p x p, by the information; zero rows for aliased ones */
    double *robust_variance;     /* p x p; equal to variance without clusters */
    double *linear;              /* n: x'b + offset */
    double *martingale;          /* n: events less expected events of the row */
    size_t n_base;
    struct model_cox_base *base;
};

/* Fit by Newton's method with halved steps from b = 0. All of *out is the arena's.
 * Errors: ERR_INVALID (shape, an x that is not finite), ERR_NUMERIC (no events; every column
 * aliased), ERR_TIMEOUT, ERR_LIMIT, ERR_NOMEM. No convergence, monotone likelihood and aliased
 * columns are flags of *out.
 * Cost: O(n log n + iterations n p^2), memory about 8 n (p + 6) bytes. */
enum err_code model_cox_fit(struct arena *a, const struct model_cox_spec *spec,
                            const struct num_run *run, struct model_cox *out,
                            struct err *err) NODISCARD;

/* Expected events of a row (start, stop] with linear predictor `linear` in a stratum of the fit:
 * (H0(stop) - H0(start)) exp(linear). A stratum without events gives 0. O(log n_base). */
double model_cox_expected(const struct model_cox_base *base, size_t n_base, uint32_t stratum,
                          double start, double stop, double linear);

/* The same with the baseline's hazard averaged from half a window before start to half a window
 * after stop (times >= 0; beyond the last event time: over the last window). The steps of a
 * baseline are too rough to foretell single years by. half >= 0. O(n_base). */
double model_cox_expected_smooth(const struct model_cox_base *base, size_t n_base, uint32_t stratum,
                                 double start, double stop, double linear, double half);

/* Test of proportional hazards: for each term (a group of columns, such as the levels of a factor)
 * and for all together, the score test that coefficients change with g(t), g = 1 - Kaplan-Meier
 * just before t (the "km" transform). term[j] of column j in 0..n_terms-1; NULL: each column its
 * own. */
struct model_ph_test {
    size_t n_terms;
    double *chisq, *df, *p; /* n_terms + 1 each; the last is all together */
    size_t n_events;        /* rows below */
    double *time, *g;       /* n_events, by stratum and rising time */
    double *schoenfeld;     /* n_events x p: x of the event less the mean of those at risk */
};
/* Errors: as model_cox_fit; ERR_NUMERIC when the information is singular. O(n p^2). */
enum err_code model_cox_ph_test(struct arena *a, const struct model_cox_spec *spec,
                                const struct model_cox *fit, const size_t *term, size_t n_terms,
                                struct model_ph_test *out, struct err *err) NODISCARD;

/* Share of comparable pairs that `score` orders as the events came (larger: earlier), ties of score
 * half; pairs within strata. pairs receives their number (may be NULL). O(n log n). */
enum err_code model_concordance(struct arena *a, const struct model_survival *d,
                                const double *score, double *concordance, double *pairs,
                                struct err *err) NODISCARD;
#endif
