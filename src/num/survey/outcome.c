#include <math.h>
#include <string.h>

#include "num/survey/survey.h"

static const char *const names[SURVEY_N_OUTCOMES] = {
    "completed", "partial", "refused", "no_contact", "other", "unknown", "not_eligible"};

const char *survey_outcome_name(enum survey_outcome o) { return names[o]; }

int survey_outcome_parse(const char *word) {
    for (int i = 0; i < SURVEY_N_OUTCOMES; i++)
        if (strcmp(names[i], word) == 0) return i;
    return -1;
}

static double part(double of, double all) { return all > 0 ? of / all : NAN; }

struct survey_rates survey_rates_of(const size_t count[SURVEY_N_OUTCOMES]) {
    double completed = (double)count[SURVEY_COMPLETED], partial = (double)count[SURVEY_PARTIAL];
    double refused = (double)count[SURVEY_REFUSED], other = (double)count[SURVEY_OTHER];
    double met = completed + partial + refused + other;
    double all = met + (double)count[SURVEY_NO_CONTACT] + (double)count[SURVEY_UNKNOWN];
    return (struct survey_rates){part(completed, all), part(completed, met), part(met, all),
                                 part(refused, all)};
}
