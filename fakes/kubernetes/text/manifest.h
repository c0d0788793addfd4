/* manifest: what people write in YAML, read as kubectl reads it, and JSON written as YAML.
 *
 * kubectl turns YAML into JSON by sigs.k8s.io/yaml, which follows YAML 1.1: yes, no, on, off, y, n
 * are booleans, 010 is eight, 1_000 a number, and keys that are none of text become text ("5",
 * "true"). Documents are parted by "---"; JSON is YAML.
 */
#ifndef REHEARSE_FAKES_KUBERNETES_TEXT_MANIFEST_H
#define REHEARSE_FAKES_KUBERNETES_TEXT_MANIFEST_H

#include <cjson/cJSON.h>

#include "sim/base/arena.h"
#include "sim/base/buf.h"

struct manifest {
    cJSON **documents; /* each owned by the caller (manifest_release); empty ones are left out; a
                        * List is one document of its items */
    int n, cap;
};
/* Reads all documents. NULL; or the words behind "error parsing NAME: " ("error converting YAML to
 * JSON: yaml: line 4: did not find expected key"), in the arena; what stood before the error is in
 * *ret. Text that begins with "{" is JSON and must be nothing else. At most 16 MiB, 500 deep. */
const char *manifest_read(struct arena *, struct str text, struct manifest *ret);
void manifest_release(struct manifest *);

/* What kubectl finds in a document before it asks the server. NULL, or the error behind "error: ".
 * manifest_invalid: as the schema check of --validate ("error validating ..."); after it nothing of
 * the file is read. manifest_decode_error: as the decoder of metadata ("unable to decode
 * \"base.yaml\": json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of
 * type string"). Sources: k8s.io/kubectl pkg/validation/schema.go, k8s.io/cli-runtime
 * pkg/resource/metadata_decoder.go. */
const char *manifest_invalid(struct arena *, const cJSON *document, const char *source);
const char *manifest_decode_error(struct arena *, const cJSON *document, const char *source);

/* The text itself, or one in the arena: each byte that is no UTF-8 becomes U+FFFD, as Go has it. */
const char *text_repaired(struct arena *, const char *);
/* The first value of a JSON text, read as Go's encoding/json does: of several keys of one name the
 * last counts. Owned by the caller, *ret_len its length; NULL, *why (go_json.h) and *ret_len the
 * index of the byte that is wrong. */
cJSON *json_read_first(struct arena *, const char *text, size_t *ret_len, const char **why);
/* The same, where nothing but blanks may stand behind the value. */
cJSON *json_read(struct arena *, const char *text, const char **why);

/* As sigs.k8s.io/yaml marshals: keys sorted, two blanks, lists not indented, texts quoted where
 * they would be read as something else, "|" for lines. */
void yaml_write(struct buf *, const cJSON *);
/* As kubectl -o json: four blanks, keys sorted, a newline at the end. */
void json_write(struct buf *, const cJSON *);
/* The same with two blanks: view-last-applied -o json. */
void json_write_narrow(struct buf *, const cJSON *);
/* As Go marshals: no blanks, keys sorted, "<", ">" and "&" escaped. */
void json_compact(struct buf *, const cJSON *);

#endif
