/* keep: the history that commands add to and ask. */
#ifndef REHEARSE_CLI_KEEP_H
#define REHEARSE_CLI_KEEP_H

#include "reports/history.h"

/* The file: the option's if given, else $XDG_STATE_HOME/rehearse/history.db, else
 * ~/.local/state/rehearse/history.db; NULL if there is no home. In the arena. */
const char *keep_path(const char *option, struct arena *);
/* Adds simulated runs, dated now. That it cannot be done is worth a line on stderr and nothing
 * more: the run counts without it. `option` may be "none". */
void keep_runs(const struct summary *, int n, const char *option);
/* A day or an RFC 3339 time as Unix seconds; NULL is now. */
int keep_time(const char *text, const char *option_name, int64_t *ret_s, struct error *);

#endif
