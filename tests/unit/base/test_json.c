#include "testing.h"

#include <float.h>
#include <math.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"

static enum err_code parse_n(const char *text, size_t n, struct err *err) {
    struct arena *a = test_arena();
    const struct val *v;
    enum err_code rc = json_parse(a, text, n, &v, err);
    assert_true((rc == ERR_OK) == (v != NULL));
    arena_free(a);
    return rc;
}

static void accepted(const char *text) {
    struct err err = {0};
    if (parse_n(text, strlen(text), &err) != ERR_OK) fail_msg("%s: %s", text, err.detail);
}

static void refused(const char *text, const char *why) {
    struct err err = {0};
    if (parse_n(text, strlen(text), &err) != ERR_SYNTAX) fail_msg("accepted: %s", text);
    if (strstr(err.detail, why) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.detail, why);
}

static void strict_grammar(void **state) {
    (void)state;
    accepted("null");
    accepted(" \t\r\n true \n");
    accepted("-0");
    accepted("12");
    accepted("1e-400");
    accepted("[1,2.5,-3e+2,\"\",{},[]]");
    accepted("\"\\ud83d\\ude00 \\u4e95 \\/\"");
    refused("", "end of data");
    refused("[1,2", "end of data");
    refused("{\"a\":1", "end of data");
    refused("[1,]", "byte");
    refused("[,1]", "byte");
    refused("{\"a\" 1}", "byte");
    refused("{\"a\":1,}", "byte");
    refused("{a:1}", "unexpected character");
    refused("{'a':1}", "unexpected character");
    refused("[1] [2]", "byte");
    refused("1 2", "byte");
    refused("[1}", "byte");
    refused("]", "nothing is open");
    refused("/* c */ 1", "unexpected character");
    refused("// c\n1", "unexpected character");
    refused("NaN", "unexpected character");
    refused("-Infinity", "a digit was expected");
    refused("Infinity", "unexpected character");
    refused("TRUE", "unexpected character");
    refused("nul", "unexpected character");
    refused("truefalse", "byte");
    refused("x", "unexpected character");
    refused("\"\\uABC", "hexadecimal");
    refused("\"\\ud800\\u", "surrogate");
    refused("\"\\ud800\\x0000\"", "surrogate");
    refused("\"\\ud800\\uzzzz\"", "surrogate");
    accepted("\"\\uABCD\\uabcd\"");
    refused("\v1", "unexpected character");
    refused("\xEF\xBB\xBF{}", "unexpected character");
}

static void numbers(void **state) {
    (void)state;
    refused("01", "begin with 0");
    refused("-01", "begin with 0");
    refused("+1", "unexpected character");
    refused(".5", "unexpected character");
    refused("1.", "after the point");
    refused("1.e5", "after the point");
    refused("1e", "exponent");
    refused("1e+", "exponent");
    refused("-", "a digit was expected");
    refused("0x10", "byte");
    refused("1e400", "too large");
    refused("[-1e309]", "too large");
    refused("9223372036854775808", "64 bits");
    refused("-9223372036854775809", "64 bits");
    refused("123456789012345678901234567890", "64 bits");
    struct arena *a = test_arena();
    const struct val *v;
    static const char text[] =
        "[9223372036854775807,-9223372036854775808,1.0,9007199254740993,0.1,-0.0]";
    assert_int_equal(json_parse(a, text, strlen(text), &v, NULL), ERR_OK);
    assert_true(v->u.list[0].type == VAL_INT && v->u.list[0].u.i == INT64_MAX);
    assert_true(v->u.list[1].type == VAL_INT && v->u.list[1].u.i == INT64_MIN);
    assert_true(v->u.list[2].type == VAL_DOUBLE && v->u.list[2].u.d == 1.0);
    assert_true(v->u.list[3].type == VAL_INT && v->u.list[3].u.i == INT64_C(9007199254740993));
    assert_true(v->u.list[4].u.d == 0.1);
    assert_true(signbit(v->u.list[5].u.d) != 0);
    arena_free(a);
}

static void strings(void **state) {
    (void)state;
    struct err err;
    refused("\"\\u0000\"", "NUL");
    refused("{\"a\\u0000b\":1}", "NUL");
    refused("\"\\ud800\"", "surrogate");
    refused("\"\\ud800\\u0041\"", "surrogate");
    refused("\"\\ud800\\udbff\"", "surrogate");
    refused("\"\\udc00\"", "surrogate");
    refused("\"\\u12\"", "hexadecimal");
    refused("\"\\u12g4\"", "hexadecimal");
    refused("\"\\x41\"", "unknown escape");
    refused("\"\\", "unknown escape");
    refused("\"a\nb\"", "control character");
    refused("\"abc", "not closed");
    refused("\"\xFF\"", "UTF-8");
    refused("\"\xED\xA0\x80\"", "UTF-8");
    assert_int_equal(parse_n("\"a\0b\"", 5, &err), ERR_SYNTAX);
    assert_int_equal(parse_n("1\0", 2, &err), ERR_SYNTAX);
    struct arena *a = test_arena();
    const struct val *v;
    static const char text[] = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u4E95\\uD83D\\uDE00\"";
    assert_int_equal(json_parse(a, text, strlen(text), &v, NULL), ERR_OK);
    assert_string_equal(v->u.s, "\"\\/\b\f\n\r\t井\xF0\x9F\x98\x80");
    assert_int_equal(v->n, strlen(v->u.s));
    arena_free(a);
}

static void keys_are_unique(void **state) {
    (void)state;
    refused("{\"a\":1,\"a\":2}", "twice");
    refused("{\"a\":1,\"\\u0061\":2}", "twice");
    refused("[{\"x\":{\"b\":[{\"a\":1,\"c\":3,\"a\":{\"q\":1}}]}}]", "twice");
    accepted("{\"a\":{\"a\":1},\"b\":{\"a\":\":\"},\"\":0}");
}

static void depth_is_bounded(void **state) {
    (void)state;
    char text[128];
    for (int open = 0; open < 2; open++) {
        memset(text, open == 0 ? '[' : ' ', 32);
        text[32] = '\0';
        if (open == 0) {
            memset(text + 32, ']', 32);
            text[64] = '\0';
            accepted(text);
            memset(text, '[', 33);
            memset(text + 33, ']', 33);
            text[66] = '\0';
            refused(text, "32 deep");
        }
    }
    struct err err;
    size_t n = 1 << 20;
    char *deep = mem_new(n, 1);
    memset(deep, '[', n);
    assert_int_equal(parse_n(deep, n, &err), ERR_SYNTAX);
    mem_free(deep);
}

static void writes(const char *in, const char *expected) {
    struct arena *a = test_arena();
    const struct val *v;
    struct buf b;
    struct jw w;
    assert_int_equal(json_parse(a, in, strlen(in), &v, NULL), ERR_OK);
    buf_init(&b, 1 << 16);
    jw_init(&w, &b);
    jw_val(&w, v);
    assert_int_equal(buf_check(&b, NULL), ERR_OK);
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
    arena_free(a);
}

static void writing(void **state) {
    (void)state;
    writes("{ \"a\" : [ 1 , -2.50 , true, null ], \"b\":{}, \"c\":[], "
           "\"d\":\"\\u0001\\\"\\u0041\\n\" }",
           "{\"a\":[1,-2.5,true,null],\"b\":{},\"c\":[],\"d\":\"\\u0001\\\"A\\n\"}");
    struct buf b;
    struct jw w;
    buf_init(&b, 1 << 16);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "s", NULL);
    jw_kstr(&w, "bad", "x\xFFy");
    jw_kint(&w, "i", INT64_MIN);
    jw_kdouble(&w, "nan", NAN);
    jw_kdouble(&w, "inf", INFINITY);
    jw_kdouble(&w, "zero", -0.0);
    jw_kdouble(&w, "third", 1.0 / 3);
    jw_kbool(&w, "b", false);
    jw_ktime(&w, "t0", 0);
    jw_ktime(&w, "t", INT64_C(1767323045000000));
    jw_ktime(&w, "tf", INT64_C(1767323045000001));
    jw_key(&w, "raw");
    jw_raw(&w, "[1]", 3);
    jw_key(&w, "list");
    jw_arr(&w);
    jw_strn(&w, "ab", 1);
    jw_null(&w);
    jw_end(&w, ']');
    jw_end(&w, '}');
    assert_string_equal(
        buf_text(&b),
        "{\"s\":null,\"bad\":\"x\xEF\xBF\xBDy\",\"i\":-9223372036854775808,\"nan\":null,\"inf\":"
        "null,"
        "\"zero\":-0.0,\"third\":0.3333333333333333,\"b\":false,\"t0\":null,"
        "\"t\":\"2026-01-02T03:04:05Z\",\"tf\":\"2026-01-02T03:04:05.000001Z\",\"raw\":[1],"
        "\"list\":[\"a\",null]}");
    buf_clear(&b);
    jw_init(&w, &b);
    for (int i = 0; i < 40; i++) jw_arr(&w);
    assert_true(b.failed);
    buf_deinit(&b);
}

static void doubles_read_back_bit_for_bit(void **state) {
    (void)state;
    struct rng r = rng_new(3, 0);
    struct buf b;
    buf_init(&b, 256);
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = rng_u64(&r);
        double d;
        if (i % 3 == 0)
            d = (double)(int64_t)(bits >> 20) / 1000.0;
        else
            memcpy(&d, &bits, sizeof d);
        if (i % 1000 == 1) d = i % 2000 == 1 ? DBL_MAX : DBL_TRUE_MIN;
        if (!isfinite(d)) continue;
        struct jw w;
        buf_clear(&b);
        jw_init(&w, &b);
        jw_double(&w, d);
        double back = strtod(buf_text(&b), NULL);
        assert_memory_equal(&back, &d, sizeof d);
        assert_true(b.n <= 24);
    }
    buf_deinit(&b);
}

/* A random value tree as text, written by the generator of the test and not by the writer. */
static void random_json(struct rng *r, struct buf *b, unsigned depth) {
    switch (rng_below(r, depth < 5 ? 7 : 5)) {
    case 0:
        buf_str(b, "null");
        return;
    case 1:
        buf_str(b, rng_below(r, 2) == 0 ? "true" : "false");
        return;
    case 2:
        buf_printf(b, "%lld", (long long)rng_u64(r));
        return;
    case 3:
        buf_printf(b, "%.17g", rng_normal(r) * 1e-5);
        return;
    case 4:
        buf_printf(b, "\"%c\\u%04x井\"", 'a' + (int)rng_below(r, 26), 1 + rng_below(r, 0xD000));
        return;
    default:
        break;
    }
    bool map = rng_below(r, 2) == 0;
    uint32_t n = rng_below(r, 5);
    buf_char(b, map ? '{' : '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) buf_str(b, " , ");
        if (map) buf_printf(b, "\"k%u\" : ", i);
        random_json(r, b, depth + 1);
    }
    buf_char(b, map ? '}' : ']');
}

static void round_trips(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct rng r = rng_new(seed, 1);
        struct buf in, one, two;
        buf_init(&in, 1 << 20);
        buf_init(&one, 1 << 20);
        buf_init(&two, 1 << 20);
        random_json(&r, &in, 0);
        struct arena *a = test_arena();
        const struct val *v, *again;
        struct jw w;
        assert_int_equal(json_parse(a, buf_text(&in), in.n, &v, NULL), ERR_OK);
        jw_init(&w, &one);
        jw_val(&w, v);
        assert_int_equal(json_parse(a, buf_text(&one), one.n, &again, NULL), ERR_OK);
        jw_init(&w, &two);
        jw_val(&w, again);
        assert_string_equal(buf_text(&one), buf_text(&two));
        arena_free(a);
        buf_deinit(&in);
        buf_deinit(&one);
        buf_deinit(&two);
    }
}

static void allocation_faults_are_clean(void **state) {
    (void)state;
    struct buf in;
    buf_init(&in, 1 << 16);
    buf_char(&in, '[');
    for (int i = 0; i < 400; i++)
        buf_printf(&in, "{\"id\":%d,\"name\":\"name %d\",\"l\":[1,2.5,null]},", i, i);
    buf_str(&in, "0]");
    long live = mem_live();
    long n = 0;
    for (;; n++) {
        struct err err = {0};
        const struct val *v = NULL;
        mem_fault_arm(n);
        struct arena *a = arena_new(1 << 22);
        enum err_code rc = a == NULL ? ERR_NOMEM : json_parse(a, buf_text(&in), in.n, &v, &err);
        arena_free(a);
        int fired = mem_fault_disarm();
        assert_int_equal(mem_live(), live);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
    assert_true(n > 5);
    buf_deinit(&in);
    /* The arena's own limit, met at every place, is as clean. */
    static const char text[] = "{\"a\":[1,2.5,\"text\",{\"b\":null,\"c\":[]}],\"d\":{}}";
    for (size_t limit = 0;; limit += 16) {
        const struct val *v;
        struct arena *a = arena_new(limit);
        enum err_code rc = json_parse(a, text, strlen(text), &v, NULL);
        assert_true((v != NULL) == (rc == ERR_OK));
        arena_free(a);
        if (rc == ERR_OK) break;
        assert_int_equal(rc, ERR_NOMEM);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_grammar),
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(keys_are_unique),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(writing),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(doubles_read_back_bit_for_bit),
        cmocka_unit_test(allocation_faults_are_clean),
    };
    return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
