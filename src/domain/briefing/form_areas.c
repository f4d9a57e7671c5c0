/* The areas below: which moved most, and only such ranks as can be told apart. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "domain/briefing/inside.h"

enum { TOLD = 3 };
static const double told_apart = 0.9, moved_from = 0.5;

struct mover {
    size_t at;
    double change;
};

static int by_fall(const void *a, const void *b) {
    const struct mover *x = a, *y = b;
    if (x->change != y->change) return x->change < y->change ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static size_t before_of(const struct forming *f, size_t at) {
    return area_view_find(f->d->lower_before.areas, f->d->lower.areas->area[at]->code);
}

static double change_of(const struct forming *f, size_t at) {
    const struct briefing_data *d = f->d;
    size_t was = before_of(f, at);
    if (was == SIZE_MAX) return NAN;
    return words_tenth(words_tenth(forming_value(&d->lower, at)) -
                       words_tenth(forming_value(&d->lower_before, was)));
}

/* A rank stands alone only when the area is told apart from the one above it and the one below. */
static bool rank_is_told(const struct index_view *v, size_t at) {
    if (v->interval == NULL || v->rank[at] == 0 || v->too_small[at] != 0) return false;
    for (size_t k = 0; k < v->n; k++) {
        if (v->order[k] != at) continue;
        bool last = k + 1 == v->n || v->rank[v->order[k + 1]] == 0;
        return (k == 0 || v->holds[v->order[k - 1]] >= told_apart) &&
               (last || v->holds[at] >= told_apart);
    }
    return false;
}

static size_t n_ranked(const struct index_view *v) {
    size_t n = 0;
    for (size_t j = 0; j < v->n; j++) n += v->rank[j] != 0;
    return n;
}

static void put_area(struct forming *f, size_t at) {
    const struct briefing_data *d = f->d;
    const struct index_view *v = &d->lower;
    const struct grid_area *area = v->areas->area[at];
    double value = forming_value(v, at);
    size_t was = before_of(f, at);
    int before =
        was == SIZE_MAX ? -1 : index_band_of(v->def, forming_value(&d->lower_before, was), -1);
    int band = index_band_of(v->def, value, before);
    bool ranked = v->interval != NULL && v->rank[at] != 0;
    jw_obj(&f->w);
    jw_kstr(&f->w, "area", area->code);
    jw_kstr(&f->w, "name", area->name);
    jw_kstr(&f->w, "name_en", area->name_en);
    jw_kdouble(&f->w, "value", words_tenth(value));
    jw_kdouble(&f->w, "before",
               was == SIZE_MAX ? NAN : words_tenth(forming_value(&d->lower_before, was)));
    jw_kdouble(&f->w, "change", change_of(f, at));
    jw_kstr(&f->w, "band", band < 0 ? NULL : v->def->band[band].name);
    jw_kbool(&f->w, "too_small", v->too_small[at] != 0);
    jw_key(&f->w, "rank");
    if (rank_is_told(v, at))
        jw_int(&f->w, v->rank[at]);
    else
        jw_null(&f->w);
    if (ranked) {
        jw_kint(&f->w, "rank_low", v->interval[at].low);
        jw_kint(&f->w, "rank_high", v->interval[at].high);
    }
    jw_end(&f->w, '}');
}

static size_t movers(const struct forming *f, struct mover *out) {
    size_t n = 0;
    for (size_t i = 0; i < f->d->n_children; i++) {
        size_t at = f->d->child[i], was = before_of(f, at);
        double change = change_of(f, at);
        if (isnan(change) || f->d->lower.too_small[at] != 0 ||
            f->d->lower_before.too_small[was] != 0)
            continue;
        out[n++] = (struct mover){at, change};
    }
    qsort(out, n, sizeof *out, by_fall);
    return n;
}

static void tell_movers(struct forming *f, const struct mover *m, size_t n, bool up) {
    size_t told = 0;
    for (size_t i = 0; i < n && told < TOLD; i++) {
        const struct mover *x = up ? &m[n - 1 - i] : &m[i];
        if (up ? x->change < moved_from : x->change > -moved_from) break;
        if (told++ == 0)
            words_add(&f->t, up ? "Rose most: " : "Fell most: ", up ? "上升最多：" : "下降最多：");
        else
            words_add(&f->t, ", ", "、");
        words_area(&f->t, f->d->lower.areas->area[x->at]);
        words_add(&f->t, " ", " ");
        words_signed(&f->t, x->change);
    }
    if (told == 0) return;
    words_add(&f->t, ".", "。");
    words_put(&f->t, &f->w, NULL);
}

static void tell_ranks(struct forming *f) {
    const struct index_view *v = &f->d->lower;
    size_t told = 0;
    for (size_t i = 0; i < f->d->n_children; i++) {
        size_t at = f->d->child[i];
        if (!rank_is_told(v, at)) continue;
        if (told == TOLD) {
            told++;
            break;
        }
        words_add(&f->t, told == 0 ? "Told apart from its neighbours: " : ", ",
                  told == 0 ? "能与相邻名次分清的：" : "、");
        words_area(&f->t, v->areas->area[at]);
        words_add(&f->t, " (rank ", "（第 ");
        words_int(&f->t, v->rank[at]);
        words_add(&f->t, " of ", " 名，共 ");
        words_int(&f->t, (int64_t)n_ranked(v));
        words_add(&f->t, ")", " 个）");
        told++;
    }
    if (told > TOLD) words_add(&f->t, " and others", "等");
    if (told == 0)
        words_add(&f->t, "No area's rank can be told apart from its neighbours': do not rank them.",
                  "各区域名次分不出先后，不要排名。");
    else
        words_add(&f->t, ". The others are not to be ranked.", "。其余的不要排名。");
    words_put(&f->t, &f->w, NULL);
}

static void put_sentences(struct forming *f) {
    struct mover *m = mem_new(f->d->n_children + 1, sizeof *m);
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    if (m == NULL) f->w.b->failed = f->w.b->no_memory = true;
    if (m != NULL) {
        size_t n = movers(f, m);
        tell_movers(f, m, n, false);
        tell_movers(f, m, n, true);
        if (n > 0 && m[0].change > -moved_from && m[n - 1].change < moved_from) {
            words_add(&f->t, "No area moved by half a point or more.", "没有区域变动达到 0.5 分。");
            words_put(&f->t, &f->w, NULL);
        }
        if (n_ranked(&f->d->lower) > 0) {
            tell_ranks(f);
        } else {
            words_add(&f->t, "No area has a value in this period.", "本期各区域都没有分值。");
            words_put(&f->t, &f->w, NULL);
        }
    }
    jw_end(&f->w, ']');
    mem_free(m);
}

void form_areas(struct forming *f) {
    const struct briefing_data *d = f->d;
    jw_key(&f->w, "areas");
    if (d->below < 0) {
        jw_null(&f->w);
        return;
    }
    jw_obj(&f->w);
    jw_kstr(&f->w, "level", area_level_name(d->below));
    jw_kint(&f->w, "ranked", (int64_t)n_ranked(&d->lower));
    put_sentences(f);
    jw_key(&f->w, "items");
    jw_arr(&f->w);
    for (size_t k = 0; k < d->lower.n; k++) { /* by rank */
        for (size_t i = 0; i < d->n_children; i++)
            if (d->child[i] == d->lower.order[k]) put_area(f, d->child[i]);
    }
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}
