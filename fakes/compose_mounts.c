/* What a Compose service mounts: volumes, folders, secrets, configs. */
#include <string.h>

#include "fakes/compose_reading.h"
#include "sim/base/str.h"

const char *compose_volume_name(struct compose_reading *reading, const char *name)
{
    const struct doc *volumes = doc_get(reading->project->doc, "volumes");
    const struct doc *volume = doc_get(volumes, name);
    const char *given = compose_text(doc_get(volume, "name"));
    const struct doc *external = doc_get(volume, "external");
    if (given)
        return given;
    if (external && external->kind == DOC_MAPPING && compose_text(doc_get(external, "name")))
        return compose_text(doc_get(external, "name"));
    if (compose_is(external, "true"))
        return arena_strdup(reading->arena, name);
    return arena_printf(reading->arena, "%s_%s", reading->project->name, name);
}

static void read_mount(struct compose_reading *reading, struct compose_service *service,
                       struct docker_mount *mounts, const struct doc *item)
{
    struct docker_mount mount = {0};
    const char *source = NULL;
    bool named;
    if (item->kind == DOC_MAPPING) {
        const char *type = compose_text(doc_get(item, "type"));
        source = compose_text(doc_get(item, "source"));
        mount.target = compose_text(doc_get(item, "target"));
        mount.read_only = compose_is(doc_get(item, "read_only"), "true");
        named = !type || strcmp(type, "volume") == 0;
    } else {
        struct str rest = str_of(item->text);
        const char *first = arena_str(reading->arena, str_cut(&rest, ':'));
        const char *second = arena_str(reading->arena, str_cut(&rest, ':'));
        source = second[0] ? first : NULL;
        mount.target = second[0] ? second : first;
        mount.read_only = str_starts(rest, "ro");
        named = source && source[0] != '/' && source[0] != '.' && source[0] != '~';
    }
    if (!mount.target)
        mount.target = "";
    if (!source) {
        char hex[65];
        docker_hex(arena_printf(reading->arena, "%s %s", service->name, mount.target), hex);
        mount.volume = arena_strdup(reading->arena, hex);
    } else if (named) {
        if (!doc_get(doc_get(reading->project->doc, "volumes"), source)) {
            reading->error =
                reading->project->edition == COMPOSE_V1
                    ? arena_printf(
                          reading->arena,
                          "Named volume \"%s\" is used in service \"%s\" but no declaration "
                          "was found in the volumes section.",
                          item->text ? item->text : source, service->name)
                    : arena_printf(reading->arena,
                                   "service \"%s\" refers to undefined volume %s: invalid compose "
                                   "project",
                                   service->name, source);
            return;
        }
        mount.volume = compose_volume_name(reading, source);
    } else {
        mount.source = compose_path(reading->arena, reading->project->folder, source);
    }
    if (service->n_mounts < LIST_MAX)
        mounts[service->n_mounts++] = mount;
}

/* Files of the machine that are mounted below /run/secrets, and configs at their own path. */
static void read_secrets(struct compose_reading *reading, struct compose_service *service,
                         struct docker_mount *mounts, const char *kind)
{
    struct arena *arena = reading->arena;
    const char *section = arena_printf(arena, "%ss", kind);
    const struct doc *list = doc_get(service->doc, section);
    if (reading->project->edition == COMPOSE_V1 && kind[0] == 'c')
        return; /* "which will be ignored": compose/config/config.py */
    for (const struct doc *item = list ? list->first : NULL; item && !reading->error;
         item = item->next) {
        const char *name = item->text ? item->text : compose_text(doc_get(item, "source"));
        const char *target = compose_text(doc_get(item, "target"));
        const struct doc *defined =
            doc_get(doc_get(reading->project->doc, section), name ? name : "");
        const char *file = compose_text(doc_get(defined, "file"));
        if (!defined && reading->project->edition == COMPOSE_V2)
            reading->error = arena_printf(
                arena, "service \"%s\" refers to undefined %s %s: invalid compose project",
                service->name, kind, name ? name : "");
        if (!file || service->n_mounts == LIST_MAX)
            continue; /* v1 leaves out what is not defined, with a warning */
        const char *full = target && target[0] == '/' ? target
                           : kind[0] == 's'
                               ? arena_printf(arena, "/run/secrets/%s", target ? target : name)
                               : arena_printf(arena, "/%s", target ? target : name);
        mounts[service->n_mounts++] = (struct docker_mount){
            .source = compose_path(arena, reading->project->folder, file),
            .target = full,
            .read_only = true,
        };
    }
}

void compose_read_mounts(struct compose_reading *reading, struct compose_service *service)
{
    struct docker_mount *mounts = ARENA_ARRAY(reading->arena, struct docker_mount, LIST_MAX);
    const struct doc *volumes = doc_get(service->doc, "volumes");
    service->mounts = mounts;
    for (const struct doc *item = volumes ? volumes->first : NULL; item; item = item->next)
        read_mount(reading, service, mounts, item);
    read_secrets(reading, service, mounts, "secret");
    read_secrets(reading, service, mounts, "config");
}
