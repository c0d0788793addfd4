/* call_double: carries out a fake's calls in memory, for table-driven tests without a sandbox.
 *
 * Holds a small file system (absolute paths; relative ones are taken from call.cwd), the text of
 * stdin, and what came out on stdout and stderr. Sleeping runs the world. Programs that a fake
 * starts are looked up among the fakes first, then given to `on_spawn`; both are noted in
 * `spawned`, one line each.
 */
#ifndef REHEARSE_TESTS_CALL_DOUBLE_H
#define REHEARSE_TESTS_CALL_DOUBLE_H

#include "fakes/fake.h"

struct double_file {
    char *place, *path; /* absolute */
    struct buf content;
    int mode;
    bool is_dir;
    /* As double_file() gave it: what a reset of the place brings back; NULL: made since. */
    char *original, *first_path;
};

struct call_double {
    struct call call; /* give &d.call to a fake */
    struct env env;   /* env.world is set by double_init */
    struct record *record;
    struct arena arena;
    struct double_file *files;
    int n_files, cap_files;
    struct str input; /* what is still to be read from stdin */
    struct buf out, err;
    struct buf spawned;
    bool tty;
    int64_t interrupt_at_ns; /* call_sleep is cut short at this time; INT64_MAX never */
    int64_t until_ns;        /* of the call_sleep that it is in */
    int (*on_spawn)(struct call_double *, const char *place, char *const argv[],
                    struct buf *capture);
    struct {
        struct double_file *file;
        size_t at;
        bool append;
    } open[16];
    struct {
        void (*undo)(void *);
        void *ctx;
    } defers[32];
    int n_defers;
};

/* `world` may be NULL for fakes that need none. start is 2025-01-15T14:00:00Z. */
void double_init(struct call_double *, struct world *world, struct record *record);
void double_release(struct call_double *);
void double_file(struct call_double *, const char *place, const char *path, const char *content);
const char *double_content(struct call_double *, const char *place,
                           const char *path); /* NULL: none */
/* Runs one command line (split at blanks; '...' and "..." quote) through fake_for(); the exit
 * status. out and err are emptied first. */
int double_run(struct call_double *, const char *command_line);
/* The same with the words given. */
int double_run_argv(struct call_double *, char *const argv[]);
/* Text as a NUL-terminated string, never NULL. */
const char *double_out(struct call_double *);
const char *double_err(struct call_double *);

#endif
