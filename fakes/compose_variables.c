/* Variables in Compose files: $NAME, ${NAME}, and ${NAME:-b} with its kin. */
#include <ctype.h>
#include <string.h>

#include "fakes/compose.h"

enum { EXPANDED_MAX = 1 << 20 };

struct expansion {
    const char *(*variable)(void *ctx, const char *name);
    void *ctx;
    const char **unset, **why;
    struct arena *arena;
    int depth;
};

static int expand(struct expansion *expansion, struct str text, struct buf *out);

static size_t name_length(struct str text)
{
    size_t n = 0;
    while (n < text.len && (text.at[n] == '_' || isalpha((unsigned char)text.at[n]) ||
                            (n > 0 && isdigit((unsigned char)text.at[n]))))
        n++;
    return n;
}

static void plain(struct expansion *expansion, const char *name, struct buf *out)
{
    const char *value = expansion->variable(expansion->ctx, name);
    if (value)
        buf_puts(out, value);
    else
        *expansion->unset = name;
}

/* The inside of ${...}. */
static int braced(struct expansion *expansion, struct str inside, struct buf *out)
{
    size_t len = name_length(inside);
    const char *name = arena_str(expansion->arena, (struct str){inside.at, len});
    if (len == 0)
        return 1;
    if (len == inside.len) {
        plain(expansion, name, out);
        return 0;
    }
    struct str rest = {inside.at + len, inside.len - len};
    bool or_empty = rest.at[0] == ':';
    if (or_empty) {
        rest.at++;
        rest.len--;
    }
    if (rest.len == 0)
        return 1;
    char sign = rest.at[0];
    rest.at++;
    rest.len--;
    const char *value = expansion->variable(expansion->ctx, name);
    bool set = value && (!or_empty || value[0]);
    switch (sign) {
    case '-':
        if (!set)
            return expand(expansion, rest, out);
        buf_puts(out, value);
        return 0;
    case '+':
        return set ? expand(expansion, rest, out) : 0;
    case '?':
        if (!set) {
            *expansion->why = arena_printf(expansion->arena, "%s\n%.*s", name, STR_ARG(rest));
            return 2;
        }
        buf_puts(out, value);
        return 0;
    default:
        return 1;
    }
}

static int expand(struct expansion *expansion, struct str text, struct buf *out)
{
    if (++expansion->depth > 10)
        return 1;
    int code = 0;
    for (size_t i = 0; i < text.len && code == 0; i++) {
        if (text.at[i] != '$') {
            buf_putc(out, text.at[i]);
        } else if (i + 1 < text.len && text.at[i + 1] == '$') {
            buf_putc(out, '$');
            i++;
        } else if (i + 1 < text.len && text.at[i + 1] == '{') {
            size_t start = i + 2, end = start;
            int open = 1;
            for (; end < text.len; end++) {
                open += text.at[end] == '{';
                open -= text.at[end] == '}';
                if (open == 0)
                    break;
            }
            if (end >= text.len)
                return 1;
            code = braced(expansion, (struct str){text.at + start, end - start}, out);
            i = end;
        } else {
            struct str rest = {text.at + i + 1, text.len - i - 1};
            size_t len = name_length(rest);
            if (len == 0)
                return 1;
            plain(expansion, arena_str(expansion->arena, (struct str){rest.at, len}), out);
            i += len;
        }
    }
    expansion->depth--;
    return code;
}

int compose_expand(struct arena *arena, const char *text,
                   const char *(*variable)(void *ctx, const char *name), void *ctx,
                   const char **ret, const char **unset, const char **why)
{
    if (!strchr(text, '$')) {
        *ret = text;
        return 0;
    }
    struct expansion expansion = {variable, ctx, unset, why, arena, 0};
    struct buf out;
    buf_init(&out, EXPANDED_MAX);
    int code = expand(&expansion, str_of(text), &out);
    if (code == 0)
        *ret = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return code;
}
