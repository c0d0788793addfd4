/* curl and wget against one small server, as the real programs of Debian 12 (curl 7.88.1,
 * wget 1.21.3) spoke and ended.
 *
 * The server is one function. `test_http_real --real CASES` carries it on sockets of the loopback
 * interface, runs the real programs against it and prints what they said; ci/check-real keeps that
 * as tests/data/http/transcript.txt. Without arguments the same function answers the fakes, whose
 * output must be the same once times and speeds are taken out.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakes/http.h"
#include "procedures/drill/model_load.h"
#include "sim/base/xalloc.h"
#include "tests/call_double.h"

enum { PORT = 8080, REFUSED = 8081, DROPPED = 8082, TEXT_MAX = 4 << 20 };

static const struct {
    const char *name, *content;
} inputs[] = {{"body.txt", "one\ntwo\n"},
              {"body.json", "{\"a\": 1}\n"},
              {"list.txt", "http://localhost:8080/a\n"},
              {"there.txt", "before\n"}};

/* ---- the server ---- */

struct counters {
    int flaky, after;
};

static void say(struct http_response *response, int status, const char *type, const char *body)
{
    response->status = status;
    http_header(response, "Content-Type", type);
    buf_puts(&response->body, body);
}

static void move(struct http_response *response, int status, const char *to)
{
    response->status = status;
    http_header(response, "Location", to);
    buf_puts(&response->body, "moved\n");
}

static void echo(const struct http_request *request, struct http_response *response)
{
    say(response, 200, "text/plain", "");
    buf_printf(&response->body, "%s %s\n", request->method, request->target);
    for (int i = 0; i < request->n_headers; i++)
        buf_printf(&response->body, "%s: %s\n", request->headers[i].name,
                   request->headers[i].value);
    buf_printf(&response->body, "[%.*s]\n", STR_ARG(request->body));
}

static int answer(struct env *env, const struct http_request *request,
                  struct http_response *response, void *ctx)
{
    struct counters *counters = ctx;
    struct str rest = str_of(request->target), path = str_cut(&rest, '?');
    int64_t number = 0;
    (void)env;
    response->status = 200;
    if (str_is(path, "/empty"))
        return HTTP_CLOSED;
    if (str_is(path, "/reset"))
        return HTTP_RESET;
    if (str_starts(path, "/status/") &&
        str_int64((struct str){path.at + 8, path.len - 8}, &number)) {
        say(response, (int)number, "text/plain", number == 204 || number == 304 ? "" : "a body\n");
    } else if (str_is(path, "/slow")) {
        response->latency_ns = 3 * SECOND;
        say(response, 200, "text/plain", "late\n");
    } else if (str_is(path, "/flaky")) {
        if (counters->flaky++ % 3 < 2)
            say(response, 503, "text/plain", "busy\n");
        else
            say(response, 200, "text/plain", "well\n");
    } else if (str_is(path, "/after")) {
        http_header(response, "Retry-After", "2");
        say(response, counters->after++ % 2 ? 200 : 429, "text/plain", "wait\n");
    } else if (str_starts(path, "/move/")) {
        str_int64((struct str){path.at + 6, path.len - 6}, &number);
        move(response, (int)number, "/echo");
    } else if (str_is(path, "/loop")) {
        move(response, 302, "/loop");
    } else if (str_is(path, "/away")) {
        move(response, 302, "http://localhost:8081/");
    } else if (str_is(path, "/no-newline")) {
        say(response, 200, "application/json", "{\"status\":\"ok\"}");
    } else if (str_is(path, "/nothing")) {
        say(response, 200, "text/plain", "");
    } else if (str_is(path, "/large")) {
        say(response, 200, "application/octet-stream", "");
        for (int i = 0; i < 5000; i++)
            buf_puts(&response->body, "twenty-two bytes long.");
    } else if (str_starts(path, "/echo")) {
        echo(request, response);
    } else if (str_starts(path, "/file")) {
        say(response, 200, "text/plain", "contents\n");
    } else {
        say(response, 404, "application/json", "{\"error\":\"not found\"}\n");
    }
    return 0;
}

/* ---- the server on a socket ---- */

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 204:
        return "No Content";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    case 307:
        return "Temporary Redirect";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Unknown";
    }
}

/* Reads one request; false: the peer is gone, or speaks something else. */
static bool read_request(int fd, struct arena *arena, struct http_request *ret)
{
    char *bytes = arena_alloc(arena, 1 << 16);
    size_t n = 0, length = 0;
    char *end = NULL;
    while (!end) {
        ssize_t got = read(fd, bytes + n, (1 << 16) - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        bytes[n] = '\0';
        if ((unsigned char)bytes[0] == 0x16)
            return false; /* TLS */
        end = strstr(bytes, "\r\n\r\n");
    }
    struct str text = {bytes, (size_t)(end - bytes) + 2}, line = str_trim(str_cut(&text, '\n'));
    struct http_header *headers = ARENA_ARRAY(arena, struct http_header, 64);
    *ret = (struct http_request){
        .method = arena_str(arena, str_cut(&line, ' ')), .place = "", .headers = headers};
    ret->target = arena_str(arena, str_cut(&line, ' '));
    while (text.len && ret->n_headers < 64) {
        struct str value = str_trim(str_cut(&text, '\n')), name = str_cut(&value, ':');
        headers[ret->n_headers++] =
            (struct http_header){arena_str(arena, name), arena_str(arena, str_trim(value))};
        if (strcasecmp(headers[ret->n_headers - 1].name, "Content-Length") == 0)
            length = (size_t)strtoull(headers[ret->n_headers - 1].value, NULL, 10);
        if (strcasecmp(headers[ret->n_headers - 1].name, "Expect") == 0 &&
            write(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0)
            return false;
    }
    size_t head = (size_t)(end - bytes) + 4;
    while (n - head < length) {
        ssize_t got = read(fd, bytes + n, (1 << 16) - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    ret->body = (struct str){bytes + head, length};
    return true;
}

static void serve_connection(int fd, struct counters *counters)
{
    for (;;) {
        struct arena arena = {0};
        struct http_request request;
        struct http_response response = {.arena = &arena};
        struct buf wire;
        buf_init(&response.body, TEXT_MAX);
        buf_init(&wire, TEXT_MAX);
        if (!read_request(fd, &arena, &request)) {
            if (write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) < 0)
                exit(0);
            exit(0);
        }
        int failure = answer(NULL, &request, &response, counters);
        if (failure == HTTP_RESET) {
            struct linger linger = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        if (failure)
            exit(0);
        usleep((useconds_t)(response.latency_ns / MICROSECOND));
        buf_printf(&wire, "HTTP/1.1 %d %s\r\n", response.status, reason_of(response.status));
        for (int i = 0; i < response.n_headers; i++)
            buf_printf(&wire, "%s: %s\r\n", response.headers[i].name, response.headers[i].value);
        if (response.status != 204 && response.status != 304)
            buf_printf(&wire, "Content-Length: %zu\r\n", response.body.len);
        buf_puts(&wire, "\r\n");
        if (strcmp(request.method, "HEAD") != 0)
            buf_str(&wire, buf_text(&response.body));
        if (write(fd, wire.at, wire.len) < 0)
            exit(0);
        buf_release(&wire);
        buf_release(&response.body);
        arena_release(&arena);
    }
}

static int listen_at(int port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, backlog) < 0) {
        fprintf(stderr, "port %d is taken\n", port);
        exit(1);
    }
    return fd;
}

/* A process that serves PORT until it is killed; DROPPED is a full queue that nobody empties. */
static pid_t start_server(void)
{
    int fd = listen_at(PORT, 64), full = listen_at(DROPPED, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(DROPPED), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (int i = 0; i < 2; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (connect(filler, (struct sockaddr *)&address, sizeof address) < 0)
            usleep(1000);
    }
    struct counters *counters =
        mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t server = fork();
    if (server == 0) {
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int peer = accept(fd, NULL, NULL);
            if (peer >= 0 && fork() == 0)
                serve_connection(peer, counters);
            close(peer);
        }
    }
    close(fd);
    (void)full; /* stays open in this process as well */
    return server;
}

/* ---- one case, real or simulated ---- */

struct told {
    struct buf out, err;
    struct buf files; /* what lies in the folder afterwards and did not before */
    int status;
};

static void read_fd(int fd, struct buf *to)
{
    char bytes[4096];
    ssize_t n;
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(to, bytes, (size_t)n);
    close(fd);
}

static void add_file(struct buf *to, const char *name, struct str content)
{
    if (content.len > 2000)
        buf_printf(to, "%s: %zu bytes\n", name, content.len);
    else
        buf_printf(to, "%s: %.*s%s", name, STR_ARG(content),
                   content.len && content.at[content.len - 1] == '\n' ? "" : "\\\n");
}

static bool is_input(const char *name, struct str content)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (strcmp(inputs[i].name, name) == 0)
            return str_is(content, inputs[i].content);
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void run_real(char **argv, struct told *told)
{
    char folder[] = "/tmp/http_real_XXXXXX";
    struct arena arena = {0};
    if (!mkdtemp(folder) || chdir(folder) < 0)
        exit(1);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        FILE *file = fopen(inputs[i].name, "w");
        fputs(inputs[i].content, file);
        fclose(file);
    }
    int out = open("../http_real.out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = open("../http_real.err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status;
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDONLY);
        setenv("HOME", "/nonexistent", 1);
        setenv("LC_ALL", "C", 1);
        dup2(null, 0);
        dup2(out, 1);
        dup2(err, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    waitpid(child, &status, 0);
    told->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_fd(out, &told->out);
    read_fd(err, &told->err);
    DIR *dir = opendir(".");
    const char *names[64];
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir)) && n < 64;)
        if (entry->d_name[0] != '.')
            names[n++] = arena_strdup(&arena, entry->d_name);
    closedir(dir);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 0; i < n; i++) {
        struct buf content;
        buf_init(&content, TEXT_MAX);
        if (buf_read_file(&content, names[i]) == 0 && !is_input(names[i], buf_text(&content)))
            add_file(&told->files, names[i], buf_text(&content));
        buf_release(&content);
        unlink(names[i]);
    }
    if (chdir("/") < 0)
        exit(1);
    rmdir(folder);
    arena_release(&arena);
}

static void run_fake(char **argv, struct told *told)
{
    struct arena arena = {0};
    struct model model;
    struct doc *doc = NULL;
    struct error error = {""};
    struct call_double d;
    static struct counters counters; /* as the real server's, over all cases */
    model_defaults(&model);
    if (doc_read_text(
            &arena, "system.yaml",
            str_of("format: rehearse.system/1\nname: t\nservices: {a: {versions: {v1: {}}}}\n"),
            &doc, &error) < 0 ||
        model_load_system(&arena, doc, NULL, &model, &error) < 0)
        fail_msg("%s", error.text);
    struct record *record = record_new();
    struct world *world = world_new(&model, 1, record);
    double_init(&d, world, record);
    http_serve(&d.env, "localhost", PORT, answer, &counters);
    http_drop(&d.env, "localhost", DROPPED);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        double_file(&d, "", arena_printf(&arena, "/root/%s", inputs[i].name), inputs[i].content);
    told->status = double_run_argv(&d, argv);
    buf_str(&told->out, buf_text(&d.out));
    buf_str(&told->err, buf_text(&d.err));
    const char *names[64];
    int n = 0;
    for (int i = 0; i < d.n_files && n < 64; i++)
        if (strncmp(d.files[i].path, "/root/", 6) == 0 && !d.files[i].is_dir &&
            !strchr(d.files[i].path + 6, '/'))
            names[n++] = d.files[i].path + 6;
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 0; i < n; i++) {
        const char *content = double_content(&d, "", arena_printf(&arena, "/root/%s", names[i]));
        if (!is_input(names[i], str_of(content)))
            add_file(&told->files, names[i], str_of(content));
    }
    double_release(&d);
    world_free(world);
    record_free(record);
    arena_release(&arena);
}

/* ---- what is compared: times, speeds and the meter's earlier states are taken out ---- */

static bool is_clock(const char *p) /* 2025-01-15 14:00:00 */
{
    static const char form[] = "dddd-dd-dd dd:dd:dd";
    for (int i = 0; form[i]; i++) {
        if (form[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != form[i])
            return false;
    }
    return true;
}

enum {
    METER = 78,
    METER_KEPT = 33
}; /* a line of curl's meter, and its columns before speeds and times */

static bool is_meter(struct str text)
{
    return text.len >= METER && text.at[3] == ' ' && text.at[9] == ' ' &&
           text.at[METER_KEPT + 5] == ' ' && memmem(text.at, METER, ":", 1);
}

/* One line without what depends on the moment and the network. */
static void add_words(struct buf *to, struct str line)
{
    static const char *const speeds[] = {" B/s", " KB/s", " MB/s", " GB/s"};
    for (size_t i = 0; i < line.len; i++) {
        const char *p = line.at + i;
        size_t left = line.len - i, digits = 0, hex = 0;
        bool speed = false;
        while (digits < left && (isdigit((unsigned char)p[digits]) || p[digits] == '.'))
            digits++;
        for (int k = 0; digits && k < 4; k++)
            speed |= left - digits >= strlen(speeds[k]) &&
                     strncmp(p + digits, speeds[k], strlen(speeds[k])) == 0;
        if (left >= 18 && strncmp(p, "0x", 2) == 0)
            while (hex + 2 < left && isxdigit((unsigned char)p[hex + 2]))
                hex++;
        if (left >= 19 && is_clock(p)) {
            buf_puts(to, "DATE");
            i += 18;
        } else if (left > 6 && strncmp(p, "after ", 6) == 0 && isdigit((unsigned char)p[6])) {
            buf_puts(to, "after N");
            for (i += 6; i + 1 < line.len && isdigit((unsigned char)line.at[i + 1]);)
                i++;
        } else if (left > 8 && strncmp(p, "time: ", 6) == 0 && isdigit((unsigned char)p[6])) {
            buf_puts(to, "time: N");
            for (i += 6; i + 1 < line.len && line.at[i] != 's';)
                i++;
        } else if (left > 4 && strncmp(p, " in 0", 5) == 0) {
            buf_puts(to, " in N");
            for (i += 4; i + 1 < line.len && line.at[i] != 's';)
                i++;
        } else if (left >= 40 && memcmp(p, "------------------------", 24) == 0 &&
                   isxdigit((unsigned char)p[24])) {
            buf_puts(to, "BOUNDARY");
            i += 39;
        } else if (speed) {
            buf_puts(to, "SPEED");
            i += digits - 1;
            while (line.at[i] != 's')
                i++;
        } else if (hex > 6) {
            buf_puts(to, "0xN");
            i += hex + 1;
        } else if (*p == '\r') {
            buf_puts(to, "\\r");
        } else if (*p == '\\') {
            buf_puts(to, "\\\\");
        } else if (isprint((unsigned char)*p) || *p == '\t' || (unsigned char)*p >= 0x80) {
            buf_putc(to, *p);
        } else {
            buf_printf(to, "\\x%02x", (unsigned)(unsigned char)*p);
        }
    }
}

/* "     0K ....  46%  568M 0s": how fast is not compared. */
static struct str without_speed(struct str line)
{
    const char *percent = memchr(line.at, '%', line.len);
    bool dots = line.len > 10 && percent && memmem(line.at, 8, "K ", 2);
    return dots ? (struct str){line.at, (size_t)(percent - line.at) + 1} : line;
}

static void add_normal(struct buf *to, struct str text)
{
    struct str rest = text;
    while (rest.len) {
        const char *newline = memchr(rest.at, '\n', rest.len);
        struct str line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len}, meter = {0};
        rest = newline ? (struct str){newline + 1, rest.len - line.len - 1} : (struct str){0};
        while (line.len && line.at[0] == '\r' &&
               is_meter((struct str){line.at + 1, line.len - 1})) {
            meter = (struct str){line.at + 1, METER_KEPT};
            line = (struct str){line.at + 1 + METER, line.len - 1 - METER};
        }
        if (meter.len)
            buf_printf(to, "meter %.*s\n", STR_ARG(meter));
        if (meter.len && !line.len)
            continue;
        add_words(to, without_speed(line));
        buf_puts(to, newline ? "\n" : "\\\n");
    }
}

static void add_part(struct buf *to, const char *mark, const struct buf *part)
{
    struct buf normal;
    buf_init(&normal, TEXT_MAX);
    add_normal(&normal, buf_text(part));
    struct str rest = buf_text(&normal);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (line.len > 400)
            buf_printf(to, "%s%.*s... %zu\n", mark, 100, line.at, line.len);
        else
            buf_printf(to, "%s%.*s\n", mark, STR_ARG(line));
    }
    buf_release(&normal);
}

/* Words parted by blanks; '...' and "..." quote, $S is the server. */
static char **words_of(struct arena *arena, const char *line)
{
    char **words = ARENA_ARRAY(arena, char *, 64);
    int n = 0;
    while (*line && n < 63) {
        struct buf word;
        buf_init(&word, 1 << 16);
        while (*line == ' ')
            line++;
        for (char quote = '\0'; *line && (quote || *line != ' '); line++) {
            if (quote ? *line == quote : (*line == '\'' || *line == '"'))
                quote = quote ? '\0' : *line;
            else if (line[0] == '$' && line[1] == 'S') {
                buf_puts(&word, "localhost:8080");
                line++;
            } else
                buf_putc(&word, *line);
        }
        words[n++] = arena_str(arena, buf_text(&word));
        buf_release(&word);
    }
    return words;
}

static const char *told_by(struct arena *arena, const char *command,
                           void (*run)(char **, struct told *))
{
    struct told told = {.status = 0};
    struct buf text;
    buf_init(&told.out, TEXT_MAX);
    buf_init(&told.err, TEXT_MAX);
    buf_init(&told.files, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    run(words_of(arena, command), &told);
    add_part(&text, "1 ", &told.out);
    add_part(&text, "2 ", &told.err);
    add_part(&text, "F ", &told.files);
    buf_printf(&text, "[%d]\n", told.status);
    const char *result = arena_str(arena, buf_text(&text));
    buf_release(&told.out);
    buf_release(&told.err);
    buf_release(&told.files);
    buf_release(&text);
    return result;
}

static void print_real(const char *path)
{
    struct arena arena = {0};
    struct buf cases;
    buf_init(&cases, TEXT_MAX);
    if (buf_read_file(&cases, path) < 0)
        exit(1);
    pid_t server = start_server();
    struct str rest = buf_text(&cases);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!line.len || line.at[0] == '#')
            continue;
        const char *command = arena_str(&arena, line);
        printf("> %s\n%s", command, told_by(&arena, command, run_real));
        fflush(stdout);
    }
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    buf_release(&cases);
    arena_release(&arena);
}

static int compare(const char *path, FILE *out)
{
    struct arena arena = {0};
    struct buf text;
    int wrong = 0, n = 0;
    buf_init(&text, TEXT_MAX);
    if (buf_read_file(&text, path) < 0)
        fail_msg("cannot read %s", path);
    struct str rest = buf_text(&text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, "> "))
            continue;
        const char *command = arena_str(&arena, (struct str){line.at + 2, line.len - 2}),
                   *start = rest.at;
        while (rest.len && !str_starts(rest, "> "))
            str_cut(&rest, '\n');
        const char *want = arena_str(&arena, (struct str){start, (size_t)(rest.at - start)});
        const char *got = told_by(&arena, command, run_fake);
        n++;
        if (out) {
            fprintf(out, "> %s\n%s", command, got);
        } else if (strcmp(got, want) != 0) {
            print_error("> %s\n--- fake\n%s--- real\n%s", command, got, want);
            wrong++;
        }
    }
    if (n < 100)
        wrong++;
    buf_release(&text);
    arena_release(&arena);
    return wrong;
}

static void test_as_the_real_programs_said(void **state)
{
    (void)state;
    assert_int_equal(compare("tests/data/http/transcript.txt", NULL), 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--real") == 0) {
        print_real(argv[2]);
        return 0;
    }
    if (argc == 2) {
        compare(argv[1], stdout);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_the_real_programs_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
