/* Any bytes as a query to Prometheus. */
#include "fakes/prometheus/promql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const labels[] = {"job", "a", NULL};
    static const int64_t at_ns[] = {0, INT64_C(15000000000), INT64_C(30000000000)};
    static const double value[] = {1, 2, 4};
    static const struct prom_series series[] = {{"up", labels, at_ns, value, 3},
                                                {"requests_total", labels, at_ns, value, 3}};
    struct arena arena = {0};
    struct buf out;
    buf_init(&out, 1 << 24);
    if (size < 2048) {
        const char *query = arena_str(&arena, (struct str){(const char *)data, size});
        struct prom_result r = prom_query(&arena, query, series, 2, INT64_C(30000000000), 0);
        if (!r.error)
            prom_print(&out, &r, INT64_C(30000000000), 0);
        prom_query_range(&arena, query, series, 2, 0, INT64_C(30000000000), INT64_C(15000000000),
                         0);
    }
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
