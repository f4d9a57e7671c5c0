/* Expected values by R 4.2.2, package survival 3.5-3, on made-up data (60 rows, 20 assets of three
 * rows each with late entry, ties, strata and weights). The call stands above each block. */
#ifndef SURVIVAL_FIXTURE_H
#define SURVIVAL_FIXTURE_H
enum { FIXTURE_N = 60 };
static const double fixture_id[] = {1,  1,  1,  2,  2,  2,  3,  3,  3,  4,  4,  4,  5,  5,  5,
                                    6,  6,  6,  7,  7,  7,  8,  8,  8,  9,  9,  9,  10, 10, 10,
                                    11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15,
                                    16, 16, 16, 17, 17, 17, 18, 18, 18, 19, 19, 19, 20, 20, 20};
static const double fixture_start[] = {1, 5, 9, 0, 4, 10, 1, 5, 10, 0, 5, 10, 1, 4, 10,
                                       0, 5, 9, 0, 5, 9,  0, 4, 9,  0, 5, 10, 1, 5, 10,
                                       1, 4, 9, 0, 4, 10, 0, 4, 10, 0, 4, 9,  0, 4, 10,
                                       1, 5, 9, 0, 4, 10, 0, 4, 10, 0, 5, 9,  0, 5, 10};
static const double fixture_stop[] = {4, 9, 14, 4, 9, 17, 4, 9, 14, 4, 9, 18, 4, 9, 14,
                                      4, 9, 16, 4, 9, 17, 4, 9, 16, 4, 9, 17, 4, 9, 17,
                                      4, 9, 14, 4, 9, 13, 4, 9, 18, 4, 9, 12, 4, 9, 13,
                                      4, 9, 15, 4, 9, 15, 4, 9, 14, 4, 9, 17, 4, 9, 17};
static const double fixture_event[] = {0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1,
                                       1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0,
                                       1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0};
static const double fixture_x1[] = {
    3.5, 1.5, 3,   5,   3.5, 3.5, 1,   4.5, 3.5, 4,   3.5, 1.5, 4,   1,   3, 1,   1, 4,   4.5, 4,
    0.5, 2.5, 3.5, 2,   1.5, 2,   4.5, 4.5, 2,   2,   4,   1,   1,   1.5, 2, 2.5, 5, 2.5, 4,   1,
    2,   4.5, 4,   1.5, 2.5, 4,   3.5, 0.5, 3,   0.5, 3.5, 2,   3.5, 1.5, 2, 2,   2, 4.5, 2,   0};
static const double fixture_x2[] = {0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0,
                                    0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1,
                                    1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1};
static const double fixture_st[] = {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1,
                                    1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2,
                                    2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2};
static const double fixture_w[] = {3, 1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 3, 1, 1, 1, 3, 2, 2, 2, 1,
                                   3, 2, 2, 2, 1, 1, 2, 2, 3, 2, 1, 3, 3, 3, 1, 1, 3, 3, 2, 2,
                                   3, 3, 2, 3, 2, 2, 3, 3, 1, 1, 1, 1, 3, 2, 1, 1, 1, 3, 3, 2};
static const double fixture_num[] = {1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2,
                                     3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1,
                                     2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3};

/* coxph(Surv(start, stop, event) ~ x1 + x2, ties = 'efron', cluster = id) */
static const double ag_coef[] = {0.28806273272634275, -0.11870018352321159};
static const double ag_se[] = {0.16349257086926869, 0.43417810040870053};
static const double ag_robust[] = {0.14421685772355244, 0.34003378245481958};
static const double ag_loglik[] = {-65.563364639945405, -63.541224193493299};
static const double ag_concordance[] = {0.64685314685314688};
/* cox.zph of it without cluster: chisq x1, x2, GLOBAL */
static const double ag_zph[] = {2.4723792513915077, 2.6326740812990219, 6.8995490316646997};

/* coxph(... + strata(st), ties = 'breslow', cluster = id) */
static const double strat_coef[] = {0.25747440735686727, -0.17785985435252724};
static const double strat_se[] = {0.1777638373741687, 0.43589211704450237};
static const double strat_robust[] = {0.12985612930695825, 0.29706821772546504};
static const double strat_loglik[] = {-52.245878653430587, -50.737255058131396};
static const double strat_concordance[] = {0.62676056338028174};

/* coxph(... + strata(st), ties = 'efron', weights = w, robust = FALSE) */
static const double weighted_coef[] = {0.30981999683732864, -0.21639841618762407};
static const double weighted_se[] = {0.131808496826016, 0.34062958431382312};
static const double weighted_loglik[] = {-119.25897419142396, -115.39056941275487};
static const double weighted_concordance[] = {0.6497975708502024};

/* coxph(Surv(stop - start, event) ~ x1 + x2 + strata(num), ties = 'efron', cluster = id) */
static const double pwp_coef[] = {0.3446366224480979, -0.22334967570815545};
static const double pwp_se[] = {0.16516944627177801, 0.43245524828197834};
static const double pwp_robust[] = {0.14052031266760262, 0.32377970789394978};
static const double pwp_loglik[] = {-62.26106636216052, -59.138366213886513};
static const double pwp_concordance[] = {0.65671641791044777};
/* cox.zph of it without cluster */
static const double pwp_zph[] = {0.65072400336185965, 0.11259233584154028, 0.73457647520004055};
/* basehaz(pwp, centered = FALSE): last cumulative hazard of each stratum */
static const double pwp_base[] = {0.25630707413034259, 0.32799237198932346, 0.84773843407865945};
/* residuals(ag, 'martingale')[1:6] */
static const double ag_martingale[] = {-0.67426567300528806, 0.82090824561361875,
                                       0.79063163591646957,  0.48472398187925947,
                                       -0.59937173968483259, 0.1671466722816537};

/* coxph(Surv(start, stop, event) ~ x1 + x2, weights = w, cluster = id) */
static const double agw_coef[] = {0.26348820084837188, -0.15434708748658785};
static const double agw_se[] = {0.11788107363417778, 0.33125631528963978};
static const double agw_robust[] = {0.17049549187235893, 0.39686431992557086};
static const double agw_loglik[] = {-147.38907571030629, -143.98643034089028};
static const double agw_concordance[] = {0.65234765234765235};

/* survfit(Surv(start, stop, event) ~ 1, conf.type = 'log-log'), rows with events */
static const double km_time[] = {4, 9, 13, 14, 15, 16, 17, 18};
static const double km_risk[] = {20, 20, 19, 17, 12, 10, 8, 2};
static const double km_surv[] = {
    0.55000000000000004, 0.35750000000000004, 0.31986842105263164, 0.28223684210526317,
    0.25871710526315789, 0.2328453947368421,  0.17463404605263158, 0};
static const double km_se[] = {
    0.11124297730643495,  0.093109478572269977, 0.087027796623764697, 0.080754888177571607,
    0.077374588784641984, 0.073835904047906201, 0.065858291634839417, 0};
static const double km_lower[] = {
    0.31339998551885617, 0.18459703002886613, 0.16205908753977968,  0.13935861165152841,
    0.12420866696196042, 0.10726581565582113, 0.069571537387011564, 0};
static const double km_upper[] = {
    0.73488720777498184, 0.53460560656077438, 0.48970448283997098, 0.44396140864817424,
    0.41628483309458764, 0.38619827812112273, 0.31901754246793679, 0};
static const double km_cumhaz[] = {0.45000000000000001, 0.80000000000000004, 0.90526315789473688,
                                   1.0229102167182662,  1.1062435500515995,  1.2062435500515996,
                                   1.4562435500515996,  2.4562435500515996};
static const double km_cumhaz_se[] = {0.14999999999999999, 0.20000000000000001, 0.21340142034435045,
                                      0.22904275022340184, 0.24373146262709725, 0.26344833625275393,
                                      0.31726176238926762, 0.77501937128974008};
/* survdiff(Surv(stop, event) ~ x2 + strata(st)) on rows with num 1 */
static const double logrank[] = {0.66212534059945571, 3, 6, 3.8999999999999999, 5.0999999999999996};
/* mean cumulative function and its robust error: survfit(..., cluster = id) cumhaz; error by
 * definition in R */
static const double mcf_value[] = {0.45000000000000001, 0.80000000000000004, 0.90526315789473688,
                                   1.0229102167182662,  1.1062435500515995,  1.2062435500515996,
                                   1.4562435500515996,  2.4562435500515996};
static const double mcf_se[] = {0.11124297730643494, 0.15165750888103102, 0.14016683454907719,
                                0.18171248229423428, 0.20363816021464759, 0.20849100770922108,
                                0.29267046365427185, 0.29267046365427191};
static const double mcf_se_def[] = {0.11124297730643495, 0.15165750888103102, 0.14016683454907719,
                                    0.18171248229423426, 0.20363816021464756, 0.20849100770922105,
                                    0.29267046365427185, 0.29267046365427185};
static const double life_low[] = {3, 5, 2, 8,  1,  6, 4, 9,  12, 7, 0,  0, 2,
                                  3, 5, 1, 10, 15, 6, 2, 11, 4,  8, 13, 3, 9};
static const double life_high[] = {3, 5, 2, 8,  1,  6,  4,  9,  12, 7, 4,  6, 5,
                                   8, 9, 3, -1, -1, -1, -1, 11, 4,  8, 13, 7, -1};
static const double life_x[] = {1, 0, 2, 1, 3, 0, 2, 1, 0, 1, 3, 2, 1,
                                2, 0, 3, 0, 1, 1, 2, 0, 3, 1, 0, 2, 1};
/* survreg(Surv(low, high, type = 'interval2') ~ x, dist = 'weibull'): coefficients, errors (log
 * scale last), loglik null and full */
static const double life_weibull[] = {
    2.5819479299810864, -0.50722168298481751, -0.80353147023061755, 0.17131061570312731,
    0.1097252720909755, 0.17726381097133587,  -51.905340016192298,  -44.393964555984631};
/* survreg(Surv(low, high, type = 'interval2') ~ x, dist = 'exponential'): coefficients, errors (log
 * scale last), loglik null and full */
static const double life_exponential[] = {
    2.6700256385932621, -0.59408217298454091, 0, 0.3688056088014372, 0.22638940599764679,
    -54.59715452022887, -51.386848400945993};
/* survreg(Surv(low, high, type = 'interval2') ~ x, dist = 'lognormal'): coefficients, errors (log
 * scale last), loglik null and full */
static const double life_lognormal[] = {
    2.3754836041264862,  -0.53230411647916476, -0.67939914148183711, 0.16749794544434624,
    0.10829834784033951, 0.16669838496639464,  -52.021335350351947,  -43.226460526061125};
/* survreg(Surv(low, high, type = 'interval2') ~ x, dist = 'loglogistic'): coefficients, errors (log
 * scale last), loglik null and full */
static const double life_loglogistic[] = {
    2.3781148843858966,  -0.52399536210156594, -1.2115872101960465, 0.1682248682772246,
    0.11625412388166088, 0.19125629548922365,  -52.131922408706515, -43.594927355726021};
/* survreg(Surv(low, exact) ~ x, dist = 'weibull', cluster = rep(1:13, 2)) on exact and
 * right-censored rows: robust errors */
static const double life_robust[] = {0.22792953847206066, 0.14804954530702233, 0.29702544589180058};
/* All rows: sandwich from the likelihood written out in R, scores by differences (survreg's own
 * robust errors take an approximation for intervals) */
static const double life_sandwich[] = {0.20960448688736369, 0.12960978394545405,
                                       0.24556540039199529};
/* Weibull with late entry max(0, low - 2) of exact and right-censored rows: optim() on the
 * likelihood written out in R: coefficients, log scale, errors, loglik */
static const double life_entry[] = {1, 3, 0, 6, 0,  4, 2, 7, 10, 5, 0,  0, 0,
                                    0, 0, 0, 8, 13, 4, 0, 9, 2,  6, 11, 0, 7};
static const double life_late[] = {1.9619493215020527,  -0.33250038983931457, -0.60943613033753097,
                                   0.26421081949332414, 0.13382198939583578,  0.20662204724063105,
                                   -31.281413705470207};
#endif
