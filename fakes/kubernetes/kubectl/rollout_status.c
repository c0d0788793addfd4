/* kubectl rollout status: a line for each change, until the rollout is over (k8s.io/kubectl
 * pkg/polymorphichelpers rollout_status.go, pkg/cmd/rollout rollout_status.go). */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/rollout.h"

struct progress {
    const char *text; /* a line */
    bool done;
    const char *wrong; /* NULL, or why this can come to no good end */
};

static struct progress waiting(const char *text)
{
    return (struct progress){text, false, NULL};
}

static struct progress done(const char *text)
{
    return (struct progress){text, true, NULL};
}

static struct progress wrong(const char *why)
{
    return (struct progress){NULL, false, why};
}

static const cJSON *condition(const cJSON *json, const char *type)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(json, "status", "conditions"))
    {
        const char *its = json_text(one, "type");
        if (its && strcmp(its, type) == 0)
            return one;
    }
    return NULL;
}

static bool observed(const cJSON *json)
{
    return json_int(json_at(json, "metadata"), "generation", 0) <=
           json_int(json_at(json, "status"), "observedGeneration", 0);
}

static struct progress deployment(struct arena *arena, const char *name, const cJSON *json,
                                  int64_t revision)
{
    const cJSON *status = json_at(json, "status");
    int64_t want = json_int(json_at(json, "spec"), "replicas", 0);
    int64_t updated = json_int(status, "updatedReplicas", 0);
    int64_t replicas = json_int(status, "replicas", 0);
    int64_t available = json_int(status, "availableReplicas", 0);
    const char *reason = json_text(condition(json, "Progressing"), "reason");
    const char *now =
        json_text(json, "metadata", "annotations", "deployment.kubernetes.io/revision");
    int64_t running = 0;
    if (now)
        str_int64(str_of(now), &running);
    if (revision > 0 && running != revision)
        return wrong(arena_printf(arena,
                                  "desired revision (%" PRId64 ") is different from the running "
                                  "revision (%" PRId64 ")",
                                  revision, running));
    if (!observed(json))
        return waiting("Waiting for deployment spec update to be observed...");
    if (reason && strcmp(reason, "ProgressDeadlineExceeded") == 0)
        return wrong(arena_printf(arena, "deployment \"%s\" exceeded its progress deadline", name));
    if (updated < want)
        return waiting(arena_printf(arena,
                                    "Waiting for deployment \"%s\" rollout to finish: %" PRId64
                                    " out of %" PRId64 " new replicas have been updated...",
                                    name, updated, want));
    if (replicas > updated)
        return waiting(arena_printf(arena,
                                    "Waiting for deployment \"%s\" rollout to finish: %" PRId64
                                    " old replicas are pending termination...",
                                    name, replicas - updated));
    if (available < updated)
        return waiting(arena_printf(arena,
                                    "Waiting for deployment \"%s\" rollout to finish: %" PRId64
                                    " of %" PRId64 " updated replicas are available...",
                                    name, available, updated));
    return done(arena_printf(arena, "deployment \"%s\" successfully rolled out", name));
}

static const char *not_rolling(const cJSON *json)
{
    const char *type = json_text(json, "spec", "updateStrategy", "type");
    return type && strcmp(type, "RollingUpdate") != 0
               ? "rollout status is only available for RollingUpdate strategy type"
               : NULL;
}

static struct progress daemon_set(struct arena *arena, const char *name, const cJSON *json,
                                  int64_t revision)
{
    const cJSON *status = json_at(json, "status");
    int64_t want = json_int(status, "desiredNumberScheduled", 0);
    int64_t updated = json_int(status, "updatedNumberScheduled", 0);
    int64_t available = json_int(status, "numberAvailable", 0);
    (void)revision;
    if (not_rolling(json))
        return wrong(not_rolling(json));
    if (!observed(json))
        return waiting("Waiting for daemon set spec update to be observed...");
    if (updated < want)
        return waiting(arena_printf(arena,
                                    "Waiting for daemon set \"%s\" rollout to finish: %" PRId64
                                    " out of %" PRId64 " new pods have been updated...",
                                    name, updated, want));
    if (available < want)
        return waiting(arena_printf(arena,
                                    "Waiting for daemon set \"%s\" rollout to finish: %" PRId64
                                    " of %" PRId64 " updated pods are available...",
                                    name, available, want));
    return done(arena_printf(arena, "daemon set \"%s\" successfully rolled out", name));
}

static struct progress stateful_set(struct arena *arena, const char *name, const cJSON *json,
                                    int64_t revision)
{
    const cJSON *status = json_at(json, "status");
    const cJSON *rolling = json_at(json, "spec", "updateStrategy", "rollingUpdate");
    int64_t want = json_int(json_at(json, "spec"), "replicas", 1);
    int64_t ready = json_int(status, "readyReplicas", 0);
    int64_t updated = json_int(status, "updatedReplicas", 0);
    const char *update = json_text(status, "updateRevision");
    const char *current = json_text(status, "currentRevision");
    (void)name;
    (void)revision;
    if (not_rolling(json))
        return wrong(not_rolling(json));
    if (json_int(status, "observedGeneration", 0) == 0 || !observed(json))
        return waiting("Waiting for statefulset spec update to be observed...");
    if (ready < want)
        return waiting(
            arena_printf(arena, "Waiting for %" PRId64 " pods to be ready...", want - ready));
    if (rolling) {
        int64_t some = want - json_int(rolling, "partition", 0);
        if (json_at(rolling, "partition") && updated < some)
            return waiting(arena_printf(arena,
                                        "Waiting for partitioned roll out to finish: %" PRId64
                                        " out of %" PRId64 " new pods have been updated...",
                                        updated, some));
        return done(arena_printf(
            arena, "partitioned roll out complete: %" PRId64 " new pods have been updated...",
            updated));
    }
    if (update && (!current || strcmp(update, current) != 0))
        return waiting(arena_printf(arena,
                                    "waiting for statefulset rolling update to complete %" PRId64
                                    " pods at revision %s...",
                                    updated, update));
    return done(arena_printf(
        arena, "statefulset rolling update complete %" PRId64 " pods at revision %s...",
        json_int(status, "currentReplicas", 0), current ? current : ""));
}

static struct progress (*viewer_of(const struct kind *kind))(struct arena *, const char *,
                                                             const cJSON *, int64_t)
{
    if (strcmp(kind->group, "apps") != 0)
        return NULL;
    if (strcmp(kind->name, "Deployment") == 0)
        return deployment;
    if (strcmp(kind->name, "StatefulSet") == 0)
        return stateful_set;
    return strcmp(kind->name, "DaemonSet") == 0 ? daemon_set : NULL;
}

struct following {
    const struct resource *resource;
    int64_t revision, until_ns;
    bool watch;
};

/* 0 the rollout is over, 1 it is not (*why; NULL: a signal came). */
static int follow(struct kubectl *k, const struct following *f, const char **why)
{
    const struct resource *r = f->resource;
    int64_t version = cluster_version(k->cluster);
    const cJSON *json = kubectl_copy(k, r->object->json);
    for (bool gone = r->object->gone;;) {
        struct progress now = viewer_of(r->kind)(k->arena, r->name, json, f->revision);
        *why = gone ? "object has been deleted" : now.wrong;
        if (*why)
            return 1;
        call_out(k->call, "%s\n", now.text);
        if (now.done || !f->watch)
            return 0;
        const struct change *change;
        while (!(change = cluster_next_change(k->cluster, version, r->kind, r->ns, r->name))) {
            int come = cluster_await(k->call, k->cluster, cluster_version(k->cluster), f->until_ns);
            *why = come == 0 ? "timed out waiting for the condition" : NULL;
            if (come <= 0)
                return 1;
        }
        version = change->version;
        gone = change->type == CHANGE_DELETED;
        json = change->json;
    }
}

static void end_watch(void *cluster)
{
    cluster_watch_end(cluster);
}

int kubectl_rollout_status(struct kubectl *k)
{
    struct resources resources;
    int64_t timeout, revision;
    if (!kubectl_duration_flag(k, "timeout", 0, &timeout) ||
        !kubectl_int_flag(k, "revision", 0, &revision))
        return 1;
    if (revision < 0)
        return kubectl_error(k, "revision must be a positive integer: %" PRId64, revision);
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL))
        return kubectl_error(k, "required resource not specified");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (failed)
        return failed;
    if (resources.n == 0 && resources.n_complaints == 0)
        call_err(k->call, "No resources found in %s namespace.\n", k->ns);
    cluster_watch_begin(k->cluster);
    call_defer(k->call, end_watch, k->cluster);
    for (int i = 0; i < resources.n; i++) {
        struct following f = {&resources.at[i], revision, INT64_MAX,
                              strcmp(options_value(&k->options, "watch", "true"), "false") != 0};
        const char *why = NULL;
        if (!viewer_of(f.resource->kind)) {
            const char *kind = f.resource->kind->name, *group = f.resource->kind->group;
            resources_complain(k, &resources, "no status viewer has been implemented for %s%s%s",
                               kind, *group ? "." : "", group);
            continue;
        }
        if (!f.resource->object) {
            struct api_error error;
            api_not_found(k->cluster, &error, f.resource->kind, f.resource->name);
            resources_complain_server(k, &resources, &error, NULL);
            continue;
        }
        kubectl_request(k); /* the list and the watch */
        if (timeout > 0)
            f.until_ns = call_now(k->call) + timeout;
        if (follow(k, &f, &why) == 0)
            continue;
        if (!why)
            return 1;
        resources_complain(k, &resources, "%s", why);
    }
    return kubectl_finish(k, &resources);
}
