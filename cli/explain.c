/* rehearse explain: why a finding of a run, or a rule of lint, matters, and how to mend it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "procedures/lint/lint.h"
#include "reports/explain.h"

enum { WIDTH = 78 };

/* The text in lines of at most WIDTH columns, each behind two blanks. */
static void print_wrapped(const char *text)
{
    int column = 0;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column && column + 1 + len > WIDTH) {
            putchar('\n');
            column = 0;
        }
        column += printf("%s%.*s", column ? " " : "  ", len, text);
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_section(const char *title, const char *text)
{
    if (!*text)
        return;
    printf("\n%s\n", title);
    print_wrapped(text);
}

static void explain_rule(const struct lint_rule *rule)
{
    printf("%s: %s (%s, lint)\n", rule->id, rule->title, lint_severity_names[rule->severity]);
    print_section("Why it bites", rule->why);
    print_section("How to mend it", rule->mend);
    print_section("In a run it shows as", rule->twins);
}

/* The rules of lint that name this finding as their twin. */
static const char *rules_of(const char *id)
{
    static char text[400];
    size_t n = 0;
    text[0] = '\0';
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++) {
        struct str rest = str_of(rule->twins);
        while (rest.len)
            if (str_is(str_cut(&rest, ' '), id) && n + 8 < sizeof text)
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", rule->id);
    }
    return text;
}

/* "gate end_state, target Rollback", or "". */
static const char *felled_by(const struct finding_kind *kind, struct arena *arena)
{
    const char *all = "";
    for (int i = 0; i < GATES; i++)
        if (kind->gates >> i & 1)
            all = arena_printf(arena, "%s%sgate %s", all, *all ? ", " : "", gate_names[i]);
    for (int i = 0; i < MEASURES; i++)
        if (kind->measures >> i & 1)
            all = arena_printf(arena, "%s%starget %s", all, *all ? ", " : "",
                               measure_title((enum measure)i));
    return all;
}

static void print_severity(const struct finding_kind *kind)
{
    struct arena arena = {0};
    const char *what = felled_by(kind, &arena);
    const char *otherwise = kind->severity == SEVERITY_NOTE ? "note" : "warning";
    const char *text =
        kind->severity == SEVERITY_ERROR ? "An error: what it tells of has fallen."
        : *what                          ? arena_printf(&arena,
                                                        "An error where one of these fell in the run, and can have fallen "
                                                                                 "by it: %s. Else a %s.",
                                                        what, otherwise)
                                         : arena_printf(&arena, "A %s.", otherwise);
    print_section("How bad it is", text);
    arena_release(&arena);
}

static void explain_kind(const struct finding_kind *kind)
{
    printf("%s: %s (finding of a run)\n", kind->id, kind->title);
    print_section("Why it bites", kind->why);
    print_section("How to mend it", kind->mend);
    print_severity(kind);
    print_section("Lint sees it as", rules_of(kind->id));
}

static void list_all(void)
{
    puts("Findings of a run:");
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++)
        printf("  %-22s %s\n", kind->id, kind->title);
    puts("\nRules of lint:");
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++)
        printf("  %-6s %-8s %s\n", rule->id, lint_severity_names[rule->severity], rule->title);
}

static int explain(const char *id, struct error *error)
{
    const struct lint_rule *rule = lint_rule(id);
    const struct finding_kind *kind = finding_kind(id);
    const char *near;
    if (rule) {
        explain_rule(rule);
        return 0;
    }
    if (kind) {
        explain_kind(kind);
        return 0;
    }
    near = finding_kind_near(id);
    if (near && strncasecmp(id, "RB", 2) != 0)
        return error_set(error, ERROR_INPUT, "no finding '%s'; did you mean '%s'?", id, near);
    return error_set(error, ERROR_INPUT, "no finding or rule '%s'; 'rehearse explain' lists them",
                     id);
}

static int run(int argc, char **argv)
{
    static const struct option_spec specs[] = {{NULL, NULL, NULL}};
    enum { IDS_MAX = 16 };
    const char *ids[IDS_MAX];
    struct error error = {""};
    int n = arguments_parse(argc, argv, specs, ids, IDS_MAX, &error);
    if (n < 0)
        return arguments_fail(n, &error);
    if (n == 0)
        list_all();
    for (int i = 0; i < n && i < IDS_MAX; i++) {
        int r;
        if (i)
            putchar('\n');
        if ((r = explain(ids[i], &error)) < 0)
            return arguments_fail(r, &error);
    }
    return EXIT_PASS;
}

const struct command command_explain = {
    .name = "explain",
    .usage = "[ID...]",
    .summary = "why a finding or a rule matters, and how to mend it",
    .help = "  ID   of a finding (false_success), or of a rule of lint (RB001); without one, all "
            "are listed\n",
    .run = run,
};
