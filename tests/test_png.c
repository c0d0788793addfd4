/* Pictures in pixels: what is painted where, and files that other programs read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "reports/plot/canvas.h"
#include "reports/plot/glyphs.h"
#include "reports/plot/png.h"
#include "reports/plot/raster.h"
#include "reports/plot/timeline.h"
#include "tests/record_samples.h"

struct image {
    uint32_t width, height;
    unsigned char *lines; /* each: filter type, then RGB */
};

static uint32_t get_32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Reads the file chunk by chunk, with their checksums, as ISO 15948 says. */
static struct image decode(const struct buf *png)
{
    struct image image = {0};
    const unsigned char *at = (const unsigned char *)png->at, *end = at + png->len;
    assert_memory_equal(at, "\211PNG\r\n\32\n", 8);
    bool ended = false;
    for (at += 8; at + 12 <= end;) {
        uint32_t len = get_32(at);
        assert_true(len <= (size_t)(end - at) - 12);
        assert_true(get_32(at + 8 + len) == crc32(0, at + 4, len + 4));
        if (memcmp(at + 4, "IHDR", 4) == 0) {
            image.width = get_32(at + 8);
            image.height = get_32(at + 12);
            assert_memory_equal(at + 16, "\10\2\0\0\0", 5);
        } else if (memcmp(at + 4, "IDAT", 4) == 0) {
            uLongf n = ((uLongf)image.width * 3 + 1) * image.height;
            image.lines = malloc(n);
            uLongf got = n;
            assert_int_equal(uncompress(image.lines, &got, at + 8, len), Z_OK);
            assert_int_equal(got, n);
        } else if (memcmp(at + 4, "IEND", 4) == 0) {
            ended = true;
        }
        at += 12 + len;
    }
    assert_true(ended && at == end);
    assert_non_null(image.lines);
    return image;
}

static uint32_t pixel(const struct image *image, uint32_t x, uint32_t y)
{
    const unsigned char *at = image->lines + y * (image->width * 3 + 1) + 1 + 3 * x;
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

static struct image paint(struct canvas *canvas, int scale)
{
    struct buf svg, png;
    buf_init(&svg, 1 << 20);
    buf_init(&png, 1 << 24);
    assert_int_equal(canvas_finish(canvas, &svg), 0);
    assert_int_equal(png_of_svg(buf_text(&svg), scale, &png), 0);
    canvas_free(canvas);
    struct image image = decode(&png);
    buf_release(&svg);
    buf_release(&png);
    return image;
}

static void shapes_are_where_they_were_drawn(void **state)
{
    (void)state;
    for (int scale = 1; scale <= 3; scale++) {
        uint32_t k = (uint32_t)scale;
        struct canvas *canvas = canvas_new(60, 40, "t", "d");
        canvas_fill(canvas, (struct rect){10, 10, 20, 20},
                    0x0072B2); /* y runs up: lines 20 to 29 of the picture */
        canvas_line(canvas, 30, 5, 50, 5, (struct stroke){0xD55E00, 4, DASH_NONE});
        canvas_dot(canvas, 45, 30, 5, 0x007F5C, 0xFFFFFF);
        struct image image = paint(canvas, scale);
        assert_int_equal(image.width, 60 * k);
        assert_int_equal(image.height, 40 * k);
        assert_int_equal(pixel(&image, 15 * k, 25 * k), 0x0072B2);
        assert_int_equal(pixel(&image, 10 * k, 20 * k), 0x0072B2);
        assert_int_equal(pixel(&image, 15 * k, 18 * k), 0xFFFFFF);
        assert_int_equal(pixel(&image, 21 * k, 25 * k), 0xFFFFFF);
        assert_int_equal(pixel(&image, 40 * k, 35 * k), 0xD55E00);
        assert_int_equal(pixel(&image, 45 * k, 10 * k), 0x007F5C);
        free(image.lines);
    }
}

static void edges_are_smooth(void **state)
{
    (void)state;
    struct raster raster;
    raster_init(&raster, 4, 4);
    raster_move(&raster, 0.5, 0);
    raster_line(&raster, 2.25, 0);
    raster_line(&raster, 2.25, 4);
    raster_line(&raster, 0.5, 4);
    raster_fill(&raster, 0x000000);
    const unsigned char *line = raster.rgb + 4 * 3;
    assert_in_range(line[0], 127, 128); /* half covered */
    assert_int_equal(line[3], 0);       /* all */
    assert_in_range(line[6], 191, 192); /* a quarter */
    assert_int_equal(line[9], 255);     /* none */
    raster_release(&raster);
}

static void a_hole_stays_open(void **state)
{
    (void)state;
    struct raster raster;
    raster_init(&raster, 10, 10);
    const double outer[] = {1, 1, 9, 1, 9, 9, 1, 9},
                 inner[] = {3, 3, 3, 7, 7, 7, 7, 3}; /* the other way round */
    for (int i = 0; i < 8; i += 2)
        (i ? raster_line : raster_move)(&raster, outer[i], outer[i + 1]);
    for (int i = 0; i < 8; i += 2)
        (i ? raster_line : raster_move)(&raster, inner[i], inner[i + 1]);
    raster_fill(&raster, 0);
    assert_int_equal(raster.rgb[3 * (10 * 2 + 2)], 0);
    assert_int_equal(raster.rgb[3 * (10 * 5 + 5)], 255);
    raster_release(&raster);
}

static void text_fills_the_width_that_was_kept_for_it(void **state)
{
    (void)state;
    static const char *const texts[] = {"HHHHHHHH", "Requests <served> & \"well\"",
                                        "Z\xC3\xBCrich \xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct font font = {20, i == 1, 0x1F2933};
        struct canvas *canvas = canvas_new(400, 40, "t", "d");
        struct rect box = canvas_text(canvas, 20, 15, ALIGN_LEFT, VALIGN_BASE, font, texts[i]);
        struct image image = paint(canvas, 1);
        uint32_t left = image.width, right = 0;
        for (uint32_t y = 0; y < image.height; y++) {
            for (uint32_t x = 0; x < image.width; x++) {
                if (pixel(&image, x, y) != 0xFFFFFF) {
                    left = x < left ? x : left;
                    right = x > right ? x : right;
                }
            }
        }
        assert_true(left >= 19 && left <= 25);
        assert_true(fabs(right - box.x1) < 5);
        free(image.lines);
    }
}

static void glyphs_are_found(void **state)
{
    (void)state;
    for (unsigned c = ' '; c <= '~'; c++) {
        struct glyph glyph = glyph_of(c, false);
        assert_true(glyph.advance > 0);
        assert_true((glyph.end > glyph.at) == (c != ' '));
    }
    assert_ptr_equal(glyph_of(0xE9, true).at, glyph_of('e', true).at);
    assert_ptr_equal(glyph_of(0x4E2D, false).at, glyph_of('?', false).at);
}

static void whole_pictures_are_painted(void **state)
{
    (void)state;
    struct record *(*const samples[])(void) = {sample_good, sample_bad, sample_empty};
    for (int i = 0; i < 3; i++) {
        struct record *record = samples[i]();
        struct report report;
        struct buf svg, png, again;
        buf_init(&svg, REPORT_MAX);
        buf_init(&png, REPORT_MAX);
        buf_init(&again, REPORT_MAX);
        report_init(&report, record);
        report_timeline(&report, &svg);
        assert_int_equal(png_of_svg(buf_text(&svg), 1, &png), 0);
        assert_int_equal(png_of_svg(buf_text(&svg), 1, &again), 0);
        assert_int_equal(png.len, again.len);
        assert_memory_equal(png.at, again.at, png.len);
        struct image image = decode(&png);
        assert_int_equal(image.width, 900);
        free(image.lines);
        buf_release(&svg);
        buf_release(&png);
        buf_release(&again);
        report_release(&report);
        record_free(record);
    }
}

static void other_pictures_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "<svg ",
        "<html>",
        "<svg width=\"10\" height=\"10\">\n</svg>\n",
        "<svg width=\"10\" height=\"10\">\n<g transform=\"matrix(1 0 0 -1 0 10)\">\n<path d=\"M0 "
        "0\"/>\n</g>\n</svg>\n",
        "<svg width=\"99999\" height=\"99999\">\n<g transform=\"matrix(1 0 0 -1 0 "
        "10)\">\n</g>\n</svg>\n",
        "<svg width=\"-5\" height=\"10\">\n<g transform=\"matrix(1 0 0 -1 0 10)\">\n</g>\n</svg>\n",
    };
    struct buf png;
    buf_init(&png, 1 << 20);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(png_of_svg(str_of(texts[i]), 1, &png), -1);
    assert_int_equal(png_of_svg(STR("<svg width=\"1\" height=\"1\">"), 9, &png), -1);
    assert_int_equal(png.len, 0);
    buf_release(&png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_where_they_were_drawn),
        cmocka_unit_test(edges_are_smooth),
        cmocka_unit_test(a_hole_stays_open),
        cmocka_unit_test(text_fills_the_width_that_was_kept_for_it),
        cmocka_unit_test(glyphs_are_found),
        cmocka_unit_test(whole_pictures_are_painted),
        cmocka_unit_test(other_pictures_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
