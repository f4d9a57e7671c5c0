/* gezhi-print: takes a briefing on stdin as JSON {lang, state, signed_by, signed_at, formed_at,
 * note, hash, document} and writes it to stdout as a PDF on A4 pages. The same input and fonts give
 * the same bytes. Exit codes as in helper/run.h; one English line on stderr says what is wrong. */
#include <cairo-pdf.h>
#include <errno.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "helper/print_page.h"
#include "helper/run.h"

enum { MAX_BYTES = 2 << 20, ARENA = 64 << 20, STATE_TEXT = 400, TREND_TALL = 225 };

#ifdef __SANITIZE_ADDRESS__
/* Fontconfig keeps its tables until the end, and the process ends after one document. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif

struct job {
    struct arena *a;
    const struct val *in, *doc;
    char state[STATE_TEXT];
    struct page page;
};

static int say(int code, const char *what) {
    (void)fprintf(stderr, "%s\n", what);
    return code;
}

static int read_input(struct job *j) {
    char *p = mem_new(MAX_BYTES + 1, 1);
    size_t n = 0;
    struct err err = {0};
    if (p == NULL) return say(HELPER_EXIT_FAILED, "out of memory");
    for (;;) {
        ssize_t got = read(0, p + n, MAX_BYTES + 1 - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return say(HELPER_EXIT_INPUT, "the input cannot be read");
        if (got == 0) break;
        n += (size_t)got;
        if (n > MAX_BYTES) return say(HELPER_EXIT_LIMIT, "the briefing is too long");
    }
    j->a = arena_new(ARENA);
    if (j->a == NULL || json_parse(j->a, p, n, &j->in, &err) != ERR_OK)
        return say(HELPER_EXIT_INPUT, err.detail[0] == '\0' ? "out of memory" : err.detail);
    mem_free(p);
    j->doc = val_get(j->in, "document");
    if (j->doc == NULL || j->doc->type != VAL_MAP)
        return say(HELPER_EXIT_INPUT, "the input has no document");
    return HELPER_EXIT_OK;
}

/* "2026-11-01T07:30:00+08:00" as a person reads it. */
static void time_words(const char *at, char out[32]) {
    (void)snprintf(out, 32, "%.10s %.5s", at, strlen(at) > 11 ? at + 11 : "");
}

static void state_words(struct job *j) {
    const char *state = doc_text(j->in, "state"), *by = doc_text(j->in, "signed_by");
    char at[32];
    bool zh = j->page.zh;
    time_words(doc_text(j->in, "signed_at"), at);
    j->page.is_draft = strcmp(state, "signed") != 0;
    if (!j->page.is_draft)
        (void)snprintf(j->state, sizeof j->state,
                       zh ? "%.100s 于 %s 签发" : "Signed off by %.100s at %s", by, at);
    else if (strcmp(state, "withdrawn") == 0)
        (void)snprintf(j->state, sizeof j->state,
                       zh ? "已撤回，不再有效" : "Withdrawn, no longer in force");
    else
        (void)snprintf(j->state, sizeof j->state, zh ? "草稿，未签发" : "Draft, not signed off");
    j->page.state = j->state;
    j->page.title = doc_pair(&j->page, j->doc, "title");
}

/* ---- sections */

static void sentences(struct page *p, const struct val *part) {
    const struct val *list = val_get(part, "sentences");
    for (size_t i = 0; i < doc_size(list); i++)
        page_text(p, STYLE_BODY, doc_pair(p, &list->u.list[i], NULL));
}

static void cover(struct job *j) {
    struct page *p = &j->page;
    const struct val *head = val_get(j->doc, "head"),
                     *band = doc_band(j->doc, doc_text(head, "band"));
    char number[NUMBER_TEXT], line[600], at[32];
    page_text(p, STYLE_TITLE, p->title);
    page_text(p, STYLE_HEAD, doc_pair(p, j->doc, "period_title"));
    time_words(doc_text(j->in, "formed_at"), at);
    (void)snprintf(line, sizeof line,
                   p->zh ? "%.120s · 成文 %s · 数据版本 %.0f"
                         : "%.120s · formed %s · data version %.0f",
                   doc_text(j->doc, "city"), at, doc_number(j->doc, "data_seq"));
    page_text(p, STYLE_SMALL, line);
    if (doc_true(j->doc, "invented"))
        page_text(p, STYLE_SMALL,
                  p->zh ? "演示城市，数据均为虚构。"
                        : "An invented demo city: nothing here is real.");
    page_set_color(p, p->is_draft ? page_red : page_green);
    (void)page_cell(p, STYLE_STRONG, p->state, PAGE_MARGIN, p->y, PAGE_INNER, ALIGN_LEFT, true);
    p->y += 18;
    if (doc_text(j->in, "note")[0] != '\0') {
        (void)snprintf(line, sizeof line, p->zh ? "签发意见：%.500s" : "Remark: %.500s",
                       doc_text(j->in, "note"));
        page_text(p, STYLE_BODY, line);
    }
    page_gap(p, 4);
    double value = doc_number(head, "value");
    if (isnan(value)) {
        sentences(p, head);
        return;
    }
    page_set_color(p, page_brand);
    page_label(p, STYLE_BIG, number_text(value, false, number), PAGE_MARGIN, p->y, 0, 0);
    if (band != NULL) {
        double x =
            PAGE_MARGIN + page_label_width(p, STYLE_BIG, number_text(value, false, number)) + 14;
        page_set_color(p, page_color(doc_text(band, "color")));
        cairo_rectangle(p->cr, x, p->y + 18, 11, 11);
        cairo_fill(p->cr);
        page_set_color(p, page_ink);
        page_label(p, STYLE_HEAD, doc_pair(p, band, "title"), x + 17, p->y + 23.5, 0, -0.5);
    }
    p->y += 46;
    page_set_color(p, page_ink);
    sentences(p, head);
}

static bool has_values(const struct val *list) {
    for (size_t i = 0; i < doc_size(list); i++)
        if (!isnan(doc_number(&list->u.list[i], "value"))) return true;
    return false;
}

static void moved(struct job *j) {
    struct page *p = &j->page;
    if (doc_size(val_get(val_get(j->doc, "moved"), "sentences")) > 0) {
        page_head(p, p->zh ? "为什么变" : "Why it moved");
        sentences(p, val_get(j->doc, "moved"));
        plot_moved(p, j->doc);
    }
    if (!has_values(val_get(j->doc, "trend"))) return;
    page_need(p, TREND_TALL);
    page_head(p, p->zh ? "走势" : "Trend");
    plot_trend(p, j->doc);
    page_text(p, STYLE_SMALL,
              p->zh ? "空心点：案件太少，说明不了问题。"
                    : "A hollow point rests on too few cases.");
}

static void rank_words(const struct page *p, const struct val *a, char out[64]) {
    double rank = doc_number(a, "rank"), low = doc_number(a, "rank_low"),
           high = doc_number(a, "rank_high");
    out[0] = '\0';
    if (!isnan(rank))
        (void)snprintf(out, 64, "%.0f", rank);
    else if (!isnan(low))
        (void)snprintf(out, 64, p->zh ? "分不出（%.0f 至 %.0f）" : "not told apart (%.0f to %.0f)",
                       low, high);
}

static void areas(struct job *j) {
    struct page *p = &j->page;
    const struct val *part = val_get(j->doc, "areas"), *items = val_get(part, "items");
    const struct table_col col[] = {{p->zh ? "区域" : "Area", 0.30, false, false},
                                    {p->zh ? "分值" : "Value", 0.11, true, false},
                                    {p->zh ? "变化" : "Change", 0.11, true, false},
                                    {"", 0.03, false, false},
                                    {p->zh ? "颜色" : "Colour", 0.20, false, true},
                                    {p->zh ? "名次" : "Rank", 0.25, false, false}};
    if (doc_size(items) == 0) return;
    page_head(p, p->zh ? "各区域" : "Areas");
    sentences(p, part);
    if (!has_values(items)) return;
    plot_map(p, j->doc);
    page_table_head(p, col, 6);
    for (size_t i = 0; i < doc_size(items); i++) {
        const struct val *a = &items->u.list[i], *band = doc_band(j->doc, doc_text(a, "band"));
        char value[NUMBER_TEXT], change[NUMBER_TEXT], rank[64], name[200];
        rank_words(p, a, rank);
        (void)snprintf(name, sizeof name, "%.150s%s", doc_name(p, a),
                       !doc_true(a, "too_small") ? ""
                       : p->zh                   ? "（案件太少）"
                                                 : " (too few cases)");
        struct table_cell cell[] = {{name, page_ink},
                                    {number_text(doc_number(a, "value"), false, value), page_ink},
                                    {number_text(doc_number(a, "change"), true, change), page_ink},
                                    {"", page_ink},
                                    {band == NULL ? "" : doc_pair(p, band, "title"),
                                     page_color(band == NULL ? NULL : doc_text(band, "color"))},
                                    {rank, page_ink}};
        page_table_row(p, col, 6, cell);
    }
}

struct word {
    const char *name, *en, *zh, *color;
};
static const struct word colors[] = {{"red", "Red", "红", "#b3261e"},
                                     {"orange", "Orange", "橙", "#c25a00"},
                                     {"yellow", "Yellow", "黄", "#8a6d00"},
                                     {"blue", "Blue", "蓝", "#1a6fb5"}};

static const struct word *color_word(const char *name) {
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
        if (strcmp(colors[i].name, name) == 0) return &colors[i];
    return &colors[3];
}

static void warnings(struct job *j) {
    struct page *p = &j->page;
    const struct val *part = val_get(j->doc, "warnings"), *items = val_get(part, "items");
    const struct table_col col[] = {{p->zh ? "预警" : "Warning", 0.36, false, false},
                                    {p->zh ? "区域" : "Area", 0.18, false, false},
                                    {p->zh ? "级别" : "Level", 0.11, false, true},
                                    {p->zh ? "发布" : "Raised", 0.14, false, false},
                                    {p->zh ? "状态" : "State", 0.21, false, false}};
    page_head(p, p->zh ? "预警" : "Warnings");
    sentences(p, part);
    if (doc_size(items) == 0) return;
    page_table_head(p, col, 5);
    for (size_t i = 0; i < doc_size(items); i++) {
        const struct val *w = &items->u.list[i];
        const struct word *color = color_word(doc_text(w, "color"));
        char state[200];
        double days = doc_number(w, "days");
        bool late = doc_true(w, "overdue");
        (void)snprintf(state, sizeof state, p->zh ? "%.80s，%.0f 天%s" : "%.80s, %.0f day(s)%s",
                       doc_pair(p, w, "state"), days,
                       !late   ? ""
                       : p->zh ? "，超期"
                               : ", overdue");
        struct table_cell cell[] = {{doc_pair(p, w, "title"), page_ink},
                                    {doc_name(p, w), page_ink},
                                    {p->zh ? color->zh : color->en, page_color(color->color)},
                                    {doc_text(w, "raised"), page_ink},
                                    {state, page_ink}};
        page_table_row(p, col, 5, cell);
    }
}

static void supervision(struct job *j) {
    struct page *p = &j->page;
    const struct val *part = val_get(j->doc, "supervision"), *units = val_get(part, "units");
    const struct table_col col[] = {
        {p->zh ? "承办单位" : "Unit", 0.46, false, false},
        {p->zh ? "在办" : "Open", 0.16, true, false},
        {p->zh ? "超期" : "Overdue", 0.16, true, false},
        {p->zh ? "最长超期（天）" : "Longest, days", 0.22, true, false}};
    page_head(p, p->zh ? "督办" : "Supervision");
    sentences(p, part);
    if (doc_size(units) == 0) return;
    page_table_head(p, col, 4);
    for (size_t i = 0; i < doc_size(units); i++) {
        const struct val *u = &units->u.list[i];
        char open[24], overdue[24], days[24];
        const char *name = doc_name(p, u);
        (void)snprintf(open, sizeof open, "%.0f", doc_number(u, "open"));
        (void)snprintf(overdue, sizeof overdue, "%.0f", doc_number(u, "overdue"));
        (void)snprintf(days, sizeof days, "%.0f", doc_number(u, "longest_days"));
        struct table_cell cell[] = {
            {name[0] == '\0' ? (p->zh ? "未指定" : "none yet") : name, page_ink},
            {open, page_ink},
            {overdue, page_ink},
            {days, page_ink}};
        page_table_row(p, col, 4, cell);
    }
}

static void risks(struct job *j) {
    struct page *p = &j->page;
    const struct val *list = val_get(j->doc, "risks");
    page_head(p, p->zh ? "先看什么" : "What to look at first");
    for (size_t i = 0; i < doc_size(list); i++)
        page_bullet(p, doc_pair(p, &list->u.list[i], "text"));
    if (doc_size(list) == 0)
        page_text(p, STYLE_BODY, p->zh ? "没有突出的风险。" : "Nothing stands out.");
}

static void done(struct job *j) {
    struct page *p = &j->page;
    page_head(p, p->zh ? "做了什么" : "What was done");
    sentences(p, val_get(j->doc, "done"));
}

static void quality(struct job *j) {
    struct page *p = &j->page;
    const struct val *part = val_get(j->doc, "quality"), *list = val_get(part, "restated");
    char line[700], number[NUMBER_TEXT];
    page_head(p, p->zh ? "数据说明" : "What the figures rest on");
    sentences(p, part);
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct val *r = &list->u.list[i];
        (void)snprintf(line, sizeof line,
                       p->zh ? "%s 已重述为 %s：%.500s" : "%s was restated as %s: %.500s",
                       doc_text(r, "period"), number_text(doc_number(r, "value"), false, number),
                       doc_text(r, "note"));
        page_bullet(p, line);
    }
    (void)snprintf(line, sizeof line,
                   p->zh ? "数据版本 %.0f，截至 %s。文件校验值 %s。"
                         : "Data version %.0f, as of %s. Hash of the document: %s.",
                   doc_number(j->doc, "data_seq"), doc_text(j->doc, "as_of"),
                   doc_text(j->in, "hash"));
    page_text(p, STYLE_SMALL, line);
}

/* ---- the file */

static cairo_status_t keep(void *arg, const unsigned char *p, unsigned n) {
    struct buf *b = arg;
    if (b != NULL) buf_add(b, p, n);
    return b != NULL && b->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void describe(struct job *j, cairo_surface_t *s) {
    const char *at = doc_text(j->in, "signed_at");
    if (at[0] == '\0') at = doc_text(j->in, "formed_at");
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, j->page.title);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATOR, "Gezhi");
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, at);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_MOD_DATE, at);
}

/* Draws everything; out NULL: only to count the pages. */
static bool draw(struct job *j, struct buf *out) {
    struct page *p = &j->page;
    cairo_surface_t *s = cairo_pdf_surface_create_for_stream(keep, out, PAGE_WIDTH, PAGE_HEIGHT);
    describe(j, s);
    p->cr = cairo_create(s);
    p->number = 0;
    page_begin(p);
    cover(j);
    risks(j);
    moved(j);
    areas(j);
    warnings(j);
    supervision(j);
    done(j);
    quality(j);
    page_end(p);
    p->of = p->number;
    cairo_destroy(p->cr);
    cairo_surface_finish(s);
    bool ok = cairo_surface_status(s) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(s);
    return ok;
}

/* A font that has Chinese: without one every area would be a row of boxes. */
static bool has_chinese(struct page *p) {
    PangoLayout *l = pango_layout_new(p->pango);
    pango_layout_set_text(l, "格治平安指数简报签发", -1);
    int unknown = pango_layout_get_unknown_glyphs_count(l);
    g_object_unref(l);
    return unknown == 0;
}

static int run(struct job *j) {
    int rc = read_input(j);
    if (rc != HELPER_EXIT_OK) return rc;
    j->page.zh = strcmp(doc_text(j->in, "lang"), "en") != 0;
    PangoFontMap *map = pango_cairo_font_map_new();
    j->page.pango = pango_font_map_create_context(map);
    pango_context_set_language(j->page.pango,
                               pango_language_from_string(j->page.zh ? "zh-cn" : "en"));
    if (!has_chinese(&j->page))
        return say(HELPER_EXIT_UNSUPPORTED,
                   "no font for Chinese is installed on the server; on Debian: "
                   "apt-get install fonts-noto-cjk");
    state_words(j);
    struct buf out;
    buf_init(&out, (size_t)8 << 20);
    if (!draw(j, NULL) || !draw(j, &out))
        return say(HELPER_EXIT_FAILED, "the pages cannot be drawn");
    if (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        return say(HELPER_EXIT_FAILED, "the result cannot be written");
    return HELPER_EXIT_OK;
}

int main(int argc, char **argv) {
    static struct job job;
    (void)argv;
    if (argc > 1) return say(HELPER_EXIT_USAGE, "usage: gezhi-print < FILE.json");
    int rc = run(&job);
    (void)fflush(stderr);
    _exit(rc);
}
