#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"
#include "sim/base/xalloc.h"

/* A line of a dump may stand for many rows of a ledger table: "\identities FROM TO" (half open),
 * see dump.h. */

static const char *option_of(const cJSON *options, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, options)
    {
        const cJSON *option = node_get(item, "DefElem"), *arg = node_get(option, "arg");
        if (strcmp(node_text(option, "defname"), name) != 0)
            continue;
        if (node_get(arg, "Boolean"))
            return node_true(node_get(arg, "Boolean"), "boolval") ? "true" : "false";
        return node_get(arg, "String") ? node_string(arg) : "true";
    }
    return NULL;
}

static void append_cell(struct buf *out, const struct pg_copy *copy, const char *text)
{
    if (!text) {
        buf_puts(out, copy->null);
        return;
    }
    if (copy->csv) {
        bool quote = !*text || strpbrk(text, ",\"\n\r");
        if (!quote) {
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
        return;
    }
    for (; *text; text++) {
        switch (*text) {
        case '\\':
            buf_puts(out, "\\\\");
            break;
        case '\t':
            buf_puts(out, "\\t");
            break;
        case '\n':
            buf_puts(out, "\\n");
            break;
        case '\r':
            buf_puts(out, "\\r");
            break;
        default:
            buf_putc(out, *text);
        }
    }
}

static void copy_out(struct statement *s, struct pg_copy *copy, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    struct buf out;
    buf_init(&out, 256 << 20);
    if (sqlite3_prepare_v2(s->database->sqlite, sql, -1, &statement, NULL) != SQLITE_OK) {
        statement_sqlite_error(s);
        buf_release(&out);
        return;
    }
    int64_t n = 0;
    if (copy->header) {
        for (int i = 0; i < copy->n_columns; i++)
            buf_printf(&out, "%s%s", i ? copy->delimiter : "", copy->columns[i].name);
        buf_putc(&out, '\n');
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < copy->n_columns; i++) {
            if (i)
                buf_puts(&out, copy->delimiter);
            append_cell(&out, copy,
                        value_text(s->arena, sqlite3_column_value(statement, i),
                                   copy->columns[i].type, copy->columns[i].typmod));
        }
        buf_putc(&out, '\n');
        n++;
    }
    sqlite3_finalize(statement);
    struct pg_result *result = ARENA_NEW(s->arena, struct pg_result);
    result->tag = arena_printf(s->arena, "COPY %lld", (long long)n);
    result->copy = copy;
    result->copied = arena_str(s->arena, buf_text(&out));
    result->took_ns = MILLISECOND + n * 2000;
    buf_release(&out);
    pg_send(s->session, result);
}

void run_copy(struct statement *s)
{
    const cJSON *options = node_get(s->node, "options"), *list = node_get(s->node, "attlist"),
                *item;
    struct pg_copy *copy = ARENA_NEW(s->arena, struct pg_copy);
    const char *format = option_of(options, "format"), *header = option_of(options, "header");
    copy->from = node_true(s->node, "is_from");
    copy->csv = format && strcmp(format, "csv") == 0;
    copy->header = header && strcmp(header, "false") != 0;
    copy->delimiter = option_of(options, "delimiter") ? option_of(options, "delimiter")
                      : copy->csv                     ? ","
                                                      : "\t";
    copy->null = option_of(options, "null") ? option_of(options, "null") : copy->csv ? "" : "\\N";
    if (*node_text(s->node, "filename") || node_true(s->node, "is_program")) {
        pg_not_simulated(s->session, -1, "COPY with a file of the server");
        return;
    }
    if (format && strcmp(format, "binary") == 0) {
        pg_not_simulated(s->session, -1, "COPY in binary format");
        return;
    }
    if (node_get(s->node, "query")) {
        struct translation t = statement_translation(s);
        struct pg_query_text query =
            translate_select(&t, node_get(node_get(s->node, "query"), "SelectStmt"));
        copy->columns = query.columns;
        copy->n_columns = query.n_columns;
        if (!s->session->error.set)
            copy_out(s, copy, query.sql);
        return;
    }
    struct pg_relation *relation = statement_relation(s, node_get(s->node, "relation"), false);
    if (!relation)
        return;
    copy->table = relation->key;
    copy->columns = ARENA_ARRAY(s->arena, struct pg_column,
                                relation->n_attributes + cJSON_GetArraySize(list) + 1);
    cJSON_ArrayForEach(item, list)
    {
        int i = catalog_attribute(relation, node_string(item));
        if (i < 0) {
            pg_fail(s->session, "42703", -1, "column \"%s\" of relation \"%s\" does not exist",
                    node_string(item), relation->name);
            return;
        }
        copy->columns[copy->n_columns++] =
            (struct pg_column){relation->attributes[i].name, relation->attributes[i].type,
                               relation->attributes[i].typmod};
    }
    for (int i = 0; !list && i < relation->n_attributes; i++)
        copy->columns[copy->n_columns++] =
            (struct pg_column){relation->attributes[i].name, relation->attributes[i].type,
                               relation->attributes[i].typmod};
    if (copy->from) {
        if (s->session->read_only) {
            pg_fail(s->session, "25006", -1, "cannot execute COPY FROM in a read-only transaction");
            return;
        }
        struct pg_result *result = ARENA_NEW(s->arena, struct pg_result);
        result->copy = copy;
        result->took_ns = MILLISECOND;
        pg_send(s->session, result);
        return;
    }
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_puts(&sql, "SELECT ");
    for (int i = 0; i < copy->n_columns; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "", sql_name(s->arena, copy->columns[i].name));
    buf_printf(&sql, " FROM %s", sql_name(s->arena, relation->key));
    const char *text = arena_str(s->arena, buf_text(&sql));
    buf_release(&sql);
    copy_out(s, copy, text);
}

/* ---- COPY FROM STDIN ---- */

/* One COPY FROM STDIN, from begin to end: the table as it was looked up once. */
struct pg_copying {
    struct arena arena;
    struct pg_relation *relation; /* NULL: there is none */
    const char *key;              /* name of its unique index; NULL: none */
};

/* The next field of a line; false: NULL. */
static bool next_field(const struct pg_copy *copy, struct str *line, struct buf *field,
                       bool *ret_more)
{
    buf_clear(field);
    const char *start = line->at;
    char delimiter = *copy->delimiter;
    bool quoted = false;
    while (line->len) {
        char c = *line->at;
        if (copy->csv && c == '"') {
            bool inside = quoted && line->len > 1 && line->at[1] == '"';
            if (inside) {
                buf_putc(field, '"');
                line->at += 2;
                line->len -= 2;
                continue;
            }
            quoted = !quoted;
        } else if (c == delimiter && !quoted) {
            break;
        } else if (!copy->csv && c == '\\' && line->len > 1) {
            line->at++;
            line->len--;
            switch (*line->at) {
            case 't':
                buf_putc(field, '\t');
                break;
            case 'n':
                buf_putc(field, '\n');
                break;
            case 'r':
                buf_putc(field, '\r');
                break;
            default:
                buf_putc(field, *line->at);
            }
        } else {
            buf_putc(field, c);
        }
        line->at++;
        line->len--;
    }
    struct str raw = {start, (size_t)(line->at - start)};
    *ret_more = line->len > 0;
    if (line->len) {
        line->at++;
        line->len--;
    }
    return !str_is(raw, copy->null);
}

static bool copy_identities(struct statement *s, const struct pg_copy *copy,
                            const struct pg_copying *copying, struct str line)
{
    const struct pg_relation *relation = copying->relation;
    struct str rest = line;
    str_cut(&rest, ' ');
    struct str low = str_cut(&rest, ' ');
    int64_t lo, hi;
    if (!relation->ledger || !str_int64(low, &lo) || !str_int64(str_trim(rest), &hi) || lo >= hi) {
        /* A file cut off in the middle of a line: as a row that lacks its last columns. */
        pg_fail(s->session, "22P04", -1, "missing data for column \"%s\"",
                copy->columns[copy->n_columns > 1].name);
        return false;
    }
    const struct idset *rows = rows_of(s->database, relation);
    struct idset both = {0};
    idset_add(&both, lo, hi);
    if (rows)
        idset_intersect(&both, rows);
    else
        idset_remove(&both, lo, hi);
    if (both.n && copying->key) {
        pg_fail(s->session, "23505", -1, "duplicate key value violates unique constraint \"%s\"",
                copying->key);
        pg_detail(s->session, "Key (%s)=(%lld) already exists.", s->session->server->id_column,
                  (long long)both.at[0].lo);
    } else {
        rows_insert(s->database, relation, lo, hi);
    }
    idset_release(&both);
    return !s->session->error.set;
}

static bool copy_row(struct statement *s, const struct pg_copy *copy,
                     const struct pg_relation *relation, struct str line)
{
    const char **cells = ARENA_ARRAY(s->arena, const char *, relation->n_attributes + 1);
    struct buf field;
    buf_init(&field, 16 << 20);
    bool more = true;
    for (int i = 0; i < copy->n_columns && !s->session->error.set; i++) {
        if (!more) {
            pg_fail(s->session, "22P04", -1, "missing data for column \"%s\"",
                    copy->columns[i].name);
            break;
        }
        int at = catalog_attribute(relation, copy->columns[i].name);
        bool has = next_field(copy, &line, &field, &more);
        const char *text = field.len ? field.at : "";
        cells[at] = has ? value_literal(s->session, s->arena, text, copy->columns[i].type,
                                        copy->columns[i].typmod, -1)
                        : "NULL";
        if (s->session->error.set)
            s->session->error.context = arena_printf(&s->session->results, ", column %s: \"%s\"",
                                                     copy->columns[i].name, text);
    }
    if (!s->session->error.set && more)
        pg_fail(s->session, "22P04", -1, "extra data after last expected column");
    buf_release(&field);
    if (s->session->error.set)
        return false;
    struct buf sql;
    buf_init(&sql, 64 << 20);
    buf_puts(&sql, "SELECT ");
    for (int i = 0; i < relation->n_attributes; i++) {
        const struct pg_attribute *a = &relation->attributes[i];
        buf_printf(&sql, "%s%s", i ? ", " : "",
                   cells[i]            ? cells[i]
                   : a->default_sqlite ? a->default_sqlite
                                       : "NULL");
    }
    sqlite3_stmt *statement = NULL;
    sqlite3_value **values = ARENA_ARRAY(s->arena, sqlite3_value *, relation->n_attributes + 1);
    int n = 0;
    if (sqlite3_prepare_v2(s->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        for (; n < relation->n_attributes; n++)
            values[n] = sqlite3_value_dup(sqlite3_column_value(statement, n));
    } else {
        statement_sqlite_error(s);
    }
    sqlite3_finalize(statement);
    buf_release(&sql);
    if (!s->session->error.set)
        insert_row(s, relation, values);
    for (int i = 0; i < n; i++)
        sqlite3_value_free(values[i]);
    return !s->session->error.set;
}

bool pg_copy_begin(struct pg_session *session, const struct pg_copy *copy)
{
    pg_begin(session);
    struct pg_copying *copying = session->copying = xcalloc(1, sizeof *copying);
    const char *point = strchr(copy->table, '.');
    copying->relation = catalog_find(session->database, &copying->arena, NULL, copy->table);
    if (!copying->relation && point)
        copying->relation = catalog_find(
            session->database, &copying->arena,
            arena_printf(&copying->arena, "%.*s", (int)(point - copy->table), copy->table),
            point + 1);
    if (copying->relation)
        copying->key =
            catalog_text(session->database, &copying->arena,
                         "SELECT name FROM pgc_index WHERE relation = %lld AND is_unique LIMIT 1",
                         (long long)copying->relation->oid);
    return true;
}

bool pg_copy_line(struct pg_session *session, const struct pg_copy *copy, struct str line,
                  int64_t line_number)
{
    struct arena arena = {0};
    struct statement s = {.session = session,
                          .database = session->database,
                          .arena = &arena,
                          .kind = "CopyStmt",
                          .text = "",
                          .own = STR("COPY")};
    const struct pg_copying *copying = session->copying;
    session->database->active = session;
    bool ok = false;
    if (!copying->relation)
        pg_fail(session, "42P01", -1, "relation \"%s\" does not exist", copy->table);
    else if (str_starts(line, "\\i")) /* also one that is cut off; no real row starts so */
        ok = copy_identities(&s, copy, copying, line);
    else
        ok = copy_row(&s, copy, copying->relation, line);
    if (!ok) {
        const char *column = session->error.context ? session->error.context : "";
        session->error.context =
            *column ? arena_printf(&session->results, "COPY %s, line %lld%s", copy->table,
                                   (long long)line_number, column)
                    : arena_printf(&session->results, "COPY %s, line %lld: \"%.*s\"", copy->table,
                                   (long long)line_number, (int)(line.len < 200 ? line.len : 200),
                                   line.at);
        if (session->error.detail)
            session->error.detail = arena_strdup(&session->results, session->error.detail);
    }
    session->database->active = NULL;
    arena_release(&arena);
    return ok;
}

bool pg_copy_end(struct pg_session *session, bool keep, int64_t rows, const char *table)
{
    struct record *record = session->server->env->record;
    if (keep && rows && record && pg_database_serves(session->database))
        record_change(record, session->server->name, "%lld row%s copied into %s", (long long)rows,
                      rows == 1 ? "" : "s", table);
    arena_release(&session->copying->arena);
    free(session->copying);
    session->copying = NULL;
    pg_commit(session, keep);
    return true;
}
