#include "num/composite/composite.h"

static enum err_code check_nodes(const struct composite_tree *t, struct err *err) {
    if (t->n_ind == 0 || t->n_node <= t->n_ind || t->n_level < 2 ||
        t->n_level > COMPOSITE_MAX_LEVELS || t->n_node >= COMPOSITE_NONE)
        return err_fail(err, ERR_INVALID,
                        "the framework has %zu indicators, %zu nodes and %zu levels; expected at "
                        "least one indicator, an index above it and at most %d levels",
                        t->n_ind, t->n_node, t->n_level, COMPOSITE_MAX_LEVELS);
    for (size_t i = 0; i < t->n_node; i++) {
        bool is_index = i + 1 == t->n_node;
        if ((t->level[i] == 1) != (i < t->n_ind) || t->level[i] < 1 || t->level[i] > t->n_level ||
            (i > 0 && t->level[i] < t->level[i - 1]))
            return err_fail(err, ERR_INVALID, "%s: level %d is out of order", t->code[i],
                            (int)t->level[i]);
        if (is_index != (t->parent[i] == COMPOSITE_NONE) || is_index != (t->level[i] == t->n_level))
            return err_fail(err, ERR_INVALID, "%s: exactly the index stands at the top",
                            t->code[i]);
        if (!is_index && (t->parent[i] >= t->n_node || t->level[t->parent[i]] <= t->level[i]))
            return err_fail(err, ERR_INVALID, "%s: its parent stands no higher than itself",
                            t->code[i]);
        if (!(t->weight[i] >= 0) || t->weight[i] > 1e300)
            return err_fail(err, ERR_INVALID, "%s: weight %g, expected 0 or more", t->code[i],
                            t->weight[i]);
        if (i < t->n_ind && t->direction[i] != 1 && t->direction[i] != -1)
            return err_fail(err, ERR_INVALID, "%s: direction %d, expected 1 or -1", t->code[i],
                            (int)t->direction[i]);
    }
    return ERR_OK;
}

enum err_code composite_tree_init(struct composite_tree *t, struct arena *a, struct err *err) {
    TRY(check_nodes(t, err));
    uint32_t *first = ARENA_NEW(a, uint32_t, t->n_node + 1);
    uint32_t *child = ARENA_NEW(a, uint32_t, t->n_node);
    uint32_t *at = ARENA_NEW(a, uint32_t, t->n_node);
    if (first == NULL || child == NULL || at == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for a framework of %zu nodes", t->n_node);
    for (size_t i = 0; i + 1 < t->n_node; i++) first[t->parent[i] + 1]++;
    for (size_t i = 0; i < t->n_node; i++) first[i + 1] += at[i] = first[i];
    for (size_t i = 0; i + 1 < t->n_node; i++) child[at[t->parent[i]]++] = (uint32_t)i;
    for (size_t i = t->n_ind; i < t->n_node; i++) {
        double sum = 0;
        for (uint32_t c = first[i]; c < first[i + 1]; c++) sum += t->weight[child[c]];
        if (first[i] == first[i + 1])
            return err_fail(err, ERR_INVALID, "%s: nothing stands below it", t->code[i]);
        if (!(sum > 0))
            return err_fail(err, ERR_INVALID, "%s: the weights below it sum to 0", t->code[i]);
    }
    t->first = first;
    t->child = child;
    return ERR_OK;
}

void composite_effective_weights(const struct composite_tree *t, const double *weight,
                                 double *effective) {
    for (size_t i = 0; i < t->n_ind; i++) {
        effective[i] = 1;
        for (uint32_t node = (uint32_t)i; t->parent[node] != COMPOSITE_NONE;
             node = t->parent[node]) {
            uint32_t up = t->parent[node];
            double sum = 0;
            for (uint32_t c = t->first[up]; c < t->first[up + 1]; c++) sum += weight[t->child[c]];
            /* A branch of which nothing was kept has no share. */
            effective[i] *= weight[node] == 0 ? 0 : weight[node] / sum;
        }
    }
}

enum err_code composite_tree_flatten(const struct composite_tree *t, struct arena *a,
                                     struct composite_tree *out, struct err *err) {
    size_t n = t->n_ind + 1;
    const char **code = ARENA_NEW(a, const char *, n);
    uint8_t *level = ARENA_NEW(a, uint8_t, n);
    uint32_t *parent = ARENA_NEW(a, uint32_t, n);
    double *weight = ARENA_NEW(a, double, n);
    if (code == NULL || level == NULL || parent == NULL || weight == NULL)
        return err_fail(err, ERR_NOMEM, "no memory for a framework of %zu nodes", n);
    composite_effective_weights(t, t->weight, weight);
    for (size_t i = 0; i < t->n_ind; i++) {
        code[i] = t->code[i];
        level[i] = 1;
        parent[i] = (uint32_t)t->n_ind;
    }
    code[t->n_ind] = t->code[t->n_node - 1];
    level[t->n_ind] = 2;
    parent[t->n_ind] = COMPOSITE_NONE;
    weight[t->n_ind] = 1;
    *out = (struct composite_tree){.n_ind = t->n_ind,
                                   .n_node = n,
                                   .n_level = 2,
                                   .code = code,
                                   .level = level,
                                   .parent = parent,
                                   .direction = t->direction,
                                   .weight = weight};
    return composite_tree_init(out, a, err);
}
