#include "tests/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"

static const char *const also[] = {"docker", "git",   "sqlite",   "opa",  "hosts", "kubernetes",
                                   "helm",   "stubs", "commands", "host", "http",  NULL};

void machine_init(struct machine *m, const char *system, const char *drill,
                  const struct machine_file *files)
{
    struct doc *root = NULL, *drill_root = NULL;
    struct error error = {{0}};
    *m = (struct machine){0};
    model_defaults(&m->model);
    m->model.start_unix_ns = INT64_C(1736949600) * SECOND;
    const char *text = arena_printf(&m->arena, "format: rehearse.system/1\nname: test\n%s", system);
    int code = doc_read_text(&m->arena, "tests/system.yaml", str_of(text), &root, &error);
    if (!code)
        code = model_load_system(&m->arena, root, also, &m->model, &error);
    if (!code)
        code = doc_read_text(
            &m->arena, "tests/drill.yaml",
            str_of(
                drill
                    ? drill
                    : "start: 2025-01-15T14:00:00Z\nchange: {at: 30d, set: {nothing: happens}}\n"),
            &drill_root, &error);
    if (!code)
        code = model_load_scenario(&m->arena, drill_root, &m->model, &error);
    if (code)
        fail_msg("%s", error.text);
    m->record = record_new();
    m->world = world_new(&m->model, 1, m->record);
    double_init(&m->d, m->world, m->record);
    m->d.call.cwd = "/opt/shop";
    for (; files && files->path; files++)
        double_file(&m->d, "", files->path, files->content);
    for (int i = 0; all_fakes[i]; i++) {
        if (all_fakes[i]->setup &&
            all_fakes[i]->setup(&m->d.env, doc_get(root, all_fakes[i]->name), &error))
            fail_msg("%s: %s", all_fakes[i]->name, error.text);
    }
    world_advance(m->world, 0);
}

void machine_release(struct machine *m)
{
    int n = 0;
    while (all_fakes[n])
        n++;
    while (n-- > 0) {
        if (all_fakes[n]->release)
            all_fakes[n]->release(&m->d.env);
    }
    double_release(&m->d);
    world_free(m->world);
    record_free(m->record);
    arena_release(&m->arena);
}

void machine_advance(struct machine *m, int64_t to_ns)
{
    while (world_now(m->world) < to_ns)
        world_advance(m->world, to_ns);
}

static void check_status(struct machine *m, const char *command, int status)
{
    int got = double_run(&m->d, command);
    if (got != status)
        fail_msg("'%s': exit %d, not %d\nstdout: %s\nstderr: %s", command, got, status,
                 double_out(&m->d), double_err(&m->d));
}

void machine_expect(struct machine *m, const char *command, int status, const char *out,
                    const char *err)
{
    check_status(m, command, status);
    if (strcmp(double_out(&m->d), out) != 0 || strcmp(double_err(&m->d), err) != 0)
        fail_msg("'%s'\nstdout: %s\nwanted: %s\nstderr: %s\nwanted: %s", command, double_out(&m->d),
                 out, double_err(&m->d), err);
}

void machine_holds(struct machine *m, const char *command, int status, const char *in_out,
                   const char *in_err)
{
    check_status(m, command, status);
    if (in_out && !strstr(double_out(&m->d), in_out))
        fail_msg("'%s'\nstdout: %s\nmust hold: %s\nstderr: %s", command, double_out(&m->d), in_out,
                 double_err(&m->d));
    if (in_err && !strstr(double_err(&m->d), in_err))
        fail_msg("'%s'\nstderr: %s\nmust hold: %s\nstdout: %s", command, double_err(&m->d), in_err,
                 double_out(&m->d));
}
