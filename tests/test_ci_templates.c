/* The templates that teams copy: their commands exist and take these options, and the hook stops what it must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sim/base/doc.h"
#include "tests/trial.h"
#include "tests/workspace.h"

static char output[16384];

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int shell(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static const char *program(void)
{
    static char path[512];
    const char *build = getenv("REHEARSE_BUILD");
    char *full = realpath(build ? build : "build", NULL);
    assert_non_null(full);
    snprintf(path, sizeof path, "%s/rehearse", full);
    free(full);
    return path;
}

/* Every option of every rehearse command in the templates is one that the command's help names. */
static void their_options_exist(void **state)
{
    (void)state;
    static const char *const files[] = {"github-workflow.yml", "gitlab-ci.yml", "pre-commit", "pre-commit-hooks.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int status = shell("grep -oE '(rehearse|\\$\\{REHEARSE:-rehearse\\}\")  *(check|lint)[^|]*' ci/templates/%s | while read -r _ verb words; do "
                           "for word in $words; do case $word in --*) %s help $verb | grep -qe \"$word\" || "
                           "{ echo \"$verb $word\"; exit 1; } ;; esac; done || exit 1; done",
                           files[i], program());
        if (status)
            fail_msg("%s: no such option: %s", files[i], output);
    }
}

static void they_are_yaml(void **state)
{
    (void)state;
    static const char *const files[] = {"ci/templates/github-workflow.yml", "ci/templates/gitlab-ci.yml",
                                        "ci/templates/pre-commit-hooks.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct arena arena = {0};
        struct error error = {""};
        struct doc *doc;
        if (doc_read_file(&arena, files[i], &doc, &error) != 0)
            fail_msg("%s", error.text);
        arena_release(&arena);
    }
}

static void the_hook_rehearses_what_is_staged(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    struct workspace workspace;
    workspace_init(&workspace, "tests/data/check");
    const char *git = "git -c user.name=t -c user.email=t@example.org -c init.defaultBranch=main";
    assert_int_equal(shell("cd %s && %s init -q . 2>&1 && cat > .git/hooks/pre-commit < \"$OLDPWD\"/ci/templates/pre-commit && "
                           "chmod +x .git/hooks/pre-commit",
                           workspace.path, git),
                     0);
    /* the drill comes out as it expects */
    int status = shell("cd %s && %s add -A && REHEARSE=%s %s commit -q -m first 2>&1", workspace.path, git, program(), git);
    if (status)
        fail_msg("exit %d: %s", status, output);
    /* a drill that expects the other thing is stopped, but only once it is staged */
    workspace_replace(&workspace, "lies.yaml", "verdict: fail", "verdict: pass");
    workspace_write(&workspace, "notes.txt", "nothing to do with playbooks");
    assert_int_equal(shell("cd %s && %s add notes.txt && REHEARSE=%s %s commit -q -m notes 2>&1", workspace.path, git, program(), git), 0);
    assert_int_not_equal(shell("cd %s && %s add -A && REHEARSE=%s %s commit -q -m worse 2>&1", workspace.path, git, program(), git), 0);
    assert_non_null(strstr(output, "verdict is fail, expected pass"));
    workspace_release(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(their_options_exist),
        cmocka_unit_test(they_are_yaml),
        cmocka_unit_test(the_hook_rehearses_what_is_staged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
