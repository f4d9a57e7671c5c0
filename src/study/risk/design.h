/* study/risk/design.h - from a table's columns to the numbers a model takes: functions, factors by
 * levels, interactions; missing values told. The same code serves fitting and predicting, so a
 * saved model reads new rows as it read those it was fitted to. */
#ifndef STUDY_RISK_DESIGN_H
#define STUDY_RISK_DESIGN_H
#include "study/risk/spec.h"
#include "study/table/table.h"

enum { RISK_MAX_LEVELS = 200, RISK_MAX_COLUMNS = 400, RISK_MAX_SOURCES = 128 };

/* A column of the table that terms use. */
struct risk_source {
    const char *column;
    bool factor;
    size_t n_levels;
    const char *const *level; /* sorted; the first is the one others are compared with */
};
struct risk_column {
    const char *name; /* "log(length)", "materialCI", "age:materialCI" */
    size_t term;
    uint16_t level[RISK_MAX_PARTS]; /* of each factor part */
};
struct risk_design {
    struct risk_terms terms;
    bool intercept; /* column 0 is ones */
    size_t n_sources;
    struct risk_source source[RISK_MAX_SOURCES];
    size_t part_source[RISK_MAX_TERMS][RISK_MAX_PARTS];
    size_t n_columns;
    struct risk_column *column;
};
/* Learn sources and levels from the rows of t with use[i] (NULL: all). A column whose cells are all
 * numbers (or empty) is a number unless factor() is asked for. Levels with fewer than join_rare
 * rows become one level "(other)", which later also takes levels not seen here. Errors: ERR_INVALID
 * (no such column, logarithm of 0 in a used row with its line, over RISK_MAX_LEVELS levels),
 * ERR_NOMEM. */
enum err_code risk_design_learn(struct arena *a, const char *terms, bool intercept,
                                size_t join_rare, const struct table *t, const bool *use,
                                struct risk_design *out, struct err *err) NODISCARD;
/* From given sources (a saved model): terms parsed, columns made. */
enum err_code risk_design_make(struct arena *a, const char *terms, bool intercept,
                               const struct risk_source *sources, size_t n_sources,
                               struct risk_design *out, struct err *err) NODISCARD;
/* x: n_row x n_columns. missing[i]: a needed cell is empty (its row of x is zeros). *n_unseen
 * (may be NULL) counts cells with a level that was not there when learning: they are taken as the
 * first level. */
enum err_code risk_design_fill(struct arena *a, const struct risk_design *d, const struct table *t,
                               double *x, bool *missing, size_t *n_unseen,
                               struct err *err) NODISCARD;
#endif
