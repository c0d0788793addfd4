/* kubectl create configmap and secret. Sources: k8s.io/kubectl pkg/cmd/create/create_configmap.go,
 * create_secret.go, create_secret_docker.go, pkg/cmd/util/env_file.go, pkg/util/util.go. */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "fakes/kubernetes/kubectl/create.h"
#include "fakes/kubernetes/text/manifest.h"

struct data {
    struct kubectl *k;
    bool secret;
    cJSON *object;
    const char *name;
    const char *wrong; /* NULL, or what is */
};

#define KEY_RULE                                                                                   \
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "           \
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
#define ENV_RULE                                                                                   \
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', "  \
    "or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or "         \
    "'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"

static bool is_key(const char *key)
{
    for (const char *at = key; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-._", *at))
            return false;
    return *key;
}

/* Whether the bytes are text that JSON can hold. */
static bool is_text(struct arena *arena, struct str bytes)
{
    const char *text = arena_str(arena, bytes);
    return strlen(text) == bytes.len && text_repaired(arena, text) == text;
}

static const char *base64(struct arena *arena, struct str bytes)
{
    unsigned char *text = arena_alloc(arena, bytes.len / 3 * 4 + 5);
    EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)bytes.len);
    return (const char *)text;
}

static void add(struct data *d, const char *key, struct str value)
{
    struct arena *arena = d->k->arena;
    bool binary = !d->secret && !is_text(arena, value);
    if (!is_key(key)) {
        d->wrong =
            d->secret
                ? arena_printf(arena, "\"%s\" is not valid key name for a Secret " KEY_RULE, key)
                : arena_printf(arena, "\"%s\" is not a valid key name for a ConfigMap: " KEY_RULE,
                               key);
        return;
    }
    if (json_at(d->object, "data", key) || json_at(d->object, "binaryData", key)) {
        d->wrong =
            d->secret
                ? arena_printf(arena, "cannot add key %s, another key by that name already exists",
                               key)
                : arena_printf(arena,
                               "cannot add key \"%s\", another key by that name already "
                               "exists in Data for ConfigMap \"%s\"",
                               key, d->name);
        return;
    }
    json_set_text(json_child(d->object, binary ? "binaryData" : "data"), key,
                  binary || d->secret ? base64(arena, value) : arena_str(arena, value));
}

static void add_literal(struct data *d, const char *source)
{
    const char *equals = strchr(source, '=');
    if (!equals || equals == source)
        d->wrong =
            arena_printf(d->k->arena, "invalid literal source %s, expected key=value", source);
    else
        add(d, arena_str(d->k->arena, (struct str){source, (size_t)(equals - source)}),
            str_of(equals + 1));
}

static void release(void *buf)
{
    buf_release(buf);
}

static struct buf *load(struct data *d, const char *path)
{
    struct buf *text = ARENA_NEW(d->k->arena, struct buf);
    buf_init(text, 4 << 20);
    call_defer(d->k->call, release, text);
    int code = call_load(d->k->call, path, text);
    if (code >= 0)
        return text;
    d->wrong = arena_printf(d->k->arena, "error reading %s: %s", path,
                            code == -EACCES ? "permission denied" : "no such file or directory");
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "path", "key=path", or a folder, of which every file with a name that can be a key counts. */
static void add_file(struct data *d, const char *source)
{
    struct arena *arena = d->k->arena;
    const char *equals = strchr(source, '='), *path = equals ? equals + 1 : source;
    const char *key = equals ? arena_str(arena, (struct str){source, (size_t)(equals - source)})
                             : base_name(source);
    char **names;
    if (equals && strchr(path, '='))
        d->wrong = "key names or file paths cannot contain '='";
    else if (equals == source)
        d->wrong = arena_printf(arena, "key name for file path %s missing", path);
    else if (!*path)
        d->wrong = arena_printf(arena, "file path for key name %s missing", key);
    if (d->wrong)
        return;
    int there = call_exists(d->k->call, path);
    if (there == 2 && equals) {
        d->wrong = "cannot give a key name for a directory path";
    } else if (there == 2 && call_list(d->k->call, path, &names) == 0) {
        for (; *names && !d->wrong; names++) {
            const char *inside = arena_printf(arena, "%s/%s", path, *names);
            if (!is_key(*names) || call_exists(d->k->call, inside) != 1)
                continue;
            struct buf *text = load(d, inside);
            if (text)
                add(d, *names, buf_text(text));
        }
    } else {
        struct buf *text = load(d, path);
        if (text)
            add(d, key, buf_text(text));
    }
}

/* Lines "KEY=value" or "KEY", whose value is that of kubectl's own environment. */
static void add_env_file(struct data *d, const char *path)
{
    struct arena *arena = d->k->arena;
    struct buf *text = load(d, path);
    struct str rest = text ? buf_text(text) : (struct str){0};
    while (rest.len && !d->wrong) {
        const char *line = arena_str(arena, str_cut(&rest, '\n'));
        size_t len = strlen(line);
        if (len && line[len - 1] == '\r')
            line = arena_str(arena, (struct str){line, len - 1});
        while (isspace((unsigned char)*line))
            line++;
        if (!*line || *line == '#')
            continue;
        const char *equals = strchr(line, '=');
        const char *key =
            equals ? arena_str(arena, (struct str){line, (size_t)(equals - line)}) : line;
        const char *value = equals ? equals + 1 : call_getenv(d->k->call, key);
        if (!is_key(key) || isdigit((unsigned char)*key))
            d->wrong = arena_printf(arena, "\"%s\" is not a valid key name: " ENV_RULE, key);
        else if (value)
            add(d, key, str_of(value));
    }
}

/* All of one flag, in their order; those of slices are parted by commas. */
static void add_flag(struct data *d, const char *flag, bool slice,
                     void (*take)(struct data *, const char *))
{
    for (int i = 0; i < d->k->options.n_given; i++) {
        const struct option *option = &d->k->options.given[i];
        if (strcmp(option->name, flag) != 0)
            continue;
        struct str rest = str_of(option->value);
        while (!d->wrong && rest.len) {
            struct str one = slice ? str_cut(&rest, ',') : rest;
            take(d, arena_str(d->k->arena, one));
            if (!slice)
                break;
        }
    }
}

static int create(struct data *d, const char *failing)
{
    struct kubectl *k = d->k;
    if (options_value(&k->options, "from-env-file", NULL) &&
        (options_value(&k->options, "from-file", NULL) ||
         options_value(&k->options, "from-literal", NULL)))
        d->wrong = "from-env-file cannot be combined with from-file or from-literal";
    add_flag(d, "from-file", true, add_file);
    add_flag(d, "from-literal", false, add_literal);
    add_flag(d, "from-env-file", true, add_env_file);
    if (d->wrong)
        return kubectl_error(k, "%s", d->wrong);
    return kubectl_create_object(k, d->object, failing);
}

int kubectl_create_configmap(struct kubectl *k)
{
    const char *name = kubectl_create_name(k, 0);
    if (!name)
        return 1;
    struct data d = {k, false, kubectl_new_object(k, "ConfigMap", name, "{}"), name, NULL};
    return create(&d, "failed to create configmap: ");
}

/* ---- secrets ---- */

static int create_tls(struct data *d)
{
    struct kubectl *k = d->k;
    static const char *const flags[] = {"cert", "key"}, *const keys[] = {"tls.crt", "tls.key"};
    for (int i = 0; i < 2; i++) {
        const char *path = options_value(&k->options, flags[i], NULL);
        if (!path)
            return kubectl_error(k, "key and cert must be specified");
        struct buf *text = load(d, path);
        if (!text)
            return kubectl_error(k, "Cannot read file %s, open %s: no such file or directory", path,
                                 path);
        add(d, keys[i], buf_text(text));
    }
    json_set_text(d->object, "type", "kubernetes.io/tls");
    return kubectl_create_object(k, d->object, "failed to create secret ");
}

static int create_docker(struct data *d)
{
    struct kubectl *k = d->k;
    const struct options *options = &k->options;
    const char *user = options_value(options, "docker-username", ""),
               *password = options_value(options, "docker-password", ""),
               *email = options_value(options, "docker-email", NULL);
    if (options_value(options, "from-file", NULL))
        return kubectl_refuse(k, "create secret docker-registry --from-file");
    if (!*user || !*password)
        return kubectl_error(k, "either --from-file or the combination of --docker-username, "
                                "--docker-password and --docker-server is required");
    const char *both = arena_printf(k->arena, "%s:%s", user, password);
    cJSON *config = kubectl_keep(k, cJSON_CreateObject());
    cJSON *entry =
        json_child(json_child(config, "auths"),
                   options_value(options, "docker-server", "https://index.docker.io/v1/"));
    json_set_text(entry, "username", user);
    json_set_text(entry, "password", password);
    if (email)
        json_set_text(entry, "email", email);
    json_set_text(entry, "auth", base64(k->arena, str_of(both)));
    char *text = cJSON_PrintUnformatted(config);
    add(d, ".dockerconfigjson", str_of(arena_strdup(k->arena, text)));
    cJSON_free(text);
    json_set_text(d->object, "type", "kubernetes.io/dockerconfigjson");
    return kubectl_create_object(k, d->object, "failed to create secret ");
}

int kubectl_create_secret(struct kubectl *k)
{
    const char *sort = k->n_args ? k->args[0] : "";
    bool generic = !strcmp(sort, "generic"), tls = !strcmp(sort, "tls");
    if (!generic && !tls && strcmp(sort, "docker-registry") != 0) {
        call_err(k->call, "Create a secret with specified type.\n\nAvailable Commands:\n"
                          "  docker-registry   Create a secret for use with a Docker registry\n"
                          "  generic           Create a secret from a local file, directory, or "
                          "literal value\n"
                          "  tls               Create a TLS secret\n");
        return 1;
    }
    const char *name = kubectl_create_name(k, 1);
    if (!name)
        return 1;
    struct data d = {k, true, kubectl_new_object(k, "Secret", name, "{}"), name, NULL};
    if (!generic)
        return tls ? create_tls(&d) : create_docker(&d);
    if (options_value(&k->options, "type", NULL))
        json_set_text(d.object, "type", options_value(&k->options, "type", NULL));
    return create(&d, "failed to create secret ");
}
