/* domain/grid/folder.h - a city's data folder: packs, ledger and the city's own row, opened
 * together by the server and the command line. */
#ifndef DOMAIN_GRID_FOLDER_H
#define DOMAIN_GRID_FOLDER_H
#include "domain/pack/pack.h"
#include "store/ledger.h"

struct city {
    const char *name, *timezone, *codes; /* codes: "gb" or "free" */
    bool invented;                       /* a demo: the page says so */
};
struct folder {
    struct arena *arena;
    const char *dir;
    const struct pack_set *packs;
    struct ledger *ledger; /* NULL after folder_look */
    struct db *look;       /* NULL after folder_open */
    struct city city;
    const struct tz *tz;
};
/* Make an empty city: the folder, a copy of the shipped packs, an empty ledger, the city's row.
 * Errors: ERR_CONFLICT the folder holds a ledger; ERR_INVALID timezone, codes; those of packs and
 * store. Nothing half-made is left that a second try would trip over. */
enum err_code folder_create(const char *dir, const char *packs_dir, const struct city *city,
                            const struct log *log, struct err *err) NODISCARD;
/* Open for writing (one process at a time). n_readers >= 1. Close with folder_close. */
enum err_code folder_open(const char *dir, int n_readers, const struct log *log, struct folder *out,
                          struct err *err) NODISCARD;
/* Open for reading only, also while a server holds the folder: packs and one snapshot (f->look); no
 * ledger, no city row. Close with folder_close. */
enum err_code folder_look(const char *dir, struct folder *out, struct err *err) NODISCARD;
void folder_close(struct folder *f);
/* Where the packs lie that ship with the program: beside the executable, or below share/.
 * ERR_NOT_FOUND names where it looked. */
enum err_code folder_shipped_packs(struct arena *a, const char **out, struct err *err) NODISCARD;
/* Folder of the helper programs (gezhi-geo, gezhi-photo): that of the executable, or
 * ../libexec/gezhi. */
const char *folder_helpers(struct arena *a);
#endif
