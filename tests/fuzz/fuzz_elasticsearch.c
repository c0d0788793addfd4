/* Any request to Elasticsearch: "METHOD TARGET", a line end, the body. Several to one node, parted
 * by a zero byte. */
#include <stdlib.h>
#include <string.h>

#include "fakes/elasticsearch/node.h"
#include "fakes/fake.h"
#include "procedures/drill/model_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct fake fake_elasticsearch;

static const char system_text[] = "format: rehearse.system/1\n"
                                  "name: t\n"
                                  "services: {search: {versions: {v1: {}}}}\n"
                                  "stores: {es: {engine: elasticsearch 8, service: search, "
                                  "repository: r, tables: {a: {records: 20}}}}\n";

static void ask(struct env *env, struct str request)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"}};
    struct arena arena = {0};
    struct str body = request, line = str_cut(&body, '\n'), target = line,
               method = str_cut(&target, ' ');
    struct http_response response = {.arena = &arena};
    struct http_request asked = {.method = arena_str(&arena, method),
                                 .scheme = "http",
                                 .host = "localhost",
                                 .port = 9200,
                                 .headers = headers,
                                 .n_headers = 1,
                                 .target = arena_printf(&arena, "/%.*s", STR_ARG(target)),
                                 .body = body,
                                 .place = ""};
    buf_init(&response.body, 64 << 20);
    http_fetch(env, &asked, &response);
    buf_release(&response.body);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct model model;
    struct doc *doc = NULL;
    struct error error = {""};
    struct str rest = {(const char *)data, size};
    if (size > 4000)
        return 0;
    model_defaults(&model);
    if (doc_read_text(&arena, "system.yaml", str_of(system_text), &doc, &error) < 0 ||
        model_load_system(&arena, doc, NULL, &model, &error) < 0)
        abort();
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    struct env env = {.world = world, .record = record};
    if (fake_elasticsearch.setup(&env, NULL, &error) < 0)
        abort();
    world_advance(world, SECOND);
    while (rest.len) {
        ask(&env, str_cut(&rest, '\0'));
        world_advance(world, world_now(world) + SECOND);
    }
    fake_elasticsearch.release(&env);
    free(env.slots);
    arena_release(&env.arena);
    world_free(world);
    record_free(record);
    arena_release(&arena);
    return 0;
}
