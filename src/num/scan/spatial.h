/* num/scan/spatial.h - inside of the purely spatial kernel.
 *
 * The search. A batch of LANES replicas is scanned at once, one lane each. The members of a list
 * are looked at in blocks of BLOCK: within a block the cases only grow, so the cases at its end
 * against the least that any of its zones needs to beat the best one of the lane (llr.h) tell
 * whether a closer look is due. The closer look does the same zone by zone; only zones that pass it
 * are computed exactly. So every maximum is exact, whatever passes.
 *
 * Counts in a lane are kept as deviations from the whole part of the expectation at the border of
 * the block. A deviation of any zone is at most the sum of the positive deviations of all places,
 * which is counted for each draw: when it fits 16 bits so does everything; otherwise, or when a
 * place has more than 255 cases, the batch is scanned in 32 bits. */
#ifndef NUM_SCAN_SPATIAL_H
#define NUM_SCAN_SPATIAL_H
#include "num/scan/draw.h"
#include "num/scan/kernel.h"

enum { LANES = 64, BLOCK = 8 };
/* The square root of the largest statistic that prunes; larger ones prune as this one does. */
#define SPATIAL_CAP 5.5

/* Measure: expected cases (Poisson) or persons (Bernoulli). */
struct spatial_model {
    enum scan_model kind;
    double cases, persons; /* totals; persons: Bernoulli */
    double rate;           /* expected cases of a unit of measure */
    double min_cases;
    bool high, low;
};
/* Statistic of c cases in a zone of a measure when the direction counts, else 0. */
double spatial_llr(const struct spatial_model *m, double c, double measure);
/* No smaller, without logarithms. */
double spatial_bound(const struct spatial_model *m, double c, double measure);

/* A block of a list, and one more at the end of each list. */
struct spatial_block {
    double measure; /* of all members before the block */
    /* A zone of the block with statistic L has at least base + low + sqrt(L) spread cases, base the
     * whole part of the expectation at the end. low is whole and fits 16 bits; 0 <= spread < 4096.
     */
    float low, spread;
};
/* For low rates: at most base + high - sqrt(L) spread, base the whole part at the beginning. */
struct spatial_fall {
    float high, spread;
};
struct spatial_lanes;
struct spatial {
    struct spatial_model model;
    const struct scan_zones *zones;
    const double *measure;    /* n_places */
    const uint32_t *observed; /* n_places: cases */
    struct scan_draw draw;
    const struct spatial_lanes *lanes;
    const struct scan_data *data;
    /* Made by the first call of replicate. */
    struct arena *a;
    const uint32_t *order;     /* n_lists: neighbours one after the other share what is cached */
    const size_t *first_block; /* n_lists + 1 */
    const struct spatial_block *block;
    const struct spatial_fall *fall; /* NULL unless low rates count */
};
enum err_code spatial_blocks(struct spatial *k, const struct num_run *run,
                             struct err *err) NODISCARD;

/* The best statistic so far of each lane and its square root: exact enough, never larger, never
 * above the cap. Lanes from n_lanes on repeat another one and count for nothing. */
struct spatial_batch {
    const struct spatial *k;
    size_t n_lanes;
    double best[LANES];
    uint16_t root16[LANES]; /* in 1/4096 */
    float root[LANES];
    bool heavy;     /* a place with more than 255 / BLOCK cases */
    uint8_t *row8;  /* n_places x LANES */
    int32_t *row32; /* the same, when row8 is too narrow; else NULL */
};
void spatial_raise(struct spatial_batch *b, size_t lane, double llr);

typedef void spatial_scan(struct spatial_batch *b, size_t list);
struct spatial_lanes {
    spatial_scan *light, *heavy, *wide;
};
extern const struct spatial_lanes spatial_lanes_plain;
#ifdef __x86_64__
extern const struct spatial_lanes spatial_lanes_avx2, spatial_lanes_avx512;
#endif
/* What this machine runs fastest. */
const struct spatial_lanes *spatial_lanes_best(void);
#endif
