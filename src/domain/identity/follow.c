#include "domain/identity/follow.h"

#include <sodium.h>
#include <string.h>

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void follow_new(char word[FOLLOW_WORD]) {
    unsigned char r[FOLLOW_WORD - 1];
    randombytes_buf(r, sizeof r);
    for (size_t i = 0; i < sizeof r; i++) word[i] = base32[r[i] & 31];
    word[FOLLOW_WORD - 1] = '\0';
}

/* The letters of a typed word; false when it is not eight of them. */
static bool normalise(const char *typed, char out[FOLLOW_WORD]) {
    size_t n = 0;
    for (const char *s = typed; *s != '\0'; s++) {
        char c = *s;
        if (c == ' ' || c == '-') continue;
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (c == '0') c = 'O';
        if (c == '1') c = 'I';
        if (c == '8') c = 'B';
        if (strchr(base32, c) == NULL || n == FOLLOW_WORD - 1) return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return n == FOLLOW_WORD - 1;
}

static void add_part(crypto_generichash_state *st, const char *s) {
    (void)crypto_generichash_update(st, (const unsigned char *)s, strlen(s) + 1);
}

bool follow_hash(const unsigned char secret[32], const char *code, const char *role,
                 const char *word, char hash[FOLLOW_HASH]) {
    char clean[FOLLOW_WORD];
    unsigned char h[32];
    crypto_generichash_state st;
    hash[0] = '\0';
    if (!normalise(word, clean)) return false;
    (void)crypto_generichash_init(&st, secret, 32, sizeof h);
    add_part(&st, "gezhi follow 1");
    add_part(&st, code);
    add_part(&st, role);
    add_part(&st, clean);
    (void)crypto_generichash_final(&st, h, sizeof h);
    (void)sodium_bin2hex(hash, FOLLOW_HASH, h, sizeof h);
    return true;
}

bool follow_equal(const unsigned char secret[32], const char *code, const char *role,
                  const char *word, const char *stored) {
    char mine[FOLLOW_HASH], theirs[FOLLOW_HASH] = {0};
    bool is_word = follow_hash(secret, code, role, word, mine);
    if (!is_word) memset(mine, '-', sizeof mine);
    size_t n = stored == NULL ? 0 : strlen(stored);
    bool has = n == FOLLOW_HASH - 1;
    if (has) memcpy(theirs, stored, n);
    bool same = sodium_memcmp(mine, theirs, FOLLOW_HASH - 1) == 0;
    return is_word && has && same;
}

/* Hashed, since a code and an address together are longer than a key may be. */
static void pair_key(const char *code, const char *remote, char address[THROTTLE_KEY],
                     char pair[THROTTLE_KEY]) {
    unsigned char h[32];
    crypto_generichash_state st;
    throttle_address(remote, address);
    (void)crypto_generichash_init(&st, NULL, 0, sizeof h);
    add_part(&st, code);
    add_part(&st, address);
    (void)crypto_generichash_final(&st, h, sizeof h);
    (void)sodium_bin2hex(pair, THROTTLE_KEY, h, sizeof h);
}

static bool under_siege(struct throttle *t, const char *code, int64_t now_us) {
    return throttle_is_full(t, RATE_FOLLOW_CASE, code, now_us) ||
           throttle_is_full(t, RATE_FOLLOW_ALL, "", now_us);
}

enum err_code follow_try_begin(struct throttle *t, const char *code, const char *remote,
                               int64_t now_us, struct err *err) {
    char address[THROTTLE_KEY], pair[THROTTLE_KEY];
    pair_key(code, remote, address, pair);
    TRY(throttle_take(t, RATE_FOLLOW_ADDRESS, address, now_us, err));
    /* Taken before the answer is known, so that many tries at once cannot slip through. */
    bool siege = under_siege(t, code, now_us);
    enum err_code rc = throttle_take(t, RATE_FOLLOW_PAIR, pair, now_us, siege ? err : NULL);
    if (siege && rc != ERR_OK) {
        throttle_undo(t, RATE_FOLLOW_ADDRESS, address, now_us);
        return rc;
    }
    return ERR_OK;
}

void follow_try_end(struct throttle *t, const char *code, const char *remote, int64_t now_us,
                    bool right) {
    char address[THROTTLE_KEY], pair[THROTTLE_KEY];
    pair_key(code, remote, address, pair);
    if (right) {
        throttle_undo(t, RATE_FOLLOW_ADDRESS, address, now_us);
        (void)throttle_clear(t, RATE_FOLLOW_PAIR, pair);
        return;
    }
    throttle_count(t, RATE_FOLLOW_CASE, code, now_us);
    throttle_count(t, RATE_FOLLOW_ALL, "", now_us);
}
