/* docker ps, images, stats, inspect: what there is. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fakes/docker_command.h"
#include "fakes/go_template.h"
#include "fakes/host.h"
#include "sim/base/str.h"

enum { OUTPUT_MAX = 8 << 20 };

/* ---- rows and formats ---- */

/* "\t" and "\n" as typed in a format. */
static const char *unescape(struct arena *arena, const char *format)
{
    char *text = arena_strdup(arena, format), *to = text;
    for (const char *p = format; *p; p++) {
        if (p[0] == '\\' && (p[1] == 't' || p[1] == 'n'))
            *to++ = *++p == 't' ? '\t' : '\n';
        else
            *to++ = *p;
    }
    *to = '\0';
    return text;
}

/* Lines whose cells are parted by tabs, as the tabwriter of the client sets them. */
static void align(struct buf *text, struct buf *out)
{
    size_t widths[64] = {0};
    struct str rest = buf_text(text);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        for (int k = 0; k < 64 && line.len > 0; k++) {
            size_t len = docker_width(str_cut(&line, '\t'));
            widths[k] = len > widths[k] ? len : widths[k];
        }
    }
    rest = buf_text(text);
    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');
        for (int k = 0; k < 64; k++) {
            bool last = line.len == 0 || !memchr(line.at, '\t', line.len);
            struct str cell = str_cut(&line, '\t');
            if (last) {
                buf_str(out, cell);
                break;
            }
            buf_printf(out, "%.*s%*s", STR_ARG(cell), (int)(widths[k] - docker_width(cell)) + 3,
                       "");
        }
        buf_putc(out, '\n');
    }
}

/* Writes rows (taken over and deleted) as --format says. `titles` gives the heading of each field.
 */
static int write_rows(struct docker_command *command, const char *format, const char *standard,
                      const char *const (*titles)[2], cJSON *rows)
{
    struct call *call = command->call;
    struct buf text, out;
    buf_init(&text, OUTPUT_MAX);
    buf_init(&out, OUTPUT_MAX);
    const char *error = NULL;
    bool table = !format || strcmp(format, "table") == 0 || strncmp(format, "table ", 6) == 0;
    bool json = format && (strcmp(format, "json") == 0 || strcmp(format, "{{json .}}") == 0);
    if (!format || strcmp(format, "table") == 0)
        format = standard;
    else if (table)
        format += 6;
    format = unescape(call->arena, format);
    if (table) {
        cJSON *heads = cJSON_CreateObject();
        for (int i = 0; titles[i][0]; i++)
            cJSON_AddStringToObject(heads, titles[i][0], titles[i][1]);
        error = go_template(call->arena, format, heads, true, &text);
        buf_putc(&text, '\n');
        cJSON_Delete(heads);
    }
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        if (error)
            break;
        if (json) {
            char *printed = cJSON_PrintUnformatted(row);
            buf_puts(&text, printed);
            cJSON_free(printed);
        } else {
            error = go_template(call->arena, format, row, true, &text);
        }
        buf_putc(&text, '\n');
    }
    if (table)
        align(&text, &out);
    else
        buf_str(&out, buf_text(&text));
    const char *copy = arena_str(call->arena, buf_text(&out));
    size_t len = out.len;
    cJSON_Delete(rows);
    buf_release(&text);
    buf_release(&out);
    if (error) {
        call_err(call, "failed to execute template: %s\n", error);
        return 1;
    }
    call_write(call, 1, copy, len);
    return 0;
}

static const char *created_at(struct docker *docker, struct arena *arena, int64_t at_ns)
{
    time_t seconds = (time_t)((docker->env->start_unix_ns + at_ns) / SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d:%02d +0000 UTC", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- ps ---- */

/* The reference it was made from, or the image's ID once that name points elsewhere: as the daemon
 * does. */
static const char *image_shown(struct container *container, struct arena *arena, bool whole)
{
    struct docker_image *now = docker_image_here(container->docker, container->spec.image);
    if (now == container->image)
        return container->spec.image;
    return whole ? container->image->id : arena_printf(arena, "%.12s", container->image->id + 7);
}

static const char *command_shown(struct container *container, struct arena *arena, bool whole)
{
    const char *text = "";
    const char *const *words = container->image->command;
    if (container->spec.command && !words[0])
        words = container->spec.command;
    for (; *words; words++)
        text = arena_printf(arena, "%s%s%s", text, text[0] ? " " : "", *words);
    for (words = container->spec.command; words && container->image->command[0] && *words; words++)
        text = arena_printf(arena, "%s %s", text, *words);
    if (!whole && strlen(text) > 20)
        return arena_printf(arena, "\"%.19s\xe2\x80\xa6\"", text);
    return arena_printf(arena, "\"%s\"", text);
}

static cJSON *container_row(struct container *container, struct arena *arena, bool whole)
{
    struct docker *docker = container->docker;
    cJSON *row = cJSON_CreateObject();
    const char *age = docker_human_duration(arena, docker_now(docker) - container->created_ns);
    const char *labels = "", *mounts = "", *networks = "";
    cJSON *by_name = cJSON_CreateObject();
    for (const char *const *label = container->spec.labels; *label; label++) {
        struct str value = str_of(*label);
        const char *name = arena_str(arena, str_cut(&value, '='));
        labels = arena_printf(arena, "%s%s%s", labels, labels[0] ? "," : "", *label);
        cJSON_AddStringToObject(by_name, name, arena_str(arena, value));
    }
    for (int i = 0; i < container->spec.n_mounts; i++) {
        const struct docker_mount *mount = &container->spec.mounts[i];
        mounts = arena_printf(arena, "%s%s%s", mounts, mounts[0] ? "," : "",
                              mount->volume ? mount->volume : mount->source);
    }
    for (const char *const *name = container->spec.networks; name && *name; name++)
        networks = arena_printf(arena, "%s%s%s", networks, networks[0] ? "," : "", *name);
    cJSON_AddStringToObject(row, "Command", command_shown(container, arena, whole));
    cJSON_AddStringToObject(row, "CreatedAt", created_at(docker, arena, container->created_ns));
    cJSON_AddStringToObject(row, "ID",
                            whole ? container->id : arena_printf(arena, "%.12s", container->id));
    cJSON_AddStringToObject(row, "Image", image_shown(container, arena, whole));
    cJSON_AddStringToObject(row, "Labels", labels);
    cJSON_AddItemToObject(row, "Label", by_name);
    cJSON_AddStringToObject(row, "LocalVolumes", "0");
    cJSON_AddStringToObject(row, "Mounts", mounts);
    cJSON_AddStringToObject(row, "Names", container->name);
    cJSON_AddStringToObject(row, "Networks", networks);
    cJSON_AddStringToObject(row, "Ports", container_ports(container, arena));
    cJSON_AddStringToObject(row, "RunningFor", arena_printf(arena, "%s ago", age));
    cJSON_AddStringToObject(row, "Size", "0B");
    cJSON_AddStringToObject(row, "State", container_state_word(container));
    cJSON_AddStringToObject(row, "Status", container_status(container, arena));
    return row;
}

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool hit = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return hit;
}

static bool same_ancestor(struct container *container, const char *reference)
{
    struct docker_image *image = docker_image_here(container->docker, reference);
    return image ? image == container->image : strcmp(container->spec.image, reference) == 0;
}

/* Whether the container passes one filter; -1: no such filter. */
static int passes(struct container *container, struct arena *arena, const char *name,
                  const char *value)
{
    static const char *const health[] = {"none", "starting", "healthy", "unhealthy"};
    if (strcmp(name, "name") == 0)
        return matches(value, container->name) ||
               matches(value, arena_printf(arena, "/%s", container->name));
    if (strcmp(name, "id") == 0)
        return strncmp(container->id, value, strlen(value)) == 0;
    if (strcmp(name, "status") == 0)
        return strcmp(container_state_word(container), value) == 0;
    if (strcmp(name, "health") == 0)
        return strcmp(health[container_health(container)], value) == 0;
    if (strcmp(name, "exited") == 0)
        return container->state == CONTAINER_EXITED && container->exit_code == leading_int(value);
    if (strcmp(name, "ancestor") == 0)
        return same_ancestor(container, value);
    if (strcmp(name, "label") == 0) {
        struct str rest = str_of(value);
        bool has_value = strchr(value, '=') != NULL;
        const char *label = container_label(container, arena_str(arena, str_cut(&rest, '=')));
        return label && (!has_value || strcmp(label, rest.at) == 0);
    }
    if (strcmp(name, "network") == 0 || strcmp(name, "volume") == 0) {
        for (const char *const *at = container->spec.networks; at && *at && name[0] == 'n'; at++) {
            if (strcmp(*at, value) == 0)
                return 1;
        }
        for (int i = 0; name[0] == 'v' && i < container->spec.n_mounts; i++) {
            const char *volume = container->spec.mounts[i].volume;
            if (volume && strcmp(volume, value) == 0)
                return 1;
        }
        return 0;
    }
    return -1;
}

/* Filters of one name are alternatives (but labels), those of different names must all hold. */
static bool filtered(struct container *container, struct arena *arena,
                     const struct options *options)
{
    for (int i = 0; i < options->n_given; i++) {
        if (strcmp(options->given[i].name, "filter") != 0)
            continue;
        struct str name = str_of(options->given[i].value);
        name = str_cut(&name, '=');
        bool any = false;
        for (int k = 0; k < options->n_given && !any; k++) {
            struct str value = str_of(options->given[k].value);
            if (strcmp(options->given[k].name, "filter") != 0)
                continue;
            if (str_eq(str_cut(&value, '='), name) && (k == i || !str_is(name, "label")))
                any =
                    passes(container, arena, arena_str(arena, name), arena_str(arena, value)) == 1;
        }
        if (!any)
            return false;
    }
    return true;
}

static const char *bad_filter(struct docker_command *command)
{
    static const char *const known[] = {
        "ancestor", "before", "exited",  "expose",  "health", "id",     "is-task", "isolation",
        "label",    "name",   "network", "publish", "since",  "status", "volume",  NULL};
    for (int i = 0; i < command->options.n_given; i++) {
        if (strcmp(command->options.given[i].name, "filter") != 0)
            continue;
        struct str name = str_of(command->options.given[i].value);
        name = str_cut(&name, '=');
        int k = 0;
        while (known[k] && !str_is(name, known[k]))
            k++;
        if (!known[k])
            return arena_str(command->call->arena, name);
    }
    return NULL;
}

static int ps(struct docker_command *command)
{
    static const char *const titles[][2] = {{"ID", "CONTAINER ID"},
                                            {"Image", "IMAGE"},
                                            {"Command", "COMMAND"},
                                            {"RunningFor", "CREATED"},
                                            {"Status", "STATUS"},
                                            {"Ports", "PORTS"},
                                            {"Names", "NAMES"},
                                            {"CreatedAt", "CREATED AT"},
                                            {"Labels", "LABELS"},
                                            {"State", "STATE"},
                                            {"Mounts", "MOUNTS"},
                                            {"Networks", "NETWORKS"},
                                            {"Size", "SIZE"},
                                            {"LocalVolumes", "LOCAL VOLUMES"},
                                            {NULL, NULL}};
    struct call *call = command->call;
    const struct options *options = &command->options;
    const char *bad = bad_filter(command);
    if (bad)
        return docker_daemon_error(call, "invalid filter '%s'", bad);
    int64_t last = -1;
    if (!docker_number(command, "last", "-n, --last", &last))
        return 125;
    if (options_has(options, "latest"))
        last = 1;
    bool all = options_has(options, "all") || last > 0, whole = options_has(options, "no-trunc");
    for (int i = 0; i < options->n_given; i++) {
        const char *value = options->given[i].value;
        if (strcmp(options->given[i].name, "filter") == 0 &&
            (strncmp(value, "status=", 7) == 0 || strncmp(value, "exited=", 7) == 0))
            all = true;
    }
    cJSON *rows = cJSON_CreateArray();
    for (int i = command->docker->n_containers - 1; i >= 0 && last != 0; i--) {
        struct container *container = command->docker->containers[i];
        if (container->removed || (!all && !container_running(container)) ||
            !filtered(container, call->arena, options))
            continue;
        cJSON_AddItemToArray(rows, container_row(container, call->arena, whole));
        last--;
    }
    if (options_has(options, "quiet"))
        return write_rows(command, "{{.ID}}", NULL, titles, rows);
    return write_rows(
        command, options_value(options, "format", NULL),
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t"
        "{{.Names}}",
        titles, rows);
}

/* ---- images ---- */

static cJSON *image_row(struct docker *docker, struct arena *arena,
                        const struct docker_image *image, const char *repository, const char *tag,
                        bool whole)
{
    cJSON *row = cJSON_CreateObject();
    const char *age = docker_human_duration(arena, docker_now(docker) - image->created_ns);
    cJSON_AddStringToObject(row, "Containers", "N/A");
    cJSON_AddStringToObject(row, "CreatedAt", created_at(docker, arena, image->created_ns));
    cJSON_AddStringToObject(row, "CreatedSince", arena_printf(arena, "%s ago", age));
    cJSON_AddStringToObject(row, "Digest", image->digest);
    cJSON_AddStringToObject(row, "ID",
                            whole ? image->id : arena_printf(arena, "%.12s", image->id + 7));
    cJSON_AddStringToObject(row, "Repository", repository);
    cJSON_AddStringToObject(row, "SharedSize", "N/A");
    cJSON_AddStringToObject(row, "Size", docker_human_size(arena, image->size_bytes));
    cJSON_AddStringToObject(row, "Tag", tag);
    cJSON_AddStringToObject(row, "UniqueSize", "N/A");
    return row;
}

static bool tagged(const struct docker *docker, const struct docker_image *image)
{
    for (int i = 0; i < docker->n_tags; i++) {
        if (docker->tags[i].image == image)
            return true;
    }
    return false;
}

static int images(struct docker_command *command)
{
    static const char *const titles[][2] = {
        {"Repository", "REPOSITORY"}, {"Tag", "TAG"},   {"ID", "IMAGE ID"},
        {"CreatedSince", "CREATED"},  {"Size", "SIZE"}, {"Digest", "DIGEST"},
        {"CreatedAt", "CREATED AT"},  {NULL, NULL}};
    struct call *call = command->call;
    struct docker *docker = command->docker;
    const struct options *options = &command->options;
    const char *wanted = options->args[0];
    const char *filter = options_value(options, "filter", "");
    bool dangling_only = strcmp(filter, "dangling=true") == 0,
         whole = options_has(options, "no-trunc");
    if (strncmp(filter, "reference=", 10) == 0)
        wanted = filter + 10;
    cJSON *rows = cJSON_CreateArray();
    for (int i = docker->n_images - 1; i >= 0; i--) {
        struct docker_image *image = docker->images[i];
        if (!image->pulled)
            continue;
        if (!tagged(docker, image) && !wanted)
            cJSON_AddItemToArray(rows,
                                 image_row(docker, call->arena, image, "<none>", "<none>", whole));
        for (int k = 0; k < docker->n_tags && !dangling_only; k++) {
            const struct docker_tag *tag = &docker->tags[k];
            const char *pattern = NULL, *pattern_tag = NULL;
            if (tag->image != image)
                continue;
            if (wanted) {
                struct str rest = str_of(wanted);
                bool has_tag = strchr(wanted, ':') != NULL;
                pattern = arena_str(call->arena, str_cut(&rest, ':'));
                pattern_tag = has_tag ? arena_str(call->arena, rest) : NULL;
                char *dot = strchr(pattern, '*') ? NULL : "";
                bool same = dot ? strcmp(pattern, tag->repository) == 0
                                : strncmp(pattern, tag->repository, strcspn(pattern, "*")) == 0;
                if (!same ||
                    (pattern_tag && !strchr(pattern_tag, '*') && strcmp(pattern_tag, tag->tag)))
                    continue;
            }
            cJSON_AddItemToArray(
                rows, image_row(docker, call->arena, image, tag->repository, tag->tag, whole));
        }
    }
    if (options_has(options, "quiet"))
        return write_rows(command, "{{.ID}}", NULL, titles, rows);
    return write_rows(
        command, options_value(options, "format", NULL),
        options_has(options, "digests")
            ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
            : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
        titles, rows);
}

/* ---- stats ---- */

static cJSON *stats_row(struct container *container, struct arena *arena)
{
    double cpu = 0.004, memory = 0, limit = (double)host_of(container->docker->env)->memory_bytes,
           ratio = 0, value;
    const struct service *service =
        container->instance ? instance_service(container->instance) : NULL;
    bool runs = container->state == CONTAINER_RUNNING;
    if (runs) {
        memory = 96.0 * 1024 * 1024;
        if (service && service_metric(service, "cpu_ratio", &value))
            cpu = value;
        if (service && service_metric(service, "memory_bytes", &value) && value > 0)
            memory = value;
        ratio = memory / limit;
        if (service && service_metric(service, "memory_ratio", &value) && value > 0)
            ratio = value;
    }
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "BlockIO", runs ? "12.3MB / 4.1kB" : "0B / 0B");
    cJSON_AddStringToObject(row, "CPUPerc", arena_printf(arena, "%.2f%%", runs ? cpu * 100 : 0));
    cJSON_AddStringToObject(row, "Container", arena_printf(arena, "%.12s", container->id));
    cJSON_AddStringToObject(row, "ID", arena_printf(arena, "%.12s", container->id));
    cJSON_AddStringToObject(row, "MemPerc", arena_printf(arena, "%.2f%%", ratio * 100));
    cJSON_AddStringToObject(row, "MemUsage",
                            runs
                                ? arena_printf(arena, "%s / %s", docker_human_binary(arena, memory),
                                               docker_human_binary(arena, limit))
                                : "0B / 0B");
    cJSON_AddStringToObject(row, "Name", container->name);
    cJSON_AddStringToObject(row, "NetIO", runs ? "1.2MB / 876kB" : "0B / 0B");
    cJSON_AddStringToObject(row, "PIDs", runs ? "8" : "0");
    return row;
}

static int stats_once(struct docker_command *command)
{
    static const char *const titles[][2] = {
        {"ID", "CONTAINER ID"},     {"Name", "NAME"},
        {"CPUPerc", "CPU %"},       {"MemUsage", "MEM USAGE / LIMIT"},
        {"MemPerc", "MEM %"},       {"NetIO", "NET I/O"},
        {"BlockIO", "BLOCK I/O"},   {"PIDs", "PIDS"},
        {"Container", "CONTAINER"}, {NULL, NULL}};
    const struct options *options = &command->options;
    bool all = options_has(options, "all");
    cJSON *rows = cJSON_CreateArray();
    for (int i = command->docker->n_containers - 1; i >= 0 && !options->args[0]; i--) {
        struct container *container = command->docker->containers[i];
        if (!container->removed && (all || container->state == CONTAINER_RUNNING))
            cJSON_AddItemToArray(rows, stats_row(container, command->call->arena));
    }
    for (char **name = options->args; *name; name++)
        cJSON_AddItemToArray(rows,
                             stats_row(docker_find(command->docker, *name), command->call->arena));
    return write_rows(command, options_value(options, "format", NULL),
                      "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t"
                      "{{.BlockIO}}\t{{.PIDs}}",
                      titles, rows);
}

/* One sample takes two readings a second apart. */
static int stats(struct docker_command *command)
{
    for (char **name = command->options.args; *name; name++) {
        if (!docker_want(command, *name))
            return 1;
    }
    for (;;) {
        if (call_sleep(command->call, 1900 * MILLISECOND))
            return 130;
        int status = stats_once(command);
        if (status || options_has(&command->options, "no-stream"))
            return status;
    }
}

const struct docker_verb docker_list_verbs[] = {
    {"ps", "ps [OPTIONS]", "all|a filter|f= format= last|n= latest|l no-trunc quiet|q size|s", true,
     0, 0, ps},
    {"images", "images [OPTIONS] [REPOSITORY[:TAG]]",
     "all|a digests filter|f= format= no-trunc quiet|q tree", true, 0, 1, images},
    {"stats", "stats [OPTIONS] [CONTAINER...]", "all|a format= no-stream no-trunc", true, 0, -1,
     stats},
    {0},
};
