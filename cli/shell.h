/* shell: looking around in the sealed shell of a drill instead of judging its run. */
#ifndef REHEARSE_CLI_SHELL_H
#define REHEARSE_CLI_SHELL_H

#include "procedures/drill/run.h"

/* "playbook.md:170"; NULL is the first line. ERROR_INPUT if it is neither. */
int shell_parse_until(const char *until, struct arena *, struct guest *ret, struct error *);
/* Runs up to the guest's line, then feeds the shell from standard input. 0; 1 if the line was never
 * reached; else an error. */
int shell_look(const struct drill *, struct run_options *, struct guest *, struct error *);

#endif
