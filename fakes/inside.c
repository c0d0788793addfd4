/* What runs in a container when a command is sent into it. */
#include "fakes/inside.h"

#include <string.h>

#include "fakes/fake.h"

/* Programs that the container's root has: real ones, and shells. What is not among them, nor a tool
 * of the image, is not found, as in an image that never had it. */
static bool is_real_program(const char *name)
{
    static const char *const names[] = {
        "sh",       "bash",    "dash",     "env",   "ls",     "cat",      "echo",      "printf",
        "true",     "false",   "date",     "sleep", "head",   "tail",     "grep",      "sed",
        "awk",      "cut",     "wc",       "sort",  "uniq",   "tr",       "cp",        "mv",
        "rm",       "mkdir",   "rmdir",    "touch", "chmod",  "chown",    "find",      "tar",
        "gzip",     "gunzip",  "zcat",     "id",    "whoami", "hostname", "pwd",       "test",
        "printenv", "stat",    "du",       "ln",    "tee",    "xargs",    "sha256sum", "md5sum",
        "basename", "dirname", "readlink", "seq",   "diff",   NULL};
    const char *slash = strrchr(name, '/');
    name = slash ? slash + 1 : name;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static const struct fake *tool(struct call *call, const struct inside *inside, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    for (int i = 0; i < call->env->n_commands; i++) {
        const struct env_command *command = &call->env->commands[i];
        if (command->place &&
            (strcmp(command->place, inside->place) == 0 ||
             strcmp(command->place, inside->like) == 0) &&
            (strcmp(command->name, name) == 0 || strcmp(command->name, base) == 0))
            return command->fake;
    }
    for (const char *const *known = inside->tools; *known; known++) {
        if (strcmp(*known, base) == 0)
            return env_fake_for(call->env, inside->place, name);
    }
    return NULL;
}

/* Without -i the command's stdin is empty, whatever the client's holds. */
static ssize_t read_nothing(struct call *call, int fd, void *at, size_t len)
{
    return fd == 0 ? 0 : call->impl_ops->read(call, fd, at, len);
}

static int run_tool(struct call *call, const struct inside *inside, const struct fake *fake,
                    char **argv)
{
    struct call *inner = ARENA_NEW(call->arena, struct call);
    *inner = *call;
    inner->argv = argv;
    inner->argc = 0;
    while (argv[inner->argc])
        inner->argc++;
    inner->envp = inside->envp;
    inner->place = inside->place;
    if (inside->folder)
        inner->cwd = inside->folder;
    if (!inside->interactive) {
        struct call_ops *closed = ARENA_NEW(call->arena, struct call_ops);
        *closed = *call->ops;
        closed->read = read_nothing;
        inner->impl_ops = call->ops;
        inner->ops = closed;
    }
    return fake->run(inner);
}

/* A tool that is given a file must find it in the container, not where its client runs. The words
 * of a statement (-c) are no files, nor is stdin ("-f -"). */
static bool names_files(char **argv)
{
    for (char **word = argv + 1; *word; word++) {
        if ((strcmp(*word, "-c") == 0 || strcmp(*word, "--command") == 0) && word[1])
            word++;
        else if (strncmp(*word, "--command=", 10) != 0 &&
                 (strchr(*word, '/') || strncmp(*word, "--file=", 7) == 0 ||
                  ((strcmp(*word, "-f") == 0 || strcmp(*word, "-o") == 0) && word[1] &&
                   strcmp(word[1], "-") != 0)))
            return true;
    }
    return false;
}

static int run_program(struct call *call, const struct inside *inside, char **argv)
{
    if (inside->interactive)
        return call_run_in(call, inside->place, argv, inside->envp, inside->folder);
    int n = 0;
    while (argv[n])
        n++;
    char **wrapped = ARENA_ARRAY(call->arena, char *, n + 5);
    static const char *const before[] = {"/bin/sh", "-c", "exec \"$@\" </dev/null", "sh"};
    for (int i = 0; i < 4; i++)
        wrapped[i] = arena_strdup(call->arena, before[i]);
    memcpy(wrapped + 4, argv, (size_t)n * sizeof *argv);
    return call_run_in(call, inside->place, wrapped, inside->envp, inside->folder);
}

int inside_run(struct call *call, const struct inside *inside, char **argv)
{
    const struct fake *fake = tool(call, inside, argv[0]);
    if (fake && !(inside->has_root && names_files(argv)))
        return run_tool(call, inside, fake, argv);
    if (!fake && !is_real_program(argv[0]))
        return INSIDE_NOT_FOUND;
    struct visit *visit = inside->enter(call, inside->ctx);
    int status = run_program(call, inside, argv);
    visit_end(visit);
    return status;
}
