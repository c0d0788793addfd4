/* Bundles: a .tar.gz of policies, data.json files and a .manifest, activated as a whole or not at
 * all (plugins/bundle). */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fakes/opa/opa.h"

enum { TAR_BLOCK = 512 };

/* The archive unpacked; false: it is no gzip, or cut short. */
static bool gunzip(struct str packed, struct buf *out)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)packed.at,
                  .avail_in = (unsigned)packed.len};
    unsigned char chunk[1 << 14];
    int code = Z_OK;
    if (packed.len == 0 || inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return false;
    while (code == Z_OK && out->len < OPA_BUNDLE_MAX - sizeof chunk) {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        code = inflate(&z, Z_NO_FLUSH);
        buf_add(out, chunk, sizeof chunk - z.avail_out);
    }
    inflateEnd(&z);
    return code == Z_STREAM_END;
}

struct member {
    const char *name;
    struct str content;
};

/* The next plain file of a tar archive; false: there is no more, or *ret_broken. */
static bool next_member(struct arena *arena, struct str *rest, struct member *ret, bool *ret_broken)
{
    while (rest->len >= TAR_BLOCK && rest->at[0]) {
        const char *head = rest->at;
        char digits[13];
        memcpy(digits, head + 124, 12);
        digits[12] = '\0';
        size_t size = strtoul(digits, NULL, 8),
               blocks = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        if (size > rest->len || TAR_BLOCK + blocks > rest->len) {
            *ret_broken = true;
            return false;
        }
        const char *name = arena_printf(arena, "%.100s", head);
        while (name[0] == '.' && name[1] == '/')
            name += 2;
        while (name[0] == '/')
            name++;
        *ret = (struct member){name, {head + TAR_BLOCK, size}};
        char kind = head[156];
        *rest = (struct str){rest->at + TAR_BLOCK + blocks, rest->len - TAR_BLOCK - blocks};
        if (kind == '0' || kind == '\0')
            return true;
    }
    return false;
}

/* ---- one archive ---- */

struct parsed {
    cJSON *data; /* what its data.json files hold, at their folders */
    const char *revision, *roots[OPA_ROOTS_MAX];
    int n_roots, n_modules;
};

static bool is_below(struct str path, struct str root)
{
    return root.len == 0 || (path.len >= root.len && strncmp(path.at, root.at, root.len) == 0 &&
                             (path.len == root.len || path.at[root.len] == '/'));
}

static bool in_roots(const struct parsed *p, struct str path)
{
    for (int i = 0; i < p->n_roots; i++) {
        if (is_below(path, str_of(p->roots[i])))
            return true;
    }
    return false;
}

static const char *read_manifest(struct arena *arena, struct parsed *p, struct str text)
{
    cJSON *json = cJSON_ParseWithLength(text.at, text.len);
    const cJSON *revision = cJSON_GetObjectItemCaseSensitive(json, "revision"),
                *roots = cJSON_GetObjectItemCaseSensitive(json, "roots");
    if (!json)
        return "bundle load failed on manifest decode: invalid character";
    if (cJSON_IsString(revision))
        p->revision = arena_strdup(arena, revision->valuestring);
    if (cJSON_IsArray(roots))
        p->n_roots = 0;
    for (const cJSON *root = cJSON_IsArray(roots) ? roots->child : NULL;
         root && p->n_roots < OPA_ROOTS_MAX; root = root->next) {
        if (cJSON_IsString(root))
            p->roots[p->n_roots++] = arena_strdup(
                arena, root->valuestring[0] == '/' ? root->valuestring + 1 : root->valuestring);
    }
    cJSON_Delete(json);
    return NULL;
}

static void merge(cJSON *to, const cJSON *from)
{
    for (const cJSON *item = from->child; item; item = item->next) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(to, item->string);
        if (old && cJSON_IsObject(old) && cJSON_IsObject(item)) {
            merge(old, item);
            continue;
        }
        cJSON_DeleteItemFromObjectCaseSensitive(to, item->string);
        cJSON_AddItemToObject(to, item->string, cJSON_Duplicate(item, true));
    }
}

static const char *read_data(struct arena *arena, struct parsed *p, const struct member *m)
{
    const char *slash = strrchr(m->name, '/');
    struct str rest = {m->name, slash ? (size_t)(slash - m->name) : 0};
    cJSON *json = cJSON_ParseWithLength(m->content.at, m->content.len), *at = p->data;
    char key[256];
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return arena_printf(arena, "bundle load failed on %s: invalid character", m->name);
    }
    while (opa_next_part(&rest, key, sizeof key)) {
        cJSON *child = cJSON_GetObjectItemCaseSensitive(at, key);
        at = child ? child : cJSON_AddObjectToObject(at, key);
    }
    if (cJSON_IsObject(at))
        merge(at, json);
    cJSON_Delete(json);
    return NULL;
}

static bool is_rego(const char *name)
{
    return str_ends(str_of(name), ".rego") && !str_ends(str_of(name), "_test.rego");
}

static bool is_data(const char *name)
{
    return strcmp(name, "data.json") == 0 || str_ends(str_of(name), "/data.json");
}

/* Checks the whole; the reason why not, or NULL. */
static const char *read_archive(struct arena *arena, struct str tar, struct parsed *p)
{
    struct str rest = tar;
    struct member m;
    const char *why = NULL;
    bool broken = false;
    p->data = cJSON_CreateObject();
    p->roots[p->n_roots++] = "";
    while (!why && next_member(arena, &rest, &m, &broken)) {
        int row = 1;
        if (strcmp(m.name, ".manifest") == 0)
            why = read_manifest(arena, p, m.content);
        else if (is_data(m.name))
            why = read_data(arena, p, &m);
        const char *problem = !why && is_rego(m.name) ? opa_parse_problem(m.content, &row) : NULL;
        if (problem)
            why = arena_printf(arena, "1 error occurred: %s:%d: rego_parse_error: %s", m.name, row,
                               problem);
        p->n_modules += is_rego(m.name);
    }
    if (broken)
        why = "bundle read failed: archive read failed: unexpected EOF";
    rest = tar;
    while (!why && next_member(arena, &rest, &m, &broken)) {
        const char *package = is_rego(m.name) ? opa_package_of(arena, m.content) : NULL;
        if (package && !in_roots(p, str_of(package)))
            why = arena_printf(arena, "manifest roots do not permit 'package %s' in module '%s'",
                               package, m.name);
    }
    return why;
}

/* ---- activation ---- */

static void drop_old(struct opa *opa, const struct opa_bundle *bundle)
{
    size_t n = strlen(bundle->name);
    for (struct module *module = opa->modules; module; module = module->next) {
        if (module->loaded && strncmp(module->id, bundle->name, n) == 0 && module->id[n] == '/')
            opa_unload(opa, module);
    }
    for (int i = 0; i < bundle->n_roots; i++) {
        char last[256];
        if (!bundle->roots[i][0]) {
            cJSON_Delete(opa->data);
            opa->data = cJSON_CreateObject();
            continue;
        }
        cJSON *holder = opa_data_at(opa->data, str_of(bundle->roots[i]))
                            ? opa_holder_of(opa->data, str_of(bundle->roots[i]), last, sizeof last)
                            : NULL;
        if (holder)
            cJSON_DeleteItemFromObjectCaseSensitive(holder, last);
    }
}

static void activate(struct opa *opa, struct opa_bundle *bundle, struct str tar,
                     const struct parsed *p)
{
    struct arena *arena = &opa->env->arena;
    struct str rest = tar;
    struct member m;
    bool broken = false;
    if (bundle->active)
        drop_old(opa, bundle);
    while (next_member(arena, &rest, &m, &broken)) {
        if (!is_rego(m.name))
            continue;
        const char *id = arena_printf(arena, "%s/%s", bundle->name, m.name);
        struct module *module = opa_find_module(opa, str_of(id));
        opa_load(opa, module ? module : opa_add_module(opa, id), m.content);
    }
    merge(opa->data, p->data);
    bundle->active = true;
    bundle->revision = p->revision;
    bundle->activated_ns = world_now(opa->env->world);
    bundle->n_roots = p->n_roots;
    memcpy(bundle->roots, p->roots, sizeof bundle->roots);
    record_change(opa->env->record, service_name(opa->service), "bundle %s activated: %d modules",
                  bundle->name, p->n_modules);
}

static void check(struct opa_bundle *bundle)
{
    struct opa *opa = bundle->opa;
    struct buf packed, tar;
    struct parsed p = {.revision = ""};
    buf_init(&packed, OPA_BUNDLE_MAX);
    buf_init(&tar, OPA_BUNDLE_MAX);
    int code = env_load(opa->env, "", bundle->file, &packed);
    if (code < 0) {
        bundle->error =
            arena_printf(&opa->env->arena, "open %s: no such file or directory", bundle->file);
    } else if (!str_eq(buf_text(&packed), buf_text(&bundle->seen)) || !bundle->active) {
        buf_clear(&bundle->seen);
        buf_str(&bundle->seen, buf_text(&packed));
        bundle->error = gunzip(buf_text(&packed), &tar)
                            ? read_archive(&opa->env->arena, buf_text(&tar), &p)
                            : "bundle read failed: archive read failed: gzip: invalid header";
        if (!bundle->error)
            activate(opa, bundle, buf_text(&tar), &p);
        cJSON_Delete(p.data);
    }
    buf_release(&packed);
    buf_release(&tar);
}

static void look(struct world *world, void *ctx)
{
    struct opa_bundle *bundle = ctx;
    if (service_ready(bundle->opa->service) > 0)
        check(bundle);
    world_at(world, world_now(world) + bundle->every_ns, look, bundle);
}

void opa_start_bundles(struct opa *opa)
{
    for (struct opa_bundle *bundle = opa->bundles; bundle; bundle = bundle->next) {
        bundle->active = false;
        bundle->n_roots = 0;
        bundle->revision = NULL;
        for (struct module *module = opa->modules; module; module = module->next) {
            size_t n = strlen(bundle->name);
            if (module->loaded && strncmp(module->id, bundle->name, n) == 0 && module->id[n] == '/')
                opa_unload(opa, module);
        }
        check(bundle);
    }
}

const struct opa_bundle *opa_owner(const struct opa *opa, struct str path)
{
    for (const struct opa_bundle *bundle = opa->bundles; bundle; bundle = bundle->next) {
        for (int i = 0; i < bundle->n_roots; i++) {
            struct str root = str_of(bundle->roots[i]);
            if (is_below(path, root) || is_below(root, path))
                return bundle;
        }
    }
    return NULL;
}

cJSON *opa_bundle_status(const struct opa *opa)
{
    cJSON *all = cJSON_CreateObject();
    for (const struct opa_bundle *bundle = opa->bundles; bundle; bundle = bundle->next) {
        cJSON *one = cJSON_AddObjectToObject(all, bundle->name);
        cJSON_AddStringToObject(one, "name", bundle->name);
        if (bundle->active)
            cJSON_AddStringToObject(one, "active_revision",
                                    bundle->revision ? bundle->revision : "");
        if (bundle->error) {
            cJSON_AddStringToObject(one, "code", "bundle_error");
            cJSON_AddStringToObject(one, "message", bundle->error);
        }
    }
    return all;
}

int opa_load_bundles(struct opa *opa, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"file", "every", NULL};
    struct opa_bundle **last = &opa->bundles;
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = node->first; child; child = child->next) {
        struct opa_bundle *bundle = ARENA_NEW(&opa->env->arena, struct opa_bundle);
        struct doc *file = NULL;
        *bundle = (struct opa_bundle){.name = child->key, .opa = opa, .every_ns = MINUTE};
        buf_init(&bundle->seen, OPA_BUNDLE_MAX);
        *last = bundle;
        last = &bundle->next;
        if (doc_only(child, keys, error) < 0 || doc_need(child, "file", &file, error) < 0 ||
            doc_text(file, &bundle->file, error) < 0 ||
            doc_duration(doc_get(child, "every"), &bundle->every_ns, error) < 0)
            return ERROR_INPUT;
        if (bundle->every_ns < SECOND)
            return doc_error(doc_get(child, "every"), error,
                             "a bundle is looked at once a second at most");
        world_at(opa->env->world, 0, look, bundle);
    }
    return 0;
}
