#include "sim/base/str.h"

#include <string.h>

struct str str_of(const char *z)
{
    return (struct str){z ? z : "", z ? strlen(z) : 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_starts(struct str a, const char *prefix)
{
    size_t n = strlen(prefix);
    return a.len >= n && memcmp(a.at, prefix, n) == 0;
}

bool str_ends(struct str a, const char *suffix)
{
    size_t n = strlen(suffix);
    return a.len >= n && memcmp(a.at + a.len - n, suffix, n) == 0;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct str str_trim(struct str a)
{
    while (a.len > 0 && blank(a.at[0])) {
        a.at++;
        a.len--;
    }
    while (a.len > 0 && blank(a.at[a.len - 1]))
        a.len--;
    return a;
}

struct str str_cut(struct str *rest, char c)
{
    const char *end = rest->len ? memchr(rest->at, c, rest->len) : NULL;
    struct str head = *rest;
    if (end) {
        head.len = (size_t)(end - rest->at);
        rest->at = end + 1;
        rest->len -= head.len + 1;
    } else {
        rest->at += rest->len;
        rest->len = 0;
    }
    return head;
}

ptrdiff_t str_find(struct str hay, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *found = memmem(hay.at, hay.len, needle.at, needle.len);
    return found ? found - hay.at : -1;
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.at, b.at, n) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_int64(struct str a, int64_t *ret)
{
    bool negative = a.len > 0 && a.at[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == a.len)
        return false;
    int64_t value = 0;
    for (; i < a.len; i++) {
        if (a.at[i] < '0' || a.at[i] > '9')
            return false;
        /* accumulate downwards: INT64_MIN has no positive twin */
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, a.at[i] - '0', &value))
            return false;
    }
    if (!negative && __builtin_mul_overflow(value, -1, &value))
        return false;
    *ret = value;
    return true;
}

int leading_int(const char *z)
{
    while (blank(*z))
        z++;
    bool negative = *z == '-';
    int64_t value = 0;
    for (z += negative || *z == '+'; *z >= '0' && *z <= '9' && value < INT32_MAX; z++)
        value = value * 10 + (*z - '0');
    if (value > INT32_MAX)
        value = INT32_MAX;
    return (int)(negative ? -value : value);
}

size_t str_distance(struct str a, struct str b, size_t limit)
{
    enum { MAX = 64 };
    if (a.len > MAX || b.len > MAX)
        return limit;
    size_t row[MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = diagonal + (a.at[i - 1] != b.at[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.len] < limit ? row[b.len] : limit;
}

const char *str_nearest(struct str typed, const char *const *words)
{
    size_t best = typed.len / 3 + 2;
    const char *found = NULL;
    for (; *words; words++) {
        size_t distance = str_distance(typed, str_of(*words), best);
        if (distance < best) {
            best = distance;
            found = *words;
        }
    }
    return found;
}
