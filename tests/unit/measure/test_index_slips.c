/* What is wrong in the definition of an index is told with file and line; its hash changes with
 * whatever a value is formed by, and with nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../pack/folder.h"
#include "domain/measure/index_def.h"

struct slip {
    const char *file, *from, *to, *says;
};

static const char safety[] = "safety-index/indices/safety.yaml";
static const char indicators[] = "safety-index/indicators/safety.yaml";
static const char figures[] = "safety-index/indicators/figures.yaml";

static const struct slip slips[] = {
    {safety, "index: safety\n", "", "\"index\""},
    {safety, "index: safety\n", "index: dujiangyan\n", "is declared in"},
    {safety, "version: 1\n", "version: one\n", "\"version\""},
    {safety, "version: 1\n", "version: 0\n", "\"version\""},
    {safety, "title: {en: Safety Index, zh: 平安指数}\n", "title: Safety Index\n", "a title {en:"},
    {safety, "valid_from: \"2026-01-01\"", "valid_from: \"2026-02-30\"", "is no date"},
    {safety, "levels: [city,", "levels: [citty,", "this word is not known here: \"citty\""},
    {safety, "levels: [city, county, town, community]", "levels: []", "a list of words"},
    {safety, "periods: [day,", "periods: [hour,", "this word is not known here: \"hour\""},
    {safety, "missing: 0.5", "missing: 1.5", "\"missing\""},
    {safety, "missing: 0.5", "mising: 0.5", "mising"},
    {safety, "mean: [arithmetic, arithmetic]", "mean: median", "expected arithmetic, geometric"},
    {safety, "mean: [arithmetic, arithmetic]", "mean: []", "an empty list"},
    {safety, "hysteresis: 1", "hysteresis: -1", "\"hysteresis\""},
    {safety, "doubt: {weights: 0.25,", "doubt: {weights: 2,", "\"weights\""},
    {safety, "doubt: {weights: 0.25, means: [arithmetic]}", "doubt: {means: []}",
     "one to three means"},
    {safety, "color: \"#b3261e\"", "color: red", "expected a colour"},
    {safety, "color: \"#b3261e\"", "color: \"#b3;}{x\"", "expected a colour"},
    {safety, "severity: 3", "severity: 99", "\"severity\""},
    {safety, "severity: 3, from: 0", "severity: 3", "\"from\""},
    {safety, "indicator: serious_crime_rate,", "indicator: serious_crime_rat,",
     "there is no such indicator"},
    {safety, "indicator: serious_crime_rate,", "indicator: theft_rate,",
     "moves with how much people report"},
    {safety, "indicator: serious_crime_rate,", "indicator: disputes_due,",
     "neither better nor worse"},
    {safety, "weight: 1, low: 0, high: 0.6", "weight: -1, low: 0, high: 0.6", "\"weight\""},
    {safety, "weight: 1, low: 0, high: 0.6", "weight: 1, low: 0.6, high: 0.6", "must lie below"},
    {safety, "weight: 1, low: 0, high: 0.6", "weight: 1, low: none, high: 0.6", "\"low\""},
    {safety, "weight: 1, low: 0, high: 0.6", "weight: 1, high: 0.6", "\"low\""},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    ahp: [[1, 2]]\n", "a row a child"},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    ahp: [[1, 2], [0, 1]]\n",
     "numbers above 0"},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    ahp: [[1, 2, 3], [1, 1, 1]]\n",
     "a square matrix"},
    {safety, "    weight: 0.14\n",
     "    weight: 0.14\n    groups: [{group: g, title: {en: G, zh: 组}}]\n",
     "neither an indicator nor a group"},
    {safety, "group: traffic\n", "group: disputes\n", "safety.yaml"},
};

/* NULL when the packs and their indices load, else what was said (arena). */
static const char *load(const char *dir, struct arena *a, const struct index_set **out) {
    const struct pack_set *p = NULL;
    struct err err = {.code = ERR_OK};
    struct buf report;
    buf_init(&report, 1 << 20);
    enum err_code rc = pack_load(a, dir, &report, &p, &err);
    if (rc != ERR_OK) fail_msg("the packs: %.600s", buf_text(&report));
    buf_deinit(&report);
    return index_load(a, p, out, &err) == ERR_OK ? NULL : arena_strdup(a, err.detail);
}

static void test_each_slip(void **state) {
    char dir[FOLDER_PATH], work[2 * FOLDER_PATH];
    size_t n_bad = 0;
    (void)state;
    folder_make(dir);
    folder_path(work, dir, "packs");
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        const struct slip *s = &slips[i];
        const struct index_set *set = NULL;
        struct arena *a = arena_new(64u << 20);
        folder_copy(SOURCE_DIR "/packs", work);
        folder_edit(work, s->file, s->from, s->to);
        const char *said = load(work, a, &set);
        folder_remove(work);
        if (said == NULL || strstr(said, s->says) == NULL || strstr(said, ".yaml") == NULL) {
            n_bad++;
            print_error("\"%s\"\n  wanted: %s\n  said: %s\n", s->to, s->says,
                        said == NULL ? "it was taken" : said);
        }
        arena_free(a);
    }
    folder_remove(dir);
    assert_int_equal(n_bad, 0);
    print_message("%zu slips, each told\n", sizeof slips / sizeof *slips);
}

struct change {
    const char *file, *from, *to;
    bool matters;
};

static const struct change changes[] = {
    {safety, "weight: 0.18", "weight: 0.19", true},
    {safety, "low: 0, high: 0.6", "low: 0, high: 0.7", true},
    {safety, "version: 1\n", "version: 2\n", true},
    {safety, "missing: 0.5", "missing: 0.6", true},
    {safety, "mean: [arithmetic, arithmetic]", "mean: [arithmetic, geometric]", true},
    {safety, "hysteresis: 1", "hysteresis: 2", true},
    {safety, "from: 70}", "from: 71}", true},
    {safety, "severity: 3", "severity: 4", true},
    {safety, "doubt: {weights: 0.25", "doubt: {weights: 0.3", true},
    {indicators, "of: serious_crimes, to: residents, per: 10000",
     "of: serious_crimes, to: residents, per: 100000", true},
    {indicators, "of: serious_crimes, to: residents, per: 10000",
     "of: thefts, to: residents, per: 10000", true},
    {indicators, "part: 'handled_at <= promised_at', time: promised_at, basis: due",
     "part: 'handled_at < promised_at', time: promised_at, basis: due", true},
    {indicators, "part: 'handled_at <= promised_at', time: promised_at, basis: due",
     "part: 'handled_at <= promised_at', time: opened_at, basis: due", true},
    {indicators, "basis: due, per: 100, enough: 10", "basis: due, per: 100, enough: 11", true},
    /* below what the index names: what its rates are formed from */
    {figures, "indicator: residents, measure: figure, stock: true",
     "indicator: residents, measure: figure, stock: false", true},
    {figures, "indicator: serious_crimes, measure: figure",
     "indicator: serious_crimes, version: 2, measure: figure", true},
    /* and what no value is formed by */
    {safety, "en: Public order", "en: Order in public", false},
    {safety, "color: \"#b3261e\"", "color: \"#b3261f\"", false},
    {safety, "levels: [city, county, town, community]", "levels: [city, county, town]", false},
    {indicators, "en: Serious crime,", "en: Grave crime,", false},
    {indicators, "indicator: theft_rate, measure: ratio, of: thefts, to: residents, per: 10000",
     "indicator: theft_rate, measure: ratio, of: thefts, to: residents, per: 1000", false},
    {figures, "indicator: vehicles, measure: figure, stock: true, direction: neither, min: 0",
     "indicator: vehicles, measure: figure, stock: true, direction: neither, min: 1", false},
};

static void test_hash_moves_with_what_matters(void **state) {
    char dir[FOLDER_PATH], work[2 * FOLDER_PATH];
    const struct index_set *set = NULL;
    size_t n_bad = 0;
    unsigned char shipped[32];
    (void)state;
    folder_make(dir);
    folder_path(work, dir, "packs");
    struct arena *a = arena_new(64u << 20);
    assert_null(load(SOURCE_DIR "/packs", a, &set));
    memcpy(shipped, index_find(set, "safety")->hash, 32);
    arena_free(a);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *c = &changes[i];
        a = arena_new(64u << 20);
        folder_copy(SOURCE_DIR "/packs", work);
        folder_edit(work, c->file, c->from, c->to);
        const char *said = load(work, a, &set);
        folder_remove(work);
        if (said != NULL) fail_msg("%s: %s", c->to, said);
        bool moved = memcmp(shipped, index_find(set, "safety")->hash, 32) != 0;
        if (moved != c->matters) {
            n_bad++;
            print_error("\"%s\": the hash has %smoved\n", c->to, moved ? "" : "not ");
        }
        arena_free(a);
    }
    folder_remove(dir);
    assert_int_equal(n_bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slip),
        cmocka_unit_test(test_hash_moves_with_what_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
