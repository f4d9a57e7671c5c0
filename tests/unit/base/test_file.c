#include "testing.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    (void)snprintf(dir, sizeof dir, "/tmp/gezhi-file-XXXXXX");
    return mkdtemp(dir) == NULL ? -1 : 0;
}

/* Removes the folder's files and then the folder, which must be empty by then. */
static int remove_dir(void **state) {
    (void)state;
    DIR *d = opendir(dir);
    if (d == NULL) return -1;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
    return rmdir(dir);
}

static int count_files(void) {
    DIR *d = opendir(dir);
    int n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
    (void)closedir(d);
    return n;
}

static void content_is(const char *path, const char *expected) {
    struct buf b;
    struct err err;
    buf_init(&b, 1 << 20);
    assert_int_equal(file_read(path, &b, &err), ERR_OK);
    assert_string_equal(buf_text(&b), expected);
    buf_deinit(&b);
}

static void written_and_read(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct err err;
    char *path = file_join(a, dir, "x.txt");
    assert_int_equal(file_write(path, "", 0, 0644, &err), ERR_OK);
    content_is(path, "");
    assert_int_equal(file_write(path, "first", 5, 0600, &err), ERR_OK);
    content_is(path, "first");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(file_write(path, "second", 6, 0644, &err), ERR_OK);
    content_is(path, "second");
    assert_int_equal(count_files(), 1);
    size_t n = 300000;
    char *big = arena_alloc(a, n, 1);
    for (size_t i = 0; i < n; i++) big[i] = (char)('a' + i % 23);
    assert_int_equal(file_write(path, big, n, 0644, &err), ERR_OK);
    struct buf b;
    buf_init(&b, n);
    assert_int_equal(file_read(path, &b, &err), ERR_OK);
    assert_int_equal(b.n, n);
    assert_memory_equal(b.p, big, n);
    buf_deinit(&b);
    buf_init(&b, n - 1);
    assert_int_equal(file_read(path, &b, &err), ERR_TOO_LARGE);
    buf_deinit(&b);
    assert_int_equal(file_sync_dir(dir, &err), ERR_OK);
    arena_free(a);
}

static void failures_name_the_path_and_keep_the_old_file(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct err err;
    struct buf b;
    buf_init(&b, 100);
    char *gone = file_join(a, dir, "gone/x.txt"), *path = file_join(a, dir, "kept.txt");
    assert_int_equal(file_read(gone, &b, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, gone));
    assert_int_equal(file_write(gone, "x", 1, 0644, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, gone));
    assert_int_equal(file_sync_dir(gone, &err), ERR_NOT_FOUND);
    assert_int_equal(file_read(dir, &b, &err), ERR_IO);
    assert_int_equal(file_read("/dev/zero", &b, &err), ERR_IO);
    char *fifo = file_join(a, dir, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(fifo, &b, &err), ERR_IO); /* and does not wait */
    assert_int_equal(unlink(fifo), 0);
    assert_int_equal(file_write(path, "old", 3, 0644, &err), ERR_OK);
    /* A file size limit stands for a full disk: the write fails in the middle. */
    struct rlimit was, low = {4096, 4096};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    low.rlim_max = was.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    static char big[10000];
    enum err_code rc = file_write(path, big, sizeof big, 0644, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(rc, ERR_IO);
    content_is(path, "old");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_write(path, "x", 1, 0644, &err), ERR_IO); /* a folder is not replaced */
    assert_int_equal(rmdir(path), 0);
    static char longer[5000];
    memset(longer, 'a', sizeof longer - 1);
    assert_int_equal(file_write(longer, "x", 1, 0644, &err), ERR_INVALID);
    buf_deinit(&b);
    arena_free(a);
}

static void joined_paths(void **state) {
    (void)state;
    struct arena *a = test_arena();
    assert_string_equal(file_join(a, "a", "b"), "a/b");
    assert_string_equal(file_join(a, "a/", "b"), "a/b");
    assert_string_equal(file_join(a, "", "b"), "b");
    assert_string_equal(file_join(a, "a", "/b"), "/b");
    assert_string_equal(file_join(a, "/", "b"), "/b");
    arena_free(a);
    a = arena_new(8);
    assert_null(file_join(a, "a", "b"));
    arena_free(a);
    assert_true(file_is_plain_name("井盖 1.jpg"));
    static const char *const bad[] = {"", ".", "..", ".x", "a/b", "a\\b", "a\nb", "a\x7F"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(file_is_plain_name(bad[i]));
    char text[300];
    memset(text, 'a', 256);
    text[256] = '\0';
    assert_false(file_is_plain_name(text));
    text[255] = '\0';
    assert_true(file_is_plain_name(text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(failures_name_the_path_and_keep_the_old_file),
        cmocka_unit_test(joined_paths),
    };
    return cmocka_run_group_tests_name("base/file", tests, make_dir, remove_dir);
}
