/* Any text as a JSONPath template on a small list: an error or a result, never more. */
#include <stddef.h>
#include <stdint.h>

#include "fakes/kubernetes/text/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buf out;
    const char *why = NULL;
    cJSON *root = cJSON_Parse("{\"items\":[{\"metadata\":{\"name\":\"web\"},\"spec\":{\"a\":[1,2.5,"
                              "true,null],\"b\":{\"c\":\"x\"}},\"status\":{\"conditions\":[{"
                              "\"type\":\"Ready\",\"status\":\"True\"}]}},{}],\"n\":3}");
    const char *text = arena_str(&arena, (struct str){(const char *)data, size});
    buf_init(&out, 1 << 20);
    jsonpath(&arena, text, root, &out);
    jsonpath_print(&arena, text, root, JSONPATH_STRICT | JSONPATH_JSON, &out);
    const char *path = jsonpath_relaxed(&arena, text, &why);
    if (path)
        jsonpath_values(&arena, path, root, ",", &out, NULL);
    buf_release(&out);
    cJSON_Delete(root);
    arena_release(&arena);
    return 0;
}
