/* Picking what is run out of a playbook. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/playbook/internal.h"
#include "procedures/shell/shell.h"
#include "sim/base/doc.h"
#include "sim/base/xalloc.h"

/* Silent reading of English non-fiction by adults: Brysbaert 2019, Journal of Memory and Language
 * 109. */
enum { WORDS_READ_PER_MINUTE = 238 };

struct picker {
    struct arena *arena;
    const struct playbook *playbook;
    const struct procedure_options *options;
    struct procedure procedure;
    struct note_list notes;
    int cap_lines, cap_scripts;
    int64_t words; /* read since the last line */
    bool *dropped_headings;
};

void add_note(struct note_list *notes, const char *id, int line, const char *format, ...)
{
    va_list args;
    XGROW(notes->at, notes->n, notes->cap);
    va_start(args, format);
    notes->at[notes->n++] = (struct procedure_note){
        .id = id, .line = line, .message = arena_vprintf(notes->arena, format, args)};
    va_end(args);
}

void note_list_release(struct note_list *notes)
{
    free(notes->at);
    *notes = (struct note_list){.arena = notes->arena};
}

static int64_t reading_ns(int64_t words)
{
    return words * MINUTE / WORDS_READ_PER_MINUTE;
}

static void add_line(struct picker *picker, int block, int line, struct str text, bool start,
                     enum block_kind kind)
{
    struct procedure *procedure = &picker->procedure;
    XGROW(procedure->lines, procedure->n_lines, picker->cap_lines);
    procedure->lines[procedure->n_lines++] = (struct procedure_line){
        .file = picker->playbook->file,
        .line = line,
        .text = text,
        .block = block,
        .block_start = start,
        .reading_ns = reading_ns(picker->words),
        .kind = kind,
    };
    picker->words = 0;
}

/* ---- headings that are alternatives ---- */

static bool same_name(const char *heading, const char *name)
{
    struct str a = str_trim(str_of(heading)), b = str_trim(str_of(name));
    return a.len == b.len && !strncasecmp(a.at, b.at, a.len);
}

static bool heading_is_chosen(const struct picker *picker, int heading)
{
    for (const char *const *at = picker->options->choose; at && *at; at++)
        if (same_name(picker->playbook->headings[heading].text, *at))
            return true;
    return false;
}

/* Has the drill chosen another heading of the same set of alternatives? */
static bool rival_is_chosen(const struct picker *picker, int heading)
{
    const struct heading *headings = picker->playbook->headings;
    int set = headings[heading].alternative_of >= 0 ? headings[heading].alternative_of : heading;
    for (int i = 0; i < picker->playbook->n_headings; i++)
        if (i != heading && (i == set || headings[i].alternative_of == set) &&
            heading_is_chosen(picker, i))
            return true;
    return false;
}

static bool heading_is_dropped(const struct picker *picker, int heading, int section)
{
    if (heading == section || picker->options->alternatives == ALTERNATIVES_ALL)
        return false; /* a person who names an alternative as the section wants it */
    if (picker->options->alternatives == ALTERNATIVES_CHOSEN) {
        if (heading_is_chosen(picker, heading))
            return false;
        if (rival_is_chosen(picker, heading))
            return true;
    }
    return picker->playbook->headings[heading].alternative_of >= 0;
}

static void drop_headings(struct picker *picker, int first, int end)
{
    const struct playbook *playbook = picker->playbook;
    picker->dropped_headings = ARENA_ARRAY(picker->arena, bool, playbook->n_headings + 1);
    for (int i = first; i < end; i++) {
        int stop = playbook_section_end(playbook, i);
        if (picker->dropped_headings[i] || !heading_is_dropped(picker, i, first))
            continue;
        for (int j = i; j < stop; j++)
            picker->dropped_headings[j] = true;
        add_note(&picker->notes, "alternatives", playbook->headings[i].line,
                 "not run, another way of these alternatives is: '%.120s'",
                 playbook->headings[i].text);
    }
}

/* ---- blocks ---- */

/* Transcripts show a prompt before what is typed, and answers on the other lines. */
static bool is_transcript(const struct block *block)
{
    return str_starts(str_trim(block->text), "$ ");
}

static void pick_shell(struct picker *picker, int index)
{
    const struct block *block = &picker->playbook->blocks[index];
    bool *keep = ARENA_ARRAY(picker->arena, bool, block->n_lines + 1);
    bool transcript = is_transcript(block), start = true, continued = false;
    struct str rest = block->text;
    choose_lines(block, picker->options, keep, &picker->notes);
    for (int i = 0; i < block->n_lines; i++) {
        struct str line = str_cut(&rest, '\n');
        if (transcript && !continued) {
            struct str typed = str_trim(line);
            if (!str_starts(typed, "$ "))
                continue;
            line = (struct str){typed.at + 2, typed.len - 2};
        }
        continued = str_ends(line, "\\");
        if (!keep[i])
            continue;
        add_line(picker, index, block->line + i, bind_text(picker->arena, line, picker->options),
                 start, BLOCK_SHELL);
        start = false;
    }
}

static void pick_sql(struct picker *picker, int index)
{
    const struct block *block = &picker->playbook->blocks[index];
    struct str rest = block->text;
    if (!picker->options->sql) {
        add_note(&picker->notes, "sql_skipped", block->line,
                 "this SQL was not run: the drill names no store for it");
        return;
    }
    for (int i = 0; i < block->n_lines; i++)
        add_line(picker, index, block->line + i,
                 bind_text(picker->arena, str_cut(&rest, '\n'), picker->options), i == 0,
                 BLOCK_SQL);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void pick_script(struct picker *picker, int index)
{
    const struct playbook *playbook = picker->playbook;
    const struct block *block = &playbook->blocks[index];
    struct procedure *procedure = &picker->procedure;
    bool whole_file = block->heading < 0 && playbook->n_blocks == 1 && block->line == 1;
    const char *path = whole_file
                           ? arena_printf(picker->arena, "/tmp/%s", base_name(playbook->file))
                           : arena_printf(picker->arena, "/tmp/block-%d.sh", block->line);
    const char *arguments = whole_file ? picker->options->arguments : NULL;
    XGROW(procedure->scripts, procedure->n_scripts, picker->cap_scripts);
    procedure->scripts[procedure->n_scripts++] = (struct procedure_script){
        .path = path,
        .text = bind_text(picker->arena, block->text, picker->options),
        .block = index,
        .line = block->line,
    };
    add_line(picker, index, block->line,
             str_of(arguments ? arena_printf(picker->arena, "%s %s", path, arguments) : path), true,
             BLOCK_SCRIPT);
}

static bool is_listed(const struct picker *picker, const struct block *block)
{
    for (const int *line = picker->options->untagged; line && *line; line++)
        if (*line >= block->line - 1 && *line <= block->line + block->n_lines)
            return true;
    return false;
}

bool block_looks_like_shell(struct arena *arena, const struct block *block)
{
    struct shell_script script;
    shell_parse(arena, block->text, 1, &script);
    if (script.n_mistakes || !script.commands->first)
        return false;
    for (const struct shell_command *at = script.commands->first; at; at = at->next) {
        const char *name = shell_value(at, 0);
        if (at->kind == SHELL_SIMPLE && name &&
            name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_./-")])
            return false;
    }
    return true;
}

static void pick_block(struct picker *picker, int index)
{
    const struct block *block = &picker->playbook->blocks[index];
    switch (block->kind) {
    case BLOCK_SHELL:
        pick_shell(picker, index);
        break;
    case BLOCK_SCRIPT:
        pick_script(picker, index);
        break;
    case BLOCK_SQL:
        pick_sql(picker, index);
        break;
    case BLOCK_UNTAGGED:
        if (is_listed(picker, block))
            pick_shell(picker, index);
        else if (block_looks_like_shell(picker->arena, block)) /* a letter or a log is no loss */
            add_note(&picker->notes, "untagged_skipped", block->line,
                     "this block names no language and was not run: the drill does not list it");
        break;
    case BLOCK_CHECKLIST:
    case BLOCK_PROSE:
        picker->words += block->words;
        break;
    case BLOCK_OTHER:
        break;
    }
}

/* ---- the whole ---- */

static void add_variables(struct picker *picker)
{
    struct procedure *procedure = &picker->procedure;
    procedure->variables =
        ARENA_ARRAY(picker->arena, struct procedure_variable, picker->options->n_bind + 1);
    for (int i = 0; i < picker->options->n_bind; i++) {
        const struct binding *bind = &picker->options->bind[i];
        struct str name = str_of(bind->from);
        if (!str_starts(name, "$"))
            continue;
        name = (struct str){name.at + 1, name.len - 1};
        if (str_starts(name, "{") && str_ends(name, "}"))
            name = (struct str){name.at + 1, name.len - 2};
        procedure->variables[procedure->n_variables++] = (struct procedure_variable){
            .name = arena_str(picker->arena, name), .value = arena_strdup(picker->arena, bind->to)};
    }
}

static int check_bindings(const struct procedure_options *options, struct error *error)
{
    for (int i = 0; i < options->n_bind; i++) {
        const struct binding *bind = &options->bind[i];
        if (!*bind->from)
            return error_set(error, ERROR_INPUT,
                             "a binding of nothing; write the placeholder as "
                             "it stands in the playbook");
        if (strpbrk(bind->to, "\n") || strchr(bind->from, '\n'))
            return error_set(error, ERROR_INPUT,
                             "the value bound to '%s' has more than one line; a placeholder stands "
                             "in one line",
                             bind->from);
    }
    return 0;
}

static void finish(struct picker *picker)
{
    struct procedure *procedure = &picker->procedure;
    struct procedure_line *lines =
        ARENA_ARRAY(picker->arena, struct procedure_line, procedure->n_lines + 1);
    struct procedure_script *scripts =
        ARENA_ARRAY(picker->arena, struct procedure_script, procedure->n_scripts + 1);
    procedure->notes = ARENA_ARRAY(picker->arena, struct procedure_note, picker->notes.n + 1);
    procedure->n_notes = picker->notes.n;
    procedure->reading_after_ns = reading_ns(picker->words);
    if (procedure->n_lines)
        memcpy(lines, procedure->lines, sizeof *lines * (size_t)procedure->n_lines);
    if (procedure->n_scripts)
        memcpy(scripts, procedure->scripts, sizeof *scripts * (size_t)procedure->n_scripts);
    if (picker->notes.n)
        memcpy(procedure->notes, picker->notes.at,
               sizeof *procedure->notes * (size_t)picker->notes.n);
    free(procedure->lines);
    free(procedure->scripts);
    note_list_release(&picker->notes);
    procedure->lines = lines;
    procedure->scripts = scripts;
}

static int find_range(const struct picker *picker, int *ret_first, int *ret_end,
                      struct error *error)
{
    const struct playbook *playbook = picker->playbook;
    const char *section = picker->options->section;
    if (!section || !*section) {
        *ret_first = -1;
        *ret_end = playbook->n_headings;
        return 0;
    }
    return playbook_section(playbook, section, ret_first, ret_end, error);
}

/* Comments say what to do; a shell does nothing with them. */
static bool has_commands(const struct procedure *procedure)
{
    for (int i = 0; i < procedure->n_lines; i++) {
        struct str text = str_trim(procedure->lines[i].text);
        const char *comment = procedure->lines[i].kind == BLOCK_SQL ? "--" : "#";
        if (text.len && !str_starts(text, comment))
            return true;
    }
    return false;
}

int procedure_pick(struct arena *arena, const struct playbook *playbook,
                   const struct procedure_options *options, struct procedure *ret,
                   struct error *error)
{
    struct picker picker = {.arena = arena, .playbook = playbook, .options = options};
    int first, end, r;
    if ((r = check_bindings(options, error)) || (r = find_range(&picker, &first, &end, error)))
        return r;
    picker.notes.arena = arena;
    picker.procedure.playbook = playbook;
    picker.procedure.section = options->section ? arena_strdup(arena, options->section) : "";
    drop_headings(&picker, first < 0 ? 0 : first, end);
    for (int i = 0; i < playbook->n_blocks; i++) {
        int heading = playbook->blocks[i].heading;
        if (heading >= first && heading < end && (heading < 0 || !picker.dropped_headings[heading]))
            pick_block(&picker, i);
    }
    if (!has_commands(&picker.procedure))
        add_note(&picker.notes, "no_commands", first < 0 ? 1 : playbook->headings[first].line,
                 "there is no command %s: nothing is run",
                 first < 0 ? "in the document" : "in this section");
    add_variables(&picker);
    r = refuse_unbound(arena, playbook, &picker.procedure, options, &picker.notes, error);
    finish(&picker);
    if (r)
        return r;
    *ret = picker.procedure;
    return 0;
}
