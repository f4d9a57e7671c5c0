/* sim/city_build.h - the steps in which city_plan_build makes a plan. Not for others. */
#ifndef SIM_CITY_BUILD_H
#define SIM_CITY_BUILD_H
#include "sim/city_plan.h"

/* Streets from the shape's lines; sets cell.street and cell.river_m. Needs the cells. */
enum err_code city_build_streets(struct arena *a, struct city_plan *p, struct err *err) NODISCARD;
/* Schools, markets, halls, parks. Needs areas and cells. */
enum err_code city_build_places(struct arena *a, struct city_plan *p, struct err *err) NODISCARD;
/* Departments and posts. Needs areas and cells. */
enum err_code city_build_posts(struct arena *a, struct city_plan *p, struct err *err) NODISCARD;
#endif
