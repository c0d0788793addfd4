/* api_types: the fields of the API's types, which decide what is a wrong type and what is unknown.
 *
 * A type is its fields, parted by blanks: "replicas:int32 selector:LabelSelector". Types of fields:
 * string, bool, int32, int64, bytes (base64), quantity, time, intstr, any; the name of another
 * type;
 * "[]T" a list; "{}T" a map; "=Name" a string whose Go type is called so.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_API_API_TYPES_H
#define REHEARSE_FAKES_KUBERNETES_API_API_TYPES_H

#include "sim/base/arena.h"

/* The fields of a type; NULL: there is no such type (a custom resource). */
const char *api_type(const char *name);
/* The type of a field among these, in the arena; NULL: unknown. `name` in the exact spelling. */
const char *api_field(struct arena *, const char *fields, const char *name);

#endif
