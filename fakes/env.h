/* env: the machine room of one run: what all fakes share.
 *
 * Owned by the drill. Each fake keeps its own state in a slot found by its name.
 */
#ifndef REHEARSE_FAKES_ENV_H
#define REHEARSE_FAKES_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "sim/base/str.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

struct fake;

struct env {
    struct world *world;
    struct record *record;
    struct arena arena;      /* lives as long as the run */
    int64_t start_unix_ns;   /* simulation time 0 as wall-clock time */
    const struct env_files *files; /* the sandbox's files, for what the world itself writes */
    void *files_ctx;
    struct env_slot **slots; /* reached by env_slot() only */
    int n_slots, cap_slots;
    const char **places; /* NULL-terminated; see env_add_place() */
    int n_places, cap_places;
    struct env_command *commands; /* see env_add_command() */
    int n_commands, cap_commands;
};

/* A command that this run has beside those in the fakes' own lists: a declared stub, a tool of the system. */
struct env_command {
    const char *name;  /* found in PATH under this name; or an absolute path, found there */
    const char *place; /* "" on the operator's machine, else only there; NULL everywhere */
    const struct fake *fake;
};

struct env_slot {
    const char *fake;
    void *state;
};

/* Files of the operator's machine (place "") or of a place, written by the world and not by a process: a backup
 * job at night, a log that grows. Paths are absolute in that place. Times are those of the simulation.
 * Before the sandbox is up they are collected and become its first content. Negative errno on failure. */
struct env_files {
    int (*write)(void *ctx, const char *place, const char *path, const void *at, size_t len, int mode,
                 int64_t unix_ns);
    int (*append)(void *ctx, const char *place, const char *path, const void *at, size_t len);
    int (*load)(void *ctx, const char *place, const char *path, struct buf *);
    int (*unlink)(void *ctx, const char *place, const char *path);
};
int env_write(struct env *, const char *place, const char *path, struct str content, int mode);
/* The same for a file that is older than the run (a backup of last night): only during setup. */
int env_write_old(struct env *, const char *place, const char *path, struct str content, int mode,
                  int64_t unix_ns);
int env_append(struct env *, const char *place, const char *path, struct str content);
int env_load(struct env *, const char *place, const char *path, struct buf *);
int env_unlink(struct env *, const char *place, const char *path);

/* The state slot of a fake: *env_slot(env, "docker") is its own pointer, NULL at first. */
void **env_slot(struct env *, const char *fake);

/* To be called during setup, before the sandbox is made. A place is a container or a host with a private root
 * of its own (call_run_in, env_write); declaring it twice is fine. */
void env_add_place(struct env *, const char *place);
void env_add_command(struct env *, const char *name, const char *place, const struct fake *);
/* The fake that answers to argv[0] in that place: a command of this run first, then the fakes' own lists.
 * NULL: there is no such fake. */
const struct fake *env_fake_for(const struct env *, const char *place, const char *argv0);

/* Wall-clock time of the simulation, now. */
int64_t env_unix_ns(const struct env *);

#endif
