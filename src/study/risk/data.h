/* study/risk/data.h - the numbers a spec names, read from a table: outcome, span, exposure, groups,
 * which rows are fitted to and which are held out. */
#ifndef STUDY_RISK_DATA_H
#define STUDY_RISK_DATA_H
#include "study/risk/spec.h"
#include "study/table/table.h"

struct risk_labels {
    size_t n;
    const char *const *label; /* sorted, different */
};
/* n_row of each; NULL where the spec names no column. */
struct risk_data {
    const struct table *table;
    size_t n;
    double *y; /* events of the row, >= 0 */
    double *start, *stop, *upper;
    double *offset; /* log(exposure) + offset */
    double *exposure, *weight, *earlier, *length, *age, *last;
    uint32_t *cluster, *stratum, *period; /* indices of labels */
    struct risk_labels clusters, strata, periods;
    bool *complete;   /* every named number is there */
    bool *held_out;   /* split later than train_to; NULL without split */
    size_t id_column; /* SIZE_MAX: none */
};
/* strata: labels of a saved model to use (NULL: learn); a row of another stratum is not complete.
 * with_response false: y is not read. Errors: ERR_INVALID by file, line and column. */
enum err_code risk_data_read(struct arena *a, const struct table *t, const struct risk_spec *s,
                             enum risk_model model, bool with_response,
                             const struct risk_labels *strata, struct risk_data *out,
                             struct err *err) NODISCARD;
#endif
