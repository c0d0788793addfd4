/* sqlite3, the command-line shell, as version 3.40 words it. Arguments, dot commands, output modes,
 * exit codes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/sqlite_shell.h"
#include "sim/base/doc.h"
#include "sim/record.h"

enum { FILE_MAX = 256 << 20, INPUT_MAX = 64 << 20 };
#define CALL_NS (4 * MILLISECOND)

static void close_database(void *ctx)
{
    struct shell *shell = ctx;
    sqlite3_close(shell->database);
    shell->database = NULL;
}

static const char *absolute(struct call *call, const char *path)
{
    if (path[0] == '/')
        return path;
    return arena_printf(call->arena, "%s/%s", strcmp(call->cwd, "/") == 0 ? "" : call->cwd, path);
}

/* ---- output ---- */

static const char *text_of(const struct shell *shell, sqlite3_stmt *statement, int i)
{
    const char *text = (const char *)sqlite3_column_text(statement, i);
    return text ? text : shell->null;
}

static void put_csv(struct shell *shell, const char *text)
{
    if (*text && !strpbrk(text, ",\"\r\n '")) {
        call_out(shell->call, "%s", text);
        return;
    }
    if (!*text)
        return;
    call_out(shell->call, "\"");
    for (const char *p = text; *p; p++)
        call_out(shell->call, *p == '"' ? "\"\"" : "%c", *p);
    call_out(shell->call, "\"");
}

static void put_json(struct shell *shell, sqlite3_stmt *statement, int i)
{
    int type = sqlite3_column_type(statement, i);
    const char *text = (const char *)sqlite3_column_text(statement, i);
    if (type == SQLITE_NULL || type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        call_out(shell->call, "%s", text ? text : "null");
        return;
    }
    call_out(shell->call, "\"");
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            call_out(shell->call, "\\%c", *p);
        else if (*p == '\n')
            call_out(shell->call, "\\n");
        else
            call_out(shell->call, "%c", *p);
    }
    call_out(shell->call, "\"");
}

static void put_row(struct shell *shell, sqlite3_stmt *statement, int64_t row)
{
    int n = sqlite3_column_count(statement), width = 5;
    bool json = shell->mode == MODE_JSON, line = shell->mode == MODE_LINE;
    for (int i = 0; i < n && line; i++) {
        int len = (int)strlen(sqlite3_column_name(statement, i));
        width = len > width ? len : width;
    }
    if (row == 0 && shell->headers && !json && !line) {
        for (int i = 0; i < n; i++) {
            call_out(shell->call, "%s", i ? shell->separator : "");
            if (shell->mode == MODE_CSV)
                put_csv(shell, sqlite3_column_name(statement, i));
            else
                call_out(shell->call, "%s", sqlite3_column_name(statement, i));
        }
        call_out(shell->call, "%s", shell->line_end);
    }
    if (json)
        call_out(shell->call, row ? ",\n{" : "[{");
    if (line && row)
        call_out(shell->call, "\n");
    for (int i = 0; i < n; i++) {
        const char *name = sqlite3_column_name(statement, i);
        if (line) {
            call_out(shell->call, "%*s = %s\n", width, name, text_of(shell, statement, i));
        } else if (json) {
            call_out(shell->call, "%s\"%s\":", i ? "," : "", name);
            put_json(shell, statement, i);
        } else {
            call_out(shell->call, "%s", i ? shell->separator : "");
            if (shell->mode == MODE_CSV)
                put_csv(shell, text_of(shell, statement, i));
            else
                call_out(shell->call, "%s", text_of(shell, statement, i));
        }
    }
    if (json)
        call_out(shell->call, "}");
    else if (!line)
        call_out(shell->call, "%s", shell->line_end);
}

/* Columns are as wide as the widest of all rows, so those are read first. */
static int put_columns(struct shell *shell, sqlite3_stmt *statement)
{
    struct arena *arena = shell->call->arena;
    int n = sqlite3_column_count(statement), code, rows = 0, cap = 64;
    const char **cells = ARENA_ARRAY(arena, const char *, (size_t)cap *(size_t)(n + 1));
    size_t *widths = ARENA_ARRAY(arena, size_t, n + 1);
    for (int i = 0; i < n; i++)
        widths[i] = strlen(sqlite3_column_name(statement, i));
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows == cap) {
            const char **more = ARENA_ARRAY(arena, const char *, (size_t)cap * 2 * (size_t)(n + 1));
            memcpy(more, cells, sizeof *cells * (size_t)cap * (size_t)n);
            cells = more;
            cap *= 2;
        }
        for (int i = 0; i < n; i++) {
            const char *text = arena_strdup(arena, text_of(shell, statement, i));
            cells[rows * n + i] = text;
            widths[i] = strlen(text) > widths[i] ? strlen(text) : widths[i];
        }
        rows++;
    }
    for (int row = shell->headers && rows ? -2 : 0; row < rows; row++)
        for (int i = 0; i < n; i++) {
            char dashes[SHELL_COLUMNS_MAX + 1];
            size_t width = widths[i] < SHELL_COLUMNS_MAX ? widths[i] : SHELL_COLUMNS_MAX;
            memset(dashes, '-', width);
            dashes[width] = '\0';
            const char *text = row == -2   ? sqlite3_column_name(statement, i)
                               : row == -1 ? dashes
                                           : cells[row * n + i];
            call_out(shell->call, "%-*s%s", (int)widths[i], text, i + 1 < n ? "  " : "\n");
        }
    return code;
}

/* ---- statements ---- */

/* The text with a mark under the place of the error, as the shell draws it. */
static void put_place(struct shell *shell, const char *sql, int offset)
{
    if (offset < 0)
        return;
    size_t len = strcspn(sql, "\n");
    call_err(shell->call, "  %.*s\n  %*s^--- error here\n", (int)(len < 78 ? len : 78), sql, offset,
             "");
}

static int run_statements(struct shell *shell, const char *sql, const char *where)
{
    bool from_input = where[0] == 'n'; /* "near line N" */
    while (*sql) {
        sqlite3_stmt *statement = NULL;
        const char *rest = sql;
        int code = sqlite3_prepare_v2(shell->database, sql, -1, &statement, &rest);
        if (code != SQLITE_OK) {
            const char *number =
                code == SQLITE_ERROR ? "" : arena_printf(shell->call->arena, " (%d)", code);
            if (from_input)
                call_err(shell->call, "Parse error %s: %s%s\n", where,
                         sqlite3_errmsg(shell->database), number);
            else
                call_err(shell->call, "Error: in prepare, %s%s\n", sqlite3_errmsg(shell->database),
                         number);
            put_place(shell, sql, sqlite3_error_offset(shell->database));
            return code;
        }
        if (!statement) {
            sql = rest;
            continue;
        }
        shell->because =
            arena_str(shell->call->arena, str_trim((struct str){sql, (size_t)(rest - sql)}));
        if (strncasecmp(shell->because, "pragma journal_mode", 19) ==
            0) { /* ours is in memory; a file's is this */
            const char *equals = strchr(shell->because, '=');
            struct str mode = equals ? str_trim(str_of(equals + 1)) : STR("delete");
            call_out(shell->call, "%.*s\n", (int)strcspn(mode.at, "; "), mode.at);
            sqlite3_finalize(statement);
            sql = rest;
            continue;
        }
        int64_t row = 0;
        if (shell->mode == MODE_COLUMN && sqlite3_column_count(statement))
            code = put_columns(shell, statement);
        else
            while ((code = sqlite3_step(statement)) == SQLITE_ROW)
                put_row(shell, statement, row++);
        if (shell->mode == MODE_JSON && row)
            call_out(shell->call, "]\n");
        if (code != SQLITE_DONE) {
            const char *message = sqlite3_errmsg(shell->database);
            if (from_input)
                call_err(shell->call, "Runtime error %s: %s (%d)\n", where, message, code);
            else
                call_err(shell->call, "Error: stepping, %s (%d)\n", message, code);
        }
        sqlite3_finalize(statement);
        if (code != SQLITE_DONE)
            return code;
        sql = rest;
    }
    return SQLITE_OK;
}

/* ---- dot commands ---- */

enum { WORDS_MAX = 20 };

static int split(struct arena *arena, const char *line, const char **words)
{
    int n = 0;
    while (*line && n < WORDS_MAX) {
        while (*line == ' ' || *line == '\t')
            line++;
        if (!*line)
            break;
        char quote = *line == '\'' || *line == '"' ? *line++ : '\0';
        size_t len = quote ? strcspn(line, (char[]){quote, '\0'}) : strcspn(line, " \t\n");
        words[n++] = arena_str(arena, (struct str){line, len});
        line += len + (quote && line[len] ? 1 : 0);
    }
    return n;
}

static int print_rows(struct shell *shell, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(shell->database, sql, -1, &statement, NULL);
    while (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        call_out(shell->call, "%s\n", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return code;
}

/* In as many columns as 80 characters hold, filled from the top. */
static int list_tables(struct shell *shell)
{
    sqlite3_stmt *statement = NULL;
    const char *names[1000];
    int n = 0, width = 0;
    int code =
        sqlite3_prepare_v2(shell->database,
                           "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name"
                           " NOT LIKE 'sqlite_%' ORDER BY 1",
                           -1, &statement, NULL);
    while (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW && n < 1000) {
        names[n] =
            arena_strdup(shell->call->arena, (const char *)sqlite3_column_text(statement, 0));
        int len = (int)strlen(names[n++]);
        width = len > width ? len : width;
    }
    sqlite3_finalize(statement);
    int columns = 80 / (width + 2) > 0 ? 80 / (width + 2) : 1, rows = (n + columns - 1) / columns;
    for (int i = 0; i < rows; i++) {
        for (int k = i; k < n; k += rows)
            call_out(shell->call, "%s%-*s", k < rows ? "" : "  ", width, names[k]);
        call_out(shell->call, "\n");
    }
    return code;
}

static int dump(struct shell *shell)
{
    struct arena *arena = shell->call->arena;
    sqlite3_stmt *tables = NULL;
    call_out(shell->call, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    int code = sqlite3_prepare_v2(
        shell->database,
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "AND sql NOT NULL ORDER BY rowid",
        -1, &tables, NULL);
    while (code == SQLITE_OK && sqlite3_step(tables) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(tables, 0);
        call_out(shell->call, "%s;\n", sqlite3_column_text(tables, 1));
        char *columns = sqlite3_mprintf("SELECT group_concat('quote(\"' || replace(name, '\"', "
                                        "'\"\"') || '\")', ' || '','' || ') "
                                        "FROM pragma_table_info(%Q)",
                                        name);
        sqlite3_stmt *list = NULL;
        sqlite3_prepare_v2(shell->database, columns, -1, &list, NULL);
        if (sqlite3_step(list) == SQLITE_ROW) {
            const char *bare = strpbrk(name, " -.'\"") ? arena_printf(arena, "\"%s\"", name) : name;
            char *rows =
                sqlite3_mprintf("SELECT 'INSERT INTO %s VALUES(' || %s || ');' FROM \"%w\"", bare,
                                sqlite3_column_text(list, 0), name);
            print_rows(shell, rows);
            sqlite3_free(rows);
        }
        sqlite3_finalize(list);
        sqlite3_free(columns);
    }
    sqlite3_finalize(tables);
    print_rows(shell, "SELECT sql || ';' FROM sqlite_schema WHERE type IN ('index', 'trigger', "
                      "'view') AND sql NOT NULL "
                      "ORDER BY rowid");
    call_out(shell->call, "COMMIT;\n");
    return SQLITE_OK;
}

static int save_to(struct shell *shell, const char *path)
{
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(shell->database, "main", &size, 0);
    const char *copy =
        arena_str(shell->call->arena, (struct str){(const char *)bytes, (size_t)size});
    sqlite3_free(bytes);
    if (call_save(shell->call, path, copy, (size_t)size, 0644) >= 0)
        return SQLITE_OK;
    call_err(shell->call, "Error: cannot open \"%s\"\n", path);
    return SQLITE_ERROR;
}

static int restore_from(struct shell *shell, const char *path)
{
    struct buf *bytes = ARENA_NEW(shell->call->arena, struct buf);
    buf_init(bytes, FILE_MAX);
    call_defer(shell->call, (void (*)(void *))buf_release, bytes);
    int loaded = call_load(shell->call, path, bytes);
    if (loaded < 0 &&
        loaded !=
            -ENOENT) { /* a file that is not there is made, empty: so the database is, afterwards */
        call_err(shell->call, "Error: cannot open \"%s\"\n", path);
        return SQLITE_ERROR;
    }
    if (loaded < 0)
        call_save(shell->call, path, "", 0, 0644);
    sqlite3_close(shell->database);
    shell->database = sqlite_open(buf_text(bytes), false, call_unix_ns(shell->call));
    shell->because = arena_printf(shell->call->arena, ".restore %s", path);
    return SQLITE_OK;
}

static bool set_mode(struct shell *shell, const char *name)
{
    static const struct {
        const char *name, *separator;
        enum mode mode;
    } modes[] = {{"list", "|", MODE_LIST}, {"csv", ",", MODE_CSV},  {"tabs", "\t", MODE_TABS},
                 {"line", "", MODE_LINE},  {"json", "", MODE_JSON}, {"column", "", MODE_COLUMN}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].name, name) != 0)
            continue;
        shell->mode = modes[i].mode;
        shell->separator = modes[i].separator;
        return true;
    }
    return false;
}

static int read_input(struct shell *shell, struct str text);

static int dot_command(struct shell *shell, const char *line)
{
    static const char *const silent[] = {"timeout", "changes", "stats", "timer", "eqp",
                                         "width",   "echo",    "log",   NULL};
    const char *words[WORDS_MAX];
    struct call *call = shell->call;
    int n = split(call->arena, line + 1, words);
    const char *name = n ? words[0] : "", *argument = n > 1 ? words[1] : NULL,
               *last = n > 1 ? words[n - 1] : NULL;
    bool on = argument && (strcmp(argument, "on") == 0 || strcmp(argument, "1") == 0 ||
                           strcmp(argument, "yes") == 0);
    if (strcmp(name, "quit") == 0 || strcmp(name, "exit") == 0) {
        shell->ended = true;
        shell->status = argument ? (int)strtol(argument, NULL, 10) : 0;
        return shell->status;
    }
    if (strcmp(name, "tables") == 0)
        return list_tables(shell);
    if (strcmp(name, "schema") == 0)
        return print_rows(
            shell, argument
                       ? arena_printf(call->arena,
                                      "SELECT sql || ';' FROM sqlite_schema WHERE tbl_name LIKE "
                                      "'%s' AND sql NOT NULL ORDER BY rowid",
                                      argument)
                       : "SELECT sql || ';' FROM sqlite_schema WHERE sql NOT NULL ORDER BY rowid");
    if (strcmp(name, "dump") == 0)
        return dump(shell);
    if (strcmp(name, "import") == 0)
        return shell_import(shell, n, words);
    if (strcmp(name, "mode") == 0 && argument && set_mode(shell, argument)) {
        shell->line_end =
            shell->mode == MODE_CSV ? "\r\n" : "\n"; /* by -csv it stays a line feed */
        return SQLITE_OK;
    }
    if (strcmp(name, "headers") == 0 || strcmp(name, "header") == 0)
        return shell->headers = on, SQLITE_OK;
    if (strcmp(name, "separator") == 0 && argument)
        return shell->separator = strcmp(argument, "\\t") == 0 ? "\t" : argument, SQLITE_OK;
    if (strcmp(name, "nullvalue") == 0 && argument)
        return shell->null = argument, SQLITE_OK;
    if (strcmp(name, "bail") == 0)
        return shell->bail = on, SQLITE_OK;
    if (strcmp(name, "print") == 0)
        return call_out(call, "%s\n", argument ? argument : ""), SQLITE_OK;
    if ((strcmp(name, "backup") == 0 || strcmp(name, "save") == 0) && last)
        return save_to(shell, last);
    if (strcmp(name, "restore") == 0 && last)
        return restore_from(shell, last);
    if (strcmp(name, "read") == 0 && argument) {
        struct buf *text = ARENA_NEW(call->arena, struct buf);
        buf_init(text, INPUT_MAX);
        call_defer(call, (void (*)(void *))buf_release, text);
        if (call_load(call, argument, text) >= 0)
            return read_input(shell, buf_text(text));
        call_err(call, "Error: cannot open \"%s\"\n", argument);
        return SQLITE_ERROR;
    }
    for (int i = 0; silent[i]; i++)
        if (strcmp(name, silent[i]) == 0)
            return SQLITE_OK;
    static const char *const others[] = {"output",  "once",    "databases", "indexes", "open",
                                         "clone",   "archive", "shell",     "system",  "recover",
                                         "sha3sum", "show",    "mode",      NULL};
    for (int i = 0; others[i]; i++)
        if (strcmp(name, others[i]) == 0)
            record_observe(call->env->record, "not_simulated", line,
                           "sqlite3's .%s is not simulated", name);
    call_err(call,
             "Error: unknown command or invalid arguments:  \"%s\". Enter \".help\" for help\n",
             name);
    return SQLITE_ERROR;
}

/* ---- input ---- */

/* What is piped in: dot commands by line, statements up to their semicolon. Errors do not stop it,
 * unless -bail. */
static int read_input(struct shell *shell, struct str text)
{
    struct buf *statement = ARENA_NEW(shell->call->arena, struct buf);
    int errors = 0, line = 0, first = 1;
    buf_init(statement, INPUT_MAX);
    call_defer(shell->call, (void (*)(void *))buf_release, statement);
    while ((text.len || statement->len) && !shell->ended && !(errors && shell->bail)) {
        bool at_end = !text.len;
        struct str next = str_cut(&text, '\n');
        line++;
        if (!statement->len) {
            first = line;
            struct str bare = str_trim(next);
            if (!bare.len)
                continue;
            if (bare.at[0] == '.' || bare.at[0] == '#') {
                if (bare.at[0] == '.')
                    errors +=
                        dot_command(shell, arena_str(shell->call->arena, bare)) != SQLITE_OK &&
                        !shell->ended;
                continue;
            }
        }
        buf_str(statement, next);
        buf_putc(statement, '\n');
        if (!at_end && text.len && !sqlite3_complete(statement->at))
            continue;
        errors +=
            run_statements(shell, statement->at,
                           arena_printf(shell->call->arena, "near line %d", first)) != SQLITE_OK;
        buf_clear(statement);
    }
    return shell->status ? shell->status : errors ? 1 : 0;
}

/* ---- the program ---- */

static int open_file(struct shell *shell, struct buf *bytes)
{
    struct call *call = shell->call;
    int code = *shell->path && strcmp(shell->path, ":memory:") != 0
                   ? call_load(call, shell->path, bytes)
                   : 0;
    bool missing = code == -ENOENT;
    if (missing) { /* made at the first write, where there is a folder for it */
        const char *slash = strrchr(shell->path, '/');
        const char *folder =
            slash ? arena_str(call->arena, (struct str){shell->path, (size_t)(slash - shell->path)})
                  : ".";
        missing = !shell->read_only && (!*folder || call_exists(call, folder) == 2);
    }
    if (code < 0 && !missing) {
        call_err(call, "Error: unable to open database \"%s\": unable to open database file\n",
                 shell->path);
        return 1;
    }
    shell->database = sqlite_open(buf_text(bytes), shell->read_only, call_unix_ns(call));
    call_defer(call, close_database, shell);
    return 0;
}

/* Whatever was changed is in the file when the program ends. */
static int write_back(struct shell *shell, struct sqlite_file *file, struct str before)
{
    struct call *call = shell->call;
    if (!*shell->path || strcmp(shell->path, ":memory:") == 0 || shell->read_only)
        return 0;
    if (!sqlite3_get_autocommit(shell->database))
        sqlite3_exec(shell->database, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(shell->database, "main", &size, 0);
    const char *copy = arena_str(call->arena, (struct str){(const char *)bytes, (size_t)size});
    sqlite3_free(bytes);
    struct str after = {copy, (size_t)size};
    if (str_eq(after, before))
        return 0;
    if (call_save(call, shell->path, after.at, after.len, 0644) < 0) {
        call_err(call, "Error: stepping, disk I/O error (10)\n");
        return 1;
    }
    if (file)
        sqlite_file_written(
            file, call->place, shell->database, after,
            arena_printf(call->arena, "sqlite3: %s", shell->because ? shell->because : "write"));
    return 0;
}

static int take_option(struct shell *shell, int *i, const char **first)
{
    char **argv = shell->call->argv;
    const char *option = argv[*i][1] == '-' ? argv[*i] + 2 : argv[*i] + 1;
    if (strcmp(option, "version") == 0) {
        call_out(shell->call, "3.40.1 2022-12-28 14:03:47 "
                              "df5c253c0b3dd24916e4ec7cf77d3db5294cc9fd45ae7b9c5e82ad8197f3alt1\n");
        return 0;
    }
    if (strcmp(option, "header") == 0 || strcmp(option, "noheader") == 0)
        shell->headers = option[0] == 'h';
    else if (strcmp(option, "bail") == 0)
        shell->bail = true;
    else if (strcmp(option, "readonly") == 0)
        shell->read_only = true;
    else if (strcmp(option, "separator") == 0 && argv[*i + 1])
        shell->separator = argv[++*i];
    else if (strcmp(option, "nullvalue") == 0 && argv[*i + 1])
        shell->null = argv[++*i];
    else if (strcmp(option, "cmd") == 0 && argv[*i + 1])
        *first = argv[++*i];
    else if (!set_mode(shell, option) && strcmp(option, "batch") != 0 &&
             strcmp(option, "interactive") != 0) {
        call_err(shell->call, "%s: Error: unknown option: -%s\nUse -help for a list of options.\n",
                 argv[0], option);
        return 1;
    }
    if (strcmp(option, "column") == 0)
        shell->headers = true;
    return -1;
}

static int run_one(struct shell *shell, const char *text)
{
    return text[0] == '.' ? dot_command(shell, text) : run_statements(shell, text, "in arguments");
}

int run_sqlite3(struct call *call)
{
    struct shell *shell = ARENA_NEW(call->arena, struct shell);
    struct buf *bytes = ARENA_NEW(call->arena, struct buf),
               *input = ARENA_NEW(call->arena, struct buf);
    const char *first = NULL;
    int i = 1, code = 0;
    *shell =
        (struct shell){.call = call, .path = "", .separator = "|", .null = "", .line_end = "\n"};
    buf_init(bytes, FILE_MAX);
    buf_init(input, INPUT_MAX);
    call_defer(call, (void (*)(void *))buf_release, bytes);
    call_defer(call, (void (*)(void *))buf_release, input);
    for (; call->argv[i] && call->argv[i][0] == '-'; i++) {
        int status = take_option(shell, &i, &first);
        if (status >= 0)
            return status;
    }
    if (call->argv[i])
        shell->path = call->argv[i++];
    call_sleep(call, CALL_NS);
    if (open_file(shell, bytes))
        return 1;
    struct sqlite_file *file =
        *shell->path ? sqlite_file_at(call->env, call->place, absolute(call, shell->path)) : NULL;
    if (file)
        sqlite_file_bring_up(file, shell->database);
    if (first)
        code = run_one(shell, first);
    if (call->argv[i]) {
        for (; call->argv[i] && code == 0 && !shell->ended; i++)
            code = run_one(shell, call->argv[i]);
    } else if (code == 0 && call_read_all(call, 0, input) >= 0) {
        code = read_input(shell, buf_text(input));
    }
    int failed = write_back(shell, file, buf_text(bytes));
    return failed ? failed : code;
}

static const char *const commands[] = {"sqlite3", NULL};

const struct fake fake_sqlite = {
    .name = "sqlite",
    .commands = commands,
    .setup = sqlite_files_setup,
    .run = run_sqlite3,
    .release = sqlite_files_release,
};
