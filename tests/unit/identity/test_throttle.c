#include "test.h"

#include <stdio.h>
#include <string.h>

#include "domain/identity/follow.h"
#include "domain/identity/throttle.h"

static const int64_t S = 1000000;
static const int64_t T0 = 1767225600000000; /* 2026-01-01T00:00:00Z */

static struct throttle *fresh(void) {
    struct throttle *t = NULL;
    assert_int_equal(throttle_new(1024, &t, NULL), ERR_OK);
    return t;
}

static void test_window_slides(void **state) {
    (void)state;
    struct throttle *t = fresh();
    const struct rate_row *row = rate_row(RATE_LOGIN_ALL);
    for (uint32_t i = 0; i < row->tries; i++)
        assert_int_equal(throttle_take(t, RATE_LOGIN_ALL, "", T0, NULL), ERR_OK);
    assert_int_equal(throttle_take(t, RATE_LOGIN_ALL, "", T0 + S, NULL), ERR_TOO_MANY);
    assert_true(throttle_is_full(t, RATE_LOGIN_ALL, "", T0 + S));
    int64_t half = (int64_t)row->window_s * S * 3 / 2;
    assert_false(throttle_is_full(t, RATE_LOGIN_ALL, "", T0 + half));
    uint32_t taken = 0;
    while (throttle_take(t, RATE_LOGIN_ALL, "", T0 + half, NULL) == ERR_OK) taken++;
    assert_in_range(taken, row->tries / 2 - 1, row->tries / 2 + 1);
    throttle_free(t);
}

static void test_wait_doubles_and_is_capped(void **state) {
    (void)state;
    struct throttle *t = fresh();
    const struct rate_row *row = rate_row(RATE_LOGIN_NAME);
    int64_t now = T0, wait = row->first_wait_s;
    for (uint32_t i = 0; i < row->tries; i++)
        assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now, NULL), ERR_OK);
    for (int round = 0; round < 8; round++) {
        struct err err = {0};
        char want[64];
        assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now, &err), ERR_TOO_MANY);
        (void)snprintf(want, sizeof want, "wait %d seconds", (int)wait);
        assert_string_equal(err.detail, want);
        /* Knocking during the wait does not lengthen it. */
        for (int i = 0; i < 50; i++)
            assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now + S, NULL),
                             ERR_TOO_MANY);
        now += wait * S;
        assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now, NULL), ERR_OK);
        wait = wait * 2 > row->max_wait_s ? row->max_wait_s : wait * 2;
    }
    assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "li", now, NULL), ERR_OK);
    struct throttle_lock locks[4];
    assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now, NULL), ERR_TOO_MANY);
    assert_int_equal(throttle_locks(t, RATE_LOGIN_NAME, now, locks, 4), 1);
    assert_string_equal(locks[0].key, "zhang");
    assert_true(throttle_clear(t, RATE_LOGIN_NAME, "zhang"));
    assert_false(throttle_clear(t, RATE_LOGIN_NAME, "nobody"));
    assert_int_equal(throttle_locks(t, RATE_LOGIN_NAME, now, locks, 4), 0);
    assert_int_equal(throttle_take(t, RATE_LOGIN_NAME, "zhang", now, NULL), ERR_OK);
    throttle_free(t);
}

static void test_flood_of_keys_keeps_waits_and_the_whole(void **state) {
    (void)state;
    struct throttle *t = fresh();
    for (uint32_t i = 0; i < rate_row(RATE_LOGIN_NAME)->tries + 1; i++)
        throttle_count(t, RATE_LOGIN_NAME, "zhang", T0);
    for (uint32_t i = 0; i < rate_row(RATE_LOGIN_ALL)->tries; i++)
        throttle_count(t, RATE_LOGIN_ALL, "", T0);
    for (int i = 0; i < 100000; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "flood%d", i);
        throttle_count(t, RATE_LOGIN_ADDRESS, key, T0 + S);
    }
    assert_true(throttle_is_full(t, RATE_LOGIN_NAME, "zhang", T0 + 2 * S));
    assert_true(throttle_is_full(t, RATE_LOGIN_ALL, "", T0 + 2 * S));
    throttle_free(t);
}

static void test_addresses(void **state) {
    (void)state;
    char a[THROTTLE_KEY], b[THROTTLE_KEY];
    throttle_address("2001:db8:1:2:aaaa::1", a);
    throttle_address("2001:db8:1:2:bbbb::9", b);
    assert_string_equal(a, b);
    assert_string_equal(a, "2001:db8:1:2::/64");
    throttle_address("::ffff:192.0.2.7", a);
    assert_string_equal(a, "192.0.2.7");
    throttle_address("192.0.2.7", b);
    assert_string_equal(b, "192.0.2.7");
    struct throttle *t = fresh();
    for (uint32_t i = 0; i < rate_row(RATE_REPORT)->tries; i++) {
        assert_int_equal(throttle_request(t, RATE_REPORT, "192.0.2.7", T0, NULL), ERR_OK);
        assert_int_equal(throttle_request(t, RATE_REPORT, "127.0.0.1", T0, NULL), ERR_OK);
    }
    assert_int_equal(throttle_request(t, RATE_REPORT, "::ffff:192.0.2.7", T0, NULL), ERR_TOO_MANY);
    assert_int_equal(throttle_request(t, RATE_REPORT, "127.0.0.1", T0, NULL), ERR_OK);
    assert_int_equal(throttle_request(t, RATE_NONE, "192.0.2.7", T0, NULL), ERR_OK);
    throttle_free(t);
}

static const unsigned char secret[32] = {7, 1, 2, 3};

static void test_follow_word(void **state) {
    (void)state;
    char w[FOLLOW_WORD], h[FOLLOW_HASH], g[FOLLOW_HASH];
    bool seen[256] = {0};
    for (int i = 0; i < 2000; i++) {
        follow_new(w);
        assert_int_equal(strlen(w), 8);
        for (const char *s = w; *s != '\0'; s++) {
            assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", *s));
            seen[(unsigned char)*s] = true;
        }
    }
    int letters = 0;
    for (int i = 0; i < 256; i++) letters += seen[i];
    assert_int_equal(letters, 32);
    assert_true(follow_hash(secret, "A-1", "reporter", "ABCDOI2B", h));
    assert_int_equal(strlen(h), 64);
    assert_true(follow_equal(secret, "A-1", "reporter", " abcd-0128", h));
    assert_false(follow_equal(secret, "A-2", "reporter", "ABCDOI2B", h));
    assert_false(follow_equal(secret, "A-1", "party:1", "ABCDOI2B", h));
    assert_false(follow_equal(secret, "A-1", "reporter", "ABCDOI2C", h));
    static const unsigned char other[32] = {8};
    assert_false(follow_equal(other, "A-1", "reporter", "ABCDOI2B", h));
    static const char *const bad[] = {"", "ABC", "ABCDOI2BC", "ABCDOI2!", "井盖井盖", "ABCDOI29"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(follow_hash(secret, "A-1", "reporter", bad[i], g));
        assert_false(follow_equal(secret, "A-1", "reporter", bad[i], g));
        assert_false(follow_equal(secret, "A-1", "reporter", bad[i], h));
    }
    assert_false(follow_equal(secret, "A-1", "reporter", "ABCDOI2B", NULL));
    assert_false(follow_equal(secret, "A-1", "reporter", "ABCDOI2B", ""));
}

static enum err_code wrong_try(struct throttle *t, const char *code, const char *from,
                               int64_t now) {
    enum err_code rc = follow_try_begin(t, code, from, now, NULL);
    if (rc == ERR_OK) follow_try_end(t, code, from, now, false);
    return rc;
}

static void test_follow_one_address_is_stopped(void **state) {
    (void)state;
    struct throttle *t = fresh();
    uint32_t n = 0;
    for (int i = 0; i < 1000; i++) {
        char code[16];
        (void)snprintf(code, sizeof code, "A-%d", i); /* walking the serials */
        n += wrong_try(t, code, "198.51.100.3", T0 + i * 1000) == ERR_OK;
    }
    assert_int_equal(n, rate_row(RATE_FOLLOW_ADDRESS)->tries);
    throttle_free(t);
}

static void test_follow_siege_never_locks_the_reporter_out(void **state) {
    (void)state;
    struct throttle *t = NULL;
    assert_int_equal(throttle_new(1 << 16, &t, NULL), ERR_OK);
    /* Two hundred addresses try two words each within a minute. */
    uint32_t passed = 0;
    for (int i = 0; i < 400; i++) {
        char from[32];
        (void)snprintf(from, sizeof from, "203.0.113.%d", i % 200);
        passed += wrong_try(t, "A-1", from, T0 + i * 100000) == ERR_OK;
    }
    assert_int_equal(passed, 200);
    assert_true(throttle_is_full(t, RATE_FOLLOW_CASE, "A-1", T0 + 60 * S));
    /* The reporter comes with the right word, again and again. */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(follow_try_begin(t, "A-1", "192.0.2.1", T0 + 60 * S, NULL), ERR_OK);
        follow_try_end(t, "A-1", "192.0.2.1", T0 + 60 * S, true);
    }
    /* Another case is not touched. */
    assert_int_equal(wrong_try(t, "A-2", "203.0.113.7", T0 + 60 * S), ERR_OK);
    /* An address without a failure there has one try. */
    assert_int_equal(wrong_try(t, "A-1", "192.0.2.9", T0 + 60 * S), ERR_OK);
    assert_int_equal(wrong_try(t, "A-1", "192.0.2.9", T0 + 61 * S), ERR_TOO_MANY);
    throttle_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_slides),
        cmocka_unit_test(test_wait_doubles_and_is_capped),
        cmocka_unit_test(test_flood_of_keys_keeps_waits_and_the_whole),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_follow_word),
        cmocka_unit_test(test_follow_one_address_is_stopped),
        cmocka_unit_test(test_follow_siege_never_locks_the_reporter_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
