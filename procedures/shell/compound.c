/* Compound commands: if, while, for, case, groups, tests, functions. */
#include <ctype.h>
#include <string.h>

#include "procedures/shell/internal.h"

/* ---- compound commands ---- */

static const char *const stop_then[] = {"then", NULL},
                         *const stop_fi[] = {"elif", "else", "fi", NULL},
                         *const stop_do[] = {"do", NULL}, *const stop_done[] = {"done", NULL},
                         *const stop_brace[] = {"}", NULL}, *const stop_paren[] = {")", NULL},
                         *const stop_case[] = {";;", "esac", NULL};

static struct shell_command *parse_if(struct shell_parser *parser)
{
    struct shell_command *command = shell_new_command(parser, SHELL_IF);
    parser->pos += 2;
    for (;;) {
        shell_add_child(command, shell_list(parser, stop_then), ROLE_CONDITION);
        shell_need_word(parser, "then");
        shell_add_child(command, shell_list(parser, stop_fi), ROLE_BODY);
        if (parser->failed || !shell_take_word(parser, "elif"))
            break;
    }
    if (!parser->failed && shell_take_word(parser, "else"))
        shell_add_child(command, shell_list(parser, stop_fi), ROLE_ELSE);
    shell_need_word(parser, "fi");
    return command;
}

static struct shell_command *parse_while(struct shell_parser *parser)
{
    struct shell_command *command = shell_new_command(parser, SHELL_WHILE);
    parser->pos += 5;
    shell_add_child(command, shell_list(parser, stop_do), ROLE_CONDITION);
    shell_need_word(parser, "do");
    shell_add_child(command, shell_list(parser, stop_done), ROLE_BODY);
    shell_need_word(parser, "done");
    return command;
}

/* "((...))" at pos: steps over it and gives its expansions; false when it is no arithmetic. */
static bool take_parentheses(struct shell_parser *parser, struct shell_part **ret)
{
    int depth = 0;
    size_t i = parser->pos + 2;
    for (; i + 1 < parser->end; i++) {
        char c = parser->text.at[i];
        if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (c == ')')
            break;
    }
    if (i + 1 >= parser->end || parser->text.at[i + 1] != ')')
        return false;
    parser->pos += 2;
    *ret = shell_expansions(parser, i);
    parser->pos = i + 2;
    return true;
}

static void parse_for_words(struct shell_parser *parser, struct shell_command *command)
{
    struct shell_word *first = NULL, **tail = &first;
    if (shell_take_word(parser, "in")) {
        shell_skip_blanks(parser);
        while (!parser->failed && (*tail = shell_word(parser))) {
            tail = &(*tail)->next;
            shell_skip_blanks(parser);
        }
    }
    shell_set_words(parser, command, first);
}

static struct shell_command *parse_for(struct shell_parser *parser, size_t keyword)
{
    struct shell_command *command = shell_new_command(parser, SHELL_FOR);
    bool brace;
    parser->pos += keyword;
    shell_skip_blanks(parser);
    if (shell_at(parser, "((")) {
        if (!take_parentheses(parser, &command->parts))
            shell_fail_here(parser, "expected '))'");
        shell_set_words(parser, command, NULL);
    } else {
        struct shell_word *name = shell_word(parser);
        if (!name) {
            shell_fail_here(parser, "expected a variable name behind 'for'");
            return command;
        }
        command->name = name->text;
        parse_for_words(parser, command);
    }
    shell_skip_blanks(parser);
    if (shell_peek(parser, 0) == ';')
        parser->pos++;
    shell_skip_lines(parser);
    brace = shell_at_word(parser, "{");
    shell_need_word(parser, brace ? "{" : "do");
    shell_add_child(command, shell_list(parser, brace ? stop_brace : stop_done), ROLE_BODY);
    shell_need_word(parser, brace ? "}" : "done");
    return command;
}

static void parse_case_item(struct shell_parser *parser, struct shell_command *command)
{
    struct shell_word **tail = NULL;
    (void)tail;
    if (shell_peek(parser, 0) == '(')
        parser->pos++;
    for (;;) {
        shell_skip_blanks(parser);
        if (!shell_word(parser)) {
            shell_fail_here(parser, "expected a pattern");
            return;
        }
        shell_skip_blanks(parser);
        if (shell_peek(parser, 0) != '|')
            break;
        parser->pos++;
    }
    if (shell_peek(parser, 0) != ')') {
        shell_fail_here(parser, "expected ')' behind the pattern");
        return;
    }
    parser->pos++;
    shell_add_child(command, shell_list(parser, stop_case), ROLE_BODY);
    if (shell_at(parser, ";;&"))
        parser->pos += 3;
    else if (shell_at(parser, ";;") || shell_at(parser, ";&"))
        parser->pos += 2;
}

static struct shell_command *parse_case(struct shell_parser *parser)
{
    struct shell_command *command = shell_new_command(parser, SHELL_CASE);
    parser->pos += 4;
    shell_skip_blanks(parser);
    shell_set_words(parser, command, shell_word(parser));
    shell_need_word(parser, "in");
    while (!parser->failed) {
        shell_skip_lines(parser);
        if (shell_at_word(parser, "esac") || parser->pos >= parser->end)
            break;
        parse_case_item(parser, command);
    }
    shell_need_word(parser, "esac");
    return command;
}

static struct shell_command *parse_group(struct shell_parser *parser, enum shell_kind kind)
{
    struct shell_command *command = shell_new_command(parser, kind);
    bool brace = kind == SHELL_GROUP;
    parser->pos++;
    shell_add_child(command, shell_list(parser, brace ? stop_brace : stop_paren), ROLE_BODY);
    if (brace) {
        shell_need_word(parser, "}");
    } else {
        shell_skip_lines(parser);
        if (shell_peek(parser, 0) == ')')
            parser->pos++;
        else
            shell_fail_here(parser, "expected ')'");
    }
    return command;
}

static struct shell_command *parse_parentheses(struct shell_parser *parser)
{
    if (shell_at(parser, "((")) {
        struct shell_command *command = shell_new_command(parser, SHELL_ARITHMETIC);
        if (take_parentheses(parser, &command->parts))
            return command;
    }
    return parse_group(parser, SHELL_SUBSHELL);
}

static struct shell_word *test_operator(struct shell_parser *parser, size_t n)
{
    struct shell_word *word = ARENA_NEW(parser->arena, struct shell_word);
    word->line = shell_line(parser, parser->pos);
    word->column = shell_column(parser, parser->pos);
    word->offset = parser->pos;
    word->text = (struct str){parser->text.at + parser->pos, n};
    word->value = arena_str(parser->arena, word->text);
    parser->pos += n;
    return word;
}

static struct shell_command *parse_test(struct shell_parser *parser)
{
    struct shell_command *command = shell_new_command(parser, SHELL_TEST);
    struct shell_word *first = NULL, **tail = &first;
    bool regex = false;
    parser->pos += 2;
    while (!parser->failed) {
        shell_skip_lines(parser);
        if (shell_at_word(parser, "]]")) {
            parser->pos += 2;
            break;
        }
        if (regex)
            *tail = shell_regex(parser);
        else if (shell_at(parser, "&&") || shell_at(parser, "||"))
            *tail = test_operator(parser, 2);
        else if (shell_peek(parser, 0) && strchr("()<>", shell_peek(parser, 0)))
            *tail = test_operator(parser, 1);
        else
            *tail = shell_word(parser);
        if (!*tail) {
            shell_fail_here(parser, "expected ']]'");
            break;
        }
        regex = str_is((*tail)->text, "=~");
        tail = &(*tail)->next;
    }
    shell_set_words(parser, command, first);
    return command;
}

static struct shell_command *parse_function(struct shell_parser *parser, struct str name,
                                            size_t start)
{
    struct shell_command *command = shell_new_command(parser, SHELL_FUNCTION);
    command->name = name;
    command->offset = start;
    command->line = shell_line(parser, start);
    command->column = shell_column(parser, start);
    shell_skip_blanks(parser);
    if (shell_peek(parser, 0) == '(') {
        parser->pos++;
        shell_skip_blanks(parser);
        if (shell_peek(parser, 0) != ')') {
            shell_fail_here(parser, "expected ')'");
            return command;
        }
        parser->pos++;
    }
    shell_skip_lines(parser);
    shell_add_child(command, shell_command(parser), ROLE_BODY);
    return command;
}

/* "name ()" at pos? *ret_length is that of the name. */
static bool at_function(const struct shell_parser *parser, size_t *ret_length)
{
    size_t n = 0, i;
    while (parser->pos + n < parser->end && !strchr(" \t\n;&|<>()'\"$`\\=#", shell_peek(parser, n)))
        n++;
    for (i = n; shell_peek(parser, i) == ' ' || shell_peek(parser, i) == '\t';)
        i++;
    if (!n || shell_peek(parser, i) != '(')
        return false;
    for (i++; shell_peek(parser, i) == ' ' || shell_peek(parser, i) == '\t';)
        i++;
    *ret_length = n;
    return shell_peek(parser, i) == ')';
}

static struct shell_command *parse_named_function(struct shell_parser *parser)
{
    size_t start = parser->pos;
    struct shell_word *name;
    parser->pos += 8;
    shell_skip_blanks(parser);
    name = shell_word(parser);
    if (!name) {
        shell_fail_here(parser, "expected a name behind 'function'");
        return NULL;
    }
    return parse_function(parser, name->text, start);
}

struct shell_command *shell_compound(struct shell_parser *parser)
{
    size_t n;
    if (shell_at_word(parser, "if"))
        return parse_if(parser);
    if (shell_at_word(parser, "while") || shell_at_word(parser, "until"))
        return parse_while(parser);
    if (shell_at_word(parser, "for"))
        return parse_for(parser, 3);
    if (shell_at_word(parser, "select"))
        return parse_for(parser, 6);
    if (shell_at_word(parser, "case"))
        return parse_case(parser);
    if (shell_at_word(parser, "{"))
        return parse_group(parser, SHELL_GROUP);
    if (shell_at_word(parser, "[["))
        return parse_test(parser);
    if (shell_peek(parser, 0) == '(')
        return parse_parentheses(parser);
    if (shell_at_word(parser, "function"))
        return parse_named_function(parser);
    if (at_function(parser, &n)) {
        struct str name = {parser->text.at + parser->pos, n};
        size_t start = parser->pos;
        parser->pos += n;
        return parse_function(parser, name, start);
    }
    return NULL;
}
