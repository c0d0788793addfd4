/* host_systemctl: what the files of systemctl share. */
#ifndef REHEARSE_FAKES_HOST_SYSTEMCTL_H
#define REHEARSE_FAKES_HOST_SYSTEMCTL_H

#include "fakes/host.h"

struct systemctl {
    struct call *call;
    struct host *host;
    struct options options;
};

/* "nginx.service" for "nginx"; other kinds keep their name. */
const char *unit_full_name(struct call *, const char *name);
/* docker.socket, the one socket that there is. */
bool unit_is_socket(const char *name);
/* What a verb (start, stop, restart, reload ...) does to one unit that is there; 0 or an exit
 * status. */
int unit_act(struct systemctl *, const char *verb, struct unit *);
/* The same to all that are named. */
int units_change(struct systemctl *, const char *verb, char **names);

#endif
