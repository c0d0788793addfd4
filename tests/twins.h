/* twins: each rule of lint has its twin, a run in which the mistake bites. A shop is a small system
 * on which mistakes are made for real, with a table of them; each shop has a file of its own
 * (twins_NAME.c), and test_twins.c lists and runs them all. */
#ifndef REHEARSE_TESTS_TWINS_H
#define REHEARSE_TESTS_TWINS_H

#include <stddef.h>

struct twin {
    const char *rule;
    int line; /* of the mistake in the shell, from 1; lint and the run both speak there */
    const char *shell;
    /* The same without the mistake: there lint names the rule nowhere, and of what bit at that line
     * the run has nothing anywhere. */
    const char *mended;
    const char *why; /* how the real tool behaves */
};

struct twin_shop {
    const char *name;
    const char *folder; /* holds system.yaml and the drill, which runs playbook.md beside it */
    const char *drill;  /* "drill.yaml" */
    const struct twin *twins;
    size_t n;
    const char *right; /* shell of a rollback with nothing wrong about it */
};

extern const struct twin_shop twins_compose, twins_compose_again, twins_git, twins_git_hotfix,
    twins_git_migration, twins_stubs, twins_kubernetes_config, twins_kubernetes, twins_helm;

/* What checks before it claims. */
#define IS_HEALTHY                                                                                 \
    "timeout 300 bash -c 'until curl -sf --max-time 2 -o /dev/null "                               \
    "http://localhost:8080/health; do sleep 2; done'"
#define CLAIM " && echo 'Rollback completed'"

#endif
