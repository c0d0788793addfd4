#include "fakes/curl_options.h"

#include <string.h>

#include "sim/base/doc.h"

enum { BODY_MAX = 64 << 20 };

/* The options we know, with their letters (0: none). `takes`: a value follows. Names as in curl(1), 7.88. */
static const struct known {
    const char *name;
    char letter;
    bool takes;
    bool ignored; /* changes nothing that is modelled: a TLS, proxy or display matter */
} known[] = {
    {"request", 'X', true, false},        {"header", 'H', true, false},       {"data", 'd', true, false},
    {"data-ascii", 0, true, false},       {"data-binary", 0, true, false},    {"data-raw", 0, true, false},
    {"data-urlencode", 0, true, false},   {"json", 0, true, false},           {"output", 'o', true, false},
    {"remote-name", 'O', false, false},   {"write-out", 'w', true, false},    {"fail", 'f', false, false},
    {"fail-with-body", 0, false, false},  {"silent", 's', false, false},      {"show-error", 'S', false, false},
    {"head", 'I', false, false},          {"include", 'i', false, false},     {"location", 'L', false, false},
    {"verbose", 'v', false, false},       {"max-time", 'm', true, false},     {"connect-timeout", 0, true, false},
    {"retry", 0, true, false},            {"retry-delay", 0, true, false},    {"retry-max-time", 0, true, false},
    {"retry-connrefused", 0, false, false}, {"retry-all-errors", 0, false, false}, {"url", 0, true, false},
    {"get", 'G', false, false},           {"upload-file", 'T', true, false},  {"user", 'u', true, false},
    {"user-agent", 'A', true, false},     {"referer", 'e', true, false},      {"cookie", 'b', true, false},
    {"version", 'V', false, false},       {"help", 'h', false, false},        {"form", 'F', true, false},
    {"insecure", 'k', false, true},       {"compressed", 0, false, true},     {"no-progress-meter", 0, false, true},
    {"progress-bar", '#', false, true},   {"cookie-jar", 'c', true, true},    {"cacert", 0, true, true},
    {"cert", 'E', true, true},            {"key", 0, true, true},             {"proxy", 'x', true, true},
    {"noproxy", 0, true, true},           {"http1.1", 0, false, true},        {"http2", 0, false, true},
    {"ipv4", '4', false, true},           {"ipv6", '6', false, true},         {"no-buffer", 'N', false, true},
    {"globoff", 'g', false, true},        {"create-dirs", 0, false, true},    {"tlsv1.2", 0, false, true},
    {"keepalive-time", 0, true, true},    {"max-redirs", 0, true, true},      {"resolve", 0, true, true},
    {"disable", 'q', false, true},        {"path-as-is", 0, false, true},     {"location-trusted", 0, false, true},
    {NULL, 0, false, false},
};

struct parse {
    struct call *call;
    struct curl_options *ret;
    struct buf body;
    bool has_body, get, json, upload;
};

static void add_header(struct parse *p, const char *line)
{
    struct str rest = str_of(line), name = str_cut(&rest, ':');
    p->ret->headers[p->ret->n_headers++] = (struct http_header){
        arena_str(p->call->arena, str_trim(name)), arena_str(p->call->arena, str_trim(rest))};
}

static bool has_header(const struct curl_options *options, const char *name)
{
    for (int i = 0; i < options->n_headers; i++) {
        if (strcasecmp(options->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

/* "5", "2.5" seconds; false if it is no number. */
static bool seconds(const char *text, int64_t *ret_ns)
{
    struct str rest = str_of(text), whole = str_cut(&rest, '.');
    int64_t s = 0, fraction = 0, scale = SECOND;
    if (!str_int64(whole, &s) || s < 0 || s > 1000000)
        return false;
    for (size_t i = 0; i < rest.len && scale > 1; i++) {
        if (rest.at[i] < '0' || rest.at[i] > '9')
            return false;
        scale /= 10;
        fraction += (rest.at[i] - '0') * scale;
    }
    *ret_ns = s * SECOND + fraction;
    return true;
}

/* @file and @- are read; -d drops line ends of a file, --data-binary keeps them. */
static void add_data(struct parse *p, const char *name, const char *value)
{
    bool raw = strcmp(name, "data-raw") == 0;
    if (p->has_body && strcmp(name, "json") != 0)
        buf_putc(&p->body, '&');
    p->has_body = true;
    p->json = p->json || strcmp(name, "json") == 0;
    if (raw || value[0] != '@') {
        buf_puts(&p->body, value);
        return;
    }
    struct buf file;
    buf_init(&file, BODY_MAX);
    int code = strcmp(value, "@-") == 0 ? call_read_all(p->call, 0, &file) : call_load(p->call, value + 1, &file);
    if (code < 0) {
        call_err(p->call, "Warning: Couldn't read data from file \"%s\", this makes an empty \n"
                          "Warning: POST.\n", value + 1);
    } else if (strcmp(name, "data") == 0 || strcmp(name, "data-ascii") == 0) {
        for (size_t i = 0; i < file.len; i++) {
            if (file.at[i] != '\r' && file.at[i] != '\n' && file.at[i] != '\0')
                buf_putc(&p->body, file.at[i]);
        }
    } else {
        buf_str(&p->body, buf_text(&file));
    }
    buf_release(&file);
}

static void add_urlencoded(struct parse *p, const char *value)
{
    const char *equals = strchr(value, '=');
    if (p->has_body)
        buf_putc(&p->body, '&');
    p->has_body = true;
    if (equals && equals > value)
        buf_add(&p->body, value, (size_t)(equals - value + 1));
    for (const char *c = equals ? equals + 1 : value; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                     strchr("-._~", *c);
        if (plain)
            buf_putc(&p->body, *c);
        else
            buf_printf(&p->body, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

static int bad_number(struct parse *p, const char *shown)
{
    call_err(p->call,
             "curl: option %s: expected a proper numerical parameter\n"
             "curl: try 'curl --help' or 'curl --manual' for more information\n",
             shown);
    return 2;
}

static int number_option(struct parse *p, const char *name, const char *value, const char *shown)
{
    struct curl_options *o = p->ret;
    int64_t number = 0;
    if (strcmp(name, "retry") == 0) {
        if (!str_int64(str_of(value), &number) || number < 0 || number > 1000000)
            return bad_number(p, shown);
        o->retries = (int)number;
        return 0;
    }
    if (!seconds(value, &number))
        return bad_number(p, shown);
    if (strcmp(name, "max-time") == 0)
        o->max_time_ns = number;
    else if (strcmp(name, "connect-timeout") == 0)
        o->connect_timeout_ns = number;
    else if (strcmp(name, "retry-delay") == 0)
        o->retry_delay_ns = number;
    else
        o->retry_max_time_ns = number;
    return 0;
}

static const char *last_part(const char *url)
{
    const char *slash = strrchr(url, '/');
    return slash && slash[1] ? slash + 1 : "index.html";
}

static int take_value(struct parse *p, const char *name, const char *value, const char *shown)
{
    struct curl_options *o = p->ret;
    if (strcmp(name, "request") == 0) {
        o->method = value;
        o->method_given = true;
    } else if (strcmp(name, "header") == 0) {
        add_header(p, value);
    } else if (strcmp(name, "data-urlencode") == 0) {
        add_urlencoded(p, value);
    } else if (strncmp(name, "data", 4) == 0 || strcmp(name, "json") == 0) {
        add_data(p, name, value);
    } else if (strcmp(name, "output") == 0) {
        o->output = value;
    } else if (strcmp(name, "write-out") == 0) {
        o->write_out = value;
    } else if (strcmp(name, "url") == 0) {
        o->urls[o->n_urls++] = value;
    } else if (strcmp(name, "upload-file") == 0) {
        p->upload = true;
        add_data(p, "data-binary", strcmp(value, "-") == 0 ? "@-" : arena_printf(p->call->arena, "@%s", value));
    } else if (strcmp(name, "user") == 0) {
        add_header(p, arena_printf(p->call->arena, "Authorization: Basic %s", value));
    } else if (strcmp(name, "user-agent") == 0) {
        add_header(p, arena_printf(p->call->arena, "User-Agent: %s", value));
    } else if (strcmp(name, "referer") == 0) {
        add_header(p, arena_printf(p->call->arena, "Referer: %s", value));
    } else if (strcmp(name, "cookie") == 0) {
        add_header(p, arena_printf(p->call->arena, "Cookie: %s", value));
    } else if (strcmp(name, "form") == 0) {
        record_observe(p->call->env->record, "not_simulated", value, "curl --form is not simulated");
        call_err(p->call, "curl: (26) Failed to open/read local data from file/application\n");
        return 26;
    } else {
        return number_option(p, name, value, shown);
    }
    return 0;
}

static int take_flag(struct parse *p, const char *name)
{
    struct curl_options *o = p->ret;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"fail", &o->fail},           {"silent", &o->silent},       {"show-error", &o->show_error},
        {"head", &o->head},           {"include", &o->include_headers}, {"location", &o->follow},
        {"verbose", &o->verbose},     {"retry-connrefused", &o->retry_connrefused},
        {"retry-all-errors", &o->retry_all_errors}, {"get", &p->get},
        {"fail-with-body", &o->fail_with_body},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(name, flags[i].name) == 0)
            *flags[i].flag = true;
    }
    if (o->fail_with_body)
        o->fail = true;
    if (strcmp(name, "remote-name") == 0)
        o->output = ""; /* the name comes from the URL */
    if (strcmp(name, "version") == 0) {
        call_out(p->call, "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\nRelease-Date: 2023-02-20\n"
                          "Protocols: http https\n");
        o->done = true;
    } else if (strcmp(name, "help") == 0) {
        call_out(p->call, "Usage: curl [options...] <url>\n");
        o->done = true;
    }
    return 0;
}

static const struct known *find_long(struct str name)
{
    for (const struct known *k = known; k->name; k++) {
        if (str_is(name, k->name))
            return k;
    }
    return NULL;
}

static const struct known *find_letter(char letter)
{
    for (const struct known *k = known; k->name; k++) {
        if (k->letter == letter)
            return k;
    }
    return NULL;
}

static int give_up(struct parse *p, const char *shown, const char *what)
{
    call_err(p->call, "curl: option %s: %s\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
             shown, what);
    return 2;
}

/* Takes one option; `attached` is the rest of its word ("-XPOST"), `*i` moves on when the next word is its value. */
static int take(struct parse *p, const struct known *k, const char *shown, const char *attached, int *i)
{
    if (!k)
        return give_up(p, shown, "is unknown");
    if (!k->takes)
        return k->ignored ? 0 : take_flag(p, k->name);
    const char *value = attached;
    if (!value) {
        if (*i + 1 >= p->call->argc)
            return give_up(p, shown, "requires parameter");
        value = p->call->argv[++*i];
    }
    return k->ignored ? 0 : take_value(p, k->name, value, shown);
}

static int take_letters(struct parse *p, const char *word, int *i)
{
    for (const char *c = word + 1; *c; c++) {
        const struct known *k = find_letter(*c);
        const char *shown = arena_printf(p->call->arena, "-%c", *c);
        int code = take(p, k, shown, k && k->takes && c[1] ? c + 1 : NULL, i);
        if (code != 0 || (k && k->takes))
            return code;
    }
    return 0;
}

static void finish(struct parse *p)
{
    struct curl_options *o = p->ret;
    if (p->get && p->has_body) {
        for (int i = 0; i < o->n_urls; i++)
            o->urls[i] = arena_printf(p->call->arena, "%s%c%s", o->urls[i], strchr(o->urls[i], '?') ? '&' : '?',
                                      p->body.at ? p->body.at : "");
        p->has_body = false;
    }
    if (p->has_body) {
        o->body = (struct str){arena_str(p->call->arena, buf_text(&p->body)), p->body.len};
        if (!p->upload && !has_header(o, "Content-Type"))
            add_header(p, p->json ? "Content-Type: application/json"
                                  : "Content-Type: application/x-www-form-urlencoded");
    }
    if (!o->method)
        o->method = o->head ? "HEAD" : p->upload ? "PUT" : p->has_body ? "POST" : "GET";
    if (o->output && o->output[0] == '\0')
        o->output = o->n_urls ? last_part(o->urls[0]) : NULL;
}

static void release_body(void *ctx)
{
    buf_release(ctx);
}

int curl_options_parse(struct call *call, struct curl_options *ret)
{
    struct parse *p = ARENA_NEW(call->arena, struct parse);
    *ret = (struct curl_options){0};
    p->call = call;
    p->ret = ret;
    ret->urls = ARENA_ARRAY(call->arena, const char *, call->argc + 1);
    ret->headers = ARENA_ARRAY(call->arena, struct http_header, call->argc + 2);
    buf_init(&p->body, BODY_MAX);
    call_defer(call, release_body, &p->body);
    bool only_urls = false;
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        int code = 0;
        if (!only_urls && strcmp(word, "--") == 0)
            only_urls = true;
        else if (!only_urls && word[0] == '-' && word[1] == '-')
            code = take(p, find_long(str_of(word + 2)), word, NULL, &i);
        else if (!only_urls && word[0] == '-' && word[1])
            code = take_letters(p, word, &i);
        else
            ret->urls[ret->n_urls++] = word;
        if (code != 0 || ret->done)
            return code;
    }
    if (ret->n_urls == 0) {
        call_err(call, "curl: no URL specified!\ncurl: try 'curl --help' or 'curl --manual' for more information\n");
        return 2;
    }
    finish(p);
    return 0;
}
