/* study/scan/prm.h - SaTScan's parameter file (.prm): what each parameter means here. A table has
 * one row for each parameter; a line is honoured, or its value changes nothing, or it is named as
 * unsupported: nothing is ignored in silence.
 *
 * The file: "[Section]", "Key=value", ";comment" and empty lines; section and key without regard to
 * case; blanks around a value do not count. A key that is missing has SaTScan's default. Pure but
 * for the arena. */
#ifndef STUDY_SCAN_PRM_H
#define STUDY_SCAN_PRM_H
#include "study/scan/study.h"

enum prm_kind {
    PRM_PATH,    /* honoured: a file name, relative to the parameter file */
    PRM_TEXT,    /* honoured: a text */
    PRM_FLAG,    /* honoured: y or n (1 or 0) */
    PRM_NUMBER,  /* honoured: a number of [min, max] */
    PRM_CHOICE,  /* honoured: one of the numbers in `allowed`; SaTScan's others are not supported */
    PRM_ONLY,    /* only the values in `allowed` are supported */
    PRM_OUTPUT,  /* asks SaTScan for a file of its own kind: only "n", or named and left out */
    PRM_NEUTRAL, /* any value: it changes no number of the result */
};
struct prm_row {
    const char *section, *key;
    enum prm_kind kind;
    const char *allowed; /* "0|1|2" of CHOICE and ONLY; NULL otherwise */
    double min, max;     /* NUMBER */
    const char *meaning;
    size_t field; /* where the value goes; of no concern outside prm.c */
};
/* The whole table. */
const struct prm_row *prm_rows(size_t *n);

struct prm_problem {
    long line;
    const char *section, *key, *value, *why;
};
struct prm_read {
    size_t n_problems;
    const struct prm_problem *problem; /* in the order of the lines */
    size_t n_skipped;                  /* outputs that were asked for and are left out */
    const struct prm_problem *skipped;
    const char *title;    /* "" */
    size_t n_threads;     /* NumberParallelProcesses; 0: all */
    bool default_p_value; /* PValueReportType=0, which here means standard Monte Carlo */
};
/* Reads bytes; dir is the folder that paths are relative to. settings is filled whole. With
 * skip_outputs, parameters that ask for a file of SaTScan's own kind are told in skipped instead of
 * problem. Errors: ERR_SYNTAX (path:line:column), ERR_INVALID (unsupported or bad values: all of
 * them in out, the first ones in the detail), ERR_NOMEM. */
enum err_code prm_parse(struct arena *a, const char *path, const char *p, size_t n, const char *dir,
                        bool skip_outputs, struct scan_settings *settings, struct prm_read *out,
                        struct err *err) NODISCARD;
/* The same of a file on disk. Errors also of file_read. */
enum err_code prm_load(struct arena *a, const char *path, bool skip_outputs,
                       struct scan_settings *settings, struct prm_read *out,
                       struct err *err) NODISCARD;
#endif
