/* From the services of a file to containers: order, names, what is compared, what is created. */
#include <stdlib.h>
#include <string.h>

#include "fakes/compose.h"
#include "sim/base/str.h"

struct compose_service *compose_find(const struct compose_project *project, const char *service)
{
    for (int i = 0; i < project->n_services; i++) {
        if (strcmp(project->services[i].name, service) == 0)
            return &project->services[i];
    }
    return NULL;
}

static char joiner(const struct compose_project *project)
{
    return project->edition == COMPOSE_V1 ? '_' : '-';
}

const char *compose_image(const struct compose_project *project,
                          const struct compose_service *service)
{
    if (service->image)
        return service->image;
    return arena_printf(project->arena, "%s%c%s", project->name, joiner(project), service->name);
}

const char *compose_container_name(const struct compose_project *project,
                                   const struct compose_service *service, int number)
{
    if (service->container_name)
        return service->container_name;
    char c = joiner(project);
    return arena_printf(project->arena, "%s%c%s%c%d", project->name, c, service->name, c, number);
}

/* ---- order ---- */

struct ordering {
    const struct compose_project *project;
    struct compose_service **out;
    int n;
    bool *wanted, *done;
    bool with_needed;
};

static void visit(struct ordering *ordering, const struct compose_service *service, int depth)
{
    long at = service - ordering->project->services;
    if (ordering->done[at] || depth > ordering->project->n_services)
        return;
    for (int i = 0; i < service->n_needs; i++) {
        struct compose_service *needed = compose_find(ordering->project, service->needs[i].service);
        if (needed &&
            (ordering->with_needed || ordering->wanted[needed - ordering->project->services]))
            visit(ordering, needed, depth + 1);
    }
    if (!ordering->done[at]) {
        ordering->done[at] = true;
        ordering->out[ordering->n++] = &ordering->project->services[at];
    }
}

struct compose_service **compose_order(const struct compose_project *project, char *const *names,
                                       bool with_needed)
{
    int n = project->n_services;
    struct ordering ordering = {
        .project = project,
        .out = ARENA_ARRAY(project->arena, struct compose_service *, n + 1),
        .wanted = ARENA_ARRAY(project->arena, bool, n + 1),
        .done = ARENA_ARRAY(project->arena, bool, n + 1),
        .with_needed = with_needed,
    };
    bool all = !names || !names[0];
    for (int i = 0; i < n; i++)
        ordering.wanted[i] = all && !project->services[i].profiled;
    for (int i = 0; !all && names[i]; i++) {
        struct compose_service *service = compose_find(project, names[i]);
        if (service)
            ordering.wanted[service - project->services] = true;
    }
    for (int i = 0; i < n; i++) {
        if (ordering.wanted[i])
            visit(&ordering, &project->services[i], 0);
    }
    return ordering.out;
}

/* sort_service_dicts() of docker-compose 1.29: from the last to the first, each after all that
 * depend on it, put in front. */
static void put_in_front(struct ordering *ordering, long at)
{
    const struct compose_project *project = ordering->project;
    if (ordering->done[at])
        return;
    ordering->done[at] = true;
    for (int i = 0; i < project->n_services; i++) {
        for (int k = 0; k < project->services[i].n_needs; k++) {
            if (strcmp(project->services[i].needs[k].service, project->services[at].name) == 0)
                put_in_front(ordering, i);
        }
    }
    memmove(ordering->out + 1, ordering->out, (size_t)ordering->n * sizeof *ordering->out);
    ordering->out[0] = &project->services[at];
    ordering->n++;
}

struct compose_service **compose_sorted(const struct compose_project *project)
{
    int n = project->n_services;
    struct ordering ordering = {
        .project = project,
        .out = ARENA_ARRAY(project->arena, struct compose_service *, n + 1),
        .done = ARENA_ARRAY(project->arena, bool, n + 1),
    };
    for (int i = n - 1; i >= 0; i--)
        put_in_front(&ordering, i);
    return ordering.out;
}

/* ---- what is compared ---- */

static int by_key(const void *a, const void *b)
{
    const struct doc *x = *(const struct doc *const *)a, *y = *(const struct doc *const *)b;
    return strcmp(x->key ? x->key : "", y->key ? y->key : "");
}

/* env_file and environment are compared by what comes out of them; the others of these never
 * matter. */
static bool compared(const struct doc *node)
{
    static const char *const not [] = {"env_file", "environment", "profiles", "scale",
                                       "build",    "depends_on",  NULL};
    if (!node->key || !node->parent || !node->parent->parent || !node->parent->parent->key ||
        strcmp(node->parent->parent->key, "services") != 0)
        return true;
    for (int i = 0; not [i]; i++) {
        if (strcmp(not [i], node -> key) == 0)
            return false;
    }
    return true;
}

void compose_canonical(const struct doc *node, struct buf *out)
{
    if (node->kind != DOC_MAPPING && node->kind != DOC_SEQUENCE) {
        buf_printf(out, "%s", node->text ? node->text : "~");
        return;
    }
    struct arena scratch = {0};
    const struct doc **children = ARENA_ARRAY(&scratch, const struct doc *, node->n + 1);
    int n = 0;
    for (const struct doc *child = node->first; child; child = child->next) {
        if (compared(child))
            children[n++] = child;
    }
    if (node->kind == DOC_MAPPING)
        qsort(children, (size_t)n, sizeof(struct doc *), by_key);
    buf_putc(out, node->kind == DOC_MAPPING ? '{' : '[');
    for (int i = 0; i < n; i++) {
        if (node->kind == DOC_MAPPING)
            buf_printf(out, "%s:", children[i]->key);
        compose_canonical(children[i], out);
        buf_putc(out, ',');
    }
    buf_putc(out, node->kind == DOC_MAPPING ? '}' : ']');
    arena_release(&scratch);
}

/* v1 puts the image's ID into what it compares; v2 compares it apart, in its own label. */
const char *compose_hash(struct docker *docker, const struct compose_project *project,
                         const struct compose_service *service)
{
    const char *text = service->content;
    if (project->edition == COMPOSE_V1) {
        struct docker_image *image = docker_image_here(docker, compose_image(project, service));
        text = arena_printf(project->arena, "%s%s", text, image ? image->id : "");
    }
    char *hex = arena_alloc(project->arena, 65);
    docker_hex(text, hex);
    return hex;
}

/* A container made anew lives where the one before it lived, whatever either edition calls it; one
 * more of a service beside its first. NULL: there never was one. */
static const char *place_of(struct docker *docker, const struct compose_project *project,
                            const struct compose_service *service, int number)
{
    const char *place = NULL;
    for (int i = 0; i < docker->n_containers; i++) {
        const struct container *container = docker->containers[i];
        const char *owner = container_label(container, "com.docker.compose.project");
        const char *of = container_label(container, "com.docker.compose.service");
        const char *which = container_label(container, "com.docker.compose.container-number");
        if (!owner || !of || strcmp(owner, project->name) != 0 || strcmp(of, service->name) != 0)
            continue;
        if (which && leading_int(which) == number)
            return container->place;
        place = place ? place : container->place;
    }
    return place;
}

struct container_spec compose_spec(struct docker *docker, const struct compose_project *project,
                                   const struct compose_service *service, int number)
{
    struct arena *arena = project->arena;
    const char *image = compose_image(project, service);
    const char **labels = ARENA_ARRAY(arena, const char *, 12);
    int n = 0;
    struct docker_image *found = docker_image_here(docker, image);
    labels[n++] = arena_printf(arena, "com.docker.compose.config-hash=%s",
                               compose_hash(docker, project, service));
    labels[n++] = arena_printf(arena, "com.docker.compose.container-number=%d", number);
    if (project->edition == COMPOSE_V2)
        labels[n++] = arena_printf(arena, "com.docker.compose.image=%s", found ? found->id : "");
    labels[n++] = "com.docker.compose.oneoff=False";
    labels[n++] = arena_printf(arena, "com.docker.compose.project=%s", project->name);
    labels[n++] =
        arena_printf(arena, "com.docker.compose.project.config_files=%s", project->config_files);
    labels[n++] = arena_printf(arena, "com.docker.compose.project.working_dir=%s", project->folder);
    labels[n++] = arena_printf(arena, "com.docker.compose.service=%s", service->name);
    labels[n++] = project->edition == COMPOSE_V1 ? "com.docker.compose.version=1.29.2"
                                                 : "com.docker.compose.version=2.29.7";
    return (struct container_spec){
        .name = compose_container_name(project, service, number),
        .place = place_of(docker, project, service, number),
        .image = image,
        .command = service->command,
        .env = service->env,
        .labels = labels,
        .ports = service->ports,
        .n_ports = service->n_ports,
        .mounts = service->mounts,
        .n_mounts = service->n_mounts,
        .networks = service->networks,
        .health = service->health,
        .restart = service->restart,
        .restart_max = service->restart_max,
        .stop_grace_ns = service->stop_grace_ns,
        .hostname = service->hostname,
        .user = service->user,
        .folder = service->folder,
    };
}

/* ---- what runs ---- */

static int number_of(const struct container *container)
{
    const char *number = container_label(container, "com.docker.compose.container-number");
    return number ? leading_int(number) : 0;
}

static int by_service_and_number(const void *a, const void *b)
{
    const struct container *x = *(struct container *const *)a, *y = *(struct container *const *)b;
    const char *service_x = container_label(x, "com.docker.compose.service");
    const char *service_y = container_label(y, "com.docker.compose.service");
    int order = strcmp(service_x ? service_x : "", service_y ? service_y : "");
    return order ? order : number_of(x) - number_of(y);
}

struct container **compose_containers(struct docker *docker, const struct compose_project *project,
                                      const char *service)
{
    struct container **found =
        ARENA_ARRAY(project->arena, struct container *, docker->n_containers + 1);
    int n = 0;
    for (int i = 0; i < docker->n_containers; i++) {
        struct container *container = docker->containers[i];
        const char *owner = container_label(container, "com.docker.compose.project");
        const char *of = container_label(container, "com.docker.compose.service");
        const char *one_off = container_label(container, "com.docker.compose.oneoff");
        if (container->removed || !owner || !of || strcmp(owner, project->name) != 0 ||
            (one_off && strcmp(one_off, "True") == 0))
            continue;
        if (!service || strcmp(of, service) == 0)
            found[n++] = container;
    }
    qsort(found, (size_t)n, sizeof *found, by_service_and_number);
    return found;
}

void compose_make_things(struct docker *docker, const struct compose_project *project,
                         compose_made_fn *made, void *ctx)
{
    const char *label =
        arena_printf(project->arena, "com.docker.compose.project=%s", project->name);
    const char *labels[] = {label, NULL};
    size_t prefix = strlen(project->name) + 1;
    for (int i = 0; project->networks[i]; i++) {
        const char *name = project->networks[i];
        if (docker_network(docker, name))
            continue;
        docker_network_new(docker, name, labels);
        if (made)
            made(ctx, "network", strlen(name) > prefix ? name + prefix : name, name);
    }
    for (int i = 0; project->volumes[i]; i++) {
        const char *name = project->volumes[i];
        if (docker_volume(docker, name))
            continue;
        docker_volume_new(docker, name, labels);
        if (made)
            made(ctx, "volume", strlen(name) > prefix ? name + prefix : name, name);
    }
}
