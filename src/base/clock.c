#include "base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id) {
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0) return 0;
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_now(const struct clock *self) {
    (void)self;
    return read_us(CLOCK_REALTIME);
}

static int64_t fixed_now(const struct clock *self) { return self->fixed_us; }

struct clock clock_system(void) {
    return (struct clock){.now_us = system_now};
}
struct clock clock_fixed(int64_t at_us) {
    return (struct clock){.now_us = fixed_now, .fixed_us = at_us};
}
int64_t clock_now_us(const struct clock *c) { return c->now_us(c); }
int64_t clock_mono_us(void) { return read_us(CLOCK_MONOTONIC); }
