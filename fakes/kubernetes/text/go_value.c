#include "fakes/kubernetes/text/go_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_key(const void *a, const void *b)
{
    const cJSON *x = *(const cJSON *const *)a, *y = *(const cJSON *const *)b;
    return strcmp(x->string, y->string);
}

const cJSON **go_value_children(struct arena *arena, const cJSON *value)
{
    int n = cJSON_GetArraySize(value);
    const cJSON **children = ARENA_ARRAY(arena, const cJSON *, n + 1);
    int i = 0;
    for (const cJSON *child = value ? value->child : NULL; child && i < n; child = child->next)
        children[i++] = child;
    if (cJSON_IsObject(value))
        qsort(children, (size_t)n, sizeof *children, by_key);
    return children;
}

bool go_value_is_int(const cJSON *value)
{
    double number = value->valuedouble;
    return cJSON_IsNumber(value) && number == floor(number) && fabs(number) < 9.2e18;
}

const char *go_value_type(const cJSON *value)
{
    if (cJSON_IsObject(value))
        return "map[string]interface {}";
    if (cJSON_IsArray(value))
        return "[]interface {}";
    if (cJSON_IsString(value))
        return "string";
    if (cJSON_IsBool(value))
        return "bool";
    if (cJSON_IsNumber(value))
        return go_value_is_int(value) ? "int64" : "float64";
    return "<nil>";
}

void go_float(struct buf *out, double number, bool json)
{
    char digits[40];
    int n = 1;
    do {
        snprintf(digits, sizeof digits, "%.*e", n - 1, number);
    } while (strtod(digits, NULL) != number && n++ < 17);
    char *e = strchr(digits, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    if (json ? exponent >= -6 && exponent < 21 : exponent >= -4 && exponent < 6)
        buf_printf(out, "%.*f", n - 1 - exponent > 0 ? n - 1 - exponent : 0, number);
    else if (json && exponent < 0)
        buf_printf(out, "%.*se%d", (int)(e - digits), digits, exponent);
    else
        buf_puts(out, digits);
}

static void add_number(struct buf *out, const cJSON *value)
{
    if (go_value_is_int(value))
        buf_printf(out, "%" PRId64, (int64_t)value->valuedouble);
    else
        go_float(out, value->valuedouble, false);
}

size_t go_rune_size(const char *p)
{
    unsigned char c = (unsigned char)p[0], second = (unsigned char)p[1];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second >= 0xa0) ||
        (c == 0xf0 && second < 0x90) || (c == 0xf4 && second >= 0x90))
        return 0;
    for (size_t i = 1; i < len; i++)
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

void go_quote(struct buf *out, const char *text)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";
    buf_putc(out, '"');
    for (const char *p = text; *p;) {
        const char *special = strchr(plain, *p);
        size_t len = go_rune_size(p);
        if (special)
            buf_printf(out, "\\%c", names[special - plain]);
        else if (len == 0 || (unsigned char)*p < 0x20 || *p == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned char)*p);
        else
            buf_add(out, p, len);
        p += len > 0 ? len : 1;
    }
    buf_putc(out, '"');
}

/* How maps and lists are written. */
struct style {
    const char *map, *map_end, *list, *list_end, *item, *null;
    void (*text)(struct buf *, const char *);
    bool quoted_keys;
};
static const struct style print = {
    "map[", "]", "[", "]", " ", "<nil>", buf_puts, .quoted_keys = false,
};
static const struct style syntax = {
    "map[string]interface {}{", "}",      "[]interface {}{",   "}", ", ",
    "interface {}(nil)",        go_quote, .quoted_keys = true,
};
static void add(struct buf *out, const cJSON *value, const struct style *style)
{
    if (cJSON_IsString(value)) {
        style->text(out, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        add_number(out, value);
    } else if (cJSON_IsBool(value)) {
        buf_puts(out, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        bool map = cJSON_IsObject(value);
        struct arena arena = {0};
        const cJSON **children = go_value_children(&arena, value);
        buf_puts(out, map ? style->map : style->list);
        for (int i = 0; children[i]; i++) {
            if (i > 0)
                buf_puts(out, style->item);
            if (map) {
                (style->quoted_keys ? style->text : buf_puts)(out, children[i]->string);
                buf_putc(out, ':');
            }
            add(out, children[i], style);
        }
        buf_puts(out, map ? style->map_end : style->list_end);
        arena_release(&arena);
    } else {
        buf_puts(out, style->null);
    }
}

void go_value_print(struct buf *out, const cJSON *value)
{
    add(out, value, &print);
}

const char *go_value_text(struct arena *arena, const cJSON *value)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    go_value_print(&out, value);
    const char *text = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

void go_value_syntax(struct buf *out, const cJSON *value)
{
    add(out, value, &syntax);
}
