#include "study/scan/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { MAX_ROWS = 50 * 1000 * 1000, MAX_TEXT = 512 << 20 };

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool file_is_csv(const struct scan_settings *s, const char *path) {
    if (s->kind != FILE_BY_NAME) return s->kind == FILE_CSV;
    return strcmp(path, "-") == 0 || ends_with(path, ".csv") || ends_with(path, ".tsv") ||
           ends_with(path, ".gz");
}

static void free_text(void *text) { buf_deinit(text); }

enum err_code file_source(struct arena *a, const struct scan_settings *s, enum file_role role,
                          const char *path, struct source *out, struct err *err) {
    if (file_is_csv(s, path)) {
        const struct table *t;
        TRY(table_load(a, path, 0, MAX_ROWS, &t, err));
        source_table(t, out);
        return ERR_OK;
    }
    struct buf *text = ARENA_NEW(a, struct buf, 1);
    if (text == NULL) return err_fail(err, ERR_NOMEM, "%s: no memory", path);
    buf_init(text, MAX_TEXT);
    TRY(arena_defer(a, free_text, text));
    TRY(file_read(path, text, err));
    const struct text_format *f = &s->format[role];
    return source_text(a, path, buf_text(text), text->n, f->separator, f->skip, out, err);
}

/* ---- columns of a CSV ---- */

/* The name that settings.columns gives a role ("role=name,..."), or NULL. */
static enum err_code given_name(struct arena *a, const struct scan_settings *s, const char *role,
                                const char **name, struct err *err) {
    *name = NULL;
    if (s->columns == NULL) return ERR_OK;
    size_t n = strlen(role);
    for (const char *p = s->columns; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len > n && strncmp(p, role, n) == 0 && p[n] == '=') {
            *name = arena_dup(a, p + n + 1, len - n - 1);
            return *name != NULL ? ERR_OK : err_fail(err, ERR_NOMEM, "columns");
        }
        p += len + (p[len] == ',');
    }
    return ERR_OK;
}

/* Column of a role: by the given name, which must then be there, else by the role's own. */
static enum err_code role_column(struct arena *a, const struct scan_settings *s,
                                 const struct table *t, const char *role, bool required,
                                 size_t *column, struct err *err) {
    const char *name;
    TRY(given_name(a, s, role, &name, err));
    if (name == NULL) return table_column(t, role, required, column, err);
    /* A name given for another file of the study need not be in this one. */
    TRY(table_column(t, name, false, column, err));
    if (*column == SIZE_MAX) TRY(table_column(t, role, false, column, err));
    return *column != SIZE_MAX ? ERR_OK : table_column(t, name, required, column, err);
}

static enum err_code place_columns(struct arena *a, const struct scan_settings *s,
                                   const struct table *t, bool *sphere, struct layout *l,
                                   struct err *err) {
    size_t lon, lat;
    TRY(role_column(a, s, t, "lon", false, &lon, err));
    TRY(role_column(a, s, t, "lat", false, &lat, err));
    bool both = lon != SIZE_MAX && lat != SIZE_MAX;
    if (s->places == PLACES_BY_COLUMNS ? both : s->places == PLACES_SPHERE) {
        *sphere = true;
        TRY(role_column(a, s, t, both ? "lon" : "x", true, &l->x, err));
        return role_column(a, s, t, both ? "lat" : "y", true, &l->y, err);
    }
    *sphere = false;
    TRY(role_column(a, s, t, "x", true, &l->x, err));
    return role_column(a, s, t, "y", true, &l->y, err);
}

static enum err_code covariate_columns(struct arena *a, const struct scan_settings *s,
                                       const struct table *t, struct layout *l, struct err *err) {
    l->first_covariate = SOURCE_ABSENT;
    l->n_covariates = 0;
    for (const char *p = s->covariates; p != NULL && *p != '\0';) {
        size_t len = strcspn(p, ",");
        const char *name = arena_dup(a, p, len);
        if (name == NULL) return err_fail(err, ERR_NOMEM, "covariates");
        if (l->n_covariates == RECORDS_MAX_COVARIATES)
            return err_fail(err, ERR_INVALID, "more than %d covariates",
                            (int)RECORDS_MAX_COVARIATES);
        TRY(table_column(t, name, true, &l->covariate[l->n_covariates++], err));
        p += len + (p[len] == ',');
    }
    return ERR_OK;
}

static enum err_code csv_layout(struct arena *a, const struct scan_settings *s, enum file_role role,
                                const struct table *t, bool no_dates, bool *sphere,
                                struct layout *l, struct err *err) {
    static const char *const counts[] = {"cases", "controls", "population"};
    if (role == FILE_EDGES) {
        TRY(role_column(a, s, t, "from", true, &l->id, err));
        TRY(role_column(a, s, t, "to", true, &l->other, err));
        return role_column(a, s, t, "length", false, &l->length, err);
    }
    if (role == FILE_GRID) return place_columns(a, s, t, sphere, l, err);
    TRY(role_column(a, s, t, "id", true, &l->id, err));
    if (role == FILE_PLACES) return place_columns(a, s, t, sphere, l, err);
    /* Without a column of counts each row is one case. */
    TRY(role_column(a, s, t, counts[role], role == FILE_POPULATION, &l->count, err));
    if (role == FILE_POPULATION)
        TRY(role_column(a, s, t, "date", false, &l->date, err));
    else if (!no_dates)
        TRY(role_column(a, s, t, "date", true, &l->date, err));
    return role == FILE_CONTROLS ? ERR_OK : covariate_columns(a, s, t, l, err);
}

/* ---- fields of a text ---- */

/* Fields in the order of the plain file, and from where on the rest are covariates. */
static void plain_layout(const struct scan_settings *s, enum file_role role, bool no_dates,
                         bool *sphere, struct layout *l) {
    l->id = 0;
    if (role == FILE_PLACES || role == FILE_GRID) {
        size_t first = role == FILE_PLACES ? 1 : 0;
        *sphere = s->places == PLACES_SPHERE;
        l->x = *sphere ? first + 1 : first; /* the latitude comes first */
        l->y = *sphere ? first : first + 1;
    } else if (role == FILE_POPULATION) {
        l->date = 1;
        l->count = 2;
        l->first_covariate = 3;
    } else if (role == FILE_EDGES) {
        l->other = 1;
        l->length = 2;
    } else {
        l->count = 1;
        l->date = no_dates ? SOURCE_ABSENT : 2;
        l->first_covariate = no_dates ? 2 : 3;
    }
}

enum { MAP_ITEMS = RECORDS_MAX_COVARIATES + 3 };

/* The fields that a map names, SOURCE_ABSENT for one that is made up (each row one case, no date).
 * An empty item stands for a date that is not there, and is left out. */
static enum err_code read_map(const char *path, const char *map, size_t *field, size_t *n,
                              struct err *err) {
    *n = 0;
    for (const char *p = map;;) {
        size_t len = strcspn(p, ",");
        while (len > 0 && *p == ' ') p++, len--;
        size_t used = len;
        while (used > 0 && p[used - 1] == ' ') used--;
        char item[24] = "";
        if (used < sizeof item) memcpy(item, p, used);
        char *end = NULL;
        unsigned long column = strtoul(item, &end, 10);
        bool number = item[0] >= '1' && item[0] <= '9' && *end == '\0' && column <= 1000000;
        bool made_up = strcmp(item, "oneCount") == 0 || strcmp(item, "unspecifiedPopDate") == 0;
        if (used > 0 && !number && !made_up)
            return err_fail(err, ERR_INVALID, "%s: its field map has \"%.*s\": not supported", path,
                            (int)(used < 40 ? used : 40), p);
        if (used > 0 && *n == MAP_ITEMS)
            return err_fail(err, ERR_INVALID, "%s: its field map has more than %d items", path,
                            (int)MAP_ITEMS);
        if (used > 0) field[(*n)++] = number ? column - 1 : SOURCE_ABSENT;
        if (p[len] == '\0') return ERR_OK;
        p += len + 1;
    }
}

static size_t mapped(size_t at, const size_t *field, size_t n) {
    if (at == SOURCE_ABSENT) return SOURCE_ABSENT;
    return at < n ? field[at] : SOURCE_ABSENT - 1; /* in no row: the reader says what is missing */
}

static enum err_code map_layout(const char *path, const char *map, struct layout *l,
                                struct err *err) {
    size_t field[MAP_ITEMS], n;
    TRY(read_map(path, map, field, &n, err));
    size_t first = l->first_covariate;
    l->mapped = true;
    l->id = mapped(l->id, field, n);
    l->count = mapped(l->count, field, n);
    l->date = mapped(l->date, field, n);
    l->x = mapped(l->x, field, n);
    l->y = mapped(l->y, field, n);
    l->first_covariate = SOURCE_ABSENT;
    for (size_t k = first; k < n; k++) l->covariate[l->n_covariates++] = field[k];
    return ERR_OK;
}

enum err_code file_layout(struct arena *a, const struct scan_settings *s, enum file_role role,
                          const struct source *src, bool no_dates, bool *sphere, struct layout *out,
                          struct err *err) {
    *out = (struct layout){.id = SOURCE_ABSENT,
                           .count = SOURCE_ABSENT,
                           .date = SOURCE_ABSENT,
                           .x = SOURCE_ABSENT,
                           .y = SOURCE_ABSENT,
                           .other = SOURCE_ABSENT,
                           .length = SOURCE_ABSENT,
                           .first_covariate = SOURCE_ABSENT};
    if (src->table != NULL) return csv_layout(a, s, role, src->table, no_dates, sphere, out, err);
    plain_layout(s, role, no_dates, sphere, out);
    const char *map = s->format[role].map;
    return map == NULL || *map == '\0' ? ERR_OK : map_layout(src->path, map, out, err);
}
