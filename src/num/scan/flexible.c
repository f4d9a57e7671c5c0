#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "num/scan/window.h"

enum { MOST_NEAR = 20 };

/* Nearest places of every centre, the centre first. */
struct near_lists {
    size_t k;
    uint32_t *place; /* n_centers x k */
    uint32_t *n;     /* n_centers */
};
/* The sets of one centre: bit b is its b-th nearest place. */
struct grower {
    const struct windows *w;
    const struct near_lists *near;
    uint32_t center, n;
    const uint32_t *place;
    uint32_t beside[MOST_NEAR]; /* which of the nearest share a border with each */
    double size[MOST_NEAR];
    struct found *found;
};
/* First pass: counts only (first == NULL). */
struct found {
    size_t n_sets, n_members, max_len;
    size_t *first;
    uint32_t *place, *center, *len;
};

static bool reached(const struct near_lists *near, uint32_t center, uint32_t place) {
    for (uint32_t i = 0; i < near->n[center]; i++)
        if (near->place[center * near->k + i] == place) return true;
    return false;
}

/* A set belongs to its member of the smallest number whose nearest places hold all of it: no set
 * is told twice. */
static bool is_ours(const struct grower *g, uint32_t set) {
    for (uint32_t i = 0; i < g->n; i++) {
        if (!(set >> i & 1U) || g->place[i] >= g->center) continue;
        bool all = true;
        for (uint32_t j = 0; j < g->n && all; j++)
            if (set >> j & 1U) all = reached(g->near, g->place[i], g->place[j]);
        if (all) return false;
    }
    return true;
}

static void tell(struct grower *g, uint32_t set) {
    struct found *f = g->found;
    size_t len = 0;
    bool peopled = false;
    for (uint32_t i = 0; i < g->n; i++) {
        if (!(set >> i & 1U)) continue;
        peopled = peopled || g->w->peopled[g->place[i]];
        if (f->first != NULL) f->place[f->n_members + len] = g->place[i];
        len++;
    }
    if (!peopled) return;
    if (f->first != NULL) {
        f->center[f->n_sets] = g->center;
        f->len[f->n_sets] = (uint32_t)len;
        f->first[f->n_sets + 1] = f->n_members + len;
    }
    f->n_members += len;
    f->n_sets++;
    if (len > f->max_len) f->max_len = len;
}

/* Sets that hold `set`, none of `barred`: each exactly once, since a neighbour is either taken or
 * barred for good. At most MOST_NEAR deep. */
// NOLINTNEXTLINE(misc-no-recursion)
static void grow(struct grower *g, uint32_t set, uint32_t barred, double size) {
    if (is_ours(g, set)) tell(g, set);
    uint32_t border = 0;
    for (uint32_t i = 0; i < g->n; i++)
        if (set >> i & 1U) border |= g->beside[i];
    border &= ~(set | barred);
    for (uint32_t i = 0; border != 0; i++) {
        if (!(border >> i & 1U)) continue;
        border &= ~(1U << i);
        if (size + g->size[i] <= g->w->max_size) grow(g, set | 1U << i, barred, size + g->size[i]);
        barred |= 1U << i;
    }
}

static void grow_center(struct grower *g, uint32_t center) {
    g->center = center;
    g->n = g->near->n[center];
    g->place = g->near->place + center * g->near->k;
    const struct window_graph *graph = &g->w->graph;
    for (uint32_t i = 0; i < g->n; i++) {
        g->beside[i] = 0;
        g->size[i] = g->w->size[g->place[i]];
        for (size_t e = graph->first[g->place[i]]; e < graph->first[g->place[i] + 1]; e++)
            for (uint32_t j = 0; j < g->n; j++)
                if (g->place[j] == graph->to[e]) g->beside[i] |= 1U << j;
    }
    if (g->n > 0 && g->size[0] <= g->w->max_size) grow(g, 1, 1, g->size[0]);
}

static enum err_code find_near(const struct windows *w, struct near_lists *near, struct arena *a,
                               struct err *err) {
    struct windows few = *w;
    few.max_members = near->k;
    few.max_size = INFINITY; /* the limit is on the sets */
    near->place = window_keep(a, w->n_centers * near->k, sizeof *near->place);
    near->n = window_keep(a, w->n_centers, sizeof *near->n);
    if (near->place == NULL || near->n == NULL) return err_fail(err, ERR_NOMEM, "neighbours");
    struct window_scratch s;
    TRY(window_scratch_init(&few, &s, err));
    for (size_t c = 0; c < w->n_centers; c++) {
        window_list(&few, 0, c, &s);
        near->n[c] = (uint32_t)s.n_members;
        memcpy(near->place + c * near->k, s.member, s.n_members * sizeof *s.member);
    }
    window_scratch_deinit(&s);
    return ERR_OK;
}

static enum err_code pass(struct grower *g, struct err *err) {
    for (size_t c = 0; c < g->w->n_centers; c++) {
        grow_center(g, (uint32_t)c);
        double bytes = (double)g->found->n_members * sizeof(uint32_t) +
                       (double)g->found->n_sets * (sizeof(size_t) + 2 * sizeof(uint32_t));
        TRY(num_run_afford(g->w->run, bytes, "the flexible windows (fewer places in one help)",
                           err));
        if (num_run_stopped(g->w->run))
            return err_fail(err, ERR_TIMEOUT, "stopped while the windows were made");
    }
    return ERR_OK;
}

enum err_code windows_flexible(const struct windows *w, struct arena *a, struct scan_zones *out,
                               struct err *err) {
    if (w->options->flexible_k < 1 || w->options->flexible_k > MOST_NEAR)
        return err_fail(err, ERR_INVALID, "a flexible window has 1 to %d places", MOST_NEAR);
    if (w->data->grid.n > 0 || w->data->place_of != NULL)
        return err_fail(err, ERR_INVALID,
                        "flexible windows have places as centres, one point each");
    struct near_lists near = {.k = w->options->flexible_k};
    TRY(find_near(w, &near, a, err));
    struct found count = {0};
    struct grower g = {.w = w, .near = &near, .found = &count};
    TRY(pass(&g, err));
    struct found found = {
        .first = window_keep(a, count.n_sets + 1, sizeof *found.first),
        .place = window_keep(a, count.n_members, sizeof *found.place),
        .center = window_keep(a, count.n_sets, sizeof *found.center),
        .len = window_keep(a, count.n_sets, sizeof *found.len),
    };
    if (found.first == NULL || found.place == NULL || found.center == NULL || found.len == NULL)
        return err_fail(err, ERR_NOMEM, "flexible windows");
    g.found = &found;
    TRY(pass(&g, err));
    *out = (struct scan_zones){.n_lists = found.n_sets,
                               .n_places = w->data->n_places,
                               .first = found.first,
                               .place = found.place,
                               .center = found.center,
                               .first_len = found.len,
                               .n_zones = found.n_sets,
                               .max_len = found.max_len};
    return ERR_OK;
}
