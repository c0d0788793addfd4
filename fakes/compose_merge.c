/* One Compose file laid over another: override files, "<<", extends, include. By the rules of the
 * Compose specification, chapter 13 (merge), which docker-compose 1.29 follows in
 * compose/config/config.py. */
#include <string.h>

#include "fakes/compose.h"
#include "sim/base/str.h"

/* ---- building documents ---- */

static void adopt(struct doc *parent, struct doc *child)
{
    struct doc **end = &parent->first;
    int index = 0;
    for (; *end; end = &(*end)->next)
        index++;
    *end = child;
    child->next = NULL;
    child->parent = parent;
    child->index = index;
    parent->n = index + 1;
}

static void drop(struct doc *child)
{
    struct doc *parent = child->parent, **at = &parent->first;
    while (*at != child)
        at = &(*at)->next;
    *at = child->next;
    parent->n = 0;
    for (struct doc *node = parent->first; node; node = node->next)
        node->index = parent->n++;
}

static struct doc *clone(struct arena *arena, const struct doc *from)
{
    struct doc *copy = ARENA_NEW(arena, struct doc);
    *copy = *from;
    copy->parent = copy->first = copy->next = NULL;
    copy->n = 0;
    for (const struct doc *child = from->first; child; child = child->next)
        adopt(copy, clone(arena, child));
    return copy;
}

static struct doc *make(struct arena *arena, const struct doc *near, enum doc_kind kind,
                        const char *key, const char *text)
{
    struct doc *node = ARENA_NEW(arena, struct doc);
    *node = (struct doc){.kind = kind,
                         .key = key,
                         .text = text,
                         .file = near->file,
                         .line = near->line,
                         .column = near->column,
                         .key_line = near->key_line};
    return node;
}

/* The node holds from now on what `other` holds; its key and place stay. */
static void become(struct doc *node, const struct doc *other)
{
    node->kind = other->kind;
    node->text = other->text;
    node->quoted = other->quoted;
    node->first = other->first;
    node->n = other->n;
    for (struct doc *child = node->first; child; child = child->next)
        child->parent = node;
}

/* ---- "<<": what a mapping takes over from others ---- */

static void take_over(struct arena *arena, struct doc *node, const struct doc *from)
{
    for (const struct doc *child = from->first; child; child = child->next) {
        if (child->key && strcmp(child->key, "<<") != 0 && !doc_get(node, child->key))
            adopt(node, clone(arena, child));
    }
}

void compose_merge_keys(struct arena *arena, struct doc *node)
{
    for (struct doc *child = node->first; child; child = child->next)
        compose_merge_keys(arena, child);
    struct doc *merge = node->kind == DOC_MAPPING ? doc_get(node, "<<") : NULL;
    if (!merge)
        return;
    drop(merge);
    if (merge->kind == DOC_MAPPING)
        take_over(arena, node, merge);
    for (const struct doc *item = merge->first; item && merge->kind == DOC_SEQUENCE;
         item = item->next)
        take_over(arena, node, item);
}

/* ---- one service over another ---- */

static bool among(const char *const *list, const char *key)
{
    for (int i = 0; key && list[i]; i++) {
        if (strcmp(list[i], key) == 0)
            return true;
    }
    return false;
}

/* "NAME=value" items, or names alone, as a mapping. */
static void as_mapping(struct arena *arena, struct doc *node, bool depends)
{
    struct doc *item = node->first;
    if (node->kind != DOC_SEQUENCE)
        return;
    node->kind = DOC_MAPPING;
    node->first = NULL;
    node->n = 0;
    for (struct doc *next; item; item = next) {
        next = item->next;
        struct str rest = str_of(item->text ? item->text : "");
        bool has_value = item->text && strchr(item->text, '=') && !depends;
        const char *name = arena_str(arena, has_value ? str_cut(&rest, '=') : rest);
        struct doc *entry = make(arena, item, has_value ? DOC_SCALAR : DOC_NULL, name,
                                 has_value ? arena_str(arena, rest) : NULL);
        entry->quoted = true; /* text, whatever it looks like */
        if (depends) {
            entry->kind = DOC_MAPPING;
            adopt(entry, make(arena, item, DOC_SCALAR, "condition", "service_started"));
        }
        adopt(node, entry);
    }
}

static void as_list(struct arena *arena, struct doc *node)
{
    if (node->kind != DOC_SCALAR)
        return;
    struct doc *item = make(arena, node, DOC_SCALAR, NULL, node->text);
    node->kind = DOC_SEQUENCE;
    node->text = NULL;
    adopt(node, item);
}

/* Where a volume or device ends up: two for one target are one. */
static const char *target_of(struct arena *arena, const struct doc *item)
{
    const struct doc *target = doc_get(item, "target");
    if (target && target->text)
        return target->text;
    struct str rest = str_of(item->text ? item->text : "");
    struct str first = str_cut(&rest, ':');
    return arena_str(arena, rest.len ? str_cut(&rest, ':') : first);
}

static bool same_item(struct arena *arena, const struct doc *a, const struct doc *b, bool by_target)
{
    if (by_target)
        return strcmp(target_of(arena, a), target_of(arena, b)) == 0;
    return a->text && b->text && strcmp(a->text, b->text) == 0;
}

static void join(struct arena *arena, struct doc *into, struct doc *from, bool by_target)
{
    as_list(arena, into);
    as_list(arena, from);
    for (struct doc *item = from->first, *next; item; item = next) {
        next = item->next;
        struct doc *same = into->first;
        while (same && !same_item(arena, same, item, by_target))
            same = same->next;
        if (same && by_target)
            become(same, item);
        else if (!same)
            adopt(into, item);
    }
}

static void merge_mapping(struct arena *arena, struct doc *into, struct doc *from)
{
    for (struct doc *child = from->first, *next; child; child = next) {
        next = child->next;
        struct doc *same = child->key ? doc_get(into, child->key) : NULL;
        if (same && child->key && strcmp(child->key, "args") == 0) {
            as_mapping(arena, same, false);
            as_mapping(arena, child, false);
        }
        if (same && same->kind == DOC_MAPPING && child->kind == DOC_MAPPING)
            merge_mapping(arena, same, child);
        else if (same)
            become(same, child);
        else
            adopt(into, child);
    }
}

static void merge_service(struct arena *arena, struct doc *into, struct doc *from)
{
    static const char *const named[] = {"environment", "labels",   "sysctls",
                                        "depends_on",  "networks", NULL};
    static const char *const lists[] = {
        "ports",        "expose",   "dns",          "dns_search",  "tmpfs", "env_file",
        "cap_add",      "cap_drop", "secrets",      "configs",     "links", "external_links",
        "security_opt", "profiles", "volumes_from", "extra_hosts", NULL};
    static const char *const by_target[] = {"volumes", "devices", NULL};
    for (struct doc *child = from->first, *next; child; child = next) {
        next = child->next;
        struct doc *same = doc_get(into, child->key);
        bool depends = strcmp(child->key, "depends_on") == 0;
        if (!same) {
            adopt(into, child);
        } else if (among(named, child->key)) {
            as_mapping(arena, same, depends);
            as_mapping(arena, child, depends);
            merge_mapping(arena, same, child);
        } else if (among(lists, child->key) || among(by_target, child->key)) {
            join(arena, same, child, among(by_target, child->key));
        } else if (same->kind == DOC_MAPPING && child->kind == DOC_MAPPING) {
            merge_mapping(arena, same, child);
        } else if (strcmp(child->key, "build") == 0 && same->kind == DOC_MAPPING &&
                   child->kind == DOC_SCALAR) {
            struct doc *context = make(arena, child, DOC_MAPPING, "build", NULL);
            adopt(context, make(arena, child, DOC_SCALAR, "context", child->text));
            merge_mapping(arena, same, context);
        } else {
            become(same, child);
        }
    }
}

void compose_merge(struct arena *arena, struct doc *into, struct doc *from)
{
    for (struct doc *section = from->first, *next; section; section = next) {
        next = section->next;
        struct doc *same = section->key ? doc_get(into, section->key) : NULL;
        bool services = same && strcmp(section->key, "services") == 0;
        if (!same || same->kind != DOC_MAPPING || section->kind != DOC_MAPPING) {
            if (same)
                become(same, section);
            else
                adopt(into, section);
            continue;
        }
        for (struct doc *thing = section->first, *after; thing; thing = after) {
            after = thing->next;
            struct doc *other = doc_get(same, thing->key);
            if (!other)
                adopt(same, thing);
            else if (other->kind == DOC_MAPPING && thing->kind == DOC_MAPPING && services)
                merge_service(arena, other, thing);
            else if (other->kind == DOC_MAPPING && thing->kind == DOC_MAPPING)
                merge_mapping(arena, other, thing);
            else
                become(other, thing);
        }
    }
}

/* ---- files in other folders ---- */

static void rebase_text(struct arena *arena, struct doc *node, const char *folder, bool bare)
{
    if (!node || node->kind != DOC_SCALAR || node->text[0] == '/' || node->text[0] == '~' ||
        strstr(node->text, "://") || (!bare && node->text[0] != '.'))
        return;
    node->text = compose_path(arena, folder, node->text);
}

/* Paths of a service are seen from the file that names them. */
static void rebase(struct arena *arena, struct doc *service, const char *folder)
{
    struct doc *build = doc_get(service, "build"), *files = doc_get(service, "env_file");
    rebase_text(arena, build && build->kind == DOC_MAPPING ? doc_get(build, "context") : build,
                folder, true);
    rebase_text(arena, files, folder, true);
    for (struct doc *item = files && files->kind != DOC_SCALAR ? files->first : NULL; item;
         item = item->next)
        rebase_text(arena, item->kind == DOC_MAPPING ? doc_get(item, "path") : item, folder, true);
    const struct doc *volumes = doc_get(service, "volumes");
    for (struct doc *item = volumes ? volumes->first : NULL; item; item = item->next)
        rebase_text(arena, item->kind == DOC_MAPPING ? doc_get(item, "source") : item, folder,
                    false);
}

static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == path ? "/" : arena_str(arena, (struct str){path, (size_t)(slash - path)});
}

/* ---- extends ---- */

static const char *cannot_extend(const struct compose_parts *parts, const char *service,
                                 const char *file, const char *base, const char *why_v1)
{
    if (parts->edition == COMPOSE_V1)
        return arena_printf(parts->arena, "Cannot extend service '%s' in %s: %s", service, file,
                            why_v1);
    return arena_printf(parts->arena,
                        "cannot extend service \"%s\" in %s: service \"%s\" not found", service,
                        file, base);
}

static const char *extend_one(const struct compose_parts *parts, struct doc *services,
                              struct doc *service, const char *path, int depth)
{
    struct arena *arena = parts->arena;
    struct doc *extends = service->kind == DOC_MAPPING ? doc_get(service, "extends") : NULL;
    if (!extends)
        return NULL;
    if (depth > 16)
        return parts->edition == COMPOSE_V1 ? "Circular reference:\n  extends"
                                            : "circular reference";
    const struct doc *name = extends->kind == DOC_MAPPING ? doc_get(extends, "service") : extends;
    const struct doc *file = doc_get(extends, "file");
    const char *base_name = name && name->text ? name->text : "", *error = NULL;
    drop(extends);
    struct doc *from = services;
    const char *base_path = path;
    if (file && file->text) {
        struct doc *root = NULL;
        base_path = compose_path(arena, folder_of(arena, path), file->text);
        error = parts->read(parts->ctx, base_path, &root);
        if (error) /* it lives in the project's arena */
            return arena_strdup(arena, error);
        from = doc_get(root, "services");
    }
    struct doc *base = doc_get(from, base_name);
    if (!base)
        return cannot_extend(parts, base_name, base_path, base_name, "Service not found");
    error = extend_one(parts, from, base, base_path, depth + 1);
    if (error)
        return error;
    if (parts->edition == COMPOSE_V1 && doc_get(base, "depends_on"))
        return cannot_extend(parts, base_name, base_path, base_name,
                             "services with 'depends_on' cannot be extended");
    struct doc *merged = clone(arena, base);
    if (strcmp(base_path, path) != 0)
        rebase(arena, merged, folder_of(arena, base_path));
    struct doc *own = clone(arena, service);
    merge_service(arena, merged, own);
    become(service, merged);
    return NULL;
}

const char *compose_extend(const struct compose_parts *parts, struct doc *root, const char *path)
{
    struct doc *services = doc_get(root, "services");
    for (struct doc *service = services ? services->first : NULL; service;
         service = service->next) {
        const char *error = extend_one(parts, services, service, path, 0);
        if (error)
            return error;
    }
    return NULL;
}

/* ---- include (v2 alone) ---- */

static const char *import(const struct compose_parts *parts, struct doc *root, struct doc *other,
                          const char *folder)
{
    static const char *const sections[] = {"services", "volumes", "networks",
                                           "secrets",  "configs", NULL};
    for (int i = 0; sections[i]; i++) {
        const struct doc *theirs = doc_get(other, sections[i]), *ours = doc_get(root, sections[i]);
        for (struct doc *thing = theirs ? theirs->first : NULL; thing; thing = thing->next) {
            if (doc_get(ours, thing->key))
                return arena_printf(parts->arena, "%s.%s conflicts with imported resource",
                                    sections[i], thing->key);
            if (i == 0)
                rebase(parts->arena, thing, folder);
        }
    }
    compose_merge(parts->arena, root, other);
    return NULL;
}

const char *compose_include(const struct compose_parts *parts, struct doc *root, const char *path,
                            int depth)
{
    struct doc *include = parts->edition == COMPOSE_V2 ? doc_get(root, "include") : NULL;
    const char *error = NULL;
    if (!include)
        return NULL;
    if (depth > 16)
        return "include cycle detected";
    drop(include);
    for (struct doc *item = include->first; item && !error; item = item->next) {
        const struct doc *named = item->kind == DOC_MAPPING ? doc_get(item, "path") : item;
        const struct doc *one = named && named->kind == DOC_SEQUENCE ? named->first : named;
        const char *folder = NULL;
        struct doc *other = NULL;
        for (; one && !error; one = one == named ? NULL : one->next) {
            struct doc *next = NULL;
            const char *full = compose_path(parts->arena, folder_of(parts->arena, path),
                                            one->text ? one->text : "");
            folder = folder ? folder : folder_of(parts->arena, full);
            error = parts->read(parts->ctx, full, &next);
            if (!error)
                error = compose_extend(parts, next, full);
            if (!error)
                error = compose_include(parts, next, full, depth + 1);
            if (!error && other)
                compose_merge(parts->arena, other, next);
            other = other ? other : next;
        }
        if (!error && other)
            error = import(parts, root, other, folder);
    }
    return error;
}
