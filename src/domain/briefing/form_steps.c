/* Why the index moved: the parts of its change, indicator by indicator, and the same in sentences.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/briefing/inside.h"

enum { TOLD = 3, MIN_REST = 2, MAX_STEPS = 2 * INDEX_MAX_LEAVES };
static const double shown_from = 0.05; /* half of what a tenth rounds to */

struct step {
    const struct index_node *node;
    size_t at; /* position in the later view's raw values; SIZE_MAX: it fell out of the formula */
    double change;
    bool hidden; /* in one of the two periods */
};
struct steps {
    struct step step[MAX_STEPS];
    size_t n, shown; /* by size; the first `shown` are told one by one, the rest together */
    double rest;
    size_t n_rest, n_hidden;
};

static int by_size(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    if (x->hidden != y->hidden) return x->hidden ? 1 : -1;
    double p = fabs(x->change), q = fabs(y->change);
    if (p != q) return p > q ? -1 : 1;
    return strcmp(x->node->name, y->node->name);
}

/* Both views are formed by one definition, so that a leaf has one position in both. */
static size_t leaf_at(const struct forming *f, const struct index_node *node) {
    const struct index_def *d = f->d->ask.index;
    for (size_t k = 0; k < d->n_leaves; k++)
        if (&d->node[k] == node) return k * forming_now(f)->n + f->d->at;
    return SIZE_MAX;
}

/* An indicator whose figure is below the floor is told only together with others: from one part
 * alone its figure could be reckoned back, and so could it from all the others. */
static void collect(const struct forming *f, struct steps *out) {
    const struct index_change *c = &f->d->change;
    *out = (struct steps){.n = 0};
    for (size_t k = 0; c->told && k < c->n && out->n < MAX_STEPS; k++) {
        const struct index_change_leaf *x = &c->leaf[k];
        size_t at = leaf_at(f, x->node);
        bool hidden = at != SIZE_MAX &&
                      (forming_now(f)->hidden[at] != 0 || forming_before(f)->hidden[at] != 0);
        double change = x->indicator + x->denominator + x->formula + x->entered;
        out->step[out->n++] = (struct step){x->node, at, change, hidden};
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

static double raw_of(const struct index_view *v, const struct step *s) {
    return s->at == SIZE_MAX ? NAN : v->raw[s->at].value;
}

static void put_step(struct forming *f, const struct step *s) {
    jw_obj(&f->w);
    jw_kstr(&f->w, "node", s->node->name);
    index_text_json(&f->w, "title", &s->node->title);
    jw_kdouble(&f->w, "change", words_tenth(s->change));
    jw_kdouble(&f->w, "raw", raw_of(forming_now(f), s));
    jw_kdouble(&f->w, "raw_before", raw_of(forming_before(f), s));
    jw_kstr(&f->w, "state",
            s->at == SIZE_MAX ? value_state_name(VALUE_NO_DATA)
                              : value_state_name(forming_now(f)->raw[s->at].state));
    index_text_json(&f->w, "unit", &s->node->indicator->unit);
    jw_end(&f->w, '}');
}

/* "Traffic injuries -1.2 (2.1 to 3.4 per 10,000)" */
static void tell_step(struct forming *f, const struct step *s) {
    double now = raw_of(forming_now(f), s), before = raw_of(forming_before(f), s);
    words_title(&f->t, &s->node->title);
    words_add(&f->t, " ", " ");
    words_signed(&f->t, s->change);
    if (isnan(now) && isnan(before)) return;
    if (isnan(before)) {
        words_add(&f->t, " (without a value before)", "（上期无数据）");
        return;
    }
    if (isnan(now)) {
        words_add(&f->t, " (without a value now)", "（本期无数据）");
        return;
    }
    words_add(&f->t, " (", "（由 ");
    words_figure(&f->t, before);
    words_add(&f->t, " to ", " 到 ");
    words_figure(&f->t, now);
    words_add(&f->t, " ", " ");
    words_title(&f->t, &s->node->indicator->unit);
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
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    bool falls = f->d->change.told && f->d->change.to < f->d->change.from;
    for (int side = 0; side < 2; side++)
        if (tell_side(f, s, side == 0 ? !falls : falls)) words_put(&f->t, &f->w, NULL);
    if (f->d->change.told && s->shown == 0) {
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
