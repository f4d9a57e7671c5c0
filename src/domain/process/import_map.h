/* domain/process/import_map.h - how another city's table of requests is read: a map file names its
 * columns, its way to write times, its words for classes and states. docs/import.md tells how to
 * write one. Loaded and checked against the packs once, then immutable; owned by the arena. */
#ifndef DOMAIN_PROCESS_IMPORT_MAP_H
#define DOMAIN_PROCESS_IMPORT_MAP_H
#include "base/civil.h"
#include "domain/process/engine.h"
#include "geo/crs.h"

enum { MAP_MAX_TIMES = 8, MAP_MAX_WORDS = 20000, MAP_MAX_FIELDS = 32 };

/* Columns with a meaning of their own. */
#define MAP_COLUMNS(X)                                                                             \
    X(id) X(opened) X(due) X(closed) X(lon) X(lat) X(place) X(description) X(source_class)
enum map_column {
#define X(c) MAP_##c,
    MAP_COLUMNS(X)
#undef X
        MAP_N_COLUMNS
};

/* A column whose words stand for something of ours. Without a column `otherwise` holds for all. */
struct map_words {
    const char *column;           /* NULL: none */
    const struct map_word *words; /* sorted by the outside word */
    size_t n;
    const char *otherwise; /* for words not listed and blanks; NULL: such a row is rejected */
};
struct map_word {
    const char *from, *to;
};
struct map_field {
    int field; /* of the case type */
    const char *column;
};
struct case_map {
    const char *file, *name, *source;
    struct text title;
    const struct tz *tz;
    char separator;
    enum crs crs;
    const char *times[MAP_MAX_TIMES];
    size_t n_times;
    const char *columns[MAP_N_COLUMNS]; /* NULL: not there; id and opened always are */
    struct map_words cls, state, channel, on_time;
    int64_t as_of_us; /* when the table was drawn: open cases are late or not as of then; 0: at the
                         time of import */
    const struct map_field *fields;
    size_t n_fields;
};

/* Words of on_time: what the source's own column says. */
#define MAP_ON_TIME "on_time"
#define MAP_OVERDUE "overdue"

/* The map as YAML of n bytes; `file` stands in errors. city_tz holds when the map names no zone.
 * Errors: ERR_SYNTAX; ERR_INVALID with file and line (an unknown key, class, state or field, a bad
 * time format); ERR_REFUSED when a column stands for what Gezhi does not hold; ERR_NOMEM. */
enum err_code map_parse(struct arena *a, const char *file, const char *p, size_t n,
                        const struct engine *e, const struct tz *city_tz,
                        const struct case_map **out, struct err *err) NODISCARD;
/* Reads the file first (ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE). */
enum err_code map_load(struct arena *a, const char *file, const struct engine *e,
                       const struct tz *city_tz, const struct case_map **out,
                       struct err *err) NODISCARD;
/* What a word stands for: the listed one, else otherwise (may be NULL). O(log n). */
const char *map_word(const struct map_words *w, const char *word);
/* The move that leads into a state: how an imported case came there is told by its name. NULL when
 * the state is initial or nothing leads there. */
const struct move_def *map_move_into(const struct process_def *p, const char *state);
#endif
