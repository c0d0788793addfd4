/* Dates as Elasticsearch reads and writes them: strict_date_optional_time||epoch_millis, and date
 * math. */
#include <ctype.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"

/* Days from 1970-01-01 of a date of the Gregorian calendar, and back. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1,
            doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct civil {
    int64_t year, month, day;
};

static struct civil civil_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
            doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1};
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

const char *es_time(struct arena *arena, const struct es_node *node, int64_t at_ns)
{
    int64_t ms = (node->env->start_unix_ns + at_ns) / MILLISECOND, days = floor_div(ms, 86400000),
            rest = ms - days * 86400000;
    struct civil c = civil_of(days);
    return arena_printf(arena, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%03lldZ",
                        (long long)c.year, (long long)c.month, (long long)c.day,
                        (long long)(rest / 3600000), (long long)(rest / 60000 % 60),
                        (long long)(rest / 1000 % 60), (long long)(rest % 1000));
}

/* Up to `digits` digits as a number; false: there are none. */
static bool take_number(const char **p, int digits, int64_t *ret)
{
    int n = 0;
    *ret = 0;
    for (; n < digits && isdigit((unsigned char)**p); n++)
        *ret = *ret * 10 + *(*p)++ - '0';
    return n > 0;
}

/* yyyy[-MM[-dd[THH[:mm[:ss[.SSS]]]]]][Z|+hh:mm] in ms; `up` fills what is left out with the last
 * instant of it. */
static bool take_date(const char **p, bool up, int64_t *ret_ms)
{
    int64_t field[7] = {0, 1, 1, 0, 0, 0, 0}, hour, minute = 0;
    static const char between[] = "--T::.";
    static const int64_t last[7] = {0, 12, 31, 23, 59, 59, 999};
    int n = 1;
    if (!take_number(p, 4, &field[0]))
        return false;
    while (n < 7 && (**p == between[n - 1] || (n == 3 && **p == ' ')) &&
           isdigit((unsigned char)(*p)[1])) {
        ++*p;
        take_number(p, n == 6 ? 3 : 2, &field[n]);
        while (n == 6 && isdigit((unsigned char)**p))
            ++*p;
        n++;
    }
    if (field[1] < 1 || field[1] > 12 || field[2] < 1 || field[2] > 31 || field[3] > 24 ||
        field[4] > 59 || field[5] > 60)
        return false;
    for (int i = n; i < 7 && up; i++)
        field[i] = i == 2 ? days_of(field[1] == 12 ? field[0] + 1 : field[0],
                                    field[1] == 12 ? 1 : field[1] + 1, 1) -
                                days_of(field[0], field[1], 1)
                          : last[i];
    *ret_ms = days_of(field[0], field[1], field[2]) * 86400000 + field[3] * 3600000 +
              field[4] * 60000 + field[5] * 1000 + field[6];
    if (**p == 'Z') {
        ++*p;
    } else if (**p == '+' || (**p == '-' && n > 3)) {
        int64_t sign = *(*p)++ == '+' ? -1 : 1;
        if (!take_number(p, 2, &hour))
            return false;
        if (**p == ':')
            ++*p;
        take_number(p, 2, &minute);
        *ret_ms += sign * (hour * 60 + minute) * 60000;
    }
    return true;
}

static int64_t add_unit(int64_t ms, int64_t n, char unit)
{
    static const char units[] = "smhHdw";
    static const int64_t sizes[] = {1000, 60000, 3600000, 3600000, 86400000, 604800000};
    const char *at = strchr(units, unit);
    if (at && unit)
        return ms + n * sizes[at - units];
    int64_t days = floor_div(ms, 86400000);
    struct civil c = civil_of(days);
    int64_t month = c.year * 12 + c.month - 1 + n * (unit == 'y' ? 12 : 1);
    return days_of(floor_div(month, 12), month - floor_div(month, 12) * 12 + 1, c.day) * 86400000 +
           ms - days * 86400000;
}

static int64_t round_to(int64_t ms, char unit)
{
    struct civil c = civil_of(floor_div(ms, 86400000));
    switch (unit) {
    case 's':
        return floor_div(ms, 1000) * 1000;
    case 'm':
        return floor_div(ms, 60000) * 60000;
    case 'h':
    case 'H':
        return floor_div(ms, 3600000) * 3600000;
    case 'w':
        return floor_div(ms + 3 * 86400000, 604800000) * 604800000 -
               3 * 86400000; /* weeks begin on Monday */
    case 'M':
        return days_of(c.year, c.month, 1) * 86400000;
    case 'y':
        return days_of(c.year, 1, 1) * 86400000;
    default:
        return floor_div(ms, 86400000) * 86400000;
    }
}

/* +1d, -2h, /d one after the other. */
static bool take_math(const char *p, bool up, int64_t *ms)
{
    for (int steps = 0; *p; steps++) {
        if (steps == 8)
            return false;
        char what = *p++;
        int64_t n = 1;
        if (what == '/') {
            if (!*p || !strchr("smhHdwMy", *p))
                return false;
            *ms = round_to(*ms, *p);
            if (up)
                *ms = add_unit(*ms, 1, *p) - 1;
            p++;
            continue;
        }
        if (what != '+' && what != '-')
            return false;
        take_number(&p, 6, &n);
        if (!*p || !strchr("smhHdwMy", *p))
            return false;
        *ms = add_unit(*ms, what == '-' ? -n : n, *p++);
    }
    return true;
}

bool es_date(const struct es_exchange *x, const char *text, bool up, int64_t *ret_ns)
{
    int64_t start_ns = x->node->env->start_unix_ns, ms = 0, plain;
    const char *p = text;
    if (strncmp(p, "now", 3) == 0) {
        ms = env_unix_ns(x->node->env) / MILLISECOND;
        p += 3;
    } else if (strlen(p) > 4 && strlen(p) < 15 && str_int64(str_of(p), &plain)) {
        ms = plain;
        p += strlen(p);
    } else {
        if (!take_date(&p, up, &ms))
            return false;
        if (strncmp(p, "||", 2) == 0)
            p += 2;
        else if (*p)
            return false;
    }
    if (!take_math(p, up, &ms) || ms > INT64_MAX / MILLISECOND || ms < INT64_MIN / MILLISECOND)
        return false;
    *ret_ns = ms * MILLISECOND - start_ns;
    return true;
}
