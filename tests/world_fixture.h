/* world_fixture: a world from two pieces of YAML, for tests. */
#ifndef REHEARSE_TESTS_WORLD_FIXTURE_H
#define REHEARSE_TESTS_WORLD_FIXTURE_H

#include "sim/base/doc.h"
#include "sim/world/model.h"
#include "sim/world/store.h"
#include "sim/world/world.h"

struct world_fixture {
    struct arena arena;
    struct model model;
    struct record *record;
    struct world *world;
};
/* Fails the test with the loader's message when the texts are wrong. */
void world_fixture_begin(struct world_fixture *, const char *system, const char *scenario,
                         uint64_t seed);
void world_fixture_end(struct world_fixture *);
void world_fixture_until(struct world_fixture *, int64_t at_ns);
double world_fixture_metric(struct world_fixture *, const char *service, const char *metric);
/* The last sample of the indicator. */
double world_fixture_indicator(const struct world_fixture *);
/* When the event whose subject and text (as a prefix) these are happened first; NEVER if it did
 * not. */
int64_t world_fixture_event(const struct world_fixture *, const char *subject, const char *text);

#endif
