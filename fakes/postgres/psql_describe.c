/* Texts and queries follow PostgreSQL's src/bin/psql/describe.c. */
#include "fakes/postgres/psql_describe.h"

#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/rows.h"

/* A table built cell by cell. */
struct sheet {
    struct psql *p;
    const char *title;
    const char *headers[16];
    bool right[16];
    int n_columns, n_rows, cap_rows;
    const char **cells;
    const char **footers;
    int n_footers;
};

static void add_row(struct sheet *s, const char *const *cells)
{
    if (s->n_rows == s->cap_rows) {
        int cap = s->cap_rows ? s->cap_rows * 2 : 32;
        const char **grown = ARENA_ARRAY(s->p->call->arena, const char *, cap * s->n_columns);
        if (s->n_rows)
            memcpy(grown, s->cells, sizeof *grown * (size_t)(s->n_rows * s->n_columns));
        s->cells = grown;
        s->cap_rows = cap;
    }
    memcpy(s->cells + s->n_rows++ * s->n_columns, cells, sizeof *cells * (size_t)s->n_columns);
}

static void add_footer(struct sheet *s, const char *text)
{
    if (!s->footers)
        s->footers = ARENA_ARRAY(s->p->call->arena, const char *, 256);
    if (s->n_footers < 255)
        s->footers[s->n_footers++] = text;
}

static void show(struct sheet *s)
{
    struct print_table table = {.title = s->title,
                                .n_columns = s->n_columns,
                                .n_rows = s->n_rows,
                                .headers = s->headers,
                                .right = s->right,
                                .cells = s->cells,
                                .footers = s->footers};
    struct buf out;
    buf_init(&out, 64 << 20);
    print_table(&out, &table, &s->p->print);
    const char *text = arena_str(s->p->call->arena, buf_text(&out));
    buf_release(&out);
    psql_write(s->p, text, strlen(text));
}

/* Rows of a catalog query into the sheet: cells separated by 0x1f. */
static void fill(struct sheet *s, char **rows)
{
    for (; *rows; rows++) {
        const char *cells[16] = {0};
        struct str rest = str_of(*rows);
        for (int i = 0; i < s->n_columns; i++)
            cells[i] = arena_str(s->p->call->arena, str_cut(&rest, '\x1f'));
        add_row(s, cells);
    }
}

/* psql's patterns: * and ? are wild, the rest is exact; "schema.name" too. As an SQL condition on
 * `column`. */
static const char *matches(struct psql *p, const char *pattern, const char *column)
{
    if (!pattern)
        return "1";
    const char *point = strchr(pattern, '.');
    return arena_printf(p->call->arena, "%s GLOB %s", column,
                        sql_text(p->call->arena, point ? point + 1 : pattern));
}

static void not_found(struct psql *p, const char *pattern, const char *many, const char *one)
{
    if (p->quiet)
        return;
    if (pattern)
        psql_complain(p, "Did not find any %s named \"%s\".", one, pattern);
    else
        psql_complain(p, "Did not find any %ss.", many);
}

/* ---- \dt \dv \ds \di \d ---- */

static void list_relations(struct psql *p, const char *kinds, const char *pattern, bool more)
{
    struct sheet s = {.p = p,
                      .title = "List of relations",
                      .n_columns = 4,
                      .headers = {"Schema", "Name", "Type", "Owner"}};
    bool indexes = strchr(kinds, 'i') != NULL;
    struct arena *arena = p->call->arena;
    const char *list = arena_printf(arena, "instr('%s', r.kind)", kinds);
    if (indexes)
        s.headers[s.n_columns++] = "Table";
    const char *table_column = indexes ? ", ''" : "";
    struct pg_database *database = p->session->database;
    char **rows =
        catalog_rows(database, arena,
                     "SELECT r.schema, r.name AS n, CASE r.kind WHEN 'r' THEN 'table' WHEN 'v' "
                     "THEN 'view' WHEN 'S' THEN 'sequence' ELSE"
                     " 'materialized view' END, r.owner%s FROM pgc_relation r WHERE r.schema NOT "
                     "IN ('pg_catalog', 'information_schema')"
                     " AND %s AND %s%s ORDER BY 1, 2",
                     table_column, list, matches(p, pattern, "r.name"),
                     indexes ? arena_printf(arena,
                                            " UNION ALL SELECT r.schema, i.name, 'index', r.owner, "
                                            "r.name FROM pgc_index i JOIN"
                                            " pgc_relation r ON r.oid = i.relation WHERE %s",
                                            matches(p, pattern, "i.name"))
                             : "");
    if (!*rows) {
        not_found(p, pattern, "relation", "relation");
        return;
    }
    if (more) {
        s.headers[s.n_columns++] = "Persistence";
        if (strpbrk(kinds, "rm"))
            s.headers[s.n_columns++] = "Access method";
        s.headers[s.n_columns++] = "Size";
        s.headers[s.n_columns++] = "Description";
        for (; *rows; rows++) {
            const char *cells[16] = {0};
            struct str rest = str_of(*rows);
            int n = 0;
            while (n < 4 + indexes)
                cells[n++] = arena_str(arena, str_cut(&rest, '\x1f'));
            struct pg_relation *relation = catalog_find(database, arena, cells[0], cells[1]);
            cells[n++] = "permanent";
            if (strpbrk(kinds, "rm"))
                cells[n++] = relation && relation->kind == 'r' ? "heap" : "";
            cells[n++] =
                catalog_text(database, arena, "SELECT pg_size_pretty(%lld)",
                             (long long)(relation ? pg_relation_bytes(database, relation) : 8192));
            cells[n++] = "";
            add_row(&s, cells);
        }
    } else {
        fill(&s, rows);
    }
    show(&s);
}

/* ---- \d NAME ---- */

static void table_footers(struct sheet *s, const struct pg_relation *relation)
{
    struct pg_database *database = s->p->session->database;
    struct arena *arena = s->p->call->arena;
    long long oid = (long long)relation->oid;
    char **rows = catalog_rows(
        database, arena,
        "SELECT '    \"' || i.name || '\"' || CASE k.kind WHEN 'p' THEN ' PRIMARY KEY, ' WHEN 'u' "
        "THEN"
        " ' UNIQUE CONSTRAINT, ' ELSE CASE WHEN i.is_unique THEN ' UNIQUE, ' ELSE ' ' END END ||"
        " CASE WHEN i.definition LIKE '%% WHERE (%%)' THEN rtrim(replace(substr(i.definition, "
        "instr(i.definition,"
        " ' USING ') + 7), ' WHERE (', ' WHERE '), ')') ELSE substr(i.definition, "
        "instr(i.definition,"
        " ' USING ') + 7) END FROM pgc_index i LEFT JOIN"
        " pgc_constraint k ON k.oid = i.constraint_oid WHERE i.relation = %lld ORDER BY"
        " ifnull(k.kind, '') <> 'p', i.name",
        oid);
    if (*rows)
        add_footer(s, "Indexes:");
    for (; *rows; rows++)
        add_footer(s, *rows);
    static const struct {
        const char *title, *kind;
    } parts[] = {{"Check constraints:", "c"}, {"Foreign-key constraints:", "f"}};
    for (int i = 0; i < 2; i++) {
        rows = catalog_rows(
            database, arena,
            "SELECT '    \"' || name || '\" ' || CASE WHEN definition LIKE 'CHECK ((%%))%%' THEN"
            " replace(replace(definition, 'CHECK ((', 'CHECK ('), '))', ')') ELSE definition"
            " END FROM pgc_constraint WHERE relation"
            " = %lld AND kind = '%s' ORDER BY name",
            oid, parts[i].kind);
        if (*rows)
            add_footer(s, parts[i].title);
        for (; *rows; rows++)
            add_footer(s, *rows);
    }
    rows = catalog_rows(database, arena,
                        "SELECT '    TABLE \"' || r.name || '\" CONSTRAINT \"' || k.name || '\" ' "
                        "|| k.definition FROM"
                        " pgc_constraint k JOIN pgc_relation r ON r.oid = k.relation WHERE k.kind "
                        "= 'f' AND k.target = %lld"
                        " ORDER BY k.name",
                        oid);
    if (*rows)
        add_footer(s, "Referenced by:");
    for (; *rows; rows++)
        add_footer(s, *rows);
    rows = catalog_rows(
        database, arena,
        "SELECT '    ' || name || substr(definition, instr(upper(definition), upper(name)) +"
        " length(name)) FROM pgc_trigger WHERE relation = %lld ORDER BY name",
        oid);
    if (*rows)
        add_footer(s, "Triggers:");
    for (; *rows; rows++)
        add_footer(s, *rows);
}

static void describe_one(struct psql *p, const struct pg_relation *relation, bool more)
{
    struct arena *arena = p->call->arena;
    struct sheet s = {
        .p = p, .n_columns = 5, .headers = {"Column", "Type", "Collation", "Nullable", "Default"}};
    if (relation->kind == 'S') {
        s.n_columns = 7;
        static const char *const headers[] = {"Type",      "Start",   "Minimum", "Maximum",
                                              "Increment", "Cycles?", "Cache"};
        memcpy(s.headers, headers, sizeof headers);
        s.title = arena_printf(arena, "Sequence \"%s.%s\"", relation->schema, relation->name);
        const char *cells[] = {"bigint", "1", "1", "9223372036854775807", "1", "no", "1"};
        add_row(&s, cells);
        for (int i = 0; i < 7; i++)
            s.right[i] = i > 0 && i != 5;
        add_footer(&s, "");
        s.n_footers = 0;
        show(&s);
        return;
    }
    s.title = arena_printf(arena, "%s \"%s.%s\"",
                           relation->kind == 'v'   ? "View"
                           : relation->kind == 'm' ? "Materialized view"
                                                   : "Table",
                           relation->schema, relation->name);
    for (int i = 0; i < relation->n_attributes; i++) {
        const struct pg_attribute *a = &relation->attributes[i];
        const char *cells[] = {a->name,
                               catalog_type(p->session->database, arena, a->type, a->typmod), "",
                               a->not_null ? "not null" : "", a->default_pg ? a->default_pg : ""};
        add_row(&s, cells);
    }
    if (relation->kind == 'r')
        table_footers(&s, relation);
    if (relation->kind == 'v' && more) {
        add_footer(&s, "View definition:");
        add_footer(&s, relation->definition);
    }
    if (!s.footers) {
        add_footer(&s, "");
        s.n_footers = 0;
        s.footers[0] = NULL;
    }
    show(&s);
}

static bool describe(struct psql *p, const char *pattern, bool more)
{
    struct arena *arena = p->call->arena;
    char **oids =
        catalog_rows(p->session->database, arena,
                     "SELECT r.oid FROM pgc_relation r WHERE %s AND (r.schema NOT IN ('pg_catalog',"
                     " 'information_schema') OR r.name = %s) ORDER BY r.schema, r.name",
                     matches(p, pattern, "r.name"), sql_text(arena, pattern));
    if (!*oids) {
        if (!p->quiet)
            psql_complain(p, "Did not find any relation named \"%s\".", pattern);
        return false;
    }
    for (; *oids; oids++)
        describe_one(p, catalog_by_oid(p->session->database, arena, strtoll(*oids, NULL, 10)),
                     more);
    return true;
}

/* ---- the others ---- */

static void list_databases(struct psql *p, const char *pattern)
{
    struct sheet s = {.p = p,
                      .title = "List of databases",
                      .n_columns = 8,
                      .headers = {"Name", "Owner", "Encoding", "Collate", "Ctype", "ICU Locale",
                                  "Locale Provider", "Access privileges"}};
    struct arena *arena = p->call->arena;
    struct pg_server *server = p->session->server;
    int n = 0;
    for (struct pg_database *d = server->databases; d; d = d->next)
        n++;
    struct pg_database **list = ARENA_ARRAY(arena, struct pg_database *, n + 1);
    n = 0;
    for (struct pg_database *d = server->databases; d; d = d->next) {
        int at = n++;
        for (; at > 0 && strcmp(list[at - 1]->name, d->name) > 0; at--)
            list[at] = list[at - 1];
        list[at] = d;
    }
    for (int i = 0; i < n; i++) {
        if (pattern && strcmp(pattern, list[i]->name) != 0)
            continue;
        const char *privileges = list[i]->is_template
                                     ? arena_printf(arena, "=c/%s           +\n%s=CTc/%s",
                                                    list[i]->owner, list[i]->owner, list[i]->owner)
                                     : "";
        if (list[i]->is_template)
            privileges = arena_printf(arena, "=c/%s\n%s=CTc/%s", list[i]->owner, list[i]->owner,
                                      list[i]->owner);
        const char *cells[] = {list[i]->name, list[i]->owner, "UTF8",
                               "en_US.utf8",  "en_US.utf8",   "",
                               "libc",        privileges};
        add_row(&s, cells);
    }
    show(&s);
}

static void list_roles(struct psql *p)
{
    struct sheet s = {.p = p,
                      .title = "List of roles",
                      .n_columns = 3,
                      .headers = {"Role name", "Attributes", "Member of"}};
    for (struct pg_role *r = p->session->server->roles; r; r = r->next) {
        const char *cells[] = {
            r->name,
            r->superuser ? "Superuser, Create role, Create DB, Replication, Bypass RLS" : "", "{}"};
        add_row(&s, cells);
    }
    add_footer(&s, "");
    s.footers[0] = NULL;
    show(&s);
}

static void simple_list(struct psql *p, const char *title, const char *const *headers, int n,
                        const char *sql)
{
    struct sheet s = {.p = p, .title = title, .n_columns = n};
    memcpy(s.headers, headers, sizeof *headers * (size_t)n);
    fill(&s, catalog_rows(p->session->database, p->call->arena, "%s", sql));
    show(&s);
}

bool psql_describe(struct psql *p, const char *command, const char *pattern)
{
    static const char *const schema_headers[] = {"Name", "Owner"};
    static const char *const type_headers[] = {"Schema", "Name", "Description"};
    static const char *const extension_headers[] = {"Name", "Version", "Schema", "Description"};
    static const char *const function_headers[] = {"Schema", "Name", "Result data type",
                                                   "Argument data types", "Type"};
    bool more = strchr(command, '+') != NULL;
    const char *what = command + 1;
    if (!p->session)
        return false;
    if (*command == 'l') {
        list_databases(p, pattern);
    } else if (*what == '\0' || *what == '+') {
        if (pattern)
            return describe(p, pattern, more);
        list_relations(p, "rvmS", NULL, more);
    } else if (strncmp(what, "n", 1) == 0) {
        simple_list(p, "List of schemas", schema_headers, 2,
                    "SELECT name, owner FROM pgc_schema WHERE name NOT IN ('pg_catalog', "
                    "'information_schema') ORDER BY 1");
    } else if (strncmp(what, "u", 1) == 0 || strncmp(what, "g", 1) == 0) {
        list_roles(p);
    } else if (strncmp(what, "x", 1) == 0) {
        simple_list(p, "List of installed extensions", extension_headers, 4,
                    "SELECT name, version, schema, CASE name WHEN 'plpgsql' THEN 'PL/pgSQL "
                    "procedural language' ELSE '' END"
                    " FROM pgc_extension ORDER BY 1");
    } else if (strncmp(what, "f", 1) == 0) {
        simple_list(
            p, "List of functions", function_headers, 5,
            "SELECT 'public', name, returns, arguments, 'func' FROM pgc_function ORDER BY 2");
    } else if (strcmp(what, "T") == 0) {
        simple_list(p, "List of data types", type_headers, 3,
                    arena_printf(p->call->arena,
                                 "SELECT 'public', name, '' FROM pgc_type WHERE %s ORDER BY 2",
                                 matches(p, pattern, "name")));
    } else if (strspn(what, "tvsmi+S") == strlen(what)) {
        char kinds[16];
        int n = 0;
        for (const char *c = what; *c && n < 15; c++) {
            if (*c == 't')
                kinds[n++] = 'r';
            else if (*c == 's')
                kinds[n++] = 'S';
            else if (*c == 'v' || *c == 'm' || *c == 'i')
                kinds[n++] = *c;
        }
        kinds[n] = '\0';
        list_relations(p, kinds, pattern, more);
    } else {
        record_observe(p->call->env->record, "not_simulated",
                       arena_printf(p->call->arena, "\\%s", command),
                       "the simulated psql does not know \\%s", command);
        psql_complain(p, "not simulated: \\%s", command);
        return false;
    }
    return true;
}
