#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/postgres/translate.h"
#include "sim/base/str.h"

/* Doubles in the shortest form that reads back, as extra_float_digits = 1 does. */
static const char *float_text(struct arena *arena, double value, enum pg_type type)
{
    if (value != value)
        return "NaN";
    int least = type == PG_FLOAT4 ? 6 : 15, most = type == PG_FLOAT4 ? 9 : 17;
    for (int digits = least; digits <= most; digits++) {
        char *text = arena_printf(arena, "%.*g", digits, value);
        double back = strtod(text, NULL);
        if (type == PG_FLOAT4 ? (float)back == (float)value : !(back < value) && !(back > value))
            return text;
    }
    return arena_printf(arena, "%.17g", value);
}

static const char *numeric_text(struct arena *arena, sqlite3_value *value, int typmod)
{
    int scale = typmod >= 4 ? (typmod - 4) & 0xffff : -1;
    if (sqlite3_value_type(value) == SQLITE_TEXT && scale < 0)
        return arena_strdup(arena, (const char *)sqlite3_value_text(value));
    if (scale >= 0)
        return arena_printf(arena, "%.*f", scale, sqlite3_value_double(value));
    if (sqlite3_value_type(value) == SQLITE_INTEGER)
        return arena_printf(arena, "%lld", (long long)sqlite3_value_int64(value));
    return float_text(arena, sqlite3_value_double(value), PG_FLOAT8);
}

const char *value_text(struct arena *arena, sqlite3_value *value, enum pg_type type, int typmod)
{
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return NULL;
    struct buf out;
    const char *result;
    switch (type) {
    case PG_BOOL:
        return sqlite3_value_int(value) ? "t" : "f";
    case PG_NUMERIC:
        return numeric_text(arena, value, typmod);
    case PG_FLOAT4:
    case PG_FLOAT8:
        return float_text(arena, sqlite3_value_double(value), type);
    case PG_DATE:
    case PG_TIME:
    case PG_TIMESTAMP:
    case PG_TIMESTAMPTZ:
        buf_init(&out, 128);
        pg_time_out(&out, type, sqlite3_value_int64(value));
        break;
    case PG_INTERVAL: {
        struct pg_interval interval;
        if (!pg_interval_load((const char *)sqlite3_value_text(value), &interval))
            return "";
        buf_init(&out, 128);
        pg_interval_out(&out, interval);
        break;
    }
    default:
        return arena_strdup(arena, (const char *)sqlite3_value_text(value));
    }
    result = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return result;
}

/* A date with the right shape but a month or day that there is not. */
static bool out_of_range(const char *text, bool *ret_hint)
{
    int year, month, day;
    if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3)
        return false;
    *ret_hint = month < 1 || month > 12 || day < 1 || day > 31;
    return true;
}

static void invalid(struct pg_session *session, enum pg_type type, int location, const char *text)
{
    bool hint;
    if (pg_type_is_time(type) && out_of_range(text, &hint)) {
        pg_fail(session, "22008", location, "date/time field value out of range: \"%s\"", text);
        if (hint)
            pg_hint(session, "Perhaps you need a different \"datestyle\" setting.");
        return;
    }
    pg_fail(session,
            pg_type_is_time(type) || type == PG_INTERVAL || type == PG_TIME ? "22007" : "22P02",
            location, "invalid input syntax for type %s: \"%s\"", pg_types[type].name, text);
}

static const char *bool_in(const char *text)
{
    static const char *const yes[] = {"t", "true", "y", "yes", "on", "1", NULL};
    static const char *const no[] = {"f", "false", "n", "no", "off", "0", NULL};
    for (int i = 0; yes[i]; i++) {
        if (strcasecmp(text, yes[i]) == 0)
            return "1";
        if (strcasecmp(text, no[i]) == 0)
            return "0";
    }
    return NULL;
}

static const char *integer_in(struct pg_session *session, struct arena *arena, const char *text,
                              enum pg_type type, int location)
{
    char *end;
    errno = 0;
    while (isspace((unsigned char)*text))
        text++;
    long long value = strtoll(text, &end, 10);
    const char *rest = end;
    while (isspace((unsigned char)*rest))
        rest++;
    if (end == text || *rest) {
        invalid(session, type, location, text);
        return NULL;
    }
    long long limit = type == PG_INT2 ? INT16_MAX : type == PG_INT4 ? INT32_MAX : INT64_MAX;
    if (errno == ERANGE || value > limit || value < -limit - 1) {
        pg_fail(session, "22003", location, "value \"%s\" is out of range for type %s", text,
                pg_types[type].name);
        return NULL;
    }
    return arena_printf(arena, "%lld", value);
}

/* 1e3 and 2.5e-2 without their exponents. */
static const char *without_exponent(struct arena *arena, const char *text)
{
    const char *e = strpbrk(text, "eE");
    if (!e)
        return text;
    const char *point = memchr(text, '.', (size_t)(e - text));
    int places = point ? (int)(e - point) - 1 : 0, exponent = leading_int(e + 1);
    int scale = places - exponent > 0 ? places - exponent : 0;
    return arena_printf(arena, "%.*f", scale, strtod(text, NULL));
}

static bool is_decimal(const char *text)
{
    const char *p = text;
    int digits = 0;
    if (*p == '-' || *p == '+')
        p++;
    for (; isdigit((unsigned char)*p); p++)
        digits++;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++)
            digits++;
    if (digits && (*p == 'e' || *p == 'E')) {
        p++;
        if (*p == '-' || *p == '+')
            p++;
        if (!isdigit((unsigned char)*p))
            return false;
        while (isdigit((unsigned char)*p))
            p++;
    }
    return digits > 0 && *p == '\0';
}

static bool is_uuid(const char *text)
{
    int n = 0;
    for (; *text; text++) {
        if (isxdigit((unsigned char)*text))
            n++;
        else if (*text != '-')
            return false;
    }
    return n == 32;
}

static void json_string(struct buf *out, const char *text)
{
    cJSON *string = cJSON_CreateStringReference(text);
    char *quoted = cJSON_PrintUnformatted(string);
    buf_puts(out, quoted ? quoted : "\"\"");
    cJSON_free(quoted);
    cJSON_Delete(string);
}

/* jsonb keeps keys by length, then by bytes, the last of equal ones; and prints blanks behind
 * colons and commas. */
static void jsonb_text(struct buf *out, const cJSON *json)
{
    const cJSON *item, *last = NULL;
    if (cJSON_IsArray(json)) {
        buf_putc(out, '[');
        cJSON_ArrayForEach(item, json)
        {
            buf_puts(out, item == json->child ? "" : ", ");
            jsonb_text(out, item);
        }
        buf_putc(out, ']');
        return;
    }
    if (!cJSON_IsObject(json)) {
        char *text = cJSON_PrintUnformatted(json);
        buf_puts(out, text ? text : "null");
        cJSON_free(text);
        return;
    }
    buf_putc(out, '{');
    for (;;) {
        const cJSON *next = NULL;
        cJSON_ArrayForEach(item, json)
        {
            size_t n = strlen(item->string), m = next ? strlen(next->string) : 0,
                   l = last ? strlen(last->string) : 0;
            bool later = !last || n > l || (n == l && strcmp(item->string, last->string) > 0);
            if (later && (!next || n < m || (n == m && strcmp(item->string, next->string) <= 0)))
                next = item;
        }
        if (!next)
            break;
        buf_puts(out, last ? ", " : "");
        json_string(out, next->string);
        buf_puts(out, ": ");
        jsonb_text(out, next);
        last = next;
    }
    buf_putc(out, '}');
}

const char *value_literal(struct pg_session *session, struct arena *arena, const char *text,
                          enum pg_type type, int typmod, int location)
{
    const char *result = NULL;
    struct pg_interval interval;
    struct buf out;
    int64_t time;
    switch (type) {
    case PG_BOOL:
        result = bool_in(text);
        break;
    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_OID:
        return integer_in(session, arena, text, type, location);
    case PG_NUMERIC:
        if (is_decimal(text))
            result = typmod >= 4
                         ? arena_printf(arena, "'%.*f'", (typmod - 4) & 0xffff, strtod(text, NULL))
                         : sql_text(arena, without_exponent(arena, text));
        break;
    case PG_FLOAT4:
    case PG_FLOAT8:
        if (is_decimal(text))
            result = arena_printf(arena, "%.17g", strtod(text, NULL));
        break;
    case PG_DATE:
    case PG_TIME:
    case PG_TIMESTAMP:
    case PG_TIMESTAMPTZ:
        if (pg_time_in(text, type, session->began_us, &time))
            result = arena_printf(arena, "%lld", (long long)time);
        break;
    case PG_INTERVAL:
        if (!pg_interval_in(text, &interval))
            break;
        buf_init(&out, 96);
        pg_interval_keep(&out, interval);
        result = sql_text(arena, out.at);
        buf_release(&out);
        break;
    case PG_ENUM:
        return enum_accepts(session, arena, typmod, text, location) ? sql_text(arena, text) : NULL;
    case PG_UUID:
        if (is_uuid(text))
            result = sql_text(arena, text);
        break;
    case PG_VARCHAR:
    case PG_BPCHAR:
        if (typmod >= 4 && strlen(text) > (size_t)(typmod - 4)) {
            pg_fail(session, "22001", -1, "value too long for type %s",
                    pg_type_format(arena, type, typmod));
            return NULL;
        }
        return sql_text(arena, text);
    case PG_JSON:
    case PG_JSONB: {
        cJSON *json = cJSON_Parse(text);
        if (!json) {
            pg_fail(session, "22P02", location, "invalid input syntax for type %s",
                    pg_types[type].name);
            pg_detail(session, "Token \"%s\" is invalid.", text);
            return NULL;
        }
        if (type == PG_JSONB) {
            struct buf canonical;
            buf_init(&canonical, 64 << 20);
            jsonb_text(&canonical, json);
            text = arena_str(arena, buf_text(&canonical));
            buf_release(&canonical);
        }
        cJSON_Delete(json);
        return sql_text(arena, text);
    }
    default:
        return sql_text(arena, text);
    }
    if (!result)
        invalid(session, type, location, text);
    return result;
}
