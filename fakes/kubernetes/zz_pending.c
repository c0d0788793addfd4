/* Stands in for what is still being written: weak, so that the real one takes its place. To be
 * removed with the last of them. */
#include "fakes/kubernetes/kubectl.h"

#define PENDING(name)                                                                              \
    __attribute__((weak)) const struct kubectl_command name[] = {{NULL, NULL, NULL}}

PENDING(kubectl_config_commands);
PENDING(kubectl_describe_commands);
PENDING(kubectl_top_commands);

#include "fakes/kubernetes/describe.h"
__attribute__((weak)) void describe_pod_template(struct arena *arena, const cJSON *template,
                                                 struct buf *out)
{
    (void)arena, (void)template, (void)out;
}
