/* Special functions and distributions against 60-digit values (reference_core.csv names its
 * source). */
#include "../base/testing.h"

#include <math.h>
#include <stdio.h>

#include "num/core/dist.h"
#include "num/core/special.h"

static double lower_t(const double *a) { return num_t_p(a[0], a[1], true); }
static double upper_t(const double *a) { return num_t_p(a[0], a[1], false); }
static double lower_f(const double *a) { return num_f_p(a[0], a[1], a[2], true); }
static double upper_f(const double *a) { return num_f_p(a[0], a[1], a[2], false); }
static double lower_norm(const double *a) { return num_norm_p(a[0], true); }
static double upper_norm(const double *a) { return num_norm_p(a[0], false); }
static double lower_beta(const double *a) { return num_beta_p(a[0], a[1], a[2], true); }
static double upper_beta(const double *a) { return num_beta_p(a[0], a[1], a[2], false); }
static double gamma_p(const double *a) { return num_gamma_p(a[0], a[1]); }
static double gamma_q(const double *a) { return num_gamma_q(a[0], a[1]); }
static double log_gamma(const double *a) { return num_log_gamma(a[0]); }
static double digamma(const double *a) { return num_digamma(a[0]); }
static double trigamma(const double *a) { return num_trigamma(a[0]); }
static double log_beta(const double *a) { return num_log_beta(a[0], a[1]); }
static double log1p_exp(const double *a) { return num_log1p_exp(a[0]); }
static double pois_d(const double *a) { return num_pois_d(a[0], a[1], false); }
static double pois_ld(const double *a) { return num_pois_d(a[0], a[1], true); }
static double lower_pois(const double *a) { return num_pois_p(a[0], a[1], true); }
static double upper_pois(const double *a) { return num_pois_p(a[0], a[1], false); }
static double binom_d(const double *a) { return num_binom_d(a[0], a[1], a[2], false); }
static double binom_ld(const double *a) { return num_binom_d(a[0], a[1], a[2], true); }
static double lower_binom(const double *a) { return num_binom_p(a[0], a[1], a[2], true); }
static double upper_binom(const double *a) { return num_binom_p(a[0], a[1], a[2], false); }
static double nbinom_d(const double *a) { return num_nbinom_d(a[0], a[1], a[2], false); }
static double nbinom_ld(const double *a) { return num_nbinom_d(a[0], a[1], a[2], true); }
static double lower_nbinom(const double *a) { return num_nbinom_p(a[0], a[1], a[2], true); }
static double upper_nbinom(const double *a) { return num_nbinom_p(a[0], a[1], a[2], false); }
static double lower_weibull(const double *a) { return num_weibull_p(a[0], a[1], a[2], true); }
static double upper_weibull(const double *a) { return num_weibull_p(a[0], a[1], a[2], false); }
static double lower_gumbel(const double *a) { return num_gumbel_p(a[0], a[1], a[2], true); }
static double upper_gumbel(const double *a) { return num_gumbel_p(a[0], a[1], a[2], false); }
static double norm_ql(const double *a) { return num_norm_q(a[0], true); }
static double norm_qu(const double *a) { return num_norm_q(a[0], false); }
static double t_ql(const double *a) { return num_t_q(a[0], a[1], true); }
static double t_qu(const double *a) { return num_t_q(a[0], a[1], false); }
static double gamma_ql(const double *a) { return num_gamma_dist_q(a[0], a[1], a[2], true); }
static double gamma_qu(const double *a) { return num_gamma_dist_q(a[0], a[1], a[2], false); }
static double beta_ql(const double *a) { return num_beta_q(a[0], a[1], a[2], true); }
static double beta_qu(const double *a) { return num_beta_q(a[0], a[1], a[2], false); }

/* rtol: the contract of the headers. atol: log_beta is near 0 near (1, 1); the lower tail of a
 * rounded argument is not worse than its own rounding. */
struct function {
    const char *name;
    double (*f)(const double *a);
    double rtol;
    double worst;
    size_t n;
};
static struct function functions[] = {
    {"lgamma", log_gamma, 1e-12, 0, 0},
    {"digamma", digamma, 1e-12, 0, 0},
    {"trigamma", trigamma, 1e-12, 0, 0},
    {"lbeta", log_beta, 1e-12, 0, 0},
    {"log1pexp", log1p_exp, 1e-12, 0, 0},
    {"gamma_p", gamma_p, 1e-12, 0, 0},
    {"gamma_q", gamma_q, 1e-12, 0, 0},
    {"beta_p", lower_beta, 1e-12, 0, 0},
    {"beta_u", upper_beta, 1e-12, 0, 0},
    {"norm_p", lower_norm, 1e-12, 0, 0},
    {"norm_u", upper_norm, 1e-12, 0, 0},
    {"t_p", lower_t, 1e-12, 0, 0},
    {"t_u", upper_t, 1e-12, 0, 0},
    {"f_p", lower_f, 1e-12, 0, 0},
    {"f_u", upper_f, 1e-12, 0, 0},
    {"pois_d", pois_d, 1e-12, 0, 0},
    {"pois_ld", pois_ld, 1e-12, 0, 0},
    {"pois_p", lower_pois, 1e-12, 0, 0},
    {"pois_u", upper_pois, 1e-12, 0, 0},
    {"binom_d", binom_d, 1e-12, 0, 0},
    {"binom_ld", binom_ld, 1e-12, 0, 0},
    {"binom_p", lower_binom, 1e-12, 0, 0},
    {"binom_u", upper_binom, 1e-12, 0, 0},
    {"nbinom_d", nbinom_d, 1e-12, 0, 0},
    {"nbinom_ld", nbinom_ld, 1e-12, 0, 0},
    {"nbinom_p", lower_nbinom, 1e-12, 0, 0},
    {"nbinom_u", upper_nbinom, 1e-12, 0, 0},
    {"weibull_p", lower_weibull, 1e-12, 0, 0},
    {"weibull_u", upper_weibull, 1e-12, 0, 0},
    {"gumbel_p", lower_gumbel, 1e-12, 0, 0},
    {"gumbel_u", upper_gumbel, 1e-12, 0, 0},
    {"norm_ql", norm_ql, 1e-10, 0, 0},
    {"norm_qu", norm_qu, 1e-10, 0, 0},
    {"t_ql", t_ql, 1e-10, 0, 0},
    {"t_qu", t_qu, 1e-10, 0, 0},
    {"gamma_ql", gamma_ql, 1e-10, 0, 0},
    {"gamma_qu", gamma_qu, 1e-10, 0, 0},
    {"beta_ql", beta_ql, 1e-10, 0, 0},
    {"beta_qu", beta_qu, 1e-10, 0, 0},
};
enum { N_FUNCTIONS = sizeof functions / sizeof functions[0] };

static struct function *named(const char *name, size_t n) {
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (strlen(functions[i].name) == n && memcmp(functions[i].name, name, n) == 0)
            return &functions[i];
    fail_msg("no function %.*s", (int)n, name);
    return NULL;
}

static int check_row(const char *line) {
    const char *p = strchr(line, ',');
    assert_non_null(p);
    struct function *f = named(line, (size_t)(p - line));
    double a[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < 4; i++) {
        char *end;
        a[i] = strtod(p + 1, &end);
        p = end == p + 1 ? p + 2 : end; /* "-": no such argument */
        assert_int_equal(*p, ',');
    }
    double want = strtod(p + 1, NULL), got = f->f(a);
    double off = fabs(got - want) / (want == 0 ? 1 : fabs(want));
    if (off > f->worst) f->worst = off;
    f->n++;
    if (off <= f->rtol) return 0;
    printf("%s(%.17g, %.17g, %.17g) = %.17g, expected %.17g, off %.2g\n", f->name, a[0], a[1], a[2],
           got, want, off);
    return 1;
}

static void reference_values(void **state) {
    (void)state;
    FILE *in = fopen(SOURCE_DIR "/tests/unit/num/reference_core.csv", "re");
    assert_non_null(in);
    char line[512];
    int bad = 0;
    while (fgets(line, sizeof line, in) != NULL)
        if (line[0] != '#') bad += check_row(line);
    assert_int_equal(fclose(in), 0);
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        printf("digits core %s %.1f of %zu values\n", functions[i].name,
               functions[i].worst == 0 ? 16.0 : fmin(16, -log10(functions[i].worst)),
               functions[i].n);
        assert_true(functions[i].n > 3);
    }
    assert_int_equal(bad, 0);
}

/* Quantile and distribution function belong together: the smallest count that reaches p. */
static void discrete_quantiles(void **state) {
    (void)state;
    static const double means[] = {0.001, 0.4, 3, 12.5, 100, 5000, 1e6};
    static const double probabilities[] = {1e-12, 1e-4, 0.025, 0.3, 0.5, 0.77, 0.99, 0.999999};
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++) {
        for (size_t j = 0; j < sizeof probabilities / sizeof probabilities[0]; j++) {
            double p = probabilities[j], m = means[i];
            double k = num_pois_q(p, m, true);
            assert_true(num_pois_p(k, m, true) >= p * (1 - 1e-13));
            assert_true(k == 0 || num_pois_p(k - 1, m, true) < p);
            assert_true(num_pois_q(num_pois_p(k, m, true), m, true) == k ||
                        num_pois_p(k, m, true) == 1);
            double up = num_pois_q(p, m, false);
            assert_true(num_pois_p(up, m, false) <= p * (1 + 1e-13));
            assert_true(up == 0 || num_pois_p(up - 1, m, false) > p);
            static const double sizes[] = {0.05, 1.5, 45, 1350, 40500};
            for (size_t l = 0; l < 5; l++) {
                double size = sizes[l];
                k = num_nbinom_q(p, size, m, true);
                assert_true(num_nbinom_p(k, size, m, true) >= p * (1 - 1e-13));
                assert_true(k == 0 || num_nbinom_p(k - 1, size, m, true) < p);
            }
        }
    }
}

/* R 4.2.2: qpois, qnbinom, qchisq, pchisq printed with 17 digits. */
static void values_of_r(void **state) {
    (void)state;
    assert_true(num_pois_q(0.975, 10, true) == 17);
    assert_true(num_pois_q(0.01, 250.5, false) == 288);
    assert_true(num_nbinom_q(0.99, 1.5, 20, true) == 78);
    assert_true(num_nbinom_q(0.05, 0.3, 4, true) == 0);
    assert_true(fabs(num_chisq_q(0.95, 3, true) / 7.8147279032511792 - 1) < 1e-10);
    assert_true(fabs(num_chisq_p(30.5, 4, false) / 3.8713507096904552e-06 - 1) < 1e-12);
}

static void edges(void **state) {
    (void)state;
    assert_true(isnan(num_log_gamma(0)) && isnan(num_digamma(-1)) && isnan(num_trigamma(NAN)));
    assert_true(isnan(num_gamma_p(-1, 1)) && isnan(num_gamma_q(1, -1)));
    assert_true(isnan(num_beta_p(0.5, -1, 1, true)) && isnan(num_beta_q(1.1, 1, 1, true)));
    assert_true(isnan(num_t_p(1, 0, true)) && isnan(num_f_p(1, -1, 2, true)));
    assert_true(isnan(num_pois_p(1, -1, true)) && isnan(num_nbinom_d(1, 0, 1, false)));
    assert_true(isnan(num_pois_q(-0.1, 1, true)) && isnan(num_binom_d(1, 2.5, 0.5, false)));
    assert_true(num_pois_d(1.5, 2, false) == 0 && num_pois_d(-1, 2, true) == -INFINITY);
    assert_true(num_pois_p(3, 0, true) == 1 && num_pois_d(0, 0, false) == 1);
    assert_true(num_nbinom_p(2, INFINITY, 3, true) == num_pois_p(2, 3, true));
    assert_true(num_pois_q(1, 3, true) == INFINITY && num_pois_q(0, 3, true) == 0);
    assert_true(num_norm_q(0, true) == -INFINITY && num_norm_q(0.5, true) == 0);
    assert_true(num_norm_q(1, true) == INFINITY && num_norm_q(0, false) == INFINITY);
    assert_true(num_t_p(INFINITY, 3, true) == 1 && num_t_p(0, 3, true) == 0.5);
    assert_true(num_t_p(-1.3, INFINITY, true) == num_norm_p(-1.3, true));
    assert_true(num_gamma_p(2, INFINITY) == 1 && num_gamma_q(2, 0) == 1);
    assert_true(num_beta_p(0, 1, 2, true) == 0 && num_beta_p(1, 1, 2, false) == 0);
    assert_true(num_weibull_p(-1, 1, 2, true) == 0 && num_gumbel_p(1e9, 0, 1, false) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_values),
        cmocka_unit_test(discrete_quantiles),
        cmocka_unit_test(values_of_r),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests_name("num/special", tests, NULL, NULL);
}
