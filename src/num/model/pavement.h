/* num/model/pavement.h - pavement condition index from surveyed distresses, and fitting one's own
 * deduct-value curves to a city's published indices. Pure, any thread.
 * A curve gives the deduct (0..100) of one distress at one severity by its density in percent, as
 * straight lines in log10(density) between knots. ASTM D6433's curves are its publisher's and are
 * not here: curves are the caller's data.
 * Sources: Shahin 2005 and ASTM D6433 (procedure of the corrected deduct: allowed number of
 * deducts m = 1 + (9/98)(100 - highest), smallest above 2 set to 2, largest corrected value wins);
 * JTG 5210-2018 (PCI = 100 - a0 DR^a1; unconfirmed). */
#ifndef NUM_MODEL_PAVEMENT_H
#define NUM_MODEL_PAVEMENT_H
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum { MODEL_PCI_MAX_KNOTS = 32, MODEL_PCI_MAX_Q = 16 };

struct model_curve {
    size_t n_knots;                 /* 1.. */
    double at[MODEL_PCI_MAX_KNOTS]; /* rising */
    double value[MODEL_PCI_MAX_KNOTS];
};
enum model_pci_rule {
    MODEL_PCI_PRODUCT,   /* 100 times the product of (1 - deduct / 100) */
    MODEL_PCI_CORRECTED, /* 100 - largest corrected deduct (the procedure of ASTM D6433) */
    MODEL_PCI_RATIO      /* 100 - a0 (sum of weight x density)^a1 (the form of JTG 5210) */
};
struct model_pci_config {
    enum model_pci_rule rule;
    size_t n_kinds; /* a kind is one distress at one severity */
    const struct model_curve
        *deduct;        /* n_kinds; density in percent -> deduct. PRODUCT, CORRECTED */
    size_t n_corrected; /* CORRECTED: curve q - 1 turns the sum of q deducts */
    struct model_curve corrected[MODEL_PCI_MAX_Q]; /* total deduct -> corrected deduct */
    const double *weight;                          /* RATIO: n_kinds */
    double a0, a1;
};
/* One distress found in a section. */
struct model_distress {
    size_t section; /* 0..n_sections-1 */
    size_t kind;    /* 0..n_kinds-1 */
    double density; /* percent of the section, > 0; those of one kind are added up */
};
/* Value of a curve: flat beyond its ends; log10 of the density unless linear. */
double model_curve_at(const struct model_curve *c, double x, bool linear);
/* Index 0..100 of each section (100: no distress). Errors: ERR_INVALID (numbers out of range,
 * curves missing), ERR_NOMEM. */
enum err_code model_pci(struct arena *a, const struct model_pci_config *config,
                        const struct model_distress *found, size_t n_found, double *pci,
                        size_t n_sections, struct err *err) NODISCARD;

/* Curves for MODEL_PCI_PRODUCT that come nearest to published indices: least squares on the index
 * (Gauss-Newton), each curve rising from 0 over the same knots (percent, n_knots of them), every
 * rise >= 0, with a small pull (ridge) that keeps rarely seen kinds low. Sections with use[i] false
 * are left out (held for testing). */
struct model_pci_fitted {
    size_t n_kinds, n_used, iterations;
    bool converged;
    struct model_curve *deduct; /* n_kinds */
    size_t *n_seen;             /* n_kinds: used sections that show the kind */
    double rmse;                /* on the used sections */
};
enum err_code model_pci_fit(struct arena *a, const struct model_distress *found, size_t n_found,
                            size_t n_kinds, const double *pci, const bool *use, size_t n_sections,
                            const double *knots, size_t n_knots, double ridge,
                            struct model_pci_fitted *out, struct err *err) NODISCARD;
#endif
