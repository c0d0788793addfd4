/* transfer: one URL on its way: the request that curl makes of its options, the connection,
 * redirects, the meter. */
#ifndef REHEARSE_FAKES_CURL_TRANSFER_H
#define REHEARSE_FAKES_CURL_TRANSFER_H

#include "fakes/curl/options.h"

/* A URL taken apart (lib/urlapi.c). */
struct curl_place {
    const char *scheme, *host, *target,
        *user; /* target: path and query; user: "name:password" or NULL */
    int port;
    bool default_port;
    const char *text; /* the whole, as curl shows it */
};
/* False: curl's error 3. `as_is`: dot segments stay. */
bool curl_parse_url(struct arena *, const char *url, bool as_is, struct curl_place *ret);
/* Where a Location leads from there, as a URL. */
const char *curl_redirect(struct arena *, const struct curl_place *from, const char *location);
bool curl_same_server(const struct curl_place *, const struct curl_place *);

/* What lasts over the transfers of one command line. */
struct curl_session {
    struct call *call;
    const struct curl_options *options;
    struct curl_connection {
        const char *host;
        int port, number;
    } alive[16];
    int n_alive, n_connections; /* opened so far */
};

struct curl_transfer {
    struct curl_session *session;
    const struct curl_operation *operation;
    const char *given; /* the URL as written */
    int number;        /* of the URL, from 0: %{urlnum} */
    struct curl_place place;
    const char *method;          /* of the last request */
    struct str body;             /* sent with it */
    const char *upload;          /* --upload-file: the file's name */
    struct http_header *headers; /* of the last request */
    int n_headers;
    struct http_response response; /* of the last request */
    struct buf shown;              /* header blocks so far (-i, -I, -D) */
    bool answered, reached;        /* reached: a connection was made */
    bool body_expected;            /* the response has one that is read */
    int connections;               /* %{num_connects} */
    int64_t started_ns, connect_ns;
    int64_t meter_second; /* last one drawn; -1: no meter */
    int redirects;
    int exit_code;      /* 0, or curl's own number; 130: interrupted */
    const char *error;  /* the text behind "curl: (N) " */
    const char *output; /* the file; NULL: stdout */
    void (*write)(
        struct curl_transfer *); /* called with the last answer, before the meter's last state */
    const char *peer;            /* host of the connection in use */
};

/* To stderr, or where --stderr says. */
void curl_say(const struct curl_session *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void curl_fail(struct curl_transfer *, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Requests until there is an answer that is no redirect to follow, or an error. */
void curl_fetch(struct curl_transfer *);
/* The header block of the response ("HTTP/1.1 200 OK\r\n...\r\n"). */
void curl_header_block(const struct curl_transfer *, struct buf *out);
/* Sets `headers` to what curl sends, in its order. */
void curl_make_headers(struct curl_transfer *);

void curl_meter_begin(struct curl_transfer *,
                      bool again); /* again: a retry, under the same heading */
/* Draws one state for every second that has passed. */
void curl_meter_seconds(struct curl_transfer *);
/* Draws the last state and ends the line. */
void curl_meter_end(struct curl_transfer *);

void curl_write_out(struct curl_transfer *);

#endif
