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

const char *init_version_file(const struct writer *writer, const struct fact_service *service)
{
    for (int i = 0; service->unit && i < writer->facts.n_files; i++) {
        const struct fact_file *file = &writer->facts.files[i];
        const char *name = file->to ? strrchr(file->to, '/') : NULL;
        if (name && !strcmp(name + 1, service->name))
            return file->to;
    }
    return NULL;
}

/* What the playbook copies from: for the file of a unit, the old version; else something to copy.
 */
static void write_copied(struct writer *writer)
{
    struct buf out;
    int n = 0;
    for (int i = 0; i < writer->facts.n_files; i++) {
        const struct fact_file *file = &writer->facts.files[i];
        const char *version = NULL;
        if (!file->path)
            continue;
        for (int k = 0; k < writer->facts.n_services; k++) {
            const char *of = init_version_file(writer, &writer->facts.services[k]);
            if (of && file->to && !strcmp(of, file->to))
                version = init_version(writer, &writer->facts.services[k]);
            if (of && !strcmp(of, file->path))
                version = ""; /* written when the run begins */
        }
        if (version && !*version)
            continue;
        buf_init(&out, FILE_MAX);
        if (version)
            buf_printf(&out, "%s\n", version);
        else
            buf_printf(&out, "made up by rehearse init: the playbook copies this on line %d\n",
                       file->line);
        init_add_file(writer, arena_printf(writer->arena, "host%s", file->path), &out,
                      version ? 0755 : 0644);
        n++;
    }
    if (n)
        init_add_todo(writer, "host/: %d file%s that the playbook copies from %s made up", n,
                      n == 1 ? "" : "s", n == 1 ? "is" : "are");
}

/* The playbook may show the script itself, in a block that says its name in a comment. */
static const struct block *shown_script(const struct writer *writer, const char *name)
{
    const char *slash = strrchr(name, '/');
    for (int i = 0; slash && i < writer->facts.lint.n_blocks; i++) {
        const struct lint_block *block = &writer->facts.lint.blocks[i];
        for (int k = 0; block->is_script && k < block->script.n_comments && k < 4; k++)
            if (str_is(block->script.comments[k].text, slash + 1))
                return block->block;
    }
    return NULL;
}

static void write_stubs(struct writer *writer)
{
    int n = 0;
    struct buf out;
    for (int i = 0; i < writer->facts.n_commands; i++) {
        const struct fact_command *command = &writer->facts.commands[i];
        const char *path = stub_path(writer, command);
        const struct block *shown = path ? shown_script(writer, command->name) : NULL;
        if (!path)
            continue;
        buf_init(&out, FILE_MAX);
        if (shown) {
            buf_add(&out, shown->text.at, shown->text.len);
            init_add_file(writer, path, &out, 0755);
            continue;
        }
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

/* A document whose blocks all name no language: those that look like commands are taken for some.
 */
static bool take_untagged(struct arena *arena, struct playbook *playbook)
{
    struct block *blocks = ARENA_ARRAY(arena, struct block, playbook->n_blocks + 1);
    int n = 0;
    for (int i = 0; i < playbook->n_blocks; i++) {
        blocks[i] = playbook->blocks[i];
        if (blocks[i].kind != BLOCK_UNTAGGED || !block_looks_like_shell(arena, &blocks[i]))
            continue;
        blocks[i].kind = BLOCK_SHELL;
        n++;
    }
    playbook->blocks = blocks;
    return n > 0;
}

int init_from_playbook(struct arena *arena, const struct playbook *playbook,
                       const struct init_options *options, struct init_result *ret,
                       struct error *error)
{
    struct init_result result = {.name = slug(arena, playbook->file)};
    struct playbook own = *playbook;
    struct writer writer = {.arena = arena,
                            .facts = {.arena = arena, .playbook = &own},
                            .options = options,
                            .result = &result};
    int r;
    facts_from_commands(&writer.facts);
    if (!writer.facts.lint.n_uses && take_untagged(arena, &own)) {
        facts_release(&writer.facts);
        writer.facts = (struct facts){.arena = arena, .playbook = &own};
        facts_from_commands(&writer.facts);
    }
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
    write_copied(&writer);
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
