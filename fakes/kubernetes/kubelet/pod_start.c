/* What a container finds when it starts: its environment, and the files of its volumes.
 *
 * Follows k8s.io/kubernetes pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables) and pkg/volume.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/kubernetes/kubelet/kubelet.h"
#include "sim/base/base64.h"
#include "sim/base/xalloc.h"

/* ---- what ConfigMaps and Secrets hold ---- */

static struct object *config_named(struct pod *pod, bool secret, const char *name)
{
    return cluster_find_named(pod->controllers->cluster, secret ? "Secret" : "ConfigMap",
                              pod->object->ns, name ? name : "");
}

/* The text of one value: of a Secret, and a ConfigMap's binaryData, base64. */
static const char *value_of(struct arena *arena, const struct object *config, const char *key)
{
    struct str bytes;
    const char *text = json_text(config->json, "data", key);
    const char *binary = json_text(config->json, "binaryData", key);
    if (text && !is_kind(config, "Secret"))
        return text;
    if (!text && !binary)
        return NULL;
    return base64_decode(arena, str_of(text ? text : binary), &bytes) ? bytes.at : "";
}

/* ---- the environment ---- */

struct environment {
    struct pod_container *container;
    struct arena *arena;
    char **words;
    int n, cap;
    const char *why, *reason; /* NULL: it is whole */
};

static void set(struct environment *env, const char *name, const char *value)
{
    size_t len = strlen(name);
    char *word = arena_printf(env->arena, "%s=%s", name, value);
    for (int i = 0; i < env->n; i++) {
        if (strncmp(env->words[i], word, len + 1) == 0) {
            env->words[i] = word;
            return;
        }
    }
    if (env->n + 1 >= env->cap) {
        env->cap = env->cap ? 2 * env->cap : 64;
        char **more = ARENA_ARRAY(env->arena, char *, env->cap);
        if (env->n)
            memcpy(more, env->words, (size_t)env->n * sizeof *more);
        env->words = more;
    }
    env->words[env->n++] = word;
    env->words[env->n] = NULL;
}

static const char *get(const struct environment *env, struct str name)
{
    for (int i = 0; i < env->n; i++) {
        if (strncmp(env->words[i], name.at, name.len) == 0 && env->words[i][name.len] == '=')
            return env->words[i] + name.len + 1;
    }
    return NULL;
}

/* "$(NAME)" of what was set before; "$$" is a "$"; what is not known stays as it is. */
static const char *expand(struct environment *env, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (const char *at = text; *at; at++) {
        const char *close = at[0] == '$' && at[1] == '(' ? strchr(at, ')') : NULL;
        const char *value = close ? get(env, (struct str){at + 2, (size_t)(close - at - 2)}) : NULL;
        if (at[0] == '$' && at[1] == '$') {
            buf_putc(&out, *at++);
        } else if (value) {
            buf_puts(&out, value);
            at = close;
        } else {
            buf_putc(&out, *at);
        }
    }
    const char *result = arena_str(env->arena, buf_text(&out));
    buf_release(&out);
    return result;
}

static void fail(struct environment *env, const char *why)
{
    if (env->why)
        return;
    env->why = why;
    env->reason = "CreateContainerConfigError";
}

static bool is_optional(const cJSON *source)
{
    return cJSON_IsTrue(json_at(source, "optional"));
}

static void set_all_of(struct environment *env, const cJSON *from)
{
    bool secret = json_at(from, "secretRef");
    const cJSON *source = json_at(from, secret ? "secretRef" : "configMapRef");
    const char *name = json_text(source, "name"), *prefix = json_text(from, "prefix");
    struct object *config = config_named(env->container->pod, secret, name);
    if (!source)
        return;
    if (!config) {
        if (!is_optional(source))
            fail(env, arena_printf(env->arena, "%s \"%s\" not found",
                                   secret ? "secret" : "configmap", name));
        return;
    }
    const cJSON *data = json_at(config->json, "data");
    for (const cJSON *one = data ? data->child : NULL; one; one = one->next)
        set(env, arena_printf(env->arena, "%s%s", prefix ? prefix : "", one->string),
            value_of(env->arena, config, one->string));
}

static const char *key_of(struct environment *env, const cJSON *source, bool secret)
{
    struct pod *pod = env->container->pod;
    const char *name = json_text(source, "name"), *key = json_text(source, "key");
    struct object *config = config_named(pod, secret, name);
    const char *value = config && key ? value_of(env->arena, config, key) : NULL;
    if (value || is_optional(source))
        return value;
    if (!config)
        fail(env, arena_printf(env->arena, "%s \"%s\" not found", secret ? "secret" : "configmap",
                               name));
    else
        fail(env, arena_printf(env->arena, "couldn't find key %s in %s %s/%s", key,
                               secret ? "Secret" : "ConfigMap", pod->object->ns, name));
    return NULL;
}

static const char *field_of(struct environment *env, const char *path)
{
    const struct pod *pod = env->container->pod;
    const cJSON *json = pod->object->json;
    struct str rest = str_of(path);
    struct str first = str_cut(&rest, '[');
    if (rest.len > 3) { /* metadata.labels['app'] */
        const char *key = arena_str(env->arena, (struct str){rest.at + 1, rest.len - 3});
        bool labels = str_is(first, "metadata.labels");
        const char *value = json_text(json, "metadata", labels ? "labels" : "annotations", key);
        return value ? value : "";
    }
    if (strcmp(path, "status.podIP") == 0 || strcmp(path, "status.podIPs") == 0)
        return pod->ip;
    if (strcmp(path, "spec.nodeName") == 0)
        return pod->node;
    const cJSON *at = json;
    for (rest = str_of(path); rest.len;)
        at = json_at(at, arena_str(env->arena, str_cut(&rest, '.')));
    const char *text = cJSON_GetStringValue(at);
    return text ? text : "";
}

static void set_one(struct environment *env, const cJSON *one)
{
    const cJSON *from = json_at(one, "valueFrom");
    const char *name = json_text(one, "name"), *value = json_text(one, "value");
    const char *field = json_text(from, "fieldRef", "fieldPath");
    if (json_at(from, "configMapKeyRef"))
        value = key_of(env, json_at(from, "configMapKeyRef"), false);
    else if (json_at(from, "secretKeyRef"))
        value = key_of(env, json_at(from, "secretKeyRef"), true);
    else if (field)
        value = field_of(env, field);
    else if (json_at(from, "resourceFieldRef"))
        value = "0";
    else
        value = expand(env, value ? value : "");
    if (name && value)
        set(env, name, value);
}

static const char *upper(struct arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    for (char *c = text; *c; c++)
        *c = (char)(*c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    return text;
}

/* REDIS_MASTER_SERVICE_HOST and so on, for each Service of the namespace. */
static void set_service_links(struct environment *env)
{
    struct pod *pod = env->container->pod;
    struct arena *arena = env->arena;
    bool wanted = !cJSON_IsFalse(json_at(pod->object->json, "spec", "enableServiceLinks"));
    struct object **all = objects_of(pod->controllers, arena, "Service", pod->object->ns);
    for (; wanted && *all; all++) {
        const char *ip = json_text((*all)->json, "spec", "clusterIP");
        const cJSON *ports = json_at((*all)->json, "spec", "ports");
        int64_t port = json_int(ports ? ports->child : NULL, "port", 0);
        const char *name = upper(arena, (*all)->name);
        if (!ip || strcmp(ip, "None") == 0)
            continue;
        set(env, arena_printf(arena, "%s_SERVICE_HOST", name), ip);
        set(env, arena_printf(arena, "%s_SERVICE_PORT", name),
            arena_printf(arena, "%" PRId64, port));
        set(env, arena_printf(arena, "%s_PORT", name),
            arena_printf(arena, "tcp://%s:%" PRId64, ip, port));
    }
    set(env, "KUBERNETES_SERVICE_HOST", "10.96.0.1");
    set(env, "KUBERNETES_SERVICE_PORT", "443");
}

const char *container_environment(struct pod_container *container, struct arena *arena,
                                  char ***ret_env, const char **reason)
{
    struct environment env = {.container = container, .arena = arena};
    const cJSON *spec = container_spec(container);
    set(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    set(&env, "HOSTNAME", container->pod->object->name);
    set_service_links(&env);
    const cJSON *from = json_at(spec, "envFrom"), *list = json_at(spec, "env");
    for (const cJSON *one = from ? from->child : NULL; one; one = one->next)
        set_all_of(&env, one);
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next)
        set_one(&env, one);
    set(&env, "HOME", "/root");
    *ret_env = env.words;
    *reason = env.reason;
    return env.why;
}

/* ---- who reads what ---- */

static void read_named(struct pod *pod, bool secret, const char *name)
{
    struct object *config = name ? config_named(pod, secret, name) : NULL;
    if (config)
        cluster_config_read(pod->controllers->cluster, config, pod->object->name);
}

void container_reads_config(const struct pod_container *container)
{
    struct pod *pod = container->pod;
    const cJSON *spec = container_spec(container);
    const cJSON *from = json_at(spec, "envFrom"), *list = json_at(spec, "env");
    for (const cJSON *one = from ? from->child : NULL; one; one = one->next) {
        read_named(pod, false, json_text(one, "configMapRef", "name"));
        read_named(pod, true, json_text(one, "secretRef", "name"));
    }
    for (const cJSON *one = list ? list->child : NULL; one; one = one->next) {
        read_named(pod, false, json_text(one, "valueFrom", "configMapKeyRef", "name"));
        read_named(pod, true, json_text(one, "valueFrom", "secretKeyRef", "name"));
    }
}
