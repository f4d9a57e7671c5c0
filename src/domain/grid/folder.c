#include "domain/grid/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/look.h"
#include "store/tables.h"

enum { ARENA_MAX = 256 << 20, PATH_LEN = 4096, MAX_FILE = 4 << 20, MAX_DEPTH = 6 };

/* ---- where things lie ---- */

static bool exe_dir(char out[PATH_LEN]) {
    ssize_t n = readlink("/proc/self/exe", out, PATH_LEN - 1);
    if (n <= 0) return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    return true;
}

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The first of the places beside the executable that is a folder. */
static const char *beside_exe(struct arena *a, const char *const *places, size_t n) {
    char exe[PATH_LEN];
    if (!exe_dir(exe)) return NULL;
    for (size_t i = 0; i < n; i++) {
        char *path = arena_printf(a, "%s/%s", exe, places[i]);
        if (path != NULL && is_dir(path)) return path;
    }
    return NULL;
}

enum err_code folder_shipped_packs(struct arena *a, const char **out, struct err *err) {
    static const char *const places[] = {"../packs", "../../packs", "../../../packs",
                                         "../share/gezhi/packs"};
    *out = beside_exe(a, places, 4);
    if (*out != NULL) return ERR_OK;
    return err_fail(err, ERR_NOT_FOUND,
                    "the shipped packs were not found beside the program; name them with --packs");
}

const char *folder_helpers(struct arena *a) {
    static const char *const places[] = {"../libexec/gezhi", "."};
    const char *p = beside_exe(a, places, 2);
    return p == NULL ? "." : p;
}

/* ---- a copy of the packs: the city's own from now on ---- */

static enum err_code copy_tree(struct arena *a, const char *from, const char *to, int depth,
                               struct err *err);

static enum err_code copy_entry(struct arena *a, const char *from, const char *to, int depth,
                                struct err *err) {
    if (is_dir(from)) return copy_tree(a, from, to, depth + 1, err);
    struct buf bytes;
    buf_init(&bytes, MAX_FILE);
    enum err_code rc = file_read(from, &bytes, err);
    if (rc == ERR_OK) rc = file_write(to, buf_text(&bytes), bytes.n, 0644, err);
    buf_deinit(&bytes);
    return rc;
}

static enum err_code copy_tree(struct arena *a, const char *from, const char *to, int depth,
                               struct err *err) {
    if (depth > MAX_DEPTH) return err_fail(err, ERR_LIMIT, "%s: folders are nested too deep", from);
    if (mkdir(to, 0755) != 0 && errno != EEXIST)
        return err_fail(err, ERR_IO, "cannot make %s (errno %d)", to, errno);
    DIR *d = opendir(from);
    if (d == NULL) return err_fail(err, ERR_IO, "cannot read %s (errno %d)", from, errno);
    enum err_code rc = ERR_OK;
    for (struct dirent *e;
         rc == ERR_OK &&
         (e = readdir(d)) != NULL;) { /* NOLINT(concurrency-mt-unsafe): own stream */
        if (e->d_name[0] == '.') continue;
        char *src = arena_printf(a, "%s/%s", from, e->d_name);
        char *dst = arena_printf(a, "%s/%s", to, e->d_name);
        rc = src == NULL || dst == NULL ? err_fail(err, ERR_NOMEM, "copy")
                                        : copy_entry(a, src, dst, depth, err);
    }
    (void)closedir(d);
    return rc;
}

/* ---- create, open ---- */

static struct ledger_options options(const struct pack_set *packs, int n_readers,
                                     const struct log *log) {
    return (struct ledger_options){.clock = clock_system(),
                                   .log = log,
                                   .tables = packs->tables,
                                   .n_tables = packs->n_tables,
                                   .ledger_id = 1,
                                   .n_readers = n_readers};
}

static enum err_code city_insert(struct tx *tx, void *arg, struct err *err) {
    const struct city *c = arg;
    struct cell cells[col_city_count];
    cells[col_city_name] = cell_text(c->name);
    cells[col_city_timezone] = cell_text(c->timezone);
    cells[col_city_codes] = cell_text(c->codes);
    cells[col_city_invented] = cell_int(c->invented ? 1 : 0);
    int64_t id = 0;
    return tx_insert(tx, &table_city, cells, &id, err);
}

static enum err_code create_in(struct arena *a, const char *dir, const char *packs_dir,
                               const struct city *city, const struct log *log, struct err *err) {
    const struct tz *tz = NULL;
    TRY(tz_load(a, city->timezone, &tz, err));
    if (strcmp(city->codes, "gb") != 0 && strcmp(city->codes, "free") != 0) {
        return err_fail(err, ERR_INVALID, "codes: found \"%s\", expected gb or free", city->codes);
    }
    if (packs_dir == NULL) TRY(folder_shipped_packs(a, &packs_dir, err));
    const struct pack_set *packs = NULL;
    TRY(pack_load(a, packs_dir, NULL, &packs, err));
    struct ledger_options o = options(packs, 1, log);
    TRY(ledger_create(dir, &o, err));
    char *to = arena_printf(a, "%s/packs", dir);
    if (to == NULL) return err_fail(err, ERR_NOMEM, "folder");
    TRY(copy_tree(a, packs_dir, to, 0, err));
    struct ledger *l = NULL;
    TRY(ledger_open(dir, &o, &l, err));
    struct command c = {.name = "city.create",
                        .actor = "system",
                        .apply = city_insert,
                        .arg = (void *)(uintptr_t)city};
    enum err_code rc = ledger_run(l, &c, NULL, NULL, err);
    ledger_close(l);
    return rc;
}

enum err_code folder_create(const char *dir, const char *packs_dir, const struct city *city,
                            const struct log *log, struct err *err) {
    struct arena *a = arena_new(ARENA_MAX);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "folder");
    enum err_code rc = create_in(a, dir, packs_dir, city, log, err);
    arena_free(a);
    return rc;
}

static enum err_code read_city(struct folder *f, struct err *err) {
    struct reader *r = NULL;
    TRY(ledger_read_begin(f->ledger, &r, err));
    struct cell cells[col_city_count];
    int64_t version = 0;
    enum err_code rc = reader_get(r, &table_city, 1, f->arena, cells, &version, err);
    ledger_read_end(r);
    if (rc != ERR_OK) return rc;
    f->city = (struct city){.name = cells[col_city_name].p,
                            .timezone = cells[col_city_timezone].p,
                            .codes = cells[col_city_codes].p,
                            .invented = cells[col_city_invented].i != 0};
    return tz_load(f->arena, f->city.timezone, &f->tz, err);
}

static enum err_code load_packs(const char *dir, struct folder *out, struct err *err) {
    *out = (struct folder){.arena = arena_new(ARENA_MAX)};
    if (out->arena == NULL) return err_fail(err, ERR_NOMEM, "folder");
    out->dir = arena_strdup(out->arena, dir);
    char *db = arena_printf(out->arena, "%s/gezhi.db", dir);
    char *packs = arena_printf(out->arena, "%s/packs", dir);
    if (out->dir == NULL || db == NULL || packs == NULL) return err_fail(err, ERR_NOMEM, "folder");
    if (access(db, F_OK) != 0) {
        return err_fail(err, ERR_NOT_FOUND, "%s holds no city; make one with: gezhi init --data %s",
                        dir, dir);
    }
    return pack_load(out->arena, packs, NULL, &out->packs, err);
}

enum err_code folder_open(const char *dir, int n_readers, const struct log *log, struct folder *out,
                          struct err *err) {
    enum err_code rc = load_packs(dir, out, err);
    if (rc == ERR_OK) {
        struct ledger_options o = options(out->packs, n_readers, log);
        rc = ledger_open(dir, &o, &out->ledger, err);
    }
    if (rc == ERR_OK) rc = read_city(out, err);
    if (rc != ERR_OK) folder_close(out);
    return rc;
}

enum err_code folder_look(const char *dir, struct folder *out, struct err *err) {
    enum err_code rc = load_packs(dir, out, err);
    if (rc == ERR_OK) rc = ledger_look(dir, 1, &out->look, err);
    if (rc != ERR_OK) folder_close(out);
    return rc;
}

void folder_close(struct folder *f) {
    if (f->ledger != NULL) ledger_close(f->ledger);
    ledger_look_end(f->look);
    arena_free(f->arena);
    *f = (struct folder){0};
}
