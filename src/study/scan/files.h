/* study/scan/files.h - opening an input file as a source, and finding the roles in it. */
#ifndef STUDY_SCAN_FILES_H
#define STUDY_SCAN_FILES_H
#include "study/scan/records.h"
#include "study/scan/study.h"

/* Whether a path is read as a CSV: by the setting, else by its name (.csv, .tsv, .csv.gz, "-"). */
bool file_is_csv(const struct scan_settings *s, const char *path);
/* Errors: of file_read and table_load, with the path. */
enum err_code file_source(struct arena *a, const struct scan_settings *s, enum file_role role,
                          const char *path, struct source *out, struct err *err) NODISCARD;
/* Where the roles of a file stand. *sphere is set by the names of the columns of a CSV of places
 * or grid points (lon and lat, or x and y) when settings do not tell. no_dates: the text has no
 * field of time. Errors: ERR_INVALID naming the column or the item of the map. */
enum err_code file_layout(struct arena *a, const struct scan_settings *s, enum file_role role,
                          const struct source *src, bool no_dates, bool *sphere, struct layout *out,
                          struct err *err) NODISCARD;
#endif
