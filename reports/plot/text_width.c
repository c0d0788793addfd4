#include "reports/plot/canvas.h"

#include <string.h>

/* Advance widths of Helvetica and Helvetica Bold in thousandths of the size, for U+0020 to U+00FF
 * (Adobe's font metrics, which Arial, Liberation Sans and Nimbus Sans share). */
static const short advances[2][224] = {
    {
        278, 278, 355, 556, 556,  889, 667, 222, 333, 333, 389, 584, 278, 584, 278,  278, 556, 556,
        556, 556, 556, 556, 556,  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722,
        722, 667, 611, 778, 722,  278, 500, 667, 556, 833, 722, 778, 667, 778, 722,  667, 611, 722,
        667, 944, 667, 667, 611,  278, 278, 278, 469, 556, 222, 556, 556, 500, 556,  556, 278, 556,
        556, 222, 222, 500, 222,  833, 556, 556, 556, 556, 333, 500, 278, 556, 500,  722, 500, 500,
        500, 334, 260, 334, 584,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,    0,   0,   0,
        0,   0,   0,   0,   0,    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,    0,   0,   0,
        0,   0,   278, 333, 556,  556, 556, 556, 260, 556, 333, 737, 370, 556, 584,  333, 737, 333,
        400, 584, 333, 333, 333,  556, 537, 278, 333, 333, 365, 556, 834, 834, 834,  611, 667, 667,
        667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, 722,  722, 778, 778,
        778, 778, 778, 584, 778,  722, 722, 722, 722, 667, 667, 611, 556, 556, 556,  556, 556, 556,
        889, 500, 556, 556, 556,  556, 278, 278, 278, 278, 556, 556, 556, 556, 556,  556, 556, 584,
        611, 556, 556, 556, 556,  500, 556, 500,
    },
    {
        278, 333, 474, 556, 556,  889, 722, 278, 333, 333, 389, 584, 278, 584, 278, 278, 556, 556,
        556, 556, 556, 556, 556,  556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722,
        722, 667, 611, 778, 722,  278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722,
        667, 944, 667, 667, 611,  333, 278, 333, 584, 556, 278, 556, 611, 556, 611, 556, 333, 611,
        611, 278, 278, 556, 278,  889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556,
        500, 389, 280, 389, 584,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
        0,   0,   0,   0,   0,    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
        0,   0,   278, 333, 556,  556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333,
        400, 584, 333, 333, 333,  611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611, 722, 722,
        722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, 722, 722, 778, 778,
        778, 778, 778, 584, 778,  722, 722, 722, 722, 667, 667, 611, 556, 556, 556, 556, 556, 556,
        889, 556, 556, 556, 556,  556, 278, 278, 278, 278, 611, 611, 611, 611, 611, 611, 611, 584,
        611, 611, 611, 611, 611,  556, 611, 556,
    },
};

/* The next character of UTF-8 text; malformed bytes count as one character each. */
static unsigned next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned value = *at;
    int more = value >= 0xF0 ? 3 : value >= 0xE0 ? 2 : value >= 0xC0 ? 1 : 0;
    if (more)
        value &= 0x3Fu >> more;
    at++;
    while (more-- > 0 && (*at & 0xC0) == 0x80)
        value = value << 6 | (*at++ & 0x3F);
    *text = (const char *)at;
    return value;
}

/* Outside Latin-1 a guess is enough: the width is written into the file. */
static int advance(unsigned character, bool bold)
{
    if (character >= 0x20 && character <= 0xFF)
        return advances[bold][character - 0x20];
    return character >= 0x1100 ? 1000 : 600;
}

double text_width(struct font font, const char *text)
{
    int sum = 0;
    while (*text)
        sum += advance(next_character(&text), font.bold);
    return sum * font.size / 1000;
}

const char *text_fit(struct arena *arena, struct font font, const char *text, double max_width)
{
    if (text_width(font, text) <= max_width)
        return text;
    double room = max_width - text_width(font, "...");
    const char *end = text;
    int sum = 0;
    while (*end) {
        const char *after = end;
        sum += advance(next_character(&after), font.bold);
        if (sum * font.size / 1000 > room)
            break;
        end = after;
    }
    return arena_printf(arena, "%.*s...", (int)(end - text), text);
}
