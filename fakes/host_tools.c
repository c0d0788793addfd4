/* mail, sudo, su, ssh, scp. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/host.h"
#include "sim/base/xalloc.h"

enum { FILE_MAX = 64 << 20 };

static const char *read_stdin(struct call *call)
{
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, FILE_MAX);
    call_defer(call, (void (*)(void *))buf_release, text);
    call_read_all(call, 0, text);
    return arena_str(call->arena, buf_text(text));
}

/* ---- mail ---- */

int host_mail(struct call *call)
{
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT, "s|s= c|c= b|b= r|r= a|a= A|A= t|t n|n i|i f|f= E|E",
                  true, call->argv, &options);
    const char *slash = strrchr(call->argv[0], '/');
    bool plain = strcmp(slash ? slash + 1 : call->argv[0], "sendmail") != 0;
    if (options.error) {
        call_err(call, "mail: %s\n", options.error);
        return 64;
    }
    if (plain && !options.args[0]) {
        call_out(call, "No mail for root\n");
        return 1;
    }
    const char *body = read_stdin(call);
    struct str rest = str_of(body);
    struct str first = str_cut(&rest, '\n');
    const char *subject = options_value(&options, "s", NULL);
    world_message(call->env->world, "mail",
                  arena_printf(call->arena, "to %s: %s",
                               options.args[0] ? options.args[0] : "recipients in the text",
                               subject ? subject : arena_str(call->arena, first)));
    call_sleep(call, 100 * MILLISECOND);
    return 0;
}

/* ---- sudo, su ---- */

static int become(struct call *call, const char *who, char *const argv[])
{
    int code = call_exec(call, argv);
    if (code == -ENOENT || code == 127) {
        call_err(call, "%s: %s: command not found\n", who, argv[0]);
        return strcmp(who, "sudo") == 0 ? 1 : 127;
    }
    return code < 0 ? 1 : code; /* a test double returns the status of what it ran */
}

int host_sudo(struct call *call)
{
    struct host *host = host_of(call->env);
    struct options options;
    options_parse(
        call->arena, OPTIONS_GETOPT,
        "user|u= group|g= non-interactive|n preserve-env|E set-home|H login|i shell|s stdin|S "
        "reset-timestamp|k validate|v list|l background|b prompt|p= chdir|D= askpass|A",
        false, call->argv, &options);
    if (options.error) {
        call_err(call,
                 "sudo: %s\nusage: sudo -h | -K | -k | -V\nusage: sudo [-ABbEHknPS] [-u user] "
                 "[command]\n",
                 options.error);
        return 1;
    }
    if (host->sudo == 2) {
        call_err(call, "operator is not in the sudoers file.\n");
        return 1;
    }
    if (host->sudo == 1) {
        char byte;
        bool given = options_has(&options, "stdin") && call_read(call, 0, &byte, 1) > 0;
        while (given && byte != '\n' && call_read(call, 0, &byte, 1) > 0)
            ;
        if (!given && !options_has(&options, "non-interactive") && !call_isatty(call, 0))
            call_err(call, "sudo: a terminal is required to read the password; either use the -S "
                           "option to read from "
                           "standard input or configure an askpass helper\n");
        if (!given) {
            call_err(call, "sudo: a password is required\n");
            return 1;
        }
    }
    if (options_has(&options, "validate") || options_has(&options, "list") ||
        (options_has(&options, "reset-timestamp") && !options.args[0]))
        return 0;
    char **words = options.args;
    static char bash[] = "bash", env[] = "env", flag[] = "-c";
    if (!words[0] && (options_has(&options, "login") || options_has(&options, "shell")))
        return become(call, "sudo", (char *[]){bash, NULL});
    if (!words[0]) {
        call_err(call,
                 "usage: sudo -h | -K | -k | -V\nusage: sudo [-ABbEHknPS] [-u user] [command]\n");
        return 1;
    }
    if (options_has(&options, "login") || options_has(&options, "shell")) {
        const char *line = "";
        for (char **word = words; *word; word++)
            line = arena_printf(call->arena, "%s%s%s", line, line[0] ? " " : "", *word);
        return become(call, "sudo", (char *[]){bash, flag, arena_strdup(call->arena, line), NULL});
    }
    if (strchr(words[0], '=')) { /* sudo NAME=value command */
        char **with = ARENA_ARRAY(call->arena, char *, options.n_args + 2);
        with[0] = env;
        memcpy(with + 1, words, (size_t)options.n_args * sizeof *words);
        words = with;
    }
    return become(call, "sudo", words);
}

int host_su(struct call *call)
{
    struct options options;
    static char bash[] = "bash", flag[] = "-c";
    options_parse(call->arena, OPTIONS_GETOPT,
                  "command|c= login|l shell|s= preserve-environment|p m|m", true, call->argv,
                  &options);
    if (options.error) {
        call_err(call, "su: %s\n", options.error);
        return 1;
    }
    const char *line = options_value(&options, "command", NULL);
    if (!line)
        return become(call, "su", (char *[]){bash, NULL});
    return become(call, "su", (char *[]){bash, flag, arena_strdup(call->arena, line), NULL});
}

/* ---- ssh, scp ---- */

/* The place of a host ("user@db1", "db1"); NULL: the name does not resolve. */
static const char *place_of(struct call *call, const char *name)
{
    const char *at = strchr(name, '@');
    name = at ? at + 1 : name;
    for (int i = 0; i < call->env->n_places; i++) {
        if (strcmp(call->env->places[i], name) == 0)
            return call->env->places[i];
    }
    return NULL;
}

/* Whether the host answers now; after the wait and the message if not. */
static bool reachable(struct call *call, const char *host, const struct options *options)
{
    const char *name = strchr(host, '@') ? strchr(host, '@') + 1 : host;
    const char *state = world_setting(call->env->world, arena_printf(call->arena, "host.%s", name));
    int64_t timeout_s = 131; /* of the kernel, with its six tries */
    for (int i = 0; i < options->n_given; i++) {
        const char *value = options->given[i].value;
        if (strcmp(options->given[i].name, "o") == 0 &&
            strncasecmp(value, "ConnectTimeout", 14) == 0)
            timeout_s = leading_int(value + 15) > 0 ? leading_int(value + 15) : timeout_s;
    }
    if (!place_of(call, host)) {
        call_err(call, "ssh: Could not resolve hostname %s: Name or service not known\n", name);
        return false;
    }
    if (state && strcmp(state, "unreachable") == 0) {
        call_sleep(call, timeout_s * SECOND);
        call_err(call, "ssh: connect to host %s port %s: Connection timed out\n", name,
                 options_value(options, "p", "22"));
        return false;
    }
    call_sleep(call, 250 * MILLISECOND);
    return true;
}

int host_ssh(struct call *call)
{
    struct options options;
    options_parse(
        call->arena, OPTIONS_GETOPT,
        "o|o= i|i= p|p= l|l= q|q t|t T|T n|n v|v A|A f|f N|N L|L= R|R= J|J= F|F= C|C X|X 4|4 6|6",
        false, call->argv, &options);
    if (options.error || !options.args[0]) {
        call_err(
            call,
            "%s%susage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-o option] [-p port] destination [command "
            "[argument ...]]\n",
            options.error ? options.error : "", options.error ? "\n" : "");
        return 255;
    }
    const char *host = options.args[0], *line = "";
    if (!reachable(call, host, &options))
        return 255;
    for (char **word = options.args + 1; *word; word++)
        line = arena_printf(call->arena, "%s%s%s", line, line[0] ? " " : "", *word);
    static char bash[] = "bash", flag[] = "-c";
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", home[] = "HOME=/root",
                user[] = "USER=root";
    char *envp[] = {path, home, user, NULL};
    if (!line[0])
        return call_run_in(call, place_of(call, host), (char *[]){bash, NULL}, envp, "/root");
    return call_run_in(call, place_of(call, host),
                       (char *[]){bash, flag, arena_strdup(call->arena, line), NULL}, envp,
                       "/root");
}

/* Splits "host:path"; host NULL: a file of this machine. */
static void split(struct call *call, const char *text, const char **host, const char **path)
{
    const char *colon = strchr(text, ':'), *slash = strchr(text, '/');
    bool remote = colon && (!slash || colon < slash);
    *host = remote ? arena_str(call->arena, (struct str){text, (size_t)(colon - text)}) : NULL;
    *path = remote ? (colon[1] ? colon + 1 : ".") : text;
    if (remote && (*path)[0] != '/')
        *path = arena_printf(call->arena, "/root/%s", strcmp(*path, ".") == 0 ? "" : *path);
}

int host_scp(struct call *call)
{
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT,
                  "o|o= i|i= P|P= p|p q|q r|r C|C v|v B|B F|F= J|J= 3|3", true, call->argv,
                  &options);
    if (options.error || options.n_args != 2) {
        call_err(call, "usage: scp [-346ABCOpqRrsTv] [-P port] source ... target\n");
        return 1;
    }
    const char *host_from, *from, *host_to, *to;
    split(call, options.args[0], &host_from, &from);
    split(call, options.args[1], &host_to, &to);
    const char *host = host_from ? host_from : host_to;
    if (!host || (host_from && host_to)) {
        call_err(call, "scp: one side must be another host\n");
        return 1;
    }
    if (!reachable(call, host, &options))
        return 255;
    const char *place_from = host_from ? place_of(call, host_from) : call->place;
    const char *place_to = host_to ? place_of(call, host_to) : call->place;
    if (!host_from && from[0] != '/')
        from = arena_printf(call->arena, "%s/%s", call->cwd, from);
    if (!host_to && to[0] != '/')
        to = arena_printf(call->arena, "%s/%s", call->cwd, to);
    size_t from_len = strlen(from), to_len = strlen(to);
    bool to_slash = to_len > 1 && to[to_len - 1] == '/';
    while (from_len > 1 && from[from_len - 1] == '/')
        from = arena_str(call->arena, (struct str){from, --from_len});
    while (to_len > 1 && to[to_len - 1] == '/')
        to = arena_str(call->arena, (struct str){to, --to_len});
    int kind = env_kind(call->env, place_from, from), there = env_kind(call->env, place_to, to);
    if (kind == 0) {
        call_err(call,
                 host_from ? "scp: %s: No such file or directory\n"
                           : "scp: stat local \"%s\": No such file or directory\n",
                 host_from ? from : options.args[0]);
        return 1;
    }
    if (kind == 2 && !options_has(&options, "r")) {
        call_err(call,
                 host_from ? "scp: download %s: not a regular file\n"
                           : "scp: local \"%s\" is not a regular file\n",
                 host_from ? from : options.args[0]);
        return 1;
    }
    const char *slash = strrchr(from, '/');
    const char *folder = there == 2 ? to : "/";
    if (there == 2) {
        to = arena_printf(call->arena, "%s/%s", strcmp(to, "/") == 0 ? "" : to,
                          slash ? slash + 1 : from);
    } else if (strrchr(to, '/') && strrchr(to, '/') != to) {
        folder = arena_str(call->arena, (struct str){to, (size_t)(strrchr(to, '/') - to)});
    }
    if (env_kind(call->env, place_to, folder) != 2 || (to_slash && there == 0 && kind == 1)) {
        call_err(call,
                 host_to ? "scp: dest open \"%s\": No such file or directory\n"
                         : "scp: open local \"%s\": No such file or directory\n",
                 to);
        return 1;
    }
    int64_t bytes = 0;
    int code = env_copy_tree(call->env, place_from, from, place_to, to, &bytes);
    call_sleep(call, (int64_t)((double)bytes / 50e6 * 1e9)); /* 50 MB/s */
    if (code < 0) {
        call_err(call, "scp: %s: %s\n", to, strerror(-code));
        return 1;
    }
    return 0;
}
