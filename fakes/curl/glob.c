/* URL globbing: {a,b}, [1-3], [01-10], [a-z], [1-9:2] (tool_urlglob.c). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/curl/options.h"

enum { PARTS_MAX = 32, MATCHES_MAX = 10000 };

struct part {
    const char **texts; /* what it stands for, one after the other */
    int n;
    bool fixed; /* no glob: does not count for #1 */
};

struct glob {
    struct arena *arena;
    const char *url, *at, *why;
    struct part parts[PARTS_MAX];
    int n;
    int64_t matches;
};

static bool wrong(struct glob *g, const char *what, const char *at)
{
    int position = (int)(at - g->url);
    g->why = position ? arena_printf(g->arena, "%s in URL position %d:\n%s\n%*s^", what, position,
                                     g->url, position - 1, "")
                      : what;
    return false;
}

static struct part *add(struct glob *g, int n, bool fixed)
{
    struct part *part = &g->parts[g->n++];
    *part = (struct part){.texts = ARENA_ARRAY(g->arena, const char *, n + 1), .fixed = fixed};
    return part;
}

static bool take_set(struct glob *g)
{
    const char *start = g->at++, *from = g->at;
    int n = 1;
    for (const char *p = from; *p && *p != '}'; p++)
        n += *p == ',';
    struct part *part = add(g, n, false);
    for (;; g->at++) {
        if (*g->at == '\0')
            return wrong(g, "unmatched brace", start + 1);
        if (*g->at == '{' || *g->at == '[')
            return wrong(g, "nested brace", g->at + 1);
        if (*g->at == ']')
            return wrong(g, "unexpected close bracket", g->at + 1);
        if (*g->at != ',' && *g->at != '}')
            continue;
        if (*g->at == '}' && g->at == start + 1)
            return wrong(g, "empty string within braces", g->at + 1);
        part->texts[part->n++] = arena_printf(g->arena, "%.*s", (int)(g->at - from), from);
        from = g->at + 1;
        if (*g->at == '}')
            break;
    }
    g->at++;
    g->matches *= part->n;
    return true;
}

static bool take_range(struct glob *g)
{
    const char *start = g->at, *p = start + 1;
    const char *last = p;
    char *end;
    bool letters = isalpha((unsigned char)*p) != 0;
    long from, to, step = 1;
    int width = 0;
    if (letters) {
        from = (unsigned char)*p++;
        if (*p++ != '-' || !isalpha((unsigned char)*p))
            return wrong(g, "bad range", start + 1);
        to = (unsigned char)*p++;
    } else if (isdigit((unsigned char)*p)) {
        from = strtol(p, &end, 10);
        width = *p == '0' ? (int)(end - p) : 0;
        p = end;
        if (*p++ != '-' || !isdigit((unsigned char)*p))
            return wrong(g, "bad range", start + 1);
        last = p;
        to = strtol(p, &end, 10);
        p = end;
    } else {
        return wrong(g, "bad range specification", start + 1);
    }
    if (*p == ':') {
        step = strtol(p + 1, &end, 10);
        p = end;
    }
    const long most = 1000000000000;
    if (*p != ']')
        return wrong(g, "bad range", last + 1);
    if (from > most || to > most || step > most)
        return wrong(g, "bad range", p + 2);
    if (step <= 0 || to < from || (letters && to - from > 'z' - 'a'))
        return wrong(g, "bad range", p + 2);
    if ((to - from) / step + 1 > MATCHES_MAX)
        return wrong(g, "range overflow", start + 1);
    struct part *part = add(g, (int)((to - from) / step) + 1, false);
    for (long i = from; i <= to; i += step)
        part->texts[part->n++] = letters ? arena_printf(g->arena, "%c", (char)i)
                                         : arena_printf(g->arena, "%0*ld", width, i);
    g->at = p + 1;
    g->matches *= part->n;
    return true;
}

/* "[::1]": an address, not a range. */
static bool is_address(const char *p)
{
    size_t n = strspn(p + 1, "0123456789abcdefABCDEF:.%");
    return p[n + 1] == ']' && memchr(p + 1, ':', n) &&
           (strchr(p + 1, ':') != strrchr(p + 1, ':') || p[1] == ':');
}

static bool take_fixed(struct glob *g)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (; *g->at && *g->at != '{'; g->at++) {
        if (*g->at == '[' && !is_address(g->at))
            break;
        if (*g->at == '[') {
            while (*g->at != ']')
                buf_putc(&text, *g->at++);
        } else if (*g->at == '}' || *g->at == ']') {
            buf_release(&text);
            return wrong(g, "unmatched close brace/bracket", g->at + 1);
        } else if (*g->at == '\\' && g->at[1] && strchr("{[}]", g->at[1])) {
            g->at++;
        }
        buf_putc(&text, *g->at);
    }
    struct part *part = add(g, 1, true);
    part->texts[part->n++] = arena_str(g->arena, buf_text(&text));
    buf_release(&text);
    return true;
}

bool curl_glob(struct arena *arena, const char *url, struct curl_match **ret, int *ret_n,
               const char **ret_why)
{
    struct glob g = {.arena = arena, .url = url, .at = url, .matches = 1};
    while (*g.at || g.n == 0) {
        bool range = *g.at == '[' && !is_address(g.at);
        if (g.n >= PARTS_MAX ||
            !(*g.at == '{' ? take_set(&g)
              : range      ? take_range(&g)
                           : take_fixed(&g)) ||
            g.matches > MATCHES_MAX) {
            *ret_why = g.why ? g.why : "too many globs";
            return false;
        }
    }
    struct curl_match *all = ARENA_ARRAY(arena, struct curl_match, (int)g.matches);
    for (int i = 0; i < (int)g.matches; i++) {
        struct buf text;
        int rest = i, span = (int)g.matches, n = 0;
        buf_init(&text, 1 << 20);
        all[i].parts = ARENA_ARRAY(arena, const char *, g.n + 1);
        for (int k = 0; k < g.n; k++) { /* the last part runs fastest */
            span /= g.parts[k].n;
            const char *one = g.parts[k].texts[rest / span];
            rest %= span;
            buf_puts(&text, one);
            if (!g.parts[k].fixed)
                all[i].parts[n++] = one;
        }
        all[i].url = arena_str(arena, buf_text(&text));
        buf_release(&text);
    }
    *ret = all;
    *ret_n = (int)g.matches;
    return true;
}
