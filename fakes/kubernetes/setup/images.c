/* Images: which version of a service a tag is, what plain programs do, and what a pull comes to.
 *
 * Wording of failures: containerd's, as the kubelet passes it on.
 */
#include <string.h>

#include "fakes/docker.h"
#include "fakes/http.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "fakes/world_command.h"
#include "sim/base/xalloc.h"

/* ---- what the system file says of them ---- */

static const struct doc *entry_of(const struct setup *setup, const char *repository,
                                  const char *tag)
{
    struct arena scratch = {0};
    const struct doc *images = doc_get(setup->config, "images");
    const struct doc *entry = doc_get(images, arena_printf(&scratch, "%s:%s", repository, tag));
    arena_release(&scratch);
    return entry ? entry : doc_get(images, repository);
}

static const char *const *words_of(struct arena *arena, const struct doc *list)
{
    const char **words = ARENA_ARRAY(arena, const char *, list ? list->n + 2 : 1);
    int n = 0;
    if (list && list->kind == DOC_SCALAR)
        words[n++] = list->text;
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next)
        words[n++] = item->text ? item->text : "";
    return words;
}

const char *image_same_version(struct arena *arena, const struct service *service, const char *tag)
{
    const char *other = tag[0] == 'v' ? tag + 1 : arena_printf(arena, "v%s", tag);
    return service_has_version(service, tag)     ? tag
           : service_has_version(service, other) ? other
                                                 : NULL;
}

static const char *version_of_tag(struct setup *setup, struct service *service,
                                  const char *repository, const char *tag)
{
    const struct doc *entry = entry_of(setup, repository, tag);
    struct arena *arena = cluster_arena(setup->cluster);
    bool known = false;
    if (entry && entry->kind == DOC_SCALAR && strchr(entry->key, ':'))
        return entry->text;
    if (entry && doc_get(entry, "version"))
        return doc_get(entry, "version")->text;
    const struct doc *tagged = doc_get(doc_get(entry, "tags"), tag);
    if (tagged && tagged->text)
        return tagged->text;
    for (int i = 0; i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        if (workload->service != service || !workload->repository ||
            strcmp(workload->repository, repository) != 0)
            continue;
        known = true;
        if (workload->initial_tag && strcmp(workload->initial_tag, tag) == 0)
            return service_initial_version(service);
    }
    if (!known && !entry)
        return NULL;
    return image_same_version(arena, service, tag);
}

static void describe(struct setup *setup, const struct doc *entry, struct image *image)
{
    struct arena *arena = cluster_arena(setup->cluster);
    int64_t exit_code = 0, stop_exit = 0;
    const struct doc *stop = doc_get(entry, "stop");
    image->size_bytes = INT64_C(120) * 1000 * 1000;
    image->ends_ns = NEVER;
    image->tools = docker_tools_of(image->repository);
    image->does = words_of(arena, doc_get(entry, "does"));
    if (stop && stop->text && strcmp(stop->text, "never") == 0)
        image->stop_ns = INT64_MAX;
    else
        (void)doc_duration(stop, &image->stop_ns, NULL);
    (void)doc_size(doc_get(entry, "size"), &image->size_bytes, NULL);
    (void)doc_duration(doc_get(entry, "ends"), &image->ends_ns, NULL);
    (void)doc_int(doc_get(entry, "exit"), 0, 255, &exit_code, NULL);
    (void)doc_int(doc_get(entry, "stop_exit"), 0, 255, &stop_exit, NULL);
    if (doc_get(entry, "tools"))
        image->tools = words_of(arena, doc_get(entry, "tools"));
    image->ends_exit = (int)exit_code;
    image->stop_exit = (int)stop_exit;
}

/* ---- the registry ---- */

static bool listed(const char *list, const char *reference)
{
    struct str rest = str_of(list);
    while (rest.len) {
        if (str_is(str_trim(str_cut(&rest, ' ')), reference))
            return true;
    }
    return false;
}

static bool fault(const struct setup *setup, const char *kind, const char *reference)
{
    struct arena scratch = {0};
    const struct doc *list = doc_get(doc_get(setup->config, "registry"), kind);
    const char *setting = world_setting(cluster_env(setup->cluster)->world,
                                        arena_printf(&scratch, "kubernetes.%s", kind));
    bool found = setting && listed(setting, reference);
    for (const struct doc *item = list && list->kind == DOC_SEQUENCE ? list->first : list;
         item && !found; item = item == list ? NULL : item->next)
        found = item->text && strcmp(item->text, reference) == 0;
    arena_release(&scratch);
    return found;
}

static bool registry_is(const struct setup *setup, const char *state)
{
    const char *setting = world_setting(cluster_env(setup->cluster)->world, "kubernetes.registry");
    return setting && strcmp(setting, state) == 0;
}

__attribute__((format(printf, 5, 6))) static void fail(struct setup *setup, struct image_pull *ret,
                                                       const char *code, const char *full,
                                                       const char *format, ...)
{
    struct arena *arena = cluster_arena(setup->cluster);
    va_list args;
    va_start(args, format);
    ret->reason = "ErrImagePull";
    ret->message = arena_printf(
        arena, "rpc error: code = %s desc = failed to pull and unpack image \"%s\": %s", code, full,
        arena_vprintf(arena, format, args));
    va_end(args);
}

static const char *host_of(struct arena *arena, const char *full)
{
    struct str rest = str_of(full);
    const char *host = arena_str(arena, str_cut(&rest, '/'));
    return strcmp(host, "docker.io") == 0 ? "registry-1.docker.io" : host;
}

static void pull_from_registry(struct setup *setup, const char *reference, const char *full,
                               struct service *service, struct image_pull *ret)
{
    struct arena *arena = cluster_arena(setup->cluster);
    const char *repository = ret->image.repository, *tag = ret->image.tag;
    const char *plain = arena_printf(arena, "%s:%s", repository, tag);
    ret->takes_ns = setup->latency_ns;
    if (setup->unreachable || registry_is(setup, "unreachable")) {
        ret->takes_ns = 30 * SECOND;
        const char *host = host_of(arena, full);
        const char *path = strchr(full, '/') + 1;
        fail(setup, ret, "DeadlineExceeded", full,
             "failed to resolve reference \"%s\": failed to do request: Head "
             "\"https://%s/v2/%.*s/manifests/%s\": dial tcp %s:443: i/o timeout",
             full, host, (int)(strlen(path) - strlen(tag) - 1), path, tag, http_address(host));
        return;
    }
    if (service)
        ret->image.version = version_of_tag(setup, service, repository, tag);
    bool gone = fault(setup, "missing", reference) || fault(setup, "missing", plain);
    if (gone ||
        (service && !(ret->image.version && service_has_version(service, ret->image.version)))) {
        fail(setup, ret, "NotFound", full, "failed to resolve reference \"%s\": %s: not found",
             full, full);
        return;
    }
    bool slow = fault(setup, "slow", reference) || registry_is(setup, "slow");
    double seconds = (double)ret->image.size_bytes / setup->bandwidth_bytes_per_s;
    ret->takes_ns += (int64_t)(seconds * 1e9) * (slow ? 20 : 1);
    if (fault(setup, "corrupt", reference)) {
        char expected[65], got[65];
        docker_hex(plain, expected);
        docker_hex(arena_printf(arena, "%s corrupt", plain), got);
        fail(setup, ret, "FailedPrecondition", full,
             "failed commit on ref \"layer-sha256:%s\": unexpected commit digest sha256:%s, "
             "expected sha256:%s: failed precondition",
             expected, got, expected);
    }
}

void image_pull(struct cluster *cluster, const char *reference, struct service *service,
                struct image_pull *ret)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    struct arena *arena = cluster_arena(cluster);
    *ret = (struct image_pull){0};
    const char *why = docker_reference(arena, reference, &ret->image.repository, &ret->image.tag);
    if (why) {
        ret->reason = "InvalidImageName";
        ret->message = arena_printf(arena,
                                    "Failed to apply default image tag \"%s\": couldn't parse "
                                    "image name \"%s\": %s",
                                    reference, reference, why);
        return;
    }
    describe(setup, entry_of(setup, ret->image.repository, ret->image.tag), &ret->image);
    pull_from_registry(setup, reference,
                       docker_full_name(arena, ret->image.repository, ret->image.tag), service,
                       ret);
}

/* ---- what nodes have ---- */

static struct node_image *on_node(struct setup *setup, const char *node, const char *reference)
{
    for (int i = 0; i < setup->n_node_images; i++) {
        if (strcmp(setup->node_images[i].node, node) == 0 &&
            strcmp(setup->node_images[i].reference, reference) == 0)
            return &setup->node_images[i];
    }
    return NULL;
}

const struct image *image_on_node(struct cluster *cluster, const char *node, const char *reference)
{
    struct node_image *found = on_node(setup_of(cluster_env(cluster)), node, reference);
    return found ? &found->image : NULL;
}

void image_arrived(struct cluster *cluster, const char *node, const char *reference,
                   const struct image *image)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    struct node_image *found = on_node(setup, node, reference);
    if (!found) {
        XGROW(setup->node_images, setup->n_node_images, setup->cap_node_images);
        found = &setup->node_images[setup->n_node_images++];
        found->node = arena_strdup(cluster_arena(cluster), node);
        found->reference = arena_strdup(cluster_arena(cluster), reference);
    }
    found->image = *image;
}

const char *image_reference(struct cluster *cluster, const char *repository,
                            struct service *service, const char *version)
{
    struct setup *setup = setup_of(cluster_env(cluster));
    struct arena *arena = cluster_arena(cluster);
    const struct doc *images = doc_get(setup->config, "images");
    for (const struct doc *entry = images ? images->first : NULL; entry; entry = entry->next) {
        const char *of, *tag;
        if (docker_reference(arena, entry->key, &of, &tag) || strcmp(of, repository) != 0)
            continue;
        if (entry->kind == DOC_SCALAR && strcmp(entry->text, version) == 0)
            return entry->key;
        const struct doc *named = doc_get(entry, "version"), *tags = doc_get(entry, "tags");
        if (named && named->text && strcmp(named->text, version) == 0)
            return entry->key;
        for (const struct doc *item = tags ? tags->first : NULL; item; item = item->next) {
            if (item->text && strcmp(item->text, version) == 0)
                return arena_printf(arena, "%s:%s", of, item->key);
        }
    }
    for (int i = 0; i < setup->n_workloads; i++) {
        const struct workload *workload = &setup->workloads[i];
        const char *tag = workload->initial_tag;
        if (workload->service != service || strcmp(workload->repository, repository) != 0)
            continue;
        if (tag && strcmp(version, service_initial_version(service)) == 0)
            return arena_printf(arena, "%s:%s", repository, tag);
        if (workload->plain_numbers && version[0] == 'v')
            return arena_printf(arena, "%s:%s", repository, version + 1);
    }
    return arena_printf(arena, "%s:%s", repository, version);
}

/* ---- reading ---- */

static int check_effects(struct setup *setup, const struct doc *does, struct error *error)
{
    struct arena *arena = cluster_arena(setup->cluster);
    for (const struct doc *line = does && does->kind == DOC_SEQUENCE ? does->first : does; line;
         line = line == does ? NULL : line->next) {
        const char *text = "";
        if (doc_text(line, &text, error))
            return ERROR_INPUT;
        const char *mistake = world_command_mistake(arena, world_words(arena, text));
        if (mistake)
            return doc_error(line, error, "'%s' is no line of the world command: %s", text,
                             mistake);
    }
    return 0;
}

static bool any_has_version(const struct setup *setup, const char *version)
{
    for (int i = 0; i < setup->n_workloads; i++) {
        if (service_has_version(setup->workloads[i].service, version))
            return true;
    }
    return false;
}

static int check_version(const struct setup *setup, const struct doc *node, struct error *error)
{
    const char *version;
    if (!node)
        return 0;
    if (doc_text(node, &version, error))
        return ERROR_INPUT;
    if (any_has_version(setup, version))
        return 0;
    return doc_error(node, error,
                     "no service that runs in Kubernetes has a version '%s'; list it under its "
                     "`versions:`, and where it runs under `runs: {deployment: NAME}`",
                     version);
}

static int check_image(struct setup *setup, const struct doc *entry, struct error *error)
{
    static const char *const keys[] = {"version", "tags", "size",  "stop", "stop_exit",
                                       "ends",    "exit", "tools", "does", NULL};
    struct arena *arena = cluster_arena(setup->cluster);
    const char *repository, *tag, *why = docker_reference(arena, entry->key, &repository, &tag);
    int64_t ns = 0, bytes, code;
    if (why)
        return doc_error(entry, error, "image '%s': %s", entry->key, why);
    if (entry->kind == DOC_SCALAR) {
        if (!strchr(strrchr(entry->key, '/') ? strrchr(entry->key, '/') : entry->key, ':'))
            return doc_error(entry, error,
                             "which tag is '%s'? write %s:TAG: VERSION, or %s: {tags: {TAG: "
                             "VERSION}}",
                             entry->text, entry->key, entry->key);
        return check_version(setup, entry, error);
    }
    const struct doc *stop = doc_get(entry, "stop"), *tags = doc_get(entry, "tags");
    bool never = stop && stop->text && strcmp(stop->text, "never") == 0;
    if (doc_only(entry, keys, error) || check_version(setup, doc_get(entry, "version"), error) ||
        doc_size(doc_get(entry, "size"), &bytes, error) ||
        (!never && doc_duration(stop, &ns, error)) ||
        doc_duration(doc_get(entry, "ends"), &ns, error) ||
        doc_int(doc_get(entry, "exit"), 0, 255, &code, error) ||
        doc_int(doc_get(entry, "stop_exit"), 0, 255, &code, error) ||
        check_effects(setup, doc_get(entry, "does"), error))
        return ERROR_INPUT;
    if (tags && doc_want(tags, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *item = tags ? tags->first : NULL; item; item = item->next) {
        if (check_version(setup, item, error))
            return ERROR_INPUT;
    }
    return 0;
}

static int load_registry(struct setup *setup, struct error *error)
{
    static const char *const keys[] = {"bandwidth", "latency", "unreachable", "missing",
                                       "slow",      "corrupt", NULL};
    const struct doc *registry = doc_get(setup->config, "registry");
    if (registry && (doc_want(registry, DOC_MAPPING, error) || doc_only(registry, keys, error)))
        return ERROR_INPUT;
    const struct doc *rate = doc_get(registry, "bandwidth");
    if (rate) {
        int64_t bandwidth = 0;
        struct str size = str_of(rate->text);
        size = str_ends(size, "/s") ? (struct str){size.at, size.len - 2} : size;
        if (!parse_size(size, &bandwidth) || bandwidth <= 0)
            return doc_error(rate, error, "'%s' is no bandwidth; write for example 40MB/s",
                             rate->text ? rate->text : "");
        setup->bandwidth_bytes_per_s = (double)bandwidth;
    }
    return doc_duration(doc_get(registry, "latency"), &setup->latency_ns, error) ||
                   doc_bool(doc_get(registry, "unreachable"), &setup->unreachable, error)
               ? ERROR_INPUT
               : 0;
}

int images_load(struct setup *setup, struct error *error)
{
    const struct doc *images = doc_get(setup->config, "images");
    setup->bandwidth_bytes_per_s = 40e6;
    setup->latency_ns = 400 * MILLISECOND;
    if (images && doc_want(images, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *entry = images ? images->first : NULL; entry; entry = entry->next) {
        if (check_image(setup, entry, error))
            return ERROR_INPUT;
    }
    return load_registry(setup, error);
}
