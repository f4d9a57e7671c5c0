#include "store/tables.h"

/* clang-format off */
enum { FLAG_OPT, FLAG_REQ, FLAG_PERSONAL };
enum { INDEX_PLAIN, INDEX_UNIQUE };

#define TABLE(name, kind) static const struct column columns_of_##name[] = {
#define COL(table, name, type, flags) {#name, COL_##type, FLAG_##flags == FLAG_REQ, FLAG_##flags == FLAG_PERSONAL},
#define INDEX(table, unique, where, ...)
#define END(table) };
#include "../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END

/* A last empty row keeps an array of a table without indexes legal; it is not counted. */
#define TABLE(name, kind) static const struct index indexes_of_##name[] = {
#define COL(table, name, type, flags)
#define INDEX(table, unique, where, ...) {{__VA_ARGS__}, INDEX_##unique == INDEX_UNIQUE, where},
#define END(table) {{NULL}, false, NULL}};
#include "../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END

#define TABLE(name, kind) const struct table table_##name = {#name, TABLE_##kind,
#define COL(table, name, type, flags)
#define INDEX(table, unique, where, ...)
#define END(table) columns_of_##table, sizeof columns_of_##table / sizeof columns_of_##table[0], indexes_of_##table, sizeof indexes_of_##table / sizeof indexes_of_##table[0] - 1, NULL};
#include "../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END

static const struct table *const builtin[] = {
#define TABLE(name, kind) &table_##name,
#define COL(table, name, type, flags)
#define INDEX(table, unique, where, ...)
#define END(table)
#include "../../decl/tables.def"
#undef TABLE
#undef COL
#undef INDEX
#undef END
};
/* clang-format on */

const struct table *const *tables_builtin(size_t *n) {
    *n = sizeof builtin / sizeof builtin[0];
    return builtin;
}

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct column journal_cols[] = {
    {"seq", COL_INT, true, false},       {"at_us", COL_TIME, true, false},
    {"actor", COL_TEXT, true, false},    {"behalf", COL_TEXT, false, false},
    {"purpose", COL_TEXT, false, false}, {"command", COL_TEXT, true, false},
    {"type", COL_TEXT, true, false},     {"id", COL_INT, true, false},
    {"version", COL_INT, true, false},   {"image", COL_BLOB, true, false},
    {"leaf", COL_BLOB, true, false}};
static const struct index journal_indexes[] = {{{"type", "id", "seq"}, true, NULL}};
static const char *const journal_key[] = {"seq", NULL};

static const struct column personal_cols[] = {
    {"seq", COL_INT, true, false},   {"commitment", COL_TEXT, true, false},
    {"tbl", COL_TEXT, true, false},  {"row_id", COL_INT, true, false},
    {"col", COL_TEXT, true, false},  {"salt", COL_BLOB, true, false},
    {"value", COL_TEXT, true, false}};
static const char *const personal_key[] = {"seq", "commitment", NULL};

static const struct column state_cols[] = {{"name", COL_TEXT, true, false},
                                           {"value", COL_BLOB, true, false}};
static const char *const state_key[] = {"name", NULL};

static const struct column checkpoint_cols[] = {{"size", COL_INT, true, false},
                                                {"at_us", COL_TIME, true, false},
                                                {"root", COL_BLOB, true, false},
                                                {"note", COL_TEXT, true, false}};
static const char *const checkpoint_key[] = {"size", NULL};

static const struct column idem_cols[] = {{"key_hash", COL_BLOB, true, false},
                                          {"body_hash", COL_BLOB, true, false},
                                          {"expires_us", COL_TIME, true, false},
                                          {"reply", COL_BLOB, true, false}};
static const struct index idem_indexes[] = {{{"expires_us"}, false, NULL}};
static const char *const idem_key[] = {"key_hash", NULL};

static const struct table core_journal = {"journal",          TABLE_OPERATIONAL, journal_cols,
                                          N_OF(journal_cols), journal_indexes,   1,
                                          journal_key};
static const struct table core_personal = {
    "personal", TABLE_OPERATIONAL, personal_cols, N_OF(personal_cols), NULL, 0, personal_key};
static const struct table core_state = {
    "state", TABLE_OPERATIONAL, state_cols, N_OF(state_cols), NULL, 0, state_key};
static const struct table core_checkpoint = {
    "checkpoint",  TABLE_OPERATIONAL, checkpoint_cols, N_OF(checkpoint_cols), NULL, 0,
    checkpoint_key};
static const struct table core_idem = {
    "idem", TABLE_OPERATIONAL, idem_cols, N_OF(idem_cols), idem_indexes, 1, idem_key};

const struct table *const *tables_core(size_t *n) {
    static const struct table *const core[] = {&core_journal, &core_personal, &core_state,
                                               &core_checkpoint, &core_idem};
    *n = N_OF(core);
    return core;
}
