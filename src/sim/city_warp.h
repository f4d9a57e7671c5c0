/* sim/city_warp.h - a one-to-one map from the unit disc to the ground of the invented city: dense
 * in the middle and at a few second centres, wide at the rim, with bent roads. Each step of the
 * chain is a bijection of the plane, so shapes that do not overlap before do not overlap after.
 * Pure; safe from any thread. */
#ifndef SIM_CITY_WARP_H
#define SIM_CITY_WARP_H
#include <stdint.h>

enum { WARP_N_CENTRE = 5, WARP_N_WAVE = 5 };
struct city_warp {
    double centre[WARP_N_CENTRE][2];
    double phase[WARP_N_WAVE][2], bulge;
};
struct city_warp city_warp_new(uint64_t seed);
/* Degrees times 1e7, inside lon 119.0..119.6, lat 32.6..33.1 for points of the unit disc. */
void city_warp_apply(const struct city_warp *w, double x, double y, int32_t *lon_e7,
                     int32_t *lat_e7);
#endif
