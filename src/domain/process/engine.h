/* domain/process/engine.h - cases and the moves between their states, as packs declare them.
 * Functions with a struct tx run inside a command on the writer thread; the rest are pure over rows
 * and snapshots. */
#ifndef DOMAIN_PROCESS_ENGINE_H
#define DOMAIN_PROCESS_ENGINE_H
#include "base/val.h"
#include "domain/grid/grid.h"
#include "domain/identity/follow.h"
#include "domain/identity/identity.h"
#include "domain/identity/rights.h"
#include "domain/pack/pack.h"

/* Fields of the case type that the engine itself reads and writes; each must exist in
 * packs/cases/types/case.yaml. */
/* clang-format off */
#define CASE_FIELDS(X) \
    X(code) X(class) X(process) X(state) X(stage) X(channel) X(lon) X(lat) X(place_text) \
    X(description) X(contact) X(reporter_account) X(follow_hash) X(layer) X(cell) \
    X(community) X(town) X(county) X(city) X(unit) X(post) X(holder) X(handler) X(due_at) \
    X(yellow_at) X(state_since) X(opened_at) X(filed_at) X(dispatched_at) X(handled_at) \
    X(closed_at) X(accepted_at) X(verified_at) X(accept_due_at) X(file_due_at) \
    X(dispatch_due_at) X(promised_at) X(verify_due_at) X(first_unit) X(misdispatched) \
    X(clock_used_milli) X(overdue) X(urgent) X(private) X(released) X(released_text) X(photos) \
    X(result_note) X(result_photos) X(returns) X(reworks) X(escalated) X(score) X(score_note) X(duplicate_of) X(settled_in_cell) X(source) \
    X(source_id) X(unconfirmed_due)
/* Fields of a clock that can stand and be moved (process/clock.h). A folder made before they were
 * there runs without them: their column is -1, reading gives nothing, writing does nothing. */
#define CASE_CLOCK_FIELDS(X) \
    X(paused_at) X(paused_until) X(paused_why) X(paused_due_at) X(clock_left_us) \
    X(clock_stood_us) X(emergency) X(asked) X(asked_by) X(asked_until) X(asked_days) \
    X(suspended_at) X(suspensions) X(extensions)
/* Fields of a case that a worker confirms before it is filed (process/confirm.h): may be missing
 * likewise, and then no state of stage "confirm" loads. */
#define CASE_CONFIRM_FIELDS(X) X(confirm_due_at) X(confirmed_at) X(confirm_left_us)
#define STEP_FIELDS(X) \
    X(case_id) X(move) X(from_state) X(to_state) X(at) X(actor) X(role) X(unit) X(post) \
    X(note) X(reason) X(photos) X(elapsed_milli) X(due_at) X(public) X(counts_as)
/* May be missing, as above: what a step asked for or gave. */
#define STEP_CLOCK_FIELDS(X) X(until) X(days)
/* clang-format on */
#define PARTY_FIELDS(X) X(case_id) X(kind) X(name) X(contact) X(statement) X(follow_hash) X(agreed)

enum case_field {
#define X(f) CASE_##f,
    CASE_FIELDS(X)
#undef X
        CASE_N,
#define X(f) CASE_##f,
    CASE_CLOCK_FIELDS(X)
#undef X
        CASE_CLOCK_N,
#define X(f) CASE_##f,
    CASE_CONFIRM_FIELDS(X)
#undef X
        CASE_ALL
};
enum step_field {
#define X(f) STEP_##f,
    STEP_FIELDS(X)
#undef X
        STEP_N,
#define X(f) STEP_##f,
    STEP_CLOCK_FIELDS(X)
#undef X
        STEP_ALL
};
enum party_field {
#define X(f) PARTY_##f,
    PARTY_FIELDS(X)
#undef X
        PARTY_N
};

struct case_row;
struct engine;
/* Who else may hold a clock: asked in the writer for each clock that is about to start, with the
 * row as it will be written. *emergency: the row id of the emergency that holds it, or 0. */
struct clock_holder {
    enum err_code (*covering)(const void *ctx, struct tx *tx, const struct engine *e,
                              const struct case_row *r, int64_t *emergency, struct err *err);
    const void *ctx;
};

enum { CASE_MAX_COLS = 96 }; /* engine fields plus what a city adds */

struct engine {
    const struct pack_set *packs;
    const struct type_def *case_type, *step_type, *party_type;
    int case_col[CASE_ALL], step_col[STEP_ALL], party_col[PARTY_N]; /* -1: no such field */
    bool clocks_stop; /* the types have all of CASE_CLOCK_FIELDS and STEP_CLOCK_FIELDS */
    const struct work_calendar *calendar;
    const struct tz *tz;
    const unsigned char *secret;  /* 32 bytes, for follow words */
    struct grid_service *grid;    /* NULL in tests that give places themselves */
    struct case_serials *serials; /* next serial per area and day; writer thread only */
    struct clock_holder holder;   /* set once, before the first command; may be empty */
};
/* Resolve every field and check that processes fit. Errors: ERR_INVALID naming the missing field.
 * Everything is arena-owned. */
enum err_code engine_new(struct arena *a, const struct pack_set *packs, const struct tz *tz,
                         const unsigned char *secret, struct grid_service *grid,
                         struct engine **out, struct err *err) NODISCARD;

/* One case as read: cells by column of the type's table. */
struct case_row {
    int64_t id, version;
    struct cell cells[CASE_MAX_COLS];
};
const char *case_text(const struct engine *e, const struct case_row *r,
                      enum case_field f); /* "" when null */
int64_t case_int(const struct engine *e, const struct case_row *r,
                 enum case_field f); /* 0 when null */
bool case_has(const struct engine *e, const struct case_row *r, enum case_field f);
double case_real(const struct engine *e, const struct case_row *r,
                 enum case_field f); /* NaN when null */
void case_set(const struct engine *e, struct case_row *r, enum case_field f, struct cell value);
/* Append the column list id, version, ... of the case table, in the order case_row_read expects
 * (for list queries). */
void case_select(const struct engine *e, struct sql *s, const char *alias);
void case_row_read(const struct engine *e, const struct cursor *c, int first_col, struct arena *a,
                   struct case_row *out);
/* Whether a column is one that the engine fills itself (CASE_FIELDS), not one that a city added. */
bool case_is_engine_column(const struct engine *e, int col);
/* By code. ERR_NOT_FOUND. */
enum err_code case_load(const struct engine *e, struct db *db, const char *code, struct arena *a,
                        struct case_row *out, struct err *err) NODISCARD;

/* Whether the row is within this person's rights. */
bool case_may(const struct engine *e, const struct case_row *r, const struct principal *who);
struct rights_case case_rights(const struct engine *e, const struct case_row *r);

/* LIGHT_PAUSED: the clock stands, with approval; neither in time nor late. */
enum case_light {
    LIGHT_NONE = 0,
    LIGHT_GREEN = 1,
    LIGHT_YELLOW = 2,
    LIGHT_RED = 3,
    LIGHT_PAUSED = 4
};
enum case_light case_light(const struct engine *e, const struct case_row *r, int64_t now_us);

/* ---- a case that has a past: imports and the demo city ---- */
/* Report and moves made with the same history write nothing; case_history_write then inserts the
 * case as it stands at the end, its parties and all its steps. All within one command; memory is
 * the command's arena. */
enum { HISTORY_MAX_STEPS = 64 };
struct case_history {
    struct cell *steps[HISTORY_MAX_STEPS];
    size_t n_steps;
    struct cell *parties[8];
    size_t n_parties;
};
enum err_code case_history_write(const struct engine *e, struct tx *tx, struct case_row *r,
                                 struct case_history *h, struct err *err) NODISCARD;

/* ---- report ---- */
struct party_in {
    const char *kind, *name, *contact, *statement;
};
struct report {
    const struct case_class *cls;
    bool has_place;
    double lon, lat;
    const char *place_text, *description, *contact, *channel; /* NULL or text */
    const char *const *photos;
    size_t n_photos; /* blob hashes */
    const struct party_in *parties;
    size_t n_parties;
    const struct val *extra; /* map of further fields of the type (city's own), or NULL */
    int64_t at_us;           /* when it came in; 0 = now (imports and the demo give their own) */
    const char *source, *source_id; /* import key or NULL */
    const struct principal *who;
    bool with_word;   /* make a follow word */
    const char *area; /* without a place: the area it is about (code), or NULL: the whole ledger */
    bool by_system;   /* the program itself opens it: who is NULL */
    struct case_history *history; /* NULL: write at once */
};
struct reported {
    struct case_row row;
    char word[FOLLOW_WORD];           /* "" when none was asked */
    char party_words[8][FOLLOW_WORD]; /* one per party */
    struct place place;
};
/* Check, locate, open the case in its initial state with its clock, write case, parties and first
 * step. Errors: ERR_INVALID with the field, ERR_LIMIT. */
enum err_code case_report(const struct engine *e, struct tx *tx, const struct report *in,
                          struct reported *out, struct err *err) NODISCARD;

/* ---- moves ---- */
enum actor_kind { ACTOR_STAFF = 1, ACTOR_REPORTER = 2, ACTOR_PARTY = 3, ACTOR_SYSTEM = 4 };
struct actor {
    enum actor_kind kind;
    const struct principal *who; /* staff; NULL otherwise */
    int64_t party;               /* row id for a party */
};
/* Whether the move may be made now; *why (may be NULL) is told when it may not because of the guard
 * or bounce limit. Role, state and scope decide silently. */
bool move_allowed(const struct engine *e, const struct case_row *r, const struct move_def *m,
                  const struct actor *actor, struct text *why);
/* Whether a role has the next move in a state: some move from it names the role and it is the
 * state's holder's turn. */
bool state_waits_for(const struct process_def *p, const struct state_def *s, const char *role);
/* Moves to offer, in pack order, at most max; those barred by a guard come with why set. */
struct offered_move {
    const struct move_def *move;
    struct text why; /* zh NULL: it may be made */
};
size_t moves_offered(const struct engine *e, const struct case_row *r, const struct actor *actor,
                     struct offered_move *out, size_t max);
/* Make a move. expect = version the caller saw or -1. inputs: a map. at_us 0 = now; history NULL =
 * write at once. The row is updated in place (version too). Errors: ERR_FORBIDDEN, ERR_CONFLICT
 * (state has moved on), ERR_STALE, ERR_INVALID with the input's pointer, ERR_LIMIT bounce. */
enum err_code case_move(const struct engine *e, struct tx *tx, struct case_row *r, const char *move,
                        const struct actor *actor, const struct val *inputs, int64_t expect,
                        int64_t at_us, struct case_history *history, struct err *err) NODISCARD;

/* ---- clocks ---- */
/* Let clocks run again whose date has come, mark what fell due before now as overdue and make the
 * packs' overdue moves, at most max cases; *n done. Runs in a command of "system". `watch` is told
 * of each overdue move, in the same command; NULL: nobody is. */
struct clock_watch {
    enum err_code (*moved)(struct tx *tx, const struct case_row *r, const char *move, void *ctx,
                           struct err *err);
    void *ctx;
};
enum err_code clock_tick(const struct engine *e, struct tx *tx, int64_t max,
                         const struct clock_watch *watch, int64_t *n, struct err *err) NODISCARD;
/* Earliest due time not yet marked or date at which a clock runs again, or INT64_MAX. */
enum err_code clock_next(const struct engine *e, struct db *db, int64_t *at_us,
                         struct err *err) NODISCARD;

/* ---- similar open cases: same class within radius metres, newest first ---- */
struct similar {
    int64_t id;
    const char *code, *cls, *state;
    double distance_m, lon, lat; /* the exact place: not for strangers */
    int64_t opened_us;
};
enum err_code case_similar(const struct engine *e, struct db *db, const char *cls, double lon,
                           double lat, double radius_m, int64_t not_id, struct arena *a,
                           struct similar *out, size_t max, size_t *n, struct err *err) NODISCARD;
#endif
