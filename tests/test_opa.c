/* OPA's REST API: statuses, bodies and what stays after a restart, from its documentation and
 * server/server.go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/http.h"
#include "procedures/drill/model_load.h"
#include "tests/call_double.h"

extern const struct fake fake_opa;

static const char system_text[] = "format: rehearse.system/1\n"
                                  "name: t\n"
                                  "services:\n"
                                  "  opa: {versions: {v1: {time: {p50: 1ms, p99: 2ms}}}}\n"
                                  "  api: {versions: {v1: {when: [{settings: {opa.orders: strict}, "
                                  "errors: 50%}]}}, calls: {opa: 1}}\n"
                                  "traffic: {users: {to: api, rate: 10/s}}\n";

static const char opa_text[] =
    "opa:\n"
    "  host: opa-service\n"
    "  modules:\n"
    "    orders: {known: {original: opa/old.rego, strict: opa/new.rego}, start: original}\n"
    "    tools: {known: {original: opa/old.rego}, watch: /srv/tools.rego}\n"
    "  answers: {shop/orders/allow: {orders: {original: true, strict: false}}}\n"
    "  data: {limits: {max: 5, name: '5'}}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
};

static const char bundles_text[] =
    "opa:\n"
    "  host: opa-service\n"
    "  modules: {main/authz.rego: {known: {original: opa/old.rego}}}\n"
    "  bundles: {main: {file: /srv/main.tar.gz, every: 10s}}\n";

static int set_up_with(void **state, const char *text)
{
    static struct fixture f;
    struct doc *doc = NULL;
    struct error error = {""};
    f = (struct fixture){0};
    model_defaults(&f.model);
    if (doc_read_text(&f.arena, "system.yaml", str_of(system_text), &doc, &error) ||
        model_load_system(&f.arena, doc, NULL, &f.model, &error))
        fail_msg("%s", error.text);
    f.record = record_new();
    f.world = world_new(&f.model, 1, f.record);
    double_init(&f.d, f.world, f.record);
    if (doc_read_text(&f.arena, "tests/data/opa.yaml", str_of(text), &doc, &error) ||
        fake_opa.setup(&f.d.env, doc, &error))
        fail_msg("%s", error.text);
    world_advance(f.world, SECOND);
    *state = &f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, opa_text);
}

static int set_up_bundles(void **state)
{
    return set_up_with(state, bundles_text);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fake_opa.release(&f->d.env);
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    return 0;
}

/* Each line runs in order on one server. `out` is the body and the status behind it. */
static void test_table(void **state)
{
    struct fixture *f = *state;
    double_file(&f->d, "", "/new.rego", "package shop.orders\nallow { true }\n");
    double_file(&f->d, "", "/bundle.tar.gz", "\x1f\x8b\x08 package nothing");
    double_file(&f->d, "", "/text.txt", "# no policy\nhello\n");
    double_file(&f->d, "", "/open.rego", "package x\n\nallow {\n");
    double_file(&f->d, "", "/empty.rego", "\n# nothing\n");
    static const struct {
        const char *command, *out;
    } cases[] = {
        {"-f http://opa-service:8181/health", "{}\n200"},
        /* undefined documents: 200 without a result; a POST without an input is told so */
        {"-X POST http://opa-service:8181/v1/data/reload",
         "{\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key missing from the "
         "request\"}}\n200"},
        {"http://opa-service:8181/v1/data/reload", "{}\n200"},
        {"-d '{\"input\":{}}' http://opa-service:8181/v1/data/nothing", "{}\n200"},
        {"-d nonsense http://opa-service:8181/v1/data/nothing",
         "{\n  \"code\": \"invalid_parameter\",\n  \"message\": \"body contains malformed input "
         "document\"\n}\n400"},
        {"http://opa-service:8181/v1/data/limits", "{\"result\":{\"max\":5,\"name\":\"5\"}}\n200"},
        {"http://opa-service:8181/v1/data/limits/max", "{\"result\":5}\n200"},
        {"-X PUT -d '{\"a\":1}' http://opa-service:8181/v1/data/new/deep", "204"},
        {"http://opa-service:8181/v1/data/new", "{\"result\":{\"deep\":{\"a\":1}}}\n200"},
        {"-X DELETE http://opa-service:8181/v1/data/new/deep", "204"},
        {"-X DELETE http://opa-service:8181/v1/data/new/deep",
         "{\n  \"code\": \"resource_not_found\",\n"
         "  \"message\": \"storage_not_found_error: /new/deep: document does not exist\"\n}\n404"},
        /* decisions */
        {"-d '{\"input\":{}}' http://opa-service:8181/v1/data/shop/orders/allow",
         "{\"result\":true}\n200"},
        /* policies */
        {"http://opa-service:8181/v1/policies/none",
         "{\n  \"code\": \"resource_not_found\",\n"
         "  \"message\": \"storage_not_found_error: policy id \\\"none\\\"\"\n}\n404"},
        {"-X PUT --data-binary @/bundle.tar.gz http://opa-service:8181/v1/policies/orders",
         "{\n  \"code\": \"invalid_parameter\",\n  \"message\": \"error(s) occurred while "
         "compiling module(s)\",\n"
         "  \"errors\": [\n    {\n      \"code\": \"rego_parse_error\",\n      \"message\": "
         "\"illegal token\",\n"
         "      \"location\": {\n        \"file\": \"orders\",\n        \"row\": 1,\n        "
         "\"col\": 1\n      }\n"
         "    }\n  ]\n}\n400"},
        {"-o /dev/null -X PUT --data-binary @/text.txt http://opa-service:8181/v1/policies/orders",
         "400"},
        {"-o /dev/null -X PUT --data-binary @/open.rego http://opa-service:8181/v1/policies/orders",
         "400"},
        {"-X PUT --data-binary @/empty.rego http://opa-service:8181/v1/policies/orders",
         "{\n  \"code\": \"invalid_parameter\",\n  \"message\": \"empty module\"\n}\n400"},
        {"-X PUT --data-binary @/tests/data/opa/new.rego "
         "http://opa-service:8181/v1/policies/orders",
         "{}\n200"},
        {"-d '{\"input\":{}}' http://opa-service:8181/v1/data/shop/orders/allow",
         "{\"result\":false}\n200"},
        {"-X PUT --data-binary @/new.rego http://opa-service:8181/v1/policies/more", "{}\n200"},
        {"http://opa-service:8181/v1/policies/more",
         "{\"result\":{\"id\":\"more\",\"raw\":\"package shop.orders\\nallow { true "
         "}\\n\",\"ast\":null}}\n200"},
        {"-X DELETE http://opa-service:8181/v1/policies/more", "{}\n200"},
        {"-o /dev/null -X DELETE http://opa-service:8181/v1/policies/more", "404"},
        {"-o /dev/null -X POST http://opa-service:8181/v1/policies/orders", "405"},
        {"http://opa-service:8181/nothing", "404 page not found\n404"},
    };
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(buf_read_file(&text, "tests/data/opa/new.rego"), 0);
    double_file(&f->d, "", "/tests/data/opa/new.rego", text.at);
    buf_release(&text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *line = arena_printf(&f->arena, "curl -s -w %%{http_code} %s", cases[i].command);
        assert_int_equal(double_run(&f->d, line), 0);
        if (strcmp(double_out(&f->d), cases[i].out) != 0)
            fail_msg("%s\nexpected:\n%s\nfound:\n%s", cases[i].command, cases[i].out,
                     double_out(&f->d));
    }
}

/* What is loaded is a setting of the world, so that services behave by it. What the API loads is
 * gone after a restart. */
static void test_world_behaves_by_what_is_loaded(void **state)
{
    struct fixture *f = *state;
    double errors = -1;
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(buf_read_file(&text, "tests/data/opa/new.rego"), 0);
    double_file(&f->d, "", "/new.rego", text.at);
    assert_string_equal(world_setting(f->world, "opa.orders"), "original");
    assert_null(world_setting(f->world, "opa.tools"));
    assert_int_equal(
        double_run(&f->d,
                   "curl -sf -X PUT --data-binary @/new.rego opa-service:8181/v1/policies/orders"),
        0);
    assert_string_equal(world_setting(f->world, "opa.orders"), "strict");
    world_advance(f->world, world_now(f->world) + 5 * SECOND);
    while (world_now(f->world) < 20 * SECOND)
        world_advance(f->world, 20 * SECOND);
    assert_true(service_metric(world_service(f->world, "api"), "error_ratio", &errors) &&
                errors > 0.4);

    struct instance *instance = service_instance(world_service(f->world, "opa"), 0);
    instance_stop(instance, true);
    assert_int_equal(double_run(&f->d, "curl -s opa-service:8181/health"), 7); /* nothing listens */
    instance_start(instance);
    while (world_now(f->world) < MINUTE)
        world_advance(f->world, MINUTE);
    assert_string_equal(world_setting(f->world, "opa.orders"), "original");
    buf_release(&text);
}

/* Started with --watch, it follows the file; a file that does not parse is left alone. */
static void test_watched_file_is_followed(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(buf_read_file(&text, "tests/data/opa/old.rego"), 0);
    double_file(&f->d, "", "/srv/tools.rego", text.at);
    while (world_now(f->world) < 5 * SECOND)
        world_advance(f->world, 5 * SECOND);
    assert_string_equal(world_setting(f->world, "opa.tools"), "original");
    double_file(&f->d, "", "/srv/tools.rego", "no policy\n");
    while (world_now(f->world) < 10 * SECOND)
        world_advance(f->world, 10 * SECOND);
    assert_string_equal(world_setting(f->world, "opa.tools"), "original");
    double_file(&f->d, "", "/srv/tools.rego", "package other\n");
    while (world_now(f->world) < 15 * SECOND)
        world_advance(f->world, 15 * SECOND);
    assert_string_equal(world_setting(f->world, "opa.tools"), "other");
    buf_release(&text);
}

/* Rego is not evaluated: that is said, never guessed. */
static void test_what_is_not_simulated_is_said(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        double_run(&f->d, "curl -s -d '{\"input\":{}}' opa-service:8181/v1/data/shop/orders/why"),
        0);
    assert_int_equal(f->record->n_observations, 1);
    assert_string_equal(f->record->observations[0].id, "not_simulated");
}

static void test_mistakes_in_the_system_file(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"nobody: {}", "no service 'nobody'"},
        {"opa: {modules: {a: {start: x}}}", "known"},
        {"opa: {modules: {a: {known: {x: none.rego}}}}", "cannot read"},
        {"opa: {modules: {a: {known: {x: opa/old.rego}, start: y}}}", "'y' is not among 'known'"},
        {"opa: {ports: 1}", "ports"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct doc *doc = NULL;
        struct error error = {""};
        struct call_double d;
        double_init(&d, f->world, f->record);
        assert_int_equal(
            doc_read_text(&f->arena, "tests/data/opa.yaml", str_of(cases[i].text), &doc, &error),
            0);
        assert_true(fake_opa.setup(&d.env, doc, &error) < 0);
        if (!strstr(error.text, cases[i].error))
            fail_msg("'%s' does not say '%s'", error.text, cases[i].error);
        fake_opa.release(&d.env);
        double_release(&d);
    }
}

/* PATCH of data: JSON Patch, all operations or none. */
static void test_patch(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *command, *out;
    } cases[] = {
        {"-X PATCH -d "
         "'[{\"op\":\"add\",\"path\":\"min\",\"value\":1},{\"op\":\"replace\",\"path\":\"/"
         "max\",\"value\":6}]' http://opa-service:8181/v1/data/limits",
         "204"},
        {"http://opa-service:8181/v1/data/limits",
         "{\"result\":{\"name\":\"5\",\"min\":1,\"max\":6}}\n200"},
        {"-X PATCH -d "
         "'[{\"op\":\"remove\",\"path\":\"/min\"},{\"op\":\"remove\",\"path\":\"/none\"}]' "
         "http://opa-service:8181/v1/data/limits",
         "{\n  \"code\": \"resource_not_found\",\n  \"message\": \"storage_not_found_error: "
         "/limits/none: document does not exist\"\n}\n404"},
        {"http://opa-service:8181/v1/data/limits/min", "{\"result\":1}\n200"},
        {"-X PATCH -d '[{\"op\":\"move\",\"path\":\"/min\"}]' "
         "http://opa-service:8181/v1/data/limits",
         "{\n  \"code\": \"invalid_parameter\",\n  \"message\": \"bad patch operation: "
         "move\"\n}\n400"},
        {"-o /dev/null -X PATCH -d '{}' http://opa-service:8181/v1/data/limits", "400"},
        {"-o /dev/null -X POST http://opa-service:8181/v1/compile", "501"},
        {"-X POST http://opa-service:8181/",
         "{\n  \"code\": \"undefined_document\",\n  \"message\": \"document missing: "
         "data.system.main\"\n}\n404"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(double_run(&f->d, arena_printf(&f->arena, "curl -s -w %%{http_code} %s",
                                                        cases[i].command)),
                         0);
        if (strcmp(double_out(&f->d), cases[i].out) != 0)
            fail_msg("%s\nexpected:\n%s\nfound:\n%s", cases[i].command, cases[i].out,
                     double_out(&f->d));
    }
}

static void put_bundle(struct fixture *f, const char *which)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    assert_int_equal(
        buf_read_file(&text, arena_printf(&f->arena, "tests/data/opa/bundle-%s.tar.gz", which)), 0);
    assert_int_equal(env_write(&f->d.env, "", "/srv/main.tar.gz", buf_text(&text), 0644), 0);
    buf_release(&text);
    int64_t until_ns = world_now(f->world) + 11 * SECOND;
    while (world_now(f->world) < until_ns)
        world_advance(f->world, until_ns);
}

static void expect(struct fixture *f, const char *command, const char *out)
{
    assert_int_equal(
        double_run(&f->d, arena_printf(&f->arena, "curl -s -w %%{http_code} %s", command)), 0);
    if (strcmp(double_out(&f->d), out) != 0)
        fail_msg("%s\nexpected:\n%s\nfound:\n%s", command, out, double_out(&f->d));
}

/* A bundle is activated as a whole; what does not load leaves the old one, and what it owns nobody
 * else writes. */
static void test_bundles(void **state)
{
    struct fixture *f = *state;
    expect(f, "http://opa-service:8181/health?bundles",
           "{\"error\":\"one or more bundles are not activated\"}\n500");
    expect(f, "http://opa-service:8181/health", "{}\n200");
    put_bundle(f, "good");
    expect(f, "http://opa-service:8181/health?bundles=true", "{}\n200");
    expect(f, "http://opa-service:8181/v1/data/limits/max", "{\"result\":7}\n200");
    expect(f, "-o /dev/null http://opa-service:8181/v1/policies/main/authz.rego", "200");
    assert_string_equal(world_setting(f->world, "opa.main/authz.rego"), "other");
    expect(f, "-X PUT -d 3 http://opa-service:8181/v1/data/limits/max",
           "{\n  \"code\": \"invalid_parameter\",\n  \"message\": \"path limits/max is owned by "
           "bundle \\\"main\\\"\"\n}\n400");
    expect(f, "-X PUT -d 3 http://opa-service:8181/v1/data/free", "204");
    put_bundle(f, "broken");
    expect(f, "http://opa-service:8181/v1/status",
           "{\"result\":{\"bundles\":{\"main\":{\"name\":\"main\",\"active_revision\":\"r1\","
           "\"code\":\"bundle_error\",\"message\":\"1 error "
           "occurred: authz.rego:3: rego_parse_error: unexpected eof token\"}}}}\n200");
    expect(f, "http://opa-service:8181/v1/data/limits/max", "{\"result\":7}\n200");
    put_bundle(f, "outside");
    double_run(&f->d, "curl -s http://opa-service:8181/v1/status");
    assert_non_null(strstr(double_out(&f->d),
                           "manifest roots do not permit 'package other' in module 'o.rego'"));
    assert_int_equal(env_write(&f->d.env, "", "/srv/main.tar.gz", STR("no archive"), 0644), 0);
    struct instance *instance = service_instance(world_service(f->world, "opa"), 0);
    instance_stop(instance, true);
    instance_start(instance);
    while (world_now(f->world) < 2 * MINUTE)
        world_advance(f->world, 2 * MINUTE);
    expect(f, "-o /dev/null http://opa-service:8181/health?bundles",
           "500"); /* after a restart there is nothing to go back to */
    expect(f, "-o /dev/null http://opa-service:8181/v1/policies/main/authz.rego", "404");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bundles, set_up_bundles, tear_down),
        cmocka_unit_test_setup_teardown(test_world_behaves_by_what_is_loaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watched_file_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_simulated_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_in_the_system_file, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("opa", tests, NULL, NULL);
}
