/* curl 7.88 as Debian 12 has it: the options that rollback playbooks use, its exit codes and its words. */
#include "fakes/curl_options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "sim/base/doc.h"

enum { BODY_MAX = 64 << 20, REDIRECTS_MAX = 50 };

/* One transfer: what was asked, what came, and what -w can tell about it. */
struct transfer {
    struct call *call;
    const struct curl_options *options;
    const char *url;        /* effective */
    const char *scheme, *host, *target, *method;
    int port;
    struct http_response response;
    bool answered;
    int64_t started_ns, connect_ns;
    int redirects;
    int exit_code;          /* 0, or curl's own number */
    const char *error;      /* the text behind "curl: (N) " */
};

static int64_t elapsed_ms(const struct transfer *t)
{
    return (call_now(t->call) - t->started_ns) / MILLISECOND;
}

static void fail(struct transfer *t, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fail(struct transfer *t, int exit_code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    t->error = arena_vprintf(t->call->arena, format, args);
    va_end(args);
    t->exit_code = exit_code;
}

/* Splits scheme://user@host:port/path?query#fragment. False: curl's error 3. */
static bool parse_url(struct transfer *t, const char *url)
{
    struct arena *arena = t->call->arena;
    struct str rest = str_of(url);
    ptrdiff_t mark = str_find(rest, STR("://"));
    t->scheme = "http";
    if (mark > 0) {
        char *scheme = arena_str(arena, (struct str){rest.at, (size_t)mark});
        for (char *p = scheme; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        t->scheme = scheme;
        rest.at += mark + 3;
        rest.len -= (size_t)mark + 3;
    }
    size_t n = 0;
    while (n < rest.len && !strchr("/?#", rest.at[n]))
        n++;
    struct str authority = {rest.at, n}, tail = {rest.at + n, rest.len - n};
    for (size_t i = authority.len; i > 0; i--) {
        if (authority.at[i - 1] == '@') {
            authority.at += i;
            authority.len -= i;
            break;
        }
    }
    struct str host = authority, port = {0};
    for (size_t i = authority.len; i > 0 && authority.at[i - 1] != ']'; i--) {
        if (authority.at[i - 1] == ':') {
            host.len = i - 1;
            port = (struct str){authority.at + i, authority.len - i};
            break;
        }
    }
    int64_t number = strcmp(t->scheme, "https") == 0 ? 443 : 80;
    if (port.len && (!str_int64(port, &number) || number < 0 || number > 65535)) {
        fail(t, 3, "URL using bad/illegal format or missing URL");
        return false;
    }
    struct str fragment = tail, path = str_cut(&fragment, '#');
    for (size_t i = 0; i < host.len; i++) {
        if (isspace((unsigned char)host.at[i]) || host.at[i] == '<' || host.at[i] == '>')
            host.len = 0;
    }
    if (host.len == 0) {
        fail(t, 3, "URL using bad/illegal format or missing URL");
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] == ' ') {
            fail(t, 3, "URL using bad/illegal format or missing URL");
            return false;
        }
    }
    t->url = arena_strdup(arena, url);
    t->host = arena_str(arena, host);
    t->port = (int)number;
    t->target = path.len && path.at[0] == '/' ? arena_str(arena, path)
                                              : arena_printf(arena, "/%.*s", STR_ARG(path));
    return true;
}

/* Waits for so long, but not longer than --max-time allows. True: time ran out (the error is set). */
static bool wait_for(struct transfer *t, int64_t ns, size_t received)
{
    int64_t limit_ns = t->options->max_time_ns;
    int64_t left_ns = limit_ns - (call_now(t->call) - t->started_ns);
    bool out = limit_ns > 0 && ns >= left_ns;
    if (call_sleep(t->call, out ? left_ns : ns)) {
        t->exit_code = 130;
        return true;
    }
    if (out)
        fail(t, 28, "Operation timed out after %lld milliseconds with %zu bytes received",
             (long long)elapsed_ms(t), received);
    return out;
}

static void fail_connect(struct transfer *t, const char *why, int exit_code)
{
    fail(t, exit_code, "Failed to connect to %s port %d after %lld ms: %s", t->host, t->port,
         (long long)elapsed_ms(t), why);
}

/* Nobody answers the SYN: --connect-timeout, --max-time, or the kernel's patience (tcp_syn_retries 6: 127 s). */
static void time_out_connecting(struct transfer *t)
{
    int64_t kernel_ns = 127 * SECOND, limit_ns = kernel_ns;
    if (t->options->connect_timeout_ns > 0 && t->options->connect_timeout_ns < limit_ns)
        limit_ns = t->options->connect_timeout_ns;
    if (t->options->max_time_ns > 0 && t->options->max_time_ns < limit_ns)
        limit_ns = t->options->max_time_ns;
    if (call_sleep(t->call, limit_ns)) {
        t->exit_code = 130;
        return;
    }
    fail_connect(t, limit_ns == kernel_ns ? "Connection timed out" : "Timeout was reached", 28);
}

static void fail_as(struct transfer *t, int failure)
{
    switch (failure) {
    case HTTP_UNKNOWN_HOST:
        fail(t, 6, "Could not resolve host: %s", t->host);
        break;
    case HTTP_REFUSED:
        fail_connect(t, "Couldn't connect to server", 7);
        break;
    case HTTP_UNREACHABLE:
        time_out_connecting(t);
        break;
    case HTTP_NO_ANSWER:
        while (!wait_for(t, t->options->max_time_ns > 0 ? t->options->max_time_ns : 365 * DAY, 0))
            ;
        break;
    case HTTP_CLOSED:
        fail(t, 52, "Empty reply from server");
        break;
    case HTTP_RESET:
        fail(t, 56, "Recv failure: Connection reset by peer");
        break;
    case HTTP_TLS:
        fail(t, 35, "error:0A00010B:SSL routines::wrong version number");
        break;
    }
}

static void fetch_once(struct transfer *t, struct str body)
{
    buf_release(&t->response.body);
    t->response = (struct http_response){.arena = t->call->arena};
    buf_init(&t->response.body, BODY_MAX);
    t->answered = false;
    if (strcmp(t->scheme, "http") != 0 && strcmp(t->scheme, "https") != 0) {
        fail(t, 1, "Protocol \"%s\" not supported or disabled in libcurl", t->scheme);
        return;
    }
    struct http_request request = {
        .method = t->method,
        .scheme = t->scheme,
        .host = t->host,
        .port = t->port,
        .target = t->target,
        .headers = t->options->headers,
        .n_headers = t->options->n_headers,
        .body = body,
        .place = t->call->place,
    };
    int failure = http_fetch(t->call->env, &request, &t->response);
    if (failure) {
        fail_as(t, failure);
        return;
    }
    if (wait_for(t, t->response.latency_ns, 0))
        return;
    t->answered = true;
}

static const char *header_of(const struct http_response *response, const char *name)
{
    for (int i = 0; i < response->n_headers; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}

/* Follows Location while -L says so; 301, 302 and 303 turn a POST into a GET, as curl does. */
static void fetch(struct transfer *t, const char *url, struct str body)
{
    t->exit_code = 0;
    t->error = NULL;
    t->redirects = 0;
    t->method = t->options->method;
    while (parse_url(t, url)) {
        fetch_once(t, body);
        const char *location = t->answered ? header_of(&t->response, "Location") : NULL;
        if (!t->options->follow || !location || t->response.status < 300 || t->response.status > 399)
            return;
        if (++t->redirects > REDIRECTS_MAX) {
            fail(t, 47, "Maximum (%d) redirects followed", REDIRECTS_MAX);
            return;
        }
        if (t->response.status <= 303 && strcmp(t->method, "POST") == 0 && !t->options->method_given) {
            t->method = "GET";
            body = (struct str){0};
        }
        url = location[0] == '/' ? arena_printf(t->call->arena, "%s://%s:%d%s", t->scheme, t->host, t->port,
                                                location)
                                 : location;
    }
}

/* ---- output ---- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"},
        {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
        {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
        {405, "Method Not Allowed"}, {409, "Conflict"}, {429, "Too Many Requests"},
        {500, "Internal Server Error"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
        {504, "Gateway Timeout"}, {0, ""},
    };
    int i = 0;
    while (reasons[i].status && reasons[i].status != status)
        i++;
    return reasons[i].reason;
}

static void add_headers(const struct transfer *t, struct buf *out)
{
    buf_printf(out, "HTTP/1.1 %d %s\r\n", t->response.status, reason_of(t->response.status));
    for (int i = 0; i < t->response.n_headers; i++)
        buf_printf(out, "%s: %s\r\n", t->response.headers[i].name, t->response.headers[i].value);
    if (!header_of(&t->response, "Content-Length"))
        buf_printf(out, "Content-Length: %zu\r\n", t->response.body.len);
    buf_puts(out, "\r\n");
}

/* Nobody looks at the status: not curl, which ends with 0, and not whoever reads its output. */
static void note_unseen_error(const struct transfer *t)
{
    const struct curl_options *options = t->options;
    struct record *record = t->call->env->record;
    if (t->response.status < 400 || options->fail || options->write_out || options->include_headers || options->head ||
        options->verbose || !record_step_current(record))
        return;
    struct str rest = buf_text(&t->response.body), line = str_cut(&rest, '\n');
    record_observe(record, "silent_failure", arena_str(&record->arena, line),
                   "curl ended with status 0 although the server answered %d %s: without --fail it does not tell",
                   t->response.status, reason_of(t->response.status));
}

static void write_body(struct transfer *t)
{
    const struct curl_options *options = t->options;
    struct buf out;
    bool refused = options->fail && t->response.status >= 400;
    buf_init(&out, BODY_MAX);
    if (options->include_headers || options->head)
        add_headers(t, &out);
    if (!options->head && (!refused || options->fail_with_body))
        buf_str(&out, buf_text(&t->response.body));
    if (!options->output || strcmp(options->output, "-") == 0) {
        call_write(t->call, 1, out.at ? out.at : "", out.len);
    } else if (out.len && call_save(t->call, options->output, out.at, out.len, 0644) < 0) {
        if (!options->silent)
            call_err(t->call, "Warning: Failed to open the file %s: No such file or directory\n",
                     options->output);
        fail(t, 23, "Failure writing output to destination");
    }
    buf_release(&out);
    note_unseen_error(t);
    if (refused && t->exit_code == 0)
        fail(t, 22, "The requested URL returned error: %d", t->response.status);
}

static void add_seconds(struct buf *out, int64_t ns)
{
    buf_printf(out, "%lld.%06lld", (long long)(ns / SECOND), (long long)(ns % SECOND / MICROSECOND));
}

static void add_variable(struct transfer *t, struct str name, struct buf *out)
{
    if (str_is(name, "http_code") || str_is(name, "response_code"))
        buf_printf(out, "%03d", t->answered ? t->response.status : 0);
    else if (str_is(name, "time_total") || str_is(name, "time_starttransfer"))
        add_seconds(out, call_now(t->call) - t->started_ns);
    else if (str_is(name, "time_connect") || str_is(name, "time_namelookup") || str_is(name, "time_appconnect") ||
             str_is(name, "time_pretransfer") || str_is(name, "time_redirect"))
        add_seconds(out, 0);
    else if (str_is(name, "size_download"))
        buf_printf(out, "%zu", t->answered ? t->response.body.len : 0);
    else if (str_is(name, "url_effective"))
        buf_puts(out, t->url ? t->url : "");
    else if (str_is(name, "content_type"))
        buf_puts(out, t->answered && header_of(&t->response, "Content-Type")
                          ? header_of(&t->response, "Content-Type") : "");
    else if (str_is(name, "num_redirects"))
        buf_printf(out, "%d", t->redirects);
    else if (str_is(name, "exitcode"))
        buf_printf(out, "%d", t->exit_code);
    else if (str_is(name, "errormsg"))
        buf_puts(out, t->error ? t->error : "");
    else if (str_is(name, "method"))
        buf_puts(out, t->method);
    else if (str_is(name, "scheme"))
        buf_puts(out, strcmp(t->scheme, "https") == 0 ? "HTTPS" : "HTTP");
    else if (str_is(name, "remote_port"))
        buf_printf(out, "%d", t->port);
    else if (str_is(name, "http_version"))
        buf_puts(out, t->answered ? "1.1" : "0");
    else if (str_is(name, "remote_ip"))
        buf_puts(out, "127.0.0.1");
    else if (str_is(name, "onerror") || str_is(name, "stderr") || str_is(name, "stdout"))
        return;
    else
        call_err(t->call, "curl: unknown --write-out variable: '%.*s'\n", STR_ARG(name));
}

static void write_out(struct transfer *t)
{
    const char *p = t->options->write_out;
    struct buf out;
    buf_init(&out, 1 << 20);
    while (p && *p) {
        if (p[0] == '%' && p[1] == '%') {
            buf_putc(&out, '%');
            p += 2;
        } else if (p[0] == '%' && p[1] == '{' && strchr(p, '}')) {
            const char *end = strchr(p, '}');
            add_variable(t, (struct str){p + 2, (size_t)(end - p - 2)}, &out);
            p = end + 1;
        } else if (p[0] == '\\' && p[1] && strchr("nrt", p[1])) {
            buf_putc(&out, p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : '\t');
            p += 2;
        } else {
            buf_putc(&out, *p++);
        }
    }
    call_write(t->call, 1, out.at ? out.at : "", out.len);
    buf_release(&out);
}

static void write_verbose(const struct transfer *t)
{
    if (!t->options->verbose)
        return;
    if (t->answered) {
        call_err(t->call, "* Connected to %s (127.0.0.1) port %d (#0)\n> %s %s HTTP/1.1\n> Host: %s:%d\n> "
                          "User-Agent: curl/7.88.1\n> Accept: */*\n> \n< HTTP/1.1 %d %s\n",
                 t->host, t->port, t->method, t->target, t->host, t->port, t->response.status,
                 reason_of(t->response.status));
        for (int i = 0; i < t->response.n_headers; i++)
            call_err(t->call, "< %s: %s\n", t->response.headers[i].name, t->response.headers[i].value);
        call_err(t->call, "< \n");
    } else if (t->error) {
        call_err(t->call, "* %s\n", t->error);
    }
}

/* ---- retries: src/tool_operate.c, post_per_transfer ---- */

static const char *retry_reason(const struct transfer *t)
{
    const struct curl_options *options = t->options;
    if (t->exit_code == 28 || t->exit_code == 6)
        return "timeout";
    if (t->exit_code == 7 && options->retry_connrefused)
        return "connection refused";
    if (t->answered && (t->response.status == 408 || t->response.status == 429 ||
                        t->response.status == 500 || t->response.status == 502 ||
                        t->response.status == 503 || t->response.status == 504))
        return "HTTP error";
    if (options->retry_all_errors && t->exit_code != 0)
        return "(retrying all errors)";
    return NULL;
}

static void transfer_url(struct transfer *t, const char *url, struct str body)
{
    const struct curl_options *options = t->options;
    int64_t pause_ns = options->retry_delay_ns ? options->retry_delay_ns : SECOND;
    int64_t first_ns = call_now(t->call);
    for (int left = options->retries;; left--) {
        t->started_ns = call_now(t->call);
        fetch(t, url, body);
        const char *reason = left > 0 ? retry_reason(t) : NULL;
        bool late = options->retry_max_time_ns > 0 &&
                    call_now(t->call) - first_ns + pause_ns > options->retry_max_time_ns;
        if (!reason || late || t->exit_code == 130)
            return;
        if (!options->silent)
            call_err(t->call, "Warning: Problem: %s. Will retry in %lld seconds. %d retries left.\n", reason,
                     (long long)(pause_ns / SECOND), left);
        if (call_sleep(t->call, pause_ns)) {
            t->exit_code = 130;
            return;
        }
        if (!options->retry_delay_ns && pause_ns < 10 * MINUTE)
            pause_ns *= 2;
    }
}

static int run(struct call *call)
{
    struct curl_options options;
    int code = curl_options_parse(call, &options);
    if (code != 0 || options.done)
        return code;
    struct transfer t = {.call = call, .options = &options, .scheme = "http", .method = options.method};
    buf_init(&t.response.body, BODY_MAX);
    int status = 0;
    for (int i = 0; i < options.n_urls && status != 130; i++) {
        transfer_url(&t, options.urls[i], options.body);
        if (t.exit_code == 130) {
            status = 130;
            break;
        }
        write_verbose(&t);
        if (t.answered)
            write_body(&t);
        if (t.exit_code != 0 && (!options.silent || options.show_error))
            call_err(call, "curl: (%d) %s\n", t.exit_code, t.error);
        write_out(&t);
        status = t.exit_code;
    }
    buf_release(&t.response.body);
    return status;
}

static const char *const commands[] = {"curl", NULL};
const struct fake fake_curl = {.name = "curl", .commands = commands, .run = run};
