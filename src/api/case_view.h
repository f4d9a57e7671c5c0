/* api/case_view.h - one case as JSON, for each kind of reader. What a reader may see is decided
 * here and in the queries, nowhere else. */
#ifndef API_CASE_VIEW_H
#define API_CASE_VIEW_H
#include "api/app.h"

/* What rendering needs; db is a reader's or a tx's connection. */
struct view {
    const struct app *app;
    const struct grid *grid;
    struct db *db;
    struct arena *a;
    int64_t now_us;
    bool tickets; /* addresses of photos carry a ticket: for who showed the follow word */
};

/* For staff with the right to the case: the members of docs/api.md "A case". The caller opens and
 * closes the object. */
enum err_code view_case(const struct view *v, struct jw *w, const struct case_row *r,
                        struct err *err) NODISCARD;
/* route, parties, similar, moves of one case for this actor. */
enum err_code view_case_detail(const struct view *v, struct jw *w, const struct case_row *r,
                               const struct actor *actor, struct err *err) NODISCARD;
/* For anybody: class, state, dates, unit, place (exact for public assets, else rounded to 50 m);
 * text and photos only once released. Never called for a private class: the queries leave those
 * out, and this asserts it. */
enum err_code view_case_public(const struct view *v, struct jw *w, const struct case_row *r,
                               struct err *err) NODISCARD;
/* For who holds the follow word: own text, photos, public route, the moves he may make. `party` = 0
 * for the reporter. */
enum err_code view_case_follow(const struct view *v, struct jw *w, const struct case_row *r,
                               int64_t party, struct err *err) NODISCARD;

/* Member "similar": open public cases of the class within 100 m. */
enum err_code view_similar(const struct view *v, struct jw *w, const struct case_row *r,
                           struct err *err) NODISCARD;
/* The place as a stranger may know it: exact for a public asset, else rounded to 50 m. NaN stays.
 */
void view_round_place(const struct case_class *c, double *lon_deg, double *lat_deg);
/* What a stranger is shown must follow from rounded places alone: a box is asked for wider by the
 * reach of the rounding, and what lies in it is decided by the rounded place. Degrees, west south
 * east north. */
void view_widen_box(double box[4]);
bool view_in_box(const double box[4], double lon_deg, double lat_deg);
/* {"en":..,"zh":..} member. */
void view_text(struct jw *w, const char *key, const struct text *t);
/* null, or {"code","name"} of the case's cell; likewise unit and post. */
void view_cell(const struct view *v, struct jw *w, const struct case_row *r);
void view_post(const struct view *v, struct jw *w, const char *key, int64_t post_id);
const char *view_light(enum case_light light);
/* Member "paused": null, or since when and why the clock stands and when it goes on; what was left
 * and by which emergency for staff only. */
void view_paused(const struct view *v, struct jw *w, const struct case_row *r, bool staff);
/* The value of a personal column, or NULL when empty or erased. */
enum err_code view_personal(const struct view *v, const struct cell *cell, const char **out,
                            struct err *err) NODISCARD;
/* A list of photos [{"media","thumb"}] from a JSON list of hashes. */
enum err_code view_photos(const struct view *v, struct jw *w, const char *key, const char *json,
                          struct err *err) NODISCARD;
#endif
