/* domain/measure/survey_def.h - what a survey of residents asks, whom, and how its answers are
 * weighted, from the folder "surveys" of the packs. Immutable. docs/statistics/survey.md tells the
 * format and the method. */
#ifndef DOMAIN_MEASURE_SURVEY_DEF_H
#define DOMAIN_MEASURE_SURVEY_DEF_H
#include "domain/measure/period.h"
#include "domain/pack/pack.h"

enum {
    SURVEY_MAX_STRATA = 8,
    SURVEY_MAX_VALUES = 40, /* of a stratum */
    SURVEY_MAX_QUESTIONS = 40,
    SURVEY_MAX_ANSWERS = 20,
    SURVEY_FLOOR = 10 /* fewer answers are joined in weighting and not told */
};
/* What the weighted answers are brought to: sex, age band. The shares add up to 1. */
struct survey_value {
    const char *name;
    struct text title;
    double share;
};
struct survey_stratum {
    const char *name;
    struct text title;
    const struct survey_value *value; /* in order: neighbours may be joined */
    size_t n_values;
};
struct survey_answer {
    const char *name;
    struct text title;
    int counts; /* 1 counts for the share, 0 against, -1 neither (does not know) */
};
struct survey_question {
    const char *name;
    struct text title, text; /* text: as it is read out */
    const struct survey_answer *answer;
    size_t n_answers;
    const struct indicator_def *feeds; /* of measure figure, in per cent; NULL: none */
};
struct survey_def {
    const char *name, *file, *pack, *owner;
    struct text title, population; /* population: whom it speaks of */
    int64_t version;
    int level;       /* enum area_level: where samples are drawn */
    unsigned levels; /* bit per enum area_level: for which areas shares are told */
    unsigned waves;  /* bit per enum period_kind */
    const struct indicator_def *frame; /* figure: people by area; NULL: areas are not weighted */
    double trim;                       /* see num/survey */
    double enough;                     /* fewest effective answers that say anything */
    double widest;                     /* widest interval that does, in per cent points */
    const struct survey_stratum *stratum;
    size_t n_strata;
    const struct survey_question *question;
    size_t n_questions;
};
struct survey_set {
    const struct survey_def *survey;
    size_t n; /* by name */
};
/* Reads the documents of the packs. Arena-owned. Errors: ERR_INVALID naming file and line;
 * ERR_REFUSED for a stratum or question that stands for what Gezhi refuses. */
enum err_code survey_load(struct arena *a, const struct pack_set *packs,
                          const struct survey_set **out, struct err *err) NODISCARD;
const struct survey_def *survey_find(const struct survey_set *s, const char *name);
#endif
