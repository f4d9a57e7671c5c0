/* Weights, treatments and means in the text of an index. */
#include <math.h>
#include <string.h>

#include "domain/measure/document.h"
#include "domain/measure/index_inside.h"
#include "num/composite/weigh.h"

static const char *const methods[] = {"given", "ahp", "entropy", "pca", "bod"};

const char *index_weigh_name(enum index_weigh w) { return methods[w]; }

static enum err_code number_of(const struct pack_document *doc, const struct val *v,
                               const char *key, double min, double max, double *out,
                               struct err *err) {
    struct err why = {0};
    return document_said(doc, v, val_double(v, key, false, min, max, out, &why), &why, err);
}

/* ---- pairwise comparison */

static enum err_code judgement(const struct pack_document *doc, const struct val *x, double *out,
                               struct err *err) {
    *out = x->type == VAL_INT ? (double)x->u.i : x->type == VAL_DOUBLE ? x->u.d : NAN;
    return *out > 0 ? ERR_OK : document_fault(doc, x, "expected numbers above 0", "ahp", err);
}

static enum err_code read_matrix(const struct pack_document *doc, const struct val *m, size_t n,
                                 double *matrix, struct err *err) {
    if (m->type != VAL_LIST || m->n != n)
        return document_fault(doc, m, "expected a row a child", "ahp", err);
    for (size_t i = 0; i < n; i++) {
        const struct val *row = &m->u.list[i];
        if (row->type != VAL_LIST || row->n != n)
            return document_fault(doc, row, "expected a square matrix", "ahp", err);
        for (size_t j = 0; j < n; j++)
            TRY(judgement(doc, &row->u.list[j], &matrix[i * n + j], err));
    }
    return ERR_OK;
}

/* Judgements that contradict each other are refused, unless the text says that somebody knows. */
static enum err_code read_ahp(const struct pack_document *doc, const struct val *m, bool accepted,
                              struct index_node *self, double *weight, size_t n, struct err *err) {
    double matrix[INDEX_MAX_JUDGED * INDEX_MAX_JUDGED];
    struct composite_ahp_told told = {0};
    struct err why = {0};
    if (n > INDEX_MAX_JUDGED)
        return document_fault(doc, m, "pairwise comparison takes at most 15 children", NULL, err);
    TRY(read_matrix(doc, m, n, matrix, err));
    TRY(document_said(doc, m, composite_weigh_ahp(matrix, n, false, weight, &told, &why), &why,
                      err));
    self->weigh = INDEX_WEIGH_AHP;
    self->consistency = told.cr;
    if (!told.inconsistent || accepted) return ERR_OK;
    return err_fail(err, ERR_INVALID,
                    "%s:%d: the judgements contradict each other: consistency ratio %.3f, above "
                    "0.1; accept_inconsistent: true keeps them",
                    doc->file, m->line, told.cr);
}

enum err_code index_text_weights(const struct pack_document *doc, const struct val *v,
                                 struct index_node *self, double *weight, size_t n,
                                 struct err *err) {
    static const char *const keys[] = {"method", "pairwise", "accept_inconsistent",
                                       "least",  "most",     NULL};
    const struct val *older = val_get(v, "ahp"), *w = val_get(v, "weights");
    const char *method = NULL;
    struct err why = {0};
    bool accepted = false;
    int at = -1;
    if (older != NULL) return read_ahp(doc, older, false, self, weight, n, err);
    if (w == NULL) return ERR_OK;
    TRY(document_known(doc, w, "weights", keys, err));
    TRY(document_text(doc, w, "method", true, &method, err));
    TRY(document_said(doc, w, val_bool(w, "accept_inconsistent", false, &accepted, &why), &why,
                      err));
    for (int i = 0; i <= INDEX_WEIGH_BOD; i++)
        if (strcmp(methods[i], method) == 0) at = i;
    if (at < 0)
        return document_fault(doc, val_get(w, "method"), "expected given, ahp, entropy, pca or bod",
                              method, err);
    self->weigh = (enum index_weigh)at;
    self->least = n == 0 ? 0 : 0.5 / (double)n;
    self->most = 1;
    TRY(number_of(doc, w, "least", 0, 1, &self->least, err));
    TRY(number_of(doc, w, "most", 0, 1, &self->most, err));
    if (self->least * (double)n > 1 || self->most * (double)n < 1)
        return document_fault(doc, w, "these shares cannot add up to 1", "least, most", err);
    const struct val *m = val_get(w, "pairwise");
    if (at != INDEX_WEIGH_AHP)
        return m == NULL ? ERR_OK
                         : document_fault(doc, m, "only ahp takes judgements", method, err);
    if (m == NULL) return document_fault(doc, w, "ahp needs its judgements in", "pairwise", err);
    return read_ahp(doc, m, accepted, self, weight, n, err);
}

/* ---- treatments */

enum err_code index_text_treat(const struct pack_document *doc, const struct val *v,
                               struct index_node *leaf, struct err *err) {
    static const char *const keys[] = {"curve", "shift", "lambda", "winsorise", NULL};
    const struct val *t = val_get(v, "treat");
    const char *curve = "";
    struct err why = {0};
    int64_t points = 0;
    leaf->treat = (struct index_treat){.lambda = NAN};
    if (t == NULL) return ERR_OK;
    TRY(document_known(doc, t, "treat", keys, err));
    TRY(document_text(doc, t, "curve", false, &curve, err));
    TRY(document_said(doc, t, val_int(t, "winsorise", false, 1, 20, &points, &why), &why, err));
    TRY(number_of(doc, t, "shift", 0, 1e12, &leaf->treat.shift, err));
    TRY(number_of(doc, t, "lambda", -5, 5, &leaf->treat.lambda, err));
    leaf->treat.winsorise = (unsigned)points;
    if (strcmp(curve, "log") == 0)
        leaf->treat.curve = INDEX_CURVE_LOG;
    else if (strcmp(curve, "box_cox") == 0)
        leaf->treat.curve = INDEX_CURVE_BOX_COX;
    else if (curve[0] != '\0')
        return document_fault(doc, val_get(t, "curve"), "expected log or box_cox", curve, err);
    if (leaf->treat.curve != INDEX_CURVE_LINEAR && !(leaf->low + leaf->treat.shift > 0))
        return document_fault(doc, t, "\"low\" and \"shift\" together must be above 0 for", curve,
                              err);
    return ERR_OK;
}

/* ---- means */

enum err_code index_text_mean(const struct pack_document *doc, const struct val *v,
                              struct composite_agg *out, struct err *err) {
    static const char *const keys[] = {"power", NULL};
    static const struct {
        const char *name;
        enum composite_agg_kind kind;
    } means[] = {{"arithmetic", COMPOSITE_ARITHMETIC},
                 {"geometric", COMPOSITE_GEOMETRIC},
                 {"harmonic", COMPOSITE_HARMONIC}};
    if (v->type == VAL_MAP) {
        TRY(document_known(doc, v, "a mean", keys, err));
        TRY(number_of(doc, v, "power", -10, 10, &out->power, err));
        out->kind = COMPOSITE_POWER;
        return out->power != 0 ? ERR_OK
                               : document_fault(doc, v, "a power mean needs a power that is not 0",
                                                "geometric is its limit there", err);
    }
    for (size_t i = 0; v->type == VAL_STR && i < sizeof means / sizeof *means; i++) {
        if (strcmp(means[i].name, v->u.s) != 0) continue;
        out->kind = means[i].kind;
        return ERR_OK;
    }
    return document_fault(doc, v, "expected arithmetic, geometric or harmonic, or {power: p}",
                          v->type == VAL_STR ? v->u.s : "", err);
}
