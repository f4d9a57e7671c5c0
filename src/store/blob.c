#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/inside.h"
#include "store/os.h"

enum { HASH_HEX = 64 };

static bool is_hash(const char *s) {
    return strlen(s) == HASH_HEX && strspn(s, "0123456789abcdef") == HASH_HEX;
}

/* Two hex digits make a folder, so that none holds more than a 256th of all. */
static enum err_code locate(const struct ledger *l, const char *hash, char folder[LEDGER_PATH],
                            char *file, size_t file_n, struct err *err) {
    int a = snprintf(folder, LEDGER_PATH, "%s/blobs/%.2s", l->dir, hash);
    int b = snprintf(file, file_n, "%s/blobs/%.2s/%s", l->dir, hash, hash);
    bool fits = a > 0 && a < LEDGER_PATH && b > 0 && (size_t)b < file_n;
    return fits ? ERR_OK : err_fail(err, ERR_INVALID, "the folder's path is too long");
}

enum err_code blob_put(struct ledger *l, const void *p, size_t n, char hash[65], struct err *err) {
    unsigned char h[32];
    char folder[LEDGER_PATH], file[LEDGER_PATH];
    struct stat st;
    (void)crypto_hash_sha256(h, p, n);
    (void)sodium_bin2hex(hash, HASH_HEX + 1, h, sizeof h);
    TRY(locate(l, hash, folder, file, sizeof file, err));
    /* A file of that name and size is complete: it came by a rename after its bytes were durable.
     */
    if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size == n) return ERR_OK;
    if (mkdir(folder, 0750) == 0) {
        char blobs[LEDGER_PATH];
        (void)snprintf(blobs, sizeof blobs, "%s/blobs", l->dir);
        TRY(file_sync_dir(blobs, err));
    } else if (errno != EEXIST) {
        return os_fail(err, "cannot make", folder);
    }
    return file_write(file, p, n, 0640, err);
}

enum err_code blob_path(const struct ledger *l, const char *hash, char *out, size_t out_n,
                        struct err *err) {
    char folder[LEDGER_PATH];
    struct stat st;
    if (!is_hash(hash)) return err_fail(err, ERR_NOT_FOUND, "no such file");
    TRY(locate(l, hash, folder, out, out_n, err));
    return stat(out, &st) == 0 && S_ISREG(st.st_mode)
               ? ERR_OK
               : err_fail(err, ERR_NOT_FOUND, "no such file");
}
