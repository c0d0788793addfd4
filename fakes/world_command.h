/* world_command: one line of the `world` command, for whoever wants its effects without a process
 * (stubs). */
#ifndef REHEARSE_FAKES_WORLD_COMMAND_H
#define REHEARSE_FAKES_WORLD_COMMAND_H

#include "fakes/call.h"

/* Runs the words behind "world", NULL-terminated; the exit status. Text goes to `out` and `why`
 * (may be NULL). */
int world_command(struct env *, struct arena *, char *const words[], struct buf *out,
                  struct buf *why);
/* What is wrong with such a line, as far as can be said before it runs: an unknown word, too few or
 * too many. NULL: nothing.
 * "{args}" stands for any number of words. */
const char *world_command_mistake(struct arena *, char *const words[]);
/* Splits a line at blanks; '...' and "..." quote. NULL-terminated, in the arena. */
char **world_words(struct arena *, const char *line);

#endif
