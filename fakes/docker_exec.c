/* docker exec: a command in a container; docker logs: what its program wrote. */
#include <string.h>

#include "fakes/docker_command.h"
#include "fakes/inside.h"

/* ---- exec ---- */

static char **environment(struct call *call, struct container *container,
                          const struct exec_options *options)
{
    int n = 0, n_own = 0, n_more = 0;
    while (container->env[n_own])
        n_own++;
    while (options->env && options->env[n_more])
        n_more++;
    char **envp = ARENA_ARRAY(call->arena, char *, n_own + n_more + 4);
    const char *hostname = container->spec.hostname;
    envp[n++] = arena_strdup(call->arena,
                             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    envp[n++] = hostname ? arena_printf(call->arena, "HOSTNAME=%s", hostname)
                         : arena_printf(call->arena, "HOSTNAME=%.12s", container->id);
    envp[n++] = arena_strdup(call->arena, "HOME=/root");
    for (int i = 0; i < n_own + n_more; i++) {
        const char *word = i < n_own ? container->env[i] : options->env[i - n_own];
        size_t len = strcspn(word, "=");
        int at = 0;
        while (at < n && (strncmp(envp[at], word, len) != 0 || envp[at][len] != '='))
            at++;
        envp[at] = arena_strdup(call->arena, word);
        n += at == n;
    }
    return envp;
}

static struct visit *enter(struct call *call, void *container)
{
    return docker_enter(call, container);
}

int docker_exec(struct call *call, struct container *container, char **argv,
                const struct exec_options *options)
{
    if (options->tty && options->interactive && !call_isatty(call, 0)) {
        call_err(call, "the input device is not a TTY\n");
        return 1;
    }
    if (container->state == CONTAINER_PAUSED)
        return docker_daemon_error(
            call, "Container %s is paused, unpause the container before exec", container->id);
    if (container->state == CONTAINER_RESTARTING)
        return docker_daemon_error(
            call, "Container %s is restarting, wait until the container is running", container->id);
    if (container->state != CONTAINER_RUNNING)
        return docker_daemon_error(call, "Container %s is not running", container->id);
    call_sleep(call, DOCKER_EXEC_NS);
    char **envp = environment(call, container, options);
    struct inside inside = {
        .place = container->place,
        .like = container->spec.like ? container->spec.like : container->place,
        .has_root = docker_has_root(container),
        .tools = container->image->tools,
        .envp = envp,
        .folder = options->folder ? options->folder : container->spec.folder,
        .interactive = options->interactive,
        .enter = enter,
        .ctx = container,
    };
    int status = inside_run(call, &inside, argv);
    if (status != INSIDE_NOT_FOUND)
        return status;
    if (options->starts) { /* what it was made for cannot start: 127, and the whole client fails */
        const char *run = "\n\nRun 'docker run --help' for more information\n";
        call_err(
            call,
            "docker: Error response from daemon: failed to create task for container: failed to "
            "create shim task: OCI runtime create failed: runc create failed: unable to start "
            "container process: exec: \"%s\": %s: unknown%s",
            argv[0],
            strchr(argv[0], '/')
                ? arena_printf(call->arena, "stat %s: no such file or directory", argv[0])
                : "executable file not found in $PATH",
            run);
        return 127;
    }
    /* The daemon writes this into the stream of the command's output, with a carriage return. */
    if (strchr(argv[0], '/'))
        call_out(call,
                 "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                 "\"%s\": stat %s: no such file or directory: unknown\r\n",
                 argv[0], argv[0]);
    else
        call_out(call,
                 "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                 "\"%s\": executable file not found in $PATH: unknown\r\n",
                 argv[0]);
    /* 126 from engines before 23, which did not tell the two apart (moby, daemon/exec.go); 127
     * since. */
    return leading_int(container->docker->server_version) < 23 ? 126 : 127;
}

/* ---- logs ---- */

bool docker_instant(struct call *call, const char *text, int64_t *ret_ns)
{
    int64_t value;
    const struct docker *docker = docker_of(call->env);
    if (parse_time(str_of(text), &value)) {
        *ret_ns = value - docker->env->start_unix_ns;
        return true;
    }
    static const char *const endings[] = {"Z", ":00Z",
                                          "T00:00:00Z"}; /* without zone: the machine's, UTC */
    for (int i = 0; i < 3; i++) {
        if (parse_time(str_of(arena_printf(call->arena, "%s%s", text, endings[i])), &value)) {
            *ret_ns = value - docker->env->start_unix_ns;
            return true;
        }
    }
    if (str_int64(str_of(text), &value)) {
        *ret_ns = value * SECOND - docker->env->start_unix_ns;
        return true;
    }
    if (parse_duration(str_of(text), &value)) {
        *ret_ns = call_now(call) - value;
        return true;
    }
    return false;
}

static bool wanted(const struct docker_log_line *line, const struct log_options *options)
{
    return (options->since_ns == NEVER || line->at_ns >= options->since_ns) &&
           (options->until_ns == NEVER || line->at_ns <= options->until_ns);
}

/* Lines [from, to) in as few writes as their streams allow. The text is in the call's arena: the
 * process may be killed in any write. */
static void write_lines(struct call *call, struct container *container, int64_t from, int64_t to,
                        const struct log_options *options)
{
    while (from < to) {
        bool is_error = container->log[from].is_error;
        struct buf text;
        buf_init(&text, 16 << 20);
        for (; from < to && container->log[from].is_error == is_error; from++) {
            const struct docker_log_line *line = &container->log[from];
            if (!wanted(line, options))
                continue;
            if (options->times)
                buf_printf(&text, "%s ", docker_time(container->docker, call->arena, line->at_ns));
            buf_printf(&text, "%s\n", line->text);
        }
        const char *copy = arena_str(call->arena, buf_text(&text));
        size_t len = text.len;
        buf_release(&text);
        int64_t dropped = container->dropped_log;
        call_write(call, is_error ? 2 : 1, copy, len);
        from -= container->dropped_log - dropped; /* time may have passed in the write */
        to -= container->dropped_log - dropped;
        from = from < 0 ? 0 : from;
    }
}

int docker_logs(struct call *call, struct container *container, const struct log_options *options)
{
    int first = 0, seen = 0;
    for (int i = container->n_log - 1; i >= 0 && options->tail >= 0; i--) {
        if (wanted(&container->log[i], options) && ++seen > options->tail) {
            first = i + 1;
            break;
        }
    }
    int64_t next = container->dropped_log + container->n_log;
    write_lines(call, container, first, container->n_log, options);
    struct log_options following = *options;
    following.since_ns = NEVER;
    while (options->follow && !container->removed && container_running(container)) {
        if (call_sleep(call, SECOND))
            return 130;
        int64_t from = next - container->dropped_log;
        next = container->dropped_log + container->n_log;
        write_lines(call, container, from > 0 ? from : 0, container->n_log, &following);
    }
    return 0;
}
