/* The sandbox of gezhi-geo, tried from inside: each trial runs in a child that shuts itself in
 * first. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/geo_sandbox.h"

enum { REFUSED = 10, DONE = 11 };

static int verdict(int rc) { return rc >= 0 ? DONE : errno == EPERM ? REFUSED : 12; }

static int try_read(void) { return verdict(open("/etc/hostname", O_RDONLY | O_CLOEXEC)); }
static int try_write(void) { return verdict(open("/dev/null", O_WRONLY)); }
static int try_create(void) {
    return verdict(open("/tmp/gezhi-geo-sandbox", O_RDWR | O_CREAT, 0600));
}
static int try_unlink(void) { return verdict(unlink("/nonexistent/file")); }
static int try_kill(void) { return verdict(kill(getppid(), 0)); }
static int try_other_fd(void) { return verdict((int)write(9, "x", 1)); }
static int try_socket(void) { return verdict(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_fork(void) { return verdict((int)fork()); }
static int try_exec(void) {
    char *const argv[] = {(char[]){"true"}, NULL};
    return verdict(execve("/bin/true", argv, NULL));
}
static int try_memory(void) {
    void *p = malloc(64 << 20);
    if (p != NULL) memset(p, 1, 64 << 20);
    int rc = p != NULL ? DONE : REFUSED;
    free(p);
    return rc;
}
static int try_limits(void) {
    struct rlimit r = {0, 0};
    return verdict(setrlimit(RLIMIT_CORE, &r));
}

/* Exit code of the trial, or minus the signal that ended it. */
static int shut_in(int (*trial)(void), bool read_files) {
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool in = geo_limit_resources(60, (uint64_t)8 << 30) && geo_limit_calls(read_files);
        _exit(in ? trial() : 13);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_files(void **state) {
    (void)state;
    assert_int_equal(shut_in(try_read, true), DONE);
    assert_int_equal(shut_in(try_read, false), REFUSED);
    assert_int_equal(shut_in(try_write, true), REFUSED);
    assert_int_equal(shut_in(try_create, true), REFUSED);
    assert_int_equal(shut_in(try_unlink, true), REFUSED);
    assert_int_equal(shut_in(try_other_fd, true), REFUSED);
    assert_int_equal(access("/tmp/gezhi-geo-sandbox", F_OK), -1);
}

static void test_calls(void **state) {
    (void)state;
    assert_int_equal(shut_in(try_memory, true), DONE);
    assert_int_equal(shut_in(try_socket, true), -SIGSYS);
    assert_int_equal(shut_in(try_exec, true), -SIGSYS);
    assert_int_equal(shut_in(try_kill, true), REFUSED);
    assert_int_equal(shut_in(try_limits, true), REFUSED);
    int forked = shut_in(try_fork, true);
    assert_true(forked == REFUSED || forked == -SIGSYS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_calls),
    };
    return cmocka_run_group_tests_name("helper_geo_sandbox", tests, NULL, NULL);
}
