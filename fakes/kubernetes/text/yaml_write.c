/* YAML as go-yaml v2 writes it: libyaml's emitter, of which it is a port, told the same things. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "fakes/kubernetes/text/manifest.h"
#include "fakes/kubernetes/text/yaml_scalar.h"
#include "sim/base/xalloc.h"

static int add(void *out, unsigned char *at, size_t len)
{
    buf_add(out, at, len);
    return 1;
}

static bool letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* go-yaml's order of keys: letters behind everything else, runs of digits by their number. */
static int compare_keys(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] && a[i] == b[i])
        i++;
    unsigned char ca = (unsigned char)a[i], cb = (unsigned char)b[i];
    if (!ca || !cb)
        return ca ? 1 : cb ? -1 : 0;
    if (letter(ca) || letter(cb))
        return letter(ca) && letter(cb) ? (ca < cb ? -1 : 1) : letter(cb) ? -1 : 1;
    int64_t na = 0, nb = 0;
    if (ca == '0' || cb == '0') {
        for (size_t j = i; j > 0 && digit((unsigned char)a[j - 1]) && !na; j--)
            na = nb = a[j - 1] != '0';
    }
    size_t ia = i, ib = i;
    for (; ia < i + 17 && digit((unsigned char)a[ia]); ia++)
        na = na * 10 + (a[ia] - '0');
    for (; ib < i + 17 && digit((unsigned char)b[ib]); ib++)
        nb = nb * 10 + (b[ib] - '0');
    if (na != nb)
        return na < nb ? -1 : 1;
    if (ia != ib)
        return ia < ib ? -1 : 1;
    return ca < cb ? -1 : 1;
}

static int by_key(const void *a, const void *b)
{
    return compare_keys((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void emit_text(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    struct arena scratch = {0};
    const char *good = text_repaired(&scratch, text);
    yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)good, (int)strlen(good),
                                 1, 1, style);
    yaml_emitter_emit(emitter, &event);
    arena_release(&scratch);
}

static yaml_scalar_style_t style_of(const char *text)
{
    if (strchr(text, '\n'))
        return YAML_LITERAL_SCALAR_STYLE;
    return yaml_needs_quotes(str_of(text)) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
                                           : YAML_PLAIN_SCALAR_STYLE;
}

static void emit(yaml_emitter_t *, const cJSON *);

static void emit_list(yaml_emitter_t *emitter, const cJSON *json)
{
    yaml_event_t event;
    yaml_sequence_start_event_initialize(
        &event, NULL, NULL, 1, json->child ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
    yaml_emitter_emit(emitter, &event);
    for (const cJSON *at = json->child; at; at = at->next)
        emit(emitter, at);
    yaml_sequence_end_event_initialize(&event);
    yaml_emitter_emit(emitter, &event);
}

static void emit_map(yaml_emitter_t *emitter, const cJSON *json)
{
    yaml_event_t event;
    yaml_mapping_start_event_initialize(
        &event, NULL, NULL, 1, json->child ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE);
    yaml_emitter_emit(emitter, &event);
    size_t n = 0;
    cJSON **children = xcalloc((size_t)cJSON_GetArraySize(json) + 1, sizeof *children);
    for (cJSON *at = json->child; at; at = at->next)
        children[n++] = at;
    qsort(children, n, sizeof *children, by_key);
    for (size_t i = 0; i < n; i++) {
        emit_text(emitter, children[i]->string, style_of(children[i]->string));
        emit(emitter, children[i]);
    }
    free(children);
    yaml_mapping_end_event_initialize(&event);
    yaml_emitter_emit(emitter, &event);
}

static void emit(yaml_emitter_t *emitter, const cJSON *json)
{
    if (cJSON_IsObject(json)) {
        emit_map(emitter, json);
    } else if (cJSON_IsArray(json)) {
        emit_list(emitter, json);
    } else if (cJSON_IsString(json)) {
        emit_text(emitter, json->valuestring, style_of(json->valuestring));
    } else {
        struct buf text;
        buf_init(&text, 64);
        json_compact(&text, json);
        emit_text(emitter, text.at, YAML_PLAIN_SCALAR_STYLE);
        buf_release(&text);
    }
}

void yaml_write(struct buf *out, const cJSON *json)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    yaml_emitter_initialize(&emitter);
    yaml_emitter_set_output(&emitter, add, out);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    yaml_emitter_emit(&emitter, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    yaml_emitter_emit(&emitter, &event);
    emit(&emitter, json);
    yaml_document_end_event_initialize(&event, 1);
    yaml_emitter_emit(&emitter, &event);
    yaml_emitter_flush(&emitter); /* no end of the stream: it would add "..." behind a "|+" */
    yaml_emitter_delete(&emitter);
}
