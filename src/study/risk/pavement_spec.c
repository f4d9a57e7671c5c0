/* The YAML of gezhi risk pavement. */
#include <math.h>
#include <string.h>

#include "base/yaml.h"
#include "study/risk/pavement.h"

static enum err_code at_value(const char *name, const struct val *v, const char *what,
                              struct err *err) {
    return err_fail(err, ERR_INVALID, "%s:%d:%d: %s", name, v->line, v->col, what);
}

static enum err_code placed(const char *name, const struct val *v, enum err_code rc,
                            struct err *err) {
    if (rc != ERR_INVALID || err == NULL) return rc;
    struct err first = *err;
    return err_fail(err, rc, "%s:%d:%d: %s: %s", name, v->line, v->col, first.field, first.detail);
}

static bool as_number(const struct val *v, double *out) {
    if (v->type != VAL_INT && v->type != VAL_DOUBLE) return false;
    *out = v->type == VAL_INT ? (double)v->u.i : v->u.d;
    return true;
}

/* [[x, y], ...] with x rising. */
static enum err_code read_curve(const char *name, const struct val *v, struct model_curve *c,
                                struct err *err) {
    static const char what[] = "a curve: expected a list of pairs [x, y] with x rising";
    if (v->type != VAL_LIST || v->n == 0 || v->n > MODEL_PCI_MAX_KNOTS)
        return at_value(name, v, what, err);
    c->n_knots = v->n;
    for (size_t i = 0; i < v->n; i++) {
        const struct val *p = &v->u.list[i];
        if (p->type != VAL_LIST || p->n != 2 || !as_number(&p->u.list[0], &c->at[i]) ||
            !as_number(&p->u.list[1], &c->value[i]) || (i > 0 && !(c->at[i] > c->at[i - 1])))
            return at_value(name, p, what, err);
    }
    return ERR_OK;
}

static enum err_code read_columns(const char *name, const struct val *top,
                                  struct risk_pavement_spec *s, struct err *err) {
    static const char *const keys[] = {"section",  "area", "distress", "severity",
                                       "quantity", "pci",  NULL};
    const struct val *v = val_get(top, "columns");
    if (v == NULL || v->type != VAL_MAP) return at_value(name, top, "\"columns\" is missing", err);
    TRY(placed(name, v, val_only(v, keys, err), err));
    TRY(placed(name, v, val_str(v, "section", true, 200, &s->section, err), err));
    TRY(placed(name, v, val_str(v, "area", true, 200, &s->area, err), err));
    TRY(placed(name, v, val_str(v, "distress", true, 200, &s->distress, err), err));
    TRY(placed(name, v, val_str(v, "quantity", true, 200, &s->quantity, err), err));
    TRY(placed(name, v, val_str(v, "severity", false, 200, &s->severity, err), err));
    return placed(name, v, val_str(v, "pci", false, 200, &s->pci, err), err);
}

static enum err_code read_fit(const char *name, const struct val *v, struct risk_pavement_spec *s,
                              struct err *err) {
    static const char *const keys[] = {"knots", "ridge", "hold_out", "seed", NULL};
    if (v->type != VAL_MAP) return at_value(name, v, "fit: expected fields", err);
    TRY(placed(name, v, val_only(v, keys, err), err));
    TRY(placed(name, v, val_double(v, "ridge", false, 1e-9, 1e9, &s->ridge, err), err));
    TRY(placed(name, v, val_double(v, "hold_out", false, 0.01, 0.9, &s->hold_out, err), err));
    TRY(placed(name, v, val_int(v, "seed", false, 0, INT64_MAX, &s->seed, err), err));
    const struct val *k = val_get(v, "knots");
    s->fit = true;
    if (k == NULL) return ERR_OK;
    if (k->type != VAL_LIST || k->n == 0 || k->n >= MODEL_PCI_MAX_KNOTS)
        return at_value(name, k, "knots: expected rising densities in percent", err);
    s->n_knots = k->n;
    for (size_t i = 0; i < k->n; i++)
        if (!as_number(&k->u.list[i], &s->knots[i]) ||
            !(s->knots[i] > (i == 0 ? 0 : s->knots[i - 1])))
            return at_value(name, k, "knots: expected rising densities in percent", err);
    return ERR_OK;
}

static enum err_code read_kinds(const char *name, const struct val *v, bool weights,
                                struct risk_pavement_spec *s, struct err *err) {
    if (v == NULL || v->type != VAL_MAP || v->n == 0 || v->n > RISK_MAX_KINDS)
        return err_fail(err, ERR_INVALID, "%s: \"%s\" is missing, or has more than %d kinds", name,
                        weights ? "weight" : "deduct", RISK_MAX_KINDS);
    for (size_t i = 0; i < v->n; i++) {
        const struct val *own = &v->u.map[i].v;
        s->kind[i] = v->u.map[i].key;
        if (!weights) TRY(read_curve(name, own, &s->deduct[i], err));
        if (weights && (!as_number(own, &s->weight[i]) || !(s->weight[i] >= 0)))
            return at_value(name, own, "expected a weight, 0 or more", err);
        for (size_t j = 0; !weights && j < s->deduct[i].n_knots; j++)
            if (!(s->deduct[i].at[j] > 0 && s->deduct[i].value[j] >= 0 &&
                  s->deduct[i].value[j] <= 100))
                return at_value(name, own, "expected densities above 0 and deducts 0 to 100", err);
    }
    s->n_kinds = v->n;
    return ERR_OK;
}

static enum err_code read_rule(const char *name, const struct val *top,
                               struct risk_pavement_spec *s, struct err *err) {
    const char *rule = NULL;
    TRY(placed(name, top, val_str(top, "rule", true, 40, &rule, err), err));
    bool product = strcmp(rule, "product") == 0, corrected = strcmp(rule, "corrected") == 0;
    if (!product && !corrected && strcmp(rule, "ratio") != 0)
        return at_value(name, val_get(top, "rule"), "expected product, corrected or ratio", err);
    s->config.rule = product     ? MODEL_PCI_PRODUCT
                     : corrected ? MODEL_PCI_CORRECTED
                                 : MODEL_PCI_RATIO;
    if (s->config.rule == MODEL_PCI_RATIO) {
        TRY(placed(name, top, val_double(top, "a0", true, 1e-6, 100, &s->config.a0, err), err));
        TRY(placed(name, top, val_double(top, "a1", true, 1e-6, 10, &s->config.a1, err), err));
        return read_kinds(name, val_get(top, "weight"), true, s, err);
    }
    const struct val *list = val_get(top, "corrected");
    if (corrected &&
        (list == NULL || list->type != VAL_LIST || list->n == 0 || list->n > MODEL_PCI_MAX_Q))
        return at_value(name, top, "\"corrected\": expected 1 to 16 curves", err);
    s->config.n_corrected = corrected ? list->n : 0;
    for (size_t i = 0; i < s->config.n_corrected; i++)
        TRY(read_curve(name, &list->u.list[i], &s->config.corrected[i], err));
    return read_kinds(name, val_get(top, "deduct"), false, s, err);
}

enum err_code risk_pavement_parse(struct arena *a, const char *name, const char *p, size_t n,
                                  struct risk_pavement_spec *s, struct err *err) {
    static const char *const keys[] = {"columns", "fit", "rule", "deduct", "corrected",
                                       "weight",  "a0",  "a1",   NULL};
    static const double knots[] = {0.1, 1, 10, 100};
    const struct val *top = NULL;
    memset(s, 0, sizeof *s);
    s->ridge = 10;
    s->hold_out = 0.25;
    s->seed = 1;
    s->n_knots = 4;
    memcpy(s->knots, knots, sizeof knots);
    TRY(yaml_parse(a, name, p, n, &top, err));
    if (top->type != VAL_MAP)
        return err_fail(err, ERR_INVALID, "%s: expected columns, and fit or rule", name);
    TRY(placed(name, top, val_only(top, keys, err), err));
    TRY(read_columns(name, top, s, err));
    const struct val *fit = val_get(top, "fit");
    if (fit == NULL) return read_rule(name, top, s, err);
    TRY(read_fit(name, fit, s, err));
    return s->pci != NULL ? ERR_OK
                          : at_value(name, fit, "fit: columns has to name the published pci", err);
}
