#include "store/merkle.h"

#include <sodium.h>
#include <string.h>

void merkle_init(struct merkle *m) {
    m->size = 0;
    m->n = 0;
}

void merkle_leaf(struct sha *sha, unsigned char *data, size_t n, unsigned char out[MERKLE_HASH]) {
    data[0] = 0;
    sha_of(sha, data, n, out);
}

static void join(struct sha *sha, const unsigned char *left, const unsigned char *right,
                 unsigned char *out) {
    unsigned char node[1 + 2 * MERKLE_HASH];
    node[0] = 1;
    memcpy(node + 1, left, MERKLE_HASH);
    memcpy(node + 1 + MERKLE_HASH, right, MERKLE_HASH);
    sha_of(sha, node, sizeof node, out);
}

void merkle_append(struct merkle *m, struct sha *sha, const unsigned char leaf[MERKLE_HASH]) {
    memcpy(m->h[m->n++], leaf, MERKLE_HASH);
    for (uint64_t s = m->size; (s & 1) != 0; s >>= 1) {
        join(sha, m->h[m->n - 2], m->h[m->n - 1], m->h[m->n - 2]);
        m->n--;
    }
    m->size++;
}

void merkle_root(const struct merkle *m, unsigned char out[MERKLE_HASH]) {
    if (m->n == 0) {
        (void)crypto_hash_sha256(out, NULL, 0);
        return;
    }
    memcpy(out, m->h[m->n - 1], MERKLE_HASH);
    for (unsigned i = m->n - 1; i-- > 0;) join(NULL, m->h[i], out, out);
}

size_t merkle_save(const struct merkle *m, unsigned char out[MERKLE_MAX_TEXT]) {
    for (unsigned i = 0; i < 8; i++) out[i] = (unsigned char)(m->size >> (56 - 8 * i));
    memcpy(out + 8, m->h, (size_t)m->n * MERKLE_HASH);
    return 8 + (size_t)m->n * MERKLE_HASH;
}

bool merkle_load(struct merkle *m, const unsigned char *p, size_t n) {
    merkle_init(m);
    if (n < 8) return false;
    for (unsigned i = 0; i < 8; i++) m->size = m->size << 8 | p[i];
    for (uint64_t s = m->size; s != 0; s &= s - 1) m->n++;
    if (n != 8 + (size_t)m->n * MERKLE_HASH) return false;
    memcpy(m->h, p + 8, n - 8);
    return true;
}
