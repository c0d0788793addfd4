/* Every replay command that a report prints is pasted into a shell, in the folder from which the
 * run was made: it must make the same run, and show its findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "reports/report.h"
#include "tests/trial.h"
#include "tests/workspace.h"

static struct workspace workspace;
static char build_path[4096];

static int set_up(void **state)
{
    (void)state;
    const char *build = getenv("REHEARSE_BUILD");
    if (!realpath(build ? build : "build", build_path))
        return -1;
    workspace_init(&workspace, "tests/data/check");
    assert_int_equal(report_make_parents(workspace_path(&workspace, "other folder/x"), NULL), 0);
    assert_int_equal(report_make_parents(workspace_path(&workspace, "deep/er/x"), NULL), 0);
    workspace_write(&workspace, "other folder/it's new.md",
                    "# Shop\n\n## It's \"broken\" -- all $of it\n\n```bash\nfalse\necho complete\n"
                    "```\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workspace_release(&workspace);
    return 0;
}

/* What a shell in that folder prints, both streams; fails the test unless it ends with `want`. */
static char *shell(const char *folder, const char *command, int want)
{
    struct buf script, out;
    buf_init(&script, 1 << 16);
    buf_init(&out, 1 << 22);
    buf_printf(&script,
               "export PATH='%s':\"$PATH\" XDG_STATE_HOME='%s/state'; cd '%s' || exit 9\n%s\n",
               build_path, workspace.path, workspace_path(&workspace, folder), command);
    char path[256];
    snprintf(path, sizeof path, "%s/script.sh", workspace.path);
    assert_int_equal(report_write_file(path, buf_text(&script), NULL), 0);
    FILE *pipe = popen(arena_printf(&workspace.arena, "sh '%s' 2>&1", path), "r");
    assert_non_null(pipe);
    char part[4096];
    size_t n;
    while ((n = fread(part, 1, sizeof part, pipe)) > 0)
        buf_str(&out, (struct str){part, n});
    int status = pclose(pipe);
    if (WEXITSTATUS(status) != want)
        fail_msg("in %s: %s\nended with %d: %s", folder, command, WEXITSTATUS(status), out.at);
    char *text = arena_str(&workspace.arena, buf_text(&out));
    buf_release(&script);
    buf_release(&out);
    return text;
}

static char *file(const char *folder, const char *name)
{
    struct buf text;
    buf_init(&text, REPORT_MAX);
    const char *path =
        workspace_path(&workspace, arena_printf(&workspace.arena, "%s/%s", folder, name));
    if (buf_read_file(&text, path) != 0)
        fail_msg("%s cannot be read", path);
    char *copy = arena_str(&workspace.arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* Between the first `from` and the next `to` behind it; fails the test if there is none. */
static char *between(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("no '%s' in:\n%.2000s", from, text);
    at += strlen(from);
    const char *end = strstr(at, to);
    assert_non_null(end);
    return arena_str(&workspace.arena, (struct str){at, (size_t)(end - at)});
}

/* XML and HTML, in place. */
static char *unescape(char *text)
{
    static const struct {
        const char *escape;
        char c;
    } all[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&amp;", '&'}};
    char *to = text;
    for (const char *at = text; *at;) {
        size_t i = 0;
        while (i < 5 && strncmp(at, all[i].escape, strlen(all[i].escape)) != 0)
            i++;
        *to++ = i < 5 ? all[i].c : *at;
        at += i < 5 ? strlen(all[i].escape) : 1;
    }
    *to = '\0';
    return text;
}

static const char *sarif_replay(const char *text)
{
    cJSON *root = cJSON_Parse(text);
    const cJSON *run = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "runs"), 0);
    const cJSON *result = cJSON_GetArrayItem(cJSON_GetObjectItem(run, "results"), 0);
    const cJSON *replay = cJSON_GetObjectItem(cJSON_GetObjectItem(result, "properties"), "replay");
    assert_true(cJSON_IsString(replay));
    char *copy = arena_strdup(&workspace.arena, replay->valuestring);
    cJSON_Delete(root);
    return copy;
}

/* Pastes a command and looks for what the run had. */
static void paste(const char *folder, const char *where, const char *command,
                  const char *fingerprint)
{
    char *said = shell(folder, command, 1);
    if (!strstr(said, fingerprint) || !strstr(said, "silent_failure"))
        fail_msg("'%s' of %s shows another run:\n%s", command, where, said);
}

/* The files of one run, and what it printed (NULL: check prints none). */
static void paste_all(const char *folder, const char *printed, const char *out)
{
    char *json = file(folder, arena_printf(&workspace.arena, "%s/run.json", out));
    char *fingerprint = between(json, "\"fingerprint\": \"", "\"");
    if (printed)
        paste(folder, "the terminal", between(printed, "  replay: ", "\n\n"), fingerprint);
    char *markdown = file(folder, arena_printf(&workspace.arena, "%s/report.md", out));
    char *html = file(folder, arena_printf(&workspace.arena, "%s/report.html", out));
    paste(folder, "report.md", between(markdown, "from which it was run: `", "`\n"), fingerprint);
    paste(folder, "a finding in report.html",
          unescape(between(html, "<p>Replay: <code>", "</code>")), fingerprint);
    paste(folder, "report.html",
          unescape(between(html, "from which it was run:</p>\n<pre>", "</pre>")), fingerprint);
    paste(folder, "the SARIF log", sarif_replay(file(folder, "s.sarif")), fingerprint);
    paste(folder, "the JUnit file",
          unescape(between(file(folder, "j.xml"), "<property name=\"replay\" value=\"", "\"")),
          fingerprint);
    paste(folder, "a failure in the JUnit file",
          unescape(between(file(folder, "j.xml"), "\nreplay: ", "<")), fingerprint);
}

static void what_run_prints_can_be_pasted(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    static const struct {
        const char *folder, *command;
    } cases[] = {
        {".", "rehearse run lies.yaml --sarif s.sarif --junit j.xml --out o"},
        {"deep/er", "COLUMNS=40 rehearse run ../../lies.yaml --sarif s.sarif --junit j.xml --out o "
                    "--seed 7"},
        {"other folder",
         "rehearse run \"$(realpath ../lies.yaml)\" --sarif s.sarif --junit j.xml "
         "--out o --playbook \"it's new.md\" --section \"It's \\\"broken\\\" -- all "
         "\\$of it\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        paste_all(cases[i].folder, shell(cases[i].folder, cases[i].command, 1), "o");
}

static void what_check_writes_can_be_pasted(void **state)
{
    (void)state;
    if (!trial_possible())
        skip();
    workspace_replace(&workspace, "lies.yaml", "verdict: fail", "verdict: pass");
    (void)shell("deep/er", "rehearse check ../.. --sarif s.sarif --junit j.xml --out o", 1);
    paste_all("deep/er", NULL, "o/shop/lies");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_run_prints_can_be_pasted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_check_writes_can_be_pasted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
