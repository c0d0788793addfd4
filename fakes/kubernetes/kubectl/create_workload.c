/* kubectl create deployment, job, cronjob, service and what has a name alone. Sources:
 * k8s.io/kubectl pkg/cmd/create. */
#include <string.h>

#include "fakes/kubernetes/kubectl/create.h"

static int missing_flag(struct kubectl *k, const char *name)
{
    return kubectl_error(k, "required flag(s) \"%s\" not set", name);
}

static cJSON *texts(char **words)
{
    cJSON *list = cJSON_CreateArray();
    for (; words && *words; words++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*words));
    return list;
}

static cJSON *container(const char *image, const char *name, char **command)
{
    cJSON *json = cJSON_CreateObject();
    json_set_text(json, "image", image);
    json_set_text(json, "name", name);
    json_set(json, "resources", cJSON_CreateObject());
    if (command && *command)
        json_set(json, "command", texts(command));
    return json;
}

/* ---- deployments ---- */

/* "b/c:1" gives "c". */
static const char *name_of_image(struct arena *arena, const char *image)
{
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image;
    return arena_str(arena, (struct str){name, strcspn(name, ":@")});
}

static int add_containers(struct kubectl *k, cJSON *list)
{
    int n = 0;
    for (int i = 0; i < k->options.n_given; i++) {
        const struct option *option = &k->options.given[i];
        struct str rest = str_of(option->value);
        while (!strcmp(option->name, "image") && rest.len) {
            const char *image = arena_str(k->arena, str_cut(&rest, ','));
            cJSON_AddItemToArray(
                list, container(image, name_of_image(k->arena, image), k->behind_dashes));
            n++;
        }
    }
    return n;
}

int kubectl_create_deployment(struct kubectl *k)
{
    int64_t replicas, port;
    if (!options_value(&k->options, "image", NULL))
        return missing_flag(k, "image");
    const char *name = kubectl_create_name(k, 0);
    if (!name || !kubectl_int_flag(k, "replicas", 1, &replicas) ||
        !kubectl_int_flag(k, "port", -1, &port))
        return 1;
    cJSON *object = kubectl_new_object(
        k, "Deployment", name,
        "{\"spec\": {\"strategy\": {}, \"template\": {\"metadata\": {\"creationTimestamp\": null}, "
        "\"spec\": {\"containers\": []}}}, \"status\": {}}");
    cJSON *spec = json_child(object, "spec"), *template = json_child(spec, "template");
    cJSON *containers = json_at(template, "spec", "containers");
    json_set_text(json_child(json_child(object, "metadata"), "labels"), "app", name);
    json_set_int(spec, "replicas", replicas);
    json_set_text(json_child(json_child(spec, "selector"), "matchLabels"), "app", name);
    json_set_text(json_child(json_child(template, "metadata"), "labels"), "app", name);
    if (add_containers(k, containers) > 1 && k->behind_dashes && *k->behind_dashes)
        return kubectl_error(k, "cannot specify multiple --image options and command");
    if (port >= 0 && containers->child) {
        cJSON *ports = cJSON_AddArrayToObject(containers->child, "ports");
        cJSON *one = cJSON_CreateObject();
        json_set_int(one, "containerPort", port);
        cJSON_AddItemToArray(ports, one);
    }
    return kubectl_create_object(k, object, "failed to create deployment: ");
}

/* ---- jobs ---- */

#define JOB_SPEC                                                                                   \
    "{\"template\": {\"metadata\": {\"creationTimestamp\": null}, \"spec\": {\"containers\": "     \
    "[]}}}"

static void fill_job(struct kubectl *k, cJSON *spec, const char *name, const char *restart)
{
    cJSON *pod = json_at(spec, "template", "spec");
    cJSON_AddItemToArray(
        json_at(pod, "containers"),
        container(options_value(&k->options, "image", ""), name, k->behind_dashes));
    json_set_text(pod, "restartPolicy", restart);
}

static int job_from(struct kubectl *k, const char *name, const char *from)
{
    struct api_error error = {0};
    struct str rest = str_of(from);
    struct str type = str_cut(&rest, '/');
    const struct kind *kind = cluster_resource(k->cluster, arena_str(k->arena, type));
    if (!rest.len || !kind)
        return kubectl_error(k, "%s",
                             rest.len ? arena_printf(k->arena,
                                                     "the server doesn't have a resource type "
                                                     "\"%.*s\"",
                                                     STR_ARG(type))
                                      : "resource(s) were provided, but no name was specified");
    if (strcmp(kind->name, "CronJob") != 0)
        return kubectl_error(k, "unknown object type %s", kind->name);
    const char *owner = arena_str(k->arena, rest);
    const struct object *cron = cluster_find(k->cluster, kind, k->ns, owner);
    kubectl_request(k);
    if (!cron) {
        api_not_found(k->cluster, &error, kind, owner);
        return kubectl_server_error(k, &error, NULL);
    }
    cJSON *object = kubectl_new_object(k, "Job", name, "{}");
    cJSON *metadata = json_child(object, "metadata");
    cJSON *annotations = json_child(metadata, "annotations");
    const cJSON *template = json_at(cron->json, "spec", "jobTemplate");
    const cJSON *given = json_at(template, "metadata", "annotations");
    json_set_text(annotations, "cronjob.kubernetes.io/instantiate", "manual");
    for (const cJSON *one = given ? given->child : NULL; one; one = one->next)
        json_set_text(annotations, one->string, one->valuestring);
    if (json_at(template, "metadata", "labels"))
        json_set(metadata, "labels",
                 cJSON_Duplicate(json_at(template, "metadata", "labels"), true));
    cJSON *reference = cJSON_CreateObject();
    json_set_text(reference, "apiVersion", "batch/v1");
    json_set_text(reference, "kind", "CronJob");
    json_set_text(reference, "name", owner);
    json_set_text(reference, "uid", json_text(cron->json, "metadata", "uid"));
    json_set(reference, "controller", cJSON_CreateTrue());
    cJSON_AddItemToArray(cJSON_AddArrayToObject(metadata, "ownerReferences"), reference);
    json_set(object, "spec", cJSON_Duplicate(json_at(template, "spec"), true));
    return kubectl_create_object(k, object, "failed to create job: ");
}

int kubectl_create_job(struct kubectl *k)
{
    const char *image = options_value(&k->options, "image", NULL);
    const char *from = options_value(&k->options, "from", NULL);
    const char *name = kubectl_create_name(k, 0);
    if (!name)
        return 1;
    if (!image == !from)
        return kubectl_error(k, "either --image or --from must be specified");
    if (from)
        return job_from(k, name, from);
    cJSON *object = kubectl_new_object(k, "Job", name, "{\"spec\": " JOB_SPEC ", \"status\": {}}");
    fill_job(k, json_child(object, "spec"), name, "Never");
    return kubectl_create_object(k, object, "failed to create job: ");
}

int kubectl_create_cronjob(struct kubectl *k)
{
    if (!options_value(&k->options, "image", NULL))
        return missing_flag(k, "image");
    if (!options_value(&k->options, "schedule", NULL))
        return missing_flag(k, "schedule");
    const char *name = kubectl_create_name(k, 0);
    if (!name)
        return 1;
    cJSON *object = kubectl_new_object(k, "CronJob", name,
                                       "{\"spec\": {\"jobTemplate\": {\"metadata\": "
                                       "{\"creationTimestamp\": null}, \"spec\": " JOB_SPEC
                                       "}}, \"status\": {}}");
    cJSON *spec = json_child(object, "spec"), *template = json_child(spec, "jobTemplate");
    json_set_text(json_child(template, "metadata"), "name", name);
    json_set_text(spec, "schedule", options_value(&k->options, "schedule", ""));
    fill_job(k, json_child(template, "spec"), name,
             options_value(&k->options, "restart", "OnFailure"));
    return kubectl_create_object(k, object, "failed to create cronjob: ");
}

/* ---- services ---- */

/* "80", "80:8080", "80:http". NULL; or what is wrong with it. */
static const char *add_port(struct kubectl *k, cJSON *ports, const char *typed)
{
    struct str target = str_of(typed), number = str_cut(&target, ':');
    int64_t port, to;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToArray(ports, json);
    if (!str_int64(number, &port) || port < 0)
        return arena_printf(k->arena, "strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                            STR_ARG(number));
    if (port > 65535)
        return arena_printf(k->arena, "strconv.ParseUint: parsing \"%.*s\": value out of range",
                            STR_ARG(number));
    const char *name = arena_str(k->arena, target.len ? target : number);
    if (target.len)
        json_set_text(json, "name", arena_printf(k->arena, "%.*s-%s", STR_ARG(number), name));
    else
        json_set_text(json, "name", name);
    json_set_int(json, "port", port);
    json_set_text(json, "protocol", "TCP");
    if (str_int64(str_of(name), &to))
        json_set_int(json, "targetPort", to);
    else if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
    else
        json_set_text(json, "targetPort", name);
    return NULL;
}

static const char *add_ports(struct kubectl *k, cJSON *spec, int64_t node_port)
{
    cJSON *ports = cJSON_CreateArray();
    const char *wrong = NULL;
    for (int i = 0; i < k->options.n_given && !wrong; i++) {
        const struct option *option = &k->options.given[i];
        struct str rest = str_of(option->value);
        while (!strcmp(option->name, "tcp") && rest.len && !wrong)
            wrong = add_port(k, ports, arena_str(k->arena, str_cut(&rest, ',')));
    }
    for (cJSON *one = ports->child; one && node_port; one = one->next)
        json_set_int(one, "nodePort", node_port);
    if (ports->child)
        json_set(spec, "ports", ports);
    else
        cJSON_Delete(ports);
    return wrong;
}

int kubectl_create_service(struct kubectl *k)
{
    static const struct {
        const char *word, *type;
    } types[] = {{"clusterip", "ClusterIP"},
                 {"nodeport", "NodePort"},
                 {"loadbalancer", "LoadBalancer"},
                 {"externalname", "ExternalName"}};
    const char *sort = k->n_args ? k->args[0] : "", *type = NULL;
    const char *external = options_value(&k->options, "external-name", NULL);
    const char *cluster_ip = options_value(&k->options, "clusterip", NULL);
    int64_t node_port;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(sort, types[i].word))
            type = types[i].type;
    if (!type) {
        call_err(k->call, "Create a service using a specified subcommand.\n\nAvailable Commands:\n"
                          "  clusterip      Create a ClusterIP service\n"
                          "  externalname   Create an ExternalName service\n"
                          "  loadbalancer   Create a LoadBalancer service\n"
                          "  nodeport       Create a NodePort service\n");
        return 1;
    }
    bool is_external = !strcmp(type, "ExternalName");
    if (is_external && !external)
        return missing_flag(k, "external-name");
    const char *name = kubectl_create_name(k, 1);
    if (!name || !kubectl_int_flag(k, "node-port", 0, &node_port))
        return 1;
    cJSON *object = kubectl_new_object(k, "Service", name, "{\"status\": {\"loadBalancer\": {}}}");
    cJSON *spec = json_child(object, "spec");
    json_set_text(json_child(json_child(object, "metadata"), "labels"), "app", name);
    json_set_text(json_child(spec, "selector"), "app", name);
    json_set_text(spec, "type", type);
    const char *wrong = add_ports(k, spec, node_port);
    bool headless = cluster_ip && !strcmp(cluster_ip, "None");
    if (!wrong && !json_at(spec, "ports") && !is_external && !headless)
        wrong = "at least one tcp port specifier must be provided";
    if (wrong)
        return kubectl_error(k, "%s", wrong);
    if (cluster_ip)
        json_set_text(spec, "clusterIP", cluster_ip);
    if (is_external)
        json_set_text(spec, "externalName", external);
    return kubectl_create_object(k, object,
                                 arena_printf(k->arena, "failed to create %s service: ", type));
}

/* ---- names alone ---- */

int kubectl_create_namespace(struct kubectl *k)
{
    const char *name = kubectl_create_name(k, 0);
    return name ? kubectl_create_object(
                      k, kubectl_new_object(k, "Namespace", name, "{\"spec\":{},\"status\":{}}"),
                      NULL)
                : 1;
}

int kubectl_create_serviceaccount(struct kubectl *k)
{
    const char *name = kubectl_create_name(k, 0);
    return name ? kubectl_create_object(k, kubectl_new_object(k, "ServiceAccount", name, "{}"),
                                        "failed to create serviceaccount: ")
                : 1;
}
