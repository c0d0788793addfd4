/* docker inspect, and the verbs of volumes, networks and the system. */
#include <string.h>

#include "fakes/docker_command.h"
#include "fakes/go_template.h"

enum { OUTPUT_MAX = 16 << 20 };

static cJSON *words(const char *const *list)
{
    cJSON *array = cJSON_CreateArray();
    for (; list && *list; list++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*list));
    return array;
}

static cJSON *labels_of(struct arena *arena, const char *const *labels)
{
    cJSON *object = cJSON_CreateObject();
    for (; labels && *labels; labels++) {
        struct str value = str_of(*labels);
        const char *name = arena_str(arena, str_cut(&value, '='));
        cJSON_AddStringToObject(object, name, arena_str(arena, value));
    }
    return object;
}

static const char *instant(struct docker *docker, struct arena *arena, int64_t at_ns)
{
    return at_ns == NEVER ? "0001-01-01T00:00:00Z" : docker_time(docker, arena, at_ns);
}

static cJSON *state_of(struct docker *docker, struct container *container, struct arena *arena)
{
    static const char *const health[] = {"none", "starting", "healthy", "unhealthy"};
    cJSON *state = cJSON_CreateObject();
    bool runs = container_running(container);
    cJSON_AddStringToObject(state, "Status", container_state_word(container));
    cJSON_AddBoolToObject(state, "Running", runs);
    cJSON_AddBoolToObject(state, "Paused", container->state == CONTAINER_PAUSED);
    cJSON_AddBoolToObject(state, "Restarting", container->state == CONTAINER_RESTARTING);
    cJSON_AddBoolToObject(state, "OOMKilled",
                          container->exit_code == 137 && container->instance &&
                              strstr(instance_why(container->instance), "memory"));
    cJSON_AddBoolToObject(state, "Dead", false);
    cJSON_AddNumberToObject(state, "Pid", runs ? 2417 : 0);
    cJSON_AddNumberToObject(state, "ExitCode", container->exit_code);
    cJSON_AddStringToObject(state, "Error", container->error);
    cJSON_AddStringToObject(state, "StartedAt", instant(docker, arena, container->started_ns));
    cJSON_AddStringToObject(state, "FinishedAt", instant(docker, arena, container->finished_ns));
    if (container->spec.health.test) {
        cJSON *check = cJSON_AddObjectToObject(state, "Health");
        cJSON_AddStringToObject(check, "Status", health[container_health(container)]);
        cJSON_AddNumberToObject(check, "FailingStreak",
                                container_health(container) == HEALTH_UNHEALTHY ? 3 : 0);
        cJSON_AddItemToObject(check, "Log", cJSON_CreateArray());
    }
    return state;
}

static cJSON *ports_of(struct container *container, struct arena *arena)
{
    cJSON *ports = cJSON_CreateObject();
    for (int i = 0; i < container->spec.n_ports; i++) {
        const struct docker_port *port = &container->spec.ports[i];
        const char *name = arena_printf(arena, "%d/%s", port->container, port->protocol);
        cJSON *list = cJSON_GetObjectItemCaseSensitive(ports, name);
        if (!port->address) {
            cJSON_AddNullToObject(ports, name);
            continue;
        }
        if (!list)
            list = cJSON_AddArrayToObject(ports, name);
        cJSON *binding = cJSON_CreateObject();
        cJSON_AddStringToObject(binding, "HostIp", port->address);
        cJSON_AddStringToObject(binding, "HostPort", arena_printf(arena, "%d", port->host));
        cJSON_AddItemToArray(list, binding);
    }
    return ports;
}

static cJSON *mounts_of(struct container *container, struct arena *arena)
{
    cJSON *mounts = cJSON_CreateArray();
    for (int i = 0; i < container->spec.n_mounts; i++) {
        const struct docker_mount *mount = &container->spec.mounts[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "Type", mount->volume ? "volume" : "bind");
        if (mount->volume) {
            cJSON_AddStringToObject(object, "Name", mount->volume);
            cJSON_AddStringToObject(
                object, "Source",
                arena_printf(arena, "/var/lib/docker/volumes/%s/_data", mount->volume));
        } else {
            cJSON_AddStringToObject(object, "Source", mount->source);
        }
        cJSON_AddStringToObject(object, "Destination", mount->target);
        cJSON_AddBoolToObject(object, "RW", !mount->read_only);
        cJSON_AddItemToArray(mounts, object);
    }
    return mounts;
}

cJSON *docker_inspect_container(struct docker *docker, struct container *container,
                                struct arena *arena)
{
    static const char *const policies[] = {"no", "always", "unless-stopped", "on-failure"};
    const char *const *command = container->spec.command && !container->image->command[0]
                                     ? container->spec.command
                                     : container->image->command;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "Id", container->id);
    cJSON_AddStringToObject(object, "Created", docker_time(docker, arena, container->created_ns));
    cJSON_AddStringToObject(object, "Path", command[0] ? command[0] : "");
    cJSON_AddItemToObject(object, "Args", words(command[0] ? command + 1 : command));
    cJSON_AddItemToObject(object, "State", state_of(docker, container, arena));
    cJSON_AddStringToObject(object, "Image", container->image->id);
    cJSON_AddStringToObject(object, "Name", arena_printf(arena, "/%s", container->name));
    cJSON_AddNumberToObject(object, "RestartCount", container->restarts);
    cJSON *host = cJSON_AddObjectToObject(object, "HostConfig");
    cJSON *policy = cJSON_AddObjectToObject(host, "RestartPolicy");
    cJSON_AddStringToObject(policy, "Name", policies[container->spec.restart]);
    cJSON_AddNumberToObject(policy, "MaximumRetryCount", container->spec.restart_max);
    cJSON_AddItemToObject(host, "PortBindings", ports_of(container, arena));
    cJSON_AddItemToObject(object, "Mounts", mounts_of(container, arena));
    cJSON *config = cJSON_AddObjectToObject(object, "Config");
    cJSON_AddStringToObject(config, "Hostname",
                            container->spec.hostname ? container->spec.hostname
                                                     : arena_printf(arena, "%.12s", container->id));
    cJSON_AddStringToObject(config, "User", container->spec.user ? container->spec.user : "");
    cJSON_AddItemToObject(config, "Env", words(container->env));
    cJSON_AddItemToObject(config, "Cmd", words(container->spec.command));
    cJSON_AddStringToObject(config, "Image", container->spec.image);
    cJSON_AddStringToObject(config, "WorkingDir",
                            container->spec.folder ? container->spec.folder : "");
    cJSON_AddItemToObject(config, "Labels", labels_of(arena, container->spec.labels));
    cJSON *settings = cJSON_AddObjectToObject(object, "NetworkSettings");
    cJSON_AddItemToObject(settings, "Ports", ports_of(container, arena));
    cJSON *networks = cJSON_AddObjectToObject(settings, "Networks");
    for (const char *const *name = container->spec.networks; name && *name; name++) {
        cJSON *network = cJSON_AddObjectToObject(networks, *name);
        cJSON_AddStringToObject(network, "IPAddress",
                                container_running(container) ? "172.18.0.2" : "");
    }
    return object;
}

static cJSON *inspect_image(struct docker *docker, const struct docker_image *image,
                            struct arena *arena)
{
    cJSON *object = cJSON_CreateObject(), *tags, *digests;
    cJSON_AddStringToObject(object, "Id", image->id);
    tags = cJSON_AddArrayToObject(object, "RepoTags");
    digests = cJSON_AddArrayToObject(object, "RepoDigests");
    for (int i = 0; i < docker->n_tags; i++) {
        const struct docker_tag *tag = &docker->tags[i];
        if (tag->image != image)
            continue;
        cJSON_AddItemToArray(
            tags, cJSON_CreateString(arena_printf(arena, "%s:%s", tag->repository, tag->tag)));
        if (cJSON_GetArraySize(digests) == 0)
            cJSON_AddItemToArray(digests, cJSON_CreateString(arena_printf(
                                              arena, "%s@%s", tag->repository, image->digest)));
    }
    cJSON_AddStringToObject(object, "Created", docker_time(docker, arena, image->created_ns));
    cJSON *config = cJSON_AddObjectToObject(object, "Config");
    cJSON_AddItemToObject(config, "Env", words(image->env));
    cJSON_AddItemToObject(config, "Cmd", words(image->command));
    cJSON_AddItemToObject(config, "Labels", cJSON_CreateObject());
    cJSON_AddStringToObject(object, "Architecture", "amd64");
    cJSON_AddStringToObject(object, "Os", "linux");
    cJSON_AddNumberToObject(object, "Size", (double)image->size_bytes);
    cJSON *root = cJSON_AddObjectToObject(object, "RootFS");
    cJSON_AddStringToObject(root, "Type", "layers");
    return object;
}

static cJSON *inspect_network(struct docker *docker, const struct docker_network *network,
                              struct arena *arena)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "Name", network->name);
    cJSON_AddStringToObject(object, "Id", network->id);
    cJSON_AddStringToObject(object, "Created", docker_time(docker, arena, network->created_ns));
    cJSON_AddStringToObject(object, "Scope", "local");
    cJSON_AddStringToObject(object, "Driver", network->driver);
    cJSON_AddItemToObject(object, "Labels", labels_of(arena, network->labels));
    return object;
}

static cJSON *inspect_volume(struct docker *docker, const struct docker_volume *volume,
                             struct arena *arena)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "CreatedAt", docker_time(docker, arena, volume->created_ns));
    cJSON_AddStringToObject(object, "Driver", "local");
    cJSON_AddItemToObject(object, "Labels", labels_of(arena, volume->labels));
    cJSON_AddStringToObject(object, "Mountpoint",
                            arena_printf(arena, "/var/lib/docker/volumes/%s/_data", volume->name));
    cJSON_AddStringToObject(object, "Name", volume->name);
    cJSON_AddNullToObject(object, "Options");
    cJSON_AddStringToObject(object, "Scope", "local");
    return object;
}

/* The object of that name among the kinds in `kinds` ("cinv": container, image, network, volume).
 */
static cJSON *inspect_one(struct docker_command *command, const char *kinds, const char *name)
{
    struct docker *docker = command->docker;
    struct arena *arena = command->call->arena;
    struct container *container = strchr(kinds, 'c') ? docker_find(docker, name) : NULL;
    struct docker_image *image = strchr(kinds, 'i') ? docker_image_here(docker, name) : NULL;
    struct docker_network *network = strchr(kinds, 'n') ? docker_network(docker, name) : NULL;
    struct docker_volume *volume = strchr(kinds, 'v') ? docker_volume(docker, name) : NULL;
    if (container)
        return docker_inspect_container(docker, container, arena);
    if (image)
        return inspect_image(docker, image, arena);
    if (network)
        return inspect_network(docker, network, arena);
    return volume ? inspect_volume(docker, volume, arena) : NULL;
}

static const char *no_such(struct arena *arena, const char *kind, const char *name)
{
    if (strcmp(kind, "volume") == 0)
        return arena_printf(arena, "get %s: no such volume", name);
    if (strcmp(kind, "network") == 0)
        return arena_printf(arena, "network %s not found", name);
    bool tagless = strcmp(kind, "image") == 0 && !strchr(name, ':') && !strchr(name, '@');
    return arena_printf(arena, "No such %s: %s%s", kind, name, tagless ? ":latest" : "");
}

static int inspect(struct docker_command *command)
{
    struct call *call = command->call;
    struct arena *arena = call->arena;
    const char *format = options_value(&command->options, "format", NULL);
    const char *type = options_value(&command->options, "type", NULL);
    const char *kinds = "cinv", *kind = "object";
    static const char *const types[] = {"container", "image", "network", "volume"};
    for (int i = 0; i < 4; i++) {
        if ((type && strcmp(type, types[i]) == 0) ||
            strncmp(command->verb->name, types[i], strlen(types[i])) == 0) {
            kinds = (const char *const[]){"c", "i", "n", "v"}[i];
            kind = types[i];
        }
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    cJSON *all = cJSON_CreateArray();
    const char *error = NULL, *missing = "";
    for (char **name = command->options.args; *name && !error; name++) {
        cJSON *object = inspect_one(command, kinds, *name);
        if (!object) {
            missing = arena_printf(
                arena, "%s%s%s\n", missing,
                kinds[1] ? "Error: " : "Error response from daemon: ", no_such(arena, kind, *name));
            continue;
        }
        if (format && strcmp(format, "json") != 0) {
            error = go_template(arena, format, object, true, &out);
            buf_putc(&out, '\n');
        }
        cJSON_AddItemToArray(all, object);
    }
    if (!format || strcmp(format, "json") == 0) {
        char *printed = format ? cJSON_PrintUnformatted(all) : cJSON_Print(all);
        struct str rest = str_of(printed);
        while (!format && rest.len > 0) { /* cJSON indents by tabs, Docker by four blanks */
            struct str line = str_cut(&rest, '\n');
            while (line.len > 0 && line.at[0] == '\t') {
                buf_puts(&out, "    ");
                line.at++;
                line.len--;
            }
            buf_str(&out, line);
            buf_putc(&out, '\n');
        }
        if (format)
            buf_printf(&out, "%s\n", printed);
        cJSON_free(printed);
    }
    cJSON_Delete(all);
    const char *text = arena_str(arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    if (error) {
        call_err(call, "template parsing error: %s\n", error);
        return 1;
    }
    call_write(call, 1, text, len);
    call_err(call, "%s", missing);
    return missing[0] ? 1 : 0;
}

/* ---- volumes, networks ---- */

static bool keep(const struct options *options, const char *name)
{
    const char *filter = options_value(options, "filter", "");
    return strncmp(filter, "name=", 5) != 0 || strstr(name, filter + 5) != NULL;
}

static int volume_ls(struct docker_command *command)
{
    struct docker *docker = command->docker;
    struct arena *arena = command->call->arena;
    const char *const titles[] = {"DRIVER", "VOLUME NAME", NULL};
    const char *const **rows = ARENA_ARRAY(arena, const char *const *, docker->n_volumes + 1);
    const char *names = "";
    int n = 0;
    bool quiet =
        options_has(&command->options, "quiet") || options_has(&command->options, "format");
    for (int i = 0; i < docker->n_volumes; i++) {
        const char **row = ARENA_ARRAY(arena, const char *, 3);
        if (!keep(&command->options, docker->volumes[i].name))
            continue;
        row[0] = "local";
        row[1] = docker->volumes[i].name;
        rows[n++] = row;
        names = arena_printf(arena, "%s%s\n", names, row[1]);
    }
    if (quiet)
        call_out(command->call, "%s", names);
    else
        docker_table(command->call, titles, rows, n);
    return 0;
}

static int volume_create(struct docker_command *command)
{
    const char *name = command->options.args[0];
    char hex[65];
    docker_hex(
        arena_printf(command->call->arena, "volume %lld", (long long)++command->docker->n_ids),
        hex);
    name = name ? name : options_value(&command->options, "name", hex);
    if (!docker_volume(command->docker, name))
        docker_volume_new(command->docker, name, NULL);
    call_out(command->call, "%s\n", name);
    return 0;
}

static int volume_rm(struct docker_command *command)
{
    int status = 0;
    for (char **name = command->options.args; *name; name++) {
        struct container *user = docker_volume_user(command->docker, *name);
        bool force = options_has(&command->options, "force");
        if (!docker_volume(command->docker, *name) && !force)
            status = docker_daemon_error(command->call, "get %s: no such volume", *name);
        else if (user)
            status = docker_daemon_error(command->call, "remove %s: volume is in use - [%s]", *name,
                                         user->id);
        else {
            docker_volume_remove(command->docker, *name);
            call_out(command->call, "%s\n", *name);
        }
    }
    return status;
}

static int network_ls(struct docker_command *command)
{
    struct docker *docker = command->docker;
    struct arena *arena = command->call->arena;
    const char *const titles[] = {"NETWORK ID", "NAME", "DRIVER", "SCOPE", NULL};
    const char *const **rows = ARENA_ARRAY(arena, const char *const *, docker->n_networks + 1);
    const char *names = "";
    int n = 0;
    for (int i = 0; i < docker->n_networks; i++) {
        const struct docker_network *network = &docker->networks[i];
        const char **row = ARENA_ARRAY(arena, const char *, 5);
        if (!keep(&command->options, network->name))
            continue;
        row[0] = arena_printf(arena, "%.12s", network->id);
        row[1] = network->name;
        row[2] = network->driver;
        row[3] = "local";
        rows[n++] = row;
        names = arena_printf(arena, "%s%s\n", names,
                             options_has(&command->options, "quiet") ? row[0] : network->name);
    }
    if (options_has(&command->options, "quiet") || options_has(&command->options, "format"))
        call_out(command->call, "%s", names);
    else
        docker_table(command->call, titles, rows, n);
    return 0;
}

static int network_create(struct docker_command *command)
{
    const char *name = command->options.args[0];
    if (docker_network(command->docker, name))
        return docker_daemon_error(command->call, "network with name %s already exists", name);
    call_out(command->call, "%s\n", docker_network_new(command->docker, name, NULL)->id);
    return 0;
}

static int network_rm(struct docker_command *command)
{
    int status = 0;
    for (char **name = command->options.args; *name; name++) {
        struct docker_network *network = docker_network(command->docker, *name);
        if (!network)
            status = docker_daemon_error(command->call, "network %s not found", *name);
        else if (docker_network_user(command->docker, network->name))
            status =
                docker_daemon_error(command->call,
                                    "error while removing network: network %s id %s has active "
                                    "endpoints",
                                    *name, network->id);
        else {
            docker_network_remove(command->docker, *name);
            call_out(command->call, "%s\n", *name);
        }
    }
    if (status) /* the client's own, in a line of its own */
        call_err(command->call, "exit status 1\n");
    return status;
}

/* network connect, network disconnect */
static int network_member(struct docker_command *command)
{
    struct arena *arena = docker_arena(command->docker);
    bool joins = strstr(command->verb->name, "disconnect") == NULL;
    struct docker_network *network = docker_network(command->docker, command->options.args[0]);
    if (!network)
        return docker_daemon_error(command->call, "network %s not found", command->options.args[0]);
    struct container *container = docker_want(command, command->options.args[1]);
    if (!container)
        return 1;
    int n = 0;
    const char *const *old = container->spec.networks;
    while (old && old[n])
        n++;
    const char **names = ARENA_ARRAY(arena, const char *, n + 2);
    bool member = false;
    n = 0;
    for (; old && *old; old++) {
        bool same = strcmp(*old, network->name) == 0;
        member = member || same;
        if (!same)
            names[n++] = *old;
    }
    if (joins && member && container_running(container))
        return docker_daemon_error(command->call,
                                   "endpoint with name %s already exists in network %s",
                                   container->name, network->name);
    if (!joins && !member)
        return docker_daemon_error(command->call, "container %s is not connected to the network %s",
                                   container->id, network->name);
    if (joins)
        names[n++] = network->name;
    container->spec.networks = names;
    return 0;
}

/* ---- info, system, prune ---- */

static int info(struct docker_command *command)
{
    struct docker *docker = command->docker;
    int n = 0, running = 0, paused = 0, images = 0;
    for (int i = 0; i < docker->n_containers; i++) {
        if (docker->containers[i]->removed)
            continue;
        n++;
        running += docker->containers[i]->state == CONTAINER_RUNNING;
        paused += docker->containers[i]->state == CONTAINER_PAUSED;
    }
    for (int i = 0; i < docker->n_images; i++)
        images += docker->images[i]->pulled;
    call_out(
        command->call,
        "Client: Docker Engine - Community\n Version:    28.0.4\n\nServer:\n Containers: %d\n  "
        "Running: %d\n  Paused: %d\n  Stopped: %d\n Images: %d\n Server Version: %s\n Storage "
        "Driver: overlay2\n Operating System: Debian GNU/Linux 12 (bookworm)\n OSType: linux\n "
        "Architecture: x86_64\n CPUs: 4\n Total Memory: 7.6GiB\n",
        n, running, paused, n - running - paused, images, docker->server_version);
    return 0;
}

static int system_df(struct docker_command *command)
{
    struct docker *docker = command->docker;
    struct arena *arena = command->call->arena;
    int64_t bytes = 0, unused = 0;
    int n_images = 0, n_used = 0, n_containers = 0, n_running = 0;
    for (int i = 0; i < docker->n_images; i++) {
        const struct docker_image *image = docker->images[i];
        bool used = false;
        for (int k = 0; k < docker->n_containers; k++)
            used =
                used || (!docker->containers[k]->removed && docker->containers[k]->image == image);
        n_images += image->pulled;
        n_used += image->pulled && used;
        bytes += image->pulled ? image->size_bytes : 0;
        unused += image->pulled && !used ? image->size_bytes : 0;
    }
    for (int i = 0; i < docker->n_containers; i++) {
        n_containers += !docker->containers[i]->removed;
        n_running += !docker->containers[i]->removed && container_running(docker->containers[i]);
    }
    const char *const titles[] = {"TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE", NULL};
    const char *const row_1[] = {"Images",
                                 arena_printf(arena, "%d", n_images),
                                 arena_printf(arena, "%d", n_used),
                                 docker_human_size(arena, bytes),
                                 arena_printf(arena, "%s (%d%%)", docker_human_size(arena, unused),
                                              bytes ? (int)(unused * 100 / bytes) : 0),
                                 NULL};
    const char *const row_2[] = {"Containers",
                                 arena_printf(arena, "%d", n_containers),
                                 arena_printf(arena, "%d", n_running),
                                 "0B",
                                 "0B",
                                 NULL};
    const char *const row_3[] = {"Local Volumes",
                                 arena_printf(arena, "%d", docker->n_volumes),
                                 arena_printf(arena, "%d", docker->n_volumes),
                                 "0B",
                                 "0B",
                                 NULL};
    const char *const row_4[] = {"Build Cache", "0", "0", "0B", "0B", NULL};
    const char *const *const rows[] = {row_1, row_2, row_3, row_4};
    docker_table(command->call, titles, rows, 4);
    return 0;
}

const struct docker_verb docker_thing_verbs[] = {
    {"inspect", "inspect [OPTIONS] NAME|ID [NAME|ID...]", "format|f= size|s type=", true, 1, -1,
     inspect},
    {"container inspect", "container inspect [OPTIONS] CONTAINER [CONTAINER...]",
     "format|f= size|s", true, 1, -1, inspect},
    {"image inspect", "image inspect [OPTIONS] IMAGE [IMAGE...]", "format|f= platform=", true, 1,
     -1, inspect},
    {"volume inspect", "volume inspect [OPTIONS] VOLUME [VOLUME...]", "format|f=", true, 1, -1,
     inspect},
    {"network inspect", "network inspect [OPTIONS] NETWORK [NETWORK...]", "format|f= verbose|v",
     true, 1, -1, inspect},
    {"volume ls", "volume ls [OPTIONS]", "filter|f= format= quiet|q", true, 0, 0, volume_ls},
    {"volume create", "volume create [OPTIONS] [VOLUME]", "driver|d= label= name= opt|o=", true, 0,
     1, volume_create},
    {"volume rm", "volume rm [OPTIONS] VOLUME [VOLUME...]", "force|f", true, 1, -1, volume_rm},
    {"network ls", "network ls [OPTIONS]", "filter|f= format= no-trunc quiet|q", true, 0, 0,
     network_ls},
    {"network create", "network create [OPTIONS] NETWORK",
     "driver|d= label= subnet= gateway= attachable aux-address= config-from= config-only ingress "
     "internal ip-range= ipam-driver= ipam-opt= ipv4 ipv6 opt|o= scope=",
     true, 1, 1, network_create},
    {"network rm", "network rm NETWORK [NETWORK...]", "force|f", true, 1, -1, network_rm},
    {"network connect", "network connect [OPTIONS] NETWORK CONTAINER",
     "alias= driver-opt= gw-priority= ip= ip6= link= link-local-ip=", true, 2, 2, network_member},
    {"network disconnect", "network disconnect [OPTIONS] NETWORK CONTAINER", "force|f", true, 2, 2,
     network_member},
    {"info", "info [OPTIONS]", "format|f=", true, 0, 0, info},
    {"system info", "system info [OPTIONS]", "format|f=", true, 0, 0, info},
    {"system df", "system df [OPTIONS]", "format= verbose|v", true, 0, 0, system_df},
    {0},
};
