/* kubectl cp: files into a container and out of it, by tar there (k8s.io/kubectl pkg/cmd/cp). */
#include <errno.h>
#include <string.h>

#include "fakes/env.h"
#include "fakes/inside.h"
#include "fakes/kubernetes/kubectl/exec.h"

struct spec {
    const char *ns, *pod; /* pod NULL: on this machine */
    const char *path;
};

/* "[[namespace/]pod:]file/path" */
static bool read_spec(struct kubectl *k, const char *typed, struct spec *ret)
{
    const char *colon = strchr(typed, ':');
    *ret = (struct spec){k->ns, NULL, typed};
    if (!colon)
        return true;
    const char *where = arena_printf(k->arena, "%.*s", (int)(colon - typed), typed);
    const char *slash = strchr(where, '/');
    if (colon == typed || (slash && strchr(slash + 1, '/'))) {
        kubectl_error(k, "filespec must match the canonical format: [[namespace/]pod:]file/path");
        return false;
    }
    ret->path = colon + 1;
    ret->pod = slash ? slash + 1 : where;
    if (slash)
        ret->ns = arena_printf(k->arena, "%.*s", (int)(slash - where), where);
    return true;
}

/* Absolute and without "." and "..": as tar in the container would find it from its root. */
static const char *clean(struct kubectl *k, const char *folder, const char *path)
{
    struct str rest = str_of(path[0] == '/' ? path : arena_printf(k->arena, "%s/%s", folder, path));
    const char *result = "";
    while (rest.len) {
        struct str part = str_cut(&rest, '/');
        const char *slash = strrchr(result, '/');
        if (str_is(part, ".."))
            result = slash ? arena_printf(k->arena, "%.*s", (int)(slash - result), result) : "";
        else if (part.len && !str_is(part, "."))
            result = arena_printf(k->arena, "%s/%.*s", result, STR_ARG(part));
    }
    return *result ? result : "/";
}

static const char *parent(struct kubectl *k, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_printf(k->arena, "%.*s", (int)(slash - path), path);
}

struct copying {
    struct kubectl *k;
    struct object *pod;
    const char *container, *place; /* place: the container's */
};

static int tar_failed(struct kubectl *k, const char *text)
{
    call_err(k->call, "%s", text);
    return kubectl_ended(k, 2);
}

static int copied(struct kubectl *k, int code, int64_t bytes)
{
    call_sleep(k->call, 100 * MILLISECOND + (int64_t)((double)bytes / 100e6 * 1e9));
    return code < 0 ? kubectl_error(k, "%s", strerror(-code)) : 0;
}

static int copy_in(const struct copying *c, const char *from, const char *to)
{
    struct kubectl *k = c->k;
    int64_t bytes = 0;
    const char *source = clean(k, k->call->cwd, from), *target = clean(k, "", to);
    if (env_kind(k->call->env, c->place, target) == 2)
        target = arena_printf(k->arena, "%s%s", strcmp(target, "/") == 0 ? "" : target,
                              strrchr(source, '/'));
    if (env_kind(k->call->env, c->place, parent(k, target)) != 2)
        return tar_failed(k, arena_printf(k->arena,
                                          "tar: %s: Cannot open: No such file or directory\ntar: "
                                          "Error is not recoverable: exiting now\n",
                                          parent(k, target)));
    return copied(k, env_copy_tree(k->call->env, k->call->place, source, c->place, target, &bytes),
                  bytes);
}

static int copy_out(const struct copying *c, const char *from, const char *to)
{
    struct kubectl *k = c->k;
    int64_t bytes = 0;
    const char *source = clean(k, "", from), *target = clean(k, k->call->cwd, to);
    int kind = env_kind(k->call->env, c->place, source);
    if (from[0] == '/')
        call_err(k->call, "tar: Removing leading `/' from member names\n");
    if (kind == 0)
        return tar_failed(k, arena_printf(k->arena,
                                          "tar: %s: Cannot stat: No such file or directory\ntar: "
                                          "Exiting with failure status due to previous errors\n",
                                          from));
    if (kind == 1 && env_kind(k->call->env, k->call->place, target) == 2)
        return kubectl_error(k, "open %s: is a directory", to);
    return copied(k, env_copy_tree(k->call->env, c->place, source, k->call->place, target, &bytes),
                  bytes);
}

int kubectl_cp(struct kubectl *k)
{
    struct spec from, to;
    if (k->n_args != 2)
        return kubectl_error(k, "source and destination are required");
    if (!read_spec(k, k->args[0], &from) || !read_spec(k, k->args[1], &to))
        return 1;
    if (from.pod && to.pod)
        return kubectl_error(k, "one of src or dest must be a local file specification");
    if (!*from.path || !*to.path)
        return kubectl_error(k, "filepath can not be empty");
    if (!from.pod && !to.pod)
        return kubectl_error(k, "one of src or dest must be a remote file specification");
    if (to.pod && env_kind(k->call->env, k->call->place, clean(k, k->call->cwd, from.path)) == 0)
        return kubectl_error(k, "%s doesn't exist in local filesystem", from.path);
    const struct spec *remote = from.pod ? &from : &to;
    int failed;
    k->ns = remote->ns;
    struct copying c = {.k = k};
    c.pod = kubectl_pod_or_owner(k, arena_printf(k->arena, "pods/%s", remote->pod), false, &failed);
    if (!c.pod)
        return failed;
    c.container = options_value(&k->options, "container", "");
    if (!*c.container)
        c.container = kubectl_default_container(k, c.pod, false);
    const char *why = kubectl_cannot_enter(k, c.pod, c.container);
    if (why) {
        call_err(k->call, "%s\n", why);
        return 1;
    }
    c.place = pod_place(k->cluster, c.pod, c.container);
    if (!c.place)
        return kubectl_refuse(k, "a command in more pods at once than have files of their own");
    struct visit *visit = pod_enter(k->call, c.pod, c.container);
    int status = from.pod ? copy_out(&c, from.path, to.path) : copy_in(&c, from.path, to.path);
    visit_end(visit);
    return status;
}
