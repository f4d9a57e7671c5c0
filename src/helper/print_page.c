#include "helper/print_page.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

#define BOTTOM (PAGE_HEIGHT - PAGE_MARGIN - 14)
#define CHINESE "Noto Sans CJK SC, Source Han Sans SC, Noto Sans SC, sans-serif"
#define LATIN "Noto Sans, DejaVu Sans, Liberation Sans, " CHINESE
enum { CELL_PAD = 4 };

const struct color page_ink = {0.10, 0.12, 0.15}, page_soft = {0.36, 0.40, 0.45},
                   page_line = {0.80, 0.83, 0.86}, page_brand = {0.06, 0.35, 0.55},
                   page_red = {0.70, 0.15, 0.12}, page_green = {0.11, 0.43, 0.24};

struct color page_color(const char *hex) {
    unsigned r = 0, g = 0, b = 0;
    if (hex == NULL || strlen(hex) != 7 || hex[0] != '#') return (struct color){0.7, 0.7, 0.7};
    for (int i = 1; i < 7; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, hex[i] | 0x20);
        unsigned d = at == NULL ? 0 : (unsigned)(at - digits);
        unsigned *to = i < 3 ? &r : i < 5 ? &g : &b;
        *to = *to * 16 + d;
    }
    return (struct color){r / 255.0, g / 255.0, b / 255.0};
}

void page_set_color(struct page *p, struct color c) { cairo_set_source_rgb(p->cr, c.r, c.g, c.b); }

/* ---- text */

static double size_of(enum page_style style) {
    switch (style) {
    case STYLE_TITLE:
        return 17;
    case STYLE_BIG:
        return 30;
    case STYLE_HEAD:
        return 13;
    case STYLE_SMALL:
        return 8;
    case STYLE_BODY:
    case STYLE_STRONG:
        break;
    }
    return 10;
}

static PangoLayout *layout_of(struct page *p, enum page_style style, const char *text) {
    PangoLayout *l = pango_layout_new(p->pango);
    PangoFontDescription *f = pango_font_description_from_string(p->zh ? CHINESE : LATIN);
    bool bold =
        style == STYLE_TITLE || style == STYLE_HEAD || style == STYLE_STRONG || style == STYLE_BIG;
    pango_font_description_set_absolute_size(f, size_of(style) * PANGO_SCALE);
    pango_font_description_set_weight(f, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(l, f);
    pango_font_description_free(f);
    pango_layout_set_text(l, text, -1);
    pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_line_spacing(l, 1.15F);
    return l;
}

static void size(PangoLayout *l, double *w, double *h) {
    int pw = 0, ph = 0;
    pango_layout_get_size(l, &pw, &ph);
    if (w != NULL) *w = (double)pw / PANGO_SCALE;
    if (h != NULL) *h = (double)ph / PANGO_SCALE;
}

double page_cell(struct page *p, enum page_style style, const char *text, double x, double y,
                 double width, enum page_align align, bool draw) {
    double h = 0;
    PangoLayout *l = layout_of(p, style, text);
    pango_layout_set_width(l, (int)(width * PANGO_SCALE));
    pango_layout_set_alignment(l, align == ALIGN_RIGHT ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    size(l, NULL, &h);
    if (draw) {
        cairo_move_to(p->cr, x, y);
        pango_cairo_show_layout(p->cr, l);
    }
    g_object_unref(l);
    return h;
}

double page_label_width(struct page *p, enum page_style style, const char *text) {
    double w = 0;
    PangoLayout *l = layout_of(p, style, text);
    size(l, &w, NULL);
    g_object_unref(l);
    return w;
}

void page_label(struct page *p, enum page_style style, const char *text, double x, double y,
                double dx, double dy) {
    double w = 0, h = 0;
    PangoLayout *l = layout_of(p, style, text);
    size(l, &w, &h);
    cairo_move_to(p->cr, x + dx * w, y + dy * h);
    pango_cairo_show_layout(p->cr, l);
    g_object_unref(l);
}

/* ---- pages */

static void running_lines(struct page *p) {
    char text[64];
    page_set_color(p, page_line);
    cairo_set_line_width(p->cr, 0.6);
    cairo_move_to(p->cr, PAGE_MARGIN, BOTTOM + 8);
    cairo_line_to(p->cr, PAGE_WIDTH - PAGE_MARGIN, BOTTOM + 8);
    cairo_stroke(p->cr);
    page_set_color(p, p->is_draft ? page_red : page_soft);
    (void)page_cell(p, STYLE_SMALL, p->state, PAGE_MARGIN, BOTTOM + 12, PAGE_INNER - 90, ALIGN_LEFT,
                    true);
    (void)snprintf(text, sizeof text, p->zh ? "第 %d 页，共 %d 页" : "Page %d of %d", p->number,
                   p->of);
    page_set_color(p, page_soft);
    page_label(p, STYLE_SMALL, text, PAGE_WIDTH - PAGE_MARGIN, BOTTOM + 12, -1, 0);
    if (p->number > 1) page_label(p, STYLE_SMALL, p->title, PAGE_MARGIN, 30, 0, 0);
    if (p->is_draft) {
        page_set_color(p, page_red);
        page_label(p, STYLE_STRONG, p->zh ? "草稿" : "DRAFT", PAGE_WIDTH - PAGE_MARGIN, 28, -1, 0);
    }
}

void page_begin(struct page *p) {
    p->number++;
    p->y = PAGE_MARGIN;
    running_lines(p);
    page_set_color(p, page_ink);
}

void page_end(struct page *p) { cairo_show_page(p->cr); }

void page_need(struct page *p, double height) {
    if (p->y + height <= BOTTOM || p->y <= PAGE_MARGIN) return;
    page_end(p);
    page_begin(p);
}

void page_gap(struct page *p, double height) { p->y += height; }

static void paragraph(struct page *p, enum page_style style, const char *text, double indent) {
    double h = page_cell(p, style, text, 0, 0, PAGE_INNER - indent, ALIGN_LEFT, false);
    page_need(p, h);
    (void)page_cell(p, style, text, PAGE_MARGIN + indent, p->y, PAGE_INNER - indent, ALIGN_LEFT,
                    true);
    p->y += h + 3;
}

void page_text(struct page *p, enum page_style style, const char *text) {
    page_set_color(p, style == STYLE_SMALL ? page_soft : page_ink);
    paragraph(p, style, text, 0);
    page_set_color(p, page_ink);
}

void page_bullet(struct page *p, const char *text) {
    double h = page_cell(p, STYLE_BODY, text, 0, 0, PAGE_INNER - 12, ALIGN_LEFT, false);
    page_need(p, h);
    page_set_color(p, page_brand);
    cairo_new_path(p->cr); /* text leaves a point that the arc would be joined to */
    cairo_arc(p->cr, PAGE_MARGIN + 4, p->y + 7.5, 1.8, 0, 2 * G_PI);
    cairo_fill(p->cr);
    page_set_color(p, page_ink);
    paragraph(p, STYLE_BODY, text, 12);
}

void page_head(struct page *p, const char *text) {
    page_gap(p, 10);
    page_need(p, 70);
    page_set_color(p, page_brand);
    paragraph(p, STYLE_HEAD, text, 0);
    page_set_color(p, page_line);
    cairo_set_line_width(p->cr, 0.8);
    cairo_move_to(p->cr, PAGE_MARGIN, p->y - 1);
    cairo_line_to(p->cr, PAGE_WIDTH - PAGE_MARGIN, p->y - 1);
    cairo_stroke(p->cr);
    page_set_color(p, page_ink);
    page_gap(p, 4);
}

/* ---- tables */

static void rule(struct page *p, double width) {
    page_set_color(p, page_line);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, PAGE_MARGIN, p->y);
    cairo_line_to(p->cr, PAGE_WIDTH - PAGE_MARGIN, p->y);
    cairo_stroke(p->cr);
}

static double row(struct page *p, const struct table_col *col, int n, const struct table_cell *cell,
                  enum page_style style, bool draw) {
    double x = PAGE_MARGIN, height = 0;
    for (int i = 0; i < n; i++) {
        double w = col[i].share * PAGE_INNER - CELL_PAD, left = x;
        bool swatch = col[i].swatch && cell != NULL && cell[i].text[0] != '\0';
        if (swatch && draw) {
            page_set_color(p, cell[i].color);
            cairo_rectangle(p->cr, x, p->y + 5.5, 7, 7);
            cairo_fill(p->cr);
        }
        if (swatch) {
            left += 11;
            w -= 11;
        }
        page_set_color(p, cell == NULL ? page_soft : page_ink);
        double h = page_cell(p, style, cell == NULL ? col[i].title : cell[i].text, left, p->y + 2.5,
                             w, col[i].right ? ALIGN_RIGHT : ALIGN_LEFT, draw);
        height = fmax(height, h);
        x += col[i].share * PAGE_INNER;
    }
    return height + 5;
}

void page_table_head(struct page *p, const struct table_col *col, int n) {
    page_need(p, 60);
    p->y += row(p, col, n, NULL, STYLE_SMALL, true);
    rule(p, 0.9);
}

void page_table_row(struct page *p, const struct table_col *col, int n,
                    const struct table_cell *cell) {
    double h = row(p, col, n, cell, STYLE_BODY, false);
    if (p->y + h > BOTTOM) {
        page_end(p);
        page_begin(p);
        page_table_head(p, col, n);
    }
    (void)row(p, col, n, cell, STYLE_BODY, true);
    p->y += h;
    rule(p, 0.4);
    page_set_color(p, page_ink);
}

/* ---- values */

const char *doc_text(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    return x != NULL && x->type == VAL_STR ? x->u.s : "";
}

double doc_number(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    if (x == NULL) return NAN;
    return x->type == VAL_INT ? (double)x->u.i : x->type == VAL_DOUBLE ? x->u.d : NAN;
}

bool doc_true(const struct val *v, const char *key) {
    const struct val *x = val_get(v, key);
    return x != NULL && x->type == VAL_BOOL && x->u.b;
}

size_t doc_size(const struct val *list) {
    return list != NULL && list->type == VAL_LIST ? list->n : 0;
}

const char *doc_pair(const struct page *p, const struct val *v, const char *key) {
    return doc_text(key == NULL ? v : val_get(v, key), p->zh ? "zh" : "en");
}

const char *doc_name(const struct page *p, const struct val *v) {
    const char *en = doc_text(v, "name_en");
    return !p->zh && en[0] != '\0' ? en : doc_text(v, "name");
}

const char *number_text(double v, bool sign, char out[NUMBER_TEXT]) {
    double t = floor(fabs(v) * 10 + 0.5) / 10;
    const char *lead = t == 0 ? "" : v < 0 ? "\xe2\x88\x92" : sign ? "+" : "";
    if (isnan(v) || t > 1e15) return "\xe2\x80\x93";
    (void)snprintf(out, NUMBER_TEXT, "%s%.1f", lead, t);
    return out;
}

const struct val *doc_band(const struct val *doc, const char *name) {
    const struct val *bands = val_get(val_get(doc, "index"), "bands");
    for (size_t i = 0; i < doc_size(bands); i++)
        if (strcmp(doc_text(&bands->u.list[i], "band"), name) == 0) return &bands->u.list[i];
    return NULL;
}
