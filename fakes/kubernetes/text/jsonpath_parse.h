/* jsonpath_parse: a template as a tree, for jsonpath.c. All of it lives in the arena. */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_JSONPATH_PARSE_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_JSONPATH_PARSE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

enum jsonpath_type {
    JSONPATH_LIST,       /* what stands between { and } */
    JSONPATH_TEXT,       /* one value, whatever comes in */
    JSONPATH_CONSTANT,   /* a number or a boolean: the value once for each that comes in */
    JSONPATH_FIELD,      /* .name */
    JSONPATH_ARRAY,      /* [1], [1:3:2] */
    JSONPATH_FILTER,     /* [?(left operator right)]; operator "exists": left alone */
    JSONPATH_WILDCARD,   /* .* */
    JSONPATH_RECURSIVE,  /* .. */
    JSONPATH_UNION,      /* [a,b]: lists */
    JSONPATH_IDENTIFIER, /* range, end */
};

/* a bit in the type of a number written with a point: Go does not compare 2 with 2.0. */
enum { JSONPATH_FLOAT = 1 << 12 };

struct jsonpath_node;
struct jsonpath_nodes {
    struct jsonpath_node **at;
    int n, cap;
};

struct jsonpath_node {
    enum jsonpath_type type;
    const char *name; /* of a field or identifier; a filter's operator */
    cJSON *value;     /* of a text or constant */
    struct {
        bool known, derived; /* derived: [i] is [i:i+1] */
        int64_t value;
    } range[3];                          /* from, to, step */
    struct jsonpath_nodes inside, right; /* inside: of a list or union, or a filter's left */
};

/* NULL, or what is wrong ("unclosed action"). */
const char *jsonpath_parse(struct arena *, const char *text, struct jsonpath_nodes *ret);
cJSON *jsonpath_text(struct arena *, const char *text);
cJSON *jsonpath_number(struct arena *, double number);

#endif
