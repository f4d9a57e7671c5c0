/* The cmocka header with what it needs before it, and arenas for tests. */
#ifndef TEST_BASE_TESTING_H
#define TEST_BASE_TESTING_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"

static inline struct arena *test_arena(void) {
    struct arena *a = arena_new((size_t)64 << 20);
    assert_non_null(a);
    return a;
}
#endif
