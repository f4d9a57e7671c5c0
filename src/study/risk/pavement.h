/* study/risk/pavement.h - gezhi risk pavement: condition indices from a table of distresses by
 * configured curves, or curves fitted to published indices and judged on sections held out. */
#ifndef STUDY_RISK_PAVEMENT_H
#define STUDY_RISK_PAVEMENT_H
#include "base/buf.h"
#include "num/model/pavement.h"
#include "study/table/table.h"

enum { RISK_MAX_KINDS = 200 };

struct risk_pavement_spec {
    const char *section, *area, *distress, *severity, *quantity, *pci; /* columns; the last two may
                                                                          be NULL: severity, pci */
    bool fit;
    size_t n_knots;
    double knots[MODEL_PCI_MAX_KNOTS];
    double ridge, hold_out; /* share of sections kept for testing */
    int64_t seed;
    struct model_pci_config config; /* when not fitted */
    size_t n_kinds;
    const char *kind[RISK_MAX_KINDS]; /* "ALLIGATOR CRACKING H": distress, blank, severity */
    struct model_curve deduct[RISK_MAX_KINDS];
    double weight[RISK_MAX_KINDS];
};
/* Errors name file, line, column. *out is large; give it static or arena storage. */
enum err_code risk_pavement_parse(struct arena *a, const char *name, const char *p, size_t n,
                                  struct risk_pavement_spec *out, struct err *err) NODISCARD;

struct risk_pavement_error {
    size_t n;
    double rmse, mae, bias, within_10; /* share of sections within 10 points */
};
struct risk_pavement {
    size_t n_sections, n_distresses, n_no_quantity, n_unknown_kind, n_kinds;
    const char **section; /* n_sections, in order of the file */
    double *pci;          /* n_sections: by the curves */
    double *published;    /* NaN where there is none; NULL without the column */
    bool *held_out;
    bool fitted;
    struct model_pci_fitted fit;
    const char **kind;
    struct risk_pavement_error train, test, test_mean; /* test_mean: the mean of the others */
};
enum err_code risk_pavement_study(struct arena *a, const struct table *t,
                                  const struct risk_pavement_spec *s, struct risk_pavement *out,
                                  struct err *err) NODISCARD;
void risk_pavement_json(const struct risk_pavement *r, struct buf *b);
void risk_pavement_text(const struct risk_pavement *r, struct buf *b);
/* CSV section,pci,published,held_out. */
void risk_pavement_csv(const struct risk_pavement *r, struct buf *b);
/* The fitted curves as a configuration (JSON, which is YAML). */
void risk_pavement_config(const struct risk_pavement_spec *s, const struct risk_pavement *r,
                          struct buf *b);
#endif
