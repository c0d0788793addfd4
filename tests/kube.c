#include "tests/kube.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void kube_begin(struct kube *f, const char *system, const char *manifest)
{
    const struct machine_file files[] = {{"/k8s/base.yaml", manifest}, {NULL, NULL}};
    memset(f, 0, sizeof *f);
    machine_init(&f->m, system, NULL, files);
    f->cluster = cluster_of(&f->m.d.env);
}

struct object *kube_find(struct kube *f, const char *kind, const char *name)
{
    struct object *object = cluster_find_named(f->cluster, kind, "shop", name);
    if (!object)
        fail_msg("no %s %s", kind, name);
    return object;
}

void kube_patch(struct kube *f, const char *kind, const char *name, const char *text)
{
    struct api_error error = {0};
    if (!cluster_patch(f->cluster, kube_find(f, kind, name), PATCH_STRATEGIC, text, false, NULL,
                       &error))
        fail_msg("%s", error.message);
}

int kube_number(const struct object *object, const char *key)
{
    return (int)json_int(json_at(object->json, "status"), key, 0);
}

static void note(struct kube *f, const char *line)
{
    size_t n = strlen(f->text);
    snprintf(f->text + n, sizeof f->text - n, "%s\n", line);
}

/* Lets time pass and writes down each new state of a Deployment. */
void kube_watch(struct kube *f, const char *name, int64_t seconds)
{
    int64_t from = world_now(f->m.world);
    char last[200] = "", line[200];
    for (int64_t t = 0; t <= seconds * 2; t++) {
        machine_advance(&f->m, from + t * SECOND / 2);
        struct object *d = kube_find(f, "Deployment", name);
        snprintf(line, sizeof line, "%d pods, %d new, %d ready, %d available, %d serve",
                 kube_number(d, "replicas"), kube_number(d, "updatedReplicas"),
                 kube_number(d, "readyReplicas"), kube_number(d, "availableReplicas"),
                 service_ready(world_service(f->m.world, name)));
        if (strcmp(line, last) != 0) {
            char timed[300];
            snprintf(timed, sizeof timed, "%5.1f %s", (double)t / 2, line);
            note(f, timed);
        }
        strcpy(last, line);
    }
}

void kube_expect(struct kube *f, const char *wanted)
{
    if (strcmp(f->text, wanted) != 0)
        fail_msg("got:\n%s\nwanted:\n%s", f->text, wanted);
    f->text[0] = '\0';
}

void kube_watch_pods(struct kube *f, int64_t seconds)
{
    int64_t from = world_now(f->m.world);
    char last[4000] = "";
    for (int64_t t = 0; t <= seconds * 2; t++) {
        struct arena scratch = {0};
        char line[4000] = "";
        machine_advance(&f->m, from + t * SECOND / 2);
        struct object **pods = cluster_list(
            f->cluster, &scratch, cluster_kind(f->cluster, "Pod", "v1"), "shop", NULL, NULL);
        for (; *pods; pods++) {
            const cJSON *status = json_at((*pods)->json, "status");
            const cJSON *container = json_at(status, "containerStatuses");
            container = container ? container->child : NULL;
            const char *reason = json_text(container, "state", "waiting", "reason");
            if (!reason)
                reason = json_text(container, "state", "terminated", "reason");
            const char *phase = json_text(status, "phase");
            const char *name = strncmp((*pods)->name, "web-", 4) == 0 ? "web" : (*pods)->name;
            size_t n = strlen(line);
            snprintf(line + n, sizeof line - n, " | %s %s %s%d%s", name,
                     json_at((*pods)->json, "metadata", "deletionTimestamp") ? "Terminating"
                     : reason                                                ? reason
                     : phase                                                 ? phase
                                                                             : "-",
                     cJSON_IsTrue(json_at(container, "ready")) ? "ready " : "",
                     (int)json_int(container, "restartCount", 0), "");
        }
        if (strcmp(line, last) != 0) {
            char timed[4100];
            snprintf(timed, sizeof timed, "%5.1f%s", (double)t / 2, line);
            note(f, timed);
        }
        snprintf(last, sizeof last, "%s", line);
        arena_release(&scratch);
    }
}

const char *kube_reason_of(struct kube *f, const char *name, const char *type)
{
    const cJSON *all = json_at(kube_find(f, "Deployment", name)->json, "status", "conditions");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        if (strcmp(json_text(one, "type"), type) == 0)
            return json_text(one, "reason");
    }
    return "";
}

const char *kube_revision(struct kube *f, const char *name)
{
    return json_text(kube_find(f, "Deployment", name)->json, "metadata", "annotations",
                     "deployment.kubernetes.io/revision");
}

int kube_count(struct kube *f, const char *kind, const char *version)
{
    int n = 0;
    struct arena scratch = {0};
    struct object **all = cluster_list(f->cluster, &scratch,
                                       cluster_kind(f->cluster, kind, version), "shop", NULL, NULL);
    while (all[n])
        n++;
    arena_release(&scratch);
    return n;
}

void kube_pass(struct kube *f, int64_t seconds)
{
    machine_advance(&f->m, world_now(f->m.world) + seconds * SECOND);
}
