#include "fakes/postgres/psql.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/server.h"
#include "sim/base/str.h"

enum { EXIT_OK = 0, EXIT_FAIL = 1, EXIT_CONNECTION = 2, EXIT_SCRIPT = 3 };
enum { TEXT_MAX = 512 << 20 };

/* ---- variables and output ---- */

const char *psql_get(const struct psql *p, const char *name)
{
    for (const struct psql_variable *v = p->variables; v; v = v->next) {
        if (strcmp(v->name, name) == 0)
            return v->value;
    }
    return NULL;
}

void psql_set(struct psql *p, const char *name, const char *value)
{
    struct arena *arena = p->call->arena;
    struct psql_variable *v = p->variables;
    while (v && strcmp(v->name, name) != 0)
        v = v->next;
    if (!v) {
        v = ARENA_NEW(arena, struct psql_variable);
        v->name = arena_strdup(arena, name);
        v->next = p->variables;
        p->variables = v;
    }
    v->value = value ? arena_strdup(arena, value) : NULL;
    if (strcmp(name, "VERBOSITY") == 0)
        p->verbosity = !value ? 'd' : *value == 's' ? 's' : *value;
    if (strcmp(name, "QUIET") == 0)
        p->quiet = psql_is_on(p, "QUIET");
    if (strcmp(name, "ECHO") == 0)
        p->echo_all = value && strcmp(value, "all") == 0;
}

bool psql_is_on(const struct psql *p, const char *name)
{
    const char *value = psql_get(p, name);
    return value && (strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0 ||
                     strcmp(value, "1") == 0 || strcasecmp(value, "yes") == 0);
}

void psql_write(struct psql *p, const char *text, size_t len)
{
    if (p->output)
        call_append(p->call, p->output, text, len, 0644);
    else
        call_write(p->call, 1, text, len);
}

void psql_printf(struct psql *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(p->call->arena, format, args);
    va_end(args);
    psql_write(p, text, strlen(text));
}

static const char *locus(struct psql *p)
{
    return p->input ? arena_printf(p->call->arena, "psql:%s:%lld: ", p->input, (long long)p->line)
                    : "";
}

void psql_complain(struct psql *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(p->call->arena, format, args);
    va_end(args);
    call_err(p->call, "%s%s\n", locus(p), text);
}

static void show_error(struct psql *p, const struct pg_error *error, const char *query)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    buf_puts(&out, locus(p));
    pg_error_text(&out, error, query, p->verbosity);
    const char *text = arena_str(p->call->arena, buf_text(&out));
    buf_release(&out);
    call_write(p->call, 2, text, strlen(text));
}

/* ---- one query ---- */

static void show_rows(struct psql *p, const struct pg_result *result)
{
    struct arena *arena = p->call->arena;
    int n = result->n_columns;
    const char **headers = ARENA_ARRAY(arena, const char *, n + 1);
    bool *right = ARENA_ARRAY(arena, bool, n + 1);
    const char **cells = ARENA_ARRAY(arena, const char *, n * result->n_rows + 1);
    for (int i = 0; i < n; i++) {
        headers[i] = result->columns[i].name;
        right[i] = pg_type_is_number(result->columns[i].type);
    }
    for (int row = 0; row < result->n_rows; row++)
        memcpy(cells + row * n, result->rows[row], sizeof *cells * (size_t)n);
    struct print_table table = {.title = p->title,
                                .n_columns = n,
                                .n_rows = result->n_rows,
                                .headers = headers,
                                .right = right,
                                .cells = cells};
    struct buf out;
    buf_init(&out, TEXT_MAX);
    print_table(&out, &table, &p->print);
    char *text = arena_str(arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    psql_write(p, text, len);
}

/* The rows of a COPY FROM STDIN: up to "\." or the end of what is read. */
static bool copy_in(struct psql *p, const struct pg_copy *copy, struct psql_script *script)
{
    struct str rest;
    int64_t n = 0, rows = 0, line_number = 0;
    if (script) {
        rest = script->rest;
    } else {
        struct buf *all = ARENA_NEW(p->call->arena, struct buf);
        buf_init(all, TEXT_MAX);
        call_defer(p->call, (void (*)(void *))buf_release, all);
        call_read_all(p->call, 0, all);
        rest = buf_text(all);
    }
    bool ok = true;
    pg_copy_begin(p->session, copy);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        p->line += script != NULL;
        if (str_is(line, "\\."))
            break;
        line_number++;
        if (copy->header && line_number == 1)
            continue;
        if (!ok)
            continue;
        ok = pg_copy_line(p->session, copy, line, line_number);
        n++;
        struct str numbers = line;
        int64_t lo, hi;
        rows++;
        if (str_starts(line, "\\identities ")) {
            str_cut(&numbers, ' ');
            struct str low = str_cut(&numbers, ' ');
            if (str_int64(low, &lo) && str_int64(numbers, &hi))
                rows += hi - lo - 1;
        }
    }
    if (script)
        script->rest = rest;
    pg_copy_end(p->session, ok, rows, copy->table);
    call_sleep(p->call, MILLISECOND + rows * 7 * MICROSECOND); /* some 140,000 rows a second */
    if (!ok) {
        show_error(p, &p->session->error, NULL);
        p->session->error = (struct pg_error){0};
        return false;
    }
    if (!p->quiet)
        psql_printf(p, "COPY %lld\n", (long long)rows);
    return true;
}

static bool show_messages(struct psql *p, const char *query, struct psql_script *script,
                          int64_t *ret_took_ns)
{
    bool ok = true;
    for (const struct pg_message *m = p->session->messages; m; m = m->next) {
        if (m->notice) {
            show_error(p, m->notice, query);
            continue;
        }
        *ret_took_ns += m->result->took_ns;
        call_sleep(p->call, m->result->took_ns);
        if (m->result->copy && m->result->copy->from)
            ok = copy_in(p, m->result->copy, script) && ok;
        else if (m->result->copied)
            psql_write(p, m->result->copied, strlen(m->result->copied));
        else if (m->result->has_rows)
            show_rows(p, m->result);
        if (m->result->tag && !p->quiet &&
            (!m->result->has_rows || strncmp(m->result->tag, "SELECT", 6) != 0) &&
            strcmp(m->result->tag, "SHOW") != 0 && !m->result->copied &&
            (!m->result->has_rows || !p->print.tuples_only ||
             strncmp(m->result->tag, "SELECT", 6) != 0))
            psql_printf(p, "%s\n", m->result->tag);
    }
    return ok;
}

bool psql_send(struct psql *p, const char *query, struct psql_script *script)
{
    if (p->echo_all && script)
        psql_printf(p, "%s\n", query);
    if (!p->session) {
        psql_complain(p, "You are currently not connected to a database.");
        return false;
    }
    if (!pg_server_runs(p->session->server))
        p->session->terminated = true;
    int64_t took_ns = 0;
    bool ok = pg_query(p->session, query);
    bool was_set = p->session->error.set;
    struct pg_error error = p->session->error;
    ok = show_messages(p, query, script, &took_ns) && ok;
    if (was_set) {
        call_sleep(p->call, p->session->waited_ns + MILLISECOND);
        took_ns += p->session->waited_ns + MILLISECOND;
        show_error(p, &error, query);
        if (strcmp(error.severity, "FATAL") == 0) {
            call_err(p->call,
                     "%sserver closed the connection unexpectedly\n"
                     "\tThis probably means the server terminated abnormally\n"
                     "\tbefore or while processing the request.\n%sconnection to server was lost\n",
                     locus(p), locus(p));
            p->quit = p->lost = true;
        }
    }
    if (p->timing)
        psql_printf(p, "Time: %lld.%03lld ms\n", (long long)(took_ns / MILLISECOND),
                    (long long)(took_ns / MICROSECOND % 1000));
    return ok;
}

/* ---- scripts: statements end at a semicolon outside quotes, comments and brackets ---- */

struct scanner {
    char quote;   /* ' " $ or * for a comment; 0 outside */
    char tag[64]; /* of $tag$ */
    int depth, comment_depth;
    bool escapes; /* E'...' */
};

static size_t dollar_tag(const char *at, size_t len)
{
    size_t i = 1;
    while (i < len && (isalnum((unsigned char)at[i]) || at[i] == '_'))
        i++;
    return i < len && at[i] == '$' && i < 63 && !(i > 1 && isdigit((unsigned char)at[1])) ? i + 1
                                                                                          : 0;
}

/* :name, :'name' and :"name" outside of quotes. The bytes taken, 0 if it is none. */
static size_t interpolate(struct psql *p, struct str rest, struct buf *query)
{
    char quote = rest.len > 1 && (rest.at[1] == '\'' || rest.at[1] == '"') ? rest.at[1] : 0;
    size_t from = quote ? 2 : 1, to = from;
    while (to < rest.len && (isalnum((unsigned char)rest.at[to]) || rest.at[to] == '_'))
        to++;
    if (to == from || (quote && (to >= rest.len || rest.at[to] != quote)))
        return 0;
    const char *value =
        psql_get(p, arena_str(p->call->arena, (struct str){rest.at + from, to - from}));
    if (!value)
        return 0;
    if (quote) {
        buf_putc(query, quote);
        for (const char *c = value; *c; c++) {
            if (*c == quote)
                buf_putc(query, quote);
            buf_putc(query, *c);
        }
        buf_putc(query, quote);
    } else {
        buf_puts(query, value);
    }
    return to + (quote != 0);
}

/* Takes one byte (or token) from a line inside a quote or comment. The bytes taken. */
static size_t scan_inside(struct scanner *s, struct str rest, struct buf *query)
{
    size_t take = 1;
    if (s->quote == '*') {
        if (rest.len > 1 && rest.at[0] == '*' && rest.at[1] == '/') {
            take = 2;
            if (--s->comment_depth == 0)
                s->quote = 0;
        } else if (rest.len > 1 && rest.at[0] == '/' && rest.at[1] == '*') {
            take = 2;
            s->comment_depth++;
        }
    } else if (s->quote == '$') {
        size_t len = strlen(s->tag);
        if (rest.len >= len && memcmp(rest.at, s->tag, len) == 0) {
            take = len;
            s->quote = 0;
        }
    } else if (s->quote == '\'' && s->escapes && rest.at[0] == '\\' && rest.len > 1) {
        take = 2;
    } else if (rest.at[0] == s->quote) {
        s->quote = 0;
    }
    buf_add(query, rest.at, take);
    return take;
}

static bool is_active(const struct psql *p)
{
    for (int i = 0; i < p->n_conditions; i++) {
        if (!p->conditions[i])
            return false;
    }
    return true;
}

static bool has_text(const struct buf *query)
{
    struct str text = str_trim(buf_text(query));
    while (str_starts(text, "--")) {
        str_cut(&text, '\n');
        text = str_trim(text);
    }
    return text.len > 0;
}

static bool flush_query(struct psql *p, struct buf *query, struct psql_script *script)
{
    bool ok = true;
    if (has_text(query) && is_active(p)) {
        struct str text = str_trim(buf_text(query));
        ok = psql_send(p, arena_str(p->call->arena, text), script);
    }
    buf_clear(query);
    return ok;
}

/* One line of a script. False: something failed. */
static bool scan_line(struct psql *p, struct scanner *s, struct str line, struct buf *query,
                      struct psql_script *script)
{
    bool ok = true;
    while (line.len && !p->quit) {
        size_t take = 1;
        char c = line.at[0], next = line.len > 1 ? line.at[1] : 0;
        if (s->quote) {
            take = scan_inside(s, line, query);
        } else if (c == '-' && next == '-') {
            take = line.len; /* psql does not send comments behind a statement */
        } else if (c == '/' && next == '*') {
            s->quote = '*';
            s->comment_depth = 1;
            take = 2;
            buf_add(query, line.at, 2);
        } else if (c == '\'' || c == '"') {
            s->escapes = c == '\'' && query->len && (query->at[query->len - 1] | 0x20) == 'e';
            s->quote = c;
            buf_putc(query, c);
        } else if (c == '$' && (take = dollar_tag(line.at, line.len)) > 0) {
            memcpy(s->tag, line.at, take);
            s->tag[take] = '\0';
            s->quote = '$';
            buf_add(query, line.at, take);
        } else if (c == ':' && next != ':' && (take = interpolate(p, line, query)) > 0) {
            ;
        } else if (c == ':' && next == ':') {
            take = 2;
            buf_puts(query, "::");
        } else if (c == '\\') {
            take = line.len;
            ok = psql_command(p, (struct str){line.at + 1, line.len - 1}, script, query) && ok;
        } else if (c == ';' && s->depth == 0) {
            take = 1;
            buf_putc(query, ';');
            ok = flush_query(p, query, script) && ok;
        } else {
            take = 1;
            s->depth += (c == '(') - (c == ')' && s->depth > 0);
            buf_putc(query, c);
        }
        line.at += take;
        line.len -= take;
        if (!ok && psql_is_on(p, "ON_ERROR_STOP"))
            break;
    }
    return ok;
}

int psql_script(struct psql *p, struct psql_script *script)
{
    struct scanner scanner = {0};
    struct buf *query = ARENA_NEW(p->call->arena, struct buf);
    buf_init(query, TEXT_MAX);
    call_defer(p->call, (void (*)(void *))buf_release, query);
    const char *outer = p->input;
    int64_t outer_line = p->line;
    int status = EXIT_OK;
    p->input = script->name;
    p->line = 0;
    while (script->rest.len && !p->quit && status == EXIT_OK) {
        struct str line = str_cut(&script->rest, '\n');
        if (line.len && line.at[line.len - 1] == '\r')
            line.len--;
        p->line++;
        if (p->line == 1 && str_starts(line, "PGDMP")) {
            psql_printf(
                p, "The input is a PostgreSQL custom-format dump.\n"
                   "Use the pg_restore command-line client to restore this dump to a database.\n");
            status = EXIT_FAIL;
            break;
        }
        bool ok = scan_line(p, &scanner, line, query, script);
        if (has_text(query))
            buf_putc(query, '\n');
        else if (!scanner.quote)
            buf_clear(query);
        if (!ok && psql_is_on(p, "ON_ERROR_STOP"))
            status = EXIT_SCRIPT;
    }
    if (status == EXIT_OK && !p->quit && !flush_query(p, query, script) &&
        psql_is_on(p, "ON_ERROR_STOP"))
        status = EXIT_SCRIPT;
    p->input = outer;
    p->line = outer_line;
    return p->lost ? EXIT_CONNECTION : status;
}

int psql_file(struct psql *p, const char *path)
{
    struct buf *text = ARENA_NEW(p->call->arena, struct buf);
    buf_init(text, TEXT_MAX);
    call_defer(p->call, (void (*)(void *))buf_release, text);
    bool standard = strcmp(path, "-") == 0;
    int code = standard ? call_read_all(p->call, 0, text) : call_load(p->call, path, text);
    if (code < 0) {
        psql_complain(p, "%s%s: %s", p->input ? "error: " : "psql: error: ", path, strerror(-code));
        return EXIT_FAIL;
    }
    struct psql_script script = {buf_text(text), standard ? "<stdin>" : path};
    return psql_script(p, &script);
}

/* ---- the program ---- */

/* What psql sends of its own accord (PSQLexec()): no tag is shown. */
static void silently(struct psql *p, const char *statement)
{
    bool quiet = p->quiet;
    p->quiet = true;
    psql_send(p, statement, NULL);
    p->quiet = quiet;
}

static int run_actions(struct psql *p, const struct psql_action *actions, int n)
{
    int status = EXIT_OK;
    if (p->single_transaction)
        silently(p, "BEGIN");
    for (int i = 0; i < n && !p->lost; i++) {
        if (actions[i].kind == 'f') {
            status = psql_file(p, actions[i].text);
        } else if (*actions[i].text == '\\') {
            struct buf none;
            buf_init(&none, 16);
            status =
                psql_command(p, str_of(actions[i].text + 1), NULL, &none) ? EXIT_OK : EXIT_FAIL;
            buf_release(&none);
        } else {
            status = psql_send(p, actions[i].text, NULL) ? EXIT_OK : EXIT_FAIL;
        }
        if (status != EXIT_OK && psql_is_on(p, "ON_ERROR_STOP"))
            break;
    }
    if (p->lost)
        return EXIT_CONNECTION;
    if (p->single_transaction)
        silently(p, status == EXIT_OK ? "COMMIT" : "ROLLBACK");
    return status;
}

int run_psql(struct call *call)
{
    struct psql *p = ARENA_NEW(call->arena, struct psql);
    struct psql_action actions[PSQL_ACTIONS_MAX];
    int n_actions = 0;
    bool stop = false;
    *p = (struct psql){.call = call, .verbosity = 'd'};
    p->print =
        (struct print_options){.separator = "|", .record_separator = "\n", .null = "", .border = 1};
    int code = psql_options(p, actions, &n_actions, &stop);
    if (code || stop)
        return code;
    psql_connection_text(p);
    if (p->list && !p->target.database)
        p->target.database = "postgres";
    pg_target_defaults(call, &p->target);
    p->session = pg_target_connect(call, &p->target, "psql");
    if (!p->session)
        return EXIT_CONNECTION;
    if (p->output)
        call_save(call, p->output, "", 0, 0644);
    if (p->list) {
        struct buf none;
        buf_init(&none, 16);
        psql_command(p, STR("l"), NULL, &none);
        buf_release(&none);
        return EXIT_OK;
    }
    if (n_actions)
        return run_actions(p, actions, n_actions);
    if (call_isatty(call, 0)) {
        if (!p->quiet)
            call_out(call, "psql (15.8 (Debian 15.8-1.pgdg120+1))\nType \"help\" for help.\n\n");
    }
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, TEXT_MAX);
    call_defer(call, (void (*)(void *))buf_release, text);
    call_read_all(call, 0, text);
    struct psql_script script = {buf_text(text), NULL};
    return psql_script(p, &script);
}
