/* Ports that lead to pods. */
#include "fakes/kubernetes/kubectl/forwards.h"

#include "fakes/kubernetes/setup/setup_state.h"

struct forward {
    const struct object *pod; /* NULL: ended */
    int local_port, port;
    struct forward *next;
};

static struct forward *find(struct env *env, int local_port)
{
    struct forward *one = *env_slot(env, "port-forwards");
    while (one && (one->local_port != local_port || !one->pod))
        one = one->next;
    return one;
}

bool forward_begin(struct env *env, int local_port, const struct object *pod, int port)
{
    if (find(env, local_port))
        return false;
    struct forward *one = ARENA_NEW(&env->arena, struct forward);
    void **slot = env_slot(env, "port-forwards");
    *one = (struct forward){pod, local_port, port, *slot};
    *slot = one;
    return true;
}

void forward_end(struct env *env, int local_port)
{
    struct forward *one = find(env, local_port);
    if (one)
        one->pod = NULL;
}

enum env_answer forward_resolve(struct cluster *cluster, int local_port, struct env_target *ret)
{
    const struct forward *one = find(cluster_env(cluster), local_port);
    if (!one)
        return ENV_NO_HOST;
    return one->pod->gone ? ENV_REFUSED : pod_resolve(cluster, one->pod, one->port, ret);
}
