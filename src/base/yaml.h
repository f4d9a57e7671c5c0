/* base/yaml.h - YAML by libyaml events into a struct val with the line and column of every value.
 * Refused: anchors, aliases, tags, second documents, duplicate keys, depth over 32, over 1 MiB.
 * Plain scalars follow the YAML 1.2 core schema (null, true/false, integers, floats); quoted ones
 * are strings. Stricter than the schema: a number with a leading zero (0101) must be quoted or
 * written without it, and integers beyond int64, .nan and .inf are errors. A key is its text (1:
 * and true: give "1" and "true"). No text: null. */
#ifndef BASE_YAML_H
#define BASE_YAML_H
#include "base/val.h"

/* `name` stands in errors: "packs/cases/types/case.yaml:14:3: duplicate key "label"". Errors:
 * ERR_SYNTAX, ERR_LIMIT, ERR_NOMEM. Columns count characters, not bytes. O(n log n). */
enum err_code yaml_parse(struct arena *a, const char *name, const char *p, size_t n,
                         const struct val **out, struct err *err) NODISCARD;
/* Reads a whole file first (ERR_NOT_FOUND, ERR_IO). */
enum err_code yaml_load(struct arena *a, const char *path, const struct val **out,
                        struct err *err) NODISCARD;
#endif
