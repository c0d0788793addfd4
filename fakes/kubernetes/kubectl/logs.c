/* kubectl logs: what containers wrote, their stdout and stderr alike (k8s.io/kubectl pkg/cmd/logs;
 * kubernetes pkg/kubelet/kubelet_pods.go, validateContainerLogStatus). */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "fakes/kubernetes/kubectl/pods.h"
#include "sim/base/doc.h"

enum { MAX_OUTPUT = 64 << 20 };

struct source {
    struct object *pod;
    const char *container;
    const struct log *log; /* NULL: its life is over */
    int64_t restarts;      /* of the container when we began */
    int next;              /* the line to be written next */
};

struct logging {
    const char *typed, *container, *selector;
    bool follow, previous, timestamps, prefix, all_containers, all_pods;
    int64_t tail, limit_bytes, since_ns, max_requests;
    struct source *sources;
    int n;
};

/* ---- the command line ---- */

static bool read_since(struct kubectl *k, struct logging *l)
{
    int64_t since, unix_ns;
    const char *instant = options_value(&k->options, "since-time", "");
    if (!kubectl_duration_flag(k, "since", 0, &since))
        return false;
    l->since_ns = NEVER;
    if (*instant && since) {
        kubectl_error(k, "at most one of `sinceTime` or `sinceSeconds` may be specified");
    } else if (since < 0) {
        kubectl_error(k, "--since must be greater than 0");
    } else if (*instant && !parse_time(str_of(instant), &unix_ns)) {
        kubectl_error(
            k,
            "parsing time \"%s\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"%s\" as "
            "\"2006\"",
            instant, instant);
    } else {
        if (*instant)
            l->since_ns = unix_ns - k->call->env->start_unix_ns;
        else if (since)
            l->since_ns = call_now(k->call) - since;
        return true;
    }
    return false;
}

static bool read_numbers(struct kubectl *k, struct logging *l)
{
    if (!kubectl_int_flag(k, "tail", -1, &l->tail) ||
        !kubectl_int_flag(k, "limit-bytes", 0, &l->limit_bytes) ||
        !kubectl_int_flag(k, "max-log-requests", 5, &l->max_requests) || !read_since(k, l))
        return false;
    if (l->tail < -1)
        kubectl_error(k, "--tail must be greater than or equal to -1");
    else if (l->limit_bytes < 0)
        kubectl_error(k, "--limit-bytes must be greater than 0");
    else if (l->max_requests <= 0)
        kubectl_error(k, "--max-log-requests must be greater than 0");
    else
        return true;
    return false;
}

static bool read_command(struct kubectl *k, struct logging *l)
{
    static const char *const expected =
        "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'."
        "\nPOD or TYPE/NAME is a required argument for the logs "
        "command";
    l->selector = options_value(&k->options, "selector", "");
    l->container = options_value(&k->options, "container", "");
    l->follow = options_has(&k->options, "follow");
    l->previous = options_has(&k->options, "previous");
    l->timestamps = options_has(&k->options, "timestamps");
    l->all_containers = options_has(&k->options, "all-containers");
    l->all_pods = options_has(&k->options, "all-pods");
    l->prefix = options_has(&k->options, "prefix") || l->all_pods;
    if (k->n_args > 2 || (k->n_args == 0 && !*l->selector)) {
        kubectl_usage(k, "%s", expected);
        return false;
    }
    if (k->n_args == 1 && *l->selector) {
        kubectl_usage(k, "only a selector (-l) or a POD name is allowed");
        return false;
    }
    if (k->n_args == 2 && *l->container) {
        kubectl_usage(k, "only one of -c or an inline [CONTAINER] arg is allowed");
        return false;
    }
    l->typed = k->n_args ? k->args[0] : NULL;
    if (k->n_args == 2)
        l->container = k->args[1];
    if (!read_numbers(k, l))
        return false;
    if (*l->selector && !options_value(&k->options, "tail", NULL))
        l->tail = 10;
    if (l->all_containers && *l->container) {
        kubectl_error(k, "--all-containers=true should not be specified with container name %s",
                      l->container);
        return false;
    }
    return true;
}

/* ---- what is to be read ---- */

static const cJSON *status_of(const struct object *pod, const char *container)
{
    static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};
    for (int i = 0; i < 2; i++) {
        const cJSON *one;
        cJSON_ArrayForEach(one, json_at(pod->json, "status", lists[i]))
        {
            const char *name = json_text(one, "name");
            if (name && strcmp(name, container) == 0)
                return one;
        }
    }
    return NULL;
}

/* NULL, or why the kubelet has no log to show. */
static const char *no_log(struct kubectl *k, const struct source *s, bool previous)
{
    const cJSON *status = status_of(s->pod, s->container);
    const char *waiting = json_text(status, "state", "waiting", "reason");
    if (!json_text(s->pod->json, "spec", "nodeName"))
        return arena_printf(k->arena, "pod %s does not have a host assigned", s->pod->name);
    if (previous)
        return s->log ? NULL
                      : arena_printf(k->arena,
                                     "previous terminated container \"%s\" in pod \"%s\" not found",
                                     s->container, s->pod->name);
    if (json_at(status, "state", "running") || json_at(status, "state", "terminated") ||
        json_at(status, "lastState", "terminated"))
        return NULL;
    if (!waiting)
        return arena_printf(k->arena,
                            "container \"%s\" in pod \"%s\" is waiting to start - no logs yet",
                            s->container, s->pod->name);
    if (strcmp(waiting, "ErrImagePull") == 0)
        waiting = "image can't be pulled";
    else if (strcmp(waiting, "ImagePullBackOff") == 0)
        waiting = "trying and failing to pull image";
    return arena_printf(k->arena, "container \"%s\" in pod \"%s\" is waiting to start: %s",
                        s->container, s->pod->name, waiting);
}

static void add_source(struct kubectl *k, struct logging *l, struct object *pod, const char *name)
{
    struct source *more = ARENA_ARRAY(k->arena, struct source, l->n + 1);
    if (l->n)
        memcpy(more, l->sources, (size_t)l->n * sizeof *more);
    more[l->n++] = (struct source){
        .pod = pod,
        .container = arena_strdup(k->arena, name),
        .log = pod_log(pod, name, l->previous),
        .restarts = json_int(status_of(pod, name), "restartCount", 0),
    };
    l->sources = more;
}

/* 0, or an exit status. */
static int add_pod(struct kubectl *k, struct logging *l, struct object *pod)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    if (*l->container) {
        if (!kubectl_has_container(pod, l->container))
            return kubectl_error(k, "container %s is not valid for pod %s", l->container,
                                 pod->name);
        add_source(k, l, pod, l->container);
    } else if (l->all_containers) {
        for (int i = 0; i < 3; i++) {
            const cJSON *one;
            cJSON_ArrayForEach(one, json_at(pod->json, "spec", lists[i]))
                add_source(k, l, pod, json_text(one, "name"));
        }
    } else {
        add_source(k, l, pod, kubectl_default_container(k, pod, false));
    }
    return 0;
}

/* One of its pods, or with --all-pods each. */
static int add_owner(struct kubectl *k, struct logging *l, const struct object *owner)
{
    int64_t timeout, n = 0;
    const struct selector *selector = kubectl_pods_selector(k, owner);
    const struct kind *kind = owner->kind;
    if (!selector)
        return kubectl_error(k,
                             "cannot get the logs from *%s.%s: selector for *%s.%s not "
                             "implemented",
                             kind->version, kind->name, kind->version, kind->name);
    if (!kubectl_duration_flag(k, "pod-running-timeout", 20 * SECOND, &timeout))
        return 1;
    int64_t until = call_now(k->call) + timeout;
    kubectl_request(k);
    struct object **pods;
    while (!(pods = kubectl_pods_of(k, selector, owner->ns, PODS_FOR_LOGS))[0]) {
        if (call_now(k->call) >= until)
            return kubectl_error(k, "timed out waiting for the condition");
        if (call_sleep(k->call, SECOND))
            return 130;
    }
    while (pods[n])
        n++;
    int failed = 0;
    if (!l->all_pods && n > 1)
        call_err(k->call, "Found %" PRId64 " pods, using pod/%s\n", n, pods[0]->name);
    for (int i = 0; !failed && i < (l->all_pods ? n : 1); i++)
        failed = add_pod(k, l, pods[i]);
    return failed;
}

static int find_sources(struct kubectl *k, struct logging *l)
{
    int failed = 0;
    const char *why = NULL;
    if (!l->typed) {
        struct selector *selector = selector_labels(k->arena, l->selector, &why);
        if (!selector)
            return kubectl_error(k, "%s", why);
        kubectl_request(k);
        struct object **pods = cluster_list(
            k->cluster, k->arena, cluster_kind(k->cluster, "Pod", "v1"), k->ns, selector, NULL);
        for (; *pods && !failed; pods++)
            failed = add_pod(k, l, *pods);
        return failed;
    }
    struct object *object = kubectl_pod_or_owner(k, l->typed, true, &failed);
    if (!object)
        return failed;
    if (strcmp(object->kind->name, "Pod") == 0)
        return add_pod(k, l, object);
    return add_owner(k, l, object);
}

/* ---- writing ---- */

static void add_line(struct kubectl *k, const struct logging *l, const struct source *s,
                     const struct log_line *line, struct buf *out)
{
    if (l->prefix)
        buf_printf(out, "[pod/%s/%s] ", s->pod->name, s->container);
    if (l->timestamps) {
        const char *stamp = cluster_stamp(k->cluster, k->arena, line->at_ns);
        int64_t part = (k->call->env->start_unix_ns + line->at_ns) % SECOND;
        buf_printf(out, "%.19s.%09" PRId64 "Z ", stamp, part);
    }
    buf_printf(out, "%s\n", line->text);
}

static void release_text(void *text)
{
    buf_release(text);
}

static struct buf *new_text(struct kubectl *k)
{
    struct buf *text = ARENA_NEW(k->arena, struct buf);
    buf_init(text, MAX_OUTPUT);
    call_defer(k->call, release_text, text);
    return text;
}

/* What there is now, from --tail and --since on. */
static void add_lines(struct kubectl *k, const struct logging *l, struct source *s, struct buf *out)
{
    int first = 0;
    if (!s->log)
        return;
    while (first < s->log->n && l->since_ns != NEVER && s->log->at[first].at_ns < l->since_ns)
        first++;
    if (l->tail >= 0 && s->log->n - first > l->tail)
        first = s->log->n - (int)l->tail;
    size_t begin = out->len;
    for (int i = first; i < s->log->n; i++)
        add_line(k, l, s, &s->log->at[i], out);
    s->next = s->log->n;
    if (l->limit_bytes > 0 && out->len - begin > (size_t)l->limit_bytes)
        out->len = begin + (size_t)l->limit_bytes;
}

/* Whether the container still is in the life that is being followed. */
static bool goes_on(const struct source *s)
{
    return !s->pod->gone && pod_container_running(s->pod, s->container) &&
           json_int(status_of(s->pod, s->container), "restartCount", 0) == s->restarts;
}

static void add_news(struct kubectl *k, const struct logging *l, struct source *s, struct buf *out)
{
    s->log = pod_log(s->pod, s->container, false);
    if (!s->log || s->pod->gone)
        return;
    if (s->next > s->log->n) /* the first part was rotated away */
        s->next = s->log->n;
    for (; s->next < s->log->n; s->next++)
        add_line(k, l, s, &s->log->at[s->next], out);
}

static int follow(struct kubectl *k, const struct logging *l, struct buf *out)
{
    for (bool any = true; any;) {
        if (call_sleep(k->call, SECOND))
            return 130;
        any = false;
        buf_clear(out);
        for (int i = 0; i < l->n; i++) {
            struct source *s = &l->sources[i];
            if (goes_on(s)) {
                any = true;
                add_news(k, l, s, out);
            }
        }
        call_write(k->call, 1, out->at ? out->at : "", out->len);
    }
    return 0;
}

static int run_logs(struct kubectl *k)
{
    struct logging *l = ARENA_NEW(k->arena, struct logging);
    if (!read_command(k, l))
        return 1;
    int failed = find_sources(k, l);
    if (failed)
        return failed;
    if (l->n == 0) {
        call_err(k->call, "No resources found in %s namespace.\n", k->ns);
        return 0;
    }
    if (l->follow && l->n > l->max_requests)
        return kubectl_error(k,
                             "you are attempting to follow %d log streams, but maximum allowed "
                             "concurrency is %" PRId64 ", use --max-log-requests to increase the "
                             "limit",
                             l->n, l->max_requests);
    struct buf *out = new_text(k);
    for (int i = 0; i < l->n; i++) {
        struct source *s = &l->sources[i];
        struct api_error error = {400, "BadRequest", no_log(k, s, l->previous), NULL};
        kubectl_request(k);
        if (s->pod->gone)
            api_not_found(k->cluster, &error, s->pod->kind, s->pod->name);
        if (error.message)
            return kubectl_server_error(k, &error, NULL);
        buf_clear(out);
        s->log = pod_log(s->pod, s->container, l->previous);
        add_lines(k, l, s, out);
        call_write(k->call, 1, out->at ? out->at : "", out->len);
    }
    return l->follow && !l->previous ? follow(k, l, out) : 0;
}

const struct kubectl_command kubectl_logs_commands[] = {
    {"logs",
     "follow|f previous|p container|c= selector|l= tail= since= since-time= timestamps prefix "
     "all-containers all-pods limit-bytes= max-log-requests= ignore-errors pod-running-timeout= "
     "insecure-skip-tls-verify-backend",
     run_logs},
    {NULL, NULL, NULL},
};
