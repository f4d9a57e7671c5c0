/* base/rng.h - counter-based random numbers (Philox 4x32-10, Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"): the same (seed, stream, counter) gives the same bits on any
 * machine and thread. Not for secrets. */
#ifndef BASE_RNG_H
#define BASE_RNG_H
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t seed, stream, counter;
    uint32_t block[4];
    unsigned left;
};
struct rng rng_new(uint64_t seed, uint64_t stream);
uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
/* The same as n calls of rng_u64, faster. */
void rng_fill_u64(struct rng *r, uint64_t *out, size_t n);
uint32_t rng_below(struct rng *r, uint32_t n); /* unbiased, n >= 1 */
double rng_unit(struct rng *r);                /* [0, 1), 53 bits */
double rng_normal(struct rng *r);
double rng_exp(struct rng *r);
uint32_t rng_poisson(struct rng *r, double mean); /* exact; mean < 1e6 */
#endif
