#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "domain/pack/load.h"

/* A rule that touches many classes would say the same once for each. */
static bool seen_before(struct load *l, const char *file, const char *where, const char *text) {
    enum { N = sizeof l->said / sizeof *l->said };
    uint64_t h = hash_xxh64(text, strlen(text), hash_xxh64(where, strlen(where), 0));
    h = hash_xxh64(file, strlen(file), h);
    for (size_t i = 0; i < N && i < l->n_problems; i++)
        if (l->said[i] == h) return true;
    l->said[l->n_problems % N] = h;
    return false;
}

void load_problem(struct load *l, enum err_code code, const char *file, int line, const char *fmt,
                  ...) {
    char text[400], where[16] = "";
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (line > 0) (void)snprintf(where, sizeof where, ":%d", line);
    if (seen_before(l, file, where, text)) return;
    if (l->n_problems++ == 0) {
        l->code = code;
        (void)err_fail(l->err, code, "%s%s: %s", file, where, text);
    }
    if (l->report != NULL && l->n_problems <= PACK_MAX_PROBLEMS)
        buf_printf(l->report, "%s%s: %s\n", file, where, text);
}

void load_unknown(struct load *l, const char *file, int line, const char *what, const char *word,
                  const char *const *candidates) {
    const char *near = strlen(word) <= 64 ? val_nearest(word, candidates) : NULL;
    if (near != NULL)
        load_problem(l, ERR_INVALID, file, line, "%s \"%.60s\" is not known; did you mean \"%s\"?",
                     what, word, near);
    else
        load_problem(l, ERR_INVALID, file, line, "%s \"%.60s\" is not known", what, word);
}

enum err_code load_nomem(struct load *l) {
    l->nomem = true;
    return err_fail(l->err, ERR_NOMEM, "loading the packs");
}

bool load_not_refused(struct load *l, const char *file, int line, const char *what,
                      const char *name, const struct text *title) {
    const char *said = name, *row = refuse_name(name);
    if (row == NULL && title != NULL) row = refuse_name(said = title->en);
    if (row == NULL && title != NULL) row = refuse_name(said = title->zh);
    if (row == NULL) return true;
    load_problem(
        l, ERR_REFUSED, file, line,
        "%s \"%.60s\" stands for what Gezhi refuses to hold: %s (scope, table \"What Gezhi "
        "refuses\")",
        what, said, row);
    return false;
}

static const struct val *member(struct load *l, const char *file, const struct val *map,
                                const char *key, bool required) {
    const struct val *v = val_get(map, key);
    if (v == NULL || v->type == VAL_NULL) {
        if (required) load_problem(l, ERR_INVALID, file, map->line, "\"%s\" is missing", key);
        return NULL;
    }
    return v;
}

static void wrong_type(struct load *l, const char *file, const struct val *v, const char *key,
                       const char *want) {
    const char *hint = "";
    if (strcmp(want, "text") == 0 && v->type != VAL_LIST && v->type != VAL_MAP)
        hint = "; put it in quotes";
    load_problem(l, ERR_INVALID, file, v->line, "\"%s\": found %s, expected %s%s", key,
                 val_type_name(v->type), want, hint);
}

const char *rd_text(struct load *l, const char *file, const struct val *map, const char *key,
                    bool required, size_t max) {
    const struct val *v = member(l, file, map, key, required);
    if (v == NULL) return "";
    if (v->type != VAL_STR) {
        wrong_type(l, file, v, key, "text");
        return "";
    }
    if (v->n > max) {
        load_problem(l, ERR_LIMIT, file, v->line, "\"%s\" has %zu bytes; at most %zu are taken",
                     key, v->n, max);
        return "";
    }
    if (required && v->n == 0) load_problem(l, ERR_INVALID, file, v->line, "\"%s\" is empty", key);
    return v->u.s;
}

static bool is_name(const char *s, const char *chars) {
    size_t n = strlen(s);
    return n >= 1 && n <= 40 && s[0] >= 'a' && s[0] <= 'z' && strspn(s, chars) == n;
}

static const char *name_of(struct load *l, const char *file, const struct val *map, const char *key,
                           bool required, const char *chars) {
    const char *s = rd_text(l, file, map, key, required, 200);
    if (s[0] == '\0' || is_name(s, chars)) return s;
    load_problem(l, ERR_INVALID, file, val_get(map, key)->line,
                 "\"%s\": \"%.60s\" is no name: small letters, digits and _, at most 40, a letter "
                 "first",
                 key, s);
    return "";
}

const char *rd_name(struct load *l, const char *file, const struct val *map, const char *key,
                    bool required) {
    return name_of(l, file, map, key, required, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

const char *rd_pack_name(struct load *l, const char *file, const struct val *map, const char *key) {
    return name_of(l, file, map, key, true, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

bool rd_bool(struct load *l, const char *file, const struct val *map, const char *key, bool def) {
    const struct val *v = member(l, file, map, key, false);
    if (v == NULL) return def;
    if (v->type == VAL_BOOL) return v->u.b;
    wrong_type(l, file, v, key, "true or false");
    return def;
}

int64_t rd_int(struct load *l, const char *file, const struct val *map, const char *key,
               int64_t min, int64_t max, int64_t def) {
    const struct val *v = member(l, file, map, key, false);
    if (v == NULL) return def;
    if (v->type != VAL_INT) {
        wrong_type(l, file, v, key, "a whole number");
        return def;
    }
    if (v->u.i >= min && v->u.i <= max) return v->u.i;
    load_problem(l, ERR_INVALID, file, v->line, "\"%s\": %lld is outside %lld to %lld", key,
                 (long long)v->u.i, (long long)min, (long long)max);
    return def;
}

struct text rd_title(struct load *l, const char *file, const struct val *map, const char *key,
                     bool required) {
    static const char *const known[] = {"en", "zh", NULL};
    const struct val *v = member(l, file, map, key, required);
    if (v == NULL) return (struct text){"", ""};
    if (v->type != VAL_MAP) {
        wrong_type(l, file, v, key, "{en: ..., zh: ...}");
        return (struct text){"", ""};
    }
    (void)rd_known(l, file, v, key, known);
    return (struct text){rd_text(l, file, v, "en", true, 1000),
                         rd_text(l, file, v, "zh", true, 1000)};
}

const struct val *rd_list(struct load *l, const char *file, const struct val *map, const char *key,
                          bool required) {
    const struct val *v = member(l, file, map, key, required);
    if (v == NULL || v->type == VAL_LIST) return v;
    wrong_type(l, file, v, key, "a list");
    return NULL;
}

int rd_enum(struct load *l, const char *file, const struct val *map, const char *key,
            const char *const *names, bool required, int def) {
    const char *s = rd_text(l, file, map, key, required, 200);
    if (s[0] == '\0') return def;
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], s) == 0) return i;
    load_unknown(l, file, val_get(map, key)->line, key, s, names);
    return -1;
}

size_t rd_texts(struct load *l, const char *file, const struct val *map, const char *key,
                bool required, const char *const **out) {
    const struct val *v = member(l, file, map, key, required);
    *out = NULL;
    if (v == NULL) return 0;
    bool one = v->type == VAL_STR;
    if (!one && v->type != VAL_LIST) {
        wrong_type(l, file, v, key, "a list of names");
        return 0;
    }
    size_t n = one ? 1 : v->n, k = 0;
    const char **list = ARENA_NEW(l->a, const char *, n + 1);
    if (list == NULL) (void)load_nomem(l);
    for (size_t i = 0; list != NULL && i < n; i++) {
        const struct val *x = one ? v : &v->u.list[i];
        if (x->type == VAL_STR)
            list[k++] = x->u.s;
        else
            wrong_type(l, file, x, key, "text");
    }
    *out = list;
    return k;
}

bool rd_known(struct load *l, const char *file, const struct val *map, const char *what,
              const char *const *known) {
    if (map->type != VAL_MAP) {
        load_problem(l, ERR_INVALID, file, map->line, "%s: found %s, expected a map of keys", what,
                     val_type_name(map->type));
        return false;
    }
    for (size_t i = 0; i < map->n; i++) {
        size_t k = 0;
        while (known[k] != NULL && strcmp(known[k], map->u.map[i].key) != 0) k++;
        if (known[k] == NULL)
            load_unknown(l, file, map->u.map[i].line, "key", map->u.map[i].key, known);
    }
    return true;
}

/* Thousandths of a decimal number with at most three decimals; -1 when it is none. */
static int64_t thousandths(const char *s, const char **end) {
    int64_t n = 0;
    int decimals = -1, digits = 0;
    for (; (*s >= '0' && *s <= '9') || (*s == '.' && decimals < 0); s++) {
        if (*s == '.') {
            decimals = 0;
            continue;
        }
        if (n > 1000000 || decimals == 3) return -1;
        n = n * 10 + (*s - '0');
        digits++;
        if (decimals >= 0) decimals++;
    }
    for (int i = decimals < 0 ? 0 : decimals; i < 3; i++) n *= 10;
    *end = s;
    return digits == 0 || decimals == 0 ? -1 : n;
}

bool rd_limit(struct load *l, const char *file, int line, const char *text,
              struct time_limit *out) {
    static const struct {
        const char *name;
        enum work_unit unit;
    } units[] = {
        {"urgent_hour", WORK_URGENT_HOUR},  {"work_hour", WORK_HOUR},  {"work_day", WORK_DAY},
        {"urgent_hours", WORK_URGENT_HOUR}, {"work_hours", WORK_HOUR}, {"work_days", WORK_DAY},
        {"紧急工作时", WORK_URGENT_HOUR},   {"工作时", WORK_HOUR},     {"工作日", WORK_DAY}};
    const char *end = text;
    int64_t n = thousandths(text, &end);
    while (*end == ' ') end++;
    for (size_t i = 0; n > 0 && n <= 10000000 && i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].name) != 0) continue;
        out->n_milli = n;
        out->unit = units[i].unit;
        return true;
    }
    load_problem(l, ERR_INVALID, file, line,
                 "\"%.40s\" is no time limit: write a number (up to 10000, three decimals) and "
                 "urgent_hour, work_hour or work_day, as \"4 work_hour\"",
                 text);
    return false;
}
