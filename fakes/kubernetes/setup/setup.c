/* The fake's table entry: reads `kubernetes:` of the system file and makes the cluster of the run.
 */
#include "fakes/kubernetes/setup/setup.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/helm/helm.h"
#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/setup/setup_state.h"
#include "sim/base/xalloc.h"

#define SLOT "kubernetes setup"

extern const struct fake fake_kubernetes;

struct setup *setup_of(struct env *env)
{
    return *env_slot(env, SLOT);
}

/* ---- where kubectl goes ---- */

static void add_context(struct setup *setup, const char *name, const char *ns)
{
    struct contexts *contexts = cluster_contexts(setup->cluster);
    struct arena *arena = cluster_arena(setup->cluster);
    struct context *grown = ARENA_ARRAY(arena, struct context, contexts->n + 1);
    for (int i = 0; i < contexts->n; i++)
        grown[i] = contexts->at[i];
    grown[contexts->n] = (struct context){
        .name = name,
        .cluster = name,
        .user = name,
        .server = arena_printf(arena, "https://%s.example.test:6443", name),
        .ns = ns,
    };
    contexts->at = grown;
    contexts->n++;
    contexts->current = 0;
}

static int load_contexts(struct setup *setup, struct error *error)
{
    const struct doc *node = doc_get(setup->config, "context");
    const char *ns = "";
    if (doc_text(doc_get(setup->config, "namespace"), &ns, error))
        return ERROR_INPUT;
    setup->ns = *ns ? ns : "default";
    if (!node)
        add_context(setup, "kubernetes", ns);
    const struct doc *first = node && node->kind == DOC_SEQUENCE ? node->first : node;
    for (const struct doc *item = first; item; item = item == node ? NULL : item->next) {
        const char *name;
        if (doc_text(item, &name, error))
            return ERROR_INPUT;
        add_context(setup, name, ns);
    }
    return 0;
}

/* ---- what every cluster has ---- */

static void make(struct setup *setup, const char *kind, const char *version, const char *ns,
                 const char *name, cJSON *json)
{
    const struct kind *of = cluster_kind(setup->cluster, kind, version);
    struct api_error why = {0};
    if (!of || cluster_find(setup->cluster, of, ns, name)) {
        cJSON_Delete(json);
        return;
    }
    json_set_text(json_child(json, "metadata"), "name", name);
    cluster_create(setup->cluster, of, ns, json, false, &why);
}

/* The API server's own Service. */
static void make_api_service(struct setup *setup)
{
    cJSON *json = cJSON_CreateObject();
    json_set_text(json_child(json_child(json, "metadata"), "labels"), "component", "apiserver");
    json_set_text(json_child(json_child(json, "metadata"), "labels"), "provider", "kubernetes");
    json_set_text(json_child(json, "spec"), "clusterIP", "10.96.0.1");
    cJSON *port = cJSON_CreateObject();
    json_set_text(port, "name", "https");
    json_set_int(port, "port", 443);
    json_set_int(port, "targetPort", 6443);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json_child(json, "spec"), "ports"), port);
    make(setup, "Service", "v1", "default", "kubernetes", json);
}

static void make_basics(struct setup *setup)
{
    static const char *const spaces[] = {"default", "kube-system", "kube-public",
                                         "kube-node-lease"};
    for (int i = 0; i < 4; i++)
        manifest_namespace(setup, spaces[i]);
    make_api_service(setup);
    cJSON *json = cJSON_CreateObject();
    json_set_text(json_child(json_child(json, "metadata"), "annotations"),
                  "storageclass.kubernetes.io/is-default-class", "true");
    json_set_text(json, "provisioner", "rancher.io/local-path");
    json_set_text(json, "volumeBindingMode", "WaitForFirstConsumer");
    make(setup, "StorageClass", "storage.k8s.io/v1", "", "standard", json);
}

/* ---- the table entry ---- */

/* Services that say they run in Kubernetes, where there is none. */
static int refuse_orphans(struct env *env, struct error *error)
{
    for (int i = 0; i < world_services(env->world); i++) {
        const struct doc *runs = service_runs(world_service_at(env->world, i));
        if (workload_declared(runs))
            return doc_error(runs, error,
                             "'%s' runs in Kubernetes, and there is no cluster; add `kubernetes: "
                             "{manifests: [...]}` with its manifest",
                             service_name(world_service_at(env->world, i)));
    }
    return 0;
}

static int make_cluster(struct setup *setup, struct error *error)
{
    static const char *const keys[] = {"manifests", "context", "namespace", "nodes",
                                       "images",    "history", "registry",  NULL};
    struct env *env = cluster_env(setup->cluster);
    if (doc_want(setup->config, DOC_MAPPING, error) || doc_only(setup->config, keys, error) ||
        load_contexts(setup, error) || workloads_load(setup, error) || images_load(setup, error))
        return ERROR_INPUT;
    controllers_setup(setup->cluster);
    make_basics(setup);
    if (manifest_namespace(setup, setup->ns))
        return doc_error(doc_get(setup->config, "namespace"), error,
                         "'%s' is no name of a namespace", setup->ns);
    if (nodes_make(setup, error) || manifests_apply(setup, error) ||
        helm_declare(setup, doc_get(setup->config->parent, "helm"), error) ||
        workloads_check(setup, error))
        return ERROR_INPUT;
    controllers_settle(setup->cluster);
    places_declare(setup);
    world_on_deploy(env->world, workloads_deploy, setup);
    env_on_resolve(env, names_resolve, setup->cluster);
    cluster_run_begins(setup->cluster);
    return 0;
}

static int kubernetes_setup(struct env *env, const struct doc *config, struct error *error)
{
    if (!config)
        return refuse_orphans(env, error);
    struct setup *setup = xcalloc(1, sizeof *setup);
    *env_slot(env, SLOT) = setup;
    setup->config = config;
    setup->cluster = cluster_new(env);
    env_add_command(env, "kubectl", NULL, &fake_kubernetes);
    return make_cluster(setup, error);
}

static void kubernetes_release(struct env *env)
{
    struct setup *setup = setup_of(env);
    if (!setup)
        return;
    controllers_release(setup->cluster);
    cluster_free(setup->cluster);
    free(setup->workloads);
    free(setup->node_images);
    free(setup->places);
    free(setup);
    *env_slot(env, SLOT) = NULL;
}

/* kubectl is there where a cluster is: made known by the setup. */
static const char *const no_commands[] = {NULL};
const struct fake fake_kubernetes = {
    .name = "kubernetes",
    .commands = no_commands,
    .setup = kubernetes_setup,
    .run = kubectl_run,
    .release = kubernetes_release,
};
