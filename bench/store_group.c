/* bench/store_group.c - durable inserts a second by the number of commands in flight: what group
 * commit gives on this disk. Usage: store_group [DIR] [SECONDS]. A command inserts one row of the
 * shape of a report (12 columns, one personal) and one history row. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/ledger.h"

static const struct column report_cols[] = {
    {"code", COL_TEXT, true, false},        {"class", COL_TEXT, true, false},
    {"state", COL_TEXT, true, false},       {"lon", COL_REAL, true, false},
    {"lat", COL_REAL, true, false},         {"cell", COL_TEXT, true, false},
    {"area", COL_TEXT, true, false},        {"unit", COL_TEXT, false, false},
    {"reported_at", COL_TIME, true, false}, {"due_at", COL_TIME, false, false},
    {"description", COL_TEXT, true, false}, {"contact", COL_TEXT, false, true},
};
static const struct index report_indexes[] = {{{"code"}, true, NULL},
                                              {{"state", "reported_at"}, false, NULL},
                                              {{"cell", "reported_at"}, false, NULL}};
static const struct table report = {"report", TABLE_LEDGER, report_cols, 12, report_indexes,
                                    3,        NULL};
static const struct column step_cols[] = {{"report", COL_INT, true, false},
                                          {"move", COL_TEXT, true, false},
                                          {"at", COL_TIME, true, false},
                                          {"note", COL_TEXT, false, false}};
static const struct index step_indexes[] = {{{"report"}, false, NULL}};
static const struct table step = {"step", TABLE_LEDGER, step_cols, 4, step_indexes, 1, NULL};

enum { BUCKETS = 4000, BUCKET_US = 50 }; /* latencies up to 200 ms, by 50 us */

struct run {
    struct ledger *l;
    atomic_long latency[BUCKETS];
    atomic_long done, failed;
    atomic_int in_flight;
    pthread_mutex_t mu;
    pthread_cond_t room;
    int limit;
};

static enum err_code apply(struct tx *tx, void *arg, struct err *err) {
    (void)arg;
    int64_t at = tx_now_us(tx), id = 0, step_id = 0;
    static _Thread_local long serial;
    char code[40], cell[16];
    serial++;
    (void)snprintf(code, sizeof code, "370102-%ld-%lld", serial, (long long)at);
    (void)snprintf(cell, sizeof cell, "3701020010%02ld", serial % 97);
    struct cell c[12] = {
        cell_text(code),
        cell_text("event-0101"),
        cell_text("reported"),
        cell_real(117.0 + (double)(serial % 10000) / 1e5),
        cell_real(36.65),
        cell_text(cell),
        cell_text("370102001"),
        cell_null(),
        cell_int(at),
        cell_int(at + 86400000000),
        cell_text("A drain cover is broken in front of the school gate, a child could fall in."),
        cell_text("138 0000 0000")};
    TRY(tx_insert(tx, &report, c, &id, err));
    struct cell s[4] = {cell_int(id), cell_text("report"), cell_int(at), cell_null()};
    return tx_insert(tx, &step, s, &step_id, err);
}

struct flight {
    struct run *r;
    int64_t from_us;
};

static void done(void *arg, enum err_code rc, const struct err *err, const struct reply *reply,
                 int64_t seq) {
    struct flight *f = arg;
    struct run *r = f->r;
    int64_t bucket = (clock_mono_us() - f->from_us) / BUCKET_US;
    (void)atomic_fetch_add(&r->latency[bucket < BUCKETS ? bucket : BUCKETS - 1], 1);
    mem_free(f);
    (void)err;
    (void)reply;
    (void)seq;
    (void)atomic_fetch_add(rc == ERR_OK ? &r->done : &r->failed, 1);
    if (atomic_fetch_sub(&r->in_flight, 1) == r->limit) {
        (void)pthread_mutex_lock(&r->mu);
        (void)pthread_cond_signal(&r->room);
        (void)pthread_mutex_unlock(&r->mu);
    }
}

static double percentile_ms(const struct run *r, double p) {
    long all = 0, seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) all += atomic_load(&r->latency[i]);
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += atomic_load(&r->latency[i]);
        if ((double)seen >= p * (double)all) return (double)((i + 1) * BUCKET_US) / 1000;
    }
    return 0;
}

static void submit(struct run *r) {
    struct flight *f = mem_new(1, sizeof *f);
    if (f == NULL) abort();
    *f = (struct flight){r, clock_mono_us()};
    const struct command c = {.name = "bench",
                              .actor = "public",
                              .apply = apply,
                              .done = done,
                              .arg = f,
                              .repeatable = true};
    (void)atomic_fetch_add(&r->in_flight, 1);
    if (ledger_submit(r->l, &c, NULL) == ERR_OK) return;
    (void)atomic_fetch_sub(&r->in_flight, 1);
    mem_free(f);
}

static void measure(struct ledger *l, int limit, int64_t for_us) {
    static struct run r;
    r = (struct run){
        .l = l, .limit = limit, .mu = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};
    struct rusage u0, u1;
    (void)getrusage(RUSAGE_SELF, &u0);
    int64_t from = clock_mono_us();
    while (clock_mono_us() - from < for_us) {
        (void)pthread_mutex_lock(&r.mu);
        while (atomic_load(&r.in_flight) >= limit) (void)pthread_cond_wait(&r.room, &r.mu);
        (void)pthread_mutex_unlock(&r.mu);
        submit(&r);
    }
    while (atomic_load(&r.in_flight) > 0) (void)usleep(100);
    double s = (double)(clock_mono_us() - from) / 1e6;
    (void)getrusage(RUSAGE_SELF, &u1);
    double cpu = (double)(u1.ru_utime.tv_sec - u0.ru_utime.tv_sec + u1.ru_stime.tv_sec -
                          u0.ru_stime.tv_sec) +
                 (double)(u1.ru_utime.tv_usec - u0.ru_utime.tv_usec + u1.ru_stime.tv_usec -
                          u0.ru_stime.tv_usec) /
                     1e6;
    long n = atomic_load(&r.done);
    (void)printf("%10d %12.0f %14.1f %8.2f %8.2f %8ld\n", limit, (double)n / s,
                 n == 0 ? 0 : cpu / (double)n * 1e6, percentile_ms(&r, 0.5),
                 percentile_ms(&r, 0.99), atomic_load(&r.failed));
}

int main(int argc, char **argv) {
    const char *dir = argc > 1 ? argv[1] : "store_group.tmp";
    int64_t seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 3;
    static const struct table *const tables[] = {&report, &step};
    const struct ledger_options o = {
        .clock = clock_system(), .tables = tables, .n_tables = 2, .ledger_id = 1, .n_readers = 1};
    struct ledger *l = NULL;
    struct err err = {.code = ERR_OK};
    enum err_code rc = ledger_create(dir, &o, &err);
    if (rc == ERR_OK || rc == ERR_CONFLICT) rc = ledger_open(dir, &o, &l, &err);
    if (rc != ERR_OK) {
        (void)fprintf(stderr, "%s: %s\n", dir, err.detail);
        return 1;
    }
    (void)printf("%10s %12s %14s %8s %8s %8s\n", "in flight", "durable/s", "cpu us each", "p50 ms",
                 "p99 ms", "failed");
    static const int limits[] = {1, 4, 16, 64, 256, 1024};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        measure(l, limits[i], seconds * 1000000);
    (void)printf("journal rows %lld\n", (long long)ledger_last_seq(l));
    ledger_close(l);
    return 0;
}
