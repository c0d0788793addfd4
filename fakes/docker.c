/* docker: the client: finds the command, reads its options, runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fakes/compose.h"
#include "fakes/docker_command.h"
#include "fakes/fake.h"
#include "fakes/host.h"

static const struct docker_verb *const all_verbs[] = {
    docker_container_verbs, docker_list_verbs,  docker_image_verbs,
    docker_run_verbs,       docker_thing_verbs, docker_archive_verbs,
    docker_prune_verbs,     docker_build_verbs, NULL,
};

int docker_daemon_error(struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    call_err(call, "Error response from daemon: %s\n", arena_vprintf(call->arena, format, args));
    va_end(args);
    return 1;
}

struct container *docker_want(struct docker_command *command, const char *name)
{
    struct container *container = docker_find(command->docker, name);
    if (!container)
        docker_daemon_error(command->call, "No such container: %s", name);
    return container;
}

bool docker_answers(struct call *call, struct docker *docker)
{
    struct host *host = host_of(call->env);
    struct unit *unit = host ? host_unit(host, "docker") : NULL;
    if (!docker->daemon_running && unit && host->docker_socket && !unit->masked) {
        unit_start(call, unit); /* systemd starts it for the first who asks */
        call_sleep(call, docker_daemon_start(docker));
    }
    return docker->daemon_running;
}

bool docker_reachable(struct call *call, struct docker *docker, const char *prefix)
{
    if (docker_answers(call, docker))
        return true;
    call_err(call,
             "%sCannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
             "daemon running?\n",
             prefix);
    return false;
}

/* Columns are as wide as their widest cell and three blanks apart; the last one is not filled up.
 */
void docker_table(struct call *call, const char *const *titles, const char *const *const *rows,
                  int n_rows)
{
    struct buf out;
    buf_init(&out, 4 << 20);
    int n = 0;
    while (titles[n])
        n++;
    size_t *widths = ARENA_ARRAY(call->arena, size_t, n + 1);
    for (int i = -1; i < n_rows; i++) {
        for (int k = 0; k < n; k++) {
            size_t len = docker_width(str_of(i < 0 ? titles[k] : rows[i][k]));
            widths[k] = len > widths[k] ? len : widths[k];
        }
    }
    for (int i = -1; i < n_rows; i++) {
        for (int k = 0; k < n; k++) {
            const char *cell = i < 0 ? titles[k] : rows[i][k];
            if (k + 1 < n)
                buf_printf(&out, "%s%*s", cell, (int)(widths[k] - docker_width(str_of(cell))) + 3,
                           "");
            else
                buf_puts(&out, cell);
        }
        buf_putc(&out, '\n');
    }
    const char *text = arena_str(call->arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    call_write(call, 1, text, len);
}

/* ---- finding the command ---- */

/* The long names of commands ("container ls", "image rm") and what they stand for. */
static const char *short_name(const char *group, const char *verb)
{
    static const char *const same[] = {"attach",  "commit",  "cp",     "create", "diff",  "exec",
                                       "export",  "kill",    "logs",   "pause",  "port",  "rename",
                                       "restart", "rm",      "run",    "start",  "stats", "stop",
                                       "top",     "unpause", "update", "wait",   NULL};
    if (strcmp(group, "container") == 0) {
        if (strcmp(verb, "ls") == 0 || strcmp(verb, "list") == 0 || strcmp(verb, "ps") == 0)
            return "ps";
        for (int i = 0; same[i]; i++) {
            if (strcmp(same[i], verb) == 0)
                return same[i];
        }
    }
    if (strcmp(group, "image") == 0) {
        if (strcmp(verb, "ls") == 0 || strcmp(verb, "list") == 0)
            return "images";
        if (strcmp(verb, "rm") == 0 || strcmp(verb, "remove") == 0)
            return "rmi";
        if (strcmp(verb, "pull") == 0 || strcmp(verb, "push") == 0 || strcmp(verb, "tag") == 0 ||
            strcmp(verb, "build") == 0 || strcmp(verb, "history") == 0 ||
            strcmp(verb, "save") == 0 || strcmp(verb, "load") == 0 || strcmp(verb, "import") == 0)
            return verb;
    }
    return NULL;
}

static const struct docker_verb *find_verb(const char *name)
{
    for (int i = 0; all_verbs[i]; i++) {
        for (const struct docker_verb *verb = all_verbs[i]; verb->name; verb++) {
            if (strcmp(verb->name, name) == 0)
                return verb;
        }
    }
    return NULL;
}

static bool is_group(const char *word)
{
    static const char *const groups[] = {"container", "image",   "volume",  "network",
                                         "system",    "builder", "context", NULL};
    for (int i = 0; groups[i]; i++) {
        if (strcmp(groups[i], word) == 0)
            return true;
    }
    return false;
}

/* Whether the real client has no such command in that group. */
static bool group_lacks(const char *group, const char *verb)
{
    static const struct {
        const char *group, *verbs;
    } groups[] = {
        {"container",
         " attach commit cp create diff exec export inspect kill logs ls list ps pause "
         "port prune rename restart rm run start stats stop top unpause update wait "},
        {"image", " build history import inspect load ls list prune pull push rm remove save tag "},
        {"volume", " create inspect ls list prune rm remove update "},
        {"network", " connect create disconnect inspect ls list prune rm remove "},
        {"system", " df dial-stdio events info prune "},
    };
    for (size_t i = 0; group && i < sizeof groups / sizeof *groups; i++) {
        char word[64];
        snprintf(word, sizeof word, " %s ", verb);
        if (strcmp(groups[i].group, group) == 0)
            return !strstr(groups[i].verbs, word);
    }
    return false;
}

static int not_simulated(struct call *call, const char *name)
{
    record_observe(call->env->record, "not_simulated", name, "'docker %s' is not simulated", name);
    call_err(call, "docker: '%s' is not simulated here\n", name);
    return 1;
}

/* Commands that the real client has and this one does not. */
static bool exists_in_reality(const char *name)
{
    static const char *const names[] = {"attach",  "context", "builder",  "plugin",     "secret",
                                        "service", "stack",   "swarm",    "node",       "trust",
                                        "buildx",  "config",  "manifest", "checkpoint", "init",
                                        "scout",   NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

int docker_usage_error(struct call *call, const struct docker_verb *verb, const char *message)
{
    call_err(call, "%s\n\nUsage:  docker %s\n\nRun 'docker %s --help' for more information\n",
             message, verb->usage, verb->name);
    return 125;
}

bool docker_number(struct docker_command *command, const char *name, const char *shown,
                   int64_t *ret)
{
    const char *text = options_value(&command->options, name, NULL);
    if (options_number(&command->options, name, -1, ret))
        return true;
    docker_usage_error(command->call, command->verb,
                       arena_printf(command->call->arena,
                                    "invalid argument \"%s\" for \"%s\" flag: strconv.ParseInt: "
                                    "parsing \"%s\": invalid syntax",
                                    text, shown, text));
    return false;
}

bool docker_duration(struct docker_command *command, const char *name, int64_t *ret)
{
    const char *text = options_value(&command->options, name, NULL);
    if (!text || strcmp(text, "0") == 0 || parse_duration(str_of(text), ret))
        return true;
    docker_usage_error(
        command->call, command->verb,
        arena_printf(command->call->arena,
                     "invalid argument \"%s\" for \"--%s\" flag: time: invalid duration \"%s\"",
                     text, name, text));
    return false;
}

/* cli/required.go of the client: what asks for "at least" says "See", the others "Run". */
static int wrong_arguments(struct call *call, const struct docker_verb *verb)
{
    bool any_number = verb->most < 0, exact = verb->most == verb->least;
    const char *wanted;
    if (verb->most == 0)
        wanted = "accepts no arguments";
    else if (!any_number && !exact && verb->least > 0)
        wanted = arena_printf(call->arena, "requires at least %d and at most %d arguments",
                              verb->least, verb->most);
    else
        wanted = arena_printf(call->arena, "requires %s%d argument%s",
                              exact        ? ""
                              : any_number ? "at least "
                                           : "at most ",
                              any_number ? verb->least : verb->most,
                              (any_number ? verb->least : verb->most) == 1 ? "" : "s");
    call_err(call,
             "docker: 'docker %s' %s\n\nUsage:  docker %s\n\n%s 'docker %s --help' for more "
             "information\n",
             verb->name, wanted, verb->usage, any_number ? "See" : "Run", verb->name);
    return 1;
}

/* The verb under the name that was typed: "container ls" is "ps", and says "docker container ls" of
 * itself. */
static const struct docker_verb *as_typed(struct call *call, const struct docker_verb *verb,
                                          const char *name)
{
    if (strcmp(verb->name, name) == 0)
        return verb;
    struct docker_verb *typed = ARENA_NEW(call->arena, struct docker_verb);
    *typed = *verb;
    typed->name = name;
    typed->usage = arena_printf(call->arena, "%s%s", name, verb->usage + strlen(verb->name));
    return typed;
}

static int run_verb(struct call *call, const struct docker_verb *verb, char **argv)
{
    struct docker_command command = {.call = call, .docker = docker_of(call->env), .verb = verb};
    options_parse(call->arena, OPTIONS_PFLAG, arena_printf(call->arena, "%s help", verb->words),
                  verb->interspersed, argv, &command.options);
    if (options_has(&command.options, "help")) {
        call_out(call, "Usage:  docker %s\n", verb->usage);
        return 0;
    }
    if (command.options.error)
        return docker_usage_error(call, verb, command.options.error);
    int n = command.options.n_args;
    if (n < verb->least || (verb->most >= 0 && n > verb->most))
        return wrong_arguments(call, verb);
    call_sleep(call, DOCKER_CLIENT_NS);
    const char *last_word = strrchr(verb->name, ' ') ? strrchr(verb->name, ' ') + 1 : verb->name;
    bool runs = strcmp(last_word, "run") == 0;
    if (!docker_reachable(call, command.docker, runs ? "docker: " : "")) {
        if (runs)
            call_err(call, "\nRun 'docker run --help' for more information\n");
        return runs ? 125 : 1;
    }
    return verb->run(&command);
}

static int version(struct call *call, char **argv)
{
    struct docker *docker = docker_of(call->env);
    struct options options;
    options_parse(call->arena, OPTIONS_PFLAG, "format|f=", true, argv, &options);
    call_sleep(call, DOCKER_CLIENT_NS);
    const char *format = options_value(&options, "format", NULL);
    if (format && strstr(format, "Server.Version")) {
        if (!docker_reachable(call, docker, ""))
            return 1;
        call_out(call, "%s\n", docker->server_version);
        return 0;
    }
    if (format && strstr(format, "Client.Version")) {
        call_out(call, "28.0.4\n");
        return 0;
    }
    call_out(call, "Client: Docker Engine - Community\n Version:           28.0.4\n"
                   " API version:       1.41\n OS/Arch:           linux/amd64\n"
                   " Context:           default\n");
    if (!docker_reachable(call, docker, ""))
        return 1;
    call_out(
        call,
        "\nServer:\n Engine:\n  Version:          %s\n  API version:      1.41 (minimum version "
        "1.12)\n  OS/Arch:          linux/amd64\n",
        docker->server_version);
    return 0;
}

static int docker_run(struct call *call)
{
    char **argv = call->argv;
    struct options global;
    options_parse(
        call->arena, OPTIONS_PFLAG,
        "host|H= context|c= config= debug|D log-level|l= tls tlsverify tlscacert= tlscert= "
        "tlskey= version|v help",
        false, argv, &global);
    if (global.error) {
        call_err(call,
                 "%s\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more "
                 "information\n",
                 global.error);
        return 125;
    }
    if (options_has(&global, "version")) {
        call_out(call, "Docker version 28.0.4, build b8034c0\n");
        return 0;
    }
    char **words = global.args;
    if (!words[0] || options_has(&global, "help")) {
        call_out(call,
                 "Usage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n");
        return 0;
    }
    if (strcmp(words[0], "version") == 0)
        return version(call, words);
    if (strcmp(words[0], "compose") == 0)
        return compose_run(call, COMPOSE_V2, words + 1);
    const struct docker_verb *verb = find_verb(words[0]);
    const char *name = words[0];
    if (is_group(words[0]) && words[1]) {
        const char *other = short_name(words[0], words[1]);
        name = arena_printf(call->arena, "%s %s", words[0], words[1]);
        verb = find_verb(name);
        if (!verb && other)
            verb = find_verb(other);
        words++;
    }
    if (verb)
        return run_verb(call, as_typed(call, verb, name), words);
    if (group_lacks(words == global.args ? NULL : global.args[0], words[0])) {
        call_err(
            call,
            "docker: unknown command: docker %s\n\nUsage:  docker %s%s\n\nRun 'docker %s --help' "
            "for more information\n",
            name, global.args[0], strcmp(global.args[0], "volume") == 0 ? " COMMAND" : "",
            global.args[0]);
        return 1;
    }
    if (is_group(words[0]) && words == global.args) {
        call_out(call, "Usage:  docker %s COMMAND\n", words[0]);
        return 0;
    }
    if (exists_in_reality(words[0]) || is_group(global.args[0]))
        return not_simulated(call, name);
    call_err(call,
             "docker: unknown command: docker %s\n\nRun 'docker --help' for more information\n",
             words[0]);
    return 1;
}

static const char *const commands[] = {"docker", NULL};

const struct fake fake_docker = {
    .name = "docker",
    .commands = commands,
    .setup = docker_setup,
    .run = docker_run,
    .release = docker_release,
};
