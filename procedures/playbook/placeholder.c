#include "procedures/playbook/placeholder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/base/xalloc.h"

struct scan {
    struct placeholders *found;
    const struct shell_script *script;
    int first_line;
    size_t start; /* index of the first placeholder of this script */
};

void placeholders_init(struct placeholders *found, struct arena *arena)
{
    *found = (struct placeholders){.arena = arena};
}

void placeholders_release(struct placeholders *found)
{
    free(found->at);
    free(found->set);
    *found = (struct placeholders){.arena = found->arena};
}

/* ---- lists of what is found ---- */

static void add_set(struct placeholders *found, struct str name)
{
    for (int i = 0; i < found->n_set; i++)
        if (str_eq(found->set[i], name))
            return;
    XGROW(found->set, found->n_set, found->cap_set);
    found->set[found->n_set++] = name;
}

/* `at` is where it stands, in the text of the script; `text` what it is called. */
static void add_found(struct scan *scan, const char *at, struct str text, bool is_variable,
                      bool is_blank)
{
    struct placeholders *found = scan->found;
    const char *start = scan->script->text.at, *line_start = at;
    struct placeholder *placeholder;
    int line = scan->first_line;
    for (int i = (int)scan->start; i < found->n; i++)
        if (str_eq(found->at[i].text, text) && (is_blank || !found->at[i].is_blank))
            return;
    for (const char *byte = start; byte < at; byte++)
        line += *byte == '\n';
    while (line_start > start && line_start[-1] != '\n')
        line_start--;
    XGROW(found->at, found->n, found->cap);
    placeholder = &found->at[found->n++];
    *placeholder = (struct placeholder){.line = line,
                                        .column = (int)(at - line_start) + 1,
                                        .text = text,
                                        .is_variable = is_variable,
                                        .is_blank = is_blank};
}

/* ---- fillers: YYYYMMDD, TIMESTAMP, vX.Y.Z, xxxxx ---- */

static size_t run_of(struct str text, size_t at, const char *characters)
{
    size_t n = 0;
    while (at + n < text.len && text.at[at + n] && strchr(characters, text.at[at + n]))
        n++;
    return n;
}

static bool alnum_at(struct str text, size_t at)
{
    return at < text.len && isalnum((unsigned char)text.at[at]);
}

static bool starts_at(struct str text, size_t at, const char *what)
{
    size_t n = strlen(what);
    return at + n <= text.len && !memcmp(text.at + at, what, n);
}

/* Names in capitals that stand for what a person looks up: "git revert COMMIT_HASH". A list, since
 * "HTTP_CODE" or "POSTGRES_USER" in the same place are names that are meant. */
static size_t stand_in_at(struct str text, size_t at)
{
    static const char *const names[] = {"COMMIT_HASH",
                                        "COMMIT_SHA",
                                        "COMMIT_ID",
                                        "GIT_SHA",
                                        "GIT_COMMIT",
                                        "PREVIOUS_VERSION",
                                        "PREVIOUS_TAG",
                                        "PREVIOUS_COMMIT",
                                        "PREVIOUS_REVISION",
                                        "LAST_GOOD_COMMIT",
                                        "LAST_GOOD_VERSION",
                                        "REVISION_ID",
                                        "REVISION_NUMBER",
                                        "STABLE_VERSION",
                                        "TARGET_VERSION",
                                        "OLD_VERSION",
                                        NULL};
    size_t n;
    for (int i = 0; names[i]; i++) {
        n = strlen(names[i]);
        if (starts_at(text, at, names[i]) && !alnum_at(text, at + n) &&
            (at + n >= text.len || !strchr("_=", text.at[at + n])))
            return n;
    }
    if (!starts_at(text, at, "your-") && !starts_at(text, at, "YOUR_"))
        return 0;
    n = run_of(text, at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return n > 6 && (at + n >= text.len || text.at[at + n] != '=') ? n : 0;
}

/* The length of a filler that begins at `at`, or 0. What is before it has been looked at, except
 * its last byte. */
static size_t filler_at(struct str text, size_t at)
{
    bool bounded = at == 0 || !alnum_at(text, at - 1);
    size_t n;
    if (!bounded)
        return 0;
    if ((at == 0 || text.at[at - 1] != '_') && (n = stand_in_at(text, at)))
        return n;
    if (starts_at(text, at, "YYYY")) {
        n = run_of(text, at, "YMDHSmdhsTZ-_:");
        while (n && strchr("-_:", text.at[at + n - 1]))
            n--;
        return n > 5 && !alnum_at(text, at + n) ? n : 0;
    }
    if (starts_at(text, at, "TIMESTAMP")) {
        bool joined = at > 0 && strchr("-./", text.at[at - 1]);
        joined |= at > 1 && text.at[at - 1] == '_' && islower((unsigned char)text.at[at - 2]);
        return joined && !alnum_at(text, at + 9) && !starts_at(text, at + 9, "=") ? 9 : 0;
    }
    if (at > 0 && strchr("[<", text.at[at - 1]))
        return 0; /* "[X.Y.Z]" is seen as a whole */
    n = starts_at(text, at, "v");
    if (starts_at(text, at + n, "X.Y") && !alnum_at(text, at + n + 3))
        return n + (starts_at(text, at + n + 3, ".Z") ? 5 : 3);
    n = run_of(text, at, "x");
    if (n < 4)
        n = run_of(text, at, "X");
    return n >= 3 && !alnum_at(text, at + n) ? n : 0;
}

static bool is_date_format(struct str text)
{
    return str_find(text, STR("to_char")) >= 0 || str_find(text, STR("to_date")) >= 0 ||
           str_find(text, STR("to_timestamp")) >= 0 || str_find(text, STR("TO_CHAR")) >= 0 ||
           str_find(text, STR("strftime")) >= 0;
}

static void scan_fillers(struct scan *scan, struct str text, bool is_blank)
{
    if (is_date_format(text))
        return;
    for (size_t i = 0; i < text.len;) {
        size_t n = filler_at(text, i);
        if (n)
            add_found(scan, text.at + i, (struct str){text.at + i, n}, false, is_blank);
        i += n ? n : 1;
    }
}

/* ---- "<x>" and "[x]" inside quotes and in text ---- */

static bool is_tag(struct str inside)
{
    static const char *const tags[] = {
        "html", "head",  "title", "body", "div",   "span", "p",    "a",   "b",      "i",
        "ul",   "ol",    "li",    "br",   "hr",    "h1",   "h2",   "h3",  "h4",     "h5",
        "h6",   "table", "tr",    "td",   "th",    "pre",  "code", "xml", "script", "style",
        "meta", "link",  "img",   "form", "input", "none", NULL};
    for (int i = 0; tags[i]; i++)
        if (inside.len == strlen(tags[i]) && !strncasecmp(inside.at, tags[i], inside.len))
            return true;
    return false;
}

/* Does it speak of a value that somebody must supply? "[ERROR]" and "[frontend]" do not. */
static bool names_value(struct str inside)
{
    static const char *const words[] = {
        "timestamp", "version",  "date",      "time",     "name",     "reason",   "backup",
        "commit",    "revision", "sha",       "tag",      "id",       "username", "host",
        "hostname",  "number",   "namespace", "duration", "previous", NULL};
    size_t i = 0;
    while (i < inside.len) {
        size_t n = 0;
        while (i + n < inside.len && isalpha((unsigned char)inside.at[i + n]))
            n++;
        for (int w = 0; n && words[w]; w++)
            if (n == strlen(words[w]) && !memcmp(inside.at + i, words[w], n))
                return true;
        i += n ? n : 1;
    }
    return false;
}

/* `any_bracket`: in a report every "[Reason]" is a blank. */
static void scan_marks(struct scan *scan, struct str text, bool is_blank, bool any_bracket)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = shell_placeholder(text, i, text.len);
        struct str inside = {text.at + i + 1, n > 2 ? n - 2 : 0};
        bool escaped = i > 0 && strchr("\\?", text.at[i - 1]);
        if (n && !escaped &&
            (text.at[i] == '<' ? !is_tag(inside) : any_bracket || names_value(inside)))
            add_found(scan, text.at + i, (struct str){text.at + i, n}, false, is_blank);
        i += n ? n : 1;
    }
}

/* ---- words ---- */

static bool takes_patterns(const struct shell_command *command)
{
    static const char *const names[] = {"sed",  "grep", "egrep",  "awk",     "gawk",
                                        "perl", "jq",   "python", "python3", NULL};
    for (int i = 0; names[i]; i++)
        if (shell_is(command, names[i]))
            return true;
    return false;
}

static bool is_identifier(struct str name)
{
    if (!name.len || !(isalpha((unsigned char)*name.at) || *name.at == '_'))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.at[i]) && name.at[i] != '_')
            return false;
    return true;
}

static void scan_parameter(struct scan *scan, const struct shell_part *part)
{
    static const char defaults[] = "-=+";
    struct str op = part->operator, name = part->text;
    if (op.len && *op.at == ':')
        op = (struct str){op.at + 1, op.len - 1};
    if (op.len && *op.at == '=')
        add_set(scan->found, part->name);
    if (!is_identifier(part->name) || (op.len && strchr(defaults, *op.at)))
        return;
    if (str_starts(part->text, "${"))
        name = str_of(arena_printf(scan->found->arena, "$%.*s", STR_ARG(part->name)));
    add_found(scan, part->text.at, name, true, false);
}

/* Those that take names of variables. */
static bool takes_names(const struct shell_command *command)
{
    static const char *const names[] = {"export", "unset", "readonly", "declare", "typeset",
                                        "local",  "read",  "printenv", NULL};
    for (int i = 0; names[i]; i++)
        if (shell_is(command, names[i]))
            return true;
    return false;
}

struct context {
    bool patterns; /* the arguments are patterns */
    bool mktemp;   /* XXXXXX is what the command wants */
    bool spoken;   /* the arguments are only shown to a person */
    bool text;     /* a here-document: only variables are looked for */
};

static void scan_parts(struct scan *scan, const struct shell_part *part, bool quoted,
                       struct context context)
{
    for (; part; part = part->next) {
        if (part->kind == PART_PLACEHOLDER)
            add_found(scan, part->text.at, part->text, false, false);
        if ((part->kind == PART_TEXT || part->kind == PART_SINGLE) && !context.text &&
            !context.mktemp && !context.spoken)
            scan_fillers(scan, part->text, false);
        if (((part->kind == PART_TEXT && quoted) || part->kind == PART_SINGLE) && !context.text &&
            !context.patterns && !context.spoken)
            scan_marks(scan, part->text, false, false);
        if (part->kind == PART_PARAMETER)
            scan_parameter(scan, part);
        scan_parts(scan, part->parts, quoted || part->kind == PART_DOUBLE, context);
        for (const struct shell_word *word = part->words; word; word = word->next)
            scan_parts(scan, word->parts, quoted, context);
    }
}

/* ---- here-documents ---- */

static bool is_acted_on(const char *file)
{
    static const char *const endings[] = {".yaml", ".yml", ".json", ".sql", ".sh",      ".conf",
                                          ".env",  ".ini", ".toml", ".cfg", ".service", NULL};
    for (int i = 0; file && endings[i]; i++)
        if (str_ends(str_of(file), endings[i]))
            return true;
    return false;
}

/* Is the here-document only written down, as a report or a message, and not given to a program? */
static bool is_written_down(const struct shell_command *command)
{
    const struct shell_command *parent = command->parent;
    if (!shell_is(command, "cat") && !shell_is(command, "tee"))
        return false;
    if (parent && parent->kind == SHELL_PIPELINE && command->next)
        return false;
    for (const struct shell_redirect *at = command->redirects; at; at = at->next)
        if (*at->operator.at == '>' && is_acted_on(at->target->value))
            return false;
    for (int i = 1; i < command->n_words; i++)
        if (is_acted_on(shell_value(command, i)))
            return false;
    return true;
}

/* A report or a message in a file; help that goes to the screen is only read. */
static bool goes_to_file(const struct shell_command *command)
{
    for (const struct shell_redirect *at = command->redirects; at; at = at->next)
        if (*at->operator.at == '>')
            return true;
    return shell_is(command, "tee");
}

static void scan_here_documents(struct scan *scan, const struct shell_command *command)
{
    struct context text = {.text = true};
    bool written_down = is_written_down(command);
    for (const struct shell_redirect *at = command->redirects; at; at = at->next) {
        scan_parts(scan, at->body_parts, true, text);
        if (!at->body.len || (written_down && !goes_to_file(command)))
            continue;
        scan_marks(scan, at->body, written_down, written_down);
        scan_fillers(scan, at->body, written_down);
    }
}

/* ---- variables that are set ---- */

static void set_from_words(struct scan *scan, const struct shell_command *command, int first)
{
    for (int i = first; i < command->n_words; i++) {
        struct str rest = command->words[i]->text, name = str_cut(&rest, '=');
        if (str_ends(name, "+"))
            name.len--;
        if (is_identifier(name))
            add_set(scan->found, name);
    }
}

/* Every name in the text: in arithmetic any of them may be assigned. */
static void set_from_text(struct scan *scan, struct str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        while (i + n < text.len &&
               (isalnum((unsigned char)text.at[i + n]) || text.at[i + n] == '_'))
            n++;
        if (is_identifier((struct str){text.at + i, n}))
            add_set(scan->found, (struct str){text.at + i, n});
        i += n ? n : 1;
    }
}

static void scan_setters(struct scan *scan, const struct shell_command *command)
{
    static const char *const declare[] = {"export",  "declare", "local",   "readonly",
                                          "typeset", "read",    "mapfile", "readarray",
                                          "getopts", "let",     NULL};
    for (const struct shell_assignment *at = command->assignments; at; at = at->next)
        add_set(scan->found, at->name);
    if (command->name.len && command->kind != SHELL_FUNCTION) /* of a loop, of a coprocess */
        add_set(scan->found, command->name);
    if (command->kind == SHELL_ARITHMETIC || (command->kind == SHELL_FOR && !command->name.len))
        set_from_text(scan, (struct str){scan->script->text.at + command->offset,
                                         command->end - command->offset});
    for (int i = 0; command->redirects && i < command->n_words; i++) { /* exec {fd}>file */
        struct str word = command->words[i]->text;
        if (word.len > 2 && *word.at == '{' && word.at[word.len - 1] == '}' &&
            is_identifier((struct str){word.at + 1, word.len - 2}))
            add_set(scan->found, (struct str){word.at + 1, word.len - 2});
    }
    for (int i = 0; declare[i]; i++)
        if (shell_is(command, declare[i]))
            set_from_words(scan, command, 1);
    if (shell_is(command, "printf") && shell_value(command, 1) &&
        !strcmp(shell_value(command, 1), "-v"))
        set_from_words(scan, command, 2);
    if (shell_is(command, "source") || shell_is(command, ".") || shell_is(command, "eval"))
        scan->found->sources = true;
}

/* echo and the functions that people write around it, unless what they say goes on to another
 * program or into a file that is acted on. */
static bool is_spoken(const struct shell_command *command)
{
    static const char *const words[] = {"echo", "printf", "print",   "log",   "info",
                                        "warn", "error",  "success", "usage", "msg",
                                        "die",  "fail",   "say",     NULL};
    const char *name = command->kind == SHELL_SIMPLE ? shell_value(command, 0) : NULL;
    if (!name || strchr(name, '/') ||
        (command->parent && command->parent->kind == SHELL_PIPELINE && command->next))
        return false;
    for (const struct shell_redirect *at = command->redirects; at; at = at->next)
        if (is_acted_on(at->target->value))
            return false;
    for (int i = 0; words[i]; i++)
        if (strstr(name, words[i]))
            return true;
    return false;
}

static bool scan_command(struct shell_command *command, void *data)
{
    struct scan *scan = data;
    struct context context = {.patterns = takes_patterns(command) || command->kind == SHELL_TEST,
                              .mktemp = shell_is(command, "mktemp") || takes_names(command),
                              .spoken = is_spoken(command)};
    scan_setters(scan, command);
    for (const struct shell_assignment *at = command->assignments; at; at = at->next)
        scan_parts(scan, at->value->parts, false, context);
    for (int i = 0; i < command->n_words; i++)
        scan_parts(scan, command->words[i]->parts, false, context);
    scan_parts(scan, command->parts, false, context);
    for (const struct shell_redirect *at = command->redirects; at; at = at->next)
        scan_parts(scan, at->target->parts, false, context);
    scan_here_documents(scan, command);
    return true;
}

void placeholders_scan(struct placeholders *found, const struct shell_script *script,
                       int first_line)
{
    struct scan scan = {
        .found = found, .script = script, .first_line = first_line, .start = (size_t)found->n};
    shell_each_command(script, scan_command, &scan);
}

bool placeholders_is_set(const struct placeholders *found, struct str name)
{
    static const char *const known[] = {
        "HOME",    "PATH",     "PWD",        "OLDPWD",   "USER",         "LOGNAME",
        "SHELL",   "TERM",     "LANG",       "TMPDIR",   "HOSTNAME",     "HOSTTYPE",
        "OSTYPE",  "MACHTYPE", "RANDOM",     "SRANDOM",  "SECONDS",      "LINENO",
        "UID",     "EUID",     "PPID",       "GROUPS",   "IFS",          "OPTARG",
        "OPTIND",  "REPLY",    "PIPESTATUS", "FUNCNAME", "EPOCHSECONDS", "EPOCHREALTIME",
        "COLUMNS", "LINES",    "SHLVL",      "DIRSTACK", "PS1",          "PS2",
        "PS4",     NULL};
    if (str_starts(name, "BASH") || str_starts(name, "LC_"))
        return true;
    for (int i = 0; known[i]; i++)
        if (str_is(name, known[i]))
            return true;
    for (int i = 0; i < found->n_set; i++)
        if (str_eq(found->set[i], name))
            return true;
    return false;
}
