#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "study/composite/report.h"

struct words {
    const char *rank, *area, *time, *score, *areas, *indicators, *filled, *missing, *dropped,
        *inconsistent, *judgement, *importance, *unverified, *left_out;
    const char *why[4];
};
static const struct words english = {
    "rank",
    "area",
    "time",
    "score",
    "areas",
    "indicators",
    "gaps filled",
    "still missing",
    "left out, its siblings take its weight",
    "WARNING: the judgements contradict one another (consistency ratio above 0.1)",
    "consistency ratio",
    "the importances asked for are missed by at most",
    "not checked against a peer",
    "areas screened out for lack of data",
    {"", "constant: it tells no area from another", "no data", "data in too few areas"}};
static const struct words chinese = {
    "排名",
    "地区",
    "时间",
    "得分",
    "个地区",
    "项指标",
    "个缺失值已补",
    "个仍缺失",
    "不参与计算，权重由同级指标分担",
    "警告：两两比较自相矛盾（一致性比率超过 0.1）",
    "一致性比率",
    "与要求的重要性最大相差",
    "未经同类工具核对",
    "个地区因数据不足被筛除",
    {"", "取值恒定，不能区分地区", "没有数据", "有数据的地区过少"}};

static size_t width_of(const char *s) { return utf8_columns(s, strlen(s)); }

static void pad(struct buf *out, const char *s, size_t width) {
    buf_str(out, s);
    for (size_t w = width_of(s); w < width; w++) buf_char(out, ' ');
}

static void notes(const struct index_study *s, const struct words *w, struct buf *out) {
    const struct composite_result *r = &s->result;
    size_t n = r->n_area[COMPOSITE_AGGREGATED], lost = r->n_area[COMPOSITE_RAW] - n;
    buf_printf(out, "%s: %zu %s, %zu %s\n", s->tree.code[s->tree.n_node - 1], n, w->areas,
               s->tree.n_ind, w->indicators);
    if (r->n_imputed + r->n_still_missing > 0)
        buf_printf(out, "%zu %s, %zu %s\n", r->n_imputed, w->filled, r->n_still_missing,
                   w->missing);
    if (lost > 0) buf_printf(out, "%zu %s\n", lost, w->left_out);
    for (size_t i = 0; i < s->tree.n_ind; i++) {
        if (r->dropped[i] != COMPOSITE_KEPT)
            buf_printf(out, "%s: %s; %s\n", s->tree.code[i], w->why[r->dropped[i]], w->dropped);
    }
    for (size_t k = 0; k < r->n_ahp; k++) {
        buf_printf(out, "%s: %s %.4f\n", s->tree.code[r->ahp[k].parent], w->judgement,
                   r->ahp[k].cr);
        if (r->ahp[k].inconsistent) buf_printf(out, "  %s\n", w->inconsistent);
    }
    if (r->importance_miss > 1e-6) buf_printf(out, "%s %.4f\n", w->importance, r->importance_miss);
    if (!r->verified) buf_printf(out, "%s: %s\n", w->unverified, r->unverified);
    buf_char(out, '\n');
}

static void text_row(const struct index_study *s, const struct report_row *row, size_t widest,
                     struct buf *out) {
    size_t n = s->result.n_area[COMPOSITE_AGGREGATED], last = s->tree.n_node - 1;
    double score = s->result.stage[COMPOSITE_AGGREGATED][last * n + row->column];
    if (row->rank == 0)
        buf_str(out, "-     ");
    else
        buf_printf(out, "%-6u", row->rank);
    pad(out, s->data.name[row->own], widest + 2);
    if (s->column_of == NULL && s->data.data.time != NULL)
        buf_printf(out, "%-8g", s->data.data.time[row->own]);
    if (isnan(score))
        buf_str(out, "-\n");
    else
        buf_printf(out, "%.4f\n", score);
}

void index_report_text(const struct index_study *s, bool zh, struct buf *out) {
    const struct words *w = zh ? &chinese : &english;
    size_t n = s->result.n_area[COMPOSITE_AGGREGATED], widest = 4;
    struct arena *a = arena_new((size_t)64 << 20);
    const struct report_row *rows = a == NULL ? NULL : report_rows(s, a);
    if (rows == NULL) {
        out->failed = out->no_memory = true;
        arena_free(a);
        return;
    }
    notes(s, w, out);
    for (size_t k = 0; k < n; k++) {
        size_t width = width_of(s->data.name[rows[k].own]);
        widest = width > widest ? width : widest;
    }
    pad(out, w->rank, 6);
    pad(out, w->area, widest + 2);
    if (s->column_of == NULL && s->data.data.time != NULL) pad(out, w->time, 8);
    buf_printf(out, "%s\n", w->score);
    for (size_t k = 0; k < n; k++) text_row(s, &rows[k], widest, out);
    arena_free(a);
}
