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
static const char trend[] = "safety-index/indices/dujiangyan.yaml";
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
    {safety, "missing: 0.5", "missing: 1.5", "safety.yaml:12: \"missing\""},
    {safety, "missing: 0.5", "mising: 0.5", "safety.yaml:12: \"mising\""},
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
    {safety, "group: traffic\n", "group: disputes\n",
     "safety.yaml:34: this name stands twice in the tree: \"disputes\""},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    weights: {method: fair}\n",
     "expected given, ahp, entropy, pca or bod: \"fair\""},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    weights: {method: ahp}\n",
     "ahp needs its judgements"},
    {safety, "    weight: 0.14\n",
     "    weight: 0.14\n    weights: {method: ahp, pairwise: [[1, 2], [3, 1]]}\n",
     "expected the one to be 1 over the other"},
    {safety, "    weight: 0.14\n",
     "    weight: 0.14\n    weights: {method: entropy, pairwise: [[1]]}\n", "only ahp takes"},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    weights: {method: bod, least: 0.8}\n",
     "cannot add up to 1"},
    {safety, "    weight: 0.14\n", "    weight: 0.14\n    weights: entropy\n",
     "expected a map of: \"weights\""},
    {trend, "    weight: 0.4\n",
     "    weight: 0.4\n    weights: {method: ahp, pairwise: [[1, 5, 0.2], [0.2, 1, 5], [5, 0.2, "
     "1]]}\n",
     "contradict each other: consistency ratio"},
    {safety, "low: 0, high: 0.6}", "low: 0, high: 0.6, treat: {curve: log}}", "must be above 0"},
    {safety, "low: 0, high: 0.6}", "low: 0, high: 0.6, treat: {curve: cubic}}",
     "expected log or box_cox"},
    {safety, "low: 0, high: 0.6}", "low: 0, high: 0.6, treat: {winsorise: 0}}", "\"winsorise\""},
    {safety, "mean: [arithmetic, arithmetic]", "mean: {power: 0}", "a power that is not 0"},
    {safety, "outcome: urgent_cases", "outcome: nothing", "there is no such indicator"},
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
    folder_copy(SOURCE_DIR "/packs", work);
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        const struct slip *s = &slips[i];
        const struct index_set *set = NULL;
        struct arena *a = arena_new(64u << 20);
        folder_edit(work, s->file, s->from, s->to);
        const char *said = load(work, a, &set);
        folder_restore(SOURCE_DIR "/packs", work, s->file);
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
    folder_copy(SOURCE_DIR "/packs", work);
    struct arena *a = arena_new(64u << 20);
    assert_null(load(SOURCE_DIR "/packs", a, &set));
    memcpy(shipped, index_find(set, "safety")->hash, 32);
    arena_free(a);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *c = &changes[i];
        a = arena_new(64u << 20);
        folder_edit(work, c->file, c->from, c->to);
        const char *said = load(work, a, &set);
        folder_restore(SOURCE_DIR "/packs", work, c->file);
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

/* What is accepted: judgements that somebody knows to contradict each other, worked-out weights,
 * curves, powers. */
static void test_other_ways(void **state) {
    static const struct slip ways[] = {
        {trend, "    weight: 0.4\n",
         "    weight: 0.4\n    weights: {method: ahp, accept_inconsistent: true, pairwise: [[1, 5, "
         "0.2], [0.2, 1, 5], [5, 0.2, 1]]}\n",
         ""},
        {safety, "    weight: 0.14\n", "    weight: 0.14\n    weights: {method: bod, least: 0.2}\n",
         ""},
        {safety, "low: 0, high: 0.6}", "low: 0, high: 0.6, treat: {curve: log, shift: 0.1}}", ""},
        {safety, "mean: [arithmetic, arithmetic]", "mean: [{power: 0.5}, geometric]", ""}};
    char dir[FOLDER_PATH], work[2 * FOLDER_PATH];
    unsigned char first[32];
    (void)state;
    folder_make(dir);
    folder_path(work, dir, "packs");
    folder_copy(SOURCE_DIR "/packs", work);
    for (size_t i = 0; i <= sizeof ways / sizeof *ways; i++) {
        const struct index_set *set = NULL;
        struct arena *a = arena_new(64u << 20);
        if (i > 0) folder_edit(work, ways[i - 1].file, ways[i - 1].from, ways[i - 1].to);
        const char *said = load(work, a, &set);
        if (i > 0) folder_restore(SOURCE_DIR "/packs", work, ways[i - 1].file);
        if (said != NULL) fail_msg("%zu: %s", i, said);
        const struct index_def *d = index_find(set, i == 1 ? "dujiangyan" : "safety");
        if (i == 0) memcpy(first, d->hash, sizeof first);
        if (i > 1) assert_memory_not_equal(d->hash, first, sizeof first);
        arena_free(a);
    }
    folder_remove(dir);
}

static bool moves_with_reporting(const struct pack_set *p, const struct indicator_def *d,
                                 int depth) {
    if (d == NULL || depth > INDICATOR_MAX_DEPTH) return false;
    bool yes = d->effort ||
               (d->of[0] != '\0' && moves_with_reporting(p, pack_indicator(p, d->of), depth + 1));
    for (size_t i = 0; !yes && i < d->n_terms; i++)
        yes = moves_with_reporting(p, pack_indicator(p, d->terms[i].indicator), depth + 1);
    return yes;
}

/* A bare count of reports, or a rate with reports above the line, falls when fewer people report:
 * none is in a shipped index, nor in what one of its terms is formed from. */
static void test_nobody_gains_by_silence(void **state) {
    struct arena *a = arena_new(64u << 20);
    const struct pack_set *p = NULL;
    const struct index_set *set = NULL;
    struct err err = {.code = ERR_OK};
    size_t n_terms = 0, n_effort = 0;
    (void)state;
    assert_int_equal(pack_load(a, SOURCE_DIR "/packs", NULL, &p, &err), ERR_OK);
    assert_int_equal(index_load(a, p, &set, &err), ERR_OK);
    for (size_t i = 0; i < p->n_indicators; i++)
        n_effort += moves_with_reporting(p, &p->indicators[i], 0);
    for (size_t i = 0; i < set->n_editions; i++)
        for (size_t k = 0; k < set->edition[i].n_leaves; k++, n_terms++) {
            const struct indicator_def *d = set->edition[i].node[k].indicator;
            bool bare = d->measure == MEASURE_COUNT || d->measure == MEASURE_DISTINCT;
            if (bare || moves_with_reporting(p, d, 0))
                fail_msg("%s: %s falls when fewer people report", set->edition[i].name, d->name);
        }
    assert_true(n_terms >= 20 && n_effort >= 5);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slip),
        cmocka_unit_test(test_hash_moves_with_what_matters),
        cmocka_unit_test(test_other_ways),
        cmocka_unit_test(test_nobody_gains_by_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
