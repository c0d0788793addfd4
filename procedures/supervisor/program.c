/* What happens to a task when it becomes another program. */
#include <dirent.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "procedures/supervisor/core.h"
#include "sim/base/xalloc.h"

#define STACK_MAX (8 << 20) /* more than the kernel lets a command line have */

#define EXECS_FREE 2000

struct start {
    uint64_t entry;
    uint64_t name_at; /* of the path it was started from */
};

/* Index of the auxiliary vector among the words on a new program's stack; 0 if it does not end
 * within them. */
static size_t find_vector(const uint64_t *words, size_t n)
{
    size_t at = n > 0 && words[0] < n ? (size_t)words[0] + 2 : n; /* behind argc and argv */
    while (at < n && words[at])                                   /* envp */
        at++;
    size_t vector = ++at;
    while (at + 1 < n && words[at] != AT_NULL)
        at += 2;
    return at + 1 < n ? vector : 0;
}

/* Without the vDSO every look at the clock is a system call; and the 16 bytes from which C
 * libraries take their chance are ours. */
static struct start change_vector(struct supervisor *s, struct task *t, uint64_t stack,
                                  const uint64_t *words, size_t at)
{
    struct start start = {0, 0};
    unsigned char chance[16];
    for (; words[at] != AT_NULL; at += 2) {
        if (words[at] == AT_SYSINFO_EHDR) {
            uint64_t ignore = AT_IGNORE;
            (void)task_write(t, stack + at * 8, &ignore, sizeof ignore);
        } else if (words[at] == AT_RANDOM) {
            random_fill(s, chance, sizeof chance);
            (void)task_write(t, words[at + 1], chance, sizeof chance);
        } else if (words[at] == AT_ENTRY) {
            start.entry = words[at + 1];
        } else if (words[at] == AT_EXECFN) {
            start.name_at = words[at + 1];
        }
    }
    return start;
}

static struct start prepare(struct supervisor *s, struct task *t, uint64_t stack)
{
    uint64_t few[512], *words = few, *many = NULL;
    struct start start = {0, 0};
    for (size_t size = sizeof few; size <= STACK_MAX; size *= 8) {
        size_t n = task_read_some(t, stack, words, size) / 8, vector = find_vector(words, n);
        if (vector) {
            start = change_vector(s, t, stack, words, vector);
            break;
        }
        if (n < size / 8)
            break; /* there is no more */
        words = many = xrealloc(many, size * 8);
    }
    free(many);
    return start;
}

/* Programs in a row, without anybody ever waiting, are a loop that may have no end: to reach the
 * end of virtual time in bounded real time, they cost more and more. */
static int64_t exec_cost(struct supervisor *s)
{
    int64_t more = s->busy_execs++ - EXECS_FREE;
    return more <= 0 ? EXEC_NS : EXEC_NS + EXEC_NS * more / 1000 * more / 1000;
}

static bool is_shell(const char *program)
{
    return strcmp(program, "bash") == 0 || strcmp(program, "sh") == 0 ||
           strcmp(program, "dash") == 0;
}

/* The program that really runs: of a script, the one in its first line. */
static const char *interpreter_of(const struct task *t, char *path, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)t->pid);
    ssize_t n = readlink(link, path, size - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void program_started(struct supervisor *s, struct task *t)
{
    char path[1024] = "";
    size_t shim_size;
    s->result.execs++;
    clock_spend(s, exec_cost(s));
    task_forget_proc(t);
    clock_forget_timers(t->process, false);
    if (t->invocation)
        puppet_drop(s, t);
    t->restore = false;
    if (!arch_get(t->pid, &t->registers))
        return;
    struct start start = prepare(s, t, arch_stack(&t->registers));
    if (start.name_at)
        (void)task_read_text(t, start.name_at, path, sizeof path);
    const char *slash = strrchr(path, '/');
    snprintf(t->process->program, sizeof t->process->program, "%.60s", slash ? slash + 1 : path);
    (void)arch_shim(&shim_size);
    t->process->shim =
        arch_ip(&t->registers) >= SHIM_CODE && arch_ip(&t->registers) < SHIM_CODE + shim_size;
    t->process->stack = arch_stack(&t->registers);
    if (s->sandbox.tier == TIER_LANDLOCK)
        paths_started(s, t);
    t->process->shell = is_shell(t->process->program) ||
                        (!t->process->shim && is_shell(interpreter_of(t, path, sizeof path)));
    watch_program(t);
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
