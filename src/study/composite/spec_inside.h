/* study/composite/spec_inside.h - reading values of the spec with their place in errors. */
#ifndef STUDY_COMPOSITE_SPEC_INSIDE_H
#define STUDY_COMPOSITE_SPEC_INSIDE_H
#include "study/composite/index.h"

/* The member of a map, or NULL when absent or null. */
const struct val *spec_member(const struct val *map, const char *key);
/* v (may be NULL) is a map with no other keys than those of the NULL-terminated list. */
enum err_code spec_map(const struct index_reader *r, const struct val *v, const char *const *known,
                       struct err *err) NODISCARD;
/* Members with a default in *out when absent. */
enum err_code spec_number(const struct index_reader *r, const struct val *map, const char *key,
                          double min, double max, double *out, struct err *err) NODISCARD;
enum err_code spec_bool(const struct index_reader *r, const struct val *map, const char *key,
                        bool *out, struct err *err) NODISCARD;
/* A word of the NULL-terminated list, as its index. */
enum err_code spec_word(const struct index_reader *r, const struct val *v, const char *const *words,
                        int *out, struct err *err) NODISCARD;
enum err_code spec_member_word(const struct index_reader *r, const struct val *map, const char *key,
                               const char *const *words, int *out, struct err *err) NODISCARD;
/* A list of n numbers; a number may be written as a fraction in text, "1/3". */
enum err_code spec_numbers(const struct index_reader *r, const struct val *v, size_t n, double *out,
                           struct err *err) NODISCARD;
enum err_code spec_value(const struct index_reader *r, const struct val *v, double *out,
                         struct err *err) NODISCARD;
/* Index of a node by code; indicators only, or any node. */
enum err_code spec_node(const struct index_reader *r, const struct val_pair *p, bool indicator,
                        size_t *out, struct err *err) NODISCARD;
enum err_code spec_no_memory(const struct index_reader *r, struct err *err) NODISCARD;
#endif
