/* Values: --set as helm pkg/strvals reads it, and `sets:` of a declared release. */
#include "fakes/helm/values.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/docker.h"
#include "fakes/kubernetes/cluster.h"

/* ---- reading ---- */

/* true, false, null, whole numbers; else text. */
static cJSON *typed(struct arena *arena, struct str text, bool as_text)
{
    int64_t number;
    bool zero = text.len > 1 && text.at[0] == '0';
    if (!as_text && str_is(text, "true"))
        return cJSON_CreateTrue();
    if (!as_text && str_is(text, "false"))
        return cJSON_CreateFalse();
    if (!as_text && str_is(text, "null"))
        return cJSON_CreateNull();
    if (!as_text && !zero && str_int64(text, &number))
        return cJSON_CreateNumber((double)number);
    return cJSON_CreateString(arena_str(arena, text));
}

/* The text up to an unescaped `c`, without its backslashes. */
static const char *until(struct arena *arena, const char **at, const char *stops)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    while (**at && !strchr(stops, **at)) {
        if (**at == '\\' && (*at)[1])
            (*at)++;
        buf_putc(&out, *(*at)++);
    }
    const char *text = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

const char *values_set(struct arena *arena, cJSON *values, const char *given, bool text)
{
    const char *at = given;
    while (*at) {
        cJSON *into = values;
        const char *key = until(arena, &at, ".=,[");
        for (; *at == '.'; key = until(arena, &at, ".=,[")) {
            into = json_child(into, key);
            at++;
        }
        if (*at == '[')
            return arena_printf(arena, "lists in --set (\"%s\") are not simulated", given);
        if (*at != '=')
            return arena_printf(arena, "failed parsing --set data: key \"%s\" has no value%s", key,
                                *at == ',' ? " (cannot end with ,)" : "");
        at++;
        if (*at == '{')
            return arena_printf(arena, "lists in --set (\"%s\") are not simulated", given);
        json_set(into, key, typed(arena, str_of(until(arena, &at, ",")), text));
        at += *at == ',';
    }
    return NULL;
}

void values_merge(cJSON *values, const cJSON *over)
{
    for (const cJSON *item = over ? over->child : NULL; item; item = item->next) {
        cJSON *there = cJSON_GetObjectItemCaseSensitive(values, item->string);
        if (cJSON_IsObject(there) && cJSON_IsObject(item))
            values_merge(there, item);
        else if (cJSON_IsNull(item))
            cJSON_DeleteItemFromObjectCaseSensitive(values, item->string);
        else
            json_set(values, item->string, cJSON_Duplicate(item, true));
    }
}

cJSON *values_of_doc(const struct doc *node)
{
    struct arena scratch = {0};
    cJSON *json;
    if (node->kind == DOC_MAPPING) {
        json = cJSON_CreateObject();
        for (const struct doc *item = node->first; item; item = item->next)
            json_set(json, item->key, values_of_doc(item));
    } else if (node->kind == DOC_SEQUENCE) {
        json = cJSON_CreateArray();
        for (const struct doc *item = node->first; item; item = item->next)
            cJSON_AddItemToArray(json, values_of_doc(item));
    } else if (node->kind == DOC_NULL) {
        json = cJSON_CreateNull();
    } else {
        json = typed(&scratch, str_of(node->text), node->quoted);
    }
    arena_release(&scratch);
    return json;
}

/* ---- carrying out ---- */

/* "deployment/web tag [container]": its parts. */
struct destination {
    const char *kind, *name, *field, *container;
};

static bool take_apart(struct arena *arena, const char *what, struct destination *ret)
{
    struct str rest = str_of(what), object = str_cut(&rest, ' '), field, container;
    struct str kind = str_cut(&object, '/');
    rest = str_trim(rest);
    field = str_cut(&rest, ' ');
    container = str_trim(rest);
    *ret = (struct destination){arena_str(arena, kind), arena_str(arena, object),
                                arena_str(arena, field),
                                container.len ? arena_str(arena, container) : NULL};
    return kind.len && object.len && field.len;
}

const char *values_mistake(struct arena *arena, const char *what)
{
    struct destination target;
    return take_apart(arena, what, &target)
               ? NULL
               : arena_printf(arena,
                              "'%s' is no KIND/NAME and field; write for example deployment/web "
                              "tag, deployment/web image, or deployment/web spec.replicas",
                              what);
}

static cJSON *container_of(cJSON *object, const char *name)
{
    cJSON *list = json_at(object, "spec", "template", "spec", "containers");
    for (cJSON *one = list ? list->child : NULL; one; one = one->next) {
        const char *its = json_text(one, "name");
        if (!name || (its && strcmp(its, name) == 0))
            return one;
    }
    return NULL;
}

static bool set_image(struct arena *arena, cJSON *container, bool tag_only, const cJSON *value)
{
    const char *image = container ? json_text(container, "image") : NULL, *repository, *tag;
    const char *text = cJSON_IsString(value) ? value->valuestring
                       : cJSON_IsNumber(value)
                           ? arena_printf(arena, "%lld", (long long)value->valuedouble)
                           : "";
    if (!image)
        return false;
    if (tag_only && !docker_reference(arena, image, &repository, &tag))
        text = arena_printf(arena, "%s:%s", repository, text);
    json_set_text(container, "image", text);
    return true;
}

static bool set_field(struct arena *arena, cJSON *object, const char *path, const cJSON *value)
{
    struct str rest = str_of(path);
    cJSON *into = object;
    if (rest.len && *rest.at == '.')
        (void)str_cut(&rest, '.');
    for (;;) {
        const char *key = arena_str(arena, str_cut(&rest, '.'));
        if (!rest.len) {
            json_set(into, key, cJSON_Duplicate(value, true));
            return true;
        }
        into = json_child(into, key);
    }
}

bool values_apply(struct arena *arena, cJSON *documents, const char *what, const cJSON *value)
{
    struct destination target;
    if (!take_apart(arena, what, &target))
        return false;
    for (cJSON *one = documents->child; one; one = one->next) {
        const char *kind = json_text(one, "kind"), *name = json_text(one, "metadata", "name");
        if (!kind || strcasecmp(kind, target.kind) != 0 || !name || strcmp(name, target.name) != 0)
            continue;
        bool tag = strcmp(target.field, "tag") == 0;
        if (tag || strcmp(target.field, "image") == 0)
            return set_image(arena, container_of(one, target.container), tag, value);
        return set_field(arena, one, target.field, value);
    }
    return false;
}
