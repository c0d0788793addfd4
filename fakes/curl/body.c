/* What a request carries: --data and its relatives, --form. */
#include <string.h>

#include "fakes/curl/options.h"
#include "sim/base/doc.h"

/* Real curl draws 16 hexadecimal digits at random. */
const char curl_boundary[] = "------------------------7264726f6c6c6261";

static int load(struct call *call, const char *name, struct buf *to)
{
    return strcmp(name, "-") == 0 ? call_read_all(call, 0, to) : call_load(call, name, to);
}

static void add_encoded(struct buf *body, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c);
        if (plain && c)
            buf_putc(body, c);
        else if (c == ' ')
            buf_putc(body, '+');
        else
            buf_printf(body, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* content, =content, name=content, @file, name@file */
static void add_urlencoded(struct call *call, const struct curl_options *options, struct buf *body,
                           const char *value)
{
    const char *mark = strpbrk(value, "=@");
    if (!mark) {
        add_encoded(body, str_of(value));
        return;
    }
    if (mark > value) {
        buf_add(body, value, (size_t)(mark - value));
        buf_putc(body, '=');
    }
    if (*mark == '=') {
        add_encoded(body, str_of(mark + 1));
        return;
    }
    struct buf file;
    buf_init(&file, CURL_BODY_MAX);
    if (load(call, mark + 1, &file) < 0)
        curl_warn(call, options, "Couldn't read data from file \"%s\", this makes an empty POST.",
                  mark + 1);
    else
        add_encoded(body, buf_text(&file));
    buf_release(&file);
}

void curl_add_data(struct call *call, const struct curl_options *options, struct buf *body,
                   bool more, const char *name, const char *value)
{
    if (more && strcmp(name, "json") != 0)
        buf_putc(body, '&');
    if (strcmp(name, "data-urlencode") == 0) {
        add_urlencoded(call, options, body, value);
        return;
    }
    if (value[0] != '@' || strcmp(name, "data-raw") == 0) {
        buf_puts(body, value);
        return;
    }
    struct buf file;
    buf_init(&file, CURL_BODY_MAX);
    if (load(call, value + 1, &file) < 0) {
        curl_warn(call, options, "Couldn't read data from file \"%s\", this makes an empty POST.",
                  value + 1);
    } else if (strcmp(name, "data") == 0 || strcmp(name, "data-ascii") == 0) {
        for (size_t i = 0; i < file.len; i++) { /* -d drops line ends and zero bytes of a file */
            if (file.at[i] != '\r' && file.at[i] != '\n' && file.at[i] != '\0')
                buf_putc(body, file.at[i]);
        }
    } else {
        buf_str(body, buf_text(&file));
    }
    buf_release(&file);
}

/* The type that curl gives a file by its name (lib/mime.c, Curl_mime_contenttype). */
static const char *type_of(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = {{".gif", "image/gif"},      {".jpg", "image/jpeg"},    {".jpeg", "image/jpeg"},
                 {".png", "image/png"},      {".svg", "image/svg+xml"}, {".txt", "text/plain"},
                 {".htm", "text/html"},      {".html", "text/html"},    {".pdf", "application/pdf"},
                 {".xml", "application/xml"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_ends(str_of(name), types[i].end))
            return types[i].type;
    }
    return "application/octet-stream";
}

/* name=text, name=@file (sent as a file), name=<file (its text); ";type=T" and ";filename=F" behind
 * them. */
bool curl_add_part(struct call *call, struct buf *body, const char *value, bool literal,
                   const char **ret_why)
{
    struct str rest = str_of(value), name = str_cut(&rest, '=');
    if (!strchr(value, '=')) {
        *ret_why = "Illegally formatted input field!";
        return false;
    }
    char mark =
        !literal && rest.len && (rest.at[0] == '@' || rest.at[0] == '<') ? rest.at[0] : '\0';
    struct str text = rest, more = {0};
    if (!literal) {
        more = rest;
        text = str_cut(&more, ';');
    }
    const char *type = NULL, *filename = NULL;
    while (more.len) {
        struct str option = str_trim(str_cut(&more, ';')), key = str_cut(&option, '=');
        if (str_is(key, "type"))
            type = arena_str(call->arena, option);
        else if (str_is(key, "filename"))
            filename = arena_str(call->arena, option);
    }
    struct buf file;
    buf_init(&file, CURL_BODY_MAX);
    buf_printf(body, "--%s\r\nContent-Disposition: form-data; name=\"%.*s\"", curl_boundary,
               STR_ARG(name));
    if (mark) {
        const char *path = arena_str(call->arena, (struct str){text.at + 1, text.len - 1}),
                   *base = strrchr(path, '/');
        if (load(call, path, &file) < 0) {
            buf_release(&file);
            return false;
        }
        text = (struct str){arena_str(call->arena, buf_text(&file)), file.len};
        if (mark == '@' && !filename)
            filename = base ? base + 1 : path;
        if (mark == '@' && !type)
            type = type_of(path);
    }
    buf_release(&file);
    if (filename)
        buf_printf(body, "; filename=\"%s\"", filename);
    if (type)
        buf_printf(body, "\r\nContent-Type: %s", type);
    buf_puts(body, "\r\n\r\n");
    buf_str(body, text);
    buf_puts(body, "\r\n");
    return true;
}
