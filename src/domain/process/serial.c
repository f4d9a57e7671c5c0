#include "domain/process/serial.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "store/sql.h"

enum { SERIAL_SLOTS = 4096, PREFIX_MAX = 24, AREA_CHARS = 6 };

/* Open addressing over (area, day); a slot of another prefix is simply replaced, since the table in
 * the database is the truth and is asked again for a prefix that is not here. */
struct slot {
    char prefix[PREFIX_MAX];
    int64_t last;
};
struct case_serials {
    struct slot slots[SERIAL_SLOTS];
};

struct case_serials *case_serials_new(struct arena *a) {
    return ARENA_NEW(a, struct case_serials, 1);
}

static size_t slot_of(const char *prefix) {
    size_t h = 1469598103934665603u;
    for (const char *p = prefix; *p != '\0'; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h % SERIAL_SLOTS;
}

static void prefix_make(const char *area_code, int64_t local_day, char out[PREFIX_MAX]) {
    char area[AREA_CHARS + 1];
    size_t n = 0;
    for (const char *p = area_code == NULL ? "" : area_code; *p != '\0' && n < AREA_CHARS; p++) {
        if (isalnum((unsigned char)*p)) area[n++] = (char)toupper((unsigned char)*p);
    }
    area[n] = '\0';
    int y = 0, m = 0, d = 0;
    civil_from_days(local_day, &y, &m, &d);
    (void)snprintf(out, PREFIX_MAX, "%s-%02d%02d%02d-", n == 0 ? "CITY" : area, y % 100, m, d);
}

/* The highest serial of the prefix that the table holds. Codes of one prefix sort by text up to
 * 99999, and a longer one sorts by length first. */
static enum err_code last_stored(struct tx *tx, const struct table *table, const char *prefix,
                                 int64_t *out, struct err *err) {
    char *upper = arena_strdup(tx_arena(tx), prefix);
    if (upper == NULL) return err_fail(err, ERR_NOMEM, "case code");
    upper[strlen(upper) - 1] = '.'; /* the character after '-' */
    struct sql s;
    TRY(sql_begin(&s, tx_arena(tx), err));
    sql_add(&s, "SELECT code FROM ");
    sql_table(&s, table);
    sql_add(&s, " WHERE ledger = 1 AND code > ");
    sql_value(&s, cell_text(prefix));
    sql_add(&s, " AND code < ");
    sql_value(&s, cell_text(upper));
    sql_add(&s, " ORDER BY length(code) DESC, code DESC LIMIT 1");
    struct cursor *c = NULL;
    TRY(sql_query(&s, tx_db(tx), &c, err));
    bool has = false;
    enum err_code rc = cursor_next(c, &has, err);
    *out = rc == ERR_OK && has ? strtoll(cursor_text(c, 0) + strlen(prefix), NULL, 10) : 0;
    cursor_close(c);
    return rc;
}

enum err_code case_serial_next(struct case_serials *s, struct tx *tx, const struct table *table,
                               const char *area_code, int64_t local_day, char out[CASE_CODE_MAX],
                               struct err *err) {
    char prefix[PREFIX_MAX];
    prefix_make(area_code, local_day, prefix);
    struct slot *slot = &s->slots[slot_of(prefix)];
    if (strcmp(slot->prefix, prefix) != 0) {
        int64_t last = 0;
        TRY(last_stored(tx, table, prefix, &last, err));
        memcpy(slot->prefix, prefix, sizeof prefix);
        slot->last = last;
    }
    slot->last++;
    (void)snprintf(out, CASE_CODE_MAX, "%s%05lld", prefix, (long long)slot->last);
    return ERR_OK;
}
