/* The two notations of Open311 and the form that reports a request. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/open311_doc.h"
#include "api/open311_form.h"

struct fixture {
    struct arena *a;
    struct engine *e;
};

static void write_sample(struct doc *d) {
    doc_list(d, NULL, "services");
    doc_item(d, "service");
    doc_str(d, "name", "a<b> & \"c\" \x01\r\xEF\xBF\xBF路");
    doc_str(d, "none", NULL);
    doc_int(d, "n", -3);
    doc_double(d, "lat", 32.5);
    doc_double(d, "long", NAN);
    doc_bool(d, "metadata", true);
    doc_list(d, "values", "values");
    doc_list_end(d, "values");
    doc_item_end(d, "service");
    doc_list_end(d, "services");
}

static void test_doc(void **state) {
    (void)state;
    struct buf b;
    struct doc d;
    buf_init(&b, 4096);
    doc_begin(&d, true, &b);
    write_sample(&d);
    assert_string_equal(
        buf_text(&b),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<services><service><name>a&lt;b&gt; &amp; "
        "&quot;c&quot; "
        "\xEF\xBF\xBD&#13;\xEF\xBF\xBD路</name><none></none><n>-3</n><lat>32.5</lat><long></long>"
        "<metadata>true</metadata><values></values></service></services>");
    buf_clear(&b);
    doc_begin(&d, false, &b);
    write_sample(&d);
    struct arena *a = arena_new(1 << 20);
    const struct val *v = NULL;
    assert_int_equal(json_parse(a, buf_text(&b), b.n, &v, NULL), ERR_OK);
    assert_int_equal(v->type, VAL_LIST);
    const struct val *one = &v->u.list[0];
    assert_string_equal(val_get(one, "name")->u.s, "a<b> & \"c\" \x01\r\xEF\xBF\xBF路");
    assert_int_equal(val_get(one, "none")->type, VAL_NULL);
    assert_int_equal(val_get(one, "long")->type, VAL_NULL);
    assert_int_equal(val_get(one, "values")->type, VAL_LIST);
    arena_free(a);
    buf_deinit(&b);
}

static void test_form(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *body, *says;
        enum err_code rc;
    } rows[] = {
        {"service_code=event-0102&lat=32.84&long=119.34", NULL, ERR_OK},
        {"lat=32.84&long=119.34", "service_code", ERR_INVALID},
        {"service_code=event-9999&lat=32.84&long=119.34", "not offered", ERR_NOT_FOUND},
        {"service_code=dispute-02&lat=32.84&long=119.34", "not offered", ERR_NOT_FOUND},
        {"service_code=event-0502&lat=32.84&long=119.34", "not offered", ERR_NOT_FOUND},
        {"service_code=event-0102", "lat, long", ERR_INVALID},
        {"service_code=event-0102&address_string=Elm", "cannot be placed", ERR_INVALID},
        {"service_code=event-0102&lat=91&long=0", "lat", ERR_INVALID},
        {"service_code=event-0102&lat=9", "long", ERR_INVALID},
        {"service_code=event-0102&lat=0x9&long=1", "lat", ERR_INVALID},
        {"service_code=%zz", "", ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct open311_post post;
        struct err err = {0};
        enum err_code rc =
            open311_form(f->e, f->a, rows[i].body, strlen(rows[i].body), &post, &err);
        if (rc != rows[i].rc) fail_msg("%s: %s", rows[i].body, err.detail);
        if (rows[i].says != NULL && strstr(err.detail, rows[i].says) == NULL)
            fail_msg("%s says %s", rows[i].body, err.detail);
    }
    static const char full[] = "service_code=component-0118&lat=32.84&long=119.34&description=dark+"
                               "%E8%B7%AF&first_name=A&last_name=B"
                               "&email=x%40y.z&media_url=http://h/p.jpg&api_key=k&device_id=secret";
    struct open311_post post;
    assert_int_equal(open311_form(f->e, f->a, full, sizeof full - 1, &post, NULL), ERR_OK);
    assert_string_equal(post.report.cls->id, "component-0118");
    assert_string_equal(post.report.description, "dark 路");
    assert_string_equal(post.report.contact, "B, A, x@y.z");
    assert_string_equal(post.api_key, "k");
    assert_true(post.media_ignored && post.report.with_word && post.report.has_place);
}

static int setup(void **state) {
    static struct fixture f;
    static const unsigned char secret[32];
    const struct pack_set *packs = NULL;
    const struct tz *tz = NULL;
    f.a = arena_new(64 << 20);
    assert_int_equal(pack_load(f.a, SOURCE_DIR "/packs", NULL, &packs, NULL), ERR_OK);
    assert_int_equal(tz_load(f.a, "UTC", &tz, NULL), ERR_OK);
    assert_int_equal(engine_new(f.a, packs, tz, secret, NULL, &f.e, NULL), ERR_OK);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    arena_free(((struct fixture *)*state)->a);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_doc), cmocka_unit_test(test_form)};
    return cmocka_run_group_tests_name("open311", tests, setup, teardown);
}
