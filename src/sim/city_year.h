/* sim/city_year.h - the stream of cases of the year before a moment in the invented city: what was
 * reported where and when, how it went on, hop by hop, and what was planted in it for later tests
 * to find. Pure: the same plan, seed, moment and class table give the same bits. A finished year is
 * immutable; any case can be asked for at any time and from any thread. */
#ifndef SIM_CITY_YEAR_H
#define SIM_CITY_YEAR_H
#include "base/buf.h"
#include "sim/city_plan.h"

enum year_trait {
    YEAR_PRIVATE = 1, /* neighbours' dispute: no place, two parties, seen by nobody else */
    YEAR_SUMMER = 2,  /* season: */
    YEAR_RAIN = 4,
    YEAR_AUTUMN = 8,
    YEAR_WINTER = 16,
    YEAR_NIGHT = 32,     /* reported in the evening and at night */
    YEAR_SHOPS = 64,     /* where: shops and markets */
    YEAR_GREEN = 128,    /* parks, farms, roadsides */
    YEAR_FESTIVAL = 256, /* rises at the festival */
    YEAR_FLOOD = 512,    /* rises in the flood week */
    YEAR_CLUSTER_A =
        1024, /* class of the first planted cluster; the first class that has it is taken */
    YEAR_CLUSTER_B = 2048,
    YEAR_URGENT = 4096 /* danger to life: handled day and night */
};
/* A class that the year draws from. Ids are kind-code, as packs name them: "event-0102",
 * "component-0103". */
struct year_class {
    const char *id;
    double weight;            /* > 0; share = weight / sum of weights */
    enum city_unit_kind unit; /* who handles it */
    unsigned traits;
    double handle_h;     /* median hours from dispatch to handled */
    unsigned settle_pc;  /* percent that a grid worker settles on the spot */
    const char *what[3]; /* Chinese texts of a report; NULL behind the last */
};
/* The classes of the packs that Gezhi ships. A city with other packs passes a table of its own. */
const struct year_class *year_class_default(size_t *n);

enum year_channel {
    YEAR_BY_RESIDENT = 0,   /* page */
    YEAR_BY_HOTLINE = 1,    /* clerk for someone */
    YEAR_BY_PATROL = 2,     /* grid worker on duty */
    YEAR_BY_DEPARTMENT = 3, /* found by a department */
    YEAR_N_CHANNEL = 4
};
const char *
year_channel_name(enum year_channel c); /* "resident", "hotline", "patrol", "department" */

#define YEAR_MOVES(X)                                                                              \
    X(ACCEPT, "accept")     /* desk of the town */                                                 \
    X(REFUSE, "refuse")     /* with reason and where to go instead */                              \
    X(FILE, "file")         /* 立案 */                                                           \
    X(DISPATCH, "dispatch") /* to `unit` */                                                        \
    X(RETURN, "return")     /* by the unit, with reason */                                         \
    X(HANDLE, "handle")     /* by the unit's handler, with note and photo */                       \
    X(SETTLE, "settle")     /* by the worker of the cell */                                        \
    X(VERIFY, "verify")     /* never the one who handled */                                        \
    X(REWORK, "rework")     /* check failed: to the same unit again */                             \
    X(CLOSE, "close")                                                                              \
    X(RATE, "rate")         /* by the reporter, 1..5 */                                            \
    X(ESCALATE, "escalate") /* a level up */                                                       \
    X(REOPEN, "reopen")     /* by the reporter */                                                  \
    X(TRIAGE, "triage")     /* dispute: to mediation */                                            \
    X(AGREE, "agree")                                                                              \
    X(NOT_AGREE, "not_agree")                                                                      \
    X(FOLLOW_UP, "follow_up")                                                                      \
    X(ORDER_CONFIRM, "order_confirm") /* before filing: the worker goes and looks */               \
    X(CONFIRM, "confirm")             /* as reported */                                            \
    X(DENY, "deny")                   /* not as reported: refused then */                          \
    X(TAKE_BACK, "take_back")         /* unanswered: the desk goes on without */
enum year_move {
#define X(id, name) YEAR_##id,
    YEAR_MOVES(X)
#undef X
        YEAR_N_MOVE
};
const char *year_move_name(enum year_move m);

struct year_step {
    enum year_move move;
    int64_t at_us;
    uint32_t post;     /* who, index into city_plan.post; CITY_NONE: the reporter */
    uint32_t unit;     /* DISPATCH: to whom; else CITY_NONE */
    const char *note;  /* Chinese note or reason, static; NULL: none */
    const char *go_to; /* REFUSE, NOT_AGREE: where to go instead; else NULL */
    uint32_t photo;    /* key of a picture, 0: none. The same key is the same picture */
    int score;         /* RATE only, 1..5 */
};
enum year_planted_bit {
    YEAR_IS_FESTIVAL = 1,
    YEAR_IS_FLOOD = 2,
    YEAR_IS_CLUSTER_A = 4,
    YEAR_IS_CLUSTER_B = 8,
    YEAR_IS_DUPLICATE = 16,
    YEAR_IS_LAZY = 32,     /* slow because the lazy department had it */
    YEAR_IS_GAMED = 64,    /* closed within minutes of filing, with a picture used before */
    YEAR_IS_OPEN_NOW = 128 /* planted so that each state has open cases at the end */
};
enum { YEAR_MAX_STEPS = 24, YEAR_TEXT = 400 };
struct year_case {
    uint32_t number; /* place in the stream, from 0, by time of report */
    int64_t open_us;
    uint32_t cls; /* index into the class table */
    enum year_channel channel;
    uint32_t cell; /* always known, also for a dispute */
    bool has_place, is_private;
    struct shape_point at; /* strictly inside the cell */
    uint32_t reporter;     /* PATROL: the worker's post; DEPARTMENT: the unit's; else CITY_NONE */
    char contact[12];      /* invented number, "" when none was left */
    char text[YEAR_TEXT];
    uint32_t photo;        /* key of the reporter's picture, 0: none */
    uint32_t duplicate_of; /* number of the earlier case, or CITY_NONE */
    unsigned planted;      /* year_planted_bit */
    size_t n_step;         /* all before the end of the year; a case whose steps stop is open */
    struct year_step step[YEAR_MAX_STEPS];
};

struct year_params {
    uint64_t seed;
    int64_t until_us;     /* the end (UTC); the year is the 365 days before */
    int32_t utc_offset_s; /* of the city's zone, 28800 */
    size_t n_case;        /* 100..5000000 */
    const struct year_class *cls;
    size_t n_cls; /* 1..1000 */
};
struct city_year;
/* Borrows plan and classes; owned by the arena: 32 bytes a case. Errors: ERR_INVALID, ERR_NOMEM.
 * Cost: about 0.3 s for 100,000 cases. */
enum err_code city_year_new(struct arena *a, const struct city_plan *plan,
                            const struct year_params *params, const struct city_year **out,
                            struct err *err) NODISCARD;
size_t city_year_count(const struct city_year *y);
/* The i-th case by time of report. Some microseconds. */
void city_year_case(const struct city_year *y, size_t i, struct year_case *out);

/* planted.json: an object {city, seed, from, until, cases, classes, planted:[{kind, ...}]}. For
 * each planted truth its kind, period, place or unit, class ids, count and the cases. code_of turns
 * a number into the case's code as the server gave it; NULL writes numbers. Sticks its errors in
 * the buffer. */
void city_year_write_planted(const struct city_year *y,
                             const char *(*code_of)(void *arg, uint32_t number), void *arg,
                             struct buf *out);
#endif
