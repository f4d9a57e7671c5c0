/* CSV: any bytes end in records and clean errors. Lines only grow; a good record, written again,
 * reads back the same. */
#include <stdint.h>
#include <string.h>

#include "base/csv.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct csv_record *rec) {
    struct buf b;
    buf_init(&b, (size_t)4 << 20);
    for (size_t i = 0; i < rec->n; i++) csv_field(&b, rec->field[i], i == 0);
    csv_end(&b);
    app_assert(!b.failed);
    FILE *in = fmemopen(b.p, b.n, "r");
    struct csv_reader *r = csv_reader_new(in, ',');
    app_assert(in != NULL && r != NULL);
    struct csv_record again;
    bool more;
    struct err err;
    enum err_code rc = csv_read(r, &again, &more, &err);
    /* Quoting may lift a record of nearly the maximum over it. */
    app_assert(rc == ERR_OK || rc == ERR_LIMIT);
    if (rc == ERR_OK) {
        app_assert(more && again.n == rec->n);
        for (size_t i = 0; i < rec->n; i++) app_assert(strcmp(again.field[i], rec->field[i]) == 0);
    }
    csv_reader_free(r);
    (void)fclose(in);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
    struct csv_reader *r = in == NULL ? NULL : csv_reader_new(in, size % 3 == 0 ? ';' : ',');
    app_assert(r != NULL);
    long line = 0;
    for (;;) {
        struct csv_record rec;
        bool more;
        struct err err;
        enum err_code rc = csv_read(r, &rec, &more, &err);
        if (rc == ERR_OK && !more) break;
        app_assert(rc == ERR_OK || rc == ERR_SYNTAX || rc == ERR_LIMIT);
        app_assert(more && rec.line > line && rec.raw_n <= CSV_MAX_RECORD);
        line = rec.line;
        if (rc != ERR_OK) continue;
        app_assert(rec.n >= 1 && rec.n <= CSV_MAX_FIELDS && utf8_valid(rec.raw, rec.raw_n));
        for (size_t i = 0; i < rec.n; i++) app_assert(strlen(rec.field[i]) == rec.len[i]);
        check_round_trip(&rec);
    }
    csv_reader_free(r);
    (void)fclose(in);
    return 0;
}
