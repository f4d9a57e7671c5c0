#include "num/scan/spatial.h"

#include <math.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "num/scan/llr.h"
#include "num/scan/window.h"

enum { LISTS_A_TASK = 64, SAMPLE = 48, MOST_ROW8 = 255, MOST_DEVIATION = 32000 };

const struct spatial_lanes *spatial_lanes_best(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return &spatial_lanes_avx512;
    if (__builtin_cpu_supports("avx2")) return &spatial_lanes_avx2;
#endif
    return &spatial_lanes_plain;
}

void spatial_raise(struct spatial_batch *b, size_t lane, double llr) {
    double root = fmin(sqrt(llr), SPATIAL_CAP) * (1.0 - 1e-9);
    b->best[lane] = llr;
    b->root16[lane] = (uint16_t)(root * 4096.0);
    b->root[lane] = (float)(root * (1.0 - 1e-6));
}

struct observe {
    const struct spatial *k;
    struct scan_best *best;
};

static void observe_list(const struct spatial *k, size_t list, struct scan_best *out) {
    const struct scan_zones *z = k->zones;
    size_t begin = z->first[list], end = z->first[list + 1];
    size_t first_len = z->first_len != NULL ? z->first_len[list] : 1;
    double weight = z->weight != NULL ? z->weight[list] : 1.0, measure = 0.0;
    int64_t cases = 0;
    *out = (struct scan_best){.llr = -1.0};
    for (size_t i = begin; i < end; i++) {
        uint32_t place = scan_zones_member(z, i);
        measure += k->measure[place];
        cases += k->observed[place];
        if (i - begin + 1 < first_len) continue;
        double c = (double)cases, least = out->llr > 0.0 ? out->llr : 0.0;
        if (spatial_bound(&k->model, c, measure) * weight <= least) continue;
        double llr = spatial_llr(&k->model, c, measure) * weight;
        if (!(llr > least)) continue;
        *out = (struct scan_best){.llr = llr,
                                  .expected = measure * k->model.rate,
                                  .observed = cases,
                                  .len = (uint32_t)(i - begin + 1),
                                  .slot_last = (uint32_t)(k->data->n_slots - 1),
                                  .low = c < measure * k->model.rate};
    }
}

static void observe_task(void *arg, size_t i) {
    const struct observe *o = arg;
    size_t n_lists = o->k->zones->n_lists, to = (i + 1) * LISTS_A_TASK;
    for (size_t list = i * LISTS_A_TASK; list < to && list < n_lists; list++)
        observe_list(o->k, list, &o->best[list]);
}

static enum err_code observe(void *self, const struct num_run *run, struct scan_best *best,
                             struct err *err) {
    const struct spatial *k = self;
    struct observe o = {.k = k, .best = best};
    num_run_each(run, (k->zones->n_lists + LISTS_A_TASK - 1) / LISTS_A_TASK, observe_task, &o);
    return num_run_stopped(run) ? err_fail(err, ERR_TIMEOUT, "stopped at the data") : ERR_OK;
}

/* Replicas of one call. */
struct rounds {
    const struct spatial *k;
    const struct spatial_lanes *lanes;
    const struct num_run *run;
    uint64_t seed;
    uint32_t first, n;
    double at_least;
    double *maxima;
    atomic_bool no_memory, stopped;
};
/* Working memory of a batch, of mem_new. */
struct room {
    uint32_t *count, *picked;
    uint64_t *taken;
};

/* One column of the rows; false when they are too narrow for it. */
static bool put_lane(struct spatial_batch *b, size_t lane, const uint32_t *count) {
    const struct spatial *k = b->k;
    double above = 0.0, largest = 0.0;
    for (size_t p = 0; p < k->zones->n_places; p++) {
        double e = k->measure[p] * k->model.rate;
        if (count[p] > e) above += count[p] - e;
        if (e > largest) largest = e;
        if (count[p] > MOST_ROW8 / BLOCK) b->heavy = true;
        if (count[p] > MOST_ROW8) return false;
        b->row8[p * LANES + lane] = (uint8_t)count[p];
    }
    return above + BLOCK * largest < MOST_DEVIATION;
}

static bool fill_lanes(struct spatial_batch *b, const struct rounds *r, uint32_t first,
                       struct room *room) {
    size_t n_places = b->k->zones->n_places;
    for (size_t l = 0; l < LANES; l++) {
        if (l < b->n_lanes) {
            struct rng rng = rng_new(r->seed, first + l);
            scan_draw_counts(&b->k->draw, &rng, room->taken, room->picked, room->count);
        }
        if (b->row32 == NULL && !put_lane(b, l, room->count)) return false;
        for (size_t p = 0; b->row32 != NULL && p < n_places; p++)
            b->row32[p * LANES + l] = (int32_t)room->count[p];
    }
    return true;
}

static void scan_batch(struct spatial_batch *b, struct rounds *r) {
    spatial_scan *scan = b->row32 != NULL ? r->lanes->wide
                         : b->heavy       ? r->lanes->heavy
                                          : r->lanes->light;
    /* A few lists from everywhere first: later ones then have something to beat. */
    size_t n = b->k->zones->n_lists, step = n / SAMPLE + 1;
    for (size_t i = 0; i < n; i += step) scan(b, b->k->order[i]);
    for (size_t i = 0; i < n; i++) {
        if (i % step != 0) scan(b, b->k->order[i]);
        if (i % 1024 == 0 && num_run_stopped(r->run)) atomic_store(&r->stopped, true);
        if (i % 1024 == 0 && atomic_load(&r->stopped)) return;
    }
}

static bool room_new(const struct spatial *k, struct spatial_batch *b, struct room *room) {
    size_t n = k->zones->n_places;
    size_t n_persons = k->draw.other == NULL ? k->draw.n_persons : 0;
    b->row8 = mem_new(n * LANES, 1);
    room->count = mem_new(n, sizeof *room->count);
    room->taken = mem_new(n_persons / 64 + 1, sizeof *room->taken);
    room->picked = mem_new(n_persons / 2 + 1, sizeof *room->picked);
    return b->row8 != NULL && room->count != NULL && room->taken != NULL && room->picked != NULL;
}

static void batch_task(void *arg, size_t i) {
    struct rounds *r = arg;
    uint32_t done = (uint32_t)i * LANES, left = r->n - done;
    struct spatial_batch b = {.k = r->k, .n_lanes = left < LANES ? left : LANES};
    struct room room = {0};
    for (size_t l = 0; l < LANES; l++) spatial_raise(&b, l, l < b.n_lanes ? r->at_least : 1e9);
    bool whole = room_new(r->k, &b, &room);
    if (whole && !fill_lanes(&b, r, r->first + done, &room)) {
        b.row32 = mem_new(r->k->zones->n_places * LANES, sizeof *b.row32);
        whole = b.row32 != NULL && fill_lanes(&b, r, r->first + done, &room);
    }
    if (whole) {
        scan_batch(&b, r);
        for (size_t l = 0; l < b.n_lanes; l++)
            r->maxima[done + l] = b.best[l] > r->at_least ? b.best[l] : 0.0;
    } else {
        atomic_store(&r->no_memory, true);
    }
    mem_free(b.row8);
    mem_free(b.row32);
    mem_free(room.count);
    mem_free(room.taken);
    mem_free(room.picked);
}

static enum err_code replicate(void *self, const struct num_run *run, uint64_t seed, uint32_t first,
                               uint32_t n, double at_least, double *maxima, struct err *err) {
    struct spatial *k = self;
    if (k->block == NULL) TRY(spatial_blocks(k, run, err));
    struct rounds r = {.k = k,
                       .lanes = k->lanes,
                       .run = run,
                       .seed = seed,
                       .first = first,
                       .n = n,
                       .at_least = at_least,
                       .maxima = maxima};
    num_run_each(run, (n + LANES - 1) / LANES, batch_task, &r);
    if (atomic_load(&r.no_memory)) return err_fail(err, ERR_NOMEM, "replicas");
    if (atomic_load(&r.stopped)) return err_fail(err, ERR_TIMEOUT, "stopped among the replicas");
    return ERR_OK;
}

static enum err_code add_counts(const struct scan_count *row, size_t n, uint32_t *count,
                                struct err *err) {
    for (size_t i = 0; i < n; i++) {
        if (count[row[i].place] > INT32_MAX - row[i].n % INT32_MAX)
            return err_fail(err, ERR_LIMIT, "place %u: too many cases", row[i].place);
        count[row[i].place] += row[i].n;
    }
    return ERR_OK;
}

static enum err_code prepare_bernoulli(struct spatial *k, const struct scan_data *data,
                                       const uint32_t *cases, struct arena *a, struct err *err) {
    size_t n = data->n_places;
    uint32_t *persons = window_keep(a, n, sizeof *persons);
    double *measure = window_keep(a, n, sizeof *measure);
    if (persons == NULL || measure == NULL) return err_fail(err, ERR_NOMEM, "persons");
    TRY(add_counts(data->controls, data->n_controls, persons, err));
    for (size_t p = 0; p < n; p++) {
        persons[p] += cases[p];
        measure[p] = persons[p];
        k->model.persons += persons[p];
    }
    k->measure = measure;
    k->model.rate = k->model.cases / k->model.persons;
    return scan_draw_hypergeometric(persons, n, (uint32_t)k->model.cases, a, &k->draw, err);
}

static enum err_code prepare_poisson(struct spatial *k, const struct scan_data *data,
                                     const double *expected, struct arena *a, struct err *err) {
    size_t n = data->n_places;
    double *measure = window_keep(a, n, sizeof *measure);
    if (measure == NULL) return err_fail(err, ERR_NOMEM, "expected cases");
    for (size_t i = 0; i < n * data->n_slots; i++) measure[i / data->n_slots] += expected[i];
    k->measure = measure;
    k->model.rate = 1.0;
    return scan_draw_multinomial(measure, n, (uint32_t)k->model.cases, a, &k->draw, err);
}

enum err_code scan_spatial_kernel(const struct scan_data *data, const struct scan_options *options,
                                  const struct scan_zones *zones, const double *expected,
                                  const struct num_run *run, struct arena *a,
                                  struct scan_kernel *out, struct err *err) {
    (void)run;
    struct spatial *k = ARENA_NEW(a, struct spatial, 1);
    uint32_t *cases = window_keep(a, data->n_places, sizeof *cases);
    if (k == NULL || cases == NULL) return err_fail(err, ERR_NOMEM, "scan");
    TRY(add_counts(data->cases, data->n_cases, cases, err));
    k->model = (struct spatial_model){.kind = data->model,
                                      .min_cases = options->min_cases > 0 ? options->min_cases : 2,
                                      .high = (options->rates & SCAN_HIGH) != 0,
                                      .low = (options->rates & SCAN_LOW) != 0};
    for (size_t p = 0; p < data->n_places; p++) k->model.cases += cases[p];
    k->zones = zones;
    k->observed = cases;
    k->data = data;
    k->a = a;
    k->lanes = spatial_lanes_best();
    if (data->model == SCAN_BERNOULLI)
        TRY(prepare_bernoulli(k, data, cases, a, err));
    else
        TRY(prepare_poisson(k, data, expected, a, err));
    *out = (struct scan_kernel){.self = k, .observe = observe, .replicate = replicate};
    return ERR_OK;
}
