/* --write-out: what can be told of a transfer (src/tool_writeout.c). */
#include <ctype.h>
#include <string.h>

#include "fakes/curl/transfer.h"
#include "sim/base/doc.h"

static const char *lasted(struct curl_transfer *t, int64_t ns)
{
    return arena_printf(t->session->call->arena, "%lld.%06lld", (long long)(ns / SECOND),
                        (long long)(ns % SECOND / MICROSECOND));
}

static size_t request_size(const struct curl_transfer *t)
{
    size_t n =
        strlen(t->method) + 1 + strlen(t->place.target) + strlen(" HTTP/1.1\r\n") + 2 + t->body.len;
    for (int i = 0; i < t->n_headers; i++)
        n += strlen(t->headers[i].name) + strlen(t->headers[i].value) + 4;
    return n;
}

static const char *redirect_url(struct curl_transfer *t)
{
    const char *location = t->answered ? http_response_header(&t->response, "Location") : NULL;
    bool followed = t->operation->follow && t->exit_code != 47;
    return location && !followed ? curl_redirect(t->session->call->arena, &t->place, location) : "";
}

/* The value of a variable; NULL: there is no such one. */
static const char *value_of(struct curl_transfer *t, struct str name)
{
    struct arena *arena = t->session->call->arena;
    const struct http_response *response = &t->response;
    int64_t whole_ns = call_now(t->session->call) - t->started_ns;
    const char *type = t->answered ? http_response_header(response, "Content-Type") : NULL;
    bool read = t->answered && t->body_expected;
    const struct {
        const char *name, *value;
    } variables[] = {
        {"http_code", arena_printf(arena, "%03d", t->answered ? response->status : 0)},
        {"response_code", arena_printf(arena, "%03d", t->answered ? response->status : 0)},
        {"http_connect", "000"},
        {"time_total", lasted(t, whole_ns)},
        {"time_starttransfer", lasted(t, t->answered ? whole_ns : 0)},
        {"time_connect", lasted(t, 0)},
        {"time_namelookup", lasted(t, 0)},
        {"time_appconnect", lasted(t, 0)},
        {"time_pretransfer", lasted(t, 0)},
        {"time_redirect", lasted(t, 0)},
        {"size_download", arena_printf(arena, "%zu", read ? response->body.len : 0)},
        {"size_upload", arena_printf(arena, "%zu", t->answered ? t->body.len : 0)},
        {"size_request", arena_printf(arena, "%zu", t->answered ? request_size(t) : 0)},
        {"size_header", arena_printf(arena, "%zu", t->shown.len)},
        {"speed_download",
         arena_printf(arena, "%lld",
                      read && whole_ns > 0 ? (long long)response->body.len * SECOND / whole_ns
                                           : 0)},
        {"speed_upload",
         arena_printf(arena, "%lld",
                      t->answered && whole_ns > 0 ? (long long)t->body.len * SECOND / whole_ns
                                                  : 0)},
        {"url", t->given},
        {"url_effective", t->place.text ? t->place.text : t->given},
        {"urlnum", arena_printf(arena, "%d", t->number)},
        {"content_type", type ? type : ""},
        {"num_redirects", arena_printf(arena, "%d", t->redirects)},
        {"num_connects", arena_printf(arena, "%d", t->connections)},
        {"num_headers",
         arena_printf(arena, "%d",
                      t->answered
                          ? response->n_headers + !http_response_header(response, "Content-Length")
                          : 0)},
        {"redirect_url", redirect_url(t)},
        {"exitcode", arena_printf(arena, "%d", t->exit_code)},
        {"errormsg", t->error ? t->error : ""},
        {"method", t->method},
        {"scheme", !t->answered && !t->reached             ? ""
                   : strcmp(t->place.scheme, "https") == 0 ? "HTTPS"
                                                           : "HTTP"},
        {"http_version", t->answered ? "1.1" : "0"},
        {"remote_ip", t->answered ? http_address(t->place.host) : ""},
        {"remote_port", arena_printf(arena, "%d", t->answered ? t->place.port : 0)},
        {"local_ip", t->answered ? "127.0.0.1" : ""},
        {"local_port", t->answered ? "40000" : "0"},
        {"filename_effective", t->output ? t->output : ""},
        {"referer", t->operation->referer ? t->operation->referer : ""},
        {"ssl_verify_result", "0"},
        {"proxy_ssl_verify_result", "0"},
    };
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        if (str_is(name, variables[i].name))
            return variables[i].value;
    }
    return NULL;
}

static void add_header_json(const struct curl_transfer *t, struct buf *out)
{
    struct buf block;
    buf_init(&block, 1 << 16);
    curl_header_block(t, &block);
    struct str rest = buf_text(&block);
    const char *between = "{";
    str_cut(&rest, '\n');
    while (rest.len) {
        struct str value = str_trim(str_cut(&rest, '\n')), name = str_cut(&value, ':');
        if (!name.len)
            break;
        buf_printf(out, "%s\"", between);
        for (size_t i = 0; i < name.len; i++)
            buf_putc(out, (char)tolower((unsigned char)name.at[i]));
        buf_puts(out, "\":[\"");
        value = str_trim(value);
        for (size_t i = 0; i < value.len; i++) {
            if (value.at[i] == '"' || value.at[i] == '\\')
                buf_putc(out, '\\');
            buf_putc(out, value.at[i]);
        }
        buf_puts(out, "\"]");
        between = ",\n";
    }
    buf_puts(out, "\n}");
    buf_release(&block);
}

struct writer {
    struct curl_transfer *t;
    struct buf text; /* not yet written */
    int fd;
};

static void flush(struct writer *w, int next_fd)
{
    if (w->fd == 2)
        curl_say(w->t->session, "%.*s", (int)w->text.len, w->text.at ? w->text.at : "");
    else
        call_write(w->t->session->call, 1, w->text.at ? w->text.at : "", w->text.len);
    buf_clear(&w->text);
    w->fd = next_fd;
}

static void add_variable(struct writer *w, struct str name)
{
    const char *value;
    if (str_is(name, "stderr")) {
        flush(w, 2);
    } else if (str_is(name, "stdout")) {
        flush(w, 1);
    } else if (str_is(name, "header_json")) {
        add_header_json(w->t, &w->text);
    } else if (str_is(name, "json") || str_is(name, "certs") || str_is(name, "num_certs")) {
        record_observe(w->t->session->call->env->record, "not_simulated",
                       w->t->operation->write_out, "curl --write-out '%%{%.*s}' is not simulated",
                       STR_ARG(name));
    } else if ((value = value_of(w->t, name)) != NULL) {
        buf_puts(&w->text, value);
    } else {
        curl_say(w->t->session, "curl: unknown --write-out variable: '%.*s'\n", STR_ARG(name));
    }
}

/* One of %{...}, %header{...}, %%, \n; how many bytes of `p` it took, 0: it is plain text. */
static size_t special(struct writer *w, const char *p, bool *ret_stop)
{
    const char *open = strncmp(p, "%header{", 8) == 0 ? p + 7 : p + 1,
               *close = *open == '{' ? strchr(open, '}') : NULL;
    if (p[0] == '%' && p[1] == '%') {
        buf_putc(&w->text, '%');
        return 2;
    }
    if (p[0] == '\\' && p[1] && strchr("nrt", p[1])) {
        buf_putc(&w->text, p[1] == 'n' ? '\n' : p[1] == 'r' ? '\r' : '\t');
        return 2;
    }
    if (p[0] != '%' || !close)
        return 0;
    struct str name = {open + 1, (size_t)(close - open - 1)};
    if (open == p + 7) {
        const char *value =
            http_response_header(&w->t->response, arena_str(w->t->session->call->arena, name));
        buf_puts(&w->text, value ? value : "");
    } else if (str_is(name, "onerror")) {
        *ret_stop = w->t->exit_code == 0;
    } else {
        add_variable(w, name);
    }
    return (size_t)(close - p) + 1;
}

void curl_write_out(struct curl_transfer *t)
{
    struct writer w = {.t = t, .fd = 1};
    const char *p = t->operation->write_out;
    bool stop = false;
    if (!p)
        return;
    buf_init(&w.text, 1 << 20);
    while (*p && !stop) {
        size_t n = special(&w, p, &stop);
        if (n == 0)
            buf_putc(&w.text, *p);
        p += n ? n : 1;
    }
    flush(&w, 1);
    buf_release(&w.text);
}
