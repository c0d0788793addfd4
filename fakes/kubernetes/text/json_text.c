/* JSON as Go reads and writes it (encoding/json): the words of its errors, its order of keys. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/text/go_json.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/manifest.h"
#include "sim/base/xalloc.h"

/* ---- reading ---- */

/* The last of several keys of one name counts, as for Go. */
static void one_of_each(cJSON *json)
{
    for (cJSON *at = json->child, *next; at; at = next) {
        next = at->next;
        bool again = false;
        for (const cJSON *later = at->next; at->string && later && !again; later = later->next)
            again = !strcmp(at->string, later->string);
        if (again)
            cJSON_Delete(cJSON_DetachItemViaPointer(json, at));
        else
            one_of_each(at);
    }
}

const char *text_repaired(struct arena *arena, const char *text)
{
    const char *at = text;
    while (*at && go_rune_size(at))
        at += go_rune_size(at);
    if (!*at)
        return text;
    char *repaired = arena_alloc(arena, 3 * strlen(text) + 1), *to = repaired;
    for (at = text; *at;) {
        size_t len = go_rune_size(at);
        memcpy(to, len ? at : "\xef\xbf\xbd", len ? len : 3);
        to += len ? len : 3;
        at += len ? len : 1;
    }
    return repaired;
}

cJSON *json_read_first(struct arena *arena, const char *text, size_t *ret_len, const char **why)
{
    *why = go_json_first(arena, text, ret_len);
    if (*why)
        return NULL;
    const char *value = arena_str(arena, (struct str){text, *ret_len});
    cJSON *json = cJSON_Parse(text_repaired(arena, value));
    if (json)
        one_of_each(json);
    else
        *why = "exceeded max depth"; /* or a lone surrogate, which Go takes */
    return json;
}

cJSON *json_read(struct arena *arena, const char *text, const char **why)
{
    size_t len = 0;
    *why = go_json_error(arena, text);
    return *why ? NULL : json_read_first(arena, text, &len, why);
}

/* ---- writing ---- */

static void write_text(struct buf *out, const char *text)
{
    static const char escapes[] = "\"\"\\\\\b"
                                  "b\f"
                                  "f\n"
                                  "n\r"
                                  "r\t"
                                  "t";
    buf_putc(out, '"');
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        const char *escape = NULL;
        for (size_t i = 0; escapes[i] && !escape; i += 2)
            if (escapes[i] == *at)
                escape = escapes + i + 1;
        if (escape) {
            buf_putc(out, '\\');
            buf_putc(out, *escape);
        } else if (c < 0x20 || strchr("<>&", c)) {
            buf_printf(out, "\\u%04x", (unsigned)c);
        } else if (c == 0xe2 &&
                   (!strncmp(at, "\xe2\x80\xa8", 3) || !strncmp(at, "\xe2\x80\xa9", 3))) {
            buf_printf(out, "\\u202%d", at[2] == '\xa8' ? 8 : 9);
            at += 2;
        } else {
            buf_putc(out, *at);
        }
    }
    buf_putc(out, '"');
}

/* Whole numbers as such; others with the fewest digits that give the number back, in Go's form. */
static void write_number(struct buf *out, double number)
{
    if (number == floor(number) && fabs(number) < 1e21) {
        buf_printf(out, "%.0f", number == 0 ? 0.0 : number);
        return;
    }
    go_float(out, number, true);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void line(struct buf *out, int indent, int depth)
{
    if (indent)
        buf_printf(out, "\n%*s", indent * depth, "");
}

static void write_value(struct buf *out, const cJSON *json, int indent, int depth)
{
    if (cJSON_IsString(json)) {
        write_text(out, json->valuestring);
    } else if (cJSON_IsNumber(json)) {
        write_number(out, json->valuedouble);
    } else if (cJSON_IsBool(json)) {
        buf_puts(out, cJSON_IsTrue(json) ? "true" : "false");
    } else if (cJSON_IsArray(json) || cJSON_IsObject(json)) {
        bool map = cJSON_IsObject(json);
        int n = 0, i = 0;
        cJSON **children = xcalloc((size_t)cJSON_GetArraySize(json) + 1, sizeof *children);
        for (cJSON *at = json->child; at; at = at->next)
            children[n++] = at;
        if (map && n > 1)
            qsort(children, (size_t)n, sizeof *children, by_key);
        buf_putc(out, map ? '{' : '[');
        for (i = 0; i < n; i++) {
            buf_puts(out, i ? "," : "");
            line(out, indent, depth + 1);
            if (map) {
                write_text(out, children[i]->string);
                buf_puts(out, indent ? ": " : ":");
            }
            write_value(out, children[i], indent, depth + 1);
        }
        if (n)
            line(out, indent, depth);
        buf_putc(out, map ? '}' : ']');
        free(children);
    } else {
        buf_puts(out, "null");
    }
}

void json_write(struct buf *out, const cJSON *json)
{
    write_value(out, json, 4, 0);
    buf_putc(out, '\n');
}

void json_compact(struct buf *out, const cJSON *json)
{
    write_value(out, json, 0, 0);
}

void json_write_narrow(struct buf *out, const cJSON *json)
{
    write_value(out, json, 2, 0);
    buf_putc(out, '\n');
}
