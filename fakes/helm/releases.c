/* Releases as Helm stores them: gzipped JSON in Secrets. Source: helm pkg/storage/driver. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "fakes/helm/helm.h"
#include "fakes/kubernetes/text/manifest.h"

enum { RECORD_MAX = 8 << 20 };

/* ---- packing ---- */

static char *encode(struct arena *arena, const void *at, size_t len)
{
    unsigned char *out = arena_alloc(arena, 4 * ((len + 2) / 3) + 1);
    EVP_EncodeBlock(out, at, (int)len);
    return (char *)out;
}

static struct str decode(struct arena *arena, struct str text)
{
    unsigned char *out = arena_alloc(arena, text.len + 4);
    int n = text.len % 4 ? -1 : EVP_DecodeBlock(out, (const unsigned char *)text.at, (int)text.len);
    for (size_t i = text.len; n > 0 && i > 0 && text.at[i - 1] == '='; i--)
        n--;
    return (struct str){(const char *)out, n < 0 ? 0 : (size_t)n};
}

static struct str squeeze(struct arena *arena, struct str text)
{
    z_stream stream = {0};
    size_t cap = text.len + 1024;
    unsigned char *out = arena_alloc(arena, cap);
    if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return (struct str){"", 0};
    stream.next_in = (unsigned char *)(uintptr_t)text.at;
    stream.avail_in = (uInt)text.len;
    stream.next_out = out;
    stream.avail_out = (uInt)cap;
    (void)deflate(&stream, Z_FINISH);
    size_t len = cap - stream.avail_out;
    deflateEnd(&stream);
    return (struct str){(const char *)out, len};
}

static const char *unsqueeze(struct arena *arena, struct str packed)
{
    z_stream stream = {0};
    struct buf out;
    unsigned char *chunk = arena_alloc(arena, 65536);
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
        return NULL;
    buf_init(&out, RECORD_MAX);
    stream.next_in = (unsigned char *)(uintptr_t)packed.at;
    stream.avail_in = (uInt)packed.len;
    int code = Z_OK;
    while (code == Z_OK && !out.truncated) {
        stream.next_out = chunk;
        stream.avail_out = 65536;
        code = inflate(&stream, Z_NO_FLUSH);
        buf_add(&out, chunk, 65536 - stream.avail_out);
    }
    inflateEnd(&stream);
    const char *text = code == Z_STREAM_END ? arena_str(arena, buf_text(&out)) : NULL;
    buf_release(&out);
    return text;
}

/* ---- one release ---- */

static const char *stamp(struct cluster *cluster, struct arena *arena, int64_t at_ns)
{
    struct env *env = cluster_env(cluster);
    int64_t fraction = (env->start_unix_ns + at_ns) % SECOND;
    const char *text = cluster_stamp(cluster, arena, at_ns);
    if (fraction <= 0)
        return text;
    return arena_printf(arena, "%.*s.%09" PRId64 "Z", (int)strlen(text) - 1, text, fraction);
}

static int64_t unstamp(struct cluster *cluster, const char *text)
{
    int64_t unix_ns = 0;
    return text && parse_time(str_of(text), &unix_ns)
               ? unix_ns - cluster_env(cluster)->start_unix_ns
               : 0;
}

static cJSON *record_of(struct cluster *cluster, struct arena *arena, const struct release *release)
{
    cJSON *json = cJSON_CreateObject(), *info = json_child(json, "info");
    cJSON *metadata = json_child(json_child(json, "chart"), "metadata");
    json_set_text(json, "name", release->name);
    json_set_text(info, "first_deployed", stamp(cluster, arena, release->first_ns));
    json_set_text(info, "last_deployed", stamp(cluster, arena, release->last_ns));
    json_set_text(info, "deleted", "");
    json_set_text(info, "description", release->description);
    json_set_text(info, "status", release->status);
    if (*release->notes)
        json_set_text(info, "notes", release->notes);
    json_set_text(metadata, "name", release->chart);
    json_set_text(metadata, "version", release->chart_version);
    if (*release->app_version)
        json_set_text(metadata, "appVersion", release->app_version);
    json_set(json, "config", cJSON_Parse(release->config));
    json_set_text(json, "manifest", release->manifest);
    json_set_int(json, "version", release->version);
    json_set_text(json, "namespace", release->ns);
    return json;
}

static const char *kept(struct arena *arena, const char *text)
{
    return arena_strdup(arena, text ? text : "");
}

static struct release *read_release(struct cluster *cluster, struct arena *arena,
                                    const struct object *secret)
{
    struct str data = str_of(json_text(secret->json, "data", "release"));
    const char *text = unsqueeze(arena, decode(arena, decode(arena, data)));
    cJSON *json = text ? cJSON_Parse(text) : NULL;
    if (!json)
        return NULL;
    const cJSON *info = json_at(json, "info"), *metadata = json_at(json, "chart", "metadata");
    const cJSON *config = json_at(json, "config");
    struct buf values;
    buf_init(&values, RECORD_MAX);
    if (cJSON_IsObject(config))
        json_compact(&values, config);
    struct release *release = ARENA_NEW(arena, struct release);
    *release = (struct release){
        .name = kept(arena, json_text(json, "name")),
        .ns = kept(arena, json_text(json, "namespace")),
        .version = json_int(json, "version", 0),
        .status = kept(arena, json_text(info, "status")),
        .description = kept(arena, json_text(info, "description")),
        .first_ns = unstamp(cluster, json_text(info, "first_deployed")),
        .last_ns = unstamp(cluster, json_text(info, "last_deployed")),
        .chart = kept(arena, json_text(metadata, "name")),
        .chart_version = kept(arena, json_text(metadata, "version")),
        .app_version = kept(arena, json_text(metadata, "appVersion")),
        .config = values.len ? arena_str(arena, buf_text(&values)) : "{}",
        .manifest = kept(arena, json_text(json, "manifest")),
        .notes = kept(arena, json_text(info, "notes")),
    };
    buf_release(&values);
    cJSON_Delete(json);
    return release;
}

/* ---- all of them ---- */

static int by_name_and_version(const void *a, const void *b)
{
    const struct release *x = *(struct release *const *)a, *y = *(struct release *const *)b;
    int order = strcmp(x->name, y->name);
    if (!order)
        order = strcmp(x->ns, y->ns);
    return order ? order : x->version < y->version ? -1 : x->version > y->version;
}

struct release **releases_of(struct cluster *cluster, struct arena *arena, const char *ns,
                             const char *name)
{
    const char *why = NULL;
    const char *text = name ? arena_printf(arena, "owner=helm,name=%s", name) : "owner=helm";
    struct selector *selector = selector_labels(arena, text, &why);
    struct object **secrets =
        cluster_list(cluster, arena, cluster_kind(cluster, "Secret", "v1"), ns, selector, NULL);
    int n = 0, found = 0;
    while (selector && secrets[n])
        n++;
    struct release **all = ARENA_ARRAY(arena, struct release *, n + 1);
    for (int i = 0; i < n; i++) {
        struct release *release = read_release(cluster, arena, secrets[i]);
        if (release)
            all[found++] = release;
    }
    qsort(all, (size_t)found, sizeof *all, by_name_and_version);
    return all;
}

struct release *release_last(struct cluster *cluster, struct arena *arena, const char *ns,
                             const char *name)
{
    struct release **all = releases_of(cluster, arena, ns, name), *last = NULL;
    for (; *all; all++)
        last = *all;
    return last;
}

struct release *release_deployed(struct cluster *cluster, struct arena *arena, const char *ns,
                                 const char *name)
{
    struct release **all = releases_of(cluster, arena, ns, name), *deployed = NULL;
    for (; *all; all++)
        deployed = strcmp((*all)->status, "deployed") == 0 ? *all : deployed;
    return deployed;
}

struct release *release_at(struct cluster *cluster, struct arena *arena, const char *ns,
                           const char *name, int64_t version)
{
    struct release **all = releases_of(cluster, arena, ns, name);
    while (*all && (*all)->version != version)
        all++;
    return *all;
}

static const char *secret_name(struct arena *arena, const struct release *release)
{
    return arena_printf(arena, "sh.helm.release.v1.%s.v%" PRId64, release->name, release->version);
}

static cJSON *secret_of(struct cluster *cluster, struct arena *arena, const struct release *release)
{
    struct buf text;
    cJSON *record = record_of(cluster, arena, release), *json = cJSON_CreateObject();
    cJSON *metadata = json_child(json, "metadata"), *labels = json_child(metadata, "labels");
    buf_init(&text, RECORD_MAX);
    json_compact(&text, record);
    cJSON_Delete(record);
    struct str packed = squeeze(arena, buf_text(&text));
    buf_release(&text);
    const char *once = encode(arena, packed.at, packed.len);
    json_set_text(json_child(json, "data"), "release", encode(arena, once, strlen(once)));
    json_set_text(json, "type", "helm.sh/release.v1");
    json_set_text(metadata, "name", secret_name(arena, release));
    json_set_text(labels, "modifiedAt",
                  arena_printf(arena, "%" PRId64,
                               (cluster_env(cluster)->start_unix_ns + release->last_ns) / SECOND));
    json_set_text(labels, "name", release->name);
    json_set_text(labels, "owner", "helm");
    json_set_text(labels, "status", release->status);
    json_set_text(labels, "version", arena_printf(arena, "%" PRId64, release->version));
    return json;
}

static void drop_oldest(struct cluster *cluster, struct arena *arena,
                        const struct release *kept_one, int max)
{
    struct release **all = releases_of(cluster, arena, kept_one->ns, kept_one->name);
    const struct release *deployed = release_deployed(cluster, arena, kept_one->ns, kept_one->name);
    int n = 0;
    while (all[n])
        n++;
    for (int i = 0; i < n - max; i++) {
        if (!deployed || all[i]->version != deployed->version)
            release_forget(cluster, all[i]);
    }
}

bool release_keep(struct cluster *cluster, const struct release *release, int max,
                  struct api_error *error)
{
    struct arena *arena = cluster_arena(cluster);
    const struct kind *kind = cluster_kind(cluster, "Secret", "v1");
    struct object *object = cluster_find(cluster, kind, release->ns, secret_name(arena, release));
    cJSON *json = secret_of(cluster, arena, release);
    if (object)
        return cluster_update(cluster, object, json, false, NULL, error);
    if (!cluster_create(cluster, kind, release->ns, json, false, error))
        return false;
    if (max > 0)
        drop_oldest(cluster, arena, release, max);
    return true;
}

void release_forget(struct cluster *cluster, const struct release *release)
{
    struct object *object = cluster_find_named(cluster, "Secret", release->ns,
                                               secret_name(cluster_arena(cluster), release));
    if (object)
        cluster_delete(cluster, object, -1, false);
}

void releases_supersede(struct cluster *cluster, struct arena *arena, const char *ns,
                        const char *name)
{
    struct api_error ignored = {0};
    for (struct release **all = releases_of(cluster, arena, ns, name); *all; all++) {
        if (strcmp((*all)->status, "deployed") != 0)
            continue;
        (*all)->status = "superseded";
        (void)release_keep(cluster, *all, 0, &ignored);
    }
}

const char *release_chart(struct arena *arena, const struct release *release)
{
    return arena_printf(arena, "%s-%s", release->chart, release->chart_version);
}
