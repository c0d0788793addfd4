/* The templates that teams copy: their commands exist and take these options, and the hook stops
 * what it must. */
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
    static const char *const files[] = {"github-workflow.yml", "gitlab-ci.yml", "pre-commit",
                                        "pre-commit-hooks.yaml"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int status =
            shell("grep -oE '(rehearse|\\$\\{REHEARSE:-rehearse\\}\")  *(check|lint)[^|]*' "
                  "ci/templates/%s | while read -r _ verb words; do "
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
    static const char *const files[] = {"ci/templates/github-workflow.yml",
                                        "ci/templates/gitlab-ci.yml",
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
    assert_int_equal(shell("cd %s && %s init -q . 2>&1 && cat > .git/hooks/pre-commit < "
                           "\"$OLDPWD\"/ci/templates/pre-commit && "
                           "chmod +x .git/hooks/pre-commit",
                           workspace.path, git),
                     0);
    /* the drill comes out as it expects */
    int status = shell("cd %s && %s add -A && REHEARSE=%s %s commit -q -m first 2>&1",
                       workspace.path, git, program(), git);
    if (status)
        fail_msg("exit %d: %s", status, output);
    /* a drill that expects the other thing is stopped, but only once it is staged */
    workspace_replace(&workspace, "lies.yaml", "verdict: fail", "verdict: pass");
    workspace_write(&workspace, "notes.txt", "nothing to do with playbooks");
    assert_int_equal(shell("cd %s && %s add notes.txt && REHEARSE=%s %s commit -q -m notes 2>&1",
                           workspace.path, git, program(), git),
                     0);
    assert_int_not_equal(shell("cd %s && %s add -A && REHEARSE=%s %s commit -q -m worse 2>&1",
                               workspace.path, git, program(), git),
                         0);
    assert_non_null(strstr(output, "verdict is fail, expected pass"));
    workspace_release(&workspace);
}

/* The shell of the jobs behind the build, as their runner gives it to bash, in a repository of
 * playbooks and drills: it passes, leaves what the next steps upload, and fails when a playbook
 * gets worse. */
static void the_jobs_do_what_they_say(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    static const struct {
        const char *file, *first, *last,
            *indent; /* its commands stand from after a line with `first` up to one with `last` */
        const char *files;
    } jobs[] = {
        {"github-workflow.yml", "name: Lint the playbooks", "name: Keep the reports", "          ",
         "lint.sarif findings.sarif junit.xml index.html .gitignore"},
        {"gitlab-ci.yml", "^  script:", "^  artifacts:", "    - ",
         "metrics.txt junit.xml index.html .gitignore"},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        struct workspace workspace;
        workspace_init(&workspace, "tests/data/check");
        char prepare[512];
        snprintf(prepare, sizeof prepare,
                 "export PATH=%.*s:$PATH PLAYBOOKS='docs/*.md' DRILLS=drills; awk '/%s/ {on = 1} "
                 "/%s/ {on = 0} on && sub(/^%s/, \"\")' "
                 "ci/templates/%s >%s/job",
                 (int)(strrchr(program(), '/') - program()), program(), jobs[i].first, jobs[i].last,
                 jobs[i].indent, jobs[i].file, workspace.path);
        int status = shell("%s; cd %s && mkdir drills docs && mv *.yaml playbook.md drills && cp "
                           "drills/playbook.md docs && "
                           "grep -c rehearse job >/dev/null && bash -e job 2>&1",
                           prepare, workspace.path);
        if (status)
            fail_msg("%s: exit %d: %s", jobs[i].file, status, output);
        assert_int_equal(shell("cd %s/rehearse-out && ls %s shop/lies/report.html 2>&1",
                               workspace.path, jobs[i].files),
                         0);
        assert_int_equal(shell("%s; cd %s && rehearse check drills --history none --write-baseline "
                               "drills/baseline.json && bash -e job",
                               prepare, workspace.path),
                         0);
        workspace_replace(&workspace, "drills/playbook.md", "sleep 60", "sleep 60\ncat /nowhere");
        assert_int_equal(shell("%s; cd %s && bash -e job", prepare, workspace.path), 1);
        assert_non_null(strstr(output, "worse: 1 new finding"));
        workspace_release(&workspace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(their_options_exist),
        cmocka_unit_test(they_are_yaml),
        cmocka_unit_test(the_hook_rehearses_what_is_staged),
        cmocka_unit_test(the_jobs_do_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
