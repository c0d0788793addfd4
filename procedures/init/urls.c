/* What the addresses that a playbook asks say: ports, services and the paths of health checks. */
#include <ctype.h>
#include <string.h>

#include "procedures/init/facts.h"
#include "sim/base/xalloc.h"

/* Ports that everybody knows belong to a tool, and not to what users talk to. */
static bool is_tool_port(int port)
{
    static const int ports[] = {5432, 3306, 6379, 9200, 9090, 9093, 5601, 8181, 2379, 0};
    for (int i = 0; ports[i]; i++)
        if (ports[i] == port)
            return true;
    return false;
}

static void add_port(struct facts *facts, int port)
{
    if (is_tool_port(port))
        return;
    for (int i = 0; i < facts->n_ports; i++)
        if (facts->ports[i] == port)
            return;
    XGROW(facts->ports, facts->n_ports, facts->cap_ports);
    facts->ports[facts->n_ports++] = port;
}

/* A path that is asked to see whether the service is well; a dynamic part is a blank for nobody. */
static void add_asked(struct facts *facts, const char *path, const char *host, size_t len, int port)
{
    static const char *const words[] = {"health", "ready", "live", "ping", "status", NULL};
    char *own = arena_str(facts->arena, (struct str){path, strcspn(path, "?#\"' ")});
    bool asks = false;
    for (int i = 0; words[i]; i++)
        asks |= strstr(own, words[i]) != NULL;
    if (*own != '/' || !asks || strpbrk(own, "$<[{*"))
        return;
    bool local = len == 9 && !memcmp(host, "localhost", 9);
    XGROW(facts->asked, facts->n_asked, facts->cap_asked);
    facts->asked[facts->n_asked++] = (struct fact_asked){
        own, local ? NULL : arena_str(facts->arena, (struct str){host, len}), port};
}

static void take_url(struct facts *facts, const char *url, const struct use *use)
{
    const char *host = strstr(url, "://");
    size_t len;
    int port = 80;
    host = host ? host + 3 : url;
    len = strcspn(host, ":/?");
    if (!len || memchr(host, '$', len) || memchr(host, '<', len) || memchr(host, '.', len))
        return; /* hosts of the world outside are not part of the system */
    if (host[len] == ':') {
        port = 0;
        for (const char *at = host + len + 1; isdigit((unsigned char)*at) && port < 70000; at++)
            port = port * 10 + *at - '0';
    }
    if (port <= 0 || port > 65535)
        return;
    add_asked(facts, host + strcspn(host, "/"), host, len, port);
    if (len == 9 && !memcmp(host, "localhost", 9)) {
        add_port(facts, port);
    } else {
        struct fact_service *service = facts_service(facts, (struct str){host, len}, use->line);
        if (service && !service->port)
            service->port = port;
    }
}

void facts_take_urls(struct facts *facts, const struct use *use)
{
    for (int i = 0; i < use->n_operands; i++)
        if (strstr(use->operands[i], "://") || !strncmp(use->operands[i], "localhost", 9))
            take_url(facts, use->operands[i], use);
}
