/* The values that people write in documents: numbers, durations, sizes, shares, rates, times. */
#include "sim/base/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {"nothing", "a single value", "a list",
                                         "a mapping (key: value)"};

static int expected(const struct doc *node, struct error *error, const char *what)
{
    if (node->kind != DOC_SCALAR)
        return doc_error(node, error, "expected %s, found %s", what, kind_names[node->kind]);
    return doc_error(node, error, "expected %s, found '%.200s'", what, node->text);
}

int doc_text(const struct doc *node, const char **ret, struct error *error)
{
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR)
        return expected(node, error, "text");
    *ret = node->text;
    return 0;
}

/* Only what is written without quotes can be a number or a truth value: the core schema's rule. */
static bool is_plain(const struct doc *node)
{
    return node->kind == DOC_SCALAR && !node->quoted;
}

int doc_bool(const struct doc *node, bool *ret, struct error *error)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    if (!node)
        return 0;
    for (int i = 0; is_plain(node) && i < 6; i++)
        if (!strcmp(node->text, words[i])) {
            *ret = i < 3;
            return 0;
        }
    return expected(node, error, "true or false");
}

static bool parse_digits(struct str digits, int base, int64_t *ret)
{
    int64_t value = 0;
    if (!digits.len)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.at[i];
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : 99;
        if (digit >= base || __builtin_mul_overflow(value, (int64_t)base, &value) ||
            __builtin_add_overflow(value, (int64_t)digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool parse_int(struct str text, int64_t *ret)
{
    bool negative = text.len && *text.at == '-';
    if (str_starts(text, "0o") || str_starts(text, "0x"))
        return parse_digits((struct str){text.at + 2, text.len - 2}, text.at[1] == 'o' ? 8 : 16,
                            ret);
    if (text.len && (*text.at == '-' || *text.at == '+'))
        text = (struct str){text.at + 1, text.len - 1};
    if (!parse_digits(text, 10, ret))
        return false;
    if (negative)
        *ret = -*ret;
    return true;
}

int doc_int(const struct doc *node, int64_t lo, int64_t hi, int64_t *ret, struct error *error)
{
    int64_t value;
    if (!node)
        return 0;
    if (!is_plain(node) || !parse_int(str_of(node->text), &value))
        return expected(node, error, "a whole number");
    if (value < lo || value > hi) {
        if (hi == INT64_MAX)
            return doc_error(node, error, "expected %lld or more, found %lld", (long long)lo,
                             (long long)value);
        return doc_error(node, error, "expected %lld to %lld, found %lld", (long long)lo,
                         (long long)hi, (long long)value);
    }
    *ret = value;
    return 0;
}

/* A decimal number at the start of `text`: digits, perhaps a point and digits, perhaps an exponent.
 * Returns how many bytes it has, 0 if there is none. Checked here so that strtod sees no hex, "inf"
 * or blanks. */
static size_t decimal_length(struct str text, bool exponent)
{
    size_t i = 0, digits = 0;
    for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
        digits++;
    if (i < text.len && text.at[i] == '.')
        for (i++; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++)
            digits++;
    if (!digits)
        return 0;
    if (exponent && i < text.len && (text.at[i] | 32) == 'e') {
        size_t j = i + 1, start;
        if (j < text.len && (text.at[j] == '-' || text.at[j] == '+'))
            j++;
        start = j;
        while (j < text.len && text.at[j] >= '0' && text.at[j] <= '9')
            j++;
        if (j > start)
            i = j;
    }
    return i;
}

static bool parse_number(struct str text, double *ret)
{
    char copy[64];
    size_t sign = text.len && (*text.at == '-' || *text.at == '+');
    if (text.len >= sizeof copy || text.len == sign ||
        decimal_length((struct str){text.at + sign, text.len - sign}, true) != text.len - sign)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *ret = strtod(copy, NULL);
    return true;
}

int doc_number(const struct doc *node, double lo, double hi, double *ret, struct error *error)
{
    double value;
    if (!node)
        return 0;
    if (!is_plain(node) || !parse_number(str_of(node->text), &value))
        return expected(node, error, "a number");
    if (!(value >= lo && value <= hi))
        return doc_error(node, error, "expected %g to %g, found %s", lo, hi, node->text);
    *ret = value;
    return 0;
}

int doc_ratio(const struct doc *node, double *ret, struct error *error)
{
    double value;
    struct str text;
    bool percent;
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR)
        return expected(node, error, "a share such as 99.5% or 0.995");
    text = str_of(node->text);
    percent = str_ends(text, "%");
    text.len -= percent;
    if (!parse_number(text, &value))
        return expected(node, error, "a share such as 99.5% or 0.995");
    if (percent)
        value /= 100;
    if (!(value >= 0 && value <= 1))
        return doc_error(node, error, "expected a share from 0%% to 100%%, found '%s'%s",
                         node->text, percent ? "" : "; write the percent sign");
    *ret = value;
    return 0;
}

struct unit {
    const char *name;
    int64_t size;
};

/* `units` ends in a NULL name. */
static const struct unit *find_unit(struct str name, const struct unit *units)
{
    for (; units->name; units++)
        if (str_is(name, units->name))
            return units;
    return NULL;
}

__extension__ typedef __int128 wide;

/* number x unit, exact in whole units: no binary fraction ever enters a time. */
static bool scale(struct str number, int64_t unit, int64_t *ret)
{
    wide value = 0, divisor = 1;
    bool fraction = false;
    for (size_t i = 0; i < number.len; i++) {
        if (number.at[i] == '.') {
            fraction = true;
            continue;
        }
        if (fraction)
            divisor *= 10;
        value = value * 10 + (number.at[i] - '0');
        if (value > INT64_MAX || divisor > INT64_MAX)
            return false;
    }
    value *= unit;
    if (value % divisor || value / divisor > INT64_MAX) /* finer than the unit below, or too long */
        return false;
    *ret = (int64_t)(value / divisor);
    return true;
}

static const struct unit duration_units[] = {{"ns", NANOSECOND},
                                             {"us", MICROSECOND},
                                             {"\xc2\xb5s", MICROSECOND},
                                             {"ms", MILLISECOND},
                                             {"s", SECOND},
                                             {"m", MINUTE},
                                             {"min", MINUTE},
                                             {"h", HOUR},
                                             {"d", DAY},
                                             {NULL, 0}};

bool parse_duration(struct str text, int64_t *ret_ns)
{
    int64_t total = 0, last_unit = INT64_MAX;
    text = str_trim(text);
    if (str_is(text, "0")) {
        *ret_ns = 0;
        return true;
    }
    if (!text.len)
        return false;
    while (text.len) {
        size_t digits = decimal_length(text, false), end = digits;
        const struct unit *unit;
        int64_t part;
        while (end < text.len && (text.at[end] < '0' || text.at[end] > '9'))
            end++;
        unit = find_unit(str_trim((struct str){text.at + digits, end - digits}), duration_units);
        if (!digits || !unit || unit->size >= last_unit ||
            !scale((struct str){text.at, digits}, unit->size, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        last_unit = unit->size;
        text = (struct str){text.at + end, text.len - end};
    }
    *ret_ns = total;
    return true;
}

int doc_duration(const struct doc *node, int64_t *ret_ns, struct error *error)
{
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR || !parse_duration(str_of(node->text), ret_ns))
        return expected(node, error, "a duration such as 250ms, 30s, 15m or 1h30m");
    return 0;
}

static const struct unit size_units[] = {{"", 1},
                                         {"B", 1},
                                         {"kB", 1000},
                                         {"KB", 1000},
                                         {"MB", 1000000},
                                         {"GB", 1000000000},
                                         {"TB", 1000000000000},
                                         {"Ki", INT64_C(1) << 10},
                                         {"Mi", INT64_C(1) << 20},
                                         {"Gi", INT64_C(1) << 30},
                                         {"Ti", INT64_C(1) << 40},
                                         {"KiB", INT64_C(1) << 10},
                                         {"MiB", INT64_C(1) << 20},
                                         {"GiB", INT64_C(1) << 30},
                                         {"TiB", INT64_C(1) << 40},
                                         {NULL, 0}};

bool parse_size(struct str text, int64_t *ret_bytes)
{
    size_t digits;
    const struct unit *unit;
    text = str_trim(text);
    digits = decimal_length(text, false);
    unit = find_unit(str_trim((struct str){text.at + digits, text.len - digits}), size_units);
    return digits && unit && scale((struct str){text.at, digits}, unit->size, ret_bytes);
}

int doc_size(const struct doc *node, int64_t *ret_bytes, struct error *error)
{
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR || !parse_size(str_of(node->text), ret_bytes))
        return expected(node, error, "a size such as 512MiB, 2GB or 100 (bytes)");
    return 0;
}

int doc_rate(const struct doc *node, double *ret_per_s, struct error *error)
{
    static const struct unit units[] = {{"s", 1},    {"sec", 1},   {"m", 60},      {"min", 60},
                                        {"h", 3600}, {"d", 86400}, {"day", 86400}, {NULL, 0}};
    struct str rest, number;
    const struct unit *unit;
    double value;
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR)
        return expected(node, error, "a rate such as 120/s, 30/m or 5/h");
    rest = str_of(node->text);
    number = str_trim(str_cut(&rest, '/'));
    unit = str_is(number, "0") && !rest.len ? units : find_unit(str_trim(rest), units);
    if (!unit || !parse_number(number, &value) || !(value >= 0))
        return expected(node, error, "a rate such as 120/s, 30/m or 5/h");
    *ret_per_s = value / (double)unit->size;
    return 0;
}

/* ---- RFC 3339 ---- */

static bool two_digits(struct str text, size_t at, int *ret)
{
    if (at + 2 > text.len || text.at[at] < '0' || text.at[at] > '9' || text.at[at + 1] < '0' ||
        text.at[at + 1] > '9')
        return false;
    *ret = (text.at[at] - '0') * 10 + text.at[at + 1] - '0';
    return true;
}

static bool char_at(struct str text, size_t at, const char *any)
{
    return at < text.len && text.at[at] && strchr(any, text.at[at]);
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar (years counted from March). */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2), m = (month + 9) % 12;
    int64_t day_of_year = (153 * m + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

/* The zone at `at`, up to the end of the text, as seconds east of UTC. */
static bool parse_zone(struct str text, size_t at, int *ret_s)
{
    int hours, minutes;
    if (char_at(text, at, "Zz") && at + 1 == text.len) {
        *ret_s = 0;
        return true;
    }
    if (!char_at(text, at, "+-") || at + 6 != text.len || !two_digits(text, at + 1, &hours) ||
        !char_at(text, at + 3, ":") || !two_digits(text, at + 4, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_s = (hours * 60 + minutes) * (text.at[at] == '-' ? -60 : 60);
    return true;
}

bool parse_time(struct str text, int64_t *ret_unix_ns)
{
    int century, year, month, day, hour, minute, second, zone_s;
    int64_t nanos = 0, place = SECOND;
    size_t at = 19;
    if (!two_digits(text, 0, &century) || !two_digits(text, 2, &year) || !char_at(text, 4, "-") ||
        !two_digits(text, 5, &month) || !char_at(text, 7, "-") || !two_digits(text, 8, &day) ||
        !char_at(text, 10, "Tt ") || !two_digits(text, 11, &hour) || !char_at(text, 13, ":") ||
        !two_digits(text, 14, &minute) || !char_at(text, 16, ":") || !two_digits(text, 17, &second))
        return false;
    year += century * 100;
    /* int64 nanoseconds end in 2262; nobody rehearses before 1970 */
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (char_at(text, at, ".")) {
        size_t start = ++at;
        for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
            place /= 10;
            nanos += place * (text.at[at] - '0');
        }
        if (at == start || at - start > 9)
            return false;
    }
    if (!parse_zone(text, at, &zone_s))
        return false;
    *ret_unix_ns =
        ((days_from_civil(year, month, day) * 24 + hour) * 3600 + minute * 60 + second - zone_s) *
            SECOND +
        nanos;
    return true;
}

bool parse_day(struct str text, int64_t *ret_unix_ns)
{
    char whole[32];
    if (text.len != 10)
        return parse_time(text, ret_unix_ns);
    snprintf(whole, sizeof whole, "%.10sT00:00:00Z", text.at);
    return parse_time(str_of(whole), ret_unix_ns);
}

int doc_day(const struct doc *node, int64_t *ret_unix_ns, struct error *error)
{
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR || !parse_day(str_of(node->text), ret_unix_ns))
        return expected(node, error, "a date such as 2026-06-30, or a time with its zone");
    return 0;
}

int doc_time(const struct doc *node, int64_t *ret_unix_ns, struct error *error)
{
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR || !parse_time(str_of(node->text), ret_unix_ns))
        return expected(node, error, "a time with its zone such as 2026-01-15T14:30:00Z");
    return 0;
}
