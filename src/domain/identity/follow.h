/* domain/identity/follow.h - the follow word: what a reporter without an account shows, beside the
 * case code, to see and answer for his case. 8 characters of base32 (RFC 4648), 40 bits from the
 * system's generator; stored only as a keyed BLAKE2b-256 bound to the case. */
#ifndef DOMAIN_IDENTITY_FOLLOW_H
#define DOMAIN_IDENTITY_FOLLOW_H
#include "domain/identity/throttle.h"

enum { FOLLOW_WORD = 9, FOLLOW_HASH = 65 };

/* A fresh word, upper case, NUL-terminated. */
void follow_new(char word[FOLLOW_WORD]);
/* What is stored of a word: 64 hex digits over (case code, role, word) under the folder's secret
 * (32 bytes). role tells apart who holds it: "reporter", or "party:<n>". The word may be typed in
 * lower case, with blanks and hyphens, 0 for O, 1 for I and 8 for B. Pure; any thread. False when
 * it is no word at all (then hash is ""). */
bool follow_hash(const unsigned char secret[32], const char *code, const char *role,
                 const char *word, char hash[FOLLOW_HASH]);
/* Constant-time comparison of a typed word with a stored hash; stored NULL or "" is compared too,
 * and never equal. */
bool follow_equal(const unsigned char secret[32], const char *code, const char *role,
                  const char *word, const char *stored);

/* A try to open a case from an address. Before reading anything: follow_try_begin; ERR_TOO_MANY
 * when it must wait. After the comparison: follow_try_end, which counts a wrong word and clears the
 * address's slate for a right one.
 *
 * Only wrong words count. Counted by address (20 in 15 min, then a doubling wait of 30 s to 15
 * min), by case (30 an hour) and in all (3,000 an hour). A full case or a full whole is under
 * siege: it then still takes one try an hour from each address that has not failed there, so an
 * outsider, however many addresses he burns, never locks out a reporter who types the right word;
 * the chance of a guess stays at most (30 + number of addresses) / 2^40 per case and hour. `code`
 * is counted whether or not such a case exists, so waiting tells nothing. Any thread. */
enum err_code follow_try_begin(struct throttle *t, const char *code, const char *remote,
                               int64_t now_us, struct err *err) NODISCARD;
void follow_try_end(struct throttle *t, const char *code, const char *remote, int64_t now_us,
                    bool right);
#endif
