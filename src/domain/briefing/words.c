#include "domain/briefing/words.h"

#include <math.h>
#include <stdio.h>

#include "base/civil.h"

enum { MAX_WORDS = 1 << 14 };

void words_init(struct words *w) {
    buf_init(&w->en, MAX_WORDS);
    buf_init(&w->zh, MAX_WORDS);
}

void words_deinit(struct words *w) {
    buf_deinit(&w->en);
    buf_deinit(&w->zh);
}

void words_clear(struct words *w) {
    buf_clear(&w->en);
    buf_clear(&w->zh);
}

void words_add(struct words *w, const char *en, const char *zh) {
    buf_str(&w->en, en);
    buf_str(&w->zh, zh);
}

void words_title(struct words *w, const struct text *t) { words_add(w, t->en, t->zh); }

static void both(struct words *w, const char *text) { words_add(w, text, text); }

double words_tenth(double v) {
    double t = floor(v * 10 + 0.5) / 10;
    return t == 0 ? 0 : t; /* no negative zero */
}

static void digits(char out[WORDS_NUMBER], double v, int places, bool sign) {
    double scale = places == 0 ? 1 : places == 1 ? 10 : 100;
    double t = floor(fabs(v) * scale + 0.5) / scale;
    const char *lead = t == 0 ? "" : v < 0 ? "\xe2\x88\x92" : sign ? "+" : "";
    (void)snprintf(out, WORDS_NUMBER, "%s%.*f", lead, places, t);
}

static void number(struct words *w, double v, int places, bool sign) {
    char text[WORDS_NUMBER];
    if (isnan(v) || fabs(v) > 1e15) {
        both(w, "\xe2\x80\x93");
        return;
    }
    digits(text, v, places, sign);
    both(w, text);
}

void words_number(struct words *w, double v) { number(w, v, 1, false); }

void words_signed(struct words *w, double v) { number(w, v, 1, true); }

void words_figure(struct words *w, double v) {
    double size = fabs(v);
    number(w, v, size >= 100 || floor(v) == v ? 0 : size >= 1 ? 1 : 2, false);
}

void words_int(struct words *w, int64_t v) {
    char text[WORDS_NUMBER];
    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    both(w, text);
}

const char *words_s(int64_t n) { return n == 1 ? "" : "s"; }

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

void words_period_text(const struct period *p, char en[WORDS_PERIOD], char zh[WORDS_PERIOD]) {
    static const char *const thirds[] = {"上旬", "中旬", "下旬"};
    int year = 0, month = 0, day = 0, last_year = 0, last_month = 0, last = 0;
    civil_from_days(p->from, &year, &month, &day);
    civil_from_days(p->to - 1, &last_year, &last_month, &last);
    switch (p->kind) {
    case PERIOD_DAY:
        (void)snprintf(en, WORDS_PERIOD, "%d %s %d", day, months[month - 1], year);
        (void)snprintf(zh, WORDS_PERIOD, "%d年%d月%d日", year, month, day);
        break;
    case PERIOD_TEN_DAY:
        (void)snprintf(en, WORDS_PERIOD, "%d to %d %s %d", day, last, months[month - 1], year);
        (void)snprintf(zh, WORDS_PERIOD, "%d年%d月%s", year, month, thirds[(day - 1) / 10]);
        break;
    case PERIOD_MONTH:
        (void)snprintf(en, WORDS_PERIOD, "%s %d", months[month - 1], year);
        (void)snprintf(zh, WORDS_PERIOD, "%d年%d月", year, month);
        break;
    case PERIOD_YEAR:
        (void)snprintf(en, WORDS_PERIOD, "%d", year);
        (void)snprintf(zh, WORDS_PERIOD, "%d年", year);
        break;
    }
}

void words_period(struct words *w, const struct period *p) {
    char en[WORDS_PERIOD], zh[WORDS_PERIOD];
    words_period_text(p, en, zh);
    words_add(w, en, zh);
}

void words_area(struct words *w, const struct grid_area *a) {
    bool has_english = a->name_en != NULL && a->name_en[0] != '\0';
    words_add(w, has_english ? a->name_en : a->name, a->name);
}

void words_put(struct words *w, struct jw *out, const char *key) {
    if (w->en.failed || w->zh.failed) out->b->failed = true;
    if (key != NULL) jw_key(out, key);
    jw_obj(out);
    jw_kstr(out, "en", buf_text(&w->en));
    jw_kstr(out, "zh", buf_text(&w->zh));
    jw_end(out, '}');
    words_clear(w);
}
