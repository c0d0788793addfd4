/* URLs as curl takes them apart (lib/urlapi.c). */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fakes/curl/transfer.h"
#include "sim/base/doc.h"

/* RFC 3986, 5.2.4: "/a/../b" is "/b". */
static const char *without_dots(struct arena *arena, const char *path)
{
    const char *query = strchr(path, '?');
    struct str rest = {path, query ? (size_t)(query - path) : strlen(path)};
    char *out = arena_alloc(arena, strlen(path) + 2);
    size_t n = 0;
    str_cut(&rest, '/');
    bool folder = false;
    while (rest.len || (n == 0 && !folder)) {
        bool last = memchr(rest.at, '/', rest.len) == NULL;
        bool ends = rest.len && rest.at[rest.len - 1] == '/' &&
                    memchr(rest.at, '/', rest.len) == rest.at + rest.len - 1;
        struct str part = str_cut(&rest, '/');
        bool up = str_is(part, ".."), here = str_is(part, ".");
        if (up) {
            while (n > 0 && out[--n] != '/')
                ;
        }
        if (up || here) {
            folder = last || ends;
            if (folder)
                out[n++] = '/';
            continue;
        }
        out[n++] = '/';
        memcpy(out + n, part.at, part.len);
        n += part.len;
        folder = ends;
        if (ends)
            out[n++] = '/';
    }
    out[n] = '\0';
    return arena_printf(arena, "%s%s", n ? out : "/", query ? query : "");
}

/* What stands before "://", in small letters; `rest` moves behind it. No scheme: "http". */
static const char *take_scheme(struct arena *arena, struct str *rest)
{
    size_t n = 0, slashes = 0;
    while (n < rest->len && (isalnum((unsigned char)rest->at[n]) || strchr("+-.", rest->at[n])))
        n++;
    while (n && n + 1 + slashes < rest->len && rest->at[n] == ':' &&
           rest->at[n + 1 + slashes] == '/')
        slashes++;
    if (slashes == 0 || slashes > 3)
        return "http";
    char *scheme = arena_str(arena, (struct str){rest->at, n});
    for (char *p = scheme; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    *rest = (struct str){rest->at + n + 1 + slashes, rest->len - n - 1 - slashes};
    return scheme;
}

static bool take_authority(struct arena *arena, struct str authority, struct curl_place *ret)
{
    for (size_t i = authority.len; i > 0; i--) {
        if (authority.at[i - 1] == '@') {
            ret->user = arena_str(arena, (struct str){authority.at, i - 1});
            authority = (struct str){authority.at + i, authority.len - i};
            break;
        }
    }
    struct str host = authority, port = {0};
    bool bracket = authority.len && authority.at[0] == '[';
    const char *close = bracket ? memchr(authority.at, ']', authority.len) : NULL;
    if (bracket && !close)
        return false;
    const char *colon = close ? (close + 1 < authority.at + authority.len ? close + 1 : NULL)
                              : memchr(authority.at, ':', authority.len);
    if (colon) {
        if (*colon != ':')
            return false;
        host.len = (size_t)(colon - authority.at);
        port = (struct str){colon + 1, authority.len - host.len - 1};
    }
    int64_t standard = strcmp(ret->scheme, "https") == 0 ? 443 : 80, number = standard;
    if (port.len && (!str_int64(port, &number) || number < 0 || number > 65535))
        return false;
    for (size_t i = 0; i < host.len; i++) {
        if ((unsigned char)host.at[i] <= ' ' || strchr("<>\"{}|\\^`", host.at[i]))
            return false;
    }
    ret->host = arena_str(arena, bracket ? (struct str){host.at + 1, host.len - 2} : host);
    ret->port = (int)number;
    ret->default_port = number == standard;
    return host.len > 0;
}

bool curl_parse_url(struct arena *arena, const char *url, bool as_is, struct curl_place *ret)
{
    struct str rest = str_of(url);
    size_t n = 0;
    *ret = (struct curl_place){.scheme = take_scheme(arena, &rest)};
    while (n < rest.len && !strchr("/?#", rest.at[n]))
        n++;
    struct str fragment = {rest.at + n, rest.len - n}, path = str_cut(&fragment, '#');
    if (!take_authority(arena, (struct str){rest.at, n}, ret))
        return false;
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.at[i] <= ' ' || path.at[i] == 127)
            return false;
    }
    const char *target = path.len && path.at[0] == '/'
                             ? arena_str(arena, path)
                             : arena_printf(arena, "/%.*s", STR_ARG(path));
    ret->target = as_is ? target : without_dots(arena, target);
    bool six = strchr(ret->host, ':') != NULL;
    ret->text = arena_printf(
        arena, "%s://%s%s%s%s%s", ret->scheme, six ? "[" : "", ret->host, six ? "]" : "",
        ret->default_port ? "" : arena_printf(arena, ":%d", ret->port), ret->target);
    return true;
}

const char *curl_redirect(struct arena *arena, const struct curl_place *from, const char *location)
{
    const char *mark = strstr(location, "://");
    if (mark && strcspn(location, "/?#") > (size_t)(mark - location))
        return location;
    size_t prefix = strlen(from->text) - strlen(from->target);
    if (strncmp(location, "//", 2) == 0)
        return arena_printf(arena, "%s:%s", from->scheme, location);
    if (location[0] == '/')
        return arena_printf(arena, "%.*s%s", (int)prefix, from->text, location);
    size_t keep = strcspn(from->target, "?");
    if (location[0] != '?') {
        while (keep > 0 && from->target[keep - 1] != '/')
            keep--;
    }
    return arena_printf(arena, "%.*s%.*s%s", (int)prefix, from->text, (int)keep, from->target,
                        location);
}

bool curl_same_server(const struct curl_place *a, const struct curl_place *b)
{
    return strcasecmp(a->host, b->host) == 0 && a->port == b->port &&
           strcmp(a->scheme, b->scheme) == 0;
}
