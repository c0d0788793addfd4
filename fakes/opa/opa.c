/* opa: the Open Policy Agent's REST API, as `opa run --server` answers it.
 *
 *   opa:
 *     opa:                            # the service of the world that it is
 *       # default: localhost, in pods' case nowhere; in containers also the service's name
 *       host: opa-service
 *       port: 8181
 *       modules:
 *         authz:                      # id, as in /v1/policies/authz
 *           known: {original: files/old.rego, strict: files/new.rego}   # beside the system file
 *           start: original           # loaded at every start; none: the id is unknown then
 *           # started with --watch on this file of the operator's machine
 *           watch: /srv/policies/authz.rego
 *       # what /v1/data/shop/allow is, by what authz is
 *       answers: {shop/allow: {authz: {original: true, strict: false}}}
 *       data: {limits: {max: 5}}
 *       # an archive on the operator's machine
 *       bundles: {main: {file: /srv/bundles/main.tar.gz, every: 60s}}
 *
 * What is loaded is a setting of the world, "opa.ID": the known name whose text it has, else
 * "other"; versions of services and the good state can ask for it. Modules and data put through the
 * API live in memory: a restart forgets them. Rego is not evaluated: decisions are answered from
 * `answers`, and any other path into a package is noted as not simulated.
 *
 * Answers as in OPA 1.0: its REST API page, and server/server.go, for undefined documents (200 and
 * no result), the warning about a missing input, and the texts of errors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/opa/opa.h"
#include "sim/base/xalloc.h"

void opa_start_anew(struct opa *opa)
{
    cJSON_Delete(opa->data);
    opa->data = opa->first_data ? opa_json_of(opa->first_data) : cJSON_CreateObject();
    for (struct module *module = opa->modules; module; module = module->next) {
        bool found = false;
        for (int i = 0; module->start && i < module->n_known; i++) {
            if (strcmp(module->known[i].name, module->start) == 0) {
                opa_load(opa, module, module->known[i].text);
                found = true;
            }
        }
        if (!found)
            opa_unload(opa, module);
    }
    if (opa->bundles)
        opa_start_bundles(opa);
}

/* ---- in the world ---- */

static void look_at_files(struct world *world, void *ctx)
{
    struct opa *opa = ctx;
    for (struct module *module = opa->modules; module; module = module->next) {
        if (!module->watch)
            continue;
        struct buf text;
        int row;
        buf_init(&text, OPA_MODULE_MAX);
        bool there = env_load(opa->env, "", module->watch, &text) == 0;
        if (there && !str_eq(buf_text(&text), buf_text(&module->text)) &&
            !opa_parse_problem(buf_text(&text), &row))
            opa_load(opa, module, buf_text(&text));
        buf_release(&text);
    }
    world_at(world, world_now(world) + SECOND, look_at_files, opa);
}

static void instance_changed(struct instance *instance, enum instance_state before, void *ctx)
{
    struct opa *opa = ctx;
    if (instance_service(instance) == opa->service && before == INSTANCE_STOPPED &&
        instance_state(instance) != INSTANCE_STOPPED)
        opa_start_anew(opa);
}

/* ---- the system file ---- */

static int read_beside(struct arena *arena, const struct doc *node, struct str *ret,
                       struct error *error)
{
    const char *name = NULL;
    if (doc_text(node, &name, error) < 0)
        return ERROR_INPUT;
    const char *slash = strrchr(node->file, '/');
    if (slash && name[0] != '/')
        name = arena_printf(arena, "%.*s/%s", (int)(slash - node->file), node->file, name);
    struct buf text;
    buf_init(&text, OPA_MODULE_MAX);
    int code = buf_read_file(&text, name);
    if (code == 0)
        *ret = (struct str){arena_str(arena, buf_text(&text)), text.len};
    buf_release(&text);
    return code == 0 ? 0 : doc_error(node, error, "cannot read '%s': %s", name, strerror(-code));
}

static int load_module(struct opa *opa, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"known", "start", "watch", NULL};
    struct arena *arena = &opa->env->arena;
    struct module *module = opa_add_module(opa, node->key);
    struct doc *known = NULL;
    int row;
    if (doc_only(node, keys, error) < 0 || doc_need(node, "known", &known, error) < 0 ||
        doc_want(known, DOC_MAPPING, error) < 0 ||
        doc_text(doc_get(node, "start"), &module->start, error) < 0 ||
        doc_text(doc_get(node, "watch"), &module->watch, error) < 0)
        return ERROR_INPUT;
    struct known_text *texts = ARENA_ARRAY(arena, struct known_text, known->n + 1);
    module->known = texts;
    for (const struct doc *child = known->first; child; child = child->next) {
        struct known_text *text = &texts[module->n_known++];
        text->name = child->key;
        if (read_beside(arena, child, &text->text, error) < 0)
            return ERROR_INPUT;
        const char *problem = opa_parse_problem(text->text, &row);
        if (problem)
            return doc_error(child, error, "'%s' is no Rego module: %s (line %d)", child->text,
                             problem, row);
    }
    if (module->start && !doc_get(known, module->start))
        return doc_error(doc_get(node, "start"), error, "'%s' is not among 'known'", module->start);
    return 0;
}

static int load_answers(struct opa *opa, const struct doc *node, struct error *error)
{
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = node->first; child; child = child->next) {
        if (doc_want(child, DOC_MAPPING, error) < 0)
            return ERROR_INPUT;
        struct answer *answer = ARENA_NEW(&opa->env->arena, struct answer);
        *answer = (struct answer){.path = child->key, .by = child, .next = opa->answers};
        opa->answers = answer;
    }
    return 0;
}

static int load_server(struct env *env, const struct doc *node, struct error *error)
{
    static const char *const keys[] = {"host", "port",    "modules", "answers",
                                       "data", "bundles", NULL};
    struct opa *opa = ARENA_NEW(&env->arena, struct opa),
               **slot = (struct opa **)env_slot(env, "opa");
    const char *host = NULL;
    int64_t port = 8181;
    opa->env = env;
    opa->next = *slot;
    *slot = opa;
    opa->service = world_service(env->world, node->key);
    if (!opa->service)
        return doc_error(node, error, "no service '%s' in `services`", node->key);
    if (node->kind != DOC_NULL && doc_only(node, keys, error) < 0)
        return ERROR_INPUT;
    if (doc_text(doc_get(node, "host"), &host, error) < 0 ||
        doc_int(doc_get(node, "port"), 1, 65535, &port, error) < 0 ||
        load_answers(opa, doc_get(node, "answers"), error) < 0)
        return ERROR_INPUT;
    opa->first_data = doc_get(node, "data");
    bool watches = false;
    const struct doc *modules = doc_get(node, "modules");
    if (modules && doc_want(modules, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *child = modules ? modules->first : NULL; child; child = child->next) {
        if (load_module(opa, child, error) < 0)
            return ERROR_INPUT;
        watches |= doc_get(child, "watch") != NULL;
    }
    opa_start_anew(opa);
    if (opa_load_bundles(opa, doc_get(node, "bundles"), error) < 0)
        return ERROR_INPUT;
    world_watch_instances(env->world, instance_changed, opa);
    if (watches)
        world_at(env->world, SECOND, look_at_files, opa);
    http_serve_service(env, opa->service, node->key, host, "localhost", (int)port, opa_serve, opa);
    return 0;
}

static int setup(struct env *env, const struct doc *config, struct error *error)
{
    if (config && doc_want(config, DOC_MAPPING, error) < 0)
        return ERROR_INPUT;
    for (const struct doc *node = config ? config->first : NULL; node; node = node->next) {
        if (load_server(env, node, error) < 0)
            return ERROR_INPUT;
    }
    return 0;
}

static void release(struct env *env)
{
    struct opa **slot = (struct opa **)env_slot(env, "opa");
    for (struct opa *opa = *slot; opa; opa = opa->next) {
        cJSON_Delete(opa->data);
        for (struct module *module = opa->modules; module; module = module->next)
            buf_release(&module->text);
        for (struct opa_bundle *bundle = opa->bundles; bundle; bundle = bundle->next)
            buf_release(&bundle->seen);
    }
    *slot = NULL;
}

static const char *const no_commands[] = {NULL};
const struct fake fake_opa = {
    .name = "opa", .commands = no_commands, .setup = setup, .release = release};
