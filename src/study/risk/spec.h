/* study/risk/spec.h - what a risk model is asked to be: which columns mean what. From a YAML file,
 * from options of the command line, and inside a saved model: one table of fields serves all three.
 */
#ifndef STUDY_RISK_SPEC_H
#define STUDY_RISK_SPEC_H
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

enum risk_model {
    RISK_LOGISTIC,
    RISK_POISSON,
    RISK_NEGBIN,
    RISK_ELASTIC,
    RISK_TREES,
    RISK_COX,
    RISK_WEIBULL,
    RISK_EXPONENTIAL,
    RISK_LOGNORMAL,
    RISK_LOGLOGISTIC,
    RISK_POWER,
    RISK_LEYP,
    RISK_N_MODELS
};

enum { RISK_MAX_TERMS = 64, RISK_MAX_PARTS = 3, RISK_MAX_TEXT = 4096, RISK_MAX_NAME = 200 };

/* Every text is NULL when not given. A field of the same name stands in YAML and as an option. */
struct risk_spec {
    const char *model;    /* a word of risk_model_word */
    const char *response; /* column: events of the row, 0 or more (logistic, survival: 0 or not) */
    const char *terms;    /* "log(length) age factor(zone) age:material", apart by blanks */
    const char *start, *stop; /* columns: the row's span of age, for survival and repeated events */
    const char *upper;        /* column: lives between stop and upper (empty: not failed by stop) */
    const char *exposure; /* column: time or length the count is for; its logarithm is the offset */
    const char *offset;   /* column: added to the linear predictor */
    const char *weight, *cluster, *strata, *id;
    const char *earlier;    /* column: events before the row (LEYP) */
    const char *length;     /* column: for hit rates by length */
    const char *age, *last; /* columns of the baselines: age, and last year's count */
    const char *split;      /* column of the year (or date) that parts fitting from testing */
    const char *train_to;   /* last year (or date) that is fitted to */
    const char *ties;       /* efron or breslow */
    const char *calibrate;  /* platt or isotonic, learnt on the last period fitted to */
    const char *family;     /* elastic, trees: logistic or poisson */
    int64_t join_rare;      /* levels of factors with fewer fitted rows become one, "(other)" */
    int64_t folds;          /* > 0: cross-validation by rows (or clusters) instead of split */
    int64_t seed;
    double mix; /* elastic: 0 ridge .. 1 lasso */
};
void risk_spec_init(struct risk_spec *s);

/* One row a field: for YAML, for the command line's options, for JSON. */
enum risk_field_kind { RISK_TEXT, RISK_INT, RISK_NUMBER };
struct risk_field {
    const char *name; /* "train_to"; the option is --train-to */
    const char *option;
    enum risk_field_kind kind;
    size_t at; /* offset in struct risk_spec */
    const char *value, *help;
};
extern const struct risk_field risk_fields[];
extern const size_t risk_n_fields;

/* Read a spec in YAML over what is there. `name` stands in errors (with line and column). terms and
 * strata may be lists. A key "data" (path of the CSV) is put in *data when it is not NULL there. */
enum err_code risk_spec_parse(struct arena *a, const char *name, const char *p, size_t n,
                              struct risk_spec *s, const char **data, struct err *err) NODISCARD;
/* The same from a value tree (a saved model); `name` as above. */
enum err_code risk_spec_from_val(struct arena *a, const char *name, const struct val *v,
                                 struct risk_spec *s, const char **data, struct err *err) NODISCARD;
/* The model named, with its needs met: response, terms, start and stop for survival, ... */
enum err_code risk_spec_check(const struct risk_spec *s, enum risk_model *model,
                              struct err *err) NODISCARD;
void risk_spec_write(const struct risk_spec *s, struct jw *w);

const char *risk_model_word(enum risk_model m);
bool risk_model_is_survival(enum risk_model m); /* needs start and stop */
bool risk_model_is_life(enum risk_model m);     /* weibull .. loglogistic */

/* A term taken apart: log(length):material is two parts. */
enum risk_function { RISK_AS_IS, RISK_LOG, RISK_LOG1P, RISK_SQRT, RISK_SQUARE, RISK_FACTOR };
struct risk_part {
    enum risk_function function;
    const char *column;
};
struct risk_term {
    const char *text;
    size_t n_parts;
    struct risk_part part[RISK_MAX_PARTS];
};
struct risk_terms {
    size_t n;
    struct risk_term term[RISK_MAX_TERMS];
};
/* Errors: ERR_INVALID names the term and what is wrong with it. */
enum err_code risk_terms_parse(struct arena *a, const char *text, struct risk_terms *out,
                               struct err *err) NODISCARD;
#endif
