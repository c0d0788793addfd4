/* Any JSON as a patch of each kind on a Deployment, and as what is applied over it: an error or a
 * document, and of what apply sends the document that was meant. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "fakes/kubernetes/api/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char deployment[] =
    "{\"kind\":\"Deployment\",\"metadata\":{\"labels\":{\"a\":\"b\"},\"finalizers\":[\"x\",\"y\"]},"
    "\"spec\":{\"replicas\":3,\"strategy\":{\"type\":\"Recreate\"},\"template\":{\"spec\":{"
    "\"containers\":[{\"name\":\"web\",\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\"}],"
    "\"ports\":[{\"containerPort\":80}]},{\"name\":\"side\"}],\"volumes\":[{\"name\":\"v\","
    "\"emptyDir\":{}}]}}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    const char *why = NULL;
    cJSON *document = cJSON_Parse(deployment);
    cJSON *patch = cJSON_ParseWithLength((const char *)data, size);
    if (patch) {
        cJSON_Delete(patch_json(&arena, document, patch, &why));
        cJSON_Delete(patch_merge(document, patch));
        cJSON_Delete(patch_strategic(&arena, document, patch, &why));
        for (int strategic = 0; strategic < 2 && cJSON_IsObject(patch); strategic++) {
            cJSON *sent = patch_three_way(&arena, document, patch, document, strategic);
            cJSON *got = strategic ? patch_strategic(&arena, document, sent, &why)
                                   : patch_merge(document, sent);
            if (json_equal(document, patch) && !json_equal(got, document))
                abort();
            cJSON_Delete(got);
            cJSON_Delete(sent);
        }
    }
    cJSON_Delete(patch);
    cJSON_Delete(document);
    arena_release(&arena);
    return 0;
}
