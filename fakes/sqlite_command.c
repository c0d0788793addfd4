/* sqlite: stores of the world whose engine is SQLite, and the command sqlite3 on their files.
 *
 * A store with `engine: sqlite 3` has a file (`path:`, in the places named by `container:` and in the instances of its
 * service). Its tables are those of its traffic: identities with an id, a time and computed columns (fakes/postgres/rows.h);
 * statements are SQLite's own and run by SQLite itself. `.backup` and `.dump` write what the store holds; such a file can be
 * opened like a database. Any other file that exists is "not a database", as SQLite says.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/postgres/dump.h"
#include "fakes/postgres/rows.h"
#include "fakes/postgres/server.h"
#include "fakes/sqlite_files.h"
#include "sim/base/xalloc.h"

#define MAGIC "SQLite format 3\n"
#define VERSION "3.40.1 2022-12-28 14:03:47 df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd45ae7b9c5e82ad8197f3alt1"

struct file {
    struct pg_server *server;
    const char *path;
    struct file *next;
};

enum mode { MODE_LIST, MODE_COLUMN, MODE_CSV, MODE_JSON, MODE_LINE, MODE_TABS };

struct shell {
    struct call *call;
    struct pg_server *server;   /* what is open; NULL: a new, empty database that nobody keeps */
    struct pg_server *snapshot; /* made for this call from a .backup file */
    struct pg_database *database;
    enum mode mode;
    bool header, bail, quit;
    const char *separator, *null, *output;
    int line;          /* of stdin, 0: the command line */
    struct buf out;    /* of one statement: written when nothing of SQLite is open any more */
};

static struct file **files(struct env *env)
{
    return (struct file **)(void *)env_slot(env, "sqlite");
}

/* ---- set-up ---- */

static const char *text_of(const struct doc *config, const char *key, const char *otherwise)
{
    doc_text(doc_get(config, key), &otherwise, NULL);
    return otherwise;
}

static int add_store(struct env *env, struct store *store, struct error *error)
{
    const struct doc *config = store_config(store);
    struct pg_server *server = pg_server_new(env, store_name(store));
    struct file *file = xcalloc(1, sizeof *file);
    file->server = server;
    file->path = arena_strdup(&env->arena, text_of(config, "path", "/data/database.db"));
    file->next = *files(env);
    *files(env) = file;
    server->places = ARENA_ARRAY(&server->arena, char *, 2);
    server->places[server->n_places++] = arena_strdup(&server->arena, text_of(config, "container", ""));
    server->starting = true;
    pg_role_new(server, server->superuser)->superuser = true;
    struct pg_database *database = pg_database_new(server, server->serving_name, server->superuser);
    struct pg_error refused;
    struct pg_session *session = pg_connect(server, server->serving_name, server->superuser, "setup", &refused);
    const struct doc *setup = doc_get(config, "setup");
    int code = 0;
    if (setup && !pg_query(session, text_of(config, "setup", "")))
        code = doc_error(setup, error, "%s", session->error.message);
    for (int i = 0; i < server->n_traffic_tables && code == 0; i++) {
        const char *table = server->traffic_tables[i];
        if (!catalog_find(database, &server->arena, NULL, table))
            pg_query(session, arena_printf(&server->arena, "CREATE TABLE %s (id bigserial PRIMARY KEY, created_at timestamp, data"
                                                           " text)",
                                           pg_ident(&server->arena, table)));
    }
    pg_disconnect(session);
    server->starting = false;
    env_write(env, server->places[0], file->path, STR(MAGIC), 0644);
    return code;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    for (int i = 0; env->world && i < world_stores(env->world); i++) {
        struct store *store = world_store_at(env->world, i);
        if (strncmp(store_engine(store), "sqlite", 6) == 0 && add_store(env, store, error) < 0)
            return ERROR_INPUT;
    }
    return sqlite_files_setup(env, config, error);
}

static void release(struct env *env)
{
    sqlite_files_release(env);
    for (struct file *f = *files(env), *next; f; f = next) {
        next = f->next;
        pg_server_free(f->server);
        free(f);
    }
    *files(env) = NULL;
}

/* ---- opening ---- */

static bool in_place(const struct file *file, const char *place)
{
    const struct pg_server *server = file->server;
    if (strcmp(server->places[0], place) == 0)
        return true;
    struct service *service = server->service ? world_service(server->env->world, server->service) : NULL;
    for (int i = 0; service && i < service_instances(service); i++) {
        if (strcmp(instance_name(service_instance(service, i)), place) == 0)
            return true;
    }
    return false;
}

static void free_server(void *server)
{
    pg_server_free(server);
}

/* The database of a .backup file: the dump that stands behind the magic. */
static struct pg_server *open_snapshot(struct shell *sh, const char *text)
{
    struct pg_server *server = pg_server_new(sh->call->env, "");
    call_defer(sh->call, free_server, server);
    struct file *origin = *files(sh->call->env);
    server->store = origin ? origin->server->store : NULL; /* times of its rows */
    server->serving_name = arena_strdup(&server->arena, "");
    server->starting = true;
    if (origin) {
        server->traffic_tables = origin->server->traffic_tables;
        server->n_traffic_tables = origin->server->n_traffic_tables;
        server->verdicts = origin->server->verdicts;
    }
    pg_role_new(server, server->superuser)->superuser = true;
    pg_database_new(server, "snapshot", server->superuser);
    struct pg_error refused;
    struct pg_session *session = pg_connect(server, "snapshot", server->superuser, "sqlite3", &refused);
    struct str rest = str_of(text);
    struct buf statement;
    buf_init(&statement, 1 << 20);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (str_starts(line, "--") || !str_trim(line).len)
            continue;
        buf_str(&statement, line);
        buf_putc(&statement, '\n');
        if (!str_ends(line, ";"))
            continue;
        bool ok = pg_query(session, statement.at);
        const struct pg_message *m = session->messages;
        if (ok && m && m->result && m->result->copy) {
            const struct pg_copy *copy = m->result->copy;
            pg_copy_begin(session);
            for (int64_t n = 1; rest.len; n++) {
                struct str row = str_cut(&rest, '\n');
                if (str_is(row, "\\."))
                    break;
                pg_copy_line(session, copy, row, n);
            }
            pg_copy_end(session, true, 0, copy->table);
        }
        buf_clear(&statement);
    }
    buf_release(&statement);
    pg_disconnect(session);
    return server;
}

/* 0, or the exit status after having said why. */
static int open_file(struct shell *sh, const char *path)
{
    struct call *call = sh->call;
    struct env *env = call->env;
    const char *absolute = *path == '/' ? path : arena_printf(call->arena, "%s/%s", call->cwd, path);
    for (struct file *f = *files(env); f; f = f->next) {
        if (strcmp(f->path, absolute) == 0 && in_place(f, call->place) && call_exists(call, path) == 1)
            sh->server = f->server;
    }
    if (sh->server) {
        sh->database = pg_database_find(sh->server, sh->server->serving_name);
        return 0;
    }
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, 64 << 20);
    call_defer(call, (void (*)(void *))buf_release, text);
    if (strcmp(path, ":memory:") == 0)
        path = "";
    int code = *path ? call_load(call, path, text) : 0;
    if (code == 0 && text->len && !str_starts(buf_text(text), MAGIC)) {
        call_err(call, "Error: in prepare, file is not a database (26)\n");
        return 26;
    }
    if (code < 0) { /* it is made when something is first written: then its folder must be there */
        const char *slash = strrchr(absolute, '/');
        if (call_exists(call, arena_printf(call->arena, "%.*s", slash == absolute ? 1 : (int)(slash - absolute), absolute)) != 2) {
            call_err(call, "Error: unable to open database \"%s\": unable to open database file\n", path);
            return 1;
        }
    }
    sh->server = sh->snapshot = open_snapshot(sh, text->len > strlen(MAGIC) ? text->at + strlen(MAGIC) : "");
    sh->database = pg_database_find(sh->server, "snapshot");
    return 0;
}

/* ---- output ---- */

static void flush(struct shell *sh)
{
    const char *text = arena_str(sh->call->arena, buf_text(&sh->out));
    size_t len = sh->out.len;
    buf_release(&sh->out);
    buf_init(&sh->out, 64 << 20);
    if (len && sh->output)
        call_append(sh->call, sh->output, text, len, 0644);
    else if (len)
        call_write(sh->call, 1, text, len);
}

static void csv_cell(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\n\r ")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static void json_text(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        if (*text == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static const char *cell(sqlite3_stmt *statement, int i, const char *null)
{
    const unsigned char *text = sqlite3_column_text(statement, i);
    return text ? (const char *)text : null;
}

static void flat_row(struct shell *sh, sqlite3_stmt *statement, int n, bool names)
{
    const char *separator = sh->mode == MODE_CSV ? "," : sh->mode == MODE_TABS ? "\t" : sh->separator;
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const char *text = names ? sqlite3_column_name(statement, i) : cell(statement, i, sh->null);
        buf_puts(&sh->out, i ? separator : "");
        if (sh->mode == MODE_CSV)
            csv_cell(&sh->out, text);
        else
            buf_puts(&sh->out, text);
    }
    buf_puts(&sh->out, sh->mode == MODE_CSV ? "\r\n" : "\n");
    (void)n;
}

static void json_row(struct shell *sh, sqlite3_stmt *statement, int n)
{
    buf_puts(&sh->out, n == 0 ? "[{" : ",\n{");
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        buf_puts(&sh->out, i ? "," : "");
        json_text(&sh->out, sqlite3_column_name(statement, i));
        buf_putc(&sh->out, ':');
        int type = sqlite3_column_type(statement, i);
        if (type == SQLITE_TEXT)
            json_text(&sh->out, cell(statement, i, ""));
        else
            buf_puts(&sh->out, cell(statement, i, "null"));
    }
    buf_putc(&sh->out, '}');
}

static void line_row(struct shell *sh, sqlite3_stmt *statement, int n)
{
    int widest = 5;
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        int width = (int)strlen(sqlite3_column_name(statement, i));
        widest = width > widest ? width : widest;
    }
    buf_puts(&sh->out, n ? "\n" : "");
    for (int i = 0; i < sqlite3_column_count(statement); i++)
        buf_printf(&sh->out, "%*s = %s\n", widest, sqlite3_column_name(statement, i), cell(statement, i, sh->null));
}

/* Columns as wide as their widest cell; all rows are read first. */
static int column_rows(struct shell *sh, sqlite3_stmt *statement, int *ret_code)
{
    int width[64], columns = sqlite3_column_count(statement), n = 0;
    columns = columns > 64 ? 64 : columns;
    struct arena arena = {0};
    const char **cells = NULL;
    int cap = 0;
    for (int i = 0; i < columns; i++)
        width[i] = (int)strlen(sqlite3_column_name(statement, i));
    while ((*ret_code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            int at = n * columns + i;
            XGROW(cells, at, cap);
            cells[at] = arena_strdup(&arena, cell(statement, i, sh->null));
            int w = (int)strlen(cells[at]);
            width[i] = w > width[i] ? w : width[i];
        }
        n++;
    }
    for (int row = -2; row < n && n > 0; row++) {
        if (row < 0 && !sh->header)
            continue;
        for (int i = 0; i < columns; i++) {
            const char *text = row == -2 ? sqlite3_column_name(statement, i) : row >= 0 ? cells[row * columns + i] : "";
            buf_puts(&sh->out, i ? "  " : "");
            for (int k = 0; row == -1 && k < width[i]; k++)
                buf_putc(&sh->out, '-');
            if (row != -1)
                buf_printf(&sh->out, "%-*s", width[i], text);
        }
        buf_putc(&sh->out, '\n');
    }
    free(cells);
    arena_release(&arena);
    return n;
}

/* ---- statements ---- */

static void say_error(struct shell *sh, const char *sql, bool preparing, int code)
{
    sqlite3 *sqlite = sh->database->sqlite;
    const char *message = arena_strdup(sh->call->arena, sqlite3_errmsg(sqlite));
    int offset = sqlite3_error_offset(sqlite);
    if (sh->line) {
        call_err(sh->call, preparing ? "Parse error near line %d: %s" : "Runtime error near line %d: %s", sh->line, message);
        if (code != SQLITE_ERROR)
            call_err(sh->call, " (%d)", code);
        call_err(sh->call, "\n");
    } else {
        call_err(sh->call, "Error: %s, %s", preparing ? "in prepare" : "stepping", message);
        if (code != SQLITE_ERROR)
            call_err(sh->call, " (%d)", code);
        call_err(sh->call, "\n");
    }
    if (preparing && offset >= 0)
        call_err(sh->call, "  %s\n  %*s^--- error here\n", sql, offset, "");
}

/* Tables of traffic that a DROP removed: the store has lost them, too. */
static void follow_drops(struct shell *sh)
{
    struct pg_database *database = sh->database;
    struct arena arena = {0};
    char **oids = catalog_rows(database, &arena, "SELECT oid FROM pgc_relation WHERE ledger AND key NOT IN (SELECT name FROM"
                                                 " sqlite_master)");
    for (; *oids; oids++) {
        struct pg_relation *relation = catalog_by_oid(database, &arena, strtoll(*oids, NULL, 10));
        dataset_drop_table(pg_database_contents(database), relation->key);
        catalog_run(database, "DELETE FROM pgc_relation WHERE oid = %lld", (long long)relation->oid);
    }
    arena_release(&arena);
}

/* One statement at *sql, which is moved behind it. The exit status. */
static int run_one(struct shell *sh, const char **sql)
{
    sqlite3 *sqlite = sh->database->sqlite;
    sqlite3_stmt *statement = NULL;
    const char *start = *sql, *rest = NULL;
    int code = sqlite3_prepare_v2(sqlite, start, -1, &statement, &rest);
    if (code != SQLITE_OK) {
        say_error(sh, start, true, code);
        *sql = start + strlen(start);
        return code;
    }
    *sql = rest;
    if (!statement)
        return 0;
    if (sh->server->store && sh->server != sh->snapshot)
        store_because(sh->server->store, arena_printf(sh->call->arena, "sqlite3: %.*s", (int)(rest - start), start));
    int n = 0;
    if (sh->mode == MODE_COLUMN) {
        n = column_rows(sh, statement, &code);
    } else {
        while ((code = sqlite3_step(statement)) == SQLITE_ROW && n < 200000) {
            if (n == 0 && sh->header && sh->mode != MODE_JSON && sh->mode != MODE_LINE)
                flat_row(sh, statement, n, true);
            if (sh->mode == MODE_JSON)
                json_row(sh, statement, n);
            else if (sh->mode == MODE_LINE)
                line_row(sh, statement, n);
            else
                flat_row(sh, statement, n, false);
            n++;
        }
        if (n && sh->mode == MODE_JSON)
            buf_puts(&sh->out, "]\n");
    }
    sqlite3_finalize(statement);
    bool failed = code != SQLITE_DONE && code != SQLITE_ROW;
    if (!failed) {
        follow_drops(sh);
        pg_server_changed(sh->server);
    }
    flush(sh);
    if (failed)
        say_error(sh, start, false, code);
    return failed ? code : 0;
}

static int run_sql(struct shell *sh, const char *sql)
{
    int status = 0;
    while (*sql && status == 0)
        status = run_one(sh, &sql);
    return status;
}

/* ---- dot commands ---- */

#define OWN_TABLES                                                                                                     \
    "SELECT key FROM pgc_relation WHERE kind = 'r' AND schema = 'public' UNION SELECT name FROM sqlite_master WHERE type IN" \
    " ('table', 'view') AND name NOT LIKE 'pgc\\_%%' ESCAPE '\\' AND name NOT IN (SELECT key FROM pgc_relation) AND name NOT LIKE" \
    " 'sqlite\\_%%' ESCAPE '\\' ORDER BY 1"

static const char *schema_text(struct shell *sh, const char *table)
{
    struct arena *arena = sh->call->arena;
    struct pg_relation *relation = catalog_find(sh->database, arena, "public", table);
    if (!relation)
        return catalog_text(sh->database, arena, "SELECT sql || ';' FROM sqlite_master WHERE name = %s", sql_text(arena, table));
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_printf(&out, "CREATE TABLE %s(", relation->key);
    for (int i = 0; i < relation->n_attributes; i++) {
        const struct pg_attribute *a = &relation->attributes[i];
        buf_printf(&out, "%s%s %s%s", i ? ", " : "", a->name, pg_type_is_number(a->type) ? "INTEGER" : "TEXT",
                   a->is_id ? " PRIMARY KEY" : a->not_null ? " NOT NULL" : "");
    }
    buf_puts(&out, ");");
    const char *text = arena_str(arena, buf_text(&out));
    buf_release(&out);
    return text;
}

static int write_backup(struct shell *sh, const char *path)
{
    struct buf text;
    struct dump_options options = {.schema = NEVER};
    buf_init(&text, 64 << 20);
    buf_puts(&text, MAGIC);
    dump_text(&text, sh->database, &options);
    char *bytes = arena_str(sh->call->arena, buf_text(&text));
    size_t len = text.len;
    buf_release(&text);
    int code = call_save(sh->call, path, bytes, len, 0644);
    if (code < 0) {
        call_err(sh->call, "Error: cannot open \"%s\"\n", path);
        return 1;
    }
    if (sh->server->store && sh->server != sh->snapshot)
        store_keep_copy(sh->server->store, arena_printf(sh->call->arena, "%s", path),
                        dataset_copy(pg_database_contents(sh->database)));
    return 0;
}

static int set_mode(struct shell *sh, const char *name)
{
    static const char *const names[] = {"list", "column", "csv", "json", "line", "tabs"};
    for (int i = 0; i < 6; i++) {
        if (strcmp(name, names[i]) == 0) {
            sh->mode = (enum mode)i;
            sh->header |= sh->mode == MODE_COLUMN;
            return 0;
        }
    }
    call_err(sh->call, "Error: mode should be one of: column csv json line list tabs\n");
    return 1;
}

static int dot_command(struct shell *sh, const char *line)
{
    struct arena *arena = sh->call->arena;
    struct str rest = str_trim(str_of(line + 1)), name = str_cut(&rest, ' ');
    rest = str_trim(rest);
    const char *word = arena_str(arena, rest);
    if (str_is(name, "quit") || str_is(name, "exit")) {
        sh->quit = true;
    } else if (str_is(name, "tables")) {
        for (char **rows = catalog_rows(sh->database, arena, OWN_TABLES); *rows; rows++) {
            if (!rest.len || sqlite3_strlike(word, *rows, 0) == 0)
                buf_printf(&sh->out, "%s%s", sh->out.len ? "  " : "", *rows);
        }
        buf_puts(&sh->out, sh->out.len ? "\n" : "");
    } else if (str_is(name, "schema")) {
        for (char **rows = catalog_rows(sh->database, arena, OWN_TABLES); *rows; rows++) {
            const char *text = !rest.len || strcmp(word, *rows) == 0 ? schema_text(sh, *rows) : NULL;
            if (text)
                buf_printf(&sh->out, "%s\n", text);
        }
    } else if (str_is(name, "mode")) {
        return set_mode(sh, word);
    } else if (str_is(name, "headers") || str_is(name, "header")) {
        sh->header = strcmp(word, "on") == 0;
    } else if (str_is(name, "separator")) {
        sh->separator = word;
    } else if (str_is(name, "nullvalue")) {
        sh->null = word;
    } else if (str_is(name, "backup") || str_is(name, "save")) {
        return write_backup(sh, str_starts(rest, "main ") ? word + 5 : word);
    } else if (str_is(name, "databases")) {
        buf_printf(&sh->out, "main: %s r/w\n", (*files(sh->call->env))->path);
    } else if (str_is(name, "bail")) {
        sh->bail = strcmp(word, "on") == 0;
    } else if (str_is(name, "output") || str_is(name, "once")) {
        sh->output = rest.len && strcmp(word, "stdout") != 0 ? word : NULL;
        if (sh->output)
            call_save(sh->call, sh->output, "", 0, 0644);
    } else if (str_is(name, "print")) {
        buf_printf(&sh->out, "%s\n", word);
    } else if (!str_is(name, "timeout") && !str_is(name, "echo") && !str_is(name, "timer") && !str_is(name, "changes")) {
        static const char *const known[] = {"dump", "restore", "import", "clone", "recover", "read", "open", NULL};
        for (int i = 0; known[i]; i++) {
            if (str_is(name, known[i])) {
                record_observe(sh->call->env->record, "not_simulated", line, "the simulated sqlite3 does not know .%s", known[i]);
                call_err(sh->call, "Error: not simulated: .%s\n", known[i]);
                return 1;
            }
        }
        call_err(sh->call, "Error: unknown command or invalid arguments:  \"%.*s\". Enter \".help\" for help\n", STR_ARG(name));
        return 1;
    }
    flush(sh);
    return 0;
}

static int run_input(struct shell *sh, struct str text)
{
    struct buf *statement = ARENA_NEW(sh->call->arena, struct buf);
    buf_init(statement, 16 << 20);
    call_defer(sh->call, (void (*)(void *))buf_release, statement);
    int errors = 0, line_number = 0;
    while (text.len && !sh->quit) {
        struct str line = str_cut(&text, '\n');
        line_number++;
        int status = 0;
        if (!statement->len && str_starts(line, ".")) {
            status = dot_command(sh, arena_str(sh->call->arena, line));
        } else {
            if (!statement->len)
                sh->line = line_number;
            buf_str(statement, line);
            buf_putc(statement, '\n');
            if (text.len && !sqlite3_complete(statement->at))
                continue;
            const char *sql = arena_str(sh->call->arena, str_trim(buf_text(statement)));
            buf_clear(statement);
            while (*sql) {
                int one = run_one(sh, &sql);
                status = status ? status : one;
                if (one && sh->bail)
                    return 1;
            }
        }
        errors += status != 0;
    }
    return errors ? 1 : 0;
}

/* ---- the command ---- */

static bool option(struct shell *sh, const char *word, const char *value, bool *ret_takes)
{
    static const char *const plain[] = {"batch", "interactive", "readonly", "safe", "echo", "stats", NULL};
    word += word[1] == '-' ? 2 : 1;
    *ret_takes = false;
    if (strcmp(word, "header") == 0 || strcmp(word, "noheader") == 0)
        sh->header = *word == 'h';
    else if (strcmp(word, "bail") == 0)
        sh->bail = true;
    else if (strcmp(word, "separator") == 0 || strcmp(word, "nullvalue") == 0 || strcmp(word, "cmd") == 0 ||
             strcmp(word, "init") == 0) {
        *ret_takes = true;
        if (*word == 's' && value)
            sh->separator = value;
        if (*word == 'n' && value)
            sh->null = value;
    } else if (strcmp(word, "list") == 0 || strcmp(word, "column") == 0 || strcmp(word, "csv") == 0 ||
               strcmp(word, "json") == 0 || strcmp(word, "line") == 0 || strcmp(word, "tabs") == 0) {
        bool header = sh->header;
        set_mode(sh, word);
        sh->header = header || sh->mode == MODE_COLUMN;
    } else {
        for (int i = 0; plain[i]; i++) {
            if (strcmp(word, plain[i]) == 0)
                return true;
        }
        return false;
    }
    return true;
}

static void release_output(void *buf)
{
    buf_release(buf);
}

/* The file that a command line names, or NULL. */
static const char *named_file(const struct call *call)
{
    static const char *const with_value[] = {"separator", "nullvalue", "cmd", "init", NULL};
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        if (word[0] != '-')
            return word;
        word += word[1] == '-' ? 2 : 1;
        for (int k = 0; with_value[k]; k++)
            i += strcmp(word, with_value[k]) == 0;
    }
    return NULL;
}

/* Does it belong to a store whose engine is SQLite: the store's own file, or what .backup wrote of one? */
static bool is_of_a_store(struct call *call)
{
    const char *path = named_file(call);
    if (!path || !*files(call->env))
        return false;
    const char *absolute = *path == '/' ? path : arena_printf(call->arena, "%s/%s", call->cwd, path);
    for (struct file *f = *files(call->env); f; f = f->next) {
        if (strcmp(f->path, absolute) == 0 && in_place(f, call->place))
            return true;
    }
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, 64 << 20);
    call_defer(call, (void (*)(void *))buf_release, text);
    return call_load(call, path, text) == 0 && str_starts(buf_text(text), MAGIC);
}

static int run(struct call *call)
{
    if (!is_of_a_store(call))
        return run_sqlite3(call);
    struct shell *sh = ARENA_NEW(call->arena, struct shell);
    const char *path = NULL, *texts[32];
    int n = 0;
    *sh = (struct shell){.call = call, .separator = "|", .null = ""};
    buf_init(&sh->out, 64 << 20);
    call_defer(call, release_output, &sh->out);
    for (int i = 1; i < call->argc; i++) {
        char *word = call->argv[i];
        bool takes;
        if (strcmp(word, "-version") == 0 || strcmp(word, "--version") == 0) {
            call_out(call, "%s\n", VERSION);
            return 0;
        }
        if (word[0] != '-') {
            if (!path)
                path = word;
            else if (n < 32)
                texts[n++] = word;
            continue;
        }
        if (!option(sh, word, call->argv[i + 1], &takes)) {
            call_err(call, "sqlite3: Error: unknown option: %s\nUse -help for a list of options.\n", word);
            return 1;
        }
        i += takes;
    }
    call_sleep(call, 5 * MILLISECOND);
    int status = open_file(sh, path ? path : ":memory:");
    if (status)
        return status;
    rows_clock(call->env);
    sh->database->raw = true;
    for (int i = 0; i < n && status == 0 && !sh->quit; i++)
        status = texts[i][0] == '.' ? dot_command(sh, texts[i]) : run_sql(sh, texts[i]);
    if (n == 0) {
        struct buf *input = ARENA_NEW(call->arena, struct buf);
        buf_init(input, 64 << 20);
        call_defer(call, release_output, input);
        call_read_all(call, 0, input);
        status = run_input(sh, buf_text(input));
    }
    return status;
}

static const char *const commands[] = {"sqlite3", NULL};

const struct fake fake_sqlite = {
    .name = "sqlite",
    .commands = commands,
    .setup = setup,
    .run = run,
    .release = release,
};
