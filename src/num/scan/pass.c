#include "num/scan/pass.h"

#include <math.h>

#include "num/scan/gumbel.h"
#include "num/scan/window.h"

/* Most replicas between two questions whether to stop. */
enum { ROUND = 512, ROUND_SEQUENTIAL = 128 };

static int64_t sum_counts(const struct scan_count *c, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += c[i].n;
    return sum;
}

/* Brought to the total of cases and to multiples of a power of two below 2^-(52 - log2 total), so
 * that sums are exact in any order. */
static enum err_code scale_expected(struct scan_pass *p, struct err *err) {
    const struct scan_data *d = p->data;
    size_t n = d->n_places * d->n_slots;
    double sum = 0.0, total = (double)p->total;
    for (size_t i = 0; i < n; i++) {
        if (!(d->expected[i] >= 0.0) || !isfinite(d->expected[i]))
            return err_fail(err, ERR_INVALID, "place %zu: the expected cases are no number >= 0",
                            i / d->n_slots);
        if (d->left_out == NULL || !d->left_out[i / d->n_slots]) sum += d->expected[i];
    }
    if (!(sum > 0.0)) return err_fail(err, ERR_INVALID, "nothing is expected anywhere");
    double *e = window_keep(p->a, n, sizeof *e);
    if (e == NULL) return err_fail(err, ERR_NOMEM, "expected cases");
    double step = 1.0;
    while (total / step < 0x1p51) step /= 2.0;
    for (size_t i = 0; i < n; i++) {
        if (d->left_out != NULL && d->left_out[i / d->n_slots]) continue;
        e[i] = nearbyint(d->expected[i] * (total / sum) / step) * step;
        if (d->expected[i] > 0.0 && !(e[i] > 0.0)) e[i] = step;
    }
    for (size_t i = 0; i < d->n_cases; i++) {
        const struct scan_count *c = &d->cases[i];
        if (c->n > 0 && !(e[c->place * d->n_slots + c->slot] > 0.0))
            return err_fail(err, ERR_INVALID, "place %u has cases where none can be expected",
                            c->place);
    }
    p->expected = e;
    return ERR_OK;
}

static enum err_code measure_size(struct scan_pass *p, struct err *err) {
    const struct scan_data *d = p->data;
    double *size = window_keep(p->a, d->n_places, sizeof *size);
    if (size == NULL) return err_fail(err, ERR_NOMEM, "sizes of places");
    if (d->size != NULL) {
        for (size_t i = 0; i < d->n_places; i++) size[i] = d->size[i];
    } else if (d->model == SCAN_POISSON) {
        for (size_t i = 0; i < d->n_places * d->n_slots; i++)
            size[i / d->n_slots] += d->expected[i]; /* as given: whole numbers stay whole */
    } else {
        for (size_t i = 0; i < d->n_cases; i++) size[d->cases[i].place] += d->cases[i].n;
        for (size_t i = 0; i < d->n_controls; i++) size[d->controls[i].place] += d->controls[i].n;
    }
    p->total_size = 0.0;
    for (size_t i = 0; i < d->n_places; i++) {
        if (!(size[i] >= 0.0) || !isfinite(size[i]))
            return err_fail(err, ERR_INVALID, "the size of place %zu is no number >= 0", i);
        if (d->left_out != NULL && d->left_out[i]) size[i] = 0.0;
        p->total_size += size[i];
    }
    if (!(p->total_size > 0.0)) return err_fail(err, ERR_INVALID, "no place has any size");
    p->size = size;
    return ERR_OK;
}

static enum err_code build_windows(struct scan_pass *p, struct err *err) {
    if (p->options->analysis != SCAN_TEMPORAL)
        return scan_zones_build(p->data, p->options, p->size, p->total_size, p->run, p->a,
                                &p->zones, err);
    p->zones = (struct scan_zones){.n_lists = 1, .n_places = p->data->n_places, .n_zones = 1};
    p->zones.first = ARENA_NEW(p->a, size_t, 2);
    p->zones.center = ARENA_NEW(p->a, uint32_t, 1);
    p->zones.place = ARENA_NEW(p->a, uint32_t, 1);
    if (p->zones.first == NULL || p->zones.center == NULL || p->zones.place == NULL)
        return err_fail(err, ERR_NOMEM, "windows");
    return ERR_OK;
}

enum err_code scan_pass_kernel(const struct scan_pass *p, const struct scan_data *data,
                               struct arena *a, struct scan_kernel *out, struct err *err) {
    return p->options->analysis == SCAN_SPATIAL
               ? scan_spatial_kernel(data, p->options, &p->zones, p->expected, p->run, a, out, err)
               : scan_space_time_kernel(data, p->options, &p->zones, p->expected, p->run, a, out,
                                        err);
}

/* Besag and Clifford 1991: the run ends with the replica that is the h-th to reach the strongest
 * window; replicas after it, computed with the others of its round, do not count. */
static void stop_sequential(struct scan_pass *p, uint32_t h) {
    double top = p->n_chosen > 0 ? p->best[p->chosen[0]].llr : 0.0;
    uint32_t reached = 0;
    for (uint32_t r = 0; r < p->n_maxima; r++) {
        reached += p->maxima[r] >= top;
        if (reached < h) continue;
        p->stopped_early = r + 1 < p->options->replicas;
        p->n_maxima = r + 1;
        return;
    }
}

static enum err_code replicate(struct scan_pass *p, struct err *err) {
    const struct scan_options *o = p->options;
    bool sequential = o->p_mode == SCAN_P_SEQUENTIAL;
    uint32_t h = o->stop_after > 0 ? o->stop_after : (o->replicas + 1) / 20;
    if (h < 1) h = 1;
    p->maxima = window_keep(p->a, o->replicas, sizeof *p->maxima);
    if (p->maxima == NULL) return err_fail(err, ERR_NOMEM, "replicas");
    while (p->n_maxima < o->replicas && !p->stopped_early) {
        uint32_t n = sequential ? ROUND_SEQUENTIAL : ROUND;
        if (n > o->replicas - p->n_maxima) n = o->replicas - p->n_maxima;
        if (num_run_stopped(p->run))
            return err_fail(err, ERR_TIMEOUT, "stopped after %u replicas", p->n_maxima);
        TRY(p->kernel.replicate(p->kernel.self, p->run, o->seed, p->n_maxima, n, 0.0,
                                p->maxima + p->n_maxima, err));
        p->n_maxima += n;
        if (sequential) stop_sequential(p, h);
        num_run_tell(p->run, "replicas", (double)p->n_maxima / o->replicas);
    }
    return ERR_OK;
}

static enum err_code fit_gumbel(struct scan_pass *p, struct err *err) {
    double *sorted = window_keep(p->a, p->n_maxima, sizeof *sorted);
    if (sorted == NULL) return err_fail(err, ERR_NOMEM, "replicas");
    for (uint32_t r = 0; r < p->n_maxima; r++) sorted[r] = p->maxima[r];
    p->gumbel = scan_gumbel_fit(sorted, p->n_maxima, &p->gumbel_mu, &p->gumbel_beta);
    bool refused = p->options->p_mode == SCAN_P_GUMBEL && p->gumbel != SCAN_GUMBEL_FITTED;
    p->p_mode = refused ? SCAN_P_STANDARD : p->options->p_mode;
    return ERR_OK;
}

enum err_code scan_pass_run(struct scan_pass *p, struct err *err) {
    const struct scan_data *d = p->data;
    p->total = sum_counts(d->cases, d->n_cases);
    if (p->total < 1) return err_fail(err, ERR_INVALID, "there are no cases");
    if (p->total > INT32_MAX)
        return err_fail(err, ERR_LIMIT, "%lld cases; at most %d", (long long)p->total, INT32_MAX);
    if (d->model == SCAN_POISSON) TRY(scale_expected(p, err));
    TRY(measure_size(p, err));
    TRY(build_windows(p, err));
    TRY(scan_pass_kernel(p, d, p->a, &p->kernel, err));
    p->n_best = p->zones.n_lists + (p->options->also_temporal ? 1 : 0);
    p->best = window_keep(p->a, p->n_best, sizeof *p->best);
    p->chosen = window_keep(p->a, p->n_best, sizeof *p->chosen);
    if (p->best == NULL || p->chosen == NULL) return err_fail(err, ERR_NOMEM, "clusters");
    TRY(p->kernel.observe(p->kernel.self, p->run, p->best, err));
    TRY(scan_choose(d, p->options, &p->zones, p->best, p->n_best, p->chosen, &p->n_chosen, err));
    TRY(replicate(p, err));
    return fit_gumbel(p, err);
}

static void judge(const struct scan_pass *p, struct scan_cluster *c) {
    uint32_t reached = 0;
    for (uint32_t r = 0; r < p->n_maxima; r++) reached += p->maxima[r] >= c->llr;
    c->rank_in = reached + 1;
    c->p_value = NAN;
    if (p->n_maxima > 0)
        c->p_value = p->stopped_early ? (double)reached / p->n_maxima
                                      : (reached + 1.0) / (p->n_maxima + 1.0);
    c->p_gumbel = scan_gumbel_p(c->llr, p->gumbel_mu, p->gumbel_beta);
    c->p_mode = p->p_mode;
    if (p->p_mode == SCAN_P_GUMBEL) c->p_value = c->p_gumbel;
    c->recurrence_days = NAN;
    if (p->options->prospective && p->data->slot_days > 0.0)
        c->recurrence_days = p->data->slot_days / c->p_value;
}

static enum err_code tell_places(const struct scan_pass *p, size_t list, uint32_t len,
                                 struct scan_cluster *c, struct err *err) {
    const struct scan_zones *z = &p->zones;
    c->n_places = len > 0 ? len : p->data->n_places;
    uint32_t *places = window_keep(p->a, c->n_places, sizeof *places);
    if (places == NULL) return err_fail(err, ERR_NOMEM, "places of a cluster");
    for (size_t i = 0; i < c->n_places; i++)
        places[i] = len > 0 ? scan_zones_member(z, z->first[list] + i) : (uint32_t)i;
    c->places = places;
    c->ellipse_shape = 1.0;
    if (len == 0) return ERR_OK;
    c->center = z->center[list];
    if (z->shape != NULL) {
        c->ellipse_shape = z->shape[list];
        c->ellipse_angle = z->angle[list];
    }
    if (p->options->shape != SCAN_FLEXIBLE)
        c->radius = scan_zones_radius(p->data, z, list, len - 1);
    if (isnan(c->radius)) return err_fail(err, ERR_NOMEM, "radius of a cluster");
    return ERR_OK;
}

enum err_code scan_pass_clusters(const struct scan_pass *p, size_t iteration,
                                 struct scan_cluster *out, struct err *err) {
    double total = (double)p->total;
    for (size_t i = 0; i < p->n_chosen; i++) {
        size_t list = p->chosen[i];
        const struct scan_best *b = &p->best[list];
        out[i] = (struct scan_cluster){.low = b->low,
                                       .slot_first = b->slot_first,
                                       .slot_last = b->slot_last,
                                       .observed = b->observed,
                                       .expected = b->expected,
                                       .relative_risk = NAN,
                                       .llr = b->llr,
                                       .iteration = iteration};
        double c = (double)b->observed, e = b->expected;
        if (p->data->model != SCAN_PERMUTATION)
            out[i].relative_risk = c < total ? (c / e) / ((total - c) / (total - e)) : INFINITY;
        TRY(tell_places(p, list, b->len, &out[i], err));
        judge(p, &out[i]);
    }
    return ERR_OK;
}
