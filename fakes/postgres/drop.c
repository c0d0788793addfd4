#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/statements.h"

struct kind {
    const char *type, *word, *tag, letters[3];
};
static const struct kind kinds[] = {
    {"OBJECT_TABLE", "table", "DROP TABLE", "r"},
    {"OBJECT_VIEW", "view", "DROP VIEW", "v"},
    {"OBJECT_MATVIEW", "materialized view", "DROP MATERIALIZED VIEW", "m"},
    {"OBJECT_SEQUENCE", "sequence", "DROP SEQUENCE", "S"},
    {"OBJECT_INDEX", "index", "DROP INDEX", "i"},
    {"OBJECT_FUNCTION", "function", "DROP FUNCTION", "f"},
    {"OBJECT_PROCEDURE", "procedure", "DROP PROCEDURE", "f"},
    {"OBJECT_TRIGGER", "trigger", "DROP TRIGGER", "t"},
    {"OBJECT_SCHEMA", "schema", "DROP SCHEMA", "n"},
    {"OBJECT_EXTENSION", "extension", "DROP EXTENSION", "e"},
    {"OBJECT_TYPE", "type", "DROP TYPE", "T"},
};

/* Everything that must go with a relation: views and foreign keys that stand on it, and what stands
 * on those. */
struct dependant {
    bool is_constraint;
    int64_t oid;
    const char *text; /* "view v", "constraint c on table t" */
    const char *on;   /* "table t" */
};
struct dependants {
    struct dependant at[256];
    int n;
};

static const char *kind_word(char kind)
{
    return kind == 'v'   ? "view"
           : kind == 'm' ? "materialized view"
           : kind == 'S' ? "sequence"
                         : "table";
}

static void collect(struct statement *s, const struct pg_relation *relation,
                    struct dependants *list)
{
    const char *on = arena_printf(s->arena, "%s %s", kind_word(relation->kind), relation->key);
    char **views = catalog_rows(s->database, s->arena,
                                "SELECT DISTINCT view FROM pgc_depends WHERE on_relation = %lld "
                                "AND view <> %lld ORDER BY view",
                                (long long)relation->oid, (long long)relation->oid);
    for (; *views && list->n < 256; views++) {
        struct pg_relation *view = catalog_by_oid(s->database, s->arena, strtoll(*views, NULL, 10));
        bool known = false;
        for (int i = 0; view && i < list->n; i++)
            known |= !list->at[i].is_constraint && list->at[i].oid == view->oid;
        if (!view || known)
            continue;
        list->at[list->n++] = (struct dependant){
            false, view->oid, arena_printf(s->arena, "%s %s", kind_word(view->kind), view->key),
            on};
        collect(s, view, list);
    }
    char **keys = catalog_rows(
        s->database, s->arena,
        "SELECT k.oid, k.name, r.key FROM pgc_constraint k JOIN pgc_relation r ON r.oid = "
        "k.relation"
        " WHERE k.kind = 'f' AND k.target = %lld AND k.relation <> %lld ORDER BY k.oid",
        (long long)relation->oid, (long long)relation->oid);
    for (; *keys && list->n < 256; keys++) {
        struct str rest = str_of(*keys);
        int64_t oid = strtoll(*keys, NULL, 10);
        str_cut(&rest, '\x1f');
        struct str name = str_cut(&rest, '\x1f');
        list->at[list->n++] = (struct dependant){
            true, oid,
            arena_printf(s->arena, "constraint %.*s on table %.*s", STR_ARG(name), STR_ARG(rest)),
            on};
    }
}

/* What is named in the same statement is no obstacle. */
static bool named_too(struct statement *s, const struct dependant *d, const int64_t *oids, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t oid = d->is_constraint
                          ? catalog_int(s->database, 0,
                                        "SELECT relation FROM pgc_constraint WHERE oid = %lld",
                                        (long long)d->oid)
                          : d->oid;
        if (oid == oids[i])
            return true;
    }
    return false;
}

static void notice_detail(struct statement *s, const char *text, struct buf *detail)
{
    pg_notice(s->session, "NOTICE", "%s", text);
    struct pg_message *last = s->session->messages;
    while (last->next)
        last = last->next;
    ((struct pg_error *)(uintptr_t)last->notice)->detail = arena_str(s->arena, buf_text(detail));
    buf_release(detail);
}

static void drop_relations(struct statement *s, struct pg_relation **relations, int n, bool cascade)
{
    struct dependants list = {.n = 0};
    int64_t *oids = ARENA_ARRAY(s->arena, int64_t, n + 1);
    for (int i = 0; i < n; i++)
        oids[i] = relations[i]->oid;
    for (int i = 0; i < n; i++)
        collect(s, relations[i], &list);
    int kept = 0;
    for (int i = 0; i < list.n; i++) {
        if (!named_too(s, &list.at[i], oids, n))
            list.at[kept++] = list.at[i];
    }
    if (kept && !cascade) {
        struct buf detail;
        buf_init(&detail, 1 << 16);
        for (int i = 0; i < kept; i++)
            buf_printf(&detail, "%s%s depends on %s", i ? "\n" : "", list.at[i].text,
                       list.at[i].on);
        if (n == 1)
            pg_fail(s->session, "2BP01", -1, "cannot drop %s %s because other objects depend on it",
                    kind_word(relations[0]->kind), relations[0]->key);
        else
            pg_fail(s->session, "2BP01", -1,
                    "cannot drop desired object(s) because other objects depend on them");
        pg_detail(s->session, "%s", detail.at);
        pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
        buf_release(&detail);
        return;
    }
    if (kept == 1) {
        pg_notice(s->session, "NOTICE", "drop cascades to %s", list.at[0].text);
    } else if (kept > 1) {
        struct buf detail;
        buf_init(&detail, 1 << 16);
        for (int i = 0; i < kept; i++)
            buf_printf(&detail, "%sdrop cascades to %s", i ? "\n" : "", list.at[i].text);
        notice_detail(s, arena_printf(s->arena, "drop cascades to %d other objects", kept),
                      &detail);
    }
    for (int i = 0; i < kept; i++) {
        struct pg_relation *relation =
            list.at[i].is_constraint ? NULL : catalog_by_oid(s->database, s->arena, list.at[i].oid);
        if (relation)
            drop_relation(s, relation);
        else
            catalog_run(s->database, "DELETE FROM pgc_constraint WHERE oid = %lld",
                        (long long)list.at[i].oid);
    }
    for (int i = 0; i < n; i++) {
        int64_t rows = relations[i]->kind == 'r' ? relation_count(s->database, relations[i]) : 0;
        drop_relation(s, relations[i]);
        if (relations[i]->kind == 'r')
            statement_changed(s, "table %s dropped (%lld rows)", relations[i]->key,
                              (long long)rows);
    }
}

static const char *last_name(const cJSON *object, const char **ret_schema)
{
    const cJSON *items = node_get(node_get(object, "List"), "items");
    int n = cJSON_GetArraySize(items);
    *ret_schema = NULL;
    if (n == 0) {
        const cJSON *with_args = node_get(object, "ObjectWithArgs");
        items = node_get(with_args, "objname");
        n = cJSON_GetArraySize(items);
        if (n == 0)
            return node_string(object);
    }
    if (n > 1)
        *ret_schema = node_string(cJSON_GetArrayItem(items, n - 2));
    return node_string(cJSON_GetArrayItem(items, n - 1));
}

static void missing(struct statement *s, const struct kind *kind, const char *shown, bool if_exists)
{
    if (if_exists)
        pg_notice(s->session, "NOTICE", "%s \"%s\" does not exist, skipping", kind->word, shown);
    else
        pg_fail(s->session, "42P01", -1, "%s \"%s\" does not exist", kind->word, shown);
}

static void drop_index(struct statement *s, const char *name, const struct kind *kind,
                       bool if_exists)
{
    int64_t oid = catalog_int(s->database, 0, "SELECT oid FROM pgc_index WHERE name = %s",
                              sql_text(s->arena, name));
    int64_t constraint = catalog_int(
        s->database, 0, "SELECT constraint_oid FROM pgc_index WHERE oid = %lld", (long long)oid);
    if (!oid) {
        missing(s, kind, name, if_exists);
        return;
    }
    if (constraint) {
        const char *table = catalog_text(
            s->database, s->arena,
            "SELECT r.name FROM pgc_relation r JOIN pgc_index i ON i.relation = r.oid WHERE"
            " i.oid = %lld",
            (long long)oid);
        pg_fail(s->session, "2BP01", -1,
                "cannot drop index %s because constraint %s on table %s requires it", name, name,
                table);
        pg_hint(s->session, "You can drop constraint %s on table %s instead.", name, table);
        return;
    }
    catalog_run(s->database, "DELETE FROM pgc_index WHERE oid = %lld", (long long)oid);
    catalog_run(s->database, "DROP INDEX IF EXISTS %s", sql_name(s->arena, name));
}

static void drop_function(struct statement *s, const char *name, const struct kind *kind,
                          bool if_exists, bool cascade)
{
    if (!catalog_int(s->database, 0, "SELECT count(*) FROM pgc_function WHERE name = %s",
                     sql_text(s->arena, name))) {
        if (if_exists)
            pg_notice(s->session, "NOTICE", "%s %s() does not exist, skipping", kind->word, name);
        else
            pg_fail(s->session, "42883", -1, "%s %s() does not exist", kind->word, name);
        return;
    }
    char **users = catalog_rows(
        s->database, s->arena,
        "SELECT t.name, r.name FROM pgc_trigger t JOIN pgc_relation r ON r.oid = t.relation WHERE"
        " t.function = %s",
        sql_text(s->arena, name));
    for (; *users; users++) {
        struct str table = str_of(*users), trigger = str_cut(&table, '\x1f');
        if (!cascade) {
            pg_fail(s->session, "2BP01", -1,
                    "cannot drop function %s() because other objects depend on it", name);
            pg_detail(s->session, "trigger %.*s on table %.*s depends on function %s()",
                      STR_ARG(trigger), STR_ARG(table), name);
            pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
            return;
        }
        pg_notice(s->session, "NOTICE", "drop cascades to trigger %.*s on table %.*s",
                  STR_ARG(trigger), STR_ARG(table));
    }
    catalog_run(
        s->database,
        "DELETE FROM pgc_trigger WHERE function = %s; DELETE FROM pgc_function WHERE name = %s",
        sql_text(s->arena, name), sql_text(s->arena, name));
}

static void drop_trigger(struct statement *s, const char *table, const char *name, bool if_exists)
{
    struct pg_relation *relation = table ? catalog_find(s->database, s->arena, NULL, table) : NULL;
    if (!relation) {
        if (if_exists)
            pg_notice(s->session, "NOTICE", "relation \"%s\" does not exist, skipping",
                      table ? table : "");
        else
            pg_fail(s->session, "42P01", -1, "relation \"%s\" does not exist", table ? table : "");
        return;
    }
    if (!catalog_int(s->database, 0,
                     "SELECT count(*) FROM pgc_trigger WHERE relation = %lld AND name = %s",
                     (long long)relation->oid, sql_text(s->arena, name))) {
        if (if_exists)
            pg_notice(s->session, "NOTICE",
                      "trigger \"%s\" for relation \"%s\" does not exist, skipping", name, table);
        else
            pg_fail(s->session, "42704", -1, "trigger \"%s\" for table \"%s\" does not exist", name,
                    table);
        return;
    }
    catalog_run(s->database, "DELETE FROM pgc_trigger WHERE relation = %lld AND name = %s",
                (long long)relation->oid, sql_text(s->arena, name));
}

static void drop_schema(struct statement *s, const char *name, const struct kind *kind,
                        bool if_exists, bool cascade)
{
    if (!catalog_int(s->database, 0, "SELECT count(*) FROM pgc_schema WHERE name = %s",
                     sql_text(s->arena, name))) {
        if (if_exists)
            pg_notice(s->session, "NOTICE", "schema \"%s\" does not exist, skipping", name);
        else
            pg_fail(s->session, "3F000", -1, "schema \"%s\" does not exist", name);
        return;
    }
    (void)kind;
    char **oids = catalog_rows(
        s->database, s->arena,
        "SELECT oid FROM pgc_relation WHERE schema = %s AND oid NOT IN (SELECT relation FROM"
        " pgc_sequence WHERE owner_relation NOTNULL) ORDER BY oid",
        sql_text(s->arena, name));
    int n = 0;
    while (oids[n])
        n++;
    if (n && !cascade) {
        pg_fail(s->session, "2BP01", -1, "cannot drop schema %s because other objects depend on it",
                name);
        struct pg_relation *first =
            catalog_by_oid(s->database, s->arena, strtoll(oids[0], NULL, 10));
        pg_detail(s->session, "%s %s depends on schema %s", kind_word(first->kind), first->key,
                  name);
        pg_hint(s->session, "Use DROP ... CASCADE to drop the dependent objects too.");
        return;
    }
    if (n > 1) {
        struct buf detail;
        buf_init(&detail, 1 << 16);
        for (int i = 0; i < n; i++) {
            struct pg_relation *relation =
                catalog_by_oid(s->database, s->arena, strtoll(oids[i], NULL, 10));
            buf_printf(&detail, "%sdrop cascades to %s %s", i ? "\n" : "",
                       kind_word(relation->kind), relation->key);
        }
        notice_detail(s, arena_printf(s->arena, "drop cascades to %d other objects", n), &detail);
    }
    for (int i = 0; i < n; i++) {
        struct pg_relation *relation =
            catalog_by_oid(s->database, s->arena, strtoll(oids[i], NULL, 10));
        if (n == 1)
            pg_notice(s->session, "NOTICE", "drop cascades to %s %s", kind_word(relation->kind),
                      relation->key);
        if (relation)
            drop_relation(s, relation);
    }
    catalog_run(s->database, "DELETE FROM pgc_schema WHERE name = %s", sql_text(s->arena, name));
}

void run_drop(struct statement *s)
{
    const struct kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].type, node_text(s->node, "removeType")) == 0)
            kind = &kinds[i];
    }
    if (!kind) {
        pg_not_simulated(s->session, -1, "DROP of %s", node_text(s->node, "removeType"));
        return;
    }
    bool if_exists = node_true(s->node, "missing_ok");
    bool cascade = strcmp(node_text(s->node, "behavior"), "DROP_CASCADE") == 0;
    const cJSON *objects = node_get(s->node, "objects"), *object;
    struct pg_relation **relations =
        ARENA_ARRAY(s->arena, struct pg_relation *, cJSON_GetArraySize(objects) + 1);
    int n = 0;
    cJSON_ArrayForEach(object, objects)
    {
        const char *schema, *name = last_name(object, &schema);
        if (*kind->letters == 'i')
            drop_index(s, name, kind, if_exists);
        else if (*kind->letters == 'f')
            drop_function(s, name, kind, if_exists, cascade);
        else if (*kind->letters == 't')
            drop_trigger(s, schema, name, if_exists);
        else if (*kind->letters == 'n')
            drop_schema(s, name, kind, if_exists, cascade);
        else if (*kind->letters == 'T')
            drop_enum(s, object, if_exists, cascade);
        else if (*kind->letters == 'e')
            catalog_run(s->database, "DELETE FROM pgc_extension WHERE name = %s",
                        sql_text(s->arena, name));
        else {
            struct pg_relation *relation = catalog_find(s->database, s->arena, schema, name);
            const char *shown = schema ? arena_printf(s->arena, "%s.%s", schema, name) : name;
            if (!relation) {
                missing(s, kind, shown, if_exists);
            } else if (relation->kind != *kind->letters) {
                pg_fail(s->session, "42809", -1, "\"%s\" is not a %s", name, kind->word);
                pg_hint(s->session, "Use DROP %s to remove a %s.",
                        relation->kind == 'v' ? "VIEW" : "TABLE", kind_word(relation->kind));
            } else {
                relations[n++] = relation;
            }
        }
    }
    if (s->session->error.set)
        return;
    if (n)
        drop_relations(s, relations, n, cascade);
    if (!s->session->error.set)
        statement_done(s, "%s", kind->tag);
}

/* ---- TRUNCATE ---- */

/* The keys of all tables in the statement, ",a,b,", quoted for SQL. */
static const char *named_relations(struct statement *s)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    const cJSON *item;
    buf_putc(&text, ',');
    cJSON_ArrayForEach(item, node_get(s->node, "relations"))
    {
        const cJSON *range = node_get(item, "RangeVar");
        const char *schema = node_text(range, "schemaname");
        bool prefix = *schema && strcmp(schema, "public") != 0;
        buf_printf(&text, "%s%s%s,", prefix ? schema : "", prefix ? "." : "",
                   node_text(range, "relname"));
    }
    const char *quoted = sql_text(s->arena, text.at);
    buf_release(&text);
    return quoted;
}

void run_truncate(struct statement *s)
{
    bool cascade = strcmp(node_text(s->node, "behavior"), "DROP_CASCADE") == 0;
    const cJSON *item;
    const char *named = named_relations(s);
    cJSON_ArrayForEach(item, node_get(s->node, "relations"))
    {
        struct pg_relation *relation = statement_relation(s, node_get(item, "RangeVar"), false);
        if (!relation)
            return;
        const char *other = catalog_text(
            s->database, s->arena,
            "SELECT r.name FROM pgc_constraint k JOIN pgc_relation r ON r.oid = k.relation"
            " WHERE k.kind = 'f' AND k.target = %lld AND k.relation <> %lld AND NOT instr(%s,"
            " ',' || r.key || ',') LIMIT 1",
            (long long)relation->oid, (long long)relation->oid, named);
        if (other && !cascade) {
            pg_fail(s->session, "0A000", -1,
                    "cannot truncate a table referenced in a foreign key constraint");
            pg_detail(s->session, "Table \"%s\" references \"%s\".", other, relation->name);
            pg_hint(s->session,
                    "Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.", other);
            return;
        }
        if (other) {
            struct pg_relation *more = catalog_find(s->database, s->arena, NULL, other);
            pg_notice(s->session, "NOTICE", "truncate cascades to table \"%s\"", other);
            if (more && !more->ledger)
                catalog_run(s->database, "DELETE FROM %s", sql_name(s->arena, more->key));
            else if (more)
                rows_delete(s->database, more, INT64_MIN, INT64_MAX);
        }
        int64_t n = relation_count(s->database, relation);
        if (relation->ledger)
            rows_delete(s->database, relation, INT64_MIN, INT64_MAX);
        else
            catalog_run(s->database, "DELETE FROM %s", sql_name(s->arena, relation->key));
        if (node_true(s->node, "restart_seqs"))
            catalog_run(s->database,
                        "UPDATE pgc_sequence SET last_value = start, is_called = 0 WHERE "
                        "owner_relation = %lld",
                        (long long)relation->oid);
        statement_changed(s, "table %s truncated (%lld rows)", relation->key, (long long)n);
    }
    statement_done(s, "TRUNCATE TABLE");
}
