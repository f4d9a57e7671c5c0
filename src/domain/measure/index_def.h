/* domain/measure/index_def.h - what an index is: a versioned tree over indicators with fixed
 * goalposts, weights, means and colour bands, from the folder "indices" of a pack. Immutable. */
#ifndef DOMAIN_MEASURE_INDEX_DEF_H
#define DOMAIN_MEASURE_INDEX_DEF_H
#include "domain/measure/period.h"
#include "domain/pack/pack.h"
#include "num/composite/composite.h"

enum { INDEX_MAX_LEAVES = 256, INDEX_MAX_NODES = 400, INDEX_MAX_BANDS = 8, INDEX_MAX_DEPTH = 6 };

/* A colour: values from `from` up to the next band's. Severity ranks them, whatever the colours
 * are called in a city: 0 is the best. */
struct index_band {
    const char *name;
    struct text title;
    const char *color; /* "#1a6fb5" */
    int severity;
    double from;
};
/* How the weights among the children of a node are had. The last three are worked out from the
 * scores of the areas of the level in the period, and told with the value. */
enum index_weigh {
    INDEX_WEIGH_GIVEN,
    INDEX_WEIGH_AHP,     /* pairwise comparison, worked out when the text is read */
    INDEX_WEIGH_ENTROPY, /* more for what tells the areas apart */
    INDEX_WEIGH_PCA,     /* squared loadings by share of variance */
    INDEX_WEIGH_BOD      /* benefit of the doubt: mean over areas of the shares best for each */
};
const char *index_weigh_name(enum index_weigh w); /* "given", "ahp", "entropy", "pca", "bod" */
/* How the values of an indicator become scores between its goalposts. */
enum index_curve {
    INDEX_CURVE_LINEAR,
    INDEX_CURVE_LOG,    /* in ln(x + shift) */
    INDEX_CURVE_BOX_COX /* in ((x + shift)^lambda - 1) / lambda */
};
struct index_treat {
    enum index_curve curve;
    double shift, lambda; /* lambda NaN: of greatest likelihood over the areas of the period */
    unsigned winsorise;   /* most outlying areas brought to the next one; 0: none */
};
/* Leaves first, then groups, children before parents, the index itself last: the order of
 * composite_tree. */
struct index_node {
    const char *name;
    struct text title;
    int parent; /* -1: the index itself */
    double weight;
    const struct indicator_def *indicator; /* leaves; NULL: a group */
    enum index_weigh weigh;                /* of its children */
    double consistency;                    /* AHP: consistency ratio of the judgements; NaN: none */
    double least, most;                    /* BOD: share of a child */
    struct index_treat treat;              /* leaves */
    double low, high; /* goalposts of a leaf in its own unit: the worst and the best of a harmless
                         order; low < high, the direction is the indicator's */
};
struct index_def {
    const char *name, *file, *pack;
    struct text title, stands_for; /* one sentence: what it stands for */
    int64_t version;
    const char *valid_from; /* "" : always */
    int32_t valid_day;      /* the same as a day; INT32_MIN: always */
    const struct index_node *node;
    size_t n_leaves, n_nodes;
    const struct index_band *band; /* from the lowest value up */
    size_t n_bands;
    double hysteresis; /* a colour is left only when the value is this far beyond its border */
    unsigned levels;   /* bit per enum area_level */
    unsigned periods;  /* bit per enum period_kind */
    double missing;    /* least share of a group's weight that must have a value */
    struct composite_tree tree;
    struct composite_spec spec; /* goalposts 0..100, weights given, means by level */
    /* What is open to doubt, for rank intervals: weights vary by this share either way, the means
     * among these. */
    double doubt_weights;
    const struct composite_agg *doubt_means;
    size_t n_doubt_means;
    /* What a back-test asks whether it was foreseen, and what stands for the size of an area; NULL:
     * none. They take no part in the index. */
    const struct indicator_def *outcome, *population;
    unsigned char hash[32]; /* over the definition and its indicators' formulas */
};
struct index_set {
    const struct index_def *index;
    size_t n; /* by name, the newest edition of each */
    const struct index_def *edition;
    size_t n_editions; /* by name and version: all of them */
};
/* Reads the documents of the packs. Arena-owned. Errors: ERR_INVALID naming file and line. */
enum err_code index_load(struct arena *a, const struct pack_set *packs,
                         const struct index_set **out, struct err *err) NODISCARD;
const struct index_def *index_find(const struct index_set *s, const char *name);
/* The edition that a period beginning on that local day is formed by: the newest whose valid_from
 * is not later; the oldest when all are. NULL: there is no such index. */
const struct index_def *index_find_at(const struct index_set *s, const char *name, int32_t day);
/* The band of a value; `was` is the band before (-1: none), which holds within the hysteresis. NaN
 * gives -1. */
int index_band_of(const struct index_def *d, double value, int was);
#endif
