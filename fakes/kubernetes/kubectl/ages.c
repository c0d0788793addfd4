#include "fakes/kubernetes/kubectl/ages.h"

#include <inttypes.h>
#include <time.h>

#include "sim/world/world.h"

static const char *two(struct arena *arena, int64_t a, const char *a_unit, int64_t b,
                       const char *b_unit)
{
    return b == 0 ? arena_printf(arena, "%" PRId64 "%s", a, a_unit)
                  : arena_printf(arena, "%" PRId64 "%s%" PRId64 "%s", a, a_unit, b, b_unit);
}

const char *human_duration(struct arena *arena, int64_t ns)
{
    int64_t seconds = ns / SECOND, minutes = seconds / 60, hours = minutes / 60;
    if (seconds < -1)
        return "<invalid>";
    if (seconds < 0)
        return "0s";
    if (seconds < 120)
        return two(arena, seconds, "s", 0, "");
    if (minutes < 10)
        return two(arena, minutes, "m", seconds % 60, "s");
    if (minutes < 180)
        return two(arena, minutes, "m", 0, "");
    if (hours < 8)
        return two(arena, hours, "h", minutes % 60, "m");
    if (hours < 48)
        return two(arena, hours, "h", 0, "");
    if (hours < 24 * 8)
        return two(arena, hours / 24, "d", hours % 24, "h");
    if (hours < 24 * 365 * 2)
        return two(arena, hours / 24, "d", 0, "");
    if (hours < 24 * 365 * 8)
        return two(arena, hours / 24 / 365, "y", hours / 24 % 365, "d");
    return two(arena, hours / 24 / 365, "y", 0, "");
}

bool stamp_read(const struct cluster *cluster, const char *stamp, int64_t *ret_ns)
{
    int64_t unix_ns;
    if (!stamp || !parse_time(str_of(stamp), &unix_ns))
        return false;
    *ret_ns = unix_ns - cluster_env(cluster)->start_unix_ns;
    return true;
}

const char *stamp_age(const struct cluster *cluster, struct arena *arena, const char *stamp)
{
    int64_t at_ns;
    if (!stamp_read(cluster, stamp, &at_ns))
        return "<unknown>";
    return human_duration(arena, cluster_now(cluster) - at_ns);
}

const char *stamp_rfc1123(struct arena *arena, const char *stamp)
{
    int64_t unix_ns;
    char text[64];
    struct tm tm;
    if (!stamp || !parse_time(str_of(stamp), &unix_ns))
        return "Mon, 01 Jan 0001 00:00:00 +0000";
    time_t seconds = (time_t)(unix_ns / SECOND);
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    return arena_strdup(arena, text);
}
