#include "fakes/kubernetes/kubectl/printer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "fakes/go_template.h"
#include "fakes/kubernetes/kubectl/tables.h"
#include "fakes/kubernetes/text/go_value.h"
#include "fakes/kubernetes/text/jsonpath.h"
#include "fakes/kubernetes/text/manifest.h"

enum { OUTPUT_MAX = 16 << 20 };

static const struct {
    const char *name;
    enum printer_format format;
    bool takes_template, from_file;
} formats[] = {
    {"wide", PRINTER_WIDE, false, false},
    {"name", PRINTER_NAME, false, false},
    {"json", PRINTER_JSON, false, false},
    {"yaml", PRINTER_YAML, false, false},
    {"jsonpath", PRINTER_JSONPATH, true, false},
    {"jsonpath-as-json", PRINTER_JSONPATH_JSON, true, false},
    {"jsonpath-file", PRINTER_JSONPATH, true, true},
    {"go-template", PRINTER_GO_TEMPLATE, true, false},
    {"template", PRINTER_GO_TEMPLATE, true, false},
    {"go-template-file", PRINTER_GO_TEMPLATE, true, true},
    {"templatefile", PRINTER_GO_TEMPLATE, true, true},
    {"custom-columns", PRINTER_COLUMNS, true, false},
    {"custom-columns-file", PRINTER_COLUMNS, true, true},
};
enum { N_FORMATS = sizeof formats / sizeof *formats };

static void release_buf(void *buf)
{
    buf_release(buf);
}

struct buf *kubectl_buf(struct kubectl *k)
{
    struct buf *buf = ARENA_NEW(k->arena, struct buf);
    buf_init(buf, OUTPUT_MAX);
    call_defer(k->call, release_buf, buf);
    return buf;
}

void print_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\x1b')
            buf_puts(out, "^[");
        else if (text.at[i] == '\r')
            buf_puts(out, "\\r");
        else
            buf_putc(out, text.at[i]);
    }
}

static void write_out(struct printer *printer, const struct buf *out)
{
    if (out->len > 0)
        call_write(printer->k->call, 1, out->at, out->len);
}

/* ---- the format ---- */

/* Which of the formats -o names; -1: none of them. *ret_template: what stands behind "=", or NULL.
 * --template alone is a go-template. */
static int find_format(struct kubectl *k, const char **ret_template)
{
    const char *typed = options_value(&k->options, "output", "");
    const char *template = options_value(&k->options, "template", NULL);
    if (!*typed && template)
        typed = "go-template";
    struct str rest = str_of(typed), name = str_cut(&rest, '=');
    *ret_template = name.len < strlen(typed) ? rest.at : template;
    for (int i = 0; i < N_FORMATS; i++) {
        if (str_is(name, formats[i].name) &&
            (formats[i].takes_template || !rest.at || name.len == strlen(typed)))
            return i;
    }
    return -1;
}

bool printer_is_table(struct kubectl *k)
{
    const char *template;
    int i = find_format(k, &template);
    const char *typed = options_value(&k->options, "output", "");
    return i < 0 ? !*typed : formats[i].format == PRINTER_WIDE;
}

/* ---- custom columns ---- */

/* "NAME:.metadata.name,IMAGE:.spec.containers[*].image". */
static bool read_columns(struct printer *printer, const char *spec)
{
    struct kubectl *k = printer->k;
    struct str rest = str_of(spec);
    int max = 1;
    for (const char *p = spec; *p; p++)
        max += *p == ',';
    printer->headings = ARENA_ARRAY(k->arena, const char *, max);
    printer->paths = ARENA_ARRAY(k->arena, const char *, max);
    for (; printer->n_columns < max; printer->n_columns++) {
        struct str path = str_cut(&rest, ',');
        const char *column = arena_str(k->arena, path), *why = NULL;
        if (!strchr(column, ':'))
            why = arena_printf(
                k->arena, "unexpected custom-columns spec: %s, expected <header>:<json-path-expr>",
                column);
        printer->headings[printer->n_columns] = arena_str(k->arena, str_cut(&path, ':'));
        printer->paths[printer->n_columns] =
            why ? NULL : jsonpath_relaxed(k->arena, arena_str(k->arena, path), &why);
        if (why) {
            kubectl_error(k, "%s", why);
            return false;
        }
    }
    return true;
}

static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t len = 0;
    while (len < rest->len && !isspace((unsigned char)rest->at[len]))
        len++;
    struct str word = {rest->at, len};
    *rest = (struct str){rest->at + len, rest->len - len};
    return word;
}

static int count_words(struct str text)
{
    int n = 0;
    while (next_word(&text).len)
        n++;
    return n;
}

/* The two lines of a file of custom columns as "A:.a,B:.b"; NULL: said on stderr. */
static const char *columns_of_file(struct kubectl *k, const char *text)
{
    struct str rest = str_of(text), headings = str_cut(&rest, '\n'), paths = str_cut(&rest, '\n');
    int n = count_words(headings), n_paths = count_words(paths);
    const char *spec = "";
    if (n == 0 || n_paths == 0)
        kubectl_error(k,
                      "invalid template, missing %s line. Expected format is one line of space "
                      "separated headers, one line of space separated column specs.",
                      n == 0 ? "header" : "spec");
    else if (n != n_paths)
        kubectl_error(k, "number of headers (%d) and field specifications (%d) don't match", n,
                      n_paths);
    if (n == 0 || n != n_paths)
        return NULL;
    for (int i = 0; i < n; i++) {
        struct str heading = next_word(&headings), path = next_word(&paths);
        spec = arena_printf(k->arena, "%s%s%.*s:%.*s", spec, i > 0 ? "," : "", STR_ARG(heading),
                            STR_ARG(path));
    }
    return spec;
}

/* NULL, or what is wrong with a path. */
static const char *columns_row(struct printer *printer, const cJSON *object, struct buf *out)
{
    struct arena *arena = printer->k->arena;
    const char *why = NULL;
    struct buf value, line;
    buf_init(&value, 1 << 20);
    buf_init(&line, 1 << 20);
    for (int i = 0; i < printer->n_columns && !why; i++) {
        int found = 0;
        buf_clear(&value);
        if (*printer->paths[i])
            why = jsonpath_values(arena, printer->paths[i], object, ",", &value, &found);
        if (i > 0)
            buf_putc(&line, '\t');
        print_escaped(&line, found ? buf_text(&value) : STR("<none>"));
    }
    if (!why) {
        buf_str(out, buf_text(&line));
        buf_putc(out, '\n');
    }
    buf_release(&value);
    buf_release(&line);
    return why;
}

static const char *print_columns(struct printer *printer, const cJSON *object, struct buf *out)
{
    struct buf *text = printer->text;
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(object, "items");
    const cJSON *first = cJSON_IsArray(items) ? items->child : object;
    const char *why = NULL;
    buf_clear(text);
    if (printer->headers && printer->printed == 0) {
        for (int i = 0; i < printer->n_columns; i++)
            buf_printf(text, "%s%s", i > 0 ? "\t" : "", printer->headings[i]);
        buf_putc(text, '\n');
    }
    for (const cJSON *one = first; one && !why; one = first == object ? NULL : one->next)
        why = columns_row(printer, one, text);
    tabwriter_flush(&printer->columns, buf_text(text), out);
    return why;
}

/* ---- reading -o ---- */

static bool unknown_format(struct kubectl *k)
{
    kubectl_error(
        k,
        "unable to match a printer suitable for the output format \"%s\", allowed formats "
        "are: custom-columns,custom-columns-file,go-template,go-template-file,json,"
        "jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml",
        options_value(&k->options, "output", ""));
    return false;
}

/* The template itself, out of a file where the format says so; NULL: said on stderr. */
static const char *load_template(struct kubectl *k, int format, const char *template)
{
    bool columns = formats[format].format == PRINTER_COLUMNS;
    if (!template || !*template) {
        kubectl_error(k, columns ? "custom-columns format specified but no custom columns given"
                                 : "template format specified but no template given");
        return NULL;
    }
    if (!formats[format].from_file)
        return template;
    struct buf *text = kubectl_buf(k);
    int failed = call_load(k->call, template, text);
    if (failed) {
        kubectl_error(k, "error reading %s %s, open %s: %s", columns ? "template" : "--template",
                      template, template,
                      failed == -EACCES ? "permission denied" : "no such file or directory");
        return NULL;
    }
    const char *content = arena_str(k->arena, buf_text(text));
    return columns ? columns_of_file(k, content) : content;
}

/* An error of a template in the name that kubectl's has: "output". */
static const char *go_words(struct arena *arena, const char *error)
{
    static const char before[] = "template: :", nameless[] = "executing \"\"";
    if (strncmp(error, before, sizeof before - 1) != 0)
        return error;
    const char *text = error + sizeof before - 1, *at = strstr(text, nameless);
    if (!at)
        return arena_printf(arena, "template: output:%s", text);
    return arena_printf(arena, "template: output:%.*sexecuting \"output\"%s", (int)(at - text),
                        text, at + sizeof nameless - 1);
}

bool printer_read(struct kubectl *k, struct printer *ret)
{
    const char *template, *why = NULL;
    int i = find_format(k, &template);
    *ret = (struct printer){
        .k = k,
        .strict = !options_has(&k->options, "allow-missing-template-keys") &&
                  options_value(&k->options, "allow-missing-template-keys", NULL) != NULL,
        .headers = !options_has(&k->options, "no-headers"),
        .columns = {.arena = k->arena, .min_width = 6, .padding = 3, .remember = true},
        .text = kubectl_buf(k),
        .out = kubectl_buf(k),
    };
    if (i < 0)
        return !*options_value(&k->options, "output", "") || unknown_format(k);
    ret->format = formats[i].format;
    if (!formats[i].takes_template)
        return true;
    ret->template = load_template(k, i, template);
    if (!ret->template)
        return false;
    if (ret->format == PRINTER_COLUMNS)
        return read_columns(ret, ret->template);
    if (ret->format != PRINTER_GO_TEMPLATE)
        why = jsonpath_check(k->arena, ret->template);
    else if ((why = go_template_check(k->arena, ret->template)))
        why = arena_printf(k->arena, "error parsing template %s, %s", ret->template,
                           go_words(k->arena, why));
    if (why)
        kubectl_error(k, "%s", why);
    return !why;
}

/* ---- printing ---- */

static void delete_json(void *json)
{
    cJSON_Delete(json);
}

cJSON *printer_list(struct kubectl *k, const cJSON *const *objects, int n)
{
    cJSON *list = cJSON_CreateObject(), *items = cJSON_CreateArray();
    call_defer(k->call, delete_json, list);
    cJSON_AddStringToObject(list, "apiVersion", "v1");
    cJSON_AddItemToObject(list, "items", items);
    cJSON_AddStringToObject(list, "kind", "List");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(list, "metadata"), "resourceVersion", "");
    for (int i = 0; i < n; i++)
        cJSON_AddItemReferenceToArray(items, (cJSON *)(uintptr_t)objects[i]);
    return list;
}

const char *printer_name(struct arena *arena, const cJSON *object)
{
    char *kind = arena_strdup(arena, text_at("", object, "kind"));
    struct str version = str_of(text_at("", object, "apiVersion"));
    bool core = !memchr(version.at, '/', version.len);
    struct str group = str_cut(&version, '/');
    for (char *c = kind; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return arena_printf(arena, "%s%s%.*s/%s", kind, core ? "" : ".", core ? 0 : (int)group.len,
                        group.at, text_at("", object, "metadata", "name"));
}

static void print_names(struct printer *printer, const cJSON *object, struct buf *out)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(object, "items");
    struct arena *arena = printer->k->arena;
    if (!cJSON_IsArray(items)) {
        buf_printf(out, "%s\n", printer_name(arena, object));
        return;
    }
    for (const cJSON *item = items->child; item; item = item->next)
        buf_printf(out, "%s\n", printer_name(arena, item));
}

/* Of an error, more about it is said on stdout. */
static const char *print_go(struct printer *printer, const cJSON *object, struct buf *out)
{
    struct arena *arena = printer->k->arena;
    const char *why = go_template(arena, printer->template, object, printer->strict, out);
    if (!why)
        return NULL;
    why = go_words(arena, why);
    buf_printf(out,
               "Error executing template: %s. Printing more information for debugging the "
               "template:\n\ttemplate was:\n\t\t%s\n\traw data was:\n\t\t",
               why, printer->template);
    json_compact(out, object);
    buf_puts(out, "\n\tobject given to template engine was:\n\t\t");
    go_value_print(out, object);
    buf_puts(out, "\n\n");
    struct buf *quoted = kubectl_buf(printer->k);
    go_quote(quoted, printer->template);
    return arena_printf(arena, "error executing template %s: %s", quoted->at, why);
}

int printer_print(struct printer *printer, const cJSON *object)
{
    struct arena *arena = printer->k->arena;
    struct buf *out = printer->out;
    unsigned strict = printer->strict ? JSONPATH_STRICT : 0;
    const char *why = NULL;
    buf_clear(out);
    switch (printer->format) {
    case PRINTER_TABLE:
    case PRINTER_WIDE:
        break;
    case PRINTER_NAME:
        print_names(printer, object, out);
        break;
    case PRINTER_JSON:
        json_write(out, object);
        break;
    case PRINTER_YAML:
        if (printer->printed > 0)
            buf_puts(out, "---\n");
        yaml_write(out, object);
        break;
    case PRINTER_JSONPATH:
    case PRINTER_JSONPATH_JSON:
        if (printer->format == PRINTER_JSONPATH_JSON)
            strict |= JSONPATH_JSON;
        why = jsonpath_print(arena, printer->template, object, strict, out);
        break;
    case PRINTER_GO_TEMPLATE:
        why = print_go(printer, object, out);
        break;
    case PRINTER_COLUMNS:
        why = print_columns(printer, object, out);
        break;
    }
    printer->printed++;
    if (!why || printer->format == PRINTER_GO_TEMPLATE || printer->format == PRINTER_COLUMNS)
        write_out(printer, out);
    return why ? kubectl_error(printer->k, "%s", why) : 0;
}
