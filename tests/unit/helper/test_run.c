#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "helper/run.h"

static int play_cat(off_t from) {
    char piece[4096];
    ssize_t n;
    if (lseek(0, from, SEEK_SET) != from) return HELPER_EXIT_FAILED;
    while ((n = read(0, piece, sizeof piece)) > 0)
        if (write(1, piece, (size_t)n) != n) return HELPER_EXIT_FAILED;
    return HELPER_EXIT_OK;
}

static int play_sleep(bool mute) {
    if (mute) {
        (void)close(1);
        (void)close(2);
    }
    return sleep(60) == 0 ? HELPER_EXIT_OK : HELPER_EXIT_FAILED;
}

static int play_flood(void) {
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    while (write(1, piece, sizeof piece) > 0) {
    }
    return HELPER_EXIT_OK;
}

/* Says how many descriptors beyond 2 and how many variables it was born with. */
static int play_fds(void) {
    extern char **environ;
    int open_fds = 0, n_env = 0;
    for (int fd = 3; fd < 256; fd++) open_fds += fcntl(fd, F_GETFD) >= 0;
    while (environ != NULL && environ[n_env] != NULL) n_env++;
    (void)printf("%d %d", open_fds, n_env);
    return HELPER_EXIT_OK;
}

static int play_abort(void) {
    (void)signal(SIGABRT, SIG_DFL);
    return raise(SIGABRT);
}

/* The test program is its own helper: called with a word it plays the part named. */
static int play(const char *part) {
    if (strcmp(part, "cat") == 0) return play_cat(0);
    if (strcmp(part, "seek") == 0) return play_cat(3);
    if (strcmp(part, "sleep") == 0) return play_sleep(false);
    if (strcmp(part, "mute") == 0) return play_sleep(true);
    if (strcmp(part, "flood") == 0) return play_flood();
    if (strcmp(part, "fds") == 0) return play_fds();
    if (strcmp(part, "abort") == 0) return play_abort();
    if (strncmp(part, "exit", 4) != 0) return HELPER_EXIT_USAGE;
    (void)fprintf(stderr, "line one\nof\tcode %s", part + 4);
    return (int)strtol(part + 4, NULL, 10);
}

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    (void)err;
    buf_add(arg, p, n);
    return ERR_OK;
}

static enum err_code refuse(void *arg, const char *p, size_t n, struct err *err) {
    (void)arg, (void)p, (void)n;
    return err_fail(err, ERR_CONFLICT, "the reader had enough");
}

struct fixture {
    struct buf out;
    struct helper_result res;
    struct err err;
};

static enum err_code call(struct fixture *f, const char *part, const char *in, size_t in_n,
                          helper_output_fn *fn) {
    const char *argv[] = {"helper", part, NULL};
    struct helper_cmd cmd = {.path = "/proc/self/exe",
                             .argv = argv,
                             .in = in,
                             .in_n = in_n,
                             .limits = {.wall_ms = 5000, .output_bytes = 1 << 20},
                             .on_output = fn,
                             .arg = &f->out};
    if (strcmp(part, "sleep") == 0 || strcmp(part, "mute") == 0) cmd.limits.wall_ms = 200;
    buf_clear(&f->out);
    memset(&f->err, 0, sizeof f->err);
    return helper_run(&cmd, &f->res, &f->err);
}

static int setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    buf_init(&f->out, 4 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    buf_deinit(&f->out);
    free(f);
    return 0;
}

static void test_input_comes_back(void **state) {
    struct fixture *f = *state;
    size_t n = 1000000;
    char *big = malloc(n);
    for (size_t i = 0; i < n; i++) big[i] = (char)(i * 31 % 251);
    assert_int_equal(call(f, "cat", big, n, collect), ERR_OK);
    assert_int_equal(f->out.n, n);
    assert_memory_equal(f->out.p, big, n);
    assert_int_equal(f->res.out_bytes, n);
    assert_int_equal(f->res.exit_code, 0);
    assert_int_equal(call(f, "cat", NULL, 0, collect), ERR_OK);
    assert_int_equal(f->out.n, 0);
    assert_int_equal(call(f, "seek", "abcdef", 6, collect), ERR_OK);
    assert_string_equal(buf_text(&f->out), "def");
    free(big);
}

static void test_nothing_is_inherited(void **state) {
    struct fixture *f = *state;
    int leaked = open("/dev/null", O_RDONLY); /* no O_CLOEXEC on purpose */
    assert_int_equal(call(f, "fds", NULL, 0, collect), ERR_OK);
    assert_string_equal(buf_text(&f->out), "0 0");
    (void)close(leaked);
}

static void test_exit_codes(void **state) {
    struct fixture *f = *state;
    assert_int_equal(call(f, "exit1", NULL, 0, collect), ERR_INVALID);
    assert_string_equal(f->err.detail, "line one of code 1");
    assert_int_equal(call(f, "exit2", NULL, 0, collect), ERR_INTERNAL);
    assert_int_equal(call(f, "exit3", NULL, 0, collect), ERR_LIMIT);
    assert_int_equal(call(f, "exit4", NULL, 0, collect), ERR_UNSUPPORTED);
    assert_int_equal(call(f, "exit5", NULL, 0, collect), ERR_INTERNAL);
    assert_int_equal(f->res.exit_code, 5);
    assert_int_equal(call(f, "abort", NULL, 0, collect), ERR_INVALID);
    assert_int_equal(f->res.signal, SIGABRT);
}

static void test_limits(void **state) {
    struct fixture *f = *state;
    assert_int_equal(call(f, "sleep", NULL, 0, collect), ERR_TIMEOUT);
    assert_true(f->res.wall_ms >= 200 && f->res.wall_ms < 4000);
    assert_int_equal(call(f, "mute", NULL, 0, collect), ERR_TIMEOUT);
    assert_true(f->res.wall_ms < 4000);
    assert_int_equal(call(f, "flood", NULL, 0, collect), ERR_LIMIT);
    assert_true(f->res.out_bytes <= 1 << 20);
    assert_int_equal(call(f, "cat", "abc", 3, refuse), ERR_CONFLICT);
    assert_string_equal(f->err.detail, "the reader had enough");
    assert_int_equal(call(f, "cat", "abc", 3, NULL), ERR_OK);
}

static void test_no_such_program(void **state) {
    struct fixture *f = *state;
    const char *argv[] = {"x", NULL};
    struct helper_cmd cmd = {
        .path = BUILD_DIR "/no-such-helper", .argv = argv, .limits = {1000, 0, 1000}};
    assert_int_equal(helper_run(&cmd, NULL, &f->err), ERR_NOT_FOUND);
    char path[4096];
    assert_int_equal(helper_find(NULL, "test_helper_run", path, sizeof path, &f->err), ERR_OK);
    assert_int_equal(access(path, X_OK), 0);
    assert_int_equal(helper_find(NULL, "no-such", path, sizeof path, &f->err), ERR_NOT_FOUND);
    assert_int_equal(helper_find("/bin", "sh", path, sizeof path, &f->err), ERR_OK);
    assert_string_equal(path, "/bin/sh");
    assert_int_equal(helper_find("/nowhere", "sh", path, sizeof path, &f->err), ERR_NOT_FOUND);
    assert_int_equal(helper_find("/bin", "sh", path, 4, &f->err), ERR_LIMIT);
}

int main(int argc, char **argv) {
    if (argc == 2) return play(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_input_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_inherited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exit_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_such_program, setup, teardown),
    };
    return cmocka_run_group_tests_name("helper_run", tests, NULL, NULL);
}
