/* Any bytes as a Compose file, for both editions: a project or an error, never more. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fakes/compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int load(void *ctx, const char *path, struct buf *buf)
{
    const struct str *text = ctx;
    if (strcmp(path, "/p/compose.yml") != 0 && strcmp(path, "/p/.env") != 0)
        return -ENOENT;
    buf_str(buf, *text);
    return 0;
}

static const char *variable(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'A' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    for (int edition = COMPOSE_V1; edition <= COMPOSE_V2; edition++) {
        struct arena arena = {0};
        struct compose_project project;
        const char *error = NULL;
        const struct compose_source source = {&text, load, variable};
        const struct compose_request request = {.edition = (enum compose_edition)edition,
                                                .folder = "/p"};
        if (compose_load(&arena, &source, &request, &project, &error) == 0)
            compose_order(&project, NULL, true);
        arena_release(&arena);
    }
    return 0;
}
