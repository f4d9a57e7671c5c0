#include "store/os.h"

#include <errno.h>
#include <string.h>

enum err_code os_fail(struct err *err, const char *what, const char *path) {
    char text[128];
    int cause = errno;
    enum err_code code = ERR_IO;
    if (cause == ENOSPC || cause == EDQUOT) code = ERR_FULL;
    if (cause == ENOENT || cause == ENOTDIR) code = ERR_NOT_FOUND;
    if (cause == EEXIST || cause == ENOTEMPTY) code = ERR_CONFLICT;
    return err_fail(err, code, "%s %.300s: %s", what, path, strerror_r(cause, text, sizeof text));
}
