/* domain/warning/kept.h - a row of table warning: what the statistics said about one case. The case
 * of the same code (process "warning") holds what people did. */
#ifndef DOMAIN_WARNING_KEPT_H
#define DOMAIN_WARNING_KEPT_H
#include "domain/measure/warn_merge.h"
#include "store/sql.h"

enum {
    KEPT_MAX_CASES = 2000,  /* codes of cases told of one warning */
    KEPT_MAX_SIGNALS = 100, /* signals kept of one warning */
    KEPT_SIGNAL_CASES = 300 /* codes kept of one signal */
};
/* Texts are "" when absent; rules, signals, held and cases are JSON. Days are local days since
 * 1970. */
struct warn_kept {
    int64_t id, version, case_id;
    const char *code, *title_en, *title_zh;
    const char *cls;  /* class id of its strongest signal; "": several */
    const char *area; /* code of the deepest area that holds it */
    int32_t raised, last;
    int color;           /* WARN_BLUE .. WARN_RED: the highest it had */
    bool holds;          /* its rules still fire, or did so within merge_days */
    int64_t joined;      /* case id of the older warning it was joined to; 0: none */
    double lon, lat;     /* of its strongest signal; NaN: none */
    double radius_m;     /* 0 when there is no point */
    double observed;     /* of its strongest signal on the last day */
    double expected;     /* NaN when the rule has none */
    int64_t n_cases;     /* distinct cases behind it, at most KEPT_MAX_CASES */
    const char *rules;   /* ["surge"] */
    const char *signals; /* as warn_signal_json: of the first day and of the last days */
    const char *held;    /* {"default_point": 0, ...} of its strongest signal on the last day */
    const char *cases;   /* ["990101-261122-00042", ...] */
};
/* Append w."id", w."version" and all columns, in the order warn_kept_read expects. alias: a
 * literal such as "w.". */
void warn_kept_select(struct sql *s, const char *alias);
enum { KEPT_COLUMNS = 23 }; /* how many that are */
/* Arena copies. */
void warn_kept_read(const struct cursor *c, int first_col, struct arena *a, struct warn_kept *out);
/* By case code. ERR_NOT_FOUND. */
enum err_code warn_kept_load(struct db *db, const char *code, struct arena *a,
                             struct warn_kept *out, struct err *err) NODISCARD;
/* Insert (id 0; sets id and version) or write again when anything differs from `before`; *changed
 * tells. */
enum err_code warn_kept_write(struct tx *tx, struct warn_kept *k, const struct warn_kept *before,
                              bool *changed, struct err *err) NODISCARD;

/* Rows by code, for signals that were kept: only rows of a day or later. */
struct warn_codes {
    const struct warn_rows *rows;
    uint32_t *at;
    size_t n;
};
/* Arena-owned. O(n log n). */
enum err_code warn_codes_new(struct arena *a, const struct warn_rows *rows, int32_t from,
                             struct warn_codes *out, struct err *err) NODISCARD;
/* Signals as they were kept; those of rules or classes that are no more are left out. Arena-owned.
 * ERR_CORRUPT when the text is none of ours. */
enum err_code warn_signals_read(struct arena *a, const char *json, const struct warn_set *set,
                                const struct warn_codes *codes, const struct warn_signal **out,
                                size_t *n, struct err *err) NODISCARD;
#endif
