#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"

static void reads(const char *yaml, const char *json) {
    struct arena *a = test_arena();
    struct err err = {0};
    const struct val *v;
    struct buf b;
    struct jw w;
    if (yaml_parse(a, "t.yaml", yaml, strlen(yaml), &v, &err) != ERR_OK) fail_msg("%s", err.detail);
    buf_init(&b, 1 << 16);
    jw_init(&w, &b);
    jw_val(&w, v);
    assert_string_equal(buf_text(&b), json);
    buf_deinit(&b);
    arena_free(a);
}

static void fails_with(const char *yaml, enum err_code code, const char *start, const char *part) {
    struct arena *a = test_arena();
    struct err err = {0};
    const struct val *v;
    enum err_code rc = yaml_parse(a, "t.yaml", yaml, strlen(yaml), &v, &err);
    if (rc != code) fail_msg("%s: code %s", yaml, err_name(rc));
    assert_null(v);
    if (strncmp(err.detail, start, strlen(start)) != 0 || strstr(err.detail, part) == NULL)
        fail_msg("%s: \"%s\"", yaml, err.detail);
    arena_free(a);
}

static void core_schema(void **state) {
    (void)state;
    reads("", "null");
    reads("# nothing\n", "null");
    reads("---\n", "null");
    reads("[~, null, Null, NULL, true, True, TRUE, false, nULL, yes, on, no]",
          "[null,null,null,null,true,true,true,false,\"nULL\",\"yes\",\"on\",\"no\"]");
    reads("[0, -1, +2, 0o17, 0xFf, 1.5, -.5, 1., 1e3, +1.e-2, 9223372036854775807, "
          "-9223372036854775808]",
          "[0,-1,2,15,255,1.5,-0.5,1,1000,0.01,9223372036854775807,-9223372036854775808]");
    reads("['1', \"true\", 1a, 1.2.3, 0o8, 0x, '-', 2026-01-02, 12:30, '']",
          "[\"1\",\"true\",\"1a\",\"1.2.3\",\"0o8\",\"0x\",\"-\",\"2026-01-02\",\"12:30\",\"\"]");
    reads("a: 1\n1: b\ntrue: c\n\"\": d\ne:\n",
          "{\"a\":1,\"1\":\"b\",\"true\":\"c\",\"\":\"d\",\"e\":null}");
    reads("label: 井盖\nlist:\n  - x: 1\n    y: [1, {z: 2}]\n  - |\n    two\n    lines\n  - >\n    "
          "one\n    line\n",
          "{\"label\":\"井盖\",\"list\":[{\"x\":1,\"y\":[1,{\"z\":2}]},\"two\\nlines\\n\",\"one "
          "line\\n\"]}");
    reads("\xEF\xBB\xBF"
          "a: 1\n",
          "{\"a\":1}");
    reads("%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}");
    reads("a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}");
}

static void positions(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *v;
    static const char text[] = "# c\nlabel: x\nlist:\n  - 井盖: [1,\n      2]\n";
    assert_int_equal(yaml_parse(a, "t", text, strlen(text), &v, NULL), ERR_OK);
    assert_int_equal(v->line, 2);
    assert_int_equal(v->col, 1);
    const struct val_pair *label = &v->u.map[0], *list = &v->u.map[1];
    assert_int_equal(label->line * 100 + label->col, 201);
    assert_int_equal(label->v.line * 100 + label->v.col, 208);
    assert_int_equal(list->line * 100 + list->col, 301);
    const struct val_pair *inner = &list->v.u.list[0].u.map[0];
    assert_int_equal(inner->line * 100 + inner->col, 405);
    assert_int_equal(inner->v.line * 100 + inner->v.col, 409); /* characters, not bytes */
    assert_int_equal(inner->v.u.list[1].line * 100 + inner->v.u.list[1].col, 507);
    arena_free(a);
}

static void refusals_name_the_place(void **state) {
    (void)state;
    fails_with("a: 1\nb: 2\na: 3\n", ERR_SYNTAX, "t.yaml:3:1: ", "duplicate key \"a\"");
    fails_with("x:\n  - {k: 1, j: 2, k: 3, j: 4}\n", ERR_SYNTAX,
               "t.yaml:2:18: ", "duplicate key \"k\"");
    fails_with("a: &x 1\nb: 2\n", ERR_SYNTAX, "t.yaml:1:4: ", "anchors");
    fails_with("a: 1\nb: *x\n", ERR_SYNTAX, "t.yaml:2:4: ", "aliases");
    fails_with("*x : 1\n", ERR_SYNTAX, "t.yaml:1:1: ", "aliases");
    fails_with("a: !!str 1\n", ERR_SYNTAX, "t.yaml:1:4: ", "tags");
    fails_with("a: !mine {b: 1}\n", ERR_SYNTAX, "t.yaml:1:4: ", "tags");
    fails_with("a: !mine [1]\n", ERR_SYNTAX, "t.yaml:1:4: ", "tags");
    fails_with("a: 1\n---\nb: 2\n", ERR_SYNTAX, "t.yaml:2:1: ", "second document");
    fails_with("? [1, 2]\n: x\n", ERR_SYNTAX, "t.yaml:1:3: ", "a key must be plain text");
    fails_with("class: 0101\n", ERR_SYNTAX, "t.yaml:1:8: ", "quote it");
    fails_with("x: -012.5\n", ERR_SYNTAX, "t.yaml:1:4: ", "leading 0");
    fails_with("id: 12345678901234567890\n", ERR_SYNTAX, "t.yaml:1:5: ", "64 bits");
    fails_with("id: 0xFFFFFFFFFFFFFFFFFF\n", ERR_SYNTAX, "t.yaml:1:5: ", "64 bits");
    fails_with("x: .inf\n", ERR_SYNTAX, "t.yaml:1:4: ", "finite");
    fails_with("x: -.Inf\n", ERR_SYNTAX, "t.yaml:1:4: ", "finite");
    fails_with("x: 1e999\n", ERR_SYNTAX, "t.yaml:1:4: ", "too large");
    fails_with("x: \"a\\0b\"\n", ERR_SYNTAX, "t.yaml:1:4: ", "NUL");
    fails_with("a: [1, 2\nb: 3\n", ERR_SYNTAX, "t.yaml:", "expected");
    fails_with("a: 1\n\tb: 2\n", ERR_SYNTAX, "t.yaml:2:1: ", "");
    fails_with("a: b: c\n", ERR_SYNTAX, "t.yaml:1:5: ", "mapping values");
    fails_with("a: \"open\n", ERR_SYNTAX, "t.yaml:2:1: ", "");
    fails_with("a: \xFF\n", ERR_SYNTAX, "t.yaml: ", "UTF-8");
    fails_with("%a\xFF\xFF", ERR_SYNTAX, "t.yaml: ", "UTF-8");
}

static void depth_and_size_are_bounded(void **state) {
    (void)state;
    char deep[128];
    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    deep[64] = '\0';
    struct arena *a = test_arena();
    const struct val *v;
    struct err err;
    assert_int_equal(yaml_parse(a, "t", deep, 64, &v, &err), ERR_OK);
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    deep[66] = '\0';
    fails_with(deep, ERR_LIMIT, "t.yaml:1:33: ", "32 deep");
    size_t n = (1 << 20) + 1;
    char *big = mem_new(n, 1);
    memset(big, '#', n);
    assert_int_equal(yaml_parse(a, "t", big, n, &v, &err), ERR_LIMIT);
    assert_int_equal(yaml_parse(a, "t", big, n - 1, &v, &err), ERR_OK);
    mem_free(big);
    arena_free(a);
}

static void many_keys_cost_little(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 60000; i++) buf_printf(&b, "k%d: 1\n", i);
    size_t n = b.n;
    struct arena *a = test_arena();
    const struct val *v;
    struct err err;
    assert_int_equal(yaml_parse(a, "t", buf_text(&b), n, &v, &err), ERR_OK);
    assert_int_equal(v->n, 60000);
    buf_str(&b, "k59998: 2\nk5: 2\n");
    assert_int_equal(yaml_parse(a, "t", buf_text(&b), b.n, &v, &err), ERR_SYNTAX);
    assert_string_equal(err.detail, "t:60001:1: duplicate key \"k59998\"");
    arena_free(a);
    buf_deinit(&b);
}

static void files(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct val *v;
    struct err err;
    char path[] = "/tmp/gezhi-yaml-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(file_write(path, "a: [\n", 5, 0600, &err), ERR_OK);
    assert_int_equal(yaml_load(a, path, &v, &err), ERR_SYNTAX);
    assert_memory_equal(err.detail, path, strlen(path));
    assert_int_equal(file_write(path, "a: 1\n", 5, 0600, &err), ERR_OK);
    assert_int_equal(yaml_load(a, path, &v, &err), ERR_OK);
    assert_int_equal(val_get(v, "a")->u.i, 1);
    size_t n = (1 << 20) + 1;
    char *big = mem_new(n, 1);
    memset(big, '#', n);
    assert_int_equal(file_write(path, big, n, 0600, &err), ERR_OK);
    assert_int_equal(yaml_load(a, path, &v, &err), ERR_LIMIT);
    mem_free(big);
    (void)unlink(path);
    assert_int_equal(yaml_load(a, path, &v, &err), ERR_NOT_FOUND);
    assert_null(v);
    assert_int_equal(yaml_load(a, "/tmp", &v, &err), ERR_IO);
    arena_free(a);
}

static void allocation_faults_are_clean(void **state) {
    (void)state;
    struct buf in;
    buf_init(&in, 1 << 16);
    for (int i = 0; i < 300; i++)
        buf_printf(&in, "- {id: %d, name: \"name %d\", l: [1, 2.5, null]}\n", i, i);
    long live = mem_live();
    long n = 0;
    for (;; n++) {
        struct err err = {0};
        const struct val *v = NULL;
        mem_fault_arm(n);
        struct arena *a = arena_new(1 << 22);
        enum err_code rc =
            a == NULL ? ERR_NOMEM : yaml_parse(a, "t", buf_text(&in), in.n, &v, &err);
        arena_free(a);
        int fired = mem_fault_disarm();
        assert_int_equal(mem_live(), live);
        if (!fired) {
            assert_int_equal(rc, ERR_OK);
            break;
        }
        assert_int_equal(rc, ERR_NOMEM);
        assert_null(v);
    }
    assert_true(n > 5);
    /* The arena's own limit, at every size, is met as cleanly. */
    for (size_t limit = 0; limit < 4000; limit += 16) {
        const struct val *v;
        struct arena *a = arena_new(limit);
        assert_int_equal(yaml_parse(a, "t", buf_text(&in), in.n, &v, NULL), ERR_NOMEM);
        arena_free(a);
    }
    buf_deinit(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_schema),
        cmocka_unit_test(positions),
        cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(many_keys_cost_little),
        cmocka_unit_test(files),
        cmocka_unit_test(allocation_faults_are_clean),
    };
    return cmocka_run_group_tests_name("base/yaml", tests, NULL, NULL);
}
