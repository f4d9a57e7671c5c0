/* base/sanitizer.h - whether this build watches itself: limits of address space and filters of
 * calls that a product build sets would end such a program. */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H
#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif
static inline bool under_sanitizer(void) { return UNDER_SANITIZER != 0; }

#endif
