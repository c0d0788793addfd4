/* kubectl rollout history: the revisions that are left, or the pods of one (k8s.io/kubectl
 * pkg/polymorphichelpers history.go). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/kubectl/rollout.h"

static const char *cause_of(const struct revision *revision)
{
    const char *cause =
        json_text(revision->object->json, "metadata", "annotations", "kubernetes.io/change-cause");
    return cause && *cause ? cause : NULL;
}

static void write_table(struct buf *out, const struct revision *revisions, int n)
{
    int width = (int)strlen("REVISION");
    for (int i = 0; i < n; i++) {
        int len = snprintf(NULL, 0, "%" PRId64, revisions[i].number);
        width = len > width ? len : width;
    }
    buf_printf(out, "%-*s  CHANGE-CAUSE\n", width, "REVISION");
    for (int i = 0; i < n; i++) {
        const char *cause = cause_of(&revisions[i]);
        buf_printf(out, "%-*" PRId64 "  %s\n", width, revisions[i].number,
                   cause ? cause : "<none>");
    }
}

/* The text behind the name's line; false: there is no such revision. */
static bool write_history(struct kubectl *k, const struct revision *revisions, int n,
                          int64_t number, struct buf *out)
{
    if (n == 0) {
        buf_puts(out, "No rollout history found.");
        return true;
    }
    if (number == 0) {
        write_table(out, revisions, n);
        return true;
    }
    for (int i = 0; i < n; i++) {
        if (revisions[i].number != number)
            continue;
        cJSON *template = revisions[i].template;
        const char *cause = cause_of(&revisions[i]);
        if (cause)
            json_set_text(json_child(json_child(template, "metadata"), "annotations"),
                          "kubernetes.io/change-cause", cause);
        describe_pod_template(k->arena, template, out);
        return true;
    }
    return false;
}

/* -o: the objects of the revisions themselves. */
static bool print_objects(struct kubectl *k, const struct revision *revisions, int n,
                          int64_t number)
{
    bool found = number == 0;
    for (int i = 0; i < n; i++) {
        const struct object *object = revisions[i].object;
        if (number && revisions[i].number != number)
            continue;
        found = true;
        kubectl_print_done(k, object->kind, object->name, kubectl_copy(k, object->json),
                           DRY_RUN_NONE, "");
    }
    return found;
}

static bool show(struct kubectl *k, const struct resource *resource, int64_t number)
{
    int n;
    kubectl_request(k);
    struct revision *revisions = rollout_revisions(k, resource->object, &n);
    if (options_value(&k->options, "output", NULL))
        return print_objects(k, revisions, n, number);
    struct buf text;
    buf_init(&text, 1 << 20);
    bool found = write_history(k, revisions, n, number, &text);
    const char *copy = arena_str(k->arena, buf_text(&text));
    buf_release(&text);
    if (found)
        call_out(k->call, "%s %s\n%s\n", resource_name(k->arena, resource),
                 number ? arena_printf(k->arena, "with revision #%" PRId64, number) : "", copy);
    return found;
}

int kubectl_rollout_history(struct kubectl *k)
{
    struct resources resources;
    int64_t number;
    if (!kubectl_int_flag(k, "revision", 0, &number) || !kubectl_can_print(k))
        return 1;
    if (k->n_args == 0 && !options_value(&k->options, "filename", NULL))
        return kubectl_error(k, "required resource not specified");
    if (number < 0)
        return kubectl_error(k, "revision must be a positive integer: %" PRId64, number);
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        const struct resource *r = &resources.at[i];
        if (rollout_is_kept(k, &resources, r, "history viewer", "history") && !show(k, r, number))
            resources_complain(k, &resources, "unable to find the specified revision");
    }
    return kubectl_finish(k, &resources);
}
