/* Compose: ps, logs, config, images, top, port. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/compose_command.h"
#include "fakes/docker_command.h"
#include "sim/base/str.h"

/* ---- ps ---- */

/* v1's table: heads centred, cells filled up, three blanks between, a line of dashes. */
static void draw_table(struct call *call, const char *const *titles, const char *const *const *rows,
                       int n)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    size_t widths[16] = {0}, total = 0;
    int columns = 0;
    for (; titles[columns]; columns++) {
        widths[columns] = strlen(titles[columns]);
        for (int i = 0; i < n; i++) {
            size_t len = strlen(rows[i][columns]);
            widths[columns] = len > widths[columns] ? len : widths[columns];
        }
        total += widths[columns] + (columns ? 3 : 0);
    }
    for (int k = 0; k < columns; k++) {
        size_t fill = widths[k] - strlen(titles[k]);
        buf_printf(&out, "%s%*s%s%*s", k ? "   " : "", (int)(fill / 2), "", titles[k],
                   (int)(fill - fill / 2), "");
    }
    buf_putc(&out, '\n');
    for (size_t i = 0; i < total; i++)
        buf_putc(&out, '-');
    buf_putc(&out, '\n');
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < columns; k++)
            buf_printf(&out, "%s%-*s", k ? "   " : "", (int)widths[k], rows[i][k]);
        buf_putc(&out, '\n');
    }
    const char *text = arena_str(call->arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    call_write(call, 1, text, len);
}

static const char *whole_command(struct arena *arena, const struct container *container)
{
    const char *text = "";
    for (const char *const *word = container->image->command; *word; word++)
        text = arena_printf(arena, "%s%s%s", text, text[0] ? " " : "", *word);
    for (const char *const *word = container->spec.command; word && *word; word++)
        text = arena_printf(arena, "%s%s%s", text, text[0] ? " " : "", *word);
    return text;
}

static const char *state_v1(struct arena *arena, const struct container *container)
{
    switch (container->state) {
    case CONTAINER_PAUSED:
        return "Paused";
    case CONTAINER_RESTARTING:
        return "Restarting";
    case CONTAINER_CREATED:
    case CONTAINER_EXITED:
        return arena_printf(arena, "Exit %d", container->exit_code);
    case CONTAINER_RUNNING:
        break;
    }
    static const char *const words[] = {"Up", "Up (health: starting)", "Up (healthy)",
                                        "Up (unhealthy)"};
    return words[container_health(container)];
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct container *const *)a)->name, (*(struct container *const *)b)->name);
}

static int count(struct container **list)
{
    int n = 0;
    while (list[n])
        n++;
    return n;
}

static void ps_v1(struct compose_command *command, struct container **list, int n)
{
    static const char *const titles[] = {"Name", "Command", "State", "Ports", NULL};
    struct arena *arena = command->call->arena;
    const char *const **rows = ARENA_ARRAY(arena, const char *const *, n + 1);
    for (int i = 0; i < n; i++) {
        const char **row = ARENA_ARRAY(arena, const char *, 5);
        const char *text = whole_command(arena, list[i]);
        row[0] = list[i]->name;
        row[1] = strlen(text) > 30 ? arena_printf(arena, "%.26s ...", text) : text;
        row[2] = state_v1(arena, list[i]);
        row[3] = container_ports(list[i], arena);
        rows[i] = row;
    }
    draw_table(command->call, titles, rows, n);
}

static void ps_v2(struct compose_command *command, struct container **list, int n)
{
    static const char *const titles[] = {"NAME",    "IMAGE",  "COMMAND", "SERVICE",
                                         "CREATED", "STATUS", "PORTS",   NULL};
    struct arena *arena = command->call->arena;
    const char *const **rows = ARENA_ARRAY(arena, const char *const *, n + 1);
    for (int i = 0; i < n; i++) {
        const char **row = ARENA_ARRAY(arena, const char *, 8);
        const char *text = whole_command(arena, list[i]);
        int64_t age_ns = docker_now(command->docker) - list[i]->created_ns;
        row[0] = list[i]->name;
        row[1] = list[i]->spec.image;
        row[2] = strlen(text) > 20 ? arena_printf(arena, "\"%.19s\xe2\x80\xa6\"", text)
                                   : arena_printf(arena, "\"%s\"", text);
        row[3] = container_label(list[i], "com.docker.compose.service");
        row[4] = arena_printf(arena, "%s ago", docker_human_duration(arena, age_ns));
        row[5] = container_status(list[i], arena);
        row[6] = container_ports(list[i], arena);
        rows[i] = row;
    }
    docker_table(command->call, titles, rows, n);
}

static int ps(struct compose_command *command)
{
    const struct options *options = &command->options;
    struct call *call = command->call;
    struct container **list = compose_named(command, options->args);
    int n = 0;
    bool all = command->edition == COMPOSE_V1 || options_has(options, "all");
    const char *status = options_value(options, "status", NULL);
    const char *filter = options_value(options, "filter", "");
    if (strncmp(filter, "status=", 7) == 0)
        status = filter + 7;
    for (int i = 0; list[i]; i++) {
        bool fits = !status || strcmp(status, container_state_word(list[i])) == 0;
        if (fits && (all || status || container_running(list[i])))
            list[n++] = list[i];
    }
    list[n] = NULL;
    qsort(list, (size_t)n, sizeof *list, by_name);
    if (options_has(options, "services")) {
        struct compose_service **order = compose_sorted(&command->project);
        for (; *order; order++) {
            bool any = !status;
            for (int k = 0; k < n; k++)
                any = any || strcmp(container_label(list[k], "com.docker.compose.service"),
                                    (*order)->name) == 0;
            if (any)
                call_out(call, "%s\n", (*order)->name);
        }
    } else if (options_has(options, "quiet")) {
        for (int i = 0; i < n; i++)
            call_out(call, "%s\n", list[i]->id);
    } else if (strcmp(options_value(options, "format", "table"), "json") == 0) {
        for (int i = 0; i < n; i++)
            call_out(call,
                     "{\"Name\":\"%s\",\"Service\":\"%s\",\"State\":\"%s\",\"Health\":\"%s\","
                     "\"ExitCode\":%d,"
                     "\"Image\":\"%s\",\"Status\":\"%s\"}\n",
                     list[i]->name, container_label(list[i], "com.docker.compose.service"),
                     container_state_word(list[i]),
                     (const char *const[]){"", "starting", "healthy",
                                           "unhealthy"}[container_health(list[i])],
                     list[i]->exit_code, list[i]->spec.image,
                     container_status(list[i], call->arena));
    } else if (command->edition == COMPOSE_V1) {
        ps_v1(command, list, n);
    } else {
        ps_v2(command, list, n);
    }
    return 0;
}

/* ---- logs ---- */

static const char *log_name(struct compose_command *command, const struct container *container)
{
    const char *service = container_label(container, "com.docker.compose.service");
    const char *number = container_label(container, "com.docker.compose.container-number");
    if (command->edition == COMPOSE_V2 && !compose_find(&command->project, service)->container_name)
        return arena_printf(command->call->arena, "%s-%s", service, number ? number : "1");
    if (command->edition == COMPOSE_V2)
        return container->name;
    const char *start = arena_printf(command->call->arena, "%s_%s", command->project.name, service);
    if (strncmp(container->name, start, strlen(start)) != 0)
        return container->name;
    return arena_printf(command->call->arena, "%s_%s", service, number ? number : "1");
}

/* The next line of all containers by time; -1: none. Lines before next[i] are done. */
static int earliest(struct container **list, const int64_t *next, int n)
{
    int found = -1;
    for (int i = 0; i < n; i++) {
        int64_t at = next[i] - list[i]->dropped_log;
        if (at >= list[i]->n_log)
            continue;
        if (found < 0 ||
            list[i]->log[at].at_ns < list[found]->log[next[found] - list[found]->dropped_log].at_ns)
            found = i;
    }
    return found;
}

static void write_logs(struct compose_command *command, struct container **list, int64_t *next,
                       int n, int width, bool times, bool prefix)
{
    struct buf text;
    buf_init(&text, 32 << 20);
    for (int i = 0; i < n; i++) {
        if (next[i] < list[i]->dropped_log)
            next[i] = list[i]->dropped_log;
    }
    for (int i; (i = earliest(list, next, n)) >= 0;) {
        const struct docker_log_line *line = &list[i]->log[next[i]++ - list[i]->dropped_log];
        if (prefix)
            buf_printf(&text, "%-*s | ", width, log_name(command, list[i]));
        if (times)
            buf_printf(&text, "%s ",
                       docker_time(command->docker, command->call->arena, line->at_ns));
        buf_printf(&text, "%s\n", line->text);
    }
    const char *copy = arena_str(command->call->arena, buf_text(&text));
    size_t len = text.len;
    buf_release(&text);
    call_write(command->call, 1, copy, len);
}

static bool any_running(struct container **list)
{
    for (; *list; list++) {
        if (!(*list)->removed && container_running(*list))
            return true;
    }
    return false;
}

int compose_show_logs(struct compose_command *command, struct container **list, int64_t tail,
                      int64_t since_ns, bool times, bool follow, bool prefix)
{
    struct call *call = command->call;
    int n = count(list), width = 0;
    int64_t *next = ARENA_ARRAY(call->arena, int64_t, n + 1);
    for (int i = 0; i < n; i++) {
        int64_t first = tail >= 0 && list[i]->n_log > tail ? list[i]->n_log - tail : 0;
        while (since_ns != NEVER && first < list[i]->n_log && list[i]->log[first].at_ns < since_ns)
            first++;
        next[i] = list[i]->dropped_log + first;
        int len = (int)strlen(log_name(command, list[i]));
        width = len > width ? len : width;
    }
    if (command->edition == COMPOSE_V1) {
        const char *names = "";
        width = 0;
        for (int i = 0; i < command->project.n_services; i++) {
            int len = (int)strlen(command->project.services[i].name) + 3;
            width = len > width ? len : width;
        }
        for (int i = n - 1; i >= 0; i--)
            names = arena_printf(call->arena, "%s%s%s", names, names[0] ? ", " : "", list[i]->name);
        call_out(call, "Attaching to %s\n", names);
    }
    write_logs(command, list, next, n, width, times, prefix);
    while (follow && any_running(list)) {
        if (call_sleep(call, SECOND))
            return command->edition == COMPOSE_V1 ? 1 : 130;
        write_logs(command, list, next, n, width, times, prefix);
    }
    return 0;
}

static int logs(struct compose_command *command)
{
    const struct options *options = &command->options;
    int64_t tail = -1, since_ns = NEVER;
    const char *text = options_value(options, "tail", "all");
    const char *since = options_value(options, "since", NULL);
    if (strcmp(text, "all") != 0 && !str_int64(str_of(text), &tail))
        tail = -1;
    if (since && !docker_instant(command->call, since, &since_ns))
        return compose_fail(command,
                            "invalid value for \"since\": failed to parse value as time or "
                            "duration: \"%s\"",
                            since);
    struct container **list = compose_named(command, options->args);
    int status =
        compose_show_logs(command, list, tail, since_ns, options_has(options, "timestamps"),
                          options_has(options, "follow"), !options_has(options, "no-log-prefix"));
    if (status == 1)
        call_err(command->call, "ERROR: Aborting.\n");
    return status;
}

/* ---- config ---- */

static bool needs_quotes(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off",
                                        "null", "~",     "y",   "n",  NULL};
    int64_t number;
    if (text[0] == '\0' || strchr("!&*-?|>@`\"'%{}[],#: ", text[0]) || strstr(text, ": ") ||
        strstr(text, " #") || text[strlen(text) - 1] == ':' || text[strlen(text) - 1] == ' ')
        return true;
    for (int i = 0; words[i]; i++) {
        if (strcasecmp(text, words[i]) == 0)
            return true;
    }
    char *end;
    strtod(text, &end);
    return *end == '\0' || str_int64(str_of(text), &number);
}

static void yaml_text(struct buf *out, const char *text, bool is_text)
{
    if (!is_text || !needs_quotes(text)) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '\'');
    for (const char *p = text; *p; p++)
        buf_puts(out, *p == '\'' ? "''" : (const char[]){*p, '\0'});
    buf_putc(out, '\'');
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct doc *const *)a)->key, (*(const struct doc *const *)b)->key);
}

static void yaml(struct buf *out, struct arena *arena, const struct doc *node, int indent)
{
    if (node->kind == DOC_SEQUENCE) {
        for (const struct doc *item = node->first; item; item = item->next) {
            buf_printf(out, "%*s- ", indent, "");
            if (item->kind == DOC_MAPPING || item->kind == DOC_SEQUENCE) {
                struct buf inner;
                buf_init(&inner, 1 << 20);
                yaml(&inner, arena, item, indent + 2);
                struct str text = buf_text(&inner);
                size_t skip = (size_t)indent + 2 < text.len ? (size_t)indent + 2 : text.len;
                buf_add(out, text.at + skip, text.len - skip);
                buf_release(&inner);
            } else {
                yaml_text(out, item->text ? item->text : "null", item->quoted);
                buf_putc(out, '\n');
            }
        }
        return;
    }
    const struct doc **children = ARENA_ARRAY(arena, const struct doc *, node->n + 1);
    int n = 0;
    for (const struct doc *child = node->first; child; child = child->next)
        children[n++] = child;
    qsort(children, (size_t)n, sizeof *children, by_key);
    for (int i = 0; i < n; i++) {
        const struct doc *child = children[i];
        buf_printf(out, "%*s%s:", indent, "", child->key);
        if (child->kind == DOC_MAPPING && child->n) {
            buf_putc(out, '\n');
            yaml(out, arena, child, indent + 2);
        } else if (child->kind == DOC_SEQUENCE && child->n) {
            buf_putc(out, '\n');
            yaml(out, arena, child, indent);
        } else if (child->kind == DOC_MAPPING || child->kind == DOC_SEQUENCE) {
            buf_puts(out, child->kind == DOC_MAPPING ? " {}\n" : " []\n");
        } else {
            buf_putc(out, ' ');
            if (child->kind == DOC_SCALAR)
                yaml_text(out, child->text, child->quoted);
            else
                buf_puts(out, indent == 2 ? "{}" : "null");
            buf_putc(out, '\n');
        }
    }
}

/* A service with its environment worked out: env_file is gone, all variables stand under
 * environment. */
static void config_service(struct buf *out, struct arena *arena,
                           const struct compose_service *service)
{
    const struct doc **children = ARENA_ARRAY(arena, const struct doc *, service->doc->n + 1);
    int n = 0;
    bool done = !service->env[0];
    for (const struct doc *child = service->doc->first; child; child = child->next) {
        if (strcmp(child->key, "env_file") != 0 && strcmp(child->key, "environment") != 0)
            children[n++] = child;
    }
    qsort(children, (size_t)n, sizeof *children, by_key);
    buf_printf(out, "  %s:\n", service->name);
    for (int i = 0; i <= n; i++) {
        if (!done && (i == n || strcmp(children[i]->key, "environment") > 0)) {
            done = true;
            buf_puts(out, "    environment:\n");
            for (const char *const *word = service->env; *word; word++) {
                struct str value = str_of(*word);
                struct str name = str_cut(&value, '=');
                buf_printf(out, "      %.*s: ", STR_ARG(name));
                yaml_text(out, arena_str(arena, value), true);
                buf_putc(out, '\n');
            }
        }
        if (i == n)
            break;
        struct doc one = *children[i], holder = {.kind = DOC_MAPPING, .n = 1, .first = &one};
        one.next = NULL;
        yaml(out, arena, &holder, 4);
    }
}

static int config(struct compose_command *command)
{
    struct call *call = command->call;
    const struct compose_project *project = &command->project;
    const struct options *options = &command->options;
    if (options_has(options, "quiet"))
        return 0;
    struct buf out;
    buf_init(&out, 4 << 20);
    bool list_services = options_has(options, "services"),
         list_volumes = options_has(options, "volumes");
    bool list_images = options_has(options, "images");
    const struct doc *volumes = doc_get(project->doc, "volumes");
    struct compose_service **order = command->edition == COMPOSE_V1
                                         ? compose_sorted(project)
                                         : compose_order(project, NULL, true);
    for (int i = 0; order[i] && (list_services || list_images); i++)
        buf_printf(&out, "%s\n", list_services ? order[i]->name : compose_image(project, order[i]));
    for (const struct doc *volume = volumes ? volumes->first : NULL; volume && list_volumes;
         volume = volume->next)
        buf_printf(&out, "%s\n", volume->key);
    if (!list_services && !list_volumes && !list_images) {
        const struct compose_service **sorted =
            ARENA_ARRAY(call->arena, const struct compose_service *, project->n_services + 1);
        for (int i = 0; i < project->n_services; i++) {
            int at = i;
            for (; at > 0 && strcmp(sorted[at - 1]->name, project->services[i].name) > 0; at--)
                sorted[at] = sorted[at - 1];
            sorted[at] = &project->services[i];
        }
        if (command->edition == COMPOSE_V2)
            buf_printf(&out, "name: %s\n", project->name);
        const struct doc *networks = doc_get(project->doc, "networks");
        if (networks) {
            buf_puts(&out, "networks:\n");
            yaml(&out, call->arena, networks, 2);
        }
        buf_puts(&out, "services:\n");
        for (int i = 0; i < project->n_services; i++)
            config_service(&out, call->arena, sorted[i]);
        if (command->edition == COMPOSE_V1)
            buf_printf(&out, "version: '%s'\n", project->version ? project->version : "3.9");
        if (volumes) {
            buf_puts(&out, "volumes:\n");
            yaml(&out, call->arena, volumes, 2);
        }
        if (command->edition == COMPOSE_V1)
            buf_putc(&out, '\n');
    }
    const char *text = arena_str(call->arena, buf_text(&out));
    size_t len = out.len;
    buf_release(&out);
    call_write(call, 1, text, len);
    return 0;
}

/* ---- small ones ---- */

static int images(struct compose_command *command)
{
    static const char *const v1[] = {"Container", "Repository", "Tag", "Image Id", "Size", NULL};
    static const char *const v2[] = {"CONTAINER", "REPOSITORY", "TAG", "IMAGE ID", "SIZE", NULL};
    struct arena *arena = command->call->arena;
    struct container **list = compose_named(command, command->options.args);
    int n = count(list);
    qsort(list, (size_t)n, sizeof *list, by_name);
    const char *const **rows = ARENA_ARRAY(arena, const char *const *, n + 1);
    for (int i = 0; i < n; i++) {
        const char **row = ARENA_ARRAY(arena, const char *, 6);
        const char *repository = "<none>", *tag = "<none>";
        docker_reference(arena, list[i]->spec.image, &repository, &tag);
        bool moved = docker_image_here(command->docker, list[i]->spec.image) != list[i]->image;
        row[0] = list[i]->name;
        row[1] = moved ? "<none>" : repository;
        row[2] = moved ? "<none>" : tag;
        row[3] = arena_printf(arena, "%.12s", list[i]->image->id + 7);
        row[4] = docker_human_size(arena, list[i]->image->size_bytes);
        rows[i] = row;
    }
    if (command->edition == COMPOSE_V1)
        draw_table(command->call, v1, rows, n);
    else
        docker_table(command->call, v2, rows, n);
    return 0;
}

static int port(struct compose_command *command)
{
    char **args = command->options.args;
    if (command->options.n_args != 2)
        return compose_fail(command, "requires exactly 2 args, received %d",
                            command->options.n_args);
    struct compose_service *service = compose_find(&command->project, args[0]);
    if (!service)
        return compose_no_service(command, args[0]);
    for (int i = 0; i < service->n_ports; i++) {
        if (service->ports[i].container == leading_int(args[1]) && service->ports[i].address)
            call_out(command->call, "%s:%d\n", service->ports[i].address, service->ports[i].host);
    }
    return 0;
}

static int top(struct compose_command *command)
{
    struct container **list = compose_named(command, command->options.args);
    for (; *list; list++) {
        if (container_running(*list))
            call_out(command->call,
                     "%s\nUID    PID    PPID   C   STIME   TTY   TIME       CMD\nroot   2417  "
                     " 2396   0   00:00   ?     00:00:12   %s\n\n",
                     (*list)->name, whole_command(command->call->arena, *list));
    }
    return 0;
}

const struct compose_verb compose_show_verbs[] = {
    {"ps", "ps [options] [SERVICE...]", "List containers.",
     "quiet|q services filter= all|a 2:format= 2:status= 2:orphans 2:no-trunc", true, true, 0, -1,
     ps},
    {"logs", "logs [options] [SERVICE...]", "View output from containers.",
     "no-color follow|f timestamps|t tail|n= no-log-prefix 2:since= 2:until= 2:index=", true, true,
     0, -1, logs},
    {"config", "config [options]", "Validate and view the Compose file.",
     "resolve-image-digests no-interpolate quiet|q profiles services volumes hash= 2:images "
     "2:format= "
     "2:output|o=",
     true, false, 0, 0, config},
    {"convert", "convert [options]", "Validate and view the Compose file.",
     "quiet|q services volumes images format=", true, false, 0, 0, config},
    {"images", "images [options] [SERVICE...]", "List images used by the created containers.",
     "quiet|q 2:format=", true, true, 0, -1, images},
    {"port", "port [options] SERVICE PRIVATE_PORT", "Print the public port for a port binding.",
     "protocol= index=", true, false, 2, 2, port},
    {"top", "top [SERVICE...]", "Display the running processes", "", true, true, 0, -1, top},
    {0},
};
