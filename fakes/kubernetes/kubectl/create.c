/* kubectl create. Source: k8s.io/kubectl pkg/cmd/create. */
#include "fakes/kubernetes/kubectl/create.h"

#include <string.h>

#include "fakes/kubernetes/text/manifest.h"

const char *kubectl_create_name(struct kubectl *k, int first)
{
    int n = k->n_args - first;
    if (n == 1)
        return k->args[first];
    call_err(k->call,
             "error: exactly one NAME is required, got %d\nSee 'kubectl %s%s%s -h' for help and "
             "examples\n",
             n > 0 ? n : 0, k->command->words, first ? " " : "", first ? k->args[0] : "");
    return NULL;
}

cJSON *kubectl_new_object(struct kubectl *k, const char *kind, const char *name, const char *json)
{
    const char *why;
    cJSON *object = kubectl_keep(k, json_read(k->arena, json, &why));
    cJSON *metadata = json_child(object, "metadata");
    for (int i = 0; i < cluster_kinds(k->cluster); i++) {
        const struct kind *one = cluster_kind_at(k->cluster, i);
        if (one->custom || strcmp(one->name, kind) != 0)
            continue;
        json_set_text(object, "apiVersion", kind_api_version(k->arena, one));
        if (one->namespaced && k->ns_given)
            json_set_text(metadata, "namespace", k->ns);
    }
    json_set_text(object, "kind", kind);
    json_set(metadata, "creationTimestamp", cJSON_CreateNull());
    json_set_text(metadata, "name", name);
    return object;
}

int kubectl_create_object(struct kubectl *k, cJSON *json, const char *failing)
{
    enum dry_run dry_run;
    enum validation validation;
    struct api_error error = {0};
    const cJSON *shown = json;
    const struct kind *kind =
        cluster_kind(k->cluster, json_text(json, "kind"), json_text(json, "apiVersion"));
    if (!kubectl_dry_run(k, &dry_run) || !kubectl_can_print(k) ||
        !kubectl_validation(k, &validation))
        return 1;
    if (options_has(&k->options, "append-hash"))
        return kubectl_refuse(k, "--append-hash");
    if (options_has(&k->options, "save-config"))
        kubectl_annotate_applied(k, json);
    if (dry_run != DRY_RUN_CLIENT) {
        kubectl_request(k);
        const struct object *object =
            cluster_create(k->cluster, kind, k->ns, cJSON_Duplicate(json, true),
                           dry_run == DRY_RUN_SERVER, &error);
        if (!object)
            return failing ? kubectl_error(k, "%s%s", failing, error.message)
                           : kubectl_server_error(k, &error, NULL);
        shown = object->json;
    }
    return kubectl_print_done(k, kind, json_text(json, "metadata", "name"), shown, dry_run,
                              "created");
}

/* ---- out of files ---- */

static int run_create(struct kubectl *k)
{
    struct resources resources;
    enum dry_run dry_run;
    enum validation validation;
    const char *cause = kubectl_change_cause(k);
    int n_made = 0;
    if (k->n_args)
        return kubectl_usage(k, "Unexpected args: [%s]", k->args[0]);
    if (!options_value(&k->options, "filename", NULL) &&
        !options_value(&k->options, "kustomize", NULL))
        return kubectl_error(k, "must specify one of -f and -k");
    if (options_value(&k->options, "raw", NULL) || options_has(&k->options, "edit"))
        return kubectl_refuse(k, "create --raw and --edit");
    if (!kubectl_dry_run(k, &dry_run) || !kubectl_can_print(k) ||
        !kubectl_validation(k, &validation))
        return 1;
    int failed = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_MISSING, &resources);
    if (failed)
        return failed;
    for (int i = 0; i < resources.n; i++) {
        struct resource *r = &resources.at[i];
        struct api_error error = {0};
        const cJSON *shown = r->json;
        if (options_has(&k->options, "save-config"))
            kubectl_annotate_applied(k, r->json);
        kubectl_set_cause(r->json, cause);
        if (dry_run != DRY_RUN_CLIENT) {
            const struct object *object = NULL;
            kubectl_request(k);
            if (kubectl_check_fields(k, validation, r->kind, r->json, &error))
                object = cluster_create(k->cluster, r->kind, r->ns, cJSON_Duplicate(r->json, true),
                                        dry_run == DRY_RUN_SERVER, &error);
            if (!object) {
                resources_complain_server(k, &resources, &error, kubectl_when(k, "creating", r));
                continue;
            }
            shown = object->json;
        }
        n_made++;
        kubectl_print_done(k, r->kind, json_text(shown, "metadata", "name"), shown, dry_run,
                           "created");
    }
    if (!n_made && !resources.n_complaints)
        return kubectl_error(k, "no objects passed to create");
    return kubectl_finish(k, &resources);
}

static int run_other(struct kubectl *k)
{
    return kubectl_refuse(k, "%s", k->command->words);
}

#define CREATE_FILE_FLAGS                                                                          \
    "edit raw= save-config selector|l= validate=? windows-line-endings" KUBECTL_RECORD_FLAGS       \
        KUBECTL_PRINT_FLAGS KUBECTL_FILE_FLAGS KUBECTL_DRY_RUN_FLAGS
#define DATA_FLAGS "from-env-file= from-file= from-literal="
#define SECRET_FLAGS                                                                               \
    " type= cert= key= docker-email= docker-password= docker-server= docker-username="
#define SERVICE_FLAGS "clusterip= tcp= node-port= external-name="

const struct kubectl_command kubectl_create_commands[] = {
    {"create", CREATE_FILE_FLAGS, run_create},
    {"create configmap", DATA_FLAGS KUBECTL_CREATE_FLAGS, kubectl_create_configmap},
    {"create cm", DATA_FLAGS KUBECTL_CREATE_FLAGS, kubectl_create_configmap},
    {"create secret", DATA_FLAGS SECRET_FLAGS KUBECTL_CREATE_FLAGS, kubectl_create_secret},
    {"create deployment", "image= port= replicas|r=" KUBECTL_CREATE_FLAGS,
     kubectl_create_deployment},
    {"create deploy", "image= port= replicas|r=" KUBECTL_CREATE_FLAGS, kubectl_create_deployment},
    {"create job", "from= image=" KUBECTL_CREATE_FLAGS, kubectl_create_job},
    {"create cronjob", "image= restart= schedule=" KUBECTL_CREATE_FLAGS, kubectl_create_cronjob},
    {"create cj", "image= restart= schedule=" KUBECTL_CREATE_FLAGS, kubectl_create_cronjob},
    {"create namespace", KUBECTL_CREATE_FLAGS, kubectl_create_namespace},
    {"create ns", KUBECTL_CREATE_FLAGS, kubectl_create_namespace},
    {"create serviceaccount", KUBECTL_CREATE_FLAGS, kubectl_create_serviceaccount},
    {"create sa", KUBECTL_CREATE_FLAGS, kubectl_create_serviceaccount},
    {"create service", SERVICE_FLAGS KUBECTL_CREATE_FLAGS, kubectl_create_service},
    {"create svc", SERVICE_FLAGS KUBECTL_CREATE_FLAGS, kubectl_create_service},
    {"create role", "verb= resource= resource-name=" KUBECTL_CREATE_FLAGS, run_other},
    {"create clusterrole",
     "verb= resource= resource-name= non-resource-url= aggregation-rule=" KUBECTL_CREATE_FLAGS,
     run_other},
    {"create rolebinding", "role= clusterrole= user= group= serviceaccount=" KUBECTL_CREATE_FLAGS,
     run_other},
    {"create clusterrolebinding", "clusterrole= user= group= serviceaccount=" KUBECTL_CREATE_FLAGS,
     run_other},
    {"create ingress", "annotation= class= default-backend= rule=" KUBECTL_CREATE_FLAGS, run_other},
    {"create ing", "annotation= class= default-backend= rule=" KUBECTL_CREATE_FLAGS, run_other},
    {"create quota", "hard= scopes=" KUBECTL_CREATE_FLAGS, run_other},
    {"create poddisruptionbudget", "max-unavailable= min-available= selector=" KUBECTL_CREATE_FLAGS,
     run_other},
    {"create pdb", "max-unavailable= min-available= selector=" KUBECTL_CREATE_FLAGS, run_other},
    {"create priorityclass",
     "description= global-default preemption-policy= value=" KUBECTL_CREATE_FLAGS, run_other},
    {"create token",
     "audience= bound-object-kind= bound-object-name= duration= output|o=", run_other},
    {NULL, NULL, NULL},
};
