/* server: a PostgreSQL server of the simulated world: databases, roles, sessions.
 *
 * A server is served by a service of the world (it accepts connections while an instance of it is
 * ready) and keeps one store of the world: the database that the store's traffic writes to is its
 * *serving* database, and the tables that traffic writes are ledger tables there: sets of
 * identities (sim/world/store.h). Every database is an in-memory SQLite handle: its catalog (tables
 * named pgc_*, see catalog.h) and all ordinary rows.
 *
 * Sessions are made by the client programs. Statements are PostgreSQL's own language, parsed by
 * PostgreSQL's own parser (libpg_query); what is not modelled is refused with an error and noted as
 * "not_simulated".
 */
#ifndef REHEARSE_FAKES_POSTGRES_SERVER_H
#define REHEARSE_FAKES_POSTGRES_SERVER_H

#include <sqlite3.h>

#include "fakes/env.h"
#include "fakes/postgres/types.h"
#include "sim/base/doc.h"

struct pg_database {
    struct pg_server *server;
    char *name, *owner;
    int oid;
    sqlite3 *sqlite;
    /* catalog.c's: asked several times in every statement, so prepared once */
    sqlite3_stmt *looks[4];
    /* contents of a database that does not serve; NULL for the one that does */
    struct dataset *own;
    struct pg_session *active; /* whose statement runs now: for SQL functions */
    bool allows_connections;
    bool is_template;
    int64_t next_oid;
    struct pg_database *next;
};

/* Connections that a service of the world holds (its pool). */
struct pg_client {
    char *service, *role;
    int per_instance;
    int64_t terminated_ns; /* when they were last cut; NEVER */
    bool idle_in_transaction;
};

/* The last word on a traffic table's writes: asked every second, and the same until something
 * changes. */
struct pg_row_checks;
struct pg_verdict {
    int generation; /* of the server when it was found; 0 never */
    bool ok;
    const char *why;
    struct pg_row_checks *checks; /* of the table: every row is looked at anew. NULL: it has none */
};

struct pg_role {
    char *name, *password; /* password NULL: none is asked for */
    bool superuser;
    bool cannot_login, granted; /* granted: privileges were given to it */
    struct pg_role *next;
};

/* A table that holds copies of traffic's rows (CREATE TABLE x AS TABLE orders): from it they can be
 * recovered. */
struct pg_copied {
    const struct pg_database *database;
    int64_t oid; /* of the table in it */
    int handle;  /* of store_keep_copy */
};

struct pg_server {
    struct env *env;
    char *name;          /* the store's, or the service's */
    struct store *store; /* NULL: a server without traffic */
    const char *service; /* NULL: always there */
    char **places;       /* containers or hosts in which its socket is found */
    int n_places;
    char **hosts; /* "host:port" at which it is reached over TCP */
    int n_hosts;
    char *superuser;
    char *serving_name; /* the database that the traffic uses */
    struct pg_database *databases;
    struct pg_role *roles;
    struct pg_client clients[16];
    int n_clients;
    char *version_table, *version_column; /* "schema_migrations", "version" */
    char **traffic_tables;                /* those whose rows are identities */
    int n_traffic_tables;
    struct pg_verdict *verdicts; /* one for each of them */
    int generation;              /* counts changes */
    unsigned char *image;        /* an empty database, made once: what a new one starts from */
    int64_t image_bytes;
    char *id_column, *time_column; /* "id", "created_at" */
    char *data_directory;
    char *archive;         /* folder of the WAL archive, or NULL: archive_mode is off */
    bool read_only;        /* default_transaction_read_only */
    struct pg_base *bases; /* base backups that were made: recovery.c */
    int64_t next_segment;  /* number of the write-ahead log segment that is archived next */
    bool in_recovery;      /* paused at its recovery target: read-only until it is promoted */
    bool retired; /* another engine serves the store now; the server runs on with what it has */
    struct pg_session *sessions;
    int next_pid;
    bool starting; /* the SQL of the system file runs: it does not change the world */
    char *refuses; /* why no connection is accepted although it runs, or NULL */
    struct pg_copied *copied;
    int n_copied, cap_copied;
    struct arena arena;
    struct pg_server *next;
};

struct pg_error {
    bool set;
    const char *severity; /* "ERROR", "FATAL", "NOTICE", "WARNING" */
    char sqlstate[6];
    const char *message, *detail, *hint, *context;
    int position; /* byte offset into the query text, from 1; 0 none */
};

struct pg_column {
    const char *name;
    enum pg_type type;
    int typmod;
};

/* Of one statement. Everything is in the session's result arena, gone at the next pg_query. */
struct pg_result {
    int64_t took_ns; /* how long the server works on it: the client lets so much time pass */
    const char *tag; /* "SELECT 2", "DROP DATABASE" ... */
    bool has_rows;   /* it returns a table, perhaps an empty one */
    int n_columns;
    struct pg_column *columns;
    int n_rows;
    const char ***rows;         /* rows[i][k], NULL for null */
    const struct pg_copy *copy; /* COPY FROM STDIN or TO STDOUT is to be carried out, or NULL */
    const char *copied;         /* COPY TO STDOUT: the lines */
};

/* What the server sent, in order: a notice or a result. */
struct pg_message {
    const struct pg_error *notice;
    const struct pg_result *result;
    struct pg_message *next;
};

struct pg_copy {
    bool from; /* into the table */
    bool csv, header;
    const char *table; /* key of the relation */
    const char *delimiter, *null;
    int n_columns;
    struct pg_column *columns;
};

enum pg_state { PG_IDLE, PG_IN_TRANSACTION, PG_FAILED };

struct pg_drawn {
    int64_t oid, value;
    struct pg_drawn *next;
};

struct pg_setting {
    const char *name, *value; /* as SHOW gives it; NULL: the default again */
    bool local;               /* until the transaction ends */
    struct pg_setting *next;
};

struct pg_session {
    struct pg_server *server;
    struct pg_database *database;
    const char *user;
    const char *application;
    int pid;
    enum pg_state state;
    bool implicit_block; /* several statements in one query message: an implicit transaction */
    bool terminated;
    int64_t began_us;                /* now(): start of the transaction, Unix microseconds */
    struct dataset *before;          /* contents at BEGIN */
    struct dataset *seen;            /* contents after the last message of an open transaction */
    struct pg_savepoint *savepoints; /* innermost first */
    struct arena arena;              /* of the session */
    struct arena results;            /* of the last query */
    const char *query;               /* the text being executed */
    struct cJSON *tree;              /* parsed */
    struct pg_error error;
    /* the last pg_fail() is the error that stands: details and hints belong to it */
    bool explained;
    int64_t waited_ns; /* how long the server had worked when it gave up: the client lets so much
                          time pass */
    struct pg_message *messages, **last_message; /* of the last query */
    struct {
        int64_t oid, value;
        bool called;
    } moved[32]; /* sequences that this transaction has advanced */
    int n_moved;
    /* what nextval gave this session, newest first: for currval and lastval */
    struct pg_drawn *drawn;
    struct pg_setting *settings; /* SET in this session */
    bool read_only, transaction_read_only;
    struct pg_copying *copying; /* between pg_copy_begin and pg_copy_end */
    char *reason;               /* for the ledger: "psql: DROP DATABASE shop" */
    struct pg_session *next;
};

/* ---- servers ---- */

/* All servers of this run (fakes/postgres/postgres.c owns them). */
struct pg_server *pg_servers(struct env *);
/* The server whose socket is found in that place, or whose address is host:port; NULL: nothing
 * listens there. */
struct pg_server *pg_server_at(struct env *, const char *place);
struct pg_server *pg_server_on(struct env *, const char *host, int port);
bool pg_server_runs(const struct pg_server *);
bool pg_archives(const struct pg_server *);

struct pg_server *pg_server_new(struct env *, const char *name);
/* The databases of a new cluster: postgres, the templates, and the one of POSTGRES_DB. */
void pg_server_initialise(struct pg_server *);
void pg_server_free(struct pg_server *);

struct pg_database *pg_database_find(struct pg_server *, const char *name);
struct pg_database *pg_database_new(struct pg_server *, const char *name, const char *owner);
void pg_database_drop(struct pg_database *, const char *because);
void pg_database_rename(struct pg_database *, const char *to);
void pg_database_free(struct pg_database *);
/* Its catalog and ordinary rows become those of `from`; the ledger tables' rows stay what they are.
 */
void pg_database_load(struct pg_database *, struct pg_database *from);
/* A copy of all contents (CREATE DATABASE ... TEMPLATE); 0 or negative. */
int pg_database_clone(struct pg_database *to, struct pg_database *from);
/* Contents of its ledger tables. */
struct dataset *pg_database_contents(struct pg_database *);
bool pg_database_serves(const struct pg_database *);
struct pg_role *pg_role_find(struct pg_server *, const char *name);
struct pg_role *pg_role_new(struct pg_server *, const char *name);
/* Tells the world that the store's engine may answer differently now. Call after DDL. */
void pg_server_changed(struct pg_server *);
bool pg_is_traffic_table(const struct pg_server *, const char *table);

/* Users are served by another engine from now on: the serving database keeps its contents for
 * itself. And back: users are served by what it holds then. */
void pg_server_retire(struct pg_server *);
void pg_server_serve(struct pg_server *);

/* Other connections to that database: sessions of people and of services of the world. */
int pg_database_users(struct pg_database *, const struct pg_session *except);
/* Connections that this client holds at the moment. */
int pg_client_count(struct pg_server *, const struct pg_client *);

/* ---- sessions ---- */

/* NULL and `error` filled (FATAL) if refused. */
struct pg_session *pg_connect(struct pg_server *, const char *database, const char *user,
                              const char *application, struct pg_error *error);
void pg_disconnect(struct pg_session *);
/* Carries out a query message, as the simple protocol does: all statements in it, up to the first
 * error. What the server sends is in session->messages until the next one. False: session->error
 * says why it stopped. No virtual time passes. */
bool pg_query(struct pg_session *, const char *text);
/* COPY FROM STDIN, after pg_query returned a result with `copy`: begin, lines, end. It is a
 * transaction of its own unless one is open. A line is without its newline; false: session->error.
 * Keeping nothing undoes all lines. */
bool pg_copy_begin(struct pg_session *, const struct pg_copy *);
bool pg_copy_line(struct pg_session *, const struct pg_copy *, struct str line,
                  int64_t line_number);
bool pg_copy_end(struct pg_session *, bool keep, int64_t rows, const char *table);
/* A transaction of one statement, unless one is open: pg_commit(.., false) undoes it (or fails the
 * open one). */
void pg_begin(struct pg_session *);
void pg_commit(struct pg_session *, bool keep);
/* Ends the connection with that process id; false and a warning if there is none. */
bool pg_terminate(struct pg_session *, int pid);
bool pg_cancel(struct pg_session *,
               int pid); /* its statement, not the connection; the same answer */
/* nextval ('n'), currval ('c'), setval ('s'). False: session->error. */
/* Notes a sequence's new state: it stays when the transaction is undone. */
void pg_sequence_moved(struct pg_session *, int64_t oid, int64_t value, bool called);
bool pg_sequence(struct pg_session *, const char *name, char what, int64_t value, bool called,
                 int64_t *ret);
const char *pg_setting(struct pg_session *, const char *name); /* NULL: unknown */
/* SET, or with NULL RESET. Times get their unit: "5s". */
void pg_set(struct pg_session *, const char *name, const char *value);
void pg_settings_end_transaction(struct pg_session *);
int64_t pg_setting_ns(struct pg_session *, const char *name); /* of a time; 0: no limit */
int64_t pg_database_bytes(struct pg_database *);
struct pg_relation;
int64_t pg_relation_bytes(struct pg_database *, const struct pg_relation *);

/* Whether traffic can write to that table at all: it exists and its columns fit. *ret_checks: its
 * CHECKs, ready to be tried on rows (pg_row_checks_free), or NULL. */
bool pg_table_accepts(struct pg_database *, const char *table, const char **why,
                      struct pg_row_checks **ret_checks);
/* Whether the next row of traffic passes them. */
bool pg_row_accepts(struct pg_database *, const struct pg_row_checks *, const char **why);
void pg_row_checks_free(struct pg_row_checks *);
/* Ends an open transaction and undoes it. */
void pg_rollback(struct pg_session *);
/* Adds a result to what the server sends; it lives in session->results. */
void pg_send(struct pg_session *, const struct pg_result *);

/* Sets the session's error, unless one is set already. location: byte offset as the parser has it,
 * or -1. */
void pg_fail(struct pg_session *, const char *sqlstate, int location, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void pg_detail(struct pg_session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pg_hint(struct pg_session *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pg_notice(struct pg_session *, const char *severity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Refuses something that PostgreSQL does and we do not: error and observation. */
void pg_not_simulated(struct pg_session *, int location, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
