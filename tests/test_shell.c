/* shell: the grammar, as one line of text per script: what bash makes of it. */
#include "procedures/shell/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/buf.h"

static struct arena arena;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static void dump(struct buf *out, const struct shell_command *command);

static void dump_children(struct buf *out, const char *name, const struct shell_command *command)
{
    buf_printf(out, "(%s", name);
    for (const struct shell_command *child = command->first; child; child = child->next) {
        buf_puts(out, child->and_then ? " && " : child->or_else ? " || " : " ");
        dump(out, child);
        if (child->background)
            buf_puts(out, " &");
    }
    buf_putc(out, ')');
}

static void dump_words(struct buf *out, const struct shell_command *command)
{
    for (const struct shell_assignment *at = command->assignments; at; at = at->next)
        buf_printf(out, "{%.*s}", STR_ARG(at->value->text));
    for (int i = 0; i < command->n_words; i++)
        buf_printf(out, "[%.*s]", STR_ARG(command->words[i]->text));
    for (const struct shell_redirect *at = command->redirects; at; at = at->next) {
        buf_printf(out, "{%.*s%.*s}", STR_ARG(at->operator), STR_ARG(at->target->text));
        if (at->body.len)
            buf_printf(out, "{%d lines from %d}", (int)at->body.len, at->body_line);
    }
}

static void dump(struct buf *out, const struct shell_command *command)
{
    static const char *const names[] = {"",         "pipe",  "and-or", "list",  "if",
                                        "while",    "for",   "case",   "group", "subshell",
                                        "function", "arith", "test"};
    if (command->kind == SHELL_SIMPLE) {
        dump_words(out, command);
        return;
    }
    dump_children(out, names[command->kind], command);
    if (command->name.len)
        buf_printf(out, "<%.*s>", STR_ARG(command->name));
    dump_words(out, command);
    if (command->negated)
        buf_puts(out, "!");
}

static const char *tree(const char *text)
{
    struct shell_script script;
    struct buf out;
    const char *result;
    buf_init(&out, 1 << 16);
    shell_parse(&arena, str_of(text), 1, &script);
    for (const struct shell_command *at = script.commands->first; at; at = at->next) {
        dump(&out, at);
        buf_puts(&out, at->background ? " & " : at->next ? "; " : "");
    }
    for (int i = 0; i < script.n_mistakes; i++)
        buf_printf(&out, " ?%d:%d %s", script.mistakes[i].line, script.mistakes[i].column,
                   script.mistakes[i].text);
    result = arena_str(&arena, buf_text(&out));
    buf_release(&out);
    return result;
}

static void test_grammar(void **state)
{
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"", ""},
        {"a b c", "[a][b][c]"},
        {"a; b & c\nd", "[a]; [b] & [c]; [d]"},
        {"a | b |& c", "(pipe [a] [b] [c])"},
        {"! a | b", "(pipe [a] [b])!"},
        {"a && b || c; d", "(and-or [a] && [b] || [c]); [d]"},
        {"a &&\n # why\n b", "(and-or [a] && [b])"},
        {"a \\\n  b", "[a][b]"},
        {"x=1 y=$(c d) a z=3", "{x=1}{y=$(c d)}[a][z=3]"},
        {"a >f 2>&1 <g", "[a]{>f}{>&1}{<g}"},
        {"a &>f &>>g >|h 3<>i", "[a]{&>f}{&>>g}{>|h}{<>i}"},
        {"a <<< \"x y\"", "[a]{<<<\"x y\"}"},
        {"if a; then b; elif c; then d; else e; fi",
         "(if (list [a]) (list [b]) (list [c]) (list [d]) (list [e]))"},
        {"while a; do b; done < f", "(while (list [a]) (list [b])){<f}"},
        {"until a\ndo b\ndone", "(while (list [a]) (list [b]))"},
        {"for i in {1..10} x; do a; done", "(for (list [a]))<i>[{1..10}][x]"},
        {"for i; do a; done", "(for (list [a]))<i>"},
        {"for ((i = 0; i < 3; i++)); do a; done", "(for (list [a]))"},
        {"select x in a b; do c; done", "(for (list [c]))<x>[a][b]"},
        {"case $x in a|b) c;; (d) ;; *) e; f ;& esac",
         "(case (list [c]) (list) (list [e] [f]))[$x]"},
        {"{ a; b; } > f", "(group (list [a] [b])){>f}"},
        {"(a; b)", "(subshell (list [a] [b]))"},
        {"((x > 3)) && a", "(and-or (arith) && [a])"},
        {"( (a); b)", "(subshell (list (subshell (list [a])) [b]))"},
        {"[[ $a == *\"x\"* && ! ( -f b ) ]] || c",
         "(and-or (test)[$a][==][*\"x\"*][&&][!][(][-f][b][)] || [c])"},
        {"[[ $a =~ ^(a|b c)$ ]]", "(test)[$a][=~][^(a|b c)$]"},
        {"f() { a; }", "(function (group (list [a])))<f>"},
        {"function g\n{\na\n}", "(function (group (list [a])))<g>"},
        {"f () (a)", "(function (subshell (list [a])))<f>"},
        {"a=(1 \"2 3\" $(b)) c", "{a=(1 \"2 3\" $(b))}[c]"},
        {"echo a#b # c", "[echo][a#b]"},
        {"echo 'a;b|c' \"d $(e \"f g\") h\" $'i\\'j'",
         "[echo]['a;b|c'][\"d $(e \"f g\") h\"][$'i\\'j']"},
        {"echo ${x:-a b} ${#y} ${z[@]} ${a//x/\"}\"}",
         "[echo][${x:-a b}][${#y}][${z[@]}][${a//x/\"}\"}]"},
        {"echo \"${x:-can't}\" ${y:-'}'}", "[echo][\"${x:-can't}\"][${y:-'}'}]"},
        {"echo $((1 + (2))) `a b`", "[echo][$((1 + (2)))][`a b`]"},
        {"diff <(a) <(b)", "[diff][<(a)][<(b)]"},
        {"time -p a | b", "(pipe [a] [b])"},
        {"cat <<E | b\nx $y\nE\nc", "(pipe [cat]{<<E}{5 lines from 2} [b]); [c]"},
        {"cat <<-'E'\n\tx\n\tE\nc", "[cat]{<<-'E'}{3 lines from 2}; [c]"},
        {"x=$(cat <<E\n)\nE\n)\nb", "{x=$(cat <<E\n)\nE\n)}; [b]"},
        {"x=$(case a in a) b;; esac)", "{x=$(case a in a) b;; esac)}"},
        {"ls !(a|b)", "[ls][!(a|b)]"},
        {"if a; then\n# only a comment\nb\nfi", "(if (list [a]) (list [b]))"},
        {"a;; b", "[a] ?1:2 expected the end of the command, found ';;'"},
        {"a )\nb", "[a]; [b] ?1:3 expected the end of the command, found ')'"},
        {"a 'b\nc", "[a]['b\nc] ?1:3 the single quote that opens here is never closed"},
        {"a \"b", "[a][\"b] ?1:3 the double quote that opens here is never closed"},
        {"a $(b", "[a][$(b] ?1:3 the parenthesis that opens here is never closed"},
        {"if a; then b",
         "(if (list [a]) (list [b])) ?1:13 expected 'fi', found the end of the text"},
        {"a >\nb", "[a]; [b] ?1:4 expected a word behind '>', found the end of the line"},
        {"fi\na", "(pipe); [a] ?1:1 expected a command, found 'fi'"},
        {"cat <<E\nx",
         "[cat]{<<E}{1 lines from 2} ?1:7 the here-document has no line 'E' at its end"},
        {"| a", " ?1:1 expected a command, found '|'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = tree(cases[i].text);
        if (strcmp(got, cases[i].tree))
            fail_msg("%s\n  gave %s\n  not  %s", cases[i].text, got, cases[i].tree);
    }
}

static void test_placeholders(void **state)
{
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {"a deployment/<service> -n <ns>", "[a][deployment/<service>][-n][<ns>]"},
        {"a <the name> > f", "[a][<the name>]{>f}"},
        {"a <in >out", "[a]{<in}{>out}"},
        {"a <in.txt>out", "[a]{<in.txt}{>out}"},
        {"git checkout tags/v[previous-version] x", "[git][checkout][tags/v[previous-version]][x]"},
        {"a [Previous Version]", "[a][[Previous Version]]"},
        {"a <name> && b", "(and-or [a][<name>] && [b])"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(tree(cases[i].text), cases[i].tree);
    for (int i = 0; i < 8; i++) {
        static const char *const not_one[] = {"[0-9]",   "[a-z]*",      "[Yy]",   "[ -f x ]",
                                              "[[ a ]]", "[[:alpha:]]", "< file", "<<EOF"};
        assert_int_equal(shell_placeholder(str_of(not_one[i]), 0, strlen(not_one[i])), 0);
    }
    assert_int_equal(shell_placeholder(STR("v[X.Y.Z]"), 1, 8), 7);
}

static void test_values_and_places(void **state)
{
    struct shell_script script;
    struct shell_command *command;
    (void)state;
    shell_parse(&arena,
                STR("# one\n\n  cp 'a b' \"c\\\"d\" e\\ f $x \"g$y\" g*  # two\nif x; then # "
                    "three\n# four\ny; fi\n"),
                41, &script);
    command = script.commands->first;
    assert_int_equal(command->line, 43);
    assert_int_equal(command->column, 3);
    assert_int_equal(command->n_words, 7);
    assert_string_equal(shell_value(command, 1), "a b");
    assert_string_equal(shell_value(command, 2), "c\"d");
    assert_string_equal(shell_value(command, 3), "e f");
    assert_null(shell_value(command, 4));
    assert_null(shell_value(command, 5));
    assert_string_equal(shell_value(command, 6), "g*");
    assert_null(shell_value(command, 7));
    assert_int_equal(command->words[4]->column, 24);
    assert_true(shell_is(command, "cp"));
    assert_int_equal(command->next->end_line, 46);
    assert_int_equal(script.n_comments, 4);
    assert_true(script.comments[0].own_line && script.comments[0].depth == 0);
    assert_false(script.comments[1].own_line);
    assert_int_equal(script.comments[1].line, 43);
    assert_true(script.comments[1].text.len == 3 && !memcmp(script.comments[1].text.at, "two", 3));
    assert_true(script.comments[3].own_line && script.comments[3].depth > 0);
}

static bool collect(struct shell_command *command, void *data)
{
    struct buf *out = data;
    if (command->kind == SHELL_SIMPLE && shell_value(command, 0))
        buf_printf(out, "%s@%d:%d ", shell_value(command, 0), command->line, command->column);
    return true;
}

static void test_walk(void **state)
{
    struct shell_script script;
    struct buf out;
    (void)state;
    buf_init(&out, 4096);
    shell_parse(
        &arena,
        STR("a \"x $(b $(c))\"\nif d; then e <(f) >$(g); fi\nh <<E\n$(i)\nE\nv=$(j) arr=($(k)); "
            "echo ${x:-$(l)} $(( $(m) + 1 )) `n o`\n"),
        1, &script);
    shell_each_command(&script, collect, &out);
    assert_string_equal(out.at,
                        "a@1:1 b@1:8 c@1:12 d@2:4 e@2:12 f@2:16 g@2:22 h@3:1 i@4:3 j@6:5 k@6:15 "
                        "echo@6:20 l@6:32 m@6:42 n@6:53 ");
    buf_release(&out);
}

/* Broken text of every length must neither crash nor hang; the deep ones end in a mistake. */
static void test_hostile(void **state)
{
    static const char text[] =
        "if [ \"$(a <<E\n`b`\nE\n)\" = '<x>' ]; then case $y in (a|[b]*) c=(1 ${d:-\"e\"}) ;; "
        "esac; fi | f() { ((1)); } & [[ a =~ (b c) ]] || $((1 + $(g)))";
    struct shell_script script;
    char deep[4000];
    (void)state;
    for (size_t i = 0; i <= sizeof text - 1; i++)
        for (size_t j = i; j <= sizeof text - 1; j += 7)
            shell_parse(&arena, (struct str){text + i, j - i}, 1, &script);
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = '(';
    shell_parse(&arena, (struct str){deep, sizeof deep}, 1, &script);
    assert_true(script.n_mistakes > 0);
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = "$("[i % 2];
    shell_parse(&arena, (struct str){deep, sizeof deep}, 1, &script);
    assert_true(script.n_mistakes > 0);
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = "${a:-"[i % 5];
    shell_parse(&arena, (struct str){deep, sizeof deep}, 1, &script);
    assert_true(script.n_mistakes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_grammar, teardown),
        cmocka_unit_test_teardown(test_placeholders, teardown),
        cmocka_unit_test_teardown(test_values_and_places, teardown),
        cmocka_unit_test_teardown(test_walk, teardown),
        cmocka_unit_test_teardown(test_hostile, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
