#include <math.h>

#include "study/scan/report.h"

/* A text in both languages. */
struct words {
    const char *en, *zh;
};
static const char *say(struct words w, bool zh) { return zh ? w.zh : w.en; }

static void when(struct buf *b, const struct scan_study *s, int64_t first, int64_t last, bool zh) {
    char from[24], to[24];
    time_format(first, s->generic, from);
    time_format(last, s->generic, to);
    buf_printf(b, zh ? "%s 至 %s" : "%s to %s", from, to);
}

static const struct words models[] = {
    {"Poisson", "泊松"}, {"Bernoulli", "伯努利"}, {"space-time permutation", "时空置换"}};
static const struct words analyses[] = {
    {"Purely spatial", "纯空间"}, {"Purely temporal", "纯时间"}, {"Space-time", "时空"}};
static const struct words rates[] = {
    {"", ""}, {"high rates", "高发"}, {"low rates", "低发"}, {"high and low rates", "高发与低发"}};

static void left_out(struct buf *b, const struct scan_study *s, bool zh) {
    if (s->left_out_places > 0)
        buf_printf(b, zh ? "未计入（位置未知）：%lld\n" : "Left out, unknown places: %lld\n",
                   (long long)s->left_out_places);
    if (s->left_out_times > 0)
        buf_printf(b,
                   zh ? "未计入（在研究期之外）：%lld\n" : "Left out, outside the period: %lld\n",
                   (long long)s->left_out_times);
}

static void data_of(struct buf *b, const struct scan_told *told, bool zh) {
    const struct scan_study *s = told->study;
    if (s->dated) {
        buf_str(b, say((struct words){"Study period: ", "研究期："}, zh));
        when(b, s, s->start, s->end, zh);
        buf_printf(b, zh ? "，%zu 个时段\n" : ", slots: %zu\n", s->slots.n);
    }
    if (s->options.analysis != SCAN_TEMPORAL)
        buf_printf(b, zh ? "位置 %zu 个，地点 %zu 处\n" : "Locations: %zu at %zu places\n",
                   s->n_ids, s->data.n_places);
    buf_printf(b, zh ? "病例 %lld" : "Cases: %lld", (long long)told->result->total_cases);
    if (s->data.model == SCAN_BERNOULLI)
        buf_printf(b, zh ? "，对照 %lld" : ", controls: %lld", (long long)s->total_controls);
    if (s->population != NULL) {
        double sum = 0;
        for (size_t i = 0; i < s->data.n_places; i++) sum += s->population[i];
        buf_printf(b, zh ? "，平均人口 %.0f" : ", mean population: %.0f", sum);
    }
    buf_char(b, '\n');
    left_out(b, s, zh);
}

static void head(struct buf *b, const struct scan_told *told, bool zh) {
    const struct scan_study *s = told->study;
    const struct scan_options *o = &s->options;
    if (told->title != NULL && *told->title != '\0') buf_printf(b, "%s\n\n", told->title);
    if (zh)
        buf_printf(b, "%s%s扫描，%s模型，查找%s聚集\n", analyses[o->analysis].zh,
                   o->prospective ? "前瞻性" : "", models[s->data.model].zh, rates[o->rates].zh);
    else
        buf_printf(b, "%s scan%s, %s model, looking for %s\n", analyses[o->analysis].en,
                   o->prospective ? ", prospective" : "", models[s->data.model].en,
                   rates[o->rates].en);
    data_of(b, told, zh);
}

static void inference(struct buf *b, const struct scan_told *told, bool zh) {
    static const struct words modes[] = {
        {"standard Monte Carlo (rank among all replicas)", "标准蒙特卡罗（在全部重复中的名次）"},
        {"sequential Monte Carlo (stops early)", "序贯蒙特卡罗（提前停止）"},
        {"Gumbel distribution fitted to the replicas", "对重复结果拟合的耿贝尔分布"}};
    static const struct words no_curve[] = {
        {"", ""},
        {"fewer than 20 replicas", "重复少于 20 次"},
        {"all replicas have the same maximum", "各次重复的最大值全部相同"},
        {"the maxima of the replicas are only a few values", "各次重复的最大值种类太少"},
        {"more than a third of the replicas share one maximum", "超过三分之一的重复最大值相同"}};
    const struct scan_result *r = told->result;
    buf_printf(b,
               zh ? "p 值：%s，重复 %u 次（要求 %u 次），随机种子 %llu\n"
                  : "p-values: %s; replicas: %u of %u; seed: %llu\n",
               say(modes[r->p_mode], zh), (unsigned)r->replicas_run,
               (unsigned)told->study->options.replicas,
               (unsigned long long)told->study->options.seed);
    if (r->replicas_run > 0 && r->gumbel != SCAN_GUMBEL_FITTED)
        buf_printf(b, zh ? "不给出耿贝尔 p 值：%s\n" : "No Gumbel p-values: %s\n",
                   say(no_curve[r->gumbel], zh));
    if (told->default_p_value)
        buf_str(
            b,
            zh ? "参数文件要求 SaTScan 默认的 p 值组合；此处改为运行全部重复，耿贝尔 p 值另列。\n"
               : "The parameter file asks for SaTScan's default combination of p-values; "
                 "here all replicas\nare run, and the Gumbel p-value is told beside.\n");
    if (told->study->unverified[0] != '\0')
        buf_printf(b, zh ? "没有可对照的外部结果：%s\n" : "No peer value to check against: %s\n",
                   told->study->unverified);
}

static void ids(struct buf *b, const struct scan_study *s, const struct scan_cluster *c) {
    size_t column = 3;
    bool first = true;
    for (size_t i = 0; i < c->n_places; i++) {
        for (size_t k = s->first_id[c->places[i]]; k < s->first_id[c->places[i] + 1]; k++) {
            if (!first) buf_str(b, column >= 90 ? ",\n   " : ", ");
            if (!first && column >= 90) column = 3;
            size_t before = b->n;
            buf_str(b, s->id[k]);
            column += b->n - before + 2;
            first = false;
        }
    }
}

static void where(struct buf *b, const struct scan_study *s, const struct scan_cluster *c,
                  bool zh) {
    bool grid = s->data.grid.n > 0;
    if (!s->has_places) return;
    double x = grid ? s->data.grid.x[c->center] : s->x[c->center];
    double y = grid ? s->data.grid.y[c->center] : s->y[c->center];
    buf_str(b, say((struct words){"   centre ", "   中心 "}, zh));
    if (s->sphere && zh)
        buf_printf(b, "%s %.6f 度，%s %.6f 度", y < 0 ? "南纬" : "北纬", fabs(y),
                   x < 0 ? "西经" : "东经", fabs(x));
    else if (s->sphere)
        buf_printf(b, "%.6f %s, %.6f %s", fabs(y), y < 0 ? "S" : "N", fabs(x), x < 0 ? "W" : "E");
    else
        buf_printf(b, "%.10g, %.10g", x, y);
    if (s->data.metric != SCAN_LISTED && s->options.shape != SCAN_FLEXIBLE)
        buf_printf(b, zh ? "，半径 %.2f%s" : ", radius %.2f%s", c->radius, s->sphere ? " km" : "");
    if (s->options.shape == SCAN_ELLIPSE && c->ellipse_shape > 1)
        buf_printf(b,
                   zh ? "（短轴），长短轴比 %.2f，方向 %.1f 度"
                      : " (short axis), shape %.2f, angle %.1f degrees",
                   c->ellipse_shape, c->ellipse_angle * 180 / acos(-1.0));
    buf_char(b, '\n');
}

static void significance(struct buf *b, const struct scan_study *s, const struct scan_cluster *c,
                         bool zh) {
    if (s->data.model == SCAN_PERMUTATION)
        buf_printf(b, zh ? "\n   检验统计量 %.6f" : "\n   test statistic %.6f", c->llr);
    else
        buf_printf(b, zh ? "\n   对数似然比 %.6f" : "\n   log likelihood ratio %.6f", c->llr);
    if (!isnan(c->p_value)) buf_printf(b, zh ? "，p 值 %.4g" : ", p %.4g", c->p_value);
    if (!isnan(c->p_gumbel)) buf_printf(b, zh ? "（耿贝尔 %.2g）" : " (Gumbel %.2g)", c->p_gumbel);
    if (!isnan(c->recurrence_days))
        buf_printf(b, zh ? "，重现间隔 %.0f 天" : ", recurrence interval %.0f days",
                   c->recurrence_days);
    buf_char(b, '\n');
}

static void numbers(struct buf *b, const struct scan_told *told, const struct scan_cluster *c,
                    bool zh) {
    const struct scan_study *s = told->study;
    double population = scan_study_population(s, c);
    buf_printf(b,
               zh ? "   病例 %lld，期望 %.2f，观察/期望 %.2f"
                  : "   cases %lld, expected %.2f, observed/expected %.2f",
               (long long)c->observed, c->expected, (double)c->observed / c->expected);
    if (isinf(c->relative_risk))
        buf_str(b, zh ? "，全部病例都在其中" : ", all cases are in it");
    else if (!isnan(c->relative_risk))
        buf_printf(b, zh ? "，相对危险度 %.2f" : ", relative risk %.2f", c->relative_risk);
    if (s->options.analysis != SCAN_TEMPORAL && !isnan(population))
        buf_printf(b, zh ? "，人口 %.0f" : ", population %.0f", population);
    significance(b, s, c, zh);
}

void scan_report_text(struct buf *b, const struct scan_told *told, bool zh) {
    const struct scan_study *s = told->study;
    head(b, told, zh);
    inference(b, told, zh);
    if (told->result->n_clusters == 0)
        buf_str(b, zh ? "\n没有找到聚集。\n" : "\nNo cluster was found.\n");
    for (size_t i = 0; i < told->result->n_clusters; i++) {
        const struct scan_cluster *c = &told->result->clusters[i];
        int64_t first, last;
        buf_printf(b, "\n%zu. ", i + 1);
        if (s->options.analysis == SCAN_TEMPORAL)
            buf_str(b, zh ? "全部位置" : "All locations");
        else
            ids(b, s, c);
        if (c->low) buf_str(b, zh ? "（低发）" : " (low)");
        buf_char(b, '\n');
        if (s->options.analysis != SCAN_TEMPORAL) where(b, s, c, zh);
        if (s->options.analysis != SCAN_SPATIAL && s->dated) {
            scan_study_days(s, c, &first, &last);
            buf_str(b, zh ? "   时间 " : "   time ");
            when(b, s, first, last, zh);
            buf_char(b, '\n');
        }
        numbers(b, told, c, zh);
    }
}
