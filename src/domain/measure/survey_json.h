/* domain/measure/survey_json.h - what a survey asks, and what a wave of it says, as JSON. Shares
 * and rates in per cent. */
#ifndef DOMAIN_MEASURE_SURVEY_JSON_H
#define DOMAIN_MEASURE_SURVEY_JSON_H
#include "base/json.h"
#include "domain/grid/grid.h"
#include "domain/measure/survey_def.h"

/* {"survey","title","population","owner","version","drawn_by","strata":[...],"questions":[...],
 * "waves":[{"wave","version","answers","response_rate"}]}, the newest wave first. Errors: those of
 * the store. */
enum err_code survey_json(struct jw *w, const struct survey_def *d, struct db *db,
                          struct err *err) NODISCARD;
/* {"survey","wave","version","table_hash","drawn","answers","outcomes":{...},"response_rate",
 * "cooperation_rate","weights":{"design_effect","smallest","largest","trimmed","joined","off"},
 * "areas_drawn","areas_all","questions":[{"question","title","feeds","areas":[{"area","name",
 * "name_en","level","state","value","low","high","se","n","n_effective","drawn","response_rate",
 * "enough"}]}]}. state: "ok" "too_small" (not enough) "below_floor" (not told). Errors:
 * ERR_NOT_FOUND no such wave. */
enum err_code survey_wave_json(struct jw *w, const struct survey_def *d, const char *wave,
                               const struct grid *g, struct db *db, struct err *err) NODISCARD;
#endif
