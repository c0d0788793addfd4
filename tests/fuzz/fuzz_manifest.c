/* Any text as a manifest, written again as YAML, which must read as the same; and as selectors: an
 * error or a result, never more. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "fakes/kubernetes/api/patch.h"
#include "fakes/kubernetes/api/selector.h"
#include "fakes/kubernetes/text/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct manifest first, second;
    struct buf yaml;
    const char *why = NULL;
    struct str text = {(const char *)data, size};
    buf_init(&yaml, 1 << 20);
    manifest_read(&arena, text, &first);
    for (int i = 0; i < first.n; i++) {
        manifest_decode_error(&arena, first.documents[i], "STDIN");
        manifest_invalid(&arena, first.documents[i], "STDIN");
        buf_clear(&yaml);
        yaml_write(&yaml, first.documents[i]);
        why = manifest_read(&arena, buf_text(&yaml), &second);
        bool json = str_starts(buf_text(&yaml), "{"); /* "{}" alone, or a text that begins so */
        if (!json && !yaml.truncated &&
            (why || second.n != 1 || !json_equal(first.documents[i], second.documents[0])))
            abort();
        manifest_release(&second);
    }
    manifest_release(&first);
    cJSON *labels = cJSON_Parse("{\"app\":\"web\"}");
    const char *selector = arena_str(&arena, text);
    const struct selector *by_label = selector_labels(&arena, selector, &why);
    if (by_label)
        selector_matches(by_label, labels);
    const struct selector *by_field = selector_fields(&arena, selector, &why);
    selector_matches_fields(by_field, labels);
    selector_unknown_field(by_field, "Pod");
    cJSON_Delete(labels);
    buf_release(&yaml);
    arena_release(&arena);
    return 0;
}
