/* sim/city_geo.h - areas and cells of the invented city as polygons of geo/polygon.h: what the grid
 * stores. Pure. */
#ifndef SIM_CITY_GEO_H
#define SIM_CITY_GEO_H
#include "geo/polygon.h"
#include "sim/city_plan.h"

/* In degrees with seven places: neighbours share every border vertex to the bit. Arena-owned.
 * Errors: ERR_NOMEM. */
enum err_code city_cell_polygon(struct arena *a, const struct city_plan *p, uint32_t cell,
                                const struct polygon **out, struct err *err) NODISCARD;
enum err_code city_area_polygon(struct arena *a, const struct city_plan *p, uint32_t area,
                                const struct polygon **out, struct err *err) NODISCARD;
#endif
