/* domain/measure/survey_take.h - one wave of a survey: rows of drawn people become shares by area
 * and question, kept in the ledger with what they rest on. The rows themselves are not kept. */
#ifndef DOMAIN_MEASURE_SURVEY_TAKE_H
#define DOMAIN_MEASURE_SURVEY_TAKE_H
#include "domain/grid/grid.h"
#include "domain/measure/survey_def.h"
#include "num/survey/survey.h"

/* One entry a drawn person or number. */
struct survey_rows {
    size_t n;
    const int *area;              /* index in the grid, at or below the level drawn by */
    const unsigned char *outcome; /* enum survey_outcome */
    const double *design;
    const int16_t *value;  /* n x strata: number of the value, -1 not known; of those who
                                  answered all are known */
    const int16_t *answer; /* n x questions: number of the answer, -1 none */
};
/* What is told of one area and question. */
struct survey_told {
    const struct grid_area *area;
    size_t drawn;
    struct survey_rates rates;
    struct survey_share share; /* 0..1 */
    bool told;                 /* false: fewer than SURVEY_FLOOR answers, or it could be had by
                                  subtracting */
    bool enough;               /* it says something: effective answers and width of the interval */
};
struct survey_result {
    const struct survey_def *def;
    char wave[PERIOD_TEXT];
    size_t count[SURVEY_N_OUTCOMES];
    struct survey_rates rates;
    struct survey_weights weights;
    double effect;            /* Kish's, of all answers */
    size_t n_drawn, n_frame;  /* areas that were drawn by, and all of that level */
    size_t n_areas;           /* told of, by level and code */
    struct survey_told *told; /* n_questions x n_areas */
};
/* Weights and shares. The frame's figures are read for the wave. Arena-owned, borrows from the
 * grid. Errors: ERR_INVALID nobody answered, the frame has no figure for an area; ERR_NUMERIC. */
enum err_code survey_form(const struct survey_def *d, const struct period *wave,
                          const struct grid *g, struct db *db, const struct survey_rows *rows,
                          struct arena *a, struct survey_result *out, struct err *err) NODISCARD;

enum survey_change { SURVEY_NEW = 1, SURVEY_UNCHANGED, SURVEY_RESTATED };
struct survey_put {
    const struct survey_result *result;
    const char *file_hash; /* over the records of the table, in hexadecimal; NULL: no table */
    bool dry_run;
    enum survey_change change; /* out */
    size_t n_changed;          /* out: shares that differ from what stood there */
};
/* apply of a command: the wave, its shares, and the figures they feed (per cent; the denominator is
 * the effective number of answers). Errors: ERR_CONFLICT when a share that stood there is not
 * among the new ones: a wave is given whole. */
enum err_code survey_put_apply(struct tx *tx, void *arg, struct err *err) NODISCARD;
#endif
