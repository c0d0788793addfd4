/* wget 1.21 as Debian 12 has it: one URL after another, its words on stderr, its exit codes. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/fake.h"
#include "fakes/http.h"
#include "sim/base/doc.h"

enum {
    EXIT_GENERIC = 1,
    EXIT_PARSE = 2,
    EXIT_FILE = 3,
    EXIT_NETWORK = 4,
    EXIT_TLS = 5,
    EXIT_AUTH = 6,
    EXIT_SERVER = 8
};
enum { BODY_MAX = 64 << 20, URLS_MAX = 64, DOTS = 50, LINE_BYTES = 50 * 1024 };

struct url {
    const char *scheme, *host, *target, *file, *text;
    int port;
};

struct wget {
    struct call *call;
    const char *output, *folder, *method, *log, *list, *agent, *user, *password, *body_file;
    struct http_header custom[32];
    int n_custom;
    struct str body;
    bool has_body, posts; /* posts: --post-data, which a redirect may turn into a GET */
    int64_t tries, max_redirects;
    int64_t timeout_ns, connect_ns, read_ns, pause_ns, retry_pause_ns;
    bool quiet, terse, spider, show_headers, retry_refused, keep_old, resume, on_error,
        any_certificate, preemptive, show_progress;
    const char *urls[URLS_MAX];
    int n_urls;
    struct url connected; /* the connection kept open; host NULL: none */
    const char *resolved;
    int n_saved;
    int64_t bytes_saved, ns_saved;
};

static void put(struct wget *w, const char *text)
{
    if (w->log)
        call_append(w->call, w->log, text, strlen(text), 0644);
    else
        call_write(w->call, 2, text, strlen(text));
}

static void say(struct wget *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct wget *w, const char *format, ...) /* neither with -q nor with -nv */
{
    va_list args;
    va_start(args, format);
    if (!w->quiet && !w->terse)
        put(w, arena_vprintf(w->call->arena, format, args));
    va_end(args);
}

static void tell(struct wget *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct wget *w, const char *format, ...) /* also with -nv */
{
    va_list args;
    va_start(args, format);
    if (!w->quiet)
        put(w, arena_vprintf(w->call->arena, format, args));
    va_end(args);
}

/* wget quotes names as its locale does. */
static const char *quoted(struct wget *w, const char *name)
{
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (int i = 0; i < 3 && (!locale || !*locale); i++)
        locale = call_getenv(w->call, variables[i]);
    bool utf8 = locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8"));
    return arena_printf(w->call->arena, utf8 ? "\u2018%s\u2019" : "'%s'", name);
}

static const char *clock_text(struct wget *w)
{
    int64_t seconds = call_unix_ns(w->call) / SECOND, day = seconds / 86400, z = day + 719468;
    int64_t era = z / 146097, doe = z - era * 146097,
            yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153,
            month = mp < 10 ? mp + 3 : mp - 9;
    long long year = yoe + era * 400 + (month <= 2), date = doy - (153 * mp + 2) / 5 + 1;
    return arena_printf(w->call->arena, "%lld-%02lld-%02lld %02lld:%02lld:%02lld", year,
                        (long long)month, date, (long long)(seconds / 3600 % 24),
                        (long long)(seconds / 60 % 60), (long long)(seconds % 60));
}

/* ---- URLs ---- */

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
    while (n < rest.len && rest.at[n] != '/' && rest.at[n] != '?' && rest.at[n] != '#')
        n++;
    struct str port = {rest.at, n}, host = str_cut(&port, ':');
    int64_t standard = strcmp(url.scheme, "https") == 0 ? 443 : 80, number = standard;
    str_int64(port, &number);
    url.port = (int)number;
    url.host = arena_str(arena, host);
    struct str path = {rest.at + n, rest.len - n}, bare = str_cut(&path, '#');
    if (bare.len)
        url.target = arena_printf(arena, "%s%.*s", bare.at[0] == '?' ? "/" : "", STR_ARG(bare));
    const char *query = strchr(url.target, '?'), *name = url.target;
    for (const char *p = url.target; *p && p != query; p++)
        name = *p == '/' ? p + 1 : name;
    if (*name && name != query)
        url.file = name;
    url.text =
        number == standard
            ? arena_printf(arena, "%s://%s%s", url.scheme, url.host, url.target)
            : arena_printf(arena, "%s://%s:%d%s", url.scheme, url.host, url.port, url.target);
    return url;
}

/* ---- one request ---- */

/* A header of wget's own, or what --header put in its place. */
static void set_header(struct http_header *headers, int *n, const char *name, const char *value)
{
    for (int i = 0; i < *n; i++) {
        if (strcasecmp(headers[i].name, name) == 0) {
            headers[i].value = value;
            return;
        }
    }
    headers[(*n)++] = (struct http_header){name, value};
}

static int make_headers(struct wget *w, const struct url *url, bool challenged,
                        struct http_header *headers)
{
    struct arena *arena = w->call->arena;
    bool standard = url->port == (strcmp(url->scheme, "https") == 0 ? 443 : 80);
    int n = 0;
    set_header(headers, &n, "Host",
               standard ? url->host : arena_printf(arena, "%s:%d", url->host, url->port));
    set_header(headers, &n, "User-Agent", w->agent ? w->agent : "Wget/1.21.3");
    set_header(headers, &n, "Accept", "*/*");
    set_header(headers, &n, "Accept-Encoding", "identity");
    if (w->user && (w->preemptive || challenged))
        set_header(headers, &n, "Authorization",
                   http_basic(arena, arena_printf(arena, "%s:%s", w->user,
                                                  w->password ? w->password : "")));
    set_header(headers, &n, "Connection", "Keep-Alive");
    if (w->has_body) {
        set_header(headers, &n, "Content-Type", "application/x-www-form-urlencoded");
        set_header(headers, &n, "Content-Length", arena_printf(arena, "%zu", w->body.len));
    }
    for (int i = 0; i < w->n_custom; i++)
        set_header(headers, &n, w->custom[i].name, w->custom[i].value);
    return n;
}

static void say_connecting(struct wget *w, const struct url *url, int failure)
{
    bool number = strspn(url->host, "0123456789.") == strlen(url->host);
    const char *address = http_address(url->host);
    if (!number && (!w->resolved || strcmp(w->resolved, url->host) != 0)) {
        say(w, "Resolving %s (%s)... ", url->host, url->host);
        if (failure == HTTP_UNKNOWN_HOST)
            say(w, "failed: Name or service not known.\n");
        else
            say(w, "%s\n", address);
    }
    if (failure == HTTP_UNKNOWN_HOST) {
        tell(w, "wget: unable to resolve host address %s\n", quoted(w, url->host));
        return;
    }
    if (number)
        say(w, "Connecting to %s:%d... ", address, url->port);
    else
        say(w, "Connecting to %s (%s)|%s|:%d... ", url->host, url->host, address, url->port);
}

static bool is_kept(const struct wget *w, const struct url *url)
{
    return w->connected.host && strcmp(w->connected.host, url->host) == 0 &&
           w->connected.port == url->port;
}

/* True: worth another try. The words about a failure are said. */
static int fail_request(struct wget *w, const struct url *url, int failure, bool *ret_again)
{
    bool was_known = w->resolved && strcmp(w->resolved, url->host) == 0;
    *ret_again = false;
    switch (failure) {
    case HTTP_UNKNOWN_HOST:
        return EXIT_NETWORK;
    case HTTP_REFUSED:
        call_sleep(w->call, MILLISECOND);
        tell(w, "failed: Connection refused.\n");
        if (was_known && !w->retry_refused) { /* a name from the cache is looked up again */
            w->resolved = NULL;
            say_connecting(w, url, failure);
            tell(w, "failed: Connection refused.\n");
        }
        *ret_again = w->retry_refused;
        return EXIT_NETWORK;
    case HTTP_UNREACHABLE:
        call_sleep(w->call, w->connect_ns > 0 ? w->connect_ns : 127 * SECOND);
        tell(w, "failed: Connection timed out.\n");
        *ret_again = true;
        return EXIT_NETWORK;
    case HTTP_TLS:
        say(w, "connected.\n");
        tell(w, "GnuTLS: An unexpected TLS packet was received.\nUnable to establish SSL "
                "connection.\n");
        return EXIT_NETWORK;
    case HTTP_SELF_SIGNED:
    case HTTP_EXPIRED:
        say(w, "connected.\n");
        tell(w, "ERROR: The certificate of %s is not trusted.\nERROR: The certificate of %s %s.\n",
             quoted(w, url->host), quoted(w, url->host),
             failure == HTTP_EXPIRED ? "has expired" : "doesn't have a known issuer");
        return EXIT_TLS;
    default:
        return 0;
    }
}

/* One request; 0 and a response, or the exit status after having said why. */
static int request_once(struct wget *w, const struct url *url, const char *method, bool challenged,
                        struct http_response *response, bool *ret_again)
{
    struct http_header headers[48];
    struct http_request request = {.method = method,
                                   .scheme = url->scheme,
                                   .host = url->host,
                                   .port = url->port,
                                   .target = url->target,
                                   .headers = headers,
                                   .body = w->body,
                                   .place = w->call->place,
                                   .any_certificate = w->any_certificate};
    request.n_headers = make_headers(w, url, challenged, headers);
    *response = (struct http_response){.arena = w->call->arena};
    buf_init(&response->body, BODY_MAX);
    int failure = http_fetch(w->call->env, &request, response);
    if (is_kept(w, url))
        say(w, "Reusing existing connection to %s:%d.\n", url->host, url->port);
    else
        say_connecting(w, url, failure);
    int code = fail_request(w, url, failure, ret_again);
    w->resolved = failure == HTTP_UNKNOWN_HOST ? NULL : url->host;
    if (code)
        return code;
    if (!is_kept(w, url))
        say(w, "connected.\n");
    say(w, "HTTP request sent, awaiting response... ");
    bool late = failure == HTTP_NO_ANSWER || (w->read_ns > 0 && response->latency_ns > w->read_ns);
    call_sleep(w->call, late ? w->read_ns : response->latency_ns);
    w->connected = (struct url){0};
    if (failure || late) {
        tell(w, late                    ? "Read error (Connection timed out) in headers.\n"
                : failure == HTTP_RESET ? "Read error (Connection reset by peer) in headers.\n"
                                        : "No data received.\n");
        *ret_again = true;
        return EXIT_NETWORK;
    }
    w->connected = *url;
    if (w->show_headers && !w->quiet)
        say(w, "\n");
    else
        say(w, "%d %s\n", response->status, http_reason(response->status));
    return 0;
}

static void show_headers(struct wget *w, const struct http_response *response, size_t len)
{
    struct arena *arena = w->call->arena;
    if (!w->show_headers)
        return;
    put(w,
        arena_printf(arena, "  HTTP/1.1 %d %s\n", response->status, http_reason(response->status)));
    for (int i = 0; i < response->n_headers; i++)
        put(w, arena_printf(arena, "  %s: %s\n", response->headers[i].name,
                            response->headers[i].value));
    if (!http_response_header(response, "Content-Length"))
        put(w, arena_printf(arena, "  Content-Length: %zu\n", len));
}

/* ---- saving ---- */

/* "     0K .......... ...  46%  568M 0s": a dot a kilobyte. Speeds are those of a fast network. */
static void show_dots(struct wget *w, size_t len)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    buf_puts(&out, "\n");
    for (size_t at = 0; at == 0 || at < len; at += LINE_BYTES) {
        size_t here = len - at < LINE_BYTES ? len - at : LINE_BYTES;
        bool last = at + here >= len;
        buf_printf(&out, "%6zuK", at / 1024);
        for (size_t k = 0; k < DOTS; k++)
            buf_printf(&out, "%s%c", k % 10 ? "" : " ", k < here / 1024 ? '.' : ' ');
        if (len == 0)
            buf_puts(&out, " 0.00 =0s");
        else
            buf_printf(&out, "%3zu%%  100M%s0s\n", (at + here) * 100 / len, last ? "=" : " ");
    }
    buf_puts(&out, len ? "\n" : "\n\n");
    if ((!w->quiet && !w->terse) || w->show_progress)
        put(w, arena_str(w->call->arena, buf_text(&out)));
    buf_release(&out);
}

static const char *length_words(struct wget *w, size_t len)
{
    struct arena *arena = w->call->arena;
    if (len >= 1024 * 1024)
        return arena_printf(arena, "%zu (%zu.%zuM)", len, len >> 20, (len % (1 << 20)) * 10 >> 20);
    if (len >= 1024)
        return len >= 10240
                   ? arena_printf(arena, "%zu (%zuK)", len, (len + 512) >> 10)
                   : arena_printf(arena, "%zu (%zu.%zuK)", len, len >> 10, (len % 1024) * 10 >> 10);
    return arena_printf(arena, "%zu", len);
}

static const char *file_name(struct wget *w, const struct url *url)
{
    if (w->output)
        return w->output;
    const char *plain = w->folder ? arena_printf(w->call->arena, "%s/%s", w->folder, url->file)
                                  : url->file,
               *name = plain;
    for (int i = 1; !w->keep_old && !w->resume && call_exists(w->call, name) == 1; i++)
        name = arena_printf(w->call->arena, "%s.%d", plain, i);
    return name;
}

static int save(struct wget *w, const struct url *url, const struct http_response *response,
                const char *bytes, size_t len)
{
    const char *name = file_name(w, url), *type = http_response_header(response, "Content-Type");
    bool standard = strcmp(name, "-") == 0, error = response->status >= 400,
         no_content = response->status == 204;
    if (w->resume && !w->output && call_exists(w->call, name) == 1) {
        say(w, "\n    The file is already fully retrieved; nothing to do.\n\n");
        return 0;
    }
    if (!error && !no_content)
        say(w, "Length: %s%s\n", length_words(w, len),
            type ? arena_printf(w->call->arena, " [%.*s]", (int)strcspn(type, ";"), type) : "");
    if (w->folder && !w->output)
        call_mkdir(w->call, w->folder, 0755);
    int code = 0;
    if (standard)
        call_write(w->call, 1, bytes, len);
    else if (w->output)
        code = call_append(w->call, name, bytes, len,
                           0644); /* -O: everything into one file, which was emptied first */
    else if (!no_content)
        code = call_save(w->call, name, bytes, len, 0644);
    if (code < 0) {
        tell(w, "%s: %s\n\nCannot write to %s (%s).\n", name, strerror(-code), quoted(w, name),
             strerror(-code));
        return EXIT_FILE;
    }
    if (no_content) {
        say(w, "%s (0.00 B/s) - %s saved [0]\n\n", clock_text(w), quoted(w, name));
        return 0;
    }
    say(w, "Saving to: %s\n", quoted(w, standard ? "STDOUT" : name));
    show_dots(w, len);
    if (error)
        return 0;
    w->n_saved++;
    w->bytes_saved += (int64_t)len;
    w->ns_saved += response->latency_ns;
    if (w->terse)
        tell(w, "%s URL:%s [%zu/%zu] -> \"%s\" [1]\n", clock_text(w), url->text, len, len,
             standard ? "-" : name);
    say(w, "%s (%s) - %s%s [%zu/%zu]\n\n", clock_text(w), len ? "100 MB/s" : "0.00 B/s",
        standard ? "written to stdout" : quoted(w, name), standard ? "" : " saved", len, len);
    return 0;
}

/* ---- one URL ---- */

static int refuse(struct wget *w, const struct url *url, const struct http_response *response,
                  const char *bytes, size_t len)
{
    int status = response->status;
    if (status == 401) {
        tell(w, "%s", w->terse ? "" : "\n");
        tell(w, "Username/Password Authentication Failed.\n");
        return EXIT_AUTH;
    }
    if (w->spider) {
        tell(w, "%sRemote file does not exist -- broken link!!!\n%s",
             w->terse ? arena_printf(w->call->arena, "%s:\n", url->text) : "",
             w->terse ? "" : "\n");
        return EXIT_SERVER;
    }
    if (w->on_error)
        save(w, url, response, bytes, len);
    tell(w, "%s%s ERROR %d: %s.\n%s",
         w->terse ? arena_printf(w->call->arena, "%s:\n", url->text) : "", clock_text(w), status,
         http_reason(status), w->terse ? "" : "\n");
    return EXIT_SERVER;
}

static int accept_answer(struct wget *w, const struct url *url,
                         const struct http_response *response, const char *bytes, size_t len)
{
    const char *type = http_response_header(response, "Content-Type");
    if (!w->spider)
        return save(w, url, response, bytes, len);
    if (w->terse)
        tell(w, "%s URL: %s %d %s\n", clock_text(w), url->text, response->status,
             http_reason(response->status));
    say(w, "Length: %s%s\nRemote file exists.\n\n", length_words(w, len),
        type ? arena_printf(w->call->arena, " [%.*s]", (int)strcspn(type, ";"), type) : "");
    return 0;
}

/* 302 and its like turn a POST into a GET; 307 and 308 keep it. */
static void change_method(struct wget *w, int status)
{
    if (status == 307 || status == 308 || !w->posts)
        return;
    w->method = "GET";
    w->has_body = w->posts = false;
    w->body = (struct str){0};
}

static int get(struct wget *w, const char *text)
{
    struct url url = parse_url(w, text);
    struct http_response response;
    bool challenged = false, probe_failed = false;
    int64_t attempt = 1;
    if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0) {
        if (strcmp(url.scheme, "ftp") == 0 || strcmp(url.scheme, "ftps") == 0)
            record_observe(w->call->env->record, "not_simulated", text,
                           "wget: %s:// is not simulated", url.scheme);
        tell(w, "%s: Unsupported scheme %s.\n", url.text, quoted(w, url.scheme));
        return EXIT_GENERIC;
    }
    if (w->keep_old && call_exists(w->call, w->output ? w->output : url.file) == 1) {
        tell(w, "File %s already there; not retrieving.\n%s",
             quoted(w, w->output ? w->output : url.file), w->output ? "" : "\n");
        return w->output ? EXIT_GENERIC : 0;
    }
    for (int64_t hops = 0;;) {
        bool again = false;
        const char *method = w->spider ? (probe_failed ? "GET" : "HEAD") : w->method;
        if (w->spider && hops == 0 && attempt == 1)
            say(w, "Spider mode enabled. Check if remote file exists.\n");
        say(w, "--%s--  %s%s\n", clock_text(w),
            attempt > 1 ? arena_printf(w->call->arena, "(try:%2lld)  ", (long long)attempt) : "",
            url.text);
        int code = request_once(w, &url, method, challenged, &response, &again);
        size_t len = response.body.len;
        const char *bytes = arena_str(w->call->arena, buf_text(&response.body));
        buf_release(&response.body);
        if (code && again && w->tries > 0 && attempt >= w->tries)
            say(w, "Giving up.\n\n");
        if (code && (!again || (w->tries > 0 && attempt >= w->tries)))
            return code;
        if (code) {
            int64_t pause_ns = w->pause_ns                            ? w->pause_ns
                               : attempt * SECOND < w->retry_pause_ns ? attempt * SECOND
                                                                      : w->retry_pause_ns;
            say(w, "Retrying.\n\n");
            if (call_sleep(w->call, pause_ns))
                return 130;
            attempt++;
            continue;
        }
        show_headers(w, &response, len);
        const char *location = http_response_header(&response, "Location");
        if (location && response.status >= 300 && response.status < 400 && response.status != 304) {
            say(w, "Location: %s [following]\n", location);
            if (hops++ >= w->max_redirects) {
                tell(w, "%lld redirections exceeded.\n", (long long)w->max_redirects);
                return EXIT_SERVER;
            }
            change_method(w, response.status);
            url = parse_url(w, *location == '/'
                                   ? arena_printf(w->call->arena, "%s://%s:%d%s", url.scheme,
                                                  url.host, url.port, location)
                                   : location);
            attempt = 1;
        } else if (response.status == 401 && w->user && !challenged && !w->preemptive) {
            challenged = true;
        } else if (w->spider && !probe_failed &&
                   (response.status == 500 || response.status == 501)) {
            probe_failed = true; /* a server that does not know HEAD */
            attempt++;
        } else if (response.status >= 400) {
            return refuse(w, &url, &response, bytes, len);
        } else {
            return accept_answer(w, &url, &response, bytes, len);
        }
    }
}

/* ---- the command line ---- */

static int complain(struct wget *w, const char *text)
{
    call_err(w->call,
             "wget: %s\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n",
             text);
    return EXIT_PARSE;
}

static bool seconds(const char *text, int64_t *ret_ns)
{
    char *end;
    double value = strtod(text, &end);
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
    if (end == text || (*end && !strchr("smhd", *end)) || (*end && end[1]) || value < 0)
        return false;
    *ret_ns = (int64_t)(value * unit * 1e9);
    return true;
}

enum kind { PLAIN, TEXT, TIME, NUMBER, FLAG, OFF, IGNORED, IGNORED_VALUE };

static const char *load_file(struct wget *w, const char *path, struct str *ret)
{
    struct buf file;
    buf_init(&file, BODY_MAX);
    int code =
        strcmp(path, "-") == 0 ? call_read_all(w->call, 0, &file) : call_load(w->call, path, &file);
    *ret = (struct str){arena_str(w->call->arena, buf_text(&file)), file.len};
    buf_release(&file);
    return code < 0 ? strerror(-code) : NULL;
}

static int option(struct wget *w, const char *name, const char *shown, const char *value,
                  bool *ret_takes)
{
    static int64_t unused;
    const struct {
        const char *letter, *name;
        enum kind kind;
        void *to;
    } options[] = {
        {"O", "output-document", TEXT, &w->output},
        {"P", "directory-prefix", TEXT, &w->folder},
        {"o", "output-file", TEXT, &w->log},
        {"i", "input-file", TEXT, &w->list},
        {"U", "user-agent", TEXT, &w->agent},
        {"", "user", TEXT, &w->user},
        {"", "http-user", TEXT, &w->user},
        {"", "password", TEXT, &w->password},
        {"", "http-password", TEXT, &w->password},
        {"", "method", TEXT, &w->method},
        {"", "body-file", TEXT, &w->body_file},
        {"", "post-file", TEXT, &w->body_file},
        {"T", "timeout", TIME, &w->timeout_ns},
        {"", "connect-timeout", TIME, &w->connect_ns},
        {"", "read-timeout", TIME, &w->read_ns},
        {"", "dns-timeout", TIME, &unused},
        {"w", "wait", TIME, &w->pause_ns},
        {"", "waitretry", TIME, &w->retry_pause_ns},
        {"t", "tries", NUMBER, &w->tries},
        {"", "max-redirect", NUMBER, &w->max_redirects},
        {"q", "quiet", FLAG, &w->quiet},
        {"nv", "no-verbose", FLAG, &w->terse},
        {"v", "verbose", OFF, &w->terse},
        {"", "spider", FLAG, &w->spider},
        {"S", "server-response", FLAG, &w->show_headers},
        {"", "retry-connrefused", FLAG, &w->retry_refused},
        {"nc", "no-clobber", FLAG, &w->keep_old},
        {"c", "continue", FLAG, &w->resume},
        {"", "content-on-error", FLAG, &w->on_error},
        {"", "no-check-certificate", FLAG, &w->any_certificate},
        {"", "auth-no-challenge", FLAG, &w->preemptive},
        {"", "show-progress", FLAG, &w->show_progress},
        {"", "header", PLAIN, NULL},
        {"", "post-data", PLAIN, NULL},
        {"", "body-data", PLAIN, NULL},
        {"", "ca-certificate", IGNORED_VALUE, NULL},
        {"", "certificate", IGNORED_VALUE, NULL},
        {"", "private-key", IGNORED_VALUE, NULL},
        {"", "limit-rate", IGNORED_VALUE, NULL},
        {"", "progress", IGNORED_VALUE, NULL},
        {"", "secure-protocol", IGNORED_VALUE, NULL},
        {"4", "inet4-only", IGNORED, NULL},
        {"6", "inet6-only", IGNORED, NULL},
        {"", "no-cache", IGNORED, NULL},
        {"", "no-proxy", IGNORED, NULL},
        {"", "no-cookies", IGNORED, NULL},
        {"", "no-hsts", IGNORED, NULL},
        {"x", "force-directories", IGNORED, NULL},
        {"nd", "no-directories", IGNORED, NULL},
        {"", "no-config", IGNORED, NULL},
    };
    int i = 0, n = sizeof options / sizeof *options;
    while (i < n && strcmp(name, options[i].name) != 0 &&
           (!options[i].letter[0] || strcmp(name, options[i].letter) != 0))
        i++;
    *ret_takes = false;
    if (i == n) {
        record_observe(w->call->env->record, "not_simulated", name, "wget %s is not simulated",
                       shown);
        return complain(w, strncmp(shown, "--", 2) == 0
                               ? arena_printf(w->call->arena, "unrecognized option '%s'", shown)
                               : arena_printf(w->call->arena, "invalid option -- '%s'", name));
    }
    enum kind kind = options[i].kind;
    name = options[i].name;
    *ret_takes =
        kind == TEXT || kind == TIME || kind == NUMBER || kind == PLAIN || kind == IGNORED_VALUE;
    if (*ret_takes && !value)
        return complain(
            w,
            strncmp(shown, "--", 2) == 0
                ? arena_printf(w->call->arena, "option '%s' requires an argument", shown)
                : arena_printf(w->call->arena, "option requires an argument -- '%s'", shown + 1));
    if (kind == TEXT && (strcmp(name, "method") != 0 || *value))
        *(const char **)options[i].to = value;
    if (kind == FLAG || kind == OFF)
        *(bool *)options[i].to = kind == FLAG;
    if (kind == NUMBER && strcmp(value, "inf") == 0)
        *(int64_t *)options[i].to = 0;
    else if (kind == NUMBER)
        str_int64(str_of(value), options[i].to);
    if (kind == TIME && !seconds(value, options[i].to)) {
        call_err(w->call, "wget: --%s: Invalid time period %s\n", name, quoted(w, value));
        return EXIT_PARSE;
    }
    if (strcmp(name, "timeout") == 0)
        w->connect_ns = w->read_ns = w->timeout_ns;
    if (strcmp(name, "post-data") == 0 || strcmp(name, "body-data") == 0) {
        w->body = str_of(value);
        w->has_body = true;
    }
    if (strncmp(name, "post-", 5) == 0) {
        w->method = "POST";
        w->posts = true;
    }
    if (strcmp(name, "header") == 0 && w->n_custom < 32) {
        struct str rest = str_of(value), key = str_cut(&rest, ':');
        w->custom[w->n_custom++] = (struct http_header){arena_str(w->call->arena, key),
                                                        arena_str(w->call->arena, str_trim(rest))};
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
        int code = option(w, name, arena_printf(w->call->arena, "-%s", name), value, &takes);
        if (code || takes) {
            *i += takes && !p[1];
            return code;
        }
    }
    return 0;
}

static int read_words(struct wget *w)
{
    struct call *call = w->call;
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        int code = 0;
        if (word[0] != '-' || !word[1]) {
            if (w->n_urls < URLS_MAX)
                w->urls[w->n_urls++] = word;
        } else if (word[1] == '-') {
            struct str value = str_of(word), name = str_cut(&value, '=');
            bool takes, joined = strchr(word, '=') != NULL;
            const char *shown = arena_str(call->arena, name);
            code = option(w, shown + 2, shown, joined ? value.at : call->argv[i + 1], &takes);
            i += takes && !joined;
        } else {
            code = letters(w, word + 1, &i);
        }
        if (code)
            return code;
    }
    return 0;
}

/* -i: a URL a line. */
static int read_list(struct wget *w)
{
    struct str text;
    const char *why = load_file(w, w->list, &text);
    if (why) {
        tell(w, "%s: %s\nNo URLs found in %s.\n", w->list, why, w->list);
        return EXIT_GENERIC;
    }
    while (text.len) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.len && line.at[0] != '#' && w->n_urls < URLS_MAX)
            w->urls[w->n_urls++] = arena_str(w->call->arena, line);
    }
    return 0;
}

static int prepare(struct wget *w)
{
    struct call *call = w->call;
    if (w->log && call_save(call, w->log, "", 0, 0644) < 0) {
        call_err(call, "%s: No such file or directory\n", w->log);
        return EXIT_GENERIC;
    }
    if (w->list && read_list(w))
        return EXIT_GENERIC;
    if (w->n_urls == 0) {
        complain(w, "missing URL");
        return EXIT_GENERIC;
    }
    if (w->body_file) {
        const char *why = load_file(w, w->body_file, &w->body);
        w->has_body = true;
        if (why) {
            tell(w, "BODY data file %s missing: %s\n", quoted(w, w->body_file), why);
            return EXIT_FILE;
        }
    }
    int code = w->output && strcmp(w->output, "-") != 0 && !w->keep_old && !w->spider
                   ? call_save(call, w->output, "", 0, 0644)
                   : 0;
    if (code < 0) {
        put(w, arena_printf(call->arena, "%s: %s\n", w->output, strerror(-code)));
        return EXIT_GENERIC;
    }
    return 0;
}

static int run(struct call *call)
{
    struct wget *w = ARENA_NEW(call->arena, struct wget);
    *w = (struct wget){.call = call,
                       .method = "GET",
                       .tries = 20,
                       .max_redirects = 20,
                       .read_ns = 900 * SECOND,
                       .retry_pause_ns = 10 * SECOND};
    int code = read_words(w);
    if (!code)
        code = prepare(w);
    if (code)
        return code;
    const char *method = w->method;
    struct str body = w->body;
    bool has_body = w->has_body, posts = w->posts;
    int64_t began_ns = call_now(call);
    int worst = 0;
    for (int i = 0; i < w->n_urls; i++) {
        w->method = method;
        w->body = body;
        w->has_body = has_body;
        w->posts = posts;
        code = get(w, w->urls[i]);
        if (code == 130)
            return code;
        worst = code && (!worst || code < worst) ? code : worst;
    }
    if (w->n_urls > 1 && w->n_saved && !w->spider)
        tell(w,
             "FINISHED --%s--\nTotal wall clock time: %lld.%llds\nDownloaded: %d files, %lld in "
             "%lld.%llds (100 MB/s)\n",
             clock_text(w), (long long)((call_now(call) - began_ns) / SECOND),
             (long long)((call_now(call) - began_ns) % SECOND / (SECOND / 10)), w->n_saved,
             (long long)w->bytes_saved, (long long)(w->ns_saved / SECOND),
             (long long)(w->ns_saved % SECOND / (SECOND / 10)));
    return worst;
}

static const char *const commands[] = {"wget", NULL};

const struct fake fake_wget = {.name = "wget", .commands = commands, .run = run};
