/* What kubectl itself finds wrong in an object. */
#include <string.h>

#include "fakes/kubernetes/cluster.h"
#include "fakes/kubernetes/text/manifest.h"

const char *manifest_invalid(struct arena *arena, const cJSON *document, const char *source)
{
    const cJSON *kind = json_at(document, "kind"), *version = json_at(document, "apiVersion");
    const char *wrong = NULL, *name = cJSON_GetStringValue(kind);
    bool no_version = !version || cJSON_IsNull(version), no_kind = !kind || cJSON_IsNull(kind);
    bool list = name && strlen(name) > 3 && !strcmp(name + strlen(name) - 4, "List");
    if (!cJSON_IsObject(document) || (list && !cJSON_IsArray(json_at(document, "items"))))
        wrong = "invalid object to validate";
    else if (no_version && no_kind)
        wrong = "[apiVersion not set, kind not set]";
    else if (no_version)
        wrong = "apiVersion not set";
    else if (!cJSON_IsString(version))
        wrong = "apiVersion isn't string type";
    else if (no_kind)
        wrong = "kind not set";
    else if (!cJSON_IsString(kind))
        wrong = "kind isn't string type";
    return wrong ? arena_printf(arena,
                                "error validating \"%s\": error validating data: %s; if you choose "
                                "to ignore these errors, turn validation off with --validate=false",
                                source, wrong)
                 : NULL;
}

static const char *type_of(const cJSON *json)
{
    return cJSON_IsBool(json)     ? "bool"
           : cJSON_IsNumber(json) ? "number"
           : cJSON_IsString(json) ? "string"
           : cJSON_IsArray(json)  ? "array"
           : cJSON_IsObject(json) ? "object"
                                  : NULL;
}

/* Fields of ObjectMeta by name, as JSON of apply has them sorted. */
static const struct {
    const char *name, *type; /* as Go calls it; a list's or map's element is behind the bracket */
} fields[] = {
    {"annotations", "map[string]string"},
    {"creationTimestamp", "v1.Time"},
    {"deletionGracePeriodSeconds", "int64"},
    {"finalizers", "[]string"},
    {"generateName", "string"},
    {"generation", "int64"},
    {"labels", "map[string]string"},
    {"name", "string"},
    {"namespace", "string"},
    {"ownerReferences", "[]v1.OwnerReference"},
    {"resourceVersion", "string"},
    {"selfLink", "string"},
    {"uid", "types.UID"},
};

/* The first value that is not of the type; *ret_type is what it should be. */
static const cJSON *wrong_value(const cJSON *value, const char *type, const char **ret_type)
{
    bool map = !strncmp(type, "map[", 4), list = !strncmp(type, "[]", 2);
    *ret_type = type;
    if (!type_of(value))
        return NULL;
    if (!strcmp(type, "int64"))
        return cJSON_IsNumber(value) ? NULL : value;
    if (!map && !list)
        return cJSON_IsString(value) ? NULL : value;
    if (map ? !cJSON_IsObject(value) : !cJSON_IsArray(value))
        return value;
    *ret_type = map ? type + strlen("map[string]") : type + 2;
    for (const cJSON *at = value->child; at; at = at->next)
        if (type_of(at) &&
            (strcmp(*ret_type, "string") == 0 ? !cJSON_IsString(at) : !cJSON_IsObject(at)))
            return at;
    return NULL;
}

const char *manifest_decode_error(struct arena *arena, const cJSON *document, const char *source)
{
    const cJSON *metadata = json_at(document, "metadata");
    if (!json_text(document, "kind")) {
        struct buf text;
        buf_init(&text, 1 << 20);
        json_compact(&text, document);
        const char *ret = arena_printf(
            arena, "unable to decode \"%s\": Object 'Kind' is missing in '%s'", source, text.at);
        buf_release(&text);
        return ret;
    }
    if (type_of(metadata) && !cJSON_IsObject(metadata))
        return arena_printf(arena,
                            "unable to decode \"%s\": json: cannot unmarshal %s into Go struct "
                            "field metadataOnlyObject.metadata of type v1.ObjectMeta",
                            source, type_of(metadata));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *type;
        const cJSON *wrong = wrong_value(json_at(metadata, fields[i].name), fields[i].type, &type);
        if (wrong)
            return arena_printf(arena,
                                "unable to decode \"%s\": json: cannot unmarshal %s into Go struct "
                                "field ObjectMeta.metadata.%s of type %s",
                                source, type_of(wrong), fields[i].name, type);
    }
    return NULL;
}
