/* The audit for a reader, and its tables as CSV. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/utf8.h"
#include "study/composite/audit_inside.h"

/* ---- for a reader ---- */

static const char *const chinese_choice[CHOICE_KINDS] = {
    "缺失值填补", "离群值处理", "标准化", "权重", "权重扰动", "汇总", "去掉一项"};

static const char *word_of(enum choice c, bool zh) {
    return zh ? chinese_choice[c] : choice_name(c);
}

static void pad_to(struct buf *out, const char *s, size_t columns) {
    buf_str(out, s);
    for (size_t k = utf8_columns(s, strlen(s)); k < columns; k++) buf_char(out, ' ');
}

static void families_text(const struct audit *t, bool zh, struct buf *out) {
    buf_str(out, zh ? "各部分是否一致（alpha：0 互不相关，1 说的是同一件事）\n"
                    : "How the parts hang together (alpha: 0 unrelated, 1 the same thing)\n");
    for (size_t k = 0; k < t->n_family; k++) {
        const struct audit_family *f = &t->family[k];
        const char *code = t->study->tree.code[f->node];
        if (f->alpha.state != CORR_OK) {
            buf_printf(out,
                       zh ? "  %-20s %3zu 个部分  没有 alpha：%s\n"
                          : "  %-20s %3zu parts  no alpha: %s\n",
                       code, f->n_child, audit_state_name(f->alpha.state));
            continue;
        }
        buf_printf(out, zh ? "  %-20s %3zu 个部分  alpha %6.3f" : "  %-20s %3zu parts  alpha %6.3f",
                   code, f->n_child, f->alpha.raw);
        if (f->pca.state == CORR_OK)
            buf_printf(out, zh ? "  第一主成分 %4.1f %%" : "  first component %4.1f %%",
                       100.0 * f->pca.eigenvalue[0] / (double)f->n_child);
        buf_char(out, '\n');
    }
}

static void ranks_text(const struct audit *t, bool zh, struct buf *out) {
    buf_printf(out,
               zh ? "\n按各项选择抽样 %zu 次的排名（随机种子 %llu）："
                  : "\nRanks under %zu draws of the choices (seed %llu):",
               t->plan.draws, (unsigned long long)t->plan.seed);
    for (size_t k = 0; k < t->space->n_input; k++)
        buf_printf(out, "%s%s", k > 0 ? (zh ? "、" : ", ") : (zh ? "" : " "),
                   word_of(t->space->input[k], zh));
    buf_char(out, '\n');
    if (t->plan.assumed)
        buf_str(out, zh ? "（“audit”下没有列出选择：试以权重上下浮动 25 %、去掉一项指标）\n"
                        : "(no choices stand under \"audit\": weights +-25 % and leaving one "
                          "indicator out are tried)\n");
    buf_printf(
        out, zh ? "每个地区平均移动 %.2f 名。\n\n" : "An area moves by %.2f ranks on average.\n\n",
        t->mean_shift);
    buf_printf(out,
               zh ? "  排名  中位数  %2.0f %% 区间    高于下一名之比  地区\n"
                  : "  rank  median  %2.0f %% band     holds over next  area\n",
               100.0 * t->plan.band);
    for (size_t k = 0; k < t->n_order; k++) {
        size_t i = t->order[k];
        const struct rank_interval *b = &t->band[i];
        bool last = k + 1 == t->n_order;
        buf_printf(out, zh ? "  %4u  %6.1f  %4u 至 %4u  " : "  %4u  %6.1f  %4u to %4u  ",
                   t->space->nominal[i], b->median, b->low, b->high);
        if (last)
            buf_printf(out, "%15s", "");
        else
            buf_printf(out, "%12.1f %%%c", 100.0 * t->holds[k],
                       t->holds[k] < t->plan.distinguish ? '~' : ' ');
        buf_printf(out, "  %s %s\n", audit_area_code(t, i), audit_area_name(t, i));
    }
    buf_printf(
        out,
        zh ? "  ~ 与下一名分不出先后：这一顺序成立的抽样不到 %.0f %%\n"
           : "  ~ cannot be told from the next: the order holds in fewer than %.0f %% of the "
             "draws\n",
        100.0 * t->plan.distinguish);
}

static void sensitivity_text(const struct audit *t, bool zh, struct buf *out) {
    for (size_t k = 0; k < t->n_sobol; k++) {
        const struct audit_sobol *s = &t->sobol[k];
        const char *area = k == 0 ? "" : audit_area_code(t, t->sobol_area);
        if (zh)
            buf_printf(out, "\n什么决定%s%s%s（占其方差的份额）\n", k == 0 ? "" : " ", area,
                       k == 0 ? "排名的平均移动" : " 的排名");
        else
            buf_printf(out, "\nWhat decides %s%s (share of its variance)\n",
                       k == 0 ? "the mean shift of ranks" : "the rank of ", area);
        if (s->result.constant) {
            buf_str(out, zh ? "  从不变化\n" : "  it never changes\n");
            continue;
        }
        for (size_t i = 0; i < t->space->n_input; i++) {
            const struct sobol_index *x = &s->result.of[i];
            buf_str(out, "  ");
            pad_to(out, word_of(t->space->input[i], zh), 14);
            buf_printf(out,
                       zh ? " 单独 %5.2f（%5.2f 至 %5.2f）  总计 %5.2f（%5.2f 至 %5.2f）\n"
                          : " by itself %5.2f (%5.2f to %5.2f)  in all %5.2f (%5.2f to %5.2f)\n",
                       x->first, x->first_low, x->first_high, x->total, x->total_low,
                       x->total_high);
        }
    }
}

static void area_text(const struct audit *t, bool zh, struct buf *out) {
    const struct composite_tree *tree = &t->study->tree;
    if (t->chosen == SIZE_MAX || t->part == NULL) return;
    buf_printf(out, zh ? "\n%s 的得分由什么构成\n" : "\nWhat the score of %s is made of\n",
               audit_area_code(t, t->chosen));
    for (size_t i = tree->n_node; i > 0; i--)
        buf_printf(out,
                   zh ? "  %-20s 层级 %u  数值 %9.3f  份额 %9.4f\n"
                      : "  %-20s level %u  value %9.3f  part %9.4f\n",
                   tree->code[i - 1], (unsigned)tree->level[i - 1],
                   audit_value(t, i - 1, t->chosen), audit_part(t, i - 1, t->chosen));
}

static void what_if_text(const struct audit *t, bool zh, struct buf *out) {
    if (!t->asked_what_if) return;
    buf_printf(out,
               zh ? "\n假设：%zu 个地区（共 %zu 个）的排名改变，平均 %.2f 名"
                  : "\nWhat if: %zu of %zu areas have another rank, %.2f on average",
               t->if_shift.n_moved, t->if_shift.n, t->if_shift.mean);
    if (t->if_shift.most > 0)
        buf_printf(out, zh ? "；变化最大的是 %s，从第 %u 名到第 %u 名" : "; most %s, from %u to %u",
                   audit_area_code(t, t->if_shift.which), t->base_rank[t->if_shift.which],
                   t->if_rank[t->if_shift.which]);
    buf_char(out, '\n');
}

static void change_text(const struct audit *t, bool zh, struct buf *out) {
    if (t->change == NULL) return;
    const struct change_result *r = &t->change->result;
    buf_str(out,
            zh ? "\n得分为何变化\n"
                 "       此前      重述      数值      分母      标尺      权重      此后  地区\n"
               : "\nWhy scores changed\n"
                 "     before  restated    values  denomin. yardstick   weights     after  area\n");
    for (size_t j = 0; j < r->n_area; j++)
        buf_printf(out, "  %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f  %s\n",
                   r->before[j] - r->restated[j], r->restated[j], r->part[CHANGE_INDICATORS][j],
                   r->part[CHANGE_DENOMINATORS][j], r->part[CHANGE_NORMALISATION][j],
                   r->part[CHANGE_WEIGHTS][j], r->after[j],
                   t->study->columns.area[t->change->area[j]]);
}

void audit_text(const struct audit *t, bool zh, struct buf *out) {
    buf_printf(out,
               zh ? "%s 的审查：%zu 项指标，%zu 个地区\n\n"
                  : "Audit of %s: %zu indicators, %zu areas\n\n",
               t->study->tree.code[t->study->tree.n_node - 1], t->study->tree.n_ind, t->n_area);
    families_text(t, zh, out);
    ranks_text(t, zh, out);
    sensitivity_text(t, zh, out);
    area_text(t, zh, out);
    what_if_text(t, zh, out);
    change_text(t, zh, out);
}

/* ---- tables ---- */

static void number_field(struct buf *out, double v) {
    char text[40] = "";
    if (isfinite(v)) (void)snprintf(text, sizeof text, "%.15g", v);
    csv_field(out, text, false);
}

static void head(struct buf *out, const char *const *names) {
    for (size_t k = 0; names[k] != NULL; k++) csv_field(out, names[k], k == 0);
    csv_end(out);
}

void audit_ranks_csv(const struct audit *t, struct buf *out) {
    static const char *const names[] = {
        "uCode", "uName", "score", "rank",  "mean",   "median",          "low",
        "high",  "min",   "max",   "shift", "better", "holds_over_next", NULL};
    head(out, names);
    for (size_t k = 0; k < t->n_order; k++) {
        size_t i = t->order[k];
        const struct rank_interval *b = &t->band[i];
        const double row[] = {t->space->nominal_score[i],
                              t->space->nominal[i],
                              b->mean,
                              b->median,
                              b->low,
                              b->high,
                              b->min,
                              b->max,
                              b->shift,
                              b->better,
                              k + 1 < t->n_order ? t->holds[k] : (double)NAN};
        csv_safe_field(out, audit_area_code(t, i), true);
        csv_safe_field(out, audit_area_name(t, i), false);
        for (size_t c = 0; c < sizeof row / sizeof row[0]; c++) number_field(out, row[c]);
        csv_end(out);
    }
}

void audit_pairs_csv(const struct audit *t, struct buf *out) {
    static const char *const names[] = {"above", "under", "holds", NULL};
    size_t n = t->n_area;
    double least = t->plan.dominance * (double)t->plan.draws;
    head(out, names);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            if (a == b || (double)t->above[a * n + b] < least) continue;
            csv_safe_field(out, audit_area_code(t, a), true);
            csv_safe_field(out, audit_area_code(t, b), false);
            number_field(out, (double)t->above[a * n + b] / (double)t->plan.draws);
            csv_end(out);
        }
    }
}

void audit_parts_csv(const struct audit *t, struct buf *out) {
    static const char *const names[] = {"uCode", "node", "level", "value", "part", NULL};
    head(out, names);
    for (size_t i = 0; t->part != NULL && i < t->n_area; i++) {
        for (size_t k = 0; k < t->study->tree.n_node; k++) {
            csv_safe_field(out, audit_area_code(t, i), true);
            csv_safe_field(out, t->study->tree.code[k], false);
            number_field(out, t->study->tree.level[k]);
            number_field(out, audit_value(t, k, i));
            number_field(out, audit_part(t, k, i));
            csv_end(out);
        }
    }
}

void audit_correlations_csv(const struct audit *t, struct buf *out) {
    static const char *const names[] = {"indicator", "with",  "pearson", "spearman",
                                        "kendall",   "areas", "state",   NULL};
    size_t n = t->study->tree.n_ind;
    head(out, names);
    for (size_t i = 0; t->correlation[CORR_PEARSON] != NULL && i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct corr *first = &t->correlation[CORR_PEARSON][i * n + k];
            csv_safe_field(out, t->study->tree.code[k], true);
            csv_safe_field(out, t->study->tree.code[i], false);
            for (enum corr_kind c = CORR_PEARSON; c <= CORR_KENDALL; c++) {
                const struct corr *r = &t->correlation[c][i * n + k];
                number_field(out, r->state == CORR_OK ? r->r : (double)NAN);
            }
            number_field(out, (double)first->n);
            csv_field(out, audit_state_name(first->state), false);
            csv_end(out);
        }
    }
}

void audit_change_csv(const struct audit *t, struct buf *out) {
    static const char *const names[] = {"uCode",      "before",       "restatement",
                                        "indicators", "denominators", "normalisation",
                                        "weights",    "after",        NULL};
    head(out, names);
    if (t->change == NULL) return;
    const struct change_result *r = &t->change->result;
    for (size_t j = 0; j < r->n_area; j++) {
        csv_safe_field(out, t->study->columns.area[t->change->area[j]], true);
        number_field(out, r->before[j] - r->restated[j]);
        number_field(out, r->restated[j]);
        for (size_t f = 0; f < CHANGE_FACTORS; f++) number_field(out, r->part[f][j]);
        number_field(out, r->after[j]);
        csv_end(out);
    }
}
