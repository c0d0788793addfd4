/* SQL functions on text that SQLite lacks. User data is the database. */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/postgres/functions.h"
#include "sim/base/xalloc.h"

static void result_buf(sqlite3_context *context, struct buf *text)
{
    sqlite3_result_text(context, text->len ? text->at : "", (int)text->len, SQLITE_TRANSIENT);
    buf_release(text);
}

static size_t character(const char *p)
{
    size_t n = *p != '\0';
    while (n && ((unsigned char)p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static int characters(const char *text)
{
    int n = 0;
    for (; *text; text += character(text))
        n++;
    return n;
}

/* pg_pad(text, length, fill, left) */
static void f_pad(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *text = text_of(args[0]), *fill = text_of(args[2]), *p;
    int length = sqlite3_value_int(args[1]), has = characters(text), i;
    struct buf out;
    buf_init(&out, 1 << 20);
    bool left = sqlite3_value_int(args[3]);
    for (int side = 0; side < 2; side++) {
        if ((side == 0) == left) {
            for (p = fill, i = has; i < length && *fill; i++) {
                buf_str(&out, (struct str){p, character(p)});
                p += character(p);
                if (!*p)
                    p = fill;
            }
        } else {
            for (p = text, i = 0; i < length && *p; i++, p += character(p))
                buf_str(&out, (struct str){p, character(p)});
        }
    }
    result_buf(context, &out);
}

static void f_reverse(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *text = text_of(args[0]), *p = text + strlen(text);
    struct buf out;
    buf_init(&out, 1 << 20);
    while (p > text) {
        const char *end = p--;
        while (p > text && ((unsigned char)*p & 0xc0) == 0x80)
            p--;
        buf_str(&out, (struct str){p, (size_t)(end - p)});
    }
    result_buf(context, &out);
}

static void f_initcap(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct buf out;
    buf_init(&out, 1 << 20);
    bool inside = false;
    for (const char *p = text_of(args[0]); *p; p++) {
        buf_putc(&out, (char)(inside ? tolower((unsigned char)*p) : toupper((unsigned char)*p)));
        inside = isalnum((unsigned char)*p) != 0;
    }
    result_buf(context, &out);
}

static void f_concat_ws(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    struct buf out;
    buf_init(&out, 4 << 20);
    bool any = false;
    for (int i = 1; i < n; i++) {
        if (sqlite3_value_type(args[i]) == SQLITE_NULL)
            continue;
        buf_printf(&out, "%s%s", any ? text_of(args[0]) : "", text_of(args[i]));
        any = true;
    }
    result_buf(context, &out);
}

/* The text of an array: elements in quotes where array_out() puts them. */
static void f_array(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct buf out;
    buf_init(&out, 4 << 20);
    buf_putc(&out, '{');
    for (int i = 0; i < n; i++) {
        bool null = sqlite3_value_type(args[i]) == SQLITE_NULL;
        const char *text = null ? "NULL" : text_of(args[i]);
        bool quotes =
            !null && (!*text || strpbrk(text, "{},\"\\ \t\n") || strcasecmp(text, "null") == 0);
        if (i)
            buf_putc(&out, ',');
        if (quotes)
            buf_putc(&out, '"');
        for (; *text; text++) {
            if (quotes && (*text == '"' || *text == '\\'))
                buf_putc(&out, '\\');
            buf_putc(&out, *text);
        }
        if (quotes)
            buf_putc(&out, '"');
    }
    buf_putc(&out, '}');
    result_buf(context, &out);
}

/* format(): %s, %I, %L, %%. */
static void f_format(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    struct arena arena = {0};
    struct buf out;
    buf_init(&out, 4 << 20);
    int next = 1;
    for (const char *p = text_of(args[0]); *p; p++) {
        if (*p != '%') {
            buf_putc(&out, *p);
            continue;
        }
        p++;
        if (*p == '%') {
            buf_putc(&out, '%');
            continue;
        }
        if (!*p || !strchr("sIL", *p)) {
            pg_not_simulated(session_of(context), -1, "format() with %%%c", *p ? *p : ' ');
            break;
        }
        if (next >= n) {
            pg_fail(session_of(context), "22023", -1, "too few arguments for format()");
            break;
        }
        sqlite3_value *value = args[next++];
        bool null = sqlite3_value_type(value) == SQLITE_NULL;
        if (*p == 'I' && null)
            pg_fail(session_of(context), "22004", -1,
                    "null values cannot be formatted as an SQL identifier");
        buf_puts(&out, *p == 'L'   ? (null ? "NULL" : sql_text(&arena, text_of(value)))
                       : null      ? ""
                       : *p == 'I' ? pg_ident(&arena, text_of(value))
                                   : text_of(value));
    }
    arena_release(&arena);
    result_buf(context, &out);
    if (session_of(context)->error.set)
        stop(context);
}

/* pg_regexp_replace(text, pattern, replacement, flags) */
static void f_regexp_replace(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    regex_t pattern;
    const char *flags = text_of(args[3]), *text = text_of(args[0]), *by = text_of(args[2]);
    if (flags[strspn(flags, "gi")]) {
        pg_not_simulated(session_of(context), -1, "regexp_replace() with the flags %s", flags);
        stop(context);
        return;
    }
    if (regcomp(&pattern, text_of(args[1]), REG_EXTENDED | (strchr(flags, 'i') ? REG_ICASE : 0)) !=
        0) {
        pg_fail(session_of(context), "2201B", -1, "invalid regular expression: %s",
                text_of(args[1]));
        stop(context);
        return;
    }
    struct buf out;
    buf_init(&out, 4 << 20);
    regmatch_t at[10];
    bool all = strchr(flags, 'g') != NULL;
    int how = 0;
    while (regexec(&pattern, text, 10, at, how) == 0) {
        buf_str(&out, (struct str){text, (size_t)at[0].rm_so});
        for (const char *p = by; *p; p++) {
            int k = *p == '\\' && p[1] ? (isdigit((unsigned char)p[1]) ? p[1] - '0'
                                          : p[1] == '&'                ? 0
                                                                       : -1)
                                       : -1;
            if (k >= 0 && at[k].rm_so >= 0)
                buf_str(&out,
                        (struct str){text + at[k].rm_so, (size_t)(at[k].rm_eo - at[k].rm_so)});
            else if (k < 0 && *p == '\\' && p[1])
                buf_putc(&out, p[1]);
            else if (k < 0)
                buf_putc(&out, *p);
            p += *p == '\\' && p[1];
        }
        text += at[0].rm_eo;
        how = REG_NOTBOL;
        if (at[0].rm_eo == at[0].rm_so) { /* an empty match: go on behind the next character */
            if (!*text)
                break;
            buf_putc(&out, *text++);
        }
        if (!all)
            break;
    }
    buf_puts(&out, text);
    regfree(&pattern);
    result_buf(context, &out);
}

/* ---- pg_collect(value, separator, key, descending): an array where the separator is null ---- */

struct collected {
    sqlite3_value *value, *key;
    int place;
};
struct collection {
    struct collected *at;
    int n, cap;
    bool descending;
    char *separator; /* NULL: an array */
};

static void collect_step(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    struct collection **kept = sqlite3_aggregate_context(context, sizeof *kept);
    bool array = sqlite3_value_type(args[1]) == SQLITE_NULL;
    if (!kept || (!array && sqlite3_value_type(args[0]) == SQLITE_NULL))
        return;
    if (!*kept) {
        *kept = xcalloc(1, sizeof **kept);
        (*kept)->separator = array ? NULL : xstrdup(text_of(args[1]));
        (*kept)->descending = sqlite3_value_int(args[3]);
    }
    struct collection *c = *kept;
    XGROW(c->at, c->n, c->cap);
    c->at[c->n] = (struct collected){sqlite3_value_dup(args[0]), sqlite3_value_dup(args[2]), c->n};
    c->n++;
}

static int compare_values(sqlite3_value *a, sqlite3_value *b)
{
    bool null_a = sqlite3_value_type(a) == SQLITE_NULL,
         null_b = sqlite3_value_type(b) == SQLITE_NULL;
    if (null_a || null_b)
        return null_a - null_b;
    if (sqlite3_value_type(a) == SQLITE_TEXT || sqlite3_value_type(b) == SQLITE_TEXT)
        return strcmp(text_of(a), text_of(b));
    double x = sqlite3_value_double(a), y = sqlite3_value_double(b);
    return (x > y) - (x < y);
}

static int compare_ascending(const void *a, const void *b)
{
    const struct collected *x = a, *y = b;
    int order = compare_values(x->key, y->key);
    return order ? order : x->place - y->place;
}

static int compare_descending(const void *a, const void *b)
{
    const struct collected *x = a, *y = b;
    int order = compare_values(y->key, x->key);
    return order ? order : x->place - y->place;
}

static void collect_end(sqlite3_context *context)
{
    struct collection **kept = sqlite3_aggregate_context(context, 0), *c = kept ? *kept : NULL;
    if (!c)
        return;
    qsort(c->at, (size_t)c->n, sizeof *c->at,
          c->descending ? compare_descending : compare_ascending);
    struct buf out;
    buf_init(&out, 64 << 20);
    for (int i = 0; i < c->n; i++) {
        const char *text =
            sqlite3_value_type(c->at[i].value) == SQLITE_NULL ? "NULL" : text_of(c->at[i].value);
        buf_printf(&out, "%s%s",
                   !i             ? (c->separator ? "" : "{")
                   : c->separator ? c->separator
                                  : ",",
                   text);
        sqlite3_value_free(c->at[i].value);
        sqlite3_value_free(c->at[i].key);
    }
    if (!c->separator)
        buf_putc(&out, '}');
    result_buf(context, &out);
    free(c->at);
    free(c->separator);
    free(c);
}

/* to_timestamp(text, format): microseconds. Other patterns than these are refused. */
static void f_to_time(sqlite3_context *context, int n, sqlite3_value **args)
{
    static const struct {
        const char *pattern;
        int digits;
    } fields[] = {{"YYYY", 4}, {"MM", 2}, {"DD", 2}, {"HH24", 2},
                  {"MI", 2},   {"SS", 2}, {"US", 6}, {"MS", 3}};
    if (any_null(context, n, args))
        return;
    struct pg_civil when = {.year = 1, .month = 1, .day = 1};
    const char *text = text_of(args[0]), *p = text_of(args[1]);
    while (*p) {
        size_t i = 0;
        while (i < 8 && strncmp(p, fields[i].pattern, strlen(fields[i].pattern)) != 0)
            i++;
        if (i == 8 && isalpha((unsigned char)*p) && *p != 'T') {
            pg_not_simulated(session_of(context), -1, "the time format %s", text_of(args[1]));
            stop(context);
            return;
        }
        if (i == 8) {
            p++;
            text += *text != '\0' && !isdigit((unsigned char)*text);
            continue;
        }
        int value = 0, digits = 0;
        for (; digits < fields[i].digits && isdigit((unsigned char)*text); digits++)
            value = value * 10 + (*text++ - '0');
        if (digits == 0 && *text) {
            pg_fail(session_of(context), "22007", -1, "invalid value \"%.*s\" for \"%s\"",
                    fields[i].digits, text, fields[i].pattern);
            pg_detail(session_of(context), "Value must be an integer.");
            stop(context);
            return;
        }
        p += strlen(fields[i].pattern);
        if (digits == 0)
            continue;
        switch (i) {
        case 0:
            when.year = value;
            break;
        case 1:
            when.month = value;
            break;
        case 2:
            when.day = value;
            break;
        case 3:
            when.hour = value;
            break;
        case 4:
            when.minute = value;
            break;
        case 5:
            when.second = value;
            break;
        default:
            when.microsecond = i == 6 ? value : value * 1000;
        }
    }
    sqlite3_result_int64(context, pg_us_of(&when));
}

void text_functions_register(struct pg_database *database)
{
    static const struct {
        const char *name;
        int n;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
    } list[] = {
        {"pg_pad", 4, f_pad},
        {"pg_reverse", 1, f_reverse},
        {"pg_initcap", 1, f_initcap},
        {"pg_concat_ws", -1, f_concat_ws},
        {"pg_format", -1, f_format},
        {"pg_array", -1, f_array},
        {"pg_regexp_replace", 4, f_regexp_replace},
        {"pg_to_time", 2, f_to_time},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        sqlite3_create_function(database->sqlite, list[i].name, list[i].n,
                                SQLITE_UTF8 | SQLITE_DETERMINISTIC, database, list[i].run, NULL,
                                NULL);
    sqlite3_create_function(database->sqlite, "pg_collect", 4, SQLITE_UTF8, database, NULL,
                            collect_step, collect_end);
}
