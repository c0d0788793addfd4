/* psql: what its parts share: options, variables, the script it reads, and the connection. */
#ifndef REHEARSE_FAKES_POSTGRES_PSQL_H
#define REHEARSE_FAKES_POSTGRES_PSQL_H

#include "fakes/postgres/postgres.h"
#include "fakes/postgres/print.h"

struct psql_variable {
    const char *name, *value;
    struct psql_variable *next;
};

struct psql {
    struct call *call;
    struct pg_session *session;
    struct pg_target target;
    struct print_options print;
    bool quiet, timing, echo_all, echo_errors, no_psqlrc, single_transaction, list;
    bool quit; /* \q, or the connection is gone */
    bool lost;
    char verbosity;     /* of errors: 'd' default, 't', 'v', 's' */
    const char *input;  /* name of the file being read, for messages; NULL: none */
    int64_t line;       /* in it */
    const char *title;  /* of the tables of \watch, or NULL */
    const char *output; /* -o, \o: a file instead of stdout; or NULL */
    struct psql_variable *variables;
    bool *conditions; /* \if ... \endif: whether each open one is true */
    int n_conditions;
};

/* A script read line by line: a text in memory. */
struct psql_script {
    struct str rest;
    const char *name; /* "<stdin>", a path, or NULL */
};

const char *psql_get(const struct psql *, const char *name); /* NULL: not set */
void psql_set(struct psql *, const char *name, const char *value);
bool psql_is_on(const struct psql *, const char *name);
/* Output that goes where results go. */
void psql_write(struct psql *, const char *text, size_t len);
void psql_printf(struct psql *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "psql:FILE:LINE: error: ..." to stderr. */
void psql_complain(struct psql *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sends one query and shows all that comes of it. COPY data is taken from `script`, or from stdin.
 */
bool psql_send(struct psql *, const char *query, struct psql_script *script);
/* Reads a whole script; the exit status. */
int psql_script(struct psql *, struct psql_script *);
/* A backslash command: the text behind the backslash, to the end of its line. False: it failed.
 * *ret_send: \g. */
bool psql_command(struct psql *, struct str line, struct psql_script *, struct buf *query);
/* Runs a file; EXIT status. */
int psql_file(struct psql *, const char *path);

enum { PSQL_ACTIONS_MAX = 64 };
struct psql_action {
    char kind; /* 'c' command, 'f' file */
    const char *text;
};

/* Reads the command line; 0, or the exit status. *ret_stop: nothing is left to do (--version). */
int psql_options(struct psql *, struct psql_action *actions, int *n_actions, bool *ret_stop);
/* postgresql://user:password@host:port/database, or key=value words. */
void psql_connection_text(struct psql *);

#endif
