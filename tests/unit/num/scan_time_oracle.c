#include "scan_time_oracle.h"

#include <math.h>
#include <string.h>

static void shuffle(struct rng *r, uint32_t *v, size_t n) {
    for (size_t i = n; i > 1; i--) {
        size_t j = rng_below(r, (uint32_t)i);
        uint32_t x = v[j];
        v[j] = v[i - 1];
        v[i - 1] = x;
    }
}

/* Lists of random lengths (now and then none) in random order. */
static void make_zones(struct arena *a, struct rng *r, const struct toy_wish *w,
                       struct scan_zones *z) {
    size_t n = w->n_places;
    size_t *first = ARENA_NEW(a, size_t, n + 1);
    uint32_t *place = ARENA_NEW(a, uint32_t, n * n), *order = ARENA_NEW(a, uint32_t, n);
    uint32_t *center = ARENA_NEW(a, uint32_t, n), *first_len = ARENA_NEW(a, uint32_t, n);
    double *weight = ARENA_NEW(a, double, n);
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = 0; i < n; i++) {
        shuffle(r, order, n);
        size_t len = rng_below(r, (uint32_t)n + 1);
        memcpy(place + first[i], order, len * sizeof *place);
        first[i + 1] = first[i] + len;
        if (len > z->max_len) z->max_len = len;
        center[i] = (uint32_t)i;
        first_len[i] = 1 + rng_below(r, (uint32_t)(len / 2 + 1));
        if (rng_below(r, 4) == 0 && len > 0) first_len[i] = (uint32_t)len;
        weight[i] = 0.4 + 0.6 * rng_unit(r);
    }
    z->n_lists = z->n_places = n;
    z->first = first;
    z->place = place;
    z->center = center;
    if (w->first_len) z->first_len = first_len;
    if (w->weights) z->weight = weight;
}

static struct scan_count *make_rows(struct arena *a, struct rng *r, const struct toy_wish *w,
                                    size_t n, const double *expected) {
    struct scan_count *c = ARENA_NEW(a, struct scan_count, n + 1);
    for (size_t i = 0; i < n; i++) {
        do {
            c[i].place = rng_below(r, (uint32_t)w->n_places);
            c[i].slot = rng_below(r, (uint32_t)w->n_slots);
            /* A hot spot, so that windows of all sizes win. */
            if (rng_below(r, 3) == 0) {
                c[i].place %= 3;
                c[i].slot = (uint32_t)w->n_slots - 1 - c[i].slot % (uint32_t)(w->n_slots / 3 + 1);
            }
        } while (expected != NULL && !(expected[c[i].place * w->n_slots + c[i].slot] > 0.0));
        c[i].n = w->heavy > 0 ? 1 + rng_below(r, w->heavy) : 1 + (rng_below(r, 8) == 0);
    }
    return c;
}

/* Expectations as the contract wants them: multiples of a power of two, in all the cases. Uneven:
 * not a place's part times a slot's part, and zero here and there. */
static double *make_expected(struct arena *a, struct rng *r, const struct toy_wish *w) {
    size_t n = w->n_places * w->n_slots;
    double *e = ARENA_NEW(a, double, n);
    double *place = ARENA_NEW(a, double, w->n_places);
    for (size_t p = 0; p < w->n_places; p++) place[p] = 0.2 + rng_unit(r);
    for (size_t i = 0; i < n; i++) {
        e[i] = place[i / w->n_slots];
        if (w->uneven) e[i] *= rng_below(r, 5) == 0 ? 0.0 : 0.5 + rng_unit(r);
    }
    if (w->uneven) /* one place without anybody */
        for (size_t s = 0; s < w->n_slots; s++) e[(w->n_places - 1) * w->n_slots + s] = 0.0;
    return e;
}

static void scale_expected(struct toy *t) {
    size_t n = t->data.n_places * t->data.n_slots;
    double sum = 0.0, cases = 0.0;
    for (size_t i = 0; i < n; i++) sum += t->expected[i];
    for (size_t i = 0; i < t->n_case; i++) cases += t->cases[i].n;
    for (size_t i = 0; i < n; i++)
        t->expected[i] = nearbyint(t->expected[i] / sum * cases * 0x1p32) * 0x1p-32;
}

struct toy toy_new(struct arena *a, struct rng *r, const struct toy_wish *w) {
    struct toy t = {0};
    make_zones(a, r, w, &t.zones);
    if (w->model == SCAN_POISSON) t.expected = make_expected(a, r, w);
    t.n_case = w->n_case;
    t.cases = make_rows(a, r, w, w->n_case, t.expected);
    t.controls = make_rows(a, r, w, w->n_case * 2, NULL);
    t.data = (struct scan_data){.model = w->model,
                                .n_places = w->n_places,
                                .n_slots = w->n_slots,
                                .cases = t.cases,
                                .n_cases = w->n_case};
    if (w->model == SCAN_BERNOULLI) {
        t.data.controls = t.controls;
        t.data.n_controls = w->n_case * 2;
    }
    if (t.expected != NULL) scale_expected(&t);
    size_t half = w->n_slots / 2 > 0 ? w->n_slots / 2 : 1;
    t.options = (struct scan_options){.analysis = w->analysis,
                                      .prospective = w->prospective,
                                      .rates = w->rates,
                                      .max_slots = 1 + rng_below(r, (uint32_t)half),
                                      .also_spatial = w->spatial,
                                      .also_temporal = w->temporal,
                                      .min_cases = rng_below(r, 4)};
    t.options.min_slots = 1 + rng_below(r, (uint32_t)(t.options.max_slots + 1) / 2 + 1);
    if (t.options.min_slots > t.options.max_slots) t.options.min_slots = t.options.max_slots;
    return t;
}

double *toy_grid(const struct toy *t, struct arena *a, const struct scan_count *rows, size_t n) {
    double *g = ARENA_NEW(a, double, t->data.n_places * t->data.n_slots);
    for (size_t i = 0; i < n; i++) g[rows[i].place * t->data.n_slots + rows[i].slot] += rows[i].n;
    return g;
}

/* ---- the slow way, written from the papers and not from the kernel ---- */

struct window {
    double c, e, persons;
    double place_cases, slot_cases; /* permutation: margins */
};

static double plogp(double x, double y) { return x > 0.0 ? x * (log(x) - log(y)) : 0.0; }

static double ratio(const struct toy *t, const struct window *w, double cases, double persons) {
    if (t->data.model == SCAN_BERNOULLI) {
        double n = w->persons, rest = persons - n;
        if (n <= 0.0 || rest <= 0.0) return 0.0;
        return plogp(w->c, n) + plogp(n - w->c, n) + plogp(cases - w->c, rest) +
               plogp(rest - cases + w->c, rest) - plogp(cases, persons) -
               plogp(persons - cases, persons);
    }
    if (w->e <= 0.0 || w->e >= cases) return 0.0;
    return plogp(w->c, w->e) + plogp(cases - w->c, cases - w->e);
}

/* Windows are tried by fewest places, shortest, earliest: the first of equals stays. */
static void try_window(const struct toy *t, const struct window *w, double cases, double persons,
                       double weight, size_t len, size_t first, size_t last,
                       struct scan_best *best) {
    double e = t->data.model == SCAN_BERNOULLI ? w->persons * cases / persons : w->e;
    double least = t->options.min_cases > 0 ? t->options.min_cases : 2;
    bool high = w->c > e && w->c >= least && (t->options.rates & SCAN_HIGH) != 0;
    bool low = w->c < e && (t->options.rates & SCAN_LOW) != 0;
    if (!high && !low) return;
    double llr = weight * ratio(t, w, cases, persons);
    if (!(llr > best->llr + 1e-10 * (1.0 + llr)) || !(llr > 1e-12)) return;
    *best = (struct scan_best){.llr = llr,
                               .expected = e,
                               .observed = (int64_t)w->c,
                               .len = (uint32_t)len,
                               .slot_first = (uint32_t)first,
                               .slot_last = (uint32_t)last,
                               .low = low};
}

struct sums {
    const struct toy *t;
    const double *count;
    double cases, persons;
    double place;                     /* cases of the prefix */
    double *slot_c, *slot_e, *slot_n; /* of the prefix */
    double *all_c;                    /* of all places, in the data */
};

static void window_sum(const struct sums *s, size_t from, size_t to, struct window *w) {
    *w = (struct window){0};
    double slot = 0.0;
    for (size_t i = from; i <= to; i++) {
        w->c += s->slot_c[i];
        w->e += s->slot_e[i];
        w->persons += s->slot_n[i];
        slot += s->all_c[i];
    }
    /* Kulldorff et al. 2005, eq. 2. */
    if (s->t->data.model == SCAN_PERMUTATION) w->e = s->place * slot / s->cases;
}

static void try_prefix(const struct sums *s, double weight, size_t len, struct scan_best *best) {
    const struct scan_options *o = &s->t->options;
    size_t n_slots = s->t->data.n_slots;
    struct window w;
    for (size_t n = o->min_slots; n <= o->max_slots; n++) {
        for (size_t from = o->prospective ? n_slots - n : 0; from + n <= n_slots; from++) {
            window_sum(s, from, from + n - 1, &w);
            try_window(s->t, &w, s->cases, s->persons, weight, len, from, from + n - 1, best);
        }
    }
    if (!o->also_spatial || len == 0 || o->analysis == SCAN_TEMPORAL) return;
    window_sum(s, 0, n_slots - 1, &w);
    try_window(s->t, &w, s->cases, s->persons, weight, len, 0, n_slots - 1, best);
}

static void add_place(struct sums *s, const double *controls, size_t p) {
    size_t n = s->t->data.n_slots;
    for (size_t i = 0; i < n; i++) {
        double c = s->count[p * n + i];
        s->slot_c[i] += c;
        s->place += c;
        /* Persons stay where they are: those of the data, whoever is a case. */
        s->slot_n[i] += controls[p * n + i];
        s->slot_e[i] += s->t->expected != NULL ? s->t->expected[p * n + i] : 0.0;
    }
}

/* The best of all windows, or (only != NULL) that one window. */
static struct scan_best search(const struct toy *t, const double *count, size_t list,
                               const struct scan_best *only) {
    struct arena *a = arena_new((size_t)16 << 20);
    size_t n_slots = t->data.n_slots, n_places = t->data.n_places;
    struct sums s = {.t = t, .count = count};
    s.slot_c = ARENA_NEW(a, double, n_slots);
    s.slot_e = ARENA_NEW(a, double, n_slots);
    s.slot_n = ARENA_NEW(a, double, n_slots);
    s.all_c = ARENA_NEW(a, double, n_slots);
    double *people = toy_grid(t, a, t->cases, t->n_case);
    double *controls = toy_grid(t, a, t->data.controls, t->data.n_controls);
    for (size_t i = 0; i < n_places * n_slots; i++) {
        s.cases += people[i];
        s.all_c[i % n_slots] += people[i];
        people[i] += controls[i];
        s.persons += people[i];
    }
    struct scan_best best = {.llr = -1.0};
    const struct scan_zones *z = &t->zones;
    bool all = list == z->n_lists;
    double weight = z->weight != NULL && !all ? z->weight[list] : 1.0;
    size_t first_len = z->first_len != NULL && !all ? z->first_len[list] : 1;
    size_t n = all ? n_places : z->first[list + 1] - z->first[list];
    for (size_t i = 0; i < n; i++) {
        add_place(&s, people, all ? i : z->place[z->first[list] + i]);
        size_t len = i + 1 < n || !all ? i + 1 : 0;
        if (all ? len != 0 : len < first_len) continue;
        if (only == NULL) {
            try_prefix(&s, weight, len, &best);
        } else if (only->len == len) {
            struct window w;
            window_sum(&s, only->slot_first, only->slot_last, &w);
            try_window(t, &w, s.cases, s.persons, weight, len, only->slot_first, only->slot_last,
                       &best);
        }
    }
    arena_free(a);
    return best;
}

struct scan_best toy_best(const struct toy *t, const double *count, size_t list) {
    return search(t, count, list, NULL);
}

struct scan_best toy_window(const struct toy *t, const double *count, size_t list, size_t len,
                            size_t first, size_t last) {
    struct scan_best only = {
        .len = (uint32_t)len, .slot_first = (uint32_t)first, .slot_last = (uint32_t)last};
    return search(t, count, list, &only);
}
