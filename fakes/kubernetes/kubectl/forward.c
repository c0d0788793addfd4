/* kubectl port-forward: until it is stopped, a port of this machine leads to one pod
 * (k8s.io/kubectl pkg/cmd/portforward, k8s.io/client-go tools/portforward). */
#include <string.h>

#include "fakes/kubernetes/kubectl/exec.h"
#include "fakes/kubernetes/kubectl/forwards.h"

struct forwarding {
    struct kubectl *k;
    struct object *pod;
    const struct object *service; /* NULL: a pod or workload was named */
    int local[32], remote[32];
    int n;
};

/* A port of the pod by its name; 0 and said: it has none of that name. */
static int named_port(const struct forwarding *f, const char *name)
{
    const struct object *pod = f->pod;
    const cJSON *container, *port;
    cJSON_ArrayForEach(container, json_at(pod->json, "spec", "containers"))
        cJSON_ArrayForEach(port, json_at(container, "ports"))
    {
        const char *its = json_text(port, "name");
        if (its && strcmp(its, name) == 0)
            return (int)json_int(port, "containerPort", 0);
    }
    kubectl_error(f->k, "Pod '%s' does not have a named port '%s'", pod->name, name);
    return 0;
}

/* The pod's port behind a Service's, by number or name; 0 and said why. */
static int service_port(const struct forwarding *f, const char *typed)
{
    int64_t number = 0;
    const cJSON *port;
    str_int64(str_of(typed), &number);
    cJSON_ArrayForEach(port, json_at(f->service->json, "spec", "ports"))
    {
        const cJSON *target = json_at(port, "targetPort");
        const char *name = json_text(port, "name");
        if (number ? json_int(port, "port", 0) != number : !name || strcmp(name, typed) != 0)
            continue;
        if (cJSON_IsString(target))
            return named_port(f, target->valuestring);
        return cJSON_IsNumber(target) ? target->valueint : (int)json_int(port, "port", 0);
    }
    if (number)
        kubectl_error(f->k, "Service %s does not have a service port %d", f->service->name,
                      (int)number);
    else
        kubectl_error(f->k, "Service '%s' does not have a named port '%s'", f->service->name,
                      typed);
    return 0;
}

static int remote_port(const struct forwarding *f, const char *typed)
{
    int64_t number;
    if (f->service)
        return service_port(f, typed);
    if (str_int64(str_of(typed), &number)) {
        if (number > 0 && number < 65536)
            return (int)number;
        kubectl_error(f->k, "remote port must be > 0");
        return 0;
    }
    return named_port(f, typed);
}

/* "8080", "8080:80", ":80" */
static bool read_port(struct forwarding *f, const char *typed)
{
    struct str rest = str_of(typed);
    const char *first = arena_str(f->k->arena, str_cut(&rest, ':'));
    const char *then = strchr(typed, ':') ? arena_str(f->k->arena, rest) : first;
    int64_t local = 0;
    if (strchr(then, ':') || !*then) {
        kubectl_error(f->k, "invalid port format '%s'", typed);
        return false;
    }
    int remote = remote_port(f, then);
    if (!remote)
        return false;
    if (then == first) {
        if (!str_int64(str_of(first), &local))
            local = remote;
    } else if (*first && (!str_int64(str_of(first), &local) || local < 0 || local > 65535)) {
        kubectl_error(f->k,
                      "error parsing local port '%s': strconv.ParseUint: parsing \"%s\": "
                      "invalid syntax",
                      first, first);
        return false;
    }
    if (local == 0)
        local = 40000 + f->n; /* a free one */
    f->local[f->n] = (int)local;
    f->remote[f->n++] = remote;
    return true;
}

static void end_all(void *ctx)
{
    const struct forwarding *f = ctx;
    for (int i = 0; i < f->n; i++)
        if (f->local[i])
            forward_end(f->k->call->env, f->local[i]);
}

int kubectl_port_forward(struct kubectl *k)
{
    int failed;
    struct forwarding *f = ARENA_NEW(k->arena, struct forwarding);
    f->k = k;
    if (k->n_args < 2)
        return kubectl_usage(k, "TYPE/NAME and list of ports are required for port-forward");
    struct object *named = kubectl_pod_or_owner(k, k->args[0], false, &failed);
    if (!named)
        return failed;
    f->pod = kubectl_pod_to_attach(k, k->args[0], &failed);
    if (!f->pod)
        return failed;
    f->service = strcmp(named->kind->name, "Service") == 0 ? named : NULL;
    for (int i = 1; i < k->n_args && f->n < 32; i++)
        if (!read_port(f, k->args[i]))
            return 1;
    const char *phase = json_text(f->pod->json, "status", "phase");
    if (!phase || strcmp(phase, "Running") != 0)
        return kubectl_error(k,
                             "unable to forward port because pod is not running. Current status=%s",
                             phase ? phase : "");
    int n = f->n;
    f->n = 0;
    call_defer(k->call, end_all, f);
    for (; f->n < n; f->n++) {
        if (!forward_begin(k->call->env, f->local[f->n], f->pod, f->remote[f->n])) {
            call_err(k->call,
                     "Unable to listen on port %d: Listeners failed to create with the following "
                     "errors: [unable to create listener: Error listen tcp4 127.0.0.1:%d: bind: "
                     "address already in use unable to create listener: Error listen tcp6 "
                     "[::1]:%d: bind: address already in use]\n",
                     f->local[f->n], f->local[f->n], f->local[f->n]);
            return kubectl_error(k, "unable to listen on any of the requested ports: [{%d %d}]",
                                 f->local[f->n], f->remote[f->n]);
        }
        call_out(k->call, "Forwarding from 127.0.0.1:%d -> %d\nForwarding from [::1]:%d -> %d\n",
                 f->local[f->n], f->remote[f->n], f->local[f->n], f->remote[f->n]);
    }
    while (!f->pod->gone)
        if (call_sleep(k->call, SECOND))
            return 130;
    return kubectl_error(k, "lost connection to pod");
}
