/* domain/warning/quality.h - how good each rule is, from the warnings it raised: how often it was
 * called false, how long before the peak it spoke, how long until somebody took it up, and how
 * often measures followed. docs/warnings.md. */
#ifndef DOMAIN_WARNING_QUALITY_H
#define DOMAIN_WARNING_QUALITY_H
#include "domain/warning/warning.h"

/* Of one rule. A warning of several rules counts for each of them; one that was joined to an older
 * one for none. NaN where there is nothing to say it by. */
struct warn_quality {
    const char *rule;
    size_t raised, open, closed, called_false; /* raised = open + closed + called_false */
    double false_share;                        /* called false, of those that ended */
    /* Medians over those that ended and were not called false. */
    double lead_days;  /* from the day it was raised to the day on which the rule's own number
                          was highest: 0 when it was raised at the peak */
    double delay_days; /* from the first day of the first signal's window to the raising */
    double acknowledge_hours; /* until somebody took it up; all that were taken up */
    double acted_share;       /* measures were set, of those that ended */
};
/* Of all rules that a warning raised on `since` (a local day) or later names, by name. Arena-owned.
 * Errors: those of the store; ERR_CORRUPT when a kept text is none of ours; ERR_NOMEM. Cost: the
 * warnings since then, with their signals. */
enum err_code warn_quality_form(struct db *db, const struct engine *e, int32_t since,
                                struct arena *a, const struct warn_quality **out, size_t *n,
                                struct err *err) NODISCARD;
/* One by name; NULL when the rule raised nothing. */
const struct warn_quality *warn_quality_find(const struct warn_quality *q, size_t n,
                                             const char *rule);
/* {"raised","open","closed","false","false_share","lead_days_median","delay_days_median",
 * "acknowledge_hours_median","acted_share"}; NULL: of a rule that raised nothing. */
void warn_quality_json(struct jw *w, const struct warn_quality *q);
#endif
