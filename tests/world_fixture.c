#include "tests/world_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "procedures/drill/model_load.h"

void world_fixture_begin(struct world_fixture *f, const char *system, const char *scenario,
                         uint64_t seed)
{
    struct doc *root = NULL;
    struct error error;
    *f = (struct world_fixture){0};
    model_defaults(&f->model);
    int code = doc_read_text(&f->arena, "system", str_of(system), &root, &error);
    if (!code)
        code = model_load_system(&f->arena, root, NULL, &f->model, &error);
    if (!code)
        code = doc_read_text(&f->arena, "scenario", str_of(scenario), &root, &error);
    if (!code)
        code = model_load_scenario(&f->arena, root, &f->model, &error);
    if (code)
        fail_msg("%s", error.text);
    f->record = record_new();
    f->world = world_new(&f->model, seed, f->record);
}

void world_fixture_end(struct world_fixture *f)
{
    world_free(f->world);
    record_free(f->record);
    arena_release(&f->arena);
}

void world_fixture_until(struct world_fixture *f, int64_t at_ns)
{
    while (world_now(f->world) < at_ns)
        world_advance(f->world, at_ns);
}

double world_fixture_metric(struct world_fixture *f, const char *service, const char *metric)
{
    double value = -1;
    if (!service_metric(world_service(f->world, service), metric, &value))
        fail_msg("no metric %s of %s", metric, service);
    return value;
}

double world_fixture_indicator(const struct world_fixture *f)
{
    for (int i = 0; i < f->record->n_series; i++) {
        const struct series *series = f->record->series[i];
        if (strcmp(series->name, "indicator") == 0 && series->n)
            return series->value[series->n - 1];
    }
    return -1;
}

int64_t world_fixture_event(const struct world_fixture *f, const char *subject, const char *text)
{
    for (int i = 0; i < f->record->n_events; i++) {
        const struct event *event = &f->record->events[i];
        if (strcmp(event->subject, subject) == 0 && strncmp(event->text, text, strlen(text)) == 0)
            return event->at_ns;
    }
    return NEVER;
}
