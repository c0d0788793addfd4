/* Ports that nobody asked for by number. The kernel draws one; here they count up, so that every
 * run has the same. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

enum { FIRST_PORT = 32768, LAST_PORT = 60999 }; /* as net.ipv4.ip_local_port_range */

/* The port stands at the same place in both kinds of address. */
static in_port_t *port_in(struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET || address->ss_family == AF_INET6
               ? &((struct sockaddr_in *)address)->sin_port
               : NULL;
}

/* Binds the task's socket, of which `fd` is ours, to the next port that is free. Negative errno. */
static int bind_next(struct supervisor *s, int fd, struct sockaddr_storage *address, socklen_t len)
{
    for (int tries = 0; tries <= LAST_PORT - FIRST_PORT; tries++) {
        s->next_port =
            s->next_port < FIRST_PORT || s->next_port >= LAST_PORT ? FIRST_PORT : s->next_port + 1;
        *port_in(address) = htons((in_port_t)s->next_port);
        if (bind(fd, (const struct sockaddr *)address, len) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return -errno;
    }
    return -EADDRINUSE;
}

bool ports_bind(struct supervisor *s, struct task *t)
{
    struct sockaddr_storage address;
    uint64_t len = t->arguments[2];
    memset(&address, 0, sizeof address);
    if (len < sizeof(struct sockaddr_in) || len > sizeof address ||
        !task_read(t, t->arguments[1], &address, (size_t)len))
        return false;
    const in_port_t *port = port_in(&address);
    int fd = port && *port == 0 ? task_descriptor(t, (int)t->arguments[0]) : -1;
    if (fd < 0)
        return false;
    call_finish(t, bind_next(s, fd, &address, (socklen_t)len));
    close(fd);
    return true;
}

void ports_assign(struct supervisor *s, struct task *t)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    int fd = task_descriptor(t, (int)t->arguments[0]);
    if (fd < 0)
        return;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        const in_port_t *port = port_in(&address);
        if (port && *port == 0)
            (void)bind_next(s, fd, &address, len);
    }
    close(fd);
}
