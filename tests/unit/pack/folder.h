/* A temporary folder of packs for tests: made from texts, or as a copy of another folder. */
#ifndef TESTS_UNIT_PACK_FOLDER_H
#define TESTS_UNIT_PACK_FOLDER_H
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

enum { FOLDER_PATH = 512 };

static inline void folder_path(char out[2 * FOLDER_PATH], const char *dir, const char *name) {
    assert_true(snprintf(out, 2 * FOLDER_PATH, "%s/%s", dir, name) < 2 * FOLDER_PATH);
}

static inline void folder_make(char dir[FOLDER_PATH]) {
    (void)snprintf(dir, FOLDER_PATH, "/tmp/gezhi-pack-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

/* Not by file_write, which waits for the disk: nothing here has to outlive the test. */
static inline void folder_write(const char *path, const char *text, size_t n) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* dir/name with the text; folders on the way are made. */
static inline void folder_put(const char *dir, const char *name, const char *text) {
    char path[2 * FOLDER_PATH];
    folder_path(path, dir, name);
    for (char *p = path + strlen(dir) + 1; *p != '\0'; p++) {
        if (*p != '/') continue;
        *p = '\0';
        (void)mkdir(path, 0777);
        *p = '/';
    }
    folder_write(path, text, strlen(text));
}

static inline void folder_remove(const char *path) {
    DIR *d = opendir(path);
    if (d == NULL) {
        (void)unlink(path);
        return;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char sub[2 * FOLDER_PATH];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        folder_path(sub, path, e->d_name);
        folder_remove(sub);
    }
    (void)closedir(d);
    (void)rmdir(path);
}

static inline void folder_copy_file(const char *from, const char *to) {
    struct buf text;
    buf_init(&text, 4 << 20);
    assert_int_equal(file_read(from, &text, NULL), ERR_OK);
    folder_write(to, buf_text(&text), text.n);
    buf_deinit(&text);
}

static inline void folder_copy(const char *from, const char *to) {
    DIR *d = opendir(from);
    assert_non_null(d);
    (void)mkdir(to, 0777);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char a[2 * FOLDER_PATH], b[2 * FOLDER_PATH];
        struct stat st;
        if (e->d_name[0] == '.') continue;
        folder_path(a, from, e->d_name);
        folder_path(b, to, e->d_name);
        assert_int_equal(stat(a, &st), 0);
        if (S_ISDIR(st.st_mode))
            folder_copy(a, b);
        else
            folder_copy_file(a, b);
    }
    (void)closedir(d);
}

/* Replace the first `from` in dir/name by `to`; it must be there. */
static inline void folder_edit(const char *dir, const char *name, const char *from,
                               const char *to) {
    char path[2 * FOLDER_PATH];
    struct buf old, text;
    folder_path(path, dir, name);
    buf_init(&old, 4 << 20);
    buf_init(&text, 4 << 20);
    assert_int_equal(file_read(path, &old, NULL), ERR_OK);
    const char *at = strstr(buf_text(&old), from);
    if (at == NULL) fail_msg("%s does not hold \"%s\"", path, from);
    buf_add(&text, old.p, (size_t)(at - old.p));
    buf_str(&text, to);
    buf_str(&text, at + strlen(from));
    folder_write(path, buf_text(&text), text.n);
    buf_deinit(&old);
    buf_deinit(&text);
}

/* dir/name as it is in `from` again. */
static inline void folder_restore(const char *from, const char *dir, const char *name) {
    char a[2 * FOLDER_PATH], b[2 * FOLDER_PATH];
    folder_path(a, from, name);
    folder_path(b, dir, name);
    folder_copy_file(a, b);
}
#endif
