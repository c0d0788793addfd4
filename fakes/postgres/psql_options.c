/* psql's command line. */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/psql.h"

static const char *const usage_hint = "psql: hint: Try \"psql --help\" for more information.\n";

static const struct {
    const char *name;
    char letter;
    bool argument;
} long_options[] = {
    {"command", 'c', true},
    {"file", 'f', true},
    {"dbname", 'd', true},
    {"username", 'U', true},
    {"host", 'h', true},
    {"port", 'p', true},
    {"tuples-only", 't', false},
    {"no-align", 'A', false},
    {"quiet", 'q', false},
    {"no-psqlrc", 'X', false},
    {"single-transaction", '1', false},
    {"set", 'v', true},
    {"variable", 'v', true},
    {"expanded", 'x', false},
    {"list", 'l', false},
    {"no-password", 'w', false},
    {"password", 'W', false},
    {"field-separator", 'F', true},
    {"record-separator", 'R', true},
    {"output", 'o', true},
    {"echo-all", 'a', false},
    {"echo-errors", 'b', false},
    {"echo-queries", 'e', false},
    {"pset", 'P', true},
    {"csv", 'C', false},
    {"version", 'V', false},
    {"help", '?', false},
    {"no-readline", 'n', false},
    {"single-line", 'S', false},
    {"echo-hidden", 'E', false},
    {"single-step", 's', false},
    {"html", 'H', false},
    {"log-file", 'L', true},
};

static int apply_option(struct psql *p, char letter, const char *value, struct psql_action *actions,
                        int *n_actions)
{
    switch (letter) {
    case 'c':
    case 'f':
        if (*n_actions < PSQL_ACTIONS_MAX)
            actions[(*n_actions)++] = (struct psql_action){letter, value};
        break;
    case 'd':
        p->target.database = value;
        break;
    case 'U':
        p->target.user = value;
        break;
    case 'h':
        p->target.host = value;
        break;
    case 'p':
        p->target.port = leading_int(value);
        break;
    case 't':
        p->print.tuples_only = true;
        break;
    case 'A':
        p->print.unaligned = true;
        break;
    case 'C':
        p->print.csv = true;
        break;
    case 'q':
        psql_set(p, "QUIET", "on");
        break;
    case 'x':
        p->print.expanded = true;
        break;
    case '1':
        p->single_transaction = true;
        break;
    case 'F':
        p->print.separator = value;
        break;
    case 'R':
        p->print.record_separator = value;
        break;
    case 'o':
        p->output = value;
        break;
    case 'a':
        psql_set(p, "ECHO", "all");
        break;
    case 'l':
        p->list = true;
        break;
    case 'P': {
        struct buf none;
        buf_init(&none, 16);
        const char *equals = strchr(value, '=');
        const char *line = equals ? arena_printf(p->call->arena, "pset %.*s %s",
                                                 (int)(equals - value), value, equals + 1)
                                  : arena_printf(p->call->arena, "pset %s", value);
        bool quiet = p->quiet;
        p->quiet = true;
        psql_command(p, str_of(line), NULL, &none);
        p->quiet = quiet;
        buf_release(&none);
        break;
    }
    case 'v': {
        const char *equals = strchr(value, '=');
        if (equals)
            psql_set(p, arena_printf(p->call->arena, "%.*s", (int)(equals - value), value),
                     equals + 1);
        else
            psql_set(p, value, NULL);
        break;
    }
    case 'H':
    case 'E':
    case 's':
    case 'S':
    case 'L':
        call_err(p->call, "psql: error: option -%c is not simulated\n", letter);
        return 1;
    default: /* X n w W b e: nothing to do here */
        break;
    }
    return 0;
}

static int parse_long(struct psql *p, char **argv, int *i, struct psql_action *actions,
                      int *n_actions, bool *ret_stop)
{
    const char *word = argv[*i] + 2, *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    for (size_t k = 0; k < sizeof long_options / sizeof *long_options; k++) {
        if (strncmp(long_options[k].name, word, len) != 0)
            continue;
        const char *value = equals ? equals + 1 : NULL;
        if (long_options[k].letter == 'V' || long_options[k].letter == '?') {
            call_out(p->call, long_options[k].letter == 'V'
                                  ? "psql (PostgreSQL) 15.8 (Debian 15.8-1.pgdg120+1)\n"
                                  : "psql is the PostgreSQL interactive terminal.\n");
            *ret_stop = true;
            return 0;
        }
        if (long_options[k].argument && !value)
            value = argv[++*i];
        if (long_options[k].argument && !value) {
            --*i;
            call_err(p->call, "psql: option '--%s' requires an argument\n%s", word, usage_hint);
            return 1;
        }
        return apply_option(p, long_options[k].letter, value, actions, n_actions);
    }
    call_err(p->call, "psql: unrecognized option '--%s'\n%s", word, usage_hint);
    return 1;
}

static int parse_short(struct psql *p, char **argv, int *i, struct psql_action *actions,
                       int *n_actions)
{
    const char *letters = argv[*i] + 1;
    for (; *letters; letters++) {
        if (!strchr("aAbc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxXz?01", *letters)) {
            call_err(p->call, "psql: invalid option -- '%c'\n%s", *letters, usage_hint);
            return 1;
        }
        if (!strchr("cdfFhLopPRTUv", *letters)) {
            int code = apply_option(p, *letters, NULL, actions, n_actions);
            if (code)
                return code;
            continue;
        }
        const char *value = letters[1] ? letters + 1 : argv[++*i];
        if (!value) {
            --*i;
            call_err(p->call, "psql: option requires an argument -- '%c'\n%s", *letters,
                     usage_hint);
            return 1;
        }
        return apply_option(p, *letters, value, actions, n_actions);
    }
    return 0;
}

int psql_options(struct psql *p, struct psql_action *actions, int *n_actions, bool *ret_stop)
{
    struct call *call = p->call;
    int plain = 0;
    for (int i = 1; i < call->argc; i++) {
        char *word = call->argv[i];
        int code = 0;
        if (strncmp(word, "--", 2) == 0 && word[2])
            code = parse_long(p, call->argv, &i, actions, n_actions, ret_stop);
        else if (word[0] == '-' && word[1])
            code = parse_short(p, call->argv, &i, actions, n_actions);
        else if (plain++ == 0 && !p->target.database)
            p->target.database = word;
        else if (!p->target.user)
            p->target.user = word;
        else
            call_err(call, "psql: warning: extra command-line argument \"%s\" ignored\n", word);
        if (code || *ret_stop)
            return code;
    }
    return 0;
}

void psql_connection_text(struct psql *p)
{
    struct arena *arena = p->call->arena;
    const char *text = p->target.database;
    if (!text)
        return;
    if (strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0) {
        struct str rest = str_of(strstr(text, "://") + 3), authority = str_cut(&rest, '/'),
                   user = {0};
        if (memchr(authority.at, '@', authority.len))
            user = str_cut(&authority, '@');
        struct str host = str_cut(&authority, ':'), name = str_cut(&rest, '?');
        struct str login = str_cut(&user, ':');
        p->target.database = name.len ? arena_str(arena, name) : NULL;
        if (host.len)
            p->target.host = arena_str(arena, host);
        if (login.len)
            p->target.user = arena_str(arena, login);
        if (authority.len)
            p->target.port = leading_int(arena_str(arena, authority));
    } else if (strchr(text, '=')) {
        struct str rest = str_of(text);
        p->target.database = NULL;
        while (rest.len) {
            struct str value = str_cut(&rest, ' '), key = str_cut(&value, '=');
            if (str_is(key, "dbname"))
                p->target.database = arena_str(arena, value);
            else if (str_is(key, "host"))
                p->target.host = arena_str(arena, value);
            else if (str_is(key, "user"))
                p->target.user = arena_str(arena, value);
            else if (str_is(key, "port"))
                p->target.port = leading_int(arena_str(arena, value));
        }
    }
}
