/* command_line: what a command, as executed, was meant to do; judged by its words, never run. */
#ifndef REHEARSE_REPORTS_COMMAND_LINE_H
#define REHEARSE_REPORTS_COMMAND_LINE_H

#include <stdbool.h>

#include "sim/base/str.h"

/* Whether, by its verb, it meant to change something (docker restart, kubectl apply, ./restore.sh
 * ...); judged on its first simple command only. */
bool command_means_change(const char *command);
/* Whether exit status 1 is an answer and no failure: grep, test, diff ... at the end of the line.
 */
bool command_answers_by_status(const char *command);
/* Whether it hands SQL that changes something to psql or mysql on its standard input
 * (here-document, pipe, file). */
bool command_feeds_sql(const char *command);
/* Whether every command of it is one that only looks at something (docker ps, kubectl get, cat,
 * git log ...); of anything that is not known for it, no. */
bool command_only_looks(const char *command);
/* Whether it shows logs or files, in which errors of others are to be expected. */
bool command_shows_logs(const char *command);
/* The first line that tells of an error, or the empty slice. */
struct str first_error_line(struct str text);

#endif
