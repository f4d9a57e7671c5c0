/* study/composite/audit.h - the audit of an index from files: how its indicators hang together,
 * what each score is made of, how sure each rank is under other choices, what other weights would
 * do, and why scores changed since an earlier period. The choices that could have been otherwise
 * stand under "audit" in the spec of the index; every number is worked out in num/composite.
 * Formats and what the numbers mean: docs/statistics/index-audit.md. Everything is arena-owned. */
#ifndef STUDY_COMPOSITE_AUDIT_H
#define STUDY_COMPOSITE_AUDIT_H
#include "num/composite/change.h"
#include "num/composite/choices.h"
#include "num/composite/correlation.h"
#include "num/composite/rank_interval.h"
#include "num/composite/sobol.h"
#include "num/composite/what_if.h"
#include "study/composite/index.h"

enum { AUDIT_MAX_DRAWS = 1000000, AUDIT_MAX_ALTERNATIVES = 64 };

/* What the spec says under "audit". */
struct audit_plan {
    size_t draws;       /* 10,000 */
    uint64_t seed;      /* 1 */
    double band;        /* share of the draws in a band of ranks: 0.9 */
    double distinguish; /* neighbours whose order holds less often are marked: 0.9 */
    double dominance;   /* pairs that hold at least as often are counted: 0.97 */
    bool assumed;       /* no choices were listed: weights +-25 % and leaving one out */
    struct choices choices;
    struct sobol_options sobol; /* n 0: no sensitivity indices */
    const char *sobol_area;     /* its rank as second outcome, or NULL */
};
/* v: the member "audit", or NULL: the defaults. study has been run. Errors name file, line and
 * column. */
enum err_code audit_plan_read(const struct index_study *s, const struct val *v, struct arena *a,
                              struct audit_plan *out, struct err *err) NODISCARD;

/* What is asked besides the spec. */
struct audit_wish {
    int64_t draws, seed;      /* -1: the spec's */
    const char *area;         /* this one closer, or NULL */
    const char *what_if;      /* "LPI=2,Goods=0": other weights, 0 leaves out; or NULL */
    const char *what_if_mean; /* arithmetic, geometric or harmonic at all levels; or NULL */
    bool pairs;               /* count all pairs */
    bool correlations;        /* all pairs of indicators */
};

/* One node above the indicators and what is below it. */
struct audit_family {
    uint32_t node;
    size_t n_child;
    struct alpha alpha;
    struct pca pca; /* over the children */
};
struct audit_sobol {
    const char *outcome; /* "mean_shift" or "rank" */
    struct sobol_result result;
};
struct audit_change {
    const struct index_study *before;
    size_t n_only_before, n_only_after; /* areas in one of the periods only, not compared */
    const uint32_t *area;               /* result.n_area: column of the later study */
    bool published;
    struct change_result result;
};

struct audit {
    const struct index_study *study;
    /* What was run, fit to be run again: a panel's imputation is in the values already, and
     * reference areas are columns of the period. */
    struct composite_data data;
    struct composite_spec spec;
    struct audit_plan plan;
    /* The areas that are ranked: column of the study's columns, of the result's rows. */
    size_t n_area;
    const uint32_t *column;
    const size_t *row; /* in the aggregated stage, SIZE_MAX: screened out */
    double time;       /* of the period, NaN without one */

    size_t n_family;
    const struct audit_family *family;
    const double *share;              /* n_ind: nominal shares in the index */
    const struct main_effect *effect; /* n_node: with the index, as normalised */
    const struct corr *with_index;    /* n_node: Spearman's */
    const double *part;               /* n_node x rows of the result: contributions, or NULL */
    bool part_by_product;             /* arithmetic throughout: w I */
    /* n_ind x n_ind of each kind, of normalised values; NULL when not asked for. */
    const struct corr *correlation[CORR_KENDALL + 1];

    const struct choice_space *space;
    const struct rank_interval *band;
    double mean_shift; /* over draws and areas */
    size_t n_order;    /* areas that have a rank */
    const uint32_t *order;
    const double *holds;
    size_t n_sobol;
    struct audit_sobol sobol[2];
    size_t sobol_area;     /* of the areas */
    const uint32_t *above; /* n_area x n_area, or NULL */

    bool asked_what_if;
    const uint32_t *if_rank; /* n_area */
    const double *if_score;
    const uint32_t *base_rank;
    struct what_if_shift if_shift;
    size_t chosen;                     /* wish.area, SIZE_MAX: none */
    const struct audit_change *change; /* or NULL; the caller's to set */
};
/* study has been run. Errors: those of the parts; ERR_NOT_FOUND for an area or node not there. */
enum err_code audit_run(const struct index_study *study, const struct audit_wish *wish,
                        const struct num_run *run, struct arena *a, struct audit *out,
                        struct err *err) NODISCARD;
/* Both studies loaded and run, of one period each. published: uCode and score, or NULL. */
enum err_code audit_change_run(const struct index_study *before, const struct index_study *after,
                               const struct table *published, const struct num_run *run,
                               struct arena *a, struct audit_change *out,
                               struct err *err) NODISCARD;

/* Reports. */
void audit_json(const struct audit *t, double elapsed_ms, struct buf *out);
void audit_text(const struct audit *t, bool zh, struct buf *out);
void audit_ranks_csv(const struct audit *t, struct buf *out);
void audit_pairs_csv(const struct audit *t, struct buf *out);
void audit_parts_csv(const struct audit *t, struct buf *out);
void audit_correlations_csv(const struct audit *t, struct buf *out);
void audit_change_csv(const struct audit *t, struct buf *out);
#endif
