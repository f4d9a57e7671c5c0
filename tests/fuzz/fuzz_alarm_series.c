/* Alarm series: any bytes end in series without gaps or in an error that names the file. What was
 * read is judged by a method, which always ends. */
#include <stdint.h>
#include <string.h>

#include "study/alarm/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_set(const struct series_set *s) {
    size_t points = 0;
    for (size_t g = 0; g < s->n_group; g++) {
        const struct series_group *x = &s->group[g];
        points += x->n;
        app_assert(x->n > 0 && x->n <= SERIES_MAX_POINTS);
        app_assert(g == 0 || strcmp(s->group[g - 1].name, x->name) < 0);
        for (size_t i = 0; i < x->n; i++) {
            app_assert(x->count[i] >= 0 && x->count[i] <= ALARM_MAX_COUNT);
            app_assert(i == 0 || x->day[i] - x->day[i - 1] == (s->weekly && !s->numbered ? 7 : 1));
            app_assert(x->population == NULL || x->population[i] > 0);
            app_assert(x->label == NULL || x->label[i] <= 1);
            app_assert(x->class_of == NULL || x->class_of[i] <= 7);
        }
    }
    app_assert(points == s->n_point);
}

static void judge(struct arena *a, const struct series_set *s, unsigned pick) {
    struct alarm_spec spec;
    struct alarm_answer answer;
    struct err err = {0};
    const struct alarm_when when = {NULL, -1, -1};
    alarm_spec_default((enum alarm_method)(pick % ALARM_N_METHODS), &spec);
    if (s->n_point > 2000) return;
    enum err_code rc = alarm_answer(a, NULL, s, &spec, &when, &answer, &err);
    app_assert(rc == ERR_OK || err.detail[0] != '\0');
    for (size_t g = 0; rc == ERR_OK && g < s->n_group; g++)
        app_assert(alarm_answer_alarms(&answer, g) <= s->group[g].n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)256 << 20);
    const struct table *t = NULL;
    const struct series_set *s = NULL;
    struct err err = {0};
    app_assert(a != NULL);
    if (table_parse(a, "f.csv", (const char *)data, size, 0, 5000, &t, &err) == ERR_OK) {
        const struct series_options o = {.fill_zero = size % 2 == 0,
                                         .sum_duplicates = size % 3 == 0,
                                         .need_label = size % 5 == 0};
        enum err_code rc = series_read(a, t, &o, &s, &err);
        if (rc == ERR_OK) {
            check_set(s);
            judge(a, s, (unsigned)size);
        } else {
            app_assert(strstr(err.detail, "f.csv") != NULL || rc == ERR_NOMEM);
        }
    }
    arena_free(a);
    return 0;
}
