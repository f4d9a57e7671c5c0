#include "store/sha.h"

#include <sodium.h>

#ifdef STORE_OPENSSL
#include <openssl/evp.h>

#include "base/mem.h"

struct sha {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct sha *sha_new(void) {
    struct sha *s = mem_new(1, sizeof *s);
    if (s == NULL) return NULL;
    s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->ctx = EVP_MD_CTX_new();
    if (s->md != NULL && s->ctx != NULL) return s;
    sha_free(s);
    return NULL;
}

void sha_free(struct sha *s) {
    if (s == NULL) return;
    EVP_MD_CTX_free(s->ctx);
    EVP_MD_free(s->md);
    mem_free(s);
}

void sha_of(struct sha *s, const void *p, size_t n, unsigned char out[32]) {
    if (s != NULL && EVP_DigestInit_ex2(s->ctx, s->md, NULL) == 1 &&
        EVP_DigestUpdate(s->ctx, p, n) == 1 && EVP_DigestFinal_ex(s->ctx, out, NULL) == 1)
        return;
    (void)crypto_hash_sha256(out, p, n);
}
#else
struct sha *sha_new(void) {
    return NULL;
}
void sha_free(struct sha *s) { (void)s; }
void sha_of(struct sha *s, const void *p, size_t n, unsigned char out[32]) {
    (void)s;
    (void)crypto_hash_sha256(out, p, n);
}
#endif
