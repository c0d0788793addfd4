/* watch: runs a command again and again in virtual time, and shows its output plainly, without a
 * screen.
 *
 * The real one draws with ncurses on a terminal; what matters to a rehearsal is which commands run
 * when and what they say. -g ends when the output changes, -e when the command fails, Ctrl-C
 * always.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/fake.h"
#include "fakes/options.h"

enum { OUTPUT_MAX = 1 << 20 };

static const char usage[] = "Usage:\n watch [options] command\n\nOptions:\n"
                            "  -b, --beep             beep if command has a non-zero exit\n"
                            "  -c, --color            interpret ANSI color and style sequences\n"
                            "  -d, --differences[=<permanent>]\n                         highlight "
                            "changes between updates\n"
                            "  -e, --errexit          exit if command has a non-zero exit\n"
                            "  -g, --chgexit          exit when output from command changes\n"
                            "  -n, --interval <secs>  seconds to wait between updates\n"
                            "  -p, --precise          attempt run command in precise intervals\n"
                            "  -t, --no-title         turn off header\n"
                            "  -x, --exec             pass command to exec instead of \"sh -c\"\n\n"
                            " -h, --help     display this help and exit\n"
                            " -v, --version  output version information and exit\n\n"
                            "For more details see watch(1).\n";

static const char *join(struct arena *arena, char *const *words)
{
    const char *text = "";
    for (; *words; words++)
        text = arena_printf(arena, "%s%s%s", text, text[0] ? " " : "", *words);
    return text;
}

static void title(struct call *call, double interval_s, const char *command)
{
    char when[64];
    time_t now = (time_t)(call_unix_ns(call) / SECOND);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &tm);
    const char *left = arena_printf(call->arena, "Every %.1fs: %s", interval_s, command);
    const char *host = call->place[0] ? call->place : call_getenv(call, "HOSTNAME");
    const char *right = host ? arena_printf(call->arena, "%s: %s", host, when) : when;
    int gap = 80 - (int)strlen(left) - (int)strlen(right);
    call_out(call, "%s%*s%s\n\n", left, gap > 1 ? gap : 1, "", right);
}

/* Seconds, at least 0.1; a comma is as good as a point. */
static bool interval(const char *text, double *ret_s)
{
    char copy[32] = "", *end;
    if (strlen(text) >= sizeof copy)
        return false;
    memcpy(copy, text, strlen(text) + 1);
    char *comma = strchr(copy, ',');
    if (comma)
        *comma = '.';
    double value = strtod(copy, &end);
    if (end == copy || *end || value > 4294967295.0)
        return false;
    *ret_s = value < 0.1 ? 0.1 : value;
    return true;
}

static int run(struct call *call)
{
    struct options options;
    double interval_s = 2;
    options_parse(
        call->arena, OPTIONS_GETOPT,
        "beep|b color|c differences|d errexit|e chgexit|g interval|n= precise|p no-title|t exec|x "
        "no-wrap|w equexit|q= no-rerun|r help|h version|v",
        false, call->argv, &options);
    if (options_has(&options, "help")) {
        call_out(call, "%s", usage);
        return 0;
    }
    if (options_has(&options, "version")) {
        call_out(call, "watch from procps-ng 4.0.2\n");
        return 0;
    }
    const char *text = options_value(&options, "interval", call_getenv(call, "WATCH_INTERVAL"));
    if (options.error || !options.args[0]) {
        if (options.error)
            call_err(call, "watch: %s\n", options.error);
        call_err(call, "%s", usage);
        return 1;
    }
    if (text && !interval(text, &interval_s)) {
        call_err(call, "watch: failed to parse argument: '%s'\n", text);
        return 1;
    }
    const char *command = join(call->arena, options.args);
    char *shell[] = {arena_strdup(call->arena, "sh"), arena_strdup(call->arena, "-c"),
                     arena_strdup(call->arena, command), NULL};
    char **argv = options_has(&options, "exec") ? options.args : shell;
    bool compares = options_has(&options, "chgexit");
    const char *before = NULL;
    for (;;) {
        int64_t started_ns = call_now(call);
        if (!options_has(&options, "no-title"))
            title(call, interval_s, command);
        int status;
        if (compares) {
            struct buf out;
            buf_init(&out, OUTPUT_MAX);
            struct buf *kept = ARENA_NEW(call->arena, struct buf);
            *kept = out;
            call_defer(call, (void (*)(void *))buf_release, kept);
            status = call_capture(call, argv, kept);
            const char *now = arena_str(call->arena, buf_text(kept));
            buf_clear(kept);
            call_out(call, "%s", now);
            if (before && strcmp(before, now) != 0)
                return 0;
            before = now;
        } else {
            status = call_run(call, argv);
        }
        if (status && options_has(&options, "errexit")) {
            call_out(call, "command exit with a non-zero status, press a key to exit\n");
            return 8;
        }
        int64_t wait_ns = (int64_t)(interval_s * 1e9);
        if (options_has(&options, "precise"))
            wait_ns -= call_now(call) - started_ns;
        if (call_sleep(call, wait_ns > 0 ? wait_ns : 1))
            return 130;
        call_out(call, "\n");
    }
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    (void)env;
    (void)config;
    (void)error;
    return 0;
}

static const char *const commands[] = {"watch", NULL};

const struct fake fake_watch = {
    .name = "watch",
    .commands = commands,
    .setup = setup,
    .run = run,
};
