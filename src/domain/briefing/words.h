/* domain/briefing/words.h - sentences of a briefing in both languages: periods, numbers, names.
 * Pure. */
#ifndef DOMAIN_BRIEFING_WORDS_H
#define DOMAIN_BRIEFING_WORDS_H
#include "base/json.h"
#include "domain/briefing/briefing.h"

enum { WORDS_PERIOD = 64, WORDS_NUMBER = 32 };
/* A text in the making. The buffers are bounded; freed by words_deinit. */
struct words {
    struct buf en, zh;
};
void words_init(struct words *w);
void words_deinit(struct words *w);
void words_clear(struct words *w);
/* Adds the same number, name or piece to both. */
void words_add(struct words *w, const char *en, const char *zh);
void words_title(struct words *w, const struct text *t);
/* "88.7"; a dash for NaN. Minus is U+2212. */
void words_number(struct words *w, double v);
/* A measured figure with as many digits as say something. */
void words_figure(struct words *w, double v);
void words_signed(struct words *w, double v);
void words_int(struct words *w, int64_t v);
void words_period(struct words *w, const struct period *p);
void words_area(struct words *w, const struct grid_area *a);
/* Writes {"en","zh"} under the key (NULL: as an item) and clears. Errors stick in jw's buffer. */
void words_put(struct words *w, struct jw *out, const char *key);

void words_period_text(const struct period *p, char en[WORDS_PERIOD], char zh[WORDS_PERIOD]);
/* "1", "2" ...: "3 cases" against "1 case". */
const char *words_s(int64_t n);
double words_tenth(double v); /* to a tenth; NaN stays */
#endif
