#include "domain/measure/figure_floor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sized {
    int parent;
    double size;
    size_t at;
};

static int by_parent_and_size(const void *a, const void *b) {
    const struct sized *x = a, *y = b;
    if (x->parent != y->parent) return x->parent < y->parent ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* The siblings come smallest first: what is hidden is a prefix of them. */
static void hide_siblings(const struct sized *s, size_t n, unsigned char *hidden) {
    size_t k = 0;
    double sum = 0;
    while (k < n && s[k].size < FIGURE_FLOOR) sum += s[k++].size;
    if (k == 0) return;
    while (k < n && (k < 2 || sum < FIGURE_FLOOR)) sum += s[k++].size;
    for (size_t i = 0; i < k; i++) hidden[s[i].at] = 1;
}

enum err_code figure_floor(const struct indicator_def *d, const struct area_view *v,
                           const struct indicator_value *value, struct arena *a,
                           unsigned char *hidden, struct err *err) {
    memset(hidden, 0, v->n);
    if (!d->guarded) return ERR_OK;
    struct sized *s = ARENA_NEW(a, struct sized, v->n + 1);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "figures");
    for (size_t i = 0; i < v->n; i++) {
        double size = isnan(value[i].denominator) ? value[i].numerator : value[i].denominator;
        s[i] = (struct sized){v->area[i]->parent, isnan(size) ? 0 : size, i};
    }
    qsort(s, v->n, sizeof *s, by_parent_and_size);
    for (size_t from = 0, to = 0; from < v->n; from = to) {
        while (to < v->n && s[to].parent == s[from].parent) to++;
        hide_siblings(s + from, to - from, hidden);
    }
    return ERR_OK;
}
