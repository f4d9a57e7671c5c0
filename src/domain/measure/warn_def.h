/* domain/measure/warn_def.h - what is watched, how, and what is held back from it: rules, guards
 * and expected events from the folder "warnings" of the packs. Immutable. docs/warnings.md tells
 * the format. */
#ifndef DOMAIN_MEASURE_WARN_DEF_H
#define DOMAIN_MEASURE_WARN_DEF_H
#include "domain/measure/period.h"
#include "domain/pack/pack.h"

enum warn_method {
    WARN_EARS_C1 = 1, /* daily counts; num/alarm */
    WARN_EARS_C2,
    WARN_EARS_C3,
    WARN_FARRINGTON, /* weekly counts, Noufaily's flexible form */
    WARN_CUSUM,
    WARN_THRESHOLD, /* a count over `window` days, raised and cleared at two numbers */
    WARN_CHANGE,    /* `window` days against the same lengths before */
    WARN_SILENCE,   /* a place that stopped reporting, against its own past */
    WARN_SCAN,      /* prospective space-time scan; num/scan */
    /* Over figures of an area or a unit, not over reports; warn_figure.h. */
    WARN_INDICATOR,     /* an indicator's value, or its ratio to periods before */
    WARN_INDEX_COLOR,   /* the colour of an index */
    WARN_OVERDUE_SHARE, /* share of cases that are overdue */
    WARN_N_METHODS
};
const char *warn_method_name(enum warn_method m); /* "ears_c1" ... "overdue_share" */
/* Whether the method looks at figures instead of reports. */
static inline bool warn_by_figures(enum warn_method m) { return m >= WARN_INDICATOR; }

/* Where rows are counted together. The first five are codes of the row; a point is a square of
 * `grid_m` metres. */
enum warn_level {
    WARN_CITY,
    WARN_COUNTY,
    WARN_TOWN,
    WARN_COMMUNITY,
    WARN_CELL,
    WARN_POINT,
    WARN_UNIT, /* responsible unit: overdue shares only */
    WARN_N_LEVELS
};
const char *warn_level_name(enum warn_level l);
enum { WARN_BLUE = 1, WARN_YELLOW, WARN_ORANGE, WARN_RED };
const char *warn_color_name(int color);

/* What makes a signal red whatever its rule's colour: all that is asked for together. NaN: not
 * asked. */
struct warn_red {
    bool on;
    double min, ratio, recurrence; /* cases; cases over those expected; days */
    double periods;                /* figures: held in so many periods (overdue: days) in a row */
};
struct warn_rule {
    const char *name, *file, *pack;
    int line;
    struct text title;
    enum warn_method method;
    enum warn_level level;
    int color; /* WARN_BLUE .. WARN_RED */
    struct warn_red red;
    const bool *watched;  /* by class of the packs */
    bool by_class;        /* a series (a scan) for each class, not for all of them together */
    bool by_group;        /* the same for each major class; with by_class never both */
    bool poisson;         /* scan: expected from the place's share; else permutation */
    double history;       /* days before the day that are looked at, the day itself included */
    double window;        /* days judged: threshold, change */
    double baseline;      /* EARS: days of the baseline; change: days before the window */
    double weekday_weeks; /* EARS: weeks that weekday and holiday factors come from; 0: none */
    double min;           /* fewest cases that make a signal */
    double alpha;         /* chance of a false alarm at a point */
    double years;         /* Farrington */
    double k, h;          /* CUSUM */
    double raise, clear;  /* threshold; figures: raised at `raise`, until `clear` is passed. An
                             indicator is bad above when raise > clear, else bad below */
    double ratio;         /* change: at least this many times as many */
    double gap_times;     /* silence: longer than this many times its longest pause before */
    double max_days, max_radius_m, max_share, replicas, grid_m; /* scan */
    double recurrence;                                          /* scan: days */
    const struct indicator_def *indicator;
    const char *index, *band; /* index colour: a band at this one's severity or worse */
    enum period_kind period;  /* indicator, index colour: the last one that is over */
    double look;              /* figures: periods (overdue share: days) that the state is walked */
    bool against_before;      /* indicator: the value over the mean of `periods` before it */
    double periods;
    bool weekday; /* against_before by day: only days of the same kind (weekday or holiday) */
    bool due;     /* overdue share: of what fell due in `window` days; else of what is open */
};

/* What must never raise a cluster. */
struct warn_guards {
    /* A point is a default one with at least `point_min` reports of `point_classes` classes in
     * `point_days`, and this share of all that have a point. */
    double point_days, point_min, point_classes, point_share;
    double batch_min;                    /* rows of a source with one instant */
    double repeat_hours, repeat_minutes; /* of one account; of one exact point without one */
    double channel_days;                 /* a channel younger than this, in an older city */
};

/* A festival, a market, road works: expected, so it raises nothing. */
struct warn_event {
    const char *name;
    struct text title;
    int32_t from, to;      /* first and last local day */
    const bool *classes;   /* by class of the packs; NULL: all */
    const char *area;      /* code of an area or a cell; "": by the circle, or everywhere */
    double lon, lat;       /* NaN: none */
    double radius_m, most; /* beyond this many reports a day nothing is held back; 0: any number */
};
struct warn_set {
    const struct warn_rule *rule;
    size_t n_rules; /* by name */
    const struct warn_event *event;
    size_t n_events;
    struct warn_guards guards;
    const struct calendar_def *calendar; /* holidays; NULL: none */
    double merge_days;                   /* signals further apart are warnings of their own */
    int nightly_minute;      /* local minute of the day at which yesterday is recorded */
    int64_t repeat_red_days; /* a red warning of the same place and class again within these */
};
enum { WARN_MAX_RULES = 256, WARN_MAX_EVENTS = 1000 };

/* Arena-owned; borrows the packs. Errors: ERR_INVALID naming file and line. */
enum err_code warn_load(struct arena *a, const struct pack_set *packs, const struct warn_set **out,
                        struct err *err) NODISCARD;
const struct warn_rule *warn_find(const struct warn_set *s, const char *name);
#endif
