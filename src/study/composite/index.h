/* study/composite/index.h - a composite index from files: the framework (COINr's iMeta), the data
 * (iData) and a YAML spec of choices. Readers parse bytes or tables in memory; index_study_load
 * reads the files. Everything is arena-owned. Errors name file, line and column, indicator and
 * area. Formats: docs/statistics/index.md. */
#ifndef STUDY_COMPOSITE_INDEX_H
#define STUDY_COMPOSITE_INDEX_H
#include "base/buf.h"
#include "base/val.h"
#include "num/composite/composite.h"
#include "study/table/table.h"

enum { INDEX_MAX_ROWS = 200000 };

/* The framework: Level, iCode, Direction, Weight, Parent, Type, and where there are such columns
 * iName, Unit, Target, Denominator. Type Indicator, Aggregate, Group, Denominator or Other. */
struct index_frame {
    const struct table *table;
    struct composite_tree tree;
    const size_t *row;              /* n_node: row of the table */
    const char *const *name;        /* n_node: iName, or the code */
    const double *target;           /* n_ind, NaN: none */
    const char *const *denominator; /* n_ind, "" none */
    size_t n_group;
    const char *const *group; /* codes of Type Group */
};
enum err_code index_frame_read(const struct table *meta, struct arena *a, struct index_frame *out,
                               struct err *err) NODISCARD;
/* Index of a node by its code; SIZE_MAX when there is none. */
size_t index_frame_node(const struct index_frame *f, const char *code);

/* The data: uCode, the indicators of the framework, and where there are such columns uName, Time,
 * groups, denominators. Area codes are unique within a time. */
struct index_data {
    const struct table *table;
    struct composite_data data; /* value, area (codes), unit, time, period; see below */
    const size_t *row;          /* n_area: row of the table */
    const char *const *name;    /* n_area: uName, or the code */
    size_t n_period;            /* 1 without Time */
    const double *period_time;  /* n_period, rising; NULL without Time */
};
/* denominators may be NULL (those in the data are taken), or a table with uCode and a column a
 * denominator. */
enum err_code index_data_read(const struct table *data, const struct table *denominators,
                              const struct index_frame *f, struct arena *a, struct index_data *out,
                              struct err *err) NODISCARD;
/* Fills data.group from a column. */
enum err_code index_data_group(struct index_data *d, const char *column, struct arena *a,
                               struct err *err) NODISCARD;

/* The choices. */
struct index_spec {
    const char *name; /* of the file, for errors */
    const struct val *tree;
    struct composite_spec spec;
    const char *group;       /* column of the grouping, or NULL */
    double time;             /* the period that is told; NaN: all */
    bool flat;               /* the index over the indicators directly */
    const struct val *audit; /* the member "audit", or NULL: read by others */
};
/* An empty spec gives the defaults. name stands in errors. */
enum err_code index_spec_read(const struct val *v, const char *name, const struct index_frame *f,
                              const struct index_data *d, struct arena *a, struct index_spec *out,
                              struct err *err) NODISCARD;
/* The same of YAML bytes. */
enum err_code index_spec_parse(const char *name, const char *p, size_t n,
                               const struct index_frame *f, const struct index_data *d,
                               struct arena *a, struct index_spec *out, struct err *err) NODISCARD;
/* Readers of one stage's member, for alternatives in an audit: v is the map that stands under
 * "impute", "treat", "normalise", "weights" or "aggregate". */
struct index_reader {
    const char *name;
    const struct index_frame *frame;
    const struct index_data *data;
    struct arena *a;
    size_t n_level;
};
enum err_code index_read_impute(const struct index_reader *r, const struct val *v,
                                struct composite_impute *out, struct err *err) NODISCARD;
enum err_code index_read_treat(const struct index_reader *r, const struct val *v,
                               struct composite_treat *out, struct err *err) NODISCARD;
enum err_code index_read_normalise(const struct index_reader *r, const struct val *v,
                                   struct composite_normalise *out, struct err *err) NODISCARD;
/* Benefit of the doubt among the weights of a level sets how that level is aggregated: read the
 * aggregation first. */
enum err_code index_read_weights(const struct index_reader *r, const struct val *v,
                                 struct composite_weighting *out,
                                 struct composite_aggregate *aggregate, struct err *err) NODISCARD;
enum err_code index_read_aggregate(const struct index_reader *r, const struct val *v,
                                   struct composite_aggregate *out, struct err *err) NODISCARD;
/* ERR_INVALID at a value of the spec: "spec.yaml:3:9: ...". */
enum err_code index_spec_fail(const char *name, const struct val *v, struct err *err,
                              const char *fmt, ...) PRINTF_LIKE(4, 5);

/* All of it. */
struct index_files {
    const char *data, *meta, *spec, *denominators; /* the last two may be NULL */
};
struct index_study {
    struct index_frame frame;
    struct index_data data;
    struct index_spec spec;
    struct composite_tree tree;    /* the frame's, flattened where the spec says so */
    struct composite_data columns; /* what is run: data's, or those of one period */
    const uint32_t *column_of;     /* columns.n_area: column of data; NULL: the same */
    struct composite_result result;
};
enum err_code index_study_load(const struct index_files *files, struct arena *a,
                               struct index_study *out, struct err *err) NODISCARD;
/* Runs the pipeline: fills columns, column_of and result. */
enum err_code index_study_run(struct index_study *s, const struct num_run *run, struct arena *a,
                              struct err *err) NODISCARD;

/* Stages by name: raw, denominated, screened, imputed, treated, normalised, weights, aggregated.
 * COMPOSITE_N_STAGES when there is none of it. */
enum composite_stage index_stage(const char *name);
const char *index_stage_names(void); /* "raw, denominated, ..." */

/* Reports. stage COMPOSITE_N_STAGES: scores and ranks. */
void index_report_json(const struct index_study *s, enum composite_stage stage, struct buf *out);
void index_report_csv(const struct index_study *s, enum composite_stage stage, struct buf *out);
void index_report_text(const struct index_study *s, bool zh, struct buf *out);
#endif
