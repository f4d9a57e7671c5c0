#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "store/note.h"

/* The example of the signed-note format in the documentation of golang.org/x/mod/sumdb/note. */
static const char verifier[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char signed_text[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static void published_example(void **state) {
    (void)state;
    struct note_key key;
    char text[256], changed[sizeof signed_text];
    assert_int_equal(note_key_parse(verifier, &key, NULL), ERR_OK);
    assert_string_equal(key.name, "PeterNeumann");
    note_key_text(&key, text);
    assert_string_equal(text, verifier);
    assert_true(note_signed_by(signed_text, sizeof signed_text - 1, &key));
    for (size_t i = 0; i < 90; i++) { /* any changed byte of the text breaks it */
        memcpy(changed, signed_text, sizeof changed);
        changed[i] = (char)(changed[i] ^ 1);
        assert_false(note_signed_by(changed, sizeof changed - 1, &key));
    }
}

static struct note_key a_key(unsigned char seed_byte) {
    struct note_key key = {.name = "gezhi-ledger/test"};
    unsigned char seed[32] = {seed_byte};
    (void)crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    return key;
}

static void sign_and_parse(void **state) {
    (void)state;
    struct note_key key = a_key(1), other = a_key(2);
    unsigned char root[32] = {7};
    char out[NOTE_MAX], head[128];
    struct checkpoint cp;
    note_sign(&key, 20852163, root, out);
    (void)snprintf(
        head, sizeof head,
        "gezhi-ledger/test\n20852163\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 "
        "gezhi-ledger/test ");
    assert_memory_equal(out, head, strlen(head));
    assert_int_equal(note_parse(out, strlen(out), &cp, NULL), ERR_OK);
    assert_string_equal(cp.origin, key.name);
    assert_int_equal(cp.size, 20852163);
    assert_memory_equal(cp.root, root, 32);
    assert_true(note_signed_by(out, strlen(out), &key));
    assert_false(note_signed_by(out, strlen(out), &other));
}

static void bad_texts(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "a\n1\n",
        "a\n1\nAAAA\n",
        "\n1\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n01\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n-1\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n1e3\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n99999999999999999999\nBwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"};
    static const char *const bad_keys[] = {
        "",
        "+",
        "name",
        "name+12345678",
        "name+12345678+AAAA",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"};
    struct checkpoint cp;
    struct note_key key = a_key(1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(note_parse(bad[i], strlen(bad[i]), &cp, NULL), ERR_SYNTAX);
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++)
        assert_int_equal(note_key_parse(bad_keys[i], &key, NULL), ERR_SYNTAX);
}

/* Random damage never crashes and never passes. */
static void random_damage(void **state) {
    (void)state;
    struct note_key key = a_key(3);
    unsigned char root[32] = {9};
    char good[NOTE_MAX], b[NOTE_MAX];
    struct rng r = rng_new(7, 1);
    note_sign(&key, 12, root, good);
    size_t n = strlen(good);
    for (int i = 0; i < 20000; i++) {
        memcpy(b, good, n + 1);
        size_t at = rng_below(&r, (uint32_t)n);
        b[at] = (char)rng_below(&r, 256);
        size_t len = rng_below(&r, 4) == 0 ? rng_below(&r, (uint32_t)n) : n;
        struct checkpoint cp;
        bool parsed = note_parse(b, len, &cp, NULL) == ERR_OK;
        bool same = len == n && b[at] == good[at];
        if (!same && note_signed_by(b, len, &key)) {
            /* What is signed was not touched, so it must still read the same. */
            assert_true(parsed);
            assert_int_equal(cp.size, 12);
            assert_memory_equal(cp.root, root, 32);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_example), cmocka_unit_test(sign_and_parse),
        cmocka_unit_test(bad_texts), cmocka_unit_test(random_damage)};
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
