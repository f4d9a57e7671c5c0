#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/merkle.h"

/* Inputs and roots of the reference tests of RFC 6962 (google/certificate-transparency,
 * merkle_tree_test.cc). */
static const char *const leaves[] = {"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static void published_roots(void **state) {
    (void)state;
    struct merkle m;
    struct sha *sha = sha_new();
    merkle_init(&m);
    for (size_t i = 0;; i++) {
        unsigned char root[32], data[33], leaf[32];
        char hex[65];
        size_t n = 0;
        merkle_root(&m, root);
        assert_string_equal(sodium_bin2hex(hex, sizeof hex, root, 32), roots[i]);
        assert_int_equal(m.size, i);
        if (i == 8) break;
        assert_int_equal(sodium_hex2bin(data + 1, 32, leaves[i], strlen(leaves[i]), NULL, &n, NULL),
                         0);
        merkle_leaf(sha, data, n + 1, leaf);
        merkle_append(&m, sha, leaf);
    }
    sha_free(sha);
}

/* MTH(D[n]) as RFC 6962 section 2.1 writes it, with k the largest power of two smaller than n. */
static void by_definition(unsigned char (*leaf)[32], size_t n, unsigned char out[32]) {
    unsigned char node[65] = {1};
    size_t k = 1;
    if (n == 1) {
        memcpy(out, leaf[0], 32);
        return;
    }
    while (k * 2 < n) k *= 2;
    by_definition(leaf, k, node + 1);
    by_definition(leaf + k, n - k, node + 33);
    (void)crypto_hash_sha256(out, node, sizeof node);
}

static void equals_the_definition(void **state) {
    (void)state;
    enum { N = 300 };
    unsigned char(*leaf)[32] = calloc(N, 32), a[32], b[32], saved[MERKLE_MAX_TEXT];
    struct merkle m, again;
    struct sha *sha = sha_new();
    merkle_init(&m);
    for (size_t i = 0; i < N; i++) {
        randombytes_buf_deterministic(
            leaf[i], 32, (const unsigned char[32]){(unsigned char)i, (unsigned char)(i >> 8)});
        merkle_append(&m, i % 2 == 0 ? sha : NULL, leaf[i]);
        merkle_root(&m, a);
        by_definition(leaf, i + 1, b);
        assert_memory_equal(a, b, 32);
        size_t n = merkle_save(&m, saved);
        assert_true(merkle_load(&again, saved, n));
        merkle_root(&again, b);
        assert_memory_equal(a, b, 32);
        assert_false(merkle_load(&again, saved, n - 1));
        assert_false(merkle_load(&again, saved, 3));
    }
    free(leaf);
    sha_free(sha);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_roots),
                                       cmocka_unit_test(equals_the_definition)};
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
