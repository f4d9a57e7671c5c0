/* domain/briefing/store.h - briefings as they were formed: drafts, and those a person signed off.
 * A signed one never changes; a newer one of the same period takes its place. */
#ifndef DOMAIN_BRIEFING_STORE_H
#define DOMAIN_BRIEFING_STORE_H
#include "domain/briefing/briefing.h"
#include "domain/identity/identity.h"

enum briefing_state { /* stored; never renumbered */
                      BRIEFING_DRAFT = 1,
                      BRIEFING_SIGNED = 2,
                      BRIEFING_WITHDRAWN = 3
};
const char *briefing_state_name(enum briefing_state s); /* "draft" "signed" "withdrawn" */
int briefing_state_parse(const char *text);             /* -1: another word */

enum { BRIEFING_NOTE = 500 };
/* Texts are arena-owned, "" when absent. */
struct briefing_row {
    int64_t id, version, data_seq, formed_at_us, signed_at_us; /* signed_at_us 0: not signed */
    const char *index, *kind, *period, *area, *hash, *formed_by, *signed_by, *note;
    enum briefing_state state;
    struct text title;    /* of the document */
    struct text sentence; /* its first */
    const char *document; /* NULL in lists */
    size_t document_n;
};
/* Errors: ERR_NOT_FOUND. */
enum err_code briefing_get(struct db *db, int64_t ledger, int64_t id, struct arena *a,
                           struct briefing_row *out, struct err *err) NODISCARD;
/* Newest first, below the id `before` (0: from the newest). kind, area, period: NULL for any;
 * state 0: any. drafts false: only what was signed. */
struct briefing_filter {
    const char *kind, *area, *period;
    int state;
    bool drafts;
    int64_t before;
    size_t max;
};
enum err_code briefing_list(struct db *db, int64_t ledger, const struct briefing_filter *f,
                            struct arena *a, struct briefing_row **out, size_t *n,
                            struct err *err) NODISCARD;
/* Whether any briefing of the area and period was ever formed. */
enum err_code briefing_exists(struct db *db, int64_t ledger, const char *index, const char *area,
                              const char *period, bool *out, struct err *err) NODISCARD;

/* Commands; each may run twice.
 * "briefing.form": keeps a draft; an older draft of the same area and period gives way to it, and
 * when its document says the same nothing is written. */
struct briefing_keep {
    const struct pack_set *packs;
    const char *index, *kind, *period, *area, *document;
    size_t document_n;
    int64_t data_seq;
    bool tell;  /* those who sign are told that it waits */
    int64_t id; /* set */
    bool is_new;
};
enum err_code briefing_keep_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
/* "briefing.sign": sent to everyone who reads briefings. hash: what the person saw; another one is
 * ERR_STALE. Errors: ERR_NOT_FOUND, ERR_STALE, ERR_CONFLICT (not a draft any more). An older signed
 * one of the same area and period is withdrawn. */
struct briefing_act {
    const struct pack_set *packs;
    int64_t id;
    const char *by, *hash, *note; /* note: a remark, or why it is withdrawn; NULL: none */
};
enum err_code briefing_sign_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
/* "briefing.withdraw": a draft or a signed one. Errors: ERR_NOT_FOUND, ERR_CONFLICT. */
enum err_code briefing_withdraw_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
#endif
