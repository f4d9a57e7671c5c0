/* store/note.h - signed checkpoints and the keys that sign them.
 * Sources: C2SP signed-note (key name, 4-byte key hash, algorithm byte 1 = Ed25519) and C2SP
 * tlog-checkpoint (origin, size, base64 root). Pure but for keys_load and keys_make; safe from any
 * thread. */
#ifndef STORE_NOTE_H
#define STORE_NOTE_H
#include "base/err.h"

#include <stdint.h>

enum { NOTE_MAX = 1024, NOTE_NAME_MAX = 80, NOTE_PUBLIC = 32, NOTE_SECRET = 64 };

struct note_key {
    char name[NOTE_NAME_MAX]; /* also the origin: "gezhi-ledger/" + 32 hex, chosen at creation */
    unsigned char public_key[NOTE_PUBLIC];
    unsigned char secret_key[NOTE_SECRET]; /* all zero in a verifier */
};
struct keys {
    struct note_key signer;
    unsigned char secret[32]; /* the server's, for MACs */
};
struct checkpoint {
    char origin[NOTE_NAME_MAX];
    int64_t size;
    unsigned char root[32];
};

/* The signed text of a checkpoint into out. */
void note_sign(const struct note_key *key, int64_t size, const unsigned char root[32],
               char out[NOTE_MAX]);
/* Read the three lines of a signed checkpoint. ERR_SYNTAX. */
enum err_code note_parse(const char *text, size_t n, struct checkpoint *out,
                         struct err *err) NODISCARD;
/* Whether one of its signatures was made by the key. */
bool note_signed_by(const char *text, size_t n, const struct note_key *key);
/* The verifier key as text, name+hash+base64 (C2SP signed-note), and back: ERR_SYNTAX. */
void note_key_text(const struct note_key *key, char out[256]);
enum err_code note_key_parse(const char *text, struct note_key *out, struct err *err) NODISCARD;

/* DIR/keys: signing (private), verifier (public), secret. Makes what is missing; `name` is used
 * when there is no signing key. Errors: as file_write. */
enum err_code keys_make(const char *dir, const char *name, struct err *err) NODISCARD;
/* ERR_NOT_FOUND, ERR_CORRUPT. */
enum err_code keys_load(const char *dir, struct keys *out, struct err *err) NODISCARD;
#endif
