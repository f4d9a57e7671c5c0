/* What the ledger reads from files that somebody may have prepared: checkpoints, verifier keys, row
 * images, table definitions. The first byte chooses the reader. */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/image.h"
#include "store/inside.h"
#include "store/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_note(const char *p, size_t n) {
    struct note_key key = {.name = "gezhi-ledger/test"};
    struct checkpoint cp;
    if (note_parse(p, n, &cp, NULL) == ERR_OK && (cp.size < 0 || cp.origin[0] == '\0')) abort();
    if (note_signed_by(p, n, &key)) abort(); /* nobody can sign for a key of zeros */
}

static void read_key(const char *p, size_t n) {
    char *text = malloc(n + 1), back[256];
    struct note_key key;
    if (text == NULL) abort();
    memcpy(text, p, n);
    text[n] = '\0';
    if (note_key_parse(text, &key, NULL) == ERR_OK) {
        note_key_text(&key, back);
        if (strncmp(back, text, strlen(back)) != 0) abort();
    }
    free(text);
}

static void read_image(const char *p, size_t n) {
    struct image_iter it = image_walk(p, n);
    struct image_member m;
    struct commitment c;
    int more;
    while ((more = image_next(&it, &m)) == 1) {
        if (m.key < p || m.key + m.key_n > p + n || m.value < p || m.value + m.value_n > p + n)
            abort();
        if (!image_is_json(m.value, m.value_n)) abort();
        if (image_commitment(&m, &c) && c.seq < 1) abort();
    }
    if (more == 0 && !image_is_json(p, n)) abort();
    (void)commitment_parse(p, n, &c);
}

static void read_schema(const char *p, size_t n) {
    struct arena *a = arena_new(1 << 20);
    const struct table *t = NULL;
    if (a == NULL) abort();
    if (schema_parse(a, "thing", 1, p, n, &t, NULL) == ERR_OK && t->n_cols == 0) abort();
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const readers[])(const char *, size_t) = {read_note, read_key, read_image,
                                                            read_schema};
    if (size == 0 || sodium_init() < 0) return 0;
    readers[data[0] % 4]((const char *)data + 1, size - 1);
    return 0;
}
