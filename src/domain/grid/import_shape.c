/* How the shapes of an import lie to each other, to what is there already, and to the areas. */
#include <math.h>
#include <string.h>

#include "domain/grid/import_int.h"

/* An area is the parent when it holds this much of the shape. */
static const double parent_share = 0.99;
/* Overlaps and gaps below this come from the rounding of coordinates; narrower ones than a lane are
 * slivers, made by drawing a common border twice. */
static const double least_m2 = 1, sliver_m = 3;
enum { WARNINGS_SHOWN = 50, WKB_MAX = 64 << 20 };

/* ---- the sets ---- */

static bool in_file(const struct run *r, const char *code) {
    size_t lo = 0, hi = r->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int d = strcmp(r->items[mid].code, code);
        if (d == 0) return true;
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static enum err_code wkb_of(struct run *r, const struct polygon *p, const void **wkb, size_t *n,
                            struct err *err) {
    struct buf b;
    buf_init(&b, WKB_MAX);
    polygon_to_wkb(p, &b);
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) {
        *wkb = arena_dup(r->a, buf_text(&b), b.n);
        *n = b.n;
        if (*wkb == NULL) rc = err_fail(err, ERR_NOMEM, "import");
    }
    buf_deinit(&b);
    return rc;
}

static enum err_code add_beside(struct run *r, const char *code, const char *name,
                                const struct polygon *shape, struct err *err) {
    if (shape == NULL || in_file(r, code)) return ERR_OK;
    struct item *i = &r->beside[r->n_beside++];
    *i = (struct item){.code = code, .name = name, .area = GRID_NONE, .share = NAN};
    return wkb_of(r, shape, &i->wkb, &i->wkb_n, err);
}

/* What stays as it is beside the shapes of the file: a layer grows county by county. */
static enum err_code find_beside(struct run *r, struct err *err) {
    const struct grid *g = r->grid;
    r->beside = ARENA_NEW(r->a, struct item, g->n_areas + g->n_cells);
    if (r->beside == NULL) return err_fail(err, ERR_NOMEM, "import");
    if (r->in->layer == NULL) {
        for (size_t i = 0; i < g->n_areas; i++) {
            const struct grid_area *a = &g->areas[i];
            if (a->level == r->level) TRY(add_beside(r, a->code, a->name, a->shape, err));
        }
        return ERR_OK;
    }
    for (size_t k = 0; k < g->n_layers; k++) {
        const struct grid_layer *l = &g->layers[k];
        if (strcmp(l->name, r->in->layer) != 0) continue;
        for (size_t i = 0; i < l->n_cells; i++) {
            const struct grid_cell *c = &g->cells[l->cells[i]];
            TRY(add_beside(r, c->code, c->name, l->shapes[i], err));
        }
    }
    return ERR_OK;
}

/* Areas that may stand above: with a shape, and of a higher level than what comes in. */
static enum err_code find_above(struct run *r, struct geo_shape *shape, int *area_of, size_t *n,
                                struct err *err) {
    for (size_t i = 0; i < r->grid->n_areas; i++) {
        const struct grid_area *a = &r->grid->areas[i];
        if (a->shape == NULL || (r->in->layer == NULL && a->level >= r->level)) continue;
        TRY(wkb_of(r, a->shape, &shape[*n].wkb, &shape[*n].n, err));
        area_of[(*n)++] = (int)i;
    }
    return ERR_OK;
}

/* ---- parents ---- */

static void settle(struct run *r, const int *area_of, bool by_shape) {
    for (size_t i = 0; i < r->n; i++) {
        struct item *it = &r->items[i];
        bool measured = it->area != GRID_NONE && r->grid->areas[it->area].shape != NULL;
        it->share = measured ? 0 : NAN;
    }
    for (size_t i = 0; i < r->n_found; i++) {
        const struct geo_finding *f = &r->found[i];
        if (f->relation != GEO_INSIDE || f->b < 0 || f->a < 0 || (size_t)f->a >= r->n) continue;
        struct item *it = &r->items[f->a];
        int area = area_of[f->b];
        if (!by_shape) {
            if (it->area == area) it->share = f->share;
            continue;
        }
        bool deeper =
            it->area == GRID_NONE || r->grid->areas[area].level > r->grid->areas[it->area].level;
        if (f->share < parent_share || !deeper) continue;
        it->area = area;
        it->share = f->share;
    }
}

static bool lies_elsewhere(const struct item *i) {
    return !isnan(i->share) && i->share < parent_share;
}

/* Of cells the column is at fault or the shape: nobody can tell, so neither is stored. */
static void check_given_parents(struct run *r) {
    for (size_t i = 0; i < r->n && r->in->layer != NULL; i++) {
        const struct item *it = &r->items[i];
        if (!lies_elsewhere(it)) continue;
        char what[160];
        (void)snprintf(what, sizeof what, "only %.1f %% of %s lies in its parent %s",
                       it->share * 100, it->code, it->parent == NULL ? "" : it->parent);
        import_problem(r, it->number, what, "");
    }
}

enum err_code import_shapes(struct run *r, const char *helper, struct err *err) {
    size_t n_above = 0;
    struct geo_shape *above = ARENA_NEW(r->a, struct geo_shape, r->grid->n_areas);
    int *area_of = ARENA_NEW(r->a, int, r->grid->n_areas);
    if (above == NULL || area_of == NULL) return err_fail(err, ERR_NOMEM, "import");
    TRY(find_above(r, above, area_of, &n_above, err));
    bool quiet = r->in->warnings == NULL;
    if (r->n == 0 || (n_above == 0 && quiet)) return ERR_OK;
    if (!quiet) TRY(find_beside(r, err));
    size_t n = r->n + r->n_beside;
    struct geo_shape *child = ARENA_NEW(r->a, struct geo_shape, n);
    if (child == NULL) return err_fail(err, ERR_NOMEM, "import");
    for (size_t i = 0; i < n; i++) {
        const struct item *it = i < r->n ? &r->items[i] : &r->beside[i - r->n];
        child[i] = (struct geo_shape){it->wkb, it->wkb_n};
    }
    struct geo_topology_options o = {.min_overlap_m2 = least_m2,
                                     .gaps = !quiet && r->in->layer != NULL};
    TRY(geo_topology(r->a, helper, child, n, above, n_above, &o, &r->found, &r->n_found, err));
    bool by_shape = r->in->layer != NULL ? r->in->parent_field == NULL : r->in->parent == NULL;
    settle(r, area_of, by_shape);
    check_given_parents(r);
    return ERR_OK;
}

/* ---- warnings ---- */

static const char *code_at(const struct run *r, int32_t i) {
    if (i < 0 || (size_t)i >= r->n + r->n_beside) return "";
    return (size_t)i < r->n ? r->items[i].code : r->beside[(size_t)i - r->n].code;
}

static bool next_line(struct run *r) { return r->out->warnings++ < WARNINGS_SHOWN; }

static void warn_finding(struct run *r, const struct geo_finding *f) {
    FILE *to = r->in->warnings;
    const char *thin = f->width_m < sliver_m ? "sliver, " : "";
    if (f->relation == GEO_GAP) {
        if (next_line(r))
            (void)fprintf(to, "%sgap: %.0f m2, %.1f m wide, at %.6f, %.6f\n", thin, f->area_m2,
                          f->width_m, f->lon, f->lat);
        return;
    }
    bool concerns = (size_t)f->a < r->n || (size_t)f->b < r->n; /* else both were there before */
    if (f->relation != GEO_OVERLAP || !concerns || !next_line(r)) return;
    (void)fprintf(to,
                  "%soverlap: %s and %s share %.0f m2 (%.2f %% of the first), %.1f m wide, at "
                  "%.6f, %.6f\n",
                  thin, code_at(r, f->a), code_at(r, f->b), f->area_m2, f->share * 100, f->width_m,
                  f->lon, f->lat);
}

void import_warn(struct run *r) {
    if (r->in->warnings == NULL) return;
    for (size_t i = 0; i < r->n_found; i++) warn_finding(r, &r->found[i]);
    for (size_t i = 0; i < r->n; i++) {
        const struct item *it = &r->items[i];
        if (!lies_elsewhere(it) || !next_line(r)) continue;
        (void)fprintf(r->in->warnings, "parent: only %.1f %% of %s lies in its parent %s\n",
                      it->share * 100, it->code, r->grid->areas[it->area].code);
    }
    if (r->out->warnings > WARNINGS_SHOWN)
        (void)fprintf(r->in->warnings, "%lld more warnings of this kind\n",
                      (long long)(r->out->warnings - WARNINGS_SHOWN));
}
