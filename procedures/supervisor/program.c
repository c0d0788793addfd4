/* What happens to a task when it becomes another program. */
#include <dirent.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"

struct start {
    uint64_t entry;
    uint64_t name_at; /* of the path it was started from */
};

/* Walks the auxiliary vector: without the vDSO every look at the clock is a system call, and the 16 bytes from
 * which C libraries take their chance are ours. */
static struct start prepare(struct supervisor *s, struct task *t, uint64_t stack)
{
    struct start start = {0, 0};
    uint64_t word = 0, at = stack, pair[2];
    unsigned char chance[16];
    if (!task_read(t, at, &word, sizeof word)) /* argc */
        return start;
    at += (word + 2) * 8;
    while (task_read(t, at, &word, sizeof word) && word) /* envp */
        at += 8;
    at += 8;
    for (; task_read(t, at, pair, sizeof pair) && pair[0] != AT_NULL; at += sizeof pair) {
        if (pair[0] == AT_SYSINFO_EHDR) {
            uint64_t ignore = AT_IGNORE;
            (void)task_write(t, at, &ignore, sizeof ignore);
        } else if (pair[0] == AT_RANDOM) {
            random_fill(s, chance, sizeof chance);
            (void)task_write(t, pair[1], chance, sizeof chance);
        } else if (pair[0] == AT_ENTRY) {
            start.entry = pair[1];
        } else if (pair[0] == AT_EXECFN) {
            start.name_at = pair[1];
        }
    }
    return start;
}

void program_started(struct supervisor *s, struct task *t)
{
    char path[1024] = "";
    size_t shim_size;
    s->result.execs++;
    clock_spend(s, EXEC_NS);
    task_forget_proc(t);
    clock_forget_timers(t->process, false);
    if (t->invocation)
        puppet_drop(s, t);
    if (!arch_get(t->pid, &t->registers))
        return;
    struct start start = prepare(s, t, arch_stack(&t->registers));
    if (start.name_at)
        (void)task_read_text(t, start.name_at, path, sizeof path);
    const char *slash = strrchr(path, '/');
    snprintf(t->process->program, sizeof t->process->program, "%.60s", slash ? slash + 1 : path);
    (void)arch_shim(&shim_size);
    t->process->shim = arch_ip(&t->registers) >= SHIM_CODE && arch_ip(&t->registers) < SHIM_CODE + shim_size;
    t->process->stack = arch_stack(&t->registers);
    t->process->shell = strcmp(t->process->program, "bash") == 0 || strcmp(t->process->program, "sh") == 0 ||
                        strcmp(t->process->program, "dash") == 0;
    if (t == s->shell)
        script_attach(s, t, start.entry);
}

bool watches_files(const struct supervisor *s)
{
    char path[64], link[64];
    for (const struct task *t = s->tasks; t; t = t->next) {
        if (t == s->init || t->pid != t->process->pid)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd", (int)t->pid);
        DIR *folder = opendir(path);
        bool found = false;
        for (struct dirent *entry; folder && !found && (entry = readdir(folder));) {
            char name[128];
            snprintf(name, sizeof name, "%s/%.20s", path, entry->d_name);
            ssize_t n = readlink(name, link, sizeof link - 1);
            found = n > 0 && (link[n] = '\0', strstr(link, "inotify") != NULL);
        }
        if (folder)
            closedir(folder);
        if (found)
            return true;
    }
    return false;
}
