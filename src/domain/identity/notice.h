/* domain/identity/notice.h - what the page tells a member of staff: a line of text in both
 * languages, beside a case or not. */
#ifndef DOMAIN_IDENTITY_NOTICE_H
#define DOMAIN_IDENTITY_NOTICE_H
#include "domain/identity/identity.h"

enum { NOTICE_TEXT = 400, NOTICE_KEEP_DAYS = 180 };

/* Tell one account (by name; a name that does not exist or is disabled is told nothing, and that is
 * no error). Beside the row a journal note of type "notice" {"account","kind","case"} says who was
 * told of what and when, and lets the event stream pass it on. kind: a short word such as
 * "dispatched". No personal values in the text. */
enum err_code notice_add(struct tx *tx, const char *account, const char *kind,
                         const char *case_code, struct text text, struct err *err) NODISCARD;
/* Tell every active account whose role has the permission. Costs what it tells, however many
 * accounts there are: one of thousands may be made in a command of hundreds. */
enum err_code notice_add_all(struct tx *tx, const struct pack_set *packs, enum permission perm,
                             const char *kind, struct text text, struct err *err) NODISCARD;

struct notice {
    int64_t id, at_us;
    const char *kind, *case_code; /* case_code "" when there is none */
    struct text text;
    bool is_read;
};
/* Newest first, those with an id below `before` (0: from the newest), at most max; arena-owned. */
enum err_code notice_list(struct db *db, int64_t account, int64_t before, size_t max,
                          struct arena *a, struct notice **out, size_t *n,
                          struct err *err) NODISCARD;
enum err_code notice_unread(struct db *db, int64_t account, int64_t *n, struct err *err) NODISCARD;
/* Mark as read all up to an id. */
enum err_code notice_mark_read(struct tx *tx, int64_t account, int64_t upto,
                               struct err *err) NODISCARD;
#endif
