/* err, mem, arena, buf, clock: what everything else stands on. */
#include "testing.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

static void errors(void **state) {
    (void)state;
    struct err err;
    assert_int_equal(err_fail(&err, ERR_LIMIT, "%d beyond %s", 7, "x"), ERR_LIMIT);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.detail, "7 beyond x");
    assert_string_equal(err.field, "");
    assert_true(err.line > 0);
    assert_non_null(strstr(err.file, "test_core.c"));
    assert_int_equal(err_field(&err, ERR_INVALID, "/lon"), ERR_LIMIT);
    assert_string_equal(err.field, "/lon");
    assert_int_equal(err_fail(NULL, ERR_IO, "x"), ERR_IO);
    assert_int_equal(err_field(NULL, ERR_IO, "/x"), ERR_IO);
    char text[2000];
    memset(text, 'x', sizeof text);
    text[1999] = '\0';
    (void)err_fail(&err, ERR_LIMIT, "%s", text);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
    (void)err_field(&err, ERR_LIMIT, text);
    assert_int_equal(strlen(err.field), sizeof err.field - 1);
    for (int code = 0; code < ERR_N_CODES; code++) {
        assert_true(strlen(err_name((enum err_code)code)) > 0);
        assert_true(strlen(err_text((enum err_code)code, true)) > 0);
        assert_string_not_equal(err_text((enum err_code)code, true),
                                err_text((enum err_code)code, false));
        int status = err_status((enum err_code)code);
        assert_true(status == 200 ? code == ERR_OK : status >= 400 && status < 600);
    }
    assert_int_equal(err_status((enum err_code)9999), 500);
}

static void memory(void **state) {
    (void)state;
    long live = mem_live();
    assert_null(mem_new(SIZE_MAX / 2, 3));
    assert_null(mem_resize(NULL, SIZE_MAX / 2, 3));
    void *zero = mem_new(0, 8), *other = mem_new(8, 0);
    assert_non_null(zero);
    assert_non_null(other);
    char *p = mem_new(10, 10);
    for (int i = 0; i < 100; i++) assert_int_equal(p[i], 0);
    p = mem_resize(p, 1000, 1);
    char *q = mem_dup("abc", 3), *e = mem_dup(NULL, 0);
    assert_string_equal(q, "abc");
    assert_string_equal(e, "");
    assert_int_equal(mem_live(), live + 5);
    mem_fault_arm(1);
    void *first = mem_new(1, 1);
    assert_non_null(first);
    assert_null(mem_new(1, 1));
    assert_null(mem_resize(q, 10, 1));
    assert_null(mem_dup("x", 1));
    assert_int_equal(mem_fault_disarm(), 1);
    assert_string_equal(q, "abc");
    assert_int_equal(mem_fault_disarm(), 1);
    mem_fault_arm(100);
    mem_free(mem_new(1, 1));
    assert_int_equal(mem_fault_disarm(), 0);
    mem_free(first);
    mem_free(zero);
    mem_free(other);
    mem_free(p);
    mem_free(q);
    mem_free(e);
    mem_free(NULL);
    assert_int_equal(mem_live(), live);
}

struct step {
    char *order;
    char name;
};

static void note(void *arg) {
    const struct step *s = arg;
    size_t n = strlen(s->order);
    s->order[n] = s->name;
}

static void count(void *arg) { ++*(int *)arg; }

static void arenas(void **state) {
    (void)state;
    long live = mem_live();
    struct arena *a = arena_new(1 << 20);
    for (size_t n = 0; n < 300; n++) {
        char *p = arena_alloc(a, n, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
        memset(p, 0xFF, n);
    }
    assert_null(arena_alloc(a, SIZE_MAX, 1));
    assert_null(arena_alloc(a, SIZE_MAX / 2, 4));
    assert_null(arena_alloc(a, (1 << 20) - arena_used(a) + 1, 1));
    assert_string_equal(arena_dup(a, "abcdef", 3), "abc");
    assert_string_equal(arena_strdup(a, ""), "");
    assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
    char *big = arena_alloc(a, 500000, 1);
    assert_non_null(big);
    assert_null(arena_alloc(a, 600000, 1));
    arena_free(a);
    arena_free(NULL);
    a = arena_new(4096);
    int n = 0;
    assert_int_equal(arena_defer(a, count, &n), ERR_OK);
    assert_int_equal(arena_defer(a, count, &n), ERR_OK);
    assert_non_null(arena_alloc(a, 4096 - arena_used(a), 1));
    assert_int_equal(arena_defer(a, count, &n), ERR_NOMEM);
    assert_int_equal(n, 1); /* run at once */
    arena_free(a);
    assert_int_equal(n, 3);
    assert_int_equal(mem_live(), live);
}

static void deferred_run_in_reverse(void **state) {
    (void)state;
    char order[4] = "";
    struct step steps[] = {{order, 'a'}, {order, 'b'}, {order, 'c'}};
    struct arena *a = arena_new(4096);
    for (size_t i = 0; i < 3; i++) assert_int_equal(arena_defer(a, note, &steps[i]), ERR_OK);
    arena_free(a);
    assert_string_equal(order, "cba");
}

static void arena_faults(void **state) {
    (void)state;
    long live = mem_live();
    for (long n = 0;; n++) {
        mem_fault_arm(n);
        struct arena *a = arena_new(1 << 20);
        bool ok = a != NULL;
        for (int i = 0; ok && i < 50; i++) ok = arena_printf(a, "%0300d", i) != NULL;
        int deferred = 0;
        if (a != NULL && ok) ok = arena_defer(a, count, &deferred) == ERR_OK;
        arena_free(a);
        int fired = mem_fault_disarm();
        assert_int_equal(mem_live(), live);
        assert_true(ok != (fired != 0));
        if (!fired) break;
    }
}

static void buffers(void **state) {
    (void)state;
    long live = mem_live();
    struct buf b;
    struct err err;
    buf_init(&b, 1000);
    assert_string_equal(buf_text(&b), "");
    buf_add(&b, NULL, 0);
    buf_char(&b, 'a');
    buf_str(&b, "bc");
    buf_printf(&b, "%d", 7);
    assert_string_equal(buf_text(&b), "abc7");
    buf_printf(&b, "%0500d", 1);
    assert_int_equal(b.n, 504);
    assert_int_equal(strlen(b.p), 504);
    assert_int_equal(buf_check(&b, &err), ERR_OK);
    buf_printf(&b, "%0500d", 1);
    assert_true(b.failed);
    assert_int_equal(b.n, 504);
    buf_char(&b, 'x');
    assert_int_equal(b.n, 504);
    assert_int_equal(buf_check(&b, &err), ERR_TOO_LARGE);
    buf_clear(&b);
    assert_int_equal(buf_check(&b, &err), ERR_OK);
    for (int i = 0; i < 1000; i++) buf_char(&b, 'x');
    assert_int_equal(buf_check(&b, &err), ERR_OK);
    buf_char(&b, 'x');
    assert_int_equal(buf_check(&b, &err), ERR_TOO_LARGE);
    buf_deinit(&b);
    assert_int_equal(b.max, 1000);
    mem_fault_arm(0);
    buf_init(&b, 1000);
    buf_char(&b, 'x');
    (void)mem_fault_disarm();
    assert_int_equal(buf_check(&b, &err), ERR_NOMEM);
    buf_deinit(&b);
    assert_int_equal(mem_live(), live);
}

static void clocks(void **state) {
    (void)state;
    struct clock fixed = clock_fixed(42), wall = clock_system();
    assert_int_equal(clock_now_us(&fixed), 42);
    assert_true(clock_now_us(&wall) > INT64_C(1700000000000000));
    int64_t before = clock_mono_us();
    assert_true(clock_mono_us() >= before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),       cmocka_unit_test(memory),
        cmocka_unit_test(arenas),       cmocka_unit_test(deferred_run_in_reverse),
        cmocka_unit_test(arena_faults), cmocka_unit_test(buffers),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests_name("base/core", tests, NULL, NULL);
}
