/* Images: the local store, the registry, and what a pull of one from the other comes to. */
#include <string.h>

#include "fakes/docker.h"
#include "sim/base/xalloc.h"

static const char *const no_words[] = {NULL};

struct docker_image *docker_image_new(struct docker *docker, const char *name)
{
    struct arena *arena = docker_arena(docker);
    struct docker_image *image = ARENA_NEW(arena, struct docker_image);
    char hex[65];
    docker->n_ids++;
    docker_hex(arena_printf(arena, "image %lld %s", (long long)docker->n_ids, name), hex);
    image->id = arena_printf(arena, "sha256:%s", hex);
    docker_hex(arena_printf(arena, "manifest %lld %s", (long long)docker->n_ids, name), hex);
    image->digest = arena_printf(arena, "sha256:%s", hex);
    image->name = arena_strdup(arena, name);
    image->command = image->env = image->tools = no_words;
    image->size_bytes = 187 * 1000 * 1000;
    image->stop_ns = 300 * MILLISECOND;
    image->ends_ns = NEVER;
    image->created_ns = docker_now(docker);
    XGROW(docker->images, docker->n_images, docker->cap_images);
    docker->images[docker->n_images++] = image;
    return image;
}

struct docker_image *docker_image_of(struct docker *docker, const char *repository,
                                     const char *service, const char *version)
{
    struct arena *arena = docker_arena(docker);
    const char *name = arena_printf(arena, "%s:%s", repository, version);
    for (int i = 0; i < docker->n_images; i++) {
        struct docker_image *image = docker->images[i];
        if (image->service && strcmp(image->service, service) == 0 &&
            strcmp(image->version, version) == 0 && strcmp(image->name, name) == 0)
            return image;
    }
    struct docker_image *image = docker_image_new(docker, name);
    image->service = arena_strdup(arena, service);
    image->version = arena_strdup(arena, version);
    return image;
}

static struct docker_tag *find_tag(struct docker_tag *tags, int n, const char *repository,
                                   const char *tag)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(tags[i].repository, repository) == 0 && strcmp(tags[i].tag, tag) == 0)
            return &tags[i];
    }
    return NULL;
}

/* By the beginning of an ID, at least one digit; only images that are here. */
static struct docker_image *find_id(struct docker *docker, const char *id)
{
    bool full = strncmp(id, "sha256:", 7) == 0;
    if (full)
        id += 7;
    size_t len = strlen(id);
    if (len == 0 || len > 64 || strspn(id, "0123456789abcdef") != len)
        return NULL;
    for (int i = 0; i < docker->n_images; i++) {
        struct docker_image *image = docker->images[i];
        if (image->pulled && strncmp(image->id + 7, id, len) == 0)
            return image;
    }
    return NULL;
}

struct docker_image *docker_image_here(struct docker *docker, const char *reference)
{
    struct arena scratch = {0};
    const char *repository, *tag;
    struct docker_image *image = NULL;
    if (!docker_reference(&scratch, reference, &repository, &tag)) {
        if (strncmp(tag, "sha256:", 7) == 0) {
            for (int i = 0; i < docker->n_images && !image; i++) {
                if (docker->images[i]->pulled && strcmp(docker->images[i]->digest, tag) == 0)
                    image = docker->images[i];
            }
        } else {
            struct docker_tag *found = find_tag(docker->tags, docker->n_tags, repository, tag);
            image = found ? found->image : NULL;
        }
    }
    arena_release(&scratch);
    return image ? image : find_id(docker, reference);
}

static struct docker_tag *set_tag(struct docker *docker, struct docker_tag **tags, int *n, int *cap,
                                  const char *reference, struct docker_image *image)
{
    const char *repository, *tag;
    struct arena *arena = docker_arena(docker);
    if (docker_reference(arena, reference, &repository, &tag))
        return NULL;
    struct docker_tag *found = find_tag(*tags, *n, repository, tag);
    if (!found) {
        XGROW(*tags, *n, *cap);
        found = &(*tags)[(*n)++];
        *found = (struct docker_tag){.repository = repository, .tag = tag};
    }
    found->image = image;
    return found;
}

void docker_tag(struct docker *docker, const char *reference, struct docker_image *image)
{
    set_tag(docker, &docker->tags, &docker->n_tags, &docker->cap_tags, reference, image);
    image->pulled = true;
}

struct docker_tag *docker_remote_set(struct docker *docker, const char *reference,
                                     struct docker_image *image)
{
    return set_tag(docker, &docker->remote, &docker->n_remote, &docker->cap_remote, reference,
                   image);
}

struct docker_tag *docker_remote(struct docker *docker, const char *reference)
{
    struct arena scratch = {0};
    const char *repository, *tag;
    struct docker_tag *found = NULL;
    if (!docker_reference(&scratch, reference, &repository, &tag)) {
        if (strncmp(tag, "sha256:", 7) == 0) {
            for (int i = 0; i < docker->n_remote && !found; i++) {
                if (strcmp(docker->remote[i].repository, repository) == 0 &&
                    strcmp(docker->remote[i].image->digest, tag) == 0)
                    found = &docker->remote[i];
            }
        } else {
            found = find_tag(docker->remote, docker->n_remote, repository, tag);
        }
    }
    arena_release(&scratch);
    return found;
}

static bool repository_known(struct docker *docker, const char *repository)
{
    for (int i = 0; i < docker->n_remote; i++) {
        if (strcmp(docker->remote[i].repository, repository) == 0)
            return true;
    }
    return false;
}

/* Images that everybody can pull, in any tag: they are there although no system file speaks of
 * them. */
static bool is_well_known(const char *repository)
{
    static const char *const names[] = {"alpine",      "busybox", "ubuntu",          "debian",
                                        "hello-world", "nginx",   "postgres",        "redis",
                                        "python",      "node",    "curlimages/curl", NULL};
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], repository) == 0)
            return true;
    }
    return false;
}

/* Wording: moby's distribution errors, as the daemon sends them to the client. */
void docker_pull(struct docker *docker, const char *reference, struct pull *ret)
{
    struct arena *arena = docker_arena(docker);
    const char *repository, *tag;
    *ret = (struct pull){.result = PULL_FAILED, .resolve_ns = docker->latency_ns};
    ret->why = docker_reference(arena, reference, &repository, &tag);
    if (ret->why)
        return;
    const char *full = docker_full_name(arena, repository, tag);
    const char *host = arena_str(arena, str_cut(&(struct str){full, strlen(full)}, '/'));
    if (strcmp(host, "docker.io") == 0)
        host = "registry-1.docker.io";
    if (docker->unreachable) {
        ret->resolve_ns = 15 * SECOND;
        ret->why =
            arena_printf(arena,
                         "Get \"https://%s/v2/\": net/http: request canceled while waiting for "
                         "connection (Client.Timeout exceeded while awaiting headers)",
                         host);
        return;
    }
    struct docker_tag *remote = docker_remote(docker, reference);
    if (!remote && !repository_known(docker, repository) && is_well_known(repository)) {
        struct docker_image *image = docker_image_new(docker, reference);
        image->size_bytes = 30 * 1000 * 1000;
        image->ends_ns = 0;
        remote = docker_remote_set(docker, reference, image);
    }
    if (!remote && !repository_known(docker, repository)) {
        ret->why =
            arena_printf(arena,
                         "pull access denied for %s, repository does not exist or may require "
                         "'docker login': denied: requested access to the resource is denied",
                         repository);
        return;
    }
    if (!remote || remote->gone) {
        ret->why =
            arena_printf(arena, "manifest for %s%s%s not found: manifest unknown: manifest unknown",
                         repository, strncmp(tag, "sha256:", 7) == 0 ? "@" : ":", tag);
        return;
    }
    ret->image = remote->image;
    struct docker_image *here = docker_image_here(docker, reference);
    if (!remote->image->pulled || remote->image->corrupt) {
        double seconds = (double)remote->image->size_bytes / docker->bandwidth_bytes_per_s;
        ret->download_ns = (int64_t)(seconds * 1e9) * (remote->slow ? 20 : 1);
    }
    if (remote->image->corrupt) {
        ret->why = arena_printf(arena, "filesystem layer verification failed for digest %s",
                                remote->image->digest);
        return;
    }
    ret->result = here == remote->image ? PULL_UP_TO_DATE : PULL_NEW;
}

void docker_pull_done(struct docker *docker, const char *reference, const struct pull *pull)
{
    if (pull->result == PULL_FAILED)
        return;
    if (pull->result == PULL_NEW)
        record_change(docker->env->record, reference, "is pulled");
    pull->image->pulled = true;
    if (!strchr(reference, '@'))
        docker_tag(docker, reference, pull->image);
}

/* An image of that repository, here or in the registry: tells whose sources these are. */
static struct docker_image *relative(struct docker *docker, const char *repository)
{
    for (int i = 0; i < docker->n_tags; i++) {
        if (strcmp(docker->tags[i].repository, repository) == 0 && docker->tags[i].image->service)
            return docker->tags[i].image;
    }
    for (int i = 0; i < docker->n_remote; i++) {
        if (strcmp(docker->remote[i].repository, repository) == 0 &&
            docker->remote[i].image->service)
            return docker->remote[i].image;
    }
    return NULL;
}

struct docker_image *docker_build(struct docker *docker, const char *reference, const char *service,
                                  const char *version)
{
    const char *repository, *tag;
    if (docker_reference(docker_arena(docker), reference, &repository, &tag))
        return NULL;
    struct docker_image *before = docker_image_here(docker, reference);
    struct docker_image *like = before ? before : relative(docker, repository);
    if (!service && like)
        service = like->service;
    struct service *of = service ? world_service(docker->env->world, service) : NULL;
    struct docker_image *image;
    if (of && version && service_has_version(of, version))
        image = docker_image_of(docker, repository, service, version);
    else if (before)
        image = before; /* every step comes out of the build cache */
    else if (of)
        image = docker_image_of(docker, repository, service, service_initial_version(of));
    else
        image = docker_image_new(docker, reference);
    if (like && image != like) {
        image->command = like->command;
        image->env = like->env;
        image->tools = like->tools;
        image->size_bytes = like->size_bytes;
        image->stop_ns = like->stop_ns;
        image->stop_exit = like->stop_exit;
    }
    if (image != before)
        record_change(docker->env->record, reference, "is built");
    docker_tag(docker, reference, image);
    return image;
}
