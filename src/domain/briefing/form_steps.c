/* Why the index moved: the parts of its change, indicator by indicator, and the same in sentences.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/briefing/inside.h"

enum { TOLD = 3, MIN_REST = 2 };
static const double shown_from = 0.05; /* half of what a tenth rounds to */

struct step {
    size_t node;
    double change;
    bool hidden; /* in one of the two periods */
};
struct steps {
    struct step step[INDEX_MAX_LEAVES];
    size_t n, shown; /* by size; the first `shown` are told one by one, the rest together */
    double rest;
    size_t n_rest, n_hidden;
};

static int by_size(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    if (x->hidden != y->hidden) return x->hidden ? 1 : -1;
    double p = fabs(x->change), q = fabs(y->change);
    if (p != q) return p > q ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* An indicator whose figure is below the floor is told only together with others: from one part
 * alone its figure could be reckoned back, and so could it from all the others. */
static void collect(const struct forming *f, struct steps *out) {
    const struct briefing_data *d = f->d;
    const struct index_view *now = forming_now(f), *before = forming_before(f);
    *out = (struct steps){.n = 0};
    for (size_t k = 0; d->shared && k < d->ask.index->n_leaves; k++) {
        double change = d->moved[k * now->n + d->at];
        bool hidden =
            now->hidden[k * now->n + d->at] != 0 || before->hidden[k * now->n + d->at] != 0;
        if (isnan(change)) continue;
        out->step[out->n++] = (struct step){k, change, hidden};
        out->n_hidden += hidden;
    }
    qsort(out->step, out->n, sizeof out->step[0], by_size);
    while (out->shown < out->n && !out->step[out->shown].hidden &&
           fabs(out->step[out->shown].change) >= shown_from)
        out->shown++;
    while (out->n_hidden > 0 && out->shown > 0 && out->n - out->shown < MIN_REST) out->shown--;
    for (size_t i = out->shown; i < out->n; i++) out->rest += out->step[i].change;
    out->n_rest = out->n - out->shown;
}

static void put_step(struct forming *f, const struct step *s) {
    const struct index_view *now = forming_now(f), *before = forming_before(f);
    const struct index_node *node = &f->d->ask.index->node[s->node];
    size_t i = s->node * now->n + f->d->at;
    jw_obj(&f->w);
    jw_kstr(&f->w, "node", node->name);
    index_text_json(&f->w, "title", &node->title);
    jw_kdouble(&f->w, "change", words_tenth(s->change));
    jw_kdouble(&f->w, "raw", now->raw[i].value);
    jw_kdouble(&f->w, "raw_before", before->raw[i].value);
    jw_kstr(&f->w, "state", value_state_name(now->raw[i].state));
    index_text_json(&f->w, "unit", &node->indicator->unit);
    jw_end(&f->w, '}');
}

/* "Traffic injuries -1.2 (2.1 to 3.4 per 10,000)" */
static void tell_step(struct forming *f, const struct step *s) {
    const struct index_view *now = forming_now(f), *before = forming_before(f);
    const struct index_node *node = &f->d->ask.index->node[s->node];
    size_t i = s->node * now->n + f->d->at;
    words_title(&f->t, &node->title);
    words_add(&f->t, " ", " ");
    words_signed(&f->t, s->change);
    if (isnan(now->raw[i].value) || isnan(before->raw[i].value)) return;
    words_add(&f->t, " (", "（由 ");
    words_figure(&f->t, before->raw[i].value);
    words_add(&f->t, " to ", " 到 ");
    words_figure(&f->t, now->raw[i].value);
    words_add(&f->t, " ", " ");
    words_title(&f->t, &node->indicator->unit);
    words_add(&f->t, ")", "）");
}

static bool tell_side(struct forming *f, const struct steps *s, bool up) {
    size_t told = 0;
    for (size_t i = 0; i < s->shown && told < TOLD; i++) {
        if ((s->step[i].change > 0) != up) continue;
        if (told++ == 0)
            words_add(&f->t, up ? "It was raised by " : "It was lowered by ",
                      up ? "拉高的有：" : "拉低的有：");
        else
            words_add(&f->t, ", ", "、");
        tell_step(f, &s->step[i]);
    }
    if (told > 0) words_add(&f->t, ".", "。");
    return told > 0;
}

static void put_sentences(struct forming *f, const struct steps *s) {
    bool both = !isnan(forming_value(forming_now(f), f->d->at)) &&
                !isnan(forming_value(forming_before(f), f->d->at));
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    if (tell_side(f, s, false)) words_put(&f->t, &f->w, NULL);
    if (tell_side(f, s, true)) words_put(&f->t, &f->w, NULL);
    if (both && !f->d->shared) {
        words_add(&f->t,
                  "The change cannot be shared out: not the same indicators have a value in both "
                  "periods.",
                  "变化无法分摊：前后两期有数据的指标不同。");
        words_put(&f->t, &f->w, NULL);
    } else if (both && s->shown == 0) {
        words_add(&f->t, "No single indicator moved it by a tenth of a point.",
                  "没有哪个指标使它变动 0.1 分以上。");
        words_put(&f->t, &f->w, NULL);
    }
    if (s->n_hidden > 0) {
        words_add(&f->t,
                  "Indicators that rest on fewer than ten protected matters are told only "
                  "together with others.",
                  "涉及受保护事项不足十件的指标只合并说明。");
        words_put(&f->t, &f->w, NULL);
    }
    jw_end(&f->w, ']');
}

void form_steps(struct forming *f) {
    struct steps s;
    collect(f, &s);
    jw_key(&f->w, "moved");
    jw_obj(&f->w);
    jw_key(&f->w, "steps");
    jw_arr(&f->w);
    for (size_t i = 0; i < s.shown; i++) put_step(f, &s.step[i]);
    jw_end(&f->w, ']');
    jw_kdouble(&f->w, "rest", words_tenth(s.rest));
    jw_kint(&f->w, "n_rest", (int64_t)s.n_rest);
    put_sentences(f, &s);
    jw_end(&f->w, '}');
}
