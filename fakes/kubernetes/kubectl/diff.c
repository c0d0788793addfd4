/* kubectl diff: the live objects and what apply would make of them, in two folders, before a real
 * diff. Source: k8s.io/kubectl pkg/cmd/diff/diff.go. */
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/kubectl/apply.h"
#include "fakes/kubernetes/kubectl/edit.h"
#include "fakes/kubernetes/text/manifest.h"

struct diff {
    struct kubectl *k;
    struct resources resources;
    const char *live, *merged; /* folders */
    const char **names;        /* of files in both */
};

/* Secrets are shown as "*** (before)" and "*** (after)" where they differ, else as "***". */
static void mask(cJSON *json, const cJSON *other, const char *mark)
{
    cJSON *data = json_at(json, "data");
    for (cJSON *at = data ? data->child : NULL; at; at = at->next) {
        const char *same = json_text(other, "data", at->string);
        bool equal = same && cJSON_IsString(at) && !strcmp(same, at->valuestring);
        cJSON_SetValuestring(at, "***");
        if (!equal && same && cJSON_IsString(at))
            json_set_text(data, at->string, mark);
    }
}

static void write(struct diff *d, const char *folder, const char *name, const cJSON *json)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    if (json)
        yaml_write(&text, json);
    const char *written = arena_str(d->k->arena, buf_text(&text));
    buf_release(&text);
    call_save(d->k->call, arena_printf(d->k->arena, "%s/%s", folder, name), written,
              strlen(written), 0600);
}

static void write_both(struct diff *d, const char *name, const cJSON *live, const cJSON *merged)
{
    struct kubectl *k = d->k;
    cJSON *before = live ? kubectl_keep(k, cJSON_Duplicate(live, true)) : NULL;
    cJSON *after = kubectl_keep(k, cJSON_Duplicate(merged, true));
    if (!strcmp(json_text(merged, "kind"), "Secret")) {
        mask(after, live, "*** (after)");
        if (before)
            mask(before, merged, "*** (before)");
    }
    write(d, d->live, name, before);
    write(d, d->merged, name, after);
}

/* The object as apply would leave it; NULL: a complaint. */
static const cJSON *merged(struct diff *d, const struct resource *r)
{
    struct kubectl *k = d->k;
    struct api_error error = {0};
    const char *why, *text = r->object ? json_text(r->object->json, "metadata", "annotations",
                                                   KUBECTL_LAST_APPLIED)
                                       : NULL;
    cJSON *modified = kubectl_keep(k, cJSON_Duplicate(r->json, true));
    kubectl_request(k);
    if (!r->object) {
        const struct object *object = NULL;
        if (kubectl_check_fields(k, VALIDATE_WARN, r->kind, modified, &error))
            object = cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(r->json, true),
                                    true, &error);
        if (object)
            return object->json;
    } else {
        cJSON *original = text ? json_read(k->arena, text, &why) : NULL;
        bool strategic = !r->kind->custom;
        if (original)
            kubectl_keep(k, original);
        cJSON *sent = kubectl_keep(
            k, patch_three_way(k->arena, original, modified, r->object->json, strategic));
        if (!sent->child)
            return r->object->json;
        if (cluster_patch(k->cluster, r->object, strategic ? PATCH_STRATEGIC : PATCH_MERGE,
                          kubectl_json_text(k, sent), true, NULL, &error))
            return cluster_tried(k->cluster);
    }
    resources_complain_server(k, &d->resources, &error, NULL);
    return NULL;
}

static void remove_files(struct diff *d)
{
    for (const char **name = d->names; *name; name++) {
        call_unlink(d->k->call, arena_printf(d->k->arena, "%s/%s", d->live, *name));
        call_unlink(d->k->call, arena_printf(d->k->arena, "%s/%s", d->merged, *name));
    }
}

/* The program's own exit status: 1 for a difference, more for a failure. */
static int run_diff(struct diff *d)
{
    struct kubectl *k = d->k;
    const char *program = call_getenv(k->call, "KUBECTL_EXTERNAL_DIFF");
    bool own = program && *program;
    const char *line =
        arena_printf(k->arena, "%s %s %s", own ? program : "diff -u -N", d->live, d->merged);
    int n = 0;
    struct str rest = str_of(line);
    char **words = ARENA_ARRAY(k->arena, char *, strlen(line) + 1);
    while (rest.len) {
        struct str word = str_cut(&rest, ' ');
        if (word.len)
            words[n++] = arena_str(k->arena, word);
    }
    int status = call_run(k->call, words);
    remove_files(d);
    if (status == 127) {
        kubectl_error(k, "failed to run \"%s\": executable file not found in $PATH", words[0]);
        return 2;
    }
    if (status > 1)
        kubectl_error(k, "exit status %d", status);
    return status;
}

int kubectl_diff(struct kubectl *k)
{
    struct diff *d = ARENA_NEW(k->arena, struct diff);
    int n = 0;
    d->k = k;
    if (!options_value(&k->options, "filename", NULL) &&
        !options_value(&k->options, "kustomize", NULL))
        return kubectl_error(k, "must specify one of -f and -k");
    if (options_has(&k->options, "prune") || options_has(&k->options, "server-side"))
        return kubectl_refuse(k, "diff --prune and --server-side");
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_MISSING, &d->resources);
    if (failed)
        return failed;
    int id = (int)cluster_version(k->cluster);
    d->live = arena_printf(k->arena, "/tmp/LIVE-%d", id);
    d->merged = arena_printf(k->arena, "/tmp/MERGED-%d", id);
    d->names = ARENA_ARRAY(k->arena, const char *, d->resources.n + 1);
    call_mkdir(k->call, d->live, 0700);
    call_mkdir(k->call, d->merged, 0700);
    for (int i = 0; i < d->resources.n; i++) {
        struct resource *r = &d->resources.at[i];
        const struct kind *kind = r->kind;
        r->object = cluster_find(k->cluster, kind, r->ns, r->name);
        const cJSON *after = merged(d, r);
        if (!after)
            continue;
        const char *name =
            arena_printf(k->arena, "%s%s%s.%s.%s.%s", kind->group, *kind->group ? "." : "",
                         kind->version, kind->name, r->ns, r->name);
        d->names[n++] = name;
        write_both(d, name, r->object ? r->object->json : NULL, after);
    }
    if (kubectl_finish(k, &d->resources))
        return 1;
    return run_diff(d);
}
