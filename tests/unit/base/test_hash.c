#include "testing.h"

#include "base/hash.h"

static void sha_is(const struct hash_piece *pieces, size_t n, const char *expected) {
    uint8_t sum[HASH_SHA256];
    char hex[HASH_HEX];
    hash_sha256(pieces, n, sum);
    hash_hex(sum, sizeof sum, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4 examples, as published by NIST. */
static void sha256_examples(void **state) {
    (void)state;
    sha_is(NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha_is(&(struct hash_piece){"abc", 3}, 1,
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const struct hash_piece pieces[] = {
        {"abcdbcdecdefdefgefghfghi", 24}, {NULL, 0}, {"ghijhijkijkljklmklmnlmnomnopnopq", 32}};
    sha_is(pieces, 3, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void hexadecimal(void **state) {
    (void)state;
    uint8_t all[256], back[256];
    char text[513];
    struct err err;
    for (size_t i = 0; i < 256; i++) all[i] = (uint8_t)i;
    hash_hex(all, 256, text);
    assert_int_equal(hash_unhex(text, back, 256, &err), ERR_OK);
    assert_memory_equal(all, back, 256);
    assert_int_equal(hash_unhex("aBCd", back, 2, &err), ERR_OK);
    assert_int_equal(back[0] << 8 | back[1], 0xABCD);
    assert_int_equal(hash_unhex("abcde", back, 2, &err), ERR_INVALID);
    assert_int_equal(hash_unhex("abc", back, 2, &err), ERR_INVALID);
    assert_int_equal(hash_unhex("abxd", back, 2, &err), ERR_INVALID);
    assert_int_equal(hash_unhex("", back, 2, &err), ERR_INVALID);
    assert_int_equal(hash_unhex("", back, 0, &err), ERR_OK);
}

/* RFC 4648 section 10, without the padding and in lower case. */
static void base32_examples(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "my"},
                                           {"fo", "mzxq"},
                                           {"foo", "mzxw6"},
                                           {"foob", "mzxw6yq"},
                                           {"fooba", "mzxw6ytb"},
                                           {"foobar", "mzxw6ytboi"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[16];
        size_t n = strlen(pairs[i][0]);
        hash_base32(pairs[i][0], n, text);
        assert_string_equal(text, pairs[i][1]);
        assert_true(strlen(text) + 1 <= (8 * n + 4) / 5 + 1);
    }
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void words_are_random(void **state) {
    (void)state;
    enum { N = 4000 };
    static char words[N][HASH_WORD];
    struct err err;
    unsigned seen[32] = {0};
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(hash_word(words[i], &err), ERR_OK);
        assert_int_equal(strlen(words[i]), 8);
        for (size_t k = 0; k < 8; k++) {
            char c = words[i][k];
            assert_true((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'));
            seen[c >= 'a' ? c - 'a' : c - '2' + 26]++;
        }
    }
    qsort(words, N, HASH_WORD, by_text);
    for (size_t i = 1; i < N; i++) assert_string_not_equal(words[i - 1], words[i]);
    /* 32000 letters, 1000 each expected, standard deviation 31: seven of them are no accident. */
    for (size_t i = 0; i < 32; i++) assert_in_range(seen[i], 780, 1220);
}

static void comparing_and_xxh64(void **state) {
    (void)state;
    assert_true(hash_equal("abc", "abc", 3));
    assert_false(hash_equal("abc", "abd", 3));
    assert_true(hash_equal(NULL, NULL, 0));
    /* The xxHash specification's own values of the empty input. */
    assert_true(hash_xxh64("", 0, 0) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(hash_xxh64("a", 1, 0) != hash_xxh64("a", 1, 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_examples),     cmocka_unit_test(hexadecimal),
        cmocka_unit_test(base32_examples),     cmocka_unit_test(words_are_random),
        cmocka_unit_test(comparing_and_xxh64),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
