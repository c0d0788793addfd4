/* Scripts that a procedure brings along: laid over the hosts' files and over what fakes made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "procedures/drill/first_files.h"
#include "tests/workspace.h"

static void make_folder(struct workspace *workspace, const char *name)
{
    assert_int_equal(mkdir(workspace_path(workspace, name), 0755), 0);
}

static void write_drill(struct workspace *workspace)
{
    make_folder(workspace, "host");
    make_folder(workspace, "mine");
    workspace_write(workspace, "host/a.sh", "host a\n");
    workspace_write(workspace, "host/b.sh", "host b\n");
    workspace_write(workspace, "mine/b.sh", "mine b\n");
    workspace_write(workspace, "mine/c.sh", "mine c\n");
    workspace_write(workspace, "playbook.md", "# Do it\n\n```bash\ntrue\n```\n");
    workspace_write(workspace, "system.yaml",
                    "format: rehearse.system/1\nname: small\nservices: {web: {}}\nhosts: {ops: "
                    "{files: host}}\n");
    workspace_write(
        workspace, "drill.yaml",
        "format: rehearse.drill/1\nsystem: system.yaml\nstart: 2025-01-15T14:25:00Z\ncwd: /\n"
        "change: {at: 1m, set: {x: y}}\nprocedure: {playbook: playbook.md, section: Do it, files: "
        "mine}\n");
}

static void holds(const struct first_files *files, const char *path, const char *text)
{
    struct buf content;
    buf_init(&content, 4096);
    int code = first_files_load(files, "", path, &content);
    if (text) {
        assert_int_equal(code, 0);
        assert_string_equal(content.at, text);
    } else {
        assert_true(code < 0);
    }
    buf_release(&content);
}

static void the_procedures_files_win(void **state)
{
    (void)state;
    struct workspace workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    struct first_files files;
    workspace_init(&workspace, "tests/data");
    write_drill(&workspace);
    if (drill_load(workspace_path(&workspace, "drill.yaml"), NULL, &drill, &error) < 0)
        fail_msg("%s", error.text);
    first_files_init(&files, drill);
    holds(&files, "/a.sh", "host a\n");
    holds(&files, "/b.sh", "host b\n");
    holds(&files, "/c.sh", NULL);
    first_files_write(&files, "", "/c.sh", "of a fake\n", 10, 0644, 0);
    first_files_lay(&files, drill);
    holds(&files, "/a.sh", "host a\n");
    holds(&files, "/b.sh", "mine b\n");
    holds(&files, "/c.sh", "mine c\n");
    first_files_release(&files);
    drill_free(drill);
    workspace_release(&workspace);
}

/* A host may have several folders; a drill's variant can lay one over the others. */
static void folders_of_a_host_lie_over_each_other(void **state)
{
    (void)state;
    struct workspace workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    struct first_files files;
    workspace_init(&workspace, "tests/data");
    write_drill(&workspace);
    make_folder(&workspace, "other");
    workspace_write(&workspace, "other/a.sh", "other a\n");
    workspace_write(
        &workspace, "drill.yaml",
        "format: rehearse.drill/1\nsystem: system.yaml\nstart: 2025-01-15T14:25:00Z\ncwd: /\n"
        "suppose: {hosts: {ops: {files: [host, other]}}}\n"
        "change: {at: 1m, set: {x: y}}\nprocedure: {playbook: playbook.md, section: Do it}\n");
    if (drill_load(workspace_path(&workspace, "drill.yaml"), NULL, &drill, &error) < 0)
        fail_msg("%s", error.text);
    first_files_init(&files, drill);
    holds(&files, "/a.sh", "other a\n");
    holds(&files, "/b.sh", "host b\n");
    first_files_release(&files);
    drill_free(drill);
    workspace_release(&workspace);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct workspace workspace;
    struct error error = {""};
    struct drill *drill = NULL;
    workspace_init(&workspace, "tests/data");
    write_drill(&workspace);
    workspace_replace(&workspace, "drill.yaml", "files: mine", "files: yours");
    assert_int_equal(drill_load(workspace_path(&workspace, "drill.yaml"), NULL, &drill, &error),
                     ERROR_INPUT);
    assert_non_null(strstr(error.text, "drill.yaml:6"));
    assert_non_null(strstr(error.text, "yours"));
    workspace_release(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_procedures_files_win),
        cmocka_unit_test(folders_of_a_host_lie_over_each_other),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("procedure files", tests, NULL, NULL);
}
