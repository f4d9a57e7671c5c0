#include "domain/measure/survey_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "domain/measure/index_json.h"
#include "num/survey/survey.h"
#include "store/statements.h"

enum { MAX_WAVES = 400, OUTCOMES_ARENA = 1 << 16 };
/* Columns of STMT_SURVEY_WAVES and STMT_SURVEY_SHARES. */
enum {
    WAVE_NAME,
    WAVE_EDITION,
    WAVE_HASH,
    WAVE_OUTCOMES,
    WAVE_RESPONSE,
    WAVE_COOPERATION,
    WAVE_EFFECT,
    WAVE_TRIMMED,
    WAVE_JOINED,
    WAVE_OFF,
    WAVE_SMALLEST,
    WAVE_LARGEST,
    WAVE_AREAS_DRAWN,
    WAVE_AREAS_ALL,
    WAVE_VERSION
};
enum {
    SHARE_QUESTION,
    SHARE_AREA,
    SHARE_LEVEL,
    SHARE_DRAWN,
    SHARE_ANSWERS,
    SHARE_RESPONSE,
    SHARE_VALUE,
    SHARE_SE,
    SHARE_LOW,
    SHARE_HIGH,
    SHARE_EFFECTIVE,
    SHARE_ENOUGH
};

static double real_of(const struct cursor *c, int col) {
    return cursor_is_null(c, col) ? NAN : cursor_real(c, col);
}

/* ---- what is asked */

static void put_strata(struct jw *w, const struct survey_def *d) {
    jw_key(w, "strata");
    jw_arr(w);
    for (size_t i = 0; i < d->n_strata; i++) {
        const struct survey_stratum *s = &d->stratum[i];
        jw_obj(w);
        jw_kstr(w, "stratum", s->name);
        index_text_json(w, "title", &s->title);
        jw_key(w, "values");
        jw_arr(w);
        for (size_t k = 0; k < s->n_values; k++) {
            jw_obj(w);
            jw_kstr(w, "value", s->value[k].name);
            index_text_json(w, "title", &s->value[k].title);
            jw_kdouble(w, "share", s->value[k].share);
            jw_end(w, '}');
        }
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void put_questions(struct jw *w, const struct survey_def *d) {
    jw_key(w, "questions");
    jw_arr(w);
    for (size_t i = 0; i < d->n_questions; i++) {
        const struct survey_question *q = &d->question[i];
        jw_obj(w);
        jw_kstr(w, "question", q->name);
        index_text_json(w, "title", &q->title);
        index_text_json(w, "text", &q->text);
        jw_kstr(w, "feeds", q->feeds == NULL ? NULL : q->feeds->name);
        jw_key(w, "answers");
        jw_arr(w);
        for (size_t k = 0; k < q->n_answers; k++) {
            jw_obj(w);
            jw_kstr(w, "answer", q->answer[k].name);
            index_text_json(w, "title", &q->answer[k].title);
            jw_kbool(w, "counts", q->answer[k].counts > 0);
            jw_kbool(w, "missing", q->answer[k].counts < 0);
            jw_end(w, '}');
        }
        jw_end(w, ']');
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* The wave in the row; `whole`: with its table and how each draw ended. */
static enum err_code put_counted(struct jw *w, const struct cursor *c, bool whole, struct arena *a,
                                 struct err *err) {
    const char *text = cursor_text(c, WAVE_OUTCOMES);
    const struct val *outcomes = NULL;
    int64_t drawn = 0, answers = 0;
    TRY(json_parse(a, text, strlen(text), &outcomes, err));
    for (int o = 0; o < SURVEY_N_OUTCOMES; o++) {
        int64_t n = 0;
        TRY(val_int(outcomes, survey_outcome_name((enum survey_outcome)o), false, 0,
                    SURVEY_MAX_UNITS, &n, err));
        drawn += n;
        if (o == SURVEY_COMPLETED) answers = n;
    }
    jw_kstr(w, "wave", cursor_text(c, WAVE_NAME));
    jw_kint(w, "version", cursor_int(c, WAVE_EDITION));
    jw_kint(w, "answers", answers);
    jw_kdouble(w, "response_rate", real_of(c, WAVE_RESPONSE));
    jw_kbool(w, "restated", cursor_int(c, WAVE_VERSION) > 1);
    if (!whole) return ERR_OK;
    jw_kstr(w, "table_hash", cursor_is_null(c, WAVE_HASH) ? NULL : cursor_text(c, WAVE_HASH));
    jw_kint(w, "drawn", drawn);
    jw_key(w, "outcomes");
    jw_val(w, outcomes);
    jw_kdouble(w, "cooperation_rate", real_of(c, WAVE_COOPERATION));
    return ERR_OK;
}

static enum err_code put_wave(struct jw *w, const struct cursor *c, bool whole, struct err *err) {
    struct arena *a = arena_new(OUTCOMES_ARENA);
    if (a == NULL) return err_fail(err, ERR_NOMEM, "survey");
    enum err_code rc = put_counted(w, c, whole, a, err);
    arena_free(a);
    return rc;
}

enum err_code survey_json(struct jw *w, const struct survey_def *d, struct db *db,
                          struct err *err) {
    const struct cell p[4] = {cell_int(1), cell_text(d->name), cell_text(""), cell_int(MAX_WAVES)};
    struct cursor *c = NULL;
    jw_obj(w);
    jw_kstr(w, "survey", d->name);
    index_text_json(w, "title", &d->title);
    index_text_json(w, "population", &d->population);
    jw_kstr(w, "owner", d->owner[0] == '\0' ? NULL : d->owner);
    jw_kint(w, "version", d->version);
    jw_kstr(w, "drawn_by", area_level_name(d->level));
    put_strata(w, d);
    put_questions(w, d);
    jw_key(w, "waves");
    jw_arr(w);
    TRY(db_query(db, stmt_sql(STMT_SURVEY_WAVES), p, 4, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        jw_obj(w);
        rc = put_wave(w, c, false, err);
        jw_end(w, '}');
    }
    cursor_close(c);
    jw_end(w, ']');
    jw_end(w, '}');
    return rc;
}

/* ---- what a wave says */

static void put_share(struct jw *w, const struct cursor *c, const struct grid *g) {
    const char *code = cursor_text(c, SHARE_AREA);
    int at = grid_area_index(g, code);
    bool told = !cursor_is_null(c, SHARE_VALUE), enough = cursor_int(c, SHARE_ENOUGH) != 0;
    jw_obj(w);
    jw_kstr(w, "area", code);
    jw_kstr(w, "name", at == GRID_NONE ? NULL : g->areas[at].name);
    jw_kstr(w, "name_en", at == GRID_NONE ? NULL : g->areas[at].name_en);
    jw_kstr(w, "level", area_level_name((int)cursor_int(c, SHARE_LEVEL)));
    jw_kstr(w, "state", !told ? "below_floor" : enough ? "ok" : "too_small");
    jw_kdouble(w, "value", real_of(c, SHARE_VALUE));
    jw_kdouble(w, "low", real_of(c, SHARE_LOW));
    jw_kdouble(w, "high", real_of(c, SHARE_HIGH));
    jw_kdouble(w, "se", real_of(c, SHARE_SE));
    jw_kint(w, "n", cursor_int(c, SHARE_ANSWERS));
    jw_kdouble(w, "n_effective", real_of(c, SHARE_EFFECTIVE));
    jw_kint(w, "drawn", cursor_int(c, SHARE_DRAWN));
    jw_kdouble(w, "response_rate", real_of(c, SHARE_RESPONSE));
    jw_kbool(w, "enough", enough);
    jw_end(w, '}');
}

static void open_question(struct jw *w, const struct survey_def *d, const char *name) {
    size_t q = 0;
    while (q < d->n_questions && strcmp(d->question[q].name, name) != 0) q++;
    jw_obj(w);
    jw_kstr(w, "question", name);
    if (q < d->n_questions) {
        const struct survey_question *x = &d->question[q];
        index_text_json(w, "title", &x->title);
        index_text_json(w, "text", &x->text);
        jw_kstr(w, "feeds", x->feeds == NULL ? NULL : x->feeds->name);
    }
    jw_key(w, "areas");
    jw_arr(w);
}

static enum err_code put_shares(struct jw *w, const struct survey_def *d, const char *wave,
                                const struct grid *g, struct db *db, struct err *err) {
    const struct cell p[3] = {cell_int(1), cell_text(d->name), cell_text(wave)};
    char open[64] = "";
    struct cursor *c = NULL;
    jw_key(w, "questions");
    jw_arr(w);
    TRY(db_query(db, stmt_sql(STMT_SURVEY_SHARES), p, 3, &c, err));
    enum err_code rc = ERR_OK;
    for (bool has = true; rc == ERR_OK && has;) {
        rc = cursor_next(c, &has, err);
        if (rc != ERR_OK || !has) break;
        const char *question = cursor_text(c, SHARE_QUESTION);
        if (strcmp(open, question) != 0) {
            if (open[0] != '\0') {
                jw_end(w, ']');
                jw_end(w, '}');
            }
            open_question(w, d, question);
            (void)snprintf(open, sizeof open, "%s", question);
        }
        put_share(w, c, g);
    }
    if (open[0] != '\0') {
        jw_end(w, ']');
        jw_end(w, '}');
    }
    cursor_close(c);
    jw_end(w, ']');
    return rc;
}

static void put_weights(struct jw *w, const struct cursor *c) {
    jw_key(w, "weights");
    jw_obj(w);
    jw_kdouble(w, "design_effect", cursor_real(c, WAVE_EFFECT));
    jw_kdouble(w, "smallest", cursor_real(c, WAVE_SMALLEST));
    jw_kdouble(w, "largest", cursor_real(c, WAVE_LARGEST));
    jw_kint(w, "trimmed", cursor_int(c, WAVE_TRIMMED));
    jw_kint(w, "joined", cursor_int(c, WAVE_JOINED));
    jw_kdouble(w, "off", cursor_real(c, WAVE_OFF));
    jw_end(w, '}');
    jw_kint(w, "areas_drawn", cursor_int(c, WAVE_AREAS_DRAWN));
    jw_kint(w, "areas_all", cursor_int(c, WAVE_AREAS_ALL));
}

enum err_code survey_wave_json(struct jw *w, const struct survey_def *d, const char *wave,
                               const struct grid *g, struct db *db, struct err *err) {
    const struct cell p[4] = {cell_int(1), cell_text(d->name), cell_text(wave), cell_int(1)};
    struct cursor *c = NULL;
    bool has = false;
    TRY(db_query(db, stmt_sql(STMT_SURVEY_WAVES), p, 4, &c, err));
    enum err_code rc = cursor_next(c, &has, err);
    if (rc == ERR_OK && (!has || wave[0] == '\0'))
        rc = err_fail(err, ERR_NOT_FOUND, "survey %s has no wave \"%.30s\"", d->name, wave);
    if (rc == ERR_OK) {
        jw_obj(w);
        jw_kstr(w, "survey", d->name);
        index_text_json(w, "title", &d->title);
        index_text_json(w, "population", &d->population);
        rc = put_wave(w, c, true, err);
        put_weights(w, c);
    }
    cursor_close(c);
    if (rc == ERR_OK) rc = put_shares(w, d, wave, g, db, err);
    if (rc == ERR_OK) jw_end(w, '}');
    return rc;
}
