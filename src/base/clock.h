/* base/clock.h - time as an argument: UTC microseconds since 1970. Tests give a clock of their own;
 * nobody else reads the wall clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdint.h>

struct clock {
    int64_t (*now_us)(const struct clock *self);
    int64_t fixed_us; /* used by clock_fixed */
};
struct clock clock_system(void);
struct clock clock_fixed(int64_t at_us);
int64_t clock_now_us(const struct clock *c);
/* Monotonic microseconds, for measuring. */
int64_t clock_mono_us(void);
#endif
