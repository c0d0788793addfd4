#include "fakes/kubernetes/kubectl/description.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/ages.h"
#include "fakes/kubernetes/kubectl/tabwriter.h"
#include "fakes/kubernetes/text/go_value.h"

enum { ANNOTATION_MAX = 140 };

void line(struct describe *d, int level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    for (int i = 0; i < level; i++)
        buf_puts(d->text, "  ");
    buf_vprintf(d->text, format, args);
    buf_putc(d->text, '\n');
    va_end(args);
}

void line_names(struct describe *d, const struct object *object)
{
    line(d, 0, "Name:\t%s", object->name);
    if (object->kind->namespaced)
        line(d, 0, "Namespace:\t%s", object->ns);
}

void lines_labels(struct describe *d, const char *title, const cJSON *labels)
{
    const cJSON **all = go_value_children(d->arena, labels);
    if (!all[0])
        line(d, 0, "%s:\t<none>", title);
    for (int i = 0; all[i]; i++)
        line(d, 0, "%s%s\t%s=%s", i ? "" : title, i ? "" : ":", all[i]->string,
             cJSON_IsString(all[i]) ? all[i]->valuestring : "");
}

/* The lines of a long annotation, each cut where it would be too long. */
static void long_annotation(struct describe *d, struct str value)
{
    do {
        struct str one = str_cut(&value, '\n');
        bool cut = one.len > ANNOTATION_MAX - 2;
        line(d, 0, "\t  %.*s%s", cut ? ANNOTATION_MAX - 2 : (int)one.len, one.at, cut ? "..." : "");
    } while (value.len);
}

void lines_annotations(struct describe *d, const char *title, const cJSON *annotations)
{
    const cJSON **all = go_value_children(d->arena, annotations);
    const char *head = arena_printf(d->arena, "%s:", title);
    for (; *all; all++) {
        const char *key = (*all)->string;
        struct str value = str_of(cJSON_GetStringValue(*all));
        if (strcmp(key, "kubectl.kubernetes.io/last-applied-configuration") == 0)
            continue;
        if (str_ends(value, "\n"))
            value.len--;
        if (value.len + strlen(key) + 2 > ANNOTATION_MAX || memchr(value.at, '\n', value.len)) {
            line(d, 0, "%s\t%s:", head, key);
            long_annotation(d, value);
        } else {
            line(d, 0, "%s\t%s: %.*s", head, key, STR_ARG(value));
        }
        head = "";
    }
    if (*head)
        line(d, 0, "%s\t<none>", head);
}

void lines_metadata(struct describe *d, const struct object *object)
{
    lines_labels(d, "Labels", json_at(object->json, "metadata", "labels"));
    lines_annotations(d, "Annotations", json_at(object->json, "metadata", "annotations"));
}

static int by_toleration_key(const void *a, const void *b)
{
    return strcmp(text_at("", *(const cJSON *const *)a, "key"),
                  text_at("", *(const cJSON *const *)b, "key"));
}

void lines_tolerations(struct describe *d, const char *title, const cJSON *tolerations)
{
    const cJSON **all = go_value_children(d->arena, tolerations);
    size_t n = 0;
    while (all[n])
        n++;
    qsort(all, n, sizeof *all, by_toleration_key);
    if (n == 0)
        line(d, 0, "%s:\t<none>", title);
    for (size_t i = 0; i < n; i++) {
        const char *key = text_at("", all[i], "key"), *value = text_at("", all[i], "value");
        const char *effect = text_at("", all[i], "effect");
        bool exists = strcmp(text_at("", all[i], "operator"), "Exists") == 0 && !*value;
        const cJSON *seconds = json_at(all[i], "tolerationSeconds");
        line(d, 0, "%s%s\t%s%s%s%s%s%s%s", i ? "" : title, i ? "" : ":", key, *value ? "=" : "",
             value, *effect ? ":" : "", effect,
             !exists           ? ""
             : *key || *effect ? " op=Exists"
                               : "op=Exists",
             seconds ? arena_printf(d->arena, " for %ds", seconds->valueint) : "");
    }
}

const char *true_or_false(const cJSON *value)
{
    return cJSON_IsTrue(value) ? "True" : "False";
}

const char *scalar(struct arena *arena, const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return arena_printf(arena, "%" PRId64, (int64_t)value->valuedouble);
    return cJSON_IsString(value) ? value->valuestring : "";
}

const char *stamp_of(struct describe *d, const cJSON *json, const char *key)
{
    return stamp_rfc1123(d->arena, json_text(json, key));
}

const char *controlled_by(struct arena *arena, const struct object *object)
{
    const cJSON *owners = json_at(object->json, "metadata", "ownerReferences");
    for (const cJSON *one = owners ? owners->child : NULL; one; one = one->next) {
        if (cJSON_IsTrue(json_at(one, "controller")))
            return arena_printf(arena, "%s/%s", text_at("", one, "kind"), text_at("", one, "name"));
    }
    return NULL;
}

/* ---- events ---- */

static bool is_about(const cJSON *event, const struct object *object)
{
    const cJSON *about = json_at(event, "involvedObject");
    const char *uid = text_at("", object->json, "metadata", "uid");
    return strcmp(text_at("", about, "name"), object->name) == 0 &&
           strcmp(text_at("", about, "kind"), object->kind->name) == 0 &&
           (!*uid || strcmp(text_at("", about, "uid"), uid) == 0);
}

static const char *last_seen(const cJSON *event)
{
    return text_at(text_at("", event, "eventTime"), event, "lastTimestamp");
}

static int by_time(const void *a, const void *b)
{
    const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
    int order = strcmp(last_seen(x->json), last_seen(y->json));
    return order ? order : strcmp(x->name, y->name);
}

void events_sort(struct object **events, int n)
{
    qsort(events, (size_t)n, sizeof(struct object *), by_time);
}

const char *event_interval(struct cluster *cluster, struct arena *arena, const cJSON *event)
{
    const char *first = json_text(event, "eventTime");
    const char *age = stamp_age(cluster, arena, first ? first : json_text(event, "firstTimestamp"));
    const cJSON *series = json_at(event, "series");
    int64_t count = series ? number_at(series, "count") : number_at(event, "count");
    const char *last =
        series ? json_text(series, "lastObservedTime") : json_text(event, "lastTimestamp");
    if (!series && count <= 1)
        return age;
    return arena_printf(arena, "%s (x%" PRId64 " over %s)", stamp_age(cluster, arena, last), count,
                        age);
}

void lines_events(struct describe *d, const struct object *object)
{
    const struct kind *kind = cluster_kind(d->cluster, "Event", "v1");
    const char *ns = object->kind->namespaced ? object->ns : NULL;
    struct object **all = cluster_list(d->cluster, d->arena, kind, ns, NULL, NULL);
    int n = 0;
    if (!d->events)
        return;
    for (int i = 0; all[i]; i++) {
        if (is_about(all[i]->json, object))
            all[n++] = all[i];
    }
    if (n == 0) {
        line(d, 0, "Events:\t<none>");
        return;
    }
    events_sort(all, n);
    line(d, 0, "Events:");
    line(d, 1, "Type\tReason\tAge\tFrom\tMessage");
    line(d, 1, "----\t------\t----\t----\t-------");
    for (int i = 0; i < n; i++) {
        const cJSON *event = all[i]->json;
        struct str message = str_trim(str_of(text_at("", event, "message")));
        line(d, 1, "%s\t%s\t%s\t%s\t%.*s", text_at("", event, "type"), text_at("", event, "reason"),
             event_interval(d->cluster, d->arena, event),
             text_at(text_at("", event, "reportingComponent"), event, "source", "component"),
             STR_ARG(message));
    }
}

/* ---- all ---- */

void describe_object(struct describe *d, const struct object *object, struct buf *out)
{
    static const struct describer *const all[] = {describe_workloads, describe_services,
                                                  describe_nodes, describe_policy};
    void (*describe)(struct describe *, const struct object *) = describe_generic;
    for (size_t i = 0; !object->kind->custom && i < sizeof all / sizeof *all; i++) {
        for (const struct describer *one = all[i]; one->kind; one++) {
            if (strcmp(one->kind, object->kind->name) == 0)
                describe = one->describe;
        }
    }
    struct tabwriter writer = {.arena = d->arena, .padding = 2};
    buf_clear(d->text);
    describe(d, object);
    tabwriter_flush(&writer, buf_text(d->text), out);
}
