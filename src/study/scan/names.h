/* study/scan/names.h - texts numbered from 0 in the order in which they were first seen. One thread
 * at a time. */
#ifndef STUDY_SCAN_NAMES_H
#define STUDY_SCAN_NAMES_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { NAMES_NONE = -1 };

struct names {
    struct arena *arena; /* owns everything */
    size_t n;
    const char **text; /* n; copies */
    uint32_t *slot;    /* hash table of number + 1, 0 empty; n_slot is a power of two > 1.5 n */
    size_t n_slot, cap;
};

void names_init(struct names *names, struct arena *a);
/* The number of a text, which is added (copied) when new. Errors: ERR_NOMEM, ERR_LIMIT (2^31). */
enum err_code names_add(struct names *names, const char *text, uint32_t *number,
                        struct err *err) NODISCARD;
/* The number, or NAMES_NONE. */
int64_t names_find(const struct names *names, const char *text);
#endif
