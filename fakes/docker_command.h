/* docker_command: what the files of the docker command share. */
#ifndef REHEARSE_FAKES_DOCKER_COMMAND_H
#define REHEARSE_FAKES_DOCKER_COMMAND_H

#include <cjson/cJSON.h>

#include "fakes/call.h"
#include "fakes/docker.h"
#include "fakes/options.h"
#include "fakes/visit.h"

/* One command of the docker client, being run. */
struct docker_command {
    struct call *call;
    struct docker *docker;
    struct options options;
    const struct docker_verb *verb;
};

struct docker_verb {
    const char *name;  /* "ps", "volume rm" */
    const char *usage; /* behind "docker " */
    const char *words; /* its options: fakes/options.h */
    bool interspersed;
    int least, most; /* arguments; most -1: any number */
    int (*run)(struct docker_command *);
};

/* Ends in an entry without a name. */
extern const struct docker_verb docker_container_verbs[], docker_list_verbs[], docker_image_verbs[],
    docker_run_verbs[], docker_thing_verbs[], docker_archive_verbs[], docker_prune_verbs[],
    docker_build_verbs[];

/* How long things take. The client needs 30 ms to start and to ask; what the engine does comes on
 * top. */
#define DOCKER_CLIENT_NS (30 * MILLISECOND)
#define DOCKER_CREATE_NS (90 * MILLISECOND)
#define DOCKER_START_NS  (280 * MILLISECOND)
#define DOCKER_REMOVE_NS (70 * MILLISECOND)
#define DOCKER_EXEC_NS   (80 * MILLISECOND)

/* What is wrong with the command line, and how it should be: on stderr; returns 125. */
int docker_usage_error(struct call *, const struct docker_verb *, const char *message);
/* A number behind an option, -1 if it is not there. False after the client's error. */
bool docker_number(struct docker_command *, const char *name, const char *shown, int64_t *ret);
/* A duration behind an option; what *ret was if it is not there. False after the client's error. */
bool docker_duration(struct docker_command *, const char *name, int64_t *ret);
/* "Error response from daemon: ..." on stderr; returns 1. */
int docker_daemon_error(struct call *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The container, or NULL after the error. */
struct container *docker_want(struct docker_command *, const char *name);

/* Runs a command inside a container as `docker exec` does, after its checks. env: NAME=value in
 * addition. */
struct exec_options {
    const char *const *env;
    const char *folder, *user;
    bool interactive, tty, detached;
    bool starts; /* the container is made for this command: `docker run`, not `exec` */
};
int docker_exec(struct call *, struct container *, char **argv, const struct exec_options *);
/* A process goes into the container: until visit_end() mounted folders hold there what they hold
 * here. */
struct visit *docker_enter(struct call *, struct container *);
/* Prints the lines of a container's log; `since`/`until` in ns since the start of the run, NEVER:
 * no limit. */
struct log_options {
    int64_t tail; /* -1: all */
    int64_t since_ns, until_ns;
    bool times, follow, details;
};
int docker_logs(struct call *, struct container *, const struct log_options *);
/* "10m", "2025-01-15T14:30:00Z", a Unix time: as --since takes it. False: none of them. */
bool docker_instant(struct call *, const char *text, int64_t *ret_ns);
/* Pulls, with the client's progress on fd (-1: nowhere). NULL, or why not: *ret_daemon: in an
 * answer of the engine's, else in the middle of it. */
const char *docker_pull_progress(struct call *, struct docker *, const char *reference, int fd,
                                 bool *ret_daemon);
/* Reads a Dockerfile (which is there) with these build arguments (NAME=value, NULL-terminated; or
 * NULL): NULL, or what is wrong with it in BuildKit's words. */
const char *docker_read_dockerfile(struct call *, const char *path, const char *const *args,
                                   struct dockerfile *ret);
/* The inspect document of a container; to be deleted by the caller before the next call_*. */
cJSON *docker_inspect_container(struct docker *, struct container *, struct arena *);
/* A table: rows of cells, NULL-terminated words; columns as the Docker client aligns them. */
void docker_table(struct call *, const char *const *titles, const char *const *const *rows,
                  int n_rows);
/* Whether the daemon runs, or its socket brings it back now. */
bool docker_answers(struct call *, struct docker *);
/* Whether the client can be used: writes what it says when the daemon is down. */
bool docker_reachable(struct call *, struct docker *, const char *prefix);

#endif
