/* Time zones: TZif files as RFC 8536 describes them, versions 2 to 4, with the POSIX rule of the
 * footer. */
#include <stdint.h>
#include <string.h>

#include "base/civil.h"
#include "base/file.h"

static const char zoneinfo_dir[] = "/usr/share/zoneinfo";
enum { TZ_FILE_MAX = 256 * 1024, TZ_NAME_MAX = 64, HEADER = 44, MAX_OFFSET_S = 26 * 3600 };
static const int64_t us = 1000000;

/* One end of daylight saving time: RFC 8536 3.3 (POSIX.1-2017 8.3). */
struct rule_date {
    char kind; /* 'M': month, week, weekday; 'J': day 1..365 without 29 February; '0': day 0..365 */
    int month, week, wday; /* wday 0 = Sunday */
    int day;
    int32_t time_s; /* local time of the change, -167 h .. 167 h */
};

struct rule {
    bool exists, has_dst;
    int32_t std_s, dst_s;
    struct rule_date start, end;
};

struct change {
    int64_t at_s;
    int32_t offset_s;
};

struct tz {
    int32_t first_s; /* offset before the first change */
    size_t n;
    const struct change *change; /* ascending; the offset differs from the one before */
    int64_t rule_from_s; /* the file's last entry: from here on the rule holds, if there is one */
    struct rule rule;
};

/* Bounded reading of a file image; a read beyond the end sets `bad` and gives 0. */
struct cursor {
    const unsigned char *p;
    size_t n, at;
    bool bad;
};

static uint64_t get(struct cursor *c, size_t bytes) {
    if (c->n - c->at < bytes) {
        c->bad = true;
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) v = v << 8 | c->p[c->at + i];
    c->at += bytes;
    return v;
}

static void skip(struct cursor *c, size_t bytes) {
    if (c->n - c->at < bytes)
        c->bad = true;
    else
        c->at += bytes;
}

static int32_t get_i32(struct cursor *c) { return (int32_t)(uint32_t)get(c, 4); }
static int64_t get_i64(struct cursor *c) { return (int64_t)get(c, 8); }

struct header {
    int version;
    size_t isut, isstd, leap, time, type, chars;
};

static bool get_header(struct cursor *c, struct header *h) {
    if (c->n - c->at < HEADER || memcmp(c->p + c->at, "TZif", 4) != 0) return false;
    h->version = c->p[c->at + 4];
    skip(c, 20);
    h->isut = get(c, 4);
    h->isstd = get(c, 4);
    h->leap = get(c, 4);
    h->time = get(c, 4);
    h->type = get(c, 4);
    h->chars = get(c, 4);
    size_t max = TZ_FILE_MAX;
    return h->isut <= max && h->isstd <= max && h->leap <= max && h->time <= max && h->type >= 1 &&
           h->type <= 256 && h->chars <= max;
}

static size_t tail_size(const struct header *h, size_t time_bytes) {
    return h->chars + h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

/* The 64-bit block: changes to another offset only. */
static enum err_code get_changes(struct arena *a, struct cursor *c, const struct header *h,
                                 struct tz *tz) {
    int32_t offset[256];
    struct cursor types = *c;
    skip(&types, h->time * 9);
    if (types.bad) return ERR_SYNTAX;
    struct change *all = ARENA_NEW(a, struct change, h->time);
    if (all == NULL) return ERR_NOMEM;
    for (size_t i = 0; i < h->type; i++) {
        offset[i] = get_i32(&types);
        skip(&types, 2);
        if (offset[i] < -MAX_OFFSET_S || offset[i] > MAX_OFFSET_S) return ERR_SYNTAX;
    }
    for (size_t i = 0; i < h->time; i++) all[i].at_s = get_i64(c);
    for (size_t i = 0; i < h->time; i++) {
        size_t type = get(c, 1);
        if (type >= h->type) return ERR_SYNTAX;
        all[i].offset_s = offset[type];
        if (i > 0 && all[i].at_s <= all[i - 1].at_s) return ERR_SYNTAX;
    }
    if (c->bad || types.bad) return ERR_SYNTAX;
    c->at = types.at;
    tz->first_s = offset[0];
    tz->change = all;
    tz->rule_from_s = h->time == 0 ? INT64_MIN : all[h->time - 1].at_s;
    int32_t last = offset[0];
    for (size_t i = 0; i < h->time; i++) {
        if (all[i].offset_s == last) continue;
        last = all[i].offset_s;
        all[tz->n++] = all[i];
    }
    return ERR_OK;
}

/* Unsigned number up to max; false when there is none. */
static bool rule_number(const char **s, int max, int *out) {
    int v = 0, n = 0;
    for (; **s >= '0' && **s <= '9' && n < 4; (*s)++, n++) v = v * 10 + (**s - '0');
    *out = v;
    return n > 0 && v <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_time(const char **s, int max_h, int32_t *out) {
    int sign = **s == '-' ? -1 : 1, h, m = 0, sec = 0;
    if (**s == '-' || **s == '+') (*s)++;
    if (!rule_number(s, max_h, &h)) return false;
    if (**s == ':') {
        (*s)++;
        if (!rule_number(s, 59, &m)) return false;
        if (**s == ':') {
            (*s)++;
            if (!rule_number(s, 59, &sec)) return false;
        }
    }
    *out = sign * ((h * 60 + m) * 60 + sec);
    return true;
}

/* A zone abbreviation: three or more letters, or <...>. */
static bool rule_name(const char **s) {
    const char *from = *s;
    if (**s == '<') {
        const char *close = strchr(*s, '>');
        if (close == NULL) return false;
        *s = close + 1;
        return true;
    }
    while ((**s >= 'A' && **s <= 'Z') || (**s >= 'a' && **s <= 'z')) (*s)++;
    return *s - from >= 3;
}

static bool rule_point(const char **s, struct rule_date *d) {
    if (**s != ',') return false;
    (*s)++;
    if (**s == 'M') {
        d->kind = 'M';
        (*s)++;
        if (!rule_number(s, 12, &d->month) || d->month < 1 || *(*s)++ != '.') return false;
        if (!rule_number(s, 5, &d->week) || d->week < 1 || *(*s)++ != '.') return false;
        if (!rule_number(s, 6, &d->wday)) return false;
    } else {
        d->kind = **s == 'J' ? 'J' : '0';
        if (**s == 'J') (*s)++;
        if (!rule_number(s, 365, &d->day) || (d->kind == 'J' && d->day < 1)) return false;
    }
    d->time_s = 2 * 3600;
    if (**s != '/') return true;
    (*s)++;
    return rule_time(s, 167, &d->time_s);
}

static bool parse_rule(const char *s, struct rule *r) {
    if (*s == '\0') return true;
    if (!rule_name(&s) || !rule_time(&s, 24, &r->std_s)) return false;
    r->std_s = -r->std_s; /* POSIX counts westward */
    r->exists = true;
    if (*s == '\0') return true;
    if (!rule_name(&s)) return false;
    r->dst_s = r->std_s + 3600;
    if (*s != ',' && *s != '\0') {
        if (!rule_time(&s, 24, &r->dst_s)) return false;
        r->dst_s = -r->dst_s;
    }
    r->has_dst = true;
    return rule_point(&s, &r->start) && rule_point(&s, &r->end) && *s == '\0';
}

/* "\n" rule "\n" after the 64-bit block. */
static bool get_footer(struct cursor *c, struct rule *r) {
    char text[128];
    size_t n = 0;
    if (get(c, 1) != '\n') return false;
    for (;;) {
        char ch = (char)get(c, 1);
        if (c->bad || n == sizeof text - 1 || ch == '\0') return false;
        if (ch == '\n') break;
        text[n++] = ch;
    }
    text[n] = '\0';
    return parse_rule(text, r);
}

/* When the rule's change happens in a year, as UTC seconds; before_s is the offset until then. */
static int64_t rule_at(const struct rule_date *d, int year, int32_t before_s) {
    int64_t day;
    if (d->kind == 'M') {
        int64_t first = civil_days(year, d->month, 1);
        int sunday_based = (civil_weekday(first) + 1) % 7;
        day = first + (d->wday - sunday_based + 7) % 7 + (d->week - 1) * INT64_C(7);
        if (day >= first + civil_month_days(year, d->month))
            day -= 7; /* week 5 means the last one */
    } else {
        bool after_leap_day = d->kind == 'J' && d->day >= 60 && civil_month_days(year, 2) == 29;
        day = civil_days(year, 1, 1) + d->day - (d->kind == 'J' && !after_leap_day ? 1 : 0);
    }
    return day * 86400 + d->time_s - before_s;
}

static int64_t floor_us(int64_t utc_us) { return utc_us / us - (utc_us % us < 0 ? 1 : 0); }

/* The changes of the years around an instant, in order; returns their number (4 or 6 of them, 0
 * without DST). */
static size_t rule_changes(const struct rule *r, int64_t at_s, struct change out[6]) {
    if (!r->has_dst) return 0;
    int year, month, day;
    civil_from_days(at_s / 86400 - (at_s % 86400 < 0 ? 1 : 0), &year, &month, &day);
    size_t n = 0;
    for (int y = year - 1; y <= year + 1; y++) {
        struct change on = {rule_at(&r->start, y, r->std_s), r->dst_s};
        struct change off = {rule_at(&r->end, y, r->dst_s), r->std_s};
        out[n++] = on.at_s <= off.at_s ? on : off;
        out[n++] = on.at_s <= off.at_s ? off : on;
    }
    return n;
}

static int32_t rule_offset(const struct rule *r, int64_t at_s) {
    struct change c[6];
    size_t n = rule_changes(r, at_s, c);
    int32_t offset = r->std_s;
    for (size_t i = 0; i < n; i++)
        if (c[i].at_s <= at_s) offset = c[i].offset_s;
    return offset;
}

/* Number of changes at or before the instant. */
static size_t changes_until(const struct tz *tz, int64_t at_s) {
    size_t lo = 0, hi = tz->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (tz->change[mid].at_s <= at_s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int32_t offset_at_s(const struct tz *tz, int64_t at_s) {
    size_t k = changes_until(tz, at_s);
    if (tz->rule.exists && at_s >= tz->rule_from_s) return rule_offset(&tz->rule, at_s);
    return k == 0 ? tz->first_s : tz->change[k - 1].offset_s;
}

int32_t tz_offset_s(const struct tz *tz, int64_t utc_us) {
    return offset_at_s(tz, floor_us(utc_us));
}

bool tz_next_change(const struct tz *tz, int64_t utc_us, int64_t *at_us) {
    int64_t at_s = floor_us(utc_us);
    size_t k = changes_until(tz, at_s);
    if (k < tz->n) {
        *at_us = tz->change[k].at_s * us;
        return true;
    }
    if (!tz->rule.exists) return false;
    struct change c[6];
    int64_t base_s = at_s > tz->rule_from_s ? at_s : tz->rule_from_s;
    size_t n = rule_changes(&tz->rule, base_s, c);
    int32_t now = offset_at_s(tz, at_s);
    for (size_t i = 0; i < n; i++) {
        if (c[i].at_s <= base_s || offset_at_s(tz, c[i].at_s) == now) continue;
        *at_us = c[i].at_s * us;
        return true;
    }
    return false;
}

int64_t tz_to_local(const struct tz *tz, int64_t utc_us) {
    return utc_us + tz_offset_s(tz, utc_us) * us;
}

int64_t tz_to_utc(const struct tz *tz, int64_t local_us) {
    /* The instant lies within a day of the local reading. The offsets before and after differ only
     * around a change. */
    int32_t before = tz_offset_s(tz, local_us - 86400 * us);
    int32_t after = tz_offset_s(tz, local_us + 86400 * us);
    int64_t a = local_us - before * us;
    if (before == after || tz_offset_s(tz, a) == before) return a;
    return local_us - after * us;
}

static bool name_ok(const char *name) {
    size_t n = strnlen(name, TZ_NAME_MAX + 1);
    if (n == 0 || n > TZ_NAME_MAX || name[0] == '/' || strstr(name, "..") != NULL) return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && strchr("_+/-", c) == NULL) return false;
    }
    return true;
}

enum err_code tz_parse(struct arena *a, const void *p, size_t n, const struct tz **out,
                       struct err *err) {
    struct cursor c = {.p = p, .n = n};
    struct header h;
    *out = NULL;
    struct tz *tz = ARENA_NEW(a, struct tz, 1);
    if (tz == NULL) return err_fail(err, ERR_NOMEM, "time zone: out of memory");
    bool ok = get_header(&c, &h) && h.version >= '2';
    if (ok) {
        skip(&c, h.time * 5 + h.type * 6 + tail_size(&h, 4));
        ok = !c.bad && get_header(&c, &h);
    }
    if (!ok) return err_fail(err, ERR_INVALID, "not a TZif file of version 2 or later");
    /* "right/..." files count leap seconds, which UTC epoch times do not. */
    if (h.leap != 0) return err_fail(err, ERR_INVALID, "a TZif file with leap seconds");
    enum err_code rc = get_changes(a, &c, &h, tz);
    if (rc == ERR_NOMEM) return err_fail(err, rc, "time zone: out of memory");
    skip(&c, tail_size(&h, 8));
    if (rc != ERR_OK || c.bad || !get_footer(&c, &tz->rule))
        return err_fail(err, ERR_INVALID, "damaged TZif file");
    *out = tz;
    return ERR_OK;
}

enum err_code tz_load(struct arena *a, const char *name, const struct tz **out, struct err *err) {
    *out = NULL;
    if (!name_ok(name))
        return err_fail(err, ERR_INVALID, "\"%.80s\" is not a time zone name", name);
    if (strcmp(name, "UTC") == 0) {
        struct tz *utc = ARENA_NEW(a, struct tz, 1);
        if (utc == NULL) return err_fail(err, ERR_NOMEM, "time zone: out of memory");
        *out = utc;
        return ERR_OK;
    }
    char *path = file_join(a, zoneinfo_dir, name);
    if (path == NULL) return err_fail(err, ERR_NOMEM, "time zone: out of memory");
    struct buf b;
    buf_init(&b, TZ_FILE_MAX);
    enum err_code rc = file_read(path, &b, NULL);
    if (rc == ERR_OK) rc = tz_parse(a, buf_text(&b), b.n, out, NULL);
    buf_deinit(&b);
    if (rc == ERR_OK) return ERR_OK;
    if (rc == ERR_NOMEM) return err_fail(err, rc, "time zone: out of memory");
    return err_fail(err, ERR_INVALID, "the time zone \"%.80s\" is not known on this system", name);
}
