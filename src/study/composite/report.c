#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/json.h"
#include "study/composite/report.h"

/* ---- names ---- */

static const struct {
    const char *name;
    enum composite_stage stage;
} stage_rows[] = {{"raw", COMPOSITE_RAW},          {"denominated", COMPOSITE_DENOMINATED},
                  {"imputed", COMPOSITE_IMPUTED},  {"screened", COMPOSITE_SCREENED},
                  {"treated", COMPOSITE_TREATED},  {"normalised", COMPOSITE_NORMALISED},
                  {"weights", COMPOSITE_WEIGHTED}, {"aggregated", COMPOSITE_AGGREGATED}};
enum { N_STAGE_ROWS = sizeof stage_rows / sizeof stage_rows[0] };

enum composite_stage index_stage(const char *name) {
    for (size_t k = 0; k < N_STAGE_ROWS; k++) {
        if (strcmp(stage_rows[k].name, name) == 0) return stage_rows[k].stage;
    }
    return COMPOSITE_N_STAGES;
}

const char *index_stage_names(void) {
    return "raw, denominated, imputed, screened, treated, normalised, weights, aggregated";
}

static const char *drop_name(uint8_t drop) {
    switch (drop) {
    case COMPOSITE_DROPPED_CONSTANT:
        return "constant";
    case COMPOSITE_DROPPED_EMPTY:
        return "empty";
    case COMPOSITE_DROPPED_AVAILABILITY:
        return "availability";
    default:
        return NULL;
    }
}

static const char *treat_name(enum composite_treat_kind k) {
    static const char *const names[] = {"none",   "winsorise",   "log",    "log_shift",
                                        "log_ct", "log_ct_plus", "box_cox"};
    return names[k];
}

/* Column of the table's areas of column j of a stage. */
static size_t table_column_of(const struct index_study *s, enum composite_stage stage, size_t j) {
    size_t at = s->result.area[stage] == NULL ? j : s->result.area[stage][j];
    return s->column_of == NULL ? at : s->column_of[at];
}

static const char *area_code(const struct index_study *s, enum composite_stage stage, size_t j) {
    return s->data.data.area[table_column_of(s, stage, j)];
}

static const char *area_name(const struct index_study *s, enum composite_stage stage, size_t j) {
    return s->data.name[table_column_of(s, stage, j)];
}

static size_t rows_of(const struct index_study *s, enum composite_stage stage) {
    return stage == COMPOSITE_AGGREGATED ? s->tree.n_node : s->tree.n_ind;
}

/* Name of a node of the tree that was run. */
static const char *node_name(const struct index_study *s, size_t node) {
    size_t at = index_frame_node(&s->frame, s->tree.code[node]);
    return at == SIZE_MAX ? s->tree.code[node] : s->frame.name[at];
}

static int by_rank(const void *a, const void *b) {
    const struct report_row *x = a, *y = b;
    if (x->period != y->period) return x->period < y->period ? -1 : 1;
    /* No rank, 0, comes last. */
    if (x->rank != y->rank) return x->rank - 1 < y->rank - 1 ? -1 : 1;
    return x->column < y->column ? -1 : 1;
}

const struct report_row *report_rows(const struct index_study *s, struct arena *a) {
    size_t n = s->result.n_area[COMPOSITE_AGGREGATED];
    struct report_row *rows = ARENA_NEW(a, struct report_row, n + 1);
    for (size_t j = 0; rows != NULL && j < n; j++) {
        size_t own = table_column_of(s, COMPOSITE_AGGREGATED, j);
        const uint32_t *period = s->columns.period;
        rows[j] = (struct report_row){.period = period == NULL ? 0 : period[own],
                                      .rank = s->result.rank[j],
                                      .column = (uint32_t)j,
                                      .own = own};
    }
    if (rows != NULL) qsort(rows, n, sizeof *rows, by_rank);
    return rows;
}

/* ---- JSON ---- */

/* Areas that are not among those told. */
static void json_screened(struct jw *w, const struct index_study *s) {
    const struct composite_result *r = &s->result;
    size_t n = r->n_area[COMPOSITE_AGGREGATED], k = 0;
    jw_key(w, "screened_out");
    jw_arr(w);
    for (size_t j = 0; j < s->columns.n_area && n < s->columns.n_area; j++) {
        if (k < n && r->area[COMPOSITE_AGGREGATED][k] == j) {
            k++;
            continue;
        }
        jw_str(w, s->columns.area[j]);
    }
    jw_end(w, ']');
}

static void json_notes(struct jw *w, const struct index_study *s) {
    const struct composite_result *r = &s->result;
    json_screened(w, s);
    jw_key(w, "dropped");
    jw_arr(w);
    for (size_t i = 0; i < s->tree.n_ind; i++) {
        if (r->dropped[i] == COMPOSITE_KEPT) continue;
        jw_obj(w);
        jw_kstr(w, "code", s->tree.code[i]);
        jw_kstr(w, "reason", drop_name(r->dropped[i]));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_key(w, "imputation");
    jw_obj(w);
    jw_kint(w, "filled", (int64_t)r->n_imputed);
    jw_kint(w, "still_missing", (int64_t)r->n_still_missing);
    jw_kint(w, "em_iterations", r->em_iterations);
    jw_end(w, '}');
    jw_key(w, "comparisons");
    jw_arr(w);
    for (size_t k = 0; k < r->n_ahp; k++) {
        jw_obj(w);
        jw_kstr(w, "code", s->tree.code[r->ahp[k].parent]);
        jw_kdouble(w, "lambda_max", r->ahp[k].lambda_max);
        jw_kdouble(w, "consistency_index", r->ahp[k].ci);
        jw_kdouble(w, "consistency_ratio", r->ahp[k].cr);
        jw_kbool(w, "inconsistent", r->ahp[k].inconsistent);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_kdouble(w, "importance_miss", r->importance_miss);
    jw_kbool(w, "verified", r->verified);
    jw_kstr(w, "unverified", r->unverified);
}

static void json_treated(struct jw *w, const struct index_study *s) {
    jw_key(w, "treated");
    jw_arr(w);
    for (size_t i = 0; s->result.treated != NULL && i < s->tree.n_ind; i++) {
        const struct composite_treated *t = &s->result.treated[i];
        if (t->kind == COMPOSITE_TREAT_NONE) continue;
        jw_obj(w);
        jw_kstr(w, "code", s->tree.code[i]);
        jw_kstr(w, "method", treat_name(t->kind));
        jw_kdouble(w, "skew_before", t->skew_before);
        jw_kdouble(w, "kurtosis_before", t->kurtosis_before);
        jw_kdouble(w, "skew_after", t->skew_after);
        jw_kdouble(w, "kurtosis_after", t->kurtosis_after);
        jw_kbool(w, "passes", t->pass_after);
        jw_kint(w, "winsorised_high", t->n_high);
        jw_kint(w, "winsorised_low", t->n_low);
        jw_kdouble(w, "lambda", t->lambda);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void json_nodes(struct jw *w, const struct index_study *s) {
    jw_key(w, "nodes");
    jw_arr(w);
    for (size_t i = 0; i < s->tree.n_node; i++) {
        jw_obj(w);
        jw_kstr(w, "code", s->tree.code[i]);
        jw_kstr(w, "name", node_name(s, i));
        jw_kint(w, "level", s->tree.level[i]);
        jw_kstr(w, "parent",
                s->tree.parent[i] == COMPOSITE_NONE ? NULL : s->tree.code[s->tree.parent[i]]);
        jw_kdouble(w, "weight", s->result.weight[i]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void json_area(struct jw *w, const struct index_study *s, enum composite_stage stage,
                      size_t j) {
    size_t own = table_column_of(s, stage, j);
    jw_kstr(w, "code", s->data.data.area[own]);
    jw_kstr(w, "name", s->data.name[own]);
    if (s->data.data.time != NULL) jw_kdouble(w, "time", s->data.data.time[own]);
}

/* Values of rows first .. first + n - 1 of one area, as a map by code. */
static void json_values(struct jw *w, const struct index_study *s, enum composite_stage stage,
                        size_t j, size_t first, size_t end) {
    const double *v = s->result.stage[stage];
    size_t n = s->result.n_area[stage];
    for (size_t i = first; i < end; i++) jw_kdouble(w, s->tree.code[i], v[i * n + j]);
}

static void json_scores(struct jw *w, const struct index_study *s, const struct report_row *order) {
    enum composite_stage stage = COMPOSITE_AGGREGATED;
    size_t n = s->result.n_area[stage], last = s->tree.n_node - 1;
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t k = 0; k < n; k++) {
        size_t j = order[k].column;
        jw_obj(w);
        json_area(w, s, stage, j);
        jw_key(w, "rank");
        if (s->result.rank[j] == 0)
            jw_null(w);
        else
            jw_int(w, s->result.rank[j]);
        jw_kdouble(w, "score", s->result.stage[stage][last * n + j]);
        jw_key(w, "scores");
        jw_obj(w);
        json_values(w, s, stage, j, s->tree.n_ind, last);
        jw_end(w, '}');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void json_stage(struct jw *w, const struct index_study *s, enum composite_stage stage) {
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t j = 0; j < s->result.n_area[stage]; j++) {
        jw_obj(w);
        json_area(w, s, stage, j);
        jw_key(w, "values");
        jw_obj(w);
        json_values(w, s, stage, j, 0, rows_of(s, stage));
        jw_end(w, '}');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static const char *stage_name(enum composite_stage stage) {
    for (size_t k = 0; k < N_STAGE_ROWS; k++) {
        if (stage_rows[k].stage == stage) return stage_rows[k].name;
    }
    return "scores";
}

void index_report_json(const struct index_study *s, enum composite_stage stage, struct buf *out) {
    struct jw w;
    struct arena *a = arena_new((size_t)64 << 20);
    const struct report_row *order = a == NULL ? NULL : report_rows(s, a);
    if (order == NULL) {
        out->failed = out->no_memory = true;
        arena_free(a);
        return;
    }
    jw_init(&w, out);
    jw_obj(&w);
    jw_kstr(&w, "index", s->tree.code[s->tree.n_node - 1]);
    jw_kstr(&w, "stage", stage_name(stage));
    json_notes(&w, s);
    json_treated(&w, s);
    json_nodes(&w, s);
    if (stage == COMPOSITE_N_STAGES)
        json_scores(&w, s, order);
    else if (stage != COMPOSITE_WEIGHTED)
        json_stage(&w, s, stage);
    jw_end(&w, '}');
    buf_char(out, '\n');
    arena_free(a);
}

/* ---- CSV ---- */

static void csv_number(struct buf *out, double v) {
    if (isnan(v))
        csv_field(out, "", false);
    else {
        struct buf text;
        struct jw w;
        buf_init(&text, 64);
        jw_init(&w, &text);
        jw_double(&w, v);
        csv_field(out, buf_text(&text), false);
        buf_deinit(&text);
    }
}

static void csv_weights(const struct index_study *s, struct buf *out) {
    buf_str(out, "iCode,Level,Parent,Weight,Dropped\n");
    for (size_t i = 0; i < s->tree.n_node; i++) {
        char level[16];
        (void)snprintf(level, sizeof level, "%d", s->tree.level[i]);
        csv_safe_field(out, s->tree.code[i], true);
        csv_field(out, level, false);
        csv_safe_field(
            out, s->tree.parent[i] == COMPOSITE_NONE ? "" : s->tree.code[s->tree.parent[i]], false);
        csv_number(out, s->result.weight[i]);
        const char *why = i < s->tree.n_ind ? drop_name(s->result.dropped[i]) : NULL;
        csv_field(out, why == NULL ? "" : why, false);
        csv_end(out);
    }
}

static void csv_head(const struct index_study *s, struct buf *out, bool scores, size_t first,
                     size_t end) {
    csv_field(out, "uCode", true);
    csv_field(out, "uName", false);
    if (s->data.data.time != NULL) csv_field(out, "Time", false);
    if (scores) csv_field(out, "Rank", false);
    if (scores) csv_safe_field(out, s->tree.code[s->tree.n_node - 1], false);
    for (size_t i = first; i < end; i++) csv_safe_field(out, s->tree.code[i], false);
    csv_end(out);
}

void index_report_csv(const struct index_study *s, enum composite_stage stage, struct buf *out) {
    if (stage == COMPOSITE_WEIGHTED) {
        csv_weights(s, out);
        return;
    }
    bool scores = stage == COMPOSITE_N_STAGES;
    enum composite_stage from = scores ? COMPOSITE_AGGREGATED : stage;
    size_t first = scores ? s->tree.n_ind : 0, last = s->tree.n_node - 1;
    size_t end = scores ? last : rows_of(s, stage), n = s->result.n_area[from];
    const double *v = s->result.stage[from];
    struct arena *a = arena_new((size_t)64 << 20);
    const struct report_row *order = a == NULL ? NULL : report_rows(s, a);
    if (order == NULL) out->failed = out->no_memory = true;
    csv_head(s, out, scores, first, end);
    for (size_t k = 0; order != NULL && k < n; k++) {
        size_t j = scores ? order[k].column : k;
        csv_safe_field(out, area_code(s, from, j), true);
        csv_safe_field(out, area_name(s, from, j), false);
        if (s->data.data.time != NULL)
            csv_number(out, s->data.data.time[table_column_of(s, from, j)]);
        if (scores) csv_number(out, s->result.rank[j] == 0 ? (double)NAN : s->result.rank[j]);
        if (scores) csv_number(out, v[last * n + j]);
        for (size_t i = first; i < end; i++) csv_number(out, v[i * n + j]);
        csv_end(out);
    }
    arena_free(a);
}
