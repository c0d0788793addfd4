/* Containers: their life, from create to remove. */
#include <stdlib.h>
#include <string.h>

#include "fakes/docker.h"
#include "fakes/host.h"
#include "sim/base/xalloc.h"

enum { LOG_LINES_MAX = 20000 };
#define RESTART_DELAY_MAX (60 * SECOND)
#define RESTART_DELAY_RESET                                                                        \
    (10 * SECOND) /* a container that ran this long starts over at 100 ms                          \
                   */

/* ---- finding ---- */

struct container *docker_find(struct docker *docker, const char *name_or_id)
{
    const char *name = name_or_id[0] == '/' ? name_or_id + 1 : name_or_id;
    struct container *by_id = NULL;
    int n_by_id = 0;
    size_t len = strlen(name);
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        if (container->removed)
            continue;
        if (strcmp(container->name, name) == 0 || strcmp(container->id, name) == 0)
            return container;
        if (len > 0 && len < 64 && strncmp(container->id, name, len) == 0) {
            by_id = container;
            n_by_id++;
        }
    }
    return n_by_id == 1 ? by_id : NULL;
}

const char *container_label(const struct container *container, const char *name)
{
    size_t len = strlen(name);
    for (const char *const *label = container->spec.labels; label && *label; label++) {
        if (strncmp(*label, name, len) == 0 && (*label)[len] == '=')
            return *label + len + 1;
    }
    return NULL;
}

bool container_running(const struct container *container)
{
    return container->state == CONTAINER_RUNNING || container->state == CONTAINER_PAUSED ||
           container->state == CONTAINER_RESTARTING;
}

/* ---- making one ---- */

const char *const *docker_copy_words(struct arena *arena, const char *const *words)
{
    int n = 0;
    while (words && words[n])
        n++;
    const char **copy = ARENA_ARRAY(arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        copy[i] = arena_strdup(arena, words[i]);
    return copy;
}

const char *const *docker_join_env(struct arena *arena, const char *const *image,
                                   const char *const *own)
{
    int n = 0, n_image = 0;
    for (; image && image[n_image]; n_image++)
        n++;
    for (int i = 0; own && own[i]; i++)
        n++;
    const char **all = ARENA_ARRAY(arena, const char *, n + 1);
    n = 0;
    for (int i = 0; i < n_image; i++)
        all[n++] = image[i];
    for (int i = 0; own && own[i]; i++) {
        size_t len = strcspn(own[i], "=");
        int at = 0;
        while (at < n && (strncmp(all[at], own[i], len + 1) != 0 || own[i][len] != '='))
            at++;
        all[at] = own[i];
        n += at == n;
    }
    return all;
}

bool docker_restart_policy(const char *text, enum restart_policy *ret, int *ret_max)
{
    bool counted = strncmp(text, "on-failure:", 11) == 0;
    *ret_max = counted ? leading_int(text + 11) : 0;
    if (strcmp(text, "no") == 0 || text[0] == '\0')
        *ret = RESTART_NO;
    else if (strcmp(text, "always") == 0)
        *ret = RESTART_ALWAYS;
    else if (strcmp(text, "unless-stopped") == 0)
        *ret = RESTART_UNLESS_STOPPED;
    else if (counted || strcmp(text, "on-failure") == 0)
        *ret = RESTART_ON_FAILURE;
    else
        return false;
    return !counted || (text[11] && strspn(text + 11, "0123456789") == strlen(text + 11));
}

static void copy_spec(struct arena *arena, const struct container_spec *from,
                      struct container_spec *to)
{
    *to = *from;
    to->name = arena_strdup(arena, from->name);
    to->image = arena_strdup(arena, from->image);
    to->command = from->command ? docker_copy_words(arena, from->command) : NULL;
    to->env = docker_copy_words(arena, from->env);
    to->labels = docker_copy_words(arena, from->labels);
    to->networks = from->networks ? docker_copy_words(arena, from->networks) : NULL;
    struct docker_port *ports = ARENA_ARRAY(arena, struct docker_port, from->n_ports + 1);
    for (int i = 0; i < from->n_ports; i++) {
        ports[i] = from->ports[i];
        ports[i].address = ports[i].address ? arena_strdup(arena, ports[i].address) : NULL;
        ports[i].protocol = arena_strdup(arena, ports[i].protocol);
    }
    struct docker_mount *mounts = ARENA_ARRAY(arena, struct docker_mount, from->n_mounts + 1);
    for (int i = 0; i < from->n_mounts; i++) {
        mounts[i] = from->mounts[i];
        mounts[i].volume = mounts[i].volume ? arena_strdup(arena, mounts[i].volume) : NULL;
        mounts[i].source = mounts[i].source ? arena_strdup(arena, mounts[i].source) : NULL;
        mounts[i].target = arena_strdup(arena, mounts[i].target);
    }
    to->ports = ports;
    to->mounts = mounts;
    to->hostname = from->hostname ? arena_strdup(arena, from->hostname) : NULL;
    to->user = from->user ? arena_strdup(arena, from->user) : NULL;
    to->folder = from->folder ? arena_strdup(arena, from->folder) : NULL;
    to->like = from->like ? arena_strdup(arena, from->like) : NULL;
    to->place = from->place ? arena_strdup(arena, from->place) : NULL;
    to->health.test = from->health.test ? arena_strdup(arena, from->health.test) : NULL;
}

static void bind_instance(struct container *container)
{
    const struct docker_image *image = container->image;
    struct world *world = container->docker->env->world;
    struct service *service = image->service ? world_service(world, image->service) : NULL;
    if (!service)
        return;
    container->instance = instance_new(service, container->name, image->version);
    for (const char *const *word = container->env; *word; word++) {
        struct str value = str_of(*word);
        struct str key = str_cut(&value, '=');
        struct arena *arena = docker_arena(container->docker);
        instance_set_setting(container->instance, arena_str(arena, key), arena_str(arena, value));
    }
}

struct container *docker_create(struct docker *docker, const struct container_spec *spec,
                                const char **why)
{
    struct arena *arena = docker_arena(docker);
    struct container *same = docker_find(docker, spec->name);
    if (same && strcmp(same->name, spec->name) == 0) {
        *why = arena_printf(arena,
                            "Conflict. The container name \"/%s\" is already in use by container "
                            "\"%s\". You have to remove (or rename) that container to be able to "
                            "reuse that name.",
                            spec->name, same->id);
        return NULL;
    }
    struct docker_image *image = docker_image_here(docker, spec->image);
    if (!image) {
        *why = arena_printf(arena, "No such image: %s", spec->image);
        return NULL;
    }
    struct container *container = ARENA_NEW(arena, struct container);
    container->docker = docker;
    docker->n_ids++;
    docker_hex(arena_printf(arena, "container %lld %s", (long long)docker->n_ids, spec->name),
               container->id);
    copy_spec(arena, spec, &container->spec);
    container->name = container->spec.name;
    container->place = container->spec.place ? container->spec.place : container->name;
    container->image = image;
    container->env = docker_join_env(arena, image->env, container->spec.env);
    container->created_ns = docker_now(docker);
    container->started_ns = container->finished_ns = NEVER;
    container->error = "";
    for (int i = 0; i < spec->n_mounts; i++) {
        const char *name = spec->mounts[i].volume;
        struct docker_volume *volume = name ? docker_volume(docker, name) : NULL;
        if (name && !volume)
            volume = docker_volume_new(docker, name, NULL);
        if (volume && image->service)
            volume->service = image->service;
    }
    docker_root_made(container);
    bind_instance(container);
    XGROW(docker->containers, docker->n_containers, docker->cap_containers);
    docker->containers[docker->n_containers++] = container;
    if (docker->set_up)
        record_change(docker->env->record, container->name, "is created from %s", image->name);
    return container;
}

/* ---- running ---- */

static void cancel_event(struct container *container)
{
    if (container->event)
        world_cancel(container->docker->env->world, container->event);
    container->event = 0;
}

static void restart_due(struct world *world, void *ctx)
{
    (void)world;
    struct container *container = ctx;
    container->event = 0;
    container->restarts++;
    docker_start(container);
}

static bool wants_restart(const struct container *container)
{
    switch (container->spec.restart) {
    case RESTART_ALWAYS:
    case RESTART_UNLESS_STOPPED:
        return true;
    case RESTART_ON_FAILURE:
        return container->exit_code != 0 && (container->spec.restart_max == 0 ||
                                             container->restarts < container->spec.restart_max);
    case RESTART_NO:
        break;
    }
    return false;
}

void container_ended(struct container *container, int exit_code)
{
    struct docker *docker = container->docker;
    int64_t now = docker_now(docker);
    bool ran_long = now - container->started_ns >= RESTART_DELAY_RESET;
    container->exit_code = exit_code;
    container->finished_ns = now;
    container->state = CONTAINER_EXITED;
    cancel_event(container);
    if (container->spec.remove_at_end) {
        docker_remove(container);
    } else if (docker->daemon_running && wants_restart(container)) {
        container->state = CONTAINER_RESTARTING;
        int64_t delay = 100 * MILLISECOND;
        for (int i = 0; !ran_long && i < container->restarts && delay < RESTART_DELAY_MAX; i++)
            delay *= 2;
        if (delay > RESTART_DELAY_MAX)
            delay = RESTART_DELAY_MAX;
        container->event = world_at(docker->env->world, now + delay, restart_due, container);
    }
}

static void program_ends(struct world *world, void *ctx)
{
    (void)world;
    struct container *container = ctx;
    container->event = 0;
    container_ended(container, container->image->ends_exit);
}

static const struct container *port_holder(struct docker *docker, const struct container *wants,
                                           const struct docker_port *port)
{
    for (int i = 0; i < docker->n_containers; i++) {
        const struct container *other = docker->containers[i];
        if (other->removed || other == wants ||
            (other->state != CONTAINER_RUNNING && other->state != CONTAINER_PAUSED))
            continue;
        for (int k = 0; k < other->spec.n_ports; k++) {
            const struct docker_port *theirs = &other->spec.ports[k];
            if (theirs->address && theirs->host == port->host &&
                strcmp(theirs->protocol, port->protocol) == 0)
                return other;
        }
    }
    return NULL;
}

const char *docker_start(struct container *container)
{
    struct docker *docker = container->docker;
    if (container->state == CONTAINER_RUNNING || container->state == CONTAINER_PAUSED)
        return NULL;
    for (const char *const *name = container->spec.networks; name && *name; name++) {
        if (strncmp(*name, "container:", 10) != 0 && !docker_network(docker, *name))
            return container->error =
                       arena_printf(docker_arena(docker), "network %s not found", *name);
    }
    for (int i = 0; i < container->spec.n_ports; i++) {
        const struct docker_port *port = &container->spec.ports[i];
        if (!port->address || !port->host || !port_holder(docker, container, port))
            continue;
        char endpoint[65];
        docker_hex(container->id, endpoint);
        container->error = arena_printf(
            docker_arena(docker),
            "driver failed programming external connectivity on endpoint %s (%s): Bind for %s:%d "
            "failed: port is already allocated",
            container->name, endpoint, port->address, port->host);
        if (container->state == CONTAINER_RESTARTING)
            container->state = CONTAINER_EXITED;
        container->exit_code = 128;
        return container->error;
    }
    cancel_event(container);
    container->state = CONTAINER_RUNNING;
    container->stopped_by_hand = container->stopping = false;
    container->error = "";
    container->exit_code = 0;
    container->started_ns = container->condition_ns = docker_now(docker);
    container->health_before = HEALTH_STARTING;
    if (container->image->corrupt) {
        container_log(container, "exec /usr/local/bin/docker-entrypoint.sh: exec format error",
                      true);
        container_ended(container, 1);
    } else if (container->instance) {
        instance_start(container->instance);
        host_nginx_route(container);
    } else if (container->image->ends_ns != NEVER && !container->spec.for_command) {
        container->event =
            world_at(docker->env->world, container->started_ns + container->image->ends_ns,
                     program_ends, container);
    }
    return NULL;
}

static void stop_done(struct world *world, void *ctx)
{
    (void)world;
    struct container *container = ctx;
    container->event = 0;
    container->stopping = false;
    container->state = CONTAINER_EXITED;
    container->exit_code = container->stop_exit;
    container->finished_ns = docker_now(container->docker);
    if (container->instance && instance_state(container->instance) != INSTANCE_STOPPED)
        instance_stop(container->instance, false);
    if (container->spec.remove_at_end)
        docker_remove(container);
}

int64_t docker_stop(struct container *container, int64_t grace_ns)
{
    if (!container_running(container))
        return 0;
    container->stopped_by_hand = true;
    cancel_event(container);
    if (container->state == CONTAINER_RESTARTING) {
        container->state = CONTAINER_EXITED;
        record_change(container->docker->env->record, container->name, "no longer restarted");
        return 0;
    }
    if (grace_ns < 0)
        grace_ns = container->spec.stop_grace_ns ? container->spec.stop_grace_ns : 10 * SECOND;
    bool graceful = container->image->stop_ns <= grace_ns;
    int64_t takes_ns = graceful ? container->image->stop_ns : grace_ns;
    container->stop_exit = graceful ? container->image->stop_exit : 137;
    container->state = CONTAINER_RUNNING;
    container->stopping = true;
    if (container->instance && graceful)
        instance_stop(container->instance, true);
    container->event = world_at(container->docker->env->world,
                                docker_now(container->docker) + takes_ns, stop_done, container);
    return takes_ns;
}

int docker_kill(struct container *container, int signal)
{
    if (container->state != CONTAINER_RUNNING && container->state != CONTAINER_PAUSED)
        return -1;
    bool ends = signal == 9 || ((signal == 15 || signal == 2 || signal == 3) &&
                                container->image->stop_ns != INT64_MAX);
    if (!ends)
        return 0;
    container->stopped_by_hand = true;
    container->stopping = true; /* its instance's end is ours */
    if (container->instance)
        instance_stop(container->instance, signal != 9);
    cancel_event(container);
    container->stop_exit = signal == 9 ? 137 : container->image->stop_exit;
    stop_done(container->docker->env->world, container);
    return 0;
}

void docker_pause(struct container *container, bool paused)
{
    container->state = paused ? CONTAINER_PAUSED : CONTAINER_RUNNING;
    if (container->instance)
        instance_rotate(container->instance, !paused);
}

void docker_rename(struct container *container, const char *name)
{
    container->name = arena_strdup(docker_arena(container->docker), name);
}

void docker_remove(struct container *container)
{
    if (container->removed)
        return;
    cancel_event(container);
    if (strncmp(container->name, container->id, 12) !=
        0) /* renamed by Compose: the new one is noted */
        record_change(container->docker->env->record, container->name, "is removed");
    container->removed = true;
    container->state = CONTAINER_EXITED;
    docker_lose_layer(container);
    if (container->instance)
        instance_free(container->instance);
    container->instance = NULL;
}

/* ---- what it says ---- */

void container_log(struct container *container, const char *text, bool is_error)
{
    if (container->n_log == LOG_LINES_MAX) {
        int half = LOG_LINES_MAX / 2;
        for (int i = 0; i < half; i++)
            free(container->log[i].text);
        memmove(container->log, container->log + half, (size_t)half * sizeof *container->log);
        container->n_log = half;
        container->dropped_log += half;
    }
    XGROW(container->log, container->n_log, container->cap_log);
    container->log[container->n_log++] = (struct docker_log_line){
        .at_ns = docker_now(container->docker), .text = xstrdup(text), .is_error = is_error};
}

/* Health is worked out from since when the program is well, as its checks would have seen it: one
 * every interval from its start; unhealthy after `retries` failures in a row; in between what it
 * was before. */
static enum container_health health(const struct container *container, bool well)
{
    const struct docker_health_check *check = &container->spec.health;
    int64_t interval = check->interval_ns ? check->interval_ns : 30 * SECOND;
    int64_t checks = (docker_now(container->docker) - container->started_ns) / interval;
    int64_t checks_before = (container->condition_ns - container->started_ns) / interval;
    if (well)
        return checks > checks_before ? HEALTH_HEALTHY : container->health_before;
    int64_t free_checks = check->start_period_ns / interval;
    int64_t failures = checks - (checks_before > free_checks ? checks_before : free_checks);
    return failures >= (check->retries ? check->retries : 3) ? HEALTH_UNHEALTHY
                                                             : container->health_before;
}

enum container_health container_health(const struct container *container)
{
    if (!container->spec.health.test || container->state != CONTAINER_RUNNING)
        return HEALTH_NONE;
    return health(container,
                  !container->instance || instance_state(container->instance) == INSTANCE_READY);
}

void container_condition_changed(struct container *container, enum instance_state before)
{
    container->health_before = health(container, before == INSTANCE_READY);
    container->condition_ns = docker_now(container->docker);
}

const char *container_state_word(const struct container *container)
{
    static const char *const words[] = {"created", "running", "paused", "restarting", "exited"};
    return words[container->state];
}

const char *container_status(struct container *container, struct arena *arena)
{
    int64_t now = docker_now(container->docker);
    int64_t started_ns = container->started_ns == NEVER ? now : container->started_ns;
    int64_t finished_ns = container->finished_ns == NEVER ? now : container->finished_ns;
    const char *up = docker_human_duration(arena, now - started_ns);
    const char *ago = docker_human_duration(arena, now - finished_ns);
    switch (container->state) {
    case CONTAINER_CREATED:
        return "Created";
    case CONTAINER_PAUSED:
        return arena_printf(arena, "Up %s (Paused)", up);
    case CONTAINER_RESTARTING:
        return arena_printf(arena, "Restarting (%d) %s ago", container->exit_code, ago);
    case CONTAINER_EXITED:
        return container->finished_ns == NEVER
                   ? "Created"
                   : arena_printf(arena, "Exited (%d) %s ago", container->exit_code, ago);
    case CONTAINER_RUNNING:
        break;
    }
    switch (container_health(container)) {
    case HEALTH_STARTING:
        return arena_printf(arena, "Up %s (health: starting)", up);
    case HEALTH_HEALTHY:
        return arena_printf(arena, "Up %s (healthy)", up);
    case HEALTH_UNHEALTHY:
        return arena_printf(arena, "Up %s (unhealthy)", up);
    case HEALTH_NONE:
        break;
    }
    return arena_printf(arena, "Up %s", up);
}

const char *container_ports(struct container *container, struct arena *arena)
{
    const char *text = "";
    for (int i = 0; i < container->spec.n_ports; i++) {
        const struct docker_port *port = &container->spec.ports[i];
        const char *comma = text[0] ? ", " : "";
        if (port->address && container_running(container))
            text = arena_printf(arena, "%s%s%s:%d->%d/%s", text, comma, port->address, port->host,
                                port->container, port->protocol);
        else if (container_running(container))
            text = arena_printf(arena, "%s%s%d/%s", text, comma, port->container, port->protocol);
    }
    return text;
}

/* ---- the daemon ---- */

int64_t docker_daemon_stop(struct docker *docker)
{
    int64_t longest = 0;
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        if (container->removed || !container_running(container))
            continue;
        bool by_hand = container->stopped_by_hand;
        int64_t takes = docker_stop(container, 10 * SECOND);
        container->stopped_by_hand = by_hand;
        longest = takes > longest ? takes : longest;
    }
    docker->daemon_running = false;
    return longest;
}

int64_t docker_daemon_start(struct docker *docker)
{
    docker->daemon_running = true;
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        if (container->removed || container->state != CONTAINER_EXITED)
            continue;
        enum restart_policy policy = container->spec.restart;
        if (policy == RESTART_ALWAYS ||
            (policy == RESTART_UNLESS_STOPPED && !container->stopped_by_hand) ||
            (policy == RESTART_ON_FAILURE && container->exit_code != 0 &&
             !container->stopped_by_hand))
            docker_start(container);
    }
    return 1500 * MILLISECOND;
}
