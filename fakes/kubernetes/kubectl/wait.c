/* kubectl wait: until a condition, a value, an end or a beginning, of each resource named
 * (k8s.io/kubectl pkg/cmd/wait). */
#include <string.h>
#include <strings.h>

#include "fakes/kubernetes/kubectl/output.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/jsonpath.h"

enum what { WAIT_CONDITION, WAIT_JSONPATH, WAIT_DELETE, WAIT_CREATE };

struct waiting {
    enum what what;
    const char *name, *value; /* of a condition; or of --for=jsonpath: NULL any value */
    const char *template;
    int64_t until_ns;
    bool once; /* --timeout=0 */
};

/* ---- what is waited for ---- */

/* "{.a[?(@.b=="c")].d}=3" in two: the "=" behind the braces, or the first one. */
static const char *split_value(const char *typed)
{
    int depth = 0;
    for (const char *p = typed; *p; p++) {
        depth += (*p == '{') - (*p == '}');
        if (*p == '=' && depth <= 0)
            return p;
    }
    return NULL;
}

static bool read_jsonpath(struct kubectl *k, const char *typed, struct waiting *w)
{
    const char *equals = split_value(typed), *why = NULL;
    const char *path =
        equals ? arena_printf(k->arena, "%.*s", (int)(equals - typed), typed) : typed;
    w->what = WAIT_JSONPATH;
    if (!*path) {
        kubectl_error(k, "jsonpath expression cannot be empty");
        return false;
    }
    w->template = jsonpath_relaxed(k->arena, path, &why);
    if (!w->template) {
        kubectl_error(k, "%s", why);
        return false;
    }
    if (!equals)
        return true;
    struct str value = str_of(equals + 1);
    while (value.len && strchr("'\"", value.at[0]))
        value = (struct str){value.at + 1, value.len - 1};
    while (value.len && strchr("'\"", value.at[value.len - 1]))
        value.len--;
    w->value = arena_str(k->arena, str_trim(value));
    if (!value.len) {
        kubectl_error(k, "jsonpath wait has to have a value after equal sign, like "
                         "--for=jsonpath='{.status.readyReplicas}'=3");
        return false;
    }
    return true;
}

static bool read_for(struct kubectl *k, struct waiting *w)
{
    const char *typed = options_value(&k->options, "for", "");
    if (strcasecmp(typed, "delete") == 0) {
        w->what = WAIT_DELETE;
    } else if (strcasecmp(typed, "create") == 0) {
        w->what = WAIT_CREATE;
    } else if (strncmp(typed, "condition=", 10) == 0) {
        struct str value = str_of(typed + 10);
        w->what = WAIT_CONDITION;
        w->name = arena_str(k->arena, str_cut(&value, '='));
        w->value = value.len ? arena_str(k->arena, value) : "true";
    } else if (strncmp(typed, "jsonpath=", 9) == 0) {
        return read_jsonpath(k, typed + 9, w);
    } else {
        kubectl_error(k, "unrecognized condition: \"%s\"", typed);
        return false;
    }
    return true;
}

/* ---- whether it is so ---- */

/* A condition of an older generation than the object says nothing yet. */
static bool has_condition(const struct waiting *w, const cJSON *json)
{
    const cJSON *one;
    cJSON_ArrayForEach(one, json_at(json, "status", "conditions"))
    {
        const char *type = json_text(one, "type"), *status = json_text(one, "status");
        if (!type || !status || strcasecmp(type, w->name) != 0)
            continue;
        int64_t generation = json_int(json_at(json, "metadata"), "generation", 0);
        int64_t seen =
            json_int(one, "observedGeneration",
                     json_int(json_at(json, "status"), "observedGeneration", generation));
        return seen >= generation && strcasecmp(status, w->value) == 0;
    }
    return false;
}

static bool has_value(struct kubectl *k, const struct waiting *w, const cJSON *json,
                      const char **why)
{
    const cJSON **found = jsonpath_find(k->arena, w->template, json, why);
    if (!found || !found[0])
        return false;
    if (!w->value)
        return true;
    if (found[1])
        *why = "given jsonpath expression matches more than one value";
    else if (cJSON_IsObject(found[0]) || cJSON_IsArray(found[0]))
        *why = "jsonpath leads to a nested object or list which is not supported";
    return !*why && str_is(str_trim(str_of(go_value_text(k->arena, found[0]))), w->value);
}

/* `gone`: there is no such object any more. */
static bool is_so(struct kubectl *k, const struct waiting *w, const cJSON *json, bool gone,
                  const char **why)
{
    if (w->what == WAIT_DELETE || w->what == WAIT_CREATE)
        return gone == (w->what == WAIT_DELETE);
    if (gone)
        return false;
    return w->what == WAIT_CONDITION ? has_condition(w, json) : has_value(k, w, json, why);
}

/* ---- waiting ---- */

/* 0 it is so (*ret: the object then), 1 it is not (*why), 130 a signal. */
static int wait_for(struct kubectl *k, const struct waiting *w, const struct resource *r,
                    const cJSON **ret, const char **why)
{
    const char *timed_out = arena_printf(k->arena, "timed out waiting for the condition on %s/%s",
                                         r->kind->plural, r->name);
    int64_t version = cluster_version(k->cluster);
    bool gone = r->object->gone;
    *ret = kubectl_copy(k, r->object->json);
    if (!w->once && call_now(k->call) >= w->until_ns)
        *why = timed_out;
    while (!*why) {
        if (is_so(k, w, *ret, gone, why))
            return 0;
        if (w->once && !*why)
            *why = arena_printf(k->arena, "condition not met for %s/%s", r->kind->plural, r->name);
        const struct change *change = NULL;
        while (!*why &&
               !(change = cluster_next_change(k->cluster, version, r->kind, r->ns, r->name))) {
            int come = cluster_await(k->call, k->cluster, cluster_version(k->cluster), w->until_ns);
            if (come < 0)
                return 130;
            if (come == 0)
                *why = timed_out;
        }
        if (!change)
            break;
        version = change->version;
        gone = change->type == CHANGE_DELETED;
        *ret = change->json;
    }
    return 1;
}

static void end_watch(void *cluster)
{
    cluster_watch_end(cluster);
}

static int read_resources(struct kubectl *k, const struct waiting *w, struct resources *resources)
{
    unsigned flags = RESOURCES_FILES | RESOURCES_SELECT | RESOURCES_NEED_NAME;
    if (w->what == WAIT_DELETE || w->what == WAIT_CREATE)
        flags |= RESOURCES_MISSING;
    return kubectl_resources(k, 0, flags, resources);
}

static bool all_there(const struct resources *resources)
{
    for (int i = 0; i < resources->n; i++)
        if (!resources->at[i].object)
            return false;
    return true;
}

/* --for=create asks again and again, every half a second. -1: go on. */
static int wait_for_creation(struct kubectl *k, const struct waiting *w,
                             struct resources *resources)
{
    while (!all_there(resources)) {
        if (w->once || call_now(k->call) >= w->until_ns)
            return kubectl_error(k, "timed out waiting for the condition");
        if (call_sleep(k->call, 500 * MILLISECOND))
            return 130;
        int failed = read_resources(k, w, resources);
        if (failed)
            return failed;
    }
    return -1;
}

static int run_wait(struct kubectl *k)
{
    struct waiting w = {0};
    struct resources resources;
    int64_t timeout;
    if (!kubectl_duration_flag(k, "timeout", 30 * SECOND, &timeout) || !read_for(k, &w) ||
        !kubectl_can_print(k))
        return 1;
    if (options_has(&k->options, "local"))
        return kubectl_refuse(k, "kubectl wait --local");
    w.once = timeout == 0;
    w.until_ns = call_now(k->call) + (timeout < 0 ? 7 * DAY : timeout);
    int failed = read_resources(k, &w, &resources);
    if (failed)
        return failed;
    if (w.what == WAIT_CREATE && (failed = wait_for_creation(k, &w, &resources)) >= 0)
        return failed;
    if (resources.n == 0 && resources.n_complaints == 0 && w.what != WAIT_DELETE)
        return kubectl_error(k, "no matching resources found");
    cluster_watch_begin(k->cluster);
    call_defer(k->call, end_watch, k->cluster);
    for (int i = 0; i < resources.n; i++) {
        const struct resource *r = &resources.at[i];
        const cJSON *json;
        const char *why = NULL;
        struct api_error error;
        if (!r->object && w.what == WAIT_DELETE)
            continue;
        kubectl_request(k); /* the list and the watch */
        if (!r->object || (r->object->gone && w.what != WAIT_DELETE)) {
            api_not_found(k->cluster, &error, r->kind, r->name);
            resources_complain_server(k, &resources, &error, NULL);
            continue;
        }
        int status = wait_for(k, &w, r, &json, &why);
        if (status == 130)
            return 1;
        if (status == 0)
            kubectl_print_done(k, r->kind, r->name, json, DRY_RUN_NONE, "condition met");
        else
            resources_complain(k, &resources, "%s", why);
    }
    return kubectl_finish(k, &resources);
}

const struct kubectl_command kubectl_wait_commands[] = {
    {"wait",
     "for= timeout= all all-namespaces|A selector|l= field-selector= local" KUBECTL_FILE_FLAGS
         KUBECTL_PRINT_FLAGS,
     run_wait},
    {NULL, NULL, NULL},
};
