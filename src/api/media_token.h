/* api/media_token.h - photos between upload and report: a token stands for a stripped picture for
 * an hour, then for good once claimed. */
#ifndef API_MEDIA_TOKEN_H
#define API_MEDIA_TOKEN_H
#include "base/val.h"
#include "store/ledger.h"

/* Claim the tokens of a list (NULL or null: none) for a case: *hashes in the command's arena, at
 * most nine. Errors: ERR_INVALID with pointer /media for an unknown, expired or already used token.
 */
enum err_code media_claim(struct tx *tx, const struct val *tokens, const char *const **hashes,
                          size_t *n, struct err *err) NODISCARD;
/* After the case is there: the photos of the tokens belong to it for good. */
enum err_code media_bind(struct tx *tx, const struct val *tokens, int64_t case_id,
                         struct err *err) NODISCARD;
/* Ticket for ?ticket= of a photo's address, good for an hour. NULL when there is no memory. */
struct app;
char *media_ticket(const struct app *app, struct arena *a, const char *hash, int64_t now_us);
#endif
