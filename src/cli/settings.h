/* cli/settings.h - how a server is set: DIR/settings.yaml, over it the environment (GEZHI_PORT
 * ...), over it the command line. One table says of each setting its name, kind and range; the file
 * is refused when it has a key that is not in it. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct settings {
    const char *listen;          /* numeric address */
    int64_t port;                /* 0..65535 */
    int64_t loops, workers;      /* 0: by the number of cores */
    const char *trusted_proxies; /* comma-separated addresses */
    const char *log;             /* "info" or "debug" */
    int64_t idle_minutes;        /* a session without a request ends */
    int64_t session_hours;       /* any session ends */
    int64_t freeze_after_s;      /* after the start: ended periods of indices are frozen */
    int64_t password_mib;        /* memory of one Argon2id hash */
};
/* Defaults, then dir/settings.yaml when it is there, then the environment. Texts are arena-owned.
 * Errors: ERR_INVALID naming file and key or the variable, what was found and what was expected. */
enum err_code settings_load(struct arena *a, const char *dir, struct settings *out,
                            struct err *err) NODISCARD;
#endif
