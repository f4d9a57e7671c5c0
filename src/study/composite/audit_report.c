/* The audit as JSON. Keys are a contract: docs/statistics/index-audit.md. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "study/composite/audit_inside.h"

const char *audit_area_code(const struct audit *t, size_t area) {
    return t->study->columns.area[t->column[area]];
}

const char *audit_area_name(const struct audit *t, size_t area) {
    uint32_t c = t->column[area];
    return t->study->data.name[t->study->column_of == NULL ? c : t->study->column_of[c]];
}

double audit_value(const struct audit *t, size_t node, size_t area) {
    size_t rows = t->study->result.n_area[COMPOSITE_AGGREGATED];
    return t->row[area] == SIZE_MAX
               ? NAN
               : t->study->result.stage[COMPOSITE_AGGREGATED][node * rows + t->row[area]];
}

double audit_part(const struct audit *t, size_t node, size_t area) {
    size_t rows = t->study->result.n_area[COMPOSITE_AGGREGATED];
    return t->row[area] == SIZE_MAX ? NAN : t->part[node * rows + t->row[area]];
}

const char *audit_state_name(enum corr_state s) {
    return s == CORR_OK ? "ok" : s == CORR_FEW ? "too_few_areas" : "constant";
}

static const char *code_of(const struct audit *t, size_t node) { return t->study->tree.code[node]; }

/* A number, or null where there is none. */
static void number_if(struct jw *w, const char *key, bool there, double v) {
    if (there) {
        jw_kdouble(w, key, v);
    } else {
        jw_key(w, key);
        jw_null(w);
    }
}

static void structure(const struct audit *t, struct jw *w) {
    jw_key(w, "structure");
    jw_obj(w);
    jw_kbool(w, "verified", true);
    jw_key(w, "families");
    jw_arr(w);
    for (size_t k = 0; k < t->n_family; k++) {
        const struct audit_family *f = &t->family[k];
        bool alpha = f->alpha.state == CORR_OK, pca = f->pca.state == CORR_OK;
        jw_obj(w);
        jw_kstr(w, "node", code_of(t, f->node));
        jw_kint(w, "children", (int64_t)f->n_child);
        jw_kint(w, "areas", (int64_t)f->alpha.n_areas);
        jw_kstr(w, "state", audit_state_name(f->alpha.state));
        number_if(w, "alpha", alpha, f->alpha.raw);
        number_if(w, "alpha_standardized", alpha, f->alpha.standardized);
        jw_key(w, "eigenvalues");
        jw_arr(w);
        for (size_t i = 0; pca && i < f->n_child; i++) jw_double(w, f->pca.eigenvalue[i]);
        jw_end(w, ']');
        jw_key(w, "first_loadings");
        jw_arr(w);
        for (size_t i = 0; pca && i < f->n_child; i++) jw_double(w, f->pca.loading[i]);
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void weights(const struct audit *t, struct jw *w) {
    const struct composite_tree *tree = &t->study->tree;
    jw_key(w, "weights");
    jw_obj(w);
    /* The smooth main effect has no peer value; it is tested by simulation. */
    jw_kbool(w, "verified", false);
    jw_key(w, "nodes");
    jw_arr(w);
    for (size_t i = 0; i + 1 < tree->n_node; i++) {
        bool effect = t->effect[i].state == CORR_OK;
        jw_obj(w);
        jw_kstr(w, "node", code_of(t, i));
        jw_kint(w, "level", tree->level[i]);
        jw_kstr(w, "parent", code_of(t, tree->parent[i]));
        jw_kdouble(w, "weight", t->study->result.weight[i]);
        number_if(w, "share", i < tree->n_ind, i < tree->n_ind ? t->share[i] : 0);
        jw_kstr(w, "state", audit_state_name(t->effect[i].state));
        number_if(w, "spearman", t->with_index[i].state == CORR_OK, t->with_index[i].r);
        number_if(w, "r2", effect, t->effect[i].linear);
        number_if(w, "main_effect", effect, t->effect[i].smooth);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void rank_fields(const struct audit *t, size_t i, struct jw *w) {
    const struct rank_interval *b = &t->band[i];
    bool ranked = t->space->nominal[i] != 0, drawn = b->n > 0;
    number_if(w, "score", ranked, t->space->nominal_score[i]);
    jw_kint(w, "rank", t->space->nominal[i]);
    number_if(w, "mean", drawn, b->mean);
    number_if(w, "median", drawn, b->median);
    jw_kint(w, "low", b->low);
    jw_kint(w, "high", b->high);
    jw_kint(w, "min", b->min);
    jw_kint(w, "max", b->max);
    number_if(w, "shift", drawn && ranked, b->shift);
    number_if(w, "better", drawn && ranked, b->better);
    jw_kint(w, "draws", (int64_t)b->n);
}

static void ranks(const struct audit *t, struct jw *w) {
    jw_key(w, "ranks");
    jw_obj(w);
    jw_kbool(w, "verified", true);
    jw_kint(w, "draws", (int64_t)t->plan.draws);
    jw_kdouble(w, "band", t->plan.band);
    jw_kbool(w, "assumed_choices", t->plan.assumed);
    jw_key(w, "choices");
    jw_arr(w);
    for (size_t k = 0; k < t->space->n_input; k++) {
        enum choice c = t->space->input[k];
        jw_obj(w);
        jw_kstr(w, "choice", choice_name(c));
        number_if(w, "alternatives", c != CHOICE_NOISE, (double)t->space->n_of[c]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_kdouble(w, "mean_shift", t->mean_shift);
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t i = 0; i < t->n_area; i++) {
        jw_obj(w);
        jw_kstr(w, "area", audit_area_code(t, i));
        jw_kstr(w, "name", audit_area_name(t, i));
        rank_fields(t, i, w);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
    jw_key(w, "not_distinguishable");
    jw_obj(w);
    jw_kdouble(w, "below", t->plan.distinguish);
    jw_key(w, "pairs");
    jw_arr(w);
    for (size_t k = 0; k + 1 < t->n_order; k++) {
        if (t->holds[k] >= t->plan.distinguish) continue;
        jw_obj(w);
        jw_kstr(w, "above", audit_area_code(t, t->order[k]));
        jw_kstr(w, "under", audit_area_code(t, t->order[k + 1]));
        jw_kdouble(w, "holds", t->holds[k]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void sensitivity(const struct audit *t, struct jw *w) {
    jw_key(w, "sensitivity");
    jw_arr(w);
    for (size_t k = 0; k < t->n_sobol; k++) {
        const struct audit_sobol *s = &t->sobol[k];
        jw_obj(w);
        jw_kbool(w, "verified", true);
        jw_kstr(w, "outcome", s->outcome);
        jw_kstr(w, "area", k == 1 ? audit_area_code(t, t->sobol_area) : NULL);
        jw_kint(w, "rows", (int64_t)t->plan.sobol.n);
        jw_kint(w, "runs", (int64_t)(t->plan.sobol.n * (t->space->n_input + 2)));
        jw_kstr(w, "sample", t->plan.sobol.sample == SOBOL_LATIN ? "latin" : "random");
        jw_kdouble(w, "level", t->plan.sobol.level);
        jw_kdouble(w, "mean", s->result.mean);
        jw_kdouble(w, "variance", s->result.variance);
        jw_kbool(w, "constant", s->result.constant);
        jw_key(w, "inputs");
        jw_arr(w);
        for (size_t i = 0; i < t->space->n_input; i++) {
            const struct sobol_index *x = &s->result.of[i];
            jw_obj(w);
            jw_kstr(w, "choice", choice_name(t->space->input[i]));
            jw_kdouble(w, "first", x->first);
            jw_kdouble(w, "first_low", x->first_low);
            jw_kdouble(w, "first_high", x->first_high);
            jw_kdouble(w, "total", x->total);
            jw_kdouble(w, "total_low", x->total_low);
            jw_kdouble(w, "total_high", x->total_high);
            jw_end(w, '}');
        }
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

struct audit_pairs audit_count_pairs(const struct audit *t) {
    struct audit_pairs p = {0};
    size_t n = t->n_area;
    double least = t->plan.dominance * (double)t->plan.draws;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            if (a == b) continue;
            p.of += a < b;
            p.held += (double)t->above[a * n + b] >= least;
        }
    }
    return p;
}

static void dominance(const struct audit *t, struct jw *w) {
    size_t n = t->n_area, c = t->chosen;
    jw_key(w, "dominance");
    if (t->above == NULL) {
        jw_null(w);
        return;
    }
    struct audit_pairs p = audit_count_pairs(t);
    jw_obj(w);
    jw_kbool(w, "verified", true);
    jw_kdouble(w, "share", t->plan.dominance);
    jw_kint(w, "pairs", (int64_t)p.held);
    jw_kint(w, "of", (int64_t)p.of);
    jw_key(w, "area");
    jw_str(w, c == SIZE_MAX ? NULL : audit_area_code(t, c));
    jw_key(w, "against");
    jw_arr(w);
    for (size_t i = 0; c != SIZE_MAX && i < n; i++) {
        if (i == c) continue;
        jw_obj(w);
        jw_kstr(w, "area", audit_area_code(t, i));
        jw_kdouble(w, "above", (double)t->above[c * n + i] / (double)t->plan.draws);
        jw_kdouble(w, "under", (double)t->above[i * n + c] / (double)t->plan.draws);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void contributions(const struct audit *t, struct jw *w) {
    jw_key(w, "contributions");
    if (t->chosen == SIZE_MAX || t->part == NULL) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kbool(w, "verified", t->part_by_product);
    jw_kstr(w, "scheme", t->part_by_product ? "weight_times_value" : "euler");
    jw_kstr(w, "area", audit_area_code(t, t->chosen));
    jw_key(w, "nodes");
    jw_arr(w);
    for (size_t i = 0; i < t->study->tree.n_node; i++) {
        jw_obj(w);
        jw_kstr(w, "node", code_of(t, i));
        jw_kint(w, "level", t->study->tree.level[i]);
        jw_kdouble(w, "value", audit_value(t, i, t->chosen));
        jw_kdouble(w, "part", audit_part(t, i, t->chosen));
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void what_if(const struct audit *t, struct jw *w) {
    const struct what_if_shift *s = &t->if_shift;
    jw_key(w, "what_if");
    if (!t->asked_what_if) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kint(w, "areas_compared", (int64_t)s->n);
    jw_kint(w, "moved", (int64_t)s->n_moved);
    jw_kdouble(w, "mean_shift", s->mean);
    jw_kint(w, "largest_shift", s->most);
    jw_kstr(w, "largest_area", s->most > 0 ? audit_area_code(t, s->which) : NULL);
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t i = 0; i < t->n_area; i++) {
        jw_obj(w);
        jw_kstr(w, "area", audit_area_code(t, i));
        jw_kint(w, "rank_before", t->base_rank[i]);
        jw_kint(w, "rank", t->if_rank[i]);
        jw_kdouble(w, "score", t->if_score[i]);
        jw_end(w, '}');
    }
    jw_end(w, ']');
    jw_end(w, '}');
}

static void change_area(const struct audit *t, size_t j, struct jw *w) {
    const struct audit_change *c = t->change;
    const struct change_result *r = &c->result;
    jw_obj(w);
    jw_kstr(w, "area", t->study->columns.area[c->area[j]]);
    jw_kdouble(w, "before", c->published ? r->before[j] - r->restated[j] : r->before[j]);
    jw_kdouble(w, "after", r->after[j]);
    jw_kdouble(w, "restatement", r->restated[j]);
    for (size_t f = 0; f < CHANGE_FACTORS; f++)
        jw_kdouble(w, change_name((enum change_factor)f), r->part[f][j]);
    bool chosen = t->chosen != SIZE_MAX && t->column[t->chosen] == c->area[j];
    if (chosen && r->by_node[CHANGE_INDICATORS] != NULL) {
        jw_key(w, "by_node");
        jw_arr(w);
        for (size_t i = 0; i < r->n_node; i++) {
            jw_obj(w);
            jw_kstr(w, "node", code_of(t, i));
            for (size_t f = 0; f < CHANGE_WEIGHTS; f++)
                jw_kdouble(w, change_name((enum change_factor)f), r->by_node[f][i * r->n_area + j]);
            jw_end(w, '}');
        }
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static void change(const struct audit *t, struct jw *w) {
    jw_key(w, "change");
    if (t->change == NULL) {
        jw_null(w);
        return;
    }
    jw_obj(w);
    jw_kbool(w, "verified", false);
    jw_kstr(w, "scheme", "shapley");
    jw_kbool(w, "published_given", t->change->published);
    jw_kint(w, "areas_only_before", (int64_t)t->change->n_only_before);
    jw_kint(w, "areas_only_after", (int64_t)t->change->n_only_after);
    jw_key(w, "areas");
    jw_arr(w);
    for (size_t j = 0; j < t->change->result.n_area; j++) change_area(t, j, w);
    jw_end(w, ']');
    jw_end(w, '}');
}

void audit_json(const struct audit *t, double elapsed_ms, struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    jw_obj(&w);
    jw_kstr(&w, "index", code_of(t, t->study->tree.n_node - 1));
    jw_kint(&w, "areas", (int64_t)t->n_area);
    jw_kint(&w, "indicators", (int64_t)t->study->tree.n_ind);
    jw_kdouble(&w, "time", t->time);
    jw_kint(&w, "seed", (int64_t)t->plan.seed);
    jw_kdouble(&w, "elapsed_ms", elapsed_ms);
    structure(t, &w);
    weights(t, &w);
    ranks(t, &w);
    sensitivity(t, &w);
    dominance(t, &w);
    contributions(t, &w);
    what_if(t, &w);
    change(t, &w);
    jw_end(&w, '}');
    buf_char(out, '\n');
}
