#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 65536, PATH_BYTES = 4096 };

/* The error of a failed system call on a path. */
static enum err_code fail_path(struct err *err, int cause, const char *what, const char *path) {
    char text[128];
    enum err_code code = ERR_IO;
    if (cause == ENOENT || cause == ENOTDIR) code = ERR_NOT_FOUND;
    if (cause == EACCES || cause == EPERM) code = ERR_FORBIDDEN;
    if (cause == ENOSPC || cause == EDQUOT) code = ERR_FULL;
    return err_fail(err, code, "%s %.300s: %s", what, path, strerror_r(cause, text, sizeof text));
}

static enum err_code read_all(int fd, const char *path, struct buf *out, struct err *err) {
    for (;;) {
        size_t left = out->max - out->n;
        /* One byte more than what is left tells a file that just fits from one that is too large.
         */
        size_t step = left < READ_STEP ? left + 1 : READ_STEP;
        char block[READ_STEP];
        ssize_t got = read(fd, block, step);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_path(err, errno, "cannot read", path);
        if (got == 0) return buf_check(out, err);
        if ((size_t)got > left)
            return err_fail(err, ERR_TOO_LARGE, "%.300s is larger than %zu bytes", path, out->max);
        buf_add(out, block, (size_t)got);
        TRY(buf_check(out, err));
    }
}

enum err_code file_read(const char *path, struct buf *out, struct err *err) {
    /* O_NONBLOCK: opening a fifo must not wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail_path(err, errno, "cannot open", path);
    struct stat st;
    enum err_code rc;
    if (fstat(fd, &st) != 0)
        rc = fail_path(err, errno, "cannot read", path);
    else if (!S_ISREG(st.st_mode))
        rc = err_fail(err, ERR_IO, "%.300s is not a regular file", path);
    else
        rc = read_all(fd, path, out, err);
    (void)close(fd);
    return rc;
}

static enum err_code write_all(int fd, const char *path, const char *p, size_t n, struct err *err) {
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return fail_path(err, errno, "cannot write", path);
        p += done;
        n -= (size_t)done;
    }
    if (fsync(fd) != 0) return fail_path(err, errno, "cannot write", path);
    return ERR_OK;
}

/* The folder a path lies in. */
static void dir_of(const char *path, char out[PATH_BYTES]) {
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    if (slash == path) n = 1;
    memcpy(out, slash == NULL ? "." : path, slash == NULL ? 1 : n);
    out[slash == NULL ? 1 : n] = '\0';
}

enum err_code file_sync_dir(const char *dir, struct err *err) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_path(err, errno, "cannot open", dir);
    enum err_code rc = ERR_OK;
    if (fsync(fd) != 0) rc = fail_path(err, errno, "cannot write", dir);
    (void)close(fd);
    return rc;
}

enum err_code file_write(const char *path, const void *p, size_t n, unsigned mode,
                         struct err *err) {
    char temp[PATH_BYTES], dir[PATH_BYTES];
    int len = snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temp)
        return err_fail(err, ERR_INVALID, "the path is too long");
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) return fail_path(err, errno, "cannot create", path);
    enum err_code rc = ERR_OK;
    if (fchmod(fd, (mode_t)mode) != 0) rc = fail_path(err, errno, "cannot create", path);
    if (rc == ERR_OK) rc = write_all(fd, path, p, n, err);
    if (close(fd) != 0 && rc == ERR_OK) rc = fail_path(err, errno, "cannot write", path);
    if (rc == ERR_OK && rename(temp, path) != 0) rc = fail_path(err, errno, "cannot replace", path);
    if (rc != ERR_OK) {
        (void)unlink(temp);
        return rc;
    }
    dir_of(path, dir);
    return file_sync_dir(dir, err);
}

char *file_join(struct arena *a, const char *dir, const char *name) {
    size_t n = strlen(dir);
    if (n == 0 || name[0] == '/') return arena_strdup(a, name);
    return arena_printf(a, dir[n - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
}

bool file_is_plain_name(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n > 255 || name[0] == '.') return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7F || name[i] == '/' || name[i] == '\\')
            return false;
    return true;
}
