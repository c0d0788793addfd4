/* Whole trees of the sandbox's files: what `docker cp`, `scp -r` and mounted folders need. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/env.h"

enum { FILE_MAX = 64 << 20, LIST_MAX = 1 << 20, TREE_MAX = 20000, DEPTH_MAX = 64 };

struct walk {
    struct env *env;
    struct arena *arena;
    const char *place, *root;
    struct env_entry *entries;
    int n, at_most;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 5, *(const char *const *)b + 5);
}

static int mode_of(const char *entry)
{
    int mode = 0;
    for (int i = 1; i <= 4; i++)
        mode = mode * 8 + (entry[i] - '0');
    return mode;
}

static int walk(struct walk *w, const char *below, int depth)
{
    struct buf names;
    buf_init(&names, LIST_MAX);
    const char *path = below[0] ? arena_printf(w->arena, "%s/%s", w->root, below) : w->root;
    int code = env_list(w->env, w->place, path, &names), n = 0;
    const char **sorted = ARENA_ARRAY(w->arena, const char *, names.len / 6 + 1);
    for (size_t at = 0; code == 0 && at < names.len; at += strlen(names.at + at) + 1)
        sorted[n++] = arena_strdup(w->arena, names.at + at);
    buf_release(&names);
    qsort(sorted, (size_t)n, sizeof *sorted, by_name);
    for (int i = 0; i < n && code == 0; i++) {
        const char *name = sorted[i] + 5;
        if (w->n == w->at_most || depth == DEPTH_MAX)
            return -E2BIG;
        struct env_entry *entry = &w->entries[w->n++];
        *entry = (struct env_entry){
            .path = below[0] ? arena_printf(w->arena, "%s/%s", below, name) : name,
            .mode = mode_of(sorted[i]),
            .is_dir = sorted[i][0] == 'd',
        };
        if (entry->is_dir)
            code = walk(w, entry->path, depth + 1);
    }
    return code;
}

int env_tree(struct env *env, struct arena *arena, const char *place, const char *path, int at_most,
             struct env_entry **ret, int *ret_n)
{
    struct walk w = {.env = env, .arena = arena, .place = place, .root = path, .at_most = at_most};
    w.entries = ARENA_ARRAY(arena, struct env_entry, at_most + 1);
    int code = walk(&w, "", 0);
    if (code == -ENOTDIR) {
        w.entries[0] = (struct env_entry){.path = "", .mode = 0644};
        w.n = 1;
        code = 0;
    }
    *ret = w.entries;
    *ret_n = w.n;
    return code;
}

int env_kind(struct env *env, const char *place, const char *path)
{
    struct buf names;
    buf_init(&names, LIST_MAX);
    int code = env_list(env, place, path, &names);
    buf_release(&names);
    return code == 0 ? 2 : code == -ENOTDIR ? 1 : 0;
}

static int copy_file(struct env *env, const char *from_place, const char *from,
                     const char *to_place, const char *to, int mode, int64_t *bytes)
{
    struct buf content;
    buf_init(&content, FILE_MAX);
    int code = env_load(env, from_place, from, &content);
    if (code == 0)
        code = env_write(env, to_place, to, buf_text(&content), mode);
    *bytes += (int64_t)content.len;
    buf_release(&content);
    return code;
}

int env_copy_tree(struct env *env, const char *from_place, const char *from, const char *to_place,
                  const char *to, int64_t *ret_bytes)
{
    struct arena arena = {0};
    struct env_entry *entries;
    int n;
    int64_t bytes = 0;
    int code = env_tree(env, &arena, from_place, from, TREE_MAX, &entries, &n);
    bool is_file = n == 1 && !entries[0].path[0];
    if (code == 0 && !is_file)
        code = env_mkdir(env, to_place, to);
    for (int i = 0; i < n && code == 0; i++) {
        const char *slash = is_file ? "" : "/";
        const char *source = arena_printf(&arena, "%s%s%s", from, slash, entries[i].path);
        const char *target = arena_printf(&arena, "%s%s%s", to, slash, entries[i].path);
        code = entries[i].is_dir
                   ? env_mkdir(env, to_place, target)
                   : copy_file(env, from_place, source, to_place, target, entries[i].mode, &bytes);
    }
    arena_release(&arena);
    if (ret_bytes)
        *ret_bytes = bytes;
    return code;
}

int env_remove_tree(struct env *env, const char *place, const char *path)
{
    struct arena arena = {0};
    struct env_entry *entries;
    int n;
    int code = env_tree(env, &arena, place, path, TREE_MAX, &entries, &n);
    for (int i = n - 1; i >= 0 && code == 0; i--) /* what is in a folder before the folder */
        code = env_unlink(env, place,
                          entries[i].path[0] ? arena_printf(&arena, "%s/%s", path, entries[i].path)
                                             : path);
    if (code == 0 && !(n == 1 && !entries[0].path[0]))
        code = env_unlink(env, place, path);
    arena_release(&arena);
    return code;
}
