/* sim/city_words.h - names of the invented city in Chinese and English, from word lists of ours.
 * Any likeness to a real place or person is chance. Pure; safe from any thread. */
#ifndef SIM_CITY_WORDS_H
#define SIM_CITY_WORDS_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Owned by the arena it was asked with; both NULL when there is no memory. */
struct city_name {
    const char *zh, *en;
};
enum city_name_kind {
    CITY_NAME_COUNTY,    /* 15 different stems, with the suffix 区, 县 or 市 of `form` 0, 1, 2 */
    CITY_NAME_TOWN,      /* 街道 or 镇: form 0, 1 */
    CITY_NAME_COMMUNITY, /* 社区 or 村: form 0, 1 */
    CITY_NAME_ROAD       /* 大道, 路, 街: form 0, 1, 2 */
};
/* The i-th name of a kind in the order that the seed gives; different for different i below
 * city_name_count. */
struct city_name city_name_at(struct arena *a, uint64_t seed, enum city_name_kind kind, size_t i,
                              int form);
size_t city_name_count(enum city_name_kind kind);
/* Invented person: surname and given name. */
struct city_name city_name_person(struct arena *a, uint64_t seed, size_t i);
#endif
