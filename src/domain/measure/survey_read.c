/* surveys/NAME.yaml: what is asked, whom, and how answers are weighted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/grid/grid.h"
#include "domain/measure/document.h"
#include "domain/measure/survey_def.h"

static const struct val nothing = {.type = VAL_LIST};

struct reading {
    struct arena *a;
    const struct pack_set *packs;
    const struct pack_document *doc;
    struct survey_def *d;
    struct err *err;
};

static enum err_code fault(const struct reading *r, const struct val *v, const char *what,
                           const char *found) {
    return document_fault(r->doc, v, what, found, r->err);
}

static enum err_code number(const struct reading *r, const struct val *v, const char *key,
                            bool required, double min, double max, double *out) {
    struct err why = {0};
    return document_said(r->doc, v, val_double(v, key, required, min, max, out, &why), &why,
                         r->err);
}

/* A name that is a column or a word of the file: small letters, digits, '_' and, within, '-'. */
static enum err_code name_of(const struct reading *r, const struct val *v, const char *key,
                             const char **out) {
    TRY(document_text(r->doc, v, key, true, out, r->err));
    const char *s = *out;
    bool good = s[0] != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0' &&
                s[0] != '-' && strlen(s) <= 40;
    if (!good) return fault(r, v, "this is no name (small letters, digits, _, -)", s);
    const char *row = refuse_name(s);
    return row == NULL ? ERR_OK
                       : err_fail(r->err, ERR_REFUSED,
                                  "%s:%d: \"%s\" stands for what Gezhi refuses to hold: %s",
                                  r->doc->file, v->line, s, row);
}

static enum err_code list_of(const struct reading *r, const struct val *v, const char *key,
                             size_t min, size_t max, const struct val **out) {
    const struct val *list = val_get(v, key);
    if (list == NULL || list->type != VAL_LIST)
        return fault(r, list == NULL ? v : list, "expected a list in", key);
    if (list->n < min || list->n > max)
        return err_fail(r->err, ERR_INVALID, "%s:%d: \"%s\" has %zu entries, expected %zu to %zu",
                        r->doc->file, list->line, key, list->n, min, max);
    *out = list;
    return ERR_OK;
}

/* Words of a list as bits. */
static enum err_code bits_of(const struct reading *r, const struct val *v, const char *key,
                             int (*parse)(const char *), unsigned *out) {
    const struct val *list = &nothing;
    TRY(list_of(r, v, key, 1, 8, &list));
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        int at = x->type == VAL_STR ? parse(x->u.s) : -1;
        if (at < 0)
            return fault(r, x, "this word is not known here", x->type == VAL_STR ? x->u.s : NULL);
        *out |= 1u << (unsigned)at;
    }
    return ERR_OK;
}

static enum err_code figure_named(const struct reading *r, const struct val *v, const char *key,
                                  const struct indicator_def **out) {
    const char *name = "";
    TRY(document_text(r->doc, v, key, false, &name, r->err));
    if (name[0] == '\0') return ERR_OK;
    *out = pack_indicator(r->packs, name);
    if (*out == NULL) return fault(r, v, "there is no such indicator", name);
    return (*out)->measure == MEASURE_FIGURE
               ? ERR_OK
               : fault(r, v, "this indicator is formed here and takes no figures", name);
}

/* ---- strata */

static enum err_code read_values(const struct reading *r, const struct val *list,
                                 struct survey_stratum *s) {
    static const char *const keys[] = {"value", "title", "share", NULL};
    struct survey_value *v = ARENA_NEW(r->a, struct survey_value, list->n);
    double sum = 0;
    if (v == NULL) return err_fail(r->err, ERR_NOMEM, "surveys");
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        TRY(document_known(r->doc, x, "a value", keys, r->err));
        TRY(name_of(r, x, "value", &v[i].name));
        TRY(document_title(r->doc, x, "title", &v[i].title, r->err));
        TRY(number(r, x, "share", true, 1e-6, 1, &v[i].share));
        for (size_t k = 0; k < i; k++)
            if (strcmp(v[k].name, v[i].name) == 0) return fault(r, x, "twice the value", v[i].name);
        sum += v[i].share;
    }
    if (fabs(sum - 1) > 0.005)
        return err_fail(r->err, ERR_INVALID, "%s:%d: the shares of %s add up to %g, expected 1",
                        r->doc->file, list->line, s->name, sum);
    s->value = v;
    s->n_values = list->n;
    return ERR_OK;
}

static enum err_code read_strata(const struct reading *r, const struct val *v) {
    static const char *const keys[] = {"stratum", "title", "values", NULL};
    const struct val *list = &nothing, *values = &nothing;
    struct survey_stratum *s = ARENA_NEW(r->a, struct survey_stratum, SURVEY_MAX_STRATA);
    if (s == NULL) return err_fail(r->err, ERR_NOMEM, "surveys");
    r->d->stratum = s;
    if (val_get(v, "strata") == NULL) return ERR_OK;
    TRY(list_of(r, v, "strata", 1, SURVEY_MAX_STRATA, &list));
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        TRY(document_known(r->doc, x, "a stratum", keys, r->err));
        TRY(name_of(r, x, "stratum", &s[i].name));
        TRY(document_title(r->doc, x, "title", &s[i].title, r->err));
        TRY(list_of(r, x, "values", 2, SURVEY_MAX_VALUES, &values));
        TRY(read_values(r, values, &s[i]));
    }
    r->d->n_strata = list->n;
    return ERR_OK;
}

/* ---- questions */

static enum err_code read_answer(const struct reading *r, const struct val *v,
                                 struct survey_answer *out) {
    static const char *const keys[] = {"answer", "title", "counts", "missing", NULL};
    struct err why = {0};
    bool counts = false, missing = false;
    TRY(document_known(r->doc, v, "an answer", keys, r->err));
    TRY(name_of(r, v, "answer", &out->name));
    TRY(document_title(r->doc, v, "title", &out->title, r->err));
    TRY(document_said(r->doc, v, val_bool(v, "counts", false, &counts, &why), &why, r->err));
    TRY(document_said(r->doc, v, val_bool(v, "missing", false, &missing, &why), &why, r->err));
    out->counts = missing ? -1 : counts ? 1 : 0;
    return counts && missing ? fault(r, v, "an answer cannot both count and be missing", out->name)
                             : ERR_OK;
}

static enum err_code read_answers(const struct reading *r, const struct val *v,
                                  struct survey_question *q) {
    const struct val *list = &nothing;
    TRY(list_of(r, v, "answers", 2, SURVEY_MAX_ANSWERS, &list));
    struct survey_answer *x = ARENA_NEW(r->a, struct survey_answer, list->n);
    if (x == NULL) return err_fail(r->err, ERR_NOMEM, "surveys");
    bool yes = false, no = false;
    for (size_t i = 0; i < list->n; i++) {
        TRY(read_answer(r, &list->u.list[i], &x[i]));
        yes = yes || x[i].counts == 1;
        no = no || x[i].counts == 0;
        for (size_t k = 0; k < i; k++)
            if (strcmp(x[k].name, x[i].name) == 0)
                return fault(r, &list->u.list[i], "twice the answer", x[i].name);
    }
    q->answer = x;
    q->n_answers = list->n;
    return yes && no
               ? ERR_OK
               : fault(r, list, "some answers must count for the share and some not", q->name);
}

static enum err_code read_questions(const struct reading *r, const struct val *v) {
    static const char *const keys[] = {"question", "title", "text", "feeds", "answers", NULL};
    const struct val *list = &nothing;
    TRY(list_of(r, v, "questions", 1, SURVEY_MAX_QUESTIONS, &list));
    struct survey_question *q = ARENA_NEW(r->a, struct survey_question, list->n);
    if (q == NULL) return err_fail(r->err, ERR_NOMEM, "surveys");
    for (size_t i = 0; i < list->n; i++) {
        const struct val *x = &list->u.list[i];
        TRY(document_known(r->doc, x, "a question", keys, r->err));
        TRY(name_of(r, x, "question", &q[i].name));
        TRY(document_title(r->doc, x, "title", &q[i].title, r->err));
        TRY(document_title(r->doc, x, "text", &q[i].text, r->err));
        TRY(figure_named(r, x, "feeds", &q[i].feeds));
        TRY(read_answers(r, x, &q[i]));
    }
    r->d->question = q;
    r->d->n_questions = list->n;
    return ERR_OK;
}

/* Strata and questions are columns of one table; two questions must not feed one indicator. */
static enum err_code check_names(const struct reading *r, const struct val *v) {
    static const char *const taken[] = {"area", "outcome", "sample", "weight", "line", "reason"};
    const struct survey_def *d = r->d;
    const char *name[SURVEY_MAX_STRATA + SURVEY_MAX_QUESTIONS];
    size_t n = 0;
    for (size_t i = 0; i < d->n_strata; i++) name[n++] = d->stratum[i].name;
    for (size_t i = 0; i < d->n_questions; i++) name[n++] = d->question[i].name;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            if (strcmp(name[i], name[k]) == 0)
                return fault(r, v, "two columns of the name", name[i]);
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            if (strcmp(name[i], taken[k]) == 0)
                return fault(r, v, "this column has a meaning of its own", name[i]);
    }
    for (size_t i = 0; i < d->n_questions; i++)
        for (size_t k = 0; k < i; k++)
            if (d->question[i].feeds != NULL && d->question[i].feeds == d->question[k].feeds)
                return fault(r, v, "two questions feed", d->question[i].feeds->name);
    return ERR_OK;
}

/* ---- the survey */

static enum err_code read_head(const struct reading *r, const struct val *v) {
    struct survey_def *d = r->d;
    struct err why = {0};
    const char *level = "";
    TRY(name_of(r, v, "survey", &d->name));
    TRY(document_title(r->doc, v, "title", &d->title, r->err));
    TRY(document_title(r->doc, v, "population", &d->population, r->err));
    d->owner = "";
    TRY(document_text(r->doc, v, "owner", false, &d->owner, r->err));
    TRY(document_said(r->doc, v, val_int(v, "version", true, 1, 1000, &d->version, &why), &why,
                      r->err));
    TRY(document_text(r->doc, v, "drawn_by", true, &level, r->err));
    d->level = area_level_parse(level);
    if (d->level < LEVEL_CITY) return fault(r, v, "\"drawn_by\" is no level of areas", level);
    TRY(bits_of(r, v, "told_for", area_level_parse, &d->levels));
    if ((d->levels >> (unsigned)(d->level + 1)) != 0)
        return fault(r, v, "shares are not told for areas below those that samples are drawn by",
                     level);
    TRY(bits_of(r, v, "waves", period_kind_parse, &d->waves));
    TRY(figure_named(r, v, "frame", &d->frame));
    d->trim = 4;
    d->enough = 50;
    d->widest = 20;
    TRY(number(r, v, "trim", false, 1.1, 100, &d->trim));
    TRY(number(r, v, "enough", false, SURVEY_FLOOR, 1e6, &d->enough));
    return number(r, v, "widest", false, 1, 100, &d->widest);
}

static enum err_code read_survey(const struct reading *r) {
    static const char *const keys[] = {"survey",   "title",    "population", "owner",     "version",
                                       "drawn_by", "told_for", "waves",      "frame",     "trim",
                                       "enough",   "widest",   "strata",     "questions", NULL};
    const struct val *v = r->doc->v;
    *r->d = (struct survey_def){.file = r->doc->file, .pack = r->doc->pack};
    TRY(document_known(r->doc, v, "a survey", keys, r->err));
    TRY(read_head(r, v));
    TRY(read_strata(r, v));
    TRY(read_questions(r, v));
    return check_names(r, v);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct survey_def *)a)->name, ((const struct survey_def *)b)->name);
}

enum err_code survey_load(struct arena *a, const struct pack_set *packs,
                          const struct survey_set **out, struct err *err) {
    struct survey_set *s = ARENA_NEW(a, struct survey_set, 1);
    struct survey_def *d = ARENA_NEW(a, struct survey_def, packs->n_documents + 1);
    if (s == NULL || d == NULL) return err_fail(err, ERR_NOMEM, "surveys");
    *s = (struct survey_set){.survey = d};
    for (size_t i = 0; i < packs->n_documents; i++) {
        if (strcmp(packs->documents[i].folder, "surveys") != 0) continue;
        struct reading r = {a, packs, &packs->documents[i], &d[s->n], err};
        TRY(read_survey(&r));
        s->n++;
    }
    qsort(d, s->n, sizeof *d, by_name);
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(d[i].name, d[i - 1].name) == 0)
            return err_fail(err, ERR_INVALID, "%s: survey \"%s\" is declared in %s already",
                            d[i].file, d[i].name, d[i - 1].file);
    *out = s;
    return ERR_OK;
}

const struct survey_def *survey_find(const struct survey_set *s, const char *name) {
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->survey[i].name, name) == 0) return &s->survey[i];
    return NULL;
}
