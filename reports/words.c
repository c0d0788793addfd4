#include "reports/words.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/doc.h"
#include "sim/record.h"

int64_t words_ns(double seconds)
{
    double most = (double)(INT64_MAX / SECOND); /* 292 years; NaN is 0 */
    if (!(fabs(seconds) < most))
        return seconds > 0 ? INT64_MAX : seconds < 0 ? -INT64_MAX : 0;
    return (int64_t)floor(seconds * 1e6 + 0.5) * MICROSECOND;
}

/* The two largest units that matter: nobody reads the milliseconds of an hour. */
static const char *positive_duration(struct arena *arena, int64_t ns)
{
    if (ns < SECOND && ns > 0)
        return arena_printf(arena, "%" PRId64 " ms", (ns + MILLISECOND / 2) / MILLISECOND);
    if (ns < MINUTE) {
        int64_t tenths = (ns + SECOND / 20) / (SECOND / 10);
        if (tenths % 10 == 0)
            return arena_printf(arena, "%" PRId64 " s", tenths / 10);
        return arena_printf(arena, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
    }
    int64_t seconds = (ns + SECOND / 2) / SECOND;
    if (seconds < 3600) {
        if (seconds % 60 == 0)
            return arena_printf(arena, "%" PRId64 " min", seconds / 60);
        return arena_printf(arena, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    }
    int64_t minutes = (seconds + 30) / 60;
    if (minutes % 60 == 0)
        return arena_printf(arena, "%" PRId64 " h", minutes / 60);
    return arena_printf(arena, "%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
}

const char *words_duration(struct arena *arena, int64_t ns)
{
    if (ns == NEVER)
        return "never";
    if (ns < 0)
        return arena_printf(arena, "-%s", positive_duration(arena, -ns));
    return positive_duration(arena, ns);
}

const char *words_instant(struct arena *arena, int64_t ns)
{
    if (ns == NEVER)
        return "never";
    const char *sign = ns < 0 ? "-" : "";
    int64_t whole = (ns < 0 ? -ns : ns) / MILLISECOND;
    int64_t s = whole / 1000, ms = whole % 1000;
    if (ms)
        return arena_printf(arena, "%s%02" PRId64 ":%02d:%02d.%03d", sign, s / 3600,
                            (int)(s / 60 % 60), (int)(s % 60), (int)ms);
    return arena_printf(arena, "%s%02" PRId64 ":%02d:%02d", sign, s / 3600, (int)(s / 60 % 60),
                        (int)(s % 60));
}

/* Days since 1970-01-01 to a civil date (Howard Hinnant, "chrono-compatible low-level date
 * algorithms"). */
const char *words_date(struct arena *arena, int64_t unix_ns)
{
    int64_t seconds = unix_ns / SECOND - (unix_ns % SECOND < 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int of_day = (int)(seconds - days * 86400);
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1);
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int64_t year = yoe + era * 400 + (month <= 2);
    return arena_printf(arena, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ", year, month, day,
                        of_day / 3600, of_day / 60 % 60, of_day % 60);
}

const char *words_count(struct arena *arena, int64_t n)
{
    char digits[24], out[32];
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    int n_digits = 0, at = 0;
    do {
        digits[n_digits++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (n < 0)
        out[at++] = '-';
    while (n_digits > 0) {
        out[at++] = digits[--n_digits];
        if (n_digits > 0 && n_digits % 3 == 0)
            out[at++] = ',';
    }
    return arena_str(arena, (struct str){out, (size_t)at});
}

void words_seconds(struct buf *buf, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    if (ns < 0)
        buf_putc(buf, '-');
    buf_printf(buf, "%" PRIu64, size / 1000000000u);
    uint64_t fraction = size % 1000000000u;
    if (!fraction)
        return;
    char digits[16];
    snprintf(digits, sizeof digits, "%09" PRIu64, fraction);
    size_t len = 9;
    while (digits[len - 1] == '0')
        len--;
    buf_putc(buf, '.');
    buf_add(buf, digits, len);
}

void words_number(struct buf *buf, double value)
{
    if (!isfinite(value)) { /* JSON has no word for it; callers write null where it may happen */
        buf_puts(buf, "0");
        return;
    }
    /* integers in steps of a millionth, so that no locale and no printf decides a digit */
    if (fabs(value) < 9e12) {
        int64_t millionths = (int64_t)floor(fabs(value) * 1e6 + 0.5);
        if (value < 0 && millionths)
            buf_putc(buf, '-');
        words_seconds(buf, millionths / 1000000 * SECOND + millionths % 1000000 * MICROSECOND);
        return;
    }
    buf_printf(buf, "%.0f", value);
}

size_t words_utf8(const char *at, size_t len)
{
    const unsigned char *s = (const unsigned char *)at;
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool beyond = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : n;
}

/* The length of a sequence that only chooses colours and weight (ECMA-48, SGR), or 0: it says
 * nothing to a reader. */
static size_t colour_sequence(const char *at, size_t len)
{
    size_t n = 2;
    if (len < 3 || at[0] != '\033' || at[1] != '[')
        return 0;
    while (n < len && (isdigit((unsigned char)at[n]) || at[n] == ';' || at[n] == ':'))
        n++;
    return n < len && at[n] == 'm' ? n + 1 : 0;
}

/* One character, made printable; returns how many bytes of the input it took. */
static size_t put_printable(struct buf *buf, const char *at, size_t len, bool keep_layout)
{
    size_t n = words_utf8(at, len), colour = colour_sequence(at, len);
    unsigned char c = (unsigned char)at[0];
    if (colour)
        return colour;
    if (n == 0) {
        buf_printf(buf, "\\x%02x", c);
        return 1;
    }
    bool c1_control = n == 2 && c == 0xC2 && (unsigned char)at[1] < 0xA0;
    if (c1_control) {
        buf_printf(buf, "\\x%02x", (unsigned char)at[1]);
    } else if (keep_layout && (c == '\n' || c == '\t')) {
        buf_putc(buf, (char)c);
    } else if (c == '\n' || c == '\t' || c == '\r') {
        buf_puts(buf, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
    } else if (c < 0x20 || c == 0x7F) {
        buf_printf(buf, "\\x%02x", c);
    } else {
        buf_add(buf, at, n);
    }
    return n;
}

const char *words_line(struct arena *arena, struct str bytes, size_t max_chars)
{
    struct buf buf;
    buf_init(&buf, 1 << 20);
    size_t chars = 0, i = 0;
    while (i < bytes.len && chars < max_chars) {
        size_t before = buf.len;
        i += put_printable(&buf, bytes.at + i, bytes.len - i, false);
        if (buf.len > before)
            chars +=
                buf.len - before > 1 && (unsigned char)buf.at[before] < 0x80 ? buf.len - before : 1;
    }
    const char *line = buf.at ? buf.at : "";
    if (i < bytes.len) { /* take back what the dots need */
        size_t keep = buf.len, back = 0;
        while (keep > 0 && back < 3) {
            keep--;
            if (((unsigned char)line[keep] & 0xC0) != 0x80)
                back++;
        }
        line = arena_printf(arena, "%.*s...", (int)keep, line);
    } else {
        line = arena_strdup(arena, line);
    }
    buf_release(&buf);
    return line;
}

void words_block(struct buf *buf, struct str bytes)
{
    for (size_t i = 0; i < bytes.len;)
        i += put_printable(buf, bytes.at + i, bytes.len - i, true);
}

size_t words_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

const char *words_rule(struct arena *arena, const char *rule, const char *title, int rule_line,
                       int line)
{
    const char *place = rule_line == line ? "" : arena_printf(arena, " at line %d", rule_line);
    return arena_printf(arena, "%s%s%s%s", rule, place, title ? ": " : "", title ? title : "");
}
