/* arguments: how every command reads its arguments and says what went wrong. */
#ifndef REHEARSE_CLI_ARGUMENTS_H
#define REHEARSE_CLI_ARGUMENTS_H

#include <stdbool.h>

#include "reports/score.h"
#include "sim/base/arena.h"
#include "sim/base/buf.h"
#include "sim/base/error.h"

/* One option: with a value (`--seed 7`, `--seed=7`, `-j 4`, `-j4`), or a flag. The table ends with
 * a NULL name. */
struct option_spec {
    const char *name;
    const char **value;
    bool *flag;
};

/* Fills the options and puts the other arguments into rest[0..max). Returns how many there are (it
 * may be more than max), or ERROR_INPUT: an unknown option names the nearest known one. "--" ends
 * the options. */
int arguments_parse(int argc, char **argv, const struct option_spec *specs, const char **rest,
                    int max, struct error *error);
/* The one of the words that was probably meant by a mistyped one: at most a third of its letters
 * away. NULL: none is near. `words` ends with NULL. */
const char *arguments_nearest(const char *mistyped, const char *const *words);
/* The word as a shell would need it: quoted only when necessary. */
void arguments_quote(struct buf *, const char *word);
/* A path as it is to stand in results, which hold none of the machine's own: an absolute one as
 * seen from the working folder ("../shop/drill.yaml"), others and what does not exist as given. In
 * the arena, or `path` itself. */
const char *arguments_path(struct arena *, const char *path);
/* Whether standard output is painted: on a terminal that can, unless --no-color or NO_COLOR
 * (no-color.org) say no. */
bool arguments_color(bool no_color);
/* How wide standard output is: a terminal of fewer than 80 columns says so, anything else has 80.
 */
int arguments_columns(void);
/* Prints the error and turns its code into an exit status. */
int arguments_fail(int code, const struct error *error);
/* The exit status of a verdict. */
int arguments_status_of(enum outcome);

#endif
