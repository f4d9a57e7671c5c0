/* study/alarm/plot.h - one group as an SVG picture: counts as steps, what was expected as a dashed
 * line, the band up to the bound, alarms as triangles with a date each. Readable without colour
 * and by a screen reader (title, desc). */
#ifndef STUDY_ALARM_PLOT_H
#define STUDY_ALARM_PLOT_H
#include "base/buf.h"
#include "study/alarm/answer.h"

void plot_svg(const struct alarm_answer *a, size_t group, struct buf *out);
#endif
