#include "base/hash.h"

#include <sodium.h>
#include <xxhash.h>

void hash_sha256(const struct hash_piece *pieces, size_t n_pieces, uint8_t out[HASH_SHA256]) {
    crypto_hash_sha256_state state;
    /* These functions have no failure; the result is for libraries with hardware behind. */
    (void)crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < n_pieces; i++)
        if (pieces[i].n > 0) (void)crypto_hash_sha256_update(&state, pieces[i].p, pieces[i].n);
    (void)crypto_hash_sha256_final(&state, out);
}

void hash_hex(const void *p, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err_code hash_unhex(const char *hex, uint8_t *out, size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(hex[2 * i]);
        int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);
        if (low < 0) return err_fail(err, ERR_INVALID, "expected %zu hexadecimal digits", 2 * n);
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (hex[2 * n] != '\0')
        return err_fail(err, ERR_INVALID, "expected %zu hexadecimal digits", 2 * n);
    return ERR_OK;
}

void hash_base32(const void *p, size_t n, char *out) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    const uint8_t *b = p;
    uint32_t held = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < n; i++) {
        held = (held << 8 | b[i]) & 0xFFFFU;
        for (n_bits += 8; n_bits >= 5; n_bits -= 5) *out++ = letters[held >> (n_bits - 5) & 31U];
    }
    if (n_bits > 0) *out++ = letters[held << (5 - n_bits) & 31U];
    *out = '\0';
}

enum err_code hash_random(void *p, size_t n, struct err *err) {
    /* Idempotent and safe from any thread; it must precede the first random byte. */
    if (sodium_init() < 0)
        return err_fail(err, ERR_INTERNAL, "the random generator cannot be opened");
    randombytes_buf(p, n);
    return ERR_OK;
}

enum err_code hash_word(char out[HASH_WORD], struct err *err) {
    uint8_t bits[5];
    TRY(hash_random(bits, sizeof bits, err));
    hash_base32(bits, sizeof bits, out);
    sodium_memzero(bits, sizeof bits);
    return ERR_OK;
}

bool hash_equal(const void *a, const void *b, size_t n) {
    return n == 0 || sodium_memcmp(a, b, n) == 0;
}

uint64_t hash_xxh64(const void *p, size_t n, uint64_t seed) { return XXH64(p, n, seed); }
