/* Specs of gezhi risk: what is read, and what a malformed one is told. */
#include "../base/testing.h"

#include "study/risk/design.h"
#include "study/risk/pavement.h"
#include "study/risk/prepare.h"

static enum err_code parse(struct arena *a, const char *yaml, struct risk_spec *s,
                           struct err *err) {
    risk_spec_init(s);
    return risk_spec_parse(a, "s.yaml", yaml, strlen(yaml), s, NULL, err);
}

static void reads_fields(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct risk_spec s;
    struct err err = {0};
    enum risk_model m;
    assert_int_equal(parse(a,
                           "model: cox\nresponse: y\nterms: [a, log(b)]\nstop: t\nsplit: year\n"
                           "train_to: 2015\nseed: 7\nmix: 1\n",
                           &s, &err),
                     ERR_OK);
    assert_string_equal(s.terms, "a log(b)");
    assert_string_equal(s.train_to, "2015");
    assert_true(s.seed == 7 && s.mix == 1);
    assert_int_equal(risk_spec_check(&s, &m, &err), ERR_OK);
    assert_int_equal(m, RISK_COX);
    arena_free(a);
}

static void tells_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *said;
    } row[] = {{"modle: cox\n", "s.yaml:1:1: there is no field \"modle\"; did you mean \"model\"?"},
               {"- 1\n", "expected fields"},
               {"response: y\nterms: a\n", "no model is named"},
               {"model: coxx\nresponse: y\nterms: a\n", "did you mean cox"},
               {"model: cox\nresponse: y\nterms: a\n", "needs \"stop\""},
               {"model: powerlaw\nresponse: y\nterms: a\nstop: t\n", "needs \"start\""},
               {"model: leyp\nresponse: y\nterms: a\nstop: t\nstart: s\n", "needs \"earlier\""},
               {"model: poisson\nresponse: y\n", "no terms"},
               {"model: poisson\nterms: a\n", "no response"},
               {"model: poisson\nresponse: y\nterms: a\nstrata: b\n", "strata are for cox"},
               {"model: poisson\nresponse: y\nterms: a\nsplit: year\n", "go together"},
               {"model: poisson\nresponse: y\nterms: a\nfolds: 1\n", "2 to 100"},
               {"model: cox\nresponse: y\nterms: a\nstop: t\nties: exact\n", "efron or breslow"},
               {"model: trees\nresponse: y\nterms: a\nfamily: x\n", "logistic or poisson"},
               {"model: elastic\nresponse: y\nterms: a\nmix: 2\n", "0 to 1"},
               {"model: {a: b}\n", "s.yaml:1:8: model: expected a text"},
               {"seed: x\n", "s.yaml:1:7: expected a whole number"},
               {"model: cox\nresponse: y\nterms: a\nstop: t\nupper: u\n", "not for cox"}};
    struct arena *a = test_arena();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct risk_spec s;
        struct err err = {0};
        enum risk_model m;
        enum err_code rc = parse(a, row[i].yaml, &s, &err);
        if (rc == ERR_OK) rc = risk_spec_check(&s, &m, &err);
        assert_int_equal(rc, ERR_INVALID);
        if (strstr(err.detail, row[i].said) == NULL)
            fail_msg("\"%s\": said \"%s\", expected \"%s\"", row[i].yaml, err.detail, row[i].said);
    }
    arena_free(a);
}

static void terms(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct risk_terms t;
    struct err err = {0};
    assert_int_equal(risk_terms_parse(a, " log(length) + age, factor(zone):age ", &t, &err),
                     ERR_OK);
    assert_int_equal(t.n, 3);
    assert_int_equal(t.term[0].part[0].function, RISK_LOG);
    assert_string_equal(t.term[0].part[0].column, "length");
    assert_int_equal(t.term[2].n_parts, 2);
    assert_int_equal(t.term[2].part[0].function, RISK_FACTOR);
    static const char *const bad[] = {
        "", "exp(a)", "log(a", "log()", "a:", "a a", "a:b:c:d", "log(a))", ":a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (risk_terms_parse(a, bad[i], &t, &err) != ERR_INVALID)
            fail_msg("\"%s\" is no term", bad[i]);
    arena_free(a);
}

static const char table_csv[] = "a,m,z\n1,x,1\n2,y,2\n3,x,1\n,y,3\n5,w,2\n6,x,1\n";

static const struct table *parse_table(struct arena *a, const char *csv) {
    const struct table *t = NULL;
    struct err err = {0};
    if (table_parse(a, "t.csv", csv, strlen(csv), 0, 1000, &t, &err) != ERR_OK)
        fail_msg("%s", err.detail);
    return t;
}

static void design(void **state) {
    (void)state;
    struct arena *a = test_arena();
    const struct table *t = parse_table(a, table_csv);
    struct risk_design d, again;
    struct err err = {0};
    size_t unseen = 0;
    assert_int_equal(risk_design_learn(a, "square(a) m factor(z):a", true, 0, t, NULL, &d, &err),
                     ERR_OK);
    assert_int_equal(d.n_columns, 6);
    static const char *const names[] = {"(Intercept)", "square(a)", "mx", "my", "z2:a", "z3:a"};
    for (size_t j = 0; j < 6; j++) assert_string_equal(d.column[j].name, names[j]);
    double x[6 * 6];
    bool missing[6];
    assert_int_equal(risk_design_fill(a, &d, t, x, missing, &unseen, &err), ERR_OK);
    static const double second[6] = {1, 4, 0, 1, 2, 0};
    for (size_t j = 0; j < 6; j++) assert_true(x[6 + j] == second[j]);
    assert_true(missing[3] && !missing[2] && unseen == 0);
    const struct table *u = parse_table(a, "a,m,z\n4,new,2\n");
    assert_int_equal(
        risk_design_make(a, "square(a) m factor(z):a", true, d.source, d.n_sources, &again, &err),
        ERR_OK);
    assert_int_equal(risk_design_fill(a, &again, u, x, missing, &unseen, &err), ERR_OK);
    assert_true(unseen == 1 && x[1] == 16 && x[2] == 0 && x[3] == 0 && x[4] == 4);
    /* y stands twice and w once: both are rarer than 3 rows and become one level. */
    assert_int_equal(risk_design_learn(a, "m", true, 3, t, NULL, &d, &err), ERR_OK);
    assert_int_equal(d.n_columns, 2);
    assert_string_equal(d.column[1].name, "m(other)");
    assert_int_equal(risk_design_fill(a, &d, u, x, missing, &unseen, &err), ERR_OK);
    assert_true(unseen == 0 && x[1] == 1);
    assert_int_equal(risk_design_learn(a, "log(m)", true, 0, t, NULL, &d, &err), ERR_INVALID);
    assert_int_equal(risk_design_learn(a, "nope", true, 0, t, NULL, &d, &err), ERR_INVALID);
    t = parse_table(a, "a\n1\n0\n");
    assert_int_equal(risk_design_learn(a, "log(a)", true, 0, t, NULL, &d, &err), ERR_OK);
    assert_int_equal(risk_design_fill(a, &d, t, x, missing, &unseen, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "t.csv:3: log(a)"));
    arena_free(a);
}

static void prepare(void **state) {
    (void)state;
    struct arena *a = test_arena();
    static const char yaml[] = "assets:\n  file: a.csv\n  id: k\n  laid: d\n  keep: {mat: m}\n"
                               "  only: {s: [on]}\nevents:\n  file: b.csv\n  id: k\n  date: t\n"
                               "from: 2010\nto: 2012\n";
    struct risk_prepare_spec s;
    struct risk_prepared p;
    struct err err = {0};
    assert_int_equal(risk_prepare_parse(a, "p.yaml", yaml, sizeof yaml - 1, &s, &err), ERR_OK);
    const struct table *as = parse_table(
        a, "k,d,m,s\n1.0,2000/1/1 00:00:00+00,pvc,on\n2,2011,ci,on\n3,,ci,on\n4,1999-01-01,ci,off\n"
           "2,2010,ci,on\n");
    const struct table *ev = parse_table(
        a, "k,t\n1,2010-05-05\n1,2011-05-05T10:00\n9,2011-01-01\n2,2010-01-01\n,2011-01-01\n1,\n");
    assert_int_equal(risk_prepare(a, &s, as, ev, &p, &err), ERR_OK);
    assert_int_equal(p.n_assets, 2);
    assert_int_equal(p.n_assets_left_out, 1);
    assert_int_equal(p.n_no_laid, 1);
    assert_int_equal(p.n_same_id, 1);
    assert_true(p.n_not_joined == 1 && p.n_no_id == 1 && p.n_no_date == 1);
    assert_int_equal(p.exposure.n_before_laid, 1);
    assert_int_equal(p.exposure.n_counted, 2);
    assert_int_equal(p.exposure.n_rows, 5);
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_int_equal(risk_prepared_csv(&s, as, &p, &b, &err), ERR_OK);
    assert_non_null(
        strstr(buf_text(&b), "\n1,2011,11.000684,12.000000,11.000684,0.999316,1,1,1,1,1,"));
    assert_non_null(strstr(buf_text(&b), ",pvc\n"));
    buf_clear(&b);
    risk_prepared_text(&s, &p, &b);
    assert_non_null(strstr(buf_text(&b), "survivor_bias"));
    buf_deinit(&b);
    ev = parse_table(a, "k,t\n1,2010-13-05\n");
    assert_int_equal(risk_prepare(a, &s, as, ev, &p, &err), ERR_INVALID);
    assert_non_null(strstr(err.detail, "t.csv:2"));
    static const struct {
        const char *yaml, *said;
    } row[] = {{"assets: {}\n", "\"events\" is missing"},
               {"assets: {file: a, id: k}\nevents: {file: b, id: k, date: t}\nfrom: 1\nto: 2\n",
                "p.yaml:1:9"},
               {"assets: {file: a, id: k, laid: d, keep: {age: m}}\nevents: {file: b, id: k, date: "
                "t}\nfrom: 2001\nto: 2002\n",
                "one of the made columns"},
               {"assets: {file: a, id: k, laid: d}\nevents: {file: b, id: k, date: t}\nfrom: 2003\n"
                "to: 2002\n",
                "to is before from"},
               {"assets: {file: a, id: k, laid: d, lade: d}\nevents: {file: b, id: k, date: t}\n",
                "laid"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(
            risk_prepare_parse(a, "p.yaml", row[i].yaml, strlen(row[i].yaml), &s, &err),
            ERR_INVALID);
        if (strstr(err.detail, row[i].said) == NULL)
            fail_msg("\"%s\": said \"%s\"", row[i].yaml, err.detail);
    }
    arena_free(a);
}

static void pavement(void **state) {
    (void)state;
    struct arena *a = test_arena();
    struct risk_pavement_spec *s = ARENA_NEW(a, struct risk_pavement_spec, 1);
    struct risk_pavement r;
    struct err err = {0};
    static const char columns[] =
        "columns: {section: s, area: a, distress: d, severity: v, quantity: q, pci: p}\n";
    char *yaml = arena_printf(
        a, "%srule: product\ndeduct: {c L: [[1, 10], [100, 30]], c H: [[1, 40]]}\n", columns);
    assert_int_equal(risk_pavement_parse(a, "c.yaml", yaml, strlen(yaml), s, &err), ERR_OK);
    const struct table *t =
        parse_table(a, "s,a,d,v,q,p\n1,100,c,L,10,80\n1,100,c,H,3,80\n2,50,c,L,,\n2,50,x,L,4,\n");
    assert_int_equal(risk_pavement_study(a, t, s, &r, &err), ERR_OK);
    assert_int_equal(r.n_sections, 2);
    assert_true(r.n_no_quantity == 1 && r.n_unknown_kind == 1);
    assert_true(r.pci[0] > 47.99 && r.pci[0] < 48.01 && r.pci[1] == 100);
    assert_true(r.test.n == 1 && r.test.bias < -31.9);
    static const struct {
        const char *more, *said;
    } row[] = {{"rule: x\n", "product, corrected or ratio"},
               {"rule: product\n", "\"deduct\" is missing"},
               {"rule: product\ndeduct: {c L: [[2, 1], [1, 5]]}\n", "c.yaml:3"},
               {"rule: product\ndeduct: {c L: [[1, 101]]}\n", "0 to 100"},
               {"rule: corrected\ndeduct: {c L: [[1, 5]]}\n", "1 to 16 curves"},
               {"rule: ratio\nweight: {c L: 1}\n", "a0"},
               {"fit: {knots: [1, 1]}\n", "rising densities"}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        yaml = arena_printf(a, "%s%s", columns, row[i].more);
        assert_int_equal(risk_pavement_parse(a, "c.yaml", yaml, strlen(yaml), s, &err),
                         ERR_INVALID);
        if (strstr(err.detail, row[i].said) == NULL)
            fail_msg("\"%s\": said \"%s\"", row[i].more, err.detail);
    }
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields), cmocka_unit_test(tells_what_is_wrong),
        cmocka_unit_test(terms),        cmocka_unit_test(design),
        cmocka_unit_test(prepare),      cmocka_unit_test(pavement)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
