#include "fakes/kubernetes/api/quantity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool quantity_read(const char *text, double *ret)
{
    static const struct {
        const char *name;
        double factor;
    } suffixes[] = {
        {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},
        {"k", 1e3},     {"M", 1e6},     {"G", 1e9},     {"T", 1e12},
        {"P", 1e15},    {"E", 1e18},    {"Ki", 1024.0}, {"Mi", 1048576.0},
        {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
    };
    const char *p = text + (*text == '+' || *text == '-');
    const char *digits = p;
    while (isdigit((unsigned char)*p) || *p == '.')
        p++;
    if (p == digits || (p == digits + 1 && *digits == '.'))
        return false;
    char *end = NULL;
    if ((*p == 'e' || *p == 'E') && (isdigit((unsigned char)p[1]) || p[1] == '-' || p[1] == '+')) {
        *ret = strtod(text, &end);
        return !*end;
    }
    double number = strtod(text, &end);
    for (size_t i = 0; end == p && i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcmp(p, suffixes[i].name) == 0) {
            *ret = number * suffixes[i].factor;
            return true;
        }
    }
    return false;
}
