/* systemctl, and service, on the units of the machine. Wording and exit codes: systemd 252 (Debian
 * 12). */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "fakes/host_systemctl.h"

const char *unit_full_name(struct call *call, const char *name)
{
    const char *dot = strrchr(name, '.');
    static const char *const kinds[] = {".service", ".timer", ".socket", ".target", ".mount", NULL};
    for (int i = 0; dot && kinds[i]; i++) {
        if (strcmp(dot, kinds[i]) == 0)
            return name;
    }
    return arena_printf(call->arena, "%s.service", name);
}

static const char *state_word(const struct unit *unit)
{
    static const char *const words[] = {"inactive", "active", "failed"};
    return words[unit->state];
}

static const char *sub_word(const struct unit *unit)
{
    if (unit->state == UNIT_ACTIVE)
        return unit->type == UNIT_ONESHOT ? "exited" : "running";
    return unit->state == UNIT_FAILED ? "failed" : "dead";
}

static const char *file_state(const struct unit *unit)
{
    return unit->masked ? "masked" : unit->enabled ? "enabled" : "disabled";
}

/* ---- status ---- */

static const char *stamp(struct call *call, int64_t at_ns)
{
    char text[64];
    time_t seconds = (time_t)((call->env->start_unix_ns + at_ns) / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S UTC", &tm);
    return arena_strdup(call->arena, text);
}

/* systemd's format_timespan with two parts. */
static const char *span(struct arena *arena, int64_t ns)
{
    int64_t s = ns / SECOND;
    if (s >= 86400)
        return arena_printf(arena, "%" PRId64 " day%s %" PRId64 "h", s / 86400,
                            s / 86400 == 1 ? "" : "s", s / 3600 % 24);
    if (s >= 3600)
        return arena_printf(arena, "%" PRId64 "h %" PRId64 "min", s / 3600, s / 60 % 60);
    if (s >= 60)
        return arena_printf(arena, "%" PRId64 "min %" PRId64 "s", s / 60, s % 60);
    return s > 0 ? arena_printf(arena, "%" PRId64 "s", s)
                 : arena_printf(arena, "%" PRId64 "ms", ns / MILLISECOND);
}

static void last_lines(struct systemctl *s, const struct unit *unit, int n)
{
    struct call *call = s->call;
    int first = s->host->n_journal, seen = 0;
    while (first > 0 && seen < n)
        seen += strcmp(s->host->journal[--first].unit, unit->name) == 0;
    if (seen)
        call_out(call, "\n");
    const char *host = host_name(call);
    for (int i = first; i < s->host->n_journal; i++) {
        const struct journal_line *line = &s->host->journal[i];
        if (strcmp(line->unit, unit->name) != 0)
            continue;
        char when[32];
        time_t seconds = (time_t)((call->env->start_unix_ns + line->at_ns) / SECOND);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        strftime(when, sizeof when, "%b %d %H:%M:%S", &tm);
        call_out(call, "%s %s %s[%d]: %s\n", when, host, line->pid == 1 ? "systemd" : unit->name,
                 line->pid, line->text);
    }
}

static int status_one(struct systemctl *s, struct unit *unit, int lines)
{
    struct call *call = s->call;
    const char *ago = span(call->arena, call_now(call) - unit->since_ns);
    const char *since = stamp(call, unit->since_ns);
    bool active = unit->state == UNIT_ACTIVE;
    call_out(call, "%s %s.service - %s\n",
             active                       ? "\xe2\x97\x8f"
             : unit->state == UNIT_FAILED ? "\xc3\x97"
                                          : "\xe2\x97\x8b",
             unit->name, unit->description);
    call_out(call, "     Loaded: loaded (/lib/systemd/system/%s.service; %s; preset: enabled)\n",
             unit->name,
             unit->masked    ? "masked"
             : unit->enabled ? "enabled"
                             : "disabled");
    if (active)
        call_out(call, "     Active: active (%s) since %s; %s ago\n",
                 unit->type == UNIT_ONESHOT ? "exited" : "running", since, ago);
    else if (unit->state == UNIT_FAILED)
        call_out(call, "     Active: failed (Result: exit-code) since %s; %s ago\n", since, ago);
    else
        call_out(call, "     Active: inactive (dead) since %s; %s ago\n", since, ago);
    if (active)
        call_out(call,
                 "   Main PID: %d (%s)\n     CGroup: /system.slice/%s.service\n"
                 "             \xe2\x94\x94\xe2\x94\x80%d %s\n",
                 unit->pid, unit->name, unit->name, unit->pid, unit->name);
    else if (unit->state == UNIT_FAILED)
        call_out(call, "   Main PID: %d (code=exited, status=%d/FAILURE)\n", unit->pid,
                 unit->exit_code);
    last_lines(s, unit, lines);
    return active ? 0 : 3;
}

static int status(struct systemctl *s, char **names)
{
    int64_t lines;
    int result = 0;
    if (!options_number(&s->options, "lines", 10, &lines)) {
        call_err(s->call, "Failed to parse lines '%s'\n", options_value(&s->options, "lines", ""));
        return 1;
    }
    for (int i = 0; names[i]; i++) {
        struct unit *unit = host_unit(s->host, names[i]);
        if (i)
            call_out(s->call, "\n");
        if (!unit) {
            call_err(s->call, "Unit %s could not be found.\n", unit_full_name(s->call, names[i]));
            result = 4;
        } else {
            int code = status_one(s, unit, (int)lines);
            result = result ? result : code;
        }
    }
    return result;
}

/* ---- is-active, enable, list-units, show ---- */

static int is_active(struct systemctl *s, const char *verb, char **names)
{
    bool quiet = options_has(&s->options, "quiet"), any = false;
    for (; *names; names++) {
        const struct unit *unit = host_unit(s->host, *names);
        const char *word = unit ? state_word(unit)
                           : unit_is_socket(*names)
                               ? (s->host->docker_socket ? "active" : "inactive")
                               : "inactive";
        any = any || strcmp(word, verb + 3) == 0;
        if (!quiet)
            call_out(s->call, "%s\n", word);
    }
    return any ? 0 : strcmp(verb, "is-failed") == 0 ? 1 : 3;
}

static int is_enabled(struct systemctl *s, char **names)
{
    int status = 1;
    for (; *names; names++) {
        const struct unit *unit = host_unit(s->host, *names);
        if (!unit) {
            call_err(s->call, "Failed to get unit file state for %s: No such file or directory\n",
                     unit_full_name(s->call, *names));
            continue;
        }
        if (!options_has(&s->options, "quiet"))
            call_out(s->call, "%s\n",
                     unit->masked    ? "masked"
                     : unit->enabled ? "enabled"
                                     : "disabled");
        status = unit->enabled && !unit->masked ? 0 : status;
    }
    return status;
}

static int enable(struct systemctl *s, const char *verb, char **names)
{
    static const char link[] = "/etc/systemd/system/multi-user.target.wants";
    for (; *names; names++) {
        struct unit *unit = host_unit(s->host, *names);
        bool on = strcmp(verb, "enable") == 0 || strcmp(verb, "unmask") == 0;
        const char *name = unit_full_name(s->call, *names);
        if (!unit) {
            call_err(s->call, "Failed to %s unit: Unit file %s does not exist.\n", verb, name);
            return 1;
        }
        if (strstr(verb, "mask")) {
            unit->masked = !on;
            call_err(s->call,
                     on ? "Removed \"/etc/systemd/system/%s\".\n"
                        : "Created symlink /etc/systemd/system/%s \xe2\x86\x92 /dev/null.\n",
                     name);
            continue;
        }
        if (unit->enabled != on && on)
            call_err(s->call, "Created symlink %s/%s \xe2\x86\x92 /lib/systemd/system/%s.\n", link,
                     name, name);
        else if (unit->enabled != on)
            call_err(s->call, "Removed \"%s/%s\".\n", link, name);
        unit->enabled = on;
        if (options_has(&s->options, "now"))
            unit_act(s, on ? "start" : "stop", unit);
    }
    return 0;
}

static int list_units(struct systemctl *s)
{
    struct call *call = s->call;
    const char *wanted = options_value(&s->options, "state", NULL);
    bool all = options_has(&s->options, "all"), failed = options_has(&s->options, "failed");
    int n = 0, width = 4;
    for (int i = 0; i < s->host->n_units; i++) {
        int len = (int)strlen(s->host->units[i]->name) + 8;
        width = len > width ? len : width;
    }
    if (!options_has(&s->options, "no-legend"))
        call_out(call, "  %-*s LOAD   ACTIVE   SUB     DESCRIPTION\n", width, "UNIT");
    for (int i = 0; i < s->host->n_units; i++) {
        const struct unit *unit = s->host->units[i];
        if (failed || (wanted && strcmp(wanted, "failed") == 0)
                ? unit->state != UNIT_FAILED
                : !all && unit->state == UNIT_INACTIVE)
            continue;
        n++;
        call_out(call, "%s %-*s loaded %-8s %-7s %s\n",
                 unit->state == UNIT_FAILED ? "\xe2\x97\x8f" : " ", width,
                 arena_printf(call->arena, "%s.service", unit->name), state_word(unit),
                 sub_word(unit), unit->description);
    }
    if (!options_has(&s->options, "no-legend"))
        call_out(call, "\n%d loaded units listed.\n", n);
    return 0;
}

static bool property_wanted(const struct systemctl *s, const char *name)
{
    bool any = false;
    for (int i = 0; i < s->options.n_given; i++) {
        struct str list = str_of(s->options.given[i].value);
        if (strcmp(s->options.given[i].name, "property") != 0)
            continue;
        any = true;
        while (list.len > 0) {
            if (str_is(str_cut(&list, ','), name))
                return true;
        }
    }
    return !any;
}

static int show(struct systemctl *s, char **names)
{
    static const char *const types[] = {"simple", "notify", "forking", "oneshot"};
    struct call *call = s->call;
    for (; *names; names++) {
        const struct unit *unit = host_unit(s->host, *names);
        bool active = unit && unit->state == UNIT_ACTIVE;
        const char *values[][2] = {
            {"Type", unit ? types[unit->type] : ""},
            {"Restart", unit && unit->restarts ? "on-failure" : "no"},
            {"MainPID", active ? arena_printf(call->arena, "%d", unit->pid) : "0"},
            {"ExecMainStatus", unit ? arena_printf(call->arena, "%d", unit->exit_code) : "0"},
            {"Result", unit && unit->state == UNIT_FAILED ? "exit-code" : "success"},
            {"Id", unit_full_name(call, *names)},
            {"Description", unit ? unit->description : unit_full_name(call, *names)},
            {"LoadState", !unit          ? "not-found"
                          : unit->masked ? "masked"
                                         : "loaded"},
            {"ActiveState", unit ? state_word(unit) : "inactive"},
            {"SubState", unit ? sub_word(unit) : "dead"},
            {"FragmentPath",
             unit ? arena_printf(call->arena, "/lib/systemd/system/%s.service", unit->name) : ""},
            {"UnitFileState", unit ? file_state(unit) : ""},
            {"ActiveEnterTimestamp", unit ? stamp(call, unit->since_ns) : ""},
        };
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            if (!property_wanted(s, values[i][0]))
                continue;
            if (options_has(&s->options, "value"))
                call_out(call, "%s\n", values[i][1]);
            else
                call_out(call, "%s=%s\n", values[i][0], values[i][1]);
        }
        if (names[1])
            call_out(call, "\n");
    }
    return 0;
}

/* ---- the others ---- */

static int reset_failed(struct systemctl *s, char **names)
{
    for (int i = 0; i < s->host->n_units; i++) {
        struct unit *unit = s->host->units[i];
        bool named = !names[0];
        for (char **name = names; *name; name++)
            named = named || host_unit(s->host, *name) == unit;
        if (!named)
            continue;
        unit->n_starts = 0;
        if (unit->state == UNIT_FAILED)
            unit->state = UNIT_INACTIVE;
    }
    for (char **name = names; *name; name++) {
        if (host_unit(s->host, *name))
            continue;
        const char *full = unit_full_name(s->call, *name);
        call_err(s->call, "Failed to reset failed state of unit %s: Unit %s not loaded.\n", full,
                 full);
        return 1;
    }
    return 0;
}

/* By default SIGTERM to all of it; a program that ends by it is not restarted, for it ended
 * cleanly. */
static int kill_units(struct systemctl *s, char **names)
{
    const char *signal = options_value(&s->options, "signal", "SIGTERM");
    bool ends = strstr(signal, "TERM") || strstr(signal, "KILL") || strstr(signal, "INT") ||
                strcmp(signal, "9") == 0 || strcmp(signal, "15") == 0;
    for (; *names; names++) {
        struct unit *unit = host_unit(s->host, *names);
        const char *full = unit_full_name(s->call, *names);
        if (!unit) {
            call_err(s->call, "Failed to kill unit %s: Unit %s not loaded.\n", full, full);
            return 1;
        }
        if (!ends || unit->state != UNIT_ACTIVE)
            continue;
        bool hard = strstr(signal, "KILL") || strcmp(signal, "9") == 0;
        if (hard && unit->instance)
            instance_stop(unit->instance, false); /* as a crash: the unit's restart follows */
        else
            unit_stop(unit);
    }
    return 0;
}

static int list_files(struct systemctl *s)
{
    struct call *call = s->call;
    call_out(call, "UNIT FILE                              STATE    PRESET\n");
    for (int i = 0; i < s->host->n_units; i++)
        call_out(call, "%-38s %-8s enabled\n",
                 arena_printf(call->arena, "%s.service", s->host->units[i]->name),
                 file_state(s->host->units[i]));
    call_out(call, "\n%d unit files listed.\n", s->host->n_units);
    return 0;
}

static int system_running(struct systemctl *s)
{
    bool degraded = false;
    for (int i = 0; i < s->host->n_units; i++)
        degraded = degraded || s->host->units[i]->state == UNIT_FAILED;
    if (!options_has(&s->options, "quiet"))
        call_out(s->call, degraded ? "degraded\n" : "running\n");
    return degraded ? 1 : 0;
}

static int unknown_verb(struct systemctl *s, const char *verb)
{
    static const char *const real[] = {"cat",
                                       "edit",
                                       "list-timers",
                                       "list-sockets",
                                       "list-dependencies",
                                       "list-jobs",
                                       "cancel",
                                       "isolate",
                                       "reenable",
                                       "preset",
                                       "set-property",
                                       "revert",
                                       "get-default",
                                       "set-default",
                                       "show-environment",
                                       "set-environment",
                                       "reboot",
                                       "poweroff",
                                       "halt",
                                       "rescue",
                                       "emergency",
                                       "default",
                                       "freeze",
                                       "thaw",
                                       "clean",
                                       "help",
                                       "link",
                                       "add-wants",
                                       "list-automounts",
                                       NULL};
    for (int i = 0; real[i]; i++) {
        if (strcmp(real[i], verb) != 0)
            continue;
        record_observe(s->call->env->record, "not_simulated", verb,
                       "'systemctl %s' is not simulated", verb);
        call_err(s->call, "systemctl: '%s' is not simulated here\n", verb);
        return 1;
    }
    call_err(s->call, "Unknown command verb %s.\n", verb);
    return 1;
}

static int dispatch(struct systemctl *s, const char *verb, char **names)
{
    static const char *const changes[] = {
        "start",       "stop",         "restart",     "reload", "reload-or-restart",
        "try-restart", "force-reload", "condrestart", NULL};
    static const char *const wanting[] = {"is-active", "is-failed", "is-enabled",
                                          "enable",    "disable",   "mask",
                                          "unmask",    "kill",      NULL};
    for (int i = 0; changes[i]; i++) {
        if (strcmp(changes[i], verb) == 0)
            return units_change(
                s, i < 6 || strcmp(verb, "condrestart") == 0 ? verb : "reload-or-restart", names);
    }
    for (int i = 0; wanting[i] && !names[0]; i++) {
        if (strcmp(wanting[i], verb) == 0) {
            call_err(s->call, "Too few arguments.\n");
            return 1;
        }
    }
    if (strcmp(verb, "status") == 0)
        return status(s, names);
    if (strcmp(verb, "is-active") == 0 || strcmp(verb, "is-failed") == 0)
        return is_active(s, verb, names);
    if (strcmp(verb, "is-enabled") == 0)
        return is_enabled(s, names);
    if (strcmp(verb, "enable") == 0 || strcmp(verb, "disable") == 0 || strcmp(verb, "mask") == 0 ||
        strcmp(verb, "unmask") == 0)
        return enable(s, verb, names);
    if (strcmp(verb, "list-units") == 0)
        return list_units(s);
    if (strcmp(verb, "show") == 0)
        return show(s, names);
    if (strcmp(verb, "kill") == 0)
        return kill_units(s, names);
    if (strcmp(verb, "reset-failed") == 0)
        return reset_failed(s, names);
    if (strcmp(verb, "list-unit-files") == 0)
        return list_files(s);
    if (strcmp(verb, "is-system-running") == 0)
        return system_running(s);
    if (strcmp(verb, "daemon-reload") == 0 || strcmp(verb, "daemon-reexec") == 0) {
        call_sleep(s->call, 200 * MILLISECOND);
        return 0;
    }
    return unknown_verb(s, verb);
}

int host_systemctl(struct call *call)
{
    struct systemctl s = {.call = call, .host = host_of(call->env)};
    const char *slash = strrchr(call->argv[0], '/');
    bool service = strcmp(slash ? slash + 1 : call->argv[0], "service") == 0;
    options_parse(
        call->arena, OPTIONS_GETOPT,
        "no-pager quiet|q now full|l user system failed all|a type|t= state= lines|n= property|p= "
        "value no-block output|o= no-legend plain force|f runtime host|H= signal|s= wait "
        "no-ask-password "
        "help|h version",
        true, call->argv, &s.options);
    if (s.options.error) {
        call_err(call, "%s: %s\n", service ? "service" : "systemctl", s.options.error);
        return 1;
    }
    if (options_has(&s.options, "version")) {
        call_out(call, "systemd 252 (252.39-1~deb12u1)\n");
        return 0;
    }
    call_sleep(call, 15 * MILLISECOND);
    char **args = s.options.args;
    if (service && s.options.n_args >= 2)
        return dispatch(&s, args[1], (char *[]){args[0], NULL});
    if (service) {
        call_err(call, "Usage: service < option > | --status-all | [ service_name [ command | "
                       "--full-restart ] ]\n");
        return 1;
    }
    return args[0] ? dispatch(&s, args[0], args + 1) : list_units(&s);
}
