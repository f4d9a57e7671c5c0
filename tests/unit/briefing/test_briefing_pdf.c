/* The briefing on paper: the same input gives the same bytes, the text can be read out of it, and
 * the seal stands on each page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/briefing/pdf.h"
#include "helper/run.h"

/* As briefing_form writes it, cut to what is drawn; many areas, so that a table breaks over pages.
 */
static const char *document(size_t n_areas) {
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    (void)fputs(
        "{\"title\":{\"en\":\"Testcity: Safety Index, Monthly "
        "briefing\",\"zh\":\"试验市平安指数月报\"},"
        "\"period_title\":{\"en\":\"October 2026\",\"zh\":\"2026年10月\"},"
        "\"before_title\":{\"en\":\"September 2026\",\"zh\":\"2026年9月\"},"
        "\"city\":\"试验市\",\"invented\":true,\"data_seq\":4711,\"as_of\":\"2026-11-01\","
        "\"index\":{\"bands\":[{\"band\":\"red\",\"title\":{\"en\":\"Poor\",\"zh\":\"较差\"},"
        "\"color\":\"#b3261e\",\"from\":0},{\"band\":\"green\",\"title\":{\"en\":\"Good\",\"zh\":"
        "\"良\"},\"color\":\"#1b6e3c\",\"from\":80}]},"
        "\"head\":{\"value\":81.2,\"before\":82.0,\"band\":\"green\",\"sentences\":[{\"en\":\"It "
        "was "
        "81.2.\",\"zh\":\"分值 81.2。\"}]},"
        "\"moved\":{\"steps\":[{\"node\":\"fires\",\"title\":{\"en\":\"Fires\",\"zh\":\"火灾\"},"
        "\"change\":-0.9}],\"rest\":0.1,\"n_rest\":4,\"sentences\":[{\"en\":\"Fires.\",\"zh\":"
        "\"火灾。\"}]},"
        "\"trend\":[{\"period\":\"2026-09\",\"value\":82.0},{\"period\":\"2026-10\",\"value\":81.2}"
        "],"
        "\"warnings\":{\"sentences\":[{\"en\":\"One.\",\"zh\":\"一个。\"}],\"items\":[{\"title\":{"
        "\"en\":\"Cluster\",\"zh\":\"聚集\"},\"color\":\"red\",\"raised\":\"2026-10-03\",\"state\":"
        "{"
        "\"en\":\"Raised\",\"zh\":\"已发布\"},\"days\":3,\"overdue\":true}]},"
        "\"supervision\":{\"sentences\":[],\"units\":[{\"name\":\"环卫\",\"name_en\":"
        "\"Sanitation\","
        "\"open\":2,\"overdue\":1,\"longest_days\":4}]},"
        "\"risks\":[{\"text\":{\"en\":\"Look here.\",\"zh\":\"先看这里。\"}}],"
        "\"done\":{\"sentences\":[]},"
        "\"quality\":{\"sentences\":[],\"restated\":[{\"period\":\"2026-08\",\"value\":80,\"note\":"
        "\"late data\"}]},"
        "\"map\":{\"width\":100,\"height\":100,\"areas\":[{\"area\":\"0\",\"label\":[50,50],"
        "\"rings\":[[0,0,100,0,100,100,0,100]]}]},"
        "\"areas\":{\"sentences\":[],\"items\":[",
        f);
    for (size_t i = 0; i < n_areas; i++)
        (void)fprintf(f,
                      "%s{\"area\":\"%zu\",\"name\":\"第%zu区\",\"name_en\":\"Area %zu\",\"value\":"
                      "80.5,\"change\":-1.5,\"band\":\"green\",\"rank\":null,\"rank_low\":1,"
                      "\"rank_high\":3}",
                      i == 0 ? "" : ",", i, i, i);
    (void)fputs("]}}", f);
    (void)fclose(f);
    return text;
}

static struct buf draw(const char *doc, const char *state, const char *by, const char *lang) {
    struct arena *a = arena_new(1 << 24);
    const struct tz *tz = NULL;
    struct err err = {0};
    struct buf out;
    struct briefing_seal seal = {.state = state,
                                 .signed_by = by,
                                 .signed_at_us = by[0] == '\0' ? 0 : 1793500200000000,
                                 .formed_at_us = 1793500000000000,
                                 .note = "已阅",
                                 .hash = "00ff"};
    buf_init(&out, BRIEFING_PDF_MAX);
    assert_int_equal(tz_load(a, "Asia/Shanghai", &tz, &err), ERR_OK);
    if (briefing_pdf(a, BUILD_DIR, doc, strlen(doc), &seal, tz, lang, &out, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    arena_free(a);
    return out;
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *p = strstr(text, what); p != NULL; p = strstr(p + 1, what)) n++;
    return n;
}

static enum err_code collect(void *arg, const char *p, size_t n, struct err *err) {
    buf_add(arg, p, n);
    return buf_check(arg, err);
}

/* What a reader can select, by pdftotext; pages end with a form feed. */
static char *text_of(const struct buf *pdf) {
    const char *const argv[] = {"pdftotext", "-layout", "-", "-", NULL};
    struct buf out;
    struct err err = {0};
    buf_init(&out, 1 << 20);
    struct helper_cmd cmd = {.path = "/usr/bin/pdftotext",
                             .argv = argv,
                             .in = pdf->p,
                             .in_n = pdf->n,
                             .limits = {60000, 0, 1 << 20},
                             .on_output = collect,
                             .arg = &out};
    if (helper_run(&cmd, NULL, &err) != ERR_OK) fail_msg("pdftotext: %s", err.detail);
    char *text = strdup(buf_text(&out));
    buf_deinit(&out);
    return text;
}

static void test_the_same_input_gives_the_same_bytes(void **state) {
    const char *doc = document(3);
    struct buf a = draw(doc, "draft", "", "zh-CN"), b = draw(doc, "draft", "", "zh-CN");
    (void)state;
    assert_true(a.n > 1000 && a.n == b.n);
    assert_memory_equal(a.p, b.p, a.n);
    assert_memory_equal(a.p, "%PDF", 4);
    buf_deinit(&a);
    buf_deinit(&b);
    free((void *)(uintptr_t)doc);
}

static void test_the_text_can_be_selected(void **state) {
    const char *doc = document(3);
    struct buf zh = draw(doc, "signed", "leader1", "zh-CN"), en = draw(doc, "draft", "", "en");
    char *z = text_of(&zh), *e = text_of(&en);
    (void)state;
    static const char *const chinese[] = {"试验市平安指数月报",
                                          "2026年10月",
                                          "签发意见：已阅",
                                          "第2区",
                                          "环卫",
                                          "数据版本 4711",
                                          "81.2",
                                          "−0.9",
                                          "2026-08 已重述为 80.0"};
    static const char *const english[] = {"Monthly briefing",        "October 2026", "Area 2",
                                          "not told apart (1 to 3)", "Sanitation",   "DRAFT",
                                          "An invented demo city"};
    for (size_t i = 0; i < sizeof chinese / sizeof chinese[0]; i++)
        if (strstr(z, chinese[i]) == NULL) fail_msg("not in the Chinese text: %s", chinese[i]);
    for (size_t i = 0; i < sizeof english / sizeof english[0]; i++)
        if (strstr(e, english[i]) == NULL) fail_msg("not in the English text: %s", english[i]);
    assert_null(strstr(z, "草稿"));
    free(z);
    free(e);
    buf_deinit(&zh);
    buf_deinit(&en);
    free((void *)(uintptr_t)doc);
}

static void test_each_page_has_its_seal_and_number(void **state) {
    const char *doc = document(120);
    struct buf signed_ = draw(doc, "signed", "leader1", "en"), draft = draw(doc, "draft", "", "en");
    char *s = text_of(&signed_), *d = text_of(&draft);
    size_t pages = count(s, "\f");
    char last[40];
    (void)state;
    assert_true(pages > 3);
    (void)snprintf(last, sizeof last, "Page %zu of %zu", pages, pages);
    assert_non_null(strstr(s, last));
    assert_true(count(s, "Signed off by leader1 at 2026-11-01 ") >= pages);
    assert_true(count(d, "Draft, not signed off") >= pages);
    assert_int_equal(count(s, "Draft"), 0);
    free(s);
    free(d);
    buf_deinit(&signed_);
    buf_deinit(&draft);
    free((void *)(uintptr_t)doc);
}

static void test_what_is_no_briefing_is_refused(void **state) {
    struct arena *a = arena_new(1 << 20);
    struct briefing_seal seal = {.state = "draft", .signed_by = "", .note = "", .hash = ""};
    const struct tz *tz = NULL;
    struct err err = {0};
    struct buf out;
    (void)state;
    buf_init(&out, BRIEFING_PDF_MAX);
    assert_int_equal(tz_load(a, "UTC", &tz, &err), ERR_OK);
    assert_int_equal(briefing_pdf(a, BUILD_DIR, "7", 1, &seal, tz, "en", &out, &err), ERR_INVALID);
    assert_int_equal(briefing_pdf(a, BUILD_DIR, "{]", 2, &seal, tz, "en", &out, &err), ERR_INVALID);
    assert_int_equal(briefing_pdf(a, "/nowhere", "{}", 2, &seal, tz, "en", &out, &err),
                     ERR_NOT_FOUND);
    /* An empty document is drawn: nothing in it is needed. */
    assert_int_equal(briefing_pdf(a, BUILD_DIR, "{}", 2, &seal, tz, "en", &out, &err), ERR_OK);
    buf_deinit(&out);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_input_gives_the_same_bytes),
        cmocka_unit_test(test_the_text_can_be_selected),
        cmocka_unit_test(test_each_page_has_its_seal_and_number),
        cmocka_unit_test(test_what_is_no_briefing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
