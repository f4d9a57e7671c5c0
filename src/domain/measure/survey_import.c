/* The table of a wave: one row a drawn person or a call attempt. */
#include "domain/measure/survey_import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    COL_AREA,
    COL_OUTCOME,
    COL_SAMPLE,
    COL_WEIGHT,
    N_FIXED,
    MAX_COLUMNS = N_FIXED + SURVEY_MAX_STRATA + SURVEY_MAX_QUESTIONS,
    MAX_SAMPLE = 999999, /* six digits: no telephone number fits */
    FIRST_UNITS = 1024
};
static const char *const fixed_names[N_FIXED] = {"area", "outcome", "sample", "weight"};
static const double max_weight = 1e6;

struct unit {
    double design;
    int area;
    int32_t sample; /* 0: none */
    unsigned char outcome;
    int16_t value[SURVEY_MAX_STRATA], answer[SURVEY_MAX_QUESTIONS];
};
struct importing {
    const struct survey_import *in;
    const struct survey_def *d;
    const struct grid *g;
    struct survey_table *out;
    struct err *err;
    int at[MAX_COLUMNS]; /* position in the record, or -1: fixed, strata, questions */
    size_t n_columns;
    struct unit *unit; /* grows */
    size_t n, cap;
    int32_t *of_sample;              /* MAX_SAMPLE + 1: number of its unit + 1 */
    unsigned char hash[HASH_SHA256]; /* chained over the records */
};

/* ---- head */

static const char *column_name(const struct survey_def *d, size_t c) {
    if (c < N_FIXED) return fixed_names[c];
    if (c < N_FIXED + d->n_strata) return d->stratum[c - N_FIXED].name;
    return d->question[c - N_FIXED - d->n_strata].name;
}

static size_t column_count(const struct survey_def *d) {
    return N_FIXED + d->n_strata + d->n_questions;
}

/* Whether a heading is one for who was called. What is not declared is refused in any case; this
 * only tells why. */
static bool is_personal(const char *heading) {
    static const char *const words[] = {
        "name",   "phone", "tel",    "mobile", "call_to", "id_card", "idcard", "address",
        "email",  "mail",  "wechat", "birth",  "姓名",    "电话",    "手机",   "号码",
        "身份证", "住址",  "地址",   "微信",   "出生",    "邮箱"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(heading, words[i]) != NULL) return true;
    return false;
}

static enum err_code unknown_column(const struct importing *x, const char *heading) {
    const char *row = refuse_name(heading);
    if (row != NULL)
        return err_fail(x->err, ERR_REFUSED,
                        "%s: column \"%.60s\" stands for what Gezhi refuses to hold: %s",
                        x->in->name, heading, row);
    if (is_personal(heading))
        return err_fail(x->err, ERR_REFUSED,
                        "%s: column \"%.60s\" looks like one for names, telephone numbers or "
                        "addresses: take it out, no wave holds who was asked",
                        x->in->name, heading);
    return err_fail(x->err, ERR_INVALID,
                    "%s: survey %s has no column \"%.60s\"; its columns are area, outcome, its "
                    "strata and questions and, if you like, sample and weight",
                    x->in->name, x->d->name, heading);
}

static enum err_code read_head(struct importing *x, const struct csv_record *r) {
    size_t n = column_count(x->d);
    for (size_t c = 0; c < n; c++) x->at[c] = -1;
    for (size_t i = 0; i < r->n; i++) {
        size_t c = 0;
        while (c < n && strcmp(column_name(x->d, c), r->field[i]) != 0) c++;
        if (c == n) return unknown_column(x, r->field[i]);
        if (x->at[c] >= 0)
            return err_fail(x->err, ERR_INVALID, "%s: two columns \"%s\"", x->in->name,
                            r->field[i]);
        x->at[c] = (int)i;
    }
    for (size_t c = 0; c < n; c++)
        if (x->at[c] < 0 && c != COL_SAMPLE && c != COL_WEIGHT)
            return err_fail(x->err, ERR_INVALID, "%s: there is no column \"%s\"", x->in->name,
                            column_name(x->d, c));
    x->n_columns = r->n;
    return ERR_OK;
}

/* ---- a row */

static const char *field(const struct importing *x, const struct csv_record *r, size_t c) {
    return x->at[c] < 0 ? "" : r->field[x->at[c]];
}

static enum err_code read_area(const struct importing *x, const struct csv_record *r,
                               struct unit *u, struct err *err) {
    const char *code = field(x, r, COL_AREA);
    u->area = grid_area_index(x->g, code);
    if (u->area == GRID_NONE)
        return err_fail(err, ERR_INVALID, "column area: there is no area \"%.40s\"", code);
    for (int at = u->area; at != GRID_NONE; at = x->g->areas[at].parent)
        if (x->g->areas[at].level == x->d->level) return ERR_OK;
    return err_fail(err, ERR_INVALID, "column area: %.40s lies above the level %s", code,
                    area_level_name(x->d->level));
}

static enum err_code read_numbers(const struct importing *x, const struct csv_record *r,
                                  struct unit *u, struct err *err) {
    const char *sample = field(x, r, COL_SAMPLE), *weight = field(x, r, COL_WEIGHT);
    char *end = NULL;
    u->design = 1;
    if (sample[0] != '\0') {
        if (sample[strspn(sample, "0123456789")] != '\0' || strlen(sample) > 6 ||
            strtol(sample, NULL, 10) < 1)
            return err_fail(err, ERR_INVALID,
                            "column sample: expected a running number of at most six digits");
        u->sample = (int32_t)strtol(sample, NULL, 10);
    }
    if (weight[0] == '\0') return ERR_OK;
    u->design = weight[strspn(weight, "0123456789.")] == '\0' ? strtod(weight, &end) : 0;
    return end != NULL && *end == '\0' && u->design > 0 && u->design <= max_weight
               ? ERR_OK
               : err_fail(err, ERR_INVALID,
                          "column weight: expected a number above 0 and at most %g", max_weight);
}

static enum err_code read_values(const struct importing *x, const struct csv_record *r,
                                 struct unit *u, struct err *err) {
    for (size_t s = 0; s < x->d->n_strata; s++) {
        const struct survey_stratum *t = &x->d->stratum[s];
        const char *word = field(x, r, N_FIXED + s);
        size_t k = 0;
        u->value[s] = -1;
        if (word[0] == '\0' && u->outcome != SURVEY_COMPLETED) continue;
        while (k < t->n_values && strcmp(t->value[k].name, word) != 0) k++;
        if (k == t->n_values)
            return err_fail(err, ERR_INVALID,
                            word[0] == '\0' ? "column %s: is blank, but the call was completed%.0s"
                                            : "column %s: \"%.40s\" is not among its values",
                            t->name, word);
        u->value[s] = (int16_t)k;
    }
    return ERR_OK;
}

static enum err_code read_answers(const struct importing *x, const struct csv_record *r,
                                  struct unit *u, struct err *err) {
    for (size_t q = 0; q < x->d->n_questions; q++) {
        const struct survey_question *t = &x->d->question[q];
        const char *word = field(x, r, N_FIXED + x->d->n_strata + q);
        size_t k = 0;
        u->answer[q] = -1;
        if (word[0] == '\0') continue;
        while (k < t->n_answers && strcmp(t->answer[k].name, word) != 0) k++;
        if (k == t->n_answers)
            return err_fail(err, ERR_INVALID, "column %s: \"%.40s\" is not among its answers",
                            t->name, word);
        /* A call that was not completed gives no answers: partial ones would weigh twice. */
        if (u->outcome == SURVEY_COMPLETED) u->answer[q] = (int16_t)k;
    }
    return ERR_OK;
}

static enum err_code read_unit(const struct importing *x, const struct csv_record *r,
                               struct unit *u, struct err *err) {
    *u = (struct unit){.design = 1};
    if (r->n != x->n_columns)
        return err_fail(err, ERR_INVALID, "%zu fields, but the header has %zu", r->n, x->n_columns);
    int outcome = survey_outcome_parse(field(x, r, COL_OUTCOME));
    if (outcome < 0)
        return err_fail(err, ERR_INVALID,
                        "column outcome: \"%.40s\" is none of completed, partial, refused, "
                        "no_contact, other, unknown, not_eligible",
                        field(x, r, COL_OUTCOME));
    u->outcome = (unsigned char)outcome;
    TRY(read_area(x, r, u, err));
    TRY(read_numbers(x, r, u, err));
    TRY(read_values(x, r, u, err));
    return read_answers(x, r, u, err);
}

/* ---- what was drawn */

static enum err_code add_unit(struct importing *x, const struct unit *u) {
    if (x->n == x->cap) {
        size_t cap = x->cap == 0 ? FIRST_UNITS : x->cap * 2;
        struct unit *more = mem_resize(x->unit, cap, sizeof *more);
        if (more == NULL) return err_fail(x->err, ERR_NOMEM, "survey");
        x->unit = more;
        x->cap = cap;
    }
    if (x->n == SURVEY_MAX_UNITS)
        return err_fail(x->err, ERR_LIMIT, "%s: more than %d rows", x->in->name, SURVEY_MAX_UNITS);
    x->unit[x->n++] = *u;
    if (u->sample > 0) x->of_sample[u->sample] = (int32_t)x->n;
    return ERR_OK;
}

/* A later attempt takes the place of an earlier one that was not completed. */
static enum err_code take_unit(struct importing *x, const struct unit *u, struct err *why) {
    int32_t before = u->sample > 0 ? x->of_sample[u->sample] : 0;
    if (before == 0) return add_unit(x, u);
    struct unit *was = &x->unit[before - 1];
    if (was->area != u->area || was->design != u->design)
        return err_fail(why, ERR_INVALID,
                        "sample %d: another area or weight than in an earlier attempt", u->sample);
    if (was->outcome == SURVEY_COMPLETED && u->outcome == SURVEY_COMPLETED)
        return err_fail(why, ERR_INVALID, "sample %d: completed twice", u->sample);
    if (was->outcome != SURVEY_COMPLETED) *was = *u;
    return ERR_OK;
}

static void reject(struct importing *x, const struct csv_record *r, const char *why) {
    struct buf b;
    char line[32];
    struct arena *scratch = arena_new((size_t)CSV_MAX_RECORD * 2);
    x->out->rejected++;
    buf_init(&b, (size_t)CSV_MAX_RECORD * 2);
    (void)snprintf(line, sizeof line, "%ld", r->line);
    const char *raw = scratch == NULL ? NULL : arena_dup(scratch, r->raw, r->raw_n);
    csv_field(&b, line, true);
    csv_field(&b, why, false);
    csv_field(&b, raw == NULL ? "" : raw, false);
    csv_end(&b);
    if (x->in->rejected != NULL && !b.failed) (void)fwrite(b.p, 1, b.n, x->in->rejected);
    buf_deinit(&b);
    arena_free(scratch);
}

static enum err_code take_row(struct importing *x, const struct csv_record *r) {
    struct err why = {0};
    struct unit u;
    const struct hash_piece chain[] = {{x->hash, sizeof x->hash}, {r->raw, r->raw_n}};
    uint8_t next[HASH_SHA256];
    hash_sha256(chain, 2, next);
    memcpy(x->hash, next, sizeof next);
    if (x->n_columns == 0) return read_head(x, r);
    x->out->read++;
    enum err_code rc = read_unit(x, r, &u, &why);
    if (rc == ERR_OK) rc = take_unit(x, &u, &why);
    if (rc == ERR_OK) return ERR_OK;
    if (rc != ERR_INVALID) return rc;
    reject(x, r, why.detail);
    return ERR_OK;
}

static enum err_code read_rows(struct importing *x, struct csv_reader *csv) {
    if (x->in->rejected != NULL) (void)fputs("line,reason,row\n", x->in->rejected);
    for (bool more = true;;) {
        struct csv_record r;
        struct err why = {0};
        enum err_code rc = csv_read(csv, &r, &more, &why);
        if (rc != ERR_OK) return err_fail(x->err, rc, "%s: %.400s", x->in->name, why.detail);
        if (!more) break;
        TRY(take_row(x, &r));
    }
    return x->n_columns > 0 ? ERR_OK
                            : err_fail(x->err, ERR_INVALID, "%s: the file is empty", x->in->name);
}

/* ---- as columns */

static enum err_code make_rows(const struct importing *x, struct arena *a) {
    size_t n = x->n, strata = x->d->n_strata, questions = x->d->n_questions;
    int *area = ARENA_NEW(a, int, n + 1);
    unsigned char *outcome = ARENA_NEW(a, unsigned char, n + 1);
    double *design = ARENA_NEW(a, double, n + 1);
    int16_t *value = ARENA_NEW(a, int16_t, n * strata + 1);
    int16_t *answer = ARENA_NEW(a, int16_t, n * questions + 1);
    if (area == NULL || outcome == NULL || design == NULL || value == NULL || answer == NULL)
        return err_fail(x->err, ERR_NOMEM, "survey");
    for (size_t i = 0; i < n; i++) {
        const struct unit *u = &x->unit[i];
        area[i] = u->area;
        outcome[i] = u->outcome;
        design[i] = u->design;
        for (size_t s = 0; s < strata; s++) value[i * strata + s] = u->value[s];
        for (size_t q = 0; q < questions; q++) answer[i * questions + q] = u->answer[q];
    }
    x->out->rows = (struct survey_rows){n, area, outcome, design, value, answer};
    hash_hex(x->hash, sizeof x->hash, x->out->hash);
    return ERR_OK;
}

enum err_code survey_table_read(const struct survey_import *in, const struct grid *g,
                                struct arena *a, struct survey_table *out, struct err *err) {
    struct importing x = {.in = in, .d = in->def, .g = g, .out = out, .err = err};
    *out = (struct survey_table){0};
    x.of_sample = mem_new(MAX_SAMPLE + 1, sizeof *x.of_sample);
    struct csv_reader *csv = csv_reader_new(in->in, ',');
    enum err_code rc = x.of_sample == NULL || csv == NULL ? err_fail(err, ERR_NOMEM, "survey")
                                                          : read_rows(&x, csv);
    if (rc == ERR_OK) rc = make_rows(&x, a);
    csv_reader_free(csv);
    mem_free(x.of_sample);
    mem_free(x.unit);
    return rc;
}
