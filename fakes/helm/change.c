/* helm rollback, upgrade, install, uninstall. Source: helm pkg/action. */
#include <inttypes.h>
#include <string.h>

#include "fakes/helm/helm.h"
#include "fakes/helm/values.h"
#include "fakes/kubernetes/text/manifest.h"

#define WAIT_FLAGS                                                                                 \
    "wait wait-for-jobs timeout= no-hooks cleanup-on-fail force dry-run=? history-max= "

/* What a command that changes a release shares. */
struct operation {
    struct helm *helm;
    int64_t timeout_ns;
    int history_max;
    bool wait, jobs, force, cleanup, dry_run;
};

static bool read_operation(struct helm *helm, struct operation *ret)
{
    const struct options *options = &helm->options;
    int64_t most = HELM_HISTORY_MAX;
    const char *dry = options_value(options, "dry-run", "none");
    *ret = (struct operation){
        .helm = helm,
        .wait = options_has(options, "wait") || options_has(options, "atomic"),
        .jobs = options_has(options, "wait-for-jobs"),
        .force = options_has(options, "force"),
        .cleanup = options_has(options, "cleanup-on-fail"),
        .dry_run = strcmp(dry, "none") != 0 && strcmp(dry, "false") != 0,
    };
    if (!options_number(options, "history-max", HELM_HISTORY_MAX, &most)) {
        helm_error(helm, "invalid argument \"%s\" for \"--history-max\" flag",
                   options_value(options, "history-max", ""));
        return false;
    }
    ret->history_max = (int)most;
    return helm_timeout(helm, &ret->timeout_ns);
}

static int keep(struct operation *operation, const struct release *release)
{
    struct api_error error = {0};
    return release_keep(operation->helm->cluster, release, operation->history_max, &error)
               ? 0
               : helm_error(operation->helm, "%s", error.message);
}

/* Carries `next` out in the place of `before` and, with --wait, until all is ready. NULL or why
 * not; *ret_waited: it was carried out and did not become ready. */
static const char *carry_out(struct operation *operation, const struct release *before,
                             const struct release *next, bool adopting, bool *ret_waited)
{
    struct helm *helm = operation->helm;
    struct update update = {
        before ? before->manifest : "", next->manifest,      next->name, next->ns,
        .force = operation->force,      .adopting = adopting};
    const char *why = helm_update(helm->cluster, helm->arena, &update);
    *ret_waited = false;
    if (!why && operation->wait) {
        why = helm_wait(helm->call, helm->cluster, next->manifest, next->ns, operation->timeout_ns,
                        operation->jobs);
        *ret_waited = why != NULL;
    }
    for (int i = 0; why && operation->cleanup && i < update.n_made; i++)
        cluster_delete(helm->cluster, update.made[i], -1, false);
    return why;
}

/* ---- rollback ---- */

static int finish_rollback(struct operation *operation, struct release *current,
                           struct release *next)
{
    struct helm *helm = operation->helm;
    bool waited;
    if (keep(operation, next))
        return 1;
    const char *why = carry_out(operation, current, next, false, &waited);
    if (why) {
        next->status = "failed";
        next->description = arena_printf(
            helm->arena, waited ? "Release \"%s\" failed: %s" : "Rollback \"%s\" failed: %s",
            next->name, why);
        if (!waited) {
            current->status = "superseded";
            (void)keep(operation, current);
        }
        (void)keep(operation, next);
        return helm_error(helm, waited ? "release %s failed: %s" : "%.0s%s", next->name, why);
    }
    releases_supersede(helm->cluster, helm->arena, next->ns, next->name);
    next->status = "deployed";
    return keep(operation, next);
}

static int roll_back(struct operation *operation, const char *name, int64_t version)
{
    struct helm *helm = operation->helm;
    struct release *current = release_last(helm->cluster, helm->arena, helm->ns, name);
    if (!current)
        return helm_error(helm, "release: not found");
    if (version == 0)
        version = current->version - 1;
    const struct release *old = release_at(helm->cluster, helm->arena, helm->ns, name, version);
    if (!old)
        return helm_error(helm, "release has no %" PRId64 " version", version);
    struct release next = *old;
    next.version = current->version + 1;
    next.first_ns = current->first_ns;
    next.last_ns = call_now(helm->call);
    next.status = "pending-rollback";
    next.description = arena_printf(helm->arena, "Rollback to %" PRId64, version);
    return operation->dry_run ? 0 : finish_rollback(operation, current, &next);
}

static int run_rollback(struct helm *helm)
{
    struct operation operation;
    int64_t version = 0;
    const char *typed = helm->n_args > 1 ? helm->args[1] : "0";
    if (!read_operation(helm, &operation))
        return 1;
    if (!str_int64(str_of(typed), &version))
        return helm_error(helm,
                          "could not convert revision to a number: strconv.Atoi: parsing \"%s\": "
                          "invalid syntax",
                          typed);
    if (version < 0)
        return helm_error(helm, "invalid release revision");
    if (options_has(&helm->options, "recreate-pods"))
        return helm_refuse(helm, "helm rollback --recreate-pods");
    int status = roll_back(&operation, helm->args[0], version);
    if (status == 0)
        call_out(helm->call, "Rollback was a success! Happy Helming!\n");
    return status;
}

/* ---- upgrade and install ---- */

static const char *values_file(struct helm *helm, const char *path, cJSON *values)
{
    struct manifest manifest = {0};
    struct buf text;
    buf_init(&text, 4 << 20);
    int code = strcmp(path, "-") == 0 ? call_read_all(helm->call, 0, &text)
                                      : call_load(helm->call, path, &text);
    const char *copy = arena_str(helm->arena, buf_text(&text));
    buf_release(&text);
    if (code < 0)
        return arena_printf(helm->arena, "open %s: no such file or directory", path);
    const char *why = manifest_read(helm->arena, str_of(copy), &manifest);
    if (!why && manifest.n > 0)
        values_merge(values, manifest.documents[0]);
    manifest_release(&manifest);
    return why ? arena_printf(helm->arena, "failed to parse %s: %s", path, why) : NULL;
}

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

/* All of -f, --set and --set-string, in that order, as JSON. NULL, or why not. */
static const char *read_values(struct helm *helm, struct upgrade *ret)
{
    static const char *const flags[] = {"values", "set", "set-string"};
    cJSON *values = cJSON_CreateObject();
    const char *why = NULL;
    struct buf text;
    call_defer(helm->call, delete_json, values);
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < helm->options.n_given && !why; i++) {
            const struct option *given = &helm->options.given[i];
            if (strcmp(given->name, flags[k]) != 0)
                continue;
            ret->given = true;
            why = k == 0 ? values_file(helm, given->value, values)
                         : values_set(helm->arena, values, given->value, k == 2);
        }
    }
    buf_init(&text, 4 << 20);
    json_compact(&text, values);
    ret->values = arena_str(helm->arena, buf_text(&text));
    buf_release(&text);
    return why;
}

static bool looks_like_path(const char *chart)
{
    return chart[0] == '.' || chart[0] == '/';
}

/* A release that failed under --atomic goes back to what was deployed before. */
static int undo(struct operation *operation, const struct release *next, const char *why)
{
    struct helm *helm = operation->helm;
    const struct release *good = release_deployed(helm->cluster, helm->arena, next->ns, next->name);
    if (!good)
        return helm_error(helm, "UPGRADE FAILED: %s", why);
    operation->dry_run = false;
    int status = roll_back(operation, next->name, good->version);
    if (status)
        return status;
    return helm_error(helm,
                      "UPGRADE FAILED: release %s failed, and has been rolled back due to atomic "
                      "being set: %s",
                      next->name, why);
}

static int finish_upgrade(struct operation *operation, const struct release *before,
                          struct release *next)
{
    struct helm *helm = operation->helm;
    bool waited, is_new = !before;
    next->status = is_new ? "pending-install" : "pending-upgrade";
    next->description = is_new ? "Initial install underway" : "Preparing upgrade";
    if (keep(operation, next))
        return 1;
    const char *why = carry_out(operation, before, next, true, &waited);
    if (why) {
        next->status = "failed";
        next->description = arena_printf(
            helm->arena, is_new ? "Release \"%s\" failed: %s" : "Upgrade \"%s\" failed: %s",
            next->name, why);
        if (keep(operation, next))
            return 1;
        if (!is_new && options_has(&helm->options, "atomic"))
            return undo(operation, next, why);
        return helm_error(helm, "%s: %s", is_new ? "INSTALLATION FAILED" : "UPGRADE FAILED", why);
    }
    releases_supersede(helm->cluster, helm->arena, next->ns, next->name);
    next->status = "deployed";
    next->description = options_value(&helm->options, "description",
                                      is_new ? "Install complete" : "Upgrade complete");
    if (keep(operation, next))
        return 1;
    if (!is_new)
        call_out(helm->call, "Release \"%s\" has been upgraded. Happy Helming!\n", next->name);
    helm_print_status(helm, next, false);
    return 0;
}

/* `last`: the newest revision, or NULL. */
static int upgrade(struct helm *helm, struct operation *operation, const char *name,
                   const struct release *last, struct upgrade *given)
{
    struct release *deployed = release_deployed(helm->cluster, helm->arena, helm->ns, name);
    const struct release *before = deployed ? deployed : last;
    struct release next = {.name = name, .ns = helm->ns, .notes = before ? before->notes : ""};
    if (looks_like_path(given->chart) && call_exists(helm->call, given->chart) <= 0)
        return helm_error(helm, "%spath \"%s\" not found",
                          last ? "" : "INSTALLATION FAILED: ", given->chart);
    if (last && strncmp(last->status, "pending-", 8) == 0)
        return helm_error(helm,
                          "UPGRADE FAILED: another operation (install/upgrade/rollback) is in "
                          "progress");
    if (last && strcmp(last->status, "uninstalled") == 0)
        return helm_error(helm, "UPGRADE FAILED: \"%s\" has no deployed releases", name);
    const char *why = helm_render(helm->cluster, helm->arena, name, before, given, &next);
    if (why)
        return helm_refuse(helm, "%s", why);
    next.version = last ? last->version + 1 : 1;
    next.last_ns = call_now(helm->call);
    next.first_ns = before ? before->first_ns : next.last_ns;
    if (!operation->dry_run)
        return finish_upgrade(operation, before, &next);
    next.status = last ? "pending-upgrade" : "pending-install";
    if (last)
        call_out(helm->call, "Release \"%s\" has been upgraded. Happy Helming!\n", name);
    helm_print_status(helm, &next, false);
    call_out(helm->call, "HOOKS:\nMANIFEST:\n%s\n", next.manifest);
    return 0;
}

static int run_upgrade(struct helm *helm)
{
    struct operation operation;
    struct upgrade given = {
        .chart = helm->args[1],
        .version = options_value(&helm->options, "version", NULL),
        .reuse = options_has(&helm->options, "reuse-values") ||
                 options_has(&helm->options, "reset-then-reuse-values"),
        .reset = options_has(&helm->options, "reset-values"),
    };
    const char *name = helm->args[0];
    const struct release *last = release_last(helm->cluster, helm->arena, helm->ns, name);
    if (!read_operation(helm, &operation))
        return 1;
    const char *why = read_values(helm, &given);
    if (why)
        return helm_error(helm, "%s", why);
    if (!last && !options_has(&helm->options, "install"))
        return helm_error(helm, "UPGRADE FAILED: \"%s\" has no deployed releases", name);
    if (!last)
        call_out(helm->call, "Release \"%s\" does not exist. Installing it now.\n", name);
    return upgrade(helm, &operation, name, last, &given);
}

static int run_install(struct helm *helm)
{
    struct operation operation;
    struct upgrade given = {.chart = helm->args[1],
                            .version = options_value(&helm->options, "version", NULL)};
    if (!read_operation(helm, &operation))
        return 1;
    const char *why = read_values(helm, &given);
    if (why)
        return helm_error(helm, "%s", why);
    if (release_last(helm->cluster, helm->arena, helm->ns, helm->args[0]))
        return helm_error(helm, "INSTALLATION FAILED: cannot re-use a name that is still in use");
    return upgrade(helm, &operation, helm->args[0], NULL, &given);
}

/* ---- uninstall ---- */

static int uninstall_one(struct helm *helm, const char *name)
{
    struct release **all = releases_of(helm->cluster, helm->arena, helm->ns, name), *last = NULL;
    bool keeping = options_has(&helm->options, "keep-history");
    struct api_error error = {0};
    const char *kept = "";
    for (int i = 0; all[i]; i++)
        last = all[i];
    if (!last && options_has(&helm->options, "ignore-not-found"))
        return 0;
    if (!last)
        return helm_error(helm, "uninstall: Release not loaded: %s: release: not found", name);
    if (strcmp(last->status, "uninstalled") == 0 && keeping)
        return helm_error(helm, "the release named \"%s\" is already deleted", name);
    if (options_has(&helm->options, "dry-run")) {
        call_out(helm->call, "release \"%s\" uninstalled\n", name);
        return 0;
    }
    if (strcmp(last->status, "uninstalled") != 0)
        helm_delete(helm->cluster, helm->arena, last->manifest, last->ns, &kept);
    last->status = "uninstalled";
    last->description = "Uninstallation complete";
    for (int i = 0; all[i] && !keeping; i++)
        release_forget(helm->cluster, all[i]);
    if (keeping && !release_keep(helm->cluster, last, 0, &error))
        return helm_error(helm, "%s", error.message);
    if (*kept)
        call_out(helm->call, "These resources were kept due to the resource policy:\n%s\n", kept);
    call_out(helm->call, "release \"%s\" uninstalled\n", name);
    return 0;
}

static int run_uninstall(struct helm *helm)
{
    int64_t timeout_ns;
    if (!helm_timeout(helm, &timeout_ns))
        return 1;
    if (options_has(&helm->options, "wait"))
        return helm_refuse(helm, "helm uninstall --wait");
    int status = 0;
    for (int i = 0; helm->args[i] && status == 0; i++)
        status = uninstall_one(helm, helm->args[i]);
    return status;
}

const struct helm_command helm_change_commands[] = {
    {"rollback", "helm rollback <RELEASE> [REVISION] [flags]", WAIT_FLAGS "recreate-pods", 1, -1,
     run_rollback},
    {"upgrade", "helm upgrade [RELEASE] [CHART] [flags]",
     WAIT_FLAGS "install|i atomic values|f= set= set-string= version= reuse-values reset-values "
                "reset-then-reuse-values description= create-namespace repo= devel "
                "disable-openapi-validation skip-crds",
     2, 2, run_upgrade},
    {"install", "helm install [NAME] [CHART] [flags]",
     WAIT_FLAGS "atomic values|f= set= set-string= version= description= create-namespace repo= "
                "devel disable-openapi-validation skip-crds",
     2, 2, run_install},
    {"uninstall", "helm uninstall RELEASE_NAME [...] [flags]",
     "cascade= description= dry-run ignore-not-found keep-history no-hooks timeout= wait", 1, -1,
     run_uninstall},
    {NULL, NULL, NULL, 0, 0, NULL},
};
