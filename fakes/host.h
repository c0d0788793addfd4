/* host: the machine under the system: units, journal, disks, memory, crontab; and the commands that
 * show them.
 *
 *   host:
 *     memory: 8GiB
 *     cpus: 4
 *     sudo: allowed              # or password (asks for one), or denied
 *     disks: {/: {size: 80GB, used: 41%}, /var/lib/docker: {size: 200GB, used: 63%}}
 *     # nginx sends the traffic of web where this file says (host_nginx.c)
 *     routes: {web: /etc/nginx/conf.d/web.conf}
 *     logs: {api: /var/log/shop/api.log}   # what a service of the world writes goes there, too
 *     units:
 *       shop-api: {service: api, version_file: /opt/shop/current/VERSION, stop: 2s,
 *                  restart: on-failure}
 *       nginx: {}                # a unit that nothing in the world hangs on
 *       # systemctl start runs it to its end
 *       migrate: {type: oneshot, command: /opt/shop/migrate.sh, active: false}
 *
 * A unit with a service is the place where that service of the world runs (its `runs: {unit:
 * shop-api}`): what it starts is the version that its version_file names then, if it names one.
 * docker (with its socket), cron and ssh are there always. `type: notify` (or forking): systemctl
 * start waits until the service is ready.
 */
#ifndef REHEARSE_FAKES_HOST_H
#define REHEARSE_FAKES_HOST_H

#include "fakes/call.h"
#include "fakes/env.h"
#include "fakes/options.h"
#include "sim/base/doc.h"

enum unit_state { UNIT_INACTIVE, UNIT_ACTIVE, UNIT_FAILED };
enum unit_type { UNIT_SIMPLE, UNIT_NOTIFY, UNIT_FORKING, UNIT_ONESHOT };

struct journal_line {
    int64_t at_ns;
    const char *unit;
    int pid;
    char *text;
    bool is_error;
};

struct unit {
    struct host *host;
    const char *name; /* without ".service" */
    const char *description;
    struct instance *instance; /* NULL: nothing in the world */
    const char *version_file;
    enum unit_state state;
    enum unit_type type;
    const char *command; /* of a oneshot: a line for sh; NULL: it does nothing */
    bool remains;        /* a oneshot that stays active when it has ended (RemainAfterExit) */
    bool enabled, masked, reloads, restarts;
    int64_t stop_ns, since_ns;
    int pid;
    bool by_hand; /* stopped by a person: it is not restarted */
    int n_starts; /* within the ten seconds since first_start_ns */
    int64_t first_start_ns;
    int exit_code;
};

struct disk {
    const char *mount, *device;
    int64_t size_bytes;
    double used;
};

/* A service of the world before which nginx stands: host_nginx.c. */
struct host_route {
    const char *service, *file;
    const char *loaded; /* the file as nginx last read it; NULL: not yet */
};

struct host {
    struct env *env;
    struct unit **units;
    int n_units, cap_units;
    struct disk *disks;
    int n_disks;
    const struct doc *logs; /* service: path; or NULL */
    struct host_route *routes;
    int n_routes;
    int64_t memory_bytes;
    int cpus;
    int sudo; /* 0 allowed, 1 password, 2 denied */
    struct journal_line *journal;
    int n_journal, cap_journal;
    bool docker_socket; /* docker.socket listens: the next client starts the daemon again */
    char *crontab;      /* NULL: none; set by host_cron_set() */
    int64_t n_crontabs; /* how often it was set */
    int next_pid;
};

struct host *host_of(struct env *);
struct unit *host_unit(struct host *,
                       const char *name); /* with or without ".service"; NULL: none */
void host_log(struct host *, const char *unit, int pid, const char *text, bool is_error);
/* The job is done at once; whether its program then becomes ready is another matter. False: started
 * too often within ten seconds. Both take no time; unit_stop returns how long it takes. */
bool unit_start(struct call *, struct unit *);
int64_t unit_stop(struct unit *);
const char *host_name(struct call *);

int host_systemctl(struct call *);
int host_journalctl(struct call *);
int host_df(struct call *);
int host_free(struct call *);
int host_ps(struct call *);
int host_top(struct call *);
int host_uptime(struct call *);
int host_nginx(struct call *);
/* What is wrong with its configuration (path NULL: the main file) and with what it includes for
 * routes; or NULL. */
const char *host_nginx_complaint(struct call *, const char *path);
void host_nginx_read(struct host *); /* what it works by: the files as they are now */
struct container;
void host_nginx_route(struct container *); /* into rotation or out of it, as the loaded files say */
int host_crontab(struct call *);
/* Another table (copied; NULL: none); which of its jobs become due is noted from now on. */
void host_cron_set(struct host *, const char *text);
/* The first instant after `after_unix_ns` at which a schedule ("0 3 * * *", "@daily") is due;
 * NEVER: within two days it is not, or it is none. */
int64_t host_cron_next(const char *schedule, int64_t after_unix_ns);
int host_mail(struct call *);
int host_sudo(struct call *);
int host_su(struct call *);
int host_ssh(struct call *);
int host_scp(struct call *);

/* "10 minutes ago", "-1h", "today", "2025-01-15 14:00:00": an instant as --since takes it. */
bool host_instant(struct call *, const char *text, int64_t *ret_ns);

#endif
