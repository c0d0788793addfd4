/* What exists when the run starts: read from `docker:` in the system file, and from the Compose
 * files it names.
 *
 *   docker:
 *     # or a list; all but folder may be left out
 *     compose: {folder: /opt/shop, file: docker-compose.yml, project: shop}
 *     images:        # only what cannot be worked out from services and Compose files
 *       shop/api: {service: api, size: 412MB, stop: 2s, here: [v4.17]}
 *       busybox: {ends: 0s, exit: 0}
 *     registry: {bandwidth: 40MB/s, latency: 400ms}
 *
 * The image of a Compose service that a service of the world runs on (`runs: {compose: ...,
 * service: ...}`, or the same name) gets one tag a version in the registry; the tag that the file
 * names, if it is no version, points at the version that runs. Images of running containers are
 * here, the others only in the registry.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/compose.h"
#include "fakes/fake.h"
#include "fakes/git_repo.h"
#include "sim/base/str.h"
#include "sim/base/xalloc.h"

#define BEFORE_IMAGES     (-20 * DAY)
#define BEFORE_CONTAINERS (-3 * DAY)

struct docker *docker_of(struct env *env)
{
    return *env_slot(env, "docker");
}

struct arena *docker_arena(struct docker *docker)
{
    return &docker->env->arena;
}

int64_t docker_now(struct docker *docker)
{
    return world_now(docker->env->world);
}

/* ---- following the world ---- */

static struct container *owner_of(struct docker *docker, const struct instance *instance)
{
    for (int i = docker->n_containers - 1; i >= 0; i--) {
        if (docker->containers[i]->instance == instance)
            return docker->containers[i];
    }
    return NULL;
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct container *container = owner_of(ctx, instance);
    if (!container)
        return;
    if (instance_state(instance) != before)
        container_condition_changed(container, before);
    bool crashed = instance_state(instance) == INSTANCE_STOPPED && before != INSTANCE_STOPPED &&
                   container->state == CONTAINER_RUNNING && !container->stopping;
    if (crashed)
        container_ended(container, instance_exit_code(instance));
}

static void instance_logged(struct instance *instance, const char *line, bool is_error, void *ctx)
{
    struct container *container = owner_of(ctx, instance);
    if (container)
        container_log(container, line, is_error);
}

/* ---- images ---- */

const char *const *docker_tools_of(const char *repository)
{
    static const char *const postgres[] = {"psql",       "pg_dump",  "pg_dumpall", "pg_restore",
                                           "pg_isready", "createdb", "dropdb",     "pg_basebackup",
                                           "pg_ctl",     NULL};
    static const char *const redis[] = {"redis-cli", NULL};
    static const char *const web[] = {"nginx", "curl", NULL};
    static const char *const search[] = {"curl", NULL}, *const wget[] = {"wget", NULL};
    static const char *const none[] = {NULL};
    const char *slash = strrchr(repository, '/');
    const char *base = slash ? slash + 1 : repository;
    if (strstr(base, "postgres") || strstr(base, "timescale") || strstr(base, "pgvector"))
        return postgres;
    if (strstr(base, "redis") || strstr(base, "valkey"))
        return redis;
    if (strstr(base, "nginx"))
        return web;
    if (strstr(base, "elasticsearch") || strstr(base, "opensearch") || strcmp(base, "curl") == 0)
        return search;
    if (strcmp(base, "busybox") == 0 || strcmp(base, "alpine") == 0)
        return wget;
    return none;
}

static const char *const *command_of(const char *repository)
{
    static const char *const postgres[] = {"docker-entrypoint.sh", "postgres", NULL};
    static const char *const redis[] = {"docker-entrypoint.sh", "redis-server", NULL};
    static const char *const nginx[] = {"/docker-entrypoint.sh", "nginx", "-g", "daemon off;",
                                        NULL};
    static const char *const search[] = {"/bin/tini", "--", "/usr/local/bin/docker-entrypoint.sh",
                                         "eswrapper", NULL};
    static const char *const other[] = {"/usr/local/bin/docker-entrypoint.sh", NULL};
    if (strstr(repository, "postgres"))
        return postgres;
    if (strstr(repository, "redis"))
        return redis;
    if (strstr(repository, "nginx"))
        return nginx;
    return strstr(repository, "elasticsearch") ? search : other;
}

static int read_words(struct arena *arena, const struct doc *list, const char *const **ret,
                      struct error *error)
{
    if (!list)
        return 0;
    const char **words = ARENA_ARRAY(arena, const char *, list->n + 2);
    int n = 0;
    if (list->kind == DOC_SCALAR)
        words[n++] = list->text;
    for (const struct doc *item = list->first; item; item = item->next) {
        const char *text;
        if (doc_text(item, &text, error))
            return ERROR_INPUT;
        words[n++] = item->key ? arena_printf(arena, "%s=%s", item->key, text) : text;
    }
    *ret = words;
    return 0;
}

/* The entry under `images:` for a repository, by name with or without the tag. */
static const struct doc *image_entry(const struct doc *config, const char *repository,
                                     const char *tag)
{
    struct arena scratch = {0};
    const struct doc *images = doc_get(config, "images");
    const struct doc *entry = doc_get(images, arena_printf(&scratch, "%s:%s", repository, tag));
    arena_release(&scratch);
    return entry ? entry : doc_get(images, repository);
}

static int describe_image(struct docker *docker, const struct doc *entry, const char *repository,
                          struct docker_image *image, struct error *error)
{
    struct arena *arena = docker_arena(docker);
    image->tools = docker_tools_of(repository);
    image->command = command_of(repository);
    image->created_ns = BEFORE_IMAGES;
    if (!entry)
        return 0;
    int64_t exit_code = 0, stop_exit = 0;
    const struct doc *stop = doc_get(entry, "stop");
    if (stop && stop->text && strcmp(stop->text, "never") == 0)
        image->stop_ns = INT64_MAX;
    else if (doc_duration(stop, &image->stop_ns, error))
        return ERROR_INPUT;
    if (doc_size(doc_get(entry, "size"), &image->size_bytes, error) ||
        doc_duration(doc_get(entry, "ends"), &image->ends_ns, error) ||
        doc_int(doc_get(entry, "exit"), 0, 255, &exit_code, error) ||
        doc_int(doc_get(entry, "stop_exit"), 0, 255, &stop_exit, error) ||
        doc_bool(doc_get(entry, "corrupt"), &image->corrupt, error) ||
        read_words(arena, doc_get(entry, "command"), &image->command, error) ||
        read_words(arena, doc_get(entry, "environment"), &image->env, error) ||
        read_words(arena, doc_get(entry, "tools"), &image->tools, error))
        return ERROR_INPUT;
    image->ends_exit = (int)exit_code;
    image->stop_exit = (int)stop_exit;
    return 0;
}

static const struct doc *root_of(const struct doc *config)
{
    while (config && config->parent)
        config = config->parent;
    return config;
}

/* The service of the world that a Compose service runs: one that says so, or one of the same name.
 */
static const char *world_service_of(const struct doc *root, const char *compose_service)
{
    const struct doc *services = doc_get(root, "services");
    for (const struct doc *service = services ? services->first : NULL; service;
         service = service->next) {
        const struct doc *runs = doc_get(service, "runs");
        const struct doc *name = doc_get(runs, "service");
        if (doc_get(runs, "compose") && name && name->text &&
            strcmp(name->text, compose_service) == 0)
            return service->key;
    }
    const struct doc *same = doc_get(services, compose_service);
    return same && doc_get(same, "runs") ? same->key : NULL;
}

const char *docker_service_of(const struct docker *docker, const char *compose_service)
{
    return world_service_of(docker->system, compose_service);
}

/* Every version of a service as a tag in the registry, and the tag that is deployed. */
static int add_service_image(struct docker *docker, const struct doc *config,
                             const char *repository, const char *tag, const char *service,
                             struct error *error)
{
    struct arena *arena = docker_arena(docker);
    struct service *of = world_service(docker->env->world, service);
    const struct doc *entry = image_entry(config, repository, tag);
    const struct doc *versions =
        doc_get(doc_get(doc_get(root_of(config), "services"), service), "versions");
    if (!of)
        return doc_error(entry ? entry : config, error, "no service '%s' in this system", service);
    const char *initial = service_initial_version(of);
    for (const struct doc *version = versions ? versions->first : NULL; version;
         version = version->next) {
        struct docker_image *image = docker_image_of(docker, repository, service, version->key);
        if (describe_image(docker, entry, repository, image, error))
            return ERROR_INPUT;
        docker_remote_set(docker, arena_printf(arena, "%s:%s", repository, version->key), image);
    }
    struct docker_image *image =
        docker_image_of(docker, repository, service, service_has_version(of, tag) ? tag : initial);
    if (describe_image(docker, entry, repository, image, error))
        return ERROR_INPUT;
    const char *reference = arena_printf(arena, "%s:%s", repository, tag);
    docker_remote_set(docker, reference, image);
    docker_tag(docker, reference, image);
    if (strcmp(tag, image->version) != 0 && versions && versions->n > 1)
        docker_tag(docker, arena_printf(arena, "%s:%s", repository, image->version), image);
    return 0;
}

static int add_image(struct docker *docker, const struct doc *config, const char *reference,
                     const char *service, bool here, struct error *error)
{
    const char *repository, *tag;
    struct arena *arena = docker_arena(docker);
    if (docker_image_here(docker, reference))
        return 0;
    const char *why = docker_reference(arena, reference, &repository, &tag);
    if (why)
        return doc_error(config, error, "image '%s': %s", reference, why);
    const struct doc *entry = image_entry(config, repository, tag);
    if (doc_text(doc_get(entry, "service"), &service, error))
        return ERROR_INPUT;
    if (service)
        return add_service_image(docker, config, repository, tag, service, error);
    struct docker_image *image = docker_image_new(docker, reference);
    docker_remote_set(docker, reference, image);
    if (here)
        docker_tag(docker, reference, image);
    return describe_image(docker, entry, repository, image, error);
}

/* Images under `images:` that no Compose file names: in the registry, and here if it says so. */
static int add_listed_images(struct docker *docker, const struct doc *config, struct error *error)
{
    static const char *const keys[] = {"service", "size",    "stop",    "stop_exit",   "ends",
                                       "exit",    "corrupt", "command", "environment", "tools",
                                       "tags",    "here",    NULL};
    struct arena *arena = docker_arena(docker);
    const struct doc *images = doc_get(config, "images");
    for (const struct doc *entry = images ? images->first : NULL; entry; entry = entry->next) {
        const char *repository, *tag, *service = NULL;
        if (doc_only(entry, keys, error) || doc_text(doc_get(entry, "service"), &service, error))
            return ERROR_INPUT;
        const char *why = docker_reference(arena, entry->key, &repository, &tag);
        if (why)
            return doc_error(entry, error, "%s", why);
        const struct doc *tags = doc_get(entry, "tags");
        for (const struct doc *item = tags ? tags->first : NULL; item; item = item->next) {
            const char *version;
            if (!item->key || !service)
                return doc_error(tags, error, "tags are a mapping of tag to version of 'service'");
            if (doc_text(item, &version, error))
                return ERROR_INPUT;
            struct docker_image *image = docker_image_of(docker, repository, service, version);
            if (describe_image(docker, entry, repository, image, error))
                return ERROR_INPUT;
            docker_remote_set(docker, arena_printf(arena, "%s:%s", repository, item->key), image);
        }
        if (!docker_remote(docker, entry->key) && !service) {
            struct docker_image *image = docker_image_new(docker, entry->key);
            if (describe_image(docker, entry, repository, image, error))
                return ERROR_INPUT;
            docker_remote_set(docker, entry->key, image);
        }
        const struct doc *here = doc_get(entry, "here");
        for (const struct doc *item = here ? here->first : NULL; item; item = item->next) {
            const char *text;
            if (doc_text(item, &text, error))
                return ERROR_INPUT;
            const char *reference = arena_printf(arena, "%s:%s", repository, text);
            struct docker_tag *remote = docker_remote(docker, reference);
            if (!remote)
                return doc_error(item, error, "no tag '%s' of '%s' in the registry", text,
                                 repository);
            docker_tag(docker, reference, remote->image);
        }
    }
    return 0;
}

/* ---- Compose projects ---- */

static int load_file(void *ctx, const char *path, struct buf *buf)
{
    return env_load(ctx, "", path, buf);
}

static const char *no_variable(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static int load_project(struct docker *docker, const struct docker_project *project,
                        struct arena *arena, struct compose_project *ret, const char **why)
{
    const struct compose_source source = {docker->env, load_file, no_variable};
    const char *const files[] = {project->file, NULL};
    const struct compose_request request = {
        .edition = project->v2 ? COMPOSE_V2 : COMPOSE_V1,
        .files = project->file ? files : NULL,
        .project = project->name,
        .folder = project->folder,
    };
    return compose_load(arena, &source, &request, ret, why);
}

static struct container *start_one(struct docker *docker, const struct container_spec *spec,
                                   const char **why)
{
    struct container *container = docker_create(docker, spec, why);
    if (!container)
        return NULL;
    env_add_place(docker->env, container->place);
    *why = docker_start(container);
    return *why ? NULL : container;
}

static int start_project(struct docker *docker, const struct doc *config, const struct doc *node,
                         const struct docker_project *declared, struct error *error)
{
    struct arena *arena = docker_arena(docker);
    struct compose_project project;
    const char *why = NULL;
    if (load_project(docker, declared, arena, &project, &why))
        return doc_error(node, error, "the Compose project cannot be read: %s", why);
    for (int i = 0; i < project.n_services; i++) {
        const struct compose_service *service = &project.services[i];
        if (add_image(docker, config, compose_image(&project, service),
                      world_service_of(root_of(config), service->name), !service->profiled, error))
            return ERROR_INPUT;
    }
    compose_make_things(docker, &project, NULL, NULL);
    struct compose_service **order = compose_order(&project, NULL, true);
    for (int i = 0; order[i]; i++) {
        for (int number = 1; number <= order[i]->scale; number++) {
            struct container_spec spec = compose_spec(docker, &project, order[i], number);
            struct container *container = start_one(docker, &spec, &why);
            if (!container)
                return doc_error(node, error, "service '%s' cannot be started: %s", order[i]->name,
                                 why);
            container->created_ns = container->started_ns = BEFORE_CONTAINERS;
            container->condition_ns = BEFORE_CONTAINERS;
        }
    }
    return 0;
}

static int add_project(struct docker *docker, const struct doc *config, const struct doc *node,
                       struct error *error)
{
    static const char *const keys[] = {"folder", "file", "project", "v2", NULL};
    XGROW(docker->projects, docker->n_projects, docker->cap_projects);
    struct docker_project *project = &docker->projects[docker->n_projects++];
    *project = (struct docker_project){0};
    struct doc *folder;
    if (doc_want(node, DOC_MAPPING, error) || doc_only(node, keys, error) ||
        doc_need(node, "folder", &folder, error) || doc_text(folder, &project->folder, error) ||
        doc_text(doc_get(node, "file"), &project->file, error) ||
        doc_text(doc_get(node, "project"), &project->name, error) ||
        doc_bool(doc_get(node, "v2"), &project->v2, error))
        return ERROR_INPUT;
    return start_project(docker, config, node, project, error);
}

/* ---- a deployment by the world ---- */

static void replace_container(struct docker *docker, struct container *old,
                              struct compose_project *project,
                              const struct compose_service *service)
{
    const char *why = NULL;
    const char *number = container_label(old, "com.docker.compose.container-number");
    struct container_spec spec =
        compose_spec(docker, project, service, number ? leading_int(number) : 1);
    old->hands_over = true;
    docker_remove(old);
    start_one(docker, &spec, &why);
}

/* What a pipeline leaves: the new image here under its own tag and under the moving one, the
 * containers of that service recreated from the file as it now stands. */
static bool deploy(struct world *world, struct service *service, const char *version, void *ctx)
{
    (void)world;
    struct docker *docker = ctx;
    struct arena *arena = docker_arena(docker);
    bool done = false;
    git_repo_deployed(docker->env, version);
    for (int i = 0, n = docker->n_containers; i < n; i++) { /* those made here come behind */
        struct container *container = docker->containers[i];
        const char *repository, *tag;
        if (container->removed || !container->image->service ||
            strcmp(container->image->service, service_name(service)) != 0 ||
            docker_reference(arena, container->spec.image, &repository, &tag))
            continue;
        struct docker_image *image =
            docker_image_of(docker, repository, service_name(service), version);
        docker_tag(docker, arena_printf(arena, "%s:%s", repository, version), image);
        if (!service_has_version(service, tag)) {
            docker_tag(docker, container->spec.image, image);
            docker_remote_set(docker, container->spec.image, image);
        }
        const char *of = container_label(container, "com.docker.compose.service");
        for (int k = 0; of && k < docker->n_projects; k++) {
            struct compose_project project;
            const char *why = NULL;
            if (load_project(docker, &docker->projects[k], arena, &project, &why) == 0 &&
                strcmp(project.name, container_label(container, "com.docker.compose.project")) ==
                    0 &&
                compose_find(&project, of)) {
                replace_container(docker, container, &project, compose_find(&project, of));
                done = true;
            }
        }
    }
    return done;
}

/* ---- the fake's table functions, used by fakes/docker.c ---- */

static int read_registry(struct docker *docker, const struct doc *registry, struct error *error)
{
    static const char *const keys[] = {"bandwidth", "latency", "unreachable", "missing",
                                       "slow",      "corrupt", NULL};
    int64_t bandwidth = 0;
    if (registry && doc_only(registry, keys, error))
        return ERROR_INPUT;
    const struct doc *rate = doc_get(registry, "bandwidth");
    if (rate) {
        const char *text = rate->text ? rate->text : "";
        struct str size = str_of(text);
        size = str_ends(size, "/s") ? (struct str){size.at, size.len - 2} : size;
        if (!parse_size(size, &bandwidth) || bandwidth <= 0)
            return doc_error(rate, error, "'%s' is no bandwidth; write for example 40MB/s", text);
        docker->bandwidth_bytes_per_s = (double)bandwidth;
    }
    if (doc_duration(doc_get(registry, "latency"), &docker->latency_ns, error) ||
        doc_bool(doc_get(registry, "unreachable"), &docker->unreachable, error))
        return ERROR_INPUT;
    static const char *const faults[] = {"missing", "slow", "corrupt"};
    for (int kind = 0; kind < 3; kind++) {
        const struct doc *list = doc_get(registry, faults[kind]);
        for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
            const char *reference;
            if (doc_text(item, &reference, error))
                return ERROR_INPUT;
            struct docker_tag *tag = docker_remote(docker, reference);
            if (!tag)
                return doc_error(item, error, "no image '%s' in the registry", reference);
            tag->gone = tag->gone || kind == 0;
            tag->slow = tag->slow || kind == 1;
            tag->image->corrupt = tag->image->corrupt || kind == 2;
        }
    }
    return 0;
}

int docker_setup(struct env *env, const struct doc *config, struct error *error)
{
    static const char *const keys[] = {"compose", "images", "registry", "version", NULL};
    struct docker *docker = xcalloc(1, sizeof *docker);
    *env_slot(env, "docker") = docker;
    docker->env = env;
    docker->bandwidth_bytes_per_s = 40e6;
    docker->latency_ns = 400 * MILLISECOND;
    docker->daemon_running = true;
    docker->server_version = "20.10.24";
    docker->system = root_of(config);
    docker_network_new(docker, "bridge", NULL);
    docker_network_new(docker, "host", NULL)->driver = "host";
    docker_network_new(docker, "none", NULL)->driver = "null";
    world_watch_instances(env->world, instance_changed, docker);
    world_watch_logs(env->world, instance_logged, docker);
    if (!config)
        return 0;
    if (doc_only(config, keys, error) ||
        doc_text(doc_get(config, "version"), &docker->server_version, error))
        return ERROR_INPUT;
    const struct doc *compose = doc_get(config, "compose");
    const struct doc *first = compose && compose->kind == DOC_SEQUENCE ? compose->first : compose;
    for (const struct doc *node = first; node; node = node == compose ? NULL : node->next) {
        if (add_project(docker, config, node, error))
            return ERROR_INPUT;
    }
    if (add_listed_images(docker, config, error) ||
        read_registry(docker, doc_get(config, "registry"), error))
        return ERROR_INPUT;
    world_on_deploy(env->world, deploy, docker);
    static const char *const spare[] = {DOCKER_SPARE_PLACES};
    for (size_t i = 0; i < sizeof spare / sizeof *spare; i++)
        env_add_place(env, spare[i]);
    docker->set_up = true;
    return 0;
}

void docker_release(struct env *env)
{
    struct docker *docker = docker_of(env);
    if (!docker)
        return;
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        for (int k = 0; k < container->n_log; k++)
            free(container->log[k].text);
        free(container->log);
    }
    free(docker->containers);
    free(docker->images);
    free(docker->tags);
    free(docker->remote);
    free(docker->networks);
    free(docker->volumes);
    free(docker->projects);
    free(docker);
    *env_slot(env, "docker") = NULL;
}
