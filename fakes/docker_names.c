/* References, identifiers, and the words in which Docker says durations, sizes and times. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "fakes/docker.h"

void docker_hex(const char *text, char ret[65])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *p = text; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    for (int i = 0; i < 4; i++) {
        hash += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
        uint64_t z = hash;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        for (int k = 0; k < 16; k++)
            ret[16 * i + k] = digits[(z >> (4 * k)) & 15];
    }
    ret[64] = '\0';
}

static bool valid_name(const char *name)
{
    char before = '/';
    for (const char *p = name; *p; p++) {
        bool separator = strchr("._-/", *p) != NULL;
        if (!separator && !islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != ':')
            return false;
        if (*p == '/' && before == '/')
            return false;
        before = *p;
    }
    return name[0] && isalnum((unsigned char)before) && isalnum((unsigned char)name[0]);
}

static bool valid_tag(const char *tag)
{
    if (!isalnum((unsigned char)tag[0]) && tag[0] != '_')
        return false;
    for (const char *p = tag; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
            return false;
    return strlen(tag) <= 128;
}

const char *docker_reference(struct arena *arena, const char *reference,
                             const char **ret_repository, const char **ret_tag)
{
    char *name = arena_strdup(arena, reference);
    char *at = strchr(name, '@');
    if (at)
        *at = '\0';
    const char *tag = at ? at + 1 : "latest";
    char *slash = strrchr(name, '/');
    char *colon = strrchr(name, ':');
    if (colon && (!slash || colon > slash)) {
        *colon = '\0';
        if (!at)
            tag = colon + 1;
    }
    if (strncmp(name, "docker.io/", 10) == 0)
        name += 10;
    if (strncmp(name, "library/", 8) == 0 && name[8])
        name += 8;
    for (const char *p = name; *p; p++)
        if (isupper((unsigned char)*p) && !strchr(name, '.'))
            return arena_printf(
                arena, "invalid reference format: repository name (%s%s) must be lowercase",
                strchr(name, '/') ? "" : "library/", name);
    if (!valid_name(name) || (!at && !valid_tag(tag)))
        return "invalid reference format";
    *ret_repository = name;
    *ret_tag = tag;
    return NULL;
}

const char *docker_full_name(struct arena *arena, const char *repository, const char *tag)
{
    const char *slash = strchr(repository, '/');
    bool has_host = slash && (memchr(repository, '.', (size_t)(slash - repository)) ||
                              memchr(repository, ':', (size_t)(slash - repository)) ||
                              strncmp(repository, "localhost/", 10) == 0);
    if (has_host)
        return arena_printf(arena, "%s:%s", repository, tag);
    return arena_printf(arena, "docker.io/%s%s:%s", slash ? "" : "library/", repository, tag);
}

size_t docker_width(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return n;
}

/* units.HumanDuration of docker/go-units. */
const char *docker_human_duration(struct arena *arena, int64_t ns)
{
    int64_t seconds = ns / SECOND, minutes = seconds / 60;
    int64_t hours = (ns + 30 * MINUTE) / HOUR; /* rounded */
    if (seconds < 1)
        return "Less than a second";
    if (seconds == 1)
        return "1 second";
    if (seconds < 60)
        return arena_printf(arena, "%" PRId64 " seconds", seconds);
    if (minutes == 1)
        return "About a minute";
    if (minutes < 60)
        return arena_printf(arena, "%" PRId64 " minutes", minutes);
    if (hours == 1)
        return "About an hour";
    if (hours < 48)
        return arena_printf(arena, "%" PRId64 " hours", hours);
    if (hours < 24 * 7 * 2)
        return arena_printf(arena, "%" PRId64 " days", hours / 24);
    if (hours < 24 * 30 * 2)
        return arena_printf(arena, "%" PRId64 " weeks", hours / 24 / 7);
    if (hours < 24 * 365 * 2)
        return arena_printf(arena, "%" PRId64 " months", hours / 24 / 30);
    return arena_printf(arena, "%" PRId64 " years", hours / 24 / 365);
}

/* Three or four significant digits, as Go's %.Ng. */
static const char *human(struct arena *arena, double value, double step, const char *const *units,
                         int digits)
{
    int i = 0;
    while (value >= step && units[i + 1]) {
        value /= step;
        i++;
    }
    return arena_printf(arena, "%.*g%s", digits, value, units[i]);
}

const char *docker_human_size(struct arena *arena, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", NULL};
    return human(arena, (double)bytes, 1000, units, 3);
}

const char *docker_human_binary(struct arena *arena, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};
    return human(arena, bytes, 1024, units, 4);
}

const char *docker_time(struct docker *docker, struct arena *arena, int64_t at_ns)
{
    int64_t unix_ns = docker->env->start_unix_ns + at_ns;
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                        (int)(unix_ns % SECOND));
}
