/* store/os.h - what the operating system says, as an error. Safe from any thread. */
#ifndef STORE_OS_H
#define STORE_OS_H
#include "base/err.h"

/* By errno: ERR_FULL (no room, quota), ERR_NOT_FOUND (no such file), ERR_CONFLICT (exists), else
 * ERR_IO. "cannot make", "data/keys" gives "cannot make data/keys: Permission denied". */
enum err_code os_fail(struct err *err, const char *what, const char *path);
#endif
