/* A backup is a pax tar, compressed with zstd (libarchive): gezhi-backup.json, gezhi.db,
 * checkpoint, packs/, blobs/. Keys are left out: whoever holds a backup can read the city's data
 * but sign nothing in its name. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/inside.h"
#include "store/os.h"
#include "store/verify.h"

enum { CHUNK = 65536, MOST_DEPTH = 8, MANIFEST_MAX = 4096, BACKUP_FORMAT = 1 };
#define MANIFEST "gezhi-backup.json"

static enum err_code join_path(char out[LEDGER_PATH], const char *a, const char *b,
                               struct err *err) {
    int n = snprintf(out, LEDGER_PATH, "%s/%s", a, b);
    return n > 0 && n < LEDGER_PATH ? ERR_OK
                                    : err_fail(err, ERR_INVALID, "a path is too long: %s", a);
}

static enum err_code suffix_path(char out[LEDGER_PATH], const char *a, const char *b,
                                 struct err *err) {
    int n = snprintf(out, LEDGER_PATH, "%s%s", a, b);
    return n > 0 && n < LEDGER_PATH ? ERR_OK
                                    : err_fail(err, ERR_INVALID, "a path is too long: %s", a);
}

static enum err_code file_hash(const char *path, char hex[65], struct err *err) {
    FILE *f = fopen(path, "rb");
    unsigned char *chunk = mem_new(CHUNK, 1), hash[32];
    crypto_hash_sha256_state s;
    enum err_code rc = ERR_OK;
    if (f == NULL || chunk == NULL)
        rc = err_fail(err, f == NULL ? ERR_IO : ERR_NOMEM, "cannot read %s", path);
    (void)crypto_hash_sha256_init(&s);
    while (rc == ERR_OK) {
        size_t n = fread(chunk, 1, CHUNK, f);
        if (n == 0) break;
        (void)crypto_hash_sha256_update(&s, chunk, n);
    }
    if (rc == ERR_OK && ferror(f) != 0) rc = err_fail(err, ERR_IO, "cannot read %s", path);
    (void)crypto_hash_sha256_final(&s, hash);
    (void)sodium_bin2hex(hex, 65, hash, sizeof hash);
    if (f != NULL) (void)fclose(f);
    mem_free(chunk);
    return rc;
}

/* ---- writing ---- */

static enum err_code archive_error(struct archive *a, const char *file, struct err *err) {
    enum err_code code =
        archive_errno(a) == ENOSPC || archive_errno(a) == EDQUOT ? ERR_FULL : ERR_IO;
    const char *why = archive_error_string(a);
    return err_fail(err, code, "%s: %s", file, why == NULL ? "unknown error" : why);
}

static enum err_code put_header(struct archive *a, const char *name, int64_t size,
                                struct err *err) {
    struct archive_entry *e = archive_entry_new();
    if (e == NULL) return err_fail(err, ERR_NOMEM, "no memory for a backup");
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, size);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0640);
    int rc = archive_write_header(a, e);
    archive_entry_free(e);
    return rc >= ARCHIVE_WARN ? ERR_OK : archive_error(a, name, err);
}

static enum err_code put_bytes(struct archive *a, const char *name, const void *p, size_t n,
                               struct err *err) {
    TRY(put_header(a, name, (int64_t)n, err));
    return archive_write_data(a, p, n) == (la_ssize_t)n ? ERR_OK : archive_error(a, name, err);
}

static enum err_code copy_into(struct archive *a, const char *name, int fd, int64_t left,
                               char *chunk, struct err *err) {
    while (left > 0) {
        ssize_t n = read(fd, chunk, left < CHUNK ? (size_t)left : CHUNK);
        if (n <= 0) return err_fail(err, ERR_IO, "%s became shorter while it was copied", name);
        if (archive_write_data(a, chunk, (size_t)n) != n) return archive_error(a, name, err);
        left -= n;
    }
    return ERR_OK;
}

static enum err_code put_file(struct archive *a, const char *name, const char *path,
                              struct err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0) (void)close(fd);
        return err_fail(err, ERR_IO, "cannot read %s", path);
    }
    char *chunk = mem_new(CHUNK, 1);
    enum err_code rc = chunk == NULL ? err_fail(err, ERR_NOMEM, "no memory for a backup")
                                     : put_header(a, name, st.st_size, err);
    if (rc == ERR_OK) rc = copy_into(a, name, fd, st.st_size, chunk, err);
    mem_free(chunk);
    (void)close(fd);
    return rc;
}

static int by_text(const void *x, const void *y) {
    return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The plain names of a folder in order, so that the same folder gives the same archive. */
static enum err_code names_of(struct arena *a, const char *path, char ***out, size_t *n,
                              struct err *err) {
    enum { FIRST = 64 };
    size_t cap = FIRST;
    DIR *d = opendir(path);
    *n = 0;
    *out = ARENA_NEW(a, char *, cap);
    if (d == NULL) return errno == ENOENT ? ERR_OK : os_fail(err, "cannot read", path);
    for (struct dirent *e; *out != NULL && (e = readdir(d)) != NULL;) {
        if (!file_is_plain_name(e->d_name)) continue;
        if (*n == cap) {
            char **more = ARENA_NEW(a, char *, cap * 2);
            if (more != NULL) memcpy(more, *out, cap * sizeof *more);
            *out = more;
            cap *= 2;
        }
        if (*out == NULL || ((*out)[(*n)++] = arena_strdup(a, e->d_name)) == NULL) *out = NULL;
    }
    (void)closedir(d);
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "no memory to list %s", path);
    qsort(*out, *n, sizeof **out, by_text);
    return ERR_OK;
}

/* One level of packs/ or blobs/; symbolic links and other special files are left out. */
static enum err_code put_folder(struct archive *a, const char *dir, const char *name,
                                unsigned depth, struct err *err);

static enum err_code put_entry(struct archive *a, const char *dir, const char *name, unsigned depth,
                               struct err *err) {
    char path[LEDGER_PATH];
    struct stat st;
    TRY(join_path(path, dir, name, err));
    if (lstat(path, &st) != 0) return os_fail(err, "cannot read", path);
    if (S_ISREG(st.st_mode)) return put_file(a, name, path, err);
    if (!S_ISDIR(st.st_mode)) return ERR_OK;
    return depth < MOST_DEPTH ? put_folder(a, dir, name, depth + 1, err)
                              : err_fail(err, ERR_LIMIT, "%s is too deep", path);
}

static enum err_code put_folder(struct archive *a, const char *dir, const char *name,
                                unsigned depth, struct err *err) {
    char path[LEDGER_PATH], child[LEDGER_PATH];
    char **names = NULL;
    size_t n = 0;
    TRY(join_path(path, dir, name, err));
    struct arena *arena = arena_new(COMMAND_ARENA);
    enum err_code rc = arena == NULL ? err_fail(err, ERR_NOMEM, "no memory for a backup")
                                     : names_of(arena, path, &names, &n, err);
    for (size_t i = 0; i < n && rc == ERR_OK; i++) {
        rc = join_path(child, name, names[i], err);
        if (rc == ERR_OK) rc = put_entry(a, dir, child, depth, err);
    }
    arena_free(arena);
    return rc;
}

static enum err_code put_all(struct archive *a, const char *dir, const char *db_copy,
                             const struct buf *checkpoint, struct err *err) {
    char hex[65];
    struct buf b;
    struct jw w;
    TRY(file_hash(db_copy, hex, err));
    buf_init(&b, MANIFEST_MAX);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kint(&w, "format", BACKUP_FORMAT);
    jw_kint(&w, "ledger_format", LEDGER_FORMAT);
    jw_kstr(&w, "database_sha256", hex);
    jw_end(&w, '}');
    enum err_code rc = buf_check(&b, err);
    if (rc == ERR_OK) rc = put_bytes(a, MANIFEST, b.p, b.n, err);
    buf_deinit(&b);
    TRY(rc);
    TRY(put_file(a, DB_NAME, db_copy, err));
    if (checkpoint->n > 0) TRY(put_bytes(a, "checkpoint", checkpoint->p, checkpoint->n, err));
    TRY(put_folder(a, dir, "packs", 0, err));
    return put_folder(a, dir, "blobs", 0, err);
}

static enum err_code write_archive(const char *dir, const char *part, const char *db_copy,
                                   const struct buf *checkpoint, struct err *err) {
    struct archive *a = archive_write_new();
    if (a == NULL) return err_fail(err, ERR_NOMEM, "no memory for a backup");
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum err_code rc = fd < 0 ? os_fail(err, "cannot make", part) : ERR_OK;
    if (rc == ERR_OK && (archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
                         archive_write_add_filter_zstd(a) != ARCHIVE_OK ||
                         archive_write_open_fd(a, fd) != ARCHIVE_OK))
        rc = archive_error(a, part, err);
    if (rc == ERR_OK) rc = put_all(a, dir, db_copy, checkpoint, err);
    if (rc == ERR_OK && archive_write_close(a) != ARCHIVE_OK) rc = archive_error(a, part, err);
    if (rc != ERR_OK) (void)archive_write_fail(a);
    (void)archive_write_free(a);
    if (rc == ERR_OK && fsync(fd) != 0) rc = os_fail(err, "cannot use", part);
    if (fd >= 0) (void)close(fd);
    return rc;
}

static enum err_code copy_db(const char *dir, const char *to, struct err *err) {
    char path[LEDGER_PATH];
    struct db *db = NULL;
    TRY(join_path(path, dir, DB_NAME, err));
    const struct db_open o = {.read_only = true, .cache_kib = CHUNK / 8};
    TRY(db_open_known(&driver_sqlite, path, &o, LEDGER_FORMAT, &db, err));
    enum err_code rc = db_backup(db, to, err);
    db_close(db, false);
    return rc;
}

static enum err_code sync_parent(const char *file, struct err *err) {
    char parent[LEDGER_PATH];
    TRY(suffix_path(parent, file, "", err));
    char *slash = strrchr(parent, '/');
    if (slash == NULL) return file_sync_dir(".", err);
    *(slash == parent ? slash + 1 : slash) = '\0';
    return file_sync_dir(parent, err);
}

enum err_code ledger_backup(const char *dir, const char *file, struct err *err) {
    char part[LEDGER_PATH], db_copy[LEDGER_PATH], path[LEDGER_PATH];
    struct buf checkpoint;
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    TRY(suffix_path(part, file, ".part", err));
    TRY(suffix_path(db_copy, file, ".db.part", err));
    TRY(join_path(path, dir, "checkpoint", err));
    buf_init(&checkpoint, (size_t)NOTE_MAX * 4);
    /* Read before the database is copied, so that the copy reaches at least that far. Blobs after
     * it, so that each one the copy names is there: a blob is stored before the row that names it.
     */
    enum err_code rc = file_read(path, &checkpoint, err);
    if (rc == ERR_NOT_FOUND) rc = ERR_OK;
    (void)unlink(db_copy);
    if (rc == ERR_OK) rc = copy_db(dir, db_copy, err);
    if (rc == ERR_OK) rc = write_archive(dir, part, db_copy, &checkpoint, err);
    if (rc == ERR_OK && rename(part, file) != 0) rc = os_fail(err, "cannot rename", part);
    if (rc == ERR_OK) rc = sync_parent(file, err);
    if (rc != ERR_OK) (void)unlink(part);
    (void)unlink(db_copy);
    buf_deinit(&checkpoint);
    return rc;
}

/* ---- reading ---- */

static bool is_blob_name(const char *s) {
    return strlen(s) == 67 && s[2] == '/' && strspn(s, "0123456789abcdef") == 2 &&
           strspn(s + 3, "0123456789abcdef") == 64 && memcmp(s, s + 3, 2) == 0;
}

/* Only what a backup holds, and nothing that leads out of the folder. */
static bool is_expected_name(const char *s) {
    if (strcmp(s, MANIFEST) == 0 || strcmp(s, DB_NAME) == 0 || strcmp(s, "checkpoint") == 0)
        return true;
    if (strncmp(s, "blobs/", 6) == 0) return is_blob_name(s + 6);
    if (strncmp(s, "packs/", 6) != 0 || strlen(s) >= LEDGER_PATH / 2) return false;
    char part[256];
    for (const char *p = s + 6;;) {
        size_t n = strcspn(p, "/");
        if (n >= sizeof part) return false;
        memcpy(part, p, n);
        part[n] = '\0';
        if (!file_is_plain_name(part)) return false;
        if (p[n] == '\0') return true;
        p += n + 1;
    }
}

static enum err_code make_parents(const char *dir, const char *name, struct err *err) {
    char path[LEDGER_PATH];
    TRY(join_path(path, dir, name, err));
    for (char *p = path + strlen(dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST) return os_fail(err, "cannot make", path);
        *p = '/';
    }
    return ERR_OK;
}

static enum err_code get_data(struct archive *a, int fd, const char *name,
                              crypto_hash_sha256_state *s, char *chunk, struct err *err) {
    for (;;) {
        la_ssize_t n = archive_read_data(a, chunk, CHUNK);
        if (n == 0) return ERR_OK;
        if (n < 0)
            return err_fail(err, ERR_CORRUPT, "the archive is damaged at %s: %s", name,
                            archive_error_string(a));
        (void)crypto_hash_sha256_update(s, (const unsigned char *)chunk, (unsigned long long)n);
        for (la_ssize_t at = 0; at < n;) {
            ssize_t w = write(fd, chunk + at, (size_t)(n - at));
            if (w < 0) return os_fail(err, "cannot write", name);
            at += w;
        }
    }
}

static enum err_code get_file(struct archive *a, const char *dir, const char *name, char hex[65],
                              struct err *err) {
    char path[LEDGER_PATH];
    unsigned char hash[32];
    crypto_hash_sha256_state s;
    TRY(join_path(path, dir, name, err));
    TRY(make_parents(dir, name, err));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return os_fail(err, "cannot make", path);
    char *chunk = mem_new(CHUNK, 1);
    (void)crypto_hash_sha256_init(&s);
    enum err_code rc = chunk == NULL ? err_fail(err, ERR_NOMEM, "no memory to restore")
                                     : get_data(a, fd, name, &s, chunk, err);
    (void)crypto_hash_sha256_final(&s, hash);
    (void)sodium_bin2hex(hex, 65, hash, sizeof hash);
    mem_free(chunk);
    if (rc == ERR_OK && fsync(fd) != 0) rc = os_fail(err, "cannot write", path);
    (void)close(fd);
    return rc;
}

static enum err_code extract(struct archive *a, const char *dir, char db_hex[65], struct err *err) {
    for (;;) {
        struct archive_entry *e;
        int r = archive_read_next_header(a, &e);
        if (r == ARCHIVE_EOF) return ERR_OK;
        if (r < ARCHIVE_WARN)
            return err_fail(err, ERR_CORRUPT, "not a backup, or damaged: %s",
                            archive_error_string(a));
        const char *name = archive_entry_pathname(e);
        char hex[65];
        if (name == NULL || archive_entry_filetype(e) != AE_IFREG || !is_expected_name(name))
            return err_fail(err, ERR_CORRUPT, "the archive holds %.100s, which no backup holds",
                            name == NULL ? "a file without a name" : name);
        TRY(get_file(a, dir, name, hex, err));
        if (strcmp(name, DB_NAME) == 0) memcpy(db_hex, hex, sizeof hex);
        if (strncmp(name, "blobs/", 6) == 0 && strcmp(hex, name + 9) != 0)
            return err_fail(err, ERR_CORRUPT, "%s does not have the content its name says", name);
    }
}

static enum err_code check_manifest(const char *dir, const char *db_hex, struct err *err) {
    char path[LEDGER_PATH];
    struct buf b;
    const struct val *v = NULL;
    const char *hex = "";
    int64_t format = 0;
    TRY(join_path(path, dir, MANIFEST, err));
    struct arena *a = arena_new(CHUNK);
    buf_init(&b, MANIFEST_MAX);
    enum err_code rc =
        a == NULL ? err_fail(err, ERR_NOMEM, "no memory to restore") : file_read(path, &b, err);
    if (rc == ERR_NOT_FOUND)
        rc = err_fail(err, ERR_CORRUPT, "the archive is no backup: %s is missing", MANIFEST);
    if (rc == ERR_OK) rc = json_parse(a, buf_text(&b), b.n, &v, err);
    if (rc == ERR_OK) rc = val_int(v, "format", true, 1, 1000000, &format, err);
    if (rc == ERR_OK && format > BACKUP_FORMAT)
        rc = err_fail(err, ERR_CONFLICT, "the backup was made by a newer program");
    if (rc == ERR_OK) rc = val_str(v, "database_sha256", true, 64, &hex, err);
    if (rc == ERR_OK && strcmp(hex, db_hex) != 0)
        rc = err_fail(err, ERR_CORRUPT, "the database in the archive is damaged");
    if (rc == ERR_OK && unlink(path) != 0) rc = err_fail(err, ERR_IO, "cannot remove %s", path);
    buf_deinit(&b);
    arena_free(a);
    return rc;
}

static enum err_code read_archive(const char *file, const char *dir, struct err *err) {
    char db_hex[65] = "";
    struct archive *a = archive_read_new();
    if (a == NULL) return err_fail(err, ERR_NOMEM, "no memory to restore");
    enum err_code rc = ERR_OK;
    if (archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK ||
        archive_read_open_filename(a, file, CHUNK) != ARCHIVE_OK)
        rc = err_fail(err, access(file, R_OK) != 0 ? ERR_NOT_FOUND : ERR_CORRUPT, "%s: %s", file,
                      archive_error_string(a));
    if (rc == ERR_OK) rc = extract(a, dir, db_hex, err);
    (void)archive_read_free(a);
    return rc == ERR_OK ? check_manifest(dir, db_hex, err) : rc;
}

/* The name that the ledger signs under stays the same with new keys. */
static enum err_code signer_name(const char *dir, char name[NOTE_NAME_MAX], struct err *err) {
    char path[LEDGER_PATH], text[256];
    struct db *db = NULL;
    struct jrow *rows = NULL;
    size_t n = 1;
    struct note_key key;
    const struct db_open o = {.read_only = true};
    int64_t ledger = 1;
    TRY(join_path(path, dir, DB_NAME, err));
    struct arena *a = arena_new(CHUNK);
    enum err_code rc = a == NULL ? err_fail(err, ERR_NOMEM, "no memory to restore")
                                 : db_open(&driver_sqlite, path, &o, &db, err);
    if (rc == ERR_OK) rc = db_int(db, "SELECT min(ledger) FROM state", NULL, 0, 1, &ledger, err);
    if (rc == ERR_OK) rc = journal_of(db, ledger, "key_", 1, a, &rows, &n, err);
    if (rc == ERR_OK && (n != 1 || rows[0].image_n < 16 || rows[0].image_n >= sizeof text))
        rc = err_fail(err, ERR_CORRUPT, "the backup names no signing key");
    if (rc == ERR_OK) {
        /* {"verifier":"..."} */
        (void)snprintf(text, sizeof text, "%.*s", (int)rows[0].image_n - 15, rows[0].image + 13);
        rc = note_key_parse(text, &key, err);
    }
    if (rc == ERR_OK) memcpy(name, key.name, NOTE_NAME_MAX);
    db_close(db, true);
    arena_free(a);
    return rc;
}

static enum err_code copy_key(const char *keys_dir, const char *to_dir, const char *name,
                              unsigned mode, struct err *err) {
    char from[LEDGER_PATH], to[LEDGER_PATH];
    struct buf b;
    TRY(join_path(from, keys_dir, name, err));
    TRY(join_path(to, to_dir, name, err));
    buf_init(&b, MANIFEST_MAX);
    enum err_code rc = file_read(from, &b, err);
    if (rc == ERR_OK) rc = file_write(to, b.p, b.n, mode, err);
    if (b.p != NULL) sodium_memzero(b.p, b.n);
    buf_deinit(&b);
    return rc;
}

static enum err_code copy_keys(const char *keys_dir, const char *dir, struct err *err) {
    char to[LEDGER_PATH];
    TRY(join_path(to, dir, "keys", err));
    if (mkdir(to, 0700) != 0 && errno != EEXIST) return os_fail(err, "cannot make", to);
    TRY(copy_key(keys_dir, to, "signing", 0600, err));
    TRY(copy_key(keys_dir, to, "secret", 0600, err));
    TRY(copy_key(keys_dir, to, "verifier", 0644, err));
    struct keys keys;
    enum err_code rc = keys_load(dir, &keys, err);
    sodium_memzero(&keys, sizeof keys);
    return rc;
}

static enum err_code fill(const char *file, const char *dir, const char *keys_dir,
                          struct err *err) {
    char path[LEDGER_PATH], name[NOTE_NAME_MAX];
    static const char *const folders[] = {"blobs", "packs"};
    struct verify_report report;
    TRY(read_archive(file, dir, err));
    for (size_t i = 0; i < 2; i++) {
        TRY(join_path(path, dir, folders[i], err));
        if (mkdir(path, 0750) != 0 && errno != EEXIST) return os_fail(err, "cannot make", path);
    }
    TRY(ledger_verify(dir, NULL, &report, err));
    if (!report.ok)
        return err_fail(err, ERR_CORRUPT, "the backup does not verify: %s, row %lld: %s",
                        report.bad_table, (long long)report.bad_id, report.bad_reason);
    if (keys_dir != NULL) return copy_keys(keys_dir, dir, err);
    TRY(signer_name(dir, name, err));
    TRY(keys_make(dir, name, err));
    /* Opening once puts the new key on record and signs a checkpoint with it. */
    const struct ledger_options o = {.clock = clock_system(), .ledger_id = 1, .n_readers = 1};
    struct ledger *l = NULL;
    TRY(ledger_open(dir, &o, &l, err));
    ledger_close(l);
    return ERR_OK;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

/* Absent, or a folder with nothing in it (which the rename then replaces). */
static bool is_free(const char *dir) {
    DIR *d = opendir(dir);
    if (d == NULL) return errno == ENOENT;
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(d);
    return n == 0;
}

enum err_code ledger_restore(const char *file, const char *dir, const char *keys_dir,
                             struct err *err) {
    char part[LEDGER_PATH];
    if (sodium_init() < 0) return err_fail(err, ERR_INTERNAL, "libsodium does not start");
    TRY(suffix_path(part, dir, ".restoring", err));
    if (!is_free(dir))
        return err_fail(err, ERR_CONFLICT, "%s exists and is not an empty folder", dir);
    if (mkdir(part, 0750) != 0) return os_fail(err, "cannot make", part);
    enum err_code rc = fill(file, part, keys_dir, err);
    if (rc == ERR_OK && rename(part, dir) != 0) rc = os_fail(err, "cannot rename", part);
    if (rc == ERR_OK) return sync_parent(dir, err);
    (void)nftw(part, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}
