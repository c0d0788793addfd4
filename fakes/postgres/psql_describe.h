/* psql_describe: \d and its family, and \l: what psql shows of the catalog. */
#ifndef REHEARSE_FAKES_POSTGRES_PSQL_DESCRIBE_H
#define REHEARSE_FAKES_POSTGRES_PSQL_DESCRIBE_H

#include "fakes/postgres/psql.h"

/* `command` without the backslash ("dt+"); `pattern` or NULL. */
bool psql_describe(struct psql *, const char *command, const char *pattern);

#endif
