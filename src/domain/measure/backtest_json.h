/* domain/measure/backtest_json.h - a back-test for programs: the same text by command line and API.
 */
#ifndef DOMAIN_MEASURE_BACKTEST_JSON_H
#define DOMAIN_MEASURE_BACKTEST_JSON_H
#include "domain/measure/backtest.h"
#include "domain/measure/index_json.h"

/* {"index","title","version","outcome","outcome_title","level","areas","months","months_fitted",
 * "first","last_fitted","last","rows","events","verdict","items":[{"kind","indicator","title",
 * "judged","why_not","rows_fitted","rows_judged","coefficient","auc","brier","calibration_slope",
 * "baseline_auc","p","gain","gain_p","better"}]}. */
void backtest_json(struct jw *w, const struct backtest *b);
#endif
