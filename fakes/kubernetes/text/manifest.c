#include "fakes/kubernetes/text/manifest.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "fakes/kubernetes/text/yaml_scalar.h"
#include "sim/base/xalloc.h"

enum {
    DEPTH_MAX = 500,     /* cJSON's own functions recurse */
    NODES_MAX = 1000000, /* what aliases may grow a document to */
    TEXT_MAX = 16 << 20, /* of one file, in bytes */
};

/* An anchor and what it stands for: a copy, for the value itself may be moved or merged away. */
struct anchor {
    char *name;
    cJSON *value; /* owned */
    struct anchor *next;
};

struct reader {
    struct arena *arena;
    yaml_parser_t parser;
    struct anchor *anchors;
    const char *why; /* the first mistake; of form before one of meaning, as go-yaml reads twice */
    bool broken;     /* it is one of form: there are no more events */
    int depth, nodes;
};

static const char *syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    size_t line = p->problem_mark.line;
    /* go-yaml's way to count: the line before, except for what the scanner saw */
    if (line && p->error == YAML_SCANNER_ERROR)
        line++;
    else if (!line)
        line = p->context_mark.line;
    const char *problem = p->problem ? p->problem : "unknown problem parsing YAML content";
    if (line)
        return arena_printf(r->arena, "yaml: line %zu: %s", line, problem);
    return arena_printf(r->arena, "yaml: %s", problem);
}

static void mistake(struct reader *r, const char *why)
{
    if (!r->why)
        r->why = why;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (r->broken)
        return false;
    if (!yaml_parser_parse(&r->parser, event)) {
        r->why = syntax_error(r);
        r->broken = true;
        return false;
    }
    return true;
}

static void remember(struct reader *r, const yaml_char_t *name, const cJSON *value)
{
    if (!name || !value)
        return;
    struct anchor *anchor = ARENA_NEW(r->arena, struct anchor);
    anchor->name = arena_strdup(r->arena, (const char *)name);
    anchor->value = cJSON_Duplicate(value, true);
    anchor->next = r->anchors;
    r->anchors = anchor;
}

static int count(const cJSON *json)
{
    int n = 1;
    for (const cJSON *at = json->child; at; at = at->next)
        n += count(at);
    return n;
}

static cJSON *recall(struct reader *r, const yaml_char_t *name)
{
    for (const struct anchor *at = r->anchors; at; at = at->next) {
        if (strcmp(at->name, (const char *)name) != 0)
            continue;
        r->nodes += count(at->value);
        if (r->nodes <= NODES_MAX)
            return cJSON_Duplicate(at->value, true);
        mistake(r, "yaml: document contains excessive aliasing");
        return cJSON_CreateNull();
    }
    mistake(r, arena_printf(r->arena, "yaml: unknown anchor '%s' referenced", (const char *)name));
    return cJSON_CreateNull();
}

static cJSON *value_of(struct yaml_scalar scalar, const char *text)
{
    switch (scalar.type) {
    case YAML_NULL:
        return cJSON_CreateNull();
    case YAML_TRUTH:
        return cJSON_CreateBool(scalar.truth);
    case YAML_INTEGER:
    case YAML_FLOAT:
        return cJSON_CreateNumber(scalar.number);
    default:
        return cJSON_CreateString(text);
    }
}

static cJSON *read_scalar(struct reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    struct str s = {text, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag;
    struct yaml_scalar scalar = {YAML_TEXT, false, 0};
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && !tag) {
        scalar = yaml_resolve(s);
    } else if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0) {
        static const char *const tags[] = {[YAML_NULL] = YAML_NULL_TAG,
                                           [YAML_TRUTH] = YAML_BOOL_TAG,
                                           [YAML_INTEGER] = YAML_INT_TAG,
                                           [YAML_FLOAT] = YAML_FLOAT_TAG};
        static const char *const names[] = {"", "!!null", "!!bool", "!!int", "!!float"};
        for (int i = YAML_NULL; i <= YAML_FLOAT; i++) {
            if (strcmp(tag, tags[i]) != 0)
                continue;
            scalar = yaml_resolve(s);
            if (scalar.type == YAML_INTEGER && i == YAML_FLOAT)
                scalar.type = YAML_FLOAT;
            if ((int)scalar.type != i)
                mistake(r, arena_printf(r->arena, "yaml: cannot decode !!str `%s` as a %s", text,
                                        names[i]));
        }
    }
    if (scalar.type == YAML_FLOAT && !isfinite(scalar.number)) {
        mistake(r, arena_printf(r->arena, "json: unsupported value: %s",
                                isnan(scalar.number)  ? "NaN"
                                : scalar.number > 0.0 ? "+Inf"
                                                      : "-Inf"));
        scalar.number = 0;
    }
    return value_of(scalar, text);
}

static cJSON *read_node(struct reader *, const yaml_event_t *);

static cJSON *read_list(struct reader *r)
{
    cJSON *list = cJSON_CreateArray();
    yaml_event_t event;
    while (next_event(r, &event)) {
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            cJSON_AddItemToArray(list, read_node(r, &event));
        yaml_event_delete(&event);
        if (end)
            break;
    }
    return list;
}

/* %#v of Go, for what go-yaml says about a key that is a map: "{{ image }}". */
static void go_syntax(struct buf *out, const cJSON *json)
{
    if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
        bool map = cJSON_IsObject(json);
        buf_puts(out, map ? "map[interface {}]interface {}{" : "[]interface {}{");
        for (const cJSON *at = json->child; at; at = at->next) {
            if (at != json->child)
                buf_puts(out, ", ");
            if (map)
                buf_printf(out, "\"%s\":", at->string);
            go_syntax(out, at);
        }
        buf_putc(out, '}');
    } else if (cJSON_IsString(json)) {
        buf_printf(out, "\"%s\"", json->valuestring);
    } else if (cJSON_IsNull(json)) {
        buf_puts(out, "interface {}(nil)");
    } else {
        json_compact(out, json);
    }
}

/* The text that a key becomes in JSON. */
static const char *key_text(struct reader *r, const cJSON *key)
{
    if (cJSON_IsString(key))
        return arena_strdup(r->arena, key->valuestring);
    struct buf text;
    buf_init(&text, 4096);
    if (cJSON_IsNumber(key) || cJSON_IsBool(key)) {
        json_compact(&text, key);
    } else if (cJSON_IsNull(key)) {
        mistake(r, "unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>");
    } else {
        buf_puts(&text, "yaml: invalid map key: ");
        go_syntax(&text, key);
        mistake(r, arena_str(r->arena, buf_text(&text)));
    }
    const char *ret = arena_str(r->arena, buf_text(&text));
    buf_release(&text);
    return ret;
}

static void set(cJSON *map, const char *key, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(map, key); /* what is not there is left alone */
    cJSON_AddItemToObject(map, key, value);
}

/* "<<: *base": what the map has of its own stays. */
static void merge(struct reader *r, cJSON *map, const cJSON *from)
{
    if (cJSON_IsArray(from)) {
        for (const cJSON *at = from->child; at; at = at->next)
            merge(r, map, cJSON_IsArray(at) ? NULL : at);
        return;
    }
    if (!cJSON_IsObject(from)) {
        mistake(r, "yaml: map merge requires map or sequence of maps as the value");
        return;
    }
    for (const cJSON *at = from->child; at; at = at->next)
        if (!cJSON_GetObjectItemCaseSensitive(map, at->string))
            cJSON_AddItemToObject(map, at->string, cJSON_Duplicate(at, true));
}

static bool is_merge(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           !strcmp((const char *)event->data.scalar.value, "<<");
}

static cJSON *read_map(struct reader *r)
{
    cJSON *map = cJSON_CreateObject(), *merged = NULL;
    yaml_event_t event;
    while (next_event(r, &event)) {
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        bool merging = is_merge(&event);
        cJSON *key = read_node(r, &event);
        yaml_event_delete(&event);
        if (!next_event(r, &event)) {
            cJSON_Delete(key);
            break;
        }
        cJSON *value = read_node(r, &event);
        yaml_event_delete(&event);
        if (merging && !merged)
            merged = value;
        else if (merging)
            cJSON_Delete(value);
        else
            set(map, key_text(r, key), value);
        cJSON_Delete(key);
    }
    if (merged)
        merge(r, map, merged);
    cJSON_Delete(merged);
    return map;
}

/* The node that begins with this event. Never NULL. */
static cJSON *read_node(struct reader *r, const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return recall(r, event->data.alias.anchor);
    if (event->type == YAML_SCALAR_EVENT) {
        cJSON *scalar = read_scalar(r, event);
        remember(r, event->data.scalar.anchor, scalar);
        return scalar;
    }
    if (r->depth == DEPTH_MAX) {
        r->why = "yaml: exceeded max depth";
        r->broken = true;
        return cJSON_CreateNull();
    }
    r->depth++;
    r->nodes++;
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    cJSON *json = list ? read_list(r) : read_map(r);
    r->depth--;
    remember(r, list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor, json);
    return json;
}

/* The first document of a text; NULL if there is none or it cannot be read (*ret_why). */
static cJSON *read_document(struct arena *arena, struct str text, const char **ret_why)
{
    struct reader r = {.arena = arena};
    cJSON *json = NULL;
    yaml_event_t event;
    yaml_parser_initialize(&r.parser);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.at, text.len);
    while (next_event(&r, &event)) {
        bool start =
            event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT;
        bool end = event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_END_EVENT;
        if (!start && !end)
            json = read_node(&r, &event);
        yaml_event_delete(&event);
        if (end)
            break;
    }
    yaml_parser_delete(&r.parser);
    for (struct anchor *at = r.anchors; at; at = at->next)
        cJSON_Delete(at->value);
    if (r.why) {
        *ret_why = arena_printf(arena, "error converting YAML to JSON: %s", r.why);
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

static void keep(struct manifest *manifest, cJSON *document)
{
    if (!document || cJSON_IsNull(document)) {
        cJSON_Delete(document);
        return;
    }
    XGROW(manifest->documents, manifest->n, manifest->cap);
    manifest->documents[manifest->n++] = document;
}

static const char *read_yaml(struct arena *arena, struct str text, struct manifest *ret)
{
    const char *why = NULL;
    while (text.len && !why) {
        struct str part = {text.at, 0};
        while (text.len) {
            struct str line = str_cut(&text, '\n');
            bool dashes = str_starts(line, "---");
            struct str rest = dashes ? str_trim((struct str){line.at + 3, line.len - 3}) : line;
            if (dashes && rest.len && rest.at[0] != '#')
                return arena_printf(arena, "invalid Yaml document separator: %.*s", STR_ARG(rest));
            if (dashes && part.len)
                break;
            part.len = (size_t)(text.at - part.at);
        }
        keep(ret, read_document(arena, part, &why));
    }
    return why;
}

static const char *read_json(struct arena *arena, struct str text, struct manifest *ret)
{
    const char *start = arena_str(arena, text), *at = start;
    for (;;) {
        while (isspace((unsigned char)*at))
            at++;
        if (!*at)
            return NULL;
        size_t len = 0;
        const char *why = NULL;
        cJSON *json = json_read_first(arena, at, &len, &why);
        if (!json && !at[len])
            return "unexpected EOF";
        if (!json)
            return arena_printf(arena, "json: offset %zu: %s", (size_t)(at - start) + len + 1, why);
        keep(ret, json);
        at += len;
    }
}

const char *manifest_read(struct arena *arena, struct str text, struct manifest *ret)
{
    *ret = (struct manifest){0};
    if (text.len > TEXT_MAX)
        return "the file is larger than 16 MiB";
    struct str trimmed = str_trim(text);
    return str_starts(trimmed, "{") ? read_json(arena, text, ret) : read_yaml(arena, text, ret);
}

void manifest_release(struct manifest *manifest)
{
    for (int i = 0; i < manifest->n; i++)
        cJSON_Delete(manifest->documents[i]);
    free(manifest->documents);
    *manifest = (struct manifest){0};
}
