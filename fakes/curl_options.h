/* curl_options: curl's command line, taken apart. Everything lives in the call's arena. */
#ifndef REHEARSE_FAKES_CURL_OPTIONS_H
#define REHEARSE_FAKES_CURL_OPTIONS_H

#include "fakes/call.h"
#include "fakes/http.h"

struct curl_options {
    const char **urls;
    int n_urls;
    const char *method;
    bool method_given; /* by -X */
    struct http_header *headers;
    int n_headers;
    struct str body;
    bool head, fail, fail_with_body, silent, show_error, include_headers, follow, verbose;
    bool retry_connrefused, retry_all_errors;
    const char *output;    /* -o; NULL: stdout */
    const char *write_out; /* -w; NULL: nothing */
    int64_t max_time_ns, connect_timeout_ns; /* 0: none */
    int retries;
    int64_t retry_delay_ns, retry_max_time_ns;
    bool done;             /* --version, --help: nothing is left to do */
};

/* 0, or the exit status with which curl gives up on its command line (the words are printed). */
int curl_options_parse(struct call *, struct curl_options *ret);

#endif
