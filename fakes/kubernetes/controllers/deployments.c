/* Deployments: which ReplicaSet is the new one, and how many pods each shall have.
 *
 * Follows k8s.io/kubernetes pkg/controller/deployment: sync.go, rolling.go, recreate.go; what it
 * says about it is in rollouts.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/controllers/rollouts.h"

#define HASH_LABEL "pod-template-hash"

/* ---- numbers ---- */

int replicas_of(const struct object *object)
{
    int64_t replicas = json_int(json_at(object->json, "spec"), "replicas", 1);
    return replicas < PODS_MOST ? (int)replicas : PODS_MOST; /* as pods_wanted */
}

int status_of(const struct object *object, const char *key)
{
    return (int)json_int(json_at(object->json, "status"), key, 0);
}

static bool is_rolling(const struct rollout *rollout)
{
    const char *type = json_text(rollout->deployment->json, "spec", "strategy", "type");
    return !type || strcmp(type, "Recreate") != 0;
}

static const cJSON *rolling(const struct rollout *rollout, const char *key)
{
    return json_at(rollout->deployment->json, "spec", "strategy", "rollingUpdate", key);
}

static int max_surge(const struct rollout *rollout)
{
    return is_rolling(rollout) ? int_or_percent(rolling(rollout, "maxSurge"), rollout->want, true)
                               : 0;
}

/* Both nothing would never move: then one may be missing (util.ResolveFenceposts). */
int rollout_max_unavailable(const struct rollout *rollout)
{
    if (!is_rolling(rollout) || rollout->want == 0)
        return 0;
    int unavailable = int_or_percent(rolling(rollout, "maxUnavailable"), rollout->want, false);
    if (unavailable == 0 && max_surge(rollout) == 0)
        unavailable = 1;
    return unavailable > rollout->want ? rollout->want : unavailable;
}

int rollout_sum(const struct rollout *rollout, int (*number)(const struct object *))
{
    int sum = rollout->fresh ? number(rollout->fresh) : 0;
    for (int i = 0; i < rollout->n_old; i++)
        sum += number(rollout->old[i]);
    return sum;
}

static int available_of(const struct object *set)
{
    return status_of(set, "availableReplicas");
}

int64_t revision_of(const struct object *object)
{
    const char *text = annotation_of(object, REVISION);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* ---- which is the new one ---- */

static cJSON *bare_template(const cJSON *template)
{
    cJSON *bare = cJSON_Duplicate(template, true);
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(bare, "metadata");
    cJSON *labels = cJSON_GetObjectItemCaseSensitive(metadata, "labels");
    cJSON_DeleteItemFromObjectCaseSensitive(labels, HASH_LABEL);
    cJSON_DeleteItemFromObjectCaseSensitive(metadata, "creationTimestamp");
    return bare;
}

/* `wanted`: a bare one. */
static bool has_template(const struct object *set, const cJSON *wanted)
{
    const cJSON *template = json_at(set->json, "spec", "template");
    if (!json_equal(json_at(wanted, "spec"), json_at(template, "spec")))
        return false; /* nearly always, and without a copy */
    cJSON *has = bare_template(template);
    bool same = json_equal(wanted, has);
    cJSON_Delete(has);
    return same;
}

static bool older(const struct object *a, const struct object *b)
{
    if (a->created_ns != b->created_ns)
        return a->created_ns < b->created_ns;
    return strcmp(a->name, b->name) < 0;
}

static void sort_by_age(struct object **sets, int n)
{
    for (int i = 1; i < n; i++) {
        struct object *set = sets[i];
        int k = i;
        for (; k > 0 && older(set, sets[k - 1]); k--)
            sets[k] = sets[k - 1];
        sets[k] = set;
    }
}

static void find_sets(struct rollout *rollout)
{
    struct object **all =
        dependents_of(rollout->controllers, rollout->arena, "ReplicaSet", rollout->deployment);
    int n = 0;
    while (all[n])
        n++;
    sort_by_age(all, n);
    cJSON *wanted = bare_template(json_at(rollout->deployment->json, "spec", "template"));
    rollout->fresh = NULL;
    rollout->old = all;
    rollout->n_old = 0;
    for (int i = 0; i < n; i++) {
        if (!rollout->fresh && has_template(all[i], wanted))
            rollout->fresh = all[i];
        else
            all[rollout->n_old++] = all[i];
    }
    cJSON_Delete(wanted);
}

/* ---- annotations ---- */

static bool is_skipped(const char *annotation)
{
    static const char *const skipped[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                          REVISION,
                                          REVISION_HISTORY,
                                          DESIRED_REPLICAS,
                                          MAX_REPLICAS,
                                          "deprecated.deployment.rollback.to"};
    for (size_t i = 0; i < sizeof skipped / sizeof *skipped; i++) {
        if (strcmp(annotation, skipped[i]) == 0)
            return true;
    }
    return false;
}

static bool set_annotation(cJSON *json, const char *name, const char *value)
{
    cJSON *annotations = json_child(json_child(json, "metadata"), "annotations");
    const char *has = json_text(annotations, name);
    if (has && strcmp(has, value) == 0)
        return false;
    json_set_text(annotations, name, value);
    return true;
}

static bool set_number(cJSON *json, const char *name, int64_t number)
{
    struct arena scratch = {0};
    bool changed = set_annotation(json, name, arena_printf(&scratch, "%" PRId64, number));
    arena_release(&scratch);
    return changed;
}

static bool copy_annotations(const struct object *deployment, cJSON *set)
{
    bool changed = false;
    const cJSON *all = json_at(deployment->json, "metadata", "annotations");
    for (const cJSON *one = all ? all->child : NULL; one; one = one->next) {
        if (!is_skipped(one->string) && cJSON_IsString(one))
            changed |= set_annotation(set, one->string, one->valuestring);
    }
    return changed;
}

/* The revisions that a ReplicaSet had before it was used again stand in its history. */
static void remember_revision(struct rollout *rollout, struct object *set, int64_t before)
{
    const char *history = annotation_of(set, REVISION_HISTORY);
    const char *text = history && *history
                           ? arena_printf(rollout->arena, "%s,%" PRId64, history, before)
                           : arena_printf(rollout->arena, "%" PRId64, before);
    set_annotation(set->json, REVISION_HISTORY, text);
}

static bool annotate_set(struct rollout *rollout, struct object *set, int64_t revision)
{
    int64_t before = revision_of(set);
    bool changed = copy_annotations(rollout->deployment, set->json);
    if (before < revision) {
        set_number(set->json, REVISION, revision);
        changed = true;
    }
    if (changed && before > 0 && before < revision)
        remember_revision(rollout, set, before);
    return changed;
}

/* ---- the new one ---- */

static int64_t last_revision(const struct rollout *rollout)
{
    int64_t last = 0;
    for (int i = 0; i < rollout->n_old; i++) {
        int64_t revision = revision_of(rollout->old[i]);
        last = revision > last ? revision : last;
    }
    return last;
}

static int new_replicas(const struct rollout *rollout, int has)
{
    int total = rollout_sum(rollout, replicas_of);
    if (!is_rolling(rollout))
        return rollout->want;
    int room = rollout->want + max_surge(rollout) - total;
    if (room <= 0)
        return has;
    int missing = rollout->want - has;
    return has + (room < missing ? room : missing);
}

static cJSON *new_set(struct rollout *rollout, const char *hash, int64_t revision)
{
    const struct object *deployment = rollout->deployment;
    cJSON *set = cJSON_CreateObject(), *spec = json_child(set, "spec");
    cJSON *metadata = json_child(set, "metadata");
    cJSON *template = cJSON_Duplicate(json_at(deployment->json, "spec", "template"), true);
    json_set_text(json_child(json_child(template, "metadata"), "labels"), HASH_LABEL, hash);
    json_set_text(metadata, "name", arena_printf(rollout->arena, "%s-%s", deployment->name, hash));
    json_set(metadata, "labels", cJSON_Duplicate(json_at(template, "metadata", "labels"), true));
    json_set(spec, "selector",
             cJSON_Duplicate(json_at(deployment->json, "spec", "selector"), true));
    json_set_text(json_child(json_child(spec, "selector"), "matchLabels"), HASH_LABEL, hash);
    int64_t min_ready_s = json_int(json_at(deployment->json, "spec"), "minReadySeconds", 0);
    if (min_ready_s)
        json_set_int(spec, "minReadySeconds", min_ready_s);
    json_set_int(spec, "replicas", new_replicas(rollout, 0));
    json_set(spec, "template", template);
    copy_annotations(deployment, set);
    set_number(set, REVISION, revision);
    set_number(set, DESIRED_REPLICAS, rollout->want);
    set_number(set, MAX_REPLICAS, rollout->want + max_surge(rollout));
    set_controller(set, rollout->arena, deployment);
    return set;
}

static void make_set(struct rollout *rollout, int64_t revision)
{
    struct controllers *controllers = rollout->controllers;
    struct object *deployment = rollout->deployment;
    cJSON *template = bare_template(json_at(deployment->json, "spec", "template"));
    const char *hash = json_hash(rollout->arena, template);
    cJSON_Delete(template);
    cJSON *json = new_set(rollout, hash, revision);
    int64_t wants = json_int(json_at(json, "spec"), "replicas", 0);
    rollout->fresh =
        make_for(controllers, deployment, "replicasets", "deployment-controller", json);
    if (!rollout->fresh)
        return;
    if (wants > 0)
        tell(controllers, deployment, "Normal", "ScalingReplicaSet", "deployment-controller",
             "Scaled up replica set %s from 0 to %" PRId64, rollout->fresh->name, wants);
    rollout_condition(
        rollout, "Progressing", "True", "NewReplicaSetCreated",
        arena_printf(rollout->arena, "Created new replica set \"%s\"", rollout->fresh->name));
}

/* getAllReplicaSetsAndSyncRevision. */
static void sync_revision(struct rollout *rollout, bool make)
{
    int64_t revision = last_revision(rollout) + 1;
    struct object *deployment = rollout->deployment;
    if (!rollout->fresh && !make)
        return;
    if (!rollout->fresh) {
        make_set(rollout, revision);
    } else {
        struct object *set = rollout->fresh;
        int64_t min_ready_s = json_int(json_at(deployment->json, "spec"), "minReadySeconds", 0);
        bool changed = annotate_set(rollout, set, revision);
        bool spec = min_ready_s != json_int(json_at(set->json, "spec"), "minReadySeconds", 0);
        if (spec)
            json_set_int(spec_of(set), "minReadySeconds", min_ready_s);
        if (changed || spec)
            cluster_touched(rollout->controllers->cluster, set, spec);
        if (!condition_of(rollout->status, "Progressing"))
            rollout_condition(
                rollout, "Progressing", "True", "FoundNewReplicaSet",
                arena_printf(rollout->arena, "Found new replica set \"%s\"", set->name));
    }
    int64_t now = rollout->fresh ? revision_of(rollout->fresh) : 0;
    if (now && set_number(deployment->json, REVISION, now))
        rollout->touched = true;
}

/* ---- how many each has ---- */

static bool scale_set(struct rollout *rollout, struct object *set, int to)
{
    int from = replicas_of(set);
    bool annotated = set_number(set->json, DESIRED_REPLICAS, rollout->want);
    annotated |= set_number(set->json, MAX_REPLICAS, rollout->want + max_surge(rollout));
    if (from != to)
        json_set_int(spec_of(set), "replicas", to);
    if (from != to || annotated)
        cluster_touched(rollout->controllers->cluster, set, from != to);
    if (from != to)
        tell(rollout->controllers, rollout->deployment, "Normal", "ScalingReplicaSet",
             "deployment-controller", "Scaled %s replica set %s from %d to %d",
             to > from ? "up" : "down", set->name, from, to);
    return from != to;
}

static bool reconcile_new(struct rollout *rollout)
{
    struct object *set = rollout->fresh;
    int has = set ? replicas_of(set) : 0;
    if (!set || has == rollout->want)
        return false;
    return scale_set(rollout, set,
                     has > rollout->want ? rollout->want : new_replicas(rollout, has));
}

/* Those that do not work go first: nobody misses them. */
static int clean_unhealthy(struct rollout *rollout, int at_most)
{
    int done = 0;
    for (int i = 0; i < rollout->n_old && done < at_most; i++) {
        int has = replicas_of(rollout->old[i]);
        int unhealthy = has - available_of(rollout->old[i]);
        if (has == 0 || unhealthy <= 0)
            continue;
        int less = unhealthy < at_most - done ? unhealthy : at_most - done;
        scale_set(rollout, rollout->old[i], has - less);
        done += less;
    }
    return done;
}

static int scale_down_old(struct rollout *rollout)
{
    int least = rollout->want - rollout_max_unavailable(rollout);
    int too_many = rollout_sum(rollout, available_of) - least, done = 0;
    for (int i = 0; i < rollout->n_old && done < too_many; i++) {
        int has = replicas_of(rollout->old[i]);
        int less = has < too_many - done ? has : too_many - done;
        if (less > 0)
            scale_set(rollout, rollout->old[i], has - less);
        done += less;
    }
    return done;
}

static bool reconcile_old(struct rollout *rollout)
{
    int total = rollout_sum(rollout, replicas_of), old = total;
    if (rollout->fresh)
        old -= replicas_of(rollout->fresh);
    int least = rollout->want - rollout_max_unavailable(rollout);
    int new_unavailable =
        rollout->fresh ? replicas_of(rollout->fresh) - available_of(rollout->fresh) : 0;
    int at_most = total - least - new_unavailable;
    if (old == 0 || at_most <= 0)
        return false;
    int cleaned = clean_unhealthy(rollout, at_most);
    return scale_down_old(rollout) + cleaned > 0;
}

/* Old ReplicaSets without pods beyond spec.revisionHistoryLimit go, the oldest revision first. */
static void clean_up(struct rollout *rollout)
{
    int64_t limit = json_int(spec_of(rollout->deployment), "revisionHistoryLimit", 10);
    if (!rollout_complete(rollout))
        return;
    struct object **sets = rollout->old;
    int n = rollout->n_old;
    for (int i = 1; i < n; i++) {
        struct object *set = sets[i];
        int k = i;
        for (; k > 0 && revision_of(set) < revision_of(sets[k - 1]); k--)
            sets[k] = sets[k - 1];
        sets[k] = set;
    }
    for (int i = 0; i < n - limit; i++) {
        const cJSON *metadata = json_at(sets[i]->json, "metadata");
        int64_t generation = json_int(metadata, "generation", 0);
        if (status_of(sets[i], "replicas") == 0 && replicas_of(sets[i]) == 0 &&
            generation <= status_of(sets[i], "observedGeneration"))
            cluster_delete(rollout->controllers->cluster, sets[i], -1, false);
    }
}

/* ---- strategies ---- */

static void roll(struct rollout *rollout)
{
    sync_revision(rollout, true);
    if (!reconcile_new(rollout) && !reconcile_old(rollout))
        clean_up(rollout);
    rollout_report(rollout, true);
}

static bool old_pods_run(struct rollout *rollout)
{
    for (int i = 0; i < rollout->n_old; i++) {
        struct object **pods =
            objects_of(rollout->controllers, rollout->arena, "Pod", rollout->deployment->ns);
        for (; *pods; pods++) {
            const char *phase = pod_phase(*pods);
            bool ended = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
            if (!ended && is_controlled_by(*pods, rollout->old[i]))
                return true;
        }
    }
    return false;
}

static void recreate(struct rollout *rollout)
{
    bool scaled = false;
    sync_revision(rollout, false);
    for (int i = 0; i < rollout->n_old; i++) {
        if (replicas_of(rollout->old[i]) > 0)
            scaled |= scale_set(rollout, rollout->old[i], 0);
    }
    if (!scaled && !old_pods_run(rollout)) {
        sync_revision(rollout, true);
        if (!rollout->fresh || !scale_set(rollout, rollout->fresh, rollout->want))
            clean_up(rollout);
    }
    rollout_report(rollout, true);
}

/* ---- scaling outside of a rollout ---- */

static bool is_scaling(const struct rollout *rollout)
{
    for (int i = -1; i < rollout->n_old; i++) {
        const struct object *set = i < 0 ? rollout->fresh : rollout->old[i];
        const char *desired = set ? annotation_of(set, DESIRED_REPLICAS) : NULL;
        if (set && replicas_of(set) > 0 && desired && atoll(desired) != rollout->want)
            return true;
    }
    return false;
}

/* The share of `room` for a ReplicaSet of that size: util.GetReplicaSetFraction. */
static int share_of(const struct rollout *rollout, const struct object *set)
{
    const char *text = annotation_of(set, MAX_REPLICAS);
    int64_t before = text ? atoll(text) : status_of(rollout->deployment, "replicas");
    int64_t size = rollout->want + max_surge(rollout);
    if (rollout->want == 0 || before == 0)
        return -replicas_of(set);
    /* half away from zero */
    int64_t scaled = (2 * replicas_of(set) * size + before) / (2 * before);
    return (int)scaled - replicas_of(set);
}

static void scale_in_proportion(struct rollout *rollout)
{
    int n = 0, size = rollout->want > 0 ? rollout->want + max_surge(rollout) : 0;
    struct object **sets = ARENA_ARRAY(rollout->arena, struct object *, rollout->n_old + 1);
    for (int i = -1; i < rollout->n_old; i++) {
        struct object *set = i < 0 ? rollout->fresh : rollout->old[i];
        if (!set || replicas_of(set) == 0)
            continue;
        int k = n++; /* the largest first; growing: the newer of equals, shrinking: the older */
        for (; k > 0 && replicas_of(set) > replicas_of(sets[k - 1]); k--)
            sets[k] = sets[k - 1];
        sets[k] = set;
    }
    int room = size - rollout_sum(rollout, replicas_of), left = room;
    int *to = ARENA_ARRAY(rollout->arena, int, n + 1);
    for (int i = 0; i < n; i++) {
        int share = room ? share_of(rollout, sets[i]) : 0;
        if (room > 0)
            share = share < 0 ? 0 : share > left ? left : share;
        else
            share = share > 0 ? 0 : share < left ? left : share;
        to[i] = replicas_of(sets[i]) + share;
        left -= share;
    }
    for (int i = 0; i < n; i++) {
        if (i == 0)
            to[i] = to[i] + left < 0 ? 0 : to[i] + left;
        scale_set(rollout, sets[i], to[i]);
    }
}

static void scale(struct rollout *rollout)
{
    int n_active = 0;
    struct object *active = NULL;
    for (int i = 0; i < rollout->n_old; i++) {
        if (replicas_of(rollout->old[i]) > 0) {
            active = rollout->old[i];
            n_active++;
        }
    }
    bool fresh_active = rollout->fresh && replicas_of(rollout->fresh) > 0;
    struct object *latest = rollout->fresh       ? rollout->fresh
                            : rollout->n_old > 0 ? rollout->old[rollout->n_old - 1]
                                                 : NULL;
    if (n_active + fresh_active <= 1) {
        struct object *set = fresh_active ? rollout->fresh : n_active ? active : latest;
        if (set)
            scale_set(rollout, set, rollout->want);
        return;
    }
    bool saturated = rollout->fresh && replicas_of(rollout->fresh) == rollout->want &&
                     available_of(rollout->fresh) == rollout->want;
    if (saturated) {
        for (int i = 0; i < rollout->n_old; i++)
            scale_set(rollout, rollout->old[i], 0);
    } else if (is_rolling(rollout)) {
        scale_in_proportion(rollout);
    }
}

void deployment_sync(struct controllers *controllers, struct object *deployment)
{
    struct arena scratch = {0};
    if (deployment->gone)
        return;
    struct rollout rollout = {
        .controllers = controllers,
        .arena = &scratch,
        .deployment = deployment,
        .want = pods_wanted(controllers, deployment, "replicas", 1),
        .status = cJSON_Duplicate(json_child(deployment->json, "status"), true),
    };
    find_sets(&rollout);
    bool paused = cJSON_IsTrue(json_at(deployment->json, "spec", "paused"));
    rollout_paused(&rollout, paused);
    if (is_being_deleted(deployment)) {
        rollout_report(&rollout, false);
    } else if (paused || is_scaling(&rollout)) {
        sync_revision(&rollout, false);
        scale(&rollout);
        rollout_report(&rollout, false);
    } else if (is_rolling(&rollout)) {
        roll(&rollout);
    } else {
        recreate(&rollout);
    }
    arena_release(&scratch);
}
