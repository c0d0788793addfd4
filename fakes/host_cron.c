/* crontab: the table is kept; its jobs are not run. One that becomes due leaves a finding that says
 * so. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/host.h"
#include "sim/base/str.h"
#include "sim/base/xalloc.h"

enum { FILE_MAX = 4 << 20, LOOK_AHEAD_MINUTES = 48 * 60 };

/* ---- when a line is due (crontab(5)) ---- */

static bool in_part(struct str part, int value, int low, int high)
{
    struct str range = str_cut(&part, '/');
    int64_t step = 1, from = low, to = high, number;
    if (part.len > 0 && (!str_int64(part, &step) || step < 1))
        return false;
    if (!str_is(range, "*")) {
        struct str first = str_cut(&range, '-');
        if (!str_int64(first, &number))
            return false;
        from = number;
        to = part.len > 0 ? high : number;
        if (range.len > 0 && !str_int64(range, &to))
            return false;
    }
    return value >= from && value <= to && (value - from) % step == 0;
}

static bool in_field(struct str field, int value, int low, int high)
{
    while (field.len > 0) {
        if (in_part(str_cut(&field, ','), value, low, high))
            return true;
    }
    return false;
}

static struct str next_field(struct str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->len && !isspace((unsigned char)line->at[n]))
        n++;
    struct str field = {line->at, n};
    *line = (struct str){line->at + n, line->len - n};
    return field;
}

struct cron_line {
    struct str minute, hour, day, month, weekday, command;
};

/* False: no job (a comment, a variable, @reboot). */
static bool read_line(struct str line, struct cron_line *ret)
{
    static const struct {
        const char *name, *minute, *hour, *day, *month, *weekday;
    } named[] = {{"@hourly", "0", "*", "*", "*", "*"},
                 {"@daily", "0", "0", "*", "*", "*"},
                 {"@midnight", "0", "0", "*", "*", "*"},
                 {"@weekly", "0", "0", "*", "*", "0"},
                 {"@monthly", "0", "0", "1", "*", "*"}};
    line = str_trim(line);
    if (line.len == 0 || line.at[0] == '#' || isalpha((unsigned char)line.at[0]))
        return false;
    if (line.at[0] == '@') {
        struct str name = next_field(&line);
        for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
            if (!str_is(name, named[i].name))
                continue;
            *ret = (struct cron_line){str_of(named[i].minute),  str_of(named[i].hour),
                                      str_of(named[i].day),     str_of(named[i].month),
                                      str_of(named[i].weekday), str_trim(line)};
            return true;
        }
        return false;
    }
    ret->minute = next_field(&line);
    ret->hour = next_field(&line);
    ret->day = next_field(&line);
    ret->month = next_field(&line);
    ret->weekday = next_field(&line);
    ret->command = str_trim(line);
    return ret->command.len > 0;
}

static bool is_due(const struct cron_line *line, int64_t unix_minute)
{
    time_t seconds = (time_t)(unix_minute * 60);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    bool day = in_field(line->day, tm.tm_mday, 1, 31);
    bool weekday = in_field(line->weekday, tm.tm_wday, 0, 7) ||
                   (tm.tm_wday == 0 && in_field(line->weekday, 7, 0, 7));
    /* where both are restricted, either will do */
    bool any_day =
        str_is(line->day, "*") || str_is(line->weekday, "*") ? day && weekday : day || weekday;
    return any_day && in_field(line->minute, tm.tm_min, 0, 59) &&
           in_field(line->hour, tm.tm_hour, 0, 23) && in_field(line->month, tm.tm_mon + 1, 1, 12);
}

static int64_t next_due(const struct cron_line *line, int64_t after_unix_ns)
{
    int64_t now_minute = after_unix_ns / MINUTE, minute = now_minute + 1;
    while (minute < now_minute + LOOK_AHEAD_MINUTES && !is_due(line, minute))
        minute++;
    return minute < now_minute + LOOK_AHEAD_MINUTES ? minute * MINUTE : NEVER;
}

int64_t host_cron_next(const char *schedule, int64_t after_unix_ns)
{
    struct arena scratch = {0};
    struct cron_line line;
    bool is_one = read_line(str_of(arena_printf(&scratch, "%s job", schedule)), &line);
    int64_t next = is_one ? next_due(&line, after_unix_ns) : NEVER;
    arena_release(&scratch);
    return next;
}

struct due {
    struct host *host;
    const char *command;
    int64_t table; /* of which state of the table */
};

static void job_due(struct world *world, void *ctx)
{
    (void)world;
    const struct due *due = ctx;
    if (due->table != due->host->n_crontabs) /* the line is gone */
        return;
    record_observe(
        due->host->env->record, "not_simulated", due->command,
        "cron would have started '%s' now: its jobs are not run; declare what this one does "
        "(backups:, faults:)",
        due->command);
}

void host_cron_set(struct host *host, const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;
    free(host->crontab);
    host->crontab = copy;
    host->n_crontabs++;
    struct str rest = str_of(copy);
    while (copy && rest.len > 0) {
        struct cron_line line;
        if (!read_line(str_cut(&rest, '\n'), &line))
            continue;
        int64_t next_unix_ns = next_due(&line, env_unix_ns(host->env));
        struct due *due = ARENA_NEW(&host->env->arena, struct due);
        *due = (struct due){host, arena_str(&host->env->arena, line.command), host->n_crontabs};
        if (next_unix_ns != NEVER)
            world_at(host->env->world, next_unix_ns - host->env->start_unix_ns, job_due, due);
    }
}

/* ---- the command ---- */

static const char *read_table(struct call *call, const char *file)
{
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, FILE_MAX);
    call_defer(call, (void (*)(void *))buf_release, text);
    int code = strcmp(file, "-") == 0 ? call_read_all(call, 0, text) : call_load(call, file, text);
    return code < 0 ? NULL : arena_str(call->arena, buf_text(text));
}

int host_crontab(struct call *call)
{
    struct host *host = host_of(call->env);
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT, "l|l e|e r|r i|i u|u=", true, call->argv, &options);
    const char *user = options_value(&options, "u", "root");
    if (options.error) {
        call_err(call, "crontab: %s\ncrontab: usage error: unrecognized option\n", options.error);
        return 1;
    }
    if (options_has(&options, "l") || options_has(&options, "r")) {
        if (!host->crontab) {
            call_err(call, "no crontab for %s\n", user);
            return 1;
        }
        size_t len = strlen(host->crontab);
        if (options_has(&options, "l"))
            call_out(call, "%s%s", host->crontab,
                     len && host->crontab[len - 1] == '\n' ? "" : "\n");
        else
            host_cron_set(host, NULL);
        return 0;
    }
    if (options_has(&options, "e")) {
        call_err(call, "crontab: an editor needs a terminal\n");
        return 1;
    }
    const char *file = options.args[0];
    if (!file) {
        call_err(call, "crontab: usage error: file name or - (for stdin) must be specified\n");
        return 1;
    }
    const char *text = read_table(call, file);
    if (!text) {
        call_err(call, "%s: No such file or directory\n", file);
        return 1;
    }
    host_cron_set(host, text);
    return 0;
}
