/* json_schema: validates a JSON document against the part of JSON Schema (2020-12) that our schemas
 * use: type, const, enum, properties, required, additionalProperties, items, pattern (as POSIX
 * extended), format (uri, uri-reference, date-time), minimum, maximum, minItems, uniqueItems,
 * anyOf, $ref to #/$defs. Any other keyword is a failure, so
 * that no schema says more than is checked. */
#ifndef REHEARSE_TESTS_JSON_SCHEMA_H
#define REHEARSE_TESTS_JSON_SCHEMA_H

#include <stddef.h>

/* NULL if the document is valid; else a line that says where and what, valid until the next call.
 */
const char *json_schema_check(const char *schema_path, const char *document);

#endif
