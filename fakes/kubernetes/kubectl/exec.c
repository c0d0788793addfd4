/* kubectl exec: a command in a container (k8s.io/kubectl pkg/cmd/exec). */
#include "fakes/kubernetes/kubectl/exec.h"

#include <string.h>

#include "fakes/docker.h"

/* How long the API server, the kubelet and containerd take to start a process. */
#define EXEC_NS (80 * MILLISECOND)

void kubectl_check_terminal(struct kubectl *k)
{
    if (options_has(&k->options, "tty") && !options_has(&k->options, "quiet") &&
        !call_isatty(k->call, 0))
        call_err(k->call,
                 "Unable to use a TTY - input is not a terminal or the right kind of file\n");
}

int kubectl_ended(struct kubectl *k, int status)
{
    if (status)
        call_err(k->call, "command terminated with exit code %d\n", status);
    return status;
}

int kubectl_not_found(struct kubectl *k, const struct object *pod, const char *program)
{
    char id[65];
    docker_hex(arena_printf(k->arena, "exec %s %s", pod->name, program), id);
    const char *why = strchr(program, '/')
                          ? arena_printf(k->arena, "stat %s: no such file or directory", program)
                          : "executable file not found in $PATH";
    return kubectl_error(
        k,
        "Internal error occurred: error executing command in container: failed to "
        "exec in container: failed to start exec \"%s\": OCI runtime exec failed: "
        "exec failed: unable to start container process: exec: \"%s\": %s: unknown",
        id, program, why);
}

/* "kill 1" ends the container's program, as `sh -c "kill 1"` does. */
static bool is_kill(char **argv)
{
    const char *word = argv[0];
    if ((strcmp(word, "sh") == 0 || strcmp(word, "bash") == 0 || strcmp(word, "/bin/sh") == 0) &&
        argv[1] && strcmp(argv[1], "-c") == 0 && argv[2] && !argv[3])
        return strcmp(argv[2], "kill 1") == 0 || strcmp(argv[2], "kill -TERM 1") == 0 ||
               strcmp(argv[2], "kill -15 1") == 0;
    if (strcmp(word, "kill") != 0 || !argv[1])
        return false;
    if (!argv[2])
        return strcmp(argv[1], "1") == 0;
    return !argv[3] && strcmp(argv[2], "1") == 0 &&
           (strcmp(argv[1], "-TERM") == 0 || strcmp(argv[1], "-15") == 0);
}

static int run_exec(struct kubectl *k)
{
    int failed;
    const char *file = options_value(&k->options, "filename", NULL);
    char **argv = k->behind_dashes;
    if (k->n_args == 0 && !file)
        return kubectl_error(k, "pod, type/name or --filename must be specified");
    if (file)
        return kubectl_refuse(k, "kubectl exec -f");
    if (!argv && k->n_args > 1)
        return kubectl_usage(k, "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- "
                                "[COMMAND] instead");
    if (!argv || !argv[0])
        return kubectl_error(k, "you must specify at least one command for the container");
    struct object *pod = kubectl_pod_to_attach(k, k->args[0], &failed);
    if (!pod)
        return failed;
    const char *container = options_value(&k->options, "container", "");
    const char *phase = json_text(pod->json, "status", "phase");
    bool over = phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
    if (!*container && !over)
        container = kubectl_default_container(k, pod, options_has(&k->options, "quiet"));
    bool interactive = options_has(&k->options, "stdin");
    if (interactive)
        kubectl_check_terminal(k);
    const char *why = kubectl_cannot_enter(k, pod, container);
    if (why) {
        call_err(k->call, "%s\n", why);
        return 1;
    }
    call_sleep(k->call, EXEC_NS);
    if (pod->gone || !pod_container_running(pod, container)) {
        call_err(k->call, "%s\n", kubectl_cannot_enter(k, pod, container));
        return 1;
    }
    if (is_kill(argv)) {
        pod_kill(pod, container, 128 + 15);
        return 0;
    }
    int status = kubectl_run_inside(k, pod, container, argv, interactive);
    return status < 0 ? kubectl_not_found(k, pod, argv[0]) : kubectl_ended(k, status);
}

static int run_attach(struct kubectl *k)
{
    if (k->n_args == 0)
        return kubectl_error(k, "at least 1 argument is required for attach");
    return kubectl_refuse(k, "kubectl attach");
}

#define INTO " container|c= stdin|i tty|t quiet|q pod-running-timeout="

const struct kubectl_command kubectl_exec_commands[] = {
    {"exec", "filename|f=" INTO, run_exec},
    {"attach", INTO, run_attach},
    {"cp", "container|c= no-preserve retries=", kubectl_cp},
    {"run",
     "image= restart= env= labels|l= port= command rm attach expose annotations= privileged "
     "overrides= override-type= image-pull-policy= leave-stdin-open grace-period= cascade= force "
     "timeout= wait save-config" INTO KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS KUBECTL_PRINT_FLAGS
     " record",
     kubectl_run_pod},
    {"port-forward", "address= pod-running-timeout=", kubectl_port_forward},
    {NULL, NULL, NULL},
};
