#include "fakes/kubernetes/api/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/selector_parse.h"

/* ---- matching ---- */

static bool has_value(const struct requirement *r, const char *value)
{
    for (int i = 0; i < r->n_values; i++)
        if (!strcmp(r->values[i], value))
            return true;
    return false;
}

static bool meets(const struct requirement *r, const char *value)
{
    int64_t number, limit;
    switch (r->compare) {
    case OP_IN:
    case OP_EQUALS:
    case OP_DOUBLE_EQUALS:
        return value && has_value(r, value);
    case OP_NOT_IN:
    case OP_NOT_EQUALS:
        return !value || !has_value(r, value);
    case OP_EXISTS:
        return value;
    case OP_NOT_EXISTS:
        return !value;
    default:
        if (!value || !str_int64(str_of(value), &number) ||
            !str_int64(str_of(r->values[0]), &limit))
            return false;
        return r->compare == OP_GREATER ? number > limit : number < limit;
    }
}

bool selector_matches(const struct selector *selector, const cJSON *labels)
{
    if (!selector)
        return false;
    for (int i = 0; i < selector->n; i++) {
        const cJSON *label = cJSON_GetObjectItemCaseSensitive(labels, selector->at[i].key);
        if (!meets(&selector->at[i], cJSON_GetStringValue(label)))
            return false;
    }
    return true;
}

/* A field as the server's own code gives it to its selectors: never missing, always a text. */
static const char *field(const cJSON *object, const char *path, char *room, size_t size)
{
    if (!strcmp(path, "source"))
        path = "source.component";
    if (!strcmp(path, "status.successful"))
        path = "status.succeeded";
    const cJSON *at = object;
    struct str rest = str_of(path);
    while (rest.len && at) {
        struct str name = str_cut(&rest, '.');
        const cJSON *child = at->child;
        while (child && !(child->string && str_is(name, child->string)))
            child = child->next;
        at = child;
    }
    if (cJSON_IsString(at))
        return at->valuestring;
    if (cJSON_IsNumber(at)) {
        snprintf(room, size, "%.0f", at->valuedouble);
        return room;
    }
    if (cJSON_IsBool(at))
        return cJSON_IsTrue(at) ? "true" : "false";
    bool truth = !strcmp(path, "spec.unschedulable") || !strcmp(path, "spec.hostNetwork");
    bool number = !strcmp(path, "status.replicas") || !strcmp(path, "status.succeeded");
    return truth ? "false" : number ? "0" : "";
}

bool selector_matches_fields(const struct selector *selector, const cJSON *object)
{
    for (int i = 0; selector && i < selector->n; i++) {
        char room[32];
        if (!meets(&selector->at[i], field(object, selector->at[i].key, room, sizeof room)))
            return false;
    }
    return true;
}

/* pkg/apis/.../conversion.go: AddFieldLabelConversionFunc. */
static const struct {
    const char *kind, *fields;
} selectable[] = {
    {"Pod", " spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName "
            "spec.hostNetwork status.phase status.podIP status.podIPs status.nominatedNodeName "},
    {"Event", " involvedObject.kind involvedObject.namespace involvedObject.name "
              "involvedObject.uid involvedObject.apiVersion involvedObject.resourceVersion "
              "involvedObject.fieldPath reason reportingComponent source type "},
    {"Namespace", " status.phase "},
    {"Node", " spec.unschedulable "},
    {"Secret", " type "},
    {"Service", " spec.clusterIP spec.type "},
    {"ReplicaSet", " status.replicas "},
    {"ReplicationController", " status.replicas "},
    {"Job", " status.successful "},
};

const char *selector_unknown_field(const struct selector *selector, const char *kind)
{
    const char *known = "";
    for (size_t i = 0; i < sizeof selectable / sizeof *selectable; i++)
        if (!strcmp(kind, selectable[i].kind))
            known = selectable[i].fields;
    for (int i = 0; selector && i < selector->n; i++) {
        const char *key = selector->at[i].key;
        if (!strcmp(key, "metadata.name") || !strcmp(key, "metadata.namespace"))
            continue;
        size_t len = strlen(key);
        const char *at = len ? strstr(known, key) : NULL;
        while (at && !(at > known && at[-1] == ' ' && at[len] == ' '))
            at = strstr(at + 1, key);
        if (!at)
            return key;
    }
    return NULL;
}

/* ---- selectors of objects ---- */

static struct requirement *add(struct arena *arena, struct selector *selector, const char *key,
                               enum compare compare, int n_values)
{
    selector->at[selector->n] =
        (struct requirement){key, compare, ARENA_ARRAY(arena, const char *, n_values + 1), 0};
    return &selector->at[selector->n++];
}

static void add_labels(struct arena *arena, struct selector *selector, const cJSON *labels)
{
    for (const cJSON *at = labels ? labels->child : NULL; at; at = at->next) {
        if (!cJSON_IsString(at))
            continue;
        struct requirement *r = add(arena, selector, arena_strdup(arena, at->string), OP_EQUALS, 1);
        r->values[r->n_values++] = arena_strdup(arena, at->valuestring);
    }
}

static void add_expression(struct arena *arena, struct selector *selector, const cJSON *expression)
{
    static const struct {
        const char *name;
        enum compare compare;
    } names[] = {{"In", OP_IN},
                 {"NotIn", OP_NOT_IN},
                 {"Exists", OP_EXISTS},
                 {"DoesNotExist", OP_NOT_EXISTS}};
    const char *key = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(expression, "key"));
    const char *compare =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(expression, "operator"));
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(expression, "values");
    for (size_t i = 0; key && compare && i < sizeof names / sizeof *names; i++) {
        if (strcmp(compare, names[i].name) != 0)
            continue;
        struct requirement *r = add(arena, selector, arena_strdup(arena, key), names[i].compare,
                                    cJSON_GetArraySize(values));
        for (const cJSON *at = values ? values->child : NULL; at; at = at->next)
            if (cJSON_IsString(at))
                r->values[r->n_values++] = arena_strdup(arena, at->valuestring);
    }
}

struct selector *selector_of(struct arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return NULL;
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(json, "matchLabels");
    const cJSON *expressions = cJSON_GetObjectItemCaseSensitive(json, "matchExpressions");
    if (!cJSON_IsObject(labels) && !cJSON_IsArray(expressions))
        labels = json; /* a Service's map */
    struct selector *selector = ARENA_NEW(arena, struct selector);
    int n = cJSON_GetArraySize(labels) + cJSON_GetArraySize(expressions);
    selector->at = ARENA_ARRAY(arena, struct requirement, n + 1);
    add_labels(arena, selector, labels);
    for (const cJSON *at = expressions ? expressions->child : NULL; at; at = at->next)
        add_expression(arena, selector, at);
    selector_sort(selector);
    return selector;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_requirement(struct buf *out, const struct requirement *r)
{
    static const char *const between[] = {
        [OP_EQUALS] = "=", [OP_DOUBLE_EQUALS] = "==", [OP_NOT_EQUALS] = "!=",
        [OP_IN] = " in ",  [OP_NOT_IN] = " notin ",   [OP_GREATER] = ">",
        [OP_LESS] = "<",   [OP_EXISTS] = "",          [OP_NOT_EXISTS] = ""};
    bool list = r->compare == OP_IN || r->compare == OP_NOT_IN;
    buf_printf(out, "%s%s%s%s", r->compare == OP_NOT_EXISTS ? "!" : "", r->key, between[r->compare],
               list ? "(" : "");
    qsort(r->values, (size_t)r->n_values, sizeof *r->values, by_text);
    for (int i = 0; i < r->n_values; i++)
        buf_printf(out, "%s%s", i ? "," : "", r->values[i]);
    buf_puts(out, list ? ")" : "");
}

const char *selector_text(struct arena *arena, const cJSON *json)
{
    const struct selector *selector = selector_of(arena, json);
    if (!selector || !selector->n)
        return "<none>";
    struct buf text;
    buf_init(&text, 65536);
    for (int i = 0; i < selector->n; i++) {
        buf_puts(&text, i ? "," : "");
        write_requirement(&text, &selector->at[i]);
    }
    const char *ret = arena_str(arena, buf_text(&text));
    buf_release(&text);
    return ret;
}
