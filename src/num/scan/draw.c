#include "num/scan/draw.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "num/scan/window.h"

__extension__ typedef unsigned __int128 wide;

/* Shares above and below the mean are paired off: each entry keeps its own share of one n-th and
 * gives the rest to one other. */
static void pair_off(double *share, uint32_t *stack, size_t n, uint64_t *keep, uint32_t *other) {
    size_t n_small = 0, large = n;
    for (size_t i = 0; i < n; i++) {
        if (share[i] < 1.0)
            stack[n_small++] = (uint32_t)i;
        else
            stack[--large] = (uint32_t)i;
    }
    while (n_small > 0 && large < n) {
        uint32_t s = stack[--n_small], l = stack[large];
        keep[s] = (uint64_t)(share[s] * 0x1p64);
        other[s] = l;
        share[l] -= 1.0 - share[s];
        if (!(share[l] < 1.0)) continue;
        large++;
        stack[n_small++] = l;
    }
    /* What rounding leaves over is whole. */
    while (n_small > 0) keep[stack[--n_small]] = UINT64_MAX;
    while (large < n) keep[stack[large++]] = UINT64_MAX;
}

enum err_code scan_draw_multinomial(const double *expected, size_t n_places, uint32_t n_cases,
                                    struct arena *a, struct scan_draw *out, struct err *err) {
    uint64_t *keep = window_keep(a, n_places, sizeof *keep);
    uint32_t *other = window_keep(a, n_places, sizeof *other);
    uint32_t *stack = window_keep(a, n_places, sizeof *stack);
    double *share = window_keep(a, n_places, sizeof *share);
    if (keep == NULL || other == NULL || stack == NULL || share == NULL)
        return err_fail(err, ERR_NOMEM, "table of draws");
    double sum = 0.0;
    size_t largest = 0;
    for (size_t i = 0; i < n_places; i++) {
        sum += expected[i];
        if (expected[i] > expected[largest]) largest = i;
    }
    for (size_t i = 0; i < n_places; i++) {
        share[i] = expected[i] / sum * (double)n_places;
        other[i] = expected[i] > 0.0 ? (uint32_t)i : (uint32_t)largest;
    }
    pair_off(share, stack, n_places, keep, other);
    for (size_t i = 0; i < n_places; i++)
        if (!(expected[i] > 0.0)) keep[i] = 0;
    *out =
        (struct scan_draw){.n_places = n_places, .n_cases = n_cases, .keep = keep, .other = other};
    return ERR_OK;
}

enum err_code scan_draw_hypergeometric(const uint32_t *persons, size_t n_places, uint32_t n_cases,
                                       struct arena *a, struct scan_draw *out, struct err *err) {
    uint64_t n = 0;
    for (size_t i = 0; i < n_places; i++) n += persons[i];
    if (n > INT32_MAX)
        return err_fail(err, ERR_LIMIT, "%llu cases and controls; at most %d",
                        (unsigned long long)n, INT32_MAX);
    uint32_t *place_of = window_keep(a, n, sizeof *place_of);
    if (place_of == NULL) return err_fail(err, ERR_NOMEM, "table of draws");
    size_t at = 0;
    for (size_t i = 0; i < n_places; i++)
        for (uint32_t k = 0; k < persons[i]; k++) place_of[at++] = (uint32_t)i;
    *out = (struct scan_draw){
        .n_places = n_places, .n_cases = n_cases, .n_persons = (uint32_t)n, .place_of = place_of};
    return ERR_OK;
}

/* The fewer of cases and controls are drawn, each person once. */
static void draw_persons(const struct scan_draw *d, struct rng *r, uint64_t *taken,
                         uint32_t *picked, uint32_t *count) {
    bool cases = d->n_cases <= d->n_persons / 2;
    uint32_t n = cases ? d->n_cases : d->n_persons - d->n_cases;
    if (!cases)
        for (uint32_t i = 0; i < d->n_persons; i++) count[d->place_of[i]]++;
    for (uint32_t k = 0; k < n;) {
        uint32_t i = rng_below(r, d->n_persons);
        if (taken[i / 64] >> (i % 64) & 1U) continue;
        taken[i / 64] |= UINT64_C(1) << (i % 64);
        picked[k++] = i;
        if (cases)
            count[d->place_of[i]]++;
        else
            count[d->place_of[i]]--;
    }
    for (uint32_t k = 0; k < n; k++) taken[picked[k] / 64] = 0;
}

void scan_draw_counts(const struct scan_draw *d, struct rng *r, uint64_t *taken, uint32_t *picked,
                      uint32_t *count) {
    memset(count, 0, d->n_places * sizeof *count);
    if (d->other == NULL) {
        draw_persons(d, r, taken, picked, count);
        return;
    }
    uint64_t random[64];
    for (uint32_t c = 0; c < d->n_cases;) {
        uint32_t n = d->n_cases - c < 64 ? d->n_cases - c : 64;
        rng_fill_u64(r, random, n);
        for (uint32_t k = 0; k < n; k++) {
            /* The high half chooses the entry, the low half is even within it. */
            wide both = (wide)random[k] * d->n_places;
            size_t i = (size_t)(both >> 64);
            count[(uint64_t)both < d->keep[i] ? i : d->other[i]]++;
        }
        c += n;
    }
}
