/* http: who answers at which host and port inside the simulation.
 *
 * Fakes and services register handlers; curl, wget, watch'ed probes and anything else that speaks
 * HTTP fetch through here. Nothing here opens a socket.
 */
#ifndef REHEARSE_FAKES_HTTP_H
#define REHEARSE_FAKES_HTTP_H

#include "fakes/env.h"

struct http_header {
    const char *name, *value;
};

struct http_request {
    const char *method; /* "GET" */
    const char *scheme; /* "http", "https" */
    const char *host;   /* as in the URL */
    int port;
    const char *target; /* path and query, as sent: "/a?b=c" */
    const struct http_header *headers;
    int n_headers;
    struct str body;
    const char *place;    /* from where: "" the operator's machine, else a container or host */
    bool any_certificate; /* https: one that does not verify will do (curl -k) */
};

struct http_response {
    int status;                     /* 200 ... */
    struct buf body;                /* released by whoever fetched */
    struct http_header headers[16]; /* strings live in `arena` */
    int n_headers;
    int64_t latency_ns;  /* until the whole answer is there */
    struct arena *arena; /* of the caller, for header strings */
};
void http_header(struct http_response *, const char *name, const char *value); /* copies */

/* Fills the response. Returns 0, or one of enum http_failure. */
typedef int http_handler(struct env *, const struct http_request *, struct http_response *,
                         void *ctx);

enum http_failure {
    HTTP_UNKNOWN_HOST = 1, /* the name does not resolve */
    HTTP_REFUSED,          /* nothing listens */
    HTTP_NO_ANSWER,        /* accepted, never answers (time-out) */
    HTTP_CLOSED,           /* accepted, closed without an answer */
    HTTP_RESET,
    HTTP_UNREACHABLE, /* packets are dropped: connect times out */
    HTTP_TLS,         /* https asked where plain http is spoken */
    HTTP_SELF_SIGNED, /* a certificate that does not verify */
    HTTP_EXPIRED,
};

/* `host` as it resolves from the operator's machine ("localhost", "opa-service"); a place given as
 * "container:port" reaches the same handler by its own name. Later registrations win. */
void http_serve(struct env *, const char *host, int port, http_handler *, void *ctx);
/* The same for a name that resolves only inside containers (a Compose service, a pod's peer). */
void http_serve_inside(struct env *, const char *host, int port, http_handler *, void *ctx);
/* What may be a service of the world (NULL: it is none): in containers by `name`; on the operator's
 * machine by `host` or, if that is NULL, by `otherwise`. What runs in pods has no `otherwise`:
 * there only what the cluster shows outside leads to it. */
void http_serve_service(struct env *, const struct service *, const char *name, const char *host,
                        const char *otherwise, int port, http_handler *, void *ctx);
/* Makes a name resolve although nothing listens (then HTTP_REFUSED). */
void http_host(struct env *, const char *host);
/* What a port speaks: TLS on 443 and 8443, else plain http, unless this says otherwise. Asked in
 * plain, a TLS port answers 400 as nginx does. `certificate`: 0 verifies, else HTTP_SELF_SIGNED or
 * HTTP_EXPIRED. */
void http_tls(struct env *, const char *host, int port, bool tls, int certificate);
/* Makes packets to that port vanish: HTTP_UNREACHABLE. */
void http_drop(struct env *, const char *host, int port);
/* "Not Found"; "" for a status without a name. */
const char *http_reason(int status);
/* The value of a header, by any spelling of its name; NULL: not there. */
const char *http_response_header(const struct http_response *, const char *name);
const char *http_request_header(const struct http_request *, const char *name);
/* "name:password" as the value of an Authorization header. */
const char *http_basic(struct arena *, const char *credentials);
/* The address that a name resolves to, in words: there are no real ones. A number is its own. */
const char *http_address(const char *host);
/* What a service of the world answers, as `http:` or the fake of its store says, whatever the host
 * asked for; `port` is where it listens. */
int http_answer(struct env *, struct service *, int port, const struct http_request *,
                struct http_response *);
/* Carries one request. 0 and a response, or enum http_failure. response->arena must be set before.
 */
int http_fetch(struct env *, const struct http_request *, struct http_response *);

#endif
