#include "procedures/drill/first_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/xalloc.h"

void first_files_init(struct first_files *files, const struct drill *drill)
{
    *files = (struct first_files){0};
    for (int i = 0; i < drill->n_host_files; i++) {
        const struct drill_file *from = &drill->files[i];
        XGROW(files->at, files->n, files->cap);
        files->at[files->n++] = (struct sandbox_file){
            .place = from->place,
            .path = from->path,
            .content = from->content,
            .mode = from->mode,
            .is_dir = from->is_dir,
            .mtime_unix_ns = drill->start_unix_ns - 7 * DAY,
        };
    }
}

void first_files_release(struct first_files *files)
{
    free(files->at);
    arena_release(&files->arena);
}

static struct sandbox_file *find(const struct first_files *files, const char *place,
                                 const char *path)
{
    for (int i = 0; i < files->n; i++) {
        if (strcmp(files->at[i].place, place) == 0 && strcmp(files->at[i].path, path) == 0)
            return &files->at[i];
    }
    return NULL;
}

static struct sandbox_file *make(struct first_files *files, const char *place, const char *path)
{
    struct sandbox_file *file = find(files, place, path);
    if (file)
        return file;
    XGROW(files->at, files->n, files->cap);
    file = &files->at[files->n++];
    *file = (struct sandbox_file){
        .place = arena_strdup(&files->arena, place),
        .path = arena_strdup(&files->arena, path),
        .mode = 0644,
    };
    return file;
}

int first_files_write(struct first_files *files, const char *place, const char *path,
                      const void *at, size_t len, int mode, int64_t unix_ns)
{
    struct sandbox_file *file = make(files, place, path);
    char *copy = arena_alloc(&files->arena, len + 1);
    if (len)
        memcpy(copy, at, len);
    file->content = (struct str){copy, len};
    file->mode = mode;
    file->mtime_unix_ns = unix_ns;
    return 0;
}

void first_files_lay(struct first_files *files, const struct drill *drill)
{
    for (int i = drill->n_host_files; i < drill->n_files; i++) {
        const struct drill_file *from = &drill->files[i];
        first_files_write(files, from->place, from->path, from->content.at, from->content.len,
                          from->mode, drill->start_unix_ns - DAY);
    }
}

int first_files_append(struct first_files *files, const char *place, const char *path,
                       const void *at, size_t len, int64_t unix_ns)
{
    struct sandbox_file *file = make(files, place, path);
    size_t old = file->content.len;
    char *copy = arena_alloc(&files->arena, old + len + 1);
    if (old)
        memcpy(copy, file->content.at, old);
    if (len)
        memcpy(copy + old, at, len);
    file->content = (struct str){copy, old + len};
    file->mtime_unix_ns = unix_ns;
    return 0;
}

int first_files_load(const struct first_files *files, const char *place, const char *path,
                     struct buf *buf)
{
    const struct sandbox_file *file = find(files, place, path);
    if (!file)
        return -ENOENT;
    buf_str(buf, file->content);
    return 0;
}

int first_files_unlink(struct first_files *files, const char *place, const char *path)
{
    struct sandbox_file *file = find(files, place, path);
    if (!file)
        return -ENOENT;
    int i = (int)(file - files->at);
    memmove(file, file + 1, (size_t)(files->n - i - 1) * sizeof *file);
    files->n--;
    return 0;
}

static bool listed(const struct buf *entries, struct str name)
{
    for (size_t at = 0; at < entries->len; at += strlen(entries->at + at) + 1) {
        if (str_is(name, entries->at + at + 5)) /* behind its kind and mode */
            return true;
    }
    return false;
}

int first_files_list(const struct first_files *files, const char *place, const char *path,
                     struct buf *entries)
{
    size_t len = strlen(path);
    bool found = false;
    for (int i = 0; i < files->n; i++) {
        const struct sandbox_file *file = &files->at[i];
        if (strcmp(file->place, place) != 0 || strncmp(file->path, path, len) != 0)
            continue;
        if (!file->path[len] && !file->is_dir)
            return -ENOTDIR;
        found = found || file->path[len] == '/' || !file->path[len];
        if (file->path[len] != '/')
            continue;
        struct str rest = str_of(file->path + len + 1), name = str_cut(&rest, '/');
        if (!name.len || listed(entries, name))
            continue;
        bool folder = rest.len || file->is_dir;
        buf_printf(entries, "%c%04o", folder ? 'd' : 'f',
                   folder ? 0755U : (unsigned)file->mode & 07777);
        buf_str(entries, name);
        buf_putc(entries, '\0');
    }
    return found ? 0 : -ENOENT;
}
