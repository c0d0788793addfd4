/* HorizontalPodAutoscalers hold their bounds; PodDisruptionBudgets say how many pods may go.
 *
 * Follows k8s.io/kubernetes pkg/controller/podautoscaler and pkg/controller/disruption. Load is not
 * looked at: between its bounds an autoscaler leaves things as they are.
 */
#include <inttypes.h>
#include <string.h>

#include "fakes/kubernetes/controllers/controllers.h"

#define AUTOSCALER_PERIOD_NS (15 * SECOND)

static struct object *target_of(struct controllers *controllers, const struct object *autoscaler)
{
    const cJSON *target = json_at(autoscaler->json, "spec", "scaleTargetRef");
    const char *kind = json_text(target, "kind"), *name = json_text(target, "name");
    return kind && name ? cluster_find_named(controllers->cluster, kind, autoscaler->ns, name)
                        : NULL;
}

static void rescale(struct controllers *controllers, struct object *autoscaler,
                    struct object *target, int64_t to, const char *why)
{
    json_set_int(spec_of(target), "replicas", to);
    cluster_touched(controllers->cluster, target, true);
    tell(controllers, autoscaler, "Normal", "SuccessfulRescale", "horizontal-pod-autoscaler",
         "New size: %" PRId64 "; reason: %s", to, why);
}

void autoscaler_sync(struct controllers *controllers, struct object *autoscaler)
{
    struct object *target = autoscaler->gone ? NULL : target_of(controllers, autoscaler);
    if (autoscaler->gone)
        return;
    int64_t least = json_int(spec_of(autoscaler), "minReplicas", 1);
    int64_t most = json_int(spec_of(autoscaler), "maxReplicas", INT32_MAX);
    int64_t now = target ? json_int(spec_of(target), "replicas", 1) : 0;
    if (now > 0 && now < least)
        rescale(controllers, autoscaler, target, least,
                "Current number of replicas below Spec.MinReplicas");
    else if (now > most)
        rescale(controllers, autoscaler, target, most,
                "Current number of replicas above Spec.MaxReplicas");
    int64_t wanted = target ? json_int(spec_of(target), "replicas", 1) : 0;
    cJSON *status = cJSON_Duplicate(json_child(autoscaler->json, "status"), true);
    json_set_int(status, "currentReplicas",
                 target ? json_int(json_at(target->json, "status"), "replicas", 0) : 0);
    json_set_int(status, "desiredReplicas", wanted);
    set_status(controllers, autoscaler, status);
    controllers_later(controllers, autoscaler_sync, autoscaler, AUTOSCALER_PERIOD_NS);
}

/* How many pods of its owner there should be. */
static int64_t scale_of(struct controllers *controllers, const struct object *pod)
{
    const struct object *owner = controller_of(controllers, pod);
    const struct object *above = owner ? controller_of(controllers, owner) : NULL;
    const struct object *top = above ? above : owner;
    return top ? json_int(json_at(top->json, "spec"), "replicas", 1) : 1;
}

void budget_sync(struct controllers *controllers, struct object *budget)
{
    struct arena scratch = {0};
    if (budget->gone)
        return;
    const cJSON *spec = json_at(budget->json, "spec");
    const cJSON *least = json_at(spec, "minAvailable"), *most = json_at(spec, "maxUnavailable");
    const struct selector *selector = selector_of(&scratch, json_at(spec, "selector"));
    struct object **pods = objects_of(controllers, &scratch, "Pod", budget->ns);
    int healthy = 0, n = 0;
    int64_t expected = 0;
    const struct object *seen = NULL;
    for (; *pods; pods++) {
        if (!selector_matches(selector, json_at((*pods)->json, "metadata", "labels")) ||
            !pod_is_active(*pods))
            continue;
        const struct object *owner = controller_of(controllers, *pods);
        n++;
        healthy += pod_is_ready(*pods);
        if (!owner || owner != seen)
            expected += scale_of(controllers, *pods);
        seen = owner;
    }
    expected = n ? expected : 0;
    int64_t desired = least  ? int_or_percent(least, (int)expected, true)
                      : most ? expected - int_or_percent(most, (int)expected, true)
                             : 0;
    desired = desired < 0 ? 0 : desired;
    int64_t allowed = healthy > desired ? healthy - desired : 0;
    cJSON *status = cJSON_CreateObject();
    json_set_int(status, "currentHealthy", healthy);
    json_set_int(status, "desiredHealthy", desired);
    json_set_int(status, "disruptionsAllowed", allowed);
    json_set_int(status, "expectedPods", expected);
    json_set_int(status, "observedGeneration",
                 json_int(json_at(budget->json, "metadata"), "generation", 1));
    set_status(controllers, budget, status);
    arena_release(&scratch);
}
