/* options: curl's command line, taken apart. Everything lives in the call's arena.
 *
 * A command line is a row of operations, parted by --next; each has URLs, and what is sent and done
 * with them. What is `global` (tool_cfgable.h) holds for all of them, wherever it stands.
 */
#ifndef REHEARSE_FAKES_CURL_OPTIONS_H
#define REHEARSE_FAKES_CURL_OPTIONS_H

#include "fakes/call.h"
#include "fakes/http.h"

enum { CURL_BODY_MAX = 64 << 20, CURL_USAGE = 2 };

/* A URL and what -o, -O and -T say of it: the n-th of them belongs to the n-th URL
 * (tool_getparam.c). */
struct curl_url {
    const char *url, *output, *upload;
    bool remote_name; /* -O */
};

struct curl_operation {
    struct curl_url *urls;
    int n_urls;
    const char *method; /* by -X; NULL: by what is sent */
    /* by -H and --json, in order; an empty value takes the header away */
    struct http_header *headers;
    int n_headers;
    const char *user, *bearer, *agent, *referer, *cookie, *range, *proxy, *proxy_user,
        *query; /* NULL: not given */
    bool has_body, json, form, form_missing, get,
        head; /* form_missing: a file of --form cannot be read */
    struct str body,
        form_type; /* what -d and its like collect; form_type: the Content-Type of --form */
    bool fail, fail_with_body, include, follow, compressed, path_as_is, globoff, create_dirs,
        keep_post[3]; /* 301, 302, 303 */
    bool retry_connrefused, retry_all_errors, http10, insecure, remote_name_all;
    const char *write_out, *dump_header, *output_dir, *request_target; /* NULL: not given */
    const char *resolve[8], *connect_to[8];
    int n_resolve, n_connect_to;
    int64_t max_time_ns, connect_timeout_ns; /* 0: none */
    int64_t retry_delay_ns, retry_max_time_ns;
    int retries, max_redirects;
    struct curl_operation *next;
};

struct curl_options {
    bool silent, show_error, verbose, no_meter, bar, fail_early, parallel;
    const char *errors; /* --stderr; NULL: as the process has it */
    struct curl_operation *first;
    bool done; /* --version, --help: nothing is left to do */
};

/* What kind of option a name or a letter is. */
enum curl_kind {
    CURL_FLAG,    /* modelled */
    CURL_VALUE,   /* modelled, takes a value */
    CURL_IGNORED, /* changes nothing that is simulated: TLS, sockets, display */
    CURL_IGNORED_VALUE,
    CURL_REFUSED, /* would change something, and is not simulated */
    CURL_REFUSED_VALUE,
};
struct curl_known {
    const char *name;
    char letter; /* 0: none */
    enum curl_kind kind;
};
extern const struct curl_known curl_known[]; /* NULL name at the end */

/* 0, or the exit status with which curl gives up on its command line (the words are printed). */
int curl_options_parse(struct call *, struct curl_options *ret);

/* Says that an operation has no URL; the exit status. */
int curl_no_url(struct call *);

/* What -d (name "data"), --data-binary, --data-raw, --json and --data-urlencode add to the body. */
void curl_add_data(struct call *, const struct curl_options *, struct buf *body, bool more,
                   const char *name, const char *value);
/* One part of --form. False: its file cannot be read, or, with a reason, it is no part. */
bool curl_add_part(struct call *, struct buf *body, const char *value, bool literal,
                   const char **ret_why);
extern const char curl_boundary[];

/* "[1-3]" and "{a,b}": the URLs that one stands for, and for each what the parts were ("1", "b"),
 * NULL-terminated. On a mistake false, and curl's words about it. */
struct curl_match {
    const char *url;
    const char **parts;
};
bool curl_glob(struct arena *, const char *url, struct curl_match **ret, int *ret_n,
               const char **ret_why);

/* A warning, folded as curl folds it; nothing with --silent. */
void curl_warn(struct call *, const struct curl_options *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
