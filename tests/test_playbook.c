/* playbook: documents as their owners wrote them, and the procedure picked out. */
#include "procedures/playbook/playbook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/base/buf.h"
#include "sim/base/doc.h"

static struct arena arena;
static struct error error;

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static struct playbook parse(const char *text)
{
    struct playbook playbook;
    if (playbook_parse(&arena, "p.md", str_of(text), &playbook, &error))
        fail_msg("%s", error.text);
    return playbook;
}

static const char *picked(const struct playbook *playbook, const struct procedure_options *options)
{
    struct procedure procedure;
    struct buf out;
    const char *text;
    if (procedure_pick(&arena, playbook, options, &procedure, &error))
        return error.text;
    buf_init(&out, 1 << 16);
    for (int i = 0; i < procedure.n_lines; i++)
        buf_printf(&out, "%d%s %.*s\n", procedure.lines[i].line,
                   procedure.lines[i].block_start ? ":" : "", STR_ARG(procedure.lines[i].text));
    for (int i = 0; i < procedure.n_notes; i++)
        buf_printf(&out, "%s@%d %s\n", procedure.notes[i].id, procedure.notes[i].line,
                   procedure.notes[i].message);
    text = arena_str(&arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static const char *pick(const char *text, const struct procedure_options *options)
{
    struct playbook playbook = parse(text);
    return picked(&playbook, options);
}

static const char document[] = "---\n"
                               "title: x\n"
                               "---\n"
                               "# Guide\n" /* 4 */
                               "\n"
                               "Some words to read.\n"
                               "\n"
                               "## Roll `back`\n" /* 8 */
                               "\n"
                               "**Steps**:\n" /* 10 */
                               "```bash\n"
                               "one\n" /* 12 */
                               "\n"
                               "two\n"
                               "```\n"
                               "1. **Check**:\n" /* 16 */
                               "   ```sh\n"
                               "   three\n" /* 18 */
                               "     four\n"
                               "   ```\n"
                               "- [ ] tick this box\n" /* 21 */
                               "\n"
                               "| a | b |\n" /* 23 */
                               "|---|---|\n"
                               "| c d | e |\n"
                               "\n"
                               "    indented code\n" /* 27 */
                               "\n"
                               "~~~SQL title=x\n"
                               "SELECT 1;\n" /* 30 */
                               "~~~\n"
                               "```\r\n"
                               "plain\r\n" /* 33 */
                               "```\r\n"
                               "Setext\n" /* 35 */
                               "======\n"
                               "```bash\n"
                               "#!/bin/bash\n" /* 38 */
                               "exit 3\n"
                               "```\n";

static void test_blocks_and_lines(void **state)
{
    struct playbook playbook = parse(document);
    static const struct {
        const char *text;
        int level, line;
    } headings[] = {{"Guide", 1, 4},
                    {"Roll back", 2, 8},
                    {"Steps", 7, 10},
                    {"Check", 7, 16},
                    {"Setext", 1, 35}};
    static const struct {
        enum block_kind kind;
        int line, n_lines, heading, words;
        const char *text;
    } blocks[] = {{BLOCK_PROSE, 6, 1, 0, 4, "Some words to read."},
                  {BLOCK_SHELL, 12, 3, 2, 0, "one\n\ntwo\n"},
                  {BLOCK_SHELL, 18, 2, 3, 0, "three\n  four\n"},
                  {BLOCK_CHECKLIST, 21, 1, 3, 3, "tick this box"},
                  {BLOCK_PROSE, 23, 3, 3, 5, "a b c d e"},
                  {BLOCK_UNTAGGED, 27, 1, 3, 0, "indented code\n"},
                  {BLOCK_SQL, 30, 1, 3, 0, "SELECT 1;\n"},
                  {BLOCK_UNTAGGED, 33, 1, 3, 0, "plain\n"},
                  {BLOCK_SCRIPT, 38, 2, 4, 0, "#!/bin/bash\nexit 3\n"}};
    (void)state;
    assert_int_equal(playbook.n_headings, 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(playbook.headings[i].text, headings[i].text);
        assert_int_equal(playbook.headings[i].level, headings[i].level);
        assert_int_equal(playbook.headings[i].line, headings[i].line);
    }
    assert_int_equal(playbook.n_blocks, 9);
    for (int i = 0; i < 9; i++) {
        const struct block *block = &playbook.blocks[i];
        assert_int_equal(block->kind, blocks[i].kind);
        assert_int_equal(block->line, blocks[i].line);
        assert_int_equal(block->n_lines, blocks[i].n_lines);
        assert_int_equal(block->heading, blocks[i].heading);
        assert_int_equal(block->words, blocks[i].words);
        assert_string_equal(arena_str(&arena, block->text), blocks[i].text);
    }
}

static void test_sections(void **state)
{
    struct playbook playbook =
        parse("# A\n## Roll back\n**Steps**:\n### Deep\n## Verify\n**Steps**:\n## Roll Back\n");
    struct playbook empty = parse("no heading at all\n");
    int first = -1, end = -1;
    (void)state;
    playbook = parse("# A {#a-1}\n");
    assert_string_equal(playbook.headings[0].text, "A");
    playbook =
        parse("# A\n## Roll back\n**Steps**:\n### Deep\n## Verify\n**Steps**:\n## Roll Back\n");
    assert_int_equal(playbook_section(&playbook, "  Verify ", &first, &end, &error), 0);
    assert_int_equal(first, 4);
    assert_int_equal(end, 6);
    assert_int_equal(playbook_section(&playbook, "## verify", &first, &end, &error), 0);
    assert_int_equal(first, 4);
    assert_int_equal(playbook_section(&playbook, "Roll back", &first, &end, &error), 0);
    assert_int_equal(first, 1); /* exact before case-insensitive */
    assert_int_equal(end, 4);
    assert_int_equal(playbook_section(&playbook, "verify > steps", &first, &end, &error), 0);
    assert_int_equal(first, 5);
    assert_int_equal(playbook_section(&playbook, "roll BACK", &first, &end, &error), ERROR_INPUT);
    assert_string_equal(error.text,
                        "2 headings say 'roll BACK' in p.md, on lines 2, 7; write the one above it "
                        "too, such as 'A > roll BACK'");
    assert_int_equal(playbook_section(&playbook, "Steps", &first, &end, &error), ERROR_INPUT);
    assert_string_equal(
        error.text, "2 headings say 'Steps' in p.md, on lines 3, 6; write the one above it too, "
                    "such as 'Roll back > Steps'");
    assert_int_equal(playbook_section(&playbook, "Verfy", &first, &end, &error), ERROR_INPUT);
    assert_string_equal(error.text, "no heading 'Verfy' in p.md; did you mean 'Verify'?");
    assert_int_equal(playbook_section(&playbook, "Completely different", &first, &end, &error),
                     ERROR_INPUT);
    assert_string_equal(error.text, "no heading 'Completely different' in p.md; it has 'A', 'Roll "
                                    "back', 'Deep', 'Verify', 'Roll Back'");
    assert_int_equal(playbook_section(&empty, "X", &first, &end, &error), ERROR_INPUT);
    assert_string_equal(error.text, "no heading 'X' in p.md, which has no headings there");
}

static void test_pick_kinds(void **state)
{
    struct procedure_options options = {.section = "Guide"};
    static const int untagged[] = {33, 0};
    struct playbook playbook = parse(document);
    struct procedure procedure;
    (void)state;
    assert_string_equal(picked(&playbook, &options),
                        "12: one\n13 \n14 two\n18: three\n19   four\n"
                        "untagged_skipped@27 this block names no language and was not run: the "
                        "drill does not list it\n"
                        "sql_skipped@30 this SQL was not run: the drill names no store for it\n"
                        "untagged_skipped@33 this block names no language and was not run: the "
                        "drill does not list it\n");
    options = (struct procedure_options){.untagged = untagged, .sql = true, .section = ""};
    assert_int_equal(procedure_pick(&arena, &playbook, &options, &procedure, &error), 0);
    assert_int_equal(procedure.n_lines, 8);
    assert_int_equal(procedure.lines[0].reading_ns, 4 * MINUTE / 238);
    assert_int_equal(procedure.lines[1].reading_ns, 0);
    assert_int_equal(procedure.lines[5].kind, BLOCK_SQL);
    assert_int_equal(procedure.lines[5].reading_ns, 8 * MINUTE / 238);
    assert_int_equal(procedure.lines[7].kind, BLOCK_SCRIPT);
    assert_string_equal(arena_str(&arena, procedure.lines[7].text), "/tmp/block-38.sh");
    assert_int_equal(procedure.n_scripts, 1);
    assert_string_equal(procedure.scripts[0].path, "/tmp/block-38.sh");
    assert_string_equal(arena_str(&arena, procedure.scripts[0].text), "#!/bin/bash\nexit 3\n");
    assert_int_equal(procedure.reading_after_ns, 0);
}

static void test_script_file(void **state)
{
    struct playbook playbook;
    struct procedure procedure;
    struct procedure_options options = {.arguments = "--fast <env>"};
    const struct binding bind[] = {{"<env>", "prod"}};
    (void)state;
    options.bind = bind;
    options.n_bind = 1;
    assert_int_equal(
        playbook_parse(&arena, "a/roll.sh", STR("set -e\nundo <env>\n"), &playbook, &error), 0);
    assert_int_equal(playbook.n_blocks, 1);
    assert_int_equal(playbook.n_headings, 0);
    assert_int_equal(procedure_pick(&arena, &playbook, &options, &procedure, &error), 0);
    assert_string_equal(procedure.scripts[0].path, "/tmp/roll.sh");
    assert_string_equal(arena_str(&arena, procedure.scripts[0].text), "set -e\nundo prod\n");
    options.n_bind = 0;
    assert_int_equal(procedure_pick(&arena, &playbook, &options, &procedure, &error), ERROR_INPUT);
    assert_string_equal(
        error.text, "a/roll.sh:2: '<env>' waits for a value; give it one in the drill: procedure: "
                    "{bind: {\"<env>\": ...}}");
    assert_int_equal(playbook_parse(&arena, "x", STR("#! /usr/bin/env bash\n# Not a heading\n"),
                                    &playbook, &error),
                     0);
    assert_int_equal(playbook.blocks[0].kind, BLOCK_SCRIPT);
    assert_int_equal(playbook_read(&arena, "tests/none.md", &playbook, &error), ERROR_INPUT);
    assert_string_equal(error.text,
                        "tests/none.md: cannot read the playbook: No such file or directory");
    assert_int_equal(playbook_parse(&arena, "x", (struct str){"a\0b", 3}, &playbook, &error),
                     ERROR_INPUT);
}

static const char ways[] = "```bash\n"
                           "# Try this\n" /* 2 */
                           "first\n"
                           "\n"
                           "# Or give a name:\n"
                           "second\n" /* 6 */
                           "\n"
                           "third\n" /* 8 */
                           "# Alternatively, all\n"
                           "fourth\n" /* 10 */
                           "\n"
                           "# Then verify\n"
                           "fifth\n"
                           "```\n"
                           "```bash\n"
                           "# Option 1: slow\n" /* 16 */
                           "slow\n"
                           "# Option 2: fast\n"
                           "fast\n" /* 19 */
                           "\n"
                           "# Optional extra\n"
                           "extra\n"
                           "```\n";

static void test_alternatives_in_comments(void **state)
{
    static const char *const chosen[] = {"# Or give a name:", "Option 2: fast", NULL};
    struct procedure_options options = {.alternatives = ALTERNATIVES_FIRST};
    (void)state;
    assert_string_equal(
        pick(ways, &options),
        "2: # Try this\n3 first\n4 \n12 # Then verify\n13 fifth\n"
        "16: # Option 1: slow\n17 slow\n21 # Optional extra\n22 extra\n"
        "alternatives@5 not run, the first of these alternatives is: '# Or give a name:'\n"
        "alternatives@9 not run, the first of these alternatives is: '# Alternatively, all'\n"
        "alternatives@18 not run, the first of these alternatives is: '# Option 2: fast'\n");
    options.alternatives = ALTERNATIVES_CHOSEN;
    options.choose = chosen;
    assert_string_equal(
        pick(ways, &options),
        "5: # Or give a name:\n6 second\n7 \n8 third\n12 # Then verify\n13 fifth\n"
        "18: # Option 2: fast\n19 fast\n20 \n21 # Optional extra\n22 extra\n"
        "alternatives@2 not run, the drill chose another way: '# Try this'\n"
        "alternatives@9 not run, the drill chose another way: '# Alternatively, all'\n"
        "alternatives@16 not run, the drill chose another way: '# Option 1: slow'\n");
    options.alternatives = ALTERNATIVES_ALL;
    assert_non_null(strstr(pick(ways, &options), "second\n"));
    assert_non_null(strstr(pick(ways, &options),
                           "alternatives@18 run in a row with what it is an alternative to"));
    options.alternatives =
        ALTERNATIVES_FIRST; /* nothing to be an alternative to; text that only looks like one */
    assert_string_equal(
        pick("```sh\n# Or so\na\ncat <<E\n# Or not\nE\nb # or c\nif d; then\n# Or e\nf; fi\n```\n",
             &options),
        "2: # Or so\n3 a\n4 cat <<E\n5 # Or not\n6 E\n7 b # or c\n8 if d; then\n9 # Or e\n10 f; "
        "fi\n");
}

static void test_choice_among_plain_comments(void **state)
{
    static const char *const chosen[] = {"Kubernetes", NULL};
    struct procedure_options options = {.alternatives = ALTERNATIVES_CHOSEN, .choose = chosen};
    (void)state;
    assert_string_equal(
        pick("```sh\n# Docker\na\n\n# Kubernetes\nb\n```\n```sh\n# Other\nc\n```\n", &options),
        "5: # Kubernetes\n6 b\n9: # Other\n10 c\n"
        "alternatives@2 not run, the drill chose another way: '# Docker'\n");
}

static const char heading_ways[] =
    "# R\n## Option A: undo\n```sh\na\n```\n### Deep\n```sh\nb\n```\n"
    "## Option B: redeploy\n```sh\nc\n```\n## Verify\n**Steps**:\n```sh\nd\n```\n"
    "**Alternative: by hand**:\n```sh\ne\n```\n";

static void test_alternatives_in_headings(void **state)
{
    static const char *const chosen[] = {"option b: redeploy", "Alternative: by hand", NULL};
    struct procedure_options options = {.section = "R"};
    (void)state;
    assert_string_equal(
        pick(heading_ways, &options),
        "4: a\n8: b\n17: d\n"
        "alternatives@10 not run, another way of these alternatives is: 'Option B: redeploy'\n"
        "alternatives@19 not run, another way of these alternatives is: 'Alternative: by hand'\n");
    options.alternatives = ALTERNATIVES_ALL;
    assert_string_equal(pick(heading_ways, &options), "4: a\n8: b\n12: c\n17: d\n21: e\n");
    options.alternatives = ALTERNATIVES_CHOSEN;
    options.choose = chosen;
    assert_string_equal(
        pick(heading_ways, &options),
        "12: c\n21: e\n"
        "alternatives@2 not run, another way of these alternatives is: 'Option A: undo'\n"
        "alternatives@15 not run, another way of these alternatives is: 'Steps'\n");
    options = (struct procedure_options){.section = "Option B: redeploy"};
    assert_string_equal(pick(heading_ways, &options), "12: c\n");
    /* letters are a choice below a heading that offers one, and parts of a whole elsewhere */
    options = (struct procedure_options){.section = NULL};
    assert_string_equal(
        pick("# Rollback options\n## A. Fast\n```sh\na\n```\n## B. Slow\n```sh\nb\n```\n",
             &options),
        "4: a\nalternatives@6 not run, another way of these alternatives is: 'B. Slow'\n");
    assert_string_equal(
        pick("# Rollback\n## A. First\n```sh\na\n```\n## B. Then\n```sh\nb\n```\n", &options),
        "4: a\n8: b\n");
}

static void test_binding(void **state)
{
    static const struct binding bind[] = {{"<svc>", "api"},         {"v[X.Y.Z]", "v1.2.2"},
                                          {"YYYYMMDD", "20260115"}, {"YYYYMMDD-HHMM", "T"},
                                          {"$WHO", "me and you"},   {"STAMP", "7"}};
    struct procedure_options options = {.bind = bind, .n_bind = 6};
    struct playbook playbook =
        parse("```sh\nundo <svc> \"<svc>\" v[X.Y.Z] a-YYYYMMDD b-YYYYMMDD-HHMM \"$WHO\"\n"
              "x-STAMP STAMPED $STAMP STAMP=1\nSTAMP=2\n```\n");
    struct procedure procedure;
    (void)state;
    if (procedure_pick(&arena, &playbook, &options, &procedure, &error))
        fail_msg("%s", error.text);
    assert_string_equal(arena_str(&arena, procedure.lines[0].text),
                        "undo api \"api\" v1.2.2 a-20260115 b-T \"$WHO\"");
    assert_string_equal(arena_str(&arena, procedure.lines[1].text), "x-7 STAMPED $STAMP STAMP=1");
    assert_int_equal(procedure.n_variables, 1);
    assert_string_equal(procedure.variables[0].name, "WHO");
    assert_string_equal(procedure.variables[0].value, "me and you");
}

/* What is refused, with its place; and what looks like a placeholder and is none. */
static void test_unbound(void **state)
{
    static const char *const env[] = {"REGION", NULL};
    static const struct {
        const char *shell, *refused; /* NULL: nothing */
    } cases[] = {
        {"undo deployment/<service> -n x", "p.md:2: '<service>' waits"},
        {"a\n\nb \"c <env>\"", "p.md:4: '<env>' waits"},
        {"git checkout tags/v[previous-version]", "p.md:2: '[previous-version]' waits"},
        {"zcat postgres_[timestamp].sql.gz", "p.md:2: '[timestamp]' waits"},
        {"restore \"pre-TIMESTAMP\"", "p.md:2: 'TIMESTAMP' waits"},
        {"restore backup_YYYYMMDD_HHMMSS.gz", "p.md:2: 'YYYYMMDD_HHMMSS' waits"},
        {"deploy app:vX.Y.Z", "p.md:2: 'vX.Y.Z' waits"},
        {"delete pod web-6f-xxxxx", "p.md:2: 'xxxxx' waits"},
        {"git revert COMMIT_HASH", "p.md:2: 'COMMIT_HASH' waits"},
        {"ping your-server-ip", "p.md:2: 'your-server-ip' waits"},
        {"export COMMIT_SHA; unset PREVIOUS_TAG; a MY_COMMIT_SHA GIT_SHA=1 GIT_SHA_X", NULL},
        {"echo $TRIGGER", "p.md:2: nothing sets '$TRIGGER'"},
        {"echo \"${TRIGGER}\"", "p.md:2: nothing sets '$TRIGGER'"},
        {"cat <<E | apply\nx: $NAME\nE", "p.md:3: nothing sets '$NAME'"},
        {"cat <<E | apply\nx: <name>\nE", "p.md:3: '<name>' waits"},
        {"cat > a.yaml <<E\nx: <name>\nE", "p.md:3: '<name>' waits"},
        {"echo $(undo <x-name>)", "p.md:2: '<x-name>' waits"},
        {"x=$(date)\necho $x ${y:-z} $1 $? $HOME $REGION", NULL},
        {"echo $later\nlater=1", NULL},
        {"for i in 1 2; do read -r line; echo $i $line; done", NULL},
        {"f() { local a=$1 b; b=2; echo $a $b; }", NULL},
        {"((n = 3)); for ((k = 0; k < n; k++)); do echo $k $n; done", NULL},
        {"ls [0-9]* [a-z]x; [ -f x ] && [[ $HOME == [Yy]* ]]", NULL},
        {"echo ${a[0]}; a=(1 2); a[1]=2", NULL},
        {"sort <in >out; cat <file.txt", NULL},
        {"sed 's/<version>/2/' t; grep '[name]' f; curl -d '<html>'", NULL},
        {"echo \"[ERROR] x\" '[INFO]'", NULL},
        {"mktemp /tmp/x.XXXXXX", NULL},
        {"date +%Y%m%d; psql -c \"SELECT to_char(now(), 'YYYY-MM-DD')\"", NULL},
        {"psql -c \"ALTER TABLE t ADD c TIMESTAMP; SELECT CURRENT_TIMESTAMP\"", NULL},
        {"a # replace <this> and $THAT", NULL},
        {"awk '{print $1, $NF}' f; sh -c 'echo $X'", NULL},
    };
    struct procedure_options options = {.environment = env};
    struct buf text;
    (void)state;
    buf_init(&text, 4096);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct playbook playbook;
        struct procedure procedure;
        int r;
        buf_clear(&text);
        buf_printf(&text, "```bash\n%s\n```\n", cases[i].shell);
        playbook = parse(text.at);
        r = procedure_pick(&arena, &playbook, &options, &procedure, &error);
        if (cases[i].refused && (r == 0 || !strstr(error.text, cases[i].refused)))
            fail_msg("%s\n  not refused with %s: %s", cases[i].shell, cases[i].refused,
                     r ? error.text : "");
        if (!cases[i].refused && r)
            fail_msg("%s\n  refused: %s", cases[i].shell, error.text);
    }
    buf_release(&text);
}

static void test_unbound_elsewhere(void **state)
{
    struct procedure_options options = {.section = "B"};
    (void)state;
    assert_string_equal(
        pick("# A\n```sh\nNS=x\n```\n# B\n```sh\nget $NS <a-name>\nget $NS <b-name>\n```\n",
             &options),
        "p.md:7: nothing sets '$NS' (line 3 does, but not for this shell); give it one in the "
        "drill: "
        "procedure: {bind: {\"$NS\": ...}}; also '<a-name>' (line 7), '<b-name>' (line 8)");
    /* a script has a shell of its own, and sees only what is exported to it: refused on the side of
     * caution */
    assert_non_null(
        strstr(pick("# B\n```sh\nNS=x\n```\n```sh\n#!/bin/sh\nget $NS\n```\n", &options),
               "p.md:7: nothing sets '$NS'"));
    assert_string_equal(pick("# B\n```sh\n. ./env\nget $NS\n```\n", &options),
                        "3: . ./env\n4 get $NS\nplaceholder@4 nothing seen here sets '$NS'; a file "
                        "that is sourced may\n");
}

static void test_blanks_in_reports(void **state)
{
    struct procedure_options options = {.section = NULL};
    (void)state;
    assert_string_equal(
        pick("```sh\ncat > /tmp/r.txt <<E\nFrom: v[X.Y.Z]\nWhy: [Reason]\nE\n```\n", &options),
        "2: cat > /tmp/r.txt <<E\n3 From: v[X.Y.Z]\n4 Why: [Reason]\n5 E\n"
        "blank@3 written down as it stands, with blanks nobody filled in: '[X.Y.Z]', "
        "'[Reason]'\n");
}

static void test_manual_edits(void **state)
{
    struct procedure_options options = {.section = NULL};
    (void)state;
    assert_string_equal(
        pick("```sh\na\n\n# 4. Update compose.yml to the tag\n# Change: x\n# To: y\n\n# Edit "
             "app.env\nup -d\n\n"
             "# Update the service selector\npatch service\n\n# Edit x.conf\nsed -i s/a/b/ "
             "x.conf\n```\n",
             &options),
        "2: a\n3 \n4 # 4. Update compose.yml to the tag\n5 # Change: x\n6 # To: y\n7 \n8 # Edit "
        "app.env\n"
        "9 up -d\n10 \n11 # Update the service selector\n12 patch service\n13 \n14 # Edit x.conf\n"
        "15 sed -i s/a/b/ x.conf\n"
        "manual_edit@4 a person must do this by hand, no command does it: '4. Update compose.yml "
        "to the tag'\n"
        "manual_edit@8 a person must do this by hand, no command does it: 'Edit app.env'\n");
}

static void test_transcripts(void **state)
{
    struct procedure_options options = {.section = NULL};
    (void)state;
    assert_string_equal(pick("```console\n$ a \\\n  b\nanswer of a\n$ c\n```\n", &options),
                        "2: a \\\n3   b\n5 c\n");
}

static void test_bad_binding(void **state)
{
    const struct binding bind[] = {{"<x>", "a\nb"}};
    struct procedure_options options = {.bind = bind, .n_bind = 1};
    (void)state;
    assert_string_equal(
        pick("# a\n", &options),
        "the value bound to '<x>' has more than one line; a placeholder stands in one line");
}

/* The owners' documents, where they are at hand: what stands where was counted by hand in the
 * files. */
static void test_owners_documents(void **state)
{
    static const struct {
        const char *file;
        int headings, bold, shell, scripts, sql;
        const char *section;
        int first_line, n_lines;
        const char *last;
    } cases[] = {
        {"hap.md", 15, 8, 6, 0, 1, "2. Full Service Rollback", 22, 14, NULL},
        {"hp_ti.md", 39, 18, 18, 0, 0, "Scenario 2: Database Migration Issues", 158, 27,
         "./deployment/scripts/health_check.sh --post-deploy"},
        {"qec_sft.md", 25, 0, 8, 0, 1, "1. System Health Verification", 90, 11,
         "curl -f http://grafana:3000/api/health"},
        {"hyperpage.md", 21, 0, 1, 4, 0, "Emergency Rollback Script", 30, 1, "/tmp/block-30.sh"},
        {"hal9.md", 43, 5, 25, 0, 0, "Canary", 47, 1,
         "hal9-migrate rollback --from-phase canary --percentage 0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[200];
        struct playbook playbook;
        struct procedure procedure;
        struct procedure_options options = {.section = cases[i].section};
        int bold = 0, kinds[8] = {0};
        snprintf(path, sizeof path, "../shared/playbooks/%s", cases[i].file);
        if (playbook_read(&arena, path, &playbook, &error)) {
            print_message("%s is not here\n", cases[i].file);
            skip();
        }
        for (int j = 0; j < playbook.n_headings; j++)
            bold += playbook.headings[j].bold_line;
        for (int j = 0; j < playbook.n_blocks; j++)
            kinds[playbook.blocks[j].kind]++;
        assert_int_equal(playbook.n_headings - bold, cases[i].headings);
        assert_int_equal(bold, cases[i].bold);
        assert_int_equal(kinds[BLOCK_SHELL], cases[i].shell);
        assert_int_equal(kinds[BLOCK_SCRIPT], cases[i].scripts);
        assert_int_equal(kinds[BLOCK_SQL], cases[i].sql);
        if (procedure_pick(&arena, &playbook, &options, &procedure, &error))
            fail_msg("%s", error.text);
        assert_int_equal(procedure.lines[0].line, cases[i].first_line);
        assert_int_equal(procedure.n_lines, cases[i].n_lines);
        if (cases[i].last)
            assert_string_equal(arena_str(&arena, procedure.lines[procedure.n_lines - 1].text),
                                cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_blocks_and_lines, teardown),
        cmocka_unit_test_teardown(test_sections, teardown),
        cmocka_unit_test_teardown(test_pick_kinds, teardown),
        cmocka_unit_test_teardown(test_script_file, teardown),
        cmocka_unit_test_teardown(test_alternatives_in_comments, teardown),
        cmocka_unit_test_teardown(test_choice_among_plain_comments, teardown),
        cmocka_unit_test_teardown(test_alternatives_in_headings, teardown),
        cmocka_unit_test_teardown(test_binding, teardown),
        cmocka_unit_test_teardown(test_unbound, teardown),
        cmocka_unit_test_teardown(test_unbound_elsewhere, teardown),
        cmocka_unit_test_teardown(test_blanks_in_reports, teardown),
        cmocka_unit_test_teardown(test_manual_edits, teardown),
        cmocka_unit_test_teardown(test_transcripts, teardown),
        cmocka_unit_test_teardown(test_bad_binding, teardown),
        cmocka_unit_test_teardown(test_owners_documents, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
