/* study/risk/prepare.h - from a table of assets and a table of events to the table a risk model is
 * fitted to: one row an asset and year (num/model/exposure.h does the counting). */
#ifndef STUDY_RISK_PREPARE_H
#define STUDY_RISK_PREPARE_H
#include "base/buf.h"
#include "base/json.h"
#include "num/model/exposure.h"
#include "study/table/table.h"

enum { RISK_MAX_KEEP = 60, RISK_MAX_ONLY = 16 };

struct risk_only {
    const char *column;
    size_t n;
    const char *const *value; /* rows with one of these are taken */
};
struct risk_prepare_spec {
    const char *assets, *asset_id, *laid, *removed; /* file and columns; removed may be NULL */
    size_t n_keep;
    const char *keep_as[RISK_MAX_KEEP], *keep[RISK_MAX_KEEP]; /* new name, column of assets */
    size_t n_asset_only;
    struct risk_only asset_only[RISK_MAX_ONLY];
    const char *events, *event_id, *date;
    size_t n_event_only;
    struct risk_only event_only[RISK_MAX_ONLY];
    struct model_exposure_spec span;
};
/* Errors name file, line and column. */
enum err_code risk_prepare_parse(struct arena *a, const char *name, const char *p, size_t n,
                                 struct risk_prepare_spec *out, struct err *err) NODISCARD;

struct risk_prepared {
    size_t n_assets, n_assets_left_out, n_no_laid, n_same_id;
    size_t n_events, n_events_left_out, n_no_date, n_no_id, n_not_joined;
    struct model_exposure exposure;
    const char *const *asset_id; /* of exposure.row[].asset */
    const size_t *asset_row;     /* row of the assets' table */
};
/* Join and count. A laid or event cell may be a date (2015-03-01, 2015/3/1) with anything after a
 * blank or T, or a year. Errors: ERR_INVALID by file, line, column. */
enum err_code risk_prepare(struct arena *a, const struct risk_prepare_spec *s,
                           const struct table *assets, const struct table *events,
                           struct risk_prepared *out, struct err *err) NODISCARD;
/* The table:
 * id,year,age_start,age_stop,age,exposure,count,event,earlier,last_year,recent,since_last and the
 * kept columns. */
enum err_code risk_prepared_csv(const struct risk_prepare_spec *s, const struct table *assets,
                                const struct risk_prepared *p, struct buf *out,
                                struct err *err) NODISCARD;
void risk_prepared_json(const struct risk_prepare_spec *s, const struct risk_prepared *p,
                        struct buf *b);
void risk_prepared_text(const struct risk_prepare_spec *s, const struct risk_prepared *p,
                        struct buf *b);
#endif
