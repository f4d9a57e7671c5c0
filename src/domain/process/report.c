#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "domain/identity/follow.h"
#include "domain/process/clock.h"
#include "domain/process/engine.h"
#include "domain/process/field.h"
#include "domain/process/limit.h"
#include "domain/process/serial.h"
#include "domain/process/stage.h"
#include "domain/process/step.h"

enum { MAX_PARTIES = 8, MAX_PHOTOS = 9, MAX_CHANNEL = 40, MAX_PARTY_NAME = 120 };

static enum err_code check_text(const char *s, size_t max, const char *pointer, struct err *err) {
    if (s == NULL || strlen(s) <= max) return ERR_OK;
    (void)err_fail(err, ERR_INVALID, "the text has %zu bytes; at most %zu are taken", strlen(s),
                   max);
    return err_field(err, ERR_INVALID, pointer);
}

static int64_t field_max(const struct engine *e, enum case_field f) {
    int64_t max = e->case_type->fields[e->case_col[f]].max;
    return max > 0 ? max : 4000;
}

static enum err_code check_place(const struct report *in, struct err *err) {
    if (!in->has_place) {
        if (!in->cls->needs_place) return ERR_OK;
        (void)err_fail(err, ERR_INVALID, "a report of class %s needs lon and lat", in->cls->id);
        return err_field(err, ERR_INVALID, "/lon");
    }
    if (!isfinite(in->lon) || in->lon < -180 || in->lon > 180) {
        (void)err_fail(err, ERR_INVALID, "lon is outside -180..180");
        return err_field(err, ERR_INVALID, "/lon");
    }
    if (!isfinite(in->lat) || in->lat < -90 || in->lat > 90) {
        (void)err_fail(err, ERR_INVALID, "lat is outside -90..90");
        return err_field(err, ERR_INVALID, "/lat");
    }
    return ERR_OK;
}

static enum err_code check(const struct engine *e, const struct report *in, struct err *err) {
    TRY(check_place(in, err));
    TRY(check_text(in->description, (size_t)field_max(e, CASE_description), "/description", err));
    TRY(check_text(in->place_text, (size_t)field_max(e, CASE_place_text), "/place", err));
    TRY(check_text(in->contact, (size_t)field_max(e, CASE_contact), "/contact", err));
    TRY(check_text(in->channel, MAX_CHANNEL, "/channel", err));
    if (in->n_photos > MAX_PHOTOS) {
        (void)err_fail(err, ERR_LIMIT, "%zu photos; at most %d are taken", in->n_photos,
                       MAX_PHOTOS);
        return err_field(err, ERR_LIMIT, "/media");
    }
    if (in->n_parties > MAX_PARTIES) {
        (void)err_fail(err, ERR_LIMIT, "%zu parties; at most %d are taken", in->n_parties,
                       MAX_PARTIES);
        return err_field(err, ERR_LIMIT, "/parties");
    }
    for (size_t i = 0; i < in->n_parties; i++) {
        TRY(check_text(in->parties[i].name, MAX_PARTY_NAME, "/parties", err));
        TRY(check_text(in->parties[i].contact, MAX_PARTY_NAME, "/parties", err));
        TRY(check_text(in->parties[i].statement, (size_t)field_max(e, CASE_description), "/parties",
                       err));
    }
    return ERR_OK;
}

static const struct state_def *initial_state(const struct process_def *p) {
    for (size_t i = 0; i < p->n_states; i++) {
        if (p->states[i].initial) return &p->states[i];
    }
    return NULL; /* the loader refuses such a process */
}

static const char *area_code(const struct grid *g, int index) {
    return index == GRID_NONE ? NULL : g->areas[index].code;
}

static void set_place(const struct engine *e, struct case_row *r, const struct grid *g,
                      const struct place *pl) {
    static const enum case_field level_field[GRID_LEVELS] = {CASE_N, CASE_city, CASE_county,
                                                             CASE_town, CASE_community};
    for (int level = LEVEL_CITY; level <= LEVEL_COMMUNITY; level++) {
        case_set(e, r, level_field[level], cell_text(area_code(g, pl->at[level])));
    }
    if (pl->cell != GRID_NONE) {
        case_set(e, r, CASE_cell, cell_text(g->cells[pl->cell].code));
        case_set(e, r, CASE_layer, cell_text(g->cells[pl->cell].layer));
    }
    if (pl->post != GRID_NONE) case_set(e, r, CASE_post, cell_int(g->posts[pl->post].id));
}

/* JSON list of the photos' hashes, NULL cell when there is none. */
static struct cell photos_cell(struct arena *a, const char *const *photos, size_t n) {
    if (n == 0) return cell_null();
    struct buf b;
    buf_init(&b, 4096);
    struct jw w;
    jw_init(&w, &b);
    jw_arr(&w);
    for (size_t i = 0; i < n; i++) jw_str(&w, photos[i]);
    jw_end(&w, ']');
    char *s = b.failed ? NULL : arena_dup(a, buf_text(&b), b.n);
    buf_deinit(&b);
    return cell_text(s);
}

/* A city's own fields of the case type, by their kinds. */
static enum err_code set_extra(const struct engine *e, struct case_row *r, const struct val *extra,
                               struct err *err) {
    for (size_t i = 0; extra != NULL && extra->type == VAL_MAP && i < extra->n; i++) {
        const struct val_pair *p = &extra->u.map[i];
        int col = type_field(e->case_type, p->key);
        const struct field_def *f = col < 0 ? NULL : &e->case_type->fields[col];
        if (f == NULL || f->engine) {
            (void)err_fail(err, ERR_INVALID, "a report has no field \"%s\"", p->key);
            return err_field(err, ERR_INVALID, "/fields");
        }
        TRY(field_cell(e->packs, f, &p->v, &r->cells[col], err));
    }
    for (size_t i = 0; i < e->case_type->n_fields; i++) {
        const struct field_def *f = &e->case_type->fields[i];
        if (!f->required || f->engine || r->cells[i].type != CELL_NULL) continue;
        (void)err_fail(err, ERR_INVALID, "field \"%s\" is required", f->name);
        return err_field(err, ERR_INVALID, "/fields");
    }
    return ERR_OK;
}

static enum err_code add_parties(const struct engine *e, struct tx *tx, const struct report *in,
                                 struct reported *out, const char *code, struct err *err) {
    const struct table *t = &e->party_type->table;
    for (size_t i = 0; i < in->n_parties; i++) {
        struct cell *cells = ARENA_NEW(tx_arena(tx), struct cell, t->n_cols);
        char *hash = ARENA_NEW(tx_arena(tx), char, FOLLOW_HASH);
        if (cells == NULL || hash == NULL) return err_fail(err, ERR_NOMEM, "party");
        char role[32];
        (void)snprintf(role, sizeof role, "party:%zu", i + 1);
        follow_new(out->party_words[i]);
        (void)follow_hash(e->secret, code, role, out->party_words[i], hash);
        const int *col = e->party_col;
        cells[col[PARTY_case_id]] = cell_int(out->row.id);
        cells[col[PARTY_kind]] = cell_text(in->parties[i].kind);
        cells[col[PARTY_name]] = cell_text(in->parties[i].name);
        cells[col[PARTY_contact]] = cell_text(in->parties[i].contact);
        cells[col[PARTY_statement]] = cell_text(in->parties[i].statement);
        cells[col[PARTY_follow_hash]] = cell_text(hash);
        int64_t id = 0;
        if (in->history != NULL)
            in->history->parties[in->history->n_parties++] = cells;
        else
            TRY(tx_insert(tx, t, cells, &id, err));
    }
    return ERR_OK;
}

static void set_holder(const struct engine *e, struct case_row *r, const struct grid *g,
                       const struct place *pl, const struct state_def *s, int64_t now_us) {
    bool worker = strcmp(s->holder, "worker") == 0 && pl->post != GRID_NONE && !pl->is_desk;
    const char *account = worker ? grid_post_account(&g->posts[pl->post], now_us) : "";
    case_set(e, r, CASE_holder, account[0] != '\0' ? cell_text(account) : cell_null());
}

static int area_index(const struct grid *g, const char *code) {
    return code == NULL || code[0] == '\0' ? GRID_NONE : grid_area_index(g, code);
}

static const char *reported_by(const struct report *in) {
    if (in->by_system) return "system";
    return in->who != NULL && !in->who->anonymous ? in->who->name : "public";
}

static const char *role_of(const struct report *in) {
    if (in->by_system) return "system";
    return in->who != NULL && in->who->role != NULL ? in->who->role->name : "resident";
}

static enum err_code fill_row(const struct engine *e, struct tx *tx, const struct grid *g,
                              const struct report *in, struct reported *out,
                              const struct process_def *p, int64_t at_us, struct err *err) {
    struct arena *a = tx_arena(tx);
    struct case_row *r = &out->row;
    const struct state_def *s = initial_state(p);
    out->place = in->has_place ? grid_place(g, g->main_layer, in->lon, in->lat, at_us)
                               : grid_place_of_area(g, area_index(g, in->area), at_us);
    const char *area = area_code(g, out->place.at[LEVEL_COUNTY]);
    if (area == NULL) area = area_code(g, out->place.at[LEVEL_CITY]);
    char *code = ARENA_NEW(a, char, CASE_CODE_MAX);
    if (code == NULL) return err_fail(err, ERR_NOMEM, "case");
    int64_t local = tz_to_local(e->tz, at_us);
    int64_t day = local >= 0 ? local / 86400000000 : (local - 86399999999) / 86400000000;
    TRY(case_serial_next(e->serials, tx, &e->case_type->table, area, day, code, err));
    case_set(e, r, CASE_code, cell_text(code));
    case_set(e, r, CASE_class, cell_text(in->cls->id));
    case_set(e, r, CASE_process, cell_text(p->name));
    case_set(e, r, CASE_state, cell_text(s->name));
    case_set(e, r, CASE_stage, cell_text(s->stage));
    case_set(e, r, CASE_channel, cell_text(in->channel != NULL ? in->channel : "web"));
    if (in->has_place) {
        case_set(e, r, CASE_lon, cell_real(in->lon));
        case_set(e, r, CASE_lat, cell_real(in->lat));
    }
    case_set(e, r, CASE_place_text, cell_text(in->place_text));
    case_set(e, r, CASE_description, cell_text(in->description));
    case_set(e, r, CASE_contact, cell_text(in->contact));
    if (in->who != NULL && !in->who->anonymous) {
        case_set(e, r, CASE_reporter_account, cell_text(in->who->name));
    }
    set_place(e, r, g, &out->place);
    set_holder(e, r, g, &out->place, s, at_us);
    case_set(e, r, CASE_opened_at, cell_int(at_us));
    case_set(e, r, CASE_clock_used_milli, cell_int(0));
    case_set(e, r, CASE_urgent, cell_int(in->cls->urgent ? 1 : 0));
    case_set(e, r, CASE_private, cell_int(in->cls->is_private ? 1 : 0));
    static const enum case_field zero[] = {CASE_released, CASE_returns, CASE_reworks,
                                           CASE_escalated, CASE_settled_in_cell};
    for (size_t i = 0; i < sizeof zero / sizeof zero[0]; i++) case_set(e, r, zero[i], cell_int(0));
    case_set(e, r, CASE_photos, photos_cell(a, in->photos, in->n_photos));
    case_set(e, r, CASE_source, cell_text(in->source));
    case_set(e, r, CASE_source_id, cell_text(in->source_id));
    limit_start(e, r, in->cls, s, at_us);
    stage_enter(e, r, s, false, at_us);
    if (in->history == NULL) TRY(clock_cover(e, tx, r, at_us, err));
    return set_extra(e, r, in->extra, err);
}

enum err_code case_report(const struct engine *e, struct tx *tx, const struct report *in,
                          struct reported *out, struct err *err) {
    memset(out, 0, sizeof *out);
    TRY(check(e, in, err));
    const struct process_def *p = pack_process(e->packs, in->cls->process);
    if (p == NULL) return err_fail(err, ERR_INTERNAL, "class %s has no process", in->cls->id);
    int64_t at_us = in->at_us != 0 ? in->at_us : tx_now_us(tx);
    const struct grid *g = grid_ref(e->grid);
    enum err_code rc = fill_row(e, tx, g, in, out, p, at_us, err);
    grid_unref(g);
    TRY(rc);
    const char *code = case_text(e, &out->row, CASE_code);
    char *hash = ARENA_NEW(tx_arena(tx), char, FOLLOW_HASH);
    if (hash == NULL) return err_fail(err, ERR_NOMEM, "case");
    if (in->with_word) {
        follow_new(out->word);
        (void)follow_hash(e->secret, code, "reporter", out->word, hash);
        case_set(e, &out->row, CASE_follow_hash, cell_text(hash));
    }
    if (in->history == NULL)
        TRY(tx_insert(tx, &e->case_type->table, out->row.cells, &out->row.id, err));
    out->row.version = 1;
    TRY(add_parties(e, tx, in, out, code, err));
    struct step s = {.move = "report",
                     .to = case_text(e, &out->row, CASE_state),
                     .actor = reported_by(in),
                     .role = role_of(in),
                     .photos = case_text(e, &out->row, CASE_photos)[0] != '\0'
                                   ? case_text(e, &out->row, CASE_photos)
                                   : NULL,
                     .at_us = at_us,
                     .is_public = !class_is_task(in->cls->id)};
    return step_add(e, tx, &out->row, &s, in->history, err);
}
