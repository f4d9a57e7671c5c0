#include "base/csv.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* The window holds what was read and not yet handed out. A record may span lines, so it is found
 * first, line by line, and split afterwards. When it turns out to be wrong only its first line is
 * consumed: a quote that is never closed costs one line and not the rest of the file. */
struct csv_reader {
    FILE *in;
    char separator;
    bool eof, begun;
    char *w;
    size_t start, end, cap; /* invariant: start <= end <= cap */
    long line;              /* 1-based line of w[start] */
    char *text;             /* the fields of the current record, each with a NUL */
    size_t text_cap;
    const char *field[CSV_MAX_FIELDS];
    size_t len[CSV_MAX_FIELDS];
};

static const char bom[] = "\xEF\xBB\xBF";

enum state { AT_FIELD, PLAIN, QUOTED, CLOSED };

/* A line with both its end's bytes may stand beside a record of full size. */
enum { RECORD_ROOM = CSV_MAX_RECORD + 2 };

struct csv_reader *csv_reader_new(FILE *in, char separator) {
    struct csv_reader *r = mem_new(1, sizeof *r);
    if (r == NULL) return NULL;
    r->in = in;
    r->separator = separator;
    r->line = 1;
    return r;
}

void csv_reader_free(struct csv_reader *r) {
    if (r == NULL) return;
    mem_free(r->w);
    mem_free(r->text);
    mem_free(r);
}

static enum err_code no_memory(struct err *err) {
    return err_fail(err, ERR_NOMEM, "CSV: out of memory");
}

/* Without a lock a byte: while it reads, the reader is the file's only user. */
static int next_byte(FILE *in) { return getc_unlocked(in); } // NOLINT(concurrency-mt-unsafe)

/* Room for one more byte at the end of the window. */
static bool make_room(struct csv_reader *r) {
    if (r->end < r->cap) return true;
    if (r->w != NULL && r->start > r->cap / 2) {
        memmove(r->w, r->w + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
        return true;
    }
    size_t cap = r->cap == 0 ? 4096 : r->cap * 2;
    char *w = mem_resize(r->w, cap, 1);
    if (w == NULL) return false;
    r->w = w;
    r->cap = cap;
    return true;
}

/* Length with its line end of the line that begins `from` bytes after the start; 0 at the end of
 * the input. Reads what is missing. ERR_LIMIT when the record so far and this line are too large
 * together. */
static enum err_code line_length(struct csv_reader *r, size_t from, size_t *n, struct err *err) {
    const char *p = r->end > r->start + from ? r->w + r->start + from : NULL;
    const char *lf = p == NULL ? NULL : memchr(p, '\n', r->end - r->start - from);
    while (lf == NULL && !r->eof && r->end - r->start <= RECORD_ROOM) {
        if (!make_room(r)) return no_memory(err);
        int c = next_byte(r->in);
        r->eof = c == EOF;
        if (c == EOF) break;
        r->w[r->end++] = (char)c;
        if (c == '\n') lf = r->w + r->end - 1;
    }
    if (lf == NULL && r->eof && ferror(r->in) != 0)
        return err_fail(err, ERR_IO, "CSV: cannot read line %ld", r->line);
    p = r->w == NULL ? NULL : r->w + r->start + from;
    *n = lf != NULL ? (size_t)(lf - p) + 1 : r->end - r->start - from;
    if (from + *n > RECORD_ROOM)
        return err_fail(err, ERR_LIMIT, "CSV, line %ld: the record is larger than 1 MiB", r->line);
    return ERR_OK;
}

static size_t without_end(const char *p, size_t n) {
    if (n == 0 || p[n - 1] != '\n') return n;
    return n >= 2 && p[n - 2] == '\r' ? n - 2 : n - 1;
}

/* Wrong at byte `at` of a line; columns are told in characters. */
static enum err_code wrong_at(long line, const char *p, size_t at, const char *what,
                              struct err *err) {
    return err_fail(err, ERR_SYNTAX, "CSV, line %ld, column %zu: %s", line, utf8_count(p, at) + 1,
                    what);
}

/* Runs the quoting rules over one line's content. */
static enum err_code scan(long line, char separator, const char *p, size_t n, enum state *state,
                          struct err *err) {
    enum state s = *state;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (s == QUOTED) {
            if (c == '"') s = CLOSED;
        } else if (c == '"') {
            if (s == PLAIN)
                return wrong_at(line, p, i, "a quote inside a field that does not begin with one",
                                err);
            s = QUOTED; /* the first of a field, or the second of a doubled one */
        } else if (c == separator) {
            s = AT_FIELD;
        } else if (s == CLOSED) {
            return wrong_at(line, p, i, "text after a closing quote", err);
        } else {
            s = PLAIN;
        }
    }
    *state = s;
    return ERR_OK;
}

/* The same at byte `at` of the record at the start of the window. */
static enum err_code wrong_in(const struct csv_reader *r, size_t at, const char *what,
                              struct err *err) {
    const char *p = r->w + r->start;
    size_t from = 0;
    long line = r->line;
    for (size_t i = 0; i < at; i++) {
        if (p[i] != '\n') continue;
        from = i + 1;
        line++;
    }
    return wrong_at(line, p + from, at - from, what, err);
}

/* Where the field begins that is still quoted after n bytes of the record. */
static size_t opening(const struct csv_reader *r, size_t n) {
    const char *p = r->w + r->start;
    bool inside = false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '"') continue;
        if (!inside && (i == 0 || p[i - 1] != '"')) at = i;
        inside = !inside;
    }
    return at;
}

/* The extent of the record at the start of the window: its bytes with the line end, and its lines.
 */
static enum err_code find_record(struct csv_reader *r, size_t *n, long *n_line, struct err *err) {
    enum state state = AT_FIELD;
    *n = 0;
    *n_line = 0;
    do {
        size_t len;
        TRY(line_length(r, *n, &len, err));
        if (len == 0 && state == QUOTED)
            return wrong_in(r, opening(r, *n), "a quote opens here and is never closed", err);
        if (len == 0) return ERR_OK;
        const char *p = r->w + r->start + *n;
        const char *nul = memchr(p, '\0', len);
        if (nul != NULL)
            return wrong_at(r->line + *n_line, p, (size_t)(nul - p), "a NUL byte", err);
        TRY(scan(r->line + *n_line, r->separator, p, without_end(p, len), &state, err));
        *n += len;
        ++*n_line;
    } while (state == QUOTED);
    if (utf8_valid(r->w + r->start, *n)) return ERR_OK;
    size_t at = 0, step = 0;
    uint32_t cp = 0;
    while ((step = utf8_next(r->w + r->start + at, *n - at, &cp)) > 0) at += step;
    return wrong_in(r, at, "not valid UTF-8 (a file in GBK or GB 18030 must be converted first)",
                    err);
}

/* Copies one field without its quotes to *to; returns where the record goes on. */
static size_t copy_field(const struct csv_reader *r, const char *raw, size_t n, size_t i,
                         char **to) {
    char *out = *to;
    if (i < n && raw[i] == '"') {
        for (i++; i < n; i++) {
            if (raw[i] == '"' && (i + 1 == n || raw[i + 1] != '"')) break;
            if (raw[i] == '"') i++;
            *out++ = raw[i];
        }
        i++;
    } else {
        const char *sep = i < n ? memchr(raw + i, r->separator, n - i) : NULL;
        size_t len = sep == NULL ? n - i : (size_t)(sep - raw) - i;
        if (len > 0) memcpy(out, raw + i, len);
        out += len;
        i += len;
    }
    *to = out;
    return i;
}

static enum err_code split(struct csv_reader *r, const char *raw, size_t n, size_t *n_field,
                           struct err *err) {
    if (r->text_cap < n + 1) {
        size_t cap = r->text_cap == 0 ? 4096 : r->text_cap;
        while (cap < n + 1) cap *= 2;
        char *text = mem_resize(r->text, cap, 1);
        if (text == NULL) return no_memory(err);
        r->text = text;
        r->text_cap = cap;
    }
    char *to = r->text;
    size_t k = 0;
    /* Each field takes at least the byte of its separator or of the record's end, so the text
     * always fits. */
    for (size_t i = 0;; i++) {
        if (k == CSV_MAX_FIELDS)
            return err_fail(err, ERR_LIMIT, "CSV, line %ld: more than %d fields", r->line,
                            (int)CSV_MAX_FIELDS);
        r->field[k] = to;
        i = copy_field(r, raw, n, i, &to);
        r->len[k] = (size_t)(to - r->field[k]);
        *to++ = '\0';
        k++;
        if (i >= n) break;
    }
    *n_field = k;
    return ERR_OK;
}

static void consume(struct csv_reader *r, size_t n, long n_line) {
    r->start += n;
    r->line += n_line;
    if (r->start == r->end) r->start = r->end = 0;
}

/* Hands out the first line as it stood and leaves the reader at the next one. */
static void skip_line(struct csv_reader *r, struct csv_record *out) {
    const char *p = r->w == NULL ? "" : r->w + r->start;
    size_t left = r->end - r->start;
    const char *lf = left == 0 ? NULL : memchr(p, '\n', left);
    size_t n = lf == NULL ? left : (size_t)(lf - p) + 1;
    out->raw = p;
    out->raw_n = without_end(p, n);
    if (out->raw_n > CSV_MAX_RECORD) out->raw_n = CSV_MAX_RECORD;
    /* The bytes of the line stay in the window until the next read. */
    r->start += n;
    r->line++;
    while (lf == NULL && !r->eof) {
        int c = next_byte(r->in);
        if (c == EOF) r->eof = true;
        if (c == '\n') break;
    }
}

/* The first three bytes may be a byte-order mark. */
static enum err_code skip_bom(struct csv_reader *r, struct err *err) {
    size_t n;
    if (r->begun) return ERR_OK;
    enum err_code rc = line_length(r, 0, &n, err);
    if (rc != ERR_OK && rc != ERR_LIMIT) return rc;
    r->begun = true;
    if (r->end >= 3 && memcmp(r->w, bom, 3) == 0) r->start = 3;
    return ERR_OK;
}

enum err_code csv_read(struct csv_reader *r, struct csv_record *out, bool *more, struct err *err) {
    size_t n = 0;
    long n_line = 0;
    *more = false;
    *out = (struct csv_record){.raw = "", .line = r->line};
    if (r->start == r->end) r->start = r->end = 0;
    TRY(skip_bom(r, err));
    enum err_code rc;
    for (;;) {
        out->line = r->line;
        rc = find_record(r, &n, &n_line, err);
        if (rc != ERR_OK || n == 0 || without_end(r->w + r->start, n) > 0) break;
        consume(r, n, n_line);
    }
    if (rc == ERR_OK && n == 0) return ERR_OK;
    const char *raw = r->w + r->start;
    size_t raw_n = rc == ERR_OK ? without_end(raw, n) : 0;
    if (rc == ERR_OK) rc = split(r, raw, raw_n, &out->n, err);
    if (rc == ERR_SYNTAX || rc == ERR_LIMIT) {
        *more = true;
        skip_line(r, out);
    }
    if (rc != ERR_OK) return rc;
    out->field = r->field;
    out->len = r->len;
    out->raw = raw;
    out->raw_n = raw_n;
    *more = true;
    r->start += n;
    r->line += n_line;
    return ERR_OK;
}

/* A field that begins with a byte-order mark would lose it as the first of a file. */
static bool needs_quotes(const char *s) {
    return s[strcspn(s, ",\"\r\n")] != '\0' || strncmp(s, bom, strlen(bom)) == 0;
}

static void add_quoted(struct buf *b, const char *s) {
    buf_char(b, '"');
    for (const char *q; (q = strchr(s, '"')) != NULL; s = q + 1) {
        buf_add(b, s, (size_t)(q - s) + 1);
        buf_char(b, '"');
    }
    buf_str(b, s);
    buf_char(b, '"');
}

void csv_field(struct buf *b, const char *s, bool first) {
    if (!first) buf_char(b, ',');
    /* A record of one empty field would otherwise be an empty line, which readers skip. */
    if (needs_quotes(s) || (first && s[0] == '\0'))
        add_quoted(b, s);
    else
        buf_str(b, s);
}

void csv_safe_field(struct buf *b, const char *s, bool first) {
    if (s[0] == '\0' || strchr("=+-@\t\r", s[0]) == NULL) {
        csv_field(b, s, first);
        return;
    }
    if (!first) buf_char(b, ',');
    if (needs_quotes(s)) {
        size_t at = b->n;
        add_quoted(b, s);
        /* The apostrophe goes behind the opening quote. */
        if (buf_room(b, 1) == NULL) {
            b->failed = true;
            return;
        }
        memmove(b->p + at + 2, b->p + at + 1, b->n - at - 1);
        b->p[at + 1] = '\'';
        b->p[++b->n] = '\0';
        return;
    }
    buf_char(b, '\'');
    buf_str(b, s);
}

void csv_end(struct buf *b) { buf_char(b, '\n'); }
