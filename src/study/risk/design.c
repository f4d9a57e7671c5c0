#include "study/risk/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_number(const char *s) {
    char *end = NULL;
    if (s[0] == '\0' || s[strspn(s, "+-.0123456789eE")] != '\0') return false;
    double v = strtod(s, &end);
    return end != s && *end == '\0' && isfinite(v);
}

static bool is_missing(const char *s) {
    return s[0] == '\0' || strcmp(s, "NA") == 0 || strcmp(s, "NaN") == 0;
}

static int by_text(const void *x, const void *y) {
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int by_number(const void *x, const void *y) {
    double p = strtod(*(const char *const *)x, NULL), q = strtod(*(const char *const *)y, NULL);
    return p < q ? -1 : p > q;
}

static const char other[] = "(other)";

/* Levels of fewer rows than that become one at the end; level[] is sorted by text. */
static enum err_code join_levels(struct arena *a, const struct table *t, size_t col,
                                 const bool *use, size_t join_rare, const char **level, size_t *n,
                                 struct err *err) {
    size_t *count = ARENA_NEW(a, size_t, *n + 1), kept = 0;
    if (count == NULL) return err_fail(err, ERR_NOMEM, "levels");
    for (size_t i = 0; i < t->n_row; i++) {
        const char *v = table_text(t, i, col);
        if ((use != NULL && !use[i]) || is_missing(v)) continue;
        const char **at = bsearch(&v, level, *n, sizeof *level, by_text);
        if (at != NULL) count[at - level]++;
    }
    for (size_t k = 0; k < *n; k++)
        if (count[k] >= join_rare) level[kept++] = level[k];
    if (kept < *n) level[kept++] = other;
    *n = kept;
    return ERR_OK;
}

static enum err_code learn_levels(struct arena *a, const struct table *t, size_t col,
                                  const bool *use, size_t join_rare, struct risk_source *s,
                                  struct err *err) {
    const char **level = ARENA_NEW(a, const char *, RISK_MAX_LEVELS + 1);
    if (level == NULL) return err_fail(err, ERR_NOMEM, "levels of %s", s->column);
    size_t n = 0;
    bool numbers = true;
    for (size_t i = 0; i < t->n_row; i++) {
        const char *v = table_text(t, i, col);
        if ((use != NULL && !use[i]) || is_missing(v)) continue;
        /* Sorted all along, so that a level is found in few steps. */
        if (n > 0 && bsearch(&v, level, n, sizeof *level, by_text) != NULL) continue;
        if (n == RISK_MAX_LEVELS)
            return err_fail(err, ERR_INVALID,
                            "%s: column %s has more than %d different texts; it cannot be a factor",
                            t->path, s->column, RISK_MAX_LEVELS);
        numbers = numbers && is_number(v);
        level[n++] = v;
        qsort(level, n, sizeof *level, by_text);
    }
    TRY(join_levels(a, t, col, use, join_rare, level, &n, err));
    if (numbers && n > 1 && level[n - 1] != other) qsort(level, n, sizeof *level, by_number);
    if (n == 0)
        return err_fail(err, ERR_INVALID, "%s: column %s is empty in every row used", t->path,
                        s->column);
    s->level = level;
    s->n_levels = n;
    return ERR_OK;
}

static enum err_code learn_source(struct arena *a, const struct table *t, const bool *use,
                                  bool want_factor, size_t join_rare, struct risk_source *s,
                                  struct err *err) {
    size_t col = 0;
    TRY(table_column(t, s->column, true, &col, err));
    s->factor = want_factor;
    for (size_t i = 0; i < t->n_row && !s->factor; i++) {
        const char *v = table_text(t, i, col);
        if ((use == NULL || use[i]) && !is_missing(v) && !is_number(v)) s->factor = true;
    }
    return s->factor ? learn_levels(a, t, col, use, join_rare, s, err) : ERR_OK;
}

/* Index of the column among the sources, put there when it is new. */
static enum err_code find_source(struct risk_source *sources, size_t *n, const char *column,
                                 bool factor, size_t *at, bool *added, struct err *err) {
    *added = false;
    for (*at = 0; *at < *n; (*at)++) {
        if (strcmp(sources[*at].column, column) != 0) continue;
        /* The same column may stand as a number and as a factor. */
        if (sources[*at].factor == factor || !factor) return ERR_OK;
    }
    if (*n == RISK_MAX_SOURCES)
        return err_fail(err, ERR_INVALID, "the terms use more than %d columns", RISK_MAX_SOURCES);
    sources[*n] = (struct risk_source){.column = column, .factor = factor};
    *at = (*n)++;
    *added = true;
    return ERR_OK;
}

static enum err_code add_column(struct arena *a, struct risk_design *d, size_t term,
                                const uint16_t level[RISK_MAX_PARTS], struct err *err) {
    static const char *const word[] = {"", "log", "log1p", "sqrt", "square", ""};
    const struct risk_term *t = &d->terms.term[term];
    const char *name = "";
    if (d->n_columns == RISK_MAX_COLUMNS)
        return err_fail(err, ERR_INVALID, "the terms give more than %d columns", RISK_MAX_COLUMNS);
    struct risk_column *c = &d->column[d->n_columns++];
    c->term = term;
    for (size_t p = 0; p < t->n_parts; p++) {
        const struct risk_source *s = &d->source[d->part_source[term][p]];
        enum risk_function f = t->part[p].function;
        bool plain = f == RISK_AS_IS || f == RISK_FACTOR;
        c->level[p] = level[p];
        name = arena_printf(a, "%s%s%s%s%s%s%s", name, p == 0 ? "" : ":", word[f], plain ? "" : "(",
                            s->column, plain ? "" : ")", s->factor ? s->level[level[p]] : "");
        if (name == NULL) return err_fail(err, ERR_NOMEM, "naming columns");
    }
    c->name = name;
    return ERR_OK;
}

/* Every combination of the levels of a term's factors but the first ones. */
static enum err_code add_columns(struct arena *a, struct risk_design *d, size_t term,
                                 struct err *err) {
    const struct risk_term *t = &d->terms.term[term];
    uint16_t level[RISK_MAX_PARTS] = {0};
    for (size_t p = 0; p < t->n_parts; p++) {
        const struct risk_source *s = &d->source[d->part_source[term][p]];
        if (s->factor && s->n_levels < 2) return ERR_OK; /* one level tells nothing */
        if (s->factor) level[p] = 1;
    }
    for (;;) {
        TRY(add_column(a, d, term, level, err));
        size_t p = t->n_parts;
        while (p-- > 0) {
            const struct risk_source *s = &d->source[d->part_source[term][p]];
            if (!s->factor) continue;
            if ((size_t)level[p] + 1 < s->n_levels) {
                level[p]++;
                break;
            }
            level[p] = 1;
        }
        if (p == SIZE_MAX) return ERR_OK;
    }
}

static enum err_code make_columns(struct arena *a, struct risk_design *d, struct err *err) {
    d->column = ARENA_NEW(a, struct risk_column, RISK_MAX_COLUMNS);
    if (d->column == NULL) return err_fail(err, ERR_NOMEM, "the design");
    d->n_columns = 0;
    if (d->intercept)
        d->column[d->n_columns++] = (struct risk_column){"(Intercept)", SIZE_MAX, {0}};
    for (size_t k = 0; k < d->terms.n; k++) TRY(add_columns(a, d, k, err));
    if (d->n_columns == (d->intercept ? 1 : 0))
        return err_fail(err, ERR_INVALID, "no term varies: every factor has one level only");
    return ERR_OK;
}

enum err_code risk_design_learn(struct arena *a, const char *terms, bool intercept,
                                size_t join_rare, const struct table *t, const bool *use,
                                struct risk_design *out, struct err *err) {
    memset(out, 0, sizeof *out);
    out->intercept = intercept;
    TRY(risk_terms_parse(a, terms, &out->terms, err));
    for (size_t k = 0; k < out->terms.n; k++)
        for (size_t p = 0; p < out->terms.term[k].n_parts; p++) {
            const struct risk_part *part = &out->terms.term[k].part[p];
            bool factor = part->function == RISK_FACTOR, added = false;
            size_t at = 0;
            TRY(find_source(out->source, &out->n_sources, part->column, factor, &at, &added, err));
            if (added) TRY(learn_source(a, t, use, factor, join_rare, &out->source[at], err));
            out->part_source[k][p] = at;
            if (out->source[at].factor && part->function != RISK_FACTOR &&
                part->function != RISK_AS_IS)
                return err_fail(err, ERR_INVALID,
                                "%s: column %s holds texts; \"%.80s\" needs "
                                "numbers",
                                t->path, part->column, out->terms.term[k].text);
        }
    return make_columns(a, out, err);
}

enum err_code risk_design_make(struct arena *a, const char *terms, bool intercept,
                               const struct risk_source *sources, size_t n_sources,
                               struct risk_design *out, struct err *err) {
    memset(out, 0, sizeof *out);
    out->intercept = intercept;
    if (n_sources > RISK_MAX_SOURCES) return err_fail(err, ERR_INVALID, "too many columns");
    memcpy(out->source, sources, n_sources * sizeof *sources);
    out->n_sources = n_sources;
    TRY(risk_terms_parse(a, terms, &out->terms, err));
    for (size_t k = 0; k < out->terms.n; k++)
        for (size_t p = 0; p < out->terms.term[k].n_parts; p++) {
            const struct risk_part *part = &out->terms.term[k].part[p];
            bool factor = part->function == RISK_FACTOR, added = false;
            size_t at = 0;
            TRY(find_source(out->source, &out->n_sources, part->column, factor, &at, &added, err));
            if (added)
                return err_fail(err, ERR_INVALID, "the saved model does not tell of column %.80s",
                                part->column);
            if (out->source[at].factor && part->function != RISK_FACTOR &&
                part->function != RISK_AS_IS)
                return err_fail(err, ERR_INVALID, "%.80s is a factor in the saved model",
                                part->column);
            out->part_source[k][p] = at;
        }
    return make_columns(a, out, err);
}

/* Values of one source: numbers, or the index of the level. */
static enum err_code read_source(const struct risk_source *s, const struct table *t, double *v,
                                 bool *missing, size_t *n_unseen, struct err *err) {
    size_t col = 0;
    TRY(table_column(t, s->column, true, &col, err));
    for (size_t i = 0; i < t->n_row; i++) {
        const char *text = table_text(t, i, col);
        v[i] = 0;
        if (is_missing(text)) {
            missing[i] = true;
        } else if (!s->factor) {
            TRY(table_number(t, i, col, false, &v[i], err));
        } else {
            size_t k = 0;
            while (k < s->n_levels && strcmp(s->level[k], text) != 0) k++;
            bool rest = strcmp(s->level[s->n_levels - 1], other) == 0;
            if (k == s->n_levels && rest) k--;
            if (k == s->n_levels && n_unseen != NULL) (*n_unseen)++;
            v[i] = k < s->n_levels ? (double)k : 0;
        }
    }
    return ERR_OK;
}

static double apply(enum risk_function f, double v) {
    switch (f) {
    case RISK_LOG:
        return log(v);
    case RISK_LOG1P:
        return log1p(v);
    case RISK_SQRT:
        return sqrt(v);
    case RISK_SQUARE:
        return v * v;
    default:
        return v;
    }
}

static enum err_code fill_column(const struct risk_design *d, size_t c, double *const *values,
                                 const struct table *t, double *x, const bool *missing,
                                 struct err *err) {
    const struct risk_column *k = &d->column[c];
    const struct risk_term *term = k->term == SIZE_MAX ? NULL : &d->terms.term[k->term];
    for (size_t i = 0; i < t->n_row; i++) {
        double v = 1;
        for (size_t p = 0; term != NULL && p < term->n_parts && !missing[i]; p++) {
            size_t s = d->part_source[k->term][p];
            double own = values[s][i];
            v *= d->source[s].factor ? (double)(own == k->level[p])
                                     : apply(term->part[p].function, own);
        }
        if (!isfinite(v))
            return err_fail(err, ERR_INVALID, "%s:%ld: %s has no value there", t->path, t->line[i],
                            k->name);
        x[i * d->n_columns + c] = missing[i] ? 0 : v;
    }
    return ERR_OK;
}

enum err_code risk_design_fill(struct arena *a, const struct risk_design *d, const struct table *t,
                               double *x, bool *missing, size_t *n_unseen, struct err *err) {
    double *values[RISK_MAX_SOURCES];
    if (n_unseen != NULL) *n_unseen = 0;
    memset(missing, 0, t->n_row * sizeof *missing);
    for (size_t s = 0; s < d->n_sources; s++) {
        values[s] = ARENA_NEW(a, double, t->n_row + 1);
        if (values[s] == NULL) return err_fail(err, ERR_NOMEM, "%zu rows", t->n_row);
        TRY(read_source(&d->source[s], t, values[s], missing, n_unseen, err));
    }
    for (size_t c = 0; c < d->n_columns; c++) TRY(fill_column(d, c, values, t, x, missing, err));
    return ERR_OK;
}
