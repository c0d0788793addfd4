/* curl's words and exit codes, over services of a world: who resolves, refuses, verifies, and how
 * time passes. What curl sends and says is held by tests/test_http_real.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fakes/http.h"
#include "procedures/drill/model_load.h"
#include "tests/call_double.h"

extern const struct fake fake_http;

static const char system_text[] = "format: rehearse.system/1\n"
                                  "name: t\n"
                                  "services:\n"
                                  "  api: {versions: {v1: {time: {p50: 10ms, p99: 20ms}}}}\n"
                                  "  off: {replicas: 0, versions: {v1: {}}}\n"
                                  "  secure: {versions: {v1: {}}}\n"
                                  "traffic: {users: {to: api, rate: 1/s}}\n";

static const char http_text[] =
    "api: {port: 8080, metrics: /metrics, paths: {/orders: {body: '[]'}, /moved: {status: 302}}}\n"
    "off: {port: 8090}\n"
    "secure: {port: 8443, certificate: self_signed, healthy: '{\"status\":\"healthy\"}'}\n";

struct fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
    struct call_double d;
    int flaky_calls;
};

/* Fails with 503 twice, then answers; echoes what it was sent. */
static int flaky(struct env *env, const struct http_request *request,
                 struct http_response *response, void *ctx)
{
    (void)env;
    struct fixture *f = ctx;
    if (strcmp(request->target, "/slow") == 0) {
        response->latency_ns = 30 * SECOND;
        response->status = 200;
        return 0;
    }
    if (strcmp(request->target, "/empty") == 0)
        return HTTP_CLOSED;
    if (strcmp(request->target, "/reset") == 0)
        return HTTP_RESET;
    if (strcmp(request->target, "/dropped") == 0)
        return HTTP_UNREACHABLE;
    if (strcmp(request->target, "/jump") == 0) {
        response->status = 301;
        http_header(response, "Location", "/landed");
        return 0;
    }
    if (strcmp(request->target, "/flaky") == 0 && f->flaky_calls++ < 2) {
        response->status = 503;
        buf_puts(&response->body, "busy\n");
        return 0;
    }
    response->status = 200;
    buf_printf(&response->body, "%s %s", request->method, request->target);
    for (int i = 0; i < request->n_headers; i++)
        buf_printf(&response->body, "|%s=%s", request->headers[i].name, request->headers[i].value);
    buf_printf(&response->body, "|%.*s\n", STR_ARG(request->body));
    return 0;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct doc *doc = NULL;
    struct error error = {""};
    f = (struct fixture){0};
    model_defaults(&f.model);
    assert_int_equal(doc_read_text(&f.arena, "system.yaml", str_of(system_text), &doc, &error), 0);
    if (model_load_system(&f.arena, doc, NULL, &f.model, &error) < 0)
        fail_msg("%s", error.text);
    f.record = record_new();
    f.world = world_new(&f.model, 1, f.record);
    double_init(&f.d, f.world, f.record);
    assert_int_equal(doc_read_text(&f.arena, "http.yaml", str_of(http_text), &doc, &error), 0);
    if (fake_http.setup(&f.d.env, doc, &error) < 0)
        fail_msg("%s", error.text);
    http_serve(&f.d.env, "echo.test", 80, flaky, &f);
    world_advance(f.world, SECOND);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    double_release(&f->d);
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
    return 0;
}

static void table(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *command;
        int status;
        const char *out, *err;
    } cases[] = {
        {"curl -s http://localhost:8080/health", 0, "{\"status\":\"ok\"}", ""},
        {"curl -sf localhost:8080/health", 0, "{\"status\":\"ok\"}", ""},
        {"curl -s http://127.0.0.1:8080/health", 0, "{\"status\":\"ok\"}", ""},
        {"curl -s localhost:8080/nope", 0, "{\"error\":\"not found\"}", ""},
        {"curl -sS localhost:8090/", 7, "",
         "curl: (7) Failed to connect to localhost port 8090 after 0 ms: Couldn't connect to "
         "server\n"},
        {"curl -sS http://api:8080/health", 6, "", "curl: (6) Could not resolve host: api\n"},
        {"curl -sS -m 5 echo.test/slow", 28, "",
         "curl: (28) Operation timed out after 5000 milliseconds with 0 bytes received\n"},
        {"curl -sS --connect-timeout 3 echo.test/dropped", 28, "",
         "curl: (28) Failed to connect to echo.test port 80 after 3000 ms: Timeout was reached\n"},
        {"curl -sI localhost:8080/health", 0,
         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n", ""},
        {"curl -s -o /dev/null -w '%{time_total} %{remote_ip}\n' echo.test/slow", 0,
         "30.000000 10.0.0.10\n", ""},
        /* TLS: a port speaks it or does not */
        {"curl -sS https://localhost:8080/health", 35, "",
         "curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number\n"},
        {"curl -sf http://localhost:8443/health", 22, "", ""},
        {"curl -s -o /dev/null -w %{http_code} https://localhost:8443/health", 60, "000", ""},
        {"curl -sS https://localhost:8443/health", 60, "",
         "curl: (60) SSL certificate problem: self-signed certificate\n"
         "More details here: https://curl.se/docs/sslcerts.html\n\n"
         "curl failed to verify the legitimacy of the server and therefore could not\n"
         "establish a secure connection to it. To learn more about this situation and\n"
         "how to fix it, please visit the web page mentioned above.\n"},
        {"curl -sk https://localhost:8443/health", 0, "{\"status\":\"healthy\"}", ""},
        {"wget -q -O - https://localhost:8443/health", 5, "", ""},
        {"wget -q -O - --no-check-certificate https://localhost:8443/health", 0,
         "{\"status\":\"healthy\"}", ""},
        /* what curl knows and we do not is refused, not read over */
        {"curl -s --ntlm localhost:8080/health", 2, "",
         "curl: option --ntlm: the installed libcurl version doesn't support this\n"
         "curl: try 'curl --help' or 'curl --manual' for more information\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = double_run(&f->d, cases[i].command);
        if (status != cases[i].status || strcmp(double_out(&f->d), cases[i].out) != 0 ||
            strcmp(double_err(&f->d), cases[i].err) != 0)
            fail_msg("%s\nstatus %d, not %d\nout: %s\nnot: %s\nerr: %s\nnot: %s", cases[i].command,
                     status, cases[i].status, double_out(&f->d), cases[i].out, double_err(&f->d),
                     cases[i].err);
    }
}

/* An error that curl reports to nobody is noted, once a step; where somebody asked for the status
 * it is not. */
static void an_error_that_nobody_sees(void **state)
{
    struct fixture *f = *state;
    struct record *record = f->d.env.record;
    static const char *const quiet[] = {
        "curl localhost:8080/health",  "curl -f localhost:8080/nope",
        "curl -I localhost:8080/nope", "curl -s -o /dev/null -w %{http_code} localhost:8080/nope",
        "curl -i localhost:8080/nope",
    };
    double_run(&f->d, "curl localhost:8080/nope");
    assert_int_equal(record->n_observations, 0); /* outside the procedure */
    struct step *step = record_step_begin(record, "playbook.md", 7, "curl localhost:8080/nope");
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        double_run(&f->d, quiet[i]);
    assert_int_equal(record->n_observations, 0);
    double_run(&f->d, "curl -s localhost:8080/nope");
    double_run(&f->d, "curl -s localhost:8080/nope");
    assert_int_equal(record->n_observations, 1);
    assert_string_equal(record->observations[0].id, "silent_failure");
    assert_string_equal(record->observations[0].message,
                        "curl ended with status 0 although the server answered 404 Not "
                        "Found: without --fail it does not tell");
    assert_string_equal(record->observations[0].evidence, "{\"error\":\"not found\"}");
    record_step_end(record, step, 0);
}

static void retries_wait_in_virtual_time(void **state)
{
    struct fixture *f = *state;
    int64_t before_ns = world_now(f->world);
    assert_int_equal(double_run(&f->d, "curl --retry 3 -o out.txt echo.test/flaky"), 0);
    assert_int_equal((world_now(f->world) - before_ns) / SECOND, 1 + 2);
    assert_non_null(strstr(double_err(&f->d), "Will retry in 1 seconds. 3 retries left."));
    assert_non_null(strstr(double_err(&f->d), "Will retry in 2 seconds. 2 retries left."));
    assert_non_null(strstr(double_content(&f->d, "", "/root/out.txt"),
                           "GET /flaky|")); /* the last try's answer alone */
}

static void without_a_time_limit_a_hung_server_hangs_curl(void **state)
{
    struct fixture *f = *state;
    f->d.interrupt_at_ns = world_now(f->world) + HOUR;
    int64_t before_ns = world_now(f->world);
    assert_int_equal(double_run(&f->d, "curl echo.test/dropped"), 28);
    assert_int_equal((world_now(f->world) - before_ns) / SECOND,
                     127); /* the kernel's patience with a SYN */
}

static void names_of_services_resolve_inside_containers(void **state)
{
    struct fixture *f = *state;
    f->d.call.place = "api-1";
    assert_int_equal(double_run(&f->d, "curl -sf http://api:8080/health"), 0);
    f->d.call.place = "";
}

static void a_stopped_service_refuses(void **state)
{
    struct fixture *f = *state;
    instance_stop(service_instance(world_service(f->world, "api"), 0), false);
    assert_int_equal(double_run(&f->d, "curl -s localhost:8080/health"), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_that_nobody_sees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(retries_wait_in_virtual_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_time_limit_a_hung_server_hangs_curl, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_of_services_resolve_inside_containers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stopped_service_refuses, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
