/* compose_command: what the files of the Compose commands share. */
#ifndef REHEARSE_FAKES_COMPOSE_COMMAND_H
#define REHEARSE_FAKES_COMPOSE_COMMAND_H

#include "fakes/compose.h"
#include "fakes/options.h"

/* One command of Compose, being run on a project that was read. */
struct compose_command {
    struct call *call;
    struct docker *docker;
    enum compose_edition edition;
    struct compose_project project;
    struct options options;
    const struct compose_verb *verb; /* NULL: not known yet */
    size_t width; /* of the widest line of v1's parallel output so far: it only grows */
};

struct compose_verb {
    const char *name, *usage, *summary;
    /* its options: fakes/options.h; "1:" and "2:" before one: of that edition alone */
    const char *words;
    bool interspersed;
    bool services;   /* all arguments are names of services, and are checked */
    int least, most; /* arguments, as v1's usage has them; most -1: any number */
    int (*run)(struct compose_command *);
};

extern const struct compose_verb compose_up_verbs[], compose_stop_verbs[], compose_show_verbs[],
    compose_exec_verbs[], compose_pull_verbs[];

/* A line on stderr as the tool logs it: with "ERROR: " or "WARNING: " in front on a terminal only
 * (v1). */
void compose_say(struct compose_command *, const char *level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is wrong with the command line, and how it should be; returns the exit status. */
int compose_usage_error(struct compose_command *);
/* An error: v1 and v2 print it in their ways; returns the exit status (1). */
int compose_fail(struct compose_command *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "No such service", in the edition's words. */
int compose_no_service(struct compose_command *, const char *name);

/* v1: "Stopping web ... " and then "Stopping web ... done". v2: " Container web  Stopping" and
 * "Stopped". `width` must be known before the first line: call compose_announce for all lines of a
 * batch first. */
void compose_announce(struct compose_command *, const char *doing, const char *name);
void compose_begin(struct compose_command *, const char *doing, const char *name);
void compose_end(struct compose_command *, const char *doing, const char *done, const char *name);
void compose_failed(struct compose_command *, const char *doing, const char *name); /* v1 alone */
void compose_end_badly(struct compose_command *, const char *doing, const char *name,
                       const char *why);

/* Stops containers at once (those of `list` that run) and says so; waits until they have ended. */
bool compose_stop_all(struct compose_command *, struct container **list, int64_t grace_ns);
/* -t / --timeout as ns, or -1. */
int64_t compose_grace(const struct compose_command *);
/* Makes sure that a service's image is here, building or pulling it. 0 or an exit status. */
int compose_ensure_image(struct compose_command *, const struct compose_service *, bool build,
                         bool pull);
/* The containers of the named services, or all: NULL-terminated. */
struct container **compose_named(struct compose_command *, char *const *names);
/* Lines of several containers in the order of time, with their names before them. */
int compose_show_logs(struct compose_command *, struct container **list, int64_t tail,
                      int64_t since_ns, bool times, bool follow, bool prefix);

#endif
