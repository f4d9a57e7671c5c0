/* Any bytes as a map file, and behind a line "===" a table read by it, against the shipped packs.
 * No bytes may crash the reader; a row that is taken keeps what the importer rests on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "domain/process/import_row.h"

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n);

enum { ARENA_BYTES = 64 << 20 };
static const int64_t now_us = INT64_C(1790000000000000);

static struct engine *shipped(struct arena *a, const struct tz **tz) {
    static const unsigned char secret[32];
    const struct pack_set *packs = NULL;
    struct engine *e = NULL;
    struct err err = {0};
    enum err_code rc = pack_load(a, SOURCE_DIR "/packs", NULL, &packs, &err);
    if (rc == ERR_OK) rc = tz_load(a, "UTC", tz, &err);
    if (rc == ERR_OK) rc = engine_new(a, packs, *tz, secret, NULL, &e, &err);
    if (rc != ERR_OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        abort();
    }
    return e;
}

static void check_row(const struct import_row *row) {
    app_assert(row->cls != NULL && row->state != NULL && row->id[0] != '\0' &&
               row->channel != NULL);
    app_assert(row->opened_us != 0 && row->opened_us <= now_us);
    app_assert(row->state->final == (row->closed_us != 0));
    app_assert(!row->has_place || crs_is_lonlat(row->lon, row->lat));
    app_assert(row->has_place || !row->cls->needs_place);
}

static void read_table(const struct case_map *m, const struct engine *e, const char *p, size_t n,
                       struct arena *a) {
    FILE *f = n == 0 ? NULL : fmemopen((void *)(uintptr_t)p, n, "r");
    if (f == NULL) return;
    struct csv_reader *csv = csv_reader_new(f, m->separator);
    struct csv_record rec;
    struct import_head head;
    bool more = false;
    enum err_code rc = csv == NULL ? ERR_NOMEM : csv_read(csv, &rec, &more, NULL);
    if (rc == ERR_OK && more) rc = import_head_read(m, &rec, &head, NULL);
    for (int i = 0; rc == ERR_OK && more && i < 10000; i++) {
        struct import_row row;
        enum err_code bad = csv_read(csv, &rec, &more, NULL);
        if (bad != ERR_OK && bad != ERR_SYNTAX && bad != ERR_LIMIT) break;
        if (bad != ERR_OK || !more) continue;
        if (import_row_read(m, e, &head, &rec, now_us, a, &row, NULL) == ERR_OK) check_row(&row);
    }
    csv_reader_free(csv);
    (void)fclose(f);
}

int LLVMFuzzerTestOneInput(const unsigned char *p, size_t n) {
    static struct engine *engine;
    static const struct tz *tz;
    static struct arena *kept;
    if (kept == NULL) {
        kept = arena_new(ARENA_BYTES);
        engine = shipped(kept, &tz);
    }
    static const char cut[] = "\n===\n";
    const unsigned char *at = memmem(p, n, cut, sizeof cut - 1);
    size_t map_n = at == NULL ? n : (size_t)(at - p) + 1;
    const char *table = at == NULL ? "" : (const char *)at + sizeof cut - 1;
    size_t table_n = at == NULL ? 0 : n - (size_t)(at - p) - (sizeof cut - 1);
    struct arena *a = arena_new(ARENA_BYTES);
    const struct case_map *m = NULL;
    if (a != NULL &&
        map_parse(a, "fuzz.yaml", (const char *)p, map_n, engine, tz, &m, NULL) == ERR_OK) {
        read_table(m, engine, table, table_n, a);
    }
    arena_free(a);
    return 0;
}
