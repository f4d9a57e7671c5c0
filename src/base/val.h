/* base/val.h - one value tree for JSON and YAML: what a reader of outside bytes hands to the
 * domain. Arena-owned, immutable once built, so any thread may read it. */
#ifndef BASE_VAL_H
#define BASE_VAL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum val_type { VAL_NULL, VAL_BOOL, VAL_INT, VAL_DOUBLE, VAL_STR, VAL_LIST, VAL_MAP };

struct val {
    enum val_type type;
    int line, col; /* 1-based position in a YAML file; 0 for JSON */
    size_t n;      /* bytes of the string, or number of children */
    union {
        bool b;
        int64_t i;
        double d;             /* finite */
        const char *s;        /* UTF-8, NUL-terminated, no NUL inside */
        struct val *list;     /* n items */
        struct val_pair *map; /* n pairs in source order, keys unique */
    } u;
};

struct val_pair {
    const char *key;
    int line, col; /* of the key */
    struct val v;
};

/* The value of a key of a map, or NULL (also when v is NULL or no map). */
const struct val *val_get(const struct val *v, const char *key);

/* Typed readers of a map's member. When `required` is false and the key is absent or null, *out
 * keeps the caller's default. Errors: ERR_INVALID naming the pointer "/key", what was found and
 * what was expected. An integer is taken where a double is asked for. Strings longer than max bytes
 * are refused. *out borrows from the tree. */
enum err_code val_str(const struct val *map, const char *key, bool required, size_t max,
                      const char **out, struct err *err) NODISCARD;
enum err_code val_int(const struct val *map, const char *key, bool required, int64_t min,
                      int64_t max, int64_t *out, struct err *err) NODISCARD;
enum err_code val_double(const struct val *map, const char *key, bool required, double min,
                         double max, double *out, struct err *err) NODISCARD;
enum err_code val_bool(const struct val *map, const char *key, bool required, bool *out,
                       struct err *err) NODISCARD;
/* Refuse any key not in the NULL-terminated list `known`, with a did-you-mean. */
enum err_code val_only(const struct val *map, const char *const *known, struct err *err) NODISCARD;
/* The nearest of the NULL-terminated candidates by edit distance (<= 2), or NULL. */
const char *val_nearest(const char *word, const char *const *candidates);
const char *val_type_name(enum val_type t);
#endif
