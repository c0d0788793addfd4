/* The SQL functions behind translated text: what PostgreSQL does and SQLite lacks. User data is the
 * database. */
#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/postgres/functions.h"
#include "fakes/postgres/postgres.h"
#include "sim/base/hash.h"

#define US_PER_DAY INT64_C(86400000000)

/* ---- conversions ---- */

static void f_text(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    struct arena arena = {0};
    enum pg_type type = (enum pg_type)sqlite3_value_int(args[1]);
    const char *text = value_text(&arena, args[0], type, sqlite3_value_int(args[2]));
    if (!text)
        sqlite3_result_null(context);
    else
        result_text(context, type == PG_BOOL ? (*text == 't' ? "true" : "false") : text);
    arena_release(&arena);
}

static void f_in(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    struct pg_session *session = session_of(context);
    struct arena arena = {0};
    enum pg_type type = (enum pg_type)sqlite3_value_int(args[1]);
    const char *sql =
        value_literal(session, &arena, text_of(args[0]), type, sqlite3_value_int(args[2]), -1);
    if (!sql) {
        stop(context);
    } else if (*sql == '\'') {
        struct str text = {sql + 1, strlen(sql) - 2};
        struct buf plain;
        buf_init(&plain, 64 << 20);
        for (size_t i = 0; i < text.len; i++) {
            buf_putc(&plain, text.at[i]);
            if (text.at[i] == '\'')
                i++;
        }
        sqlite3_result_text(context, plain.len ? plain.at : "", -1, SQLITE_TRANSIENT);
        buf_release(&plain);
    } else if (type == PG_FLOAT4 || type == PG_FLOAT8) {
        sqlite3_result_double(context, strtod(sql, NULL));
    } else {
        sqlite3_result_int64(context, strtoll(sql, NULL, 10));
    }
    arena_release(&arena);
}

static void f_fit(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL)
        return;
    const char *text = text_of(args[0]);
    int limit = sqlite3_value_int(args[1]), characters = 0;
    const char *p = text;
    for (; *p && characters < limit; characters++) {
        p++;
        while (((unsigned char)*p & 0xc0) == 0x80)
            p++;
    }
    if (*p && !sqlite3_value_int(args[2])) {
        pg_fail(session_of(context), "22001", -1, "value too long for type character varying(%d)",
                limit);
        stop(context);
        return;
    }
    sqlite3_result_text(context, text, (int)(p - text), SQLITE_TRANSIENT);
}

static void f_range(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    enum pg_type type = (enum pg_type)sqlite3_value_int(args[1]);
    if (type == PG_INT8 &&
        sqlite3_value_type(args[0]) == SQLITE_FLOAT) { /* SQLite went over to floating point */
        pg_fail(session_of(context), "22003", -1, "bigint out of range");
        stop(context);
        return;
    }
    if (type == PG_INT2 || type == PG_INT4) {
        if (sqlite3_value_type(args[0]) == SQLITE_NULL)
            return;
        int64_t limit = type == PG_INT2 ? INT16_MAX : INT32_MAX,
                value = sqlite3_value_int64(args[0]);
        if (value > limit || value < -limit - 1) {
            pg_fail(session_of(context), "22003", -1, "%s out of range", pg_types[type].name);
            stop(context);
            return;
        }
    }
    sqlite3_result_value(context, args[0]);
}

/* ---- time ---- */

static void f_date(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    int64_t us = sqlite3_value_int64(args[0]);
    sqlite3_result_int64(context, us / US_PER_DAY - (us % US_PER_DAY < 0));
}

static void f_clock(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sqlite3_result_int64(context,
                             (sqlite3_value_int64(args[0]) % US_PER_DAY + US_PER_DAY) % US_PER_DAY);
}

static void f_plus(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_interval by;
    if (!any_null(context, n, args) && pg_interval_load(text_of(args[1]), &by))
        sqlite3_result_int64(
            context, pg_time_plus(sqlite3_value_int64(args[0]), by, sqlite3_value_int(args[2])));
}

static void result_interval(sqlite3_context *context, struct pg_interval value)
{
    struct buf out;
    buf_init(&out, 96);
    pg_interval_keep(&out, value);
    result_text(context, out.at);
    buf_release(&out);
}

static void f_between(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    int64_t us = sqlite3_value_int64(args[0]) - sqlite3_value_int64(args[1]);
    result_interval(context, (struct pg_interval){0, us / US_PER_DAY, us % US_PER_DAY});
}

static void f_interval_us(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_interval v;
    if (!any_null(context, n, args) && pg_interval_load(text_of(args[0]), &v))
        sqlite3_result_int64(context, (v.months * 30 + v.days) * US_PER_DAY + v.us);
}

static void f_interval_plus(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_interval a, b;
    if (any_null(context, n, args) || !pg_interval_load(text_of(args[0]), &a) ||
        !pg_interval_load(text_of(args[1]), &b))
        return;
    int sign = sqlite3_value_int(args[2]);
    result_interval(context, (struct pg_interval){a.months + sign * b.months,
                                                  a.days + sign * b.days, a.us + sign * b.us});
}

static void f_interval_times(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_interval v;
    if (any_null(context, n, args) || !pg_interval_load(text_of(args[0]), &v))
        return;
    double by = sqlite3_value_double(args[1]);
    double days = (double)v.days * by, whole = (double)(int64_t)days;
    result_interval(context, (struct pg_interval){(int64_t)((double)v.months * by), (int64_t)whole,
                                                  (int64_t)((double)v.us * by +
                                                            (days - whole) * (double)US_PER_DAY)});
}

static void f_trunc(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *unit = text_of(args[0]);
    struct pg_civil c = pg_civil_of(sqlite3_value_int64(args[1]));
    static const char *const units[] = {"year", "month", "day", "hour", "minute", "second", NULL};
    int level = 0;
    if (strcasecmp(unit, "week") == 0) {
        c.day -= (c.day_of_week + 6) % 7;
        level = 2;
    } else if (strcasecmp(unit, "quarter") == 0) {
        c.month -= (c.month - 1) % 3;
        level = 1;
    } else {
        while (units[level] && strcasecmp(unit, units[level]) != 0)
            level++;
        if (!units[level]) {
            pg_fail(session_of(context), "22023", -1,
                    "unit \"%s\" not recognized for type timestamp with time zone", unit);
            stop(context);
            return;
        }
    }
    if (level < 1)
        c.month = 1;
    if (level < 2)
        c.day = 1;
    if (level < 3)
        c.hour = 0;
    if (level < 4)
        c.minute = 0;
    if (level < 5)
        c.second = 0;
    c.microsecond = 0;
    sqlite3_result_int64(context, pg_us_of(&c));
}

static void seconds_text(sqlite3_context *context, int64_t us)
{
    char *text = sqlite3_mprintf("%s%lld.%06lld", us < 0 ? "-" : "", (us < 0 ? -us : us) / 1000000,
                                 (us < 0 ? -us : us) % 1000000);
    sqlite3_result_text(context, text, -1, sqlite3_free);
}

static void f_part(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *unit = text_of(args[0]);
    int64_t us = sqlite3_value_int64(args[1]);
    struct pg_civil c = pg_civil_of(us);
    struct {
        const char *name;
        int64_t value;
    } parts[] = {{"year", c.year},
                 {"month", c.month},
                 {"day", c.day},
                 {"hour", c.hour},
                 {"minute", c.minute},
                 {"dow", c.day_of_week},
                 {"isodow", c.day_of_week ? c.day_of_week : 7},
                 {"doy", c.day_of_year},
                 {"quarter", (c.month - 1) / 3 + 1}};
    if (strcasecmp(unit, "epoch") == 0) {
        seconds_text(context, us);
        return;
    }
    if (strcasecmp(unit, "second") == 0) {
        seconds_text(context, (int64_t)c.second * 1000000 + c.microsecond);
        return;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasecmp(unit, parts[i].name) == 0) {
            sqlite3_result_int64(context, parts[i].value);
            return;
        }
    }
    pg_fail(session_of(context), "22023", -1,
            "unit \"%s\" not recognized for type timestamp with time zone", unit);
    stop(context);
}

static void f_interval_part(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_interval v;
    if (any_null(context, n, args) || !pg_interval_load(text_of(args[1]), &v))
        return;
    const char *unit = text_of(args[0]);
    int64_t months_days = v.months / 12 * 36525 * 24 * 36 + v.months % 12 * 30 * 86400;
    if (strcasecmp(unit, "epoch") == 0)
        seconds_text(context, (months_days + v.days * 86400) * 1000000 + v.us);
    else if (strcasecmp(unit, "day") == 0)
        sqlite3_result_int64(context, v.days);
    else if (strcasecmp(unit, "hour") == 0)
        sqlite3_result_int64(context, v.us / 3600000000);
    else if (strcasecmp(unit, "minute") == 0)
        sqlite3_result_int64(context, v.us / 60000000 % 60);
    else if (strcasecmp(unit, "second") == 0)
        seconds_text(context, v.us % 60000000);
    else
        sqlite3_result_null(context);
}

/* The name of a month or day by its pattern (Month, MON, Dy ...), AM or PM; how much of the pattern
 * it is, or 0. */
static size_t name_of_time(struct buf *out, const char *p, const struct pg_civil *c)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    static const struct {
        const char *pattern;
        bool month, brief;
    } parts[] = {
        {"Month", true, false}, {"Mon", true, true}, {"Day", false, false}, {"Dy", false, true}};
    if (strncmp(p, "AM", 2) == 0 || strncmp(p, "PM", 2) == 0) {
        buf_puts(out, c->hour < 12 ? "AM" : "PM");
        return 2;
    }
    bool unpadded = strncmp(p, "FM", 2) == 0;
    const char *at = unpadded ? p + 2 : p;
    for (int i = 0; i < 4; i++) {
        size_t n = strlen(parts[i].pattern);
        if (strncasecmp(at, parts[i].pattern, n) != 0)
            continue;
        const char *name = parts[i].month ? months[c->month - 1] : days[c->day_of_week];
        bool upper = isupper((unsigned char)at[1]) != 0, lower = islower((unsigned char)at[0]) != 0;
        size_t k = 0;
        for (; name[k] && (!parts[i].brief || k < 3); k++)
            buf_putc(out, (char)(upper   ? toupper((unsigned char)name[k])
                                 : lower ? tolower((unsigned char)name[k])
                                         : name[k]));
        for (; !parts[i].brief && !unpadded && k < 9; k++)
            buf_putc(out, ' ');
        return n + (size_t)(at - p);
    }
    return 0;
}

static void f_to_char(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct pg_civil c = pg_civil_of(sqlite3_value_int64(args[0]));
    struct {
        const char *pattern;
        int value, width;
    } parts[] = {{"YYYY", (int)c.year, 4},
                 {"MM", c.month, 2},
                 {"DD", c.day, 2},
                 {"HH24", c.hour, 2},
                 {"MI", c.minute, 2},
                 {"SS", c.second, 2},
                 {"MS", c.microsecond / 1000, 3},
                 {"US", c.microsecond, 6},
                 {"HH12", (c.hour + 11) % 12 + 1, 2},
                 {"HH", (c.hour + 11) % 12 + 1, 2}};
    struct buf out;
    buf_init(&out, 4096);
    for (const char *p = text_of(args[1]); *p;) {
        size_t i = 0, count = sizeof parts / sizeof *parts;
        while (i < count && strncasecmp(p, parts[i].pattern, strlen(parts[i].pattern)) != 0)
            i++;
        if (i < count) {
            buf_printf(&out, "%0*d", parts[i].width, parts[i].value);
            p += strlen(parts[i].pattern);
        } else if ((count = name_of_time(&out, p, &c))) {
            p += count;
        } else if (isalpha((unsigned char)*p) && *p != 'T') {
            pg_not_simulated(session_of(context), -1, "the time format %s", text_of(args[1]));
            stop(context);
            break;
        } else if (*p == '"') {
            for (p++; *p && *p != '"'; p++)
                buf_putc(&out, *p);
            p += *p == '"';
        } else {
            buf_putc(&out, *p++);
        }
    }
    result_text(context, out.len ? out.at : "");
    buf_release(&out);
}

static void f_clock_timestamp(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int64(context, env_unix_ns(database_of(context)->server->env) / 1000);
}

/* Constant while a statement runs, which is all that "deterministic" asks for here. */
static void f_transaction_us(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int64(context, session_of(context)->began_us);
}

static void f_start_time(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int64(context,
                         database_of(context)->server->env->start_unix_ns / 1000 - 30 * US_PER_DAY);
}

/* ---- JSON: the part as it stands in the text ---- */

static const char *skip_json(const char *p)
{
    int depth = 0;
    do {
        if (*p == '"') {
            for (p++; *p && *p != '"'; p++)
                p += *p == '\\' && p[1];
        }
        depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
        p += *p != '\0';
    } while (*p && (depth > 0 || !strchr(",}]: \t\n", *p)));
    return p;
}

static const char *json_part(const char *p, const char *key, int index)
{
    p += strspn(p, " \t\n");
    bool object = *p == '{';
    if (*p != '{' && *p != '[')
        return NULL;
    for (int i = 0; *p && *p != '}' && *p != ']'; i++) {
        p++;
        p += strspn(p, " \t\n");
        bool found = !object && i == index;
        if (object) {
            const char *name = p;
            p = skip_json(p);
            found = key && (size_t)(p - name) == strlen(key) + 2 &&
                    strncmp(name + 1, key, strlen(key)) == 0;
            p += strspn(p, " \t\n:");
        }
        if (found)
            return p;
        p = skip_json(p);
        p += strspn(p, " \t\n");
    }
    return NULL;
}

static void f_json_get(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n;
    if (sqlite3_value_type(args[0]) == SQLITE_NULL || sqlite3_value_type(args[1]) == SQLITE_NULL)
        return;
    bool by_index = sqlite3_value_type(args[1]) == SQLITE_INTEGER;
    const char *part =
        json_part(text_of(args[0]), by_index ? NULL : text_of(args[1]), sqlite3_value_int(args[1]));
    if (!part)
        return;
    const char *end = skip_json(part);
    if (sqlite3_value_int(args[2]) && *part == '"')
        sqlite3_result_text(context, part + 1, (int)(end - part) - 2, SQLITE_TRANSIENT);
    else if (!sqlite3_value_int(args[2]) || strncmp(part, "null", 4) != 0)
        sqlite3_result_text(context, part, (int)(end - part), SQLITE_TRANSIENT);
}

/* ---- text ---- */

static void f_md5(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    result_text(context, hash_md5(&arena, str_of(text_of(args[0]))));
    arena_release(&arena);
}

static bool like(const char *p, const char *text, bool fold)
{
    for (; *p; p++) {
        if (*p == '%') {
            while (p[1] == '%')
                p++;
            for (;; text++) {
                if (like(p + 1, text, fold))
                    return true;
                if (!*text)
                    return false;
            }
        }
        if (!*text)
            return false;
        if (*p == '_') {
            text++;
            while (((unsigned char)*text & 0xc0) == 0x80)
                text++;
            continue;
        }
        if (*p == '\\' && p[1])
            p++;
        if (*p != *text && !(fold && tolower((unsigned char)*p) == tolower((unsigned char)*text)))
            return false;
        text++;
    }
    return *text == '\0';
}

static void f_like(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sqlite3_result_int(context,
                           like(text_of(args[1]), text_of(args[0]), sqlite3_value_int(args[2])));
}

static void f_regex(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    regex_t regex;
    int flags = REG_EXTENDED | REG_NOSUB | (sqlite3_value_int(args[2]) ? REG_ICASE : 0);
    if (regcomp(&regex, text_of(args[1]), flags) != 0) {
        pg_fail(session_of(context), "2201B", -1, "invalid regular expression: %s",
                text_of(args[1]));
        stop(context);
        return;
    }
    sqlite3_result_int(context, regexec(&regex, text_of(args[0]), 0, NULL, 0) == 0);
    regfree(&regex);
}

static void f_split(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *p = text_of(args[0]), *separator = text_of(args[1]);
    int field = sqlite3_value_int(args[2]);
    size_t len = strlen(separator);
    for (;;) {
        const char *end = len ? strstr(p, separator) : NULL;
        if (--field == 0) {
            sqlite3_result_text(context, p, end ? (int)(end - p) : -1, SQLITE_TRANSIENT);
            return;
        }
        if (!end)
            break;
        p = end + len;
    }
    result_text(context, "");
}

static void f_concat(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct buf out;
    buf_init(&out, 64 << 20);
    for (int i = 0; i < n; i++) {
        if (sqlite3_value_type(args[i]) != SQLITE_NULL)
            buf_puts(&out, text_of(args[i]));
    }
    result_text(context, out.len ? out.at : "");
    buf_release(&out);
}

static void extreme(sqlite3_context *context, int n, sqlite3_value **args, int sign)
{
    sqlite3_value *best = NULL;
    for (int i = 0; i < n; i++) {
        if (sqlite3_value_type(args[i]) == SQLITE_NULL)
            continue;
        int order = 0;
        if (best && sqlite3_value_numeric_type(best) != SQLITE_TEXT &&
            sqlite3_value_numeric_type(args[i]) != SQLITE_TEXT)
            order = sqlite3_value_double(args[i]) > sqlite3_value_double(best) ? 1 : -1;
        else if (best)
            order = strcmp(text_of(args[i]), text_of(best));
        if (!best || order * sign > 0)
            best = args[i];
    }
    if (best)
        sqlite3_result_value(context, best);
}

static void f_greatest(sqlite3_context *context, int n, sqlite3_value **args)
{
    extreme(context, n, args, 1);
}

static void f_least(sqlite3_context *context, int n, sqlite3_value **args)
{
    extreme(context, n, args, -1);
}

static void f_quote_ident(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    result_text(context, pg_ident(&arena, text_of(args[0])));
    arena_release(&arena);
}

static void f_size_pretty(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int64_t size = sqlite3_value_int64(args[0]);
    int unit = 0;
    bool halve = false;
    int64_t limit = 10 * 1024;
    while (unit < 4 && (size < 0 ? -size : size) >= limit) {
        /* As pg_size_pretty(): keep one bit more to round with. */
        size = size / (1 << (unit == 0 ? 9 : 10));
        limit = 20 * 1024 - 1;
        halve = true;
        unit++;
    }
    if (halve)
        size = (size + 1) / 2;
    char *text = sqlite3_mprintf("%lld %s", (long long)size, units[unit]);
    sqlite3_result_text(context, text, -1, sqlite3_free);
}

/* ---- the server ---- */

static void f_version(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    result_text(context, "PostgreSQL 15.8 on x86_64-pc-linux-gnu, compiled by gcc (Debian "
                         "12.2.0-14) 12.2.0, 64-bit");
}

static void f_backend_pid(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int(context, session_of(context)->pid);
}

static void f_terminate(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    sqlite3_result_int(context, pg_terminate(session_of(context), sqlite3_value_int(args[0])));
}

static void f_cancel(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sqlite3_result_int(context, pg_cancel(session_of(context), sqlite3_value_int(args[0])));
}

static void f_current_database(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    result_text(context, database_of(context)->name);
}

static void f_database_size(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct pg_database *database = pg_database_find(database_of(context)->server, text_of(args[0]));
    if (!database) {
        pg_fail(session_of(context), "3D000", -1, "database \"%s\" does not exist",
                text_of(args[0]));
        stop(context);
        return;
    }
    sqlite3_result_int64(context, pg_database_bytes(database));
}

static void f_relation_size(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    struct pg_relation *relation =
        catalog_find(database_of(context), &arena, NULL, text_of(args[0]));
    if (relation) {
        sqlite3_result_int64(context, pg_relation_bytes(database_of(context), relation));
    } else {
        pg_fail(session_of(context), "42P01", -1, "relation \"%s\" does not exist",
                text_of(args[0]));
        stop(context);
    }
    arena_release(&arena);
}

static void regclass(sqlite3_context *context, const char *text, bool must)
{
    struct arena arena = {0};
    if (catalog_int(database_of(context), 0, "SELECT oid FROM pgc_index WHERE name = %s",
                    sql_text(&arena, text))) {
        result_text(context, text);
        arena_release(&arena);
        return;
    }
    const char *point = strrchr(text, '.');
    const char *schema = point ? arena_printf(&arena, "%.*s", (int)(point - text), text) : NULL;
    struct pg_relation *relation =
        catalog_find(database_of(context), &arena, schema, point ? point + 1 : text);
    if (relation) {
        result_text(context, relation->key);
    } else if (must) {
        pg_fail(session_of(context), "42P01", -1, "relation \"%s\" does not exist", text);
        stop(context);
    }
    arena_release(&arena);
}

static void f_regclass(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        regclass(context, text_of(args[0]), true);
}

static void f_to_regclass(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        regclass(context, text_of(args[0]), false);
}

static void f_recovering(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int(context, database_of(context)->server->in_recovery);
}

/* Both end a recovery that is paused at its target: there is no more log to take. */
static void f_end_recovery(sqlite3_context *context, int n, sqlite3_value **args)
{
    struct pg_server *server = database_of(context)->server;
    (void)n;
    if (!server->in_recovery) {
        pg_fail(session_of(context), "55000", -1, "recovery is not in progress");
        pg_hint(session_of(context),
                "Recovery control functions can only be executed during recovery.");
        stop(context);
        return;
    }
    pg_promote(server);
    if (sqlite3_value_int(args[0]))
        sqlite3_result_int(context, 1);
    else
        result_text(context, "");
}

static void f_lastval(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    struct pg_session *session = session_of(context);
    if (session->drawn) {
        sqlite3_result_int64(context, session->drawn->value);
        return;
    }
    pg_fail(session, "55000", -1, "lastval is not yet defined in this session");
    stop(context);
}

static void f_serial_sequence(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    const char *table = text_of(args[0]), *column = text_of(args[1]), *point = strrchr(table, '.');
    const char *schema = point ? arena_printf(&arena, "%.*s", (int)(point - table), table) : NULL;
    struct pg_relation *relation =
        catalog_find(database_of(context), &arena, schema, point ? point + 1 : table);
    if (!relation) {
        pg_fail(session_of(context), "42P01", -1, "relation \"%s\" does not exist", table);
        stop(context);
    } else if (catalog_attribute(relation, column) < 0) {
        pg_fail(session_of(context), "42703", -1, "column \"%s\" of relation \"%s\" does not exist",
                column, relation->name);
        stop(context);
    } else {
        const char *name = catalog_text(
            database_of(context), &arena,
            "SELECT r.schema || '.' || r.name FROM pgc_sequence s JOIN pgc_relation r ON r.oid ="
            " s.relation WHERE s.owner_relation = %lld AND s.owner_column = %s",
            (long long)relation->oid, sql_text(&arena, column));
        if (name)
            result_text(context, name);
    }
    arena_release(&arena);
}

/* The segment that a position lies in: 16 MB each, on timeline 1. */
static void f_walfile(sqlite3_context *context, int n, sqlite3_value **args)
{
    unsigned high = 0, low = 0;
    if (any_null(context, n, args) || sscanf(text_of(args[0]), "%X/%X", &high, &low) != 2)
        return;
    char *text = sqlite3_mprintf("00000001%08X%08X", high, low >> 24);
    sqlite3_result_text(context, text, -1, sqlite3_free);
}

static void f_regclass_oid(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    sqlite3_result_int64(
        context,
        catalog_int(database_of(context), 0,
                    "SELECT oid FROM pgc_relation WHERE key = %s UNION ALL SELECT oid FROM"
                    " pgc_index WHERE name = %s",
                    sql_text(&arena, text_of(args[0])), sql_text(&arena, text_of(args[0]))));
    arena_release(&arena);
}

static void f_regclass_name(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    long long oid = sqlite3_value_int64(args[0]);
    const char *name = catalog_text(
        database_of(context), &arena,
        "SELECT key FROM pgc_relation WHERE oid = %lld UNION ALL SELECT name FROM pgc_index WHERE"
        " oid = %lld",
        oid, oid);
    result_text(context, name ? name : arena_printf(&arena, "%lld", oid));
    arena_release(&arena);
}

static void f_enum_order(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    struct arena arena = {0};
    sqlite3_result_int64(
        context, catalog_int(database_of(context), 0,
                             "SELECT sort FROM pgc_enum WHERE type = %d AND label = %s",
                             sqlite3_value_int(args[1]), sql_text(&arena, text_of(args[0]))));
    arena_release(&arena);
}

static void sequence_value(sqlite3_context *context, const char *name, char what, int64_t value,
                           bool called)
{
    int64_t result;
    if (pg_sequence(session_of(context), name, what, value, called, &result))
        sqlite3_result_int64(context, result);
    else
        stop(context);
}

static void f_nextval(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sequence_value(context, text_of(args[0]), 'n', 0, true);
}

static void f_currval(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sequence_value(context, text_of(args[0]), 'c', 0, true);
}

static void f_setval(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sequence_value(context, text_of(args[0]), 's', sqlite3_value_int64(args[1]),
                       sqlite3_value_int(args[2]));
}

static void f_setting(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (any_null(context, n, args))
        return;
    const char *value = pg_setting(session_of(context), text_of(args[0]));
    if (value) {
        result_text(context, value);
    } else {
        pg_fail(session_of(context), "42704", -1, "unrecognized configuration parameter \"%s\"",
                text_of(args[0]));
        stop(context);
    }
}

static void f_set_config(sqlite3_context *context, int n, sqlite3_value **args)
{
    if (!any_null(context, n, args))
        sqlite3_result_value(context, args[1]);
}

static void f_wal_lsn(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    int64_t at = env_unix_ns(database_of(context)->server->env) / 1000000;
    char *text = sqlite3_mprintf("%llX/%llX", at >> 32 & 0xff, at & 0xffffffff);
    sqlite3_result_text(context, text, -1, sqlite3_free);
}

static void f_txid(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_int64(context,
                         env_unix_ns(database_of(context)->server->env) / 1000000 % 100000000);
}

static double draw(sqlite3_context *context)
{
    struct pg_server *server = database_of(context)->server;
    return server->env->world ? world_uniform(server->env->world, server->name, "random()") : 0.5;
}

static void f_random(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    sqlite3_result_double(context, draw(context));
}

static void f_uuid(sqlite3_context *context, int n, sqlite3_value **args)
{
    (void)n, (void)args;
    unsigned parts[8];
    for (int i = 0; i < 8; i++)
        parts[i] = (unsigned)(draw(context) * 65536);
    char *text = sqlite3_mprintf("%04x%04x-%04x-4%03x-%04x-%04x%04x%04x", parts[0], parts[1],
                                 parts[2], parts[3] & 0xfff, 0x8000 | (parts[4] & 0x3fff), parts[5],
                                 parts[6], parts[7]);
    sqlite3_result_text(context, text, -1, sqlite3_free);
}

void functions_register(struct pg_database *database)
{
    numeric_register(database);
    text_functions_register(database);
    static const struct {
        const char *name;
        int n;
        void (*run)(sqlite3_context *, int, sqlite3_value **);
        bool fixed;
    } list[] = {
        {"pg_text", 3, f_text, true},
        {"pg_in", 3, f_in, true},
        {"pg_fit", 3, f_fit, true},
        {"pg_range", 2, f_range, true},
        {"pg_date", 1, f_date, true},
        {"pg_clock", 1, f_clock, true},
        {"pg_plus", 3, f_plus, true},
        {"pg_between", 2, f_between, true},
        {"pg_interval_us", 1, f_interval_us, true},
        {"pg_interval_plus", 3, f_interval_plus, true},
        {"pg_interval_times", 2, f_interval_times, true},
        {"pg_trunc", 2, f_trunc, true},
        {"pg_part", 2, f_part, true},
        {"pg_interval_part", 2, f_interval_part, true},
        {"pg_to_char", 2, f_to_char, true},
        {"pg_clock_timestamp", 0, f_clock_timestamp, false},
        {"pg_transaction_us", 0, f_transaction_us, true},
        {"pg_start_time", 0, f_start_time, false},
        {"pg_like", 3, f_like, true},
        {"pg_regex", 3, f_regex, true},
        {"pg_split", 3, f_split, true},
        {"pg_concat", -1, f_concat, true},
        {"pg_md5", 1, f_md5, true},
        {"pg_json_get", 3, f_json_get, true},
        {"pg_greatest", -1, f_greatest, true},
        {"pg_least", -1, f_least, true},
        {"pg_quote_ident", 1, f_quote_ident, true},
        {"pg_size_pretty", 1, f_size_pretty, true},
        {"pg_version", 0, f_version, false},
        {"pg_backend_pid", 0, f_backend_pid, false},
        {"pg_terminate_backend", 1, f_terminate, false},
        {"pg_cancel_backend", 1, f_cancel, false},
        {"pg_current_database", 0, f_current_database, false},
        {"pg_database_size", 1, f_database_size, false},
        {"pg_relation_size", 1, f_relation_size, false},
        {"pg_regclass", 1, f_regclass, false},
        {"pg_to_regclass", 1, f_to_regclass, false},
        {"pg_nextval", 1, f_nextval, false},
        {"pg_currval", 1, f_currval, false},
        {"pg_setval", 3, f_setval, false},
        {"pg_setting", 1, f_setting, false},
        {"pg_set_config", 2, f_set_config, false},
        {"pg_wal_lsn", 0, f_wal_lsn, false},
        {"pg_txid", 0, f_txid, false},
        {"pg_enum_order", 2, f_enum_order, false},
        {"pg_recovering", 0, f_recovering, false},
        {"pg_end_recovery", 1, f_end_recovery, false},
        {"pg_lastval", 0, f_lastval, false},
        {"pg_serial_sequence", 2, f_serial_sequence, false},
        {"pg_walfile", 1, f_walfile, true},
        {"pg_regclass_oid", 1, f_regclass_oid, false},
        {"pg_regclass_name", 1, f_regclass_name, false},
        {"pg_random", 0, f_random, false},
        {"pg_uuid", 0, f_uuid, false},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        sqlite3_create_function(database->sqlite, list[i].name, list[i].n,
                                SQLITE_UTF8 | (list[i].fixed ? SQLITE_DETERMINISTIC : 0), database,
                                list[i].run, NULL, NULL);
}
