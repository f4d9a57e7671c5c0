/* A folder of small input files for tests of whole scans. */
#ifndef TEST_STUDY_SCAN_FIXTURE_H
#define TEST_STUDY_SCAN_FIXTURE_H
#include "../base/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/pool.h"
#include "study/scan/report.h"

struct bench {
    struct arena *a;
    char dir[64];
    struct scan_settings s;
    struct scan_study study;
    struct scan_result result;
    struct err err;
};

static inline struct bench bench_open(void) {
    struct bench b = {.a = arena_new((size_t)512 << 20), .dir = "/tmp/test_scan_XXXXXX"};
    assert_non_null(b.a);
    assert_non_null(mkdtemp(b.dir));
    scan_settings_init(&b.s);
    return b;
}

/* Writes a file and gives its path, which lives as long as the bench. */
static inline const char *bench_file(struct bench *b, const char *name, const char *text) {
    char *path = arena_printf(b->a, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline void bench_close(struct bench *b) {
    DIR *d = opendir(b->dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/%s", b->dir, e->d_name);
        (void)unlink(path);
    }
    (void)closedir(d);
    assert_int_equal(rmdir(b->dir), 0);
    arena_free(b->a);
}

static inline void bench_load(struct bench *b) {
    if (scan_study_load(b->a, &b->s, &b->study, &b->err) != ERR_OK) fail_msg("%s", b->err.detail);
}

static inline void bench_run(struct bench *b, size_t threads) {
    struct pool *pool = NULL;
    bench_load(b);
    assert_int_equal(pool_new(threads, &pool, &b->err), ERR_OK);
    struct num_run run = {.parallel = pool_run, .pool = pool, .n_threads = threads};
    if (scan_study_run(&b->study, &run, b->a, &b->result, &b->err) != ERR_OK)
        fail_msg("%s", b->err.detail);
    pool_free(pool);
}

/* Loading fails with this message, in which %s stands for the folder. */
static inline void bench_refuses(struct bench *b, const char *expected) {
    enum err_code rc = scan_study_load(b->a, &b->s, &b->study, &b->err);
    const char *found = b->err.detail;
    size_t n = strlen(b->dir);
    if (rc == ERR_OK) fail_msg("taken, expected: %s", expected);
    if (strncmp(found, b->dir, n) == 0) found += n + 1;
    assert_string_equal(found, expected);
}

static inline const char *bench_json(struct bench *b) {
    struct scan_told told = {.study = &b->study, .result = &b->result, .elapsed_ms = -1};
    struct buf out;
    buf_init(&out, 16 << 20);
    assert_int_equal(scan_report_json(&out, b->a, &told, &b->err), ERR_OK);
    const char *text = arena_strdup(b->a, buf_text(&out));
    assert_false(out.failed);
    buf_deinit(&out);
    return text;
}
#endif
