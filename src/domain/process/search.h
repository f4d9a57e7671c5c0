/* domain/process/search.h - full-text search over cases: a follower keeps an index of code, place,
 * text and class, in which two Chinese characters are enough. Personal text is in it, so an erased
 * value leaves it as well. */
#ifndef DOMAIN_PROCESS_SEARCH_H
#define DOMAIN_PROCESS_SEARCH_H
#include "domain/process/engine.h"

/* Make the index when it is missing and start the follower "search". */
enum err_code search_start(const struct engine *e, struct ledger *l, struct err *err) NODISCARD;
/* Append "<alias>id IN (rows that hold every word of q)"; false and nothing appended when q has no
 * word. */
bool search_where(struct sql *s, const char *q, struct arena *a);
#endif
