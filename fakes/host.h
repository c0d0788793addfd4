/* host: the machine under the system: units, journal, disks, memory, crontab; and the commands that show them.
 *
 *   host:
 *     memory: 8GiB
 *     cpus: 4
 *     sudo: allowed              # or password (asks for one), or denied
 *     disks: {/: {size: 80GB, used: 41%}, /var/lib/docker: {size: 200GB, used: 63%}}
 *     logs: {api: /var/log/shop/api.log}   # what a service of the world writes goes there, too
 *     units:
 *       shop-api: {service: api, version_file: /opt/shop/current/VERSION, stop: 2s, restart: on-failure}
 *       nginx: {}                # a unit that nothing in the world hangs on
 *
 * A unit with a service is the place where that service of the world runs (its `runs: {unit: shop-api}`): what it
 * starts is the version that its version_file names then, if it names one. docker, cron and ssh are there always.
 */
#ifndef REHEARSE_FAKES_HOST_H
#define REHEARSE_FAKES_HOST_H

#include "fakes/call.h"
#include "fakes/env.h"
#include "fakes/options.h"
#include "sim/base/doc.h"

enum unit_state { UNIT_INACTIVE, UNIT_ACTIVE, UNIT_FAILED };

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
    bool enabled, masked, reloads, restarts;
    int64_t stop_ns, since_ns;
    int pid;
    bool by_hand; /* stopped by a person: it is not restarted */
    int n_starts; /* in a row, within ten seconds of one another */
    int64_t last_start_ns;
    int exit_code;
};

struct disk {
    const char *mount, *device;
    int64_t size_bytes;
    double used;
};

struct host {
    struct env *env;
    struct unit **units;
    int n_units, cap_units;
    struct disk *disks;
    int n_disks;
    const struct doc *logs; /* service: path; or NULL */
    int64_t memory_bytes;
    int cpus;
    int sudo; /* 0 allowed, 1 password, 2 denied */
    struct journal_line *journal;
    int n_journal, cap_journal;
    char *crontab; /* NULL: none */
    int next_pid;
};

struct host *host_of(struct env *);
struct unit *host_unit(struct host *,
                       const char *name); /* with or without ".service"; NULL: none */
void host_log(struct host *, const char *unit, int pid, const char *text, bool is_error);
/* NULL, or why it could not. Both take no time; unit_stop returns how long it takes. */
const char *unit_start(struct call *, struct unit *);
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
int host_crontab(struct call *);
int host_mail(struct call *);
int host_sudo(struct call *);
int host_su(struct call *);
int host_ssh(struct call *);
int host_scp(struct call *);

/* "10 minutes ago", "-1h", "today", "2025-01-15 14:00:00": an instant as --since takes it. */
bool host_instant(struct call *, const char *text, int64_t *ret_ns);

#endif
