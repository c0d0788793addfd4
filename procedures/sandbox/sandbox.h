/* sandbox: the private root in which a playbook runs, from which it can reach nothing outside.
 *
 * Tiers, found by trying: namespaces (private mount, pid, net, ipc and uts namespaces, user as well
 * when not root; a tmpfs root with read-only binds of the allow-listed programs and their
 * libraries, pivot_root, only loopback, no capability left), landlock (same supervisor, Landlock
 * and path rewriting), none (refuse). There is no way to run unsealed. All content is written from
 * memory inside the new mount namespace: in the namespaces tier nothing touches the host's disk and
 * nothing is left behind, even by kill -9.
 */
#ifndef REHEARSE_PROCEDURES_SANDBOX_H
#define REHEARSE_PROCEDURES_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"
#include "sim/base/error.h"
#include "sim/base/str.h"

enum tier { TIER_AUTO, TIER_NAMESPACES, TIER_LANDLOCK };
extern const char *const tier_names[]; /* "auto", "namespaces", "landlock" */

/* The best tier that works here, by trying; TIER_AUTO and `why` filled (what is missing) if none.
 */
enum tier sandbox_probe(struct error *why);

struct sandbox_file {
    const char *place; /* "" the operator's machine, else a container or host */
    const char *path;  /* absolute */
    struct str content;
    int mode; /* permission bits; 0 with is_dir or link: default */
    bool is_dir;
    const char *link;      /* symbolic link to this; else NULL */
    int64_t mtime_unix_ns; /* time of the simulation */
};

struct sandbox_limits {
    int tasks;            /* live tasks at once */
    int64_t output_bytes; /* of the whole tree */
    int64_t disk_bytes;   /* of the private root */
    int64_t memory_bytes; /* per process */
    int open_files;       /* per process */
    int64_t virtual_ns;   /* end of virtual time, since the start of the run */
    int64_t cpu_ns;       /* CPU time of one task between two system calls; then `unknown` */
};
extern const struct sandbox_limits sandbox_default_limits;

struct sandbox_spec {
    enum tier tier;
    const char *hostname;
    const char *cwd;   /* absolute */
    char *const *envp; /* the whole environment; NULL-terminated */
    const struct sandbox_file *files;
    int n_files;
    const char *const *places; /* containers and hosts with a root of their own; NULL-terminated */
    const char *const *commands;      /* names that become the shim, in PATH; NULL-terminated */
    const char *const *command_paths; /* absolute paths that become the shim; NULL-terminated */
    const char *const
        *programs; /* extra real programs beyond the standard allow-list ("python3"); or NULL */
    const char *const *hosts; /* lines of /etc/hosts beyond localhost; or NULL */
    struct sandbox_limits limits;
    int64_t start_unix_ns; /* simulation time 0 as wall-clock time */
    uint64_t seed;
};

#endif
