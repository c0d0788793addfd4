#include "procedures/drill/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/base/xalloc.h"

enum { TOTAL_MAX = 64 << 20 };

/* "a/b/../c" is "a/c" for people who read it in a report. */
static void drop_steps_back(char *path)
{
    char *back;
    while ((back = strstr(path, "/../")) != NULL && back > path) {
        char *start = back;
        while (start > path && start[-1] != '/')
            start--;
        if (strncmp(start, "../", 3) == 0 || strncmp(start, "./", 2) == 0)
            return;
        memmove(start, back + 4, strlen(back + 4) + 1);
    }
}

const char *path_beside(struct arena *arena, const char *file, const char *name)
{
    const char *slash = strrchr(file, '/');
    if (name[0] == '/' || !slash)
        return name;
    char *path = arena_printf(arena, "%.*s/%s", (int)(slash - file), file, name);
    drop_steps_back(path);
    return path;
}

const char *drill_path(struct drill *drill, const struct doc *at, const char *name)
{
    return path_beside(&drill->arena, at->file, name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int64_t total(const struct drill *drill)
{
    int64_t bytes = 0;
    for (int i = 0; i < drill->n_files; i++)
        bytes += (int64_t)drill->files[i].content.len;
    return bytes;
}

static struct drill_file *file_at(const struct drill *drill, const char *place, const char *path)
{
    for (int i = drill->n_host_files; i < drill->n_files;
         i++) /* the procedure's own are kept apart */
        if (strcmp(drill->files[i].path, path) == 0 && strcmp(drill->files[i].place, place) == 0)
            return &drill->files[i];
    return NULL;
}

static int read_one(struct drill *drill, const char *host_path, const char *place, const char *path,
                    const struct stat *info, const struct doc *at, struct error *error)
{
    struct buf content;
    buf_init(&content, TOTAL_MAX);
    int code = buf_read_file(&content, host_path);
    if (code < 0) {
        buf_release(&content);
        return doc_error(at, error, "cannot read '%s': %s", host_path, strerror(-code));
    }
    struct drill_file *file =
        file_at(drill, place, path); /* a later folder lies over an earlier one */
    if (!file) {
        XGROW(drill->files, drill->n_files, drill->cap_files);
        file = &drill->files[drill->n_files++];
    }
    *file = (struct drill_file){
        .place = place,
        .path = path,
        .content = {arena_str(&drill->arena, buf_text(&content)), content.len},
        .mode = info->st_mode & 0111 ? 0755 : 0644,
    };
    buf_release(&content);
    if (total(drill) > TOTAL_MAX)
        return doc_error(at, error, "more than %d MiB of files", TOTAL_MAX >> 20);
    return 0;
}

int drill_read_folder(struct drill *drill, const char *folder, const char *place, const char *below,
                      const struct doc *at, struct error *error)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, NULL, by_name);
    if (n < 0)
        return doc_error(at, error, "cannot read folder '%s': %s", folder, strerror(errno));
    int code = 0;
    for (int i = 0; i < n; i++) {
        const char *name = names[i]->d_name;
        if (code == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            const char *host_path = arena_printf(&drill->arena, "%s/%s", folder, name);
            const char *path = arena_printf(&drill->arena, "%s/%s", below, name);
            struct stat info;
            if (lstat(host_path, &info) < 0)
                code = doc_error(at, error, "cannot read '%s': %s", host_path, strerror(errno));
            else if (S_ISDIR(info.st_mode))
                code = drill_read_folder(drill, host_path, place, path, at, error);
            else if (S_ISREG(info.st_mode))
                code = read_one(drill, host_path, place, path, &info, at, error);
            else
                code = doc_error(at, error, "'%s' is no regular file and no folder", host_path);
        }
        free(names[i]);
    }
    free(names);
    return code;
}

static const char *const endings[] = {".yaml", ".yml", ".json"};

bool path_is_document(const char *path)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (str_ends(str_of(path), endings[i]))
            return true;
    }
    return false;
}

const char *path_stem(struct arena *arena, const char *path)
{
    const char *base = strrchr(path, '/');
    struct str name = str_of(base ? base + 1 : path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (str_ends(name, endings[i]) && name.len > strlen(endings[i]))
            return arena_str(arena, (struct str){name.at, name.len - strlen(endings[i])});
    }
    return arena_str(arena, name);
}
