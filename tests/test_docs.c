/* Every command in the documents is executed, and every output shown is true.
 *
 * A ```sh block is run by sh, line after line in one shell, from the repository's root with the fresh ./rehearse
 * first in PATH. A ```text block right after it is what it prints (stdout and stderr); a line "..." there stands
 * for any lines. `make` lines are only checked to name a target that exists: running them here would never end.
 * A ```console or ```bash block is not run: documents use those for other people's commands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "tests/trial.h"

static const char *const documents[] = {
    "README.md",
    "sim/README.md",
    "fakes/README.md",
    "fakes/FIDELITY.md",
    "fakes/YOUR-OWN-COMMANDS.md",
    "procedures/README.md",
    "procedures/drill/README.md",
    "procedures/hp_ti/README.md",
    "reports/README.md",
    "ci/templates/README.md",
};

struct sh_block {
    const char *file;
    int line;
    struct buf commands;
    struct buf output; /* expected */
    bool has_output;
};

static void check_make(const struct sh_block *block, const char *line)
{
    char command[512];
    snprintf(command, sizeof command, "make -n %s >/dev/null 2>&1", line + 5);
    if (system(command) != 0)
        fail_msg("%s:%d: no such target: %s", block->file, block->line, line);
}

/* Splits off `make` lines; what is left is one script. */
static void script_of(const struct sh_block *block, struct buf *script)
{
    struct str rest = buf_text(&block->commands);
    struct arena arena = {0};
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, "make ") || str_is(line, "make")) {
            if (line.len > 5)
                check_make(block, arena_str(&arena, line));
            continue;
        }
        buf_str(script, line);
        buf_putc(script, '\n');
    }
    arena_release(&arena);
}

static void run_script(const char *script, struct buf *output)
{
    char path[] = "/tmp/rehearse-docs-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    fputs("PATH=\"$PWD:$PATH\"\nexport PATH NO_COLOR=1\n", file);
    fputs(script, file);
    fclose(file);
    char command[128];
    snprintf(command, sizeof command, "sh %s 2>&1", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char block[4096];
    size_t n;
    while ((n = fread(block, 1, sizeof block, pipe)) > 0)
        buf_add(output, block, n);
    int status = pclose(pipe);
    remove(path);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 126 || WEXITSTATUS(status) == 127 ||
                              WEXITSTATUS(status) == 2 || WEXITSTATUS(status) == 70))
        fail_msg("exit status %d from:\n%s\n%s", WEXITSTATUS(status), script, output->at);
}

/* The one thing that is not compared: by what a run was sealed is the machine's (a chroot has no user namespaces). */
static void forget_tier(struct buf *output)
{
    static const char here[] = "sealed by landlock", shown[] = "sealed by namespaces";
    struct buf text;
    buf_init(&text, 4 << 20);
    const char *at = output->at, *found;
    while (at && (found = strstr(at, here))) {
        buf_add(&text, at, (size_t)(found - at));
        buf_puts(&text, shown);
        at = found + sizeof here - 1;
    }
    buf_puts(&text, at ? at : "");
    buf_release(output);
    *output = text;
}

static bool matches(struct str expected, struct str actual)
{
    while (expected.len) {
        struct str want = str_cut(&expected, '\n');
        if (str_is(want, "...")) {
            if (expected.len == 0)
                return true;
            do {
                if (matches(expected, actual))
                    return true;
                str_cut(&actual, '\n');
            } while (actual.len);
            return false;
        }
        if (actual.len == 0 || !str_eq(want, str_cut(&actual, '\n')))
            return false;
    }
    return actual.len == 0;
}

static void check_block(const struct sh_block *block)
{
    struct buf script, output;
    buf_init(&script, 1 << 20);
    buf_init(&output, 4 << 20);
    script_of(block, &script);
    if (str_trim(buf_text(&script)).len) {
        run_script(script.at, &output);
        forget_tier(&output);
        if (block->has_output && !matches(buf_text(&block->output), buf_text(&output)))
            fail_msg("%s:%d: shown:\n%s\ntrue:\n%s", block->file, block->line, block->output.at,
                     output.at ? output.at : "");
    }
    buf_release(&script);
    buf_release(&output);
}

static void check_document(const char *file)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    if (buf_read_file(&text, file) < 0) {
        buf_release(&text);
        return;
    }
    struct sh_block block = {.file = file};
    buf_init(&block.commands, 1 << 20);
    buf_init(&block.output, 1 << 20);
    enum { OUTSIDE, IN_SH, IN_TEXT, IN_OTHER } where = OUTSIDE;
    bool pending = false;
    int number = 0;
    struct str rest = buf_text(&text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        number++;
        if (where != OUTSIDE && str_is(line, "```")) {
            pending = pending || where == IN_SH;
            where = OUTSIDE;
        } else if (where == IN_SH || where == IN_TEXT) {
            buf_str(where == IN_SH ? &block.commands : &block.output, line);
            buf_putc(where == IN_SH ? &block.commands : &block.output, '\n');
        } else if (where == OUTSIDE && str_starts(line, "```")) {
            bool is_output = pending && str_is(line, "```text");
            if (pending && !is_output) {
                check_block(&block);
                pending = false;
            }
            if (str_is(line, "```sh")) {
                where = IN_SH;
                block.line = number;
                block.has_output = false;
                buf_clear(&block.commands);
                buf_clear(&block.output);
            } else {
                where = is_output ? IN_TEXT : IN_OTHER;
                block.has_output = is_output;
            }
        }
    }
    if (pending)
        check_block(&block);
    buf_release(&block.commands);
    buf_release(&block.output);
    buf_release(&text);
}

static void documents_speak_the_truth(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        check_document(documents[i]);
}

static void ellipses_match_any_lines(void **state)
{
    (void)state;
    assert_true(matches(STR("a\n...\nd\n"), STR("a\nb\nc\nd\n")));
    assert_true(matches(STR("a\n...\n"), STR("a\nb\n")));
    assert_false(matches(STR("a\n...\nd\n"), STR("a\nb\nc\n")));
    assert_false(matches(STR("a\nb\n"), STR("a\nc\n")));
    assert_false(matches(STR("a\n"), STR("a\nb\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ellipses_match_any_lines),
        cmocka_unit_test(documents_speak_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
