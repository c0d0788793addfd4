/* Binding placeholders, and refusing those that nobody bound. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/playbook/internal.h"
#include "procedures/playbook/placeholder.h"
#include "sim/base/buf.h"

enum { TEXT_MAX_BYTES = 16 << 20, LISTED_MAX = 5 };

/* A binding whose end is a letter or digit must end there in the text too: "TIMESTAMP" is not in
 * "$TIMESTAMP", "TIMESTAMPS" or "TIMESTAMP=". */
static bool binds_at(struct str text, size_t at, struct str from)
{
    size_t end = at + from.len;
    if (end > text.len || memcmp(text.at + at, from.at, from.len))
        return false;
    if (isalnum((unsigned char)*from.at) && at > 0 &&
        (isalnum((unsigned char)text.at[at - 1]) || strchr("${", text.at[at - 1])))
        return false;
    return !(isalnum((unsigned char)from.at[from.len - 1]) && end < text.len &&
             (isalnum((unsigned char)text.at[end]) || text.at[end] == '='));
}

/* The longest binding at this place: "YYYYMMDD-HHMMSS" before "YYYYMMDD". */
static const struct binding *binding_at(struct str text, size_t at,
                                        const struct procedure_options *options)
{
    const struct binding *best = NULL;
    for (int i = 0; i < options->n_bind; i++) {
        const struct binding *bind = &options->bind[i];
        if (*bind->from != '$' && (!best || strlen(bind->from) > strlen(best->from)) &&
            binds_at(text, at, str_of(bind->from)))
            best = bind;
    }
    return best;
}

struct str bind_text(struct arena *arena, struct str text, const struct procedure_options *options)
{
    struct buf out;
    struct str result;
    if (!options->n_bind)
        return text;
    buf_init(&out, TEXT_MAX_BYTES);
    for (size_t i = 0; i < text.len;) {
        const struct binding *bind = binding_at(text, i, options);
        if (bind)
            buf_puts(&out, bind->to);
        else
            buf_putc(&out, text.at[i]);
        i += bind ? strlen(bind->from) : 1;
    }
    result = (struct str){arena_str(arena, buf_text(&out)), out.len};
    buf_release(&out);
    return result;
}

/* ---- what is left unbound ---- */

struct check {
    struct arena *arena;
    const struct playbook *playbook;
    const struct procedure_options *options;
    struct note_list *notes;
    struct buf message;
    int n_unbound;
    int first_line;
};

/* "$X", "${X}" and a text bound to itself all count as bound. */
static bool is_bound(const struct check *check, const struct placeholder *placeholder)
{
    struct str name = {placeholder->text.at + 1, placeholder->text.len - 1};
    for (int i = 0; i < check->options->n_bind; i++) {
        struct str from = str_of(check->options->bind[i].from);
        if (str_eq(from, placeholder->text))
            return true;
        if (placeholder->is_variable && str_starts(from, "${") && from.len == name.len + 3 &&
            !memcmp(from.at + 2, name.at, name.len))
            return true;
    }
    for (const char *const *at = check->options->environment; placeholder->is_variable && at && *at;
         at++)
        if (str_is(name, *at))
            return true;
    return false;
}

/* A line of the playbook that sets the variable, outside what is run; 0 if there is none. */
static int set_elsewhere(const struct playbook *playbook, struct str name)
{
    for (int i = 0; i < playbook->n_blocks; i++) {
        const struct block *block = &playbook->blocks[i];
        struct str rest = block->text;
        if (block->kind != BLOCK_SHELL && block->kind != BLOCK_SCRIPT)
            continue;
        for (int line = block->line; rest.len; line++) {
            struct str text = str_trim(str_cut(&rest, '\n'));
            if (str_starts(text, "export "))
                text = str_trim((struct str){text.at + 7, text.len - 7});
            if (text.len > name.len && text.at[name.len] == '=' &&
                !memcmp(text.at, name.at, name.len))
                return line;
        }
    }
    return 0;
}

static void add_unbound(struct check *check, const struct placeholder *placeholder)
{
    struct str text = placeholder->text;
    if (check->n_unbound++ == 0) {
        buf_printf(&check->message, "%s:%d: ", check->playbook->file, placeholder->line);
        if (placeholder->is_variable) {
            int line = set_elsewhere(check->playbook, (struct str){text.at + 1, text.len - 1});
            buf_printf(&check->message, "nothing sets '%.*s'", STR_ARG(text));
            if (line)
                buf_printf(&check->message, " (line %d does, but not for this shell)", line);
        } else {
            buf_printf(&check->message, "'%.*s' waits for a value", STR_ARG(text));
        }
        buf_printf(&check->message,
                   "; give it one in the drill: procedure: {bind: {\"%.*s\": ...}}", STR_ARG(text));
    } else if (check->n_unbound <= LISTED_MAX) {
        buf_printf(&check->message, "%s'%.*s' (line %d)", check->n_unbound == 2 ? "; also " : ", ",
                   STR_ARG(text), placeholder->line);
    }
}

/* The same text in an earlier block has been told already. */
static bool seen_before(const struct placeholders *found, int index)
{
    for (int i = 0; i < index; i++)
        if (found->at[i].is_blank == found->at[index].is_blank &&
            str_eq(found->at[i].text, found->at[index].text))
            return true;
    return false;
}

static void look_at(struct check *check, const struct placeholders *found)
{
    int blank_line = 0, blanks = 0;
    struct buf list;
    buf_init(&list, 300);
    for (int i = 0; i < found->n; i++) {
        const struct placeholder *at = &found->at[i];
        struct str name = {at->text.at + 1, at->text.len - 1};
        if (is_bound(check, at) || seen_before(found, i) ||
            (at->is_variable && placeholders_is_set(found, name)))
            continue;
        if (at->is_blank) {
            buf_printf(&list, "%s'%.*s'", blanks++ ? ", " : "", STR_ARG(at->text));
            blank_line = blank_line ? blank_line : at->line;
        } else if (at->is_variable && found->sources) {
            add_note(check->notes, "placeholder", at->line,
                     "nothing seen here sets '%.*s'; a file that is sourced may",
                     STR_ARG(at->text));
        } else {
            add_unbound(check, at);
        }
    }
    if (blanks)
        add_note(check->notes, "blank", blank_line,
                 "written down as it stands, with blanks nobody filled in: %s", list.at);
    buf_release(&list);
}

/* The lines of one pasted block, with empty lines in the place of those not run, so that lines keep
 * their numbers. */
static struct str block_text(struct check *check, const struct procedure *procedure, int *at)
{
    int block = procedure->lines[*at].block, line = check->playbook->blocks[block].line;
    struct buf out;
    struct str result;
    buf_init(&out, TEXT_MAX_BYTES);
    for (; *at < procedure->n_lines && procedure->lines[*at].block == block; ++*at) {
        for (; line < procedure->lines[*at].line; line++)
            buf_putc(&out, '\n');
        buf_str(&out, procedure->lines[*at].text);
        buf_putc(&out, '\n');
        line++;
    }
    result = (struct str){arena_str(check->arena, buf_text(&out)), out.len};
    buf_release(&out);
    return result;
}

/* Pasted blocks share one shell: what one sets, the others have. */
static void check_pasted(struct check *check, const struct procedure *procedure)
{
    struct placeholders found;
    placeholders_init(&found, check->arena);
    for (int i = 0; i < procedure->n_lines;) {
        const struct procedure_line *line = &procedure->lines[i];
        struct shell_script script;
        if (line->kind != BLOCK_SHELL) {
            i++;
            continue;
        }
        shell_parse(check->arena, block_text(check, procedure, &i), 1, &script);
        placeholders_scan(&found, &script, check->playbook->blocks[line->block].line);
    }
    look_at(check, &found);
    placeholders_release(&found);
}

static void check_scripts(struct check *check, const struct procedure *procedure)
{
    for (int i = 0; i < procedure->n_scripts; i++) {
        struct placeholders found;
        struct shell_script script;
        placeholders_init(&found, check->arena);
        shell_parse(check->arena, procedure->scripts[i].text, 1, &script);
        placeholders_scan(&found, &script, procedure->scripts[i].line);
        look_at(check, &found);
        placeholders_release(&found);
    }
}

int refuse_unbound(struct arena *arena, const struct playbook *playbook,
                   const struct procedure *procedure, const struct procedure_options *options,
                   struct note_list *notes, struct error *error)
{
    struct check check = {.arena = arena, .playbook = playbook, .options = options, .notes = notes};
    int r = 0;
    buf_init(&check.message, 900);
    check_pasted(&check, procedure);
    check_scripts(&check, procedure);
    if (check.n_unbound > LISTED_MAX)
        buf_printf(&check.message, " and %d more", check.n_unbound - LISTED_MAX);
    if (check.n_unbound)
        r = error_set(error, ERROR_INPUT, "%s", check.message.at);
    buf_release(&check.message);
    return r;
}
