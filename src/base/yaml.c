#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/utf8.h"

enum { YAML_MAX_BYTES = 1 << 20, YAML_MAX_DEPTH = 32 };

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; deleted by next() and at the end */
    bool has_event;
    struct arena *a;
    const char *name;
    struct err *err;
};

/* Lists and maps grow as chains, since their length is known only at the end. */
struct link {
    struct link *next;
    struct val_pair pair;
};

static enum err_code fail_at(const struct reader *r, enum err_code code, yaml_mark_t at,
                             const char *what) {
    return err_fail(r->err, code, "%.200s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, what);
}

static enum err_code bad(const struct reader *r, const char *what) {
    return fail_at(r, ERR_SYNTAX, r->event.start_mark, what);
}

static enum err_code no_memory(const struct reader *r) {
    return err_fail(r->err, ERR_NOMEM, "%.200s: out of memory", r->name);
}

static enum err_code next(struct reader *r) {
    if (r->has_event) yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
    if (r->has_event) return ERR_OK;
    if (r->parser.error == YAML_MEMORY_ERROR) return no_memory(r);
    const char *problem = r->parser.problem == NULL ? "not YAML" : r->parser.problem;
    return fail_at(r, ERR_SYNTAX, r->parser.problem_mark, problem);
}

static bool is_one_of(const char *s, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(s, *words) == 0) return true;
    return false;
}

static size_t span_digits(const char *s) { return strspn(s, "0123456789"); }

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  (YAML 1.2.2, 10.3.2);
 * *is_int: digits only */
static bool is_number(const char *s, bool *is_int) {
    if (*s == '-' || *s == '+') s++;
    size_t whole = span_digits(s), part = 0;
    s += whole;
    *is_int = *s == '\0' && whole > 0;
    if (*s == '.') {
        s++;
        part = span_digits(s);
        s += part;
    }
    if (whole + part == 0) return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        if (*s == '-' || *s == '+') s++;
        size_t n = span_digits(s);
        if (n == 0) return false;
        s += n;
    }
    return *s == '\0';
}

static bool is_based(const char *s, int *base) {
    *base = s[0] == '0' && s[1] == 'o' ? 8 : s[0] == '0' && s[1] == 'x' ? 16 : 0;
    if (*base == 0 || s[2] == '\0') return false;
    return s[2 + strspn(s + 2, *base == 8 ? "01234567" : "0123456789abcdefABCDEF")] == '\0';
}

static enum err_code read_int(struct reader *r, const char *s, int base, struct val *out) {
    errno = 0;
    long long v = strtoll(s, NULL, base);
    if (errno == ERANGE)
        return bad(r, "the integer does not fit 64 bits; quote it if it is a code");
    out->type = VAL_INT;
    out->n = 0;
    out->u.i = v;
    return ERR_OK;
}

/* A plain (unquoted) scalar by the core schema, YAML 1.2.2 10.3.2. */
static enum err_code resolve_plain(struct reader *r, struct val *v) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    static const char *const not_finite[] = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", NULL};
    const char *s = v->u.s;
    const char *unsigned_s = s + (*s == '-' || *s == '+' ? 1 : 0);
    bool is_int;
    int base;
    if (is_one_of(s, nulls)) {
        v->type = VAL_NULL;
    } else if (is_one_of(s, yes) || is_one_of(s, no)) {
        v->type = VAL_BOOL;
        v->u.b = is_one_of(s, yes);
    } else if (is_one_of(unsigned_s, not_finite)) {
        return bad(r, "only finite numbers are allowed");
    } else if (is_based(s, &base)) {
        return read_int(r, s + 2, base, v);
    } else if (is_number(s, &is_int)) {
        /* YAML reads 0101 as 101, which ruins codes; whoever writes it nearly always means the
         * text. */
        if (unsigned_s[0] == '0' && unsigned_s[1] >= '0' && unsigned_s[1] <= '9')
            return bad(r,
                       "a number with a leading 0: quote it if it is a code, else leave out the 0");
        if (is_int) return read_int(r, s, 10, v);
        v->type = VAL_DOUBLE;
        v->u.d = strtod(s, NULL);
        if (!isfinite(v->u.d)) return bad(r, "the number is too large");
    }
    if (v->type != VAL_STR) v->n = 0;
    return ERR_OK;
}

/* The text of the current scalar event. */
static enum err_code scalar_text(struct reader *r, const char **out, size_t *n) {
    *n = r->event.data.scalar.length;
    const char *p = (const char *)r->event.data.scalar.value;
    if (memchr(p, '\0', *n) != NULL) return bad(r, "NUL is not allowed in text");
    *out = arena_dup(r->a, p, *n);
    return *out == NULL ? no_memory(r) : ERR_OK;
}

static enum err_code refuse_props(struct reader *r, const yaml_char_t *anchor,
                                  const yaml_char_t *tag) {
    if (anchor != NULL) return bad(r, "anchors are not allowed: write the value where it is used");
    if (tag != NULL) return bad(r, "tags are not allowed");
    return ERR_OK;
}

static enum err_code read_node(struct reader *r, unsigned depth, struct val *out);

static enum err_code read_list(struct reader *r, unsigned depth, struct val *out) {
    struct link *head = NULL, **tail = &head;
    size_t n = 0;
    TRY(next(r));
    for (; r->event.type != YAML_SEQUENCE_END_EVENT; n++) {
        struct link *l = ARENA_NEW(r->a, struct link, 1);
        if (l == NULL) return no_memory(r);
        TRY(read_node(r, depth, &l->pair.v));
        TRY(next(r));
        *tail = l;
        tail = &l->next;
    }
    out->type = VAL_LIST;
    out->n = n;
    out->u.list = ARENA_NEW(r->a, struct val, n);
    if (out->u.list == NULL) return no_memory(r);
    for (size_t i = 0; head != NULL; head = head->next) out->u.list[i++] = head->pair.v;
    return ERR_OK;
}

static int by_key(const void *a, const void *b) {
    const struct val_pair *const *pa = a, *const *pb = b;
    int c = strcmp((*pa)->key, (*pb)->key);
    if (c != 0) return c;
    return *pa < *pb ? -1 : *pa > *pb ? 1 : 0; /* source order within one array */
}

/* Sorting keeps a map of many keys from costing the square of their number. */
static enum err_code refuse_duplicates(struct reader *r, const struct val *map) {
    if (map->n < 2) return ERR_OK;
    const struct val_pair **sorted = ARENA_NEW(r->a, const struct val_pair *, map->n);
    if (sorted == NULL) return no_memory(r);
    for (size_t i = 0; i < map->n; i++) sorted[i] = &map->u.map[i];
    qsort(sorted, map->n, sizeof sorted[0], by_key);
    const struct val_pair *first = NULL;
    for (size_t i = 1; i < map->n; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0) continue;
        if (first == NULL || sorted[i] < first) first = sorted[i];
    }
    if (first == NULL) return ERR_OK;
    return err_fail(r->err, ERR_SYNTAX, "%.200s:%d:%d: duplicate key \"%.60s\"", r->name,
                    first->line, first->col, first->key);
}

static void set_position(const struct reader *r, int *line, int *col) {
    *line = (int)r->event.start_mark.line + 1;
    *col = (int)r->event.start_mark.column + 1;
}

static enum err_code read_pair(struct reader *r, unsigned depth, struct val_pair *pair) {
    size_t n;
    if (r->event.type == YAML_ALIAS_EVENT) return bad(r, "aliases are not allowed");
    if (r->event.type != YAML_SCALAR_EVENT) return bad(r, "a key must be plain text");
    TRY(refuse_props(r, r->event.data.scalar.anchor, r->event.data.scalar.tag));
    set_position(r, &pair->line, &pair->col);
    TRY(scalar_text(r, &pair->key, &n));
    TRY(next(r));
    TRY(read_node(r, depth, &pair->v));
    return next(r);
}

static enum err_code read_map(struct reader *r, unsigned depth, struct val *out) {
    struct link *head = NULL, **tail = &head;
    size_t n = 0;
    TRY(next(r));
    for (; r->event.type != YAML_MAPPING_END_EVENT; n++) {
        struct link *l = ARENA_NEW(r->a, struct link, 1);
        if (l == NULL) return no_memory(r);
        TRY(read_pair(r, depth, &l->pair));
        *tail = l;
        tail = &l->next;
    }
    out->type = VAL_MAP;
    out->n = n;
    out->u.map = ARENA_NEW(r->a, struct val_pair, n);
    if (out->u.map == NULL) return no_memory(r);
    for (size_t i = 0; head != NULL; head = head->next) out->u.map[i++] = head->pair;
    return refuse_duplicates(r, out);
}

static enum err_code read_scalar(struct reader *r, struct val *out) {
    TRY(refuse_props(r, r->event.data.scalar.anchor, r->event.data.scalar.tag));
    out->type = VAL_STR;
    TRY(scalar_text(r, &out->u.s, &out->n));
    return r->event.data.scalar.plain_implicit ? resolve_plain(r, out) : ERR_OK;
}

/* The node that begins with the current event; on success its last event is current. */
static enum err_code read_node(struct reader *r, unsigned depth, struct val *out) {
    set_position(r, &out->line, &out->col);
    if (depth == YAML_MAX_DEPTH && r->event.type != YAML_SCALAR_EVENT)
        return fail_at(r, ERR_LIMIT, r->event.start_mark, "nested more than 32 deep");
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, out);
    case YAML_ALIAS_EVENT:
        return bad(r, "aliases are not allowed");
    case YAML_SEQUENCE_START_EVENT:
        TRY(refuse_props(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag));
        return read_list(r, depth + 1, out);
    case YAML_MAPPING_START_EVENT:
        TRY(refuse_props(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag));
        return read_map(r, depth + 1, out);
    default:
        return bad(r, "a value was expected");
    }
}

static enum err_code read_stream(struct reader *r, struct val *out) {
    TRY(next(r)); /* stream start */
    TRY(next(r));
    set_position(r, &out->line, &out->col);
    if (r->event.type == YAML_STREAM_END_EVENT) return ERR_OK; /* empty: null */
    TRY(next(r));
    TRY(read_node(r, 0, out));
    TRY(next(r)); /* document end */
    TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT) return bad(r, "a second document is not allowed");
    return ERR_OK;
}

enum err_code yaml_parse(struct arena *a, const char *name, const char *p, size_t n,
                         const struct val **out, struct err *err) {
    *out = NULL;
    struct reader r = {.a = a, .name = name, .err = err};
    if (n > YAML_MAX_BYTES) return err_fail(err, ERR_LIMIT, "%.200s: more than 1 MiB", name);
    if (!utf8_valid(p, n))
        return err_fail(err, ERR_SYNTAX, "%.200s: the text is not valid UTF-8", name);
    struct val *v = ARENA_NEW(a, struct val, 1);
    if (v == NULL) return no_memory(&r);
    if (yaml_parser_initialize(&r.parser) == 0) return no_memory(&r);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)p, n);
    enum err_code rc = read_stream(&r, v);
    if (r.has_event) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (rc == ERR_OK) *out = v;
    return rc;
}

enum err_code yaml_load(struct arena *a, const char *path, const struct val **out,
                        struct err *err) {
    struct buf b;
    *out = NULL;
    buf_init(&b, YAML_MAX_BYTES);
    enum err_code rc = file_read(path, &b, err);
    if (rc == ERR_TOO_LARGE) rc = err_fail(err, ERR_LIMIT, "%.200s: more than 1 MiB", path);
    if (rc == ERR_OK) rc = yaml_parse(a, path, buf_text(&b), b.n, out, err);
    buf_deinit(&b);
    return rc;
}
