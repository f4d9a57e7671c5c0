/* What to look at first: indicators near the worst of their range, red warnings that are open,
 * classes of cases that rise. And what was done. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/briefing/inside.h"

enum { MAX_INDICATORS = 3, MIN_RISE = 10 };
static const double risk_below = 50; /* the worse half of the range that was set */
static const double rise_by = 1.96;  /* of 2 (sqrt now - sqrt then), which has a spread of one */

struct worst {
    size_t node;
    double score;
};

static int by_score(const void *a, const void *b) {
    const struct worst *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static void open_risk(struct forming *f, const char *kind) {
    jw_obj(&f->w);
    jw_kstr(&f->w, "kind", kind);
}

static void close_risk(struct forming *f) {
    words_put(&f->t, &f->w, "text");
    jw_end(&f->w, '}');
}

static void put_indicator(struct forming *f, const struct worst *x) {
    const struct index_view *v = forming_now(f);
    const struct index_node *node = &f->d->ask.index->node[x->node];
    const struct indicator_def *def = node->indicator;
    bool more_is_worse = def->direction < 0;
    double worst = more_is_worse ? node->high : node->low,
           best = more_is_worse ? node->low : node->high;
    open_risk(f, "indicator");
    jw_kstr(&f->w, "node", node->name);
    jw_kdouble(&f->w, "score", words_tenth(x->score));
    jw_kdouble(&f->w, "raw", v->raw[x->node * v->n + f->d->at].value);
    words_title(&f->t, &node->title);
    words_add(&f->t, ": ", "：");
    words_figure(&f->t, v->raw[x->node * v->n + f->d->at].value);
    words_add(&f->t, " ", " ");
    words_title(&f->t, &def->unit);
    words_add(&f->t, "; the range set runs from ", "，设定区间由 ");
    words_figure(&f->t, worst);
    words_add(&f->t, " (worst) to ", "（最差）到 ");
    words_figure(&f->t, best);
    words_add(&f->t, " (best).", "（最好）。");
    close_risk(f);
}

static void put_indicators(struct forming *f) {
    const struct index_view *v = forming_now(f);
    const struct index_def *x = f->d->ask.index;
    struct worst list[INDEX_MAX_LEAVES] = {{0, 0}};
    size_t n = 0;
    for (size_t k = 0; k < x->n_leaves; k++) {
        size_t i = k * v->n + f->d->at;
        if (v->raw[i].state != VALUE_OK || v->hidden[i] != 0 || !(v->value[i] < risk_below))
            continue;
        list[n++] = (struct worst){k, v->value[i]};
    }
    qsort(list, n, sizeof list[0], by_score);
    for (size_t i = 0; i < n && i < MAX_INDICATORS; i++) put_indicator(f, &list[i]);
}

static void put_red(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    for (size_t i = 0; i < x->n; i++) {
        const struct briefing_warning *k = &x->warning[i];
        if (strcmp(k->color, "red") != 0 || strcmp(k->outcome, "open") != 0) continue;
        int at = grid_area_index(f->d->source.grid, k->area);
        open_risk(f, "warning");
        jw_kstr(&f->w, "code", k->code);
        words_add(&f->t, "Red warning, still open: ", "红色预警未销：");
        words_title(&f->t, &k->title);
        if (at != GRID_NONE) {
            words_add(&f->t, ", ", "，");
            words_area(&f->t, &f->d->source.grid->areas[at]);
        }
        words_add(&f->t, ".", "。");
        close_risk(f);
    }
}

static void put_late(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    if (x->open_overdue > 0) {
        open_risk(f, "late");
        words_add(&f->t, "Warnings past their limit: ", "超期未处置的预警：");
        words_int(&f->t, x->open_overdue);
        words_add(&f->t, ".", " 个。");
        close_risk(f);
    }
    if (x->supervised_overdue > 0) {
        open_risk(f, "late");
        words_add(&f->t, "Overdue supervision: ", "超期的督办：");
        words_int(&f->t, x->supervised_overdue);
        words_add(&f->t, ".", " 件。");
        close_risk(f);
    }
}

/* ---- classes that rise: against the same period a year ago where there is one, else against the
 * period before */

struct rise {
    const struct briefing_class *cls;
    double by;
    bool year;
};

static int by_rise(const void *a, const void *b) {
    const struct rise *x = a, *y = b;
    if (x->by != y->by) return x->by > y->by ? -1 : 1;
    return strcmp(x->cls->cls->id, y->cls->cls->id);
}

static void put_class(struct forming *f, const struct rise *r) {
    const struct briefing_class *c = r->cls;
    struct period then =
        r->year ? period_last_year(&f->d->ask.period) : period_step(&f->d->ask.period, -1);
    open_risk(f, "class");
    jw_kstr(&f->w, "class", c->cls->id);
    jw_kint(&f->w, "now", c->now);
    jw_kint(&f->w, "then", r->year ? c->last_year : c->before);
    words_title(&f->t, &c->cls->title);
    words_add(&f->t, ": ", "：");
    words_int(&f->t, c->now);
    words_add(&f->t, c->now == 1 ? " case, " : " cases, ", " 件，");
    words_period(&f->t, &then);
    words_add(&f->t, ": ", "为 ");
    words_int(&f->t, r->year ? c->last_year : c->before);
    words_add(&f->t, "; more than chance explains.", " 件，超出偶然波动。");
    close_risk(f);
}

static void put_classes(struct forming *f, struct rise *list) {
    const struct briefing_data *d = f->d;
    int64_t year = 0;
    size_t n = 0;
    for (size_t i = 0; i < d->n_cls; i++) year += d->cls[i].last_year;
    for (size_t i = 0; i < d->n_cls; i++) {
        const struct briefing_class *c = &d->cls[i];
        double then = (double)(year > 0 ? c->last_year : c->before);
        double by = 2 * (sqrt((double)c->now) - sqrt(then));
        if (c->now < MIN_RISE || by < rise_by) continue;
        list[n++] = (struct rise){c, by, year > 0};
    }
    qsort(list, n, sizeof *list, by_rise);
    for (size_t i = 0; i < n && i < BRIEFING_MAX_CLASSES; i++) put_class(f, &list[i]);
}

void form_risks(struct forming *f) {
    struct rise *list = mem_new(f->d->n_cls + 1, sizeof *list);
    if (list == NULL) f->w.b->failed = f->w.b->no_memory = true;
    jw_key(&f->w, "risks");
    jw_arr(&f->w);
    put_red(f);
    put_late(f);
    put_indicators(f);
    if (list != NULL) put_classes(f, list);
    jw_end(&f->w, ']');
    mem_free(list);
}

/* ---- what was done */

static void tell_count(struct forming *f, const char *en, const char *zh, int64_t now,
                       int64_t before) {
    words_add(&f->t, en, zh);
    words_int(&f->t, now);
    words_add(&f->t, " (period before: ", " 件（上期 ");
    words_int(&f->t, before);
    words_add(&f->t, ")", " 件）");
}

void form_done(struct forming *f) {
    const struct briefing_done *x = &f->d->done;
    const struct briefing_watch *watch = &f->d->watch;
    jw_key(&f->w, "done");
    jw_obj(&f->w);
    jw_kint(&f->w, "reported", x->reported);
    jw_kint(&f->w, "closed", x->closed);
    jw_kint(&f->w, "overdue", x->overdue);
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    tell_count(f, "Public matters reported: ", "公开事项上报 ", x->reported, x->reported_before);
    tell_count(f, "; closed: ", "，办结 ", x->closed, x->closed_before);
    words_add(&f->t, ". Open and past their limit now: ", "；目前超期未结 ");
    words_int(&f->t, x->overdue);
    words_add(&f->t, ".", " 件。");
    words_put(&f->t, &f->w, NULL);
    words_add(&f->t, "Warnings closed on evidence: ", "凭证据销号的预警 ");
    words_int(&f->t, watch->closed);
    words_add(&f->t, "; supervision settled: ", " 个，办结督办 ");
    words_int(&f->t, watch->settled);
    words_add(&f->t, ".", " 件。");
    words_put(&f->t, &f->w, NULL);
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}
