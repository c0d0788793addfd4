#include "fakes/visit.h"

#include <errno.h>
#include <string.h>

enum { FILES_MAX = 400, FILE_MAX = 64 << 20 };

struct seen {
    const char *path; /* below the mount */
    uint64_t hash;
};

struct visit {
    struct env *env;
    struct arena *arena;
    const char *place;
    const struct visit_mount *mounts;
    int n_mounts;
    struct seen **seen; /* one list a mount */
    int *n_seen;
};

static uint64_t hash_of(struct str content)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < content.len; i++)
        hash = (hash ^ (unsigned char)content.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static const char *join(struct arena *arena, const char *folder, const char *path)
{
    return path[0] ? arena_printf(arena, "%s/%s", folder, path) : folder;
}

/* The functions of env_files, past the mounts: the files that a process in the place sees. */
static int raw_list(struct visit *visit, const char *path, struct env_entry **ret, int *ret_n)
{
    struct env bare = *visit->env;
    bare.n_mounts = 0;
    return env_tree(&bare, visit->arena, visit->place, path, FILES_MAX, ret, ret_n);
}

static int load(struct visit *visit, bool inside, const char *path, struct buf *buf)
{
    const struct env_files *files = visit->env->files;
    return files->load(visit->env->files_ctx, inside ? visit->place : "", path, buf);
}

/* Copies one file in (or back); *hash gets what it holds. */
static void carry(struct visit *visit, bool in, const char *from, const char *to, int mode,
                  uint64_t *hash)
{
    const struct env_files *files = visit->env->files;
    struct buf content, there;
    buf_init(&content, FILE_MAX);
    buf_init(&there, FILE_MAX);
    if (load(visit, !in, from, &content) == 0) {
        *hash = hash_of(buf_text(&content));
        bool same = load(visit, in, to, &there) == 0 && there.len == content.len &&
                    hash_of(buf_text(&there)) == *hash;
        if (!same)
            files->write(visit->env->files_ctx, in ? visit->place : "", to,
                         content.at ? content.at : "", content.len, mode, env_unix_ns(visit->env));
    }
    buf_release(&content);
    buf_release(&there);
}

static void go_in(struct visit *visit, int m)
{
    const struct visit_mount *mount = &visit->mounts[m];
    const struct env_files *files = visit->env->files;
    const char *source = mount->source, *target = mount->target;
    struct env_entry *outside, *inside;
    int n = 0, n_inside = 0;
    if (raw_list(visit, target, &inside, &n_inside))
        n_inside = 0;
    if (env_kind(visit->env, "", source) == 0) {
        /* a folder that is not there is made, and a new volume filled with what the image has at
         * that place */
        env_mkdir(visit->env, "", source);
        for (int i = 0; i < n_inside; i++) {
            uint64_t hash;
            if (!inside[i].is_dir)
                carry(visit, false, join(visit->arena, target, inside[i].path),
                      join(visit->arena, source, inside[i].path), inside[i].mode, &hash);
        }
    }
    int code = env_tree(visit->env, visit->arena, "", source, FILES_MAX, &outside, &n);
    if (code == -E2BIG)
        record_observe(visit->env->record, "not_simulated", source,
                       "%s holds too many files to be seen in the container at %s", source, target);
    if (code)
        return;
    bool is_file = n == 1 && !outside[0].path[0];
    visit->seen[m] = ARENA_ARRAY(visit->arena, struct seen, n + 1);
    for (int i = n_inside - 1; i >= 0; i--) { /* what the mount hides */
        bool known = false;
        for (int k = 0; k < n && !known; k++)
            known = strcmp(inside[i].path, outside[k].path) == 0;
        if (!known)
            files->unlink(visit->env->files_ctx, visit->place,
                          join(visit->arena, target, inside[i].path));
    }
    if (!is_file)
        files->mkdir(visit->env->files_ctx, visit->place, target);
    for (int i = 0; i < n; i++) {
        struct seen *seen = &visit->seen[m][visit->n_seen[m]];
        const char *to = join(visit->arena, target, outside[i].path);
        if (outside[i].is_dir) {
            files->mkdir(visit->env->files_ctx, visit->place, to);
            continue;
        }
        seen->path = outside[i].path;
        visit->n_seen[m]++;
        carry(visit, true, join(visit->arena, source, outside[i].path), to, outside[i].mode,
              &seen->hash);
    }
}

static void come_out(struct visit *visit, int m)
{
    const struct visit_mount *mount = &visit->mounts[m];
    const char *source = mount->source;
    struct env_entry *inside;
    int n;
    if (!visit->seen[m] || mount->read_only || raw_list(visit, mount->target, &inside, &n))
        return;
    for (int i = 0; i < n; i++) {
        const char *from = join(visit->arena, mount->target, inside[i].path);
        const char *to = join(visit->arena, source, inside[i].path);
        const struct seen *before = NULL;
        for (int k = 0; k < visit->n_seen[m] && !before; k++) {
            if (strcmp(visit->seen[m][k].path, inside[i].path) == 0)
                before = &visit->seen[m][k];
        }
        if (inside[i].is_dir) {
            env_mkdir(visit->env, "", to);
            continue;
        }
        struct buf now;
        buf_init(&now, FILE_MAX);
        bool changed = load(visit, true, from, &now) == 0 &&
                       (!before || hash_of(buf_text(&now)) != before->hash);
        buf_release(&now);
        uint64_t hash;
        if (changed)
            carry(visit, false, from, to, inside[i].mode, &hash);
    }
    for (int k = 0; k < visit->n_seen[m]; k++) {
        bool kept = false;
        for (int i = 0; i < n && !kept; i++)
            kept = strcmp(visit->seen[m][k].path, inside[i].path) == 0;
        if (!kept)
            env_unlink(visit->env, "", join(visit->arena, source, visit->seen[m][k].path));
    }
}

static void leave(void *ctx)
{
    struct visit *visit = ctx;
    for (int m = 0; m < visit->n_mounts; m++)
        come_out(visit, m);
    visit->n_mounts = 0;
}

struct visit *visit_begin(struct call *call, const char *place, const struct visit_mount *mounts,
                          int n)
{
    struct visit *visit = ARENA_NEW(call->arena, struct visit);
    *visit = (struct visit){
        .env = call->env,
        .arena = call->arena,
        .place = place,
        .mounts = mounts,
        .n_mounts = n,
        .seen = ARENA_ARRAY(call->arena, struct seen *, n + 1),
        .n_seen = ARENA_ARRAY(call->arena, int, n + 1),
    };
    for (int m = 0; m < n; m++)
        go_in(visit, m);
    if (n > 0)
        call_defer(call, leave, visit); /* also when the client is killed meanwhile */
    return visit;
}

void visit_end(struct visit *visit)
{
    leave(visit);
}
