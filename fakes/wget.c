/* wget 1.21 as Debian 12 has it: one URL after another, its words on stderr, its exit codes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "sim/base/doc.h"

enum { EXIT_GENERIC = 1, EXIT_PARSE = 2, EXIT_FILE = 3, EXIT_NETWORK = 4, EXIT_SERVER = 8, BODY_MAX = 64 << 20, REDIRECTS_MAX = 20 };

struct wget {
    struct call *call;
    const char *output, *folder, *method;
    struct str body;
    struct http_header headers[16];
    int n_headers, tries;
    int64_t timeout_ns;
    bool quiet, terse, spider, show_headers, retry_refused;
    const char *urls[16];
    int n_urls;
};

static void say(struct wget *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct wget *w, const char *format, ...)
{
    if (w->quiet)
        return;
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(w->call->arena, format, args);
    va_end(args);
    call_write(w->call, 2, text, strlen(text));
}

static const char *clock_text(struct wget *w, const char *between)
{
    int64_t seconds = call_unix_ns(w->call) / SECOND, day = seconds / 86400, z = day + 719468;
    int64_t era = z / 146097, doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
    long long year = yoe + era * 400 + (month <= 2), date = doy - (153 * mp + 2) / 5 + 1;
    return arena_printf(w->call->arena, "%lld-%02lld-%02lld%s%02lld:%02lld:%02lld", year,
                        (long long)month, date, between, (long long)(seconds / 3600 % 24),
                        (long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {301, "Moved Permanently"}, {302, "Found"},
                   {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
                   {405, "Method Not Allowed"}, {429, "Too Many Requests"}, {500, "Internal Server Error"}, {502, "Bad Gateway"},
                   {503, "Service Unavailable"}, {504, "Gateway Timeout"}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

struct url {
    const char *scheme, *host, *target, *file, *text;
    int port;
};

static struct url parse_url(struct wget *w, const char *text)
{
    struct arena *arena = w->call->arena;
    struct url url = {.scheme = "http", .target = "/", .file = "index.html"};
    struct str rest = str_of(text);
    ptrdiff_t mark = str_find(rest, STR("://"));
    if (mark > 0) {
        url.scheme = arena_str(arena, (struct str){rest.at, (size_t)mark});
        rest = (struct str){rest.at + mark + 3, rest.len - (size_t)mark - 3};
    }
    size_t n = 0;
    while (n < rest.len && rest.at[n] != '/' && rest.at[n] != '?')
        n++;
    struct str port = {rest.at, n}, host = str_cut(&port, ':');
    int64_t number = strcmp(url.scheme, "https") == 0 ? 443 : 80;
    bool plain = !str_int64(port, &number);
    url.port = (int)number;
    url.host = arena_str(arena, host);
    if (n < rest.len)
        url.target = arena_printf(arena, "%s%.*s", rest.at[n] == '?' ? "/" : "", (int)(rest.len - n), rest.at + n);
    const char *query = strchr(url.target, '?'), *name = url.target;
    for (const char *p = url.target; *p && p != query; p++) {
        if (*p == '/')
            name = p + 1;
    }
    if (*name && name != query)
        url.file = name;
    url.text = plain ? arena_printf(arena, "%s://%s%s", url.scheme, url.host, url.target)
                     : arena_printf(arena, "%s://%s:%d%s", url.scheme, url.host, url.port, url.target);
    return url;
}

/* One request; 0 and a response, or the exit status after having said why. */
static int fetch(struct wget *w, const struct url *url, struct http_response *response)
{
    struct http_request request = {.method = w->method, .scheme = url->scheme, .host = url->host, .port = url->port,
                                   .target = url->target, .headers = w->headers, .n_headers = w->n_headers, .body = w->body,
                                   .place = w->call->place};
    bool local = strcmp(url->host, "localhost") == 0, number = strspn(url->host, "0123456789.") == strlen(url->host);
    const char *address = local ? "127.0.0.1" : number ? url->host : "10.0.0.10";
    *response = (struct http_response){.arena = w->call->arena};
    buf_init(&response->body, BODY_MAX);
    int failure = http_fetch(w->call->env, &request, response);
    if (!w->terse && !number)
        say(w, "Resolving %s (%s)... ", url->host, url->host);
    if (failure == HTTP_UNKNOWN_HOST) {
        say(w, "failed: Name or service not known.\nwget: unable to resolve host address '%s'\n", url->host);
        return EXIT_NETWORK;
    }
    const char *shown = number ? arena_printf(w->call->arena, "%s:%d", address, url->port)
                               : arena_printf(w->call->arena, "%s (%s)|%s|:%d", url->host, url->host, address, url->port);
    if (!w->terse && !number)
        say(w, "%s\n", address);
    if (!w->terse)
        say(w, "Connecting to %s... ", shown);
    if (failure == HTTP_REFUSED || failure == HTTP_UNREACHABLE) {
        call_sleep(w->call, failure == HTTP_REFUSED ? MILLISECOND : w->timeout_ns);
        say(w, "failed: %s.\n", failure == HTTP_REFUSED ? "Connection refused" : "Connection timed out");
        return EXIT_NETWORK;
    }
    if (!w->terse)
        say(w, "connected.\n");
    if (failure == HTTP_TLS) {
        say(w, "OpenSSL: error:0A00010B:SSL routines::wrong version number\nUnable to establish SSL connection.\n");
        return EXIT_NETWORK;
    }
    if (!w->terse)
        say(w, "%s request sent, awaiting response... ", "HTTP");
    bool late = failure == HTTP_NO_ANSWER || response->latency_ns > w->timeout_ns;
    call_sleep(w->call, late ? w->timeout_ns : response->latency_ns);
    if (failure || late) {
        say(w, failure && !late ? "No data received.\n" : "Read error (Connection timed out) in headers.\n");
        return EXIT_NETWORK;
    }
    if (!w->terse)
        say(w, "%d %s\n", response->status, reason_of(response->status));
    return 0;
}

static const char *header_of(const struct http_response *response, const char *name)
{
    for (int i = 0; i < response->n_headers; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}

static int save(struct wget *w, const struct url *url, const char *bytes, size_t len, const char *type)
{
    const char *name = w->output ? w->output : url->file;
    if (w->folder && !w->output)
        name = arena_printf(w->call->arena, "%s/%s", w->folder, name);
    bool standard = strcmp(name, "-") == 0;
    for (int i = 1; !w->output && call_exists(w->call, name) == 1; i++)
        name = arena_printf(w->call->arena, "%s.%d", url->file, i);
    if (!w->terse)
        say(w, "Length: %zu [%s]\nSaving to: '%s'\n\n", len, type ? type : "text/html", standard ? "STDOUT" : name);
    int code = 0;
    if (standard)
        call_write(w->call, 1, bytes, len);
    else
        code = call_save(w->call, name, bytes, len, 0644);
    if (code < 0) {
        call_err(w->call, "%s: %s\n\nCannot write to '%s' (%s).\n", name, strerror(-code), name, strerror(-code));
        return EXIT_FILE;
    }
    if (w->terse)
        say(w, "%s URL:%s [%zu/%zu] -> \"%s\" [1]\n", clock_text(w, " "), url->text, len, len, standard ? "-" : name);
    else
        say(w, "     0K%*s100%% 1.00M=0s\n\n%s (1.00 MB/s) - %s'%s' saved [%zu/%zu]\n\n", 53, " ", clock_text(w, " "),
            standard ? "written to stdout " : "", standard ? "STDOUT" : name, len, len);
    return 0;
}

static int get(struct wget *w, const char *text)
{
    struct url url = parse_url(w, text);
    for (int hops = 0;; hops++) {
        struct http_response response;
        int code = 0;
        for (int attempt = 1;; attempt++) {
            if (!w->terse)
                say(w, "%s--%s--  %s\n", w->spider && hops == 0 && attempt == 1 ? "Spider mode enabled. Check if remote file exists.\n" : "",
                    clock_text(w, " "), url.text);
            code = fetch(w, &url, &response);
            /* Refused and unknown hosts are given up at once; what timed out is tried again, a second longer each time. */
            bool again = code == EXIT_NETWORK && response.latency_ns > 0;
            if (!again || attempt >= w->tries)
                break;
            buf_release(&response.body);
            say(w, "Retrying.\n\n");
            call_sleep(w->call, (attempt < 10 ? attempt : 10) * SECOND);
        }
        size_t len = response.body.len;
        char *bytes = arena_alloc(w->call->arena, len + 1);
        if (len)
            memcpy(bytes, response.body.at, len);
        buf_release(&response.body);
        if (code)
            return code;
        if (w->show_headers)
            for (int i = 0; i < response.n_headers; i++)
                call_err(w->call, "  %s: %s\n", response.headers[i].name, response.headers[i].value);
        const char *location = header_of(&response, "Location");
        if (response.status >= 300 && response.status < 400 && location) {
            if (hops == REDIRECTS_MAX) {
                say(w, "%d redirections exceeded.\n", REDIRECTS_MAX);
                return EXIT_SERVER;
            }
            say(w, "Location: %s [following]\n", location);
            url = parse_url(w, *location == '/' ? arena_printf(w->call->arena, "%s://%s:%d%s", url.scheme, url.host, url.port, location)
                                                : location);
            continue;
        }
        if (response.status >= 400) {
            if (w->spider)
                say(w, "Remote file does not exist -- broken link!!!\n\n");
            else
                say(w, "%s%s ERROR %d: %s.\n\n", w->terse ? arena_printf(w->call->arena, "%s:\n", url.text) : "", clock_text(w, " "),
                    response.status, reason_of(response.status));
            return EXIT_SERVER;
        }
        if (w->spider) {
            say(w, "Length: %zu\nRemote file exists.\n\n", len);
            return 0;
        }
        return save(w, &url, bytes, len, header_of(&response, "Content-Type"));
    }
}

/* ---- the command line ---- */

static bool seconds(const char *text, int64_t *ret_ns)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || value < 0)
        return false;
    *ret_ns = (int64_t)(value * 1e9);
    return true;
}

static int option(struct wget *w, const char *name, const char *value, bool *ret_takes)
{
    static const char *const with_value[] = {"O", "output-document", "P", "directory-prefix", "t", "tries", "T", "timeout", "header",
                                             "post-data", "method", "body-data", "connect-timeout", "read-timeout", "o",
                                             "output-file", "U", "user-agent", "user", "password", "wait", "w", NULL};
    static const char *const plain[] = {"c", "continue", "no-check-certificate", "N", "no-cache", "no-verbose-errors", "4", "6",
                                        "progress", "show-progress", "no-proxy", "content-on-error", NULL};
    *ret_takes = false;
    for (int i = 0; with_value[i]; i++)
        *ret_takes |= strcmp(name, with_value[i]) == 0;
    if (*ret_takes && !value) {
        call_err(w->call, "wget: option requires an argument -- '%s'\nUsage: wget [OPTION]... [URL]...\n\n"
                          "Try `wget --help' for more options.\n",
                 name);
        return EXIT_PARSE;
    }
    if (strcmp(name, "O") == 0 || strcmp(name, "output-document") == 0)
        w->output = value;
    else if (strcmp(name, "P") == 0 || strcmp(name, "directory-prefix") == 0)
        w->folder = value;
    else if (strcmp(name, "t") == 0 || strcmp(name, "tries") == 0)
        w->tries = (int)strtol(value, NULL, 10) > 0 ? (int)strtol(value, NULL, 10) : 1000;
    else if (strcmp(name, "T") == 0 || strstr(name, "timeout"))
        seconds(value, &w->timeout_ns);
    else if (strcmp(name, "post-data") == 0 || strcmp(name, "body-data") == 0) {
        w->body = str_of(value);
        w->method = *name == 'p' ? "POST" : w->method;
    } else if (strcmp(name, "method") == 0)
        w->method = value;
    else if (strcmp(name, "header") == 0 && w->n_headers < 16) {
        struct str rest = str_of(value), key = str_cut(&rest, ':');
        w->headers[w->n_headers++] = (struct http_header){arena_str(w->call->arena, key), arena_str(w->call->arena, str_trim(rest))};
    } else if (strcmp(name, "q") == 0 || strcmp(name, "quiet") == 0)
        w->quiet = true;
    else if (strcmp(name, "nv") == 0 || strcmp(name, "no-verbose") == 0)
        w->terse = true;
    else if (strcmp(name, "spider") == 0) {
        w->spider = true;
        w->method = "HEAD";
    } else if (strcmp(name, "S") == 0 || strcmp(name, "server-response") == 0)
        w->show_headers = true;
    else if (strcmp(name, "retry-connrefused") == 0)
        w->retry_refused = true;
    else if (!*ret_takes) {
        for (int i = 0; plain[i]; i++) {
            if (strcmp(name, plain[i]) == 0)
                return 0;
        }
        call_err(w->call, "wget: unrecognized option '--%s'\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
                 name);
        return EXIT_PARSE;
    }
    return 0;
}

/* -qO- and -nv: letters in a row, the last of which may take what follows. */
static int letters(struct wget *w, const char *word, int *i)
{
    for (const char *p = word; *p; p++) {
        bool takes;
        char name[3] = {*p, '\0', '\0'};
        if (*p == 'n' && p[1])
            name[1] = *++p;
        const char *value = p[1] ? p + 1 : w->call->argv[*i + 1];
        int code = option(w, name, value, &takes);
        if (code || takes) {
            *i += takes && !p[1];
            return code;
        }
    }
    return 0;
}

static int run(struct call *call)
{
    struct wget *w = ARENA_NEW(call->arena, struct wget);
    *w = (struct wget){.call = call, .method = "GET", .tries = 20, .timeout_ns = 900 * SECOND};
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        int code = 0;
        if (word[0] != '-' || !word[1]) {
            if (w->n_urls < 16)
                w->urls[w->n_urls++] = word;
            continue;
        }
        if (word[1] == '-') {
            struct str value = str_of(word + 2), name = str_cut(&value, '=');
            bool takes, joined = strchr(word, '=') != NULL;
            code = option(w, arena_str(call->arena, name), joined ? value.at : call->argv[i + 1], &takes);
            i += takes && !joined;
        } else {
            code = letters(w, word + 1, &i);
        }
        if (code)
            return code;
    }
    if (w->n_urls == 0) {
        call_err(call, "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n");
        return EXIT_GENERIC;
    }
    int worst = 0;
    for (int i = 0; i < w->n_urls; i++) {
        int code = get(w, w->urls[i]);
        worst = code && (!worst || code < worst) ? code : worst;
    }
    return worst;
}

static const char *const commands[] = {"wget", NULL};

const struct fake fake_wget = {.name = "wget", .commands = commands, .run = run};
