/* What all client programs of PostgreSQL share: finding the server, connecting, showing errors. */
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/postgres/postgres.h"
#include "sim/base/str.h"

#define SOCKET "/var/run/postgresql/.s.PGSQL"

void pg_target_defaults(struct call *call, struct pg_target *target)
{
    const char *text;
    if (!target->host && (text = call_getenv(call, "PGHOST")) && *text)
        target->host = text;
    if (!target->port)
        target->port = (text = call_getenv(call, "PGPORT")) && *text ? leading_int(text) : 5432;
    if (!target->user && (text = call_getenv(call, "PGUSER")) && *text)
        target->user = text;
    if (!target->user)
        target->user = "root"; /* the name of the user in the sandbox and in most containers */
    if (!target->database && (text = call_getenv(call, "PGDATABASE")) && *text)
        target->database = text;
    if (!target->database)
        target->database = target->user;
}

static bool is_local(const struct pg_target *target)
{
    return !target->host || !*target->host || *target->host == '/';
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

const char *pg_target_text(struct call *call, const struct pg_target *target)
{
    if (is_local(target))
        return arena_printf(call->arena, "on socket \"%s.%d\"", SOCKET, target->port);
    const char *address = is_loopback(target->host) ? "127.0.0.1" : "172.18.0.2";
    if (strspn(target->host, "0123456789.") == strlen(target->host))
        return arena_printf(call->arena, "at \"%s\", port %d", target->host, target->port);
    return arena_printf(call->arena, "at \"%s\" (%s), port %d", target->host, address,
                        target->port);
}

/* A server that a platform's name leads to (a Kubernetes Service); *known: there is such a name. */
static struct pg_server *named_server(struct call *call, const struct pg_target *target,
                                      bool *known)
{
    struct env_target found;
    if (env_resolve(call->env, call->place, target->host, target->port, &found) <= ENV_NO_HOST)
        return NULL;
    *known = true;
    for (struct pg_server *s = pg_servers(call->env); s && found.service; s = s->next) {
        if (s->service && strcmp(s->service, service_name(found.service)) == 0)
            return s;
    }
    return NULL;
}

struct pg_server *pg_target_server(struct call *call, const struct pg_target *target,
                                   const char **ret_why)
{
    struct pg_server *server = NULL;
    bool inside = false; /* in the server's own container or host */
    if (is_local(target) || is_loopback(target->host)) {
        server = target->port == 5432 ? pg_server_at(call->env, call->place) : NULL;
        inside = server != NULL;
    }
    if (!server && !is_local(target)) {
        bool known = is_loopback(target->host);
        server = pg_server_on(call->env, target->host, target->port);
        if (!server)
            server = named_server(call, target, &known);
        if (!server && !known) {
            *ret_why =
                arena_printf(call->arena, "could not translate host name \"%s\" to address: %s",
                             target->host, "Name or service not known");
            return NULL;
        }
    }
    if (server && pg_server_runs(server))
        return server;
    (void)inside;
    if (is_local(target))
        *ret_why = arena_printf(
            call->arena,
            "connection to server %s failed: No such file or directory\n"
            "\tIs the server running locally and accepting connections on that socket?",
            pg_target_text(call, target));
    else
        *ret_why =
            arena_printf(call->arena,
                         "connection to server %s failed: Connection refused\n"
                         "\tIs the server running on that host and accepting TCP/IP connections?",
                         pg_target_text(call, target));
    return NULL;
}

static void end_session(void *session)
{
    pg_disconnect(session);
}

/* Over TCP from elsewhere the server asks for a password; from its own machine it trusts, as the
 * official image does. */
static bool password_fits(struct call *call, const struct pg_target *target,
                          const struct pg_server *server, const char **ret_why)
{
    const struct pg_role *role = NULL;
    for (role = server->roles; role && strcmp(role->name, target->user) != 0; role = role->next)
        ;
    if (is_local(target) || pg_server_at(call->env, call->place) == server || !role ||
        !role->password)
        return true;
    const char *given = call_getenv(call, "PGPASSWORD");
    if (!given) {
        *ret_why = arena_printf(call->arena,
                                "connection to server %s failed: fe_sendauth: no password supplied",
                                pg_target_text(call, target));
        return false;
    }
    if (strcmp(given, role->password) == 0)
        return true;
    *ret_why = arena_printf(
        call->arena,
        "connection to server %s failed: FATAL:  password authentication failed for user "
        "\"%s\"",
        pg_target_text(call, target), target->user);
    return false;
}

/* How long a connection takes to come about. */
#define CONNECT_NS (15 * MILLISECOND)

struct pg_session *pg_target_connect(struct call *call, const struct pg_target *target,
                                     const char *program)
{
    const char *why;
    struct pg_error error;
    call_sleep(call, CONNECT_NS);
    struct pg_server *server = pg_target_server(call, target, &why);
    if (server && !password_fits(call, target, server, &why))
        server = NULL;
    if (!server) {
        call_err(call, "%s: error: %s\n", program, why);
        return NULL;
    }
    struct pg_session *session =
        pg_connect(server, target->database, target->user, program, &error);
    if (!session) {
        call_err(call, "%s: error: connection to server %s failed: FATAL:  %s\n", program,
                 pg_target_text(call, target), error.message);
        return NULL;
    }
    call_defer(call, end_session, session);
    return session;
}

/* ---- errors: reportErrorPosition() of libpq's fe-protocol3.c ---- */

enum { DISPLAY_SIZE = 60, MIN_RIGHT_CUT = 10 };

static void report_position(struct buf *out, const char *query, int position)
{
    int length = (int)strlen(query), at = position - 1, line = 1, begin = 0, end;
    if (at > length)
        at = length;
    for (int i = 0; i < at; i++) {
        if (query[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    for (end = begin; end < length && query[end] != '\n' && query[end] != '\r'; end++)
        ;
    if (at > end)
        at = end;
    bool cut_left = false, cut_right = false;
    if (end - begin > DISPLAY_SIZE) {
        if (begin + DISPLAY_SIZE >= at + MIN_RIGHT_CUT) {
            end = begin + DISPLAY_SIZE;
            cut_right = true;
        } else {
            if (at + MIN_RIGHT_CUT < end) {
                end = at + MIN_RIGHT_CUT;
                cut_right = true;
            }
            if (end - begin > DISPLAY_SIZE) {
                begin = end - DISPLAY_SIZE;
                cut_left = true;
            }
        }
    }
    size_t before = out->len;
    buf_printf(out, "LINE %d: %s", line, cut_left ? "..." : "");
    int offset = (int)(out->len - before);
    for (int i = begin; i < end; i++)
        buf_putc(out, query[i] == '\t' ? ' ' : query[i]);
    buf_puts(out, cut_right ? "...\n" : "\n");
    for (int i = begin; i < at; i++)
        offset += ((unsigned char)query[i] & 0xc0) != 0x80;
    buf_printf(out, "%*s^\n", offset, "");
}

void pg_error_text(struct buf *out, const struct pg_error *error, const char *query, char verbosity)
{
    if (verbosity == 's') {
        buf_printf(out, "%s:  %s\n", error->severity, error->sqlstate);
        return;
    }
    if (verbosity == 'v')
        buf_printf(out, "%s:  %s: %s", error->severity, error->sqlstate, error->message);
    else
        buf_printf(out, "%s:  %s", error->severity, error->message);
    if (verbosity == 't' && error->position > 0)
        buf_printf(out, " at character %d", error->position);
    buf_putc(out, '\n');
    if (verbosity == 't')
        return;
    if (error->position > 0 && query)
        report_position(out, query, error->position);
    if (error->detail)
        buf_printf(out, "DETAIL:  %s\n", error->detail);
    if (error->hint)
        buf_printf(out, "HINT:  %s\n", error->hint);
    if (error->context && *error->severity != 'N')
        buf_printf(out, "CONTEXT:  %s\n", error->context);
}
