#include "study/alarm/report.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/utf8.h"
#include "study/alarm/settings.h"

enum { MAX_TEXT = 1 << 30 }; /* of one group */

static enum err_code flush(struct buf *b, FILE *out, struct err *err) {
    TRY(buf_check(b, err));
    if (b->n > 0 && fwrite(b->p, 1, b->n, out) != b->n)
        return err_fail(err, ERR_IO, "the result could not be written");
    buf_clear(b);
    return ERR_OK;
}

static size_t n_judged(const struct alarm_answer *a, size_t g) {
    return a->series[g].n - a->series[g].from;
}

static const char *date_of(const struct alarm_answer *a, size_t g, size_t k, char out[16]) {
    series_date(a->set, a->set->group[g].day[a->series[g].from + k], out);
    return out;
}

static const char *state_of(const struct alarm_point *p) {
    return alarm_state_name((enum alarm_state)p->state);
}

/* ---- for a reader ---- */

struct words {
    const char *group, *groups, *date_judged, *dates_judged, *alarm, *alarms, *is_alarm;
    const char *head[6], *score_head[7];
    const char *filled, *summed, *unverified, *by_group, *no_date;
    const char *state[ALARM_N_STATES];
};
static const struct words english = {
    " group",
    " groups",
    " date judged",
    " dates judged",
    " alarm",
    " alarms",
    "ALARM",
    {"date", "observed", "expected", "upper", "score", "p"},
    {"method", "judged", "false rate", "found", "share", "dates hit", "mean days"},
    " missing dates were taken as 0.",
    " rows were added to one of the same date.",
    " with these settings is checked by simulation only, not against another program.",
    " by group",
    "No date has enough of a past: a longer series is needed, or a smaller --history.",
    {"", "not-enough-history", "too-few-cases", "no-spread", "no-fit"}};
static const struct words chinese = {
    " 个组",
    " 个组",
    " 个日期已判断",
    " 个日期已判断",
    " 次报警",
    " 次报警",
    "报警",
    {"日期", "实际", "预期", "上限", "得分", "p"},
    {"方法", "已判断", "误报率", "发现", "占比", "日期命中", "平均天数"},
    " 个缺失的日期按 0 计。",
    " 行已并入同一日期。",
    "：此设置只经模拟检验，未与其他程序核对。",
    "，按组",
    "没有历史足够的日期：需要更长的序列，或更小的 --history。",
    {"", "历史不足", "病例过少", "没有波动", "拟合未成"}};

static const struct words *words_of(bool zh) { return zh ? &chinese : &english; }

static void note_fills(const struct series_set *s, const struct words *w, struct buf *b) {
    if (s->filled > 0) buf_printf(b, "%zu%s\n", s->filled, w->filled);
    if (s->summed > 0) buf_printf(b, "%zu%s\n", s->summed, w->summed);
}

static void blanks(struct buf *b, size_t columns, size_t width) {
    for (; columns < width; columns++) buf_char(b, ' ');
}

/* Texts in columns of a terminal; what is too long for the left one is cut at a character. */
static void text_left(struct buf *b, const char *s, size_t width) {
    size_t n = utf8_clip(s, strlen(s), 2 * width);
    buf_add(b, s, n);
    blanks(b, utf8_columns(s, n), width);
}

static void text_right(struct buf *b, const char *s, size_t width) {
    buf_char(b, ' ');
    blanks(b, utf8_columns(s, strlen(s)), width);
    buf_str(b, s);
}

static void text_number(struct buf *b, double v) {
    if (isnan(v))
        buf_printf(b, " %10s", "-");
    else
        buf_printf(b, " %10.4g", v);
}

static void text_row(struct buf *b, const struct alarm_answer *a, size_t g, size_t k,
                     const struct words *w) {
    char day[16];
    const struct alarm_point *p = &a->point[g][k];
    buf_printf(b, "  %-10s %9lld", date_of(a, g, k, day),
               (long long)a->series[g].count[a->series[g].from + k]);
    text_number(b, p->expected);
    text_number(b, p->upper);
    text_number(b, p->score);
    text_number(b, p->p_value);
    buf_printf(b, "  %s\n", p->alarm ? w->is_alarm : w->state[p->state]);
}

static void group_head(struct buf *b, const struct alarm_answer *a, size_t g,
                       const struct words *w) {
    size_t alarms = alarm_answer_alarms(a, g);
    buf_printf(b, "\n%s%s%zu%s\n  ", a->set->group[g].name, a->set->grouped ? ": " : "", alarms,
               alarms == 1 ? w->alarm : w->alarms);
    text_left(b, w->head[0], 10);
    text_right(b, w->head[1], 9);
    for (size_t k = 2; k < 6; k++) text_right(b, w->head[k], 10);
    buf_char(b, '\n');
}

enum err_code report_text(const struct alarm_answer *a, bool all, bool zh, FILE *out,
                          struct err *err) {
    struct buf b;
    const struct words *w = words_of(zh);
    enum err_code rc = ERR_OK;
    size_t alarms = 0, points = 0;
    for (size_t g = 0; g < a->set->n_group; g++) {
        alarms += alarm_answer_alarms(a, g);
        points += n_judged(a, g);
    }
    buf_init(&b, MAX_TEXT);
    buf_printf(&b, "%s: %zu%s, %zu%s, %zu%s\n", a->name, a->set->n_group,
               a->set->n_group == 1 ? w->group : w->groups, points,
               points == 1 ? w->date_judged : w->dates_judged, alarms,
               alarms == 1 ? w->alarm : w->alarms);
    note_fills(a->set, w, &b);
    if (!alarm_verified(&a->spec)) buf_printf(&b, "%s%s\n", a->name, w->unverified);
    if (points == 0) buf_printf(&b, "%s\n", w->no_date);
    for (size_t g = 0; g < a->set->n_group && rc == ERR_OK; g++) {
        size_t n = n_judged(a, g);
        if (n == 0) continue;
        group_head(&b, a, g, w);
        for (size_t k = 0; k < n; k++)
            if (all || a->point[g][k].alarm || k + 1 == n) text_row(&b, a, g, k, w);
        rc = flush(&b, out, err);
    }
    if (rc == ERR_OK) rc = flush(&b, out, err);
    buf_deinit(&b);
    return rc;
}

static void json_point(struct jw *w, const struct alarm_answer *a, size_t g, size_t k) {
    char day[16];
    const struct alarm_point *p = &a->point[g][k];
    bool regression = a->spec.method == ALARM_CLASSIC || a->spec.method == ALARM_FLEXIBLE;
    jw_obj(w);
    jw_kstr(w, "date", date_of(a, g, k, day));
    jw_kint(w, "observed", a->series[g].count[a->series[g].from + k]);
    jw_kdouble(w, "expected", p->expected);
    jw_kdouble(w, "upper", p->upper);
    jw_kbool(w, "alarm", p->alarm);
    jw_kdouble(w, "score", p->score);
    jw_kdouble(w, "p_value", p->p_value);
    jw_kstr(w, "state", state_of(p));
    if (regression) {
        jw_kdouble(w, "dispersion", p->dispersion);
        jw_kdouble(w, "trend", p->trend);
    }
    jw_end(w, '}');
}

static void json_head(struct jw *w, const struct series_set *s) {
    jw_kstr(w, "step", s->weekly ? "week" : "day");
    jw_kint(w, "filled", (int64_t)s->filled);
    jw_kint(w, "summed", (int64_t)s->summed);
}

static void json_group_name(struct jw *w, const struct series_set *s, size_t g) {
    jw_key(w, "group");
    jw_str(w, s->grouped ? s->group[g].name : NULL);
}

enum err_code report_json(const struct alarm_answer *a, FILE *out, struct err *err) {
    struct buf b;
    struct jw w;
    enum err_code rc = ERR_OK;
    buf_init(&b, MAX_TEXT);
    jw_init(&w, &b);
    jw_obj(&w);
    jw_kstr(&w, "method", a->name);
    jw_kbool(&w, "verified", alarm_verified(&a->spec));
    jw_key(&w, "settings");
    settings_json(&a->spec, &w);
    json_head(&w, a->set);
    jw_key(&w, "groups");
    jw_arr(&w);
    for (size_t g = 0; g < a->set->n_group && rc == ERR_OK; g++) {
        jw_obj(&w);
        json_group_name(&w, a->set, g);
        jw_kint(&w, "alarms", (int64_t)alarm_answer_alarms(a, g));
        jw_key(&w, "dates");
        jw_arr(&w);
        for (size_t k = 0; k < n_judged(a, g); k++) json_point(&w, a, g, k);
        jw_end(&w, ']');
        jw_end(&w, '}');
        rc = flush(&b, out, err);
    }
    jw_end(&w, ']');
    jw_end(&w, '}');
    buf_char(&b, '\n');
    if (rc == ERR_OK) rc = flush(&b, out, err);
    buf_deinit(&b);
    return rc;
}

static void csv_number(struct buf *b, double v) {
    struct jw w;
    buf_char(b, ',');
    jw_init(&w, b);
    if (!isnan(v)) jw_double(&w, v);
}

enum err_code report_csv(const struct alarm_answer *a, FILE *out, struct err *err) {
    struct buf b;
    enum err_code rc = ERR_OK;
    buf_init(&b, MAX_TEXT);
    buf_str(&b, "group,date,observed,expected,upper,alarm,score,p_value,state\n");
    for (size_t g = 0; g < a->set->n_group && rc == ERR_OK; g++) {
        for (size_t k = 0; k < n_judged(a, g); k++) {
            char day[16];
            const struct alarm_point *p = &a->point[g][k];
            csv_safe_field(&b, a->set->group[g].name, true);
            buf_printf(&b, ",%s,%lld", date_of(a, g, k, day),
                       (long long)a->series[g].count[a->series[g].from + k]);
            csv_number(&b, p->expected);
            csv_number(&b, p->upper);
            buf_str(&b, p->alarm ? ",1" : ",0");
            csv_number(&b, p->score);
            csv_number(&b, p->p_value);
            buf_printf(&b, ",%s\n", state_of(p));
        }
        rc = flush(&b, out, err);
    }
    if (rc == ERR_OK) rc = flush(&b, out, err);
    buf_deinit(&b);
    return rc;
}

/* ---- evaluation ---- */

static void score_row(struct buf *b, const char *name, const struct alarm_score *s) {
    buf_str(b, "  ");
    text_left(b, name, 20);
    buf_printf(b, " %8zu", s->judged);
    text_number(b, alarm_false_rate(s));
    buf_printf(b, " %5zu/%-5zu", s->found, s->outbreaks);
    text_number(b, alarm_sensitivity(s));
    text_number(b, alarm_point_sensitivity(s));
    text_number(b, alarm_days_to_detection(s));
    buf_char(b, '\n');
}

enum err_code report_score_text(const struct alarm_answer *a, size_t n, bool zh, FILE *out,
                                struct err *err) {
    static const size_t width[7] = {20, 8, 10, 11, 10, 10, 10};
    const struct words *w = words_of(zh);
    struct buf b;
    struct alarm_score s;
    buf_init(&b, MAX_TEXT);
    note_fills(a[0].set, w, &b);
    buf_printf(&b, "%zu%s\n  ", a[0].set->n_group, a[0].set->n_group == 1 ? w->group : w->groups);
    text_left(&b, w->score_head[0], width[0]);
    for (size_t k = 1; k < 7; k++) text_right(&b, w->score_head[k], width[k]);
    buf_char(&b, '\n');
    for (size_t m = 0; m < n; m++) {
        alarm_answer_score(&a[m], SIZE_MAX, &s);
        score_row(&b, a[m].name, &s);
    }
    for (size_t m = 0; m < n && a[0].set->grouped; m++) {
        buf_printf(&b, "\n%s%s\n", a[m].name, w->by_group);
        for (size_t g = 0; g < a[m].set->n_group; g++) {
            alarm_answer_score(&a[m], g, &s);
            score_row(&b, a[m].set->group[g].name, &s);
        }
    }
    enum err_code rc = flush(&b, out, err);
    buf_deinit(&b);
    return rc;
}

static void json_score(struct jw *w, const struct alarm_score *s) {
    jw_kint(w, "judged", (int64_t)s->judged);
    jw_kint(w, "not_judged", (int64_t)s->unjudged);
    jw_kint(w, "quiet", (int64_t)s->quiet);
    jw_kint(w, "false_alarms", (int64_t)s->false_alarms);
    jw_kdouble(w, "false_alarm_rate", alarm_false_rate(s));
    jw_kint(w, "outbreaks", (int64_t)s->outbreaks);
    jw_kint(w, "found", (int64_t)s->found);
    jw_kdouble(w, "sensitivity", alarm_sensitivity(s));
    jw_kint(w, "outbreak_dates", (int64_t)s->outbreak_points);
    jw_kint(w, "alarms_in_outbreaks", (int64_t)s->true_alarms);
    jw_kdouble(w, "date_sensitivity", alarm_point_sensitivity(s));
    jw_kdouble(w, "mean_days_to_detection", alarm_days_to_detection(s));
    jw_key(w, "max_days_to_detection");
    if (s->found > 0)
        jw_int(w, (int64_t)s->days_max);
    else
        jw_null(w);
}

static void json_method(struct jw *w, const struct alarm_answer *a) {
    struct alarm_score s;
    jw_obj(w);
    jw_kstr(w, "method", a->name);
    jw_kbool(w, "verified", alarm_verified(&a->spec));
    jw_key(w, "settings");
    settings_json(&a->spec, w);
    alarm_answer_score(a, SIZE_MAX, &s);
    json_score(w, &s);
    jw_key(w, "groups");
    jw_arr(w);
    for (size_t g = 0; g < a->set->n_group; g++) {
        alarm_answer_score(a, g, &s);
        jw_obj(w);
        json_group_name(w, a->set, g);
        json_score(w, &s);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

enum err_code report_score_json(const struct alarm_answer *a, size_t n, FILE *out,
                                struct err *err) {
    struct buf b;
    struct jw w;
    buf_init(&b, MAX_TEXT);
    jw_init(&w, &b);
    jw_obj(&w);
    json_head(&w, a[0].set);
    jw_key(&w, "methods");
    jw_arr(&w);
    for (size_t m = 0; m < n; m++) json_method(&w, &a[m]);
    jw_end(&w, ']');
    jw_end(&w, '}');
    buf_char(&b, '\n');
    enum err_code rc = flush(&b, out, err);
    buf_deinit(&b);
    return rc;
}
