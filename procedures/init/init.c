/* Writing the first system and drill from the facts. */
#include "procedures/init/init.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "procedures/init/writer.h"
#include "procedures/playbook/placeholder.h"
#include "sim/base/buf.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

/* ---- small things ---- */

void init_add_file(struct writer *writer, const char *path, struct buf *content, int mode)
{
    struct init_result *result = writer->result;
    XGROW(result->files, result->n_files, writer->cap_files);
    result->files[result->n_files++] = (struct init_file){
        .path = path,
        .content = {arena_str(writer->arena, buf_text(content)), content->len},
        .mode = mode,
    };
    buf_release(content);
}

void init_add_todo(struct writer *writer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    XGROW(writer->result->todo, writer->n_todo + 1, writer->cap_todo);
    writer->result->todo[writer->n_todo++] = arena_vprintf(writer->arena, format, args);
    writer->result->todo[writer->n_todo] = NULL;
    va_end(args);
}

/* A scalar that reads back as this text: plain where that is safe. */
void init_add_scalar(struct buf *out, const char *text)
{
    bool plain = isalpha((unsigned char)*text) || *text == '/';
    for (const char *at = text; *at; at++)
        plain &= isalnum((unsigned char)*at) || strchr("_./-", *at);
    if (plain && strcasecmp(text, "true") && strcasecmp(text, "false") &&
        strcasecmp(text, "null")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (const char *at = text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *at == '\n' ? ' ' : *at);
    }
    buf_putc(out, '"');
}

/* "Rollback Plan.md" becomes "rollback-plan". */
static const char *slug(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strcspn(name, ".");
    char *text = arena_str(arena, (struct str){name, len});
    for (char *at = text; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at) : '-';
    return *text ? text : "system";
}

/* ---- files of the operator's machine ---- */

static const char *stub_path(struct writer *writer, const struct fact_command *command)
{
    const char *name = command->name;
    if (!command->is_path)
        return NULL; /* declared in system.yaml */
    while (!strncmp(name, "./", 2))
        name += 2;
    if (!strncmp(name, "../", 3) || strstr(name, "/../"))
        return NULL;
    return *name == '/' ? arena_printf(writer->arena, "host%s", name)
                        : arena_printf(writer->arena, "%s/%s", writer->content, name);
}

static void write_stubs(struct writer *writer)
{
    int n = 0;
    struct buf out;
    for (int i = 0; i < writer->facts.n_commands; i++) {
        const struct fact_command *command = &writer->facts.commands[i];
        const char *path = stub_path(writer, command);
        if (!path)
            continue;
        buf_init(&out, FILE_MAX);
        buf_printf(&out,
                   "#!/bin/bash\n"
                   "# Stands for %s, which the playbook calls on line %d%s. As it is, it does "
                   "nothing and succeeds.\n"
                   "# Put the real one here, or say what it does in ordinary shell, with the other "
                   "commands of the\n"
                   "# playbook and `world`: fakes/YOUR-OWN-COMMANDS.md.\n"
                   "echo \"%s $*: only a stub, see %s\" >&2\n",
                   command->name, command->line, command->uses > 1 ? " and others" : "",
                   command->name, path);
        init_add_file(writer, path, &out, 0755);
        n++;
    }
    if (n)
        init_add_todo(writer, "%s: %d script%s of the project %s does nothing; put your own there",
                      writer->content, n, n == 1 ? "" : "s",
                      n == 1 ? "is made up and" : "are made up; each");
    buf_init(&out, FILE_MAX);
    buf_printf(&out,
               "What lies below this folder is on the operator's machine in the rehearsal, at the "
               "same place:\n"
               "host/etc/x is /etc/x. Put here what the playbook finds there: compose files, "
               "scripts, configuration.\n"
               "The operator begins in %s%s.\n",
               writer->cwd, writer->git ? ", a git working copy: its files are in repo/" : "");
    init_add_file(writer,
                  writer->git ? "host/root/ABOUT.txt"
                              : arena_printf(writer->arena, "host%s/ABOUT.txt", writer->cwd),
                  &out, 0644);
}

/* ---- the whole ---- */

/* "v1.2.2" becomes "v1.2.3". */
static const char *next_version(struct arena *arena, const char *version)
{
    size_t len = strlen(version), start = len;
    int64_t last = 0;
    while (start && isdigit((unsigned char)version[start - 1]))
        start--;
    if (start == len || !str_int64((struct str){version + start, len - start}, &last))
        return arena_printf(arena, "%s-next", version);
    return arena_printf(arena, "%.*s%lld", (int)start, version, (long long)last + 1);
}

static void choose_versions(struct writer *writer)
{
    writer->good = writer->front->version       ? writer->front->version
                   : writer->facts.good_version ? writer->facts.good_version
                                                : "v1";
    writer->bad = writer->facts.bad_version && strcmp(writer->facts.bad_version, writer->good)
                      ? writer->facts.bad_version
                      : next_version(writer->arena, writer->good);
}

static int choose_section(struct writer *writer, struct error *error)
{
    int end;
    if (writer->options->section)
        return playbook_section(writer->facts.playbook, writer->options->section, &writer->heading,
                                &end, error);
    writer->heading = init_busiest_heading(&writer->facts);
    return 0;
}

int init_from_playbook(struct arena *arena, const struct playbook *playbook,
                       const struct init_options *options, struct init_result *ret,
                       struct error *error)
{
    struct init_result result = {.name = slug(arena, playbook->file)};
    struct writer writer = {.arena = arena,
                            .facts = {.arena = arena, .playbook = playbook},
                            .options = options,
                            .result = &result};
    int r;
    facts_from_commands(&writer.facts);
    facts_from_prose(&writer.facts);
    if (!writer.facts.lint.n_uses) {
        r = error_set(error, ERROR_INPUT, "%s: no commands in it; shell blocks begin with ```bash",
                      playbook->file);
        goto out;
    }
    if ((r = init_take_compose(&writer, error)) < 0 ||
        (r = init_take_kubernetes(&writer, error)) < 0 || (r = choose_section(&writer, error)) < 0)
        goto out;
    facts_front(&writer.facts); /* may add one: pointers into the list only after it */
    writer.front = facts_front(&writer.facts);
    writer.store = facts_store(&writer.facts);
    writer.cwd = writer.facts.cwd ? writer.facts.cwd : arena_printf(arena, "/opt/%s", result.name);
    choose_versions(&writer);
    init_choose_platform(&writer);
    result.todo = xcalloc(1, sizeof *result.todo);
    writer.cap_todo = 1;
    init_write_system(&writer);
    init_write_drill(&writer);
    write_stubs(&writer);
    init_write_compose(&writer);
    ret->name = result.name;
    ret->n_files = result.n_files;
    ret->files = ARENA_ARRAY(arena, struct init_file, result.n_files);
    memcpy(ret->files, result.files, sizeof *ret->files * (size_t)result.n_files);
    ret->todo = ARENA_ARRAY(arena, const char *, writer.n_todo + 1);
    for (int i = 0; i < writer.n_todo; i++)
        ret->todo[i] = result.todo[i];
out:
    free(result.files);
    free((void *)(uintptr_t)result.todo);
    facts_release(&writer.facts);
    return r;
}
