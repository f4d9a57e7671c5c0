#include "domain/process/import_row.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/process/import_time.h"

enum { SOURCE_CLASS_MAX = 200 }; /* packs/cases/types/case.yaml */

/* ---- header ---- */

static enum err_code find(const struct csv_record *r, const char *name, int *out, struct err *err) {
    *out = -1;
    if (name == NULL) return ERR_OK;
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->field[i], name) != 0) continue;
        if (*out >= 0)
            return err_fail(err, ERR_INVALID, "column \"%.80s\" stands twice in the table", name);
        *out = (int)i;
    }
    return *out >= 0 ? ERR_OK
                     : err_fail(err, ERR_INVALID,
                                "the table has no column \"%.80s\", which the map names", name);
}

enum err_code import_head_read(const struct case_map *m, const struct csv_record *r,
                               struct import_head *out, struct err *err) {
    for (size_t i = 0; i < r->n; i++) {
        const char *row = refuse_name(r->field[i]);
        if (row != NULL) {
            return err_fail(err, ERR_REFUSED, "column \"%.80s\" is not taken: %s", r->field[i],
                            row);
        }
    }
    for (int i = 0; i < MAP_N_COLUMNS; i++) TRY(find(r, m->columns[i], &out->column[i], err));
    TRY(find(r, m->cls.column, &out->cls, err));
    TRY(find(r, m->state.column, &out->state, err));
    TRY(find(r, m->channel.column, &out->channel, err));
    TRY(find(r, m->on_time.column, &out->on_time, err));
    for (size_t i = 0; i < m->n_fields; i++) TRY(find(r, m->fields[i].column, &out->field[i], err));
    out->n = r->n;
    return ERR_OK;
}

/* ---- one record ---- */

struct reading {
    const struct case_map *m;
    const struct engine *e;
    const struct import_head *head;
    const struct csv_record *r;
    struct arena *a;
    struct err *err;
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The value of a column without blanks around it; "" when the map has no such column. */
static enum err_code value(const struct reading *x, int column, const char **out) {
    *out = "";
    if (column < 0) return ERR_OK;
    const char *p = x->r->field[column];
    size_t n = x->r->len[column];
    while (n > 0 && is_blank(*p)) {
        p++;
        n--;
    }
    while (n > 0 && is_blank(p[n - 1])) n--;
    if (n == 0) return ERR_OK;
    *out = arena_dup(x->a, p, n);
    return *out == NULL ? err_fail(x->err, ERR_NOMEM, "import") : ERR_OK;
}

static enum err_code text(const struct reading *x, enum map_column c, const char **out) {
    const char *s = NULL;
    TRY(value(x, x->head->column[c], &s));
    *out = s[0] == '\0' ? NULL : s;
    return ERR_OK;
}

static enum err_code time_of(const struct reading *x, enum map_column c, int64_t *out) {
    const char *s = NULL;
    *out = 0;
    TRY(value(x, x->head->column[c], &s));
    if (s[0] == '\0') return ERR_OK;
    for (size_t i = 0; i < x->m->n_times; i++) {
        if (import_time_parse(x->m->times[i], s, x->m->tz, out)) return ERR_OK;
    }
    return err_fail(x->err, ERR_INVALID, "%s \"%.60s\" is no time of the map's formats",
                    x->m->columns[c], s);
}

static bool degrees(const char *s, double max, double *out) {
    char *end = NULL;
    /* strtod alone would take hexadecimal, "inf" and "nan". */
    if (s[strspn(s, "+-.0123456789eE")] != '\0') return false;
    *out = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(*out) && fabs(*out) <= max;
}

static enum err_code place_of(const struct reading *x, struct import_row *out) {
    const char *lon = NULL, *lat = NULL;
    TRY(value(x, x->head->column[MAP_lon], &lon));
    TRY(value(x, x->head->column[MAP_lat], &lat));
    if (lon[0] == '\0' && lat[0] == '\0') {
        if (!out->cls->needs_place) return ERR_OK;
        return err_fail(x->err, ERR_INVALID,
                        "a case of class %s needs a place, and lon and lat are blank",
                        out->cls->id);
    }
    if (!degrees(lon, 180, &out->lon) || !degrees(lat, 90, &out->lat)) {
        return err_fail(x->err, ERR_INVALID, "\"%.40s\", \"%.40s\" are no longitude and latitude",
                        lon, lat);
    }
    /* What systems write that have no place. */
    if (out->lon == 0 && out->lat == 0) {
        return err_fail(x->err, ERR_INVALID, "0, 0 lies in the sea: the place is missing");
    }
    crs_to_wgs84(x->m->crs, &out->lon, &out->lat);
    out->has_place = true;
    return ERR_OK;
}

static enum err_code word_of(const struct reading *x, const struct map_words *w, int column,
                             const char **out) {
    const char *s = NULL;
    TRY(value(x, column, &s));
    *out = map_word(w, s);
    if (*out != NULL) return ERR_OK;
    return err_fail(x->err, ERR_INVALID, "%s \"%.80s\" is not in the map's words", w->column, s);
}

static enum err_code class_and_state(const struct reading *x, struct import_row *out) {
    const char *id = NULL, *state = NULL;
    TRY(word_of(x, &x->m->cls, x->head->cls, &id));
    TRY(word_of(x, &x->m->state, x->head->state, &state));
    out->cls = pack_class(x->e->packs, id);
    const struct process_def *p =
        out->cls == NULL ? NULL : pack_process(x->e->packs, out->cls->process);
    out->state = p == NULL ? NULL : process_state(p, state);
    if (out->state == NULL)
        return err_fail(x->err, ERR_INTERNAL, "the map was not checked against these packs");
    return ERR_OK;
}

static enum err_code times(const struct reading *x, int64_t now_us, struct import_row *out) {
    TRY(time_of(x, MAP_opened, &out->opened_us));
    TRY(time_of(x, MAP_due, &out->due_us));
    TRY(time_of(x, MAP_closed, &out->closed_us));
    const char *closed = x->m->columns[MAP_closed];
    if (out->opened_us == 0)
        return err_fail(x->err, ERR_INVALID, "%s is blank", x->m->columns[MAP_opened]);
    if (out->opened_us > now_us || out->closed_us > now_us) {
        return err_fail(x->err, ERR_INVALID, "it was opened or closed in the future");
    }
    if (out->state->final && out->closed_us == 0) {
        return err_fail(x->err, ERR_INVALID, "the state says closed, but %s is blank",
                        closed == NULL ? "the closing time" : closed);
    }
    if (!out->state->final && out->closed_us != 0) {
        return err_fail(x->err, ERR_INVALID, "the state says open, but %s is set", closed);
    }
    if (out->closed_us != 0 && out->closed_us < out->opened_us) {
        return err_fail(x->err, ERR_INVALID, "it was closed before it was opened");
    }
    return ERR_OK;
}

bool import_overdue(int64_t due_us, int64_t closed_us, int64_t as_of_us) {
    return due_us != 0 && (closed_us != 0 ? closed_us : as_of_us) > due_us;
}

static enum err_code lateness(const struct reading *x, int64_t now_us, struct import_row *out) {
    const char *s = NULL;
    out->overdue =
        import_overdue(out->due_us, out->closed_us, x->m->as_of_us != 0 ? x->m->as_of_us : now_us);
    TRY(value(x, x->head->on_time, &s));
    if (s[0] == '\0') return ERR_OK;
    const char *word = NULL;
    TRY(word_of(x, &x->m->on_time, x->head->on_time, &word));
    out->said = strcmp(word, MAP_OVERDUE) == 0 ? IMPORT_SAID_OVERDUE : IMPORT_SAID_ON_TIME;
    return ERR_OK;
}

/* ---- the city's own fields ---- */

static enum err_code own_value(const struct reading *x, const struct field_def *f, const char *s,
                               struct val *out) {
    char *end = NULL;
    errno = 0;
    if (f->kind == FIELD_INT) {
        *out = (struct val){.type = VAL_INT, .u.i = strtoll(s, &end, 10)};
    } else if (f->kind == FIELD_NUMBER) {
        *out = (struct val){.type = VAL_DOUBLE};
        return degrees(s, 1e300, &out->u.d)
                   ? ERR_OK
                   : err_fail(x->err, ERR_INVALID, "%s \"%.60s\" is no number", f->name, s);
    } else if (f->kind == FIELD_BOOL) {
        bool yes = strcmp(s, "1") == 0 || strcmp(s, "true") == 0 || strcmp(s, "Y") == 0 ||
                   strcmp(s, "yes") == 0;
        *out = (struct val){.type = VAL_BOOL, .u.b = yes};
        return ERR_OK;
    } else {
        *out = (struct val){.type = VAL_STR, .n = strlen(s), .u.s = s};
        return ERR_OK;
    }
    bool good = end != s && *end == '\0' && errno == 0;
    return good ? ERR_OK
                : err_fail(x->err, ERR_INVALID, "%s \"%.60s\" is no whole number", f->name, s);
}

static enum err_code own_fields(const struct reading *x, struct import_row *out) {
    if (x->m->n_fields == 0) return ERR_OK;
    struct val *v = ARENA_NEW(x->a, struct val, 1);
    struct val_pair *pairs = ARENA_NEW(x->a, struct val_pair, x->m->n_fields);
    if (v == NULL || pairs == NULL) return err_fail(x->err, ERR_NOMEM, "import");
    size_t n = 0;
    for (size_t i = 0; i < x->m->n_fields; i++) {
        const struct field_def *f = &x->e->case_type->fields[x->m->fields[i].field];
        const char *s = NULL;
        TRY(value(x, x->head->field[i], &s));
        if (s[0] == '\0') continue;
        pairs[n].key = f->name;
        TRY(own_value(x, f, s, &pairs[n++].v));
    }
    *v = (struct val){.type = VAL_MAP, .n = n, .u.map = pairs};
    out->extra = v;
    return ERR_OK;
}

enum err_code import_row_read(const struct case_map *m, const struct engine *e,
                              const struct import_head *head, const struct csv_record *r,
                              int64_t now_us, struct arena *a, struct import_row *out,
                              struct err *err) {
    const struct reading x = {m, e, head, r, a, err};
    *out = (struct import_row){0};
    if (r->n != head->n) {
        return err_fail(err, ERR_INVALID, "%zu fields; the header has %zu", r->n, head->n);
    }
    TRY(value(&x, head->column[MAP_id], &out->id));
    if (out->id[0] == '\0') return err_fail(err, ERR_INVALID, "%s is blank", m->columns[MAP_id]);
    if (strlen(out->id) > 120)
        return err_fail(err, ERR_INVALID, "%s is longer than 120 bytes", m->columns[MAP_id]);
    TRY(class_and_state(&x, out));
    TRY(times(&x, now_us, out));
    TRY(lateness(&x, now_us, out));
    TRY(place_of(&x, out));
    TRY(text(&x, MAP_place, &out->place));
    TRY(text(&x, MAP_description, &out->description));
    TRY(text(&x, MAP_source_class, &out->source_class));
    if (out->source_class != NULL && strlen(out->source_class) > SOURCE_CLASS_MAX) {
        return err_fail(err, ERR_INVALID, "%s is longer than %d bytes",
                        m->columns[MAP_source_class], SOURCE_CLASS_MAX);
    }
    TRY(word_of(&x, &m->channel, head->channel, &out->channel));
    return own_fields(&x, out);
}
