/* kubectl get -w: a list, then each change of what it lists, as the API server streams them. */
#include <string.h>

#include "fakes/kubernetes/kubectl/get.h"

/* The API server ends a watch after 30 to 60 minutes (--min-request-timeout, and as much again by
 * chance); kubectl then ends with 0. */
#define WATCH_ENDS_NS (45 * MINUTE)

struct watcher {
    struct get *get;
    struct cluster *cluster;
    const struct kind *kind;
    const char *ns, *name; /* NULL: any */
    const struct selector *labels, *fields;
    const char **known; /* "namespace/name" of what matched so far */
    int n_known, cap_known;
};

static void end_watch(void *cluster)
{
    cluster_watch_end(cluster);
}

static int known_at(const struct watcher *w, const char *key)
{
    for (int i = 0; i < w->n_known; i++) {
        if (strcmp(w->known[i], key) == 0)
            return i;
    }
    return -1;
}

/* Notes whether an object is among those watched from now on; whether it was before. */
static bool know(struct watcher *w, const char *ns, const char *name, bool is)
{
    struct arena *arena = w->get->k->arena;
    const char *key = arena_printf(arena, "%s/%s", ns, name);
    int at = known_at(w, key);
    if (at >= 0 && !is) {
        w->known[at] = w->known[--w->n_known];
    } else if (at < 0 && is) {
        if (w->n_known == w->cap_known) {
            w->cap_known = w->cap_known ? 2 * w->cap_known : 16;
            const char **more = ARENA_ARRAY(arena, const char *, w->cap_known);
            if (w->n_known)
                memcpy(more, w->known, sizeof *more * (size_t)w->n_known);
            w->known = more;
        }
        w->known[w->n_known++] = key;
    }
    return at >= 0;
}

static bool is_table(const struct get *get)
{
    return get->printer.format == PRINTER_TABLE || get->printer.format == PRINTER_WIDE;
}

static int show(struct watcher *w, const cJSON *object, const char *event)
{
    struct get *get = w->get;
    if (!is_table(get)) {
        if (!get->show_event)
            return printer_print(&get->printer, object);
        return kubectl_refuse(get->k, "--output-watch-events with -o %s",
                              options_value(&get->k->options, "output", ""));
    }
    get_table(get, w->kind, &object, 1, event);
    return 0;
}

/* One change, if it is of what is watched. An object that stops matching is gone for the watcher.
 */
static int show_change(struct watcher *w, const struct change *change)
{
    const cJSON *json = change->json; /* `change` itself may move while something is written */
    bool matches =
        change->type != CHANGE_DELETED &&
        (!w->labels || selector_matches(w->labels, json_at(json, "metadata", "labels"))) &&
        (!w->fields || selector_matches_fields(w->fields, json));
    bool before = know(w, change->ns, change->name, matches);
    if (!matches && !before)
        return 0;
    return show(w, json, !matches ? "DELETED" : before ? "MODIFIED" : "ADDED");
}

/* Changes until the time or the process ends. */
static int follow(struct watcher *w, int64_t version)
{
    struct call *call = w->get->k->call;
    int64_t until_ns = call_now(call) + WATCH_ENDS_NS;
    for (;;) {
        int64_t seen = cluster_version(w->cluster);
        const struct change *change;
        while ((change = cluster_next_change(w->cluster, version, w->kind, w->ns, w->name))) {
            version = change->version;
            int failed = show_change(w, change);
            if (failed)
                return failed;
        }
        version = seen > version ? seen : version;
        int more = cluster_await(call, w->cluster, version, until_ns);
        if (more <= 0)
            return more < 0 ? 130 : 0;
    }
}

/* What there is already. */
static int show_list(struct watcher *w, const struct resources *resources)
{
    struct get *get = w->get;
    const cJSON **objects = ARENA_ARRAY(get->k->arena, const cJSON *, resources->n + 1);
    int n = 0, failed = 0;
    for (int i = 0; i < resources->n; i++) {
        const struct resource *each = &resources->at[i];
        if (!each->object)
            continue;
        know(w, each->ns, each->name, true);
        objects[n++] = each->object->json;
    }
    if (options_has(&get->k->options, "watch-only"))
        return 0;
    if (is_table(get)) {
        get_table(get, w->kind, objects, n, "ADDED");
        return 0;
    }
    for (int i = 0; i < n && !failed; i++)
        failed = show(w, objects[i], "ADDED");
    return failed;
}

int get_watch(struct get *get, const struct resources *resources)
{
    struct kubectl *k = get->k;
    bool one = resources->single && resources->n == 1;
    bool by_type = k->n_args == 1 && !strchr(k->args[0], '/');
    const char *labels = options_value(&k->options, "selector", "");
    const char *fields = options_value(&k->options, "field-selector", ""), *why;
    struct watcher *w = ARENA_NEW(k->arena, struct watcher);
    *w = (struct watcher){.get = get, .cluster = k->cluster};
    if (resources->n_complaints)
        return kubectl_finish(k, resources);
    if (!printer_read(k, &get->printer))
        return 1;
    if (resources->n > 0)
        w->kind = resources->at[0].kind;
    else if (by_type)
        w->kind = cluster_resource(k->cluster, k->args[0]);
    w->ns = !w->kind || !w->kind->namespaced || k->all_namespaces ? NULL : k->ns;
    w->name = one ? resources->at[0].name : NULL;
    w->labels = *labels ? selector_labels(k->arena, labels, &why) : NULL;
    w->fields = *fields ? selector_fields(k->arena, fields, &why) : NULL;
    cluster_watch_begin(k->cluster);
    call_defer(k->call, end_watch, k->cluster);
    int64_t version = cluster_version(k->cluster);
    int failed = show_list(w, resources);
    if (failed)
        return failed;
    if (!w->kind || (!one && !by_type))
        return kubectl_error(k,
                             "you may only watch a single resource or type of resource at a time");
    kubectl_request(k);
    return follow(w, version);
}
