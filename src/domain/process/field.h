/* domain/process/field.h - one outside value into a cell of a declared field: kind, range, code
 * list. Pure. */
#ifndef DOMAIN_PROCESS_FIELD_H
#define DOMAIN_PROCESS_FIELD_H
#include "domain/process/engine.h"

/* v borrowed; text cells borrow from it. A null value gives a null cell (an error when required).
 * Errors: ERR_INVALID naming the field, what was found and what was expected. */
enum err_code field_cell(const struct pack_set *packs, const struct field_def *f,
                         const struct val *v, struct cell *out, struct err *err) NODISCARD;
#endif
