#include "num/composite/what_if.h"

#include <string.h>

static enum err_code below_index(const struct composite_tree *t, uint32_t node, struct err *err) {
    if (node + 1 < t->n_node) return ERR_OK;
    return err_fail(err, ERR_INVALID, "the index itself has no weight to change");
}

enum err_code what_if_weights(const struct composite_tree *t, const double *base,
                              const struct what_if *w, double *weight, struct err *err) {
    memcpy(weight, base, t->n_node * sizeof *weight);
    for (size_t k = 0; k < w->n_weight; k++) {
        TRY(below_index(t, w->node[k], err));
        if (!(w->weight[k] >= 0.0 && w->weight[k] <= 1e300))
            return err_fail(err, ERR_INVALID, "%s: weight %g, expected 0 or more",
                            t->code[w->node[k]], w->weight[k]);
        weight[w->node[k]] = w->weight[k];
    }
    for (size_t k = 0; k < w->n_drop; k++) {
        TRY(below_index(t, w->drop[k], err));
        weight[w->drop[k]] = 0;
    }
    for (size_t i = 0; i < t->n_ind; i++) {
        uint32_t node = (uint32_t)i;
        while (t->parent[node] != COMPOSITE_NONE && weight[node] != 0.0) node = t->parent[node];
        if (t->parent[node] == COMPOSITE_NONE) return ERR_OK;
    }
    return err_fail(err, ERR_INVALID, "no indicator is left to rank by");
}

enum err_code what_if_run(const struct composite_plan *p, const struct composite_layer *l,
                          const double *weight, const struct composite_aggregate *base,
                          const struct what_if *w, struct arena *a, double *scratch, double *node,
                          uint32_t *rank, struct err *err) {
    double *changed = ARENA_NEW(a, double, p->tree->n_node);
    if (changed == NULL) return err_fail(err, ERR_NOMEM, "no memory for other weights");
    TRY(what_if_weights(p->tree, weight, w, changed, err));
    struct composite_draw d = {
        .layer = l, .weight = changed, .aggregate = w->aggregate == NULL ? base : w->aggregate};
    return composite_evaluate(p, &d, scratch, node, rank, err);
}

struct what_if_shift what_if_shift_of(const uint32_t *base, const uint32_t *rank, size_t n_area) {
    struct what_if_shift s = {.n = 0};
    double sum = 0;
    for (size_t i = 0; i < n_area; i++) {
        if (base[i] == 0 || rank[i] == 0) continue;
        uint32_t way = base[i] > rank[i] ? base[i] - rank[i] : rank[i] - base[i];
        s.n++;
        sum += way;
        s.n_moved += way > 0;
        if (way <= s.most) continue;
        s.most = way;
        s.which = i;
    }
    s.mean = s.n > 0 ? sum / (double)s.n : 0.0;
    return s;
}
