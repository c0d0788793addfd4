/* The headers that curl sends, in its order (lib/http.c, Curl_http), and those that it got. */
#include <string.h>
#include <strings.h>

#include "fakes/curl/transfer.h"

static const struct http_header *custom(const struct curl_operation *o, const char *name)
{
    for (int i = 0; i < o->n_headers; i++) {
        if (strcasecmp(o->headers[i].name, name) == 0)
            return &o->headers[i];
    }
    return NULL;
}

static void add(struct curl_transfer *t, const char *name, const char *value)
{
    t->headers[t->n_headers++] = (struct http_header){name, value};
}

/* What curl would send by itself, unless --header says something of it. */
static void add_own(struct curl_transfer *t, const char *name, const char *value)
{
    if (value && !custom(t->operation, name))
        add(t, name, value);
}

static const char *credentials(struct curl_transfer *t, const char *user)
{
    struct arena *arena = t->session->call->arena;
    if (!user)
        return NULL;
    return http_basic(arena, strchr(user, ':') ? user : arena_printf(arena, "%s:", user));
}

void curl_make_headers(struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    struct arena *arena = t->session->call->arena;
    const struct curl_place *to = &t->place;
    const char *auth = o->bearer ? arena_printf(arena, "Bearer %s", o->bearer)
                                 : credentials(t, o->user ? o->user : to->user);
    bool six = strchr(to->host, ':') != NULL, sends = t->body.at != NULL;
    t->headers = ARENA_ARRAY(arena, struct http_header, o->n_headers + 16);
    t->n_headers = 0;
    const struct http_header *host = custom(o, "Host");
    add(t, "Host",
        host ? host->value
             : arena_printf(arena, "%s%s%s%s", six ? "[" : "", to->host, six ? "]" : "",
                            to->default_port ? "" : arena_printf(arena, ":%d", to->port)));
    if (o->proxy)
        add_own(t, "Proxy-Authorization", credentials(t, o->proxy_user));
    add_own(t, "Authorization", auth);
    add_own(t, "Range", o->range ? arena_printf(arena, "bytes=%s", o->range) : NULL);
    add_own(t, "User-Agent", o->agent ? (o->agent[0] ? o->agent : NULL) : "curl/7.88.1");
    add_own(t, "Accept", "*/*");
    add_own(t, "Accept-Encoding", o->compressed ? "deflate, gzip, br, zstd" : NULL);
    add_own(t, "Referer", o->referer);
    if (o->proxy)
        add_own(t, "Proxy-Connection", "Keep-Alive");
    add_own(t, "Cookie", o->cookie && strchr(o->cookie, '=') ? o->cookie : NULL);
    for (int i = 0; i < o->n_headers; i++) {
        const struct http_header *header = &o->headers[i];
        if (header->value[0] && strcasecmp(header->name, "Host") != 0)
            add(t, header->name, strcmp(header->value, " ") == 0 ? "" : header->value);
    }
    if (!sends)
        return;
    add_own(t, "Content-Length", arena_printf(arena, "%zu", t->body.len));
    if (t->upload || t->body.len > 1024 * 1024)
        add_own(t, "Expect", "100-continue");
    if (!t->upload)
        add_own(t, "Content-Type", o->form ? o->form_type.at : "application/x-www-form-urlencoded");
}

void curl_header_block(const struct curl_transfer *t, struct buf *out)
{
    const struct http_response *response = &t->response;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", response->status, http_reason(response->status));
    for (int i = 0; i < response->n_headers; i++)
        buf_printf(out, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
    if (!http_response_header(response, "Content-Length") && response->status != 204 &&
        response->status != 304)
        buf_printf(out, "Content-Length: %zu\r\n", response->body.len);
    buf_puts(out, "\r\n");
}
