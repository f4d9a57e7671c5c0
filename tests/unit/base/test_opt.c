#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/opt.h"

struct values {
    const char *data, *layer;
    int64_t port;
    bool json;
};

static enum err_code parse(struct values *v, char *const *words, int n, size_t *n_args, char **args,
                           struct err *err) {
    const struct opt opts[] = {
        {"data", OPT_STR, &v->data, true, "DIR", "the data folder"},
        {"layer", OPT_STR, &v->layer, false, "L", "layer of cells"},
        {"port", OPT_INT, &v->port, false, "N", "port"},
        {"json", OPT_FLAG, &v->json, false, NULL, "for programs"},
    };
    const struct opt_command cmd = {"import cells", "FILE", 1, 2, opts, 4, "Import cells", NULL};
    for (int i = 0; i < n; i++) args[i] = words[i];
    return opt_parse(&cmd, n, args, n_args, err);
}

#define PARSE(v, err, ...)                                                                         \
    parse((v), (char *[]){__VA_ARGS__}, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)),   \
          &n_args, args, (err))

static void good_lines(void **state) {
    (void)state;
    char *args[16];
    size_t n_args;
    struct err err;
    struct values v = {.layer = "grid", .port = 8080};
    assert_int_equal(PARSE(&v, &err, "f.json", "--data", "d", "--json", "--port=-12"), ERR_OK);
    assert_string_equal(v.data, "d");
    assert_string_equal(v.layer, "grid");
    assert_int_equal(v.port, -12);
    assert_true(v.json);
    assert_int_equal(n_args, 1);
    assert_string_equal(args[0], "f.json");
    assert_int_equal(PARSE(&v, &err, "--data=a=b", "-", "--data", "--json", "--", "--port"),
                     ERR_OK);
    assert_string_equal(v.data, "--json"); /* a value is what follows; the last holds */
    assert_int_equal(n_args, 2);
    assert_string_equal(args[0], "-");
    assert_string_equal(args[1], "--port");
    assert_int_equal(PARSE(&v, &err, "--data=", "x"), ERR_OK);
    assert_string_equal(v.data, "");
}

static void bad_lines(void **state) {
    (void)state;
    char *args[16];
    size_t n_args;
    struct err err;
    struct values v = {0};
    assert_int_equal(PARSE(&v, &err, "f", "--data", "d", "--prot", "1"), ERR_INVALID);
    assert_string_equal(err.detail,
                        "--prot is not an option of import cells; did you mean --port?");
    assert_int_equal(PARSE(&v, &err, "f", "--data", "d", "--colour=red"), ERR_INVALID);
    assert_string_equal(err.detail, "--colour is not an option of import cells");
    assert_int_equal(PARSE(&v, &err, "f", "--data"), ERR_INVALID);
    assert_string_equal(err.detail, "--data needs a value: --data DIR");
    assert_int_equal(PARSE(&v, &err, "f"), ERR_INVALID);
    assert_string_equal(err.detail, "import cells needs --data DIR");
    assert_int_equal(PARSE(&v, &err, "--data", "d"), ERR_INVALID);
    assert_string_equal(err.detail, "import cells needs FILE");
    assert_int_equal(PARSE(&v, &err, "a", "b", "c", "--data", "d"), ERR_INVALID);
    assert_string_equal(err.detail, "import cells does not take \"c\"");
    assert_int_equal(PARSE(&v, &err, "a", "--json=1", "--data", "d"), ERR_INVALID);
    assert_string_equal(err.detail, "--json takes no value");
    assert_int_equal(PARSE(&v, &err, "a", "-x", "--data", "d"), ERR_INVALID);
    static char *const numbers[] = {
        "", "x", "1x", " 1", "+1", "0x10", "1e3", "9223372036854775808", "-", "1.5"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(PARSE(&v, &err, "f", "--data", "d", "--port", numbers[i]), ERR_INVALID);
        assert_non_null(strstr(err.detail, "--port N: expected an integer"));
    }
}

static void help(void **state) {
    (void)state;
    const char *data;
    bool json;
    const struct opt opts[] = {{"data", OPT_STR, &data, true, "DIR", "the data folder"},
                               {"json", OPT_FLAG, &json, false, NULL, "for programs"}};
    const struct opt_command cmd = {"init", NULL, 0, 0, opts, 2, "Make an empty city.", NULL};
    char text[1024] = "";
    int fd[2], keep = dup(STDOUT_FILENO);
    assert_int_equal(pipe(fd), 0);
    (void)fflush(stdout);
    assert_true(dup2(fd[1], STDOUT_FILENO) >= 0);
    opt_help(&cmd);
    (void)fflush(stdout);
    assert_true(dup2(keep, STDOUT_FILENO) >= 0);
    assert_true(read(fd[0], text, sizeof text - 1) > 0);
    assert_string_equal(text,
                        "usage: gezhi init --data DIR [options]\n\nMake an empty city.\n\n"
                        "  --data DIR  the data folder (required)\n  --json      for programs\n");
    (void)close(fd[0]);
    (void)close(fd[1]);
    (void)close(keep);
    assert_true(opt_wants_help(2, (char *[]){"x", "--help"}));
    assert_true(opt_wants_help(1, (char *[]){"-h"}));
    assert_false(opt_wants_help(2, (char *[]){"--", "--help"}));
    assert_false(opt_wants_help(0, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(good_lines), cmocka_unit_test(bad_lines),
                                       cmocka_unit_test(help)};
    return cmocka_run_group_tests_name("base/opt", tests, NULL, NULL);
}
