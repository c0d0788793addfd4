/* selector_parse: what a selector is made of; for selector.c and selector_parse.c alone. */
#ifndef REHEARSE_FAKES_KUBERNETES_API_SELECTOR_PARSE_H
#define REHEARSE_FAKES_KUBERNETES_API_SELECTOR_PARSE_H

#include "fakes/kubernetes/api/selector.h"
#include "sim/base/buf.h"

enum compare {
    OP_EXISTS,
    OP_NOT_EXISTS,
    OP_IN,
    OP_NOT_IN,
    OP_EQUALS,
    OP_DOUBLE_EQUALS,
    OP_NOT_EQUALS,
    OP_GREATER,
    OP_LESS,
};
struct requirement {
    const char *key;
    enum compare compare;
    const char **values;
    int n_values;
};
struct selector { /* all of them must be met */
    struct requirement *at;
    int n;
};

/* By key; those of one key stay in their order. */
void selector_sort(struct selector *);

#endif
