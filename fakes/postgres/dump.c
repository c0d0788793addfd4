#include "fakes/postgres/dump.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fakes/postgres/statements.h"
#include "sim/base/hash.h"

#define VERSION "15.8 (Debian 15.8-1.pgdg120+1)"

struct dump {
    struct buf *out;
    struct pg_database *database;
    const struct dump_options *options;
    struct arena arena;
};

static const char *qualified(struct dump *d, const struct pg_relation *relation)
{
    return arena_printf(&d->arena, "%s.%s", pg_ident(&d->arena, relation->schema),
                        pg_ident(&d->arena, relation->name));
}

static void heading(struct dump *d, const char *name, const char *type, const char *schema,
                    const char *owner)
{
    buf_printf(d->out, "--\n-- %sName: %s; Type: %s; Schema: %s; Owner: %s\n--\n\n",
               strcmp(type, "TABLE DATA") == 0 ? "Data for " : "", name, type, schema,
               d->options->no_owner ? "-" : owner);
}

static void change_owner(struct dump *d, const char *kind, const struct pg_relation *relation)
{
    if (!d->options->no_owner)
        buf_printf(d->out, "\n\nALTER %s %s OWNER TO %s;\n\n", kind, qualified(d, relation),
                   pg_ident(&d->arena, relation->owner));
    else
        buf_puts(d->out, "\n\n");
}

static bool selected(const struct dump *d, const struct pg_relation *relation)
{
    const char *table = d->options->table, *without = d->options->without;
    const char *point = table ? strrchr(table, '.') : NULL;
    if (table && strcmp(point ? point + 1 : table, relation->name) != 0)
        return false;
    return !without || strcmp(without, relation->name) != 0;
}

/* Relations of one kind in the order of their names, as pg_dump lists them. */
static struct pg_relation **relations(struct dump *d, const char *kind)
{
    char **oids = catalog_rows(
        d->database, &d->arena,
        "SELECT oid FROM pgc_relation WHERE kind = '%s' AND schema NOT IN ('pg_catalog',"
        " 'information_schema') ORDER BY %s",
        kind, *kind == 'v' ? "oid" : "schema, name");
    int n = 0;
    while (oids[n])
        n++;
    struct pg_relation **list = ARENA_ARRAY(&d->arena, struct pg_relation *, n + 1);
    int kept = 0;
    for (int i = 0; i < n; i++) {
        struct pg_relation *relation =
            catalog_by_oid(d->database, &d->arena, strtoll(oids[i], NULL, 10));
        if (*kind == 'S' || selected(d, relation))
            list[kept++] = relation;
    }
    return list;
}

static bool is_serial(const struct pg_attribute *a)
{
    return a->default_pg && strncmp(a->default_pg, "nextval(", 8) == 0;
}

/* ---- definitions ---- */

static void dump_sequences(struct dump *d, const struct pg_relation *table)
{
    char **rows = catalog_rows(
        d->database, &d->arena,
        "SELECT s.relation, s.increment, s.start, s.owner_column FROM pgc_sequence s WHERE %s",
        table ? arena_printf(&d->arena, "s.owner_relation = %lld", (long long)table->oid)
              : "s.owner_relation IS NULL");
    for (; *rows; rows++) {
        struct str rest = str_of(*rows);
        struct pg_relation *sequence =
            catalog_by_oid(d->database, &d->arena, strtoll(*rows, NULL, 10));
        str_cut(&rest, '\x1f');
        struct str increment = str_cut(&rest, '\x1f'), start = str_cut(&rest, '\x1f');
        if (!sequence)
            continue;
        heading(d, sequence->name, "SEQUENCE", sequence->schema, sequence->owner);
        buf_printf(d->out,
                   "CREATE SEQUENCE %s\n    START WITH %.*s\n    INCREMENT BY %.*s\n    NO "
                   "MINVALUE\n    NO MAXVALUE\n"
                   "    CACHE 1;",
                   qualified(d, sequence), STR_ARG(start), STR_ARG(increment));
        change_owner(d, "TABLE", sequence);
        if (table) {
            heading(d, sequence->name, "SEQUENCE OWNED BY", sequence->schema, sequence->owner);
            buf_printf(d->out, "ALTER SEQUENCE %s OWNED BY %s.%s;\n\n\n", qualified(d, sequence),
                       qualified(d, table), pg_ident(&d->arena, arena_str(&d->arena, rest)));
        }
    }
}

static void dump_table(struct dump *d, const struct pg_relation *table)
{
    heading(d, table->name, "TABLE", table->schema, table->owner);
    buf_printf(d->out, "CREATE TABLE %s (", qualified(d, table));
    for (int i = 0; i < table->n_attributes; i++) {
        const struct pg_attribute *a = &table->attributes[i];
        buf_printf(d->out, "%s\n    %s %s%s", i ? "," : "", pg_ident(&d->arena, a->name),
                   a->type == PG_ENUM ? "public." : "",
                   catalog_type(d->database, &d->arena, a->type, a->typmod));
        if (a->default_pg && !is_serial(a))
            buf_printf(d->out, " DEFAULT %s", a->default_pg);
        if (a->not_null)
            buf_puts(d->out, " NOT NULL");
    }
    char **checks = catalog_rows(
        d->database, &d->arena,
        "SELECT name, definition FROM pgc_constraint WHERE relation = %lld AND kind = 'c' AND"
        " definition NOT LIKE '%% NOT VALID' ORDER BY name",
        (long long)table->oid);
    for (; *checks; checks++) {
        struct str definition = str_of(*checks), name = str_cut(&definition, '\x1f');
        buf_printf(d->out, ",\n    CONSTRAINT %s %s",
                   pg_ident(&d->arena, arena_str(&d->arena, name)), definition.at);
    }
    buf_puts(d->out, "\n);");
    change_owner(d, "TABLE", table);
    dump_sequences(d, table);
}

static void dump_types(struct dump *d)
{
    char **rows =
        catalog_rows(d->database, &d->arena, "SELECT oid, name, owner FROM pgc_type ORDER BY name");
    for (; *rows; rows++) {
        struct str rest = str_of(*rows);
        int64_t oid = strtoll(*rows, NULL, 10);
        str_cut(&rest, '\x1f');
        const char *name = arena_str(&d->arena, str_cut(&rest, '\x1f'));
        heading(d, name, "TYPE", "public", rest.at);
        buf_printf(d->out, "CREATE TYPE public.%s AS ENUM (", pg_ident(&d->arena, name));
        char **labels = catalog_rows(d->database, &d->arena,
                                     "SELECT label FROM pgc_enum WHERE type = %lld ORDER BY sort",
                                     (long long)oid);
        for (int i = 0; labels[i]; i++)
            buf_printf(d->out, "%s\n    %s", i ? "," : "", sql_text(&d->arena, labels[i]));
        buf_puts(d->out, "\n);\n\n\n");
        if (!d->options->no_owner)
            buf_printf(d->out, "ALTER TYPE public.%s OWNER TO %s;\n\n", pg_ident(&d->arena, name),
                       pg_ident(&d->arena, rest.at));
    }
}

static void dump_functions(struct dump *d)
{
    char **rows = d->options->table
                      ? NULL
                      : catalog_rows(d->database, &d->arena,
                                     "SELECT name, text FROM pgc_function ORDER BY name");
    for (; rows && *rows; rows++) {
        struct str text = str_of(*rows), name = str_cut(&text, '\x1f');
        heading(d, arena_printf(&d->arena, "%.*s()", STR_ARG(name)), "FUNCTION", "public",
                d->database->owner);
        buf_printf(d->out, "%s;\n\n\n", text.at);
    }
}

static void dump_views(struct dump *d)
{
    for (struct pg_relation **list = relations(d, "v"); *list; list++) {
        heading(d, (*list)->name, "VIEW", (*list)->schema, (*list)->owner);
        buf_printf(d->out, "CREATE VIEW %s AS\n %s;", qualified(d, *list), (*list)->definition);
        change_owner(d, "VIEW", *list);
    }
}

static void dump_defaults(struct dump *d)
{
    for (struct pg_relation **list = relations(d, "r"); *list; list++) {
        for (int i = 0; i < (*list)->n_attributes; i++) {
            const struct pg_attribute *a = &(*list)->attributes[i];
            if (!is_serial(a))
                continue;
            heading(d, arena_printf(&d->arena, "%s %s", (*list)->name, a->name), "DEFAULT",
                    (*list)->schema, (*list)->owner);
            const char *sequence = a->default_pg + strlen("nextval('");
            buf_printf(d->out,
                       "ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT nextval('%s%s;\n\n\n",
                       qualified(d, *list), pg_ident(&d->arena, a->name),
                       strchr(sequence, '.') ? "" : "public.", sequence);
        }
    }
}

/* ---- data ---- */

static void cell(struct buf *out, const char *text)
{
    if (!text) {
        buf_puts(out, "\\N");
        return;
    }
    for (; *text; text++) {
        static const char from[] = "\\\t\n\r", to[] = "\\tnr";
        const char *special = strchr(from, *text);
        if (special) {
            buf_putc(out, '\\');
            buf_putc(out, to[special - from]);
        } else {
            buf_putc(out, *text);
        }
    }
}

static void dump_rows_where(struct dump *d, const struct pg_relation *table, const char *where)
{
    sqlite3_stmt *statement = NULL;
    struct buf sql;
    buf_init(&sql, 1 << 18);
    buf_puts(&sql, "SELECT ");
    for (int i = 0; i < table->n_attributes; i++)
        buf_printf(&sql, "%s%s", i ? ", " : "", sql_name(&d->arena, table->attributes[i].name));
    buf_printf(&sql, "%s FROM %s%s", table->n_attributes ? "" : "NULL",
               sql_name(&d->arena, table->key), where);
    if (sqlite3_prepare_v2(d->database->sqlite, sql.at, -1, &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int i = 0; i < table->n_attributes; i++) {
                if (i && !d->options->inserts)
                    buf_putc(d->out, '\t');
                const char *text =
                    value_text(&d->arena, sqlite3_column_value(statement, i),
                               table->attributes[i].type, table->attributes[i].typmod);
                if (!d->options->inserts) {
                    cell(d->out, text);
                    continue;
                }
                if (i == 0)
                    buf_printf(d->out, "INSERT INTO %s VALUES (", qualified(d, table));
                bool bare = pg_type_is_number(table->attributes[i].type);
                buf_printf(d->out, "%s%s", i ? ", " : "",
                           !text  ? "NULL"
                           : bare ? text
                                  : sql_text(&d->arena, text));
            }
            buf_puts(d->out, d->options->inserts ? ");\n" : "\n");
        }
    }
    sqlite3_finalize(statement);
    buf_release(&sql);
}

/* Enough lines that a file cut in the middle holds about half of the rows. */
enum { LINES_WANTED = 200, ROWS_PER_LINE_MIN = 500 };

static void dump_identities(struct dump *d, const struct pg_relation *table)
{
    const struct dataset *contents =
        d->options->contents ? d->options->contents : pg_database_contents(d->database);
    const struct idset *rows = dataset_rows(contents, table->key);
    if (!rows)
        return;
    int64_t step = idset_count(rows) / LINES_WANTED;
    if (step < ROWS_PER_LINE_MIN)
        step = ROWS_PER_LINE_MIN;
    struct idset plain = {0};
    idset_copy(&plain, rows);
    /* Rows that a statement changed are written out in full. */
    char **changed = catalog_rows(d->database, &d->arena,
                                  "SELECT DISTINCT id FROM pgc_override WHERE relation = %lld",
                                  (long long)table->oid);
    for (; *changed; changed++) {
        int64_t id = strtoll(*changed, NULL, 10);
        if (!idset_has(rows, id))
            continue;
        idset_remove(&plain, id, id + 1);
        dump_rows_where(d, table, arena_printf(&d->arena, " WHERE rowid = %lld", (long long)id));
    }
    for (int i = 0; i < plain.n; i++) {
        for (int64_t lo = plain.at[i].lo; lo < plain.at[i].hi; lo += step) {
            int64_t hi = lo + step < plain.at[i].hi ? lo + step : plain.at[i].hi;
            buf_printf(d->out, "\\identities %lld %lld\n", (long long)lo, (long long)hi);
        }
    }
    idset_release(&plain);
}

static void dump_data(struct dump *d)
{
    const struct pg_server *server = d->database->server;
    for (struct pg_relation **list = relations(d, "r"); *list; list++) {
        const struct pg_relation *table = *list;
        heading(d, table->name, "TABLE DATA", table->schema, table->owner);
        const char *where = "";
        if (strcmp(table->key, server->version_table) == 0 && d->options->schema != NEVER)
            where = arena_printf(&d->arena, " WHERE CAST(%s AS INTEGER) <= %lld",
                                 sql_name(&d->arena, server->version_column),
                                 (long long)d->options->schema);
        if (d->options->inserts && !table->ledger) {
            dump_rows_where(d, table, where);
            buf_puts(d->out, "\n\n");
            continue;
        }
        buf_printf(d->out, "COPY %s (", qualified(d, table));
        for (int i = 0; i < table->n_attributes; i++)
            buf_printf(d->out, "%s%s", i ? ", " : "",
                       pg_ident(&d->arena, table->attributes[i].name));
        buf_puts(d->out, ") FROM stdin;\n");
        if (table->ledger)
            dump_identities(d, table);
        else
            dump_rows_where(d, table, where);
        buf_puts(d->out, "\\.\n\n\n");
    }
    char **rows = catalog_rows(
        d->database, &d->arena,
        "SELECT r.name, s.last_value, CASE WHEN s.is_called THEN 'true' ELSE 'false' END, r.schema,"
        " r.owner, s.owner_relation FROM pgc_sequence s JOIN pgc_relation r ON r.oid = s.relation"
        " ORDER BY r.name");
    for (; *rows && !d->options->table; rows++) {
        struct str rest = str_of(*rows), name = str_cut(&rest, '\x1f'),
                   value = str_cut(&rest, '\x1f');
        struct str called = str_cut(&rest, '\x1f'), schema = str_cut(&rest, '\x1f'),
                   owner = str_cut(&rest, '\x1f');
        struct pg_relation *table =
            catalog_by_oid(d->database, &d->arena, strtoll(rest.at, NULL, 10));
        const char *last = arena_str(&d->arena, value), *is_called = arena_str(&d->arena, called);
        const struct dataset *contents =
            d->options->contents ? d->options->contents : pg_database_contents(d->database);
        const struct idset *ids =
            table && table->ledger ? dataset_rows(contents, table->key) : NULL;
        if (ids && ids->n) {
            last = arena_printf(&d->arena, "%lld", (long long)ids->at[ids->n - 1].hi - 1);
            is_called = "true";
        }
        heading(d, arena_str(&d->arena, name), "SEQUENCE SET", arena_str(&d->arena, schema),
                arena_str(&d->arena, owner));
        buf_printf(d->out, "SELECT pg_catalog.setval('%.*s.%.*s', %s, %s);\n\n\n", STR_ARG(schema),
                   STR_ARG(name), last, is_called);
    }
}

/* ---- constraints, indexes, triggers ---- */

static void dump_constraints(struct dump *d, const char *kinds, const char *type)
{
    for (struct pg_relation **list = relations(d, "r"); *list; list++) {
        char **rows = catalog_rows(
            d->database, &d->arena,
            "SELECT name, definition FROM pgc_constraint WHERE relation = %lld AND (instr('%s', "
            "kind) OR"
            " (kind = 'c' AND '%s' = 'pu' AND definition LIKE '%% NOT VALID')) ORDER BY name",
            (long long)(*list)->oid, kinds, kinds);
        for (; *rows; rows++) {
            struct str definition = str_of(*rows), name = str_cut(&definition, '\x1f');
            bool check = str_starts(definition, "CHECK");
            heading(d, arena_printf(&d->arena, "%s %.*s", (*list)->name, STR_ARG(name)),
                    check ? "CHECK CONSTRAINT" : type, (*list)->schema, (*list)->owner);
            buf_printf(d->out,
                       check ? "ALTER TABLE %s\n    ADD CONSTRAINT %s %s;\n\n\n"
                             : "ALTER TABLE ONLY %s\n    ADD CONSTRAINT %s %s;\n\n\n",
                       qualified(d, *list), pg_ident(&d->arena, arena_str(&d->arena, name)),
                       definition.at);
        }
    }
}

static void dump_indexes(struct dump *d)
{
    for (struct pg_relation **list = relations(d, "r"); *list; list++) {
        char **rows = catalog_rows(
            d->database, &d->arena,
            "SELECT name, definition FROM pgc_index WHERE relation = %lld AND constraint_oid = 0"
            " ORDER BY name",
            (long long)(*list)->oid);
        for (; *rows; rows++) {
            struct str definition = str_of(*rows), name = str_cut(&definition, '\x1f');
            heading(d, arena_str(&d->arena, name), "INDEX", (*list)->schema, (*list)->owner);
            buf_printf(d->out, "%s;\n\n\n", definition.at);
        }
        rows =
            catalog_rows(d->database, &d->arena,
                         "SELECT name, definition FROM pgc_trigger WHERE relation = %lld ORDER BY"
                         " name",
                         (long long)(*list)->oid);
        for (; *rows; rows++) {
            struct str definition = str_of(*rows), name = str_cut(&definition, '\x1f');
            heading(d, arena_printf(&d->arena, "%s %.*s", (*list)->name, STR_ARG(name)), "TRIGGER",
                    (*list)->schema, (*list)->owner);
            buf_printf(d->out, "%s;\n\n\n", definition.at);
        }
    }
}

static void dump_clean(struct dump *d)
{
    const char *if_exists = d->options->if_exists ? "IF EXISTS " : "";
    for (struct pg_relation **list = relations(d, "v"); *list; list++)
        buf_printf(d->out, "DROP VIEW %s%s;\n", if_exists, qualified(d, *list));
    for (struct pg_relation **list = relations(d, "r"); *list; list++) {
        char **keys =
            catalog_rows(d->database, &d->arena,
                         "SELECT name FROM pgc_constraint WHERE relation = %lld AND kind ="
                         " 'f'",
                         (long long)(*list)->oid);
        for (; *keys; keys++)
            buf_printf(d->out, "ALTER TABLE %sONLY %s DROP CONSTRAINT %s%s;\n", if_exists,
                       qualified(d, *list), if_exists, *keys);
    }
    for (struct pg_relation **list = relations(d, "r"); *list; list++)
        buf_printf(d->out, "DROP TABLE %s%s;\n", if_exists, qualified(d, *list));
    if (!d->options->table) {
        char **rows =
            catalog_rows(d->database, &d->arena, "SELECT name FROM pgc_function ORDER BY name");
        for (; *rows; rows++)
            buf_printf(d->out, "DROP FUNCTION %spublic.%s();\n", if_exists, *rows);
        rows = catalog_rows(d->database, &d->arena, "SELECT name FROM pgc_type ORDER BY name");
        for (; *rows; rows++)
            buf_printf(d->out, "DROP TYPE %spublic.%s;\n", if_exists, pg_ident(&d->arena, *rows));
    }
}

static void settings(struct dump *d)
{
    buf_puts(d->out, "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET "
                     "idle_in_transaction_session_timeout = 0;\n"
                     "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
                     "SELECT pg_catalog.set_config('search_path', '', false);\nSET "
                     "check_function_bodies = false;\n"
                     "SET xmloption = content;\nSET client_min_messages = warning;\nSET "
                     "row_security = off;\n\n");
}

void dump_text(struct buf *out, struct pg_database *database, const struct dump_options *options)
{
    struct dump d = {.out = out, .database = database, .options = options};
    buf_puts(out, "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version " VERSION
                  "\n-- Dumped by pg_dump version " VERSION "\n\n");
    settings(&d);
    if (options->create) {
        const char *name = pg_ident(&d.arena, database->name),
                   *owner = pg_ident(&d.arena, database->owner);
        if (options->clean)
            buf_printf(out, "DROP DATABASE %s%s;\n", options->if_exists ? "IF EXISTS " : "", name);
        heading(&d, database->name, "DATABASE", "-", database->owner);
        buf_printf(out,
                   "CREATE DATABASE %s WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER "
                   "= libc LOCALE ="
                   " 'en_US.utf8';\n\n\nALTER DATABASE %s OWNER TO %s;\n\n\\connect %s\n\n",
                   name, name, owner, name);
        settings(&d);
    } else if (options->clean) {
        dump_clean(&d);
    }
    if (!options->data_only) {
        if (!options->table)
            dump_types(&d);
        dump_functions(&d);
        buf_puts(out,
                 "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n");
        for (struct pg_relation **list = relations(&d, "r"); *list; list++)
            dump_table(&d, *list);
        if (!options->table)
            dump_sequences(&d, NULL);
        dump_views(&d);
        dump_defaults(&d);
    }
    if (!options->schema_only)
        dump_data(&d);
    if (!options->data_only) {
        dump_constraints(&d, "pu", "CONSTRAINT");
        dump_indexes(&d);
        dump_constraints(&d, "f", "FK CONSTRAINT");
    }
    buf_puts(out, "--\n-- PostgreSQL database dump complete\n--\n\n");
    arena_release(&d.arena);
}

int64_t dump_rows(struct pg_database *database)
{
    struct arena arena = {0};
    int64_t n = 0;
    char **oids = catalog_rows(database, &arena, "SELECT oid FROM pgc_relation WHERE kind = 'r'");
    for (; *oids; oids++)
        n += relation_count(database, catalog_by_oid(database, &arena, strtoll(*oids, NULL, 10)));
    arena_release(&arena);
    return n;
}
