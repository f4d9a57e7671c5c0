/* num/scan/space_time.h - inside of the temporal and space-time kernel; only its own sources
 * include it.
 *
 * The search. A window is a prefix of a list of places times a stretch of slots. For given cases c
 * the likelihood ratio of a high window falls with its measure (expected cases, or persons), and
 * with the prefix the measure only grows: the best prefix for a given c is therefore the one that
 * took in the last case, and only members that bear a case in the window have to be looked at. For
 * low windows it is the prefix just before the next case. Prefixes are sorted into buckets of
 * nearly equal size, and for each bucket, length of window and level of the statistic a table
 * holds the fewest (low: the most) cases that can reach the level, from the least (greatest)
 * measure in the bucket: a compare of small integers, many windows at once, tells which windows
 * can beat the best one so far. Those are computed exactly; so every maximum is exact, whatever
 * the tables let through. */
#ifndef NUM_SCAN_SPACE_TIME_H
#define NUM_SCAN_SPACE_TIME_H
#include "base/rng.h"
#include "num/scan/kernel.h"

enum {
    ST_LEVELS = 64,   /* of the statistic, each 7 % above the one before */
    ST_BUCKETS = 449, /* 32 an octave, 14 octaves, and all below */
    ST_PAD = 32,      /* lanes of a row are a multiple of it: whole vectors of any width */
};

struct st_model {
    enum scan_model kind;
    double cases, persons; /* totals; persons: Bernoulli only */
    double min_cases;
    bool high, low;
};
/* measure: expected cases (Poisson, permutation), persons (Bernoulli). */
double st_expected(const struct st_model *m, double measure);
double st_llr(const struct st_model *m, double c, double measure);
/* No smaller than st_llr and free of logarithms: y = c - e; x ln x - x + 1 <= (x - 1)^2 / 2 for
 * x >= 1 and <= (x - 1)^2 for x in [0, 1]. */
double st_llr_bound(const struct st_model *m, double c, double measure);

/* For levels of the statistic and counts c on a grid that is whole up to 512: the greatest measure
 * at which c cases are a high window of at least that level (-1: none), the least at which they
 * are a low one (INFINITY: none). Both a little on the safe side. */
struct st_levels {
    struct st_model model;
    size_t n_count;
    double level[ST_LEVELS]; /* level[0] = 0 */
    uint32_t *count;         /* n_count, rising from 0 */
    double *most, *least;    /* ST_LEVELS x n_count */
};
/* measure_max: of any window. */
enum err_code st_levels_build(const struct st_model *model, double measure_max, struct arena *a,
                              struct st_levels *out, struct err *err) NODISCARD;
/* Cases below which no high window of at least `measure` reaches level j; INT32_MAX: none does. */
int32_t st_levels_fewest(const struct st_levels *l, size_t j, double measure);
/* Cases above which no low window of at most `measure` does; -1: none does. */
int32_t st_levels_most(const struct st_levels *l, size_t j, double measure);
size_t st_levels_at(const struct st_levels *l, double statistic);

/* Rows of thresholds: lane l of bucket q at level j is at [(j * ST_BUCKETS + q) * n_pad + l].
 * A window with c cases may matter when c > high or c < low. */
struct st_rows {
    int16_t *high16, *low16;
    int32_t *high32, *low32;
};

/* Where the null hypothesis puts the cases. A column is a slot, or for tail windows the age (0 is
 * the last slot) and n_column - 1 for all that is older, when that is counted at all. */
struct st_event {
    uint32_t place, column;
};
struct st_draw {
    enum scan_model kind;
    size_t n_cases, n_column;
    /* Poisson: Walker's alias method over cells; a case falls into one with probability inside. */
    double inside;
    size_t n_cell;
    const double *keep;
    const uint32_t *other;
    /* Bernoulli: the cell of each person. Permutation: place and column of each case, cases of one
     * place together; for tail windows `n_recent` columns that count stand first. */
    size_t n_person, n_recent;
    const uint32_t *person;
    const uint32_t *case_place, *case_column;
};

struct st_kernel {
    const struct scan_zones *zones;
    struct st_model model;
    bool tail, spatial_too, temporal_too, temporal_only;
    size_t n_places, n_slots, min_len, max_len, n_lane, n_pad;
    /* Measure. Permutation: weight (cases of a place) x time_cum (of slots) / cases. Else tables of
     * doubles: tail: place x n_lane, lane l the last min_len + l slots; any: place x (n_slots + 1)
     * cumulative. */
    const double *weight;
    const double *time_cum; /* n_slots + 1: measure of all places; permutation: cases */
    const double *table;
    size_t table_width;
    const double *whole; /* n_places: all slots; NULL unless spatial_too */
    /* Buckets of prefixes, one an item of zones->place; per bucket the extremes of the key (weight,
     * or the measure of all slots) and, for windows of any place in time, of measure / key. */
    uint16_t *bucket;
    double key_low[ST_BUCKETS], key_high[ST_BUCKETS];
    const double *share_low, *share_high; /* n_slots + 1 cumulative; NULL: tail */
    struct st_levels levels;
    struct st_rows rows;
    const int32_t *high_whole, *low_whole; /* ST_LEVELS x ST_BUCKETS */
    bool narrow, wide;                     /* which rows there are */
    /* Lengths are looked at in groups: windows of lengths from[g] .. to[g] by those of to[g]. */
    size_t n_group;
    uint32_t *group_from, *group_to;
    size_t dense_cost; /* vectors of a look at all windows, against those of one case */
    size_t case_cost;
    struct st_draw draw;
    const struct st_event *events; /* the data */
    size_t n_events;
};

/* One data set (the data or a replica), laid out for the walk. Owner: st_set_new. */
struct st_set {
    bool wide;
    uint32_t *row; /* tail: of each place, 0: no case that counts */
    void *rows;    /* tail: lanes of counts, row 0 all zero */
    size_t n_row, rows_room;
    uint32_t *first; /* any: n_places + 1 offsets into slot */
    uint32_t *slot;
    uint32_t *whole;   /* n_places, or NULL */
    uint32_t *by_slot; /* n_slots + 1 cumulative, or NULL */
    struct st_event *event;
    size_t n_event;
    /* of the draws */
    uint32_t *shuffled;
    uint64_t *taken;
};
enum err_code st_set_new(const struct st_kernel *k, struct st_set **out, struct err *err) NODISCARD;
void st_set_free(struct st_set *s); /* NULL is legal */
/* From s->event. */
void st_set_lay(const struct st_kernel *k, struct st_set *s);

/* Cells of the Poisson null: place x n_column expectations. */
enum err_code st_draw_alias(const double *expected, size_t n, double total, struct arena *a,
                            struct st_draw *out, struct err *err) NODISCARD;
/* Fills s->event with a draw of replica r. */
void st_draw_null(const struct st_kernel *k, struct rng *r, struct st_set *s);

/* One search of the best window: over all lists of a replica, or one list of the data. */
struct st_seek {
    const struct st_kernel *k;
    const struct st_set *set;
    double best;            /* statistic to beat */
    struct scan_best *told; /* the window found; NULL: only the statistic */
    /* the list */
    const uint32_t *place;
    const uint16_t *bucket;
    size_t len, first_len;
    double weight; /* of its statistic */
    size_t level;
    const void *high, *low; /* rows of the level */
    /* measure of the first `taken` members */
    size_t taken, whole_taken;
    double *sum, weight_sum, whole_sum;
    /* room for the walk */
    uint32_t *event; /* members that bear cases */
    void *lanes;
};
enum err_code st_seek_new(const struct st_kernel *k, struct st_seek **out,
                          struct err *err) NODISCARD;
void st_seek_free(struct st_seek *s); /* NULL is legal */
void st_seek_list(struct st_seek *s, size_t list);
void st_seek_temporal(struct st_seek *s);
/* The window of the first k + 1 members and n slots from slot on holds c cases: keep it when it is
 * the best. */
void st_consider(struct st_seek *s, size_t k, size_t slot, size_t n, int64_t c);

/* Walks of one list, by width of the counts and of the vectors. */
struct st_walk {
    void (*tail)(struct st_seek *s);
    void (*any)(struct st_seek *s);
};
extern const struct st_walk st_walk16, st_walk32, st_walk16_avx2, st_walk32_avx2;
#endif
