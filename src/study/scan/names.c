#include "study/scan/names.h"

#include <string.h>

#include "base/hash.h"

void names_init(struct names *names, struct arena *a) { *names = (struct names){.arena = a}; }

/* The slot that holds the text, or the empty one in which it would stand. */
static size_t probe(const struct names *names, const char *text) {
    size_t mask = names->n_slot - 1;
    size_t at = (size_t)hash_xxh64(text, strlen(text), 0) & mask;
    while (names->slot[at] != 0 && strcmp(names->text[names->slot[at] - 1], text) != 0)
        at = (at + 1) & mask;
    return at;
}

int64_t names_find(const struct names *names, const char *text) {
    if (names->n_slot == 0) return NAMES_NONE;
    return (int64_t)names->slot[probe(names, text)] - 1;
}

static enum err_code grow(struct names *names, struct err *err) {
    size_t cap = names->cap == 0 ? 64 : 2 * names->cap;
    if (cap > (size_t)1 << 31) return err_fail(err, ERR_LIMIT, "more than 2^31 names");
    const char **text = ARENA_NEW(names->arena, const char *, cap);
    uint32_t *slot = ARENA_NEW(names->arena, uint32_t, 2 * cap);
    if (text == NULL || slot == NULL) return err_fail(err, ERR_NOMEM, "%zu names", cap);
    if (names->n > 0) memcpy(text, names->text, names->n * sizeof *text);
    names->text = text;
    names->slot = slot;
    names->cap = cap;
    names->n_slot = 2 * cap;
    for (size_t i = 0; i < names->n; i++) slot[probe(names, text[i])] = (uint32_t)i + 1;
    return ERR_OK;
}

enum err_code names_add(struct names *names, const char *text, uint32_t *number, struct err *err) {
    int64_t found = names_find(names, text);
    if (found != NAMES_NONE) {
        *number = (uint32_t)found;
        return ERR_OK;
    }
    if (names->n == names->cap) TRY(grow(names, err));
    const char *copy = arena_strdup(names->arena, text);
    if (copy == NULL) return err_fail(err, ERR_NOMEM, "%zu names", names->n + 1);
    names->slot[probe(names, text)] = (uint32_t)names->n + 1;
    names->text[names->n] = copy;
    *number = (uint32_t)names->n++;
    return ERR_OK;
}
