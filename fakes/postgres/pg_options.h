/* pg_options: the command lines of PostgreSQL's client programs, with getopt_long's words. */
#ifndef REHEARSE_FAKES_POSTGRES_PG_OPTIONS_H
#define REHEARSE_FAKES_POSTGRES_PG_OPTIONS_H

#include "fakes/postgres/postgres.h"

struct pg_option {
    char letter;      /* 0: only long */
    const char *name; /* NULL: only short */
    bool argument;
};

struct pg_options {
    struct call *call;
    const char *program;
    const struct pg_option *list; /* ends with an entry without letter and name */
    int at;                       /* next word of argv */
    const char *rest;             /* inside a cluster of letters */
    const char *value;
    const char *plain[8];
    int n_plain;
};

/* The index of the next option in the table; -1: no more; -2: a mistake, said on stderr. */
int pg_next_option(struct pg_options *);
/* The options by which every program finds its server; false: not one of them. */
bool pg_target_option(struct pg_target *, const struct pg_option *, const char *value);

#endif
