/* domain/measure/document.h - readers of a pack's document (indices, warnings): what is wrong is
 * told as "file:line: text". Texts borrow from the document. Pure. */
#ifndef DOMAIN_MEASURE_DOCUMENT_H
#define DOMAIN_MEASURE_DOCUMENT_H
#include "domain/pack/pack.h"

/* ERR_INVALID at a value: what, and the word found there (NULL: none). */
enum err_code document_fault(const struct pack_document *doc, const struct val *v, const char *what,
                             const char *found, struct err *err);
/* The same with what a typed reader said of a field of v ("low": expected a number), at the line of
 * that field where it stands; rc as it is. */
enum err_code document_said(const struct pack_document *doc, const struct val *v, enum err_code rc,
                            const struct err *why, struct err *err) NODISCARD;
/* A text of at most 1,000 bytes. */
enum err_code document_text(const struct pack_document *doc, const struct val *v, const char *key,
                            bool required, const char **out, struct err *err) NODISCARD;
/* A map with no keys but these (NULL-terminated). */
enum err_code document_known(const struct pack_document *doc, const struct val *v, const char *what,
                             const char *const *keys, struct err *err) NODISCARD;
/* {en: ..., zh: ...}, both. */
enum err_code document_title(const struct pack_document *doc, const struct val *v, const char *key,
                             struct text *out, struct err *err) NODISCARD;
#endif
