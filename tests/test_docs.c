/* Every command in the documents is executed, and every output shown is true.
 *
 * A ```sh block is run by sh, line after line in one shell, from the repository's root with the
 * fresh ./rehearse first in PATH. A ```text block right after it is what it prints (stdout and
 * stderr); a line "..." there stands for any lines. `make` lines are only checked to name a target
 * that exists: running them here would never end. Every link of ours leads to a file, and to a
 * heading in it if it names one.
 *
 * A ```console or ```bash block is not run: documents use those for other people's commands.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "tests/trial.h"

static const char *const documents[] = {
    "README.md",
    "sim/README.md",
    "fakes/README.md",
    "fakes/kubernetes/README.md",
    "fakes/FIDELITY.md",
    "fakes/YOUR-OWN-COMMANDS.md",
    "procedures/README.md",
    "procedures/drill/README.md",
    "procedures/hp_ti/README.md",
    "reports/README.md",
    "ci/README.md",
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

/* The one thing that is not compared: by what a run was sealed is the machine's (a chroot has no
 * user namespaces). */
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

/* ---- links ---- */

/* The anchor that code hosts give a heading: lower case, blanks as hyphens, only letters, digits,
 * hyphens and underscores. */
static bool heading_is(struct str line, struct str anchor)
{
    size_t n = 0;
    while (line.len && *line.at == '#')
        line.at++, line.len--;
    line = str_trim(line);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.at[i];
        if (!isalnum((unsigned char)c) && !strchr(" -_", c))
            continue;
        c = c == ' ' ? '-' : (char)tolower((unsigned char)c);
        if (n >= anchor.len || anchor.at[n++] != c)
            return false;
    }
    return n == anchor.len;
}

static bool has_heading(const char *file, struct str anchor)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    bool found = false;
    if (buf_read_file(&text, file) == 0) {
        for (struct str rest = buf_text(&text); rest.len && !found;) {
            struct str line = str_cut(&rest, '\n');
            found = str_starts(line, "#") && heading_is(line, anchor);
        }
    }
    buf_release(&text);
    return found;
}

static void check_link(const char *file, int number, struct str target)
{
    struct arena arena = {0};
    if (str_starts(target, "http://") || str_starts(target, "https://") ||
        str_starts(target, "mailto:"))
        return;
    struct str path = str_cut(&target, '#'); /* the anchor is left */
    const char *slash = strrchr(file, '/');
    const char *whole = path.len == 0
                            ? file
                            : arena_printf(&arena, "%.*s%.*s", slash ? (int)(slash - file + 1) : 0,
                                           file, STR_ARG(path));
    if (access(whole, F_OK) != 0)
        fail_msg("%s:%d: the link leads nowhere: %s", file, number, whole);
    if (target.len && !has_heading(whole, target))
        fail_msg("%s:%d: %s has no heading #%.*s", file, number, whole, STR_ARG(target));
    arena_release(&arena);
}

/* Links and pictures, ](target), outside of blocks of code and of `code`. */
static void check_links(const char *file)
{
    struct buf text;
    buf_init(&text, 4 << 20);
    assert_int_equal(buf_read_file(&text, file), 0);
    bool fenced = false;
    int number = 0;
    for (struct str rest = buf_text(&text); rest.len;) {
        struct str line = str_cut(&rest, '\n');
        bool code = false;
        number++;
        if (str_starts(str_trim(line), "```"))
            fenced = !fenced;
        for (size_t i = 0; !fenced && i < line.len; i++) {
            code = line.at[i] == '`' ? !code : code;
            if (code || i + 1 >= line.len || line.at[i] != ']' || line.at[i + 1] != '(')
                continue;
            struct str target = {line.at + i + 2, line.len - i - 2};
            target = str_cut(&target, ')');
            check_link(file, number, str_cut(&target, ' ')); /* a title may follow */
        }
    }
    buf_release(&text);
}

/* All Markdown of ours; not what owners wrote, and what tests feed on. */
static void links_lead_somewhere(void **state)
{
    (void)state;
    FILE *files = popen("find . -name '*.md' -not -path './build*' -not -path './tests/*' -not "
                        "-path '*/rehearse-out/*' "
                        "-not -path '*/playbook.md' -not -path '*/repo/*' | sort",
                        "r");
    assert_non_null(files);
    char file[512];
    int n = 0;
    while (fgets(file, sizeof file, files)) {
        file[strcspn(file, "\n")] = '\0';
        check_links(file + 2); /* behind "./" */
        n++;
    }
    pclose(files);
    assert_true(n > 8);
    assert_true(has_heading("README.md", STR("your-own-playbook")));
    assert_false(has_heading("README.md", STR("your-own")));
}

/* The picture at the top of README.md is what its first drill draws. */
static void the_picture_is_true(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    if (system("folder=$(mktemp -d) && PATH=\"$PWD:$PATH\" && "
               "{ rehearse run procedures/hp_ti/drills/database-migration.yaml --history none "
               "--out $folder >/dev/null; "
               "cmp $folder/timeline.svg reports/example-timeline.svg; status=$?; rm -rf $folder; "
               "exit $status; }") != 0)
        fail_msg("reports/example-timeline.svg is old: copy the timeline.svg of "
                 "hp_ti/database-migration over it");
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
        cmocka_unit_test(links_lead_somewhere),
        cmocka_unit_test(documents_speak_the_truth),
        cmocka_unit_test(the_picture_is_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
