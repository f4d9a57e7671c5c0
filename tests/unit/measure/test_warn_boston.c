/* Half a year of Boston's requests as if live: Hurricane Irene is raised, City Hall's default point
 * never is. The city-wide rules walk every day; the scans, which take most of the time, walk the
 * week around the storm (docs/warnings.md has the whole half year). Under a sanitizer both walk
 * fewer days. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "domain/grid/folder.h"
#include "domain/process/import_cases.h"
#include "geo/crs.h"
#include "warn_made.h"

#define GZ SOURCE_DIR "/../shared/data/01-service-requests/boston_311_2011H2.csv.gz"

static void run(const char *const argv[], const char *to) {
    pid_t pid = fork();
    int status = 1;
    if (pid == 0) {
        if (to != NULL && freopen(to, "w", stdout) == NULL) _exit(126);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void import(struct folder *f, const char *csv) {
    struct err err = {0};
    struct grid_service *grid = NULL;
    struct engine *engine = NULL;
    struct case_imported n;
    made_must(grid_open(f->ledger, f->packs, &grid, &err), &err);
    made_must(engine_new(f->arena, f->packs, f->tz, ledger_secret(f->ledger), grid, &engine, &err),
              &err);
    struct case_import in = {
        .engine = engine, .ledger = f->ledger, .now_us = INT64_C(1790000000000000), .log = stderr};
    made_must(map_load(f->arena, SOURCE_DIR "/packs/cases/maps/boston311.yaml", engine, f->tz,
                       &in.map, &err),
              &err);
    in.in = fopen(csv, "r");
    assert_non_null(in.in);
    made_must(import_cases(&in, &n, &err), &err);
    (void)fclose(in.in);
    assert_int_equal(n.imported, 58251);
    ledger_close(f->ledger);
    f->ledger = NULL;
    grid_close(grid);
}

static int32_t date(const char *text) {
    int64_t day = 0;
    assert_true(civil_date_parse(text, &day));
    return (int32_t)day;
}

struct seen {
    int32_t irene; /* day the trees were first raised, or -1 */
    size_t warnings, most_a_week, city_hall;
};

static void look(const struct warn_rows *rows, const struct warn_set *set, int32_t from, int32_t to,
                 struct arena *a, struct seen *out) {
    struct warn_board b;
    struct err err = {0};
    size_t week = 0;
    uint32_t tree = (uint32_t)(pack_class(rows->packs, "component-0402") - rows->packs->classes);
    warn_board_init(&b, a, rows, set->merge_days);
    *out = (struct seen){.irene = -1};
    for (int32_t day = from; day <= to; day++) {
        struct warn_day *d = ARENA_NEW(a, struct warn_day, 1);
        struct warn_ask ask = {.rows = rows, .set = set, .day = day, .seed = 1};
        size_t n_new = 0;
        made_must(warn_day_form(&ask, a, d, &err), &err);
        made_must(warn_board_add(&b, d, &n_new, &err), &err);
        week = (day - from) % 7 == 0 ? n_new : week + n_new;
        if (week > out->most_a_week) out->most_a_week = week;
        for (size_t i = 0; i < d->n; i++) {
            const struct warn_signal *s = &d->signal[i];
            if (s->cls == tree && day >= date("2011-08-28") && out->irene < 0 && s->observed > 300)
                out->irene = day;
            for (size_t k = 0; k < s->n_rows; k++) {
                const struct warn_row *r = &rows->row[s->row[k]];
                out->city_hall += geo_distance_m(r->lon, r->lat, -71.0587, 42.3594) < 1;
            }
        }
    }
    for (size_t i = 0; i < b.n; i++) out->warnings += b.warning[i]->into == NULL;
}

static void tell(const char *what, const struct seen *s, int32_t days) {
    char day[16] = "never";
    if (s->irene >= 0) civil_date_format(s->irene, day);
    print_message("%s, %d days: Irene raised %s, %zu warnings (%.1f a week, at most %zu), cases at "
                  "City Hall in signals %zu\n",
                  what, days, day, s->warnings, 7.0 * (double)s->warnings / days, s->most_a_week,
                  s->city_hall);
}

static void replay(const struct folder *f) {
    struct arena *a = arena_new((size_t)1 << 30);
    const struct warn_set *set = NULL;
    struct warn_rows rows;
    struct err err = {0};
    struct seen seen;
    const struct tz *tz = NULL;
    made_must(tz_load(a, "America/New_York", &tz, &err), &err);
    made_must(warn_load(a, f->packs, &set, &err), &err);
    warn_rows_init(&rows, a, f->packs, tz);
    made_must(warn_rows_load_days(&rows, f->look, 1, INT32_MIN, date("2011-12-31"), &err), &err);
    assert_int_equal(rows.n, 58251);
    struct warn_set city = *set;
    struct warn_rule *kept = ARENA_NEW(a, struct warn_rule, set->n_rules);
    city.rule = kept;
    city.n_rules = 0;
    for (size_t i = 0; i < set->n_rules; i++)
        if (set->rule[i].method != WARN_SCAN) kept[city.n_rules++] = set->rule[i];
    int32_t from = date(UNDER_SANITIZER ? "2011-08-15" : "2011-07-01");
    int32_t to = date(UNDER_SANITIZER ? "2011-09-05" : "2011-12-31");
    look(&rows, &city, from, to, a, &seen);
    tell("Boston, rules of the whole city", &seen, to - from + 1);
    assert_true(seen.irene >= 0 && seen.irene <= date("2011-08-29"));
    assert_int_equal(seen.city_hall, 0);
    from = date(UNDER_SANITIZER ? "2011-08-28" : "2011-08-25");
    to = date(UNDER_SANITIZER ? "2011-08-29" : "2011-08-31");
    look(&rows, set, from, to, a, &seen);
    tell("Boston, all rules", &seen, to - from + 1);
    assert_true(seen.irene >= 0 && seen.irene <= date("2011-08-29"));
    assert_int_equal(seen.city_hall, 0);
    assert_true(seen.most_a_week <= 20);
    warn_rows_free(&rows);
    arena_free(a);
}

static void boston(void **state) {
    static const struct city city = {"Boston", "America/New_York", "free", true};
    struct folder f;
    struct err err = {0};
    char dir[64] = "/tmp/gezhi-warn-XXXXXX", data[80], csv[80];
    (void)state;
    if (access(GZ, R_OK) != 0) {
        print_message("skipped: the shared data are not here\n");
        skip();
    }
    assert_non_null(mkdtemp(dir));
    (void)snprintf(data, sizeof data, "%s/d", dir);
    (void)snprintf(csv, sizeof csv, "%s/b.csv", dir);
    made_must(folder_create(data, SOURCE_DIR "/packs", &city, NULL, &err), &err);
    made_must(folder_open(data, 3, NULL, &f, &err), &err);
    run((const char *const[]){"gzip", "-dc", GZ, NULL}, csv);
    import(&f, csv);
    folder_close(&f);
    made_must(folder_look(data, &f, &err), &err);
    replay(&f);
    folder_close(&f);
    run((const char *const[]){"rm", "-rf", dir, NULL}, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(boston)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
