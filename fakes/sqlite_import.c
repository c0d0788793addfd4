/* .import: separated text into a table. */
#include <stdlib.h>
#include <string.h>

#include "fakes/sqlite_shell.h"

enum { INPUT_MAX = 64 << 20 };

/* One record of a CSV or separated text; fields in the arena. */
static int next_record(struct arena *arena, struct str *rest, char separator, const char **fields)
{
    int n = 0;
    while (n < SHELL_COLUMNS_MAX) {
        struct buf field;
        buf_init(&field, 1 << 20);
        if (rest->len && rest->at[0] == '"') {
            for (rest->at++, rest->len--; rest->len; rest->at++, rest->len--) {
                if (rest->at[0] == '"' && rest->len > 1 && rest->at[1] == '"') {
                    rest->at++;
                    rest->len--;
                } else if (rest->at[0] == '"') {
                    rest->at++;
                    rest->len--;
                    break;
                }
                buf_putc(&field, rest->at[0]);
            }
        }
        while (rest->len && rest->at[0] != separator && rest->at[0] != '\n') {
            if (rest->at[0] != '\r')
                buf_putc(&field, rest->at[0]);
            rest->at++;
            rest->len--;
        }
        fields[n++] = arena_str(arena, buf_text(&field));
        buf_release(&field);
        bool more = rest->len && rest->at[0] == separator;
        if (rest->len) {
            rest->at++;
            rest->len--;
        }
        if (!more)
            break;
    }
    return n;
}

static int import_rows(struct shell *shell, const char *file, const char *table, char separator,
                       int skip, struct str text)
{
    struct arena *arena = shell->call->arena;
    const char *fields[SHELL_COLUMNS_MAX];
    sqlite3_stmt *insert = NULL, *columns = NULL;
    char *count = sqlite3_mprintf("SELECT count(*) FROM pragma_table_info(%Q)", table);
    sqlite3_prepare_v2(shell->database, count, -1, &columns, NULL);
    int n = sqlite3_step(columns) == SQLITE_ROW ? sqlite3_column_int(columns, 0) : 0,
        code = SQLITE_OK;
    sqlite3_finalize(columns);
    sqlite3_free(count);
    if (n == 0) { /* a new table: its columns are the first line */
        n = next_record(arena, &text, separator, fields);
        char *sql = sqlite3_mprintf("CREATE TABLE \"%w\"(", table);
        for (int i = 0; i < n; i++)
            sql = sqlite3_mprintf("%z%s\n\"%w\" TEXT", sql, i ? "," : "", fields[i]);
        sql = sqlite3_mprintf("%z)", sql);
        code = sqlite3_exec(shell->database, sql, NULL, NULL, NULL);
        sqlite3_free(sql);
    }
    char *sql = sqlite3_mprintf("INSERT INTO \"%w\" VALUES(?", table);
    for (int i = 1; i < n; i++)
        sql = sqlite3_mprintf("%z,?", sql);
    sql = sqlite3_mprintf("%z)", sql);
    code = code ? code : sqlite3_prepare_v2(shell->database, sql, -1, &insert, NULL);
    sqlite3_free(sql);
    shell->because = arena_printf(arena, ".import %s %s", file, table);
    sqlite3_exec(shell->database, "BEGIN", NULL, NULL, NULL);
    int last = SQLITE_OK;
    for (int line = 1; code == SQLITE_OK && text.len; line++) {
        int got = next_record(arena, &text, separator, fields);
        if (line <= skip)
            continue;
        if (got < n)
            call_err(shell->call,
                     "%s:%d: expected %d columns but found %d - filling the rest with NULL\n", file,
                     line, n, got);
        if (got > n)
            call_err(shell->call, "%s:%d: expected %d columns but found %d - extras ignored\n",
                     file, line, n, got);
        for (int i = 0; i < n; i++) {
            if (i < got)
                sqlite3_bind_text(insert, i + 1, fields[i], -1, SQLITE_STATIC);
            else
                sqlite3_bind_null(insert, i + 1);
        }
        sqlite3_step(insert);
        last = sqlite3_reset(insert);
        if (last != SQLITE_OK)
            call_err(shell->call, "%s:%d: INSERT failed: %s\n", file, line,
                     sqlite3_errmsg(shell->database));
    }
    sqlite3_finalize(insert);
    sqlite3_exec(shell->database, "COMMIT", NULL, NULL, NULL);
    return code ? code : last;
}

int shell_import(struct shell *shell, int n, const char **words)
{
    char separator = shell->mode == MODE_CSV    ? ','
                     : shell->mode == MODE_TABS ? '\t'
                                                : shell->separator[0];
    const char *file = NULL, *table = NULL;
    int skip = 0;
    for (int i = 1; i < n; i++) {
        const char *word = words[i][0] == '-' && words[i][1] == '-' ? words[i] + 1 : words[i];
        if (strcmp(word, "-csv") == 0)
            separator = ',';
        else if (strcmp(word, "-skip") == 0 && i + 1 < n)
            skip = (int)strtol(words[++i], NULL, 10);
        else if (word[0] != '-' && !file)
            file = word;
        else if (word[0] != '-' && !table)
            table = word;
    }
    if (!file || !table) {
        call_err(shell->call, "ERROR: missing %s argument. Usage:\n.import FILE TABLE\n",
                 file ? "TABLE" : "FILE");
        return SQLITE_ERROR;
    }
    struct buf *text = ARENA_NEW(shell->call->arena, struct buf);
    buf_init(text, INPUT_MAX);
    call_defer(shell->call, (void (*)(void *))buf_release, text);
    bool is_stdin = strcmp(file, "/dev/stdin") == 0 || strcmp(file, "-") == 0;
    int code = is_stdin ? call_read_all(shell->call, 0, text) : call_load(shell->call, file, text);
    if (code < 0) {
        call_err(shell->call, "Error: cannot open \"%s\"\n", file);
        return SQLITE_ERROR;
    }
    return import_rows(shell, file, table, separator, skip, buf_text(text));
}
