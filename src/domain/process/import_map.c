#include "domain/process/import_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "domain/process/import_time.h"

enum { MAP_MAX_BYTES = 1 << 20, NAME_MAX_BYTES = 60, COLUMN_MAX_BYTES = 200 };

struct loading {
    struct arena *a;
    const struct engine *e;
    struct case_map *m;
    struct err *err;
};

static const char *const column_names[] = {
#define X(c) #c,
    MAP_COLUMNS(X)
#undef X
        NULL};

/* Put file and line before what a reader of the value tree said. */
static enum err_code at(const struct loading *l, const struct val *v, enum err_code rc) {
    if (rc == ERR_OK || l->err == NULL) return rc;
    char said[sizeof l->err->detail];
    memcpy(said, l->err->detail, sizeof said);
    said[sizeof said - 1] = '\0';
    return err_fail(l->err, rc, "%s:%d: %.300s", l->m->file, v == NULL ? 1 : v->line, said);
}

static enum err_code text(const struct loading *l, const struct val *map, const char *key,
                          bool required, size_t max, const char **out) {
    return at(l, map, val_str(map, key, required, max, out, l->err));
}

static enum err_code only(const struct loading *l, const struct val *map,
                          const char *const *known) {
    if (map == NULL || map->type != VAL_MAP) {
        return at(l, map,
                  err_fail(l->err, ERR_INVALID, "a list of \"key: value\" is expected here"));
    }
    return at(l, map, val_only(map, known, l->err));
}

static enum err_code refuse_column(const struct loading *l, const struct val *v,
                                   const char *column) {
    const char *row = refuse_name(column);
    if (row == NULL) return ERR_OK;
    return at(l, v, err_fail(l->err, ERR_REFUSED, "column \"%s\" is not taken: %s", column, row));
}

/* ---- words ---- */

static int by_word(const void *a, const void *b) {
    return strcmp(((const struct map_word *)a)->from, ((const struct map_word *)b)->from);
}

const char *map_word(const struct map_words *w, const char *word) {
    struct map_word key = {word, NULL};
    const struct map_word *hit =
        w->n == 0 ? NULL : bsearch(&key, w->words, w->n, sizeof key, by_word);
    return hit != NULL ? hit->to : w->otherwise;
}

static enum err_code read_words(const struct loading *l, const struct val *top, const char *key,
                                bool required, struct map_words *out) {
    static const char *const known[] = {"column", "words", "otherwise", NULL};
    const struct val *v = val_get(top, key);
    if (v == NULL) {
        return required ? at(l, top, err_fail(l->err, ERR_INVALID, "\"%s\" is missing", key))
                        : ERR_OK;
    }
    TRY(only(l, v, known));
    TRY(text(l, v, "column", false, COLUMN_MAX_BYTES, &out->column));
    TRY(text(l, v, "otherwise", false, COLUMN_MAX_BYTES, &out->otherwise));
    if (out->column == NULL && out->otherwise == NULL) {
        return at(l, v,
                  err_fail(l->err, ERR_INVALID,
                           "\"%s\" needs a column, or \"otherwise\" for all rows", key));
    }
    if (out->column != NULL) TRY(refuse_column(l, v, out->column));
    const struct val *words = val_get(v, "words");
    if (words == NULL || words->type == VAL_NULL) return ERR_OK;
    if (words->type != VAL_MAP || words->n > MAP_MAX_WORDS) {
        return at(l, words,
                  err_fail(l->err, ERR_INVALID,
                           "\"words\" is a list of \"theirs: ours\", at most %d", MAP_MAX_WORDS));
    }
    struct map_word *w = ARENA_NEW(l->a, struct map_word, words->n);
    if (w == NULL) return err_fail(l->err, ERR_NOMEM, "map");
    for (size_t i = 0; i < words->n; i++) {
        const struct val_pair *p = &words->u.map[i];
        if (p->v.type != VAL_STR) {
            return at(l, &p->v,
                      err_fail(l->err, ERR_INVALID, "what \"%s\" stands for must be text", p->key));
        }
        w[i] = (struct map_word){p->key, p->v.u.s};
    }
    qsort(w, words->n, sizeof *w, by_word);
    out->words = w;
    out->n = words->n;
    return ERR_OK;
}

/* Calls fn for every word of ours that a list can give. */
static enum err_code
each_word(const struct loading *l, const struct val *v, const struct map_words *w,
          enum err_code (*fn)(const struct loading *, const struct val *, const char *)) {
    for (size_t i = 0; i < w->n; i++) TRY(fn(l, v, w->words[i].to));
    return w->otherwise != NULL ? fn(l, v, w->otherwise) : ERR_OK;
}

static enum err_code check_class(const struct loading *l, const struct val *v, const char *id) {
    if (class_is_task(id))
        return at(
            l, v,
            err_fail(l->err, ERR_INVALID, "\"%s\" is a task: the program opens those itself", id));
    if (pack_class(l->e->packs, id) != NULL) return ERR_OK;
    return at(l, v, err_fail(l->err, ERR_INVALID, "the packs have no class \"%s\"", id));
}

const struct move_def *map_move_into(const struct process_def *p, const char *state) {
    const struct state_def *s = process_state(p, state);
    if (s == NULL || s->initial) return NULL;
    for (size_t i = 0; i < p->n_moves; i++) {
        if (p->moves[i].to != NULL && strcmp(p->moves[i].to, state) == 0) return &p->moves[i];
    }
    return NULL;
}

/* Each process that a class of this map follows must know the state. */
static enum err_code check_state(const struct loading *l, const struct val *v, const char *state) {
    const struct map_words *w = &l->m->cls;
    for (size_t i = 0; i <= w->n; i++) {
        const char *id = i < w->n ? w->words[i].to : w->otherwise;
        const struct case_class *c = id == NULL ? NULL : pack_class(l->e->packs, id);
        const struct process_def *p = c == NULL ? NULL : pack_process(l->e->packs, c->process);
        if (p == NULL) continue;
        const struct state_def *s = process_state(p, state);
        if (s == NULL || (!s->initial && map_move_into(p, state) == NULL)) {
            return at(
                l, v,
                err_fail(l->err, ERR_INVALID,
                         "process \"%s\" of class %s has no state \"%s\" that a case could come to",
                         p->name, id, state));
        }
    }
    return ERR_OK;
}

static enum err_code check_on_time(const struct loading *l, const struct val *v, const char *word) {
    if (strcmp(word, MAP_ON_TIME) == 0 || strcmp(word, MAP_OVERDUE) == 0) return ERR_OK;
    return at(
        l, v,
        err_fail(l->err, ERR_INVALID, "\"%s\": expected %s or %s", word, MAP_ON_TIME, MAP_OVERDUE));
}

static enum err_code check_channel(const struct loading *l, const struct val *v, const char *word) {
    if (strlen(word) <= 40) return ERR_OK;
    return at(l, v,
              err_fail(l->err, ERR_INVALID, "channel \"%.60s\" is longer than 40 bytes", word));
}

/* ---- columns, times, fields ---- */

static enum err_code read_columns(const struct loading *l, const struct val *top) {
    const struct val *v = val_get(top, "columns");
    if (v == NULL) return at(l, top, err_fail(l->err, ERR_INVALID, "\"columns\" is missing"));
    TRY(only(l, v, column_names));
    for (int i = 0; i < MAP_N_COLUMNS; i++) {
        TRY(text(l, v, column_names[i], i == MAP_id || i == MAP_opened, COLUMN_MAX_BYTES,
                 &l->m->columns[i]));
        if (l->m->columns[i] != NULL) TRY(refuse_column(l, v, l->m->columns[i]));
    }
    if ((l->m->columns[MAP_lon] == NULL) != (l->m->columns[MAP_lat] == NULL)) {
        return at(l, v, err_fail(l->err, ERR_INVALID, "lon and lat go together"));
    }
    return ERR_OK;
}

static enum err_code read_times(const struct loading *l, const struct val *top) {
    const struct val *v = val_get(top, "times");
    if (v == NULL || v->type != VAL_LIST || v->n == 0 || v->n > MAP_MAX_TIMES) {
        return at(
            l, v == NULL ? top : v,
            err_fail(l->err, ERR_INVALID,
                     "\"times\" is a list of 1 to %d formats such as \"%%Y-%%m-%%d %%H:%%M:%%S\"",
                     MAP_MAX_TIMES));
    }
    for (size_t i = 0; i < v->n; i++) {
        const struct val *t = &v->u.list[i];
        if (t->type != VAL_STR || t->n > 60) {
            return at(l, t,
                      err_fail(l->err, ERR_INVALID, "a time format is a text of at most 60 bytes"));
        }
        TRY(at(l, t, import_time_check(t->u.s, l->err)));
        l->m->times[l->m->n_times++] = t->u.s;
    }
    return ERR_OK;
}

static enum err_code read_fields(const struct loading *l, const struct val *top) {
    const struct val *v = val_get(top, "fields");
    if (v == NULL || v->type == VAL_NULL) return ERR_OK;
    if (v->type != VAL_MAP || v->n > MAP_MAX_FIELDS) {
        return at(l, v,
                  err_fail(l->err, ERR_INVALID,
                           "\"fields\" is a list of \"field: column\", at most %d",
                           MAP_MAX_FIELDS));
    }
    struct map_field *out = ARENA_NEW(l->a, struct map_field, v->n);
    if (out == NULL) return err_fail(l->err, ERR_NOMEM, "map");
    for (size_t i = 0; i < v->n; i++) {
        const struct val_pair *p = &v->u.map[i];
        int field = type_field(l->e->case_type, p->key);
        if (field < 0 || l->e->case_type->fields[field].engine ||
            case_is_engine_column(l->e, field)) {
            return at(l, &p->v,
                      err_fail(l->err, ERR_INVALID,
                               "\"%s\" is no field of its own that the city added to cases",
                               p->key));
        }
        if (p->v.type != VAL_STR) {
            return at(
                l, &p->v,
                err_fail(l->err, ERR_INVALID, "field \"%s\": a column's name is expected", p->key));
        }
        TRY(refuse_column(l, &p->v, p->v.u.s));
        out[i] = (struct map_field){field, p->v.u.s};
    }
    l->m->fields = out;
    l->m->n_fields = v->n;
    return ERR_OK;
}

static enum err_code read_head(const struct loading *l, const struct val *top,
                               const struct tz *city_tz) {
    static const char *const title_keys[] = {"en", "zh", NULL};
    struct case_map *m = l->m;
    const char *zone = NULL, *crs = "wgs84", *separator = ",", *as_of = NULL;
    TRY(text(l, top, "map", true, NAME_MAX_BYTES, &m->name));
    m->source = m->name;
    TRY(text(l, top, "source", false, NAME_MAX_BYTES, &m->source));
    if (m->source[0] == '\0')
        return at(l, top, err_fail(l->err, ERR_INVALID, "\"source\" is empty"));
    const struct val *title = val_get(top, "title");
    if (title == NULL) return at(l, top, err_fail(l->err, ERR_INVALID, "\"title\" is missing"));
    TRY(only(l, title, title_keys));
    TRY(text(l, title, "en", true, COLUMN_MAX_BYTES, &m->title.en));
    TRY(text(l, title, "zh", true, COLUMN_MAX_BYTES, &m->title.zh));
    TRY(text(l, top, "timezone", false, NAME_MAX_BYTES, &zone));
    TRY(text(l, top, "crs", false, NAME_MAX_BYTES, &crs));
    TRY(text(l, top, "separator", false, 1, &separator));
    TRY(text(l, top, "as_of", false, COLUMN_MAX_BYTES, &as_of));
    if (separator[0] == '\0' || strchr(",;\t|", separator[0]) == NULL) {
        return at(l, top,
                  err_fail(l->err, ERR_INVALID, "\"separator\" is one of , ; | or a tabulator"));
    }
    m->separator = separator[0];
    m->tz = city_tz;
    if (zone != NULL) TRY(at(l, val_get(top, "timezone"), tz_load(l->a, zone, &m->tz, l->err)));
    TRY(at(l, val_get(top, "crs"), crs_parse(crs, &m->crs, l->err)));
    TRY(read_times(l, top));
    for (size_t i = 0; as_of != NULL && m->as_of_us == 0 && i < m->n_times; i++) {
        if (!import_time_parse(m->times[i], as_of, m->tz, &m->as_of_us)) m->as_of_us = 0;
    }
    if (as_of != NULL && m->as_of_us == 0) {
        return at(
            l, val_get(top, "as_of"),
            err_fail(l->err, ERR_INVALID, "as_of \"%s\" fits none of the time formats", as_of));
    }
    return ERR_OK;
}

enum err_code map_parse(struct arena *a, const char *file, const char *p, size_t n,
                        const struct engine *e, const struct tz *city_tz,
                        const struct case_map **out, struct err *err) {
    static const char *const known[] = {"map",       "title",   "source",  "timezone", "crs",
                                        "separator", "as_of",   "times",   "columns",  "class",
                                        "state",     "channel", "on_time", "fields",   NULL};
    const struct val *top = NULL;
    TRY(yaml_parse(a, file, p, n, &top, err));
    struct case_map *m = ARENA_NEW(a, struct case_map, 1);
    if (m == NULL) return err_fail(err, ERR_NOMEM, "map");
    struct err own;
    struct loading l = {a, e, m, err != NULL ? err : &own};
    m->file = arena_strdup(a, file);
    if (m->file == NULL) return err_fail(err, ERR_NOMEM, "map");
    TRY(only(&l, top, known));
    TRY(read_head(&l, top, city_tz));
    TRY(read_columns(&l, top));
    TRY(read_words(&l, top, "class", true, &m->cls));
    TRY(read_words(&l, top, "state", true, &m->state));
    TRY(read_words(&l, top, "channel", false, &m->channel));
    TRY(read_words(&l, top, "on_time", false, &m->on_time));
    TRY(each_word(&l, val_get(top, "class"), &m->cls, check_class));
    TRY(each_word(&l, val_get(top, "state"), &m->state, check_state));
    TRY(each_word(&l, val_get(top, "channel"), &m->channel, check_channel));
    TRY(each_word(&l, val_get(top, "on_time"), &m->on_time, check_on_time));
    TRY(read_fields(&l, top));
    *out = m;
    return ERR_OK;
}

enum err_code map_load(struct arena *a, const char *file, const struct engine *e,
                       const struct tz *city_tz, const struct case_map **out, struct err *err) {
    struct buf b;
    buf_init(&b, MAP_MAX_BYTES);
    enum err_code rc = file_read(file, &b, err);
    if (rc == ERR_OK) rc = map_parse(a, file, buf_text(&b), b.n, e, city_tz, out, err);
    buf_deinit(&b);
    return rc;
}
