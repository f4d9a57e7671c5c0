/* helper/photo_exif.h - time and place that a camera wrote into a picture, read from the text form
 * that libvips gives its EXIF fields. Pure; any text is safe. */
#ifndef HELPER_PHOTO_EXIF_H
#define HELPER_PHOTO_EXIF_H
#include <stdbool.h>

enum { PHOTO_TIME = 20, PHOTO_OFFSET = 7 };

/* "2024:05:01 12:00:09 (...)" to "2024-05-01T12:00:09", the camera's local time; false when it is
 * no such time. */
bool photo_exif_time(const char *text, char out[PHOTO_TIME]);
/* "+08:00 (...)" to "+08:00"; false otherwise. */
bool photo_exif_offset(const char *text, char out[PHOTO_OFFSET]);
/* "32/1 51/1 3050/100 (...)" and a reference "N (...)" (N, S, E or W) to degrees; |degrees| <=
 * limit. */
bool photo_exif_degrees(const char *text, const char *ref, double limit, double *out);
#endif
