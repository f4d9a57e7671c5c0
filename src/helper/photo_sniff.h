/* helper/photo_sniff.h - what kind of picture the first bytes say it is. Pure; safe from any
 * thread; never reads beyond n. */
#ifndef HELPER_PHOTO_SNIFF_H
#define HELPER_PHOTO_SNIFF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum photo_kind { PHOTO_OTHER = 0, PHOTO_JPEG = 1, PHOTO_PNG = 2, PHOTO_WEBP = 3, PHOTO_HEIC = 4 };
/* By magic numbers only (ISO 10918-1, PNG 1.2, RIFF container of WebP, ISO 14496-12 "ftyp" with an
 * HEVC image brand). *animated: an animated WebP, an APNG or an HEIF image sequence. */
enum photo_kind photo_sniff(const uint8_t *p, size_t n, bool *animated);
/* Whether a JPEG reaches its end marker; libvips fills up what is missing in grey without a word.
 * Bytes behind the end (some phones add them) do not matter. */
bool photo_jpeg_is_whole(const uint8_t *p, size_t n);
/* "image/jpeg" ...; NULL for PHOTO_OTHER. */
const char *photo_kind_type(enum photo_kind k);
#endif
