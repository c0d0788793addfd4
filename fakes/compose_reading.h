/* compose_reading: what the files that read a Compose project's services share. */
#ifndef REHEARSE_FAKES_COMPOSE_READING_H
#define REHEARSE_FAKES_COMPOSE_READING_H

#include "fakes/compose.h"

enum { ENV_MAX = 512, LIST_MAX = 256 }; /* variables, and items of an option, of one service */

struct compose_reading {
    struct compose_project *project;
    const struct compose_source *source;
    struct arena *arena;
    const char *error;
    const char **volumes, **externals, **networks;
    int n_volumes, n_externals, n_networks;
};

/* The text of a scalar; NULL: it is none, or not there. */
const char *compose_text(const struct doc *);
bool compose_is(const struct doc *, const char *text);

/* The name that the engine knows a volume of the project by. */
const char *compose_volume_name(struct compose_reading *, const char *name);
/* volumes, secrets and configs of a service, as mounts; reading->error on a mistake. */
void compose_read_mounts(struct compose_reading *, struct compose_service *);

#endif
