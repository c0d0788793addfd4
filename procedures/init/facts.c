/* What the commands of a playbook mention: services, stores, ports, versions, and commands with no
 * fake. */
#include "procedures/init/facts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/base/xalloc.h"

static bool any_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(word, *words))
            return true;
    return false;
}

/* ---- services ---- */

static const char *engine_of(const char *name)
{
    if (strcasestr(name, "postgres") || !strcasecmp(name, "pg") || str_ends(str_of(name), "-pg"))
        return "postgresql 15";
    if (strcasestr(name, "mysql") || strcasestr(name, "mariadb"))
        return "mysql 8";
    return NULL;
}

static bool is_name(struct str name)
{
    if (!name.len || name.len > 60 || !isalpha((unsigned char)*name.at))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.at[i]) && !strchr("_-.", name.at[i]))
            return false;
    return true;
}

struct fact_service *facts_service(struct facts *facts, struct str name, int line)
{
    struct fact_service *service;
    if (!is_name(name))
        return NULL;
    for (int i = 0; i < facts->n_services; i++)
        if (str_is(name, facts->services[i].name))
            return &facts->services[i];
    XGROW(facts->services, facts->n_services, facts->cap_services);
    service = &facts->services[facts->n_services++];
    *service = (struct fact_service){.name = arena_str(facts->arena, name), .line = line};
    service->engine = engine_of(service->name);
    return service;
}

static void act_on(struct facts *facts, const char *name, const struct use *use)
{
    struct fact_service *service = facts_service(facts, str_of(name), use->line);
    if (service)
        service->uses++;
}

struct fact_service *facts_store(struct facts *facts)
{
    for (int i = 0; i < facts->n_services; i++)
        if (facts->services[i].engine)
            return &facts->services[i];
    return NULL;
}

/* How much it looks like what users talk to. */
static int front_score(const struct facts *facts, const struct fact_service *service)
{
    static const char *const helpers[] = {
        "redis",    "elasticsearch", "prometheus", "grafana",  "nginx",    "kafka",
        "rabbitmq", "memcached",     "opa",        "vault",    "rollback", "backup",
        "canary",   "shadow",        "recovery",   "pipeline", NULL};
    int score = service->uses + (service->version ? 5 : 0) + (service->port ? 2 : 0);
    if (strcasestr(facts->playbook->file, service->name))
        score += 5;
    for (int i = 0; helpers[i]; i++)
        if (strcasestr(service->name, helpers[i]))
            score -= 100;
    return service->engine ? -1000 : score;
}

struct fact_service *facts_front(struct facts *facts)
{
    struct fact_service *best = NULL;
    for (int i = 0; i < facts->n_services; i++) {
        struct fact_service *service = &facts->services[i];
        if (!service->engine && (!best || front_score(facts, service) > front_score(facts, best)))
            best = service;
    }
    return best ? best : facts_service(facts, STR("app"), 0);
}

/* "qlp-api" and "shop-api-1" are containers of the compose service "api". */
static bool is_container_of(const char *container, const char *service)
{
    size_t a = strlen(service), b = strlen(container), digits = 0;
    while (b - digits > 0 && isdigit((unsigned char)container[b - digits - 1]))
        digits++;
    if (digits && b - digits > 1 && strchr("-_", container[b - digits - 1]))
        b -= digits + 1;
    return b > a + 1 && strchr("-_", container[b - a - 1]) &&
           !strncmp(container + b - a, service, a);
}

/* One service, under the name that compose knows. */
static void merge_containers(struct facts *facts)
{
    for (int i = 0; i < facts->n_services; i++)
        for (int j = 0; j < facts->n_services; j++) {
            struct fact_service *service = &facts->services[i], *container = &facts->services[j];
            if (!service->compose || container->compose || container->kubernetes ||
                !is_container_of(container->name, service->name))
                continue;
            service->uses += container->uses;
            service->container = container->name;
            if (!service->image)
                service->image = container->image;
            if (!service->version)
                service->version = container->version;
            if (!service->port)
                service->port = container->port;
            if (container->line && (!service->line || container->line < service->line))
                service->line = container->line;
            memmove(container, container + 1,
                    sizeof *container * (size_t)(facts->n_services - j - 1));
            facts->n_services--;
            i = 0;
            j = -1;
        }
}

/* ---- versions ---- */

/* "v1.2.2", "2.0.0", "1.4": at the start of the text; its length, or 0. */
static size_t version_length(const char *text)
{
    size_t i = *text == 'v', digits = 0, dots = 0;
    for (;
         isdigit((unsigned char)text[i]) || (text[i] == '.' && isdigit((unsigned char)text[i + 1]));
         i++) {
        digits += text[i] != '.';
        dots += text[i] == '.';
    }
    return digits && dots >= 1 && dots <= 3 && !isalnum((unsigned char)text[i]) ? i : 0;
}

static void note_version(struct facts *facts, const char *text, bool good)
{
    size_t len = version_length(text);
    const char *version;
    if (!len)
        return;
    version = arena_str(facts->arena, (struct str){text, len});
    if (good && !facts->good_version)
        facts->good_version = version;
    if (!good && !facts->bad_version)
        facts->bad_version = version;
}

/* "repo/name:tag": its version, of the service that is given or else has the image's name. */
static void take_image(struct facts *facts, struct fact_service *service, const char *image,
                       const struct use *use, bool good)
{
    const char *slash = strrchr(image, '/'), *name = slash ? slash + 1 : image,
               *colon = strchr(name, ':');
    if (!colon || strpbrk(image, "$<["))
        return;
    if (!service)
        service = facts_service(facts, (struct str){name, (size_t)(colon - name)}, use->line);
    if (!service)
        return;
    service->uses++;
    bool is_version = version_length(colon + 1) == strlen(colon + 1);
    if (!service->image || (is_version && good && !service->version)) /* rather than app:old-tag */
        service->image = arena_str(facts->arena, (struct str){image, (size_t)(colon - image)});
    if (is_version) {
        note_version(facts, colon + 1, good);
        if (good && !service->version)
            service->version = arena_strdup(facts->arena, colon + 1);
    }
}

/* ---- one use ---- */

static void take_compose(struct facts *facts, const struct use *use)
{
    static const char *const verbs[] = {"up",   "stop", "start", "restart", "build",
                                        "pull", "logs", "rm",    "kill",    NULL};
    const char *file = use->n_operands && !strcmp(use->operands[0], "logs")
                           ? NULL
                           : use_value(use, "-f", "--file");
    facts->uses_compose = true;
    facts->default_compose |= !file && (!use->n_operands || strcmp(use->operands[0], "logs") != 0);
    if (file && !facts->compose_file && !strpbrk(file, "$<[")) {
        const char *slash = strrchr(file, '/');
        facts->compose_file = slash ? slash + 1 : file;
    }
    if (use->n_operands > 1 &&
        (!strcmp(use->operands[0], "exec") || !strcmp(use->operands[0], "run")))
        act_on(facts, use->operands[1], use);
    if (!use->n_operands || !any_of(use->operands[0], verbs))
        return;
    for (int i = 1; i < use->n_operands; i++) {
        const char *colon = strchr(use->operands[i], ':');
        struct str name = str_of(use->operands[i]);
        struct fact_service *service;
        if (colon)
            name.len = (size_t)(colon - use->operands[i]);
        service = facts_service(facts, name, use->line);
        if (!service)
            continue;
        service->uses++;
        service->compose = true;
        if (colon)
            note_version(facts, colon + 1, true);
    }
}

static void take_docker(struct facts *facts, const struct use *use)
{
    static const char *const containers[] = {"exec", "logs",    "stop",  "start", "restart",
                                             "rm",   "inspect", "stats", "kill",  NULL};
    static const char *const images[] = {"pull", "tag", "run", NULL};
    if (use->n_operands < 2)
        return;
    if (any_of(use->operands[0], containers))
        act_on(facts, use->operands[1], use);
    if (any_of(use->operands[0], images))
        take_image(facts, NULL, use->operands[1], use, true);
    if (!strcmp(use->operands[0], "rmi"))
        take_image(facts, NULL, use->operands[1], use, false);
}

static bool is_plain_name(const char *name)
{
    return name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static void take_cluster(struct facts *facts, const struct use *use)
{
    const char *ns = facts_value(facts, use_value(use, "-n", "--namespace"));
    facts->uses_cluster = true;
    if (!facts->ns && is_plain_name(ns))
        facts->ns = ns;
}

static void take_helm(struct facts *facts, const struct use *use)
{
    static const char *const of_release[] = {"rollback", "upgrade", "history",
                                             "status",   "get",     NULL};
    take_cluster(facts, use);
    if (use->n_operands < 2 || !any_of(use->operands[0], of_release))
        return;
    bool get = !strcmp(use->operands[0], "get");
    const char *name = facts_value(facts, !get                  ? use->operands[1]
                                          : use->n_operands > 2 ? use->operands[2]
                                                                : NULL);
    if (!facts->release && is_plain_name(name))
        facts->release = name;
    if (!strcmp(use->operands[0], "rollback") || !strcmp(use->operands[0], "upgrade"))
        act_on(facts, facts_value(facts, use->operands[1]), use);
}

static void take_kubectl(struct facts *facts, const struct use *use)
{
    static const char *const kinds[] = {"deployment", "deployments", "deploy", "statefulset",
                                        "service",    "svc",         NULL};
    const char *replicas = use_value(use, NULL, "--replicas");
    int workload = -1; /* the last one named */
    take_cluster(facts, use);
    for (int i = 0; i < use->n_operands; i++) {
        const char *word = facts_value(facts, use->operands[i]);
        const char *slash = strchr(word, '/'), *name = slash ? slash + 1 : NULL;
        struct str kind = {word, slash ? (size_t)(slash - word) : 0};
        struct fact_service *service;
        if (!slash && any_of(word, kinds) && i + 1 < use->n_operands)
            name = facts_value(facts, use->operands[i + 1]);
        else if (!slash || !any_of(arena_str(facts->arena, kind), kinds))
            name = NULL;
        service = name ? facts_service(facts, str_of(name), use->line) : NULL;
        if (!service)
            continue;
        service->uses++;
        service->kubernetes = true;
        workload = (int)(service - facts->services);
        const char *typed = slash ? arena_str(facts->arena, kind) : word;
        if (!strncmp(typed, "deploy", 6) || !strcmp(typed, "statefulset"))
            service->kind = *typed == 'd' ? "deployment" : "statefulset";
        if (replicas && *replicas > '0' && *replicas <= '9' && !replicas[1])
            service->replicas = *replicas - '0';
    }
    for (int i = 2; use_is(use, "kubectl", "set", "image") && i < use->n_operands; i++) {
        const char *equals = strchr(use->operands[i], '=');
        struct fact_service *service = workload < 0 ? NULL : &facts->services[workload];
        struct str container = {use->operands[i], equals ? (size_t)(equals - use->operands[i]) : 0};
        if (!equals)
            continue;
        if (service && !service->container && is_name(container))
            service->container = arena_str(facts->arena, container);
        take_image(facts, service, equals + 1, use, true);
    }
}

static void add_table(struct facts *facts, const char *name, size_t len)
{
    struct str table = {name, len};
    if (!is_name(table) || str_starts(table, "pg_") || str_starts(table, "information_schema"))
        return;
    for (int i = 0; i < facts->n_tables; i++)
        if (str_is(table, facts->tables[i]))
            return;
    XGROW(facts->tables, facts->n_tables, facts->cap_tables);
    facts->tables[facts->n_tables++] = arena_str(facts->arena, table);
}

/* Comments become blanks: "-- restore from backup" names no table. */
static const char *without_comments(struct arena *arena, const char *sql)
{
    char *copy = arena_strdup(arena, sql);
    for (char *at = copy; (at = strstr(at, "--"));)
        for (; *at && *at != '\n'; at++)
            *at = ' ';
    return copy;
}

/* The word behind FROM, INTO, TABLE, UPDATE. */
static void take_sql(struct facts *facts, const char *text)
{
    const char *sql = text ? without_comments(facts->arena, text) : NULL;
    static const char *const words[] = {"from ",  "into ", "update ", "table if exists ",
                                        "table ", NULL};
    for (int w = 0; sql && words[w]; w++)
        for (const char *at = sql; (at = strcasestr(at, words[w]));) {
            size_t len = 0;
            at += strlen(words[w]);
            at += strspn(at, " \n");
            while (isalnum((unsigned char)at[len]) || at[len] == '_')
                len++;
            if (at[len] == '.') { /* public.orders */
                at += len + 1;
                for (len = 0; isalnum((unsigned char)at[len]) || at[len] == '_';)
                    len++;
            }
            if (!strncasecmp(at, "if ", 3) || !strncasecmp(at, "exists", 6) || at[len] == '(')
                continue;
            add_table(facts, at, len);
        }
}

static void take_psql(struct facts *facts, const struct use *use)
{
    const char *database = use_value(use, "-d", "--dbname"),
               *user = use_value(use, "-U", "--username");
    static const char *const upkeep[] = {"postgres", "template1", NULL}; /* of no application */
    if (database && (!facts->database || any_of(facts->database, upkeep)) &&
        is_name(str_of(database)))
        facts->database = database;
    if (user && !facts->user && is_name(str_of(user)))
        facts->user = user;
    if (use->remote && use > facts->lint.uses && use_is(use - 1, "docker", "exec", NULL) &&
        use[-1].n_operands > 1 && !facts->container && is_name(str_of(use[-1].operands[1])))
        facts->container = use[-1].operands[1];
    take_sql(facts, use_sql(&facts->lint, use));
}

static bool is_dump(const char *path)
{
    static const char *const endings[] = {".sql", ".sql.gz", ".dump", ".gz", NULL};
    for (int i = 0; path && !strpbrk(path, "$<[*?`%") && endings[i]; i++)
        if (str_ends(str_of(path), endings[i]))
            return true;
    return false;
}

/* Dumps on the operator's machine that are restored: they must be there. What is unpacked first
 * must be there packed. */
static void take_restore(struct facts *facts, const struct use *use)
{
    bool unpacks = !strcmp(use->name, "gunzip") || use_is(use, "gzip", "-d", NULL);
    static const char *const readers[] = {"zcat", "gunzip", "cat", "gzip", NULL};
    const char *path = NULL;
    bool sql = !strcmp(use->name, "psql") || !strcmp(use->name, "mysql") ||
               !strcmp(use->name, "pg_restore");
    for (const struct shell_redirect *at = use->command->redirects; sql && at; at = at->next)
        if (str_is(at->operator, "<"))
            path = at->target->value;
    if (sql && !use->remote && !path)
        path = use_value(use, "-f", "--file");
    if ((!strcmp(use->name, "pg_restore") && !use->remote && use->n_operands) ||
        ((unpacks || (any_of(use->name, readers) && !use->last_stage)) && use->n_operands))
        path = use->operands[use->n_operands - 1];
    if (!is_dump(path))
        return;
    for (int i = 0; i < facts->n_backups; i++)
        if (!strcmp(facts->backups[i].path, path) ||
            !strcmp(facts->backups[i].path, arena_printf(facts->arena, "%s.gz", path)))
            return;
    XGROW(facts->backups, facts->n_backups, facts->cap_backups);
    facts->backups[facts->n_backups++] =
        (struct fact_backup){path, !strcmp(use->name, "pg_restore"), use->line};
}

/* "postgresql-0" is the first pod of the StatefulSet postgresql. */
static struct fact_service *pod_owner(struct facts *facts, const char *pod, const struct use *use)
{
    const char *dash = strrchr(pod, '-');
    bool ordinal = dash && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1);
    struct str name = {pod, ordinal ? (size_t)(dash - pod) : strlen(pod)};
    struct fact_service *service = facts_service(facts, name, use->line);
    if (service && ordinal) {
        service->kubernetes = true;
        service->kind = service->kind ? service->kind : "statefulset";
    }
    return service;
}

/* The container or pod that psql runs in is the store. */
static void take_store(struct facts *facts, const struct use *use)
{
    static const char *const tools[] = {"psql",  "pg_dump",   "pg_restore", "pg_isready",
                                        "mysql", "mysqldump", NULL};
    const struct use *outer = use - 1;
    const char *name = NULL, *slash;
    struct fact_service *service;
    if (!use->remote && (!strcmp(use->name, "psql") || !strncmp(use->name, "pg_", 3)) &&
        any_of(use->name, tools) && !use_value(use, "-h", "--host"))
        facts->bare_client = true;
    if (!use->remote || use <= facts->lint.uses || !any_of(use->name, tools) ||
        outer->n_operands < 2 || strcmp(outer->operands[0], "exec"))
        return;
    name = outer->operands[1];
    slash = strchr(name, '/');
    service = !strcmp(outer->name, "kubectl") && !slash
                  ? pod_owner(facts, name, use)
                  : facts_service(facts, str_of(slash ? slash + 1 : name), use->line);
    if (service && !service->engine)
        service->engine = *use->name == 'm' ? "mysql 8" : "postgresql 15";
    if (service && use_is(outer, "compose", NULL, NULL))
        service->compose = true;
}

/* A repository is there where it is looked at or taken back, too. */
static void take_git(struct facts *facts, const struct use *use)
{
    static const char *const verbs[] = {"revert", "reset", "log", "pull", "stash", "status", NULL};
    const char *name;
    facts->checks_out |= use->n_operands && any_of(use->operands[0], verbs);
    if (!use_is(use, "git", "checkout", NULL) || use->n_operands < 2)
        return;
    name = strrchr(use->operands[1], '/');
    note_version(facts, name ? name + 1 : use->operands[1], true);
    facts->checks_out |= version_length(name ? name + 1 : use->operands[1]) > 0;
}

/* ---- the machine ---- */

static void take_units(struct facts *facts, const struct use *use)
{
    static const char *const ours[] = {"docker", "cron", "ssh", NULL}; /* are there always */
    for (int i = 1; i < use->n_operands; i++) {
        struct str name = str_of(use->operands[i]);
        struct fact_service *service;
        if (str_ends(name, ".service"))
            name.len -= 8;
        if (use->remote || any_of(arena_str(facts->arena, name), ours))
            continue;
        service = facts_service(facts, name, use->line);
        if (service) {
            service->uses++;
            service->unit = true;
        }
    }
}

static bool is_plain_path(const char *path)
{
    return *path == '/' && path[1] && !strpbrk(path, "$<[*?`%{") && !str_ends(str_of(path), "/") &&
           !strstr(path, "/../");
}

/* cp /usr/local/bin/api.backup /usr/local/bin/api: the first must be there, unless the playbook
 * makes it itself. */
static void take_copy(struct facts *facts, const struct use *use)
{
    const char *from, *to;
    bool there = false;
    if (use->remote || use->in_function || use->n_operands != 2 || use_short(use, 'r') ||
        use_short(use, 'R') || use_short(use, 'a') || !is_plain_path(use->operands[0]))
        return;
    from = use->operands[0];
    to = is_plain_path(use->operands[1]) ? use->operands[1] : NULL;
    for (int i = 0; i < facts->n_files; i++) {
        const struct fact_file *file = &facts->files[i];
        there |= (file->path && !strcmp(file->path, from)) || (file->to && !strcmp(file->to, from));
    }
    XGROW(facts->files, facts->n_files, facts->cap_files);
    facts->files[facts->n_files++] = (struct fact_file){there ? NULL : from, to, use->line};
}

/* ---- all of them ---- */

static void take_use(struct facts *facts, const struct use *use)
{
    if (!strcmp(use->name, "compose"))
        take_compose(facts, use);
    else if (!strcmp(use->name, "docker"))
        take_docker(facts, use);
    else if (!strcmp(use->name, "kubectl"))
        take_kubectl(facts, use);
    else if (!strcmp(use->name, "curl"))
        facts_take_urls(facts, use);
    else if (!strcmp(use->name, "psql"))
        take_psql(facts, use);
    else if (!strcmp(use->name, "git"))
        take_git(facts, use);
    else if (!strcmp(use->name, "helm"))
        take_helm(facts, use);
    else if (!strcmp(use->name, "systemctl") && use->n_operands > 1)
        take_units(facts, use);
    else if (!strcmp(use->name, "cp") || !strcmp(use->name, "mv"))
        take_copy(facts, use);
    else if (!strcmp(use->name, "cd") && use->n_operands && *use->operands[0] == '/' &&
             !facts->cwd && !strpbrk(use->operands[0], "$<[* "))
        facts->cwd = use->operands[0];
    take_store(facts, use);
    take_restore(facts, use);
    facts_take_command(facts, use);
}

static bool speaks_sql(const struct facts *facts)
{
    for (int i = 0; i < facts->playbook->n_blocks; i++)
        if (facts->playbook->blocks[i].kind == BLOCK_SQL)
            return true;
    for (int i = 0; i < facts->lint.n_uses; i++)
        if (!strcmp(facts->lint.uses[i].name, "psql") ||
            !strcmp(facts->lint.uses[i].name, "pg_dump"))
            return true;
    return false;
}

void facts_from_commands(struct facts *facts)
{
    facts->lint.arena = facts->arena;
    facts->lint.playbook = facts->playbook;
    lint_collect(&facts->lint);
    for (int i = 0; i < facts->lint.n_uses; i++)
        take_use(facts, &facts->lint.uses[i]);
    for (int i = 0; i < facts->playbook->n_blocks; i++)
        if (facts->playbook->blocks[i].kind == BLOCK_SQL)
            take_sql(facts, arena_str(facts->arena, facts->playbook->blocks[i].text));
    merge_containers(facts);
    if (speaks_sql(facts) && !facts_store(facts))
        facts_service(facts, STR("postgres"), 0);
}

void facts_release(struct facts *facts)
{
    free(facts->lint.blocks);
    free(facts->lint.uses);
    free(facts->lint.findings);
    free(facts->services);
    free(facts->commands);
    free(facts->triggers);
    free(facts->targets);
    free(facts->tables);
    free(facts->backups);
    free(facts->files);
    free(facts->ports);
    free(facts->asked);
}
