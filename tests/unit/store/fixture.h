/* tests/unit/store/fixture.h - a ledger in a folder of its own, two small tables, and commands for
 * the tests of the store. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/ledger.h"

/* item(name TEXT req, count INT, weight REAL, open BOOL, at TIME, extra JSON, raw BLOB, phone
 * personal TEXT) */
extern const struct table test_item;
enum {
    ITEM_NAME,
    ITEM_COUNT,
    ITEM_WEIGHT,
    ITEM_OPEN,
    ITEM_AT,
    ITEM_EXTRA,
    ITEM_RAW,
    ITEM_PHONE,
    ITEM_COLS
};
/* tally(item INT req, n INT req), derived: one row an item, n = number of its versions */
extern const struct table test_tally;
/* jot(text TEXT), operational */
extern const struct table test_jot;

struct ledger_options test_options(void);
/* A new folder under the system's temporary folder; freed and removed by test_remove. */
char *test_folder(void);
void test_remove(char *dir);
/* Fresh folder with a created and opened ledger. */
struct ledger *test_ledger(char **dir);
struct ledger *test_reopen(const char *dir);

/* Run a command; the asserting ones fail the test on an error. */
enum err_code test_try(struct ledger *l, enum err_code (*apply)(struct tx *, void *, struct err *),
                       void *arg, struct err *err);
int64_t test_insert(struct ledger *l, const char *name, int64_t count, const char *phone);
void test_update(struct ledger *l, int64_t id, int64_t count);
/* First integer of a query through a reader. */
int64_t test_count(struct ledger *l, const char *sql);
/* A follower that keeps test_tally. */
struct follower test_tally_follower(void);
/* Digest of the bytes and names of all files below dir but the lock and *-shm; for "nothing
 * changed". */
void test_digest(const char *dir, unsigned char out[32]);
/* Run SQL on the database file behind everybody's back (the ledger is closed). */
void test_tamper(const char *dir, const char *sql);
#endif
