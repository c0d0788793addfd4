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
    struct arena arena;            /* lives as long as the run */
    int64_t start_unix_ns;         /* simulation time 0 as wall-clock time */
    const struct env_files *files; /* the sandbox's files, for what the world itself writes */
    void *files_ctx;
    struct env_slot **slots; /* reached by env_slot() only */
    int n_slots, cap_slots;
    const char **places; /* NULL-terminated; see env_add_place() */
    int n_places, cap_places;
    struct env_command *commands; /* see env_add_command() */
    int n_commands, cap_commands;
    struct env_mount *mounts; /* see env_set_mounts() */
    int n_mounts, cap_mounts;
};

/* A command that this run has beside those in the fakes' own lists: a declared stub, a tool of the
 * system. */
struct env_command {
    const char *name;  /* found in PATH under this name; or an absolute path, found there */
    const char *place; /* "" on the operator's machine, else only there; NULL everywhere */
    const struct fake *fake;
};

struct env_slot {
    const char *fake;
    void *state;
};

/* Files of the operator's machine (place "") or of a place, written by the world and not by a
 * process: a backup job at night, a log that grows. Paths are absolute in that place. Times are
 * those of the simulation. Before the sandbox is up they are collected and become its first
 * content. Negative errno on failure. */
struct env_files {
    int (*write)(void *ctx, const char *place, const char *path, const void *at, size_t len,
                 int mode, int64_t unix_ns);
    int (*append)(void *ctx, const char *place, const char *path, const void *at, size_t len);
    int (*load)(void *ctx, const char *place, const char *path, struct buf *);
    int (*unlink)(void *ctx, const char *place,
                  const char *path); /* a file, or a folder that is empty */
    int (*mkdir)(void *ctx, const char *place,
                 const char *path); /* with its parents; fine if it is there */
    /* A folder's entries in any order, each NUL-terminated: 'd', 'f' or 'l' (folder, file, link),
     * four octal digits of its mode, its name. */
    int (*list)(void *ctx, const char *place, const char *path, struct buf *entries);
    /* The place's files are again what those of `like` were when the run started. */
    int (*reset)(void *ctx, const char *place, const char *like);
};
int env_write(struct env *, const char *place, const char *path, struct str content, int mode);
/* The same for a file that is older than the run (a backup of last night): only during setup. */
int env_write_old(struct env *, const char *place, const char *path, struct str content, int mode,
                  int64_t unix_ns);
int env_append(struct env *, const char *place, const char *path, struct str content);
int env_load(struct env *, const char *place, const char *path, struct buf *);
int env_unlink(struct env *, const char *place, const char *path);
int env_mkdir(struct env *, const char *place, const char *path);
int env_list(struct env *, const char *place, const char *path,
             struct buf *entries); /* as in env_files */

/* A folder of a place that is really one of the operator's machine: a bind mount, or a volume's
 * data. */
struct env_mount {
    const char *place, *target, *source;
};
/* What of `place` lies elsewhere from now on, instead of what was given before. The functions above
 * follow it. Copied. */
void env_set_mounts(struct env *, const char *place, const struct env_mount *, int n);
/* Where a path of a place really lies: both become what is behind the mount, if there is one. */
void env_follow(struct env *, const char **place, const char **path);

/* ---- whole trees (env_tree.c); paths of files or folders; only while the sandbox is up ---- */

struct env_entry {
    /* below the folder asked about: "a/b"; "" for the thing itself, if it is a file */
    const char *path;
    int mode;
    bool is_dir;
};
/* Everything below a path, folders before what is in them, sorted; `at_most` entries, then -E2BIG.
 */
int env_tree(struct env *, struct arena *, const char *place, const char *path, int at_most,
             struct env_entry **ret, int *ret_n);
/* Makes `to` a copy of `from`, beside what `to` already holds. *ret_bytes (may be NULL): how much
 * that was. */
int env_copy_tree(struct env *, const char *from_place, const char *from, const char *to_place,
                  const char *to, int64_t *ret_bytes);
int env_remove_tree(struct env *, const char *place, const char *path);
/* 0 nothing there, 1 a file, 2 a folder. */
int env_kind(struct env *, const char *place, const char *path);

/* The state slot of a fake: *env_slot(env, "docker") is its own pointer, NULL at first. */
void **env_slot(struct env *, const char *fake);

/* To be called during setup, before the sandbox is made. A place is a container or a host with a
 * private root of its own (call_run_in, env_write); declaring it twice is fine. */
void env_add_place(struct env *, const char *place);
void env_add_command(struct env *, const char *name, const char *place, const struct fake *);
/* The fake that answers to argv[0] in that place: a command of this run first, then the fakes' own
 * lists. NULL: there is no such fake. */
const struct fake *env_fake_for(const struct env *, const char *place, const char *argv0);

/* ---- names (env_names.c) ---- */

/* Who lives in a place from now on, where that is not its own name and may change: the pod that a
 * root belongs to. "": nobody. */
void env_name_place(struct env *, const char *place, const char *name);
bool env_place_is(const struct env *, const char *place, const char *name);
/* Who lives there: a place's host name. */
const char *env_place_name(const struct env *, const char *place);

enum env_answer {
    ENV_ELSEWHERE, /* no platform's: as the place itself has it */
    ENV_NO_HOST,   /* the place is a platform's, which has no such name */
    ENV_REFUSED,
    ENV_UNREACHABLE,
    ENV_ANSWERS,
};
struct env_target {
    struct service *service;   /* of the world; NULL: a plain program answers */
    struct instance *instance; /* that takes the request; NULL: any */
    int port;                  /* on which it listens */
};
/* Whom a host's name and port lead to, as a platform names its services (Kubernetes); asked from a
 * place. *ret is filled for ENV_ANSWERS. */
typedef enum env_answer env_resolve_fn(struct env *, const char *place, const char *host, int port,
                                       struct env_target *ret, void *ctx);
void env_on_resolve(struct env *, env_resolve_fn *, void *ctx);
enum env_answer env_resolve(struct env *, const char *place, const char *host, int port,
                            struct env_target *ret);

/* Wall-clock time of the simulation, now. */
int64_t env_unix_ns(const struct env *);

#endif
