/* docker-compose 1.29 and `docker compose` v2: the command line, and how each of them words things.
 */
#include "fakes/compose.h"

#include <stdarg.h>
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"
#include "fakes/fake.h"

/* The Python client takes half a second to start (reference transcripts: 0.43 to 0.74 s); the Go
 * plugin does not. */
#define V1_START_NS (500 * MILLISECOND)
#define V2_START_NS (120 * MILLISECOND)

/* ---- words ---- */

void compose_say(struct compose_command *command, const char *level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(command->call->arena, format, args);
    va_end(args);
    bool terminal = command->edition == COMPOSE_V1 && level && call_isatty(command->call, 2);
    if (command->edition == COMPOSE_V2 && level && strcmp(level, "WARNING") == 0)
        call_err(command->call, "time=\"%.19sZ\" level=warning msg=\"%s\"\n",
                 docker_time(command->docker, command->call->arena, call_now(command->call)), text);
    else
        call_err(command->call, "%s%s%s\n", terminal ? level : "", terminal ? ": " : "", text);
}

int compose_fail(struct compose_command *command, const char *format, ...)
{
    if (command->edition == COMPOSE_V1 && command->verb && strcmp(command->verb->name, "exec") == 0)
        return 1; /* exit_with_metrics() of 1.29 logs no message of exec's: docker has said it, it
                     believes */
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(command->call->arena, format, args);
    va_end(args);
    compose_say(command, "ERROR", "%s", text);
    return 1;
}

int compose_no_service(struct compose_command *command, const char *name)
{
    return compose_fail(
        command, command->edition == COMPOSE_V1 ? "No such service: %s" : "no such service: %s",
        name);
}

void compose_announce(struct compose_command *command, const char *doing, const char *name)
{
    size_t len = strlen(doing) + 1 + strlen(name);
    command->width = len > command->width ? len : command->width;
}

static void line_v1(struct compose_command *command, const char *doing, const char *name,
                    const char *status)
{
    const char *label = arena_printf(command->call->arena, "%s %s", doing, name);
    call_err(command->call, "%-*s ... %s\r\n", (int)command->width, label, status);
}

void compose_begin(struct compose_command *command, const char *doing, const char *name)
{
    if (command->edition == COMPOSE_V1)
        line_v1(command, doing, name, "");
    else
        call_err(command->call, " Container %s  %s\n", name, doing);
}

void compose_end(struct compose_command *command, const char *doing, const char *done,
                 const char *name)
{
    if (command->edition == COMPOSE_V1)
        line_v1(command, doing, name, "done");
    else
        call_err(command->call, " Container %s  %s\n", name, done);
}

void compose_failed(struct compose_command *command, const char *doing, const char *name)
{
    line_v1(command, doing, name, "failed");
}

void compose_end_badly(struct compose_command *command, const char *doing, const char *name,
                       const char *why)
{
    if (command->edition == COMPOSE_V1) {
        line_v1(command, doing, name, "error");
        call_err(command->call, "\nERROR: for %s  %s\n", name, why);
    } else {
        call_err(command->call, " Container %s  Error\nError response from daemon: %s\n", name,
                 why);
    }
}

/* ---- the command line ---- */

static const struct compose_verb *const all_verbs[] = {compose_up_verbs,   compose_stop_verbs,
                                                       compose_show_verbs, compose_exec_verbs,
                                                       compose_pull_verbs, NULL};

static const struct compose_verb *find_verb(const char *name)
{
    for (int i = 0; all_verbs[i]; i++) {
        for (const struct compose_verb *verb = all_verbs[i]; verb->name; verb++) {
            if (strcmp(verb->name, name) == 0)
                return verb;
        }
    }
    return NULL;
}

/* The options that this edition knows. */
static const char *words_of(struct call *call, enum compose_edition edition, const char *words)
{
    const char *known = "help";
    char mine = edition == COMPOSE_V1 ? '1' : '2';
    struct str rest = str_of(words);
    while (rest.len > 0) {
        struct str word = str_cut(&rest, ' ');
        bool marked = word.len > 2 && word.at[1] == ':';
        if (word.len == 0 || (marked && word.at[0] != mine))
            continue;
        known = arena_printf(call->arena, "%s %.*s", known, (int)word.len - 2 * marked,
                             word.at + 2 * marked);
    }
    return known;
}

static int load_file(void *ctx, const char *path, struct buf *buf)
{
    return call_load(ctx, path, buf);
}

static const char *variable(void *ctx, const char *name)
{
    return call_getenv(ctx, name);
}

static int version(struct call *call, enum compose_edition edition, char **argv)
{
    if (edition == COMPOSE_V1 && !argv[0]) { /* --version */
        call_out(call, "docker-compose version 1.29.2, build unknown\n");
        return 0;
    }
    bool is_short = argv[0] && argv[1] && strcmp(argv[1], "--short") == 0;
    if (edition == COMPOSE_V2)
        call_out(call, is_short ? "2.29.7\n" : "Docker Compose version v2.29.7\n");
    else
        call_out(call,
                 is_short
                     ? "1.29.2\n"
                     : "docker-compose version 1.29.2, build unknown\ndocker-py version: 5.0.3\n"
                       "CPython version: 3.11.2\nOpenSSL version: OpenSSL 3.0.19 27 Jan 2026\n");
    return 0;
}

static int unknown_verb(struct compose_command *command, const char *name)
{
    static const char *const real[] = {"events",  "push",  "attach",  "cp",   "ls",
                                       "publish", "stats", "version", "wait", "watch",
                                       "bundle",  "alpha", NULL};
    for (int i = 0; real[i]; i++) {
        if (strcmp(real[i], name) != 0)
            continue;
        record_observe(command->call->env->record, "not_simulated", name,
                       "'docker-compose %s' is not simulated", name);
        call_err(command->call, "docker-compose: '%s' is not simulated here\n", name);
        return 1;
    }
    if (command->edition == COMPOSE_V2) {
        call_err(command->call, "unknown docker command: \"compose %s\"\n", name);
        return 1;
    }
    call_err(command->call, "No such command: %s\n\nCommands:\n", name);
    for (int i = 0; all_verbs[i]; i++) {
        for (const struct compose_verb *verb = all_verbs[i]; verb->name; verb++)
            call_err(command->call, "  %-18s %s\n", verb->name, verb->summary);
    }
    return 1;
}

int compose_usage_error(struct compose_command *command)
{
    const struct compose_verb *verb = command->verb;
    if (command->edition == COMPOSE_V2) {
        call_err(command->call, "%s\nSee 'docker compose %s --help'.\n", command->options.error,
                 verb->name);
        return 16;
    }
    /* 1.29 means to fail, and ends with 0: main() takes the code of a SystemExit that has none
     * (compose/cli/main.py). */
    if (strcmp(verb->name, "exec") != 0) /* of which nothing is ever logged there */
        call_err(command->call, "%s\n\nUsage: %s\n", verb->summary, verb->usage);
    return 0;
}

static int read_project(struct compose_command *command, const struct options *global)
{
    struct call *call = command->call;
    const struct compose_source source = {call, load_file, variable};
    const char **files = ARENA_ARRAY(call->arena, const char *, global->n_given + 1);
    int n = 0;
    for (int i = 0; i < global->n_given; i++) {
        if (strcmp(global->given[i].name, "file") == 0)
            files[n++] = global->given[i].value;
    }
    const char **profiles = ARENA_ARRAY(call->arena, const char *, global->n_given + 1);
    for (int i = 0, k = 0; i < global->n_given; i++) {
        if (strcmp(global->given[i].name, "profile") == 0)
            profiles[k++] = global->given[i].value;
    }
    const struct compose_request request = {
        .profiles = profiles,
        .edition = command->edition,
        .files = files,
        .project = options_value(global, "project-name", NULL),
        .folder = call->cwd,
        .project_folder = options_value(global, "project-directory", NULL),
        .env_file = options_value(global, "env-file", NULL),
    };
    const char *error = NULL;
    int failed = compose_load(call->arena, &source, &request, &command->project, &error);
    for (const char *const *name = command->project.unset; name && *name; name++)
        compose_say(command, "WARNING",
                    command->edition == COMPOSE_V1
                        ? "The %s variable is not set. Defaulting to a blank string."
                        : "The \\\"%s\\\" variable is not set. Defaulting to a blank string.",
                    *name);
    if (!failed)
        return 0;
    compose_say(command, "ERROR", "%s", error);
    return command->edition == COMPOSE_V1 ? 1 : 14;
}

int compose_run(struct call *call, enum compose_edition edition, char **argv)
{
    struct compose_command command = {
        .call = call, .docker = docker_of(call->env), .edition = edition};
    struct options global;
    int n = 0;
    while (argv[n])
        n++;
    char **words = ARENA_ARRAY(call->arena, char *, n + 2);
    words[0] = arena_strdup(call->arena, "docker-compose");
    memcpy(words + 1, argv, (size_t)n * sizeof *argv);
    options_parse(
        call->arena, OPTIONS_PFLAG,
        "file|f= project-name|p= profile= context|c= verbose log-level= ansi= no-ansi version|v "
        "host|H= "
        "tls tlscacert= tlscert= tlskey= tlsverify skip-hostname-check project-directory= "
        "compatibility env-file= help|h progress= parallel= dry-run all-resources",
        false, words, &global);
    if (global.error && edition == COMPOSE_V1) {
        call_err(
            call,
            "Define and run multi-container applications with Docker.\n\nUsage:\n  docker-compose "
            "[-f <arg>...] [--profile <name>...] [options] [--] [COMMAND] [ARGS...]\n  "
            "docker-compose -h|--help\n");
        return 1;
    }
    if (global.error) {
        call_err(call, "%s\nSee 'docker compose --help'.\n", global.error);
        return 16;
    }
    call_sleep(call, edition == COMPOSE_V1 ? V1_START_NS : V2_START_NS);
    argv = global.args;
    if (options_has(&global, "version") || (argv[0] && strcmp(argv[0], "version") == 0))
        return version(call, edition, argv);
    if (!argv[0] || options_has(&global, "help")) {
        bool asked = edition == COMPOSE_V2 || options_has(&global, "help");
        const char *help =
            "Define and run multi-container applications with Docker.\n\nUsage:\n  docker-compose "
            "[-f <arg>...] [options] [COMMAND] [ARGS...]\n";
        call_write(call, asked ? 1 : 2, help, strlen(help));
        return 0;
    }
    const struct compose_verb *verb = find_verb(argv[0]);
    if (!verb)
        return unknown_verb(&command, argv[0]);
    /* v1 takes everything behind the first service for a service (docopt with options_first,
     * compose/cli/docopt_command.py) */
    options_parse(call->arena, OPTIONS_PFLAG, words_of(call, edition, verb->words),
                  verb->interspersed && edition == COMPOSE_V2, argv, &command.options);
    if (options_has(&command.options, "help")) {
        call_out(call, "%s\n\nUsage: %s\n", verb->summary, verb->usage);
        return 0;
    }
    command.verb = verb;
    int n_args = command.options.n_args;
    if (command.options.error ||
        (edition == COMPOSE_V1 &&
         (n_args < verb->least || (verb->most >= 0 && n_args > verb->most))))
        return compose_usage_error(&command);
    int status = read_project(&command, &global);
    if (status)
        return status;
    if (verb->run != find_verb("config")->run && !docker_answers(call, command.docker)) {
        if (edition == COMPOSE_V2)
            return docker_reachable(call, command.docker, "") ? 0 : 1;
        /* 1.29 with docker-py 5 does not catch this one; the frames in between are left out */
        call_err(call,
                 "Traceback (most recent call last):\n  ...\ndocker.errors.DockerException: Error "
                 "while fetching server API version: ('Connection aborted.', "
                 "ConnectionRefusedError(111, 'Connection refused'))\n");
        return 1;
    }
    for (char **name = command.options.args; verb->services && *name; name++) {
        if (!compose_find(&command.project, *name))
            return compose_no_service(&command, *name);
    }
    return verb->run(&command);
}

static int run(struct call *call)
{
    return compose_run(call, COMPOSE_V1, call->argv + 1);
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)env;
    (void)config;
    (void)error;
    return 0;
}

static const char *const commands[] = {"docker-compose", NULL};

const struct fake fake_compose = {
    .name = "docker-compose",
    .commands = commands,
    .setup = setup,
    .run = run,
};
