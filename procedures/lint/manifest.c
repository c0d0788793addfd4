/* Text that is not text: labels, annotations, environment and ConfigMap data in a manifest or a
 * patch. Read with libyaml, since what counts is how YAML types a plain scalar. */
#include <ctype.h>
#include <string.h>
#include <yaml.h>

#include "procedures/lint/internal.h"
#include "sim/base/buf.h"

enum { DEPTH_MAX = 64, NODES_MAX = 20000 }; /* aliases can name a node any number of times */

/* How YAML 1.1 as kubectl reads it (goyaml v2, resolve.go) types a plain scalar: bool or number. A
 * null leaves the string empty and is taken. */
static bool is_bool(const char *text)
{
    static const char *const words[] = {"y", "yes", "true", "on", "n", "no", "false", "off", NULL};
    char lower[8] = "";
    size_t len = strlen(text);
    bool upper = true, capital = true;
    if (len >= sizeof lower)
        return false;
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)tolower((unsigned char)text[i]);
        upper &= isupper((unsigned char)text[i]) != 0;
        capital &= (i == 0) == (isupper((unsigned char)text[i]) != 0);
    }
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], lower))
            return upper || capital || !strcmp(words[i], text);
    return false;
}

static bool is_number(const char *text)
{
    size_t digits, fraction = 0;
    text += *text == '-' || *text == '+';
    if (!strncmp(text, "0x", 2) || !strncmp(text, "0b", 2))
        return text[2] && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF_")];
    digits = strspn(text, "0123456789_");
    text += digits;
    if (*text == '.') {
        fraction = strspn(text + 1, "0123456789");
        text += 1 + fraction;
    }
    if (!digits && !fraction)
        return false;
    if ((*text == 'e' || *text == 'E') && text[1]) {
        text += 1 + (text[1] == '-' || text[1] == '+');
        if (!isdigit((unsigned char)*text))
            return false;
        text += strspn(text, "0123456789");
    }
    return !*text;
}

/* The keys whose children must be strings. */
static bool wants_text(const char *key)
{
    static const char *const keys[] = {"labels",   "annotations", "matchLabels", "nodeSelector",
                                       "selector", "stringData",  NULL};
    for (int i = 0; keys[i]; i++)
        if (!strcmp(key, keys[i]))
            return true;
    return false;
}

struct walk {
    struct lint *lint;
    yaml_document_t *document;
    const struct use *use; /* of a patch: its place stands for all */
    int line;
    bool config_map;
    int n_nodes;
};

static const char *scalar(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void check_scalar(const struct walk *walk, const char *key, const yaml_node_t *node)
{
    const char *value = scalar(node);
    if (!value || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
        (!is_bool(value) && !is_number(value)))
        return;
    if (walk->use)
        lint_add_use(walk->lint, "RB009", walk->use,
                     "the value %s of '%s' is not text; write it in quotes", value, key);
    else
        lint_add(walk->lint, "RB009", walk->line + (int)node->start_mark.line,
                 (int)node->start_mark.column + 1,
                 "'%s: %s' is not text, and the API server refuses the object; write it in quotes",
                 key, value);
}

static void check_node(struct walk *walk, int index, bool text, bool environment, int depth)
{
    yaml_node_t *node = yaml_document_get_node(walk->document, index);
    if (!node || depth > DEPTH_MAX || walk->n_nodes++ > NODES_MAX)
        return;
    if (node->type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *at = node->data.sequence.items.start;
        for (; at < node->data.sequence.items.top; at++)
            check_node(walk, *at, false, environment, depth + 1);
    } else if (node->type == YAML_MAPPING_NODE) {
        yaml_node_pair_t *at = node->data.mapping.pairs.start;
        for (; at < node->data.mapping.pairs.top; at++) {
            const char *key = scalar(yaml_document_get_node(walk->document, at->key));
            if (!key)
                continue;
            if (text || (environment && !strcmp(key, "value")))
                check_scalar(walk, key, yaml_document_get_node(walk->document, at->value));
            check_node(walk, at->value,
                       wants_text(key) || (walk->config_map && depth == 0 && !strcmp(key, "data")),
                       !strcmp(key, "env"), depth + 1);
        }
    }
}

static bool is_config_map(yaml_document_t *document)
{
    yaml_node_t *root = yaml_document_get_root_node(document);
    yaml_node_pair_t *at;
    if (!root || root->type != YAML_MAPPING_NODE)
        return false;
    for (at = root->data.mapping.pairs.start; at < root->data.mapping.pairs.top; at++) {
        const char *key = scalar(yaml_document_get_node(document, at->key));
        const char *value = scalar(yaml_document_get_node(document, at->value));
        if (key && value && !strcmp(key, "kind") && !strcmp(value, "ConfigMap"))
            return true;
    }
    return false;
}

static void check_document(struct walk walk, yaml_document_t *document)
{
    walk.document = document;
    walk.config_map |= is_config_map(document);
    check_node(&walk, 1, false, false, 0);
}

/* Ends at the first document that is no YAML: what a template leaves open cannot be judged. */
static void check_text(struct walk walk, struct str text)
{
    yaml_document_t document;
    yaml_parser_t parser;
    bool more = true;
    if (!yaml_parser_initialize(&parser))
        return;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.at, text.len);
    while (more && yaml_parser_load(&parser, &document)) {
        more = yaml_document_get_root_node(&document) != NULL;
        if (more)
            check_document(walk, &document);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
}

void lint_check_manifest(struct lint *lint, struct str text, int line)
{
    check_text((struct walk){.lint = lint, .line = line}, text);
}

void lint_check_patch(struct lint *lint, const struct use *use, const char *patch, bool config_map)
{
    check_text((struct walk){.lint = lint, .use = use, .config_map = config_map}, str_of(patch));
}
