/* Parameter files: any bytes end in settings in range, or an error; a line that is not honoured is
 * told. */
#include <stdint.h>
#include <string.h>

#include "study/scan/files.h"
#include "study/scan/prm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A field map ends in fields, or in an error that names the file. */
static void maps(struct arena *a, const struct scan_settings *s) {
    static const char row[] = "A 1 2 3 4 5";
    struct source src;
    struct layout l;
    struct err err = {0};
    bool sphere;
    app_assert(source_text(a, "fuzz", row, sizeof row - 1, 0, 0, &src, &err) == ERR_OK);
    for (int role = FILE_CASES; role <= FILE_GRID; role++) {
        enum err_code rc = file_layout(a, s, (enum file_role)role, &src, false, &sphere, &l, &err);
        app_assert(rc == ERR_OK || (rc == ERR_INVALID && strncmp(err.detail, "fuzz:", 5) == 0));
        if (rc == ERR_OK) app_assert(l.n_covariates <= RECORDS_MAX_COVARIATES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *a = arena_new((size_t)64 << 20);
    struct scan_settings s;
    struct prm_read read;
    struct err err = {0};
    app_assert(a != NULL);
    bool skip = size > 0 && data[size - 1] == '\n';
    enum err_code rc = prm_parse(a, "fuzz", size == 0 ? "" : (const char *)data, size, "dir", skip,
                                 &s, &read, &err);
    app_assert(rc == ERR_OK || rc == ERR_SYNTAX || rc == ERR_INVALID);
    if (rc == ERR_OK) {
        app_assert(read.n_problems == 0 && s.cases != NULL);
        app_assert(s.options.max_size > 0 && s.options.max_size <= 0.5);
        app_assert(s.model <= SCAN_PERMUTATION && s.options.analysis <= SCAN_SPACE_TIME);
        app_assert(s.unit <= TIME_GENERIC && s.unit_length >= 1);
        app_assert(s.options.n_ellipses <= STUDY_MAX_ELLIPSES);
        maps(a, &s);
    } else {
        app_assert(strncmp(err.detail, "fuzz:", 5) == 0);
        for (size_t i = 0; i < read.n_problems; i++) app_assert(read.problem[i].why != NULL);
    }
    arena_free(a);
    return 0;
}
