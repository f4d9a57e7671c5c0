#include "testing.h"

#include "base/rng.h"
#include "base/utf8.h"

static bool valid(const char *s) { return utf8_valid(s, strlen(s)); }

static void well_formed_sequences(void **state) {
    (void)state;
    assert_true(utf8_valid("", 0));
    assert_true(valid(
        "井盖 A \xC2\x80 \xDF\xBF \xE0\xA0\x80 \xEF\xBF\xBF \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
    static const char *const bad[] = {
        "\x80",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC3",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xE4\xBA",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "a\xE4\xBAz",
        "\xF0\x90\x80",
        "\xC3\xC3",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(valid(bad[i]));
    assert_true(utf8_valid("a\0b", 3));
}

static void every_scalar_value_round_trips(void **state) {
    (void)state;
    for (uint32_t cp = 0; cp <= 0x110010; cp++) {
        char c[4];
        size_t n = utf8_encode(cp, c);
        if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) {
            assert_int_equal(n, 0);
            continue;
        }
        uint32_t back = 0;
        assert_int_equal(utf8_next(c, n, &back), n);
        assert_int_equal(back, cp);
        assert_int_equal(utf8_next(c, n - 1, &back), 0);
    }
}

static void counting_and_clipping(void **state) {
    (void)state;
    assert_int_equal(utf8_count("a井盖", 7), 3);
    assert_int_equal(utf8_count("\xFF井", 4), 2);
    assert_int_equal(utf8_clip("a井盖", 7, 7), 7);
    assert_int_equal(utf8_clip("a井盖", 7, 6), 4);
    assert_int_equal(utf8_clip("a井盖", 7, 4), 4);
    assert_int_equal(utf8_clip("a井盖", 7, 3), 1);
    assert_int_equal(utf8_clip("井", 3, 2), 0);
    assert_int_equal(utf8_clip("abc", 3, 0), 0);
}

static void folding(void **state) {
    (void)state;
    assert_int_equal(utf8_fold('Z'), 'z');
    assert_int_equal(utf8_fold('9'), '9');
    assert_int_equal(utf8_fold(0xC4), 0xE4);   /* Ä */
    assert_int_equal(utf8_fold(0xD7), 0xD7);   /* multiplication sign */
    assert_int_equal(utf8_fold(0x160), 0x161); /* Š */
    assert_int_equal(utf8_fold(0x161), 0x161);
    assert_int_equal(utf8_fold(0x17D), 0x17E); /* Ž */
    assert_int_equal(utf8_fold(0x178), 0xFF);  /* Ÿ */
    assert_int_equal(utf8_fold(0x3A9), 0x3C9); /* Ω */
    assert_int_equal(utf8_fold(0x416), 0x436); /* Ж */
    assert_int_equal(utf8_fold(0x401), 0x451); /* Ё */
    assert_int_equal(utf8_fold(0xFF21), 'a');  /* full-width A */
    assert_int_equal(utf8_fold(0xFF19), '9');
    assert_int_equal(utf8_fold(0x4E00), 0x4E00);
}

static void tokens_are(const char *text, const char *expected) {
    struct buf b;
    buf_init(&b, 4096);
    utf8_bigrams(&b, text, strlen(text));
    assert_false(b.failed);
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
}

static void search_tokens(void **state) {
    (void)state;
    tokens_are("", "");
    tokens_are("井", "井");
    tokens_are("井盖", "井盖");
    tokens_are("井盖坏", "井盖 盖坏");
    tokens_are("  Broken MANHOLE-cover, No.12!", "broken manhole cover no 12");
    tokens_are("路灯A3坏了", "路灯 a3 坏了");
    tokens_are("A区B栋", "a 区 b 栋");
    tokens_are("中山路，１２号", "中山 山路 12 号");
    tokens_are("路\xFF灯", "路 灯");
    tokens_are("\xC3\x89t\xC3\xA9", "\xC3\xA9t\xC3\xA9");
    tokens_are("。！、", "");
    struct buf b;
    buf_init(&b, 4096);
    utf8_bigrams(&b, "井盖", 6);
    utf8_bigrams(&b, "坏", 3);
    assert_string_equal(buf_text(&b), "井盖 坏");
    buf_deinit(&b);
}

static void a_query_of_two_characters_finds_its_place(void **state) {
    (void)state;
    struct rng r = rng_new(7, 0);
    for (int round = 0; round < 2000; round++) {
        char text[64] = "", query[8] = "";
        uint32_t cps[10];
        size_t n = 0, len = 2 + rng_below(&r, 8);
        for (size_t i = 0; i < len; i++) {
            cps[i] = 0x4E00 + rng_below(&r, 200);
            n += utf8_encode(cps[i], text + n);
        }
        size_t at = rng_below(&r, (uint32_t)len - 1);
        size_t half = utf8_encode(cps[at], query);
        assert_int_equal(utf8_encode(cps[at + 1], query + half), 3);
        struct buf b;
        buf_init(&b, 4096);
        utf8_bigrams(&b, text, n);
        assert_non_null(strstr(buf_text(&b), query));
        buf_deinit(&b);
    }
}

static void tokens_of_any_bytes_are_valid_and_bounded(void **state) {
    (void)state;
    struct rng r = rng_new(11, 0);
    for (int round = 0; round < 20000; round++) {
        char bytes[24];
        size_t n = rng_below(&r, sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(rng_below(&r, 3) == 0 ? rng_u32(&r) : 0xE4 + rng_below(&r, 3));
        struct buf b;
        buf_init(&b, 4 * sizeof bytes);
        utf8_bigrams(&b, bytes, n);
        assert_false(b.failed);
        assert_true(b.n <= 4 * n);
        assert_true(utf8_valid(buf_text(&b), b.n));
        buf_deinit(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_sequences),
        cmocka_unit_test(every_scalar_value_round_trips),
        cmocka_unit_test(counting_and_clipping),
        cmocka_unit_test(folding),
        cmocka_unit_test(search_tokens),
        cmocka_unit_test(a_query_of_two_characters_finds_its_place),
        cmocka_unit_test(tokens_of_any_bytes_are_valid_and_bounded),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
