/* Configuration parameters: SET, RESET, SHOW, ALTER SYSTEM. What a session sets is shown again;
 * only the timeouts and read-only transactions have an effect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/postgres/statements.h"

static const struct {
    const char *name, *value;
    const char *base; /* of a time: the unit of a bare number */
} defaults[] = {
    {"server_version", "15.8 (Debian 15.8-1.pgdg120+1)", NULL},
    {"server_version_num", "150008", NULL},
    {"max_connections", "100", NULL},
    {"wal_level", "replica", NULL},
    {"TimeZone", "Etc/UTC", NULL},
    {"client_encoding", "UTF8", NULL},
    {"server_encoding", "UTF8", NULL},
    {"search_path", "\"$user\", public", NULL},
    {"statement_timeout", "0", "ms"},
    {"lock_timeout", "0", "ms"},
    {"idle_in_transaction_session_timeout", "0", "ms"},
    {"idle_session_timeout", "0", "ms"},
    {"deadlock_timeout", "1s", "ms"},
    {"port", "5432", NULL},
    {"hot_standby", "on", NULL},
    {"synchronous_commit", "on", NULL},
    {"fsync", "on", NULL},
    {"shared_buffers", "128MB", NULL},
    {"work_mem", "4MB", NULL},
    {"maintenance_work_mem", "64MB", NULL},
    {"effective_cache_size", "4GB", NULL},
    {"checkpoint_timeout", "5min", "s"},
    {"max_wal_size", "1GB", NULL},
    {"wal_keep_size", "0", NULL},
    {"max_wal_senders", "10", NULL},
    {"archive_timeout", "0", "s"},
    {"standard_conforming_strings", "on", NULL},
    {"is_superuser", "on", NULL},
    {"transaction_isolation", "read committed", NULL},
    {"default_transaction_isolation", "read committed", NULL},
    {"log_statement", "none", NULL},
    {"client_min_messages", "notice", NULL},
    {"row_security", "on", NULL},
    {"session_replication_role", "origin", NULL},
    {"DateStyle", "ISO, MDY", NULL},
    {"IntervalStyle", "postgres", NULL},
    {"default_tablespace", "", NULL},
    {"autovacuum", "on", NULL},
    {"log_min_duration_statement", "-1", NULL},
    {"listen_addresses", "*", NULL},
};
enum { N_DEFAULTS = sizeof defaults / sizeof *defaults };

static int default_of(const char *name)
{
    int i = 0;
    while (i < N_DEFAULTS && strcasecmp(defaults[i].name, name) != 0)
        i++;
    return i;
}

/* ---- times ---- */

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};

static int64_t unit_ms(const char *name)
{
    for (int i = 0; i < 5; i++) {
        if (strcmp(units[i].name, name) == 0)
            return units[i].ms;
    }
    return -1;
}

static bool time_ms(const char *text, const char *base, int64_t *ret)
{
    char *rest;
    long long number = strtoll(text, &rest, 10);
    while (*rest == ' ')
        rest++;
    int64_t unit = unit_ms(*rest ? rest : base);
    if (rest == text || unit < 0)
        return false;
    *ret = number * unit;
    return true;
}

static const char *time_text(struct arena *arena, int64_t ms)
{
    for (int i = 0; i < 5; i++) {
        if (ms && ms % units[i].ms == 0)
            return arena_printf(arena, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
    }
    return "0";
}

/* ---- values ---- */

const char *pg_setting(struct pg_session *session, const char *name)
{
    for (const struct pg_setting *s = session->settings; s; s = s->next) {
        if (strcasecmp(s->name, name) == 0 && s->value)
            return s->value;
    }
    if (strcmp(name, "data_directory") == 0)
        return session->server->data_directory;
    if (strcmp(name, "application_name") == 0)
        return session->application;
    if (strcmp(name, "default_transaction_read_only") == 0 ||
        strcmp(name, "transaction_read_only") == 0)
        return (*name == 't' ? session->transaction_read_only : session->read_only) ? "on" : "off";
    if (strcmp(name, "archive_mode") == 0)
        return pg_archives(session->server) ? "on" : "off";
    if (strcmp(name, "archive_command") == 0)
        return pg_archives(session->server)
                   ? arena_printf(&session->results, "test ! -f %s/%%f && cp %%p %s/%%f",
                                  session->server->archive, session->server->archive)
                   : "(disabled)";
    int i = default_of(name);
    return i < N_DEFAULTS ? defaults[i].value : NULL;
}

int64_t pg_setting_ns(struct pg_session *session, const char *name)
{
    const char *value = pg_setting(session, name);
    int64_t ms;
    return value && time_ms(value, "ms", &ms) ? ms * MILLISECOND : 0;
}

static void set(struct pg_session *session, const char *name, const char *value, bool local)
{
    int i = default_of(name);
    int64_t ms;
    if (value && i < N_DEFAULTS && defaults[i].base) {
        if (!time_ms(value, defaults[i].base, &ms)) {
            pg_fail(session, "22023", -1, "invalid value for parameter \"%s\": \"%s\"", name,
                    value);
            if (strspn(value, "0123456789"))
                pg_hint(session, "Valid units for this parameter are \"us\", \"ms\", \"s\", "
                                 "\"min\", \"h\", and \"d\".");
            return;
        }
        value = time_text(&session->results, ms);
    }
    struct pg_setting **at = &session->settings;
    while (*at && (strcasecmp((*at)->name, name) != 0 || (*at)->local != local))
        at = &(*at)->next;
    if (!*at) {
        struct pg_setting *fresh = ARENA_NEW(&session->arena, struct pg_setting);
        fresh->name = arena_strdup(&session->arena, name);
        fresh->local = local;
        fresh->next = session->settings;
        session->settings = fresh;
        at = &session->settings;
    }
    (*at)->value = value ? arena_strdup(&session->arena, value) : NULL;
}

void pg_set(struct pg_session *session, const char *name, const char *value)
{
    set(session, name, value, false);
}

void pg_settings_end_transaction(struct pg_session *session)
{
    for (struct pg_setting **at = &session->settings; *at;) {
        if ((*at)->local)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

/* ---- statements ---- */

/* The values as SHOW joins them. */
static const char *arguments(struct statement *s)
{
    struct buf text;
    buf_init(&text, 1 << 14);
    const cJSON *item;
    cJSON_ArrayForEach(item, node_get(s->node, "args"))
    {
        const cJSON *constant = node_get(item, "A_Const"),
                    *number = node_get(node_get(constant, "ival"), "ival");
        if (text.len)
            buf_puts(&text, ", ");
        if (node_get(constant, "sval"))
            buf_puts(&text, node_text(node_get(constant, "sval"), "sval"));
        else if (node_get(constant, "fval"))
            buf_puts(&text, node_text(node_get(constant, "fval"), "fval"));
        else if (node_get(constant, "boolval"))
            buf_puts(&text, node_true(node_get(constant, "boolval"), "boolval") ? "on" : "off");
        else
            buf_printf(&text, "%d", number ? number->valueint : 0);
    }
    return translate_finish(&(struct translation){.session = s->session, .arena = s->arena}, &text);
}

void run_set(struct statement *s)
{
    const char *name = node_text(s->node, "name"), *kind = node_text(s->node, "kind");
    bool local = node_true(s->node, "is_local"), reset = strncmp(kind, "VAR_RESET", 9) == 0;
    const char *value = strcmp(kind, "VAR_SET_VALUE") == 0 ? arguments(s) : NULL;
    bool transaction =
        strncmp(name, "TRANSACTION", 11) == 0 || strcmp(name, "SESSION CHARACTERISTICS") == 0;
    if (*name && !transaction && !pg_has_setting(name) && !pg_setting(s->session, name) &&
        !strchr(name, '.') && strcmp(name, "role") != 0 &&
        strcmp(name, "session_authorization") != 0 && strcmp(name, "transaction_timeout") != 0) {
        pg_fail(s->session, "42704", -1, "unrecognized configuration parameter \"%s\"", name);
        return;
    }
    if (strcmp(name, "role") == 0 && value && strcmp(value, "none") != 0 &&
        !pg_role_find(s->session->server, value)) {
        pg_fail(s->session, "22023", -1, "role \"%s\" does not exist", value);
        return;
    }
    if (strcmp(name, "TRANSACTION") == 0)
        transaction_modes(s, node_get(s->node, "args"));
    else if (strcmp(name, "transaction_read_only") == 0)
        s->session->transaction_read_only =
            value && (strcmp(value, "on") == 0 || strcmp(value, "true") == 0);
    else if (strcmp(name, "default_transaction_read_only") == 0)
        s->session->read_only = value && (strcmp(value, "on") == 0 || strcmp(value, "true") == 0);
    else if (strcmp(kind, "VAR_RESET_ALL") == 0)
        s->session->settings = NULL;
    else if (*name && !transaction)
        set(s->session, name, value, local && s->session->state != PG_IDLE);
    if (local && (s->session->state == PG_IDLE || s->session->implicit_block))
        pg_notice(s->session, "WARNING", "SET LOCAL can only be used in transaction blocks");
    if (!s->session->error.set)
        statement_done(s, reset ? "RESET" : "SET");
}

void run_show(struct statement *s)
{
    const char *name = node_text(s->node, "name"), *value = pg_setting(s->session, name);
    int known = default_of(name);
    if (!value && (strcmp(name, "all") == 0 || pg_has_setting(name)))
        pg_not_simulated(s->session, -1, "SHOW %s", name);
    else if (!value)
        pg_fail(s->session, "42704", -1, "unrecognized configuration parameter \"%s\"", name);
    if (!value)
        return;
    struct pg_column *column = ARENA_NEW(s->arena, struct pg_column);
    *column = (struct pg_column){known < N_DEFAULTS ? defaults[known].name : name, PG_TEXT, -1};
    struct pg_query_text query = {arena_printf(s->arena, "SELECT %s", sql_text(s->arena, value)), 1,
                                  column};
    if (statement_rows(s, query, "SHOW") >= 0) {
        struct pg_message *last = s->session->messages;
        while (last->next)
            last = last->next;
        ((struct pg_result *)(uintptr_t)last->result)->tag = "SHOW";
    }
}

void run_alter_system(struct statement *s)
{
    const char *name = node_text(node_get(s->node, "setstmt"), "name");
    if (!pg_has_setting(name))
        pg_fail(s->session, "42704", -1, "unrecognized configuration parameter \"%s\"", name);
    else
        pg_not_simulated(s->session, -1, "ALTER SYSTEM");
}
