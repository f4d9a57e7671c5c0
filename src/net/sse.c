#include "net/sse.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_internal.h"
#include "net/metrics.h"

enum { KEY_HEADS = 256, META_MAX = 1024, RETRY_MS = 2000, TICKS_A_FRAME = 5, EVENT_MAX = 64 };

/* An item as it is kept: shared by the ring and by the clients that have yet to get it. Immutable
 * but for refs. */
struct stored {
    atomic_uint refs;
    struct sse_item item; /* its pointers point into the same block */
    uint64_t key_hash;    /* 0: no key */
    struct buf text;      /* the block as it is sent */
};

struct pending {
    struct stored *item; /* NULL: replaced by a newer one of the same key */
    uint32_t next;       /* of the same head, + 1; 0: none */
};

/* Touched only by the loop that owns its connection. */
struct sse_client {
    struct sse_hub *hub;
    struct http_conn *conn;
    unsigned loop;
    struct sse_client *prev, *next;
    void *scope;
    void (*scope_free)(void *);
    uint64_t seen_id; /* every item up to here was sent, is pending, or is none of its business */
    unsigned resets;  /* value of hub->resets when it last was told to reload */
    bool reset;       /* the next frame says reset and nothing else */
    bool doomed;      /* out of memory: to be dropped at the next tick */
    int64_t frame_us; /* when the last frame went out */
    struct pending *pending; /* n_pending of cap_pending, ids ascending */
    uint32_t n_pending, cap_pending;
    size_t pending_bytes;
    uint32_t head[KEY_HEADS]; /* by key hash: index + 1 into pending */
};

struct hub_loop {
    struct sse_hub *hub;
    unsigned index;
    struct sse_client *clients; /* of this loop; its thread only */
    struct event *tick;
    unsigned n_clients; /* guarded by hub->lock */
};

struct sse_hub {
    atomic_uint refs;
    struct http_server *server;
    struct sse_options opt;
    pthread_mutex_t lock; /* guards the ring, last_id and the n_clients of the loops */
    struct stored **ring; /* n_ring items from first on, ids ascending */
    size_t first, n_ring, ring_bytes;
    uint64_t floor_id; /* items up to here are no longer in the ring */
    uint64_t last_id;
    atomic_uint n_clients, resets;
    struct hub_loop loop[HTTP_MAX_LOOPS];
};

struct sse_replay {
    struct sse_client *client;
    bool full;
};

static struct metrics *metrics_of(const struct sse_hub *hub) { return hub->server->opt.metrics; }

/* ---- items ---- */

static void item_unref(struct stored *s) {
    if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1) return;
    buf_deinit(&s->text);
    mem_free(s);
}

static uint64_t hash_key(const char *event, const char *key) {
    uint64_t h = 14695981039346656037ULL; /* FNV-1a */
    if (key == NULL) return 0;
    for (const char *p = event; *p != '\0'; p++) h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    h = (h ^ 0xff) * 1099511628211ULL;
    for (const char *p = key; *p != '\0'; p++) h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    return h == 0 ? 1 : h;
}

static void write_block(struct buf *b, const struct sse_item *item) {
    if (item->id != 0) buf_printf(b, "id: %" PRIu64 "\n", item->id);
    buf_printf(b, "event: %s\n", item->event);
    const char *p = item->data, *end = item->data + item->data_n;
    do {
        const char *q = p;
        while (q < end && *q != '\n' && *q != '\r') q++;
        buf_str(b, "data: ");
        buf_add(b, p, (size_t)(q - p));
        buf_char(b, '\n');
        if (q + 1 < end && q[0] == '\r' && q[1] == '\n') q++;
        p = q < end ? q + 1 : end;
    } while (p < end);
    buf_char(b, '\n');
}

static bool is_event_name(const char *s) {
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strspn(s, legal);
    return n > 0 && n <= EVENT_MAX && s[n] == '\0';
}

static char *put(char **at, const void *p, size_t n) {
    char *q = *at;
    if (n > 0) memcpy(q, p, n);
    q[n] = '\0';
    *at += n + 1;
    return q;
}

/* NULL when there is no memory. */
static struct stored *item_new(const struct sse_item *from) {
    const char *event = from->event == NULL ? "message" : from->event;
    size_t event_n = strlen(event), key_n = from->key == NULL ? 0 : strlen(from->key);
    struct stored *s = mem_new(1, sizeof *s + event_n + key_n + from->data_n + from->meta_n + 4);
    if (s == NULL) return NULL;
    char *at = (char *)(s + 1);
    atomic_init(&s->refs, 1);
    s->item = *from;
    /* First, since the application may keep a struct in it. */
    s->item.meta = put(&at, from->meta, from->meta_n);
    s->item.event = put(&at, event, event_n);
    s->item.key = from->key == NULL ? NULL : put(&at, from->key, key_n);
    s->item.data = put(&at, from->data, from->data_n);
    s->key_hash = hash_key(event, from->key);
    buf_init(&s->text, from->data_n * 8 + EVENT_MAX + 128);
    write_block(&s->text, &s->item);
    if (!s->text.failed) return s;
    item_unref(s);
    return NULL;
}

static enum err_code check_item(const struct sse_hub *hub, const struct sse_item *item,
                                struct err *err) {
    if (item->event != NULL && !is_event_name(item->event))
        return err_fail(err, ERR_INVALID,
                        "event name \"%.64s\" has other characters than A-Z a-z 0-9 . _ -",
                        item->event);
    if (item->data_n > hub->opt.max_item || item->meta_n > META_MAX)
        return err_fail(err, ERR_TOO_LARGE, "event of %zu bytes (meta %zu), at most %zu (%d)",
                        item->data_n, item->meta_n, hub->opt.max_item, META_MAX);
    return ERR_OK;
}

/* ---- what waits for a client ---- */

static void clear_pending(struct sse_client *c) {
    for (uint32_t i = 0; i < c->n_pending; i++) item_unref(c->pending[i].item);
    c->n_pending = 0;
    c->pending_bytes = 0;
    memset(c->head, 0, sizeof c->head);
}

static void ask_reset(struct sse_client *c) {
    clear_pending(c);
    c->reset = true;
}

static void replace_same_key(struct sse_client *c, const struct stored *s) {
    for (uint32_t i = c->head[s->key_hash % KEY_HEADS]; i != 0; i = c->pending[i - 1].next) {
        struct stored *old = c->pending[i - 1].item;
        if (old == NULL || old->key_hash != s->key_hash ||
            strcmp(old->item.key, s->item.key) != 0 || strcmp(old->item.event, s->item.event) != 0)
            continue;
        c->pending_bytes -= old->text.n;
        c->pending[i - 1].item = NULL;
        item_unref(old);
        return;
    }
}

static void append_pending(struct sse_client *c, struct stored *s) {
    if (c->n_pending == c->cap_pending) {
        uint32_t cap = c->cap_pending == 0 ? 16 : c->cap_pending * 2;
        struct pending *grown = mem_resize(c->pending, cap, sizeof *grown);
        if (grown == NULL) {
            c->doomed = true;
            return;
        }
        c->pending = grown;
        c->cap_pending = cap;
    }
    struct pending *p = &c->pending[c->n_pending++];
    *p = (struct pending){.item = s};
    atomic_fetch_add(&s->refs, 1);
    c->pending_bytes += s->text.n;
    if (s->key_hash == 0) return;
    uint32_t *head = &c->head[s->key_hash % KEY_HEADS];
    p->next = *head;
    *head = c->n_pending;
}

/* One item for one client: rights, replacement, bounds. */
static void offer(struct sse_client *c, struct stored *s) {
    if (s->item.id != 0) {
        if (s->item.id <= c->seen_id) return;
        c->seen_id = s->item.id;
    }
    if (c->reset || c->doomed || !c->hub->opt.sees(c->scope, &s->item)) return;
    if (s->key_hash != 0) replace_same_key(c, s);
    append_pending(c, s);
    /* More than a frame may hold, or a list full of replaced places: reloading is cheaper for both
     * sides. */
    if (c->pending_bytes > c->hub->opt.max_unsent / 2 || c->n_pending > c->hub->opt.ring + 64)
        ask_reset(c);
}

/* ---- frames ---- */

static void write_frame(struct sse_client *c, struct buf *b, int64_t now_us) {
    struct sse_hub *hub = c->hub;
    if (b->failed || http_conn_unsent(c->conn) + b->n > hub->opt.max_unsent) {
        metrics_add(metrics_of(hub), c->loop, METRIC_SSE_DROPPED_TOTAL, 0, 1);
        buf_deinit(b);
        http_push_close(c->conn); /* frees c */
        return;
    }
    c->frame_us = now_us;
    metrics_add(metrics_of(hub), c->loop, METRIC_SSE_FRAMES_TOTAL, 0, 1);
    http_push_write(c->conn, b->p, b->n); /* may free c */
    buf_deinit(b);
}

static void flush(struct sse_client *c, int64_t now_us) {
    struct buf b;
    buf_init(&b, c->hub->opt.max_unsent + 1024);
    if (c->reset) {
        buf_printf(&b, "id: %" PRIu64 "\nevent: reset\ndata: {\"id\":%" PRIu64 "}\n\n", c->seen_id,
                   c->seen_id);
        metrics_add(metrics_of(c->hub), c->loop, METRIC_SSE_RESETS_TOTAL, 0, 1);
        c->reset = false;
    }
    for (uint32_t i = 0; i < c->n_pending; i++)
        if (c->pending[i].item != NULL)
            buf_add(&b, c->pending[i].item->text.p, c->pending[i].item->text.n);
    clear_pending(c);
    write_frame(c, &b, now_us);
}

static void keep_alive(struct sse_client *c, int64_t now_us) {
    struct buf b;
    buf_init(&b, 128);
    /* The bare id moves the client's Last-Event-ID past what was none of its business, so that it
     * can resume later. */
    buf_printf(&b, ": keepalive\nid: %" PRIu64 "\n\n", c->seen_id);
    write_frame(c, &b, now_us);
}

static bool has_news(const struct sse_client *c) { return c->reset || c->pending_bytes > 0; }

static void client_tick(struct sse_client *c, int64_t now_us) {
    const struct sse_options *o = &c->hub->opt;
    unsigned resets = atomic_load(&c->hub->resets);
    if (c->resets != resets) {
        c->resets = resets;
        ask_reset(c);
        c->seen_id = sse_last_id(c->hub); /* reloading brings all that was published before */
    }
    if (c->doomed) {
        metrics_add(metrics_of(c->hub), c->loop, METRIC_SSE_DROPPED_TOTAL, 0, 1);
        http_push_close(c->conn);
    } else if (has_news(c)) {
        if (now_us - c->frame_us >= o->frame_ms * 1000) flush(c, now_us);
    } else if (now_us - c->frame_us >= o->keepalive_ms * 1000) {
        keep_alive(c, now_us);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
    struct hub_loop *l = arg;
    int64_t now = clock_mono_us();
    (void)fd;
    (void)what;
    for (struct sse_client *c = l->clients; c != NULL;) {
        struct sse_client *next = c->next;
        client_tick(c, now);
        c = next;
    }
}

/* ---- clients ---- */

static void client_gone(void *ctx) {
    struct sse_client *c = ctx;
    struct sse_hub *hub = c->hub;
    struct hub_loop *l = &hub->loop[c->loop];
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->clients = c->next;
    if (c->next != NULL) c->next->prev = c->prev;
    (void)pthread_mutex_lock(&hub->lock);
    l->n_clients--;
    (void)pthread_mutex_unlock(&hub->lock);
    atomic_fetch_sub(&hub->n_clients, 1);
    metrics_add(metrics_of(hub), c->loop, METRIC_SSE_CLIENTS, 0, -1);
    clear_pending(c);
    mem_free(c->pending);
    if (c->scope_free != NULL) c->scope_free(c->scope);
    mem_free(c);
}

static void client_writable(void *ctx, struct http_conn *conn) {
    (void)ctx;
    (void)conn;
}

static const struct http_push_ops push_ops = {.writable = client_writable, .gone = client_gone};

static void link_client(struct sse_client *c) {
    struct hub_loop *l = &c->hub->loop[c->loop];
    c->next = l->clients;
    if (c->next != NULL) c->next->prev = c;
    l->clients = c;
    metrics_add(metrics_of(c->hub), c->loop, METRIC_SSE_CLIENTS, 0, 1);
}

static bool start_tick(struct hub_loop *l) {
    struct timeval tv;
    int64_t us = l->hub->opt.frame_ms * 1000 / TICKS_A_FRAME;
    if (l->tick != NULL) return true;
    l->tick = event_new(l->hub->server->loop[l->index].base, -1, EV_PERSIST, on_tick, l);
    tv.tv_sec = us / 1000000;
    tv.tv_usec = us % 1000000;
    return l->tick != NULL && event_add(l->tick, &tv) == 0;
}

/* What the ring holds after an id, with a reference each; NULL and *n = 0 when there is nothing or
 * no memory. */
static struct stored **ring_after(struct sse_hub *hub, uint64_t after, size_t *n) {
    *n = 0;
    size_t skip = 0;
    while (skip < hub->n_ring && hub->ring[(hub->first + skip) % hub->opt.ring]->item.id <= after)
        skip++;
    size_t count = hub->n_ring - skip;
    struct stored **list = count == 0 ? NULL : mem_new(count, sizeof(struct stored *));
    if (list == NULL) return NULL;
    for (; *n < count; (*n)++) {
        list[*n] = hub->ring[(hub->first + skip + *n) % hub->opt.ring];
        atomic_fetch_add(&list[*n]->refs, 1);
    }
    return list;
}

/* Fills the client's pending list with what it missed. */
static void catch_up(struct sse_client *c, bool has_after, uint64_t after) {
    struct sse_hub *hub = c->hub;
    struct stored **list = NULL;
    size_t n = 0;
    c->resets = atomic_load(&hub->resets); /* before the lock: a skip after it must be noticed */
    (void)pthread_mutex_lock(&hub->lock);
    uint64_t floor_id = hub->floor_id, last_id = hub->last_id;
    hub->loop[c->loop].n_clients++; /* from here on new items are posted to this loop */
    if (has_after && after < last_id) list = ring_after(hub, after, &n);
    (void)pthread_mutex_unlock(&hub->lock);
    c->seen_id = has_after ? after : last_id;
    bool lost = has_after && after > last_id;
    if (has_after && after < floor_id) {
        struct sse_replay replay = {.client = c};
        lost = hub->opt.older == NULL || !hub->opt.older(hub->opt.ctx, after, floor_id, &replay) ||
               replay.full;
    }
    /* The last item is always in the ring, unless the ring is empty: no list means no memory. */
    if (has_after && after < last_id && last_id > floor_id && list == NULL) lost = true;
    if (lost) ask_reset(c);
    for (size_t i = 0; list != NULL && i < n; i++) {
        offer(c, list[i]);
        item_unref(list[i]);
    }
    mem_free(list);
    /* What lies between is known not to exist, or the client reloads. */
    c->seen_id = last_id;
}

static void greet(struct sse_client *c, uint64_t at) {
    struct buf b;
    buf_init(&b, 512);
    buf_printf(&b, "retry: %d\n", RETRY_MS);
    if (!c->reset)
        buf_printf(&b, "id: %" PRIu64 "\nevent: ready\ndata: {\"id\":%" PRIu64 "}\n", at, at);
    buf_char(&b, '\n');
    http_push_write(c->conn, b.p, b.n);
    buf_deinit(&b);
}

static void refuse(struct http_request *req, void *scope, void (*scope_free)(void *)) {
    if (scope_free != NULL) scope_free(scope);
    http_reply(req, http_response_problem(503, "Too many event streams are open."));
}

static struct http_response *stream_head(void) {
    struct http_response *head = http_response_new(200);
    http_response_copy(head, "text/event-stream", "", 0);
    http_response_header(head, "Cache-Control", "no-store");
    http_response_header(head, "X-Accel-Buffering", "no"); /* nginx would hold frames back */
    return head;
}

void sse_open(struct sse_hub *hub, struct http_request *req, void *scope,
              void (*scope_free)(void *), bool has_after, uint64_t after) {
    unsigned loop = http_request_token(req).loop;
    if (req->method == HTTP_HEAD) {
        if (scope_free != NULL) scope_free(scope);
        http_reply(req, stream_head());
        return;
    }
    struct sse_client *c = mem_new(1, sizeof *c);
    bool fits = atomic_fetch_add(&hub->n_clients, 1) < hub->opt.max_clients;
    if (c == NULL || !fits || !start_tick(&hub->loop[loop])) {
        atomic_fetch_sub(&hub->n_clients, 1);
        mem_free(c);
        refuse(req, scope, scope_free);
        return;
    }
    c->hub = hub;
    c->loop = loop;
    c->scope = scope;
    c->scope_free = scope_free;
    if (!http_push_begin(req, stream_head(), &push_ops, c, &c->conn)) {
        atomic_fetch_sub(&hub->n_clients, 1);
        if (scope_free != NULL) scope_free(scope);
        mem_free(c);
        return;
    }
    link_client(c);
    catch_up(c, has_after, after);
    struct http_conn *conn = c->conn;
    greet(c, has_after ? after : c->seen_id);
    if (!conn->dead && has_news(c)) flush(c, clock_mono_us());
}

bool sse_resume_point(const struct http_request *req, uint64_t *after) {
    const char *text = http_header(req, "last-event-id");
    if (text == NULL || text[0] == '\0') text = http_param(req, "after");
    if (text == NULL || text[0] == '\0' || strlen(text) > 19) return false;
    uint64_t v = 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *after = v;
    return true;
}

bool sse_replay_add(struct sse_replay *r, const struct sse_item *item) {
    struct err err;
    if (r->full || r->client->reset || check_item(r->client->hub, item, &err) != ERR_OK) {
        r->full = true;
        return false;
    }
    struct stored *s = item_new(item);
    if (s == NULL) {
        r->full = true;
        return false;
    }
    offer(r->client, s);
    item_unref(s);
    if (r->client->reset || r->client->doomed) r->full = true;
    return !r->full;
}

/* ---- publishing ---- */

static void hub_unref(struct sse_hub *hub) {
    if (atomic_fetch_sub(&hub->refs, 1) != 1) return;
    for (size_t i = 0; i < hub->n_ring; i++)
        item_unref(hub->ring[(hub->first + i) % hub->opt.ring]);
    mem_free(hub->ring);
    (void)pthread_mutex_destroy(&hub->lock);
    mem_free(hub);
}

struct deliver_task {
    struct http_task task;
    struct sse_hub *hub;
    struct stored *item;
};

static void run_deliver(struct http_loop *loop, struct http_task *task) {
    struct deliver_task *t = (struct deliver_task *)task;
    int64_t now = clock_mono_us();
    for (struct sse_client *c = t->hub->loop[loop->index].clients; c != NULL;) {
        struct sse_client *next = c->next;
        offer(c, t->item);
        /* The first item after a quiet time goes out at once; the tick sends what gathers behind
         * it. */
        if (has_news(c) && now - c->frame_us >= t->hub->opt.frame_ms * 1000) flush(c, now);
        c = next;
    }
    item_unref(t->item);
    hub_unref(t->hub);
    mem_free(t);
}

static void evict(struct sse_hub *hub) {
    struct stored *old = hub->ring[hub->first];
    hub->ring_bytes -= old->text.n;
    hub->floor_id = old->item.id;
    hub->first = (hub->first + 1) % hub->opt.ring;
    hub->n_ring--;
    item_unref(old);
}

static bool post_item(struct sse_hub *hub, unsigned i, struct stored *s) {
    struct deliver_task *t = mem_new(1, sizeof *t);
    if (t == NULL) return false;
    *t = (struct deliver_task){.task = {.run = run_deliver}, .hub = hub, .item = s};
    atomic_fetch_add(&hub->refs, 1);
    atomic_fetch_add(&s->refs, 1);
    http_loop_post(&hub->server->loop[i], &t->task);
    return true;
}

/* Under the lock, so that every loop gets the items in the order of the ring. */
static bool spread(struct sse_hub *hub, struct stored *s) {
    bool ok = true;
    while (hub->n_ring > 0 &&
           (hub->n_ring == hub->opt.ring || hub->ring_bytes + s->text.n > hub->opt.ring_bytes))
        evict(hub);
    hub->ring[(hub->first + hub->n_ring++) % hub->opt.ring] = s;
    hub->ring_bytes += s->text.n;
    hub->last_id = s->item.id;
    for (unsigned i = 0; i < hub->server->n_loops; i++)
        if (hub->loop[i].n_clients > 0) ok = post_item(hub, i, s) && ok;
    return ok;
}

enum err_code sse_publish(struct sse_hub *hub, const struct sse_item *item, struct err *err) {
    TRY(check_item(hub, item, err));
    struct stored *s = item_new(item);
    bool in_order, spread_all = false;
    (void)pthread_mutex_lock(&hub->lock);
    in_order = item->id > hub->last_id;
    if (in_order && s != NULL) {
        spread_all = spread(hub, s);
    } else if (in_order) {
        while (hub->n_ring > 0) evict(hub);
        hub->floor_id = hub->last_id = item->id;
    }
    uint64_t last_id = hub->last_id;
    (void)pthread_mutex_unlock(&hub->lock);
    if (!in_order) {
        item_unref(s);
        return err_fail(err, ERR_INVALID, "event %" PRIu64 " after event %" PRIu64, item->id,
                        last_id);
    }
    metrics_add(metrics_of(hub), 0, METRIC_SSE_ITEMS_TOTAL, 0, 1);
    if (spread_all) return ERR_OK;
    sse_reset(hub);
    return err_fail(err, ERR_NOMEM, "no memory for event %" PRIu64, item->id);
}

enum err_code sse_pass(struct sse_hub *hub, const struct sse_item *item, struct err *err) {
    bool ok = true;
    TRY(check_item(hub, item, err));
    if (item->id != 0)
        return err_fail(err, ERR_INVALID, "an event with an id is published, not passed on");
    struct stored *s = item_new(item);
    if (s == NULL) return err_fail(err, ERR_NOMEM, "no memory for an event");
    (void)pthread_mutex_lock(&hub->lock);
    for (unsigned i = 0; i < hub->server->n_loops; i++)
        if (hub->loop[i].n_clients > 0) ok = post_item(hub, i, s) && ok;
    (void)pthread_mutex_unlock(&hub->lock);
    item_unref(s);
    return ok ? ERR_OK : err_fail(err, ERR_NOMEM, "no memory for an event");
}

void sse_skip(struct sse_hub *hub, uint64_t id) {
    bool somebody = false;
    (void)pthread_mutex_lock(&hub->lock);
    if (id > hub->last_id) {
        while (hub->n_ring > 0) evict(hub);
        hub->floor_id = hub->last_id = id;
        for (unsigned i = 0; i < hub->server->n_loops; i++)
            somebody = somebody || hub->loop[i].n_clients > 0;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    if (somebody) sse_reset(hub);
}

struct drop_task {
    struct http_task task;
    struct sse_hub *hub;
    bool (*match)(const void *scope, const void *arg);
    max_align_t arg[];
};

static void run_drop(struct http_loop *loop, struct http_task *task) {
    struct drop_task *t = (struct drop_task *)task;
    for (struct sse_client *c = t->hub->loop[loop->index].clients; c != NULL;) {
        struct sse_client *next = c->next;
        if (t->match(c->scope, t->arg)) http_push_close(c->conn);
        c = next;
    }
    hub_unref(t->hub);
    mem_free(t);
}

enum err_code sse_drop(struct sse_hub *hub, bool (*match)(const void *scope, const void *arg),
                       const void *arg, size_t arg_n, struct err *err) {
    for (unsigned i = 0; i < hub->server->n_loops; i++) {
        struct drop_task *t = mem_new(1, sizeof *t + arg_n);
        if (t == NULL) return err_fail(err, ERR_NOMEM, "no memory to close event streams");
        t->task.run = run_drop;
        t->hub = hub;
        t->match = match;
        if (arg_n > 0) memcpy(t->arg, arg, arg_n);
        atomic_fetch_add(&hub->refs, 1);
        http_loop_post(&hub->server->loop[i], &t->task);
    }
    return ERR_OK;
}

void sse_reset(struct sse_hub *hub) { atomic_fetch_add(&hub->resets, 1); }

unsigned sse_clients(const struct sse_hub *hub) { return atomic_load(&hub->n_clients); }

uint64_t sse_last_id(struct sse_hub *hub) {
    (void)pthread_mutex_lock(&hub->lock);
    uint64_t id = hub->last_id;
    (void)pthread_mutex_unlock(&hub->lock);
    return id;
}

/* ---- making a hub ---- */

static void fill_defaults(struct sse_options *o) {
    if (o->ring == 0) o->ring = 4096;
    if (o->ring_bytes == 0) o->ring_bytes = (size_t)16 * 1024 * 1024;
    if (o->max_unsent == 0) o->max_unsent = (size_t)256 * 1024;
    if (o->max_item == 0) o->max_item = (size_t)64 * 1024;
    if (o->max_clients == 0) o->max_clients = 2048;
    if (o->frame_ms == 0) o->frame_ms = 250;
    if (o->keepalive_ms == 0) o->keepalive_ms = 15000;
}

enum err_code sse_hub_new(struct http_server *s, const struct sse_options *opt,
                          struct sse_hub **out, struct err *err) {
    *out = NULL;
    if (opt->sees == NULL)
        return err_fail(err, ERR_INVALID, "an event hub needs to know who sees what");
    struct sse_hub *hub = mem_new(1, sizeof *hub);
    if (hub == NULL) return err_fail(err, ERR_NOMEM, "no memory for the event hub");
    hub->opt = *opt;
    fill_defaults(&hub->opt);
    hub->ring = mem_new(hub->opt.ring, sizeof(struct stored *));
    if (hub->ring == NULL || pthread_mutex_init(&hub->lock, NULL) != 0) {
        mem_free(hub->ring);
        mem_free(hub);
        return err_fail(err, ERR_NOMEM, "no memory for %zu events", opt->ring);
    }
    atomic_init(&hub->refs, 1);
    hub->server = s;
    hub->floor_id = hub->last_id = opt->start_id;
    for (unsigned i = 0; i < HTTP_MAX_LOOPS; i++) {
        hub->loop[i].hub = hub;
        hub->loop[i].index = i;
    }
    *out = hub;
    return ERR_OK;
}

void sse_hub_free(struct sse_hub *hub) {
    if (hub == NULL) return;
    for (unsigned i = 0; i < HTTP_MAX_LOOPS; i++)
        if (hub->loop[i].tick != NULL) event_free(hub->loop[i].tick);
    hub_unref(hub);
}
