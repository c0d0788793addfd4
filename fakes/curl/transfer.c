#include "fakes/curl/transfer.h"

#include <string.h>
#include <strings.h>

#include "sim/base/doc.h"

/* Nobody answers the SYN: the kernel's patience (tcp_syn_retries 6: 1 + 2 + 4 + ... + 64 s). */
#define KERNEL_NS (127 * SECOND)

void curl_say(const struct curl_session *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(s->call->arena, format, args);
    va_end(args);
    const char *file = s->options->errors;
    if (file && strcmp(file, "-") != 0)
        call_append(s->call, file, text, strlen(text), 0644);
    else
        call_write(s->call, file ? 1 : 2, text, strlen(text));
}

static void note(struct curl_transfer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void note(struct curl_transfer *t, const char *format, ...) /* what -v says with a star */
{
    if (!t->session->options->verbose)
        return;
    va_list args;
    va_start(args, format);
    curl_say(t->session, "* %s\n", arena_vprintf(t->session->call->arena, format, args));
    va_end(args);
}

void curl_fail(struct curl_transfer *t, int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    t->error = arena_vprintf(t->session->call->arena, format, args);
    va_end(args);
    t->exit_code = exit_code;
}

static int64_t elapsed_ms(const struct curl_transfer *t)
{
    return (call_now(t->session->call) - t->started_ns) / MILLISECOND;
}

/* Waits, drawing the meter. True: interrupted. */
static bool pass(struct curl_transfer *t, int64_t ns)
{
    struct call *call = t->session->call;
    while (ns > 0) {
        int64_t to_second = SECOND - (call_now(call) - t->started_ns) % SECOND;
        int64_t step = t->meter_second >= 0 && to_second < ns ? to_second : ns;
        if (call_sleep(call, step)) {
            t->exit_code = 130;
            return true;
        }
        ns -= step;
        if (ns > 0)
            curl_meter_seconds(t);
    }
    return false;
}

/* Waits for the answer so long, but not longer than --max-time allows. True: time ran out (the
 * error is set). */
static bool wait_for(struct curl_transfer *t, int64_t ns)
{
    int64_t limit_ns = t->operation->max_time_ns;
    int64_t left_ns = limit_ns - (call_now(t->session->call) - t->started_ns);
    bool out = limit_ns > 0 && ns >= left_ns;
    if (pass(t, out ? left_ns : ns))
        return true;
    if (out)
        curl_fail(t, 28, "Operation timed out after %lld milliseconds with 0 bytes received",
                  (long long)elapsed_ms(t));
    return out;
}

static void fail_connect(struct curl_transfer *t, const struct curl_place *server, const char *why,
                         int exit_code)
{
    curl_fail(t, exit_code, "Failed to connect to %s port %d after %lld ms: %s", server->host,
              server->port, (long long)elapsed_ms(t), why);
}

static void time_out_connecting(struct curl_transfer *t, const struct curl_place *server)
{
    int64_t connect_ns = t->operation->connect_timeout_ns, whole_ns = t->operation->max_time_ns;
    whole_ns -= whole_ns > 0 ? call_now(t->session->call) - t->started_ns : 0;
    if (connect_ns > 0 && connect_ns < KERNEL_NS && (whole_ns <= 0 || connect_ns < whole_ns)) {
        if (!pass(t, connect_ns))
            fail_connect(t, server, "Timeout was reached", 28);
    } else if (whole_ns > 0 && whole_ns < KERNEL_NS) {
        if (!pass(t, whole_ns))
            curl_fail(t, 28, "Connection timed out after %lld milliseconds",
                      (long long)elapsed_ms(t));
    } else if (!pass(t, KERNEL_NS)) {
        fail_connect(t, server, "Couldn't connect to server", 28);
    }
}

static void say_refused(struct curl_transfer *t, const struct curl_place *server)
{
    const char *address = http_address(server->host);
    bool both = strcasecmp(server->host, "localhost") == 0;
    note(t, "connect to %s port %d failed: Connection refused", address, server->port);
    if (both) {
        note(t, "  Trying [::1]:%d...", server->port);
        note(t, "connect to ::1 port %d failed: Connection refused", server->port);
    }
}

static void fail_as(struct curl_transfer *t, const struct curl_place *server, int failure)
{
    switch (failure) {
    case HTTP_UNKNOWN_HOST:
        if (t->operation->proxy)
            curl_fail(t, 5, "Could not resolve proxy: %s", server->host);
        else
            curl_fail(t, 6, "Could not resolve host: %s", server->host);
        break;
    case HTTP_REFUSED:
        say_refused(t, server);
        fail_connect(t, server, "Couldn't connect to server", 7);
        break;
    case HTTP_UNREACHABLE:
        time_out_connecting(t, server);
        break;
    case HTTP_NO_ANSWER:
        while (!wait_for(t, t->operation->max_time_ns > 0 ? t->operation->max_time_ns : 365 * DAY))
            ;
        break;
    case HTTP_CLOSED:
        curl_fail(t, 52, "Empty reply from server");
        break;
    case HTTP_RESET:
        curl_fail(t, 56, "Recv failure: Connection reset by peer");
        break;
    case HTTP_SELF_SIGNED:
    case HTTP_EXPIRED:
        curl_fail(
            t, 60,
            "SSL certificate problem: %s\nMore details here: https://curl.se/docs/sslcerts.html\n\n"
            "curl failed to verify the legitimacy of the server and therefore could not\n"
            "establish a secure connection to it. To learn more about this situation and\n"
            "how to fix it, please visit the web page mentioned above.",
            failure == HTTP_EXPIRED ? "certificate has expired" : "self-signed certificate");
        break;
    case HTTP_TLS:
        curl_fail(t, 35, "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number");
        break;
    }
}

/* ---- connections ---- */

/* --connect-to HOST1:PORT1:HOST2:PORT2, --resolve HOST:PORT:ADDRESS: who is really asked. */
static void redirect_connection(const struct curl_transfer *t, struct curl_place *server)
{
    const struct curl_operation *o = t->operation;
    struct arena *arena = t->session->call->arena;
    int64_t number = 0;
    for (int i = 0; i < o->n_connect_to; i++) {
        struct str rest = str_of(o->connect_to[i]), host = str_cut(&rest, ':'),
                   port = str_cut(&rest, ':'), to = str_cut(&rest, ':');
        bool ours = (!host.len || str_is(host, server->host)) &&
                    (!port.len || (str_int64(port, &number) && number == server->port));
        if (!ours)
            continue;
        if (to.len)
            server->host = arena_str(arena, to);
        if (str_int64(rest, &number))
            server->port = (int)number;
    }
    for (int i = 0; i < o->n_resolve; i++) {
        struct str rest = str_of(o->resolve[i]), host = str_cut(&rest, ':'),
                   port = str_cut(&rest, ':');
        if (str_is(host, server->host) && str_int64(port, &number) && number == server->port)
            server->host = arena_str(arena, rest);
    }
}

static struct curl_connection *alive(struct curl_session *s, const struct curl_place *server)
{
    for (int i = 0; i < s->n_alive; i++) {
        if (strcasecmp(s->alive[i].host, server->host) == 0 && s->alive[i].port == server->port)
            return &s->alive[i];
    }
    return NULL;
}

static void say_tls(struct curl_transfer *t)
{
    if (!t->session->options->verbose)
        return;
    curl_say(t->session, "* ALPN: offers h2,http/1.1\n} [5 bytes data]\n* TLSv1.3 (OUT), TLS "
                         "handshake, Client hello (1):\n"
                         "} [512 bytes data]\n*  CAfile: /etc/ssl/certs/ca-certificates.crt\n*  "
                         "CApath: /etc/ssl/certs\n"
                         "{ [5 bytes data]\n");
}

/* Says how the connection was made or found; its number. */
static int say_connected(struct curl_transfer *t, const struct curl_place *server,
                         struct curl_connection *old, int failure)
{
    struct curl_session *s = t->session;
    if (old) {
        note(t, "Found bundle for host: 0x55d0c0de0440 [serially]");
        note(t, "Can not multiplex, even if we wanted to");
        note(t, "Re-using existing connection #%d with host %s", old->number, server->host);
        return old->number;
    }
    int number = s->n_connections++;
    if (failure != HTTP_UNKNOWN_HOST)
        note(t, "  Trying %s:%d...", http_address(server->host), server->port);
    if (failure == HTTP_UNKNOWN_HOST || failure == HTTP_REFUSED || failure == HTTP_UNREACHABLE)
        return number;
    note(t, "Connected to %s (%s) port %d (#%d)", server->host, http_address(server->host),
         server->port, number);
    t->reached = true;
    t->connections++;
    if (failure == HTTP_TLS)
        say_tls(t);
    return number;
}

static void say_exchange(struct curl_transfer *t)
{
    struct curl_session *s = t->session;
    if (!s->options->verbose)
        return;
    const struct curl_operation *o = t->operation;
    const char *user = o->user ? o->user : t->place.user;
    if (user && !o->bearer)
        note(t, "Server auth using Basic with user '%.*s'", (int)strcspn(user, ":"), user);
    const char *target = o->proxy            ? t->place.text
                         : o->request_target ? o->request_target
                                             : t->place.target;
    curl_say(s, "> %s %s HTTP/%s\r\n", t->method, target, o->http10 ? "1.0" : "1.1");
    for (int i = 0; i < t->n_headers; i++)
        curl_say(s, "> %s: %s\r\n", t->headers[i].name, t->headers[i].value);
    curl_say(s, "> \r\n");
    if (t->upload)
        curl_say(s, "< HTTP/1.1 100 Continue\r\n");
    if (t->body.len)
        curl_say(s, "} [%zu bytes data]\n", t->body.len);
    if (t->upload)
        note(t, "We are completely uploaded and fine");
}

static void say_answer(struct curl_transfer *t, bool refused, bool moves)
{
    struct curl_session *s = t->session;
    struct buf block;
    if (!s->options->verbose)
        return;
    buf_init(&block, 1 << 16);
    curl_header_block(t, &block);
    struct str rest = buf_text(&block);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!refused || line.len > 1)
            curl_say(s, "< %.*s\n", STR_ARG(line));
    }
    buf_release(&block);
    if (moves)
        note(t, "Ignoring the response-body");
    if (!refused && t->body_expected && t->response.body.len)
        curl_say(s, "{ [%zu bytes data]\n", t->response.body.len);
}

/* ---- one request ---- */

static void clear_answer(struct curl_transfer *t)
{
    buf_release(&t->response.body);
    t->response = (struct http_response){.arena = t->session->call->arena};
    buf_init(&t->response.body, CURL_BODY_MAX);
    t->answered = t->reached = t->body_expected = false;
}

static int ask(struct curl_transfer *t, const struct curl_place *server)
{
    const struct curl_operation *o = t->operation;
    struct http_request request = {
        .method = t->method,
        .scheme = t->place.scheme,
        .host = server->host,
        .port = server->port,
        .target = o->proxy            ? t->place.text
                  : o->request_target ? o->request_target
                                      : t->place.target,
        .headers = t->headers,
        .n_headers = t->n_headers,
        .body = t->body,
        .place = t->session->call->place,
        .any_certificate = o->insecure,
    };
    return http_fetch(t->session->call->env, &request, &t->response);
}

/* False: there is no answer, and the error is set. */
static bool fetch_once(struct curl_transfer *t, int *ret_connection)
{
    struct curl_session *s = t->session;
    struct curl_place server = t->place;
    clear_answer(t);
    if (strcmp(t->place.scheme, "http") != 0 && strcmp(t->place.scheme, "https") != 0) {
        static const char *const real[] = {"ftp",    "ftps", "file", "sftp", "scp",  "tftp",
                                           "telnet", "dict", "ldap", "imap", "smtp", NULL};
        for (int i = 0; real[i]; i++) {
            if (strcmp(t->place.scheme, real[i]) == 0)
                record_observe(s->call->env->record, "not_simulated", t->place.text,
                               "curl: %s:// is not simulated", real[i]);
        }
        curl_fail(t, 1, "Protocol \"%s\" not supported or disabled in libcurl", t->place.scheme);
        *ret_connection = -1;
        return false;
    }
    if (t->operation->proxy &&
        !curl_parse_url(s->call->arena, t->operation->proxy, false, &server)) {
        curl_fail(t, 5, "Unsupported proxy syntax in '%s'", t->operation->proxy);
        *ret_connection = -1;
        return false;
    }
    if (t->operation->proxy &&
        !strpbrk(t->operation->proxy + strcspn(t->operation->proxy, ":"), "0123456789"))
        server.port = 1080;
    redirect_connection(t, &server);
    t->peer = server.host;
    curl_make_headers(t);
    int failure = ask(t, &server);
    struct curl_connection *old = alive(s, &server);
    *ret_connection = say_connected(t, &server, old, failure);
    if (failure != HTTP_TLS && failure != HTTP_SELF_SIGNED && failure != HTTP_EXPIRED &&
        (old || t->reached))
        say_exchange(t);
    if (failure) {
        fail_as(t, &server, failure);
        return false;
    }
    if (strcmp(t->method, "HEAD") == 0 && !t->operation->head &&
        t->response.body.len) { /* curl waits for the body */
        fail_as(t, &server, HTTP_NO_ANSWER);
        return false;
    }
    if (wait_for(t, t->response.latency_ns))
        return false;
    t->answered = true;
    t->body_expected = !t->operation->head;
    if (!old && s->n_alive < (int)(sizeof s->alive / sizeof *s->alive))
        s->alive[s->n_alive++] =
            (struct curl_connection){server.host, server.port, *ret_connection};
    return true;
}

static void forget_connection(struct curl_session *s, int number)
{
    for (int i = 0; i < s->n_alive; i++) {
        if (s->alive[i].number == number)
            s->alive[i--] = s->alive[--s->n_alive];
    }
}

/* What a redirect makes of the request (lib/transfer.c, Curl_follow): 303, and 301 and 302 of a
 * POST, become a GET. */
static void change_method(struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    int status = t->response.status;
    bool posted = t->body.at && !t->upload;
    bool changes = status == 303 ? !o->keep_post[2] && t->body.at
                                 : posted && ((status == 301 && !o->keep_post[0]) ||
                                              (status == 302 && !o->keep_post[1]));
    if (!changes)
        return;
    t->body = (struct str){0};
    t->upload = NULL;
    t->method = o->method ? o->method : o->head ? "HEAD" : "GET";
}

/* Goes where Location points. False: that is too often, or no URL. */
static bool follow(struct curl_transfer *t, const char *location)
{
    const struct curl_operation *o = t->operation;
    struct curl_place from = t->place;
    if (o->max_redirects >= 0 && t->redirects >= o->max_redirects) {
        curl_fail(t, 47, "Maximum (%d) redirects followed", o->max_redirects);
        return false;
    }
    t->redirects++;
    if (!curl_parse_url(t->session->call->arena,
                        curl_redirect(t->session->call->arena, &from, location), o->path_as_is,
                        &t->place)) {
        curl_fail(t, 3, "URL using bad/illegal format or missing URL");
        return false;
    }
    if (from.port != t->place.port)
        note(t, "Clear auth, redirects to port from %d to %d", from.port, t->place.port);
    if (!curl_same_server(&from, &t->place)) { /* credentials are for the first server only */
        struct curl_operation *bare = ARENA_NEW(t->session->call->arena, struct curl_operation);
        *bare = *o;
        bare->user = bare->bearer = bare->cookie = NULL;
        bare->headers = ARENA_ARRAY(t->session->call->arena, struct http_header, o->n_headers + 1);
        bare->n_headers = 0;
        for (int i = 0; i < o->n_headers; i++) {
            if (strcasecmp(o->headers[i].name, "Authorization") != 0 &&
                strcasecmp(o->headers[i].name, "Cookie") != 0 &&
                strcasecmp(o->headers[i].name, "Host") != 0)
                bare->headers[bare->n_headers++] = o->headers[i];
        }
        t->operation = bare;
    }
    note(t, "Issue another request to this URL: '%s'", t->place.text);
    change_method(t);
    return true;
}

void curl_fetch(struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    int connection = -1;
    t->exit_code = 0;
    t->error = NULL;
    t->redirects = t->connections = 0;
    t->method = o->method    ? o->method
                : o->head    ? "HEAD"
                : t->upload  ? "PUT"
                : t->body.at ? "POST"
                             : "GET";
    buf_clear(&t->shown);
    for (;;) {
        bool answered = fetch_once(t, &connection);
        const char *location = answered ? http_response_header(&t->response, "Location") : NULL;
        bool moves = location && o->follow && t->response.status >= 300 && t->response.status < 400;
        bool refused =
            answered && !moves && o->fail && !o->fail_with_body && t->response.status >= 400;
        if (answered) {
            say_answer(t, refused && !o->head, moves);
            curl_header_block(t, &t->shown);
        }
        if (refused) {
            curl_fail(t, 22, "The requested URL returned error: %d", t->response.status);
            t->body_expected = false;
        } else if (answered && o->fail_with_body && t->response.status >= 400) {
            curl_fail(t, 22, "The requested URL returned error: %d", t->response.status);
        }
        if (answered && !moves && t->exit_code != 130)
            t->write(t);
        bool broken = t->exit_code && !(answered && (o->fail_with_body || t->exit_code == 23)) &&
                      connection >= 0;
        if (broken)
            note(t, "%s", t->error ? t->error : "");
        if (t->exit_code != 6 && t->exit_code != 5 && connection >= 0)
            curl_meter_end(t);
        if (connection >= 0)
            note(t, broken ? "Closing connection %d" : "Connection #%d to host %s left intact",
                 connection, t->peer);
        if (broken)
            forget_connection(t->session, connection);
        if (!moves || !follow(t, location))
            return;
    }
}
