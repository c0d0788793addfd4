#include "fakes/kubernetes/text/yaml_scalar.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 400 }; /* longer ones are texts here: nobody writes a number so */

static const struct {
    const char *words; /* NUL between two, two at the end */
    struct yaml_scalar means;
} words[] = {
    {"y\0Y\0yes\0Yes\0YES\0true\0True\0TRUE\0on\0On\0ON\0", {YAML_TRUTH, true, 1}},
    {"n\0N\0no\0No\0NO\0false\0False\0FALSE\0off\0Off\0OFF\0", {YAML_TRUTH, false, 0}},
    {"~\0null\0Null\0NULL\0", {YAML_NULL, false, 0}},
    {".nan\0.NaN\0.NAN\0", {YAML_FLOAT, false, NAN}},
    {".inf\0.Inf\0.INF\0+.inf\0+.Inf\0+.INF\0", {YAML_FLOAT, false, INFINITY}},
    {"-.inf\0-.Inf\0-.INF\0", {YAML_FLOAT, false, -INFINITY}},
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *z)
{
    size_t n = 0;
    while (digit(z[n]))
        n++;
    return n;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool reads_as_float(const char *z)
{
    if (*z == '+' || *z == '-')
        z++;
    size_t whole = digits(z);
    z += whole;
    if (*z == '.') {
        size_t part = digits(z + 1);
        if (!whole && !part)
            return false;
        z += 1 + part;
    } else if (!whole) {
        return false;
    }
    if (*z == 'e' || *z == 'E') {
        z++;
        if (*z == '+' || *z == '-')
            z++;
        size_t exponent = digits(z);
        if (!exponent)
            return false;
        z += exponent;
    }
    return !*z;
}

/* strconv.ParseInt and ParseUint with base 0; false beyond 64 bits too. */
static bool reads_as_integer(const char *z, double *ret)
{
    bool minus = *z == '-';
    if (*z == '+' || *z == '-')
        z++;
    int base = 10;
    if (z[0] == '0' && z[1]) {
        char mark = (char)(z[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        z += base == 8 && mark != 'o' ? 1 : 2;
    }
    uint64_t value = 0;
    if (!*z)
        return false;
    for (; *z; z++) {
        int d = digit(*z)                                  ? *z - '0'
                : (*z | 0x20) >= 'a' && (*z | 0x20) <= 'f' ? (*z | 0x20) - 'a' + 10
                                                           : 99;
        if (d >= base || value > (UINT64_MAX - (uint64_t)d) / (uint64_t)base)
            return false;
        value = value * (uint64_t)base + (uint64_t)d;
    }
    if (minus && value > (uint64_t)INT64_MAX + 1)
        return false;
    *ret = minus ? -(double)value : (double)value;
    return true;
}

static struct yaml_scalar number(struct str text)
{
    struct yaml_scalar scalar = {YAML_TEXT, false, 0};
    char plain[NUMBER_MAX + 1];
    size_t n = 0;
    if (text.len > NUMBER_MAX)
        return scalar;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '_')
            plain[n++] = text.at[i];
    plain[n] = 0;
    if (strlen(plain) != n)
        return scalar;
    if (text.at[0] != '.' && reads_as_integer(plain, &scalar.number)) {
        scalar.type = YAML_INTEGER;
    } else if (reads_as_float(plain)) {
        scalar.type = YAML_FLOAT;
        scalar.number = strtod(plain, NULL);
    }
    return scalar;
}

struct yaml_scalar yaml_resolve(struct str text)
{
    if (!text.len)
        return (struct yaml_scalar){YAML_NULL, false, 0};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (const char *word = words[i].words; *word; word += strlen(word) + 1)
            if (str_is(text, word))
                return words[i].means;
    if (!digit(text.at[0]) && !strchr("+-.", text.at[0]))
        return (struct yaml_scalar){YAML_TEXT, false, 0};
    return number(text);
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
static bool base_sixty(struct str text)
{
    size_t i = text.len && (text.at[0] == '-' || text.at[0] == '+');
    if (i >= text.len || !digit(text.at[i]))
        return false;
    while (i < text.len && (digit(text.at[i]) || text.at[i] == '_'))
        i++;
    size_t groups = 0;
    for (; i < text.len && text.at[i] == ':'; groups++) {
        size_t n = 0;
        while (i + 1 + n < text.len && digit(text.at[i + 1 + n]))
            n++;
        if (n < 1 || n > 2 || (n == 2 && text.at[i + 1] > '5'))
            return false;
        i += 1 + n;
    }
    if (groups && i < text.len && text.at[i] == '.')
        for (i++; i < text.len && (digit(text.at[i]) || text.at[i] == '_');)
            i++;
    return groups && i == text.len;
}

/* One or two digits at *at, which moves behind them; -1 if there are none. */
static int short_number(const char **at)
{
    int value = -1;
    for (int n = 0; n < 2 && digit(**at); n++)
        value = (value < 0 ? 0 : value * 10) + *(*at)++ - '0';
    return value;
}

static bool date(const char **at)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (digits(*at) != 4)
        return false;
    int year = leading_int(*at);
    *at += 4;
    if (*(*at)++ != '-')
        return false;
    int month = short_number(at);
    if (month < 1 || month > 12 || *(*at)++ != '-')
        return false;
    int day = short_number(at);
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= days[month - 1] && (month != 2 || day < 29 || leap);
}

/* 15:4:5.999 */
static bool time_of_day(const char **at)
{
    static const int limits[] = {24, 60, 60};
    for (int i = 0; i < 3; i++) {
        int value = short_number(at);
        if (value < 0 || value >= limits[i] || (i < 2 && *(*at)++ != ':'))
            return false;
    }
    if (**at == '.' && digit((*at)[1]))
        *at += 1 + digits(*at + 1);
    return true;
}

/* "2006-1-2", "2006-1-2 15:4:5.9", "2006-1-2T15:4:5.9Z" or with an offset of "+07:00". */
static bool timestamp(struct str text)
{
    char plain[64];
    if (text.len >= sizeof plain)
        return false;
    memcpy(plain, text.at, text.len);
    plain[text.len] = 0;
    const char *at = plain;
    if (!date(&at))
        return false;
    if (!*at)
        return true;
    char between = *at++;
    if (!strchr(" Tt", between) || !time_of_day(&at))
        return false;
    if (between == ' ')
        return !*at;
    if (!strcmp(at, "Z"))
        return true;
    return (*at == '+' || *at == '-') && digits(at + 1) == 2 && at[3] == ':' &&
           digits(at + 4) == 2 && !at[6];
}

bool yaml_needs_quotes(struct str text)
{
    return yaml_resolve(text).type != YAML_TEXT || base_sixty(text) || timestamp(text);
}
