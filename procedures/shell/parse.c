/* From words to commands: bash's grammar. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "procedures/shell/internal.h"
#include "sim/base/xalloc.h"

/* ---- places and mistakes ---- */

static int line_index(const struct shell_parser *parser, size_t offset)
{
    int low = 0, high = parser->n_lines - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (parser->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int shell_line(const struct shell_parser *parser, size_t offset)
{
    return parser->first_line + line_index(parser, offset);
}

int shell_column(const struct shell_parser *parser, size_t offset)
{
    return (int)(offset - parser->line_starts[line_index(parser, offset)]) + 1;
}

void shell_fail(struct shell_parser *parser, size_t offset, const char *text)
{
    parser->failed = true;
    if (parser->n_mistakes >= SHELL_MISTAKES_MAX)
        return;
    XGROW(parser->mistakes, parser->n_mistakes, parser->cap_mistakes);
    parser->mistakes[parser->n_mistakes++] = (struct shell_mistake){
        .line = shell_line(parser, offset), .column = shell_column(parser, offset), .text = text};
}

void shell_fail_here(struct shell_parser *parser, const char *what)
{
    size_t stop = parser->pos, place = parser->pos;
    bool at_end = place == parser->text.len;
    if (parser->failed)
        return;
    while (stop < parser->end && stop < parser->pos + 20 && !strchr(" \t\n", parser->text.at[stop]))
        stop++;
    while (at_end && place > 0 && strchr(" \t\n", parser->text.at[place - 1]))
        place--; /* the end of the text is behind its last word, not on the line after it */
    if (stop == parser->pos)
        shell_fail(parser, place,
                   arena_printf(parser->arena, "%s, found the end of the %s", what,
                                parser->pos < parser->end ? "line" : "text"));
    else
        shell_fail(parser, parser->pos,
                   arena_printf(parser->arena, "%s, found '%.*s'", what, (int)(stop - parser->pos),
                                parser->text.at + parser->pos));
}

/* ---- looking ahead ---- */

bool shell_at(const struct shell_parser *parser, const char *operator)
{
    size_t n = strlen(operator);
    return parser->pos + n <= parser->end && !memcmp(parser->text.at + parser->pos, operator, n);
}

/* Is the next word exactly this one, unquoted? */
bool shell_at_word(const struct shell_parser *parser, const char *word)
{
    size_t n = strlen(word);
    char after;
    if (!shell_at(parser, word))
        return false;
    after = shell_peek(parser, n);
    return !after || strchr(" \t\n;&|<>()", after);
}

static bool at_any_word(const struct shell_parser *parser, const char *const *words)
{
    for (; words && *words; words++)
        if (!strcmp(*words, ")")    ? shell_at(parser, ")")
            : !strcmp(*words, ";;") ? shell_at(parser, ";;") || shell_at(parser, ";&")
                                    : shell_at_word(parser, *words))
            return true;
    return false;
}

bool shell_take_word(struct shell_parser *parser, const char *word)
{
    shell_skip_lines(parser);
    if (!shell_at_word(parser, word))
        return false;
    parser->pos += strlen(word);
    return true;
}

void shell_need_word(struct shell_parser *parser, const char *word)
{
    if (!parser->failed && !shell_take_word(parser, word))
        shell_fail_here(parser, arena_printf(parser->arena, "expected '%s'", word));
}

/* ---- building ---- */

struct shell_command *shell_new_command(struct shell_parser *parser, enum shell_kind kind)
{
    struct shell_command *command = ARENA_NEW(parser->arena, struct shell_command);
    command->kind = kind;
    command->offset = parser->pos;
    command->line = shell_line(parser, parser->pos);
    command->column = shell_column(parser, parser->pos);
    return command;
}

static void finish_command(struct shell_parser *parser, struct shell_command *command)
{
    command->end = parser->pos;
    command->end_line =
        shell_line(parser, parser->pos > command->offset ? parser->pos - 1 : command->offset);
}

void shell_add_child(struct shell_command *parent, struct shell_command *child,
                     enum shell_role role)
{
    struct shell_command **tail = &parent->first;
    if (!child)
        return;
    while (*tail)
        tail = &(*tail)->next;
    *tail = child;
    child->parent = parent;
    child->role = role;
}

void shell_set_words(struct shell_parser *parser, struct shell_command *command,
                     struct shell_word *first)
{
    int n = 0;
    for (struct shell_word *word = first; word; word = word->next)
        n++;
    command->words = ARENA_ARRAY(parser->arena, struct shell_word *, n + 1);
    command->n_words = n;
    n = 0;
    for (struct shell_word *word = first; word; word = word->next)
        command->words[n++] = word;
}

/* ---- redirections ---- */

static size_t redirect_length(const struct shell_parser *parser)
{
    static const char *const operators[] = {"<<<", "<<-", "<<", "<&", "<>", ">>", ">&",
                                            ">|",  "&>>", "&>", "<",  ">",  NULL};
    for (int i = 0; operators[i]; i++)
        if (shell_at(parser, operators[i]))
            return strlen(operators[i]);
    return 0;
}

/* "2>", "{name}>": the digits or the name before the operator; 0 if there is no redirection here.
 */
static size_t redirect_prefix(struct shell_parser *parser)
{
    size_t n = 0, start = parser->pos;
    bool found;
    while (isdigit((unsigned char)shell_peek(parser, n)))
        n++;
    parser->pos += n;
    found = n && redirect_length(parser) && shell_peek(parser, 0) != '&' &&
            !shell_placeholder(parser->text, parser->pos, parser->end);
    parser->pos = start;
    return found ? n : 0;
}

static struct shell_redirect *parse_redirect(struct shell_parser *parser)
{
    size_t prefix = redirect_prefix(parser), n;
    struct shell_redirect *redirect;
    if (!prefix && shell_placeholder(parser->text, parser->pos, parser->end))
        return NULL;
    if ((shell_at(parser, "<(") || shell_at(parser, ">(")) && !prefix)
        return NULL;
    if (!prefix && !redirect_length(parser))
        return NULL;
    redirect = ARENA_NEW(parser->arena, struct shell_redirect);
    redirect->line = shell_line(parser, parser->pos);
    redirect->column = shell_column(parser, parser->pos);
    redirect->fd = prefix ? parser->text.at[parser->pos + prefix - 1] - '0' : -1;
    parser->pos += prefix;
    n = redirect_length(parser);
    redirect->operator=(struct str){parser->text.at + parser->pos, n};
    parser->pos += n;
    shell_skip_blanks(parser);
    redirect->target = shell_word(parser);
    if (!redirect->target) {
        shell_fail_here(parser, arena_printf(parser->arena, "expected a word behind '%.*s'",
                                             STR_ARG(redirect->operator)));
        return NULL;
    }
    if (str_is(redirect->operator, "<<") || str_is(redirect->operator, "<<-")) {
        redirect->body_literal = redirect->target->quoted;
        if (!redirect->target->value)
            redirect->target->value = arena_str(parser->arena, redirect->target->text);
        if (parser->n_pending == (int)(sizeof parser->pending / sizeof *parser->pending))
            shell_fail(parser, redirect->target->offset, "too many here-documents on one line");
        else
            parser->pending[parser->n_pending++] = redirect;
    }
    return redirect;
}

static void parse_redirects(struct shell_parser *parser, struct shell_command *command)
{
    struct shell_redirect **tail = &command->redirects, *redirect;
    while (*tail)
        tail = &(*tail)->next;
    shell_skip_blanks(parser);
    while (!parser->failed && (redirect = parse_redirect(parser))) {
        *tail = redirect;
        tail = &redirect->next;
        shell_skip_blanks(parser);
    }
}

/* ---- simple commands ---- */

static bool is_assignment(const struct shell_word *word, struct str *ret_name)
{
    const char *at = word->text.at;
    size_t n = 0, name;
    if (!word->text.len || !(isalpha((unsigned char)*at) || *at == '_'))
        return false;
    while (n < word->text.len && (isalnum((unsigned char)at[n]) || at[n] == '_'))
        n++;
    name = n;
    if (n < word->text.len && at[n] == '[')
        while (n < word->text.len && at[n++] != ']')
            ;
    if (n + 1 < word->text.len && at[n] == '+')
        n++;
    if (n >= word->text.len || at[n] != '=')
        return false;
    *ret_name = (struct str){at, name};
    return true;
}

static struct shell_command *parse_simple(struct shell_parser *parser)
{
    struct shell_command *command = shell_new_command(parser, SHELL_SIMPLE);
    struct shell_word *first = NULL, **tail = &first, *word;
    struct shell_assignment **assigned = &command->assignments;
    size_t end = parser->pos;
    while (!parser->failed) {
        struct str name;
        parse_redirects(parser, command);
        if (parser->failed || !(word = shell_word(parser)))
            break;
        end = parser->pos;
        if (!first && is_assignment(word, &name)) {
            *assigned = ARENA_NEW(parser->arena, struct shell_assignment);
            **assigned = (struct shell_assignment){.name = name, .value = word};
            assigned = &(*assigned)->next;
            continue;
        }
        *tail = word;
        tail = &word->next;
    }
    shell_set_words(parser, command, first);
    finish_command(parser, command);
    if (command->redirects)
        end = parser->pos;
    command->end = end;
    command->end_line = shell_line(parser, end > command->offset ? end - 1 : command->offset);
    if (!command->n_words && !command->assignments && !command->redirects && !parser->failed)
        shell_fail_here(parser, "expected a command");
    return command;
}

/* ---- commands ---- */

struct shell_command *shell_command(struct shell_parser *parser)
{
    static const char *const misplaced[] = {"then", "elif", "else", "fi", "do",
                                            "done", "esac", "}",    NULL};
    struct shell_command *command;
    if (parser->depth >= SHELL_DEPTH_MAX) {
        shell_fail_here(parser, "nested too deep (the limit is 100)");
        return NULL;
    }
    if (at_any_word(parser, misplaced)) {
        shell_fail_here(parser, "expected a command");
        return NULL;
    }
    parser->depth++;
    command = shell_compound(parser);
    if (command) {
        parser->depth--;
        parse_redirects(parser, command);
        finish_command(parser, command);
        return command;
    }
    parser->depth--;
    return parser->failed ? NULL : parse_simple(parser);
}

/* ---- pipelines and lists ---- */

/* Behind "coproc": the name that only a compound command may have before it, as in "coproc X { cat;
 * }". */
static struct str coproc_name(struct shell_parser *parser)
{
    size_t n = 0, blanks;
    char next;
    shell_skip_blanks(parser);
    while (isalnum((unsigned char)shell_peek(parser, n)) || shell_peek(parser, n) == '_')
        n++;
    for (blanks = 0; shell_peek(parser, n + blanks) == ' '; blanks++)
        ;
    next = (char)shell_peek(parser, n + blanks);
    if (!n || !blanks || (next != '{' && next != '('))
        return (struct str){NULL, 0};
    parser->pos += n;
    return (struct str){parser->text.at + parser->pos - n, n};
}

static struct shell_command *parse_pipeline(struct shell_parser *parser)
{
    struct shell_command *pipeline = shell_new_command(parser, SHELL_PIPELINE), *only;
    struct str coproc = {NULL, 0};
    bool is_coproc = false;
    for (;;) {
        shell_skip_blanks(parser);
        if (shell_at_word(parser, "!")) {
            pipeline->negated = !pipeline->negated;
            parser->pos++;
        } else if (shell_at_word(parser, "time")) {
            parser->pos += 4;
            shell_skip_blanks(parser);
            if (shell_at_word(parser, "-p"))
                parser->pos += 2;
        } else if (shell_at_word(parser, "coproc")) {
            parser->pos += 6;
            is_coproc = true;
            coproc = coproc_name(parser);
        } else {
            break;
        }
    }
    for (;;) {
        shell_add_child(pipeline, shell_command(parser), ROLE_BODY);
        shell_skip_blanks(parser);
        if (parser->failed || shell_peek(parser, 0) != '|' || shell_peek(parser, 1) == '|')
            break;
        parser->pos += shell_peek(parser, 1) == '&' ? 2 : 1;
        shell_skip_lines(parser);
    }
    finish_command(parser, pipeline);
    only = pipeline->first;
    if (only && !only->next && !pipeline->negated) {
        only->parent = NULL;
        if (coproc.len)
            only->name = coproc;
        only->background |= is_coproc;
        return only;
    }
    return pipeline;
}

static struct shell_command *parse_and_or(struct shell_parser *parser)
{
    struct shell_command *chain = shell_new_command(parser, SHELL_AND_OR), *only;
    bool and_then = false, or_else = false;
    for (;;) {
        struct shell_command *pipeline = parse_pipeline(parser);
        pipeline->and_then = and_then;
        pipeline->or_else = or_else;
        shell_add_child(chain, pipeline, ROLE_BODY);
        shell_skip_blanks(parser);
        and_then = shell_at(parser, "&&");
        or_else = shell_at(parser, "||");
        if (parser->failed || (!and_then && !or_else))
            break;
        parser->pos += 2;
        shell_skip_lines(parser);
    }
    finish_command(parser, chain);
    only = chain->first;
    if (!only->next) {
        only->parent = NULL;
        return only;
    }
    return chain;
}

/* After a mistake at the outermost level: on to the next line, as bash does with what is pasted. */
static void recover(struct shell_parser *parser)
{
    while (parser->pos < parser->end && shell_peek(parser, 0) != '\n')
        parser->pos++;
    parser->failed = false;
    parser->n_pending = 0;
}

struct shell_command *shell_list(struct shell_parser *parser, const char *const *stops)
{
    struct shell_command *list, **tail;
    bool outermost = !stops;
    if (parser->depth >= SHELL_DEPTH_MAX)
        shell_fail_here(parser, "nested too deep (the limit is 100)");
    parser->depth += !outermost;
    list = shell_new_command(parser, SHELL_LIST);
    tail = &list->first;
    for (;;) {
        struct shell_command *command;
        size_t before;
        shell_skip_lines(parser);
        if (parser->failed && outermost)
            recover(parser);
        if (parser->failed || parser->pos >= parser->end || at_any_word(parser, stops))
            break;
        before = parser->pos;
        command = parse_and_or(parser);
        command->parent = list;
        *tail = command;
        tail = &command->next;
        shell_skip_blanks(parser);
        if (!parser->failed && shell_peek(parser, 0) == '&' && shell_peek(parser, 1) != '&') {
            command->background = true;
            parser->pos++;
        } else if (!parser->failed && shell_peek(parser, 0) == ';' &&
                   shell_peek(parser, 1) != ';' && shell_peek(parser, 1) != '&') {
            parser->pos++;
        } else if (!parser->failed && parser->pos < parser->end && shell_peek(parser, 0) != '\n' &&
                   !at_any_word(parser, stops)) {
            shell_fail_here(parser, "expected the end of the command");
        }
        if (parser->failed && !outermost)
            break;
        if (parser->failed)
            recover(parser);
        if (parser->pos == before && parser->pos < parser->end && shell_peek(parser, 0) != '\n')
            parser->pos++; /* never stand still */
    }
    parser->depth -= !outermost;
    finish_command(parser, list);
    return list;
}

static void fill_script(struct shell_parser *parser, struct shell_script *script)
{
    script->comments = ARENA_ARRAY(parser->arena, struct shell_comment, parser->n_comments + 1);
    script->mistakes = ARENA_ARRAY(parser->arena, struct shell_mistake, parser->n_mistakes + 1);
    if (parser->n_comments)
        memcpy(script->comments, parser->comments,
               sizeof *parser->comments * (size_t)parser->n_comments);
    if (parser->n_mistakes)
        memcpy(script->mistakes, parser->mistakes,
               sizeof *parser->mistakes * (size_t)parser->n_mistakes);
    script->n_comments = parser->n_comments;
    script->n_mistakes = parser->n_mistakes;
}

struct shell_script *shell_substitution(struct shell_parser *parser)
{
    static const char *const stop_paren[] = {")", NULL};
    struct shell_script *script = ARENA_NEW(parser->arena, struct shell_script);
    size_t start = parser->pos;
    if (parser->depth >= SHELL_DEPTH_MAX)
        shell_fail_here(parser, "nested too deep (the limit is 100)");
    script->commands = shell_list(parser, stop_paren);
    script->text = (struct str){parser->text.at + start, parser->pos - start};
    return script;
}

void shell_parse(struct arena *arena, struct str text, int first_line, struct shell_script *ret)
{
    struct shell_parser parser = {
        .arena = arena, .text = text, .end = text.len, .first_line = first_line};
    size_t cap = 1;
    for (size_t i = 0; i < text.len; i++)
        cap += text.at[i] == '\n';
    parser.line_starts = xcalloc(cap, sizeof *parser.line_starts);
    parser.n_lines = 1;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '\n')
            parser.line_starts[parser.n_lines++] = i + 1;
    *ret = (struct shell_script){.text = text, .commands = shell_list(&parser, NULL)};
    if (parser.n_pending) { /* "cat <<EOF" on a last line without newline */
        parser.pos = parser.end;
        shell_fail(&parser, parser.pending[0]->target->offset,
                   "the here-document has no lines behind it");
    }
    fill_script(&parser, ret);
    free(parser.line_starts);
    free(parser.comments);
    free(parser.mistakes);
}
