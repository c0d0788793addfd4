/* docker run, create, cp. */
#include <stdlib.h>
#include <string.h>

#include "fakes/docker_command.h"
#include "sim/base/str.h"

enum { LIST_MAX = 128, FILE_MAX = 64 << 20 };

static const char *name_for(struct docker *docker, struct arena *arena)
{
    static const char *const left[] = {"brave", "calm", "eager",  "fervent", "gallant", "hopeful",
                                       "jolly", "keen", "modest", "quiet",   "serene",  "vibrant"};
    static const char *const right[] = {"bell",    "curie",  "darwin", "euler",
                                        "galileo", "hopper", "kepler", "lovelace",
                                        "noether", "pascal", "tesla",  "turing"};
    for (int64_t n = docker->n_ids;; n++) {
        const char *name = arena_printf(arena, "%s_%s", left[n % 12], right[n / 12 % 12]);
        if (n / 144)
            name = arena_printf(arena, "%s%lld", name, (long long)(n / 144));
        if (!docker_find(docker, name))
            return name;
    }
}

static const char **values(struct docker_command *command, const char *name)
{
    const struct options *options = &command->options;
    const char **list = ARENA_ARRAY(command->call->arena, const char *, options->n_given + 1);
    int n = 0;
    for (int i = 0; i < options->n_given; i++) {
        if (strcmp(options->given[i].name, name) == 0)
            list[n++] = options->given[i].value;
    }
    return list;
}

/* -e NAME takes the value of the client's environment; --env-file lines come first. */
static int read_env(struct docker_command *command, const char ***ret)
{
    struct call *call = command->call;
    const char **env = ARENA_ARRAY(call->arena, const char *, LIST_MAX + 1);
    int n = 0;
    for (const char **file = values(command, "env-file"); *file; file++) {
        struct buf text;
        buf_init(&text, FILE_MAX);
        int code = call_load(call, *file, &text);
        const char *copy = arena_str(call->arena, buf_text(&text));
        buf_release(&text);
        if (code < 0) {
            call_err(
                call,
                "docker: open %s: no such file or directory\n\nRun 'docker run --help' for more "
                "information\n",
                *file);
            return 125;
        }
        struct str rest = str_of(copy);
        while (rest.len > 0 && n < LIST_MAX) {
            struct str line = str_trim(str_cut(&rest, '\n'));
            if (line.len > 0 && line.at[0] != '#')
                env[n++] = arena_str(call->arena, line);
        }
    }
    for (const char **word = values(command, "env"); *word && n < LIST_MAX; word++) {
        if (strchr(*word, '='))
            env[n++] = *word;
        else if (call_getenv(call, *word))
            env[n++] = arena_printf(call->arena, "%s=%s", *word, call_getenv(call, *word));
    }
    *ret = env;
    return 0;
}

static int read_ports(struct docker_command *command, struct container_spec *spec)
{
    struct call *call = command->call;
    struct docker_port *ports = ARENA_ARRAY(call->arena, struct docker_port, LIST_MAX);
    for (const char **word = values(command, "publish"); *word && spec->n_ports < LIST_MAX;
         word++) {
        struct str rest = str_of(*word);
        const char *parts[3] = {"", "", ""}, *protocol = "tcp";
        int n = 0;
        ptrdiff_t slash = str_find(rest, STR("/"));
        if (slash >= 0) {
            protocol = arena_strdup(call->arena, rest.at + slash + 1);
            rest.len = (size_t)slash;
        }
        while (rest.len > 0 && n < 3)
            parts[n++] = arena_str(call->arena, str_cut(&rest, ':'));
        int container = n ? leading_int(parts[n - 1]) : 0;
        if (container <= 0 || container > 65535) {
            call_err(call,
                     "docker: invalid containerPort: %s\n\nRun 'docker run --help' for more "
                     "information\n",
                     n ? parts[n - 1] : *word);
            return 125;
        }
        int any_port = 49153 + spec->n_ports;
        ports[spec->n_ports++] = (struct docker_port){
            .address = n > 2 ? parts[0] : "0.0.0.0",
            .host = n > 1 ? leading_int(parts[n - 2]) : any_port,
            .container = container,
            .protocol = protocol,
        };
    }
    spec->ports = ports;
    return 0;
}

static void read_mounts(struct docker_command *command, struct container_spec *spec)
{
    struct arena *arena = command->call->arena;
    struct docker_mount *mounts = ARENA_ARRAY(arena, struct docker_mount, LIST_MAX);
    for (const char **word = values(command, "volume"); *word && spec->n_mounts < LIST_MAX;
         word++) {
        struct str rest = str_of(*word);
        const char *source = arena_str(arena, str_cut(&rest, ':'));
        const char *target = arena_str(arena, str_cut(&rest, ':'));
        mounts[spec->n_mounts++] = (struct docker_mount){
            .volume = source[0] == '/' ? NULL : source,
            .source = source[0] == '/' ? source : NULL,
            .target = target[0] ? target : source,
            .read_only = str_starts(rest, "ro"),
        };
    }
    spec->mounts = mounts;
}

static int read_restart(struct docker_command *command, struct container_spec *spec)
{
    const char *text = options_value(&command->options, "restart", "no");
    if (strcmp(text, "always") == 0)
        spec->restart = RESTART_ALWAYS;
    else if (strcmp(text, "unless-stopped") == 0)
        spec->restart = RESTART_UNLESS_STOPPED;
    else if (strncmp(text, "on-failure", 10) == 0)
        spec->restart = RESTART_ON_FAILURE;
    else if (strcmp(text, "no") != 0) {
        call_err(
            command->call,
            "docker: invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
            "'on-failure', or 'unless-stopped'\n\nRun 'docker run --help' for more information\n",
            text);
        return 125;
    }
    if (strncmp(text, "on-failure:", 11) == 0)
        spec->restart_max = leading_int(text + 11);
    return 0;
}

static struct container *create(struct docker_command *command, int *ret_status)
{
    struct call *call = command->call;
    struct docker *docker = command->docker;
    const struct options *options = &command->options;
    const char *image = options->args[0], *repository, *tag, *why;
    const char **env = NULL;
    *ret_status = 125;
    struct container_spec spec = {
        .name = options_value(options, "name", NULL),
        .image = image,
        .command = options->args[1] ? (const char *const *)(options->args + 1) : NULL,
        .labels = values(command, "label"),
        .networks = options_value(options, "network", NULL) ? values(command, "network") : NULL,
        .hostname = options_value(options, "hostname", NULL),
        .user = options_value(options, "user", NULL),
        .folder = options_value(options, "workdir", NULL),
        .remove_at_end = options_has(options, "rm"),
        .tty = options_has(options, "tty"),
        .open_stdin = options_has(options, "interactive"),
    };
    why = docker_reference(call->arena, image, &repository, &tag);
    if (why) {
        call_err(call, "docker: %s\n\nRun 'docker run --help' for more information\n", why);
        return NULL;
    }
    if (read_env(command, &env) || read_ports(command, &spec) || read_restart(command, &spec))
        return NULL;
    read_mounts(command, &spec);
    spec.env = env;
    if (!spec.name)
        spec.name = name_for(docker, call->arena);
    bool always = strcmp(options_value(options, "pull", "missing"), "always") == 0;
    if (!docker_image_here(docker, image) || always) {
        if (!always)
            call_err(call, "Unable to find image '%s:%s' locally\n", repository, tag);
        if (docker_pull_loudly(call, docker, image, false))
            return NULL;
    }
    for (const char *const *name = spec.networks; name && *name; name++) {
        if (!docker_network(docker, *name)) {
            docker_daemon_error(call, "network %s not found", *name);
            return NULL;
        }
    }
    for (int i = 0; i < docker->n_containers;
         i++) { /* a root with the same content, if there is one */
        if (docker->containers[i]->image == docker_image_here(docker, image))
            spec.place = docker->containers[i]->place;
    }
    struct container *container = docker_create(docker, &spec, &why);
    if (!container) {
        call_err(call,
                 "docker: Error response from daemon: %s\n\nRun 'docker run --help' for more "
                 "information\n",
                 why);
        return NULL;
    }
    call_sleep(call, DOCKER_CREATE_NS);
    *ret_status = 0;
    return container;
}

/* A command given to an image that holds it as a tool, or a shell, runs to its end in the
 * foreground. */
static int run_command(struct docker_command *command, struct container *container)
{
    struct env *env = command->call->env;
    bool has_root = false;
    for (int i = 0; i < env->n_places; i++)
        has_root = has_root || strcmp(env->places[i], container->place) == 0;
    if (!has_root) {
        record_observe(env->record, "not_simulated", command->options.args[1],
                       "a command in a new container of '%s' is not simulated: no container of "
                       "that image ran when "
                       "the drill started",
                       container->spec.image);
        call_err(command->call,
                 "docker: a command in a new container of '%s' is not simulated here\n",
                 container->spec.image);
        docker_remove(container);
        return 125;
    }
    const struct options *options = &command->options;
    const struct exec_options exec_options = {
        .interactive = options_has(options, "interactive"),
        .tty = options_has(options, "tty"),
        .folder = options_value(options, "workdir", NULL),
    };
    int status = docker_exec(command->call, container, options->args + 1, &exec_options);
    docker_kill(container, 9);
    container->exit_code = status;
    if (container->spec.remove_at_end)
        docker_remove(container);
    return status;
}

static int run(struct docker_command *command)
{
    struct call *call = command->call;
    const struct options *options = &command->options;
    int status;
    if (options_has(options, "interactive") && options_has(options, "tty") &&
        !options_has(options, "detach") && !call_isatty(call, 0)) {
        call_err(call, "the input device is not a TTY\n");
        return 1;
    }
    struct container *container = create(command, &status);
    if (!container)
        return status;
    const char *why = docker_start(container);
    call_sleep(call, DOCKER_START_NS);
    if (why) {
        call_err(call,
                 "docker: Error response from daemon: %s\n\nRun 'docker run --help' for more "
                 "information\n",
                 why);
        return 125;
    }
    if (options_has(options, "detach")) {
        call_out(call, "%s\n", container->id);
        return 0;
    }
    if (options->args[1])
        return run_command(command, container);
    const struct log_options log = {
        .tail = -1, .since_ns = NEVER, .until_ns = NEVER, .follow = true};
    docker_logs(call, container, &log);
    return container->exit_code;
}

static int create_only(struct docker_command *command)
{
    int status;
    struct container *container = create(command, &status);
    if (container)
        call_out(command->call, "%s\n", container->id);
    return container ? 0 : status == 125 ? 1 : status;
}

/* ---- cp ---- */

static bool split_place(struct call *call, const char *text, const char **container,
                        const char **path)
{
    const char *colon = strchr(text, ':');
    if (!colon || text[0] == '/' || text[0] == '.')
        return false;
    *container = arena_str(call->arena, (struct str){text, (size_t)(colon - text)});
    *path = colon + 1;
    return true;
}

static const char *target_name(struct call *call, const char *from, const char *to, bool is_folder)
{
    const char *slash = strrchr(from, '/');
    const char *base = slash ? slash + 1 : from;
    size_t len = strlen(to);
    if (!is_folder && len > 0 && to[len - 1] != '/')
        return to;
    return arena_printf(call->arena, "%s%s%s", to, len && to[len - 1] == '/' ? "" : "/", base);
}

static int cp(struct docker_command *command)
{
    struct call *call = command->call;
    const char *from = command->options.args[0], *to = command->options.args[1];
    const char *name_from = NULL, *name_to = NULL, *path_from = from, *path_to = to;
    bool out = split_place(call, from, &name_from, &path_from);
    bool in = split_place(call, to, &name_to, &path_to);
    if (in == out) {
        call_err(call, in ? "copying between containers is not supported\n"
                          : "must specify at least one container source\n");
        return 1;
    }
    struct container *container = docker_want(command, in ? name_to : name_from);
    if (!container)
        return 1;
    struct buf content;
    buf_init(&content, FILE_MAX);
    int code;
    if (out) {
        code = env_load(call->env, container->place, path_from, &content);
    } else {
        if (call_exists(call, path_from) == 2) {
            buf_release(&content);
            record_observe(call->env->record, "not_simulated", from,
                           "'docker cp' of a whole folder is not simulated");
            call_err(call, "docker cp of a folder is not simulated here\n");
            return 1;
        }
        code = call_load(call, path_from, &content);
    }
    const char *copy = arena_str(call->arena, buf_text(&content));
    size_t len = content.len;
    buf_release(&content);
    if (code < 0 && out)
        return docker_daemon_error(call, "Could not find the file %s in container %s", path_from,
                                   name_from);
    if (code < 0) {
        call_err(call, "lstat %s: no such file or directory\n", path_from);
        return 1;
    }
    call_sleep(call, 60 * MILLISECOND);
    if (out)
        code =
            call_save(call, target_name(call, path_from, path_to, call_exists(call, path_to) == 2),
                      copy, len, 0644);
    else
        code = env_write(call->env, container->place, target_name(call, path_from, path_to, false),
                         (struct str){copy, len}, 0644);
    if (code < 0) {
        call_err(call, "invalid output path: directory \"%s\" does not exist\n", path_to);
        return 1;
    }
    if (!options_has(&command->options, "quiet"))
        call_err(call, "Successfully copied %s to %s\n",
                 docker_human_size(call->arena, (int64_t)len + 1536), to);
    return 0;
}

#define RUN_WORDS                                                                                  \
    "detach|d env|e= env-file= name= publish|p= publish-all|P volume|v= mount= network= net= "     \
    "restart= "                                                                                    \
    "rm interactive|i tty|t label|l= hostname|h= user|u= workdir|w= entrypoint= memory|m= cpus= "  \
    "pull= "                                                                                       \
    "privileged cap-add= cap-drop= add-host= link= init platform= health-cmd= health-interval= "   \
    "log-driver= log-opt= ulimit= shm-size= read-only tmpfs= gpus= stop-timeout= network-alias= "  \
    "quiet|q"

const struct docker_verb docker_run_verbs[] = {
    {"run", "run [OPTIONS] IMAGE [COMMAND] [ARG...]", RUN_WORDS, false, 1, -1, run},
    {"create", "create [OPTIONS] IMAGE [COMMAND] [ARG...]", RUN_WORDS, false, 1, -1, create_only},
    {"cp", "cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH",
     "archive|a follow-link|L quiet|q", true, 2, 2, cp},
    {0},
};
