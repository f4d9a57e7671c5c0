#include "study/alarm/plot.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 400, LEFT = 64, RIGHT = 20, TOP = 56, BOTTOM = 56 };

struct frame {
    const struct alarm_answer *a;
    const struct alarm_series *x;
    const struct alarm_point *p;
    const struct series_group *g;
    size_t n;   /* points shown */
    double top; /* value at the upper edge */
    struct buf *b;
};

static double at_x(const struct frame *f, double k) {
    return LEFT + (WIDTH - LEFT - RIGHT) * k / (double)f->n;
}

static double at_y(const struct frame *f, double v) {
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * v / f->top;
}

static double count_of(const struct frame *f, size_t k) {
    return (double)f->x->count[f->x->from + k];
}

static void text(struct buf *b, const char *s) {
    for (; *s != '\0'; s++) {
        if (*s == '<')
            buf_str(b, "&lt;");
        else if (*s == '>')
            buf_str(b, "&gt;");
        else if (*s == '&')
            buf_str(b, "&amp;");
        else if ((unsigned char)*s >= 0x20 || *s == '\t')
            buf_char(b, *s);
    }
}

/* The next of 1, 2, 5, 10, 20, ... at or above v. */
static double nice(double v) {
    double unit = pow(10, floor(log10(v)));
    if (v <= unit) return unit;
    if (v <= 2 * unit) return 2 * unit;
    return v <= 5 * unit ? 5 * unit : 10 * unit;
}

static void head(const struct frame *f) {
    char first[16] = "", last[16] = "";
    size_t alarms = 0;
    for (size_t k = 0; k < f->n; k++) alarms += f->p[k].alarm ? 1 : 0;
    if (f->n > 0) {
        series_date(f->a->set, f->g->day[f->x->from], first);
        series_date(f->a->set, f->g->day[f->x->n - 1], last);
    }
    buf_printf(f->b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
               "height=\"%d\" role=\"img\" aria-labelledby=\"t d\" font-family=\"sans-serif\" "
               "font-size=\"12\">\n<title id=\"t\">",
               WIDTH, HEIGHT, WIDTH, HEIGHT);
    text(f->b, f->g->name);
    buf_printf(f->b, /* safe: our own words, dates, the name of a method */
               "%s%s</title>\n<desc id=\"d\">Counts from %s to %s by method %s, with the "
               "expected count and the bound; %zu alarm%s",
               f->g->name[0] == '\0' ? "" : ": ", alarms > 0 ? "alarms" : "no alarm", first, last,
               f->a->name, alarms, alarms == 1 ? "" : "s");
    for (size_t k = 0, told = 0; k < f->n && told < 20; k++) {
        char day[16];
        if (!f->p[k].alarm) continue;
        series_date(f->a->set, f->g->day[f->x->from + k], day);
        buf_printf(f->b, "%s %s (%.0f)", told++ == 0 ? ":" : ",", day, count_of(f, k));
    }
    buf_printf(f->b, ".</desc>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, HEIGHT);
    buf_printf(f->b, "<text x=\"%d\" y=\"20\" font-size=\"15\" font-weight=\"bold\">", LEFT);
    text(f->b, f->g->name[0] == '\0' ? "Counts" : f->g->name);
    buf_str(f->b, " (");
    text(f->b, f->a->name);
    buf_str(f->b, ")</text>\n");
}

static void legend(const struct frame *f) {
    buf_printf(f->b,
               "<g transform=\"translate(%d 34)\">"
               "<path d=\"M0 0h24\" stroke=\"#111\" stroke-width=\"1.5\"/><text x=\"30\" y=\"4\">"
               "observed</text>"
               "<path d=\"M110 0h24\" stroke=\"#0a5c8a\" stroke-width=\"1.5\" "
               "stroke-dasharray=\"6 3\"/><text x=\"140\" y=\"4\">expected</text>"
               "<rect x=\"220\" y=\"-6\" width=\"24\" height=\"12\" fill=\"#cfe3ef\"/><path "
               "d=\"M220 -6h24\" stroke=\"#0a5c8a\"/><text x=\"250\" y=\"4\">up to the bound</text>"
               "<path d=\"M376 -5l6 10 6 -10z\" fill=\"#b00020\"/><text x=\"394\" y=\"4\">alarm"
               "</text></g>\n",
               LEFT);
}

static void axes(const struct frame *f) {
    double step = nice(f->top / 5);
    for (int i = 0; i * step <= f->top * (1 + 1e-9); i++) {
        double v = i * step;
        buf_printf(f->b,
                   "<path d=\"M%d %.1fH%d\" stroke=\"#ccc\" stroke-width=\"0.5\"/><text x=\"%d\" "
                   "y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
                   LEFT, at_y(f, v), WIDTH - RIGHT, LEFT - 6, at_y(f, v) + 4, v);
    }
    size_t every = f->n / 8 + 1;
    for (size_t k = 0; k < f->n && at_x(f, (double)k) < WIDTH - RIGHT - 60; k += every) {
        char day[16];
        series_date(f->a->set, f->g->day[f->x->from + k], day);
        buf_printf(f->b, /* safe: a date */
                   "<path d=\"M%.1f %dv5\" stroke=\"#555\"/><text x=\"%.1f\" y=\"%d\">%s</text>\n",
                   at_x(f, (double)k + 0.5), HEIGHT - BOTTOM, at_x(f, (double)k),
                   HEIGHT - BOTTOM + 19, day);
    }
    buf_printf(f->b, "<path d=\"M%d %dH%d\" stroke=\"#555\"/>\n", LEFT, HEIGHT - BOTTOM,
               WIDTH - RIGHT);
}

/* The band of each stretch of judged dates, closed along the axis, and its upper edge. */
static void band(const struct frame *f) {
    for (size_t k = 0; k < f->n;) {
        if (isnan(f->p[k].upper)) {
            k++;
            continue;
        }
        size_t end = k;
        while (end < f->n && !isnan(f->p[end].upper)) end++;
        for (int edge = 0; edge < 2; edge++) {
            buf_printf(f->b,
                       edge == 0 ? "<path fill=\"#cfe3ef\" d=\"M%.1f %.1f"
                                 : "<path fill=\"none\" stroke=\"#0a5c8a\" d=\"M%.1f %.1f",
                       at_x(f, (double)k), at_y(f, fmin(f->p[k].upper, f->top)));
            for (size_t i = k; i < end; i++)
                buf_printf(f->b, "V%.1fH%.1f", at_y(f, fmin(f->p[i].upper, f->top)),
                           at_x(f, (double)i + 1));
            if (edge == 0) buf_printf(f->b, "V%dH%.1fZ", HEIGHT - BOTTOM, at_x(f, (double)k));
            buf_str(f->b, "\"/>\n");
        }
        k = end;
    }
}

static void lines(const struct frame *f) {
    buf_str(f->b, "<path fill=\"none\" stroke=\"#0a5c8a\" stroke-width=\"1.5\" "
                  "stroke-dasharray=\"6 3\" d=\"M0 0");
    for (size_t k = 0; k < f->n; k++) {
        if (isnan(f->p[k].expected)) continue;
        bool first = k == 0 || isnan(f->p[k - 1].expected);
        buf_printf(f->b, "%c%.1f %.1f", first ? 'M' : 'L', at_x(f, (double)k + 0.5),
                   at_y(f, fmin(f->p[k].expected, f->top)));
    }
    buf_str(f->b, "\"/>\n<path fill=\"none\" stroke=\"#111\" stroke-width=\"1.5\" d=\"");
    for (size_t k = 0; k < f->n; k++) {
        if (k == 0)
            buf_printf(f->b, "M%d %.1f", LEFT, at_y(f, count_of(f, k)));
        else
            buf_printf(f->b, "V%.1f", at_y(f, count_of(f, k)));
        buf_printf(f->b, "H%.1f", at_x(f, (double)k + 1));
    }
    buf_str(f->b, "\"/>\n");
    for (size_t k = 0; k < f->n; k++) {
        char day[16];
        if (!f->p[k].alarm) continue;
        series_date(f->a->set, f->g->day[f->x->from + k], day);
        buf_printf(f->b, /* safe: a date and numbers */
                   "<path d=\"M%.1f %.1fl-5 -9h10z\" fill=\"#b00020\"><title>%s: %.0f counted, "
                   "%.4g expected, bound %.4g</title></path>\n",
                   at_x(f, (double)k + 0.5), at_y(f, count_of(f, k)) - 2, day, count_of(f, k),
                   f->p[k].expected, f->p[k].upper);
    }
}

void plot_svg(const struct alarm_answer *a, size_t group, struct buf *out) {
    const struct alarm_series *x = &a->series[group];
    struct frame f = {a, x, a->point[group], &a->set->group[group], x->n - x->from, 0, out};
    double most = 1, bound = 0;
    for (size_t k = 0; k < f.n; k++) {
        most = fmax(most, count_of(&f, k));
        if (!isnan(f.p[k].upper)) bound = fmax(bound, f.p[k].upper);
    }
    /* A bound far above all counts is cut, or the counts would lie flat on the axis. */
    most = fmax(most, fmin(bound, 3 * most)) * 1.06;
    f.top = ceil(most / nice(most / 5)) * nice(most / 5);
    head(&f);
    legend(&f);
    band(&f);
    axes(&f);
    lines(&f);
    buf_str(out, "</svg>\n");
}
