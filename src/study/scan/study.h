/* study/scan/study.h - a scan over files: its settings, the files read and brought into the shape
 * that num/scan takes, the run, and what the reports need besides the result. */
#ifndef STUDY_SCAN_STUDY_H
#define STUDY_SCAN_STUDY_H
#include "num/scan/scan.h"
#include "study/scan/times.h"

enum { STUDY_MAX_GEO = 16, STUDY_MAX_ELLIPSES = 30 };

enum file_kind { FILE_BY_NAME, FILE_SATSCAN, FILE_CSV };
enum place_kind { PLACES_BY_COLUMNS, PLACES_PLANE, PLACES_SPHERE };

enum file_role {
    FILE_CASES,
    FILE_CONTROLS,
    FILE_POPULATION,
    FILE_PLACES,
    FILE_GRID,
    FILE_EDGES,
    FILE_NEIGHBORS,
    FILE_ROLES
};
/* How a text file of SaTScan's is divided, when a parameter file tells. */
struct text_format {
    char separator; /* 0: blanks */
    size_t skip;    /* lines at its beginning */
    /* "2,1,oneCount": for each field of the plain file in turn, in which it stands here (from 1),
     * or oneCount, unspecifiedPopDate, or nothing; NULL: as they stand. */
    const char *map;
};

/* What a user asks for, by flags or by a parameter file. Texts are borrowed; NULL: not given. */
struct scan_settings {
    const char *cases, *controls, *population, *grid, *edges, *neighbors;
    const char
        *geo[STUDY_MAX_GEO]; /* an id in several of them is one place with several positions */
    size_t n_geo;
    bool many_positions; /* also several rows of one id in one file */
    bool all_positions;  /* such a place is in a window when all its positions are; else one */
    enum file_kind kind;
    struct text_format format[FILE_ROLES];
    const char *columns;    /* CSV: "id=county,cases=n": names of the roles' columns */
    const char *covariates; /* CSV: "sex,age" */
    enum place_kind places;

    enum scan_model model;
    enum time_unit precision; /* of the times of cases */
    bool precision_given;
    enum time_unit unit; /* of the slots */
    int64_t unit_length;
    const char *start, *end; /* of the study period; NULL: the first and last day of the cases */
    double min_time;         /* of a window, in units; 0: one slot */
    double max_time;         /* in units, or percent of the study period; 0: 50 % */
    bool max_time_percent;
    bool relaxed_places, relaxed_times;

    /* analysis, rates, shape, sizes, p-values and so on; slots come from the times above and the
     * ellipses stand in the arrays below. */
    struct scan_options options;
    double ellipse_shape[STUDY_MAX_ELLIPSES];
    unsigned ellipse_angles[STUDY_MAX_ELLIPSES];
};
void scan_settings_init(struct scan_settings *s);
/* Whether the settings go together. ERR_INVALID naming the option. */
enum err_code scan_settings_check(const struct scan_settings *s, struct err *err) NODISCARD;
/* "1.5,2" and "4,6": shapes over 1, and as many numbers of angles, into the settings. */
bool scan_ellipses_parse(const char *shapes, const char *angles, struct scan_settings *s);

struct scan_study {
    struct scan_settings settings;
    struct scan_data data;
    struct scan_options options; /* settings.options with slots and ellipses filled in */
    struct time_slots slots;
    bool generic, dated;     /* whether the study period has dates to tell */
    int64_t start, end;      /* days, inclusive */
    bool sphere, has_places; /* coordinates are known */
    /* Names of the places: first_id[i] .. first_id[i + 1] of id. */
    size_t n_ids;
    const size_t *first_id;
    const char *const *id;
    const double *x, *y;        /* of a place: its first position */
    const double *population;   /* mean over the period, a place; NULL when there is none */
    const int64_t *place_cases; /* of the whole period */
    int64_t total_cases, total_controls;
    int64_t left_out_places, left_out_times;
    /* What has no peer value to be checked against, joined by "; "; "" when all has one. */
    const char *unverified;
};

/* Read all files and put the study together. Arena-owned; the arena must outlive the study. Errors:
 * of the files (file:line:column), ERR_INVALID for settings that do not go together. */
enum err_code scan_study_load(struct arena *a, const struct scan_settings *settings,
                              struct scan_study *out, struct err *err) NODISCARD;
enum err_code scan_study_run(const struct scan_study *study, const struct num_run *run,
                             struct arena *a, struct scan_result *out, struct err *err) NODISCARD;
/* Mean of a cluster's places' population over the period; NaN when there is none. */
double scan_study_population(const struct scan_study *study, const struct scan_cluster *cluster);
/* First and last day of a cluster, inclusive. */
void scan_study_days(const struct scan_study *study, const struct scan_cluster *cluster,
                     int64_t *first, int64_t *last);
/* Words of the options, as in --model and the JSON. */
const char *scan_model_word(enum scan_model model);
const char *scan_analysis_word(enum scan_analysis analysis);
const char *scan_p_word(enum scan_p_mode mode);
/* Why there is no Gumbel curve; NULL when there is one. */
const char *scan_gumbel_word(enum scan_gumbel gumbel);
const char *scan_rates_word(enum scan_rates rates);
const char *scan_overlap_word(enum scan_overlap overlap);
const char *scan_shape_word(enum scan_shape shape);
#endif
