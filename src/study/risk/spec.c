#include "study/risk/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml.h"

static const char *const words[RISK_N_MODELS + 1] = {
    "logistic",    "poisson",   "negbin",      "elastic",  "trees", "cox", "weibull",
    "exponential", "lognormal", "loglogistic", "powerlaw", "leyp",  NULL};

const char *risk_model_word(enum risk_model m) { return words[m]; }
bool risk_model_is_survival(enum risk_model m) { return m >= RISK_COX; }
bool risk_model_is_life(enum risk_model m) { return m >= RISK_WEIBULL && m <= RISK_LOGLOGISTIC; }

#define TEXT(f, o, v, h)                                                                           \
    { #f, o, RISK_TEXT, offsetof(struct risk_spec, f), v, h }
const struct risk_field risk_fields[] = {
    TEXT(model, "model", "WORD",
         "logistic, poisson, negbin, elastic, trees, cox, weibull, exponential, lognormal, "
         "loglogistic, powerlaw or leyp"),
    TEXT(response, "response", "COLUMN", "events of the row (0 or more)"),
    TEXT(terms, "terms", "TERMS", "such as \"log(length) age factor(zone) age:material\""),
    TEXT(start, "start", "COLUMN", "age at the row's start"),
    TEXT(stop, "stop", "COLUMN", "age at the row's end"),
    TEXT(upper, "upper", "COLUMN", "lives ended between stop and this (interval censoring)"),
    TEXT(exposure, "exposure", "COLUMN", "time or length at risk; its logarithm is the offset"),
    TEXT(offset, "offset", "COLUMN", "added to the linear predictor as it is"),
    TEXT(weight, "weight", "COLUMN", "weight of the row"),
    TEXT(cluster, "cluster", "COLUMN", "rows of one asset, for robust standard errors"),
    TEXT(strata, "strata", "COLUMNS", "strata of a Cox model"),
    TEXT(id, "id", "COLUMN", "name of the row in lists"),
    TEXT(earlier, "earlier", "COLUMN", "events before the row (leyp)"),
    TEXT(length, "length", "COLUMN", "for hit rates by length"),
    TEXT(age, "age", "COLUMN", "for the baseline \"age only\""),
    TEXT(last, "last", "COLUMN", "for the baseline \"last year's count\""),
    TEXT(split, "split", "COLUMN", "year or date that parts fitting from testing"),
    TEXT(train_to, "train-to", "VALUE", "last year or date that is fitted to"),
    TEXT(ties, "ties", "WORD", "efron (default) or breslow"),
    TEXT(calibrate, "calibrate", "WORD",
         "platt or isotonic: chances mended on the last year up to train-to, which is then not "
         "fitted to"),
    TEXT(family, "family", "WORD", "logistic or poisson, of elastic and trees"),
    {"join_rare", "join-rare", RISK_INT, offsetof(struct risk_spec, join_rare), "N",
     "levels of fewer than N rows become one, (other)"},
    {"folds", "folds", RISK_INT, offsetof(struct risk_spec, folds), "N",
     "cross-validate by N parts where there are no years"},
    {"seed", "seed", RISK_INT, offsetof(struct risk_spec, seed), "N", "for folds (1)"},
    {"mix", "mix", RISK_NUMBER, offsetof(struct risk_spec, mix), "X",
     "elastic: 0 ridge to 1 lasso (0.5)"},
};
const size_t risk_n_fields = sizeof risk_fields / sizeof risk_fields[0];

void risk_spec_init(struct risk_spec *s) {
    memset(s, 0, sizeof *s);
    s->seed = 1;
    s->mix = 0.5;
}

static enum err_code at_value(const char *name, const struct val *v, const char *what,
                              struct err *err) {
    return err_fail(err, ERR_INVALID, "%s:%d:%d: %s", name, v->line, v->col, what);
}

/* Text of a scalar or of a list of scalars joined by blanks. */
static enum err_code text_of(struct arena *a, const char *name, const char *key,
                             const struct val *v, const char **out, struct err *err) {
    char what[160];
    (void)snprintf(what, sizeof what, "%s: expected a text, a number or a list of them", key);
    if (v->type == VAL_STR) {
        *out = v->u.s;
    } else if (v->type == VAL_INT) {
        *out = arena_printf(a, "%lld", (long long)v->u.i);
    } else if (v->type == VAL_DOUBLE) {
        *out = arena_printf(a, "%.15g", v->u.d);
    } else if (v->type == VAL_LIST) {
        const char *all = "";
        for (size_t i = 0; i < v->n; i++) {
            const char *one = NULL;
            if (v->u.list[i].type == VAL_LIST) return at_value(name, &v->u.list[i], what, err);
            TRY(text_of(a, name, key, &v->u.list[i], &one, err));
            all = arena_printf(a, "%s%s%s", all, i == 0 ? "" : " ", one);
            if (all == NULL) return err_fail(err, ERR_NOMEM, "reading %s", name);
            if (strlen(all) > RISK_MAX_TEXT) return at_value(name, v, "the list is too long", err);
        }
        *out = all;
    } else {
        return at_value(name, v, what, err);
    }
    if (*out == NULL) return err_fail(err, ERR_NOMEM, "reading %s", name);
    if (strlen(*out) > RISK_MAX_TEXT) return at_value(name, v, "the text is too long", err);
    return ERR_OK;
}

static enum err_code take_field(struct arena *a, const char *name, const struct risk_field *f,
                                const struct val *v, struct risk_spec *s, struct err *err) {
    char *at = (char *)s + f->at;
    if (f->kind == RISK_TEXT) return text_of(a, name, f->name, v, (const char **)(void *)at, err);
    if (f->kind == RISK_INT) {
        if (v->type != VAL_INT) return at_value(name, v, "expected a whole number", err);
        *(int64_t *)(void *)at = v->u.i;
        return ERR_OK;
    }
    if (v->type != VAL_INT && v->type != VAL_DOUBLE)
        return at_value(name, v, "expected a number", err);
    *(double *)(void *)at = v->type == VAL_INT ? (double)v->u.i : v->u.d;
    return ERR_OK;
}

enum err_code risk_spec_from_val(struct arena *a, const char *name, const struct val *v,
                                 struct risk_spec *s, const char **data, struct err *err) {
    const char *known[sizeof risk_fields / sizeof risk_fields[0] + 2] = {0};
    if (v == NULL || v->type != VAL_MAP)
        return err_fail(err, ERR_INVALID, "%s: expected fields such as \"model: cox\"", name);
    for (size_t k = 0; k < risk_n_fields; k++) known[k] = risk_fields[k].name;
    known[risk_n_fields] = "data";
    for (size_t i = 0; i < v->n; i++) {
        const struct val_pair *m = &v->u.map[i];
        const struct risk_field *f = NULL;
        for (size_t k = 0; k < risk_n_fields; k++)
            if (strcmp(risk_fields[k].name, m->key) == 0) f = &risk_fields[k];
        if (m->v.type == VAL_NULL) continue;
        if (f != NULL) {
            TRY(take_field(a, name, f, &m->v, s, err));
        } else if (strcmp(m->key, "data") == 0) {
            const char *path = NULL;
            TRY(text_of(a, name, "data", &m->v, &path, err));
            if (data != NULL && *data == NULL) *data = path;
        } else {
            const char *near = val_nearest(m->key, known);
            return err_fail(err, ERR_INVALID, "%s:%d:%d: there is no field \"%.60s\"%s%s%s", name,
                            m->line, m->col, m->key, near == NULL ? "" : "; did you mean \"",
                            near == NULL ? "" : near, near == NULL ? "" : "\"?");
        }
    }
    return ERR_OK;
}

enum err_code risk_spec_parse(struct arena *a, const char *name, const char *p, size_t n,
                              struct risk_spec *s, const char **data, struct err *err) {
    const struct val *v = NULL;
    TRY(yaml_parse(a, name, p, n, &v, err));
    return risk_spec_from_val(a, name, v, s, data, err);
}

static enum err_code check_survival(const struct risk_spec *s, enum risk_model m, struct err *err) {
    const char *w = words[m];
    if (s->stop == NULL)
        return err_fail(err, ERR_INVALID, "%s needs \"stop\": the age at the row's end", w);
    if ((m == RISK_POWER || m == RISK_LEYP) && s->start == NULL)
        return err_fail(err, ERR_INVALID, "%s needs \"start\": the age at the row's start", w);
    if (m == RISK_LEYP && s->earlier == NULL)
        return err_fail(err, ERR_INVALID, "leyp needs \"earlier\": the events before the row");
    if (s->upper != NULL && !risk_model_is_life(m))
        return err_fail(err, ERR_INVALID, "\"upper\" is for weibull and its like, not for %s", w);
    return ERR_OK;
}

/* Fields that hold one of a few words. */
static enum err_code check_words(const struct risk_spec *s, struct err *err) {
    if (s->ties != NULL && strcmp(s->ties, "efron") != 0 && strcmp(s->ties, "breslow") != 0)
        return err_fail(err, ERR_INVALID, "ties: expected efron or breslow, found \"%.40s\"",
                        s->ties);
    if (s->calibrate != NULL && strcmp(s->calibrate, "platt") != 0 &&
        strcmp(s->calibrate, "isotonic") != 0)
        return err_fail(err, ERR_INVALID, "calibrate: expected platt or isotonic, found \"%.40s\"",
                        s->calibrate);
    if (s->calibrate != NULL && s->split == NULL)
        return err_fail(err, ERR_INVALID, "calibrate needs years: split and train_to");
    if (s->family != NULL && strcmp(s->family, "logistic") != 0 &&
        strcmp(s->family, "poisson") != 0)
        return err_fail(err, ERR_INVALID, "family: expected logistic or poisson, found \"%.40s\"",
                        s->family);
    return ERR_OK;
}

enum err_code risk_spec_check(const struct risk_spec *s, enum risk_model *model, struct err *err) {
    if (s->model == NULL)
        return err_fail(err, ERR_INVALID, "no model is named: give --model or \"model\"");
    size_t m = 0;
    while (m < RISK_N_MODELS && strcmp(words[m], s->model) != 0) m++;
    if (m == RISK_N_MODELS) {
        const char *near = val_nearest(s->model, words);
        return err_fail(err, ERR_INVALID, "there is no model \"%.60s\"%s%s", s->model,
                        near == NULL ? "" : "; did you mean ", near == NULL ? "" : near);
    }
    *model = (enum risk_model)m;
    if (s->response == NULL)
        return err_fail(err, ERR_INVALID, "no response: give the column of events");
    if (s->terms == NULL)
        return err_fail(err, ERR_INVALID, "no terms: give the columns to explain by");
    if (risk_model_is_survival(*model)) TRY(check_survival(s, *model, err));
    if (s->strata != NULL && *model != RISK_COX)
        return err_fail(err, ERR_INVALID, "strata are for cox, not for %s", s->model);
    if ((s->split == NULL) != (s->train_to == NULL))
        return err_fail(err, ERR_INVALID, "\"split\" and \"train_to\" go together");
    if (s->join_rare < 0)
        return err_fail(err, ERR_INVALID, "join_rare: expected 0 or more, found %lld",
                        (long long)s->join_rare);
    if (s->folds != 0 && (s->folds < 2 || s->folds > 100))
        return err_fail(err, ERR_INVALID, "folds: expected 2 to 100, found %lld",
                        (long long)s->folds);
    if (s->folds != 0 && s->split != NULL)
        return err_fail(err, ERR_INVALID, "give either years (split) or folds, not both");
    TRY(check_words(s, err));
    if (!(s->mix >= 0 && s->mix <= 1))
        return err_fail(err, ERR_INVALID, "mix: expected 0 to 1, found %g", s->mix);
    return ERR_OK;
}

void risk_spec_write(const struct risk_spec *s, struct jw *w) {
    jw_obj(w);
    for (size_t k = 0; k < risk_n_fields; k++) {
        const char *at = (const char *)s + risk_fields[k].at;
        if (risk_fields[k].kind == RISK_INT) {
            jw_kint(w, risk_fields[k].name, *(const int64_t *)(const void *)at);
        } else if (risk_fields[k].kind == RISK_NUMBER) {
            jw_kdouble(w, risk_fields[k].name, *(const double *)(const void *)at);
        } else {
            const char *text = *(const char *const *)(const void *)at;
            if (text != NULL) jw_kstr(w, risk_fields[k].name, text);
        }
    }
    jw_end(w, '}');
}

static const struct {
    const char *word;
    enum risk_function f;
} functions[] = {{"log", RISK_LOG},
                 {"log1p", RISK_LOG1P},
                 {"sqrt", RISK_SQRT},
                 {"square", RISK_SQUARE},
                 {"factor", RISK_FACTOR}};

static enum err_code parse_part(struct arena *a, const char *p, size_t n, struct risk_part *out,
                                struct err *err) {
    const char *open = memchr(p, '(', n);
    out->function = RISK_AS_IS;
    if (open != NULL) {
        size_t k = 0, m = (size_t)(open - p), all = sizeof functions / sizeof functions[0];
        while (k < all && (strlen(functions[k].word) != m || memcmp(functions[k].word, p, m) != 0))
            k++;
        if (k == all)
            return err_fail(err, ERR_INVALID,
                            "terms: \"%.*s\": there are log, log1p, sqrt, square and factor",
                            (int)(n < 80 ? n : 80), p);
        if (p[n - 1] != ')')
            return err_fail(err, ERR_INVALID, "terms: \"%.*s\" has no closing bracket",
                            (int)(n < 80 ? n : 80), p);
        out->function = functions[k].f;
        n -= m + 2;
        p = open + 1;
    }
    if (n == 0 || n > RISK_MAX_NAME || memchr(p, '(', n) != NULL || memchr(p, ')', n) != NULL)
        return err_fail(err, ERR_INVALID, "terms: \"%.*s\" is not the name of a column",
                        (int)(n < 80 ? n : 80), p);
    out->column = arena_dup(a, p, n);
    return out->column == NULL ? err_fail(err, ERR_NOMEM, "reading terms") : ERR_OK;
}

static enum err_code parse_term(struct arena *a, const char *p, size_t n, struct risk_term *t,
                                struct err *err) {
    t->n_parts = 0;
    t->text = arena_dup(a, p, n);
    if (t->text == NULL) return err_fail(err, ERR_NOMEM, "reading terms");
    for (size_t from = 0; from <= n;) {
        const char *colon = memchr(p + from, ':', n - from);
        size_t to = colon == NULL ? n : (size_t)(colon - p);
        if (t->n_parts == RISK_MAX_PARTS)
            return err_fail(err, ERR_INVALID, "terms: \"%.80s\" has more than %d parts", t->text,
                            RISK_MAX_PARTS);
        if (to == from)
            return err_fail(err, ERR_INVALID, "terms: \"%.80s\" has an empty part", t->text);
        TRY(parse_part(a, p + from, to - from, &t->part[t->n_parts++], err));
        from = to + 1;
    }
    return ERR_OK;
}

enum err_code risk_terms_parse(struct arena *a, const char *text, struct risk_terms *out,
                               struct err *err) {
    static const char blank[] = " \t\r\n+,";
    memset(out, 0, sizeof *out);
    for (const char *p = text; *p != '\0';) {
        p += strspn(p, blank);
        size_t n = strcspn(p, blank);
        if (n == 0) break;
        if (out->n == RISK_MAX_TERMS)
            return err_fail(err, ERR_INVALID, "more than %d terms", RISK_MAX_TERMS);
        TRY(parse_term(a, p, n, &out->term[out->n], err));
        for (size_t k = 0; k < out->n; k++)
            if (strcmp(out->term[k].text, out->term[out->n].text) == 0)
                return err_fail(err, ERR_INVALID, "terms: \"%.80s\" stands twice",
                                out->term[k].text);
        out->n++;
        p += n;
    }
    return out->n > 0 ? ERR_OK : err_fail(err, ERR_INVALID, "terms: there are none");
}
