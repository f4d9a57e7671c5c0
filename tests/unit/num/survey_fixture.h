/* Expected values by R 4.2.2, package survey 4.1.1, on made-up data (make_survey_fixture.R). */
#ifndef SURVEY_FIXTURE_H
#define SURVEY_FIXTURE_H
enum { FIXTURE_UNITS = 1500, FIXTURE_ANSWERS = 747 };
/* weights(rake(...)) of the first answers, scaled to a mean of 1 */
static const double fixture_weight[] = {
    0.46858106433140395, 1.2910606240238749,  1.293452272542847,  1.4873608382643209,
    0.20617624554901751, 2.586904545085694,   1.6400968751050791, 0.71818901673566415,
    1.0611475522068636,  0.82004843755253953, 2.2415340145161755, 0.31600405209796251};
/* svymean: all, women */
static const double fixture_mean[] = {0.77739009752937882, 0.82999042532798906};
static const double fixture_se[] = {0.017495986879782825, 0.024541529735362284};
/* svyby: area 0 to 4 */
static const double fixture_area_mean[] = {0.61526209364715323, 0.70819592145193688,
                                           0.75424507394525209, 0.83969837102308376,
                                           0.950876694561547};
static const double fixture_area_se[] = {0.043114973736464807, 0.040633690221247527,
                                         0.039458717515569813, 0.032683513710001146,
                                         0.016473002665060115};
/* n * sum(w^2) / sum(w)^2 of all */
static const double fixture_effect[] = {1.3286511993040184};
#endif
