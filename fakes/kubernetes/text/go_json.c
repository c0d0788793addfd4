#include "fakes/kubernetes/text/go_json.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* ---- the syntax ---- */

struct scan {
    struct arena *arena;
    const char *at;
    const char *error;
    int depth;
};

enum { DEEPEST = 10000 }; /* encoding/json's own limit */

static void skip_space(struct scan *scan)
{
    while (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')
        scan->at++;
}

/* Go's quoteChar: the character in single quotes. */
static const char *quoted(struct arena *arena, unsigned char c)
{
    if (c == '\'')
        return "'\\''";
    if (c == '"')
        return "'\"'";
    if (c == '\n')
        return "'\\n'";
    if (c == '\t')
        return "'\\t'";
    if (c == '\r')
        return "'\\r'";
    if (c == '\\')
        return "'\\\\'";
    if (c < 0x20 || c == 0x7f)
        return arena_printf(arena, "'\\x%02x'", c);
    if (c >= 0x80) /* one byte, taken for a rune */
        return arena_printf(arena, "'%c%c'", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
    return arena_printf(arena, "'%c'", c);
}

static bool refuse(struct scan *scan, const char *where)
{
    if (!*scan->at)
        scan->error = "unexpected end of JSON input";
    else
        scan->error = arena_printf(scan->arena, "invalid character %s %s",
                                   quoted(scan->arena, (unsigned char)*scan->at), where);
    return false;
}

static bool scan_string(struct scan *scan)
{
    scan->at++;
    while (*scan->at != '"') {
        if ((unsigned char)*scan->at < 0x20)
            return refuse(scan, "in string literal");
        if (*scan->at++ != '\\')
            continue;
        if (*scan->at == 'u') {
            for (int i = 0; i < 4; i++)
                if (!isxdigit((unsigned char)*++scan->at))
                    return refuse(scan, "in \\u hexadecimal character escape");
        } else if (!*scan->at || !strchr("bfnrt\\/\"", *scan->at)) {
            return refuse(scan, "in string escape code");
        }
        scan->at++;
    }
    scan->at++;
    return true;
}

static bool scan_digits(struct scan *scan, const char *where)
{
    if (!isdigit((unsigned char)*scan->at))
        return refuse(scan, where);
    while (isdigit((unsigned char)*scan->at))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    if (*scan->at == '-')
        scan->at++;
    if (*scan->at == '0')
        scan->at++;
    else if (!scan_digits(scan, "in numeric literal"))
        return false;
    if (*scan->at == '.') {
        scan->at++;
        if (!scan_digits(scan, "after decimal point in numeric literal"))
            return false;
    }
    if (*scan->at == 'e' || *scan->at == 'E') {
        scan->at++;
        if (*scan->at == '+' || *scan->at == '-')
            scan->at++;
        return scan_digits(scan, "in exponent of numeric literal");
    }
    return true;
}

static bool scan_word(struct scan *scan, const char *word)
{
    for (const char *c = word; *c; c++, scan->at++)
        if (*scan->at != *c)
            return refuse(scan, arena_printf(scan->arena, "in literal %s (expecting %s)", word,
                                             quoted(scan->arena, (unsigned char)*c)));
    return true;
}

static bool scan_value(struct scan *scan);

static bool scan_object(struct scan *scan)
{
    scan->at++;
    skip_space(scan);
    if (*scan->at == '}')
        return scan->at++, true;
    for (;;) {
        if (*scan->at != '"')
            return refuse(scan, "looking for beginning of object key string");
        if (!scan_string(scan))
            return false;
        skip_space(scan);
        if (*scan->at != ':')
            return refuse(scan, "after object key");
        scan->at++;
        if (!scan_value(scan))
            return false;
        skip_space(scan);
        if (*scan->at == '}')
            return scan->at++, true;
        if (*scan->at != ',')
            return refuse(scan, "after object key:value pair");
        scan->at++;
        skip_space(scan);
    }
}

static bool scan_array(struct scan *scan)
{
    scan->at++;
    skip_space(scan);
    if (*scan->at == ']')
        return scan->at++, true;
    for (;;) {
        if (!scan_value(scan))
            return false;
        skip_space(scan);
        if (*scan->at == ']')
            return scan->at++, true;
        if (*scan->at != ',')
            return refuse(scan, "after array element");
        scan->at++;
    }
}

static bool scan_nested(struct scan *scan, bool (*scan_it)(struct scan *))
{
    if (++scan->depth > DEEPEST) {
        scan->error = "exceeded max depth";
        return false;
    }
    bool ok = scan_it(scan);
    scan->depth--;
    return ok;
}

static bool scan_value(struct scan *scan)
{
    skip_space(scan);
    switch (*scan->at) {
    case '{':
        return scan_nested(scan, scan_object);
    case '[':
        return scan_nested(scan, scan_array);
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        if (*scan->at == '-' || isdigit((unsigned char)*scan->at))
            return scan_number(scan);
        return refuse(scan, "looking for beginning of value");
    }
}

const char *go_json_first(struct arena *arena, const char *text, size_t *ret_len)
{
    struct scan scan = {.arena = arena, .at = text};
    scan_value(&scan);
    *ret_len = (size_t)(scan.at - text);
    return scan.error;
}

const char *go_json_error(struct arena *arena, const char *text)
{
    struct scan scan = {.arena = arena, .at = text};
    if (!scan_value(&scan))
        return scan.error;
    skip_space(&scan);
    if (*scan.at)
        refuse(&scan, "after top-level value");
    return scan.error;
}
