/* kubectl describe: k8s.io/kubectl pkg/cmd/describe. */
#include <string.h>

#include "fakes/kubernetes/kubectl/description.h"
#include "fakes/kubernetes/kubectl/kubectl.h"
#include "fakes/kubernetes/kubectl/printer.h"

static struct describe *begin(struct kubectl *k)
{
    struct describe *d = ARENA_NEW(k->arena, struct describe);
    *d = (struct describe){
        .cluster = k->cluster,
        .arena = k->arena,
        .text = kubectl_buf(k),
        .events = strcmp(options_value(&k->options, "show-events", "true"), "false") != 0,
    };
    return d;
}

/* "TYPE PREFIX": all whose names begin so, when nothing is named just so. False: there is none. */
static bool describe_matching(struct kubectl *k)
{
    const struct kind *kind = cluster_resource(k->cluster, k->args[0]);
    struct describe *d = begin(k);
    struct buf *out = kubectl_buf(k);
    bool any = false;
    kubectl_request(k);
    struct object **list = cluster_list(k->cluster, k->arena, kind, k->ns, NULL, NULL);
    for (; *list; list++) {
        if (strncmp((*list)->name, k->args[1], strlen(k->args[1])) != 0)
            continue;
        describe_object(d, *list, out);
        buf_putc(out, '\n');
        any = true;
    }
    if (any)
        call_write(k->call, 1, out->at, out->len);
    return any;
}

static int run_describe(struct kubectl *k)
{
    struct resources resources;
    bool files =
        options_value(&k->options, "filename", NULL) || options_has(&k->options, "kustomize");
    if (k->n_args == 0 && !files)
        return kubectl_error(k, "You must specify the type of resource to describe. Use \"kubectl "
                                "api-resources\" for a complete list of supported resources.");
    int status = kubectl_resources(k, 0, RESOURCES_FILES | RESOURCES_SELECT, &resources);
    if (status)
        return status;
    if (k->n_args == 2 && resources.n_complaints == 1 && resources.n == 0 &&
        !strchr(k->args[0], '/') && describe_matching(k))
        return 0;
    struct describe *d = begin(k);
    struct buf *out = kubectl_buf(k);
    bool any = false;
    for (int i = 0; i < resources.n; i++) {
        if (!resources.at[i].object) {
            struct api_error error;
            api_not_found(k->cluster, &error, resources.at[i].kind, resources.at[i].name);
            resources_complain_server(k, &resources, &error, NULL);
            continue;
        }
        kubectl_request(k);
        if (any)
            buf_puts(out, "\n\n");
        describe_object(d, resources.at[i].object, out);
        any = true;
    }
    if (any)
        call_write(k->call, 1, out->at, out->len);
    else if (resources.n_complaints == 0 && k->all_namespaces)
        call_err(k->call, "No resources found\n");
    else if (resources.n_complaints == 0)
        call_err(k->call, "No resources found in %s namespace.\n", k->ns);
    return kubectl_finish(k, &resources);
}

const struct kubectl_command kubectl_describe_commands[] = {
    {"describe",
     "all-namespaces|A chunk-size= filename|f= kustomize|k= recursive|R selector|l= show-events",
     run_describe},
    {NULL, NULL, NULL},
};
