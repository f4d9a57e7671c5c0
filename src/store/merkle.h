/* store/merkle.h - the RFC 6962 Merkle tree over journal rows, kept as a compact range: one hash a
 * set bit of the size. Pure; safe from any thread. Source: RFC 6962 section 2.1 (leaf prefix 0,
 * node prefix 1, SHA-256). */
#ifndef STORE_MERKLE_H
#define STORE_MERKLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sha.h"

enum { MERKLE_HASH = 32, MERKLE_MAX_TEXT = 8 + 64 * MERKLE_HASH };

struct merkle {
    uint64_t size;                    /* leaves */
    unsigned n;                       /* invariant: number of set bits of size */
    unsigned char h[64][MERKLE_HASH]; /* roots of the perfect subtrees, largest first */
};
void merkle_init(struct merkle *m);
/* Hash of a leaf; data[0] must be room for the prefix, which is written there: n counts it. sha may
 * be NULL, here and below. */
void merkle_leaf(struct sha *sha, unsigned char *data, size_t n, unsigned char out[MERKLE_HASH]);
void merkle_append(struct merkle *m, struct sha *sha, const unsigned char leaf[MERKLE_HASH]);
void merkle_root(const struct merkle *m, unsigned char out[MERKLE_HASH]);
/* To and from bytes (size as 8 big-endian bytes, then the hashes); returns the length, or false on
 * a wrong length. */
size_t merkle_save(const struct merkle *m, unsigned char out[MERKLE_MAX_TEXT]);
bool merkle_load(struct merkle *m, const unsigned char *p, size_t n);
#endif
