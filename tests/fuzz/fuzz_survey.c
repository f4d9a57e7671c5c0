/* Any bytes as the declaration of a survey (first byte even) or as the table of a wave (odd): read
 * or refused, and what is told keeps the promises of survey_take.h. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/yaml.h"
#include "domain/measure/survey_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct indicator_def figures[] = {
    {.name = "felt", .measure = MEASURE_FIGURE, .of = "", .to = ""},
    {.name = "people", .measure = MEASURE_FIGURE, .of = "", .to = ""},
};

static void read_declaration(struct arena *a, const char *text, size_t n) {
    const struct val *v = NULL;
    struct err err = {0};
    if (yaml_parse(a, "fuzz.yaml", text, n, &v, &err) != ERR_OK) return;
    const struct pack_document doc = {"p", "surveys", "fuzz.yaml", v};
    const struct pack_set packs = {
        .indicators = figures, .n_indicators = 2, .documents = &doc, .n_documents = 1};
    const struct survey_set *set = NULL;
    enum err_code rc = survey_load(a, &packs, &set, &err);
    if (rc != ERR_OK) {
        app_assert(rc == ERR_NOMEM || strncmp(err.detail, "fuzz.yaml", 9) == 0);
        return;
    }
    const struct survey_def *d = &set->survey[0];
    app_assert(d->n_questions > 0 && d->trim > 1 && d->enough >= SURVEY_FLOOR);
    app_assert(d->level >= LEVEL_CITY && (d->levels >> (unsigned)(d->level + 1)) == 0);
    for (size_t i = 0; i < d->n_strata; i++) app_assert(d->stratum[i].n_values >= 2);
    for (size_t i = 0; i < d->n_questions; i++) app_assert(d->question[i].n_answers >= 2);
}

/* A city with two towns, each with a community. */
static const struct grid_area areas[] = {
    {.code = "1", .level = LEVEL_CITY, .parent = GRID_NONE},
    {.code = "11", .level = LEVEL_TOWN, .parent = 0},
    {.code = "111", .level = LEVEL_COMMUNITY, .parent = 1},
    {.code = "12", .level = LEVEL_TOWN, .parent = 0},
    {.code = "121", .level = LEVEL_COMMUNITY, .parent = 3},
};
static const struct survey_value sexes[] = {{.name = "f", .share = 0.5},
                                            {.name = "m", .share = 0.5}};
static const struct survey_stratum strata[] = {{.name = "sex", .value = sexes, .n_values = 2}};
static const struct survey_answer answers[] = {
    {.name = "y", .counts = 1}, {.name = "n", .counts = 0}, {.name = "x", .counts = -1}};
static const struct survey_question questions[] = {
    {.name = "safe", .answer = answers, .n_answers = 3}};
static const struct survey_def survey = {.name = "s",
                                         .level = LEVEL_TOWN,
                                         .levels = 1u << LEVEL_CITY | 1u << LEVEL_TOWN,
                                         .trim = 4,
                                         .enough = 50,
                                         .widest = 20,
                                         .stratum = strata,
                                         .n_strata = 1,
                                         .question = questions,
                                         .n_questions = 1};

static void form(struct arena *a, const struct grid *g, const struct survey_import *in,
                 const struct survey_rows *rows) {
    struct survey_result r;
    struct err err = {0};
    enum err_code rc = survey_form(&survey, &in->wave, g, NULL, rows, a, &r, &err);
    if (rc != ERR_OK) {
        app_assert(rc == ERR_INVALID || rc == ERR_NUMERIC || rc == ERR_NOMEM);
        return;
    }
    size_t n = 0;
    for (int o = 0; o < SURVEY_N_OUTCOMES; o++) n += r.count[o];
    app_assert(n == rows->n && r.effect >= 1 - 1e-9);
    for (size_t k = 0; k < r.n_areas; k++) {
        const struct survey_told *t = &r.told[k];
        app_assert(!t->enough || t->told);
        if (!t->told) continue;
        app_assert(t->share.n >= SURVEY_FLOOR && t->share.n <= t->drawn);
        app_assert(t->share.low <= t->share.value && t->share.value <= t->share.high);
        app_assert(t->share.low >= 0 && t->share.high <= 1);
    }
}

static void read_table(struct arena *a, const char *text, size_t n) {
    const struct grid g = {.areas = areas, .n_areas = sizeof areas / sizeof areas[0]};
    struct survey_import in = {.name = "fuzz.csv", .def = &survey};
    struct survey_table table;
    struct err err = {0};
    app_assert(period_parse("2026", &in.wave, &err) == ERR_OK);
    in.in = fmemopen((void *)(uintptr_t)text, n, "r");
    app_assert(in.in != NULL);
    enum err_code rc = survey_table_read(&in, &g, a, &table, &err);
    (void)fclose(in.in);
    if (rc != ERR_OK) return;
    app_assert(table.rows.n + (size_t)table.rejected <= (size_t)table.read);
    for (size_t i = 0; i < table.rows.n; i++) {
        app_assert(table.rows.design[i] > 0 && table.rows.outcome[i] < SURVEY_N_OUTCOMES);
        app_assert(table.rows.outcome[i] != SURVEY_COMPLETED || table.rows.value[i] >= 0);
    }
    form(a, &g, &in, &table.rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > 16384) return 0;
    struct arena *a = arena_new((size_t)64 << 20);
    app_assert(a != NULL);
    if (data[0] % 2 == 0)
        read_declaration(a, (const char *)data + 1, size - 1);
    else
        read_table(a, (const char *)data + 1, size - 1);
    arena_free(a);
    return 0;
}
