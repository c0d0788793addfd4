/* Any bytes as a query to Prometheus. */
#include "fakes/promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const labels[] = {"job", "a", NULL};
    static const int64_t at_ns[] = {0, INT64_C(15000000000), INT64_C(30000000000)};
    static const double value[] = {1, 2, 4};
    static const struct prom_series series[] = {{"up", labels, at_ns, value, 3}, {"requests_total", labels, at_ns, value, 3}};
    struct arena arena = {0};
    if (size < 4096)
        prom_query(&arena, arena_str(&arena, (struct str){(const char *)data, size}), series, 2, INT64_C(30000000000));
    arena_release(&arena);
    return 0;
}
