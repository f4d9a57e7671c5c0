#include <string.h>

#include "base/hash.h"
#include "domain/briefing/inside.h"

struct text briefing_kind_title(enum period_kind kind) {
    switch (kind) {
    case PERIOD_DAY:
        return (struct text){"Daily briefing", "日报"};
    case PERIOD_TEN_DAY:
        return (struct text){"Ten-day briefing", "旬报"};
    case PERIOD_MONTH:
        return (struct text){"Monthly briefing", "月报"};
    case PERIOD_YEAR:
        break;
    }
    return (struct text){"Yearly briefing", "年报"};
}

void briefing_hash(const char *document, size_t n, char out[65]) {
    uint8_t sum[HASH_SHA256];
    struct hash_piece piece = {document, n};
    hash_sha256(&piece, 1, sum);
    hash_hex(sum, sizeof sum, out);
}

static void put_index(struct forming *f) {
    const struct index_def *x = f->d->ask.index;
    char hash[65];
    index_hash_text(x->hash, hash);
    jw_key(&f->w, "index");
    jw_obj(&f->w);
    jw_kstr(&f->w, "index", x->name);
    index_text_json(&f->w, "title", &x->title);
    index_text_json(&f->w, "stands_for", &x->stands_for);
    jw_kint(&f->w, "version", x->version);
    jw_kstr(&f->w, "formula_hash", hash);
    index_bands_json(&f->w, x);
    jw_end(&f->w, '}');
}

static void put_periods(struct forming *f) {
    const struct period *p = &f->d->ask.period;
    struct period before = period_step(p, -1), year = period_last_year(p);
    char text[PERIOD_TEXT];
    jw_kstr(&f->w, "kind", period_kind_name(p->kind));
    period_format(p, text);
    jw_kstr(&f->w, "period", text);
    words_period(&f->t, p);
    words_put(&f->t, &f->w, "period_title");
    period_format(&before, text);
    jw_kstr(&f->w, "before", text);
    words_period(&f->t, &before);
    words_put(&f->t, &f->w, "before_title");
    period_format(&year, text);
    jw_kstr(&f->w, "last_year", text);
}

static void put_title(struct forming *f) {
    struct text kind = briefing_kind_title(f->d->ask.period.kind);
    words_area(&f->t, f->d->area);
    words_add(&f->t, ": ", "");
    words_title(&f->t, &f->d->ask.index->title);
    words_add(&f->t, ", ", "");
    words_title(&f->t, &kind);
    words_put(&f->t, &f->w, "title");
}

static void put_place(struct forming *f) {
    const struct grid_area *area = f->d->area;
    jw_kstr(&f->w, "area", area->code);
    jw_kstr(&f->w, "name", area->name);
    jw_kstr(&f->w, "name_en", area->name_en);
    jw_kstr(&f->w, "level", area_level_name(f->d->level));
    jw_kstr(&f->w, "city", f->d->source.city);
    jw_kbool(&f->w, "invented", f->d->source.invented);
}

static void put_data(struct forming *f) {
    char day[16];
    civil_date_format(
        f->d->source.today < f->d->ask.period.to ? f->d->source.today : f->d->ask.period.to, day);
    jw_kint(&f->w, "data_seq", f->d->source.seq);
    jw_ktime(&f->w, "data_at", f->d->source.at_us);
    jw_kstr(&f->w, "as_of", day);
}

enum err_code briefing_form(const struct briefing_data *d, struct buf *out, struct err *err) {
    struct forming f = {.d = d};
    jw_init(&f.w, out);
    words_init(&f.t);
    jw_obj(&f.w);
    jw_kint(&f.w, "format", 1);
    put_title(&f);
    put_periods(&f);
    put_place(&f);
    put_data(&f);
    put_index(&f);
    form_head(&f);
    form_steps(&f);
    form_trend(&f);
    form_areas(&f);
    form_warnings(&f);
    form_risks(&f);
    form_done(&f);
    form_quality(&f);
    form_map(&f);
    jw_end(&f.w, '}');
    words_deinit(&f.t);
    return buf_check(out, err);
}
