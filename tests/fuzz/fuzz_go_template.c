/* Any text as a Go template on a small document: an error or a result, never more. */
#include <stddef.h>
#include <stdint.h>

#include "fakes/go_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct buf out;
    cJSON *dot =
        cJSON_Parse("{\"Name\":\"web\",\"List\":[1,\"b\",{\"c\":null}],\"Map\":{\"a\":true}}");
    const char *text = arena_str(&arena, (struct str){(const char *)data, size});
    buf_init(&out, 1 << 20);
    go_template(&arena, text, dot, false, &out);
    go_template_check(&arena, text);
    buf_release(&out);
    cJSON_Delete(dot);
    arena_release(&arena);
    return 0;
}
