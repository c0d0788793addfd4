/* journalctl: what units wrote. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/host.h"

bool host_instant(struct call *call, const char *text, int64_t *ret_ns)
{
    int64_t value, start = call->env->start_unix_ns;
    int64_t midnight = call_unix_ns(call) / DAY * DAY - start;
    static const struct {
        const char *word;
        int64_t ns;
    } units[] = {{"second", SECOND}, {"sec", SECOND}, {"minute", MINUTE}, {"min", MINUTE},
                 {"hour", HOUR},     {"day", DAY},    {"week", 7 * DAY}};
    if (strcmp(text, "now") == 0 || strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
        *ret_ns = text[0] == 'n' ? call_now(call) : text[0] == 't' ? midnight : midnight - DAY;
        return true;
    }
    if (text[0] == '-' && parse_duration(str_of(text + 1), &value)) {
        *ret_ns = call_now(call) - value;
        return true;
    }
    char *end;
    long n = strtol(text, &end, 10);
    while (end != text && *end == ' ')
        end++;
    for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++) {
        size_t len = strlen(units[i].word);
        if (strncmp(end, units[i].word, len) == 0 && strstr(end, " ago")) {
            *ret_ns = call_now(call) - n * units[i].ns;
            return true;
        }
    }
    if (end != text && strcmp(end, "m ago") == 0) {
        *ret_ns = call_now(call) - n * MINUTE;
        return true;
    }
    char *stamp = arena_strdup(call->arena, text);
    if (strlen(stamp) > 10 && stamp[10] == ' ')
        stamp[10] = 'T';
    static const char *const endings[] = {"", "Z", ":00Z", "T00:00:00Z"};
    for (int i = 0; i < 4; i++) {
        if (parse_time(str_of(arena_printf(call->arena, "%s%s", stamp, endings[i])), &value)) {
            *ret_ns = value - start;
            return true;
        }
    }
    if (strlen(text) == 5 && text[2] == ':') {
        *ret_ns = midnight + leading_int(text) * HOUR + leading_int(text + 3) * MINUTE;
        return true;
    }
    return false;
}

struct journal {
    struct call *call;
    struct host *host;
    struct options options;
    int64_t since_ns, until_ns;
    int priority; /* the lowest that is shown; what programs write is 6 (info), or 3 (err) on stderr
                   */
    const char *hostname;
};

static bool wanted(const struct journal *j, const struct journal_line *line)
{
    const struct options *options = &j->options;
    bool any_unit = false, unit_fits = false;
    for (int i = 0; i < options->n_given; i++) {
        if (strcmp(options->given[i].name, "unit") != 0)
            continue;
        struct str name = str_of(options->given[i].value);
        if (str_ends(name, ".service"))
            name.len -= 8;
        any_unit = true;
        unit_fits = unit_fits || str_is(name, line->unit);
    }
    const char *grep = options_value(options, "grep", NULL);
    return (!any_unit || unit_fits) && (line->is_error ? 3 : 6) <= j->priority &&
           line->at_ns >= j->since_ns && line->at_ns <= j->until_ns &&
           (!grep || strstr(line->text, grep));
}

static void add_line(const struct journal *j, const struct journal_line *line, struct buf *out)
{
    const char *format = options_value(&j->options, "output", "short");
    char when[48];
    int64_t unix_ns = j->call->env->start_unix_ns + line->at_ns;
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    if (strcmp(format, "cat") == 0) {
        buf_printf(out, "%s\n", line->text);
        return;
    }
    strftime(when, sizeof when,
             strncmp(format, "short-iso", 9) == 0 ? "%Y-%m-%dT%H:%M:%S+0000" : "%b %d %H:%M:%S",
             &tm);
    buf_printf(out, "%s %s %s[%d]: %s\n", when, j->hostname,
               line->pid == 1 ? "systemd" : line->unit, line->pid, line->text);
}

static void write_lines(const struct journal *j, int from, int64_t tail, bool reverse)
{
    struct buf out;
    buf_init(&out, 32 << 20);
    int n = j->host->n_journal, first = from;
    for (int i = n - 1, seen = 0; i >= from && tail >= 0; i--) {
        if (wanted(j, &j->host->journal[i]) && ++seen > tail) {
            first = i + 1;
            break;
        }
    }
    for (int i = first; i < n; i++) {
        const struct journal_line *line = &j->host->journal[reverse ? n - 1 - (i - first) : i];
        if (wanted(j, line))
            add_line(j, line, &out);
    }
    if (out.len == 0 && from == 0 && !options_has(&j->options, "quiet"))
        buf_puts(&out, "-- No entries --\n");
    const char *text = arena_str(j->call->arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    call_write(j->call, 1, text, len);
}

/* "err", "3", "warning..emerg": the least important of it; -1: none of the names. */
static int level_of(const char *text)
{
    static const char *const names[] = {"emerg",   "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    const char *dots = strstr(text, "..");
    if (dots) {
        int to = level_of(dots + 2);
        struct arena scratch = {0};
        int from = level_of(arena_str(&scratch, (struct str){text, (size_t)(dots - text)}));
        arena_release(&scratch);
        return from < 0 || to < 0 ? -1 : from > to ? from : to;
    }
    if (text[0] >= '0' && text[0] <= '7' && !text[1])
        return text[0] - '0';
    for (int i = 0; i < 8; i++) {
        if (strcmp(names[i], text) == 0)
            return i;
    }
    return -1;
}

int host_journalctl(struct call *call)
{
    struct journal j = {
        .call = call, .host = host_of(call->env), .since_ns = INT64_MIN, .until_ns = INT64_MAX};
    options_parse(
        call->arena, OPTIONS_GETOPT,
        "unit|u= lines|n= follow|f since|S= until|U= no-pager priority|p= output|o= catalog|x "
        "pager-end|e reverse|r boot|b dmesg|k grep|g= quiet|q all|a no-hostname utc identifier|t= "
        "disk-usage vacuum-time= vacuum-size=",
        true, call->argv, &j.options);
    if (j.options.error) {
        call_err(call, "journalctl: %s\n", j.options.error);
        return 1;
    }
    static const char *const formats[] = {"short", "short-full", "short-iso", "short-iso-precise",
                                          "cat",   NULL};
    const char *priority = options_value(&j.options, "priority", "debug");
    const char *format = options_value(&j.options, "output", "short");
    int known = 0;
    j.priority = level_of(priority);
    if (j.priority < 0) {
        call_err(call, "Unknown log level %s\n", priority);
        return 1;
    }
    while (formats[known] && strcmp(formats[known], format) != 0)
        known++;
    if (!formats[known]) {
        bool real = strncmp(format, "json", 4) == 0 || strncmp(format, "short-", 6) == 0 ||
                    strcmp(format, "verbose") == 0 || strcmp(format, "export") == 0 ||
                    strcmp(format, "with-unit") == 0;
        if (real)
            record_observe(call->env->record, "not_simulated", format,
                           "'journalctl -o %s' is not simulated", format);
        call_err(call,
                 real ? "journalctl: '-o %s' is not simulated here\n"
                      : "Unknown output format '%s'.\n",
                 format);
        return 1;
    }
    const char *since = options_value(&j.options, "since", NULL),
               *until = options_value(&j.options, "until", NULL);
    if ((since && !host_instant(call, since, &j.since_ns)) ||
        (until && !host_instant(call, until, &j.until_ns))) {
        call_err(call, "Failed to parse timestamp: %s\n",
                 since && !host_instant(call, since, &j.since_ns) ? since : until);
        return 1;
    }
    int64_t tail = -1;
    const char *lines =
        options_value(&j.options, "lines", options_has(&j.options, "follow") ? "10" : NULL);
    if (!lines && options_has(&j.options, "pager-end"))
        lines = "1000";
    if (lines && strcmp(lines, "all") != 0 && (!str_int64(str_of(lines), &tail) || tail < 0)) {
        call_err(call, "Failed to parse lines '%s'\n", lines);
        return 1;
    }
    j.hostname = host_name(call);
    call_sleep(call, 40 * MILLISECOND);
    int64_t seen_ns = call_now(call);
    write_lines(&j, 0, tail, options_has(&j.options, "reverse"));
    while (options_has(&j.options, "follow")) {
        if (call_sleep(call, SECOND))
            return 130;
        j.since_ns = seen_ns + 1;
        seen_ns = call_now(call);
        int from = j.host->n_journal;
        while (from > 0 && j.host->journal[from - 1].at_ns >= j.since_ns)
            from--;
        if (from < j.host->n_journal)
            write_lines(&j, from, -1, false);
    }
    return 0;
}
