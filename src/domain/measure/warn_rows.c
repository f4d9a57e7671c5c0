#include "domain/measure/warn_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/mem.h"
#include "store/sql.h"

static const int64_t day_us = 86400000000;
enum { MAX_ROWS = 20000000, QUERY_ARENA = 1 << 20, MAX_PAST = 4096 };

void warn_rows_init(struct warn_rows *s, struct arena *a, const struct pack_set *packs,
                    const struct tz *tz) {
    *s = (struct warn_rows){.a = a, .packs = packs, .tz = tz, .begin = INT32_MAX};
}

void warn_rows_free(struct warn_rows *s) {
    mem_free(s->row);
    mem_free(s->word);
    s->row = NULL;
    s->word = NULL;
    s->n = s->cap = s->n_word = s->word_cap = 0;
}

static uint64_t hash_text(const char *p) {
    uint64_t h = 14695981039346656037u;
    for (; *p != '\0'; p++) h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h ^ (h >> 29);
}

static size_t slot_of(const char *const *word, size_t cap, const char *text) {
    size_t i = (size_t)hash_text(text) & (cap - 1);
    while (word[i] != NULL && strcmp(word[i], text) != 0) i = (i + 1) & (cap - 1);
    return i;
}

static enum err_code grow_words(struct warn_rows *s, struct err *err) {
    size_t cap = s->word_cap == 0 ? 1024 : 2 * s->word_cap;
    const char **word = mem_new(cap, sizeof *word);
    if (word == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = 0; i < s->word_cap; i++)
        if (s->word[i] != NULL) word[slot_of(word, cap, s->word[i])] = s->word[i];
    mem_free(s->word);
    s->word = word;
    s->word_cap = cap;
    return ERR_OK;
}

static enum err_code keep_word(struct warn_rows *s, const char **text, struct err *err) {
    const char *t = *text == NULL ? "" : *text;
    if (2 * (s->n_word + 1) > s->word_cap) TRY(grow_words(s, err));
    size_t i = slot_of(s->word, s->word_cap, t);
    if (s->word[i] == NULL) {
        s->word[i] = arena_strdup(s->a, t);
        if (s->word[i] == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        s->n_word++;
    }
    *text = s->word[i];
    return ERR_OK;
}

static int32_t day_of(const struct tz *tz, int64_t at_us) {
    int64_t local = tz_to_local(tz, at_us);
    return (int32_t)((local - (((local % day_us) + day_us) % day_us)) / day_us);
}

enum err_code warn_rows_add(struct warn_rows *s, const struct warn_row *row, struct err *err) {
    if (s->n == MAX_ROWS) return err_fail(err, ERR_LIMIT, "more than %d cases", MAX_ROWS);
    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 4096 : 2 * s->cap;
        struct warn_row *grown = mem_resize(s->row, cap, sizeof *grown);
        if (grown == NULL) return err_fail(err, ERR_NOMEM, "warnings");
        s->row = grown;
        s->cap = cap;
    }
    struct warn_row r = *row;
    r.day = day_of(s->tz, r.opened_us);
    r.code = arena_strdup(s->a, row->code);
    if (r.code == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    TRY(keep_word(s, &r.channel, err));
    TRY(keep_word(s, &r.source, err));
    TRY(keep_word(s, &r.reporter, err));
    for (int i = 0; i < WARN_CODES; i++) TRY(keep_word(s, &r.place[i], err));
    s->row[s->n++] = r;
    if (r.day < s->begin) s->begin = r.day;
    return ERR_OK;
}

static int by_time(const void *a, const void *b) {
    const struct warn_row *x = a, *y = b;
    if (x->opened_us != y->opened_us) return x->opened_us < y->opened_us ? -1 : 1;
    return strcmp(x->code, y->code);
}

void warn_rows_sort(struct warn_rows *s) {
    if (s->n > 1) qsort(s->row, s->n, sizeof *s->row, by_time);
}

size_t warn_rows_from(const struct warn_rows *s, int32_t day) {
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->row[mid].day < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- from the ledger */

static const char *const column_names[] = {"code", "class",        "opened_at", "lon",
                                           "lat",  "channel",      "source",    "reporter_account",
                                           "city", "county",       "town",      "community",
                                           "cell", "duplicate_of", "closed_at"};
enum { N_COLUMNS = sizeof column_names / sizeof column_names[0] };

static enum err_code query(struct db *db, int64_t ledger, const struct type_def *type,
                           const int64_t window_us[2], struct arena *a, struct cursor **out,
                           struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT ");
    for (int i = 0; i < N_COLUMNS; i++) {
        int col = type_field(type, column_names[i]);
        if (col < 0)
            return err_fail(err, ERR_INVALID, "the type case has no field \"%s\"", column_names[i]);
        if (i > 0) sql_add(&s, ", ");
        sql_column(&s, &type->table, col, "");
    }
    sql_add(&s, " FROM ");
    sql_table(&s, &type->table);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(ledger));
    sql_add(&s, " AND opened_at >= ");
    (void)sql_value(&s, cell_int(window_us[0]));
    sql_add(&s, " AND opened_at < ");
    (void)sql_value(&s, cell_int(window_us[1]));
    return sql_query(&s, db, out, err);
}

/* The class of a row that counts: a warning must not raise the next one. */
static const struct case_class *counted(const struct warn_rows *s, const char *id) {
    const struct case_class *cls = pack_class(s->packs, id);
    return cls == NULL || class_is_task(cls->id) ? NULL : cls;
}

static enum err_code take(struct warn_rows *s, const struct cursor *c, struct err *err) {
    const struct case_class *cls = counted(s, cursor_text(c, 1));
    if (cls == NULL) return ERR_OK;
    struct warn_row r = {.code = cursor_text(c, 0),
                         .cls = (uint32_t)(cls - s->packs->classes),
                         .opened_us = cursor_int(c, 2),
                         .lon = cursor_is_null(c, 3) ? NAN : cursor_real(c, 3),
                         .lat = cursor_is_null(c, 4) ? NAN : cursor_real(c, 4),
                         .channel = cursor_text(c, 5),
                         .source = cursor_text(c, 6),
                         .reporter = cursor_text(c, 7)};
    for (int i = 0; i < WARN_CODES; i++) r.place[i] = cursor_text(c, 8 + i);
    /* Joining ends a case: its end is when that was known. */
    if (!cursor_is_null(c, 13) && !cursor_is_null(c, 14)) r.joined_us = cursor_int(c, 14);
    return warn_rows_add(s, &r, err);
}

enum err_code warn_rows_load_days(struct warn_rows *s, struct db *db, int64_t ledger, int32_t from,
                                  int32_t until, struct err *err) {
    const struct type_def *type = pack_type(s->packs, "case");
    struct cursor *c = NULL;
    if (type == NULL) return err_fail(err, ERR_INVALID, "the packs have no type \"case\"");
    struct arena *a = arena_new(QUERY_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    const int64_t window_us[2] = {
        from == INT32_MIN ? INT64_MIN : tz_to_utc(s->tz, (int64_t)from * day_us),
        until == INT32_MAX ? INT64_MAX : tz_to_utc(s->tz, ((int64_t)until + 1) * day_us)};
    enum err_code rc = query(db, ledger, type, window_us, a, &c, err);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc == ERR_OK && has) rc = take(s, c, err);
    }
    cursor_close(c);
    arena_free(a);
    warn_rows_sort(s);
    return rc;
}

/* ---- what is asked of rows too old to be held */

int32_t warn_longest(const struct warn_set *set) {
    double most = set->guards.point_days;
    for (size_t i = 0; i < set->n_rules; i++)
        if (set->rule[i].history > most) most = set->rule[i].history;
    return (int32_t)most;
}

static enum err_code query_first(struct db *db, int64_t ledger, const struct type_def *type,
                                 int64_t before_us, const struct warn_past *of, struct arena *a,
                                 struct cursor **out, struct err *err) {
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT class, opened_at FROM ");
    sql_table(&s, &type->table);
    sql_add(&s, " WHERE ledger = ");
    (void)sql_value(&s, cell_int(ledger));
    sql_add(&s, " AND opened_at < ");
    (void)sql_value(&s, cell_int(before_us));
    if (of != NULL) {
        sql_add(&s, " AND COALESCE(channel, '') = ");
        (void)sql_value(&s, cell_text(of->channel));
        sql_add(&s, " AND COALESCE(source, '') = ");
        (void)sql_value(&s, cell_text(of->source));
    }
    sql_add(&s, " ORDER BY opened_at");
    return sql_query(&s, db, out, err);
}

/* The day of the first row before a moment, of one channel or of all (NULL); left as it is when
 * there is none. */
static enum err_code first_before(const struct warn_rows *s, struct db *db, int64_t ledger,
                                  int64_t before_us, const struct warn_past *of, int32_t *day,
                                  struct err *err) {
    struct cursor *c = NULL;
    struct arena *a = arena_new(QUERY_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    enum err_code rc =
        query_first(db, ledger, pack_type(s->packs, "case"), before_us, of, a, &c, err);
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has || counted(s, cursor_text(c, 0)) == NULL) continue;
        *day = day_of(s->tz, cursor_int(c, 1));
        break;
    }
    cursor_close(c);
    arena_free(a);
    return rc;
}

static bool same_channel(const struct warn_row *r, const struct warn_past *p) {
    return r->channel == p->channel && r->source == p->source;
}

static bool is_known(const struct warn_rows *s, const struct warn_row *r) {
    for (size_t i = 0; i < s->n_past; i++)
        if (same_channel(r, &s->past[i])) return true;
    return false;
}

/* The first days of channels that are in use after the day `old`; one that is held already on that
 * day is as old as anybody asks. */
static enum err_code read_past(struct warn_rows *s, struct db *db, int64_t ledger,
                               int64_t before_us, int32_t old, struct err *err) {
    s->past = ARENA_NEW(s->a, struct warn_past, MAX_PAST);
    if (s->past == NULL) return err_fail(err, ERR_NOMEM, "warnings");
    for (size_t i = warn_rows_from(s, old + 1); i < s->n && s->n_past < MAX_PAST; i++) {
        const struct warn_row *r = &s->row[i];
        if (is_known(s, r)) continue;
        struct warn_past p = {.channel = r->channel, .source = r->source};
        size_t first = 0;
        while (!same_channel(&s->row[first], &p)) first++;
        p.day = s->row[first].day;
        if (p.day > old) TRY(first_before(s, db, ledger, before_us, &p, &p.day, err));
        s->past[s->n_past++] = p;
    }
    return ERR_OK;
}

enum err_code warn_rows_load_for(struct warn_rows *s, struct db *db, int64_t ledger,
                                 const struct warn_set *set, int32_t from, int32_t until,
                                 struct err *err) {
    int32_t back = warn_longest(set);
    int32_t held = from - (back > WARN_KEPT_DAYS ? back : WARN_KEPT_DAYS);
    int64_t held_us = tz_to_utc(s->tz, (int64_t)held * day_us);
    TRY(warn_rows_load_days(s, db, ledger, held, until, err));
    TRY(first_before(s, db, ledger, held_us, NULL, &s->begin, err));
    return read_past(s, db, ledger, held_us, from - (int32_t)set->guards.channel_days, err);
}
