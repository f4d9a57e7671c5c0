#include "domain/measure/definitions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/yaml.h"

enum { SNAPSHOT_ARENA = 64 << 20 };

struct snapshot {
    struct definitions d; /* first, so that its pointer is the snapshot's */
    struct arena *arena;
    atomic_long refs;
};
struct definitions_service {
    struct ledger *ledger;
    const struct pack_set *packs;
    const struct log *log;
    pthread_mutex_t lock;
    const struct definitions *now; /* guarded by lock; one reference */
};

/* ---- one document by page */

/* Exactly one rule or event, under the name of the document. */
static enum err_code one_entry(const struct pack_document *doc, const char *name, struct err *err) {
    static const struct {
        const char *list, *key;
    } kinds[] = {{"rules", "rule"}, {"events", "event"}};
    const char *found = NULL;
    size_t n = 0;
    for (size_t k = 0; k < 2; k++) {
        const struct val *list = val_get(doc->v, kinds[k].list);
        if (list == NULL || list->type != VAL_LIST) continue;
        for (size_t i = 0; i < list->n; i++, n++) {
            const struct val *at = val_get(&list->u.list[i], kinds[k].key);
            found = at != NULL && at->type == VAL_STR ? at->u.s : found;
        }
    }
    if (n == 1 && found != NULL && strcmp(found, name) == 0) return ERR_OK;
    return err_fail(err, ERR_INVALID, "%s:%d: expected one rule or one event, named \"%.60s\"",
                    doc->file, doc->v->line, name);
}

static enum err_code parse(struct arena *a, const char *folder, const char *name, const char *yaml,
                           struct pack_document *doc, struct err *err) {
    size_t n = strlen(yaml);
    const char *file = arena_printf(a, "%s/%.60s", folder, name);
    if (file == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    if (n > DEFINITION_MAX_YAML)
        return err_fail(err, ERR_INVALID, "%s:1: more than %d bytes", file, DEFINITION_MAX_YAML);
    *doc = (struct pack_document){.pack = "", .folder = folder, .file = file};
    enum err_code rc = yaml_parse(a, file, yaml, n, &doc->v, err);
    /* By the page it is a wrong value, not a malformed request. */
    if (rc == ERR_SYNTAX) err->code = ERR_INVALID;
    return rc == ERR_SYNTAX ? ERR_INVALID : rc;
}

static enum err_code read_parsed(struct arena *a, const struct pack_set *packs, const char *name,
                                 const struct pack_document *doc, struct definitions *out,
                                 struct err *err) {
    struct pack_set only = *packs;
    only.documents = doc;
    only.n_documents = 1;
    if (strcmp(doc->folder, "indices") != 0) {
        TRY(warn_load(a, &only, &out->warnings, err));
        return one_entry(doc, name, err);
    }
    TRY(index_load(a, &only, &out->indices, err));
    if (strcmp(out->indices->index[0].name, name) == 0) return ERR_OK;
    return err_fail(err, ERR_INVALID, "%s:%d: this is index \"%.60s\", not \"%.60s\"", doc->file,
                    doc->v->line, out->indices->index[0].name, name);
}

enum err_code definition_read(struct arena *a, const struct pack_set *packs, const char *folder,
                              const char *name, const char *yaml, struct definitions *out,
                              struct err *err) {
    struct pack_document *doc = ARENA_NEW(a, struct pack_document, 1);
    *out = (struct definitions){0};
    if (doc == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    TRY(parse(a, folder, name, yaml, doc, err));
    return read_parsed(a, packs, name, doc, out, err);
}

/* ---- packs and pages together */

struct laying {
    struct arena *a;
    const struct pack_set *packs;
    struct snapshot *s;
    int64_t seq;                /* 0: as stored */
    struct definition_row *row; /* that count, by folder, name and edition */
    size_t n_rows;
    struct pack_document *doc; /* packs' and pages' */
    size_t n_docs;
};

/* Only the newest edition of a rule counts; of an index every edition in force. */
static void keep_counting(struct laying *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->n_rows; i++) {
        const struct definition_row *x = &l->row[i];
        bool index = strcmp(x->folder, "indices") == 0, in_force = x->state == DEFINITION_IN_FORCE;
        if (!in_force && (index || x->state != DEFINITION_OFF)) continue;
        bool same = n > 0 && strcmp(l->row[n - 1].folder, x->folder) == 0 &&
                    strcmp(l->row[n - 1].name, x->name) == 0;
        if (same && !index) n--;
        l->row[n++] = *x;
    }
    l->n_rows = n;
}

static bool replaced(const struct laying *l, const struct val *entry, const char *key) {
    const struct val *name = val_get(entry, key);
    if (name == NULL || name->type != VAL_STR) return false;
    for (size_t i = 0; i < l->n_rows; i++)
        if (strcmp(l->row[i].folder, "warnings") == 0 && strcmp(l->row[i].name, name->u.s) == 0)
            return true;
    return false;
}

/* A list without the entries that a page replaces. */
static enum err_code thin(const struct laying *l, struct val *list, const char *key,
                          struct err *err) {
    size_t n = 0;
    if (list->type != VAL_LIST) return ERR_OK;
    struct val *kept = ARENA_NEW(l->a, struct val, list->n + 1);
    if (kept == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    for (size_t i = 0; i < list->n; i++)
        if (!replaced(l, &list->u.list[i], key)) kept[n++] = list->u.list[i];
    list->u.list = kept;
    list->n = n;
    return ERR_OK;
}

static enum err_code thin_warnings(const struct laying *l, struct pack_document *doc,
                                   struct err *err) {
    if (doc->v->type != VAL_MAP) return ERR_OK;
    struct val *v = ARENA_NEW(l->a, struct val, 1);
    struct val_pair *pairs = ARENA_NEW(l->a, struct val_pair, doc->v->n + 1);
    if (v == NULL || pairs == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    *v = *doc->v;
    memcpy(pairs, doc->v->u.map, v->n * sizeof *pairs);
    v->u.map = pairs;
    for (size_t i = 0; i < v->n; i++) {
        if (strcmp(pairs[i].key, "rules") == 0) TRY(thin(l, &pairs[i].v, "rule", err));
        if (strcmp(pairs[i].key, "events") == 0) TRY(thin(l, &pairs[i].v, "event", err));
    }
    doc->v = v;
    return ERR_OK;
}

/* A pack's index of which a page has put the same edition in force. */
static bool page_has_edition(const struct laying *l, const struct pack_document *doc) {
    const struct val *name = val_get(doc->v, "index"), *number = val_get(doc->v, "version");
    if (name == NULL || name->type != VAL_STR || number == NULL || number->type != VAL_INT)
        return false;
    for (size_t i = 0; i < l->n_rows; i++)
        if (strcmp(l->row[i].folder, "indices") == 0 && strcmp(l->row[i].name, name->u.s) == 0 &&
            l->row[i].edition == number->u.i)
            return true;
    return false;
}

static void drop_row(struct laying *l, size_t at, const struct err *why) {
    struct definitions *d = &l->s->d;
    char *said = arena_strdup(l->a, why->detail);
    if (said != NULL && d->n_problems < DEFINITION_MAX_PROBLEMS) d->problem[d->n_problems++] = said;
    memmove(&l->row[at], &l->row[at + 1], (l->n_rows - at - 1) * sizeof *l->row);
    l->n_rows--;
}

/* Pages first: what cannot be read any more must not hide what the packs say. */
static enum err_code add_pages(struct laying *l, struct err *err) {
    for (size_t i = 0; i < l->n_rows;) {
        const struct definition_row *x = &l->row[i];
        struct definitions alone = {0};
        struct err why = {0};
        struct pack_document doc;
        if (x->state == DEFINITION_OFF) {
            i++;
            continue;
        }
        enum err_code rc = parse(l->a, x->folder, x->name, x->yaml, &doc, &why);
        if (rc == ERR_OK) rc = read_parsed(l->a, l->packs, x->name, &doc, &alone, &why);
        if (rc == ERR_NOMEM) return err_fail(err, rc, "definitions");
        if (rc != ERR_OK) {
            drop_row(l, i, &why);
            continue;
        }
        l->doc[l->n_docs++] = doc;
        i++;
    }
    return ERR_OK;
}

static enum err_code add_packs(struct laying *l, struct err *err) {
    for (size_t i = 0; i < l->packs->n_documents; i++) {
        struct pack_document doc = l->packs->documents[i];
        if (strcmp(doc.folder, "indices") == 0 && page_has_edition(l, &doc)) continue;
        if (strcmp(doc.folder, "warnings") == 0) TRY(thin_warnings(l, &doc, err));
        l->doc[l->n_docs++] = doc;
    }
    return ERR_OK;
}

static enum err_code lay(struct laying *l, struct db *db, int64_t ledger, struct err *err) {
    if (l->seq > 0)
        TRY(definition_rows_as_of(db, ledger, l->seq, l->a, &l->row, &l->n_rows, err));
    else
        TRY(definition_rows(db, ledger, NULL, NULL, l->a, &l->row, &l->n_rows, err));
    keep_counting(l);
    l->doc = ARENA_NEW(l->a, struct pack_document, l->packs->n_documents + l->n_rows + 1);
    struct pack_set *all = ARENA_NEW(l->a, struct pack_set, 1);
    if (l->doc == NULL || all == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    TRY(add_pages(l, err));
    TRY(add_packs(l, err));
    *all = *l->packs;
    all->documents = l->doc;
    all->n_documents = l->n_docs;
    TRY(index_load(l->a, all, &l->s->d.indices, err));
    return warn_load(l->a, all, &l->s->d.warnings, err);
}

enum err_code definitions_build(struct db *db, int64_t ledger, const struct pack_set *packs,
                                const struct definitions **out, struct err *err) {
    return definitions_build_as_of(db, ledger, packs, 0, out, err);
}

enum err_code definitions_build_as_of(struct db *db, int64_t ledger, const struct pack_set *packs,
                                      int64_t seq, const struct definitions **out,
                                      struct err *err) {
    struct arena *a = arena_new(SNAPSHOT_ARENA);
    struct snapshot *s = a == NULL ? NULL : ARENA_NEW(a, struct snapshot, 1);
    if (s == NULL) {
        arena_free(a);
        return err_fail(err, ERR_NOMEM, "definitions");
    }
    s->arena = a;
    atomic_init(&s->refs, 1);
    struct laying l = {.a = a, .packs = packs, .s = s, .seq = seq};
    enum err_code rc = lay(&l, db, ledger, err);
    if (rc != ERR_OK) {
        arena_free(a);
        return rc;
    }
    *out = &s->d;
    return ERR_OK;
}

/* ---- the newest snapshot */

static struct snapshot *held(const struct definitions *d) {
    return (struct snapshot *)(uintptr_t)d;
}

const struct definitions *definitions_ref(struct definitions_service *s) {
    (void)pthread_mutex_lock(&s->lock);
    const struct definitions *d = s->now;
    atomic_fetch_add(&held(d)->refs, 1);
    (void)pthread_mutex_unlock(&s->lock);
    return d;
}

void definitions_unref(const struct definitions *d) {
    if (d == NULL) return;
    struct snapshot *s = held(d);
    if (atomic_fetch_sub(&s->refs, 1) == 1) arena_free(s->arena);
}

static enum err_code refresh(struct definitions_service *s, struct err *err) {
    struct reader *r = NULL;
    const struct definitions *d = NULL;
    TRY(ledger_read_begin(s->ledger, &r, err));
    enum err_code rc = definitions_build(reader_db(r), 1, s->packs, &d, err);
    if (rc == ERR_OK) held(d)->d.seq = reader_seq(r);
    ledger_read_end(r);
    if (rc != ERR_OK) return rc;
    for (size_t i = 0; i < d->n_problems && s->log != NULL; i++)
        log_event(s->log, LOG_WARN, "definition.unreadable", LOG_STR("why", d->problem[i]));
    (void)pthread_mutex_lock(&s->lock);
    const struct definitions *old = s->now;
    s->now = d;
    (void)pthread_mutex_unlock(&s->lock);
    definitions_unref(old);
    return ERR_OK;
}

static void seen(const struct jrow *rows, size_t n, void *ctx) {
    struct definitions_service *s = ctx;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].type, "definition") != 0) continue;
        struct err err = {0};
        /* A failed one leaves the old snapshot in force; the next change tries again. */
        if (refresh(s, &err) != ERR_OK && s->log != NULL)
            log_event(s->log, LOG_WARN, "definition.stale", LOG_STR("why", err.detail));
        return;
    }
}

enum err_code definitions_open(struct ledger *l, const struct pack_set *packs,
                               const struct log *log, struct definitions_service **out,
                               struct err *err) {
    struct definitions_service *s = mem_new(1, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "definitions");
    *s = (struct definitions_service){.ledger = l, .packs = packs, .log = log};
    (void)pthread_mutex_init(&s->lock, NULL);
    enum err_code rc = refresh(s, err);
    struct follower f = {.name = "definitions", .seen = seen, .from_seq = -1, .ctx = s};
    if (rc == ERR_OK) rc = ledger_follow(l, &f, err);
    if (rc != ERR_OK) {
        definitions_close(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void definitions_close(struct definitions_service *s) {
    if (s == NULL) return;
    definitions_unref(s->now);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}
