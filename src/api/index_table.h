/* api/index_table.h - answers of indices and indicators as CSV or a spreadsheet, with their
 * definition on the sheet "Method". */
#ifndef API_INDEX_TABLE_H
#define API_INDEX_TABLE_H
#include "api/table_out.h"
#include "domain/measure/index_def.h"

/* f: of table_wanted; ACCEPT_JSON leaves the reply as it is. Errors: those of table_reply. */
enum err_code index_table_reply(struct call *c, const struct index_def *d, enum accept_format f,
                                struct err *err) NODISCARD;
enum err_code indicator_table_reply(struct call *c, const struct indicator_def *d,
                                    enum accept_format f, struct err *err) NODISCARD;
#endif
