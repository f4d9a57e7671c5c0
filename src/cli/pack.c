/* gezhi pack check: the packs themselves, and the indices, warnings, surveys and briefings
 * that they declare. */
#include "cli/cli.h"
#include "domain/briefing/schedule.h"
#include "domain/measure/index_def.h"
#include "domain/measure/survey_def.h"
#include "domain/measure/warn_figure.h"
#include "domain/pack/cmd.h"

static enum err_code check_documents(struct arena *a, const struct pack_set *p, struct err *err) {
    const struct index_set *indices = NULL;
    const struct warn_set *warnings = NULL;
    const struct survey_set *surveys = NULL;
    const struct schedule *briefings = NULL;
    TRY(index_load(a, p, &indices, err));
    TRY(warn_load(a, p, &warnings, err));
    TRY(warn_check_indices(warnings, indices, err));
    TRY(survey_load(a, p, &surveys, err));
    return schedule_load(a, p, &briefings, err);
}

int cli_pack_check(int argc, char **argv) { return pack_cmd_check(argc, argv, check_documents); }
