#include "domain/identity/throttle.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct rate_row rows[RATE_N] = {
#define X(name, key, tries, window_s, first_wait_s, max_wait_s, text)                              \
    [RATE_##name] = {key, tries, window_s, first_wait_s, max_wait_s, text},
#include "../../../decl/rates.def"
#undef X
};

enum { WAYS = 8 };
static const int64_t SECOND_US = 1000000;

/* Invariants: rate < 0 means empty; cur counts tries in [start_us, start_us + window), prev those
 * of the window before. */
struct slot {
    uint64_t hash;
    int rate;
    uint32_t cur, prev;
    uint32_t strikes;
    int64_t start_us, until_us;
    char key[THROTTLE_KEY];
};
struct throttle {
    pthread_mutex_t lock;
    unsigned char sip[crypto_shorthash_KEYBYTES];
    size_t n_sets;           /* a power of two */
    struct slot *slot;       /* n_sets * WAYS */
    struct slot all[RATE_N]; /* keys "" stand here, so that a flood of keys never evicts the count
                                of the whole */
};

const struct rate_row *rate_row(enum rate r) { return &rows[r]; }

enum err_code throttle_new(size_t n_slots, struct throttle **out, struct err *err) {
    size_t n_sets = 256 / WAYS;
    while (n_sets * WAYS < n_slots && n_sets < ((size_t)1 << 24)) n_sets *= 2;
    struct throttle *t = mem_new(1, sizeof *t);
    struct slot *slots = mem_new(n_sets * WAYS, sizeof *slots);
    if (t == NULL || slots == NULL || sodium_init() < 0) {
        mem_free(t);
        mem_free(slots);
        return err_fail(err, ERR_NOMEM, "no memory for the counters of tries");
    }
    for (size_t i = 0; i < n_sets * WAYS; i++) slots[i].rate = -1;
    for (size_t i = 0; i < RATE_N; i++) t->all[i].rate = (int)i;
    t->slot = slots;
    t->n_sets = n_sets;
    crypto_shorthash_keygen(t->sip);
    (void)pthread_mutex_init(&t->lock, NULL);
    *out = t;
    return ERR_OK;
}

void throttle_free(struct throttle *t) {
    if (t == NULL) return;
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t->slot);
    mem_free(t);
}

static uint64_t key_hash(const struct throttle *t, enum rate r, const char *key) {
    unsigned char in[THROTTLE_KEY + 1] = {0};
    unsigned char h[crypto_shorthash_BYTES];
    uint64_t v = 0;
    in[0] = (unsigned char)r;
    size_t n = strlen(key);
    if (n > THROTTLE_KEY) n = THROTTLE_KEY;
    memcpy(in + 1, key, n);
    (void)crypto_shorthash(h, in, n + 1, t->sip);
    memcpy(&v, h, sizeof v);
    return v;
}

/* The slot of a key or NULL; `make` takes an empty one, else the one that has been quiet longest
 * and waits for nothing. */
static struct slot *find(struct throttle *t, enum rate r, const char *key, int64_t now_us,
                         bool make) {
    if (key[0] == '\0') return &t->all[r];
    uint64_t h = key_hash(t, r, key);
    struct slot *set = &t->slot[(h & (t->n_sets - 1)) * WAYS];
    struct slot *worst = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        struct slot *s = &set[i];
        if (s->rate == (int)r && s->hash == h) return s;
        if (s->rate < 0) {
            if (worst == NULL || worst->rate >= 0) worst = s;
            continue;
        }
        if (worst != NULL && worst->rate < 0) continue;
        bool waits = s->until_us > now_us, worst_waits = worst != NULL && worst->until_us > now_us;
        if (worst == NULL || (worst_waits && !waits) ||
            (worst_waits == waits && s->start_us < worst->start_us))
            worst = s;
    }
    if (!make) return NULL;
    *worst = (struct slot){.hash = h, .rate = (int)r, .start_us = now_us};
    (void)snprintf(worst->key, sizeof worst->key, "%s", key);
    return worst;
}

static void roll(struct slot *s, const struct rate_row *row, int64_t now_us) {
    int64_t window_us = (int64_t)row->window_s * SECOND_US;
    int64_t passed = now_us - s->start_us;
    if (passed < 0) return; /* the wall clock was set back: keep counting in the window at hand */
    if (passed >= 2 * window_us) {
        s->prev = 0;
        s->cur = 0;
        s->start_us = now_us;
    } else if (passed >= window_us) {
        s->prev = s->cur;
        s->cur = 0;
        s->start_us += window_us;
    }
    if (s->until_us + window_us < now_us) s->strikes = 0;
}

/* Tries in view, times the window in microseconds (kept as an integer, so that it is exact). */
static bool window_is_full(const struct slot *s, const struct rate_row *row, int64_t now_us) {
    double window_us = (double)row->window_s * (double)SECOND_US;
    double part = 1.0 - (double)(now_us - s->start_us) / window_us;
    if (part > 1.0) part = 1.0;
    if (part < 0.0) part = 0.0;
    return (double)s->cur + part * (double)s->prev + 1.0 > (double)row->tries;
}

static enum err_code refuse(int64_t wait_us, struct err *err) {
    int64_t s = (wait_us + SECOND_US - 1) / SECOND_US;
    return err_fail(err, ERR_TOO_MANY, "wait %" PRId64 " seconds", s < 1 ? 1 : s);
}

static int64_t window_left(const struct slot *s, const struct rate_row *row, int64_t now_us) {
    return s->start_us + (int64_t)row->window_s * SECOND_US - now_us;
}

enum err_code throttle_take(struct throttle *t, enum rate r, const char *key, int64_t now_us,
                            struct err *err) {
    const struct rate_row *row = &rows[r];
    if (row->tries == 0) return ERR_OK;
    int64_t wait_us = 0;
    (void)pthread_mutex_lock(&t->lock);
    struct slot *s = find(t, r, key, now_us, true);
    roll(s, row, now_us);
    if (s->until_us > now_us) {
        wait_us = s->until_us - now_us;
    } else if (window_is_full(s, row, now_us)) {
        wait_us = window_left(s, row, now_us);
        if (row->first_wait_s > 0) {
            int64_t w = (int64_t)row->first_wait_s << (s->strikes < 20 ? s->strikes : 20);
            if (w > (int64_t)row->max_wait_s) w = row->max_wait_s;
            s->strikes++;
            s->until_us = now_us + w * SECOND_US;
            /* After the wait one try is free again; the next overrun waits twice as long. */
            s->cur = row->tries - 1;
            s->prev = 0;
            s->start_us = s->until_us;
            wait_us = w * SECOND_US;
        }
    } else {
        s->cur++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return wait_us > 0 ? refuse(wait_us, err) : ERR_OK;
}

void throttle_count(struct throttle *t, enum rate r, const char *key, int64_t now_us) {
    enum err_code rc = throttle_take(t, r, key, now_us, NULL);
    (void)rc;
}

bool throttle_is_full(struct throttle *t, enum rate r, const char *key, int64_t now_us) {
    const struct rate_row *row = &rows[r];
    bool full = false;
    if (row->tries == 0) return false;
    (void)pthread_mutex_lock(&t->lock);
    struct slot *s = find(t, r, key, now_us, false);
    if (s != NULL) {
        roll(s, row, now_us);
        full = s->until_us > now_us || window_is_full(s, row, now_us);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return full;
}

void throttle_undo(struct throttle *t, enum rate r, const char *key, int64_t now_us) {
    const struct rate_row *row = &rows[r];
    if (row->tries == 0) return;
    (void)pthread_mutex_lock(&t->lock);
    struct slot *s = find(t, r, key, now_us, false);
    if (s != NULL) {
        roll(s, row, now_us);
        if (s->cur > 0)
            s->cur--;
        else if (s->prev > 0)
            s->prev--;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

bool throttle_clear(struct throttle *t, enum rate r, const char *key) {
    bool had = false;
    (void)pthread_mutex_lock(&t->lock);
    struct slot *s = find(t, r, key, 0, false);
    if (s != NULL) {
        had = true;
        s->cur = 0;
        s->prev = 0;
        s->strikes = 0;
        s->until_us = 0;
        s->start_us = 0;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return had;
}

size_t throttle_locks(struct throttle *t, enum rate r, int64_t now_us, struct throttle_lock *out,
                      size_t max) {
    size_t n = 0;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->n_sets * WAYS && n < max; i++) {
        const struct slot *s = &t->slot[i];
        if (s->rate != (int)r || s->until_us <= now_us) continue;
        memcpy(out[n].key, s->key, sizeof out[n].key);
        out[n++].until_us = s->until_us;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return n;
}

void throttle_address(const char *remote, char out[THROTTLE_KEY]) {
    unsigned char b[16];
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (inet_pton(AF_INET6, remote, b) != 1) {
        (void)snprintf(out, THROTTLE_KEY, "%s", remote);
        return;
    }
    if (memcmp(b, mapped, sizeof mapped) == 0) {
        (void)snprintf(out, THROTTLE_KEY, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
        return;
    }
    memset(b + 8, 0, 8);
    char text[INET6_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET6, b, text, sizeof text);
    (void)snprintf(out, THROTTLE_KEY, "%s/64", text);
}

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

enum err_code throttle_request(struct throttle *t, enum rate r, const char *remote, int64_t now_us,
                               struct err *err) {
    char address[THROTTLE_KEY];
    if (rows[r].tries == 0 || is_loopback(remote)) return ERR_OK;
    throttle_address(remote, address);
    return throttle_take(t, r, address, now_us, err);
}
