/* study/composite/report.h - what the reports share. */
#ifndef STUDY_COMPOSITE_REPORT_H
#define STUDY_COMPOSITE_REPORT_H
#include "study/composite/index.h"

/* One area of the aggregated stage. */
struct report_row {
    uint32_t period, rank; /* rank 0: no score */
    uint32_t column;       /* of the stage */
    size_t own;            /* column of the data read */
};
/* By period, then rank, areas without a score last; NULL when there is no memory. */
const struct report_row *report_rows(const struct index_study *s, struct arena *a);
#endif
