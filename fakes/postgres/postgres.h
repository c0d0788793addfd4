/* postgres: the fake of PostgreSQL and its client programs, and how they find a server.
 *
 * Every store of the world whose engine starts with "postgres" becomes a server (server.h). Its
 * mapping in the system file may say:
 *   database, user, password   of the serving database and its superuser (POSTGRES_DB,
 *                              POSTGRES_USER)
 *   container                  places in which its socket is found, besides the instances of its
 *                              service
 *   host, port                 names and port under which it is reached over TCP
 *   migrations                 SQL files beside the system file, in this order: those up to the
 *                              store's schema (by the number at the start of their name) run at the
 *                              start, later ones when the scenario migrates
 *   setup                      more SQL, as text
 *   data_directory             where a restored base backup is looked for at a start
 *                              ("/var/lib/postgresql/data")
 *   archive: {delay, to}       the folder to which the write-ahead log is archived, a file a minute
 *   schema_table               table and column of the schema's version
 *                              ("schema_migrations.version")
 *   tables: {T: {key, time}}   the id column and the time column of T ("id", "created_at")
 */
#ifndef REHEARSE_FAKES_POSTGRES_POSTGRES_H
#define REHEARSE_FAKES_POSTGRES_POSTGRES_H

#include "fakes/call.h"
#include "fakes/postgres/server.h"

int run_psql(struct call *);
int run_pg_isready(struct call *);
int run_pg_dump(struct call *);
int run_createdb(struct call *);
int run_dropdb(struct call *);
int run_pg_restore(struct call *);
int run_pg_basebackup(struct call *);
int run_pg_ctl(struct call *);

/* What every client program takes: -h -p -U -d, PGHOST ... and the messages when no connection
 * comes about. */
struct pg_target {
    const char *host, *user, *database;
    int port;
    bool no_password;
};
/* Fills what is missing from the environment. */
void pg_target_defaults(struct call *, struct pg_target *);
/* Connects; NULL after having said why on stderr ("PROGRAM: error: connection to server ..."). The
 * session ends with the call. */
struct pg_session *pg_target_connect(struct call *, const struct pg_target *, const char *program);
/* The server that answers, or NULL and why. */
struct pg_server *pg_target_server(struct call *, const struct pg_target *, const char **ret_why);
/* "on socket "/var/run/postgresql/.s.PGSQL.5432"" or "at "localhost" (127.0.0.1), port 5432". */
const char *pg_target_text(struct call *, const struct pg_target *);

/* recovery.c: base backups, the archive of the write-ahead log, and what a server finds in its data
 * directory when it starts. */
void recovery_watch(struct pg_server *, const char *archive);
void recovery_release(struct pg_server *);
/* Keeps what a base backup holds; the text of its backup_label, by which a restored one is known
 * again. */
const char *recovery_note_base(struct pg_server *, struct arena *, const char *label);
void pg_promote(struct pg_server *);

/* A server of its own, without a configuration: for tests. */
int pg_serve_alone(struct env *, const char *name, const char *database, const char *user,
                   const char *place);

/* Text of an error or notice as libpq shows it, with LINE and caret. `verbosity`: 't' terse, 'v'
 * verbose, 's' sqlstate. */
void pg_error_text(struct buf *, const struct pg_error *, const char *query, char verbosity);

#endif
