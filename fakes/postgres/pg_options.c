#include "fakes/postgres/pg_options.h"

#include <stdlib.h>
#include <string.h>

static int bad_option(struct pg_options *o, const char *format, const char *word)
{
    call_err(o->call, "%s: %s%s\n%s: hint: Try \"%s --help\" for more information.\n", o->program,
             format, word, o->program, o->program);
    return -2;
}

static const struct pg_option *long_option(struct pg_options *o, const char *word, size_t len)
{
    const struct pg_option *found = NULL;
    for (const struct pg_option *x = o->list; x->letter || x->name; x++) {
        if (x->name && strncmp(x->name, word, len) == 0) {
            if (strlen(x->name) == len)
                return x;
            found = found ? found : x;
        }
    }
    return found;
}

static int letter_option(struct pg_options *o)
{
    const struct pg_option *x = o->list;
    char letter = *o->rest++;
    while ((x->letter || x->name) && x->letter != letter)
        x++;
    if (!x->letter && !x->name)
        return bad_option(o, "invalid option -- ", arena_printf(o->call->arena, "'%c'", letter));
    if (x->argument) {
        o->value = *o->rest ? o->rest : o->call->argv[o->at];
        if (!*o->rest && o->value)
            o->at++;
        o->rest = NULL;
        if (!o->value)
            return bad_option(o, "option requires an argument -- ",
                              arena_printf(o->call->arena, "'%c'", letter));
    }
    return (int)(x - o->list);
}

int pg_next_option(struct pg_options *o)
{
    o->value = NULL;
    if (o->rest && *o->rest)
        return letter_option(o);
    for (;;) {
        char *word = o->call->argv[o->at];
        if (!word)
            return -1;
        o->at++;
        if (word[0] != '-' || !word[1]) {
            if (o->n_plain < 8)
                o->plain[o->n_plain++] = word;
            continue;
        }
        if (word[1] != '-') {
            o->rest = word + 1;
            return letter_option(o);
        }
        const char *name = word + 2, *equals = strchr(name, '=');
        const struct pg_option *x =
            long_option(o, name, equals ? (size_t)(equals - name) : strlen(name));
        if (!x)
            return bad_option(o, "unrecognized option ",
                              arena_printf(o->call->arena, "'%s'", word));
        o->value = equals ? equals + 1 : NULL;
        if (x->argument && !o->value && (o->value = o->call->argv[o->at]))
            o->at++;
        if (x->argument && !o->value)
            return bad_option(
                o, arena_printf(o->call->arena, "option '%s' requires an argument", word), "");
        return (int)(x - o->list);
    }
}

bool pg_target_option(struct pg_target *target, const struct pg_option *x, const char *value)
{
    switch (x->letter) {
    case 'h':
        target->host = value;
        return true;
    case 'p':
        target->port = leading_int(value);
        return true;
    case 'U':
        target->user = value;
        return true;
    case 'w':
    case 'W':
        return true;
    default:
        return false;
    }
}
