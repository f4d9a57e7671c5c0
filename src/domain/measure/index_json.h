/* domain/measure/index_json.h - an index view for programs: the same text by the command line and
 * the API. */
#ifndef DOMAIN_MEASURE_INDEX_JSON_H
#define DOMAIN_MEASURE_INDEX_JSON_H
#include "base/json.h"
#include "domain/measure/index_form.h"

struct index_told {
    int64_t seq; /* data version: last journal row in it */
    int32_t today;
    const char *state;       /* "provisional", "frozen", "published", "what_if" */
    const char *frozen_hash; /* of the values that stand; another one than the view's: late data
                                came since. NULL: none stand */
};
/* {"index","title","version","period","level","data_seq","today","state","formula_hash","hash",
 * "frozen_hash",
 * "draws","areas":[{"area","name","name_en","value","band","severity","rank","rank_low",
 * "rank_high","above_next","too_small","parts":[{"node","group","value","part","raw","numerator",
 * "denominator","state"}]}]}. Areas in the order of their ranks, those without a score last. A
 * value that is not there is null. */
void index_view_json(struct jw *w, const struct index_view *v, const struct index_told *told);
/* "key":{"en","zh"}, and "bands":[...]. */
void index_text_json(struct jw *w, const char *key, const struct text *t);
void index_bands_json(struct jw *w, const struct index_def *d);
/* The list "parts" of one area alone. */
void index_parts_json(struct jw *w, const struct index_view *v, size_t area);
/* 64 hex digits and a NUL. */
void index_hash_text(const unsigned char hash[32], char out[65]);
#endif
