/* docker run, docker create. */
#include <stdlib.h>
#include <string.h>

#include "fakes/compose.h"
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

/* The client's own complaint, before anything is asked of the engine; 125. */
static int complain(struct docker_command *command, const char *message)
{
    const char *space = strrchr(command->verb->name, ' ');
    call_err(command->call, "docker: %s\n\nRun 'docker %s --help' for more information\n", message,
             space ? space + 1 : command->verb->name);
    return 125;
}

static bool is_run(const struct docker_command *command)
{
    return strstr(command->verb->name, "run") != NULL;
}

/* What the engine refuses: `run` puts its name before it and its help behind it; 125, and 1 of
 * create. */
static int refused(struct docker_command *command, const char *why)
{
    if (is_run(command))
        return complain(command,
                        arena_printf(command->call->arena, "Error response from daemon: %s", why));
    return docker_daemon_error(command->call, "%s", why);
}

static int not_simulated(struct docker_command *command, const char *what)
{
    record_observe(command->call->env->record, "not_simulated", what,
                   "'docker run %s' is not simulated", what);
    call_err(command->call, "docker: %s is not simulated here\n", what);
    return 125;
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
        if (code < 0)
            return complain(command,
                            arena_printf(call->arena, "open %s: no such file or directory", *file));
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
        int container = n ? leading_int(parts[n - 1]) : 0, any_port = 49153 + spec->n_ports;
        int host = n > 1 && parts[n - 2][0] ? leading_int(parts[n - 2]) : any_port;
        if (container <= 0 || container > 65535)
            return complain(command, arena_printf(call->arena, "invalid containerPort: %s",
                                                  n ? parts[n - 1] : *word));
        if (host <= 0 || host > 65535)
            return complain(command,
                            arena_printf(call->arena, "invalid hostPort: %s", parts[n - 2]));
        ports[spec->n_ports++] = (struct docker_port){
            .address = n > 2 ? parts[0] : "0.0.0.0",
            .host = host,
            .container = container,
            .protocol = protocol,
        };
    }
    spec->ports = ports;
    return 0;
}

/* "." and "./x" are folders of the client's, as since Docker 23. */
static const char *mount_source(struct call *call, const char *source)
{
    if (source[0] == '.' && (source[1] == '/' || source[1] == '\0'))
        return compose_path(call->arena, call->cwd, source);
    return source;
}

/* --mount type=volume,source=data,target=/data,readonly */
static int read_long_mount(struct docker_command *command, const char *text,
                           struct docker_mount *ret)
{
    struct arena *arena = command->call->arena;
    struct str rest = str_of(text);
    const char *type = "volume", *source = NULL;
    while (rest.len > 0) {
        struct str value = str_cut(&rest, ',');
        struct str key = str_cut(&value, '=');
        if (str_is(key, "type"))
            type = arena_str(arena, value);
        else if (str_is(key, "source") || str_is(key, "src"))
            source = arena_str(arena, value);
        else if (str_is(key, "target") || str_is(key, "dst") || str_is(key, "destination"))
            ret->target = arena_str(arena, value);
        else if (str_is(key, "readonly") || str_is(key, "ro"))
            ret->read_only = !str_is(value, "false") && !str_is(value, "0");
    }
    if (!ret->target)
        return docker_usage_error(
            command->call, command->verb,
            arena_printf(arena, "invalid argument \"%s\" for \"--mount\" flag: target is required",
                         text));
    bool bind = strcmp(type, "bind") == 0;
    if (!bind && strcmp(type, "volume") != 0)
        return not_simulated(command, arena_printf(arena, "--mount type=%s", type));
    ret->volume = bind ? NULL : source;
    ret->source = bind ? mount_source(command->call, source ? source : "") : NULL;
    return 0;
}

static int read_mounts(struct docker_command *command, struct container_spec *spec)
{
    struct arena *arena = command->call->arena;
    struct docker_mount *mounts = ARENA_ARRAY(arena, struct docker_mount, 2 * LIST_MAX);
    spec->mounts = mounts;
    for (const char **word = values(command, "volume"); *word && spec->n_mounts < LIST_MAX;
         word++) {
        struct str rest = str_of(*word);
        const char *source = arena_str(arena, str_cut(&rest, ':'));
        const char *target = arena_str(arena, str_cut(&rest, ':'));
        bool anonymous = !target[0];
        source = mount_source(command->call, source);
        mounts[spec->n_mounts++] = (struct docker_mount){
            .volume = source[0] == '/' || anonymous ? NULL : source,
            .source = source[0] == '/' && !anonymous ? source : NULL,
            .target = anonymous ? source : target,
            .read_only = str_starts(rest, "ro"),
        };
    }
    for (const char **word = values(command, "mount"); *word && spec->n_mounts < 2 * LIST_MAX;
         word++) {
        int failed = read_long_mount(command, *word, &mounts[spec->n_mounts++]);
        if (failed)
            return failed;
    }
    for (int i = 0; i < spec->n_mounts; i++) {
        if (mounts[i].target[0] != '/')
            return refused(command,
                           arena_printf(arena,
                                        "invalid mount config for type \"%s\": invalid mount path: "
                                        "'%s' mount path must be absolute",
                                        mounts[i].source ? "bind" : "volume", mounts[i].target));
        char hex[65];
        docker_hex(arena_printf(arena, "anonymous %lld %d", (long long)++command->docker->n_ids, i),
                   hex);
        if (!mounts[i].volume && !mounts[i].source)
            mounts[i].volume = arena_strdup(arena, hex);
    }
    return 0;
}

static int read_restart(struct docker_command *command, struct container_spec *spec)
{
    const char *text = options_value(&command->options, "restart", "no");
    if (spec->remove_at_end && strcmp(text, "no") != 0)
        return complain(command, "conflicting options: cannot specify both --restart and --rm");
    if (!docker_restart_policy(text, &spec->restart, &spec->restart_max))
        return refused(command,
                       arena_printf(command->call->arena, "invalid restart policy '%s'", text));
    return 0;
}

static int read_health(struct docker_command *command, struct container_spec *spec)
{
    const struct options *options = &command->options;
    const char *test = options_value(options, "health-cmd", NULL);
    int64_t retries;
    if (!docker_duration(command, "health-interval", &spec->health.interval_ns) ||
        !docker_duration(command, "health-timeout", &spec->health.timeout_ns) ||
        !docker_duration(command, "health-start-period", &spec->health.start_period_ns) ||
        !docker_number(command, "health-retries", "--health-retries", &retries))
        return 125;
    if (test && options_has(options, "no-healthcheck"))
        return complain(command, "--no-healthcheck conflicts with --health-* options");
    spec->health.retries = retries > 0 ? (int)retries : 0;
    if (test)
        spec->health.test = arena_printf(command->call->arena, "CMD-SHELL %s", test);
    return 0;
}

/* All that stands on the command line; 0 or an exit status, after the message. */
static int read_spec(struct docker_command *command, struct container_spec *spec)
{
    const struct options *options = &command->options;
    const char *const unmodelled[] = {"volumes-from", "link", NULL};
    const char **env = NULL;
    int64_t grace_s;
    for (int i = 0; unmodelled[i]; i++) {
        if (options_value(options, unmodelled[i], NULL))
            return not_simulated(command,
                                 arena_printf(command->call->arena, "--%s", unmodelled[i]));
    }
    const char *pull = options_value(options, "pull", "missing");
    if (strcmp(pull, "always") && strcmp(pull, "missing") && strcmp(pull, "never"))
        return complain(command, arena_printf(command->call->arena,
                                              "invalid pull option: '%s': must be one of "
                                              "\"always\", \"missing\" or \"never\"",
                                              pull));
    if (!docker_number(command, "stop-timeout", "--stop-timeout", &grace_s))
        return 125;
    spec->stop_grace_ns = grace_s > 0 ? grace_s * SECOND : 0;
    int failed = read_health(command, spec);
    failed = failed ? failed : read_env(command, &env);
    failed = failed ? failed : read_ports(command, spec);
    failed = failed ? failed : read_restart(command, spec);
    failed = failed ? failed : read_mounts(command, spec);
    spec->env = env;
    return failed;
}

/* The image is here, or is pulled; 0 or an exit status, after the message. */
static int want_image(struct docker_command *command, const char *image)
{
    struct call *call = command->call;
    const char *repository, *tag, *pull = options_value(&command->options, "pull", "missing");
    const char *why = docker_reference(call->arena, image, &repository, &tag);
    if (why && is_run(command))
        return complain(command, why);
    if (why) {
        call_err(call, "%s\n", why);
        return 1;
    }
    bool here = docker_image_here(command->docker, image) != NULL;
    if (here && strcmp(pull, "always") != 0)
        return 0;
    if (!here && strcmp(pull, "never") == 0)
        return refused(command, arena_printf(call->arena, "No such image: %s:%s", repository, tag));
    if (!here)
        call_err(call, "Unable to find image '%s:%s' locally\n", repository, tag);
    bool daemon, quiet = options_has(&command->options, "quiet");
    why = docker_pull_progress(call, command->docker, image, quiet ? -1 : 2, &daemon);
    if (why && !daemon && is_run(command))
        return complain(command, why);
    return why ? refused(command, why) : 0;
}

/* A root of its own: a spare one, filled like that of a container of this image; else that
 * container's. */
static void choose_place(struct docker *docker, struct container_spec *spec)
{
    for (int i = 0; i < docker->n_containers; i++) {
        const struct container *container = docker->containers[i];
        if (container->image == docker_image_here(docker, spec->image) &&
            docker_has_root(container))
            spec->like = container->spec.like ? container->spec.like : container->place;
    }
    spec->place = docker_spare_place(docker);
    if (!spec->place)
        spec->place = spec->like;
}

static struct container *create(struct docker_command *command, int *ret_status)
{
    struct call *call = command->call;
    struct docker *docker = command->docker;
    const struct options *options = &command->options;
    const char *image = options->args[0], *why;
    const char *entrypoint = options_value(options, "entrypoint", NULL);
    struct container_spec spec = {
        .name = options_value(options, "name", NULL),
        .image = image,
        .command = options->args[1] ? (const char *const *)(options->args + 1) : NULL,
        .labels = values(command, "label"),
        .networks = options_value(options, "network", NULL) ? values(command, "network")
                    : options_value(options, "net", NULL)   ? values(command, "net")
                                                            : NULL,
        .hostname = options_value(options, "hostname", NULL),
        .user = options_value(options, "user", NULL),
        .folder = options_value(options, "workdir", NULL),
        .remove_at_end = options_has(options, "rm"),
        .tty = options_has(options, "tty"),
        .open_stdin = options_has(options, "interactive"),
    };
    spec.for_command = options->args[1] && is_run(command) && !options_has(options, "detach");
    if (entrypoint && entrypoint[0]) {
        const char **words = ARENA_ARRAY(call->arena, const char *, options->n_args + 2);
        words[0] = entrypoint;
        for (int i = 1; i < options->n_args; i++)
            words[i] = options->args[i];
        spec.command = words;
        spec.for_command = is_run(command) && !options_has(options, "detach");
    }
    *ret_status = read_spec(command, &spec);
    if (!*ret_status)
        *ret_status = want_image(command, image);
    if (*ret_status)
        return NULL;
    if (!spec.name)
        spec.name = name_for(docker, call->arena);
    choose_place(docker, &spec);
    struct container *container = docker_create(docker, &spec, &why);
    if (!container) {
        *ret_status = refused(command, why);
        return NULL;
    }
    const char *id_file = options_value(options, "cidfile", NULL);
    if (id_file)
        call_save(call, id_file, container->id, strlen(container->id), 0644);
    call_sleep(call, DOCKER_CREATE_NS);
    return container;
}

/* A command given to an image that holds it as a tool, or a shell, runs to its end in the
 * foreground. */
static int run_command(struct docker_command *command, struct container *container)
{
    const char *const *given = container->spec.command;
    if (!docker_has_root(container)) {
        record_observe(command->call->env->record, "not_simulated", given[0],
                       "a command in a new container of '%s' is not simulated: too many such "
                       "containers are there already",
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
        .starts = true,
    };
    int n = 0;
    while (given[n])
        n++;
    char **argv = ARENA_ARRAY(command->call->arena, char *, n + 1);
    for (int i = 0; i < n; i++)
        argv[i] = arena_strdup(command->call->arena, given[i]);
    int status = docker_exec(command->call, container, argv, &exec_options);
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
    bool detached = options_has(options, "detach");
    int status;
    if (options_has(options, "interactive") && options_has(options, "tty") && !detached &&
        !call_isatty(call, 0)) {
        call_err(call, "the input device is not a TTY\n");
        return 1;
    }
    struct container *container = create(command, &status);
    if (!container)
        return status;
    bool own_command = container->spec.for_command;
    if (own_command && container->instance) { /* it runs the command, not the service */
        instance_free(container->instance);
        container->instance = NULL;
    }
    const char *why = docker_start(container);
    call_sleep(call, DOCKER_START_NS);
    if (why)
        return refused(command, why);
    if (detached) {
        call_out(call, "%s\n", container->id);
        return 0;
    }
    if (own_command)
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
    return container ? 0 : status;
}

#define CREATE_WORDS                                                                               \
    "add-host= annotation= attach|a= blkio-weight-device= blkio-weight= cap-add= cap-drop= "       \
    "cgroup-parent= cgroupns= cidfile= cpu-count= cpu-percent= cpu-period= cpu-quota= "            \
    "cpu-rt-period= cpu-rt-runtime= cpu-shares|c= cpus= cpuset-cpus= cpuset-mems= "                \
    "device-cgroup-rule= device-read-bps= device-read-iops= device-write-bps= "                    \
    "device-write-iops= device= disable-content-trust dns-option= dns-search= dns= domainname= "   \
    "entrypoint= env-file= env|e= expose= gpus= group-add= health-cmd= health-interval= "          \
    "health-retries= health-start-interval= health-start-period= health-timeout= hostname|h= "     \
    "init interactive|i io-maxbandwidth= io-maxiops= ip6= ip= ipc= isolation= kernel-memory= "     \
    "label-file= label|l= link-local-ip= link= log-driver= log-opt= mac-address= "                 \
    "memory-reservation= memory-swap= memory-swappiness= memory|m= mount= name= net= "             \
    "network-alias= network= no-healthcheck oom-kill-disable oom-score-adj= pid= pids-limit= "     \
    "platform= privileged publish-all|P publish|p= pull= quiet|q read-only restart= rm runtime= "  \
    "security-opt= shm-size= stop-signal= stop-timeout= storage-opt= sysctl= tmpfs= tty|t "        \
    "ulimit= use-api-socket userns= user|u= uts= volume-driver= volumes-from= volume|v= "          \
    "workdir|w="

const struct docker_verb docker_run_verbs[] = {
    {"run", "run [OPTIONS] IMAGE [COMMAND] [ARG...]",
     CREATE_WORDS " detach|d detach-keys= sig-proxy", false, 1, -1, run},
    {"create", "create [OPTIONS] IMAGE [COMMAND] [ARG...]", CREATE_WORDS, false, 1, -1,
     create_only},
    {0},
};
