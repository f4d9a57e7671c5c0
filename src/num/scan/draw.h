/* num/scan/draw.h - cases of the null hypothesis, conditional on their total. */
#ifndef NUM_SCAN_DRAW_H
#define NUM_SCAN_DRAW_H
#include "base/arena.h"
#include "base/rng.h"

/* Poisson: multinomial by Walker's alias method (1977, in the form of Vose 1991). Bernoulli:
 * hypergeometric, n_cases of the persons without replacement. */
struct scan_draw {
    size_t n_places;
    uint32_t n_cases;
    const uint64_t *keep;  /* share of 2^64 */
    const uint32_t *other; /* n_places each; NULL: hypergeometric */
    uint32_t n_persons;
    const uint32_t *place_of; /* n_persons */
};
enum err_code scan_draw_multinomial(const double *expected, size_t n_places, uint32_t n_cases,
                                    struct arena *a, struct scan_draw *out,
                                    struct err *err) NODISCARD;
enum err_code scan_draw_hypergeometric(const uint32_t *persons, size_t n_places, uint32_t n_cases,
                                       struct arena *a, struct scan_draw *out,
                                       struct err *err) NODISCARD;
/* count: n_places, overwritten. taken: n_persons / 64 + 1 words, all zero before and after;
 * picked: n_persons / 2 + 1. Both for the hypergeometric draw only. */
void scan_draw_counts(const struct scan_draw *d, struct rng *r, uint64_t *taken, uint32_t *picked,
                      uint32_t *count);
#endif
