/* store/verify.h - proofs without the server, backup and restore. All work on a folder, none needs
 * the packs. */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H
#include "base/buf.h"
#include "store/ledger.h"

struct verify_report {
    bool ok;
    int64_t rows, checkpoints, erased;
    bool has_bad;
    int64_t bad_seq, bad_id;
    char bad_table[64];
    char bad_reason[256];
};
/* Recompute the Merkle tree over the journal, every checkpoint's root and signature, each ledger
 * table against the last image of each row, and each personal value against its commitment; with
 * checkpoint_file, that the folder extends that signed note. Reads only. */
enum err_code ledger_verify(const char *dir, const char *checkpoint_file, struct verify_report *out,
                            struct err *err) NODISCARD;
/* A consistent copy of database, blobs and packs in one file while serving (SQLite backup API);
 * keys are left out. */
enum err_code ledger_backup(const char *dir, const char *file, struct err *err) NODISCARD;
/* Restore into a folder that does not exist or is empty; checks the archive first. New keys unless
 * keys_dir names saved ones. */
enum err_code ledger_restore(const char *file, const char *dir, const char *keys_dir,
                             struct err *err) NODISCARD;
#endif
