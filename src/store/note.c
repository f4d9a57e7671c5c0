#include "store/note.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/os.h"

enum { B64 = sodium_base64_VARIANT_ORIGINAL, ALGORITHM_ED25519 = 1, SEED = 32, PATH_LEN = 4096 };
#define SIGNATURE_MARK "\xe2\x80\x94 " /* an em dash and a space, as signed-note wants */

/* SHA-256(name || 0x0A || algorithm || public key)[:4], big-endian (signed-note). */
static void key_hash(const struct note_key *key, unsigned char out[4]) {
    unsigned char in[NOTE_NAME_MAX + 2 + NOTE_PUBLIC], h[32];
    size_t n = strlen(key->name);
    memcpy(in, key->name, n);
    in[n] = '\n';
    in[n + 1] = ALGORITHM_ED25519;
    memcpy(in + n + 2, key->public_key, NOTE_PUBLIC);
    (void)crypto_hash_sha256(h, in, n + 2 + NOTE_PUBLIC);
    memcpy(out, h, 4);
}

void note_sign(const struct note_key *key, int64_t size, const unsigned char root[32],
               char out[NOTE_MAX]) {
    char root64[64], sig64[128];
    unsigned char signature[4 + crypto_sign_BYTES];
    (void)sodium_bin2base64(root64, sizeof root64, root, 32, B64);
    int n = snprintf(out, NOTE_MAX, "%s\n%" PRId64 "\n%s\n", key->name, size, root64);
    app_assert(n > 0 && n < NOTE_MAX - 300);
    key_hash(key, signature);
    (void)crypto_sign_detached(signature + 4, NULL, (unsigned char *)out, (unsigned long long)n,
                               key->secret_key);
    (void)sodium_bin2base64(sig64, sizeof sig64, signature, sizeof signature, B64);
    (void)snprintf(out + n, NOTE_MAX - (size_t)n, "\n" SIGNATURE_MARK "%s %s\n", key->name, sig64);
}

static const char *line_end(const char *p, const char *end) {
    return p >= end ? NULL : memchr(p, '\n', (size_t)(end - p));
}

enum err_code note_parse(const char *text, size_t n, struct checkpoint *out, struct err *err) {
    const char *end = text + n, *origin = text;
    const char *e1 = line_end(origin, end), *e2 = e1 == NULL ? NULL : line_end(e1 + 1, end);
    const char *e3 = e2 == NULL ? NULL : line_end(e2 + 1, end);
    if (n >= (size_t)NOTE_MAX * 4 || e3 == NULL)
        return err_fail(err, ERR_SYNTAX, "a checkpoint has at least three lines");
    size_t n_origin = (size_t)(e1 - origin), n_size = (size_t)(e2 - e1 - 1);
    if (n_origin == 0 || n_origin >= sizeof out->origin)
        return err_fail(err, ERR_SYNTAX, "checkpoint: no valid origin in line 1");
    for (size_t i = 0; i < n_origin; i++) {
        if ((unsigned char)origin[i] < 0x20 || origin[i] == 0x7f)
            return err_fail(err, ERR_SYNTAX, "checkpoint: no valid origin in line 1");
    }
    memcpy(out->origin, origin, n_origin);
    out->origin[n_origin] = '\0';
    int64_t size = 0;
    if (n_size == 0 || n_size > 18)
        return err_fail(err, ERR_SYNTAX, "checkpoint: no valid size in line 2");
    for (const char *s = e1 + 1; s < e2; s++) {
        if (*s < '0' || *s > '9' || (*s == '0' && s == e1 + 1 && n_size > 1))
            return err_fail(err, ERR_SYNTAX, "checkpoint: no valid size in line 2");
        size = size * 10 + (*s - '0');
    }
    out->size = size;
    size_t got = 0;
    if (sodium_base642bin(out->root, 32, e2 + 1, (size_t)(e3 - e2 - 1), NULL, &got, NULL, B64) !=
            0 ||
        got != 32)
        return err_fail(err, ERR_SYNTAX, "checkpoint: no valid root hash in line 3");
    return ERR_OK;
}

/* One line "- name base64": whether it is by the key over the text before the empty line. */
static bool signature_matches(const char *line, size_t n, const char *text, size_t n_text,
                              const struct note_key *key) {
    size_t mark = sizeof SIGNATURE_MARK - 1, n_name = strlen(key->name);
    if (n <= mark + n_name + 1 || memcmp(line, SIGNATURE_MARK, mark) != 0) return false;
    line += mark;
    n -= mark;
    if (memcmp(line, key->name, n_name) != 0 || line[n_name] != ' ') return false;
    unsigned char sig[4 + crypto_sign_BYTES], hash[4];
    size_t got = 0;
    if (sodium_base642bin(sig, sizeof sig, line + n_name + 1, n - n_name - 1, NULL, &got, NULL,
                          B64) != 0)
        return false;
    key_hash(key, hash);
    if (got != sizeof sig || memcmp(sig, hash, 4) != 0) return false;
    return crypto_sign_verify_detached(sig + 4, (const unsigned char *)text, n_text,
                                       key->public_key) == 0;
}

bool note_signed_by(const char *text, size_t n, const struct note_key *key) {
    const char *end = text + n, *gap = NULL;
    for (const char *p = text; p + 1 < end; p++) {
        if (p[0] == '\n' && p[1] == '\n') gap = p;
    }
    if (gap == NULL) return false;
    size_t n_text = (size_t)(gap + 1 - text);
    for (const char *p = gap + 2; p < end;) {
        const char *e = line_end(p, end);
        if (e == NULL) return false;
        if (signature_matches(p, (size_t)(e - p), text, n_text, key)) return true;
        p = e + 1;
    }
    return false;
}

void note_key_text(const struct note_key *key, char out[256]) {
    unsigned char hash[4], data[1 + NOTE_PUBLIC] = {ALGORITHM_ED25519};
    char b64[64];
    memcpy(data + 1, key->public_key, NOTE_PUBLIC);
    key_hash(key, hash);
    (void)sodium_bin2base64(b64, sizeof b64, data, sizeof data, B64);
    (void)snprintf(out, 256, "%s+%02x%02x%02x%02x+%s", key->name, hash[0], hash[1], hash[2],
                   hash[3], b64);
}

/* "name+hash+base64(1 || 32 bytes)" where the name holds no plus sign. */
static enum err_code split_key(const char *text, char name[NOTE_NAME_MAX], unsigned char data[32],
                               struct err *err) {
    const char *plus = strchr(text, '+');
    size_t n_name = plus == NULL ? 0 : (size_t)(plus - text), got = 0;
    unsigned char raw[33];
    if (n_name == 0 || n_name >= NOTE_NAME_MAX || strlen(plus) < 11 || plus[9] != '+')
        return err_fail(err, ERR_SYNTAX, "not a key of the form name+hash+base64");
    size_t n64 = strcspn(plus + 10, "\r\n");
    if (sodium_base642bin(raw, sizeof raw, plus + 10, n64, NULL, &got, NULL, B64) != 0 ||
        got != 33 || raw[0] != ALGORITHM_ED25519)
        return err_fail(err, ERR_SYNTAX, "not an Ed25519 key");
    memcpy(name, text, n_name);
    name[n_name] = '\0';
    memcpy(data, raw + 1, 32);
    sodium_memzero(raw, sizeof raw);
    return ERR_OK;
}

enum err_code note_key_parse(const char *text, struct note_key *out, struct err *err) {
    *out = (struct note_key){.name = ""};
    TRY(split_key(text, out->name, out->public_key, err));
    unsigned char hash[4];
    char hex[9];
    key_hash(out, hash);
    (void)snprintf(hex, sizeof hex, "%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3]);
    if (memcmp(text + strlen(out->name) + 1, hex, 8) != 0)
        return err_fail(err, ERR_SYNTAX, "the key does not match its hash");
    return ERR_OK;
}

static enum err_code key_path(const char *dir, const char *name, char out[PATH_LEN],
                              struct err *err) {
    int n = snprintf(out, PATH_LEN, "%s/keys/%s", dir, name);
    return n > 0 && n < PATH_LEN ? ERR_OK
                                 : err_fail(err, ERR_INVALID, "the folder's path is too long");
}

static enum err_code write_if_absent(const char *dir, const char *name, const char *text,
                                     unsigned mode, struct err *err) {
    char path[PATH_LEN];
    TRY(key_path(dir, name, path, err));
    struct stat st;
    if (stat(path, &st) == 0) return ERR_OK;
    return file_write(path, text, strlen(text), mode, err);
}

#define PRIVATE_MARK "PRIVATE+KEY+"

static enum err_code read_text(const char *dir, const char *name, char *out, size_t max,
                               struct err *err) {
    char path[PATH_LEN];
    TRY(key_path(dir, name, path, err));
    struct buf b;
    buf_init(&b, max - 1);
    enum err_code rc = file_read(path, &b, err);
    if (rc == ERR_OK) {
        memcpy(out, buf_text(&b), b.n);
        out[b.n] = '\0';
    }
    if (b.p != NULL) sodium_memzero(b.p, b.n);
    buf_deinit(&b);
    return rc;
}

static enum err_code load_signer(const char *dir, struct note_key *key, struct err *err) {
    char text[512];
    unsigned char seed[SEED];
    TRY(read_text(dir, "signing", text, sizeof text, err));
    enum err_code rc = ERR_CORRUPT;
    if (strncmp(text, PRIVATE_MARK, sizeof PRIVATE_MARK - 1) == 0)
        rc = split_key(text + sizeof PRIVATE_MARK - 1, key->name, seed, NULL);
    if (rc == ERR_OK) (void)crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    sodium_memzero(text, sizeof text);
    sodium_memzero(seed, sizeof seed);
    return rc == ERR_OK ? ERR_OK
                        : err_fail(err, ERR_CORRUPT, "%s/keys/signing holds no signing key", dir);
}

static enum err_code make_signer(const char *dir, const char *name, struct err *err) {
    struct note_key key = {.name = ""};
    unsigned char seed[SEED], data[1 + SEED] = {ALGORITHM_ED25519}, hash[4];
    char text[512], b64[64];
    app_assert(strlen(name) < sizeof key.name);
    memcpy(key.name, name, strlen(name));
    randombytes_buf(seed, sizeof seed);
    (void)crypto_sign_seed_keypair(key.public_key, key.secret_key, seed);
    memcpy(data + 1, seed, SEED);
    key_hash(&key, hash);
    (void)sodium_bin2base64(b64, sizeof b64, data, sizeof data, B64);
    (void)snprintf(text, sizeof text, PRIVATE_MARK "%s+%02x%02x%02x%02x+%s\n", name, hash[0],
                   hash[1], hash[2], hash[3], b64);
    enum err_code rc = write_if_absent(dir, "signing", text, 0600, err);
    sodium_memzero(seed, sizeof seed);
    sodium_memzero(data, sizeof data);
    sodium_memzero(text, sizeof text);
    sodium_memzero(&key, sizeof key);
    return rc;
}

enum err_code keys_make(const char *dir, const char *name, struct err *err) {
    char path[PATH_LEN], text[256];
    TRY(key_path(dir, "", path, err));
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return os_fail(err, "cannot make", path);
    unsigned char secret[32];
    char hex[65];
    randombytes_buf(secret, sizeof secret);
    (void)sodium_bin2hex(hex, sizeof hex, secret, sizeof secret);
    TRY(write_if_absent(dir, "secret", hex, 0600, err));
    sodium_memzero(hex, sizeof hex);
    TRY(make_signer(dir, name, err));
    struct note_key key;
    TRY(load_signer(dir, &key, err));
    note_key_text(&key, text);
    sodium_memzero(&key, sizeof key);
    return write_if_absent(dir, "verifier", text, 0644, err);
}

enum err_code keys_load(const char *dir, struct keys *out, struct err *err) {
    *out = (struct keys){.signer = {.name = ""}};
    TRY(load_signer(dir, &out->signer, err));
    char hex[80];
    size_t got = 0;
    TRY(read_text(dir, "secret", hex, sizeof hex, err));
    if (sodium_hex2bin(out->secret, sizeof out->secret, hex, strlen(hex), "\n", &got, NULL) != 0 ||
        got != sizeof out->secret)
        return err_fail(err, ERR_CORRUPT, "%s/keys/secret does not hold 64 hex digits", dir);
    sodium_memzero(hex, sizeof hex);
    return ERR_OK;
}
