/* Query strings, forms, multipart bodies, Accept negotiation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/accept.h"
#include "net/form.h"
#include "net/multipart.h"
#include "net/query.h"

static void test_query(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct query q;
    struct err err = {0};
    const char *text = "a=1&b=%20x+y&&c&a=2&=v&%E5%90%8D=%e4%ba%95&d=a=b";
    assert_int_equal(query_parse(a, text, strlen(text), 16, &q, &err), ERR_OK);
    assert_int_equal(q.n, 7);
    assert_string_equal(query_get(&q, "a"), "1");
    assert_int_equal(query_count(&q, "a"), 2);
    assert_string_equal(query_get(&q, "b"), " x y");
    assert_string_equal(query_get(&q, "c"), "");
    assert_string_equal(query_get(&q, ""), "v");
    assert_string_equal(query_get(&q, "名"), "井");
    assert_string_equal(query_get(&q, "d"), "a=b");
    assert_null(query_get(&q, "zz"));
    assert_int_equal(query_parse(a, "", 0, 16, &q, &err), ERR_OK);
    assert_int_equal(q.n, 0);
    assert_int_equal(query_parse(a, "&&&", 3, 16, &q, &err), ERR_OK);
    assert_int_equal(q.n, 0);
    static const char *const bad[] = {"a=%",   "a=%4",     "a=%zz",      "a=%00",
                                      "a=%ff", "%c3%28=1", "a=%ed%a0%80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(query_parse(a, bad[i], strlen(bad[i]), 16, &q, &err), ERR_SYNTAX);
    assert_int_equal(query_parse(a, "a&b&c", 5, 2, &q, &err), ERR_TOO_LARGE);
    assert_int_equal(query_parse(a, "a=\0", 3, 2, &q, &err), ERR_SYNTAX);
    arena_free(a);
}

static void test_form(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct query q;
    struct err err = {0};
    assert_int_equal(
        form_parse(a, "service_code=1&lat=1.5&description=%E4%BA%95+%2B", 48, &q, &err), ERR_OK);
    assert_string_equal(query_get(&q, "description"), "井 +");
    static char many[2 * (FORM_MAX_PAIRS + 1)];
    for (size_t i = 0; i < sizeof many; i += 2) memcpy(many + i, "a&", 2);
    assert_int_equal(form_parse(a, many, sizeof many, &q, &err), ERR_TOO_LARGE);
    assert_int_equal(form_parse(a, many, 2 * FORM_MAX_PAIRS, &q, &err), ERR_OK);
    arena_free(a);
}

#define FORM_TYPE "multipart/form-data; boundary=XX"

static enum err_code parse(struct arena *a, const char *type, const char *body, struct multipart *m,
                           struct err *err) {
    return multipart_parse(a, type, body, strlen(body), m, err);
}

static void test_multipart(void **state) {
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct multipart m;
    struct err err = {0};
    const char *text;
    const char *body =
        "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\n"
        "井盖\r\n--XX \r\n"
        "content-disposition: FORM-DATA; name=file; filename=\"C:\\dir\\照片 \\\"1\\\".jpg\"\r\n"
        "Content-Type: Image/JPEG; x=y\r\n\r\n"
        "\xff\xd8--XX\r\n--X\r\n\r\n--XX\r\n"
        "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XX--\r\nepilogue --XX";
    assert_int_equal(parse(a, FORM_TYPE, body, &m, &err), ERR_OK);
    assert_int_equal(m.n, 3);
    assert_int_equal(multipart_text(a, &m, "text", 100, &text, &err), ERR_OK);
    assert_string_equal(text, "井盖");
    const struct multipart_part *file = multipart_get(&m, "file");
    assert_string_equal(file->filename, "照片 \"1\".jpg");
    assert_string_equal(file->type, "image/jpeg");
    assert_int_equal(file->n, 13);
    assert_memory_equal(file->data, "\xff\xd8--XX\r\n--X\r\n", 13);
    assert_int_equal(multipart_get(&m, "empty")->n, 0);
    assert_string_equal(multipart_get(&m, "empty")->type, "text/plain");
    assert_null(multipart_get(&m, "none"));
    assert_int_equal(multipart_text(a, &m, "none", 100, &text, &err), ERR_OK);
    assert_null(text);
    assert_int_equal(multipart_text(a, &m, "text", 3, &text, &err), ERR_TOO_LARGE);
    assert_int_equal(multipart_text(a, &m, "file", 100, &text, &err), ERR_SYNTAX);
    /* No part at all. */
    assert_int_equal(parse(a, FORM_TYPE, "--XX--", &m, &err), ERR_OK);
    assert_int_equal(m.n, 0);
    /* An empty part without the line break of its own. */
    assert_int_equal(parse(a, FORM_TYPE,
                           "--XX\r\nContent-Disposition: form-data; name=e\r\n\r\n--XX--", &m,
                           &err),
                     ERR_OK);
    assert_int_equal(m.part[0].n, 0);
    arena_free(a);
}

static void test_multipart_refused(void **state) {
    (void)state;
#define PART "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n"
    static const struct {
        const char *type, *body;
        enum err_code code;
    } row[] = {
        {"text/plain", PART "--XX--", ERR_UNSUPPORTED},
        {NULL, PART "--XX--", ERR_UNSUPPORTED},
        {"multipart/form-data", PART "--XX--", ERR_SYNTAX},
        {"multipart/form-data; boundary=", PART "--XX--", ERR_SYNTAX},
        {"multipart/form-data; boundary=\"X", PART "--XX--", ERR_SYNTAX},
        {"multipart/form-data; boundary=X\x01", PART "--XX--", ERR_SYNTAX},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789X",
         "", ERR_SYNTAX},
        {FORM_TYPE, "", ERR_SYNTAX},
        {FORM_TYPE, "--XY\r\n", ERR_SYNTAX},
        {FORM_TYPE, PART, ERR_SYNTAX},
        {FORM_TYPE, PART "--XXY\r\n", ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\n\r\nv\r\n--XX--", ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: form-data\r\n\r\nv\r\n--XX--", ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nv\r\n--XX--",
         ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nv\r\n--XX--",
         ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nv\r\n--XX--",
         ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nv\r\n--XX--",
         ERR_SYNTAX},
        {FORM_TYPE, "--XX\r\nContent-Disposition: form-data; name=a", ERR_SYNTAX},
    };
    struct arena *a = arena_new(1 << 22);
    struct multipart m;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct err err = {0};
        enum err_code rc = parse(a, row[i].type, row[i].body, &m, &err);
        if (rc != row[i].code) fail_msg("row %zu: %s: %s", i, err_name(rc), err.detail);
        assert_true(err.detail[0] != '\0');
    }
    struct buf b;
    struct err err = {0};
    buf_init(&b, 100000);
    for (int i = 0; i < MULTIPART_MAX_PARTS; i++) buf_str(&b, PART);
    buf_str(&b, "--XX--");
    assert_int_equal(parse(a, FORM_TYPE, buf_text(&b), &m, &err), ERR_OK);
    assert_int_equal(m.n, MULTIPART_MAX_PARTS);
    buf_clear(&b);
    for (int i = 0; i <= MULTIPART_MAX_PARTS; i++) buf_str(&b, PART);
    buf_str(&b, "--XX--");
    assert_int_equal(parse(a, FORM_TYPE, buf_text(&b), &m, &err), ERR_TOO_LARGE);
    buf_clear(&b);
    buf_str(&b, "--XX\r\nX: ");
    for (int i = 0; i < 5000; i++) buf_char(&b, 'x');
    assert_int_equal(parse(a, FORM_TYPE, buf_text(&b), &m, &err), ERR_TOO_LARGE);
    buf_deinit(&b);
    arena_free(a);
}

/* Every allocation fails in turn: a clean error each time, and nothing is lost. */
static void test_multipart_out_of_memory(void **state) {
    (void)state;
    long live = mem_live();
    for (long n = 0;; n++) {
        struct multipart m;
        struct err err = {0};
        struct arena *a = arena_new(1 << 20);
        mem_fault_arm(n);
        enum err_code rc = parse(a, FORM_TYPE, PART PART PART "--XX--", &m, &err);
        int fired = mem_fault_disarm();
        arena_free(a);
        assert_int_equal(mem_live(), live);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
    }
}

static void test_accept(void **state) {
    (void)state;
    unsigned all = ACCEPT_JSON | ACCEPT_CSV | ACCEPT_GEOJSON | ACCEPT_NDJSON;
    static const struct {
        const char *header, *format;
        enum accept_format want;
    } row[] = {
        {NULL, NULL, ACCEPT_JSON},
        {"", NULL, ACCEPT_JSON},
        {"*/*", NULL, ACCEPT_JSON},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", NULL, ACCEPT_JSON},
        {"text/csv", NULL, ACCEPT_CSV},
        {"TEXT/CSV; header=present", NULL, ACCEPT_CSV},
        {"application/geo+json, application/json;q=0.9", NULL, ACCEPT_GEOJSON},
        {"application/json;q=0.5, text/csv;q=0.51", NULL, ACCEPT_CSV},
        {"text/*", NULL, ACCEPT_CSV},
        {"application/x-ndjson", NULL, ACCEPT_NDJSON},
        {"application/ndjson", NULL, ACCEPT_NDJSON},
        {"image/png", NULL, ACCEPT_NONE},
        {"application/json;q=0", NULL, ACCEPT_NONE},
        {"application/json;q=0, */*", NULL, ACCEPT_CSV},
        {"text/html", NULL, ACCEPT_NONE},
        {"text/csv", "json", ACCEPT_JSON},
        {NULL, "CSV", ACCEPT_CSV},
        {NULL, "xml", ACCEPT_NONE},
        {NULL, "exe", ACCEPT_NONE},
        {NULL, "", ACCEPT_JSON},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        enum accept_format got = accept_choose(row[i].header, row[i].format, all, ACCEPT_JSON);
        if (got != row[i].want)
            fail_msg("row %zu: %s, expected %s", i, accept_name(got), accept_name(row[i].want));
    }
    assert_int_equal(accept_choose("text/xml", NULL, ACCEPT_XML | ACCEPT_JSON, ACCEPT_JSON),
                     ACCEPT_XML);
    assert_string_equal(accept_content_type(ACCEPT_GEOJSON), "application/geo+json");
    assert_int_equal(accept_quality("gzip;q=0.85, br", "gzip", false), 850);
    assert_int_equal(accept_quality("br, *;q=0.3", "gzip", false), 300);
    assert_int_equal(accept_quality("br", "gzip", false), -1);
    assert_int_equal(accept_quality("en-US,en;q=0.5,zh-CN;q=0.9", "zh", true), 900);
    assert_int_equal(accept_quality("x;q=1.001, y;q=2", "x", false), 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_multipart),
        cmocka_unit_test(test_multipart_refused),
        cmocka_unit_test(test_multipart_out_of_memory),
        cmocka_unit_test(test_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
