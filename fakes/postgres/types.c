#include "fakes/postgres/types.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    (86400 * US_PER_SECOND)

const struct pg_type_info pg_types[PG_TYPES] = {
    [PG_UNKNOWN] = {"unknown", "unknown", 'X', 705},
    [PG_BOOL] = {"boolean", "bool", 'B', 16},
    [PG_INT2] = {"smallint", "int2", 'N', 21},
    [PG_INT4] = {"integer", "int4", 'N', 23},
    [PG_INT8] = {"bigint", "int8", 'N', 20},
    [PG_NUMERIC] = {"numeric", "numeric", 'N', 1700},
    [PG_FLOAT4] = {"real", "float4", 'N', 700},
    [PG_FLOAT8] = {"double precision", "float8", 'N', 701},
    [PG_TEXT] = {"text", "text", 'S', 25},
    [PG_VARCHAR] = {"character varying", "varchar", 'S', 1043},
    [PG_BPCHAR] = {"character", "bpchar", 'S', 1042},
    [PG_NAME] = {"name", "name", 'S', 19},
    [PG_DATE] = {"date", "date", 'D', 1082},
    [PG_TIME] = {"time without time zone", "time", 'D', 1083},
    [PG_TIMESTAMP] = {"timestamp without time zone", "timestamp", 'D', 1114},
    [PG_TIMESTAMPTZ] = {"timestamp with time zone", "timestamptz", 'D', 1184},
    [PG_INTERVAL] = {"interval", "interval", 'T', 1186},
    [PG_JSON] = {"json", "json", 'U', 114},
    [PG_JSONB] = {"jsonb", "jsonb", 'U', 3802},
    [PG_UUID] = {"uuid", "uuid", 'U', 2950},
    [PG_INET] = {"inet", "inet", 'U', 869},
    [PG_BYTEA] = {"bytea", "bytea", 'U', 17},
    [PG_OID] = {"oid", "oid", 'N', 26},
    [PG_REGCLASS] = {"regclass", "regclass", 'U', 2205},
    [PG_TEXT_ARRAY] = {"text[]", "_text", 'U', 1009},
    [PG_INT4_ARRAY] = {"integer[]", "_int4", 'U', 1007},
    [PG_VOID] = {"void", "void", 'U', 2278},
    [PG_RECORD] = {"record", "record", 'U', 2249},
    [PG_TRIGGER] = {"trigger", "trigger", 'U', 2279},
    [PG_ENUM] = {"anyenum", "anyenum", 'U', 3500},
};

static const struct {
    const char *name;
    enum pg_type type;
} aliases[] = {
    {"int", PG_INT4},        {"serial", PG_INT4},         {"serial4", PG_INT4},
    {"bigserial", PG_INT8},  {"serial8", PG_INT8},        {"smallserial", PG_INT2},
    {"decimal", PG_NUMERIC}, {"float", PG_FLOAT8},        {"char", PG_BPCHAR},
    {"string", PG_TEXT},     {"timestamp", PG_TIMESTAMP}, {"cidr", PG_INET},
    {"citext", PG_TEXT},     {"macaddr", PG_TEXT},        {"xml", PG_TEXT},
    {"regproc", PG_TEXT},    {"regtype", PG_TEXT},        {"pg_lsn", PG_TEXT},
    {"tsvector", PG_TEXT},
};

int pg_type_of(const char *name)
{
    for (int i = 0; i < PG_TYPES; i++) {
        if (strcasecmp(name, pg_types[i].internal) == 0 || strcasecmp(name, pg_types[i].name) == 0)
            return i;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcasecmp(name, aliases[i].name) == 0)
            return (int)aliases[i].type;
    }
    return -1;
}

bool pg_type_is_number(enum pg_type type)
{
    return pg_types[type].category == 'N';
}

bool pg_type_is_text(enum pg_type type)
{
    return pg_types[type].category == 'S';
}

bool pg_type_is_time(enum pg_type type)
{
    return type == PG_DATE || type == PG_TIMESTAMP || type == PG_TIMESTAMPTZ;
}

const char *pg_type_format(struct arena *arena, enum pg_type type, int typmod)
{
    if (typmod < 0)
        return pg_types[type].name;
    switch (type) {
    case PG_VARCHAR:
    case PG_BPCHAR:
        return arena_printf(arena, "%s(%d)", pg_types[type].name, typmod - 4);
    case PG_NUMERIC:
        return arena_printf(arena, "numeric(%d,%d)", (typmod - 4) >> 16, (typmod - 4) & 0xffff);
    case PG_TIMESTAMP:
        return arena_printf(arena, "timestamp(%d) without time zone", typmod);
    case PG_TIMESTAMPTZ:
        return arena_printf(arena, "timestamp(%d) with time zone", typmod);
    default:
        return pg_types[type].name;
    }
}

/* ---- the calendar: Howard Hinnant's days_from_civil and back ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t days_of(int64_t year, int month, int day)
{
    year += floor_div(month - 1, 12);
    month = (int)((month - 1) - 12 * floor_div(month - 1, 12)) + 1;
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

struct pg_civil pg_civil_of(int64_t us)
{
    int64_t days = floor_div(us, US_PER_DAY);
    int64_t rest = us - days * US_PER_DAY;
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct pg_civil c = {0};
    c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c.year = yoe + era * 400 + (c.month <= 2);
    c.microsecond = (int)(rest % US_PER_SECOND);
    rest /= US_PER_SECOND;
    c.second = (int)(rest % 60);
    c.minute = (int)(rest / 60 % 60);
    c.hour = (int)(rest / 3600);
    c.day_of_week = (int)(days + 4 - 7 * floor_div(days + 4, 7));
    c.day_of_year = (int)(days - days_of(c.year, 1, 1)) + 1;
    return c;
}

int64_t pg_us_of(const struct pg_civil *c)
{
    int64_t seconds = ((int64_t)c->hour * 60 + c->minute) * 60 + c->second;
    return days_of(c->year, c->month, c->day) * US_PER_DAY + seconds * US_PER_SECOND +
           c->microsecond;
}

static int days_in_month(int64_t year, int month)
{
    return (int)(days_of(year, month + 1, 1) - days_of(year, month, 1));
}

int64_t pg_time_plus(int64_t us, struct pg_interval by, int sign)
{
    if (by.months) {
        struct pg_civil c = pg_civil_of(us);
        int64_t month = c.year * 12 + c.month - 1 + sign * by.months;
        c.year = floor_div(month, 12);
        c.month = (int)(month - 12 * c.year) + 1;
        int last = days_in_month(c.year, c.month);
        if (c.day > last)
            c.day = last;
        us = pg_us_of(&c);
    }
    return us + sign * (by.days * US_PER_DAY + by.us);
}

/* ---- timestamps ---- */

static bool digits(const char **p, int min, int max, int64_t *ret)
{
    int n = 0;
    int64_t value = 0;
    while (n < max && (*p)[n] >= '0' && (*p)[n] <= '9')
        value = value * 10 + ((*p)[n++] - '0');
    if (n < min)
        return false;
    *p += n;
    *ret = value;
    return true;
}

static bool fraction(const char **p, int64_t *ret_us)
{
    int64_t unit = US_PER_SECOND;
    *ret_us = 0;
    if (**p != '.')
        return true;
    for (++*p; **p >= '0' && **p <= '9'; ++*p) {
        unit /= 10;
        *ret_us += unit * (**p - '0');
    }
    return true;
}

static bool clock_in(const char **p, int64_t *ret_us)
{
    int64_t hour, minute, second = 0, us = 0;
    if (!digits(p, 1, 2, &hour) || *(*p)++ != ':' || !digits(p, 2, 2, &minute))
        return false;
    if (**p == ':') {
        ++*p;
        if (!digits(p, 2, 2, &second) || !fraction(p, &us))
            return false;
    }
    if (hour > 24 || minute > 59 || second > 60)
        return false;
    *ret_us = ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + us;
    return true;
}

static bool zone_in(const char **p, int64_t *ret_us)
{
    *ret_us = 0;
    while (**p == ' ')
        ++*p;
    if (strncasecmp(*p, "UTC", 3) == 0 || strncasecmp(*p, "GMT", 3) == 0) {
        *p += 3;
        return true;
    }
    if (**p == 'Z' || **p == 'z') {
        ++*p;
        return true;
    }
    if (**p != '+' && **p != '-')
        return true;
    int sign = *(*p)++ == '-' ? -1 : 1;
    int64_t hours, minutes = 0;
    if (!digits(p, 1, 2, &hours))
        return false;
    if (**p == ':')
        ++*p;
    digits(p, 2, 2, &minutes);
    *ret_us = sign * (hours * 60 + minutes) * 60 * US_PER_SECOND;
    return true;
}

static bool special_in(const char *text, int64_t now_us, int64_t *ret_us)
{
    int64_t today = floor_div(now_us, US_PER_DAY) * US_PER_DAY;
    if (strcasecmp(text, "now") == 0)
        *ret_us = now_us;
    else if (strcasecmp(text, "today") == 0)
        *ret_us = today;
    else if (strcasecmp(text, "yesterday") == 0)
        *ret_us = today - US_PER_DAY;
    else if (strcasecmp(text, "tomorrow") == 0)
        *ret_us = today + US_PER_DAY;
    else if (strcasecmp(text, "epoch") == 0)
        *ret_us = 0;
    else if (strcasecmp(text, "infinity") == 0)
        *ret_us = INT64_MAX;
    else if (strcasecmp(text, "-infinity") == 0)
        *ret_us = INT64_MIN;
    else
        return false;
    return true;
}

bool pg_time_in(const char *text, enum pg_type type, int64_t now_us, int64_t *ret)
{
    const char *p = text;
    int64_t us = 0, clock = 0, zone = 0;
    while (*p == ' ')
        p++;
    if (type == PG_TIME) {
        if (!clock_in(&p, ret))
            return false;
        return *p == '\0';
    }
    if (!special_in(p, now_us, &us)) {
        int64_t year, month, day;
        if (!digits(&p, 4, 5, &year) || *p++ != '-' || !digits(&p, 1, 2, &month) || *p++ != '-' ||
            !digits(&p, 1, 2, &day))
            return false;
        if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, (int)month))
            return false;
        if (*p == 'T' || *p == ' ') {
            while (*p == 'T' || *p == ' ')
                p++;
            if (*p && !clock_in(&p, &clock))
                return false;
            if (!zone_in(&p, &zone))
                return false;
        }
        while (*p == ' ')
            p++;
        if (*p)
            return false;
        us = days_of(year, (int)month, (int)day) * US_PER_DAY + clock;
        if (type == PG_TIMESTAMPTZ)
            us -= zone;
    }
    *ret = type == PG_DATE ? floor_div(us, US_PER_DAY) : us;
    return true;
}

static void fraction_out(struct buf *out, int microsecond)
{
    if (microsecond == 0)
        return;
    int n = 6;
    while (microsecond % 10 == 0) {
        microsecond /= 10;
        n--;
    }
    buf_printf(out, ".%0*d", n, microsecond);
}

void pg_time_out(struct buf *out, enum pg_type type, int64_t value)
{
    if (type == PG_TIME) {
        struct pg_civil t = pg_civil_of(value);
        buf_printf(out, "%02d:%02d:%02d", t.hour, t.minute, t.second);
        fraction_out(out, t.microsecond);
        return;
    }
    if (value == INT64_MAX || value == INT64_MIN) {
        buf_puts(out, value > 0 ? "infinity" : "-infinity");
        return;
    }
    struct pg_civil c = pg_civil_of(type == PG_DATE ? value * US_PER_DAY : value);
    buf_printf(out, "%04lld-%02d-%02d", (long long)c.year, c.month, c.day);
    if (type == PG_DATE)
        return;
    buf_printf(out, " %02d:%02d:%02d", c.hour, c.minute, c.second);
    fraction_out(out, c.microsecond);
    if (type == PG_TIMESTAMPTZ)
        buf_puts(out, "+00");
}

/* ---- intervals ---- */

static const struct {
    const char *names; /* each between blanks */
    int64_t months, days, us;
} interval_units[] = {
    {" us usec usecs microsecond microseconds ", 0, 0, 1},
    {" ms msec msecs millisecond milliseconds ", 0, 0, 1000},
    {" s sec secs second seconds ", 0, 0, US_PER_SECOND},
    {" m min mins minute minutes ", 0, 0, 60 * US_PER_SECOND},
    {" h hr hrs hour hours ", 0, 0, 3600 * US_PER_SECOND},
    {" d day days ", 0, 1, 0},
    {" w week weeks ", 0, 7, 0},
    {" mon mons month months ", 1, 0, 0},
    {" y yr yrs year years ", 12, 0, 0},
    {" decade decades ", 120, 0, 0},
};

static bool add_unit(struct pg_interval *to, int64_t whole, int64_t millionths, const char *unit,
                     size_t len)
{
    char name[24];
    if (len == 0 || len > sizeof name - 3)
        return false;
    name[0] = ' ';
    for (size_t i = 0; i < len; i++)
        name[i + 1] = (char)(unit[i] | 0x20);
    name[len + 1] = ' ';
    name[len + 2] = '\0';
    for (size_t i = 0; i < sizeof interval_units / sizeof *interval_units; i++) {
        if (!strstr(interval_units[i].names, name))
            continue;
        to->months += whole * interval_units[i].months;
        to->months += millionths * interval_units[i].months / US_PER_SECOND;
        to->days += whole * interval_units[i].days;
        to->us += millionths * interval_units[i].days * 86400;
        to->us += whole * interval_units[i].us + millionths * interval_units[i].us / US_PER_SECOND;
        return true;
    }
    return false;
}

bool pg_interval_in(const char *text, struct pg_interval *ret)
{
    struct pg_interval result = {0};
    const char *p = text;
    bool any = false;
    while (*p) {
        if (*p == ' ' || *p == ',') {
            p++;
            continue;
        }
        if (strncasecmp(p, "ago", 3) == 0) {
            result = (struct pg_interval){-result.months, -result.days, -result.us};
            p += 3;
            continue;
        }
        int sign = 1;
        if (*p == '-' || *p == '+')
            sign = *p++ == '-' ? -1 : 1;
        const char *number = p;
        int64_t whole = 0, millionths = 0;
        if (*p != '.' && !digits(&p, 1, 15, &whole))
            return false;
        if (*p == ':') {
            p = number;
            int64_t clock;
            if (!clock_in(&p, &clock))
                return false;
            result.us += sign * clock;
            any = true;
            continue;
        }
        fraction(&p, &millionths);
        while (*p == ' ')
            p++;
        const char *unit = p;
        while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
            p++;
        if (p == unit
                ? !add_unit(&result, sign * whole, sign * millionths, "s", 1)
                : !add_unit(&result, sign * whole, sign * millionths, unit, (size_t)(p - unit)))
            return false;
        any = true;
    }
    if (any)
        *ret = result;
    return any;
}

static void interval_part(struct buf *out, bool *any, int64_t n, const char *unit)
{
    if (n == 0)
        return;
    buf_printf(out, "%s%lld %s%s", *any ? " " : "", (long long)n, unit, n == 1 ? "" : "s");
    *any = true;
}

void pg_interval_out(struct buf *out, struct pg_interval value)
{
    bool any = false;
    interval_part(out, &any, value.months / 12, "year");
    interval_part(out, &any, value.months % 12, "mon");
    interval_part(out, &any, value.days, "day");
    if (value.us || !any) {
        int64_t us = value.us < 0 ? -value.us : value.us;
        int64_t seconds = us / US_PER_SECOND;
        buf_printf(out, "%s%s%02lld:%02lld:%02lld", any ? " " : "", value.us < 0 ? "-" : "",
                   (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
                   (long long)(seconds % 60));
        fraction_out(out, (int)(us % US_PER_SECOND));
    }
}

bool pg_interval_load(const char *kept, struct pg_interval *ret)
{
    if (!kept)
        return false;
    char *end;
    ret->months = strtoll(kept, &end, 10);
    if (*end != '/')
        return pg_interval_in(kept, ret);
    ret->days = strtoll(end + 1, &end, 10);
    if (*end != '/')
        return false;
    ret->us = strtoll(end + 1, &end, 10);
    return *end == '\0';
}

void pg_interval_keep(struct buf *out, struct pg_interval value)
{
    buf_printf(out, "%lld/%lld/%lld", (long long)value.months, (long long)value.days,
               (long long)value.us);
}
