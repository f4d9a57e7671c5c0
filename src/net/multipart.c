#include "net/multipart.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

/* What is being read; pos only grows, every access is checked against end. */
struct reader {
    struct arena *a;
    const char *begin, *p, *end;
    char delimiter[MULTIPART_MAX_BOUNDARY + 5]; /* CR LF -- boundary */
    size_t delimiter_n;
};

static bool is_boundary_char(unsigned char c) {
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return true;
    return c != '\0' && strchr("'()+_,-./:=? ", c) != NULL;
}

static const char *skip_space(const char *p) { return p + strspn(p, " \t"); }

/* "value" or value at *p, into out (cap bytes); *p moves behind it. Only \" and \\ are taken as
 * escapes, since browsers send the lone backslashes of a Windows path as they are. */
static bool read_value(const char **p, char *out, size_t cap) {
    const char *q = *p;
    size_t m = 0;
    bool quoted = *q == '"';
    const char *stops = quoted ? "\"" : "; \t";
    if (quoted) q++;
    for (; *q != '\0' && strchr(stops, *q) == NULL; q++) {
        if (quoted && *q == '\\' && (q[1] == '"' || q[1] == '\\')) q++;
        if (m + 1 >= cap) return false;
        out[m++] = *q;
    }
    out[m] = '\0';
    if (quoted && *q++ != '"') return false;
    *p = q;
    return true;
}

/* One "; name=value" of a header: *p moves behind it, the name comes in lower case. false:
 * malformed or too long. */
static bool read_parameter(const char **p, char *name, size_t name_cap, char *out, size_t cap) {
    const char *q = skip_space(*p);
    if (*q != ';') return false;
    q = skip_space(q + 1);
    size_t n = strcspn(q, "= \t;\"");
    if (n == 0 || n >= name_cap) return false;
    for (size_t i = 0; i < n; i++) name[i] = (char)(q[i] >= 'A' && q[i] <= 'Z' ? q[i] + 32 : q[i]);
    name[n] = '\0';
    q = skip_space(q + n);
    if (*q != '=') return false;
    *p = skip_space(q + 1);
    return read_value(p, out, cap);
}

static enum err_code read_boundary(struct reader *r, const char *content_type, struct err *err) {
    static const char type[] = "multipart/form-data";
    char name[32], value[MULTIPART_MAX_BOUNDARY + 1];
    if (content_type == NULL || strncasecmp(content_type, type, sizeof type - 1) != 0)
        return err_fail(err, ERR_UNSUPPORTED, "multipart/form-data is expected");
    const char *p = content_type + sizeof type - 1;
    bool found = false;
    while (*skip_space(p) != '\0' && !found) {
        if (!read_parameter(&p, name, sizeof name, value, sizeof value))
            return err_fail(err, ERR_SYNTAX, "malformed Content-Type of a multipart body");
        found = strcmp(name, "boundary") == 0;
    }
    size_t n = found ? strlen(value) : 0;
    if (n == 0 || value[n - 1] == ' ')
        return err_fail(err, ERR_SYNTAX, "a multipart body without a boundary");
    for (size_t i = 0; i < n; i++)
        if (!is_boundary_char((unsigned char)value[i]))
            return err_fail(err, ERR_SYNTAX, "bad character in the multipart boundary");
    memcpy(r->delimiter, "\r\n--", 4);
    memcpy(r->delimiter + 4, value, n);
    r->delimiter_n = n + 4;
    return ERR_OK;
}

static size_t offset(const struct reader *r) { return (size_t)(r->p - r->begin); }

/* The value of a header line of this name within the part's head (NUL-terminated text), or NULL. */
static const char *field_of(struct arena *a, const char *head, const char *name) {
    size_t name_n = strlen(name);
    for (const char *line = head; *line != '\0';) {
        size_t n = strcspn(line, "\r\n");
        if (n > name_n && line[name_n] == ':' && strncasecmp(line, name, name_n) == 0) {
            const char *v = line + name_n + 1;
            size_t v_n = n - name_n - 1;
            while (v_n > 0 && (*v == ' ' || *v == '\t')) {
                v++;
                v_n--;
            }
            return arena_dup(a, v, v_n);
        }
        line += n;
        line += strspn(line, "\r\n");
    }
    return NULL;
}

static const char *base_name(const char *path) {
    const char *base = path;
    for (const char *p = path; *p != '\0'; p++)
        if (*p == '/' || *p == '\\') base = p + 1;
    return base;
}

static bool has_control(const char *s) {
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return true;
    return false;
}

static enum err_code read_disposition(struct reader *r, const char *value,
                                      struct multipart_part *out, struct err *err) {
    char name[32], text[MULTIPART_MAX_HEADER];
    static const char kind[] = "form-data";
    if (value == NULL || strncasecmp(value, kind, sizeof kind - 1) != 0)
        return err_fail(err, ERR_SYNTAX,
                        "a part without Content-Disposition: form-data at byte %zu", offset(r));
    const char *p = value + sizeof kind - 1;
    while (*skip_space(p) != '\0') {
        if (!read_parameter(&p, name, sizeof name, text, sizeof text))
            return err_fail(err, ERR_SYNTAX, "malformed Content-Disposition at byte %zu",
                            offset(r));
        bool is_name = strcmp(name, "name") == 0, is_file = strcmp(name, "filename") == 0;
        if (!is_name && !is_file) continue;
        if (!utf8_valid(text, strlen(text)) || has_control(text))
            return err_fail(err, ERR_SYNTAX, "the name of a part is no plain UTF-8 at byte %zu",
                            offset(r));
        const char *copy = arena_strdup(r->a, is_file ? base_name(text) : text);
        if (copy == NULL) return err_fail(err, ERR_NOMEM, "no memory for a part");
        *(is_file ? &out->filename : &out->name) = copy;
    }
    if (out->name == NULL || out->name[0] == '\0')
        return err_fail(err, ERR_SYNTAX, "a part without a name at byte %zu", offset(r));
    return ERR_OK;
}

/* The head of a part, up to and with its empty line. */
static enum err_code read_head(struct reader *r, struct multipart_part *out, struct err *err) {
    size_t left = (size_t)(r->end - r->p);
    size_t look = left < MULTIPART_MAX_HEADER ? left : MULTIPART_MAX_HEADER;
    const char *stop = memmem(r->p, look, "\r\n\r\n", 4);
    if (stop == NULL)
        return left > look ? err_fail(err, ERR_TOO_LARGE,
                                      "the header of a part is longer than %d bytes at byte %zu",
                                      MULTIPART_MAX_HEADER, offset(r))
                           : err_fail(err, ERR_SYNTAX,
                                      "a part without an empty line behind its header at byte %zu",
                                      offset(r));
    size_t n = (size_t)(stop - r->p);
    if (memchr(r->p, '\0', n) != NULL)
        return err_fail(err, ERR_SYNTAX, "NUL byte in the header of a part at byte %zu", offset(r));
    const char *head = arena_dup(r->a, r->p, n);
    if (head == NULL) return err_fail(err, ERR_NOMEM, "no memory for a part");
    TRY(read_disposition(r, field_of(r->a, head, "content-disposition"), out, err));
    const char *type = field_of(r->a, head, "content-type");
    char *bare = type == NULL ? NULL : arena_dup(r->a, type, strcspn(type, "; \t"));
    for (char *c = bare; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    out->type = bare == NULL ? "text/plain" : bare;
    r->p = stop + 4;
    return ERR_OK;
}

/* Behind a delimiter: *more says whether a part follows (CRLF) or the end ("--"). */
static enum err_code read_delimiter_end(struct reader *r, bool *more, struct err *err) {
    if (r->end - r->p >= 2 && r->p[0] == '-' && r->p[1] == '-') {
        *more = false; /* what follows (the epilogue) is nobody's */
        return ERR_OK;
    }
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t')) r->p++;
    if (r->end - r->p < 2 || r->p[0] != '\r' || r->p[1] != '\n')
        return err_fail(err, ERR_SYNTAX, "a line that begins like the boundary at byte %zu",
                        offset(r));
    r->p += 2;
    *more = true;
    return ERR_OK;
}

static enum err_code read_part(struct reader *r, struct multipart_part *out, bool *more,
                               struct err *err) {
    *out = (struct multipart_part){0};
    TRY(read_head(r, out, err));
    /* An empty part: the delimiter's CRLF is the one that ended the head. */
    const char *from = r->p - 2;
    const char *stop = memmem(from, (size_t)(r->end - from), r->delimiter, r->delimiter_n);
    if (stop == NULL)
        return err_fail(err, ERR_SYNTAX, "the multipart body ends without its boundary");
    out->data = r->p;
    out->n = stop < r->p ? 0 : (size_t)(stop - r->p);
    r->p = stop + r->delimiter_n;
    return read_delimiter_end(r, more, err);
}

enum err_code multipart_parse(struct arena *a, const char *content_type, const char *p, size_t n,
                              struct multipart *out, struct err *err) {
    struct reader r = {.a = a, .begin = p, .p = p, .end = p + n};
    bool more;
    *out = (struct multipart){0};
    TRY(read_boundary(&r, content_type, err));
    /* The first delimiter may stand at the very start, without the line break before it. */
    if (n >= r.delimiter_n - 2 && memcmp(p, r.delimiter + 2, r.delimiter_n - 2) == 0) {
        r.p = p + r.delimiter_n - 2;
    } else {
        const char *first = memmem(p, n, r.delimiter, r.delimiter_n);
        if (first == NULL)
            return err_fail(err, ERR_SYNTAX, "the boundary does not occur in the multipart body");
        r.p = first + r.delimiter_n;
    }
    TRY(read_delimiter_end(&r, &more, err));
    struct multipart_part *part = ARENA_NEW(a, struct multipart_part, MULTIPART_MAX_PARTS);
    if (part == NULL) return err_fail(err, ERR_NOMEM, "no memory for the parts");
    size_t count = 0;
    while (more) {
        if (count == MULTIPART_MAX_PARTS)
            return err_fail(err, ERR_TOO_LARGE, "more than %d parts", MULTIPART_MAX_PARTS);
        TRY(read_part(&r, &part[count], &more, err));
        count++;
    }
    out->part = part;
    out->n = count;
    return ERR_OK;
}

const struct multipart_part *multipart_get(const struct multipart *m, const char *name) {
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->part[i].name, name) == 0) return &m->part[i];
    return NULL;
}

enum err_code multipart_text(struct arena *a, const struct multipart *m, const char *name,
                             size_t max, const char **out, struct err *err) {
    const struct multipart_part *part = multipart_get(m, name);
    *out = NULL;
    if (part == NULL) return ERR_OK;
    if (part->n > max)
        return err_fail(err, ERR_TOO_LARGE, "field \"%s\" has %zu bytes, at most %zu", name,
                        part->n, max);
    if (memchr(part->data, '\0', part->n) != NULL || !utf8_valid(part->data, part->n))
        return err_fail(err, ERR_SYNTAX, "field \"%s\" is no UTF-8 text", name);
    *out = arena_dup(a, part->data, part->n);
    return *out == NULL ? err_fail(err, ERR_NOMEM, "no memory for a field") : ERR_OK;
}
