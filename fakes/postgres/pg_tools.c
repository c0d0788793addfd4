/* pg_isready, createdb, dropdb, pg_dump. */
#include <stdlib.h>
#include <string.h>

#include "fakes/postgres/catalog.h"
#include "fakes/postgres/dump.h"
#include "fakes/postgres/pg_options.h"
#include "fakes/postgres/postgres.h"

/* ---- pg_isready ---- */

int run_pg_isready(struct call *call)
{
    static const struct pg_option list[] = {{'h', "host", true},
                                            {'p', "port", true},
                                            {'U', "username", true},
                                            {'d', "dbname", true},
                                            {'q', "quiet", false},
                                            {'t', "timeout", true},
                                            {0}};
    struct pg_options o = {.call = call, .program = "pg_isready", .list = list, .at = 1};
    struct pg_target target = {0};
    bool quiet = false;
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 3;
        if (!pg_target_option(&target, &list[i], o.value) && list[i].letter == 'q')
            quiet = true;
        if (list[i].letter == 'd')
            target.database = o.value;
    }
    pg_target_defaults(call, &target);
    const char *why;
    call_sleep(call, 5 * MILLISECOND);
    struct pg_server *server = pg_target_server(call, &target, &why);
    bool rejects = server && server->refuses;
    const char *host = target.host ? target.host : "/var/run/postgresql";
    if (!quiet)
        call_out(call, "%s:%d - %s\n", host, target.port,
                 !server   ? "no response"
                 : rejects ? "rejecting connections"
                           : "accepting connections");
    return !server ? 2 : rejects ? 1 : 0;
}

/* ---- createdb, dropdb ---- */

static int run_statement(struct call *call, const struct pg_target *target, const char *program,
                         const char *what, const char *sql)
{
    struct pg_session *session = pg_target_connect(call, target, program);
    if (!session)
        return 1;
    if (pg_query(session, sql)) {
        for (const struct pg_message *m = session->messages; m; m = m->next) {
            if (m->notice)
                call_err(call, "NOTICE:  %s\n", m->notice->message);
            else
                call_sleep(call, m->result->took_ns);
        }
        return 0;
    }
    struct pg_error error = session->error;
    call_err(call, "%s: error: %s failed: ERROR:  %s\n", program, what, error.message);
    if (error.detail)
        call_err(call, "DETAIL:  %s\n", error.detail);
    return 1;
}

int run_createdb(struct call *call)
{
    static const struct pg_option list[] = {
        {'h', "host", true},         {'p', "port", true},      {'U', "username", true},
        {'w', "no-password", false}, {'W', "password", false}, {'O', "owner", true},
        {'T', "template", true},     {'E', "encoding", true},  {'e', "echo", false},
        {0, "maintenance-db", true}, {'l', "locale", true},    {0}};
    struct pg_options o = {.call = call, .program = "createdb", .list = list, .at = 1};
    struct pg_target target = {0};
    const char *owner = NULL, *template = NULL;
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 1;
        if (pg_target_option(&target, &list[i], o.value))
            continue;
        if (list[i].letter == 'O')
            owner = o.value;
        else if (list[i].letter == 'T')
            template = o.value;
        else if (list[i].name && strcmp(list[i].name, "maintenance-db") == 0)
            target.database = o.value;
    }
    pg_target_defaults(call, &target);
    const char *name = o.n_plain ? o.plain[0] : target.user;
    target.database = "postgres";
    return run_statement(call, &target, "createdb", "database creation",
                         arena_printf(call->arena, "CREATE DATABASE %s%s%s%s%s",
                                      pg_ident(call->arena, name), owner ? " OWNER " : "",
                                      owner ? pg_ident(call->arena, owner) : "",
                                      template ? " TEMPLATE " : "",
                                      template ? pg_ident(call->arena, template) : ""));
}

int run_dropdb(struct call *call)
{
    static const struct pg_option list[] = {{'h', "host", true},
                                            {'p', "port", true},
                                            {'U', "username", true},
                                            {'w', "no-password", false},
                                            {'W', "password", false},
                                            {'f', "force", false},
                                            {0, "if-exists", false},
                                            {'e', "echo", false},
                                            {'i', "interactive", false},
                                            {0, "maintenance-db", true},
                                            {0}};
    struct pg_options o = {.call = call, .program = "dropdb", .list = list, .at = 1};
    struct pg_target target = {0};
    bool force = false, if_exists = false;
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 1;
        if (pg_target_option(&target, &list[i], o.value))
            continue;
        force |= list[i].letter == 'f';
        if_exists |= list[i].name && strcmp(list[i].name, "if-exists") == 0;
    }
    if (!o.n_plain) {
        call_err(call, "dropdb: error: missing required argument database name\n"
                       "dropdb: hint: Try \"dropdb --help\" for more information.\n");
        return 1;
    }
    pg_target_defaults(call, &target);
    target.database = "postgres";
    return run_statement(
        call, &target, "dropdb", "database removal",
        arena_printf(call->arena, "DROP DATABASE %s%s%s", if_exists ? "IF EXISTS " : "",
                     pg_ident(call->arena, o.plain[0]), force ? " WITH (FORCE)" : ""));
}

/* ---- pg_dump ---- */

int run_pg_dump(struct call *call)
{
    static const struct pg_option list[] = {
        {'h', "host", true},         {'p', "port", true},
        {'U', "username", true},     {'w', "no-password", false},
        {'W', "password", false},    {'d', "dbname", true},
        {'f', "file", true},         {'F', "format", true},
        {'s', "schema-only", false}, {'a', "data-only", false},
        {'c', "clean", false},       {'C', "create", false},
        {'O', "no-owner", false},    {'x', "no-privileges", false},
        {'t', "table", true},        {'T', "exclude-table", true},
        {'n', "schema", true},       {'Z', "compress", true},
        {'v', "verbose", false},     {'b', "blobs", false},
        {'j', "jobs", true},         {0, "if-exists", false},
        {0, "inserts", false},       {0, "column-inserts", false},
        {0, "no-acl", false},        {0}};
    struct pg_options o = {.call = call, .program = "pg_dump", .list = list, .at = 1};
    struct pg_target target = {0};
    struct dump_options dump = {.schema = NEVER};
    const char *file = NULL, *format = "p";
    bool compress = false;
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 1;
        const struct pg_option *x = &list[i];
        if (pg_target_option(&target, x, o.value))
            continue;
        switch (x->letter) {
        case 'd':
            target.database = o.value;
            break;
        case 'f':
            file = o.value;
            break;
        case 'F':
            format = o.value;
            break;
        case 's':
            dump.schema_only = true;
            break;
        case 'a':
            dump.data_only = true;
            break;
        case 'c':
            dump.clean = true;
            break;
        case 'C':
            dump.create = true;
            break;
        case 'O':
            dump.no_owner = true;
            break;
        case 't':
            dump.table = o.value;
            break;
        case 'T':
            dump.without = o.value;
            break;
        case 'Z':
            compress = strcmp(o.value, "0") != 0;
            break;
        case 0:
            dump.if_exists |= strcmp(x->name, "if-exists") == 0;
            dump.inserts |= strstr(x->name, "inserts") != NULL;
            break;
        default:
            break;
        }
    }
    if (o.n_plain)
        target.database = o.plain[0];
    if (dump.schema_only && dump.data_only) {
        call_err(call, "pg_dump: error: options -s/--schema-only and -a/--data-only cannot be used "
                       "together\n");
        return 1;
    }
    if (!strchr("pctd", *format)) {
        call_err(call, "pg_dump: error: invalid output format \"%s\" specified\n", format);
        return 1;
    }
    if (*format == 't' || *format == 'd') {
        record_observe(call->env->record, "not_simulated", format,
                       "the simulated pg_dump writes plain and custom format only");
        call_err(call, "pg_dump: error: not simulated: this output format\n");
        return 1;
    }
    pg_target_defaults(call, &target);
    struct pg_session *session = pg_target_connect(call, &target, "pg_dump");
    if (!session)
        return 1;
    if (dump.table &&
        !catalog_find(session->database, call->arena, NULL,
                      strrchr(dump.table, '.') ? strrchr(dump.table, '.') + 1 : dump.table)) {
        call_err(call, "pg_dump: error: no matching tables were found\n");
        return 1;
    }
    struct buf text, out;
    buf_init(&text, 256 << 20);
    buf_init(&out, 256 << 20);
    int64_t rows = dump.schema_only ? 0 : dump_rows(session->database);
    dump_text(&text, session->database, &dump);
    if (*format == 'c') /* custom format: its magic and the text, compressed */
        buf_add(&out, DUMP_CUSTOM_MAGIC, sizeof DUMP_CUSTOM_MAGIC - 1);
    if (*format == 'c' || compress)
        gzip_text(&out, buf_text(&text));
    else
        buf_str(&out, buf_text(&text));
    struct str content = {arena_alloc(call->arena, out.len + 1), out.len};
    memcpy((char *)(uintptr_t)content.at, out.at ? out.at : "", out.len);
    buf_release(&text);
    buf_release(&out);
    call_sleep(call, 100 * MILLISECOND + rows * 4 * MICROSECOND); /* some 250,000 rows a second */
    if (!file) {
        call_write(call, 1, content.at, content.len);
        return 0;
    }
    int code = call_save(call, file, content.at, content.len, 0644);
    if (code < 0) {
        call_err(call, "pg_dump: error: could not open output file \"%s\": %s\n", file,
                 strerror(-code));
        return 1;
    }
    return 0;
}
