/* Any bytes as a run.json, and every format that is written from what was read. */
#include "reports/baseline.h"
#include "reports/summary.h"
#include "reports/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const writers[])(const struct summary *, int, struct buf *) = {
        summaries_junit, summaries_sarif, summaries_csv, summaries_openmetrics, baseline_write};
    struct arena arena = {0};
    struct summary summary;
    struct error error;
    char *text = arena_str(&arena, (struct str){(const char *)data, size});
    if (summary_parse(&summary, &arena, "x", text, &error) == 0) {
        for (size_t i = 0; i < sizeof writers / sizeof *writers; i++) {
            struct buf buf;
            buf_init(&buf, 1 << 24);
            writers[i](&summary, 1, &buf);
            buf_release(&buf);
        }
    }
    arena_release(&arena);
    return 0;
}
