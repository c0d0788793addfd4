/* docker cp, commit, save, load, history, update: containers and images that leave or change. */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "fakes/docker_command.h"

enum { FILE_MAX = 64 << 20, BLOCK = 512 };

/* ---- cp ---- */

static bool split_place(struct call *call, const char *text, const char **container,
                        const char **path)
{
    const char *colon = strchr(text, ':');
    if (!colon || text[0] == '/' || text[0] == '.')
        return false;
    *container = arena_str(call->arena, (struct str){text, (size_t)(colon - text)});
    *path = colon + 1;
    return true;
}

/* Absolute, without a slash at the end; *ret_slash: there was one, or "/.", which asks for what is
 * inside. */
static const char *plain_path(struct call *call, const char *cwd, const char *path, bool *ret_slash,
                              bool *ret_inside)
{
    const char *whole = path[0] == '/' ? path : arena_printf(call->arena, "%s/%s", cwd, path);
    struct str rest = str_of(whole);
    const char *clean = "";
    *ret_inside = str_ends(rest, "/.");
    *ret_slash = str_ends(rest, "/") || *ret_inside;
    while (rest.len > 0) {
        struct str part = str_cut(&rest, '/');
        if (part.len == 0 || str_is(part, "."))
            continue;
        const char *slash = strrchr(clean, '/');
        if (str_is(part, ".."))
            clean =
                slash ? arena_str(call->arena, (struct str){clean, (size_t)(slash - clean)}) : "";
        else
            clean = arena_printf(call->arena, "%s/%.*s", clean, STR_ARG(part));
    }
    return clean[0] ? clean : "/";
}

static const char *parent_of(struct call *call, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_str(call->arena, (struct str){path, (size_t)(slash - path)});
}

/* The rules of "docker cp" (its reference page): into a folder that is there, or as a new name;
 * SRC/. means what is in it. */
static int cp(struct docker_command *command)
{
    struct call *call = command->call;
    const char *from = command->options.args[0], *to = command->options.args[1];
    const char *name_from = NULL, *name_to = NULL, *path_from = from, *path_to = to;
    bool out = split_place(call, from, &name_from, &path_from);
    bool in = split_place(call, to, &name_to, &path_to);
    if (in == out) {
        call_err(call, in ? "copying between containers is not supported\n"
                          : "must specify at least one container source\n");
        return 1;
    }
    struct container *container = docker_want(command, in ? name_to : name_from);
    if (!container)
        return 1;
    if (strcmp(in ? path_from : path_to, "-") == 0) {
        record_observe(call->env->record, "not_simulated", "docker cp -",
                       "'docker cp' of a tar stream is not simulated");
        call_err(call, "docker cp of a tar stream is not simulated here\n");
        return 1;
    }
    bool slash_from, slash_to, inside, ignored;
    path_from = plain_path(call, out ? "" : call->cwd, path_from, &slash_from, &inside);
    path_to = plain_path(call, in ? "" : call->cwd, path_to, &slash_to, &ignored);
    const char *place_from = out ? container->place : call->place;
    const char *place_to = in ? container->place : call->place;
    int kind = env_kind(call->env, place_from, path_from);
    int there = env_kind(call->env, place_to, path_to);
    if (kind == 0 && out)
        return docker_daemon_error(call, "Could not find the file %s in container %s", path_from,
                                   name_from);
    if (kind == 0) {
        call_err(call, "lstat %s: no such file or directory\n", path_from);
        return 1;
    }
    if (there == 0 &&
        (env_kind(call->env, place_to, parent_of(call, path_to)) != 2 || (slash_to && kind == 1))) {
        if (in)
            return docker_daemon_error(call, "Could not find the file %s in container %s",
                                       slash_to ? path_to : parent_of(call, path_to), name_to);
        call_err(call, "invalid output path: directory \"%s\" does not exist\n",
                 slash_to ? path_to : parent_of(call, path_to));
        return 1;
    }
    if (kind == 2 && there == 1) {
        call_err(call, "cannot copy directory\n");
        return 1;
    }
    if (there == 2 && !(kind == 2 && inside)) {
        const char *base = strrchr(path_from, '/');
        path_to = arena_printf(call->arena, "%s%s", strcmp(path_to, "/") == 0 ? "" : path_to, base);
    }
    int64_t bytes = 0;
    int code = env_copy_tree(call->env, place_from, path_from, place_to, path_to, &bytes);
    call_sleep(call, 60 * MILLISECOND + (int64_t)((double)bytes / 200e6 * 1e9));
    if (code < 0) {
        call_err(call, "%s: %s\n", path_to, strerror(-code));
        return 1;
    }
    if (!options_has(&command->options, "quiet"))
        call_err(call, "Successfully copied %s to %s\n",
                 docker_human_size(call->arena, bytes + 3 * BLOCK), to);
    return 0;
}

/* ---- commit, history ---- */

/* The changed files stay behind: what is kept is what the container runs, with its variables. */
static int commit(struct docker_command *command)
{
    struct call *call = command->call;
    const char *reference = command->options.args[1], *repository, *tag;
    struct container *container = docker_want(command, command->options.args[0]);
    if (!container)
        return 1;
    const char *why =
        reference ? docker_reference(call->arena, reference, &repository, &tag) : NULL;
    if (why)
        return docker_daemon_error(call, "%s", why);
    if (container->instance)
        instance_rotate(container->instance, false); /* paused while its root is copied */
    call_sleep(call, 900 * MILLISECOND);
    if (container->instance && container->state == CONTAINER_RUNNING)
        instance_rotate(container->instance, true);
    struct docker_image *image =
        docker_image_new(command->docker, reference ? reference : container->spec.image);
    const char *id = image->id, *digest = image->digest;
    *image = *container->image;
    image->id = id;
    image->digest = digest;
    image->env = container->env;
    image->created_ns = docker_now(command->docker);
    image->corrupt = false;
    image->pulled = true;
    if (reference)
        docker_tag(command->docker, reference, image);
    record_change(call->env->record, reference ? reference : container->name,
                  "an image is made of container %s", container->name);
    call_out(call, "%s\n", image->id);
    return 0;
}

static int history(struct docker_command *command)
{
    struct call *call = command->call;
    const char *name = command->options.args[0], *repository, *tag;
    const char *why = docker_reference(call->arena, name, &repository, &tag);
    struct docker_image *image = docker_image_here(command->docker, name);
    if (!image)
        return why ? docker_daemon_error(call, "%s", why)
                   : docker_daemon_error(call, "No such image: %s:%s", repository, tag);
    bool whole = options_has(&command->options, "no-trunc");
    if (options_has(&command->options, "format")) {
        record_observe(call->env->record, "not_simulated", "docker history --format",
                       "'docker history --format' is not simulated");
        call_err(call, "docker: 'history --format' is not simulated here\n");
        return 1;
    }
    const char *id = whole ? image->id : arena_printf(call->arena, "%.12s", image->id + 7);
    if (options_has(&command->options, "quiet")) {
        call_out(call, "%s\n<missing>\n", id);
        return 0;
    }
    const char *age = arena_printf(
        call->arena, "%s ago",
        docker_human_duration(call->arena, docker_now(command->docker) - image->created_ns));
    const char *run = arena_printf(call->arena, "ENTRYPOINT [\"%s\"]",
                                   image->command[0] ? image->command[0] : "");
    if (!whole && strlen(run) > 45)
        run = arena_printf(call->arena, "%.44s\xe2\x80\xa6", run);
    const char *const titles[] = {"IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT", NULL};
    const char *const first[] = {id, age, run, "0B", "", NULL};
    const char *const second[] = {"<missing>",
                                  age,
                                  "COPY . . # buildkit",
                                  docker_human_size(call->arena, image->size_bytes),
                                  "buildkit.dockerfile.v0",
                                  NULL};
    const char *const *const rows[] = {first, second};
    docker_table(call, titles, rows, 2);
    return 0;
}

/* ---- save, load ---- */

/* An archive of one file, manifest.json, as tar (POSIX ustar): names and IDs stand in it, layers do
 * not. */
static void write_tar(struct buf *out, struct str text)
{
    char head[BLOCK] = {0};
    memcpy(head, "manifest.json", 13);
    memcpy(head + 100,
           "0000644\0"
           "0000000\0"
           "0000000\0",
           24);
    char number[16];
    snprintf(number, sizeof number, "%011zo", text.len);
    memcpy(head + 124, number, 12);
    memcpy(head + 136, "00000000000", 12);
    memset(head + 148, ' ', 8);
    head[156] = '0';
    memcpy(head + 257,
           "ustar\0"
           "00",
           8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof head; i++)
        sum += (unsigned char)head[i];
    snprintf(number, sizeof number, "%06o", sum);
    memcpy(head + 148, number, 7);
    buf_add(out, head, sizeof head);
    buf_str(out, text);
    char zeros[3 * BLOCK] = {0};
    buf_add(out, zeros, (BLOCK - text.len % BLOCK) % BLOCK + 2 * BLOCK);
}

static int save(struct docker_command *command)
{
    struct call *call = command->call;
    const char *file = options_value(&command->options, "output", NULL);
    if (!file && call_isatty(call, 1)) {
        call_err(call, "cowardly refusing to save to a terminal. Use the -o flag or redirect\n");
        return 1;
    }
    cJSON *manifest = cJSON_CreateArray();
    int64_t bytes = 0;
    const char *missing = NULL;
    for (char **name = command->options.args; *name && !missing; name++) {
        const char *repository, *tag;
        const char *why = docker_reference(call->arena, *name, &repository, &tag);
        const struct docker_image *image = docker_image_here(command->docker, *name);
        if (!image) {
            missing = why ? why : "reference does not exist";
            continue;
        }
        bytes += image->size_bytes;
        cJSON *entry = cJSON_CreateObject(), *tags = cJSON_CreateArray();
        cJSON_AddStringToObject(entry, "Config", image->id);
        if (!why && strncmp(tag, "sha256:", 7) != 0 && strncmp(image->id + 7, *name, strlen(*name)))
            cJSON_AddItemToArray(
                tags, cJSON_CreateString(arena_printf(call->arena, "%s:%s", repository, tag)));
        cJSON_AddItemToObject(entry, "RepoTags", tags);
        cJSON_AddItemToObject(entry, "Layers", cJSON_CreateArray());
        cJSON_AddItemToArray(manifest, entry);
    }
    char *printed = cJSON_PrintUnformatted(manifest);
    cJSON_Delete(manifest);
    struct buf tar;
    buf_init(&tar, FILE_MAX);
    write_tar(&tar, str_of(printed));
    cJSON_free(printed);
    const char *copy = arena_str(call->arena, buf_text(&tar));
    size_t len = tar.len;
    buf_release(&tar);
    if (missing)
        return docker_daemon_error(call, "%s", missing);
    call_sleep(call, (int64_t)((double)bytes / 200e6 * 1e9)); /* 200 MB/s of disk */
    if (!file) {
        call_write(call, 1, copy, len);
        return 0;
    }
    if (call_save(call, file, copy, len, 0600) < 0) {
        call_err(call,
                 "failed to save image: invalid output path: directory \"%s\" does not exist\n",
                 strchr(file, '/') ? parent_of(call, file) : file);
        return 1;
    }
    return 0;
}

/* What gzip made is read as it is; `out` gets the plain bytes. */
static bool unpack(struct str packed, struct buf *out)
{
    if (packed.len < 2 || (unsigned char)packed.at[0] != 0x1f ||
        (unsigned char)packed.at[1] != 0x8b) {
        buf_str(out, packed);
        return true;
    }
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.at,
                       .avail_in = (unsigned)packed.len};
    unsigned char piece[16384];
    int code = inflateInit2(&stream, 31) == Z_OK ? Z_OK : Z_MEM_ERROR;
    while (code == Z_OK) {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        code = inflate(&stream, Z_NO_FLUSH);
        if (code == Z_OK || code == Z_STREAM_END)
            buf_add(out, piece, sizeof piece - stream.avail_out);
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END;
}

static struct docker_image *by_id(struct docker *docker, const char *id)
{
    for (int i = 0; id && i < docker->n_images; i++) {
        if (strcmp(docker->images[i]->id, id) == 0)
            return docker->images[i];
    }
    return NULL;
}

/* Takes what the manifest names; what it says is added to `said`. False: there is no such image in
 * this world. */
static bool take(struct docker_command *command, const cJSON *manifest, const char **said)
{
    struct docker *docker = command->docker;
    struct arena *arena = command->call->arena;
    const cJSON *entry, *tag;
    cJSON_ArrayForEach(entry, manifest)
    {
        struct docker_image *image =
            by_id(docker, cJSON_GetStringValue(cJSON_GetObjectItem(entry, "Config")));
        if (!image)
            return false;
        image->pulled = true;
        const cJSON *tags = cJSON_GetObjectItem(entry, "RepoTags");
        if (cJSON_GetArraySize(tags) == 0)
            *said = arena_printf(arena, "%sLoaded image ID: %s\n", *said, image->id);
        cJSON_ArrayForEach(tag, tags)
        {
            const char *name = cJSON_GetStringValue(tag);
            if (docker_image_here(docker, name) != image)
                record_change(docker->env->record, name, "is loaded from an archive");
            docker_tag(docker, name, image);
            *said = arena_printf(arena, "%sLoaded image: %s\n", *said, name);
        }
    }
    return true;
}

static int load_images(struct docker_command *command)
{
    struct call *call = command->call;
    const char *file = options_value(&command->options, "input", NULL);
    struct buf packed, tar;
    if (!file && call_isatty(call, 0)) {
        call_err(call, "requested load from stdin, but stdin is empty\n");
        return 1;
    }
    buf_init(&packed, FILE_MAX);
    int code = file ? call_load(call, file, &packed) : call_read_all(call, 0, &packed);
    const struct str archive = {arena_str(call->arena, buf_text(&packed)), packed.len};
    buf_release(&packed);
    if (code < 0) {
        call_err(call, "open %s: no such file or directory\n", file ? file : "-");
        return 1;
    }
    buf_init(&tar, FILE_MAX);
    bool whole =
        unpack(archive, &tar) && tar.len >= 2 * BLOCK && strcmp(tar.at, "manifest.json") == 0;
    cJSON *manifest = whole ? cJSON_ParseWithLength(tar.at + BLOCK, tar.len - BLOCK) : NULL;
    buf_release(&tar);
    const char *said = "";
    bool known = manifest && take(command, manifest, &said);
    cJSON_Delete(manifest);
    call_sleep(call, SECOND);
    if (!whole) {
        call_err(call, archive.len == 0 ? "requested load from stdin, but stdin is empty\n"
                                        : "Error response from daemon: unexpected EOF\n");
        return 1;
    }
    if (!known) {
        record_observe(call->env->record, "not_simulated", file ? file : "stdin",
                       "an archive that 'docker save' of this run did not write cannot be loaded");
        call_err(call, "docker load of a foreign archive is not simulated here\n");
        return 1;
    }
    call_out(call, "%s", said);
    return 0;
}

/* ---- update ---- */

static int update(struct docker_command *command)
{
    struct call *call = command->call;
    const char *text = options_value(&command->options, "restart", NULL);
    enum restart_policy policy = RESTART_NO;
    int status = 0, most = 0;
    if (text && !docker_restart_policy(text, &policy, &most)) {
        call_err(call, "invalid restart policy '%s'\n", text);
        return 1;
    }
    for (char **name = command->options.args; *name; name++) {
        struct container *container = docker_want(command, *name);
        if (!container) {
            status = 1;
            continue;
        }
        if (text) {
            container->spec.restart = policy;
            container->spec.restart_max = most;
        }
        call_out(call, "%s\n", *name);
    }
    return status;
}

static int not_here(struct docker_command *command)
{
    const char *name = command->verb->name;
    bool of_container = strstr(command->verb->usage, "CONTAINER") != NULL;
    if (of_container && !docker_want(command, command->options.args[0]))
        return 1;
    record_observe(command->call->env->record, "not_simulated", name,
                   "'docker %s' is not simulated", name);
    call_err(command->call, "docker: '%s' is not simulated here\n", name);
    return 1;
}

const struct docker_verb docker_archive_verbs[] = {
    {"cp",
     "cp [OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- "
     "CONTAINER:DEST_PATH",
     "archive|a follow-link|L quiet|q", true, 2, 2, cp},
    {"commit", "commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
     "author|a= change|c= message|m= pause|p", true, 1, 2, commit},
    {"save", "save [OPTIONS] IMAGE [IMAGE...]", "output|o= platform=", true, 1, -1, save},
    {"load", "load [OPTIONS]", "input|i= platform= quiet|q", true, 0, 0, load_images},
    {"history", "history [OPTIONS] IMAGE", "format= human|H no-trunc platform= quiet|q", true, 1, 1,
     history},
    {"diff", "diff CONTAINER", "", true, 1, 1, not_here},
    {"export", "export [OPTIONS] CONTAINER", "output|o=", true, 1, 1, not_here},
    {"import", "import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
     "change|c= message|m= platform=", true, 1, -1, not_here},
    {"events", "events [OPTIONS]", "filter|f= format= since= until=", true, 0, 0, not_here},
    {"system events", "system events [OPTIONS]", "filter|f= format= since= until=", true, 0, 0,
     not_here},
    {"search", "search [OPTIONS] TERM", "filter|f= format= limit= no-trunc", true, 1, 1, not_here},
    {"update", "update [OPTIONS] CONTAINER [CONTAINER...]",
     "blkio-weight= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= cpu-shares|c= cpus= "
     "cpuset-cpus= cpuset-mems= memory|m= memory-reservation= memory-swap= pids-limit= restart=",
     true, 1, -1, update},
    {0},
};
