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
#include "num/scan/draw.h"
#include "num/scan/kernel.h"

enum {
    ST_LEVELS = 64,   /* of the statistic, each 7 % above the one before */
    ST_BUCKETS = 897, /* 64 (tail windows: 32) an octave, 14 (28) octaves, and all below */
    /* A replica looks at one list in ST_APART first, so that the statistic to beat is soon high,
     * then at the others as they lie in memory. */
    ST_APART = 61,
    ST_PAD = 32, /* lanes of a row are a multiple of it: whole vectors of any width */
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

/* Thresholds: a window with c cases may matter when c > high or c < low. Tail windows have a row of
 * n_pad lanes for each bucket, those anywhere an entry for each size of measure: the sum of a
 * logarithm of the bucket's key and one of the share of the time. stride: entries of a level. */
struct st_rows {
    size_t stride;
    int16_t *high16, *low16;
    int32_t *high32, *low32;
};
/* Windows anywhere. Logarithms are in 64ths of an octave, rounded down for high, up for low
 * windows. Entry i stands for 2^((i + ST_LOG_FROM) / 64), below ST_LOG_LEAST for nothing; the
 * logarithm of nothing is so low that it stays there whatever is added: an index is in range. */
enum {
    ST_LOG_PART = -64 * 20, /* least of a key or share that is something */
    ST_LOG_LEAST = 2 * ST_LOG_PART,
    ST_LOG_MOST = 64 * 32,
    ST_LOG_NOTHING = ST_LOG_LEAST - ST_LOG_MOST - 1,
    ST_LOG_FROM = 2 * ST_LOG_NOTHING,
    ST_LOG_N = ST_LOG_MOST + 64 - ST_LOG_FROM
};
struct st_logs {
    int32_t least, most; /* sums that are something */
    int32_t key_low[ST_BUCKETS], key_high[ST_BUCKETS];
    int32_t *day;        /* n_slots x n_group: least share of windows that contain the slot */
    int32_t *low, *high; /* n_group: of any window */
    /* Of each window, by length and start, when replicas go in batches; share: the least. */
    int32_t *window, *window_up;
    double *share;
    size_t n_window;
    /* The same, of each prefix, an item of zones->place x n_window: for tables of measures in which
     * places differ in time. NULL: key and share. */
    int32_t *item;
};

/* Where the null hypothesis puts the cases. A column is a slot, or for tail windows the age (0 is
 * the last slot) and n_column - 1 for all that is older, when that is counted at all. */
struct st_event {
    uint32_t place, column;
};
struct st_draw {
    enum scan_model kind;
    size_t n_cases, n_column;
    /* Poisson: over cells; a case falls into one with probability inside. */
    double inside;
    struct scan_draw cell;
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
    bool batched; /* replicas go in batches, a lane each */
    size_t n_places, n_slots, min_len, max_len, n_lane, n_pad;
    /* Measure. Permutation: key (cases of a place) x time_cum (of slots) / cases. Else tables of
     * doubles: tail: place x n_lane, lane l the last min_len + l slots; any: place x (n_slots + 1)
     * cumulative. */
    const double *time_cum; /* n_slots + 1: measure of all places; permutation: cases */
    const double *table;
    size_t table_width;
    const double *whole; /* n_places: all slots; NULL unless spatial_too */
    /* Buckets of prefixes, one an item of zones->place; per bucket the extremes of the key (cases,
     * measure of the longest window (tail) or of all slots). */
    uint16_t *bucket;
    double key_low[ST_BUCKETS], key_high[ST_BUCKETS];
    /* Least and greatest share of its key that a place has: tail: of each length, n_lane; any: of
     * each slot, n_slots + 1 cumulative. */
    const double *key, *share_low, *share_high;
    struct st_levels levels;
    struct st_rows rows;
    struct st_logs logs;
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
    uint8_t *mark; /* of each place: 1 when a case of it counts */
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
    /* measure (keys) of the first `taken` (key_taken) members */
    size_t taken, key_taken, whole_taken;
    double *sum, key_sum, whole_sum;
    /* room for the walk */
    uint32_t *event; /* members that bear cases */
    void *lanes;
};
enum err_code st_seek_new(const struct st_kernel *k, struct st_seek **out,
                          struct err *err) NODISCARD;
void st_seek_free(struct st_seek *s); /* NULL is legal */
void st_seek_list(struct st_seek *s, size_t list);
/* Makes it the list of *s; false when it has no zone. */
bool st_seek_open(struct st_seek *s, size_t list);
const struct st_walk *st_walk_choose(bool wide);
void st_seek_temporal(struct st_seek *s);
/* key_sum of the first n members. */
void st_take_keys(struct st_seek *s, size_t n);
/* The window of the first k + 1 members and n slots from slot on holds c cases: keep it when it is
 * the best. */
void st_consider(struct st_seek *s, size_t k, size_t slot, size_t n, int64_t c);

/* A batch of replicas, a lane each: sums over slots of the cases of each place. */
enum { ST_BATCH_MOST = 32 };
struct st_batch {
    size_t n;       /* replicas in it */
    uint32_t lanes; /* their bytes of a mask */
    double best[ST_BATCH_MOST];
    size_t level[ST_BATCH_MOST], lowest;
    uint8_t *mark; /* n_places: a case in any lane */
    void *cum;     /* n_places x (n_slots + 1) vectors, aligned */
    void *by;      /* n_slots + 1 vectors */
    void *memory;
};
enum err_code st_batch_new(const struct st_kernel *k, struct st_batch **out,
                           struct err *err) NODISCARD;
void st_batch_free(struct st_batch *b); /* NULL is legal */
/* Maxima of n <= st_batch_width() replicas from `first` on, those above b->best. */
void st_batch_run(struct st_seek *s, struct st_set *set, struct st_batch *b, uint64_t seed,
                  uint64_t first, size_t n, double floor_at, double *maxima);
size_t st_batch_width(void);

/* Walks of one list, by width of the counts and of the vectors. */
struct st_walk {
    void (*tail)(struct st_seek *s);
    void (*any)(struct st_seek *s);
    /* 16 bits only */
    size_t width;
    void (*batch)(struct st_seek *s, struct st_batch *b);
    void (*batch_add)(const struct st_kernel *k, struct st_batch *b, size_t lane,
                      const struct st_set *s);
    void (*batch_close)(const struct st_kernel *k, struct st_batch *b);
};
extern const struct st_walk st_walk16, st_walk32, st_walk16_avx2, st_walk32_avx2;
#endif
