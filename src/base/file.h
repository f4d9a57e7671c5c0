/* base/file.h - whole files: read with a maximum, replace atomically, join paths. Safe from any
 * thread. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Append the whole file to out, whose maximum bounds it. Only regular files are read (no fifo,
 * device or folder). Errors: ERR_NOT_FOUND, ERR_FORBIDDEN (no permission), ERR_IO, ERR_TOO_LARGE,
 * ERR_NOMEM; the path is named. */
enum err_code file_read(const char *path, struct buf *out, struct err *err) NODISCARD;

/* Replace the file (created with `mode`, such as 0644) so that a crash at any moment leaves the old
 * or the new content, never a mixture: temporary file beside it, fsync, rename, fsync of the
 * folder. When it fails the old file stands. Errors: ERR_NOT_FOUND (the folder), ERR_FORBIDDEN,
 * ERR_FULL (disk or quota), ERR_IO; the path is named. */
enum err_code file_write(const char *path, const void *p, size_t n, unsigned mode,
                         struct err *err) NODISCARD;

/* Make a rename, creation or removal inside the folder last. Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code file_sync_dir(const char *dir, struct err *err) NODISCARD;

/* "dir/name" with exactly one slash between; name alone when it is absolute or dir is "".
 * Arena-owned; NULL on exhaustion. It does not resolve "..": for names from outside ask
 * file_is_plain_name first. */
char *file_join(struct arena *a, const char *dir, const char *name);

/* Whether the text may be one path component from outside: 1..255 bytes, no slash, no NUL or
 * control byte, no leading dot. */
bool file_is_plain_name(const char *name);
#endif
