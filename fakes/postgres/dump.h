/* dump: the text that pg_dump writes, and backup files made of it.
 *
 * The layout is pg_dump's own, but for one thing: the rows that traffic wrote stand as "\identities
 * FROM TO" lines in their COPY block, each for many rows, so that ten million of them make a small
 * file. psql reads such lines back, and a truncated file gives a part of them.
 */
#ifndef REHEARSE_FAKES_POSTGRES_DUMP_H
#define REHEARSE_FAKES_POSTGRES_DUMP_H

#include "fakes/postgres/server.h"

/* What an archive of pg_dump -Fc begins with; behind it here the text, compressed. */
#define DUMP_CUSTOM_MAGIC "PGDMP\1\016\0\4\10\1"

struct dump_options {
    bool schema_only, data_only, clean, if_exists, create, no_owner, inserts;
    const char *table;              /* only this one (a pattern), or NULL */
    const char *without;            /* not this one, or NULL */
    const struct dataset *contents; /* of ledger tables; NULL: what the database holds now */
    int64_t schema; /* leave out versions above it in the version table; NEVER: keep all */
};

void dump_text(struct buf *, struct pg_database *, const struct dump_options *);
/* Rows that a dump of this database holds: what its time goes with. */
int64_t dump_rows(struct pg_database *);
/* Writes the files of scheduled backups of this server's store from now on. */
void dump_watch(struct pg_server *);
/* text as a gzip file, without name or time in it. */
void gzip_text(struct buf *, struct str text);

#endif
