#include "testing.h"

#include "base/json.h"

static const struct val *parse(struct arena *a, const char *text) {
    const struct val *v;
    struct err err;
    assert_int_equal(json_parse(a, text, strlen(text), &v, &err), ERR_OK);
    return v;
}

static void members_are_read_by_type(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *v = parse(a, "{\"s\":\"井盖\",\"i\":7,\"d\":1.5,\"b\":true,\"n\":null}");
    struct err err;
    const char *s = "default";
    int64_t i = -1;
    double d = -1;
    bool b = false;
    assert_int_equal(val_str(v, "s", true, 6, &s, &err), ERR_OK);
    assert_string_equal(s, "井盖");
    assert_int_equal(val_int(v, "i", true, 0, 7, &i, &err), ERR_OK);
    assert_int_equal(i, 7);
    assert_int_equal(val_double(v, "d", true, 0, 2, &d, &err), ERR_OK);
    assert_true(d == 1.5);
    assert_int_equal(val_double(v, "i", true, 0, 10, &d, &err), ERR_OK);
    assert_true(d == 7.0);
    assert_int_equal(val_bool(v, "b", true, &b, &err), ERR_OK);
    assert_true(b);
    s = "default";
    assert_int_equal(val_str(v, "n", false, 6, &s, &err), ERR_OK);
    assert_int_equal(val_str(v, "absent", false, 6, &s, &err), ERR_OK);
    assert_string_equal(s, "default");
    assert_null(val_get(NULL, "x"));
    assert_null(val_get(val_get(v, "s"), "x"));
    arena_free(a);
}

static void wrong_members_name_themselves(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *v = parse(a, "{\"s\":\"abcdefg\",\"i\":7,\"d\":1.5,\"a/b~c\":[],\"n\":null}");
    struct err err;
    const char *s = NULL;
    int64_t i = 0;
    double d = 0;
    bool b = false;
    assert_int_equal(val_str(v, "s", true, 6, &s, &err), ERR_INVALID);
    assert_string_equal(err.field, "/s");
    assert_string_equal(err.detail, "\"s\": expected at most 6 bytes, found 7");
    assert_int_equal(val_str(v, "i", true, 6, &s, &err), ERR_INVALID);
    assert_string_equal(err.detail, "\"i\": expected text, found an integer");
    assert_int_equal(val_str(v, "absent", true, 6, &s, &err), ERR_INVALID);
    assert_string_equal(err.field, "/absent");
    assert_string_equal(err.detail, "\"absent\" is missing: expected text");
    assert_int_equal(val_str(v, "n", true, 6, &s, &err), ERR_INVALID);
    assert_int_equal(val_int(v, "i", true, 8, 9, &i, &err), ERR_INVALID);
    assert_string_equal(err.detail, "\"i\": expected an integer from 8 to 9, found 7");
    assert_int_equal(val_int(v, "d", true, 0, 9, &i, &err), ERR_INVALID);
    assert_int_equal(val_double(v, "d", true, 2, 3, &d, &err), ERR_INVALID);
    assert_string_equal(err.detail, "\"d\": expected a number from 2 to 3, found 1.5");
    assert_int_equal(val_double(v, "s", true, 2, 3, &d, &err), ERR_INVALID);
    assert_int_equal(val_bool(v, "i", true, &b, &err), ERR_INVALID);
    assert_int_equal(val_bool(v, "a/b~c", true, &b, &err), ERR_INVALID);
    assert_string_equal(err.field, "/a~1b~0c");
    assert_int_equal(val_bool(v, "a/b~c", true, &b, NULL), ERR_INVALID);
    assert_null(s);
    arena_free(a);
}

static void unknown_keys_are_refused(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const char *const known[] = {"severity", "label", "unit", NULL};
    struct err err;
    assert_int_equal(val_only(parse(a, "{\"label\":1,\"severity\":2}"), known, &err), ERR_OK);
    assert_int_equal(val_only(parse(a, "[1]"), known, &err), ERR_OK);
    assert_int_equal(val_only(parse(a, "{\"label\":1,\"sevrity\":2}"), known, &err), ERR_INVALID);
    assert_string_equal(err.field, "/sevrity");
    assert_string_equal(err.detail, "\"sevrity\" is not known here; did you mean \"severity\"?");
    assert_int_equal(val_only(parse(a, "{\"colour\":2}"), known, &err), ERR_INVALID);
    assert_string_equal(err.detail, "\"colour\" is not known here");
    arena_free(a);
}

static void nearest_words(void **state) {
    (void)state;
    static const char *const words[] = {"lon", "lat", "description", "contact", "class", NULL};
    assert_string_equal(val_nearest("lan", words), "lon");
    assert_string_equal(val_nearest("descriptoin", words),
                        "description"); /* a swap is one change */
    assert_string_equal(val_nearest("clas", words), "class");
    assert_string_equal(val_nearest("clazz", words), "class");
    assert_null(val_nearest("xyz", words));
    assert_null(val_nearest("", words));
    assert_null(val_nearest("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
                            words));
}

static void long_keys_stay_inside_the_error(void **state) {
    (void)state;
    char key[400];
    for (size_t i = 0; i < sizeof key - 1; i++) key[i] = '~';
    key[sizeof key - 1] = '\0';
    struct val empty = {.type = VAL_MAP};
    struct err err;
    const char *s;
    assert_int_equal(val_str(&empty, key, true, 1, &s, &err), ERR_INVALID);
    assert_true(strlen(err.field) < sizeof err.field);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_by_type),
        cmocka_unit_test(wrong_members_name_themselves),
        cmocka_unit_test(unknown_keys_are_refused),
        cmocka_unit_test(nearest_words),
        cmocka_unit_test(long_keys_stay_inside_the_error),
    };
    return cmocka_run_group_tests_name("base/val", tests, NULL, NULL);
}
