/* Stands in for what is still being written: weak, so that the real one takes its place. To be
 * removed with the last of them. */
#include "fakes/kubernetes/kubectl.h"

#define PENDING(name)                                                                              \
    __attribute__((weak)) const struct kubectl_command name[] = {{NULL, NULL, NULL}}

PENDING(kubectl_apply_commands);
PENDING(kubectl_config_commands);
PENDING(kubectl_create_commands);
PENDING(kubectl_delete_commands);
PENDING(kubectl_describe_commands);
PENDING(kubectl_edit_commands);
PENDING(kubectl_exec_commands);
PENDING(kubectl_label_commands);
PENDING(kubectl_logs_commands);
PENDING(kubectl_node_commands);
PENDING(kubectl_scale_commands);
PENDING(kubectl_top_commands);
PENDING(kubectl_wait_commands);

__attribute__((weak)) bool admission(struct cluster *cluster, const struct kind *kind, cJSON *json,
                                     const cJSON *old, struct api_error *error)
{
    (void)cluster, (void)kind, (void)json, (void)old, (void)error;
    return true;
}

__attribute__((weak)) const char *admission_wrong_type(struct cluster *cluster,
                                                       const struct kind *kind, const cJSON *json,
                                                       bool converter)
{
    (void)cluster, (void)kind, (void)json, (void)converter;
    return NULL;
}

#include "fakes/kubernetes/describe.h"
__attribute__((weak)) void describe_pod_template(struct arena *arena, const cJSON *template,
                                                 struct buf *out)
{
    (void)arena, (void)template, (void)out;
}
