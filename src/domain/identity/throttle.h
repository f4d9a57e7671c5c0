/* domain/identity/throttle.h - counts tries and says when to wait: sliding windows with a doubling
 * wait, rows of decl/rates.def. In memory only, of fixed size: a restart forgets the counts. Keys
 * are told apart by SipHash-2-4 under a random key, so nobody outside can aim at another's slot.
 * Any thread; one short lock a call. Source of the window: the counter of the window before is
 * weighted by the part of it that is still in view. */
#ifndef DOMAIN_IDENTITY_THROTTLE_H
#define DOMAIN_IDENTITY_THROTTLE_H
#include <stdint.h>

#include "base/err.h"

enum rate {
#define X(name, key, tries, window_s, first_wait_s, max_wait_s, text) RATE_##name,
#include "../../../decl/rates.def"
#undef X
    RATE_N
};

/* As declared in decl/rates.def. */
struct rate_row {
    const char *key;
    uint32_t tries; /* 0: never limited */
    uint32_t window_s;
    uint32_t first_wait_s, max_wait_s; /* 0: no lock beyond the window */
    const char *text;
};
const struct rate_row *rate_row(enum rate r);

struct throttle;
enum { THROTTLE_KEY = 72 };

/* n_slots is rounded up to a power of two, at least 256; about 130 bytes each. ERR_NOMEM. */
enum err_code throttle_new(size_t n_slots, struct throttle **out, struct err *err) NODISCARD;
void throttle_free(struct throttle *t);

/* Count one try. ERR_TOO_MANY (the try is then not to be made; the detail names the seconds to
 * wait) when the window is full or a wait runs; a refused try counts nothing, so nobody lengthens
 * another's wait by knocking during it. */
enum err_code throttle_take(struct throttle *t, enum rate r, const char *key, int64_t now_us,
                            struct err *err) NODISCARD;
/* Count a try that was made already; never refuses. */
void throttle_count(struct throttle *t, enum rate r, const char *key, int64_t now_us);
/* Whether a try would be refused now; counts nothing. */
bool throttle_is_full(struct throttle *t, enum rate r, const char *key, int64_t now_us);
/* The try counted last was a good one after all: take it back. */
void throttle_undo(struct throttle *t, enum rate r, const char *key, int64_t now_us);
/* Forget a key (its owner has proved himself, or a security administrator lifts a lock). True when
 * there was one. */
bool throttle_clear(struct throttle *t, enum rate r, const char *key);

struct throttle_lock {
    char key[THROTTLE_KEY];
    int64_t until_us;
};
/* Keys of a rate that wait now, at most max; returns how many. For the security administrator. */
size_t throttle_locks(struct throttle *t, enum rate r, int64_t now_us, struct throttle_lock *out,
                      size_t max);

/* The form of a client address that is counted: IPv4 as it is, IPv6 cut to its /64 (one household
 * or host), mapped IPv4 as IPv4; anything else as the given text. */
void throttle_address(const char *remote, char out[THROTTLE_KEY]);
/* Count one request of a client by its address. Loopback is never limited: it is the city's own
 * proxy, batch job or test, and a proxy that is trusted names the client behind it. ERR_TOO_MANY.
 */
enum err_code throttle_request(struct throttle *t, enum rate r, const char *remote, int64_t now_us,
                               struct err *err) NODISCARD;
#endif
