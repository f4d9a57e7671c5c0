/* Warnings opened, closed, called false and still open; supervision that is overdue, by unit. */
#include <string.h>

#include "domain/briefing/inside.h"

static void put_counts(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    jw_kint(&f->w, "opened", x->opened);
    jw_kint(&f->w, "closed", x->closed);
    jw_kint(&f->w, "called_false", x->called_false);
    jw_kint(&f->w, "open", x->open);
    jw_kint(&f->w, "open_overdue", x->open_overdue);
}

static void put_warning(struct forming *f, const struct briefing_warning *x) {
    const struct grid *g = f->d->source.grid;
    int at = grid_area_index(g, x->area);
    int32_t as_of = briefing_local_day(f->d, f->d->source.at_us);
    char day[16];
    civil_date_format(x->raised, day);
    jw_obj(&f->w);
    jw_kstr(&f->w, "code", x->code);
    index_text_json(&f->w, "title", &x->title);
    jw_kstr(&f->w, "color", x->color);
    jw_kstr(&f->w, "area", at == GRID_NONE ? NULL : x->area);
    jw_kstr(&f->w, "name", at == GRID_NONE ? NULL : g->areas[at].name);
    jw_kstr(&f->w, "name_en", at == GRID_NONE ? NULL : g->areas[at].name_en);
    jw_kstr(&f->w, "raised", day);
    index_text_json(&f->w, "state", &x->state);
    jw_kstr(&f->w, "outcome", x->outcome);
    jw_kint(&f->w, "days", (x->ended == INT32_MAX ? as_of : x->ended) - x->raised);
    jw_kbool(&f->w, "overdue", x->overdue);
    jw_end(&f->w, '}');
}

static void tell_warnings(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    if (x->opened + x->closed + x->called_false + x->open == 0) {
        words_add(&f->t, "No warning was raised, and none is open.",
                  "没有新的预警，也没有未销的预警。");
        words_put(&f->t, &f->w, NULL);
    } else {
        words_add(&f->t, "Raised: ", "新增预警 ");
        words_int(&f->t, x->opened);
        words_add(&f->t, "; closed on evidence: ", " 个，凭证据销号 ");
        words_int(&f->t, x->closed);
        words_add(&f->t, "; called false: ", " 个，判为误报 ");
        words_int(&f->t, x->called_false);
        words_add(&f->t, "; still open: ", " 个，未销 ");
        words_int(&f->t, x->open);
        words_add(&f->t, ", of them past their limit: ", " 个，其中超期 ");
        words_int(&f->t, x->open_overdue);
        words_add(&f->t, ".", " 个。");
        words_put(&f->t, &f->w, NULL);
    }
    jw_end(&f->w, ']');
}

static void put_unit(struct forming *f, const struct briefing_unit *u) {
    const struct grid *g = f->d->source.grid;
    int at = grid_unit_index(g, u->unit);
    jw_obj(&f->w);
    jw_kstr(&f->w, "unit", u->unit);
    jw_kstr(&f->w, "name", at == GRID_NONE ? u->unit : g->units[at].name);
    jw_kstr(&f->w, "name_en", at == GRID_NONE ? NULL : g->units[at].name_en);
    jw_kint(&f->w, "open", u->open);
    jw_kint(&f->w, "overdue", u->overdue);
    jw_kint(&f->w, "longest_days", u->longest_days);
    jw_end(&f->w, '}');
}

static void put_supervision(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    jw_key(&f->w, "supervision");
    jw_obj(&f->w);
    jw_kint(&f->w, "open", x->supervised);
    jw_kint(&f->w, "overdue", x->supervised_overdue);
    jw_kint(&f->w, "settled", x->settled);
    jw_key(&f->w, "sentences");
    jw_arr(&f->w);
    if (x->supervised_overdue == 0)
        words_add(&f->t, "No supervision is overdue.", "没有超期的督办。");
    else {
        words_add(&f->t, "Overdue supervision: ", "超期督办 ");
        words_int(&f->t, x->supervised_overdue);
        words_add(&f->t, " of ", " 件，在办共 ");
        words_int(&f->t, x->supervised);
        words_add(&f->t, " open.", " 件。");
    }
    words_put(&f->t, &f->w, NULL);
    jw_end(&f->w, ']');
    jw_key(&f->w, "units");
    jw_arr(&f->w);
    for (size_t i = 0; i < x->n_units; i++) put_unit(f, &x->unit[i]);
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
}

void form_warnings(struct forming *f) {
    const struct briefing_watch *x = &f->d->watch;
    jw_key(&f->w, "warnings");
    jw_obj(&f->w);
    put_counts(f);
    tell_warnings(f);
    jw_key(&f->w, "items");
    jw_arr(&f->w);
    for (size_t i = 0; i < x->n; i++) put_warning(f, &x->warning[i]);
    jw_end(&f->w, ']');
    jw_end(&f->w, '}');
    put_supervision(f);
}
