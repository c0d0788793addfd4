/* nginx: its configuration checked, and the traffic of services that it stands before.
 *
 *   host:
 *     # who gets the traffic of service web: what this file names
 *     routes: {web: /etc/nginx/conf.d/web.conf}
 *
 * A container gets its share if the file, as nginx last read it, names it as a server of an
 * upstream or behind proxy_pass: by a port of this machine that it publishes, or by its name. Of
 * several upstreams those that a proxy_pass of the file names count; without a proxy_pass, all.
 * What is marked down or backup gets nothing.
 */
#include <string.h>

#include "fakes/docker.h"
#include "fakes/host.h"

enum { FILE_MAX = 4 << 20, TARGETS_MAX = 64 };

static const char *load(struct call *call, const char *path)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int code = call_load(call, path, &text);
    const char *copy = code < 0 ? NULL : arena_str(call->arena, buf_text(&text));
    buf_release(&text);
    return copy;
}

/* ---- where a configuration sends requests ---- */

struct nginx_server {
    const char *upstream; /* "": of a proxy_pass itself */
    const char *address;  /* "127.0.0.1:8081", "web-blue:80" */
    bool used;
};

/* The next statement of a configuration, up to ';', '{' or '}', which is *ret_end (0: none is
 * left). */
static struct str statement(struct str *rest, char *ret_end)
{
    size_t n = 0;
    while (n < rest->len && !strchr(";{}", rest->at[n]))
        n++;
    struct str text = {rest->at, n};
    *ret_end = n < rest->len ? rest->at[n] : 0;
    n += n < rest->len;
    *rest = (struct str){rest->at + n, rest->len - n};
    return str_trim(text);
}

static const char *without_comments(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    bool comment = false;
    for (char *p = copy; *p; p++) {
        comment = *p != '\n' && (comment || *p == '#');
        if (comment || *p == '\t' || *p == '\r' || *p == '\n')
            *p = ' ';
    }
    return copy;
}

static struct str word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;
    while (n < rest->len && rest->at[n] != ' ')
        n++;
    struct str text = {rest->at, n};
    *rest = (struct str){rest->at + n, rest->len - n};
    return text;
}

static int find_targets(struct arena *arena, const char *text, struct nginx_server *targets)
{
    struct str rest = str_of(without_comments(arena, text));
    const char *upstream = NULL;
    bool passes = false;
    int n = 0;
    char end;
    while (rest.len > 0 && n < TARGETS_MAX) {
        struct str words = statement(&rest, &end), first = word(&words);
        if (str_is(first, "upstream") && end == '{')
            upstream = arena_str(arena, word(&words));
        else if (end == '}')
            upstream = NULL;
        if (str_is(first, "server") && upstream && end == ';') {
            const char *address = arena_str(arena, word(&words));
            bool off = str_find(words, STR("down")) >= 0 || str_find(words, STR("backup")) >= 0;
            if (!off)
                targets[n++] = (struct nginx_server){.upstream = upstream, .address = address};
        } else if (str_is(first, "proxy_pass") && end == ';') {
            struct str url = word(&words);
            ptrdiff_t scheme = str_find(url, STR("://"));
            if (scheme >= 0)
                url = (struct str){url.at + scheme + 3, url.len - (size_t)scheme - 3};
            targets[n++] = (struct nginx_server){
                .upstream = "", .address = arena_str(arena, str_cut(&url, '/')), .used = true};
            passes = true;
        }
    }
    for (int i = 0; i < n; i++) {
        targets[i].used = targets[i].used || !passes;
        for (int k = 0; k < n; k++) {
            if (targets[k].upstream[0] == '\0' &&
                strcmp(targets[k].address, targets[i].upstream) == 0)
                targets[i].used = true;
        }
    }
    return n;
}

static bool reaches(const struct nginx_server *target, const struct container *container)
{
    struct arena scratch = {0};
    struct str rest = str_of(target->address);
    const char *host = arena_str(&scratch, str_cut(&rest, ':'));
    int port = rest.len ? leading_int(rest.at) : 80;
    bool here = strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
                strcmp(host, "0.0.0.0") == 0;
    const char *service = container_label(container, "com.docker.compose.service");
    bool hit = strcmp(host, container->name) == 0 || (service && strcmp(host, service) == 0);
    for (int i = 0; i < container->spec.n_ports && here; i++)
        hit = hit || (container->spec.ports[i].address && container->spec.ports[i].host == port);
    arena_release(&scratch);
    return hit;
}

void host_nginx_route(struct container *container)
{
    const struct host *host = host_of(container->docker->env);
    for (int i = 0; host && container->instance && i < host->n_routes; i++) {
        const struct host_route *route = &host->routes[i];
        if (!route->loaded || strcmp(route->service, container->image->service) != 0)
            continue;
        struct arena scratch = {0};
        struct nginx_server targets[TARGETS_MAX];
        int n = find_targets(&scratch, route->loaded, targets);
        bool in = false;
        for (int k = 0; k < n; k++)
            in = in || (targets[k].used && reaches(&targets[k], container));
        arena_release(&scratch);
        instance_rotate(container->instance, in && container->state != CONTAINER_PAUSED);
    }
}

/* What the files hold now is what nginx works by from here on. */
void host_nginx_read(struct host *host)
{
    struct docker *docker = docker_of(host->env);
    for (int i = 0; i < host->n_routes; i++) {
        struct buf text;
        buf_init(&text, FILE_MAX);
        if (env_load(host->env, "", host->routes[i].file, &text) == 0)
            host->routes[i].loaded = arena_str(&host->env->arena, buf_text(&text));
        buf_release(&text);
    }
    for (int i = 0; docker && i < docker->n_containers; i++) {
        if (!docker->containers[i]->removed)
            host_nginx_route(docker->containers[i]);
    }
}

/* ---- the command ---- */

/* Braces and quotes, as far as a configuration can be judged without its modules. NULL, or nginx's
 * complaint. */
static const char *judge(struct call *call, const char *path)
{
    int depth = 0, line = 1;
    const char *text = load(call, path);
    if (!text)
        return arena_printf(call->arena, "open() \"%s\" failed (2: No such file or directory)",
                            path);
    for (const char *p = text; *p; p++) {
        if (*p == '#') {
            while (p[1] && p[1] != '\n')
                p++;
        } else if (*p == '"' || *p == '\'') {
            char quote = *p++;
            while (*p && *p != quote)
                line += *p++ == '\n';
            if (!*p)
                break;
        } else if (*p == '{') {
            depth++;
        } else if (*p == '}' && depth-- == 0) {
            return arena_printf(call->arena, "unexpected \"}\" in %s:%d", path, line);
        } else if (*p == '\n') {
            line++;
        }
    }
    return depth > 0 ? arena_printf(call->arena, "unexpected end of file, expecting \"}\" in %s:%d",
                                    path, line)
                     : NULL;
}

const char *host_nginx_complaint(struct call *call, const char *path)
{
    const struct host *host = host_of(call->env);
    const char *complaint = judge(call, path ? path : "/etc/nginx/nginx.conf");
    for (int i = 0; i < host->n_routes && !complaint; i++)
        complaint = judge(call, host->routes[i].file);
    return complaint;
}

int host_nginx(struct call *call)
{
    struct host *host = host_of(call->env);
    struct unit *unit = host_unit(host, "nginx");
    struct options options;
    options_parse(call->arena, OPTIONS_GETOPT, "t|t T|T q|q s|s= v|v V|V c|c= g|g= p|p= h|h", true,
                  call->argv, &options);
    if (options.error) {
        call_err(call, "nginx: %s\n", options.error);
        return 1;
    }
    if (options_has(&options, "v") || options_has(&options, "V")) {
        call_err(call, "nginx version: nginx/1.22.1\n");
        return 0;
    }
    const char *path = options_value(&options, "c", "/etc/nginx/nginx.conf");
    bool tests = options_has(&options, "t") || options_has(&options, "T");
    const char *complaint = host_nginx_complaint(call, path);
    if (complaint) {
        call_err(call, "nginx: [emerg] %s\n", complaint);
        if (tests)
            call_err(call, "nginx: configuration file %s test failed\n", path);
        return 1;
    }
    if (tests) {
        if (!options_has(&options, "q"))
            call_err(call,
                     "nginx: the configuration file %s syntax is ok\nnginx: configuration file %s "
                     "test is "
                     "successful\n",
                     path, path);
        return 0;
    }
    const char *signal = options_value(&options, "s", NULL);
    if (!signal) {
        if (unit)
            unit_start(call, unit);
        host_nginx_read(host);
        return 0;
    }
    if (strcmp(signal, "reload") && strcmp(signal, "stop") && strcmp(signal, "quit") &&
        strcmp(signal, "reopen")) {
        call_err(call, "nginx: invalid option: \"-s %s\"\n", signal);
        return 1;
    }
    if (!unit || unit->state != UNIT_ACTIVE) {
        call_err(
            call,
            "nginx: [error] open() \"/run/nginx.pid\" failed (2: No such file or directory)\n");
        return 1;
    }
    if (strcmp(signal, "reload") == 0) {
        record_change(call->env->record, "nginx", "configuration is loaded again");
        host_nginx_read(host);
    } else if (strcmp(signal, "reopen") != 0)
        unit_stop(unit);
    return 0;
}
