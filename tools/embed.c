/* embed - turns a folder into a blob and a C table for net/assets.c, at build time.
 *
 *   embed DIR BLOB TABLE.c STAMP
 *
 * Every regular file below DIR (hidden files and source maps excepted) is put into BLOB, gzipped
 * when that saves a tenth, and into TABLE.c, sorted by path, with its SHA-256. A DIR that does not
 * exist gives an empty table. When STAMP says that nothing changed since the last time, no output
 * is touched, so that the build need not compile it again. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    MAX_FILES = 20000,
    MAX_DEPTH = 12,
    MAX_PATH = 1024,
    MAX_FILE = 64 * 1024 * 1024,
    MAX_BLOB = 512 * 1024 * 1024
};

struct entry {
    char *path; /* below DIR, with a leading slash */
    int64_t size, mtime_ns;
};
struct list {
    struct entry *entry;
    size_t n, cap;
};

static int fail(const char *what, const char *name) {
    (void)fprintf(stderr, "embed: %s: %s\n", what, name);
    return 1;
}

/* The path goes into a C string and into a URL: only what needs no escapes in either. */
static bool is_plain(const char *path) {
    return path[strspn(
               path,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/@+~,() ")] ==
           '\0';
}

static bool is_skipped(const char *name) {
    size_t n = strlen(name);
    return name[0] == '.' || (n > 4 && strcmp(name + n - 4, ".map") == 0);
}

static int add_file(struct list *l, const char *path, const struct stat *st) {
    if (!is_plain(path)) return fail("a name with unusual characters", path);
    if (l->n == MAX_FILES) return fail("too many files at", path);
    if (st->st_size > MAX_FILE) return fail("too large", path);
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        struct entry *grown = mem_resize(l->entry, cap, sizeof *grown);
        if (grown == NULL) return fail("out of memory at", path);
        l->entry = grown;
        l->cap = cap;
    }
    struct entry *e = &l->entry[l->n];
    e->path = mem_dup(path, strlen(path));
    e->size = (int64_t)st->st_size;
    e->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    if (e->path == NULL) return fail("out of memory at", path);
    l->n++;
    return 0;
}

static int walk(struct list *l, const char *root, const char *below, int depth) {
    char full[MAX_PATH * 2], path[MAX_PATH];
    (void)snprintf(full, sizeof full, "%s%s", root, below);
    DIR *d = opendir(full);
    if (d == NULL) return depth == 0 && errno == ENOENT ? 0 : fail("cannot open", full);
    int rc = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d)) != NULL;) {
        struct stat st;
        if (is_skipped(e->d_name)) continue;
        if (snprintf(path, sizeof path, "%s/%s", below, e->d_name) >= (int)sizeof path ||
            snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full)
            rc = fail("path too long", e->d_name);
        else if (stat(full, &st) != 0)
            rc = fail("cannot read", full);
        else if (S_ISDIR(st.st_mode))
            rc = depth == MAX_DEPTH ? fail("too deep", full) : walk(l, root, path, depth + 1);
        else if (S_ISREG(st.st_mode))
            rc = add_file(l, path, &st);
    }
    (void)closedir(d);
    return rc;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void write_stamp(const struct list *l, const char *root, struct buf *out) {
    buf_printf(out, "1 %s\n", root);
    for (size_t i = 0; i < l->n; i++)
        buf_printf(out, "%s %" PRId64 " %" PRId64 "\n", l->entry[i].path, l->entry[i].size,
                   l->entry[i].mtime_ns);
}

static bool is_unchanged(const struct buf *stamp, const char *stamp_path, const char *blob,
                         const char *table) {
    struct stat st;
    struct buf old;
    struct err err;
    buf_init(&old, MAX_FILE);
    bool same = stat(blob, &st) == 0 && stat(table, &st) == 0 &&
                file_read(stamp_path, &old, &err) == ERR_OK && old.n == stamp->n &&
                memcmp(buf_text(&old), buf_text(stamp), old.n) == 0;
    buf_deinit(&old);
    return same;
}

/* Appends the file to the blob, gzipped when that saves at least a tenth; returns whether it was.
 */
static bool add_to_blob(struct buf *blob, const struct buf *file) {
    z_stream z = {0};
    const void *src = buf_text(file);
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + 15, 9, Z_DEFAULT_STRATEGY) == Z_OK) {
        uLong bound = deflateBound(&z, (uLong)file->n);
        char *room = buf_room(blob, bound);
        memcpy(&z.next_in, &src, sizeof src);
        z.avail_in = (uInt)file->n;
        z.next_out = (Bytef *)room;
        z.avail_out = (uInt)bound;
        bool good = room != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END &&
                    z.total_out < file->n - file->n / 10;
        uLong n = z.total_out;
        (void)deflateEnd(&z);
        if (good) {
            blob->n += n;
            return true;
        }
    }
    buf_add(blob, buf_text(file), file->n);
    return false;
}

static int embed_one(const struct entry *e, const char *root, struct buf *blob, struct buf *table) {
    char full[MAX_PATH * 2], hex[HASH_HEX];
    uint8_t hash[HASH_SHA256];
    struct buf file;
    struct err err;
    buf_init(&file, MAX_FILE);
    (void)snprintf(full, sizeof full, "%s%s", root, e->path);
    if (file_read(full, &file, &err) != ERR_OK) return fail(err.detail, full);
    hash_sha256(&(struct hash_piece){buf_text(&file), file.n}, 1, hash);
    hash_hex(hash, sizeof hash, hex);
    size_t at = blob->n;
    bool gzip = add_to_blob(blob, &file);
    buf_printf(table, "    {\"%s\", gezhi_asset_blob + %zu, %zu, %zu, %s, \"%s\"},\n", e->path, at,
               blob->n - at, file.n, gzip ? "true" : "false", hex);
    buf_deinit(&file);
    return 0;
}

static int write_outputs(const struct list *l, char **arg, struct buf *blob, struct buf *table,
                         const struct buf *stamp) {
    struct err err;
    buf_printf(table,
               "/* Made by tools/embed.c from the built web page. */\n#include \"net/assets.h\"\n"
               "__asm__(\".section .rodata\\n.balign 16\\n.global "
               "gezhi_asset_blob\\ngezhi_asset_blob:\\n\"\n"
               "        \".incbin \\\"%s\\\"\\n.byte 0\\n.previous\\n\");\n"
               "extern const unsigned char gezhi_asset_blob[];\n"
               "const size_t asset_n_files = %zu;\nconst struct asset_file asset_files[] = {\n",
               arg[2], l->n);
    for (size_t i = 0; i < l->n; i++)
        if (embed_one(&l->entry[i], arg[1], blob, table) != 0) return 1;
    buf_str(table, "    {0},\n};\n");
    if (buf_check(blob, &err) != ERR_OK || buf_check(table, &err) != ERR_OK)
        return fail(err.detail, arg[1]);
    if (file_write(arg[2], buf_text(blob), blob->n, 0644, &err) != ERR_OK ||
        file_write(arg[3], buf_text(table), table->n, 0644, &err) != ERR_OK ||
        file_write(arg[4], buf_text(stamp), stamp->n, 0644, &err) != ERR_OK)
        return fail(err.detail, "output");
    return 0;
}

int main(int argc, char **argv) {
    struct list l = {0};
    struct buf blob, table, stamp;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: embed DIR BLOB TABLE.c STAMP\n");
        return 2;
    }
    buf_init(&blob, MAX_BLOB);
    buf_init(&table, MAX_FILE);
    buf_init(&stamp, MAX_FILE);
    int rc = walk(&l, argv[1], "", 0);
    if (rc == 0) {
        if (l.n > 0) qsort(l.entry, l.n, sizeof l.entry[0], by_path);
        write_stamp(&l, argv[1], &stamp);
        if (!is_unchanged(&stamp, argv[4], argv[2], argv[3]))
            rc = write_outputs(&l, argv, &blob, &table, &stamp);
    }
    for (size_t i = 0; i < l.n; i++) mem_free(l.entry[i].path);
    mem_free(l.entry);
    buf_deinit(&blob);
    buf_deinit(&table);
    buf_deinit(&stamp);
    return rc;
}
