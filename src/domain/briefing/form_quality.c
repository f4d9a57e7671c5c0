/* What the figures rest on, and what of them was told differently before. */
#include <math.h>
#include <string.h>

#include "domain/briefing/inside.h"

/* "2 indicators without figures from outside: Survey, Fires." */
static void tell_missing(struct forming *f, enum value_state state, const char *en,
                         const char *zh) {
    const struct index_view *v = forming_now(f);
    const struct index_def *x = f->d->ask.index;
    size_t told = 0;
    for (size_t k = 0; k < x->n_leaves; k++) {
        size_t i = k * v->n + f->d->at;
        if (v->raw[i].state != state || v->hidden[i] != 0) continue;
        if (told++ == 0)
            words_add(&f->t, en, zh);
        else
            words_add(&f->t, ", ", "、");
        words_title(&f->t, &x->node[k].title);
    }
    if (told == 0) return;
    words_add(&f->t, ".", "。");
    words_put(&f->t, &f->w, NULL);
}

static void tell_standing(struct forming *f) {
    const struct briefing_data *d = f->d;
    const struct briefing_past *now = &d->past[BRIEFING_TREND - 1];
    unsigned char hash[32];
    char text[65];
    index_view_hash(&now->view, hash);
    index_hash_text(hash, text);
    if (d->source.today < d->ask.period.to)
        words_add(&f->t, "The period is not over: its figures still grow.",
                  "时段尚未结束，数字还会变化。");
    else if (now->run == NULL)
        words_add(&f->t, "The index of this period is provisional: it is not frozen yet.",
                  "本期指数为初步值，尚未定版。");
    else if (strcmp(now->run, text) != 0)
        words_add(&f->t, "Late data came since the index of this period was frozen.",
                  "本期指数定版后又有迟到数据。");
    else
        words_add(&f->t, "The index of this period is frozen.", "本期指数已定版。");
    words_put(&f->t, &f->w, NULL);
}

static void tell_small_areas(struct forming *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->d->n_children; i++) n += f->d->lower.too_small[f->d->child[i]] != 0;
    if (n == 0) return;
    words_add(&f->t, "Areas with too few cases for such a period: ",
              "案件太少、这一时段说明不了问题的区域：");
    words_int(&f->t, (int64_t)n);
    words_add(&f->t, " of ", " 个，共 ");
    words_int(&f->t, (int64_t)f->d->n_children);
    words_add(&f->t, ".", " 个。");
    words_put(&f->t, &f->w, NULL);
}

static void put_restatements(struct forming *f) {
    jw_key(&f->w, "restated");
    jw_arr(&f->w);
    for (int k = BRIEFING_TREND - 1; k >= 0; k--) {
        const struct briefing_past *p = &f->d->past[k];
        char text[PERIOD_TEXT];
        if (p->restated <= 0 && p->note == NULL) continue;
        period_format(&p->view.period, text);
        jw_obj(&f->w);
        jw_kstr(&f->w, "period", text);
        jw_kdouble(&f->w, "value", words_tenth(p->frozen));
        jw_kint(&f->w, "times", p->restated);
        jw_kstr(&f->w, "note", p->note);
        jw_end(&f->w, '}');
    }
    jw_end(&f->w, ']');
}

void form_quality(struct forming *f) {
    jw_key(&f->w, "quality");
    jw_obj(&f->w);
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    tell_standing(f);
    tell_missing(f, VALUE_NO_DATA, "Without figures from outside: ", "缺外部数据的指标：");
    tell_missing(f, VALUE_NO_CASES, "With no case to count: ", "没有案件可计的指标：");
    tell_missing(f, VALUE_TOO_SMALL,
                 "On too few cases to say anything: ", "案件太少、说明不了问题的指标：");
    tell_small_areas(f);
    jw_end(&f->w, ']');
    put_restatements(f);
    jw_end(&f->w, '}');
}
