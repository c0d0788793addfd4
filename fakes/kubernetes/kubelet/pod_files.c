/* What a process finds mounted in a container: files of ConfigMaps and Secrets, and folders that
 * lie elsewhere. */
#include <string.h>

#include "fakes/kubernetes/kubelet/volumes.h"

enum { ENTRIES_MAX = 1 << 20 };

static struct pod_volume *volume_named(struct pod *pod, const char *name)
{
    for (int i = 0; name && i < pod->n_volumes; i++) {
        if (strcmp(pod->volumes[i].name, name) == 0)
            return &pod->volumes[i];
    }
    return NULL;
}

/* Files that the volume no longer has go from the folder. */
static void clear_folder(struct env *env, const char *place, const char *folder, const cJSON *files)
{
    struct arena scratch = {0};
    struct buf entries;
    buf_init(&entries, ENTRIES_MAX);
    if (env->files->list && env->files->list(env->files_ctx, place, folder, &entries) == 0) {
        for (size_t at = 0; at < entries.len; at += strlen(entries.at + at) + 1) {
            const char *entry = entries.at + at, *name = entry + 5;
            if (entry[0] == 'f' && !cJSON_GetObjectItemCaseSensitive(files, name))
                env->files->unlink(env->files_ctx, place,
                                   arena_printf(&scratch, "%s/%s", folder, name));
        }
    }
    buf_release(&entries);
    arena_release(&scratch);
}

static void write_files(struct env *env, const char *place, const struct pod_volume *volume,
                        const cJSON *mount)
{
    struct arena scratch = {0};
    const char *target = json_text(mount, "mountPath"), *only = json_text(mount, "subPath");
    if (!only)
        clear_folder(env, place, target, volume->files);
    const cJSON *files = only ? volume->first : volume->files;
    for (const cJSON *one = files->child; one; one = one->next) {
        const char *path = only ? target : arena_printf(&scratch, "%s/%s", target, one->string);
        if (!only || strcmp(only, one->string) == 0)
            env->files->write(env->files_ctx, place, path, one->valuestring,
                              strlen(one->valuestring), 0644, env_unix_ns(env));
    }
    arena_release(&scratch);
}

/* Where a folder lies that outlives the container; NULL: nowhere else. */
static const char *source_of(struct arena *arena, const struct pod *pod,
                             const struct pod_volume *volume, const cJSON *spec)
{
    const char *path = json_text(spec, "hostPath", "path");
    if (volume->claim)
        return arena_printf(arena, "/var/lib/kubelet/claims/%s/%s", volume->claim->ns,
                            volume->claim->name);
    if (json_at(spec, "emptyDir"))
        return arena_printf(arena, "/var/lib/kubelet/pods/%s/volumes/%s", uid_of(pod->object),
                            volume->name);
    return path ? arena_printf(arena, "/var/lib/kubelet/nodes/%s%s", pod->node, path) : NULL;
}

static const struct pod_container *container_named(const struct pod *pod, const char *name)
{
    for (int i = 0; i < pod->n; i++) {
        if (strcmp(pod->containers[i].name, name) == 0)
            return &pod->containers[i];
    }
    return NULL;
}

void container_reads_files(struct pod_container *container)
{
    struct arena scratch = {0};
    const cJSON *mounts = json_at(container_spec(container), "volumeMounts");
    for (const cJSON *mount = mounts ? mounts->child : NULL; mount; mount = mount->next) {
        const struct pod_volume *volume = volume_named(container->pod, json_text(mount, "name"));
        const cJSON *files = volume ? volume->files : NULL;
        for (const cJSON *one = files ? files->child : NULL; one; one = one->next)
            instance_set_setting(container->instance, one->string,
                                 arena_str(&scratch, str_trim(str_of(one->valuestring))));
    }
    arena_release(&scratch);
}

struct visit *pod_enter(struct call *call, struct object *object, const char *name)
{
    struct pod *pod = pod_of(object);
    const struct pod_container *container = pod ? container_named(pod, name) : NULL;
    const char *place = container ? pod_place(pod->controllers->cluster, object, name) : NULL;
    const cJSON *mounts = container ? json_at(container_spec(container), "volumeMounts") : NULL;
    int n = 0;
    if (!place)
        return NULL;
    struct visit_mount *visits =
        ARENA_ARRAY(call->arena, struct visit_mount, (mounts ? cJSON_GetArraySize(mounts) : 0) + 1);
    for (const cJSON *one = mounts ? mounts->child : NULL; one; one = one->next) {
        const struct pod_volume *volume = volume_named(pod, json_text(one, "name"));
        const char *target = json_text(one, "mountPath"), *part = json_text(one, "subPath");
        if (!volume || !target)
            continue;
        if (volume->files && volume->files->child)
            write_files(call->env, place, volume, one);
        const char *source =
            source_of(call->arena, pod, volume, pod_volume_spec(pod, volume->name));
        if (source)
            visits[n++] = (struct visit_mount){
                part ? arena_printf(call->arena, "%s/%s", source, part) : source,
                arena_strdup(call->arena, target), cJSON_IsTrue(json_at(one, "readOnly"))};
    }
    struct env_mount *behind = ARENA_ARRAY(call->arena, struct env_mount, n + 1);
    for (int i = 0; i < n; i++)
        behind[i] = (struct env_mount){place, visits[i].target, visits[i].source};
    env_set_mounts(call->env, place, behind, n);
    return visit_begin(call, place, visits, n);
}
