/* study/alarm/settings.h - the settings of the alarm methods as command-line options, one table
 * for help, reading, checking and telling them. A setting that no chosen method knows is an error,
 * never ignored. */
#ifndef STUDY_ALARM_SETTINGS_H
#define STUDY_ALARM_SETTINGS_H
#include "base/json.h"
#include "base/opt.h"
#include "num/alarm/alarm.h"

enum { SETTINGS_MAX = 40 };
/* What was given: NaN, -1 and NULL where nothing was. */
struct settings {
    double number[SETTINGS_MAX];
    int64_t whole[SETTINGS_MAX];
    const char *word[SETTINGS_MAX];
};
void settings_init(struct settings *s);
/* The options, pointing into s; returns how many (<= SETTINGS_MAX). */
size_t settings_options(struct settings *s, struct opt *out);
/* The names of the methods, "c1, c2, ...", with the presets bayes1 to bayes3. */
const char *settings_methods(void);
/* The usual settings of a method (by its name), changed by what was given and the method knows;
 * checked. Without a calendar (numbered series) past years are counted in steps unless asked for
 * otherwise. Errors: ERR_INVALID. */
enum err_code settings_spec(const struct settings *s, const char *method, bool calendar,
                            struct alarm_spec *out, struct err *err) NODISCARD;
/* ERR_INVALID naming a setting that was given and that none of the methods knows. */
enum err_code settings_all_used(const struct settings *s, const struct alarm_spec *specs, size_t n,
                                struct err *err) NODISCARD;
/* The settings in force as an object. */
void settings_json(const struct alarm_spec *spec, struct jw *w);
#endif
