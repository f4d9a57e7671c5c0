#include "sim/city_warp.h"

#include <math.h>

#include "base/rng.h"

static const double PI = 3.14159265358979323846;

struct city_warp city_warp_new(uint64_t seed) {
    struct city_warp w;
    struct rng r = rng_new(seed, 2);
    double turn = 2 * PI * rng_unit(&r);
    for (int i = 0; i < WARP_N_CENTRE; i++) {
        double angle = turn + 2 * PI * (i + 0.5 * rng_unit(&r)) / WARP_N_CENTRE;
        double radius = 0.5 + 0.25 * rng_unit(&r);
        w.centre[i][0] = radius * cos(angle);
        w.centre[i][1] = radius * sin(angle);
    }
    for (int i = 0; i < WARP_N_WAVE; i++)
        for (int k = 0; k < 2; k++) w.phase[i][k] = 2 * PI * rng_unit(&r);
    w.bulge = 2 * PI * rng_unit(&r);
    return w;
}

void city_warp_apply(const struct city_warp *w, double x, double y, int32_t *lon_e7,
                     int32_t *lat_e7) {
    /* Pull towards a second centre: d -> d(1 - c exp(-d^2/s^2)) grows with d for c < 1. */
    for (int i = 0; i < WARP_N_CENTRE; i++) {
        double dx = x - w->centre[i][0], dy = y - w->centre[i][1];
        double f = 1 - 0.38 * exp(-(dx * dx + dy * dy) / (0.17 * 0.17));
        x = w->centre[i][0] + dx * f;
        y = w->centre[i][1] + dy * f;
    }
    /* Radial: r -> r(0.5 + 0.5 r^2) is monotone; the bulge stays one-to-one on each ray. */
    double r2 = x * x + y * y, angle = atan2(y, x);
    double f = (0.5 + 0.5 * r2) * (1 + 0.09 * r2 * sin(3 * angle + w->bulge));
    x *= f;
    y *= f;
    /* Shears in x, then in y: each is a bijection whatever its amplitude. */
    static const double wave[WARP_N_WAVE][2] = {
        /* length, amplitude; slopes 0.21, 0.18, 0.16, 0.15, 0.13 keep angles between roads wide */
        {0.9, 0.03},
        {0.35, 0.01},
        {0.12, 0.003},
        {0.05, 0.0012},
        {0.024, 0.0005}};
    for (int i = 0; i < WARP_N_WAVE; i++) {
        double k = 2 * PI / wave[i][0];
        x += wave[i][1] * sin(k * y + w->phase[i][0]);
        y += wave[i][1] * sin(k * x + w->phase[i][1]);
    }
    *lon_e7 = (int32_t)lround((119.30 + 0.255 * x) * 1e7);
    *lat_e7 = (int32_t)lround((32.85 + 0.213 * y) * 1e7);
}
