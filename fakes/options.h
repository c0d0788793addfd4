/* options: a command line taken apart the way the tool being faked would do it.
 *
 * What a command understands is written as words: "detach|d name= env|e= all|a" - a flag, with its
 * letter behind a bar, that takes a value if it ends in "=", and one that may be left out if it
 * ends in "=?" ("--dry-run", "--dry-run=client"; its value is then "true").
 *
 * Two grammars: pflag (Go tools: "--name=v", "--name v", "-dn v", "--flag=false") and getopt (the
 * same without "--flag=false", and "--" names may be cut short). Everything lives in the arena
 * given; nothing is owned.
 */
#ifndef REHEARSE_FAKES_OPTIONS_H
#define REHEARSE_FAKES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

enum options_style {
    OPTIONS_PFLAG,
    OPTIONS_GETOPT,
};

struct option {
    const char *name;  /* long name as in the words */
    const char *value; /* "true" for a flag that was set */
};

struct options {
    struct option *given; /* in the order of the command line */
    int n_given;
    char **args; /* what is not an option, NULL-terminated */
    int n_args;
    const char *error; /* NULL, or what is wrong, in the words of the grammar */
};

/* `interspersed`: options may stand behind arguments (false: the first argument ends them, as for
 * `docker exec C ls -l`). argv[0] is skipped. */
void options_parse(struct arena *, enum options_style, const char *words, bool interspersed,
                   char **argv, struct options *ret);
bool options_has(const struct options *, const char *name); /* given, and not "false" */
/* The last value given, or `otherwise`. */
const char *options_value(const struct options *, const char *name, const char *otherwise);
/* The value as a whole number; `otherwise` if it was not given; false if it is no number. */
bool options_number(const struct options *, const char *name, int64_t otherwise, int64_t *ret);

#endif
