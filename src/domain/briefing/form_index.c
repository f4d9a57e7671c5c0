/* The head of a briefing: the value, how it moved, and its last periods. */
#include <math.h>

#include "domain/briefing/inside.h"

double forming_value(const struct index_view *v, size_t at) {
    return v->value[(v->def->n_nodes - 1) * v->n + at];
}

const struct index_view *forming_now(const struct forming *f) {
    return &f->d->past[BRIEFING_TREND - 1].view;
}

const struct index_view *forming_before(const struct forming *f) {
    return &f->d->past[BRIEFING_TREND - 2].view;
}

/* ", 1.2 above September 2026" */
static void compare(struct forming *f, double now, double then, const struct period *p) {
    double change = words_tenth(words_tenth(now) - words_tenth(then));
    if (isnan(change)) return;
    words_add(&f->t, ", ", "，");
    if (change == 0) {
        words_add(&f->t, "the same as in ", "与");
        words_period(&f->t, p);
        words_add(&f->t, "", "持平");
        return;
    }
    char en[WORDS_PERIOD], zh[WORDS_PERIOD];
    words_period_text(p, en, zh);
    buf_printf(&f->t.en, "%.1f %s %s", fabs(change), change > 0 ? "above" : "below", en);
    buf_printf(&f->t.zh, "比%s%s %.1f", zh, change > 0 ? "上升" : "下降", fabs(change));
}

static void put_value_sentence(struct forming *f) {
    const struct briefing_data *d = f->d;
    const struct index_def *x = d->ask.index;
    const struct briefing_past *now = &d->past[BRIEFING_TREND - 1];
    double value = forming_value(&now->view, d->at);
    struct words *t = &f->t;
    words_area(t, d->area);
    words_add(t, ", ", "");
    words_period(t, &d->ask.period);
    words_add(t, ": ", "");
    words_title(t, &x->title);
    if (isnan(value)) {
        words_add(t, " has no value, because too much of what it is made of is missing.",
                  "没有分值：构成它的数据缺得太多。");
        return;
    }
    words_add(t, " ", " ");
    words_number(t, value);
    if (now->band >= 0) {
        words_add(t, " (", "（");
        words_title(t, &x->band[now->band].title);
        words_add(t, ")", "）");
    }
    struct period before = period_step(&d->ask.period, -1), year = period_last_year(&d->ask.period);
    compare(f, value, forming_value(forming_before(f), d->at), &before);
    compare(f, value, forming_value(&d->last_year, d->at), &year);
    words_add(t, ".", "。");
}

static void put_numbers(struct forming *f) {
    const struct briefing_data *d = f->d;
    double now = words_tenth(forming_value(forming_now(f), d->at)),
           before = words_tenth(forming_value(forming_before(f), d->at)),
           year = words_tenth(forming_value(&d->last_year, d->at));
    int band = d->past[BRIEFING_TREND - 1].band;
    jw_kdouble(&f->w, "value", now);
    jw_kdouble(&f->w, "before", before);
    jw_kdouble(&f->w, "change", words_tenth(now - before));
    jw_kdouble(&f->w, "last_year", year);
    jw_kstr(&f->w, "band", band < 0 ? NULL : d->ask.index->band[band].name);
    jw_kbool(&f->w, "too_small", forming_now(f)->too_small[d->at] != 0);
    jw_kbool(&f->w, "shared", d->change.told);
}

/* What lies on the desk, in one line. */
static void put_work_sentence(struct forming *f) {
    const struct briefing_done *done = &f->d->done;
    const struct briefing_watch *watch = &f->d->watch;
    words_add(&f->t, "Reported: ", "上报 ");
    words_int(&f->t, done->reported);
    words_add(&f->t, "; closed: ", " 件，办结 ");
    words_int(&f->t, done->closed);
    words_add(&f->t, "; warnings open: ", " 件；未销预警 ");
    words_int(&f->t, watch->open);
    words_add(&f->t, "; overdue supervision: ", " 个；超期督办 ");
    words_int(&f->t, watch->supervised_overdue);
    words_add(&f->t, ".", " 件。");
    words_put(&f->t, &f->w, NULL);
}

void form_head(struct forming *f) {
    const struct briefing_data *d = f->d;
    jw_key(&f->w, "head");
    jw_obj(&f->w);
    put_numbers(f);
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    /* The first sentence stands in lists: without a value what was done says more. */
    bool valued = !isnan(forming_value(forming_now(f), d->at));
    if (!valued) put_work_sentence(f);
    put_value_sentence(f);
    words_put(&f->t, &f->w, NULL);
    if (valued) put_work_sentence(f);
    if (valued && forming_now(f)->too_small[d->at] != 0) {
        words_add(&f->t, "Too few cases stand behind it for such a period: read the longer one.",
                  "这一时段的案件太少，说明不了问题，请看更长的时段。");
        words_put(&f->t, &f->w, NULL);
    }
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}

void form_trend(struct forming *f) {
    const struct briefing_data *d = f->d;
    jw_key(&f->w, "trend");
    jw_arr(&f->w);
    for (int k = 0; k < BRIEFING_TREND; k++) {
        const struct briefing_past *p = &d->past[k];
        char text[PERIOD_TEXT];
        period_format(&p->view.period, text);
        jw_obj(&f->w);
        jw_kstr(&f->w, "period", text);
        jw_kdouble(&f->w, "value", words_tenth(forming_value(&p->view, d->at)));
        jw_kstr(&f->w, "band", p->band < 0 ? NULL : d->ask.index->band[p->band].name);
        jw_kbool(&f->w, "too_small", p->view.too_small[d->at] != 0);
        jw_kdouble(&f->w, "frozen", words_tenth(p->frozen));
        jw_kint(&f->w, "restated", p->restated);
        jw_end(&f->w, '}');
    }
    jw_end(&f->w, ']');
}
