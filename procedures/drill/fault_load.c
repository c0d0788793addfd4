/* Faults: what breaks, when, and for how long. A fault that could never show is refused. */
#include <string.h>

#include "procedures/drill/load.h"

/* The key that says what kind of fault it is, and the further keys of that kind. */
static const struct fault_shape {
    enum fault_kind kind;
    const char *key;
    const char *more[8];
} fault_shapes[] = {
    {FAULT_CORRUPT, "table", {"store", "corrupt"}},
    {FAULT_SLOW, "slow", {"by", "add", "region"}},
    {FAULT_CUT, "cut", {"from", "region"}},
    {FAULT_ERRORS, "errors", {"ratio", "region"}},
    {FAULT_CRASH, "crash", {"share", "region"}},
    {FAULT_LEAK, "leak", {"grows", "region"}},
    {FAULT_OVERLOAD, "overload", {"by", "region"}},
    {FAULT_DISK_FULL, "disk_full", {NULL}},
    {FAULT_REGION, "region", {NULL}},
    {FAULT_SET, "set", {NULL}},
    {FAULT_BACKUP, "backup", {"damage", "existing"}},
    {FAULT_EVENT, "event", {"about"}},
    {FAULT_COMMAND, "command", {"does", "exit", "message", "add", "times"}},
    {FAULT_BLIND, "blind", {"region"}},
    {FAULT_DEPLOY, "deploy", {NULL}},
};
enum { FAULT_SHAPES = sizeof fault_shapes / sizeof *fault_shapes };

static int fault_shape(const struct doc *node, const struct fault_shape **ret, struct error *error)
{
    TRY(doc_want(node, DOC_MAPPING, error));
    for (int i = 0; i < FAULT_SHAPES; i++)
        if (doc_get(node, fault_shapes[i].key)) {
            *ret = &fault_shapes[i];
            return 0;
        }
    return doc_error(node, error,
                     "what kind of fault? one of table, slow, cut, errors, crash, leak, overload, "
                     "disk_full, region, "
                     "set, backup, event, command, blind, deploy");
}

/* `region`, which narrows `all` down to what is there. */
static int load_region(const struct doc *node, const struct model *model, struct model_fault *fault,
                       struct error *error)
{
    const struct doc *region = doc_get(node, "region");
    if (!region)
        return 0;
    TRY(doc_text(region, &fault->region, error));
    if (fault->target)
        return doc_error(region, error, "'%s' is where it is: a region goes with all",
                         fault->target);
    return model_has_region(model, fault->region)
               ? 0
               : doc_error(region, error, "no service or traffic is in region '%s'", fault->region);
}

/* The service under that key, or `all` of them, or all in a region. */
static int need_target(const struct doc *node, const char *key, const struct model *model,
                       struct model_fault *fault, struct error *error)
{
    const struct doc *subject = doc_get(node, key);
    TRY(doc_text(subject, &fault->target, error));
    if (strcmp(fault->target, "all") == 0 && !model_service(model, "all"))
        fault->target = NULL;
    else
        TRY(need_service(model, subject, fault->target, error));
    return load_region(node, model, fault, error);
}

static int load_corrupt(const struct doc *node, const struct model *model,
                        struct model_fault *fault, struct error *error)
{
    struct doc *ratio = NULL;
    int found = 0;
    TRY(doc_text(doc_get(node, "table"), &fault->table, error));
    TRY(doc_text(doc_get(node, "store"), &fault->target, error));
    TRY(doc_need(node, "corrupt", &ratio, error));
    TRY(load_share(ratio, &fault->ratio, error));
    for (int i = 0; i < model->n_stores; i++)
        for (int j = 0; j < model->stores[i].n_tables; j++) {
            bool here =
                !doc_get(node, "store") || strcmp(fault->target, model->stores[i].name) == 0;
            if (here && strcmp(model->stores[i].tables[j].name, fault->table) == 0) {
                found++;
                fault->target = model->stores[i].name;
            }
        }
    if (found == 0)
        return doc_error(doc_near(node, "table"), error, "no store has a table '%s'", fault->table);
    if (found > 1)
        return doc_error(node, error, "several stores have a table '%s'; say which: store: NAME",
                         fault->table);
    return 0;
}

static int load_pair_fault(const struct doc *pair, struct model_fault *fault, struct error *error)
{
    TRY(doc_want(pair, DOC_MAPPING, error));
    if (pair->n != 1)
        return doc_error(pair, error, "one at a time: expected one key with its value");
    fault->target = pair->first->key;
    return doc_text(pair->first, &fault->value, error);
}

/* What a command may do, and which further keys have a meaning then. */
static int check_command_keys(const struct doc *node, enum command_how how, struct error *error)
{
    static const struct {
        const char *key;
        bool of[COMMAND_LOSE_REPLY + 1];
    } uses[] = {
        {"exit", {[COMMAND_FAIL] = true, [COMMAND_LOSE_REPLY] = true}},
        {"message", {[COMMAND_FAIL] = true, [COMMAND_LIE] = true, [COMMAND_LOSE_REPLY] = true}},
        {"add", {[COMMAND_SLOW] = true}},
    };
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const struct doc *key = doc_get(node, uses[i].key);
        if (key && !uses[i].of[how])
            return doc_error(key, error, "means nothing for a command that does: %s",
                             command_how_names[how]);
    }
    return 0;
}

static int load_command_fault(const struct doc *node, struct model_fault *fault,
                              struct error *error)
{
    struct doc *does = NULL, *command = doc_get(node, "command");
    int how = 0;
    TRY(doc_text(command, &fault->pattern, error));
    if (!*fault->pattern)
        return doc_error(command, error, "expected a command line, such as \"docker pull *\"");
    TRY(doc_need(node, "does", &does, error));
    TRY(doc_choice(does, command_how_names + 1, &how, error));
    fault->how = (enum command_how)(how + 1);
    TRY(check_command_keys(node, fault->how, error));
    fault->exit_status = 1;
    TRY(doc_small(doc_get(node, "exit"), 1, 255, &fault->exit_status, error));
    TRY(doc_text(doc_get(node, "message"), &fault->message, error));
    TRY(load_at(doc_get(node, "add"), &fault->add_ns, error));
    if (fault->how == COMMAND_SLOW && !fault->add_ns)
        return doc_error(node, error, "slow by how much? give add: 30s");
    return doc_small(doc_get(node, "times"), 1, 1000000, &fault->times, error);
}

static int load_slow(const struct doc *node, const struct model *model, struct model_fault *fault,
                     struct error *error)
{
    TRY(need_target(node, "slow", model, fault, error));
    fault->factor = 1;
    TRY(doc_number(doc_get(node, "by"), 0.001, 1e6, &fault->factor, error));
    TRY(load_at(doc_get(node, "add"), &fault->add_ns, error));
    if (!doc_get(node, "by") && !fault->add_ns)
        return doc_error(node, error, "slow by how much? give by: 10 (times) or add: 200ms");
    return 0;
}

static int load_cut(const struct doc *node, const struct model *model, struct model_fault *fault,
                    struct error *error)
{
    const struct doc *from = doc_get(node, "from");
    TRY(need_target(node, "cut", model, fault, error));
    if (!from)
        return 0;
    TRY(doc_text(from, &fault->from, error));
    TRY(need_service(model, from, fault->from, error));
    const struct model_service *caller = model_service(model, fault->from);
    for (int i = 0; i < caller->n_calls; i++)
        if (!fault->target || strcmp(caller->calls[i].to, fault->target) == 0)
            return 0;
    if (!fault->target)
        return doc_error(from, error, "service '%s' calls nobody", fault->from);
    return doc_error(from, error, "service '%s' does not call '%s'", fault->from, fault->target);
}

static int load_leak(const struct doc *node, const struct model *model, struct model_fault *fault,
                     struct error *error)
{
    int64_t bytes = 0;
    bool limited = false;
    TRY(need_target(node, "leak", model, fault, error));
    TRY(doc_size(doc_get(node, "grows"), &bytes, error));
    fault->bytes_per_s = bytes ? (double)bytes : 1024.0 * 1024;
    for (int i = 0; i < model->n_services; i++)
        for (int v = 0; v < model->services[i].n_versions; v++)
            limited = limited ||
                      ((!fault->target || strcmp(fault->target, model->services[i].name) == 0) &&
                       model->services[i].versions[v].memory_limit_bytes);
    return limited
               ? 0
               : doc_error(doc_get(node, "leak"), error,
                           "no version of it has a limit to its memory: nothing would come of it");
}

static int load_fault_of(const struct doc *node, const struct fault_shape *shape,
                         const struct model *model, struct model_fault *fault, struct error *error)
{
    const struct doc *subject = doc_get(node, shape->key);
    int damage = 0;
    switch (shape->kind) {
    case FAULT_CORRUPT:
        return load_corrupt(node, model, fault, error);
    case FAULT_SLOW:
        return load_slow(node, model, fault, error);
    case FAULT_CUT:
        return load_cut(node, model, fault, error);
    case FAULT_ERRORS:
        fault->ratio = 1;
        TRY(need_target(node, shape->key, model, fault, error));
        return load_share(doc_get(node, "ratio"), &fault->ratio, error);
    case FAULT_CRASH:
        fault->ratio = 1;
        TRY(need_target(node, shape->key, model, fault, error));
        return load_share(doc_get(node, "share"), &fault->ratio, error);
    case FAULT_LEAK:
        return load_leak(node, model, fault, error);
    case FAULT_OVERLOAD:
        TRY(doc_text(subject, &fault->target, error));
        if (strcmp(fault->target, "all") == 0)
            fault->target = NULL;
        else if (!model_traffic(model, fault->target))
            return doc_error(subject, error, "no traffic '%s'; name one, or write all",
                             fault->target);
        fault->factor = 2;
        TRY(load_region(node, model, fault, error));
        return doc_number(doc_get(node, "by"), 0, 1e6, &fault->factor, error);
    case FAULT_DISK_FULL:
        return doc_text(subject, &fault->target, error);
    case FAULT_REGION:
        TRY(doc_text(subject, &fault->target, error));
        return model_has_region(model, fault->target)
                   ? 0
                   : doc_error(subject, error, "no service or traffic is in region '%s'",
                               fault->target);
    case FAULT_SET:
        return load_pair_fault(subject, fault, error);
    case FAULT_BACKUP:
        TRY(doc_text(subject, &fault->target, error));
        if (!model_backup(model, fault->target))
            return doc_error(subject, error, "no backup '%s'", fault->target);
        TRY(doc_choice(doc_get(node, "damage"), damage_names + 1, &damage,
                       error)); /* none is no damage */
        fault->damage = (enum damage)(damage + 1);
        return doc_bool(doc_get(node, "existing"), &fault->existing, error);
    case FAULT_EVENT:
        TRY(doc_text(subject, &fault->target, error));
        if (!*fault->target)
            return doc_error(subject, error,
                             "what is seen? give it a name, such as data_corruption");
        return doc_text(doc_get(node, "about"), &fault->value, error);
    case FAULT_COMMAND:
        return load_command_fault(node, fault, error);
    case FAULT_BLIND:
        return need_target(node, shape->key, model, fault, error);
    case FAULT_DEPLOY:
        TRY(load_pair_fault(subject, fault, error));
        return check_deploy(subject, model, error);
    case FAULT_KINDS:
        break;
    }
    return 0;
}

/* What happens once, at an instant, and does not last. */
static bool is_sudden(enum fault_kind kind)
{
    return kind == FAULT_CORRUPT || kind == FAULT_EVENT || kind == FAULT_DEPLOY;
}

static int load_when(const struct doc *node, enum fault_kind kind, struct model_fault *fault,
                     struct error *error)
{
    const struct doc *at = doc_get(node, "at"), *at_step = doc_get(node, "at_step"),
                     *lasts = doc_get(node, "for");
    TRY(load_at(at, &fault->at_ns, error));
    TRY(doc_small(at_step, 1, 1000000, &fault->at_step, error));
    TRY(load_at(lasts, &fault->for_ns, error));
    TRY(load_share(doc_get(node, "chance"), &fault->probability, error));
    if (kind != FAULT_COMMAND && !at && !at_step)
        return doc_error(node, error, "when? give 'at' (a time since the start) or 'at_step'");
    if (at && at_step)
        return doc_error(
            at_step, error,
            "a fault strikes at a time or at a step, not at both; give one of 'at' and 'at_step'");
    if (lasts && is_sudden(kind))
        return doc_error(lasts, error, "this happens at once and does not last");
    if (lasts && !fault->for_ns)
        return doc_error(lasts, error, "a fault that lasts no time is none");
    return 0;
}

static int load_fault(const struct doc *node, const struct model *model, struct model_fault *fault,
                      struct error *error)
{
    const struct fault_shape *shape = NULL;
    TRY(fault_shape(node, &shape, error));
    const char *keys[16] = {shape->key, "at", "at_step", "for", "chance"};
    for (int i = 0; shape->more[i]; i++)
        keys[5 + i] = shape->more[i];
    TRY(doc_only(node, keys, error));
    fault->kind = shape->kind;
    TRY(load_when(node, shape->kind, fault, error));
    return load_fault_of(node, shape, model, fault, error);
}

int load_faults(struct arena *arena, const struct doc *node, struct model *model,
                struct error *error)
{
    if (!node)
        return 0;
    TRY(doc_want(node, DOC_SEQUENCE, error));
    if (node->n > MODEL_FAULTS_MAX)
        return doc_error(node, error, "%d faults are more than %d", node->n, MODEL_FAULTS_MAX);
    struct model_fault *at = ARENA_ARRAY(arena, struct model_fault, node->n);
    model->faults = at;
    EACH(child, node)
    TRY(load_fault(child, model, &at[model->n_faults++], error));
    return 0;
}
