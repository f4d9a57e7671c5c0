/* The plots of a briefing and its map, drawn in lines and areas. Each has its numbers beside it or
 * in a table of the same section. */
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

#include "helper/print_page.h"

enum { MAX_TREND = 40, MAX_STEPS = 14 };

struct scale {
    double low, high;
};

/* Whole tens around the values, at least twenty wide, within 0..100. */
static struct scale stretch(const double *v, size_t n) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isnan(v[i])) continue;
        low = fmin(low, v[i]);
        high = fmax(high, v[i]);
    }
    if (!(low <= high)) return (struct scale){0, 100};
    struct scale s = {fmax(0, floor((low - 2) / 10) * 10), fmin(100, ceil((high + 2) / 10) * 10)};
    if (s.high - s.low < 20) s.low = fmax(0, s.high - 20);
    if (s.high - s.low < 20) s.high = fmin(100, s.low + 20);
    return s;
}

struct frame {
    double x, y, width, height;
    struct scale s;
};

static double at_y(const struct frame *f, double v) {
    return f->y + (1 - (v - f->s.low) / (f->s.high - f->s.low)) * f->height;
}

/* Stripes of the colour bands with their words, and lines at the tens. */
static void ground(struct page *p, const struct frame *f, const struct val *doc) {
    const struct val *bands = val_get(val_get(doc, "index"), "bands");
    size_t n = doc_size(bands);
    for (size_t i = 0; i < n; i++) {
        const struct val *b = &bands->u.list[i];
        double from = fmax(doc_number(b, "from"), f->s.low),
               to = i + 1 < n ? doc_number(&bands->u.list[i + 1], "from") : 100;
        to = fmin(to, f->s.high);
        if (!(to > from)) continue;
        struct color c = page_color(doc_text(b, "color"));
        cairo_set_source_rgba(p->cr, c.r, c.g, c.b, 0.13);
        cairo_rectangle(p->cr, f->x, at_y(f, to), f->width, at_y(f, from) - at_y(f, to));
        cairo_fill(p->cr);
        page_set_color(p, c);
        if (at_y(f, from) - at_y(f, to) > 11)
            page_label(p, STYLE_SMALL, doc_pair(p, b, "title"), f->x + f->width + 4,
                       (at_y(f, from) + at_y(f, to)) / 2, 0, -0.5);
    }
    int step = f->s.high - f->s.low > 60 ? 20 : 10;
    for (int k = (int)f->s.low; k <= (int)f->s.high; k += step) {
        char text[16];
        double v = k;
        (void)snprintf(text, sizeof text, "%.0f", v);
        page_set_color(p, page_line);
        cairo_set_line_width(p->cr, 0.5);
        cairo_move_to(p->cr, f->x, at_y(f, v));
        cairo_line_to(p->cr, f->x + f->width, at_y(f, v));
        cairo_stroke(p->cr);
        page_set_color(p, page_soft);
        page_label(p, STYLE_SMALL, text, f->x - 4, at_y(f, v), -1, -0.5);
    }
}

/* "10-31", "08-T2", "2026-08" in as few signs as tell it. */
static const char *tick(const char *period) {
    size_t n = strlen(period);
    return n == 10 ? period + 5 : n == 7 ? period + 2 : period;
}

static void points(struct page *p, const struct frame *f, const struct val *trend, const double *v,
                   size_t n) {
    double gap = n > 1 ? (f->width - 20) / (double)(n - 1) : 0;
    bool drawing = false;
    page_set_color(p, page_brand);
    cairo_set_line_width(p->cr, 1.8);
    for (size_t i = 0; i < n; i++) {
        double x = f->x + 10 + gap * (double)i;
        if (isnan(v[i])) {
            drawing = false;
            continue;
        }
        if (drawing)
            cairo_line_to(p->cr, x, at_y(f, v[i]));
        else
            cairo_move_to(p->cr, x, at_y(f, v[i]));
        drawing = true;
    }
    cairo_stroke(p->cr);
    for (size_t i = 0; i < n; i++) {
        const struct val *t = &trend->u.list[i];
        double x = f->x + 10 + gap * (double)i;
        char text[NUMBER_TEXT];
        page_set_color(p, page_soft);
        if ((n - 1 - i) % 2 == 0)
            page_label(p, STYLE_SMALL, tick(doc_text(t, "period")), x, f->y + f->height + 3, -0.5,
                       0);
        if (isnan(v[i])) continue;
        cairo_new_path(p->cr);
        cairo_arc(p->cr, x, at_y(f, v[i]), 2.6, 0, 2 * G_PI);
        page_set_color(p, doc_true(t, "too_small") ? (struct color){1, 1, 1} : page_brand);
        cairo_fill_preserve(p->cr);
        page_set_color(p, page_brand);
        cairo_set_line_width(p->cr, 1);
        cairo_stroke(p->cr);
        page_set_color(p, page_ink);
        if ((n - 1 - i) % 2 == 0)
            page_label(p, STYLE_SMALL, number_text(v[i], false, text), x, at_y(f, v[i]) - 5, -0.5,
                       -1);
    }
}

void plot_trend(struct page *p, const struct val *doc) {
    const struct val *trend = val_get(doc, "trend");
    double v[MAX_TREND] = {0};
    size_t n = doc_size(trend);
    if (n == 0 || n > MAX_TREND) return;
    for (size_t i = 0; i < n; i++) v[i] = doc_number(&trend->u.list[i], "value");
    page_need(p, 190);
    struct frame f = {PAGE_MARGIN + 24, p->y + 8, PAGE_INNER - 24 - 62, 140, stretch(v, n)};
    ground(p, &f, doc);
    points(p, &f, trend, v, n);
    p->y += 8 + 140 + 20;
    page_set_color(p, page_ink);
}

/* ---- why it moved: from the value before to the value now */

static void bar(struct page *p, const struct frame *f, double a, double b, struct color c) {
    double left = f->x + (fmin(a, b) - f->s.low) / (f->s.high - f->s.low) * f->width,
           wide = fmax(0.8, fabs(a - b) / (f->s.high - f->s.low) * f->width);
    page_set_color(p, c);
    cairo_rectangle(p->cr, left, p->y + 3, wide, 10);
    cairo_fill(p->cr);
}

static void fall_row(struct page *p, const struct frame *f, const char *name, double from,
                     double to, const char *number, struct color c) {
    double h = page_cell(p, STYLE_BODY, name, 0, 0, f->x - PAGE_MARGIN - 8, ALIGN_LEFT, false);
    page_need(p, h + 3);
    page_set_color(p, page_ink);
    (void)page_cell(p, STYLE_BODY, name, PAGE_MARGIN, p->y, f->x - PAGE_MARGIN - 8, ALIGN_LEFT,
                    true);
    page_set_color(p, (struct color){0.95, 0.96, 0.97});
    cairo_rectangle(p->cr, f->x, p->y + 3, f->width, 10);
    cairo_fill(p->cr);
    bar(p, f, from, to, c);
    page_set_color(p, page_ink);
    page_label(p, STYLE_BODY, number, PAGE_WIDTH - PAGE_MARGIN, p->y, -1, 0);
    p->y += fmax(h, 14) + 3;
}

void plot_moved(struct page *p, const struct val *doc) {
    const struct val *head = val_get(doc, "head"), *moved = val_get(doc, "moved"),
                     *steps = val_get(moved, "steps");
    double before = doc_number(head, "before"), now = doc_number(head, "value"), v[MAX_STEPS + 2];
    double rest = doc_number(moved, "rest"), at = before;
    size_t n = doc_size(steps), k = 0;
    char text[NUMBER_TEXT];
    if (n == 0 || isnan(before) || isnan(now)) return;
    if (n > MAX_STEPS) n = MAX_STEPS;
    v[k++] = before;
    for (size_t i = 0; i < n; i++) v[k++] = at += doc_number(&steps->u.list[i], "change");
    v[k++] = now;
    page_gap(p, 4);
    page_need(p, (double)(n + 3) * 18);
    struct frame f = {PAGE_MARGIN + 190, 0, PAGE_INNER - 190 - 46, 0, stretch(v, k)};
    fall_row(p, &f, doc_pair(p, doc, "before_title"), f.s.low, before,
             number_text(before, false, text), page_brand);
    at = before;
    for (size_t i = 0; i < n; i++) {
        const struct val *s = &steps->u.list[i];
        double change = doc_number(s, "change");
        fall_row(p, &f, doc_pair(p, s, "title"), at, at + change, number_text(change, true, text),
                 change < 0 ? page_red : page_green);
        at += change;
    }
    if (doc_number(moved, "n_rest") > 0)
        fall_row(p, &f, p->zh ? "其余合计" : "All others together", at, at + rest,
                 number_text(rest, true, text), page_soft);
    fall_row(p, &f, doc_pair(p, doc, "period_title"), f.s.low, now, number_text(now, false, text),
             page_brand);
    (void)snprintf(text, sizeof text, "%.0f\xe2\x80\x93%.0f", f.s.low, f.s.high);
    page_set_color(p, page_soft);
    page_label(p, STYLE_SMALL, text, f.x, p->y, 0, 0);
    page_set_color(p, page_ink);
    p->y += 14;
}

/* ---- the map */

static const struct val *area_of(const struct val *doc, const char *code) {
    const struct val *items = val_get(val_get(doc, "areas"), "items");
    for (size_t i = 0; i < doc_size(items); i++)
        if (strcmp(doc_text(&items->u.list[i], "area"), code) == 0) return &items->u.list[i];
    return NULL;
}

static void shape(struct page *p, const struct val *rings, double x, double y, double scale) {
    for (size_t k = 0; k < doc_size(rings); k++) {
        const struct val *r = &rings->u.list[k];
        for (size_t i = 0; i + 1 < doc_size(r); i += 2) {
            const struct val *a = &r->u.list[i], *b = &r->u.list[i + 1];
            if (a->type != VAL_INT || b->type != VAL_INT) return;
            double px = x + (double)a->u.i * scale, py = y + (double)b->u.i * scale;
            if (i == 0)
                cairo_move_to(p->cr, px, py);
            else
                cairo_line_to(p->cr, px, py);
        }
        cairo_close_path(p->cr);
    }
}

static void map_shapes(struct page *p, const struct val *doc, double x, double y, double scale) {
    const struct val *areas = val_get(val_get(doc, "map"), "areas");
    cairo_set_fill_rule(p->cr, CAIRO_FILL_RULE_EVEN_ODD);
    for (size_t i = 0; i < doc_size(areas); i++) {
        const struct val *a = &areas->u.list[i], *item = area_of(doc, doc_text(a, "area"));
        const struct val *band = item == NULL ? NULL : doc_band(doc, doc_text(item, "band"));
        struct color c = page_color(band == NULL ? NULL : doc_text(band, "color"));
        shape(p, val_get(a, "rings"), x, y, scale);
        cairo_set_source_rgba(p->cr, c.r, c.g, c.b, 0.55);
        cairo_fill_preserve(p->cr);
        page_set_color(p, (struct color){1, 1, 1});
        cairo_set_line_width(p->cr, 1.2);
        cairo_stroke(p->cr);
    }
}

/* A name with its word on a light ground, so that no colour has to be told from another. */
static void map_labels(struct page *p, const struct val *doc, double x, double y, double scale) {
    const struct val *areas = val_get(val_get(doc, "map"), "areas");
    size_t n = doc_size(areas);
    for (size_t i = 0; i < n; i++) {
        const struct val *a = &areas->u.list[i], *item = area_of(doc, doc_text(a, "area")),
                         *at = val_get(a, "label");
        if (item == NULL || doc_size(at) != 2 || at->u.list[0].type != VAL_INT ||
            at->u.list[1].type != VAL_INT)
            continue;
        const struct val *band = doc_band(doc, doc_text(item, "band"));
        double px = x + (double)at->u.list[0].u.i * scale,
               py = y + (double)at->u.list[1].u.i * scale;
        char number[NUMBER_TEXT], second[160];
        (void)snprintf(second, sizeof second, "%s %.100s",
                       number_text(doc_number(item, "value"), false, number),
                       band == NULL ? "" : doc_pair(p, band, "title"));
        double w = fmax(page_label_width(p, STYLE_SMALL, doc_name(p, item)),
                        page_label_width(p, STYLE_SMALL, second));
        cairo_set_source_rgba(p->cr, 1, 1, 1, 0.8);
        cairo_rectangle(p->cr, px - w / 2 - 2, py - 12, w + 4, 24);
        cairo_fill(p->cr);
        page_set_color(p, page_ink);
        page_label(p, STYLE_SMALL, doc_name(p, item), px, py, -0.5, -1);
        page_label(p, STYLE_SMALL, second, px, py, -0.5, 0);
    }
}

void plot_map(struct page *p, const struct val *doc) {
    enum { LABELS = 30, TALL = 300 };
    const struct val *map = val_get(doc, "map");
    double wide = doc_number(map, "width"), tall = doc_number(map, "height");
    if (!(wide > 0) || !(tall > 0)) return;
    double scale = fmin(PAGE_INNER / wide, TALL / tall), height = tall * scale;
    page_gap(p, 6);
    page_need(p, height + 10);
    double x = PAGE_MARGIN + (PAGE_INNER - wide * scale) / 2;
    map_shapes(p, doc, x, p->y, scale);
    if (doc_size(val_get(map, "areas")) <= LABELS) map_labels(p, doc, x, p->y, scale);
    p->y += height + 10;
    page_set_color(p, page_ink);
}
