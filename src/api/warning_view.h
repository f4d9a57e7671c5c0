/* api/warning_view.h - warnings and supervision as JSON, for staff with the right to the case. */
#ifndef API_WARNING_VIEW_H
#define API_WARNING_VIEW_H
#include "api/case_view.h"
#include "domain/warning/warning.h"

/* What docs/api.md says of one warning in a list; the caller opens and closes the object. */
enum err_code warning_json(const struct view *v, const struct warn_set *set, struct jw *w,
                           const struct warn_kept *k, const struct case_row *r,
                           struct err *err) NODISCARD;
/* One supervision, with its own braces. */
enum err_code supervision_json(const struct view *v, struct jw *w, const struct case_row *r,
                               struct err *err) NODISCARD;
/* Supervisions about a case, open ones first, newest first, those that `who` may see; member
 * "supervisions". */
enum err_code supervisions_of(const struct view *v, const struct principal *who, struct jw *w,
                              int64_t about, struct err *err) NODISCARD;
/* {"en","zh"} member of an area's or unit's name, null when there is none. */
void name_json(struct jw *w, const char *key, const char *en, const char *zh);
/* AND <column of the level> = code; ERR_INVALID when there is no such area. */
enum err_code and_area(struct call *c, struct sql *s, const char *code, struct err *err) NODISCARD;
#endif
