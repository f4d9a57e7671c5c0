/* domain/measure/definitions.h - which indices and warning rules are in force: what the packs
 * declare, overlaid by what persons put in force by page (table definition). An immutable snapshot,
 * made anew after a committed change and swapped; readers hold a counted reference.
 *
 * An index: every edition in force stays, each for the periods from its valid_from on; an edition
 * by page replaces a pack's of the same number. A rule or an event of "warnings": a page document
 * holds one of them under its own name, the newest edition counts, and replaces the packs' entry of
 * that name; one that is off leaves none. */
#ifndef DOMAIN_MEASURE_DEFINITIONS_H
#define DOMAIN_MEASURE_DEFINITIONS_H
#include "base/log.h"
#include "domain/measure/index_def.h"
#include "domain/measure/warn_def.h"
#include "store/ledger.h"

enum { DEFINITION_MAX_YAML = 64 * 1024, DEFINITION_MAX_PROBLEMS = 32 };

struct definitions {
    const struct index_set *indices;
    const struct warn_set *warnings;
    int64_t seq; /* journal row it was made from */
    /* Documents by page that can no longer be read, since the packs changed: what was said. They
     * are left out. */
    const char *problem[DEFINITION_MAX_PROBLEMS];
    size_t n_problems;
};
struct definitions_service;
/* Makes the first snapshot and follows the journal. packs and log live longer. Errors: what the
 * packs' documents say (ERR_INVALID with file and line); those of the ledger. */
enum err_code definitions_open(struct ledger *l, const struct pack_set *packs,
                               const struct log *log, struct definitions_service **out,
                               struct err *err) NODISCARD;
/* After ledger_close. NULL is legal. */
void definitions_close(struct definitions_service *s);
/* A counted reference to the newest snapshot; never NULL. Any thread. */
const struct definitions *definitions_ref(struct definitions_service *s);
void definitions_unref(const struct definitions *d); /* NULL is legal */
/* Without a service (command line). Free with definitions_unref. */
enum err_code definitions_build(struct db *db, int64_t ledger, const struct pack_set *packs,
                                const struct definitions **out, struct err *err) NODISCARD;

/* The same as it stood after a journal row (of what was written by page; packs keep no past). */
enum err_code definitions_build_as_of(struct db *db, int64_t ledger, const struct pack_set *packs,
                                      int64_t seq, const struct definitions **out,
                                      struct err *err) NODISCARD;

/* Reads one document by page alone, as definitions_build would: faults are told as
 * "folder/name:line: text". `indices` or `warnings` of out is set, with one index, or one rule or
 * event, that has the name. Arena-owned; borrows the packs and yaml. */
enum err_code definition_read(struct arena *a, const struct pack_set *packs, const char *folder,
                              const char *name, const char *yaml, struct definitions *out,
                              struct err *err) NODISCARD;

/* ---- what was written by page */

enum definition_state { /* stored; never renumbered */
                        DEFINITION_DRAFT = 1,
                        DEFINITION_IN_FORCE = 2,
                        DEFINITION_WITHDRAWN = 3,
                        DEFINITION_OFF = 4
};
const char *definition_state_name(enum definition_state s); /* "draft", "in_force", ... */
struct definition_row {
    int64_t id, version, edition; /* edition 0: the draft */
    const char *folder, *name, *yaml, *valid_from, *author;
    enum definition_state state;
    int64_t at_us;
};
/* Rows of a folder (NULL: of all), of a name (NULL: of all), by folder, name and edition.
 * Arena-owned. */
enum err_code definition_rows(struct db *db, int64_t ledger, const char *folder, const char *name,
                              struct arena *a, struct definition_row **out, size_t *n,
                              struct err *err) NODISCARD;
/* The same for all, as they stood after a journal row. */
enum err_code definition_rows_as_of(struct db *db, int64_t ledger, int64_t seq, struct arena *a,
                                    struct definition_row **out, size_t *n,
                                    struct err *err) NODISCARD;
struct definition_change {
    const char *folder, *name;
    enum definition_state state; /* what is done: DRAFT keeps a draft; IN_FORCE puts yaml in force
                                    as a new edition; WITHDRAWN takes the newest edition in force
                                    back, so that the packs' counts again; OFF switches the name
                                    off */
    const char *yaml;            /* DRAFT, IN_FORCE; checked by definition_read before */
    const char *valid_from;      /* "" : always */
    int64_t edition;             /* of what is put in force; 0: the next free one */
    int64_t above;               /* greatest edition that the packs have; 0: none */
    const char *author;
    int64_t made; /* set by the command: the edition */
};
/* A command's apply: arg is a struct definition_change. Errors: ERR_CONFLICT (the edition is not
 * above all there were; over the limit of drafts), ERR_NOT_FOUND (nothing in force to withdraw). */
enum err_code definition_change_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
#endif
