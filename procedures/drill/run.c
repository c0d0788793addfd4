#include "procedures/drill/run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "procedures/drill/first_files.h"
#include "procedures/drill/impossible.h"
#include "procedures/drill/paste.h"
#include "procedures/sandbox/programs.h"
#include "procedures/supervisor/supervisor.h"
#include "sim/base/version.h"
#include "sim/base/xalloc.h"
#include "sim/world/world.h"

/* Everything one run owns. */
struct run {
    const struct drill *drill;
    const struct run_options *options;
    struct record *record;
    struct world *world;
    struct env env;
    struct first_files first; /* content of the sandbox until it is up */
    struct supervisor *supervisor;
    struct paste paste;
    int fakes_ready;
};

static bool stopped(const struct run *run)
{
    return run->options->stop && *run->options->stop;
}

/* ---- files of the sandbox, before and after it is up ---- */

static int files_write(void *ctx, const char *place, const char *path, const void *at, size_t len,
                       int mode, int64_t unix_ns)
{
    struct run *run = ctx;
    if (run->supervisor)
        return supervisor_write(run->supervisor, place, path, at, len, mode);
    return first_files_write(&run->first, place, path, at, len, mode, unix_ns);
}

static int files_append(void *ctx, const char *place, const char *path, const void *at, size_t len)
{
    struct run *run = ctx;
    if (run->supervisor)
        return supervisor_append(run->supervisor, place, path, at, len);
    return first_files_append(&run->first, place, path, at, len, env_unix_ns(&run->env));
}

static int files_load(void *ctx, const char *place, const char *path, struct buf *buf)
{
    struct run *run = ctx;
    if (run->supervisor)
        return supervisor_load(run->supervisor, place, path, buf);
    return first_files_load(&run->first, place, path, buf);
}

static int files_unlink(void *ctx, const char *place, const char *path)
{
    struct run *run = ctx;
    if (run->supervisor)
        return supervisor_unlink(run->supervisor, place, path);
    return first_files_unlink(&run->first, place, path);
}

static int files_mkdir(void *ctx, const char *place, const char *path)
{
    struct run *run = ctx;
    return run->supervisor ? supervisor_mkdir(run->supervisor, place, path) : 0;
}

static int files_list(void *ctx, const char *place, const char *path, struct buf *entries)
{
    struct run *run = ctx;
    return run->supervisor ? supervisor_list(run->supervisor, place, path, entries)
                           : first_files_list(&run->first, place, path, entries);
}

/* What belongs to the sandbox in every place, and not to anybody's image. */
static bool of_the_sandbox(const char *path)
{
    static const char *const paths[] = {"/bin",
                                        "/dev",
                                        "/lib",
                                        "/lib64",
                                        "/proc",
                                        "/sbin",
                                        "/usr",
                                        "/etc/group",
                                        "/etc/hostname",
                                        "/etc/hosts",
                                        "/etc/ld.so.cache",
                                        "/etc/mtab",
                                        "/etc/nsswitch.conf",
                                        "/etc/passwd",
                                        "/var/run",
                                        NULL};
    for (int i = 0; paths[i]; i++) {
        if (strcmp(paths[i], path) == 0)
            return true;
    }
    return false;
}

static void empty_folder(struct run *run, const char *place, const char *folder, int depth)
{
    struct buf entries;
    buf_init(&entries, 1 << 20);
    int code = supervisor_list(run->supervisor, place, folder[0] ? folder : "/", &entries);
    for (size_t at = 0; code == 0 && at < entries.len; at += strlen(entries.at + at) + 1) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries.at + at + 5);
        if (of_the_sandbox(path))
            continue;
        if (entries.at[at] == 'd' && depth < 64)
            empty_folder(run, place, path, depth + 1);
        if (entries.at[at] != 'd' || depth > 1) /* "/var/log" and the like stay */
            (void)supervisor_unlink(run->supervisor, place, path);
    }
    buf_release(&entries);
}

static int files_reset(void *ctx, const char *place, const char *like)
{
    struct run *run = ctx;
    if (!run->supervisor)
        return 0;
    empty_folder(run, place, "", 0);
    int code = 0;
    for (int i = 0; i < run->first.n && code == 0; i++) {
        const struct sandbox_file *file = &run->first.at[i];
        if (strcmp(file->place, like) != 0)
            continue;
        code = file->is_dir ? supervisor_mkdir(run->supervisor, place, file->path)
                            : supervisor_write(run->supervisor, place, file->path, file->content.at,
                                               file->content.len, file->mode);
    }
    return code;
}

static const struct env_files run_files = {files_write, files_append, files_load, files_unlink,
                                           files_mkdir, files_list,   files_reset};

/* ---- what the supervisor asks ---- */

static int64_t owner_now(void *ctx)
{
    return world_now(((struct run *)ctx)->world);
}

static int64_t owner_advance(void *ctx, int64_t to_ns)
{
    return world_advance(((struct run *)ctx)->world, to_ns);
}

static int64_t owner_next(void *ctx)
{
    return world_next(((struct run *)ctx)->world);
}

static bool owner_feed(void *ctx, bool executed, int exit_status, struct feed *ret)
{
    struct run *run = ctx;
    return !stopped(run) && paste_feed(&run->paste, executed, exit_status, ret);
}

static void owner_output(void *ctx, int fd, const void *at, size_t len)
{
    paste_output(&((struct run *)ctx)->paste, fd, at, len);
}

static bool owner_interrupt(void *ctx, const char *command, int64_t *ret_ask_ns)
{
    struct run *run = ctx;
    return paste_interrupt(&run->paste, command, ret_ask_ns);
}

static void owner_observe(void *ctx, const char *id, const char *evidence, const char *message)
{
    record_observe(((struct run *)ctx)->record, id, evidence, "%s", message);
}

static int owner_command(void *ctx, struct call *call)
{
    struct run *run = ctx;
    struct buf line;
    buf_init(&line, 4096);
    for (int i = 0; i < call->argc; i++)
        buf_printf(&line, "%s%s", i ? " " : "", call->argv[i]);
    char *text = arena_str(call->arena, buf_text(&line));
    buf_release(&line);
    record_event(run->record, EVENT_COMMAND, call->place[0] ? call->place : run->drill->hostname,
                 "%s", text);
    return paste_command(&run->paste, call, text);
}

/* ---- the phases of a run ---- */

static void note_versions(struct record *record)
{
    struct buf text;
    buf_init(&text, 4096);
    record_provenance(record, "rehearse", REHEARSE_VERSION);
    programs_versions(&text);
    if (text.len)
        record_provenance(record, "programs", text.at);
    buf_release(&text);
}

static void set_identity(struct run *run)
{
    const struct drill *drill = run->drill;
    struct record *record = run->record;
    struct arena *arena = &record->arena;
    const struct model *model = &drill->model;
    record->identity = (struct run_identity){
        .drill = arena_strdup(arena, drill->name),
        .title = arena_strdup(arena, drill->title),
        .system = arena_strdup(arena, drill->system_name),
        .playbook = arena_strdup(arena, drill->playbook_path),
        .section = arena_strdup(arena, drill->section),
        .tier = "none",
        .replay = run->options->replay
                      ? arena_strdup(arena, run->options->replay)
                      : arena_printf(arena, "rehearse run %s --seed %llu", drill->path,
                                     (unsigned long long)run->options->seed),
        .seed = run->options->seed,
        .start_unix_ns = drill->start_unix_ns,
        .horizon_ns = model->horizon_ns,
        .stable_window_ns = model->stable_window_ns,
        .indicator_target = model->indicator.target,
        .indicator_down_below = model->indicator.down_below,
    };
    declared_note(&drill->declared, record);
    for (int i = 0; i < drill->n_provenance; i++)
        record_provenance(record, drill->provenance[i].what, drill->provenance[i].value);
    note_versions(record);
    for (int i = 0; i < drill->lint.n_findings; i++) {
        const struct lint_finding *at = &drill->lint.findings[i];
        record_static_note(record, &(struct static_note){.rule = at->rule->id,
                                                         .title = at->rule->title,
                                                         .shows_as = at->rule->twins,
                                                         .file = at->file,
                                                         .line = at->line});
    }
    for (int i = 0; i < drill->procedure.n_notes; i++) {
        const struct procedure_note *note = &drill->procedure.notes[i];
        record_observe(record, note->id, "", "%s", note->message);
        record->observations[record->n_observations - 1].file =
            arena_strdup(arena, drill->playbook.file);
        record->observations[record->n_observations - 1].line = note->line;
    }
}

static int set_up_fakes(struct run *run, struct error *error)
{
    for (int i = 0; all_fakes[i]; i++) {
        const struct fake *fake = all_fakes[i];
        if (fake->setup &&
            fake->setup(&run->env, doc_get(run->drill->system_doc, fake->name), error) < 0)
            return ERROR_INPUT;
        run->fakes_ready = i + 1;
    }
    return 0;
}

/* All names under which the shim is placed: those of the fakes, then those of this run. */
static void list_commands(struct run *run, struct arena *arena, struct sandbox_spec *spec)
{
    int n = run->env.n_commands;
    for (int i = 0; all_fakes[i]; i++) {
        for (const char *const *name = all_fakes[i]->commands; *name; name++)
            n++;
    }
    const char **names = ARENA_ARRAY(arena, const char *, n + 1);
    const char **paths = ARENA_ARRAY(arena, const char *, n + 1);
    int n_names = 0, n_paths = 0;
    for (int i = 0; all_fakes[i]; i++) {
        for (const char *const *name = all_fakes[i]->commands; *name; name++)
            names[n_names++] = *name;
    }
    for (int i = 0; i < run->env.n_commands; i++) {
        const char *name = run->env.commands[i].name;
        if (name[0] == '/')
            paths[n_paths++] = name;
        else
            names[n_names++] = name;
    }
    spec->commands = names;
    spec->command_paths = paths;
}

static int open_sandbox(struct run *run, struct error *error)
{
    const struct drill *drill = run->drill;
    struct arena arena = {0};
    struct sandbox_spec spec = {
        .tier = run->options->tier,
        .hostname = drill->hostname,
        .cwd = drill->cwd,
        .envp = drill->envp,
        .files = run->first.at,
        .n_files = run->first.n,
        .places = run->env.places ? run->env.places : (const char *const[]){NULL},
        .programs = drill->programs,
        .limits = drill->limits,
        .start_unix_ns = drill->start_unix_ns,
        .seed = run->options->seed,
    };
    spec.limits.virtual_ns = world_horizon(run->world);
    list_commands(run, &arena, &spec);
    struct supervisor_owner owner = {
        .ctx = run,
        .now = owner_now,
        .advance = owner_advance,
        .next = owner_next,
        .feed = owner_feed,
        .command = owner_command,
        .output = owner_output,
        .observe = owner_observe,
        .interrupt = owner_interrupt,
        .stop = run->options->stop,
        .env = &run->env,
    };
    struct supervisor *supervisor = NULL;
    int code = supervisor_open(&spec, &owner, &supervisor, error);
    arena_release(&arena);
    if (code < 0)
        return code;
    run->supervisor = supervisor;
    run->record->identity.tier = tier_names[supervisor_tier(supervisor)];
    return 0;
}

/* Lets the world go on until `done` says so or until `limit_ns`; the world may stop early on the
 * way. */
static void advance_until(struct run *run, bool (*done)(const struct world *), int64_t limit_ns)
{
    while (world_now(run->world) < limit_ns && !stopped(run) && !(done && done(run->world))) {
        int64_t next_ns = done ? world_next(run->world) : limit_ns;
        world_advance(run->world, next_ns < limit_ns ? next_ns : limit_ns);
    }
}

/* The bad change as a shell script of the scenario: run in the sandbox by the same rules, with no
 * steps. */
static int run_change(struct run *run, const char *script, struct error *error)
{
    const struct drill *drill = run->drill;
    struct supervisor_result result;
    paste_script(&run->paste, script);
    int code = supervisor_run(run->supervisor, "change", &result, error);
    if (code < 0)
        return code;
    record_event(run->record, EVENT_CHANGE, drill->system_name,
                 "the change script ended with status %d", result.exit_status);
    if (result.end != END_PROCEDURE || result.exit_status != 0)
        record_observe(run->record, "change_failed", paste_script_output(&run->paste),
                       "the change script of %s did not succeed (status %d)", drill->path,
                       result.exit_status);
    return 0;
}

static int write_scripts(struct run *run, struct error *error)
{
    const struct procedure *procedure = &run->drill->procedure;
    for (int i = 0; i < procedure->n_scripts; i++) {
        const struct procedure_script *script = &procedure->scripts[i];
        int code = supervisor_write(run->supervisor, "", script->path, script->text.at,
                                    script->text.len, 0755);
        if (code < 0)
            return error_set(error, ERROR_INTERNAL, "cannot write %s into the sandbox: %s",
                             script->path, strerror(-code));
    }
    return 0;
}

static int run_procedure(struct run *run, struct error *error)
{
    static const char *const why[] = {
        [END_PROCEDURE] = "the shell ended before the procedure did",
        [END_HANG] = "a command waits for something that never comes",
        [END_LIMIT] = "a limit was reached",
        [END_HORIZON] = "the horizon was reached",
        [END_STOPPED] = "it was stopped from outside",
    };
    struct record *record = run->record;
    struct supervisor_result result;
    int code = write_scripts(run, error);
    if (code < 0)
        return code;
    paste_procedure(&run->paste);
    code = supervisor_run(run->supervisor, run->drill->playbook.file, &result, error);
    if (code < 0)
        return code;
    paste_end(&run->paste, result.exit_status);
    record->procedure_exit = result.exit_status;
    record->procedure_ended = result.end == END_PROCEDURE && run->paste.complete;
    if (!record->procedure_ended)
        record->stopped_by = run->paste.stopped_by ? run->paste.stopped_by : why[result.end];
    else if (result.exit_status == 0 && record->instants[T_CLAIM] == NEVER)
        record->instants[T_CLAIM] = record->now_ns;
    return 0;
}

static int play(struct run *run, struct error *error)
{
    const struct model *model = &run->drill->model;
    int code = 0;
    for (int i = 0; i < model->n_changes && code == 0; i++) {
        if (model->changes[i].run && !stopped(run)) {
            advance_until(run, NULL, model->changes[i].at_ns);
            code = run_change(run, model->changes[i].run, error);
        }
    }
    int64_t horizon_ns = world_horizon(run->world);
    if (code == 0)
        advance_until(run, world_decided, horizon_ns);
    if (code == 0 && world_decided(run->world) && !stopped(run))
        code = run_procedure(run, error);
    if (code == 0 && !run->options->guest)
        advance_until(run, world_over, horizon_ns);
    if (code == 0)
        impossible_observe(model, run->record);
    return code;
}

static void release(struct run *run)
{
    supervisor_close(run->supervisor);
    for (int i = run->fakes_ready - 1; i >= 0; i--) {
        if (all_fakes[i]->release)
            all_fakes[i]->release(&run->env);
    }
    world_free(run->world);
    free(run->env.slots);
    free(run->env.places);
    free(run->env.commands);
    free(run->env.mounts);
    arena_release(&run->env.arena);
    first_files_release(&run->first);
    paste_release(&run->paste);
}

int drill_run(const struct drill *drill, const struct run_options *options, struct record **ret,
              struct error *error)
{
    struct run run = {.drill = drill, .options = options, .record = record_new()};
    run.world = world_new(&drill->model, options->seed, run.record);
    run.env = (struct env){
        .world = run.world,
        .record = run.record,
        .start_unix_ns = drill->start_unix_ns,
        .files = &run_files,
        .files_ctx = &run,
    };
    set_identity(&run);
    paste_init(&run.paste, drill, run.record, &run.env);
    first_files_init(&run.first, drill);
    run.paste.guest = options->guest;
    int code = options->guest ? guest_find(options->guest, &run.paste, error) : 0;
    if (code == 0)
        code = set_up_fakes(&run, error);
    if (code == 0)
        first_files_lay(&run.first, drill);
    if (code == 0) {
        world_advance(
            run.world,
            0); /* what lies before the start, such as old backups, is among the first files */
        code = open_sandbox(&run, error);
    }
    if (code == 0)
        code = play(&run, error);
    if (code == 0)
        world_finish(run.world);
    if (code == 0 && stopped(&run))
        record_observe(run.record, "stopped", "",
                       "the run was stopped from outside: what follows is not measured");
    release(&run);
    if (code < 0) {
        record_free(run.record);
        return code;
    }
    *ret = run.record;
    return 0;
}
