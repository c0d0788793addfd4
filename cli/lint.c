/* rehearse lint: what can be said about playbooks without running them. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/arguments.h"
#include "procedures/lint/lint.h"
#include "reports/json_writer.h"

enum { PLAYBOOKS_MAX = 256, NEVER_FAIL = LINT_ERROR + 1, OUTPUT_MAX = 64 << 20 };

struct counts {
    int by_severity[LINT_ERROR + 1];
    int files, commands;
};

static bool severity_of(const char *word, int *ret)
{
    static const char *const words[] = {"note", "warning", "error", "never"};
    for (int i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = i;
            return true;
        }
    return false;
}

static void add_text(struct buf *out, const struct lint_finding *finding)
{
    buf_printf(out, "%s:%d", finding->file, finding->line);
    if (finding->column)
        buf_printf(out, ":%d", finding->column);
    buf_printf(out, ": %s %s: %s\n", finding->rule->id,
               lint_severity_names[finding->rule->severity], finding->message);
}

static void add_json(struct json_writer *json, const struct lint_finding *finding)
{
    json_open_object(json, NULL);
    json_string(json, "id", finding->rule->id);
    json_string(json, "severity", lint_severity_names[finding->rule->severity]);
    json_string(json, "file", finding->file);
    json_integer(json, "line", finding->line);
    if (finding->column)
        json_integer(json, "column", finding->column);
    json_string(json, "message", finding->message);
    json_string(json, "title", finding->rule->title);
    json_string(json, "mend", finding->rule->mend);
    json_close_object(json);
}

static int lint_file(const char *path, struct buf *text, struct json_writer *json,
                     struct counts *counts, struct error *error)
{
    struct arena arena = {0};
    struct playbook playbook;
    struct lint_result result;
    int r = playbook_read(&arena, path, &playbook, error);
    if (r == 0) {
        lint_playbook(&arena, &playbook, &result);
        counts->files++;
        counts->commands += result.n_commands;
        for (int i = 0; i < result.n_findings; i++) {
            counts->by_severity[result.findings[i].rule->severity]++;
            if (json)
                add_json(json, &result.findings[i]);
            else
                add_text(text, &result.findings[i]);
        }
    }
    arena_release(&arena);
    return r;
}

static void add_counts(struct json_writer *json, const struct counts *counts)
{
    json_open_object(json, "counts");
    json_integer(json, "files", counts->files);
    json_integer(json, "commands", counts->commands);
    for (int i = LINT_ERROR; i >= LINT_NOTE; i--)
        json_integer(json, lint_severity_names[i], counts->by_severity[i]);
    json_close_object(json);
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

static int lint_all(const char *const *paths, int n, bool as_json, struct counts *counts,
                    struct error *error)
{
    struct buf out;
    struct json_writer json = {.buf = &out};
    int r = 0;
    buf_init(&out, OUTPUT_MAX);
    if (as_json) {
        json_open_object(&json, NULL);
        json_string(&json, "format", "rehearse.lint/1");
        json_open_array(&json, "findings");
    }
    for (int i = 0; i < n && r == 0; i++)
        r = lint_file(paths[i], &out, as_json ? &json : NULL, counts, error);
    if (r == 0 && as_json) {
        json_close_array(&json);
        add_counts(&json, counts);
        json_close_object(&json);
        buf_putc(&out, '\n');
    }
    if (r == 0)
        fwrite(out.at ? out.at : "", 1, out.len, stdout);
    if (r == 0 && !as_json) {
        const int *by = counts->by_severity;
        printf("%d error%s, %d warning%s, %d note%s in %d file%s (%d command%s)\n", by[LINT_ERROR],
               plural(by[LINT_ERROR]), by[LINT_WARNING], plural(by[LINT_WARNING]), by[LINT_NOTE],
               plural(by[LINT_NOTE]), counts->files, plural(counts->files), counts->commands,
               plural(counts->commands));
    }
    buf_release(&out);
    return r;
}

static int run(int argc, char **argv)
{
    const char *format = "text", *fail_on_word = "error", *paths[PLAYBOOKS_MAX];
    const struct option_spec specs[] = {
        {"--format", &format, NULL}, {"--fail-on", &fail_on_word, NULL}, {NULL, NULL, NULL}};
    struct counts counts = {{0}, 0, 0};
    struct error error = {""};
    int fail_on = LINT_ERROR, failed = 0, r;
    int n = arguments_parse(argc, argv, specs, paths, PLAYBOOKS_MAX, &error);
    if (n < 0)
        return arguments_fail(n, &error);
    if (n == 0 || n > PLAYBOOKS_MAX)
        return arguments_fail(
            error_set(&error, ERROR_INPUT,
                      n ? "lint: more than 256 playbooks at once"
                        : "lint: which playbook? give the path of a Markdown or shell file"),
            &error);
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return arguments_fail(
            error_set(&error, ERROR_INPUT, "--format '%s' is not known: text or json", format),
            &error);
    if (!severity_of(fail_on_word, &fail_on))
        return arguments_fail(error_set(&error, ERROR_INPUT,
                                      "--fail-on '%s' is not known: note, warning, error or never",
                                      fail_on_word),
                            &error);
    r = lint_all(paths, n, strcmp(format, "json") == 0, &counts, &error);
    if (r < 0)
        return arguments_fail(r, &error);
    for (int i = fail_on; i <= LINT_ERROR; i++)
        failed += counts.by_severity[i];
    return failed ? EXIT_MISSED : EXIT_PASS;
}

const struct command command_lint = {
    .name = "lint",
    .usage = "PLAYBOOK... [--format text|json] [--fail-on note|warning|error|never]",
    .summary = "what can be said about a playbook without running it",
    .help = "  PLAYBOOK    Markdown with shell blocks, or a shell script\n"
            "  --format    text (default): one line a finding, file:line:column: RULE severity: "
            "message;\n"
            "              json: one document, rehearse.lint/1\n"
            "  --fail-on   end with 1 if there is a finding of this severity or above (default: "
            "error)\n\n"
            "  rehearse explain RB001 says why a rule matters and how to mend what it finds.\n",
    .run = run,
};
