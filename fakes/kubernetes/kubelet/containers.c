/* The course of a container: image, start, end, start again.
 *
 * Follows k8s.io/kubernetes pkg/kubelet: images/image_manager.go, kuberuntime/
 * kuberuntime_container.go and kuberuntime_manager.go (doBackOff). Wording of Kubernetes 1.32.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/hash.h"
#include "sim/base/xalloc.h"

static int64_t now_of(const struct pod_container *container)
{
    return controllers_now(container->pod->controllers);
}

static bool before_run(const struct pod_container *container)
{
    return controllers_before_run(container->pod->controllers);
}

/* What is there before the run has been there for days. */
static int64_t instant(const struct pod_container *container)
{
    return before_run(container) ? now_of(container) - 3 * DAY : now_of(container);
}

static int64_t after(const struct pod_container *container, int64_t ns)
{
    return now_of(container) + (before_run(container) ? 0 : ns);
}

static void earlier(int64_t *next_ns, int64_t at_ns)
{
    *next_ns = at_ns < *next_ns ? at_ns : *next_ns;
}

const cJSON *container_spec(const struct pod_container *container)
{
    const struct pod *pod = container->pod;
    const char *list = container->init ? "initContainers" : "containers";
    const cJSON *all = json_at(pod->object->json, "spec", list);
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        const char *name = json_text(one, "name");
        if (name && strcmp(name, container->name) == 0)
            return one;
    }
    return NULL;
}

static void say(const struct pod_container *container, const char *type, const char *reason,
                const char *text)
{
    tell(container->pod->controllers, container->pod->object, type, reason, "kubelet", "%s", text);
}

static struct arena *run_arena(const struct pod_container *container)
{
    return cluster_arena(container->pod->controllers->cluster);
}

static void wait_for(struct pod_container *container, const char *reason, const char *message)
{
    container->phase = PHASE_WAITING;
    container->reason = reason;
    container->message = message;
}

const char *restart_policy_of(const struct pod_container *container)
{
    const char *policy = json_text(container->pod->object->json, "spec", "restartPolicy");
    policy = policy ? policy : "Always";
    if (container->sidecar)
        return "Always";
    return container->init && strcmp(policy, "Always") == 0 ? "OnFailure" : policy;
}

/* ---- the image ---- */

static void begin_pull(struct pod_container *container, const char *policy, bool on_node)
{
    struct controllers *controllers = container->pod->controllers;
    struct cluster *cluster = controllers->cluster;
    struct arena *arena = run_arena(container);
    const cJSON *spec = container_spec(container);
    struct service *service = pod_service(cluster, container->pod->object->json, spec);
    if (strcmp(policy, "Never") == 0) {
        wait_for(container, "ErrImageNeverPull",
                 arena_printf(arena,
                              "Container image \"%s\" is not present with pull policy of Never",
                              container->reference));
        container->step = STEP_NOT_PULLED;
        container->due_ns = now_of(container) + RESYNC_NS;
        return;
    }
    say(container, "Normal", "Pulling",
        arena_printf(arena, "Pulling image \"%s\"", container->reference));
    image_pull(cluster, container->reference, service, &container->pull);
    int64_t takes_ns = container->pull.takes_ns;
    if (on_node && !container->pull.reason && takes_ns > 500 * MILLISECOND)
        takes_ns = 500 * MILLISECOND; /* its layers are there: one question to the registry */
    container->step = STEP_PULLING;
    container->due_ns = after(container, takes_ns);
}

static void look_for_image(struct pod_container *container)
{
    const cJSON *spec = container_spec(container);
    struct cluster *cluster = container->pod->controllers->cluster;
    struct arena *arena = run_arena(container);
    const char *image = json_text(spec, "image"), *policy = json_text(spec, "imagePullPolicy");
    container->reference = arena_strdup(arena, image ? image : "");
    policy = policy ? policy : "IfNotPresent";
    const struct image *there = image_on_node(cluster, container->pod->node, container->reference);
    if (!there || strcmp(policy, "Always") == 0) {
        begin_pull(container, policy, there != NULL);
        return;
    }
    container->image = *there;
    container->has_image = true;
    say(container, "Normal", "Pulled",
        arena_printf(arena, "Container image \"%s\" already present on machine",
                     container->reference));
    container->step = STEP_PULLED;
}

static void pull_failed(struct pod_container *container)
{
    struct arena *arena = run_arena(container);
    const struct image_pull *pull = &container->pull;
    bool retried = strcmp(pull->reason, "ErrImagePull") == 0;
    say(container, "Warning", retried ? "Failed" : "InspectFailed",
        retried ? arena_printf(arena, "Failed to pull image \"%s\": %s", container->reference,
                               pull->message)
                : pull->message);
    say(container, "Warning", "Failed", arena_printf(arena, "Error: %s", pull->reason));
    wait_for(container, pull->reason, pull->message);
    int64_t backoff =
        container->pull_backoff_ns ? 2 * container->pull_backoff_ns : BACKOFF_FIRST_NS;
    container->pull_backoff_ns = backoff < BACKOFF_LAST_NS ? backoff : BACKOFF_LAST_NS;
    container->pull_failed_ns = now_of(container);
    container->step = STEP_NOT_PULLED;
    container->due_ns = now_of(container) + RESYNC_NS;
}

/* As Go prints a duration, in milliseconds: "812ms", "3.4s", "1m2.5s". */
static const char *go_duration(struct arena *arena, int64_t ns)
{
    int64_t ms = ns / MILLISECOND;
    if (ms < 1000)
        return arena_printf(arena, "%" PRId64 "ms", ms);
    char *text = ms < 60000 ? arena_printf(arena, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000)
                            : arena_printf(arena, "%" PRId64 "m%" PRId64 ".%03" PRId64, ms / 60000,
                                           ms / 1000 % 60, ms % 1000);
    size_t n = strlen(text);
    while (text[n - 1] == '0')
        n--;
    n -= text[n - 1] == '.';
    return arena_printf(arena, "%.*ss", (int)n, text);
}

static void pull_done(struct pod_container *container)
{
    struct arena *arena = run_arena(container);
    const struct image_pull *pull = &container->pull;
    if (pull->reason) {
        pull_failed(container);
        return;
    }
    container->image = pull->image;
    container->has_image = true;
    container->pull_backoff_ns = 0;
    image_arrived(container->pod->controllers->cluster, container->pod->node, container->reference,
                  &pull->image);
    const char *took = go_duration(arena, pull->takes_ns);
    say(container, "Normal", "Pulled",
        arena_printf(arena,
                     "Successfully pulled image \"%s\" in %s (%s including waiting). Image size: "
                     "%" PRId64 " bytes.",
                     container->reference, took, took, pull->image.size_bytes));
    container->step = STEP_PULLED;
}

/* The kubelet looks again: backs off, or tries once more. The first time it always backs off: the
 * sandbox's start wakes it at once. */
static void pull_again(struct pod_container *container)
{
    struct arena *arena = run_arena(container);
    const struct image_pull *pull = &container->pull;
    int64_t since = now_of(container) - container->pull_failed_ns;
    bool first_look = since <= RESYNC_NS;
    if (strcmp(container->reason, "ErrImageNeverPull") == 0 ||
        strcmp(container->reason, "InvalidImageName") == 0 ||
        (!first_look && since >= container->pull_backoff_ns)) {
        container->step = STEP_NEW;
        return;
    }
    const char *text = arena_printf(arena, "Back-off pulling image \"%s\"", container->reference);
    say(container, "Normal", "BackOff", text);
    say(container, "Warning", "Failed", "Error: ImagePullBackOff");
    wait_for(container, "ImagePullBackOff",
             arena_printf(arena, "%s: %s: %s", text, pull->reason, pull->message));
    container->due_ns = now_of(container) + RESYNC_NS;
}

/* ---- its program ---- */

static void free_log(struct log *log)
{
    for (int i = 0; i < log->n; i++)
        free(log->at[i].text);
    free(log->at);
    *log = (struct log){0};
}

/* What it was started with becomes the settings of its instance; what is no longer among them goes.
 */
static void give_settings(struct pod_container *container, char **before)
{
    struct arena scratch = {0};
    for (int round = 0; round < 2; round++) {
        for (char **word = round ? container->env : before; word && *word; word++) {
            struct str value = str_of(*word);
            const char *key = arena_str(&scratch, str_cut(&value, '='));
            instance_set_setting(container->instance, key, round ? value.at : NULL);
        }
    }
    arena_release(&scratch);
}

static void start_instance(struct pod_container *container, char **env_before)
{
    struct pod *pod = container->pod;
    struct service *service =
        pod_service(pod->controllers->cluster, pod->object->json, container_spec(container));
    if (!service || !container->image.version)
        return;
    if (container->instance && instance_service(container->instance) != service) {
        instance_free(container->instance);
        container->instance = NULL;
    }
    if (!container->instance) {
        container->instance = instance_new(service, pod->object->name, container->image.version);
        instance_rotate(container->instance, false);
        pod->weight = 0;
    }
    (void)instance_set_version(container->instance, container->image.version);
    container_reads_files(container);
    give_settings(container, env_before);
    data_begins(container);
    instance_start(container->instance);
}

static void start(struct pod_container *container)
{
    struct arena *arena = run_arena(container);
    if (container->again) {
        container->before = container->ended;
        container->restarts++;
    }
    container->again = false;
    const char *id = arena_printf(arena, "%s %s %d", uid_of(container->pod->object),
                                  container->name, container->restarts);
    container->id = hash_sha256(arena, str_of(id));
    container->phase = PHASE_RUNNING;
    container->step = STEP_RUNS;
    container->started_ns = instant(container);
    container->reason = container->message = NULL;
    container->due_ns = INT64_MAX;
    if (container->had_life)
        free_log(&container->previous);
    container->previous = container->log;
    container->log = (struct log){0};
    container->had_life = container->restarts > 0;
    say(container, "Normal", "Started",
        arena_printf(arena, "Started container %s", container->name));
    char **env_before = container->env;
    const char *reason;
    (void)container_environment(container, arena, &container->env, &reason);
    container_reads_config(container);
    start_instance(container, env_before);
    int exit_code;
    int64_t takes_ns = container->instance ? NEVER : program_end(container, &exit_code);
    if (takes_ns != NEVER) {
        container->due_ns = after(container, takes_ns);
        container->exit_code = exit_code;
    }
    probes_start(container);
}

static void make(struct pod_container *container)
{
    struct arena *arena = run_arena(container);
    char **env;
    const char *reason, *why = container_environment(container, arena, &env, &reason);
    if (why) {
        say(container, "Warning", "Failed", arena_printf(arena, "Error: %s", why));
        wait_for(container, reason, why);
        container->due_ns = now_of(container) + RESYNC_NS;
        container->step = STEP_NOT_PULLED;
        container->pull_failed_ns = NEVER / 2; /* long ago: begins anew */
        container->pull_backoff_ns = 0;
        return;
    }
    say(container, "Normal", "Created",
        arena_printf(arena, "Created container: %s", container->name));
    container->step = STEP_CREATING;
    container->due_ns = after(container, CREATE_NS);
}

/* ---- its end ---- */

void container_ended_with(struct pod_container *container, int exit_code, const char *reason)
{
    if (container->step != STEP_RUNS && container->step != STEP_STOPPING)
        return;
    if (!reason)
        reason = exit_code == 0 ? "Completed" : "Error";
    container->ended =
        (struct ended){container->started_ns, instant(container), exit_code, reason, container->id};
    container->exit_code = exit_code;
    container->phase = PHASE_ENDED;
    container->step = STEP_ENDED;
    container->due_ns = after(container, RELIST_NS);
    if (container->instance && instance_state(container->instance) != INSTANCE_STOPPED)
        instance_stop(container->instance, false);
    if (container->instance)
        data_ends(container, false);
    pod_place_lost(container->pod->controllers->cluster, container->pod->object, container->name);
}

void container_stop(struct pod_container *container, int64_t grace_ns, const char *event)
{
    int64_t now = now_of(container);
    if (container->step == STEP_STOPPING) { /* once more, with less patience */
        container->kill_ns =
            now + grace_ns < container->kill_ns ? now + grace_ns : container->kill_ns;
        if (container->due_ns > container->kill_ns) {
            container->due_ns = container->kill_ns;
            container->exit_code = 137;
        }
        return;
    }
    if (container->step != STEP_RUNS) {
        if (container->step != STEP_ENDED)
            container->step = STEP_DONE;
        return;
    }
    say(container, "Normal", "Killing", event);
    container->step = STEP_STOPPING;
    container->kill_ns = now + grace_ns;
    int64_t hook_ns = program_pre_stop_ns(container);
    container->term_ns = now + (hook_ns < grace_ns ? hook_ns : grace_ns);
    /* a hook that used up the grace leaves the program two seconds (minimumGracePeriodInSeconds) */
    if (container->kill_ns - container->term_ns < 2 * SECOND && hook_ns > 0)
        container->kill_ns = container->term_ns + 2 * SECOND;
    container->due_ns = container->term_ns;
}

static void stopping(struct pod_container *container)
{
    const struct image *image = &container->image;
    if (container->term_ns == INT64_MAX) {
        container_ended_with(container, container->exit_code, NULL);
        return;
    }
    int64_t left_ns = container->kill_ns - now_of(container);
    bool obeys = image->stop_ns <= left_ns;
    container->term_ns = INT64_MAX;
    container->due_ns = now_of(container) + (obeys ? image->stop_ns : left_ns);
    container->exit_code = obeys ? image->stop_exit : 137;
    if (container->instance && obeys)
        instance_stop(container->instance, true);
}

/* ---- once more ---- */

static bool starts_again(const struct pod_container *container)
{
    const char *policy = restart_policy_of(container);
    if (container->pod->ending_ns != INT64_MAX || container->pod->evicted)
        return false;
    return strcmp(policy, "Always") == 0 ||
           (strcmp(policy, "OnFailure") == 0 && container->exit_code != 0);
}

static void start_again(struct pod_container *container)
{
    int64_t finished = container->ended.finished_ns;
    int64_t twice = 2 * container->backoff_ns;
    bool fresh =
        container->backoff_ns == 0 || finished - container->backoff_since_ns > 2 * BACKOFF_LAST_NS;
    container->backoff_ns = fresh                     ? BACKOFF_FIRST_NS
                            : twice < BACKOFF_LAST_NS ? twice
                                                      : BACKOFF_LAST_NS;
    container->backoff_since_ns = now_of(container);
    container->again = true;
    container->step = STEP_NEW;
}

static void consider_restart(struct pod_container *container)
{
    const struct object *pod = container->pod->object;
    struct arena *arena = run_arena(container);
    if (!starts_again(container)) {
        container->step = STEP_DONE;
        return;
    }
    int64_t finished = container->ended.finished_ns;
    bool fresh =
        container->backoff_ns == 0 || finished - container->backoff_since_ns > 2 * BACKOFF_LAST_NS;
    if (fresh) {
        start_again(container);
        return;
    }
    const char *whose = arena_printf(arena, "%s_%s(%s)", pod->name, pod->ns, uid_of(pod));
    say(container, "Warning", "BackOff",
        arena_printf(arena, "Back-off restarting failed container %s in pod %s", container->name,
                     whose));
    int64_t s = container->backoff_ns / SECOND;
    wait_for(container, "CrashLoopBackOff",
             arena_printf(arena, "back-off %s restarting failed container=%s pod=%s",
                          s < 60   ? arena_printf(arena, "%" PRId64 "s", s)
                          : s % 60 ? arena_printf(arena, "%" PRId64 "m%" PRId64 "s", s / 60, s % 60)
                                   : arena_printf(arena, "%" PRId64 "m0s", s / 60),
                          container->name, whose));
    container->step = STEP_BACK_OFF;
    container->due_ns = finished + container->backoff_ns;
}

/* ---- step by step ---- */

/* Another image in the spec of a container that runs: it is started anew with that one. */
static bool image_changed(const struct pod_container *container)
{
    const char *image = json_text(container_spec(container), "image");
    return image && container->step == STEP_RUNS && strcmp(image, container->reference) != 0;
}

static void step(struct pod_container *container)
{
    switch (container->step) {
    case STEP_NEW:
        look_for_image(container);
        break;
    case STEP_PULLING:
        pull_done(container);
        break;
    case STEP_NOT_PULLED:
        pull_again(container);
        break;
    case STEP_PULLED:
        make(container);
        break;
    case STEP_CREATING:
        start(container);
        break;
    case STEP_RUNS:
        if (container->init && !before_run(container) && program_waits(container)) {
            container->due_ns = now_of(container) + 2 * SECOND;
            break;
        }
        if (container->exit_code == 0)
            program_takes_effect(container);
        container_ended_with(container, container->exit_code, NULL);
        break;
    case STEP_STOPPING:
        stopping(container);
        break;
    case STEP_ENDED:
        consider_restart(container);
        break;
    case STEP_BACK_OFF:
        start_again(container);
        break;
    case STEP_DONE:
        break;
    }
}

void container_go(struct pod_container *container, int64_t *next_ns)
{
    if (image_changed(container))
        container_stop(container, 30 * SECOND,
                       arena_printf(run_arena(container),
                                    "Container %s definition changed, will be restarted",
                                    container->name));
    if (container->step == STEP_RUNS)
        probes_run(container, next_ns);
    for (;;) {
        bool waits = container->step != STEP_NEW && container->step != STEP_PULLED;
        if (container->step == STEP_DONE)
            return;
        if (waits && container->due_ns > now_of(container))
            break;
        step(container);
    }
    if (container->due_ns != INT64_MAX)
        earlier(next_ns, container->due_ns);
    if (container->step == STEP_RUNS)
        probes_run(container, next_ns);
}

void container_forget(struct pod_container *container)
{
    if (container->instance) {
        data_ends(container, true);
        instance_free(container->instance);
    }
    container->instance = NULL;
    free_log(&container->log);
    free_log(&container->previous);
}
