/* redis-cli 7.0: its options, and how it prints without a terminal. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/redis/redis.h"

enum format { FORMAT_RAW, FORMAT_STANDARD, FORMAT_CSV };

struct cli {
    struct redis_client client;
    enum format format;
    bool fail_on_error, failed;
    const char *host, *password, *user;
    int port, repeat;
    int64_t interval_ns;
    bool last_from_stdin, scan, pipe, no_warning, password_shown;
    const char *pattern;
};

bool redis_glob(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            for (const char *t = text;; t++) {
                if (redis_glob(pattern + 1, t))
                    return true;
                if (!*t)
                    return false;
            }
        }
        if (!*text)
            return false;
        if (*pattern == '[') {
            bool negated = pattern[1] == '^', found = false;
            for (pattern += 1 + negated; *pattern && *pattern != ']'; pattern++) {
                if (pattern[1] == '-' && pattern[2] && pattern[2] != ']') {
                    found |= *text >= *pattern && *text <= pattern[2];
                    pattern += 2;
                } else {
                    found |= *pattern == *text;
                }
            }
            if (found == negated)
                return false;
            if (!*pattern)
                return !text[1];
            continue;
        }
        if (*pattern == '\\' && pattern[1])
            pattern++;
        else if (*pattern == '?')
            continue;
        if (*pattern != *text)
            return false;
    }
    return !*text;
}

/* ---- output ---- */

static void quoted(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        const char *at = strchr("\\\"\n\r\t\a\b", *text);
        if (at) {
            buf_putc(out, '\\');
            buf_putc(out, "\\\"nrtab"[at - "\\\"\n\r\t\a\b"]);
        } else if ((unsigned char)*text < 32 || (unsigned char)*text > 126) {
            buf_printf(out, "\\x%02x", (unsigned char)*text);
        } else {
            buf_putc(out, *text);
        }
    }
    buf_putc(out, '"');
}

static void raw(struct buf *out, const struct redis_reply *r)
{
    switch (r->kind) {
    case REPLY_NIL:
        break;
    case REPLY_ERROR:
        buf_printf(out, "%s\n", r->text);
        break;
    case REPLY_INTEGER:
        buf_printf(out, "%lld", (long long)r->number);
        break;
    case REPLY_ARRAY:
        for (int i = 0; i < r->n; i++) {
            if (i)
                buf_putc(out, '\n');
            raw(out, r->items[i]);
        }
        break;
    default:
        buf_puts(out, r->text);
    }
}

static void standard(struct buf *out, const struct redis_reply *r, int indent)
{
    switch (r->kind) {
    case REPLY_NIL:
        buf_puts(out, "(nil)\n");
        break;
    case REPLY_ERROR:
        buf_printf(out, "(error) %s\n", r->text);
        break;
    case REPLY_INTEGER:
        buf_printf(out, "(integer) %lld\n", (long long)r->number);
        break;
    case REPLY_STATUS:
        buf_printf(out, "%s\n", r->text);
        break;
    case REPLY_ARRAY: {
        int width = 1;
        for (int n = r->n; n >= 10; n /= 10)
            width++;
        if (!r->n)
            buf_puts(out, "(empty array)\n");
        for (int i = 0; i < r->n; i++) {
            buf_printf(out, "%*s%*d) ", i ? indent : 0, "", width, i + 1);
            standard(out, r->items[i], indent + width + 2);
        }
        break;
    }
    case REPLY_BULK:
        quoted(out, r->text);
        buf_putc(out, '\n');
        break;
    case REPLY_VERBATIM:
        buf_puts(out, r->text);
    }
}

static void csv(struct buf *out, const struct redis_reply *r)
{
    switch (r->kind) {
    case REPLY_NIL:
        buf_puts(out, "NULL");
        break;
    case REPLY_INTEGER:
        buf_printf(out, "%lld", (long long)r->number);
        break;
    case REPLY_ARRAY:
        for (int i = 0; i < r->n; i++) {
            if (i)
                buf_putc(out, ',');
            csv(out, r->items[i]);
        }
        break;
    case REPLY_ERROR:
        buf_puts(out, "ERROR,");
        quoted(out, r->text);
        break;
    default:
        quoted(out, r->text);
    }
}

static void show(struct cli *cli, const struct redis_reply *reply)
{
    struct buf out;
    struct call *call = cli->client.call;
    if (reply->kind == REPLY_ERROR && cli->fail_on_error) {
        call_err(call, "%s\n", reply->text);
        cli->failed = true;
        return;
    }
    buf_init(&out, 256 << 20);
    if (cli->format == FORMAT_CSV)
        csv(&out, reply);
    else if (cli->format == FORMAT_STANDARD)
        standard(&out, reply, 0);
    else
        raw(&out, reply);
    if (cli->format != FORMAT_STANDARD && reply->kind != REPLY_VERBATIM)
        buf_putc(&out, '\n');
    call_write(call, 1, out.len ? out.at : "", out.len);
    buf_release(&out);
}

static void say(struct cli *cli, int argc, char **argv)
{
    struct redis_reply *reply = redis_command(&cli->client, argc, argv);
    if (!cli->client.closed)
        show(cli, reply);
}

/* ---- input ---- */

/* One line into words, as sdssplitargs(): "..." with escapes, '...'. -1: unbalanced quotes. */
static int split(struct arena *arena, struct str line, char **words, int max)
{
    int n = 0;
    size_t i = 0;
    while (n < max) {
        while (i < line.len && isspace((unsigned char)line.at[i]))
            i++;
        if (i >= line.len)
            break;
        char *word = arena_alloc(arena, line.len - i + 1), quote = 0;
        size_t len = 0;
        for (; i < line.len && (quote || !isspace((unsigned char)line.at[i])); i++) {
            char ch = line.at[i];
            if (quote == '"' && ch == '\\' && i + 1 < line.len) {
                ch = line.at[++i];
                word[len++] = ch == 'n' ? '\n' : ch == 'r' ? '\r' : ch == 't' ? '\t' : ch;
            } else if (quote ? ch == quote : ch == '"' || ch == '\'') {
                quote = quote ? 0 : ch;
            } else {
                word[len++] = ch;
            }
        }
        if (quote)
            return -1;
        word[len] = '\0';
        words[n++] = word;
    }
    return n;
}

static struct buf *all_input(struct call *call)
{
    struct buf *input = ARENA_NEW(call->arena, struct buf);
    buf_init(input, 64 << 20);
    call_defer(call, (void (*)(void *))buf_release, input);
    call_read_all(call, 0, input);
    return input;
}

static int run_stdin(struct cli *cli)
{
    struct call *call = cli->client.call;
    struct str rest = buf_text(all_input(call));
    while (rest.len && !cli->client.closed) {
        char *words[256];
        int n = split(call->arena, str_cut(&rest, '\n'), words, 256);
        if (n < 0) {
            call_out(call, "Invalid argument(s)\n");
            continue;
        }
        if (n && (strcasecmp(words[0], "quit") == 0 || strcasecmp(words[0], "exit") == 0))
            break;
        if (n)
            say(cli, n, words);
        if (cli->failed)
            return 1;
    }
    return 0;
}

/* --pipe: commands as lines, or in the protocol's own form: *2, $3, GET ... */
static int run_pipe(struct cli *cli)
{
    struct call *call = cli->client.call;
    struct str rest = buf_text(all_input(call));
    int errors = 0, replies = 0;
    while (rest.len) {
        char *words[256];
        struct str line = str_trim(str_cut(&rest, '\n'));
        int64_t count, len;
        int n = 0;
        if (line.len && *line.at == '*' &&
            str_int64((struct str){line.at + 1, line.len - 1}, &count)) {
            while (n < count && n < 256 && rest.len) {
                line = str_trim(str_cut(&rest, '\n'));
                if (!line.len || *line.at != '$' ||
                    !str_int64((struct str){line.at + 1, line.len - 1}, &len) || len < 0 ||
                    (size_t)len > rest.len)
                    break;
                words[n++] = arena_str(call->arena, (struct str){rest.at, (size_t)len});
                rest.at += len;
                rest.len -= (size_t)len;
                str_cut(&rest, '\n');
            }
        } else {
            n = split(call->arena, line, words, 256);
        }
        if (n <= 0)
            continue;
        const struct redis_reply *reply = redis_command(&cli->client, n, words);
        replies++;
        if (reply->kind == REPLY_ERROR) {
            call_err(call, "%s\n", reply->text);
            errors++;
        }
    }
    call_out(
        call,
        "All data transferred. Waiting for the last reply...\nLast reply received from server.\n"
        "errors: %d, replies: %d\n",
        errors, replies);
    return errors > 0;
}

/* ---- the connection ---- */

/* A server that a platform's name leads to (a Kubernetes Service). */
static struct redis_server *named_server(struct call *call, const char *host, int port, bool *known)
{
    struct env_target found;
    if (env_resolve(call->env, call->place, host, port, &found) <= ENV_NO_HOST)
        return NULL;
    *known = true;
    for (struct redis_server *s = redis_servers(call->env); s; s = s->next) {
        if (s->service && s->service == found.service)
            return s;
    }
    return NULL;
}

/* The server at that address as seen from that place; *known: the name resolves there. */
static struct redis_server *find_server(struct call *call, const char *host, int port, bool *known)
{
    bool local =
        strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
    *known = local || strspn(host, "0123456789.") == strlen(host);
    for (struct redis_server *s = redis_servers(call->env); s; s = s->next) {
        bool inside = false,
             by_name = call->place[0] && s->service && strcmp(host, service_name(s->service)) == 0;
        for (int i = 0; s->service && i < service_instances(s->service); i++)
            inside = inside || (call->place[0] &&
                                env_place_is(call->env, call->place,
                                             instance_name(service_instance(s->service, i))));
        bool declared =
            !call->place[0] && s->host &&
            (strcmp(s->host, host) == 0 || (local && strcmp(s->host, "localhost") == 0));
        *known |= by_name || declared;
        if (((inside && local) || by_name || declared) && port == (declared ? s->port : 6379))
            return s;
    }
    return *known && local ? NULL : named_server(call, host, port, known);
}

static bool connect_server(struct cli *cli)
{
    struct call *call = cli->client.call;
    bool known;
    cli->client.server = find_server(call, cli->host, cli->port, &known);
    if (!cli->client.server || !store_in_service(cli->client.server->store)) {
        call_err(call, "Could not connect to Redis at %s:%d: %s\n", cli->host, cli->port,
                 known ? "Connection refused" : "Name or service not known");
        return false;
    }
    call_sleep(call, 2 * MILLISECOND);
    if (cli->password) {
        char *words[] = {(char *)(uintptr_t) "AUTH",
                         (char *)(uintptr_t)(cli->user ? cli->user : cli->password),
                         (char *)(uintptr_t)cli->password};
        if (cli->password_shown && !cli->no_warning)
            call_err(call, "Warning: Using a password with '-a' or '-u' option on the command line "
                           "interface may not be "
                           "safe.\n");
        struct redis_reply *reply = redis_command(&cli->client, cli->user ? 3 : 2, words);
        if (reply->kind == REPLY_ERROR)
            call_err(call, "AUTH failed: %s\n", reply->text);
    }
    return true;
}

/* redis://[[user:]password@]host[:port][/database] */
static void take_uri(struct cli *cli, const char *uri)
{
    struct arena *arena = cli->client.call->arena;
    const char *rest = strstr(uri, "://");
    char *text = arena_strdup(arena, rest ? rest + 3 : uri), *at = strrchr(text, '@'), *path,
         *colon;
    if (at) {
        *at = '\0';
        colon = strchr(text, ':');
        if (colon)
            *colon = '\0';
        cli->user = colon && *text ? text : NULL;
        cli->password = colon ? colon + 1 : text;
        cli->password_shown = true;
        text = at + 1;
    }
    path = strchr(text, '/');
    if (path) {
        *path = '\0';
        cli->client.database = (int)strtol(path + 1, NULL, 10);
    }
    colon = strchr(text, ':');
    if (colon) {
        *colon = '\0';
        cli->port = (int)strtol(colon + 1, NULL, 10);
    }
    if (*text)
        cli->host = text;
}

/* The words up to the command; its index, or -1 after an error. */
static int take_options(struct cli *cli)
{
    struct call *call = cli->client.call;
    int i = 1;
    for (; i < call->argc && call->argv[i][0] == '-'; i++) {
        const char *word = call->argv[i], *value = i + 1 < call->argc ? call->argv[i + 1] : NULL;
        bool taken = value != NULL;
        if (value && (strcmp(word, "-h") == 0))
            cli->host = value;
        else if (value && strcmp(word, "-p") == 0)
            cli->port = (int)strtol(value, NULL, 10);
        else if (value && (strcmp(word, "-a") == 0 || strcmp(word, "--pass") == 0)) {
            cli->password = value;
            cli->password_shown = true;
        } else if (value && strcmp(word, "--user") == 0)
            cli->user = value;
        else if (value && strcmp(word, "-u") == 0)
            take_uri(cli, value);
        else if (value && strcmp(word, "-n") == 0)
            cli->client.database = (int)strtol(value, NULL, 10);
        else if (value && strcmp(word, "-r") == 0)
            cli->repeat = (int)strtol(value, NULL, 10);
        else if (value && strcmp(word, "-i") == 0)
            cli->interval_ns = (int64_t)(strtod(value, NULL) * 1e9);
        else if (value && strcmp(word, "--pattern") == 0)
            cli->pattern = value;
        else {
            taken = false;
            if (strcmp(word, "-e") == 0)
                cli->fail_on_error = true;
            else if (strcmp(word, "--no-raw") == 0)
                cli->format = FORMAT_STANDARD;
            else if (strcmp(word, "--raw") == 0)
                cli->format = FORMAT_RAW;
            else if (strcmp(word, "--csv") == 0)
                cli->format = FORMAT_CSV;
            else if (strcmp(word, "--no-auth-warning") == 0)
                cli->no_warning = true;
            else if (strcmp(word, "-x") == 0)
                cli->last_from_stdin = true;
            else if (strcmp(word, "--scan") == 0)
                cli->scan = true;
            else if (strcmp(word, "--pipe") == 0)
                cli->pipe = true;
            else if (strcmp(word, "--rdb") == 0 || strcmp(word, "--bigkeys") == 0 ||
                     strcmp(word, "--memkeys") == 0 || strcmp(word, "--stat") == 0 ||
                     strcmp(word, "--latency") == 0 || strcmp(word, "--json") == 0 ||
                     strcmp(word, "--eval") == 0 || strcmp(word, "-s") == 0 ||
                     strcmp(word, "--tls") == 0) {
                record_observe(call->env->record, "not_simulated", word,
                               "redis-cli %s is not simulated", word);
                call_err(call, "not simulated: redis-cli %s\n", word);
                return -1;
            } else if (strcmp(word, "-2") != 0 && strcmp(word, "-3") != 0 &&
                       strcmp(word, "-c") != 0) {
                call_err(call, "Unrecognized option or bad number of args for: '%s'\n", word);
                return -1;
            }
        }
        i += taken;
    }
    return i;
}

static int run_scan(struct cli *cli)
{
    char *words[] = {(char *)(uintptr_t) "KEYS",
                     (char *)(uintptr_t)(cli->pattern ? cli->pattern : "*")};
    const struct redis_reply *reply = redis_command(&cli->client, 2, words);
    if (reply->kind == REPLY_ERROR) {
        call_err(cli->client.call, "ERROR: %s\n", reply->text);
        return 1;
    }
    for (int i = 0; i < reply->n; i++) {
        if (cli->format == FORMAT_STANDARD) {
            struct buf line;
            buf_init(&line, 1 << 20);
            quoted(&line, reply->items[i]->text);
            call_out(cli->client.call, "%s\n", line.at);
            buf_release(&line);
        } else {
            call_out(cli->client.call, "%s\n", reply->items[i]->text);
        }
    }
    return 0;
}

int redis_cli(struct call *call)
{
    struct cli *cli = ARENA_NEW(call->arena, struct cli);
    *cli = (struct cli){.client = {.call = call},
                        .host = "127.0.0.1",
                        .port = 6379,
                        .repeat = 1,
                        .password = call_getenv(call, "REDISCLI_AUTH"),
                        .format = call_isatty(call, 1) ? FORMAT_STANDARD : FORMAT_RAW};
    if (call->argc == 2 &&
        (strcmp(call->argv[1], "--version") == 0 || strcmp(call->argv[1], "-v") == 0)) {
        call_out(call, "redis-cli 7.0.15\n");
        return 0;
    }
    int first = take_options(cli);
    if (first < 0 || !connect_server(cli))
        return 1;
    if (cli->scan)
        return run_scan(cli);
    if (cli->pipe)
        return run_pipe(cli);
    int argc = call->argc - first;
    if (!argc && !cli->last_from_stdin)
        return run_stdin(cli);
    char **argv = ARENA_ARRAY(call->arena, char *, argc + 2);
    memcpy(argv, call->argv + first, sizeof *argv * (size_t)argc);
    if (cli->last_from_stdin)
        argv[argc++] = arena_str(call->arena, buf_text(all_input(call)));
    for (int i = 0; (i < cli->repeat || cli->repeat < 0) && !cli->client.closed && !cli->failed;
         i++) {
        if (i && cli->interval_ns && call_sleep(call, cli->interval_ns))
            return 130;
        say(cli, argc, argv);
    }
    return cli->failed;
}
