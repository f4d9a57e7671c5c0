/* sim/basemap.h - the base map of the invented city as NDJSON, one feature a line, as the server
 * reads it from basemap.ndjson in the data folder: {"layer","class","name_zh","name_en","geometry"}
 * with a GeoJSON Polygon, LineString or Point. Layers and classes: water   river park    park
 *   street  primary, secondary, tertiary, lane (lanes have no name)
 *   place   city, county, town, community; school, market, station, hall, centre, hospital, square,
 * park Pure. */
#ifndef SIM_BASEMAP_H
#define SIM_BASEMAP_H
#include "base/buf.h"
#include "sim/city_plan.h"

/* About 300 bytes a cell and 3 MB for 5,000 cells. Failure (the buffer's maximum, memory) sticks in
 * the buffer. */
void city_basemap_write(const struct city_plan *p, struct buf *out);
#endif
