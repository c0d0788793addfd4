/* The services of a Compose file, option by option. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/compose_reading.h"
#include "sim/base/str.h"

const char *compose_text(const struct doc *node)
{
    return node && node->kind == DOC_SCALAR ? node->text : NULL;
}

bool compose_is(const struct doc *node, const char *text)
{
    const char *own = compose_text(node);
    return own && strcmp(own, text) == 0;
}

/* ---- command ---- */

/* Splits as a shell would, without expanding anything. */
static const char *const *split_words(struct arena *arena, const char *text)
{
    const char **words = ARENA_ARRAY(arena, const char *, strlen(text) / 2 + 2);
    int n = 0;
    const char *p = text;
    while (*p) {
        while (*p == ' ' || *p == '\t' || *p == '\n')
            p++;
        if (!*p)
            break;
        char *word = arena_alloc(arena, strlen(p) + 1);
        size_t len = 0;
        char quote = 0;
        for (; *p && (quote || !strchr(" \t\n", *p)); p++) {
            if (quote && *p == quote)
                quote = 0;
            else if (!quote && (*p == '\'' || *p == '"'))
                quote = *p;
            else if (*p == '\\' && quote != '\'' && p[1])
                word[len++] = *++p;
            else
                word[len++] = *p;
        }
        words[n++] = word;
    }
    return words;
}

static const char *const *words_of(struct arena *arena, const struct doc *node)
{
    if (!node || node->kind == DOC_NULL)
        return NULL;
    if (node->kind == DOC_SCALAR)
        return split_words(arena, node->text);
    const char **words = ARENA_ARRAY(arena, const char *, node->n + 1);
    int n = 0;
    for (const struct doc *item = node->first; item; item = item->next) {
        if (item->kind == DOC_SCALAR)
            words[n++] = item->text;
    }
    return words;
}

/* ---- environment ---- */

static void set_variable(struct compose_reading *reading, const char **words, const char *name,
                         const char *value)
{
    size_t len = strlen(name);
    int at = 0;
    while (words[at] && (strncmp(words[at], name, len) != 0 || words[at][len] != '='))
        at++;
    if (at < ENV_MAX)
        words[at] = arena_printf(reading->arena, "%s=%s", name, value);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *const *read_environment(struct compose_reading *reading,
                                           const struct doc *service)
{
    const char **words = ARENA_ARRAY(reading->arena, const char *, ENV_MAX + 1);
    const struct doc *files = doc_get(service, "env_file");
    const struct doc *file = files && files->kind == DOC_SEQUENCE ? files->first : files;
    for (; file; file = file == files ? NULL : file->next) {
        const struct doc *path_node = file->kind == DOC_MAPPING ? doc_get(file, "path") : file;
        const char *path = compose_text(path_node);
        if (!path)
            continue;
        const char *full = compose_path(reading->arena, reading->project->folder, path);
        const char **loaded = ARENA_ARRAY(reading->arena, const char *, ENV_MAX + 1);
        if (compose_env_file(reading->arena, reading->source, full, loaded, ENV_MAX) < 0) {
            reading->error =
                reading->project->edition == COMPOSE_V1
                    ? arena_printf(reading->arena, "Couldn't find env file: %s", full)
                    : arena_printf(reading->arena,
                                   "env file %s not found: stat %s: no such file or directory",
                                   full, full);
            return words;
        }
        for (const char **word = loaded; *word; word++) {
            struct str value = str_of(*word);
            struct str name = str_cut(&value, '=');
            set_variable(reading, words, arena_str(reading->arena, name),
                         arena_str(reading->arena, value));
        }
    }
    const struct doc *environment = doc_get(service, "environment");
    for (const struct doc *item = environment ? environment->first : NULL; item;
         item = item->next) {
        const char *name = item->key, *value = compose_text(item);
        if (!name) {
            struct str rest = str_of(value);
            bool has_value = value && strchr(value, '=');
            name = arena_str(reading->arena, str_cut(&rest, '='));
            value = has_value ? arena_str(reading->arena, rest) : NULL;
        }
        if (!value)
            value = reading->source->variable(reading->source->ctx, name);
        if (value)
            set_variable(reading, words, name, value);
    }
    int n = 0;
    while (words[n])
        n++;
    qsort(words, (size_t)n, sizeof *words, by_text);
    return words;
}

/* ---- ports and volumes ---- */

static void add_port(struct compose_service *service, struct docker_port *ports,
                     const char *address, int host, int container, const char *protocol)
{
    if (service->n_ports < LIST_MAX)
        ports[service->n_ports++] = (struct docker_port){address, host, container, protocol};
}

/* "8080:80", "127.0.0.1:8080:80/tcp", "80", "3000-3005:3000-3005". */
static bool read_port(struct compose_reading *reading, struct compose_service *service,
                      struct docker_port *ports, const char *text)
{
    struct str rest = str_of(text);
    const char *protocol = "tcp";
    ptrdiff_t slash = str_find(rest, STR("/"));
    if (slash >= 0) {
        protocol = arena_strdup(reading->arena, rest.at + slash + 1);
        rest.len = (size_t)slash;
    }
    const char *parts[3] = {NULL};
    int n = 0;
    while (rest.len > 0 && n < 3)
        parts[n++] = arena_str(reading->arena, str_cut(&rest, ':'));
    if (n == 0)
        return false;
    const char *container = parts[n - 1], *host = n > 1 ? parts[n - 2] : NULL;
    const char *address = n > 2 ? parts[0] : "0.0.0.0";
    char *end;
    long first = strtol(container, &end, 10),
         last = *end == '-' ? strtol(end + 1, &end, 10) : first;
    if (end == container || *end || first < 1 || last > 65535 || last - first > 200)
        return false;
    long host_first = host && host[0] ? strtol(host, &end, 10) : 0;
    if (host && host[0] && (end == host || (*end && *end != '-')))
        return false;
    for (long i = 0; i <= last - first; i++)
        add_port(service, ports, host ? address : NULL, host_first ? (int)(host_first + i) : 0,
                 (int)(first + i), protocol);
    return true;
}

static void read_ports(struct compose_reading *reading, struct compose_service *service)
{
    struct docker_port *ports = ARENA_ARRAY(reading->arena, struct docker_port, LIST_MAX);
    service->ports = ports;
    const struct doc *list = doc_get(service->doc, "ports");
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
        if (item->kind == DOC_MAPPING) {
            const char *target = compose_text(doc_get(item, "target"));
            const char *published = compose_text(doc_get(item, "published"));
            const char *protocol = compose_text(doc_get(item, "protocol"));
            const char *address = compose_text(doc_get(item, "host_ip"));
            add_port(service, ports, published ? (address ? address : "0.0.0.0") : NULL,
                     published ? leading_int(published) : 0, target ? leading_int(target) : 0,
                     protocol ? protocol : "tcp");
        } else if (!compose_text(item) || !read_port(reading, service, ports, item->text)) {
            reading->error = arena_printf(reading->arena,
                                          reading->project->edition == COMPOSE_V1
                                              ? "The Compose file '%s' is invalid "
                                                "because:\nservices.%s.ports contains an invalid "
                                                "type, it should be a number, or an object"
                                              : "%.0sservices.%s.ports: invalid containerPort",
                                          reading->project->file, service->name);
        }
    }
}

/* ---- the rest ---- */

static void read_needs(struct compose_reading *reading, struct compose_service *service)
{
    const struct doc *list = doc_get(service->doc, "depends_on");
    const struct doc *links = doc_get(service->doc, "links");
    int n = (list ? list->n : 0) + (links ? links->n : 0);
    struct compose_dependency *needs =
        ARENA_ARRAY(reading->arena, struct compose_dependency, n + 1);
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
        const char *condition = compose_text(doc_get(item, "condition"));
        if (!item->key && !compose_text(item)) {
            reading->error = arena_printf(
                reading->arena,
                reading->project->edition == COMPOSE_V1
                    ? "The Compose file '%s' is invalid because:\nservices.%s.depends_on "
                      "contains an invalid type, it should be a string"
                    : "validating %s: services.%s.depends_on must be a string",
                reading->project->file, service->name);
            return;
        }
        needs[service->n_needs++] = (struct compose_dependency){
            .service = item->key ? item->key : item->text,
            .condition = !condition                                                 ? NEED_STARTED
                         : strcmp(condition, "service_healthy") == 0                ? NEED_HEALTHY
                         : strcmp(condition, "service_completed_successfully") == 0 ? NEED_COMPLETED
                                                                                    : NEED_STARTED,
            .optional = compose_is(doc_get(item, "required"), "false"),
        };
    }
    for (const struct doc *item = links ? links->first : NULL; item; item = item->next) {
        struct str rest = str_of(item->text);
        needs[service->n_needs++].service = arena_str(reading->arena, str_cut(&rest, ':'));
    }
    service->needs = needs;
}

static void read_health(struct compose_reading *reading, struct compose_service *service)
{
    const struct doc *check = doc_get(service->doc, "healthcheck");
    if (!check || compose_is(doc_get(check, "disable"), "true"))
        return;
    const struct doc *test = doc_get(check, "test");
    const char *text = compose_text(test);
    if (test && test->kind == DOC_SEQUENCE) {
        text = "";
        for (const struct doc *item = test->first; item; item = item->next) {
            if (item->text && strcmp(item->text, "NONE") == 0)
                return;
            text = arena_printf(reading->arena, "%s%s%s", text, text[0] ? " " : "",
                                item->text ? item->text : "");
        }
    } else if (text) {
        text = arena_printf(reading->arena, "CMD-SHELL %s", text);
    }
    service->health.test = text;
    struct error ignored;
    int64_t retries = 3;
    doc_duration(doc_get(check, "interval"), &service->health.interval_ns, &ignored);
    doc_duration(doc_get(check, "timeout"), &service->health.timeout_ns, &ignored);
    doc_duration(doc_get(check, "start_period"), &service->health.start_period_ns, &ignored);
    doc_int(doc_get(check, "retries"), 1, 1000, &retries, &ignored);
    service->health.retries = (int)retries;
}

static void read_restart(struct compose_service *service)
{
    const char *text = compose_text(doc_get(service->doc, "restart"));
    if (!text)
        return;
    if (strcmp(text, "always") == 0)
        service->restart = RESTART_ALWAYS;
    else if (strcmp(text, "unless-stopped") == 0)
        service->restart = RESTART_UNLESS_STOPPED;
    else if (strncmp(text, "on-failure", 10) == 0)
        service->restart = RESTART_ON_FAILURE;
    if (strncmp(text, "on-failure:", 11) == 0)
        service->restart_max = leading_int(text + 11);
}

static const char *full_network(struct compose_reading *reading, const char *name)
{
    const struct doc *network = doc_get(doc_get(reading->project->doc, "networks"), name);
    const char *given = compose_text(doc_get(network, "name"));
    if (given)
        return given;
    if (compose_is(doc_get(network, "external"), "true"))
        return arena_strdup(reading->arena, name);
    return arena_printf(reading->arena, "%s_%s", reading->project->name, name);
}

static void add_once(const char **list, int *n, const char *text)
{
    for (int i = 0; i < *n; i++) {
        if (strcmp(list[i], text) == 0)
            return;
    }
    if (*n < LIST_MAX)
        list[(*n)++] = text;
}

static void read_networks(struct compose_reading *reading, struct compose_service *service)
{
    const struct doc *list = doc_get(service->doc, "networks");
    int n = list ? list->n : 0;
    const char **names = ARENA_ARRAY(reading->arena, const char *, n + 2);
    int k = 0;
    for (const struct doc *item = list ? list->first : NULL; item; item = item->next) {
        const char *name = item->key ? item->key : item->text;
        if (name)
            names[k++] = full_network(reading, name);
    }
    if (k == 0 && !doc_get(service->doc, "network_mode"))
        names[k++] = full_network(reading, "default");
    for (int i = 0; i < k; i++)
        add_once(reading->networks, &reading->n_networks, names[i]);
    service->networks = names;
}

static bool is_disabled(const struct compose_reading *reading, const struct doc *profiles)
{
    const char *const *active = reading->project->profiles;
    for (const struct doc *item = profiles ? profiles->first : NULL; item; item = item->next) {
        for (int i = 0; item->text && active && active[i]; i++) {
            if (strcmp(active[i], item->text) == 0 ||
                (strcmp(active[i], "*") == 0 && reading->project->edition == COMPOSE_V2))
                return false;
        }
    }
    return profiles && profiles->first;
}

static int read_service(struct compose_reading *reading, const struct doc *doc,
                        struct compose_service *ret)
{
    static const char *const known[] = {"build",
                                        "cap_add",
                                        "cap_drop",
                                        "cgroup_parent",
                                        "command",
                                        "configs",
                                        "container_name",
                                        "cpus",
                                        "cpu_shares",
                                        "credential_spec",
                                        "depends_on",
                                        "deploy",
                                        "devices",
                                        "dns",
                                        "dns_search",
                                        "domainname",
                                        "entrypoint",
                                        "env_file",
                                        "environment",
                                        "expose",
                                        "extends",
                                        "external_links",
                                        "extra_hosts",
                                        "group_add",
                                        "healthcheck",
                                        "hostname",
                                        "image",
                                        "init",
                                        "ipc",
                                        "isolation",
                                        "labels",
                                        "links",
                                        "logging",
                                        "mac_address",
                                        "mem_limit",
                                        "mem_reservation",
                                        "network_mode",
                                        "networks",
                                        "pid",
                                        "pids_limit",
                                        "platform",
                                        "ports",
                                        "privileged",
                                        "profiles",
                                        "pull_policy",
                                        "read_only",
                                        "restart",
                                        "runtime",
                                        "scale",
                                        "secrets",
                                        "security_opt",
                                        "shm_size",
                                        "stdin_open",
                                        "stop_grace_period",
                                        "stop_signal",
                                        "sysctls",
                                        "tmpfs",
                                        "tty",
                                        "ulimits",
                                        "user",
                                        "userns_mode",
                                        "volumes",
                                        "volumes_from",
                                        "working_dir",
                                        NULL};
    struct arena *arena = reading->arena;
    *ret = (struct compose_service){.name = doc->key, .doc = doc, .scale = 1};
    if (doc->kind != DOC_MAPPING) {
        reading->error = arena_printf(
            arena,
            reading->project->edition == COMPOSE_V1
                ? "The Compose file '%s' is invalid because:\nservices.%s must be a mapping"
                : "validating %s: services.%s must be a mapping",
            reading->project->file, doc->key);
        return 1;
    }
    for (const struct doc *option = doc->first; option; option = option->next) {
        int i = 0;
        while (known[i] && strcmp(known[i], option->key) != 0)
            i++;
        if (!known[i] && strncmp(option->key, "x-", 2) != 0) {
            reading->error =
                reading->project->edition == COMPOSE_V1
                    ? arena_printf(
                          arena,
                          "The Compose file '%s' is invalid because:\nUnsupported config option "
                          "for services.%s: '%s'",
                          reading->project->file, doc->key, option->key)
                    : arena_printf(
                          arena,
                          "validating %s: services.%s additional properties '%s' not allowed",
                          reading->project->config_files, doc->key, option->key);
            return 1;
        }
    }
    ret->image = compose_text(doc_get(doc, "image"));
    const struct doc *build = doc_get(doc, "build");
    if (build)
        ret->build =
            build->kind == DOC_MAPPING ? compose_text(doc_get(build, "context")) : build->text;
    if (build && !ret->build)
        ret->build = ".";
    if (!ret->image && !ret->build) {
        reading->error =
            reading->project->edition == COMPOSE_V1
                ? arena_printf(
                      arena,
                      "The Compose file is invalid because:\nService %s has neither an image "
                      "nor a build context specified. At least one must be provided.",
                      doc->key)
                : arena_printf(arena,
                               "service \"%s\" has neither an image nor a build context specified: "
                               "invalid compose project",
                               doc->key);
        return 1;
    }
    ret->container_name = compose_text(doc_get(doc, "container_name"));
    ret->command = words_of(arena, doc_get(doc, "command"));
    ret->hostname = compose_text(doc_get(doc, "hostname"));
    ret->user = compose_text(doc_get(doc, "user"));
    ret->folder = compose_text(doc_get(doc, "working_dir"));
    ret->profiled = is_disabled(reading, doc_get(doc, "profiles"));
    const char *scale = compose_text(doc_get(doc, "scale"));
    const char *replicas = compose_text(doc_get(doc_get(doc, "deploy"), "replicas"));
    if (replicas && reading->project->edition == COMPOSE_V2)
        ret->scale = leading_int(replicas);
    if (scale)
        ret->scale = leading_int(scale);
    struct error ignored;
    doc_duration(doc_get(doc, "stop_grace_period"), &ret->stop_grace_ns, &ignored);
    ret->env = read_environment(reading, doc);
    read_ports(reading, ret);
    compose_read_mounts(reading, ret);
    read_networks(reading, ret);
    read_needs(reading, ret);
    read_health(reading, ret);
    read_restart(ret);
    return reading->error ? 1 : 0;
}

static void set_content(struct arena *arena, struct compose_service *service)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    compose_canonical(service->doc, &text);
    for (const char *const *word = service->env; *word; word++)
        buf_printf(&text, "|%s", *word);
    service->content = arena_str(arena, buf_text(&text));
    buf_release(&text);
}

int compose_read_services(struct compose_project *project, const struct compose_source *source,
                          const struct doc *root, const char **error)
{
    struct arena *arena = project->arena;
    struct compose_reading reading = {
        .project = project,
        .source = source,
        .arena = arena,
        .volumes = ARENA_ARRAY(arena, const char *, LIST_MAX + 1),
        .externals = ARENA_ARRAY(arena, const char *, LIST_MAX + 1),
        .networks = ARENA_ARRAY(arena, const char *, LIST_MAX + 1),
    };
    const struct doc *volumes = doc_get(root, "volumes");
    for (const struct doc *volume = volumes ? volumes->first : NULL; volume;
         volume = volume->next) {
        bool external =
            doc_get(volume, "external") && !compose_is(doc_get(volume, "external"), "false");
        const char *full = compose_volume_name(&reading, volume->key);
        add_once(external ? reading.externals : reading.volumes,
                 external ? &reading.n_externals : &reading.n_volumes, full);
    }
    static const char *const sections[] = {"version", "name",    "services", "networks", "volumes",
                                           "secrets", "configs", "include",  NULL};
    for (const struct doc *section = root->first; section; section = section->next) {
        int i = 0;
        while (sections[i] && strcmp(sections[i], section->key) != 0)
            i++;
        bool v1 = project->edition == COMPOSE_V1;
        bool known = sections[i] && !(v1 && strcmp(section->key, "include") == 0);
        if (known || strncmp(section->key, "x-", 2) == 0)
            continue;
        *error =
            v1 ? arena_printf(
                     arena,
                     "The Compose file '%s' is invalid because:\n'%s' does not match any of the "
                     "regexes: '^x-'\n\nYou might be seeing this error because you're using the "
                     "wrong Compose file version. Either specify a supported version (e.g "
                     "\"2.2\" or \"3.3\") and place your service definitions under the "
                     "`services` key, or omit the `version` key and place your service "
                     "definitions at the root of the file to use version 1.\nFor more on the "
                     "Compose file format versions, see "
                     "https://docs.docker.com/compose/compose-file/",
                     project->file, section->key)
               : arena_printf(arena, "validating %s:  additional properties '%s' not allowed",
                              project->config_files, section->key);
        return 1;
    }
    const struct doc *services = doc_get(root, "services");
    if (!services || services->kind != DOC_MAPPING) {
        *error = project->edition == COMPOSE_V1
                     ? arena_printf(
                           arena,
                           "The Compose file '%s' is invalid because:\nservices must be a mapping",
                           project->file)
                     : "no service selected";
        return 1;
    }
    project->services = ARENA_ARRAY(arena, struct compose_service, services->n);
    for (const struct doc *service = services->first; service && !reading.error;
         service = service->next) {
        if (read_service(&reading, service, &project->services[project->n_services]) == 0)
            set_content(arena, &project->services[project->n_services++]);
    }
    project->volumes = reading.volumes;
    project->externals = reading.externals;
    project->networks = reading.networks;
    for (int i = 0; i < project->n_services && !reading.error; i++) {
        const struct compose_service *service = &project->services[i];
        for (int k = 0; k < service->n_needs; k++) {
            if (!compose_find(project, service->needs[k].service) && !service->needs[k].optional)
                reading.error =
                    arena_printf(arena,
                                 project->edition == COMPOSE_V1
                                     ? "Service '%s' depends on service '%s' which is undefined."
                                     : "service \"%s\" depends on undefined service \"%s\": "
                                       "invalid compose project",
                                 service->name, service->needs[k].service);
        }
    }
    *error = reading.error;
    return reading.error ? 1 : 0;
}
