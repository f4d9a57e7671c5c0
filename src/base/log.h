/* base/log.h - one JSON line (or text) an event on stderr: a stable key and typed pairs. Never log
 * secrets or personal values. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include <stdint.h>

enum log_level { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };
struct log_kv {
    const char *key;
    const char *s; /* NULL: the integer is meant */
    int64_t i;
};
#define LOG_STR(k, v) ((struct log_kv){(k), (v), 0})
#define LOG_INT(k, v) ((struct log_kv){(k), NULL, (int64_t)(v)})
struct log {
    enum log_level level;
    int fd;
    int json; /* 1: JSON lines, 0: text */
};
/* One write(2) a call of at most 4096 bytes, no allocation; safe from any thread. A text value is
 * cut after 1024 bytes; pairs that do not fit are left out and "cut" says so. `key` and `event` are
 * plain identifiers. */
void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_kv *kv, unsigned n);
#define log_event(log, level, event, ...)                                                          \
    log_write((log), (level), (event), (struct log_kv[]){__VA_ARGS__},                             \
              (unsigned)(sizeof((struct log_kv[]){__VA_ARGS__}) / sizeof(struct log_kv)))
#endif
