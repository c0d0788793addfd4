/* Rules about Docker, Compose and images. */
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"

/* export X=... in a shell that ends at once. */
static void check_export(struct lint *lint, const struct use *use)
{
    const struct shell_command *command = use->command;
    bool alone = !command->next && (!command->parent || command->parent->kind == SHELL_LIST);
    if (use->remote && !strcmp(use->name, "export") && alone)
        lint_add_use(lint, "RB010", use,
                     "'%s' is forgotten when this shell ends; the service never sees it",
                     use->argc > 1 ? use->argv[1] : "export");
}

static bool is_latest(const char *image)
{
    return image && (str_ends(str_of(image), ":latest") || strstr(image, ":latest "));
}

static void check_moving_tag(struct lint *lint, const struct use *use)
{
    if (use_is(use, "kubectl", "set", "image") || use_is(use, "docker", "pull", NULL) ||
        use_is(use, "docker", "run", NULL)) {
        for (int i = 0; i < use->n_operands; i++)
            if (is_latest(use->operands[i])) {
                lint_add_use(lint, "RB013", use, "'%s' is whatever was pushed last",
                             use->operands[i]);
                return;
            }
    } else if (use_is(use, "docker", "tag", NULL) && use->n_operands > 2 &&
               is_latest(use->operands[2])) {
        lint_add_use(lint, "RB013", use, "'%s' now means another image on this host alone",
                     use->operands[2]);
    }
}

static void check_service_names(struct lint *lint, const struct use *use)
{
    static const char *const verbs[] = {"up",    "pull", "restart", "stop", "start",
                                        "build", "logs", "rm",      NULL};
    bool known = false;
    for (int i = 0; use->n_operands && verbs[i]; i++)
        known |= !strcmp(use->operands[0], verbs[i]);
    if (strcmp(use->name, "compose") || !known)
        return;
    for (int i = 1; i < use->n_operands; i++)
        if (strchr(use->operands[i], ':') && !strpbrk(use->operands[i], "$<="))
            lint_add_use(lint, "RB038", use,
                         "no service is called '%s'; the tag belongs into the compose file",
                         use->operands[i]);
}

/* Does it change what a container is made from: its image, its settings, the compose file? Config files that are
 * mounted are read by a restart, and are not meant. */
static bool changes_settings(const struct use *use)
{
    if (use_is(use, "compose", "build", NULL) || use_is(use, "compose", "pull", NULL) ||
        use_is(use, "docker", "pull", NULL) || use_is(use, "docker", "build", NULL) ||
        use_is(use, "docker", "tag", NULL))
        return true;
    if (use->remote && !strcmp(use->name, "export"))
        return true;
    if (!strcmp(use->name, "sed") || !strcmp(use->name, "cp") || !strcmp(use->name, "mv") ||
        !strcmp(use->name, "vim") || !strcmp(use->name, "nano") || !strcmp(use->name, "echo"))
        return use_changes_state(use) || use->command->redirects
                   ? use_mentions(use, ".env") || use_mentions(use, "compose.y")
                   : false;
    return false;
}

static bool restores_config(const struct use *use)
{
    return use_changes_state(use) && strchr(use->argv[0], '/') && use_mentions(use, "config");
}

static void check_restart(struct lint *lint, const struct use *use)
{
    if (!use_is(use, "compose", "restart", NULL))
        return;
    for (const struct use *at = use - 1; at >= lint->uses && same_scope(lint, use, at); at--) {
        bool config = restores_config(at);
        if (use_is(at, "compose", "up", NULL))
            return;
        if (!changes_settings(at) && !config)
            continue;
        if (config)
            lint_add_use(lint, "RB030", use,
                         "restart re-reads mounted files alone: what line %d puts back into .env "
                         "or the compose file waits "
                         "for up -d",
                         at->line);
        else
            lint_add_use(lint, "RB030", use,
                         "restart does not take up what line %d changed; up -d does", at->line);
        return;
    }
}

/* What was done to versions before this `up`, in the same procedure. */
static void check_up(struct lint *lint, const struct use *use)
{
    const struct use *checkout = NULL, *pull = NULL, *down = NULL;
    if (!use_is(use, "compose", "up", NULL))
        return;
    for (const struct use *at = use - 1; at >= lint->uses && same_scope(lint, use, at); at--) {
        if (use_is(at, "docker", "tag", NULL) || use_is(at, "compose", "build", NULL) ||
            use_is(at, "compose", "pull", NULL) || use_is(at, "docker", "build", NULL) ||
            !strcmp(at->name, "sed") || use_mentions(at, ".env") || !strcmp(at->name, "export"))
            return;
        if (use_is(at, "git", "checkout", NULL) || use_is(at, "git", "switch", NULL))
            checkout = checkout ? checkout : at;
        if (use_is(at, "docker", "pull", NULL))
            pull = pull ? pull : at;
        if (use_is(at, "compose", "down", NULL) && at->n_operands == 1)
            down = down ? down : at;
    }
    if (down && use->n_operands == 1)
        lint_add_use(lint, "RB039", down,
                     "everything is down until line %d has started it again, databases too",
                     use->line);
    if (use_has(use, "--build") || use->command->assignments)
        return;
    if (checkout)
        lint_add_use(lint, "RB031", use,
                     "after the checkout on line %d the image changes only if the compose file "
                     "names another",
                     checkout->line);
    if (pull)
        lint_add_use(lint, "RB032", use,
                     "the image pulled on line %d is not the one that the compose file names",
                     pull->line);
}

void lint_check_docker(struct lint *lint)
{
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_export(lint, use);
        check_moving_tag(lint, use);
        check_service_names(lint, use);
        check_restart(lint, use);
        check_up(lint, use);
    }
}
