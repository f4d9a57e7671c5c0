#include "study/scan/source.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* ---- text ---- */

/* Two passes over the bytes: the first counts, the second fills. Invariant of the second: what the
 * first accepted is accepted. */
struct splitting {
    struct arena *a;
    const char *path;
    const char *p, *end;
    const char *line_begin;
    char separator; /* 0: blanks */
    long line;
    size_t n_rows, n_fields;
    size_t *first; /* NULL while counting */
    const char **field;
    long *column;
    long *lines;
};

static enum err_code bad(const struct splitting *s, const char *at, const char *what,
                         struct err *err) {
    return err_fail(err, ERR_SYNTAX, "%s:%ld:%ld: %s", s->path, s->line,
                    (long)(at - s->line_begin) + 1, what);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; }
static bool ends_field(const struct splitting *s, char c) {
    return s->separator == 0 ? is_blank(c) : c == s->separator;
}

static enum err_code keep(struct splitting *s, const char *begin, const char *end, bool quoted,
                          struct err *err) {
    if (s->field != NULL) {
        char *copy = arena_dup(s->a, begin, (size_t)(end - begin));
        if (copy == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", s->path);
        if (quoted) {
            char *to = copy;
            for (const char *from = copy; *from != '\0'; from++) {
                *to++ = *from;
                if (*from == '"') from++; /* a doubled quote stands for one */
            }
            *to = '\0';
        }
        s->field[s->n_fields] = copy;
        s->column[s->n_fields] = (long)(begin - s->line_begin) + 1;
    }
    s->n_fields++;
    return ERR_OK;
}

/* p stands behind the opening quote. */
static enum err_code quoted_field(struct splitting *s, const char *line_end, struct err *err) {
    const char *begin = s->p;
    for (;;) {
        const char *quote = memchr(s->p, '"', (size_t)(line_end - s->p));
        if (quote == NULL) return bad(s, begin - 1, "a quoted field does not end", err);
        s->p = quote + 1;
        if (s->p < line_end && *s->p == '"') {
            s->p++;
            continue;
        }
        if (s->p < line_end && !ends_field(s, *s->p) && !is_blank(*s->p))
            return bad(s, s->p, "expected a blank behind the quoted field", err);
        return keep(s, begin, quote, true, err);
    }
}

static enum err_code plain_field(struct splitting *s, const char *line_end, struct err *err) {
    const char *begin = s->p;
    while (s->p < line_end && !ends_field(s, *s->p)) {
        if (*s->p == '"') return bad(s, s->p, "a quote inside a field", err);
        s->p++;
    }
    const char *end = s->p;
    while (end > begin && is_blank(end[-1])) end--;
    return keep(s, begin, end, false, err);
}

static enum err_code split_line(struct splitting *s, const char *line_end, struct err *err) {
    size_t before = s->n_fields;
    bool more = true;
    s->line_begin = s->p;
    while (s->p < line_end && is_blank(*s->p)) s->p++;
    if (s->p == line_end) return ERR_OK;
    while (more) {
        if (s->p < line_end && *s->p == '"') {
            s->p++;
            TRY(quoted_field(s, line_end, err));
        } else {
            TRY(plain_field(s, line_end, err));
        }
        while (s->p < line_end && is_blank(*s->p) && *s->p != s->separator) s->p++;
        more = s->separator == 0 ? s->p < line_end : s->p < line_end && *s->p == s->separator;
        if (more && s->separator != 0)
            for (s->p++; s->p < line_end && is_blank(*s->p) && *s->p != s->separator;) s->p++;
        if (s->n_fields - before > SOURCE_MAX_FIELDS)
            return err_fail(err, ERR_LIMIT, "%s:%ld: more than %d fields", s->path, s->line,
                            (int)SOURCE_MAX_FIELDS);
    }
    if (s->first != NULL) {
        s->first[s->n_rows] = before;
        s->lines[s->n_rows] = s->line;
    }
    s->n_rows++;
    return ERR_OK;
}

static enum err_code split(struct splitting *s, const char *p, size_t skip_rows, struct err *err) {
    s->p = p;
    s->line = 0;
    s->n_rows = s->n_fields = 0;
    while (s->p < s->end) {
        const char *line_end = memchr(s->p, '\n', (size_t)(s->end - s->p));
        const char *next = line_end == NULL ? s->end : line_end + 1;
        if (line_end == NULL) line_end = s->end;
        if (line_end > s->p && line_end[-1] == '\r') line_end--;
        s->line++;
        s->line_begin = s->p;
        if ((size_t)s->line > skip_rows) TRY(split_line(s, line_end, err));
        s->p = next;
    }
    if (s->first != NULL) s->first[s->n_rows] = s->n_fields;
    return ERR_OK;
}

enum err_code source_check(const char *path, const char *p, size_t n, struct err *err) {
    long line = 1, column = 1;
    for (size_t i = 0; i < n;) {
        uint32_t cp = 0;
        size_t len = utf8_next(p + i, n - i, &cp);
        if (len == 0 || cp == 0)
            return err_fail(err, ERR_SYNTAX, "%s:%ld:%ld: %s", path, line, column,
                            len == 0 ? "the bytes are not UTF-8" : "a NUL byte");
        i += len;
        column += (long)len;
        if (cp == '\n') {
            line++;
            column = 1;
        }
    }
    return ERR_OK;
}

enum err_code source_text(struct arena *a, const char *path, const char *p, size_t n,
                          char separator, size_t skip_rows, struct source *out, struct err *err) {
    static const char mark[] = "\xef\xbb\xbf";
    if (n >= 3 && memcmp(p, mark, 3) == 0) {
        p += 3;
        n -= 3;
    }
    TRY(source_check(path, p, n, err));
    struct splitting s = {
        .a = a, .path = path, .end = n == 0 ? p : p + n, .line_begin = p, .separator = separator};
    TRY(split(&s, p, skip_rows, err));
    s.first = ARENA_NEW(a, size_t, s.n_rows + 1);
    s.lines = ARENA_NEW(a, long, s.n_rows + 1);
    s.field = ARENA_NEW(a, const char *, s.n_fields + 1);
    s.column = ARENA_NEW(a, long, s.n_fields + 1);
    if (s.first == NULL || s.lines == NULL || s.field == NULL || s.column == NULL)
        return err_fail(err, ERR_NOMEM, "%s: no memory", path);
    TRY(split(&s, p, skip_rows, err));
    *out = (struct source){.path = path,
                           .n_rows = s.n_rows,
                           .first = s.first,
                           .field = s.field,
                           .column = s.column,
                           .line = s.lines};
    return ERR_OK;
}

void source_table(const struct table *t, struct source *out) {
    *out = (struct source){.path = t->path, .n_rows = t->n_row, .table = t};
}

/* ---- fields ---- */

size_t source_width(const struct source *s, size_t row) {
    return s->table != NULL ? s->table->n_col : s->first[row + 1] - s->first[row];
}

const char *source_get(const struct source *s, size_t row, size_t index) {
    if (index >= source_width(s, row)) return NULL;
    if (s->table != NULL) return table_text(s->table, row, index);
    return s->field[s->first[row] + index];
}

enum err_code source_fail(const struct source *s, size_t row, size_t index, const char *what,
                          const char *expected, struct err *err) {
    if (s->table != NULL && index < s->table->n_col)
        return table_fail(s->table, row, index, expected, err);
    const char *found = source_get(s, row, index);
    long line = s->table != NULL ? s->table->line[row] : s->line[row];
    if (found == NULL) { /* the column behind the last field */
        size_t last = s->table == NULL ? s->first[row + 1] - 1 : 0;
        long column = s->table == NULL ? s->column[last] + (long)strlen(s->field[last]) : 1;
        return err_fail(err, ERR_INVALID, "%s:%ld:%ld: %s is missing: expected %s", s->path, line,
                        column, what, expected);
    }
    return err_fail(err, ERR_INVALID, "%s:%ld:%ld: %s: expected %s, found \"%.60s\"", s->path, line,
                    s->column[s->first[row] + index], what, expected, found);
}

const char *source_at(struct arena *a, const struct source *s, size_t row, size_t index) {
    if (s->table != NULL && index < s->table->n_col)
        return arena_printf(a, "%s:%ld: column %s", s->path, s->table->line[row],
                            s->table->name[index]);
    if (s->table != NULL) return arena_printf(a, "%s:%ld:1", s->path, s->table->line[row]);
    bool there = source_get(s, row, index) != NULL;
    return arena_printf(a, "%s:%ld:%ld", s->path, s->line[row],
                        there ? s->column[s->first[row] + index] : 1L);
}

enum err_code source_number(const struct source *s, size_t row, size_t index, const char *what,
                            double min, double max, double *out, struct err *err) {
    const char *text = source_get(s, row, index);
    char *end = NULL;
    *out = text == NULL ? 0 : strtod(text, &end);
    /* strtod also takes hexadecimal, "inf" and blanks in front; a count of people is none of it. */
    bool good = text != NULL && end != text && *end == '\0' && isfinite(*out) &&
                strchr("+-.0123456789", text[0]) != NULL && strpbrk(text, "xX") == NULL;
    if (!good) return source_fail(s, row, index, what, "a number", err);
    if (*out >= min && *out <= max) return ERR_OK;
    char expected[96];
    if (isinf(max))
        (void)snprintf(expected, sizeof expected, "a number of at least %g", min);
    else
        (void)snprintf(expected, sizeof expected, "a number from %g to %g", min, max);
    return source_fail(s, row, index, what, expected, err);
}

enum err_code source_count(const struct source *s, size_t row, size_t index, const char *what,
                           int64_t max, int64_t *out, struct err *err) {
    const char *text = source_get(s, row, index);
    char *end = NULL;
    errno = 0;
    long long v = text == NULL ? 0 : strtoll(text, &end, 10);
    bool good = text != NULL && text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    if (!good) return source_fail(s, row, index, what, "a whole number of 0 or more", err);
    if (v > max) return source_fail(s, row, index, what, "a smaller number", err);
    *out = v;
    return ERR_OK;
}

enum err_code source_word(const struct source *s, size_t row, size_t index, const char *what,
                          const char **out, struct err *err) {
    *out = source_get(s, row, index);
    if (*out == NULL || **out == '\0') return source_fail(s, row, index, what, "a text", err);
    return ERR_OK;
}
