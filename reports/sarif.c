/* SARIF 2.1.0: findings at their lines, with the explanations as rules, for code scanning. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "reports/explain.h"
#include "reports/json_writer.h"
#include "reports/summary.h"
#include "reports/words.h"
#include "sim/base/version.h"

static const char *const levels[] = {"error", "warning", "note"};

static void put_text(struct json_writer *json, const char *key, const char *text)
{
    json_open_object(json, key);
    json_string(json, "text", text);
    json_close_object(json);
}

/* All kinds are listed, used or not: a rule's index is its place in the table. */
static void put_rules(struct json_writer *json)
{
    json_open_array(json, "rules");
    for (const struct finding_kind *kind = finding_kinds; kind->id; kind++) {
        json_open_object(json, NULL);
        json_string(json, "id", kind->id);
        put_text(json, "shortDescription", kind->title);
        put_text(json, "fullDescription", kind->why);
        put_text(json, "help", kind->mend);
        json_open_object(json, "defaultConfiguration");
        json_string(json, "level", levels[kind->severity]);
        json_close_object(json);
        json_close_object(json);
    }
    json_close_array(json);
}

/* A relative reference as RFC 3986 has it; the owner's paths may hold anything. */
static const char *uri_of(struct arena *arena, const char *path)
{
    struct buf buf;
    buf_init(&buf, 1 << 16);
    const char *colon = strchr(path, ':'), *slash = strchr(path, '/');
    if (colon && (!slash || colon < slash)) /* else the first part would read as a scheme */
        buf_puts(&buf, "./");
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (isalnum(c) || strchr("/-._~!$&'()*+,;=:@", c))
            buf_putc(&buf, (char)c);
        else
            buf_printf(&buf, "%%%02X", c);
    }
    const char *uri = arena_str(arena, buf_text(&buf));
    buf_release(&buf);
    return uri;
}

/* What stays the same about a finding when a line moves and a measure comes out a little different:
 * its words without the numbers and their units. */
static const char *without_numbers(struct arena *arena, const char *text)
{
    static const char *const units[] = {" h", " min", " ms", " s"};
    char *out = arena_strdup(arena, text), *to = out;
    for (const char *at = text; *at;) {
        if (!isdigit((unsigned char)*at)) {
            *to++ = *at++;
            continue;
        }
        while (isdigit((unsigned char)*at) ||
               (*at && strchr(".,:", *at) && isdigit((unsigned char)at[1])))
            at++;
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            size_t len = strlen(units[i]);
            if (strncmp(at, units[i], len) == 0 && !isalpha((unsigned char)at[len])) {
                at += len + (at[len] == ' ' &&
                             isdigit((unsigned char)at[len + 1])); /* "1 h 50 min" is one number */
                break;
            }
        }
        if (to == out || to[-1] != '#')
            *to++ = '#';
    }
    *to = '\0';
    return out;
}

/* A list of one place; what is there, if that is to be said. */
static void put_location(struct json_writer *json, const char *key,
                         const struct summary_finding *finding, int line, const char *what,
                         struct arena *arena)
{
    json_open_array(json, key);
    json_open_object(json, NULL);
    json_open_object(json, "physicalLocation");
    json_open_object(json, "artifactLocation");
    json_string(json, "uri", uri_of(arena, *finding->file ? finding->file : "playbook"));
    json_close_object(json);
    json_open_object(json, "region"); /* code scanning shows nothing without a line */
    json_integer(json, "startLine", line > 0 ? line : 1);
    json_close_object(json);
    json_close_object(json);
    if (what)
        put_text(json, "message", what);
    json_close_object(json);
    json_close_array(json);
}

static void put_result(struct json_writer *json, const struct summary *summary,
                       const struct summary_finding *finding, struct arena *arena)
{
    const struct finding_kind *kind = finding_kind(finding->id);
    json_open_object(json, NULL);
    json_string(json, "ruleId", finding->id);
    if (kind)
        json_integer(json, "ruleIndex", kind - finding_kinds);
    json_string(json, "level", levels[finding->severity]);
    put_text(json, "message",
             arena_printf(arena, "%s%s%s", finding->message, *finding->evidence ? "\n" : "",
                          finding->evidence));
    put_location(json, "locations", finding, finding->line, NULL, arena);
    if (finding->lint)
        put_location(json, "relatedLocations", finding, finding->lint_line,
                     arena_printf(arena, "rehearse lint %s",
                                  words_rule(arena, finding->lint, finding->lint_title,
                                             finding->lint_line, finding->lint_line)),
                     arena);
    json_open_object(json, "partialFingerprints");
    json_string(json, "rehearse/1",
                arena_printf(arena, "%s|%s|%s|%s", summary->drill, finding->id, finding->file,
                             without_numbers(arena, finding->message)));
    json_close_object(json);
    if (finding->waived) {
        json_open_array(json, "suppressions");
        json_open_object(json, NULL);
        json_string(json, "kind", "external");
        json_string(json, "justification", finding->waived);
        json_close_object(json);
        json_close_array(json);
    }
    json_open_object(json, "properties");
    json_string(json, "drill", summary->drill);
    json_string(json, "replay", finding->replay);
    if (finding->lint)
        json_string(json, "lint", finding->lint);
    json_close_object(json);
    json_close_object(json);
}

void summaries_sarif(const struct summary *summaries, int n, struct buf *buf)
{
    struct arena arena = {0};
    struct json_writer writer = {.buf = buf}, *json = &writer;
    json_open_object(json, NULL);
    json_string(json, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_string(json, "version", "2.1.0");
    json_open_array(json, "runs");
    json_open_object(json, NULL);
    json_open_object(json, "tool");
    json_open_object(json, "driver");
    json_string(json, "name", "rehearse");
    json_string(json, "version", REHEARSE_VERSION);
    put_rules(json);
    json_close_object(json);
    json_close_object(json);
    json_string(json, "columnKind", "unicodeCodePoints");
    json_open_array(json, "results");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < summaries[i].n_findings; k++)
            put_result(json, &summaries[i], &summaries[i].findings[k], &arena);
    }
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    arena_release(&arena);
}
