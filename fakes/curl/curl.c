/* curl 7.88 as Debian 12 has it: one operation and one URL after another, retries, output, exit
 * status. */
#include <ctype.h>
#include <string.h>

#include "fakes/curl/transfer.h"
#include "fakes/fake.h"
#include "sim/base/doc.h"

/* Nobody looks at the status: not curl, which ends with 0, and not whoever reads its output. */
static void note_unseen_error(const struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    struct record *record = t->session->call->env->record;
    if (t->response.status < 400 || o->fail || o->fail_with_body || o->write_out || o->include ||
        o->head || o->dump_header || t->session->options->verbose || !record_step_current(record))
        return;
    struct str rest = buf_text(&t->response.body), line = str_cut(&rest, '\n');
    record_observe(record, "silent_failure", arena_str(&record->arena, line),
                   "curl ended with status 0 although the server answered %d %s: without --fail it "
                   "does not tell",
                   t->response.status, http_reason(t->response.status));
}

static void make_folders(struct call *call, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
        call_mkdir(call, arena_printf(call->arena, "%.*s", (int)(slash - path), path), 0750);
}

/* A file that cannot be made is curl's error 23, behind a warning. */
static void save(struct curl_transfer *t, const char *path, struct str content)
{
    struct curl_session *s = t->session;
    if (t->operation->create_dirs)
        make_folders(s->call, path);
    int code = call_save(s->call, path, content.at ? content.at : "", content.len, 0644);
    if (code >= 0)
        return;
    if (!s->options->silent) /* on the meter's line, as in reality: the meter is drawn around it */
        curl_say(s, "Warning: Failed to open the file %s: %s\n", path, strerror(-code));
    curl_fail(t, 23, "Failure writing output to destination");
}

static void write_body(struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    struct curl_session *s = t->session;
    struct buf out;
    bool to_file = t->output != NULL;
    if (o->dump_header && strcmp(o->dump_header, "-") != 0)
        save(t, o->dump_header, buf_text(&t->shown));
    buf_init(&out, CURL_BODY_MAX);
    if (o->include || o->head || (o->dump_header && strcmp(o->dump_header, "-") == 0 && !to_file))
        buf_str(&out, buf_text(&t->shown));
    if (t->body_expected)
        buf_str(&out, buf_text(&t->response.body));
    /* The call's from here on: writing may be the end of it. */
    struct str bytes = {arena_str(s->call->arena, buf_text(&out)), out.len};
    buf_release(&out);
    if (o->dump_header && strcmp(o->dump_header, "-") == 0 && to_file)
        call_write(s->call, 1, t->shown.at ? t->shown.at : "", t->shown.len);
    if (!to_file)
        call_write(s->call, 1, bytes.at, bytes.len);
    else if (bytes.len || t->exit_code == 0)
        save(t, t->output, bytes);
    note_unseen_error(t);
}

/* ---- retries: src/tool_operate.c, post_per_transfer ---- */

static const char *retry_reason(const struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    int status = t->answered ? t->response.status : 0;
    if (t->exit_code == 28 || t->exit_code == 6 || t->exit_code == 5)
        return ": timeout";
    if (t->exit_code == 7 && o->retry_connrefused)
        return ": connection refused";
    if (status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
        status == 504)
        return ": HTTP error";
    return o->retry_all_errors && t->exit_code != 0 ? "(retrying all errors)" : NULL;
}

static void finish_try(struct curl_transfer *t)
{
    const struct curl_options *options = t->session->options;
    if (t->exit_code != 0 && t->exit_code != 130 && (!options->silent || options->show_error))
        curl_say(t->session, "curl: (%d) %s\n", t->exit_code, t->error);
}

static void transfer(struct curl_transfer *t)
{
    const struct curl_operation *o = t->operation;
    struct call *call = t->session->call;
    int64_t pause_ns = o->retry_delay_ns ? o->retry_delay_ns : SECOND, first_ns = call_now(call),
            after = 0;
    struct str body = t->body;
    const char *upload = t->upload;
    struct curl_place place = t->place;
    for (int left = o->retries;; left--) {
        t->operation = o;
        t->body = body;
        t->upload = upload;
        t->place = place;
        t->started_ns = call_now(call);
        curl_meter_begin(t, left < o->retries);
        curl_fetch(t);
        finish_try(t);
        const char *reason = left > 0 && t->exit_code != 130 ? retry_reason(t) : NULL;
        const char *asked =
            reason && t->answered ? http_response_header(&t->response, "Retry-After") : NULL;
        int64_t wait_ns =
            asked && !o->retry_delay_ns && str_int64(str_of(asked), &after) && after > 0
                ? after * SECOND
                : pause_ns;
        if (!reason ||
            (o->retry_max_time_ns > 0 && call_now(call) - first_ns >= o->retry_max_time_ns))
            return;
        curl_warn(call, t->session->options,
                  "Problem %s. Will retry in %lld seconds. %d retries left.", reason,
                  (long long)(wait_ns / SECOND), left);
        if (call_sleep(call, wait_ns)) {
            t->exit_code = 130;
            return;
        }
        if (!o->retry_delay_ns && pause_ns < 10 * MINUTE)
            pause_ns *= 2;
    }
}

/* ---- URLs ---- */

/* "#1" of an output name is what the first glob was. */
static const char *output_name(struct arena *arena, const char *pattern,
                               const struct curl_match *match)
{
    struct buf name;
    int n = 0;
    while (match->parts[n])
        n++;
    buf_init(&name, 1 << 16);
    for (const char *p = pattern; *p; p++) {
        int which = *p == '#' ? leading_int(p + 1) : 0;
        if (which < 1 || which > n) {
            buf_putc(&name, *p);
            continue;
        }
        buf_puts(&name, match->parts[which - 1]);
        p += strspn(p + 1, "0123456789");
    }
    const char *text = arena_str(arena, buf_text(&name));
    buf_release(&name);
    return text;
}

/* Where the body goes; false: -O, and the URL names no file. */
static bool choose_output(struct curl_transfer *t, const struct curl_url *url,
                          const struct curl_match *match)
{
    struct arena *arena = t->session->call->arena;
    const struct curl_operation *o = t->operation;
    t->output = NULL;
    if (url->remote_name || (o->remote_name_all && !url->output)) {
        const char *end = strpbrk(t->place.target, "?#"), *slash = t->place.target;
        for (const char *p = slash; *p && p != end; p++)
            slash = *p == '/' ? p : slash;
        t->output = arena_printf(arena, "%.*s",
                                 end ? (int)(end - slash - 1) : (int)strlen(slash + 1), slash + 1);
        if (!t->output[0])
            return false;
    } else if (url->output && strcmp(url->output, "-") != 0) {
        t->output = output_name(arena, url->output, match);
    }
    if (t->output && o->output_dir && t->output[0] != '/')
        t->output = arena_printf(arena, "%s/%s", o->output_dir, t->output);
    return true;
}

/* --upload-file: the body, and its name behind a URL that ends in a slash. */
static bool load_upload(struct curl_transfer *t, const char *name)
{
    struct call *call = t->session->call;
    struct buf file;
    buf_init(&file, CURL_BODY_MAX);
    int code = strcmp(name, "-") == 0 || strcmp(name, ".") == 0 ? call_read_all(call, 0, &file)
                                                                : call_load(call, name, &file);
    if (code >= 0)
        t->body = (struct str){arena_str(call->arena, buf_text(&file)), file.len};
    buf_release(&file);
    t->upload = name;
    size_t n = strlen(t->place.target);
    if (code >= 0 && t->place.target[n - 1] == '/' && strcmp(name, "-") != 0) {
        const char *base = strrchr(name, '/');
        curl_parse_url(call->arena,
                       arena_printf(call->arena, "%s%s", t->place.text, base ? base + 1 : name),
                       true, &t->place);
    }
    return code >= 0;
}

/* libcurl's URL functions write the codes of a query that is added in small letters: %7b. */
static const char *in_small_letters(struct arena *arena, const char *query)
{
    char *text = query ? arena_strdup(arena, query) : NULL;
    for (char *p = text; p && *p; p++) {
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            p[1] = (char)tolower((unsigned char)p[1]);
            p[2] = (char)tolower((unsigned char)p[2]);
        }
    }
    return text;
}

static void one_url(struct curl_transfer *t, const struct curl_url *url,
                    const struct curl_match *match)
{
    const struct curl_operation *o = t->operation;
    struct call *call = t->session->call;
    const char *text = match->url;
    const char *query = o->get && o->has_body ? o->body.at : NULL;
    for (int i = 0; i < 2; i++) {
        const char *more = in_small_letters(call->arena, i ? o->query : query);
        if (more && *more) {
            size_t part = strcspn(text, "#");
            text = arena_printf(call->arena, "%.*s%c%s%s", (int)part, text,
                                memchr(text, '?', part) ? '&' : '?', more, text + part);
        }
    }
    t->given = text;
    t->exit_code = 0;
    t->error = NULL;
    t->place = (struct curl_place){0};
    t->method = "GET";
    t->upload = NULL;
    t->answered = false;
    t->body = (o->has_body && !o->get) || o->form
                  ? (struct str){o->body.at ? o->body.at : "", o->body.len}
                  : (struct str){0};
    if (!curl_parse_url(call->arena, text, o->path_as_is, &t->place)) {
        curl_fail(t, 3, "URL using bad/illegal format or missing URL");
        finish_try(t);
    } else if (!choose_output(t, url, match)) {
        curl_say(t->session, "%s",
                 t->session->options->silent ? "" : "curl: Remote file name has no length!\n");
        curl_fail(t, 23, "Failed writing received data to disk/application");
        finish_try(t);
    } else if (o->form_missing) {
        curl_fail(t, 26, "Failed to open/read local data from file/application");
        finish_try(t);
    } else if (url->upload && !load_upload(t, url->upload)) {
        curl_say(t->session,
                 "curl: Can't open '%s'!\ncurl: try 'curl --help' or 'curl --manual' for more "
                 "information\n",
                 url->upload);
        curl_fail(t, 26, "Failed to open/read local data from file/application");
        finish_try(t);
        return;
    } else {
        transfer(t);
    }
    if (t->exit_code != 130)
        curl_write_out(t);
}

static bool goes_on(const struct curl_transfer *t)
{
    return t->exit_code != 130 && !(t->exit_code && t->session->options->fail_early);
}

static void run_operation(struct curl_transfer *t, const struct curl_operation *o)
{
    struct arena *arena = t->session->call->arena;
    for (int i = 0; i < o->n_urls && goes_on(t); i++) {
        const char *none[] = {NULL}, *why = NULL;
        struct curl_match whole = {o->urls[i].url, none}, *matches = &whole;
        int n = 1;
        t->operation = o;
        if (!o->globoff && !curl_glob(arena, o->urls[i].url, &matches, &n, &why)) {
            curl_fail(t, 3, "%s", why);
            finish_try(t);
            return;
        }
        for (int k = 0; k < n && goes_on(t); k++) {
            t->operation = o;
            one_url(t, &o->urls[i], &matches[k]);
            t->number++;
        }
    }
}

static void release_transfer(void *ctx)
{
    struct curl_transfer *t = ctx;
    buf_release(&t->response.body);
    buf_release(&t->shown);
}

static int run(struct call *call)
{
    struct curl_options *options = ARENA_NEW(call->arena, struct curl_options);
    int code = curl_options_parse(call, options);
    if (code != 0 || options->done)
        return code;
    struct curl_session *session = ARENA_NEW(call->arena, struct curl_session);
    struct curl_transfer *t = ARENA_NEW(call->arena, struct curl_transfer);
    *session = (struct curl_session){.call = call, .options = options};
    *t = (struct curl_transfer){.session = session, .write = write_body};
    buf_init(&t->response.body, CURL_BODY_MAX);
    buf_init(&t->shown, CURL_BODY_MAX);
    call_defer(call, release_transfer, t);
    if (options->errors && strcmp(options->errors, "-") != 0)
        call_save(call, options->errors, "", 0, 0644);
    for (const struct curl_operation *o = options->first; o && goes_on(t); o = o->next) {
        if (o->n_urls == 0)
            return curl_no_url(call);
        run_operation(t, o);
    }
    return t->exit_code;
}

static const char *const commands[] = {"curl", NULL};
const struct fake fake_curl = {.name = "curl", .commands = commands, .run = run};
