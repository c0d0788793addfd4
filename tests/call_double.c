#include "tests/call_double.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

enum { FIRST_FD = 3, FILE_MAX = 64 << 20 };

static struct call_double *of(struct call *call)
{
    return call->impl;
}

static struct double_file *find(struct call_double *d, const char *place, const char *path)
{
    for (int i = 0; i < d->n_files; i++) {
        if (strcmp(d->files[i].place, place) == 0 && strcmp(d->files[i].path, path) == 0)
            return &d->files[i];
    }
    return NULL;
}

static struct double_file *make(struct call_double *d, const char *place, const char *path)
{
    struct double_file *file = find(d, place, path);
    if (file)
        return file;
    assert(d->n_files < d->cap_files); /* pointers into the table stay valid */
    file = &d->files[d->n_files++];
    *file = (struct double_file){.place = xstrdup(place), .path = xstrdup(path), .mode = 0644};
    buf_init(&file->content, FILE_MAX);
    return file;
}

/* Absolute, without "." and "//"; ".." is resolved by text. */
static const char *absolute(struct call_double *d, const char *path)
{
    char *whole = path[0] == '/' ? arena_strdup(&d->arena, path)
                                 : arena_printf(&d->arena, "%s/%s", d->call.cwd, path);
    char *result = arena_alloc(&d->arena, strlen(whole) + 2);
    size_t n = 0;
    struct str rest = str_of(whole);
    while (rest.len) {
        struct str part = str_cut(&rest, '/');
        if (part.len == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..")) {
            while (n > 0 && result[--n] != '/')
                ;
            continue;
        }
        result[n++] = '/';
        memcpy(result + n, part.at, part.len);
        n += part.len;
    }
    if (n == 0)
        result[n++] = '/';
    result[n] = '\0';
    return result;
}

static ssize_t op_write(struct call *call, int fd, const void *at, size_t len)
{
    struct call_double *d = of(call);
    if (fd == 1 || fd == 2) {
        buf_add(fd == 1 ? &d->out : &d->err, at, len);
        return (ssize_t)len;
    }
    if (fd < FIRST_FD || fd >= FIRST_FD + 16 || !d->open[fd - FIRST_FD].file)
        return -EBADF;
    buf_add(&d->open[fd - FIRST_FD].file->content, at, len);
    return (ssize_t)len;
}

static ssize_t op_read(struct call *call, int fd, void *at, size_t len)
{
    struct call_double *d = of(call);
    if (fd == 0) {
        size_t n = len < d->input.len ? len : d->input.len;
        if (n == 0) /* an empty input may have no address, which memcpy must not be given */
            return 0;
        memcpy(at, d->input.at, n);
        d->input.at += n;
        d->input.len -= n;
        return (ssize_t)n;
    }
    if (fd < FIRST_FD || fd >= FIRST_FD + 16 || !d->open[fd - FIRST_FD].file)
        return -EBADF;
    struct buf *content = &d->open[fd - FIRST_FD].file->content;
    size_t *pos = &d->open[fd - FIRST_FD].at;
    size_t n = content->len - *pos < len ? content->len - *pos : len;
    if (n)
        memcpy(at, content->at + *pos, n);
    *pos += n;
    return (ssize_t)n;
}

/* Whether something is in the folder of that path. Only relative paths are held to it: tests save
 * themselves the rest. */
static bool has_folder(struct call_double *d, const char *place, const char *path)
{
    size_t n = (size_t)(strrchr(path, '/') - path);
    for (int i = 0; i < d->n_files; i++) {
        const struct double_file *file = &d->files[i];
        if (strcmp(file->place, place) == 0 && strncmp(file->path, path, n) == 0 &&
            (file->path[n] == '/' || (file->path[n] == '\0' && file->is_dir)))
            return true;
    }
    return strlen(d->call.cwd) == n && strncmp(d->call.cwd, path, n) == 0;
}

static int op_open(struct call *call, const char *path, int flags, int mode)
{
    struct call_double *d = of(call);
    bool relative = path[0] != '/' && strchr(path, '/');
    path = absolute(d, path);
    struct double_file *file = find(d, call->place, path);
    if (!file && (!(flags & O_CREAT) || (relative && !has_folder(d, call->place, path))))
        return -ENOENT;
    if (file && file->is_dir)
        return -EISDIR;
    if (!file) {
        file = make(d, call->place, path);
        file->mode = mode;
    }
    if (flags & O_TRUNC)
        buf_clear(&file->content);
    for (int i = 0; i < 16; i++) {
        if (!d->open[i].file) {
            d->open[i].file = file;
            d->open[i].at = 0;
            return FIRST_FD + i;
        }
    }
    return -EMFILE;
}

static int op_close(struct call *call, int fd)
{
    struct call_double *d = of(call);
    if (fd < FIRST_FD || fd >= FIRST_FD + 16 || !d->open[fd - FIRST_FD].file)
        return -EBADF;
    d->open[fd - FIRST_FD].file = NULL;
    return 0;
}

static bool is_below(const struct double_file *file, const char *place, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strcmp(file->place, place) == 0 && strncmp(file->path, folder, n) == 0 &&
           file->path[n] == '/';
}

static int op_stat(struct call *call, const char *path, int *ret_mode, int64_t *ret_size)
{
    struct call_double *d = of(call);
    path = absolute(d, path);
    struct double_file *file = find(d, call->place, path);
    if (file) {
        *ret_mode = file->is_dir ? 0040755 : 0100000 | file->mode;
        *ret_size = (int64_t)file->content.len;
        return 0;
    }
    for (int i = 0; i < d->n_files; i++) {
        if (is_below(&d->files[i], call->place, path)) {
            *ret_mode = 0040755;
            *ret_size = 0;
            return 0;
        }
    }
    return -ENOENT;
}

static int op_unlink(struct call *call, const char *path)
{
    struct call_double *d = of(call);
    struct double_file *file = find(d, call->place, absolute(d, path));
    if (!file)
        return -ENOENT;
    file->path[0] = '\0'; /* no absolute path: gone */
    return 0;
}

static int op_mkdir(struct call *call, const char *path, int mode)
{
    struct call_double *d = of(call);
    path = absolute(d, path);
    if (find(d, call->place, path))
        return -EEXIST;
    struct double_file *file = make(d, call->place, path);
    file->is_dir = true;
    file->mode = mode;
    return 0;
}

static int op_list(struct call *call, const char *path, struct buf *names)
{
    struct call_double *d = of(call);
    path = absolute(d, path);
    size_t n = strlen(path);
    if (n > 0 && path[n - 1] == '/')
        n--;
    bool any = false;
    for (int i = 0; i < d->n_files; i++) {
        if (!is_below(&d->files[i], call->place, path))
            continue;
        any = true;
        struct str rest = str_of(d->files[i].path + n + 1);
        const char *name = arena_str(&d->arena, str_cut(&rest, '/'));
        bool known = false;
        for (size_t k = 0; k < names->len && !known; k += strlen(names->at + k) + 1)
            known = strcmp(names->at + k, name) == 0;
        if (!known)
            buf_add(names, name, strlen(name) + 1);
    }
    struct double_file *self = find(d, call->place, path);
    return any || (self && self->is_dir) ? 0 : -ENOENT;
}

static bool op_isatty(struct call *call, int fd)
{
    (void)fd;
    return of(call)->tty;
}

static bool op_sleep(struct call *call, int64_t ns)
{
    struct call_double *d = of(call);
    if (!d->env.world)
        return false;
    d->until_ns = world_now(d->env.world) + ns;
    for (;;) {
        int64_t now = world_now(d->env.world);
        bool cut = d->interrupt_at_ns < d->until_ns;
        int64_t until = cut ? d->interrupt_at_ns : d->until_ns;
        if (now >= until)
            return cut;
        world_advance(d->env.world, until);
    }
}

static void op_wake(struct call *call, int64_t at_ns)
{
    struct call_double *d = of(call);
    if (at_ns < d->until_ns)
        d->until_ns = at_ns;
}

static void run_defers(struct call_double *d, int down_to)
{
    while (d->n_defers > down_to) {
        d->n_defers--;
        d->defers[d->n_defers].undo(d->defers[d->n_defers].ctx);
    }
}

static int run_fake(struct call_double *d, const struct fake *fake, const char *place,
                    char *const argv[], char *const envp[])
{
    struct call saved = d->call;
    int defers = d->n_defers;
    d->call.argv = (char **)(uintptr_t)argv;
    for (d->call.argc = 0; argv[d->call.argc]; d->call.argc++)
        ;
    if (place)
        d->call.place = place;
    if (envp)
        d->call.envp = (char **)(uintptr_t)envp;
    int status = fake->run(&d->call);
    run_defers(d, defers);
    d->call = saved;
    return status;
}

static int op_spawn(struct call *call, const char *place, char *const argv[], char *const envp[],
                    const char *cwd, struct buf *capture)
{
    (void)cwd;
    struct call_double *d = of(call);
    if (place && place[0])
        buf_printf(&d->spawned, "[%s] ", place);
    for (int i = 0; argv[i]; i++)
        buf_printf(&d->spawned, "%s%s", i ? " " : "", argv[i]);
    buf_putc(&d->spawned, '\n');
    const struct fake *fake = env_fake_for(&d->env, place ? place : call->place, argv[0]);
    if (fake) {
        size_t before = d->out.len;
        int status = run_fake(d, fake, place, argv, envp);
        if (capture) {
            buf_add(capture, d->out.at + before, d->out.len - before);
            d->out.len = before;
        }
        return status;
    }
    return d->on_spawn ? d->on_spawn(d, place, argv, capture) : 127;
}

static int op_exec(struct call *call, char *const argv[])
{
    return op_spawn(call, NULL, argv, NULL, NULL, NULL);
}

static void op_defer(struct call *call, void (*undo)(void *), void *ctx)
{
    struct call_double *d = of(call);
    assert(d->n_defers < 32);
    d->defers[d->n_defers].undo = undo;
    d->defers[d->n_defers++].ctx = ctx;
}

static const struct call_ops ops = {
    .write = op_write,
    .read = op_read,
    .open = op_open,
    .close = op_close,
    .stat = op_stat,
    .unlink = op_unlink,
    .mkdir = op_mkdir,
    .list = op_list,
    .isatty = op_isatty,
    .sleep = op_sleep,
    .wake = op_wake,
    .spawn = op_spawn,
    .exec = op_exec,
    .defer = op_defer,
};

static int files_write(void *ctx, const char *place, const char *path, const void *at, size_t len,
                       int mode, int64_t unix_ns)
{
    (void)unix_ns;
    struct double_file *file = make(ctx, place, path);
    buf_clear(&file->content);
    buf_add(&file->content, at, len);
    file->mode = mode;
    return 0;
}

static int files_append(void *ctx, const char *place, const char *path, const void *at, size_t len)
{
    buf_add(&make(ctx, place, path)->content, at, len);
    return 0;
}

static int files_load(void *ctx, const char *place, const char *path, struct buf *buf)
{
    struct double_file *file = find(ctx, place, path);
    if (!file)
        return -ENOENT;
    buf_add(buf, file->content.at, file->content.len);
    return 0;
}

static int files_unlink(void *ctx, const char *place, const char *path)
{
    struct double_file *file = find(ctx, place, path);
    if (!file)
        return -ENOENT;
    file->path[0] = '\0';
    return 0;
}

static int files_mkdir(void *ctx, const char *place, const char *path)
{
    if (!find(ctx, place, path))
        make(ctx, place, path)->is_dir = true;
    return 0;
}

static int files_list(void *ctx, const char *place, const char *path, struct buf *entries)
{
    struct call_double *d = ctx;
    struct call there = d->call;
    there.place = place;
    const struct double_file *self = find(d, place, path);
    if (self && !self->is_dir)
        return -ENOTDIR;
    struct buf names;
    buf_init(&names, FILE_MAX);
    int code = op_list(&there, path, &names);
    for (size_t at = 0; code == 0 && at < names.len; at += strlen(names.at + at) + 1) {
        int mode = 0;
        int64_t size;
        op_stat(&there, arena_printf(&d->arena, "%s/%s", path, names.at + at), &mode, &size);
        buf_printf(entries, "%c%04o%s", mode & 0040000 ? 'd' : 'f', (unsigned)mode & 07777,
                   names.at + at);
        buf_putc(entries, '\0');
    }
    buf_release(&names);
    return code;
}

static int files_reset(void *ctx, const char *place, const char *like)
{
    struct call_double *d = ctx;
    for (int i = 0; i < d->n_files; i++) {
        if (strcmp(d->files[i].place, place) == 0)
            d->files[i].path[0] = '\0';
    }
    for (int i = 0, n = d->n_files; i < n; i++) {
        const struct double_file *file = &d->files[i];
        if (strcmp(file->place, like) == 0 && file->original && file->first_path)
            double_file(d, place, file->first_path, file->original);
    }
    return 0;
}

static const struct env_files files = {files_write, files_append, files_load, files_unlink,
                                       files_mkdir, files_list,   files_reset};

void double_init(struct call_double *d, struct world *world, struct record *record)
{
    *d = (struct call_double){.record = record, .interrupt_at_ns = INT64_MAX};
    static char *no_env[] = {NULL};
    d->cap_files = 512;
    d->files = xcalloc((size_t)d->cap_files, sizeof *d->files);
    buf_init(&d->out, FILE_MAX);
    buf_init(&d->err, FILE_MAX);
    buf_init(&d->spawned, FILE_MAX);
    d->env = (struct env){
        .world = world,
        .record = record,
        .start_unix_ns = INT64_C(1736949600) * 1000000000,
        .files = &files,
        .files_ctx = d,
    };
    d->call = (struct call){
        .envp = no_env,
        .cwd = "/root",
        .env = &d->env,
        .arena = &d->arena,
        .place = "",
        .impl = d,
        .ops = &ops,
    };
}

void double_release(struct call_double *d)
{
    run_defers(d, 0);
    for (int i = 0; i < d->n_files; i++) {
        free(d->files[i].place);
        free(d->files[i].path);
        free(d->files[i].original);
        free(d->files[i].first_path);
        buf_release(&d->files[i].content);
    }
    free(d->files);
    buf_release(&d->out);
    buf_release(&d->err);
    buf_release(&d->spawned);
    free(d->env.slots);
    free(d->env.places);
    free(d->env.commands);
    free(d->env.mounts);
    arena_release(&d->env.arena);
    arena_release(&d->arena);
}

void double_file(struct call_double *d, const char *place, const char *path, const char *content)
{
    char *first_path = xstrdup(path), *original = xstrdup(content);
    files_write(d, place, path, content, strlen(content), 0644, 0);
    struct double_file *file = find(d, place, path);
    free(file->original);
    free(file->first_path);
    file->original = original;
    file->first_path = first_path;
}

const char *double_content(struct call_double *d, const char *place, const char *path)
{
    struct double_file *file = find(d, place, path);
    return file ? (file->content.at ? file->content.at : "") : NULL;
}

int double_run_argv(struct call_double *d, char *const argv[])
{
    buf_clear(&d->out);
    buf_clear(&d->err);
    const struct fake *fake = env_fake_for(&d->env, d->call.place, argv[0]);
    return fake ? run_fake(d, fake, NULL, argv, NULL) : 127;
}

int double_run(struct call_double *d, const char *command_line)
{
    char *words[64];
    int n = 0;
    const char *p = command_line;
    while (*p && n < 63) {
        if (*p == ' ') {
            p++;
            continue;
        }
        char *word = arena_alloc(&d->arena, strlen(p) + 1);
        size_t len = 0;
        char quote = 0;
        for (; *p && (quote || *p != ' '); p++) {
            if (quote ? *p == quote : (*p == '\'' || *p == '"'))
                quote = quote ? 0 : *p;
            else
                word[len++] = *p;
        }
        words[n++] = word;
    }
    words[n] = NULL;
    return double_run_argv(d, words);
}

const char *double_out(struct call_double *d)
{
    return d->out.at ? d->out.at : "";
}

const char *double_err(struct call_double *d)
{
    return d->err.at ? d->err.at : "";
}
