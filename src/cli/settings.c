#include "cli/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/val.h"
#include "base/yaml.h"

/* max 0: a text. */
static const struct {
    const char *key, *env;
    size_t at;
    int64_t min, max;
} rows[] = {
    {"listen", "GEZHI_LISTEN", offsetof(struct settings, listen), 0, 0},
    {"port", "GEZHI_PORT", offsetof(struct settings, port), 0, 65535},
    {"loops", "GEZHI_LOOPS", offsetof(struct settings, loops), 0, 64},
    {"workers", "GEZHI_WORKERS", offsetof(struct settings, workers), 0, 256},
    {"trusted_proxies", "GEZHI_PROXIES", offsetof(struct settings, trusted_proxies), 0, 0},
    {"log", "GEZHI_LOG", offsetof(struct settings, log), 0, 0},
    {"idle_minutes", "GEZHI_IDLE_MINUTES", offsetof(struct settings, idle_minutes), 1, 1440},
    {"session_hours", "GEZHI_SESSION_HOURS", offsetof(struct settings, session_hours), 1, 720},
    {"freeze_after_s", "GEZHI_FREEZE_AFTER_S", offsetof(struct settings, freeze_after_s), 1, 86400},
    {"password_mib", "GEZHI_PASSWORD_MIB", offsetof(struct settings, password_mib), 8, 4096}};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static const char **text_at(struct settings *s, size_t i) {
    return (const char **)(void *)((char *)s + rows[i].at);
}
static int64_t *number_at(struct settings *s, size_t i) {
    return (int64_t *)(void *)((char *)s + rows[i].at);
}

static enum err_code from_file(struct arena *a, const char *path, struct settings *s,
                               struct err *err) {
    const struct val *v = NULL;
    enum err_code rc = yaml_load(a, path, &v, err);
    if (rc == ERR_NOT_FOUND) return ERR_OK;
    if (rc != ERR_OK) return rc;
    if (v->type == VAL_NULL) return ERR_OK; /* an empty file */
    const char *known[N_ROWS + 1] = {NULL};
    for (size_t i = 0; i < N_ROWS; i++) known[i] = rows[i].key;
    rc = val_only(v, known, err);
    for (size_t i = 0; rc == ERR_OK && i < N_ROWS; i++) {
        if (rows[i].max == 0)
            rc = val_str(v, rows[i].key, false, 400, text_at(s, i), err);
        else
            rc = val_int(v, rows[i].key, false, rows[i].min, rows[i].max, number_at(s, i), err);
    }
    if (rc == ERR_OK) return ERR_OK;
    char detail[300];
    (void)snprintf(detail, sizeof detail, "%.299s", err == NULL ? "" : err->detail);
    return err_fail(err, rc, "%s: %s", path, detail);
}

static enum err_code from_environment(struct settings *s, struct err *err) {
    for (size_t i = 0; i < N_ROWS; i++) {
        const char *v =
            getenv(rows[i].env); /* NOLINT(concurrency-mt-unsafe): before any thread is started */
        if (v == NULL || v[0] == '\0') continue;
        if (rows[i].max == 0) {
            *text_at(s, i) = v;
            continue;
        }
        char *end = NULL;
        long long n = strtoll(v, &end, 10);
        if (*end != '\0' || n < rows[i].min || n > rows[i].max) {
            return err_fail(err, ERR_INVALID,
                            "%s is \"%.40s\": expected a whole number from %lld to %lld",
                            rows[i].env, v, (long long)rows[i].min, (long long)rows[i].max);
        }
        *number_at(s, i) = n;
    }
    return ERR_OK;
}

enum err_code settings_load(struct arena *a, const char *dir, struct settings *out,
                            struct err *err) {
    *out = (struct settings){.listen = "127.0.0.1",
                             .port = 8080,
                             .trusted_proxies = "",
                             .log = "info",
                             .idle_minutes = 30,
                             .session_hours = 12,
                             .freeze_after_s = 600,
                             .password_mib = 256};
    char *path = arena_printf(a, "%s/settings.yaml", dir);
    if (path == NULL) return err_fail(err, ERR_NOMEM, "settings");
    TRY(from_file(a, path, out, err));
    return from_environment(out, err);
}
