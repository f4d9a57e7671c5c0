/* domain/briefing/briefing.h - what changed and why, for those who decide: a document of one area
 * and one period, made of the index, warnings, supervision and cases as they stood after one
 * journal row. The same data give the same bytes. It holds nothing that a reader of the API may not
 * see: figures below the floor and private matters are left out. */
#ifndef DOMAIN_BRIEFING_BRIEFING_H
#define DOMAIN_BRIEFING_BRIEFING_H
#include "base/json.h"
#include "domain/measure/index_change.h"
#include "domain/measure/index_freeze.h"

enum {
    BRIEFING_TREND = 13,         /* periods of the trend, the briefing's own the last */
    BRIEFING_DRAWS = 1000,       /* for what ranks are told apart */
    BRIEFING_SEED = 1,           /* of the draws */
    BRIEFING_MAX_WARNINGS = 200, /* listed; all are counted */
    BRIEFING_MAX_UNITS = 100,
    BRIEFING_MAX_CLASSES = 10, /* classes that rose, listed */
    BRIEFING_MAX_TEXT = 1 << 20
};

/* Everything is borrowed while the briefing is formed. */
struct briefing_source {
    const struct pack_set *packs;
    const struct grid *grid;
    const struct tz *tz;
    const struct atoms *atoms;
    const struct cube *cube; /* until briefing_gather returns */
    struct db *db;           /* of the same journal row; until briefing_look returns */
    int64_t ledger;
    int64_t seq, at_us; /* the last journal row in it, and its time */
    int32_t today;      /* local day: a period that is over is formed as of its end */
    const char *city;
    bool invented; /* a demo: said on every page */
};
struct briefing_ask {
    const struct index_def *index;
    struct period period;
    const char *area; /* code; NULL or "": the city */
};

/* An index of one period, with what it stood at when it was frozen. */
struct briefing_past {
    struct index_view view;
    double frozen;   /* NaN: not frozen */
    int restated;    /* times */
    int band;        /* with hysteresis from the first period shown; -1: none */
    const char *run; /* hash of the frozen run, or NULL */
    bool published;
    const char *note; /* of a restatement, or NULL */
};
/* Cases of a class reported in the period, the one before, and the same a year earlier. */
struct briefing_class {
    const struct case_class *cls;
    int64_t now, before, last_year;
};
struct briefing_done {
    int64_t reported, reported_before, closed, closed_before, overdue;
};
/* A warning that was raised, ended or still open in the period. */
struct briefing_warning {
    const char *code, *color, *area, *outcome; /* outcome: "open" "closed" "false" */
    struct text title, state;
    int32_t raised, ended; /* local days; ended: INT32_MAX while open */
    bool overdue;
};
struct briefing_unit {
    const char *unit; /* code, "" for none */
    int64_t open, overdue, longest_days;
};
struct briefing_watch {
    int64_t opened, closed, called_false, open, open_overdue;
    const struct briefing_warning *warning; /* red first, then by age */
    size_t n;
    int64_t supervised, supervised_overdue, settled;
    const struct briefing_unit *unit; /* with something overdue, most first */
    size_t n_units;
};
struct briefing_data {
    struct briefing_source source;
    struct briefing_ask ask;
    const struct grid_area *area;
    int level, below; /* below: the level of the areas compared, or -1 */
    size_t at;        /* of the area in its level's views */
    struct briefing_past past[BRIEFING_TREND];
    struct index_view last_year;
    struct index_change change; /* since the period before, both formed now */
    struct index_view lower, lower_before;
    const size_t *child; /* n_children: positions in lower's areas that lie in the area */
    size_t n_children;
    const struct briefing_class *cls;
    size_t n_cls;
    struct briefing_done done;
    struct briefing_watch watch;
};

/* The three steps of forming. Everything is arena-owned or borrowed from source and ask.
 * gather: what needs the cube, which may be given back afterwards.
 * Errors: ERR_INVALID (/area: no such area, or the index is not formed for its level; /period: the
 * index is not formed for such a period, or it has not begun); those of values and indices. */
enum err_code briefing_gather(const struct briefing_source *s, const struct briefing_ask *ask,
                              struct arena *a, struct briefing_data *out,
                              struct err *err) NODISCARD;
/* look: scores, and what the tables hold; afterwards the connection is not needed. */
enum err_code briefing_look(struct briefing_data *d, struct arena *a, struct err *err) NODISCARD;
/* form: the document as JSON. Pure. */
enum err_code briefing_form(const struct briefing_data *d, struct buf *out,
                            struct err *err) NODISCARD;

/* The area of a code, the top one for NULL or ""; NULL when there is none. */
const struct grid_area *briefing_area(const struct grid *g, const char *code);
/* "day" -> a title of the briefing: {"Daily briefing", "日报"}. */
struct text briefing_kind_title(enum period_kind kind);
/* 64 hex digits over the document's bytes. */
void briefing_hash(const char *document, size_t n, char out[65]);
#endif
