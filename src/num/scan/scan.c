#include "num/scan/scan.h"

#include <math.h>
#include <string.h>

#include "num/scan/check.h"
#include "num/scan/pass.h"
#include "num/scan/window.h"

/* The data without the clusters found before. */
struct rest {
    struct scan_data data;
    struct scan_count *cases, *controls;
    double *expected, *size;
    bool *left_out;
};

static void *copy(struct arena *a, const void *from, size_t n, size_t size) {
    void *p = window_keep(a, n, size);
    if (p != NULL && n > 0 && from != NULL) memcpy(p, from, n * size);
    return p;
}

static enum err_code rest_new(const struct scan_data *d, struct arena *a, struct rest *r,
                              struct err *err) {
    *r = (struct rest){.data = *d};
    r->cases = copy(a, d->cases, d->n_cases, sizeof *r->cases);
    r->controls = copy(a, d->controls, d->n_controls, sizeof *r->controls);
    r->left_out = copy(a, d->left_out, d->n_places, sizeof *r->left_out);
    size_t n_expected = d->expected != NULL ? d->n_places * d->n_slots : 0;
    r->expected = copy(a, d->expected, n_expected, sizeof *r->expected);
    r->size = copy(a, d->size, d->size != NULL ? d->n_places : 0, sizeof *r->size);
    if (r->cases == NULL || r->controls == NULL || r->left_out == NULL || r->expected == NULL ||
        r->size == NULL)
        return err_fail(err, ERR_NOMEM, "data of the next scan");
    r->data.cases = r->cases;
    r->data.controls = r->controls;
    r->data.left_out = r->left_out;
    if (d->expected != NULL) r->data.expected = r->expected;
    if (d->size != NULL) r->data.size = r->size;
    return ERR_OK;
}

static bool has_place(const struct scan_cluster *c, uint32_t place) {
    for (size_t i = 0; i < c->n_places; i++)
        if (c->places[i] == place) return true;
    return false;
}

static size_t drop_counts(const struct scan_cluster *c, struct scan_count *row, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool inside = row[i].slot >= c->slot_first && row[i].slot <= c->slot_last &&
                      has_place(c, row[i].place);
        if (!inside) row[kept++] = row[i];
    }
    return kept;
}

/* Zhang, Assuncao, Kulldorff 2010: the people and cases of the cluster are gone; places of which
 * nothing is left are gone as well. */
static void rest_without(struct rest *r, const struct scan_cluster *c) {
    size_t n_slots = r->data.n_slots;
    r->data.n_cases = drop_counts(c, r->cases, r->data.n_cases);
    r->data.n_controls = drop_counts(c, r->controls, r->data.n_controls);
    bool whole = c->slot_first == 0 && c->slot_last + 1 == n_slots;
    for (size_t i = 0; i < c->n_places; i++) {
        size_t place = c->places[i];
        if (whole) {
            r->left_out[place] = true;
            if (r->data.size != NULL) r->size[place] = 0.0;
        }
        if (r->data.expected != NULL)
            for (size_t s = c->slot_first; s <= c->slot_last; s++)
                r->expected[place * n_slots + s] = 0.0;
    }
}

static void tell_first(const struct scan_pass *p, struct scan_result *out) {
    out->total_cases = p->total;
    out->n_zones = p->zones.n_zones;
    out->replicas_run = p->n_maxima;
    out->stopped_early = p->stopped_early;
    out->p_mode = p->p_mode;
    out->gumbel = p->gumbel;
    out->gumbel_mu = p->gumbel_mu;
    out->gumbel_beta = p->gumbel_beta;
    out->replica_max = p->maxima;
}

/* Is there anything left to scan? */
static bool is_spent(const struct rest *r) {
    int64_t cases = 0;
    double expected = 0.0;
    for (size_t i = 0; i < r->data.n_cases; i++) cases += r->cases[i].n;
    if (r->data.expected == NULL) return cases < 2;
    for (size_t i = 0; i < r->data.n_places * r->data.n_slots; i++) expected += r->expected[i];
    return cases < 2 || !(expected > 0.0);
}

static enum err_code run_iterative(const struct scan_data *data, const struct scan_options *options,
                                   const struct num_run *run, struct arena *a,
                                   struct scan_result *out, struct err *err) {
    size_t most = options->max_clusters > 0 ? options->max_clusters : 100;
    struct scan_cluster *clusters = ARENA_NEW(a, struct scan_cluster, most);
    if (clusters == NULL) return err_fail(err, ERR_NOMEM, "clusters");
    struct scan_options o = *options;
    o.overlap = SCAN_ONLY_MOST_LIKELY;
    struct rest r;
    TRY(rest_new(data, a, &r, err));
    while (out->n_clusters < most) {
        struct scan_pass p = {.data = &r.data, .options = &o, .run = run, .a = a};
        TRY(scan_pass_run(&p, err));
        if (out->n_clusters == 0) tell_first(&p, out);
        if (p.n_chosen == 0) break;
        struct scan_cluster *c = &clusters[out->n_clusters];
        TRY(scan_pass_clusters(&p, out->n_clusters + 1, c, err));
        out->n_clusters++;
        if (!(c->p_value <= options->iterate_p)) break;
        rest_without(&r, c);
        if (is_spent(&r)) break;
    }
    out->clusters = clusters;
    return ERR_OK;
}

enum err_code scan_run(const struct scan_data *data, const struct scan_options *options,
                       const struct num_run *run, struct arena *a, struct scan_result *out,
                       struct err *err) {
    *out = (struct scan_result){0};
    TRY(scan_check(data, options, err));
    if (options->iterative) return run_iterative(data, options, run, a, out, err);
    struct scan_pass p = {.data = data, .options = options, .run = run, .a = a};
    TRY(scan_pass_run(&p, err));
    tell_first(&p, out);
    struct scan_cluster *clusters = ARENA_NEW(a, struct scan_cluster, p.n_chosen);
    if (clusters == NULL) return err_fail(err, ERR_NOMEM, "clusters");
    TRY(scan_pass_clusters(&p, 1, clusters, err));
    out->clusters = clusters;
    out->n_clusters = p.n_chosen;
    if (!options->location_f) return ERR_OK;
    double *f = window_keep(a, data->n_places, sizeof *f);
    if (f == NULL) return err_fail(err, ERR_NOMEM, "F of places");
    TRY(scan_location_f(&p, f, err));
    out->location_f = f;
    return ERR_OK;
}
