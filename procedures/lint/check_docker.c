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

/* The tag of an image ("registry:5000/api:v1"), "" if it has none, NULL if it is named by digest or
 * unknown. */
static const char *tag_of(const char *image)
{
    const char *slash = strrchr(image, '/'), *colon = strchr(slash ? slash : image, ':');
    if (strpbrk(image, "@$<{[`"))
        return NULL;
    return colon ? colon + 1 : "";
}

/* Tags that name whatever somebody pushed last. */
static bool tag_moves(const char *tag)
{
    static const char *const tags[] = {"",     "latest",  "main",       "master", "develop",
                                       "dev",  "stable",  "production", "prod",   "staging",
                                       "edge", "nightly", NULL};
    for (int i = 0; tag && tags[i]; i++)
        if (!strcmp(tag, tags[i]))
            return true;
    return false;
}

/* The image that `docker run` starts: the first word that is no option, nor an option's value. */
static const char *image_of(const struct use *use)
{
    if (use_is(use, "docker", "pull", NULL))
        return use->n_operands > 1 ? use->operands[1] : NULL;
    for (int i = 1; i < use->n_operands;
         i++) /* what options take is not all known: ask for a tag */
        if (strchr(use->operands[i], ':') && !strchr(use->operands[i], '='))
            return use->operands[i];
    return NULL;
}

static void check_moving_tag(struct lint *lint, const struct use *use)
{
    const char *image = NULL;
    if (use_is(use, "kubectl", "set", "image")) {
        for (int i = 2; i < use->n_operands && !image; i++) {
            const char *equal = strchr(use->operands[i], '=');
            if (equal && tag_of(equal + 1) && tag_moves(tag_of(equal + 1)))
                image = use->operands[i];
        }
    } else if (use_is(use, "docker", "pull", NULL) || use_is(use, "docker", "run", NULL)) {
        image = image_of(use);
        if (image && (!tag_of(image) || !tag_moves(tag_of(image))))
            image = NULL;
    } else if (use_is(use, "docker", "tag", NULL) && use->n_operands > 2 &&
               tag_of(use->operands[2]) && !strcmp(tag_of(use->operands[2]), "latest")) {
        lint_add_use(lint, "RB013", use, "'%s' now means another image on this host alone",
                     use->operands[2]);
    }
    if (image)
        lint_add_use(lint, "RB013", use, "'%s' is whatever was pushed last", image);
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

/* Does it change what a container is made from: its image, its settings, the compose file? Config
 * files that are mounted are read by a restart, and are not meant. */
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

/* Does it say which version the next `up` starts? */
static bool settles_version(const struct use *use)
{
    return use_is(use, "docker", "tag", NULL) || use_is(use, "compose", "build", NULL) ||
           use_is(use, "compose", "pull", NULL) || use_is(use, "docker", "build", NULL) ||
           !strcmp(use->name, "sed") || use_mentions(use, ".env") || !strcmp(use->name, "export");
}

/* What was done to versions before this `up`, in the same procedure. */
static void check_up(struct lint *lint, const struct use *use)
{
    const struct use *checkout = NULL, *pull = NULL, *down = NULL;
    bool settled = use_has(use, "--build") || use->command->assignments;
    if (!use_is(use, "compose", "up", NULL))
        return;
    for (const struct use *at = use - 1; at >= lint->uses && same_scope(lint, use, at); at--) {
        settled |= settles_version(at);
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
    if (settled)
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

/* git reset --hard HEAD~1; git pull: the second undoes the first. */
static void check_pull_back(struct lint *lint, const struct use *use)
{
    if (!use_is(use, "git", "pull", NULL))
        return;
    for (const struct use *at = use - 1; at >= lint->uses; at--)
        if (same_scope(lint, use, at) && use_is(at, "git", "reset", NULL) &&
            use_has(at, "--hard") && !use_mentions(at, "origin/")) {
            lint_add_use(lint, "RB048", use, "it fetches again what line %d went back from",
                         at->line);
            return;
        }
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
        check_pull_back(lint, use);
    }
}
