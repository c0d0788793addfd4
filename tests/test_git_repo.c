/* The repositories of a system: real git must find nothing wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakes/docker.h"
#include "fakes/git_repo.h"
#include "tests/machine.h"

static const char system_text[] =
    "services:\n"
    "  api:\n"
    "    runs: {compose: docker-compose.yml, service: api}\n"
    "    versions: {v1: {}, v2: {errors: 40%}}\n"
    "good_state: {api: v1}\n"
    "traffic: {shoppers: {to: api, rate: 5/s}}\n"
    "git: {/opt/shop: {tags: {v1: data/releases/v1, v2: data/releases/v2}, protected: true}}\n"
    "docker: {compose: {folder: /opt/shop}}\n";

/* Writes the machine's files below a folder of the host. */
static void write_out(struct machine *m, const char *folder)
{
    for (int i = 0; i < m->d.n_files; i++) {
        const struct double_file *file = &m->d.files[i];
        if (file->place[0] || file->path[0] != '/')
            continue;
        char *path = arena_printf(&m->arena, "%s%s", folder, file->path);
        for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
             slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            mkdir(path, 0755);
            *slash = '/';
        }
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        fwrite(file->content.at, 1, file->content.len, out);
        fclose(out);
        chmod(path, (mode_t)file->mode);
    }
}

/* What a shell says, in the clone; its output must be as given. */
static void check(struct machine *m, const char *folder, const char *command, const char *want)
{
    char got[4096] = "";
    FILE *pipe =
        popen(arena_printf(&m->arena,
                           "cd %s/opt/shop && export HOME=%s GIT_CONFIG_NOSYSTEM=1 && git config "
                           "remote.origin.url %s/srv/git/shop.git && (%s) 2>&1",
                           folder, folder, folder, command),
              "r");
    assert_non_null(pipe);
    got[fread(got, 1, sizeof got - 1, pipe)] = '\0';
    pclose(pipe);
    if (strcmp(want, "*") != 0 && strcmp(got, want) != 0)
        fail_msg("%s\ngot:  %s\nwant: %s", command, got, want);
}

static void test_real_git(void **state)
{
    (void)state;
    if (system("git --version >/dev/null 2>&1")) {
        print_message("no git here\n");
        skip();
    }
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    char folder[] = "/tmp/rehearse-git-XXXXXX";
    assert_non_null(mkdtemp(folder));
    write_out(&m, folder);
    check(&m, folder, "git fsck --strict --no-dangling", "");
    check(&m, folder, "git status --porcelain", "");
    check(&m, folder, "git describe --tags", "v1\n");
    check(&m, folder, "git log --format='%s %an' main",
          "Release v2 Release Engineering\nRelease v1 Release Engineering\n");
    check(&m, folder,
          "git fetch origin && git checkout -q tags/v2 && cat VERSION new.txt && git status "
          "--porcelain",
          "v2\nnew\n");
    check(&m, folder,
          "git checkout -q tags/v1 && cat VERSION && ls && test -x scripts/deploy.sh && echo can "
          "be run",
          "v1\nVERSION\ndocker-compose.yml\nscripts\ncan be run\n");
    check(&m, folder,
          "git checkout -q main && git commit -qm fix --allow-empty && git push -q origin main && "
          "echo pushed",
          "pushed\n");
    check(&m, folder,
          "git reset -q --hard HEAD~1 && git push -q --force origin main 2>&1 | sed -n 's/^remote: "
          "*//p' | sed 's/ *$//;1q'",
          "Protected branch: you are not allowed to force push to main\n");
    check(&m, folder, arena_printf(&m.arena, "rm -rf %s", folder), "*");
    machine_release(&m);
}

static void test_same_every_time(void **state)
{
    (void)state;
    struct machine a, b;
    machine_init(&a, system_text, NULL, NULL);
    machine_init(&b, system_text, NULL, NULL);
    assert_int_equal(a.d.n_files, b.d.n_files);
    for (int i = 0; i < a.d.n_files; i++) {
        assert_string_equal(a.d.files[i].path, b.d.files[i].path);
        assert_int_equal(a.d.files[i].content.len, b.d.files[i].content.len);
        if (a.d.files[i].content.len)
            assert_memory_equal(a.d.files[i].content.at, b.d.files[i].content.at,
                                a.d.files[i].content.len);
    }
    machine_release(&a);
    machine_release(&b);
}

/* A deployment by the world leaves the working copy on the new tag, and containers made from its
 * file. */
/* git writes a branch that moves as a file of its own. */
static void test_a_branch_that_comes_back(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text, NULL, NULL);
    struct record *record = m.d.env.record;
    const char *packed = double_content(&m.d, "", "/opt/shop/.git/packed-refs");
    const char *newest = strstr(packed, " refs/heads/main") - 40;
    const char *oldest = strstr(packed, " refs/tags/v1") - 40;
    const struct {
        const char *command, *tip;
        int n_observed;
    } steps[] = {
        {"git status", NULL, 0},
        {"git reset --hard v1", oldest, 0},
        {"docker compose build", oldest, 0},
        {"git pull", newest, 1},
        {"git status", newest, 1},
    };
    git_repo_look(&m.d.env);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct step *step = record_step_begin(record, "playbook.md", 10 + (int)i, steps[i].command);
        if (steps[i].tip)
            double_file(&m.d, "", "/opt/shop/.git/refs/heads/main",
                        arena_printf(&m.arena, "%.40s\n", steps[i].tip));
        git_repo_look(&m.d.env);
        record_step_end(record, step, 0);
        assert_int_equal(record->n_observations, steps[i].n_observed);
    }
    assert_string_equal(record->observations[0].id, "no_op");
    assert_int_equal(record->observations[0].step, 4);
    assert_string_equal(record->observations[0].message,
                        "branch main of /opt/shop is where it was before line 11 ('git reset "
                        "--hard v1') took it back");
    machine_release(&m);
}

static void test_deployed(void **state)
{
    (void)state;
    struct machine m;
    machine_init(&m, system_text,
                 "start: 2025-01-15T14:00:00Z\nchange: {at: 10m, deploy: {api: v2}}\n", NULL);
    assert_string_equal(git_repo_version(&m.d.call, "."), "v1");
    machine_holds(&m, "docker ps --format '{{.Names}} {{.Image}}'", 0, "shop_api_1 shop/api:v1\n",
                  NULL);
    machine_advance(&m, 11 * MINUTE);
    assert_string_equal(double_content(&m.d, "", "/opt/shop/VERSION"), "v2\n");
    assert_non_null(double_content(&m.d, "", "/opt/shop/new.txt"));
    machine_holds(&m, "docker ps --format '{{.Names}} {{.Image}}'", 0, "shop_api_1 shop/api:v2\n",
                  NULL);
    machine_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_git),
        cmocka_unit_test(test_same_every_time),
        cmocka_unit_test(test_deployed),
        cmocka_unit_test(test_a_branch_that_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
