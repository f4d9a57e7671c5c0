#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "domain/identity/inside.h"

void digest_of(const char *text, unsigned char out[DIGEST]) {
    (void)crypto_hash_sha256(out, (const unsigned char *)text, strlen(text));
}

void digest_hex(const unsigned char digest[DIGEST], char out[DIGEST_HEX]) {
    (void)sodium_bin2hex(out, DIGEST_HEX, digest, DIGEST);
}

void secret_cookie(char out[IDENTITY_COOKIE]) {
    unsigned char r[32];
    randombytes_buf(r, sizeof r);
    (void)sodium_bin2base64(out, IDENTITY_COOKIE, r, sizeof r,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(r, sizeof r);
}

void secret_token(const char *prefix, char out[IDENTITY_TOKEN]) {
    static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char r[52];
    size_t n = strlen(prefix);
    randombytes_buf(r, sizeof r); /* five bits of each byte are used: 260 bits */
    memcpy(out, prefix, n);
    for (size_t i = 0; i < sizeof r; i++) out[n++] = base32[r[i] & 31];
    out[n] = '\0';
    sodium_memzero(r, sizeof r);
}

int64_t secret_row_id(void) {
    uint64_t v = 0;
    while (v == 0) {
        randombytes_buf(&v, sizeof v);
        v >>= 11;
    }
    return (int64_t)v;
}
