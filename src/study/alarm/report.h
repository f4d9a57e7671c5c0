/* study/alarm/report.h - telling the results of "gezhi alarm": a table for a person, JSON, CSV;
 * the schema is in docs/statistics/alarm.md. Written group by group; a write that fails is seen
 * by the caller in the stream. */
#ifndef STUDY_ALARM_REPORT_H
#define STUDY_ALARM_REPORT_H
#include <stdio.h>

#include "study/alarm/answer.h"

/* all: every date, else the alarms and the newest date of each group. zh: in Chinese. */
enum err_code report_text(const struct alarm_answer *a, bool all, bool zh, FILE *out,
                          struct err *err) NODISCARD;
enum err_code report_json(const struct alarm_answer *a, FILE *out, struct err *err) NODISCARD;
enum err_code report_csv(const struct alarm_answer *a, FILE *out, struct err *err) NODISCARD;
/* n methods over the same labelled set. */
enum err_code report_score_text(const struct alarm_answer *a, size_t n, bool zh, FILE *out,
                                struct err *err) NODISCARD;
enum err_code report_score_json(const struct alarm_answer *a, size_t n, FILE *out,
                                struct err *err) NODISCARD;
#endif
