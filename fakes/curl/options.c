#include "fakes/curl/options.h"

#include <string.h>
#include <strings.h>

#include "sim/base/doc.h"

enum { URLS_MAX = 64, WARNING_WIDTH = 69 };

struct parse {
    struct call *call;
    struct curl_options *ret;
    struct curl_operation *now;
    struct buf *body; /* of the operation now read */
    int i;            /* word now read */
    int outputs, uploads;
};

void curl_warn(struct call *call, const struct curl_options *options, const char *format, ...)
{
    if (options->silent)
        return;
    va_list args;
    va_start(args, format);
    struct str text = str_of(arena_vprintf(call->arena, format, args));
    va_end(args);
    while (text.len > WARNING_WIDTH) {
        size_t cut = WARNING_WIDTH - 1;
        while (cut > 0 && text.at[cut] != ' ')
            cut--;
        cut = cut ? cut + 1 : WARNING_WIDTH;
        call_err(call, "Warning: %.*s\n", (int)cut, text.at);
        text = (struct str){text.at + cut, text.len - cut};
    }
    call_err(call, "Warning: %.*s\n", STR_ARG(text));
}

static void release_body(void *ctx)
{
    buf_release(ctx);
}

static void begin_operation(struct parse *p)
{
    struct arena *arena = p->call->arena;
    struct curl_operation *operation = ARENA_NEW(arena, struct curl_operation),
                          **last = &p->ret->first;
    *operation = (struct curl_operation){.max_redirects = 50};
    operation->urls = ARENA_ARRAY(arena, struct curl_url, p->call->argc + 1);
    operation->headers = ARENA_ARRAY(arena, struct http_header, p->call->argc + 3);
    while (*last)
        last = &(*last)->next;
    *last = operation;
    p->now = operation;
    p->outputs = p->uploads = 0;
    p->body = ARENA_NEW(arena, struct buf);
    buf_init(p->body, CURL_BODY_MAX);
    call_defer(p->call, release_body, p->body);
}

static void add_header(struct curl_operation *o, struct arena *arena, const char *line)
{
    struct str rest = str_of(line), name = str_cut(&rest, ':');
    bool bare = strchr(line, ':') == NULL && name.len &&
                name.at[name.len - 1] == ';'; /* "Name;": sent, and empty */
    if (bare)
        name.len--;
    else if (!strchr(line, ':'))
        return;
    o->headers[o->n_headers++] = (struct http_header){
        arena_str(arena, str_trim(name)), bare ? " " : arena_str(arena, str_trim(rest))};
}

static bool has_header(const struct curl_operation *o, const char *name)
{
    for (int i = 0; i < o->n_headers; i++) {
        if (strcasecmp(o->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static int give_up(struct parse *p, const char *shown, const char *what)
{
    call_err(
        p->call,
        "curl: option %s: %s\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        shown, what);
    return CURL_USAGE;
}

/* "5", "2.5" seconds; false if it is no number. */
static bool seconds(const char *text, int64_t *ret_ns)
{
    struct str rest = str_of(text), whole = str_cut(&rest, '.');
    int64_t s = 0, fraction = 0, scale = SECOND;
    if ((whole.len && !str_int64(whole, &s)) || s < 0 || s > 1000000 || (!whole.len && !rest.len))
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

static int take_number(struct parse *p, const char *name, const char *value, const char *shown)
{
    struct curl_operation *o = p->now;
    int64_t number = 0;
    if (strcmp(name, "retry") == 0 || strcmp(name, "max-redirs") == 0) {
        int64_t least = *name == 'm' ? -1 : 0;
        if (!str_int64(str_of(value), &number))
            return give_up(p, shown, "expected a proper numerical parameter");
        if (number < least)
            return give_up(p, shown, "expected a positive numerical parameter");
        *(*name == 'm' ? &o->max_redirects : &o->retries) =
            (int)(number < 1000000 ? number : 1000000);
        return 0;
    }
    if (!seconds(value, &number))
        return give_up(p, shown,
                       value[0] == '-' ? "expected a positive numerical parameter"
                                       : "expected a proper numerical parameter");
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

/* "@file" and "@-" of --write-out; line ends of a file are dropped, as for -d. */
static int take_format(struct parse *p, const char *value, const char *shown)
{
    p->now->write_out = value;
    if (value[0] != '@')
        return 0;
    struct buf file, text;
    buf_init(&file, 1 << 20);
    buf_init(&text, 1 << 20);
    int code = strcmp(value, "@-") == 0 ? call_read_all(p->call, 0, &file)
                                        : call_load(p->call, value + 1, &file);
    for (size_t i = 0; code >= 0 && i < file.len; i++) {
        if (file.at[i] != '\r' && file.at[i] != '\n')
            buf_putc(&text, file.at[i]);
    }
    p->now->write_out = arena_str(p->call->arena, buf_text(&text));
    buf_release(&file);
    buf_release(&text);
    return code < 0 ? (give_up(p, shown, "error encountered when reading a file"), 26) : 0;
}

static int take_form(struct parse *p, const char *name, const char *value, const char *shown)
{
    const char *why = NULL;
    bool added = curl_add_part(p->call, p->body, value, strcmp(name, "form-string") == 0, &why);
    if (why) {
        curl_warn(p->call, p->ret, "%s", why);
        return give_up(p, shown, "is badly used here");
    }
    p->now->form = true;
    p->now->form_missing |= !added;
    return 0;
}

static struct curl_url *url_without(struct parse *p, int *n)
{
    struct curl_operation *o = p->now;
    return &o->urls[*n < p->call->argc ? (*n)++ : *n];
}

static int take_value(struct parse *p, const char *name, const char *value, const char *shown)
{
    struct curl_operation *o = p->now;
    const struct {
        const char *name, **to;
    } texts[] = {
        {"request", &o->method},        {"user", &o->user},
        {"oauth2-bearer", &o->bearer},  {"user-agent", &o->agent},
        {"referer", &o->referer},       {"cookie", &o->cookie},
        {"range", &o->range},           {"proxy", &o->proxy},
        {"proxy-user", &o->proxy_user}, {"dump-header", &o->dump_header},
        {"output-dir", &o->output_dir}, {"request-target", &o->request_target},
        {"stderr", &p->ret->errors},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].to = value;
            return 0;
        }
    }
    if (strcmp(name, "header") == 0) {
        add_header(o, p->call->arena, value);
    } else if (strncmp(name, "data", 4) == 0 || strcmp(name, "json") == 0) {
        curl_add_data(p->call, p->ret, p->body, o->has_body, name, value);
        o->has_body = true;
        o->json = o->json || *name == 'j';
    } else if (strcmp(name, "url-query") == 0) {
        struct buf query;
        buf_init(&query, CURL_BODY_MAX);
        buf_puts(&query, o->query ? o->query : "");
        curl_add_data(p->call, p->ret, &query, o->query != NULL, "data-urlencode", value);
        o->query = arena_str(p->call->arena, buf_text(&query));
        buf_release(&query);
    } else if (strcmp(name, "output") == 0) {
        struct curl_url *url = url_without(p, &p->outputs);
        url->output = value;
        url->remote_name = false;
    } else if (strcmp(name, "write-out") == 0) {
        return take_format(p, value, shown);
    } else if (strcmp(name, "url") == 0) {
        o->urls[o->n_urls++].url = value;
    } else if (strcmp(name, "upload-file") == 0) {
        url_without(p, &p->uploads)->upload = value;
    } else if (strncmp(name, "form", 4) == 0) {
        return take_form(p, name, value, shown);
    } else if (strcmp(name, "resolve") == 0) {
        if (o->n_resolve < 8)
            o->resolve[o->n_resolve++] = value;
    } else if (strcmp(name, "connect-to") == 0) {
        if (o->n_connect_to < 8)
            o->connect_to[o->n_connect_to++] = value;
    } else {
        return take_number(p, name, value, shown);
    }
    return 0;
}

static int take_flag(struct parse *p, const char *name, bool on)
{
    struct curl_options *all = p->ret;
    struct curl_operation *o = p->now;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"fail", &o->fail},
        {"silent", &all->silent},
        {"show-error", &all->show_error},
        {"head", &o->head},
        {"include", &o->include},
        {"location", &o->follow},
        {"verbose", &all->verbose},
        {"get", &o->get},
        {"fail-with-body", &o->fail_with_body},
        {"fail-early", &all->fail_early},
        {"parallel", &all->parallel},
        {"globoff", &o->globoff},
        {"path-as-is", &o->path_as_is},
        {"compressed", &o->compressed},
        {"create-dirs", &o->create_dirs},
        {"post301", &o->keep_post[0]},
        {"post302", &o->keep_post[1]},
        {"post303", &o->keep_post[2]},
        {"progress-bar", &all->bar},
        {"no-progress-meter", &all->no_meter},
        {"http1.0", &o->http10},
        {"retry-connrefused", &o->retry_connrefused},
        {"retry-all-errors", &o->retry_all_errors},
        {"remote-name-all", &o->remote_name_all},
        {"insecure", &o->insecure},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(name, flags[i].name) == 0)
            *flags[i].flag = on;
    }
    if (strcmp(name, "remote-name") == 0) {
        struct curl_url *url = url_without(p, &p->outputs);
        url->remote_name = true;
        url->output = NULL;
    } else if (strcmp(name, "version") == 0) {
        call_out(p->call,
                 "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\nRelease-Date: 2023-02-20\n"
                 "Protocols: http https\nFeatures: HTTPS-proxy IPv6 SSL\n");
        all->done = true;
    } else if (strcmp(name, "help") == 0) {
        call_out(p->call, "Usage: curl [options...] <url>\n");
        all->done = true;
    }
    return 0;
}

static void next_operation(struct parse *p)
{
    if (p->now->n_urls)
        begin_operation(p);
}

/* The option of that name, or the only one that begins with it. */
static const struct curl_known *find_long(struct str name, bool *ret_ambiguous)
{
    const struct curl_known *found = NULL;
    int n = 0;
    for (const struct curl_known *k = curl_known; k->name; k++) {
        if (str_is(name, k->name))
            return k;
        if (name.len && strncmp(k->name, name.at, name.len) == 0) {
            found = k;
            n++;
        }
    }
    *ret_ambiguous = n > 1;
    return n == 1 ? found : NULL;
}

static const struct curl_known *find_letter(char letter)
{
    for (const struct curl_known *k = curl_known; k->name; k++) {
        if (k->letter == letter)
            return k;
    }
    return NULL;
}

/* Takes one option; `attached` is the rest of its word ("-XPOST"). */
static int take(struct parse *p, const struct curl_known *k, const char *shown,
                const char *attached, bool on)
{
    const char *value = attached;
    bool takes =
        k->kind == CURL_VALUE || k->kind == CURL_IGNORED_VALUE || k->kind == CURL_REFUSED_VALUE;
    if (takes && !value) {
        if (p->i + 1 >= p->call->argc)
            return give_up(p, shown, "requires parameter");
        value = p->call->argv[++p->i];
    }
    switch (k->kind) {
    case CURL_FLAG:
        return take_flag(p, k->name, on);
    case CURL_VALUE:
        return take_value(p, k->name, value, shown);
    case CURL_REFUSED:
    case CURL_REFUSED_VALUE:
        record_observe(p->call->env->record, "not_simulated", k->name, "curl --%s is not simulated",
                       k->name);
        return give_up(p, shown, "the installed libcurl version doesn't support this");
    default:
        return 0;
    }
}

static int take_long(struct parse *p, const char *word)
{
    bool ambiguous = false, on = true;
    struct str name = str_of(word + 2);
    const struct curl_known *k = find_long(name, &ambiguous);
    if (!k && !ambiguous && str_starts(name, "no-")) {
        k = find_long((struct str){name.at + 3, name.len - 3}, &ambiguous);
        on = false;
        if (k && k->kind != CURL_FLAG && k->kind != CURL_IGNORED && k->kind != CURL_REFUSED)
            k = NULL;
    }
    if (!k)
        return give_up(p, word, ambiguous ? "is ambiguous" : "is unknown");
    if (strcmp(k->name, "next") == 0) {
        next_operation(p);
        return 0;
    }
    return take(p, k, word, NULL, on);
}

static int take_letters(struct parse *p, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const struct curl_known *k = find_letter(*c);
        const char *shown = arena_printf(p->call->arena, "-%c", *c);
        if (*c == ':') {
            next_operation(p);
            continue;
        }
        if (!k)
            return give_up(p, shown, "is unknown");
        bool takes =
            k->kind == CURL_VALUE || k->kind == CURL_IGNORED_VALUE || k->kind == CURL_REFUSED_VALUE;
        int code = take(p, k, shown, takes && c[1] ? c + 1 : NULL, true);
        if (code != 0 || takes)
            return code;
    }
    return 0;
}

static int only_one_request(struct parse *p, const char *a, const char *b)
{
    curl_warn(p->call, p->ret,
              "You can only select one HTTP request method! You asked for both %s and %s.", a, b);
    return CURL_USAGE;
}

/* What follows from all options of an operation together. */
static int finish(struct parse *p, struct curl_operation *o, struct buf *body)
{
    struct arena *arena = p->call->arena;
    bool posts = o->has_body && !o->get, uploads = false;
    for (int i = 0; i < o->n_urls; i++)
        uploads |= o->urls[i].upload != NULL;
    if (o->form && o->has_body)
        return only_one_request(p, "POST (-d, --data)", "multipart formpost (-F, --form)");
    if (o->head && (posts || o->form))
        return only_one_request(p, posts ? "POST (-d, --data)" : "multipart formpost (-F, --form)",
                                "HEAD (-I, --head)");
    if (uploads && (posts || o->form))
        return only_one_request(p, "PUT (-T, --upload-file)",
                                posts ? "POST (-d, --data)" : "multipart formpost (-F, --form)");
    o->body = (struct str){arena_str(arena, buf_text(body)), body->len};
    if (o->json) {
        if (!has_header(o, "Content-Type"))
            add_header(o, arena, "Content-Type: application/json");
        if (!has_header(o, "Accept"))
            add_header(o, arena, "Accept: application/json");
    }
    if (o->form) {
        o->form_type =
            str_of(arena_printf(arena, "multipart/form-data; boundary=%s", curl_boundary));
        o->body = str_of(arena_printf(arena, "%.*s--%s--\r\n", STR_ARG(o->body), curl_boundary));
    }
    return 0;
}

static int read_words(struct parse *p)
{
    bool only_urls = false;
    for (p->i = 1; p->i < p->call->argc; p->i++) {
        const char *word = p->call->argv[p->i];
        struct curl_operation *before = p->now;
        struct buf *body = p->body;
        int code = 0;
        if (!only_urls && strcmp(word, "--") == 0)
            only_urls = true;
        else if (!only_urls && word[0] == '-' && word[1] == '-')
            code = take_long(p, word);
        else if (!only_urls && word[0] == '-' && word[1])
            code = take_letters(p, word);
        else
            p->now->urls[p->now->n_urls++].url = word;
        if (code == 0 && p->now != before)
            code = finish(p, before, body);
        if (code != 0 || p->ret->done)
            return code;
    }
    return p->now->n_urls ? finish(p, p->now, p->body) : 0;
}

int curl_no_url(struct call *call)
{
    call_err(call, "%scurl: try 'curl --help' or 'curl --manual' for more information\n",
             call->argc > 1 ? "curl: no URL specified!\n" : "");
    return CURL_USAGE;
}

int curl_options_parse(struct call *call, struct curl_options *ret)
{
    struct parse *p = ARENA_NEW(call->arena, struct parse);
    *ret = (struct curl_options){0};
    *p = (struct parse){.call = call, .ret = ret};
    begin_operation(p);
    int code = read_words(p);
    if (code != 0 || ret->done)
        return code;
    return ret->first->n_urls ? 0 : curl_no_url(call);
}
