#include "domain/grid/hours.h"

#include <ctype.h>
#include <stddef.h>

/* Up to two digits; -1 when there is none. */
static int digits(const char **p, int n_least) {
    int v = 0, n = 0;
    while (n < 2 && isdigit((unsigned char)**p)) {
        v = v * 10 + (**p - '0');
        (*p)++;
        n++;
    }
    return n < n_least ? -1 : v;
}

/* "8:30" or "08:30" in minutes, up to 24:00; -1 when it is none. */
static int clock_time(const char **p) {
    int hour = digits(p, 1);
    if (hour < 0 || **p != ':') return -1;
    (*p)++;
    int minute = digits(p, 2);
    if (minute < 0 || minute > 59) return -1;
    int t = hour * 60 + minute;
    return t > HOURS_DAY_MIN ? -1 : t;
}

static const char *skip_separators(const char *p) {
    while (*p == ' ' || *p == ',' || *p == '\t') p++;
    return p;
}

struct hours hours_parse(const char *text) {
    static const struct hours always = {0};
    struct hours h = {0};
    for (const char *p = skip_separators(text); *p != '\0'; p = skip_separators(p)) {
        int from = clock_time(&p);
        if (from < 0 || from == HOURS_DAY_MIN || *p != '-' || h.n == HOURS_MAX) return always;
        p++;
        int to = clock_time(&p);
        bool ended = *p == '\0' || skip_separators(p) != p;
        if (to < 0 || !ended) return always;
        if (to == from || (from == 0 && to == HOURS_DAY_MIN)) return always;
        h.span[h.n].from = (int16_t)from;
        h.span[h.n++].to = (int16_t)to;
    }
    return h;
}

bool hours_on(const struct hours *h, int minute) {
    if (h->n == 0) return true;
    for (int i = 0; i < h->n; i++) {
        int from = h->span[i].from, to = h->span[i].to;
        bool on = from < to ? minute >= from && minute < to : minute >= from || minute < to;
        if (on) return true;
    }
    return false;
}
