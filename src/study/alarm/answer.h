/* study/alarm/answer.h - one method run over all groups of a set of series. */
#ifndef STUDY_ALARM_ANSWER_H
#define STUDY_ALARM_ANSWER_H
#include "num/alarm/evaluate.h"
#include "study/alarm/series.h"

/* Which dates are judged: from a date (or number) on, or the last so many of each group, or all
 * after a history of so many; -1 and NULL: the method's own (56 days or 52 steps for methods that
 * take their mean from the time before, else everything). */
struct alarm_when {
    const char *from;
    int64_t last, history;
};
struct alarm_answer {
    const char *name; /* of the method, or of a preset of it */
    const struct series_set *set;
    struct alarm_spec spec;
    struct alarm_series *series; /* one a group */
    struct alarm_point **point;  /* of each group, from .. n-1 */
};
/* Everything in the arena. Errors: ERR_INVALID (naming the group), ERR_NOMEM, ERR_LIMIT,
 * ERR_TIMEOUT. */
enum err_code alarm_answer(struct arena *a, const struct num_run *run, const struct series_set *set,
                           const struct alarm_spec *spec, const struct alarm_when *when,
                           struct alarm_answer *out, struct err *err) NODISCARD;
/* How the method did on labelled groups: one group, or all together (group SIZE_MAX). */
void alarm_answer_score(const struct alarm_answer *a, size_t group, struct alarm_score *out);
size_t alarm_answer_alarms(const struct alarm_answer *a, size_t group);
#endif
