/* docker: the engine behind docker and docker-compose: images, containers, volumes, networks, a
 * registry.
 *
 * One engine a run, in the env's slot "docker". A tag is a name that points at an image and may
 * move; a container keeps the image, environment and command it was created with, whatever happens
 * to the tag afterwards. A container whose image is mapped to a service of the world is an instance
 * of it; any other image runs as a plain program.
 *
 * The functions here change the engine at once and in no virtual time; commands do the waiting.
 * What takes the daemon time of its own (a stop that waits for the program) ends by an event of the
 * world, so that it ends even when the client has gone. Strings given are copied. Instants are ns
 * since the start of the run, negative for what was there before.
 */
#ifndef REHEARSE_FAKES_DOCKER_H
#define REHEARSE_FAKES_DOCKER_H

#include "fakes/env.h"
#include "sim/base/doc.h"

struct docker_image {
    const char *id;     /* "sha256:<64 hex>", of its configuration: what a container keeps */
    const char *digest; /* "sha256:<64 hex>", of its manifest: what the registry names it by */
    const char *name;   /* the reference it was first known by; for people */
    const char *service, *version; /* of the world; service NULL: a plain program */
    const char *const *command;    /* entry point and arguments, NULL-terminated */
    const char *const *env;        /* NAME=value, NULL-terminated */
    const char *const *built_env,
        *const *declared_env; /* of it: the Dockerfile's, the rest; NULL: not built here */
    const char *const *tools; /* commands of ours that it holds (psql ...), NULL-terminated */
    int64_t size_bytes, created_ns;
    int64_t stop_ns; /* how long its program takes to end after SIGTERM; INT64_MAX: it ignores it */
    int stop_exit;   /* its exit code then */
    int64_t ends_ns; /* a plain program that ends by itself: after this long; NEVER: it does not */
    int ends_exit;
    bool corrupt; /* its content does not verify: it cannot be pulled, nor run */
    bool pulled;  /* its layers are on this machine */
};

struct docker_tag {
    const char *repository, *tag;
    struct docker_image *image;
    bool gone; /* the registry no longer has it: "manifest unknown" */
    bool slow;
};

enum container_state {
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING,
    CONTAINER_EXITED,
};

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_ON_FAILURE };

enum container_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };

struct docker_port {
    const char *address; /* "0.0.0.0"; NULL: exposed only */
    int host, container;
    const char *protocol; /* "tcp" */
};

struct docker_mount {
    const char *volume; /* name, or NULL for a folder of the machine */
    const char *source, *target;
    bool read_only;
};

struct docker_health_check {
    const char *test; /* as shown; NULL: none */
    int64_t interval_ns, timeout_ns, start_period_ns;
    int retries;
};

/* What a container is made from; all of it is frozen at create. */
struct container_spec {
    const char *name;
    const char *image;          /* reference, as given */
    const char *const *command; /* NULL: the image's */
    const char *const *env;    /* NAME=value in addition to the image's, NULL-terminated; or NULL */
    const char *const *labels; /* name=value, NULL-terminated; or NULL */
    const struct docker_port *ports;
    int n_ports;
    const struct docker_mount *mounts;
    int n_mounts;
    const char *const *networks; /* NULL-terminated; NULL: bridge */
    struct docker_health_check health;
    enum restart_policy restart;
    int restart_max;                      /* on-failure: 0 for any number */
    int64_t stop_grace_ns;                /* 0: ten seconds */
    const char *hostname, *user, *folder; /* NULL: defaults */
    const char *place;                    /* NULL: the name */
    const char *like; /* place whose files its root begins with; NULL: those of its own place */
    bool remove_at_end, tty, open_stdin;
    bool for_command; /* its program is a command that the client runs to its end */
};

struct docker_log_line {
    int64_t at_ns;
    char *text;
    bool is_error;
};

struct container {
    struct docker *docker;
    char id[65];
    const char *name;
    const char *place; /* of its root and files; stays when it is renamed */
    struct docker_image *image;
    struct container_spec spec;
    const char *const *env; /* the image's and its own */
    enum container_state state;
    bool stopped_by_hand; /* by a person: unless-stopped leaves it alone */
    int exit_code;
    int restarts;
    int64_t created_ns, started_ns, finished_ns;
    int64_t condition_ns; /* since when the instance is as it is now: for its health */
    enum container_health health_before; /* what its health was when that began */
    bool stopping;                       /* a stop is under way */
    int stop_exit;                       /* and will end with this exit code */
    uint64_t event;            /* pending event (end of a stop, restart after a crash); 0: none */
    struct instance *instance; /* NULL: a plain program */
    struct docker_log_line *log;
    int n_log, cap_log;
    int64_t dropped_log; /* lines forgotten at the front */
    const char *error;   /* why it could not start, or "" */
    bool removed;        /* kept until release, so that nothing dangles */
    bool hands_over;     /* Compose makes another in its place, which gets its anonymous volumes */
};

struct docker_network {
    const char *name;
    char id[65];
    const char *driver;
    const char *const *labels;
    int64_t created_ns;
};

struct docker_volume {
    const char *name;
    const char *service; /* of the world, whose program keeps its data there; or NULL */
    const char *const *labels;
    int64_t created_ns;
};

/* A Compose project that the system file declares: started before the run. */
struct docker_project {
    const char *folder, *file, *name; /* file and name NULL: the tool's default */
    bool v2;                          /* made by `docker compose`, not docker-compose */
};

struct docker {
    struct env *env;
    struct docker_image **images;
    int n_images, cap_images;
    struct docker_tag *tags; /* of this machine */
    int n_tags, cap_tags;
    struct docker_tag *remote; /* of the registry */
    int n_remote, cap_remote;
    struct container **containers; /* oldest first; removed ones stay, marked */
    int n_containers, cap_containers;
    struct docker_network *networks;
    int n_networks, cap_networks;
    struct docker_volume *volumes;
    int n_volumes, cap_volumes;
    struct docker_project *projects;
    int n_projects, cap_projects;
    double bandwidth_bytes_per_s;
    int64_t latency_ns; /* of one request to the registry */
    bool unreachable;   /* the registry */
    bool daemon_running;
    bool set_up; /* what existed before the run is there: changes are noted from now on */
    int64_t n_ids;
    const char *server_version;
    const struct doc *system; /* root of the system file, or NULL */
};

/* The engine of this run; never NULL once setup has run. */
struct docker *docker_of(struct env *);
struct arena *docker_arena(struct docker *);
int64_t docker_now(struct docker *);

/* ---- names ---- */

/* 64 hex digits that depend on the text alone. */
void docker_hex(const char *text, char ret[65]);
/* Takes "host/name:tag" apart; tag "latest" if there is none; repository as people write it
 * ("postgres", not "docker.io/library/postgres"). NULL, or what is wrong with the reference. */
const char *docker_reference(struct arena *, const char *reference, const char **ret_repository,
                             const char **ret_tag);
/* "docker.io/library/postgres:15": the reference in full. */
const char *docker_full_name(struct arena *, const char *repository, const char *tag);

/* ---- images and the registry (docker_images.c) ---- */

struct docker_image *docker_image_new(struct docker *, const char *name);
/* Commands of ours that images of well-known programs hold beside a shell, NULL-terminated. */
const char *const *docker_tools_of(const char *repository);
/* By reference, digest reference, ID or the beginning of an ID; NULL: none here. */
struct docker_image *docker_image_here(struct docker *, const char *reference);
int docker_count_tags(struct docker *, const struct docker_image *);
void docker_drop_tag(struct docker *, int at); /* tags[at] */
/* A container of that image; running ones come first. NULL: none. */
struct container *docker_image_user(struct docker *, const struct docker_image *);
/* Points a local name at an image; what the name pointed at before keeps its content. */
void docker_tag(struct docker *, const char *reference, struct docker_image *);
struct docker_tag *docker_remote(struct docker *,
                                 const char *reference); /* NULL: no such name there */
struct docker_tag *docker_remote_set(struct docker *, const char *reference, struct docker_image *);
/* What a build of those sources makes under that name. `service` of the world: NULL, the one that
 * the name's other images run. A version that the service does not have: what was there before, out
 * of the cache. NULL: no valid name. */
struct docker_image *docker_build(struct docker *, const char *reference, const char *service,
                                  const char *version);
/* What an image keeps of its Dockerfile: docker_build.c. */
struct dockerfile {
    const char *const *env;                          /* NAME=value, NULL-terminated */
    const char *const *entry_point, *const *command; /* NULL: none */
};
/* The same, with what the Dockerfile says. */
struct docker_image *docker_build_from(struct docker *, const char *reference, const char *service,
                                       const char *version, const struct dockerfile *);
const char *const *docker_copy_words(struct arena *, const char *const *); /* NULL: an empty list */
/* A's words with B's over them, by name. */
const char *const *docker_join_env(struct arena *, const char *const *a, const char *const *b);
/* The service of the world that a Compose service runs; NULL: none. */
const char *docker_service_of(const struct docker *, const char *compose_service);

enum pull_result { PULL_NEW, PULL_UP_TO_DATE, PULL_FAILED };
struct pull {
    enum pull_result result;
    const char *why; /* of a failure: the daemon's words, without prefix */
    struct docker_image *image;
    int64_t resolve_ns, download_ns; /* time to wait before the answer, and for the content */
};
/* What a pull of it would come to; docker_pull_done makes it so (after the waiting). */
void docker_pull(struct docker *, const char *reference, struct pull *ret);
void docker_pull_done(struct docker *, const char *reference, const struct pull *);
/* The image for a service of the world at a version: made on first use. */
struct docker_image *docker_image_of(struct docker *, const char *repository, const char *service,
                                     const char *version);

/* ---- containers (docker_containers.c) ---- */

/* By name, ID or the beginning of an ID. NULL: none; *ret_many (may be NULL) if it fits several. */
struct container *docker_find(struct docker *, const char *name_or_id);
/* "no", "always", "unless-stopped", "on-failure", "on-failure:3"; false: none of them. */
bool docker_restart_policy(const char *text, enum restart_policy *ret, int *ret_max);
/* NULL and *why (the daemon's words) on failure. The image must be here. */
struct container *docker_create(struct docker *, const struct container_spec *, const char **why);
/* NULL, or the daemon's words. */
const char *docker_start(struct container *);
/* Begins a stop; returns how long the daemon takes to finish it (0: it was not running). grace_ns <
 * 0: its own. */
int64_t docker_stop(struct container *, int64_t grace_ns);
/* Ends at once by a signal (9 by default); 0, or -1 if it was not running. */
int docker_kill(struct container *, int signal);
void docker_rename(struct container *, const char *name);
void docker_remove(struct container *); /* ends it first */
void docker_pause(struct container *, bool paused);
/* Its program ended by itself: the restart policy decides what happens next. */
void container_ended(struct container *, int exit_code);
bool container_running(
    const struct container *); /* running, paused or restarting: as `docker ps` lists it */
enum container_health container_health(const struct container *);
/* The instance's state is another one from now on. */
void container_condition_changed(struct container *, enum instance_state before);
const char *container_label(const struct container *, const char *name); /* NULL: it has none */
void container_log(struct container *, const char *text, bool is_error);
/* "Up 3 minutes (healthy)", "Exited (137) 2 seconds ago" */
const char *container_status(struct container *, struct arena *);
const char *container_ports(struct container *, struct arena *);
const char *container_state_word(const struct container *); /* "running", "exited" ... */
/* The daemon stops or starts, with what that does to containers. Returns how long it takes. */
int64_t docker_daemon_stop(struct docker *);
int64_t docker_daemon_start(struct docker *);

/* ---- roots and what is mounted in them (docker_files.c) ---- */

/* A new container's root holds what its image holds, not what the container before it left there.
 */
void docker_root_made(struct container *);
/* Whether commands can run in it: its place was declared before the run. */
bool docker_has_root(const struct container *);
/* Places for containers that nobody declared: `docker run` of something new. */
#define DOCKER_SPARE_PLACES "docker-run-1", "docker-run-2"
/* One of them; NULL: none is free. */
const char *docker_spare_place(struct docker *);
const char *docker_mount_source(struct arena *,
                                const struct docker_mount *); /* folder of the machine */
const char *docker_volume_folder(struct arena *, const char *volume);

struct docker_network *docker_network(struct docker *, const char *name); /* NULL: none */
struct docker_network *docker_network_new(struct docker *, const char *name,
                                          const char *const *labels);
bool docker_network_remove(struct docker *, const char *name);
struct container *docker_network_user(struct docker *,
                                      const char *name); /* that runs; NULL: none */
struct docker_volume *docker_volume(struct docker *, const char *name);
struct docker_volume *docker_volume_new(struct docker *, const char *name,
                                        const char *const *labels);
bool docker_volume_remove(struct docker *, const char *name);
/* Where the official images of a store's engine keep its data; NULL: it is not known. */
const char *docker_data_folder(const struct store *);
/* What a database's container that is being removed held outside of volumes and bind mounts: its
 * stores are empty then. One-off containers (run --rm, compose run) serve nobody and lose nothing.
 */
void docker_lose_layer(const struct container *);
/* The container that uses it, running or not; NULL: none. */
struct container *docker_volume_user(struct docker *, const char *name);

/* ---- for the fake's table entry (docker_setup.c) ---- */

int docker_setup(struct env *, const struct doc *config, struct error *);
void docker_release(struct env *);

/* ---- words shared by the commands ---- */

/* "3 minutes", "About an hour": as Docker's units.HumanDuration. */
const char *docker_human_duration(struct arena *, int64_t ns);
size_t docker_width(struct str);                              /* in characters, not bytes (UTF-8) */
const char *docker_human_size(struct arena *, int64_t bytes); /* 412MB */
const char *docker_human_binary(struct arena *, double bytes); /* 412.5MiB */
const char *docker_time(struct docker *, struct arena *,
                        int64_t at_ns); /* RFC 3339 with nanoseconds */

#endif
