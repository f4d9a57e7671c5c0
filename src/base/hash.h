/* base/hash.h - SHA-256, xxh64, hexadecimal and base32 text, random bytes and words. Safe from any
 * thread. Source: FIPS 180-4 and random bytes by libsodium; xxHash; RFC 4648. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HASH_SHA256 = 32, HASH_HEX = 65, HASH_WORD = 9 };

struct hash_piece {
    const void *p;
    size_t n;
};

/* SHA-256 of the pieces as if they stood one behind the other. They are not separated: a caller
 * that hashes several fields makes their borders visible itself (lengths or a separator that cannot
 * occur). */
void hash_sha256(const struct hash_piece *pieces, size_t n_pieces, uint8_t out[HASH_SHA256]);

/* Lower-case hexadecimal with a NUL: 2 n + 1 bytes. */
void hash_hex(const void *p, size_t n, char *out);
/* Exactly 2 n hexadecimal digits of either case. Errors: ERR_INVALID. */
enum err_code hash_unhex(const char *hex, uint8_t *out, size_t n, struct err *err) NODISCARD;

/* RFC 4648 base32 in lower case without padding, with a NUL: (8 n + 4) / 5 + 1 bytes. */
void hash_base32(const void *p, size_t n, char *out);

/* Bytes of the system's random generator, fit for secrets. Errors: ERR_INTERNAL when it cannot be
 * opened. */
enum err_code hash_random(void *p, size_t n, struct err *err) NODISCARD;
/* Eight base32 characters (40 random bits) with a NUL: a follow word, readable aloud. Store its
 * hash, never the word. */
enum err_code hash_word(char out[HASH_WORD], struct err *err) NODISCARD;

/* Whether n bytes are equal, in a time that does not depend on where they differ. */
bool hash_equal(const void *a, const void *b, size_t n);

/* xxh64: fast and stable between machines, for tables and change detection; not against an attacker
 * unless the seed is secret. */
uint64_t hash_xxh64(const void *p, size_t n, uint64_t seed);
#endif
