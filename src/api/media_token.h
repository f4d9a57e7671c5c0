/* api/media_token.h - photos between upload and report: a token stands for a stripped picture for an hour, then for good once claimed. */
#ifndef API_MEDIA_TOKEN_H
#define API_MEDIA_TOKEN_H
#include "base/val.h"
#include "store/ledger.h"

/* Claim the tokens of a list (NULL or null: none) for a case: *hashes in the command's arena, at most nine.
 * Errors: ERR_INVALID with pointer /media for an unknown, expired or already used token. */
enum err_code media_claim(struct tx *tx, const struct val *tokens, const char *const **hashes, size_t *n, struct err *err) NODISCARD;
#endif
