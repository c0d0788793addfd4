/* go_template_run: what the two files of go_template share: a template being executed, and its
 * values. */
#ifndef REHEARSE_FAKES_GO_TEMPLATE_RUN_H
#define REHEARSE_FAKES_GO_TEMPLATE_RUN_H

#include "fakes/go_template.h"

enum { VARIABLES_MAX = 32, ARGUMENTS_MAX = 16, DEPTH_MAX = 32, TEMPORARIES_MAX = 100000 };

struct template_run {
    struct arena *arena;
    const char *text, *p; /* p: the next character */
    struct buf *out;      /* NULL while skipping */
    const char *error;
    bool strict;
    struct {
        const char *name;
        const cJSON *value;
    } variables[VARIABLES_MAX];
    int n_variables;
    cJSON *temporaries; /* an array that owns what functions made */
    int depth;
};

/* Takes over a value that a function made. */
const cJSON *template_own(struct template_run *, cJSON *value);
const cJSON *template_text(struct template_run *, const char *text);
bool template_truth(const cJSON *value);
/* Children, an object's by key; NULL-terminated. */
const cJSON **template_children(struct template_run *, const cJSON *object);
void template_print(struct template_run *, const cJSON *value, struct buf *out);
const char *template_as_text(struct template_run *, const cJSON *value);
bool template_is_function(const char *name);
const cJSON *template_call(struct template_run *, const char *name, const cJSON *const *args,
                           int n);

#endif
