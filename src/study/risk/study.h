/* study/risk/study.h - gezhi risk: a fit with its evaluation, saved models, predictions, reports.
 */
#ifndef STUDY_RISK_STUDY_H
#define STUDY_RISK_STUDY_H
#include "base/buf.h"
#include "study/risk/evaluate.h"

struct risk_result {
    struct risk_fitted fit;
    struct risk_baseline baseline[RISK_N_BASELINES];
    bool evaluated;
    struct risk_evaluation evaluation;
};
/* Fit to the years up to train_to (or to all rows) and evaluate on later years, or by folds.
 * Without either nothing is evaluated and a note says so. */
enum err_code risk_study(struct arena *a, const struct table *t, const struct risk_spec *spec,
                         const struct num_run *run, struct risk_result *out,
                         struct err *err) NODISCARD;
/* A saved model on rows that came with what happened: only rows later than its train_to count when
 * the model was fitted by years. */
enum err_code risk_study_again(struct arena *a, const struct table *t,
                               const struct risk_result *saved, struct risk_evaluation *out,
                               struct err *err) NODISCARD;

/* JSON (schema: docs/statistics/risk.md) and plain text. evaluation may be NULL in the second pair.
 */
void risk_report_json(const struct risk_result *r, struct buf *b);
void risk_report_text(const struct risk_result *r, struct buf *b);
void risk_evaluation_json(const struct risk_evaluation *e, struct jw *w);
void risk_evaluation_text(const struct risk_evaluation *e, struct buf *b);

/* A model as a JSON file and back. Errors of reading: ERR_SYNTAX, ERR_INVALID naming the field. */
void risk_model_write(const struct risk_result *r, struct buf *b);
enum err_code risk_model_parse(struct arena *a, const char *name, const char *p, size_t n,
                               struct risk_result *out, struct err *err) NODISCARD;

/* CSV id,expected,chance,rank by falling expected (ties by row). top 0: all rows. */
enum err_code risk_predict_csv(struct arena *a, const struct risk_result *saved,
                               const struct table *t, size_t top, struct buf *out,
                               size_t *n_missing, size_t *n_unseen, struct err *err) NODISCARD;
#endif
