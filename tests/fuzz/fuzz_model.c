/* fuzz_model: any text as a system file, with its scenario behind a line "---": it is refused with
 * one line, or it makes a world that runs for five simulated minutes at either grain and adds up.
 */
#include <stdlib.h>
#include <string.h>

#include "procedures/drill/model_load.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const struct model *model)
{
    struct record *record = record_new();
    struct world *world = world_new(model, 1, record);
    for (int i = 0; i < 10000 && world_now(world) < 5 * MINUTE; i++)
        world_advance(world, 5 * MINUTE);
    world_finish(world);
    for (int i = 0; i < record->n_ledger; i++)
        if (record->ledger[i].acknowledged != record->ledger[i].kept + record->ledger[i].lost)
            abort();
    world_free(world);
    record_free(record);
}

/* What would only be slow: the fuzzer is after what is wrong. */
static bool is_small(const struct model *model)
{
    double rate = 0;
    for (int i = 0; i < model->n_traffic; i++)
        rate += model->traffic[i].rate_per_s;
    for (int i = 0; i < model->n_faults; i++)
        if (model->faults[i].factor > 1)
            rate *= model->faults[i].factor;
    int instances = 0;
    for (int i = 0; i < model->n_services; i++) {
        instances += model->services[i].replicas;
        for (int j = 0; j < model->services[i].n_calls; j++)
            if (model->services[i].calls[j].per_request *
                    (model->services[i].calls[j].retries + 1) >
                8)
                return false;
    }
    return rate < 500 && instances < 50 && model->n_services < 6 && model->n_backups < 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct model model;
    struct error error;
    struct doc *root = NULL;
    struct str text = {(const char *)data, size}, scenario = {0};
    ptrdiff_t cut = str_find(text, STR("\n---\n"));
    if (cut >= 0) {
        scenario = (struct str){text.at + cut + 5, text.len - (size_t)cut - 5};
        text.len = (size_t)cut;
    }
    model_defaults(&model);
    int code = doc_read_text(&arena, "system", text, &root, &error);
    if (!code)
        code = model_load_system(&arena, root, NULL, &model, &error);
    if (!code && scenario.len)
        code = doc_read_text(&arena, "scenario", scenario, &root, &error);
    if (!code && scenario.len)
        code = model_load_scenario(&arena, root, &model, &error);
    if (!code && is_small(&model))
        run(&model);
    arena_release(&arena);
    return 0;
}
