/* First bytes and EXIF texts of pictures from outside. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "helper/photo_exif.h"
#include "helper/photo_sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) {
    bool animated = false;
    char time[PHOTO_TIME], offset[PHOTO_OFFSET];
    double degrees = 0;
    if (photo_sniff(p, n, &animated) != PHOTO_OTHER && animated && n < 8) __builtin_trap();
    (void)photo_jpeg_is_whole(p, n);
    char *text = mem_dup((const char *)p, n);
    if (!text) return 0;
    if (photo_exif_time(text, time) && strlen(time) != PHOTO_TIME - 1) __builtin_trap();
    if (photo_exif_offset(text, offset) && strlen(offset) != PHOTO_OFFSET - 1) __builtin_trap();
    if (photo_exif_degrees(text, "N", 90, &degrees) && !(degrees >= 0 && degrees <= 90))
        __builtin_trap();
    mem_free(text);
    return 0;
}
