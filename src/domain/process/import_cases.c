#include "domain/process/import_cases.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "domain/process/import_row.h"
#include "domain/process/step.h"

enum { BATCH_ROWS = 1000, BATCHES = 4, BATCH_ARENA = 64 << 20, MAX_SAID = 20, REASON_MAX = 512 };

enum outcome { OUT_GOOD = 0, OUT_UNCHANGED, OUT_REJECTED };

struct item {
    struct import_row row;
    enum outcome outcome;
    const char *raw, *reason; /* raw: NULL when no file of errors is asked for */
    size_t raw_n;
    long line;
    bool broken; /* raw is no record of this table: it goes into one field */
};

/* Up to a thousand records on their way: filled by the reading thread, written by the writer
 * thread, then counted by the reading thread again. */
struct batch {
    struct importing *run;
    struct arena *arena;
    struct item *items;
    size_t n;
    bool busy, done;
    enum err_code rc;
    struct err err;
};

/* Numbers met in this table, as hashes. */
struct seen {
    uint64_t *slots;
    size_t cap, n;
};

struct importing {
    const struct case_import *in;
    struct case_imported *out;
    struct import_head head;
    struct reader *reader;
    struct seen seen;
    struct batch batches[BATCHES];
    size_t next; /* batch to fill */
    int64_t n_said;
    pthread_mutex_t lock;
    pthread_cond_t turn;
};

/* ---- numbers that stand twice ---- */

static uint64_t hash_of(const char *s) {
    uint64_t h = 14695981039346656037u;
    for (; *s != '\0'; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    return h == 0 ? 1 : h; /* 0 marks an empty slot */
}

static bool seen_put(struct seen *s, uint64_t h) {
    size_t at = h & (s->cap - 1);
    while (s->slots[at] != 0) {
        if (s->slots[at] == h) return false;
        at = (at + 1) & (s->cap - 1);
    }
    s->slots[at] = h;
    s->n++;
    return true;
}

static enum err_code seen_add(struct seen *s, const char *id, bool *is_new, struct err *err) {
    if (s->n * 2 >= s->cap) {
        struct seen bigger = {.cap = s->cap == 0 ? 1024 : s->cap * 2};
        bigger.slots = mem_new(bigger.cap, sizeof *bigger.slots);
        if (bigger.slots == NULL) return err_fail(err, ERR_NOMEM, "import");
        for (size_t i = 0; i < s->cap; i++) {
            if (s->slots[i] != 0) (void)seen_put(&bigger, s->slots[i]);
        }
        mem_free(s->slots);
        *s = bigger;
    }
    *is_new = seen_put(s, hash_of(id));
    return ERR_OK;
}

/* Whether the ledger has the case. What this import itself writes may not be visible yet: that is
 * in `seen`. */
static enum err_code is_there(struct importing *r, const char *id, struct arena *a, bool *out,
                              struct err *err) {
    const struct engine *e = r->in->engine;
    const struct table *t = &e->case_type->table;
    struct sql s;
    TRY(sql_begin(&s, a, err));
    sql_add(&s, "SELECT 1 FROM ");
    sql_table(&s, t);
    sql_add(&s, " WHERE ledger = 1 AND ");
    sql_column(&s, t, e->case_col[CASE_source], "");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_text(r->in->map->source));
    sql_add(&s, " AND ");
    sql_column(&s, t, e->case_col[CASE_source_id], "");
    sql_add(&s, " = ");
    (void)sql_value(&s, cell_text(id));
    /* Repeated so that the partial index over numbers that are there can be used. */
    sql_add(&s, " AND ");
    sql_column(&s, t, e->case_col[CASE_source_id], "");
    sql_add(&s, " IS NOT NULL");
    struct cursor *c = NULL;
    TRY(sql_query(&s, reader_db(r->reader), &c, err));
    enum err_code rc = cursor_next(c, out, err);
    cursor_close(c);
    return rc;
}

/* ---- on the writer thread ---- */

static enum err_code add_step(const struct engine *e, struct tx *tx, const struct import_row *in,
                              struct case_row *r, struct case_history *h, struct err *err) {
    const struct process_def *p = pack_process(e->packs, in->cls->process);
    const struct move_def *m = p == NULL ? NULL : map_move_into(p, in->state->name);
    if (m == NULL) return ERR_OK; /* it stands in its first state */
    const struct step s = {.move = m->name,
                           .from = case_text(e, r, CASE_state),
                           .to = in->state->name,
                           .actor = "import",
                           .role = "system",
                           .at_us = in->closed_us != 0 ? in->closed_us : in->opened_us,
                           .is_public = m->is_public};
    case_set(e, r, CASE_state, cell_text(in->state->name));
    case_set(e, r, CASE_stage, cell_text(in->state->stage));
    case_set(e, r, CASE_state_since, cell_int(s.at_us));
    return step_add(e, tx, r, &s, h, err);
}

static struct cell time_cell(int64_t at_us) { return at_us == 0 ? cell_null() : cell_int(at_us); }

/* The source's own times hold, not those that our limits would give. */
static void set_times(const struct engine *e, const struct import_row *in, struct case_row *r) {
    case_set(e, r, CASE_due_at, time_cell(in->due_us));
    case_set(e, r, CASE_promised_at, time_cell(in->due_us));
    case_set(e, r, CASE_yellow_at, cell_null());
    case_set(e, r, CASE_unconfirmed_due, cell_int(0));
    case_set(e, r, CASE_overdue, cell_int(in->overdue ? 1 : 0));
    case_set(e, r, CASE_closed_at, time_cell(in->closed_us));
    if (in->closed_us != 0) case_set(e, r, CASE_holder, cell_null());
    int col = type_field(e->case_type, "source_class");
    if (col >= 0) r->cells[col] = cell_text(in->source_class);
}

static enum err_code write_one(const struct importing *run, struct tx *tx,
                               const struct import_row *in, struct err *err) {
    const struct engine *e = run->in->engine;
    struct reported *out = ARENA_NEW(tx_arena(tx), struct reported, 1);
    struct case_history *h = ARENA_NEW(tx_arena(tx), struct case_history, 1);
    if (out == NULL || h == NULL) return err_fail(err, ERR_NOMEM, "import");
    const struct report report = {.cls = in->cls,
                                  .has_place = in->has_place,
                                  .lon = in->lon,
                                  .lat = in->lat,
                                  .place_text = in->place,
                                  .description = in->description,
                                  .channel = in->channel,
                                  .extra = in->extra,
                                  .at_us = in->opened_us,
                                  .source = run->in->map->source,
                                  .source_id = in->id,
                                  .history = h};
    TRY(case_report(e, tx, &report, out, err));
    set_times(e, in, &out->row);
    h->steps[0][e->step_col[STEP_due_at]] = time_cell(in->due_us);
    TRY(add_step(e, tx, in, &out->row, h, err));
    if (run->in->dry_run) return ERR_OK;
    return case_history_write(e, tx, &out->row, h, err);
}

static bool is_fault_of_row(enum err_code rc) {
    return rc == ERR_INVALID || rc == ERR_LIMIT || rc == ERR_TOO_LARGE;
}

static enum err_code apply(struct tx *tx, void *arg, struct err *err) {
    struct batch *b = arg;
    struct err *own = ARENA_NEW(tx_arena(tx), struct err, 1);
    if (own == NULL) return err_fail(err, ERR_NOMEM, "import");
    for (size_t i = 0; i < b->n; i++) {
        struct item *it = &b->items[i];
        if (it->outcome != OUT_GOOD) continue;
        enum err_code rc = write_one(b->run, tx, &it->row, own);
        if (rc == ERR_OK) continue;
        if (!is_fault_of_row(rc)) {
            if (err != NULL) *err = *own;
            return rc;
        }
        it->outcome = OUT_REJECTED;
        it->reason = arena_strdup(b->arena, own->detail);
        if (it->reason == NULL) return err_fail(err, ERR_NOMEM, "import");
    }
    return ERR_OK;
}

static void done(void *arg, enum err_code rc, const struct err *err, const struct reply *reply,
                 int64_t seq) {
    (void)reply;
    (void)seq;
    struct batch *b = arg;
    pthread_mutex_lock(&b->run->lock);
    b->rc = rc;
    if (rc != ERR_OK && err != NULL) b->err = *err;
    b->done = true;
    pthread_cond_signal(&b->run->turn);
    pthread_mutex_unlock(&b->run->lock);
}

/* ---- counting a batch that has been written ---- */

static void put_quoted(FILE *f, const char *p, size_t n) {
    (void)fputc('"', f);
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '"') (void)fputc('"', f);
        (void)fputc(p[i] == '\0' ? ' ' : p[i], f);
    }
    (void)fputc('"', f);
}

static void reject(struct importing *r, const struct item *it) {
    r->out->rejected++;
    if (r->in->log != NULL && r->n_said++ < MAX_SAID)
        (void)fprintf(r->in->log, "line %ld: %s\n", it->line, it->reason);
    FILE *f = r->in->errors;
    if (f == NULL || it->raw == NULL) return;
    if (!it->broken) {
        (void)fwrite(it->raw, 1, it->raw_n, f);
    } else {
        put_quoted(f, it->raw, it->raw_n);
        for (size_t i = 1; i < r->head.n; i++) (void)fputc(r->in->map->separator, f);
    }
    (void)fputc(r->in->map->separator, f);
    put_quoted(f, it->reason, strlen(it->reason));
    (void)fputc('\n', f);
}

static void count(struct importing *r, const struct item *it) {
    struct case_imported *o = r->out;
    if (it->outcome == OUT_REJECTED) {
        reject(r, it);
        return;
    }
    if (it->outcome == OUT_UNCHANGED)
        o->unchanged++;
    else
        o->imported++;
    if (it->row.said == IMPORT_SAID_NOTHING)
        o->on_time_blank++;
    else if ((it->row.said == IMPORT_SAID_OVERDUE) == it->row.overdue)
        o->on_time_same++;
    else
        o->on_time_differs++;
}

static enum err_code retire(struct importing *r, struct batch *b, struct err *err) {
    if (!b->busy) return ERR_OK;
    pthread_mutex_lock(&r->lock);
    while (!b->done) pthread_cond_wait(&r->turn, &r->lock);
    pthread_mutex_unlock(&r->lock);
    b->busy = false;
    if (b->rc == ERR_OK) {
        for (size_t i = 0; i < b->n; i++) count(r, &b->items[i]);
    } else if (err != NULL) {
        *err = b->err;
    }
    b->n = 0;
    arena_free(b->arena);
    b->arena = NULL;
    return b->rc;
}

static enum err_code send(struct importing *r, struct batch *b, struct err *err) {
    const struct command c = {
        .name = "case.import", .actor = "system", .apply = apply, .done = done, .arg = b};
    b->done = false;
    b->rc = ERR_OK;
    TRY(ledger_submit(r->in->ledger, &c, err));
    b->busy = true;
    r->next = (r->next + 1) % BATCHES;
    return ERR_OK;
}

/* ---- reading ---- */

static enum err_code open_batch(struct importing *r, struct batch *b, struct err *err) {
    TRY(retire(r, b, err));
    /* A snapshot of its own for each batch: a long one would keep the ledger's log from being
     * folded. */
    if (r->reader != NULL) ledger_read_end(r->reader);
    r->reader = NULL;
    TRY(ledger_read_begin(r->in->ledger, &r->reader, err));
    b->run = r;
    b->arena = arena_new(BATCH_ARENA);
    b->items = b->arena == NULL ? NULL : ARENA_NEW(b->arena, struct item, BATCH_ROWS);
    return b->items == NULL ? err_fail(err, ERR_NOMEM, "import") : ERR_OK;
}

static enum err_code judge(struct importing *r, struct batch *b, struct item *it,
                           const struct csv_record *rec, enum err_code rc, struct err *own,
                           struct err *err) {
    if (rc == ERR_OK) {
        rc = import_row_read(r->in->map, r->in->engine, &r->head, rec, r->in->now_us, b->arena,
                             &it->row, own);
    }
    bool is_new = true, there = false;
    if (rc == ERR_OK) rc = seen_add(&r->seen, it->row.id, &is_new, own);
    if (rc == ERR_OK && !is_new) {
        rc = err_fail(own, ERR_INVALID,
                      "number \"%.120s\" stands twice in the table; the first one holds",
                      it->row.id);
    }
    if (rc == ERR_OK) rc = is_there(r, it->row.id, b->arena, &there, own);
    if (rc == ERR_NOMEM || rc == ERR_IO || rc == ERR_INTERNAL || rc == ERR_BUSY ||
        rc == ERR_CORRUPT) {
        if (err != NULL) *err = *own;
        return rc;
    }
    it->outcome = rc != ERR_OK ? OUT_REJECTED : (there ? OUT_UNCHANGED : OUT_GOOD);
    if (rc == ERR_OK) return ERR_OK;
    it->reason = arena_strdup(b->arena, own->detail);
    return it->reason == NULL ? err_fail(err, ERR_NOMEM, "import") : ERR_OK;
}

static enum err_code take(struct importing *r, const struct csv_record *rec, enum err_code rc,
                          struct err *own, struct err *err) {
    struct batch *b = &r->batches[r->next];
    if (b->arena == NULL || b->busy) TRY(open_batch(r, b, err));
    struct item *it = &b->items[b->n];
    *it = (struct item){
        .line = rec->line, .broken = rc != ERR_OK || rec->n != r->head.n, .raw_n = rec->raw_n};
    r->out->read++;
    if (r->in->errors != NULL && (it->raw = arena_dup(b->arena, rec->raw, rec->raw_n)) == NULL) {
        return err_fail(err, ERR_NOMEM, "import");
    }
    TRY(judge(r, b, it, rec, rc, own, err));
    b->n++;
    /* Long records fill the memory of a batch before its rows. */
    bool full = b->n == BATCH_ROWS || arena_used(b->arena) > BATCH_ARENA / 2;
    return full ? send(r, b, err) : ERR_OK;
}

static enum err_code read_head(struct importing *r, struct csv_reader *csv, struct err *err) {
    struct csv_record rec;
    bool more = false;
    TRY(csv_read(csv, &rec, &more, err));
    if (!more) return err_fail(err, ERR_INVALID, "the table is empty; a header is expected");
    TRY(import_head_read(r->in->map, &rec, &r->head, err));
    if (r->in->errors != NULL) {
        (void)fwrite(rec.raw, 1, rec.raw_n, r->in->errors);
        (void)fprintf(r->in->errors, "%creason\n", r->in->map->separator);
    }
    return ERR_OK;
}

static enum err_code read_all(struct importing *r, struct csv_reader *csv, struct err *err) {
    TRY(read_head(r, csv, err));
    for (;;) {
        struct csv_record rec;
        struct err own = {0};
        bool more = false;
        enum err_code rc = csv_read(csv, &rec, &more, &own);
        if (rc == ERR_OK && !more) break;
        if (rc != ERR_OK && rc != ERR_SYNTAX && rc != ERR_LIMIT) {
            if (err != NULL) *err = own;
            return rc;
        }
        TRY(take(r, &rec, rc, &own, err));
    }
    struct batch *last = &r->batches[r->next];
    if (last->n > 0 && !last->busy) TRY(send(r, last, err));
    for (size_t i = 0; i < BATCHES; i++) TRY(retire(r, &r->batches[(r->next + i) % BATCHES], err));
    return ERR_OK;
}

enum err_code import_cases(const struct case_import *in, struct case_imported *out,
                           struct err *err) {
    struct importing *r = mem_new(1, sizeof *r);
    struct csv_reader *csv = csv_reader_new(in->in, in->map->separator);
    *out = (struct case_imported){0};
    enum err_code rc = ERR_OK;
    if (r == NULL || csv == NULL) {
        mem_free(r);
        csv_reader_free(csv);
        return err_fail(err, ERR_NOMEM, "import");
    }
    r->in = in;
    r->out = out;
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->turn, NULL);
    rc = read_all(r, csv, err);
    for (size_t i = 0; i < BATCHES; i++) {
        if (r->batches[i].busy) (void)retire(r, &r->batches[i], NULL);
        arena_free(r->batches[i].arena);
    }
    if (r->reader != NULL) ledger_read_end(r->reader);
    if (rc == ERR_OK && in->errors != NULL && fflush(in->errors) != 0) {
        rc = err_fail(err, ERR_IO, "cannot write the file of rejected rows");
    }
    (void)pthread_mutex_destroy(&r->lock);
    (void)pthread_cond_destroy(&r->turn);
    mem_free(r->seen.slots);
    mem_free(r);
    csv_reader_free(csv);
    return rc;
}
