#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "store/image.h"

static const char hex64[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void one(struct cell cells[ITEM_COLS], const char *expected) {
    struct buf b;
    struct err err = {.code = ERR_OK};
    buf_init(&b, 1 << 16);
    assert_int_equal(image_write(&b, &test_item, NULL, cells, &err), ERR_OK);
    assert_string_equal(buf_text(&b), expected);
    assert_true(image_is_json(b.p, b.n));
    buf_deinit(&b);
}

static void every_type(void **state) {
    (void)state;
    char commit[80];
    (void)snprintf(commit, sizeof commit, "c:%s@17", hex64);
    struct cell c[ITEM_COLS] = {cell_text("a\"b\\c\n\x01 \xe6\xa0\xbc"),
                                cell_int(INT64_MIN),
                                cell_real(0.1),
                                cell_int(1),
                                cell_int(0),
                                cell_text("{\"k\":[1,2,{}]}"),
                                cell_blob("\x00\xff", 2),
                                cell_text(commit)};
    one(c, "{\"name\":\"a\\\"b\\\\c\\u000a\\u0001 "
           "\xe6\xa0\xbc\",\"count\":-9223372036854775808,\"weight\":0.1,\"open\":true,\"at\":0,"
           "\"extra\":{\"k\":[1,2,{}]},\"raw\":\"AP8=\",\"phone\":{\"c\":"
           "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"at\":17}}");
    struct cell nulls[ITEM_COLS] = {cell_text("")};
    one(nulls, "{\"name\":\"\"}");
    unsigned short order[ITEM_COLS] = {7, 6, 5, 4, 3, 2, 1, 0};
    struct buf b;
    buf_init(&b, 1000);
    nulls[ITEM_COUNT] = cell_int(5);
    assert_int_equal(image_write(&b, &test_item, order, nulls, NULL), ERR_OK);
    assert_string_equal(buf_text(&b), "{\"count\":5,\"name\":\"\"}");
    buf_deinit(&b);
}

static void refused(void **state) {
    (void)state;
    const struct {
        int col;
        struct cell value;
    } bad[] = {
        {ITEM_NAME, cell_null()},
        {ITEM_NAME, cell_int(1)},
        {ITEM_NAME, cell_textn("a\0b", 3)},
        {ITEM_NAME, cell_text("\xff")},
        {ITEM_NAME, cell_text("\xed\xa0\x80")},
        {ITEM_COUNT, cell_real(1)},
        {ITEM_WEIGHT, cell_real(NAN)},
        {ITEM_WEIGHT, cell_real(INFINITY)},
        {ITEM_WEIGHT, cell_text("1")},
        {ITEM_OPEN, cell_int(2)},
        {ITEM_AT, cell_text("now")},
        {ITEM_EXTRA, cell_text("{")},
        {ITEM_EXTRA, cell_text("1,")},
        {ITEM_EXTRA, cell_text("")},
        {ITEM_EXTRA, cell_text("\"\xff\"")},
        {ITEM_RAW, cell_text("x")},
        {ITEM_PHONE, cell_text("138")},
        {ITEM_PHONE, cell_text(hex64)},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cell c[ITEM_COLS] = {cell_text("x")};
        struct err err = {.code = ERR_OK};
        struct buf b;
        buf_init(&b, 1000);
        c[bad[i].col] = bad[i].value;
        if (image_write(&b, &test_item, NULL, c, &err) != ERR_INVALID)
            fail_msg("case %zu was taken", i);
        assert_string_equal(err.field + 1, test_item.cols[bad[i].col].name);
        buf_deinit(&b);
    }
}

/* Numbers come back to the same bits and equal numbers give equal bytes. */
static void numbers_round_trip(void **state) {
    (void)state;
    struct rng r = rng_new(11, 0);
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = rng_u64(&r);
        double d;
        switch (i % 4) {
        case 0:
            memcpy(&d, &bits, sizeof d);
            break;
        case 1:
            d = (double)(int64_t)(bits % 3600000000) / 1e7 - 180;
            break;
        case 2:
            d = (double)(int64_t)(bits % 2000001 - 1000000) / 100;
            break;
        default:
            d = (double)(int64_t)bits;
            break;
        }
        if (!isfinite(d)) continue;
        struct cell c[ITEM_COLS] = {cell_text("x")};
        struct buf b;
        buf_init(&b, 1000);
        c[ITEM_WEIGHT] = cell_real(d);
        assert_int_equal(image_write(&b, &test_item, NULL, c, NULL), ERR_OK);
        double back = strtod(strstr(b.p, "\"weight\":") + 9, NULL);
        assert_memory_equal(&back, &d, sizeof d);
        assert_true(image_is_json(b.p, b.n));
        buf_deinit(&b);
    }
}

static void walk(void **state) {
    (void)state;
    const char text[] =
        "{\"a\":1,\"b\":{\"c\":"
        "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"at\":305},"
        "\"d\":[\"}\",{\"x\":[]}]}";
    struct image_iter it = image_walk(text, sizeof text - 1);
    struct image_member m;
    assert_int_equal(image_next(&it, &m), 1);
    assert_memory_equal(m.value, "1", m.value_n);
    struct commitment commit;
    assert_false(image_commitment(&m, &commit));
    assert_int_equal(image_next(&it, &m), 1);
    assert_true(image_commitment(&m, &commit));
    assert_memory_equal(commit.hex, hex64, 64);
    assert_int_equal(commit.seq, 305);
    assert_int_equal(image_next(&it, &m), 1);
    assert_int_equal(m.value_n, 14);
    assert_int_equal(image_next(&it, &m), 0);
    it = image_walk("{}", 2);
    assert_int_equal(image_next(&it, &m), 0);
}

/* The walker agrees with the strict reader on what is JSON for texts near to JSON, and survives
 * anything. */
static void damaged_images(void **state) {
    (void)state;
    const char good[] =
        "{\"name\":\"x\\u0041\\n\",\"extra\":[true,false,null,-1.5e3,{\"k\":\"v\"}],\"n\":12}";
    struct rng r = rng_new(3, 3);
    for (int i = 0; i < 100000; i++) {
        char b[sizeof good];
        memcpy(b, good, sizeof b);
        size_t n = sizeof b - 1;
        for (uint32_t k = rng_below(&r, 4); k > 0; k--)
            b[rng_below(&r, (uint32_t)n)] = "{}[]\",:\\0x\x01\xff"[rng_below(&r, 13)];
        if (rng_below(&r, 3) == 0) n = rng_below(&r, (uint32_t)n + 1);
        char *exact = malloc(n == 0 ? 1 : n);
        memcpy(exact, b, n);
        struct image_iter it = image_walk(exact, n);
        struct image_member m;
        int rc = 1, members = 0;
        while ((rc = image_next(&it, &m)) == 1) members++;
        bool ours = image_is_json(exact, n);
        struct arena *a = arena_new(1 << 20);
        const struct val *v;
        bool strict = json_parse(a, exact, n, &v, NULL) == ERR_OK;
        if (strict) assert_true(ours);
        if (strict && v->type == VAL_MAP)
            assert_int_equal(rc == 0 ? members : (int)v->n, (int)v->n);
        arena_free(a);
        free(exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_type), cmocka_unit_test(refused),
                                       cmocka_unit_test(numbers_round_trip), cmocka_unit_test(walk),
                                       cmocka_unit_test(damaged_images)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
