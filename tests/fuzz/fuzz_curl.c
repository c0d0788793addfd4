/* curl's URLs and globs: nothing may fall over, and what is taken apart is text that came in. */
#include <stdlib.h>
#include <string.h>

#include "fakes/curl/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct curl_match *matches = NULL;
    struct curl_place place;
    const char *url, *why = NULL;
    int n = 0;
    if (size > 500)
        return 0;
    url = arena_str(&arena, (struct str){(const char *)data, size});
    if (curl_glob(&arena, url, &matches, &n, &why)) {
        for (int i = 0; i < n && i < 20; i++) {
            if (curl_parse_url(&arena, matches[i].url, i % 2 == 1, &place) &&
                (place.target[0] != '/' || !place.host[0] || !curl_redirect(&arena, &place, url)))
                abort();
        }
    } else if (!why) {
        abort();
    }
    arena_release(&arena);
    return 0;
}
