#include "reports/json_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "reports/words.h"
#include "sim/record.h"

static void put_character(struct buf *buf, const char *at, size_t n)
{
    unsigned char c = (unsigned char)at[0];
    bool separator = n == 3 && c == 0xE2 && (unsigned char)at[1] == 0x80 &&
                     ((unsigned char)at[2] & 0xFE) == 0xA8;
    if (c == '"' || c == '\\')
        buf_printf(buf, "\\%c", c);
    else if (c == '\n')
        buf_puts(buf, "\\n");
    else if (c == '\t')
        buf_puts(buf, "\\t");
    else if (c == '\r')
        buf_puts(buf, "\\r");
    else if (c < 0x20 || c == 0x7F)
        buf_printf(buf, "\\u%04x", c);
    else if (separator) /* U+2028 and U+2029 end a line in JavaScript */
        buf_printf(buf, "\\u20%02x", (unsigned char)at[2] - 0x80);
    else
        buf_add(buf, at, n);
}

void json_quote(struct buf *buf, struct str bytes)
{
    buf_putc(buf, '"');
    for (size_t i = 0; i < bytes.len;) {
        size_t n = words_utf8(bytes.at + i, bytes.len - i);
        if (n == 0)
            buf_puts(buf, "\xEF\xBF\xBD");
        else
            put_character(buf, bytes.at + i, n);
        i += n ? n : 1;
    }
    buf_putc(buf, '"');
}

static void new_line(struct json_writer *json)
{
    if (json->compact)
        return;
    buf_putc(json->buf, '\n');
    for (int i = 0; i < json->depth; i++)
        buf_puts(json->buf, "  ");
}

/* What comes before a value: comma, line, key. */
static void begin(struct json_writer *json, const char *key)
{
    uint64_t bit = UINT64_C(1) << json->depth;
    if (json->not_empty & bit)
        buf_puts(json->buf, json->compact ? ", " : ",");
    json->not_empty |= bit;
    if (json->depth > 0)
        new_line(json);
    if (key) {
        json_quote(json->buf, str_of(key));
        buf_puts(json->buf, ": ");
    }
}

static void open(struct json_writer *json, const char *key, char bracket)
{
    begin(json, key);
    buf_putc(json->buf, bracket);
    json->depth++;
    assert(json->depth < 60);
    json->not_empty &= ~(UINT64_C(1) << json->depth);
}

static void close(struct json_writer *json, char bracket)
{
    bool not_empty = json->not_empty >> json->depth & 1;
    assert(json->depth > 0);
    json->depth--;
    if (not_empty)
        new_line(json);
    buf_putc(json->buf, bracket);
    if (json->depth == 0)
        buf_putc(json->buf, '\n');
}

void json_open_object(struct json_writer *json, const char *key)
{
    open(json, key, '{');
}

void json_close_object(struct json_writer *json)
{
    close(json, '}');
}

void json_open_array(struct json_writer *json, const char *key)
{
    open(json, key, '[');
}

void json_close_array(struct json_writer *json)
{
    close(json, ']');
}

void json_bytes(struct json_writer *json, const char *key, struct str bytes)
{
    begin(json, key);
    json_quote(json->buf, bytes);
}

void json_string(struct json_writer *json, const char *key, const char *text)
{
    if (text)
        json_bytes(json, key, str_of(text));
    else
        json_null(json, key);
}

void json_integer(struct json_writer *json, const char *key, int64_t value)
{
    begin(json, key);
    buf_printf(json->buf, "%" PRId64, value);
}

void json_number(struct json_writer *json, const char *key, double value)
{
    begin(json, key);
    if (isfinite(value))
        words_number(json->buf, value);
    else
        buf_puts(json->buf, "null");
}

void json_seconds(struct json_writer *json, const char *key, int64_t ns)
{
    begin(json, key);
    if (ns == NEVER)
        buf_puts(json->buf, "null");
    else
        words_seconds(json->buf, ns);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
    begin(json, key);
    buf_puts(json->buf, value ? "true" : "false");
}

void json_null(struct json_writer *json, const char *key)
{
    begin(json, key);
    buf_puts(json->buf, "null");
}
