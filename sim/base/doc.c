#include "sim/base/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sim/base/buf.h"
#include "sim/base/xalloc.h"

enum { DOCUMENT_MAX_BYTES = 4 << 20, NODES_MAX = 200000, DEPTH_MAX = 64, ANCHORS_MAX = 1000 };

struct anchor {
    const char *name;
    /* NULL while the node is still being read: an alias to it would be a circle */
    struct doc *node;
};

struct reader {
    struct arena *arena;
    struct error *error;
    const char *file;
    yaml_parser_t parser;
    int n_nodes;
    struct anchor *anchors;
    int n_anchors, cap_anchors;
};

static int syntax_error(struct reader *reader, size_t line, size_t column, const char *what)
{
    return error_set(reader->error, ERROR_INPUT, "%s:%zu:%zu: %s", reader->file, line + 1,
                     column + 1, what);
}

static int mark_error(struct reader *reader, yaml_mark_t mark, const char *what)
{
    return syntax_error(reader, mark.line, mark.column, what);
}

/* What libyaml says, at the place where it stumbled, with what it was reading as the context. */
static int parser_error(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    char text[256];
    if (parser->error == YAML_READER_ERROR)
        return error_set(reader->error, ERROR_INPUT,
                         "%s: byte %zu: %s; the file must be UTF-8 text", reader->file,
                         parser->problem_offset, parser->problem);
    if (parser->context)
        snprintf(text, sizeof text, "%s %s (begun on line %zu)", parser->problem, parser->context,
                 parser->context_mark.line + 1);
    else
        snprintf(text, sizeof text, "%s", parser->problem ? parser->problem : "cannot be read");
    return mark_error(reader, parser->problem_mark, text);
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) ? 0 : parser_error(reader);
}

static int new_node(struct reader *reader, yaml_mark_t mark, struct doc **ret)
{
    struct doc *node;
    if (++reader->n_nodes > NODES_MAX)
        return mark_error(reader, mark, "too many values in one file (the limit is 200000)");
    node = ARENA_NEW(reader->arena, struct doc);
    node->file = reader->file;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    *ret = node;
    return 0;
}

/* `tail` is where the next child's pointer goes. */
static void append_child(struct doc *parent, struct doc ***tail, struct doc *child)
{
    child->parent = parent;
    child->index = parent->n++;
    **tail = child;
    *tail = &child->next;
}

static int copy_node(struct reader *reader, const struct doc *from, yaml_mark_t mark,
                     struct doc **ret)
{
    struct doc *node, **tail;
    int r = new_node(reader, mark, &node);
    if (r)
        return r;
    node->kind = from->kind;
    node->quoted = from->quoted;
    node->text = from->text;
    node->line = from->line;
    node->column = from->column;
    tail = &node->first;
    for (const struct doc *child = from->first; child; child = child->next) {
        struct doc *copy;
        if ((r = copy_node(reader, child, mark, &copy)))
            return r;
        copy->key = child->key;
        copy->key_line = child->key_line;
        append_child(node, &tail, copy);
    }
    *ret = node;
    return 0;
}

static int add_anchor(struct reader *reader, const yaml_char_t *name, yaml_mark_t mark,
                      int *ret_index)
{
    *ret_index = -1;
    if (!name)
        return 0;
    if (reader->n_anchors >= ANCHORS_MAX)
        return mark_error(reader, mark, "too many anchors in one file (the limit is 1000)");
    XGROW(reader->anchors, reader->n_anchors, reader->cap_anchors);
    reader->anchors[reader->n_anchors] =
        (struct anchor){arena_strdup(reader->arena, (const char *)name), NULL};
    *ret_index = reader->n_anchors++;
    return 0;
}

static int read_alias(struct reader *reader, const yaml_event_t *event, struct doc **ret)
{
    const char *name = (const char *)event->data.alias.anchor;
    char text[160];
    for (int i = reader->n_anchors - 1; i >= 0; i--) {
        if (strcmp(reader->anchors[i].name, name))
            continue;
        if (!reader->anchors[i].node)
            return mark_error(reader, event->start_mark, "an alias inside the value that it names");
        return copy_node(reader, reader->anchors[i].node, event->start_mark, ret);
    }
    snprintf(text, sizeof text, "no anchor '&%.100s' before this alias", name);
    return mark_error(reader, event->start_mark, text);
}

/* The core schema's spellings of nothing. */
static bool is_null(const char *z)
{
    return !*z || !strcmp(z, "~") || !strcmp(z, "null") || !strcmp(z, "Null") || !strcmp(z, "NULL");
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct doc *node)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    if (strlen(text) != event->data.scalar.length)
        return mark_error(reader, event->start_mark, "a NUL character in a value");
    if (tag && strcmp(tag, YAML_STR_TAG) && strcmp(tag, "!"))
        return mark_error(reader, event->start_mark,
                          "a tag (!...) has no meaning here; leave it out");
    node->kind = DOC_SCALAR;
    node->text = arena_strdup(reader->arena, text);
    node->quoted = tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node->quoted && is_null(text))
        node->kind = DOC_NULL;
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const struct doc *a = *(struct doc *const *)left, *b = *(struct doc *const *)right;
    int order = strcmp(a->key, b->key);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Refuses the first key that was there before. Sorted, so that a hostile file costs n log n. */
static int refuse_duplicates(struct reader *reader, const struct doc *mapping)
{
    struct doc **sorted;
    const struct doc *first = NULL, *again = NULL;
    int i = 0;
    if (mapping->n < 2)
        return 0;
    sorted = xcalloc((size_t)mapping->n, sizeof *sorted);
    for (struct doc *child = mapping->first; child; child = child->next)
        sorted[i++] = child;
    qsort(sorted, (size_t)mapping->n, sizeof *sorted, compare_keys);
    for (i = 1; i < mapping->n; i++)
        if (!strcmp(sorted[i]->key, sorted[i - 1]->key) &&
            (!again || sorted[i]->index < again->index)) {
            first = sorted[i - 1];
            again = sorted[i];
        }
    free(sorted);
    if (!again)
        return 0;
    return error_set(reader->error, ERROR_INPUT,
                     "%s:%d: key '%.200s' is there twice, first on line %d; keep one", reader->file,
                     again->key_line, again->key, first->key_line);
}

static int read_node(struct reader *, const yaml_event_t *, int depth, struct doc **ret);

static int read_key(struct reader *reader, const yaml_event_t *event, const char **ret)
{
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor)
        return mark_error(reader, event->start_mark, "a key must be plain text");
    if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
        return mark_error(reader, event->start_mark, "a NUL character in a key");
    *ret = arena_strdup(reader->arena, (const char *)event->data.scalar.value);
    return 0;
}

/* Children up to the end event of the sequence or mapping. */
static int read_children(struct reader *reader, struct doc *node, int depth)
{
    yaml_event_type_t end =
        node->kind == DOC_MAPPING ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct doc **tail = &node->first;
    int r = 0;
    while (!r) {
        yaml_event_t event;
        struct doc *child = NULL;
        const char *key = NULL;
        int key_line = 0;
        if ((r = next_event(reader, &event)))
            return r;
        if (event.type == end) {
            yaml_event_delete(&event);
            break;
        }
        if (node->kind == DOC_MAPPING) {
            key_line = (int)event.start_mark.line + 1;
            r = read_key(reader, &event, &key);
            yaml_event_delete(&event);
            if (r || (r = next_event(reader, &event)))
                return r;
        }
        r = read_node(reader, &event, depth + 1, &child);
        yaml_event_delete(&event);
        if (!r) {
            child->key = key;
            child->key_line = key_line;
            append_child(node, &tail, child);
        }
    }
    return r || node->kind != DOC_MAPPING ? r : refuse_duplicates(reader, node);
}

static int read_node(struct reader *reader, const yaml_event_t *event, int depth, struct doc **ret)
{
    const yaml_char_t *name = NULL;
    struct doc *node = NULL;
    int anchor, r;
    if (depth > DEPTH_MAX)
        return mark_error(reader, event->start_mark, "nested too deep (the limit is 64)");
    if (event->type == YAML_ALIAS_EVENT)
        return read_alias(reader, event, ret);
    if (event->type == YAML_SCALAR_EVENT)
        name = event->data.scalar.anchor;
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        name = event->data.sequence_start.anchor;
    else if (event->type == YAML_MAPPING_START_EVENT)
        name = event->data.mapping_start.anchor;
    else
        return mark_error(reader, event->start_mark, "expected a value");
    if ((r = new_node(reader, event->start_mark, &node)) ||
        (r = add_anchor(reader, name, event->start_mark, &anchor)))
        return r;
    if (event->type == YAML_SCALAR_EVENT) {
        r = read_scalar(reader, event, node);
    } else {
        node->kind = event->type == YAML_MAPPING_START_EVENT ? DOC_MAPPING : DOC_SEQUENCE;
        r = read_children(reader, node, depth);
    }
    if (r)
        return r;
    if (anchor >= 0)
        reader->anchors[anchor].node = node;
    *ret = node;
    return 0;
}

/* The one document of the stream. */
static int read_stream(struct reader *reader, struct doc **ret)
{
    struct doc *root = NULL;
    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        int r = next_event(reader, &event);
        if (r)
            return r;
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && root)
            r = mark_error(reader, event.start_mark,
                           "a second document begins here; one file holds one document");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                 type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT)
            r = read_node(reader, &event, 0, &root);
        yaml_event_delete(&event);
        if (r)
            return r;
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    if (!root)
        return error_set(reader->error, ERROR_INPUT, "%s: the file is empty", reader->file);
    *ret = root;
    return 0;
}

int doc_read_text(struct arena *arena, const char *file, struct str text, struct doc **ret,
                  struct error *error)
{
    struct reader reader = {.arena = arena, .error = error};
    int r;
    if (text.len > DOCUMENT_MAX_BYTES)
        return error_set(error, ERROR_INPUT, "%s: larger than 4 MiB", file);
    reader.file = arena_strdup(arena, file);
    if (!yaml_parser_initialize(&reader.parser))
        return error_set(error, ERROR_INTERNAL, "%s: out of memory", file);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.at, text.len);
    r = read_stream(&reader, ret);
    yaml_parser_delete(&reader.parser);
    free(reader.anchors);
    return r;
}

int doc_read_file(struct arena *arena, const char *path, struct doc **ret, struct error *error)
{
    struct buf text;
    int r;
    buf_init(&text, DOCUMENT_MAX_BYTES + 1);
    r = buf_read_file(&text, path);
    if (r < 0)
        r = error_set(error, ERROR_INPUT, "%s: cannot read the file: %s", path, strerror(-r));
    else
        r = doc_read_text(arena, path, buf_text(&text), ret, error);
    buf_release(&text);
    return r;
}

/* ---- looking at nodes ---- */

/* RFC 6901, except that it stays empty for the root. */
static void add_pointer(struct buf *out, const struct doc *node)
{
    if (!node->parent)
        return;
    add_pointer(out, node->parent);
    if (node->parent->kind == DOC_SEQUENCE) {
        buf_printf(out, "/%d", node->index);
        return;
    }
    buf_putc(out, '/');
    for (const char *at = node->key; *at; at++) {
        if (*at == '~' || *at == '/')
            buf_puts(out, *at == '~' ? "~0" : "~1");
        else
            buf_putc(out, *at);
    }
}

static int __attribute__((format(printf, 4, 0)))
error_at(const struct doc *node, int line, struct error *error, const char *format, va_list args)
{
    struct buf out;
    buf_init(&out, sizeof error->text);
    buf_printf(&out, "%s:%d: ", node->file, line);
    if (node->parent) {
        add_pointer(&out, node);
        buf_puts(&out, ": ");
    }
    buf_vprintf(&out, format, args);
    error_set(error, ERROR_INPUT, "%s", out.at);
    buf_release(&out);
    return ERROR_INPUT;
}

int doc_error(const struct doc *node, struct error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_at(node, node->line, error, format, args);
    va_end(args);
    return ERROR_INPUT;
}

/* The same at the line of the node's key. */
static int __attribute__((format(printf, 3, 4)))
key_error(const struct doc *node, struct error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_at(node, node->key_line ? node->key_line : node->line, error, format, args);
    va_end(args);
    return ERROR_INPUT;
}

struct doc *doc_get(const struct doc *node, const char *key)
{
    if (!node || node->kind != DOC_MAPPING)
        return NULL;
    for (struct doc *child = node->first; child; child = child->next)
        if (!strcmp(child->key, key))
            return child;
    return NULL;
}

/* The word that a person most likely meant, or NULL if none is near. */
static char *join(struct buf *out, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "", words[i]);
    return out->at ? out->at : (char *)"";
}

int doc_only(const struct doc *node, const char *const *keys, struct error *error)
{
    if (!node)
        return 0;
    if (doc_want(node, DOC_MAPPING, error))
        return ERROR_INPUT;
    for (const struct doc *child = node->first; child; child = child->next) {
        const char *near;
        struct buf known;
        int i = 0;
        while (keys[i] && strcmp(keys[i], child->key))
            i++;
        if (keys[i])
            continue;
        if ((near = str_nearest(str_of(child->key), keys)))
            return key_error(child, error, "unknown key; did you mean '%s'?", near);
        buf_init(&known, 600);
        key_error(child, error, "unknown key; known here: %s", join(&known, keys));
        buf_release(&known);
        return ERROR_INPUT;
    }
    return 0;
}

static const char *kind_name(enum doc_kind kind)
{
    static const char *const names[] = {"nothing", "a single value", "a list",
                                        "a mapping (key: value)"};
    return names[kind];
}

int doc_want(const struct doc *node, enum doc_kind kind, struct error *error)
{
    if (!node)
        return error_set(error, ERROR_INPUT, "%s is missing", kind_name(kind));
    if (node->kind == kind)
        return 0;
    return doc_error(node, error, "expected %s, found %s", kind_name(kind), kind_name(node->kind));
}

int doc_need(const struct doc *node, const char *key, struct doc **ret, struct error *error)
{
    struct doc *child;
    if (doc_want(node, DOC_MAPPING, error))
        return ERROR_INPUT;
    if (!(child = doc_get(node, key)))
        return key_error(node, error, "key '%s' is missing", key);
    *ret = child;
    return 0;
}

int doc_choice(const struct doc *node, const char *const *words, int *ret, struct error *error)
{
    const char *near;
    struct buf known;
    if (!node)
        return 0;
    if (node->kind != DOC_SCALAR)
        return doc_error(node, error, "expected one word, found %s", kind_name(node->kind));
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], node->text)) {
            *ret = i;
            return 0;
        }
    if ((near = str_nearest(str_of(node->text), words)))
        return doc_error(node, error, "unknown word '%.200s'; did you mean '%s'?", node->text,
                         near);
    buf_init(&known, 600);
    doc_error(node, error, "expected one of %s; found '%.200s'", join(&known, words), node->text);
    buf_release(&known);
    return ERROR_INPUT;
}
