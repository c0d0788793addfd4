/* yaml_scalar: what a plain scalar of YAML 1.1 means: the rules of go-yaml v2, which kubectl reads
 * and writes YAML by. */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_YAML_SCALAR_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_YAML_SCALAR_H

#include <stdbool.h>

#include "sim/base/str.h"

enum yaml_type { YAML_TEXT, YAML_NULL, YAML_TRUTH, YAML_INTEGER, YAML_FLOAT };
struct yaml_scalar {
    enum yaml_type type;
    bool truth;
    double number; /* integers beyond 2^53 lose their last digits here; kubectl keeps 64 bits */
};

/* "yes" is true, "010" is eight, "1_000" a number, "08" a float, "2001-01-01" a text. */
struct yaml_scalar yaml_resolve(struct str text);
/* Whether a text must be quoted to stay a text (also "1:30", which older readers take for ninety).
 */
bool yaml_needs_quotes(struct str text);

#endif
