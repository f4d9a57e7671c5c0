/* CSV inputs of a scan: any bytes as cases, population, places or edges by the names of their
 * columns end in rows, or an error. */
#include <math.h>

#include "fuzz_scan_records.h"
#include "study/scan/files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(struct reading *r, const struct source *s, const struct layout *l,
                    enum file_role role, bool sphere) {
    struct err err = {0};
    struct count_rows counts;
    struct population_rows people;
    struct place_rows places;
    struct edge_rows edges;
    enum err_code rc = ERR_OK;
    if (role == FILE_CASES || role == FILE_CONTROLS)
        rc = records_counts(r, s, l, "cases", &counts, &err);
    else if (role == FILE_POPULATION)
        rc = records_population(r, s, l, &people, &err);
    else if (role == FILE_PLACES)
        rc = records_places(r, s, l, sphere, &places, &err);
    else if (role == FILE_GRID)
        rc = records_grid(r, s, l, sphere, &places, &err);
    else
        rc = records_edges(r, s, l, &edges, &err);
    app_assert(rc == ERR_OK || (rc == ERR_INVALID && strncmp(err.detail, "fuzz:", 5) == 0));
    if (rc == ERR_OK && role == FILE_PLACES)
        for (size_t i = 0; i < places.n; i++)
            app_assert(isfinite(places.row[i].x) && places.row[i].id < r->ids.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct arena *a = arena_new((size_t)256 << 20);
    struct reading r;
    struct source s;
    struct layout l;
    const struct table *t;
    struct err err = {0};
    struct scan_settings settings;
    bool sphere = false;
    enum file_role role = (enum file_role)(data[0] % 6);
    app_assert(a != NULL);
    scan_settings_init(&settings);
    if ((data[0] & 128) != 0) settings.covariates = "age";
    if ((data[0] & 64) != 0) settings.columns = "id=name,x=east,y=north";
    uint8_t choice[1] = {(uint8_t)(data[0] & ~1u)};
    app_assert(fuzz_begin(a, choice, 1, &r, &s)); /* no text: only the reading is wanted */
    enum err_code rc = table_parse(a, "fuzz", (const char *)data + 1, size - 1, 0, 10000, &t, &err);
    if (rc == ERR_OK) {
        source_table(t, &s);
        if (file_layout(a, &settings, role, &s, r.precision == TIME_NONE, &sphere, &l, &err) ==
            ERR_OK)
            read_as(&r, &s, &l, role, sphere);
    }
    arena_free(a);
    return 0;
}
