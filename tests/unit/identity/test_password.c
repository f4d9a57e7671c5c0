#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "domain/identity/password.h"

static const struct password_options small = {
    .threads = 2, .queue = 1, .memory_bytes = 64 << 10, .ops = 1};

static void test_hash_and_verify(void **state) {
    (void)state;
    struct password_pool *p = NULL;
    char a[PASSWORD_HASH], b[PASSWORD_HASH];
    bool ok = true;
    assert_int_equal(password_pool_new(&small, &p, NULL), ERR_OK);
    assert_int_equal(password_hash(p, "correct horse 电池", a, NULL), ERR_OK);
    assert_int_equal(password_hash(p, "correct horse 电池", b, NULL), ERR_OK);
    assert_int_equal(strncmp(a, "$argon2id$", 10), 0);
    assert_string_not_equal(a, b);
    assert_int_equal(password_verify(p, a, "correct horse 电池", &ok, NULL), ERR_OK);
    assert_true(ok);
    assert_int_equal(password_verify(p, a, "correct horse", &ok, NULL), ERR_OK);
    assert_false(ok);
    ok = true;
    assert_int_equal(password_verify(p, NULL, "correct horse", &ok, NULL), ERR_OK);
    assert_false(ok);
    ok = true;
    assert_int_equal(password_verify(p, "no hash at all", "correct horse", &ok, NULL), ERR_OK);
    assert_false(ok);
    password_pool_free(p);
}

struct crowd {
    struct password_pool *pool;
    atomic_int ok, refused, other;
};

static void *one(void *arg) {
    struct crowd *c = arg;
    char h[PASSWORD_HASH];
    enum err_code rc = password_hash(c->pool, "a long password", h, NULL);
    atomic_fetch_add(rc == ERR_OK ? &c->ok : rc == ERR_TOO_MANY ? &c->refused : &c->other, 1);
    return NULL;
}

static void test_queue_is_bounded(void **state) {
    (void)state;
    struct crowd c = {0};
    const struct password_options slow = {
        .threads = 1, .queue = 2, .memory_bytes = 32 << 20, .ops = 3};
    assert_int_equal(password_pool_new(&slow, &c.pool, NULL), ERR_OK);
    pthread_t threads[24];
    for (size_t i = 0; i < 24; i++) assert_int_equal(pthread_create(&threads[i], NULL, one, &c), 0);
    for (size_t i = 0; i < 24; i++) (void)pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&c.other), 0);
    assert_int_equal(atomic_load(&c.ok) + atomic_load(&c.refused), 24);
    assert_in_range(atomic_load(&c.ok), 1, 24);
    assert_in_range(atomic_load(&c.refused), 1, 23);
    password_pool_free(c.pool);
}

static void test_rules(void **state) {
    (void)state;
    struct err err = {0};
    char longest[PASSWORD_MAX_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[0] = 'y';
    longest[PASSWORD_MAX_BYTES + 1] = '\0';
    assert_int_equal(password_check("zhang.wei", "nine char", "/new", &err), ERR_INVALID);
    assert_string_equal(err.field, "/new");
    assert_int_equal(password_check("zhang.wei", "ten chars.", "/new", NULL), ERR_OK);
    assert_int_equal(password_check("zhang.wei", "一二三四五六七八九", "/new", NULL), ERR_INVALID);
    assert_int_equal(password_check("zhang.wei", "一二三四五六七八九十", "/new", NULL), ERR_OK);
    assert_int_equal(password_check("zhang.wei.long", "ZHANG.wei.long", "/new", NULL), ERR_INVALID);
    assert_int_equal(password_check("zhang.wei.long", "zhang.wei.long ", "/new", NULL),
                     ERR_INVALID);
    assert_int_equal(password_check("zhang", "zzzzzzzzzzzz", "/new", NULL), ERR_INVALID);
    assert_int_equal(password_check("zhang", longest, "/new", NULL), ERR_INVALID);
    longest[PASSWORD_MAX_BYTES] = '\0';
    assert_int_equal(password_check("zhang", longest, "/new", NULL), ERR_OK);
}

static void test_limits_are_checked(void **state) {
    (void)state;
    struct password_pool *p = NULL;
    const struct password_options tiny = {.memory_bytes = 100};
    const struct password_options many = {.ops = 1000};
    assert_int_equal(password_pool_new(&tiny, &p, NULL), ERR_INVALID);
    assert_int_equal(password_pool_new(&many, &p, NULL), ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_and_verify),
        cmocka_unit_test(test_queue_is_bounded),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_limits_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
