/* Probes: the kubelet asks a program how it is, again and again.
 *
 * Follows k8s.io/kubernetes pkg/kubelet/prober/worker.go. A probe whose answer is what it was, and
 * that has said its verdict, rests until the program's state changes: nothing would come of it.
 */
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"

static const char *const keys[PROBES] = {"startupProbe", "readinessProbe", "livenessProbe"};

static const cJSON *probe_spec(const struct pod_container *container, enum probe_kind kind)
{
    return json_at(container_spec(container), keys[kind]);
}

/* Two probes that ask the same get the same answer. */
static bool same_question(const cJSON *a, const cJSON *b)
{
    static const char *const handlers[] = {"httpGet", "exec", "tcpSocket", "grpc"};
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        const cJSON *one = json_at(a, handlers[i]), *other = json_at(b, handlers[i]);
        if (one || other)
            return one && other && cJSON_Compare(one, other, true);
    }
    return false;
}

/* What the program answers. A port that is open says nothing of health. A liveness or startup probe
 * that asks something else than readiness asks only whether the program is alive: that is why they
 * are two. */
static bool answers(const struct pod_container *container, enum probe_kind kind)
{
    if (!container->instance)
        return true;
    enum instance_state state = instance_state(container->instance);
    if (state == INSTANCE_READY || state == INSTANCE_STOPPED)
        return state == INSTANCE_READY;
    if (state == INSTANCE_STARTING)
        return false;
    const cJSON *probe = probe_spec(container, kind);
    const cJSON *readiness = probe_spec(container, PROBE_READINESS);
    if (json_at(probe, "tcpSocket"))
        return true;
    return kind != PROBE_READINESS && readiness && !same_question(probe, readiness);
}

static int64_t setting_s(const cJSON *probe, const char *key, int64_t otherwise)
{
    int64_t value = json_int(probe, key, otherwise);
    return value > 0 ? value : otherwise;
}

void probes_start(struct pod_container *container)
{
    int64_t now = controllers_now(container->pod->controllers);
    bool settled = controllers_before_run(container->pod->controllers);
    for (enum probe_kind kind = 0; kind < PROBES; kind++) {
        const cJSON *probe = probe_spec(container, kind);
        struct pod_probe *state = &container->probes[kind];
        *state = (struct pod_probe){.next_ns = INT64_MAX};
        state->ok = !probe || kind == PROBE_LIVENESS || (settled && answers(container, kind));
        state->last = state->ok;
        if (probe && !(settled && state->ok))
            state->next_ns = now + setting_s(probe, "initialDelaySeconds", 0) * SECOND;
    }
}

bool container_is_started(const struct pod_container *container)
{
    return container->step == STEP_RUNS && container->probes[PROBE_STARTUP].ok;
}

bool container_is_ready(const struct pod_container *container)
{
    return (container->step == STEP_RUNS || container->step == STEP_STOPPING) &&
           container->probes[PROBE_STARTUP].ok && container->probes[PROBE_READINESS].ok;
}

static const char *failure(const struct pod_container *container, const cJSON *probe)
{
    struct arena *arena = cluster_arena(container->pod->controllers->cluster);
    const char *ip = container->pod->ip;
    bool listens = instance_state(container->instance) == INSTANCE_FAILING;
    const cJSON *http = json_at(probe, "httpGet"), *port = json_at(http, "port");
    if (json_at(probe, "exec"))
        return "";
    if (!port)
        port = json_at(probe, "tcpSocket", "port");
    if (!port)
        return "service unhealthy (responded with \"NOT_SERVING\")";
    if (listens)
        return "HTTP probe failed with statuscode: 503";
    const char *address = arena_printf(
        arena, "%s:%s", ip,
        cJSON_IsNumber(port) ? arena_printf(arena, "%d", port->valueint) : port->valuestring);
    const char *path = json_text(http, "path");
    if (!http)
        return arena_printf(arena, "dial tcp %s: connect: connection refused", address);
    return arena_printf(arena, "Get \"http://%s%s\": dial tcp %s: connect: connection refused",
                        address, path ? path : "/", address);
}

static const char *const names[PROBES] = {"Startup", "Readiness", "Liveness"};

static void kill_container(struct pod_container *container, enum probe_kind kind,
                           const cJSON *probe)
{
    struct arena *arena = cluster_arena(container->pod->controllers->cluster);
    int64_t grace_s =
        json_int(spec_of(container->pod->object), "terminationGracePeriodSeconds", 30);
    grace_s = json_int(probe, "terminationGracePeriodSeconds", grace_s);
    container_stop(container, grace_s * SECOND,
                   arena_printf(arena, "Container %s failed %s probe, will be restarted",
                                container->name, kind == PROBE_LIVENESS ? "liveness" : "startup"));
}

static void ask(struct pod_container *container, enum probe_kind kind)
{
    const cJSON *probe = probe_spec(container, kind);
    struct pod_probe *state = &container->probes[kind];
    bool good = answers(container, kind);
    int64_t now = controllers_now(container->pod->controllers);
    int64_t threshold =
        setting_s(probe, good ? "successThreshold" : "failureThreshold", good ? 1 : 3);
    state->in_a_row = good == state->last ? state->in_a_row + 1 : 1;
    state->last = good;
    state->next_ns = now + setting_s(probe, "periodSeconds", 10) * SECOND;
    if (!good)
        tell(container->pod->controllers, container->pod->object, "Warning", "Unhealthy", "kubelet",
             "%s probe failed: %s", names[kind], failure(container, probe));
    if (state->in_a_row < threshold)
        return;
    state->ok = good;
    if (good)
        state->next_ns = INT64_MAX; /* rests */
    else if (kind != PROBE_READINESS)
        kill_container(container, kind, probe);
}

void probes_run(struct pod_container *container, int64_t *next_ns)
{
    int64_t now = controllers_now(container->pod->controllers);
    for (enum probe_kind kind = 0; kind < PROBES; kind++) {
        struct pod_probe *state = &container->probes[kind];
        bool waits = kind != PROBE_STARTUP && !container->probes[PROBE_STARTUP].ok;
        if (container->step != STEP_RUNS)
            return;
        if (state->next_ns <= now && waits)
            state->next_ns =
                now + setting_s(probe_spec(container, kind), "periodSeconds", 10) * SECOND;
        if (state->next_ns <= now)
            ask(container, kind);
        *next_ns = state->next_ns < *next_ns ? state->next_ns : *next_ns;
    }
}

/* The next time that it would have asked, had it not rested. */
void probes_wake(struct pod_container *container)
{
    int64_t now = controllers_now(container->pod->controllers);
    for (enum probe_kind kind = PROBE_READINESS; kind < PROBES; kind++) {
        struct pod_probe *state = &container->probes[kind];
        const cJSON *probe = probe_spec(container, kind);
        if (!probe || state->next_ns != INT64_MAX || answers(container, kind) == state->last)
            continue;
        int64_t period_ns = setting_s(probe, "periodSeconds", 10) * SECOND;
        int64_t first = container->started_ns + setting_s(probe, "initialDelaySeconds", 0) * SECOND;
        state->next_ns = first + ((now - first) / period_ns + 1) * period_ns;
        state->in_a_row = 0;
    }
}
