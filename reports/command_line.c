#include "reports/command_line.h"

#include <ctype.h>
#include <string.h>

#include "sim/base/arena.h"

static struct str first_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;
    while (n < rest->len && !isspace((unsigned char)rest->at[n]))
        n++;
    struct str word = {rest->at, n};
    *rest = (struct str){rest->at + n, rest->len - n};
    return word;
}

static struct str base_name(struct str path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.at[i - 1] == '/')
            return (struct str){path.at + i, path.len - i};
    }
    return path;
}

static bool is_assignment(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] == '=')
            return i > 0;
        if (!isalnum((unsigned char)word.at[i]) && word.at[i] != '_')
            return false;
    }
    return false;
}

/* Index of the first separator of commands (; | & or a line feed) that is not quoted, from `from`
 * on; or the length. */
static size_t separator(struct str text, size_t from)
{
    char quote = '\0';
    for (size_t i = from; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\\' && quote != '\'')
            i++;
        else if (quote)
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (strchr(";|&\n", c))
            return i;
    }
    return text.len;
}

/* The first simple command of a line, without sudo, time and assignments. */
static struct str simple_command(const char *command)
{
    struct str rest = str_trim(str_of(command));
    rest.len = separator(rest, 0);
    for (;;) {
        struct str after = rest;
        struct str word = first_word(&after);
        if (word.len == 0 || !(is_assignment(word) || str_is(word, "sudo") || str_is(word, "time")))
            return str_trim(rest);
        rest = after;
    }
}

static bool is_one_of(struct str word, const char *const *words)
{
    for (; *words; words++) {
        if (str_is(word, *words))
            return true;
    }
    return false;
}

static bool contains(struct str hay, const char *needle)
{
    return str_find(hay, str_of(needle)) >= 0;
}

/* sh -c 'export A=b' inside of a container: meant for the program there, lost with the shell. */
static bool exports_in_vain(const char *command)
{
    struct str text = str_of(command);
    return contains(text, " -c ") && contains(text, "export ") && !strpbrk(command, ";&|\n");
}

/* An order given to a service by HTTP: a method that is no question, and a path that says what it
 * wants done. */
static bool orders_by_http(struct str arguments)
{
    static const char *const orders[] = {"reload",  "restart",  "rollback", "enable",
                                         "disable", "shutdown", NULL};
    bool asks = true, ordered = false;
    while (arguments.len) {
        struct str word = first_word(&arguments);
        if (str_is(word, "POST") || str_is(word, "PUT") || str_is(word, "-XPOST") ||
            str_is(word, "-XPUT"))
            asks = false;
        for (int i = 0; str_find(word, str_of("://")) >= 0 && orders[i]; i++)
            ordered |= contains(word, orders[i]);
    }
    return ordered && !asks;
}

bool command_means_change(const char *command)
{
    static const char *const verbs[] = {
        "apply",  "patch",   "set",      "scale",   "delete",  "replace",   "undo", "restart",
        "start",  "stop",    "kill",     "rm",      "run",     "up",        "down", "reload",
        "enable", "disable", "rollback", "upgrade", "install", "uninstall", NULL};
    static const char *const tools[] = {"kubectl", "docker", "docker-compose", "helm", "systemctl",
                                        "service", NULL};
    static const char *const names[] = {"rollback", "restore",  "revert", "undo",
                                        "migrate",  "failover", NULL};
    struct str rest = simple_command(command);
    struct str tool = base_name(first_word(&rest));
    if (is_one_of(tool, tools)) {
        if (str_is(tool, "docker") && str_is(first_word(&(struct str){rest.at, rest.len}), "exec"))
            return exports_in_vain(
                command); /* what runs inside decides, and it is a command of its own */
        while (rest.len) {
            struct str word = first_word(&rest);
            if (is_one_of(word, verbs))
                return !contains(rest, "--dry-run") && !contains(rest, "--help");
            if (str_is(word, "exec"))
                return exports_in_vain(command);
            if (str_is(word, "logs") || str_is(word, "get"))
                return false;
        }
        return false;
    }
    if (str_is(tool, "curl"))
        return orders_by_http(rest);
    bool is_script = str_ends(tool, ".sh") || str_ends(tool, ".py");
    for (int i = 0; is_script && names[i]; i++) {
        if (contains(tool, names[i]))
            return !contains(rest, "--dry-run") && !contains(rest, "--help");
    }
    return false;
}

bool command_answers_by_status(const char *command)
{
    static const char *const askers[] = {"grep", "egrep", "fgrep", "zgrep", "diff", "cmp", "test",
                                         "[",    "[[",    "pgrep", "expr",  "read", NULL};
    struct str rest = str_trim(str_of(command));
    struct str last = rest;
    for (size_t i = separator(rest, 0); i < rest.len;
         i = separator(rest, i + 1)) /* of a pipeline, the last gives the status */
        last = (struct str){rest.at + i + 1, rest.len - i - 1};
    struct str word = base_name(first_word(&last));
    return is_one_of(word, askers);
}

bool command_feeds_sql(const char *command)
{
    static const char *const clients[] = {"psql", "mysql", "sqlite3", NULL};
    static const char *const verbs[] = {"alter ",      "drop ",   "delete from", "update ",
                                        "insert into", "create ", "truncate ",   ".sql",
                                        ".dump",       NULL};
    struct arena arena = {0};
    char *lower = arena_strdup(&arena, command);
    bool client = false, verb = false;
    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    for (int i = 0; clients[i]; i++)
        client = client || strstr(lower, clients[i]);
    for (int i = 0; verbs[i]; i++)
        verb = verb || strstr(lower, verbs[i]);
    bool input = strstr(lower, "<<") || strstr(lower, "< ") || strchr(lower, '|');
    arena_release(&arena);
    return client && verb && input;
}

bool command_shows_logs(const char *command)
{
    static const char *const showers[] = {"cat",  "tail", "head",  "less", "journalctl",
                                          "grep", "zcat", "zgrep", NULL};
    struct str rest = simple_command(command);
    struct str tool = base_name(first_word(&rest));
    if (is_one_of(tool, showers))
        return true;
    while (rest.len) {
        if (str_is(first_word(&rest), "logs"))
            return true;
    }
    return false;
}

/* One simple command. */
static bool only_looks(struct str command)
{
    static const char *const lookers[] = {
        "cat",    "head", "tail",   "less",  "grep",   "egrep",      "zgrep",  "zcat",     "ls",
        "wc",     "sort", "uniq",   "cut",   "awk",    "df",         "du",     "free",     "ps",
        "uptime", "stat", "date",   "echo",  "printf", "journalctl", "which",  "id",       "jq",
        "diff",   "cmp",  "column", "sleep", "true",   "pgrep",      "uname",  "ping",     "dig",
        "ss",     "test", "[",      "cd",    "host",   "netstat",    "column", "hostname", NULL};
    static const char *const tools[] = {
        "docker", "docker-compose", "kubectl", "systemctl", "service", "git", "helm", NULL};
    static const char *const verbs[] = {"ps",        "logs",         "inspect", "images", "get",
                                        "describe",  "top",          "status",  "log",    "diff",
                                        "show",      "version",      "stats",   "events", "history",
                                        "is-active", "cluster-info", "list",    NULL};
    if (contains(command, ">")) /* writes a file, or may */
        return false;
    char *text = NULL;
    struct arena arena = {0};
    text = arena_str(&arena, command);
    struct str rest = simple_command(text), tool = base_name(first_word(&rest));
    bool looks = is_one_of(tool, lookers);
    for (bool first = true; !looks && first && is_one_of(tool, tools) && rest.len;) {
        struct str word = first_word(&rest);
        if (word.len && word.at[0] == '-') { /* an option before the verb: its value may follow */
            if (word.len == 2 && !contains(word, "="))
                (void)first_word(&rest);
            continue;
        }
        if (str_is(tool, "docker") && str_is(word, "compose"))
            continue;
        looks = is_one_of(word, verbs);
        first = false;
    }
    arena_release(&arena);
    return looks;
}

bool command_only_looks(const char *command)
{
    struct str rest = str_trim(str_of(command));
    bool any = false;
    for (size_t from = 0; from <= rest.len;) {
        size_t end = separator(rest, from);
        struct str one = str_trim((struct str){rest.at + from, end - from});
        if (one.len && !only_looks(one))
            return false;
        any |= one.len > 0;
        from = end + 1;
    }
    return any;
}

static bool line_tells_error(struct str line)
{
    static const char *const signs[] = {"error",   "fatal",  "failed",    "cannot ",
                                        "no such", "denied", "not found", "connection refused",
                                        NULL};
    static const char *const harmless[] = {"0 error",    "no error", "without error",
                                           "error rate", "0 failed", NULL};
    char lower[512];
    size_t n = line.len < sizeof lower - 1 ? line.len : sizeof lower - 1;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)line.at[i]);
    struct str text = {lower, n};
    for (int i = 0; harmless[i]; i++) {
        if (contains(text, harmless[i]))
            return false;
    }
    for (int i = 0; signs[i]; i++) {
        if (contains(text, signs[i]))
            return true;
    }
    return false;
}

struct str first_error_line(struct str text)
{
    while (text.len) {
        struct str line = str_cut(&text, '\n');
        if (line_tells_error(line))
            return line;
    }
    return (struct str){0};
}
