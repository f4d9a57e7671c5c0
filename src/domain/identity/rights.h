/* domain/identity/rights.h - which rows a person may see: said once for the query and once for a
 * row, and proved equal by a property test. Default deny: a stranger, an account without the
 * permission, an area that does not exist, a unit role without a unit, a worker without a post:
 * nothing.
 *
 *   scope       rows seen
 *   none        none
 *   own cells   the cell is one of those held or covered now
 *   unit        the unit is the account's, within its area when it has one
 *   area        the subtree of the account's area; no area: the whole ledger
 *   all         the whole ledger
 * Of these, a row of a private class only if the role may see private ones, or if the account
 * itself must act on it (holder). A task (a warning, a supervision) is private, but seen with
 * warning.read instead of the role's right to private rows. */
#ifndef DOMAIN_IDENTITY_RIGHTS_H
#define DOMAIN_IDENTITY_RIGHTS_H
#include "domain/identity/identity.h"
#include "store/sql.h"

/* The columns that decide: codes and the holder's account name; "" or NULL when the case has none.
 */
struct rights_case {
    const char *county, *town, *community, *cell, *unit, *holder;
    bool is_private; /* true also when it is not known */
    bool is_task;    /* its class is of the kind "task" */
};
/* Pure; any thread. */
bool rights_case_may(const struct principal *p, const struct rights_case *c);

/* Append one parenthesised condition over the case table's columns, such as (c."county" = ?3 AND
 * c."private" = 0), true of exactly the rows for which rights_case_may is. `alias` is "" or a
 * literal such as "c.". The scope is a plain equality (or IN) on one column, so that a scoped,
 * sorted list is one index walk. Errors stick in s. The principal is borrowed until the query has
 * run. */
void rights_case_where(const struct principal *p, const struct table *t, const char *alias,
                       struct sql *s);

/* Append one parenthesised condition over the class: tasks alone, or everything but tasks. */
void rights_tasks_where(const struct table *t, const char *alias, bool tasks, struct sql *s);

/* Open one personal or sensitive value for a stated purpose (3..200 characters). Asked for:
 * permission case.contact, the role's `personal` (`sensitive` for a sensitive field). Leaves a
 * journal note "view" with the table, row, column and purpose, which the auditor and the person
 * concerned can be shown. The caller has checked that the row itself may be seen; `commit` is the
 * cell as tx_get gave it. Errors: ERR_FORBIDDEN, ERR_INVALID (/purpose), ERR_NOT_FOUND (no such
 * column). *out: arena-owned; a null cell when it is empty or was erased. */
enum err_code rights_open_personal(struct tx *tx, const struct principal *p,
                                   const struct type_def *type, int64_t id, const char *column,
                                   const struct cell *commit, const char *purpose, struct cell *out,
                                   struct err *err) NODISCARD;

/* The administrators are apart: a role that manages accounts, that manages sessions, or that reads
 * the audit list has only one of the three and no permission over cases and no case scope.
 * ERR_INVALID names the role. */
enum err_code rights_check_roles(const struct pack_set *packs, struct err *err) NODISCARD;
/* Bits of enum permission of a role; grants that are no permission count nothing (the pack loader
 * has refused them). */
uint64_t rights_grants(const struct role_def *role);
bool rights_is_admin(uint64_t grants);             /* has one of the three */
const char *permission_name(enum permission perm); /* "case.read" */
struct text permission_title(enum permission perm);
#endif
