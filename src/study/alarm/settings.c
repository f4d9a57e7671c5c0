#include "study/alarm/settings.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum kind { NUMBER, WHOLE, WORD, YES_NO };
enum {
    C12 = 1 << ALARM_C1 | 1 << ALARM_C2,
    C3 = 1 << ALARM_C3,
    EARS = C12 | C3,
    OLD = 1 << ALARM_CLASSIC,
    FLEX = 1 << ALARM_FLEXIBLE,
    REG = OLD | FLEX,
    CUSUM = 1 << ALARM_CUSUM,
    LR = 1 << ALARM_LR,
    GLR = 1 << ALARM_GLR,
    SUMS = CUSUM | LR | GLR,
    BAYES = 1 << ALARM_BAYES,
    EWMA = 1 << ALARM_EWMA
};

struct setting {
    const char *name;
    enum kind kind;
    size_t at;      /* member of struct alarm_spec */
    unsigned known; /* methods that know it, bits */
    const char *value, *help;
    const char *const *words; /* WORD: in the order of the enumeration, NULL at the end */
};

static const char *const power_words[] = {"1", "1/2", "2/3", NULL};
static const char *const threshold_words[] = {"delta", "nbPlugin", "muan", NULL};
static const char *const error_words[] = {"pearson", "relative", NULL};
static const char *const transform_words[] = {
    "standard",      "rossi",          "anscombe", "anscombe2nd",
    "pearsonNegBin", "anscombeNegBin", "none",     NULL};

#define AT(member) offsetof(struct alarm_spec, member)
static const struct setting rows[] = {
    {"alpha", NUMBER, AT(alpha), EARS | REG | BAYES, "P", "chance of a false alarm at a date",
     NULL},
    {"baseline", WHOLE, AT(baseline), EARS, "N", "steps in the baseline", NULL},
    {"guard", WHOLE, AT(guard), EARS, "N", "steps left out before the newest", NULL},
    {"min-sigma", NUMBER, AT(min_sigma), EARS, "S", "least standard deviation", NULL},
    {"published", YES_NO, AT(published), C3, "yes|no",
     "C3 as published, not as package surveillance", NULL},
    {"years", WHOLE, AT(years), REG | BAYES, "N", "years back", NULL},
    {"half-window", WHOLE, AT(half_window), REG | BAYES, "N", "weeks on each side", NULL},
    {"reweight", YES_NO, AT(reweight), REG, "yes|no", "weigh past outbreaks down", NULL},
    {"weights-threshold", NUMBER, AT(weights_threshold), REG, "S",
     "residual above which a past week is weighed down", NULL},
    {"trend", YES_NO, AT(trend), REG, "yes|no", "try a trend", NULL},
    {"trend-p", NUMBER, AT(trend_p), REG, "P", "keep a trend below this p-value; 1: no test", NULL},
    {"limit-cases", WHOLE, AT(limit_cases), REG, "N", "no alarm with fewer cases than this ...",
     NULL},
    {"limit-weeks", WHOLE, AT(limit_weeks), REG, "N", "... in this many weeks", NULL},
    {"power", WORD, AT(power), REG, "1|1/2|2/3", "scale of the delta bound", power_words},
    {"periods", WHOLE, AT(periods), FLEX, "N",
     "periods of the year; 1: only the weeks of the season", NULL},
    {"left-out", WHOLE, AT(weeks_left_out), FLEX, "N", "newest weeks not in the baseline", NULL},
    {"threshold", WORD, AT(threshold), FLEX, "NAME", "delta, nbPlugin or muan", threshold_words},
    {"errors", WORD, AT(error), FLEX, "NAME", "relative (as package surveillance) or pearson",
     error_words},
    {"population-offset", YES_NO, AT(population_offset), FLEX, "yes|no",
     "counts go with population", NULL},
    {"by-date", YES_NO, AT(by_date), REG | BAYES, "yes|no",
     "past years by calendar date, not by 52 weeks", NULL},
    {"current-year", YES_NO, AT(current_year), BAYES, "yes|no", "the weeks just before count too",
     NULL},
    {"k", NUMBER, AT(k), CUSUM, "K", "reference value", NULL},
    {"h", NUMBER, AT(h), SUMS, "H", "decision limit", NULL},
    {"transform", WORD, AT(transform), CUSUM, "NAME",
     "standard, rossi, anscombe, anscombe2nd, pearsonNegBin, anscombeNegBin, none",
     transform_words},
    {"dispersion", NUMBER, AT(dispersion), SUMS, "A", "variance = m + A m^2; 0: Poisson", NULL},
    {"shift", NUMBER, AT(shift), LR, "S", "log of the rise to be found", NULL},
    {"look-back", WHOLE, AT(look_back), GLR, "N", "steps looked back; 0: all since the last alarm",
     NULL},
    {"mean", NUMBER, AT(mean), SUMS | EWMA, "M", "in-control mean; 0: of the dates before", NULL},
    {"lambda", NUMBER, AT(lambda), EWMA, "L", "weight of the newest count", NULL},
    {"width", NUMBER, AT(width), EWMA, "W", "standard errors to the limit", NULL},
    {"normal", YES_NO, AT(normal), EWMA, "yes|no", "spread from the past, not Poisson", NULL},
    {"weekday-weeks", WHOLE, AT(weekday_weeks), EARS | SUMS | BAYES | EWMA, "N",
     "even out weekdays by factors of the last N weeks (days only)", NULL}};
enum { N_ROWS = sizeof rows / sizeof rows[0] };
_Static_assert((int)N_ROWS <= (int)SETTINGS_MAX, "room for every setting");

void settings_init(struct settings *s) {
    *s = (struct settings){0};
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        s->number[i] = NAN;
        s->whole[i] = -1;
    }
}

size_t settings_options(struct settings *s, struct opt *out) {
    for (size_t i = 0; i < N_ROWS; i++) {
        out[i] =
            (struct opt){rows[i].name, OPT_STR, &s->word[i], false, rows[i].value, rows[i].help};
        if (rows[i].kind == NUMBER) {
            out[i].kind = OPT_DOUBLE;
            out[i].out = &s->number[i];
        } else if (rows[i].kind == WHOLE) {
            out[i].kind = OPT_INT;
            out[i].out = &s->whole[i];
        }
    }
    return N_ROWS;
}

const char *settings_methods(void) {
    return "c1, c2, c3, farrington, farrington-flexible, cusum, lr, glr, bayes (or bayes1, bayes2, "
           "bayes3), ewma";
}

static bool given(const struct settings *s, size_t i) {
    if (rows[i].kind == NUMBER) return !isnan(s->number[i]);
    if (rows[i].kind == WHOLE) return s->whole[i] != -1;
    return s->word[i] != NULL;
}

static enum err_code not_one_of(size_t i, const char *found, struct err *err) {
    return err_fail(err, ERR_INVALID, "--%s: expected %s, found \"%.60s\"", rows[i].name,
                    rows[i].kind == YES_NO ? "yes or no" : rows[i].help, found);
}

static enum err_code put_word(const struct settings *s, size_t i, char *member, struct err *err) {
    const char *w = s->word[i];
    if (rows[i].kind == YES_NO) {
        bool yes = strcmp(w, "yes") == 0;
        if (!yes && strcmp(w, "no") != 0) return not_one_of(i, w, err);
        memcpy(member, &yes, sizeof yes);
        return ERR_OK;
    }
    for (unsigned k = 0; rows[i].words[k] != NULL; k++) {
        if (strcmp(rows[i].words[k], w) != 0) continue;
        memcpy(member, &k, sizeof k);
        return ERR_OK;
    }
    return not_one_of(i, w, err);
}

static enum err_code put(const struct settings *s, size_t i, struct alarm_spec *spec,
                         struct err *err) {
    char *member = (char *)spec + rows[i].at;
    if (rows[i].kind == NUMBER) {
        memcpy(member, &s->number[i], sizeof(double));
    } else if (rows[i].kind == WHOLE) {
        size_t n = (size_t)s->whole[i];
        if (s->whole[i] < 0)
            return err_fail(err, ERR_INVALID, "--%s: expected 0 or more", rows[i].name);
        memcpy(member, &n, sizeof n);
    } else {
        return put_word(s, i, member, err);
    }
    return ERR_OK;
}

static enum err_code usual(const char *method, struct alarm_spec *out, struct err *err) {
    static const char *const presets[] = {"bayes1", "bayes2", "bayes3"};
    for (size_t k = 0; k < 3; k++) {
        if (strcmp(method, presets[k]) != 0) continue;
        alarm_spec_default(ALARM_BAYES, out);
        out->years = k;
        out->half_window = k < 2 ? 6 : 4;
        out->current_year = k < 2;
        return ERR_OK;
    }
    enum alarm_method m = alarm_method_find(method);
    if (m == ALARM_N_METHODS)
        return err_fail(err, ERR_INVALID, "--method \"%.40s\": expected one of %s", method,
                        settings_methods());
    alarm_spec_default(m, out);
    return ERR_OK;
}

enum err_code settings_spec(const struct settings *s, const char *method, bool calendar,
                            struct alarm_spec *out, struct err *err) {
    TRY(usual(method, out, err));
    if (!calendar) out->by_date = false;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (given(s, i) && (rows[i].known >> out->method & 1) != 0) TRY(put(s, i, out, err));
    }
    struct err inner = {0};
    enum err_code rc = alarm_spec_check(out, &inner);
    if (rc != ERR_OK) return err_fail(err, rc, "%s: --%s", method, inner.detail);
    return ERR_OK;
}

enum err_code settings_all_used(const struct settings *s, const struct alarm_spec *specs, size_t n,
                                struct err *err) {
    unsigned methods = 0;
    for (size_t k = 0; k < n; k++) methods |= 1u << specs[k].method;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (given(s, i) && (rows[i].known & methods) == 0)
            return err_fail(err, ERR_INVALID, "--%s means nothing to %s", rows[i].name,
                            n == 1 ? alarm_method_name(specs[0].method) : "these methods");
    }
    return ERR_OK;
}

static void tell(const struct setting *row, const struct alarm_spec *spec, struct jw *w) {
    const char *member = (const char *)spec + row->at;
    double number = 0;
    size_t whole = 0;
    unsigned word = 0;
    bool yes = false;
    switch (row->kind) {
    case NUMBER:
        memcpy(&number, member, sizeof number);
        jw_double(w, number);
        break;
    case WHOLE:
        memcpy(&whole, member, sizeof whole);
        jw_int(w, (int64_t)whole);
        break;
    case WORD:
        memcpy(&word, member, sizeof word);
        jw_str(w, row->words[word]);
        break;
    case YES_NO:
        memcpy(&yes, member, sizeof yes);
        jw_bool(w, yes);
        break;
    }
}

void settings_json(const struct alarm_spec *spec, struct jw *w) {
    jw_obj(w);
    for (size_t i = 0; i < N_ROWS; i++) {
        char key[32];
        if ((rows[i].known >> spec->method & 1) == 0) continue;
        (void)snprintf(key, sizeof key, "%s", rows[i].name);
        for (char *c = key; *c != '\0'; c++)
            if (*c == '-') *c = '_';
        jw_key(w, key);
        tell(&rows[i], spec, w);
    }
    jw_end(w, '}');
}
