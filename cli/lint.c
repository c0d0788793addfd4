/* rehearse lint: what can be said about playbooks without running them. */
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "procedures/lint/lint.h"
#include "reports/json_writer.h"
#include "sim/base/version.h"

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

/* The findings of a run as which it shows. */
static void add_shows_as(struct json_writer *json, const struct lint_rule *rule)
{
    struct str rest = str_of(rule->twins);
    json_open_array(json, "shows_as");
    while (rest.len)
        json_bytes(json, NULL, str_cut(&rest, ' '));
    json_close_array(json);
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
    add_shows_as(json, finding->rule);
    json_close_object(json);
}

/* ---- SARIF 2.1.0, for code scanning ---- */

static void add_sarif_text(struct json_writer *json, const char *key, const char *text)
{
    json_open_object(json, key);
    json_string(json, "text", text);
    json_close_object(json);
}

static void add_sarif_rules(struct json_writer *json)
{
    json_open_array(json, "rules");
    for (const struct lint_rule *rule = lint_rules; rule->id; rule++) {
        json_open_object(json, NULL);
        json_string(json, "id", rule->id);
        add_sarif_text(json, "shortDescription", rule->title);
        add_sarif_text(json, "fullDescription", rule->why);
        add_sarif_text(json, "help", rule->mend);
        json_open_object(json, "defaultConfiguration");
        json_string(json, "level", lint_severity_names[rule->severity]);
        json_close_object(json);
        json_open_object(json, "properties");
        add_shows_as(json, rule);
        json_close_object(json);
        json_close_object(json);
    }
    json_close_array(json);
}

/* A path as a relative reference of RFC 3986. */
static void add_sarif_uri(struct json_writer *json, const char *path)
{
    struct buf uri;
    buf_init(&uri, 1 << 16);
    for (const char *at = path; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("/-._~", c))
            buf_putc(&uri, (char)c);
        else
            buf_printf(&uri, "%%%02X", c);
    }
    json_string(json, "uri", uri.at ? uri.at : "");
    buf_release(&uri);
}

static void add_sarif(struct json_writer *json, const struct lint_finding *finding)
{
    json_open_object(json, NULL);
    json_string(json, "ruleId", finding->rule->id);
    json_integer(json, "ruleIndex", finding->rule - lint_rules);
    json_string(json, "level", lint_severity_names[finding->rule->severity]);
    add_sarif_text(json, "message", finding->message);
    json_open_array(json, "locations");
    json_open_object(json, NULL);
    json_open_object(json, "physicalLocation");
    json_open_object(json, "artifactLocation");
    add_sarif_uri(json, finding->file);
    json_close_object(json);
    json_open_object(json, "region");
    json_integer(json, "startLine", finding->line);
    if (finding->column)
        json_integer(json, "startColumn", finding->column);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

static void open_sarif(struct json_writer *json)
{
    json_open_object(json, NULL);
    json_string(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_string(json, "version", "2.1.0");
    json_open_array(json, "runs");
    json_open_object(json, NULL);
    json_string(json, "columnKind", "unicodeCodePoints");
    json_open_object(json, "tool");
    json_open_object(json, "driver");
    json_string(json, "name", "rehearse lint");
    json_string(json, "version", REHEARSE_VERSION);
    add_sarif_rules(json);
    json_close_object(json);
    json_close_object(json);
    json_open_array(json, "results");
}

static void close_sarif(struct json_writer *json)
{
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

/* ---- files ---- */

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

static bool format_of(const char *word, enum format *ret)
{
    static const char *const words[] = {"text", "json", "sarif"};
    for (int i = 0; i < 3; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum format)i;
            return true;
        }
    return false;
}

struct output {
    enum format format;
    struct buf buf;
    struct json_writer json;
    struct counts counts;
};

static int lint_file(const char *path, struct output *output, struct error *error)
{
    struct arena arena = {0};
    struct playbook playbook;
    struct lint_result result;
    int r = playbook_read(&arena, path, &playbook, error);
    if (r == 0) {
        lint_playbook(&arena, &playbook, &result);
        output->counts.files++;
        output->counts.commands += result.n_commands;
        if (result.n_left_out)
            fprintf(stderr, "rehearse: %s: the first %d commands were looked at, %d were not\n",
                    path, result.n_commands, result.n_left_out);
        if (!result.n_blocks && output->format == FORMAT_TEXT)
            fprintf(stderr, "rehearse: %s: no shell in it; shell blocks begin with ```bash\n",
                    path);
        for (int i = 0; i < result.n_findings; i++) {
            output->counts.by_severity[result.findings[i].rule->severity]++;
            if (output->format == FORMAT_JSON)
                add_json(&output->json, &result.findings[i]);
            else if (output->format == FORMAT_SARIF)
                add_sarif(&output->json, &result.findings[i]);
            else
                add_text(&output->buf, &result.findings[i]);
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

static void add_summary(struct buf *out, const struct counts *counts)
{
    const int *by = counts->by_severity;
    buf_printf(out, "%d error%s, %d warning%s, %d note%s in %d file%s (%d command%s)\n",
               by[LINT_ERROR], plural(by[LINT_ERROR]), by[LINT_WARNING], plural(by[LINT_WARNING]),
               by[LINT_NOTE], plural(by[LINT_NOTE]), counts->files, plural(counts->files),
               counts->commands, plural(counts->commands));
}

static void begin(struct output *output)
{
    if (output->format == FORMAT_SARIF)
        open_sarif(&output->json);
    if (output->format == FORMAT_JSON) {
        json_open_object(&output->json, NULL);
        json_string(&output->json, "format", "rehearse.lint/1");
        json_open_array(&output->json, "findings");
    }
}

static void end(struct output *output)
{
    if (output->format == FORMAT_TEXT) {
        add_summary(&output->buf, &output->counts);
        return;
    }
    if (output->format == FORMAT_SARIF) {
        close_sarif(&output->json);
    } else {
        json_close_array(&output->json);
        add_counts(&output->json, &output->counts);
        json_close_object(&output->json);
    }
    buf_putc(&output->buf, '\n');
}

/* Nothing is written unless all could be read. */
static int lint_all(const char *const *paths, int n, struct output *output, struct error *error)
{
    int r = 0;
    buf_init(&output->buf, OUTPUT_MAX);
    output->json = (struct json_writer){.buf = &output->buf};
    begin(output);
    for (int i = 0; i < n && r == 0; i++)
        r = lint_file(paths[i], output, error);
    if (r == 0) {
        end(output);
        fwrite(output->buf.at, 1, output->buf.len, stdout);
    }
    buf_release(&output->buf);
    return r;
}

static int run(int argc, char **argv)
{
    const char *format = "text", *fail_on_word = "error", *paths[PLAYBOOKS_MAX];
    const struct option_spec specs[] = {
        {"--format", &format, NULL}, {"--fail-on", &fail_on_word, NULL}, {NULL, NULL, NULL}};
    struct output output = {.format = FORMAT_TEXT};
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
    if (!format_of(format, &output.format))
        return arguments_fail(error_set(&error, ERROR_INPUT,
                                        "--format '%s' is not known: text, json or sarif", format),
                              &error);
    if (!severity_of(fail_on_word, &fail_on))
        return arguments_fail(
            error_set(&error, ERROR_INPUT,
                      "--fail-on '%s' is not known: note, warning, error or never", fail_on_word),
            &error);
    r = lint_all(paths, n, &output, &error);
    if (r < 0)
        return arguments_fail(r, &error);
    for (int i = fail_on; i <= LINT_ERROR; i++)
        failed += output.counts.by_severity[i];
    return failed ? EXIT_MISSED : EXIT_PASS;
}

const struct command command_lint = {
    .name = "lint",
    .usage = "PLAYBOOK... [--format text|json|sarif] [--fail-on note|warning|error|never]",
    .summary = "what can be said about a playbook without running it",
    .help =
        "  PLAYBOOK    Markdown with shell blocks, or a shell script\n"
        "  --format    text (default): one line a finding, file:line:column: RULE severity: "
        "message;\n"
        "              json: one document, rehearse.lint/1; sarif: SARIF 2.1.0, for code scanning\n"
        "  --fail-on   end with 1 if there is a finding of this severity or above (default: "
        "error)\n\n"
        "  rehearse explain RB001 says why a rule matters and how to mend what it finds.\n",
    .run = run,
};
