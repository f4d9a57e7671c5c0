/* base/utf8.h - UTF-8 text: checking, walking, and the search tokens of Chinese and other text.
 * Pure; safe from any thread. Source: Unicode 15, table 3-7 (well-formed sequences). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Whether n bytes are well-formed UTF-8 (no surrogates, no overlong forms, nothing over U+10FFFF).
 * O(n). */
bool utf8_valid(const char *p, size_t n);
/* The code point that begins at p (n bytes left): its length in bytes, 1..4, or 0 when n is 0 or
 * the bytes are not well-formed; *cp is set only when it is not 0. */
size_t utf8_next(const char *p, size_t n, uint32_t *cp);
/* Writes cp (a valid scalar value) into out; returns its length, 1..4, or 0 when it is none. */
size_t utf8_encode(uint32_t cp, char out[4]);
/* Number of code points; a byte that is not well-formed counts as one. */
size_t utf8_count(const char *p, size_t n);
/* Length of the longest prefix of at most max bytes that cuts no code point. */
size_t utf8_clip(const char *p, size_t n, size_t max);
/* Columns that n bytes take on a terminal: a CJK character takes two. */
size_t utf8_columns(const char *p, size_t n);
/* Han, kana, bopomofo and hangul: written without spaces between words. */
bool utf8_is_cjk(uint32_t cp);
/* Simple lower case of Latin, Greek and Cyrillic letters; full-width forms become ASCII. Others
 * come back as they are. */
uint32_t utf8_fold(uint32_t cp);

/* Append the search tokens of the text to out, separated (also from what stands before) by one
 * space: overlapping pairs for a run of CJK characters ("井盖坏" gives "井盖 盖坏"; a run of one
 * gives itself), folded words for runs of letters and digits. The same function makes the tokens of
 * a query. Punctuation and bad bytes separate. Errors stick in the buf. O(n); appends at most 4 n
 * bytes. */
void utf8_bigrams(struct buf *out, const char *p, size_t n);
#endif
