/* manifest: what people write in YAML, read as kubectl reads it, and JSON written as YAML.
 *
 * kubectl turns YAML into JSON by sigs.k8s.io/yaml, which follows YAML 1.1: yes, no, on, off, y, n
 * are booleans, 010 is eight, 1_000 a number, and keys that are none of text become text ("5",
 * "true"). Documents are parted by "---"; JSON is YAML.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_MANIFEST_H
#define REHEARSE_FAKES_KUBERNETES_MANIFEST_H

#include <cjson/cJSON.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

struct manifest {
    cJSON **documents; /* each owned by the caller (manifest_release); empty ones are left out; a
                        * List is one document of its items */
    int n;
};
/* Reads all documents. NULL; or the words behind "error parsing NAME: " ("error converting YAML to
 * JSON: yaml: line 4: did not find expected key"), in the arena; what stood before the error is in
 * *ret. */
const char *manifest_read(struct arena *, struct str text, struct manifest *ret);
void manifest_release(struct manifest *);

/* As sigs.k8s.io/yaml marshals: keys sorted, two blanks, lists not indented, texts quoted where
 * they would be read as something else, "|" for lines. */
void yaml_write(struct buf *, const cJSON *);
/* As kubectl -o json: four blanks, keys sorted, a newline at the end. */
void json_write(struct buf *, const cJSON *);

#endif
