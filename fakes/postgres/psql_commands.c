#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "fakes/postgres/catalog.h"
#include "fakes/postgres/psql.h"
#include "fakes/postgres/psql_describe.h"
#include "sim/base/str.h"

/* ---- words of a backslash command ---- */

/* The next word, unquoted and with variables put in; NULL at the end of the line. */
static const char *next_word(struct psql *p, struct str *rest)
{
    while (rest->len && isspace((unsigned char)*rest->at)) {
        rest->at++;
        rest->len--;
    }
    if (!rest->len || *rest->at == '\\')
        return NULL;
    struct buf word;
    buf_init(&word, 1 << 16);
    char quote = 0;
    while (rest->len && (quote || !isspace((unsigned char)*rest->at))) {
        char c = *rest->at;
        if (quote && c == quote)
            quote = 0;
        else if (!quote && (c == '\'' || c == '"'))
            quote = c;
        else
            buf_putc(&word, c);
        rest->at++;
        rest->len--;
    }
    const char *text = arena_str(p->call->arena, buf_text(&word));
    buf_release(&word);
    if (*text == ':' && text[1] && psql_get(p, text + 1))
        return psql_get(p, text + 1);
    if (*text == ':' && text[1] == '{')
        return text;
    return text;
}

static bool set_switch(const char *word, bool *value)
{
    if (!word)
        *value = !*value;
    else
        *value =
            strcasecmp(word, "on") == 0 || strcmp(word, "1") == 0 || strcasecmp(word, "true") == 0;
    return *value;
}

static void report(struct psql *p, const char *text)
{
    if (!p->quiet)
        psql_printf(p, "%s\n", text);
}

/* ---- commands ---- */

static bool command_pset(struct psql *p, struct str *rest)
{
    const char *name = next_word(p, rest), *value = next_word(p, rest);
    if (!name)
        return true;
    if (strcmp(name, "format") == 0 && value) {
        p->print.unaligned = strcmp(value, "unaligned") == 0;
        p->print.csv = strcmp(value, "csv") == 0;
        if (!p->quiet)
            psql_printf(p, "Output format is %s.\n", value);
    } else if (strcmp(name, "border") == 0 && value) {
        p->print.border = leading_int(value);
        if (!p->quiet)
            psql_printf(p, "Border style is %d.\n", p->print.border);
    } else if (strcmp(name, "null") == 0) {
        p->print.null = value ? value : "";
        if (!p->quiet)
            psql_printf(p, "Null display is \"%s\".\n", p->print.null);
    } else if (strcmp(name, "tuples_only") == 0 || strcmp(name, "t") == 0) {
        report(p, set_switch(value, &p->print.tuples_only) ? "Tuples only is on."
                                                           : "Tuples only is off.");
    } else if (strcmp(name, "expanded") == 0 || strcmp(name, "x") == 0) {
        report(p, set_switch(value, &p->print.expanded) ? "Expanded display is on."
                                                        : "Expanded display is off.");
    } else if (strcmp(name, "pager") == 0 || strcmp(name, "footer") == 0 ||
               strcmp(name, "linestyle") == 0) {
        return true;
    } else if (strcmp(name, "fieldsep") == 0) {
        p->print.separator = value ? value : "";
    } else {
        psql_complain(p, "\\pset: unknown option: %s", name);
        return false;
    }
    return true;
}

static bool command_copy(struct psql *p, struct str *rest, struct psql_script *script)
{
    /* \copy table [(columns)] from|to 'file'|stdin|stdout|pstdin [options] */
    const char *line = arena_str(p->call->arena, str_trim(*rest));
    const char *from = strcasestr(line, " from "), *to = strcasestr(line, " to ");
    const char *at = from && (!to || from < to) ? from : to;
    rest->len = 0;
    if (!at) {
        psql_complain(p, "\\copy: parse error at end of line");
        return false;
    }
    bool in = at == from;
    struct str words = str_of(at + (in ? 6 : 4));
    const char *file = next_word(p, &words);
    const char *query = arena_printf(p->call->arena, "COPY %.*s %s %.*s", (int)(at - line), line,
                                     in ? "FROM STDIN" : "TO STDOUT", STR_ARG(words));
    bool standard = file && (strcasecmp(file, "stdin") == 0 || strcasecmp(file, "pstdin") == 0 ||
                             strcasecmp(file, "stdout") == 0 || strcasecmp(file, "pstdout") == 0);
    if (!file || standard)
        return psql_send(p, query, strcasecmp(file ? file : "", "stdin") == 0 ? script : NULL);
    if (!in) {
        const char *output = p->output;
        if (call_save(p->call, file, "", 0, 0644) < 0) {
            psql_complain(p, "%s: No such file or directory", file);
            return false;
        }
        p->output = file;
        bool ok = psql_send(p, query, NULL);
        p->output = output;
        if (ok && !p->quiet && p->session->messages && p->session->messages->result)
            psql_printf(p, "%s\n", p->session->messages->result->tag);
        return ok;
    }
    struct buf *text = ARENA_NEW(p->call->arena, struct buf);
    buf_init(text, 512 << 20);
    call_defer(p->call, (void (*)(void *))buf_release, text);
    int code = call_load(p->call, file, text);
    if (code < 0) {
        psql_complain(p, "%s: %s", file, strerror(-code));
        return false;
    }
    struct psql_script content = {buf_text(text), NULL};
    int64_t outer_line = p->line;
    bool ok = psql_send(p, query, &content);
    p->line = outer_line;
    return ok;
}

static bool command_connect(struct psql *p, struct str *rest)
{
    const char *database = next_word(p, rest), *user = next_word(p, rest);
    struct pg_target target = p->target;
    if (database && strcmp(database, "-") != 0)
        target.database = database;
    if (user && strcmp(user, "-") != 0)
        target.user = user;
    struct pg_error error;
    const char *why;
    struct pg_server *server = pg_target_server(p->call, &target, &why);
    struct pg_session *session =
        server ? pg_connect(server, target.database, target.user, "psql", &error) : NULL;
    if (!session) {
        /* In a script the old connection is given up, too. */
        psql_complain(p, "%s%s",
                      server ? arena_printf(p->call->arena,
                                            "\\connect: connection to server %s failed: FATAL:  ",
                                            pg_target_text(p->call, &target))
                             : "\\connect: ",
                      server ? error.message : why);
        p->quit = p->lost = true;
        return false;
    }
    call_defer(p->call, (void (*)(void *))pg_disconnect, session);
    if (p->session->state != PG_IDLE)
        pg_rollback(p->session);
    p->session->terminated = true; /* closed: it no longer counts as a user of the database */
    p->session = session;
    p->target = target;
    if (!p->quiet)
        psql_printf(p, "You are now connected to database \"%s\" as user \"%s\".\n",
                    target.database, target.user);
    return true;
}

static bool command_if(struct psql *p, const char *name, struct str *rest)
{
    const char *word = next_word(p, rest);
    bool value = word && (strcasecmp(word, "true") == 0 || strcmp(word, "1") == 0 ||
                          strcasecmp(word, "on") == 0);
    if (!p->conditions)
        p->conditions = ARENA_ARRAY(p->call->arena, bool, 64);
    if (strcmp(name, "if") == 0 && p->n_conditions < 64)
        p->conditions[p->n_conditions++] = value;
    else if (strcmp(name, "else") == 0 && p->n_conditions)
        p->conditions[p->n_conditions - 1] = !p->conditions[p->n_conditions - 1];
    else if (strcmp(name, "elif") == 0 && p->n_conditions)
        p->conditions[p->n_conditions - 1] = !p->conditions[p->n_conditions - 1] && value;
    else if (strcmp(name, "endif") == 0 && p->n_conditions)
        p->n_conditions--;
    return true;
}

static void connection_info(struct psql *p)
{
    const struct pg_target *t = &p->target;
    if (!t->host || *t->host == '/')
        psql_printf(p,
                    "You are connected to database \"%s\" as user \"%s\" via socket in "
                    "\"/var/run/postgresql\" at port "
                    "\"%d\".\n",
                    t->database, t->user, t->port);
    else
        psql_printf(p,
                    "You are connected to database \"%s\" as user \"%s\" on host \"%s\" (address "
                    "\"127.0.0.1\") at port "
                    "\"%d\".\n",
                    t->database, t->user, t->host, t->port);
}

static bool send_buffer(struct psql *p, struct buf *query, struct psql_script *script)
{
    const char *text = arena_str(p->call->arena, str_trim(buf_text(query)));
    buf_clear(query);
    return !*text || psql_send(p, text, script);
}

static bool gexec(struct psql *p, struct buf *query)
{
    const char *text = arena_str(p->call->arena, str_trim(buf_text(query)));
    buf_clear(query);
    if (!pg_query(p->session, text))
        return psql_send(p, text, NULL);
    const char *list[256];
    int n = 0;
    for (const struct pg_message *m = p->session->messages; m; m = m->next) {
        for (int i = 0; m->result && i < m->result->n_rows; i++) {
            for (int k = 0; k < m->result->n_columns && n < 256; k++) {
                if (m->result->rows[i][k])
                    list[n++] = arena_strdup(p->call->arena, m->result->rows[i][k]);
            }
        }
    }
    bool ok = true;
    for (int i = 0; i < n; i++)
        ok = psql_send(p, list[i], NULL) && ok;
    return ok;
}

/* Again and again, until it is interrupted or fails. */
static bool watch(struct psql *p, struct buf *query, const char *seconds)
{
    const char *text = arena_str(p->call->arena, str_trim(buf_text(query)));
    double interval_s = seconds ? strtod(seconds, NULL) : 2;
    buf_clear(query);
    if (!*text) {
        psql_complain(p, "\\watch cannot be used with an empty query");
        return false;
    }
    for (;;) {
        char when[64];
        time_t now = (time_t)(env_unix_ns(p->call->env) / SECOND);
        struct tm tm;
        gmtime_r(&now, &tm);
        strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &tm);
        p->title = arena_printf(p->call->arena, "%s (every %gs)\n", when, interval_s);
        bool ok = psql_send(p, text, NULL);
        p->title = NULL;
        if (!ok || call_sleep(p->call, (int64_t)(interval_s * 1e9)))
            return ok;
    }
}

static bool gset(struct psql *p, struct buf *query, struct str *rest)
{
    const char *prefix = next_word(p, rest),
               *text = arena_str(p->call->arena, str_trim(buf_text(query)));
    buf_clear(query);
    if (!pg_query(p->session, text))
        return psql_send(p, text, NULL);
    const struct pg_result *result = p->session->messages ? p->session->messages->result : NULL;
    if (!result || result->n_rows != 1) {
        psql_complain(p, result && result->n_rows > 1
                             ? "error: more than one row returned for \\gset"
                             : "error: no rows returned for \\gset");
        return false;
    }
    for (int i = 0; i < result->n_columns; i++)
        psql_set(
            p, arena_printf(p->call->arena, "%s%s", prefix ? prefix : "", result->columns[i].name),
            result->rows[0][i]);
    return true;
}

static bool included(struct psql *p, const char *path)
{
    if (p->input || call_exists(p->call, path))
        return psql_file(p, path) == 0;
    psql_complain(p, "%s: No such file or directory", path);
    return false;
}

static bool one_command(struct psql *p, const char *name, struct str *rest,
                        struct psql_script *script, struct buf *query)
{
    const char *word;
    if (strcmp(name, "q") == 0 || strcmp(name, "quit") == 0) {
        p->quit = true;
    } else if (strcmp(name, "echo") == 0 || strcmp(name, "qecho") == 0 ||
               strcmp(name, "warn") == 0) {
        struct buf line;
        buf_init(&line, 1 << 16);
        while ((word = next_word(p, rest)))
            buf_printf(&line, "%s%s", line.len ? " " : "", word);
        const char *text = arena_str(p->call->arena, buf_text(&line));
        buf_release(&line);
        if (*name == 'w')
            call_err(p->call, "%s\n", text);
        else
            call_out(p->call, "%s\n", text);
    } else if (strcmp(name, "x") == 0) {
        report(p, set_switch(next_word(p, rest), &p->print.expanded) ? "Expanded display is on."
                                                                     : "Expanded display is off.");
    } else if (strcmp(name, "t") == 0) {
        report(p, set_switch(next_word(p, rest), &p->print.tuples_only) ? "Tuples only is on."
                                                                        : "Tuples only is off.");
    } else if (strcmp(name, "a") == 0) {
        p->print.unaligned = !p->print.unaligned;
        report(p, p->print.unaligned ? "Output format is unaligned." : "Output format is aligned.");
    } else if (strcmp(name, "timing") == 0) {
        report(p, set_switch(next_word(p, rest), &p->timing) ? "Timing is on." : "Timing is off.");
    } else if (strcmp(name, "pset") == 0) {
        return command_pset(p, rest);
    } else if (strcmp(name, "set") == 0) {
        const char *variable = next_word(p, rest), *value = next_word(p, rest);
        if (variable)
            psql_set(p, variable, value ? value : "");
    } else if (strcmp(name, "unset") == 0) {
        if ((word = next_word(p, rest)))
            psql_set(p, word, NULL);
    } else if (strcmp(name, "i") == 0 || strcmp(name, "include") == 0 || strcmp(name, "ir") == 0) {
        word = next_word(p, rest);
        return word && included(p, word);
    } else if (strcmp(name, "o") == 0) {
        p->output = next_word(p, rest);
        if (p->output)
            call_save(p->call, p->output, "", 0, 0644);
    } else if (strcmp(name, "c") == 0 || strcmp(name, "connect") == 0) {
        return command_connect(p, rest);
    } else if (strcmp(name, "conninfo") == 0) {
        connection_info(p);
    } else if (strcmp(name, "copy") == 0) {
        return command_copy(p, rest, script);
    } else if (strcmp(name, "g") == 0) {
        return send_buffer(p, query, script);
    } else if (strcmp(name, "gx") == 0) {
        bool expanded = p->print.expanded;
        p->print.expanded = true;
        bool ok = send_buffer(p, query, script);
        p->print.expanded = expanded;
        return ok;
    } else if (strcmp(name, "gexec") == 0) {
        return gexec(p, query);
    } else if (strcmp(name, "gset") == 0) {
        return gset(p, query, rest);
    } else if (strcmp(name, "r") == 0 || strcmp(name, "reset") == 0) {
        buf_clear(query);
    } else if (strcmp(name, "watch") == 0) {
        return watch(p, query, next_word(p, rest));
    } else if (strcmp(name, "encoding") == 0 && !(word = next_word(p, rest))) {
        psql_printf(p, "UTF8\n");
    } else if (strcmp(name, "encoding") == 0 || strcmp(name, "restrict") == 0 ||
               strcmp(name, "unrestrict") == 0 || strcmp(name, "errverbose") == 0) {
        next_word(p, rest);
    } else if (strcmp(name, "!") == 0) {
        const char *command = arena_str(p->call->arena, str_trim(*rest));
        char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
        rest->len = 0;
        return call_run(p->call, argv) == 0;
    } else if (*name == 'd' || strcmp(name, "l") == 0 || strcmp(name, "l+") == 0 ||
               strcmp(name, "list") == 0 || strcmp(name, "sf") == 0) {
        return psql_describe(p, name, next_word(p, rest));
    } else {
        psql_complain(p, "%sinvalid command \\%s", p->input ? "error: " : "", name);
        if (!p->input)
            return false;
        return false;
    }
    return true;
}

bool psql_command(struct psql *p, struct str line, struct psql_script *script, struct buf *query)
{
    bool ok = true;
    while (line.len) {
        size_t n = 0;
        while (n < line.len && !isspace((unsigned char)line.at[n]) && line.at[n] != '\\')
            n++;
        if (n == 0) { /* "\\": the end of the command; SQL may follow in a script */
            if (script && line.at[0] == '\\')
                buf_add(query, line.at + 1, line.len - 1);
            break;
        }
        const char *name = arena_printf(p->call->arena, "%.*s", (int)n, line.at);
        struct str rest = {line.at + n, line.len - n};
        bool condition = strcmp(name, "if") == 0 || strcmp(name, "else") == 0 ||
                         strcmp(name, "elif") == 0 || strcmp(name, "endif") == 0;
        bool active = true;
        for (int i = 0; i < p->n_conditions; i++)
            active = active && p->conditions[i];
        if (condition)
            command_if(p, name, &rest);
        else if (active)
            ok = one_command(p, name, &rest, script, query) && ok;
        else
            rest.len = 0;
        /* Another command may follow on the same line, behind a backslash. */
        while (rest.len && *rest.at != '\\') {
            rest.at++;
            rest.len--;
        }
        if (!rest.len)
            break;
        line = (struct str){rest.at + 1, rest.len - 1};
    }
    return ok;
}
