/* Holds the newest snapshot and rebuilds it after a committed change of what it was built from. */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "domain/grid/snapshot.h"

struct grid_service {
    struct ledger *ledger;
    const struct pack_set *packs;
    pthread_mutex_t lock;
    const struct grid *now; /* guarded by lock; one reference */
};

static const struct grid *ref(const struct grid *g) {
    atomic_fetch_add(&((struct snapshot *)(uintptr_t)g)->refs, 1);
    return g;
}

const struct grid *grid_ref(struct grid_service *s) {
    (void)pthread_mutex_lock(&s->lock);
    const struct grid *g = ref(s->now);
    (void)pthread_mutex_unlock(&s->lock);
    return g;
}

void grid_unref(const struct grid *g) {
    if (g == NULL) return;
    struct snapshot *s = (struct snapshot *)(uintptr_t)g;
    if (atomic_fetch_sub(&s->refs, 1) == 1) arena_free(s->arena);
}

static enum err_code rebuild(struct grid_service *s, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(s->ledger, &r, err));
    const struct grid *g = NULL;
    enum err_code rc = grid_build(reader_db(r), 1, s->packs, NULL, &g, err);
    if (rc == ERR_OK) ((struct snapshot *)(uintptr_t)g)->grid.seq = reader_seq(r);
    ledger_read_end(r);
    if (rc != ERR_OK) return rc;
    (void)pthread_mutex_lock(&s->lock);
    const struct grid *old = s->now;
    s->now = g;
    (void)pthread_mutex_unlock(&s->lock);
    grid_unref(old);
    return ERR_OK;
}

static bool concerns(const char *type) {
    static const char *const types[] = {"area", "cell", "post", "unit", "account", "city"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0) return true;
    }
    return false;
}

/* One rebuild for a batch, however many rows it holds. A failed one leaves the old snapshot in
 * force; the next change tries again. */
static void seen(const struct jrow *rows, size_t n, void *ctx) {
    for (size_t i = 0; i < n; i++) {
        if (!concerns(rows[i].type)) continue;
        struct err err = {0};
        if (rebuild(ctx, &err) != ERR_OK) err.code = ERR_OK;
        return;
    }
}

enum err_code grid_open(struct ledger *l, const struct pack_set *packs, struct grid_service **out,
                        struct err *err) {
    struct grid_service *s = mem_new(1, sizeof *s);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "grid");
    s->ledger = l;
    s->packs = packs;
    (void)pthread_mutex_init(&s->lock, NULL);
    enum err_code rc = rebuild(s, err);
    struct follower f = {.name = "grid", .seen = seen, .from_seq = -1, .ctx = s};
    if (rc == ERR_OK) rc = ledger_follow(l, &f, err);
    if (rc != ERR_OK) {
        grid_close(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void grid_close(struct grid_service *s) {
    if (s == NULL) return;
    grid_unref(s->now);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}
