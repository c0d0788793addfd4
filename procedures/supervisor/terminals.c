/* Pseudo-terminals. What is written at one end gets to the other by a worker of the kernel, some
 * time later. Polling an end makes the kernel do that work at once (drivers/tty/n_tty.c,
 * n_tty_poll), so all ends are polled before anybody is taken to be idle. No end is kept: the other
 * one would never see a hang-up. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

static void flush(struct task *t, int number)
{
    int fd = task_descriptor(t, number);
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    if (fd < 0)
        return;
    (void)poll(&asked, 1, 0);
    close(fd);
}

void terminals_flush(struct supervisor *s)
{
    char path[64], name[128], link[64];
    for (struct task *t = s->tasks; t && s->terminals; t = t->next) {
        if (t == s->init || !t->process || t->pid != t->process->pid)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd", (int)t->pid);
        DIR *folder = opendir(path);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            snprintf(name, sizeof name, "%s/%.20s", path, entry->d_name);
            ssize_t n = readlink(name, link, sizeof link - 1);
            link[n > 0 ? n : 0] = '\0';
            if (strncmp(link, "/dev/pts/", 9) == 0 || strncmp(link, "/dev/ptmx", 9) == 0)
                flush(t, (int)strtol(entry->d_name, NULL, 10));
        }
        if (folder)
            closedir(folder);
    }
}
