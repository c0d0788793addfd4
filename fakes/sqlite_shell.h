/* sqlite_shell: between the files of the sqlite3 program. */
#ifndef REHEARSE_FAKES_SQLITE_SHELL_H
#define REHEARSE_FAKES_SQLITE_SHELL_H

#include "fakes/sqlite_files.h"

enum { SHELL_COLUMNS_MAX = 200 };

enum mode { MODE_LIST, MODE_CSV, MODE_TABS, MODE_LINE, MODE_JSON, MODE_COLUMN };

struct shell {
    struct call *call;
    sqlite3 *database;
    const char *path; /* "" or ":memory:": in memory only */
    enum mode mode;
    bool headers, bail, read_only, ended;
    const char *separator, *null, *line_end;
    const char *because; /* the statement that is carried out */
    int errors, status;  /* of .exit */
};

/* .import [--csv] [--skip N] FILE TABLE, as words; an SQLite result code. */
int shell_import(struct shell *, int n, const char **words);

#endif
