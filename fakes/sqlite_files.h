/* sqlite_files: database files of SQLite as real files, and which of them serve users.
 *
 *   sqlite:
 *     /srv/shop/data/shop.db:                  # on the operator's machine
 *       at: {shop: /data/shop.db}              # the same file in containers (a bind mount)
 *       store: orders                          # whose tables' rows are what traffic writes
 *       until: 30d                             # at the start it holds all up to so long before
 *       setup: CREATE TABLE orders (...);      # default: id and created_at for each table
 *       serves: {service: shop, setting: DB_ENGINE, value: sqlite}
 *
 * A file is a real SQLite database in the sandbox: copying, checking and replacing it works as it
 * should. Where an instance of `service` is started with that setting, users are served from the
 * file from then on, and whatever served before keeps what it has (fakes/postgres:
 * pg_server_retire); started with another value, back again. What traffic writes meanwhile is put
 * into the file when somebody looks at it with sqlite3, and when the file stops to serve.
 * fakes/sqlite_shell.c is the fake: its command, and its part of the system file.
 */
#ifndef REHEARSE_FAKES_SQLITE_FILES_H
#define REHEARSE_FAKES_SQLITE_FILES_H

#include <sqlite3.h>

#include "fakes/call.h"
#include "fakes/env.h"
#include "sim/base/doc.h"

struct sqlite_file;

/* A database in memory with these contents (none: empty), whose clock is the simulation's. Free
 * with sqlite3_close. */
sqlite3 *sqlite_open(struct str bytes, bool read_only, int64_t unix_ns);
/* The declared file at that absolute path in that place, or NULL. */
struct sqlite_file *sqlite_file_at(struct env *, const char *place, const char *path);
/* Puts into `database`, which has the file's contents, what traffic has written since somebody last
 * looked. */
void sqlite_file_bring_up(struct sqlite_file *, sqlite3 *database);
/* The file has these contents now, written at `path` of `place`: the other places see them, and so
 * do users. */
void sqlite_file_written(struct sqlite_file *, const char *place, sqlite3 *database,
                         struct str bytes, const char *because);

/* Reads the mapping above; 0 or ERROR_INPUT. */
int sqlite_files_setup(struct env *, const struct doc *, struct error *);
void sqlite_files_release(struct env *);
/* The sqlite3 program on such a file, or on any other. */
int run_sqlite3(struct call *);

#endif
