/* progress: a bar on a terminal for what takes longer than a moment; nothing elsewhere. */
#ifndef REHEARSE_CLI_PROGRESS_H
#define REHEARSE_CLI_PROGRESS_H

#include <stdint.h>

/* Draws on stderr, if that is a terminal; with done == all the line is wiped again. */
void progress_show(int64_t done, int64_t all);

#endif
