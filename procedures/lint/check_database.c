/* Rules about databases: SQL, dumps and restores, Redis, Elasticsearch. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "procedures/lint/internal.h"

static bool contains(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

/* Is there SQL that throws data away? Views, functions, triggers and indexes hold none. */
static const char *drops_data(const char *sql)
{
    const char *type;
    if (contains(sql, "drop table"))
        return "DROP TABLE";
    if (contains(sql, "drop database"))
        return "DROP DATABASE";
    if (contains(sql, "drop schema"))
        return "DROP SCHEMA";
    if (contains(sql, "drop column"))
        return "DROP COLUMN";
    if (contains(sql, "truncate "))
        return "TRUNCATE";
    type = contains(sql, "alter column") ? strcasestr(sql, " type ") : NULL;
    if (type && !contains(type, " text") && !contains(type, "bigint"))
        return "ALTER COLUMN TYPE";
    return contains(sql, "delete from") && !contains(sql, "where") ? "DELETE without WHERE" : NULL;
}

static bool is_down_migration(const struct use *use)
{
    return use_is(use, "alembic", "downgrade", NULL) || use_is(use, "flyway", "undo", NULL) ||
           use_mentions(use, "migrate:rollback") || use_mentions(use, "migration:revert") ||
           (use_mentions(use, "migrate") && use_mentions(use, "down"));
}

/* CREATE TABLE x_backup AS SELECT ...: the rows are kept beside. */
static bool copies_table(const char *sql)
{
    const char *create = sql ? strcasestr(sql, "create table") : NULL;
    return create && strcasestr(create, " as") && strcasestr(create, "select");
}

static bool backup_before_line(const struct lint *lint, int line)
{
    for (int i = 0; i < lint->n_uses; i++)
        if (lint->uses[i].line < line &&
            (use_is_backup(&lint->uses[i]) || copies_table(use_sql(lint, &lint->uses[i]))))
            return true;
    return false;
}

static void check_drops(struct lint *lint, const struct use *use)
{
    const char *what = drops_data(use_sql(lint, use));
    if (!strcmp(use->name, "dropdb"))
        what = "dropdb";
    if (!what && !strcmp(use->name, "redis-cli") && use_mentions(use, "FLUSHALL"))
        what = "FLUSHALL";
    if (!what && !strcmp(use->name, "redis-cli") && use_mentions(use, "FLUSHDB"))
        what = "FLUSHDB";
    if (!what &&
        (use_is(use, "kubectl", "delete", "pvc") || use_is(use, "kubectl", "delete", "pv")))
        what = "deleting the volume";
    if (!what && is_down_migration(use))
        what = "a down migration";
    if (!what && use_is(use, "compose", "down", NULL) &&
        (use_short(use, 'v') || use_has(use, "--volumes")))
        what = "down -v removes the volumes";
    if (!what && use_is(use, "docker", "volume", "rm"))
        what = "docker volume rm";
    if (!what && use_is(use, "docker", "volume", "prune"))
        what = "docker volume prune";
    if (what && !backup_before_line(lint, use->line))
        lint_add_use(lint, "RB012", use, "%s, and no step before it takes a backup", what);
}

static bool terminates_before(const struct lint *lint, const struct use *use)
{
    for (const struct use *at = use; at >= lint->uses && same_scope(lint, use, at); at--)
        if (use_mentions(at, "pg_terminate_backend") || use_mentions(at, "FORCE") ||
            use_stops_writers(at))
            return true;
    return false;
}

static void check_drop_database(struct lint *lint, const struct use *use)
{
    const char *sql = use_sql(lint, use);
    bool drops = (!strcmp(use->name, "psql") && contains(sql, "drop database")) ||
                 (!strcmp(use->name, "dropdb") && !use_short(use, 'f') && !use_has(use, "--force"));
    if (drops && !contains(sql, "force") && !terminates_before(lint, use))
        lint_add_use(lint, "RB033", use,
                     "refused while anybody is connected, and nothing before it disconnects them");
}

/* ---- dumps and restores ---- */

static bool reads_here_document(const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (at->body.len)
            return true;
    return false;
}

/* psql fed by a file or a pipe, at whatever depth: `docker exec -i C psql < dump`. */
static bool psql_reads_file(const struct use *use)
{
    if (strcmp(use->name, "psql") || use_value(use, "-c", "--command"))
        return false;
    if (use_value(use, "-f", "--file") || !use->first_stage)
        return true;
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (str_is(at->operator, "<"))
            return true;
    return reads_here_document(use);
}

/* Restores of files that users do not write: configuration, static files. */
static bool restores_no_data(const struct use *use)
{
    return use_has(use, "--config-only") || use_mentions(use, "config") ||
           use_mentions(use, "static") || use_mentions(use, "assets");
}

static bool reads_from(const struct use *use)
{
    for (const struct shell_redirect *at = use->command->redirects; at; at = at->next)
        if (str_is(at->operator, "<"))
            return true;
    return !use->first_stage;
}

static bool is_restore(const struct use *use)
{
    const char *name = strrchr(use->argv[0], '/');
    if (!strcmp(use->name, "pg_restore"))
        return !use_short(use, 'l') && !use_has(use, "--list");
    if (psql_reads_file(use) && !reads_here_document(use))
        return true;
    if (!strcmp(use->name, "mongorestore") || (!strcmp(use->name, "mysql") && reads_from(use)))
        return true;
    if (!strcmp(use->name, "redis-cli") && use->n_operands)
        return !strcasecmp(use->operands[0], "restore");
    if (!strcmp(use->name, "sqlite3"))
        return use_mentions(use, ".restore");
    if (!strcmp(use->name, "curl"))
        return use_mentions(use, "_snapshot/") && use_mentions(use, "_restore");
    return name && strcasestr(name, "restore") && !restores_no_data(use);
}

/* Is the script that is called written down in this very document, under its name? Then its own
 * lines are judged. */
static bool is_shown_here(const struct lint *lint, const struct use *use)
{
    const char *name = strrchr(use->argv[0], '/');
    for (int i = 0; name && name[1] && i < lint->n_blocks; i++)
        for (int k = 0; lint->blocks[i].is_script && k < lint->blocks[i].script.n_comments; k++)
            if (str_is(lint->blocks[i].script.comments[k].text, name + 1))
                return true;
    return false;
}

static bool writers_stopped_before(const struct lint *lint, const struct use *use)
{
    for (const struct use *at = use - 1; at >= lint->uses; at--)
        if (same_scope(lint, use, at) && use_stops_writers(at))
            return true;
    return false;
}

/* A here-document of questions alone may go on after one that fails. */
static bool sql_changes(const struct lint *lint, const struct use *use)
{
    static const char *const words[] = {"insert", "update",   "delete", "drop", "alter",
                                        "create", "truncate", "\\i ",   NULL};
    const char *sql = use_sql(lint, use);
    for (int i = 0; words[i]; i++)
        if (contains(sql, words[i]))
            return true;
    return false;
}

static void check_restore(struct lint *lint, const struct use *use)
{
    if (psql_reads_file(use) && !use_mentions(use, "ON_ERROR_STOP") &&
        (!reads_here_document(use) || sql_changes(lint, use)))
        lint_add_use(lint, "RB011", use,
                     "psql ends with 0 although statements fail; -v ON_ERROR_STOP=1");
    if (!strcmp(use->name, "pg_restore") && is_restore(use) && !use_short(use, 'c') &&
        !use_has(use, "--clean") && !use_short(use, 'C') && !use_has(use, "--create"))
        lint_add_use(lint, "RB034", use,
                     "without --clean it restores on top of the tables that are there");
    if (is_restore(use) && !is_shown_here(lint, use) && !writers_stopped_before(lint, use))
        lint_add_use(lint, "RB014", use, "nothing before it here stops the writers");
}

static bool ends_with_any(const char *text, const char *const *endings)
{
    for (; text && *endings; endings++)
        if (str_ends(str_of(text), *endings))
            return true;
    return false;
}

/* Archives given to psql and scripts given to pg_restore, by what their names say. */
static void check_formats(struct lint *lint, const struct use *use)
{
    static const char *const scripts[] = {".sql", ".sql.gz", NULL};
    static const char *const archives[] = {".dump", ".tar", ".gz", ".custom", NULL};
    const char *file = use_value(use, "-f", "--file");
    if (!strcmp(use->name, "pg_restore")) {
        for (int i = 0; i < use->n_operands; i++)
            if (ends_with_any(use->operands[i], scripts))
                lint_add_use(lint, "RB046", use, "'%s' is SQL, and pg_restore reads archives alone",
                             use->operands[i]);
    } else if (!strcmp(use->name, "psql")) {
        for (const struct shell_redirect *at = use->command->redirects; at && !file; at = at->next)
            if (str_is(at->operator, "<"))
                file = at->target->value;
        if (ends_with_any(file, archives))
            lint_add_use(lint, "RB046", use, "'%s' is no SQL that psql could read", file);
    }
}

/* ---- settings that do not last ---- */

static bool later_mentions(const struct lint *lint, const struct use *use, const char *text)
{
    for (const struct use *at = use; at < lint->uses + lint->n_uses; at++)
        if (same_scope(lint, use, at) && use_mentions(at, text))
            return true;
    return false;
}

static bool has_words(const struct use *use, const char *first, const char *second)
{
    for (int i = 0; i + 1 < use->n_operands; i++)
        if (!strcasecmp(use->operands[i], first) && !strcasecmp(use->operands[i + 1], second))
            return true;
    return false;
}

static void check_lasting(struct lint *lint, const struct use *use)
{
    if (!strcmp(use->name, "redis-cli") && has_words(use, "CONFIG", "SET") &&
        !later_mentions(lint, use, "REWRITE"))
        lint_add_use(lint, "RB015", use,
                     "CONFIG SET is gone after the next restart; CONFIG REWRITE keeps it");
    if (contains(use_sql(lint, use), "alter system") &&
        !later_mentions(lint, use, "pg_reload_conf") && !later_mentions(lint, use, "restart") &&
        !later_mentions(lint, use, "reload"))
        lint_add_use(lint, "RB015", use,
                     "ALTER SYSTEM waits for a reload: SELECT pg_reload_conf()");
    if (!strcmp(use->name, "sysctl") && use_short(use, 'w') &&
        !later_mentions(lint, use, "sysctl.d"))
        lint_add_use(lint, "RB015", use, "sysctl -w is gone after the next boot");
}

static void check_elasticsearch(struct lint *lint, const struct use *use)
{
    static const char *const calls[] = {
        "/_bulk",  "/_reindex", "/_aliases",         "/_settings",        "/_restore",
        "/_close", "/_open",    "/_update_by_query", "/_delete_by_query", NULL};
    if (strcmp(use->name, "curl") || !use_changes_state(use) || !use->last_stage)
        return;
    for (int i = 0; calls[i]; i++)
        if (use_mentions(use, calls[i])) {
            lint_add_use(lint, "RB016", use,
                         "the answer of '%s' says what failed, and nobody reads it", calls[i] + 1);
            return;
        }
}

/* ---- steps that cannot be run twice ---- */

/* Rows go in, and nothing keeps them from going in again: no conflict clause, no emptied table
 * before. */
static bool inserts_again(const char *sql)
{
    const char *insert = sql ? strcasestr(sql, "insert into") : NULL;
    const char *emptied = sql ? strcasestr(sql, "truncate ") : NULL;
    return insert && !(emptied && emptied < insert) && !contains(sql, "on conflict") &&
           !contains(sql, "not exists") && !contains(sql, "on duplicate key");
}

/* SET stock = stock + 1 */
static bool adds_again(const char *sql)
{
    const char *at = contains(sql, "update ") ? strcasestr(sql, " set ") : NULL;
    for (at = at ? at + 5 : NULL; at && (at = strchr(at, '=')); at++) {
        const char *end = at, *start, *again = at + 1;
        size_t len;
        while (end[-1] == ' ')
            end--;
        for (start = end; isalnum((unsigned char)start[-1]) || start[-1] == '_'; start--)
            ;
        len = (size_t)(end - start);
        again += strspn(again, " ");
        if (len && !strncasecmp(again, start, len)) {
            again += len;
            again += strspn(again, " ");
            if (*again == '+' || *again == '-' || *again == '*')
                return true;
        }
    }
    return false;
}

static bool appends_by_sed(const struct use *use)
{
    const char *script = use->n_operands ? use->operands[0] : "";
    const char *last = strrchr(script, '/');
    if (strcmp(use->name, "sed") != 0 || !use_short(use, 'i'))
        return false;
    /* "/x/a text", "$a text", "1i text" */
    if (last && last != script && *script == '/')
        return (last[1] == 'a' || last[1] == 'i') && (last[2] == ' ' || last[2] == '\\');
    script += strspn(script, "0123456789$ ");
    return (*script == 'a' || *script == 'i') && (script[1] == ' ' || script[1] == '\\');
}

static bool adds_to_redis(const struct use *use)
{
    static const char *const verbs[] = {"incr",  "incrby", "decr", "decrby", "lpush",
                                        "rpush", "append", "xadd", NULL};
    for (int i = 0; !strcmp(use->name, "redis-cli") && use->n_operands && verbs[i]; i++)
        if (!strcasecmp(use->operands[0], verbs[i]))
            return true;
    return false;
}

/* What fails, or does its work again, when it is run again; or NULL. */
static const char *cannot_run_twice(const struct lint *lint, const struct use *use)
{
    const char *sql = use_sql(lint, use);
    if (use_is(use, "kubectl", "create", NULL) && !use_mentions(use, "--dry-run") &&
        !use->ignored && use->n_operands > 1 && strcmp(use->operands[1], "job") &&
        strcmp(use->operands[1], "token"))
        return "create fails when it is there already; apply does not";
    if (use_is(use, "alembic", "downgrade", NULL) && use->argc > 2 && use->argv[2][0] == '-')
        return "run again it goes back one more; name the revision";
    if (use_is(use, "git", "revert", NULL) && use_mentions(use, "HEAD"))
        return "run again it reverts the revert; name the commit";
    if (use_is(use, "git", "reset", NULL) &&
        (use_mentions(use, "HEAD~") || use_mentions(use, "HEAD^")))
        return "run again it goes back one more; name the commit";
    if (!strcmp(use->name, "createdb") && !use->ignored)
        return "createdb fails when the database is there already";
    if (!strcmp(use->name, "ln") && use_short(use, 's') && !use_short(use, 'f') &&
        !use_has(use, "--force") && !use->ignored && !use->inside)
        return "ln -s fails when the link is there already; ln -sfn replaces it";
    if (contains(sql, "create table") && !contains(sql, "if not exists"))
        return "run again it fails: the table is there; CREATE TABLE IF NOT EXISTS";
    if (inserts_again(sql))
        return "run again it inserts the same rows; ON CONFLICT DO NOTHING";
    if (adds_again(sql))
        return "run again it adds once more; set the value that is wanted";
    if (adds_to_redis(use))
        return "run again it adds once more; SET the value that is wanted";
    return appends_by_sed(use) ? "run again it adds the line once more" : NULL;
}

static void check_twice(struct lint *lint, const struct use *use)
{
    const char *what = cannot_run_twice(lint, use);
    if (what)
        lint_add_use(lint, "RB018", use, "%s", what);
}

/* ---- migrations and versions ---- */

static bool brings_old_code(const struct use *use)
{
    return use_is(use, "kubectl", "rollout", "undo") || use_is(use, "helm", "rollback", NULL) ||
           use_is(use, "git", "checkout", NULL) || use_is(use, "git", "reset", NULL);
}

/* The file of the migration is in the new version alone: the old one cannot take it back. */
static void check_migration_order(struct lint *lint, const struct use *use)
{
    if (!is_down_migration(use))
        return;
    for (const struct use *at = use - 1; at >= lint->uses; at--)
        if (same_scope(lint, use, at) && brings_old_code(at)) {
            lint_add_use(lint, "RB049", use,
                         "line %d brought the old version, which does not know the migration; "
                         "this comes first",
                         at->line);
            return;
        }
}

/* ---- blocks of SQL ---- */

static int line_of(const struct block *block, const char *sql, const char *word)
{
    const char *at = strcasestr(sql, word);
    int line = block->line;
    for (const char *byte = sql; at && byte < at; byte++)
        line += *byte == '\n';
    return line;
}

static void check_sql_block(struct lint *lint, const struct block *block)
{
    const char *sql = arena_str(lint->arena, block->text), *what = drops_data(sql);
    if (what && !backup_before_line(lint, block->line))
        lint_add(lint, "RB012", line_of(block, sql, strstr(what, "without") ? "delete from" : what),
                 0, "%s, and no step before it takes a backup", what);
    if (inserts_again(sql))
        lint_add(lint, "RB018", line_of(block, sql, "insert into"), 0,
                 "run again it inserts the same rows; ON CONFLICT DO NOTHING");
}

void lint_check_database(struct lint *lint)
{
    for (int i = 0; i < lint->n_uses; i++) {
        const struct use *use = &lint->uses[i];
        check_drops(lint, use);
        check_drop_database(lint, use);
        check_restore(lint, use);
        check_formats(lint, use);
        check_lasting(lint, use);
        check_elasticsearch(lint, use);
        check_twice(lint, use);
        check_migration_order(lint, use);
    }
    for (int i = 0; i < lint->playbook->n_blocks; i++)
        if (lint->playbook->blocks[i].kind == BLOCK_SQL)
            check_sql_block(lint, &lint->playbook->blocks[i]);
}
